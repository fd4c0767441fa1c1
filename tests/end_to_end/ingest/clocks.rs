//! Time as loggers write it: dead clocks, zones, text that cannot be printed again.

use super::*;

#[test]
fn the_loggers_own_text_is_kept_where_its_time_cannot_be_printed_again() {
    let tower = Station::new();
    let content =
        "\"2024-05-01 00:00:00.50\",0,1,2\r\n\"2024-05-01 24:00:00\",1,1,2\r\n\"2024-05-02 00:00:05\",2,1,2\r\n";
    ingest(&tower, behind_header(content), "header 4 staged 3").expect(0);
    let texts: Vec<Option<String>> = tower.rows(TABLE).into_iter().map(|row| row.ts_text).collect();
    assert_eq!(texts, [Some("2024-05-01 00:00:00.50".to_owned()), Some("2024-05-01 24:00:00".to_owned()), None]);
}

#[test]
fn i1_rows_of_a_dead_clock_are_rejected_and_not_lost() {
    let tower = Station::new();
    let content = "\"2024-05-01 00:00:00\",7,1,2\r\n\"1990-01-01 00:00:05\",8,1,2\r\n\"2046-01-01 00:00:00\",9,1,2\r\n\"2024-05-01 00:00:05\",10,1,2\r\n";
    ingest(&tower, behind_header(content), "header 4 staged 2 rejected 1 held 1").expect(1);
    let stamps = [("2046-01-01 00:00:00", "the logger's clock was ahead"), ("1990-01-01 00:00:05", "clock is wrong")];
    for ((reason, raw), (stamp, cause)) in rejected(&tower).iter().zip(stamps) {
        assert!(reason.contains(cause) && reason.contains(stamp), "{reason}");
        assert!(raw.contains(stamp));
    }
    let earlier = Station::new().table_keys("valid_from = \"1985-01-01\"");
    ingest(&earlier, behind_header(content), "header 4 staged 3 held 1").expect(1);
}

#[test]
fn a_date_with_slashes_is_rejected_with_its_cause() {
    let tower = Station::new();
    ingest(&tower, behind_header("11/11/2015 0:00,0,1,2\r\n"), "header 4 rejected 1").expect(1);
    assert!(rejected(&tower)[0].0.contains("as a spreadsheet does"));
}

/// Ten-minute rows through the night of 2024-11-03, when US/Eastern repeats the hour from 01:00.
pub(super) fn autumn(records: std::ops::Range<i64>) -> String {
    let row = |record: i64| {
        let minute = record * 10;
        let face = if minute < 120 { minute } else { minute - 60 };
        format!("\"2024-11-03 {:02}:{:02}:00\",{record},{record},0\r\n", face / 60, face % 60)
    };
    HEADER.to_owned() + &records.map(row).collect::<String>()
}

/// What the store must hold of these records: one row every ten minutes from 04:00 UTC.
pub(super) fn autumn_rows(records: std::ops::Range<i64>) -> Vec<String> {
    let time = |record: i64| format!("2024-11-03T{:02}:{:02}:00Z", 4 + record / 6, record % 6 * 10);
    records.map(|record| format!("{} {record} [{record},0]", time(record))).collect()
}

pub(super) const EASTERN: &str = "timezone = \"US/Eastern\"";

#[test]
fn i3_the_double_hour_in_one_file_is_two_hours() {
    let tower = Station::new().clock(EASTERN);
    ingest(&tower, autumn(0..24), "header 4 staged 24").expect(0);
    assert_eq!(rows(&tower), autumn_rows(0..24));
}

#[test]
fn i3_the_double_hour_over_two_collections_has_no_doubles_and_no_holes() {
    for split in 7..18 {
        let tower = Station::new().clock(EASTERN);
        ingest(&tower, autumn(0..split), &format!("header 4 staged {split}")).expect(0);
        ingest(&tower, autumn(split..24), &format!("header 4 staged {}", 24 - split)).expect(0);
        assert_eq!(rows(&tower), autumn_rows(0..24), "split at record {split}");
        ingest(&tower, autumn(0..split), &format!("header 4 duplicates {split}")).expect(0);
        ingest(&tower, autumn(split..24), &format!("header 4 duplicates {}", 24 - split)).expect(0);
    }
}

