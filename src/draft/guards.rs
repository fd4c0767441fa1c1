//! Drafts the guards of a gas analyser: its signal strength or AGC, with the columns that it governs.
//!
//! An AGC rises with dirt and a signal strength falls, and some programs use one field for either, so a guard becomes a
//! key only if the name and the values agree on which it is, and if it passes most rows. (EasyFlux DL, PyFluxPro's
//! templates and LI-COR's manuals, as cited in docs/qc.md.)

use super::column::Column;
use super::instruments::{self, ENOUGH_ROWS};
use super::quality::Line;
use super::sample::ColumnSample;
use crate::quantity::Process;

/// EasyFlux DL excludes scans with a lower signal strength.
const WEAKEST: f64 = 0.7;
/// PyFluxPro's templates exclude values with a higher AGC.
const DIRTIEST: f64 = 70.0;
/// A clean LI-7500 has no lower AGC.
const LOWEST_AGC: f64 = 30.0;

const CARBON_DIOXIDE: &[&str] = &["co2", "rho_c", "fc"];
const WATER: &[&str] = &["h2o", "rho_v", "le"];

/// What a column of numbers means for an analyser's optical path.
#[derive(Clone, Copy, PartialEq, Eq)]
enum OpticalPath {
    /// A signal strength from 0 to 1, falling with dirt.
    Strength,
    /// An AGC in percent, rising with dirt.
    Gain,
}

/// Adds the line of every signal strength and AGC to its column; `samples` and `columns` are in the same order.
pub(super) fn add(samples: &[ColumnSample], columns: &mut [Column]) {
    let names: Vec<String> = samples.iter().map(|sample| sample.name.to_lowercase()).collect();
    for ((sample, column), name) in samples.iter().zip(columns).zip(&names) {
        let Some(path) = path(name) else { continue };
        let process = Process::of(&sample.process);
        if matches!(process, Some(Process::Deviation | Process::Covariance | Process::TimeOfExtreme)) || sample.text > 0
        {
            continue;
        }
        // The number of a scan governs scans; a number aggregated over minutes governs values measured over them.
        let governed = instruments::measured(&gases(name).concat(), samples, &names, instruments::is_scan(sample));
        if governed.is_empty() {
            continue;
        }
        // The weakest scan of a half hour shows that something was in the path, but nothing about the mean.
        let flag = if process == Some(Process::Minimum) { "suspect" } else { "fail" };
        let (range, may_be, bound, passes): (_, _, _, fn(f64) -> bool) = match path {
            OpticalPath::Strength => ("[0.7, inf]", 0.0..=1.0, WEAKEST, |value| value >= WEAKEST),
            OpticalPath::Gain => ("[-inf, 70]", LOWEST_AGC..=100.0, DIRTIEST, |value| value <= DIRTIEST),
        };
        let rows = sample.numbers().count();
        let passed = sample.numbers().filter(|value| passes(*value)).count();
        let is_on_scale = sample.numbers().all(|value| may_be.contains(&value));
        let is_known = rows >= ENOUGH_ROWS && is_on_scale && passed * 2 > rows;
        let what = match path {
            OpticalPath::Strength if is_on_scale => "signal strength from 0 to 1",
            OpticalPath::Gain if is_on_scale => "AGC, which rises with dirt",
            OpticalPath::Strength => "signal strength on another scale than 0 to 1",
            OpticalPath::Gain => "not on the scale of an AGC; a signal strength falls with dirt",
        };
        let governs: Vec<String> = governed.iter().map(|name| format!("{name:?}")).collect();
        column.tests.push(Line {
            text: format!("guards = [{{ {flag} = {range}, governs = [{}] }}]", governs.join(", ")),
            active: is_known,
            reason: format!("{what}; {passed} of {rows} rows looked at are on the good side of {bound}"),
        });
    }
}

/// The meaning of a column for the optical path; None for any other column.
fn path(name: &str) -> Option<OpticalPath> {
    let is_strength = name.contains("sig_str") || name.contains("signal_str") || name.contains("sigstr");
    // No other term in loggers' programs contains "agc".
    match (is_strength, name.contains("agc")) {
        (true, _) => Some(OpticalPath::Strength),
        (_, true) => Some(OpticalPath::Gain),
        _ => None,
    }
}

/// The gases of the optical path: the one in the name, otherwise both.
fn gases(name: &str) -> Vec<&'static [&'static str]> {
    match (name.contains("co2"), name.contains("h2o")) {
        (true, false) => vec![CARBON_DIOXIDE],
        (false, true) => vec![WATER],
        _ => vec![CARBON_DIOXIDE, WATER],
    }
}
