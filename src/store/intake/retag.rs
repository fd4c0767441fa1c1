//! Moves rows after a change of the tag columns in the configuration: each row gets the key that its own values give it
//! (I3, I11).
//!
//! A row that was sent is sent again under its new tags. Its old point remains in the bucket under the old ones.

use std::collections::HashMap;

use rusqlite::{Connection, OptionalExtension as _, params};

use crate::config::{ColumnUse, OnConflict, TableConfig};
use crate::store::intake::changed::Touched;
use crate::store::intake::decisions::KeptContent;
use crate::store::intake::provisional::LineState;
use crate::store::intake::staging::{Incoming, LineAt, Outcome, Staging, late};
use crate::store::intake::tables::{Table, hash_of};
use crate::store::intake::windows;
use crate::store::outbox::stale;
use crate::store::schema::key;
use crate::store::{Result, State, Store};
use crate::time::Timestamp;

/// Rows moved in one transaction.
const ROWS_AT_ONCE: i64 = 1_000;

/// A series and its tags.
#[derive(Debug, Clone)]
pub struct TaggedSeries {
    /// Its id.
    pub id: i64,
    /// The texts of its tags, in the order of the column list.
    pub tags: Vec<String>,
    /// Up to this time rows may have been pruned.
    pub pruned: Option<Timestamp>,
}

/// A row under the key that it had.
#[derive(Debug)]
pub struct OldRow {
    pub(in crate::store) id: i64,
    pub(in crate::store) nanos: i64,
    pub(in crate::store) record: Option<i64>,
    pub(in crate::store) values: String,
    pub(in crate::store) ts_text: Option<String>,
    pub(in crate::store) state: State,
    pub(in crate::store) flags: String,
    version: i64,
    pub(in crate::store) header: Option<i64>,
}

/// A row of the store that was taken out and is staged again.
pub(in crate::store) struct StagedAgain<'a> {
    /// Its key so far.
    pub(in crate::store) id: i64,
    pub(in crate::store) tags: &'a str,
    pub(in crate::store) record: Option<i64>,
    pub(in crate::store) values: &'a str,
    pub(in crate::store) header: Option<i64>,
    /// What stands in place of a file where it becomes a conflict.
    pub(in crate::store) how: &'a str,
}

/// A fingerprint of the tag columns of the configuration.
pub fn tags_inputs(config: &TableConfig) -> i64 {
    hash_of(format!("{:?}", tag_columns(config).collect::<Vec<_>>()).as_bytes())
}

fn tag_columns(config: &TableConfig) -> impl Iterator<Item = &String> {
    config.columns.iter().filter(|(_, column)| column.column_use == ColumnUse::Tag).map(|(name, _)| name)
}

/// In place of the configuration by which keys were judged, while they are: it is the fingerprint of none.
const UNDER_WAY: i64 = 0;

/// Under this key is kept up to which time rows of a series were offered to a destination that exists no more: points stand there
/// when its tags come back.
fn left_key(table: &Table, tags: &str) -> String {
    format!("left series: {} {tags}", table.id)
}

/// Points of rows that were sent under tags which they do not have any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftSeries {
    /// The table's name in the configuration.
    pub table: String,
    /// The tags, in the order of the column list of then.
    pub tags: Vec<String>,
    /// Up to this time rows were sent under them.
    pub until: Timestamp,
    /// A fingerprint of the place where their points were seen last; none until they were looked for.
    pub seen_in: Option<i64>,
    /// Under which it is kept.
    key: String,
}

/// Under this key is kept up to which time points stand under tags that rows of the table left.
fn left_points_key(table: i64, tags: &str) -> String {
    format!("{LEFT_POINTS}{table} {tags}")
}

const LEFT_POINTS: &str = "left points: ";

