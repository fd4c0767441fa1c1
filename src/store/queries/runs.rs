//! When each command ran, and how it ended.

use std::time::Duration;

use rusqlite::{OptionalExtension, params};

use crate::store::{Result, Store};
use crate::time::Timestamp;

/// Runs are kept this long: a season's worth of looking back.
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
    /// JSON, as the command prints it.
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

    /// The newest run of `command` that ended by `now`: one that ended later was written under a wrong clock, and hides none.
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
