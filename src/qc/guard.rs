//! Guard: a quality number in another column decides about the values: signal strength, AGC, a number of samples.
//!
//! The bounds give the direction: a signal strength from 0.7 to infinity is good, an AGC from minus infinity to 70 is.
//! A column may have several guards, and a value may be governed by several; the worse flag counts. A missing number
//! proves nothing, unlike a missing diagnostic word: half-hour tables have values from before the column of the guard
//! was added.

use super::flag::Flag;
use super::keys::{Group, Problem};
use super::limits::{bounds, short, within};
use super::registry::{About, Marks, Test};
use super::spec::TableSpec;
use crate::ameriflux::Range;
use crate::quantity::{Aggregate, coverage_of};

pub(super) const ABOUT: About = About {
    name: "guard",
    summary: "a signal strength, AGC or sample count beside the value that is out of its bounds",
    keys: "`guards`",
    section: "Guards",
    source: "EasyFlux-DL; PyFluxPro; openeddy; LI-COR's manuals",
};

/// Bounds of a number, and the columns that it governs.
#[derive(Debug, Clone, PartialEq)]
pub struct RangeGuard {
    /// The bounds are inclusive: a number on a bound is good.
    range: Range,
    /// Columns of the same table that are flagged if the number is outside.
    pub governs: Vec<String>,
}

impl RangeGuard {
    /// Reads the bounds of a group of `guards`.
    ///
    /// # Errors
    /// No bounds, or `suspect` not inside `fail`.
    pub fn read(group: &Group, governs: Vec<String>) -> Result<RangeGuard, Problem> {
        Ok(RangeGuard { range: group.range("guards = [{ fail = [0.7, inf], governs = [\"CO2\"] }]")?, governs })
    }
}

/// The test with positions in the column list of a table.
#[derive(Debug, Clone)]
pub(super) struct GuardTest {
    /// The position of the number.
    pub(super) place: usize,
    name: String,
    range: Range,
    governs: Vec<usize>,
    /// The flag for a missing number.
    of_missing: Flag,
}

/// A mean, an extreme and similar values of fewer samples than this, in percent, are suspect. (EddyPro and openeddy: at
/// most 10 % may be missing; diive: 90 %.)
const ENOUGH: f64 = 90.0;
/// A sum with any missing part is too small.
const ALL: f64 = 100.0;

impl GuardTest {
    /// Builds the test for the number at `place` of `names`.
    pub(super) fn new(guard: &RangeGuard, place: usize, names: &[String]) -> GuardTest {
        let governs = guard.governs.iter().filter_map(|name| names.iter().position(|known| known == name));
        let (name, governs) = (names[place].clone(), governs.collect());
        GuardTest { place, name, range: guard.range, governs, of_missing: Flag::NotEvaluated }
    }

    /// Builds the test for the share of samples of the value at `governs`, in a table whose rows are made of another
    /// table's; None for a column without a share. Values of less than half of the samples do not exist at all. If the
    /// number of expected samples is not known, a value is treated as one with missing samples.
    pub(super) fn of_coverage(table: &TableSpec<'_>, governs: usize, names: &[String]) -> Option<GuardTest> {
        let name = coverage_of(&names[governs]);
        let place = names.iter().position(|known| *known == name)?;
        let least = if table.kind_of(&names[governs]).aggregate() == Aggregate::Sum { ALL } else { ENOUGH };
        let range = Range { suspect: (least, f64::INFINITY), fail: (f64::NEG_INFINITY, f64::INFINITY) };
        Some(GuardTest { place, name, range, governs: vec![governs], of_missing: Flag::Suspect })
    }

    /// Judges one row by its number, NaN where it is missing.
    pub(super) fn judge(&self, number: f64, out: &mut Marks) {
        let flag = if number.is_nan() { self.of_missing } else { within(&self.range, number) };
        if !flag.is_raised() {
            return;
        }
        let (low, high) = bounds(&self.range, flag);
        for &place in &self.governs {
            if out.flag(place) != Some(Flag::Missing) {
                out.note(place, Test::Guard, flag, || {
                    if number.is_nan() {
                        return format!("{} is not known", self.name);
                    }
                    let (side, bound) = if number < low { ("below", low) } else { ("above", high) };
                    format!("{} = {} is {side} {bound}", self.name, short(number))
                });
            }
        }
    }
}
