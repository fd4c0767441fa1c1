//! Drafts the text about one column: facts, and suggestions with their reason.

use super::guess::{Around, Guess, guess, positioned};
use super::place::{Place, place, sensor};
use super::quality::{self, Line, Rows};
use super::sample::ColumnSample;
use crate::ameriflux;
use crate::ameriflux::unit::{self, Fit};
use crate::ameriflux::{Range, Variable};
use crate::quantity::Process;

/// Fewer values than this show nothing about a sensor.
const ENOUGH_VALUES: usize = 12;
/// Numbers that loggers write for "missing" or "too large", and why.
const SENTINELS: [(f64, &str); 7] = [
    (7_999.0, "the largest number of the logger's two-byte format, so too large or no value"),
    (-7_999.0, "the smallest number of the logger's two-byte format, so too small or no value"),
    (6_999.0, "means no value on older loggers"),
    (-6_999.0, "means no value on older loggers"),
    (MISSING_OF_AMERIFLUX, "means no value to AmeriFlux and to many programs"),
    (-99_999.0, "means no value on older loggers"),
    (-2_147_483_648.0, "is no value in a logger's whole-number format"),
];
/// The number for a missing value in AmeriFlux's own files.
pub(super) const MISSING_OF_AMERIFLUX: f64 = -9_999.0;
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
    /// The use of the column, if it is not a value.
    pub(super) role: Option<Role>,
}

/// The use of a column that is not a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// It distinguishes the rows of one stamp.
    Tag,
    /// The start of each row's interval; the time of the row is the end.
    Start,
}

/// An AmeriFlux variable suggested for a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Suggestion {
    pub(super) variable: &'static str,
    /// The variable as it is written: with the position, if the file has AmeriFlux's names.
    pub(super) name: String,
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
        let of_values = |sample: &ColumnSample| guess.as_ref().and_then(|guess| judge(sample, guess, around));
        // A number that means "missing" is not a fault of the sensor.
        let stand_ins = stand_ins(sample, of_values(sample).as_ref());
        let is_key = stand_ins.iter().any(|stand_in| stand_in.is_key);
        let rest = sample.without(|number| stand_ins.iter().any(|one| one.is_key && one.is(number)));
        let variable = of_values(&rest);
        let missing = missing(&stand_ins, is_key, all, around);
        let mut tests = quality::lines(sample, guess.as_ref(), variable.as_ref(), rows);
        tests.extend(total(sample, variable.as_ref(), around));
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
            role: None,
        }
    }

    /// Whether only the section header of the column is written.
    pub(super) fn is_plain(&self) -> bool {
        let has_no_suggestion = self.variable.is_none() && self.place.is_none() && self.sensor.is_none();
        let has_no_test = self.tests.is_empty() && self.missing.is_none();
        has_no_suggestion && has_no_test && self.field.is_none() && self.ignore.is_none() && self.role.is_none()
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

/// A number among the values that may mean "missing".
struct StandIn {
    number: f64,
    why: &'static str,
    /// The number of values that are equal to it.
    count: usize,
    /// Whether it is a key: it cannot be a value of the variable and is not a number that a sensor gives for a signal that is
    /// too large.
    is_key: bool,
}

impl StandIn {
    #[allow(clippy::float_cmp, reason = "a sentinel is a spelling, so only exactly that number is meant")]
    fn is(&self, number: f64) -> bool {
        self.number == number
    }
}

fn stand_ins(sample: &ColumnSample, variable: Option<&Suggestion>) -> Vec<StandIn> {
    let known = known(variable);
    let found = SENTINELS.iter().map(|&(number, why)| {
        let is_outside = known.is_some_and(|known| !within(range(&sample.unit, known).fail, number));
        let one = StandIn { number, why, count: 0, is_key: is_outside && number < 0.0 };
        StandIn { count: sample.numbers().filter(|value| one.is(*value)).count(), ..one }
    });
    found.filter(|one| one.count > 0).collect()
}

/// The line with the numbers that are a key; without one, a comment with all of them.
fn missing(stand_ins: &[StandIn], is_key: bool, all: usize, around: Around<'_>) -> Option<Line> {
    let written: Vec<&StandIn> = stand_ins.iter().filter(|one| one.is_key || !is_key).collect();
    // The key of a column replaces the key of the table.
    let of_table = around.is_ameriflux.then_some(MISSING_OF_AMERIFLUX);
    let numbers: Vec<String> =
        written.iter().map(|one| one.number).chain(of_table).map(|number| number.to_string()).collect();
    let reasons: Vec<String> = match written.as_slice() {
        [] => return None,
        [one] => vec![format!("{} of {all} values: {}", one.count, one.why)],
        several => {
            several.iter().map(|one| format!("{} of {all} values are {}: {}", one.count, one.number, one.why)).collect()
        }
    };
    Some(Line { text: format!("missing = [{}]", numbers.join(", ")), active: is_key, reason: reasons.join("; ") })
}

/// The kind of rain that a program of AmeriFlux's format copied into a table of samples.
fn total(sample: &ColumnSample, variable: Option<&Suggestion>, around: Around<'_>) -> Option<Line> {
    let is_rain = known(variable).is_some_and(Variable::is_total);
    let is_sampled = Process::of(&sample.process) == Some(Process::Sample);
    (around.is_ameriflux && is_rain && is_sampled).then(|| Line {
        text: "kind = \"total\"".to_owned(),
        active: true,
        reason: "in AmeriFlux's format it is the sum over the interval".to_owned(),
    })
}

/// The variable of a suggestion that is a key.
fn known(variable: Option<&Suggestion>) -> Option<&'static Variable> {
    variable.filter(|variable| variable.active).and_then(|variable| ameriflux::lookup(variable.variable))
}

