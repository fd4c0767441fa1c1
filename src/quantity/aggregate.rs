//! Aggregates: how the values of a longer time become one value, by the same rule at every zoom level.
//!
//! A bin of a drawing keeps sums, not results, so that wide bins are made of narrow ones without loss: the sum of sums,
//! the mean of all values and not of means, the direction of all unit vectors. [`Aggregate::add`] and
//! [`Aggregate::merge`] update the sums, [`Aggregate::result`] computes the value.

use super::kind::direction;

/// How the values of a longer time become one value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Aggregate {
    /// Their mean.
    Mean,
    /// The direction of the mean of their unit vectors.
    VectorMean,
    /// Their sum.
    Sum,
    /// The sum of a counter's increments.
    Increments,
    /// The largest.
    Maximum,
    /// The smallest.
    Minimum,
    /// The square root of the mean of their squares. For standard deviations of equally long parts it is the pooled
    /// one; it does not include the differences between the parts, because that needs the means of the parts.
    RootMeanSquare,
    /// The newest.
    Last,
}

/// The sums of a bin's values, for [`Aggregate::result`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sums {
    /// The number of values.
    pub count: u32,
    /// Depending on the aggregate: the sum; the sum of squares, sines or increments; the newest value.
    pub first: f64,
    /// Depending on the aggregate: the sum of cosines, the number of increments, the time of the newest value;
    /// otherwise 0.
    pub second: f64,
    /// The smallest value; infinite without values.
    pub low: f64,
    /// The largest value; minus infinite without values.
    pub high: f64,
}

impl Sums {
    /// The sums of no values.
    pub const NONE: Sums = Sums { count: 0, first: 0.0, second: 0.0, low: f64::INFINITY, high: f64::NEG_INFINITY };
}

impl Aggregate {
    /// The name on the page, before the width of a bin: "mean of 10 min".
    pub const fn name(self) -> &'static str {
        match self {
            Aggregate::Mean => "mean",
            Aggregate::VectorMean => "vector mean",
            Aggregate::Sum => "sum",
            Aggregate::Increments => "increment",
            Aggregate::Maximum => "maximum",
            Aggregate::Minimum => "minimum",
            Aggregate::RootMeanSquare => "root mean square",
            Aggregate::Last => "newest value",
        }
    }

    /// Whether the aggregate uses [`Sums::second`].
    pub const fn needs_second(self) -> bool {
        matches!(self, Aggregate::VectorMean | Aggregate::Increments | Aggregate::Last)
    }

    /// Whether the result lies between the smallest and the largest value, so that a band between these is meaningful.
    pub const fn has_band(self) -> bool {
        !matches!(self, Aggregate::VectorMean | Aggregate::Sum | Aggregate::Increments)
    }

    /// Adds a value at a time in milliseconds since 1970. `increment` is the result of [`Counter::step`], for
    /// [`Aggregate::Increments`] only.
    #[inline]
    pub fn add(self, sums: &mut Sums, value: f64, ms: i64, increment: Option<f64>) {
        sums.count += 1;
        if value < sums.low {
            sums.low = value;
        }
        if value > sums.high {
            sums.high = value;
        }
        match self {
            Aggregate::Mean | Aggregate::Sum | Aggregate::Maximum | Aggregate::Minimum => sums.first += value,
            Aggregate::RootMeanSquare => sums.first += value * value,
            Aggregate::VectorMean => {
                let (sine, cosine) = value.to_radians().sin_cos();
                sums.first += sine;
                sums.second += cosine;
            }
            Aggregate::Increments => {
                if let Some(increment) = increment {
                    sums.first += increment;
                    sums.second += 1.0;
                }
            }
            #[allow(clippy::cast_precision_loss, reason = "milliseconds of this century are far below 2^53")]
            Aggregate::Last => {
                if sums.count == 1 || ms as f64 >= sums.second {
                    (sums.first, sums.second) = (value, ms as f64);
                }
            }
        }
    }

    /// Adds the sums of other values, in any order of time.
    #[inline]
    pub fn merge(self, sums: &mut Sums, other: &Sums) {
        if self == Aggregate::Last {
            if other.count > 0 && (sums.count == 0 || other.second >= sums.second) {
                (sums.first, sums.second) = (other.first, other.second);
            }
        } else {
            sums.first += other.first;
            sums.second += other.second;
        }
        sums.count += other.count;
        if other.low < sums.low {
            sums.low = other.low;
        }
        if other.high > sums.high {
            sums.high = other.high;
        }
    }

    /// The value of all sums; NaN if there is none: no value, opposite directions, no known increment.
    pub fn result(self, sums: &Sums) -> f64 {
        if sums.count == 0 {
            return f64::NAN;
        }
        let count = f64::from(sums.count);
        match self {
            // Rounding may move the mean of equal values outside their range.
            Aggregate::Mean => (sums.first / count).clamp(sums.low, sums.high),
            Aggregate::RootMeanSquare => (sums.first / count).sqrt().min(sums.high.abs().max(sums.low.abs())),
            Aggregate::VectorMean => direction(sums.first, sums.second, count).unwrap_or(f64::NAN),
            Aggregate::Increments if sums.second == 0.0 => f64::NAN,
            Aggregate::Sum | Aggregate::Increments | Aggregate::Last => sums.first,
            Aggregate::Maximum => sums.high,
            Aggregate::Minimum => sums.low,
        }
    }

    /// The length of the mean of the unit vectors, 0 to 1: the weight of this result in a mean of several results.
    pub fn steadiness(self, sums: &Sums) -> f64 {
        if sums.count == 0 { 0.0 } else { (sums.first.hypot(sums.second) / f64::from(sums.count)).min(1.0) }
    }
}

