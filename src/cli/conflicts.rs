//! `fluxtower conflicts`: lists keys with two contents.

use serde::Serialize;

use super::{CliError, Context, Exit};
use crate::time::Timestamp;

/// List rows whose time came again with other content, both contents side by side; decide which one is the row
///
/// Ends with exit code 1 when it lists a conflict that is not decided, with 0 when there is none.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  fluxtower conflicts --table 46m_par --limit 10\n  fluxtower conflicts --keep newer --table 46m_par --since 2026-06-01 --dry-run"
)]
pub(super) struct Args {
    /// Only this table
    #[arg(long, value_name = "NAME")]
    table: Option<String>,
    /// Show at most so many, newest first
    #[arg(long, default_value_t = 100, value_name = "N")]
    limit: usize,
    #[command(flatten)]
    keep: super::decisions::KeepArgs,
}

#[derive(Serialize)]
struct Item {
    table: String,
    time: Timestamp,
    record: Option<i64>,
    place: String,
    stays: String,
    raw: String,
    row: Option<String>,
    row_record: Option<i64>,
    reason: Option<String>,
    decided: Option<i64>,
}

#[derive(Serialize)]
struct List {
    conflicts: Vec<Item>,
}

pub(super) fn run(context: &Context, args: &Args) -> Result<Exit, CliError> {
    if let Some(exit) = super::decisions::keep(context, args.table.as_deref(), &args.keep)? {
        return Ok(exit);
    }
    let store = context.store()?;
    if let Some(table) = &args.table {
        context.known_table(&store, table)?;
    }
    let conflicts = store
        .conflicts(args.table.as_deref(), args.limit)?
        .into_iter()
        .map(|line| Item {
            table: line.table,
            time: line.ts,
            record: line.record,
            place: line.place,
            stays: line.stays,
            raw: line.raw,
            row: line.row,
            row_record: line.row_record,
            reason: line.reason,
            decided: line.decided,
        })
        .collect();
    let list = List { conflicts };
    let clock = context.config.station.clock;
    context.output.result(&list, |out| {
        if list.conflicts.is_empty() {
            return writeln!(out, "no conflicts");
        }
        for item in &list.conflicts {
            writeln!(out, "{}  {}  {}", item.table, clock.row_time(item.time), item.place)?;
            writeln!(out, "    the row ({} stays): {}", item.stays, item.row.as_deref().unwrap_or("gone"))?;
            writeln!(out, "    kept beside:        {}", item.raw)?;
            if let (Some(row), Some(other)) = (item.row_record, item.record)
                && row != other
            {
                writeln!(out, "    RECORD of the row is {row}, of the other {other}: two records have one time")?;
            }
            let decision = item.decided.map_or_else(String::new, |id| format!(" (decision {id})"));
            if let Some(reason) = &item.reason {
                writeln!(out, "    {reason}{decision}")?;
            }
        }
        Ok(())
    })?;
    let decides = |table: &str| context.config.decides_conflicts(table);
    let is_open = list.conflicts.iter().any(|item| item.decided.is_none() && !decides(&item.table));
    Ok(if is_open { Exit::Look } else { Exit::Well })
}
