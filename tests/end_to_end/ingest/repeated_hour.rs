//! Rows in the hour that a zone repeats in autumn, when the offset of their table changes and changes back (I3, I11).

use super::clocks::{EASTERN, autumn, autumn_rows};
use super::*;

const STANDARD: &str = "utc_offset = \"-05:00\"";
const DAYLIGHT: &str = "utc_offset = \"-04:00\"";

#[track_caller]
fn rekeyed(tower: &mut Station, clock: &str) {
    tower.configure(|sections| clock.clone_into(&mut sections.clock));
    let did = super::dry_run::is_foreseen(tower);
    assert!(did["rows"].as_u64().unwrap() > 0, "{did}");
}

/// Each row stands once, under its time, and the file that is read again changes nothing.
#[track_caller]
fn all_are_there(tower: &Station, expected: &[String]) {
    assert_eq!(rows(tower), expected);
    assert_eq!(tower.count("SELECT count(*) FROM conflict"), 0);
    assert_eq!(tower.count("SELECT rows FROM logger_table"), i64::try_from(expected.len()).unwrap());
    tower.run_json(&["ingest", DAT]).expect(0);
    assert_eq!(rows(tower), expected);
    assert_eq!(tower.count("SELECT count(*) FROM conflict"), 0);
}

#[test]
fn i3_i11_rows_of_a_repeated_hour_that_were_read_by_a_fixed_offset_are_all_there_when_the_zone_is_given() {
    for fixed in [STANDARD, DAYLIGHT] {
        let mut tower = Station::new().clock(fixed);
        // The stamps of the second pass come again: six of them are conflicts.
        ingest(&tower, autumn(0..24), "header 4 staged 18 conflicts 6").expect(1);
        rekeyed(&mut tower, EASTERN);
        all_are_there(&tower, &autumn_rows(0..24));
    }
}

#[test]
fn i3_i11_rows_of_a_repeated_hour_are_all_there_after_a_fixed_offset_and_back() {
    for fixed in [STANDARD, DAYLIGHT] {
        let mut tower = Station::new().clock(EASTERN);
        ingest(&tower, autumn(0..24), "header 4 staged 24").expect(0);
        for _ in 0..2 {
            rekeyed(&mut tower, fixed);
            assert_eq!(tower.count("SELECT count(*) FROM conflict"), 6, "{fixed}");
            rekeyed(&mut tower, EASTERN);
            all_are_there(&tower, &autumn_rows(0..24));
        }
    }
}

#[test]
fn i3_i11_a_row_alone_in_the_second_pass_is_counted_from_the_rows_around_it() {
    for fixed in [STANDARD, DAYLIGHT] {
        let mut tower = Station::new().clock(fixed);
        // The collection with records 7 to 14 was missed; 15 stands at 01:30 for the second time.
        let text = autumn(0..24);
        let lines: Vec<&str> = text.split_inclusive('\n').collect();
        let content = lines.iter().enumerate().filter(|(at, _)| !(11..19).contains(at)).map(|(_, line)| *line);
        ingest(&tower, content.collect::<String>(), "header 4 staged 16").expect(0);
        rekeyed(&mut tower, EASTERN);
        let all = autumn_rows(0..24);
        all_are_there(&tower, &[&all[..7], &all[15..]].concat());
    }
}

#[test]
fn i3_i11_rows_without_record_numbers_go_to_a_fixed_offset_and_back() {
    let without = |text: &str| {
        let header = text.split_inclusive('\n').take(4).collect::<String>();
        let header =
            header.replace(",\"RECORD\"", "").replace(",\"RN\"", "").replace("\"\",\"\",\"Smp\"", "\"\",\"Smp\"");
        let rows = text.split_inclusive('\n').skip(4).map(|line| {
            let mut fields: Vec<&str> = line.split(',').collect();
            fields.remove(1);
            fields.join(",")
        });
        header + &rows.collect::<String>()
    };
    for fixed in [STANDARD, DAYLIGHT] {
        let mut tower = Station::new().clock(EASTERN);
        ingest(&tower, without(&autumn(0..24)), "header 4 staged 24").expect(0);
        let before = rows(&tower);
        rekeyed(&mut tower, fixed);
        rekeyed(&mut tower, EASTERN);
        all_are_there(&tower, &before);
    }
}

#[test]
fn i3_i11_rows_of_several_series_keep_their_pass() {
    let two = |text: String| {
        let (header, rows) = text.split_at(text.match_indices('\n').nth(3).unwrap().0 + 1);
        let rows = rows.split_inclusive('\n').map(|line| {
            let fields: Vec<&str> = line.trim().split(',').collect();
            let record: i64 = fields[1].parse().unwrap();
            format!("{0},{1},{1},1\r\n{0},{2},{2},2\r\n", fields[0], record * 2, record * 2 + 1)
        });
        header.to_owned() + &rows.collect::<String>()
    };
    let mut tower = Station::new().clock(EASTERN).table_keys("[table.columns.B]\nuse = \"tag\"");
    ingest(&tower, two(autumn(0..24)), "header 4 staged 48").expect(0);
    let before = rows(&tower);
    let order = |row: &String| row.split(' ').nth(1).unwrap().parse::<i64>().unwrap();
    let mut by_record = before.clone();
    by_record.sort_by_key(order);
    let times: Vec<String> = autumn_rows(0..24).iter().map(|row| row[..20].to_owned()).collect();
    for (place, row) in by_record.iter().enumerate() {
        assert_eq!(row[..20], times[place / 2]);
    }
    for fixed in [STANDARD, DAYLIGHT] {
        rekeyed(&mut tower, fixed);
        rekeyed(&mut tower, EASTERN);
        all_are_there(&tower, &before);
    }
}

#[test]
fn i3_i11_an_offset_that_changes_at_a_stamp_and_a_record_tells_the_passes_apart_and_back() {
    let change = format!(
        "{DAYLIGHT}\n[[station.offset]]\nfrom = \"2024-11-03 01:00:00\"\nutc_offset = \"-05:00\"\nrecord_from = 12"
    );
    let mut tower = Station::new().clock(DAYLIGHT);
    ingest(&tower, autumn(0..24), "header 4 staged 18 conflicts 6").expect(1);
    for _ in 0..2 {
        rekeyed(&mut tower, &change);
        all_are_there(&tower, &autumn_rows(0..24));
        rekeyed(&mut tower, DAYLIGHT);
    }
    rekeyed(&mut tower, EASTERN);
    all_are_there(&tower, &autumn_rows(0..24));
}
