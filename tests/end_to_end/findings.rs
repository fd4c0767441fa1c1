//! The list that decides whether a user must act, through the program: each finding appears when it should, and clears.

use std::path::Path;
use std::time::Duration;

use crate::support::{DAT, Logger, Station, TABLE};
use chrono::{TimeDelta, Utc};
use serde_json::Value;

const DAY: i64 = 86_400;

/// A logger at the station, five hours west of UTC, whose row `rows - 1` is `age` seconds old.
fn logger(rows: i64, age: i64) -> Logger {
    let station = Utc::now() - TimeDelta::hours(5);
    let start = station - TimeDelta::seconds(age + 5 * (rows - 1));
    Logger::par().start(&start.format("%Y-%m-%d %H:%M:%S").to_string())
}

/// A station whose table is fresh, and whose rows are sent.
fn well() -> Station {
    let tower = Station::new().judged_by_age();
    tower.write(DAT, logger(100, 10).file(0..100));
    let _ = tower.run(&["run"]).expect(0);
    tower
}

fn status(tower: &Station) -> Value {
    tower.run_json(&["status"]).json()
}

fn kinds(status: &Value) -> Vec<String> {
    let findings = status["findings"].as_array().unwrap();
    findings.iter().map(|finding| finding["kind"].as_str().unwrap().to_owned()).collect()
}

#[track_caller]
fn message(status: &Value, kind: &str) -> String {
    let findings = status["findings"].as_array().unwrap();
    let found = findings.iter().find(|finding| finding["kind"] == kind);
    let found = found.unwrap_or_else(|| panic!("no {kind} in {status}"));
    format!("{}: {}", found["message"].as_str().unwrap(), found["fix"].as_str().unwrap())
}

#[test]
fn i12_all_well_is_said_only_after_every_table_was_read_is_fresh_and_is_in_the_bucket() {
    let tower = Station::new().judged_by_age();
    assert_eq!(kinds(&status(&tower)), ["never_read"]);
    tower.write(DAT, logger(100, 10).file(0..100));
    let _ = tower.run(&["ingest"]).expect(0);
    let before = tower.run_json(&["status"]).expect(0).json();
    assert_eq!(kinds(&before), ["no_answer_yet"]);
    assert!(before["verdict"].as_str().unwrap().starts_with("unknown: 100 rows are pending"), "{before}");
    assert!(!tower.run(&["status"]).stdout.contains("all well"));
    let _ = tower.run(&["sync"]).expect(0);
    let after = tower.run(&["status"]).expect(0).stdout;
    assert!(after.contains("all well"), "{after}");
    assert_eq!(status(&tower)["verdict"], "ok");
}

#[test]
fn a_run_ends_with_1_for_a_table_that_died_while_it_was_read_and_with_0_for_one_that_was_old_at_first() {
    let tower = Station::new().judged_by_age();
    tower.write(DAT, logger(100, 27 * DAY).file(0..100));
    let _ = tower.run(&["run"]).expect(0);
    // As if this database had begun when the rows were new.
    let began = (Utc::now() - TimeDelta::days(28)).timestamp_nanos_opt().unwrap().to_string();
    let conn = rusqlite::Connection::open(tower.path("store.db")).unwrap();
    conn.execute("UPDATE setting SET value = ?1 WHERE key = 'first ingest'", [began]).unwrap();
    for command in ["run", "sync"] {
        let said = tower.run(&[command]).expect(1).stdout;
        assert!(said.contains("look: table \"46m_par\" has had no new row"), "{said}");
    }
}

