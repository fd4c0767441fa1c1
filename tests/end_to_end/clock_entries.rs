//! Clock entries whose result must not depend on when they were written, nor on which count of RECORD has the same numbers (I3, I11).
//!
//! The oracle: a station that read the same files with the same entry from the start.

use crate::clock_corrections::{HEADER, correct, counts, is_as_if_right_from_the_start, row, rows, stamp, uncorrect};
use crate::support::{DAT, Station, TABLE};

/// Two days later.
const LATER: i64 = 2 * 1_440;

/// Thirty rows of a clock that is 37 minutes ahead, and ten of the right one.
fn ahead_until_110() -> String {
    rows(80..110, 37) + &rows(110..120, 150)
}

fn until_110() -> String {
    format!("from = \"{}\"\nrecord_until = 110\nadd = \"-37m\"", stamp(37))
}

fn tower(clock: &str, content: &str) -> Station {
    let tower = Station::new().clock(clock);
    tower.write(DAT, [HEADER, content].concat());
    tower
}

fn utc(content: &str) -> Station {
    tower("utc_offset = \"+00:00\"", content)
}

/// The times of the newest rows, as stamps.
fn newest(tower: &Station, how_many: usize) -> Vec<String> {
    let rows = tower.rows(TABLE);
    let times = rows[rows.len() - how_many..].iter().map(|row| row.time().replace('T', " ").replace('Z', ""));
    times.collect()
}

#[test]
fn i11_a_clock_entry_with_record_numbers_leaves_the_rows_of_the_next_count_alone() {
    let right: Vec<String> = (0..130).map(|step| stamp(LATER + step * 5)).collect();
    let between = format!("from = \"{}\"\nrecord_from = 80\nrecord_until = 110\nadd = \"-37m\"", stamp(37));
    let since = format!("from = \"{}\"\nrecord_from = 110\nadd = \"7m\"", stamp(143));
    // Seven minutes behind since record 110.
    let behind_since_110 = rows(80..110, 0) + &rows(110..120, 143);
    for (entry, before) in [(until_110(), ahead_until_110()), (between, ahead_until_110()), (since, behind_since_110)] {
        let content = before.clone() + &rows(0..130, LATER);
        // The entry is there before the first row, and all rows come at once.
        let mut tower = utc("");
        correct(&mut tower, &entry);
        tower.write(DAT, [HEADER, &content].concat());
        assert_eq!(tower.run_json(&["ingest"]).works().json()["tables"][0]["conflicts"], 0, "{entry}");
        assert_eq!(newest(&tower, 130), right, "{entry}");
        is_as_if_right_from_the_start(&tower, &[HEADER, &content].concat());
        // The rows come in collections.
        let mut tower = utc(&before);
        correct(&mut tower, &entry);
        tower.run(&["ingest"]).works();
        for records in [0..1, 1..50, 50..111, 111..130] {
            tower.append(DAT, rows(records.clone(), LATER + records.start * 5));
            tower.run(&["ingest"]).works();
        }
        assert_eq!(newest(&tower, 130), right, "{entry}");
        is_as_if_right_from_the_start(&tower, &[HEADER, &content].concat());
        // It is written afterwards.
        let mut tower = utc(&content);
        tower.run(&["ingest"]).works();
        correct(&mut tower, &entry);
        assert_eq!(tower.run_json(&["rekey", "--dry-run"]).works().json()["tables"][0]["conflicts"], 0);
        tower.run(&["ingest"]).works();
        assert_eq!(newest(&tower, 130), right, "{entry}");
        is_as_if_right_from_the_start(&tower, &[HEADER, &content].concat());
        // Taken away, and there again.
        uncorrect(&mut tower);
        tower.run(&["ingest"]).works();
        correct(&mut tower, &entry);
        tower.run(&["ingest"]).works();
        is_as_if_right_from_the_start(&tower, &[HEADER, &content].concat());
    }
}

