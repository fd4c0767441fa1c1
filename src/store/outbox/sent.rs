//! Rows that have left `pending`: reads them, puts them back, deletes them. It works in steps, between which other
//! processes can write (I9).

use rusqlite::{OptionalExtension, params};

use crate::store::intake::changed::Touched;
use crate::store::intake::tables::i64_of;
use crate::store::intake::windows;
use crate::store::outbox::outcome::ReceiptOutcome;
use crate::store::outbox::pending::{PendingRow, SeriesBacklog};
use crate::store::outbox::receipts::{State, move_series_tally};
use crate::store::outbox::{backlog, sent_fields};
use crate::store::schema::key;
use crate::store::{Result, Store};
use crate::time::{Interval, Timestamp};

/// The number of rows that one transaction changes.
pub(in crate::store) const ROWS_PER_STEP: i64 = 20_000;

/// A row that was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SentRow {
    /// Its table's name in the configuration.
    pub table: String,
    /// Values of its tag columns.
    pub tags: Vec<String>,
    /// The time in UTC.
    pub ts: Timestamp,
    /// JSON array in the order of the column list.
    pub values: String,
    /// One digit per value.
    pub flags: String,
}

/// Selects what `replay` puts back.
#[derive(Debug, Clone, Default)]
pub struct Replay {
    /// Rows at and after this instant.
    pub since: Option<Timestamp>,
    /// Rows up to and including this instant.
    pub until: Option<Timestamp>,
    /// Only rows of this table.
    pub table: Option<String>,
    /// Only rows in these states.
    pub states: Vec<State>,
}

impl Store {
    /// Puts rows back to pending, in steps between which other processes can write. With `dry_run`, only counts them.
    pub fn replay(&self, replay: &Replay, dry_run: bool) -> Result<u64> {
        self.replay_all(replay, dry_run).map_err(|source| self.at(source))
    }

    fn replay_all(&self, replay: &Replay, dry_run: bool) -> rusqlite::Result<u64> {
        let (from, to) = (replay.since.unwrap_or(key::TIMES.0), replay.until.unwrap_or(key::TIMES.1));
        let mut series_of = self.conn.prepare_cached(
            "SELECT s.id FROM series s JOIN logger_table t ON t.id = s.logger_table WHERE ?1 IS NULL OR t.name = ?1 ORDER BY s.id",
        )?;
        let list: Vec<i64> =
            series_of.query_map([&replay.table], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
        let mut total = 0;
        for series in list {
            let (low, high) = key::keys(series, from, to);
            if dry_run {
                for state in &replay.states {
                    let count: i64 = self
                        .conn
                        .prepare_cached("SELECT count(*) FROM reading WHERE id BETWEEN ?1 AND ?2 AND state = ?3")?
                        .query_row(params![low, high, state.code()], |row| row.get(0))?;
                    total += count.cast_unsigned();
                }
            } else {
                total += self.replay_series(series, (low, high), &replay.states)?;
            }
        }
        if !dry_run && replay.states.contains(&State::Sent) {
            sent_fields::forget_replayed(&self.conn, replay.table.as_deref(), (from, to))?;
        }
        Ok(total)
    }

    fn replay_series(&self, series: i64, (low, high): (i64, i64), states: &[State]) -> rusqlite::Result<u64> {
        let mut total = 0;
        let mut next = Some(low);
        let lost = if states.contains(&State::Sent) { sent_fields::lost_of(&self.conn, series)? } else { None };
        while let Some(start) = next {
            let transaction =
                rusqlite::Transaction::new_unchecked(&self.conn, rusqlite::TransactionBehavior::Immediate)?;
            // The row after this step begins the next step.
            next = transaction
                .prepare_cached("SELECT id FROM reading WHERE id BETWEEN ?1 AND ?2 ORDER BY id LIMIT 1 OFFSET ?3")?
                .query_row(params![start, high, ROWS_PER_STEP], |row| row.get(0))
                .optional()?;
            let last = next.map_or(high, |beyond| beyond - 1);
            let mut changed = 0;
            if let Some(lost) = &lost {
                sent_fields::mark_replayed(&transaction, lost, series, (start, last))?;
            }
            for &state in states.iter().filter(|&&state| state != State::Pending) {
                let moved = transaction
                    .prepare_cached("UPDATE reading SET state = 0 WHERE id BETWEEN ?1 AND ?2 AND state = ?3")?
                    .execute(params![start, last, state.code()])?;
                move_series_tally(&transaction, series, state, State::Pending, i64_of(moved))?;
                changed += moved;
            }
            if changed > 0 {
                // Adjacent steps become one interval.
                let before = key::time(start - 1, 999);
                backlog::add(&transaction, series, key::time(start, 0), key::time(last, 999), Some(before))?;
            }
            if next.is_none() {
                backlog::tighten(&transaction, series, key::time(low, 0), key::time(high, 999))?;
            }
            transaction.commit()?;
            total += changed as u64;
        }
        Ok(total)
    }

    /// The newest of the last rows of the bucket's last fifty receipts. The newest receipt alone is not enough: a
    /// backlog is sent oldest first, and its last rows may be older than the bucket's retention.
    pub fn last_sent_row(&self, bucket: Option<&str>) -> Result<Option<SentRow>> {
        self.conn
            .prepare_cached(
                "SELECT t.name, s.tags, r.id, r.vals, r.flags, r.nanos
                 FROM (SELECT id FROM receipt WHERE outcome = ?2 AND bucket IS ?1 ORDER BY id DESC LIMIT 50) c
                 JOIN receipt_rows w ON w.receipt = c.id
                 JOIN reading r ON r.id = w.last_id AND r.state = 1
                 JOIN series s ON s.id = ((r.id >> 52) & 4095) JOIN logger_table t ON t.id = s.logger_table
                 ORDER BY r.id & 4503599627370495 DESC LIMIT 1",
            )
            .and_then(|mut statement| {
                statement
                    .query_row(params![bucket, ReceiptOutcome::Stored], |row| {
                        Ok(SentRow {
                            table: row.get(0)?,
                            tags: serde_json::from_str(&row.get::<_, String>(1)?).unwrap_or_default(),
                            ts: key::time(row.get(2)?, row.get(5)?),
                            values: row.get(3)?,
                            flags: row.get(4)?,
                        })
                    })
                    .optional()
            })
            .map_err(|source| self.at(source))
    }

    /// Every series, ordered by table, with the times of its oldest and newest sent row in the interval.
    pub fn sent_series(&self, interval: Interval) -> Result<Vec<SeriesBacklog>> {
        self.read_sent_series(interval).map_err(|source| self.at(source))
    }

    fn read_sent_series(&self, interval: Interval) -> rusqlite::Result<Vec<SeriesBacklog>> {
        let mut statement = self.conn.prepare_cached(
            "SELECT s.id, t.name, s.tags FROM series s JOIN logger_table t ON t.id = s.logger_table ORDER BY t.id, s.id",
        )?;
        let mut ends = self.conn.prepare_cached(
            "SELECT (SELECT id FROM reading WHERE id BETWEEN ?1 AND ?2 AND state = 1 ORDER BY id LIMIT 1),
                    (SELECT id FROM reading WHERE id BETWEEN ?1 AND ?2 AND state = 1 ORDER BY id DESC LIMIT 1)",
        )?;
        let mut list = Vec::new();
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let series: i64 = row.get(0)?;
            let found: (Option<i64>, Option<i64>) =
                ends.query_row(key::keys_in(series, interval), |row| Ok((row.get(0)?, row.get(1)?)))?;
            let (Some(first), Some(last)) = found else { continue };
            let tags = serde_json::from_str(&row.get::<_, String>(2)?).unwrap_or_default();
            let intervals = vec![key::interval(first, last)];
            list.push(SeriesBacklog { series, table: row.get(1)?, tags, intervals });
        }
        Ok(list)
    }

