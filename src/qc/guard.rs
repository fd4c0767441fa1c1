//! Guard: a number beside the values vouches for them: signal strength, AGC, a count of samples.
//!
//! The bounds say the direction: a signal strength of 0.7 to infinity is good, an AGC of minus infinity to 70 is. A column may hold
//! several guards, and a value may have several; the worse flag counts. A missing number says nothing, unlike a missing
//! diagnostic word: half-hour tables have values from before the column that guards them.

use super::flag::Flag;
use super::keys::{Group, Problem};
use super::limits::{bounds, short, within};
use super::registry::{About, Marks, Test};
use crate::ameriflux::Range;

pub(super) const ABOUT: About = About {
    name: "guard",
    summary: "a signal strength, AGC or sample count beside the value that is out of its bounds",
    keys: "`guards`",
    section: "Guards",
    source: "EasyFlux-DL; PyFluxPro; openeddy; LI-COR's manuals",
};

/// Bounds of a number, and the columns that it vouches for.
#[derive(Debug, Clone, PartialEq)]
pub struct RangeGuard {
    /// Closed: a number on a bound is good.
    range: Range,
    /// Columns of the same table that are flagged when the number lies outside.
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

/// The test, aligned with the column list of a table.
#[derive(Debug, Clone)]
pub(super) struct GuardTest {
    /// The place of the number.
    pub(super) place: usize,
    name: String,
    range: Range,
    governs: Vec<usize>,
}

impl GuardTest {
    /// Of the number at `place` of `names`.
    pub(super) fn new(guard: &RangeGuard, place: usize, names: &[String]) -> GuardTest {
        let governs = guard.governs.iter().filter_map(|name| names.iter().position(|known| known == name));
        GuardTest { place, name: names[place].clone(), range: guard.range, governs: governs.collect() }
    }

    /// Judges one row by its number, NaN where it is missing.
    pub(super) fn judge(&self, number: f64, out: &mut Marks) {
        let flag = if number.is_nan() { Flag::NotEvaluated } else { within(&self.range, number) };
        if !flag.is_raised() {
            return;
        }
        let (low, high) = bounds(&self.range, flag);
        for &place in &self.governs {
            if out.flag(place) != Some(Flag::Missing) {
                out.note(place, Test::Guard, flag, || {
                    let (side, bound) = if number < low { ("below", low) } else { ("above", high) };
                    format!("{} = {} is {side} {bound}", self.name, short(number))
                });
            }
        }
    }
}
