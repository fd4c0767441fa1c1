//! What goes out, and when.

use chrono::Utc;

use super::rows::upper;
use super::station::{UPPER, file};
use crate::support::Station;

const SPIKE: &str = "[table.columns.TA]\nvariable = \"TA\"\nspike = { suspect = 2, fail = 5 }\n";

/// A file whose rows end now: LoggerNet's live collection.
fn live(rows: i64, newest_ago: chrono::TimeDelta) -> String {
    let newest = Utc::now() - chrono::TimeDelta::hours(5) - newest_ago;
    let text = file(UPPER, &upper(rows, 0, |_| None));
    text.lines()
        .enumerate()
        .map(|(line, text)| {
            let Some(row) = line.checked_sub(4) else { return format!("{text}\r\n") };
            let stamp = newest - chrono::TimeDelta::minutes(5) * (rows as i32 - 1 - row as i32);
            format!("\"{}\",{}\r\n", stamp.format("%Y-%m-%d %H:%M:%S"), text.split_once(',').unwrap().1)
        })
        .collect()
}

fn tower(keys: &str) -> Station {
    Station::new().sync("health = false").table(&format!("name = \"upper\"\nfiles = [\"upper.dat\"]\n{keys}"))
}

fn pending(tower: &Station) -> i64 {
    tower.count("SELECT sum(pending) FROM logger_table")
}

#[test]
fn i7_a_row_that_waits_for_its_neighbour_is_not_sent_before_it_comes() {
    let tower = tower(SPIKE);
    tower.write("upper.dat", live(5, chrono::TimeDelta::seconds(20)));
    let _ = tower.run(&["run"]).expect(0);
    assert_eq!(pending(&tower), 1, "the newest row may still be a spike");
    let _ = tower.run(&["sync"]).expect(0);
    assert_eq!(pending(&tower), 1);
}

#[test]
fn i7_a_row_stamped_finer_than_a_microsecond_waits_for_its_neighbour_too() {
    let tower = tower(SPIKE);
    let finer = live(5, chrono::TimeDelta::seconds(20)).lines().fold(String::new(), |text, line| {
        let row = line.split_once("\",").filter(|(stamp, _)| stamp.len() == "\"2026-06-01 00:00:00".len());
        let line = row.map_or_else(|| line.to_owned(), |(stamp, rest)| format!("{stamp}.0000017\",{rest}"));
        text + &line + "\r\n"
    });
    assert_eq!(finer.matches(".0000017").count(), 5);
    tower.write("upper.dat", finer);
    let _ = tower.run(&["run"]).expect(0);
    assert_eq!(pending(&tower), 1, "the newest row may still be a spike");
}

#[test]
fn i6_a_row_whose_neighbour_does_not_come_is_sent_after_the_stated_time() {
    let patient = tower(SPIKE);
    patient.write("upper.dat", live(5, chrono::TimeDelta::minutes(12)));
    let _ = patient.run(&["run"]).expect(0);
    assert_eq!(pending(&patient), 0, "the default is eleven minutes");
    let waiting = tower(SPIKE).more("[qc]\nwait = \"1h\"");
    waiting.write("upper.dat", live(5, chrono::TimeDelta::minutes(12)));
    let _ = waiting.run(&["run"]).expect(0);
    assert_eq!(pending(&waiting), 1);
}

#[test]
fn a_row_without_a_test_that_looks_ahead_does_not_wait() {
    let tower = tower("[table.columns.TA]\nvariable = \"TA\"\nflat_line = { suspect = \"1h\", tolerance = 0.1 }\n");
    tower.write("upper.dat", live(5, chrono::TimeDelta::seconds(20)));
    let _ = tower.run(&["run"]).expect(0);
    assert_eq!(pending(&tower), 0);
}

#[test]
fn rows_compared_across_tables_wait_for_the_other_table() {
    let more = "[[table]]\nname = \"other\"\nfiles = [\"other.dat\"]\n[[pair]]\nname = \"p\"\ntable = \"upper\"\ncolumn = \"TA\"\n\
                against_table = \"other\"\nagainst = \"TA\"\ndifference = { fail = 6 }\n";
    let tower = tower("").more(more);
    tower.write("upper.dat", live(2, chrono::TimeDelta::seconds(20)));
    let _ = tower.run(&["run"]).expect(1);
    assert_eq!(pending(&tower), 2, "the other table has not been read");
    tower.write("other.dat", live(2, chrono::TimeDelta::seconds(0)));
    let _ = tower.run(&["run"]).expect(0);
    let waits = tower.count("SELECT pending FROM logger_table WHERE name = 'upper'");
    assert_eq!(waits, 0, "the other table is as new");
}

#[test]
fn a_failed_value_that_is_withheld_stays_in_the_store_and_its_flag_goes_out() {
    let tower = tower(
        "withhold = true\n[table.columns.TA]\nvariable = \"TA\"\n[table.columns.RH]\nvariable = \"RH\"\nwithhold = false\n",
    );
    tower.write("upper.dat", file(UPPER, &upper(2, 0, |row| (row == 1).then(|| "99".to_owned()))));
    let _ = tower.run(&["run"]).expect(0);
    let mut lines = String::new();
    for day in std::fs::read_dir(tower.path("outbox")).unwrap() {
        let path = day.unwrap().path();
        let files = if path.is_dir() {
            std::fs::read_dir(path).unwrap().map(|file| file.unwrap().path()).collect()
        } else {
            vec![path]
        };
        for file in files {
            lines.push_str(&std::fs::read_to_string(file).unwrap());
        }
    }
    assert!(lines.contains(" TA_qc=4,RH=60"), "{lines}");
    assert!(lines.contains("TA=15.00,TA_qc=1"), "{lines}");
    assert_eq!(tower.count("SELECT count(*) FROM \"t_upper\" WHERE \"TA\" = 99"), 1);
}

#[test]
fn a_late_row_flags_its_neighbours_again_and_they_are_sent_again() {
    let tower = tower(SPIKE);
    let lines = upper(9, 0, |row| (row == 4).then(|| "18.6".to_owned()));
    let without: Vec<_> = lines.iter().filter(|line| line.0 != 5).cloned().collect();
    tower.write("upper.dat", file(UPPER, &without));
    let _ = tower.run(&["run"]).expect(0);
    assert_eq!(pending(&tower), 0);
    tower.write("upper.dat", file(UPPER, &lines));
    let before: Vec<String> = tower.rows("upper").iter().map(|row| row.flags.clone()).collect();
    tower.in_process().ingest();
    let after: Vec<String> =
        tower.rows("upper").iter().filter(|row| row.record != Some(5)).map(|row| row.flags.clone()).collect();
    let changed = before.iter().zip(&after).filter(|(old, new)| old != new).count() as i64;
    assert_eq!(pending(&tower), 1 + changed);
}
