//! Rows that share a time stamp: ten samples a second, stamped in whole seconds.

use std::fmt::Write as _;
use std::ops::Range;

use super::*;

/// Noon at the station, nanoseconds since 1970 in UTC.
const NOON: i64 = 1_714_582_800_000_000_000;

/// Lines of ten rows a second from noon on. Row 0 is RECORD 1000, so that a stamp begins with each ten.
fn burst(rows: Range<i64>) -> String {
    counted_from(1_000, rows)
}

fn counted_from(record: i64, rows: Range<i64>) -> String {
    let mut lines = String::new();
    for row in rows {
        let (minute, second) = (row / 600, row / 10 % 60);
        let number = record + row;
        writeln!(lines, "\"2024-05-01 12:{minute:02}:{second:02}\",{number},{row},{}\r", row * 2 + 1).unwrap();
    }
    lines
}

/// The row under its own time, and no other.
fn sample(row: i64) -> (i64, String) {
    (NOON + row * 100_000_000, format!("[{row},{}]", row * 2 + 1))
}

fn samples(rows: impl IntoIterator<Item = i64>) -> Vec<(i64, String)> {
    rows.into_iter().map(sample).collect()
}

fn stored(tower: &Station) -> Vec<(i64, String)> {
    tower.rows(TABLE).into_iter().map(|row| (row.ts, row.vals)).collect()
}

fn ten() -> Station {
    Station::new().table_keys("samples_per_stamp = 10")
}

fn left_over(tower: &Station) -> (i64, i64) {
    let (lines, conflicts) =
        (tower.count("SELECT count(*) FROM rejected_line"), tower.count("SELECT count(*) FROM conflict"));
    assert_eq!(tower.count("SELECT sum(rejected_lines) FROM logger_table"), lines);
    assert_eq!(tower.count("SELECT sum(conflicts) FROM logger_table"), conflicts);
    (lines, conflicts)
}

fn reasons(tower: &Station) -> String {
    let conn = tower.database();
    let mut reasons = conn.prepare("SELECT DISTINCT reason FROM rejected_line ORDER BY 1").unwrap();
    let reasons = reasons.query_map([], |row| row.get::<_, String>(0)).unwrap();
    reasons.map(Result::unwrap).collect::<Vec<_>>().join("\n")
}

#[test]
fn i3_all_rows_of_a_burst_are_staged_under_times_of_their_own_without_any_key() {
    let tower = Station::new();
    let ended = ingest(&tower, behind_header(burst(0..900)), "header 4 staged 900").expect(1);
    assert!(ended.stdout.contains("10 rows share each second"), "{}", ended.stdout);
    assert_eq!(stored(&tower), samples(0..900));
    assert_eq!(left_over(&tower), (0, 0));
    // The time as the logger wrote it.
    assert_eq!(tower.rows(TABLE)[3].ts_text.as_deref(), Some("2024-05-01 12:00:00"));
    assert_eq!(tower.count("SELECT count(*) FROM clock_event"), 0);
    // The second time nothing is said, and the same file again is known.
    let again = ingest(&tower, behind_header(burst(0..905)), "header 0 staged 5").expect(0);
    assert!(!again.stdout.contains("share each second"), "{}", again.stdout);
    assert_eq!(tower.run_json(&["ingest", DAT]).expect(0).json()["tables"][0]["duplicates"], 905);
    assert_eq!(stored(&tower), samples(0..905));
}

#[test]
fn i3_rows_of_a_burst_are_sent_once_each_and_exported_with_their_fraction() {
    let tower = ten();
    ingest(&tower, behind_header(burst(0..40)), "header 4 staged 40").expect(0);
    let sync = tower.run_json(&["sync"]).expect(0);
    assert_eq!(sync.number("sent"), 40);
    let export = tower.run(&["export", "--table", TABLE]).expect(0).stdout;
    assert!(export.contains("12:00:01.7"), "{export}");
    let gaps = tower.run(&["gaps"]).expect(0).stdout;
    assert!(gaps.contains("no records are missing"), "{gaps}");
    tower.run(&["ingest", DAT]).works();
    assert_eq!(tower.run_json(&["sync"]).works().number("sent"), 0);
}

#[test]
fn i3_steps_of_one_to_seventeen_rows_give_the_same_rows() {
    for (step, key) in (1..=17).flat_map(|step| [(step, true), (step, false)]) {
        for overwrites in [true, false] {
            let tower = if key { ten() } else { Station::new() };
            let fluxtower = tower.in_process();
            let mut begin = 3;
            while begin < 143 {
                let end = (begin + step).min(143);
                tower.write(DAT, behind_header(burst(if overwrites { begin } else { 3 }..end)));
                fluxtower.ingest();
                begin = end;
            }
            let case = format!("steps of {step}, key {key}, overwrites {overwrites}");
            if key || !overwrites || step > 1 {
                assert_eq!(stored(&tower), samples(3..143), "{case}");
                assert_eq!(left_over(&tower), (0, 0), "{case}: {}", reasons(&tower));
            }
        }
    }
}

