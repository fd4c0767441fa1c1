//! Why no configuration could be written.

use std::path::PathBuf;

use thiserror::Error;

use crate::config::ConfigError;
use crate::source::SourceError;

/// Why no configuration could be written. Nothing was changed on disk.
#[derive(Debug, Error)]
pub enum DraftError {
    /// A file or folder that the user named is not there.
    #[error("{} is not there; name files that LoggerNet writes, or the folder they are in", path.display())]
    NotThere {
        /// As it was given.
        path: PathBuf,
    },
    /// A folder cannot be listed.
    #[error("cannot list {}: {source}; check its permissions, or name the files themselves", path.display())]
    List {
        /// The folder.
        path: PathBuf,
        /// The system's words.
        source: std::io::Error,
    },
    /// No file can be read as a logger's table.
    #[error(
        "no TOA5 file was found, so there is nothing to write a configuration for; name the .dat files that LoggerNet \
         writes, or their folder{left_out}"
    )]
    Nothing {
        /// A line for each file that was looked at, or nothing.
        left_out: String,
    },
    /// There is a configuration already, and it is never overwritten.
    #[error(
        "{} is there already and was left as it is; add tables for new files with --add, or write another file with \
         --output FILE",
        path.display()
    )]
    Exists {
        /// The configuration.
        path: PathBuf,
    },
    /// The configuration that tables should be added to does not load.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A table's file pattern cannot be used.
    #[error(transparent)]
    Pattern(SourceError),
    /// The text that was made would not load.
    #[error("nothing was written, because the configuration would not load: {source}")]
    Unsound {
        /// What is wrong with it.
        source: ConfigError,
    },
    /// Tables behind the text would change the tables in it.
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
    #[error("{} changed meanwhile and was left as it is; close the editor and run this again", path.display())]
    Changed {
        /// The configuration.
        path: PathBuf,
    },
    /// The disk refused.
    #[error("cannot write {}: {source}; check that its folder is there and may be written", path.display())]
    Write {
        /// The configuration.
        path: PathBuf,
        /// The system's words.
        source: std::io::Error,
    },
}
