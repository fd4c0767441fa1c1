//! Tests spellings found in headers against the variables they may belong to.

use crate::ameriflux::unit::*;
use crate::ameriflux::variable::{VARIABLES, lookup};

fn against(header_unit: &str, name: &str) -> UnitMatch {
    compare(header_unit, lookup(name).unwrap())
}

fn same(name: &str, spellings: &[&str]) {
    for spelling in spellings {
        assert_eq!(against(spelling, name), UnitMatch::Same, "{spelling:?} for {name}");
    }
}

/// The factor and offset that convert from `spelling` to the unit of `name`.
fn converts(spelling: &str, name: &str, factor: f64, offset: f64) {
    let found = against(spelling, name);
    let UnitMatch::Contradicts { conversion: Some(conversion) } = &found else {
        panic!("{spelling:?} for {name}: {found:?}");
    };
    let near = |a: f64, b: f64| (a - b).abs() <= 1e-5 * b.abs();
    assert!(
        near(conversion.factor, factor) && near(conversion.offset, offset),
        "{spelling:?} for {name}: {conversion:?}"
    );
}

fn another_dimension(name: &str, spellings: &[&str]) {
    for spelling in spellings {
        let found = against(spelling, name);
        assert!(matches!(found, UnitMatch::Contradicts { conversion: None, .. }), "{spelling:?} for {name}: {found:?}");
    }
}

fn unknown(name: &str, spellings: &[&str]) {
    for spelling in spellings {
        assert_eq!(against(spelling, name), UnitMatch::Unknown, "{spelling:?} for {name}");
    }
}

#[test]
fn the_unit_of_every_variable_is_its_own() {
    for variable in VARIABLES {
        assert_eq!(compare(variable.unit, variable), UnitMatch::Same, "{} {}", variable.name, variable.unit);
    }
}

#[test]
fn spellings_of_the_same_unit_are_the_same() {
    same(
        "TA",
        &[
            "Deg C",
            "DegC",
            "degC",
            "deg C",
            "deg_C",
            "deg. C",
            "DEG C",
            "C",
            "c",
            "°C",
            "ºC",
            "Â°C",
            "℃",
            "degreeC",
            "degrees C",
        ],
    );
    same("TS", &["Celsius", "Celcius", "Degrees Celsius", " Deg C ", "oC", "[degC]"]);
    same("PPFD_IN", &["umol/m^2/s", "umol m-2 s-1", "µmol/s/m²", "μmol m⁻² s⁻¹", "umol/s/m^2", "umol/m2/s"]);
    same("PPFD_IN", &["umol/m2s1", "umol/(m^2 s)", "umol/(s*m^2)", "umol m^-2 s^-1", "umol.m-2.s-1", "umolm-2s-1"]);
    same("PPFD_DIF", &["umol photons m-2 s-1", "µmolPhotons/m2/s", "uE/m^2/s", "umol/m2 s", "UMOL/M^2/S"]);
    same("FC", &["umol/m^2/s", "umolCO2/m^2/s", "umol CO2 m-2 s-1", "umolCO2 m-2 s-1"]);
    same(
        "SW_IN",
        &["W/m^2", "W/m2", "w/m^2", "W m-2", "W m^-2", "W/m²", "Wm-2", "Watts/m^2", "watts/meter^2", "J/s/m2"],
    );
    same("PA", &["kPa", "KPA", "kpa", "Kilopascals"]);
    same("VPD", &["hPa", "mbar", "Millibars", "mb", "MBAR"]);
    same("RH", &["%", "percent", "%RH", "% RH"]);
    same("WS", &["m/s", "M/S", "m s-1", "m s^-1", "ms-1", "meters/second", "meters/Second", "Metres/Second", "m/sec"]);
    same("WD", &["degrees", "Degrees", "deg", "Deg", "°", "Deg True", "Degs", "Degrees from North"]);
    same("CO2", &["ppm", "ppmv", "umol/mol", "umol mol-1", "µmolCO2 mol-1", "umolCO2/mol"]);
    same("H2O", &["mmol/mol", "mmol mol-1", "mmolH2O/mol", "mmol H2O mol-1"]);
    same("CH4", &["ppb", "nmol/mol"]);
    same("P", &["mm", "MM", "millimeters", "L/m^2"]);
    same("D_SNOW", &["cm", "centimeters"]);
    same("WTD", &["m", "meters", "M"]);
    same("USTAR", &["m/s"]);
    same("TAU", &["kg m-1 s-2", "kg/(m s^2)", "(kg m/s)/(m^2 s)", "kg m^-3*(m/s)^2", "Pa", "N/m2"]);
    same("COND_WATER", &["uS/cm", "µS cm-1"]);
    same("CO2C13", &["permil", "‰"]);
    same("TA", &["deg. C.", "Deg.C", "C°", "degree Celsius", "Degrees_C", "°c"]);
    same("PA", &["kilopascal", "kiloPascals", "kPa."]);
    same(
        "SW_IN",
        &["Watts per square meter", "W per m^2", "W.m-2", "watts/square meter", "W m^-2", "Watts/meter squared"],
    );
    same(
        "PPFD_IN",
        &["micromoles/m^2/s", "umoles m-2 s-1", "micromol per square meter per second", "umol per m2 per s"],
    );
    same("WS", &["mps", "meters per second", "m per s"]);
    same("COND_WATER", &["microsiemens/cm", "uS/centimeter", "umhos/cm"]);
    same("SWC", &["%", "% vol", "Vol %", "%VWC"]);
    same("FC_SSITC_TEST", &["unitless", "dimensionless", "nondimensional", "-", "1"]);
}

