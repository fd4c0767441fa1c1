//! Lists for users: rejected lines and rows, conflicts.

use rusqlite::{OptionalExtension, params};

use crate::store::intake::tables::i64_of;
use crate::store::schema::key;
use crate::store::{Result, Store};
use crate::time::Timestamp;

/// A line that did not become a row, or a row that the destination refuses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RejectedLine {
    /// Its table.
    pub table: String,
    /// `line` or `held` for a line of a file, `row` for a row that the destination refuses.
    pub kind: &'static str,
    /// The file and line, or the row's time.
    pub place: String,
    /// The reason.
    pub reason: String,
    /// The text of the line, or the line protocol.
    pub raw: String,
}

/// Different content under a key that exists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConflictLine {
    /// Its table.
    pub table: String,
    /// The key's time.
    pub ts: Timestamp,
    /// RECORD of the content that is kept beside the row.
    pub record: Option<i64>,
    /// The file and line; if the content comes from no line, how it came about.
    pub place: String,
    /// `first` or `newer`: which of the contents is the row.
    pub stays: String,
    /// The content that is kept beside the row.
    pub raw: String,
    /// The values of the row.
    pub row: Option<String>,
    /// RECORD of the row.
    pub row_record: Option<i64>,
    /// Why this content is the row, if the operator decided.
    pub reason: Option<String>,
    /// The decision that holds; none: the conflict is open.
    pub decided: Option<i64>,
}

impl Store {
    /// Files that could not be read as their configured format, with the reason.
    pub fn file_notes(&self) -> Result<Vec<String>> {
        self.conn
            .prepare_cached("SELECT note FROM file_seen WHERE note IS NOT NULL ORDER BY logger_table, path")
            .and_then(|mut statement| statement.query_map([], |row| row.get(0))?.collect())
            .map_err(|source| self.at(source))
    }

    /// When a line was last rejected for the first time.
    pub fn newest_rejected_line(&self) -> Result<Option<Timestamp>> {
        self.newest(
            "SELECT seen FROM rejected_line WHERE not_before IS NULL AND stamp IS NULL ORDER BY id DESC LIMIT 1",
        )
    }

    /// When a conflict was last found that is open.
    pub fn newest_open_conflict(&self) -> Result<Option<Timestamp>> {
        self.newest("SELECT seen FROM conflict WHERE decided IS NULL ORDER BY id DESC LIMIT 1")
    }

    fn newest(&self, sql: &str) -> Result<Option<Timestamp>> {
        self.conn
            .prepare_cached(sql)
            .and_then(|mut statement| statement.query_row([], |row| row.get(0)).optional())
            .map(|seen| seen.map(Timestamp::from_nanos))
            .map_err(|source| self.at(source))
    }

    /// The newest `limit` rejected lines, and rows that the destination refuses.
    pub fn rejected(&self, table: Option<&str>, limit: usize) -> Result<Vec<RejectedLine>> {
        let work = || -> rusqlite::Result<Vec<RejectedLine>> {
            let mut lines = self.conn.prepare_cached(
                "SELECT t.name, iif(l.line = 0, l.path, l.path || ':' || l.line), l.reason, l.raw, l.not_before IS NOT NULL OR l.stamp IS NOT NULL FROM rejected_line l JOIN logger_table t ON t.id = l.logger_table
                 WHERE ?1 IS NULL OR t.name = ?1 ORDER BY l.id DESC LIMIT ?2",
            )?;
            let mut list: Vec<RejectedLine> = lines
                .query_map(params![table, i64_of(limit)], |row| {
                    Ok(RejectedLine {
                        table: row.get(0)?,
                        kind: if row.get(4)? { "held" } else { "line" },
                        place: row.get(1)?,
                        reason: row.get(2)?,
                        raw: row.get(3)?,
                    })
                })?
                .collect::<rusqlite::Result<_>>()?;
            let mut refused = self.conn.prepare_cached(
                "SELECT t.name, r.id, f.words, f.line, r.nanos FROM refused_row f JOIN reading r ON r.id = f.id AND r.state = 2
                 JOIN series s ON s.id = ((r.id >> 52) & 4095) JOIN logger_table t ON t.id = s.logger_table
                 WHERE ?1 IS NULL OR t.name = ?1 ORDER BY f.id DESC LIMIT ?2",
            )?;
            let rows = refused.query_map(params![table, i64_of(limit)], |row| {
                let place = key::time(row.get(1)?, row.get(4)?).to_string();
                Ok(RejectedLine { table: row.get(0)?, kind: "row", place, reason: row.get(2)?, raw: row.get(3)? })
            })?;
            for row in rows {
                list.push(row?);
            }
            Ok(list)
        };
        work().map_err(|source| self.at(source))
    }

    /// The newest `limit` conflicts.
    pub fn conflicts(&self, table: Option<&str>, limit: usize) -> Result<Vec<ConflictLine>> {
        let work = || -> rusqlite::Result<Vec<ConflictLine>> {
            self.conn
                .prepare_cached(
                    "SELECT t.name, c.ts, c.record, iif(c.line = 0, c.path, c.path || ':' || c.line), c.stays, c.raw, r.vals,
                            c.reason, r.record, c.decided
                     FROM conflict c JOIN series s ON s.id = c.series JOIN logger_table t ON t.id = s.logger_table
                     LEFT JOIN reading r ON r.id = (c.series << 52 | c.ts / 1000)
                     WHERE ?1 IS NULL OR t.name = ?1 ORDER BY c.id DESC LIMIT ?2",
                )?
                .query_map(params![table, i64_of(limit)], |row| {
                    Ok(ConflictLine {
                        table: row.get(0)?,
                        ts: Timestamp::from_nanos(row.get(1)?),
                        record: row.get(2)?,
                        place: row.get(3)?,
                        stays: row.get(4)?,
                        raw: row.get(5)?,
                        row: row.get(6)?,
                        reason: row.get(7)?,
                        row_record: row.get(8)?,
                        decided: row.get(9)?,
                    })
                })?
                .collect()
        };
        work().map_err(|source| self.at(source))
    }
}
