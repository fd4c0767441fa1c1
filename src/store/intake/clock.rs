//! Moves rows after a correction of the logger's clock in the configuration: each row gets the time that its stamp
//! means now (I3, I11).
//!
//! First every row that moves is taken out of the table, then each is put back under its new key, in short
//! transactions. If the program is killed in between, the next run finds the rows that were taken out, and the clock by
//! which they are put back. A row that was sent is sent again; its old point is marked for removal in the transaction
//! that takes the row out.

use rusqlite::{OptionalExtension as _, params};

use crate::config::TableConfig;
use crate::store::intake::decisions::KeptContent;
use crate::store::intake::record_runs::all_runs;
use crate::store::intake::retag::{OldRow, StagedAgain, find_newest_of, rekey_content};
use crate::store::intake::staging::{Outcome, Staging, late};
use crate::store::intake::tables::Table;
use crate::store::intake::taken_key::content_hash;
use crate::store::judge::flagging::verdict_columns;
use crate::store::outbox::stale;
use crate::store::schema::key;
use crate::store::{Result, Store};
use crate::time::{Interval, LocalTime, LoggerClock, Timestamp};

/// Rows in one transaction.
const ROWS_AT_ONCE: i64 = 1_000;
/// Counts the moves of this database.
const MOVES: &str = "clock moves";
/// A row that moves gets a version above all that any row of an earlier move can have had: a request in flight may carry
/// another row of the same key.
const VERSIONS_PER_MOVE: i64 = 1 << 20;

/// By which clock the rows of a table were staged.
#[derive(Debug, Clone, PartialEq)]
pub struct StagedClock {
    /// Offsets from UTC and corrections; none where another program wrote what this one cannot read.
    pub clock: Option<LoggerClock>,
    /// The offsets as text.
    pub offsets: String,
    /// An earlier move took out every row, and puts them back by this clock.
    pub moving_to: Option<LoggerClock>,
    /// Rows were taken out and not all put back.
    pub is_moving: bool,
    /// Whether it has rows.
    pub has_rows: bool,
}

/// A row that was taken out.
#[derive(Debug, Clone)]
pub struct MovingRow {
    place: i64,
    id: i64,
    /// Its series.
    pub series: i64,
    /// Its time so far.
    pub ts: Timestamp,
    /// What the logger wrote.
    pub stamp: LocalTime,
    /// RECORD.
    pub record: Option<i64>,
    /// JSON array, aligned with the column list (or shorter).
    pub values: String,
    /// The logger's own text, where the stamp does not print it.
    pub ts_text: Option<String>,
    /// The series' tag values, as a JSON array.
    pub tags: String,
    /// The header that it stands under, where the store keeps it.
    pub header: Option<i64>,
}

impl Store {
    /// None: the table was never read.
    pub fn staged_clock(&self, config: &TableConfig) -> Result<Option<StagedClock>> {
        let work = || {
            self.conn
                .prepare_cached(
                    "SELECT clock, corrections, moving_clock, moving_corrections, rows,
                            EXISTS (SELECT 1 FROM moving m CROSS JOIN series s ON s.id = m.series WHERE s.logger_table = t.id)
                     FROM logger_table t WHERE name = ?1",
                )?
                .query_row([&config.name.0], |row| {
                    let texts = |first: Option<String>, second: Option<String>| {
                        LoggerClock::from_texts(&first?, second.as_deref())
                    };
                    let offsets: String = row.get(0)?;
                    Ok(StagedClock {
                        clock: texts(Some(offsets.clone()), row.get(1)?),
                        offsets,
                        moving_to: texts(row.get(2)?, row.get(3)?),
                        is_moving: row.get(5)?,
                        has_rows: row.get::<_, i64>(4)? > 0,
                    })
                })
                .optional()
        };
        work().map_err(|source| self.at(source))
    }

    /// The next rows of the series in the interval behind the row `after`.
    pub fn rows_in(&self, series: i64, interval: Interval, after: Option<i64>) -> Result<Vec<OldRow>> {
        let (first, last) = key::keys_in(series, interval);
        self.old_rows_between(after.map_or(first, |id| id + 1), last)
    }

    /// The next rows of the series from a time on, or behind the row `after`, whose record numbers are in the half-open range.
    pub fn rows_with_records(
        &self,
        series: i64,
        from: Timestamp,
        records: (i64, i64),
        after: Option<i64>,
    ) -> Result<Vec<OldRow>> {
        let (first, last) = key::keys(series, from, Timestamp::MAX);
        self.old_rows_with_records((after.map_or(first, |id| id + 1), last), records)
    }

