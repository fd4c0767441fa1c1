//! Points in a bucket that may hold fields which their rows no longer send.
//!
//! Written in the transaction that changes the row's content, deleted when a server has acknowledged the removal of the
//! point; nothing in between can be forgotten. A row that was never offered to a destination gets no mark, nor does a
//! change that takes no field away ([`SentFields::loses`]).

use rusqlite::{Connection, OptionalExtension as _, params};

use super::key;
use crate::line::{Content, SentFields};
use crate::time::Timestamp;

/// The time up to which rows of the series may be in a bucket; none if no row ever was in a plan.
pub(super) fn offered(conn: &Connection, series: i64) -> rusqlite::Result<Option<Timestamp>> {
    let found = conn
        .prepare_cached("SELECT offered FROM series WHERE id = ?1")?
        .query_row([series], |row| row.get::<_, Option<i64>>(0))
        .optional()?;
    Ok(found.flatten().map(Timestamp))
}

/// A row whose content changes.
pub(super) struct Change<'a> {
    /// `reading.id`.
    pub(super) id: i64,
    /// Its time before the change.
    pub(super) ts: Timestamp,
    pub(super) before: Content<'a>,
    pub(super) after: Content<'a>,
}

/// Marks the row's point if it may be in a bucket, by `offered`, and loses a field.
pub(super) fn mark(
    conn: &Connection,
    offered: Option<Timestamp>,
    fields: &SentFields,
    change: &Change<'_>,
) -> rusqlite::Result<()> {
    if offered.is_none_or(|offered| change.ts > offered) || !fields.loses(change.before, change.after) {
        return Ok(());
    }
    conn.prepare_cached("INSERT OR IGNORE INTO stale_point (id, nanos) VALUES (?1, ?2)")?
        .execute(params![change.id, key::nanos(change.ts)])
        .map(drop)
}