/// A series with the tags of one that was deleted knows what was sent of that one.
pub(in crate::store) fn remember_offered(
    conn: &Connection,
    table: &Table,
    (series, tags): (i64, &str),
) -> rusqlite::Result<()> {
    let offered: Option<String> = conn
        .prepare_cached("DELETE FROM setting WHERE key = ?1 RETURNING value")?
        .query_row([left_key(table, tags)], |row| row.get(0))
        .optional()?;
    if let Some(offered) = offered.and_then(|text| text.parse::<i64>().ok()) {
        conn.execute("UPDATE series SET offered = ?2 WHERE id = ?1", params![series, offered])?;
    }
    Ok(())
}

/// The newest row of the series is another one now. Gives its time; none where it has no row, or is gone itself.
pub(in crate::store) fn find_newest_of(conn: &Connection, series: i64) -> rusqlite::Result<Option<i64>> {
    let (first, last) = key::keys(series, key::TIMES.0, key::TIMES.1);
    conn.prepare_cached(
        "UPDATE series SET newest = (SELECT (id & 4503599627370495) * 1000 + nanos FROM reading
                                     WHERE id BETWEEN ?2 AND ?3 ORDER BY id DESC LIMIT 1)
         WHERE id = ?1 RETURNING newest",
    )?
    .query_row([series, first, last], |row| row.get(0))
    .optional()
    .map(Option::flatten)
}

/// The content belongs to another key, with this text of its time where it has none of its own. One that is kept there already
/// goes: this one tells when the content came, and what was decided about it. Gives how many went.
pub(in crate::store) fn rekey_content(
    conn: &Connection,
    id: i64,
    (series, ts): (i64, Timestamp),
    stamp: Option<&str>,
) -> rusqlite::Result<usize> {
    let gone = conn
        .prepare_cached(
            "DELETE FROM conflict WHERE series = ?2 AND ts = ?3 AND id <> ?1
             AND hash = (SELECT hash FROM conflict WHERE id = ?1)",
        )?
        .execute(params![id, series, ts.nanos()])?;
    conn.prepare_cached(
        "UPDATE conflict SET series = ?2, ts = ?3, ts_text = coalesce(ts_text, iif(header IS NULL, ?4, NULL)) WHERE id = ?1",
    )?
    .execute(params![id, series, ts.nanos(), stamp])?;
    Ok(gone)
}

const OLD_ROW: &str = "SELECT id, nanos, record, vals, ts_text, state, version, flags, header FROM reading";

impl OldRow {
    /// Orders the rows of a series.
    pub fn id(&self) -> i64 {
        self.id
    }

    /// Its time.
    pub fn ts(&self) -> Timestamp {
        key::time(self.id, self.nanos)
    }

    /// RECORD.
    pub fn record(&self) -> Option<i64> {
        self.record
    }

    pub(in crate::store) fn version(&self) -> i64 {
        self.version
    }

    fn read(row: &rusqlite::Row<'_>) -> rusqlite::Result<OldRow> {
        Ok(OldRow {
            id: row.get(0)?,
            nanos: row.get(1)?,
            record: row.get(2)?,
            values: row.get(3)?,
            ts_text: row.get(4)?,
            state: State::from_code(row.get(5)?),
            version: row.get(6)?,
            flags: row.get(7)?,
            header: row.get(8)?,
        })
    }

    /// JSON array, aligned with the column list (or shorter).
    pub fn values(&self) -> &str {
        &self.values
    }

    /// The logger's own text for the time, where it cannot be printed again from the time.
    pub fn ts_text(&self) -> Option<&str> {
        self.ts_text.as_deref()
    }
}