    /// The time up to which rows of the series were pruned.
    pub fn pruned(&self, series: i64) -> Result<Option<Timestamp>> {
        self.conn
            .prepare_cached("SELECT pruned FROM series WHERE id = ?1")
            .and_then(|mut statement| statement.query_row([series], |row| row.get::<_, Option<i64>>(0)))
            .map(|pruned| pruned.map(Timestamp::from_nanos))
            .map_err(|source| self.at(source))
    }

    /// The next rows of the table that were taken out, in the order of their series.
    pub fn moving_rows(&self, table: &Table) -> Result<Vec<MovingRow>> {
        self.conn
            .prepare_cached(
                "SELECT m.place, m.id, m.nanos, m.stamp, m.record, m.vals, m.ts_text, s.tags, m.header, s.id FROM series s
                 CROSS JOIN moving m ON m.series = s.id WHERE s.logger_table = ?1 ORDER BY m.series, m.place LIMIT ?2",
            )
            .and_then(|mut statement| {
                statement
                    .query_map(params![table.id, ROWS_AT_ONCE], |row| {
                        let id = row.get(1)?;
                        Ok(MovingRow {
                            place: row.get(0)?,
                            id,
                            ts: key::time(id, row.get(2)?),
                            stamp: LocalTime::from_nanos(row.get(3)?),
                            record: row.get(4)?,
                            values: row.get(5)?,
                            ts_text: row.get(6)?,
                            tags: row.get(7)?,
                            header: row.get(8)?,
                            series: row.get(9)?,
                        })
                    })?
                    .collect()
            })
            .map_err(|source| self.at(source))
    }

    /// Series, stamp and record number of each row of the table that was taken out.
    pub fn moving_stamps(&self, table: &Table, mut take: impl FnMut(i64, LocalTime, Option<i64>)) -> Result<()> {
        let mut work = || -> rusqlite::Result<()> {
            let mut statement = self.conn.prepare_cached(
                "SELECT s.id, m.stamp, m.record FROM series s CROSS JOIN moving m ON m.series = s.id WHERE s.logger_table = ?1",
            )?;
            let mut rows = statement.query([table.id])?;
            while let Some(row) = rows.next()? {
                take(row.get(0)?, LocalTime::from_nanos(row.get(1)?), row.get(2)?);
            }
            Ok(())
        };
        work().map_err(|source| self.at(source))
    }

    /// The time up to which rows of the series may be in a bucket; none if no row ever was in a plan.
    pub fn offered(&self, series: i64) -> Result<Option<Timestamp>> {
        stale::offered(&self.conn, series).map_err(|source| self.at(source))
    }

    /// Whether the series has a row at this time, or may have had one that was pruned.
    pub fn has_row_at(&self, content: &KeptContent) -> Result<bool> {
        self.conn
            .prepare_cached(
                "SELECT EXISTS (SELECT 1 FROM reading WHERE id = ?1)
                     OR EXISTS (SELECT 1 FROM series WHERE id = ?2 AND pruned >= ?3)",
            )
            .and_then(|mut statement| {
                let id = key::key(content.series, content.ts);
                statement.query_row(params![id, content.series, content.ts.nanos()], |row| row.get(0))
            })
            .map_err(|source| self.at(source))
    }
}

