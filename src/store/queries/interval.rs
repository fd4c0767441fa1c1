//! The usual interval of a table's rows: the usual time between two rows, in the only definition that the program uses.
//!
//! A logger's table has one interval, which its program sets and which the files do not state. So it is computed from
//! the rows: the median of the times between the newest rows of one series. A gap, a clock step or a few rows written
//! twice hardly change a median. A new interval of the program is followed as soon as the newest rows have it in a number
//! that is not a coincidence. Rows with equal times (tables whose series differ in their tags) are not compared.

use std::time::Duration;

use crate::store::{Result, Store};
use crate::time::{Timestamp, nanos};

/// The number of newest rows from which the interval is computed.
pub const ROWS: usize = 200;

/// The usual interval of rows at these times, in ascending or descending order: the median of the times between
/// neighbours, the longer one of two in the middle. Equal times are skipped. None if there are fewer than two different
/// times.
pub fn usual_interval(times: impl IntoIterator<Item = Timestamp>) -> Option<Duration> {
    let mut before = None;
    let mut distances: Vec<u64> = times
        .into_iter()
        .filter_map(|at| before.replace(at).map(|before: Timestamp| at.nanos_since(before).unsigned_abs()))
        .filter(|distance| *distance > 0)
        .collect();
    if distances.is_empty() {
        return None;
    }
    let middle = distances.len() / 2;
    Some(Duration::from_nanos(*distances.select_nth_unstable(middle).1))
}

/// The number of rows from which a usual interval is not a coincidence.
pub(in crate::store) const LEAST_ROWS: usize = 8;
/// An interval counts as the usual one if it differs by at most one part in this many.
const ALIKE: u32 = 10;

/// Whether rows come at a usual interval, so that a missing row can be detected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Regularity {
    /// At least three of four intervals are this long, within a tenth.
    Regular(Duration),
    /// Rows come at no usual interval: they are written on events, or by hand.
    Irregular,
    /// This number of rows is too small to decide.
    TooFewRows(usize),
}

impl Regularity {
    /// The usual interval, where there is one.
    pub fn interval(self) -> Option<Duration> {
        match self {
            Regularity::Regular(interval) => Some(interval),
            Regularity::Irregular | Regularity::TooFewRows(_) => None,
        }
    }
}

impl Default for Regularity {
    fn default() -> Regularity {
        Regularity::TooFewRows(0)
    }
}

/// Whether a time between two rows counts as this interval.
pub(in crate::store) fn is_alike(distance: Duration, interval: Duration) -> bool {
    distance.abs_diff(interval) <= interval / ALIKE
}

/// The interval of the newest rows, if the last ones came at equal distances in a number that is not a coincidence, and those
/// before them at an interval, too, or at the same one: events may come in step for a while. The times are given newest first.
fn of_newest(times: &[Timestamp]) -> Option<Duration> {
    let distances: Vec<i64> = times.windows(2).map(|pair| pair[0].nanos_since(pair[1])).collect();
    let own = *distances.first().filter(|distance| **distance > 0)?;
    let run = distances.iter().take_while(|distance| **distance == own).count();
    if run + 1 < LEAST_ROWS {
        return None;
    }
    let before = &times[run..];
    let has_own = || distances[run..].iter().filter(|distance| **distance == own).count() + 1 >= LEAST_ROWS;
    let is_of_a_program = !matches!(regularity(before.iter().copied()), Regularity::Irregular) || has_own();
    is_of_a_program.then(|| Duration::from_nanos(own.unsigned_abs()))
}

/// Nanoseconds from row to row beyond which a row may be missing between them: one and a half usual intervals.
pub fn longest_step(interval: Duration) -> i64 {
    nanos(interval).saturating_add(nanos(interval) / 2)
}

/// Whether rows at these times, in ascending or descending order, come at a usual interval.
pub fn regularity(times: impl Iterator<Item = Timestamp> + Clone) -> Regularity {
    let mut before = None;
    let distances = times.clone().filter_map(|at| {
        let distance = before.replace(at).map(|before: Timestamp| at.nanos_since(before).unsigned_abs());
        distance.filter(|distance| *distance > 0)
    });
    let distances: Vec<u64> = distances.collect();
    let Some(interval) = usual_interval(times).filter(|_| distances.len() + 1 >= LEAST_ROWS) else {
        return Regularity::TooFewRows(if distances.is_empty() { before.iter().len() } else { distances.len() + 1 });
    };
    let usual = distances.iter().filter(|distance| is_alike(Duration::from_nanos(**distance), interval)).count();
    if usual * 4 >= distances.len() * 3 { Regularity::Regular(interval) } else { Regularity::Irregular }
}

/// The interval at which each of these rows came, in order; None where it is not known.
///
/// It is the usual interval if there is one, and `before` if the rows are too few to decide. Consecutive rows with
/// equal times between them, in a number that is not a coincidence, came at that interval: a new interval of the
/// program is followed from its first rows on.
pub fn intervals(times: &[Timestamp], before: Option<Duration>) -> Vec<Option<Duration>> {
    let usual = match regularity(times.iter().copied()) {
        Regularity::Regular(interval) => Some(interval),
        Regularity::Irregular => None,
        Regularity::TooFewRows(_) => before,
    };
    let distances: Vec<i64> = times.windows(2).map(|pair| pair[1].nanos_since(pair[0])).collect();
    let mut found = Vec::with_capacity(times.len());
    for alike in distances.chunk_by(|one, next| one == next) {
        let own = u64::try_from(alike[0]).ok().filter(|distance| *distance > 0 && alike.len() + 1 >= LEAST_ROWS);
        let interval = own.map(Duration::from_nanos).or(usual);
        // The very first row has no row before it.
        let rows = alike.len() + usize::from(found.is_empty());
        found.extend(std::iter::repeat_n(interval, rows));
    }
    found.resize(times.len(), usual);
    found
}

