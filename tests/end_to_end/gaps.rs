//! `gaps`: what is missing, what cannot be known, and what a clock did; the same on the page and in `status`.

use std::time::Duration;

use chrono::{NaiveDateTime, TimeDelta, Utc};
use serde_json::Value;

use crate::support::{DAT, Logger, Station, TABLE};

/// A line of two values at so many minutes of 1 May 2024.
fn line(minutes: i64, record: i64) -> String {
    let start: NaiveDateTime = "2024-05-01T00:00:00".parse().unwrap();
    let at = start + TimeDelta::minutes(minutes);
    format!("\"{}\",{record},1.5,2.5\r\n", at.format("%Y-%m-%d %H:%M:%S"))
}

fn lines(rows: impl IntoIterator<Item = (i64, i64)>) -> String {
    rows.into_iter().map(|(minutes, record)| line(minutes, record)).collect()
}

fn file(rows: impl IntoIterator<Item = (i64, i64)>) -> String {
    Logger::par().columns(&["A", "B"]).header() + &lines(rows)
}

fn length(list: &Value) -> usize {
    list.as_array().unwrap().len()
}

/// Missing time steps.
fn steps(gaps: &Value) -> Vec<u64> {
    gaps["time_steps"].as_array().unwrap().iter().map(|step| step["missing"].as_u64().unwrap()).collect()
}

/// A station with a table of rows without header and record number.
fn csv() -> Station {
    Station::new().table(
        "name = \"m\"\nfiles = [\"m.csv\"]\nformat = \"csv\"\nnames = [\"Time\", \"T\"]\ntime_column = \"Time\"\nlast_line_after = \"0s\"",
    )
}

fn csv_rows(minutes: impl IntoIterator<Item = i64>) -> String {
    minutes.into_iter().map(|at| lines([(at, 0)]).replace("\",0,1.5,2.5", ",1.5").replace('"', "")).collect()
}

#[test]
fn a_record_that_does_not_count_is_unknown_with_its_column_and_reason_and_time_steps_are_looked_for() {
    for number in [0, 7] {
        let tower = Station::new();
        tower.write(DAT, file((0..60).filter(|at| ![20, 21, 40].contains(at)).map(|at| (at * 10, number))));
        let _ = tower.run(&["run"]).expect(0);
        let text = tower.run(&["gaps"]).expect(1).stdout;
        assert!(!text.contains("no records are missing") && !text.contains("RECORD started again"), "{text}");
        assert!(text.contains("whether records are missing is unknown: RECORD does not count"), "{text}");
        assert!(text.contains(&format!("it is {number} in each row from 2024-05-01 00:00:00")), "{text}");
        let gap = "2 time steps missing between 2024-05-01 03:10:00 and 2024-05-01 03:40:00";
        assert!(text.contains(gap) && text.contains("1 time step missing"), "{text}");
        let gaps = tower.run_json(&["gaps"]).expect(1).json();
        assert_eq!((length(&gaps["gaps"]), length(&gaps["clock"]), steps(&gaps)), (0, 0, vec![2, 1]));
        let unknown = &gaps["unknown"][0];
        assert_eq!(
            (&unknown["why"], &unknown["column"], &unknown["interval_s"]),
            (&Value::from("stands_still"), &Value::from("RECORD"), &Value::from(600.0))
        );
        // Rows that come later close a time step.
        tower.write("late.dat", file([(200, number), (210, number), (400, number)]));
        let _ = tower.run(&["ingest", "late.dat"]).expect(0);
        let gaps = tower.run_json(&["gaps"]).expect(0).json();
        assert_eq!((steps(&gaps), length(&gaps["unknown"])), (vec![], 1));
        assert!(tower.run(&["gaps"]).stdout.contains("no time step is missing"));
    }
}

