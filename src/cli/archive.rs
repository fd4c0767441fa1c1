//! `fluxtower archive`: puts closed files away as `after` says.

use std::io::{self, Write};

use serde::Serialize;

use super::output::{bytes, count};
use super::{CliError, Context, Exit, decisions};
use crate::agent::AgentError;
use crate::ingest::{self, ClosedFiles, Receipts};

/// Move, compress or delete closed files, as `after` of their table says
///
/// Each ingest of all files does the same at its end. A file goes when every line of it is in the database, it was not changed for
/// `closed_after`, and it is not the newest one of its pattern. Names in the folder are never overwritten. A file that LoggerNet has
/// open on Windows stays, and the next ingest tries again.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  fluxtower archive --dry-run\n  fluxtower archive --table soil_30min")]
pub(super) struct Args {
    /// Only this table
    #[arg(long, value_name = "NAME")]
    table: Option<String>,
    /// Say which files would go and why the others stay, and change none
    #[arg(long)]
    dry_run: bool,
}

#[derive(Serialize)]
struct Item {
    #[serde(flatten)]
    files: ClosedFiles,
    /// The receipts of earlier calls and of this one.
    receipts: Receipts,
}

#[derive(Serialize)]
struct Report {
    dry_run: bool,
    tables: Vec<Item>,
}

pub(super) fn run(context: &Context, args: &Args) -> Result<Exit, CliError> {
    let (config, store, only) = (&context.config, context.store()?, args.table.as_deref());
    if let Some(table) = only {
        context.configured_table(table)?;
    }
    let _lock = match args.dry_run {
        true => None,
        false => Some(decisions::lock(&store)?),
    };
    let closed = ingest::put_away(config, &store, &context.clock, only, args.dry_run).map_err(AgentError::from)?;
    let mut report = Report { dry_run: args.dry_run, tables: Vec::new() };
    for files in closed {
        let receipts = ingest::receipts(&store, &files.table)?;
        report.tables.push(Item { files, receipts });
    }
    let has_failed = report.tables.iter().any(|table| table.files.stays.iter().any(|stays| stays.is_failure));
    context.output.result(&report, |out| write(out, &report))?;
    Ok(if has_failed { Exit::Look } else { Exit::Well })
}

fn write(out: &mut dyn Write, report: &Report) -> io::Result<()> {
    if report.tables.is_empty() {
        return writeln!(out, "no table has `after`: every file stays where it is");
    }
    for Item { files, receipts } in &report.tables {
        let would = if report.dry_run { "would be " } else { "" };
        for gone in &files.put_away {
            let to = gone.to.as_ref().map_or_else(String::new, |to| format!(" to {to}"));
            writeln!(out, "{}  {} {would}{}{to}", files.table, gone.file, gone.action)?;
        }
        for stays in &files.stays {
            writeln!(out, "{}  {} stays: {}", files.table, stays.file, stays.reason)?;
        }
        let so_far = count(receipts.files, "file");
        writeln!(
            out,
            "{}  {so_far} of {} went so far; the newest of each pattern stays",
            files.table,
            bytes(receipts.bytes)
        )?;
    }
    Ok(())
}
