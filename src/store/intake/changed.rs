//! Records which slots of time changed, so that a cached summary of rows can tell whether it is still valid (migration
//! 0003).
//!
//! Each write to a row's values, flags or findings marks the slot, in the same transaction. A change of state alone
//! (sent, expired, pending again) does not: the row's content is the same.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use rusqlite::{Connection, params};

use crate::store::intake::windows;
use crate::store::schema::key;
use crate::store::{Result, Store};
use crate::time::{NANOS_PER_SECOND, Timestamp};

/// Length of a slot in seconds: six hours, counted from 1970 in UTC.
pub const SLOT_SECONDS: i64 = 21_600;
const SLOT_NANOS: i64 = SLOT_SECONDS * NANOS_PER_SECOND;

/// The slot of a time.
pub fn slot_of(ts: Timestamp) -> i64 {
    ts.nanos().div_euclid(SLOT_NANOS)
}

/// The begin of a slot.
pub fn slot_start(slot: i64) -> Timestamp {
    Timestamp::from_nanos(slot.saturating_mul(SLOT_NANOS))
}

/// The versions of a series' slots at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Versions {
    everywhere: i64,
    /// Slots with their own version, in order.
    marks: Vec<(i64, i64)>,
}

impl Versions {
    /// The version of a slot. It changes whenever a row of the slot may have changed, and never returns to an earlier value.
    pub fn of(&self, slot: i64) -> i64 {
        let mark = self.marks.binary_search_by_key(&slot, |mark| mark.0).ok().and_then(|at| self.marks.get(at));
        mark.map_or(self.everywhere, |mark| mark.1.max(self.everywhere))
    }

    /// A fingerprint of the versions of several slots.
    pub fn of_all(&self, slots: RangeInclusive<i64>) -> i64 {
        let first = self.marks.partition_point(|mark| mark.0 < *slots.start());
        let mut bytes = self.everywhere.to_le_bytes().to_vec();
        for (slot, version) in self.marks.iter().skip(first).take_while(|mark| mark.0 <= *slots.end()) {
            bytes.extend(slot.to_le_bytes());
            bytes.extend(version.to_le_bytes());
        }
        crate::store::intake::tables::hash_of(&bytes)
    }
}

/// Slots that were written to and are not marked yet, and in finer grains, for the tables that are made of windows of the rows.
#[derive(Debug, Clone, Default)]
pub(in crate::store) struct Touched {
    slots: BTreeSet<i64>,
    grains: BTreeSet<i64>,
    /// Behind the begin of the latest grain, and its end: rows come in order, so that nearly every row costs one comparison.
    last: (i64, i64),
}

impl Touched {
    #[inline]
    pub(in crate::store) fn add(&mut self, ts: Timestamp) {
        if ts.nanos() <= self.last.0 || ts.nanos() >= self.last.1 {
            self.add_slot(ts);
        }
    }

    #[cold]
    fn add_slot(&mut self, ts: Timestamp) {
        let grain = windows::grain_of(ts);
        // A grain has its end, which is the first instant of a slot at times.
        self.last = windows::within_grain(grain);
        self.grains.insert(grain);
        self.slots.insert(slot_of(ts));
    }

    /// Marks them. Call it in the transaction that wrote the rows.
    pub(in crate::store) fn mark(&mut self, conn: &Connection, series: i64) -> rusqlite::Result<()> {
        windows::note(conn, series, &self.grains)?;
        self.mark_slots(conn, series)
    }

    /// As [`Touched::mark`], of rows that are pruned: what was made of them stays.
    pub(in crate::store) fn mark_slots(&mut self, conn: &Connection, series: i64) -> rusqlite::Result<()> {
        let slots = std::mem::take(self).slots;
        if slots.is_empty() {
            return Ok(());
        }
        let version: i64 = conn
            .prepare_cached(
                "INSERT INTO changed (series, slot, version) VALUES (0, 1, ?1)
                 ON CONFLICT (series, slot) DO UPDATE SET version = max(version + 1, excluded.version) RETURNING version",
            )?
            .query_row([chrono::Utc::now().timestamp_micros()], |row| row.get(0))?;
        let mut statement = conn.prepare_cached(
            "INSERT INTO changed (series, slot, version) VALUES (?1, ?2, ?3)
             ON CONFLICT (series, slot) DO UPDATE SET version = excluded.version",
        )?;
        for slot in slots {
            statement.execute(params![series, slot, version])?;
        }
        Ok(())
    }

    /// Adds the slot of a row, given its key, and both grains that its time may be in.
    pub(in crate::store) fn add_key(&mut self, id: i64) {
        self.add(key::time(id, 0));
        self.add(key::time(id, 999));
    }
}

impl Store {
    /// The newest version of any slot: while it is the same, no slot has changed.
    pub fn newest_version(&self) -> Result<i64> {
        self.conn
            .prepare_cached("SELECT version FROM changed WHERE series = 0 AND slot = 1")
            .and_then(|mut statement| statement.query_row([], |row| row.get(0)))
            .map_err(|source| self.at(source))
    }

    /// The versions of these slots of a series. Call it before reading the rows.
    pub fn versions(&self, series: i64, slots: RangeInclusive<i64>) -> Result<Versions> {
        let work = || -> rusqlite::Result<Versions> {
            let everywhere = self
                .conn
                .prepare_cached("SELECT version FROM changed WHERE series = 0 AND slot = 0")?
                .query_row([], |row| row.get(0))?;
            let marks = self
                .conn
                .prepare_cached(
                    "SELECT slot, version FROM changed WHERE series = ?1 AND slot BETWEEN ?2 AND ?3 ORDER BY slot",
                )?
                .query_map([series, *slots.start(), *slots.end()], |row| Ok((row.get(0)?, row.get(1)?)))?
                .collect::<rusqlite::Result<_>>()?;
            Ok(Versions { everywhere, marks })
        };
        work().map_err(|source| self.at(source))
    }
}
