//! The answers to requests for data, in the form that the page of `serve` and the report read.
//!
//! Times are UTC milliseconds since 1970, durations seconds. Absent values are null.

use serde::{Serialize, Serializer};

use super::WantedColumn;
use crate::qc::Test;
use crate::time::Timestamp;

/// A number in an answer: null if there is none, without a fraction if it is whole.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Figure(pub f64);

impl Figure {
    /// No number.
    pub const NONE: Figure = Figure(f64::NAN);

    /// A measured value with at most seven significant digits, the precision of Campbell's IEEE4.
    pub fn rounded(value: f64) -> Figure {
        Figure(seven_digits(value))
    }

    /// A time in milliseconds since 1970.
    pub fn millis(ts: Timestamp) -> Figure {
        // In two steps: nanoseconds since 1970 exceed the precision of a double.
        #[allow(clippy::cast_precision_loss, reason = "a quarter of a microsecond, in this century")]
        Figure(ts.millis() as f64 + ts.nanos().rem_euclid(1_000_000) as f64 / 1e6)
    }

    /// The number, if there is one.
    pub fn get(self) -> Option<f64> {
        self.0.is_finite().then_some(self.0)
    }
}

impl Serialize for Figure {
    #[allow(clippy::cast_possible_truncation, reason = "whole and below 2^53")]
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.get() {
            None => serializer.serialize_none(),
            Some(number) if number.fract() == 0.0 && number.abs() < 9e15 => serializer.serialize_i64(number as i64),
            Some(number) => serializer.serialize_f64(number),
        }
    }
}

/// The nearest number with seven significant digits.
fn seven_digits(value: f64) -> f64 {
    let magnitude = value.abs();
    if !(1e-9..1e15).contains(&magnitude) {
        // Zero, NaN, and numbers for which the steps below lose precision.
        return if value.is_finite() { format!("{value:.6e}").parse().unwrap_or(value) } else { f64::NAN };
    }
    #[allow(clippy::cast_possible_truncation, reason = "between -9 and 15")]
    let places = 6 - magnitude.log10().floor() as i32;
    // A whole number below 2^53 divided by an exact power of ten is the double nearest to the decimal.
    if places >= 0 {
        let scale = 10f64.powi(places);
        (value * scale).round() / scale
    } else {
        let scale = 10f64.powi(-places);
        (value / scale).round() * scale
    }
}

/// The name of a test as the page shows it.
pub(super) fn test_name(test: Test) -> &'static str {
    if test == Test::Manual { "by hand" } else { test.name() }
}

/// Values of some columns of a series over a span of time: every row, or bins.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Trace {
    /// The table's name in the configuration.
    pub table: String,
    /// First instant of the request.
    pub from: Figure,
    /// Last instant of the request.
    pub to: Figure,
    /// Width of a bin; null for single rows. Bins begin at multiples of it since 1970.
    pub bin_s: Option<Figure>,
    /// The time of every row, or the begin of every bin with rows.
    pub times: Vec<Figure>,
    /// Rows in each bin; null for single rows.
    pub rows: Option<Vec<u32>>,
    /// The usual interval of rows in this span.
    pub interval_s: Option<Figure>,
    /// In the order of the request.
    pub columns: Vec<TraceColumn>,
}

/// One column of a [`Trace`]; its lists are as long as `times`, or hold positions in it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TraceColumn {
    /// Its name in the file.
    pub name: String,
    /// The kind of its quantity, as the configuration names it.
    pub kind: &'static str,
    /// How the values of a bin are aggregated: `mean`, `vector mean`, `sum`, `increment`, `maximum`, `minimum`, `root
    /// mean square` or `newest value`.
    pub together: &'static str,
    /// Whether the value of a bin lies between its minimum and maximum: not for directions, sums and increments.
    pub has_band: bool,
    /// How it is drawn: `line`, `points` or `bars` from 0.
    pub drawing: &'static str,
    /// The value, or the aggregate of the bin's values that did not fail; for a counter its increments. Failed values
    /// are never included.
    pub value: Vec<Figure>,
    /// The minimum of each bin, without failed values; null for rows and without a band.
    pub low: Option<Vec<Figure>>,
    /// The maximum.
    pub high: Option<Vec<Figure>>,
    /// For directions in bins: the length of each bin's mean vector, 1 if all are equal, 0 if they cancel each other.
    pub steadiness: Option<Vec<Figure>>,
    /// One digit per time, the worst of a bin: 4, 3, 9, 2, 1; a blank if no row has the column.
    pub flags: String,
    /// Position, minimum, maximum and count of suspect values.
    pub suspect: Vec<(usize, Figure, Figure, u32)>,
    /// Position, minimum, maximum and count of failed values.
    pub fail: Vec<(usize, Figure, Figure, u32)>,
    /// Position and count of missing values.
    pub missing: Vec<(usize, u32)>,
    /// Position, test, flag and text; null for bins.
    pub findings: Option<Vec<(usize, &'static str, &'static str, String)>>,
    /// The expected range by the configured climatology.
    pub expected: Option<Expected>,
}

