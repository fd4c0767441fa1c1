//! Missing records, resets and clock steps by RECORD; and where RECORD shows nothing.

use std::collections::HashSet;

use rusqlite::{Connection, OptionalExtension};

use crate::store::intake::record_gaps::ends_before;
use crate::store::intake::record_runs::{Gap, record_runs};
use crate::store::intake::tables::table_id;
use crate::store::queries::missing::starts_again;
use crate::store::schema::key;
use crate::store::{Result, Store};
use crate::time::{Interval, Timestamp, nanos};

/// A gap and its table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GapLine {
    /// Its name in the configuration.
    pub table: String,
    /// The gap.
    pub gap: Gap,
    /// The row before the gap in time, if the counter restarted inside the gap.
    pub row_before: Option<Timestamp>,
}

/// What happened to a counter or a clock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClockLine {
    /// Its name in the configuration.
    pub table: String,
    /// `reset`, `jump`, `step`, or `back`: a step of a clock whose rows have no record numbers.
    pub kind: String,
    /// Record number and time before; the number is 0 where rows have none.
    pub before: (i64, Timestamp),
    /// Record number and time after.
    pub after: (i64, Timestamp),
    /// For a step: record number and time of the first row by a clock that agrees with the rows before the step again, where
    /// [`Store::right_again`] was asked: it may read all rows since the step.
    pub right_again: Option<(i64, Timestamp)>,
}

/// The id and name of each table that was ever read, ordered by id.
pub(in crate::store) fn tables(conn: &Connection) -> rusqlite::Result<Vec<(i64, String)>> {
    conn.prepare_cached("SELECT id, name FROM logger_table ORDER BY id")?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect()
}

impl Store {
    /// Every known gap, by table, oldest first.
    pub fn gaps(&self) -> Result<Vec<GapLine>> {
        let work = || -> rusqlite::Result<Vec<GapLine>> {
            let mut lines = Vec::new();
            for (id, table) in tables(&self.conn)? {
                let runs = record_runs(&self.conn, id)?;
                let gaps = self.missing_records(id, &runs)?.gaps;
                let before = ends_before(&runs, &gaps);
                let gaps = gaps.into_iter().zip(before);
                lines.extend(gaps.map(|(gap, row_before)| GapLine { table: table.clone(), gap, row_before }));
            }
            Ok(lines)
        };
        work().map_err(|source| self.at(source))
    }

    /// Resets, jumps and steps of tables whose RECORD counts, oldest first.
    pub fn clock_events(&self) -> Result<Vec<ClockLine>> {
        let mut lines = self.clock_events_seen(Interval::ALL)?;
        let work = || -> rusqlite::Result<Vec<ClockLine>> {
            let mut jumps = Vec::new();
            for (id, table) in tables(&self.conn)? {
                let missing = self.missing_records(id, &record_runs(&self.conn, id)?)?;
                jumps.extend(missing.jumps.iter().filter_map(|jump| {
                    let (table, kind) = (table.clone(), "jump".to_owned());
                    Some(ClockLine { table, kind, before: jump.before?, after: jump.after, right_again: None })
                }));
            }
            Ok(jumps)
        };
        lines.extend(work().map_err(|source| self.at(source))?);
        lines.sort_by_key(|line| line.after.1);
        Ok(lines)
    }

    /// The resets and steps that were found in an interval.
    pub fn clock_events_seen(&self, seen: Interval) -> Result<Vec<ClockLine>> {
        let work = || -> rusqlite::Result<Vec<ClockLine>> {
            let mut lines = Vec::new();
            for (id, table) in tables(&self.conn)? {
                let runs = record_runs(&self.conn, id)?;
                if starts_again(&runs) {
                    continue;
                }
                // A counter that never changes did not restart.
                let still: HashSet<(i64, Timestamp)> =
                    runs.iter().filter(|run| run.stands_still()).map(|run| (run.first, run.first_ts)).collect();
                // Two equal times are a conflict and not a step; earlier versions stored them as a step.
                let mut statement = self.conn.prepare_cached(
                    "SELECT kind, record_before, ts_before, record_after, ts_after FROM clock_event
                     WHERE logger_table = ?1 AND (kind NOT IN ('step', 'back') OR ts_after < ts_before) AND seen >= ?2 AND seen < ?3",
                )?;
                let events = statement.query_map([id, seen.from.nanos(), seen.until.nanos()], |row| {
                    Ok(ClockLine {
                        table: table.clone(),
                        kind: row.get(0)?,
                        before: (row.get(1)?, Timestamp::from_nanos(row.get(2)?)),
                        after: (row.get(3)?, Timestamp::from_nanos(row.get(4)?)),
                        right_again: None,
                    })
                })?;
                for event in events {
                    let event = event?;
                    if event.kind != "reset" || !still.contains(&event.after) {
                        lines.push(event);
                    }
                }
            }
            lines.sort_by_key(|line| line.after.1);
            Ok(lines)
        };
        work().map_err(|source| self.at(source))
    }

    /// The first row behind a step back at which the clock is right again, in a table without tag columns: that lies nearer to where
    /// counting from the rows before the step leads than to where counting from the rows since leads. A clock that was put right
    /// stays so, so that the row is found in few look-ups.
    pub fn right_again(&self, event: &ClockLine) -> Result<Option<(i64, Timestamp)>> {
        if event.kind != "step" {
            return Ok(None);
        }
        self.right_again_behind(&event.table, event.before, event.after).map_err(|source| self.at(source))
    }

    fn right_again_behind(
        &self,
        table: &str,
        before: (i64, Timestamp),
        after: (i64, Timestamp),
    ) -> rusqlite::Result<Option<(i64, Timestamp)>> {
        let Some(id) = table_id(&self.conn, table)? else { return Ok(None) };
        let Some(series) = self.untagged_series(id)? else { return Ok(None) };
        let Some(interval) = self.interval_around(series, before.1)?.map(nanos) else { return Ok(None) };
        let counted =
            |from: (i64, Timestamp), record: i64| from.1.plus(interval.saturating_mul(record.saturating_sub(from.0)));
        let back = counted(before, after.0).nanos_since(after.1);
        let off = |row: (i64, Timestamp)| row.1.nanos_since(counted(before, row.0));
        let is_right = |row: (i64, Timestamp)| off(row) > -back / 2;
        let ask = |order: &str, from: Timestamp| {
            let (low, high) = key::keys(series, from, Timestamp::MAX);
            self.conn
                .prepare_cached(&format!(
                    "SELECT record, id, nanos FROM reading WHERE id BETWEEN ?1 AND ?2 AND record > ?3 ORDER BY id {order} LIMIT 1"
                ))?
                .query_row([low, high, after.0], |row| Ok((row.get(0)?, key::time(row.get(1)?, row.get(2)?))))
                .optional()
        };
        let Some(mut found) = ask("DESC", after.1)?.filter(|newest| is_right(*newest)) else { return Ok(None) };
        // The row stands from `low` on, and no row that is right before it stands from `high` on.
        let (mut low, mut high) = (after.1, found.1);
        while low < high {
            let middle = low.plus(high.nanos_since(low) / 2);
            match ask("ASC", middle)? {
                Some(row) if !is_right(row) => low = row.1.next_key(),
                Some(row) if row.1 < high => (found, high) = (row, row.1.min(middle)),
                _ => high = middle,
            }
        }
        // A logger that was off goes on as late as a clock that was put forward by less.
        Ok(Some(found).filter(|found| off(*found).abs() <= back / 4))
    }
}
