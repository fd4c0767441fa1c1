//! Writes rows, conflicts and rejected lines, in transactions short enough for a concurrent sync (I9).
//!
//! [`Staging`] opens a transaction at its first write and keeps it open until [`Staging::commit`]. Rows, counts,
//! backlog, record runs and the file's resume point become durable together (I4) or not at all. A drop without a commit
//! rolls back.

use std::time::{Duration, Instant};

use rusqlite::{Statement, params};

use crate::config::{Config, OnConflict};
use crate::format::Value;
use crate::qc::Verdict;
use crate::store::intake::decisions::Exchange;
use crate::store::intake::provisional::LineState;
use crate::store::intake::record_runs;
use crate::store::intake::records::Records;
use crate::store::intake::retag::remember_offered;
use crate::store::intake::series::Series;
use crate::store::intake::tables::{Table, Tally};
use crate::store::judge::flagging::{Judge, verdict_columns};
use crate::store::outbox::backlog;
use crate::store::schema::error::StoreError;
use crate::store::schema::key::{self, MOST_SERIES, key};
use crate::store::{Result, Store};
use crate::time::{NANOS_PER_MICRO, NANOS_PER_SECOND, Timestamp};

/// Rows after which a commit is due: about 3 MB of WAL.
const ROWS_PER_COMMIT: u32 = 20_000;
/// Time after which a commit is due. It limits how long another process waits to write.
const TIME_PER_COMMIT: Duration = Duration::from_millis(400);

/// Rows this close together are judged again in one interval: reading the few rows between costs less than a second interval.
const NEAR: i64 = 600 * NANOS_PER_SECOND;

/// A row to be staged.
#[derive(Debug, Clone, Copy)]
pub struct Incoming<'a> {
    /// JSON array of the tag columns' values; `[]` where there are none.
    pub tags: &'a str,
    /// UTC.
    pub ts: Timestamp,
    /// RECORD.
    pub record: Option<i64>,
    /// JSON array, aligned with the column list.
    pub values: &'a str,
    /// The same values, for QC.
    pub numbers: &'a [Value],
    /// The logger's own time text, where it cannot be derived from `ts`.
    pub ts_text: Option<&'a str>,
    /// The line, for a conflict.
    pub line: LineAt<'a>,
    /// The header that the line stands under; none where the line is a JSON array.
    pub header: Option<i64>,
    /// The header whose columns it has, and whose units and processes hold for its values. None is the column list, as far as
    /// `values` goes.
    pub stated_by: Option<i64>,
    /// Null is no value of it, but one that another line has: a table with one value a line.
    pub is_part: bool,
}

/// A physical line and its place.
#[derive(Debug, Clone, Copy)]
pub struct LineAt<'a> {
    /// The file.
    pub path: &'a str,
    /// From 1.
    pub number: u64,
    /// Its bytes, without line end and noise.
    pub raw: &'a [u8],
    /// Whether it is whole.
    pub state: LineState,
}

/// The result of staging a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// New.
    Staged,
    /// The store has the same reading under the same key.
    Duplicate,
    /// The store has another reading under the same key.
    Conflict,
    /// It replaces what was made of its beginning.
    Finished,
    /// The store has the same reading without a column that this one has: it got it.
    Extended {
        /// Whether RECORD is such a column.
        record: bool,
    },
}

/// The writer of one ingest.
#[derive(Debug)]
pub struct Staging<'s> {
    pub(in crate::store) store: &'s Store,
    pub(in crate::store) config: &'s Config,
    /// Of a row whose time has no nanoseconds and that has nothing beside its values and flags: nearly every row. Each value that
    /// is bound costs a hundredth of an ingest.
    insert_plain: Statement<'s>,
    /// Of every row.
    insert: Statement<'s>,
    open_since: Option<Instant>,
    rows: u32,
    pub(in crate::store) verdict: Verdict,
    pub(in crate::store) exchange: Option<Exchange>,
    /// Stored rows get another time: the version that they get.
    pub(in crate::store) moving: Option<i64>,
    /// The rows are made of others: one whose key is taken is that row anew, and no conflict.
    pub(in crate::store) renews: bool,
    pub(in crate::store) records: Records,
}

