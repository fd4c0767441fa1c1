//! Reports changes to the page, as Server-Sent Events.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use tokio::sync::{Semaphore, watch};

use super::error::ApiError;

/// The most pages that may listen at once.
const MOST: usize = 32;
/// The interval of comments in the stream, so that neither side assumes that the other has disconnected.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// The stream of changes, with a limit on listeners.
#[derive(Debug, Clone)]
pub(super) struct Live {
    revision: watch::Receiver<u64>,
    places: Arc<Semaphore>,
}

impl Live {
    pub(super) fn new(revision: watch::Receiver<u64>) -> Live {
        Live { revision, places: Arc::new(Semaphore::new(MOST)) }
    }

    /// Sends the revision at once, then whenever it changes.
    pub(super) fn stream(&self) -> Result<Response, ApiError> {
        let place = Arc::clone(&self.places).try_acquire_owned().map_err(|_| ApiError::Busy)?;
        // The place belongs to the stream, and is free again when the stream is dropped.
        let begin = (self.revision.clone(), place, true);
        let events = stream::unfold(begin, |(mut revision, place, is_first)| async move {
            if !is_first && revision.changed().await.is_err() {
                return None;
            }
            let now = *revision.borrow_and_update();
            Some((Ok::<Event, Infallible>(event(now)), (revision, place, false)))
        });
        Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)).into_response())
    }
}

fn event(revision: u64) -> Event {
    Event::default().event("change").data(format!("{{\"revision\":{revision}}}"))
}
