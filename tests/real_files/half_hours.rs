//! Half hours and turbulence against pandas and numpy, which `tests/half_hours/reference.py` runs where they can be installed.
//!
//! - Thirty days of one-minute rows that the script makes: every kind of column, gaps, missing and failed values.
//! - Half an hour of real scans, ten a second, of a sonic anemometer and a gas analyser: the example that the Python package
//!   diive ships. It is no file of a Campbell logger, and of the real files that are beside this repository the longest of a
//!   sonic has five seconds; so it is read as CSV, as its logger wrote it. Its stamps wander by a few milliseconds, some scans
//!   are missing, and some stamps stand twice. It begins at 05:28:34, so that one half hour has hardly a scan in it.

use std::path::PathBuf;
use std::process::Command;

use rusqlite::Connection;
use serde_json::Value as Json;

/// Values may be apart by this share.
const APART: f64 = 1e-9;

fn folder() -> PathBuf {
    let folder = std::env::var("FLUXTOWER_HALF_HOURS")
        .expect("NOT RUN: FLUXTOWER_HALF_HOURS names the folder that tests/half_hours/reference.py wrote");
    PathBuf::from(folder)
}

fn text_of(path: &std::path::Path) -> String {
    let what = "NOT RUN: tests/half_hours/reference.py did not write it, or its input is missing";
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}: {what}", path.display()))
}

/// A half hour of the store: its end as the reference spells it, and its columns by name with their flags.
struct HalfHour {
    end: String,
    cells: Vec<(String, Json, char)>,
}

impl HalfHour {
    fn cell(&self, name: &str) -> (&Json, char) {
        let found = self.cells.iter().find(|cell| cell.0 == name);
        let (_, value, flag) = found.unwrap_or_else(|| panic!("no column {name} in the row of {}", self.end));
        (value, *flag)
    }
}

