//! Rows that share a time stamp: what the store knows about a stamp, and the lines whose place in it is not decided
//! yet.
//!
//! Three kinds of rows are known for a stamp: stored rows, whose time shows their place; held lines; and contents that
//! were kept beside the row of the stamp before the table was known to have such rows. [`crate::time::Samples::decide`]
//! makes the decision.

use std::collections::BTreeMap;

use rusqlite::{OptionalExtension as _, params};

use crate::store::intake::decisions::KeptContent;
use crate::store::intake::rejected::KeptLine;
use crate::store::intake::retag::{OldRow, rekey_content};
use crate::store::intake::staging::Staging;
use crate::store::intake::tables::{Table, i64_of};
use crate::store::outbox::stale;
use crate::store::schema::key;
use crate::store::{Result, Store};
use crate::time::{Around, Samples, Stamp, Timestamp};

/// Where the row of a held line belongs, once its place is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SampleAt {
    /// Its series.
    pub series: i64,
    /// The time on the line.
    pub stamp: Timestamp,
    /// RECORD.
    pub record: i64,
}

/// How far the rows of a table are from what their samples say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spreading {
    /// Rows that were spread go back to their stamps.
    Back,
    /// Contents that are kept at their stamps become rows.
    Apart,
}

fn spreading_key(table: &Table) -> String {
    format!("samples of table {}.", table.id)
}

/// Stamps looked at in one step.
const STAMPS_AT_ONCE: i64 = 1_000;

/// What is known of a stamp.
#[derive(Debug, Clone, Default)]
pub struct KnownStamp {
    /// By record number.
    pub around: Around,
    /// Times of the stored rows of the stamp, by record number.
    pub stored: BTreeMap<i64, Timestamp>,
    /// Whether any row of the stamp, or of a stamp next to it, waits for its place.
    pub is_awaited: bool,
}

/// What waits for its place in a stamp.
#[derive(Debug, Default)]
pub struct Waiting {
    /// Held lines, with their record numbers, in their order.
    pub lines: Vec<(i64, KeptLine)>,
    /// Contents beside the row of the stamp, with their record numbers, in their order.
    pub contents: Vec<(i64, KeptContent)>,
    /// The stored rows of the stamp, with their record numbers.
    pub rows: Vec<(i64, OldRow)>,
}

/// A stored row that gets another time.
#[derive(Debug)]
pub struct MovedRow {
    /// As it is.
    pub row: OldRow,
    /// The time that it gets.
    pub to: Timestamp,
    /// The logger's own text, where that time does not print it.
    pub text: Option<String>,
}

const CONTENT: &str = "c.series = ?1 AND c.ts = ?2 AND c.record IS NOT NULL
     AND c.record IS NOT (SELECT record FROM reading WHERE id = (?1 << 52 | ?2 / 1000))
     AND c.ts > coalesce((SELECT pruned FROM series WHERE id = ?1), 0)";

