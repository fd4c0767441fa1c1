//! What stood in the files is what a query finds, and sending again changes nothing.

use std::collections::BTreeMap;

use chrono::TimeDelta;

use crate::each::{Server, on_each_influxdb};
use crate::readings::{Dice, Points, Readings, assert_same, time};
use crate::server::Victoria;
use crate::station::Station;

/// Five tables, from half an hour to 20 Hz, with everything that a logger can spell.
fn tables() -> Vec<Readings> {
    let mut dice = Dice::new(7);
    let mut any = move |_: usize, _: usize| match dice.throw(40) {
        0 => "\"NAN\"".to_owned(),
        1 => "\"INF\"".to_owned(),
        _ => dice.number(),
    };
    let start = time("2024-03-09 22:00:00");
    let fast = ["Ux", "Uy", "Uz", "Ts", "CO2", "H2O", "Press", "Diag"];
    vec![
        Readings::new(
            "soil",
            &["TS(1)", "TS(2)", "SWC 5cm", "G_Avg"],
            (start, TimeDelta::minutes(30), 0),
            500,
            &mut any,
        ),
        Readings::new("minute", &["PPFD", "RelHum, upper"], (start, TimeDelta::minutes(1), 0), 2_000, &mut any),
        Readings::new("sonic", &fast, (start, TimeDelta::milliseconds(100), 1), 12_000, &mut any),
        Readings::new("fine", &["a"], (start, TimeDelta::nanoseconds(20_010_007), 9), 3_000, &mut any),
        Readings::new("dead", &["x", "y"], (start, TimeDelta::seconds(5), 0), 300, |row, column| {
            if row % 3 == 0 { "\"NAN\"".to_owned() } else { format!("-{row}.{column}") }
        }),
    ]
}

fn rows(tables: &[Readings]) -> u64 {
    tables.iter().map(|table| table.rows.len() as u64).sum()
}

fn points(tables: &[Readings]) -> Points {
    tables.iter().flat_map(Readings::points).collect()
}

fn ingest_and_sync(station: &Station, rows: u64) {
    let ingested = station.must(0, &["ingest"]);
    let staged: u64 =
        ingested["tables"].as_array().unwrap().iter().map(|table| table["staged"].as_u64().unwrap()).sum();
    assert_eq!(staged, rows);
    let sync = station.must(0, &["sync"]);
    assert_eq!((sync["sent"].as_u64(), sync["pending"].as_u64()), (Some(rows), Some(0)), "{sync}");
}

fn replay_and_sync(station: &Station, rows: u64) {
    assert_eq!(station.must(0, &["replay", "--since", "2000-01-01"])["requeued"].as_u64(), Some(rows));
    assert_eq!(station.must(0, &["sync"])["sent"].as_u64(), Some(rows));
}

on_each_influxdb!(i5_i8_every_value_of_the_files_is_given_back_and_a_replay_changes_nothing);

fn i5_i8_every_value_of_the_files_is_given_back_and_a_replay_changes_nothing<S: Server>() {
    let tables = tables();
    let (rows, wanted) = (rows(&tables), points(&tables));
    let influxd = S::fresh();
    let station = Station::new(&influxd.destination(), "", &tables.iter().collect::<Vec<_>>());

    ingest_and_sync(&station, rows);
    assert_same(&influxd.points(tables.iter().map(|table| table.name)), &wanted);
    replay_and_sync(&station, rows);
    assert_same(&influxd.points(tables.iter().map(|table| table.name)), &wanted);
}

#[test]
#[ignore = "needs real servers, see .ci/run"]
fn i5_i8_victoriametrics_gives_back_every_value_of_the_files_and_a_replay_changes_nothing() {
    let tables = tables();
    let rows = rows(&tables);
    let mut wanted = BTreeMap::new();
    for (point, value) in points(&tables) {
        let millis = point.at.div_euclid(1_000_000);
        wanted.insert((format!("{}_{}", point.measurement, point.field), millis), value);
    }
    let victoria = Victoria::start();
    let destination =
        format!("url = \"{}\"\norg = \"any\"\nbucket = \"any\"\ntoken_env = \"FLUXTOWER_TEST_RIGHT\"", victoria.url());
    let station = Station::new(&destination, "", &tables.iter().collect::<Vec<_>>());

    ingest_and_sync(&station, rows);
    assert_near(&victoria.samples(), &wanted);
    replay_and_sync(&station, rows);
    assert_near(&victoria.samples(), &wanted);
}

/// VictoriaMetrics keeps a block of one series as 64-bit integers with one common power of ten, so a small value beside a
/// huge one loses its last digits. Times and their number are exact.
fn assert_near(found: &BTreeMap<(String, i64), f64>, wanted: &BTreeMap<(String, i64), f64>) {
    let missing = wanted.keys().find(|key| !found.contains_key(*key));
    assert_eq!(missing, None, "not in the server");
    assert_eq!(found.len(), wanted.len());
    let mut largest: BTreeMap<&str, f64> = BTreeMap::new();
    for ((name, _), value) in wanted {
        let most = largest.entry(name).or_default();
        *most = most.max(value.abs());
    }
    for (key, value) in wanted {
        let error = (found[key] - value).abs();
        assert!(
            error <= value.abs() * 1e-12 + largest[key.0.as_str()] * 1e-16,
            "{key:?}: {value} became {}",
            found[key]
        );
    }
}
