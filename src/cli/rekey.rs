//! `fluxtower rekey`: moves stored rows to the time that their stamps mean by the present configuration.

use serde::Serialize;

use super::output::{count, grouped};
use super::progress::Bars;
use super::{CliError, Context, Exit, decisions};
use crate::agent::AgentError;
use crate::ingest::{self, Moved};
use crate::text::span;
use crate::time::Timestamp;

/// Rows that are moved in a second, about: a table of 20 columns on a small computer.
const ROWS_PER_SECOND: u64 = 8_000;

/// Move stored rows to the time that their stamps mean by the present configuration
///
/// After `utc_offset`, `timezone`, `[[station.offset]]`, also in a table, or `time_format` changed, every row gets the time that
/// its stamp means now. Rows that were sent are sent again, and their points under the old time are removed from the bucket where the
/// server can. Periods of a wrong clock (`[[table.clock]]`) are applied by each ingest too.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  fluxtower rekey --dry-run\n  fluxtower rekey --table soil_30min")]
pub(super) struct Args {
    /// Only this table
    #[arg(long, value_name = "NAME")]
    table: Option<String>,
    /// Say how many rows would move, how many points and how long, and move none
    #[arg(long)]
    dry_run: bool,
}

#[derive(Serialize)]
struct Item {
    table: String,
    rows: u64,
    points: u64,
    conflicts: u64,
    merged: u64,
    lines: u64,
    contents: u64,
    from: Option<Timestamp>,
    to: Option<Timestamp>,
}

#[derive(Serialize)]
struct Report {
    dry_run: bool,
    tables: Vec<Item>,
}

impl Item {
    fn new((table, moved): &(String, Moved)) -> Item {
        let Moved { rows, conflicts, merged, lines, contents, points, span } = moved.clone();
        let table = table.clone();
        Item {
            table,
            rows,
            points,
            conflicts,
            merged,
            lines,
            contents,
            from: span.map(|at| at.0),
            to: span.map(|at| at.1),
        }
    }
}

pub(super) fn run(context: &Context, args: &Args) -> Result<Exit, CliError> {
    let (config, store, only) = (&context.config, context.store()?, args.table.as_deref());
    if let Some(table) = only {
        context.configured_table(table)?;
    }
    let moved = if args.dry_run {
        ingest::would_rekey(config, &store, &context.clock, only).map_err(AgentError::from)?
    } else {
        let _lock = decisions::lock(&store)?;
        let bars = Bars::rows(context.bars);
        let moved = ingest::rekey(config, &store, &context.clock, only, &bars).map_err(AgentError::from)?;
        ingest::make_now(config, &store, &context.clock).map_err(AgentError::from)?;
        moved
    };
    let report = Report { dry_run: args.dry_run, tables: moved.iter().map(Item::new).collect() };
    context.output.result(&report, |out| {
        if moved.is_empty() {
            return writeln!(out, "every row is where its stamp belongs: nothing is to be moved");
        }
        for (name, moved) in &moved {
            let Some(table) = config.table(name) else { continue };
            if !args.dry_run {
                writeln!(out, "{name}  {}", moved.message(table, config.destination.can_remove()))?;
                continue;
            }
            let seconds = i64::try_from(moved.rows / ROWS_PER_SECOND + 1).unwrap_or(i64::MAX);
            let old = moved.span.map_or_else(String::new, |(from, to)| {
                format!(", now from {} to {},", table.clock.event_time(from), table.clock.event_time(to))
            });
            let mut more = String::new();
            if moved.lines > 0 {
                more += &format!(
                    "; {} of them would have no time that a row can have and be rejected or held again as {}",
                    grouped(moved.lines),
                    if moved.lines == 1 { "a line" } else { "lines" }
                );
            }
            if moved.contents > 0 {
                more += &format!("; {} would become rows", count(moved.contents, "conflict"));
            }
            if moved.merged > 0 {
                more += &format!("; {} would meet the same row, and be one with it", count(moved.merged, "row"));
            }
            if moved.conflicts > 0 {
                let kept = if moved.conflicts == 1 { "a conflict" } else { "conflicts" };
                more += &format!(
                    "; {} would meet another row at the new time, and be kept beside it as {kept}",
                    count(moved.conflicts, "row")
                );
            }
            writeln!(
                out,
                "{name}  {}{old} would get another time, in about {}; up to {} under the old time would be {}{more}",
                count(moved.rows, "row"),
                span(seconds),
                count(moved.points, "point"),
                if config.destination.can_remove() {
                    "removed or overwritten"
                } else {
                    "left: this destination cannot remove them"
                }
            )?;
        }
        Ok(())
    })?;
    Ok(Exit::Well)
}
