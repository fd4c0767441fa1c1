//! Decides what a row is whose key is taken: the same reading, one with more columns, or another one (I3).
//!
//! Of two readings under one key the configuration says which is the row. The other is kept beside, once, however often a
//! file brings it again.

use rusqlite::params;

use crate::config::OnConflict;
use crate::format::Likeness;
use crate::store::State;
use crate::store::intake::lost::Content;
use crate::store::intake::staging::{Incoming, Outcome, Staging, late};
use crate::store::intake::tables::{Table, hash_of};
use crate::store::judge::flagging::verdict_columns;
use crate::store::outbox::backlog;
use crate::store::outbox::receipts;
use crate::store::outbox::stale::{self, Change};
use crate::store::schema::key::{self, key};
use crate::time::Timestamp;

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

impl Staging<'_> {
    /// The key exists: the row is a duplicate, has more columns than the stored one, or is a conflict.
    #[cold]
    pub(super) fn meet(
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
        receipts::move_tally(conn, table.id, State::from_code(state), State::Pending, 1)?;
        backlog::add(conn, series, row.ts, row.ts, None)?;
        late(table, place, row.ts);
        Ok(())
    }
}

/// Hash of a row's content, without the spelling of its line, its derived values and columns that its header does not have.
pub(in crate::store) fn content_hash(record: Option<i64>, values: &str, derived: &[usize]) -> i64 {
    hash_of(format!("{record:?} {}", crate::format::measured(values, derived)).as_bytes())
}
