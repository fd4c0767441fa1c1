//! Reports what a sync would do, counted by the same plan and feed that a sync uses.

use std::sync::mpsc::sync_channel;

use serde::Serialize;

use super::feed::{Fed, Feed};
use super::lanes::Lanes;
use super::{Outbox, SyncError};
use crate::config::Config;
use crate::store::Store;
use crate::time::{Clock, Timestamp};

/// What a sync would send now.
#[derive(Debug, Clone, Default, Serialize)]
pub struct DryRun {
    /// Rows that would be sent.
    pub rows: u64,
    /// The number of requests.
    pub requests: u64,
    /// The bytes of line protocol in them.
    pub bytes: u64,
    /// Notes for the user.
    pub notes: Vec<String>,
}

/// Counts what [`super::run`] would send, without sending.
///
/// # Errors
/// The store fails.
pub fn dry_run(config: &Config, store: &Store, clock: &dyn Clock) -> Result<DryRun, SyncError> {
    dry_run_with(config, store, clock, |_| true)
}

/// Like [`dry_run`], and passes the lines of each request to `lines`, byte by byte as they would be sent; ends early
/// when `lines` returns false.
///
/// # Errors
/// The store fails.
pub fn dry_run_with(
    config: &Config,
    store: &Store,
    clock: &dyn Clock,
    mut lines: impl FnMut(&[u8]) -> bool,
) -> Result<DryRun, SyncError> {
    let outbox = Outbox::open(config, store, Some(Timestamp::from_utc(clock.now())))?;
    let (ready_out, ready) = sync_channel(1);
    let lanes = Lanes::default();
    let reader = Store::open_reader(store.path())?;
    let feed = Feed {
        store: reader,
        backlog: &outbox.backlog,
        shapes: &outbox.shapes,
        limits: &config.sync,
        compress: false,
        lanes: &lanes,
        out: ready_out,
    };
    let plan = &outbox.plan;
    let mut dry = DryRun { notes: outbox.notes.clone(), ..DryRun::default() };
    std::thread::scope(|scope| {
        scope.spawn(move || feed.run(plan));
        // Moved in, so that the feed ends when its batches are no longer received.
        let ready = ready;
        for batch in ready {
            let batch = match batch? {
                Fed::Batch(ready) => ready.batch,
                Fed::Note(note) => {
                    dry.notes.push(note);
                    continue;
                }
            };
            dry.requests += 1;
            dry.rows += batch.rows().len() as u64;
            dry.bytes += batch.lines().len() as u64;
            if !lines(batch.lines()) {
                break;
            }
        }
        Ok(dry)
    })
}
