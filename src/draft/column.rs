//! The text about one column: facts, and suggestions with their reason.

use super::guess::{Around, Guess, guess};
use super::place::{Place, place, sensor};
use super::sample::ColumnSample;
use super::unit::{Fit, unit_fits};
use crate::ameriflux;
use crate::ameriflux::Variable;
use crate::format::Value;
use crate::qc::{Flag, GrossRange, Sentinels};

/// Fewer values tell nothing about a sensor.
const ENOUGH_VALUES: usize = 12;
/// AmeriFlux warns about a year with more than 1 % of suspect or 0.1 % of failed values. A suggestion that would flag more is more
/// likely wrong than the sensor. The range test is there for a spike or two.
const MOST_SUSPECT: f64 = 0.01;
const MOST_FAILED: f64 = 0.001;
const SPIKES: usize = 2;
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
    /// Facts about its values.
    pub(super) facts: Vec<String>,
    pub(super) variable: Option<Suggestion>,
    /// Height or depth of its sensor.
    pub(super) place: Option<Place>,
    /// Its sensor.
    pub(super) sensor: Option<&'static str>,
    /// The field name to send it under, if its own name cannot be used.
    pub(super) field: Option<String>,
    /// A number that may mean "missing", with the reason.
    pub(super) missing: Option<(f64, String)>,
    /// Why the user may leave it out.
    pub(super) ignore: Option<String>,
}

/// An AmeriFlux variable for a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Suggestion {
    pub(super) variable: &'static str,
    /// Written as a key; otherwise as a comment.
    pub(super) active: bool,
    pub(super) reason: String,
}

impl Column {
    /// `reserved` are names that the table's tags use.
    pub(super) fn new(sample: &ColumnSample, around: Around, reserved: &[&str]) -> Column {
        let mut facts = Vec::new();
        let mut missing = None;
        let mut ignore = None;
        let all = sample.numbers.len() + sample.missing + sample.text;
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
            facts.push(format!("{} in all {} values looked at", shown(number), sample.numbers.len()));
            ignore.get_or_insert_with(|| "if a constant tells nothing".to_owned());
        }
        let sentinel = SENTINELS.iter().find(|(number, _)| sample.numbers.contains(number));
        if let Some((number, why)) = sentinel {
            #[allow(clippy::float_cmp, reason = "a sentinel is a spelling, so only exactly that number is meant")]
            let count = sample.numbers.iter().filter(|value| *value == number).count();
            missing = Some((*number, format!("{count} of {all} values: {why}")));
        }
        let variable = guess(sample, around).and_then(|guess| judge(sample, &guess));
        // A height or depth of a column of text is of no use.
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
            ignore,
        }
    }

    /// Whether only its header is written.
    pub(super) fn is_plain(&self) -> bool {
        let has_no_suggestion = self.variable.is_none() && self.place.is_none() && self.sensor.is_none();
        has_no_suggestion && self.field.is_none() && self.missing.is_none() && self.ignore.is_none()
    }
}

/// The number that all values equal.
#[allow(clippy::float_cmp, reason = "values of a working sensor differ in the last digit")]
fn constant(sample: &ColumnSample) -> Option<f64> {
    let (first, rest) = sample.numbers.split_first()?;
    (sample.numbers.len() >= ENOUGH_VALUES && sample.text == 0 && rest.iter().all(|number| number == first))
        .then_some(*first)
}

/// Short, also for the tiny numbers of a failed conversion.
fn shown(number: f64) -> String {
    let ordinary = number == 0.0 || (1e-4..1e9).contains(&number.abs());
    if ordinary { number.to_string() } else { format!("{number:e}") }
}

