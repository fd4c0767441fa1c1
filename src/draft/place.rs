//! Finds the level and the model of a column's sensor in the column's name.

use super::column::Suggestion;
use super::guess::Around;
use super::marks::{Mark, marks};
use crate::config::Level;

/// Usual intervals in minutes, which `30m` in a name may mean.
const USUAL_MINUTES: [i64; 6] = [1, 5, 10, 15, 30, 60];
/// Variables of sensors in the ground.
const IN_GROUND: [&str; 4] = ["TS", "SWC", "SWP", "G"];
/// Instruments, by the names in programs (lower case, letters and digits only), with their makers' names.
const SENSORS: [(&str, &str); 29] = [
    ("csat3b", "CSAT3B"),
    ("csat3a", "CSAT3A"),
    ("csat3", "CSAT3"),
    ("irgason", "IRGASON"),
    ("ec150", "EC150"),
    ("ec155", "EC155"),
    ("li7500", "LI-7500"),
    ("li7200", "LI-7200"),
    ("li7700", "LI-7700"),
    ("li7000", "LI-7000"),
    ("li6262", "LI-6262"),
    ("li840", "LI-840"),
    ("li820", "LI-820"),
    ("li190", "LI-190"),
    ("li200", "LI-200"),
    ("cnr1", "CNR1"),
    ("cnr2", "CNR2"),
    ("cnr4", "CNR4"),
    ("nr01", "NR01"),
    ("bf3", "BF3"),
    ("bf5", "BF5"),
    ("hmp155", "HMP155"),
    ("hmp45c", "HMP45C"),
    ("hmp45", "HMP45"),
    ("hmp60", "HMP60"),
    ("cs616", "CS616"),
    ("cs650", "CS650"),
    ("cs655", "CS655"),
    ("te525", "TE525"),
];

/// The height or depth of a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    /// The key: `height` or `depth`.
    pub(super) key: &'static str,
    pub(super) value: String,
    /// Whether it is written as a key; otherwise it is a comment.
    pub(super) active: bool,
    pub(super) reason: String,
}

/// The level that follows from the only length in a name, together with the variable. None without a length, or with
/// several.
pub(super) fn place(name: &str, variable: Option<&Suggestion>, around: Around<'_>) -> Option<Place> {
    let marks: Vec<Mark> = marks(name.split('(').next()?).into_iter().filter(|mark| mark.key != "plot").collect();
    let [mark] = marks.as_slice() else { return None };
    let measured = variable.map(|suggestion| suggestion.variable);
    let is_in_ground = measured.is_some_and(|variable| IN_GROUND.contains(&variable));
    let key = if is_in_ground { "depth" } else { mark.key };
    let level = if key == "depth" { Level::depth(&mark.value) } else { Level::height(&mark.value) };
    // A length that the configuration does not accept, such as a layer above ground, is not written.
    level.ok()?;
    let says_soil = name.to_lowercase().contains("soil");
    let doubt = if may_be_minutes(mark, around.seconds.map(|seconds| seconds / 60)) {
        Some("may be minutes")
    } else if key == "depth" && !is_in_ground && !says_soil {
        Some("or height, if the sensor is above ground")
    } else if measured == Some("TW") {
        Some("or depth, if it is counted from the surface of the water")
    } else {
        None
    };
    let reason = doubt.map_or_else(|| "the name says so".to_owned(), |doubt| format!("in the name; {doubt}"));
    Some(Place { key, value: mark.value.clone(), active: doubt.is_none(), reason })
}

/// The instrument in a name.
pub(super) fn sensor(name: &str) -> Option<&'static str> {
    let parts: Vec<String> = name
        .split(|c: char| !c.is_ascii_alphanumeric() && c != '-')
        .map(|part| part.replace('-', "").to_lowercase())
        .collect();
    let found = SENSORS.iter().find(|(written, _)| parts.iter().any(|part| part == written));
    found.map(|(_, sensor)| *sensor)
}

/// Whether `30m` in a name may be the minutes between rows.
pub(super) fn may_be_minutes(mark: &Mark, interval: Option<i64>) -> bool {
    mark.minutes.is_some_and(|minutes| match interval {
        Some(interval) => interval == minutes,
        None => USUAL_MINUTES.contains(&minutes),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(name: &str, variable: Option<&'static str>, seconds: Option<i64>) -> Option<(&'static str, String, bool)> {
        let suggestion = variable.map(|variable| Suggestion {
            variable,
            name: variable.to_owned(),
            active: true,
            reason: String::new(),
        });
        let place = place(name, suggestion.as_ref(), Around { seconds, ..Around::default() })?;
        Some((place.key, place.value, place.active))
    }

    #[test]
    fn a_length_in_a_name_is_a_height_or_a_depth() {
        for (name, variable, seconds, expected) in [
            ("Temp_46m", Some("TA"), Some(60), Some(("height", "46m", true))),
            ("Cell_pressure_46m", None, Some(1), Some(("height", "46m", true))),
            ("Soil_temp_7.5cm_st1", Some("TS"), Some(1_800), Some(("depth", "7.5cm", true))),
            ("Soil_moisture_0-30cm_1", Some("SWC"), Some(1_800), Some(("depth", "0-30cm", true))),
            ("TS_1m", Some("TS"), Some(1_800), Some(("depth", "1m", true))),
            ("T_107_15cm", None, Some(60), Some(("depth", "15cm", false))),
            ("Temp_30m", Some("TA"), Some(1_800), Some(("height", "30m", false))),
            ("wtr_1m", Some("TW"), Some(600), Some(("height", "1m", false))),
            ("RH_avg_3m", Some("RH"), Some(10), Some(("height", "3m", true))),
            ("Diff_46m_34m", Some("TA"), None, None),
            ("U_10-20m", None, None, None),
            ("TS(1)", Some("TS"), None, None),
            ("Temp", Some("TA"), None, None),
        ] {
            let expected = expected.map(|(key, value, active): (_, &str, _)| (key, value.to_owned(), active));
            assert_eq!(of(name, variable, seconds), expected, "{name}");
        }
    }

    #[test]
    fn an_instrument_is_a_separate_part_of_the_name() {
        for (name, expected) in [
            ("CNR1_SWin_Avg", Some("CNR1")),
            ("46m_CNR1", Some("CNR1")),
            ("LI-7500_diag", Some("LI-7500")),
            ("Ux_CSAT3B", Some("CSAT3B")),
            ("bf5_total", Some("BF5")),
            ("CNR10", None),
            ("PPFD", None),
        ] {
            assert_eq!(sensor(name), expected, "{name}");
        }
    }
}
