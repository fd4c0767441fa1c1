//! Verifies that rows that the store calls sent are in the bucket, by reading them back.
//!
//! A 204 says that the server accepted a request, not that the rows can be read
//! (docs/influx-answers.md#a-204-is-not-the-end). For each series, which is a measurement with a whole tag set, and for
//! each UTC day, the count and the sum of every value and every flag are compared. If they differ, the day is compared
//! hour by hour, and an hour that differs value by value (`compare`), so that a row is called missing, changed or
//! present by what the bucket has at its own time. What cannot be asked is unknown, never zero. [`is_there`] requires
//! more, because rows are deleted on the basis of its result.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use serde::Serialize;
use thiserror::Error;

use crate::config::Config;
use crate::destination::Destination;
use crate::line::LineShape;
use crate::store::{SeriesBacklog, Store, StoreError};
use crate::sync::{SyncError, look_for_left_series, shape};
use crate::time::{Interval, Timestamp, nanos};

mod compare;

use compare::{Account, Comparison, Names};

const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(86_400);

/// The errors that stop a verification.
#[derive(Debug, Error)]
pub enum VerifyError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The lines of a table cannot be rendered.
    #[error(transparent)]
    Sync(#[from] SyncError),
}

impl VerifyError {
    /// Whether a later attempt would fail too.
    pub fn is_permanent(&self) -> bool {
        match self {
            VerifyError::Store(error) => error.is_permanent(),
            VerifyError::Sync(error) => error.is_permanent(),
        }
    }
}

/// A window in which the bucket does not have what was sent.
#[derive(Debug, Clone, Serialize)]
pub struct Missing {
    /// The table.
    pub table: String,
    /// The values of its tag columns.
    pub tags: Vec<String>,
    /// The first instant of the window.
    pub from: String,
    /// The first instant after it.
    pub until: String,
    /// The field that differs in most rows.
    pub field: String,
    /// The number of its values that were sent.
    pub sent: u64,
    /// The number of these values that are in the bucket as they were sent.
    pub found: u64,
    /// The number of rows with a value that is not in the bucket.
    pub missing: u64,
    /// The number of rows for which the bucket has another value, or one that the row does not have.
    pub changed: u64,
}

/// The result of a verification.
#[derive(Debug, Clone, Default, Serialize)]
pub struct VerifyReport {
    /// The number of compared windows.
    pub windows: u64,
    /// The number of rows with a value that is not in the bucket.
    pub missing: u64,
    /// The number of rows that are in the bucket with other content.
    pub changed: u64,
    /// The number of rows put back to pending.
    pub requeued: u64,
    /// The number of windows that could not be compared.
    pub unknown: u64,
    /// The windows with missing or changed rows.
    pub list: Vec<Missing>,
    /// Why windows are unknown, and what was not asked for; each note once.
    pub notes: Vec<String>,
    /// Whether the destination refuses queries.
    #[serde(skip)]
    pub refused: bool,
}

/// The scope of a verification.
#[derive(Debug, Clone, Copy)]
pub struct Scope<'a> {
    /// The first instant.
    pub since: Timestamp,
    /// The last instant.
    pub until: Timestamp,
    /// Only this table.
    pub table: Option<&'a str>,
    /// Whether missing or changed rows are put back to pending.
    pub requeue: bool,
    /// This computer's time, used if a server does not state its own.
    pub now: Timestamp,
}

/// One series with what is needed to query it.
struct Asked<'a> {
    series: &'a SeriesBacklog,
    shape: LineShape,
    bucket: Option<&'a str>,
    /// [`LineShape::sent_names`].
    names: Vec<String>,
    /// [`LineShape::names_without_sum`].
    without_sum: BTreeSet<String>,
}

impl<'a> Asked<'a> {
    fn new(series: &'a SeriesBacklog, shape: LineShape, bucket: Option<&'a str>) -> Asked<'a> {
        let names = shape.sent_names().map(str::to_owned).collect();
        let without_sum = shape.names_without_sum().map(str::to_owned).collect();
        Asked { series, shape, bucket, names, without_sum }
    }
}

