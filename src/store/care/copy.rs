//! Copies the store while other processes write to it.
//!
//! The copy is made with `VACUUM INTO`, not with SQLite's backup API. Both read one state of the database while writers
//! continue, but the backup API starts over whenever another process commits between its steps, which on a station is
//! every few seconds, and it also copies free pages. `VACUUM INTO` reads every row, so a damaged page is found when the
//! copy is made and not when it is needed. It does not sync what it writes; the caller syncs the copy before it gets
//! its final name.

use std::path::Path;

use rusqlite::{Connection, OpenFlags};

use crate::store::schema::error::StoreError;
use crate::store::schema::{beside, migrate};
use crate::store::{BUSY_TIMEOUT, Result, Store};

impl Store {
    /// Writes a copy of the database to `to`, where no file may exist, and checks it page by page. Returns the number
    /// of its rows.
    pub fn copy(from: &Path, to: &Path) -> Result<u64> {
        let at = |source| StoreError::at(from, source);
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        beside::check(from)?;
        let conn = Connection::open_with_flags(from, flags).map_err(at)?;
        conn.busy_timeout(BUSY_TIMEOUT).map_err(at)?;
        migrate::check(&conn, from)?;
        conn.execute("VACUUM INTO ?1", [to.to_string_lossy()]).map_err(|source| {
            use rusqlite::ErrorCode;
            // A full disk or a file that cannot be made concerns the copy; damage concerns the original.
            match source.sqlite_error_code() {
                Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase | ErrorCode::DatabaseBusy) => at(source),
                _ => StoreError::at(to, source),
            }
        })?;
        drop(conn);
        let copy = Connection::open_with_flags(to, flags).map_err(|source| StoreError::at(to, source))?;
        let message: String = copy
            .query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))
            .map_err(|source| StoreError::Copy { path: from.to_owned(), message: source.to_string() })?;
        if message != "ok" {
            return Err(StoreError::Copy { path: from.to_owned(), message });
        }
        copy.query_row("SELECT coalesce(sum(rows), 0) FROM logger_table", [], |row| row.get::<_, i64>(0))
            .map(i64::cast_unsigned)
            .map_err(|source| StoreError::at(to, source))
    }
}
