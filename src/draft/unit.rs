//! Whether the unit in a header is the unit of an AmeriFlux variable.

use crate::ameriflux;
use crate::ameriflux::unit::{UnitMatch, compare};

/// What a header's unit says about a variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fit {
    /// It is the variable's.
    Same,
    /// It says nothing, or nothing that is understood.
    Unknown,
    /// It is another.
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