impl Store {
    /// Every series that rows left after they were sent, until the user says that its points are gone.
    pub fn left_series(&self) -> Result<Vec<LeftSeries>> {
        let kept = self.recall_all(LEFT_POINTS)?;
        if kept.is_empty() {
            return Ok(Vec::new());
        }
        let names = self.table_names()?;
        let read = |(key, value): (String, String)| {
            let (id, tags) = key.strip_prefix(LEFT_POINTS)?.split_once(' ')?;
            let (until, seen_in) =
                value.split_once(' ').map_or((value.as_str(), None), |(until, at)| (until, Some(at)));
            Some(LeftSeries {
                table: names.get(&id.parse().ok()?)?.clone(),
                tags: serde_json::from_str(tags).ok()?,
                until: Timestamp::from_nanos(until.parse().ok()?),
                seen_in: seen_in.and_then(|place| place.parse().ok()),
                key,
            })
        };
        Ok(kept.into_iter().filter_map(read).collect())
    }

    /// The points of a series that rows left were seen in this place.
    pub fn note_left_seen(&self, left: &LeftSeries, place: i64) -> Result<()> {
        let until = left.until.nanos().to_string();
        self.conn
            .execute(
                "UPDATE setting SET value = ?2 || ' ' || ?3 WHERE key = ?1 AND (value = ?2 OR value LIKE ?2 || ' %')",
                params![left.key, until, place],
            )
            .map(drop)
            .map_err(|source| self.at(source))
    }

    /// The points of a series that rows left are gone.
    pub fn forget_left(&self, left: &LeftSeries) -> Result<()> {
        // Rows may have left the series again meanwhile.
        let until = left.until.nanos().to_string();
        self.conn
            .execute(
                "DELETE FROM setting WHERE key = ?1 AND (value = ?2 OR value LIKE ?2 || ' %')",
                params![left.key, until],
            )
            .map(drop)
            .map_err(|source| self.at(source))
    }

    /// The user says that points under earlier tags of the table are gone, or may stay. Gives whether there were any.
    pub fn forget_left_series(&self, table: &str) -> Result<bool> {
        let names = self.table_names()?;
        let Some(id) = names.iter().find(|(_, name)| *name == table).map(|(id, _)| *id) else { return Ok(false) };
        Ok(self.forget(&left_points_key(id, ""))? > 0)
    }

    fn table_names(&self) -> Result<HashMap<i64, String>> {
        self.conn
            .prepare_cached("SELECT id, name FROM logger_table")
            .and_then(|mut statement| statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect())
            .map_err(|source| self.at(source))
    }

    /// The configuration by which the keys of the table's rows were judged last.
    pub fn tags_judged_by(&self, table: &Table) -> Result<Option<i64>> {
        self.conn
            .prepare_cached("SELECT tags_inputs FROM logger_table WHERE id = ?1")
            .and_then(|mut statement| statement.query_row([table.id], |row| row.get(0)))
            .map_err(|source| self.at(source))
    }

    /// Whether the next ingest gives the rows of the table other tags. A tag column that no file has changes nothing.
    pub fn is_retagging_due(&self, config: &TableConfig) -> Result<bool> {
        let judged: Option<i64> = self
            .conn
            .prepare_cached("SELECT tags_inputs FROM logger_table WHERE name = ?1")
            .and_then(|mut statement| statement.query_row([&config.name.0], |row| row.get(0)).optional())
            .map_err(|source| self.at(source))?
            .flatten();
        if judged.is_none_or(|judged| judged == tags_inputs(config)) {
            return Ok(false);
        }
        let names = self.column_names(&config.name.0)?;
        let mut tags = tag_columns(config).peekable();
        Ok(tags.peek().is_none() || tags.any(|tag| names.contains(tag)))
    }

    /// The series of the table.
    pub fn series_with_tags(&self, table: &Table) -> Result<Vec<TaggedSeries>> {
        self.conn
            .prepare_cached("SELECT id, tags, pruned FROM series WHERE logger_table = ?1")
            .and_then(|mut statement| {
                statement
                    .query_map([table.id], |row| {
                        Ok(TaggedSeries {
                            id: row.get(0)?,
                            tags: serde_json::from_str(&row.get::<_, String>(1)?).unwrap_or_default(),
                            pruned: row.get::<_, Option<i64>>(2)?.map(Timestamp::from_nanos),
                        })
                    })?
                    .collect()
            })
            .map_err(|source| self.at(source))
    }