#[test]
fn i1_an_overwritten_file_that_begins_in_mid_second_is_held_until_a_whole_second_proves_the_places() {
    let tower = ten();
    ingest(&tower, behind_header(burst(4..8)), "header 4 held 4").expect(1);
    assert!(reasons(&tower).contains("12:00:00 is the time of 10 rows"), "{}", reasons(&tower));
    let rejected = tower.run_json(&["rejected"]).expect(0);
    assert_eq!(rejected.json()["rejected"][0]["kind"], "held", "{}", rejected.stdout);
    let status = tower.run(&["status"]).expect(1);
    assert!(
        status.stdout.contains("4 lines are held: their place among the rows of one time stamp"),
        "{}",
        status.stdout
    );
    // Rows 8 to 12 were lost. One whole second and the row behind it tell.
    ingest(&tower, behind_header(burst(13..20)), "header 4 held 7").expect(1);
    ingest(&tower, behind_header(burst(20..30)), "header 4 held 10").expect(1);
    let proven = ingest(&tower, behind_header(burst(30..31)), "header 4 staged 1").expect(0);
    assert_eq!(proven.json()["tables"][0]["taken_up"], 21, "{}", proven.stdout);
    assert_eq!(stored(&tower), samples((4..8).chain(13..31)));
    assert_eq!(left_over(&tower), (0, 0));
    // The lost rows come in a backup file.
    tower.write("backup.dat", behind_header(burst(8..13)));
    tower.run(&["ingest", "backup.dat"]).expect(0);
    assert_eq!(stored(&tower), samples(4..31));
    assert_eq!(left_over(&tower), (0, 0));
}

#[test]
fn i2_a_burst_cut_at_any_byte_and_then_finished_gives_the_same_rows() {
    let whole = behind_header(burst(8..22));
    for cut in HEADER.len()..whole.len() {
        let tower = Station::new().table_keys("samples_per_stamp = 10\nlast_line_after = \"0s\"");
        let fluxtower = tower.in_process();
        tower.write(DAT, &whole[..cut]);
        fluxtower.ingest();
        tower.write(DAT, &whole);
        fluxtower.ingest();
        assert_eq!(stored(&tower), samples(8..22), "cut at {cut}");
        assert_eq!(left_over(&tower), (0, 0), "cut at {cut}: {}", reasons(&tower));
    }
}

#[test]
fn i3_a_restart_in_mid_second_and_a_count_that_wraps_keep_every_row() {
    for (name, second) in [("a restart", 0), ("a wrap", i64::from(u32::MAX) + 1)] {
        let tower = ten();
        // Rows 0 to 24 end one count, rows 25 to 59 begin another at 0.
        let first = if second == 0 { 995 } else { second - 25 };
        let text = counted_from(first, 0..25) + &counted_from(-25, 25..60);
        for end in [HEADER.len() + text.len() / 3, HEADER.len() + text.len()] {
            let whole = behind_header(&text);
            tower.write(DAT, &whole[..end]);
            let _ = tower.run(&["ingest"]);
        }
        assert_eq!(stored(&tower), samples(0..60), "{name}: {}", reasons(&tower));
        assert_eq!(left_over(&tower), (0, 0), "{name}");
    }
}

#[test]
fn i11_a_key_that_is_added_later_makes_rows_of_what_was_in_conflict() {
    for replaces in [false, true] {
        let keys = if replaces { "on_conflict = \"replace\"\n" } else { "" };
        let mut tower = Station::new().table_keys(&format!("{keys}samples_per_stamp = 1"));
        // The file begins in mid-second.
        ingest(&tower, behind_header(burst(4..40)), "header 4 staged 4 conflicts 32").expect(1);
        assert_eq!(tower.run_json(&["sync"]).works().number("sent"), 4);
        tower.configure(|sections| {
            sections.table = format!("name = \"{TABLE}\"\nfiles = [\"{DAT}\"]\n{keys}samples_per_stamp = 10");
        });
        let ended = tower.run(&["ingest"]).expect(1);
        assert!(ended.stdout.contains("samples_per_stamp = 10: 32 rows"), "{}", ended.stdout);
        assert_eq!(stored(&tower), samples(4..40), "replaces {replaces}");
        assert_eq!(left_over(&tower), (0, 0));
        let rows = tower.count("SELECT rows FROM logger_table");
        assert_eq!((rows, tower.count("SELECT pending + sent FROM logger_table")), (36, 36));
        let before = tower.count("SELECT count(*) FROM reading WHERE state = 0");
        assert_eq!(tower.run_json(&["sync"]).works().number("sent"), before.unsigned_abs());
        assert_eq!(tower.count("SELECT count(*) FROM reading WHERE state = 1"), 36);
        // A second reading changes nothing.
        tower.run(&["ingest", DAT]).expect(0);
        assert_eq!(stored(&tower), samples(4..40));
    }
}

