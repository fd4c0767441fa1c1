//! Read-only connections to the database, kept open between requests.
//!
//! Only one thread at a time uses a connection. A missing database is not an error. A database that was replaced is
//! detected, because an open connection would continue to read the old one. A database of an older program is migrated
//! first, as by every command.

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use super::error::ApiError;
use crate::config::Config;
use crate::store::Store;
use crate::view::summary::Summaries;

/// Connections that are kept open.
const KEPT: usize = 4;

/// The identity of a database file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Identity {
    file: Option<(u64, u64)>,
    made: Option<SystemTime>,
}

impl Identity {
    /// The identity of the file at the path; None if there is no file.
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

/// On Windows an open file cannot be replaced.
#[cfg(not(unix))]
fn number(_found: &std::fs::Metadata) -> Option<(u64, u64)> {
    None
}

/// An open database.
#[derive(Debug)]
pub(super) struct Database {
    identity: Identity,
    /// The connection to it.
    pub(super) store: Store,
    /// Summaries of it.
    pub(super) summaries: Arc<Summaries>,
}

/// The connections.
#[derive(Debug)]
pub(super) struct Readers {
    config: Config,
    idle: Mutex<Vec<Database>>,
    summaries: Mutex<Option<(Identity, Arc<Summaries>)>>,
}

impl Readers {
    pub(super) fn new(config: Config) -> Readers {
        Readers { config, idle: Mutex::default(), summaries: Mutex::default() }
    }

    /// Passes a connection to `work`; None if there is no database.
    pub(super) fn with<T>(&self, work: impl FnOnce(Option<&Database>) -> Result<T, ApiError>) -> Result<T, ApiError> {
        let Some(identity) = Identity::of(&self.config.store_path) else { return work(None) };
        let kept = {
            let mut idle = locked(&self.idle);
            idle.retain(|database| database.identity == identity);
            idle.pop()
        };
        let database = match kept {
            Some(database) => database,
            None => self.open(identity)?,
        };
        let done = work(Some(&database))?;
        let mut idle = locked(&self.idle);
        if idle.len() < KEPT {
            idle.push(database);
        }
        Ok(done)
    }

    fn open(&self, identity: Identity) -> Result<Database, ApiError> {
        let path = &self.config.store_path;
        let mut store = Store::open_reader(path)?;
        if !store.is_current()? {
            drop(store);
            Store::open(path)?;
            store = Store::open_reader(path)?;
        }
        let mut kept = locked(&self.summaries);
        let summaries = match &*kept {
            Some((of, summaries)) if *of == identity => Arc::clone(summaries),
            _ => Arc::new(Summaries::open(&self.config)?),
        };
        *kept = Some((identity, Arc::clone(&summaries)));
        Ok(Database { identity, store, summaries })
    }
}

/// A thread that panicked has not changed the list.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
