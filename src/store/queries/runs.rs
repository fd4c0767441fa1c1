//! Keeps when each command ran, and how it ended.

use std::time::Duration;

use rusqlite::{OptionalExtension, params};

use crate::store::{Result, Store};
use crate::time::{Interval, Timestamp};

/// How long runs are kept: long enough to look back over a season.
const KEEP: Duration = Duration::from_secs(90 * 86_400);

/// One run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunLine {
    /// When it began.
    pub started: Timestamp,
    /// When it ended.
    pub ended: Timestamp,
    /// Its exit code.
    pub exit: i64,
    /// The summary as JSON, as the command prints it.
    pub summary: String,
}

impl Store {
    /// Keeps a run.
    pub fn log_run(&self, command: &str, started: Timestamp, ended: Timestamp, exit: u8, summary: &str) -> Result<()> {
        let work = || -> rusqlite::Result<()> {
            let transaction =
                rusqlite::Transaction::new_unchecked(&self.conn, rusqlite::TransactionBehavior::Immediate)?;
            transaction
                .prepare_cached("INSERT INTO run (command, started, ended, exit, summary) VALUES (?1, ?2, ?3, ?4, ?5)")?
                .execute(params![command, started.nanos(), ended.nanos(), exit, summary])?;
            transaction
                .prepare_cached(
                    "DELETE FROM run WHERE id IN (SELECT id FROM run WHERE ended < ?1 ORDER BY ended LIMIT 50)",
                )?
                .execute([ended.before(KEEP).nanos()])?;
            transaction.commit()
        };
        work().map_err(|source| self.at(source))
    }

    /// When the newest runs of `command` began, newest first, at most `most`.
    pub fn run_starts(&self, command: &str, most: usize) -> Result<Vec<Timestamp>> {
        let work = || -> rusqlite::Result<Vec<Timestamp>> {
            self.conn
                .prepare_cached("SELECT started FROM run WHERE command = ?1 ORDER BY ended DESC LIMIT ?2")?
                .query_map(params![command, i64::try_from(most).unwrap_or(i64::MAX)], |row| {
                    Ok(Timestamp::from_nanos(row.get(0)?))
                })?
                .collect()
        };
        work().map_err(|source| self.at(source))
    }

    /// The end of the newest sync that ended in this interval and left nothing pending. It reads the runs of the
    /// interval.
    pub fn last_sync_with_nothing_pending(&self, ended: Interval) -> Result<Option<Timestamp>> {
        self.conn
            .prepare_cached(
                "SELECT ended FROM run WHERE command = 'sync' AND ended >= ?1 AND ended < ?2
                 AND CASE WHEN json_valid(summary) THEN json_extract(summary, '$.pending') = 0 END ORDER BY ended DESC LIMIT 1",
            )
            .and_then(|mut statement| {
                let bounds = [ended.from.nanos(), ended.until.nanos()];
                statement.query_row(bounds, |row| row.get(0)).optional()
            })
            .map(|ended| ended.map(Timestamp::from_nanos))
            .map_err(|source| self.at(source))
    }

    /// The newest run of `command` that ended by `now`. A run that ended later was written under a wrong clock, and
    /// must not hide earlier ones.
    pub fn last_run_by(&self, command: &str, now: Timestamp) -> Result<Option<RunLine>> {
        self.conn
            .prepare_cached(
                "SELECT ended, exit, summary, started FROM run WHERE id = (
                     SELECT id FROM run WHERE command = ?1 AND ended <= ?2 ORDER BY ended DESC LIMIT 1)",
            )
            .and_then(|mut statement| {
                statement
                    .query_row(params![command, now.nanos()], |row| {
                        Ok(RunLine {
                            started: Timestamp::from_nanos(row.get(3)?),
                            ended: Timestamp::from_nanos(row.get(0)?),
                            exit: row.get(1)?,
                            summary: row.get(2)?,
                        })
                    })
                    .optional()
            })
            .map_err(|source| self.at(source))
    }
}