#[test]
fn i11_a_wrong_number_of_samples_places_nothing_and_names_the_key_and_the_count() {
    for wrong in [5, 20] {
        let mut tower = Station::new().table_keys(&format!("samples_per_stamp = {wrong}"));
        ingest(&tower, behind_header(burst(0..60)), "header 4 held 60").expect(1);
        let reasons = reasons(&tower);
        assert!(
            reasons.contains("held: 10 rows (RECORD 1010 to 1019)")
                && reasons.contains(&format!("samples_per_stamp = {wrong}; write samples_per_stamp = 10")),
            "{reasons}"
        );
        tower.configure(|sections| {
            sections.table = format!("name = \"{TABLE}\"\nfiles = [\"{DAT}\"]\nsamples_per_stamp = 10");
        });
        let right = tower.run_json(&["ingest"]).expect(0);
        assert_eq!(right.json()["tables"][0]["taken_up"], 60, "{}", right.stdout);
        assert_eq!(stored(&tower), samples(0..60));
        assert_eq!(left_over(&tower), (0, 0));
    }
}

#[test]
fn i11_more_samples_than_before_are_held_until_the_key_says_how_many() {
    let mut tower = ten();
    let mut text = burst(0..30);
    for row in 0..60 {
        let (second, number) = (3 + row / 20, 1_030 + row);
        writeln!(text, "\"2024-05-01 12:00:{second:02}\",{number},{row},1\r").unwrap();
    }
    ingest(&tower, behind_header(text), "header 4 staged 40 held 50").expect(1);
    assert!(reasons(&tower).contains("held: 20 rows (RECORD 1050 to 1069)"), "{}", reasons(&tower));
    // The other number gives places to the rows that were held, and to the first of them, which had come too early.
    tower.configure(|sections| {
        sections.table = format!("name = \"{TABLE}\"\nfiles = [\"{DAT}\"]\nsamples_per_stamp = 20");
    });
    tower.run(&["ingest"]).works();
    let times: Vec<i64> = tower.rows(TABLE).iter().map(|row| row.ts).collect();
    let faster = (0..60).map(|row| NOON + 3_000_000_000 + row * 50_000_000);
    assert_eq!(times, (0..30).map(|row| NOON + row * 100_000_000).chain(faster).collect::<Vec<_>>());
    assert_eq!(left_over(&tower), (0, 0), "{}", reasons(&tower));
    // What was read by the other number is known when it is read again.
    tower.run(&["ingest", DAT]).works();
    assert_eq!((tower.rows(TABLE).len(), left_over(&tower)), (90, (0, 0)));
}

#[test]
fn i3_the_same_record_with_another_content_is_a_conflict_of_its_own_sample() {
    let tower = ten();
    ingest(&tower, behind_header(burst(0..30)), "header 4 staged 30").expect(0);
    let other = burst(0..30).replace(",1013,13,", ",1013,99,");
    ingest(&tower, behind_header(other), "header 4 duplicates 29 conflicts 1").expect(1);
    assert_eq!(stored(&tower), samples(0..30));
    tower.run(&["conflicts", "--keep", "newer"]).works();
    assert_eq!(stored(&tower)[13].1, "[99,27]");
    assert_eq!(stored(&tower).len(), 30);
}

#[test]
fn i3_samples_of_several_series_are_told_apart_by_their_tags() {
    let tower = Station::new().table_keys("samples_per_stamp = 2\n[table.columns.A]\nuse = \"tag\"");
    let mut text = String::new();
    for row in 0..12 {
        writeln!(text, "\"2024-05-01 12:00:{:02}\",{row},north,{row}\r", row / 2).unwrap();
        writeln!(text, "\"2024-05-01 12:00:{:02}\",{row},south,{row}\r", row / 2).unwrap();
    }
    ingest(&tower, behind_header(text), "header 4 staged 24").expect(0);
    let north: Vec<i64> = tower.rows(TABLE).iter().filter(|row| row.tags.contains("north")).map(|row| row.ts).collect();
    assert_eq!(north, (0..12).map(|row| NOON + row * 500_000_000).collect::<Vec<_>>());
}