fn is_sentinel(number: f64) -> bool {
    #[allow(clippy::float_cmp, reason = "a sentinel is a spelling, so only exactly that number is meant")]
    SENTINELS.iter().any(|(known, _)| *known == number)
}

/// The column without numbers that mean "missing" and without values outside the physical range of the variable. Limits are
/// computed from these values only.
pub(super) fn measured(sample: &ColumnSample, variable: Option<&Suggestion>) -> ColumnSample {
    let possible = known(variable).map(|known| range(&sample.unit, known).fail);
    sample.without(|number| is_sentinel(number) || possible.is_some_and(|possible| !within(possible, number)))
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
fn judge(sample: &ColumnSample, guess: &Guess, around: Around<'_>) -> Option<Suggestion> {
    let variable = ameriflux::lookup(guess.variable)?;
    let because = &guess.because;
    let fit = unit::fit(&sample.unit, variable);
    let against = match &fit {
        Fit::Unfit { .. } if !guess.doubt.is_empty() => return None,
        _ if sample.unit.is_empty() && !around.is_ameriflux => {
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
        (None, _) if sample.unit.is_empty() => format!("{because}, in a file of AmeriFlux's format"),
        (None, _) => format!("{because}, and the unit {} is AmeriFlux's", sample.unit),
    };
    let outside = if against.is_none() { outside(sample, variable) } else { String::new() };
    let own = if around.is_ameriflux { Some(sample.name.as_str()) } else { positioned(&sample.name) };
    let is_of_variable = |name: &&str| ameriflux::lookup(name).is_some_and(|own| own.name == variable.name);
    let name = own.filter(is_of_variable).unwrap_or(variable.name);
    Some(Suggestion {
        variable: variable.name,
        name: name.to_owned(),
        active: against.is_none(),
        reason: reason + &outside,
    })
}

/// Why the values suggest another unit.
fn values_against(sample: &ColumnSample, variable: &Variable) -> Option<String> {
    if sample.text > 0 {
        return Some("but values are text".to_owned());
    }
    let is_percent = variable.unit == "%" && range(&sample.unit, variable) == variable.range();
    let numbers = || sample.numbers().filter(|number| !is_sentinel(*number));
    let is_zero = numbers().all(|number| number <= 0.0);
    let is_fraction = is_percent && !is_zero && numbers().all(|number| within(FRACTION, number));
    (is_fraction && numbers().count() >= ENOUGH_VALUES)
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
    fn each_number_that_stands_for_no_value_is_named_and_none_of_them_is_the_sensors_fault() {
        let numbers = [vec![12.0, 13.0, 14.0], vec![-7_999.0, -9_999.0, -9_999.0]].concat();
        let both = column("AirTC", "Deg C", numbers.clone());
        let missing = both.missing.unwrap();
        assert_eq!((missing.text.as_str(), missing.active), ("missing = [-7999, -9999]", true));
        assert!(missing.reason.contains("2 of 6 values are -9999: "), "{}", missing.reason);
        let reason = both.variable.unwrap().reason;
        assert!(!reason.contains("CHECK"), "{reason}");
        // One that is too large does not hide them, and is the sensor's fault.
        let saturated = column("AirTC", "Deg C", [numbers.clone(), vec![7_999.0]].concat());
        let reason = saturated.variable.unwrap().reason;
        assert!(reason.contains("CHECK the sensor: 1 of 4 values looked at lie outside"), "{reason}");
        assert_eq!(saturated.missing.map(|line| line.text).as_deref(), Some("missing = [-7999, -9999]"));
        let unknown = column("Level", "mm", numbers).missing.unwrap();
        assert_eq!((unknown.text.as_str(), unknown.active), ("missing = [-7999, -9999]", false));
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
