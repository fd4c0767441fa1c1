//! Windows of a table's rows from which the rows of another table are made, and which windows are due (migration 0012).
//!
//! Every change of a row notes its window, in the same transaction: [`Touched::mark`] where rows are written or judged,
//! [`Staging::take_out`] where they get another key. The note is deleted in the transaction that writes the made row.
//! So at each commit every window either has an up-to-date row or is noted, and after a kill the next run continues
//! from there. Pruned rows note nothing: the rows made from them are kept.
//!
//! [`Touched::mark`]: crate::store::intake::changed::Touched::mark

use std::collections::BTreeSet;

use rusqlite::{Connection, OptionalExtension, params};

use crate::config::{Config, TableConfig};
use crate::store::intake::staging::{Incoming, Outcome, Staging};
use crate::store::intake::tables::{Table, i64_of};
use crate::store::queries::interval::{LEAST_ROWS, ROWS};
use crate::store::schema::key;
use crate::store::{Result, Store};
use crate::time::{NANOS_PER_SECOND, Timestamp, Windows};

/// What rows are noted by before it is known whether they are in a window of any table: every window is made of whole grains.
const GRAIN: Windows = Windows::of_utc(300 * NANOS_PER_SECOND);

/// The grain of a time.
pub(in crate::store) fn grain_of(ts: Timestamp) -> i64 {
    GRAIN.end_of(ts).nanos()
}

/// Nanoseconds between which all times are in the grain.
pub(in crate::store) fn within_grain(grain: i64) -> (i64, i64) {
    (grain.saturating_sub(GRAIN.every()), grain)
}

/// How a table is made of the rows of a series.
#[derive(Debug, Clone, Copy)]
struct Of {
    windows: Windows,
    /// Whether a window also depends on the last row before it.
    reaches: bool,
}

impl Of {
    fn read(conn: &Connection, series: i64) -> rusqlite::Result<Option<Of>> {
        conn.prepare_cached(
            "SELECT a.every, a.phase, a.reach FROM series s JOIN aggregation a ON a.source = s.logger_table WHERE s.id = ?1",
        )?
        .query_row([series], |row| {
            Ok(Of { windows: Windows::from_parts(row.get(0)?, row.get(1)?), reaches: row.get(2)? })
        })
        .optional()
    }
}

/// Notes the windows of these grains of the series, if a table is made of it.
pub(in crate::store) fn note(conn: &Connection, series: i64, grains: &BTreeSet<i64>) -> rusqlite::Result<()> {
    if grains.is_empty() {
        return Ok(());
    }
    let Some(Of { windows, reaches }) = Of::read(conn, series)? else { return Ok(()) };
    let insert = |span: (i64, i64)| {
        let span = with_those_that_look(conn, series, windows, span)?;
        insert(conn, series, span)
    };
    let mut span: Option<(i64, i64)> = None;
    for grain in grains {
        let end = windows.end_of(Timestamp::from_nanos(*grain)).nanos();
        let last = if reaches { end.saturating_add(windows.every()) } else { end };
        span = match span {
            Some((first, known)) if end <= known.saturating_add(windows.every()) => Some((first, known.max(last))),
            other => {
                other.map_or(Ok(()), insert)?;
                Some((end, last))
            }
        };
    }
    span.map_or(Ok(()), insert)
}

