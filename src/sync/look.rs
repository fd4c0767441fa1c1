//! Looks at every bucket before rows are sent: whether it is the same as before, and which rows it no longer keeps.

use std::collections::HashSet;

use chrono::{DateTime, TimeDelta, Utc};

use super::outbox::Outbox;
use super::{Sync, SyncError, SyncReport, identity};
use crate::destination::{BucketLook, Destination};
use crate::store::{Store, StoreError};
use crate::time::Clock;

/// The result of the look at the buckets, and what sending found out about them.
#[derive(Default)]
pub(super) struct Looked {
    /// Whether rows have expired.
    pub(super) expired: bool,
    pub(super) held: Vec<HeldBucket>,
    /// Buckets that were compared with what is remembered about them; None is the destination's default.
    seen: HashSet<Option<String>>,
    /// Buckets that refused rows in this run.
    refused: HashSet<Option<String>>,
}

/// A bucket that is no longer the same bucket.
pub(super) struct HeldBucket {
    bucket: Option<String>,
    pub(super) text: String,
}

impl Looked {
    pub(super) fn holds(&self, bucket: Option<&str>) -> bool {
        self.held.iter().any(|held| held.bucket.as_deref() == bucket)
    }

    /// Notes that the bucket refused rows: nothing more is sent to it in this run.
    pub(super) fn refused(&mut self, bucket: Option<&str>) {
        self.refused.insert(bucket.map(str::to_owned));
    }

    /// Whether lines that are not rows may be sent to the bucket. If this run has not looked at the bucket, it does so
    /// now: InfluxDB 3 creates a missing database with any write, and afterwards nothing would show that it was empty.
    pub(super) fn may_take(
        &mut self,
        sync: &Sync<'_>,
        bucket: Option<&str>,
        destination: &mut dyn Destination,
        report: &mut SyncReport,
    ) -> Result<bool, SyncError> {
        if !self.seen.contains(&bucket.map(str::to_owned)) {
            self.look_at(sync, bucket, destination, report)?;
            if let Some(held) = self.held.iter().find(|held| held.bucket.as_deref() == bucket) {
                report.held(&held.text);
            }
        }
        Ok(!self.holds(bucket) && !self.refused.contains(&bucket.map(str::to_owned)))
    }

    /// Compares the bucket with what is remembered about it, and the server's clock with this computer's. None if the
    /// bucket is held.
    fn look_at(
        &mut self,
        sync: &Sync<'_>,
        bucket: Option<&str>,
        destination: &mut dyn Destination,
        report: &mut SyncReport,
    ) -> Result<Option<BucketLook>, SyncError> {
        let look = destination.look(bucket);
        self.seen.insert(bucket.map(str::to_owned));
        match identity::compare(sync.store, &destination.name(), bucket, &look)? {
            identity::Verdict::Same => {}
            identity::Verdict::Note(note) => report.notes.push(note),
            identity::Verdict::Hold(text) => {
                self.held.push(HeldBucket { bucket: bucket.map(str::to_owned), text });
                return Ok(None);
            }
        }
        compare_clocks(sync.store, sync.clock, &look, report)?;
        Ok(Some(look))
    }
}

/// The key under which the store keeps by how many minutes the server's clock is ahead of this computer's, as last
/// confirmed.
const SERVER_AHEAD_KEY: &str = "server ahead";

/// By how much the server's clock was ahead of this computer's at the last sync. None if no server confirmed its time.
///
/// # Errors
/// The store cannot be read.
pub fn server_ahead(store: &Store) -> Result<Option<TimeDelta>, StoreError> {
    let minutes = store.recall(SERVER_AHEAD_KEY)?.and_then(|text| text.parse::<i64>().ok());
    Ok(minutes.and_then(TimeDelta::try_minutes))
}

/// Whether a note of a sync says that this computer's clock and the server's disagree. `status` has a separate finding
/// for that.
pub fn is_about_clocks(note: &str) -> bool {
    note.starts_with("this computer's clock shows ")
}

pub(super) fn clocks_disagree(server: DateTime<Utc>, clock: &dyn Clock) -> String {
    let shown = |time: DateTime<Utc>| time.format("%Y-%m-%d %H:%M:%S UTC");
    format!(
        "this computer's clock shows {}, the server's {}: nothing expires and nothing is deleted until they agree; set the \
         clock that is wrong",
        shown(clock.now()),
        shown(server)
    )
}

/// Stores by how much the server's clock is ahead, if the answer contains its time, and adds a note if the clocks
/// disagree.
fn compare_clocks(
    store: &Store,
    clock: &dyn Clock,
    look: &BucketLook,
    report: &mut SyncReport,
) -> Result<(), SyncError> {
    if let Some(server) = look.server_time {
        // In minutes, so that a sync with unchanged clocks writes nothing.
        store.remember(SERVER_AHEAD_KEY, &(server - clock.now()).num_minutes().to_string())?;
    }
    if look.clocks_disagree(clock.now())
        && let Some(server) = look.server_time
    {
        report.note_once(clocks_disagree(server, clock));
    }
    Ok(())
}

/// Asks for every bucket's id and retention, holds a bucket that is no longer the same, and expires rows that it would
/// not keep.
pub(super) fn look(
    sync: &Sync<'_>,
    outbox: &Outbox,
    destination: &mut dyn Destination,
    report: &mut SyncReport,
) -> Result<Looked, SyncError> {
    let mut looked = Looked::default();
    for bucket in &outbox.plan {
        let Some(look) = looked.look_at(sync, bucket.bucket.as_deref(), destination, report)? else { continue };
        let Some(cutoff) = look.kept_from(sync.clock.now()) else { continue };
        for (series, of) in outbox.backlog.iter().zip(&outbox.buckets) {
            if *of == bucket.bucket {
                report.expired += sync.store.expire(series.series, cutoff)?;
            }
        }
    }
    if report.expired > 0 {
        tracing::warn!("{} rows are older than their bucket keeps rows; they are not sent", report.expired);
        looked.expired = true;
    }
    Ok(looked)
}
