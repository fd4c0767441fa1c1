//! Drafts the text about one column: facts, and suggestions with their reason.

use super::guess::{Around, Guess, guess};
use super::place::{Place, place, sensor};
use super::quality::{self, Line, Rows};
use super::sample::ColumnSample;
use crate::ameriflux;
use crate::ameriflux::unit::{self, Fit};
use crate::ameriflux::{Range, Variable};

/// Fewer values than this show nothing about a sensor.
const ENOUGH_VALUES: usize = 12;
/// Numbers that loggers write for "missing" or "too large", and why.
const SENTINELS: [(f64, &str); 7] = [
    (7_999.0, "the largest number of the logger's two-byte format, so too large or no value"),
    (-7_999.0, "the smallest number of the logger's two-byte format, so too small or no value"),
    (6_999.0, "means no value on older loggers"),
    (-6_999.0, "means no value on older loggers"),
    (-9_999.0, "means no value to AmeriFlux and to many programs"),
    (-99_999.0, "means no value on older loggers"),
    (-2_147_483_648.0, "is no value in a logger's whole-number format"),
];
/// Bounds within which AmeriFlux reports that a percentage "looks like a fraction".
const FRACTION: (f64, f64) = (-0.05, 1.05);

/// One column of the draft.
#[derive(Debug, Clone)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) unit: String,
    pub(super) process: String,
    /// Facts about the column's values.
    pub(super) facts: Vec<String>,
    pub(super) variable: Option<Suggestion>,
    /// The height or depth of the sensor.
    pub(super) place: Option<Place>,
    /// The sensor.
    pub(super) sensor: Option<&'static str>,
    /// The field name to send it under, if its own name cannot be used.
    pub(super) field: Option<String>,
    /// A number that may mean "missing".
    pub(super) missing: Option<Line>,
    /// The QC tests.
    pub(super) tests: Vec<Line>,
    /// Why the user may leave it out.
    pub(super) ignore: Option<String>,
    /// Whether it distinguishes the rows of one stamp.
    pub(super) is_tag: bool,
}

/// An AmeriFlux variable suggested for a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Suggestion {
    pub(super) variable: &'static str,
    /// Whether it is written as a key; otherwise it is a comment.
    pub(super) active: bool,
    pub(super) reason: String,
}

impl Column {
    /// `reserved` are the names of the table's tags.
    pub(super) fn new(sample: &ColumnSample, around: Around<'_>, rows: &Rows<'_>, reserved: &[&str]) -> Column {
        let mut facts = Vec::new();
        let mut ignore = None;
        let count = sample.numbers().count();
        let all = count + sample.missing + sample.text;
        if sample.text == all && all > 0 {
            facts.push("text, which is stored and not sent".to_owned());
            ignore = Some("text; or \"tag\", if it distinguishes rows of one time".to_owned());
        } else if sample.text > 0 {
            facts.push(format!("text in {} of {all} rows looked at", sample.text));
        } else if sample.missing == all && all > 1 {
            facts.push(format!("no value in any of {all} rows looked at"));
            ignore = Some("no value".to_owned());
        }
        if let Some(number) = constant(sample) {
            facts.push(format!("{} in all {} values looked at", shown(number), count));
            ignore.get_or_insert_with(|| "if a constant tells nothing".to_owned());
        }
        let guess = guess(sample, around);
        let variable = guess.as_ref().and_then(|guess| judge(sample, guess));
        let missing = missing(sample, variable.as_ref(), all);
        let tests = quality::lines(sample, guess.as_ref(), variable.as_ref(), rows);
        // A height or depth of a column of text has no use.
        let is_text = sample.text == all && all > 0;
        Column {
            place: place(&sample.name, variable.as_ref(), around).filter(|_| !is_text),
            sensor: sensor(&sample.name).filter(|_| !is_text),
            variable,
            field: field(&sample.name, reserved),
            name: sample.name.clone(),
            unit: sample.unit.clone(),
            process: sample.process.clone(),
            facts,
            missing,
            tests,
            ignore,
            is_tag: false,
        }
    }

    /// Whether only the section header of the column is written.
    pub(super) fn is_plain(&self) -> bool {
        let has_no_suggestion = self.variable.is_none() && self.place.is_none() && self.sensor.is_none();
        let has_no_test = self.tests.is_empty() && self.missing.is_none();
        has_no_suggestion && has_no_test && self.field.is_none() && self.ignore.is_none() && !self.is_tag
    }
}