#[test]
fn a_table_with_samples_of_ten_seconds_says_so_by_its_stamp_interval() {
    let tower = Station::new().table_keys("samples_per_stamp = 2\nstamp_interval = \"10s\"");
    let line = |row: i64| format!("\"2024-05-01 12:00:{:02}\",{row},{row},1\r\n", row / 2 * 10);
    ingest(&tower, behind_header((0..8).map(line).collect::<String>()), "header 4 staged 8").expect(0);
    assert_eq!(stored(&tower)[3].0, NOON + 15_000_000_000);
    let odd = "\"2024-05-01 12:00:45\",8,8,1\r\n";
    ingest(&tower, behind_header(odd), "header 4 rejected 1").expect(1);
    assert!(reasons(&tower).contains("stamp_interval"), "{}", reasons(&tower));
}

#[test]
fn rows_that_share_a_stamp_in_no_even_way_name_the_key() {
    let tower = Station::new();
    let line = |(row, second): (usize, &i64)| format!("\"2024-05-01 12:00:{second:02}\",{row},{row},1\r\n");
    let text: String = [0, 0, 0, 1, 2, 2, 7, 7, 7, 7].iter().enumerate().map(line).collect();
    let ended = ingest(&tower, behind_header(text), "header 4 staged 4 conflicts 6").expect(1);
    assert!(
        ended.stdout.contains("samples_per_stamp if they come at a fixed rate, in the [[table]]"),
        "{}",
        ended.stdout
    );
}

/// Twelve rows a minute, with RECORD from `rows`.
fn twelve_a_minute(rows: Range<i64>) -> String {
    let line = |row: i64| format!("\"2024-05-01 12:{:02}:00\",{row},{row},1\r\n", row / 12);
    rows.map(line).collect()
}

fn each_five_seconds(rows: Range<i64>) -> Vec<(i64, String)> {
    rows.map(|row| (NOON + row * 5_000_000_000, format!("[{row},1]"))).collect()
}

#[test]
fn rows_that_share_minutes_are_spread_over_a_second_by_no_key_and_the_message_gives_the_right_interval() {
    let right = "write samples_per_stamp = 12 and stamp_interval = \"1m\" in the [[table]]";
    // Rows that came before any key: the message of the first ingest, and of the key that is not enough.
    let mut tower = Station::new();
    let ended = ingest(&tower, behind_header(twelve_a_minute(0..60)), "header 4 staged 5 conflicts 55").expect(1);
    let note = ended.json()["tables"][0]["notes"][0].as_str().unwrap().to_owned();
    assert!(note.contains(right), "{note}");
    let configure = |tower: &mut Station, keys: &str| {
        tower.configure(|sections| sections.table = format!("name = \"{TABLE}\"\nfiles = [\"{DAT}\"]\n{keys}"));
    };
    configure(&mut tower, "samples_per_stamp = 12");
    let ended = tower.run(&["ingest"]);
    assert!(ended.stdout.contains("no row is spread: the stamps are 60 s apart"), "{}", ended.stdout);
    assert!(ended.stdout.contains(right), "{}", ended.stdout);
    assert_eq!((stored(&tower).len(), left_over(&tower)), (5, (0, 55)));
    ingest(&tower, behind_header(twelve_a_minute(60..97)), "header 4 held 37").expect(1).works();
    assert!(reasons(&tower).contains(right) && reasons(&tower).contains("comes 60 s later"), "{}", reasons(&tower));
    configure(&mut tower, "samples_per_stamp = 12\nstamp_interval = \"1m\"");
    tower.run(&["ingest"]).works();
    assert_eq!(stored(&tower), each_five_seconds(0..97));
    assert_eq!(left_over(&tower), (0, 0), "{}", reasons(&tower));
    // A key from the start.
    let mut tower = Station::new().table_keys("samples_per_stamp = 12");
    ingest(&tower, behind_header(twelve_a_minute(0..60)), "header 4 held 60").expect(1);
    assert!(reasons(&tower).contains(right), "{}", reasons(&tower));
    // Where the rows do lie within one second, the key says so.
    configure(&mut tower, "samples_per_stamp = 12\nstamp_interval = \"1s\"");
    tower.run(&["ingest"]).works();
    assert_eq!(stored(&tower)[13].0, NOON + 60_083_333_000);
    // Rows that were spread over the wrong time are spread again over the right one.
    configure(&mut tower, "samples_per_stamp = 12\nstamp_interval = \"1m\"");
    tower.run(&["ingest"]).works();
    tower.append(DAT, twelve_a_minute(60..61));
    tower.run(&["ingest"]).works();
    assert_eq!(stored(&tower), each_five_seconds(0..61));
    assert_eq!(left_over(&tower), (0, 0), "{}", reasons(&tower));
}

