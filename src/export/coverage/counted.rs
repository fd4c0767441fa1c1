//! Computes half hours from values that were counted before, in pieces of time that divide a half hour.
//!
//! A piece has the rows that are stamped from its beginning to before its end, so a row exactly at the end of a half
//! hour is counted in the next one. This is acceptable because tables that are counted in this way have fifty or more
//! rows in a half hour.

use std::time::Duration;

use super::half_hours::HalfHours;
use super::{Share, offset, together};
use crate::config::TableConfig;
use crate::store::SeriesLine;
use crate::time::Timestamp;

/// The state while the pieces of a series are added.
pub struct Counted(HalfHours);

impl Counted {
    /// For this number of columns, and the half hours that begin from `since` to before `until`.
    pub fn new(
        table: &TableConfig,
        series: &SeriesLine,
        columns: usize,
        (since, until): (Timestamp, Timestamp),
    ) -> Counted {
        let mut half_hours = HalfHours::new(columns, offset(table, since), series.pruned);
        half_hours.set_span(since, false, until);
        Counted(half_hours)
    }

    /// Adds a piece that begins at `begin`, later than every earlier one. `interval` is the interval of its rows;
    /// `counts` has, for each column, the number of values and the number of those that did not fail.
    pub fn add(&mut self, begin: Timestamp, interval: Option<Duration>, counts: &[(u32, u32)]) {
        self.0.take_counts(begin, interval, counts);
    }

    /// The share of each column.
    pub fn finish(self) -> Vec<Share> {
        self.0.finish().iter().map(|years| together(years)).collect()
    }
}