#[test]
fn a_table_without_stale_after_that_is_dead_for_27_days_is_stale_by_its_usual_interval() {
    let tower = Station::new().judged_by_age();
    tower.write(DAT, logger(100, 27 * DAY + 3 * 3_600).file(0..100));
    // The rows were as old when this database began: an archive is read without an alarm from the scheduler.
    let said = tower.run(&["run"]).expect(0).stdout;
    assert!(said.contains("look: table \"46m_par\" has had no new row"), "{said}");
    let found = tower.run_json(&["status"]).expect(1).json();
    let said = message(&found, "stale");
    assert!(said.contains("no new row for 27 d 3 h (usually one comes every 5 s)"), "{said}");
    assert!(tower.run(&["check"]).expect(1).stdout.contains("no new row for 27 d 3 h"));
    let tower = tower.table_keys("stale_after = \"30d\"");
    assert_eq!(kinds(&status(&tower)), Vec::<String>::new());
    let tower = tower.table(&format!("name = \"{TABLE}\"\nfiles = [\"{DAT}\"]\nstale_after = \"26d\""));
    let said = message(&status(&tower), "stale");
    assert!(said.contains("(stale_after is 26 d 0 h)"), "{said}");
}

#[test]
fn check_says_once_that_a_table_with_stale_after_is_old() {
    let tower = Station::new().judged_by_age().table_keys("stale_after = \"26d\"");
    tower.write(DAT, logger(100, 27 * DAY).file(0..100));
    tower.age(DAT, Duration::from_secs(27 * 86_400));
    let _ = tower.run(&["run"]).expect(1);
    let looks = || -> Vec<String> {
        let check = tower.run(&["check"]).expect(1).stdout;
        check.lines().filter(|line| line.starts_with("look")).map(str::to_owned).collect()
    };
    let old = looks();
    assert!(old.len() == 1 && old[0].contains("which is longer than stale_after"), "{old:?}");
    // A newer file that nothing has read is another matter: the line about the file says nothing of it.
    tower.write(DAT, logger(100, 10).file(0..100));
    let unread = looks();
    assert!(unread.len() == 1 && unread[0].contains("has had no new row for 27 d"), "{unread:?}");
}

#[test]
fn an_unreadable_file_is_a_finding_until_it_can_be_read() {
    let tower = Station::new().judged_by_age();
    tower.write(DAT, "\"TOB1\",\"64291\",\"CR1000X\"\r\n");
    let _ = tower.run(&["run"]).expect(1);
    let said = message(&tower.run_json(&["status"]).expect(1).json(), "unreadable_file");
    assert!(said.contains(DAT), "{said}");
    tower.write(DAT, logger(100, 10).file(0..100));
    let _ = tower.run(&["run"]).expect(0);
    assert_eq!(kinds(&status(&tower)), Vec::<String>::new());
}

#[test]
fn a_bad_file_given_by_hand_is_reported_once_and_leaves_no_finding() {
    let tower = well();
    tower.write("other.dat", "\"TOB1\",\"64291\",\"CR1000X\"\r\n");
    let by_hand = tower.path("other.dat");
    let said = tower.run(&["ingest", "--table", TABLE, by_hand.to_str().unwrap()]).expect(1).stdout;
    assert!(said.contains("TOB1"), "{said}");
    assert_eq!(kinds(&status(&tower)), Vec::<String>::new());
}

#[test]
fn a_pattern_that_no_file_matches_any_more_is_a_finding() {
    let tower = well();
    tower.rename(DAT, "renamed.dat");
    assert!(message(&status(&tower), "no_file").contains("any more"));
    tower.rename("renamed.dat", DAT);
    assert_eq!(kinds(&status(&tower)), Vec::<String>::new());
}

#[test]
fn a_stale_table_whose_folder_gets_other_files_names_one_of_them() {
    let tower = Station::new().judged_by_age();
    tower.write(DAT, logger(100, 2 * DAY).file(0..100));
    tower.age(DAT, Duration::from_secs(2 * 86_400));
    let _ = tower.run(&["run"]).expect(0);
    assert_eq!(kinds(&status(&tower)), ["stale"]);
    tower.write("CR5000_PARCal.dat", logger(100, 10).file(0..100));
    let said = message(&status(&tower), "unmatched_files");
    assert!(said.contains("1 newer file") && said.contains("CR5000_PARCal.dat"), "{said}");
}

