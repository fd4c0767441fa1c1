//! What the order of rows, their record numbers and their series say about clocks, loggers and plots that changed or died.

use chrono::{NaiveDateTime, TimeDelta, Utc};
use serde_json::Value;

#[cfg(target_os = "linux")]
use crate::support::faketime::FakeTime;
use crate::support::{DAT, Station, TABLE};

const HEADER: &str = "\"TOA5\",\"UMB\",\"CR1000\",\"1\",\"CR1000.Std.32\",\"CPU:p.CR1\",\"1\",\"met\"\r\n\
    \"TIMESTAMP\",\"RECORD\",\"T_Avg\"\r\n\"TS\",\"RN\",\"Deg C\"\r\n\"\",\"\",\"Avg\"\r\n";

/// Today by the station's clock, UTC, so many hours ago.
fn ago(hours: i64) -> NaiveDateTime {
    let now = Utc::now().naive_utc() - TimeDelta::hours(hours);
    now.format("%Y-%m-%dT%H:00:00").to_string().parse().unwrap()
}

fn written(at: NaiveDateTime) -> String {
    at.format("%Y-%m-%d %H:%M:%S%.f").to_string()
}

/// Rows from a time on, so many seconds apart.
fn rows(from: NaiveDateTime, step: f64, records: std::ops::Range<i64>) -> String {
    let at = |place: i64| from + TimeDelta::milliseconds((place as f64 * step * 1_000.0).round() as i64);
    records
        .clone()
        .map(|record| format!("\"{}\",{record},{}\r\n", written(at(record - records.start)), record % 89))
        .collect()
}

fn utc() -> Station {
    Station::new().clock("utc_offset = \"+00:00\"")
}

fn read(content: &str) -> Station {
    let tower = utc();
    tower.write(DAT, [HEADER, content].concat());
    let _ = tower.run(&["run"]);
    tower
}

fn finding(tower: &Station, kind: &str) -> Option<String> {
    let status = tower.run_json(&["status"]).json();
    let found = status["findings"].as_array().unwrap().iter().find(|finding| finding["kind"] == kind).cloned();
    found.map(|found| format!("{}; {}", found["message"].as_str().unwrap(), found["fix"].as_str().unwrap_or_default()))
}

fn gaps(tower: &Station) -> Value {
    tower.run_json(&["gaps"]).json()
}

fn steps(gaps: &Value) -> Vec<u64> {
    gaps["time_steps"].as_array().unwrap().iter().map(|step| step["missing"].as_u64().unwrap()).collect()
}

/// Follows the advice about the clock, and gives what became of the rows.
fn followed(tower: &mut Station, advice: &str) -> (i64, i64, Vec<String>) {
    let fix = advice.split("[[table.clock]] with ").nth(1).unwrap().split("; ").next().unwrap();
    let keys = fix.replace(", ", "\n");
    tower.configure(|sections| sections.more = format!("[[table.clock]]\n{keys}\n"));
    tower.run(&["ingest"]).works();
    let times = tower.rows(TABLE).iter().map(crate::support::Row::time).collect();
    (tower.count("SELECT count(*) FROM reading"), tower.count("SELECT count(*) FROM conflict"), times)
}

#[test]
fn the_advice_for_a_clock_that_was_put_right_after_hours_leaves_the_rows_since_then_alone() {
    // An hour back for five hours.
    let from = ago(13);
    let minutes = |minutes: i64| from + TimeDelta::minutes(minutes);
    let content = rows(from, 60.0, 0..200) + &rows(minutes(140), 60.0, 200..500) + &rows(minutes(500), 60.0, 500..600);
    let mut tower = read(&content);
    let advice = finding(&tower, "logger_clock").unwrap();
    assert!(advice.contains("put right at record 500") && advice.contains("record_until = 500"), "{advice}");
    assert!(advice.contains(&format!("until = \"{}\"", written(minutes(440)))), "{advice}");
    let (rows, conflicts, times) = followed(&mut tower, &advice);
    assert_eq!((rows, conflicts), (600, 0));
    let right: Vec<String> =
        (0..600).map(|minute| format!("{}Z", written(minutes(minute)).replace(' ', "T"))).collect();
    assert_eq!(times, right);
}

