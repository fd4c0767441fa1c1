//! The bounds of a gross range test, and the time over which a value was measured, on which they depend.

use std::time::Duration;

/// QARTOD gross range: inside `suspect` is 1, inside `fail` only is 3, outside is 4. A value on a bound is inside.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Range {
    /// Lower and upper bound of what is expected, in the column's unit.
    pub suspect: (f64, f64),
    /// Lower and upper bound of what is possible, in the column's unit.
    pub fail: (f64, f64),
}

impl Range {
    /// A range that contains every value.
    pub const EVERYTHING: Range =
        Range { suspect: (f64::NEG_INFINITY, f64::INFINITY), fail: (f64::NEG_INFINITY, f64::INFINITY) };

    /// The range of values that are inside both.
    fn overlap(self, other: Range) -> Range {
        let of = |one: (f64, f64), other: (f64, f64)| (one.0.max(other.0), one.1.min(other.1));
        Range { suspect: of(self.suspect, other.suspect), fail: of(self.fail, other.fail) }
    }
}

/// The time over which a row's values were measured, derived from the time since the row before: that time is the
/// longest possible one, and it is too long after a gap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MeasuredOver {
    /// A minute or less.
    Minute,
    /// More than a minute, and at most five.
    FiveMinutes,
    /// Less than half an hour.
    Minutes,
    /// Half an hour to an hour: what AmeriFlux's limits are made for.
    HalfHour,
    /// More than an hour and at most a day, or unknown: a row of a slow table, the first row, or a row after a gap.
    Day,
    /// More than a day.
    Longer,
}

impl MeasuredOver {
    /// All variants, in order.
    pub const ALL: [MeasuredOver; 6] = {
        use MeasuredOver::{Day, FiveMinutes, HalfHour, Longer, Minute, Minutes};
        [Minute, FiveMinutes, Minutes, HalfHour, Day, Longer]
    };

    /// For a row whose previous row is not known.
    pub const UNKNOWN: MeasuredOver = MeasuredOver::Day;

    /// For a row that is this many nanoseconds after the previous row; None for the first row.
    #[inline]
    pub fn since(last: Option<i64>) -> MeasuredOver {
        const MINUTE: i64 = 60_000_000_000;
        match last {
            None => MeasuredOver::UNKNOWN,
            Some(nanos) if nanos <= MINUTE => MeasuredOver::Minute,
            Some(nanos) if nanos <= 5 * MINUTE => MeasuredOver::FiveMinutes,
            Some(nanos) if nanos < 30 * MINUTE => MeasuredOver::Minutes,
            Some(nanos) if nanos <= 60 * MINUTE => MeasuredOver::HalfHour,
            Some(nanos) if nanos <= 1_440 * MINUTE => MeasuredOver::Day,
            Some(_) => MeasuredOver::Longer,
        }
    }

    /// For a table with this usual interval; without one, half an hour is assumed.
    pub fn of_interval(interval: Option<Duration>) -> MeasuredOver {
        let nanos = |interval: Duration| i64::try_from(interval.as_nanos()).unwrap_or(i64::MAX);
        interval.map_or(MeasuredOver::HalfHour, |interval| MeasuredOver::since(Some(nanos(interval))))
    }

    /// Whether the time may be so short that a value is far from the mean of a half hour.
    pub fn may_be_brief(self) -> bool {
        self != MeasuredOver::HalfHour
    }
}

/// A range for each [`MeasuredOver`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ranges([Range; MeasuredOver::ALL.len()]);

impl Ranges {
    /// Builds the range for each time with `range`.
    pub fn of(range: impl Fn(MeasuredOver) -> Range) -> Ranges {
        Ranges(MeasuredOver::ALL.map(range))
    }

    /// The range of a value that was measured over this time.
    #[inline]
    pub fn over(&self, over: MeasuredOver) -> &Range {
        &self.0[over as usize]
    }

    /// Applies `change` to each range.
    pub fn map(self, change: impl Fn(Range) -> Range) -> Ranges {
        Ranges(self.0.map(change))
    }

    /// The range of values that are inside every one of the ranges.
    pub fn narrowest(&self) -> Range {
        self.0.iter().fold(Range::EVERYTHING, |narrowest, range| narrowest.overlap(*range))
    }

    /// Whether the ranges differ.
    pub fn depend_on_time(&self) -> bool {
        self.0.iter().any(|range| *range != self.0[0])
    }
}

impl From<Range> for Ranges {
    fn from(range: Range) -> Ranges {
        Ranges::of(|_| range)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_since_the_row_before_tells_over_what_time_a_value_was_measured() {
        use MeasuredOver::{Day, FiveMinutes, HalfHour, Longer, Minute, Minutes};
        let of = |seconds: f64| MeasuredOver::of_interval(Some(Duration::from_secs_f64(seconds)));
        let wanted = [
            (0.1, Minute),
            (60.0, Minute),
            (60.1, FiveMinutes),
            (300.0, FiveMinutes),
            (600.0, Minutes),
            (1_799.9, Minutes),
            (1_800.0, HalfHour),
            (3_600.0, HalfHour),
            (3_600.1, Day),
            (86_400.0, Day),
            (86_401.0, Longer),
        ];
        for (seconds, over) in wanted {
            assert_eq!(of(seconds), over, "{seconds} s");
        }
        assert_eq!(MeasuredOver::since(None), Day);
        for (place, over) in MeasuredOver::ALL.into_iter().enumerate() {
            assert_eq!(over as usize, place);
        }
    }
}
