//! Writes rows, conflicts and rejected lines, in transactions short enough for a concurrent sync (I9).
//!
//! [`Staging`] opens a transaction at its first write and keeps it open until [`Staging::commit`]. Rows, counts,
//! backlog, record runs and the file's resume point become durable together (I4) or not at all. A drop without a commit
//! rolls back.

use std::time::{Duration, Instant};

use rusqlite::{Statement, params};

use crate::config::{Config, OnConflict};
use crate::format::{Likeness, Value};
use crate::qc::Verdict;
use crate::store::intake::decisions::Exchange;
use crate::store::intake::lost::Content;
use crate::store::intake::provisional::LineState;
use crate::store::intake::record_runs::EventKind;
use crate::store::intake::retag::remember_offered;
use crate::store::intake::samples::SampleAt;
use crate::store::intake::tables::{Series, Table, Tally, hash_of};
use crate::store::judge::flagging::{Judge, verdict_columns};
use crate::store::outbox::backlog;
use crate::store::outbox::stale::{self, Change};
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

/// A row whose key is taken by a line.
#[derive(Debug)]
pub(in crate::store) struct Stored {
    pub(in crate::store) id: i64,
    pub(in crate::store) nanos: i64,
    pub(in crate::store) record: Option<i64>,
    pub(in crate::store) values: String,
    pub(in crate::store) ts_text: Option<String>,
    /// The header that it stands under, where the store keeps it.
    pub(in crate::store) header: Option<i64>,
    /// Positions of the column list that its header does not have.
    pub(in crate::store) lacks: Vec<usize>,
    /// What the line is to it.
    pub(in crate::store) likeness: Likeness,
}

/// The reading that another one replaces.
#[derive(Debug, Clone, Copy)]
pub(in crate::store) struct Old<'a> {
    pub(in crate::store) ts: Timestamp,
    pub(in crate::store) values: &'a str,
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

