//! What the name and the unit of a column say about its kind, where nothing else says it.
//!
//! Guarantees: a name alone never makes a kind that its unit contradicts, and an angle that is no direction (a tilt, a
//! latitude, the sun's height) is none in degrees either. Loggers state a process, and then only the direction is read from
//! the name. Text tables of other programs state none, and then rain in a unit of rain is a total, because its mean
//! over a half hour is no rain of that half hour, and what is called a maximum is one.

use crate::ameriflux;
use crate::ameriflux::unit::{self, Fit};

/// Letters in the name of a wind direction, which need no unit. `D1_WVT` and `DU_WVT` are the names that Campbell's software
/// gives to outputs of WindVector.
const DIRECTIONS: [&str; 13] = [
    "winddir",
    "wnddir",
    "windfromdir",
    "windvecdir",
    "dirwvt",
    "d1wvt",
    "duwvt",
    "windrichtung",
    "windrichting",
    "vindretning",
    "directionvent",
    "directionduvent",
    "dirvento",
];
/// Parts of names of a wind direction in degrees, whole. `Dn`, `Dm` and `Dx` are Vaisala's smallest, mean and largest
/// direction, `DD` that of weather services, `WR` the German abbreviation.
const OF_DEGREES: [&str; 13] =
    ["wd", "wdd", "dir", "dm", "dn", "dx", "dd", "wr", "drct", "wind", "wnd", "vent", "viento"];
/// Letters of names of a direction in degrees, in several languages.
const IN_DEGREES: [&str; 7] = ["wdir", "direc", "direç", "direz", "richt", "retning", "vane"];
/// Parts of names of angles that are no direction of the wind.
const OTHER_ANGLES: [&str; 26] = [
    "tilt",
    "zenith",
    "zen",
    "azimuth",
    "elev",
    "elevation",
    "incl",
    "inclination",
    "incidence",
    "attack",
    "pitch",
    "roll",
    "yaw",
    "slope",
    "aspect",
    "lat",
    "latitude",
    "lon",
    "longitude",
    "sun",
    "solar",
    "sol",
    "hour",
    "vertical",
    "phase",
    "declination",
];
/// Name parts of columns that are about a direction and are not directions themselves.
const SPREADS: [&str; 8] = ["sd", "std", "stdev", "stddev", "sigma", "yamartino", "flag", "qc"];
/// Letters of names of rain, which no other word holds.
pub const RAIN: [&str; 14] = [
    "rainfall",
    "precip",
    "precipitation",
    "niederschlag",
    "pluie",
    "pluvio",
    "lluvia",
    "chuva",
    "pioggia",
    "neerslag",
    "nedbør",
    "nederbörd",
    "prcp",
    "pcpn",
];
/// Parts of names of rain, whole or at their beginning: `drain` and `terrain` are none.
pub const RAIN_BEGINS: [&str; 3] = ["rain", "regen", "ppt"];
/// Parts of names of rain that is no sum over the row's interval: a rate, a sum since a reset or over another time, an
/// extreme, the height in a gauge.
const NO_TOTAL: [&str; 41] = [
    "rate",
    "intensity",
    "int",
    "temp",
    "temperature",
    "acc",
    "accum",
    "accumulated",
    "cum",
    "cumul",
    "cumulative",
    "counter",
    "count",
    "since",
    "running",
    "ytd",
    "year",
    "yearly",
    "season",
    "month",
    "monthly",
    "week",
    "weekly",
    "day",
    "daily",
    "today",
    "yesterday",
    "hourly",
    "midnight",
    "event",
    "storm",
    "level",
    "weight",
    "depth",
    "height",
    "max",
    "min",
    "avg",
    "mean",
    "flag",
    "qc",
];
/// Names of wind speed in one word.
pub const WIND_SPEED: [&str; 3] = ["windspeed", "windspd", "wndspd"];
/// Beginnings of shorter names of wind speed. `WS` alone begins other names too, so its unit has to follow.
const WIND_SPEED_BEGINS: [&str; 6] = ["wspd", "wsms", "wsmph", "wskph", "wskmh", "wskts"];
/// What stands for the direction in a name, and what in the name of the speed that belongs to it. The first that a table has
/// counts.
pub(super) const SPEEDS_OF_DIRECTIONS: [(&str, &str); 10] = [
    ("_d1_wvt", "_s_wvt"),
    ("_du_wvt", "_u_wvt"),
    ("winddir", "windspd"),
    ("winddir", "windspeed"),
    ("wind_dir", "wind_spd"),
    ("wind_dir", "wind_speed"),
    ("wind_direction", "wind_speed"),
    ("winddirection", "windspeed"),
    ("wnd_dir", "wnd_spd"),
    ("wd", "ws"),
];
/// What stands before `max` and `min` in one word with them.
const EXTREMES_OF: [&str; 10] = ["t", "ta", "ts", "tair", "temp", "airtemp", "rh", "ws", "wind", "windspeed"];
/// Parts before `min` with which it means minutes.
const MINUTES_BEHIND: [&str; 9] = ["per", "mm", "l", "ml", "ltr", "time", "uptime", "duration", "age"];
/// Units behind the name of an extreme, as in `T_max_C`.
const UNITS_BEHIND: [&str; 12] = ["c", "degc", "degf", "k", "f", "deg", "ms", "mps", "kmh", "mph", "pct", "kpa"];

