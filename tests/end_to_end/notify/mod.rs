//! Findings reach users: a webhook and mail, through the program.

mod changes;
mod clock;
mod hook;
mod mail;
mod post_office;
mod queue;
mod webhook;

use std::path::Path;
use std::time::{Duration, Instant};

use chrono::{TimeDelta, Utc};
use fluxtower::config::Config;
use fluxtower::notify::Pass;
use fluxtower::status::Finding;
use fluxtower::store::Store;
use fluxtower::time::Timestamp;

use crate::support::{DAT, Logger, Station};

/// A fresh file of the station's table, five hours west of UTC.
fn fresh() -> String {
    let start = Utc::now() - TimeDelta::hours(5) - TimeDelta::seconds(10 + 5 * 99);
    Logger::par().start(&start.format("%Y-%m-%d %H:%M:%S").to_string()).file(0..100)
}

/// A station that tells of findings, with a file that was read and is well.
fn station(notify: &str) -> Station {
    let tower = new_station(notify);
    let _ = tower.run(&["ingest"]).expect(0);
    tower
}

/// As [`station`]; nothing was read yet.
fn new_station(notify: &str) -> Station {
    let tower = Station::new().judged_by_age().sync(&format!("[notify]\n{notify}\n[log]\nfile = \"fluxtower.log\""));
    tower.write(DAT, fresh());
    tower
}

/// The file cannot be read any more.
fn broken(tower: &Station) {
    tower.write(DAT, "\"TOB1\",\"64291\",\"CR1000X\"\r\n");
}

fn repaired(tower: &Station) {
    tower.write(DAT, fresh());
}

/// One pass of notifications. A child process that another test starts just then holds every lock of this process until it
/// runs its program, so the pass is tried until it is made.
fn tell(config: &Config, store: &Store, findings: &[Finding], now: Timestamp) {
    let limit = Duration::from_secs(120);
    let until = Instant::now() + limit;
    while fluxtower::notify::tell(config, store, findings, now, limit).unwrap() != Pass::Made {
        assert!(Instant::now() < until, "another process has the lock for {limit:?}");
        std::thread::yield_now();
    }
}

/// The pauses after failures are over.
fn pauses_are_over(tower: &Station) {
    set(tower, "UPDATE receiver SET not_before = 0");
}

fn set(tower: &Station, sql: &str) {
    rusqlite::Connection::open(tower.store_path()).unwrap().execute_batch(sql).unwrap();
}

/// What the program left in its folder: database, log and all.
fn leaves_no_trace(folder: &Path, secret: &str, but: &[&str]) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if but.contains(&name) || path.is_dir() {
            continue;
        }
        let bytes = std::fs::read(&path).unwrap();
        assert!(memchr::memmem::find(&bytes, secret.as_bytes()).is_none(), "{name} holds the secret");
    }
}
