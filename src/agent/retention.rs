//! Deletes rows that were sent and are in the bucket, to make room.
//!
//! Nothing is deleted on a single piece of evidence. A row is deleted only if it was acknowledged and, where the
//! destination can be asked, if it was read back at its own time in its own series ([`verify::is_there`]), or if the
//! bucket itself no longer keeps rows of its time. Rows about which the destination does not answer are kept. While the
//! server's clock and this computer's disagree, `[store] keep` deletes nothing. Ages are measured from the earliest
//! time that it can be now ([`earliest_now`]), because a clock that runs ahead must not delete a history.

use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::{Agent, AgentError};
use crate::config::{Config, DestinationConfig};
use crate::destination::Destination;
use crate::store::{Lock, LockKind, Store, StoreError};
use crate::sync::{SyncError, server_ahead};
use crate::time::{CLOCKS_AGREE, Clock, Interval, Timestamp};
use crate::verify::{self, VerifyError};

const DAY: Duration = Duration::from_secs(86_400);
/// The key under which the store keeps when `[store] keep` was last applied.
const KEY: &str = "pruned";
/// Nothing is deleted while clocks disagree: by a clock that is years ahead, every row is old.
const NOT_WHILE_CLOCKS_DISAGREE: &str =
    "the server's clock and this computer's disagree: nothing is deleted until they agree; set the clock that is wrong";

/// What a pruning did.
#[derive(Debug, Serialize, Default)]
pub struct Pruned {
    /// Rows deleted.
    pub pruned: u64,
    /// Days kept because not all of their rows were found in the bucket.
    pub kept_unverified: u64,
    /// Days checked.
    pub days: u64,
}

/// The limits of one pruning.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Rows before this are deleted.
    pub cutoff: Timestamp,
    /// This computer's time. It decides which rows the bucket's retention still keeps.
    pub now: DateTime<Utc>,
    /// Counts only: deletes nothing and asks the server nothing.
    pub dry_run: bool,
    /// Stops at the first day about which the destination does not answer.
    pub gives_up: bool,
    /// Begins no further day after this time.
    pub deadline: Option<Duration>,
}

/// The earliest time that it can be now: this computer's clock may be years ahead, but the newest row of a station that
/// is in use is hardly older than a day. Ages of rows to be kept are measured from here.
///
/// # Errors
/// The store fails.
pub fn earliest_now(store: &Store, now: Timestamp) -> Result<Timestamp, StoreError> {
    let newest = store.newest_row()?;
    Ok(newest.map_or(now, |newest| now.min(newest.after(DAY))))
}

/// Deletes sent rows before `limits.cutoff` that, where the destination can be asked, are in the bucket. The caller
/// holds the sync lock.
///
/// # Errors
/// The store fails, or the lines of a table cannot be rendered.
pub fn older_than(
    config: &Config,
    store: &Store,
    destination: &mut dyn Destination,
    limits: Limits,
) -> Result<Pruned, VerifyError> {
    let began = Instant::now();
    let mut pruned = Pruned::default();
    let mut disagreed = false;
    for series in store.sent_series(Interval::new(Timestamp::EPOCH, limits.cutoff))? {
        let bucket = config.table(&series.table).and_then(|table| table.bucket.clone());
        let look = destination.look(bucket.as_deref());
        if look.clocks_disagree(limits.now) {
            if !disagreed {
                tracing::warn!("{NOT_WHILE_CLOCKS_DISAGREE}");
            }
            disagreed = true;
            if !limits.dry_run {
                let days = series.intervals.iter().flat_map(|interval| interval.pieces(DAY)).count() as u64;
                pruned.days += days;
                pruned.kept_unverified += days;
            }
            continue;
        }
        let kept_from = look.kept_from(limits.now);
        for day in series.intervals.iter().flat_map(|interval| interval.pieces(DAY)) {
            if limits.deadline.is_some_and(|deadline| began.elapsed() > deadline) {
                return Ok(pruned);
            }
            pruned.days += 1;
            let gone_there = kept_from.is_some_and(|kept_from| day.until <= kept_from);
            let there = if limits.dry_run || gone_there || !destination.can_be_asked() {
                Some(true)
            } else {
                verify::is_there(config, store, destination, &series, day)?
            };
            if there != Some(true) {
                pruned.kept_unverified += 1;
            } else if !limits.dry_run {
                pruned.pruned += store.prune_sent(series.series, day)?;
            }
            if there.is_none() && limits.gives_up {
                return Ok(pruned);
            }
        }
    }
    Ok(pruned)
}

/// Deletes sent rows that are at least `age` old: measured by this computer's clock if a server's clock agrees with it,
/// otherwise from the earliest time that it can be now. None while a sync is at work. With `dry_run`, only counts the
/// days.
///
/// # Errors
/// The store or the destination fails.
pub fn prune(agent: &Agent, age: Duration, dry_run: bool) -> Result<Option<Pruned>, AgentError> {
    let store = agent.store()?;
    let Some(_lock) = Lock::take(store.path(), LockKind::Sync)? else { return Ok(None) };
    // A server's clock is compared with this computer's before anything is deleted. A folder has no clock.
    let now = match agent.config.destination {
        DestinationConfig::Influx(_) => agent.now(),
        _ => earliest_now(&store, agent.now())?,
    };
    let limits = Limits { cutoff: now.before(age), now: agent.clock.now(), dry_run, gives_up: false, deadline: None };
    delete(agent, &store, limits).map(Some)
}

/// Applies `[store] keep`, once a day. If a server does not answer, it is asked again the next day: nothing is deleted
/// without its answer.
///
/// # Errors
/// The store or the destination fails.
pub fn when_due(agent: &Agent) -> Result<(), AgentError> {
    let Some(keep) = agent.config.store_keep else { return Ok(()) };
    let store = agent.store()?;
    let now = agent.now();
    let last = store.recall(KEY)?.and_then(|text| text.parse().ok()).map(Timestamp::from_nanos);
    // A last time in the future was written by a wrong clock.
    if last.is_some_and(|last| last <= now && now < last.after(DAY)) {
        return Ok(());
    }
    let Some(_lock) = Lock::take(store.path(), LockKind::Sync)? else { return Ok(()) };
    // A clock comparison from the time when rows went to a server does not count for a folder.
    let is_server = matches!(agent.config.destination, DestinationConfig::Influx(_));
    if is_server && server_ahead(&store)?.is_some_and(|ahead| ahead.abs() > CLOCKS_AGREE) {
        return Ok(());
    }
    store.remember(KEY, &now.nanos().to_string())?;
    let limits = Limits {
        cutoff: earliest_now(&store, now)?.before(keep),
        now: agent.clock.now(),
        dry_run: false,
        gives_up: true,
        deadline: Some(agent.config.sync.deadline),
    };
    let pruned = delete(agent, &store, limits)?;
    if pruned.pruned > 0 || pruned.kept_unverified > 0 {
        tracing::info!(
            deleted = pruned.pruned,
            days_kept = pruned.kept_unverified,
            "pruned what was sent longer ago than [store] keep"
        );
    }
    Ok(())
}

fn delete(agent: &Agent, store: &Store, limits: Limits) -> Result<Pruned, AgentError> {
    let mut destination = crate::destination::open(&agent.config).map_err(SyncError::from)?;
    Ok(older_than(&agent.config, store, destination.as_mut(), limits)?)
}
