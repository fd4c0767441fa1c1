//! Counts how many half hours of each column of a series are present and good, by the rule of `export --coverage`.
//!
//! The half hours from the first row to the newest one are counted, or to the present time if rows no longer arrive.
//! The current half hour is not counted. Tables with many rows in a half hour are counted by their summaries, so that a
//! year of 10 Hz need not be read.

use std::time::Duration;

use serde::Serialize;

use super::Millis;
use crate::config::{Config, TableConfig};
use crate::export::{Counted, RULE, Share, coverage_of_series, half_hour_of, is_reported};
use crate::store::{SeriesLine, Store, slot_of, slot_start};
use crate::time::{NANOS_PER_SECOND, Timestamp, nanos};
use crate::view::serve::error::ApiError;
use crate::view::serve::readers::Database;
use crate::view::summary::Counting;

/// A table is still running if its newest row is younger than this, or than three of its intervals.
const QUIET: Duration = Duration::from_secs(900);
/// Lengths of pieces in milliseconds, the longest first: the first one is used that divides the offset of standard time
/// from UTC.
const PIECES: [i64; 4] = [1_800_000, 900_000, 300_000, 60_000];

/// A request for the half hours of a series.
#[derive(Debug, Clone)]
pub struct CoverageRequest {
    /// The table's name in the configuration.
    pub table: String,
    /// First instant.
    pub from: Timestamp,
    /// Last instant.
    pub to: Timestamp,
    /// Name and value of every tag column; empty where the table has none.
    pub tags: Vec<(String, String)>,
}

/// The half hours of a series.
#[derive(Debug, Serialize)]
pub struct HalfHours {
    table: String,
    /// The rule by which a half hour counts.
    rule: &'static str,
    /// The beginning of the first and the end of the last counted half hour; null if there is none.
    from: Option<Millis>,
    to: Option<Millis>,
    half_hours: u64,
    columns: Vec<Column>,
}

#[derive(Debug, Serialize)]
struct Column {
    name: String,
    present: u64,
    good: u64,
    /// Half hours for which one of the two is not known.
    unknown: u64,
}

pub(super) fn answer(
    config: &Config,
    database: &Database,
    request: &CoverageRequest,
    now: Timestamp,
) -> Result<HalfHours, ApiError> {
    let Database { store, summaries, .. } = database;
    let mut found = HalfHours {
        table: request.table.clone(),
        rule: RULE,
        from: None,
        to: None,
        half_hours: 0,
        columns: Vec::new(),
    };
    let Some(series) = summaries.series(store, &request.table, &request.tags)? else { return Ok(found) };
    let Some(table) = config.table(&request.table) else { return Ok(found) };
    let Some(span) = span(store, table, &series, request, now)? else { return Ok(found) };
    (found.from, found.to) = (Some(Millis(span.0)), Some(Millis(span.1)));
    let offset = i64::from(table.station_clock.standard_offset(span.0).local_minus_utc()) * 1_000;
    let names = store.column_names(&request.table)?;
    let mut counted = Counted::new(table, &series, names.len(), span);
    let mut usual = Usual { store, series: series.id, known: None };
    let is_counted = match PIECES.iter().copied().find(|width| offset % width == 0) {
        None => false,
        Some(width) => {
            let counting = Counting { table: &request.table, series: &series, span, width };
            summaries.counts::<ApiError>(store, counting, |begin, counts| {
                counted.add(begin, usual.at(begin)?, counts);
                Ok(())
            })?
        }
    };
    let shares: Vec<(String, Share)> = if is_counted {
        names.into_iter().zip(counted.finish()).filter(|(name, _)| is_reported(table, name)).collect()
    } else {
        coverage_of_series(store, table, &series, span)?
    };
    found.half_hours = shares.first().map_or(0, |(_, share)| share.half_hours);
    found.columns = shares
        .into_iter()
        .map(|(name, share)| Column { name, present: share.present, good: share.good, unknown: share.unknown })
        .collect();
    Ok(found)
}

/// The half hours to be counted: from the beginning of the first to the end of the last one.
fn span(
    store: &Store,
    table: &TableConfig,
    series: &SeriesLine,
    request: &CoverageRequest,
    now: Timestamp,
) -> Result<Option<(Timestamp, Timestamp)>, ApiError> {
    let first = store.first_row(series.id, Timestamp::EPOCH)?;
    let Some((first, newest)) = first.zip(series.newest) else { return Ok(None) };
    let interval = store.usual_interval_of_series(series.id, newest)?.unwrap_or_default();
    let goes_on = now.nanos_since(newest) <= nanos(QUIET.max(interval * 3));
    // A row is stamped with the end of the time that it covers.
    let since = request.from.max(half_hour_of(table, first.previous()));
    let until = half_hour_of(table, request.to.min(if goes_on { newest } else { now }));
    // The first half hour that does not begin before `since`.
    let begin = half_hour_of(table, since);
    let begin = if begin < since { begin.plus(1_800 * NANOS_PER_SECOND) } else { begin };
    Ok((begin < until).then_some((begin, until)))
}

/// The usual interval of a series at a time, computed once for each slot of summaries.
struct Usual<'a> {
    store: &'a Store,
    series: i64,
    known: Option<(i64, Option<Duration>)>,
}

impl Usual<'_> {
    fn at(&mut self, begin: Timestamp) -> Result<Option<Duration>, ApiError> {
        let slot = slot_of(begin);
        if let Some((known, interval)) = self.known
            && known == slot
        {
            return Ok(interval);
        }
        let interval = self.store.usual_interval_of_series(self.series, slot_start(slot + 1))?;
        self.known = Some((slot, interval));
        Ok(interval)
    }
}