#[test]
fn i3_a_double_hour_that_is_appended_to_has_no_doubles_and_no_holes() {
    for split in 7..18 {
        let tower = Station::new().clock(EASTERN);
        ingest(&tower, autumn(0..split), &format!("header 4 staged {split}")).expect(0);
        ingest(&tower, autumn(0..24), &format!("staged {}", 24 - split)).expect(0);
        assert_eq!(rows(&tower), autumn_rows(0..24), "split at record {split}");
    }
}

#[test]
fn i1_a_row_of_the_hour_that_spring_leaves_out_is_kept_with_its_reason_and_overwrites_no_neighbour() {
    for (zone, offset, before, missing, after) in [
        ("America/Detroit", "-05:00", "2024-03-10 01:50:00", "2024-03-10 02:10:00", "2024-03-10 03:10:00"),
        ("Europe/Berlin", "+01:00", "2026-03-29 01:30:00", "2026-03-29 02:30:00", "2026-03-29 03:30:00"),
        ("Australia/Sydney", "+10:00", "2025-10-05 01:50:00", "2025-10-05 02:10:00", "2025-10-05 03:10:00"),
        ("Australia/Lord_Howe", "+10:30", "2025-10-05 01:50:00", "2025-10-05 02:10:00", "2025-10-05 02:40:00"),
        ("America/Sao_Paulo", "-03:00", "2018-11-03 23:30:00", "2018-11-04 00:30:00", "2018-11-04 01:30:00"),
    ] {
        let tower = Station::new().clock(&format!("timezone = \"{zone}\""));
        let content = format!("\"{before}\",0,1,2\r\n\"{missing}\",1,1,2\r\n\"{after}\",2,1,2\r\n");
        let ran = ingest(&tower, behind_header(&content), "header 4 staged 2 rejected 1").expect(1);
        let told = format!("{missing} does not exist in {zone}");
        for said in [format!("{}{}", ran.stdout, ran.stderr), tower.run(&["rejected"]).stdout] {
            assert!(said.contains(&told) && said.contains("utc_offset") && said.contains(offset), "{said}");
        }
        assert!(!tower.run(&["gaps"]).stdout.contains(missing), "{zone}");
        assert_eq!(rows(&tower).len(), 2, "{zone}");
        assert_eq!(tower.run(&["conflicts"]).expect(0).stdout.lines().count(), 1, "{zone}");
    }
}

#[test]
fn a_logger_that_follows_its_zone_has_no_row_in_the_hour_that_spring_leaves_out() {
    let tower = Station::new().clock(EASTERN);
    let content = "\"2024-03-10 01:50:00\",0,1,2\r\n\"2024-03-10 03:00:00\",1,1,2\r\n\"2024-03-10 03:10:00\",2,1,2\r\n";
    let _ = ingest(&tower, behind_header(content), "header 4 staged 3").expect(0);
    assert_eq!(rows(&tower)[1], "2024-03-10T07:00:00Z 1 [1,2]");
}

/// Stamps of the night of 2024-11-03 at the station, every ten minutes from 00:00, the hour from 01:00 twice.
fn faces() -> Vec<String> {
    let minutes = (0..24).map(|row: i64| if row < 12 { row * 10 } else { row * 10 - 60 });
    minutes.map(|minute| format!("2024-11-03 {:02}:{:02}:00", minute / 60, minute % 60)).collect()
}

/// The times in UTC that the rows must have.
fn night() -> Vec<String> {
    (0..24).map(|row| format!("2024-11-03T{:02}:{:02}:00Z", 4 + row / 6, row % 6 * 10)).collect()
}

/// Collects line by line, appended or overwritten, and compares the times of the rows.
#[track_caller]
fn collects(tower: &Station, head: &str, lines: &[String], is_overwritten: bool) {
    tower.write(DAT, head);
    for line in lines {
        if is_overwritten {
            tower.write(DAT, head.to_owned() + line);
        } else {
            tower.append(DAT, line);
        }
        tower.run_json(&["ingest"]).expect(0);
    }
    assert_eq!(tower.count("SELECT count(*) FROM conflict"), 0);
    let times: Vec<String> = tower.rows(TABLE).iter().map(Row::time).collect();
    assert_eq!(times, night());
}

const CSV: &str = "format = \"csv\"\nnames = [\"Time\", \"Plot\", \"A\"]\ntime_column = \"Time\"\ntime_format = \"%Y-%m-%d %H:%M:%S\"";