#[test]
fn the_advice_for_a_clock_of_ten_rows_a_second_is_exact() {
    let from = ago(6);
    let later = from + TimeDelta::seconds(120) - TimeDelta::hours(1);
    let mut tower = read(&(rows(from, 0.1, 0..1_200) + &rows(later, 0.1, 1_200..1_400)));
    let advice = finding(&tower, "logger_clock").unwrap();
    assert!(advice.contains("add = \"1h\"") && advice.contains("add = \"-1h\"") && !advice.contains("59m"), "{advice}");
    let (rows, conflicts, times) = followed(&mut tower, &advice);
    assert_eq!((rows, conflicts), (1_400, 0));
    assert!(
        times.last().unwrap().starts_with(&written(from + TimeDelta::milliseconds(139_900)).replace(' ', "T")),
        "{times:?}"
    );
}

/// A table whose rows have no record number.
fn unnumbered(rows: &str) -> String {
    let without = |line: &str| {
        let mut fields: Vec<&str> = line.split(',').collect();
        fields.remove(1);
        fields.join(",")
    };
    [HEADER, rows]
        .concat()
        .replace(",\"RECORD\"", "")
        .replace(",\"RN\"", "")
        .replace("\"\",\"\",\"Avg\"", "\"\",\"Avg\"")
        .lines()
        .enumerate()
        .map(|(place, line)| if place < 4 { line.to_owned() } else { without(line) } + "\r\n")
        .collect()
}

#[test]
fn i12_a_clock_that_goes_back_in_a_table_without_record_numbers_is_found_and_a_block_that_comes_late_is_not() {
    let from = ago(12);
    let minutes = |minutes: i64| from + TimeDelta::minutes(minutes);
    let ahead = rows(from, 600.0, 0..20);
    // Put back by two hours and five minutes.
    let put_back = rows(minutes(75), 600.0, 20..60);
    for parts in [vec![ahead.clone() + &put_back], vec![ahead, put_back.clone()]] {
        let tower = utc();
        let mut all = String::new();
        for part in parts {
            all += &part;
            tower.write(DAT, unnumbered(&all));
            let _ = tower.run(&["run"]);
        }
        let found = finding(&tower, "logger_clock").expect("a finding");
        assert!(found.contains("went back by 115 min"), "{found}");
        let said = tower.run(&["gaps"]).stdout;
        assert!(
            said.contains(&format!(
                "the clock stepped back: a row at {}, then one at {}",
                written(minutes(190)),
                written(minutes(75))
            )),
            "{said}"
        );
        assert_eq!(gaps(&tower)["clock"][0]["record_before"], Value::Null);
        // Read again, nothing is added; overwritten by its end, neither.
        tower.write(DAT, unnumbered(&put_back));
        let _ = tower.run(&["run"]);
        assert_eq!(gaps(&tower)["clock"].as_array().unwrap().len(), 1);
    }
    // A hole that a later block fills, in one file and in two; and rows in the reverse order.
    let (first, hole, last) =
        (rows(from, 600.0, 0..20), rows(minutes(200), 600.0, 20..40), rows(minutes(400), 600.0, 40..60));
    let reversed = [&first, &hole, &last].map(String::as_str).concat();
    let reversed: String = reversed.lines().rev().map(|line| format!("{line}\r\n")).collect();
    for content in [first.clone() + &last + &hole, first + &hole + &last + &hole, reversed] {
        let tower = utc();
        tower.write(DAT, unnumbered(&content));
        let _ = tower.run(&["run"]);
        assert_eq!(tower.count("SELECT count(*) FROM reading"), 60);
        assert_eq!((finding(&tower, "logger_clock"), gaps(&tower)["clock"].as_array().unwrap().len()), (None, 0));
    }
}