/// Tips of a rain gauge: RECORD and seconds behind noon. Two pairs share a second, and three tips another.
const TIPS: [(i64, i64); 11] = [
    (0, 0),
    (1, 313),
    (2, 313),
    (3, 3_913),
    (4, 7_519),
    (5, 7_519),
    (6, 7_600),
    (7, 7_601),
    (8, 7_601),
    (9, 7_601),
    (10, 7_602),
];

fn tips(tips: &[(i64, i64)]) -> String {
    let line = |(record, at): &(i64, i64)| {
        format!("\"2024-05-01 {}:{:02}:{:02}\",{record},0.2,1\r\n", 12 + at / 3_600, at / 60 % 60, at % 60)
    };
    tips.iter().map(line).collect()
}

/// Each tip under its stamp, and so many microseconds behind it as tips came before it in its second.
fn tips_apart() -> Vec<(i64, i64)> {
    let before = |(record, at): &(i64, i64)| TIPS.iter().filter(|tip| tip.1 == *at && tip.0 < *record).count() as i64;
    TIPS.iter().map(|tip| (NOON + tip.1 * 1_000_000_000 + before(tip) * 1_000, tip.0)).collect()
}

fn tips_stored(tower: &Station) -> Vec<(i64, i64)> {
    tower.rows(TABLE).into_iter().map(|row| (row.ts, row.record.unwrap())).collect()
}

#[test]
fn i3_events_that_share_a_second_are_all_rows_where_the_table_says_that_they_are_events() {
    let mut tower = Station::new();
    let ended = ingest(&tower, behind_header(tips(&TIPS)), "header 4 staged 7 conflicts 4").expect(1);
    assert!(ended.stdout.contains("write events = true if the logger writes them on events"), "{}", ended.stdout);
    assert!(!ended.stdout.contains("samples_per_stamp ="), "{}", ended.stdout);
    assert_eq!(tower.run_json(&["sync"]).works().number("sent"), 7);
    let keys = |events: &str| format!("name = \"{TABLE}\"\nfiles = [\"{DAT}\"]\n{events}");
    tower.configure(|sections| sections.table = keys("events = true"));
    let ended = tower.run(&["ingest"]).expect(1);
    assert!(ended.stdout.contains("events = true: 4 rows that shared a stamp"), "{}", ended.stdout);
    assert_eq!((tips_stored(&tower), left_over(&tower)), (tips_apart(), (0, 0)));
    // Rows that were sent keep their times, and are not sent again.
    assert_eq!(tower.run_json(&["sync"]).works().number("sent"), 4);
    assert_eq!(tower.run_json(&["ingest", DAT]).expect(0).json()["tables"][0]["duplicates"], 11);
    let gaps = tower.run(&["gaps"]).expect(0).stdout;
    assert!(gaps.contains("no records are missing"), "{gaps}");
    // Without the key they meet again at their stamps.
    tower.configure(|sections| sections.table = keys(""));
    let ended = tower.run(&["ingest"]).expect(1);
    assert!(ended.stdout.contains("events = false: 4 rows"), "{}", ended.stdout);
    assert_eq!((tips_stored(&tower).len(), left_over(&tower)), (7, (0, 4)));
}

#[test]
fn i3_events_end_as_the_same_rows_however_they_are_collected() {
    for step in 1..TIPS.len() {
        for overwrites in [true, false] {
            let tower = Station::new().table_keys("events = true");
            for begin in (0..TIPS.len()).step_by(step) {
                let end = (begin + step).min(TIPS.len());
                tower.write(DAT, behind_header(tips(&TIPS[if overwrites { begin } else { 0 }..end])));
                tower.run(&["ingest"]).works();
            }
            assert_eq!((tips_stored(&tower), left_over(&tower)), (tips_apart(), (0, 0)), "{step} {overwrites}");
        }
    }
    // In another order, and where RECORD begins again, every event is a row of its own.
    for records in [[5, 4, 6], [4, 6, 5], [16_777_215, 0, 1]] {
        let tower = Station::new().table_keys("events = true");
        for record in records {
            tower.write(DAT, behind_header(tips(&[(record, 10)])));
            tower.run(&["ingest"]).works();
        }
        assert_eq!((tower.rows(TABLE).len(), left_over(&tower)), (3, (0, 0)), "{records:?}: {}", reasons(&tower));
        let tower = Station::new().table_keys("events = true");
        ingest(&tower, behind_header(tips(&records.map(|record| (record, 10)))), "header 4 staged 3").expect(0);
        assert_eq!((tower.rows(TABLE).len(), left_over(&tower)), (3, (0, 0)), "{records:?}: {}", reasons(&tower));
    }
}