/// These windows and those whose rows may be too few to tell their interval without a row of one of them
/// ([`Store::interval_of_window`]): a late row, or one that is gone, changes what is known of the windows behind it, and of
/// those before it whose rows are few. Of a row in front of all others the latter is known already, because a window that
/// the next rows may change is noted by itself ([`Store::note_open_interval`]).
fn with_those_that_look(
    conn: &Connection,
    series: i64,
    windows: Windows,
    (first, last): (i64, i64),
) -> rusqlite::Result<(i64, i64)> {
    let begin = windows.begin(Timestamp::from_nanos(first));
    let (after, most) = key::keys(series, Timestamp::from_nanos(last).plus(1), Timestamp::MAX);
    let behind: Option<i64> = conn
        .prepare_cached("SELECT max(id) FROM (SELECT id FROM reading WHERE id BETWEEN ?1 AND ?2 ORDER BY id LIMIT ?3)")?
        .query_row(params![after, most, i64_of(ROWS)], |row| row.get(0))?;
    if behind.is_none() {
        let own = key::keys(series, begin.next_key(), Timestamp::MAX);
        let is_there = conn
            .prepare_cached("SELECT EXISTS (SELECT 1 FROM reading WHERE id BETWEEN ?1 AND ?2)")?
            .query_row(own, |row| row.get::<_, bool>(0))?;
        if is_there {
            return Ok((first, last));
        }
    }
    let (oldest, newest) = key::keys(series, key::TIMES.0, begin);
    let before: Vec<i64> = conn
        .prepare_cached("SELECT id FROM reading WHERE id BETWEEN ?1 AND ?2 ORDER BY id DESC LIMIT ?3")?
        .query_map(params![oldest, newest, i64_of(LEAST_ROWS)], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    let end_of = |id: &i64| windows.end_of(key::time(*id, 0));
    // A window with so many rows reads none behind it, and hides these from those before it.
    let is_full = before.get(LEAST_ROWS - 1).is_some_and(|id| end_of(id) == begin);
    let reaches = before.get(LEAST_ROWS - 2).or(before.last()).filter(|_| !is_full);
    let from = reaches.map_or(first, |id| end_of(id).nanos().min(first));
    Ok((from, behind.map_or(last, |id| end_of(&id).nanos().max(last))))
}

fn insert(conn: &Connection, series: i64, (first, last): (i64, i64)) -> rusqlite::Result<()> {
    conn.prepare_cached("INSERT OR IGNORE INTO due_window (series, first_end, last_end) VALUES (?1, ?2, ?3)")?
        .execute([series, first, last])
        .map(drop)
}

/// The begin of the first window of the series that is to be made: rows behind it must stay.
pub(in crate::store) fn begin_of_due(conn: &Connection, series: i64) -> rusqlite::Result<Option<Timestamp>> {
    let first: Option<i64> = conn
        .prepare_cached("SELECT min(first_end) FROM due_window WHERE series = ?1")?
        .query_row([series], |row| row.get(0))?;
    let (Some(first), Some(of)) = (first, Of::read(conn, series)?) else { return Ok(None) };
    let begin = of.windows.begin(Timestamp::from_nanos(first));
    // A counter also reads the last row before.
    Ok(Some(if of.reaches { begin.minus(of.windows.every()) } else { begin }))
}

/// A table that is made, and of what.
#[derive(Debug)]
pub struct Making<'a> {
    /// The table of the rows, by its name in the configuration.
    pub source: &'a str,
    /// Its windows.
    pub windows: Windows,
    /// Whether a window also depends on the last row before it.
    pub reaches: bool,
    /// Fingerprint of what else decides the values.
    pub inputs: i64,
}

/// A row that a window is made of.
#[derive(Debug, Clone, Copy)]
pub struct Sample<'a> {
    /// UTC.
    pub ts: Timestamp,
    /// JSON array, aligned with the column list (or shorter).
    pub values: &'a [u8],
    /// One digit per value.
    pub flags: &'a [u8],
    /// The id of its header where that states another unit or process than the column list, if it was asked for.
    pub header: Option<i64>,
}

/// A series that is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MadeSeries {
    /// The series of the rows.
    pub source: i64,
    /// Its tags, as a JSON array; the made one has the same.
    pub tags: String,
    /// Up to this time rows of the source may have been pruned.
    pub pruned: Option<Timestamp>,
}