#[test]
fn another_scale_contradicts_and_gives_the_conversion() {
    converts("kPa", "VPD", 10.0, 0.0);
    converts("hPa", "PA", 0.1, 0.0);
    converts("Millibars", "PA", 0.1, 0.0);
    for spelling in ["mmHg", "mm Hg", "mm_Hg", "torr"] {
        converts(spelling, "PA", 0.133_322, 0.0);
    }
    for spelling in ["inHg", "in Hg", "in. Hg", "in_Hg", "IN HG", "inches Hg", "inches of mercury", "Inches of Hg"] {
        converts(spelling, "PA", 3.386_39, 0.0);
    }
    for spelling in ["mph", "MPH", "miles/hour", "miles per hour", "mi/h", "mi/hr", "Miles/Hr", "mi h-1"] {
        converts(spelling, "WS", 0.44704, 0.0);
    }
    for spelling in ["kmph", "kilometers/hour", "km per hour", "km hr-1"] {
        converts(spelling, "WS", 0.277_778, 0.0);
    }
    converts("mS/cm", "COND_WATER", 1000.0, 0.0);
    converts("bars", "PA", 100.0, 0.0);
    converts("mbars", "PA", 0.1, 0.0);
    converts("psi", "PA", 6.89476, 0.0);
    converts("K", "TA", 1.0, -273.15);
    converts("Deg K", "T_SONIC", 1.0, -273.15);
    converts("Deg F", "TA", 5.0 / 9.0, -17.777_8);
    converts("m^3/m^3", "SWC", 100.0, 0.0);
    converts("fraction", "RH", 100.0, 0.0);
    converts("mmol/mol", "CO2", 1000.0, 0.0);
    converts("umol/mol", "H2O", 0.001, 0.0);
    converts("ppm", "CH4", 1000.0, 0.0);
    converts("kW/m^2", "SW_IN", 1000.0, 0.0);
    converts("mmol/m^2/s", "PPFD_IN", 1000.0, 0.0);
    converts("inches", "P", 25.4, 0.0);
    converts("m", "D_SNOW", 100.0, 0.0);
    converts("Ft", "WTD", 0.3048, 0.0);
    converts("mph", "WS", 0.44704, 0.0);
    converts("knots", "WS", 0.514_444, 0.0);
    converts("km/h", "WS", 0.277_778, 0.0);
    converts("dS/m", "COND_WATER", 1000.0, 0.0);
    converts("MPa", "SWP", 1000.0, 0.0);
}

#[test]
fn another_dimension_contradicts_without_a_factor() {
    another_dimension("PA", &["mV", "Volts", "V", "C", "%", "degrees", "m"]);
    another_dimension("TA", &["mV", "%", "kPa", "ppm"]);
    another_dimension("CO2", &["mg/m^3", "mmol/m^3", "mV"]);
    another_dimension("H2O", &["g/m^3", "g/kg"]);
    another_dimension("SW_IN", &["umol/m^2/s", "MJ/m^2", "mV"]);
    another_dimension("PPFD_IN", &["W/m^2", "mmol/m^2"]);
    another_dimension("WS", &["m", "deg", "Hz"]);
    another_dimension("P", &["mm h^-1", "mm/hr", "in Hg", "mm Hg"]);
    another_dimension("SWC", &["usec", "Deg C"]);
}

