//! `init` through the program: what it writes loads, runs without an edit, and takes nothing away.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use fluxtower::config::Config;
use fluxtower::qc::Sentinels;
use serde_json::Value;
use tempfile::TempDir;

/// A folder with loggers' files.
struct Folder(TempDir);

struct Ended {
    code: i32,
    stdout: String,
    stderr: String,
}

impl Folder {
    fn new() -> Folder {
        Folder(TempDir::new().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    fn run(&self, arguments: &[&str]) -> Ended {
        let output = crate::support::start(|| {
            Command::new(env!("CARGO_BIN_EXE_fluxtower")).current_dir(self.0.path()).args(arguments).output()
        });
        Ended {
            code: output.status.code().unwrap(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// `init` with a clock, which must end as said.
    #[track_caller]
    fn init(&self, arguments: &[&str], code: i32) -> Ended {
        let done = self.run(&[&["init", "--utc-offset", "-05:00"], arguments].concat());
        assert_eq!(done.code, code, "{}{}", done.stdout, done.stderr);
        done
    }

    fn config(&self) -> Config {
        Config::load(&self.path("config.toml")).unwrap()
    }

    /// Runs the configuration as it stands; the number of rows staged.
    #[track_caller]
    fn staged(&self) -> u64 {
        let done = self.run(&["--json", "run"]);
        assert!((0..=1).contains(&done.code), "{}{}", done.stdout, done.stderr);
        let report: Value = serde_json::from_str(&done.stdout).unwrap();
        let tables = report["ingest"]["tables"].as_array().unwrap().clone();
        assert!(report["sync"]["pending"] == 0, "{report}");
        tables.iter().map(|table| table["staged"].as_u64().unwrap()).sum()
    }
}

/// Name, unit, process and what the column holds.
type Column<'a> = (&'a str, &'a str, &'a str, &'a dyn Fn(i32) -> String);

/// A TOA5 file with a row every five minutes.
fn toa5(station: &str, table: &str, columns: &[Column<'_>], rows: std::ops::Range<i32>) -> String {
    let mut text = format!(
        "\"TOA5\",\"{station}\",\"CR1000X\",\"1041\",\"CR1000X.Std.07\",\"CPU:y.CR1X\",\"6827\",\"{table}\"\r\n"
    );
    for (lead, place) in [("\"TIMESTAMP\",\"RECORD\"", 0), ("\"TS\",\"RN\"", 1), ("\"\",\"\"", 2)] {
        text += lead;
        for column in columns {
            write!(text, ",\"{}\"", [column.0, column.1, column.2][place]).unwrap();
        }
        text += "\r\n";
    }
    for row in rows {
        write!(text, "\"2024-05-{:02} {:02}:{:02}:00\",{row}", 1 + row / 288, row / 12 % 24, row % 12 * 5).unwrap();
        for column in columns {
            write!(text, ",{}", column.3(row)).unwrap();
        }
        text += "\r\n";
    }
    text
}

fn wave(row: i32) -> String {
    format!("{}.25", 10 + row % 7)
}

fn moist(row: i32) -> String {
    format!("0.{}", 210 + row % 7)
}

fn nan(_: i32) -> String {
    "\"NAN\"".to_owned()
}

fn fixed(_: i32) -> String {
    "7999".to_owned()
}

fn word(_: i32) -> String {
    "\"ok\"".to_owned()
}

/// A folder with a tower's table, a soil table, and what is no table.
fn station() -> Folder {
    let folder = Folder::new();
    let met: [Column<'_>; 6] = [
        ("AirTC_Avg", "Deg C", "Avg", &wave),
        ("PAR_up", "umol/m^2/s", "Avg", &wave),
        ("PPFD", "", "Smp", &wave),
        ("calPPFD", "", "Smp", &fixed),
        ("Broken", "mV", "Smp", &nan),
        ("Mode", "", "Smp", &word),
    ];
    folder.write("data/46m_Met.dat", toa5("US-UMB", "Met", &met, 0..40));
    let soil: [Column<'_>; 2] = [("TS(1)", "°C", "Avg", &wave), ("SWC(1)", "m^3/m^3", "Avg", &moist)];
    folder.write("data/soil_20cm.dat", toa5("US-UMB", "Soil", &soil, 0..30));
    folder.write("data/old/WRDO.dat", "{\"head\": {}}\r\n");
    folder.write("data/plots.csv", "6a,1\r\n6b,2\r\n");
    folder.write("data/46m_Met.dat.backup", toa5("US-UMB", "Met", &met, 40..50));
    folder.write("data/notes.txt", "not a logger's file\n");
    folder
}

#[test]
fn the_configuration_loads_runs_without_an_edit_and_stages_every_row() {
    let folder = station();
    folder.init(&["data"], 0);
    let config = folder.config();
    assert_eq!((config.station.name.as_str(), config.station.clock.to_string().as_str()), ("US-UMB", "-05:00"));
    let names: Vec<&str> = config.tables.iter().map(|table| table.name.0.as_str()).collect();
    assert_eq!(names, ["46m_Met", "soil_20cm"]);
    assert_eq!(config.tables[0].files, [folder.path("data/46m_Met.dat")]);
    assert_eq!(folder.staged(), 40 + 30 + 10, "the file that LoggerNet set aside is read too");
    let check = folder.run(&["check"]);
    let (looks, bad) = (check.stdout.lines().filter(|line| line.starts_with("look")), check.stdout.contains("\nbad"));
    // The samples here are from 2024, which is all there is to say.
    assert!(!bad && looks.into_iter().all(|line| line.contains("longer than stale_after")), "{}", check.stdout);
}

#[test]
fn heights_and_depths_in_names_become_tags_and_the_interval_becomes_stale_after() {
    let folder = station();
    folder.write("data/resp_plot_3a.dat", toa5("US-UMB", "Resp", &[("FC", "", "Avg", &wave)], 0..9));
    folder.write("data/met_5m.dat", toa5("US-UMB", "Five", &[("A", "", "Avg", &wave)], 0..9));
    folder.init(&["data"], 0);
    let config = folder.config();
    let tag = |table: &str, key: &str| config.table(table).unwrap().tags.get(key).cloned();
    assert_eq!(tag("46m_Met", "height").as_deref(), Some("46m"));
    assert_eq!(tag("soil_20cm", "depth").as_deref(), Some("20cm"));
    assert_eq!(tag("resp_plot_3a", "plot").as_deref(), Some("3a"));
    assert_eq!(tag("met_5m", "height"), None, "a row every five minutes: 5m are minutes");
    assert!(folder.read("config.toml").contains("\"5m\" in the file's name may be minutes"));
    assert_eq!(config.tables[0].stale_after.unwrap().as_secs(), 1_800);
}

#[test]
fn a_columns_height_depth_and_sensor_are_keys_where_its_name_says_them_and_comments_where_it_may() {
    let folder = station();
    let columns: [Column<'_>; 6] = [
        ("Temp_34m_Avg", "Deg C", "Avg", &wave),
        ("Soil_temp_7.5cm_st1", "Deg C", "Avg", &wave),
        ("T_107_15cm", "Deg C", "Avg", &wave),
        ("CNR1_SW_in", "W/m^2", "Avg", &wave),
        ("Temp_5m", "Deg C", "Avg", &wave),
        ("Note_2m", "", "Smp", &word),
    ];
    folder.write("data/tower.dat", toa5("US-UMB", "Tower", &columns, 0..30));
    folder.write("data/46m_BF5.dat", toa5("US-UMB", "Light", &[("Total", "umol/m^2/s", "Avg", &wave)], 0..30));
    folder.init(&["data"], 0);
    let config = folder.config();
    let column = |name: &str| config.table("tower").unwrap().columns.get(name).cloned().unwrap_or_default();
    let level = |name: &str| column(name).level.map(|level| (level.metres, level.label));
    assert_eq!(level("Temp_34m_Avg"), Some((34.0, "34 m".to_owned())));
    assert_eq!(level("Soil_temp_7.5cm_st1"), Some((-0.075, "7.5 cm".to_owned())));
    assert_eq!(column("CNR1_SW_in").sensor.as_deref(), Some("CNR1"));
    for name in ["T_107_15cm", "Temp_5m", "Note_2m"] {
        assert_eq!(level(name), None, "{name}");
    }
    let text = folder.read("config.toml");
    for line in [
        "#depth = \"15cm\"     # in the name; or height, if the sensor is above ground",
        "#height = \"5m\"     # in the name; may be minutes",
        "sensor = \"BF5\"     # the file's name says so",
    ] {
        assert!(text.contains(line), "{line}\n{text}");
    }
    assert!(!text.contains("\"2m\""), "text stands at no height");
    let light = config.table("46m_BF5").unwrap();
    assert_eq!(light.level.as_ref().map(|level| level.label.as_str()), Some("46 m"), "the tag says it");
    assert_eq!(light.sensor.as_deref(), Some("BF5"));
}

#[test]
fn a_variable_is_a_key_only_where_name_unit_and_values_agree() {
    let folder = station();
    folder.init(&["data"], 0);
    let config = folder.config();
    let variable = |table: &str, column: &str| {
        config.table(table).unwrap().columns.get(column).and_then(|column| column.variable.clone())
    };
    assert_eq!(variable("46m_Met", "AirTC_Avg").as_deref(), Some("TA"));
    assert_eq!(variable("soil_20cm", "TS(1)").as_deref(), Some("TS"));
    assert_eq!(variable("soil_20cm", "SWC(1)").as_deref(), Some("SWC"), "m^3/m^3 are converted to %");
    for column in ["PAR_up", "PPFD", "calPPFD", "Broken", "Mode"] {
        assert_eq!(variable("46m_Met", column), None, "{column}");
    }
    let text = folder.read("config.toml");
    for line in [
        "#variable = \"PPFD_IN\"     # the name holds \"par\" and \"up\"; \"up\" and \"down\" may say",
        "#variable = \"PPFD_IN\"     # the name holds \"ppfd\"; the header gives no unit to confirm it",
    ] {
        assert!(text.contains(line), "{line}\n{text}");
    }
    // Nothing that is off by being right is flagged.
    folder.staged();
    let store = rusqlite::Connection::open(folder.path("fluxtower.db")).unwrap();
    let flagged: i64 = store
        .query_row("SELECT count(*) FROM reading WHERE flags LIKE '%3%' OR flags LIKE '%4%'", [], |row| row.get(0))
        .unwrap();
    assert_eq!(flagged, 0);
}

#[test]
fn every_suggestion_can_be_taken_by_taking_the_signs_away() {
    let folder = station();
    folder.init(&["data"], 0);
    let text = folder.read("config.toml");
    let (head, tables) = text.split_at(text.find("\n[[table]]").unwrap());
    let taken: String = tables
        .lines()
        .map(|line| match line.strip_prefix('#') {
            Some(rest) if !rest.starts_with(' ') => format!("{rest}\n"),
            _ => format!("{line}\n"),
        })
        .collect();
    assert_ne!(taken.len(), tables.len());
    let config = Config::parse(&format!("{head}{taken}"), &folder.path("config.toml")).unwrap();
    let columns = &config.tables[0].columns;
    assert_eq!(columns["PPFD"].variable.as_deref(), Some("PPFD_IN"));
    assert_eq!(columns["calPPFD"].sentinels.as_ref().map(Sentinels::numbers), Some(&[7_999.0][..]));
}

#[test]
fn columns_without_values_constant_ones_and_text_are_pointed_out() {
    let folder = station();
    folder.init(&["data"], 0);
    let text = folder.read("config.toml");
    for section in [
        "# calPPFD: no unit, Smp; 7999 in all 40 values looked at\n#[table.columns.calPPFD]\n#missing = [7999]",
        "# Broken: mV, Smp; no value in any of 40 rows looked at\n#[table.columns.Broken]\n#use = \"ignore\"",
        "# Mode: no unit, Smp; text, which is stored and not sent\n#[table.columns.Mode]\n#use = \"ignore\"",
    ] {
        assert!(text.contains(section), "{section}\n{text}");
    }
}

#[test]
fn a_configuration_that_is_there_is_never_overwritten() {
    let folder = station();
    folder.write("config.toml", "mine");
    let done = folder.init(&["data"], 2);
    assert!(done.stderr.contains("--add") && done.stderr.contains("--output"), "{}", done.stderr);
    assert_eq!(folder.read("config.toml"), "mine");
    folder.init(&["data", "--output", "other.toml"], 0);
    let other = Config::load(&folder.path("other.toml")).unwrap();
    assert_eq!(other.store_path, folder.path("other.db"), "two configurations share no database");
    let done = folder.run(&["--config", "third.toml", "init", "data"]);
    assert_eq!(done.code, 0, "{}", done.stderr);
    assert!(Config::load(&folder.path("third.toml")).is_ok());
    assert!(done.stdout.contains("fluxtower --config third.toml run"), "{}", done.stdout);
}

#[test]
fn add_writes_tables_for_new_files_and_keeps_the_text_byte_for_byte() {
    let folder = station();
    folder.init(&["data"], 0);
    // As a user leaves it: edited, with Windows line ends and without the last one.
    let edited = folder.read("config.toml").replace("name = \"US-UMB\"", "name = \"US-UMB\"   # ours");
    let before = edited.trim_end().replace('\n', "\r\n");
    folder.write("config.toml", &before);
    let column: [Column<'_>; 1] = [("RH", "%", "Avg", &wave)];
    folder.write("data/46m_RH.dat", toa5("US-UMB", "Rel", &column, 0..20));
    // The same name as a table that is there, but for the folder.
    folder.write("data/more/46m_Met.dat", toa5("US-UMb", "Other", &column, 0..20));

    let done = folder.run(&["--json", "init", "data", "--add"]);
    assert_eq!(done.code, 0, "{}", done.stderr);
    let report: Value = serde_json::from_str(&done.stdout).unwrap();
    let tables: Vec<&str> =
        report["tables"].as_array().unwrap().iter().map(|table| table["table"].as_str().unwrap()).collect();
    assert_eq!(tables, ["46m_RH", "46m_Met_2"]);
    let after = folder.read("config.toml");
    assert!(after.starts_with(&before), "the text before stays");
    assert!(!after.replace("\r\n", "").contains('\n'), "the line ends are those of the file");
    assert_eq!(folder.config().tables.len(), 4);
    assert_eq!(folder.staged(), 40 + 30 + 10 + 20 + 20);

    let again = folder.run(&["init", "data", "--add"]);
    assert_eq!(again.code, 0, "{}", again.stderr);
    assert!(again.stdout.contains("is unchanged"), "{}", again.stdout);
    assert_eq!(folder.read("config.toml"), after);
    let leftovers = fs::read_dir(folder.0.path()).unwrap().filter_map(Result::ok);
    assert!(!leftovers.into_iter().any(|entry| entry.file_name().to_string_lossy().ends_with(".new")));
}

/// A day's file of a table, with its date in its name.
fn daily(folder: &Folder, name: &str, rows: std::ops::Range<i32>) {
    folder.write(name, toa5("Hill", "Ceilo", &[("h1", "m", "Smp", &wave)], rows));
}

#[test]
fn daily_files_go_on_over_the_end_of_a_month_and_of_a_year() {
    for (first, later) in [
        (
            ["d/C_2026_10_30_0000.dat", "d/C_2026_10_31_0000.dat"],
            ["d/C_2026_11_01_0000.dat", "d/C_2027_01_01_0000.dat"],
        ),
        (["d/Ceilo_20261030.dat", "d/Ceilo_20261031.dat"], ["d/Ceilo_20261101.dat", "d/Ceilo_20270101.dat"]),
        (["d/2026_10/Ceilo_30.dat", "d/2026_10/Ceilo_31.dat"], ["d/2026_11/Ceilo_01.dat", "d/2027_01/Ceilo_01.dat"]),
        (["d/2026/10/Ceilo_30.dat", "d/2026/10/Ceilo_31.dat"], ["d/2026/11/Ceilo_01.dat", "d/2027/01/Ceilo_01.dat"]),
        (["d/2026-10-30.dat", "d/2026-10-31.dat"], ["d/2026-11-01.dat", "d/2027-01-01.dat"]),
        (["d/Ceilo_29Dec2025.dat", "d/Ceilo_30Dec2025.dat"], ["d/Ceilo_1Jan2026.dat", "d/Ceilo_12May2026.dat"]),
        (["d/Ceilo_2026-W01.dat", "d/Ceilo_2026-W02.dat"], ["d/Ceilo_2026-W03.dat", "d/Ceilo_2027-W10.dat"]),
        (["d/Ceilo_May_2026.dat", "d/Ceilo_June_2026.dat"], ["d/Ceilo_July_2026.dat", "d/Ceilo_January_2027.dat"]),
    ] {
        // One file is enough to see the date in its name.
        for files in [1, 2]
            .map(|files| &first[..files])
            .into_iter()
            .filter(|files| files.len() > 1 || !first[0].contains("Ceilo_30.dat"))
        {
            let folder = Folder::new();
            for (at, name) in (0..).zip(files) {
                daily(&folder, name, at * 10..at * 10 + 10);
            }
            let _ = folder.init(&["d"], 0);
            assert_eq!(folder.staged(), 10 * files.len() as u64, "{files:?}: {}", folder.read("config.toml"));
            for (at, name) in (2..).zip(later) {
                daily(&folder, name, at * 10..at * 10 + 10);
            }
            assert_eq!(folder.staged(), 20, "{files:?}: {}", folder.read("config.toml"));
            assert_eq!(folder.config().tables.len(), 1);
        }
    }
}

#[test]
fn add_recognises_another_day_of_a_known_table_and_says_what_to_add_to_its_files() {
    let folder = Folder::new();
    daily(&folder, "d/Ceilo_2026_10_31.dat", 0..10);
    let _ = folder.init(&["d"], 0);
    let narrow = folder.read("config.toml").replace("Ceilo_*.dat", "Ceilo_2026_10_*.dat");
    folder.write("config.toml", &narrow);
    assert_eq!(folder.staged(), 10);
    daily(&folder, "d/Ceilo_2026_11_01.dat", 10..20);
    // Another table with a date in its name is a new one.
    folder.write("d/Soil_2026_11_01.dat", toa5("Hill", "Soil", &[("TS", "C", "Avg", &wave)], 0..5));
    let ended = folder.run(&["init", "--add", "d"]);
    let text = ended.stdout + &ended.stderr;
    assert!(
        text.contains(
            "is another file of the table \"Ceilo\", whose `files` does not match it; add \"d/Ceilo_*.dat\" there"
        ),
        "{text}"
    );
    assert_eq!(folder.config().tables.iter().map(|table| table.name.0.as_str()).collect::<Vec<_>>(), ["Ceilo", "Soil"]);
    let named = folder.run(&["init", "--add", "d/Ceilo_2026_11_01.dat"]);
    assert_eq!(named.code, 1, "{}{}", named.stdout, named.stderr);
}

#[test]
fn add_refuses_a_configuration_that_it_cannot_add_to() {
    let folder = station();
    let missing = folder.run(&["init", "data", "--add"]);
    assert_eq!(missing.code, 2, "{}", missing.stderr);
    // Tables as one list: nothing can follow it.
    let text = "table = [{ name = \"x\", files = [\"x.dat\"] }]\n[station]\nname = \"A\"\nutc_offset = \"-05:00\"\n\
                [destination]\nkind = \"files\"\n";
    folder.write("config.toml", text);
    let done = folder.run(&["init", "data", "--add"]);
    assert_eq!(done.code, 2, "{}", done.stderr);
    assert_eq!(folder.read("config.toml"), text);
    folder.write("config.toml", "[station");
    assert_eq!(folder.run(&["init", "data", "--add"]).code, 2);
    assert_eq!(folder.read("config.toml"), "[station");
}

#[test]
fn files_of_other_formats_are_left_out_with_the_reason() {
    let folder = station();
    let twice: [Column<'_>; 2] = [("A", "", "Smp", &wave), ("A", "", "Smp", &wave)];
    folder.write("data/twice.dat", toa5("US-UMB", "Twice", &twice, 0..5));
    folder.write("data/empty.dat", "");
    folder
        .write("data/half.dat", "\"TOA5\",\"US-UMB\",\"CR1000X\",\"1\",\"o\",\"p\",\"2\",\"T\"\r\n\"TIMESTAMP\",\"REC");
    folder.write(
        "data/slashes.dat",
        toa5("US-UMB", "S", &[("A", "", "Smp", &wave)], 0..3).replace("2024-05-01 ", "5/1/24 "),
    );
    let done = folder.init(&["--json", "data"], 0);
    let report: Value = serde_json::from_str(&done.stdout).unwrap();
    let left_out = report["left_out"].as_array().unwrap();
    for (file, reason) in [
        ("WRDO.dat", "CSIJSON"),
        ("plots.csv", "format = \"csv\""),
        ("twice.dat", "names the column \"A\" twice"),
        ("empty.dat", "is empty"),
        ("half.dat", "ends in line 2"),
        ("slashes.dat", "is a row"),
    ] {
        let found = left_out.iter().find(|left| left["file"].as_str().unwrap().ends_with(file));
        let words = found.unwrap_or_else(|| panic!("{file}: {report}"))["reason"].as_str().unwrap();
        assert!(words.contains(reason), "{file}: {words}");
    }
    assert_eq!(left_out.len(), 6, "{report}");
    assert_eq!(report["tables"].as_array().unwrap().len(), 2);
}

#[test]
fn a_named_file_that_is_left_out_is_worth_a_look_and_nothing_but_such_files_is_an_error() {
    let folder = station();
    let only = folder.init(&["data/plots.csv"], 2);
    assert!(only.stderr.contains("plots.csv has no TOA5 header"), "{}", only.stderr);
    assert!(!folder.path("config.toml").exists());
    folder.init(&["data/nowhere.dat"], 2);
    folder.init(&["data/plots.csv", "data/46m_Met.dat"], 1);
    assert_eq!(folder.config().tables.len(), 1);
}

#[test]
fn files_of_one_logger_table_share_a_section_and_two_loggers_of_one_name_do_not() {
    let folder = Folder::new();
    let column: [Column<'_>; 2] = [("A", "", "Smp", &wave), ("B", "", "Smp", &wave)];
    folder.write("met_2023.dat", toa5("X", "Met", &column, 0..20));
    folder.write("met_2024.dat", toa5("X", "Met", &column, 20..40));
    let other: [Column<'_>; 2] = [("A", "", "Smp", &|row| row.to_string()), ("B", "", "Smp", &wave)];
    folder.write("twin/met.dat", toa5("X", "Met", &other, 0..20));
    folder.write("34m_met.dat", toa5("X", "Met", &column, 0..20));
    folder.init(&["."], 0);
    let config = folder.config();
    let files = |table: &str| config.table(table).unwrap().files.clone();
    assert_eq!(files("met"), [folder.path("met_*.dat")]);
    assert_eq!(config.table("met").unwrap().logger_table.as_deref(), Some("Met"), "a pattern is pinned");
    assert_eq!(files("met_2"), [folder.path("twin/met.dat")]);
    assert_eq!(files("34m_met"), [folder.path("34m_met.dat")]);
    assert_eq!(config.table("34m_met").unwrap().logger_table, None);
    assert_eq!(folder.staged(), 40 + 20 + 20);
    let conflicts = folder.run(&["--json", "conflicts"]).stdout;
    assert!(conflicts.contains("\"conflicts\":[]"), "{conflicts}");
}

#[test]
fn odd_names_are_written_so_that_they_load_and_can_be_sent() {
    let folder = Folder::new();
    let columns: [Column<'_>; 6] = [
        ("TA(1,2)", "Deg C", "Avg", &wave),
        ("time", "s", "Smp", &wave),
        ("station", "", "Smp", &wave),
        ("T °C [2m]", "", "Smp", &wave),
        ("_x", "", "Smp", &wave),
        ("back\\slash", "", "Smp", &wave),
    ];
    folder.write("it's [odd].dat", toa5("a\\b", "T/1", &columns, 0..20));
    folder.init(&["it's [odd].dat"], 0);
    let config = folder.config();
    let table = &config.tables[0];
    assert_eq!(table.columns["TA(1,2)"].variable.as_deref(), Some("TA"));
    for (name, field) in
        [("time", "time_value"), ("station", "station_value"), ("_x", "x"), ("back\\slash", "back_slash")]
    {
        assert_eq!(table.columns[name].field.as_deref(), Some(field));
    }
    assert_eq!(config.station.name, "a_b");
    assert_eq!(folder.staged(), 20);
}

#[test]
fn long_arrays_are_told_in_a_line_and_a_wide_table_stays_readable() {
    let folder = Folder::new();
    let names: Vec<String> = (1..=600).map(|place| format!("spectrum({place})")).collect();
    let columns: Vec<Column<'_>> = names.iter().map(|name| (name.as_str(), "", "Smp", &wave as _)).collect();
    folder.write("parsivel.dat", toa5("X", "Drops", &columns, 0..3));
    let report: Value = serde_json::from_str(&folder.init(&["--json", "parsivel.dat"], 0).stdout).unwrap();
    assert_eq!(report["tables"][0]["columns"], 600);
    let text = folder.read("config.toml");
    assert!(text.contains("# spectrum(1) to spectrum(600), 600 columns: no unit, Smp"), "{text}");
    assert!(text.lines().count() < 90);
    assert_eq!(folder.staged(), 3);
}

#[test]
fn the_clock_is_asked_for_and_a_wrong_one_refused_before_anything_is_written() {
    let folder = station();
    let wrong = folder.run(&["init", "data", "--utc-offset", "-5"]);
    assert_eq!(wrong.code, 2, "{}", wrong.stderr);
    assert!(wrong.stderr.contains("-05:00") && !folder.path("config.toml").exists(), "{}", wrong.stderr);
    let wrong = folder.run(&["init", "data", "--utc-offset", "-05:00", "--station", "a\\b"]);
    assert_eq!(wrong.code, 2, "{}", wrong.stderr);
    let done = folder.run(&["init", "data", "--station", "US-UMd"]);
    assert_eq!(done.code, 0, "{}", done.stderr);
    assert!(done.stdout.contains("check it before the first run"), "{}", done.stdout);
    assert!(folder.read("config.toml").contains("# CHECK: this is the standard time of the computer"));
    assert_eq!(folder.config().station.name, "US-UMd");
}

#[test]
fn the_configuration_may_stand_in_another_folder_than_the_files() {
    let folder = station();
    fs::create_dir(folder.path("etc")).unwrap();
    folder.init(&["data", "--output", "etc/config.toml"], 0);
    let text = folder.read("etc/config.toml");
    let file = folder.path("data").join("46m_Met.dat");
    assert!(text.contains(&format!("files = ['{}']", file.display())), "{text}");
    let config = Config::load(&folder.path("etc/config.toml")).unwrap();
    assert!(config.tables.iter().flat_map(|table| &table.files).all(|file| Path::new(file).is_file()));
    let done = folder.run(&["init", "data", "--utc-offset", "-05:00", "--output", "nowhere/config.toml"]);
    assert_eq!(done.code, 4, "{}", done.stderr);
}

#[test]
fn rows_that_share_a_stamp_get_the_key_and_are_all_staged() {
    let folder = Folder::new();
    let mut text = "\"TOA5\",\"Mooring\",\"CR1000X\",\"4711\",\"Std.05\",\"CPU:demo.CR1X\",\"20250\",\"Burst\"\r\n\
        \"TIMESTAMP\",\"RECORD\",\"turb\"\r\n\"TS\",\"RN\",\"NTU\"\r\n\"\",\"\",\"Smp\"\r\n"
        .to_owned();
    for row in 0..50 {
        writeln!(text, "\"2026-04-01 12:00:{:02}\",{row},1.{row:03}\r", row / 10).unwrap();
    }
    folder.write("burst.dat", &text);
    // A second file of the table, with some of the rows again.
    folder.write("burst.dat.backup", &text);
    let done = folder.init(&["."], 0);
    assert!(done.stdout.contains("samples_per_stamp = 10 is written"), "{}", done.stdout);
    let written = folder.read("config.toml");
    assert!(written.contains("\nsamples_per_stamp = 10\n") && written.contains("100 ms"), "{written}");
    assert_eq!(folder.config().tables.len(), 1, "{written}");
    let run = folder.run(&["run", "--json"]);
    assert!(run.stdout.contains("\"staged\":50"), "{}{}", run.stdout, run.stderr);
}
