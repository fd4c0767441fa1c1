//! Reads pending rows for sending. The cost depends on the size of the backlog, not on that of the archive.

use rusqlite::params;

use crate::store::intake::tables::i64_of;
use crate::store::schema::key;
use crate::store::{Result, Store};
use crate::time::{Interval, Timestamp};

/// A series and the intervals of time that hold its pending rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeriesBacklog {
    /// Its id.
    pub series: i64,
    /// Its table's name in the configuration.
    pub table: String,
    /// The values of its tag columns, in the order of the columns.
    pub tags: Vec<String>,
    /// Intervals that do not overlap, oldest first.
    pub intervals: Vec<Interval>,
}

impl SeriesBacklog {
    /// The interval from the first interval's beginning to the last one's end.
    pub fn hull(&self) -> Option<Interval> {
        self.intervals.first().zip(self.intervals.last()).map(|(first, last)| Interval::new(first.from, last.until))
    }
}

/// A pending row, borrowed from the statement that reads it.
#[derive(Debug, Clone, Copy)]
pub struct PendingRow<'a> {
    /// The row's key: opaque and unique.
    pub id: i64,
    /// The time in UTC.
    pub ts: Timestamp,
    /// JSON array in the order of the column list; it may be shorter.
    pub values: &'a str,
    /// One digit per value.
    pub flags: &'a str,
    /// How often its content was replaced.
    pub version: i64,
}

impl Store {
    /// Every series with pending rows, ordered by table and series. The cost depends on the size of the backlog, not on
    /// that of the archive.
    pub fn backlog(&self) -> Result<Vec<SeriesBacklog>> {
        self.read_backlog().map_err(|source| self.at(source))
    }

    fn read_backlog(&self) -> rusqlite::Result<Vec<SeriesBacklog>> {
        let mut statement = self.conn.prepare_cached(
            "SELECT b.series, t.name, s.tags, b.from_ts, b.to_ts
             FROM backlog b JOIN series s ON s.id = b.series JOIN logger_table t ON t.id = s.logger_table
             ORDER BY t.id, b.series, b.from_ts",
        )?;
        let mut list: Vec<SeriesBacklog> = Vec::new();
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let series: i64 = row.get(0)?;
            let interval = Interval::closed(Timestamp::from_nanos(row.get(3)?), Timestamp::from_nanos(row.get(4)?));
            match list.last_mut().filter(|last| last.series == series) {
                Some(last) => last.intervals.push(interval),
                None => {
                    let tags = serde_json::from_str(&row.get::<_, String>(2)?).unwrap_or_default();
                    list.push(SeriesBacklog { series, table: row.get(1)?, tags, intervals: vec![interval] });
                }
            }
        }
        Ok(list)
    }

    /// Passes the pending rows of the interval to `take`, oldest first, until `take` returns false.
    pub fn pending_rows(
        &self,
        series: i64,
        interval: Interval,
        limit: usize,
        mut take: impl FnMut(PendingRow<'_>) -> bool,
    ) -> Result<()> {
        let mut read = || -> rusqlite::Result<()> {
            let mut statement = self.conn.prepare_cached(
                "SELECT id, nanos, vals, flags, version FROM reading WHERE id BETWEEN ?1 AND ?2 AND state = 0
                 ORDER BY id LIMIT ?3",
            )?;
            let (low, high) = key::keys_in(series, interval);
            let mut rows = statement.query(params![low, high, i64_of(limit)])?;
            while let Some(row) = rows.next()? {
                let text = |place| row.get_ref(place).and_then(|value| Ok(value.as_str()?));
                let id = row.get(0)?;
                let ts = key::time(id, row.get(1)?);
                let pending = PendingRow { id, ts, values: text(2)?, flags: text(3)?, version: row.get(4)? };
                if !take(pending) {
                    break;
                }
            }
            Ok(())
        };
        read().map_err(|source| self.at(source))
    }

    /// The time of the pending row that has `rows - 1` newer pending rows in the interval; that of the oldest one if
    /// there are fewer.
    pub fn nth_newest_pending(&self, series: i64, interval: Interval, rows: usize) -> Result<Option<Timestamp>> {
        self.conn
            .prepare_cached(
                "SELECT min(id) FROM (SELECT id FROM reading WHERE id BETWEEN ?1 AND ?2 AND state = 0 ORDER BY id DESC LIMIT ?3)",
            )
            .and_then(|mut statement| {
                let (low, high) = key::keys_in(series, interval);
                statement.query_row(params![low, high, i64_of(rows)], |row| row.get::<_, Option<i64>>(0))
            })
            .map(|id| id.map(|id| key::time(id, 0)))
            .map_err(|source| self.at(source))
    }

    /// The number of all pending rows, from the kept counts.
    pub fn pending(&self) -> Result<u64> {
        self.conn
            .query_row("SELECT coalesce(sum(pending), 0) FROM logger_table", [], |row| row.get::<_, i64>(0))
            .map(i64::cast_unsigned)
            .map_err(|source| self.at(source))
    }
}
