//! Consecutive windows of station time of one length, such as half hours.
//!
//! A window is identified by its END, and contains the instants after the end of the previous window up to its own,
//! because a logger stamps the mean over an interval with its end. Windows end at full multiples of their length in
//! standard time, so that the changes to and from daylight-saving time move no window.

use std::time::Duration;

use super::{NANOS_PER_SECOND, StationClock, Timestamp, nanos};

/// The day whose standard offset is used: if a zone's standard time changed over the years, the windows do not change.
const SOME_DAY: Timestamp = Timestamp::from_nanos(1_700_000_000 * NANOS_PER_SECOND);

/// Windows of one length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Windows {
    every: i64,
    phase: i64,
}

impl Windows {
    /// Windows of this length in the standard time of the clock. The length must not be zero.
    pub fn new(every: Duration, clock: &StationClock) -> Windows {
        let offset = i64::from(clock.standard_offset(SOME_DAY).local_minus_utc()) * NANOS_PER_SECOND;
        Windows::from_parts(nanos(every), -offset)
    }

    /// Windows that end at multiples of `every` nanoseconds since 1970 in UTC.
    pub const fn of_utc(every: i64) -> Windows {
        Windows { every, phase: 0 }
    }

    /// Windows that end at multiples of `every` since 1970 in UTC, and `phase` nanoseconds later.
    pub fn from_parts(every: i64, phase: i64) -> Windows {
        let every = every.max(1);
        Windows { every, phase: phase.rem_euclid(every) }
    }

    /// The length in nanoseconds.
    pub fn every(self) -> i64 {
        self.every
    }

    /// By how much a window ends later than a multiple of the length since 1970 in UTC.
    pub fn phase(self) -> i64 {
        self.phase
    }

    /// The end of the window that contains an instant.
    pub fn end_of(self, at: Timestamp) -> Timestamp {
        let past = at.minus(self.phase).nanos().rem_euclid(self.every);
        if past == 0 { at } else { at.plus(self.every - past) }
    }

    /// The end of the previous window, which does not belong to this one.
    pub fn begin(self, end: Timestamp) -> Timestamp {
        end.minus(self.every)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::parse_instant;
    use chrono::FixedOffset;

    #[test]
    fn a_window_ends_on_full_half_hours_of_station_time_and_has_its_end() {
        let kathmandu = StationClock::Fixed(FixedOffset::east_opt(5 * 3_600 + 45 * 60).unwrap());
        let windows = Windows::new(Duration::from_secs(1_800), &kathmandu);
        for (at, end) in [
            ("2026-06-01 00:00:01", "2026-06-01 00:30:00"),
            ("2026-06-01 00:30:00", "2026-06-01 00:30:00"),
            ("2026-06-01 00:30:00.1", "2026-06-01 01:00:00"),
        ] {
            let at = parse_instant(at, &kathmandu).unwrap();
            assert_eq!(windows.end_of(at), parse_instant(end, &kathmandu).unwrap());
            assert_eq!(windows.end_of(windows.begin(windows.end_of(at)).next()), windows.end_of(at));
        }
    }

    #[test]
    fn summer_time_moves_no_window() {
        let zone = StationClock::Zone(chrono_tz::Australia::Lord_Howe);
        let windows = Windows::new(Duration::from_secs(3_600), &zone);
        let winter = windows.end_of(Timestamp::from_nanos(1_750_000_000 * NANOS_PER_SECOND));
        let summer = windows.end_of(Timestamp::from_nanos(1_735_000_000 * NANOS_PER_SECOND));
        assert_eq!(winter.nanos_since(summer) % windows.every(), 0);
    }
}