#[test]
fn i3_a_lone_row_of_a_table_with_samples_keeps_the_time_of_its_stamp() {
    let tower = Station::new().table_keys("samples_per_stamp = 2\nstamp_interval = \"1s\"");
    ingest(&tower, behind_header(tips(&TIPS[..7])), "header 4 staged 6 held 1").expect(1);
    let half = |at: i64, later: i64| NOON + at * 1_000_000_000 + later * 500_000_000;
    let expected = [
        (half(0, 0), 0),
        (half(313, 0), 1),
        (half(313, 1), 2),
        (half(3_913, 0), 3),
        (half(7_519, 0), 4),
        (half(7_519, 1), 5),
    ];
    assert_eq!(tips_stored(&tower), expected);
}

#[test]
fn i3_samples_of_the_hour_that_a_zone_repeats_are_told_apart() {
    let keys = "samples_per_stamp = 2\nstamp_interval = \"1m\"";
    for step in [7, 240] {
        let tower = Station::new().clock("timezone = \"America/Detroit\"").table_keys(keys);
        // Two rows a minute from 00:58 on; at 02:00 the clock shows 01:00 once more.
        let line = |row: i64| {
            let minute = 58 + row / 2;
            let minute = if minute >= 120 { minute - 60 } else { minute };
            format!("\"2024-11-03 {:02}:{:02}:00\",{row},{row},1\r\n", minute / 60, minute % 60)
        };
        let fluxtower = tower.in_process();
        for end in (0..=240).step_by(step).skip(1).chain([260]) {
            tower.write(DAT, behind_header((0..i64::from(end)).map(line).collect::<String>()));
            fluxtower.ingest();
        }
        let midnight = 1_730_606_400_000_000_000;
        let right: Vec<i64> = (0..260).map(|row| midnight + 58 * 60_000_000_000 + row * 30_000_000_000).collect();
        let times: Vec<i64> = tower.rows(TABLE).iter().map(|row| row.ts).collect();
        assert_eq!(times, right, "steps of {step}, left {:?}: {}", left_over(&tower), reasons(&tower));
    }
}

#[test]
fn i11_rows_of_one_stamp_that_a_text_tells_apart_are_no_samples_and_the_advice_makes_all_of_them_rows() {
    // RECORD counts on, two rows a stamp, a second or a minute apart.
    for step in [1, 60] {
        let line = |row: i64| {
            let at = row / 2 * step;
            format!(
                "\"2024-05-01 12:{:02}:{:02}\",{row},\"6{}\",{}\r\n",
                at / 60,
                at % 60,
                if row % 2 == 0 { "a" } else { "b" },
                20 + row % 2
            )
        };
        let text = behind_header((0..60).map(line).collect::<String>());
        let mut tower = Station::new();
        let ended = ingest(&tower, &text, "header 4 staged 30 conflicts 30").expect(1);
        let said = format!(
            "rows of one time differ in column \"A\"; write [table.columns.\"A\"] with use = \"tag\" in [[table]] \"{TABLE}\""
        );
        let stdout = ended.stdout.replace("\\\"", "\"");
        assert!(stdout.contains(&said) && !stdout.contains("samples_per_stamp"), "{stdout}");
        tower.configure(|sections| sections.table += "\n[table.columns.A]\nuse = \"tag\"");
        let _ = tower.run(&["ingest"]);
        let rows = tower.rows(TABLE);
        assert_eq!((rows.len(), tower.count("SELECT count(*) FROM conflict")), (60, 0), "{step}");
        assert!(
            rows.iter().all(|row| row.vals.contains(if row.tags.contains("6a") { "20" } else { "21" })),
            "{rows:?}"
        );
        // A draft has the tag.
        let draft = tower.path("drafted.toml");
        tower.run(&["init", "--output", draft.to_str().unwrap(), tower.folder().to_str().unwrap()]).expect(0);
        let draft = std::fs::read_to_string(draft).unwrap();
        assert!(
            draft.contains("[table.columns.A]\nuse = \"tag\"") && !draft.contains("\nsamples_per_stamp"),
            "{draft}"
        );
    }
}

#[test]
fn i3_a_first_file_of_samples_in_the_hour_that_a_zone_repeats_is_of_one_pass() {
    // Ten rows a second; the file of the next hour follows it.
    let line = |row: i64| {
        let second = row / 10;
        format!("\"2024-11-03 01:{:02}:{:02}\",{row},{row},1\r\n", second / 60 % 60, second % 60)
    };
    let tower = Station::new().clock("timezone = \"America/Detroit\"");
    for rows in [100..300, 35_800..36_200, 70_000..72_000] {
        tower.write(DAT, behind_header(rows.map(line).collect::<String>()));
        let _ = tower.run(&["ingest"]);
    }
    let first = 1_730_606_400_000_000_000 + 3_600_000_000_000;
    let right: Vec<i64> =
        (100..300).chain(35_800..36_200).chain(70_000..72_000).map(|row| first + row * 100_000_000).collect();
    let times: Vec<i64> = tower.rows(TABLE).iter().map(|row| row.ts).collect();
    assert_eq!(times.len(), right.len(), "{}", reasons(&tower));
    assert_eq!(times, right);
}

