//! Guesses the AmeriFlux variable of a column from its name, with the reason.
//!
//! The rules are data, the more likely and narrower ones first; the first matching rule is used. They are derived from
//! names in public logger programs (Campbell's Short Cut and EasyFlux DL, UMBS, LTER Matsch, ARM, Grand Mesa) and from
//! AmeriFlux's own variable names. A rule with a doubt never becomes a key by itself. Some names look like a variable
//! and are not one: the thermopile of a pyrgeometer without its body temperature, the permittivity of a soil probe in a
//! column named `PA`. There are rules for these, too.

use super::name_parts::NameParts;
use super::sample::ColumnSample;
use crate::ameriflux::unit::{self, Fit};
use crate::ameriflux::{self, upload};
use crate::quantity::{Facts, Kind, Outputs, RAIN, RAIN_BEGINS, WIND_SPEED};

/// A name matches a rule if it has a part of every list in `needs` and none of `not`.
#[derive(Clone, Copy)]
struct Rule {
    /// Empty: the column is not a variable, whatever later rules say.
    variable: &'static str,
    needs: &'static [&'static [&'static str]],
    not: &'static [&'static str],
    /// Why the user has to decide; empty if the name is unambiguous.
    doubt: &'static str,
}

const fn sure(variable: &'static str, needs: &'static [&'static [&'static str]]) -> Rule {
    Rule { variable, needs, not: &[], doubt: "" }
}

const fn perhaps(variable: &'static str, needs: &'static [&'static [&'static str]], doubt: &'static str) -> Rule {
    Rule { variable, needs, not: &[], doubt }
}

const fn no_variable(needs: &'static [&'static [&'static str]]) -> Rule {
    Rule { variable: "", needs, not: &[], doubt: "" }
}

const fn unless(rule: Rule, not: &'static [&'static str]) -> Rule {
    Rule { variable: rule.variable, needs: rule.needs, not, doubt: rule.doubt }
}

/// Names with one of these parts describe the instrument, or the spread of a value.
const NEVER: &[&str] = &[
    "diag",
    "flag",
    "std",
    "stdev",
    "sd",
    "sigma",
    "var",
    "cov",
    "smpls",
    "count",
    "num",
    "mv",
    "volt",
    "volts",
    "raw",
    "cal",
    "offset",
    "mult",
    "ref",
    "panel",
    "ptemp",
    "batt",
    "battery",
    "logger",
    "log",
    "case",
    "dome",
    "body",
    "sensor",
    "internal",
    "cell",
    "status",
    "err",
    "error",
    "code",
    "serial",
    "cr",
    "qc",
    "signal",
    "strength",
    "agc",
    "wsdiag",
    "era",
    "era5",
    "mds",
    "gapfilled",
];
/// The beginnings of names of a radiometer's body temperature.
const BODY_TEMPERATURES: &[&str] = &["nr01t", "cnr1t", "cnr2t", "cnr4t", "cnr1_t", "cnr4_t", "t_nr", "t_cnr"];

const SPEED: &[&str] = &["speed", "spd", "ws"];
const TEMPERATURE: &[&str] = &["temp", "t", "tc", "temperature", "tmpr"];
const PPFD: &[&str] = &["ppfd", "par", "quantum", "qpar"];
const SHORT_WAVE: &[&str] = &["solar", "sw", "shortwave", "rs", "slr"];
const LONG_WAVE: &[&str] = &["lw", "longwave", "rl"];
const IN: &[&str] = &["in", "inc", "inci", "incident", "incoming", "downwelling"];
const OUT: &[&str] = &["out", "outgoing", "refl", "reflected", "upwelling"];
/// Sensors of short-wave radiation for which `Up` means that the sensor faces up. (Campbell's programs for CNR1, CNR4
/// and NR01.)
const SHORT_WAVE_SENSOR: &[&str] =
    &["sr01", "sr05", "sr15", "cm3", "cmp3", "cmp6", "cma6", "s", "short", "rs", "sup", "sdn"];
