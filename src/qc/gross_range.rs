//! Gross range: a value outside its range; also the rule for missing values.
//!
//! Source: QARTOD, in the form of ioos_qc 3.0 `gross_range_test`. It is the only test that looks at the value alone. The range of a
//! direction is an arc of the circle, which may run through north.

use super::flag::Flag;
use super::limits::{Number, bounds, fp2_step};
use super::registry::About;
use super::spec::{OwnBounds, TableSpec};
use super::value::{Sentinels, Value};
use crate::ameriflux::{MeasuredOver, Range, Ranges};
use crate::quantity::{CIRCLE, Kind};

pub(super) const ABOUT: About = About {
    name: "gross_range",
    summary: "a value outside of its range",
    keys: "`suspect`, `fail`, `variable`",
    section: "Ranges and AmeriFlux variables",
    source: "QARTOD; ioos_qc `gross_range_test`; AmeriFlux's limits",
};

/// The range test of one column. A column without a range has bounds that every number passes.
#[derive(Debug, Clone, PartialEq)]
pub struct GrossRange {
    /// The bounds that are inside every range. Nearly every value is inside them, and costs two comparisons.
    inner: (f64, f64),
    ranges: Ranges,
    own: OwnBounds,
    /// Pass if a range is configured, otherwise not evaluated.
    inside: Flag,
    sentinels: Sentinels,
    /// Whether the column holds texts. Then only configured texts mean "missing".
    is_text: bool,
    is_direction: bool,
}

impl GrossRange {
    /// `sentinels` are values that mean "missing" (7999, -9999, "ERR").
    pub fn new(range: Option<Ranges>, own: OwnBounds, sentinels: Sentinels) -> GrossRange {
        let inside = if range.is_some() { Flag::Pass } else { Flag::NotEvaluated };
        let ranges = range.unwrap_or(Ranges::from(Range::EVERYTHING));
        // What is expected of a direction may reach beyond what is possible: [340, 380] within [0, 360].
        let Range { suspect, fail } = ranges.narrowest();
        let inner = (suspect.0.max(fail.0), suspect.1.min(fail.1));
        GrossRange { inner, ranges, own, inside, sentinels, is_text: false, is_direction: false }
    }

    /// The test as it is configured for a column of a table.
    pub fn of(table: &TableSpec<'_>, column: &str) -> GrossRange {
        let own = table.columns.get(column);
        let sentinels = own.and_then(|own| own.sentinels).unwrap_or(table.sentinels);
        let is_text = own.is_some_and(|own| own.is_text);
        let own_bounds = own.map(|own| own.own_bounds).unwrap_or_default();
        let is_direction = table.kind_of(column) == Kind::Direction;
        GrossRange {
            is_text,
            is_direction,
            ..GrossRange::new(own.and_then(|own| own.range), own_bounds, sentinels.clone())
        }
    }

    /// The closed interval of the numbers that have [`GrossRange::flag_inside`], whatever else; an empty one if a sentinel lies
    /// inside the ranges.
    pub fn sure(&self) -> (f64, f64) {
        let (low, high) = self.inner;
        let has_sentinel = self.sentinels.numbers().iter().any(|number| (low..=high).contains(number));
        if has_sentinel { (f64::INFINITY, f64::NEG_INFINITY) } else { (low, high) }
    }

    /// The flag of a value inside the ranges.
    pub fn flag_inside(&self) -> Flag {
        self.inside
    }

    /// The value as a number: NaN where it is missing, text or a sentinel.
    #[inline]
    pub fn number(&self, value: Value) -> f64 {
        match value {
            Value::Number(number) if !self.sentinels.has_number(number) => number,
            _ => f64::NAN,
        }
    }

    /// The value for a comparison with another table: NaN if it is missing, a text, or fails its range. Rows of another
    /// table are read one by one, so the range for an unknown interval is used.
    pub fn witness(&self, value: Value) -> f64 {
        if self.flag(value, MeasuredOver::since(None)) == Flag::Fail { f64::NAN } else { self.number(value) }
    }

    /// Why a value was raised.
    pub fn detail(&self, value: Value, over: MeasuredOver, flag: Flag) -> String {
        let Value::Number(number) = value else { return "text where a number is expected".to_owned() };
        let (low, high) = bounds(self.ranges.over(over), flag);
        let shown = Number(number);
        if self.is_arc((low, high)) {
            return format!("{shown} outside {low} to {high}");
        }
        if number < low { format!("{shown} below {low}") } else { format!("{shown} above {high}") }
    }

    /// QARTOD's gross range: both intervals are closed, a value on a bound is inside. Text in a column with a range is
    /// not a measurement, so it fails. `over` is the time over which the row's values were measured.
    #[inline]
    pub fn flag(&self, value: Value, over: MeasuredOver) -> Flag {
        let number = match value {
            Value::Number(number) => number,
            Value::Missing => return Flag::Missing,
            Value::Text(word) if self.sentinels.has_word(word) => return Flag::Missing,
            Value::Text(word) if word.is_usual() && !self.is_text => return Flag::Missing,
            Value::Text(_) if self.inside == Flag::Pass => return Flag::Fail,
            Value::Text(_) => return Flag::NotEvaluated,
        };
        // A sentinel is a code, so only exactly that number matches.
        if self.sentinels.has_number(number) {
            return Flag::Missing;
        }
        if number >= self.inner.0 && number <= self.inner.1 { self.inside } else { self.outside(number, over) }
    }

