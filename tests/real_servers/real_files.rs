//! The files that loggers wrote, sent to a server as `init` configures them, and read back value by value and flag by flag.
//!
//! What should be in the server is read from the file by the few lines of [`Reading`] here, and its flags are those of the
//! database. FLUXTOWER_REAL_FILES names the folder of real files, which are not part of this repository.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

use fluxtower::config::{ColumnUse, Config, TableConfig};
use rusqlite::Connection;

use crate::each::{Server, on_each_influxdb};
use crate::readings::utc;
use crate::real::{facts, folder};

on_each_influxdb!(i5_i8_every_value_and_every_flag_of_the_real_files_is_read_back_and_equal);

/// A TOA5 file as its bytes say, without repairs: rows by their time, the first of those that share one. Cells keep their
/// quotes, because a number in quotes is text, except in a file whose record numbers are in quotes too.
struct Reading {
    columns: Vec<String>,
    rows: BTreeMap<i64, Vec<String>>,
}

impl Reading {
    fn of(path: &Path) -> Reading {
        let bytes = fs::read(path).unwrap();
        let text = String::from_utf8_lossy(&bytes);
        let mut lines = text.split_inclusive('\n').filter(|line| line.ends_with('\n')).map(cells);
        let columns: Vec<String> = lines.nth(1).unwrap().iter().map(|name| name.trim_matches('"').to_owned()).collect();
        let mut rows = BTreeMap::new();
        for row in lines.skip(2).filter(|row| row.len() == columns.len()) {
            rows.entry(utc(row[0].trim_matches('"'))).or_insert(row);
        }
        Reading { columns, rows }
    }

    fn cell(&self, at: i64, column: &str) -> &str {
        &self.rows[&at][self.columns.iter().position(|name| name == column).unwrap()]
    }

    fn number(&self, at: i64, column: &str) -> Option<f64> {
        let cell = self.cell(at, column);
        let is_all_quoted =
            self.columns.iter().any(|name| name == "RECORD") && self.cell(at, "RECORD").starts_with('"');
        let cell = if is_all_quoted { cell.trim_matches('"') } else { cell };
        cell.parse::<f64>().ok().filter(|value| value.is_finite())
    }

    fn is_missing(&self, at: i64, column: &str) -> bool {
        matches!(self.cell(at, column).trim_matches('"'), "NAN" | "INF" | "-INF" | "")
    }
}

/// NUL bytes are what a power cut leaves where the file system had promised room; they are no part of a line.
fn cells(line: &str) -> Vec<String> {
    let (mut cells, mut is_quoted) = (vec![String::new()], false);
    for letter in line.trim_end().chars().filter(|letter| *letter != '\0') {
        is_quoted ^= letter == '"';
        if letter == ',' && !is_quoted {
            cells.push(String::new());
        } else {
            cells.last_mut().unwrap().push(letter);
        }
    }
    cells
}

/// One table's rows as the database lists them: time, flags by column.
fn stored(store: &Connection, table: &str, columns: &[&String]) -> Vec<(i64, Vec<u8>)> {
    let flags: String = columns.iter().map(|column| format!(", \"{}_flag\"", column.replace('"', "\"\""))).collect();
    // A logger may have a column called Ts of its own; a row's number holds its microsecond.
    let sql = format!(
        "SELECT (row_id & 4503599627370495) * 1000{flags} FROM \"t_{}\" WHERE state = 'sent' ORDER BY row_id",
        table.replace('"', "\"\"")
    );
    let mut statement = store.prepare(&sql).unwrap();
    let rows = statement.query_map([], |row| {
        let flag = |place: usize| row.get::<_, String>(place + 1).map(|flag| flag.as_bytes()[0] - b'0');
        Ok((row.get(0)?, (0..columns.len()).map(flag).collect::<Result<Vec<u8>, _>>()?))
    });
    rows.unwrap().map(Result::unwrap).collect()
}

/// Columns that are sent, and their names in the server. A column that the configuration does not name is sent as it is.
fn sent_columns<'a>(table: &TableConfig, columns: &'a [String]) -> Vec<(&'a String, String)> {
    let mut sent = Vec::new();
    for name in columns.iter().filter(|name| !matches!(name.as_str(), "TIMESTAMP" | "RECORD")) {
        let known = table.columns.get(name);
        if known.is_none_or(|column| column.column_use == ColumnUse::Field) {
            sent.push((name, known.and_then(|column| column.field.clone()).unwrap_or_else(|| name.clone())));
        }
    }
    sent
}

