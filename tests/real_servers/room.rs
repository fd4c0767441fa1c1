//! A server whose disk is full takes nothing, and no row is lost or blamed for it.

use std::path::{Path, PathBuf};
use std::process::Command;

use chrono::TimeDelta;

use crate::each::{Server, on_each_influxdb};
use crate::readings::{Dice, Readings, time};
use crate::station::Station;

on_each_influxdb!(i5_rows_that_a_full_server_did_not_take_stay_pending_until_it_has_room);

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

fn i5_rows_that_a_full_server_did_not_take_stay_pending_until_it_has_room<S: Server>() {
    let folder = tempfile::tempdir().unwrap();
    let disk = SmallDisk::mount(folder.path(), 24);
    let mut influxd = S::fresh_in(&disk.0);
    let mut dice = Dice::new(11);
    let start = (time("2024-03-09 22:00:00"), TimeDelta::seconds(60), 1);
    let table = Readings::new("t", &["u", "v", "w"], start, 30_000, move |_, _| dice.number());
    let station = Station::new(&influxd.destination(), "batch_rows = 500\ndeadline = \"4s\"", &[&table]);
    station.must(0, &["ingest"]);
    // Nothing is left for the server from now on.
    let filler = disk.0.join("filler");
    let full = std::fs::write(&filler, vec![0; 64 << 20]);
    assert!(full.is_err(), "the disk should be full");
    let ended = station.run(&["sync"]);
    assert!(station.times("t", "rejected").is_empty(), "no row is to blame: {ended:?}");
    let sent = station.times("t", "sent");
    assert!(sent.len() < 30_000, "the server took everything: {ended:?}");
    let there = influxd.times("t");
    assert!(sent.iter().all(|row| there.binary_search(row).is_ok()), "a row is called sent that is not there");

    std::fs::remove_file(&filler).unwrap();
    // InfluxDB 1.6's log of writes stays broken until it is started again.
    influxd.kill();
    influxd.revive();
    for _ in 0..10 {
        station.run(&["sync"]);
        if station.times("t", "pending").is_empty() {
            break;
        }
    }
    assert_eq!(station.times("t", "sent").len(), 30_000);
    assert_eq!(station.times("t", "sent"), influxd.times("t"));
}
