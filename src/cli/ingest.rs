//! `fluxtower ingest`: reads files into the store.

use std::io::{self, Write};
use std::path::PathBuf;

use super::output::{count, grouped};
use super::{CliError, Context, Exit};
use crate::agent::{self, Ended, Pass};
use crate::ingest::{IngestReport, Selection};

/// Read new rows from the tables' files into the store
///
/// Never waits for the network. A FILE is any TOA5 export, for repair or history; it is read whole, and what the store
/// already has is skipped.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  fluxtower ingest\n  fluxtower ingest --table soil_30min D:\\exports\\soil_2025-06.dat"
)]
pub(super) struct Args {
    /// Only this table
    #[arg(long, value_name = "NAME")]
    table: Option<String>,
    /// Read these files instead of the configured ones
    files: Vec<PathBuf>,
}

pub(super) fn run(context: &Context, args: Args) -> Result<Exit, CliError> {
    let selection = Selection { table: args.table, files: args.files };
    let agent = context.agent();
    let ended = agent::ingest(&agent, Pass::Once, |store, progress| {
        crate::ingest::run(&agent.config, store, &agent.clock, &selection, progress)
    })?;
    let Some(Ended { report, exit }) = ended else { return already(context) };
    context.output.result(&report, |out| write(out, &report))?;
    Ok(exit)
}

/// Reports that another ingest holds the lock, and ends with success, because the other one does the work.
fn already(context: &Context) -> Result<Exit, CliError> {
    tracing::warn!("another ingest is running; this one leaves the work to it");
    context.output.result(&IngestReport::default(), |_| Ok(()))?;
    Ok(Exit::Well)
}

/// The count of rows that got missing columns.
const EXTENDED: &str = "extended by columns of another header";

/// Writes one line for a pass of a continuous agent: only what is new, with each message on a line of its own.
pub(super) fn write_line(out: &mut dyn Write, at: &str, report: &IngestReport) -> io::Result<()> {
    let tables = report.tables.iter().map(|table| {
        let counts = &table.counts;
        if table.made > 0 {
            return format!("{}: {} made", table.table, grouped(table.made));
        }
        let taken = counts.staged + table.taken_up;
        let other = [
            (counts.extended, EXTENDED),
            (counts.conflicts, "in conflict"),
            (counts.rejected, "rejected"),
            (counts.held, "held"),
        ];
        let other = other.iter().filter(|(number, _)| *number > 0);
        let other: String = other.map(|(number, what)| format!(", {} {what}", grouped(*number))).collect();
        format!("{}: {} staged{other}", table.table, grouped(taken))
    });
    writeln!(out, "{at}  {}", tables.collect::<Vec<_>>().join("; "))?;
    report.tables.iter().flat_map(|table| &table.notes).try_for_each(|note| writeln!(out, "  ! {note}"))
}

/// Writes one line per table with changes, then the sum.
pub(super) fn write(out: &mut dyn Write, report: &IngestReport) -> io::Result<()> {
    let width = report.tables.iter().map(|table| table.table.chars().count()).max().unwrap_or(0);
    for table in &report.tables {
        let counts = &table.counts;
        let is_made = table.made > 0;
        let (number, word) = if is_made { (table.made, "made") } else { (counts.staged, "staged") };
        let mut parts = vec![format!("{} {word}", grouped(number))];
        for (number, word) in [
            (counts.duplicates - counts.extended, "known already"),
            (counts.extended, EXTENDED),
            (counts.conflicts, "in conflict"),
            (counts.rejected, "rejected"),
            (counts.held, "held"),
            (table.taken_up, "kept earlier and staged now"),
            (counts.deferred, "deferred"),
        ] {
            if number > 0 {
                parts.push(format!("{} {word}", grouped(number)));
            }
        }
        let unchanged = table.sources.iter().filter(|source| source.unchanged).count();
        let files = if unchanged > 0 && unchanged == table.sources.len() { " (unchanged)" } else { "" };
        writeln!(out, "{:width$}  {}{files}", table.table, parts.join(", "))?;
        if !table.put_away.is_empty() {
            let files = count(table.put_away.len() as u64, "closed file");
            writeln!(out, "{:width$}  {files} {}", "", table.put_away[0].action)?;
        }
        for note in &table.notes {
            writeln!(out, "{:width$}  ! {note}", "")?;
        }
    }
    let totals = report.totals();
    writeln!(out, "staged {} from {}", count(totals.staged, "row"), count(totals.lines, "line"))
}
