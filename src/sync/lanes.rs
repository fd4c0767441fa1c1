//! Keeps which buckets are held in a run.
//!
//! A refused bucket ends only its own lane: the feed makes no more batches for it, and the other buckets continue.

use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The lanes that ended early; None is the destination's default bucket. Shared by feed and delivery.
#[derive(Debug, Default)]
pub(super) struct Lanes {
    closed: Mutex<HashSet<Option<String>>>,
}

impl Lanes {
    /// Ends the lane: nothing more is sent to this bucket in this run.
    pub(super) fn close(&self, bucket: Option<&str>) {
        self.lock().insert(bucket.map(str::to_owned));
    }

    /// Whether the lane of the bucket has ended.
    pub(super) fn is_closed(&self, bucket: Option<&str>) -> bool {
        let closed = self.lock();
        !closed.is_empty() && closed.contains(&bucket.map(str::to_owned))
    }

    fn lock(&self) -> MutexGuard<'_, HashSet<Option<String>>> {
        self.closed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
