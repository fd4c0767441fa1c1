//! What can still be read of a damaged database, into a new one.
//!
//! A damaged page makes SQLite stop, not lie. So each table is read from both ends up to the damage, and between them
//! again around the middle, until what is left cannot be split with profit. What is kept beside rows for speed (counts,
//! backlog, newest times) is worked out anew from the rows. What is known of files is left behind on purpose: the next
//! ingest then reads every .DAT file whole, knows the rows that were saved, and stages those that were not.

use std::collections::VecDeque;
use std::path::Path;

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, OpenFlags, params, params_from_iter};

use super::error::StoreError;
use super::key;
use super::{Result, migrate};

/// Left out, or worked out anew.
const NOT_COPIED: [&str; 2] = ["file_seen", "backlog"];
/// Halvings of a stretch without a single readable row, after which it is given up: at most four thousand attempts.
const BARREN_HALVINGS: u32 = 12;
/// Attempts in one table: minutes, on a disk full of holes.
const MOST_ATTEMPTS: u32 = 200_000;

/// What was saved of one table of the database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SalvagedTable {
    /// Its name: of a logger's table in the configuration, or of the store's own.
    pub table: String,
    /// Rows saved.
    pub rows: u64,
    /// Rows that were there, where that was counted.
    pub expected: Option<u64>,
    /// What could not be read, in words; empty where all of it was read.
    pub unreadable: String,
}

/// What a salvage saved.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SalvageReport {
    /// Loggers' tables.
    pub tables: Vec<SalvagedTable>,
    /// The store's own: receipts, conflicts, rejected lines and the rest.
    pub lists: Vec<SalvagedTable>,
    /// Rows whose series could not be read: saved, but of no table.
    pub orphans: u64,
    /// Why nothing at all could be read, if so.
    pub unopened: Option<String>,
}

impl SalvageReport {
    /// Whether everything that was there was saved.
    pub fn is_whole(&self) -> bool {
        let whole = |table: &SalvagedTable| {
            table.unreadable.is_empty() && table.expected.is_none_or(|expected| expected == table.rows)
        };
        self.unopened.is_none() && self.orphans == 0 && self.tables.iter().chain(&self.lists).all(whole)
    }
}

/// Whether SQLite finds every page, row and index of the database in order; the damage in its words, if not.
pub(super) fn damage(path: &Path) -> Result<Option<String>> {
    let words = (|| -> rusqlite::Result<String> {
        reader(path)?.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))
    })();
    match words.map_err(|source| StoreError::at(path, source)) {
        Ok(words) if words == "ok" => Ok(None),
        Ok(words) => Ok(Some(words)),
        Err(StoreError::Damaged { source, .. }) => Ok(Some(source.to_string())),
        Err(other) => Err(other),
    }
}

/// Neither checkpoints nor repairs: the damaged files stay as they are.
fn reader(path: &Path) -> rusqlite::Result<Connection> {
    Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX)
}

impl super::Store {
    /// Whether the database is damaged, and how.
    pub fn damage(path: &Path) -> Result<Option<String>> {
        damage(path)
    }

    /// Writes everything of `damaged` that can be read to a new database at `fresh`, where no file stands. The damaged one
    /// is not touched. The caller syncs the new one.
    pub fn salvage(damaged: &Path, fresh: &Path) -> Result<SalvageReport> {
        let new = |source| StoreError::at(fresh, source);
        let mut report = SalvageReport::default();
        let mut to = Connection::open(fresh).map_err(new)?;
        to.pragma_update(None, "page_size", 16_384).map_err(new)?;
        // The file is synced as a whole before it gets its name; until then nobody needs it after a crash.
        to.pragma_update(None, "journal_mode", "memory").map_err(new)?;
        to.pragma_update(None, "synchronous", "off").map_err(new)?;
        to.pragma_update(None, "foreign_keys", false).map_err(new)?;
        let opened = reader(damaged).map_err(|source| StoreError::at(damaged, source)).and_then(|from| {
            migrate::check(&from, damaged)?;
            let version = from.pragma_query_value(None, "user_version", |row| row.get::<_, i64>(0));
            Ok((version.map_err(|source| StoreError::at(damaged, source))?, from))
        });
        match opened {
            Ok((version, from)) => {
                migrate::run_to(&mut to, fresh, version)?;
                copy_all(&from, &to, &mut report).map_err(new)?;
            }
            Err(StoreError::Damaged { source, .. }) => report.unopened = Some(source.to_string()),
            Err(other) => return Err(other),
        }
        migrate::run(&mut to, fresh)?;
        Ok(report)
    }
}