/// The same for sensors of thermal radiation.
const LONG_WAVE_SENSOR: &[&str] = &["ir01", "ir02", "cg3", "cgr3", "l", "long", "rl"];
/// The column includes the radiation of the sensor's own body; without it, a pyrgeometer's signal is only the
/// difference.
const CORRECTED: &[&str] = &["co", "corr", "corrected", "cor"];
const UP: &[&str] = &["up", "upper", "upward"];
const DOWN: &[&str] = &["dn", "down", "downward", "dwn", "lower"];
const SOIL_PROBE: &[&str] = &["cs65x", "cs650", "cs655", "d5te", "5te", "5tm", "teros"];
/// The share in dry air, as Campbell's programs name it.
const MIXING_RATIO: &[&str] = &["mixratio", "mixing", "mix", "mixingratio"];
pub(super) const UP_OR_DOWN: &str = "\"up\" and \"down\" may say where the sensor looks or where the light goes";
const NAME_ALONE: &str = "the name alone is ambiguous";

/// The direction of Campbell's programs for a sonic anemometer: it is relative to the instrument's own axis and turns the other
/// way round (`wnd_dir_compass = (360 + sonic_azimuth - wnd_dir_sonic) MOD 360`).
const SONIC_DIRECTION: &[&[&str]] = &[&["wd", "dir", "direction", "wdir", "winddir"], &["sonic", "csat", "irgason"]];
/// The speed of the mean vector is not a wind speed.
const RESULTANT_SPEED: &[&[&str]] = &[&["rslt", "rsltnt", "resultant"], &["speed", "spd", "ws", "wndspd", "windspd"]];

// A static, because rule lists are compared by address.
static RULES: &[Rule] = &[
    no_variable(SONIC_DIRECTION),
    no_variable(RESULTANT_SPEED),
    no_variable(&[&["surface"], &["g", "shf"]]),
    // Radiation that was computed from the sun's position.
    no_variable(&[
        &["pot", "potential", "clearsky", "toa"],
        &["sw", "swin", "rg", "solar", "shortwave", "ppfd", "par", "rad", "radiation"],
    ]),
    sure("SW_IN", &[SHORT_WAVE_SENSOR, UP]),
    sure("SW_OUT", &[SHORT_WAVE_SENSOR, DOWN]),
    sure("LW_IN", &[LONG_WAVE_SENSOR, UP, CORRECTED]),
    sure("LW_OUT", &[LONG_WAVE_SENSOR, DOWN, CORRECTED]),
    no_variable(&[LONG_WAVE_SENSOR, UP]),
    no_variable(&[LONG_WAVE_SENSOR, DOWN]),
    perhaps("LW_IN", &[&["lw", "longwave"], DOWN, CORRECTED], UP_OR_DOWN),
    perhaps("LW_OUT", &[&["lw", "longwave"], UP, CORRECTED], UP_OR_DOWN),
    no_variable(&[&["lw", "longwave"], UP]),
    no_variable(&[&["lw", "longwave"], DOWN]),
    no_variable(&[LONG_WAVE, &["meas"]]),
    no_variable(&[&["rn"], &["meas"]]),
    unless(sure("TS", &[SOIL_PROBE, TEMPERATURE]), &["wc", "ec", "vwc", "period", "perm"]),
    sure("TS", &[&["swc", "swp"], &["st"]]),
    sure("SWC", &[SOIL_PROBE, &["wc", "vwc"]]),
    no_variable(&[SOIL_PROBE]),
    no_variable(&[&["swc"], &["p", "ec", "ka", "period", "k"]]),
    sure("T_SONIC", &[&["sonic", "csat"], &["temp", "t", "tc", "temperature", "ts"]]),
    sure("T_SONIC", &[&["tsonic"]]),
    unless(sure("G", &[&["heat"], &["flux"], &["soil", "ground", "plate"]]), &["latent", "sensible"]),
    sure("G", &[&["shf", "shfp", "hfp", "hfp01"]]),
    sure("G", &[&["g"], &["plate"]]),
    unless(sure("TS", &[&["soil", "tsoil", "soilt"], TEMPERATURE]), &["heat", "flux", "water"]),
    sure("TS", &[&["tsoil", "soilt", "soiltemp"]]),
    perhaps("SWC", &[&["soil"], &["wtr"]], NAME_ALONE),
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
    sure("NETRAD", &[&["net"], &["tot"], &["r", "rad", "net"]]),
    no_variable(&[&["spn"], &["sun"]]),
    perhaps("SW_DIF", &[&["spn", "spn1"], &["dif", "diff", "diffuse"]], NAME_ALONE),
    perhaps("SW_IN", &[&["spn", "spn1"], &["tot", "total"]], NAME_ALONE),
    sure("SW_DIF", &[SHORT_WAVE, &["dif", "diff", "diffuse"]]),
    sure("SW_OUT", &[SHORT_WAVE, OUT]),
    sure("SW_IN", &[SHORT_WAVE, IN]),
    sure("SW_IN", &[&["pyranometer", "rg", "ghi", "slrw", "slrkw", "swin"]]),
    perhaps("SW_IN", &[SHORT_WAVE, DOWN], UP_OR_DOWN),
    perhaps("SW_OUT", &[SHORT_WAVE, UP], UP_OR_DOWN),
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
    sure("CO2_MIXING_RATIO", &[&["co2"], MIXING_RATIO]),
    sure("H2O_MIXING_RATIO", &[&["h2o"], MIXING_RATIO]),
    sure("CH4_MIXING_RATIO", &[&["ch4"], MIXING_RATIO]),
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
    sure("WS", &[&["wind", "wnd"], SPEED]),
    sure("WS", &[&["ws"]]),
    sure("WS", &[&WIND_SPEED]),
    sure("WD", &[&["wind", "wnd"], &["dir", "direction"]]),
    sure("WD", &[&["wd", "wdir", "winddir", "wnddir"]]),
    sure("D_SNOW", &[&["snow"], &["depth", "height"]]),
    perhaps("WTD", &[&["water"], &["table"]], "AmeriFlux counts below the surface as negative"),
];
/// For totals, only rain is considered.
static TOTALS: &[Rule] = &[sure("P", &[&RAIN]), sure("P", &[&RAIN_BEGINS])];
/// For maxima, only wind is considered.
static MAXIMA: &[Rule] = &[
    sure("WS_MAX", &[&["wind"], SPEED]),
    sure("WS_MAX", &[&["ws"]]),
    // A maximum of `WndSpd` is no guess yet.
    unless(sure("WS_MAX", &[&WIND_SPEED]), &["wndspd"]),
    sure("WS_MAX", &[&["gust"]]),
];

