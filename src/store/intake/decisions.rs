//! Decisions by hand, and their reversal (I11).
//!
//! A conflict holds the content that is not the row. A decision exchanges the two: the chosen content becomes the row
//! and is pending again, and the other is kept beside it with the reason. Nothing is lost, so the exchange can be
//! reversed.

use std::collections::HashSet;

use rusqlite::{OptionalExtension as _, params};

use crate::store::intake::staging::{Incoming, Outcome, Staging};
use crate::store::intake::tables::Table;
use crate::store::intake::taken_key::{Stored, content_hash};
use crate::store::schema::key;
use crate::store::{Result, Store};
use crate::time::Timestamp;

/// Which of two contents is to be the row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// The one that came first.
    Older,
    /// The one that came later.
    Newer,
}

/// Which conflicts of a table.
#[derive(Debug, Clone, Copy)]
pub enum ConflictChoice {
    /// Those in the closed interval whose row is not what is to be kept.
    Within(Keep, (Timestamp, Timestamp)),
    /// Those that this decision exchanged.
    Decided(i64),
}

/// A content that is kept beside a row.
#[derive(Debug, Clone)]
pub struct KeptContent {
    /// Its id.
    pub id: i64,
    /// Its series.
    pub series: i64,
    /// Its time.
    pub ts: Timestamp,
    /// RECORD.
    pub record: Option<i64>,
    /// The file that the conflict was found in.
    pub path: String,
    /// Where, from 1.
    pub number: u64,
    /// The text of the line, or the values as a JSON array.
    pub raw: String,
    /// The header that the line stood under. None: `raw` is a JSON array.
    pub header: Option<i64>,
    /// The header whose columns the array has, where the store keeps it.
    pub stated_by: Option<i64>,
    /// The logger's own text for the time, where it cannot be printed again.
    pub ts_text: Option<String>,
    /// The series' tag values, as a JSON array.
    pub tags: String,
    /// Whether it came before the content that is the row.
    pub is_older: bool,
}

impl ConflictChoice {
    /// The condition on `conflict c` of those that are open, and whose row is what is to be kept, with its two bounds.
    fn kept_already(self) -> Option<(&'static str, i64, i64)> {
        let ConflictChoice::Within(keep, (from, to)) = self else { return None };
        let condition = match keep {
            Keep::Newer => "c.decided IS NULL AND c.stays = 'newer' AND c.ts BETWEEN ?2 AND ?3",
            Keep::Older => "c.decided IS NULL AND c.stays = 'first' AND c.ts BETWEEN ?2 AND ?3",
        };
        Some((condition, from.nanos(), to.nanos()))
    }
}

const CONTENTS: &str = "SELECT c.id, c.series, c.ts, c.record, c.path, c.line, c.raw, c.header, c.ts_text, s.tags,
            c.stated_by, c.stays = 'newer'
     FROM conflict c JOIN series s ON s.id = c.series";
const HAS_ROW: &str = "EXISTS (SELECT 1 FROM reading r WHERE r.id = (c.series << 52 | c.ts / 1000))";

impl KeptContent {
    /// The same content at another time, with the logger's own text for it.
    pub fn at(&self, ts: Timestamp, ts_text: Option<String>) -> KeptContent {
        KeptContent { ts, ts_text, ..self.clone() }
    }

    fn read(row: &rusqlite::Row<'_>) -> rusqlite::Result<KeptContent> {
        Ok(KeptContent {
            id: row.get(0)?,
            series: row.get(1)?,
            ts: Timestamp::from_nanos(row.get(2)?),
            record: row.get(3)?,
            path: row.get(4)?,
            number: row.get::<_, i64>(5)?.cast_unsigned(),
            raw: row.get(6)?,
            header: row.get(7)?,
            ts_text: row.get(8)?,
            tags: row.get(9)?,
            stated_by: row.get(10)?,
            is_older: row.get(11)?,
        })
    }
}

/// A decision by hand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecisionLine {
    /// Its number.
    pub id: i64,
    /// When, by this computer's clock.
    pub at: Timestamp,
    /// As typed.
    pub command: String,
    /// Rows or lines that it changed.
    pub count: u64,
    /// When it was reversed; none while it holds.
    pub reversed: Option<Timestamp>,
    /// Whether it is about conflicts: it can be reversed.
    pub is_of_conflicts: bool,
}

/// The conflict that is being exchanged with its row.
#[derive(Debug, Clone)]
pub(in crate::store) struct Exchange {
    conflict: i64,
    reason: String,
    /// None: a decision is reversed.
    decision: Option<i64>,
}