    /// Passes the sent rows of the interval to `take`, oldest first.
    pub fn sent_rows(&self, series: i64, interval: Interval, mut take: impl FnMut(PendingRow<'_>)) -> Result<()> {
        let mut read = || -> rusqlite::Result<()> {
            let mut statement = self.conn.prepare_cached(
                "SELECT id, nanos, vals, flags, version FROM reading WHERE id BETWEEN ?1 AND ?2 AND state = 1 ORDER BY id",
            )?;
            let mut rows = statement.query(key::keys_in(series, interval))?;
            while let Some(row) = rows.next()? {
                let text = |place| row.get_ref(place).and_then(|value| Ok(value.as_str()?));
                let id = row.get(0)?;
                let ts = key::time(id, row.get(1)?);
                take(PendingRow { id, ts, values: text(2)?, flags: text(3)?, version: row.get(4)? });
            }
            Ok(())
        };
        read().map_err(|source| self.at(source))
    }

    /// Puts sent rows of the series in the interval back to pending.
    pub fn requeue_sent(&self, series: i64, interval: Interval) -> Result<u64> {
        self.replay_series(series, key::keys_in(series, interval), &[State::Sent]).map_err(|source| self.at(source))
    }

    /// Deletes sent rows of the series in the interval, in steps between which other processes can write. Some rows are
    /// kept: rows whose points in the bucket may hold fields that are no longer sent, because only the store knows what
    /// the points should hold, and rows of windows that are due to be made.
    pub fn prune_sent(&self, series: i64, interval: Interval) -> Result<u64> {
        let (low, high) = key::keys_in(series, interval);
        let step = || -> rusqlite::Result<u64> {
            let transaction =
                rusqlite::Transaction::new_unchecked(&self.conn, rusqlite::TransactionBehavior::Immediate)?;
            let due = windows::begin_of_due(&transaction, series)?;
            let high = due.map_or(high, |due| high.min(key::keys(series, due, due).0));
            let mut gone = 0;
            let mut newest: Option<i64> = None;
            let mut touched = Touched::default();
            {
                let mut delete = transaction.prepare_cached(
                    "DELETE FROM reading WHERE id IN
                     (SELECT id FROM reading r WHERE id BETWEEN ?1 AND ?2 AND state = 1
                      AND NOT EXISTS (SELECT 1 FROM stale_point p WHERE p.id = r.id) ORDER BY id LIMIT ?3) RETURNING id",
                )?;
                let mut rows = delete.query(params![low, high, ROWS_PER_STEP])?;
                while let Some(row) = rows.next()? {
                    touched.add_key(row.get(0)?);
                    newest = newest.max(Some(row.get(0)?));
                    gone += 1;
                }
            }
            touched.mark_slots(&transaction, series)?;
            if let Some(newest) = newest {
                transaction
                    .prepare_cached("UPDATE series SET pruned = max(coalesce(pruned, ?2), ?2) WHERE id = ?1")?
                    .execute(params![series, key::time(newest, 999).nanos()])?;
            }
            transaction
                .prepare_cached(
                    "UPDATE logger_table SET rows = rows - ?2, sent = sent - ?2
                     WHERE id = (SELECT logger_table FROM series WHERE id = ?1)",
                )?
                .execute(params![series, i64_of(gone)])?;
            transaction.commit()?;
            Ok(gone as u64)
        };
        let mut total = 0;
        loop {
            match step().map_err(|source| self.at(source))? {
                0 => return Ok(total),
                gone => total += gone,
            }
        }
    }
}
