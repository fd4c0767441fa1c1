//! Stamps without a year, such as those of arrays with the day of the year and hhmm: when a year turns between two rows, and how
//! near a file's newest row is to the time of the file.

use super::NANOS_PER_SECOND;

const DAY: i64 = 86_400 * NANOS_PER_SECOND;
/// A step further than this from one row to the next, in nanoseconds, is one into another year.
pub const HALF_A_YEAR: i64 = 183 * DAY;
/// How far the clocks of logger and computer may differ, and the days of a date in a leap year and in another one, in nanoseconds.
pub const NEAR_ITS_FILE: i64 = 3 * DAY;

/// How many years begin with a step from one row to the next, in nanoseconds within the year: 1 over New Year, -1 back over it.
pub fn turns_of_year(step: i64) -> i64 {
    i64::from(step < -HALF_A_YEAR) - i64::from(step > HALF_A_YEAR)
}
