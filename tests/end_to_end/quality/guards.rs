//! Numbers that vouch for other columns.

use super::station::{Line, file};
use crate::support::Station;

const COLUMNS: &str = "CO2,FC,SIGNAL,AGC,SAMPLES";

const KEYS: &str = r#"
name = "flux"
files = ["flux.dat"]
[table.columns.CO2]
suspect = [0, 1000]
[table.columns.SIGNAL]
guards = [{ suspect = [0.8, inf], fail = [0.7, inf], governs = ["CO2", "FC"] }]
[table.columns.AGC]
guards = [{ fail = [-inf, 70], governs = ["CO2"] }]
[table.columns.SAMPLES]
guards = [
  { suspect = [16200, inf], fail = [9000, inf], governs = ["FC"] },
  { fail = [1, inf], governs = ["CO2"] },
]
"#;

/// Flags of CO2 and FC, and every finding of test `guard`, of one row.
fn judged(signal: &str, agc: &str, samples: &str) -> (String, Vec<String>) {
    let tower = Station::new().table(KEYS);
    let values = ["400", "-3.5", signal, agc, samples].map(str::to_owned).to_vec();
    let line: Line = (0, values);
    tower.write("flux.dat", file(COLUMNS, &[line]));
    tower.in_process().ingest();
    let list = tower.run_json(&["flags", "--since", "2026-01-01", "--test", "guard"]).expect(0).json();
    let text = |item: &serde_json::Value, key: &str| item[key].as_str().unwrap().to_owned();
    let findings = list["findings"].as_array().unwrap();
    let findings = findings.iter().map(|item| format!("{}: {}", text(item, "column"), text(item, "detail"))).collect();
    let flags: String = tower.database().query_row("SELECT flags FROM reading", [], |row| row.get(0)).unwrap();
    (flags.chars().take(2).collect(), findings)
}

#[test]
fn a_number_that_is_well_says_nothing_about_the_values_that_it_governs() {
    assert_eq!(judged("0.93", "56", "18000"), ("12".to_owned(), vec![]));
}

#[test]
fn a_signal_strength_fails_below_its_bound_and_an_agc_above_it() {
    assert_eq!(
        judged("0.62", "56", "18000"),
        (
            "44".to_owned(),
            vec!["CO2: SIGNAL = 0.62 is below 0.7".to_owned(), "FC: SIGNAL = 0.62 is below 0.7".to_owned()]
        )
    );
    assert_eq!(judged("0.93", "93", "18000"), ("42".to_owned(), vec!["CO2: AGC = 93 is above 70".to_owned()]));
}

#[test]
fn a_number_on_its_bound_is_well() {
    assert_eq!(judged("0.8", "70", "16200"), ("12".to_owned(), vec![]));
    assert_eq!(judged("0.7", "70", "9000").0, "33");
}

#[test]
fn of_several_guards_of_a_value_the_worse_flag_counts_and_each_is_a_finding() {
    let (flags, findings) = judged("0.75", "93", "12000");
    assert_eq!(flags, "43");
    assert_eq!(
        findings,
        [
            "CO2: SIGNAL = 0.75 is below 0.8",
            "CO2: AGC = 93 is above 70",
            "FC: SIGNAL = 0.75 is below 0.8",
            "FC: SAMPLES = 12000 is below 16200",
        ]
    );
}

#[test]
fn a_column_may_hold_several_guards() {
    assert_eq!(
        judged("0.93", "56", "0"),
        ("44".to_owned(), vec!["CO2: SAMPLES = 0 is below 1".to_owned(), "FC: SAMPLES = 0 is below 9000".to_owned()])
    );
}

#[test]
fn a_missing_number_raises_nothing() {
    assert_eq!(judged("\"NAN\"", "\"NAN\"", "\"NAN\""), ("12".to_owned(), vec![]));
}

#[test]
fn a_column_that_a_guard_names_and_no_file_has_is_said() {
    let tower = Station::new().table(&KEYS.replace("\"FC\"", "\"FCC\""));
    tower.write("flux.dat", file(COLUMNS, &[(0, vec!["1".to_owned(); 5])]));
    tower.in_process().ingest();
    let said = tower.run(&["check"]).stdout;
    assert!(said.contains("guards of SIGNAL names FCC, which no file of the table has; did you mean FC?"), "{said}");
}
