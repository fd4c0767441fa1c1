//! Why no configuration was written.

use std::path::PathBuf;

use thiserror::Error;

use crate::config::ConfigError;
use crate::source::SourceError;

/// Why no configuration was written. Nothing on disk has changed.
#[derive(Debug, Error)]
pub enum DraftError {
    /// A named file or folder does not exist.
    #[error("{} does not exist; name files that LoggerNet writes, or the folder they are in", path.display())]
    NotThere {
        /// The path, as the user gave it.
        path: PathBuf,
    },
    /// A folder cannot be listed.
    #[error("cannot list {}: {source}; check its permissions, or name the files themselves", path.display())]
    List {
        /// The folder.
        path: PathBuf,
        /// The system's message.
        source: std::io::Error,
    },
    /// No file can be read as a logger's table.
    #[error(
        "no file was found that can be described, so there is nothing to write a configuration for; name the .dat files that \
         LoggerNet writes, or text tables of other programs, or their folder{left_out}"
    )]
    Nothing {
        /// One line for each examined file; it may be empty.
        left_out: String,
    },
    /// The configuration exists, and is never overwritten.
    #[error(
        "{} exists and was not changed; add tables for new files with --add, or write another file with \
         --output FILE",
        path.display()
    )]
    Exists {
        /// The configuration.
        path: PathBuf,
    },
    /// The configuration to which tables should be added does not load.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A table's file pattern cannot be used.
    #[error(transparent)]
    Pattern(SourceError),
    /// The drafted text does not load as a configuration.
    #[error("nothing was written, because the configuration would not load: {source}")]
    Unsound {
        /// The error.
        source: ConfigError,
    },
    /// Tables added at the end would change the tables before them.
    #[error(
        "nothing was added to {}: text at its end would change the tables before it; write the new tables to another \
         file with --output FILE and copy them",
        path.display()
    )]
    WouldChange {
        /// The configuration.
        path: PathBuf,
    },
    /// The file changed between reading and writing.
    #[error("{} changed in the meantime and was not overwritten; close the editor and run this again", path.display())]
    Changed {
        /// The configuration.
        path: PathBuf,
    },
    /// The file cannot be written.
    #[error("cannot write {}: {source}; check that its folder exists and is writable", path.display())]
    Write {
        /// The configuration.
        path: PathBuf,
        /// The system's message.
        source: std::io::Error,
    },
}
