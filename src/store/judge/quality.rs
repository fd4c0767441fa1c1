//! Flags as users see them: what the tests raised, and flags by hand.

use rusqlite::{Connection, OptionalExtension, params};

use crate::config::Config;
use crate::qc::{self, Finding, Flag};
use crate::store::schema::key;
use crate::store::{Result, SeriesLine, Store};
use crate::time::Timestamp;

/// Prefix of the [`Store::remember`] keys for flags by hand whose rows are not judged yet.
const UNJUDGED: &str = "unjudged flag: ";

/// The final point ensures that no key is the prefix of another.
fn unjudged_key(id: i64) -> String {
    format!("{UNJUDGED}{id}.")
}

fn note_unjudged(conn: &Connection, id: i64) -> rusqlite::Result<()> {
    conn.execute("INSERT OR REPLACE INTO setting (key, value) VALUES (?1, '')", [unjudged_key(id)]).map(drop)
}

/// A flag by hand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManualFlagLine {
    /// Its id.
    pub id: i64,
    /// The table's name.
    pub table: String,
    /// The column's name in the file.
    pub column: String,
    /// The first and the last instant, both inclusive.
    pub span: (Timestamp, Timestamp),
    /// The flag.
    pub flag: Flag,
    /// The reason.
    pub reason: String,
    /// When it was set.
    pub made: Timestamp,
    /// When it was revoked, if it was.
    pub revoked: Option<Timestamp>,
}

/// A flag by hand, to be stored.
#[derive(Debug, Clone, Copy)]
pub struct NewFlag<'a> {
    /// The table's name.
    pub table: &'a str,
    /// The column's name in the file.
    pub column: &'a str,
    /// The first and the last instant, both inclusive.
    pub span: (Timestamp, Timestamp),
    /// The flag.
    pub flag: Flag,
    /// The reason.
    pub reason: &'a str,
}

/// A row with findings.
#[derive(Debug, Clone)]
pub struct RaisedRow {
    /// The time in UTC.
    pub ts: Timestamp,
    /// Values of the tag columns.
    pub tags: Vec<String>,
    /// JSON array in the order of the column list.
    pub values: String,
    /// One digit per value.
    pub flags: String,
    /// The findings.
    pub findings: Vec<Finding>,
}

impl Store {
    /// Stores a flag by hand. It takes effect with [`Store::judge_flagged`]. Returns its id.
    pub fn set_flag(&self, new: &NewFlag<'_>, now: Timestamp) -> Result<i64> {
        let NewFlag { table, column, span, flag, reason } = *new;
        let work = || -> rusqlite::Result<i64> {
            let transaction =
                rusqlite::Transaction::new_unchecked(&self.conn, rusqlite::TransactionBehavior::Immediate)?;
            transaction.execute(
                "INSERT INTO manual_flag (logger_table, column_name, from_ts, to_ts, flag, reason, made)
                 SELECT id, ?2, ?3, ?4, ?5, ?6, ?7 FROM logger_table WHERE name = ?1",
                params![
                    table,
                    column,
                    span.0.nanos(),
                    span.1.nanos(),
                    i64::from(flag.digit() - b'0'),
                    reason,
                    now.nanos()
                ],
            )?;
            let id = transaction.last_insert_rowid();
            note_unjudged(&transaction, id)?;
            transaction.commit()?;
            Ok(id)
        };
        work().map_err(|source| self.at(source))
    }

    /// Revokes a flag; its rows get their former flags with [`Store::judge_flagged`]. None if no active flag has this
    /// id.
    pub fn revoke_flag(&self, id: i64, now: Timestamp) -> Result<Option<ManualFlagLine>> {
        let Some(line) = self.flags_by_hand()?.into_iter().find(|line| line.id == id && line.revoked.is_none()) else {
            return Ok(None);
        };
        let work = || -> rusqlite::Result<()> {
            let transaction =
                rusqlite::Transaction::new_unchecked(&self.conn, rusqlite::TransactionBehavior::Immediate)?;
            transaction.execute("UPDATE manual_flag SET revoked = ?2 WHERE id = ?1", params![id, now.nanos()])?;
            note_unjudged(&transaction, id)?;
            transaction.commit()
        };
        work().map_err(|source| self.at(source))?;
        Ok(Some(line))
    }

    /// Judges the rows of flags that were set or revoked since the last call, including those of a command that was
    /// killed before it had judged them. The caller holds the ingest lock. Returns the number of changed rows.
    pub fn judge_flagged(&self, config: &Config) -> Result<u64> {
        let unjudged = self.recall_all(UNJUDGED)?;
        if unjudged.is_empty() {
            return Ok(0);
        }
        let mut changed = 0;
        for line in self.flags_by_hand()? {
            let key = unjudged_key(line.id);
            // A flag of a table that is not in the configuration remains unjudged until the table is configured again.
            let (true, Some(table)) = (unjudged.iter().any(|known| known.0 == key), config.table(&line.table)) else {
                continue;
            };
            changed += self.judge_again(config, table, line.span, false)?;
            self.forget(&key)?;
        }
        Ok(changed)
    }

