//! A logger's clock that was wrong for a period, and offsets from UTC that are put right later: the stored rows move to the
//! time that their stamps mean, are sent again, and leave no point behind (I2, I3, I11).
//!
//! The oracle: a station that read the same files with the right configuration from the start.

use crate::support::server::Server;
use crate::support::{DAT, Ended, Row, Site, Station, TABLE, WRONG_COUNTS, ns};

pub(crate) const HEADER: &str = "\"TOA5\",\"UMB\",\"CR1000\",\"1\",\"CR1000.Std.32\",\"CPU:p.CR1\",\"1\",\"met\"\r\n\
    \"TIMESTAMP\",\"RECORD\",\"T_Avg\",\"P_Avg\"\r\n\"TS\",\"RN\",\"Deg C\",\"kPa\"\r\n\"\",\"\",\"Avg\",\"Avg\"\r\n";

/// So many minutes after 2026-06-01 00:00:00, as a logger writes it.
pub(crate) fn stamp(minute: i64) -> String {
    let at = chrono::DateTime::from_timestamp(ns(minute) / 1_000_000_000, 0).unwrap();
    at.format("%Y-%m-%d %H:%M:%S").to_string()
}

/// A row; its values tell its record.
pub(crate) fn row(stamp: &str, record: i64) -> String {
    format!("\"{stamp}\",{record},{},98.5\r\n", value(record))
}

fn value(record: i64) -> i64 {
    record % 89
}

/// A row every five minutes from a minute on.
pub(crate) fn rows(records: std::ops::Range<i64>, minute: i64) -> String {
    records.clone().map(|record| row(&stamp(minute + (record - records.start) * 5), record)).collect()
}

/// Time and record of each row of a store.
fn known(rows: &[Row]) -> Vec<(String, Option<i64>)> {
    rows.iter().map(|row| (row.time(), row.record)).collect()
}

/// Everything of the rows that must not depend on how they came to their times.
fn told(tower: &Station, table: &str) -> Vec<String> {
    let rows = tower.rows(table);
    rows.iter().map(|row| format!("{} {:?} {} {} {}", row.time(), row.record, row.tags, row.vals, row.flags)).collect()
}

pub(crate) fn counts(tower: &Station) -> (i64, i64, i64) {
    (
        tower.count("SELECT count(*) FROM reading"),
        tower.count("SELECT count(*) FROM conflict"),
        tower.count("SELECT count(*) FROM rejected_line"),
    )
}

/// What `logger_table` counts is what the tables hold.
#[track_caller]
fn the_counts_are_right(tower: &Station) {
    assert_eq!(tower.count(WRONG_COUNTS), 0, "the counts of logger_table");
    assert_eq!(tower.count("SELECT count(*) FROM moving"), 0, "rows on their way");
}

/// The station's rows, conflicts, rejected lines and gaps are those of one that read the file with this configuration
/// from the start.
#[track_caller]
pub(crate) fn is_as_if_right_from_the_start(tower: &Station, content: &str) {
    let fresh = Station::new();
    std::fs::copy(tower.config_path(), fresh.config_path()).unwrap();
    fresh.write(DAT, content);
    fresh.run(&["ingest"]).works();
    let (here, there) = (told(tower, TABLE), told(&fresh, TABLE));
    let differ: Vec<_> = here.iter().zip(&there).filter(|(one, other)| one != other).take(5).collect();
    assert!(differ.is_empty(), "{differ:?}");
    assert_eq!(counts(tower), counts(&fresh));
    the_counts_are_right(tower);
    let gaps = |tower: &Station| tower.run_json(&["gaps"]).works().json();
    assert_eq!(gaps(tower), gaps(&fresh));
    // Read again, no row is new.
    let before = counts(tower);
    let again = tower.run_json(&["ingest", DAT]).works();
    assert_eq!(again.json()["tables"][0]["staged"], 0, "I3");
    assert_eq!(counts(tower), before);
}

fn notes(ended: &Ended) -> String {
    ended.json()["tables"][0]["notes"].to_string()
}

/// A station on UTC with this file.
fn tower(content: &str) -> Station {
    let tower = Station::new().clock("utc_offset = \"+00:00\"");
    tower.write(DAT, [HEADER, content].concat());
    tower
}

pub(crate) fn correct(tower: &mut Station, entry: &str) {
    tower.configure(|sections| sections.more = format!("[[table.clock]]\n{entry}\n"));
}

pub(crate) fn uncorrect(tower: &mut Station) {
    tower.configure(|sections| sections.more.clear());
}

/// A clock that was never set: three hours from 2000-01-01 on, then set to 2026-06-01 03:00.
fn never_set() -> String {
    let lost: String = (0..36)
        .map(|record| row(&format!("2000-01-01 {:02}:{:02}:00", record / 12, record % 12 * 5), record))
        .collect();
    lost + &rows(36..72, 180)
}

/// From 2000-01-01 to 2026-06-01.
const NEVER_SET: &str = "from = \"2000-01-01 00:00:00\"\nuntil = \"2000-01-01 03:00:00\"\nadd = \"9648d\"";