impl Store {
    /// The contents to be exchanged with their rows, at most one a row.
    pub fn kept_contents(&self, table: &Table, choice: ConflictChoice) -> Result<Vec<KeptContent>> {
        let work = || -> rusqlite::Result<Vec<KeptContent>> {
            let (condition, order) = match choice {
                ConflictChoice::Within(Keep::Newer, _) => ("c.stays = 'first' AND c.ts BETWEEN ?2 AND ?3", "c.id DESC"),
                // What was a row once came before what never was.
                ConflictChoice::Within(Keep::Older, _) => {
                    ("c.stays = 'newer' AND c.ts BETWEEN ?2 AND ?3", "c.header IS NOT NULL, c.id")
                }
                ConflictChoice::Decided(_) => {
                    ("?2 = ?3 AND c.id IN (SELECT conflict FROM decided_conflict WHERE decision = ?2)", "c.id")
                }
            };
            let (from, to) = match choice {
                ConflictChoice::Within(_, (from, to)) => (from.nanos(), to.nanos()),
                ConflictChoice::Decided(id) => (id, id),
            };
            let mut statement = self.conn.prepare(&format!(
                "{CONTENTS} WHERE s.logger_table = ?1 AND {HAS_ROW} AND {condition} ORDER BY {order}"
            ))?;
            let found = statement.query_map(params![table.id, from, to], KeptContent::read)?;
            let mut rows = HashSet::new();
            let mut list = Vec::new();
            for content in found {
                let content = content?;
                if rows.insert(key::key(content.series, content.ts)) {
                    list.push(content);
                }
            }
            Ok(list)
        };
        work().map_err(|source| self.at(source))
    }

    /// How many conflicts [`Staging::confirm`] would decide.
    pub fn to_confirm(&self, table: &Table, choice: ConflictChoice) -> Result<u64> {
        let Some((condition, from, to)) = choice.kept_already() else { return Ok(0) };
        self.conn
            .query_row(
                &format!("SELECT count(*) FROM conflict c JOIN series s ON s.id = c.series WHERE s.logger_table = ?1 AND {condition}"),
                params![table.id, from, to],
                |row| row.get::<_, i64>(0),
            )
            .map(i64::cast_unsigned)
            .map_err(|source| self.at(source))
    }

    /// Every content that is kept beside a row of the series. Each is before the contents that give way to it where their row
    /// is gone.
    pub fn conflicts_of_series(&self, series: i64) -> Result<Vec<KeptContent>> {
        self.conn
            .prepare_cached(&format!("{CONTENTS} WHERE c.series = ?1 ORDER BY iif(c.stays = 'newer', -c.id, c.id)"))
            .and_then(|mut statement| statement.query_map([series], KeptContent::read)?.collect())
            .map_err(|source| self.at(source))
    }

    /// The contents of which a condition on `conflict c` holds.
    pub(in crate::store) fn contents_where(
        &self,
        condition: &str,
        values: &[&dyn rusqlite::ToSql],
    ) -> rusqlite::Result<Vec<KeptContent>> {
        let mut statement = self.conn.prepare_cached(&format!("{CONTENTS} WHERE {condition} ORDER BY c.id"))?;
        let contents = statement.query_map(values, KeptContent::read)?;
        contents.collect()
    }

    /// Every decision by hand, newest first.
    pub fn decisions(&self) -> Result<Vec<DecisionLine>> {
        self.conn
            .prepare_cached(
                "SELECT id, at, command, count, reversed,
                        EXISTS (SELECT 1 FROM decided_conflict c WHERE c.decision = decision.id)
                            OR EXISTS (SELECT 1 FROM conflict c WHERE c.decided = decision.id)
                 FROM decision ORDER BY id DESC",
            )
            .and_then(|mut statement| {
                statement
                    .query_map([], |row| {
                        Ok(DecisionLine {
                            id: row.get(0)?,
                            at: Timestamp::from_nanos(row.get(1)?),
                            command: row.get(2)?,
                            count: row.get::<_, i64>(3)?.cast_unsigned(),
                            reversed: row.get::<_, Option<i64>>(4)?.map(Timestamp::from_nanos),
                            is_of_conflicts: row.get(5)?,
                        })
                    })?
                    .collect()
            })
            .map_err(|source| self.at(source))
    }

    /// Lets the next ingest judge every rejected line of the table again that stood under a known header. Gives their number.
    pub fn judge_rejected_again(&self, table: &Table) -> Result<usize> {
        self.conn
            .execute(
                "UPDATE rejected_line SET inputs = 0 WHERE logger_table = ?1 AND header IS NOT NULL AND not_before IS NULL AND stamp IS NULL",
                [table.id],
            )
            .map_err(|source| self.at(source))
    }
}

