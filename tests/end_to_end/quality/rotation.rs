//! North is a place like any other: directions that are all turned by 90 degrees have the same flags, and turned back the same
//! means at every zoom.

use std::fmt::Write as _;

use fluxtower::config::Config;
use fluxtower::store::Store;
use fluxtower::time::Timestamp;
use fluxtower::view::summary::{Summaries, TraceRequest};

use crate::support::dice::Dice;
use crate::support::{Logger, Station};

const TURN: f64 = 90.0;
const ROWS: usize = 12_000;

/// The tests of a wind direction, with the bands of its climatology turned, too.
fn keys(table: &str, turn: f64) -> String {
    let band = |low: f64, high: f64| format!("[{}, {}]", low + turn, high + turn);
    format!(
        "name = \"{table}\"\nfiles = [\"{table}.dat\"]\n[table.columns.WD]\nkind = \"direction\"\n\
         spike = {{ suspect = 40, fail = 90 }}\nrate_of_change = {{ suspect = 60, fail = 120, per = \"1m\" }}\n\
         flat_line = {{ suspect = \"5m\", fail = \"10m\", tolerance = 1 }}\n\
         attenuated_signal = {{ suspect = 3, fail = 0.5, window = \"15m\" }}\n\
         climatology = {{ bands = [{{ hours = [0, 11], suspect = {}, fail = {} }}, {{ hours = [12, 23], suspect = {} }}] }}\n\
         [table.columns.WD2]\nkind = \"direction\"\nspike = {{ suspect = 30, method = \"differential\" }}\n\
         attenuated_signal = {{ suspect = 10, window = \"15m\", by = \"range\" }}\n",
        band(250.0, 380.0),
        band(200.0, 400.0),
        band(100.0, 300.0)
    )
}

fn pair(table: &str) -> String {
    format!(
        "[[pair]]\nname = \"{table}\"\ntable = \"{table}\"\ncolumn = \"WD\"\nagainst = \"WD2\"\n\
         difference = {{ suspect = 20, fail = 24 }}\n"
    )
}

/// Two directions in steps of half a degree, so that turning them rounds nothing; half of the numbers near north.
fn directions() -> Vec<[Option<f64>; 2]> {
    let mut dice = Dice(90);
    let mut at = 0.0_f64;
    let mut rows = Vec::new();
    for row in 0..ROWS {
        let step = match dice.below(40) {
            // A jump; a stretch that stands still; otherwise the wind wanders.
            0 => dice.below(720) as f64 / 2.0,
            _ if row % 1_000 < 40 => 0.0,
            _ => dice.below(41) as f64 / 2.0 - 10.0,
        };
        at = (at + step + if at > 90.0 && at < 270.0 { -3.0 } else { 0.0 }).rem_euclid(360.0);
        let other = (at + dice.below(101) as f64 / 2.0 - 25.0).rem_euclid(360.0);
        let is_missing = dice.below(50) == 0;
        rows.push([Some(at).filter(|_| !is_missing), Some(other)]);
    }
    rows
}

fn file(rows: &[[Option<f64>; 2]], turn: f64) -> String {
    let mut text = Logger::par().columns(&[]).column("WD").column("WD2").header();
    let first = chrono::NaiveDate::from_ymd_opt(2026, 6, 1).unwrap().and_hms_opt(0, 0, 0).unwrap();
    for (row, values) in rows.iter().enumerate().filter(|(row, _)| row % 777 > 20) {
        let time = first + chrono::TimeDelta::minutes(i64::try_from(row).unwrap());
        write!(text, "\"{}\",{row}", time.format("%Y-%m-%d %H:%M:%S")).unwrap();
        for value in values {
            match value {
                Some(value) => write!(text, ",{}", (value + turn) % 360.0).unwrap(),
                None => text.push_str(",\"NAN\""),
            }
        }
        text.push_str("\r\n");
    }
    text
}

#[test]
fn directions_that_are_turned_by_90_degrees_have_the_same_flags_and_turned_back_the_same_means() {
    let tables = format!("[[table]]\n{}{}{}", keys("turned", TURN), pair("straight"), pair("turned"));
    let tower = Station::new().table(&keys("straight", 0.0)).more(&tables);
    let rows = directions();
    tower.write("straight.dat", file(&rows, 0.0));
    tower.write("turned.dat", file(&rows, TURN));
    tower.in_process().ingest();
    let store = Store::open_reader(&tower.store_path()).unwrap();
    let flags = |table: &str| {
        let mut found = Vec::new();
        let all = (Timestamp::MIN, Timestamp::MAX);
        store
            .judged_rows(table, all, false, |row| {
                let by: Vec<_> =
                    row.findings.iter().map(|finding| (finding.place, finding.test, finding.flag)).collect();
                found.push((row.ts, row.flags, by));
                true
            })
            .unwrap();
        found
    };
    let straight = flags("straight");
    assert!(straight.len() > ROWS * 9 / 10);
    let raised: std::collections::BTreeSet<_> =
        straight.iter().flat_map(|row| row.2.iter().map(|finding| finding.1.name())).collect();
    let every = ["attenuated_signal", "climatology", "flat_line", "pair", "rate_of_change", "spike"];
    assert_eq!(raised.into_iter().collect::<Vec<_>>(), every, "each test raises something");
    for (one, other) in straight.iter().zip(flags("turned")) {
        assert_eq!(*one, other);
    }
    let config = Config::load(&tower.config_path()).unwrap();
    let summaries = Summaries::open(&config).unwrap();
    let (from, to) = (straight[0].0, straight[straight.len() - 1].0);
    for points in [20, 100, 700, 5_000] {
        let trace = |table: &str| {
            let columns = vec!["WD".to_owned(), "WD2".to_owned()];
            let request = TraceRequest { table: table.to_owned(), columns, from, to, points, tags: Vec::new() };
            summaries.trace(&store, &request).unwrap()
        };
        let (one, other) = (trace("straight"), trace("turned"));
        assert_eq!((&one.times, &one.rows, &one.bin_s), (&other.times, &other.rows, &other.bin_s));
        assert!(one.times.len() > points / 4, "{points}");
        for (one, other) in one.columns.iter().zip(&other.columns) {
            assert_eq!((&one.flags, &one.missing), (&other.flags, &other.missing), "{points} points");
            for (at, (one, other)) in one.value.iter().zip(&other.value).enumerate() {
                let apart = one
                    .get()
                    .zip(other.get())
                    .map(|(one, other)| (other - one - TURN + 180.0).rem_euclid(360.0) - 180.0);
                assert_eq!(one.get().is_some(), other.get().is_some(), "{points} points, {at}");
                assert!(apart.is_none_or(|apart| apart.abs() < 1e-3), "{points} points, {at}: {one:?} {other:?}");
            }
        }
    }
}