#[test]
fn a_record_that_starts_again_every_few_rows_is_unknown_and_not_a_line_a_row() {
    let tower = Station::new();
    tower.write(DAT, file((0..100).map(|at| (at * 10, (at * 37) % 101))));
    let _ = tower.run(&["ingest"]).expect(0);
    let ended = tower.run(&["gaps"]).expect(0);
    assert!(ended.stdout.lines().count() <= 3, "{}", ended.stdout);
    assert_eq!(tower.run_json(&["gaps"]).json()["unknown"][0]["why"], "starts_again");
}

#[test]
fn a_record_that_stops_counting_is_unknown_from_there_and_known_before_and_after() {
    let tower = Station::new();
    let counted = (0..20).filter(|at| *at != 5).map(|at| (at * 10, at));
    let still = (20..40).map(|at| (at * 10, 0));
    let again = (40..60).filter(|at| *at != 50).map(|at| (at * 10, at - 39));
    tower.write(DAT, file(counted.chain(still).chain(again)));
    let _ = tower.run(&["ingest"]).expect(0);
    let gaps = tower.run_json(&["gaps"]).expect(1).json();
    let missing: Vec<_> = gaps["gaps"].as_array().unwrap().iter().map(|gap| &gap["after_record"]).collect();
    assert_eq!(missing, [6, 12]);
    let unknown = &gaps["unknown"][0];
    assert_eq!(
        (&unknown["from"], &unknown["to"]),
        (&Value::from("2024-05-01 03:20:00"), &Value::from("2024-05-01 06:30:00"))
    );
    assert_eq!((length(&gaps["unknown"]), steps(&gaps)), (1, vec![]));
}

#[test]
fn a_counter_that_starts_again_twice_still_counts() {
    let tower = Station::new();
    tower.write(DAT, file([(0, 0), (10, 0), (20, 1), (30, 2), (40, 3), (50, 4)]));
    let _ = tower.run(&["ingest"]).expect(0);
    let gaps = tower.run_json(&["gaps"]).expect(0).json();
    assert_eq!((length(&gaps["gaps"]), length(&gaps["unknown"])), (0, 0));
}

#[test]
fn where_record_starts_again_the_pause_is_compared_with_the_usual_interval() {
    // A logger that was off for three hours and lost its counter; a number that wraps while rows are lost.
    for (last, pause) in [(119, 6), (16_777_212, 3)] {
        let rows = (0..20).map(|at| (at * 30, last - 19 + at)).chain((0..10).map(|at| ((20 + pause + at) * 30, at)));
        let tower = Station::new();
        tower.write(DAT, file(rows));
        let _ = tower.run(&["run"]).expect(0);
        let gaps = tower.run_json(&["gaps"]).expect(1).json();
        assert_eq!((steps(&gaps), length(&gaps["gaps"]), length(&gaps["unknown"])), (vec![pause as u64], 0, 0));
        let text = tower.run(&["gaps"]).expect(1).stdout;
        assert!(text.starts_with("no records are missing by their numbers\n"), "{text}");
        assert!(text.contains(&format!("{pause} time steps missing between 2024-05-01 09:30:00 and")), "{text}");
        assert!(text.contains(&format!("then record 0 at 2024-05-01 {}:", 10 + pause / 2)), "{text}");
        assert!(text.contains(&format!("({pause} time steps are missing between them)")), "{text}");
        // The export of that time closes the hole.
        tower.write("late.dat", file((0..pause).map(|at| ((20 + at) * 30, last + 1 + at))));
        let _ = tower.run(&["ingest", "late.dat"]).expect(0);
        let text = tower.run(&["gaps"]).expect(0).stdout;
        assert!(text.starts_with("no records are missing\n"), "{text}");
        assert!(text.contains("(no time step is missing between them)"), "{text}");
    }
}

