//! The diagnostic words of a table, with the instrument and the columns that each governs.
//!
//! The word of a CSAT3 and that of a CSAT3A look alike while nothing is wrong, so a word becomes a key only where its name or its
//! values tell whose it is, and where it calls most rows good.

use super::column::Column;
use super::quality::Line;
use super::sample::ColumnSample;
use crate::ameriflux::Instrument;
use crate::quantity::Process;

/// Fewer rows tell nothing about an instrument.
pub(super) const ENOUGH_ROWS: usize = 20;
/// The largest word of a CSAT3A.
const MOST_OF_CSAT3A: f64 = 63.0;
/// Parts of names that are about a value and are none.
const NOT_MEASURED: [&str; 10] = ["diag", "sig", "agc", "std", "samples", "flag", "count", "_tot", "_cov", "_qc"];

/// What an instrument measures.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Half {
    Wind,
    Gas,
    Methane,
}

impl Half {
    /// How the names of the values that it measures begin.
    fn measures(self) -> &'static [&'static str] {
        match self {
            Half::Wind => &["ux", "uy", "uz", "ts", "t_sonic", "sonic_temp"],
            Half::Gas => &["co2", "h2o", "rho_c", "rho_v"],
            Half::Methane => &["ch4"],
        }
    }
}

/// Adds the lines of every diagnostic word to its column; `samples` and `columns` are aligned.
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

/// What the instrument of a diagnostic word measures; none of another column.
fn half(name: &str) -> Option<Half> {
    if !name.contains("diag") {
        return None;
    }
    let says = |parts: &[&str]| parts.iter().any(|part| name.contains(part));
    if says(&["7700"]) {
        Some(Half::Methane)
    } else if says(&["7500", "7200", "irga", "ec150"]) {
        Some(Half::Gas)
    } else if says(&["csat", "sonic", "word"]) {
        Some(Half::Wind)
    } else {
        None
    }
}

/// The instrument and how it is known; without that it may be another.
fn instrument(name: &str, half: Half, has_ec100: bool, sample: &ColumnSample) -> (&'static str, &'static str) {
    match half {
        Half::Methane => ("li7700", "the name says LI-7700"),
        Half::Gas if name.contains("7500") => ("li7500", "the name says LI-7500"),
        Half::Gas if name.contains("7200") => ("li7200", "the name says LI-7200"),
        Half::Gas => ("ec150", "a program of EasyFlux names the word of an EC150 or IRGASON so"),
        Half::Wind if name.contains("csat3b") => ("csat3b", "the name says CSAT3B"),
        Half::Wind if sample.numbers().any(|word| word > MOST_OF_CSAT3A) => {
            ("csat3", "numbers above 63 are those of a CSAT3")
        }
        Half::Wind if has_ec100 || name.contains("csat3a") || name.contains("irgason") => {
            ("csat3a", "the table has the gas half of an EC100 beside it")
        }
        Half::Wind => ("csat3", ""),
    }
}

/// Whether a column holds single scans: no mean, sum or extreme of several.
pub(super) fn is_scan(sample: &ColumnSample) -> bool {
    matches!(Process::of(&sample.process), None | Some(Process::Sample))
}

/// The columns of measured values whose names begin so: single scans, or what was put together of several. `samples` and `names`,
/// in small letters, are aligned.
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