#[test]
fn i11_a_clock_entry_leaves_the_next_count_alone_though_that_was_read_first() {
    let mut tower = utc(&rows(0..130, LATER));
    correct(&mut tower, &until_110());
    tower.run(&["ingest"]).works();
    tower.write("old.dat", [HEADER, &ahead_until_110()].concat());
    tower.run(&["ingest", "--table", TABLE, "old.dat"]).works();
    tower.run(&["ingest"]).works();
    assert_eq!(newest(&tower, 130), (0..130).map(|step| stamp(LATER + step * 5)).collect::<Vec<_>>());
    assert_eq!(counts(&tower), (170, 0, 0));
}

#[test]
fn i11_a_new_count_that_begins_among_the_stamps_of_a_clock_that_was_ahead_takes_none_of_its_rows_away() {
    // Put right at record 110, and a new program ten minutes later.
    let content = rows(80..110, 37) + &rows(110..112, 150) + &rows(0..130, 160);
    let mut tower = utc(&content);
    tower.run(&["ingest"]).works();
    correct(&mut tower, &until_110());
    tower.run(&["ingest"]).works();
    assert_eq!(counts(&tower), (162, 0, 0));
    let times: Vec<String> = (0..162).map(|step| stamp(step * 5)).collect();
    assert_eq!(newest(&tower, 162), times);
}

#[test]
fn i12_an_entry_that_ends_only_because_record_started_again_is_named_until_it_has_an_end() {
    let mut tower = utc(&(rows(0..50, 0) + &rows(50..60, 190)));
    let since = format!("from = \"{}\"\nrecord_from = 50\nadd = \"1h\"", stamp(190));
    correct(&mut tower, &since);
    tower.run(&["ingest"]).works();
    let said = |tower: &Station| tower.run(&["status"]).stdout;
    assert!(!said(&tower).contains("ends at"), "{}", said(&tower));
    tower.append(DAT, rows(0..80, LATER));
    tower.run(&["ingest"]).works();
    let end = format!("ends at {}, where RECORD started again", stamp(LATER + 250));
    assert!(!said(&tower).contains("ends at 2026-06-01"), "{}", said(&tower));
    let first = format!("ends at {}, where RECORD started again", stamp(LATER));
    assert!(said(&tower).contains(&first) || said(&tower).contains(&end), "{}", said(&tower));
    correct(&mut tower, &format!("{since}\nuntil = \"{}\"", stamp(LATER)));
    tower.run(&["ingest"]).works();
    assert!(!said(&tower).contains("where RECORD started again"), "{}", said(&tower));
    // A clock that was put right before is no question.
    correct(&mut tower, &format!("{since}\nrecord_until = 55"));
    tower.run(&["ingest"]).works();
    assert!(!said(&tower).contains("where RECORD started again"), "{}", said(&tower));
}

/// Rows of every half hour of a night, by the clock of a zone and ten minutes off; the stamps are given.
fn night(stamps: &[&str]) -> String {
    stamps.iter().zip(0..).map(|(stamp, record)| row(stamp, record)).collect()
}

const AUTUMN: [&str; 10] = [
    "2025-11-01 23:30:00",
    "2025-11-02 00:00:00",
    "2025-11-02 00:30:00",
    "2025-11-02 01:00:00",
    "2025-11-02 01:30:00",
    "2025-11-02 01:00:00",
    "2025-11-02 01:30:00",
    "2025-11-02 02:00:00",
    "2025-11-02 02:30:00",
    "2025-11-02 03:00:00",
];
const SPRING: [&str; 6] = [
    "2026-03-08 00:30:00",
    "2026-03-08 01:00:00",
    "2026-03-08 01:30:00",
    "2026-03-08 03:00:00",
    "2026-03-08 03:30:00",
    "2026-03-08 04:00:00",
];
const ZONE: &str = "timezone = \"America/Detroit\"";

