//! The QC tests that `init` drafts: the faults of a year that they find without an edit, and what they leave alone.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use chrono::{DateTime, TimeDelta, Utc};
use fluxtower::sun::{Position, elevation};
use fluxtower::time::Timestamp;
use serde_json::Value;
use tempfile::TempDir;

const POSITION: Position = Position { latitude: 45.5598, longitude: -84.7138 };
const COLUMNS: [(&str, &str, &str); 8] = [
    ("Batt_Volt_Min", "Volts", "Min"),
    ("PTemp_C_Avg", "Deg C", "Avg"),
    ("AirTC_2m_Avg", "Deg C", "Avg"),
    ("AirTC_10m_Avg", "Deg C", "Avg"),
    ("RH_Avg", "%", "Avg"),
    ("WS_ms_Avg", "meters/second", "Avg"),
    ("SR01Up_Avg", "W/m^2", "Avg"),
    ("PAR_Den_Avg", "umol/s/m^2", "Avg"),
];
const BATTERY: usize = 0;
const AIR_LOW: usize = 2;
const SUN: usize = 6;
const PHOTONS: usize = 7;

/// Half hours of a healthy tower from noon UTC of the first of May.
fn healthy(rows: std::ops::Range<i32>) -> Vec<(DateTime<Utc>, [f64; 8])> {
    let first: DateTime<Utc> = "2025-05-01T12:00:00Z".parse().unwrap();
    rows.map(|row| {
        let end = first + TimeDelta::minutes(30 * i64::from(row));
        let sine = elevation(POSITION, Timestamp::from_utc(end - TimeDelta::minutes(15))).to_radians().sin();
        // Clouds and turbulence that differ from row to row.
        let stir = f64::from((row * 7_919).rem_euclid(1_000)) / 1_000.0;
        let sun = if sine > 0.0 { 1_098.0 * sine * (-0.059 / sine).exp() * (0.6 + 0.4 * stir) } else { -2.1 };
        let air = 12.0 + 9.0 * sine + 1.5 * stir;
        let values = [
            12.6 + 0.8 * sine.max(0.0),
            air + 6.0,
            air,
            air - 0.5 + 0.4 * stir,
            70.0 - 20.0 * sine + 5.0 * stir,
            1.5 + 3.0 * stir,
            sun,
            2.04 * sun.max(0.0) + 0.3 * stir,
        ];
        (end, values)
    })
    .collect()
}

fn toa5(rows: &[(DateTime<Utc>, [f64; 8])]) -> String {
    let mut text =
        "\"TOA5\",\"Hill\",\"CR1000X\",\"1041\",\"CR1000X.Std.07\",\"CPU:y.CR1X\",\"6827\",\"Met\"\r\n".to_owned();
    for (lead, place) in [("\"TIMESTAMP\",\"RECORD\"", 0), ("\"TS\",\"RN\"", 1), ("\"\",\"\"", 2)] {
        text += lead;
        for column in COLUMNS {
            write!(text, ",\"{}\"", [column.0, column.1, column.2][place]).unwrap();
        }
        text += "\r\n";
    }
    for (record, (end, values)) in rows.iter().enumerate() {
        let values: String = values.iter().map(|value| format!(",{:.2}", value)).collect();
        let local = (*end - TimeDelta::hours(5)).format("%Y-%m-%d %H:%M:%S");
        writeln!(text, "\"{local}\",{record}{values}\r").unwrap();
    }
    text
}

fn program(folder: &Path, arguments: &[&str]) -> String {
    let done = crate::support::start(|| {
        Command::new(env!("CARGO_BIN_EXE_fluxtower")).current_dir(folder).args(arguments).output()
    });
    assert!(matches!(done.status.code(), Some(0 | 1)), "{arguments:?}: {done:?}");
    String::from_utf8(done.stdout).unwrap()
}

