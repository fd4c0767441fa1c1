//! What a test remembers of the rows behind it: extremes and spread of a sliding window, at a cost that does not grow with
//! the window.
//!
//! A flag must not depend on where reading began, so nothing here carries rounding from row to row: extremes are compared,
//! never added, and sums are whole numbers.

use std::collections::VecDeque;

/// The times of the rows in the longest window, numbered from the first row seen.
#[derive(Debug, Clone, Default)]
pub(super) struct RowTimes {
    times: VecDeque<i64>,
    first: u64,
}

impl RowTimes {
    /// Adds a row and gives its number.
    pub(super) fn push(&mut self, nanos: i64) -> u64 {
        self.times.push_back(nanos);
        self.first + self.times.len() as u64 - 1
    }

    /// The time of a row that has not been forgotten.
    pub(super) fn at(&self, row: u64) -> i64 {
        let place = usize::try_from(row.saturating_sub(self.first)).unwrap_or(usize::MAX);
        self.times.get(place).copied().unwrap_or(i64::MIN)
    }

    /// Forgets rows before this one.
    pub(super) fn forget_before(&mut self, row: u64) {
        while self.first < row && self.times.pop_front().is_some() {
            self.first += 1;
        }
    }
}

/// A window that a test looks back over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Window {
    /// Its length.
    pub(super) nanos: i64,
    /// Whether a row exactly so long ago belongs to it: yes for a flat line, no for an attenuated signal (ioos_qc 3.0).
    pub(super) is_closed: bool,
}

/// The number of the oldest row in a window that ends at the row in hand.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reach {
    /// Its number.
    pub(super) oldest: u64,
    /// Length of the window.
    pub(super) nanos: i64,
}

/// The row in hand.
#[derive(Debug, Clone, Copy)]
pub(super) struct Here<'a> {
    /// Its number.
    pub(super) row: u64,
    /// Its time.
    pub(super) nanos: i64,
    /// Since the row before; 0 for the first.
    pub(super) interval: i64,
    /// Of the rows in the longest window.
    pub(super) times: &'a RowTimes,
}

impl Here<'_> {
    /// Whether rows reach back over the whole window: one interval more would leave it.
    pub(super) fn is_covered(&self, reach: Reach) -> bool {
        self.nanos - self.times.at(reach.oldest) + self.interval > reach.nanos
    }

    /// As [`Here::is_covered`], for a window that its edge does not belong to, on a clock that may waver by half an interval.
    pub(super) fn is_nearly_covered(&self, reach: Reach) -> bool {
        self.nanos - self.times.at(reach.oldest) + self.interval + self.interval / 2 >= reach.nanos
    }
}

/// Smallest and largest value of a window.
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

    /// Largest minus smallest; none without a value.
    pub(super) fn range(&self) -> Option<f64> {
        Some(self.largest.front()?.1 - self.smallest.front()?.1)
    }
}

/// Values are counted in steps of the finest threshold's power of two by this many halvings: one part in 65,536 of it.
const STEPS: i32 = 16;
/// With a million values, the products below then fit in 128 bits.
const LARGEST_COUNT: f64 = 8.796e12;

/// Of more values, damaged ones may be too large for that: a month of 1e300 at 10 Hz.
const MOST_EXACT: usize = 1_000_000;

/// A number that leaves no room for a fraction beside it.
const WHOLE: f64 = 6_755_399_441_055_744.0;

/// Standard deviation of a window, exactly: sums of whole steps, so that the same rows give the same number wherever
/// reading began.
#[derive(Debug, Clone, Default)]
pub(super) struct Deviation {
    values: VecDeque<(u64, i64)>,
    sum: i128,
    squares: i128,
}

impl Deviation {
    /// The scale for thresholds of which this is the least.
    pub(super) fn scale(least_threshold: f64) -> f64 {
        2_f64.powf(f64::from(STEPS) - least_threshold.log2().floor())
    }

