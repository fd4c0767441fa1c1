//! Locks: one ingest, one sync and one round of notifications at a time, independent of each other (I9).
//!
//! A lock is a file beside the database that is locked through the operating system: the lock ends with its process,
//! even if the process is killed.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::store::schema::beside::beside;
use crate::store::schema::error::StoreError;

/// The work that is locked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LockKind {
    /// Reading files into the store.
    Ingest,
    /// Sending rows from the store to the destination.
    Sync,
    /// Notifying users of findings.
    Notify,
}

/// A lock that is held until it is dropped.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

/// How long [`Lock::wait`] waits: longer than any ingest of a few minutes' files takes.
const WAIT: Duration = Duration::from_secs(60);
const BETWEEN: Duration = Duration::from_millis(50);

impl Lock {
    /// Like [`Lock::take`], but waits up to a minute for the other process.
    pub fn wait(database: &Path, kind: LockKind) -> Result<Option<Lock>, StoreError> {
        let began = Instant::now();
        loop {
            match Lock::take(database, kind)? {
                None if began.elapsed() < WAIT => std::thread::sleep(BETWEEN),
                outcome => return Ok(outcome),
            }
        }
    }

    /// Takes the lock. None if another process holds it.
    pub fn take(database: &Path, kind: LockKind) -> Result<Option<Lock>, StoreError> {
        let (file, path) = open(
            database,
            match kind {
                LockKind::Ingest => ".ingest.lock",
                LockKind::Sync => ".sync.lock",
                LockKind::Notify => ".notify.lock",
            },
        )?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Lock { _file: file })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(source)) => Err(StoreError::Lock { path, source }),
        }
    }
}

/// Opens the lock file beside the database without locking it.
pub(in crate::store) fn open(database: &Path, ending: &str) -> Result<(File, PathBuf), StoreError> {
    let path = beside(database, ending);
    match OpenOptions::new().create(true).truncate(false).write(true).open(&path) {
        Ok(file) => Ok((file, path)),
        Err(source) => Err(StoreError::Lock { path, source }),
    }
}
