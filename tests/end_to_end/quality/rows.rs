//! What each test says, asked through `flags`.

use super::station::{LOWER, Line, UPPER, file, tower};
use crate::support::Station;

/// Ordinary rows with one column under the test's control.
pub fn upper(rows: i64, column: usize, spell: impl Fn(i64) -> Option<String>) -> Vec<Line> {
    (0..rows)
        .map(|row| {
            // Every column moves a little, so that nothing but what the test wants is raised.
            let wave = ((row * 7) % 5) as f64 * 0.1;
            let mut values = [15.0 + wave, 60.0 + wave, 300.0 + wave, 600.0 + wave, 15.0 + wave, 0.0]
                .map(|value| format!("{value:.2}"))
                .to_vec();
            values[5] = "0".to_owned();
            if let Some(text) = spell(row) {
                values[column] = text;
            }
            (row, values)
        })
        .collect()
}

pub fn lower(rows: i64) -> Vec<Line> {
    (0..rows).map(|row| (row, vec![format!("{:.2}", 14.5 + ((row * 3) % 4) as f64 * 0.1)])).collect()
}

/// Ingests and gives what `flags` lists: column, test, digit, detail.
fn findings(tower: &Station, args: &[&str]) -> Vec<(String, String, u64, String)> {
    let list = tower.run_json(&[&["flags", "--since", "2026-01-01"], args].concat()).expect(0).json();
    let text = |item: &serde_json::Value, key: &str| item[key].as_str().unwrap().to_owned();
    let items = list["findings"].as_array().unwrap();
    items
        .iter()
        .map(|item| (text(item, "column"), text(item, "test"), item["raised"].as_u64().unwrap(), text(item, "detail")))
        .collect()
}

fn raised_by(column: usize, rows: i64, spell: impl Fn(i64) -> Option<String>) -> Vec<(String, String, u64, String)> {
    let tower = tower();
    tower.write("upper.dat", file(UPPER, &upper(rows, column, spell)));
    tower.write("lower.dat", file(LOWER, &lower(rows)));
    tower.in_process().ingest();
    findings(&tower, &["--table", "upper"])
}

fn has(findings: &[(String, String, u64, String)], column: &str, test: &str, digit: u64, words: &str) {
    assert!(
        findings
            .iter()
            .any(|(of, by, raised, detail)| of == column && by == test && *raised == digit && detail.contains(words)),
        "{column} {test} {digit} \"{words}\" is not among {findings:#?}"
    );
}

#[test]
fn ordinary_rows_raise_nothing() {
    assert_eq!(raised_by(0, 60, |_| None), []);
}

#[test]
fn a_value_outside_its_range_names_the_limit() {
    let found = raised_by(0, 10, |row| (row == 5).then(|| "56".to_owned()));
    has(&found, "TA", "gross_range", 4, "56 above 55");
    // What rests on it falls with it.
    has(&found, "VPD", "input", 4, "rests on TA, which is fail");
    has(&found, "TA", "climatology", 4, "usual for this season");
}

#[test]
fn a_spike_is_known_when_its_successor_comes() {
    let found = raised_by(3, 10, |row| (row == 5).then(|| "1600".to_owned()));
    has(&found, "PAR", "spike", 4, "away from its neighbours, more than 900");
    let last = raised_by(3, 6, |row| (row == 5).then(|| "1600".to_owned()));
    assert!(last.iter().all(|finding| finding.1 != "spike"), "{last:?}");
}

#[test]
fn a_fast_change_is_told_in_the_unit_of_the_configuration() {
    let found = raised_by(0, 10, |row| (row >= 5).then(|| format!("{}", 24.0 + (row % 2) as f64 * 0.1)));
    has(&found, "TA", "rate_of_change", 4, "in 5m, more than 8");
}

#[test]
fn a_sensor_that_stands_still_is_found_and_saturated_humidity_is_not() {
    let found = raised_by(0, 30, |row| (row >= 5).then(|| "15.2".to_owned()));
    has(&found, "TA", "flat_line", 3, "within 30m");
    has(&found, "TA", "flat_line", 4, "within 1h");
    let humid = raised_by(1, 30, |row| (row >= 5).then(|| "99.9".to_owned()));
    assert_eq!(humid, []);
    let dry = raised_by(1, 30, |row| (row >= 5).then(|| "60".to_owned()));
    has(&dry, "RH", "flat_line", 4, "moved by less than 0.05");
}