    #[inline]
    #[allow(clippy::cast_possible_truncation, reason = "bounded by the lines before")]
    pub(super) fn push(&mut self, row: u64, value: f64, scale: f64) {
        let steps = (value * scale).clamp(-LARGEST_COUNT, LARGEST_COUNT);
        // Adding and taking away 1.5 x 2^52 leaves a whole number, without a call.
        let steps = ((steps + WHOLE) - WHOLE) as i64;
        self.values.push_back((row, steps));
        self.sum += i128::from(steps);
        self.squares += i128::from(steps) * i128::from(steps);
    }

    pub(super) fn forget_before(&mut self, row: u64) {
        while let Some(&(first, steps)) = self.values.front()
            && first < row
        {
            self.values.pop_front();
            self.sum -= i128::from(steps);
            self.squares -= i128::from(steps) * i128::from(steps);
        }
    }

    pub(super) fn count(&self) -> usize {
        self.values.len()
    }

    /// The square of count x deviation, in steps. Exact, but for one rounding that is the same for the same rows.
    #[inline]
    #[allow(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        reason = "a part in 2^31 is far below a step"
    )]
    fn spread(&self) -> f64 {
        let count = self.values.len() as i128;
        let spread = if self.values.len() <= MOST_EXACT {
            count * self.squares - self.sum * self.sum
        } else {
            match (count.checked_mul(self.squares), self.sum.checked_mul(self.sum)) {
                (Some(squares), Some(sum)) => squares - sum,
                _ => return (count as f64 * self.squares as f64 - (self.sum as f64).powi(2)).max(0.0),
            }
        };
        match (i64::try_from(spread), i64::try_from(spread >> 32)) {
            (Ok(spread), _) => spread as f64,
            (_, Ok(high)) => high as f64 * 4_294_967_296.0,
            _ => spread as f64,
        }
    }

    /// Whether the standard deviation of the population is below a limit, both in the unit of the values.
    #[inline]
    #[allow(clippy::cast_precision_loss, reason = "counts are small")]
    pub(super) fn is_below(&self, limit: f64, scale: f64) -> bool {
        let edge = limit * scale * self.values.len() as f64;
        self.spread() < edge * edge
    }

    /// The standard deviation of the population, in the unit of the values; none without a value.
    #[allow(clippy::cast_precision_loss, reason = "counts are small")]
    pub(super) fn value(&self, scale: f64) -> Option<f64> {
        let count = self.values.len() as f64;
        (count > 0.0).then(|| self.spread().sqrt() / count / scale)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_month_of_damaged_values_at_10_hz_neither_stops_nor_differs() {
        let scale = Deviation::scale(0.01);
        let mut window = Deviation::default();
        for row in 0..2_000_000_u64 {
            window.push(row, if row % 2 == 0 { 1e300 } else { -1e300 }, scale);
        }
        assert!(!window.is_below(1e6, scale), "it is anything but still");
        assert!(window.value(scale).unwrap() > 1e6);
        window.forget_before(1_999_999);
        assert!(window.is_below(0.01, scale));
    }

    proptest! {
        #[test]
        fn extremes_are_those_of_the_rows_in_the_window(values in prop::collection::vec(-100i32..100, 1..60), width in 1u64..20) {
            let mut extremes = Extremes::default();
            for (row, value) in values.iter().enumerate() {
                extremes.push(row as u64, f64::from(*value));
                let oldest = (row as u64 + 1).saturating_sub(width);
                extremes.forget_before(oldest);
                let window = &values[usize::try_from(oldest).unwrap()..=row];
                let expected = window.iter().max().unwrap() - window.iter().min().unwrap();
                prop_assert_eq!(extremes.range(), Some(f64::from(expected)));
            }
        }

        #[test]
        fn a_deviation_is_the_same_wherever_reading_began(
            values in prop_oneof![prop::collection::vec(-1e4f64..1e4, 2..60), prop::collection::vec(14.98f64..15.02, 2..60)],
            width in 1usize..20,
        ) {
            let scale = Deviation::scale(0.01);
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
                let mean = window.iter().sum::<f64>() / window.len() as f64;
                let expected = (window.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / window.len() as f64).sqrt();
                prop_assert!((whole.value(scale).unwrap() - expected).abs() < 1e-6 + expected * 1e-6, "{expected}");
            }
        }
    }
}
