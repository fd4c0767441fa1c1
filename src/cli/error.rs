//! What a command can fail with, and the exit code that says so.

use thiserror::Error;

use super::{Exit, log};
use crate::config::ConfigError;
use crate::destination::{DestinationError, QueryError};
use crate::draft::DraftError;
use crate::ingest::IngestError;
use crate::store::StoreError;
use crate::sync::SyncError;
use crate::verify::VerifyError;

/// A command's failure.
#[derive(Debug, Error)]
pub(super) enum CliError {
    /// The configuration is wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// No configuration could be written.
    #[error(transparent)]
    Draft(#[from] DraftError),
    /// Logging cannot be set up.
    #[error(transparent)]
    Log(#[from] log::LogError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Ingest stopped.
    #[error(transparent)]
    Ingest(#[from] IngestError),
    /// Sync stopped.
    #[error(transparent)]
    Sync(#[from] SyncError),
    /// An instant cannot be read.
    #[error(
        "{option} \"{text}\" is no time; write 2026-06-01, \"2026-06-01 12:00\" (station time) or 2026-06-01T17:00:00Z"
    )]
    Instant {
        /// The option.
        option: &'static str,
        /// As typed.
        text: String,
    },
    /// `--table` names no table.
    #[error("no table is named \"{name}\"; the configuration has: {known}")]
    UnknownTable {
        /// As typed.
        name: String,
        /// All names.
        known: String,
    },
    /// `replay` without any choice would send everything again.
    #[error("say what to send again: --since TIME, --rejected or --expired")]
    ReplayWhat,
    /// Verification stopped.
    #[error(transparent)]
    Verify(#[from] VerifyError),
    /// The server cannot be asked.
    #[error(transparent)]
    Query(QueryError),
    /// A folder has no buckets.
    #[error("the destination is a folder of files, which has no buckets; set [destination] kind = \"influxdb\"")]
    NoBuckets,
    /// A folder cannot be verified.
    #[error(
        "the destination is a folder of files, which cannot be asked what arrived; set [destination] kind = \"influxdb\""
    )]
    NothingToAsk,
    /// Stdout is gone.
    #[error("cannot write to stdout: {0}")]
    Output(#[from] std::io::Error),
}

impl CliError {
    /// Its exit code.
    pub(super) fn exit(&self) -> Exit {
        match self {
            CliError::Config(_) | CliError::Instant { .. } | CliError::ReplayWhat | CliError::UnknownTable { .. } => {
                Exit::Usage
            }
            CliError::Draft(DraftError::List { .. } | DraftError::Write { .. } | DraftError::Changed { .. }) => {
                Exit::Failed
            }
            CliError::Draft(_) => Exit::Usage,
            CliError::Store(StoreError::ClockChanged { .. }) => Exit::Usage,
            CliError::Ingest(IngestError::Store(StoreError::ClockChanged { .. })) => Exit::Usage,
            CliError::Ingest(
                IngestError::UnknownTable { .. }
                | IngestError::NoFile { .. }
                | IngestError::WhichTable { .. }
                | IngestError::Source(_),
            ) => Exit::Usage,
            CliError::Sync(SyncError::Destination {
                source: DestinationError::Secret(_) | DestinationError::SecretUnusable,
            }) => Exit::Usage,
            CliError::NoBuckets | CliError::NothingToAsk => Exit::Usage,
            CliError::Query(QueryError::Refused { .. }) => Exit::Refused,
            CliError::Output(source) if source.kind() == std::io::ErrorKind::BrokenPipe => Exit::Well,
            _ => Exit::Failed,
        }
    }
}
