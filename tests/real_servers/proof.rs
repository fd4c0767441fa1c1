//! What the server lost is found and sent again.

use chrono::TimeDelta;

use crate::readings::{Dice, Readings, time, utc};
use crate::server::Influxd;
use crate::station::Station;

fn table(rows: usize) -> Readings {
    let mut dice = Dice::new(11);
    let start = (time("2024-03-09 22:00:00"), TimeDelta::seconds(60), 1);
    Readings::new("t", &["u", "v", "w"], start, rows, move |_, _| dice.number())
}

fn v1(influxd: &Influxd) -> String {
    format!("api = \"v1\"\nurl = \"{}\"\nbucket = \"flux\"", influxd.url())
}

fn found(influxd: &Influxd) -> Vec<i64> {
    let mut times: Vec<i64> = influxd.points("flux", ["t"]).into_keys().map(|point| point.at).collect();
    times.sort_unstable();
    times.dedup();
    times
}

#[test]
#[ignore = "needs real servers, see .ci/run"]
fn verify_finds_rows_deleted_behind_its_back_and_sends_them_again() {
    let influxd = Influxd::start();
    influxd.query("", "CREATE DATABASE flux");
    let table = table(3_000);
    let station = Station::new(&v1(&influxd), "", &[&table]);
    station.must(0, &["ingest"]);
    station.must(0, &["sync"]);
    let verified = station.must(0, &["verify", "--since", "2024-01-01"]);
    assert_eq!((verified["missing"].as_u64(), verified["unknown"].as_u64()), (Some(0), Some(0)), "{verified}");

    let (from, until) = (utc(&table.rows[500].0), utc(&table.rows[700].0));
    influxd.query("flux", &format!("DELETE FROM t WHERE time >= {from} AND time < {until}"));
    assert_eq!(found(&influxd).len(), 2_800);
    let verified = station.must(1, &["verify", "--since", "2024-01-01", "--requeue"]);
    assert_eq!(verified["missing"].as_u64(), Some(200), "{verified}");
    // Whole hours go back, and no more than those.
    let requeued = verified["requeued"].as_u64().unwrap();
    assert!((200..=320).contains(&requeued), "{verified}");
    station.must(0, &["sync"]);
    assert_eq!(station.times("t", "sent"), found(&influxd));
    station.must(0, &["verify", "--since", "2024-01-01"]);
}