impl TraceColumn {
    /// A column without values.
    pub(super) fn empty(wanted: &WantedColumn) -> TraceColumn {
        TraceColumn {
            name: wanted.name.clone(),
            kind: wanted.kind.name(),
            together: wanted.kind.aggregate().name(),
            has_band: wanted.kind.aggregate().has_band(),
            drawing: wanted.kind.drawing().name(),
            value: Vec::new(),
            low: None,
            high: None,
            steadiness: None,
            flags: String::new(),
            suspect: Vec::new(),
            fail: Vec::new(),
            missing: Vec::new(),
            findings: None,
            expected: None,
        }
    }
}

/// A range at each time.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Expected {
    /// Its lower bounds.
    pub low: Vec<Figure>,
    /// Its upper bounds.
    pub high: Vec<Figure>,
}

/// The flags of every column of a series over a span of time.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Ribbon {
    /// The table's name in the configuration.
    pub table: String,
    /// First instant of the request.
    pub from: Figure,
    /// Last instant of the request.
    pub to: Figure,
    /// Width of a bin. Bins begin at multiples of it since 1970.
    pub bin_s: Figure,
    /// The begin of every bin, with or without rows.
    pub times: Vec<Figure>,
    /// The number of rows in each.
    pub rows: Vec<u32>,
    /// In the order of the column list.
    pub columns: Vec<RibbonColumn>,
}

/// One column of a [`Ribbon`].
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RibbonColumn {
    /// Its name in the file.
    pub name: String,
    /// The worst digit of each bin; a blank for an empty bin.
    pub flags: String,
    /// Values with each flag, over all bins.
    #[serde(flatten)]
    pub counts: FlagCounts,
}

/// The number of values with each flag.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct FlagCounts {
    /// Passed.
    pub good: u64,
    /// Suspect.
    pub suspect: u64,
    /// Failed.
    pub fail: u64,
    /// Missing.
    pub missing: u64,
    /// Not evaluated.
    pub not_evaluated: u64,
}

impl FlagCounts {
    /// The number of all values.
    pub fn values(&self) -> u64 {
        self.good + self.suspect + self.fail + self.missing + self.not_evaluated
    }
}

/// The flags of a table's last day of data, over all of its series.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LastDay {
    /// The beginning, a full hour; the day ends with the newest row. None if there is no row.
    pub from: Option<Timestamp>,
    /// The number of rows.
    pub rows: u64,
    /// Name and counts, in the order of the column list.
    pub columns: Vec<(String, FlagCounts)>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_has_seven_digits_at_most_and_null_for_nothing() {
        for (value, text) in [
            (8.852894, "8.852894"),
            (8.85289412345, "8.852894"),
            (0.1 + 0.2, "0.3"),
            (-1234567.89, "-1234568"),
            (123456789.0, "123456800"),
            (1.0, "1"),
            (-0.0, "0"),
            (7.591075e-5, "0.00007591075"),
            (1.23456789e-12, "1.234568e-12"),
            (9.999_999_6, "10"),
            (1.5e300, "1.5e300"),
            (f64::NAN, "null"),
            (f64::INFINITY, "null"),
        ] {
            let said = serde_json::to_string(&Figure::rounded(value)).unwrap();
            let parse = |text: &str| text.parse::<f64>().ok();
            assert_eq!(parse(&said), parse(text), "{value} as {said}");
            assert!(said.len() <= 14, "{said}");
        }
        assert_eq!(
            serde_json::to_string(&Figure::millis(Timestamp::from_nanos(1_717_200_000_050_000_000))).unwrap(),
            "1717200000050"
        );
    }

    proptest::proptest! {
        #[test]
        fn a_number_of_seven_digits_is_unchanged(digits in -9_999_999i64..10_000_000, exponent in -12i32..12) {
            let value: f64 = format!("{digits}e{exponent}").parse().unwrap();
            proptest::prop_assert_eq!(Figure::rounded(value).0.to_bits(), if digits == 0 { 0f64.to_bits() } else { value.to_bits() });
        }
    }
}