#[cfg(target_os = "linux")]
#[test]
fn i12_rows_that_later_records_prove_to_be_ahead_stay_held_when_their_time_comes() {
    let Some(library) = FakeTime::find() else { return };
    let from = ago(10);
    let minutes = |minutes: i64| from + TimeDelta::minutes(minutes);
    let two_days = TimeDelta::days(2);
    let ahead = rows(minutes(180) + two_days, 1_800.0, 106..110);
    let tower = utc();
    tower.write(DAT, [HEADER, &rows(from, 1_800.0, 100..106), &ahead].concat());
    let _ = tower.run(&["run"]);
    assert!(tower.run(&["rejected"]).stdout.contains("it is staged automatically"), "nothing disproves them yet");
    tower.append(DAT, rows(minutes(300), 1_800.0, 110..113));
    let _ = tower.run(&["run"]);
    let rejected = tower.run(&["rejected"]).stdout;
    assert!(
        rejected.contains("held: RECORD 110 behind it") && !rejected.contains("it is staged automatically"),
        "{rejected}"
    );
    // Two days later, with the rows of those days.
    tower.append(DAT, rows(minutes(390), 1_800.0, 113..209));
    let mut command = tower.command(&["run"]);
    library.move_clock(&mut command, 2 * 86_400);
    let _ = command.output().unwrap();
    assert_eq!(tower.count("SELECT count(*) FROM reading WHERE record BETWEEN 106 AND 109"), 0);
    assert_eq!(tower.count("SELECT count(*) FROM conflict"), 0);
    // An entry makes rows of them.
    let mut tower = tower;
    let entry = format!(
        "[[table.clock]]\nfrom = \"{}\"\nuntil = \"{}\"\nrecord_from = 106\nrecord_until = 110\nadd = \"-2d\"\n",
        written(minutes(180) + two_days),
        written(minutes(300) + two_days)
    );
    tower.configure(|sections| sections.more = entry);
    tower.run(&["ingest"]).works();
    assert_eq!(tower.count("SELECT count(*) FROM reading WHERE record BETWEEN 106 AND 109"), 4);
    assert_eq!(tower.count("SELECT count(*) FROM rejected_line"), 0);
}

#[test]
fn a_file_that_joins_two_loggers_names_both_and_tells_no_gap_or_step_between_them() {
    let from = ago(10);
    let minutes = |minutes: i64| from + TimeDelta::minutes(minutes);
    let other = HEADER.replace("\"UMB\"", "\"South\"");
    let second = other.replace("CR1000\",\"1\"", "CR1000\",\"2\"");
    for first in [500, 0] {
        let half = TimeDelta::seconds(30);
        let blocks = [
            HEADER.to_owned() + &rows(from, 60.0, 0..20),
            second.clone() + &rows(from + half, 60.0, first..first + 20),
            HEADER.to_owned() + &rows(minutes(20), 60.0, 20..40),
            second.clone() + &rows(minutes(20) + half, 60.0, first + 20..first + 40),
        ];
        let tower = utc();
        tower.write(DAT, blocks.concat());
        let _ = tower.run(&["run"]);
        let found = finding(&tower, "two_loggers").expect("a finding");
        assert!(
            found.contains("UMB") && found.contains("South") && found.contains("the file joins their rows"),
            "{found}"
        );
        // It grows.
        tower.append(DAT, rows(minutes(40) + half, 60.0, first + 40..first + 60));
        let _ = tower.run(&["run"]);
        let gaps = gaps(&tower);
        assert_eq!(gaps["gaps"].as_array().unwrap().len() + gaps["clock"].as_array().unwrap().len(), 0, "{gaps}");
        assert_eq!(tower.count("SELECT count(*) FROM reading"), 100);
    }
    // Another logger's clock was behind when it took over: nothing of its numbers is followed, and `gaps` says so.
    let half = TimeDelta::seconds(30);
    let lost = rows(minutes(33) + half, 60.0, 0..40) + &rows(minutes(88) + half, 60.0, 55..90);
    let tower = utc();
    tower.write(DAT, HEADER.to_owned() + &rows(from, 60.0, 0..60) + &second + &lost);
    let _ = tower.run(&["run"]);
    let said = gaps(&tower);
    assert_eq!(said["unknown"][0]["why"], "two_loggers", "{said}");
    // A renamed station with its serial number is one logger, whose numbers go on.
    let again = rows(minutes(10), 60.0, 10..20) + &rows(minutes(30), 60.0, 30..50);
    let tower = utc();
    tower.write(DAT, HEADER.to_owned() + &rows(from, 60.0, 0..20) + &other + &again);
    let _ = tower.run(&["run"]);
    assert_eq!(finding(&tower, "two_loggers"), None);
    assert_eq!(gaps(&tower)["gaps"][0]["missing"], 10);
    // A logger that was exchanged is no finding.
    let exchanged = HEADER.to_owned() + &rows(from, 60.0, 0..20) + &second + &rows(minutes(22), 60.0, 0..20);
    let tower = utc();
    tower.write(DAT, exchanged);
    let _ = tower.run(&["run"]);
    assert_eq!(finding(&tower, "two_loggers"), None);
}