#[test]
fn i11_rows_of_a_clock_that_was_never_set_become_rows_when_the_period_is_corrected() {
    let mut tower = tower(&never_set());
    tower.run(&["ingest"]).works();
    assert_eq!(counts(&tower), (36, 0, 36));
    correct(&mut tower, NEVER_SET);
    let ended = tower.run_json(&["ingest"]).works();
    assert_eq!(ended.json()["tables"][0]["taken_up"], 36);
    let rows = known(&tower.rows(TABLE));
    assert_eq!(rows.len(), 72);
    for (record, (time, found)) in rows.iter().enumerate() {
        assert_eq!(
            (time.as_str(), *found),
            (&*format!("{}Z", stamp(record as i64 * 5).replace(' ', "T")), Some(record as i64))
        );
    }
    // The stamp that the logger wrote is kept.
    assert_eq!(tower.rows(TABLE)[1].ts_text.as_deref(), Some("2000-01-01 00:05:00"));
    is_as_if_right_from_the_start(&tower, &[HEADER, &never_set()].concat());
    // Without the correction they have no time that can be believed, and are rejected lines again; with it, rows.
    uncorrect(&mut tower);
    tower.run(&["ingest"]).works();
    assert_eq!(counts(&tower), (36, 0, 36));
    the_counts_are_right(&tower);
    correct(&mut tower, NEVER_SET);
    tower.run(&["ingest"]).works();
    assert_eq!(known(&tower.rows(TABLE)), rows);
    the_counts_are_right(&tower);
}

/// 200 rows, of which the rows from 50 to 149 have stamps an hour too early.
fn an_hour_off() -> String {
    rows(0..50, 60) + &rows(50..150, 60 + 250 - 60) + &rows(150..200, 60 + 750)
}

fn hour_off() -> String {
    format!(
        "from = \"{}\"\nuntil = \"{}\"\nadd = \"1h\"\nrecord_from = 50\nrecord_until = 150",
        stamp(60 + 250 - 60),
        stamp(60 + 750 - 60)
    )
}

#[test]
fn i3_rows_of_an_hour_off_move_when_it_is_corrected_later_and_move_back_when_it_is_not() {
    let content = an_hour_off();
    let mut tower = tower(&content);
    tower.run(&["ingest"]).works();
    // Twelve stamps came twice.
    assert_eq!(counts(&tower), (188, 12, 0));
    let before = told(&tower, TABLE);
    correct(&mut tower, &hour_off());
    let ended = tower.run_json(&["ingest"]).works();
    assert!(notes(&ended).contains("88 rows have another time"), "{}", notes(&ended));
    assert!(notes(&ended).contains("12 conflicts became rows"), "{}", notes(&ended));
    assert_eq!(counts(&tower), (200, 0, 0));
    is_as_if_right_from_the_start(&tower, &[HEADER, &content].concat());
    assert!(tower.run(&["decisions"]).expect(0).stdout.contains("clock of table"), "it is listed");
    uncorrect(&mut tower);
    tower.run(&["ingest"]).works();
    assert_eq!(counts(&tower), (188, 12, 0));
    assert_eq!(told(&tower, TABLE), before);
    the_counts_are_right(&tower);
    // Said once.
    assert_eq!(notes(&tower.run_json(&["ingest"])), "[]");
}

#[test]
fn i11_a_correction_that_changes_twice_leaves_what_the_last_one_says() {
    let content = an_hour_off();
    let mut tower = tower(&content);
    tower.run(&["ingest"]).works();
    for add in ["\"2h\"", "\"-37m\"", "\"1h\""] {
        correct(&mut tower, &hour_off().replace("\"1h\"", add));
        tower.run(&["ingest"]).works();
        the_counts_are_right(&tower);
    }
    is_as_if_right_from_the_start(&tower, &[HEADER, &content].concat());
}

#[test]
fn i11_a_clock_that_jumped_at_a_battery_change_is_told_apart_by_record_numbers() {
    // Three hours on, the battery is changed and the clock stands an hour and a half back; it is never set again.
    let content = rows(0..36, 0) + &rows(36..90, 90);
    let mut tower = tower(&content);
    tower.run(&["ingest"]).works();
    assert_eq!(counts(&tower), (72, 18, 0));
    correct(&mut tower, &format!("from = \"{}\"\nadd = \"1h 30m\"\nrecord_from = 36", stamp(90)));
    tower.run(&["ingest"]).works();
    assert_eq!(counts(&tower), (90, 0, 0));
    let minutes: Vec<String> = (0..90).map(|record| format!("{}Z", stamp(record * 5).replace(' ', "T"))).collect();
    assert_eq!(known(&tower.rows(TABLE)).into_iter().map(|(time, _)| time).collect::<Vec<_>>(), minutes);
    is_as_if_right_from_the_start(&tower, &[HEADER, &content].concat());
    // The step is explained.
    let gaps = tower.run_json(&["gaps"]).works().json();
    assert_eq!(gaps["clock"], serde_json::json!([]), "{gaps}");
    // New rows of the period are corrected as they come.
    tower.append(DAT, row(&stamp(90 + 54 * 5), 90));
    tower.run(&["ingest"]).works();
    assert_eq!(known(&tower.rows(TABLE)).last().unwrap().0, format!("{}Z", stamp(450).replace(' ', "T")));
}

