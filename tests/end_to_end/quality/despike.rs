//! Despiking of complete blocks, as a user meets it.

use std::fmt::Write as _;

use chrono::{DateTime, TimeDelta, Utc};
use fluxtower::config::Config;
use fluxtower::store::Store;
use fluxtower::sun::{Position, Potential};
use fluxtower::time::Timestamp;
use serde_json::Value;

use crate::support::dice::Dice;
use crate::support::{DAT, Logger, Station, TABLE};

const UMB: &str = "utc_offset = \"-05:00\"\nlatitude = 45.5598\nlongitude = -84.7138";
const POSITION: Position = Position { latitude: 45.5598, longitude: -84.7138 };
const COLUMNS: &str =
    "[table.columns.FC]\nvariable = \"FC\"\ndespike = {}\n[table.columns.Ratio]\nformula = \"FC / 2\"\n";
/// Rows of 40 days: three blocks of 13 days, and one day.
const ROWS: i64 = 48 * 40;

fn end_of(row: i64) -> DateTime<Utc> {
    // 2025-01-01 00:30 of the station.
    DateTime::from_timestamp(1_735_707_600, 0).unwrap() + TimeDelta::minutes(30 * (row + 1))
}

/// A flux that breathes by night and takes up by day, with noise; spikes, missing values and a gap.
fn flux() -> Vec<Option<f64>> {
    let mut dice = Dice(16);
    let mut values: Vec<Option<f64>> = (0..ROWS)
        .map(|row| {
            let turn = (row % 48) as f64 / 48.0 * std::f64::consts::TAU;
            let scatter = dice.below(1_000) as f64 / 1_000.0 - 0.5;
            let value = 2.0 + turn.cos() * 6.0 + scatter * if (16..36).contains(&(row % 48)) { 6.0 } else { 1.0 };
            Some((value * 1e3).round() / 1e3)
        })
        .collect();
    // By night 8 is a spike, by day it is not; in the last block it is, too, but that is not complete.
    for (row, by) in [(96 + 4, 8.0), (96 + 25, 8.0), (48 * 20 + 2, -9.0), (48 * 20 + 24, 40.0), (48 * 39 + 4, 9.0)] {
        values[row] = values[row].map(|value| value + by);
    }
    values[300] = None;
    values[301] = values[301].map(|value| value + 60.0);
    values
}

fn file(rows: std::ops::Range<i64>, values: &[Option<f64>]) -> String {
    let mut text = Logger::par().columns(&[]).column("FC").header();
    for row in rows.filter(|row| !(500..510).contains(row)) {
        let local = (end_of(row) - TimeDelta::hours(5)).format("%Y-%m-%d %H:%M:%S");
        let value = values[usize::try_from(row).unwrap()].map_or("\"NAN\"".to_owned(), |value| value.to_string());
        writeln!(text, "\"{local}\",{row},{value}\r").unwrap();
    }
    text
}

fn tower(columns: &str) -> Station {
    Station::new().clock(UMB).table_keys(columns)
}

/// By the rule as it is written, block by block and class by class: the rows that are spikes.
fn by_hand(tower: &Station, values: &[Option<f64>]) -> Vec<i64> {
    let clock = Config::load(&tower.config_path()).unwrap().station.clock;
    let mut potential = Potential::new(POSITION, clock);
    let mut found = Vec::new();
    let there = |row: i64| {
        let is_there = (0..ROWS).contains(&row) && !(500..510).contains(&row);
        is_there.then(|| values[usize::try_from(row).unwrap()]).flatten().filter(|value| value.abs() <= 110.0)
    };
    for block in 0..3_i64 {
        for is_day in [true, false] {
            let mut all = Vec::new();
            for row in block * 624..(block + 1) * 624 {
                let light = potential.mean(Timestamp::from_utc(end_of(row)), 1_800_000_000_000);
                if let (Some(a), Some(v), Some(b), true) =
                    (there(row - 1), there(row), there(row + 1), (light > 12.0) == is_day)
                {
                    all.push((row, (v - a) - (b - v)));
                }
            }
            let middle = |mut list: Vec<f64>| {
                list.sort_by(f64::total_cmp);
                (list[(list.len() - 1) / 2] + list[list.len() / 2]) / 2.0
            };
            let md = middle(all.iter().map(|one| one.1).collect());
            let mad = middle(all.iter().map(|one| (one.1 - md).abs()).collect());
            let reach = 5.5 * mad / 0.6745;
            found.extend(all.iter().filter(|one| one.1 < md - reach || one.1 > md + reach).map(|one| one.0));
        }
    }
    found.sort_unstable();
    found
}

/// The rows on which despiking raised a flag of FC, by the program.
fn spikes(tower: &Station) -> Vec<i64> {
    spikes_of(tower, "FC")
}

fn spikes_of(tower: &Station, column: &str) -> Vec<i64> {
    let list =
        tower.run_json(&["flags", "--since", "2025-01-01", "--test", "despike", "--column", column]).expect(0).json();
    let row = |item: &Value| {
        assert_eq!((&item["raised"], &item["table"]), (&3.into(), &TABLE.into()), "{item}");
        let time: DateTime<Utc> = item["time"].as_str().unwrap().parse().unwrap();
        (time - end_of(0)).num_minutes() / 30
    };
    list["findings"].as_array().unwrap().iter().map(row).collect()
}