/// The number, if all values are equal.
#[allow(clippy::float_cmp, reason = "values of a working sensor differ in the last digit")]
fn constant(sample: &ColumnSample) -> Option<f64> {
    let mut numbers = sample.numbers();
    let first = numbers.next()?;
    let is_constant = sample.text == 0 && numbers.clone().all(|number| number == first);
    (is_constant && numbers.count() + 1 >= ENOUGH_VALUES).then_some(first)
}

/// A short notation, also for the tiny numbers that result from a failed conversion.
fn shown(number: f64) -> String {
    let ordinary = number == 0.0 || (1e-4..1e9).contains(&number.abs());
    if ordinary { number.to_string() } else { format!("{number:e}") }
}

/// A number among the values that may mean "missing". It is a key if it cannot be a value of the variable and is not a
/// number that a sensor gives for a signal that is too large.
fn missing(sample: &ColumnSample, variable: Option<&Suggestion>, all: usize) -> Option<Line> {
    #[allow(clippy::float_cmp, reason = "a sentinel is a spelling, so only exactly that number is meant")]
    let count_of = |number: f64| sample.numbers().filter(|value| *value == number).count();
    let counted = SENTINELS.iter().map(|(number, why)| (number, why, count_of(*number)));
    let (number, why, count) = counted.into_iter().find(|(_, _, count)| *count > 0)?;
    let known = variable.filter(|variable| variable.active).and_then(|variable| ameriflux::lookup(variable.variable));
    let is_outside = known.is_some_and(|known| !within(range(&sample.unit, known).fail, *number));
    Some(Line {
        text: format!("missing = [{number}]"),
        active: is_outside && *number < 0.0,
        reason: format!("{count} of {all} values: {why}"),
    })
}

fn within((low, high): (f64, f64), number: f64) -> bool {
    (low..=high).contains(&number)
}

/// The variable's range in the unit of the header.
fn range(unit: &str, variable: &Variable) -> Range {
    let range = variable.range();
    match unit::fit(unit, variable) {
        Fit::Converted(conversion) => conversion.back_range(range),
        Fit::AsIs | Fit::Unfit { .. } => range,
    }
}

/// Whether a guess becomes a key: name and unit must agree, and no value may suggest another unit. A value outside the
/// variable's range is then a fault of the sensor. A guess that the unit contradicts is dropped if the name is
/// ambiguous.
fn judge(sample: &ColumnSample, guess: &Guess) -> Option<Suggestion> {
    let variable = ameriflux::lookup(guess.variable)?;
    let because = &guess.because;
    let fit = unit::fit(&sample.unit, variable);
    let against = match &fit {
        Fit::Unfit { .. } if !guess.doubt.is_empty() => return None,
        _ if sample.unit.is_empty() => {
            Some(format!("the header gives no unit to confirm it; AmeriFlux's is {}", variable.unit))
        }
        Fit::Unfit { .. } => {
            Some(format!("the unit {} does not confirm it; AmeriFlux's is {}", sample.unit, variable.unit))
        }
        _ if !guess.doubt.is_empty() => Some(guess.doubt.to_owned()),
        _ => values_against(sample, variable),
    };
    let reason = match (&against, &fit) {
        (Some(against), _) => format!("{because}; {against}"),
        (None, Fit::Converted(_)) => {
            format!("{because}, and the unit {} is converted to AmeriFlux's {}", sample.unit, variable.unit)
        }
        (None, _) => format!("{because}, and the unit {} is AmeriFlux's", sample.unit),
    };
    let outside = if against.is_none() { outside(sample, variable) } else { String::new() };
    Some(Suggestion { variable: variable.name, active: against.is_none(), reason: reason + &outside })
}

/// Why the values suggest another unit.
fn values_against(sample: &ColumnSample, variable: &Variable) -> Option<String> {
    if sample.text > 0 {
        return Some("but values are text".to_owned());
    }
    let is_percent = variable.unit == "%" && range(&sample.unit, variable) == variable.range();
    let is_zero = sample.numbers().all(|number| number <= 0.0);
    let is_fraction = is_percent && !is_zero && sample.numbers().all(|number| within(FRACTION, number));
    (is_fraction && sample.numbers().count() >= ENOUGH_VALUES)
        .then(|| "but every value looked at lies between 0 and 1, as a fraction does".to_owned())
}

