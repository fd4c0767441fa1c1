//! Decides the time of a row in the hour that a time zone repeats, if the file has no row before it: the store knows
//! which of the two instants is meant.

use std::time::Duration;

use rusqlite::{OptionalExtension as _, params};

use crate::format::Cells;
use crate::store::Result;
use crate::store::intake::staging::Staging;
use crate::store::intake::tables::Table;
use crate::store::queries::interval::{ROWS, regularity};
use crate::store::schema::key::{key, keys, time};
use crate::time::Timestamp;

impl Staging<'_> {
    /// Time of the newest row with these tag values.
    pub fn newest_of(&self, table: &mut Table, tags: &str) -> Option<Timestamp> {
        let place = table.series.find(tags)?;
        table.series.at(place).newest
    }

    /// The usual interval of the rows without tags up to a time, where they have one.
    pub fn interval_up_to(&self, table: &mut Table, at: Timestamp) -> Result<Option<Duration>> {
        let Some(place) = table.series.find("[]") else { return Ok(None) };
        let times = self.store.newest_times(table.series.at(place).id, at.next_key(), ROWS)?;
        Ok(regularity(times.into_iter()).interval())
    }

    /// Whether no other file of the table was read.
    pub fn is_only_file(&self, table: &Table, path: &str) -> Result<bool> {
        self.store
            .conn
            .prepare_cached("SELECT NOT EXISTS (SELECT 1 FROM file_seen WHERE logger_table = ?1 AND path <> ?2)")
            .and_then(|mut statement| statement.query_row(params![table.id, path], |row| row.get(0)))
            .map_err(|source| self.store.at(source))
    }

    /// The times of the rows without tags next to a time.
    pub fn times_next_to(&self, table: &mut Table, ts: Timestamp) -> Result<(Option<Timestamp>, Option<Timestamp>)> {
        let Some(place) = table.series.find("[]") else { return Ok((None, None)) };
        let series = table.series.at(place).id;
        let next = |sql: &str, from: Timestamp, to: Timestamp| {
            let (low, high) = keys(series, from, to);
            self.store
                .conn
                .prepare_cached(sql)?
                .query_row([low, high], |row| Ok(time(row.get(0)?, row.get(1)?)))
                .optional()
        };
        let work = || -> rusqlite::Result<_> {
            let earlier = "SELECT id, nanos FROM reading WHERE id BETWEEN ?1 AND ?2 ORDER BY id DESC LIMIT 1";
            let later = "SELECT id, nanos FROM reading WHERE id BETWEEN ?1 AND ?2 ORDER BY id LIMIT 1";
            Ok((next(earlier, Timestamp::EPOCH, ts.previous_key())?, next(later, ts.next_key(), Timestamp::MAX)?))
        };
        work().map_err(|source| self.store.at(source))
    }

    /// Whether the row of this key says the same as these values, in the columns that both have; `header` is that of the values.
    /// None: no row has the key.
    pub fn says_same(
        &self,
        table: &mut Table,
        tags: &str,
        ts: Timestamp,
        values: &str,
        header: Option<i64>,
    ) -> Result<Option<bool>> {
        let Some(place) = table.series.find(tags) else { return Ok(None) };
        let stored: Option<(String, Option<i64>)> = self
            .store
            .conn
            .prepare_cached("SELECT vals, header FROM reading WHERE id = ?1")
            .and_then(|mut statement| {
                let id = key(table.series.at(place).id, ts);
                statement.query_row([id], |row| Ok((row.get(0)?, row.get(1)?))).optional()
            })
            .map_err(|source| self.store.at(source))?;
        let row = Cells { json: values, lacks: table.lacks(header) };
        Ok(stored.map(|(stored, header)| {
            let stored = Cells { json: &stored, lacks: table.lacks(header) };
            stored.compare(row, &table.derived_places()).is_alike()
        }))
    }
}
