//! An instant in UTC. Its unit is hidden from calculations.
//!
//! Loggers write up to nine fraction digits, so the instant is kept in whole nanoseconds. Calculations use methods that
//! say what is meant ([`Timestamp::before`], [`Timestamp::nanos_since`], [`Timestamp::next`]); the bare number is only
//! for storing and sending. All arithmetic saturates at the ends of the range.

use std::fmt;
use std::time::Duration;

use serde::{Serialize, Serializer};

use chrono::{DateTime, Utc};

/// Nanoseconds of a microsecond, the unit of a row's key in the store.
pub const NANOS_PER_MICRO: i64 = 1_000;
/// Nanoseconds of a millisecond, the unit of the page.
pub const NANOS_PER_MILLI: i64 = 1_000_000;
/// Nanoseconds of a second.
pub const NANOS_PER_SECOND: i64 = 1_000_000_000;
/// Nanoseconds in a day of 24 hours.
pub const NANOS_PER_DAY: i64 = 86_400 * NANOS_PER_SECOND;

/// A duration in nanoseconds; saturates at 292 years.
pub fn nanos(span: Duration) -> i64 {
    i64::try_from(span.as_nanos()).unwrap_or(i64::MAX)
}

/// An instant in UTC, exact to the nanosecond. Covers the years 1678 to 2261.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// 1970-01-01T00:00:00Z: no row of the store is earlier.
    pub const EPOCH: Timestamp = Timestamp(0);
    /// The earliest instant of the range.
    pub const MIN: Timestamp = Timestamp(i64::MIN);
    /// The latest instant of the range; it stands for "no end".
    pub const MAX: Timestamp = Timestamp(i64::MAX);

    /// The instant this many nanoseconds after 1970-01-01T00:00:00Z.
    #[inline]
    pub const fn from_nanos(nanos: i64) -> Timestamp {
        Timestamp(nanos)
    }

    /// The instant this many milliseconds after 1970-01-01T00:00:00Z; saturates.
    pub const fn from_millis(millis: i64) -> Timestamp {
        Timestamp(millis.saturating_mul(NANOS_PER_MILLI))
    }

    /// The instant this many seconds after 1970-01-01T00:00:00Z; saturates.
    pub const fn from_seconds(seconds: i64) -> Timestamp {
        Timestamp(seconds.saturating_mul(NANOS_PER_SECOND))
    }

    /// Converts from chrono; saturates outside the range of 64-bit nanoseconds.
    pub fn from_utc(instant: DateTime<Utc>) -> Timestamp {
        Timestamp(instant.timestamp_nanos_opt().unwrap_or(if instant.timestamp() < 0 { i64::MIN } else { i64::MAX }))
    }

    /// Nanoseconds since 1970-01-01T00:00:00Z, as the store, line protocol and queries to servers use them.
    #[inline]
    pub const fn nanos(self) -> i64 {
        self.0
    }

    /// Whole milliseconds since 1970-01-01T00:00:00Z, rounded down.
    #[inline]
    pub const fn millis(self) -> i64 {
        self.0.div_euclid(NANOS_PER_MILLI)
    }

    /// Whole seconds since 1970-01-01T00:00:00Z, rounded down.
    #[inline]
    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(NANOS_PER_SECOND)
    }

    /// The instant `span` before; saturates.
    pub fn before(self, span: Duration) -> Timestamp {
        self.minus(nanos(span))
    }

    /// The instant `span` after; saturates.
    pub fn after(self, span: Duration) -> Timestamp {
        self.plus(nanos(span))
    }

    /// The instant this many nanoseconds later, or earlier if they are negative; saturates.
    #[inline]
    pub const fn plus(self, nanos: i64) -> Timestamp {
        Timestamp(self.0.saturating_add(nanos))
    }

    /// The instant this many nanoseconds earlier; saturates.
    #[inline]
    pub const fn minus(self, nanos: i64) -> Timestamp {
        Timestamp(self.0.saturating_sub(nanos))
    }

    /// Nanoseconds from `earlier` to this instant, negative if `earlier` is later; saturates.
    #[inline]
    pub const fn nanos_since(self, earlier: Timestamp) -> i64 {
        self.0.saturating_sub(earlier.0)
    }

    /// Whole seconds from `earlier` to this instant, negative if `earlier` is later.
    pub const fn seconds_since(self, earlier: Timestamp) -> i64 {
        self.nanos_since(earlier) / NANOS_PER_SECOND
    }

    /// The first instant after this one: converts the end of a closed interval to that of a half-open one.
    #[inline]
    pub const fn next(self) -> Timestamp {
        self.plus(1)
    }

    /// The last instant before this one.
    #[inline]
    pub const fn previous(self) -> Timestamp {
        self.plus(-1)
    }

    /// The earliest possible time of a row after a row of this time: rows of one series have distinct microseconds.
    #[inline]
    pub const fn next_key(self) -> Timestamp {
        self.plus(NANOS_PER_MICRO)
    }

    /// The latest possible time of a row before a row of this time: rows of one series have distinct microseconds.
    #[inline]
    pub const fn previous_key(self) -> Timestamp {
        Timestamp(self.0.saturating_sub(self.0.rem_euclid(NANOS_PER_MICRO))).previous()
    }

    /// The latest multiple of `step` since 1970-01-01T00:00:00Z that is not after this instant. A step of zero counts
    /// as one nanosecond.
    pub fn floor(self, step: Duration) -> Timestamp {
        let step = nanos(step).max(1);
        Timestamp(self.0.div_euclid(step).saturating_mul(step))
    }

    /// The same instant as chrono's type.
    pub fn to_utc(self) -> DateTime<Utc> {
        DateTime::from_timestamp_nanos(self.0)
    }
}

impl Serialize for Timestamp {
    /// Serializes the text of its Display.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl fmt::Display for Timestamp {
    /// RFC 3339 in UTC with as many fraction digits as needed.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.to_utc().format("%Y-%m-%dT%H:%M:%S%.fZ"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arithmetic_on_instants_saturates_at_both_ends() {
        assert_eq!(Timestamp::MAX.next(), Timestamp::MAX);
        assert_eq!(Timestamp::MIN.previous(), Timestamp::MIN);
        assert_eq!(Timestamp::MIN.before(Duration::MAX), Timestamp::MIN);
        assert_eq!(Timestamp::MAX.after(Duration::MAX), Timestamp::MAX);
        assert_eq!(Timestamp::MAX.nanos_since(Timestamp::MIN), i64::MAX);
        assert_eq!(Timestamp::from_millis(i64::MAX), Timestamp::MAX);
    }

    #[test]
    fn an_instant_before_1970_rounds_down() {
        assert_eq!(Timestamp::from_nanos(-1).millis(), -1);
        assert_eq!(Timestamp::from_nanos(-1).floor(Duration::from_secs(60)), Timestamp::from_nanos(-60_000_000_000));
        assert_eq!(Timestamp::from_nanos(61).floor(Duration::from_nanos(60)), Timestamp::from_nanos(60));
    }
}
