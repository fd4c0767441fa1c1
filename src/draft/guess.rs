//! Guesses the AmeriFlux variable of a column from its name, with the reason.
//!
//! The rules are data, the likelier and narrower first; the first that fits is used. They come from names in public logger
//! programs (Campbell's Short Cut and EasyFlux DL, UMBS, LTER Matsch, ARM) and from AmeriFlux's own variable names. A rule with
//! a doubt never becomes a key by itself.

use super::name_parts::NameParts;
use super::sample::ColumnSample;
use crate::ameriflux;

/// A name fits a rule when it has a part of every list in `needs` and none of `not`.
#[derive(Clone, Copy)]
struct Rule {
    variable: &'static str,
    needs: &'static [&'static [&'static str]],
    not: &'static [&'static str],
    /// Why the user has to decide; empty where the name is unambiguous.
    doubt: &'static str,
}

const fn sure(variable: &'static str, needs: &'static [&'static [&'static str]]) -> Rule {
    Rule { variable, needs, not: &[], doubt: "" }
}

const fn perhaps(variable: &'static str, needs: &'static [&'static [&'static str]], doubt: &'static str) -> Rule {
    Rule { variable, needs, not: &[], doubt }
}

const fn unless(rule: Rule, not: &'static [&'static str]) -> Rule {
    Rule { variable: rule.variable, needs: rule.needs, not, doubt: rule.doubt }
}

/// Names with one of these parts describe the instrument, or the spread of a value.
const NEVER: &[&str] = &[
    "diag", "flag", "std", "stdev", "sd", "sigma", "var", "cov", "smpls", "count", "num", "mv", "volt", "volts", "raw",
    "cal", "offset", "mult", "ref", "panel", "ptemp", "batt", "battery", "logger", "log", "case", "dome", "body",
    "sensor", "internal", "cell", "status", "err", "error", "code", "serial", "cr", "qc", "signal", "strength", "agc",
    "nr01tk",
];

const TEMPERATURE: &[&str] = &["temp", "t", "tc", "temperature", "tmpr"];
const PPFD: &[&str] = &["ppfd", "par", "quantum", "qpar"];
const SHORT_WAVE: &[&str] = &["solar", "sw", "shortwave", "rs", "slr"];
const LONG_WAVE: &[&str] = &["lw", "longwave", "rl"];
const IN: &[&str] = &["in", "inc", "inci", "incident", "incoming", "downwelling"];
const OUT: &[&str] = &["out", "outgoing", "refl", "reflected", "upwelling"];
const UP_OR_DOWN: &str = "\"up\" and \"down\" may say where the sensor looks or where the light goes";
const NAME_ALONE: &str = "the name alone is ambiguous";