/// `init` of a live file of ten rows with an archive of 40 days, healthy; then 40 days as `change` makes them. Gives the
/// configuration, the raised values by column and test, and the findings about the sun.
fn run(change: impl Fn(usize, &mut DateTime<Utc>, &mut [f64; 8])) -> (String, Vec<(String, u64)>, Vec<String>) {
    let folder = TempDir::new().unwrap();
    let path = folder.path();
    fs::create_dir_all(path.join("archive/2025")).unwrap();
    fs::write(path.join("archive/2025/Met_2025.dat"), toa5(&healthy(0..1_920))).unwrap();
    fs::write(path.join("archive/readme.csv"), "not a logger's file\n").unwrap();
    fs::write(path.join("Met.dat"), toa5(&healthy(1_920..1_930))).unwrap();
    let place = ["--latitude", "45.5598", "--longitude", "-84.7138"];
    let _ = program(
        path,
        &[&["init", "Met.dat", "--from-archive", "archive", "--utc-offset", "-05:00"], &place[..]].concat(),
    );
    let text = fs::read_to_string(path.join("config.toml")).unwrap();
    assert!(!text.contains("archive"), "no table reads the archive: {text}");
    let mut rows = healthy(1_930..3_850);
    for (at, (end, values)) in rows.iter_mut().enumerate() {
        change(at, end, values);
    }
    fs::write(path.join("Met.dat"), toa5(&rows)).unwrap();
    let _ = program(path, &["ingest"]);
    let summary: Value = serde_json::from_str(&program(
        path,
        &["flags", "--table", "Met", "--since", "2025-01-01", "--summary", "--json"],
    ))
    .unwrap();
    let raised = summary["columns"]
        .as_array()
        .unwrap_or_else(|| panic!("{summary}"))
        .iter()
        .map(|column| {
            let count = |key: &str| column[key].as_u64().unwrap_or_else(|| panic!("{column}"));
            (column["column"].as_str().unwrap().to_owned(), count("suspect") + count("fail"))
        })
        .filter(|(_, raised)| *raised > 0)
        .collect();
    let status: Value = serde_json::from_str(&program(path, &["status", "--json"])).unwrap();
    let found = status["findings"].as_array().unwrap().iter();
    let kinds = found.map(|finding| finding["kind"].as_str().unwrap().to_owned());
    let said = kinds.filter(|kind| ["sun_late", "dark_by_day", "light_at_night"].contains(&kind.as_str())).collect();
    (text, raised, said)
}

#[test]
fn the_draft_of_an_archive_flags_nothing_of_a_healthy_tower() {
    let (text, raised, said) = run(|_, _, _| {});
    assert_eq!((raised, said), (Vec::new(), Vec::new()), "{text}");
    for line in [
        "\nsuspect = [11, 16]     # a 12 V battery",
        "\nsuspect = [-40, 60]     # the logger's own temperature",
        "\nvariable = \"SW_IN\"",
        "\nsun = {}     # against what the sun can give",
        "\nflat_line = { suspect = \"6h\", fail = \"24h\", tolerance = 0.01 }",
        "\nflat_line = { suspect = \"12h\", fail = \"48h\", tolerance = 0.01, except = [0, 0.6] }",
        "\nflat_line = { suspect = \"48h\", fail = \"96h\"",
        "\nspike = { suspect = ",
        "\n[[pair]]\nname = \"Met PAR_Den_Avg and Met SR01Up_Avg\"",
        "\nratio = { suspect = [1.2, 3.0] }\nwhen = { column = \"SR01Up_Avg\", above = 100 }",
        "\nname = \"Met AirTC_2m_Avg and Met AirTC_10m_Avg\"",
    ] {
        assert!(text.contains(line), "{line}\n{text}");
    }
}

