//! Makes stable copies of files that another program overwrites.
//!
//! LoggerNet owns the file. It is opened with shared reading, writing and deleting (Rust's default on Windows), read in
//! one pass and closed; it is never locked, renamed or truncated. A chunk is passed on only if the file did not change
//! while it was read (I2). A file that is missing for a moment, or locked by another program, is read again later and
//! never taken as empty.

mod closed;
mod dated;
mod error;
mod events;
mod find;
mod fingerprint;
mod quiet;
mod records;
mod trust;
mod watched;

use std::path::Path;
use std::time::SystemTime;

pub use closed::ClosedFile;
pub use dated::{DatePart, date_parts, letters};
pub use error::SourceError;
pub use find::{Finder, find, listed, match_options, matches};
pub use quiet::{Chunk, QuietFile, Snapshot};
pub use records::{Line, Piece, Records, Said, Translator};
pub use watched::{TableFiles, Watched};

/// When a file or folder was last modified; None if the system does not say.
pub fn modified(path: &Path) -> Option<SystemTime> {
    path.metadata().ok()?.modified().ok()
}

/// A configuration with one table of these `files`, for tests.
#[cfg(test)]
fn config_of(folder: &Path, files: &str) -> crate::config::Config {
    let text = format!(
        "[station]\nname = \"X\"\nutc_offset = \"+00:00\"\n[destination]\nkind = \"files\"\n[[table]]\nname = \"met\"\nfiles = {files}\n"
    );
    crate::config::Config::parse(&text, &folder.join("config.toml")).unwrap()
}