    /// The flag of a value that is outside at least one range. Bounds of a variable apply to the physical quantity, and
    /// an FP2 number represents every quantity up to one step away: it is outside only if all of them are.
    #[cold]
    fn outside(&self, number: f64, over: MeasuredOver) -> Flag {
        let range = self.ranges.over(over);
        let step = fp2_step(number).unwrap_or(0.0);
        let widened =
            |(low, high): (f64, f64), is_own: bool| if is_own { (low, high) } else { (low - step, high + step) };
        let range =
            Range { suspect: widened(range.suspect, self.own.suspect), fail: widened(range.fail, self.own.fail) };
        if !self.is_in(range.fail, number) {
            Flag::Fail
        } else if !self.is_in(range.suspect, number) {
            Flag::Suspect
        } else {
            self.inside
        }
    }

    /// Whether bounds are the ends of an arc: those of less than the circle, of a direction.
    fn is_arc(&self, (low, high): (f64, f64)) -> bool {
        self.is_direction && high - low < CIRCLE
    }

    /// Closed. 10 is on the arc of [340, 380], and 350 on that of [-20, 20]; what is no direction is on an arc only as it stands.
    fn is_in(&self, (low, high): (f64, f64), number: f64) -> bool {
        let inside = |number: f64| (low..=high).contains(&number);
        let turns = self.is_arc((low, high)) && (-CIRCLE / 2.0..=CIRCLE).contains(&number);
        inside(number) || (turns && (inside(number + CIRCLE) || inside(number - CIRCLE)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digits(tests: &GrossRange, values: &[f64]) -> String {
        values
            .iter()
            .map(|&value| char::from(tests.flag(Value::Number(value), MeasuredOver::UNKNOWN).digit()))
            .collect()
    }

    /// With bounds that the user gives.
    fn own(range: Range, sentinels: Sentinels) -> GrossRange {
        GrossRange::new(Some(range.into()), OwnBounds { suspect: true, fail: true }, sentinels)
    }

    #[test]
    fn bounds_belong_to_the_inside_as_in_qartod() {
        let tests = own(Range { suspect: (2.0, 8.0), fail: (0.0, 10.0) }, Sentinels::default());
        let values = [-0.0001, 0.0, 1.999, 2.0, 5.0, 8.0, 8.001, 10.0, 10.001];
        assert_eq!(digits(&tests, &values), "433111334");
    }

    #[test]
    fn the_range_of_a_direction_may_run_through_north() {
        let of =
            |suspect, fail| GrossRange { is_direction: true, ..own(Range { suspect, fail }, Sentinels::default()) };
        let values = [0.0, 10.0, 20.0, 20.1, 180.0, 339.9, 340.0, 350.0, 360.0, -10.0, 370.0, 400.0, 710.0];
        let (all, circle) = ((f64::NEG_INFINITY, f64::INFINITY), (0.0, 360.0));
        assert_eq!(digits(&of((340.0, 380.0), all), &values), "1113331111133");
        assert_eq!(digits(&of((-20.0, 20.0), all), &values), "1113331111333");
        assert_eq!(digits(&of((340.0, 380.0), circle), &values), "1113331114444");
        assert_eq!(digits(&of((350.0, 370.0), (340.0, 380.0)), &values), "1134443111144");
        assert_eq!(digits(&of(circle, (-18.0, 378.0)), &values), "1111111113344");
        assert_eq!(
            digits(&own(Range { suspect: (340.0, 380.0), fail: all }, Sentinels::default()), &values),
            "3333331113133"
        );
        let arc = of((340.0, 380.0), all);
        assert_eq!(arc.detail(Value::Number(100.0), MeasuredOver::UNKNOWN, Flag::Suspect), "100 outside 340 to 380");
    }

    #[test]
    fn a_sentinel_is_missing_and_only_exactly_that_number() {
        let tests =
            own(Range { suspect: (-50.0, 50.0), fail: (-50.0, 50.0) }, Sentinels::new(vec![7999.0, -9999.0], &[]));
        assert_eq!(digits(&tests, &[7999.0, -9999.0, 7998.9, 25.0]), "9941");
    }

    #[test]
    fn what_is_not_tested_says_so() {
        let tests = GrossRange::new(None, OwnBounds::default(), Sentinels::default());
        assert_eq!(tests.flag(Value::Number(1e9), MeasuredOver::UNKNOWN), Flag::NotEvaluated);
        assert_eq!(tests.flag(Value::of_text("OK"), MeasuredOver::UNKNOWN), Flag::NotEvaluated);
        assert_eq!(tests.flag(Value::Missing, MeasuredOver::UNKNOWN), Flag::Missing);
    }

    #[test]
    fn text_where_a_number_is_expected_fails_unless_it_means_missing() {
        let tests = own(Range { suspect: (0.0, 1.0), fail: (0.0, 1.0) }, Sentinels::new(Vec::new(), &["err"]));
        assert_eq!(tests.flag(Value::of_text("OK"), MeasuredOver::UNKNOWN), Flag::Fail);
        for missing in ["ERR", "NA", "---", ""] {
            assert_eq!(tests.flag(Value::of_text(missing), MeasuredOver::UNKNOWN), Flag::Missing, "{missing}");
        }
    }

    #[test]
    fn a_number_of_fp2_is_outside_of_a_variable_only_where_all_that_it_stands_for_is() {
        // 60 to 105 kPa in mmHg: there FP2 has one digit after the decimal point.
        let range = Range { suspect: (450.037, 787.565), fail: (433.161, 804.441) };
        let variable = GrossRange::new(Some(range.into()), OwnBounds::default(), Sentinels::default());
        assert_eq!(digits(&variable, &[450.0, 449.9, 450.03, 787.6, 787.7, 787.58, 433.1, 433.0]), "13313334");
        assert_eq!(digits(&own(range, Sentinels::default()), &[450.0, 787.6, 433.1]), "334");
    }
}
