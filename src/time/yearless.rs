//! Stamps without a year, such as those of arrays with the day of the year and hhmm: when a year turns between two rows, how near
//! a file's newest row is to the time of the file, and what that says about the year of its first row.

use chrono::{NaiveDate, NaiveTime};

use super::{LocalTime, NANOS_PER_DAY};

/// A step further than this from one row to the next, in nanoseconds, is one into another year.
pub const HALF_A_YEAR: i64 = 183 * NANOS_PER_DAY;
/// How far the clocks of logger and computer may differ, and the days of a date in a leap year and in another one, in nanoseconds.
pub const NEAR_ITS_FILE: i64 = 3 * NANOS_PER_DAY;

/// The first instant of a year; None outside of the years that a time can have.
pub fn begin_of_year(year: i64) -> Option<LocalTime> {
    let year = i32::try_from(year).ok()?;
    let begin = NaiveDate::from_ymd_opt(year, 1, 1)?.and_time(NaiveTime::MIN);
    begin.and_utc().timestamp_nanos_opt().map(LocalTime::from_nanos)
}

/// The stamps of a file in the order of its rows: how far into the year the first and the last one are, in nanoseconds, and how
/// often the year turns between them.
#[derive(Debug, Clone, Copy)]
pub struct YearlessSpan {
    /// The first stamp.
    pub first: i64,
    /// The last stamp.
    pub last: i64,
    /// How many more years begin from row to row than are gone back over.
    pub turns: i64,
}

impl YearlessSpan {
    /// The span of a single row.
    pub fn at(into: i64) -> YearlessSpan {
        YearlessSpan { first: into, last: into, turns: 0 }
    }

    /// Goes on with the next row.
    #[inline]
    pub fn go_on(&mut self, into: i64) {
        let step = into - self.last;
        self.turns += i64::from(step < -HALF_A_YEAR) - i64::from(step > HALF_A_YEAR);
        self.last = into;
    }

    /// The first stamp, if it is of this year.
    pub fn first_in(&self, year: i64) -> Option<LocalTime> {
        Some(begin_of_year(year)?.plus(self.first))
    }

    /// How long before `changed` the last stamp is, if the first one is of this year.
    pub fn age_in(&self, year: i64, changed: LocalTime) -> Option<i64> {
        let last = begin_of_year(year + self.turns)?.plus(self.last);
        Some(changed.nanos_since(last))
    }

    /// The last year of the first stamp with which no stamp is behind `changed`.
    pub fn year_by(&self, changed: LocalTime) -> Option<i64> {
        let year = i64::from(changed.calendar().year) - self.turns;
        [year + 1, year, year - 1]
            .into_iter()
            .find(|year| self.age_in(*year, changed).is_some_and(|age| age >= -NEAR_ITS_FILE))
    }
}