#[test]
fn a_signal_that_loses_its_variance_is_found() {
    let found = raised_by(4, 40, |row| (row >= 10).then(|| format!("15.{}", row % 2)));
    assert!(found.is_empty(), "{found:?}");
    let found = raised_by(4, 40, |row| (row >= 10).then(|| format!("15.00{}", row % 2)));
    has(&found, "TSONIC", "attenuated_signal", 4, "below 0.01 within 40m");
}

#[test]
fn two_heights_that_drift_apart_are_both_flagged() {
    let tower = tower();
    tower.write("upper.dat", file(UPPER, &upper(10, 0, |row| (row == 4).then(|| "18.9".to_owned()))));
    tower.write("lower.dat", file(LOWER, &lower(10)));
    tower.in_process().ingest();
    has(&findings(&tower, &["--table", "upper"]), "TA", "pair", 3, "TA of two heights: 18.9 and 14.5");
    has(&findings(&tower, &["--table", "lower"]), "TA", "pair", 3, "differ by 4.4, more than 3");
}

#[test]
fn light_against_radiation_is_only_judged_by_day() {
    let night = raised_by(2, 10, |_| Some("0.5".to_owned()));
    assert!(night.iter().all(|finding| finding.1 != "pair"), "{night:?}");
    let found = raised_by(2, 10, |row| (row == 3).then(|| "100".to_owned()));
    has(&found, "PAR", "pair", 4, "light against radiation: 600");
    assert!(found.iter().all(|finding| finding.0 != "SW"), "the reference is not flagged: {found:?}");
}

#[test]
fn a_fault_that_the_instrument_reports_fails_what_it_governs_by_name() {
    let found = raised_by(5, 10, |row| (row == 3).then(|| "4".to_owned()));
    has(&found, "TSONIC", "diagnostic", 4, "csat3a reports signal lock");
    assert!(found.iter().all(|finding| finding.0 == "TSONIC"), "{found:?}");
}

#[test]
fn the_first_row_after_a_gap_says_how_long_it_was() {
    let tower = tower();
    let lines: Vec<Line> = upper(40, 0, |_| None).into_iter().filter(|line| !(10..16).contains(&line.0)).collect();
    tower.write("upper.dat", file(UPPER, &lines));
    tower.write("lower.dat", file(LOWER, &lower(40)));
    tower.in_process().ingest();
    has(&findings(&tower, &["--test", "time_gap"]), "TA", "time_gap", 3, "first row after 35m without one");
}

#[test]
fn a_summary_counts_flags_and_findings() {
    let tower = tower();
    tower.write("upper.dat", file(UPPER, &upper(30, 0, |row| (row >= 5).then(|| "15.2".to_owned()))));
    tower.write("lower.dat", file(LOWER, &lower(30)));
    tower.in_process().ingest();
    let summary = tower
        .run_json(&["flags", "--summary", "--since", "2026-01-01", "--table", "upper", "--column", "TA"])
        .expect(0)
        .json();
    let column = &summary["columns"][0];
    let values = |flag: &str| column[flag].as_u64().unwrap_or(0);
    assert_eq!((values("pass"), values("suspect"), values("fail")), (11, 6, 13), "{summary}");
    let test = |name: &str| column["tests"].as_array().unwrap().iter().find(|test| test["test"] == name).unwrap();
    let counts = |name: &str| ["findings", "suspect", "fail"].map(|key| test(name)[key].as_u64().unwrap());
    assert_eq!(counts("flat_line"), [19, 6, 13], "{summary}");
    assert!((test("flat_line")["share"].as_f64().unwrap() - 19.0 / 30.0).abs() < 1e-12, "{summary}");
    // A test that costs nothing is listed, so that it is seen to be made.
    assert_eq!(counts("gross_range"), [0, 0, 0], "{summary}");
    assert_eq!(column["not_judged_by"], serde_json::json!([]), "{summary}");
    let words = tower.run(&["flags", "--summary", "--since", "2026-01-01"]).expect(0).stdout;
    assert!(words.contains("upper.TA") && words.contains("flat_line 19 (63.3 %)"), "{words}");
    assert!(words.contains("flat_line flags 63.3 % of the values of upper.TA: does its limit fit"), "{words}");
    assert!(words.contains("--test flat_line --since \"2026-01-01\"` lists them"), "{words}");
    assert!(!words.contains("gross_range flags"), "{words}");
}