fn i5_i8_every_value_and_every_flag_of_the_real_files_is_read_back_and_equal<S: Server>() {
    let influxd = S::fresh();
    let (mut values, mut flags, mut files) = (0, 0, 0);
    for fact in facts() {
        let name = fact["name"].as_str().unwrap();
        let is_spreadsheet = fact["bom"].as_str().is_some_and(|bom| !bom.is_empty());
        if fact["format"] != "TOA5" || is_spreadsheet {
            continue;
        }
        let place = tempfile::tempdir().unwrap();
        fs::copy(folder().join(name), place.path().join(name)).unwrap();
        let run = |arguments: &[&str]| {
            let mut command = Command::new(env!("CARGO_BIN_EXE_fluxtower"));
            let done = command.current_dir(place.path()).env("FLUXTOWER_TEST_RIGHT", "right").args(arguments).output();
            let done = done.unwrap();
            assert!(matches!(done.status.code(), Some(0 | 1)), "{name} {arguments:?}: {done:?}");
        };
        // The station's name keeps the series of one file from those of another.
        run(&["init", name, "--utc-offset", "-05:00", "--station", name]);
        let path = place.path().join("config.toml");
        let text = fs::read_to_string(&path).unwrap();
        let (before, rest) = text.split_once("[destination]\n").unwrap();
        let after = &rest[rest.find("\n[").unwrap()..];
        let destination = format!("{before}[destination]\nkind = \"influxdb\"\n{}\n{after}", influxd.destination());
        fs::write(&path, destination).unwrap();
        run(&["run"]);

        let config = Config::load(&path).unwrap();
        let reading = Reading::of(&place.path().join(name));
        let store = Connection::open(place.path().join("fluxtower.db")).unwrap();
        for table in &config.tables {
            let columns = sent_columns(table, &reading.columns);
            let rows =
                stored(&store, &table.name.to_string(), &columns.iter().map(|(column, _)| *column).collect::<Vec<_>>());
            assert_eq!(
                rows.iter().map(|(at, _)| *at).collect::<Vec<_>>(),
                reading.rows.keys().copied().collect::<Vec<_>>(),
                "{name}: the rows of the file"
            );
            let mut found = BTreeMap::new();
            for ((tags, point), value) in influxd.cells([table.measurement.as_str()]) {
                if tags["station"] == name {
                    found.insert((point.field, point.at), value);
                }
            }
            let has_nothing = |at: i64| columns.iter().all(|(column, _)| reading.number(at, column).is_none());
            // A column has its flags in the server for all rows, or for those rows that have nothing else.
            let flagged: BTreeSet<&String> = columns
                .iter()
                .filter(|(_, field)| {
                    let flag = format!("{field}_qc");
                    rows.iter().any(|(at, _)| !has_nothing(*at) && found.contains_key(&(flag.clone(), *at)))
                })
                .map(|(_, field)| field)
                .collect();
            for (at, digits) in &rows {
                let all_missing = has_nothing(*at);
                for ((column, field), digit) in columns.iter().zip(digits) {
                    let value = found.remove(&(field.clone(), *at));
                    assert_eq!(value, reading.number(*at, column), "{name}: {field} at {at}");
                    values += usize::from(value.is_some());
                    let flag = found.remove(&(format!("{field}_qc"), *at));
                    let wanted = (flagged.contains(field) || all_missing).then_some(f64::from(*digit));
                    assert_eq!(flag, wanted, "{name}: the flag of {field} at {at}");
                    flags += usize::from(flag.is_some());
                    assert!(
                        !reading.is_missing(*at, column) || *digit == 9,
                        "{name}: {field} at {at} is flagged {digit}"
                    );
                }
            }
            assert_eq!(found.into_iter().next(), None, "{name}: in the server and not in the file");
        }
        files += 1;
    }
    assert!(files >= 10 && values > 50_000 && flags > 10_000, "{files} files, {values} values, {flags} flags");
}
