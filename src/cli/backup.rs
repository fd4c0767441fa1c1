//! `fluxtower backup`: copies the database while other processes write to it.

use std::path::PathBuf;

use serde::Serialize;

use super::output::{bytes, count};
use super::whole_file::WholeFile;
use super::{CliError, Context, Exit};
use crate::store::Store;

/// Copy the database to a file, while ingest and sync go on
///
/// The copy is one state of the database, checked page by page, synced to disk, and only then given its name; an
/// interrupted backup leaves no half file under it. To go back to it, stop the scheduled runs and put it in the
/// database's place, without the old `-wal` and `-shm` files; the next run reads the .DAT files again from there.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  fluxtower backup D:\\backup\\fluxtower-2025-06.db\n  fluxtower backup /media/usb/fluxtower.db --force"
)]
pub(super) struct Args {
    /// The file to write
    file: PathBuf,
    /// Overwrite a file that stands there
    #[arg(long)]
    force: bool,
}

#[derive(Serialize)]
struct BackedUp {
    file: String,
    rows: u64,
    bytes: u64,
}

pub(super) fn run(context: &Context, args: &Args) -> Result<Exit, CliError> {
    let database = &context.config.store_path;
    context.refuse_own_file(&args.file)?;
    if args.file.exists() && !args.force {
        return Err(CliError::Exists { path: args.file.clone() });
    }
    let whole = WholeFile::beside(&args.file)?;
    let rows = Store::copy(database, whole.part())?;
    let size = whole.part().metadata().map_err(|source| whole.failed(source))?.len();
    whole.keep(args.force)?;
    let done = BackedUp { file: args.file.display().to_string(), rows, bytes: size };
    context.output.result(&done, |out| {
        writeln!(out, "copied {} to {} ({}), checked", count(done.rows, "row"), done.file, bytes(done.bytes))
    })?;
    Ok(Exit::Well)
}
