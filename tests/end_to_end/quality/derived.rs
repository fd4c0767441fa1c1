//! Columns that no file has.

use fluxtower::store::Store;
use fluxtower::time::Timestamp;
use fluxtower::view::summary::{Summaries, TraceRequest};

use super::rows::upper;
use super::station::{UPPER, file, judged};
use crate::support::Station;

const SUM: &str = "[table.columns.SUM]\nformula = \"TA + RH\"\nunit = \"odd\"\nfail = [0, 80]\n";

fn tower(columns: &str) -> Station {
    Station::new().table(&format!("name = \"upper\"\nfiles = [\"upper.dat\"]\nmissing = [7999]\n{columns}"))
}

#[test]
fn a_derived_value_is_stored_tested_and_sent_like_any_other() {
    let tower = tower(SUM);
    let lines = upper(4, 0, |row| (row == 2).then(|| "30".to_owned()));
    tower.write("upper.dat", file(UPPER, &lines));
    let _ = tower.run(&["run"]).expect(0);
    let rows = judged(&tower, "upper");
    let last = |at: usize| serde_json::from_str::<Vec<serde_json::Value>>(&rows[at].1).unwrap().pop().unwrap();
    assert_eq!((last(0).as_f64(), last(2).as_f64()), (Some(75.0), Some(90.4)));
    assert_eq!(rows.iter().map(|row| &row.2[6..]).collect::<Vec<_>>(), ["1", "1", "4", "1"]);
    assert_eq!(tower.count("SELECT count(*) FROM column_list WHERE name = 'SUM' AND units = 'odd'"), 1);
    assert_eq!(tower.count("SELECT count(*) FROM \"t_upper\" WHERE \"SUM\" > 80 AND \"SUM_flag\" = '4'"), 1);
}

#[test]
fn the_page_takes_the_unit_that_a_derived_column_has_now() {
    let tower = tower("[table.columns.wind_dir]\nformula = \"TA + RH\"\nunit = \"m/s\"\n");
    tower.write("upper.dat", file(UPPER, &upper(4, 0, |_| None)));
    tower.in_process().ingest();
    tower.replace_in_config("unit = \"m/s\"", "unit = \"deg\"");
    let config = tower.in_process().config;
    let reader = Store::open_reader(&tower.store_path()).unwrap();
    let known = reader.known_tables(&config).unwrap();
    let derived = known[0].columns.iter().find(|column| column.name == "wind_dir").unwrap();
    assert_eq!(derived.unit, "deg");
    let request = TraceRequest {
        table: "upper".to_owned(),
        columns: vec!["wind_dir".to_owned()],
        from: Timestamp::from_seconds(1_600_000_000),
        to: Timestamp::from_seconds(1_900_000_000),
        points: 10,
        tags: Vec::new(),
    };
    let trace = Summaries::open(&config).unwrap().trace(&reader, &request).unwrap();
    assert_eq!(trace.columns[0].kind, "direction");
}

#[test]
fn a_derived_value_is_missing_where_an_input_is() {
    let tower = tower(SUM);
    let lines = upper(3, 0, |row| [None, Some("\"NAN\"".to_owned()), Some("7999".to_owned())][row as usize].clone());
    tower.write("upper.dat", file(UPPER, &lines));
    tower.in_process().ingest();
    let rows = judged(&tower, "upper");
    assert!(rows[1].1.ends_with(",null]") && rows[2].1.ends_with(",null]"), "{rows:?}");
    assert_eq!(rows.iter().map(|row| &row.2[6..]).collect::<Vec<_>>(), ["1", "9", "9"]);
}

#[test]
fn i3_a_changed_formula_makes_no_conflict_of_rows_read_again() {
    let tower = tower(SUM);
    tower.write("upper.dat", file(UPPER, &upper(5, 0, |_| None)));
    tower.in_process().ingest();
    tower.replace_in_config("TA + RH", "TA - RH");
    tower.write("upper.dat", file(UPPER, &upper(6, 0, |_| None)));
    let report = tower.in_process().ingest();
    assert_eq!((report.totals().staged, report.totals().conflicts), (1, 0));
    assert_eq!(tower.run_json(&["reflag", "--since", "2026-01-01"]).expect(0).json()["changed"].as_i64(), Some(5));
    assert!(judged(&tower, "upper").iter().all(|row| row.1.contains(",-4")), "{:?}", judged(&tower, "upper"));
}

#[test]
fn i8_raw_values_keep_their_spelling_when_a_derived_column_is_added_later() {
    let tower = tower("");
    tower.write("upper.dat", file(UPPER, &upper(3, 0, |row| Some(format!("1{row}.500")))));
    tower.in_process().ingest();
    let before = judged(&tower, "upper");
    tower.add_to_config(&format!("\n{SUM}"));
    assert_eq!(tower.run_json(&["reflag", "--since", "2026-01-01"]).expect(0).json()["changed"].as_i64(), Some(3));
    for (old, new) in before.iter().zip(judged(&tower, "upper")) {
        assert!(new.1.starts_with(old.1.strip_suffix(']').unwrap()), "{} {}", old.1, new.1);
        assert_eq!(new.2.len(), old.2.len() + 1);
    }
}

#[test]
fn a_formula_that_cannot_work_says_why() {
    let lacking = tower("[table.columns.SUM]\nformula = \"TA + RG\"");
    lacking.write("upper.dat", file(UPPER, &upper(3, 0, |_| None)));
    let report = lacking.in_process().ingest();
    assert!(report.tables[0].notes.iter().any(|note| note.contains("reads RG")), "{:?}", report.tables[0].notes);
    let taken = tower("[table.columns.SW]\nformula = \"TA + RH\"");
    taken.write("upper.dat", file(UPPER, &upper(3, 0, |_| None)));
    let report = taken.in_process().ingest();
    assert!(report.tables[0].notes.iter().any(|note| note.contains("has a column of that name")));
    assert!(judged(&taken, "upper")[0].1.contains(",300."), "the file's values stay");
    let chain = tower("[table.columns.A]\nformula = \"TA * 2\"\n[table.columns.B]\nformula = \"A * 2\"");
    let _ = chain.run(&["status"]).expect(2).says("derived itself");
}
