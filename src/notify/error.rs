//! Why a message could not be delivered, and what to do about it. No text here contains a secret (I10).

use std::path::PathBuf;
use std::time::Duration;

use thiserror::Error;

use crate::config::SecretError;

/// Why a message could not be delivered.
#[derive(Debug, Error)]
pub enum NotifyError {
    /// The address, the token or the password cannot be read.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// The address that was read is not valid.
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
        /// The reason.
        problem: String,
    },
    /// The client cannot be set up.
    #[error("the connection to {place} cannot be prepared: {problem}")]
    Client {
        /// The server.
        place: String,
        /// The reason.
        problem: String,
    },
    /// There was no answer.
    #[error("{place} cannot be reached: {problem}")]
    Unreachable {
        /// The server.
        place: String,
        /// The reason.
        problem: String,
    },
    /// The answer took too long.
    #[error("{place} did not answer within {} s", limit.as_secs())]
    TooSlow {
        /// The server.
        place: String,
        /// How long this process waited.
        limit: Duration,
    },
    /// The server cannot accept the message now.
    #[error("{place} cannot take it now: {answer}")]
    Busy {
        /// The server.
        place: String,
        /// The server's answer.
        answer: String,
        /// How long the server asks to wait.
        asked: Option<Duration>,
    },
    /// The server refuses the message.
    #[error("{place} refuses it: {answer}; {fix}")]
    Refused {
        /// The server.
        place: String,
        /// The server's answer.
        answer: String,
        /// What to do.
        fix: String,
    },
    /// The server refuses the message, but may accept a shorter one.
    #[error("{place} refuses it: {answer}; {fix}")]
    RefusedAsItIs {
        /// The server.
        place: String,
        /// The server's answer.
        answer: String,
        /// What to do.
        fix: String,
    },
    /// The event log of Windows does not accept the message.
    #[error("the event log cannot be written: {problem}")]
    EventLog {
        /// The reason.
        problem: String,
    },
    /// The connection could not be encrypted as required.
    #[error("{place}: {problem}; {fix}")]
    Encryption {
        /// The server.
        place: String,
        /// The reason.
        problem: String,
        /// What to do.
        fix: String,
    },
}

impl NotifyError {
    /// Whether the error lasts until a user has acted.
    pub fn is_permanent(&self) -> bool {
        !matches!(self, NotifyError::Unreachable { .. } | NotifyError::TooSlow { .. } | NotifyError::Busy { .. })
    }

    /// How long the server asks to wait.
    pub fn asked(&self) -> Option<Duration> {
        match self {
            NotifyError::Busy { asked, .. } => *asked,
            _ => None,
        }
    }
}
