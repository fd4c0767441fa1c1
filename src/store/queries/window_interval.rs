//! The interval at which the rows of one window came, from which it follows how many were expected in it.
//!
//! Guarantees: where the rows of a window tell their interval themselves, nothing else is read. Where they are too few, they came
//! at the interval of the rows before them, unless their own steps contradict it. Then the program of the logger may have
//! changed its interval, or rows are missing: rows in a number that is no coincidence ([`LEAST_ROWS`]), of which the window's
//! are some, tell which, those behind the window included. As long as these have not come, the result says that they may
//! change it, and a window that would be whole at its own steps has no known interval.

use std::time::Duration;

use rusqlite::params;

use super::interval::{LEAST_ROWS, ROWS, is_alike, regularity};
use crate::store::intake::tables::i64_of;
use crate::store::schema::key;
use crate::store::{Result, Store};
use crate::time::{Timestamp, Windows};

/// The rows behind a window that are read: with its last row they are enough to tell an interval.
const ROWS_BEHIND: usize = LEAST_ROWS - 1;

/// What is known of the interval of a window's rows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct WindowInterval {
    /// None where the rows come at no interval, or are too few to tell.
    pub interval: Option<Duration>,
    /// The rows contradict the interval of those before them, and it is not decided yet which one holds.
    pub is_contested: bool,
    /// Rows that are yet to come may show another one.
    pub may_change: bool,
}

impl WindowInterval {
    /// Whatever comes later.
    fn known(interval: Duration) -> WindowInterval {
        WindowInterval { interval: Some(interval), ..WindowInterval::default() }
    }
}

impl Store {
    /// At which interval the rows of a window come. `times` are those of its rows; where they are not at hand, its newest rows are
    /// read.
    pub fn interval_of_window(
        &self,
        series: i64,
        (windows, end): (Windows, Timestamp),
        times: &[Timestamp],
    ) -> Result<WindowInterval> {
        if let Some(own) = regularity(times.iter().copied()).interval() {
            return Ok(WindowInterval::known(own));
        }
        // Too few rows, or too many that are missing.
        let mut around = self.newest_times(series, end, ROWS)?;
        let before = regularity(around.iter().copied()).interval();
        around.reverse();
        let first = around.partition_point(|at| *at <= windows.begin(end));
        if before.is_some_and(|before| steps_from(&around, first).all(|step| is_alike(step, before))) {
            return Ok(WindowInterval { interval: before, ..WindowInterval::default() });
        }
        let last = around.len();
        let even = even_interval(windows, end, &around[first..]);
        // So many rows need none behind them, and a late row makes only few windows again.
        let looks_ahead = last - first < LEAST_ROWS;
        if looks_ahead {
            around.extend(self.times_behind(series, end, ROWS_BEHIND)?);
        }
        let may_change = looks_ahead && around.len() - last < ROWS_BEHIND;
        let runs = runs(&around);
        if let Some(own) = only(runs.iter().filter(|run| run.has_step_in(first, last))) {
            return Ok(WindowInterval::known(own));
        }
        let beside = || only(runs.iter().filter(|run| run.has_row_in(first, last)));
        Ok(match (before, even) {
            (Some(_), Some(_)) if may_change => WindowInterval { interval: None, is_contested: true, may_change },
            (None, Some(_)) => WindowInterval { interval: even, is_contested: false, may_change },
            (before, _) => WindowInterval { interval: beside().or(before), is_contested: false, may_change },
        })
    }

    /// The times of the first rows of a series behind an instant.
    fn times_behind(&self, series: i64, after: Timestamp, rows: usize) -> Result<Vec<Timestamp>> {
        // A row within the microsecond of the instant is in the window that ends there.
        let (low, high) = key::keys(series, after, Timestamp::MAX);
        let work = || -> rusqlite::Result<Vec<Timestamp>> {
            self.conn
                .prepare_cached("SELECT id, nanos FROM reading WHERE id BETWEEN ?1 AND ?2 ORDER BY id LIMIT ?3")?
                .query_map(params![low, high, i64_of(rows + 1)], |row| Ok(key::time(row.get(0)?, row.get(1)?)))?
                .collect()
        };
        let found = work().map_err(|source| self.at(source))?;
        Ok(found.into_iter().filter(|at| *at > after).take(rows).collect())
    }
}

/// The steps to the rows from this one on; the very first row has none.
fn steps_from(times: &[Timestamp], first: usize) -> impl Iterator<Item = Duration> {
    times[first.saturating_sub(1)..].windows(2).map(|pair| step(pair[0], pair[1]))
}

fn step(from: Timestamp, to: Timestamp) -> Duration {
    Duration::from_nanos(to.nanos_since(from).unsigned_abs())
}

/// Rows that follow each other at equal steps, in a number that is no coincidence.
#[derive(Debug, Clone, Copy)]
struct Run {
    interval: Duration,
    /// The first and the last of the rows.
    rows: (usize, usize),
}

impl Run {
    /// Whether one of its steps leads to a row of these.
    fn has_step_in(&self, first: usize, last: usize) -> bool {
        self.rows.0 + 1 < last && self.rows.1 >= first
    }

    fn has_row_in(&self, first: usize, last: usize) -> bool {
        self.rows.0 < last && self.rows.1 >= first
    }
}

fn runs(times: &[Timestamp]) -> Vec<Run> {
    let steps: Vec<Duration> = times.windows(2).map(|pair| step(pair[0], pair[1])).collect();
    let mut first = 0;
    let mut found = Vec::new();
    for alike in steps.chunk_by(|one, next| one == next) {
        let rows = (first, first + alike.len());
        if alike.len() + 1 >= LEAST_ROWS && !alike[0].is_zero() {
            found.push(Run { interval: alike[0], rows });
        }
        first = rows.1;
    }
    found
}

/// The interval of these runs, if they all have one.
fn only<'r>(mut runs: impl Iterator<Item = &'r Run>) -> Option<Duration> {
    let interval = runs.next()?.interval;
    runs.all(|run| run.interval == interval).then_some(interval)
}

/// The interval of rows that divide their window evenly, up to its end, as the first half hour of a station does. One row says
/// nothing: it may stand for a longer time than the window.
fn even_interval(windows: Windows, end: Timestamp, times: &[Timestamp]) -> Option<Duration> {
    let rows = i64::try_from(times.len()).ok().filter(|rows| *rows >= 2)?;
    let interval = windows.every() / rows;
    let begin = windows.begin(end);
    let is_even = |(at, number): (&Timestamp, i64)| at.nanos_since(begin) == interval * number;
    let is_divided = interval * rows == windows.every() && times.iter().zip(1..).all(is_even);
    is_divided.then(|| Duration::from_nanos(interval.unsigned_abs()))
}
