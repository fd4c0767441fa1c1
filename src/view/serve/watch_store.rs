//! Detects commits of other processes.
//!
//! SQLite keeps a number in shared memory that changes with every commit (`PRAGMA data_version`). Reading it twice per
//! second costs microseconds, takes no lock that delays a writer, and works in the same way on every system.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::sync::watch::Sender;

use super::api::Answers;
use super::readers::Identity;
use crate::store::Store;
use crate::view::summary::Summaries;

const PAUSE: Duration = Duration::from_millis(400);

/// The first revision of this process. It differs from those of earlier processes, so that an open page notices the
/// change.
pub(super) fn first_revision() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(1, |since| since.as_secs() * 1_000)
}

/// Updates the summaries of one database on a thread of its own, until it is dropped.
struct Keeper(Arc<AtomicBool>);

impl Keeper {
    fn start(summaries: Arc<Summaries>) -> Option<Keeper> {
        let stop = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&stop);
        let work = move || summaries.keep_up(&flag);
        // Without the thread, only views of years are slower.
        std::thread::Builder::new().name("summaries".to_owned()).spawn(work).ok().map(|_| Keeper(stop))
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// A database that is watched.
struct Watched {
    store: Store,
    version: Option<i64>,
    _keeper: Option<Keeper>,
}

impl Watched {
    /// None while the database is incomplete or of another version: a request then reports the error.
    fn open(answers: &Answers) -> Option<Watched> {
        let summaries = answers.summaries().ok().flatten()?;
        let store = Store::open_reader(&answers.config().store_path).ok()?;
        Some(Watched { version: store.data_version().ok(), store, _keeper: Keeper::start(summaries) })
    }
}

/// Increases the revision with each commit, and keeps the summaries up to date, until `end` is closed.
pub(super) fn watch(answers: &Answers, revision: &Sender<u64>, end: &Receiver<()>) {
    let path = &answers.config().store_path;
    let count = || revision.send_modify(|revision| *revision += 1);
    let mut before = Identity::of(path);
    let mut watched: Option<Watched> = None;
    loop {
        let now = Identity::of(path);
        if now != before {
            watched = None;
            before = now;
            count();
        }
        if watched.is_none() && now.is_some() {
            watched = Watched::open(answers);
            if watched.is_some() {
                // The number does not show commits between the first look and this one.
                count();
            }
        }
        if let Some(known) = &mut watched {
            match known.store.data_version() {
                Ok(version) if known.version == Some(version) => {}
                Ok(version) => {
                    known.version = Some(version);
                    count();
                }
                Err(_) => watched = None,
            }
        }
        match end.recv_timeout(PAUSE) {
            Err(RecvTimeoutError::Timeout) => {}
            _ => return,
        }
    }
}
