//! `fluxtower export --format ameriflux` of a whole station, and `--check`.

mod joined;
mod variants;

use std::fmt::Write as _;
use std::path::PathBuf;

use chrono::{NaiveDateTime, TimeDelta};

use crate::support::Station;

/// A half-hourly or hourly table from `start` to `end`, the logger's stamps of the end of each interval: its columns, and a
/// value of each by the number of the row.
fn file(columns: &[(&str, &str)], span: (&str, &str), minutes: i64, value: impl Fn(i64, usize) -> String) -> String {
    let time = |text: &str| NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M").unwrap();
    let line = |first: &str, second: &str, of: &dyn Fn(&(&str, &str)) -> String| {
        let cells: String = columns.iter().map(|column| format!(",\"{}\"", of(column))).collect();
        format!("\"{first}\",\"{second}\"{cells}\r\n")
    };
    let mut text = "\"TOA5\",\"T\",\"CR1000X\",\"4711\",\"Std.05\",\"CPU:demo.CR1X\",\"20250\",\"T\"\r\n".to_owned();
    text += &line("TIMESTAMP", "RECORD", &|column| column.0.to_owned());
    text += &line("TS", "RN", &|column| column.1.to_owned());
    text += &line("", "", &|_| "Avg".to_owned());
    let mut at = time(span.0);
    for row in 0.. {
        if at > time(span.1) {
            break;
        }
        let cells: String = (0..columns.len()).map(|column| format!(",{}", value(row, column))).collect();
        writeln!(text, "\"{}\",{row}{cells}\r", at.format("%Y-%m-%d %H:%M:%S")).unwrap();
        at += TimeDelta::minutes(minutes);
    }
    text
}

fn number(row: i64, column: usize) -> String {
    format!("{}.{:02}", 10 * column + 1, row % 100)
}

/// A flux table and a met table, half-hourly.
fn two_tables(span: (&str, &str), met: (&str, &str)) -> Station {
    let tower = Station::new()
        .table(
            "name = \"flux\"\nfiles = [\"flux.dat\"]\nheight = \"46m\"\n[table.columns.Fc]\nvariable = \"FC\"\n\
             [table.columns.T]\nvariable = \"TA_1_1_1\"",
        )
        .more(
            "[[table]]\nname = \"met\"\nfiles = [\"met.dat\"]\nheight = \"2m\"\n[table.columns.T]\nvariable = \"TA_1_2_1\"\n\
             [table.columns.Hum]\nvariable = \"RH\"",
        );
    // Each column has a gap, as columns of loggers have.
    let gap = |row: i64, column: usize| if row == 3 { "\"NAN\"".to_owned() } else { number(row, column) };
    tower.write(
        "flux.dat",
        file(&[("Fc", "umol m-2 s-1"), ("T", "K")], span, 30, |row, column| {
            if column == 1 && row != 3 { "283.15".to_owned() } else { gap(row, column) }
        }),
    );
    tower.write("met.dat", file(&[("T", "Deg C"), ("Hum", "%")], met, 30, gap));
    let _ = tower.run(&["ingest"]).works();
    tower
}

const AMERIFLUX: [&str; 3] = ["export", "--format", "ameriflux"];

