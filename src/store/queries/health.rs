//! The database as a file: whether it is intact, its size, and the size of its log.
//!
//! SQLite's log (`-wal`) starts again at its beginning when all of it has been written to the database and no reader
//! uses an older state. It grows while a browser or a backup does. Afterwards it keeps its size unless a limit is set.

use std::path::Path;

use crate::store::schema::beside::beside;
use crate::store::schema::migrate;
use crate::store::{Result, Store};

/// The bytes of the log that remain on disk when the log starts again: three times what an ingest of any size needs
/// without a concurrent reader (measured on 300 MB: 20 MB), so that in normal operation the file is neither truncated
/// nor extended.
pub(in crate::store) const LOG_KEPT: i64 = 64 * 1024 * 1024;

/// Sizes on disk in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoreSize {
    /// The database file.
    pub database: u64,
    /// The log file.
    pub log: u64,
}

impl Store {
    /// SQLite's quick check: every page and every row, without comparing the indexes. Returns `ok`, or the first
    /// problem.
    pub fn quick_check(&self) -> Result<String> {
        self.conn.query_row("PRAGMA quick_check(1)", [], |row| row.get(0)).map_err(|source| self.at(source))
    }

    /// Whether the schema is of this program's version; an older one is migrated by [`Store::open`].
    pub fn is_current(&self) -> Result<bool> {
        Ok(migrate::version(&self.conn, &self.path)? == migrate::known())
    }

    /// A number that changes whenever another connection has committed. It is read from shared memory and costs little.
    pub fn data_version(&self) -> Result<i64> {
        self.conn.query_row("PRAGMA data_version", [], |row| row.get(0)).map_err(|source| self.at(source))
    }

    /// The size of the database on disk.
    pub fn size(&self) -> StoreSize {
        let bytes = |path: &Path| path.metadata().map_or(0, |found| found.len());
        StoreSize { database: bytes(&self.path), log: bytes(&beside(&self.path, "-wal")) }
    }

    /// Truncates the log to its limit if it is larger. It does not wait for a reader: a later call does the work then.
    pub fn tidy_log(&self) -> Result<()> {
        if self.size().log <= LOG_KEPT.cast_unsigned() {
            return Ok(());
        }
        let work = || -> rusqlite::Result<()> {
            self.conn.busy_timeout(std::time::Duration::ZERO)?;
            // A busy database is reported in the result row, not as an error.
            let cut = self.conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
            self.conn.busy_timeout(self.patience)?;
            cut
        };
        work().map_err(|source| self.at(source))
    }
}