impl<'s> Staging<'s> {
    /// Use one at a time: the caller holds the ingest lock.
    pub fn new(store: &'s Store, config: &'s Config) -> Result<Staging<'s>> {
        let insert = |values: &str| {
            store
                .conn
                .prepare(&format!(
                    "INSERT INTO reading (id, record, vals, flags, state, nanos, version, ts_text, raised, header)
                     VALUES (?1, ?2, ?3, ?4, 0, {values}) ON CONFLICT (id) DO NOTHING"
                ))
                .map_err(|source| store.at(source))
        };
        Ok(Staging {
            store,
            config,
            insert_plain: insert("0, 0, NULL, NULL, NULL")?,
            insert: insert("?5, ?6, ?7, ?8, ?9")?,
            open_since: None,
            rows: 0,
            verdict: Verdict::default(),
            exchange: None,
            moving: None,
            renews: false,
            records: Records::AsRead,
        })
    }

    /// Opens the transaction if none is open. A header with a thousand new columns then costs one sync to disk.
    pub fn begin(&mut self) -> Result<()> {
        if self.open_since.is_none() {
            self.store.conn.execute_batch("BEGIN IMMEDIATE").map_err(|source| self.store.at(source))?;
            self.open_since = Some(Instant::now());
            self.rows = 0;
        }
        Ok(())
    }

    /// Whether a commit is due. Call it between chunks and files.
    pub fn is_commit_due(&self) -> bool {
        self.rows >= ROWS_PER_COMMIT || self.open_since.is_some_and(|since| since.elapsed() > TIME_PER_COMMIT)
    }

    /// Stages one row.
    #[inline]
    pub fn stage(&mut self, table: &mut Table, row: &Incoming<'_>, on_conflict: OnConflict) -> Result<Outcome> {
        self.begin()?;
        self.rows += 1;
        let place = match table.series.find(row.tags) {
            Some(place) => place,
            None => self.add_series(table, row.tags)?,
        };
        let outcome = self.stage_row(table, place, row, on_conflict).map_err(|source| self.store.at(source))?;
        if table.provisional.has_rows() && row.line.state == LineState::Whole {
            let id = key(table.series.at(place).id, row.ts);
            self.drop_cut_keys(table, id, row.line)?;
        }
        if outcome == Outcome::Staged && row.tags != "[]" {
            self.drop_twin(table, place, row)?;
        }
        Ok(outcome)
    }

    fn stage_row(
        &mut self,
        table: &mut Table,
        place: usize,
        row: &Incoming<'_>,
        on_conflict: OnConflict,
    ) -> rusqlite::Result<Outcome> {
        let series = table.series.at(place).id;
        let is_read = self.records != Records::Known && self.moving.is_none() && self.exchange.is_none();
        let is_late = self.judge(table, place, row)?;
        let header = table.header_to_keep(row.stated_by);
        let (flags, raised) = verdict_columns(&self.verdict);
        let (nanos, version) = (key::nanos(row.ts), self.moving.unwrap_or(0));
        let is_plain = nanos == 0 && version == 0 && row.ts_text.is_none() && raised.is_none() && header.is_none();
        let insert = if is_plain { &mut self.insert_plain } else { &mut self.insert };
        insert.raw_bind_parameter(1, key(series, row.ts))?;
        insert.raw_bind_parameter(2, row.record)?;
        insert.raw_bind_parameter(3, row.values)?;
        insert.raw_bind_parameter(4, flags)?;
        if !is_plain {
            insert.raw_bind_parameter(5, nanos)?;
            insert.raw_bind_parameter(6, version)?;
            insert.raw_bind_parameter(7, row.ts_text)?;
            insert.raw_bind_parameter(8, raised)?;
            insert.raw_bind_parameter(9, header)?;
        }
        let outcome = if insert.raw_execute()? == 1 {
            note_staged(table, place, row.ts);
            if is_late {
                late(table, place, row.ts);
            }
            if row.line.state != LineState::Whole {
                self.note_provisional(table, key(series, row.ts), row.line)?;
            }
            Outcome::Staged
        } else {
            self.meet(table, place, row, on_conflict)?
        };
        if row.tags == "[]"
            && is_read
            && let Some(record) = row.record
        {
            let stamp = table.stamp_of(row.ts);
            // What is kept beside a row and does not go on with its count may be another logger's.
            let is_beside = outcome == Outcome::Conflict && !table.runs.goes_on(record);
            let is_seen = matches!(outcome, Outcome::Duplicate | Outcome::Extended { record: false });
            if is_beside || self.records == Records::OfAnother {
                table.runs.pass_beside(record, stamp);
            } else if self.records == Records::Moved {
                table.runs.enter(record, stamp);
            } else if is_seen {
                table.runs.pass(record, stamp);
            } else if self.records == Records::AsRead || !table.runs.settle(record, stamp) {
                self.see_record(table, record, stamp)?;
            }
        }
        if table.provisional.has_rejected() && row.line.state == LineState::Whole {
            self.finish_rejected(table, row.line)?;
        }
        Ok(outcome)
    }

    pub(in crate::store) fn add_series(&self, table: &mut Table, tags: &str) -> Result<usize> {
        let conn = &self.store.conn;
        let added = conn.execute("INSERT INTO series (logger_table, tags) VALUES (?1, ?2)", params![table.id, tags]);
        added.map_err(|source| self.store.at(source))?;
        let id = conn.last_insert_rowid();
        if id > MOST_SERIES {
            return Err(StoreError::TooManySeries { table: table.name.0.clone(), most: MOST_SERIES });
        }
        remember_offered(conn, table, (id, tags)).map_err(|source| self.store.at(source))?;
        Ok(table.series.push(tags, Series::new(id, None)))
    }

    /// Whether the table has a row of this time stamp with this record number. It decides the double hour of a zone.
    pub fn has_record_at(&self, table: &Table, ts: Timestamp, record: i64) -> Result<bool> {
        self.store
            .conn
            .prepare_cached(
                "SELECT EXISTS (SELECT 1 FROM series s JOIN reading r ON r.id BETWEEN (s.id << 52 | ?2) AND (s.id << 52 | ?4)
                 WHERE s.logger_table = ?1 AND r.record = ?3)",
            )
            .and_then(|mut statement| {
                let last = table.samples.map_or(ts, |samples| samples.next(ts).minus(NANOS_PER_MICRO));
                statement.query_row(params![table.id, key(0, ts), record, key(0, last)], |row| row.get(0))
            })
            .map_err(|source| self.store.at(source))
    }

    /// Whether the table has a row under these tags at this time.
    pub fn has_row(&self, table: &mut Table, tags: &str, ts: Timestamp) -> Result<bool> {
        let Some(series) = self.series_if_known(table, tags) else { return Ok(false) };
        self.store
            .conn
            .prepare_cached("SELECT EXISTS (SELECT 1 FROM reading WHERE id = ?1)")
            .and_then(|mut statement| statement.query_row([key(series, ts)], |row| row.get(0)))
            .map_err(|source| self.store.at(source))
    }

    /// Counts a write other than a row toward the next commit.
    pub(in crate::store) fn count_row(&mut self) {
        self.rows += 1;
    }

    /// Writes the pending changes of the table. Call it before each commit while the table is in use, and at the end of its use.
    pub fn flush(&mut self, table: &mut Table) -> Result<()> {
        if self.open_since.is_none() {
            return Ok(());
        }
        self.flush_table(table).map_err(|source| self.store.at(source))
    }

    fn flush_table(&mut self, table: &mut Table) -> rusqlite::Result<()> {
        self.judge_what_is_due(table)?;
        let conn = &self.store.conn;
        let tally = std::mem::take(&mut table.tally);
        if tally != Tally::default() {
            conn.prepare_cached(
                "UPDATE logger_table SET rows = rows + ?2, pending = pending + ?2, conflicts = conflicts + ?3,
                 rejected_lines = rejected_lines + ?4 WHERE id = ?1",
            )?
            .execute(params![table.id, tally.staged, tally.conflicts, tally.rejected_lines])?;
        }
        for series in table.series.iter_mut() {
            series.changed.mark(conn, series.id)?;
            if let Some((from, to)) = series.staged.take() {
                backlog::add(conn, series.id, from, to, series.newest_saved)?;
                series.newest_saved = series.newest;
                conn.prepare_cached("UPDATE series SET newest = ?2 WHERE id = ?1")?
                    .execute(params![series.id, series.newest.map(|newest| newest.nanos())])?;
            }
        }
        record_runs::save(conn, table.id, &mut table.runs)
    }

    /// Commits. The tables in use must be flushed before.
    pub fn commit(&mut self) -> Result<()> {
        if self.open_since.take().is_none() {
            return Ok(());
        }
        let conn = &self.store.conn;
        conn.execute_batch("COMMIT").map_err(|source| self.store.at(source))
    }
}

