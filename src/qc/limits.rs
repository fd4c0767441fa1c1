//! Which of two limits a measurement is beyond, and which of them a flag speaks of.

use super::flag::Flag;
use crate::ameriflux::Range;
use crate::config::Levels;

/// Strictly above the limits: a value on a threshold passes (QARTOD, as ioos_qc 3.0).
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

/// Against two closed intervals: a value on a bound is inside. NaN is inside of none.
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

/// The limit that a raised flag is beyond.
pub(super) fn limit<T: Copy>(levels: &Levels<T>, flag: Flag) -> Option<T> {
    if flag == Flag::Fail { levels.fail } else { levels.suspect }
}

/// The bounds that a raised flag is outside of.
pub(super) fn bounds(range: &Range, flag: Flag) -> (f64, f64) {
    if flag == Flag::Fail { range.fail } else { range.suspect }
}
