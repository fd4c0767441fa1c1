//! Noticing that another process has committed.
//!
//! SQLite keeps a number in shared memory that changes with every commit (`PRAGMA data_version`). Looking at it twice a
//! second costs microseconds, takes no lock that a writer could feel, and works the same on every system.

use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::sync::watch::Sender;

use super::readers::Identity;
use crate::store::Store;

const PAUSE: Duration = Duration::from_millis(400);

/// The first revision of this process: none that an earlier one has given, so that a page left open notices.
pub(super) fn first_revision() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(1, |since| since.as_secs() * 1_000)
}

/// Counts the revision up until `end` is closed.
pub(super) fn watch(path: &Path, revision: &Sender<u64>, end: &Receiver<()>) {
    let mut open: Option<(Identity, Store, Option<i64>)> = None;
    let mut before = Identity::of(path);
    loop {
        let now = Identity::of(path);
        if now != before || now.is_none() {
            open = None;
        }
        if now != before {
            revision.send_modify(|revision| *revision += 1);
            before = now;
        }
        if let (None, Some(identity)) = (&open, now)
            // Half made yet, or of another version: what is asked says so.
            && let Ok(store) = Store::open_reader(path)
        {
            let version = store.data_version().ok();
            open = Some((identity, store, version));
            // What was committed between the first look and this one is not told by the number.
            revision.send_modify(|revision| *revision += 1);
        }
        if let Some((_, store, last)) = &mut open {
            match store.data_version() {
                Ok(version) if *last == Some(version) => {}
                Ok(version) => {
                    *last = Some(version);
                    revision.send_modify(|revision| *revision += 1);
                }
                Err(_) => open = None,
            }
        }
        match end.recv_timeout(PAUSE) {
            Err(RecvTimeoutError::Timeout) => {}
            _ => return,
        }
    }
}
