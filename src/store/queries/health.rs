//! The database as a file: is it whole, how large is it, and is its log small.
//!
//! SQLite's log (`-wal`) goes back to its beginning when everything in it has reached the database and no reader is in an
//! older state. While a browser or a backup does, it grows; afterwards it keeps its size unless it is limited.

use std::path::Path;

use crate::store::schema::beside::beside;
use crate::store::schema::migrate;
use crate::store::{Result, Store};

/// Bytes of log that stay on disk when the log begins again: three times what an ingest of any size needs while no reader
/// reads beside it (measured on 300 MB: 20 MB), so that in ordinary work the file is neither cut nor made longer.
pub(in crate::store) const LOG_KEPT: i64 = 64 * 1024 * 1024;

/// Bytes on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoreSize {
    /// The database.
    pub database: u64,
    /// Its log.
    pub log: u64,
}

impl Store {
    /// SQLite's quick check: every page and every row, without comparing the indexes. `ok`, or what it found first.
    pub fn quick_check(&self) -> Result<String> {
        self.conn.query_row("PRAGMA quick_check(1)", [], |row| row.get(0)).map_err(|source| self.at(source))
    }

    /// Whether its schema is this program's, or an older one that [`Store::open`] brings up to date.
    pub fn is_current(&self) -> Result<bool> {
        Ok(migrate::version(&self.conn, &self.path)? == migrate::known())
    }

    /// A number that changes whenever another connection has committed something. Reads a word of shared memory.
    pub fn data_version(&self) -> Result<i64> {
        self.conn.query_row("PRAGMA data_version", [], |row| row.get(0)).map_err(|source| self.at(source))
    }

    /// What the database takes on disk.
    pub fn size(&self) -> StoreSize {
        let bytes = |path: &Path| path.metadata().map_or(0, |found| found.len());
        StoreSize { database: bytes(&self.path), log: bytes(&beside(&self.path, "-wal")) }
    }

    /// Brings the log back to its size if it has outgrown it. Does not wait for a reader: the next call finds it gone.
    pub fn tidy_log(&self) -> Result<()> {
        if self.size().log <= LOG_KEPT.cast_unsigned() {
            return Ok(());
        }
        let work = || -> rusqlite::Result<()> {
            self.conn.busy_timeout(std::time::Duration::ZERO)?;
            // Busy is an answer here, not an error: it stands in the row.
            let cut = self.conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
            self.conn.busy_timeout(self.patience)?;
            cut
        };
        work().map_err(|source| self.at(source))
    }
}
