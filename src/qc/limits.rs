//! Compares measurements with two limits, and writes limits and measurements in findings.

use std::fmt;
use std::time::Duration;

use super::flag::Flag;
use crate::ameriflux::Range;

/// Two limits, of which at least one is set; a value beyond `fail` is also beyond `suspect`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Levels<T> {
    /// Beyond it a value is suspect.
    pub suspect: Option<T>,
    /// Beyond it a value fails.
    pub fail: Option<T>,
}

impl<T> Levels<T> {
    /// The same limits in another unit or type.
    pub(super) fn map<U>(self, convert: impl Fn(T) -> U) -> Levels<U> {
        Levels { suspect: self.suspect.map(&convert), fail: self.fail.map(&convert) }
    }
}

/// Flags a measurement strictly above the limits: a value on a limit passes (QARTOD, as in ioos_qc 3.0).
#[inline]
pub(super) fn above<T: Copy + PartialOrd>(levels: &Levels<T>, measured: T) -> Flag {
    if levels.fail.as_ref().is_some_and(|limit| measured > *limit) {
        Flag::Fail
    } else if levels.suspect.as_ref().is_some_and(|limit| measured > *limit) {
        Flag::Suspect
    } else {
        Flag::Pass
    }
}

/// The largest error from rounding these decimals to binary numbers, and from one sum or difference of them.
#[inline]
pub(super) fn rounding(values: &[f64]) -> f64 {
    values.iter().map(|value| value.abs()).sum::<f64>() * f64::EPSILON
}

/// Like [`above`], for a measurement with this rounding error: the change from 20.1 to 20.2 counts as 0.1, although the
/// binary numbers are farther apart.
#[inline]
pub(super) fn surely_above(levels: &Levels<f64>, measured: f64, rounding: f64) -> Flag {
    above(&levels.map(|limit| limit + limit * 4.0 * f64::EPSILON + rounding), measured)
}

/// Whether the measurement is strictly below the limit, by more than the rounding error. A measurement of 0 is below
/// every limit.
#[inline]
pub(super) fn surely_below(limit: f64, measured: f64, rounding: f64) -> bool {
    measured == 0.0 || measured < limit - limit * 4.0 * f64::EPSILON - rounding
}

/// Flags a measurement outside two closed intervals: a value on a bound is inside. NaN is outside.
#[inline]
pub(super) fn within(range: &Range, measured: f64) -> Flag {
    let is_in = |(low, high): (f64, f64)| (low..=high).contains(&measured);
    if !is_in(range.fail) {
        Flag::Fail
    } else if !is_in(range.suspect) {
        Flag::Suspect
    } else {
        Flag::Pass
    }
}

/// The difference to the next number that FP2 can represent, if it can represent this one: four digits of at most 7999,
/// with up to three digits after the decimal point. For 98.7 it is 0.1, for 1013 it is 1. (Campbell Scientific, CR1000
/// operator's manual, data types.)
pub(super) fn fp2_step(value: f64) -> Option<f64> {
    const MOST: f64 = 7_999.0;
    [1e3, 1e2, 1e1, 1.0].into_iter().find(|scale| value.abs() * scale <= MOST).and_then(|scale| {
        let digits = value * scale;
        ((digits - digits.round()).abs() <= 1e-9 * MOST).then_some(1.0 / scale)
    })
}

/// The limit that a flagged measurement exceeds.
pub(super) fn limit<T: Copy>(levels: &Levels<T>, flag: Flag) -> Option<T> {
    if flag == Flag::Fail { levels.fail } else { levels.suspect }
}

/// The bounds outside which a flagged measurement is.
pub(super) fn bounds(range: &Range, flag: Flag) -> (f64, f64) {
    if flag == Flag::Fail { range.fail } else { range.suspect }
}

/// A number for a finding. It has an exponent if it would otherwise have more than sixteen digits: a logger's overflow
/// (3.4e38) and meaningless numbers (1e300) would fill a page.
#[derive(Debug, Clone, Copy)]
pub(super) struct Number(pub f64);

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Number(number) = *self;
        match number.abs() {
            1e-9..1e16 | 0.0 => write!(f, "{number}"),
            _ => write!(f, "{number:e}"),
        }
    }
}

/// A measured number for a finding: six digits, without trailing zeros.
pub(super) fn short(number: f64) -> Number {
    Number(format!("{number:.5e}").parse().unwrap_or(number))
}

/// A span of time in the form of the configuration.
pub(super) fn span_text(span: Duration) -> String {
    let seconds = span.as_secs();
    match (seconds, span.subsec_millis()) {
        (0, millis) => format!("{millis}ms"),
        (seconds, _) if seconds % 86_400 == 0 => format!("{}d", seconds / 86_400),
        (seconds, _) if seconds % 3_600 == 0 => format!("{}h", seconds / 3_600),
        (seconds, _) if seconds % 60 == 0 => format!("{}m", seconds / 60),
        (seconds, _) => format!("{seconds}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_of_a_finding_has_an_exponent_where_it_would_be_long() {
        for (number, text) in [
            (0.0, "0"),
            (-12.5, "-12.5"),
            (8_000.25, "8000.25"),
            (0.000_001, "0.000001"),
            (3.402_823_466_385_288_6e38, "3.4028234663852886e38"),
            (-1e300, "-1e300"),
            (1e-320, "1e-320"),
        ] {
            assert_eq!(Number(number).to_string(), text);
        }
        assert_eq!(short(-1.0 / 3.0 * 1e300).to_string(), "-3.33333e299");
    }

    #[test]
    fn the_step_of_fp2_follows_from_the_size_of_the_number() {
        for (value, step) in [
            (0.0, Some(0.001)),
            (7.999, Some(0.001)),
            (8.01, Some(0.01)),
            (-79.99, Some(0.01)),
            (98.7, Some(0.1)),
            (101.3, Some(0.1)),
            (1013.0, Some(1.0)),
            (98.71, None),
            (1013.2, None),
            (8000.0, None),
            (0.12345, None),
        ] {
            assert_eq!(fp2_step(value), step, "{value}");
        }
    }
}
