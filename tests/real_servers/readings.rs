//! .DAT files to send, and this test's own reading of them.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};

/// One value in a server.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Point {
    pub measurement: String,
    pub field: String,
    /// Nanoseconds since 1970, UTC.
    pub at: i64,
}

impl Point {
    pub fn new(measurement: &str, field: &str, at: i64) -> Point {
        Point { measurement: measurement.to_owned(), field: field.to_owned(), at }
    }
}

pub type Points = BTreeMap<Point, f64>;

/// Hours that the station's clock is behind UTC, in every test here.
const BEHIND_UTC: i64 = 5;

/// A table as a logger would write it.
pub struct Readings {
    /// Table, measurement and file have this name.
    pub name: &'static str,
    pub columns: Vec<&'static str>,
    /// The file's data lines: the time as the logger writes it, then the values as it spells them.
    pub rows: Vec<(String, Vec<String>)>,
}

impl Readings {
    /// Rows whose values are made by `spell(row, column)`, at `start` + row * `step`, with so many digits of a second.
    pub fn new(
        name: &'static str,
        columns: &[&'static str],
        (start, step, digits): (NaiveDateTime, TimeDelta, usize),
        count: usize,
        mut spell: impl FnMut(usize, usize) -> String,
    ) -> Readings {
        let mut rows = Vec::new();
        let mut time = start;
        for row in 0..count {
            let mut text = time.format("%Y-%m-%d %H:%M:%S%.9f").to_string();
            text.truncate(19 + 1 + digits);
            let text = text.trim_end_matches('0').trim_end_matches('.');
            // A whole minute loses its zeroes to the trimming above.
            let text = if text.len() < 19 { time.format("%Y-%m-%d %H:%M:%S").to_string() } else { text.to_owned() };
            rows.push((text, (0..columns.len()).map(|column| spell(row, column)).collect()));
            time += step;
        }
        Readings { name, columns: columns.to_vec(), rows }
    }

    /// TOA5, as LoggerNet writes it.
    pub fn toa5(&self) -> String {
        let mut text =
            format!("\"TOA5\",\"tower\",\"CR5000\",\"1041\",\"Std.07\",\"CPU:t.CR5\",\"6827\",\"{}\"\r\n", self.name);
        let names: Vec<String> = self.columns.iter().map(|name| format!("\"{name}\"")).collect();
        let same = |word: &str| vec![format!("\"{word}\""); self.columns.len()].join(",");
        write!(text, "\"TIMESTAMP\",\"RECORD\",{}\r\n", names.join(",")).unwrap();
        write!(text, "\"TS\",\"RN\",{}\r\n\"\",\"\",{}\r\n", same("degC"), same("Smp")).unwrap();
        for (record, (time, values)) in self.rows.iter().enumerate() {
            write!(text, "\"{time}\",{record},{}\r\n", values.join(",")).unwrap();
        }
        text
    }

    /// The same points as they should be in a server: each number that is one, under its column's name.
    pub fn points(&self) -> Points {
        let mut points = Points::new();
        for (time, values) in &self.rows {
            let at = utc(time);
            for (column, value) in self.columns.iter().zip(values) {
                if !value.starts_with('"') {
                    points.insert(Point::new(self.name, column, at), value.parse().unwrap());
                }
            }
            if values.iter().all(|value| value.starts_with('"')) {
                // A row without any number still says that the logger is alive: 9 is QARTOD's "missing".
                for column in &self.columns {
                    points.insert(Point::new(self.name, &format!("{column}_qc"), at), 9.0);
                }
            }
        }
        points
    }
}

/// A map of ten thousand entries is not fit to be printed; its first difference is.
pub fn assert_same(found: &Points, wanted: &Points) {
    let missing = wanted.iter().find(|(point, _)| !found.contains_key(point));
    assert_eq!(missing, None, "not in the server");
    let different = found.iter().find(|(point, value)| wanted.get(point) != Some(value));
    assert_eq!(different.map(|(point, value)| (point, value, wanted.get(point))), None, "other than in the file");
    assert_eq!(found.len(), wanted.len());
}

/// Nanoseconds since 1970 of a time that the station's clock showed.
pub fn utc(time: &str) -> i64 {
    let local = NaiveDateTime::parse_from_str(time, "%Y-%m-%d %H:%M:%S%.f").unwrap();
    (local + TimeDelta::hours(BEHIND_UTC)).and_utc().timestamp_nanos_opt().unwrap()
}

/// What the station's clock shows at an instant.
pub fn station_time(instant: DateTime<Utc>) -> NaiveDateTime {
    instant.naive_utc() - TimeDelta::hours(BEHIND_UTC)
}

pub fn time(text: &str) -> NaiveDateTime {
    NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S").unwrap()
}

/// Numbers without end, the same in every run.
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Dice {
        Dice(seed)
    }

    /// Below `sides`.
    pub fn throw(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }

    /// A number as a Campbell logger spells it: at most seven digits.
    pub fn number(&mut self) -> String {
        let digits = self.throw(10_000_000);
        let sign = if self.throw(3) == 0 { "-" } else { "" };
        match self.throw(8) {
            0 => format!("{sign}{digits}"),
            1 => format!("{sign}0.{:07}", digits),
            2 => format!("{sign}{:.6}E-{:02}", digits as f64 / 1e7 + 1.0, self.throw(20)),
            3 => format!("{sign}{:.6}E+{:02}", digits as f64 / 1e7 + 1.0, self.throw(20)),
            4 => format!("{sign}0"),
            5 => "7999".to_owned(),
            _ => format!("{sign}{}.{:04}", digits / 10_000, digits % 10_000),
        }
    }
}
