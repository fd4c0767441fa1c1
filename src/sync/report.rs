//! The report of a sync: what it did, and why it ended.

use std::time::Duration;

use serde::{Serialize, Serializer};
use thiserror::Error;

use crate::destination::DestinationError;
use crate::store::StoreError;

/// Receives the progress of a long sync.
pub trait Progress {
    /// This number of rows is pending.
    fn backlog(&self, rows: u64);
    /// This number of further rows was sent, rejected or expired.
    fn done(&self, rows: u64);
}

/// Discards the progress.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unseen;

impl Progress for Unseen {
    fn backlog(&self, _rows: u64) {}
    fn done(&self, _rows: u64) {}
}

/// Why a sync ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum StoppedBy {
    /// Nothing is due any more.
    Done,
    /// The time of the run is used up.
    Deadline,
    /// The byte budget of the window is used up.
    Budget,
    /// The network or the server is not ready; rows remain pending.
    Unreachable,
    /// The destination refuses this sender; a user has to act.
    Held,
    /// More rows were refused than one run rejects.
    Refusals,
    /// Another sync is at work.
    AlreadyRunning,
    /// The caller cancelled the sync ([`super::Cancel`]).
    Interrupted,
}

/// What a sync did.
#[derive(Debug, Clone, Serialize)]
pub struct SyncReport {
    /// Rows acknowledged.
    pub sent: u64,
    /// Rows refused alone, with the server's message kept.
    pub rejected: u64,
    /// Rows older than the bucket's retention.
    pub expired: u64,
    /// Rows that are still pending, of all tables.
    pub pending: u64,
    /// Requests made.
    pub requests: u64,
    /// Bytes of line protocol in them, as a quota counts.
    pub bytes: u64,
    /// Bytes on the wire.
    pub wire_bytes: u64,
    /// Why it ended.
    pub stopped_by: StoppedBy,
    /// What a user should do or know.
    pub notes: Vec<String>,
    /// How long the server asked to wait, if that is longer than the rest of the run.
    #[serde(rename = "left_alone_s", serialize_with = "in_seconds")]
    pub left_alone: Option<Duration>,
    /// Why the sync ended, not counting buckets and tables that were refused.
    #[serde(skip)]
    pub(super) ended_by: StoppedBy,
}

fn in_seconds<S: Serializer>(span: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
    span.map(|span| span.as_secs().max(1)).serialize(serializer)
}

impl SyncReport {
    /// The report of a sync that left the work to another one.
    pub fn already_running() -> SyncReport {
        SyncReport { stopped_by: StoppedBy::AlreadyRunning, ..SyncReport::new() }
    }

    /// Notes that a bucket is held, for this reason.
    pub(super) fn held(&mut self, reason: &str) {
        tracing::error!("{reason}");
        self.stopped_by = StoppedBy::Held;
        self.notes.push(reason.to_owned());
    }

    pub(super) fn note_once(&mut self, note: String) {
        if !self.notes.contains(&note) {
            tracing::warn!("{note}");
            self.notes.push(note);
        }
    }

    pub(super) fn new() -> SyncReport {
        SyncReport {
            sent: 0,
            rejected: 0,
            expired: 0,
            pending: 0,
            requests: 0,
            bytes: 0,
            wire_bytes: 0,
            stopped_by: StoppedBy::Done,
            notes: Vec::new(),
            left_alone: None,
            ended_by: StoppedBy::Done,
        }
    }
}

/// The errors that stop a sync before its work is done.
#[derive(Debug, Error)]
pub enum SyncError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The destination cannot be used at all.
    #[error("{source}; {}", .source.hint())]
    Destination {
        /// The reason.
        #[from]
        source: DestinationError,
    },
    /// A thread of the sync ended without a report.
    #[error("sync lost one of its threads; run it again, nothing is lost")]
    Thread,
}

impl SyncError {
    /// Whether a later attempt would fail too.
    pub fn is_permanent(&self) -> bool {
        match self {
            SyncError::Store(error) => error.is_permanent(),
            SyncError::Destination { source } => source.is_permanent(),
            SyncError::Thread => false,
        }
    }
}