impl Store {
    /// Loads a table that is made, or registers it. None where its name is that of a table with rows from files.
    pub fn made_table(&self, config: &TableConfig) -> Result<Option<Table>> {
        let offsets = config.stamps.offsets();
        let known: Option<(i64, String)> = self
            .conn
            .prepare_cached("SELECT id, clock FROM logger_table WHERE name = ?1")
            .and_then(|mut statement| {
                statement.query_row([&config.name.0], |row| Ok((row.get(0)?, row.get(1)?))).optional()
            })
            .map_err(|source| self.at(source))?;
        let Some((id, clock)) = known else {
            // Noted first: a table that is there without it is one of a logger.
            self.remember(&made_key(config), "")?;
            self.conn
                .execute("INSERT INTO logger_table (name, clock) VALUES (?1, ?2)", params![config.name.0, offsets])
                .map_err(|source| self.at(source))?;
            return self.table_as_staged(config).map(Some);
        };
        if self.recall(&made_key(config))?.is_none() {
            return Ok(None);
        }
        if clock != offsets {
            self.conn
                .execute("UPDATE logger_table SET clock = ?2 WHERE id = ?1", params![id, offsets])
                .map_err(|source| self.at(source))?;
        }
        self.table_as_staged(config).map(Some)
    }

    /// Notes how the table is made. Where that changed, every window is to be made again.
    pub fn note_making(&self, table: &Table, making: &Making<'_>) -> Result<()> {
        let work = || -> rusqlite::Result<()> {
            let wanted = (table.id, making.windows.every(), making.windows.phase(), making.reaches, making.inputs);
            let known = self
                .conn
                .prepare_cached(
                    "SELECT a.target, a.every, a.phase, a.reach, a.inputs FROM aggregation a
                     JOIN logger_table t ON t.id = a.source WHERE t.name = ?1",
                )?
                .query_row([making.source], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?)))
                .optional()?;
            if known == Some(wanted) {
                return Ok(());
            }
            let (target, every, phase, reach, inputs) = wanted;
            let transaction =
                rusqlite::Transaction::new_unchecked(&self.conn, rusqlite::TransactionBehavior::Immediate)?;
            transaction.execute(
                "INSERT OR REPLACE INTO aggregation (source, target, every, phase, reach, inputs)
                 SELECT id, ?2, ?3, ?4, ?5, ?6 FROM logger_table WHERE name = ?1",
                params![making.source, target, every, phase, reach, inputs],
            )?;
            note_all(&transaction, table.id)?;
            transaction.commit()
        };
        work().map_err(|source| self.at(source))
    }

    /// Forgets how tables were made that the configuration makes no longer. Their rows stay.
    pub fn forget_makings(&self, config: &Config) -> Result<()> {
        let work = || -> rusqlite::Result<()> {
            let known: Vec<(i64, String, String)> = self
                .conn
                .prepare_cached(
                    "SELECT a.source, s.name, t.name FROM aggregation a JOIN logger_table s ON s.id = a.source
                     JOIN logger_table t ON t.id = a.target",
                )?
                .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
                .collect::<rusqlite::Result<_>>()?;
            for (source, source_name, target) in known {
                let is_made = config
                    .table(&target)
                    .and_then(|table| table.made_of.as_ref())
                    .is_some_and(|made| made.table.0 == source_name);
                if !is_made {
                    let transaction =
                        rusqlite::Transaction::new_unchecked(&self.conn, rusqlite::TransactionBehavior::Immediate)?;
                    transaction.execute(
                        "DELETE FROM due_window WHERE series IN (SELECT id FROM series WHERE logger_table = ?1)",
                        [source],
                    )?;
                    transaction.execute("DELETE FROM aggregation WHERE source = ?1", [source])?;
                    transaction.commit()?;
                }
            }
            Ok(())
        };
        work().map_err(|source| self.at(source))
    }

    /// Notes that a window of the series was made although the interval of its rows was not known yet.
    pub fn note_unknown_interval(&self, series: i64, end: Timestamp) -> Result<()> {
        self.note_span(&unknown_key(series), end)
    }

    /// Makes such windows of the series due again, because the interval is known now.
    pub fn remake_unknown_intervals(&self, series: i64) -> Result<()> {
        self.remake_span(&unknown_key(series), series)
    }

    /// Notes that rows that are yet to come may show another interval of a window's rows than the one it was made with.
    pub fn note_open_interval(&self, series: i64, end: Timestamp) -> Result<()> {
        self.note_span(&open_key(series), end)
    }

    /// Makes such windows due again. They lie within the newest few rows.
    pub fn remake_open_intervals(&self, series: i64) -> Result<()> {
        self.remake_span(&open_key(series), series)
    }

    fn note_span(&self, key: &str, end: Timestamp) -> Result<()> {
        let end = end.nanos();
        let (first, last) = self.span(key)?.map_or((end, end), |(first, last)| (first.min(end), last.max(end)));
        self.remember(key, &format!("{first} {last}"))
    }

    fn remake_span(&self, key: &str, series: i64) -> Result<()> {
        if let Some(span) = self.span(key)? {
            insert(&self.conn, series, span).map_err(|source| self.at(source))?;
            self.forget(key)?;
        }
        Ok(())
    }

    fn span(&self, key: &str) -> Result<Option<(i64, i64)>> {
        let text = self.recall(key)?;
        // This program wrote the text, so it can be parsed.
        Ok(text.and_then(|text| {
            let (first, last) = text.split_once(' ')?;
            Some((first.parse().ok()?, last.parse().ok()?))
        }))
    }

    /// The series of the source that have windows to be made.
    pub fn due_series(&self, source: &str) -> Result<Vec<MadeSeries>> {
        let work = || -> rusqlite::Result<Vec<MadeSeries>> {
            self.conn
                .prepare_cached(
                    "SELECT s.id, s.tags, s.pruned FROM series s JOIN logger_table t ON t.id = s.logger_table
                     WHERE t.name = ?1 AND EXISTS (SELECT 1 FROM due_window d WHERE d.series = s.id) ORDER BY s.id",
                )?
                .query_map([source], |row| {
                    Ok(MadeSeries {
                        source: row.get(0)?,
                        tags: row.get(1)?,
                        pruned: row.get::<_, Option<i64>>(2)?.map(Timestamp::from_nanos),
                    })
                })?
                .collect()
        };
        work().map_err(|source| self.at(source))
    }

    /// The ends of the first and the last window of the oldest interval that is to be made.
    pub fn next_due(&self, series: i64) -> Result<Option<(Timestamp, Timestamp)>> {
        self.conn
            .prepare_cached(
                "SELECT first_end, last_end FROM due_window WHERE series = ?1 ORDER BY first_end, last_end LIMIT 1",
            )
            .and_then(|mut statement| {
                let span = |row: &rusqlite::Row<'_>| {
                    Ok((Timestamp::from_nanos(row.get(0)?), Timestamp::from_nanos(row.get(1)?)))
                };
                statement.query_row([series], span).optional()
            })
            .map_err(|source| self.at(source))
    }

    /// Passes on the rows of a window, oldest first; their times to the microsecond.
    ///
    /// Each column that is read costs a twentieth of a window of 10 Hz. So nanoseconds are read where the key, which has none,
    /// does not tell whether a row is in the window, and headers where the table has several (`has_headers`).
    pub fn samples_of_window(
        &self,
        series: i64,
        windows: Windows,
        end: Timestamp,
        has_headers: bool,
        mut take: impl FnMut(Sample<'_>),
    ) -> Result<()> {
        let begin = windows.begin(end);
        let (first, last) = key::keys(series, begin, end);
        let mut work = || -> rusqlite::Result<()> {
            let mut edge =
                self.conn.prepare_cached("SELECT id, vals, flags, header, nanos FROM reading WHERE id = ?1")?;
            let mut at_edge = |id: i64, take: &mut dyn FnMut(Sample<'_>)| -> rusqlite::Result<()> {
                let mut rows = edge.query([id])?;
                if let Some(row) = rows.next()? {
                    let ts = key::time(row.get(0)?, row.get(4)?);
                    // The begin belongs to the window before.
                    if begin < ts && ts <= end {
                        take(sample(row, ts)?);
                    }
                }
                Ok(())
            };
            at_edge(first, &mut take)?;
            let mut statement = self.conn.prepare_cached(if has_headers {
                "SELECT id, vals, flags, header FROM reading WHERE id BETWEEN ?1 AND ?2 ORDER BY id"
            } else {
                "SELECT id, vals, flags, NULL FROM reading WHERE id BETWEEN ?1 AND ?2 ORDER BY id"
            })?;
            let mut rows = statement.query([first + 1, last - 1])?;
            while let Some(row) = rows.next()? {
                take(sample(row, key::time(row.get(0)?, 0))?);
            }
            drop(rows);
            at_edge(last, &mut take)
        };
        work().map_err(|source| self.at(source))
    }

    /// The id of the header of the last row at or before an instant, where that states another unit or process than the column
    /// list.
    pub fn header_at_or_before(&self, series: i64, at: Timestamp) -> Result<Option<i64>> {
        let work = || -> rusqlite::Result<Option<i64>> {
            let mut statement = self
                .conn
                .prepare_cached("SELECT header FROM reading WHERE id BETWEEN ?1 AND ?2 ORDER BY id DESC LIMIT 1")?;
            let of_row = statement.query_row(key::keys(series, key::TIMES.0, at), |row| row.get(0));
            Ok(of_row.optional()?.flatten())
        };
        work().map_err(|source| self.at(source))
    }

    /// Passes on the last row of the series at or before an instant.
    pub fn sample_at_or_before(&self, series: i64, at: Timestamp, take: impl FnOnce(Sample<'_>)) -> Result<()> {
        let work = || -> rusqlite::Result<()> {
            let mut statement = self.conn.prepare_cached(
                "SELECT id, vals, flags, header, nanos FROM reading WHERE id BETWEEN ?1 AND ?2 ORDER BY id DESC LIMIT 1",
            )?;
            let mut rows = statement.query(key::keys(series, key::TIMES.0, at))?;
            if let Some(row) = rows.next()? {
                take(sample(row, key::time(row.get(0)?, row.get(4)?))?);
            }
            Ok(())
        };
        work().map_err(|source| self.at(source))
    }
}

/// Of a statement that asks for id, values, flags and header.
#[inline]
fn sample<'r>(row: &'r rusqlite::Row<'_>, ts: Timestamp) -> rusqlite::Result<Sample<'r>> {
    let (values, flags) = (row.get_ref(1)?.as_bytes()?, row.get_ref(2)?.as_bytes()?);
    Ok(Sample { ts, values, flags, header: row.get(3)? })
}

/// Whether the rows of a table are made of another one's.
pub(in crate::store) fn is_made(conn: &Connection, table: i64) -> rusqlite::Result<bool> {
    conn.prepare_cached("SELECT EXISTS (SELECT 1 FROM aggregation WHERE target = ?1)")?
        .query_row([table], |row| row.get(0))
}

/// Under this key the store keeps that the rows of a table are made.
fn made_key(table: &TableConfig) -> String {
    format!("rows are made: {}", table.name)
}

/// Under this key the store keeps the ends of the first and the last window of a series that were made without an interval.
fn unknown_key(series: i64) -> String {
    format!("windows without an interval: {series};")
}

/// Under this key the store keeps the same of windows whose interval later rows may change.
fn open_key(series: i64) -> String {
    format!("windows whose interval may change: {series};")
}

/// Every window that has a row, or a row that was made.
fn note_all(conn: &Connection, target: i64) -> rusqlite::Result<()> {
    let all: Vec<(i64, Option<i64>, i64, i64)> = conn
        .prepare_cached(
            "SELECT s.id, m.id, a.every, a.phase FROM aggregation a JOIN series s ON s.logger_table = a.source
             LEFT JOIN series m ON m.logger_table = a.target AND m.tags = s.tags WHERE a.target = ?1",
        )?
        .query_map([target], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))?
        .collect::<rusqlite::Result<_>>()?;
    // Two searches: min and max in one SELECT read every row between.
    let mut ends = conn.prepare_cached(
        "SELECT (SELECT min(id) FROM reading WHERE id BETWEEN ?1 AND ?2), (SELECT max(id) FROM reading WHERE id BETWEEN ?1 AND ?2)",
    )?;
    for (source, made, every, phase) in all {
        let windows = Windows::from_parts(every, phase);
        let mut span: Option<(Timestamp, Timestamp)> = None;
        for series in std::iter::once(source).chain(made) {
            let found: (Option<i64>, Option<i64>) =
                ends.query_row(key::keys(series, key::TIMES.0, key::TIMES.1), |row| Ok((row.get(0)?, row.get(1)?)))?;
            if let (Some(first), Some(last)) = found {
                let (first, last) = (key::time(first, 0), key::time(last, 999));
                span = Some(span.map_or((first, last), |known| (known.0.min(first), known.1.max(last))));
            }
        }
        if let Some((first, last)) = span {
            insert(conn, source, (windows.end_of(first).nanos(), windows.end_of(last).nanos()))?;
        }
    }
    Ok(())
}

