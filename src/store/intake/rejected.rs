//! Keeps lines that did not become rows, with their text, their header and the inputs of the decision, and judges them
//! again later.
//!
//! A held line is ahead of this computer's clock, or shares its stamp with other lines and its place among them is not
//! known yet. It becomes a row when the clock reaches it, or when another row determines its place. Every other kept
//! line is judged again when the configuration that decided about it has changed (I11). A line is deleted only when it
//! has become a row, a duplicate or a conflict, in the same transaction.

use rusqlite::{OptionalExtension as _, params};

use crate::store::intake::provisional::LineState;
use crate::store::intake::samples::SampleAt;
use crate::store::intake::staging::{LineAt, Staging};
use crate::store::intake::tables::{Table, hash_of};
use crate::store::schema::key;
use crate::store::{Result, Store};
use crate::time::Timestamp;

/// Lines judged in one transaction.
const LINES_AT_ONCE: i64 = 1_000;

/// Why a line is not a row, and which inputs decided.
#[derive(Debug, Clone)]
pub struct LineRefusal {
    /// The reason, as shown to the user.
    pub reason: String,
    /// The header above the line; none where the line cannot be read again.
    pub header: Option<i64>,
    /// Fingerprint of the configuration that decided.
    pub inputs: i64,
    /// Held: the instant from which it may be staged.
    pub not_before: Option<Timestamp>,
    /// Held: the stamp in which its place is not known yet.
    pub sample: Option<SampleAt>,
    /// RECORD of a line of which only the time is refused: the record is not missing. None for a table with tag columns.
    pub record: Option<i64>,
}

impl LineRefusal {
    /// Whether it becomes a row without a change of the configuration; otherwise it is rejected.
    pub fn is_held(&self) -> bool {
        self.not_before.is_some() || self.sample.is_some()
    }

    /// The same refusal, decided by these inputs.
    pub fn decided_by(self, inputs: i64) -> LineRefusal {
        LineRefusal { inputs, ..self }
    }
}

/// A kept line that is due to be judged again.
#[derive(Debug, Clone)]
pub struct KeptLine {
    id: i64,
    hash: i64,
    /// The file it was read from.
    pub path: String,
    /// Line number, from 1.
    pub number: u64,
    /// Its text.
    pub raw: String,
    /// The header above it.
    pub header: i64,
    /// Whether it has its line end.
    pub state: LineState,
}

impl Store {
    /// Whether lines of a file are rejected or held.
    pub fn has_refused_lines_of(&self, table: &str, path: &str) -> Result<bool> {
        self.conn
            .prepare_cached(
                "SELECT EXISTS (SELECT 1 FROM logger_table t JOIN rejected_line r ON r.logger_table = t.id
                 WHERE t.name = ?1 AND r.path = ?2)",
            )
            .and_then(|mut statement| statement.query_row([table, path], |row| row.get(0)))
            .map_err(|source| self.at(source))
    }

    /// At most a thousand kept lines of a table that other inputs decided, or whose time has come. Pass each to
    /// [`Staging::resolve`] or [`Staging::keep_on`]; otherwise the next call returns it again.
    pub fn lines_to_judge(&self, table: &Table, inputs: i64, now: Timestamp) -> Result<Vec<KeptLine>> {
        const DUE: [&str; 3] =
            ["inputs < ?2 AND header IS NOT NULL", "inputs > ?2 AND header IS NOT NULL", "not_before <= ?2"];
        let work = || -> rusqlite::Result<Vec<KeptLine>> {
            for (due, bound) in DUE.into_iter().zip([inputs, inputs, now.nanos()]) {
                let lines: Vec<KeptLine> = self
                    .conn
                    .prepare_cached(&format!(
                        "SELECT id, path, line, raw, header, hash FROM rejected_line
                         WHERE logger_table = ?1 AND {due} LIMIT ?3"
                    ))?
                    .query_map(params![table.id, bound, LINES_AT_ONCE], |row| KeptLine::read(row, table))?
                    .collect::<rusqlite::Result<_>>()?;
                if !lines.is_empty() {
                    return Ok(lines);
                }
            }
            Ok(Vec::new())
        };
        work().map_err(|source| self.at(source))
    }
}