// A static, because rule lists are compared by address.
static RULES: &[Rule] = &[
    sure("T_SONIC", &[&["sonic", "csat"], &["temp", "t", "tc", "temperature", "ts"]]),
    sure("T_SONIC", &[&["tsonic"]]),
    unless(sure("G", &[&["heat"], &["flux"], &["soil", "ground", "plate"]]), &["latent", "sensible"]),
    sure("G", &[&["shf", "shfp", "hfp"]]),
    unless(sure("TS", &[&["soil", "tsoil", "soilt"], TEMPERATURE]), &["heat", "flux", "water"]),
    sure("TS", &[&["tsoil", "soilt", "soiltemp"]]),
    perhaps("TS", &[&["tcav", "ts"]], "a sonic anemometer's temperature has this name too"),
    unless(sure("SWC", &[&["soil"], &["moist", "moisture", "water", "vwc", "wc"]]), &["potential", "tension", "temp"]),
    unless(sure("SWC", &[&["swc", "vwc"]]), &["temp", "t", "st", "p", "period", "ec", "k"]),
    sure("SWP", &[&["soil"], &["water", "matric"], &["potential"]]),
    perhaps("SWP", &[&["swp"], &["wp"]], NAME_ALONE),
    sure("PPFD_DIF", &[PPFD, &["dif", "diff", "diffuse"]]),
    sure("PPFD_DIR", &[PPFD, &["dir", "direct", "beam"]]),
    perhaps(
        "PPFD_BC_IN",
        &[PPFD, &["soil", "below", "under", "understory", "understorey", "floor", "bc", "ground"]],
        "BC means below the canopy",
    ),
    sure("PPFD_OUT", &[PPFD, OUT]),
    perhaps("PPFD_OUT", &[PPFD, &["down", "downward", "dn", "dwn"]], UP_OR_DOWN),
    perhaps("PPFD_IN", &[PPFD, &["up", "upward"]], UP_OR_DOWN),
    sure("PPFD_IN", &[PPFD]),
    sure("NETRAD", &[&["net"], &["rad", "radiation", "rn"]]),
    sure("NETRAD", &[&["netrad", "rn", "nr"]]),
    sure("SW_DIF", &[SHORT_WAVE, &["dif", "diff", "diffuse"]]),
    sure("SW_OUT", &[SHORT_WAVE, OUT]),
    sure("SW_IN", &[SHORT_WAVE, IN]),
    sure("SW_IN", &[&["pyranometer", "rg", "ghi", "slrw", "swin"]]),
    perhaps("SW_IN", &[SHORT_WAVE, &["up", "dn", "down"]], UP_OR_DOWN),
    perhaps(
        "SW_IN",
        &[&["solar", "slr", "sr", "shortwave", "psp"]],
        "the name does not tell incoming, outgoing or net",
    ),
    sure("LW_OUT", &[LONG_WAVE, OUT]),
    sure("LW_IN", &[LONG_WAVE, IN]),
    perhaps("LW_OUT", &[&["far"], &["red"], OUT], "some stations name the thermal infrared far red"),
    perhaps("LW_IN", &[&["far"], &["red"], IN], "some stations name the thermal infrared far red"),
    perhaps("LW_IN", &[&["pir", "pyrgeometer"]], "the name does not tell incoming or outgoing"),
    perhaps("SW_DIR", &[&["nip", "pyrheliometer"]], NAME_ALONE),
    sure("FC", &[&["co2"], &["flux"]]),
    sure("LE", &[&["latent"], &["heat", "flux"]]),
    sure("H", &[&["sensible"], &["heat", "flux"]]),
    unless(sure("CO2", &[&["co2"]]), &["density", "flux", "li", "sig"]),
    unless(sure("H2O", &[&["h2o"]]), &["density", "flux", "li", "sig"]),
    unless(sure("CH4", &[&["ch4"]]), &["density", "flux", "sig"]),
    sure("USTAR", &[&["ustar"]]),
    sure("USTAR", &[&["u"], &["star"]]),
    sure("VPD", &[&["vpd"]]),
    sure("PA", &[&["baro", "barom", "barometric", "barometer", "bp"]]),
    sure("PA", &[&["atm", "atmospheric", "air", "ambient", "amb"], &["press", "pressure", "pres"]]),
    unless(
        perhaps("PA", &[&["press", "pressure", "pres"]], "the name does not tell of what"),
        &["water", "lvl", "level", "diff", "exo"],
    ),
    unless(sure("RH", &[&["rh", "relhum", "humidity"]]), &["t", "soil"]),
    sure("RH", &[&["rel"], &["hum", "humidity"]]),
    unless(sure("TW", &[&["water", "watert"], TEMPERATURE]), &["soil", "vapor", "vapour"]),
    sure("TW", &[&["watert", "watertemp"]]),
    perhaps("TW", &[&["wtr"]], NAME_ALONE),
    perhaps("T_CANOPY", &[&["canopy", "targ", "target", "irt", "sbt"]], NAME_ALONE),
    sure("TA", &[&["air", "amb", "ambient", "hmp", "at"], TEMPERATURE]),
    sure("TA", &[&["ta", "tair", "airt", "airtc", "airtemp"]]),
    sure("WS", &[&["wind"], &["speed", "spd", "ws"]]),
    sure("WS", &[&["ws", "windspeed", "windspd", "wndspd"]]),
    sure("WD", &[&["wind"], &["dir", "direction"]]),
    sure("WD", &[&["wd", "wdir", "winddir", "wnddir"]]),
    sure("D_SNOW", &[&["snow"], &["depth", "height"]]),
    perhaps("WTD", &[&["water"], &["table"]], "AmeriFlux counts below the surface as negative"),
];
/// Totals mean rain only.
static TOTALS: &[Rule] = &[sure("P", &[&["rain", "rainfall", "precip", "precipitation", "ppt"]])];
/// Maxima mean wind only.
static MAXIMA: &[Rule] = &[
    sure("WS_MAX", &[&["wind"], &["speed", "spd", "ws"]]),
    sure("WS_MAX", &[&["ws", "windspeed", "windspd", "gust"]]),
];

/// A variable that a name may mean.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Guess {
    pub(super) variable: &'static str,
    /// The reason in the name, as a sentence.
    pub(super) because: String,
    /// Why the user has to decide; empty where the name is unambiguous.
    pub(super) doubt: &'static str,
}

