//! The file beside the store that keeps bins.
//!
//! It holds only data that can be made from the store: a file that is missing, damaged or of another version is made
//! again, and if no file can be written, a temporary one is used until the process ends.

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags, TransactionBehavior, params};

use super::locked;

/// The application id in the database's header. "FTsm" in ASCII.
const APPLICATION_ID: i64 = 0x4654_736d;
/// Version of the tables below and of the bytes in them.
const VERSION: i64 = 2;
/// A write that would wait longer than this is skipped: the next request does it.
const BUSY_TIMEOUT: Duration = Duration::from_millis(200);
/// Idle connections that are kept open.
const MOST_IDLE: usize = 4;

const TABLES: &str = "
    -- The width of the narrowest bins of a series, in milliseconds.
    CREATE TABLE kept (series INTEGER PRIMARY KEY, width INTEGER NOT NULL) STRICT;
    -- By series, level and place: the version of the rows in its bins, and the number of columns.
    CREATE TABLE piece (id INTEGER PRIMARY KEY, version INTEGER NOT NULL, columns INTEGER NOT NULL) STRICT;
    -- By series, level, column and place.
    CREATE TABLE bins (id INTEGER PRIMARY KEY, data BLOB NOT NULL) STRICT;
";

/// The width of bins, and the length of a piece.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Level {
    /// The narrowest bins; a piece is six hours.
    Narrow = 0,
    /// Bins of an hour; a piece is six hours.
    Hours = 1,
    /// Bins of six hours; a piece is [`super::pieces::CHAPTER`] of them.
    Slots = 2,
}

const PLACE_BITS: u32 = 20;
const COLUMN_BITS: u32 = 16;

/// The id in the table `piece`.
pub(super) fn piece_id(series: i64, level: Level, place: i64) -> i64 {
    bins_id(series, level, 0, place)
}

/// The id in the table `bins`. Column 0 counts rows; the others are one more than the position in the column list.
pub(super) fn bins_id(series: i64, level: Level, column: usize, place: i64) -> i64 {
    let column = i64::try_from(column).unwrap_or(i64::MAX) & ((1 << COLUMN_BITS) - 1);
    let head = (series << 2 | level as i64) << COLUMN_BITS | column;
    head << PLACE_BITS | (place & ((1 << PLACE_BITS) - 1))
}

/// The place in an id.
pub(super) fn place_of(id: i64) -> i64 {
    id & ((1 << PLACE_BITS) - 1)
}

/// The file, and connections to it.
#[derive(Debug)]
pub(super) struct Sidecar {
    path: PathBuf,
    idle: Mutex<Vec<Connection>>,
    temporary: Mutex<Option<Connection>>,
}

/// A piece to be written.
pub(super) struct PieceDraft {
    pub(super) series: i64,
    pub(super) level: Level,
    pub(super) place: i64,
    /// The version of the rows, read before the rows.
    pub(super) version: i64,
    /// The bytes with checksums: of the row counts, then of every column.
    pub(super) columns: Vec<Vec<u8>>,
}

impl Sidecar {
    /// The sidecar of the store at this path.
    pub(super) fn of(store: &Path) -> Sidecar {
        let mut name = store.file_name().unwrap_or_default().to_owned();
        name.push(".summary");
        Sidecar { path: store.with_file_name(name), idle: Mutex::default(), temporary: Mutex::default() }
    }

    /// Runs the work on the file, or on a temporary one if no file can be written. The work may run a second time. None
    /// if it failed.
    pub(super) fn with<T>(&self, work: impl Fn(&mut Connection) -> rusqlite::Result<T>) -> Option<T> {
        for _ in 0..2 {
            let mut conn = match self.take() {
                Ok(conn) => conn,
                Err(error) => {
                    tracing::debug!(path = %self.path.display(), %error, "summaries cannot be kept");
                    break;
                }
            };
            match work(&mut conn) {
                Ok(done) => {
                    self.give(conn);
                    return Some(done);
                }
                Err(error) if is_busy(&error) => {
                    self.give(conn);
                    return None;
                }
                Err(error) => {
                    tracing::debug!(path = %self.path.display(), %error, "summaries are made again");
                    drop(conn);
                    self.remove();
                }
            }
        }
        let mut temporary = locked(&self.temporary);
        if temporary.is_none() {
            *temporary = Connection::open("").and_then(|conn| conn.execute_batch(TABLES).map(|()| conn)).ok();
        }
        temporary.as_mut().and_then(|conn| work(conn).ok())
    }

