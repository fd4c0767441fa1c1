//! Missing records with what to do, and events of counters and clocks.

use serde::Serialize;

use super::Millis;
use crate::config::Config;
use crate::store::{GapLine, Store};
use crate::time::Timestamp;
use crate::view::serve::error::ApiError;

const MOST: usize = 1_000;

/// The gaps.
#[derive(Debug, Default, Serialize)]
pub struct Gaps {
    gaps: Vec<Gap>,
    events: Vec<Event>,
}

#[derive(Debug, Serialize)]
struct Gap {
    table: String,
    /// Record numbers.
    first_missing: i64,
    last_missing: i64,
    missing: i64,
    /// The row after the gap, and the one before it.
    after: Row,
    before: Option<Row>,
    recipe: [String; 2],
}

#[derive(Debug, Serialize)]
struct Row {
    record: Option<i64>,
    at: Millis,
}

#[derive(Debug, Serialize)]
struct Event {
    table: String,
    kind: String,
    at: Millis,
    #[serde(rename = "words")]
    text: String,
}

/// Lists them, the newest first.
pub(super) fn answer(config: &Config, store: Option<&Store>) -> Result<Gaps, ApiError> {
    let Some(store) = store else { return Ok(Gaps::default()) };
    let mut lines = store.gaps()?;
    lines.sort_by_key(|line| std::cmp::Reverse(line.gap.after.1));
    lines.truncate(MOST);
    let gaps = lines.into_iter().map(|line| gap(config, line)).collect();
    let mut events = store.clock_events()?;
    events.sort_by_key(|event| std::cmp::Reverse(event.after.1));
    events.truncate(MOST);
    let events = events
        .into_iter()
        .map(|event| {
            let what = if event.kind == "reset" { "RECORD started again" } else { "the clock stepped back" };
            let local = |at| station_time(config, &event.table, at);
            Event {
                at: Millis(event.after.1),
                text: format!(
                    "{what}: record {} at {}, then record {} at {} (nothing is missing by this)",
                    event.before.0,
                    local(event.before.1),
                    event.after.0,
                    local(event.after.1)
                ),
                kind: event.kind,
                table: event.table,
            }
        })
        .collect();
    Ok(Gaps { gaps, events })
}

fn station_time(config: &Config, table: &str, instant: Timestamp) -> String {
    config.table(table).map_or(config.station.clock, |table| table.clock).local(instant).to_string()
}

fn gap(config: &Config, line: GapLine) -> Gap {
    let GapLine { table, gap, row_before } = line;
    let before = gap.before.map(|(record, at)| Row { record: Some(record), at: Millis(at) });
    let before = before.or(row_before.map(|at| Row { record: None, at: Millis(at) }));
    let since =
        before.as_ref().map_or_else(|| "its beginning".to_owned(), |row| station_time(config, &table, row.at.0));
    Gap {
        first_missing: gap.after.0.saturating_sub(gap.missing),
        last_missing: gap.after.0.saturating_sub(1),
        missing: gap.missing,
        recipe: [
            format!(
                "LoggerNet: export table {table} from {since} to {} (station time) as TOA5, with the Data Filer or Custom Collection",
                station_time(config, &table, gap.after.1)
            ),
            format!("fluxtower ingest --table \"{table}\" FILE"),
        ],
        after: Row { record: Some(gap.after.0), at: Millis(gap.after.1) },
        before,
        table,
    }
}
