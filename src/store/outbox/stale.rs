//! Stale points: points in a bucket that may hold fields which their rows no longer send.
//!
//! A mark is written in the transaction that changes the row's content, and deleted when a server has acknowledged the
//! removal of the point, so no stale point can be forgotten. A row that was never offered to a destination gets no
//! mark, and neither does a change that removes no field ([`SentFields::loses`]).

use rusqlite::{Connection, OptionalExtension as _, Transaction, TransactionBehavior, params};

use crate::store::intake::lost::{Content, SentFields};
use crate::store::intake::retag::OldRow;
use crate::store::schema::key;
use crate::store::{Result, Store};
use crate::time::{Interval, Timestamp};

/// The most points of one run, and about the most of one answer: a single transaction deletes their marks while an
/// ingest waits for it.
const MOST_POINTS: usize = 20_000;

/// The time up to which rows of the series may be in a bucket; None if no row was ever planned for sending.
pub(in crate::store) fn offered(conn: &Connection, series: i64) -> rusqlite::Result<Option<Timestamp>> {
    let found = conn
        .prepare_cached("SELECT offered FROM series WHERE id = ?1")?
        .query_row([series], |row| row.get::<_, Option<i64>>(0))
        .optional()?;
    Ok(found.flatten().map(Timestamp::from_nanos))
}

/// A row whose content changes.
pub(in crate::store) struct Change<'a> {
    /// `reading.id`.
    pub(in crate::store) id: i64,
    /// The row's time before the change.
    pub(in crate::store) ts: Timestamp,
    pub(in crate::store) before: Content<'a>,
    pub(in crate::store) after: Content<'a>,
}

/// Marks the row's point if the change loses a field and the point may be in a bucket according to `offered`.
pub(in crate::store) fn mark(
    conn: &Connection,
    offered: Option<Timestamp>,
    fields: &SentFields,
    change: &Change<'_>,
) -> rusqlite::Result<()> {
    if offered.is_none_or(|offered| change.ts > offered) || !fields.loses(change.before, change.after) {
        return Ok(());
    }
    insert(conn, change.id, key::nanos(change.ts))
}

/// Marks a point.
pub(in crate::store) fn insert(conn: &Connection, id: i64, nanos: i64) -> rusqlite::Result<()> {
    conn.prepare_cached("INSERT OR IGNORE INTO stale_point (id, nanos) VALUES (?1, ?2)")?
        .execute(params![id, nanos])
        .map(drop)
}

/// Marks a point whose row now has another time.
pub(in crate::store) fn insert_gone(conn: &Connection, row: &OldRow) -> rusqlite::Result<()> {
    // If a point is marked twice, it holds the fields of two rows, and no flags describe it.
    conn.prepare_cached(
        "INSERT INTO stale_point (id, nanos, gone, record, flags) VALUES (?1, ?2, 1, ?3, ?4)
         ON CONFLICT (id, nanos) DO UPDATE SET gone = 1, record = excluded.record, flags = NULL",
    )?
    .execute(params![row.id, row.nanos, row.record, row.flags])
    .map(drop)
}

/// A series with stale points.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StaleSeries {
    /// Its id.
    pub series: i64,
    /// Its table's name in the configuration.
    pub table: String,
    /// The number of stale points.
    pub points: u64,
    /// The number of points that have no row at their time, because the row now has another time.
    pub gone: u64,
    /// The times of the first and of the last of them.
    pub span: (Timestamp, Timestamp),
}

/// A series of the store, with what the removal of a point needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownSeries {
    /// Its id.
    pub series: i64,
    /// Its table's name in the configuration.
    pub table: String,
    /// The values of its tag columns, in the order of the columns.
    pub tags: Vec<String>,
    /// Up to and including this time the bucket may hold points of rows that were pruned here.
    pub pruned: Option<Timestamp>,
}

/// Points of one series that can be removed with one request: either one point, or the points of rows with consecutive
/// record numbers, between which the logger wrote no other row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StaleRun {
    /// Time of the first point.
    pub from: Timestamp,
    /// Time of the last point.
    pub to: Timestamp,
    /// Key and nanoseconds of each point.
    marks: Vec<(i64, i64)>,
}

impl StaleRun {
    /// The number of points.
    pub fn points(&self) -> usize {
        self.marks.len()
    }
}

/// A mark, with the record number of its row.
struct Mark {
    id: i64,
    nanos: i64,
    /// RECORD, if the point is that of the row and not of one that the row replaced.
    record: Option<i64>,
    /// Whether its row now has another time.
    gone: bool,
}

