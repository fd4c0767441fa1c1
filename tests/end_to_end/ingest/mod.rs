//! Ingest through the program, beyond what `formats.rs` asks of single lines: damage between header and rows, the double
//! hour from collection to collection, what is said again at the next run.

mod bytes;
mod clocks;
mod collections;
mod decisions;
mod deferred;
mod dry_run;
mod glued;
mod headers;
mod held;
mod long;
mod names;
mod notes;
mod provisional;
mod quiet;
mod record_numbers;
mod refusals;
mod repeated_hour;
mod repeats;
mod retag;
mod samples;
mod union;

use crate::support::{DAT, Ended, Logger, Row, Station, TABLE};

/// Header of a table with two columns, in four lines.
const HEADER: &str = "\"TOA5\",\"46m\",\"CR5000\",\"1041\",\"CR5000.Std.07\",\"CPU:Y21.CR5\",\"6827\",\"Table1\"\r\n\
    \"TIMESTAMP\",\"RECORD\",\"A\",\"B\"\r\n\"TS\",\"RN\",\"\",\"\"\r\n\"\",\"\",\"Smp\",\"Smp\"\r\n";

/// The header and these bytes behind it.
fn behind_header(rest: impl AsRef<[u8]>) -> Vec<u8> {
    [HEADER.as_bytes(), rest.as_ref()].concat()
}

/// Writes the file, ingests it, checks the counts. `counts` is written as the program's JSON keys: `"staged 2 rejected 1"`;
/// what is not named is 0, and the lines are their sum (I1).
#[must_use = "say with expect() how it must end"]
#[track_caller]
fn ingest(tower: &Station, content: impl AsRef<[u8]>, counts: &str) -> Ended {
    tower.write(DAT, content);
    counted(tower.run_json(&["ingest"]), counts)
}

#[must_use = "say with expect() how it must end"]
#[track_caller]
fn counted(ended: Ended, counts: &str) -> Ended {
    let table = &ended.json()["tables"][0];
    let mut words = counts.split_whitespace();
    let mut expected = std::collections::BTreeMap::new();
    while let (Some(name), Some(number)) = (words.next(), words.next()) {
        expected.insert(name, number.parse::<u64>().unwrap());
    }
    let lines: u64 = expected.values().sum();
    for name in ["header", "staged", "duplicates", "conflicts", "rejected", "held", "deferred", "blank"] {
        let found = table[name].as_u64().unwrap();
        assert_eq!(found, expected.remove(name).unwrap_or(0), "{name} in {table}");
    }
    assert!(expected.is_empty(), "no such count: {expected:?}");
    assert_eq!(table["lines"].as_u64(), Some(lines), "I1: {table}");
    ended
}

/// Time in UTC, record and values of each row.
fn rows(tower: &Station) -> Vec<String> {
    tower.rows(TABLE).iter().map(shown).collect()
}

fn shown(row: &Row) -> String {
    format!("{} {} {}", row.time(), row.record.map_or("-".to_owned(), |record| record.to_string()), row.vals)
}

/// What the first table's notes say, all in one.
fn notes(ended: &Ended) -> String {
    ended.json()["tables"][0]["notes"].to_string()
}

/// The reasons and texts of rejected lines, newest first.
fn rejected(tower: &Station) -> Vec<(String, String)> {
    let json = tower.run_json(&["rejected"]).json();
    let text = |item: &serde_json::Value, key: &str| item[key].as_str().unwrap().to_owned();
    json["rejected"].as_array().unwrap().iter().map(|item| (text(item, "reason"), text(item, "raw"))).collect()
}

/// A file of the PAR table.
fn par(records: std::ops::Range<i64>) -> String {
    Logger::par().file(records)
}
