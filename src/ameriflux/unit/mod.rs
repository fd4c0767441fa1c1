//! Decides whether the unit in a file's header is the unit of an AmeriFlux variable.
//!
//! A range test in the wrong unit passes every value or fails every value, and both look plausible. Users write units
//! in headers in many ways ("Deg C", "umol/m^2/s", "Metres/Second"), so a text is read as dimension and scale before it
//! is compared. A text that cannot be read with certainty is [`UnitMatch::Unknown`]: after false alarms, users would
//! ignore the true ones.

mod parse;

use crate::ameriflux::range::Range;
use crate::ameriflux::variable::Variable;
use parse::{Meaning, Unit};

/// The relation of a header's unit to a variable's unit.
#[derive(Debug, Clone, PartialEq)]
pub enum UnitMatch {
    /// It is the variable's unit.
    Same,
    /// The header has no unit, one that is not understood, or one that fits many units ("unitless").
    Unknown,
    /// It is another unit.
    Contradicts {
        /// Converts from the header's unit to the variable's; None where no factor can, as for mV and kPa.
        conversion: Option<Conversion>,
    },
}

/// How values in a header's unit are judged by a variable's range and exported under its name.
#[derive(Debug, Clone, PartialEq)]
pub enum Fit {
    /// Unconverted: they are in the variable's unit, or the header has no unit.
    AsIs,
    /// Converted.
    Converted(Conversion),
    /// Not at all.
    Unfit {
        /// What the header says and why it does not fit; the advice follows after this text.
        reason: String,
    },
}

/// `value * factor + offset` is in the variable's unit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Conversion {
    /// The factor, above 0.
    pub factor: f64,
    /// Added after the multiplication, in the variable's unit.
    pub offset: f64,
}

/// Differences and standard deviations of temperature: for them a kelvin equals a degree Celsius.
const TEMPERATURE_DIFFERENCES: [&str; 2] = ["SAP_DT", "T_SONIC_SIGMA"];
/// Relative tolerance for equal scales. Scales are products of decimal fractions; units that are often confused differ
/// by at least 0.1 %.
const ALIKE: f64 = 1e-6;

/// Compares the unit text of a TOA5 header with the unit of `variable`.
pub fn compare(header_unit: &str, variable: &Variable) -> UnitMatch {
    let (Some(said), Some(meant)) = (parse::meaning(header_unit), parse::meaning(variable.unit)) else {
        return UnitMatch::Unknown;
    };
    let meant = match meant {
        Meaning::Unit(unit) => unit,
        Meaning::Degrees => Unit::ANGLE,
        Meaning::Unitless if said == Meaning::Unitless => return UnitMatch::Same,
        Meaning::Unitless => Unit::ONE,
    };
    let said = match said {
        Meaning::Unit(unit) => unit,
        // Some programs call a temperature's unit "degrees".
        Meaning::Degrees if meant.is_temperature() => return UnitMatch::Unknown,
        Meaning::Degrees => Unit::ANGLE,
        Meaning::Unitless => return UnitMatch::Unknown,
    };
    let conversion = match conversion(&said, &meant, variable) {
        Some(conversion) if conversion.changes_nothing() => return UnitMatch::Same,
        // A kilogram of water per square metre equals a millimetre, if the substance is water.
        None if said.is_mass_on_area() && meant.is_length() => return UnitMatch::Unknown,
        conversion => conversion,
    };
    UnitMatch::Contradicts { conversion }
}

/// Whether a header's unit is degrees of an angle: "deg", "Degrees true", "decimal degrees".
pub fn is_degrees(header_unit: &str) -> bool {
    match parse::meaning(header_unit) {
        Some(Meaning::Degrees) => true,
        Some(Meaning::Unit(unit)) => unit.has_dimension_of(&Unit::ANGLE) && (unit.scale - 1.0).abs() < ALIKE,
        _ => false,
    }
}

/// Whether a text is understood as a unit.
pub fn is_known(text: &str) -> bool {
    parse::meaning(text).is_some()
}

/// Whether two units in headers certainly mean different things, such as "Deg C" and "Deg F". False for units that are
/// not understood or may mean the same.
pub fn differ(one: &str, other: &str) -> bool {
    let (Some(Meaning::Unit(one)), Some(Meaning::Unit(other))) = (parse::meaning(one), parse::meaning(other)) else {
        return false;
    };
    let is_water = |one: &Unit, other: &Unit| one.is_mass_on_area() && other.is_length();
    match converted(&one, &other, false) {
        Some(conversion) => !conversion.changes_nothing(),
        None => !is_water(&one, &other) && !is_water(&other, &one),
    }
}