fn copy_all(from: &Connection, to: &Connection, report: &mut SalvageReport) -> rusqlite::Result<()> {
    let names: Vec<String> = to
        .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name")?
        .query_map([], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    for name in names.iter().filter(|name| !NOT_COPIED.contains(&name.as_str())) {
        to.execute_batch("BEGIN")?;
        let (rows, unreadable) = match Copying::new(from, to, name) {
            Ok(mut copying) => copying.all()?,
            Err(error) => (0, error.to_string()),
        };
        to.execute_batch("COMMIT")?;
        report.lists.push(SalvagedTable { table: name.clone(), rows, expected: None, unreadable });
    }
    views(from, to)?;
    let counted = counted(to)?;
    rebuild(to)?;
    tally(to, &counted, report)
}

/// Views are text in the schema; one that cannot be read is made anew when its table gets a new column.
fn views(from: &Connection, to: &Connection) -> rusqlite::Result<()> {
    let Ok(mut statement) = from.prepare("SELECT sql FROM sqlite_schema WHERE type = 'view'") else { return Ok(()) };
    let mut rows = statement.query([])?;
    while let Ok(Some(row)) = rows.next() {
        if let Ok(sql) = row.get::<_, String>(0) {
            to.execute_batch(&sql)?;
        }
    }
    Ok(())
}

/// One table on its way.
struct Copying<'c> {
    from: &'c Connection,
    to: &'c Connection,
    table: &'c str,
    columns: String,
    width: usize,
    /// Columns of its primary key where it has no rowid.
    key: Option<Vec<String>>,
    /// Place of the JSON of a row's values: damage inside a page shows there and nowhere else.
    json: Option<usize>,
    copied: u64,
    refused: u64,
    /// SQLite's words for the first page it could not read.
    words: Option<String>,
}

