//! Keeps where pending rows are, as intervals of time per series (migration 0001 explains why there is no partial
//! index).
//!
//! Ingest and replay add intervals, sync shrinks them, each in the transaction that changes the rows' states. So at
//! every commit each pending row is inside an interval.

use rusqlite::{Connection, OptionalExtension, params};

use crate::store::schema::key;
use crate::time::Timestamp;

/// Adds the closed interval to the series' backlog. `newest_before` is the time of the series' newest row before the
/// rows of the interval were added: an interval that ends there is extended, so that a long outage remains one
/// interval.
pub(in crate::store) fn add(
    conn: &Connection,
    series: i64,
    from: Timestamp,
    to: Timestamp,
    newest_before: Option<Timestamp>,
) -> rusqlite::Result<()> {
    let (mut low, mut high) = (from.nanos(), to.nanos());
    let touch = newest_before.map_or(low, |newest| newest.nanos().min(low));
    let mut overlapping =
        conn.prepare_cached("SELECT from_ts, to_ts FROM backlog WHERE series = ?1 AND from_ts <= ?3 AND to_ts >= ?2")?;
    // Keys hold microseconds: two intervals within one microsecond would both find the same row and shrink to the same
    // beginning.
    let (first, last) = (touch - key::nanos(Timestamp::from_nanos(touch)), high - key::nanos(to) + 999);
    let found: Vec<(i64, i64)> = overlapping
        .query_map(params![series, first, last], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<rusqlite::Result<_>>()?;
    let mut delete = conn.prepare_cached("DELETE FROM backlog WHERE series = ?1 AND from_ts = ?2")?;
    for (start, end) in found {
        low = low.min(start);
        high = high.max(end);
        delete.execute(params![series, start])?;
    }
    conn.prepare_cached("INSERT INTO backlog (series, from_ts, to_ts) VALUES (?1, ?2, ?3)")?
        .execute(params![series, low, high])?;
    Ok(())
}

/// Shrinks every interval of the series that overlaps `from ..= to` to its first and last pending row, or deletes it.
/// Rows that were staged in the meantime are found, because this reads the rows themselves.
pub(in crate::store) fn tighten(
    conn: &Connection,
    series: i64,
    from: Timestamp,
    to: Timestamp,
) -> rusqlite::Result<()> {
    let mut overlapping =
        conn.prepare_cached("SELECT from_ts, to_ts FROM backlog WHERE series = ?1 AND from_ts <= ?3 AND to_ts >= ?2")?;
    let found: Vec<(i64, i64)> = overlapping
        .query_map(params![series, from.nanos(), to.nanos()], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<rusqlite::Result<_>>()?;
    let mut first = conn
        .prepare_cached("SELECT id, nanos FROM reading WHERE id BETWEEN ?1 AND ?2 AND state = 0 ORDER BY id LIMIT 1")?;
    let mut last = conn.prepare_cached(
        "SELECT id, nanos FROM reading WHERE id BETWEEN ?1 AND ?2 AND state = 0 ORDER BY id DESC LIMIT 1",
    )?;
    let time = |row: &rusqlite::Row<'_>| Ok(key::time(row.get(0)?, row.get(1)?).nanos());
    for (start, end) in found {
        let bounds = key::keys(series, Timestamp::from_nanos(start), Timestamp::from_nanos(end));
        let low: Option<i64> = first.query_row(bounds, time).optional()?;
        match low {
            None => {
                conn.prepare_cached("DELETE FROM backlog WHERE series = ?1 AND from_ts = ?2")?
                    .execute(params![series, start])?;
            }
            Some(low) => {
                let high: i64 = last.query_row(bounds, time)?;
                if (low, high) != (start, end) {
                    conn.prepare_cached(
                        "UPDATE backlog SET from_ts = ?3, to_ts = ?4 WHERE series = ?1 AND from_ts = ?2",
                    )?
                    .execute(params![series, start, low, high])?;
                }
            }
        }
    }
    Ok(())
}