#[test]
fn a_file_that_was_read_by_hand_is_no_unmatched_file_until_it_changes() {
    let tower = Station::new().judged_by_age();
    tower.write(DAT, logger(100, 2 * DAY).file(0..100));
    tower.age(DAT, Duration::from_secs(2 * 86_400));
    let _ = tower.run(&["run"]).expect(0);
    tower.write("lost.dat", logger(100, 3 * DAY).file(0..100));
    tower.age("lost.dat", Duration::from_secs(86_400));
    assert!(message(&status(&tower), "unmatched_files").contains("lost.dat"));
    let _ = tower.run(&["ingest", tower.path("lost.dat").to_str().unwrap()]);
    assert!(!kinds(&status(&tower)).contains(&"unmatched_files".to_owned()), "{}", status(&tower));
    tower.append("lost.dat", "\r\n");
    assert!(message(&status(&tower), "unmatched_files").contains("lost.dat"));
}

#[test]
fn a_time_that_came_three_times_is_one_time_with_two_contents_or_more() {
    let tower = well();
    let header = Logger::par().file(0..0);
    let row = |value: u32| format!("\"2024-05-01 00:00:00\",7,{value},1,1\r\n");
    tower.write("more.dat", format!("{header}{}{}", row(1), row(2)));
    let by_hand = |name: &str| tower.run(&["ingest", "--table", TABLE, tower.path(name).to_str().unwrap()]);
    let _ = by_hand("more.dat");
    assert!(message(&status(&tower), "conflicts").starts_with("1 time came with two contents:"));
    tower.write("again.dat", format!("{header}{}", row(3)));
    let _ = by_hand("again.dat");
    assert!(message(&status(&tower), "conflicts").starts_with("1 time came with two contents or more:"));
}

#[test]
fn check_says_that_a_file_holds_its_header_alone_and_one_time_for_a_row_ahead() {
    let tower = Station::new().judged_by_age();
    tower.write(DAT, Logger::par().file(0..0));
    let said = tower.run(&["check"]).stdout;
    assert!(said.contains("TOA5, a header and no row yet; wait for the next collection"), "{said}");
    tower.write(DAT, logger(10, -5 * 3_600).file(0..10));
    let said = tower.run(&["check"]).stdout;
    assert!(said.contains("; it is 5 h 0 min ahead of the time at which") && !said.contains(" ago; it is"), "{said}");
    tower.write(DAT, Logger::par().file(0..0) + "\"2024-05-\r\n");
    let said = tower.run(&["check"]).stdout;
    assert!(said.contains("no row at its end that can be read"), "{said}");
}

#[test]
fn a_table_that_gets_no_new_file_while_the_next_days_stand_beside_it_is_a_finding() {
    for (pattern, first, next) in [
        ("d/Met_2026_10_*.dat", "d/Met_2026_10_31.dat", "d/Met_2026_11_01.dat"),
        ("d/2026_10/Met_*.dat", "d/2026_10/Met_31.dat", "d/2026_11/Met_01.dat"),
        ("d/*/Met_2026_10_*.dat", "d/10/Met_2026_10_31.dat", "d/11/Met_2026_11_01.dat"),
    ] {
        let tower = Station::new().judged_by_age().table(&format!("name = \"{TABLE}\"\nfiles = [\"{pattern}\"]"));
        for name in [first, next] {
            std::fs::create_dir_all(tower.path(name).parent().unwrap()).unwrap();
        }
        tower.write(first, logger(100, 3 * DAY).file(0..100));
        tower.age(first, Duration::from_secs(3 * 86_400));
        let _ = tower.run(&["run"]);
        assert!(!kinds(&status(&tower)).contains(&"unmatched_files".to_owned()), "{pattern}");
        tower.write(next, logger(100, 10).file(0..100));
        let said = message(&status(&tower), "unmatched_files");
        assert!(said.contains("1 newer file that no pattern matches"), "{pattern}: {said}");
        assert!(said.contains(Path::new(next).file_name().unwrap().to_str().unwrap()), "{pattern}: {said}");
    }
}