#[test]
fn where_no_time_passed_a_record_that_jumps_is_no_gap() {
    // The logger was exchanged; a number is damaged, upwards and downwards.
    let exchanged: Vec<i64> = (100..120).chain(50_000..50_020).collect();
    let damaged = |number: i64| -> Vec<i64> { (100..140).map(|at| if at == 120 { number } else { at }).collect() };
    for (records, jump) in
        [(exchanged, Some((119, 50_000))), (damaged(100_120), Some((119, 100_120))), (damaged(21), Some((21, 121)))]
    {
        let tower = Station::new();
        tower.write(DAT, file(records.iter().enumerate().map(|(at, record)| (at as i64 * 30, *record))));
        let _ = tower.run(&["ingest"]).expect(0);
        let gaps = tower.run_json(&["gaps"]).expect(0).json();
        assert_eq!((length(&gaps["gaps"]), steps(&gaps)), (0, vec![]), "{gaps}");
        let jumps: Vec<(i64, i64)> = gaps["clock"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|event| event["kind"] == "jump")
            .map(|event| (event["record_before"].as_i64().unwrap(), event["record_after"].as_i64().unwrap()))
            .collect();
        assert_eq!(jumps, jump.into_iter().collect::<Vec<_>>(), "{gaps}");
        let status = tower.run_json(&["status"]).json();
        assert_eq!(status["tables"][0]["records_missing"], 0, "{status}");
    }
}

#[test]
fn a_few_numbers_that_are_left_out_within_one_interval_are_missing_because_the_clock_may_have_stepped() {
    let tower = Station::new();
    tower.write(DAT, file((0..40).map(|at| (at * 30, if at < 20 { at } else { at + 2 }))));
    let _ = tower.run(&["ingest"]).expect(0);
    assert_eq!(tower.run_json(&["gaps"]).expect(1).json()["gaps"][0]["missing"], 2);
}

#[test]
fn rows_whose_record_is_not_a_number_are_not_missing_between_those_that_have_one() {
    let text = |unnumbered: &[i64], left_out: &[i64]| {
        let rows = file((1..=10).map(|at| (at * 30, at)));
        let is_kept = |line: &&str| left_out.iter().all(|at| !line.contains(&format!("\",{at},")));
        let mut text: String = rows.split_inclusive('\n').filter(is_kept).collect();
        for at in unnumbered {
            let whole = format!("\",{at},");
            assert!(text.contains(&whole), "{text}");
            text = text.replace(&whole, if at % 2 == 0 { "\",\"NAN\"," } else { "\",," });
        }
        text
    };
    for (unnumbered, left_out, missing) in [
        (&[4, 5][..], &[][..], 0),
        (&[4], &[5], 1),
        (&[], &[4, 5], 2),
        (&[2, 3, 4, 5, 6, 7, 8, 9], &[], 0),
        (&[4, 7], &[], 0),
    ] {
        let tower = Station::new();
        tower.write(DAT, text(unnumbered, left_out));
        let _ = tower.run(&["ingest"]).expect(0);
        let gaps = tower.run_json(&["gaps"]).expect(i32::from(missing > 0)).json();
        let found: i64 = gaps["gaps"].as_array().unwrap().iter().map(|gap| gap["missing"].as_i64().unwrap()).sum();
        assert_eq!(found, missing, "{unnumbered:?} without {left_out:?}: {gaps}");
        let status = tower.run_json(&["status"]).json();
        assert_eq!(status["tables"][0]["records_missing"], missing, "{status}");
    }
}

#[test]
fn a_hole_between_older_rows_that_are_read_later_and_the_first_rows_is_a_gap_if_the_times_agree() {
    for (agrees, shift) in [(true, 0), (false, -600)] {
        let tower = Station::new();
        tower.write(DAT, file((1_000..1_020).map(|at| (at * 30, at))));
        let _ = tower.run(&["ingest"]).expect(0);
        tower.write("old.dat", file((500..991).map(|at| (at * 30 + shift, at))));
        let _ = tower.run(&["ingest", "old.dat"]).expect(0);
        let gaps = tower.run_json(&["gaps"]).expect(i32::from(agrees)).json();
        assert_eq!(length(&gaps["gaps"]), usize::from(agrees), "{gaps}");
        if agrees {
            let gap = &gaps["gaps"][0];
            assert_eq!(
                (&gap["missing"], &gap["before_record"], &gap["after_record"]),
                (&9.into(), &990.into(), &1_000.into())
            );
            tower.write("rest.dat", file((991..1_000).map(|at| (at * 30, at))));
            let _ = tower.run(&["ingest", "rest.dat"]).expect(0);
            assert_eq!(length(&tower.run_json(&["gaps"]).expect(0).json()["gaps"]), 0);
        }
    }
}