impl Store {
    /// Stores that rows of these series up to these times are about to be offered to a destination.
    pub fn note_offered(&self, series: &[(i64, Timestamp)]) -> Result<()> {
        let work = || -> rusqlite::Result<()> {
            let known = series.iter().map(|(id, to)| Ok(offered(&self.conn, *id)?.is_some_and(|known| known >= *to)));
            if known.collect::<rusqlite::Result<Vec<bool>>>()?.into_iter().all(|known| known) {
                return Ok(());
            }
            let transaction = Transaction::new_unchecked(&self.conn, TransactionBehavior::Immediate)?;
            for (id, to) in series {
                transaction
                    .prepare_cached("UPDATE series SET offered = max(coalesce(offered, ?2), ?2) WHERE id = ?1")?
                    .execute(params![id, to.nanos()])?;
            }
            transaction.commit()
        };
        work().map_err(|source| self.at(source))
    }

    /// Deletes the marks of deleted rows, because such a point could not be written again.
    pub fn forget_stale_of_no_row(&self) -> Result<()> {
        let work = || -> rusqlite::Result<()> {
            if self.has_stale_points()? {
                self.conn.execute(
                    "DELETE FROM stale_point
                     WHERE gone = 0 AND NOT EXISTS (SELECT 1 FROM reading r WHERE r.id = stale_point.id)",
                    [],
                )?;
            }
            Ok(())
        };
        work().map_err(|source| self.at(source))
    }

    fn has_stale_points(&self) -> rusqlite::Result<bool> {
        self.conn.query_row("SELECT EXISTS (SELECT 1 FROM stale_point)", [], |row| row.get(0))
    }

    /// Forgets every mark of a table: the user has removed its points, or wants to keep them. Gives whether there was one.
    pub fn forget_marks_of(&self, table: &str) -> Result<bool> {
        let work = || -> rusqlite::Result<bool> {
            let transaction = Transaction::new_unchecked(&self.conn, TransactionBehavior::Immediate)?;
            let series: Vec<i64> = transaction
                .prepare_cached(
                    "SELECT s.id FROM series s JOIN logger_table t ON t.id = s.logger_table WHERE t.name = ?1",
                )?
                .query_map([table], |row| row.get(0))?
                .collect::<rusqlite::Result<_>>()?;
            let mut gone = 0;
            for series in series {
                gone += transaction
                    .prepare_cached("DELETE FROM stale_point WHERE id BETWEEN ?1 AND ?2")?
                    .execute(key::keys(series, key::TIMES.0, key::TIMES.1))?;
            }
            transaction.commit()?;
            Ok(gone > 0)
        };
        work().map_err(|source| self.at(source))
    }

