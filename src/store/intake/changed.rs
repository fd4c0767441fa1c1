//! Which pieces of time changed, so that whoever keeps a summary of rows knows when it no longer holds (migration 0003).
//!
//! Every writer of a row's values, flags or findings marks the piece, in the transaction that writes. A change of state
//! alone (sent, expired, put back) is none: what the row says stays the same.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use rusqlite::{Connection, params};

use crate::store::schema::key;
use crate::store::{Result, Store};
use crate::time::Timestamp;

/// How long a piece is, in seconds: six hours, counted from 1970 in UTC.
pub const SLOT_SECONDS: i64 = 21_600;
const SLOT_NANOS: i64 = SLOT_SECONDS * 1_000_000_000;

/// The piece that a time lies in.
pub fn slot_of(ts: Timestamp) -> i64 {
    ts.nanos().div_euclid(SLOT_NANOS)
}

/// When a piece begins.
pub fn slot_start(slot: i64) -> Timestamp {
    Timestamp::from_nanos(slot.saturating_mul(SLOT_NANOS))
}

/// The versions of a series' pieces at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Versions {
    everywhere: i64,
    /// Pieces with a mark of their own, in order.
    marks: Vec<(i64, i64)>,
}

impl Versions {
    /// Differs from what it was whenever a row of the piece may say something else. Never comes back to what it was.
    pub fn of(&self, slot: i64) -> i64 {
        let mark = self.marks.binary_search_by_key(&slot, |mark| mark.0).ok().and_then(|at| self.marks.get(at));
        mark.map_or(self.everywhere, |mark| mark.1.max(self.everywhere))
    }

    /// The same of several pieces together, as a fingerprint.
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

/// Pieces touched and not yet marked.
#[derive(Debug, Clone, Default)]
pub(in crate::store) struct Touched {
    slots: BTreeSet<i64>,
    /// Begin and end of the piece met last: rows come in order, and one comparison a row is all that they pay.
    last: (i64, i64),
}

impl Touched {
    #[inline]
    pub(in crate::store) fn add(&mut self, ts: Timestamp) {
        if ts.nanos() < self.last.0 || ts.nanos() >= self.last.1 {
            self.add_piece(ts);
        }
    }

    #[cold]
    fn add_piece(&mut self, ts: Timestamp) {
        let slot = slot_of(ts);
        self.last = (slot_start(slot).nanos(), slot_start(slot).nanos().saturating_add(SLOT_NANOS));
        self.slots.insert(slot);
    }

    /// Marks them. To be called in the transaction that wrote.
    pub(in crate::store) fn mark(&mut self, conn: &Connection, series: i64) -> rusqlite::Result<()> {
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

    /// The piece of a row, by its key.
    pub(in crate::store) fn add_key(&mut self, id: i64) {
        self.add(key::time(id, 0));
    }
}

impl Store {
    /// The newest version that any piece was given: while it stays, no piece has changed.
    pub fn newest_version(&self) -> Result<i64> {
        self.conn
            .prepare_cached("SELECT version FROM changed WHERE series = 0 AND slot = 1")
            .and_then(|mut statement| statement.query_row([], |row| row.get(0)))
            .map_err(|source| self.at(source))
    }

    /// The versions of these pieces of a series. To be asked before the rows are read.
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
