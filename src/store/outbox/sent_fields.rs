//! Keeps which fields the lines of a table have carried, so that it is known when they carry fewer: a column is no
//! longer sent, the test of a flag is gone, or failed values are now withheld.
//!
//! The content of the rows is the same then, so nothing else marks their points. `replay` marks the points of the rows
//! that it puts back, and `reflag` puts back and marks the rows whose values are now withheld.

use rusqlite::{Connection, OptionalExtension as _, Transaction, TransactionBehavior, params};

use crate::store::intake::tables::{i64_of, table_id};
use crate::store::outbox::receipts::{State, move_series_tally};
use crate::store::outbox::sent::ROWS_PER_STEP;
use crate::store::outbox::{backlog, stale};
use crate::store::schema::key;
use crate::store::{Result, Store};
use crate::time::Timestamp;

/// The kind of a field of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum FieldKind {
    /// Its value.
    Value,
    /// The column's value even when it fails.
    FailingValue,
    /// Its flag.
    Flag,
}

impl FieldKind {
    const fn code(self) -> i64 {
        match self {
            FieldKind::Value => 0,
            FieldKind::FailingValue => 1,
            FieldKind::Flag => 2,
        }
    }

    const fn from_code(code: i64) -> FieldKind {
        match code {
            1 => FieldKind::FailingValue,
            2 => FieldKind::Flag,
            _ => FieldKind::Value,
        }
    }
}

/// A field of a line: its kind and the column's name as it is sent.
pub type SentField = (FieldKind, String);

/// Fields that lines of a table carried before and carry no longer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LostFields {
    /// The fields, by kind and name.
    pub fields: Vec<SentField>,
    /// The time of the oldest row of the table.
    pub oldest: Timestamp,
    /// Points up to this time may hold the fields.
    pub until: Timestamp,
}

/// A field that lines carry or have carried.
struct KnownField {
    field: SentField,
    /// Points up to this time may hold it; None while it is sent.
    lost_to: Option<Timestamp>,
}

impl KnownField {
    /// Whether it was sent until now, and is not among the present fields `now`.
    fn is_gone(&self, now: &[SentField]) -> bool {
        self.lost_to.is_none() && !now.contains(&self.field)
    }
}

impl LostFields {
    /// Whether only failed values are lost.
    pub fn are_withheld(&self) -> bool {
        self.fields.iter().all(|(kind, _)| *kind == FieldKind::FailingValue)
    }
}

impl Store {
    /// Compares the present fields of a table's lines with the earlier ones, and stores the present ones. Returns the
    /// fields that are no longer sent and that points may still hold. To be called before rows are put back or sent.
    pub fn compare_sent_fields(&self, table: &str, now: &[SentField]) -> Result<Option<LostFields>> {
        let work = || -> rusqlite::Result<Option<LostFields>> {
            let Some(table) = table_id(&self.conn, table)? else { return Ok(None) };
            let known = known(&self.conn, table)?;
            let is_new = |field: &SentField| !known.iter().any(|old| old.field == *field && old.lost_to.is_none());
            if now.iter().any(is_new) || known.iter().any(|old| old.is_gone(now)) {
                self.remember_fields(table, now, &known)?;
            }
            lost(&self.conn, table)
        };
        work().map_err(|source| self.at(source))
    }

    fn remember_fields(&self, table: i64, now: &[SentField], known: &[KnownField]) -> rusqlite::Result<()> {
        let transaction = Transaction::new_unchecked(&self.conn, TransactionBehavior::Immediate)?;
        for (kind, name) in now {
            transaction
                .prepare_cached(
                    "INSERT INTO sent_field (logger_table, kind, name, lost_to) VALUES (?1, ?2, ?3, NULL)
                     ON CONFLICT (logger_table, kind, name) DO UPDATE SET lost_to = NULL",
                )?
                .execute(params![table, kind.code(), name])?;
        }
        let offered: Option<i64> = transaction
            .prepare_cached("SELECT max(offered) FROM series WHERE logger_table = ?1")?
            .query_row([table], |row| row.get(0))?;
        let gone: Vec<_> = known.iter().filter(|old| old.is_gone(now)).map(|old| &old.field).collect();
        for (kind, name) in &gone {
            match offered {
                Some(offered) => transaction
                    .prepare_cached(
                        "UPDATE sent_field SET lost_to = ?4 WHERE logger_table = ?1 AND kind = ?2 AND name = ?3",
                    )?
                    .execute(params![table, kind.code(), name, offered])?,
                None => transaction
                    .prepare_cached("DELETE FROM sent_field WHERE logger_table = ?1 AND kind = ?2 AND name = ?3")?
                    .execute(params![table, kind.code(), name])?,
            };
        }
        // A pending row may have been sent before, and is now sent without these fields.
        if let Some(lost) = lost(&transaction, table)?.filter(|_| !gone.is_empty()) {
            for series in series_of(&transaction, table)? {
                if let Some(offered) = stale::offered(&transaction, series)? {
                    mark_state(&transaction, &lost, key::keys(series, key::TIMES.0, offered), State::Pending)?;
                }
            }
        }
        transaction.commit()
    }