#[test]
fn a_summary_names_the_tests_that_could_not_judge() {
    let tower = tower();
    // Two readings alone: the window of the attenuated signal is never full.
    tower.write("upper.dat", file(UPPER, &upper(2, 5, |_| None)));
    tower.in_process().ingest();
    let summary = ["flags", "--summary", "--since", "2026-01-01", "--table", "upper"];
    let json = tower.run_json(&summary).expect(0).json();
    let column = |name: &str| json["columns"].as_array().unwrap().iter().find(|of| of["column"] == name).unwrap();
    // DIAG has no test. PAR and SW are a pair, and only by day. TA has a range, which can always judge.
    assert_eq!(column("DIAG")["not_judged_by"], serde_json::json!([]));
    assert_eq!(column("TA")["not_evaluated"], 0);
    let tower = Station::new().table(
        "name = \"upper\"\nfiles = [\"upper.dat\"]\n[table.columns.SW]\nflat_line = { suspect = \"1h\", tolerance = 1 }\n\
         attenuated_signal = { suspect = 0.05, window = \"40m\" }",
    );
    tower.write("upper.dat", file(UPPER, &upper(3, 2, |_| Some("300".to_owned()))));
    tower.in_process().ingest();
    let json = tower.run_json(&[&summary[..], &["--column", "SW"]].concat()).expect(0).json();
    let column = &json["columns"][0];
    assert_eq!(column["not_evaluated"], 2, "{json}");
    assert_eq!(column["not_judged_by"], serde_json::json!(["flat_line", "attenuated_signal"]), "{json}");
    let words = tower.run(&summary).expect(0).stdout;
    assert!(words.contains("not judged by flat_line, attenuated_signal"), "{words}");
}

#[test]
fn a_name_that_nobody_knows_is_said_with_those_that_are() {
    let tower = tower();
    tower.write("upper.dat", file(UPPER, &upper(3, 0, |_| None)));
    tower.in_process().ingest();
    let _ = tower.run(&["flags", "--table", "uper"]).expect(2).says("upper");
    let _ = tower.run(&["flags", "--column", "ta"]).expect(2).says("TA");
    let _ = tower.run(&["flags", "--test", "spikes"]).expect(2).says("rate_of_change");
}

#[test]
fn a_unit_that_does_not_fit_the_variable_and_a_misspelled_column_are_said() {
    let tower = Station::new().table(
        "name = \"upper\"\nfiles = [\"upper.dat\"]\n[table.columns.RH]\nvariable = \"VPD\"\n[table.columns.Ta]\nvariable = \"TA\"",
    );
    let text = file(UPPER, &upper(3, 0, |_| None)).replacen("\"TS\",\"RN\",\"\",\"\"", "\"TS\",\"RN\",\"\",\"mV\"", 1);
    tower.write("upper.dat", text);
    let _ = tower.run(&["ingest"]).expect(0);
    let said = tower.run(&["check"]).expect(1).stdout;
    let unit = "column RH: the header says \"mV\", and AmeriFlux's VPD is in hPa: one is no multiple of the other, so the \
                variable's range is not applied: give suspect and fail in the column's own unit";
    assert!(said.contains(unit), "{said}");
    assert_eq!(said.matches("AmeriFlux's VPD").count(), 1, "{said}");
    assert!(said.contains("[table.columns.Ta] names Ta, which no file of the table has; did you mean TA?"), "{said}");
    assert!(tower.run(&["status"]).expect(1).stdout.contains("column RH"));
    for flags in tower.rows("upper").iter().map(|row| row.flags.clone()) {
        assert_eq!(&flags[1..2], "2", "{flags}");
    }
}