#[test]
fn i3_a_moved_row_on_the_time_of_another_row_becomes_a_conflict_to_decide_and_an_identical_one_is_merged() {
    // Records 10 and 11 should not have been corrected: two rows are there already, one of them the same.
    let content = rows(0..10, 0) + &row(&stamp(45 + 60), 7) + &row(&stamp(50 + 60), 21);
    let same = row(&stamp(35), 7);
    assert!(content.contains(&same));
    let mut tower = tower(&(content + &row(&stamp(50), 20)));
    tower.run(&["ingest"]).works();
    assert_eq!(counts(&tower), (13, 0, 0));
    correct(&mut tower, &format!("from = \"{}\"\nadd = \"-70m\"\nuntil = \"{}\"", stamp(105), stamp(106)));
    let ended = tower.run_json(&["ingest"]).works();
    assert!(notes(&ended).contains("1 was there already"), "{}", notes(&ended));
    assert_eq!(counts(&tower), (12, 0, 0));
    correct(&mut tower, &format!("from = \"{}\"\nadd = \"-1h\"\nuntil = \"{}\"", stamp(110), stamp(111)));
    let ended = tower.run_json(&["ingest"]).works();
    assert!(notes(&ended).contains("fluxtower conflicts"), "{}", notes(&ended));
    assert_eq!(tower.count("SELECT count(*) FROM conflict"), 1);
    the_counts_are_right(&tower);
    // It can be decided, and comes back when the correction goes.
    tower.run(&["conflicts", "--keep", "newer"]).works();
    let at_50 = |tower: &Station| {
        let time = format!("{}Z", stamp(50).replace(' ', "T"));
        known(&tower.rows(TABLE)).into_iter().find(|(at, _)| *at == time).unwrap().1
    };
    assert_eq!(at_50(&tower), Some(21));
    uncorrect(&mut tower);
    tower.run(&["ingest"]).works();
    assert_eq!(at_50(&tower), Some(20));
    assert_eq!(tower.count("SELECT count(*) FROM conflict"), 0);
    the_counts_are_right(&tower);
}

/// Every point of the server is a sent row of the store, with its value.
#[track_caller]
fn the_bucket_is_the_store(site: &Site, server: &Server) {
    let store = rusqlite::Connection::open(site.path("store.db")).unwrap();
    let mut statement = store.prepare("SELECT ts, record, state FROM t_met ORDER BY ts").unwrap();
    let rows: Vec<(i64, i64, String)> = statement
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    let points = server.points();
    assert_eq!(points.faults, Vec::<String>::new());
    let times: Vec<i64> = points.rows().into_iter().map(|(_, at)| at).collect();
    assert_eq!(times, rows.iter().map(|(ts, ..)| *ts).collect::<Vec<_>>());
    for (ts, record, state) in rows {
        assert_eq!(state, "sent", "{ts}");
        assert_eq!(points.field("met", ts, "T_Avg"), Some(value(record) as f64), "{ts}");
    }
    assert_eq!(store.query_row("SELECT count(*) FROM stale_point", [], |row| row.get::<_, i64>(0)).unwrap(), 0);
}

fn site(server: &Server, destination: &str, content: &str) -> Site {
    let site = Site::with(&server.url(), &["met"], destination, "");
    if destination.contains("v1") {
        for key in ["org = \"umbs\"\n", "token_env = \"FLUXTOWER_TEST_TOKEN\"\n"] {
            site.replace_in_config(key, "");
        }
    }
    std::fs::write(site.path("met.dat"), [HEADER, content].concat()).unwrap();
    site.run(&["ingest"]).works();
    site
}

#[test]
fn i3_rows_that_were_sent_are_sent_under_their_true_time_and_leave_no_point_behind() {
    for destination in ["", "api = \"v1\""] {
        let server = Server::start();
        let site = site(&server, destination, &an_hour_off());
        site.sync().works();
        assert_eq!(site.count("sent"), 188);
        site.add_to_config(&format!("[[table.clock]]\n{}", hour_off()));
        site.run(&["ingest"]).works();
        assert_eq!(site.count("pending"), 100);
        site.sync().works();
        the_bucket_is_the_store(&site, &server);
        assert_eq!(site.count("sent"), 200);
        // Without the correction they go back, and no point stays under the time in between.
        site.replace_in_config("record_from = 50", "record_from = 90000");
        site.replace_in_config("record_until = 150", "record_until = 90001");
        site.run(&["ingest"]).works();
        site.sync().works();
        the_bucket_is_the_store(&site, &server);
        assert_eq!(site.count("sent"), 188);
    }
}

#[test]
fn points_of_a_shift_beside_the_usual_steps_are_removed_in_few_requests() {
    let server = Server::start();
    let site = site(&server, "", &rows(0..600, 0));
    site.sync().works();
    site.add_to_config(&format!("[[table.clock]]\nfrom = \"{}\"\nadd = \"37m\"", stamp(500)));
    site.run(&["ingest"]).works();
    site.sync().works();
    the_bucket_is_the_store(&site, &server);
    let removals = server.removed().iter().filter(|removed| removed.measurement == "met").count();
    assert!(removals < 20, "{removals} removals of 500 points");
}

#[test]
fn i11_what_a_destination_cannot_remove_is_named_with_table_and_times() {
    let mut tower = tower(&rows(0..100, 0));
    tower.run(&["run"]).works();
    correct(&mut tower, &format!("from = \"{}\"\nadd = \"37m\"", stamp(250)));
    let ended = tower.run_json(&["ingest"]).works();
    assert!(notes(&ended).contains("cannot be removed from this destination"), "{}", notes(&ended));
    let synced = tower.run_json(&["sync"]).works();
    let said = synced.notes();
    assert!(said.contains("stand at times that no row has any more") && said.contains(TABLE), "{said}");
    assert_eq!(tower.count("SELECT count(*) FROM reading WHERE state <> 1"), 0);
    // Once.
    assert!(!tower.run_json(&["sync"]).works().notes().contains("stand at times"));
}