fn pending(tower: &Station) -> u64 {
    Store::open_reader(&tower.store_path()).unwrap().pending().unwrap()
}

#[test]
fn complete_blocks_are_despiked_by_day_and_by_night_when_it_is_asked_for_and_keep_it() {
    let tower = tower(COLUMNS);
    let values = flux();
    let late = 700;
    tower.write(DAT, file(0..late, &values));
    let _ = tower.run(&["ingest"]).expect(0);
    tower.write(DAT, file(late + 1..ROWS, &values));
    let _ = tower.run(&["ingest"]);
    let _ = tower.run(&["sync"]);
    assert!(spikes(&tower).is_empty(), "a row that comes is not judged");
    assert_eq!(pending(&tower), 0);
    let mut whole = values.clone();
    whole[usize::try_from(late).unwrap()] = None;
    let wanted = by_hand(&tower, &whole);
    assert!(wanted.contains(&100) && wanted.contains(&(48 * 20 + 2)) && wanted.contains(&(48 * 20 + 24)), "{wanted:?}");
    assert!(!wanted.contains(&121) && !wanted.contains(&301), "usual by day, and beside a missing value: {wanted:?}");
    let report = tower.run_json(&["reflag", "--since", "2025-01-01", "--despike"]).expect(0).json();
    assert_eq!(spikes(&tower), wanted);
    assert_eq!(report["tables"][0]["despiked"], 3, "the last is not complete: {report}");
    assert_eq!(report["changed"], wanted.len(), "{report}");
    assert_eq!(pending(&tower), wanted.len() as u64, "these rows are sent again, and no other");
    let detail = tower.run(&["flags", "--since", "2025-01-01", "--test", "despike"]).expect(0).stdout;
    assert!(detail.contains("usual by night in 13 days") && detail.contains("usual by day in 13 days"), "{detail}");
    // What rests on a spike is suspect with it.
    let inputs = tower.run(&["flags", "--since", "2025-01-01", "--test", "input"]).expect(0).stdout;
    assert_eq!(inputs.lines().filter(|line| line.contains("rests on FC, which is suspect")).count(), wanted.len());
    // Whatever judges the rows again keeps it: other limits, a row that comes late, a second pass.
    let _ = tower.run(&["reflag", "--since", "2025-01-01"]).expect(0);
    assert_eq!(spikes(&tower), wanted);
    tower.write(DAT, file(late..late + 1, &values));
    let _ = tower.run(&["ingest"]);
    assert_eq!(spikes(&tower), wanted);
    let _ = tower.run(&["reflag", "--since", "2025-01-01", "--despike"]).expect(0);
    assert_eq!(spikes(&tower), by_hand(&tower, &values));
    let again = tower.run_json(&["reflag", "--since", "2025-01-01", "--despike"]).expect(0).json();
    assert_eq!(again["changed"], 0, "{again}");
    // Without the key, nothing of it stays.
    let config = std::fs::read_to_string(tower.config_path()).unwrap();
    std::fs::write(tower.config_path(), config.replace("despike = {}", "")).unwrap();
    let _ = tower.run(&["reflag", "--since", "2025-01-01"]).expect(0);
    assert!(spikes(&tower).is_empty());
    let _ = tower
        .run(&["reflag", "--since", "2025-01-01", "--despike"])
        .expect(2)
        .says("no column of these tables is despiked");
}

#[test]
fn an_ingest_despikes_the_block_that_it_completes_where_the_configuration_says_so() {
    let tower = tower(&COLUMNS.replace("despike = {}", "despike = { when = \"complete\" }"));
    let values = flux();
    let all = by_hand(&tower, &values);
    let in_blocks = |blocks: i64| -> Vec<i64> { all.iter().copied().filter(|row| *row < blocks * 624).collect() };
    for (from, to, blocks) in [(0, 600, 0), (600, 624, 0), (624, 625, 1), (625, 1_900, 3), (1_900, ROWS, 3)] {
        tower.write(DAT, file(from..to, &values));
        let _ = tower.run(&["ingest"]);
        assert_eq!(spikes(&tower), in_blocks(blocks), "after row {to}");
    }
}

#[test]
fn an_ingest_despikes_no_column_that_waits_to_be_asked_for() {
    let columns = COLUMNS.replace("despike = {}", "despike = { when = \"complete\" }") + "despike = {}\n";
    let tower = tower(&columns);
    tower.write(DAT, file(0..ROWS, &flux()));
    let _ = tower.run(&["ingest"]);
    assert!(!spikes(&tower).is_empty());
    assert_eq!(spikes_of(&tower, "Ratio"), [0; 0]);
    let _ = tower.run(&["reflag", "--since", "2025-01-01", "--despike"]).expect(0);
    assert!(!spikes_of(&tower, "Ratio").is_empty());
}

#[test]
fn rows_from_before_the_position_was_written_are_despiked_when_it_is() {
    let columns = COLUMNS.replace("despike = {}", "despike = { when = \"complete\" }");
    let station = Station::new().clock("utc_offset = \"-05:00\"").table_keys(&columns);
    let values = flux();
    station.write(DAT, file(0..1_900, &values));
    let _ = station.run(&["ingest"]);
    assert_eq!(spikes(&station), [0; 0]);
    let station = station.clock(UMB);
    station.write(DAT, file(1_900..ROWS, &values));
    let _ = station.run(&["ingest"]);
    assert_eq!(spikes(&station), by_hand(&station, &values));
}
