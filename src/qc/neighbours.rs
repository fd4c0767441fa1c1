//! The tests that look at the rows next to a value: spike and rate of change.
//!
//! Source of both: QARTOD, in the form of ioos_qc 3.0 `spike_test` and `rate_of_change_test`. Thresholds are strict: a
//! value on the threshold passes.

use super::flag::Flag;
use super::limits::above;
use crate::config::{RateOfChange, Spike, SpikeMethod};

/// The height of a value over its neighbours; NaN stands for a missing one, and gives NaN.
#[inline]
pub(super) fn spike_height(method: SpikeMethod, before: f64, value: f64, after: f64) -> f64 {
    match method {
        SpikeMethod::Average => (value - f64::midpoint(before, after)).abs(),
        SpikeMethod::Differential => {
            let (up, down) = (value - before, after - value);
            if up.is_nan() || down.is_nan() {
                f64::NAN
            } else if up * down >= 0.0 {
                0.0
            } else {
                up.abs().min(down.abs())
            }
        }
    }
}

/// Not evaluated without both neighbours.
#[inline]
pub(super) fn spike(test: &Spike, before: f64, value: f64, after: f64) -> Flag {
    let height = spike_height(test.method, before, value, after);
    if height.is_nan() { Flag::NotEvaluated } else { above(&test.levels, height) }
}

/// Change per second between two values `nanos` apart. Rows of one time have no rate.
#[inline]
#[allow(clippy::cast_precision_loss, reason = "a span of time is good to far less than a part in 2^53")]
pub(super) fn rate(before: f64, value: f64, nanos: i64) -> f64 {
    if nanos == 0 { f64::NAN } else { ((value - before) / (nanos as f64 / 1e9)).abs() }
}

/// Not evaluated where the value before is missing: a jump may hide in the gap. The first value of a series passes, as in
/// ioos_qc: nothing was ever there to compare with.
#[inline]
pub(super) fn rate_of_change(test: &RateOfChange, before: Option<(f64, i64)>, value: f64) -> Flag {
    let Some((before, nanos)) = before else { return Flag::Pass };
    let rate = rate(before, value, nanos);
    if rate.is_nan() { Flag::NotEvaluated } else { above(&test.levels, rate) }
}