#[test]
fn i11_rows_of_the_night_in_which_clocks_change_are_exactly_so_far_from_their_stamps_whenever_the_entry_came() {
    let hours = chrono::TimeDelta::minutes(30);
    for (stamps, from, first) in [
        (&AUTUMN[..], "2025-11-01 20:00:00", "2025-11-02T03:30:00Z"),
        (&SPRING[..], "2026-03-07 20:00:00", "2026-03-08T05:30:00Z"),
    ] {
        for minutes in [10, -10, -45, 90] {
            let entry = format!("from = \"{from}\"\nadd = \"{minutes}m\"");
            let first = chrono::DateTime::parse_from_rfc3339(first).unwrap() + chrono::TimeDelta::minutes(minutes);
            let right: Vec<String> = (0..stamps.len() as i32)
                .map(|step| (first + hours * step).to_utc().format("%Y-%m-%d %H:%M:%S").to_string())
                .collect();
            let mut early = tower(ZONE, "");
            correct(&mut early, &entry);
            early.write(DAT, [HEADER, &night(stamps)].concat());
            early.run(&["ingest"]).works();
            assert_eq!(newest(&early, stamps.len()), right, "{entry}");
            let mut late = tower(ZONE, &night(stamps));
            late.run(&["ingest"]).works();
            correct(&mut late, &entry);
            late.run(&["ingest"]).works();
            assert_eq!(newest(&late, stamps.len()), right, "{entry}");
            assert_eq!(counts(&late), (stamps.len() as i64, 0, 0));
            // Taken away, every row is where it was.
            uncorrect(&mut late);
            late.run(&["ingest"]).works();
            is_as_if_right_from_the_start(&late, &[HEADER, &night(stamps)].concat());
        }
    }
}

#[test]
fn i11_a_logger_that_was_put_back_late_is_put_right_over_the_hour_that_comes_twice() {
    // Summer time until record 8, an hour longer than the zone.
    let stamps = ["00:30", "01:00", "01:30", "02:00", "02:30", "03:00", "03:30", "03:00", "03:30", "04:00"];
    let stamps: Vec<String> = stamps.iter().map(|time| format!("2025-11-02 {time}:00")).collect();
    let content = night(&stamps.iter().map(String::as_str).collect::<Vec<_>>());
    let mut late = tower(ZONE, &content);
    late.run(&["ingest"]).works();
    correct(&mut late, "from = \"2025-11-02 02:00:00\"\nrecord_until = 7\nadd = \"-1h\"");
    late.run(&["ingest"]).works();
    let right: Vec<String> =
        (0..10).map(|step| format!("2025-11-02 {:02}:{:02}:00", 4 + (step + 1) / 2, (step + 1) % 2 * 30)).collect();
    assert_eq!(newest(&late, 10), right);
    is_as_if_right_from_the_start(&late, &[HEADER, &content].concat());
}

#[test]
fn i3_events_that_move_onto_a_stamp_with_rows_are_rows_of_their_own() {
    let tips = [(0, 0), (30, 1), (30, 2), (40, 3), (40, 4), (40, 5)];
    let content: String =
        tips.iter().map(|(second, record)| row(&format!("2026-06-01 10:00:{second:02}"), *record)).collect();
    let entry = "from = \"2026-06-01 10:00:05\"\nuntil = \"2026-06-01 10:00:35\"\nadd = \"10s\"";
    let mut tower = Station::new().clock("utc_offset = \"+00:00\"").table_keys("events = true");
    tower.write(DAT, [HEADER, &content].concat());
    tower.run(&["ingest"]).works();
    correct(&mut tower, entry);
    assert_eq!(tower.run_json(&["rekey", "--dry-run"]).works().json()["tables"][0]["conflicts"], 0);
    tower.run(&["ingest"]).works();
    assert_eq!(counts(&tower), (6, 0, 0));
    let at_40 = tower.rows(TABLE).iter().filter(|row| row.time().contains("10:00:40")).count();
    assert_eq!(at_40, 5);
    // Read again, no row is new; taken away, each is where it was.
    assert_eq!(tower.run_json(&["ingest", DAT]).works().json()["tables"][0]["staged"], 0);
    uncorrect(&mut tower);
    tower.run(&["ingest"]).works();
    assert_eq!(counts(&tower), (6, 0, 0));
    assert_eq!(tower.rows(TABLE).iter().filter(|row| row.time().contains("10:00:30")).count(), 2);
}
