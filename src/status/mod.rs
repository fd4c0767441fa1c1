//! Is the data coming in, and is it going out: the verdict that `fluxtower status` and the page of `serve` both give.
//!
//! [`Facts`] are read from the store, and cost the same on twenty million rows as on twenty thousand, because the store
//! keeps its counts. What they mean changes with the hour and not only with the store, so it is said apart from the
//! reading ([`reasons`]): whoever keeps facts for a while still tells the right age.

use thiserror::Error;

use crate::config::Config;
use crate::store::{GapLine, RunLine, Store, StoreError, TableStatus};
use crate::sync::{SyncError, Waiting};
use crate::time::Timestamp;

mod reasons;

pub use reasons::{failure, reasons};

/// Why there is no status.
#[derive(Debug, Error)]
pub enum StatusError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The backlog could not be estimated.
    #[error(transparent)]
    Sync(#[from] SyncError),
}

/// What the store says about itself.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// Every table that was ever read.
    pub tables: Vec<TableStatus>,
    /// The last ingest.
    pub last_ingest: Option<RunLine>,
    /// The last sync.
    pub last_sync: Option<RunLine>,
    /// When a request was last acknowledged.
    pub last_stored: Option<Timestamp>,
    /// How long each bucket keeps rows, as last seen; none means the destination's own.
    pub retentions: Vec<(Option<String>, std::time::Duration)>,
    /// Files that could not be read as what they are.
    pub file_notes: Vec<String>,
    /// Missing records.
    pub gaps: Vec<GapLine>,
    /// When a line was last rejected.
    pub newest_rejected_line: Option<Timestamp>,
    /// When a conflict was last found.
    pub newest_conflict: Option<Timestamp>,
    /// Size of the backlog, and how long it takes to drain.
    pub waiting: Waiting,
}

impl Facts {
    /// Reads them.
    pub fn read(config: &Config, store: &Store) -> Result<Facts, StatusError> {
        Ok(Facts {
            tables: store.table_status()?,
            last_ingest: store.last_run("ingest", None)?,
            last_sync: store.last_run("sync", None)?,
            last_stored: store.last_stored()?,
            retentions: crate::sync::retentions(store)?,
            file_notes: store.file_notes()?,
            gaps: store.gaps()?,
            newest_rejected_line: store.newest_rejected_line()?,
            newest_conflict: store.newest_conflict()?,
            waiting: crate::sync::waiting(config, store)?,
        })
    }

    /// The table of that name, if it was ever read.
    pub fn table(&self, name: &str) -> Option<&TableStatus> {
        self.tables.iter().find(|table| table.table == name)
    }
}

/// One line: `ok`, or what to look at.
pub fn verdict(reasons: &[String]) -> String {
    if reasons.is_empty() { "ok".to_owned() } else { format!("look: {}", reasons.join("; ")) }
}

/// Whole seconds from `then` to `now`.
pub fn age_s(now: Timestamp, then: Timestamp) -> i64 {
    now.seconds_since(then)
}
