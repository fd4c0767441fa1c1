//! Which buckets are held in a run.
//!
//! A bucket that is refused ends its own lane only: the feed makes no more batches for it, and the other buckets go on.

use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The lanes that have ended before their work was done; none is the destination's own bucket. Shared by feed and delivery.
#[derive(Debug, Default)]
pub(super) struct Lanes {
    closed: Mutex<HashSet<Option<String>>>,
}

impl Lanes {
    /// Nothing more is sent to this bucket in this run.
    pub(super) fn close(&self, bucket: Option<&str>) {
        self.lock().insert(bucket.map(str::to_owned));
    }

    /// Whether nothing more is sent to it.
    pub(super) fn is_closed(&self, bucket: Option<&str>) -> bool {
        let closed = self.lock();
        !closed.is_empty() && closed.contains(&bucket.map(str::to_owned))
    }

    fn lock(&self) -> MutexGuard<'_, HashSet<Option<String>>> {
        self.closed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
