//! Flags in the bucket: one query gives the values that did not fail.

use std::io::Write as _;

use chrono::TimeDelta;

use crate::each::{Server, on_each_influxdb};
use crate::readings::{Dice, Readings, time, utc};
use crate::station::Station;

on_each_influxdb!(
    one_query_gives_the_values_that_did_not_fail_also_after_a_flag_by_hand_and_its_end,
    a_failed_value_that_is_withheld_is_not_in_the_bucket_and_its_flag_is,
);

fn one_query_gives_the_values_that_did_not_fail_also_after_a_flag_by_hand_and_its_end<S: Server>() {
    let influxd = S::fresh();
    let mut dice = Dice::new(5);
    let start = (time("2024-03-09 22:00:00"), TimeDelta::seconds(300), 1);
    // One value in 40 is beyond the range, one in 50 missing, one in 60 a spike.
    let table = Readings::new("t", &["v", "w"], start, 2_000, |row, column| match row {
        _ if column == 1 => "1".to_owned(),
        row if row % 50 == 7 => "\"NAN\"".to_owned(),
        row if row % 40 == 3 => "99".to_owned(),
        row if row % 60 == 11 => "30".to_owned(),
        _ => format!("15.{:03}", dice.throw(1_000)),
    });
    let station = Station::new(&influxd.destination(), "health = false", &[&table]);
    let mut config = std::fs::OpenOptions::new().append(true).open(station.path("config.toml")).unwrap();
    let keys = "[table.columns.v]\nvariable = \"TA\"\nspike = { suspect = 4, fail = 9, method = \"differential\" }\n";
    config.write_all(keys.as_bytes()).unwrap();
    station.must(0, &["run"]);

    let stored = |what: &str| -> Vec<i64> {
        let store = rusqlite::Connection::open(station.path("store.db")).unwrap();
        let mut statement = store.prepare(&format!("SELECT ts FROM t_t WHERE {what} ORDER BY ts")).unwrap();
        statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    };
    let good = stored("v IS NOT NULL AND v_flag <> '4'");
    let failed = stored("v_flag = '4'");
    assert!(failed.len() > 60 && good.len() > 1_800, "{} {}", failed.len(), good.len());
    assert_eq!(influxd.times_by_flag(false, 4), good);
    assert_eq!(influxd.times_by_flag(true, 4), failed);
    assert_eq!(times_of(&influxd, "v_qc", 9.0), stored("v_flag = '9'"));

    let (from, to) = (&table.rows[100].0, &table.rows[199].0);
    let by_hand =
        ["flag", "--table", "t", "--column", "v", "--from", from, "--to", to, "--as", "4", "--reason", "moved"];
    station.must(0, &by_hand);
    station.must(0, &["sync"]);
    let inside = |at: &&i64| (utc(from)..=utc(to)).contains(*at);
    let outside: Vec<i64> = good.iter().filter(|at| !inside(at)).copied().collect();
    assert!(outside.len() < good.len());
    assert_eq!(influxd.times_by_flag(false, 4), outside);
    station.must(0, &["flag", "--revoke", "1"]);
    station.must(0, &["sync"]);
    assert_eq!(influxd.times_by_flag(false, 4), good);
    station.must(0, &["verify", "--since", "2024-01-01"]);
}

/// The times at which a field of measurement `t` has this value.
fn times_of<S: Server>(influxd: &S, field: &str, value: f64) -> Vec<i64> {
    let points = influxd.points(["t"]);
    points
        .into_iter()
        .filter(|(point, found)| point.field == field && *found == value)
        .map(|(point, _)| point.at)
        .collect()
}

fn a_failed_value_that_is_withheld_is_not_in_the_bucket_and_its_flag_is<S: Server>() {
    let influxd = S::fresh();
    let start = (time("2024-03-09 22:00:00"), TimeDelta::seconds(300), 1);
    let spell =
        |row: usize, column: usize| if column == 0 && row % 10 == 3 { "99".to_owned() } else { "15".to_owned() };
    let table = Readings::new("t", &["v", "w"], start, 100, spell);
    let station = Station::new(&influxd.destination(), "health = false", &[&table]);
    let mut config = std::fs::OpenOptions::new().append(true).open(station.path("config.toml")).unwrap();
    config.write_all(b"withhold = true\n[table.columns.v]\nvariable = \"TA\"\n").unwrap();
    station.must(0, &["run"]);
    assert_eq!(influxd.points(["t"]).keys().filter(|point| point.field == "v").count(), 90);
    assert_eq!(times_of(&influxd, "v_qc", 4.0).len(), 10);
    station.must(0, &["verify", "--since", "2024-01-01"]);
    let store = rusqlite::Connection::open(station.path("store.db")).unwrap();
    let kept: i64 = store.query_row("SELECT count(*) FROM t_t WHERE v = 99", [], |row| row.get(0)).unwrap();
    assert_eq!(kept, 10);
}
