//! Scans stored rows without copying them, for summaries and for views of a span of time.
//!
//! Every statement here reads one range of rowids.

use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, params};

use crate::store::intake::tables::i64_of;
use crate::store::schema::key;
use crate::store::{Result, Store};
use crate::time::{Timestamp, nanos};

const SPARSE: &str =
    "SELECT id, nanos, vals, flags, raised, header FROM reading WHERE id BETWEEN ?1 AND ?2 ORDER BY id LIMIT 1";

/// A series of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeriesLine {
    /// Its id.
    pub id: i64,
    /// Values of the table's tag columns, in the order of the column list; empty where it has none.
    pub tags: Vec<String>,
    /// The time of its newest row.
    pub newest: Option<Timestamp>,
    /// Rows up to this time may have been pruned.
    pub pruned: Option<Timestamp>,
}

/// A row, borrowed from the statement that reads it.
#[derive(Debug, Clone, Copy)]
pub struct ScannedRow<'a> {
    /// UTC.
    pub ts: Timestamp,
    /// JSON array in the order of the column list; it may be shorter.
    pub values: &'a [u8],
    /// One digit per value.
    pub flags: &'a [u8],
    /// The findings as text for [`crate::qc::findings`]; None if there are none.
    pub raised: Option<&'a str>,
}

impl Store {
    /// The series of a table, in the order in which they first appeared; empty if the table was never read.
    pub fn series(&self, table: &str) -> Result<Vec<SeriesLine>> {
        let work = || -> rusqlite::Result<Vec<SeriesLine>> {
            self.conn
                .prepare_cached(
                    "SELECT s.id, s.tags, s.newest, s.pruned FROM series s JOIN logger_table t ON t.id = s.logger_table
                     WHERE t.name = ?1 ORDER BY s.id",
                )?
                .query_map([table], |row| {
                    Ok(SeriesLine {
                        id: row.get(0)?,
                        tags: serde_json::from_str(&row.get::<_, String>(1)?).unwrap_or_default(),
                        newest: row.get::<_, Option<i64>>(2)?.map(Timestamp::from_nanos),
                        pruned: row.get::<_, Option<i64>>(3)?.map(Timestamp::from_nanos),
                    })
                })?
                .collect()
        };
        work().map_err(|source| self.at(source))
    }

