//! Diagnostic: if an instrument's diagnostic word reports a fault, the columns that it governs fail.
//!
//! [`crate::ameriflux`] decodes the word of each instrument. The columns fail also if the word is missing, because
//! nothing confirms the reading.

use super::flag::Flag;
use super::registry::{About, Marks, Test};
use crate::ameriflux::Instrument;

pub(super) const ABOUT: About = About {
    name: "diagnostic",
    summary: "a fault that the instrument reports",
    keys: "`diagnostic`, `governs`",
    section: "Instrument diagnostics",
    source: "manuals of the instruments",
};

/// A diagnostic word and the columns that it governs.
#[derive(Debug, Clone, PartialEq)]
pub struct Diagnostic {
    /// The instrument of the word.
    pub instrument: Instrument,
    /// Columns of the same table that fail when it reports a fault.
    pub governs: Vec<String>,
}

/// The test with positions in the column list of a table.
#[derive(Debug, Clone)]
pub(super) struct DiagnosticTest {
    /// The position of the word.
    pub(super) place: usize,
    instrument: Instrument,
    governs: Vec<usize>,
}

impl DiagnosticTest {
    /// Builds the test for the word at `place` of `names`.
    pub(super) fn new(diagnostic: &Diagnostic, place: usize, names: &[String]) -> DiagnosticTest {
        let governs = diagnostic.governs.iter().filter_map(|name| names.iter().position(|known| known == name));
        DiagnosticTest { place, instrument: diagnostic.instrument, governs: governs.collect() }
    }

    /// Judges one row by its word, NaN where it is missing.
    pub(super) fn judge(&self, word: f64, out: &mut Marks) {
        let decoded = self.instrument.decode(word);
        if decoded.is_good() {
            return;
        }
        // If there is a fault, conditions that only inform explain it: an EC150's bit 0 stands for any of them.
        let names = decoded.names().collect::<Vec<_>>().join(", ");
        for &place in &self.governs {
            if out.flag(place) != Some(Flag::Missing) {
                out.note(place, Test::Diagnostic, Flag::Fail, || format!("{} reports {names}", self.instrument.name()));
            }
        }
    }
}
