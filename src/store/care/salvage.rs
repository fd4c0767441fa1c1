//! Copies everything that can still be read of a damaged database into a new one.
//!
//! SQLite stops at a damaged page and does not return wrong data. So each table is read from both ends up to the
//! damage. The part between is halved and read again, until further halving yields no more rows. Rows in pages that are
//! only reachable through a destroyed page are not found; the next read of their files stages them again. Data that is
//! kept beside the rows for speed (counts, backlog, newest times) is calculated again from the rows. The state of files
//! is not copied on purpose: the next ingest then reads every .DAT file whole, recognises the rows that were saved, and
//! stages those that were not.

use std::path::Path;

use rusqlite::{Connection, OpenFlags, params};

use crate::store::Result;
use crate::store::schema::error::StoreError;
use crate::store::schema::key;
use crate::store::schema::migrate;

mod copying;

use copying::Copying;

/// Tables that are left out, or calculated again.
const NOT_COPIED: [&str; 5] = ["file_seen", "backlog", "changed", "aggregation", "due_window"];

/// The result for one table of the database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SalvagedTable {
    /// Its name: that of a logger's table in the configuration, or of one of the store's own tables.
    pub table: String,
    /// Rows saved.
    pub rows: u64,
    /// The number of rows that the table had, where it was counted.
    pub expected: Option<u64>,
    /// The part that could not be read, as text; empty if all of it was read.
    pub unreadable: String,
}

/// The result of a salvage.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SalvageReport {
    /// The loggers' tables.
    pub tables: Vec<SalvagedTable>,
    /// The store's own tables: receipts, conflicts, rejected lines and others.
    pub lists: Vec<SalvagedTable>,
    /// Rows whose series could not be read: they are saved, but belong to no table.
    pub orphans: u64,
    /// Why nothing could be read, if the database could not be opened at all.
    pub unopened: Option<String>,
}

impl SalvageReport {
    /// Whether every row that existed was saved.
    pub fn is_whole(&self) -> bool {
        let whole = |table: &SalvagedTable| {
            table.unreadable.is_empty() && table.expected.is_none_or(|expected| expected == table.rows)
        };
        self.unopened.is_none() && self.orphans == 0 && self.tables.iter().chain(&self.lists).all(whole)
    }
}

/// SQLite's message about the damage; None if every page, row and index of the database is intact.
pub(in crate::store) fn damage(path: &Path) -> Result<Option<String>> {
    let message = (|| -> rusqlite::Result<String> {
        reader(path)?.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))
    })();
    match message.map_err(|source| StoreError::at(path, source)) {
        Ok(message) if message == "ok" => Ok(None),
        Ok(message) => Ok(Some(message)),
        Err(StoreError::Damaged { source, .. }) => Ok(Some(source.to_string())),
        Err(other) => Err(other),
    }
}

/// Opens the database without checkpoints and repairs: the damaged files are not changed.
fn reader(path: &Path) -> rusqlite::Result<Connection> {
    Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX)
}

impl crate::store::Store {
    /// SQLite's message about the damage; None if the database is intact.
    pub fn damage(path: &Path) -> Result<Option<String>> {
        damage(path)
    }

    /// Writes everything of `damaged` that can be read to a new database at `fresh`, where no file may exist. The
    /// damaged one is not changed. The caller syncs the new one.
    pub fn salvage(damaged: &Path, fresh: &Path) -> Result<SalvageReport> {
        let new = |source| StoreError::at(fresh, source);
        let mut report = SalvageReport::default();
        let mut to = Connection::open(fresh).map_err(new)?;
        to.pragma_update(None, "page_size", 16_384).map_err(new)?;
        // The file is synced as a whole before it gets its final name; before that it is useless after a crash.
        to.pragma_update(None, "journal_mode", "memory").map_err(new)?;
        to.pragma_update(None, "synchronous", "off").map_err(new)?;
        to.pragma_update(None, "foreign_keys", false).map_err(new)?;
        let opened = reader(damaged).map_err(|source| StoreError::at(damaged, source)).and_then(|from| {
            migrate::check(&from, damaged)?;
            Ok((migrate::version(&from, damaged)?, from))
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

/// Views are text in the schema. A view that cannot be read is created again when its table gets a new column.
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

/// The row counts that the damaged database kept, as (table, rows).
fn counted(to: &Connection) -> rusqlite::Result<Vec<(i64, u64)>> {
    to.prepare("SELECT id, rows FROM logger_table ORDER BY id")?
        .query_map([], |row| Ok((row.get(0)?, row.get::<_, i64>(1)?.cast_unsigned())))?
        .collect()
}

/// Calculates counts, newest times and backlog from the rows.
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
            let state = crate::store::State::from_code(row.get(0)?);
            let (count, first, last): (i64, i64, i64) = (row.get(1)?, row.get(2)?, row.get(3)?);
            newest = newest.max(Some(last));
            let word = state.word();
            to.execute(
                &format!("UPDATE logger_table SET rows = rows + ?2, {word} = {word} + ?2 WHERE id = ?1"),
                [table, count],
            )?;
            if state == crate::store::State::Pending {
                to.execute(
                    "INSERT OR REPLACE INTO backlog (series, from_ts, to_ts) VALUES (?1, ?2, ?3)",
                    [series, key::time(first, 0).nanos(), key::time(last, 999).nanos()],
                )?;
            }
        }
        let newest: Option<i64> = match newest {
            None => None,
            Some(id) => Some(to.query_row("SELECT id, nanos FROM reading WHERE id = ?1", [id], |row| {
                Ok(key::time(row.get(0)?, row.get(1)?).nanos())
            })?),
        };
        to.execute("UPDATE series SET newest = ?2 WHERE id = ?1", params![series, newest])?;
    }
    to.execute_batch("COMMIT")
}

/// Compares the saved rows of each logger's table with the kept count, and counts the rows without a table.
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