/// A variable that a name may mean.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Guess {
    pub(super) variable: &'static str,
    /// The reason in the name, as a sentence.
    pub(super) because: String,
    /// Why the user has to decide; empty if the name is unambiguous.
    pub(super) doubt: &'static str,
}

/// Facts about the table that help with each of its columns.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Around<'a> {
    /// Whether the table has the three components of a sonic anemometer, so that its `Ts` is the sonic temperature.
    pub(super) has_sonic: bool,
    /// The seconds between rows.
    pub(super) seconds: Option<i64>,
    /// Whether the table has the outputs of a soil probe (CS650, CS655), so that `T` is the soil temperature, and `PA`
    /// and `P` are its permittivity and period.
    pub(super) has_soil_probe: bool,
    /// The columns of the table whose names differ only in the number in brackets.
    pub(super) of_its_name: Outputs<'a>,
    /// Whether the file is in AmeriFlux's own format: AmeriFlux's names are used with their meaning and unit.
    pub(super) is_ameriflux: bool,
}

/// The names of a CS650's outputs that are not variables, without the process.
const SOIL_PROBE_OUTPUTS: [&str; 6] = ["p", "pa", "vr", "ka", "ec", "bulkec"];

/// The guess from name and process of a column. None for standard deviations, times of an extreme, and names that show
/// nothing.
pub(super) fn guess(column: &ColumnSample, around: Around<'_>) -> Option<Guess> {
    if around.is_ameriflux {
        let variable = ameriflux::lookup(&column.name)?.name;
        let because = format!("the name is AmeriFlux's {variable}");
        return Some(Guess { variable, because, doubt: rain_doubt(variable, around) });
    }
    if let Some(own) = exact_name(column) {
        let because = format!("the name is AmeriFlux's {own}");
        return Some(Guess { variable: own, because, doubt: rain_doubt(own, around) });
    }
    let mut parts = NameParts::of(&column.name);
    let lower = column.name.to_lowercase();
    if NEVER.iter().any(|part| parts.has(part)) || BODY_TEMPERATURES.iter().any(|begin| lower.starts_with(begin)) {
        return None;
    }
    if column.process.eq_ignore_ascii_case("wvc") {
        return wind(column, &parts, around);
    }
    if around.has_soil_probe {
        let bare = bare(&lower);
        if SOIL_PROBE_OUTPUTS.contains(&bare) {
            return None;
        }
        if bare == "t" {
            let because = "the table has the other outputs of a soil probe (CS650, CS655)".to_owned();
            return Some(Guess { variable: "TS", because, doubt: "" });
        }
    }
    let process = column.process.to_lowercase();
    let rules = match process.as_str() {
        "" if parts.has("tot") || is_rain_over_its_interval(column) => TOTALS,
        "" if parts.has("max") => MAXIMA,
        "" if parts.has("min") => return None,
        "" | "smp" | "avg" | "med" | "median" | "mmt" => RULES,
        "tot" => TOTALS,
        "max" => MAXIMA,
        _ => return None,
    };
    let doubt_of = |variable: &str| match rain_doubt(variable, around) {
        "" if process.is_empty() && std::ptr::eq(rules, TOTALS) && never_falls(column) => COUNTER,
        "" if process == "smp" && is_total(variable) => SAMPLED_RAIN,
        doubt => doubt,
    };
    if let Some(own) = own_name(&column.name).filter(|own| fits_process(own, rules)) {
        let because = format!("the name is AmeriFlux's {own}");
        return Some(Guess { variable: own, because, doubt: doubt_of(own) });
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
        let doubt = if rule.doubt.is_empty() { doubt_of(rule.variable) } else { rule.doubt };
        Some(Guess { variable: rule.variable, because: format!("the name holds {}", held.join(" and ")), doubt })
    });
    if by_rule.as_ref().is_some_and(|guess| guess.variable.is_empty()) {
        return None;
    }
    by_rule.or_else(|| {
        let part = TEMPERATURE.iter().find(|part| parts.has(part))?;
        let alone = std::ptr::eq(rules, RULES) && parts.is_single();
        let doubt = if parts.has_place { "" } else { "the name does not tell of what" };
        alone.then(|| Guess { variable: "TA", because: format!("the name holds \"{part}\" alone"), doubt })
    })
}

