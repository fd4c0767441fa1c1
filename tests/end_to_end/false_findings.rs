//! What a user is told although it is not so, or is not told although it is so, through the program.

use chrono::{TimeDelta, Utc};
use fluxtower::store::{Lock, LockKind};
use serde_json::Value;

use crate::support::{DAT, Logger, Station, TABLE};

const DAY: i64 = 86_400;
const NANOS: i64 = 1_000_000_000;

/// A logger at the station, five hours west of UTC, whose row `rows - 1` is `age` seconds old.
fn logger(rows: i64, age: i64) -> Logger {
    let start = Utc::now() - TimeDelta::hours(5) - TimeDelta::seconds(age + 5 * (rows - 1));
    Logger::par().start(&start.format("%Y-%m-%d %H:%M:%S").to_string())
}

/// A station whose table is fresh, and whose rows are sent.
fn well() -> Station {
    let tower = Station::new();
    tower.write(DAT, logger(100, 10).file(0..100));
    let _ = tower.run(&["run"]).expect(0);
    tower
}

fn kinds(tower: &Station) -> Vec<String> {
    let status = tower.run_json(&["status"]).json();
    let findings = status["findings"].as_array().unwrap();
    findings.iter().map(|finding| finding["kind"].as_str().unwrap().to_owned()).collect()
}

fn change(tower: &Station, sql: &str) {
    let conn = rusqlite::Connection::open(tower.store_path()).unwrap();
    conn.execute_batch(sql).unwrap();
}

#[test]
fn i12_a_table_without_a_row_is_not_well_after_a_run() {
    let tower = Station::new().more("[[table]]\nname = \"soil\"\nfiles = [\"soli.dat\"]\n");
    tower.write(DAT, logger(100, 10).file(0..100));
    let _ = tower.run(&["run"]);
    let status = tower.run_json(&["status"]).expect(1).json();
    let never = status["findings"].as_array().unwrap().iter().find(|finding| finding["kind"] == "never_read").unwrap();
    assert_eq!(never["table"], "soil", "{status}");
    let said = tower.run(&["status"]).stdout;
    assert!(!said.contains("all well"), "{said}");
    tower.write("soli.dat", Logger::par().table("soil").header());
    let _ = tower.run(&["run"]);
    let said = tower.run(&["status"]).expect(1).stdout;
    assert!(said.contains("table \"soil\" has no row"), "{said}");
}

#[test]
fn i6_prune_measures_from_the_newest_row_where_this_computer_may_be_ahead() {
    let tower = Station::new();
    // As on a computer whose clock is 400 days ahead: a folder cannot be asked what it has.
    tower.write(DAT, logger(100, 400 * DAY).file(0..100));
    let _ = tower.run(&["run"]);
    let pruned = tower.run_json(&["prune", "--older-than", "365"]).expect(0);
    assert_eq!(pruned.number("pruned"), 0);
    assert_eq!(tower.count("SELECT count(*) FROM reading"), 100);
    assert_eq!(tower.run_json(&["prune", "--older-than", "0"]).expect(0).number("pruned"), 100);
}

#[test]
fn prune_and_verify_beside_a_sync_fail_and_report_no_zeros() {
    let tower = well();
    let _lock = Lock::take(&tower.store_path(), LockKind::Sync).unwrap().unwrap();
    for arguments in [&["prune", "--older-than", "1"][..], &["verify", "--requeue"]] {
        let ended = tower.run_json(arguments).expect(4).says("is at work");
        assert!(!ended.stdout.contains("missing") && !ended.stdout.contains("pruned"), "{ended:?}");
    }
}

#[test]
fn check_says_that_every_ingest_fails() {
    let tower = well();
    // As another program, or a later version, might write it.
    change(&tower, "UPDATE logger_table SET clock = 'sundial'");
    let _ = tower.run(&["run"]).expect(2);
    let said = tower.run(&["check"]).expect(1).stdout;
    assert!(said.contains("failed: table") && said.contains("was staged with the clock"), "{said}");
    change(&tower, "UPDATE logger_table SET clock = '-05:00'");
    let _ = tower.run(&["run"]).expect(0);
    let said = tower.run(&["check"]).stdout;
    assert!(!said.contains("failed"), "{said}");
}

#[test]
fn a_clock_of_a_server_says_nothing_of_a_folder() {
    let tower = well();
    change(&tower, "INSERT OR REPLACE INTO setting (key, value) VALUES ('server ahead', '9000')");
    assert_eq!(kinds(&tower), Vec::<String>::new());
}