    /// Every series with stale points.
    pub fn stale_series(&self) -> Result<Vec<StaleSeries>> {
        let work = || -> rusqlite::Result<Vec<StaleSeries>> {
            if !self.has_stale_points()? {
                return Ok(Vec::new());
            }
            let mut series = self.conn.prepare_cached(
                "SELECT s.id, t.name FROM series s JOIN logger_table t ON t.id = s.logger_table ORDER BY t.id, s.id",
            )?;
            let mut span = self.conn.prepare_cached(
                "SELECT count(*), min(id), max(id), count(*) FILTER (
                        WHERE gone = 1 AND NOT EXISTS (SELECT 1 FROM reading r WHERE r.id = stale_point.id))
                     FROM stale_point WHERE id BETWEEN ?1 AND ?2",
            )?;
            let mut found = Vec::new();
            let mut rows = series.query([])?;
            while let Some(row) = rows.next()? {
                let (id, table): (i64, String) = (row.get(0)?, row.get(1)?);
                let (points, first, last, gone): (i64, Option<i64>, Option<i64>, i64) = span
                    .query_row(key::keys(id, key::TIMES.0, key::TIMES.1), |row| {
                        Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
                    })?;
                let (Some(first), Some(last)) = (first, last) else { continue };
                let span = (key::time(first, 0), key::time(last, 999));
                found.push(StaleSeries {
                    series: id,
                    table,
                    points: points.cast_unsigned(),
                    gone: gone.cast_unsigned(),
                    span,
                });
            }
            Ok(found)
        };
        work().map_err(|source| self.at(source))
    }

    /// Every series, by table.
    pub fn known_series(&self) -> Result<Vec<KnownSeries>> {
        let work = || -> rusqlite::Result<Vec<KnownSeries>> {
            self.conn
                .prepare_cached(
                    "SELECT s.id, t.name, s.tags, s.pruned FROM series s JOIN logger_table t ON t.id = s.logger_table
                     ORDER BY t.id, s.id",
                )?
                .query_map([], |row| {
                    Ok(KnownSeries {
                        series: row.get(0)?,
                        table: row.get(1)?,
                        tags: serde_json::from_str(&row.get::<_, String>(2)?).unwrap_or_default(),
                        pruned: row.get::<_, Option<i64>>(3)?.map(Timestamp::from_nanos),
                    })
                })?
                .collect()
        };
        work().map_err(|source| self.at(source))
    }

    /// The oldest stale points of the series after a time: at most `most` removals and not many more than 20,000
    /// points. With `together`, points of rows with consecutive record numbers become one removal.
    pub fn stale_runs(
        &self,
        series: i64,
        after: Option<Timestamp>,
        most: usize,
        together: bool,
    ) -> Result<Vec<StaleRun>> {
        self.read_stale_runs(series, after, most, together).map_err(|source| self.at(source))
    }

    fn read_stale_runs(
        &self,
        series: i64,
        after: Option<Timestamp>,
        most: usize,
        together: bool,
    ) -> rusqlite::Result<Vec<StaleRun>> {
        let (low, high) = key::keys(series, after.unwrap_or(key::TIMES.0), key::TIMES.1);
        let mut statement = self.conn.prepare_cached(
            "SELECT p.id, p.nanos, iif(p.gone, p.record, iif(r.nanos = p.nanos, r.record, NULL)), p.gone
             FROM stale_point p LEFT JOIN reading r ON r.id = p.id
             WHERE p.id BETWEEN ?1 AND ?2 AND (p.gone OR r.id IS NOT NULL) ORDER BY p.id, p.nanos",
        )?;
        let mut runs: Vec<StaleRun> = Vec::new();
        let mut before: Option<Mark> = None;
        let mut points = 0;
        let mut rows = statement.query([if after.is_some() { low + 1 } else { low }, high])?;
        while let Some(row) = rows.next()? {
            let mark = Mark { id: row.get(0)?, nanos: row.get(1)?, record: row.get(2)?, gone: row.get(3)? };
            let ts = key::time(mark.id, mark.nanos);
            let has_room = runs.last().is_some_and(|run| run.points() < MOST_POINTS);
            let follows = match &before {
                Some(before) if together && has_room => self.follows(before, &mark)?,
                _ => false,
            };
            // All points of one key must be in one answer, because the next call begins after that key.
            let is_full = runs.len() >= most || points >= MOST_POINTS;
            if !follows && is_full && before.as_ref().is_some_and(|before| before.id != mark.id) {
                break;
            }
            points += 1;
            match runs.last_mut().filter(|_| follows) {
                Some(run) => {
                    run.to = ts;
                    run.marks.push((mark.id, mark.nanos));
                }
                None => runs.push(StaleRun { from: ts, to: ts, marks: vec![(mark.id, mark.nanos)] }),
            }
            before = Some(mark);
        }
        Ok(runs)
    }

    /// Whether the logger wrote `next` directly after `before`, and no other row of the series lies between, which
    /// would have to be sent again. After rows moved, the rows that now lie between are pending.
    fn follows(&self, before: &Mark, next: &Mark) -> rusqlite::Result<bool> {
        let is_next = before.record.zip(next.record).is_some_and(|(one, other)| one.checked_add(1) == Some(other));
        if !is_next {
            return Ok(false);
        }
        self.conn
            .prepare_cached(
                "SELECT NOT EXISTS (SELECT 1 FROM reading WHERE id > ?1 AND id < ?2 AND NOT (?3 AND state = 0))",
            )?
            .query_row(params![before.id, next.id, next.gone], |row| row.get(0))
    }

    /// Whether a sent row of the series is in the interval.
    pub fn has_sent(&self, series: i64, interval: Interval) -> Result<bool> {
        let (low, high) = key::keys_in(series, interval);
        self.conn
            .prepare_cached("SELECT EXISTS (SELECT 1 FROM reading WHERE id BETWEEN ?1 AND ?2 AND state = 1)")
            .and_then(|mut statement| statement.query_row([low, high], |row| row.get(0)))
            .map_err(|source| self.at(source))
    }

    /// Marks the points of these rows, because they were found to hold a field that the rows do not send.
    pub fn mark_stale(&self, series: i64, times: impl IntoIterator<Item = Timestamp>) -> Result<()> {
        let work = || -> rusqlite::Result<()> {
            let transaction = Transaction::new_unchecked(&self.conn, TransactionBehavior::Immediate)?;
            for ts in times {
                insert(&transaction, key::key(series, ts), key::nanos(ts))?;
            }
            transaction.commit()
        };
        work().map_err(|source| self.at(source))
    }

    /// Deletes the marks of points whose removal the server has acknowledged.
    pub fn forget_stale(&self, runs: &[StaleRun]) -> Result<()> {
        let work = || -> rusqlite::Result<()> {
            let transaction = Transaction::new_unchecked(&self.conn, TransactionBehavior::Immediate)?;
            {
                let mut delete = transaction.prepare_cached("DELETE FROM stale_point WHERE id = ?1 AND nanos = ?2")?;
                for mark in runs.iter().flat_map(|run| &run.marks) {
                    delete.execute([mark.0, mark.1])?;
                }
            }
            transaction.commit()
        };
        work().map_err(|source| self.at(source))
    }
}
