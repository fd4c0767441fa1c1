//! Why a pass or a run ended before its work was done, and the exit code for it.

use thiserror::Error;

use crate::destination::DestinationError;
use crate::ingest::IngestError;
use crate::status::{Exit, StatusError};
use crate::store::StoreError;
use crate::sync::SyncError;
use crate::verify::VerifyError;

/// A failure of a pass.
#[derive(Debug, Error)]
pub enum AgentError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Ingest stopped.
    #[error(transparent)]
    Ingest(#[from] IngestError),
    /// Sync stopped.
    #[error(transparent)]
    Sync(#[from] SyncError),
    /// Rows could not be compared with those in the bucket.
    #[error(transparent)]
    Verify(#[from] VerifyError),
    /// The input of the findings could not be read.
    #[error(transparent)]
    Status(#[from] StatusError),
    /// A changed configuration is wrong, or does not fit the store.
    #[error("{}", crate::status::not_taken_up(why))]
    NotTakenUp {
        /// What is wrong with the configuration.
        why: String,
    },
    /// The handler for a request to end (a signal) could not be installed.
    #[error("cannot listen for Ctrl-C and SIGTERM: {0}")]
    Signals(std::io::Error),
}

impl AgentError {
    /// The exit code for this error.
    pub fn exit(&self) -> Exit {
        match self {
            AgentError::NotTakenUp { .. }
            | AgentError::Store(StoreError::ClockChanged { .. })
            | AgentError::Ingest(
                IngestError::Store(StoreError::ClockChanged { .. })
                | IngestError::UnknownTable { .. }
                | IngestError::NoFile { .. }
                | IngestError::WhichTable { .. }
                | IngestError::OtherTable { .. }
                | IngestError::Source(_),
            )
            | AgentError::Sync(SyncError::Destination {
                source:
                    DestinationError::Secret(_) | DestinationError::SecretUnusable | DestinationError::Certificate { .. },
            }) => Exit::Usage,
            AgentError::Store(_)
            | AgentError::Ingest(IngestError::Store(_))
            | AgentError::Sync(_)
            | AgentError::Verify(_)
            | AgentError::Status(_)
            | AgentError::Signals(_) => Exit::Failed,
        }
    }

    /// Whether another program held the database for longer than the busy timeout.
    pub fn is_locked(&self) -> bool {
        matches!(
            self,
            AgentError::Store(StoreError::Busy { .. })
                | AgentError::Ingest(IngestError::Store(StoreError::Busy { .. }))
                | AgentError::Sync(SyncError::Store(StoreError::Busy { .. }))
                | AgentError::Verify(VerifyError::Store(StoreError::Busy { .. }))
        )
    }

    /// Whether another attempt with the same configuration cannot help.
    pub fn is_permanent(&self) -> bool {
        self.exit() == Exit::Usage
    }
}
