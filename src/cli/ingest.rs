//! `fluxtower ingest`: files to store.

use std::io::{self, Write};
use std::path::PathBuf;

use super::output::{count, grouped};
use super::progress::Bars;
use super::run::{Pass, failed};
use super::{CliError, Context, Exit};
use crate::ingest::{IngestError, IngestReport, Selection};
use crate::store::{Lock, LockKind, Store};

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
    let Some((report, exit)) = ingest(context, &selection)? else { return already(context) };
    context.output.result(&report, |out| write(out, &report))?;
    Ok(exit)
}

/// A second run that finds the lock taken says so and ends well: the first is doing the work.
fn already(context: &Context) -> Result<Exit, CliError> {
    tracing::warn!("another ingest is running; this one leaves the work to it");
    context.output.result(&IngestReport::default(), |_| Ok(()))?;
    Ok(Exit::Well)
}

/// None when another ingest is at work.
pub(super) fn ingest(context: &Context, selection: &Selection) -> Result<Option<(IngestReport, Exit)>, CliError> {
    pass(context, Pass::Once, |store, bars| crate::ingest::run(&context.config, store, &context.clock, selection, bars))
}

/// One ingest under its lock; None when another one holds it.
pub(super) fn pass(
    context: &Context,
    pass: Pass,
    work: impl FnOnce(&Store, &Bars) -> Result<IngestReport, IngestError>,
) -> Result<Option<(IngestReport, Exit)>, CliError> {
    let store = context.store()?;
    let Some(_lock) = Lock::take(store.path(), LockKind::Ingest)? else { return Ok(None) };
    let started = context.now();
    let bars = Bars::files(context.bars);
    let result = work(&store, &bars);
    bars.clear();
    let report = result.map_err(|error| failed(context, &store, "ingest", started, error))?;
    store.tidy_log()?;
    let exit = if report.needs_a_look() { Exit::Look } else { Exit::Well };
    let totals = report.totals();
    if pass == Pass::Once || totals.staged + totals.conflicts + totals.rejected > 0 {
        tracing::info!(
            staged = totals.staged,
            duplicates = totals.duplicates,
            conflicts = totals.conflicts,
            rejected = totals.rejected,
            held = totals.held,
            deferred = totals.deferred,
            "ingest done"
        );
    }
    if pass.is_kept(exit) {
        let summary = serde_json::to_string(&totals).unwrap_or_default();
        store.log_run("ingest", started, context.now(), exit as u8, &summary)?;
    }
    Ok(Some((report, exit)))
}

/// A line per table that had something, then the sum.
pub(super) fn write(out: &mut dyn Write, report: &IngestReport) -> io::Result<()> {
    let width = report.tables.iter().map(|table| table.table.chars().count()).max().unwrap_or(0);
    for table in &report.tables {
        let counts = &table.counts;
        let mut parts = vec![format!("{} staged", grouped(counts.staged))];
        for (number, word) in [
            (counts.duplicates, "known already"),
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
        for note in &table.notes {
            writeln!(out, "{:width$}  ! {note}", "")?;
        }
    }
    let totals = report.totals();
    writeln!(out, "staged {} from {}", count(totals.staged, "row"), count(totals.lines, "line"))
}