impl Staging<'_> {
    /// The series of these tags, if the table has one.
    pub fn series_if_known(&self, table: &mut Table, tags: &str) -> Option<i64> {
        let place = table.series.find(tags)?;
        Some(table.series.at(place).id)
    }

    /// Stages a row that was made of others: it takes the place of the one that was made before.
    pub fn put_made(&mut self, table: &mut Table, row: &Incoming<'_>) -> Result<Outcome> {
        self.renews = true;
        let outcome = self.stage(table, row, crate::config::OnConflict::Replace);
        self.renews = false;
        outcome
    }

    /// Deletes the rows that were made for a window, but for the one at its end if that is to be `kept`: one at another time is of
    /// a configuration with other windows. Their points are marked for removal if they may be in a bucket.
    pub fn drop_made(
        &mut self,
        table: &mut Table,
        tags: &str,
        (begin, end): (Timestamp, Timestamp),
        kept: bool,
    ) -> Result<u64> {
        let Some(place) = table.series.find(tags) else { return Ok(0) };
        let series = table.series.at(place).id;
        let (first, last) = key::keys(series, begin, end);
        let rows = self.store.rows_of_keys(first + 1, if kept { last - 1 } else { last });
        let rows = rows.map_err(|source| self.store.at(source))?;
        self.drop_rows(table, series, &rows)?;
        Ok(rows.len() as u64)
    }

    /// The windows of the series up to the one with this end are made.
    pub fn window_done(&mut self, series: i64, windows: Windows, end: Timestamp) -> Result<()> {
        self.begin()?;
        self.count_row();
        let conn = &self.store.conn;
        let work = || -> rusqlite::Result<()> {
            conn.prepare_cached(
                "INSERT OR IGNORE INTO due_window (series, first_end, last_end)
                 SELECT series, ?3, last_end FROM due_window WHERE series = ?1 AND first_end <= ?2 AND last_end > ?2",
            )?
            .execute(params![series, end.nanos(), end.plus(windows.every()).nanos()])?;
            conn.prepare_cached("DELETE FROM due_window WHERE series = ?1 AND first_end <= ?2")?
                .execute(params![series, end.nanos()])
                .map(drop)
        };
        work().map_err(|source| self.store.at(source))
    }
}