impl Drop for Staging<'_> {
    fn drop(&mut self) {
        if self.open_since.is_some() {
            // If the connection is unusable, the next process that opens the file rolls the transaction back.
            let _ = self.store.conn.execute_batch("ROLLBACK");
        }
    }
}

/// Marks the row to be judged from the store.
#[cold]
pub(in crate::store) fn late(table: &mut Table, place: usize, ts: Timestamp) {
    let reach = table.judge.as_ref().map_or(0, |judge| judge.tests.look_back());
    let series = table.series.at(place);
    series.state = None;
    series.changed.add(ts);
    series.due.add(ts, ts, reach.max(NEAR));
    touch(table, place, ts);
}

/// Marks the rows of other tables that are compared with this row.
fn touch(table: &mut Table, place: usize, ts: Timestamp) {
    if table.judge.as_ref().is_some_and(Judge::is_compared) {
        table.series.at(place).touched.add(ts, ts, NEAR);
    }
}

fn note_staged(table: &mut Table, place: usize, ts: Timestamp) {
    table.tally.staged += 1;
    let series = table.series.at(place);
    series.newest = series.newest.max(Some(ts));
    series.staged = widened(series.staged, ts);
    series.changed.add(ts);
    touch(table, place, ts);
}

fn widened(span: Option<(Timestamp, Timestamp)>, ts: Timestamp) -> Option<(Timestamp, Timestamp)> {
    Some(span.map_or((ts, ts), |(from, to)| (from.min(ts), to.max(ts))))
}
