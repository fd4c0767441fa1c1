//! Gross range: a value outside of its range, and what counts as a missing value.
//!
//! Source: QARTOD, in the form of ioos_qc 3.0 `gross_range_test`. It is the only test that looks at the value alone.

use super::flag::Flag;
use super::registry::About;
use super::spec::TableSpec;
use super::value::{Sentinels, Value};
use crate::ameriflux::Range;

pub(super) const ABOUT: About = About {
    name: "gross_range",
    summary: "a value outside of its range",
    keys: "`suspect`, `fail`, `variable`",
    section: "Ranges and AmeriFlux variables",
    source: "QARTOD; ioos_qc `gross_range_test`; AmeriFlux's limits",
};

/// The test of one column. A column without a range has bounds that every number passes.
#[derive(Debug, Clone, PartialEq)]
pub struct GrossRange {
    fail: (f64, f64),
    suspect: (f64, f64),
    /// Pass where a range is configured, not evaluated where none is.
    inside: Flag,
    sentinels: Sentinels,
    /// Whether the column is one of texts, in which only configured texts mean "missing".
    is_text: bool,
}

impl GrossRange {
    /// `sentinels` are values that mean "missing" (7999, -9999, "ERR").
    pub fn new(range: Option<Range>, sentinels: Sentinels) -> GrossRange {
        let everything = (f64::NEG_INFINITY, f64::INFINITY);
        match range {
            Some(Range { suspect, fail }) => {
                GrossRange { fail, suspect, inside: Flag::Pass, sentinels, is_text: false }
            }
            None => GrossRange {
                fail: everything,
                suspect: everything,
                inside: Flag::NotEvaluated,
                sentinels,
                is_text: false,
            },
        }
    }

    /// As it is configured for a column of a table.
    pub fn of(table: &TableSpec<'_>, column: &str) -> GrossRange {
        let own = table.columns.get(column);
        let sentinels = own.and_then(|own| own.sentinels).unwrap_or(table.sentinels);
        let is_text = own.is_some_and(|own| own.is_text);
        GrossRange { is_text, ..GrossRange::new(own.and_then(|own| own.range), sentinels.clone()) }
    }

    /// The value as a number: NaN where it is missing, text or a sentinel.
    #[inline]
    pub fn number(&self, value: Value) -> f64 {
        match value {
            Value::Number(number) if !self.sentinels.has_number(number) => number,
            _ => f64::NAN,
        }
    }

    /// The value as a witness for another: NaN where it is missing, text, or fails its range.
    pub fn witness(&self, value: Value) -> f64 {
        if self.flag(value) == Flag::Fail { f64::NAN } else { self.number(value) }
    }

    /// Why a value was raised.
    pub fn detail(&self, value: Value, flag: Flag) -> String {
        let Value::Number(number) = value else { return "text where a number is expected".to_owned() };
        let (low, high) = if flag == Flag::Fail { self.fail } else { self.suspect };
        if number < low { format!("{number} below {low}") } else { format!("{number} above {high}") }
    }

    /// QARTOD's gross range: both intervals are closed, a value on a bound is inside. Text where a range is configured
    /// is no measurement, so it fails.
    #[inline]
    pub fn flag(&self, value: Value) -> Flag {
        let number = match value {
            Value::Number(number) => number,
            Value::Missing => return Flag::Missing,
            Value::Text(word) if self.sentinels.has_word(word) => return Flag::Missing,
            Value::Text(word) if word.is_usual() && !self.is_text => return Flag::Missing,
            Value::Text(_) if self.inside == Flag::Pass => return Flag::Fail,
            Value::Text(_) => return Flag::NotEvaluated,
        };
        // A sentinel is a spelling, so only exactly that number is meant.
        if self.sentinels.has_number(number) {
            return Flag::Missing;
        }
        if number < self.fail.0 || number > self.fail.1 {
            Flag::Fail
        } else if number < self.suspect.0 || number > self.suspect.1 {
            Flag::Suspect
        } else {
            self.inside
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digits(tests: &GrossRange, values: &[f64]) -> String {
        values.iter().map(|&value| char::from(tests.flag(Value::Number(value)).digit())).collect()
    }

    #[test]
    fn bounds_belong_to_the_inside_as_in_qartod() {
        let tests = GrossRange::new(Some(Range { suspect: (2.0, 8.0), fail: (0.0, 10.0) }), Sentinels::default());
        let values = [-0.0001, 0.0, 1.999, 2.0, 5.0, 8.0, 8.001, 10.0, 10.001];
        assert_eq!(digits(&tests, &values), "433111334");
    }

    #[test]
    fn a_sentinel_is_missing_and_only_exactly_that_number() {
        let tests = GrossRange::new(
            Some(Range { suspect: (-50.0, 50.0), fail: (-50.0, 50.0) }),
            Sentinels::new(vec![7999.0, -9999.0], &[]),
        );
        assert_eq!(digits(&tests, &[7999.0, -9999.0, 7998.9, 25.0]), "9941");
    }

    #[test]
    fn what_is_not_tested_says_so() {
        let tests = GrossRange::new(None, Sentinels::default());
        assert_eq!(tests.flag(Value::Number(1e9)), Flag::NotEvaluated);
        assert_eq!(tests.flag(Value::of_text("OK")), Flag::NotEvaluated);
        assert_eq!(tests.flag(Value::Missing), Flag::Missing);
    }

    #[test]
    fn text_where_a_number_is_expected_fails_unless_it_means_missing() {
        let tests = GrossRange::new(
            Some(Range { suspect: (0.0, 1.0), fail: (0.0, 1.0) }),
            Sentinels::new(Vec::new(), &["err"]),
        );
        assert_eq!(tests.flag(Value::of_text("OK")), Flag::Fail);
        for missing in ["ERR", "NA", "---", ""] {
            assert_eq!(tests.flag(Value::of_text(missing)), Flag::Missing, "{missing}");
        }
    }
}