impl Store {
    /// The newest lines that are held until a time comes.
    pub fn held_lines(&self, table: &Table, now: Timestamp) -> Result<Vec<KeptLine>> {
        let work = || -> rusqlite::Result<Vec<KeptLine>> {
            self.conn
                .prepare_cached(
                    "SELECT id, path, line, raw, header, hash FROM rejected_line
                     WHERE logger_table = ?1 AND not_before > ?2 AND not_before < ?3 AND header IS NOT NULL ORDER BY id DESC LIMIT ?4",
                )?
                .query_map(params![table.id, now.nanos(), Timestamp::MAX.nanos(), LINES_AT_ONCE], |row| {
                    KeptLine::read(row, table)
                })?
                .collect()
        };
        work().map_err(|source| self.at(source))
    }

    /// The row behind the place of a record, in a table without tag columns: rows with lower and higher numbers follow each other
    /// there. None where the record has a row, or no such place in this time, in which numbers rise.
    pub fn row_behind(
        &self,
        table: &Table,
        (from, to): (Timestamp, Timestamp),
        record: i64,
    ) -> Result<Option<(i64, Timestamp)>> {
        let work = || -> rusqlite::Result<Option<(i64, Timestamp)>> {
            let Some(series) = self.untagged_series(table.id)? else { return Ok(None) };
            let ask = |order: &str, (from, to): (Timestamp, Timestamp)| {
                let (low, high) = key::keys(series, from, to);
                self.conn
                    .prepare_cached(&format!(
                        "SELECT record, id, nanos FROM reading WHERE id BETWEEN ?1 AND ?2 AND record IS NOT NULL
                         ORDER BY id {order} LIMIT 1"
                    ))?
                    .query_row([low, high], |row| Ok((row.get::<_, i64>(0)?, key::time(row.get(1)?, row.get(2)?))))
                    .optional()
            };
            // Nearly always the rows up to there have lower numbers.
            if ask("DESC", (from, to))?.is_none_or(|last| last.0 <= record) {
                return Ok(None);
            }
            let (mut low, mut high, mut found) = (from, to, None);
            while low <= high {
                let middle = low.plus(high.nanos_since(low) / 2);
                match ask("ASC", (middle, to))? {
                    Some(row) if row.0 < record => low = row.1.next_key(),
                    row => {
                        found = row.or(found);
                        high = middle.previous_key();
                    }
                }
            }
            let Some((number, ts)) = found.filter(|found| found.0 != record) else { return Ok(None) };
            let before = ask("DESC", (from, ts.previous_key()))?;
            Ok(before.filter(|before| before.0 < record).map(|_| (number, ts)))
        };
        work().map_err(|source| self.at(source))
    }
}

impl KeptLine {
    /// Of the columns id, path, line, raw, header, hash.
    fn read(row: &rusqlite::Row<'_>, table: &Table) -> rusqlite::Result<KeptLine> {
        let hash = row.get(5)?;
        let is_unfinished = table.provisional.is_rejected(hash);
        Ok(KeptLine {
            id: row.get(0)?,
            path: row.get(1)?,
            number: row.get::<_, i64>(2)?.cast_unsigned(),
            raw: row.get(3)?,
            header: row.get(4)?,
            hash,
            state: if is_unfinished { LineState::Unfinished } else { LineState::Whole },
        })
    }

    /// Tells the lines of a table apart.
    pub fn hash(&self) -> i64 {
        self.hash
    }
}

