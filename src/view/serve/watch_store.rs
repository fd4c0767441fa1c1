//! Noticing that another process has committed.
//!
//! SQLite keeps a number in shared memory that changes with every commit (`PRAGMA data_version`). Looking at it twice a
//! second costs microseconds, takes no lock that a writer could feel, and works the same on every system.

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

/// The first revision of this process: none that an earlier one has given, so that a page left open notices.
pub(super) fn first_revision() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(1, |since| since.as_secs() * 1_000)
}

/// Keeps the summaries of one database up, on a thread of its own, until it is dropped.
struct Keeper(Arc<AtomicBool>);

impl Keeper {
    fn start(summaries: Arc<Summaries>) -> Option<Keeper> {
        let stop = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&stop);
        let work = move || summaries.keep_up(&told);
        // Without it views of years are slower, and nothing else.
        std::thread::Builder::new().name("summaries".to_owned()).spawn(work).ok().map(|_| Keeper(stop))
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// A database that is looked at.
struct Watched {
    store: Store,
    version: Option<i64>,
    _keeper: Option<Keeper>,
}

impl Watched {
    /// None while it is half made, or of another version: what is asked says so.
    fn open(answers: &Answers) -> Option<Watched> {
        let summaries = answers.summaries().ok().flatten()?;
        let store = Store::open_reader(&answers.config().store_path).ok()?;
        Some(Watched { version: store.data_version().ok(), store, _keeper: Keeper::start(summaries) })
    }
}

/// Counts the revision up, and has summaries made, until `end` is closed.
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
                // What was committed between the first look and this one is not told by the number.
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