impl<'c> Copying<'c> {
    fn new(from: &'c Connection, to: &'c Connection, table: &'c str) -> rusqlite::Result<Copying<'c>> {
        let columns_of = |conn: &Connection| -> rusqlite::Result<Vec<(String, i64)>> {
            conn.prepare("SELECT name, pk FROM pragma_table_info(?1) ORDER BY cid")?
                .query_map([table], |row| Ok((row.get(0)?, row.get(1)?)))?
                .collect()
        };
        let there = columns_of(from)?;
        let columns: Vec<(String, i64)> =
            columns_of(to)?.into_iter().filter(|(name, _)| there.iter().any(|(old, _)| old == name)).collect();
        let mut key: Vec<&(String, i64)> = columns.iter().filter(|(_, place)| *place > 0).collect();
        key.sort_by_key(|(_, place)| *place);
        let key: Vec<String> = key.into_iter().map(|(name, _)| quoted(name)).collect();
        let has_rowid = to.prepare(&format!("SELECT rowid FROM {}", quoted(table))).is_ok();
        Ok(Copying {
            from,
            to,
            table,
            width: columns.len(),
            json: (table == "reading").then(|| columns.iter().position(|(name, _)| name == "vals")).flatten(),
            columns: columns.iter().map(|(name, _)| quoted(name)).collect::<Vec<_>>().join(", "),
            key: (!has_rowid).then_some(key),
            copied: 0,
            refused: 0,
            words: None,
        })
    }

    /// Rows saved, and what could not be read.
    fn all(&mut self) -> rusqlite::Result<(u64, String)> {
        match self.key.clone() {
            Some(key) => {
                let order = |direction: &str| {
                    key.iter().map(|name| format!("{name} {direction}")).collect::<Vec<_>>().join(", ")
                };
                if !self.run(&format!("ORDER BY {}", order("ASC")), None)?.1 {
                    self.run(&format!("ORDER BY {}", order("DESC")), None)?;
                }
            }
            None => self.stretches()?,
        }
        let mut unreadable = self.words.take().unwrap_or_default();
        if self.refused > 0 {
            let and = if unreadable.is_empty() { "" } else { "; " };
            unreadable = format!("{unreadable}{and}{} damaged inside", self.refused);
        }
        Ok((self.copied, unreadable))
    }

    /// From both ends of a stretch up to the damage, then the halves of what lies between.
    fn stretches(&mut self) -> rusqlite::Result<()> {
        let mut queue = VecDeque::from([(i64::MIN, i64::MAX, 0)]);
        let mut attempts = 0;
        while let Some((low, high, barren)) = queue.pop_front() {
            attempts += 1;
            if attempts > MOST_ATTEMPTS {
                break;
            }
            let (last, done) = self.run("WHERE rowid BETWEEN ?1 AND ?2 ORDER BY rowid", Some((low, high)))?;
            let Some(low) = last.map_or(Some(low), |last: i64| last.checked_add(1)) else { continue };
            if done || low > high {
                continue;
            }
            let (first, done) = self.run("WHERE rowid BETWEEN ?1 AND ?2 ORDER BY rowid DESC", Some((low, high)))?;
            let Some(high) = first.map_or(Some(high), |first: i64| first.checked_sub(1)) else { continue };
            let barren = if last.is_none() && first.is_none() { barren + 1 } else { 0 };
            if done || low >= high || barren > BARREN_HALVINGS {
                continue;
            }
            let middle = low.midpoint(high);
            queue.push_back((low, middle, barren));
            queue.push_back((middle + 1, high, barren));
        }
        Ok(())
    }

    /// Copies until the end or the damage. Gives the last rowid met and whether it came to the end.
    fn run(&mut self, clause: &str, stretch: Option<(i64, i64)>) -> rusqlite::Result<(Option<i64>, bool)> {
        let rowid = if self.key.is_none() { "rowid" } else { "0" };
        let table = quoted(self.table);
        let Copying { from, to, columns, width, json, .. } = self;
        let marks = vec!["?"; *width].join(", ");
        let mut insert = to.prepare_cached(&format!("INSERT OR IGNORE INTO {table} ({columns}) VALUES ({marks})"))?;
        let mut last = None;
        let damage = (|| -> rusqlite::Result<()> {
            let mut select = from.prepare_cached(&format!("SELECT {rowid}, {columns} FROM {table} {clause}"))?;
            let mut rows = match stretch {
                Some((low, high)) => select.query(params![low, high])?,
                None => select.query([])?,
            };
            while let Some(row) = rows.next()? {
                last = Some(row.get(0)?);
                let values: Vec<ValueRef<'_>> =
                    (1..=*width).map(|place| row.get_ref(place)).collect::<rusqlite::Result<_>>()?;
                let sound = json.is_none_or(|place| is_json_list(values.get(place)));
                if !sound {
                    self.refused += 1;
                    continue;
                }
                let bound = values.iter().map(|value| ToSqlOutput::Borrowed(*value));
                // A value of another kind than the column takes is damage as well.
                match insert.execute(params_from_iter(bound)) {
                    Ok(inserted) => self.copied += inserted as u64,
                    Err(error) if is_full(&error) => return Err(error),
                    Err(_) => self.refused += 1,
                }
            }
            Ok(())
        })();
        match damage {
            Ok(()) => Ok((last, true)),
            Err(error) if is_full(&error) => Err(error),
            Err(error) => {
                self.words.get_or_insert(error.to_string());
                Ok((last, false))
            }
        }
    }
}

fn is_full(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(rusqlite::ErrorCode::DiskFull | rusqlite::ErrorCode::ReadOnly))
}