/// Computes the increments of a counter, row by row.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Counter {
    before: Option<(i64, f64)>,
}

impl Counter {
    /// The increment of a reading since the previous one; NaN for a reading without a usable value.
    ///
    /// None for the first reading and after a gap: rows that are more than `longest` milliseconds apart, or a reading
    /// without a value in between. What was counted in a gap belongs to no row. A reading of less than half of the
    /// previous one is a reset: the increment is the reading. A smaller decrease is noise of the instrument and is
    /// counted as it is, so that the increments add up to the counter's change.
    #[inline]
    pub fn step(&mut self, ms: i64, value: f64, longest: i64) -> Option<f64> {
        let before = std::mem::replace(&mut self.before, (!value.is_nan()).then_some((ms, value)));
        let (since, before) = before?;
        if value.is_nan() || ms - since > longest {
            return None;
        }
        Some(increment(before, value))
    }
}

/// What was counted between two readings: a reading of less than half of the previous one is a reset.
#[inline]
pub(super) fn increment(before: f64, value: f64) -> f64 {
    let is_reset = value >= 0.0 && value < before / 2.0;
    if is_reset { value } else { value - before }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::quantity::Kind;
    use proptest::prelude::*;

    /// The sums of readings that are one minute apart, including increments.
    fn summed(aggregate: Aggregate, values: &[f64], from: i64) -> Sums {
        let mut sums = Sums::NONE;
        for (value, minute) in values.iter().zip(from..) {
            aggregate.add(&mut sums, *value, minute * 60_000, None);
        }
        sums
    }

    #[test]
    fn each_kind_puts_values_together_by_its_own_rule() {
        for (aggregate, values, wanted) in [
            (Aggregate::Mean, &[1.0, 2.0, 6.0][..], 3.0),
            (Aggregate::VectorMean, &[350.0, 10.0, 355.0], 358.316_7),
            (Aggregate::VectorMean, &[80.0, 90.0, 100.0, 110.0], 95.0),
            (Aggregate::Sum, &[0.2, 0.0, 0.4], 0.6),
            (Aggregate::Maximum, &[3.0, 9.0, 4.0], 9.0),
            (Aggregate::Minimum, &[3.0, 9.0, 4.0], 3.0),
            (Aggregate::RootMeanSquare, &[3.0, 4.0], 3.535_534),
            (Aggregate::Last, &[7.0, 2.0], 2.0),
        ] {
            let found = aggregate.result(&summed(aggregate, values, 0));
            assert!((found - wanted).abs() < 1e-4, "{aggregate:?}: {found}");
        }
        assert!(Aggregate::VectorMean.result(&summed(Aggregate::VectorMean, &[0.0, 180.0], 0)).is_nan());
        assert!(Aggregate::Sum.result(&Sums::NONE).is_nan());
    }

    #[test]
    fn a_counter_gives_increments_resets_and_nothing_behind_a_gap() {
        let minute = 60_000;
        let mut counter = Counter::default();
        let readings = [10.0, 10.2, 10.2, 0.0, 0.4, f64::NAN, 1.0, 0.999];
        let steps: Vec<Option<f64>> =
            (0..).zip(readings).map(|(at, value)| counter.step(at * minute, value, 90_000)).collect();
        let wanted = [None, Some(0.2), Some(0.0), Some(0.0), Some(0.4), None, None, Some(-0.001)];
        for (found, wanted) in steps.iter().zip(wanted) {
            assert_eq!(found.is_some(), wanted.is_some(), "{steps:?}");
            assert!((found.unwrap_or(0.0) - wanted.unwrap_or(0.0)).abs() < 1e-9, "{steps:?}");
        }
        // Two rows are missing: the counts within the gap may not belong to this row.
        assert_eq!(counter.step(10 * minute, 50.0, 90_000), None);
    }

    /// The result of all values at once, and the result of bins of `width` readings that are merged in another order.
    fn both(aggregate: Aggregate, values: &[f64], width: usize) -> (f64, f64) {
        let whole = summed(aggregate, values, 0);
        let bins: Vec<Sums> = (0i64..)
            .zip(values.chunks(width))
            .map(|(at, part)| summed(aggregate, part, at * i64::try_from(width).unwrap()))
            .collect();
        let mut merged = Sums::NONE;
        for bin in bins.iter().step_by(2).chain(bins.iter().skip(1).step_by(2)) {
            aggregate.merge(&mut merged, bin);
        }
        assert_eq!(merged.count, whole.count);
        (aggregate.result(&whole), aggregate.result(&merged))
    }

    proptest! {
        #[test]
        fn every_zoom_gives_the_same_value(
            values in prop::collection::vec(0.0f64..360.0, 1..60), width in 1usize..20,
        ) {
            for (_, kind) in Kind::names() {
                let aggregate = kind.aggregate();
                let (whole, merged) = both(aggregate, &values, width);
                // For vectors that nearly cancel each other, rounding decides the direction.
                let is_weak = aggregate == Aggregate::VectorMean
                    && aggregate.steadiness(&summed(aggregate, &values, 0)) < 1e-3;
                let apart = kind.change(whole, merged).abs();
                prop_assert!(is_weak || (whole.is_nan() && merged.is_nan()) || apart < 1e-6, "{kind:?}: {whole} {merged}");
            }
        }

        #[test]
        fn directions_turn_with_the_compass_at_every_zoom(
            values in prop::collection::vec(0.0f64..360.0, 1..60), width in 1usize..20,
            turn in prop::sample::select(vec![90.0, 180.0, 270.0]),
        ) {
            let turned: Vec<f64> = values.iter().map(|value| (value + turn) % 360.0).collect();
            let sums = summed(Aggregate::VectorMean, &values, 0);
            prop_assume!(Aggregate::VectorMean.steadiness(&sums) > 1e-3);
            let (here, there) = (both(Aggregate::VectorMean, &values, width), both(Aggregate::VectorMean, &turned, width));
            for (here, there) in [(here.0, there.0), (here.1, there.1), (here.0, there.1)] {
                prop_assert!(Kind::Direction.change(here + turn, there).abs() < 1e-6, "{here} {there}");
                prop_assert!((0.0..360.0).contains(&there));
            }
            let steady = |values: &[f64]| Aggregate::VectorMean.steadiness(&summed(Aggregate::VectorMean, values, 0));
            prop_assert!((steady(&values) - steady(&turned)).abs() < 1e-9);
        }

        #[test]
        fn increments_add_up_to_the_change_of_a_counter_that_is_not_reset(
            rain in prop::collection::vec(0u32..50, 2..60),
        ) {
            let mut total = 1000.0;
            let mut counter = Counter::default();
            let mut sum = 0.0;
            for (at, more) in (0i64..).zip(&rain) {
                total += f64::from(*more) / 10.0;
                sum += counter.step(at * 60_000, total, 60_000).unwrap_or(0.0);
            }
            let wanted: u32 = rain.iter().skip(1).sum();
            prop_assert!((sum - f64::from(wanted) / 10.0).abs() < 1e-6);
        }
    }
}
