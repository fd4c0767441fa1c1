//! Deletes rows that were sent and are in the bucket, to make room.
//!
//! Nothing is deleted on one witness: a row goes only if it was acknowledged and, where the destination can be asked, if it
//! was read back at its own time in its own series ([`verify::is_there`]), or if the bucket itself no
//! longer keeps rows of its time. What cannot be told is kept. `[store] keep` is measured from the earliest time that it can be
//! now ([`earliest_now`]), because a clock that runs ahead must not delete a history.

use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::config::Config;
use crate::destination::Destination;
use crate::store::{Store, StoreError};
use crate::time::Timestamp;
use crate::verify::{self, VerifyError};

const DAY: i64 = 86_400 * 1_000_000_000;

/// What a pruning did.
#[derive(Debug, Serialize, Default)]
pub struct Pruned {
    /// Rows deleted.
    pub pruned: u64,
    /// Days kept because not all of them was found in the bucket.
    pub kept_unverified: u64,
    /// Days looked at.
    pub days: u64,
}

/// How far one pruning goes.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Deletes nothing and asks nothing.
    pub dry_run: bool,
    /// Stops at the first day that the destination cannot be asked about.
    pub gives_up: bool,
    /// Begins no day after this long.
    pub deadline: Option<Duration>,
}

/// The earliest time that it can be now: this computer's clock may run ahead by years, but the newest row of a station that
/// is read from is hardly older than a day. What is to be kept for a time is measured from here.
///
/// # Errors
/// The store fails.
pub fn earliest_now(store: &Store, now: Timestamp) -> Result<Timestamp, StoreError> {
    let newest = store.newest_row()?;
    Ok(newest.map_or(now, |newest| now.min(newest.plus(DAY))))
}

/// Deletes rows older than `cutoff` that were sent and, where the destination can be asked, are there. The caller holds the
/// sync lock.
///
/// # Errors
/// The store fails, or the lines of a table cannot be made.
pub fn older_than(
    config: &Config,
    store: &Store,
    destination: &mut dyn Destination,
    (cutoff, now): (Timestamp, DateTime<Utc>),
    limits: Limits,
) -> Result<Pruned, VerifyError> {
    let began = Instant::now();
    let mut pruned = Pruned::default();
    for series in store.sent_series((Timestamp::EPOCH, cutoff.previous()))? {
        let bucket = config.table(&series.table).and_then(|table| table.bucket.clone());
        let kept_from = destination.look(bucket.as_deref()).kept_from(now);
        for &(first, last) in &series.intervals {
            let mut from = first.nanos();
            while from <= last.nanos() {
                if limits.deadline.is_some_and(|deadline| began.elapsed() > deadline) {
                    return Ok(pruned);
                }
                let end = ((from.div_euclid(DAY) + 1) * DAY - 1).min(last.nanos());
                let window = (Timestamp::from_nanos(from), Timestamp::from_nanos(end));
                pruned.days += 1;
                let gone_there = kept_from.is_some_and(|kept_from| end < kept_from.nanos());
                let there = if limits.dry_run || gone_there || !destination.can_be_asked() {
                    Some(true)
                } else {
                    verify::is_there(config, store, destination, &series, window)?
                };
                if there != Some(true) {
                    pruned.kept_unverified += 1;
                } else if !limits.dry_run {
                    pruned.pruned += store.prune_sent(series.series, window)?;
                }
                if there.is_none() && limits.gives_up {
                    return Ok(pruned);
                }
                from = end + 1;
            }
        }
    }
    Ok(pruned)
}