    /// Makes sent rows of the table in the closed interval pending again if they have a value that is now withheld, and
    /// marks their points. `places` are the positions in the column list of the columns whose failed values are
    /// withheld.
    pub fn requeue_withheld(
        &self,
        table: &str,
        lost: &LostFields,
        (from, to): (Timestamp, Timestamp),
        places: &[usize],
    ) -> Result<u64> {
        let work = || -> rusqlite::Result<u64> {
            let Some(table) = table_id(&self.conn, table)? else { return Ok(0) };
            let mut total = 0;
            for series in series_of(&self.conn, table)? {
                let (mut low, high) = key::keys(series, from, to.min(lost.until));
                loop {
                    let (rows, last) = self.requeue_step(series, (low, high), places)?;
                    total += rows;
                    let Some(last) = last else { break };
                    low = last + 1;
                }
            }
            if from <= lost.oldest && to >= lost.until {
                self.conn
                    .prepare_cached(
                        "DELETE FROM sent_field WHERE logger_table = ?1 AND kind = ?2 AND lost_to IS NOT NULL",
                    )?
                    .execute(params![table, FieldKind::FailingValue.code()])?;
            }
            Ok(total)
        };
        work().map_err(|source| self.at(source))
    }

    fn requeue_step(&self, series: i64, keys: (i64, i64), places: &[usize]) -> rusqlite::Result<(u64, Option<i64>)> {
        let transaction = Transaction::new_unchecked(&self.conn, TransactionBehavior::Immediate)?;
        let Withheld { rows, last } = withheld_rows(&transaction, keys, places)?;
        for RowKey { id, nanos } in &rows {
            stale::insert(&transaction, *id, *nanos)?;
            transaction.prepare_cached("UPDATE reading SET state = 0 WHERE id = ?1")?.execute([id])?;
        }
        if let (Some(first), Some(end)) = (rows.first(), rows.last()) {
            backlog::add(&transaction, series, first.time(), end.time(), None)?;
        }
        move_series_tally(&transaction, series, State::Sent, State::Pending, i64_of(rows.len()))?;
        transaction.commit()?;
        Ok((rows.len() as u64, last))
    }
}

fn series_of(conn: &Connection, table: i64) -> rusqlite::Result<Vec<i64>> {
    conn.prepare_cached("SELECT id FROM series WHERE logger_table = ?1 ORDER BY id")?
        .query_map([table], |row| row.get(0))?
        .collect()
}

/// One step of sent rows.
struct Withheld {
    /// The rows that hold a failed value in one of the columns.
    rows: Vec<RowKey>,
    /// The last key that was checked; None at the end of the interval.
    last: Option<i64>,
}

/// The key of a row, and the nanoseconds that the key leaves out.
#[derive(Clone, Copy)]
struct RowKey {
    id: i64,
    nanos: i64,
}

impl RowKey {
    fn time(self) -> Timestamp {
        key::time(self.id, self.nanos)
    }
}

fn withheld_rows(conn: &Connection, (low, high): (i64, i64), places: &[usize]) -> rusqlite::Result<Withheld> {
    let mut statement = conn.prepare_cached(
        "SELECT id, nanos, vals, flags FROM reading WHERE id BETWEEN ?1 AND ?2 AND state = 1 ORDER BY id LIMIT ?3",
    )?;
    let (mut found, mut last, mut count) = (Vec::new(), None, 0);
    let mut rows = statement.query(params![low, high, ROWS_PER_STEP])?;
    while let Some(row) = rows.next()? {
        let key = RowKey { id: row.get(0)?, nanos: row.get(1)? };
        let flags: String = row.get(3)?;
        let failing = places.iter().filter(|place| flags.as_bytes().get(**place) == Some(&b'4'));
        if failing.clone().next().is_some() {
            let cells: Vec<serde_json::Value> = serde_json::from_str(&row.get::<_, String>(2)?).unwrap_or_default();
            let mut failing = failing;
            if failing.any(|place| cells.get(*place).is_some_and(|cell| !cell.is_null())) {
                found.push(key);
            }
        }
        last = Some(key.id);
        count += 1;
    }
    Ok(Withheld { rows: found, last: last.filter(|_| count == ROWS_PER_STEP) })
}

