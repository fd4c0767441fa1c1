//! State of a test about earlier rows: extremes and spread of a sliding window. The cost per row does not grow with the
//! window.
//!
//! A flag must not depend on where reading began, so no rounding error is carried from row to row: extremes are
//! compared, never added, and sums are whole numbers.

use std::collections::VecDeque;

use ethnum::I256;

/// The times of the rows in the longest window. Rows are numbered from the first row seen.
#[derive(Debug, Clone, Default)]
pub(super) struct RowTimes {
    times: VecDeque<i64>,
    first: u64,
}

impl RowTimes {
    /// Adds a row and returns its number.
    pub(super) fn push(&mut self, nanos: i64) -> u64 {
        self.times.push_back(nanos);
        self.first + self.times.len() as u64 - 1
    }

    /// The time of a row that has not been removed.
    pub(super) fn at(&self, row: u64) -> i64 {
        let place = usize::try_from(row.saturating_sub(self.first)).unwrap_or(usize::MAX);
        self.times.get(place).copied().unwrap_or(i64::MIN)
    }

    /// Removes rows before this one.
    pub(super) fn forget_before(&mut self, row: u64) {
        while self.first < row && self.times.pop_front().is_some() {
            self.first += 1;
        }
    }
}

/// A window of earlier rows that a test needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Window {
    /// The length.
    pub(super) nanos: i64,
    /// Whether a row exactly this long ago belongs to the window: yes for a flat line, no for an attenuated signal
    /// (ioos_qc 3.0).
    pub(super) is_closed: bool,
}

/// The position of a window that ends at the current row.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reach {
    /// The number of the oldest row in the window.
    pub(super) oldest: u64,
    /// The length of the window.
    pub(super) nanos: i64,
}

/// The current row.
#[derive(Debug, Clone, Copy)]
pub(super) struct Here<'a> {
    /// Its number.
    pub(super) row: u64,
    /// Its time in nanoseconds.
    pub(super) nanos: i64,
    /// The time since the previous row; 0 for the first.
    pub(super) interval: i64,
    /// The times of the rows in the longest window.
    pub(super) times: &'a RowTimes,
}

impl Here<'_> {
    /// Whether rows cover the whole window: one interval more would exceed it.
    pub(super) fn is_covered(&self, reach: Reach) -> bool {
        self.nanos - self.times.at(reach.oldest) + self.interval > reach.nanos
    }

    /// Whether it is the first row of the series.
    pub(super) fn is_first(&self) -> bool {
        self.row == 0
    }

    /// Like [`Here::is_covered`], for a window without its edge, and for a clock that may vary by half an interval.
    pub(super) fn is_nearly_covered(&self, reach: Reach) -> bool {
        self.nanos - self.times.at(reach.oldest) + self.interval + self.interval / 2 >= reach.nanos
    }
}

/// The smallest and the largest value of a window.
#[derive(Debug, Clone, Default)]
pub(super) struct Extremes {
    smallest: VecDeque<(u64, f64)>,
    largest: VecDeque<(u64, f64)>,
}

impl Extremes {
    pub(super) fn push(&mut self, row: u64, value: f64) {
        while self.smallest.back().is_some_and(|last| last.1 >= value) {
            self.smallest.pop_back();
        }
        self.smallest.push_back((row, value));
        while self.largest.back().is_some_and(|last| last.1 <= value) {
            self.largest.pop_back();
        }
        self.largest.push_back((row, value));
    }

    pub(super) fn forget_before(&mut self, row: u64) {
        for side in [&mut self.smallest, &mut self.largest] {
            while side.front().is_some_and(|first| first.0 < row) {
                side.pop_front();
            }
        }
    }

    pub(super) fn clear(&mut self) {
        self.smallest.clear();
        self.largest.clear();
    }

    /// The newest value.
    pub(super) fn last(&self) -> Option<f64> {
        self.smallest.back().map(|last| last.1)
    }

    /// The smallest and the largest value; None without a value.
    pub(super) fn ends(&self) -> Option<(f64, f64)> {
        Some((self.smallest.front()?.1, self.largest.front()?.1))
    }
}

/// The size of a counting step: the power of two of the least threshold, halved this many times.
const STEPS: i32 = 30;
/// The largest number of steps, as a power of two: with a thousand million values, the products below fit in 255 bits.
const LARGEST_STEPS: i32 = 96;
/// 2^62.
const MOST_OF_64_BITS: f64 = 4_611_686_018_427_387_904.0;
/// The largest scale: keeps the scale finite, however small a threshold is.
const LARGEST_SCALE: f64 = 1_000.0;
/// 2^52: larger doubles are whole numbers, and adding it to a smaller number rounds that to a whole number.
const WHOLE: f64 = 4_503_599_627_370_496.0;
/// Marks a value that is too far away to be counted.
const FAR: f64 = f64::INFINITY;