#[test]
fn runs_and_receipts_from_the_future_are_a_finding_and_hide_no_run_of_today() {
    let tower = well();
    let conn = rusqlite::Connection::open(tower.store_path()).unwrap();
    let ahead = 3 * DAY * 1_000_000_000 + 3_600_000_000_000;
    conn.execute("UPDATE run SET ended = ended + ?1, exit = 4, summary = 'the disk is full'", [ahead]).unwrap();
    conn.execute("UPDATE receipt SET at = at + ?1", [ahead]).unwrap();
    drop(conn);
    let _ = tower.run(&["run"]).expect(0);
    let found = status(&tower);
    assert_eq!(kinds(&found), ["future_times", "future_times"], "{found}");
    let said = message(&found, "future_times");
    assert!(
        said.contains("is dated 3 d 0 h in the future") || said.contains("is dated 3 d 1 h in the future"),
        "{said}"
    );
}

#[test]
fn a_run_of_another_process_that_ends_meanwhile_is_not_dated_in_the_future() {
    let tower = well();
    let conn = rusqlite::Connection::open(tower.store_path()).unwrap();
    conn.execute("UPDATE run SET ended = ended + 30000000000", []).unwrap();
    conn.execute("UPDATE receipt SET at = at + 30000000000", []).unwrap();
    drop(conn);
    assert_eq!(kinds(&status(&tower)), [""; 0]);
}

#[test]
fn a_file_from_the_future_means_that_clocks_disagree() {
    let tower = well();
    let file = std::fs::File::options().write(true).open(tower.path(DAT)).unwrap();
    file.set_modified(std::time::SystemTime::now() + Duration::from_secs(2 * 3_600)).unwrap();
    let said = message(&status(&tower), "clocks_disagree");
    assert!(said.contains(TABLE) && said.contains("in the future by this computer's clock"), "{said}");
}

#[test]
fn five_collections_that_are_five_hours_behind_their_files_ask_for_the_offset() {
    // The logger writes UTC-5, and the configuration says UTC.
    let tower = Station::new().judged_by_age().clock("utc_offset = \"+00:00\"");
    for collection in 1..=5 {
        let before = kinds(&status(&tower));
        assert!(!before.contains(&"offset_of_hours".to_owned()), "after {} collections: {before:?}", collection - 1);
        // Ten minutes lie between two collections, and each file is written five seconds after its newest row.
        let written_ago = 600 * (6 - collection);
        let logger = logger(100, written_ago + 5);
        let rows: String = (0..100).map(|row| logger.row_as(row, 100 * collection + row)).collect();
        tower.write(DAT, logger.header() + &rows);
        tower.age(DAT, Duration::from_secs(u64::try_from(written_ago).unwrap()));
        let _ = tower.run(&["ingest"]).expect(0);
    }
    let said = message(&status(&tower), "offset_of_hours");
    assert!(
        said.contains(
            "are 5 h 0 min behind the files they came in: compare the logger's clock with UTC; if utc_offset is wrong"
        ),
        "{said}"
    );
}

#[test]
fn a_zone_of_posix_is_explained() {
    let tower = Station::new().judged_by_age().clock("timezone = \"Etc/GMT-5\"");
    let said = message(&status(&tower), "posix_zone");
    assert!(said.contains("means UTC+5, not UTC-5") && said.contains("utc_offset = \"-05:00\""), "{said}");
    let tower = tower.clock("timezone = \"America/Detroit\"");
    assert!(!kinds(&status(&tower)).contains(&"posix_zone".to_owned()));
}

