//! Drafts the QC tests of one column that follow from its name, its unit and its rows, each with its evidence.
//!
//! A test is a key if nothing in it is a guess: limits that no battery, panel or radiometer exceeds, whatever its
//! orientation; the AmeriFlux variable if name and unit agree. Limits that depend on the examined rows have a wide
//! margin, so that a working sensor is not flagged, and the text gives the number of rows. Numbers that mean
//! "missing" and values outside the physical range are left out. Everything else is a comment.

use super::column::{Suggestion, measured};
use super::guess::Guess;
use super::sample::{ColumnSample, Interval};
use crate::ameriflux::Range;
use crate::ameriflux::unit::{self, Conversion, Fit};
use crate::ameriflux::{self, Variable};
use crate::qc::measures_sunlight;
use crate::quantity::Process;
use crate::sun::Position;
use crate::time::{LocalTime, NANOS_PER_SECOND};

/// A key of a column's section with its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    /// The text as it is written in the configuration.
    pub(super) text: String,
    /// Whether it is a key; otherwise it is a comment.
    pub(super) active: bool,
    /// The evidence.
    pub(super) reason: String,
}

/// The rows of a column's values.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rows<'a> {
    /// The times in the order of the files, and of the values.
    pub(super) times: &'a [LocalTime],
    pub(super) interval: Option<Interval>,
    /// The station's position.
    pub(super) position: Option<Position>,
}

const HOUR: i64 = 3_600 * NANOS_PER_SECOND;
const DAY: i64 = 24 * HOUR;
/// Fewer values show neither the resolution nor the spread of a sensor.
const ENOUGH: usize = 200;
/// Rows at longer intervals cannot be compared with their neighbours.
const SLOWEST: i64 = HOUR;
/// Farther from the equator than this latitude, the sun may not rise for days.
const POLAR: f64 = 60.0;
/// A value that is constant for this long is not explained by the sensor's resolution, whatever the weather.
const STUCK: i64 = 3 * DAY;

/// The times after which an unchanged value is suspect, and fails.
struct Unchanged {
    variables: &'static [&'static str],
    hours: [i64; 2],
    /// The range in which a constant value is natural, in the variable's unit.
    except: Option<(f64, f64)>,
    source: &'static str,
}

const STILL: [Unchanged; 5] = [
    Unchanged { variables: &["TA", "T_SONIC"], hours: [6, 24], except: None, source: "PROMICE tests 2 h" },
    Unchanged {
        variables: &["RH"],
        hours: [12, 48],
        except: Some((97.0, 106.0)),
        source: "PROMICE tests 2 h; saturated air stands still",
    },
    Unchanged {
        variables: &["WS"],
        hours: [12, 48],
        except: Some((0.0, 0.6)),
        source: "PROMICE tests 6 h; an anemometer stands still in a calm",
    },
    Unchanged {
        variables: &["LW_IN", "LW_OUT", "NETRAD", "CO2", "H2O"],
        hours: [12, 48],
        except: None,
        source: "never still for that long",
    },
    Unchanged {
        variables: &["SW_IN", "PPFD_IN"],
        hours: [48, 96],
        except: None,
        source: "the sun rises every day at this latitude",
    },
];

/// The least height of a spike, in the variable's unit: what networks allow from sample to sample, or more.
const SPIKES: [(&str, f64); 8] = [
    ("TA", 3.0),
    ("T_SONIC", 5.0),
    ("RH", 25.0),
    ("PA", 1.0),
    ("TS", 3.0),
    ("SWC", 10.0),
    ("LW_IN", 100.0),
    ("LW_OUT", 100.0),
];
/// A spike is this many times the height that one value in a hundred exceeds.
const SPIKE_FACTOR: f64 = 6.0;
/// If the share of spikes is larger than this, they are normal for the sensor.
const MOST_SPIKES: f64 = 0.001;

