//! One thread that waits for the network, so that nobody else has to.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::Scope;

use super::SyncError;
use super::feed::Ready;
use crate::destination::{Answer, Destination, DestinationError, Request};

/// Carries one request at a time.
pub(super) struct Courier {
    jobs: Sender<Arc<Ready>>,
    answers: Receiver<Result<Answer, DestinationError>>,
}

impl Courier {
    /// Ends when it is dropped.
    pub(super) fn start<'scope>(scope: &'scope Scope<'scope, '_>, destination: &'scope mut dyn Destination) -> Courier {
        let (jobs, inbox) = channel::<Arc<Ready>>();
        let (outbox, answers) = channel();
        scope.spawn(move || {
            for ready in inbox {
                let request = Request {
                    bucket: ready.batch.bucket.as_deref(),
                    lines: ready.batch.lines(),
                    gzip: &ready.gzip,
                    rows: ready.batch.line_count(),
                };
                if outbox.send(destination.write(&request)).is_err() {
                    return;
                }
            }
        });
        Courier { jobs, answers }
    }

    /// Sends the request on its way.
    pub(super) fn post(&self, ready: &Arc<Ready>) -> Result<(), SyncError> {
        self.jobs.send(Arc::clone(ready)).map_err(|_| SyncError::Thread)
    }

    /// Waits for its answer. Exactly one per request, in their order.
    pub(super) fn answer(&self) -> Result<Answer, SyncError> {
        Ok(self.answers.recv().map_err(|_| SyncError::Thread)??)
    }
}