#[test]
fn rows_ahead_rejected_lines_held_lines_and_conflicts_are_findings() {
    let tower = Station::new().judged_by_age();
    let now = logger(100, 10);
    let torn = "\"2026-13-01 00:00:00\",7,1,2,3\r\n";
    let ahead = logger(1, -3 * DAY);
    tower.write(DAT, now.file(0..100) + torn + &ahead.row(0));
    let _ = tower.run(&["run"]).expect(1);
    let found = kinds(&status(&tower));
    assert!(found.contains(&"rejected_lines".to_owned()) && found.contains(&"held_lines".to_owned()), "{found:?}");
    let other = now.file(0..100).replace(",3000.000\r\n", ",3999.000\r\n");
    assert_ne!(other, now.file(0..100), "a value differs");
    tower.write(DAT, other);
    let _ = tower.run(&["run"]).expect(1);
    assert!(kinds(&status(&tower)).contains(&"conflicts".to_owned()));
}

#[test]
fn a_table_with_one_old_row_is_neither_fresh_nor_stale() {
    let tower = Station::new().judged_by_age();
    tower.write(DAT, logger(1, 2 * DAY).file(0..1));
    let _ = tower.run(&["run"]).expect(0);
    let found = tower.run_json(&["status"]).expect(0).json();
    assert_eq!(kinds(&found), ["too_few_rows"], "{found}");
    assert!(found["verdict"].as_str().unwrap().starts_with("unknown: "), "{found}");
}

#[test]
fn a_field_that_is_the_name_of_another_column_is_a_finding_and_the_column_keeps_its_name() {
    let tower = Station::new().more("[table.columns.PPFD]\nfield = \"calPPFD\"");
    tower.write(DAT, Logger::par().file(0..1));
    let _ = tower.run(&["run"]);
    let said = message(&status(&tower), "name_taken");
    assert!(said.contains("column PPFD: field = \"calPPFD\" is the name of another column"), "{said}");
    let checked = tower.run(&["check"]).expect(1).stdout;
    assert!(checked.contains("is the name of another column"), "{checked}");
    let values = Logger::par().values(0);
    let sent = std::fs::read_dir(tower.path("outbox")).unwrap().flatten();
    let sent: String = sent.filter_map(|file| std::fs::read_to_string(file.path()).ok()).collect();
    assert!(sent.contains(&format!(",calPPFD={}", values[2])), "{sent}");
    assert!(sent.contains(&format!("calPPFD_2={}", values[0])), "{sent}");
    tower.replace_in_config("field = \"calPPFD\"", "field = \"Q\"");
    assert!(!kinds(&status(&tower)).contains(&"name_taken".to_owned()));
}

#[test]
fn a_configured_column_that_the_newest_header_lost_is_a_finding_with_the_new_columns_beside_it() {
    let tower = Station::new().more("[table.columns.PPFD]\nsuspect = [0, 2500]\nfield = \"Q\"");
    tower.write(DAT, Logger::par().file(0..2));
    let _ = tower.run(&["run"]);
    assert!(!kinds(&status(&tower)).contains(&"column_gone".to_owned()));
    let renamed = Logger::par().columns(&["PAR_in", "Total_PPFD", "calPPFD"]);
    tower.write(DAT, renamed.file(0..4));
    let _ = tower.run(&["run"]);
    let said = message(&status(&tower), "column_gone");
    assert!(said.contains("column PPFD is not in the newest header any more; new in it: PAR_in:"), "{said}");
    assert!(said.contains("field = \"Q\""), "{said}");
    assert!(!said.contains("leave variable alone"), "{said}");
    assert!(tower.run(&["check"]).expect(1).stdout.contains("column PPFD is not in the newest header"));
    tower.replace_in_config("[table.columns.PPFD]", "[table.columns.PAR_in]");
    let _ = tower.run(&["run"]);
    assert!(!kinds(&status(&tower)).contains(&"column_gone".to_owned()));
}

