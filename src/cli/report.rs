//! `fluxtower report`: writes the page as one file.

use std::fs::File;
use std::io::{BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Serialize;

use super::output::bytes;
use super::whole_file::WholeFile;
use super::{CliError, Context, Exit};
use crate::time::Timestamp;
use crate::view::report::{self, ReportError};
use crate::view::serve::api::Answers;

/// In bytes: mail servers often accept no larger attachment.
const LARGE: u64 = 20_000_000;

/// Write the page of `serve` to one HTML file, to mail or to put on any web server
///
/// Everything is in the file, and it makes no request to any server. It covers the last days of data, up to the newest row.
/// Without --output it is named after station and day, and stands in the current folder. An older report of that name is
/// replaced; any other file is left alone.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  fluxtower report\n  fluxtower report --last 30d --output D:\\www\\tower.html")]
pub(super) struct Args {
    /// How long a stretch it covers
    #[arg(long, value_name = "DURATION", value_parser = crate::config::duration, default_value = "7d")]
    last: Duration,
    /// The file, or a folder for it
    #[arg(long, alias = "out", value_name = "FILE")]
    output: Option<PathBuf>,
}

#[derive(Serialize)]
struct Written {
    file: String,
    bytes: u64,
    from: String,
    to: String,
}

pub(super) fn run(context: &Context, args: &Args) -> Result<Exit, CliError> {
    let database = &context.config.store_path;
    if !database.exists() {
        return Err(CliError::NoDatabase { path: database.clone() });
    }
    let now = context.now();
    let path = path(context, args, now)?;
    context.refuse_own_file(&path)?;
    let is_replaced = path.exists();
    if is_replaced && !is_report(&path) {
        return Err(CliError::Exists { path });
    }
    // This migrates an older database.
    let store = context.store()?;
    let answers = Answers::new(context.config.clone());
    let span = report::span(&store, &answers, args.last, now)?;
    let whole = WholeFile::beside(&path)?;
    let mut file = BufWriter::with_capacity(1 << 16, whole.create()?);
    report::write(&answers, &store, span, now, &mut file).map_err(|error| match error {
        ReportError::Output(source) => whole.failed(source),
        other => CliError::Report(other),
    })?;
    file.flush().map_err(|source| whole.failed(source))?;
    drop(file);
    let size = whole.part().metadata().map_err(|source| whole.failed(source))?.len();
    whole.keep(is_replaced)?;
    if size > LARGE {
        tracing::warn!("the report is {}; many mail servers take less: write a shorter one with --last", bytes(size));
    }
    let written =
        Written { file: path.display().to_string(), bytes: size, from: span.from.to_string(), to: span.to.to_string() };
    context.output.result(&written, |out| {
        let local = |instant| context.config.station.clock.local(instant).to_string();
        writeln!(out, "wrote {} to {} as {} ({})", local(span.from), local(span.to), written.file, bytes(size))
    })?;
    Ok(Exit::Well)
}

fn path(context: &Context, args: &Args, now: Timestamp) -> Result<PathBuf, CliError> {
    let clock = context.config.station.clock;
    let letter = |c: char| if c.is_alphanumeric() || matches!(c, '-' | '_' | '.') { c } else { '_' };
    let station: String = context.config.station.name.chars().map(letter).take(100).collect();
    let day: String = clock.local(now).to_string().chars().take(10).collect();
    let name = format!("{station}-{day}.html");
    let Some(output) = &args.output else { return Ok(PathBuf::from(name)) };
    if output.is_dir() || output.to_string_lossy().ends_with(['/', '\\']) {
        std::fs::create_dir_all(output).map_err(|source| CliError::File { path: output.clone(), source })?;
        return Ok(output.join(name));
    }
    Ok(output.clone())
}

/// Whether the file begins like a report.
fn is_report(path: &Path) -> bool {
    let mut begin = String::new();
    let read = File::open(path).and_then(|file| {
        let mut bytes = Vec::new();
        file.take(2_048).read_to_end(&mut bytes)?;
        begin = String::from_utf8_lossy(&bytes).into_owned();
        Ok(())
    });
    read.is_ok() && begin.contains(report::MARK)
}
