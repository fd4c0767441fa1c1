//! Missing records, resets and clock steps by RECORD; and where RECORD shows nothing.

use std::collections::{BTreeSet, HashSet};

use rusqlite::Connection;

use crate::store::intake::record_gaps::{ends_before, gaps};
use crate::store::intake::record_runs::{Gap, Run};
use crate::store::intake::tables::record_runs;
use crate::store::{Result, Store};
use crate::time::{Interval, Timestamp};

/// The number of newest runs that decide whether RECORD counts.
const RUNS_JUDGED: usize = 16;
/// RECORD does not count if at least this many of them begin with a restarted counter.
const FRESH_STARTS: usize = 5;
/// RECORD does not count if these runs hold no more than this many rows each.
const ROWS_A_RUN: i64 = 3;

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
    /// `reset` or `step`.
    pub kind: String,
    /// Record number and time before.
    pub before: (i64, Timestamp),
    /// Record number and time after.
    pub after: (i64, Timestamp),
}

/// Whether RECORD restarts every few rows, so that its numbers show nothing.
pub(in crate::store) fn starts_again(runs: &[Run]) -> bool {
    let mut newest: Vec<&Run> = runs.iter().collect();
    let kept = newest.len().min(RUNS_JUDGED);
    if kept < RUNS_JUDGED {
        return false;
    }
    let (newest, ..) = newest.select_nth_unstable_by_key(kept - 1, |run| std::cmp::Reverse((run.last_ts, run.epoch)));
    let epochs: BTreeSet<i64> = newest.iter().map(|run| run.epoch).collect();
    let rows: i64 = newest.iter().map(|run| run.last - run.first + 1).sum();
    epochs.len() >= FRESH_STARTS && rows <= ROWS_A_RUN * newest.len() as i64
}

/// The gaps between a table's runs, if RECORD counts.
pub(in crate::store) fn known_gaps(runs: &[Run]) -> Vec<Gap> {
    if starts_again(runs) { Vec::new() } else { gaps(runs) }
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
                let gaps = known_gaps(&runs);
                let before = ends_before(&runs, &gaps);
                let gaps = gaps.into_iter().zip(before);
                lines.extend(gaps.map(|(gap, row_before)| GapLine { table: table.clone(), gap, row_before }));
            }
            Ok(lines)
        };
        work().map_err(|source| self.at(source))
    }

    /// Resets and steps of tables whose RECORD counts, oldest first.
    pub fn clock_events(&self) -> Result<Vec<ClockLine>> {
        self.clock_events_seen(Interval::new(Timestamp::from_nanos(i64::MIN), Timestamp::from_nanos(i64::MAX)))
    }

    /// Like [`Store::clock_events`], for those that were found in an interval.
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
                     WHERE logger_table = ?1 AND (kind <> 'step' OR ts_after < ts_before) AND seen >= ?2 AND seen < ?3",
                )?;
                let events = statement.query_map([id, seen.from.nanos(), seen.until.nanos()], |row| {
                    Ok(ClockLine {
                        table: table.clone(),
                        kind: row.get(0)?,
                        before: (row.get(1)?, Timestamp::from_nanos(row.get(2)?)),
                        after: (row.get(3)?, Timestamp::from_nanos(row.get(4)?)),
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
}
