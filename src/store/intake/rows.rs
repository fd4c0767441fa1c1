//! Reads stored rows in the order of time, for an export.
//!
//! Each statement reads a limited number of rows: a statement that stays open for minutes would keep SQLite from
//! resetting its WAL, which would grow with every commit of an ingest. A row that is staged at an earlier time than the
//! reader's position is not returned; no row is returned twice.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use rusqlite::{OptionalExtension, params};

use crate::config::TableConfig;
use crate::store::intake::tables::i64_of;
use crate::store::schema::error::StoreError;
use crate::store::schema::key;
use crate::store::{Result, Store};
use crate::time::Timestamp;

/// Rows in memory for all series of the table together.
const ROWS_IN_MEMORY: usize = 8_192;
/// A statement that returns fewer rows costs more than the rows.
const LEAST_ROWS: usize = 16;

/// A row in any state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredRow {
    /// UTC.
    pub ts: Timestamp,
    /// RECORD.
    pub record: Option<i64>,
    /// JSON array, aligned with the column list (or shorter).
    pub values: String,
    /// One digit per value.
    pub flags: String,
    /// The header that it stands under, where that states a unit or a process other than the column list.
    pub header: Option<i64>,
}

/// The unread part of one series.
#[derive(Debug)]
struct Part {
    /// Keys of the first unread row and of the last row to read; none when all are read.
    left: Option<(i64, i64)>,
    rows: VecDeque<StoredRow>,
}

/// The rows of a table in the order of time; rows of one time are in the order of their series.
#[derive(Debug)]
pub struct RowStream<'s> {
    store: &'s Store,
    parts: Vec<Part>,
    next: BinaryHeap<Reverse<(Timestamp, usize)>>,
    piece: usize,
}

impl Store {
    /// The rows of the table in the closed interval. Fails for a table whose rows were staged with another clock, as
    /// [`Store::table`] does; a table that was never read has no rows.
    pub fn rows(
        &self,
        config: &TableConfig,
        since: Option<Timestamp>,
        until: Option<Timestamp>,
    ) -> Result<RowStream<'_>> {
        self.stands_by(config)?;
        let series: Vec<i64> = self.series(&config.name.0)?.iter().map(|series| series.id).collect();
        self.stream(&series, (since.unwrap_or(key::TIMES.0), until.unwrap_or(key::TIMES.1)))
    }

    /// The same of one series of the table.
    pub fn rows_of_series(
        &self,
        config: &TableConfig,
        series: i64,
        (from, to): (Timestamp, Timestamp),
    ) -> Result<RowStream<'_>> {
        self.stands_by(config)?;
        self.stream(&[series], (from.max(key::TIMES.0), to.min(key::TIMES.1)))
    }

    /// Whether the rows have their times by the clock of the configuration.
    fn stands_by(&self, config: &TableConfig) -> Result<()> {
        let sql = |source| self.at(source);
        let clock = config.stamps.offsets();
        let staged: Option<(String, i64)> = self
            .conn
            .query_row("SELECT clock, rows FROM logger_table WHERE name = ?1", [&config.name.0], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })
            .optional()
            .map_err(sql)?;
        if let Some((staged, _)) = staged.filter(|(staged, rows)| *staged != clock && *rows > 0) {
            return Err(StoreError::ClockChanged { table: config.name.0.clone(), staged, configured: clock });
        }
        Ok(())
    }

    fn stream(&self, series: &[i64], (from, to): (Timestamp, Timestamp)) -> Result<RowStream<'_>> {
        let mut stream = RowStream {
            store: self,
            piece: (ROWS_IN_MEMORY / series.len().max(1)).max(LEAST_ROWS),
            parts: Vec::new(),
            next: BinaryHeap::new(),
        };
        for (place, id) in series.iter().enumerate() {
            let left = (from <= to).then(|| key::keys(*id, from, to));
            stream.parts.push(Part { left, rows: VecDeque::new() });
            stream.refill(place)?;
        }
        Ok(stream)
    }

    fn piece(&self, (low, high): (i64, i64), rows: usize) -> rusqlite::Result<(VecDeque<StoredRow>, Option<i64>)> {
        let mut statement = self.conn.prepare_cached(
            "SELECT id, nanos, record, vals, flags, header FROM reading WHERE id BETWEEN ?1 AND ?2 ORDER BY id LIMIT ?3",
        )?;
        let mut found = VecDeque::with_capacity(rows.min(64));
        let mut last = None;
        let mut read = statement.query(params![low, high, i64_of(rows)])?;
        while let Some(row) = read.next()? {
            let id = row.get(0)?;
            last = Some(id);
            found.push_back(StoredRow {
                ts: key::time(id, row.get(1)?),
                record: row.get(2)?,
                values: row.get(3)?,
                flags: row.get(4)?,
                header: row.get(5)?,
            });
        }
        let next = last.filter(|last| found.len() == rows && *last < high).map(|last| last + 1);
        Ok((found, next))
    }
}

impl RowStream<'_> {
    /// The number of series of the table.
    pub fn series(&self) -> usize {
        self.parts.len()
    }

    /// The next row; none at the end.
    pub fn next_row(&mut self) -> Result<Option<StoredRow>> {
        let Some(Reverse((_, place))) = self.next.pop() else { return Ok(None) };
        let row = self.parts.get_mut(place).and_then(|part| part.rows.pop_front());
        self.refill(place)?;
        Ok(row)
    }

    /// Reads more rows of the series if needed, and queues it by the time of its next row.
    fn refill(&mut self, place: usize) -> Result<()> {
        let Some(part) = self.parts.get_mut(place) else { return Ok(()) };
        if let (true, Some(left)) = (part.rows.is_empty(), part.left) {
            let (rows, next) = self.store.piece(left, self.piece).map_err(|source| self.store.at(source))?;
            part.rows = rows;
            part.left = next.map(|next| (next, left.1));
        }
        if let Some(row) = part.rows.front() {
            self.next.push(Reverse((row.ts, place)));
        }
        Ok(())
    }
}
