//! Cancels a sync before its work is done. There are two kinds, for a continuous agent.
//!
//! "Stop" ends the sync after the current request, and ends its pauses. "Fresh rows" ends it between two requests, once
//! it has run for a while: the next sync begins with the newest rows, so that a long backlog does not delay the live
//! picture. "Fresh rows" never shortens a pause, because the server may have asked for it.
//!
//! It also wakes the reading half, which waits both for its next look and for the end.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long a sync runs before fresh rows end it: a backlog that takes minutes then loses little time to the few
/// requests at the beginning of each sync.
const AT_LEAST: Duration = Duration::from_secs(30);

/// The state shared by the caller and the threads of the sync.
#[derive(Debug, Default)]
pub struct Cancel {
    signals: Mutex<Signals>,
    stop: Condvar,
}

#[derive(Debug, Default)]
struct Signals {
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

    /// Pauses for this time. False if the work is cancelled before or during the pause.
    pub fn wait(&self, length: Duration) -> bool {
        let signals = self.stop.wait_timeout_while(self.lock(), length, |signals| !signals.stop);
        !signals.unwrap_or_else(PoisonError::into_inner).0.stop
    }

    /// Ends a [`Cancel::wait_or_wake`], the current one or the next.
    pub fn wake(&self) {
        self.lock().wake = true;
        self.stop.notify_all();
    }

    /// Like [`Cancel::wait`], but ends early after a [`Cancel::wake`].
    pub fn wait_or_wake(&self, length: Duration) -> bool {
        let signals = self.stop.wait_timeout_while(self.lock(), length, |signals| !signals.stop && !signals.wake);
        let mut signals = signals.unwrap_or_else(PoisonError::into_inner).0;
        signals.wake = false;
        !signals.stop
    }

    /// A sync begins: it includes everything staged so far.
    pub fn sync_begins(&self) {
        let mut signals = self.lock();
        signals.begun = Some(Instant::now());
        signals.fresh = false;
    }

    /// Rows were staged that the current sync does not include.
    pub fn fresh_rows(&self) {
        self.lock().fresh = true;
    }

    /// Whether the current sync must end before its next request.
    pub(super) fn ends_the_sync(&self) -> bool {
        let signals = self.lock();
        signals.stop || signals.fresh && signals.begun.is_some_and(|begun| begun.elapsed() >= AT_LEAST)
    }

    fn lock(&self) -> MutexGuard<'_, Signals> {
        self.signals.lock().unwrap_or_else(PoisonError::into_inner)
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