impl Store {
    /// The lines that wait for their place in a stamp, with their record numbers.
    pub(in crate::store) fn lines_of_stamp(
        &self,
        table: &Table,
        series: i64,
        stamp: Timestamp,
    ) -> rusqlite::Result<Vec<(i64, KeptLine)>> {
        let mut statement = self.conn.prepare_cached(
            "SELECT id, path, line, raw, header, hash, record FROM rejected_line
             WHERE series = ?1 AND stamp = ?2 AND header IS NOT NULL ORDER BY id",
        )?;
        let lines = statement
            .query_map(params![series, stamp.nanos()], |row| Ok((row.get(6)?, KeptLine::read(row, table)?)))?;
        lines.collect()
    }
}

impl Staging<'_> {
    /// Keeps a line that is not a row. A line that is kept already does not change.
    pub fn reject(&mut self, table: &mut Table, line: LineAt<'_>, refusal: &LineRefusal) -> Result<()> {
        self.begin()?;
        self.count_row();
        if line.state == LineState::Whole && table.provisional.has_rejected() {
            self.finish_rejected(table, line).map_err(|source| self.store.at(source))?;
        }
        let raw = crate::format::decode(line.raw);
        let kept = self
            .store
            .conn
            .prepare_cached(
                "INSERT INTO rejected_line (logger_table, path, line, raw, reason, hash, seen, header, inputs, not_before,
                     series, stamp, record)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13) ON CONFLICT (logger_table, hash) DO NOTHING",
            )
            .and_then(|mut statement| {
                statement.execute(params![
                    table.id,
                    line.path,
                    i64::try_from(line.number).unwrap_or(i64::MAX),
                    raw,
                    refusal.reason,
                    hash_of(line.raw),
                    Timestamp::from_utc(chrono::Utc::now()).nanos(),
                    refusal.header,
                    refusal.inputs,
                    refusal.not_before.map(|time| time.nanos()),
                    refusal.sample.map(|sample| sample.series),
                    refusal.sample.map(|sample| sample.stamp.nanos()),
                    refusal.sample.map(|sample| sample.record),
                ])
            })
            .map_err(|source| self.store.at(source))?;
        table.tally.rejected_lines += i64::from(kept == 1);
        if kept == 1 && line.state == LineState::Unfinished {
            self.note_provisional_rejected(table, line).map_err(|source| self.store.at(source))?;
        }
        Ok(())
    }

    /// Deletes a line that has become a row, a duplicate or a conflict.
    pub fn resolve(&mut self, table: &mut Table, line: &KeptLine) -> Result<()> {
        self.begin()?;
        self.drop_rejected(table, line.hash).map_err(|source| self.store.at(source))
    }

    /// Updates the reason for a line.
    pub fn say_why(&mut self, line: &KeptLine, reason: &str) -> Result<()> {
        self.begin()?;
        self.store
            .conn
            .prepare_cached("UPDATE rejected_line SET reason = ?2 WHERE id = ?1 AND reason <> ?2")
            .and_then(|mut statement| statement.execute(params![line.id, reason]).map(drop))
            .map_err(|source| self.store.at(source))
    }

    /// Updates the decision for a line that is still not a row.
    pub fn keep_on(&mut self, line: &KeptLine, refusal: &LineRefusal) -> Result<()> {
        self.begin()?;
        self.count_row();
        self.store
            .conn
            .prepare_cached(
                "UPDATE rejected_line SET reason = ?2, inputs = ?3, not_before = ?4, series = ?5, stamp = ?6, record = ?7
                 WHERE id = ?1",
            )
            .and_then(|mut statement| {
                let not_before = refusal.not_before.map(|time| time.nanos());
                let sample = refusal.sample;
                statement.execute(params![
                    line.id,
                    refusal.reason,
                    refusal.inputs,
                    not_before,
                    sample.map(|sample| sample.series),
                    sample.map(|sample| sample.stamp.nanos()),
                    sample.map(|sample| sample.record),
                ])
            })
            .map_err(|source| self.store.at(source))?;
        Ok(())
    }
}
