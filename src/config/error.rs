//! Errors of the configuration.
//!
//! A message names the file, the line and the key, what is wrong, and what to write instead. No message quotes a value
//! that may be a secret: the text of the file is never copied into an error as a whole.

use std::path::{Path, PathBuf};

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file does not exist.
    #[error(
        "{} is not there; name your file with `fluxtower --config FILE`, have one written with `fluxtower init FOLDER`, \
         or copy the config.toml that comes with fluxtower and change it",
        path.display()
    )]
    Missing {
        /// The path as it was given.
        path: PathBuf,
    },
    /// The file exists but cannot be read.
    #[error("{} cannot be read ({source}); check that it is a file and that this user may read it", path.display())]
    Unreadable {
        /// The path as it was given.
        path: PathBuf,
        /// The system's message.
        source: std::io::Error,
    },
    /// The file is not UTF-8, for example because it was saved as "Unicode" on Windows.
    #[error("{} is not UTF-8 text; save it again with the encoding UTF-8", path.display())]
    NotUtf8 {
        /// The path as it was given.
        path: PathBuf,
    },
    /// The text breaks the rules of TOML.
    #[error("{}: {message}", place(file, *line))]
    Syntax {
        /// The path as it was given.
        file: PathBuf,
        /// The line, counted from 1.
        line: Option<usize>,
        /// What is wrong, and what to write, if that is known.
        message: String,
    },
    /// A key or a section that fluxtower does not know.
    #[error("{}: {message}", place(file, *line))]
    UnknownKey {
        /// The path as it was given.
        file: PathBuf,
        /// The line, counted from 1.
        line: Option<usize>,
        /// The key with its section, and similar known keys.
        message: String,
    },
    /// A key is missing, or a value is not allowed for its key.
    #[error("{}: {message}", place(file, *line))]
    Invalid {
        /// The path as it was given.
        file: PathBuf,
        /// The line, counted from 1; None if the whole section is missing.
        line: Option<usize>,
        /// The section and the key, what is wrong and what to write.
        message: String,
    },
}

impl ConfigError {
    /// The problem and its fix, without the file and the line.
    pub(crate) fn problem(&self) -> String {
        match self {
            ConfigError::Syntax { message, .. }
            | ConfigError::UnknownKey { message, .. }
            | ConfigError::Invalid { message, .. } => message.clone(),
            other => other.to_string(),
        }
    }

    /// The line of the error, counted from 1; None for an error without a line.
    pub(crate) fn line(&self) -> Option<usize> {
        match self {
            ConfigError::Syntax { line, .. }
            | ConfigError::UnknownKey { line, .. }
            | ConfigError::Invalid { line, .. } => *line,
            ConfigError::Missing { .. } | ConfigError::Unreadable { .. } | ConfigError::NotUtf8 { .. } => None,
        }
    }
}

fn place(file: &Path, line: Option<usize>) -> String {
    match line {
        Some(line) => format!("{}:{line}", file.display()),
        None => file.display().to_string(),
    }
}