/// The standard deviation of a window, from sums of whole steps in 256 bits, so that the same rows give the same number
/// wherever reading began.
///
/// Error bound: each value is rounded to the nearest step, which is at most 2^-30 of the least threshold, and the sums
/// are exact. So the deviation is wrong by at most half a step, whatever the offset of the values: pressure in Pa with
/// a threshold of 0.0001 is 1e9 thresholds away from zero, and values up to 7e19 thresholds away are counted. A value
/// farther away is not counted: two neighbouring doubles are then farther apart than the threshold, and
/// [`Deviation::is_known`] is false.
#[derive(Debug, Clone, Default)]
pub(super) struct Deviation {
    /// The whole steps of every row from the first on; NaN for a missing value, [`FAR`] for one that is not counted.
    steps: VecDeque<f64>,
    first: u64,
    sum: i128,
    squares: I256,
    counted: u32,
    uncounted: u32,
}

impl Deviation {
    /// The scale for thresholds whose smallest is this.
    pub(super) fn scale(least_threshold: f64) -> f64 {
        2_f64.powf((f64::from(STEPS) - least_threshold.log2().floor()).min(LARGEST_SCALE))
    }

    /// Adds a row; NaN is a missing value, which is left out.
    #[inline]
    pub(super) fn push(&mut self, row: u64, value: f64, scale: f64) {
        if self.steps.is_empty() {
            self.first = row;
        }
        let steps = value * scale;
        let size = steps.abs();
        let size = if size < WHOLE { (size + WHOLE) - WHOLE } else { size };
        let steps = if size > 2_f64.powi(LARGEST_STEPS) { FAR } else { size.copysign(steps) };
        self.steps.push_back(steps);
        if steps.is_finite() {
            let (steps, square) = powers(steps);
            self.sum += steps;
            self.squares += square;
            self.counted += 1;
        } else if !steps.is_nan() {
            self.uncounted += 1;
        }
    }

    #[inline]
    pub(super) fn forget_before(&mut self, row: u64) {
        while self.first < row
            && let Some(steps) = self.steps.pop_front()
        {
            self.first += 1;
            if steps.is_finite() {
                let (steps, square) = powers(steps);
                self.sum -= steps;
                self.squares -= square;
                self.counted -= 1;
            } else if !steps.is_nan() {
                self.uncounted -= 1;
            }
        }
    }

    /// The number of values.
    pub(super) fn count(&self) -> usize {
        (self.counted + self.uncounted) as usize
    }

    /// The newest value, rounded to a step; None if it is not counted.
    pub(super) fn last(&self, scale: f64) -> Option<f64> {
        let newest = self.steps.iter().rev().find(|steps| !steps.is_nan())?;
        newest.is_finite().then(|| newest / scale)
    }

    /// Whether every value of the window is counted.
    pub(super) fn is_known(&self) -> bool {
        self.uncounted == 0
    }

    /// The square of count times deviation, in steps. It is exact.
    fn spread(&self) -> I256 {
        I256::from(self.counted) * self.squares - square(self.sum)
    }

    /// Whether the standard deviation of the population is below a limit, both in the unit of the values. A deviation
    /// equal to the limit is not below it (QARTOD: good is at least the threshold), and a difference that rounding of
    /// decimals to binary numbers and of values to steps can cause counts as equal.
    #[inline]
    #[allow(clippy::cast_precision_loss, reason = "the loss is part of the bound")]
    pub(super) fn is_below(&self, limit: f64, scale: f64) -> bool {
        let count = f64::from(self.counted);
        let squares = count * positive(self.squares);
        let edge = limit * scale * count;
        // The signal of a working sensor is so far above the limit that neither rounding nor exactness matters. Each
        // term is wrong by at most 4 roundings of its size, and the second is not the larger one.
        let sum = i64::try_from(self.sum).map_or_else(|_| self.sum as f64, |sum| sum as f64);
        if squares - sum * sum - 8.0 * f64::EPSILON * squares > edge * edge {
            return false;
        }
        let spread = self.spread();
        let rounding = (0.5 + (squares / count / count).sqrt() * f64::EPSILON) * count;
        let edge = edge * (1.0 - 4.0 * f64::EPSILON) - rounding;
        spread == I256::ZERO || (edge > 0.0 && spread.as_f64() < edge * edge)
    }

    /// The standard deviation of the population, in the unit of the values; None without a value.
    pub(super) fn value(&self, scale: f64) -> Option<f64> {
        let count = f64::from(self.counted);
        (count > 0.0).then(|| self.spread().as_f64().sqrt() / count / scale)
    }
}

