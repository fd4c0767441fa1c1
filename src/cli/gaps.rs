//! `fluxtower gaps`: records that were never in a file, and how to get them.

use serde::Serialize;

use super::output::count;
use super::{CliError, Context, Exit};
use crate::time::Timestamp;

/// List missing records, with the LoggerNet export that repairs each
///
/// The logger or LoggerNet's cache may still hold them: export the period with the Data Filer or Custom Collection as
/// TOA5, then run `fluxtower ingest FILE`. A gap closes when its records are staged. Ends with exit code 1 when records are
/// missing, with 0 when none are.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  fluxtower gaps\n  fluxtower gaps --table soil_30min")]
pub(super) struct Args {
    /// Only this table
    #[arg(long, value_name = "NAME")]
    table: Option<String>,
}

#[derive(Serialize)]
struct GapItem {
    table: String,
    /// `jump` between two records, or `reset`: the counter started again and its first records are missing.
    kind: &'static str,
    before_record: Option<i64>,
    after_record: i64,
    missing: i64,
    /// Station time of the last row before and the first row after.
    from: Option<String>,
    to: String,
    from_utc: Option<String>,
    to_utc: String,
    repair: String,
}

#[derive(Serialize)]
struct ClockItem {
    table: String,
    kind: String,
    record_before: i64,
    time_before: String,
    record_after: i64,
    time_after: String,
}

#[derive(Serialize)]
struct List {
    gaps: Vec<GapItem>,
    clock: Vec<ClockItem>,
}

pub(super) fn run(context: &Context, args: &Args) -> Result<Exit, CliError> {
    let store = context.store()?;
    if let Some(table) = &args.table {
        context.known_table(&store, table)?;
    }
    let wanted = |table: &str| args.table.as_deref().is_none_or(|only| only == table);
    let gaps = store.gaps()?.into_iter().filter(|line| wanted(&line.table)).map(|line| item(context, &line)).collect();
    let clock = store
        .clock_events()?
        .into_iter()
        .filter(|line| wanted(&line.table))
        .map(|line| ClockItem {
            kind: line.kind,
            record_before: line.before.0,
            time_before: station_time(context, &line.table, line.before.1),
            record_after: line.after.0,
            time_after: station_time(context, &line.table, line.after.1),
            table: line.table,
        })
        .collect();
    let list = List { gaps, clock };
    context.output.result(&list, |out| {
        if list.gaps.is_empty() {
            writeln!(out, "no records are missing")?;
        }
        for gap in &list.gaps {
            writeln!(
                out,
                "{}  {} missing before record {}",
                gap.table,
                count(gap.missing.cast_unsigned(), "record"),
                gap.after_record
            )?;
            writeln!(out, "    {}", gap.repair)?;
        }
        for event in &list.clock {
            let what = if event.kind == "reset" { "RECORD started again" } else { "the clock stepped back" };
            writeln!(
                out,
                "{}  {what}: record {} at {}, then record {} at {} (nothing is missing by this)",
                event.table, event.record_before, event.time_before, event.record_after, event.time_after
            )?;
        }
        Ok(())
    })?;
    Ok(if list.gaps.is_empty() { Exit::Well } else { Exit::Look })
}

fn station_time(context: &Context, table: &str, instant: Timestamp) -> String {
    let clock = context.config.table(table).map_or(context.config.station.clock, |table| table.clock);
    clock.local(instant).to_string()
}

fn item(context: &Context, line: &crate::store::GapLine) -> GapItem {
    let before = line.gap.before.map(|before| before.1).or(line.row_before);
    let from = before.map(|before| station_time(context, &line.table, before));
    let to = station_time(context, &line.table, line.gap.after.1);
    let since = from.clone().unwrap_or_else(|| "its beginning".to_owned());
    GapItem {
        kind: if line.gap.after_reset { "reset" } else { "jump" },
        before_record: line.gap.before.map(|before| before.0),
        after_record: line.gap.after.0,
        missing: line.gap.missing,
        repair: format!(
            "export table {} from {since} to {to} (station time) as TOA5, then: fluxtower ingest --table \"{}\" FILE",
            line.table, line.table
        ),
        from_utc: before.map(|before| before.to_string()),
        to_utc: line.gap.after.1.to_string(),
        from,
        to,
        table: line.table.clone(),
    }
}
