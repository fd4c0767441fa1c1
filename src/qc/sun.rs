//! Sun: more light than possible at the row's time, and light at night.
//!
//! A value is compared with the potential radiation at the top of the atmosphere ([`crate::sun::Potential`]), in W m-2;
//! a photon flux density is halved first, as in AmeriFlux. A logger stores a mean over at most the time since the
//! previous row, so the limit is the largest mean over any part of that time: a half hour around sunrise, or a row
//! after a gap, is judged leniently. By day a value is suspect by ONEFlux's rule (`qc_auto/src/rpot.c`: by more than 50
//! W m-2 and by more than 15 %) and fails above BSRN's "physically possible" (1.5 x S0 x cos(zenith)^1.2 + 100 W m-2).
//! At night it is suspect above 10 W m-2, as in AmeriFlux's alignment test, and fails above 50, as in ONEFlux.

use super::flag::Flag;
use super::keys::{Absent, Group, GroupKeys, Key, Kind, Problem};
use super::limits::{Levels, above, limit, short};
use super::registry::{About, ColumnTest, Seen};
use super::window::Reach;
use crate::ameriflux;
use crate::ameriflux::unit::{self, Conversion, Fit};

pub(super) const ABOUT: About = About {
    name: "sun",
    summary: "more light than the sun can give there and then, or light at night",
    keys: "`sun`, with `latitude` and `longitude` of `[station]`",
    section: "Sun",
    source: "ONEFlux `rpot.c`; AmeriFlux's timestamp alignment; BSRN",
};

/// A suspect value exceeds the potential radiation by more than `SUSPECT_BY` W m-2 and by more than the share
/// `SUSPECT_PART` of it.
const SUSPECT_BY: f64 = 50.0;
const SUSPECT_PART: f64 = 0.15;
/// The solar constant, W m-2, for the cosine of the zenith angle; BSRN's limit varies by 1 % with the earth's distance.
const SOLAR_CONSTANT: f64 = 1_376.0;
/// AmeriFlux compares half of a photon flux density, umol m-2 s-1, with W m-2.
const WATTS_OF_PHOTONS: f64 = 0.5;

/// The settings of a sun test.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sun {
    /// Limits of light at night, W m-2; a value strictly above is flagged.
    pub night: Levels<f64>,
}

const DEFAULT: Levels<f64> = Levels { suspect: Some(10.0), fail: Some(50.0) };

/// The sun at the time of a row.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sky {
    /// The highest possible potential radiation, W m-2.
    pub(super) most: f64,
}

/// How the values of a column of sunlight become W m-2.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Light {
    is_photons: bool,
    /// The conversion to the variable's unit, if the header states another one.
    conversion: Option<Conversion>,
}

impl Light {
    /// For an AmeriFlux variable of sunlight (incoming, diffuse or outgoing) with a header's unit; None if the unit
    /// cannot be the variable's.
    pub fn of(variable: Option<&str>, unit: &str) -> Option<Light> {
        let variable = ameriflux::lookup(variable?)?;
        let is_photons = match variable.name {
            "SW_IN" | "SW_OUT" | "SW_DIF" => false,
            "PPFD_IN" | "PPFD_OUT" | "PPFD_DIF" => true,
            _ => return None,
        };
        let conversion = match unit::fit(unit, variable) {
            Fit::AsIs => None,
            Fit::Converted(conversion) => Some(conversion),
            Fit::Unfit { .. } => return None,
        };
        Some(Light { is_photons, conversion })
    }

    /// Like [`Light::of`]; None also if it is not incoming light from above.
    pub fn incoming(variable: Option<&str>, unit: &str) -> Option<Light> {
        let name = ameriflux::lookup(variable?)?.name;
        if matches!(name, "SW_IN" | "PPFD_IN") { Light::of(variable, unit) } else { None }
    }

    /// Converts a value of the column to W m-2.
    pub fn watts(self, value: f64) -> f64 {
        let value = self.conversion.map_or(value, |conversion| conversion.of(value));
        if self.is_photons { value * WATTS_OF_PHOTONS } else { value }
    }
}

/// Whether a column of this AmeriFlux variable can have the test.
pub fn measures_sunlight(variable: Option<&str>) -> bool {
    Light::of(variable, "").is_some()
}

/// The limits by day, W m-2.
fn day(most: f64) -> Levels<f64> {
    let possible = 1.5 * most * (most / SOLAR_CONSTANT).powf(0.2) + 100.0;
    Levels { suspect: Some(most + SUSPECT_BY.max(most * SUSPECT_PART)), fail: Some(possible) }
}

impl Sun {
    fn levels(&self, sky: Sky) -> Levels<f64> {
        if sky.most > 0.0 { day(sky.most) } else { self.night }
    }
}