/// The lines of a column. `guess` is the guessed variable, `variable` the one that is written to the configuration.
pub(super) fn lines(
    sample: &ColumnSample,
    guess: Option<&Guess>,
    variable: Option<&Suggestion>,
    rows: &Rows<'_>,
) -> Vec<Line> {
    let mut lines = Vec::new();
    if sample.text > 0 && sample.numbers().next().is_none() {
        return lines;
    }
    lines.extend(sun(variable, rows));
    lines.extend(limits(sample, guess, variable));
    let known = variable.filter(|variable| variable.active).and_then(|variable| ameriflux::lookup(variable.variable));
    let is_mean =
        matches!(Process::of(&sample.process), None | Some(Process::Average | Process::Sample | Process::WindVector));
    if let (Some(known), true) = (known, is_mean && rows.interval.is_some_and(|every| every.nanos <= SLOWEST)) {
        let conversion = conversion(&unit::fit(&sample.unit, known));
        let sample = measured(sample, variable);
        lines.extend(flat_line(&sample, known, conversion, rows));
        lines.extend(spike(&sample, known, conversion, rows));
    }
    lines
}

/// The sun test for a column of sunlight.
fn sun(variable: Option<&Suggestion>, rows: &Rows<'_>) -> Option<Line> {
    let variable = variable.filter(|variable| measures_sunlight(Some(variable.variable)))?;
    let reason = match (variable.active, rows.position.is_some()) {
        (true, true) => "against what the sun can give",
        (false, true) => "against what the sun can give, if it is this variable",
        (_, false) => "with latitude and longitude in [station]: against what the sun can give",
    };
    let active = variable.active && rows.position.is_some();
    Some(Line { text: "sun = {}".to_owned(), active, reason: reason.to_owned() })
}

/// The conversion from the header's unit to the variable's.
fn conversion(fit: &Fit) -> Conversion {
    if let Fit::Converted(conversion) = fit { *conversion } else { Conversion::NONE }
}

/// The limits of columns that are not an AmeriFlux variable, or whose variable is uncertain.
fn limits(sample: &ColumnSample, guess: Option<&Guess>, variable: Option<&Suggestion>) -> Vec<Line> {
    let (range, why) = if variable.is_some_and(|variable| variable.active) {
        return Vec::new();
    } else if is_battery(sample) {
        let range = Range { suspect: (11.0, 16.0), fail: (9.6, 18.0) };
        (range, "a 12 V battery; Campbell's loggers run from 9.6 to 16 or 18 V")
    } else if is_panel(sample) {
        let range = Range { suspect: (-40.0, 60.0), fail: (-55.0, 85.0) };
        (range, "the logger's own temperature; Campbell's loggers are made for -55 to 85 °C at most")
    } else {
        let Some(found) = guess.filter(|guess| !guess.doubt.is_empty()).and_then(|guess| of_kind(sample, guess)) else {
            return Vec::new();
        };
        found
    };
    let bounds = |name: &str, (low, high): (f64, f64)| Line {
        text: format!("{name} = [{low}, {high}]"),
        active: true,
        reason: why.to_owned(),
    };
    vec![bounds("suspect", range.suspect), Line { reason: outside(sample, &range), ..bounds("fail", range.fail) }]
}

/// The limits that apply to each of the variables that an ambiguous name may mean.
fn of_kind(sample: &ColumnSample, guess: &Guess) -> Option<(Range, &'static str)> {
    let variable = ameriflux::lookup(guess.variable)?;
    let (range, why) = match guess.variable {
        "SW_IN" | "SW_OUT" => {
            let is_scan = Process::of(&sample.process).is_some_and(Process::is_scan);
            let high = if is_scan { 2_141.5 } else { 1_365.0 };
            let range = Range { suspect: (-200.0, 1_300.0), fail: (-265.0, high) };
            (range, "no short-wave radiometer reads more, incoming, outgoing or net")
        }
        "PPFD_IN" | "PPFD_OUT" | "PPFD_BC_IN" => {
            let range = Range { suspect: (-10.0, 2_400.0), fail: (-120.0, 2_520.0) };
            (range, "AmeriFlux's widest range of PPFD, incoming or outgoing")
        }
        "TA" | "TS" | "TW" | "T_CANOPY" => {
            let range = Range { suspect: (-50.0, 70.0), fail: (-60.0, 85.0) };
            (range, "no air, soil, water or leaf is colder or hotter")
        }
        _ => return None,
    };
    let fit = unit::fit(&sample.unit, variable);
    if sample.unit.is_empty() || matches!(fit, Fit::Unfit { .. }) {
        return None;
    }
    Some((conversion(&fit).back_range(range), why))
}

