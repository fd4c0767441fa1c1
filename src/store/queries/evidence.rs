//! The evidence for judging the station: the state of files at their last read, and times in the store that cannot be
//! true.

use std::time::Duration;

use rusqlite::{OptionalExtension, params};

use crate::store::{ReceiptOutcome, Result, Store};
use crate::time::Timestamp;

/// Under this key the store keeps the time of its first ingest.
const FIRST_INGEST: &str = "first ingest";

/// A file at its last read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadFile {
    /// The table's name.
    pub table: String,
    /// The path as the pattern found it, or as given by hand.
    pub path: String,
    /// The modification time that the file had then.
    pub modified: Timestamp,
    /// Why the file, or a part of it, could not be read.
    pub note: Option<String>,
}

/// Times in the store that lie after this computer's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FutureTimes {
    /// The latest end of a run.
    pub run: Option<Timestamp>,
    /// The latest receipt.
    pub receipt: Option<Timestamp>,
    /// Whether the last kept run is one of them: this computer's clock has been set back since, or is behind now.
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

    /// The time of this bucket's last acknowledgement of a row after `since`; None is the destination's default bucket.
    pub fn last_stored_in(&self, bucket: Option<&str>, since: Timestamp) -> Result<Option<Timestamp>> {
        self.conn
            .prepare_cached(
                "SELECT at FROM receipt WHERE at >= ?3 AND outcome = ?1 AND bucket IS ?2 ORDER BY at DESC LIMIT 1",
            )
            .and_then(|mut statement| {
                statement.query_row(params![ReceiptOutcome::Stored, bucket, since.nanos()], |row| row.get(0)).optional()
            })
            .map(|at| at.map(Timestamp::from_nanos))
            .map_err(|source| self.at(source))
    }

    /// The usual time between two of the last fifty health reports; None if there are fewer than two.
    pub fn usual_time_between_reports(&self) -> Result<Option<Duration>> {
        let read = || -> rusqlite::Result<Vec<i64>> {
            self.conn
                .prepare_cached("SELECT at FROM receipt WHERE outcome = ?1 ORDER BY at DESC LIMIT 50")?
                .query_map([ReceiptOutcome::Health], |row| row.get(0))?
                .collect()
        };
        let times = read().map_err(|source| self.at(source))?;
        Ok(super::interval::usual_interval(times.into_iter().map(Timestamp::from_nanos)))
    }

    /// When the first ingest of this database was, if that was kept.
    pub fn first_ingest(&self) -> Result<Option<Timestamp>> {
        Ok(self.recall(FIRST_INGEST)?.and_then(|text| text.parse().ok()).map(Timestamp::from_nanos))
    }

    /// Keeps when the first ingest of this database was.
    pub fn remember_first_ingest(&self, at: Timestamp) -> Result<()> {
        self.remember(FIRST_INGEST, &at.nanos().to_string())
    }

    /// The latest run and the latest receipt that are dated after `now`.
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
