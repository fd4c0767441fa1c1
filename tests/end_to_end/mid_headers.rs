//! Headers in mid-file that lost a line: no value is stored under a name that it does not have (docs/file-formats.md).

use crate::support::{DAT, Row, Station, TABLE};

const LINE_1: &str = "\"TOA5\",\"46m\",\"CR5000\",\"1041\",\"CR5000.Std.07\",\"CPU:Y21.CR5\",\"6827\",\"PARCal\"\r\n";
const A_B: &str = "\"TIMESTAMP\",\"RECORD\",\"A\",\"B\"\r\n";
const B_A: &str = "\"TIMESTAMP\",\"RECORD\",\"B\",\"A\"\r\n";
const BESIDE: &str = "\"TS\",\"RN\",\"m\",\"m\"\r\n\"\",\"\",\"Smp\",\"Smp\"\r\n";

fn row(minute: u32, values: &str) -> String {
    format!("\"2024-05-01 00:{minute:02}:00\",{minute},{values}\r\n")
}

fn first() -> String {
    [LINE_1, A_B, BESIDE, &row(0, "1,2"), &row(1, "1,2")].concat()
}

fn ingest(tower: &Station, content: &str) -> serde_json::Value {
    tower.write(DAT, content);
    let ended = tower.run_json(&["ingest"]);
    assert!(ended.code <= 1, "{ended:?}");
    let report = ended.json()["tables"][0].clone();
    let keys = ["header", "staged", "duplicates", "conflicts", "rejected", "held", "deferred", "blank"];
    let sum: u64 = keys.map(|key| report[key].as_u64().unwrap()).iter().sum();
    assert_eq!(report["lines"], sum, "I1: {report}");
    report
}

fn values(rows: &[Row]) -> Vec<&str> {
    rows.iter().map(|row| row.vals.as_str()).collect()
}

#[test]
fn names_in_mid_file_without_line_1_name_the_values_behind_them() {
    let rows = |end: u32| -> String { (2..end).map(|minute| row(minute, "2,1")).collect() };
    for beside in [BESIDE, ""] {
        let tower = Station::new();
        ingest(&tower, &first());
        for end in [2, 3, 5] {
            let report = ingest(&tower, &[first(), B_A.to_owned(), beside.to_owned(), rows(end)].concat());
            assert_eq!((report["rejected"].as_u64(), report["duplicates"].as_u64()), (Some(0), Some(0)), "{report}");
        }
        assert_eq!(values(&tower.rows(TABLE)), ["[1,2]"; 5], "{beside}");
        let units = tower.count("SELECT count(*) FROM header_version WHERE header LIKE '%\"m\",\"m\"%'");
        assert_eq!(units, 2, "{beside}");
    }
}

#[test]
fn rows_behind_a_header_in_mid_file_that_was_cut_are_rejected() {
    let rows: String = (2..4).map(|minute| row(minute, "2,1")).collect();
    let heads = ["\"TOA5\r\n", "\"TOA5\"\r\n", "\"TOA\r\n", "\"TOA5\",\"46m\r\n", LINE_1];
    let tails = ["".to_owned(), format!("{}\r\n", &B_A[..20])];
    for (head, tail) in heads.into_iter().flat_map(|head| tails.each_ref().map(|tail| (head, tail))) {
        let tower = Station::new();
        let report = ingest(&tower, &[first().as_str(), head, tail, &rows].concat());
        assert_eq!(values(&tower.rows(TABLE)), ["[1,2]"; 2], "{head:?} {tail:?}: {report}");
        assert!(report["rejected"].as_u64() >= Some(3), "{head:?} {tail:?}: {report}");
        // A whole header behind them begins anew.
        let behind = [LINE_1, B_A, BESIDE, &row(9, "2,1")].concat();
        ingest(&tower, &[first().as_str(), head, tail, &rows, &behind].concat());
        assert_eq!(values(&tower.rows(TABLE)), ["[1,2]"; 3], "{head:?} {tail:?}");
    }
}

#[test]
fn a_short_header_in_mid_file_needs_no_first_line() {
    let tower = Station::new();
    let names = |a: &str, b: &str| format!("\"TMSTAMP\",\"RECNBR\",\"{a}\",\"{b}\"\r\n");
    let line_1 = "\"TOACI1\",\"st\",\"Tab\"\r\n";
    let file = [
        line_1,
        &names("A", "B"),
        &row(0, "1,2"),
        line_1,
        &names("B", "A"),
        &row(1, "2,1"),
        &names("A", "B"),
        &row(2, "1,2"),
        &names("A", "B"),
        &row(3, "1,2"),
        "\"TOACI1\r\n",
        &row(4, "2,1"),
    ];
    let report = ingest(&tower, &file.concat());
    assert_eq!((report["header"].as_u64(), report["rejected"].as_u64()), (Some(6), Some(2)), "{report}");
    assert_eq!(values(&tower.rows(TABLE)), ["[1,2]"; 4]);
}