#[test]
fn a_record_that_starts_again_without_a_pause_leaves_no_time_step_out() {
    let tower = Station::new();
    tower.write(DAT, file((0..40).map(|at| (at * 30, if at < 20 { 100 + at } else { at - 20 }))));
    let _ = tower.run(&["run"]).expect(0);
    let text = tower.run(&["gaps"]).expect(0).stdout;
    assert!(text.starts_with("no records are missing\n"), "{text}");
    assert!(text.contains("(no time step is missing between them)"), "{text}");
}

#[test]
fn without_record_numbers_time_steps_are_compared_with_the_usual_interval() {
    let tower = csv();
    tower.write("m.csv", csv_rows((1..=24).filter(|at| ![9, 10, 11].contains(at)).map(|at| at * 30)));
    let _ = tower.run(&["run"]).expect(0);
    let text = tower.run(&["gaps"]).expect(1).stdout;
    assert!(text.contains("unknown: its rows have no record number; looked for missing time steps"), "{text}");
    assert!(text.contains("by the usual interval of 30 min"), "{text}");
    assert!(text.contains("3 time steps missing between 2024-05-01 04:00:00 and 2024-05-01 06:00:00"), "{text}");
    assert_eq!(tower.run_json(&["gaps"]).json()["unknown"][0]["column"], Value::Null);
}

#[test]
fn without_record_numbers_few_rows_and_rows_on_events_leave_missing_time_steps_unknown() {
    let few = csv();
    few.write("m.csv", csv_rows([0, 30, 60, 150]));
    let _ = few.run(&["run"]).expect(0);
    let text = few.run(&["gaps"]).expect(0).stdout;
    assert!(text.contains("too few rows for a usual interval, so that missing time steps are unknown too"), "{text}");
    assert!(!text.contains("missing between"), "{text}");
    let events = csv();
    events.write("m.csv", csv_rows((0..60).map(|at| at * 40 + at * at % 37)));
    let _ = events.run(&["run"]).expect(0);
    let gaps = events.run_json(&["gaps"]).expect(0).json();
    assert_eq!((&gaps["unknown"][0]["interval_s"], steps(&gaps)), (&Value::Null, vec![]));
}

#[test]
fn each_series_of_a_table_with_tag_columns_has_its_own_time_steps() {
    let tower = Station::new().table(
        "name = \"plots\"\nfiles = [\"plots.csv\"]\nformat = \"csv\"\nnames = [\"Time\", \"Plot\", \"T\"]\ntime_column = \"Time\"\nlast_line_after = \"0s\"\n[table.columns.Plot]\nuse = \"tag\"",
    );
    let rows = |plot: &str, lost: i64| {
        let rows = csv_rows((0..20).filter(|at| *at != lost).map(|at| at * 30));
        rows.replace(",1.5", &format!(",{plot},1.5"))
    };
    tower.write("plots.csv", rows("6a", 99) + &rows("6b", 7));
    let _ = tower.run(&["ingest"]).expect(0);
    let gaps = tower.run_json(&["gaps"]).expect(1).json();
    assert_eq!((length(&gaps["unknown"]), steps(&gaps)), (2, vec![1]));
    assert_eq!(gaps["time_steps"][0]["tags"], serde_json::json!(["6b"]));
    let text = tower.run(&["gaps"]).stdout;
    assert!(text.contains("plots (2 series)") && text.contains("plots (6b)  1 time step missing"), "{text}");
}