/// Facts about the table that help with each of its columns.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Around {
    /// The table has the three components of a sonic anemometer, so its `Ts` is the sonic temperature.
    pub(super) has_sonic: bool,
    /// Seconds between rows.
    pub(super) seconds: Option<i64>,
}

/// The guess from name and process of a column. None for spreads, times of an extreme, and names that tell nothing.
pub(super) fn guess(column: &ColumnSample, around: Around) -> Option<Guess> {
    let mut parts = NameParts::of(&column.name);
    if NEVER.iter().any(|part| parts.has(part)) {
        return None;
    }
    let process = column.process.to_lowercase();
    let rules = match process.as_str() {
        "" if parts.has("tot") => TOTALS,
        "" if parts.has("max") => MAXIMA,
        "" if parts.has("min") => return None,
        "" | "smp" | "avg" | "wvc" | "med" | "median" | "mmt" => RULES,
        "tot" => TOTALS,
        "max" => MAXIMA,
        _ => return None,
    };
    if let Some(own) = own_name(&column.name).filter(|own| fits_process(own, rules)) {
        let because = format!("the name is AmeriFlux's {own}");
        return Some(Guess { variable: own, because, doubt: rain_doubt(own, around) });
    }
    if around.has_sonic && parts.has("ts") {
        parts.add("sonic");
    }
    let by_rule = rules.iter().find_map(|rule| {
        if rule.not.iter().any(|part| parts.has(part)) {
            return None;
        }
        let mut held = Vec::new();
        for alternatives in rule.needs {
            held.push(alternatives.iter().find(|part| parts.has(part))?);
        }
        let held: Vec<String> = held.into_iter().map(|part| format!("\"{part}\"")).collect();
        let doubt = if rule.doubt.is_empty() { rain_doubt(rule.variable, around) } else { rule.doubt };
        Some(Guess { variable: rule.variable, because: format!("the name holds {}", held.join(" and ")), doubt })
    });
    by_rule.or_else(|| {
        let part = TEMPERATURE.iter().find(|part| parts.has(part))?;
        let alone = std::ptr::eq(rules, RULES) && parts.is_single();
        let doubt = if parts.has_place { "" } else { "the name does not tell of what" };
        alone.then(|| Guess { variable: "TA", because: format!("the name holds \"{part}\" alone"), doubt })
    })
}

/// The base name of a column with an AmeriFlux name: `SW_IN_1_1_1`, `G_Avg`.
fn own_name(name: &str) -> Option<&'static str> {
    let name = name.split('(').next().unwrap_or(name);
    let bare = name.rsplit_once('_').filter(|(_, end)| matches!(*end, "Avg" | "Tot" | "Max" | "Smp" | "WVc"));
    let found = ameriflux::lookup(name).or_else(|| ameriflux::lookup(bare?.0));
    found.map(|variable| variable.name)
}

/// Maxima fit only maxima, and totals only rain.
fn fits_process(variable: &str, rules: &[Rule]) -> bool {
    if std::ptr::eq(rules, TOTALS) {
        matches!(variable, "P" | "P_RAIN" | "P_SNOW" | "THROUGHFALL" | "STEMFLOW" | "RUNOFF")
    } else {
        variable.ends_with("_MAX") == std::ptr::eq(rules, MAXIMA)
    }
}