/// Whether the name has a part of each list.
fn holds(parts: &NameParts, needs: &[&[&str]]) -> bool {
    needs.iter().all(|alternatives| alternatives.iter().any(|part| parts.has(part)))
}

const COUNTER: &str =
    "CHECK: the values never fall, as those of a counter since a reset do; if it is one, write kind = \"counter\"";

const SAMPLED_RAIN: &str = "CHECK: a sampled gauge counts since its reset, then write kind = \"counter\"; if each value is the sum over \
                            its row's interval, write kind = \"total\"";

/// Whether a column without a process is rain over the row's interval: in a unit of rain, or without a unit, which the user
/// then confirms.
fn is_rain_over_its_interval(column: &ColumnSample) -> bool {
    let unit = if column.unit.trim().is_empty() { "mm" } else { &column.unit };
    Facts { name: &column.name, unit, ..Facts::default() }.kind() == Kind::Total
}

/// Whether the values rise and never fall, as those of a counter. Rain over an interval falls back to 0.
fn never_falls(column: &ColumnSample) -> bool {
    let numbers: Vec<f64> = column.numbers().collect();
    let rises = numbers.first().zip(numbers.last()).is_some_and(|(first, last)| first < last);
    numbers.len() > 2 && rises && numbers.is_sorted()
}

/// The name in lower case without array index, process and later parts: `t_avg(2)` becomes `t`.
fn bare(lower: &str) -> &str {
    let name = lower.split('(').next().unwrap_or(lower);
    ["_avg", "_smp", "_med"].iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name)
}