/// Kills an ingest as soon as the store looks like this, and gives whether it did.
#[cfg(unix)]
fn killed_when(tower: &Station, arguments: &[&str], looks: &str) -> bool {
    let mut child = tower.command(arguments);
    let mut child = child.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null()).spawn().unwrap();
    loop {
        if child.try_wait().unwrap().is_some() {
            return false;
        }
        if tower.database().query_row(looks, [], |row| row.get::<_, i64>(0)).unwrap_or(0) > 0 {
            child.kill().unwrap();
            child.wait().unwrap();
            return true;
        }
    }
}

#[cfg(unix)]
#[test]
fn i3_a_move_that_is_killed_at_any_point_is_finished_by_the_next_ingest() {
    let content = rows(0..6_000, 0);
    let right = format!("from = \"{}\"\nadd = \"1h\"", stamp(100));
    let mut was_killed_once = false;
    for looks in [
        "SELECT count(*) > 1500 FROM moving",
        "SELECT count(*) > 4000 FROM moving",
        "SELECT moving_clock IS NOT NULL FROM logger_table",
        "SELECT moving_clock IS NOT NULL AND (SELECT count(*) FROM moving) < 4000 FROM logger_table",
        "SELECT moving_clock IS NOT NULL AND (SELECT count(*) FROM moving) < 900 FROM logger_table",
    ] {
        let mut tower = tower(&content);
        tower.run(&["run"]).works();
        correct(&mut tower, &right);
        let was_killed = killed_when(&tower, &["ingest"], looks);
        // A sync in between sends nothing twice.
        tower.run(&["sync"]).works();
        let ended = tower.run_json(&["ingest"]).works();
        is_as_if_right_from_the_start(&tower, &[HEADER, &content].concat());
        was_killed_once |= was_killed;
        drop(ended);
        tower.run(&["sync"]).works();
        assert_eq!(tower.count("SELECT count(*) FROM reading WHERE state <> 1"), 0);
        // The configuration of before, while a move was under way.
        correct(&mut tower, &right.replace("1h", "2h"));
        let _ = killed_when(&tower, &["ingest"], looks);
        uncorrect(&mut tower);
        tower.run(&["ingest"]).works();
        is_as_if_right_from_the_start(&tower, &[HEADER, &content].concat());
    }
    assert!(was_killed_once, "no move was killed: make the file longer");
}

#[test]
fn offsets_change_only_with_the_command_which_says_beforehand_what_it_would_do() {
    let content = rows(0..60, 0);
    let mut tower = tower(&content);
    tower.run(&["run"]).works();
    let before = told(&tower, TABLE);
    tower.configure(|sections| sections.clock = "utc_offset = \"-05:00\"".to_owned());
    assert!(tower.run(&["ingest"]).expect(1).stdout.contains("fluxtower rekey"));
    assert_eq!(told(&tower, TABLE), before, "an ingest moves nothing");
    let would = tower.run(&["rekey", "--dry-run"]).expect(0).stdout;
    assert!(would.contains("60 rows") && would.contains("60 points") && would.contains("cannot remove"), "{would}");
    assert_eq!(tower.run_json(&["rekey", "--dry-run"]).expect(0).json()["tables"][0]["rows"], 60);
    assert_eq!(told(&tower, TABLE), before, "--dry-run");
    let done = tower.run_json(&["rekey"]).expect(0).json();
    assert_eq!((&done["tables"][0]["rows"], &done["tables"][0]["conflicts"]), (&60.into(), &0.into()));
    assert_eq!(tower.rows(TABLE)[0].time(), "2026-06-01T05:00:00Z");
    assert_eq!(tower.rows(TABLE)[0].ts_text, None, "the stamp can be printed from the time");
    is_as_if_right_from_the_start(&tower, &[HEADER, &content].concat());
    assert!(tower.run(&["rekey"]).expect(0).stdout.contains("nothing is to be moved"));
    // And back.
    tower.configure(|sections| sections.clock = "utc_offset = \"+00:00\"".to_owned());
    tower.run(&["rekey"]).expect(0);
    assert_eq!(told(&tower, TABLE), before);
    the_counts_are_right(&tower);
}

#[test]
fn i1_i9_files_that_are_overwritten_before_another_offset_is_confirmed_are_read_by_the_clock_of_the_rows_that_are_there()
 {
    let mut tower = tower(&rows(0..60, 0));
    tower.run(&["run"]).works();
    tower.configure(|sections| sections.clock = "utc_offset = \"-05:00\"".to_owned());
    // LoggerNet overwrites the file twice before the operator reads the message.
    for records in [60..90, 90..120] {
        tower.write(DAT, [HEADER, &rows(records.clone(), records.start * 5)].concat());
        let said = tower.run(&["run"]).expect(1).stdout;
        assert!(said.contains("new rows are staged with +00:00"), "{said}");
    }
    assert_eq!(counts(&tower), (120, 0, 0));
    assert_eq!(tower.rows(TABLE)[119].time(), "2026-06-01T09:55:00Z", "one clock for the whole table");
    let status = tower.run_json(&["status"]).expect(1).json();
    let kinds: Vec<_> = status["findings"].as_array().unwrap().iter().map(|finding| finding["kind"].clone()).collect();
    assert!(kinds.contains(&"offset_unconfirmed".into()), "{kinds:?}");
    // Decisions by hand are taken by the same clock.
    tower.run(&["rejected", "--again"]).works();
    tower.run(&["conflicts", "--keep", "newer"]).works();
    tower.run(&["rekey"]).expect(0);
    is_as_if_right_from_the_start(&tower, &[HEADER, &rows(0..120, 0)].concat());
    let status = tower.run_json(&["status"]).works().json();
    assert!(!status.to_string().contains("offset_unconfirmed"), "{status}");
}

