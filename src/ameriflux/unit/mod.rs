//! Does the unit in a file's header mean the unit of an AmeriFlux variable?
//!
//! A range test in the wrong unit calls every value good or every value bad, and both look like the weather. Headers name
//! units as users type them ("Deg C", "umol/m^2/s", "Metres/Second"), so a text is read as dimension and scale before
//! it is compared. What cannot be read for sure is [`UnitMatch::Unknown`]: a false alarm would teach users to ignore
//! the true one.

mod parse;

use crate::ameriflux::range::Range;
use crate::ameriflux::variable::Variable;
use parse::{Meaning, Unit};

/// What a header's unit says about a variable.
#[derive(Debug, Clone, PartialEq)]
pub enum UnitMatch {
    /// It is the variable's unit.
    Same,
    /// The header says nothing, nothing that is understood, or something that fits many units ("unitless").
    Unknown,
    /// It is another unit.
    Contradicts {
        /// What makes the variable's unit of the header's; None where no number does, as for mV and kPa.
        conversion: Option<Conversion>,
    },
}

/// How values under a header's unit are judged by a variable's range and written under its name.
#[derive(Debug, Clone, PartialEq)]
pub enum Fit {
    /// As they are: they are in the variable's unit, or the header says nothing.
    AsIs,
    /// Converted.
    Converted(Conversion),
    /// Not at all.
    Unfit {
        /// What the header says and why it does not fit; ends before the advice.
        reason: String,
    },
}

/// `value * factor + offset` is in the variable's unit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Conversion {
    /// Multiplied first; above 0.
    pub factor: f64,
    /// Added then, in the variable's unit.
    pub offset: f64,
}

/// Differences and spreads of temperature: for them a kelvin is a degree Celsius.
const TEMPERATURE_DIFFERENCES: [&str; 2] = ["SAP_DT", "T_SONIC_SIGMA"];
/// Scales come from products of decimal fractions; units that are often confused are at least 0.1 % apart.
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
        // A kilogram of water on a square metre is a millimetre, if water is what it is.
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

/// Whether two units of headers surely mean something else, as "Deg C" and "Deg F" do. What is not understood, and what may mean
/// the same, does not.
pub fn differ(one: &str, other: &str) -> bool {
    let (Some(Meaning::Unit(one)), Some(Meaning::Unit(other))) = (parse::meaning(one), parse::meaning(other)) else {
        return false;
    };
    let is_water = |one: &Unit, other: &Unit| one.is_mass_on_area() && other.is_length();
    if !one.has_dimension_of(&other) {
        return !is_water(&one, &other) && !is_water(&other, &one);
    }
    (one.scale / other.scale - 1.0).abs() >= ALIKE || (one.offset - other.offset).abs() >= ALIKE
}

/// What makes values under one header's unit values under another's; none where a unit is not understood or no number does. A
/// `difference` of temperatures, such as their spread, has no zero of its own.
pub fn between(from: &str, to: &str, difference: bool) -> Option<Conversion> {
    let (Some(Meaning::Unit(from)), Some(Meaning::Unit(to))) = (parse::meaning(from), parse::meaning(to)) else {
        return None;
    };
    from.has_dimension_of(&to).then(|| Conversion {
        factor: from.scale / to.scale,
        offset: if difference { 0.0 } else { (from.offset - to.offset) / to.scale },
    })
}

fn conversion(said: &Unit, meant: &Unit, variable: &Variable) -> Option<Conversion> {
    let exact = exact(said, meant, variable)?;
    Some(Conversion { factor: tidy(exact.factor), offset: tidy(exact.offset) })
}

fn exact(said: &Unit, meant: &Unit, variable: &Variable) -> Option<Conversion> {
    if !said.has_dimension_of(meant) {
        return None;
    }
    let difference = TEMPERATURE_DIFFERENCES.contains(&variable.name);
    let offset = if difference { 0.0 } else { (said.offset - meant.offset) / meant.scale };
    Some(Conversion { factor: said.scale / meant.scale, offset })
}

/// Water that falls or flows: a kilogram of it on a square metre is a millimetre.
const WATER: [&str; 6] = ["P", "P_RAIN", "P_SNOW", "THROUGHFALL", "STEMFLOW", "RUNOFF"];

/// How values under a header's unit are judged by the range of `variable` and exported as it.
///
/// A header that says nothing is taken at the word of the configuration, which names the variable. One that says something
/// that is not understood, or that cannot be the variable's, is not: a range in the wrong unit passes or fails everything.
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
        // A fraction has none, and a percent that the program does not name has none either.
        Meaning::Unitless if variable.unit == "%" => return of("it may be a fraction or a percentage".to_owned()),
        Meaning::Unitless => return Fit::AsIs,
        // Some programs call a temperature's unit "degrees".
        Meaning::Degrees if meant.is_temperature() => return Fit::AsIs,
        Meaning::Degrees => Unit::ANGLE,
        Meaning::Unit(unit) => unit,
    };
    if said.is_mass_on_area() && meant.is_length() {
        if !WATER.contains(&variable.name) {
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
        Some(conversion) => Fit::Converted(conversion),
        None => of("one is no multiple of the other".to_owned()),
    }
}

impl Conversion {
    /// Changes nothing.
    pub const NONE: Conversion = Conversion { factor: 1.0, offset: 0.0 };

    /// The value in the variable's unit.
    pub fn of(self, value: f64) -> f64 {
        value * self.factor + self.offset
    }

    /// A bound in the header's unit, to nine digits: the dust of binary fractions must not move a bound off a value that the
    /// logger prints.
    pub fn back(self, bound: f64) -> f64 {
        let back = (bound - self.offset) / self.factor;
        format!("{back:.8e}").parse().unwrap_or(back)
    }

    /// Two bounds, as [`Conversion::back`].
    pub fn back_bounds(self, (low, high): (f64, f64)) -> (f64, f64) {
        (self.back(low), self.back(high))
    }

    /// A range, as [`Conversion::back`].
    pub fn back_range(self, range: Range) -> Range {
        Range { suspect: self.back_bounds(range.suspect), fail: self.back_bounds(range.fail) }
    }
}

/// Six digits: what a unit's definition has, without the dust of binary fractions.
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