impl Store {
    /// How the rows of one stamp of the table are spread; None where no stamp is shared.
    pub(in crate::store) fn samples(&self, table: i64) -> rusqlite::Result<Option<Samples>> {
        let found: (Option<i64>, Option<i64>) = self
            .conn
            .prepare_cached("SELECT samples, stamp_interval FROM logger_table WHERE id = ?1")?
            .query_row([table], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let (Some(samples), Some(interval)) = found else { return Ok(None) };
        Ok(Samples::stored(samples.cast_unsigned(), std::time::Duration::from_nanos(interval.cast_unsigned())))
    }

    /// Whether any line of the table waits for its place.
    pub fn has_held_samples(&self, table: &Table) -> Result<bool> {
        let series = table.series_ids();
        let any = || -> rusqlite::Result<bool> {
            let mut ask = self.conn.prepare_cached(
                "SELECT EXISTS (SELECT 1 FROM rejected_line WHERE series = ?1 AND stamp IS NOT NULL)",
            )?;
            for id in &series {
                if ask.query_row([id], |row| row.get(0))? {
                    return Ok(true);
                }
            }
            Ok(false)
        };
        any().map_err(|source| self.at(source))
    }

    /// What is known of a stamp and of the stamps next to it.
    pub fn known_stamp(&self, samples: Samples, series: i64, stamp: Timestamp) -> Result<KnownStamp> {
        let work = || -> rusqlite::Result<KnownStamp> {
            let mut known = KnownStamp::default();
            let (this, is_awaited) = self.stamp(samples, series, stamp, Some(&mut known.stored))?;
            known.around.this = this;
            known.is_awaited = is_awaited;
            let (before, after) = self.next_to(samples, series, stamp)?;
            for (at, place) in [(before, &mut known.around.before), (after, &mut known.around.after)] {
                let Some(at) = at else { continue };
                let (stamp, is_awaited) = self.stamp(samples, series, at, None)?;
                *place = Some((at, stamp));
                known.is_awaited |= is_awaited;
            }
            Ok(known)
        };
        work().map_err(|source| self.at(source))
    }

    /// The nearest stamps before and after of which any row is known.
    pub fn stamps_next_to(
        &self,
        samples: Samples,
        series: i64,
        stamp: Timestamp,
    ) -> Result<(Option<Timestamp>, Option<Timestamp>)> {
        self.next_to(samples, series, stamp).map_err(|source| self.at(source))
    }

    fn next_to(
        &self,
        samples: Samples,
        series: i64,
        stamp: Timestamp,
    ) -> rusqlite::Result<(Option<Timestamp>, Option<Timestamp>)> {
        let (first, last) = key::keys(series, key::TIMES.0, key::TIMES.1);
        let row = |sql: &str, from: i64, to: i64| -> rusqlite::Result<Option<Timestamp>> {
            let id = self.conn.prepare_cached(sql)?.query_row([from, to], |row| row.get(0)).optional()?;
            Ok(id.map(|id| samples.stamp_of(key::time(id, 0))))
        };
        let line = |sql: &str| -> rusqlite::Result<Option<Timestamp>> {
            let found: Option<i64> =
                self.conn.prepare_cached(sql)?.query_row(params![series, stamp.nanos()], |row| row.get(0))?;
            Ok(found.map(Timestamp::from_nanos))
        };
        let before = row(
            "SELECT id FROM reading WHERE id >= ?1 AND id < ?2 ORDER BY id DESC LIMIT 1",
            first,
            key::key(series, stamp),
        )?;
        let after = row(
            "SELECT id FROM reading WHERE id >= ?1 AND id <= ?2 ORDER BY id LIMIT 1",
            key::key(series, samples.next(stamp)),
            last,
        )?;
        let line_before = line("SELECT max(stamp) FROM rejected_line WHERE series = ?1 AND stamp < ?2")?;
        let line_after = line("SELECT min(stamp) FROM rejected_line WHERE series = ?1 AND stamp > ?2")?;
        Ok((before.max(line_before), after.into_iter().chain(line_after).min()))
    }

    fn stamp(
        &self,
        samples: Samples,
        series: i64,
        stamp: Timestamp,
        mut stored: Option<&mut BTreeMap<i64, Timestamp>>,
    ) -> rusqlite::Result<(Stamp, bool)> {
        let mut known = Stamp::default();
        let (from, to) = (key::key(series, stamp), key::key(series, samples.next(stamp)));
        let mut rows = self.conn.prepare_cached(
            "SELECT id, nanos, record FROM reading WHERE id >= ?1 AND id < ?2 AND record IS NOT NULL",
        )?;
        let mut rows = rows.query([from, to])?;
        while let Some(row) = rows.next()? {
            let (ts, record) = (key::time(row.get(0)?, row.get(1)?), row.get(2)?);
            known.records.insert(record);
            known.placed.extend(Some((record, samples.place(ts))).filter(|placed| placed.1 > 0));
            if let Some(stored) = &mut stored {
                stored.insert(record, ts);
            }
        }
        let mut is_awaited = false;
        for sql in [
            "SELECT record FROM rejected_line WHERE series = ?1 AND stamp = ?2",
            &format!("SELECT c.record FROM conflict c WHERE {CONTENT}"),
        ] {
            let mut waiting = self.conn.prepare_cached(sql)?;
            let mut waiting = waiting.query(params![series, stamp.nanos()])?;
            while let Some(row) = waiting.next()? {
                is_awaited = true;
                known.records.insert(row.get(0)?);
            }
        }
        Ok((known, is_awaited))
    }

    /// What waits for its place in a stamp.
    pub fn waiting(&self, table: &Table, samples: Samples, series: i64, stamp: Timestamp) -> Result<Waiting> {
        let work = || -> rusqlite::Result<Waiting> {
            let mut waiting = Waiting {
                lines: self.lines_of_stamp(table, series, stamp)?,
                contents: self
                    .contents_where(CONTENT, params![series, stamp.nanos()])?
                    .into_iter()
                    .filter_map(|content| Some((content.record?, content)))
                    .collect(),
                rows: Vec::new(),
            };
            let rows = self.rows_of_keys(key::key(series, stamp), key::key(series, samples.next(stamp)) - 1)?;
            waiting.rows = rows.into_iter().filter_map(|row| Some((row.record()?, row))).collect();
            waiting.lines.sort_by_key(|(record, _)| *record);
            waiting.contents.sort_by_key(|(record, _)| *record);
            Ok(waiting)
        };
        work().map_err(|source| self.at(source))
    }

    /// Time and record number of the newest rows of a series and of the contents beside them, in their order.
    pub fn newest_records(&self, series: i64, most: usize) -> Result<Vec<(Timestamp, i64)>> {
        let work = || -> rusqlite::Result<Vec<(Timestamp, i64)>> {
            let (first, last) = key::keys(series, key::TIMES.0, key::TIMES.1);
            let mut found = Vec::new();
            let mut rows = self.conn.prepare_cached(
                "SELECT id, nanos, record FROM reading WHERE id BETWEEN ?1 AND ?2 AND record IS NOT NULL ORDER BY id DESC LIMIT ?3",
            )?;
            let mut rows = rows.query(params![first, last, i64_of(most)])?;
            while let Some(row) = rows.next()? {
                found.push((key::time(row.get(0)?, row.get(1)?), row.get(2)?));
            }
            let from = found.last().map_or(0, |row| row.0.nanos());
            let mut contents = self.conn.prepare_cached(
                "SELECT ts, record FROM conflict WHERE series = ?1 AND ts >= ?2 AND record IS NOT NULL ORDER BY ts DESC LIMIT ?3",
            )?;
            let mut contents = contents.query(params![series, from, i64_of(most)])?;
            while let Some(row) = contents.next()? {
                found.push((Timestamp::from_nanos(row.get(0)?), row.get(1)?));
            }
            found.sort_unstable();
            found.dedup();
            Ok(found)
        };
        work().map_err(|source| self.at(source))
    }

    /// The next times of a series, behind `after`, at which other contents are kept.
    pub fn times_in_conflict(&self, series: i64, after: Timestamp) -> Result<Vec<Timestamp>> {
        self.conn
            .prepare_cached(
                "SELECT DISTINCT ts FROM conflict WHERE series = ?1 AND ts > ?2 AND record IS NOT NULL ORDER BY ts LIMIT ?3",
            )
            .and_then(|mut statement| {
                let times = params![series, after.nanos(), STAMPS_AT_ONCE];
                statement.query_map(times, |row| row.get(0).map(Timestamp::from_nanos))?.collect()
            })
            .map_err(|source| self.at(source))
    }

    /// The contents that are kept at a time of a series.
    pub fn contents_at(&self, series: i64, ts: Timestamp) -> Result<Vec<KeptContent>> {
        self.contents_where("c.series = ?1 AND c.ts = ?2", params![series, ts.nanos()])
            .map_err(|source| self.at(source))
    }

    /// What was begun of spreading the rows of the table, and has not come to its end; a kill does not end it.
    pub fn spreading(&self, table: &Table) -> Result<Option<Spreading>> {
        let word = self.recall(&spreading_key(table))?;
        Ok(word.map(|word| if word == "back" { Spreading::Back } else { Spreading::Apart }))
    }
}

impl Waiting {
    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty() && self.contents.is_empty()
    }
}