/// How many of the values the variable's range flags, for the user.
fn outside(sample: &ColumnSample, variable: &Variable) -> String {
    let range = range(&sample.unit, variable);
    let (outside, all) =
        (sample.numbers().filter(|number| !within(range.suspect, *number)).count(), sample.numbers().count());
    if outside == 0 {
        return String::new();
    }
    let (low, high) = range.suspect;
    format!("; CHECK the sensor: {outside} of {all} values looked at lie outside {low} to {high}")
}

/// A field name for a column whose own name is used by InfluxDB or by a tag of the table.
fn field(name: &str, reserved: &[&str]) -> Option<String> {
    let clean: String =
        name.chars().filter(|c| *c != '\u{feff}').map(|c| if c == '\\' || c.is_control() { '_' } else { c }).collect();
    let clean = clean.trim().trim_start_matches('_');
    let clean = match clean {
        "" => "unnamed".to_owned(),
        taken if taken == "time" || reserved.contains(&taken) => format!("{taken}_value"),
        fine => fine.to_owned(),
    };
    (clean != name).then_some(clean)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(name: &str, unit: &str, numbers: Vec<f64>) -> Column {
        let sample = ColumnSample { values: numbers, ..ColumnSample::new(name, unit, "Smp") };
        let rows = Rows { times: &[], interval: None, position: None };
        Column::new(&sample, Around::default(), &rows, &["height", "station"])
    }

    fn active(name: &str, unit: &str, numbers: Vec<f64>) -> (bool, String) {
        let suggestion = column(name, unit, numbers).variable.unwrap();
        (suggestion.active, suggestion.reason)
    }

    #[test]
    fn a_key_is_written_only_when_name_unit_and_values_agree() {
        let noon = || vec![1_700.0; 30];
        assert!(active("PPFD", "umol/m^2/s", noon()).0);
        let (saturated, reason) = active("PPFD", "umol/m^2/s", [noon(), vec![7_999.0]].concat());
        assert!(saturated && reason.contains("1 of 31 values looked at lie outside -10 to 2400"), "{reason}");
        assert!(active("PPFD", "mmol/m^2/s", noon()).1.contains("is converted"));
        assert!(active("SWC", "m^3/m^3", vec![0.23; 30]).0);
        for (name, unit, numbers, why) in [
            ("PPFD", "", noon(), "no unit"),
            ("PPFD", "counts", noon(), "does not confirm"),
            ("PPFD", "W/m2", noon(), "does not confirm"),
            ("PAR_Up", "umol/m^2/s", noon(), "\"up\""),
            ("SWC", "%", vec![0.23; 30], "fraction"),
        ] {
            let (active, reason) = active(name, unit, numbers);
            assert!(!active && reason.contains(why), "{name} {unit}: {reason}");
        }
    }

    #[test]
    fn a_number_that_stands_for_no_value_is_a_key_where_it_cannot_be_one() {
        for (name, unit, number, expected) in [
            ("AirTC", "Deg C", -9_999.0, Some(true)),
            ("AirTC", "Deg C", -7_999.0, Some(true)),
            // A signal that is too large is a fault, and not "missing".
            ("AirTC", "Deg C", 7_999.0, Some(false)),
            ("Level", "mm", -9_999.0, Some(false)),
            ("AirTC", "Deg C", -99.0, None),
        ] {
            let numbers = [vec![12.0, 13.0, 14.0], vec![number]].concat();
            let missing = column(name, unit, numbers).missing;
            assert_eq!(missing.map(|line| line.active), expected, "{name} {number}");
        }
    }

    #[test]
    fn a_doubtful_name_with_another_unit_is_not_worth_a_line() {
        assert_eq!(column("PAR_Up", "mV", vec![1.0]).variable, None);
    }

    #[test]
    fn names_that_cannot_be_sent_get_another() {
        for (name, sent) in [
            ("PPFD", None),
            ("time", Some("time_value")),
            ("_x", Some("x")),
            ("height", Some("height_value")),
            ("a\\b", Some("a_b")),
        ] {
            assert_eq!(column(name, "", Vec::new()).field.as_deref(), sent, "{name}");
        }
    }

    #[test]
    fn a_few_equal_values_are_no_constant() {
        assert!(column("A", "", vec![7.0; 5]).facts.is_empty());
        assert_eq!(column("A", "", vec![7.0; 12]).facts, ["7 in all 12 values looked at"]);
    }
}
