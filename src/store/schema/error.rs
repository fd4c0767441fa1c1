//! The errors of the store, with what to do about each.

use std::path::PathBuf;
use std::time::Duration;

use thiserror::Error;

/// An error of the store.
#[derive(Debug, Error)]
pub enum StoreError {
    /// The folder or file cannot be opened or created.
    #[error("cannot open the database {path}: {source}; check that the folder exists and may be written to")]
    Open {
        /// The database.
        path: PathBuf,
        /// SQLite's message.
        source: rusqlite::Error,
    },
    /// The file is not an SQLite database, or pages of it are damaged.
    #[error(
        "the database {path} is damaged ({source}); run `fluxtower salvage`: every row that can be read goes into a new \
         database, the damaged one is set aside, and the next `fluxtower run` reads the .DAT files again for the rest"
    )]
    Damaged {
        /// The database.
        path: PathBuf,
        /// SQLite's message.
        source: rusqlite::Error,
    },
    /// A newer program made it.
    #[error(
        "the database {path} is of version {found}, which fluxtower {by} made; this is fluxtower {}, which knows versions up to {known}; install fluxtower {by} or a newer one, nothing was touched",
        env!("CARGO_PKG_VERSION")
    )]
    Newer {
        /// The database.
        path: PathBuf,
        /// Its version.
        found: i64,
        /// The version of the program that made it.
        by: String,
        /// The newest version this program knows.
        known: i64,
    },
    /// The disk has no room to copy a database of an older version before it is migrated.
    #[error(
        "the database {path} is of version {found}, and is copied before it is brought to version {known}: that takes {} on its disk, which has {} free; make room, or install the fluxtower from before again, nothing was touched",
        crate::text::bytes(*needed),
        crate::text::bytes(*free)
    )]
    NoRoomForUpgrade {
        /// The database.
        path: PathBuf,
        /// Its version.
        found: i64,
        /// The newest version this program knows.
        known: i64,
        /// Bytes needed.
        needed: u64,
        /// Bytes free.
        free: u64,
    },
    /// The copy before an upgrade cannot be written.
    #[error(
        "the copy {path} of the database cannot be written before it is brought up to date: {source}; nothing was touched"
    )]
    Backup {
        /// The copy.
        path: PathBuf,
        /// The system's message.
        source: std::io::Error,
    },
    /// The file is a database of another program.
    #[error("{path} is an SQLite database, but not one of fluxtower; set [store] path to another file")]
    Foreign {
        /// The database.
        path: PathBuf,
    },
    /// The file is empty, although it held rows.
    #[error(
        "the database {path} is empty, and it held rows: what stands beside it says so; put a backup in its place, or delete it to begin anew: the .DAT files are then read again"
    )]
    Emptied {
        /// The database.
        path: PathBuf,
    },
    /// A backup was put in place of a database whose log is still there.
    #[error(
        "the database {path} is a backup, and {path}-wal beside it is the log of the database that was there before; delete {path}-wal and {path}-shm, nothing was touched"
    )]
    LogOfAnother {
        /// The database.
        path: PathBuf,
    },
    /// The disk is full.
    #[error("the disk of {path} is full; make room, nothing staged so far is lost")]
    DiskFull {
        /// The database.
        path: PathBuf,
    },
    /// Another program has held the database for longer than the busy timeout.
    #[error("the database {path} has been locked by another program for {}s; close the SQLite browser that has it open", waited.as_secs())]
    Busy {
        /// The database.
        path: PathBuf,
        /// How long this process waited for it.
        waited: Duration,
    },
    /// The lock file cannot be created.
    #[error("cannot lock {path}: {source}; check that the database's folder may be written to")]
    Lock {
        /// The lock file.
        path: PathBuf,
        /// The system's message.
        source: std::io::Error,
    },
    /// A table's clock differs from the one by which its rows were staged.
    #[error(
        "table \"{table}\" was staged with the clock {staged}, the configuration says {configured}; put the old one back, or move its rows to the time that their stamps mean by the new one: `fluxtower rekey --dry-run` says how many, `fluxtower rekey` moves them"
    )]
    ClockChanged {
        /// The table's name.
        table: String,
        /// The clock in the store.
        staged: String,
        /// The clock in the configuration.
        configured: String,
    },
    /// A column of measurements is configured as a tag.
    #[error(
        "table \"{table}\" brings the store to more than {most} series; a column with so many values is no tag: set its use to \"field\""
    )]
    TooManySeries {
        /// The table.
        table: String,
        /// The most series that the store can hold.
        most: i64,
    },
    /// A copy differs from its original.
    #[error(
        "the copy of the database {path} failed its check ({message}) and was thrown away; see `fluxtower check`, and look at the disk it was written to"
    )]
    Copy {
        /// The database.
        path: PathBuf,
        /// SQLite's message.
        message: String,
    },
    /// SQLite refused a statement.
    #[error("the database {path} failed: {source}")]
    Sql {
        /// The database.
        path: PathBuf,
        /// SQLite's message.
        source: rusqlite::Error,
    },
}

impl StoreError {
    /// Whether a later attempt would fail too.
    pub fn is_permanent(&self) -> bool {
        !matches!(self, StoreError::Busy { .. } | StoreError::DiskFull { .. } | StoreError::NoRoomForUpgrade { .. })
    }

    /// Adds the path and the advice to SQLite's error.
    pub(in crate::store) fn at(path: &std::path::Path, source: rusqlite::Error) -> StoreError {
        use rusqlite::ErrorCode;
        let path = path.to_owned();
        match source.sqlite_error_code() {
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => StoreError::Damaged { path, source },
            Some(ErrorCode::DiskFull) => StoreError::DiskFull { path },
            // SQLite reports a full disk differently for the shared memory file beside the database.
            _ if source
                .sqlite_error()
                .is_some_and(|error| error.extended_code == rusqlite::ffi::SQLITE_IOERR_SHMSIZE) =>
            {
                StoreError::DiskFull { path }
            }
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
                StoreError::Busy { path, waited: crate::store::BUSY_TIMEOUT }
            }
            Some(ErrorCode::CannotOpen | ErrorCode::PermissionDenied | ErrorCode::ReadOnly) => {
                StoreError::Open { path, source }
            }
            _ => StoreError::Sql { path, source },
        }
    }
}