/// The guess for an output of the wind vector instruction, whatever its name is: the instruction gives speed,
/// direction, deviation of the direction and speed of the mean vector, all under the name of the speed.
fn wind(column: &ColumnSample, parts: &NameParts, around: Around<'_>) -> Option<Guess> {
    if [SONIC_DIRECTION, RESULTANT_SPEED].into_iter().any(|needs| holds(parts, needs)) {
        return None;
    }
    let facts = Facts {
        process: &column.process,
        unit: &column.unit,
        name: &column.name,
        of_its_name: around.of_its_name,
        ..Facts::default()
    };
    let lower = column.name.to_lowercase();
    let variable = match facts.kind() {
        Kind::Direction => "WD",
        // The speed of the mean vector is not a wind speed.
        Kind::Linear if lower.contains("_u_") => return None,
        Kind::Linear if lower.contains('(') && !lower.ends_with("(1)") => return None,
        Kind::Linear => "WS",
        _ => return None,
    };
    let because =
        format!("it is output {} of WindVector", lower.rsplit_once('(').map_or("", |(_, at)| at.trim_end_matches(')')));
    Some(Guess { variable, because: because.replace("output  of", "an output of"), doubt: "" })
}

/// The base name of a column that has an AmeriFlux name: `SW_IN_1_1_1`, `G_Avg`.
fn own_name(name: &str) -> Option<&'static str> {
    let name = name.split('(').next().unwrap_or(name);
    let found = ameriflux::lookup(name).or_else(|| ameriflux::lookup(without_process(name)?));
    found.map(|variable| variable.name)
}

/// The variable of a column that has AmeriFlux's name as AmeriFlux writes it, and its unit, whatever the process is: EasyFlux
/// copies the results of a half hour into a table of samples, its `WS_MAX` and `CO2_SIGMA` too.
fn exact_name(column: &ColumnSample) -> Option<&'static str> {
    let is_copied = matches!(column.process.to_lowercase().as_str(), "" | "smp" | "avg");
    let name = upload::Name::of(&column.name).filter(|name| is_copied && name.is_variable() && !name.is_filled)?;
    let variable = ameriflux::lookup(name.base)?;
    let is_confirmed =
        !column.unit.trim().is_empty() && !matches!(unit::fit(&column.unit, variable), Fit::Unfit { .. });
    // Rain that the logger sampled may be a counter.
    let is_statistic = variable.name.ends_with("_MAX") || variable.name.ends_with("_SIGMA");
    let has_position = positioned(&column.name).is_some() && !variable.is_total();
    (is_confirmed && (is_statistic || has_position)).then_some(variable.name)
}

/// AmeriFlux's name with a position, where the column's name is one: `TS_1_2_1`. Of a single number it is not known that it
/// counts layers.
pub(super) fn positioned(name: &str) -> Option<&str> {
    let name = name.split('(').next().unwrap_or(name);
    let bare = without_process(name).unwrap_or(name);
    let position = upload::Name::of(bare).filter(|name| name.is_variable() && !name.is_filled)?.position;
    let is_place = position.split('_').count() == 3 && !position.contains(|letter: char| letter.is_ascii_alphabetic());
    is_place.then_some(bare)
}

/// The name without the process that a program appends to it.
fn without_process(name: &str) -> Option<&str> {
    let (bare, end) = name.rsplit_once('_')?;
    matches!(end, "Avg" | "Tot" | "Max" | "Smp" | "WVc").then_some(bare)
}

/// Whether the variable fits the process: maxima fit only maxima, and totals only rain.
fn fits_process(variable: &str, rules: &[Rule]) -> bool {
    if std::ptr::eq(rules, TOTALS) {
        is_total(variable)
    } else {
        variable.ends_with("_MAX") == std::ptr::eq(rules, MAXIMA)
    }
}

fn is_total(variable: &str) -> bool {
    ameriflux::lookup(variable).is_some_and(ameriflux::Variable::is_total)
}

