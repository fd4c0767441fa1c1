//! Cancellation of a sync before its work is done, in two kinds, for a caller that stays up.
//!
//! "Stop" ends it after the request that is on its way, and ends its waiting. "Fresh rows" ends it between two requests
//! once it has run for a while: the next sync begins with the newest rows, so that a long backlog does not hide the
//! live picture. It never shortens a wait, because the server may have asked for it.
//!
//! It also carries the wake of the reading half, which waits for its next look and for the end at once.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// A sync goes on for so long before fresh rows end it: a backlog that is sent by the minute loses nothing to the few
/// requests that open each sync.
const AT_LEAST: Duration = Duration::from_secs(30);

/// Shared by the caller and the threads of the sync.
#[derive(Debug, Default)]
pub struct Cancel {
    wishes: Mutex<Wishes>,
    stop: Condvar,
}

#[derive(Debug, Default)]
struct Wishes {
    stop: bool,
    begun: Option<Instant>,
    fresh: bool,
    wake: bool,
}

impl Cancel {
    /// Cancels all work.
    pub fn stop(&self) {
        self.lock().stop = true;
        self.stop.notify_all();
    }

    /// Whether all work is cancelled.
    pub fn is_stopping(&self) -> bool {
        self.lock().stop
    }

    /// Pauses for so long. False if the work is cancelled, at once or meanwhile.
    pub fn wait(&self, length: Duration) -> bool {
        let wishes = self.stop.wait_timeout_while(self.lock(), length, |wishes| !wishes.stop);
        !wishes.unwrap_or_else(PoisonError::into_inner).0.stop
    }

    /// Ends a [`Cancel::wait_or_wake`], the present one or the next.
    pub fn wake(&self) {
        self.lock().wake = true;
        self.stop.notify_all();
    }

    /// As [`Cancel::wait`], and ends early after a [`Cancel::wake`].
    pub fn wait_or_wake(&self, length: Duration) -> bool {
        let wishes = self.stop.wait_timeout_while(self.lock(), length, |wishes| !wishes.stop && !wishes.wake);
        let mut wishes = wishes.unwrap_or_else(PoisonError::into_inner).0;
        wishes.wake = false;
        !wishes.stop
    }

    /// A sync begins: what was staged so far is in it.
    pub fn sync_begins(&self) {
        let mut wishes = self.lock();
        wishes.begun = Some(Instant::now());
        wishes.fresh = false;
    }

    /// Rows were staged that the sync at work does not know.
    pub fn fresh_rows(&self) {
        self.lock().fresh = true;
    }

    /// Whether the sync at work is to end before its next request.
    pub(super) fn ends_the_sync(&self) -> bool {
        let wishes = self.lock();
        wishes.stop || wishes.fresh && wishes.begun.is_some_and(|begun| begun.elapsed() >= AT_LEAST)
    }

    fn lock(&self) -> MutexGuard<'_, Wishes> {
        self.wishes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fresh_rows_end_a_sync_only_after_a_while_and_never_a_wait() {
        let cancel = Cancel::default();
        cancel.sync_begins();
        cancel.fresh_rows();
        assert!(!cancel.ends_the_sync());
        cancel.lock().begun = Instant::now().checked_sub(AT_LEAST);
        assert!(cancel.ends_the_sync());
        assert!(cancel.wait(Duration::from_millis(1)));
        cancel.sync_begins();
        assert!(!cancel.ends_the_sync());
    }

    #[test]
    fn a_stop_ends_syncs_and_waits_at_once() {
        let cancel = Cancel::default();
        let begun = Instant::now();
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| cancel.wait(Duration::from_secs(60)));
            cancel.stop();
            assert!(!waiting.join().unwrap());
        });
        assert!(begun.elapsed() < Duration::from_secs(30));
        assert!(!cancel.wait_or_wake(Duration::from_secs(60)));
        assert!(cancel.ends_the_sync() && !cancel.wait(Duration::from_secs(60)));
    }

    #[test]
    fn a_wake_ends_one_wait_of_the_reader_and_no_other() {
        let cancel = Cancel::default();
        let begun = Instant::now();
        cancel.wake();
        assert!(cancel.wait(Duration::from_millis(1)));
        assert!(cancel.wait_or_wake(Duration::from_secs(60)));
        assert!(begun.elapsed() < Duration::from_secs(30));
        assert!(cancel.wait_or_wake(Duration::from_millis(1)));
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| cancel.wait_or_wake(Duration::from_secs(60)));
            cancel.wake();
            assert!(waiting.join().unwrap());
        });
        assert!(begun.elapsed() < Duration::from_secs(30));
    }
}