/// Converts a number that is not negative, with at most three roundings. Nearly always it has 128 bits, of which the
/// processor converts each half at once.
#[inline]
#[allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    reason = "the loss is stated, and halves are 64 bits"
)]
fn positive(number: I256) -> f64 {
    const HALF: f64 = 18_446_744_073_709_551_616.0;
    let (high, low) = (*number.high(), *number.low());
    if high != 0 {
        return number.as_f64();
    }
    let low = low.cast_unsigned();
    ((low >> 64) as u64 as f64) * HALF + (low as u64 as f64)
}

/// Whole steps as a number, and their square. Nearly always they fit in 64 bits, which costs a fraction of the general
/// case.
#[inline]
#[allow(clippy::cast_possible_truncation, reason = "at most 2^96, and whole")]
fn powers(steps: f64) -> (i128, I256) {
    if steps.abs() < MOST_OF_64_BITS {
        let steps = i128::from(steps as i64);
        return (steps, I256::from(steps * steps));
    }
    let steps = steps as i128;
    (steps, square(steps))
}

#[inline]
fn square(number: i128) -> I256 {
    match i64::try_from(number) {
        Ok(small) => I256::from(i128::from(small) * i128::from(small)),
        Err(_) => I256::from(number) * I256::from(number),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_month_of_damaged_values_at_10_hz_neither_stops_nor_is_judged() {
        let scale = Deviation::scale(0.01);
        let mut window = Deviation::default();
        for row in 0..2_000_000_u64 {
            window.push(row, if row % 2 == 0 { 1e300 } else { -1e300 }, scale);
        }
        assert!(!window.is_known(), "it is anything but still");
        window.push(2_000_000, 5.0, scale);
        window.push(2_000_001, 5.0, scale);
        window.forget_before(2_000_000);
        assert!(window.is_known() && window.is_below(0.01, scale));
    }

    #[test]
    fn a_deviation_of_a_month_at_10_hz_far_from_zero_is_exact() {
        let scale = Deviation::scale(0.0001);
        let mut window = Deviation::default();
        for row in 0..1_000_000_u64 {
            window.push(row, if row % 2 == 0 { 98_000.25 } else { 98_000.75 }, scale);
        }
        assert_eq!(window.value(scale), Some(0.25));
        assert!(!window.is_below(0.25, scale) && window.is_below(0.2501, scale));
    }

    proptest! {
        #[test]
        fn a_number_of_128_bits_is_off_by_three_roundings(low: i128, shift in 0_u32..127) {
            for number in [I256::from(low.cast_unsigned() >> shift), I256::from(low).unsigned_abs().as_i256() << shift] {
                let exact = number.as_f64();
                proptest::prop_assert!((positive(number) - exact).abs() <= 2.0 * f64::EPSILON * exact, "{number}");
            }
        }

        #[test]
        fn extremes_are_those_of_the_rows_in_the_window(values in prop::collection::vec(-100i32..100, 1..60), width in 1u64..20) {
            let mut extremes = Extremes::default();
            for (row, value) in values.iter().enumerate() {
                extremes.push(row as u64, f64::from(*value));
                let oldest = (row as u64 + 1).saturating_sub(width);
                extremes.forget_before(oldest);
                let window = &values[usize::try_from(oldest).unwrap()..=row];
                let ends = (f64::from(*window.iter().min().unwrap()), f64::from(*window.iter().max().unwrap()));
                prop_assert_eq!(extremes.ends(), Some(ends));
            }
        }

        #[test]
        fn a_deviation_is_the_same_wherever_reading_began(
            values in prop_oneof![
                prop::collection::vec(-1e4f64..1e4, 2..60),
                prop::collection::vec(14.98f64..15.02, 2..60),
                prop::collection::vec(98_000.0f64..98_000.001, 2..60),
                prop::collection::vec(1e12f64..1.000_000_1e12, 2..60),
            ],
            width in 1usize..20,
            threshold in prop_oneof![Just(0.01), Just(0.0001)],
        ) {
            let scale = Deviation::scale(threshold);
            let mut whole = Deviation::default();
            for (row, value) in values.iter().enumerate() {
                whole.push(row as u64, *value, scale);
                let oldest = (row + 1).saturating_sub(width);
                whole.forget_before(oldest as u64);
                let window = &values[oldest..=row];
                let mut fresh = Deviation::default();
                for (row, value) in window.iter().enumerate() {
                    fresh.push(row as u64, *value, scale);
                }
                prop_assert_eq!(whole.value(scale), fresh.value(scale));
                // Two passes over differences from the first value, which are exact if the values are close together.
                let apart: Vec<f64> = window.iter().map(|value| value - window[0]).collect();
                let mean = apart.iter().sum::<f64>() / window.len() as f64;
                let expected = (apart.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / window.len() as f64).sqrt();
                let bound = threshold / 2_f64.powi(STEPS) + expected * 1e-12;
                prop_assert!((whole.value(scale).unwrap() - expected).abs() <= bound, "{expected}");
            }
        }
    }
}
