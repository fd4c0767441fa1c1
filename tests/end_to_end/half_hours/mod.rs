//! `aggregate = "30m"`: tables that are made of other tables' rows.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use chrono::{NaiveDate, NaiveDateTime, TimeDelta, Timelike as _};
use serde_json::Value;

use crate::support::Station;

mod again;
mod intervals;
mod names;
mod programs;
mod turbulence;
mod values;

/// The table that is made.
const MADE: &str = "met_30m";

/// The end of the half hour that a stamp is in.
fn end_of(at: NaiveDateTime) -> NaiveDateTime {
    let past = TimeDelta::seconds(i64::from(at.minute() % 30 * 60 + at.second()))
        + TimeDelta::nanoseconds(i64::from(at.nanosecond()));
    if past.is_zero() { at } else { at + TimeDelta::minutes(30) - past }
}

/// A TOA5 file with these columns (name, unit, process) and these rows.
fn file(columns: &[[&str; 3]], rows: &BTreeMap<NaiveDateTime, Vec<String>>) -> String {
    let line = |place: usize| columns.iter().map(|column| format!(",\"{}\"", column[place])).collect::<String>();
    let mut text = format!(
        "\"TOA5\",\"T\",\"CR1000X\",\"4711\",\"Std.05\",\"CPU:demo.CR1X\",\"20250\",\"met\"\r\n\"TIMESTAMP\",\"RECORD\"{}\r\n\
         \"TS\",\"RN\"{}\r\n\"\",\"\"{}\r\n",
        line(0),
        line(1),
        line(2)
    );
    let first = rows.keys().next().copied().unwrap_or_default();
    for (at, values) in rows {
        let record = (*at - first).num_minutes();
        write!(text, "\"{}\",{record}", at.format("%Y-%m-%d %H:%M:%S%.f")).unwrap();
        values.iter().for_each(|value| write!(text, ",{value}").unwrap());
        text.push_str("\r\n");
    }
    text
}

/// The rows of a table by their time on the station's clock: each column's value, and its flag.
fn rows_of(station: &Station, table: &str) -> BTreeMap<NaiveDateTime, BTreeMap<String, (Value, char)>> {
    let names: Vec<String> = {
        let database = station.database();
        let sql = "SELECT c.name FROM column_list c JOIN logger_table t ON t.id = c.logger_table WHERE t.name = ?1 ORDER BY c.position";
        let mut statement = database.prepare(sql).unwrap();
        statement.query_map([table], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    };
    let of_row = |row: crate::support::Row| {
        let at = chrono::DateTime::from_timestamp_nanos(row.ts).naive_utc() - TimeDelta::hours(5);
        let cells = names.iter().cloned().zip(row.values().into_iter().zip(row.flags.chars()));
        (at, cells.collect())
    };
    station.rows(table).into_iter().map(of_row).collect()
}

/// A station whose table `met` is made into half hours.
fn station(keys: &str) -> Station {
    Station::new().table("name = \"met\"\nfiles = [\"met.dat\"]").table_keys(&format!("aggregate = \"30m\"\n{keys}"))
}

/// Everything is made again, and nothing of it is new: what is there is what it would be if it were made for the first time.
#[track_caller]
fn is_as_if_made_anew(station: &Station) {
    let before = station.rows(MADE);
    let inputs = || station.count("SELECT max(inputs) FROM aggregation");
    let known = inputs();
    rusqlite::Connection::open(station.store_path())
        .unwrap()
        .execute_batch("UPDATE aggregation SET inputs = inputs + 1")
        .unwrap();
    let report = station.run_json(&["ingest"]).json();
    let tables = report["tables"].as_array().unwrap();
    let made: u64 = tables.iter().map(|table| table["made"].as_u64().unwrap()).sum();
    assert_eq!(inputs(), known, "the windows were not made again");
    assert_eq!(made, 0, "{:?}", differences(&before, &station.rows(MADE)));
    assert_eq!(station.count("SELECT count(*) FROM due_window WHERE last_end < (SELECT max(newest) FROM series)"), 0);
}

fn differences(one: &[crate::support::Row], other: &[crate::support::Row]) -> Vec<String> {
    let text = |rows: &[crate::support::Row]| -> std::collections::BTreeSet<String> {
        rows.iter().map(|row| format!("{} {} {}", row.time(), row.tags, row.vals)).collect()
    };
    let (one, other) = (text(one), text(other));
    let gone = one.difference(&other).map(|row| format!("- {row}"));
    gone.chain(other.difference(&one).map(|row| format!("+ {row}"))).take(6).collect()
}

fn day(number: u32) -> NaiveDateTime {
    NaiveDate::from_ymd_opt(2026, 6, number).unwrap().and_hms_opt(0, 0, 0).unwrap()
}
