//! One ingest, one sync and one round of notifications at a time, and each beside the other (I9).
//!
//! A lock is a file beside the database, held through the operating system: it ends with its process, however that dies.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::store::schema::beside::beside;
use crate::store::schema::error::StoreError;

/// What is locked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LockKind {
    /// Files to store.
    Ingest,
    /// Store to destination.
    Sync,
    /// Findings to users.
    Notify,
}

/// Held until it is dropped.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

/// Longer than any ingest of a few minutes' files.
const WAIT: Duration = Duration::from_secs(60);
const BETWEEN: Duration = Duration::from_millis(50);

impl Lock {
    /// As [`Lock::take`], after waiting up to a minute for the other process.
    pub fn wait(database: &Path, kind: LockKind) -> Result<Option<Lock>, StoreError> {
        let began = Instant::now();
        loop {
            match Lock::take(database, kind)? {
                None if began.elapsed() < WAIT => std::thread::sleep(BETWEEN),
                outcome => return Ok(outcome),
            }
        }
    }

    /// None when another process holds it.
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

/// The file of a lock beside the database, not locked yet.
pub(in crate::store) fn open(database: &Path, ending: &str) -> Result<(File, PathBuf), StoreError> {
    let path = beside(database, ending);
    match OpenOptions::new().create(true).truncate(false).write(true).open(&path) {
        Ok(file) => Ok((file, path)),
        Err(source) => Err(StoreError::Lock { path, source }),
    }
}
