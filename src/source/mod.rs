//! Quiet copies of files that another program overwrites.
//!
//! LoggerNet owns the file. It is opened shared for reading, writing and deleting (Rust's default on Windows), read in one
//! sweep and closed; never locked, renamed or truncated. What a chunk held is handed on only when the file has not changed
//! while it was read (I2). A file that is gone for a moment, or held by another program, is "try again", never "empty".

mod error;
mod find;
mod fingerprint;
mod quiet;
mod watched;

pub use error::SourceError;
pub use find::find;
pub use quiet::{Chunk, QuietFile, Snapshot};
pub use watched::{TableFiles, Watched};
