//! The counts that `status` shows. They are kept counts, so twenty million rows take no longer than twenty thousand.

use std::collections::HashMap;

use rusqlite::OptionalExtension;

use crate::store::intake::record_runs::record_runs;
use crate::store::schema::key;
use crate::store::{Result, Store};
use crate::time::Timestamp;

/// The counts of one table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableStatus {
    /// Its name in the configuration.
    pub table: String,
    /// Rows staged.
    pub rows: u64,
    /// Rows that are pending.
    pub pending: u64,
    /// Rows that were sent.
    pub sent: u64,
    /// Rows that the destination refused.
    pub rejected: u64,
    /// Rows that are older than the bucket's retention.
    pub expired: u64,
    /// Different contents that were found under an existing key.
    pub conflicts: u64,
    /// Conflicts that are not decided.
    pub open_conflicts: u64,
    /// The times of these.
    pub open_conflict_times: u64,
    /// Lines that did not become rows.
    pub rejected_lines: u64,
    /// Lines ahead of this computer's clock, which are staged automatically when the clock reaches them, and the held
    /// samples.
    pub held_lines: u64,
    /// Lines whose place among the rows of their stamp is not known. They are staged automatically when other rows
    /// determine it.
    pub held_samples: u64,
    /// Gaps in RECORD.
    pub gaps: u64,
    /// Records missing in the gaps.
    pub records_missing: u64,
    /// Time of the newest row.
    pub newest: Option<Timestamp>,
    /// Time of the oldest pending row.
    pub oldest_pending: Option<Timestamp>,
}

impl Store {
    /// Every table that was ever ingested, in the order of its first ingest.
    pub fn table_status(&self) -> Result<Vec<TableStatus>> {
        self.read_status().map_err(|source| self.at(source))
    }

    /// The time of the newest row of all tables.
    pub fn newest_row(&self) -> Result<Option<Timestamp>> {
        self.conn
            .query_row("SELECT max(newest) FROM series", [], |row| row.get::<_, Option<i64>>(0))
            .map(|newest| newest.map(Timestamp::from_nanos))
            .map_err(|source| self.at(source))
    }

    fn read_status(&self) -> rusqlite::Result<Vec<TableStatus>> {
        let mut statement = self.conn.prepare_cached(
            "SELECT id, name, rows, pending, sent, rejected, expired, conflicts, rejected_lines,
                    (SELECT max(newest) FROM series WHERE logger_table = t.id),
                    (SELECT count(*) FROM rejected_line WHERE logger_table = t.id AND not_before IS NOT NULL),
                    (SELECT count(*) FROM series s JOIN rejected_line l ON l.series = s.id AND l.stamp IS NOT NULL
                     WHERE s.logger_table = t.id)
             FROM logger_table t ORDER BY id",
        )?;
        let decided = self.decided_conflicts()?;
        let open_times = self.open_conflict_times()?;
        let mut tables = Vec::new();
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let id: i64 = row.get(0)?;
            let count = |place| row.get::<_, i64>(place).map(i64::cast_unsigned);
            let gaps = self.missing_records(id, &record_runs(&self.conn, id)?)?.gaps;
            tables.push(TableStatus {
                table: row.get(1)?,
                rows: count(2)?,
                pending: count(3)?,
                sent: count(4)?,
                rejected: count(5)?,
                expired: count(6)?,
                conflicts: count(7)?,
                open_conflicts: count(7)?.saturating_sub(decided.get(&id).copied().unwrap_or(0)),
                open_conflict_times: open_times.get(&id).copied().unwrap_or(0),
                rejected_lines: count(8)?.saturating_sub(count(10)? + count(11)?),
                held_lines: count(10)? + count(11)?,
                held_samples: count(11)?,
                gaps: gaps.len() as u64,
                records_missing: gaps.iter().map(|gap| gap.missing.cast_unsigned()).sum(),
                newest: row.get::<_, Option<i64>>(9)?.map(Timestamp::from_nanos),
                oldest_pending: self.oldest_pending(id)?,
            });
        }
        Ok(tables)
    }

    /// Decided conflicts of each table that has one.
    fn decided_conflicts(&self) -> rusqlite::Result<HashMap<i64, u64>> {
        self.conn
            .prepare_cached(
                "SELECT s.logger_table, count(*) FROM conflict c JOIN series s ON s.id = c.series
                 WHERE c.decided IS NOT NULL GROUP BY s.logger_table",
            )?
            .query_map([], |row| Ok((row.get(0)?, row.get::<_, i64>(1)?.cast_unsigned())))?
            .collect()
    }

    /// The times of each table that came with other contents, of which not all are decided.
    fn open_conflict_times(&self) -> rusqlite::Result<HashMap<i64, u64>> {
        self.conn
            .prepare_cached(
                "SELECT s.logger_table, count(*) FROM (SELECT DISTINCT series, ts FROM conflict WHERE decided IS NULL) c
                 JOIN series s ON s.id = c.series GROUP BY s.logger_table",
            )?
            .query_map([], |row| Ok((row.get(0)?, row.get::<_, i64>(1)?.cast_unsigned())))?
            .collect()
    }

    fn oldest_pending(&self, table: i64) -> rusqlite::Result<Option<Timestamp>> {
        let mut intervals = self.conn.prepare_cached(
            "SELECT b.series, b.from_ts, b.to_ts FROM series s JOIN backlog b ON b.series = s.id
             WHERE s.logger_table = ?1 ORDER BY b.from_ts",
        )?;
        let mut first = self.conn.prepare_cached(
            "SELECT id, nanos FROM reading WHERE id BETWEEN ?1 AND ?2 AND state = 0 ORDER BY id LIMIT 1",
        )?;
        let mut oldest: Option<i64> = None;
        let mut rows = intervals.query([table])?;
        while let Some(row) = rows.next()? {
            let (series, from, to): (i64, i64, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
            if oldest.is_some_and(|oldest| from >= oldest) {
                break;
            }
            let bounds = key::keys(series, Timestamp::from_nanos(from), Timestamp::from_nanos(to));
            let found: Option<i64> =
                first.query_row(bounds, |row| Ok(key::time(row.get(0)?, row.get(1)?).nanos())).optional()?;
            oldest = oldest.into_iter().chain(found).min();
        }
        Ok(oldest.map(Timestamp::from_nanos))
    }
}
