//! Flags that a person sets, and limits that change.

use super::rows::{lower, upper};
use super::station::{LOWER, UPPER, file, judged, tower};
use crate::support::Station;

fn filled() -> Station {
    let tower = tower();
    tower.write("upper.dat", file(UPPER, &upper(30, 0, |_| None)));
    tower.write("lower.dat", file(LOWER, &lower(30)));
    tower.in_process().ingest();
    tower
}

const BIRD: [&str; 13] = [
    "flag",
    "--table",
    "upper",
    "--column",
    "TA",
    "--from",
    "2026-06-01 00:25",
    "--to",
    "2026-06-01 00:35",
    "--as",
    "4",
    "--reason",
    "a bird",
];

fn column(tower: &Station, place: usize) -> String {
    judged(tower, "upper").iter().map(|row| char::from(row.2.as_bytes()[place])).collect()
}

#[test]
fn a_flag_by_hand_holds_over_the_tests_is_sent_again_and_can_be_taken_back() {
    let tower = filled();
    let _ = tower.run(&["sync"]).expect(0);
    let before = judged(&tower, "upper");
    assert_eq!(tower.count("SELECT sum(pending) FROM logger_table"), 0);
    let set = tower.run_json(&BIRD).expect(0).json();
    assert_eq!((set["id"].as_u64(), set["changed"].as_u64()), (Some(1), Some(3)));
    assert_eq!(column(&tower, 0), format!("11111444{}", "1".repeat(22)));
    assert_eq!(tower.count("SELECT sum(pending) FROM logger_table"), 3, "rows whose flags change are sent again");
    let list = tower.run(&["flags", "--table", "upper", "--since", "2026-01-01"]).expect(0).stdout;
    assert!(list.contains("flag 4 by manual: a bird (manual flag 1)"), "{list}");
    assert!(list.contains("VPD") && list.contains("rests on TA"), "{list}");
    let _ = tower.run(&["sync"]).expect(0);
    let revoked = tower.run_json(&["flag", "--revoke", "1"]).expect(0).json();
    assert_eq!(revoked["changed"].as_u64(), Some(3));
    assert_eq!(judged(&tower, "upper"), before);
    assert_eq!(tower.count("SELECT sum(pending) FROM logger_table"), 3);
    let list = tower.run_json(&["flag", "--list"]).expect(0).json();
    assert!(list["flags"][0]["revoked"].is_string() && list["flags"][0]["reason"] == "a bird");
    let _ = tower.run(&["flag", "--revoke", "1"]).expect(2).says("flag --list");
}

#[test]
fn a_flag_by_hand_holds_for_rows_that_come_later() {
    let tower = tower();
    let lines = upper(30, 0, |_| None);
    tower.write("upper.dat", file(UPPER, &lines[..4]));
    tower.in_process().ingest();
    let _ = tower.run(&BIRD).expect(0);
    tower.write("upper.dat", file(UPPER, &lines));
    tower.in_process().ingest();
    assert_eq!(column(&tower, 0), format!("11111444{}", "1".repeat(22)));
}

#[test]
fn the_latest_of_two_flags_by_hand_counts() {
    let tower = filled();
    let _ = tower.run(&BIRD).expect(0);
    let mut good = BIRD;
    (good[10], good[12]) = ("1", "it was no bird");
    let _ = tower.run(&good).expect(0);
    assert_eq!(column(&tower, 0), "1".repeat(30));
    let _ = tower.run(&["flag", "--revoke", "2"]).expect(0);
    assert_eq!(column(&tower, 0), format!("11111444{}", "1".repeat(22)));
}

#[test]
fn an_untested_column_sends_its_flag_once_a_person_set_one() {
    let tower = Station::new().table("name = \"upper\"\nfiles = [\"upper.dat\"]");
    tower.write("upper.dat", file(UPPER, &upper(5, 0, |_| None)));
    let _ = tower.run(&["run"]).expect(0);
    let mut bird = BIRD;
    (bird[6], bird[8]) = ("2026-06-01 00:05", "2026-06-01 00:05");
    let _ = tower.run(&bird).expect(0);
    let _ = tower.run(&["sync"]).expect(0);
    let sent = || -> String {
        let mut all = String::new();
        for entry in walk(&tower.path("outbox")) {
            all.push_str(&std::fs::read_to_string(entry).unwrap());
        }
        all
    };
    assert!(sent().contains("TA_qc=4"), "{}", sent());
    let _ = tower.run(&["flag", "--revoke", "1"]).expect(0);
    let _ = tower.run(&["sync"]).expect(0);
    assert!(sent().contains("TA_qc=2"), "a revoked flag is taken back in the bucket too");
}

fn walk(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(walk(&path)) } else { found.push(path) }
    }
    found
}

#[test]
fn what_is_wrong_with_a_flag_is_said_before_anything_changes() {
    let tower = filled();
    let with = |at: usize, text: &'static str| {
        let mut args = BIRD;
        args[at] = text;
        tower.run(&args).expect(2)
    };
    let _ = with(2, "uper").says("upper");
    let _ = with(4, "TB").says("TA");
    let _ = with(6, "tomorrow").says("--from");
    let _ = with(8, "2026-05-01").says("swap them");
    let _ = with(10, "7").says("--as");
    let _ = with(12, " ").says("say why");
    assert_eq!(tower.count("SELECT count(*) FROM manual_flag"), 0);
}

#[test]
fn reflag_judges_by_todays_limits_and_sends_what_changed() {
    let tower = filled();
    let _ = tower.run(&["sync"]).expect(0);
    let text = std::fs::read_to_string(tower.config_path()).unwrap();
    let narrower = text.replacen(
        "spike = { suspect = 2, fail = 5 }",
        "suspect = [0, 15.35]\nspike = { suspect = 2, fail = 5 }",
        1,
    );
    assert_ne!(text, narrower);
    std::fs::write(tower.config_path(), narrower).unwrap();
    let report = tower.run_json(&["reflag", "--since", "2026-06-01 01:00"]).expect(0).json();
    let changed = report["changed"].as_i64().unwrap();
    assert!(changed > 0);
    assert_eq!(tower.count("SELECT sum(pending) FROM logger_table"), changed);
    assert!(column(&tower, 0)[..11].bytes().all(|digit| digit == b'1'), "before --since nothing changes");
    assert!(column(&tower, 0)[12..].contains('3'));
    let again = tower.run_json(&["reflag", "--since", "2026-06-01 01:00"]).expect(0).json();
    assert_eq!(again["changed"].as_i64(), Some(0));
}