fn export(more: &[&'static str]) -> Vec<&'static str> {
    [&AMERIFLUX[..], more].concat()
}

#[test]
fn the_tables_of_a_site_are_joined_on_the_stamp_in_one_file() {
    let tower = two_tables(("2025-06-01 00:30", "2025-06-01 03:00"), ("2025-06-01 01:30", "2025-06-01 04:00"));
    let csv = tower.run(&AMERIFLUX).expect(0).stdout;
    assert_eq!(
        csv,
        "TIMESTAMP_START,TIMESTAMP_END,FC,TA_1_1_1,TA_1_2_1,RH\n\
         202506010000,202506010030,1.00,10,-9999,-9999\n\
         202506010030,202506010100,1.01,10,-9999,-9999\n\
         202506010100,202506010130,1.02,10,1.00,11.00\n\
         202506010130,202506010200,-9999,-9999,1.01,11.01\n\
         202506010200,202506010230,1.04,10,1.02,11.02\n\
         202506010230,202506010300,1.05,10,-9999,-9999\n\
         202506010300,202506010330,-9999,-9999,1.04,11.04\n\
         202506010330,202506010400,-9999,-9999,1.05,11.05\n"
    );
    let folder = tower.folder().to_str().unwrap().to_owned();
    let told = tower.run_json(&[&AMERIFLUX[..], &["--output", &folder]].concat()).expect(0).json();
    assert_eq!(told["tables"], serde_json::json!(["flux", "met"]), "{told}");
    assert!(told["table"].is_null() && told["rows"] == 8 && told["filled"] == 0, "{told}");
    assert_eq!(told["checks"], serde_json::json!([]), "AmeriFlux's checks find nothing");
    assert_eq!(tower.read("US-UMB_HH_202506010000_202506010400.csv"), csv.as_bytes());
    // Narrowed, it is the file of these tables.
    let met = tower.run(&export(&["--table", "met"])).expect(0).stdout;
    assert!(met.starts_with("TIMESTAMP_START,TIMESTAMP_END,TA_1_2_1,RH\n202506010100,"), "{met}");
    assert_eq!(tower.run(&export(&["--table", "flux", "--table", "met"])).expect(0).stdout, csv);
    let _ = tower.run(&export(&["--columns", "T"])).expect(2).says("--table NAME once");
    let _ = tower.run(&["export", "--format", "csv"]).expect(2).says("--table NAME once");
    let _ = tower.run(&["export", "--table", "met", "--force"]).expect(2).says("--format ameriflux");
}

/// The file of a year, as the program writes it.
fn year_of(tower: &Station, year: &str) -> PathBuf {
    let next = (year.parse::<i32>().unwrap() + 1).to_string();
    let folder = tower.folder().to_str().unwrap().to_owned();
    let [since, until] = [year, &next].map(|year| format!("{year}-01-01"));
    let window = ["--since", &since, "--until", &until, "--output", &folder];
    let told = tower.run_json(&[&AMERIFLUX[..], &window].concat()).expect(0).json();
    let rows = if year == "2024" { 17_568 } else { 17_520 };
    assert_eq!((told["rows"].as_u64(), told["filled"].as_u64()), (Some(rows), Some(0)), "{told}");
    let checks: Vec<&str> =
        told["checks"].as_array().unwrap().iter().map(|check| check["check"].as_str().unwrap()).collect();
    assert_eq!(checks, ["gap_fill"], "no column has a gap in that year: {told}");
    tower.path(&format!("US-UMB_HH_{year}01010000_{next}01010000.csv"))
}

#[test]
fn years_of_two_tables_have_17520_and_17568_rows_and_pass_every_check() {
    let span = ("2023-12-31 22:00", "2026-01-01 02:00");
    let tower = two_tables(span, span);
    for (year, rows) in [("2024", 17_568), ("2025", 17_520)] {
        // The gap of each column is in 2023.
        let path = year_of(&tower, year);
        let csv = std::fs::read_to_string(&path).unwrap();
        assert_eq!(csv.lines().count(), 1 + rows);
        // Of any origin: with a gap in each column, nothing is said.
        let (head, row) = csv.split_once('\n').unwrap();
        let (stamps, rest) = (row.get(..25).unwrap(), row.split_once('\n').unwrap().1);
        std::fs::write(&path, format!("{head}\n{stamps},-9999,-9999,-9999,-9999\n{rest}")).unwrap();
        let clean = tower.run(&["export", "--check", path.to_str().unwrap()]).expect(0).stdout;
        assert!(clean.contains("AmeriFlux's format checks find nothing") && clean.lines().count() == 1, "{clean}");
    }
}

#[test]
fn a_variable_in_two_tables_is_refused_with_names_by_height() {
    let tower = two_tables(("2025-06-01 00:30", "2025-06-01 03:00"), ("2025-06-01 00:30", "2025-06-01 03:00"));
    tower.replace_in_config("TA_1_2_1", "TA");
    let refused = tower.run(&AMERIFLUX).expect(2).says("TA_1_1_1 and TA_1_2_1, by their heights");
    assert!(refused.stderr.contains("\"T\" of table \"flux\" and \"T\" of table \"met\""), "{refused:?}");
    let _ = tower.run(&export(&["--table", "met"])).expect(0);
    tower.replace_in_config("height = \"2m\"", "height = \"46m\"");
    let _ = tower.run(&AMERIFLUX).expect(2).says("TA_1_1_1 and TA_1_1_2, replicates at one height");
}

#[test]
fn what_does_not_fit_is_left_out_of_the_site_and_said_and_refused_where_it_is_named() {
    let tower = two_tables(("2025-06-01 00:30", "2025-06-01 03:00"), ("2025-06-01 00:30", "2025-06-01 03:00"));
    tower.add_to_config(
        "[[table]]\nname = \"fast\"\nfiles = [\"fast.dat\"]\n[table.columns.P]\nvariable = \"PA\"\n\
         [[table]]\nname = \"hourly\"\nfiles = [\"hourly.dat\"]\n[table.columns.P]\nvariable = \"PA\"\n\
         [[table]]\nname = \"plain\"\nfiles = [\"plain.dat\"]",
    );
    let day = ("2025-06-01 00:00", "2025-06-01 12:00");
    tower.write("fast.dat", file(&[("P", "kPa")], day, 1, |_, _| "98.1".to_owned()));
    tower.write("hourly.dat", file(&[("P", "kPa")], day, 60, |_, _| "98.2".to_owned()));
    tower.write("plain.dat", file(&[("P", "kPa")], day, 30, |_, _| "98.3".to_owned()));
    let _ = tower.run(&["ingest"]).works();
    let exported = tower.run(&AMERIFLUX).expect(0);
    assert!(
        exported.stdout.starts_with("TIMESTAMP_START,TIMESTAMP_END,FC,TA_1_1_1,TA_1_2_1,RH\n"),
        "{}",
        exported.stdout
    );
    let notes = exported.stderr;
    assert!(notes.contains("table \"fast\" has a row every 1 min"), "{notes}");
    assert!(notes.contains("table \"hourly\" is left out: --resolution HR exports it"), "{notes}");
    assert!(!notes.contains("plain"), "a table without variables is none of AmeriFlux's: {notes}");
    let hourly = tower.run(&export(&["--resolution", "HR"])).expect(0).stdout;
    assert!(hourly.starts_with("TIMESTAMP_START,TIMESTAMP_END,PA\n202505312300,202506010000,98.2\n"), "{hourly}");
    let _ = tower.run(&export(&["--table", "fast", "--table", "met"])).expect(2).says("a row every 1 min");
}

#[test]
fn another_file_of_the_name_is_replaced_with_force_only() {
    let span = ("2025-06-01 00:30", "2025-06-01 03:00");
    let tower = two_tables(span, span);
    let name = "US-UMB_HH_202506010000_202506010300.csv";
    let folder = tower.folder().to_str().unwrap().to_owned();
    let arguments = [&AMERIFLUX[..], &["--output", &folder]].concat();
    let _ = tower.run(&arguments).expect(0);
    let first = tower.read(name);
    let _ = tower.run(&arguments).expect(0);
    tower.write(name, "sent in June");
    let _ = tower.run(&arguments).expect(2).says("is there already with other content and was not touched; --force");
    assert_eq!(tower.read(name), b"sent in June");
    let _ = tower.run(&[&arguments[..], &["--force"]].concat()).expect(0);
    assert_eq!(tower.read(name), first);
    let parts = std::fs::read_dir(tower.folder()).unwrap().map(|file| file.unwrap().file_name());
    assert_eq!(parts.filter(|name| name.to_string_lossy().ends_with(".part")).count(), 0);
}

#[test]
fn suspect_values_are_left_out_where_that_is_asked_for() {
    let tower = Station::new().table(
        "name = \"met\"\nfiles = [\"met.dat\"]\n[table.columns.T]\nvariable = \"TA\"\nsuspect = [-20, 40]\nfail = [-40, 60]",
    );
    let values = ["10.5", "45.0", "70.0", "-30.0"];
    tower.write(
        "met.dat",
        file(&[("T", "Deg C")], ("2025-06-01 00:30", "2025-06-01 02:00"), 30, |row, _| values[row as usize].to_owned()),
    );
    assert!(tower.run(&["ingest"]).code <= 1);
    let of = |more: &[&'static str]| {
        let csv = tower.run(&export(more)).expect(0).stdout;
        csv.lines().skip(1).map(|line| line.rsplit(',').next().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(of(&[]), ["10.5", "45.0", "-9999", "-30.0"]);
    assert_eq!(of(&["--suspects", "keep"]), ["10.5", "45.0", "-9999", "-30.0"]);
    assert_eq!(of(&["--suspects", "leave-out"]), ["10.5", "-9999", "-9999", "-9999"]);
}

#[test]
fn a_number_that_reads_as_a_missing_value_in_the_wrong_form_is_written_otherwise() {
    // The water potential of soil goes down to -750 kPa; -6999 is no air temperature.
    let tower = Station::new().table(
        "name = \"soil\"\nfiles = [\"soil.dat\"]\n[table.columns.Psi]\nvariable = \"SWP\"\n[table.columns.T]\nvariable = \"TA\"\n\
         suspect = [-9000, 60]\nfail = [-9999, 60]",
    );
    let values = ["-699.0", "-6999"];
    tower.write(
        "soil.dat",
        file(&[("Psi", "kPa"), ("T", "Deg C")], ("2025-06-01 00:30", "2025-06-01 02:00"), 30, |_, at| {
            values[at].to_owned()
        }),
    );
    assert!(tower.run(&["ingest"]).code <= 1);
    let csv = tower.run(&AMERIFLUX).expect(0).stdout;
    assert!(csv.contains("\n202506010000,202506010030,-6.99e2,-9999\n"), "{csv}");
}