fn is_json_list(value: Option<&ValueRef<'_>>) -> bool {
    let Some(ValueRef::Text(text)) = value else { return false };
    serde_json::from_slice::<Vec<&serde_json::value::RawValue>>(text).is_ok()
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// The counts that the damaged database kept: table, rows.
fn counted(to: &Connection) -> rusqlite::Result<Vec<(i64, u64)>> {
    to.prepare("SELECT id, rows FROM logger_table ORDER BY id")?
        .query_map([], |row| Ok((row.get(0)?, row.get::<_, i64>(1)?.cast_unsigned())))?
        .collect()
}

/// Counts, newest times and backlog, from the rows themselves.
fn rebuild(to: &Connection) -> rusqlite::Result<()> {
    to.execute_batch(
        "BEGIN;
         UPDATE logger_table SET rows = 0, pending = 0, sent = 0, rejected = 0, expired = 0,
             conflicts = (SELECT count(*) FROM conflict c JOIN series s ON s.id = c.series WHERE s.logger_table = logger_table.id),
             rejected_lines = (SELECT count(*) FROM rejected_line l WHERE l.logger_table = logger_table.id);",
    )?;
    let series: Vec<(i64, i64)> = to
        .prepare("SELECT id, logger_table FROM series")?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<rusqlite::Result<_>>()?;
    for (series, table) in series {
        let bounds = key::keys(series, key::TIMES.0, key::TIMES.1);
        let mut states = to.prepare_cached(
            "SELECT state, count(*), min(id), max(id) FROM reading WHERE id BETWEEN ?1 AND ?2 GROUP BY state",
        )?;
        let mut rows = states.query(bounds)?;
        let mut newest = None;
        while let Some(row) = rows.next()? {
            let state = super::State::from_code(row.get(0)?);
            let (count, first, last): (i64, i64, i64) = (row.get(1)?, row.get(2)?, row.get(3)?);
            newest = newest.max(Some(last));
            let word = state.word();
            to.execute(
                &format!("UPDATE logger_table SET rows = rows + ?2, {word} = {word} + ?2 WHERE id = ?1"),
                [table, count],
            )?;
            if state == super::State::Pending {
                to.execute(
                    "INSERT OR REPLACE INTO backlog (series, from_ts, to_ts) VALUES (?1, ?2, ?3)",
                    [series, key::time(first, 0).0, key::time(last, 999).0],
                )?;
            }
        }
        let newest: Option<i64> = match newest {
            None => None,
            Some(id) => Some(to.query_row("SELECT id, nanos FROM reading WHERE id = ?1", [id], |row| {
                Ok(key::time(row.get(0)?, row.get(1)?).0)
            })?),
        };
        to.execute("UPDATE series SET newest = ?2 WHERE id = ?1", params![series, newest])?;
    }
    to.execute_batch("COMMIT")
}

/// Rows by logger's table, against what was counted there, and those of no table.
fn tally(to: &Connection, counted: &[(i64, u64)], report: &mut SalvageReport) -> rusqlite::Result<()> {
    let mut names = to.prepare("SELECT id, name, rows FROM logger_table ORDER BY id")?;
    let mut rows = names.query([])?;
    let mut of_tables = 0;
    while let Some(row) = rows.next()? {
        let (id, table): (i64, String) = (row.get(0)?, row.get(1)?);
        let saved = row.get::<_, i64>(2)?.cast_unsigned();
        of_tables += saved;
        let expected = counted.iter().find(|(known, _)| *known == id).map(|(_, rows)| *rows);
        report.tables.push(SalvagedTable { table, rows: saved, expected, unreadable: String::new() });
    }
    let all = report.lists.iter().find(|list| list.table == "reading").map_or(0, |list| list.rows);
    report.orphans = all.saturating_sub(of_tables);
    Ok(())
}