/// A guess becomes a key when name, unit and values agree. A guess that the unit contradicts and the name leaves open is
/// dropped.
fn judge(sample: &ColumnSample, guess: &Guess) -> Option<Suggestion> {
    let variable = ameriflux::lookup(guess.variable)?;
    let because = &guess.because;
    let fit = unit_fits(&sample.unit, guess.variable);
    let against = match fit {
        Fit::Other if !guess.doubt.is_empty() => return None,
        Fit::Other => {
            Some(format!("but its unit {} is not AmeriFlux's {}: convert it first", sample.unit, variable.unit))
        }
        Fit::Unknown if sample.unit.is_empty() => {
            Some(format!("the header gives no unit to confirm it; AmeriFlux's is {}", variable.unit))
        }
        Fit::Unknown => Some(format!("the unit {} does not confirm it; AmeriFlux's is {}", sample.unit, variable.unit)),
        Fit::Same if !guess.doubt.is_empty() => Some(guess.doubt.to_owned()),
        Fit::Same => values_against(sample, variable),
    };
    let reason = match &against {
        None => format!("{because}, and the unit {} is AmeriFlux's", sample.unit),
        Some(against) => format!("{because}; {against}"),
    };
    Some(Suggestion { variable: variable.name, active: against.is_none(), reason })
}

/// What in the values contradicts a variable.
fn values_against(sample: &ColumnSample, variable: &Variable) -> Option<String> {
    let count = sample.numbers.len();
    if sample.text > 0 {
        return Some("but values are text".to_owned());
    }
    let within = |(low, high): (f64, f64)| sample.numbers.iter().all(|number| (low..=high).contains(number));
    let is_zero = sample.numbers.iter().all(|number| *number <= 0.0);
    if variable.unit == "%" && count >= ENOUGH_VALUES && within(FRACTION) && !is_zero {
        return Some("but every value looked at lies between 0 and 1, as a fraction does".to_owned());
    }
    let tests = GrossRange::new(Some(variable.range()), Sentinels::default());
    let flagged = |flag| sample.numbers.iter().filter(|number| tests.flag(Value::Number(**number)) == flag).count();
    let (suspect, failed) = (flagged(Flag::Suspect), flagged(Flag::Fail));
    // Counts of at most a few thousand.
    #[allow(clippy::cast_precision_loss)]
    let share = |part: usize| part as f64 / count.max(1) as f64;
    let flagged = suspect + failed;
    let too_many = share(flagged) > MOST_SUSPECT || share(failed) > MOST_FAILED;
    let is_wrong = (flagged > SPIKES && too_many) || flagged * 2 > count;
    is_wrong.then(|| {
        let (low, high) = (variable.min, variable.max);
        format!("but {flagged} of {count} values looked at lie outside {low} to {high}")
    })
}

/// The field name for a column whose own name InfluxDB or a tag of the table uses.
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
        let sample = ColumnSample {
            name: name.to_owned(),
            unit: unit.to_owned(),
            process: "Smp".to_owned(),
            numbers,
            missing: 0,
            text: 0,
        };
        Column::new(&sample, Around::default(), &["height", "station"])
    }

    fn active(name: &str, unit: &str, numbers: Vec<f64>) -> (bool, String) {
        let suggestion = column(name, unit, numbers).variable.unwrap();
        (suggestion.active, suggestion.reason)
    }

    #[test]
    fn a_key_is_written_only_when_name_unit_and_values_agree() {
        let noon = || vec![1_700.0; 30];
        assert!(active("PPFD", "umol/m^2/s", noon()).0);
        let one_spike = [noon(), vec![7_999.0]].concat();
        assert!(active("PPFD", "umol/m^2/s", one_spike).0, "spikes are for the range test");
        for (name, unit, numbers, why) in [
            ("PPFD", "", noon(), "no unit"),
            ("PPFD", "counts", noon(), "does not confirm"),
            ("PPFD", "W/m2", noon(), "convert"),
            ("PAR_Up", "umol/m^2/s", noon(), "\"up\""),
            ("PPFD", "umol/m^2/s", vec![7_999.0; 30], "30 of 30 values"),
            ("SWC", "%", vec![0.23; 30], "fraction"),
            ("PPFD", "umol/m^2/s", vec![7_999.0], "1 of 1 values"),
        ] {
            let (active, reason) = active(name, unit, numbers);
            assert!(!active && reason.contains(why), "{name} {unit}: {reason}");
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