/// How many of the values a range flags.
fn outside(sample: &ColumnSample, range: &Range) -> String {
    let beyond = |(low, high): (f64, f64)| sample.numbers().filter(|value| !(low..=high).contains(value)).count();
    let (suspect, fail, all) = (beyond(range.suspect), beyond(range.fail), sample.numbers().count());
    match (suspect, fail) {
        _ if all == 0 => "no value was looked at".to_owned(),
        (0, 0) => format!("all of {all} values looked at lie within"),
        _ => {
            format!("CHECK: of {all} values looked at {fail} lie outside these and {} outside suspect", suspect - fail)
        }
    }
}

/// Whether it is the logger's supply voltage: a name with parts for battery and volt only, in volts.
fn is_battery(sample: &ColumnSample) -> bool {
    const NAMES: [&str; 12] = [
        "batt",
        "battery",
        "battv",
        "battvolt",
        "battvoltage",
        "batteryvoltage",
        "bv",
        "vbatt",
        "voltbatt",
        "battvdc",
        "battminv",
        "batteryvolt",
    ];
    let is_value = !matches!(Process::of(&sample.process), Some(Process::Deviation | Process::Total));
    // Without a unit the values decide.
    let is_supply = sample.unit.is_empty() && sample.numbers().next().is_some();
    let is_supply = is_supply && sample.numbers().all(|volts| (8.0..=20.0).contains(&volts));
    let is_volts = is_supply || ["v", "volt", "volts", "vdc"].contains(&sample.unit.to_lowercase().as_str());
    is_value && is_volts && NAMES.contains(&bare(&sample.name).as_str())
}

/// Whether it is the logger's own temperature.
fn is_panel(sample: &ColumnSample) -> bool {
    const NAMES: [&str; 14] = [
        "ptemp",
        "ptempc",
        "paneltemp",
        "paneltempc",
        "paneltmpr",
        "tpanel",
        "logt",
        "logtemp",
        "loggertemp",
        "tlogger",
        "ptmpr",
        "cr23tempc",
        "panelt",
        "loggertempc",
    ];
    let is_value = !matches!(Process::of(&sample.process), Some(Process::Deviation | Process::TimeOfExtreme));
    let is_celsius = ameriflux::lookup("TA").is_some_and(|ta| unit::compare(&sample.unit, ta) == unit::UnitMatch::Same);
    is_value && is_celsius && NAMES.contains(&bare(&sample.name).as_str())
}

/// Lower-case letters and digits, without the process suffix.
fn bare(name: &str) -> String {
    let lower = name.to_lowercase();
    let name =
        ["_avg", "_min", "_max", "_smp", "min", "max"].iter().find_map(|end| lower.strip_suffix(end)).unwrap_or(&lower);
    name.chars().filter(char::is_ascii_alphanumeric).collect()
}

/// The flat-line test: the value is unchanged for longer than the sensor's resolution explains.
fn flat_line(sample: &ColumnSample, variable: &Variable, conversion: Conversion, rows: &Rows<'_>) -> Option<Line> {
    let still = STILL.iter().find(|still| still.variables.contains(&variable.name))?;
    let is_light = measures_sunlight(Some(variable.name));
    if is_light && rows.position.is_some_and(|position| position.latitude.abs() > POLAR) {
        return None;
    }
    let count = sample.numbers().count();
    let tolerance = resolution(sample).filter(|_| count >= ENOUGH)?;
    let except = still.except.map(|ends| conversion.back_bounds(ends));
    let longest = longest_still(sample, rows.times, except);
    let [suspect, fail] = still.hours.map(|hours| hours * HOUR);
    // A sensor that is often unchanged gets twice the longest time seen; one that is unchanged for days is stuck.
    let (suspect, fail) = if longest * 2 > suspect && longest < STUCK {
        let suspect = (longest * 2 / HOUR + 1) * HOUR;
        (suspect, fail.max(suspect * 2))
    } else {
        (suspect, fail)
    };
    let excepted = except.map_or(String::new(), |(low, high)| format!(", except = [{low}, {high}]"));
    let shown = if longest >= STUCK { "CHECK: it stood still for" } else { "at most still for" };
    let reason = format!(
        "{}; of {count} values looked at {shown} {}, and the least step is {tolerance}",
        still.source,
        hours(longest),
    );
    let text = format!(
        "flat_line = {{ suspect = \"{}h\", fail = \"{}h\", tolerance = {tolerance}{excepted} }}",
        suspect / HOUR,
        fail / HOUR
    );
    Some(Line { text, active: !is_light || rows.position.is_some(), reason })
}