    /// Every flag by hand, in the order in which they were set.
    pub fn flags_by_hand(&self) -> Result<Vec<ManualFlagLine>> {
        let work = || -> rusqlite::Result<Vec<ManualFlagLine>> {
            self.conn
                .prepare_cached(
                    "SELECT m.id, t.name, m.column_name, m.from_ts, m.to_ts, m.flag, m.reason, m.made, m.revoked
                     FROM manual_flag m JOIN logger_table t ON t.id = m.logger_table ORDER BY m.id",
                )?
                .query_map([], |row| {
                    let digit: u8 = row.get(5)?;
                    Ok(ManualFlagLine {
                        id: row.get(0)?,
                        table: row.get(1)?,
                        column: row.get(2)?,
                        span: (Timestamp::from_nanos(row.get(3)?), Timestamp::from_nanos(row.get(4)?)),
                        flag: Flag::from_digit(digit.wrapping_add(b'0')).unwrap_or(Flag::NotEvaluated),
                        reason: row.get(6)?,
                        made: Timestamp::from_nanos(row.get(7)?),
                        revoked: row.get::<_, Option<i64>>(8)?.map(Timestamp::from_nanos),
                    })
                })?
                .collect()
        };
        work().map_err(|source| self.at(source))
    }

    /// The columns of a table that ever had a flag by hand. Their flags are sent, so that a revoked flag is corrected
    /// in the bucket too.
    pub fn columns_flagged_by_hand(&self, table: &str) -> Result<Vec<String>> {
        self.conn
            .prepare_cached(
                "SELECT DISTINCT m.column_name FROM manual_flag m JOIN logger_table t ON t.id = m.logger_table WHERE t.name = ?1",
            )
            .and_then(|mut statement| statement.query_map([table], |row| row.get(0))?.collect())
            .map_err(|source| self.at(source))
    }

    /// The time of a series' newest row.
    pub fn newest_of_series(&self, series: i64) -> Result<Option<Timestamp>> {
        self.conn
            .prepare_cached("SELECT newest FROM series WHERE id = ?1")
            .and_then(|mut statement| statement.query_row([series], |row| row.get::<_, Option<i64>>(0)).optional())
            .map(|newest| newest.flatten().map(Timestamp::from_nanos))
            .map_err(|source| self.at(source))
    }

    /// The time of a table's newest row.
    pub fn newest_of_table(&self, table: &str) -> Result<Option<Timestamp>> {
        self.conn
            .prepare_cached(
                "SELECT max(s.newest) FROM series s JOIN logger_table t ON t.id = s.logger_table WHERE t.name = ?1",
            )
            .and_then(|mut statement| statement.query_row([table], |row| row.get::<_, Option<i64>>(0)))
            .map(|newest| newest.map(Timestamp::from_nanos))
            .map_err(|source| self.at(source))
    }

    /// Passes each row of a table from `from` to `to` with its findings to `take`, oldest first within a series, until
    /// `take` returns false. With `only_raised`, rows without a finding are left out.
    pub fn judged_rows(
        &self,
        table: &str,
        (from, to): (Timestamp, Timestamp),
        only_raised: bool,
        mut take: impl FnMut(RaisedRow) -> bool,
    ) -> Result<()> {
        let series = self.series(table)?;
        let mut work = || -> rusqlite::Result<()> {
            let mut statement = self.conn.prepare_cached(
                "SELECT id, nanos, vals, flags, raised FROM reading
                 WHERE id BETWEEN ?1 AND ?2 AND (raised IS NOT NULL OR NOT ?3) ORDER BY id",
            )?;
            for SeriesLine { id, tags, .. } in &series {
                let (low, high) = key::keys(*id, from, to);
                let mut rows = statement.query(params![low, high, only_raised])?;
                while let Some(row) = rows.next()? {
                    let raised = RaisedRow {
                        ts: key::time(row.get(0)?, row.get(1)?),
                        tags: tags.clone(),
                        values: row.get(2)?,
                        flags: row.get(3)?,
                        findings: row.get::<_, Option<String>>(4)?.map_or_else(Vec::new, |text| qc::findings(&text)),
                    };
                    if !take(raised) {
                        return Ok(());
                    }
                }
            }
            Ok(())
        };
        work().map_err(|source| self.at(source))
    }
}
