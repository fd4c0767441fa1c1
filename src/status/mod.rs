//! Is the data coming in, and is it going out: the verdict of `fluxtower status`, `check`, the page and the report.
//!
//! [`Facts`] are read from the store and the tables' folders, and cost the same on twenty million rows as on twenty thousand,
//! because the store keeps its counts. What they mean changes with the hour and not only with the store, so it is concluded
//! apart from the reading, by [`findings`]: facts that are kept for a while still give the right age.

use std::time::Duration;

use thiserror::Error;

use crate::config::Config;
use crate::store::{FutureTimes, GapLine, ReadFile, RunLine, Store, StoreError, TableStatus, Uncounted};
use crate::sync::{PendingBytes, SyncError};
use crate::time::Timestamp;

mod exit;
mod findings;
pub mod offset;
pub mod records;

pub use exit::Exit;
pub use findings::{
    Finding, Folders, Kind, Lateness, Rule, Severity, TableFolders, Verdict, failure, findings, of_ingest, of_sync,
};

/// Under this key the store keeps how often a scheduler's entry starts the program, in milliseconds, or that it stays up.
pub const STARTS_KEY: &str = "schedule";
/// Under this key a sync keeps by how many minutes the server's clock is ahead of this computer's.
const SERVER_KEY: &str = crate::sync::SERVER_AHEAD_KEY;

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

/// A table's usual interval.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsualInterval {
    /// The table.
    pub table: String,
    /// From row to row.
    pub interval: Duration,
}

/// What the store says about itself, and the folders about the files.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// Every table that was ever read.
    pub tables: Vec<TableStatus>,
    /// Of each configured table with at least two rows.
    pub intervals: Vec<UsualInterval>,
    /// The last ingest.
    pub last_ingest: Option<RunLine>,
    /// The last sync.
    pub last_sync: Option<RunLine>,
    /// When a request was last acknowledged.
    pub last_stored: Option<Timestamp>,
    /// Runs and receipts that are dated in the future.
    pub future: FutureTimes,
    /// By how much the server's clock was ahead of this computer's at the last sync, where the server confirmed its time.
    pub server_ahead_s: Option<i64>,
    /// How long each bucket keeps rows, as last seen; none means the destination's own.
    pub retentions: Vec<(Option<String>, Duration)>,
    /// Files as they were last read.
    pub files: Vec<ReadFile>,
    /// The tables' folders now.
    pub folders: Folders,
    /// Tables whose rows are behind their files by so many seconds, a whole number of half hours ([`offset`]).
    pub offsets: Vec<(String, i64)>,
    /// Whether a scheduler's entry starts the program.
    pub is_scheduled: bool,
    /// Missing records.
    pub gaps: Vec<GapLine>,
    /// The newest rows of tables whose RECORD does not tell what is missing, and the time steps that are.
    pub uncounted: Vec<Uncounted>,
    /// When a line was last rejected.
    pub newest_rejected_line: Option<Timestamp>,
    /// When a conflict was last found.
    pub newest_conflict: Option<Timestamp>,
    /// Tables and what is wrong with their values of the last day, where the caller has judged these.
    pub wrong_values: Vec<(String, String)>,
    /// Size of the backlog, and how long it takes to drain.
    pub pending_bytes: PendingBytes,
}

impl Facts {
    /// Reads them as of `now`.
    ///
    /// # Errors
    /// The store fails.
    pub fn read(config: &Config, store: &Store, now: Timestamp) -> Result<Facts, StatusError> {
        let mut intervals = Vec::new();
        let mut offsets = Vec::new();
        for table in &config.tables {
            let name = &table.name.0;
            let interval = store.usual_interval_of_table(name)?;
            if let Some(seconds) = offset::of(store, name, interval, now)? {
                offsets.push((name.clone(), seconds));
            }
            intervals.extend(interval.map(|interval| UsualInterval { table: name.clone(), interval }));
        }
        let minutes = store.recall(SERVER_KEY)?.and_then(|text| text.parse::<i64>().ok());
        Ok(Facts {
            tables: store.table_status()?,
            intervals,
            last_ingest: store.last_run_by("ingest", now)?,
            last_sync: store.last_run_by("sync", now)?,
            last_stored: store.last_stored_by(now)?,
            future: store.future_times(now)?,
            server_ahead_s: minutes.map(|minutes| minutes.saturating_mul(60)),
            retentions: crate::sync::retentions(store)?,
            files: store.read_files()?,
            folders: Folders::look(config),
            offsets,
            is_scheduled: store.recall(STARTS_KEY)?.is_some_and(|text| text.parse::<u64>().is_ok()),
            gaps: store.gaps()?,
            uncounted: store.uncounted(now.minus(findings::RECENT_NANOS), records::ROWS_LOOKED_AT)?,
            newest_rejected_line: store.newest_rejected_line()?,
            newest_conflict: store.newest_conflict()?,
            wrong_values: Vec::new(),
            pending_bytes: crate::sync::pending_bytes(config, store, now)?,
        })
    }

    /// The table of that name, if it was ever read.
    pub fn table(&self, name: &str) -> Option<&TableStatus> {
        self.tables.iter().find(|table| table.table == name)
    }

    /// The usual interval of a table.
    pub fn interval(&self, name: &str) -> Option<Duration> {
        self.intervals.iter().find(|of| of.table == name).map(|of| of.interval)
    }
}

/// Whole seconds from `then` to `now`.
pub fn age_s(now: Timestamp, then: Timestamp) -> i64 {
    now.seconds_since(then)
}