impl Staging<'_> {
    /// Notes a decision, in the transaction of what it changes. Gives its number.
    pub fn begin_decision(&mut self, command: &str, at: Timestamp) -> Result<i64> {
        self.begin()?;
        let conn = &self.store.conn;
        conn.execute("INSERT INTO decision (at, command, count) VALUES (?1, ?2, 0)", params![at.nanos(), command])
            .map_err(|source| self.store.at(source))?;
        Ok(conn.last_insert_rowid())
    }

    /// Notes how many rows or lines the decision changed. One that changed none, and decided no conflict, is forgotten.
    pub fn end_decision(&mut self, decision: i64, count: u64) -> Result<()> {
        let work = || -> rusqlite::Result<()> {
            let conn = &self.store.conn;
            conn.execute("UPDATE decision SET count = ?2 WHERE id = ?1", params![decision, count.cast_signed()])?;
            conn.execute(
                "DELETE FROM decision WHERE id = ?1 AND count = 0 AND NOT EXISTS (SELECT 1 FROM conflict WHERE decided = ?1)",
                [decision],
            )
            .map(drop)
        };
        work().map_err(|source| self.store.at(source))
    }

    /// Notes that the decision was reversed: what it decided is open again.
    pub fn note_reversed(&mut self, decision: i64, at: Timestamp, reason: &str) -> Result<()> {
        self.begin()?;
        let work = || -> rusqlite::Result<()> {
            let conn = &self.store.conn;
            conn.execute("UPDATE decision SET reversed = ?2 WHERE id = ?1", params![decision, at.nanos()])?;
            conn.execute(
                "UPDATE conflict SET decided = NULL, reason = ?2 WHERE decided = ?1",
                params![decision, reason],
            )
            .map(drop)
        };
        work().map_err(|source| self.store.at(source))
    }

    /// The open conflicts of the table whose row is what is to be kept already are decided, too. Gives their number.
    pub fn confirm(&mut self, table: &Table, choice: ConflictChoice, decision: i64, reason: &str) -> Result<u64> {
        let Some((condition, from, to)) = choice.kept_already() else { return Ok(0) };
        self.begin()?;
        self.store
            .conn
            .execute(
                &format!(
                    "UPDATE conflict AS c SET decided = ?4, reason = ?5
                     WHERE c.series IN (SELECT id FROM series WHERE logger_table = ?1) AND {condition}"
                ),
                params![table.id, from, to, decision, reason],
            )
            .map(|confirmed| confirmed as u64)
            .map_err(|source| self.store.at(source))
    }

    /// The next row that is staged is this content, and takes the place of the row of its key.
    pub fn exchange_next(&mut self, content: &KeptContent, decision: Option<i64>, reason: &str) {
        self.exchange = Some(Exchange { conflict: content.id, reason: reason.to_owned(), decision });
    }

    /// Adds the exchanged conflict to its decision. False: nothing was exchanged.
    pub fn end_exchange(&mut self, content: &KeptContent, decision: Option<i64>) -> Result<bool> {
        if self.exchange.take().is_some() {
            return Ok(false);
        }
        if let Some(decision) = decision {
            self.store
                .conn
                .prepare_cached("INSERT OR IGNORE INTO decided_conflict (decision, conflict) VALUES (?1, ?2)")
                .and_then(|mut statement| statement.execute([decision, content.id]))
                .map_err(|source| self.store.at(source))?;
        }
        Ok(true)
    }

    /// The content kept beside the row and the row change places. What only the row has stays in it.
    pub(in crate::store) fn exchange(
        &mut self,
        table: &mut Table,
        place: usize,
        row: &Incoming<'_>,
        stored: &Stored,
        exchange: &Exchange,
    ) -> rusqlite::Result<Outcome> {
        let conn = &self.store.conn;
        let series = table.series.at(place).id;
        let stays: Option<String> = conn
            .prepare_cached("SELECT stays FROM conflict WHERE id = ?1 AND series = ?2")?
            .query_row([exchange.conflict, series], |found| found.get(0))
            .optional()?;
        let Some(stays) = stays else { return Ok(Outcome::Duplicate) };
        let now_stays = if stays == "first" { "newer" } else { "first" };
        let ts = key::time(stored.id, stored.nanos);
        let hash = content_hash(stored.record, &stored.values, &table.derived_places());
        conn.prepare_cached("UPDATE conflict SET stays = ?3, decided = ?4 WHERE series = ?1 AND ts = ?2")?
            .execute(params![series, row.ts.nanos(), now_stays, exchange.decision])?;
        conn.prepare_cached(
            "UPDATE OR REPLACE conflict SET ts = ?2, record = ?3, raw = ?4, hash = ?5, stays = ?6, reason = ?7, header = NULL,
             ts_text = ?8, stated_by = ?9 WHERE id = ?1",
        )?
        .execute(params![
            exchange.conflict,
            ts.nanos(),
            stored.record,
            stored.values,
            hash,
            now_stays,
            exchange.reason,
            stored.ts_text,
            stored.header
        ])?;
        self.take_over(table, place, row, stored)?;
        if row.tags == "[]"
            && let Some(record) = row.record
        {
            // Earlier versions did not note the number of a content.
            let stamp = table.stamp_of(row.ts);
            table.runs.add_beside(record, stamp);
        }
        Ok(Outcome::Conflict)
    }
}