#[test]
fn a_table_that_counts_beside_one_that_does_not_is_named_complete() {
    let tower = csv().more(&format!("[[table]]\nname = \"{TABLE}\"\nfiles = [\"{DAT}\"]"));
    tower.write("m.csv", csv_rows((0..20).map(|at| at * 30)));
    tower.write(DAT, file((0..20).map(|at| (at * 30, at))));
    let _ = tower.run(&["ingest"]).expect(0);
    assert!(tower.run(&["gaps"]).expect(0).stdout.starts_with("no record is missing in the other tables"));
    let only = tower.run(&["gaps", "--table", TABLE]).expect(0).stdout;
    assert!(only.starts_with("no records are missing"), "{only}");
}

#[test]
fn a_clock_set_back_behind_the_oldest_row_is_a_step_and_no_gap_however_the_rows_are_collected() {
    let rows = [(660, 8), (690, 9), (-735, 10), (-705, 11), (720, 12)];
    for collected in [1, 2, 3, 5] {
        let tower = Station::new();
        for rows in rows.chunks(collected) {
            tower.write(DAT, file(rows.iter().copied()));
            let _ = tower.run(&["ingest"]).expect(0);
        }
        let text = tower.run(&["gaps"]).expect(0).stdout;
        assert!(text.contains("no records are missing"), "{collected} a collection: {text}");
        assert!(text.contains("the clock stepped back: record 9 at 2024-05-01 11:30:00, then record 10"), "{text}");
        // The same file read again by hand changes nothing.
        let whole = file(rows);
        tower.write("whole.dat", whole);
        let _ = tower.run(&["ingest", "whole.dat"]).expect(0);
        assert_eq!(tower.run(&["gaps"]).expect(0).stdout, text);
    }
}

#[test]
fn an_old_row_among_newer_ones_is_no_gap_of_a_thousand_records() {
    for old in [(-40_000, 3), (-40_000, 400), (-40_000, 90_000)] {
        let tower = Station::new();
        tower.write(DAT, file([(0, 1000), (30, 1001), old, (60, 1002), (90, 1003)]));
        let _ = tower.run(&["ingest"]).expect(0);
        let text = tower.run(&["gaps"]).expect(0).stdout;
        assert!(text.starts_with("no records are missing"), "{old:?}: {text}");
        // A record that is lost later is missing.
        tower.append(DAT, lines([(180, 1006)]));
        let _ = tower.run(&["ingest"]).expect(0);
        assert_eq!(tower.run_json(&["gaps"]).expect(1).json()["gaps"][0]["missing"], 2, "{old:?}");
    }
}

#[test]
fn status_and_page_say_what_gaps_says_of_a_record_that_does_not_count() {
    let tower = Station::new();
    let station = Utc::now() - TimeDelta::hours(5);
    let start = station - TimeDelta::minutes(601);
    let minutes = (start.naive_utc() - "2024-05-01T00:00:00".parse::<NaiveDateTime>().unwrap()).num_minutes();
    tower.write(DAT, file((0..60).filter(|at| *at != 30).map(|at| (minutes + at * 10, 0))));
    let said = tower.run(&["run"]).expect(0).stdout;
    assert!(said.contains("look: 1 time step missing"), "{said}");
    let status = tower.run_json(&["status"]).expect(1).json();
    let findings = status["findings"].as_array().unwrap();
    let found = |kind: &str| findings.iter().find(|finding| finding["kind"] == kind).unwrap();
    let said = found("missing_time_steps")["message"].as_str().unwrap();
    assert!(
        said.starts_with(&format!("1 time step missing in table \"{TABLE}\", by its usual interval of 10 min")),
        "{said}"
    );
    let said = found("record_does_not_count")["message"].as_str().unwrap();
    assert!(said.contains("whether records are missing is unknown: RECORD does not count: it is 0"), "{said}");
    assert_eq!(found("record_does_not_count")["severity"], "info");
    assert!(findings.iter().all(|finding| finding["kind"] != "missing_records"), "{status}");
}

