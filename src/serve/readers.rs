//! Connections that read, kept open between questions.
//!
//! They are opened read-only, and each is used by one thread at a time. A database that is not there yet is no error; one
//! that was put in the place of another is noticed, because a connection would go on reading the old one.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use crate::store::{Store, StoreError};

/// How many stay open.
const KEPT: usize = 4;

/// Which file it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Identity {
    file: Option<(u64, u64)>,
    made: Option<SystemTime>,
}

impl Identity {
    /// Of the file at the path; none where none is.
    pub(super) fn of(path: &Path) -> Option<Identity> {
        let found = path.metadata().ok()?;
        Some(Identity { file: number(&found), made: found.created().ok() })
    }
}

#[cfg(unix)]
fn number(found: &std::fs::Metadata) -> Option<(u64, u64)> {
    use std::os::unix::fs::MetadataExt;
    Some((found.dev(), found.ino()))
}

/// Windows lets no file that is open be replaced.
#[cfg(not(unix))]
fn number(_found: &std::fs::Metadata) -> Option<(u64, u64)> {
    None
}

/// The connections.
#[derive(Debug)]
pub(super) struct Readers {
    path: PathBuf,
    idle: Mutex<Vec<(Identity, Store)>>,
}

impl Readers {
    pub(super) fn new(path: &Path) -> Readers {
        Readers { path: path.to_owned(), idle: Mutex::new(Vec::new()) }
    }

    /// Works with a connection; none where there is no database.
    pub(super) fn with<T, E: From<StoreError>>(
        &self,
        work: impl FnOnce(Option<&Store>) -> Result<T, E>,
    ) -> Result<T, E> {
        let Some(identity) = Identity::of(&self.path) else { return work(None) };
        let kept = {
            let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
            idle.retain(|(of, _)| *of == identity);
            idle.pop()
        };
        let store = match kept {
            Some((_, store)) => store,
            None => Store::open_reader(&self.path)?,
        };
        let done = work(Some(&store))?;
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < KEPT {
            idle.push((identity, store));
        }
        Ok(done)
    }
}
