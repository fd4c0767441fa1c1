//! Errors of the configuration.
//!
//! A message names the file, the line and the key, what is wrong with it, and what to write instead. No message quotes
//! a value that may be a secret: the text of the file is never copied into an error as a whole.

use std::path::{Path, PathBuf};

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// There is no such file.
    #[error(
        "{} is not there; name your file with `fluxtower --config FILE`, have one written with `fluxtower init FOLDER`, \
         or copy the config.toml that comes with fluxtower and change it",
        path.display()
    )]
    Missing {
        /// As it was given.
        path: PathBuf,
    },
    /// The file is there but cannot be read.
    #[error("{} cannot be read ({source}); check that it is a file and that this user may read it", path.display())]
    Unreadable {
        /// As it was given.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file is not UTF-8, for example because it was saved as "Unicode" on Windows.
    #[error("{} is not UTF-8 text; save it again with the encoding UTF-8", path.display())]
    NotUtf8 {
        /// As it was given.
        path: PathBuf,
    },
    /// The text breaks the rules of TOML.
    #[error("{}: {message}", place(file, *line))]
    Syntax {
        /// As it was given.
        file: PathBuf,
        /// From 1.
        line: Option<usize>,
        /// What is wrong, and what to write where that is known.
        message: String,
    },
    /// A key or a section that fluxtower does not know.
    #[error("{}: {message}", place(file, *line))]
    UnknownKey {
        /// As it was given.
        file: PathBuf,
        /// From 1.
        line: Option<usize>,
        /// The key with its section, and the known keys that look like it.
        message: String,
    },
    /// A key that is missing, or a value that cannot stand where it stands.
    #[error("{}: {message}", place(file, *line))]
    Invalid {
        /// As it was given.
        file: PathBuf,
        /// From 1; none if the whole section is missing.
        line: Option<usize>,
        /// The section and the key, what is wrong and what to write.
        message: String,
    },
}

impl ConfigError {
    /// What is wrong and what to write, without the file and the line.
    pub(crate) fn problem(&self) -> String {
        match self {
            ConfigError::Syntax { message, .. }
            | ConfigError::UnknownKey { message, .. }
            | ConfigError::Invalid { message, .. } => message.clone(),
            other => other.to_string(),
        }
    }

    /// The line that it is about, from 1; none where it is about no line.
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