#[test]
fn i3_the_double_hour_of_a_csv_file_with_one_row_a_read_has_no_conflict() {
    let lines: Vec<String> = faces().iter().enumerate().map(|(at, face)| format!("{face},1,{at}\r\n")).collect();
    collects(&Station::new().clock(EASTERN).table_keys(CSV), "", &lines, false);
    collects(&Station::new().clock(EASTERN).table_keys(CSV), "", &lines, true);
}

#[test]
fn i3_the_double_hour_of_equal_rows_with_one_row_a_read_has_every_row() {
    let lines: Vec<String> = faces().iter().map(|face| format!("{face},1,0\r\n")).collect();
    collects(&Station::new().clock(EASTERN).table_keys(CSV), "", &lines, false);
}

/// Collections of so many rows, of which each repeats some of the one before; the file is overwritten.
fn collections(lines: &[String], rows: usize, repeated: usize) -> Vec<String> {
    let mut begin = 0;
    let mut files = Vec::new();
    loop {
        let end = (begin + rows).min(lines.len());
        files.push(lines[begin..end].concat());
        if end == lines.len() {
            return files;
        }
        begin = end - repeated;
    }
}

#[test]
fn i3_the_double_hour_of_equal_rows_in_overwritten_collections_has_every_row() {
    let lines: Vec<String> = faces().iter().map(|face| format!("{face},1,0\r\n")).collect();
    for rows in 1..=9 {
        for repeated in 0..rows {
            let tower = Station::new().clock(EASTERN).table_keys(CSV);
            let files = collections(&lines, rows, repeated);
            // Two files with the same bytes are one.
            if files.windows(2).any(|two| two[0] == two[1]) {
                continue;
            }
            for file in &files {
                tower.write(DAT, file);
                tower.run_json(&["ingest"]).expect(0);
            }
            let times: Vec<String> = tower.rows(TABLE).iter().map(Row::time).collect();
            assert_eq!(times, night(), "{rows} rows a collection, of which {repeated} are repeated");
            assert_eq!(tower.count("SELECT count(*) FROM conflict"), 0);
            // A copy of a collection that is read by hand says nothing new.
            for file in &files {
                tower.write("copy.csv", file);
                tower.run_json(&["ingest", "copy.csv"]).expect(0);
            }
            assert_eq!(tower.rows(TABLE).len(), 24, "{rows} rows a collection, of which {repeated} are repeated");
        }
    }
}

#[test]
fn i3_the_double_hour_of_a_table_with_one_value_a_line_has_both_hours_in_any_order_of_the_sensors() {
    let keys = "format = \"csv\"\nnames = [\"time\", \"s\", \"v\"]\ntime_column = \"time\"\ntime_format = \"%Y-%m-%d %H:%M:%S\"\n[table.csv]\nsensor_column = \"s\"\nvalue_column = \"v\"";
    let by_time: Vec<String> =
        faces().iter().enumerate().map(|(at, face)| format!("{face},A,{at}\r\n{face},B,{}\r\n", at + 100)).collect();
    let of = |sensor: &str, off: usize| -> String {
        faces().iter().enumerate().map(|(at, face)| format!("{face},{sensor},{}\r\n", at + off)).collect()
    };
    let expected: Vec<String> = (0..24).map(|at| format!("[{at},{}]", at + 100)).collect();
    let is_whole = |tower: &Station| {
        let rows = tower.rows(TABLE);
        assert_eq!(rows.iter().map(Row::time).collect::<Vec<_>>(), night());
        let values: Vec<&str> = rows.iter().map(|row| row.vals.as_str()).collect();
        assert_eq!(values, expected);
        assert_eq!(tower.count("SELECT count(*) FROM conflict"), 0);
    };
    let tower = Station::new().clock(EASTERN).table_keys(keys);
    tower.write(DAT, by_time.concat());
    tower.run_json(&["ingest"]).expect(0);
    is_whole(&tower);
    let tower = Station::new().clock(EASTERN).table_keys(keys);
    tower.write(DAT, of("A", 0) + &of("B", 100));
    tower.run_json(&["ingest"]).expect(0);
    is_whole(&tower);
    let tower = Station::new().clock(EASTERN).table_keys(keys);
    tower.write(DAT, "");
    for lines in &by_time {
        tower.append(DAT, lines);
        tower.run_json(&["ingest"]).expect(0);
    }
    is_whole(&tower);
}