    /// Passes the rows of a series from `from` to before `until` to `take`, oldest first.
    pub fn scan(
        &self,
        series: i64,
        (from, until): (Timestamp, Timestamp),
        mut take: impl FnMut(ScannedRow<'_>),
    ) -> Result<()> {
        let mut work = || -> rusqlite::Result<()> {
            let (low, high) = key::keys(series, from, until.previous());
            let mut statement = self.conn.prepare_cached(
                "SELECT id, nanos, vals, flags, raised FROM reading WHERE id BETWEEN ?1 AND ?2 ORDER BY id",
            )?;
            let mut rows = statement.query([low, high])?;
            while let Some(row) = rows.next()? {
                let ts = key::time(row.get(0)?, row.get(1)?);
                // The key has no digits below the microsecond, so the exact time is checked here.
                if ts >= until || ts < from {
                    continue;
                }
                take(ScannedRow {
                    ts,
                    values: row.get_ref(2)?.as_bytes()?,
                    flags: row.get_ref(3)?.as_bytes()?,
                    raised: row.get_ref(4)?.as_str_or_null()?,
                });
            }
            Ok(())
        };
        work().map_err(|source| self.at(source))
    }

    /// Passes the first row at or after each multiple of `step` from `from` to before `until` to `take`, oldest first.
    /// It searches the key once for each, however many rows lie between. Each row comes with the id of its header if
    /// that states another unit or process than the column list.
    pub fn scan_sparsely(
        &self,
        series: i64,
        (from, until): (Timestamp, Timestamp),
        step: Duration,
        mut take: impl FnMut(ScannedRow<'_>, Option<i64>),
    ) -> Result<()> {
        let step = nanos(step).max(1);
        let mut work = || -> rusqlite::Result<()> {
            let mut statement = self.conn.prepare_cached(SPARSE)?;
            let mut at = from;
            while at < until {
                let (low, high) = key::keys(series, at, until.previous());
                let mut rows = statement.query([low, high])?;
                let Some(row) = rows.next()? else { return Ok(()) };
                let ts = key::time(row.get(0)?, row.get(1)?);
                if ts >= until {
                    return Ok(());
                }
                let header = row.get(5)?;
                let found = ScannedRow {
                    ts,
                    values: row.get_ref(2)?.as_bytes()?,
                    flags: row.get_ref(3)?.as_bytes()?,
                    raised: row.get_ref(4)?.as_str_or_null()?,
                };
                take(found, header);
                let passed = ts.max(at).nanos_since(from) / step + 1;
                at = from.plus(passed.saturating_mul(step));
            }
            Ok(())
        };
        work().map_err(|source| self.at(source))
    }

    /// The number of columns of the table that the series belongs to.
    pub fn column_count(&self, series: i64) -> Result<usize> {
        self.conn
            .prepare_cached(
                "SELECT count(*) FROM column_list WHERE logger_table = (SELECT logger_table FROM series WHERE id = ?1)",
            )
            .and_then(|mut statement| statement.query_row([series], |row| row.get::<_, i64>(0)))
            .map(|count| usize::try_from(count).unwrap_or(0))
            .map_err(|source| self.at(source))
    }

    /// The number of rows from `from` to before `until`, at most `most`.
    pub fn count_rows(&self, series: i64, (from, until): (Timestamp, Timestamp), most: usize) -> Result<usize> {
        let (low, high) = key::keys(series, from, until.previous());
        self.conn
            .prepare_cached("SELECT count(*) FROM (SELECT 1 FROM reading WHERE id BETWEEN ?1 AND ?2 LIMIT ?3)")
            .and_then(|mut statement| statement.query_row(params![low, high, i64_of(most)], |row| row.get::<_, i64>(0)))
            .map(|count| usize::try_from(count).unwrap_or(0))
            .map_err(|source| self.at(source))
    }

    /// The time of the first row of a series at or after an instant.
    pub fn first_row(&self, series: i64, from: Timestamp) -> Result<Option<Timestamp>> {
        self.row_after(series, from, 0)
    }

    /// The time of the row after `rows` rows of its series, counted from the instant `from`; None if there are fewer
    /// rows.
    pub fn row_after(&self, series: i64, from: Timestamp, rows: usize) -> Result<Option<Timestamp>> {
        // The key has no digits below the microsecond: rows of the same microsecond may be before `from`.
        let (low, high) = key::keys(series, from, key::TIMES.1);
        self.conn
            .prepare_cached("SELECT id, nanos FROM reading WHERE id BETWEEN ?1 AND ?2 ORDER BY id LIMIT 1 OFFSET ?3")
            .and_then(|mut statement| {
                let row = statement
                    .query_row(params![low, high, i64_of(rows)], |row| Ok(key::time(row.get(0)?, row.get(1)?)));
                row.optional()
            })
            .map_err(|source| self.at(source))
    }

    /// The time of the first row of a series after an instant.
    pub fn first_row_after(&self, series: i64, at: Timestamp) -> Result<Option<Timestamp>> {
        // The key has no digits below the microsecond: a row at the instant has the same key as one a nanosecond later.
        match self.first_row(series, at.next())? {
            Some(found) if found <= at => self.first_row(series, at.next_key()),
            found => Ok(found),
        }
    }

    /// The times of the newest rows of a series before an instant, newest first.
    pub fn newest_times(&self, series: i64, before: Timestamp, rows: usize) -> Result<Vec<Timestamp>> {
        newest_times(&self.conn, series, before, rows).map_err(|source| self.at(source))
    }
}

/// As [`Store::newest_times`].
pub(in crate::store) fn newest_times(
    conn: &Connection,
    series: i64,
    before: Timestamp,
    rows: usize,
) -> rusqlite::Result<Vec<Timestamp>> {
    let (low, high) = key::keys(series, key::TIMES.0, before);
    conn.prepare_cached("SELECT id, nanos FROM reading WHERE id BETWEEN ?1 AND ?2 ORDER BY id DESC LIMIT ?3")?
        .query_map(params![low, high, i64_of(rows)], |row| Ok(key::time(row.get(0)?, row.get(1)?)))?
        .collect()
}