#[test]
fn i1_an_offset_that_moves_no_row_is_taken_at_once_so_that_no_file_waits_for_a_command() {
    let mut tower = tower(&rows(0..60, 0)).clock("utc_offset = \"-04:00\"");
    tower.run(&["ingest"]).works();
    // Twelve stamps come twice, from record 70 on.
    let change = format!("[[station.offset]]\nfrom = \"{}\"\nutc_offset = \"-05:00\"\nrecord_from = 70", stamp(290));
    tower.configure(|sections| sections.clock = format!("utc_offset = \"-04:00\"\n{change}"));
    // LoggerNet overwrites the file.
    tower.write(DAT, [HEADER, &rows(60..70, 300), &rows(70..90, 290)].concat());
    tower.run(&["ingest"]).works();
    let content = [HEADER, &rows(0..70, 0), &rows(70..90, 290)].concat();
    assert_eq!(counts(&tower), (90, 0, 0));
    is_as_if_right_from_the_start(&tower, &content);
    assert!(tower.run(&["rekey"]).expect(0).stdout.contains("nothing is to be moved"));
}

#[test]
fn i3_an_offset_from_a_date_on_moves_the_rows_from_there_on_and_the_record_tells_the_hour_that_came_twice() {
    // At record 60 the clock goes from UTC-4 to UTC-5: twelve stamps come twice.
    let content = rows(0..60, 0) + &rows(60..120, 240);
    let mut tower = tower(&content).clock("utc_offset = \"-04:00\"");
    tower.run(&["ingest"]).works();
    assert_eq!(counts(&tower), (108, 12, 0));
    let change = format!("[[station.offset]]\nfrom = \"{}\"\nutc_offset = \"-05:00\"\nrecord_from = 60", stamp(240));
    tower.configure(|sections| sections.clock = format!("utc_offset = \"-04:00\"\n{change}"));
    assert!(tower.run(&["ingest"]).works().stdout.contains("-05:00 from 2026-06-01 04:00:00 at record 60"));
    tower.run(&["rekey"]).expect(0);
    assert_eq!(counts(&tower), (120, 0, 0));
    let times: Vec<String> = known(&tower.rows(TABLE)).into_iter().map(|(time, _)| time).collect();
    let expected: Vec<String> = (0..120).map(|row| format!("{}Z", stamp(240 + row * 5).replace(' ', "T"))).collect();
    assert_eq!(times, expected);
    is_as_if_right_from_the_start(&tower, &[HEADER, &content].concat());
    tower.append(DAT, rows(120..121, 240 + 300));
    tower.run(&["ingest"]).works();
    assert_eq!(tower.rows(TABLE).last().unwrap().time(), format!("{}Z", stamp(240 + 600).replace(' ', "T")));
}

#[test]
fn i3_rows_staged_by_a_zone_move_to_an_offset_and_back() {
    // The logger does not follow Detroit's clock: over the night of 2024-03-10 its hour from 02:00 is rejected.
    let at = |row: i64| format!("2024-03-10 {:02}:{:02}:00", row / 12, row % 12 * 5);
    let content: String = (0..96).map(|record| row(&at(record), record)).collect();
    let mut tower = tower(&content).clock("timezone = \"America/Detroit\"");
    tower.run(&["ingest"]).works();
    assert_eq!(counts(&tower), (84, 0, 12));
    let by_zone = told(&tower, TABLE);
    tower.configure(|sections| sections.clock = "utc_offset = \"-05:00\"".to_owned());
    tower.run(&["rekey"]).expect(0);
    tower.run(&["ingest"]).works();
    assert_eq!(counts(&tower), (96, 0, 0));
    is_as_if_right_from_the_start(&tower, &[HEADER, &content].concat());
    tower.configure(|sections| sections.clock = "timezone = \"America/Detroit\"".to_owned());
    tower.run(&["rekey"]).expect(0);
    assert_eq!(told(&tower, TABLE), by_zone);
    assert_eq!(counts(&tower), (84, 0, 12));
    the_counts_are_right(&tower);
}

#[test]
fn i3_a_rekey_that_is_killed_is_finished_before_anything_else_and_sends_no_row_twice() {
    let server = Server::start();
    let site = site(&server, "", &rows(0..4_000, 0));
    site.sync().works();
    site.replace_in_config("utc_offset = \"+00:00\"", "utc_offset = \"-05:00\"");
    for looks in ["SELECT count(*) > 1000 FROM moving", "SELECT moving_clock IS NOT NULL FROM logger_table"] {
        let mut child = site.spawn(&["rekey"]);
        let store = rusqlite::Connection::open(site.path("store.db")).unwrap();
        while child.try_wait().unwrap().is_none() {
            if store.query_row(looks, [], |row| row.get::<_, i64>(0)).unwrap_or(0) > 0 {
                child.kill().unwrap();
            }
        }
        site.sync().works();
    }
    site.run(&["rekey"]).works();
    site.run(&["ingest"]).works();
    site.sync().works();
    the_bucket_is_the_store(&site, &server);
    assert_eq!(site.count("sent"), 4_000);
    let first = site.in_state("sent").into_iter().next().unwrap();
    assert_eq!(first.1, ns(300));
}