fn known(conn: &Connection, table: i64) -> rusqlite::Result<Vec<KnownField>> {
    conn.prepare_cached("SELECT kind, name, lost_to FROM sent_field WHERE logger_table = ?1 ORDER BY kind, name")?
        .query_map([table], |row| {
            let field = (FieldKind::from_code(row.get(0)?), row.get(1)?);
            Ok(KnownField { field, lost_to: row.get::<_, Option<i64>>(2)?.map(Timestamp::from_nanos) })
        })?
        .collect()
}

fn lost(conn: &Connection, table: i64) -> rusqlite::Result<Option<LostFields>> {
    let mut lost = known(conn, table)?;
    lost.retain(|known| known.lost_to.is_some());
    let Some(until) = lost.iter().filter_map(|known| known.lost_to).max() else { return Ok(None) };
    let mut first = conn.prepare_cached("SELECT id FROM reading WHERE id BETWEEN ?1 AND ?2 ORDER BY id LIMIT 1")?;
    let mut oldest: Option<Timestamp> = None;
    for series in series_of(conn, table)? {
        let (low, high) = key::keys(series, key::TIMES.0, key::TIMES.1);
        let id: Option<i64> = first.query_row([low, high], |row| row.get(0)).optional()?;
        let time = id.map(|id| key::time(id, 0));
        oldest = [oldest, time].into_iter().flatten().min();
    }
    let Some(oldest) = oldest else { return Ok(None) };
    let fields = lost.into_iter().map(|known| known.field).collect();
    Ok(Some(LostFields { fields, oldest, until }))
}

/// The fields that the lines of the series' table have lost.
pub(in crate::store) fn lost_of(conn: &Connection, series: i64) -> rusqlite::Result<Option<LostFields>> {
    let table =
        conn.prepare_cached("SELECT logger_table FROM series WHERE id = ?1")?.query_row([series], |row| row.get(0))?;
    lost(conn, table)
}

/// Marks the points of sent rows that are about to be put back.
pub(in crate::store) fn mark_replayed(
    conn: &Connection,
    lost: &LostFields,
    series: i64,
    (low, high): (i64, i64),
) -> rusqlite::Result<()> {
    let end = key::keys(series, key::TIMES.0, lost.until).1;
    mark_state(conn, lost, (low, high.min(end)), State::Sent)
}

/// Marks the rows in `state`. If only failed values are lost, only rows with a failed value are marked.
fn mark_state(conn: &Connection, lost: &LostFields, (low, high): (i64, i64), state: State) -> rusqlite::Result<()> {
    conn.prepare_cached(
        "INSERT OR IGNORE INTO stale_point (id, nanos)
         SELECT id, nanos FROM reading WHERE id BETWEEN ?1 AND ?2 AND state = ?3 AND (NOT ?4 OR instr(flags, '4') > 0)",
    )?
    .execute(params![low, high, state.code(), lost.are_withheld()])
    .map(drop)
}

/// To be called after a replay of sent rows of one table, or of all: deletes the record of lost fields if every row
/// whose point may hold them has been put back.
pub(in crate::store) fn forget_replayed(
    conn: &Connection,
    only: Option<&str>,
    (from, to): (Timestamp, Timestamp),
) -> rusqlite::Result<()> {
    let tables: Vec<i64> = conn
        .prepare_cached(
            "SELECT DISTINCT f.logger_table FROM sent_field f JOIN logger_table t ON t.id = f.logger_table
             WHERE f.lost_to IS NOT NULL AND (?1 IS NULL OR t.name = ?1)",
        )?
        .query_map([only], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    for table in tables {
        let Some(lost) = lost(conn, table)? else { continue };
        if from <= lost.oldest && to >= lost.until {
            conn.prepare_cached("DELETE FROM sent_field WHERE logger_table = ?1 AND lost_to IS NOT NULL")?
                .execute([table])?;
        }
    }
    Ok(())
}
