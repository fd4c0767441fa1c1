//! TOA5 files that another program saved: UTF-16 without a byte order mark, stamps without seconds, blank lines within
//! the header (docs/file-formats.md#damage). Lines of text tables that are no rows: separators alone, times before 1970.

use std::fs;

use serde_json::Value;

use crate::support::{DAT, Station, TABLE};

const HEADER: [&str; 4] = [
    "\"TOA5\",\"46m\",\"CR5000\",\"1041\",\"CR5000.Std.07\",\"CPU:Y.CR5\",\"6827\",\"PARCal\"",
    "\"TIMESTAMP\",\"RECORD\",\"T\",\"Flux\"",
    "\"TS\",\"RN\",\"degC\",\"µmol m-2 s-1\"",
    "\"\",\"\",\"Avg\",\"Smp\"",
];

fn rows(numbers: std::ops::Range<u32>) -> String {
    numbers.map(|number| format!("\"2024-05-01 {:02}:00:00\",{number},{number}.5,1\r\n", number % 24)).collect()
}

fn header() -> String {
    HEADER.map(|line| format!("{line}\r\n")).concat()
}

fn ingest(tower: &Station) -> Value {
    let ended = tower.run_json(&["ingest"]);
    assert!(ended.code <= 1, "{ended:?}");
    ended.json()["tables"][0].clone()
}

/// Staged, duplicates, conflicts, rejected, deferred.
fn counts(report: &Value) -> [u64; 5] {
    ["staged", "duplicates", "conflicts", "rejected", "deferred"].map(|key| report[key].as_u64().unwrap())
}

fn values(tower: &Station) -> Vec<String> {
    tower.rows(TABLE).iter().map(|row| row.vals.clone()).collect()
}

#[test]
fn i3_a_file_in_utf_16_without_a_byte_order_mark_is_read_grows_and_is_overwritten() {
    for is_big in [false, true] {
        let utf16 = |text: &str| -> Vec<u8> {
            text.encode_utf16().flat_map(|unit| if is_big { unit.to_be_bytes() } else { unit.to_le_bytes() }).collect()
        };
        let tower = Station::new();
        // It ends in half of a sign.
        let whole = utf16(&(header() + &rows(0..4)));
        tower.write(DAT, &whole[..whole.len() - 7]);
        assert_eq!(counts(&ingest(&tower)), [3, 0, 0, 0, 1]);
        tower.write(DAT, utf16(&(header() + &rows(0..6))));
        assert_eq!(counts(&ingest(&tower)), [3, 0, 0, 0, 0]);
        tower.write(DAT, utf16(&(header() + &rows(5..8))));
        assert_eq!(counts(&ingest(&tower)), [2, 1, 0, 0, 0]);
        assert_eq!(values(&tower), (0..8).map(|number| format!("[{number}.5,1]")).collect::<Vec<_>>());
        // `init` reads it, with its units.
        fs::remove_file(tower.config_path()).unwrap();
        tower.run(&["init", "--utc-offset", "-05:00", tower.path(DAT).to_str().unwrap()]).works();
        let drafted = fs::read_to_string(tower.config_path()).unwrap();
        assert!(drafted.contains("PARCal"), "{drafted}");
    }
}

#[test]
fn i3_stamps_without_seconds_are_read_as_the_full_minute() {
    let tower = Station::new();
    let short = |text: String| text.replace(":00:00\"", ":00\"");
    tower.write(DAT, header() + &short(rows(0..3)));
    assert_eq!(counts(&ingest(&tower)), [3, 0, 0, 0, 0]);
    assert_eq!(tower.rows(TABLE)[1].time(), "2024-05-01T06:00:00Z");
    // The logger's own file has the same rows; then such a file grows.
    tower.write(DAT, header() + &rows(0..4));
    assert_eq!(counts(&ingest(&tower)), [1, 3, 0, 0, 0]);
    tower.append(DAT, short(rows(4..6)));
    assert_eq!(counts(&ingest(&tower)), [2, 0, 0, 0, 0]);
    // A stamp that was cut is none.
    tower.append(DAT, "\"2024-05-01 09:0\",9,9.5,1\r\n2024-05-01 10:00,10,10.5,1\r\n");
    assert_eq!(counts(&ingest(&tower)), [1, 0, 0, 1, 0]);
    // Another clock reads the stamps as they are kept.
    let tower = tower.clock("utc_offset = \"-06:00\"");
    tower.run(&["rekey"]).works();
    assert_eq!((tower.rows(TABLE).len(), tower.rows(TABLE)[1].time().as_str()), (7, "2024-05-01T07:00:00Z"));
}

