//! Proof: what the store calls sent is counted back out of the bucket.
//!
//! A 204 says that the server took a request, not that the rows can be seen (facts: influx-write-contract 2.2 and 5). Per
//! series and UTC day the values of every field are counted on both sides; where the bucket has fewer, the day is looked at
//! hour by hour, so that only what is missing is sent again. What cannot be asked is unknown, never zero.

use serde::Serialize;
use thiserror::Error;

use crate::config::Config;
use crate::destination::{CountAsk, Destination, QueryError};
use crate::line::LineShape;
use crate::store::{SeriesBacklog, Store, StoreError};
use crate::sync::{SyncError, shape};
use crate::time::Timestamp;

const HOUR: i64 = 3_600 * 1_000_000_000;
const DAY: i64 = 24 * HOUR;

/// What stops a verification.
#[derive(Debug, Error)]
pub enum VerifyError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The lines of a table cannot be spelled.
    #[error(transparent)]
    Sync(#[from] SyncError),
}

impl VerifyError {
    /// Whether trying again later cannot help.
    pub fn is_permanent(&self) -> bool {
        match self {
            VerifyError::Store(error) => error.is_permanent(),
            VerifyError::Sync(error) => error.is_permanent(),
        }
    }
}

/// A window in which the bucket has fewer values than were sent.
#[derive(Debug, Clone, Serialize)]
pub struct Missing {
    /// The table.
    pub table: String,
    /// Values of its tag columns.
    pub tags: Vec<String>,
    /// First instant of the window.
    pub from: String,
    /// First instant after it.
    pub until: String,
    /// The field that lacks most.
    pub field: String,
    /// Values of it that were sent.
    pub sent: u64,
    /// Values of it that are in the bucket.
    pub found: u64,
}

/// What a verification found.
#[derive(Debug, Clone, Default, Serialize)]
pub struct VerifyReport {
    /// Windows compared.
    pub windows: u64,
    /// Rows missing, at least.
    pub missing: u64,
    /// Rows put back to pending.
    pub requeued: u64,
    /// Windows that could not be compared.
    pub unknown: u64,
    /// Where rows are missing.
    pub list: Vec<Missing>,
    /// Why windows are unknown; each reason once.
    pub notes: Vec<String>,
    /// Whether the destination refuses to be asked.
    #[serde(skip)]
    pub refused: bool,
}

/// What is to be verified.
#[derive(Debug, Clone, Copy)]
pub struct Scope<'a> {
    /// First instant.
    pub since: Timestamp,
    /// Last instant.
    pub until: Timestamp,
    /// Only this table.
    pub table: Option<&'a str>,
    /// Put what is missing back to pending.
    pub requeue: bool,
}

/// One series and how to ask for it.
struct Asked<'a> {
    series: &'a SeriesBacklog,
    shape: LineShape,
    fields: Vec<String>,
    bucket: Option<&'a str>,
}

/// Compares store and bucket. The caller holds the sync lock when `requeue` is set.
pub fn run(
    config: &Config,
    store: &Store,
    destination: &mut dyn Destination,
    scope: Scope<'_>,
) -> Result<VerifyReport, VerifyError> {
    let mut report = VerifyReport::default();
    for series in store.sent_series((scope.since, scope.until))? {
        if scope.table.is_some_and(|table| table != series.table) {
            continue;
        }
        let Some(table) = config.table(&series.table) else {
            note(&mut report, format!("table \"{}\" is no longer in the configuration", series.table));
            continue;
        };
        let shape = match shape(config, store, table, &series)? {
            Ok(shape) => shape,
            Err(error) => {
                note(&mut report, format!("table \"{}\": {error}", series.table));
                continue;
            }
        };
        let fields = shape.field_names().map(str::to_owned).collect();
        let asked = Asked { series: &series, shape, fields, bucket: table.bucket.as_deref() };
        for &(first, last) in &series.intervals {
            let mut from = first.0.max(scope.since.0);
            while from <= last.0 {
                let until = (from.div_euclid(DAY) + 1) * DAY;
                let until = until.min(last.0 + 1);
                verify_window(store, destination, &asked, (from, until), scope.requeue, &mut report)?;
                if report.refused {
                    return Ok(report);
                }
                from = until;
            }
        }
    }
    Ok(report)
}