#[test]
fn a_table_without_a_row_is_not_said_to_miss_nothing() {
    let tower = Station::new();
    tower.write(DAT, file([]));
    for command in [["status"], ["ingest"]] {
        let _ = tower.run(&command);
        let text = tower.run(&["gaps"]).expect(0).stdout;
        assert_eq!(text, format!("{TABLE}  whether records are missing is unknown: it has no row yet\n"));
    }
    assert_eq!(tower.run_json(&["gaps"]).expect(0).json()["without_rows"], Value::from(vec![TABLE]));
}

/// Rows of a logger that lost its clock for a while: the times of the first ones are before `valid_from`.
fn lost_clock() -> String {
    let rows = [
        ("2024-05-01 00:00:00", 0),
        ("2000-01-01 00:00:00", 1),
        ("2000-01-01 23:50:00", 2),
        ("2000-01-02 00:00:00", 3),
        ("2000-01-02 00:10:00", 4),
        ("2024-05-01 00:50:00", 5),
    ];
    let lines = rows.map(|(stamp, record)| format!("\"{stamp}\",{record},1.5,2.5\r\n"));
    file([]) + &lines.concat()
}

#[test]
fn a_lost_clock_is_found_behind_the_lines_that_are_rejected_for_it_and_their_records_are_not_missing() {
    let tower = Station::new();
    tower.write(DAT, lost_clock());
    let _ = tower.run(&["ingest"]).expect(1);
    let gaps = tower.run_json(&["gaps"]).expect(0).json();
    assert_eq!(length(&gaps["gaps"]), 0, "{gaps}");
    let step = &gaps["clock"][0];
    assert_eq!(
        (&step["time_before"], &step["time_after"]),
        (&Value::from("2024-05-01 00:00:00"), &Value::from("2000-01-02 00:00:00"))
    );
}

#[test]
fn a_record_that_is_held_is_not_missing() {
    let tower = Station::new();
    let ahead = (Utc::now() + TimeDelta::days(5)).format("%Y-%m-%d %H:%M:%S");
    tower.write(DAT, file([(0, 0)]) + &format!("\"{ahead}\",1,1.5,2.5\r\n") + &line(10, 2));
    let _ = tower.run(&["ingest"]).expect(1);
    assert_eq!(length(&tower.run_json(&["gaps"]).expect(0).json()["gaps"]), 0);
}

#[test]
fn two_loggers_in_one_table_are_named_and_no_gap_or_step_of_the_clock_is_told_of_them() {
    let tower = Station::new().judged_by_age().table(&format!("name = \"{TABLE}\"\nfiles = [\"a.dat\", \"b.dat\"]"));
    let now = Utc::now().naive_utc() - TimeDelta::hours(10);
    let rows = |first: i64| -> String {
        let stamp = |row: i64| (now + TimeDelta::minutes(10 * row)).format("%Y-%m-%d %H:%M:00");
        (0..30).map(|row| format!("\"{}\",{},{first},2.5\r\n", stamp(row), first + row)).collect()
    };
    let header = Logger::par().columns(&["A", "B"]).header();
    tower.write("a.dat", format!("{header}{}", rows(0)));
    tower.write("b.dat", header.replacen("\"TOA5\",\"", "\"TOA5\",\"South ", 1) + &rows(5_000));
    let _ = tower.run(&["run"]);
    let gaps = tower.run_json(&["gaps"]).json();
    assert_eq!((length(&gaps["gaps"]), length(&gaps["clock"])), (0, 0), "{gaps}");
    let found = tower.run(&["status"]).expect(1).stdout;
    assert!(
        found.contains("two loggers write into table") && found.contains("South ") && found.contains("b.dat"),
        "{found}"
    );
    assert!(!found.contains("went back"), "{found}");
}