#[test]
fn two_files_of_one_table_without_record_numbers_are_no_step_of_a_clock() {
    let tower = utc().table(
        "name = \"met\"\nfiles = [\"m*.csv\"]\nformat = \"csv\"\ntime_column = \"Time\"\n[table.csv]\nnames_line = 1",
    );
    let from = ago(60);
    let of = |first: i64, upto: i64| -> String {
        (0..upto).map(|row| format!("{},20\r\n", written(from + TimeDelta::minutes(first + row * 30)))).collect()
    };
    for upto in [24, 48, 72] {
        tower.write("m1.csv", format!("Time,T\r\n{}", of(0, upto)));
        tower.write("m2.csv", format!("Time,T\r\n{}", of(15, upto)));
        let _ = tower.run(&["run"]);
    }
    assert_eq!(gaps(&tower)["clock"].as_array().unwrap().len(), 0, "{}", gaps(&tower));
    assert_eq!(finding(&tower, "logger_clock"), None);
}

#[test]
fn a_pause_is_never_a_gap_of_more_rows_than_it_is_long() {
    let from = ago(10);
    let minutes = |minutes: i64| from + TimeDelta::minutes(minutes);
    // A logger with other numbers is there eleven minutes later.
    for first in [90_000, 50] {
        let tower = read(&(rows(from, 60.0, 0..100) + &rows(minutes(110), 60.0, first..first + 90)));
        let gaps = gaps(&tower);
        assert_eq!((gaps["gaps"].as_array().unwrap().len(), steps(&gaps)), (0, vec![10]), "{first}: {gaps}");
        let kind = if first == 50 { "reset" } else { "jump" };
        assert_eq!(gaps["clock"][0]["kind"], kind);
        let said = finding(&tower, "missing_time_steps").unwrap();
        assert!(said.starts_with("10 time steps missing"), "{said}");
    }
    // As many as fit are missing, and rows may be lost beside a step of the clock.
    let tower = read(&(rows(from, 60.0, 0..100) + &rows(minutes(110), 60.0, 110..200)));
    assert_eq!(gaps(&tower)["gaps"][0]["missing"], 10);
    let tower = read(&(rows(from, 60.0, 0..100) + &rows(minutes(110), 60.0, 300..390)));
    assert_eq!(gaps(&tower)["gaps"][0]["missing"], 200);
}

#[test]
fn records_that_are_lost_where_the_numbers_end_are_all_missing() {
    let from = ago(10);
    let end = 0x7fff_ffff_i64;
    for (last, first) in [(end - 2, 1), (end - 3, 0), (end, 3)] {
        let pause = TimeDelta::minutes(120 + 4);
        let tower = read(&(rows(from, 60.0, last - 120..last + 1) + &rows(from + pause, 60.0, first..first + 30)));
        let gaps = gaps(&tower);
        assert_eq!((&gaps["gaps"][0]["missing"], steps(&gaps)), (&Value::from(3), vec![]), "{gaps}");
    }
    let tower = read(&(rows(from, 60.0, end - 119..end + 1) + &rows(from + TimeDelta::minutes(120), 60.0, 0..30)));
    assert_eq!(gaps(&tower)["gaps"].as_array().unwrap().len(), 0);
}