#[test]
fn the_range_of_a_variable_is_not_applied_to_a_counters_readings_and_its_export_leaves_them_out() {
    let logger = Logger::par().stating(&[["Rain", "mm", "Smp"], ["TA", "Deg C", "Avg"]]).every(TimeDelta::minutes(30));
    let sections =
        "[table.columns.Rain]\nvariable = \"P\"\nkind = \"counter\"\n\n[table.columns.TA]\nvariable = \"TA\"";
    let tower = Station::new().more(sections);
    let row = |row: i64| format!("\"{}\",{row},{},20.5\r\n", logger.stamp(row).format("%Y-%m-%d %H:%M:%S"), 100 + row);
    tower.write(DAT, logger.header() + &(0..4).map(row).collect::<String>());
    let _ = tower.run(&["run"]);
    assert_eq!(tower.rows(TABLE)[1].flags, "21");
    let said = message(&status(&tower), "unit_unfit");
    assert!(said.contains("a counter's readings are no P of an interval"), "{said}");
    assert!(tower.run(&["check"]).expect(1).stdout.contains("a counter's readings are no P"));
    let exported = tower.run(&["export", "--format", "ameriflux", "--table", TABLE]);
    assert!(exported.stderr.contains("column Rain is left out: it is a counter"), "{}", exported.stderr);
    assert_eq!(
        exported.stdout.lines().filter(|line| line.split(',').skip(2).eq(["20.5"])).count(),
        4,
        "{}",
        exported.stdout
    );
}

#[test]
fn sampled_rain_of_which_half_hours_are_made_asks_for_its_kind_and_is_summed_once_that_is_said() {
    let logger = Logger::par().stating(&[["Rain", "mm", "Smp"]]).every(TimeDelta::minutes(10));
    let tower = Station::new().table_keys("aggregate = \"30m\"\n[table.columns.Rain]\nvariable = \"P\"");
    let logger = logger.start("2026-06-01 00:10:00");
    let row = |row: i64| format!("\"{}\",{row},0.2\r\n", logger.stamp(row).format("%Y-%m-%d %H:%M:%S"));
    tower.write(DAT, logger.header() + &(0..4).map(row).collect::<String>());
    let _ = tower.run(&["run"]);
    let said = message(&status(&tower), "rain_unclear");
    assert!(said.contains("aggregate makes means of it, which are no rain"), "{said}");
    tower.replace_in_config("variable = \"P\"", "variable = \"P\"\nkind = \"total\"");
    let _ = tower.run(&["run"]);
    assert!(!kinds(&status(&tower)).contains(&"rain_unclear".to_owned()));
    let made = &tower.rows(&format!("{TABLE}_30m"))[0];
    assert!(made.vals.starts_with("[0.6"), "{}", made.vals);
    // Without half hours, a sampled total is as good as any other.
    tower.replace_in_config("aggregate = \"30m\"", "");
    tower.replace_in_config("\nkind = \"total\"", "");
    let _ = tower.run(&["run"]);
    assert!(!kinds(&status(&tower)).contains(&"rain_unclear".to_owned()));
}

#[test]
fn a_longitude_that_is_hours_from_the_offset_is_named_and_one_at_the_edge_of_a_zone_or_of_loggers_in_utc_is_not() {
    for (clock, longitude, is_found) in [
        ("utc_offset = \"-05:00\"", "84.71", true),
        ("timezone = \"America/Detroit\"", "84.71", true),
        ("utc_offset = \"-05:00\"", "-84.71", false),
        // Kashgar, Madrid, Auckland's daylight time, beyond the date line.
        ("utc_offset = \"+08:00\"", "75.9", false),
        ("timezone = \"Europe/Madrid\"", "-8.5", false),
        ("timezone = \"Pacific/Auckland\"", "174.8", false),
        ("utc_offset = \"+12:00\"", "-179.5", false),
        ("utc_offset = \"+00:00\"", "-84.71", false),
    ] {
        let tower = Station::new().clock(&format!("{clock}\nlatitude = 45.56\nlongitude = {longitude}"));
        tower.write(DAT, Logger::par().file(0..3));
        let _ = tower.run(&["run"]);
        assert_eq!(kinds(&status(&tower)).contains(&"position_unfit".to_owned()), is_found, "{clock} {longitude}");
    }
}

