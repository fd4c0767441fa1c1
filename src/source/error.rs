//! Why a file could not be read just now.

use std::path::PathBuf;

use thiserror::Error;

/// A failure to read a file.
#[derive(Debug, Error)]
pub enum SourceError {
    /// It was there when the folder was listed, or a moment ago.
    #[error("{path} is not there at the moment; it is read at the next run")]
    Gone {
        /// The file.
        path: PathBuf,
    },
    /// Another program holds it (Windows sharing or lock violation).
    #[error("{path} is held by another program; it is read at the next run")]
    Busy {
        /// The file.
        path: PathBuf,
    },
    /// It changed while it was read, again and again.
    #[error("{path} kept changing while it was read; it is read at the next run")]
    Changed {
        /// The file.
        path: PathBuf,
    },
    /// The system refused.
    #[error("cannot read {path}: {source}; check the path and its permissions")]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's words.
        source: std::io::Error,
    },
    /// A pattern of the configuration is none.
    #[error("the file pattern {pattern} cannot be used: {reason}")]
    Pattern {
        /// The pattern.
        pattern: String,
        /// What is wrong with it.
        reason: String,
    },
}

/// Windows: ERROR_SHARING_VIOLATION and ERROR_LOCK_VIOLATION.
#[cfg(windows)]
const HELD: [i32; 2] = [32, 33];
#[cfg(not(windows))]
const HELD: [i32; 0] = [];

impl SourceError {
    /// Sorts the system's error.
    pub(super) fn io(path: &std::path::Path, source: std::io::Error) -> SourceError {
        let path = path.to_owned();
        match source.kind() {
            std::io::ErrorKind::NotFound => SourceError::Gone { path },
            _ if source.raw_os_error().is_some_and(|code| HELD.contains(&code)) => SourceError::Busy { path },
            _ => SourceError::Io { path, source },
        }
    }

    /// Whether the next run will meet the same.
    pub fn is_permanent(&self) -> bool {
        !matches!(self, SourceError::Gone { .. } | SourceError::Busy { .. } | SourceError::Changed { .. })
    }
}