/// AmeriFlux's limit of 50 mm applies to half hours and hours.
fn rain_doubt(variable: &str, around: Around) -> &'static str {
    let long = around.seconds.is_some_and(|seconds| seconds > 3_600);
    if long && variable == "P" { "its range is for an hour at most" } else { "" }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(name: &str, process: &str, around: Around) -> Option<(&'static str, bool)> {
        let column = ColumnSample {
            name: name.to_owned(),
            unit: String::new(),
            process: process.to_owned(),
            numbers: Vec::new(),
            missing: 0,
            text: 0,
        };
        guess(&column, around).map(|guess| (guess.variable, guess.doubt.is_empty()))
    }

    #[test]
    fn names_of_real_programs_give_their_variables() {
        for (name, process, variable, is_sure) in [
            ("Temp_46m", "Avg", "TA", true),
            ("Temp_avg_3m", "Avg", "TA", true),
            ("AirTC_Avg", "Avg", "TA", true),
            ("AirTemp_Avg", "Avg", "TA", true),
            ("Air_T_Avg", "Avg", "TA", true),
            ("t_hmp_Avg", "Avg", "TA", true),
            ("Temp", "Avg", "TA", false),
            ("RH_46m", "Smp", "RH", true),
            ("RelHum_Avg", "Avg", "RH", true),
            ("Air_RH_Avg", "Avg", "RH", true),
            ("Sonic_temp_34m", "Avg", "T_SONIC", true),
            ("Soil_temp_7.5cm_st1", "Avg", "TS", true),
            ("TS(1)", "Avg", "TS", true),
            ("Soil_moisture_0-30cm_1", "Avg", "SWC", true),
            ("VWC_Avg", "Avg", "SWC", true),
            ("PPFD", "Smp", "PPFD_IN", true),
            ("PPFD_46m", "Smp", "PPFD_IN", true),
            ("Total_PPFD", "Smp", "PPFD_IN", true),
            ("Diffuse_PPFD_46m", "Smp", "PPFD_DIF", true),
            ("Downward_PAR_37m", "Smp", "PPFD_OUT", false),
            ("PAR_Up_Avg", "Avg", "PPFD_IN", false),
            ("PAR_Soil_Avg", "Avg", "PPFD_BC_IN", false),
            ("Solar_inci", "Smp", "SW_IN", true),
            ("Incident_solar_46m", "Avg", "SW_IN", true),
            ("Reflected_solar_46m", "Avg", "SW_OUT", true),
            ("SR_SW_Avg", "Avg", "SW_IN", false),
            ("Incident_far_red_46m", "Avg", "LW_IN", false),
            ("Outgoing_far_red_46m", "Avg", "LW_OUT", false),
            ("Rl_incoming", "Avg", "LW_IN", true),
            ("Net_radiation_46m", "Avg", "NETRAD", true),
            ("CO2_46m", "Smp", "CO2", true),
            ("H2O_0m", "Smp", "H2O", true),
            ("G_Avg", "Avg", "G", true),
            ("Soil_heat_flux", "Avg", "G", true),
            ("Wind_speed_46m", "Avg", "WS", true),
            ("WS_ms_Avg", "Avg", "WS", true),
            ("Wind_Speed_Max", "Max", "WS_MAX", true),
            ("Wind_Dir", "Smp", "WD", true),
            ("WindDir_D1_WVT", "WVc", "WD", true),
            ("BP_mbar_Avg", "Avg", "PA", true),
            ("Rain_mm_Tot", "Tot", "P", true),
            ("VPD", "Avg", "VPD", true),
            ("u_star", "Smp", "USTAR", true),
        ] {
            assert_eq!(of(name, process, Around::default()), Some((variable, is_sure)), "{name}");
        }
    }

    #[test]
    fn names_about_an_instrument_or_a_spread_give_no_variable() {
        for (name, process) in [
            ("calPPFD", "Smp"),
            ("PTemp_C_Avg", "Avg"),
            ("Log_T_Avg", "Avg"),
            ("Cell_temp_46m", "Smp"),
            ("Cell_pressure_46m", "Smp"),
            ("Batt_Volt_Min", "Min"),
            ("Wind_Diag1F_Tot", "Tot"),
            ("AirT_TMx", "TMx"),
            ("AirT_Max", "Max"),
            ("SR_SW_Std", "Std"),
            ("WindDir_SD1_WVT", "WVc"),
            ("diag_word", "Smp"),
            ("CO2_sig_strgth_Min", "Min"),
            ("PAR_Tot_Tot", "Tot"),
            ("Case1_R_O", "Smp"),
            ("Uz_46m", "Smp"),
            ("ModbusReadTime", "Smp"),
        ] {
            assert_eq!(of(name, process, Around::default()), None, "{name}");
        }
    }

    #[test]
    fn ts_beside_a_sonic_anemometer_is_its_temperature() {
        let around = Around { has_sonic: true, seconds: None };
        assert_eq!(of("Ts", "Smp", around), Some(("T_SONIC", true)));
        assert_eq!(of("Ts", "Smp", Around::default()), Some(("TS", false)));
    }

    #[test]
    fn rain_of_a_day_has_no_range() {
        assert_eq!(of("Rain_Tot", "Tot", Around { has_sonic: false, seconds: Some(86_400) }), Some(("P", false)));
    }

    #[test]
    fn every_rule_names_a_base_variable() {
        for rule in RULES.iter().chain(TOTALS).chain(MAXIMA) {
            assert_eq!(ameriflux::lookup(rule.variable).map(|found| found.name), Some(rule.variable));
        }
    }
}