#[test]
fn i3_rows_behind_collections_missed_in_the_double_hour_are_of_the_pass_that_their_record_numbers_count_to() {
    let header = String::from_utf8(behind_header("")).unwrap();
    let line = |at: usize| format!("{},{at},1,{at}\r\n", faces()[at]);
    // All rows behind the hole in one file, or each in a file that takes the place of the one before.
    for rows in [1, 24] {
        for missed in [8..13, 8..14, 9..17, 10..12, 11..18, 12..16, 16..20] {
            let tower = Station::new().clock(EASTERN);
            let kept: Vec<usize> = (0..24).filter(|at| !missed.contains(at)).collect();
            for part in kept.chunks(rows) {
                tower.write("part.dat", header.clone() + &part.iter().map(|at| line(*at)).collect::<String>());
                tower.run_json(&["ingest", "--table", TABLE, "part.dat"]).works();
            }
            let times: Vec<String> = tower.rows(TABLE).iter().map(Row::time).collect();
            let expected: Vec<String> = kept.iter().map(|at| night()[*at].clone()).collect();
            assert_eq!(times, expected, "without rows {missed:?}, {rows} rows a file");
        }
    }
}

#[test]
fn i3_a_copy_of_the_first_pass_that_is_read_by_hand_is_not_the_second() {
    let lines: Vec<String> = faces().iter().map(|face| format!("{face},1,0\r\n")).collect();
    let tower = Station::new().clock(EASTERN).table_keys(CSV);
    tower.write(DAT, lines[..12].concat());
    tower.run_json(&["ingest"]).expect(0);
    tower.write("copy.csv", lines[7..11].concat());
    tower.run_json(&["ingest", "copy.csv"]).expect(0);
    assert_eq!(tower.rows(TABLE).len(), 12);
}

#[test]
fn i3_rows_that_leave_the_double_hour_are_of_the_pass_that_leaves_the_smaller_holes() {
    let lines: Vec<String> = faces().iter().enumerate().map(|(at, face)| format!("{face},1,{at}\r\n")).collect();
    for is_overwritten in [true, false] {
        for missed in [5..13, 6..13, 6..15, 9..17, 12..18, 13..20] {
            let tower = Station::new().clock(EASTERN).table_keys(CSV);
            tower.write(DAT, lines[..missed.start].concat());
            tower.run_json(&["ingest"]).expect(0);
            let rest = lines[missed.end..].concat();
            if is_overwritten {
                tower.write(DAT, &rest);
            } else {
                tower.append(DAT, &rest);
            }
            tower.run_json(&["ingest"]).expect(0);
            let times: Vec<String> = tower.rows(TABLE).iter().map(Row::time).collect();
            let expected = [&night()[..missed.start], &night()[missed.end..]].concat();
            assert_eq!(times, expected, "without rows {missed:?}");
        }
    }
}

#[test]
fn i3_the_double_hour_of_a_toa5_file_without_record_and_with_one_row_a_read_has_no_conflict() {
    let head = HEADER.replace("\"RECORD\",", "").replace("\"RN\",", "").replace("\"\",\"\",\"Smp\"", "\"\",\"Smp\"");
    let lines: Vec<String> = faces().iter().enumerate().map(|(at, face)| format!("\"{face}\",{at},0\r\n")).collect();
    collects(&Station::new().clock(EASTERN), &head, &lines, false);
    collects(&Station::new().clock(EASTERN), &head, &lines, true);
}

#[test]
fn i3_the_double_hour_with_a_tag_column_and_one_row_a_read_has_no_conflict() {
    let lines: Vec<String> =
        faces().iter().enumerate().map(|(at, face)| format!("\"{face}\",{at},7,{at}\r\n")).collect();
    let tagged = "[table.columns.A]\nuse = \"tag\"";
    collects(&Station::new().clock(EASTERN).table_keys(tagged), HEADER, &lines, false);
}

#[test]
fn i3_the_double_hour_with_record_numbers_reset_in_the_second_hour_has_no_conflict() {
    let record = |at: usize| if at < 14 { 1000 + at } else { at - 14 };
    let lines: Vec<String> =
        faces().iter().enumerate().map(|(at, face)| format!("\"{face}\",{},7,{at}\r\n", record(at))).collect();
    collects(&Station::new().clock(EASTERN), HEADER, &lines, false);
    collects(&Station::new().clock(EASTERN), HEADER, &lines, true);
}
