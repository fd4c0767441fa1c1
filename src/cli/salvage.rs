//! `fluxtower salvage`: saves what can be read of a damaged database.

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::output::{count, grouped};
use super::whole_file::WholeFile;
use super::{CliError, Context, Exit};
use crate::store::{Lock, LockKind, SalvageReport, SalvagedTable, Store};

/// Save what can be read of a damaged database into a new one
///
/// Rows, receipts, conflicts and rejected lines are copied as far as their pages can be read; what could not be read is
/// said. The damaged database is renamed, never changed, and the new one takes its place. With --output the new one is
/// written there, and the damaged one stays where it is. The next ingest reads every .DAT file whole, and stages the rows
/// of it that were lost.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  fluxtower salvage\n  fluxtower salvage --output saved.db")]
pub(super) struct Args {
    /// Write the new database here, and leave the damaged one in its place
    #[arg(long, value_name = "NEW")]
    output: Option<PathBuf>,
}

#[derive(Serialize)]
struct Saved {
    /// SQLite's message about the damage; None if the database is intact and nothing was done.
    damage: Option<String>,
    file: Option<String>,
    set_aside: Option<String>,
    tables: Vec<Part>,
    lists: Vec<Part>,
    orphans: u64,
}

#[derive(Serialize)]
struct Part {
    name: String,
    rows: u64,
    expected: Option<u64>,
    unreadable: Option<String>,
}

pub(super) fn run(context: &Context, args: &Args) -> Result<Exit, CliError> {
    let database = &context.config.store_path;
    if !database.is_file() {
        return Err(CliError::NoDatabase { path: database.clone() });
    }
    let locks = [Lock::take(database, LockKind::Ingest)?, Lock::take(database, LockKind::Sync)?];
    if locks.iter().any(Option::is_none) {
        return Err(CliError::AtWork);
    }
    let Some(damage) = Store::damage(database)? else {
        let nothing =
            Saved { damage: None, file: None, set_aside: None, tables: Vec::new(), lists: Vec::new(), orphans: 0 };
        context
            .output
            .result(&nothing, |out| writeln!(out, "the database {} is whole; nothing was done", database.display()))?;
        return Ok(Exit::Well);
    };
    let target = args.output.as_ref().unwrap_or(database);
    if args.output.is_some() && target.exists() {
        return Err(CliError::Exists { path: target.clone() });
    }
    let whole = WholeFile::beside(target)?;
    let report = Store::salvage(database, whole.part())?;
    let set_aside = match args.output {
        Some(_) => None,
        None => Some(set_aside(database, &context.now().to_utc().format(".damaged-%Y%m%dT%H%M%SZ").to_string())?),
    };
    whole.keep(false)?;
    let is_whole = report.is_whole();
    let saved = saved(damage, target, set_aside, report);
    context.output.result(&saved, |out| write(out, &saved))?;
    Ok(if is_whole { Exit::Well } else { Exit::Look })
}

/// Renames a damaged database. The log belongs to the database and is renamed too. The log's index is not, because
/// SQLite creates it again when the two are opened.
fn set_aside(database: &Path, ending: &str) -> Result<PathBuf, CliError> {
    let named = |extra: &str| {
        let mut name = OsString::from(database);
        name.push(extra);
        PathBuf::from(name)
    };
    let to = named(ending);
    for part in ["-wal", "-shm", ""] {
        let from = named(part);
        let Ok(found) = from.metadata() else { continue };
        let moved = if part == "-shm" || (part == "-wal" && found.len() == 0) {
            std::fs::remove_file(&from)
        } else {
            let mut to = OsString::from(&to);
            to.push(part);
            std::fs::rename(&from, &to)
        };
        moved.map_err(|source| CliError::File { path: from, source })?;
    }
    Ok(to)
}

fn saved(damage: String, file: &Path, set_aside: Option<PathBuf>, report: SalvageReport) -> Saved {
    let part = |table: SalvagedTable| Part {
        name: table.table,
        rows: table.rows,
        expected: table.expected,
        unreadable: Some(table.unreadable).filter(|text| !text.is_empty()),
    };
    Saved {
        damage: Some(report.unopened.unwrap_or(damage)),
        file: Some(file.display().to_string()),
        set_aside: set_aside.map(|path| path.display().to_string()),
        tables: report.tables.into_iter().map(part).collect(),
        lists: report.lists.into_iter().map(part).collect(),
        orphans: report.orphans,
    }
}

fn write(out: &mut dyn Write, saved: &Saved) -> io::Result<()> {
    writeln!(out, "damaged: {}", saved.damage.as_deref().unwrap_or_default())?;
    for table in &saved.tables {
        match table.expected {
            Some(expected) if expected > table.rows => writeln!(
                out,
                "{}  {} saved of {}, {} could not be read",
                table.name,
                grouped(table.rows),
                grouped(expected),
                grouped(expected - table.rows)
            )?,
            _ => writeln!(out, "{}  {} saved", table.name, count(table.rows, "row"))?,
        }
    }
    if saved.orphans > 0 {
        writeln!(out, "{} saved whose table could not be read", count(saved.orphans, "row"))?;
    }
    for list in &saved.lists {
        match &list.unreadable {
            Some(reason) => writeln!(out, "{}: {} saved, not all ({reason})", list.name, grouped(list.rows))?,
            None => writeln!(out, "{}: {} saved", list.name, grouped(list.rows))?,
        }
    }
    if let Some(file) = &saved.file {
        writeln!(out, "the new database is {file}")?;
    }
    if let Some(aside) = &saved.set_aside {
        writeln!(out, "the damaged one is now {aside}")?;
        writeln!(out, "now run `fluxtower run`: the .DAT files are read again for what was lost")?;
    }
    Ok(())
}