    fn take(&self) -> rusqlite::Result<Connection> {
        if !self.path.exists() {
            // The file was deleted by hand: files that belonged to it are useless.
            self.remove();
        } else if let Some(conn) = locked(&self.idle).pop() {
            return Ok(conn);
        }
        match self.open() {
            Err(error) if !is_busy(&error) && self.path.exists() => {
                tracing::debug!(path = %self.path.display(), %error, "summaries are made again");
                self.remove();
                self.open()
            }
            opened => opened,
        }
    }

    fn give(&self, conn: Connection) {
        let mut idle = locked(&self.idle);
        if idle.len() < MOST_IDLE {
            idle.push(conn);
        }
    }

    fn remove(&self) {
        locked(&self.idle).clear();
        for ending in ["", "-wal", "-shm"] {
            let mut name = self.path.clone().into_os_string();
            name.push(ending);
            // It may not exist, or another process may have it open, which then finds the same damage.
            let _ = std::fs::remove_file(name);
        }
    }

    fn open(&self) -> rusqlite::Result<Connection> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut conn = Connection::open_with_flags(&self.path, flags)?;
        conn.busy_timeout(BUSY_TIMEOUT)?;
        conn.set_prepared_statement_cache_capacity(16);
        conn.pragma_update(None, "page_size", 16_384)?;
        conn.pragma_update(None, "journal_mode", "wal")?;
        conn.pragma_update(None, "synchronous", "normal")?;
        conn.pragma_update(None, "journal_size_limit", 4_000_000)?;
        let head = |conn: &Connection| -> rusqlite::Result<(i64, i64)> {
            let pragma = |name| conn.pragma_query_value(None, name, |row| row.get(0));
            Ok((pragma("application_id")?, pragma("user_version")?))
        };
        match head(&conn)? {
            (APPLICATION_ID, VERSION) => {}
            (0, 0) => {
                let transaction = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
                // Another process may have made the tables already.
                if head(&transaction)? == (0, 0) {
                    transaction.execute_batch(TABLES)?;
                    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
                    transaction.pragma_update(None, "user_version", VERSION)?;
                }
                transaction.commit()?;
            }
            _ => return Err(rusqlite::Error::InvalidQuery),
        }
        if conn.is_readonly("main")? {
            return Err(rusqlite::Error::InvalidQuery);
        }
        Ok(conn)
    }

    /// The width of the narrowest kept bins of a series, if there are any.
    pub(super) fn width(&self, series: i64) -> Option<i64> {
        use rusqlite::OptionalExtension as _;
        self.with(|conn| {
            conn.prepare_cached("SELECT width FROM kept WHERE series = ?1")?
                .query_row([series], |row| row.get(0))
                .optional()
        })
        .flatten()
    }

    /// Writes pieces in one transaction. A piece that cannot be written is computed again at the next request.
    pub(super) fn write(&self, pieces: &[PieceDraft], width: i64) {
        if pieces.is_empty() {
            return;
        }
        self.with(|conn| {
            let transaction = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
            {
                let mut kept =
                    transaction.prepare_cached("INSERT OR REPLACE INTO kept (series, width) VALUES (?1, ?2)")?;
                let mut piece = transaction
                    .prepare_cached("INSERT OR REPLACE INTO piece (id, version, columns) VALUES (?1, ?2, ?3)")?;
                let mut bins = transaction.prepare_cached("INSERT OR REPLACE INTO bins (id, data) VALUES (?1, ?2)")?;
                for draft in pieces {
                    let PieceDraft { series, level, place, version, columns } = draft;
                    kept.execute([*series, width])?;
                    let count = i64::try_from(columns.len()).unwrap_or(i64::MAX);
                    piece.execute([piece_id(*series, *level, *place), *version, count])?;
                    for (column, data) in columns.iter().enumerate() {
                        bins.execute(params![bins_id(*series, *level, column, *place), data])?;
                    }
                }
            }
            transaction.commit()
        });
    }
}

fn is_busy(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked))
}
