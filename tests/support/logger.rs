//! A logger that writes TOA5, as LoggerNet saves it: CRLF, quoted names, bare numbers.

use std::ops::Range;

use chrono::{NaiveDate, NaiveDateTime, TimeDelta};

/// Writes one table. Every value is a function of RECORD and of the column, so that a value in the wrong row shows.
#[must_use]
#[derive(Debug, Clone)]
pub struct Logger {
    table: String,
    /// Name, unit, process.
    columns: Vec<[String; 3]>,
    /// Time of RECORD 0.
    start: NaiveDateTime,
    step: TimeDelta,
}

impl Logger {
    /// The PAR table of a CR5000: three columns, a row every five seconds from 2024-05-01 00:00:00.
    pub fn par() -> Logger {
        let column = |name: &str, unit: &str| [name.to_owned(), unit.to_owned(), "Smp".to_owned()];
        Logger {
            table: "PARCal".to_owned(),
            columns: vec![column("PPFD", "umol/m^2/s"), column("Total_PPFD", ""), column("calPPFD", "")],
            start: NaiveDate::from_ymd_opt(2024, 5, 1).unwrap().and_hms_opt(0, 0, 0).unwrap(),
            step: TimeDelta::seconds(5),
        }
    }

    /// Another table name in line 1.
    pub fn table(mut self, table: &str) -> Logger {
        table.clone_into(&mut self.table);
        self
    }

    /// Another set of columns.
    pub fn columns(mut self, names: &[&str]) -> Logger {
        self.columns = names.iter().map(|name| [(*name).to_owned(), String::new(), "Smp".to_owned()]).collect();
        self
    }

    /// Another set of columns: name, unit, process.
    pub fn stating(mut self, columns: &[[&str; 3]]) -> Logger {
        self.columns = columns.iter().map(|column| column.map(str::to_owned)).collect();
        self
    }

    /// One column more.
    pub fn column(mut self, name: &str) -> Logger {
        self.columns.push([name.to_owned(), String::new(), "Avg".to_owned()]);
        self
    }

    /// Time between rows.
    pub fn every(mut self, step: TimeDelta) -> Logger {
        self.step = step;
        self
    }

    /// Time of RECORD 0.
    pub fn start(mut self, start: &str) -> Logger {
        self.start = NaiveDateTime::parse_from_str(start, "%Y-%m-%d %H:%M:%S").unwrap();
        self
    }

    /// The four header lines.
    pub fn header(&self) -> String {
        let line = |time: &str, record: &str, place: usize| {
            let columns: String = self.columns.iter().map(|column| format!(",\"{}\"", column[place])).collect();
            format!("\"{time}\",\"{record}\"{columns}\r\n")
        };
        format!(
            "\"TOA5\",\"46m\",\"CR5000\",\"1041\",\"CR5000.Std.07\",\"CPU:Y21_46M_PARCal.CR5\",\"6827\",\"{}\"\r\n{}{}{}",
            self.table,
            line("TIMESTAMP", "RECORD", 0),
            line("TS", "RN", 1),
            line("", "", 2)
        )
    }

    /// The logger's clock at its so-many-th row.
    pub fn stamp(&self, row: i64) -> NaiveDateTime {
        self.start + self.step * i32::try_from(row).unwrap()
    }

    /// What its columns hold at its so-many-th row.
    pub fn values(&self, row: i64) -> Vec<f64> {
        (0..self.columns.len()).map(|column| value(row, column).parse().unwrap()).collect()
    }

    /// Its so-many-th row, under another record number.
    pub fn row_as(&self, row: i64, record: i64) -> String {
        let values: String = (0..self.columns.len()).map(|column| format!(",{}", value(row, column))).collect();
        format!("\"{}\",{record}{values}\r\n", written(self.stamp(row)))
    }

    /// The row of this record number.
    pub fn row(&self, record: i64) -> String {
        self.row_as(record, record)
    }

    pub fn rows(&self, records: Range<i64>) -> String {
        records.map(|record| self.row(record)).collect()
    }

    /// Header and rows.
    pub fn file(&self, records: Range<i64>) -> String {
        self.header() + &self.rows(records)
    }
}

/// As a logger writes it: as many fraction digits as needed.
fn written(stamp: NaiveDateTime) -> String {
    let text = stamp.format("%Y-%m-%d %H:%M:%S%.f").to_string();
    if text.contains('.') { text.trim_end_matches('0').to_owned() } else { text }
}

/// Seven digits, as IEEE4 prints; far from those of any other row and column.
fn value(row: i64, column: usize) -> String {
    let spread = row * 137 % 1_000_000;
    format!("{}{:03}.{:03}", column + 1, spread / 1000, spread % 1000)
}