#[test]
fn i11_a_clock_that_was_wrong_moves_samples_with_their_places() {
    let mut tower = Station::new();
    ingest(&tower, behind_header(burst(0..60)), "header 4 staged 60").expect(1);
    let other = burst(0..60).replace(",1013,13,", ",1013,99,");
    ingest(&tower, behind_header(other), "header 4 duplicates 59 conflicts 1").expect(1);
    tower.configure(|sections| {
        sections.table = format!(
            "name = \"{TABLE}\"\nfiles = [\"{DAT}\"]\n\
             clock = [{{ from = \"2024-05-01 11:00:00\", until = \"2024-05-01 13:00:00\", add = \"-2h\" }}]"
        );
    });
    tower.run(&["ingest"]).works();
    let right: Vec<_> = samples(0..60).into_iter().map(|(ts, values)| (ts - 7_200_000_000_000, values)).collect();
    assert_eq!(stored(&tower), right);
    let beside = tower.count("SELECT ts FROM conflict");
    assert_eq!((beside, left_over(&tower)), (right[13].0, (0, 1)));
    // Read again, each row is known at its new time.
    tower.run(&["ingest", DAT]).works();
    assert_eq!(stored(&tower), right);
}

#[test]
fn i11_a_row_that_gets_its_place_under_a_correction_keeps_the_loggers_stamp() {
    for replaces in [false, true] {
        let keys = if replaces { "on_conflict = \"replace\"\n" } else { "" };
        let correction = "clock = [{ from = \"2024-05-01 11:00:00\", until = \"2024-05-01 13:00:00\", add = \"-2h\" }]";
        let table = |more: &str| format!("name = \"{TABLE}\"\nfiles = [\"{DAT}\"]\n{keys}{more}");
        let mut tower = Station::new();
        // The file begins in mid-second, so that the one row taken of it has the time of another.
        tower.configure(|sections| sections.table = table(&format!("samples_per_stamp = 1\n{correction}")));
        ingest(&tower, behind_header(burst(4..40)), "header 4 staged 4 conflicts 32").expect(1);
        tower.configure(|sections| sections.table = table(&format!("samples_per_stamp = 10\n{correction}")));
        tower.run(&["ingest"]).works();
        let right: Vec<_> = samples(4..40).into_iter().map(|(ts, values)| (ts - 7_200_000_000_000, values)).collect();
        assert_eq!(stored(&tower), right, "replaces {replaces}");
        assert_eq!(tower.rows(TABLE)[0].ts_text.as_deref(), Some("2024-05-01 12:00:00"), "replaces {replaces}");
        // Without the correction each row goes back to the time that the logger wrote.
        tower.configure(|sections| sections.table = table("samples_per_stamp = 10"));
        tower.run(&["ingest"]).works();
        assert_eq!(stored(&tower), samples(4..40), "replaces {replaces}");
    }
}

/// Gaps and clock events are those of a station that read the same lines under this configuration from the start.
#[track_caller]
fn gaps_are_as_if_right_from_the_start(tower: &Station, content: Vec<u8>) {
    let fresh = Station::new();
    std::fs::copy(tower.config_path(), fresh.config_path()).unwrap();
    fresh.write(DAT, content);
    fresh.run(&["ingest"]).works();
    let gaps = |tower: &Station| tower.run_json(&["gaps"]).works().json();
    assert_eq!(gaps(tower), gaps(&fresh));
    let runs = |tower: &Station| tower.count("SELECT count(*) FROM record_run");
    assert_eq!(runs(tower), runs(&fresh));
}

#[test]
fn i11_record_runs_are_as_if_read_in_order_when_samples_are_named_later() {
    for begin in [0, 3] {
        let mut tower = Station::new().table_keys("samples_per_stamp = 1");
        let lines = behind_header(burst(begin..150) + &burst(170..399));
        tower.write(DAT, &lines);
        tower.run(&["ingest"]).expect(1);
        tower.configure(|sections| sections.table = sections.table.replace("stamp = 1", "stamp = 10"));
        tower.run(&["ingest"]).expect(1);
        assert_eq!(tower.count("SELECT count(*) FROM clock_event"), 0, "no reset, no step");
        // What waits at the end is no gap.
        gaps_are_as_if_right_from_the_start(&tower, lines);
        let gaps = tower.run_json(&["gaps"]).works().json();
        assert_eq!(gaps["gaps"].as_array().unwrap().len(), 1, "{gaps}");
    }
}