/// Reads the file with these keys of its table, and returns what was made of it.
fn half_hours(file: &std::path::Path, keys: &str) -> Vec<HalfHour> {
    let station = tempfile::tempdir().unwrap();
    let config = format!(
        "[station]\nname = \"X\"\nutc_offset = \"+00:00\"\n[store]\npath = \"s.db\"\n[destination]\nkind = \"files\"\npath = \"o\"\n\
         [[table]]\nname = \"t\"\nfiles = ['{}']\n{keys}",
        file.display()
    );
    let path = station.path().join("config.toml");
    std::fs::write(&path, config).unwrap();
    let output =
        Command::new(env!("CARGO_BIN_EXE_fluxtower")).arg("--config").arg(path).arg("ingest").output().unwrap();
    // 1: stamps that stand twice are conflicts.
    assert!(matches!(output.status.code(), Some(0 | 1)), "{output:?}");
    let store = Connection::open(station.path().join("s.db")).unwrap();
    let names: Vec<String> = store
        .prepare(
            "SELECT c.name FROM column_list c JOIN logger_table t ON t.id = c.logger_table WHERE t.name = 't_30m' ORDER BY c.position",
        )
        .unwrap()
        .query_map([], |row| row.get(0))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    let sql = "SELECT datetime((r.id & 4503599627370495) / 1000000, 'unixepoch'), r.vals, r.flags FROM reading r
               JOIN series s ON s.id = r.id >> 52 JOIN logger_table t ON t.id = s.logger_table WHERE t.name = 't_30m' ORDER BY r.id";
    let mut rows = store.prepare(sql).unwrap();
    let rows = rows.query_map([], |row| {
        let (end, values, flags): (String, String, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let values: Vec<Json> = serde_json::from_str(&values).unwrap();
        let cells = names.iter().cloned().zip(values).zip(flags.chars());
        Ok(HalfHour { end, cells: cells.map(|((name, value), flag)| (name, value, flag)).collect() })
    });
    rows.unwrap().map(Result::unwrap).collect()
}

/// Values of both sides, and how far they are apart at most.
#[derive(Default)]
struct Compared {
    values: usize,
    absent: usize,
    widest: f64,
    wrong: Vec<String>,
}

impl Compared {
    fn add(&mut self, what: &str, ours: &Json, theirs: &Json) {
        let (Some(ours), Some(theirs)) = (ours.as_f64(), theirs.as_f64()) else {
            self.absent += 1;
            if ours != theirs {
                self.wrong.push(format!("{what}: {ours} for {theirs}"));
            }
            return;
        };
        self.values += 1;
        let is_direction = what.contains("WD") || what.contains("D1_WVT");
        let apart = if is_direction { (ours - theirs + 180.0).rem_euclid(360.0) - 180.0 } else { ours - theirs };
        let relative = apart.abs() / theirs.abs().max(APART);
        self.widest = self.widest.max(relative);
        // Written so that NaN is wrong.
        if !matches!(relative.partial_cmp(&APART), Some(std::cmp::Ordering::Less | std::cmp::Ordering::Equal)) {
            self.wrong.push(format!("{what}: {ours} for {theirs}"));
        }
    }

    fn conclude(self) -> usize {
        println!(
            "{} values compared, at most {:e} apart; {} absent on both sides",
            self.values, self.widest, self.absent
        );
        let shown = self.wrong.len().min(20);
        assert!(self.wrong.is_empty(), "{} differ: {}", self.wrong.len(), self.wrong[..shown].join("\n"));
        self.values
    }
}

#[test]
#[ignore = "needs FLUXTOWER_HALF_HOURS, a folder that tests/half_hours/reference.py wrote; .ci/run makes it"]
fn half_hours_of_thirty_days_of_minutes_are_those_of_pandas() {
    let folder = folder();
    let keys = "aggregate = \"30m\"\nmissing = [7999]\n[table.columns.AirTC_Avg]\nfail = [-60, 60]\n\
        [table.columns.Rain_mm_Tot]\nfail = [0, 3]\n[table.columns.Acc]\nkind = \"counter\"\n[table.columns.diag]\nkind = \"code\"\n";
    let wanted: Json = serde_json::from_str(&text_of(&folder.join("minutes.json"))).unwrap();
    let wanted = wanted.as_array().unwrap();
    let found = half_hours(&folder.join("minutes.dat"), keys);
    let ends = |list: &[HalfHour]| list.iter().map(|one| one.end.clone()).collect::<Vec<_>>();
    assert_eq!(ends(&found), wanted.iter().map(|one| one["end"].as_str().unwrap()).collect::<Vec<_>>());
    assert!(found.len() > 1_200);
    let mut compared = Compared::default();
    for (ours, theirs) in found.iter().zip(wanted) {
        for (name, theirs) in theirs["values"].as_object().unwrap() {
            let what = format!("{} {name}", ours.end);
            compared.add(&what, ours.cell(name).0, &theirs[0]);
            let samples = ours.cell(&format!("{name}_samples")).0;
            assert_eq!(samples, &theirs[1], "{what}: samples");
        }
    }
    assert!(compared.absent > 100, "half hours with too few rows are part of it");
    assert!(compared.conclude() > 10_000);
}

#[test]
#[ignore = "needs FLUXTOWER_HALF_HOURS with scans.txt, half an hour of real 10 Hz data; .ci/run gets it"]
fn half_an_hour_of_real_scans_has_the_means_and_the_turbulence_of_numpy() {
    let folder = folder();
    let keys = "format = \"csv\"\ntime_column = \"Date_LGR\"\ntime_format = \"%m/%d/%Y %H:%M:%S\"\n\
        turbulence = [\"x\", \"y\", \"z\", \"Ts\", \"H2O\"]\nturbulence_pressure = 98.0\n\
        [table.csv]\nnames_line = 1\n[table.columns.Date_PC]\nuse = \"ignore\"\n";
    let wanted: Json = serde_json::from_str(&text_of(&folder.join("scans.json"))).unwrap();
    let wanted = wanted.as_array().unwrap();
    let found = half_hours(&folder.join("scans.txt"), keys);
    assert_eq!(found.len(), wanted.len());
    let mut compared = Compared::default();
    for (ours, theirs) in found.iter().zip(wanted) {
        assert_eq!(ours.end, theirs["end"]);
        for (name, value) in theirs["values"].as_object().unwrap() {
            let what = format!("{} {name}", ours.end);
            let (cell, flag) = ours.cell(name);
            compared.add(&what, cell, value);
            let [samples, coverage] =
                ["samples", "coverage"].map(|of| ours.cell(&format!("{name}_{of}")).0.as_f64().unwrap());
            assert_eq!(theirs["samples"], samples, "{what}");
            let share = samples / theirs["expected"].as_f64().unwrap() * 100.0;
            assert!(coverage <= share && share - coverage < 0.01, "{what}: {coverage} for {share}");
            // More than a tenth is missing, or more than half.
            assert_eq!(flag, if share < 50.0 { '9' } else { '3' }, "{what}");
        }
    }
    assert_eq!(compared.conclude(), 18, "one half hour has values, of ten columns and eight of turbulence");
}