/// What the record numbers of the rows that are staged tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Records {
    /// They are in the order in which the logger wrote them.
    AsRead,
    /// Nothing: they were seen when their lines were read.
    Known,
    /// The lines were kept: some were seen when they were read.
    Kept,
    /// The rows were in the store under other keys: they come in any order.
    Moved,
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
            if is_beside {
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

    /// The key exists: the row is a duplicate, has more columns than the stored one, or is a conflict.
    #[cold]
    fn meet(
        &mut self,
        table: &mut Table,
        place: usize,
        row: &Incoming<'_>,
        on_conflict: OnConflict,
    ) -> rusqlite::Result<Outcome> {
        let conn = &self.store.conn;
        let series = table.series.at(place).id;
        let id = key(series, row.ts);
        let mut stored = conn
            .prepare_cached("SELECT nanos, record, vals, ts_text, header FROM reading WHERE id = ?1")?
            .query_row([id], |found| {
                Ok(Stored {
                    id,
                    nanos: found.get(0)?,
                    record: found.get(1)?,
                    values: found.get(2)?,
                    ts_text: found.get(3)?,
                    header: found.get(4)?,
                    lacks: Vec::new(),
                    likeness: Likeness::Other,
                })
            })?;
        stored.lacks = table.lacks(stored.header).to_vec();
        if row.is_part {
            return self.meet_part(table, place, row, on_conflict, &stored);
        }
        if stored.nanos == key::nanos(row.ts) {
            stored.likeness = stored.side().compare(table.side_of(row), &table.derived_places());
        }
        if let Some(exchange) = self.exchange.take() {
            return self.exchange(table, place, row, &stored, &exchange);
        }
        if self.renews {
            // To the last digit, so that it is what it would be if it were made for the first time.
            if stored.nanos == key::nanos(row.ts) && stored.values == row.values {
                return Ok(Outcome::Duplicate);
            }
            let old = Old { ts: key::time(id, stored.nanos), values: &stored.values };
            return self.replace(table, place, old, row).map(|()| Outcome::Finished);
        }
        if let Some(outcome) = self.meet_provisional(table, place, row, &stored)? {
            return Ok(outcome);
        }
        match stored.likeness {
            Likeness::Same => Ok(Outcome::Duplicate),
            Likeness::More => self.extend(table, place, row, &stored),
            Likeness::Other => self.met(table, place, row, on_conflict, &stored),
        }
    }

    /// The row of the key says something else than the line.
    pub(in crate::store) fn met(
        &mut self,
        table: &mut Table,
        place: usize,
        row: &Incoming<'_>,
        on_conflict: OnConflict,
        stored: &Stored,
    ) -> rusqlite::Result<Outcome> {
        let conn = &self.store.conn;
        let series = table.series.at(place).id;
        let Stored { id, nanos, record, ref values, ref ts_text, header, .. } = *stored;
        let derived = table.derived_places();
        let new_hash = content_hash(row.record, row.values, &derived);
        let known: bool = conn
            .prepare_cached("SELECT EXISTS (SELECT 1 FROM conflict WHERE series = ?1 AND ts = ?2 AND hash = ?3)")?
            .query_row(params![series, row.ts.nanos(), new_hash], |found| found.get(0))?;
        if known || self.gave_way(table, series, row, &derived)? {
            return Ok(Outcome::Conflict);
        }
        table.tally.conflicts += 1;
        let mut keep = conn.prepare_cached(
            "INSERT INTO conflict (series, ts, record, path, line, raw, stays, hash, seen, header, ts_text, stated_by)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)
             ON CONFLICT (series, ts, hash) DO NOTHING",
        )?;
        let seen = Timestamp::from_utc(chrono::Utc::now()).nanos();
        let line = i64::try_from(row.line.number).unwrap_or(i64::MAX);
        match on_conflict {
            OnConflict::Keep => {
                let raw = crate::format::decode(row.line.raw);
                keep.execute(params![
                    series,
                    row.ts.nanos(),
                    row.record,
                    row.line.path,
                    line,
                    raw,
                    "first",
                    new_hash,
                    seen,
                    row.header,
                    // The line tells both.
                    row.ts_text.filter(|_| row.header.is_none()),
                    row.stated_by.filter(|_| row.header.is_none())
                ])?;
            }
            OnConflict::Replace => {
                // Under the time of the reading that goes, so that it is known when a file brings it again: two readings may
                // stand within a microsecond.
                let (ts, hash) = (key::time(id, nanos).nanos(), content_hash(record, values, &derived));
                let none: Option<i64> = None;
                keep.execute(params![
                    series,
                    ts,
                    record,
                    row.line.path,
                    line,
                    values,
                    "newer",
                    hash,
                    seen,
                    none,
                    ts_text,
                    header
                ])?;
                self.take_over(table, place, row, stored)?;
            }
        }
        Ok(Outcome::Conflict)
    }

    /// The newer reading replaces the older one under a new version, so that a request in flight cannot mark the new reading with
    /// the result for the old one.
    pub(in crate::store) fn replace(
        &mut self,
        table: &mut Table,
        place: usize,
        old: Old<'_>,
        row: &Incoming<'_>,
    ) -> rusqlite::Result<()> {
        let conn = &self.store.conn;
        let series = table.series.at(place).id;
        let id = key(series, row.ts);
        let (flags, raised) = verdict_columns(&self.verdict);
        let (state, flags_before): (i64, String) = conn
            .prepare_cached("SELECT state, flags FROM reading WHERE id = ?1")?
            .query_row([id], |found| Ok((found.get(0)?, found.get(1)?)))?;
        let before = Content { values: old.values, flags: &flags_before };
        let change = Change { id, ts: old.ts, before, after: Content { values: row.values, flags } };
        if let Some(judge) = &table.judge {
            stale::mark(conn, stale::offered(conn, series)?, &judge.sent, &change)?;
        }
        conn.prepare_cached(
            "UPDATE reading SET nanos = ?2, record = ?3, vals = ?4, flags = ?5, ts_text = ?6, raised = ?7, state = 0,
             version = version + 1, header = ?8 WHERE id = ?1",
        )?
        .execute(params![
            id,
            key::nanos(row.ts),
            row.record,
            row.values,
            flags,
            row.ts_text,
            raised,
            table.header_to_keep(row.stated_by)
        ])?;
        crate::store::outbox::receipts::move_tally(
            conn,
            table.id,
            crate::store::State::from_code(state),
            crate::store::State::Pending,
            1,
        )?;
        backlog::add(conn, series, row.ts, row.ts, None)?;
        late(table, place, row.ts);
        Ok(())
    }

    /// What the record numbers of the rows that are staged from now on tell.
    pub fn set_records(&mut self, records: Records) {
        self.records = records;
    }

    /// Notes the record number of a line that waits for its place in its stamp, in the order of the lines: it becomes a row
    /// in any order.
    pub fn see_waiting(&mut self, table: &mut Table, sample: &SampleAt) -> Result<()> {
        if table.tags_of(sample.series) != Some("[]") {
            return Ok(());
        }
        self.begin()?;
        self.see_record(table, sample.record, sample.stamp).map_err(|source| self.store.at(source))
    }

    /// Notes the record number of a line of which only the time is refused.
    pub fn see_refused(&mut self, table: &mut Table, record: i64) -> Result<()> {
        self.begin()?;
        table.runs.see_refused(record);
        Ok(())
    }

    fn see_record(&mut self, table: &mut Table, record: i64, ts: Timestamp) -> rusqlite::Result<()> {
        let Some(event) = table.runs.see(record, ts) else { return Ok(()) };
        let kind = match event.kind {
            EventKind::Reset => "reset",
            EventKind::Step => "step",
        };
        self.store
            .conn
            .prepare_cached(
                "INSERT OR IGNORE INTO clock_event (logger_table, kind, record_before, ts_before, record_after, ts_after, seen)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            )?
            .execute(params![
                table.id,
                kind,
                event.before.0,
                event.before.1.nanos(),
                event.after.0,
                event.after.1.nanos(),
                Timestamp::from_utc(chrono::Utc::now()).nanos()
            ])?;
        Ok(())
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
        if table.runs.is_changed() {
            let (written, gone) = table.runs.take_changes();
            for (epoch, first) in gone {
                conn.prepare_cached(
                    "DELETE FROM record_run WHERE logger_table = ?1 AND epoch = ?2 AND first_record = ?3",
                )?
                .execute(params![table.id, epoch, first])?;
            }
            for run in written {
                conn.prepare_cached(
                    "INSERT OR REPLACE INTO record_run (logger_table, epoch, first_record, last_record, first_ts, last_ts)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                )?
                .execute(params![table.id, run.epoch, run.first, run.last, run.first_ts.nanos(), run.last_ts.nanos()])?;
            }
        }
        Ok(())
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

/// Hash of a row's content, without the spelling of its line, its derived values and columns that its header does not have.
pub(in crate::store) fn content_hash(record: Option<i64>, values: &str, derived: &[usize]) -> i64 {
    hash_of(format!("{record:?} {}", crate::format::measured(values, derived)).as_bytes())
}