#[test]
fn a_dead_light_sensor_is_found_by_the_draft() {
    let (text, raised, said) = run(|_, _, values| values[PHOTONS] = 0.0);
    assert!(said.contains(&"dark_by_day".to_owned()), "{said:?}\n{text}");
    assert!(raised.iter().any(|(column, raised)| column == "PAR_Den_Avg" && *raised > 1_700), "{raised:?}");
}

#[test]
fn a_clock_that_is_an_hour_off_is_found_by_the_draft() {
    let (text, _, said) = run(|_, end, _| *end += TimeDelta::hours(1));
    assert_eq!(said, ["sun_late"], "one clock\n{text}");
}

#[test]
fn a_shifted_radiometer_is_found_by_the_draft() {
    let (text, raised, said) = run(|_, _, values| values[SUN] += 60.0);
    assert_eq!(said, ["light_at_night"], "{text}");
    let of = |name: &str| raised.iter().find(|(column, _)| column == name).map_or(0, |(_, raised)| *raised);
    assert!(of("SR01Up_Avg") > 600, "{raised:?}");
    assert_eq!(of("AirTC_2m_Avg"), 0, "{raised:?}");
}

#[test]
fn a_stuck_thermometer_a_spike_a_flat_battery_and_a_saturated_sensor_are_found_by_the_draft() {
    let (text, raised, _) = run(|at, _, values| match at {
        400..=500 => values[AIR_LOW] = 17.25,
        700 => values[AIR_LOW] += 15.0,
        800..=803 => values[BATTERY] = 10.2,
        900..=902 => values[PHOTONS] = 7_999.0,
        _ => {}
    });
    let of = |name: &str| raised.iter().find(|(column, _)| column == name).map_or(0, |(_, raised)| *raised);
    // Of the stuck values all but those of the first six hours; the spike is one value.
    let air = of("AirTC_2m_Avg");
    assert!((90..=115).contains(&air), "{air}: {raised:?}\n{text}");
    assert_eq!(of("Batt_Volt_Min"), 4, "{raised:?}");
    assert!((3..=6).contains(&of("PAR_Den_Avg")), "{raised:?}");
}

/// A table of scans with these columns and the word in the last of them.
fn scans(columns: &[&str], word: impl Fn(i32) -> String) -> String {
    let mut text =
        "\"TOA5\",\"Hill\",\"CR6\",\"1\",\"CR6.Std.10\",\"CPU:e.CR6\",\"2\",\"ts_data\"\r\n\"TIMESTAMP\",\"RECORD\""
            .to_owned();
    let lines = [columns.to_vec(), vec![""; columns.len()], vec!["Smp"; columns.len()]];
    for (line, lead) in lines.iter().zip(["", "\"TS\",\"RN\"", "\"\",\"\""]) {
        text += lead;
        for column in line {
            write!(text, ",\"{column}\"").unwrap();
        }
        text += "\r\n";
    }
    for row in 0..60 {
        write!(text, "\"2025-05-01 12:{row:02}:00\",{row}").unwrap();
        for place in 1..columns.len() {
            write!(text, ",{}.{row}", place).unwrap();
        }
        writeln!(text, ",{}\r", word(row)).unwrap();
    }
    text
}

