//! Half hours of values that were counted already, in pieces of time that divide a half hour.
//!
//! A piece holds the rows that are stamped from its begin to before its end, so that a row at the very end of a half hour is
//! counted in the next one. A table whose rows are counted so has fifty or more in a half hour.

use std::time::Duration;

use super::half_hours::HalfHours;
use super::{Share, offset, together};
use crate::config::TableConfig;
use crate::store::SeriesLine;
use crate::time::Timestamp;

/// The half hours of a series under way.
pub struct Counted(HalfHours);

impl Counted {
    /// For so many columns, and the half hours that begin from `since` to before `until`.
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

    /// Adds a piece that begins then and is later than those before: at which interval its rows came, and of each column how
    /// many values are there and how many of these did not fail.
    pub fn add(&mut self, begin: Timestamp, interval: Option<Duration>, counts: &[(u32, u32)]) {
        self.0.take_counts(begin, interval, counts);
    }

    /// Of each column.
    pub fn finish(self) -> Vec<Share> {
        self.0.finish().iter().map(|years| together(years)).collect()
    }
}
