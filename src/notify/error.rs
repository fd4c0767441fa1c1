//! Why a message was not taken, and what to do about it. No text here holds a secret (I10).

use std::path::PathBuf;
use std::time::Duration;

use thiserror::Error;

use crate::config::SecretError;

/// Why a message was not taken.
#[derive(Debug, Error)]
pub enum NotifyError {
    /// The address, the token or the password cannot be read.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// The address that was read is none.
    #[error("the address in {place} {problem}")]
    Address {
        /// The variable or the file.
        place: String,
        /// What is wrong with it.
        problem: String,
    },
    /// A file of certificates cannot be used.
    #[error("{} cannot be used as ca_file: {problem}", path.display())]
    Certificates {
        /// The file.
        path: PathBuf,
        /// Why.
        problem: String,
    },
    /// The client cannot be set up.
    #[error("the connection to {place} cannot be prepared: {problem}")]
    Client {
        /// The server.
        place: String,
        /// Why.
        problem: String,
    },
    /// No answer.
    #[error("{place} cannot be reached: {problem}")]
    Unreachable {
        /// The server.
        place: String,
        /// Why.
        problem: String,
    },
    /// It took too long.
    #[error("{place} did not answer within {} s", limit.as_secs())]
    TooSlow {
        /// The server.
        place: String,
        /// How long it was waited for.
        limit: Duration,
    },
    /// The server cannot take it now.
    #[error("{place} cannot take it now: {answer}")]
    Busy {
        /// The server.
        place: String,
        /// What it answered.
        answer: String,
        /// How long it asks to be left alone.
        asked: Option<Duration>,
    },
    /// The server refuses it.
    #[error("{place} refuses it: {answer}; {fix}")]
    Refused {
        /// The server.
        place: String,
        /// What it answered.
        answer: String,
        /// What to do.
        fix: String,
    },
    /// The server refuses it, and may take a shorter one.
    #[error("{place} refuses it: {answer}; {fix}")]
    RefusedAsItIs {
        /// The server.
        place: String,
        /// What it answered.
        answer: String,
        /// What to do.
        fix: String,
    },
    /// The event log of Windows does not take it.
    #[error("the event log cannot be written: {problem}")]
    EventLog {
        /// Why.
        problem: String,
    },
    /// The connection could not be encrypted as it must be.
    #[error("{place}: {problem}; {fix}")]
    Encryption {
        /// The server.
        place: String,
        /// Why.
        problem: String,
        /// What to do.
        fix: String,
    },
}

impl NotifyError {
    /// Whether it stays until a user has acted.
    pub fn is_permanent(&self) -> bool {
        !matches!(self, NotifyError::Unreachable { .. } | NotifyError::TooSlow { .. } | NotifyError::Busy { .. })
    }

    /// How long the server asks to be left alone.
    pub fn asked(&self) -> Option<Duration> {
        match self {
            NotifyError::Busy { asked, .. } => *asked,
            _ => None,
        }
    }
}