#[test]
fn a_clock_of_a_server_keeps_no_row_that_went_to_a_folder() {
    let tower = Station::new();
    let start = (Utc::now() - TimeDelta::hours(5 + 100)).format("%Y-%m-%d %H:%M:%S").to_string();
    tower.write(DAT, Logger::par().every(TimeDelta::hours(1)).start(&start).file(0..100));
    let _ = tower.run(&["run"]);
    change(&tower, "INSERT OR REPLACE INTO setting (key, value) VALUES ('server ahead', '9000')");
    tower.replace_in_config("[store]\n", "[store]\nkeep = \"1d\"\n");
    let _ = tower.run(&["run"]);
    let kept = tower.count("SELECT count(*) FROM reading");
    assert!((20..=50).contains(&kept), "{kept}");
}

#[test]
fn a_schedule_of_half_a_day_is_given_two_of_its_starts() {
    let tower = Station::new().table_keys("stale_after = \"30d\"");
    tower.write(DAT, logger(100, 10).file(0..100));
    let _ = tower.run(&["run", "--scheduled", "12h"]).expect(0);
    let schedule = || {
        let check = tower.run(&["check"]).stdout;
        check.lines().find(|line| line.contains("schedule")).unwrap().to_owned()
    };
    let back = |hours: i64| {
        let nanos = hours * 3_600 * NANOS;
        change(&tower, &format!("UPDATE run SET started = started - {nanos}, ended = ended - {nanos}"));
    };
    back(13);
    assert!(schedule().starts_with("ok"), "{}", schedule());
    back(12);
    assert!(schedule().starts_with("look"), "{}", schedule());
}

#[test]
fn a_network_share_is_a_finding_only_while_rows_do_not_come() {
    let share = format!("name = \"{TABLE}\"\nfiles = [\"{DAT}\", \"//nas/flux/met.dat\"]");
    let tower = Station::new().table(&share);
    tower.write(DAT, logger(100, 10).file(0..100));
    let _ = tower.run(&["run", "--scheduled", "5m"]);
    assert!(!kinds(&tower).contains(&"network_share".to_owned()), "{:?}", kinds(&tower));
    let tower = tower.table(&format!("{share}\nstale_after = \"1s\""));
    assert!(kinds(&tower).contains(&"network_share".to_owned()), "{:?}", kinds(&tower));
}

#[test]
fn rows_after_days_without_any_are_no_problem_before_the_next_sync() {
    let tower = well();
    let back = 3 * DAY * NANOS;
    change(&tower, &format!("UPDATE receipt SET at = at - {back}"));
    let logger = logger(101, 5);
    tower.append(DAT, logger.row_as(100, 100));
    let _ = tower.run(&["ingest"]).expect(0);
    assert!(!kinds(&tower).contains(&"not_acknowledged".to_owned()), "{:?}", kinds(&tower));
    // No sync of the last day left nothing pending.
    change(&tower, &format!("UPDATE run SET started = started - {back}, ended = ended - {back}"));
    assert!(kinds(&tower).contains(&"not_acknowledged".to_owned()), "{:?}", kinds(&tower));
}

#[test]
fn an_agent_that_stayed_up_once_is_forgotten_by_a_plain_run() {
    let tower = well();
    let starts = "SELECT count(*) FROM setting WHERE key = 'schedule'";
    change(&tower, "INSERT OR REPLACE INTO setting (key, value) VALUES ('schedule', 'stays up')");
    let _ = tower.run(&["run"]).expect(0);
    assert_eq!(tower.count(starts), 0);
    let _ = tower.run(&["run", "--scheduled", "5m"]).expect(0);
    let _ = tower.run(&["run"]).expect(0);
    assert_eq!(tower.count(starts), 1, "a run by hand does not change the schedule");
}

#[test]
fn a_flag_on_a_table_that_the_configuration_no_longer_has_is_refused_before_it_is_set() {
    let tower = well();
    let tower = tower.table(&format!("name = \"other\"\nfiles = [\"{DAT}\"]"));
    let flag = ["flag", "--table", TABLE, "--column", "PPFD", "--as", "4", "--reason", "x", "--from", "2026-01-01"];
    let _ = tower.run(&[&flag[..], &["--to", "2026-01-02"]].concat()).expect(2).says("no table is named");
    assert_eq!(tower.run_json(&["flag", "--list"]).expect(0).json()["flags"], Value::Array(Vec::new()));
}

#[test]
fn one_request_is_one_request() {
    let tower = Station::new();
    tower.write(DAT, logger(100, 10).file(0..100));
    let _ = tower.run(&["ingest"]).expect(0);
    let said = tower.run(&["sync", "--dry-run"]).expect(0).stdout;
    assert!(said.contains("in 1 request ("), "{said}");
}