    /// The next rows of a series behind the row `after`.
    pub fn old_rows(&self, series: i64, after: Option<i64>) -> Result<Vec<OldRow>> {
        let (first, last) = key::keys(series, key::TIMES.0, key::TIMES.1);
        self.old_rows_between(after.map_or(first, |id| id + 1), last)
    }

    pub(in crate::store) fn old_rows_between(&self, first: i64, last: i64) -> Result<Vec<OldRow>> {
        self.conn
            .prepare_cached(&format!("{OLD_ROW} WHERE id BETWEEN ?1 AND ?2 ORDER BY id LIMIT ?3"))
            .and_then(|mut statement| statement.query_map(params![first, last, ROWS_AT_ONCE], OldRow::read)?.collect())
            .map_err(|source| self.at(source))
    }

    pub(in crate::store) fn old_rows_with_records(
        &self,
        (first, last): (i64, i64),
        (from, until): (i64, i64),
    ) -> Result<Vec<OldRow>> {
        self.conn
            .prepare_cached(&format!(
                "{OLD_ROW} WHERE id BETWEEN ?1 AND ?2 AND record >= ?3 AND record < ?4 ORDER BY id LIMIT ?5"
            ))
            .and_then(|mut statement| {
                statement.query_map(params![first, last, from, until, ROWS_AT_ONCE], OldRow::read)?.collect()
            })
            .map_err(|source| self.at(source))
    }

    /// The rows from one key to another, both included.
    pub(in crate::store) fn rows_of_keys(&self, first: i64, last: i64) -> rusqlite::Result<Vec<OldRow>> {
        let mut statement = self.conn.prepare_cached(&format!("{OLD_ROW} WHERE id BETWEEN ?1 AND ?2 ORDER BY id"))?;
        let rows = statement.query_map([first, last], OldRow::read)?;
        rows.collect()
    }
}

