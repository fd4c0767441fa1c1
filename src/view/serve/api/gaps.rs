//! Missing records and time steps with what to do, where RECORD does not count, and events of counters and clocks.

use serde::Serialize;

use super::Millis;
use crate::config::Config;
use crate::status::records;
use crate::store::{GapLine, MissingSteps, Store, Uncounted};
use crate::time::Timestamp;
use crate::view::serve::error::ApiError;

const MOST: usize = 1_000;
/// The number of newest rows that the page examines in each table without a RECORD that counts.
const ROWS_LOOKED_AT: usize = 200_000;

/// The gaps.
#[derive(Debug, Default, Serialize)]
pub struct Gaps {
    gaps: Vec<Gap>,
    steps: Vec<Step>,
    unknown: Vec<Unknown>,
    events: Vec<Event>,
}

#[derive(Debug, Serialize)]
struct Gap {
    table: String,
    /// The record numbers that are missing.
    first_missing: i64,
    last_missing: i64,
    missing: i64,
    /// The row after the gap; `before` is the one before it.
    after: Row,
    before: Option<Row>,
    recipe: [String; 2],
}

/// Missing time steps of a table without a RECORD that counts.
#[derive(Debug, Serialize)]
struct Step {
    /// The table with the values of its tag columns.
    series: String,
    table: String,
    missing: u64,
    before: Millis,
    after: Millis,
    recipe: [String; 2],
}

/// A table for which it is unknown which records are missing.
#[derive(Debug, Serialize)]
struct Unknown {
    series: String,
    from: Millis,
    to: Millis,
    message: String,
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
    let uncounted = store.uncounted(Timestamp::EPOCH, ROWS_LOOKED_AT)?;
    let mut steps: Vec<(&Uncounted, &MissingSteps)> =
        uncounted.iter().flat_map(|line| line.steps.iter().map(move |step| (line, step))).collect();
    steps.sort_by_key(|(_, step)| std::cmp::Reverse(step.after));
    steps.truncate(MOST);
    let steps = steps.into_iter().map(|(line, found)| step(config, line, found)).collect();
    let unknown =
        uncounted.iter().filter(|line| !records::is_around_a_place(line.why)).take(MOST).map(|line| Unknown {
            series: records::series_name(line),
            from: Millis(line.from),
            to: Millis(line.to),
            message: records::unknown(config, line),
        });
    let mut events = store.clock_events()?;
    events.sort_by_key(|event| std::cmp::Reverse(event.after.1));
    events.truncate(MOST);
    let events = events.into_iter().map(|event| Event {
        at: Millis(event.after.1),
        text: records::event(config, &event, &uncounted),
        kind: event.kind,
        table: event.table,
    });
    Ok(Gaps { gaps, steps, unknown: unknown.collect(), events: events.collect() })
}

fn recipe(config: &Config, table: &str, from: Option<Timestamp>, to: Timestamp) -> [String; 2] {
    let export = records::export_of(config, table, from, to);
    [format!("LoggerNet: {export}, with the Data Filer or Custom Collection"), records::ingest_of(table)]
}

fn step(config: &Config, line: &Uncounted, step: &MissingSteps) -> Step {
    Step {
        series: records::series_name(line),
        table: line.table.clone(),
        missing: step.missing,
        before: Millis(step.before),
        after: Millis(step.after),
        recipe: recipe(config, &line.table, Some(step.before), step.after),
    }
}

fn gap(config: &Config, line: GapLine) -> Gap {
    let GapLine { table, gap, row_before } = line;
    let before = gap.before.map(|(record, at)| Row { record: Some(record), at: Millis(at) });
    let before = before.or(row_before.map(|at| Row { record: None, at: Millis(at) }));
    Gap {
        first_missing: gap.after.0.saturating_sub(gap.missing),
        last_missing: gap.after.0.saturating_sub(1),
        missing: gap.missing,
        recipe: recipe(config, &table, before.as_ref().map(|row| row.at.0), gap.after.1),
        after: Row { record: Some(gap.after.0), at: Millis(gap.after.1) },
        before,
        table,
    }
}