impl Staging<'_> {
    /// Takes the row out. Its point is marked for removal if it may be in a bucket.
    pub fn take_out_moving(&mut self, table: &mut Table, tags: &str, row: &OldRow, stamp: LocalTime) -> Result<()> {
        self.begin()?;
        self.count_row();
        let Some(place) = table.series.find(tags) else { return Ok(()) };
        let series = table.series.at(place).id;
        let ts = key::time(row.id, row.nanos);
        let conn = &self.store.conn;
        let work = || -> rusqlite::Result<()> {
            conn.prepare_cached(
                "INSERT INTO moving (series, id, nanos, stamp, record, vals, ts_text, header)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            )?
            .execute(params![
                series,
                row.id,
                row.nanos,
                stamp.nanos_since(LocalTime::from_nanos(0)),
                row.record,
                row.values,
                row.ts_text,
                row.header
            ])?;
            if stale::offered(conn, series)?.is_some_and(|offered| ts <= offered) {
                stale::insert_gone(conn, row)?;
            }
            Ok(())
        };
        work().map_err(|source| self.store.at(source))?;
        self.take_out(table, row)?;
        // Its neighbours are judged without it.
        late(table, place, ts);
        Ok(())
    }

    /// The rows behind this one are staged with these corrections, by which every row before keeps its time.
    pub fn keep_corrections(&mut self, table: &Table, clock: &LoggerClock) -> Result<()> {
        self.begin()?;
        self.store
            .conn
            .prepare_cached("UPDATE logger_table SET corrections = ?2 WHERE id = ?1")
            .and_then(|mut statement| statement.execute(params![table.id, clock.corrections_text()]))
            .map(drop)
            .map_err(|source| self.store.at(source))
    }

    /// The row does not move, but by the new clock its stamp does not follow from its time.
    pub fn keep_stamp(&mut self, row: &OldRow, stamp: LocalTime) -> Result<()> {
        self.begin()?;
        self.count_row();
        self.store
            .conn
            .prepare_cached("UPDATE reading SET ts_text = ?2 WHERE id = ?1 AND ts_text IS NULL")
            .and_then(|mut statement| statement.execute(params![row.id, stamp.to_string()]))
            .map(drop)
            .map_err(|source| self.store.at(source))
    }

    /// Every row that moves is taken out: from now on they are put back by this clock.
    pub fn begin_placing(&mut self, table: &Table, clock: &LoggerClock) -> Result<()> {
        self.begin()?;
        self.store
            .conn
            .execute(
                "UPDATE logger_table SET moving_clock = ?2, moving_corrections = ?3 WHERE id = ?1",
                params![table.id, clock.offsets(), clock.corrections_text()],
            )
            .map(drop)
            .map_err(|source| self.store.at(source))
    }

    /// Counts a move, and gives the version of the rows that it puts back.
    pub fn version_of_move(&mut self) -> Result<i64> {
        self.begin()?;
        let before = self.store.recall(MOVES)?.and_then(|text| text.parse::<i64>().ok()).unwrap_or(0);
        self.store.remember(MOVES, &(before + 1).to_string())?;
        Ok((before + 1).saturating_mul(VERSIONS_PER_MOVE))
    }

    /// Puts a row back under the time that its stamp means.
    pub fn put_back(
        &mut self,
        table: &mut Table,
        row: &MovingRow,
        (ts, ts_text): (Timestamp, Option<&str>),
        version: i64,
    ) -> Result<Outcome> {
        let again = StagedAgain {
            id: row.id,
            tags: &row.tags,
            record: row.record,
            values: &row.values,
            header: row.header,
            how: "moved by its clock",
        };
        self.moving = Some(version);
        let outcome = self.stage_again(table, &again, (ts, ts_text));
        self.moving = None;
        let outcome = outcome?;
        if outcome == Outcome::Conflict {
            // By its own stamp, and not by that of the time where it stands now, it moves with the contents and back again.
            self.note_stamp_of_conflict(table, row, ts, version).map_err(|source| self.store.at(source))?;
        }
        if let (Outcome::Staged, Some(series)) = (outcome, table.series.latest()) {
            let to = key::key(series.id, ts);
            self.overwrites(table, to, ts).map_err(|source| self.store.at(source))?;
        }
        self.forget_moving(row)?;
        Ok(outcome)
    }

    /// It came before a row that stays where it is if its time so far was an earlier one.
    fn note_stamp_of_conflict(
        &self,
        table: &Table,
        row: &MovingRow,
        ts: Timestamp,
        version: i64,
    ) -> rusqlite::Result<()> {
        let Some(series) = table.series.latest().map(|series| series.id) else { return Ok(()) };
        let hash = content_hash(row.record, &row.values, &table.derived_places());
        self.store
            .conn
            .prepare_cached(
                "UPDATE conflict SET ts_text = coalesce(ts_text, ?4), stays = iif(
                        ?5 AND EXISTS (SELECT 1 FROM reading WHERE id = ?6 AND version < ?7), 'newer', stays)
                 WHERE series = ?1 AND ts = ?2 AND hash = ?3",
            )?
            .execute(params![
                series,
                ts.nanos(),
                hash,
                row.stamp.to_string(),
                row.ts < ts,
                key::key(series, ts),
                version
            ])
            .map(drop)
    }

    /// The point of a row that was here before needs no removal where the row that is here now writes each of its fields.
    fn overwrites(&self, table: &Table, id: i64, ts: Timestamp) -> rusqlite::Result<()> {
        let Some(judge) = &table.judge else { return Ok(()) };
        let conn = &self.store.conn;
        let before: Option<String> = conn
            .prepare_cached("SELECT flags FROM stale_point WHERE id = ?1 AND nanos = ?2 AND gone = 1")?
            .query_row([id, key::nanos(ts)], |row| row.get(0))
            .optional()?
            .flatten();
        let (flags, _) = verdict_columns(&self.verdict);
        if before.is_some_and(|before| judge.sent.overwrites(&before, flags)) {
            conn.prepare_cached("DELETE FROM stale_point WHERE id = ?1 AND nanos = ?2")?
                .execute([id, key::nanos(ts)])?;
        }
        Ok(())
    }

    /// What becomes of the contents that are staged while this holds is not what a file says next: record numbers were seen.
    pub fn set_moving(&mut self, version: Option<i64>) {
        self.moving = version;
    }

    /// The row is a line again, because its stamp means no time that a row can have.
    pub fn forget_moving(&mut self, row: &MovingRow) -> Result<()> {
        self.store
            .conn
            .prepare_cached("DELETE FROM moving WHERE place = ?1")
            .and_then(|mut statement| statement.execute([row.place]))
            .map(drop)
            .map_err(|source| self.store.at(source))
    }

    /// The content was staged again at `ts`, with this outcome. It is deleted where it is a row now, and stays with its
    /// number and what was decided about it beside the row of its new time where it is none.
    pub fn resolve_moved(
        &mut self,
        table: &mut Table,
        content: &KeptContent,
        outcome: Outcome,
        (ts, stamp): (Timestamp, Option<&str>),
    ) -> Result<()> {
        let Some(series) = table.series.latest().map(|series| series.id) else { return Ok(()) };
        if outcome == Outcome::Conflict && series == content.series && ts == content.ts {
            return Ok(());
        }
        self.begin()?;
        let conn = &self.store.conn;
        let work = || -> rusqlite::Result<usize> {
            if outcome != Outcome::Conflict {
                return conn.prepare_cached("DELETE FROM conflict WHERE id = ?1")?.execute([content.id]);
            }
            rekey_content(conn, content.id, (series, ts), stamp)
        };
        let gone = work().map_err(|source| self.store.at(source))?;
        table.tally.conflicts -= i64::try_from(gone).unwrap_or(0);
        if outcome == Outcome::Staged {
            self.overwrites(table, key::key(series, ts), ts).map_err(|source| self.store.at(source))?;
        }
        Ok(())
    }

    /// Every row is back: what is known of record numbers moves too, and the table's clock is this one.
    ///
    /// `instant` gives the time of a row from its stamp, its record number and its time so far.
    pub fn end_moving(
        &mut self,
        table: &Table,
        (old, new): (&LoggerClock, &LoggerClock),
        instant: impl Fn(LocalTime, i64, Timestamp) -> Timestamp,
    ) -> Result<()> {
        self.begin()?;
        let moved = |ts: Timestamp, record: i64| instant(old.stamp(ts, Some(record)), record, ts).nanos();
        self.move_what_is_known(table, new, moved).map_err(|source| self.store.at(source))?;
        self.store.forget(&format!("{}{}", Store::OFFSETS_SEEN, table.name)).map(drop)
    }

    fn move_what_is_known(
        &self,
        table: &Table,
        new: &LoggerClock,
        moved: impl Fn(Timestamp, i64) -> i64,
    ) -> rusqlite::Result<()> {
        let conn = &self.store.conn;
        for run in all_runs(conn, table.id)? {
            conn.prepare_cached(
                "UPDATE record_run SET first_ts = ?4, last_ts = ?5 WHERE logger_table = ?1 AND epoch = ?2 AND first_record = ?3",
            )?
            .execute(params![
                table.id,
                run.epoch,
                run.first,
                moved(run.first_ts, run.first),
                moved(run.last_ts, run.last)
            ])?;
        }
        let events: Vec<(i64, [(i64, i64); 2])> = conn
            .prepare_cached(
                "SELECT id, record_before, ts_before, record_after, ts_after FROM clock_event WHERE logger_table = ?1",
            )?
            .query_map([table.id], |row| Ok((row.get(0)?, [(row.get(1)?, row.get(2)?), (row.get(3)?, row.get(4)?)])))?
            .collect::<rusqlite::Result<_>>()?;
        for (id, ends) in events {
            let [before, after] = ends.map(|(record, nanos)| moved(Timestamp::from_nanos(nanos), record));
            conn.prepare_cached("UPDATE OR REPLACE clock_event SET ts_before = ?2, ts_after = ?3 WHERE id = ?1")?
                .execute([id, before, after])?;
        }
        for series in table.series_ids() {
            find_newest_of(conn, series)?;
        }
        conn.execute(
            "UPDATE logger_table SET clock = ?2, corrections = ?3, moving_clock = NULL, moving_corrections = NULL
             WHERE id = ?1",
            params![table.id, new.offsets(), new.corrections_text()],
        )
        .map(drop)
    }
}
