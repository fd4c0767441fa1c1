//! Whether the unit in a header is the unit of an AmeriFlux variable.

use crate::qc;

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

/// Spellings of a unit, the first as AmeriFlux writes it: small letters, without blanks and signs of multiplication.
const UNITS: &[&[&str]] = &[
    &["degc", "c", "celsius", "celcius", "degreec", "degreesc", "degcelsius", "degreecelsius", "degreescelsius"],
    &["%", "percent", "pct", "%rh"],
    &["kpa", "kilopascal", "kilopascals"],
    &["hpa", "mbar", "mb", "millibar", "millibars"],
    &["ms-1", "m/s", "m/sec", "mps", "meters/second", "metres/second", "meter/second", "meters/sec"],
    &["wm-2", "w/m2", "watts/m2", "watt/m2", "watts/meter2", "w/meter2"],
    &[
        "umolm-2s-1",
        "umol/m2/s",
        "umol/s/m2",
        "umol/m2s",
        "umol/m2s1",
        "umols-1m-2",
        "umol/m2/sec",
        "umol/sm2",
        "micromol/m2/s",
        "micromoles/m2/s",
    ],
    &["umolmol-1", "umol/mol", "ppm", "ppmv"],
    &["mmolmol-1", "mmol/mol"],
    &["nmolmol-1", "nmol/mol", "ppb", "ppbv"],
    &["mm", "millimeter", "millimeters", "millimetres"],
    &["cm", "centimeters"],
    &["m", "meters", "metres"],
    &["decimaldegrees", "deg", "degree", "degrees"],
    &["kgm-1s-2", "kg/ms2"],
    // What no variable of AmeriFlux is in.
    &["degf", "f", "fahrenheit"],
    &["k", "kelvin", "degk"],
    &["v", "volts", "volt", "vdc"],
    &["mv", "millivolts"],
    &["mg/m3", "mgm-3"],
    &["g/m3", "gm-3"],
    &["mmol/m3", "mmolm-3"],
    &["m3/m3", "m3m-3", "vwc", "fraction"],
    &["inches", "in", "inch"],
    &["psi"],
    &["pa"],
    &["mmhg"],
    &["kw/m2", "kwm-2"],
    &["mj/m2", "mjm-2"],
    &["mmol/m2", "mmolm-2"],
    &["mph", "miles/hour"],
    &["ft", "feet"],
];
/// AmeriFlux names the substance in the unit; a header may too.
const SUBSTANCES: [&str; 6] = ["photons", "photon", "co2", "h2o", "ch4", "n2o"];

/// Compares the unit of a header with that of the base variable `variable`.
pub(super) fn unit_fits(unit: &str, variable: &str) -> Fit {
    let Some(variable) = qc::lookup(variable) else { return Fit::Unknown };
    let (Some(said), Some(meant)) = (known(unit), known(variable.unit)) else { return Fit::Unknown };
    let name = |place: usize| UNITS.get(place).and_then(|unit| unit.first()).copied();
    match (name(said), name(meant)) {
        (said, meant) if said == meant => Fit::Same,
        // Some programs call a temperature's unit "degrees".
        (Some("decimaldegrees"), Some("degc")) => Fit::Unknown,
        _ => Fit::Other,
    }
}

fn known(unit: &str) -> Option<usize> {
    let mut plain = String::new();
    for c in unit.to_lowercase().chars() {
        match c {
            '°' | 'º' => plain.push_str("deg"),
            'µ' | 'μ' => plain.push('u'),
            '²' => plain.push('2'),
            '³' => plain.push('3'),
            '⁻' | '−' => plain.push('-'),
            '¹' => plain.push('1'),
            ' ' | '^' | '*' | '.' | '·' | '_' | '(' | ')' | '[' | ']' => {}
            c => plain.push(c),
        }
    }
    let place = |text: &str| UNITS.iter().position(|spellings| spellings.contains(&text));
    place(&plain).or_else(|| place(&SUBSTANCES.iter().fold(plain.clone(), |text, word| text.replace(word, ""))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_read_as_people_type_them() {
        for (unit, variable, fit) in [
            ("Deg C", "TA", Fit::Same),
            ("°C", "TS", Fit::Same),
            ("degreeC", "TA", Fit::Same),
            ("K", "TA", Fit::Other),
            ("degrees", "TA", Fit::Unknown),
            ("degrees", "WD", Fit::Same),
            ("umol/m^2/s", "PPFD_IN", Fit::Same),
            ("umol/s/m^2", "PPFD_IN", Fit::Same),
            ("umol/m2s1", "PPFD_IN", Fit::Same),
            ("µmol m-2 s-1", "PPFD_IN", Fit::Same),
            ("W/m²", "G", Fit::Same),
            ("kW/m^2", "SW_IN", Fit::Other),
            ("meters/Second", "WS", Fit::Same),
            ("m^3/m^3", "SWC", Fit::Other),
            ("%", "SWC", Fit::Same),
            ("umolCO2 mol-1", "CO2", Fit::Same),
            ("ppt", "H2O", Fit::Unknown),
            ("kPa", "VPD", Fit::Other),
            ("", "TA", Fit::Unknown),
            ("unitless", "SWC", Fit::Unknown),
        ] {
            assert_eq!(unit_fits(unit, variable), fit, "{unit} {variable}");
        }
    }

    #[test]
    fn no_spelling_belongs_to_two_units() {
        let mut all: Vec<&str> = UNITS.iter().flat_map(|unit| unit.iter().copied()).collect();
        all.sort_unstable();
        assert!(all.windows(2).all(|pair| pair[0] != pair[1]), "{all:?}");
    }
}
