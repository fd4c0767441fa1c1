//! Drafts the diagnostic words of a table, with the instrument and the columns that each word governs.
//!
//! The diagnostic words of a CSAT3 and of a CSAT3A look the same as long as there is no fault. So a word becomes a key
//! only if its name or its values show which instrument it belongs to, and if it passes most rows.

use super::column::Column;
use super::quality::Line;
use super::sample::ColumnSample;
use crate::ameriflux::Instrument;
use crate::quantity::Process;

/// Fewer rows show nothing about an instrument.
pub(super) const ENOUGH_ROWS: usize = 20;
/// The largest word of a CSAT3A.
const MOST_OF_CSAT3A: f64 = 63.0;
/// Parts of names of columns that are about a measured value and are not one.
const NOT_MEASURED: [&str; 10] = ["diag", "sig", "agc", "std", "samples", "flag", "count", "_tot", "_cov", "_qc"];

/// What an instrument measures.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Measured {
    Wind,
    Gas,
    Methane,
}

impl Measured {
    /// The beginnings of the names of the values that it measures.
    fn measures(self) -> &'static [&'static str] {
        match self {
            Measured::Wind => &["ux", "uy", "uz", "ts", "t_sonic", "sonic_temp"],
            Measured::Gas => &["co2", "h2o", "rho_c", "rho_v"],
            Measured::Methane => &["ch4"],
        }
    }
}

/// Adds the line of every diagnostic word to its column; `samples` and `columns` are in the same order.
pub(super) fn add(samples: &[ColumnSample], columns: &mut [Column]) {
    let names: Vec<String> = samples.iter().map(|sample| sample.name.to_lowercase()).collect();
    let has_ec100 = names.iter().any(|name| name.starts_with("diag_irga") || name.contains("sig_strgth"));
    for ((sample, column), name) in samples.iter().zip(columns).zip(&names) {
        let Some(half) = half(name) else { continue };
        if !is_scan(sample) || sample.text > 0 {
            continue;
        }
        let governed = measured(half.measures(), samples, &names, true);
        if governed.is_empty() {
            continue;
        }
        let (instrument, why) = instrument(name, half, has_ec100, sample);
        let rows = sample.numbers().count();
        let known = Instrument::from_name(instrument);
        let good = sample.numbers().filter(|word| known.is_some_and(|known| known.decode(*word).is_good())).count();
        let is_known = !why.is_empty() && rows >= ENOUGH_ROWS && good * 2 > rows;
        let whose =
            if why.is_empty() { "csat3, or csat3a of an EC100 or IRGASON: their values look alike" } else { why };
        column.tests.push(Line {
            text: format!("diagnostic = \"{instrument}\""),
            active: is_known,
            reason: format!("{whose}; it calls {good} of {rows} rows looked at good"),
        });
        let governs: Vec<String> = governed.iter().map(|name| format!("{name:?}")).collect();
        column.tests.push(Line {
            text: format!("governs = [{}]", governs.join(", ")),
            active: is_known,
            reason: "where the word reports a fault, these fail".to_owned(),
        });
    }
}

/// What the instrument of a diagnostic word measures; None for any other column.
fn half(name: &str) -> Option<Measured> {
    if !name.contains("diag") {
        return None;
    }
    let says = |parts: &[&str]| parts.iter().any(|part| name.contains(part));
    if says(&["7700"]) {
        Some(Measured::Methane)
    } else if says(&["7500", "7200", "irga", "ec150"]) {
        Some(Measured::Gas)
    } else if says(&["csat", "sonic", "word"]) {
        Some(Measured::Wind)
    } else {
        None
    }
}

/// The instrument, and the evidence for it; without evidence it may be another one.
fn instrument(name: &str, half: Measured, has_ec100: bool, sample: &ColumnSample) -> (&'static str, &'static str) {
    match half {
        Measured::Methane => ("li7700", "the name says LI-7700"),
        Measured::Gas if name.contains("7500") => ("li7500", "the name says LI-7500"),
        Measured::Gas if name.contains("7200") => ("li7200", "the name says LI-7200"),
        Measured::Gas => ("ec150", "a program of EasyFlux names the word of an EC150 or IRGASON so"),
        Measured::Wind if name.contains("csat3b") => ("csat3b", "the name says CSAT3B"),
        Measured::Wind if sample.numbers().any(|word| word > MOST_OF_CSAT3A) => {
            ("csat3", "numbers above 63 are those of a CSAT3")
        }
        Measured::Wind if has_ec100 || name.contains("csat3a") || name.contains("irgason") => {
            ("csat3a", "the table has the gas half of an EC100 beside it")
        }
        Measured::Wind => ("csat3", ""),
    }
}

/// Whether a column holds single scans, and not a mean, sum or extreme of several.
pub(super) fn is_scan(sample: &ColumnSample) -> bool {
    matches!(Process::of(&sample.process), None | Some(Process::Sample))
}

/// The columns of measured values with these beginnings of their names: single scans, or aggregates of several.
/// `samples` and `names` (in lower case) are in the same order.
pub(super) fn measured<'s>(
    begins: &[&str],
    samples: &'s [ColumnSample],
    names: &[String],
    scans: bool,
) -> Vec<&'s str> {
    let is_measured = |name: &String| {
        let is_begin = begins.iter().any(|begin| {
            name.strip_prefix(begin).is_some_and(|rest| !rest.starts_with(|c: char| c.is_ascii_alphabetic()))
        });
        is_begin && !NOT_MEASURED.iter().any(|part| name.contains(part))
    };
    let found = samples.iter().zip(names).filter(|(sample, name)| is_scan(sample) == scans && is_measured(name));
    found.map(|(sample, _)| sample.name.as_str()).collect()
}