#[test]
fn i3_rows_with_tags_and_text_move_within_their_series() {
    let header = HEADER
        .replace("\"T_Avg\",\"P_Avg\"", "\"Plot\",\"Note\",\"T_Avg\"")
        .replace("\"Deg C\",\"kPa\"", "\"\",\"\",\"Deg C\"")
        .replace("\"Avg\",\"Avg\"", "\"Smp\",\"Smp\",\"Avg\"");
    let rows: String = (0..120)
        .map(|row| format!("\"{}\",{row},{},\"a, \"\"{row}\"\" b\",{row}.5\r\n", stamp(row / 2 * 5), row % 2 + 1))
        .collect();
    let content = [header.as_str(), &rows].concat();
    let keys = "[table.columns.Plot]\nuse = \"tag\"\n[table.columns.Note]\ntype = \"text\"\n";
    let mut tower = Station::new().clock("utc_offset = \"+00:00\"");
    tower.configure(|sections| sections.more = keys.to_owned());
    tower.write(DAT, &content);
    tower.run(&["run"]).works();
    let before = told(&tower, TABLE);
    let entry = format!("[[table.clock]]\nfrom = \"{}\"\nadd = \"-1h\"\nuntil = \"{}\"\n", stamp(100), stamp(106));
    tower.configure(|sections| sections.more = format!("{entry}{keys}"));
    tower.run(&["ingest"]).works();
    the_counts_are_right(&tower);
    assert_eq!(counts(&tower), (116, 4, 0), "four rows lie on others");
    tower.configure(|sections| sections.more = keys.to_owned());
    tower.run(&["ingest"]).works();
    assert_eq!(told(&tower, TABLE), before);
    assert_eq!(counts(&tower), (120, 0, 0));
    // A line that is no row for a while keeps its text.
    tower.configure(|sections| sections.more = format!("{}{keys}", entry.replace("-1h", "-20000d")));
    tower.run(&["ingest"]).works();
    assert_eq!(counts(&tower), (116, 0, 4));
    tower.configure(|sections| sections.more = keys.to_owned());
    tower.run(&["ingest"]).works();
    assert_eq!(told(&tower, TABLE), before);
    the_counts_are_right(&tower);
}

#[test]
fn i2_a_row_of_a_line_without_its_end_moves_and_the_finished_line_replaces_it() {
    let begun = format!("\"{}\",20,2", stamp(100));
    let content = rows(0..20, 0) + &begun + ",9";
    let mut tower = tower(&content);
    tower.configure(|sections| sections.table += "\nlast_line_after = \"0s\"");
    tower.run(&["run"]).works();
    assert_eq!(tower.rows(TABLE).last().unwrap().vals, "[2,9]");
    correct(&mut tower, &format!("from = \"{}\"\nadd = \"1h\"", stamp(80)));
    tower.run(&["ingest"]).works();
    assert_eq!(tower.rows(TABLE).last().unwrap().time(), format!("{}Z", stamp(160).replace(' ', "T")));
    tower.append(DAT, "8.5\r\n");
    tower.run(&["ingest"]).works();
    assert_eq!(tower.rows(TABLE).last().unwrap().vals, "[2,98.5]");
    assert_eq!(counts(&tower), (21, 0, 0));
    the_counts_are_right(&tower);
}

#[test]
fn i11_lines_held_for_a_clock_that_is_years_ahead_become_rows_when_the_period_is_corrected() {
    let ahead: String = (0..12).map(|record| row(&format!("2099-01-01 00:{:02}:00", record * 5), record)).collect();
    let mut tower = tower(&(ahead + &rows(12..24, 60)));
    let held = tower.run_json(&["ingest"]).works();
    assert_eq!(held.json()["tables"][0]["held"], 12);
    // From 2026-06-01 to 2099-01-01.
    tower.configure(|sections| {
        sections.clock += "\n[[station.clock]]\nfrom = \"2099-01-01\"\nadd = \"-26512d\"\n";
    });
    tower.run(&["ingest"]).works();
    assert_eq!(counts(&tower), (24, 0, 0));
    let times: Vec<String> = known(&tower.rows(TABLE)).into_iter().map(|(time, _)| time).collect();
    assert_eq!(times, (0..24).map(|row| format!("{}Z", stamp(row * 5).replace(' ', "T"))).collect::<Vec<_>>());
    tower.configure(|sections| sections.clock = "utc_offset = \"+00:00\"".to_owned());
    tower.run(&["ingest"]).works();
    assert_eq!(counts(&tower), (12, 0, 12));
    the_counts_are_right(&tower);
}

