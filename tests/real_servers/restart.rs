//! The server, the program or both die while a backlog drains, and come back: nothing is lost and nothing is there twice.

use std::time::{Duration, Instant};

use chrono::TimeDelta;

use crate::each::{Server, on_each_influxdb};
use crate::readings::{Dice, Points, Readings, assert_same, time};
use crate::station::Station;

const ROWS: usize = 40_000;

on_each_influxdb!(
    i5_after_two_crashes_of_the_server_in_mid_drain_the_rows_marked_as_sent_are_the_rows_that_a_query_finds,
    i5_i6_a_server_that_stays_away_leaves_rows_pending_and_none_marked_that_it_did_not_keep,
    i3_i5_the_program_and_the_server_killed_in_mid_drain_lose_no_value_and_add_none,
    i3_i5_collections_that_were_overwritten_during_an_outage_are_all_there_after_it,
);

fn fast_table(rows: usize) -> Readings {
    let mut dice = Dice::new(3);
    let start = (time("2024-03-09 22:00:00"), TimeDelta::milliseconds(100), 1);
    Readings::new("fast", &["u", "v", "w"], start, rows, move |_, _| dice.number())
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

fn i5_after_two_crashes_of_the_server_in_mid_drain_the_rows_marked_as_sent_are_the_rows_that_a_query_finds<
    S: Server,
>() {
    let mut influxd = S::fresh();
    let station = Station::new(&influxd.destination(), "batch_rows = 250\ndeadline = \"2m\"", &[&fast_table(ROWS)]);
    station.must(0, &["ingest"]);

    let mut sync = station.start(&["sync"]);
    for crash in 1..=2 {
        assert!(wait_for_sent(&station, &mut sync, crash * 5_000), "the drain ended before crash {crash}");
        influxd.kill();
        std::thread::sleep(Duration::from_millis(700));
        influxd.revive_after_a_kill();
    }
    assert_eq!(sync.wait().unwrap().code(), Some(0));
    assert_eq!(station.times("fast", "sent").len(), ROWS);
    assert_eq!(station.times("fast", "sent"), influxd.times("fast"));
}

fn i5_i6_a_server_that_stays_away_leaves_rows_pending_and_none_marked_that_it_did_not_keep<S: Server>() {
    let mut influxd = S::fresh();
    let station = Station::new(&influxd.destination(), "batch_rows = 250\ndeadline = \"8s\"", &[&fast_table(ROWS)]);
    station.must(0, &["ingest"]);

    let mut sync = station.start(&["sync"]);
    assert!(wait_for_sent(&station, &mut sync, 5_000), "the drain ended before the crash");
    influxd.kill();
    assert_eq!(sync.wait().unwrap().code(), Some(0), "a link that is down is no reason to call a person");
    influxd.revive_after_a_kill();
    let (sent, kept) = (station.times("fast", "sent"), influxd.times("fast"));
    assert!(sent.len() < ROWS);
    // The last request may have been kept without an answer; never the other way round.
    assert!(sent.iter().all(|time| kept.binary_search(time).is_ok()), "a row is marked as sent and is not there");

    station.must(0, &["sync"]);
    assert_eq!(station.times("fast", "sent").len(), ROWS);
    assert_eq!(station.times("fast", "sent"), influxd.times("fast"));
}

fn i3_i5_the_program_and_the_server_killed_in_mid_drain_lose_no_value_and_add_none<S: Server>() {
    let mut influxd = S::fresh();
    // Everything is read back after each kill, so it is less than elsewhere.
    let table = fast_table(ROWS / 2);
    let station = Station::new(&influxd.destination(), "batch_rows = 250\ndeadline = \"2m\"", &[&table]);
    station.must(0, &["ingest"]);
    for kill in 1..=6_u64 {
        let mut sync = station.start(&["sync"]);
        assert!(wait_for_sent(&station, &mut sync, kill * 2_500), "the drain ended before kill {kill}");
        // The program alone, the server before it, the server after it.
        if kill % 3 == 1 {
            influxd.kill();
        }
        sync.kill().unwrap();
        sync.wait().unwrap();
        if kill % 3 == 2 {
            influxd.kill();
        }
        if kill % 3 != 0 {
            influxd.revive_after_a_kill();
        }
        let sent = station.times("fast", "sent");
        assert!(sent.len() < ROWS / 2, "nothing is left to be killed");
        let kept = influxd.times("fast");
        let missing = sent.iter().filter(|time| kept.binary_search(time).is_err()).count();
        assert_eq!(missing, 0, "kill {kill}: of {} rows that are marked as sent", sent.len());
    }
    assert_eq!(station.must(0, &["sync"])["pending"].as_u64(), Some(0));
    assert_eq!(station.times("fast", "sent").len(), ROWS / 2);
    assert_same(&influxd.points(["fast"]), &table.points());
}

fn i3_i5_collections_that_were_overwritten_during_an_outage_are_all_there_after_it<S: Server>() {
    let mut influxd = S::fresh();
    let mut dice = Dice::new(9);
    let first = time("2024-03-09 22:00:00");
    // Each collection holds its own rows only, as LoggerNet writes them where it is set to overwrite.
    let collections: Vec<Readings> = (0..6)
        .map(|collection| {
            let start = (first + TimeDelta::minutes(5 * collection), TimeDelta::seconds(1), 0);
            Readings::new("t", &["u", "v"], start, 300, |_, _| dice.number())
        })
        .collect();
    let station = Station::new(&influxd.destination(), "deadline = \"2s\"\nhealth = false", &[&collections[0]]);
    station.must(0, &["run"]);
    influxd.kill();
    for collection in &collections[1..5] {
        std::fs::write(station.path("t.dat"), collection.toa5()).unwrap();
        let ended = station.run(&["run"]);
        assert!(matches!(ended.exit, 0 | 1), "a link that is down refuses nothing: {ended:?}");
    }
    assert_eq!((station.times("t", "sent").len(), station.times("t", "pending").len()), (300, 1_200));
    influxd.revive_after_a_kill();
    std::fs::write(station.path("t.dat"), collections[5].toa5()).unwrap();
    let run = station.run(&["run"]);
    assert_eq!(run.json["sync"]["pending"].as_u64(), Some(0), "{run:?}");
    let wanted: Points = collections.iter().flat_map(Readings::points).collect();
    assert_same(&influxd.points(["t"]), &wanted);
}