/// Compares store and bucket. The caller holds the sync lock when `requeue` is set. Rows that a bucket no longer keeps
/// are not compared.
pub fn run(
    config: &Config,
    store: &Store,
    destination: &mut dyn Destination,
    scope: Scope<'_>,
) -> Result<VerifyReport, VerifyError> {
    let mut report = VerifyReport::default();
    look_for_left_series(config, store, destination)?;
    let mut kept_from: HashMap<Option<String>, Option<Timestamp>> = HashMap::new();
    for series in store.sent_series(Interval::closed(scope.since, scope.until))? {
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
        let cutoff = *kept_from
            .entry(table.bucket.clone())
            .or_insert_with(|| destination.look(table.bucket.as_deref()).kept_from(scope.now.to_utc()));
        let since = scope.since.max(cutoff.unwrap_or(scope.since));
        let asked = Asked::new(&series, shape, table.bucket.as_deref());
        for interval in &series.intervals {
            if interval.from < since {
                report.say(format!(
                    "table \"{}\": rows before {} were not asked for, because their bucket no longer keeps them",
                    series.table,
                    config.station.clock.local(since)
                ));
            }
            for window in interval.overlap(Interval { from: since, ..*interval }).pieces(DAY) {
                verify_window(Comparison { store, asked: &asked, window }, destination, scope.requeue, &mut report)?;
                if report.refused {
                    return Ok(report);
                }
            }
        }
    }
    Ok(report)
}

/// Whether every row that was sent in the interval is in the bucket; None if that is unknown.
///
/// Rows may be deleted on the basis of this result, so equal counts are not enough: points of another program, or rows
/// that are pending again, could compensate for missing ones. The counts and sums of all values and flags of exactly
/// this series must agree, and then each row must be found at its own time with its own value in one of its fields. If
/// a count or a sum does not agree, for whatever reason, every value of every row must be found at its own time.
pub fn is_there(
    config: &Config,
    store: &Store,
    destination: &mut dyn Destination,
    series: &SeriesBacklog,
    window: Interval,
) -> Result<Option<bool>, VerifyError> {
    let Some(table) = config.table(&series.table) else { return Ok(None) };
    let Ok(shape) = shape(config, store, table, series)? else { return Ok(None) };
    let asked = Asked::new(series, shape, table.bucket.as_deref());
    let comparison = Comparison { store, asked: &asked, window };
    let expected = comparison.expected()?;
    let Ok(found) = comparison.found(destination) else { return Ok(None) };
    let names =
        if found.differing(&expected).is_empty() { Names::Some(comparison.cover(&expected)) } else { Names::All };
    Ok(match comparison.value_by_value(destination, &names, (&expected, &found))? {
        Ok(account) => Some(account.is_clean()),
        Err(_) => None,
    })
}

impl VerifyReport {
    fn say(&mut self, note: String) {
        if !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }
}

fn note(report: &mut VerifyReport, note: String) {
    report.unknown += 1;
    report.say(note);
}

fn verify_window(
    comparison: Comparison<'_>,
    destination: &mut dyn Destination,
    requeue: bool,
    report: &mut VerifyReport,
) -> Result<(), VerifyError> {
    let expected = comparison.expected()?;
    if expected.rows == 0 {
        return Ok(());
    }
    report.windows += 1;
    let found = match comparison.found(destination) {
        Ok(found) => found,
        Err(error) => {
            report.refused |= error.is_refusal();
            note(report, error.to_string());
            return Ok(());
        }
    };
    let differing = found.differing(&expected);
    if differing.is_empty() {
        return Ok(());
    }
    if comparison.window.nanos() > nanos(HOUR) {
        for window in comparison.window.pieces(HOUR) {
            // A window is a day or less, so the recursion has one level.
            verify_window(Comparison { window, ..comparison }, destination, requeue, report)?;
        }
        return Ok(());
    }
    match comparison.value_by_value(destination, &Names::Some(differing), (&expected, &found))? {
        Ok(account) => enter(comparison, &account, requeue, report),
        Err(error) => {
            report.refused |= error.is_refusal();
            note(report, error.to_string());
            Ok(())
        }
    }
}

fn enter(
    comparison: Comparison<'_>,
    account: &Account,
    requeue: bool,
    report: &mut VerifyReport,
) -> Result<(), VerifyError> {
    let (Some(worst), Some(interval)) = (account.worst(), account.interval()) else { return Ok(()) };
    let Comparison { store, asked, window } = comparison;
    report.missing += account.missing.len() as u64;
    report.changed += account.changed.len() as u64;
    if requeue {
        report.requeued += store.requeue_sent(asked.series.series, interval)?;
        // The points are marked after the rows became pending, because a marked point is removed before its row is
        // written.
        store.mark_stale(asked.series.series, account.surplus.iter().copied())?;
    }
    report.list.push(Missing {
        table: asked.series.table.clone(),
        tags: asked.series.tags.clone(),
        from: window.from.to_string(),
        until: window.until.to_string(),
        field: worst.name.clone(),
        sent: worst.sent,
        found: worst.found,
        missing: account.missing.len() as u64,
        changed: account.changed.len() as u64,
    });
    Ok(())
}