/// Whether every row sent in the closed interval is in the bucket; none where it cannot be told.
pub fn is_there(
    config: &Config,
    store: &Store,
    destination: &mut dyn Destination,
    series: &SeriesBacklog,
    (from, to): (Timestamp, Timestamp),
) -> Result<Option<bool>, VerifyError> {
    let Some(table) = config.table(&series.table) else { return Ok(None) };
    let Ok(shape) = shape(config, store, table, series)? else { return Ok(None) };
    let fields = shape.field_names().map(str::to_owned).collect();
    let asked = Asked { series, shape, fields, bucket: table.bucket.as_deref() };
    let mut report = VerifyReport::default();
    verify_window(store, destination, &asked, (from.0, to.0 + 1), false, &mut report)?;
    Ok(if report.unknown > 0 { None } else { Some(report.missing == 0) })
}

fn note(report: &mut VerifyReport, note: String) {
    report.unknown += 1;
    if !report.notes.contains(&note) {
        report.notes.push(note);
    }
}

fn verify_window(
    store: &Store,
    destination: &mut dyn Destination,
    asked: &Asked<'_>,
    window: (i64, i64),
    requeue: bool,
    report: &mut VerifyReport,
) -> Result<(), VerifyError> {
    let expected = expected(store, asked, window)?;
    if expected.iter().all(|&count| count == 0) {
        return Ok(());
    }
    report.windows += 1;
    let Some(lack) = compare(destination, asked, window, &expected, report) else { return Ok(()) };
    let (from, until) = window;
    if until - from <= HOUR {
        return settle(store, asked, window, lack, requeue, report);
    }
    let before = report.list.len();
    let mut start = from;
    while start < until {
        let end = ((start.div_euclid(HOUR) + 1) * HOUR).min(until);
        let expected = self::expected(store, asked, (start, end))?;
        if expected.iter().any(|&count| count > 0)
            && let Some(lack) = compare(destination, asked, (start, end), &expected, report)
        {
            settle(store, asked, (start, end), lack, requeue, report)?;
        }
        start = end;
    }
    if report.list.len() == before && report.unknown == 0 {
        // The day lacks something that no hour lacks: the server changed its mind while it was asked.
        note(report, "the counts of a day and of its hours do not agree; verify again".to_owned());
    }
    Ok(())
}

/// What lacks most: field, sent, found.
type Lack = (String, u64, u64);

fn settle(
    store: &Store,
    asked: &Asked<'_>,
    (from, until): (i64, i64),
    (field, sent, found): Lack,
    requeue: bool,
    report: &mut VerifyReport,
) -> Result<(), VerifyError> {
    report.missing += sent - found;
    if requeue {
        report.requeued += store.requeue_sent(asked.series.series, (Timestamp(from), Timestamp(until - 1)))?;
    }
    report.list.push(Missing {
        table: asked.series.table.clone(),
        tags: asked.series.tags.clone(),
        from: Timestamp(from).to_string(),
        until: Timestamp(until).to_string(),
        field,
        sent,
        found,
    });
    Ok(())
}

/// Values per field that were sent in the window.
fn expected(store: &Store, asked: &Asked<'_>, (from, until): (i64, i64)) -> Result<Vec<u64>, VerifyError> {
    let mut counts = vec![0; asked.fields.len()];
    store.sent_rows(asked.series.series, (Timestamp(from), Timestamp(until - 1)), |row| {
        // A key's microsecond may reach a little over the window's edge.
        if (from..until).contains(&row.ts.0) {
            asked.shape.count_values(row.values, row.flags, &mut counts);
        }
    })?;
    Ok(counts)
}

fn compare(
    destination: &mut dyn Destination,
    asked: &Asked<'_>,
    (from, until): (i64, i64),
    expected: &[u64],
    report: &mut VerifyReport,
) -> Option<Lack> {
    let mut counted: Vec<u64> = Vec::new();
    let mut fields = asked.fields.as_slice();
    for (measurement, count) in asked.shape.measurements() {
        let (part, rest) = fields.split_at(count.min(fields.len()));
        fields = rest;
        let answer = destination.count(&CountAsk {
            bucket: asked.bucket,
            measurement,
            tags: asked.shape.tags(),
            fields: part,
            from: Timestamp(from),
            until: Timestamp(until),
        });
        match answer {
            Ok(answer) => {
                counted.extend(part.iter().map(|field| answer.per_field.get(field).copied().unwrap_or(0)));
            }
            Err(error) => {
                report.refused |= matches!(error, QueryError::Refused { .. });
                note(report, error.to_string());
                return None;
            }
        }
    }
    asked
        .fields
        .iter()
        .zip(expected)
        .zip(counted)
        .map(|((field, &sent), found)| (field.clone(), sent, found))
        .filter(|(_, sent, found)| found < sent)
        .max_by_key(|(_, sent, found)| sent - found)
}