#[test]
fn what_is_not_understood_for_sure_is_unknown() {
    unknown("TA", &["", "  ", "RN", "unitless", "counts", "degrees", "Deg", "-", "deg C/min?", "°C (shaded)"]);
    unknown("PA", &["unitless", "raw", "MPA", "kPa abs", "kPa)", "(kPa", "((((((((", "/", "kPa/", "^2", "k Pa"]);
    unknown("H2O", &["ppt", "dBz", "Grade", "?"]);
    unknown("SW_IN", &["W/m2 s-1", "J(m^2 h)", "W/m^", "W/m^x", "W/m2-", "W/m99"]);
    unknown("WS", &["per", "per second per", "square", "m per", "sq"]);
    unknown("RH", &["unitless", "records", "%%RH!", "CO2", "no", "photons", "/CO", "mmol/CO2"]);
    unknown("P", &["kg/m^2", "mm a-1", "tips", "mm_Tot"]);
    unknown("PPFD_IN", &["\u{fffd}mol/m2/s", "umolm2s1", &"(".repeat(5000), &"m ".repeat(200)]);
    unknown("FC_SSITC_TEST", &[""]);
}

proptest::proptest! {
    #[test]
    fn whatever_stands_in_a_header_is_read_without_harm(
        anything in "\\PC{0,70}",
        unit_like in "[umkhPaWCKgolsd°µ²⁻%0-9^*./() -]{0,70}",
    ) {
        for variable in VARIABLES {
            compare(&anything, variable);
            compare(&unit_like, variable);
        }
    }
}

#[test]
fn a_difference_of_temperature_is_the_same_in_kelvins() {
    same("SAP_DT", &["K", "deg C"]);
    same("T_SONIC_SIGMA", &["K", "C"]);
    converts("Deg F", "SAP_DT", 5.0 / 9.0, 0.0);
}

#[test]
fn a_range_is_converted_into_the_header_s_unit() {
    for (header, variable, low, high) in [
        ("in", "P", 0.0, 50.0 / 25.4),
        ("inches", "P", 0.0, 50.0 / 25.4),
        ("kg/m^2", "P", 0.0, 50.0),
        ("m^3/m^3", "SWC", 0.0, 1.0),
        ("fraction", "ALB", 0.0, 1.0),
        ("hPa", "PA", 600.0, 1050.0),
        ("mbar", "PA", 600.0, 1050.0),
        ("mb", "PA", 600.0, 1050.0),
        ("Pa", "PA", 60_000.0, 105_000.0),
        ("degF", "TA", -58.0, 122.0),
        ("F", "TA", -58.0, 122.0),
        ("K", "TA", 223.15, 323.15),
        ("kPa", "VPD", 0.0, 8.0),
        ("ppt", "H2O", f64::NAN, f64::NAN),
        ("mol/mol", "H2O", 0.0, 0.1),
        ("umol/mol", "H2O", 0.0, 100_000.0),
    ] {
        let variable = lookup(variable).unwrap();
        let Fit::Converted(conversion) = fit(header, variable) else {
            assert!(low.is_nan() || (low, high) == (variable.min, variable.max), "{header} {}", variable.name);
            continue;
        };
        let found = (conversion.back(variable.min), conversion.back(variable.max));
        assert!((found.0 - low).abs() < 1e-6 && (found.1 - high).abs() < 1e-6, "{header}: {found:?}");
        assert!((conversion.of(low) - variable.min).abs() < 1e-6, "{header}");
    }
}

#[test]
fn a_unit_that_says_nothing_is_the_variable_s_and_one_that_cannot_be_it_is_unfit() {
    for (header, variable) in [
        ("", "SWC"),
        ("Deg C", "TA"),
        ("degrees", "TA"),
        ("unitless", "TA"),
        ("%", "RH"),
        ("Deg", "WD"),
        ("ppm", "CO2"),
    ] {
        assert_eq!(fit(header, lookup(variable).unwrap()), Fit::AsIs, "{header} {variable}");
    }
    for (header, variable) in [
        ("counts", "CO2"),
        ("mV", "PA"),
        ("unitless", "SWC"),
        ("kg/m^2", "D_SNOW"),
        ("mg/m^3", "CO2"),
        ("W/m2", "TA"),
        ("rad", "WD"),
    ] {
        let Fit::Unfit { reason } = fit(header, lookup(variable).unwrap()) else { panic!("{header} {variable}") };
        assert!(reason.contains(header) && reason.contains(variable), "{reason}");
    }
}
