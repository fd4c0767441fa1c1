//! Telling the page that something changed, as Server-Sent Events.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use tokio::sync::{Semaphore, watch};

use super::error::ApiError;

/// A station has few who look at once.
const MOST: usize = 32;
/// A comment at least so often, so that neither side takes the other for gone.
const SIGN_OF_LIFE: Duration = Duration::from_secs(15);

/// Those who are told.
#[derive(Debug, Clone)]
pub(super) struct Live {
    revision: watch::Receiver<u64>,
    places: Arc<Semaphore>,
}

impl Live {
    pub(super) fn new(revision: watch::Receiver<u64>) -> Live {
        Live { revision, places: Arc::new(Semaphore::new(MOST)) }
    }

    /// Says the revision at once, then whenever it changes.
    pub(super) fn stream(&self) -> Result<Response, ApiError> {
        let place = Arc::clone(&self.places).try_acquire_owned().map_err(|_| ApiError::Busy)?;
        // The place goes with the stream, and is free again when the stream is dropped.
        let begin = (self.revision.clone(), place, true);
        let events = stream::unfold(begin, |(mut revision, place, is_first)| async move {
            if !is_first && revision.changed().await.is_err() {
                return None;
            }
            let now = *revision.borrow_and_update();
            Some((Ok::<Event, Infallible>(event(now)), (revision, place, false)))
        });
        Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(SIGN_OF_LIFE)).into_response())
    }
}

fn event(revision: u64) -> Event {
    Event::default().event("change").data(format!("{{\"revision\":{revision}}}"))
}