impl Staging<'_> {
    /// From now on the rows of one stamp of the table are spread so.
    pub fn use_samples(&mut self, table: &mut Table, samples: Option<Samples>) -> Result<()> {
        self.begin()?;
        let interval = samples.map(|samples| crate::time::nanos(samples.interval()));
        let per_stamp = samples.map(|samples| samples.per_stamp().cast_signed());
        self.store
            .conn
            .execute(
                "UPDATE logger_table SET samples = ?2, stamp_interval = ?3 WHERE id = ?1",
                params![table.id, per_stamp, interval],
            )
            .map_err(|source| self.store.at(source))?;
        table.samples = samples;
        Ok(())
    }

    /// Notes what is begun, or that nothing is left to do.
    pub fn note_spreading(&mut self, table: &Table, spreading: Option<Spreading>) -> Result<()> {
        self.begin()?;
        let key = spreading_key(table);
        match spreading {
            Some(Spreading::Back) => self.store.remember(&key, "back"),
            Some(Spreading::Apart) => self.store.remember(&key, "apart"),
            None => self.store.forget(&key).map(drop),
        }
    }

    /// The content belongs to another time. One that is kept there already, with what was decided of it, goes.
    pub fn move_content(&mut self, table: &mut Table, content: &KeptContent, to: Timestamp) -> Result<()> {
        self.begin()?;
        let gone = rekey_content(&self.store.conn, content.id, (content.series, to), None)
            .map_err(|source| self.store.at(source))?;
        table.tally.conflicts -= i64::try_from(gone).unwrap_or(0);
        Ok(())
    }

    /// The series of these tags.
    pub fn series_of(&mut self, table: &mut Table, tags: &str) -> Result<i64> {
        self.begin()?;
        let place = match table.series.find(tags) {
            Some(place) => place,
            None => self.add_series(table, tags)?,
        };
        Ok(table.series.at(place).id)
    }

    /// Deletes a content that is a row now, or is kept beside another one.
    pub fn drop_conflict(&mut self, table: &mut Table, content: &KeptContent) -> Result<()> {
        self.begin()?;
        let gone = self.store.conn.prepare_cached("DELETE FROM conflict WHERE id = ?1");
        let gone = gone.and_then(|mut delete| delete.execute([content.id])).map_err(|source| self.store.at(source))?;
        table.tally.conflicts -= i64::try_from(gone).unwrap_or(0);
        Ok(())
    }

    /// Gives stored rows of one series other times.
    pub fn move_rows(&mut self, table: &mut Table, tags: &str, rows: &[MovedRow]) -> Result<()> {
        for moved in rows {
            self.take_out(table, &moved.row)?;
        }
        for moved in rows {
            self.put_in(table, &moved.row, tags, (moved.to, moved.text.as_deref()))?;
        }
        Ok(())
    }

    /// The point of a row that moved is removed. Another row may have its time: a request on its way cannot mark that one.
    pub fn end_move(&mut self, series: i64, rows: &[MovedRow]) -> Result<()> {
        let work = || -> rusqlite::Result<()> {
            let conn = &self.store.conn;
            for MovedRow { row, .. } in rows {
                conn.prepare_cached("UPDATE reading SET version = max(version, ?2) WHERE id = ?1")?
                    .execute([row.id(), row.version() + 1])?;
                if stale::offered(conn, series)?.is_some_and(|offered| row.ts() <= offered) {
                    stale::insert_gone(conn, row)?;
                }
            }
            Ok(())
        };
        work().map_err(|source| self.store.at(source))
    }
}