/// The doubt for rain: AmeriFlux's limit of 50 mm applies to half hours and hours.
fn rain_doubt(variable: &str, around: Around<'_>) -> &'static str {
    let long = around.seconds.is_some_and(|seconds| seconds > 3_600);
    if long && variable == "P" { "its range is for an hour at most" } else { "" }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(name: &str, process: &str, around: Around<'_>) -> Option<(&'static str, bool)> {
        let column = ColumnSample::new(name, "", process);
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
            ("SR01Up_Avg", "Avg", "SW_IN", true),
            ("CM3Dn_Avg", "Avg", "SW_OUT", true),
            ("RsUp", "Avg", "SW_IN", true),
            ("short_up_Avg", "Avg", "SW_IN", true),
            ("SWDn", "Avg", "SW_IN", false),
            ("SWUp", "Avg", "SW_OUT", false),
            ("IR01UpCo_Avg", "Avg", "LW_IN", true),
            ("CG3DnCo_Avg", "Avg", "LW_OUT", true),
            ("LUpCo", "Avg", "LW_IN", true),
            ("long_up_corr", "Avg", "LW_IN", true),
            ("LWDnCo", "Avg", "LW_IN", false),
            ("NetTot_Avg", "Avg", "NETRAD", true),
            ("TotRNet_Avg", "Avg", "NETRAD", true),
            ("PAR_Den_Avg", "Avg", "PPFD_IN", true),
            ("SlrkW_Avg", "Avg", "SW_IN", true),
            ("SPN_Diff_Avg", "Avg", "SW_DIF", false),
            ("cs65x_wc_Avg", "Avg", "SWC", true),
            ("cs65x_tmpr_Avg", "Avg", "TS", true),
            ("D5TE_T_5cm", "Avg", "TS", true),
            ("SWC_WC_02_Avg", "Avg", "SWC", true),
            ("SWC_ST_02_Avg", "Avg", "TS", true),
            ("SWP_ST_05_Avg", "Avg", "TS", true),
            ("shf_plate_Avg", "Avg", "G", true),
            ("G_plate", "Avg", "G", true),
            ("PCPN_in_Tot", "Tot", "P", true),
            ("BP_mbar_Avg", "Avg", "PA", true),
            ("Rain_mm_Tot", "Tot", "P", true),
            ("VPD", "Avg", "VPD", true),
            ("u_star", "Smp", "USTAR", true),
            ("wnd_dir_compass", "Smp", "WD", true),
            ("wnd_spd_Avg", "Avg", "WS", true),
            ("CO2_mixratio_Avg", "Avg", "CO2_MIXING_RATIO", true),
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
            ("LWUp_Avg", "Avg"),
            ("IR01Up_Avg", "Avg"),
            ("CG3Dn_Avg", "Avg"),
            ("long_up", "Avg"),
            ("R_LW_in_meas", "Avg"),
            ("NR01TC_Avg", "Avg"),
            ("CNR4TK_Avg", "Avg"),
            ("cnr1_T_C_Avg", "Avg"),
            ("T_nr", "Avg"),
            ("RsNet", "Avg"),
            ("NetRl", "Avg"),
            ("Rn_meas", "Avg"),
            ("SPN_Sun", "Smp"),
            ("SWC_P_02_Avg", "Avg"),
            ("cs65x_ec_Avg", "Avg"),
            ("shf_mV_Avg", "Avg"),
            ("shf_plate_cal", "Smp"),
            ("G_surface", "Avg"),
            ("WSDiag", "Smp"),
            ("SW_IN_POT", "Avg"),
            ("TA_ERA", "Avg"),
            ("PPFD_IN_POT", "Smp"),
            ("WD_SONIC", "Avg"),
            ("wnd_dir_sonic", "Avg"),
            ("wnd_dir_sonic", "WVc"),
            ("wnd_dir_csat3", "WVc"),
            ("wnd_dir_csat", "Smp"),
            ("rslt_wnd_spd", "WVc"),
            ("WS_RSLT", "Avg"),
        ] {
            assert_eq!(of(name, process, Around::default()), None, "{name}");
        }
    }

    #[test]
    fn of_a_soil_probe_t_is_the_soils_temperature_and_pa_no_air_pressure() {
        let around = Around { has_soil_probe: true, ..Around::default() };
        for (name, expected) in [("T_Avg", Some(("TS", true))), ("PA_Avg", None), ("P_Avg(2)", None), ("EC_Avg", None)]
        {
            assert_eq!(of(name, "Avg", around), expected, "{name}");
        }
        assert_eq!(of("PA_Avg", "Avg", Around::default()), Some(("PA", true)));
    }

    #[test]
    fn an_output_of_a_wind_vector_is_known_by_its_place() {
        let of_count = |count| Around { of_its_name: Outputs { count, first_unit: "m/s" }, ..Around::default() };
        for (name, count, expected) in [
            ("WS_ms_WVc(1)", 3, Some("WS")),
            ("W_S_m_s_WVc(2)", 3, Some("WD")),
            ("W_S_m_s_WVc(3)", 3, None),
            ("WS_WVc(2)", 4, None),
            ("WS_WVc(3)", 4, Some("WD")),
            ("WS_WVc(4)", 4, None),
            ("WS_ms_S_WVT", 1, Some("WS")),
            ("WS_ms_U_WVT", 1, None),
            ("WindDir_SD1_WVT", 1, None),
        ] {
            assert_eq!(of(name, "WVc", of_count(count)).map(|(variable, _)| variable), expected, "{name} of {count}");
        }
        let column = ColumnSample::new("WindDir_D1_WVT", "Deg", "WVc");
        assert_eq!(guess(&column, of_count(1)).map(|guess| guess.variable), Some("WD"));
    }

    #[test]
    fn amerifluxs_own_name_and_unit_are_that_variable_whatever_the_process_is() {
        for (name, unit, process, expected) in [
            ("WS_MAX", "m s-1", "Smp", Some("WS_MAX")),
            ("CO2_SIGMA", "umolCO2 mol-1", "Smp", Some("CO2_SIGMA")),
            ("TS_1_2_1", "deg C", "Smp", Some("TS")),
            ("W_SIGMA", "", "Smp", None),
            ("W_SIGMA", "counts", "Smp", None),
            ("WS", "m s-1", "Max", Some("WS_MAX")),
            ("T_SONIC_SIGMA", "deg C", "Std", None),
        ] {
            let column = ColumnSample::new(name, unit, process);
            let found = guess(&column, Around::default());
            assert_eq!(found.map(|guess| guess.variable), expected, "{name} {unit} {process}");
        }
        assert_eq!(positioned("TS_1_2_1_Avg"), Some("TS_1_2_1"));
        assert_eq!((positioned("SWC_2"), positioned("TS_5cm"), positioned("TA")), (None, None, None));
        for name in ["P", "P_1_1_1"] {
            let rain = guess(&ColumnSample::new(name, "mm", "Smp"), Around::default());
            assert_eq!(rain.map(|guess| (guess.variable, guess.doubt)), Some(("P", SAMPLED_RAIN)), "{name}");
        }
    }

    #[test]
    fn ts_beside_a_sonic_anemometer_is_its_temperature() {
        let around = Around { has_sonic: true, ..Around::default() };
        assert_eq!(of("Ts", "Smp", around), Some(("T_SONIC", true)));
        assert_eq!(of("Ts", "Smp", Around::default()), Some(("TS", false)));
    }

    #[test]
    fn rain_of_a_text_table_is_p_and_values_that_never_fall_may_be_a_counter() {
        let of = |name: &str, unit: &str, values: &[f64]| {
            let column = ColumnSample { values: values.to_vec(), ..ColumnSample::new(name, unit, "") };
            guess(&column, Around::default()).map(|guess| (guess.variable, guess.doubt))
        };
        for (name, unit) in [("Rain [mm]", "mm"), ("Precip", "in"), ("Niederschlag", "mm"), ("rain", "")] {
            assert_eq!(of(name, unit, &[0.0, 0.2, 0.0, 0.4]), Some(("P", "")), "{name}");
            assert_eq!(of(name, unit, &[0.0, 0.2, 0.2, 0.4]), Some(("P", COUNTER)), "{name}");
        }
        assert_eq!(of("Rain_rate", "mm/h", &[0.0, 0.2]), None);
    }

    #[test]
    fn rain_of_a_day_has_no_range() {
        assert_eq!(of("Rain_Tot", "Tot", Around { seconds: Some(86_400), ..Around::default() }), Some(("P", false)));
    }

    #[test]
    fn every_rule_names_a_base_variable() {
        for rule in RULES.iter().chain(TOTALS).chain(MAXIMA).filter(|rule| !rule.variable.is_empty()) {
            assert_eq!(ameriflux::lookup(rule.variable).map(|found| found.name), Some(rule.variable));
        }
    }
}