/// A column's name in parts, with its unit.
pub(super) struct Named<'a> {
    name: String,
    /// The unit in the header; otherwise degrees, if the name has them.
    unit: &'a str,
    /// The parts between signs, in lower case: `MetSENS_WD` gives `metsens` and `wd`.
    parts: Vec<String>,
    /// The parts, and those of which they are joined: `DirAvg` gives `diravg`, `dir` and `avg`.
    pieces: Vec<String>,
}

impl<'a> Named<'a> {
    pub(super) fn of(name: &str, unit: &'a str) -> Named<'a> {
        let own = without_unit(name);
        let tokens = || own.split(|letter: char| !letter.is_alphanumeric());
        let parts: Vec<String> = tokens().map(str::to_lowercase).collect();
        let mut pieces = parts.clone();
        for word in tokens().flat_map(joined_parts).map(str::to_lowercase) {
            if !pieces.contains(&word) {
                pieces.push(word);
            }
        }
        let says_degrees = || parts.last().is_some_and(|part| ["deg", "degs", "degree", "degrees"].contains(&&**part));
        let unit = if unit.trim().is_empty() && says_degrees() { "deg" } else { unit.trim() };
        Named { name: name.to_lowercase(), unit, parts, pieces }
    }

    fn has(&self, wanted: &[&str]) -> bool {
        self.pieces.iter().any(|word| wanted.contains(&bare(word)))
    }

    /// Whether it says how much a direction varies.
    pub(super) fn is_spread(&self) -> bool {
        let is_one = |part: &String| {
            let part = bare(part);
            SPREADS.iter().any(|spread| part == *spread || (part.contains("dir") && part.ends_with(spread)))
        };
        self.pieces.iter().any(is_one)
    }

    /// A unit of degrees alone may be a latitude or a tilt. The name of a wind direction shows what it is, and then the
    /// unit may be missing.
    pub(super) fn is_direction(&self) -> bool {
        if self.is_spread() {
            return false;
        }
        let letters = self.parts.concat();
        let first = self.parts.first().map_or("", |part| bare(part));
        let says_so = DIRECTIONS.iter().any(|word| letters.contains(word))
            || self.parts.iter().any(|part| part.starts_with("wdir"))
            // AmeriFlux's name, and that of a logger's program, with nothing but place and process behind it.
            || (first == "wd" && self.parts[1..].iter().all(|part| is_of_place_or_process(part)));
        if says_so {
            return self.unit.is_empty() || unit::is_degrees(self.unit);
        }
        unit::is_degrees(self.unit) && self.says_direction_in_degrees()
    }

    fn says_direction_in_degrees(&self) -> bool {
        let begins = ["wd", "azimuth"].iter().any(|begin| self.name.starts_with(begin));
        let ends = || self.parts.iter().any(|part| ["dir", "direction"].iter().any(|end| bare(part).ends_with(end)));
        let holds = || IN_DEGREES.iter().any(|letters| self.pieces.iter().any(|word| word.contains(letters)));
        begins || ends() || (!self.has(&OTHER_ANGLES) && (self.has(&OF_DEGREES) || holds()))
    }

    /// Whether it is rain over the row's interval: called so, in a unit of rain. A reading since a reset is a counter, which
    /// only the configuration can say.
    pub(super) fn is_total(&self) -> bool {
        let is_hours = |word: &String| {
            let unit = word.trim_start_matches(|letter: char| letter.is_ascii_digit());
            unit.len() < word.len() && ["h", "hr", "hrs", "hour", "hours", "d"].contains(&unit)
        };
        self.is_rain() && self.is_of_rain() && !self.has(&NO_TOTAL) && !self.pieces.iter().any(is_hours)
    }

    /// Whether the name is one of rain.
    fn is_rain(&self) -> bool {
        // AmeriFlux's name.
        let is_own = || {
            self.parts.first().is_some_and(|part| part == "p")
                && self.parts[1..].iter().all(|part| part == "mm" || is_of_place_or_process(part))
        };
        let begins = |word: &String| RAIN_BEGINS.iter().any(|begin| word.starts_with(begin));
        self.pieces.iter().any(|word| begins(word) || RAIN.iter().any(|rain| word.contains(rain))) || is_own()
    }

    /// Whether the unit, of the header or behind the name, is one in which rain is measured.
    fn is_of_rain(&self) -> bool {
        if self.unit.is_empty() {
            let is_unit = |part: &String| ["mm", "in", "inch", "inches"].contains(&part.as_str());
            return self.parts.last().is_some_and(is_unit);
        }
        is_of("P", self.unit)
    }

    /// Whether it is a maximum (true) or a minimum (false) over the row's interval, by the end or the beginning of the name.
    pub(super) fn is_maximum(&self) -> Option<bool> {
        if ["min", "mins", "minute", "minutes"].contains(&self.unit.to_lowercase().as_str()) {
            return None;
        }
        let is_behind = |word: &&str| UNITS_BEHIND.contains(word) || is_place(word) || word.is_empty();
        let end = self.parts.iter().rposition(|part| !is_behind(&part.as_str()))?;
        let (part, before) = (self.parts[end].as_str(), end.checked_sub(1).map(|at| self.parts[at].as_str()));
        let extreme = |text: &str| match text {
            "max" | "maximum" => Some(true),
            "min" | "minimum" => Some(false),
            _ => None,
        };
        if let Some(is_maximum) = extreme(part) {
            let is_minutes = |before: &str| MINUTES_BEHIND.contains(&before) || is_place(before);
            return before.filter(|before| is_maximum || !is_minutes(before)).map(|_| is_maximum);
        }
        let in_one_word = |part: &str| {
            let (head, tail) = part.split_at_checked(part.len().checked_sub(3)?)?;
            EXTREMES_OF.contains(&head).then(|| extreme(tail))?
        };
        let first = self.parts.first().map(String::as_str).filter(|_| self.parts.len() > 1);
        let of_first = || first.filter(|_| !self.has(&["avg", "mean", "since", "per", "std"])).and_then(extreme);
        in_one_word(part).or_else(of_first).or_else(|| self.is_gust().then_some(true))
    }

    /// A gust is the largest speed of the row's interval.
    fn is_gust(&self) -> bool {
        let is = |word: &String| word.starts_with("gust") || word.ends_with("windgust") || word == "rafale";
        !self.has(&["avg", "mean", "std", "count", "time"]) && self.pieces.iter().any(is) && is_of("WS", self.unit)
    }
}

/// Whether a name in lower case, without the suffix of its process, is that of a wind speed.
pub(super) fn is_wind_speed(name: &str) -> bool {
    let name = name.replace('_', "");
    let is_numbered = |rest: &str| rest.bytes().all(|byte| byte.is_ascii_digit());
    WIND_SPEED.iter().chain(&WIND_SPEED_BEGINS).any(|begin| name.starts_with(begin))
        || name.strip_prefix("ws").is_some_and(is_numbered)
}

/// Whether this is a unit of the AmeriFlux variable. False where there is none.
fn is_of(variable: &str, header_unit: &str) -> bool {
    let fits = |variable| !matches!(unit::fit(header_unit, variable), Fit::Unfit { .. });
    !header_unit.is_empty() && ameriflux::lookup(variable).is_some_and(fits)
}

/// The name without brackets at its end, in which a unit or a number stands. `T (max)` keeps them.
fn without_unit(name: &str) -> &str {
    let mut rest = name.trim();
    for (open, close) in [('[', ']'), ('(', ')')] {
        if let Some((head, inside)) = rest.strip_suffix(close).and_then(|rest| rest.rsplit_once(open))
            && !["max", "min"].contains(&inside.trim().to_lowercase().as_str())
            && !head.trim().is_empty()
        {
            rest = head.trim();
        }
    }
    rest
}

/// A part without the number behind it.
fn bare(part: &str) -> &str {
    part.trim_end_matches(|letter: char| letter.is_ascii_digit())
}

/// Whether a part of a name says where something is measured, as `1` and `10m` do.
fn is_place(part: &str) -> bool {
    let unit = part.trim_start_matches(|letter: char| letter.is_ascii_digit());
    unit.len() < part.len() && ["", "m", "cm", "ft"].contains(&unit)
}

/// Whether a part of a name says where or how something is measured, as `1`, `10m` and `avg` do.
fn is_of_place_or_process(part: &str) -> bool {
    let others = ["a", "f", "pi", "avg", "smp", "mean", "deg", "degs", "wvt", "wvc"];
    is_place(part) || part.is_empty() || others.contains(&part)
}

/// The parts of which a name is joined by capital letters: `RelHum` gives `Rel` and `Hum`, `PTemp` gives `P` and `Temp`, `CO2Mean` gives `CO2` and
/// `Mean`.
pub fn joined_parts(token: &str) -> Vec<&str> {
    let bytes = token.as_bytes();
    let mut cuts = vec![0];
    for at in 1..bytes.len() {
        let small_follows = bytes.get(at + 1).is_some_and(u8::is_ascii_lowercase);
        if bytes[at].is_ascii_uppercase() && (bytes[at - 1].is_ascii_lowercase() || small_follows) {
            cuts.push(at);
        }
    }
    cuts.push(bytes.len());
    cuts.windows(2).filter_map(|ends| token.get(ends[0]..ends[1])).filter(|part| !part.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_holds_a_direction_anywhere_is_one_in_degrees_and_no_other_angle_is() {
        for name in [
            "MetSENS_WD",
            "Avg_WD",
            "R3_WD",
            "05103_WD",
            "DirAvg",
            "Dm",
            "Dn_Avg",
            "Windrichtung",
            "wind_vane_Avg",
            "wnd_dir",
            "WD2m",
            "GMX_Dir",
            "MetWD_Avg",
            "Direction du vent",
            "Dirección",
            "Wind (deg)",
            "WR_Avg",
            "DD",
            "Wdir_10m",
            "WindDir (Deg)",
            "Vindretning",
        ] {
            assert!(Named::of(name, "Deg").is_direction(), "{name}");
        }
        for name in [
            "Tilt_X",
            "Sun_Zenith",
            "solar_azimuth",
            "Latitude",
            "Wind_Elevation",
            "SunDirection_Zenith_SD",
            "WD_Std",
            "WindDirStd",
            "MetSENS_WD_StdDev",
            "Window",
            "Yaw",
            "Heading",
            "attack_angle_wind",
        ] {
            assert!(!Named::of(name, "Deg").is_direction(), "{name}");
        }
        for (name, is_one) in [
            ("WD_10m_deg", true),
            ("Met_WD_deg", true),
            ("Met_WD", false),
            ("Windrichtung", true),
            ("T_deg", false),
            ("Dm", false),
        ] {
            assert_eq!(Named::of(name, "").is_direction(), is_one, "{name}");
        }
    }

    #[test]
    fn rain_in_a_unit_of_rain_is_a_total() {
        for (name, unit, is_one) in [
            ("Rain [mm]", "mm", true),
            ("rain", "mm", true),
            ("Rain_mm", "", true),
            ("Precip_in", "", true),
            ("Precipitation", "in", true),
            ("ppt", "mm", true),
            ("Niederschlag", "mm", true),
            ("Pluie", "mm", true),
            ("Rain Tot", "mm", true),
            ("RainGauge", "kg/m2", true),
            ("P", "mm", true),
            ("P_1_1_1", "mm", true),
            ("TotRain", "mm", true),
            ("Rain", "", false),
            ("Rain", "mm/h", false),
            ("Rain_rate", "mm", false),
            ("RainRate", "mm", false),
            ("Rain_cum", "mm", false),
            ("Rain_24h", "mm", false),
            ("daily_rain", "mm", false),
            ("Drain", "mm", false),
            ("Terrain", "m", false),
            ("Rain_temp", "degC", false),
            ("Rain_max", "mm", false),
            ("Level", "mm", false),
            ("P", "kPa", false),
        ] {
            assert_eq!(Named::of(name, unit).is_total(), is_one, "{name} in {unit:?}");
        }
    }

    #[test]
    fn what_is_called_a_maximum_or_a_minimum_is_one() {
        for (name, unit, expected) in [
            ("WS_max [m/s]", "m/s", Some(true)),
            ("TA_min", "", Some(false)),
            ("T_Max", "degC", Some(true)),
            ("T (max) [degC]", "degC", Some(true)),
            ("T_max_C", "", Some(true)),
            ("WS_max_10m", "", Some(true)),
            ("Tmax", "", Some(true)),
            ("Tmin", "degC", Some(false)),
            ("Max Wind Speed", "m/s", Some(true)),
            ("Min_Temp", "", Some(false)),
            ("Wind Gust", "km/h", Some(true)),
            ("TA", "degC", None),
            ("Uptime_min", "", None),
            ("flow_L_min", "", None),
            ("WS_10_min", "", None),
            ("WS_10min", "", None),
            ("Elapsed_min", "min", None),
            ("T_max_avg", "", None),
            ("max", "", None),
            ("Climax", "", None),
            ("August", "m/s", None),
            ("Gust_dir", "deg", None),
        ] {
            assert_eq!(Named::of(name, unit).is_maximum(), expected, "{name} in {unit:?}");
        }
    }
}