impl ColumnTest for Sun {
    const KEYS: GroupKeys = GroupKeys {
        name: ABOUT.name,
        meaning: "a radiometer against what the sun can give: [sun](#sun); `{}` for the usual limits",
        example: "sun = { suspect = 10, fail = 50 }",
        keys: &[
            Key::new("suspect", Kind::Positive, "light at night above this is suspect, in W m-2", "suspect = 10")
                .or(Absent::Value("10")),
            Key::new("fail", Kind::Positive, "light at night above this fails, in W m-2", "fail = 50")
                .or(Absent::Value("50")),
        ],
    };
    const NEEDS_SUN: bool = true;
    type State = ();

    fn read(group: &Group) -> Result<Sun, Problem> {
        let (suspect, fail) = (group.number("suspect").or(DEFAULT.suspect), group.number("fail").or(DEFAULT.fail));
        match (suspect, fail) {
            (Some(suspect), Some(fail)) if fail < suspect => Err(group.wrong(&format!(
                ": fail = {fail} is smaller than suspect = {suspect}; write both, for example {}",
                Self::KEYS.example
            ))),
            _ => Ok(Sun { night: Levels { suspect, fail } }),
        }
    }

    fn start(&self) {}

    /// Not evaluated without a position, for the first row of a series, whose interval is not known, and if the
    /// header's unit cannot be the variable's.
    #[inline]
    fn judge(&self, (): &mut (), seen: &Seen<'_>, _: [Option<Reach>; 2]) -> Flag {
        if seen.value.is_nan() {
            return Flag::Missing;
        }
        let (Some(sky), Some(light)) = (seen.sky, seen.light) else { return Flag::NotEvaluated };
        above(&self.levels(sky), light.watts(seen.value))
    }

    fn detail(&self, (): &(), seen: &Seen<'_>, flag: Flag) -> String {
        let (Some(sky), Some(light)) = (seen.sky, seen.light) else { return String::new() };
        let watts = short(light.watts(seen.value));
        let value = match (light.conversion, light.is_photons) {
            (Some(_), _) => format!("{} in the header's unit, which is {watts} W m-2,", seen.value),
            (None, true) => format!("{} umol m-2 s-1, which is {watts} W m-2,", seen.value),
            (None, false) => format!("{watts} W m-2"),
        };
        if sky.most > 0.0 {
            return format!("{value} where the sun can give {}", short(sky.most));
        }
        let limit = limit(&self.night, flag).unwrap_or(f64::NAN);
        format!("{value} at night, more than {limit}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flag(variable: &str, most: f64, value: f64) -> Flag {
        let sun = Sun { night: DEFAULT };
        above(&sun.levels(Sky { most }), Light::of(Some(variable), "").unwrap().watts(value))
    }

    #[test]
    fn a_value_is_held_against_what_the_sun_can_give() {
        for (most, value, expected) in [
            (0.0, 10.0, Flag::Pass),
            (0.0, 10.1, Flag::Suspect),
            (0.0, 67.7, Flag::Fail),
            (0.0, -4.0, Flag::Pass),
            // One hour late on 21 June at US-UMB: 18:30, 19:30, 20:00.
            (361.5, 421.1, Flag::Suspect),
            (141.0, 240.7, Flag::Fail),
            (36.9, 151.5, Flag::Fail),
            // More than 50 W m-2 above, but less than 15 %.
            (1_000.0, 1_149.0, Flag::Pass),
            (1_000.0, 1_151.0, Flag::Suspect),
            (1_000.0, 1_600.0, Flag::Fail),
        ] {
            assert_eq!(flag("SW_IN", most, value), expected, "{value} where {most} can be");
            assert_eq!(flag("PPFD_IN_1_1_1", most, 2.0 * value), expected, "{value} as photons");
        }
    }

    #[test]
    fn only_what_the_sun_lights_is_light() {
        for (variable, is_light) in [("SW_IN", true), ("PPFD_DIF_1_1_1", true), ("LW_IN", false), ("NETRAD", false)] {
            assert_eq!(measures_sunlight(Some(variable)), is_light, "{variable}");
        }
        assert!(!measures_sunlight(None));
        assert_eq!(Light::incoming(Some("SW_OUT"), "W m-2"), None, "snow and shade move it");
    }

    #[test]
    fn light_is_read_in_the_unit_of_its_header() {
        for (variable, unit, value, watts) in [
            ("PPFD_IN", "", 1_000.0, Some(500.0)),
            ("PPFD_IN", "umol m-2 s-1", 1_000.0, Some(500.0)),
            ("PPFD_IN_1_1_1", "mmol m-2 s-1", 1.0, Some(500.0)),
            ("SW_IN", "W/m^2", 800.0, Some(800.0)),
            ("SW_IN", "kW/m^2", 0.8, Some(800.0)),
            ("SW_IN", "mV", 800.0, None),
        ] {
            let found = Light::incoming(Some(variable), unit).map(|light| light.watts(value).round());
            assert_eq!(found, watts, "{variable} in {unit:?}");
        }
    }
}
