//! A look at every bucket before anything is sent: whether it is the same as before, and what it no longer keeps.

use chrono::{DateTime, Utc};

use super::outbox::Outbox;
use super::{SyncError, SyncReport, identity};
use crate::destination::{BucketLook, Destination};
use crate::store::Store;
use crate::time::Clock;

/// What a look at the buckets led to.
#[derive(Default)]
pub(super) struct Looked {
    /// Rows left the backlog.
    pub(super) expired: bool,
    pub(super) held: Vec<HeldBucket>,
}

/// A bucket that is not the one that it was.
pub(super) struct HeldBucket {
    bucket: Option<String>,
    pub(super) text: String,
}

impl Looked {
    pub(super) fn holds(&self, bucket: Option<&str>) -> bool {
        self.held.iter().any(|held| held.bucket.as_deref() == bucket)
    }
}

/// Under this key the store keeps by how many minutes the server's clock is ahead of this computer's, as last confirmed.
pub const SERVER_AHEAD_KEY: &str = "server ahead";

/// Whether a note of a sync says that this computer's clock and the server's disagree. `status` has a finding of its own for it.
pub fn is_about_clocks(note: &str) -> bool {
    note.starts_with("this computer's clock shows ")
}

fn clocks_disagree(server: Option<DateTime<Utc>>, clock: &dyn Clock) -> String {
    let shown = |time: DateTime<Utc>| time.format("%Y-%m-%d %H:%M:%S UTC");
    format!(
        "this computer's clock shows {}, the server's {}: nothing expires and nothing is deleted until they agree; set the \
         clock that is wrong",
        shown(clock.now()),
        server.map_or_else(String::new, |server| shown(server).to_string())
    )
}

/// Keeps by how much the server's clock is ahead, where the answer says it, and notes that the two disagree.
pub(super) fn compare_clocks(
    store: &Store,
    clock: &dyn Clock,
    look: &BucketLook,
    report: &mut SyncReport,
) -> Result<(), SyncError> {
    if let Some(server) = look.server_time {
        // In minutes, so that a sync under the same clocks writes nothing.
        store.remember(SERVER_AHEAD_KEY, &(server - clock.now()).num_minutes().to_string())?;
    }
    if look.clocks_disagree(clock.now()) {
        report.note_once(clocks_disagree(look.server_time, clock));
    }
    Ok(())
}

/// Asks for every bucket's id and retention, holds one that is another bucket, and lets go of rows that it would not keep.
pub(super) fn look(
    store: &Store,
    clock: &dyn Clock,
    outbox: &Outbox,
    destination: &mut dyn Destination,
    report: &mut SyncReport,
) -> Result<Looked, SyncError> {
    let name = &destination.name();
    let mut looked = Looked::default();
    for bucket in &outbox.plan {
        let look = destination.look(bucket.bucket.as_deref());
        match identity::compare(store, name, bucket.bucket.as_deref(), &look)? {
            identity::Verdict::Same => {}
            identity::Verdict::Note(note) => report.notes.push(note),
            identity::Verdict::Hold(text) => {
                looked.held.push(HeldBucket { bucket: bucket.bucket.clone(), text });
                continue;
            }
        }
        compare_clocks(store, clock, &look, report)?;
        let Some(cutoff) = look.kept_from(clock.now()) else { continue };
        for (series, of) in outbox.backlog.iter().zip(&outbox.buckets) {
            if *of == bucket.bucket {
                report.expired += store.expire(series.series, cutoff)?;
            }
        }
    }
    if report.expired > 0 {
        tracing::warn!("{} rows are older than their bucket keeps rows; they are not sent", report.expired);
        looked.expired = true;
    }
    Ok(looked)
}
