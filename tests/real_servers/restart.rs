//! The server dies while a backlog drains, and comes back.

use std::time::{Duration, Instant};

use chrono::TimeDelta;

use crate::readings::{Dice, Readings, time};
use crate::server::Influxd;
use crate::station::Station;

const ROWS: usize = 40_000;

fn fast_table() -> Readings {
    let mut dice = Dice::new(3);
    let start = (time("2024-03-09 22:00:00"), TimeDelta::milliseconds(100), 1);
    Readings::new("fast", &["u", "v", "w"], start, ROWS, move |_, _| dice.number())
}

fn times(influxd: &Influxd) -> Vec<i64> {
    let mut times: Vec<i64> = influxd.points("flux", ["fast"]).into_keys().map(|point| point.at).collect();
    times.sort_unstable();
    times.dedup();
    times
}

/// Waits until so many rows are marked as sent. False if the sync ended before.
fn wait_for_sent(station: &Station, sync: &mut std::process::Child, rows: u64) -> bool {
    let started = Instant::now();
    while station.sent() < rows {
        assert!(started.elapsed() < Duration::from_secs(60), "only {} rows are sent", station.sent());
        if sync.try_wait().unwrap().is_some() {
            return false;
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    true
}

#[test]
#[ignore = "needs real servers, see .ci/run"]
fn i5_after_two_crashes_of_the_server_in_mid_drain_the_rows_marked_as_sent_are_the_rows_that_a_query_finds() {
    let mut influxd = Influxd::start();
    influxd.query("", "CREATE DATABASE flux");
    let destination = format!("api = \"v1\"\nurl = \"{}\"\nbucket = \"flux\"", influxd.url());
    let station = Station::new(&destination, "batch_rows = 250\ndeadline = \"2m\"", &[&fast_table()]);
    station.must(0, &["ingest"]);

    let mut sync = station.start(&["sync"]);
    for crash in 1..=2 {
        assert!(wait_for_sent(&station, &mut sync, crash * 5_000), "the drain ended before crash {crash}");
        influxd.kill();
        std::thread::sleep(Duration::from_millis(700));
        influxd.revive();
    }
    assert_eq!(sync.wait().unwrap().code(), Some(0));
    assert_eq!(station.times("fast", "sent").len(), ROWS);
    assert_eq!(station.times("fast", "sent"), times(&influxd));
}

#[test]
#[ignore = "needs real servers, see .ci/run"]
fn i5_i6_a_server_that_stays_away_leaves_rows_pending_and_none_marked_that_it_did_not_keep() {
    let mut influxd = Influxd::start();
    influxd.query("", "CREATE DATABASE flux");
    let destination = format!("api = \"v1\"\nurl = \"{}\"\nbucket = \"flux\"", influxd.url());
    let station = Station::new(&destination, "batch_rows = 250\ndeadline = \"8s\"", &[&fast_table()]);
    station.must(0, &["ingest"]);

    let mut sync = station.start(&["sync"]);
    assert!(wait_for_sent(&station, &mut sync, 5_000), "the drain ended before the crash");
    influxd.kill();
    assert_eq!(sync.wait().unwrap().code(), Some(0), "a link that is down is no reason to call a person");
    influxd.revive();
    let (sent, kept) = (station.times("fast", "sent"), times(&influxd));
    assert!(sent.len() < ROWS);
    // The last request may have been kept without an answer; never the other way round.
    assert!(sent.iter().all(|time| kept.binary_search(time).is_ok()), "a row is marked as sent and is not there");

    station.must(0, &["sync"]);
    assert_eq!(station.times("fast", "sent").len(), ROWS);
    assert_eq!(station.times("fast", "sent"), times(&influxd));
}