/// The smallest difference of two different values; None if all are equal.
fn resolution(sample: &ColumnSample) -> Option<f64> {
    let mut values: Vec<f64> = sample.numbers().collect();
    values.sort_by(f64::total_cmp);
    let steps = values.windows(2).map(|pair| pair[1] - pair[0]);
    // Decimals as the logger prints them, without rounding errors of binary fractions.
    let least = steps.filter(|step| *step > 1e-9).min_by(f64::total_cmp)?;
    format!("{least:.1e}").parse().ok()
}

/// The longest time, in nanoseconds, over which a value is equal from row to row.
#[allow(clippy::float_cmp, reason = "what is printed alike is alike")]
fn longest_still(sample: &ColumnSample, times: &[LocalTime], except: Option<(f64, f64)>) -> i64 {
    let is_exempt = |value: f64| except.is_some_and(|(low, high)| (low..=high).contains(&value));
    let mut longest = 0;
    let mut first: Option<(LocalTime, f64)> = None;
    for (&time, &value) in times.iter().zip(&sample.values).filter(|(_, value)| !value.is_nan()) {
        match first {
            Some((since, known)) if known == value && !is_exempt(value) && time.nanos_since(since) >= 0 => {
                longest = longest.max(time.nanos_since(since));
            }
            _ => first = Some((time, value)),
        }
    }
    longest
}

/// The spike test, with limits from the robust spread of the examined rows.
fn spike(sample: &ColumnSample, variable: &Variable, conversion: Conversion, rows: &Rows<'_>) -> Option<Line> {
    let (_, least) = SPIKES.iter().find(|(name, _)| *name == variable.name)?;
    let mut heights = heights(sample, rows);
    if heights.len() < ENOUGH {
        return None;
    }
    heights.sort_by(f64::total_cmp);
    let usual = heights.get(heights.len() * 99 / 100).copied().unwrap_or(0.0);
    let limit = two_digits((usual * SPIKE_FACTOR).max(least / conversion.factor));
    let found = heights.iter().rev().take_while(|height| **height > limit).count();
    // The conversion is exact, because the counts are at most a few million.
    #[allow(clippy::cast_precision_loss)]
    let active = found as f64 <= MOST_SPIKES * heights.len() as f64;
    let reason = format!(
        "99 of 100 of {} values looked at stand out by at most {}, {found} by more than the limit",
        heights.len(),
        two_digits(usual)
    );
    Some(Line { text: format!("spike = {{ suspect = {limit}, method = \"differential\" }}"), active, reason })
}

/// The height of each value above both neighbours, as computed by the method `differential` of the test `spike`.
fn heights(sample: &ColumnSample, rows: &Rows<'_>) -> Vec<f64> {
    let every = rows.interval.map_or(0, |interval| interval.nanos);
    let is_next = |pair: &[LocalTime]| (1..=every).contains(&pair[1].nanos_since(pair[0]));
    let neighbours = rows.times.windows(3).zip(sample.values.windows(3));
    let near = neighbours.filter(|(times, _)| is_next(&times[..2]) && is_next(&times[1..]));
    near.filter_map(|(_, values)| {
        let (before, after) = (values[1] - values[0], values[2] - values[1]);
        let height = if before * after >= 0.0 { 0.0 } else { before.abs().min(after.abs()) };
        (!before.is_nan() && !after.is_nan()).then_some(height)
    })
    .collect()
}

/// Rounds up to two digits.
pub(super) fn two_digits(number: f64) -> f64 {
    if number <= 0.0 {
        return 0.0;
    }
    let scale = 10_f64.powf(number.log10().floor() - 1.0);
    let up = (number / scale - 1e-9).ceil() * scale;
    format!("{up:.3e}").parse().unwrap_or(up)
}

fn hours(nanos: i64) -> String {
    match nanos / (60 * NANOS_PER_SECOND) {
        minutes @ 0..=179 => format!("{minutes} min"),
        minutes @ 180..=2_879 => format!("{} h", minutes / 60),
        minutes => format!("{} days", minutes / 1_440),
    }
}