#[test]
fn i11_rows_that_were_spread_go_back_to_their_stamp_when_the_key_denies_it_and_are_spread_again_when_it_does_not() {
    let mut tower = ten();
    let lines = behind_header(burst(0..400));
    ingest(&tower, lines.clone(), "header 4 staged 400").expect(0);
    assert_eq!(tower.run_json(&["sync"]).works().number("sent"), 400);
    tower.configure(|sections| sections.table = sections.table.replace("stamp = 10", "stamp = 1"));
    let ended = tower.run(&["ingest"]).expect(1);
    assert!(ended.stdout.contains("samples_per_stamp = 1: 360 rows"), "{}", ended.stdout);
    let firsts: Vec<_> = samples((0..400).step_by(10));
    assert_eq!(stored(&tower), firsts);
    assert_eq!(left_over(&tower), (0, 360));
    gaps_are_as_if_right_from_the_start(&tower, lines);
    // A row that is plain at its stamp needs no text for it.
    assert_eq!(tower.count("SELECT count(*) FROM reading WHERE ts_text IS NOT NULL"), 0);
    // The points of the others are to be removed.
    assert_eq!(tower.count("SELECT count(*) FROM stale_point WHERE gone = 1"), 360);
    assert_eq!(tower.run_json(&["ingest", DAT]).works().json()["tables"][0]["staged"], 0, "I3");
    tower.configure(|sections| sections.table = sections.table.replace("stamp = 1", "stamp = 10"));
    tower.run(&["ingest"]).works();
    assert_eq!(stored(&tower), samples(0..400));
    assert_eq!(left_over(&tower), (0, 0));
}

#[test]
fn i3_a_program_killed_while_it_spreads_rows_or_takes_it_back_goes_on_where_it_was() {
    let lines = behind_header(burst(0..30_000));
    let mut tower = Station::new().table_keys("samples_per_stamp = 1");
    tower.write(DAT, &lines);
    tower.run(&["ingest"]).expect(1);
    assert_eq!(left_over(&tower), (0, 27_000));
    let mut in_between = 0;
    for (from, to) in [("stamp = 1", "stamp = 10"), ("stamp = 10", "stamp = 1")] {
        tower.configure(|sections| sections.table = sections.table.replace(from, to));
        let conflicts = |tower: &Station| tower.count("SELECT count(*) FROM conflict");
        let before = conflicts(&tower);
        let mut child = tower.command(&["ingest"]).stdout(std::process::Stdio::null()).spawn().unwrap();
        // Killed as soon as the first piece of the work is seen from outside.
        let begun = std::time::Instant::now();
        while conflicts(&tower) == before && child.try_wait().unwrap().is_none() && begun.elapsed().as_secs() < 60 {
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
        child.kill().unwrap();
        child.wait().unwrap();
        let left = conflicts(&tower);
        in_between += i32::from(left > 0 && left < 27_000);
        assert_eq!(tower.count("SELECT count(*) FROM reading") + left, 30_000, "no row is lost in between");
        tower.run(&["ingest"]).expect(1);
        assert_eq!(left_over(&tower), (0, if to == "stamp = 1" { 27_000 } else { 0 }));
    }
    assert_eq!(in_between, 2, "it was not killed in the middle");
    assert_eq!(stored(&tower), samples((0..30_000).step_by(10)));
}

#[test]
fn i11_samples_that_meet_others_when_their_clock_is_corrected_stand_beside_them_and_come_back() {
    let table = |more: &str| format!("name = \"{TABLE}\"\nfiles = [\"{DAT}\"]\nsamples_per_stamp = 10\n{more}");
    let mut tower = Station::new();
    tower.configure(|sections| sections.table = table(""));
    // The file begins in mid-second.
    ingest(&tower, behind_header(burst(4..30)), "header 4 staged 26").expect(0);
    tower.configure(|sections| {
        sections.table =
            table("clock = [{ from = \"2024-05-01 12:00:01\", until = \"2024-05-01 12:00:02\", add = \"-1s\" }]");
    });
    for _ in 0..2 {
        let _ = tower.run(&["ingest"]);
        let conn = tower.database();
        let mut found = conn.prepare("SELECT ts FROM conflict ORDER BY ts").unwrap();
        let found: Vec<i64> = found.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
        let both: Vec<i64> = (4..10).map(|row| sample(row).0).collect();
        assert_eq!(found, both);
    }
    tower.configure(|sections| sections.table = table(""));
    let _ = tower.run(&["ingest"]);
    assert_eq!(stored(&tower), samples(4..30));
    assert_eq!(left_over(&tower), (0, 0));
}
