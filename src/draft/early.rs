//! Rows from before the default of `valid_from`, which rejects what a clock wrote that was not set.
//!
//! A series of the nineties is no such clock: its rows go on from one to the next, and do not begin where clocks begin.

use super::sample::Sample;
use crate::time::{LocalTime, NANOS_PER_SECOND};

/// The default of `valid_from`.
const DEFAULT: &str = "2000-01-02 00:00:00";
/// The days at which a clock begins that was not set.
const BEGINS: [&str; 6] = ["1970-01-01", "1980-01-01", "1980-01-06", "1990-01-01", "1999-12-31", "2000-01-01"];
const DAY: i64 = 86_400 * NANOS_PER_SECOND;
/// A longer pause may be a clock that was set.
const LONGEST_PAUSE: i64 = 366 * DAY;
/// A clock is hardly ever left unset for longer.
const LONGEST_UNSET: i64 = 30 * DAY;

/// The `valid_from` that a table's rows need.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Early {
    /// The date, `YYYY-MM-DD`.
    pub(super) from: String,
    /// Whether the rows cannot be those of a clock that was not set.
    pub(super) is_sure: bool,
}

impl Early {
    /// None if no row is from before the default, or if the rows jump from then to now.
    pub(super) fn of(group: &[Sample]) -> Option<Early> {
        let mut times: Vec<LocalTime> = group.iter().flat_map(|sample| &sample.rows).map(|row| row.time).collect();
        times.sort_unstable();
        let (first, last) = (*times.first()?, *times.last()?);
        let goes_on = times.windows(2).all(|pair| pair[1].nanos_since(pair[0]) <= LONGEST_PAUSE);
        if first >= LocalTime::parse(DEFAULT.as_bytes())? || !goes_on {
            return None;
        }
        let date = |time: LocalTime| time.to_string().chars().take(10).collect::<String>();
        let is_sure = !BEGINS.contains(&date(first).as_str()) || last.nanos_since(first) > LONGEST_UNSET;
        // Where the stamps are in UTC, the date in station time may be that of the day before.
        let are_instants = group.iter().filter_map(|sample| sample.csv.as_ref()).any(|found| found.is_in_utc);
        let of_utc = if are_instants { DAY } else { 0 };
        let epoch = LocalTime::from_nanos(0);
        Some(Early { from: date(LocalTime::from_nanos(first.nanos_since(epoch) - of_utc)), is_sure })
    }

    /// What the user should look at.
    pub(super) fn note(&self) -> String {
        let from = &self.from;
        if self.is_sure {
            format!(
                "CHECK: its rows begin at {from}. Without valid_from, those before 2000-01-02 are rejected, because a clock that was not set \
                 writes such times; take it out if this clock was wrong."
            )
        } else {
            format!(
                "CHECK: its rows begin at {from}, as those of a clock do that was not set, and those before 2000-01-02 are rejected. If the \
                 times are true, remove the # before valid_from."
            )
        }
    }
}