#[test]
fn i11_rows_of_a_file_with_its_own_spelling_of_time_move_by_the_text_that_is_kept() {
    let spelled = |minute: i64| {
        let at = chrono::DateTime::from_timestamp(ns(minute) / 1_000_000_000, 0).unwrap();
        at.format("%m/%d/%Y %H:%M").to_string()
    };
    let content: String = (0..60).map(|row| format!("{},{row}.5,x{row}\r\n", spelled(row * 5))).collect();
    let mut tower = Station::new().clock("utc_offset = \"+00:00\"").table(&format!(
        "name = \"{TABLE}\"\nfiles = [\"{DAT}\"]\nformat = \"csv\"\nnames = [\"Time\", \"Temp\", \"Note\"]\n\
         time_column = \"Time\"\ntime_format = \"%m/%d/%Y %H:%M\""
    ));
    tower.write(DAT, &content);
    tower.run(&["run"]).works();
    let before = told(&tower, TABLE);
    correct(&mut tower, &format!("from = \"{}\"\nadd = \"-20000d\"", stamp(200)));
    tower.run(&["ingest"]).works();
    assert_eq!(counts(&tower), (40, 0, 20));
    correct(&mut tower, &format!("from = \"{}\"\nadd = \"15m\"", stamp(200)));
    tower.run(&["ingest"]).works();
    assert_eq!(counts(&tower), (60, 0, 0));
    assert_eq!(tower.rows(TABLE)[40].time(), format!("{}Z", stamp(215).replace(' ', "T")));
    is_as_if_right_from_the_start(&tower, &content);
    uncorrect(&mut tower);
    tower.run(&["ingest"]).works();
    assert_eq!(told(&tower, TABLE), before);
    the_counts_are_right(&tower);
}

#[test]
fn i3_a_tag_column_and_a_correction_that_come_together_give_each_row_its_key_and_its_time() {
    let header = HEADER.replace("\"T_Avg\"", "\"Plot\"");
    let content: String =
        (0..40).map(|row| format!("\"{}\",{row},{},{row}.5\r\n", stamp(row / 2 * 5), row % 2 + 1)).collect();
    let mut tower = Station::new().clock("utc_offset = \"+00:00\"");
    tower.write(DAT, [header.as_str(), &content].concat());
    tower.run(&["run"]).works();
    assert_eq!(counts(&tower), (20, 20, 0));
    let entry = format!("[[table.clock]]\nfrom = \"{}\"\nadd = \"7m\"\n", stamp(50));
    tower.configure(|sections| sections.more = format!("{entry}[table.columns.Plot]\nuse = \"tag\"\n"));
    tower.run(&["ingest"]).works();
    assert_eq!(counts(&tower), (40, 0, 0));
    the_counts_are_right(&tower);
    let fresh = Station::new();
    std::fs::copy(tower.config_path(), fresh.config_path()).unwrap();
    fresh.write(DAT, [header.as_str(), &content].concat());
    fresh.run(&["ingest"]).works();
    assert_eq!(told(&tower, TABLE), told(&fresh, TABLE));
}