#[test]
fn a_counter_of_which_half_hours_are_made_is_the_variable_of_these_and_no_finding() {
    let logger = Logger::par().stating(&[["Rain", "mm", "Smp"], ["TA", "Deg C", "Avg"]]).every(TimeDelta::minutes(5));
    let start = (Utc::now() - TimeDelta::hours(8)).format("%Y-%m-%d %H:00:00").to_string();
    let logger = logger.start(&start);
    let sections =
        "[table.columns.Rain]\nvariable = \"P\"\nkind = \"counter\"\n\n[table.columns.TA]\nvariable = \"TA\"";
    let tower = Station::new().table_keys("aggregate = \"30m\"").more(sections);
    let row = |row: i64| {
        let reading = 100.0 + row as f64 / 10.0;
        format!("\"{}\",{row},{reading:.1},20.5\r\n", logger.stamp(row).format("%Y-%m-%d %H:%M:%S"))
    };
    tower.write(DAT, logger.header() + &(0..36).map(row).collect::<String>());
    let _ = tower.run(&["run"]);
    assert!(!kinds(&status(&tower)).contains(&"unit_unfit".to_owned()));
    assert!(!tower.run(&["check"]).stdout.contains("a counter's readings"));
    let exported = tower.run(&["export", "--format", "ameriflux"]).works();
    assert!(exported.stdout.contains(",0.6,20.5"), "{}", exported.stdout);
    // In a unit that is none of rain, they are judged by no range: that is said.
    let tower = Station::new().table_keys("aggregate = \"30m\"").more(sections);
    tower.write(DAT, (logger.header() + &(0..36).map(row).collect::<String>()).replace("\"mm\"", "\"mV\""));
    let _ = tower.run(&["run"]);
    assert!(kinds(&status(&tower)).contains(&"unit_unfit".to_owned()));
}

#[test]
fn a_table_of_events_is_not_stale_when_nothing_happens_and_neither_are_its_half_hours() {
    for keys in ["events = true", "events = true\naggregate = \"30m\""] {
        let tower = Station::new().judged_by_age().table_keys(keys);
        tower.write(DAT, logger(100, 3 * DAY).file(0..100));
        let _ = tower.run(&["run"]).works();
        // As if this database had begun when the rows were new.
        let began = (Utc::now() - TimeDelta::days(4)).timestamp_nanos_opt().unwrap().to_string();
        let conn = rusqlite::Connection::open(tower.path("store.db")).unwrap();
        conn.execute("UPDATE setting SET value = ?1 WHERE key = 'first ingest'", [began]).unwrap();
        assert_eq!(kinds(&tower.run_json(&["status"]).expect(0).json()), Vec::<String>::new(), "{keys}");
        let check = tower.run(&["check"]).stdout;
        assert!(!check.contains("no new row"), "{check}");
        // Who expects an event a day says so.
        let tower = tower.table_keys("stale_after = \"1d\"");
        let said = message(&status(&tower), "stale");
        assert!(said.contains("(stale_after is 24 h 0 min)"), "{said}");
    }
}

#[test]
fn a_window_that_ends_before_it_begins_is_refused() {
    let tower = Station::new();
    tower.write(DAT, Logger::par().file(0..3));
    let _ = tower.run(&["run"]);
    let window = ["--since", "2024-05-02", "--until", "2024-05-01"];
    for command in [&["export", "--table", TABLE][..], &["export", "--coverage"], &["replay", "--dry-run"]] {
        let ended = tower.run(&[command, &window].concat()).expect(2);
        assert!(ended.stderr.contains("--until \"2024-05-01\" lies before --since \"2024-05-02\""), "{}", ended.stderr);
    }
}