#[test]
fn what_is_missing_between_two_counts_does_not_depend_on_the_order_of_the_files() {
    let from = ago(30);
    let files = [
        rows(from, 600.0, 7_000..7_050),
        rows(from + TimeDelta::minutes(900), 600.0, 0..30),
        rows(from + TimeDelta::minutes(1_400), 600.0, 0..20),
    ];
    for order in [[0, 1, 2], [2, 1, 0], [1, 0, 2], [1, 2, 0], [2, 0, 1], [0, 2, 1]] {
        let tower = utc();
        for place in order {
            tower.write("part.dat", [HEADER, &files[place]].concat());
            tower.run(&["ingest", "--table", TABLE, "part.dat"]).works();
        }
        assert_eq!(steps(&gaps(&tower)), [40, 20], "{order:?}");
        assert!(!tower.run(&["gaps"]).expect(1).stdout.starts_with("no records are missing\n"));
    }
}

#[test]
fn i12_a_plot_that_has_died_is_a_finding_while_others_go_on_and_codes_that_take_turns_are_none() {
    let from = ago(12);
    let header = HEADER.replace(",\"T_Avg\"", ",\"Plot\",\"T_Avg\"").replace(",\"Deg C\"", ",\"\",\"Deg C\"");
    let header = header.replace("\"\",\"\",\"Avg\"", "\"\",\"\",\"Smp\",\"Avg\"");
    let row = |step: i64, plot: &str, record: i64| {
        format!("\"{}\",{record},\"{plot}\",{}\r\n", written(from + TimeDelta::minutes(step * 10)), step % 7)
    };
    let tower = utc().more("[table.columns.Plot]\nuse = \"tag\"");
    let both = (0..12).flat_map(|step| [row(step, "6a", 2 * step), row(step, "6b", 2 * step + 1)]);
    let one = (12..66).map(|step| row(step, "6a", 12 + step));
    tower.write(DAT, header.clone() + &both.chain(one).collect::<String>());
    let _ = tower.run(&["run"]);
    let found = finding(&tower, "series_ended").expect("a finding");
    assert!(found.contains("6b has had no row since") && found.contains("54 time steps missing"), "{found}");
    let said = tower.run(&["gaps"]).expect(1).stdout;
    assert!(said.contains("(6b)  54 time steps missing") && !said.contains("no time step is missing"), "{said}");
    // It comes back.
    tower.append(DAT, row(66, "6b", 78) + &row(66, "6a", 79));
    let _ = tower.run(&["run"]);
    assert_eq!(finding(&tower, "series_ended"), None);
    // States of a machine: each row has one.
    let tower = utc().more("[table.columns.Plot]\nuse = \"tag\"");
    let codes = (0..66).map(|step| row(step, if step < 20 { "idle" } else { "busy" }, step));
    tower.write(DAT, header + &codes.collect::<String>());
    let _ = tower.run(&["run"]);
    assert_eq!(finding(&tower, "series_ended"), None);
}

#[test]
fn events_without_record_numbers_are_named_where_their_rows_are_read() {
    let tips = "\"2026-05-29 10:00:00\",1,0.2\r\n\"2026-05-29 10:00:00\",2,0.2\r\n";
    let tower = utc().table_keys("events = true");
    tower.write(DAT, unnumbered(tips));
    let ended = tower.run(&["ingest"]);
    let said = ended.stdout + &ended.stderr;
    assert!(said.contains("has no record number, which events = true needs"), "{said}");
    let tower = utc().table_keys("events = true");
    tower.write(DAT, [HEADER, tips].concat());
    let ended = tower.run(&["ingest"]).works();
    assert!(!ended.stdout.contains("no record number"), "{}", ended.stdout);
    assert_eq!(tower.count("SELECT count(*) FROM reading"), 2);
}