#[test]
fn two_loggers_that_write_one_table_in_turn_are_named_and_a_logger_that_was_replaced_is_not() {
    let tower = Station::new().judged_by_age().table(&format!("name = \"{TABLE}\"\nfiles = [\"*.dat\"]"));
    let now = Utc::now().naive_utc() - TimeDelta::hours(5) - TimeDelta::minutes(400);
    let rows = |off: i64, rows: std::ops::Range<i64>| -> String {
        let stamp = |row: i64| (now + TimeDelta::minutes(10 * row + off)).format("%Y-%m-%d %H:%M:00");
        rows.map(|row| format!("\"{}\",{row},1.5,2.5\r\n", stamp(row))).collect()
    };
    let north = Logger::par().columns(&["A", "B"]).header();
    let south = north.replacen("\"TOA5\",\"", "\"TOA5\",\"South ", 1);
    let is_named = |tower: &Station| tower.run_json(&["status"]).json().to_string().contains("\"two_loggers\"");
    tower.write("n.dat", north + &rows(0, 0..20));
    let _ = tower.run(&["ingest"]).expect(0);
    // Perhaps it took the place of the first one.
    tower.write("s.dat", south + &rows(5, 20..30));
    let _ = tower.run(&["ingest"]).expect(0);
    tower.append("s.dat", rows(5, 30..32));
    tower.age("s.dat", Duration::ZERO);
    let _ = tower.run(&["ingest"]).expect(0);
    assert!(!is_named(&tower));
    // The first one goes on.
    tower.append("n.dat", rows(0, 20..33));
    tower.age("n.dat", Duration::ZERO);
    let _ = tower.run(&["ingest"]).expect(0);
    assert!(is_named(&tower));
    let found = tower.run(&["status"]).expect(1).stdout;
    let said = format!("two loggers write into table \"{TABLE}\", South ");
    assert!(found.contains(&said) && found.contains("s.dat and 46m") && found.contains("n.dat: give"), "{found}");
}

#[test]
fn a_unit_that_changes_under_one_name_is_a_finding() {
    let start = Utc::now().naive_utc() - TimeDelta::hours(5) - TimeDelta::minutes(300);
    let rows = |rows: std::ops::Range<i64>, value: &str| -> String {
        let stamp = |row: i64| (start + TimeDelta::minutes(10 * row)).format("%Y-%m-%d %H:%M:00");
        rows.map(|row| format!("\"{}\",{row},{value},2.5\r\n", stamp(row))).collect()
    };
    let header = |unit: &str| {
        let header = Logger::par().columns(&["T", "B"]).header();
        let mut lines: Vec<String> = header.lines().map(str::to_owned).collect();
        lines[2] = format!("\"TS\",\"RN\",\"{unit}\",\"mV\"");
        lines.join("\r\n") + "\r\n"
    };
    for (after, differs) in
        [("Deg F", true), ("kPa", true), ("degC", false), ("C", false), ("", false), ("whatever", false)]
    {
        let tower = Station::new();
        tower.write(DAT, header("Deg C") + &rows(0..15, "20.5"));
        let _ = tower.run(&["ingest"]).expect(0);
        tower.write(DAT, header(after) + &rows(15..30, "68.9"));
        let _ = tower.run(&["ingest"]).expect(0);
        let found = tower.run(&["status"]).stdout;
        let said = format!("column T: its unit is \"{after}\" in the newest header and was \"Deg C\" before");
        assert_eq!(found.contains(&said), differs, "{after}: {found}");
    }
}

#[test]
fn the_newest_row_is_said_to_be_ahead_where_it_is() {
    let tower = Station::new();
    // On a clock at -05:00.
    let ahead = (Utc::now() + TimeDelta::hours(15)).format("%Y-%m-%d %H:%M:%S");
    tower.write(DAT, file([]) + &format!("\"{ahead}\",1,1.5,2.5\r\n"));
    let _ = tower.run(&["ingest"]);
    let found = tower.run(&["status"]).stdout;
    assert_eq!(found.matches(" min ahead").count(), 2, "{found}");
}