impl Staging<'_> {
    /// Rows left these tags for others. Gives whether any of them may be in a bucket; their points then stay there under the old
    /// tags.
    pub fn note_left_series(&mut self, table: &Table, series: &TaggedSeries) -> Result<bool> {
        self.begin()?;
        let Some(offered) = self.store.offered(series.id)? else { return Ok(false) };
        let tags = serde_json::to_string(&series.tags).unwrap_or_default();
        self.store.remember(&left_points_key(table.id, &tags), &offered.nanos().to_string())?;
        Ok(true)
    }

    /// Rows have these tags again, so that points under them are theirs.
    pub fn note_returned_to(&mut self, table: &Table, tags: &str) -> Result<()> {
        self.begin()?;
        self.store.forget_one(&left_points_key(table.id, tags))
    }

    /// Notes that rows of the series have changed, in the transaction that moves them: a summary of it is outdated. Some of
    /// them may stay.
    pub fn note_left(&mut self, series: i64, rows: &[OldRow]) -> Result<()> {
        self.begin()?;
        let mut touched = Touched::default();
        rows.iter().for_each(|row| touched.add_key(row.id));
        touched.mark(&self.store.conn, series).map_err(|source| self.store.at(source))
    }

    /// Gives the row its new key. The same row may be there already. [`Staging::note_left`] belongs to it.
    pub fn move_row(&mut self, table: &mut Table, row: &OldRow, tags: &str) -> Result<()> {
        self.take_out(table, row)?;
        self.put_in(table, row, tags, (row.ts(), row.ts_text.as_deref()))?;
        self.mark_returned(table, row.ts()).map_err(|source| self.store.at(source))
    }

    /// Where rows of the series were sent before, this one may be back after a change of tags, and its point may hold a value or a
    /// flag that the row does not send any more.
    fn mark_returned(&self, table: &Table, ts: Timestamp) -> rusqlite::Result<()> {
        let Some(series) = table.series.latest() else { return Ok(()) };
        let conn = &self.store.conn;
        if stale::offered(conn, series.id)?.is_none_or(|offered| ts > offered) {
            return Ok(());
        }
        stale::insert(conn, key::key(series.id, ts), key::nanos(ts))
    }

    /// Deletes a row that gets another key.
    pub(in crate::store) fn take_out(&mut self, table: &Table, row: &OldRow) -> Result<()> {
        self.begin()?;
        let conn = &self.store.conn;
        let gone = || -> rusqlite::Result<()> {
            conn.prepare_cached("DELETE FROM reading WHERE id = ?1")?.execute([row.id])?;
            windows::note(conn, key::series(row.id), &[windows::grain_of(row.ts())].into())?;
            // What the server said of it; the next row of the key is another one.
            conn.prepare_cached("DELETE FROM refused_row WHERE id = ?1")?.execute([row.id])?;
            let state = row.state.word();
            conn.prepare_cached(&format!(
                "UPDATE logger_table SET rows = rows - 1, {state} = {state} - 1 WHERE id = ?1"
            ))?
            .execute([table.id])
            .map(drop)
        };
        gone().map_err(|source| self.store.at(source))
    }

    /// A row was read whose tags the store's arrays spell in another way. The same row under tags of that spelling is from before
    /// the column was a tag.
    pub(in crate::store) fn drop_twin(&mut self, table: &mut Table, place: usize, row: &Incoming<'_>) -> Result<()> {
        let series = table.series.at(place).id;
        let Some(twin) = table.series.twin_of(series, row.tags) else { return Ok(()) };
        let id = key::key(twin, row.ts);
        let mut rows = self.store.rows_of_keys(id, id).map_err(|source| self.store.at(source))?;
        rows.retain(|other| other.ts() == row.ts && other.record == row.record && other.values == row.values);
        self.drop_rows(table, twin, &rows)
    }

    /// Deletes rows of a series that are none. Their points are marked for removal if they may be in a bucket.
    pub(in crate::store) fn drop_rows(&mut self, table: &mut Table, series: i64, rows: &[OldRow]) -> Result<()> {
        let Some(place) = table.series.place_of(series).filter(|_| !rows.is_empty()) else { return Ok(()) };
        let offered = stale::offered(&self.store.conn, series).map_err(|source| self.store.at(source))?;
        for row in rows {
            if offered.is_some_and(|offered| row.ts() <= offered) {
                stale::insert_gone(&self.store.conn, row).map_err(|source| self.store.at(source))?;
            }
            self.take_out(table, row)?;
            self.count_row();
            late(table, place, row.ts());
        }
        let newest = find_newest_of(&self.store.conn, series).map_err(|source| self.store.at(source))?;
        let series = table.series.at(place);
        series.newest = newest.map(Timestamp::from_nanos);
        series.newest_saved = series.newest;
        Ok(())
    }

    /// Stages a row that was taken out, at this time, with the logger's own text for it.
    pub(in crate::store) fn put_in(
        &mut self,
        table: &mut Table,
        row: &OldRow,
        tags: &str,
        (ts, ts_text): (Timestamp, Option<&str>),
    ) -> Result<()> {
        let again = StagedAgain {
            id: row.id,
            tags,
            record: row.record,
            values: &row.values,
            header: row.header,
            how: "moved in the database",
        };
        self.stage_again(table, &again, (ts, ts_text)).map(drop)
    }

    /// Stages a row of the store at this time, with the logger's own text for it.
    pub(in crate::store) fn stage_again(
        &mut self,
        table: &mut Table,
        row: &StagedAgain<'_>,
        (ts, ts_text): (Timestamp, Option<&str>),
    ) -> Result<Outcome> {
        let (values, numbers) = table.values_at(row.values, ts);
        let line = LineAt { path: row.how, number: 0, raw: row.values.as_bytes(), state: LineState::Whole };
        let incoming = Incoming {
            tags: row.tags,
            ts,
            record: row.record,
            values: &values,
            numbers: &numbers,
            ts_text,
            line,
            header: None,
            stated_by: row.header,
            is_part: false,
        };
        let outcome = self.stage(table, &incoming, OnConflict::Keep)?;
        if let (Outcome::Staged, Some(series)) = (outcome, table.series.latest()) {
            let to = key::key(series.id, ts);
            self.move_provisional(table, row.id, to).map_err(|source| self.store.at(source))?;
        }
        Ok(outcome)
    }

    /// The content was staged again, with this outcome, under the key that its own values give it. It is deleted where it is a
    /// row now, and moves to the row of its new key where it is still none.
    pub fn resolve_conflict(&mut self, table: &mut Table, content: &KeptContent, outcome: Outcome) -> Result<()> {
        let Some(series) = table.series.latest().map(|series| series.id) else { return Ok(()) };
        if outcome == Outcome::Conflict && series == content.series {
            return Ok(());
        }
        self.begin()?;
        let conn = &self.store.conn;
        let work = || -> rusqlite::Result<usize> {
            if outcome != Outcome::Conflict {
                return conn.prepare_cached("DELETE FROM conflict WHERE id = ?1")?.execute([content.id]);
            }
            rekey_content(conn, content.id, (series, content.ts), None)
        };
        let gone = work().map_err(|source| self.store.at(source))?;
        table.tally.conflicts -= i64::try_from(gone).unwrap_or(0);
        Ok(())
    }

    /// The newest row of each series is another one now.
    pub fn find_newest(&mut self, table: &mut Table) -> Result<()> {
        self.begin()?;
        for series in table.series.iter_mut() {
            let newest = find_newest_of(&self.store.conn, series.id).map_err(|source| self.store.at(source))?;
            series.newest = newest.map(Timestamp::from_nanos);
            series.newest_saved = series.newest;
        }
        Ok(())
    }

    /// Notes, with the first row that moves, that some rows may have other tags than the rest. A configuration that comes back
    /// before the end is not taken for the one that judged them.
    pub fn begin_retagging(&mut self, table: &Table) -> Result<()> {
        self.begin()?;
        let conn = &self.store.conn;
        conn.execute("UPDATE logger_table SET tags_inputs = ?2 WHERE id = ?1", params![table.id, UNDER_WAY])
            .map(drop)
            .map_err(|source| self.store.at(source))
    }

    /// Forgets those of the series that have no row any more, and notes by which configuration the keys were judged.
    pub fn end_retagging(&mut self, table: &Table, seen: &[i64], inputs: i64) -> Result<()> {
        self.begin()?;
        let work = || -> rusqlite::Result<()> {
            let conn = &self.store.conn;
            for series in seen {
                if find_newest_of(conn, *series)?.is_none() {
                    conn.execute("DELETE FROM backlog WHERE series = ?1", [series])?;
                    let gone: Option<(String, Option<i64>)> = conn
                        .query_row(
                            "DELETE FROM series WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM conflict WHERE series = ?1)
                             AND NOT EXISTS (SELECT 1 FROM due_window WHERE series = ?1)
                             RETURNING tags, offered",
                            [series],
                            |row| Ok((row.get(0)?, row.get(1)?)),
                        )
                        .optional()?;
                    if let Some((tags, Some(offered))) = gone {
                        conn.execute(
                            "INSERT OR REPLACE INTO setting (key, value) VALUES (?1, ?2)",
                            params![left_key(table, &tags), offered.to_string()],
                        )?;
                    }
                }
            }
            conn.execute("UPDATE logger_table SET tags_inputs = ?2 WHERE id = ?1", params![table.id, inputs]).map(drop)
        };
        work().map_err(|source| self.store.at(source))
    }
}