#[test]
fn i3_a_request_in_flight_does_not_mark_a_row_that_moved_to_the_time_of_the_row_it_carried() {
    let server = Server::start();
    let gate = crate::support::server::Gate::default();
    let site = site(&server, "", &rows(0..100, 0));
    let behind = gate.clone();
    server.script(move |_| crate::support::server::Act::take().behind(&behind));
    let mut sync = site.spawn(&["sync"]);
    while server.requests() == 0 {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    // The request carries the rows under their old times, and is not answered yet.
    site.add_to_config(&format!("[[table.clock]]\nfrom = \"{}\"\nadd = \"1h\"", stamp(100)));
    site.run(&["ingest"]).works();
    gate.open();
    sync.wait().unwrap();
    server.take_all();
    site.sync().works();
    site.sync().works();
    the_bucket_is_the_store(&site, &server);
}

#[test]
fn a_finding_about_a_logger_that_went_back_holds_the_values_to_copy() {
    let now = chrono::Utc::now().timestamp() / 300 * 300;
    let at = |seconds: i64| {
        chrono::DateTime::from_timestamp(now - seconds, 0).unwrap().format("%Y-%m-%d %H:%M:%S").to_string()
    };
    let good: String = (0..40).map(|record| row(&at(20_000 - record * 300), record)).collect();
    let back: String = (40..60).map(|record| row(&at(20_000 - record * 300 + 7_200), record)).collect();
    let tower = tower(&(good + &back));
    tower.run(&["ingest"]).works();
    let status = tower.run(&["status"]).works().stdout;
    let first = at(20_000 - 40 * 300 + 7_200);
    let expected = format!("from = \"{first}\", record_from = 40, add = \"2h\"");
    assert!(status.contains(&expected), "{status}");
}

#[test]
fn a_finding_about_a_logger_that_went_back_and_was_put_right_holds_the_values_for_the_rows_between() {
    let now = chrono::Utc::now().timestamp() / 300 * 300;
    let text =
        |seconds: i64| chrono::DateTime::from_timestamp(seconds, 0).unwrap().format("%Y-%m-%d %H:%M:%S").to_string();
    // Back by two hours, and to the year 2000 as after a change of the battery.
    for wrong in [now - 20_000 - 7_200 + 40 * 300, 946_857_600] {
        let right = |record: i64| text(now - 20_000 + record * 300);
        let content: String = (0..60)
            .map(|record| match record {
                40..45 => row(&text(wrong + (record - 40) * 300), record),
                _ => row(&right(record), record),
            })
            .collect();
        let mut tower = tower(&content);
        let _ = tower.run(&["ingest"]);
        let status = tower.run(&["status"]).works().stdout;
        let first = text(wrong);
        let until = text(wrong + 5 * 300);
        let expected =
            format!("from = \"{first}\", until = \"{until}\", record_from = 40, record_until = 45, add = \"");
        let (_, add) = status.split_once(&expected).unwrap_or_else(|| panic!("{status}"));
        let add = add.split_once('"').unwrap().0.to_owned();
        correct(&mut tower, &format!("from = \"{first}\"\nrecord_from = 40\nrecord_until = 45\nadd = \"{add}\""));
        tower.run(&["ingest"]).works();
        let mut times: Vec<i64> = tower.rows(TABLE).iter().map(|row| row.ts / 1_000_000_000).collect();
        times.dedup_by_key(|ts| *ts / 300);
        assert_eq!(times.len(), 60, "{add}");
        assert!(times.windows(2).all(|pair| pair[1] - pair[0] == 300), "{add}: {times:?}");
        let status = tower.run(&["status"]).stdout;
        assert!(!status.contains("went back by"), "{status}");
    }
}

#[test]
fn i3_rows_that_share_a_stamp_keep_their_places_when_it_moves() {
    let content: String = (0..400).map(|record| row(&stamp(record / 4), record)).collect();
    let mut tower = tower(&content);
    tower.configure(|sections| sections.table += "\nsamples_per_stamp = 4\nstamp_interval = \"1m\"");
    tower.run(&["run"]).works();
    let (before, rows) = (told(&tower, TABLE), counts(&tower));
    assert!(rows.0 >= 392 && rows.1 == 0, "{rows:?}");
    correct(&mut tower, &format!("from = \"{}\"\nadd = \"1h\"", stamp(50)));
    tower.run(&["ingest"]).works();
    is_as_if_right_from_the_start(&tower, &[HEADER, &content].concat());
    uncorrect(&mut tower);
    tower.run(&["ingest"]).works();
    assert_eq!((told(&tower, TABLE), counts(&tower)), (before, rows));
    the_counts_are_right(&tower);
}

#[test]
fn i1_a_conflict_whose_corrected_time_no_row_can_have_becomes_a_line_as_its_row_does() {
    for replaces in [false, true] {
        let twice = row(&stamp(0), 0) + &row(&stamp(0), 1) + &row(&stamp(5), 2);
        let mut tower = tower(&twice);
        let keys =
            "valid_from = \"2026-06-01\"\n".to_owned() + if replaces { "on_conflict = \"replace\"\n" } else { "" };
        tower.configure(|sections| sections.table += &format!("\n{keys}"));
        tower.run(&["ingest"]).works();
        assert_eq!(counts(&tower), (2, 1, 0));
        correct(&mut tower, &format!("from = \"{}\"\nuntil = \"{}\"\nadd = \"-1m\"", stamp(0), stamp(1)));
        tower.run(&["ingest"]).works();
        assert_eq!(counts(&tower), (1, 0, 2), "replaces {replaces}");
        the_counts_are_right(&tower);
        uncorrect(&mut tower);
        tower.run(&["ingest"]).works();
        assert_eq!(counts(&tower), (2, 1, 0), "replaces {replaces}");
        the_counts_are_right(&tower);
    }
}

#[test]
fn i11_rows_whose_time_format_was_wrong_move_by_rekey_to_the_time_that_their_text_means() {
    let tower = Station::new().table(
        "name = \"m\"\nfiles = [\"m.csv\"]\nformat = \"csv\"\nnames = [\"Time\", \"T\"]\ntime_column = \"Time\"\n\
         last_line_after = \"0s\"\ntime_format = \"%m/%d/%Y %H:%M\"",
    );
    let rows = "05/11/2024 03:00,5\n05/11/2024 03:30,6\n06/11/2024 03:00,7\n";
    tower.write("m.csv", rows);
    let _ = tower.run(&["run"]).expect(0);
    tower.replace_in_config("%m/%d/%Y", "%d/%m/%Y");
    let said = tower.run(&["ingest"]);
    assert!(format!("{}{}", said.stdout, said.stderr).contains("fluxtower rekey --dry-run"), "{}", said.stdout);
    assert_eq!(tower.run_json(&["rekey", "--dry-run"]).expect(0).json()["tables"][0]["rows"], 3);
    tower.run(&["rekey"]).expect(0);
    let times: Vec<String> = tower.rows("m").into_iter().map(|row| row.time()[..10].to_owned()).collect();
    assert_eq!(times, ["2024-11-05", "2024-11-05", "2024-11-06"]);
    assert!(tower.run(&["rekey"]).expect(0).stdout.contains("nothing is to be moved"));
    // Read again, the rows are found there.
    tower.write("m.csv", format!("{rows}06/11/2024 03:30,8\n"));
    let _ = tower.run(&["ingest"]).expect(0);
    assert_eq!(tower.rows("m").len(), 4);
}

#[test]
fn i6_a_row_from_before_a_column_was_added_can_be_sent_after_it_moved() {
    let mut tower = Station::new();
    tower.write(DAT, HEADER.to_owned() + &row(&stamp(0), 0));
    tower.run_json(&["ingest"]).expect(0);
    let wider = HEADER
        .replace("\"P_Avg\"", "\"P_Avg\",\"RH_Avg\"")
        .replace("\"kPa\"", "\"kPa\",\"%\"")
        .replace("\"Avg\",\"Avg\"\r\n", "\"Avg\",\"Avg\",\"Avg\"\r\n");
    tower.write(DAT, wider + &row(&stamp(5), 1).replace("98.5", "98.5,50"));
    tower.run_json(&["ingest"]).expect(0);
    tower.configure(|sections| "utc_offset = \"-06:00\"".clone_into(&mut sections.clock));
    tower.run_json(&["rekey"]).expect(0);
    let rows = tower.rows(TABLE);
    assert!(rows.iter().all(|row| row.flags.len() == row.values().len()), "{rows:?}");
    let sent = tower.run_json(&["sync"]).expect(0);
    assert_eq!((sent.number("sent"), sent.number("pending")), (2, 0));
}