/// What makes values under one header's unit values under another's; none where a unit is not understood or no number does. A
/// `difference` of temperatures, such as their spread, has no zero of its own.
pub fn between(from: &str, to: &str, difference: bool) -> Option<Conversion> {
    let (Some(Meaning::Unit(from)), Some(Meaning::Unit(to))) = (parse::meaning(from), parse::meaning(to)) else {
        return None;
    };
    converted(&from, &to, difference)
}

fn conversion(said: &Unit, meant: &Unit, variable: &Variable) -> Option<Conversion> {
    let exact = exact(said, meant, variable)?;
    Some(Conversion { factor: tidy(exact.factor), offset: tidy(exact.offset) })
}

fn exact(said: &Unit, meant: &Unit, variable: &Variable) -> Option<Conversion> {
    converted(said, meant, TEMPERATURE_DIFFERENCES.contains(&variable.name))
}

/// None where no number makes one unit of the other.
fn converted(from: &Unit, to: &Unit, difference: bool) -> Option<Conversion> {
    from.has_dimension_of(to).then(|| Conversion {
        factor: from.scale / to.scale,
        offset: if difference { 0.0 } else { (from.offset - to.offset) / to.scale },
    })
}

/// How values in a header's unit are judged by the range of `variable` and exported as this variable.
///
/// If the header has no unit, the configuration is trusted, because it names the variable. If the header's unit is not
/// understood, or cannot be the variable's, the values are unfit: a range in the wrong unit passes or fails everything.
pub fn fit(header_unit: &str, variable: &Variable) -> Fit {
    let text = header_unit.trim();
    let Some(meant) = parse::meaning(variable.unit) else { return Fit::AsIs };
    let of = |why: String| Fit::Unfit {
        reason: format!("the header says {text:?}, and AmeriFlux's {} is in {}: {why}", variable.name, variable.unit),
    };
    let said = match parse::meaning(text) {
        _ if text.is_empty() => return Fit::AsIs,
        Some(said) => said,
        None => return of("that unit is not known".to_owned()),
    };
    let meant = match meant {
        Meaning::Unit(unit) => unit,
        Meaning::Degrees => Unit::ANGLE,
        Meaning::Unitless => Unit::ONE,
    };
    let said = match said {
        // A fraction has no unit, and a percentage may have none in the header.
        Meaning::Unitless if variable.unit == "%" => return of("it may be a fraction or a percentage".to_owned()),
        Meaning::Unitless => return Fit::AsIs,
        // Some programs call a temperature's unit "degrees".
        Meaning::Degrees if meant.is_temperature() => return Fit::AsIs,
        Meaning::Degrees => Unit::ANGLE,
        Meaning::Unit(unit) => unit,
    };
    if said.is_mass_on_area() && meant.is_length() {
        // A kilogram of water on a square metre is a millimetre.
        if !variable.is_total() {
            return of("a mass on an area is a length only of water".to_owned());
        }
        let factor = said.scale * 1e-3 / meant.scale;
        return if (factor - 1.0).abs() < ALIKE {
            Fit::AsIs
        } else {
            Fit::Converted(Conversion { factor, offset: 0.0 })
        };
    }
    match exact(&said, &meant, variable) {
        Some(conversion) if conversion.changes_nothing() => Fit::AsIs,
        // Means, differences and tests of a direction go around 360, before anything is converted.
        Some(_) if meant.has_dimension_of(&Unit::ANGLE) => {
            of("directions are averaged and tested in degrees".to_owned())
        }
        Some(conversion) => Fit::Converted(conversion),
        None => of("one is no multiple of the other".to_owned()),
    }
}

impl Conversion {
    /// The conversion that changes nothing.
    pub const NONE: Conversion = Conversion { factor: 1.0, offset: 0.0 };

    /// Converts a value to the variable's unit.
    pub fn of(self, value: f64) -> f64 {
        value * self.factor + self.offset
    }

    /// Converts a bound to the header's unit, rounded to nine digits: rounding errors of binary fractions must not put
    /// a bound on the wrong side of a value that the logger prints.
    pub fn back(self, bound: f64) -> f64 {
        let back = (bound - self.offset) / self.factor;
        format!("{back:.8e}").parse().unwrap_or(back)
    }

    /// Two bounds, as in [`Conversion::back`].
    pub fn back_bounds(self, (low, high): (f64, f64)) -> (f64, f64) {
        (self.back(low), self.back(high))
    }

    /// A range, as in [`Conversion::back`].
    pub fn back_range(self, range: Range) -> Range {
        Range { suspect: self.back_bounds(range.suspect), fail: self.back_bounds(range.fail) }
    }
}

/// Rounds to six digits: the definition of a unit has no more, and the rest is rounding error.
fn tidy(number: f64) -> f64 {
    format!("{number:.5e}").parse().unwrap_or(number)
}

impl Conversion {
    fn changes_nothing(&self) -> bool {
        (self.factor - 1.0).abs() < ALIKE && self.offset.abs() < ALIKE
    }
}

#[cfg(test)]
mod tests;
