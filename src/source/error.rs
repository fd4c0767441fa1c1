//! The errors of reading and writing files.

use std::path::PathBuf;

use thiserror::Error;

/// A failure to read a file.
#[derive(Debug, Error)]
pub enum SourceError {
    /// The file existed when the folder was listed, or a moment ago, and exists no longer.
    #[error("{path} does not exist at the moment; the next run reads it")]
    Gone {
        /// The file.
        path: PathBuf,
    },
    /// Another program has the file open (Windows sharing or lock violation).
    #[error("{path} is locked by another program; the next run reads it")]
    Busy {
        /// The file.
        path: PathBuf,
    },
    /// The file changed in each attempt to read it.
    #[error("{path} kept changing while it was read; the next run reads it")]
    Changed {
        /// The file.
        path: PathBuf,
    },
    /// It is compressed, ends too early, and is not written any more.
    #[error("{path} is a gzip file that is cut: it was read as far as it goes; copy it again")]
    Cut {
        /// The file.
        path: PathBuf,
    },
    /// What it holds cannot be unpacked.
    #[error("{path} is a gzip file that is damaged ({reason}): copy it again")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What the decoder says.
        reason: String,
    },
    /// The system refused the access.
    #[error("cannot read {path}: {source}; check the path and its permissions")]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's message.
        source: std::io::Error,
    },
    /// A target file or folder for closed files cannot be written.
    #[error("cannot write {path}: {source}; check the folder, its permissions and the room on its disk")]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// The system's message.
        source: std::io::Error,
    },
    /// A pattern of the configuration is not valid.
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
    /// Classifies the system's error.
    pub(super) fn io(path: &std::path::Path, source: std::io::Error) -> SourceError {
        let path = path.to_owned();
        match source.kind() {
            std::io::ErrorKind::NotFound => SourceError::Gone { path },
            _ if source.raw_os_error().is_some_and(|code| HELD.contains(&code)) => SourceError::Busy { path },
            _ => SourceError::Io { path, source },
        }
    }

    /// An error of writing a file or folder.
    pub(super) fn write(path: &std::path::Path, source: std::io::Error) -> SourceError {
        SourceError::Write { path: path.to_owned(), source }
    }

    /// Whether the next run would fail in the same way.
    pub fn is_permanent(&self) -> bool {
        !matches!(self, SourceError::Gone { .. } | SourceError::Busy { .. } | SourceError::Changed { .. })
    }
}