#[test]
fn i1_i3_blank_lines_between_the_lines_of_a_header_are_blank_lines() {
    for place in 0..=4 {
        let mut lines = HEADER.map(|line| format!("{line}\r\n")).to_vec();
        lines.insert(place, "\r\n".to_owned());
        let spaced = lines.concat();
        let tower = Station::new();
        // The header comes in two parts.
        let cut = spaced.len() - 20;
        tower.write(DAT, &spaced.as_bytes()[..cut]);
        ingest(&tower);
        tower.write(DAT, spaced.clone() + &rows(0..3));
        let report = ingest(&tower);
        assert_eq!(counts(&report), [3, 0, 0, 0, 0], "{place}: {report}");
        assert_eq!((report["header"].as_u64(), report["blank"].as_u64()), (Some(4), Some(1)), "{place}: {report}");
        tower.append(DAT, rows(3..4));
        assert_eq!(counts(&ingest(&tower)), [1, 0, 0, 0, 0], "{place}");
        // And as the second header of a file.
        tower.append(DAT, spaced + &rows(4..6));
        assert_eq!(counts(&ingest(&tower)), [2, 0, 0, 0, 0], "{place}");
        assert_eq!(values(&tower), (0..6).map(|number| format!("[{number}.5,1]")).collect::<Vec<_>>());
        fs::remove_file(tower.config_path()).unwrap();
        tower.run(&["init", "--utc-offset", "-05:00", tower.path(DAT).to_str().unwrap()]).works();
    }
}

#[test]
fn a_blank_line_in_place_of_units_or_processes_is_a_header_without_them() {
    for place in [2, 3] {
        let mut lines = HEADER.map(|line| format!("{line}\r\n"));
        "\r\n".clone_into(&mut lines[place]);
        let tower = Station::new();
        tower.write(DAT, lines.concat() + &rows(0..3));
        assert_eq!(counts(&ingest(&tower)), [3, 0, 0, 0, 0], "{place}");
        fs::remove_file(tower.config_path()).unwrap();
        tower.run(&["init", "--utc-offset", "-05:00", tower.path(DAT).to_str().unwrap()]).works();
    }
}

#[test]
fn infinity_in_any_spelling_is_missing_and_no_text() {
    let header = HEADER.map(|line| format!("{line}\r\n")).concat();
    let tower = Station::new();
    let words = ["INF", "-INF", "Infinity", "-Infinity", "+Inf", "inf", "\"Infinity\""];
    let rows: String =
        (0..7).map(|hour| format!("\"2024-05-01 {hour:02}:00:00\",{hour},{},1\r\n", words[hour])).collect();
    tower.write(DAT, format!("{header}{rows}\"2024-05-01 09:00:00\",9,2.5,1\r\n"));
    tower.run(&["run"]).expect(0);
    let lines: String = fs::read_dir(tower.path("outbox"))
        .unwrap()
        .map(|file| fs::read_to_string(file.unwrap().path()).unwrap())
        .collect();
    assert!(!lines.to_lowercase().contains("inf") && lines.contains("T=2.5"), "{lines}");
}

/// A text table with the columns `t`, `a` and `b`.
fn text_table(keys: &str, rows: &str) -> Station {
    let tower = Station::new()
        .table("name = \"m\"\nfiles = [\"m.csv\"]\nformat = \"csv\"\ntime_column = \"t\"")
        .table_keys(&format!("{keys}\n[table.csv]\nnames_line = 1"));
    tower.write("m.csv", format!("t,a,b\n{rows}"));
    tower
}

#[test]
fn lines_of_separators_alone_are_blank_lines_of_a_text_table_and_rejected_in_a_loggers_file() {
    let tower =
        text_table("", "2026-11-03 00:00:00,1,2\n,,\n , ,\n\"\",\"\",\"\"\n2026-11-03 01:00:00,3,4\n,,\n,,\n,7,\n");
    let report = ingest(&tower);
    assert_eq!(counts(&report), [2, 0, 0, 1, 0], "{report}");
    assert_eq!(report["blank"], 5, "{report}");
    let tower = Station::new();
    tower.write(DAT, header() + &rows(0..2) + ",,,\r\n");
    assert_eq!(counts(&ingest(&tower)), [2, 0, 0, 1, 0]);
}

#[test]
fn i2_a_row_before_1970_is_rejected_with_the_true_reason() {
    let tower = text_table(
        "valid_from = \"1970-01-01\"",
        "1969-12-31 18:59:00,1,2\n1969-12-31 23:00:00,1,2\n1970-01-02 00:00:00,3,4\n",
    );
    let report = ingest(&tower);
    assert_eq!(counts(&report), [1, 0, 0, 2, 0], "{report}");
    let rejected = tower.run(&["rejected"]).stdout;
    assert!(rejected.contains("1969-12-31 18:59:00 is before 1970-01-01 00:00:00 UTC"), "{rejected}");
    // The station's 1970 begins five hours later.
    assert!(rejected.contains("1969-12-31 23:00:00 is before valid_from"), "{rejected}");
}