impl Store {
    /// The usual interval of a series at a time, from its newest rows up to and including `at`. None if there are fewer
    /// than two.
    pub fn usual_interval_of_series(&self, series: i64, at: Timestamp) -> Result<Option<Duration>> {
        let times = self.newest_times(series, at, ROWS)?;
        Ok(of_newest(&times).or_else(|| usual_interval(times)))
    }

    /// The usual interval of a table now: that of the series with the newest row. None if no series of the table has
    /// two rows.
    pub fn usual_interval_of_table(&self, table: &str) -> Result<Option<Duration>> {
        let newest = self.newest_series(table)?;
        newest.map_or(Ok(None), |(newest, series)| self.usual_interval_of_series(series, newest))
    }

    /// The same where the rows do come regularly; None for a table of events.
    pub fn regular_interval_of_table(&self, table: &str) -> Result<Option<Duration>> {
        let Some((newest, series)) = self.newest_series(table)? else { return Ok(None) };
        let times = self.newest_times(series, newest, ROWS)?;
        // Half hours of long ago are judged by it, too: a few newest rows in step tell nothing of these.
        Ok(regularity(times.into_iter()).interval())
    }

    /// The series of the table with the newest row, and the time of that.
    fn newest_series(&self, table: &str) -> Result<Option<(Timestamp, i64)>> {
        Ok(self.series(table)?.iter().filter_map(|series| Some((series.newest?, series.id))).max())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(seconds: &[i64]) -> Option<u64> {
        let times = seconds.iter().map(|&second| Timestamp::from_millis(second * 1_000));
        usual_interval(times).map(|interval| interval.as_secs())
    }

    #[test]
    fn a_gap_a_set_clock_and_rows_at_one_time_do_not_move_the_usual_interval() {
        assert_eq!(of(&[0, 5, 10, 15, 9_000, 9_005]), Some(5));
        assert_eq!(of(&[9_005, 9_000, 15, 10, 5, 0]), Some(5));
        assert_eq!(of(&[0, 0, 60, 60, 120, 120]), Some(60));
        assert_eq!(of(&[0, 5, 10, 7, 12, 17]), Some(5));
    }

    #[test]
    fn each_row_has_the_interval_of_the_rows_around_it_also_where_the_program_changes() {
        let of = |seconds: &[i64], before: Option<u64>| -> Vec<Option<u64>> {
            let times: Vec<_> = seconds.iter().map(|&second| Timestamp::from_millis(second * 1_000)).collect();
            let found = intervals(&times, before.map(Duration::from_secs));
            found.iter().map(|interval| interval.map(|interval| interval.as_secs())).collect()
        };
        let fast: Vec<i64> = (0..40).filter(|at| ![5, 6, 20].contains(at)).map(|at| at * 60).collect();
        assert_eq!(of(&fast, None), vec![Some(60); 37]);
        let change: Vec<i64> = (0..20).map(|at| at * 60).chain((1..=20).map(|at| 1_140 + at * 1_800)).collect();
        assert_eq!(of(&change, None), [vec![Some(60); 20], vec![Some(1_800); 20]].concat());
        assert_eq!(of(&[0, 60, 120], None), [None; 3]);
        assert_eq!(of(&[0, 60, 120], Some(60)), [Some(60); 3]);
        assert_eq!(of(&[0, 7, 100, 130, 500, 502, 503, 900, 1_000, 4_000], Some(60)), [None; 10]);
        assert_eq!(of(&[], Some(60)), []);
        assert_eq!(of(&[5], Some(60)), [Some(60)]);
    }

    #[test]
    fn a_new_interval_of_the_program_is_followed_from_the_eighth_row_on() {
        let of = |slow: i64| {
            let times = (0..100).map(|at| at * 60).chain((1..=slow).map(|at| 5_940 + at * 900));
            let times: Vec<_> = times.rev().map(|second| Timestamp::from_millis(second * 1_000)).collect();
            of_newest(&times).map(|interval| interval.as_secs())
        };
        assert_eq!([of(0), of(1), of(6), of(7), of(8)], [Some(60), None, None, Some(900), Some(900)]);
    }

    #[test]
    fn events_that_come_in_step_for_a_while_are_no_new_interval() {
        let events = (1..60).map(|at: i64| at * 9_000 + at * at * 777 % 5_000);
        let burst = (1..=10).map(|at| 59 * 9_000 + 5_000 + at * 60);
        let times: Vec<_> = events.chain(burst).map(|second| Timestamp::from_millis(second * 1_000)).collect();
        let newest_first: Vec<_> = times.into_iter().rev().collect();
        assert_eq!(of_newest(&newest_first), None);
    }

    #[test]
    fn fewer_than_two_times_have_no_interval() {
        assert_eq!(of(&[]), None);
        assert_eq!(of(&[7]), None);
        assert_eq!(of(&[7, 7]), None);
    }
}