#[test]
fn a_diagnostic_word_is_a_key_with_what_it_governs_only_where_its_instrument_is_known() {
    let sonic = ["Ux", "Uy", "Uz", "Ts"];
    let governs = "governs = [\"Ux\", \"Uy\", \"Uz\", \"Ts\"]";
    for (rest, word, expected) in [
        // Zero is good to a CSAT3 and to a CSAT3A.
        (&["diag_word"][..], 0, vec!["#diagnostic = \"csat3\"".to_owned(), format!("#{governs}")]),
        (&["diag_csat"], 3_013, vec!["\ndiagnostic = \"csat3\"".to_owned(), format!("\n{governs}")]),
        (&["CO2_sig_strgth", "diag_sonic"], 0, vec!["\ndiagnostic = \"csat3a\"".to_owned(), format!("\n{governs}")]),
        (
            &["CO2", "H2O", "CO2_sig_strgth", "diag_irga"],
            0,
            vec!["\ndiagnostic = \"ec150\"".to_owned(), "\ngoverns = [\"CO2\", \"H2O\"]".to_owned()],
        ),
        (&["CO2", "H2O", "diag_li7500"], 249, vec!["\ndiagnostic = \"li7500\"".to_owned()]),
        // Most words would be faults: another instrument's, or another scale.
        (&["CO2", "H2O", "diag_li7500"], 0, vec!["#diagnostic = \"li7500\"".to_owned()]),
    ] {
        let folder = TempDir::new().unwrap();
        let columns = [&sonic[..], rest].concat();
        fs::write(folder.path().join("ts.dat"), scans(&columns, |_| word.to_string())).unwrap();
        let _ = program(folder.path(), &["init", "ts.dat", "--utc-offset", "-05:00"]);
        let text = fs::read_to_string(folder.path().join("config.toml")).unwrap();
        for line in expected {
            assert!(text.contains(&line), "{rest:?} {word}: {line}\n{text}");
        }
    }
}

#[test]
fn a_signal_strength_and_an_agc_are_guards_only_where_name_and_values_agree() {
    for (rest, last, value, expected) in [
        // One that says its gas vouches for that gas.
        (&["CO2", "H2O"][..], "CO2_sig_strgth", "0.93", "\nguards = [{ fail = [0.7, inf], governs = [\"CO2\"] }]"),
        (&["CO2", "H2O"], "sig_strgth", "0.93", "\nguards = [{ fail = [0.7, inf], governs = [\"CO2\", \"H2O\"] }]"),
        // Most rows would fail: another scale, or a window that nobody cleaned for the whole sample.
        (&["CO2", "H2O"], "H2O_sig_strgth", "0.41", "\n#guards = [{ fail = [0.7, inf], governs = [\"H2O\"] }]"),
        (&["CO2", "H2O"], "CO2_sig_strgth", "93", "\n#guards = [{ fail = [0.7, inf], governs = [\"CO2\"] }]"),
        (&["CO2", "H2O"], "AGC", "56", "\nguards = [{ fail = [-inf, 70], governs = [\"CO2\", \"H2O\"] }]"),
        // A signal strength that a program keeps in the field of the AGC.
        (&["CO2", "H2O"], "AGC", "98", "\n#guards = [{ fail = [-inf, 70], governs = [\"CO2\", \"H2O\"] }]"),
    ] {
        let folder = TempDir::new().unwrap();
        let columns = [rest, &[last][..]].concat();
        fs::write(folder.path().join("ts.dat"), scans(&columns, |_| value.to_owned())).unwrap();
        let _ = program(folder.path(), &["init", "ts.dat", "--utc-offset", "-05:00"]);
        let text = fs::read_to_string(folder.path().join("config.toml")).unwrap();
        assert!(text.contains(expected), "{last} {value}: {expected}\n{text}");
        program(folder.path(), &["check"]);
    }
}

#[test]
fn the_weakest_scan_of_a_half_hour_makes_means_suspect_and_no_single_scan() {
    let folder = TempDir::new().unwrap();
    let text = scans(&["CO2_Avg", "FC", "LE", "CO2_sig_strgth_Min"], |_| "0.93".to_owned());
    let text = text.replacen("\"Smp\",\"Smp\",\"Smp\",\"Smp\"", "\"Avg\",\"Smp\",\"Smp\",\"Min\"", 1);
    fs::write(folder.path().join("flux.dat"), text).unwrap();
    let _ = program(folder.path(), &["init", "flux.dat", "--utc-offset", "-05:00"]);
    let text = fs::read_to_string(folder.path().join("config.toml")).unwrap();
    assert!(text.contains("\nguards = [{ suspect = [0.7, inf], governs = [\"CO2_Avg\"] }]"), "{text}");
}
