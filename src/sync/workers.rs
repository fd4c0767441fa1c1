//! The HTTP threads: they compress requests, send them and wait for the answers.
//!
//! There is one thread for each request that may be in flight. A request keeps its bytes until its own answer has
//! arrived; the poster decides in which order answers are taken.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::Scope;

use super::SyncError;
use super::ready::Ready;
use crate::destination::{Answer, Destination, DestinationError, Outcome, Request};

type Answered = Result<Answer, DestinationError>;

struct Job {
    ready: Arc<Ready>,
    answer: Sender<Answered>,
}

/// The HTTP threads. They take requests from a queue.
pub(super) struct Workers {
    jobs: Sender<Job>,
    threads: usize,
    /// The bytes of all requests that were sent.
    wire_bytes: Arc<AtomicU64>,
}

/// A request in flight.
pub(super) struct Flight {
    pub(super) ready: Arc<Ready>,
    answer: Receiver<Answered>,
    /// An answer that has arrived and was not taken yet.
    early: Option<Answered>,
}

impl Flight {
    /// Waits for the answer.
    pub(super) fn answer(&mut self) -> Result<Answer, SyncError> {
        match self.early.take() {
            Some(answer) => Ok(answer?),
            None => Ok(self.answer.recv().map_err(|_| SyncError::Thread)??),
        }
    }

    /// Receives the answer if it has arrived.
    fn look(&mut self) {
        if self.early.is_none() {
            self.early = self.answer.try_recv().ok();
        }
    }

    /// Whether an answer has arrived that is not an acknowledgement.
    pub(super) fn is_refused(&mut self) -> bool {
        self.look();
        match &self.early {
            Some(Ok(answer)) => answer.outcome != Outcome::Stored,
            Some(Err(_)) => true,
            None => false,
        }
    }

    /// The answer, if it has arrived and is an acknowledgement; for any other answer call [`Flight::answer`].
    pub(super) fn acknowledged(&mut self) -> Option<Answer> {
        self.look();
        match self.early.take() {
            Some(Ok(answer)) if answer.outcome == Outcome::Stored => Some(answer),
            other => {
                self.early = other;
                None
            }
        }
    }
}

impl Workers {
    /// Starts a thread for each of the connections to one destination. The threads end when the value is dropped.
    pub(super) fn start<'scope>(
        scope: &'scope Scope<'scope, '_>,
        destinations: impl Iterator<Item = &'scope mut (dyn Destination + 'static)>,
    ) -> Workers {
        let (jobs, inbox) = channel::<Job>();
        let inbox = Arc::new(Mutex::new(inbox));
        let sent_bytes = Arc::new(AtomicU64::new(0));
        let mut threads = 0;
        for destination in destinations {
            threads += 1;
            let inbox = Arc::clone(&inbox);
            let sent_bytes = Arc::clone(&sent_bytes);
            scope.spawn(move || {
                loop {
                    let next = inbox.lock().unwrap_or_else(PoisonError::into_inner).recv();
                    let Ok(Job { ready, answer }) = next else { return };
                    let request = Request {
                        bucket: ready.batch.bucket.as_deref(),
                        lines: ready.batch.lines(),
                        gzip: ready.gzip(),
                        rows: ready.batch.line_count(),
                    };
                    let answered = destination.write(&request);
                    sent_bytes.fetch_add(ready.wire_bytes() as u64, Ordering::Relaxed);
                    drop(ready);
                    // The receiver is closed only if the sync has ended with an error of its own.
                    let _ = answer.send(answered);
                }
            });
        }
        Workers { jobs, threads, wire_bytes: sent_bytes }
    }

    /// The most requests in flight.
    pub(super) fn threads(&self) -> usize {
        self.threads
    }

    /// The bytes of all requests that were answered so far.
    pub(super) fn wire_bytes(&self) -> u64 {
        self.wire_bytes.load(Ordering::Relaxed)
    }

    /// Posts the request.
    pub(super) fn post(&self, ready: &Arc<Ready>) -> Result<Flight, SyncError> {
        let (answer, answered) = channel();
        self.jobs.send(Job { ready: Arc::clone(ready), answer }).map_err(|_| SyncError::Thread)?;
        Ok(Flight { ready: Arc::clone(ready), answer: answered, early: None })
    }
}
