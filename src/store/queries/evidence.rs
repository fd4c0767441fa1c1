//! What a judgement of the station rests on: files as they were last read, and times that cannot be.

use rusqlite::{OptionalExtension, params};

use crate::store::{ReceiptOutcome, Result, Store};
use crate::time::Timestamp;

/// A file as it was last read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadFile {
    /// The table's name.
    pub table: String,
    /// As found by the pattern, or as given by hand.
    pub path: String,
    /// Its modification time then.
    pub modified: Timestamp,
    /// Why nothing of it, or not all, could be read.
    pub note: Option<String>,
}

/// Times in the store that lie after this computer's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FutureTimes {
    /// The latest end of a run.
    pub run: Option<Timestamp>,
    /// The latest receipt.
    pub receipt: Option<Timestamp>,
    /// Whether the run that was kept last is one of them: this computer's clock has been set back since, or is behind now.
    pub is_last_run: bool,
}

impl Store {
    /// Every file that was read and its table, in the order of the tables.
    pub fn read_files(&self) -> Result<Vec<ReadFile>> {
        self.conn
            .prepare_cached(
                "SELECT t.name, f.path, f.modified, f.note FROM logger_table t JOIN file_seen f ON f.logger_table = t.id
                 ORDER BY t.id, f.path",
            )
            .and_then(|mut statement| {
                statement
                    .query_map([], |row| {
                        Ok(ReadFile {
                            table: row.get(0)?,
                            path: row.get(1)?,
                            modified: Timestamp::from_nanos(row.get(2)?),
                            note: row.get(3)?,
                        })
                    })?
                    .collect()
            })
            .map_err(|source| self.at(source))
    }

    /// When a request was last acknowledged, by `now`.
    pub fn last_stored_by(&self, now: Timestamp) -> Result<Option<Timestamp>> {
        self.conn
            .prepare_cached("SELECT at FROM receipt WHERE outcome = ?1 AND at <= ?2 ORDER BY at DESC LIMIT 1")
            .and_then(|mut statement| {
                statement.query_row(params![ReceiptOutcome::Stored, now.nanos()], |row| row.get(0)).optional()
            })
            .map(|at| at.map(Timestamp::from_nanos))
            .map_err(|source| self.at(source))
    }

    /// Runs and receipts that are dated after `now`.
    pub fn future_times(&self, now: Timestamp) -> Result<FutureTimes> {
        let latest = |sql: &str| -> rusqlite::Result<Option<Timestamp>> {
            let at: Option<i64> = self
                .conn
                .prepare_cached(sql)
                .and_then(|mut statement| statement.query_row([now.nanos()], |row| row.get(0)))?;
            Ok(at.map(Timestamp::from_nanos))
        };
        let work = || -> rusqlite::Result<FutureTimes> {
            Ok(FutureTimes {
                run: latest("SELECT max(ended) FROM run WHERE ended > ?1")?,
                receipt: latest("SELECT max(at) FROM receipt WHERE at > ?1")?,
                is_last_run: self
                    .conn
                    .prepare_cached("SELECT ended > ?1 FROM run ORDER BY id DESC LIMIT 1")?
                    .query_row([now.nanos()], |row| row.get(0))
                    .optional()?
                    .unwrap_or(false),
            })
        };
        work().map_err(|source| self.at(source))
    }
}
