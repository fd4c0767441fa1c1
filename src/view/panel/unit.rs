//! Units as an axis shows them.
//!
//! The header gives the unit that the logger wrote, the variable the expected unit. Where they agree, the unit has its
//! common spelling; where they do not, the header's is shown: a cell temperature in mV labelled °C is worse than no
//! label.

use crate::ameriflux;
use crate::ameriflux::unit::{UnitMatch, compare};

/// Variables whose units are compared with a header of a column without a variable.
const TRIED: [&str; 13] = ["TA", "RH", "WS", "WD", "PPFD_IN", "SW_IN", "CO2", "H2O", "CH4", "PA", "VPD", "P", "WTD"];
/// Names of voltages in headers, in lower case.
const VOLTS: [(&str, &str); 7] =
    [("v", "V"), ("volt", "V"), ("volts", "V"), ("vdc", "V"), ("mv", "mV"), ("mvolts", "mV"), ("millivolts", "mV")];

/// The unit of a column with the header's text, which may be empty, and its AmeriFlux variable, if it has one.
pub(super) fn shown(header: &str, variable: Option<&str>) -> String {
    let Some(variable) = variable.and_then(ameriflux::lookup) else { return tidy(header) };
    match compare(header, variable) {
        UnitMatch::Same => written(variable.unit),
        UnitMatch::Unknown if header.trim().is_empty() => written(variable.unit),
        // Some programs write "degrees" for a temperature.
        UnitMatch::Unknown if variable.unit == "deg C" && tidy(header) == "°" => written(variable.unit),
        UnitMatch::Unknown | UnitMatch::Contradicts { .. } => tidy(header),
    }
}

/// A header's unit in its common spelling, or unchanged.
fn tidy(header: &str) -> String {
    let header = header.trim();
    if header.is_empty() {
        return String::new();
    }
    let small = header.to_lowercase();
    if let Some((_, volts)) = VOLTS.iter().find(|(text, _)| *text == small) {
        return (*volts).to_owned();
    }
    let known = TRIED.iter().filter_map(|name| ameriflux::lookup(name));
    match known.into_iter().find(|variable| compare(header, variable) == UnitMatch::Same) {
        Some(variable) => written(variable.unit),
        None => header.chars().map(|c| if c.is_control() { ' ' } else { c }).collect(),
    }
}

/// AmeriFlux's unit in the spelling of an axis: `µmolPhoton m-2 s-1` is µmol/m²/s.
fn written(unit: &str) -> String {
    match unit {
        "nondimensional" => return String::new(),
        "deg C" => return "°C".to_owned(),
        "Decimal degrees" => return "°".to_owned(),
        "‰ (permil)" => return "‰".to_owned(),
        _ => {}
    }
    let mut text = String::new();
    for part in unit.split(' ') {
        match part.split_once('-') {
            Some((base, power)) => {
                text.push('/');
                text.push_str(base);
                text.push_str(match power {
                    "2" => "²",
                    "3" => "³",
                    _ => "",
                });
            }
            None => text.push_str(without_species(part)),
        }
    }
    match text.as_str() {
        "µmol/mol" => "ppm".to_owned(),
        "nmol/mol" => "ppb".to_owned(),
        _ => text,
    }
}

/// `µmolCO2` to `µmol`: the title names the substance.
fn without_species(part: &str) -> &str {
    match part.find("mol") {
        Some(at) => part.get(..at + 3).unwrap_or(part),
        None => part,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_have_their_common_spelling() {
        for (header, variable, expected) in [
            ("Deg C", Some("TA"), "°C"),
            ("", Some("TA_1_1_1"), "°C"),
            ("degrees", Some("TA"), "°C"),
            ("degrees", Some("WD"), "°"),
            ("mV", Some("TA"), "mV"),
            ("volts", None, "V"),
            ("K", Some("TA"), "K"),
            ("umol/m^2/s", Some("PPFD_IN"), "µmol/m²/s"),
            ("umol/m^2/s", None, "µmol/m²/s"),
            ("", Some("FC"), "µmol/m²/s"),
            ("W/m2", None, "W/m²"),
            ("", Some("CO2"), "ppm"),
            ("", Some("CH4"), "ppb"),
            ("", Some("H2O"), "mmol/mol"),
            ("", Some("TAU"), "kg/m/s²"),
            ("m/s", None, "m/s"),
            ("%", Some("RH"), "%"),
            ("kPa", None, "kPa"),
            ("counts", Some("PPFD_IN"), "counts"),
            ("", Some("NDVI"), ""),
            ("", None, ""),
            (" furlongs ", None, "furlongs"),
        ] {
            assert_eq!(shown(header, variable), expected, "{header:?} {variable:?}");
        }
    }
}
