//! Compares the unit in a header with the unit of an AmeriFlux variable.

use crate::ameriflux;
use crate::ameriflux::unit::{UnitMatch, compare};

/// The result of the comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fit {
    /// The unit is the variable's.
    Same,
    /// The unit is empty or not understood.
    Unknown,
    /// The unit is another.
    Other,
}

/// Compares the unit of a header with that of the base variable `variable`.
pub(super) fn unit_fits(unit: &str, variable: &str) -> Fit {
    let Some(variable) = ameriflux::lookup(variable) else { return Fit::Unknown };
    match compare(unit, variable) {
        UnitMatch::Same => Fit::Same,
        UnitMatch::Unknown => Fit::Unknown,
        UnitMatch::Contradicts { .. } => Fit::Other,
    }
}
