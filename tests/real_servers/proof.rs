//! What the server lost or had no room for is found and sent again.

use std::path::{Path, PathBuf};
use std::process::Command;

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

/// A disk of a few megabytes, gone with the test.
struct SmallDisk(PathBuf);

impl SmallDisk {
    fn mount(folder: &Path, megabytes: u32) -> SmallDisk {
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={megabytes}m"), "tmpfs"])
            .arg(folder)
            .status()
            .unwrap();
        assert!(mounted.success(), "this test needs root to mount a small disk");
        SmallDisk(folder.to_owned())
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

#[test]
#[ignore = "needs real servers, see .ci/run"]
fn i5_rows_that_a_full_server_did_not_take_stay_pending_until_it_has_room() {
    let folder = tempfile::tempdir().unwrap();
    let disk = SmallDisk::mount(folder.path(), 24);
    let mut influxd = Influxd::start_in(&disk.0);
    influxd.query("", "CREATE DATABASE flux");
    let station = Station::new(&v1(&influxd), "batch_rows = 500\ndeadline = \"4s\"", &[&table(30_000)]);
    station.must(0, &["ingest"]);
    // Nothing is left for the server from now on.
    let filler = disk.0.join("filler");
    let full = std::fs::write(&filler, vec![0; 64 << 20]);
    assert!(full.is_err(), "the disk should be full");
    let ended = station.run(&["sync"]);
    assert!(station.times("t", "rejected").is_empty(), "no row is to blame: {ended:?}");
    let sent = station.times("t", "sent");
    assert!(sent.len() < 30_000, "the server took everything: {ended:?}");
    let there = found(&influxd);
    assert!(sent.iter().all(|row| there.binary_search(row).is_ok()), "a row is called sent that is not there");

    std::fs::remove_file(&filler).unwrap();
    // This InfluxDB's log of writes stays broken until it is started again.
    influxd.kill();
    influxd.revive();
    for _ in 0..10 {
        station.run(&["sync"]);
        if station.times("t", "pending").is_empty() {
            break;
        }
    }
    assert_eq!(station.times("t", "sent").len(), 30_000);
    assert_eq!(station.times("t", "sent"), found(&influxd));
}
