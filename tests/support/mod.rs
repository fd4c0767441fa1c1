//! What the test programs share: stations, what a logger writes, a server that stands in for InfluxDB.
//!
//! Every test builds a station of its own, so that tests share nothing and run side by side.

use std::io::Write as _;
use std::sync::atomic::{AtomicBool, Ordering};

pub mod dice;
#[cfg(target_os = "linux")]
pub mod disk;
#[cfg(target_os = "linux")]
pub mod faketime;
pub mod grafana;
mod logger;
pub mod server;
mod site;
mod station;
pub mod turbulence;
pub mod views;

pub use logger::Logger;
pub use site::{Site, ns, value};
#[allow(unused_imports, reason = "the invariants use some of these")]
pub use station::{DAT, Ended, InProcess, Row, Station, TABLE, WRONG_COUNTS};

/// Sets it when it is dropped: ends the other threads of a test, also of one that fails, which would wait for them for ever.
pub struct Stops<'a>(pub &'a AtomicBool);

impl Drop for Stops<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
    }
}

/// What Windows calls "Internal error". Wine gives it now and then where a process could not be started, and starts it the next time.
const INTERNAL_ERROR: i32 = 1359;

/// Starts a process by `start`, once more where Wine did not get as far as that. On other systems it is tried once.
pub fn start<T>(mut start: impl FnMut() -> std::io::Result<T>) -> T {
    for _ in 0..10 {
        match start() {
            Err(error) if cfg!(windows) && error.raw_os_error() == Some(INTERNAL_ERROR) => {
                std::thread::sleep(std::time::Duration::from_millis(200));
            }
            started => return started.unwrap(),
        }
    }
    start().unwrap()
}

/// Says that a test, or a part of it, could not be tried here, and why: past the harness, which keeps what a test that
/// passes prints to itself, and into the file that FLUXTOWER_NOT_RUN names, which `.ci/run` lists at its end.
pub fn not_run(why: &str) {
    let thread = std::thread::current();
    let line = format!("{}: {why}\n", thread.name().unwrap_or("a test"));
    std::io::stderr().write_all(format!("\nNOT RUN: {line}").as_bytes()).unwrap();
    if let Some(path) = std::env::var_os("FLUXTOWER_NOT_RUN") {
        let mut list = std::fs::File::options().create(true).append(true).open(path).unwrap();
        list.write_all(line.as_bytes()).unwrap();
    }
}

/// The random cases of a test: `PROPTEST_CASES`, or as many as every run can afford.
#[allow(dead_code, reason = "not every test program draws its cases")]
pub fn cases(usual: u32) -> u32 {
    std::env::var("PROPTEST_CASES").ok().and_then(|text| text.parse().ok()).unwrap_or(usual)
}

/// Physical lines: line ends, and one more if something stands behind the last.
pub fn physical_lines(bytes: &[u8]) -> u64 {
    let ends = bytes.iter().filter(|&&byte| byte == b'\n').count() as u64;
    ends + u64::from(bytes.last().is_some_and(|&last| last != b'\n'))
}

/// The version of the database that the program makes.
pub const NEWEST_VERSION: i64 = 15;

/// What takes a migration back, by the version that it makes, newest first.
const TAKEN_BACK: [(i64, &str); 14] = [
    (15, "ALTER TABLE file_seen DROP COLUMN headed_at;"),
    (14, "DROP INDEX conflict_decided; ALTER TABLE conflict DROP COLUMN decided;"),
    (13, "ALTER TABLE conflict DROP COLUMN stated_by;"),
    (12, "DROP TABLE aggregation; DROP TABLE due_window;"),
    (11, "ALTER TABLE reading DROP COLUMN header;"),
    (10, "DROP TABLE standing_finding; DROP TABLE notice; DROP TABLE notice_pending; DROP TABLE receiver;"),
    (
        9,
        "DROP INDEX rejected_line_stamp; ALTER TABLE rejected_line DROP COLUMN series;
         ALTER TABLE rejected_line DROP COLUMN stamp; ALTER TABLE rejected_line DROP COLUMN record;
         ALTER TABLE logger_table DROP COLUMN samples; ALTER TABLE logger_table DROP COLUMN stamp_interval;",
    ),
    (
        8,
        "DROP TABLE moving; ALTER TABLE logger_table DROP COLUMN corrections; ALTER TABLE logger_table DROP COLUMN moving_clock;
         ALTER TABLE logger_table DROP COLUMN moving_corrections; ALTER TABLE stale_point DROP COLUMN gone;
         ALTER TABLE stale_point DROP COLUMN record; ALTER TABLE stale_point DROP COLUMN flags;",
    ),
    (7, "DROP INDEX run_command; DROP INDEX run_ended; CREATE INDEX run_command ON run (command, exit, ended);"),
    (
        6,
        "DROP TABLE provisional; DROP TABLE decided_conflict; DROP TABLE decision; ALTER TABLE conflict DROP COLUMN header;
         ALTER TABLE conflict DROP COLUMN ts_text; ALTER TABLE conflict DROP COLUMN reason;
         ALTER TABLE file_seen DROP COLUMN held; ALTER TABLE logger_table DROP COLUMN tags_inputs;",
    ),
    (
        5,
        "DROP TABLE stale_point; DROP TABLE sent_field; ALTER TABLE series DROP COLUMN offered;
         ALTER TABLE series DROP COLUMN pruned;",
    ),
    (
        4,
        "DROP INDEX rejected_line_inputs; DROP INDEX rejected_line_held; ALTER TABLE rejected_line DROP COLUMN header;
         ALTER TABLE rejected_line DROP COLUMN inputs; ALTER TABLE rejected_line DROP COLUMN not_before;",
    ),
    (3, "DROP TABLE changed;"),
    (2, "ALTER TABLE reading DROP COLUMN raised; DROP TABLE manual_flag;"),
];

/// SQL that makes a database what an earlier version left. Views of its rows must be dropped before.
pub fn made_older(version: i64) -> String {
    let steps = TAKEN_BACK.iter().filter(|(makes, _)| *makes > version).map(|(_, sql)| *sql);
    steps.collect::<Vec<_>>().join(" ") + &format!(" PRAGMA user_version = {version};")
}
