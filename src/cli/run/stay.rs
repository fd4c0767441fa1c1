//! Staying up: one thread reads, one sends, and this one waits for the end.
//!
//! - The two never wait for each other (I9): a sync that takes minutes holds no reading up. They meet in the store, under
//!   the same locks as two separate runs, so a second agent on the same store does no harm.
//! - Nothing that one run survives ends it. A pass that fails is said once and tried again after a wait that grows.
//! - Asked to end (Ctrl-C, SIGTERM; on Windows also when the window is closed, at logoff and at shutdown), it begins
//!   nothing more, lets the request on its way come to its end and returns 0. What takes longer than [`GRACE`] is left
//!   as a power cut would leave it: nothing is lost, and at worst one request is sent again (I4, I7). Asked twice, it
//!   ends at once.
//! - All pauses are counted by the clock that only goes forward, so setting the computer's time does no harm.

use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use std::time::{Duration, Instant};

use super::super::{schedule, signals};
use super::reading::{self, Rhythm};
use super::{CliError, Context, Exit, sending};
use crate::sync::{Halt, SyncError};

/// Windows ends a program five seconds after it said that the window closes.
const GRACE: Duration = Duration::from_secs(4);

/// What the waiting thread is told.
enum Event {
    /// To end.
    Asked,
    /// A worker has ended.
    Ended(Result<(), CliError>),
}

/// Says that its thread has ended, even if that came as a surprise.
struct Farewell {
    tell: Sender<Event>,
    result: Option<Result<(), CliError>>,
}

impl Farewell {
    fn say(&mut self, result: Result<(), CliError>) {
        self.result = Some(result);
    }
}

impl Drop for Farewell {
    fn drop(&mut self) {
        let result = self.result.take().unwrap_or_else(|| Err(SyncError::Thread.into()));
        let _ = self.tell.send(Event::Ended(result));
    }
}

fn start(tell: &Sender<Event>, work: impl FnOnce() -> Result<(), CliError> + Send + 'static) {
    let mut farewell = Farewell { tell: tell.clone(), result: None };
    std::thread::spawn(move || farewell.say(work()));
}

/// Reads and sends until it is asked to end.
pub(super) fn stay(context: &Context, rhythm: Rhythm) -> Result<Exit, CliError> {
    schedule::remember(context, schedule::Rhythm::StaysUp);
    let (tell, events) = channel();
    let asked = tell.clone();
    // If nobody hears it, the end has come already.
    signals::listen(move || drop(asked.send(Event::Asked))).map_err(CliError::Signals)?;
    let context = Arc::new(Context { bars: false, ..context.clone() });
    let halt = Arc::new(Halt::default());
    let (order, orders) = channel();
    let (of_reading, of_sending) = ((Arc::clone(&context), Arc::clone(&halt)), (context, Arc::clone(&halt)));
    start(&tell, move || reading::run(&of_reading.0, &of_reading.1, rhythm, &order));
    start(&tell, move || sending::run(&of_sending.0, &of_sending.1, &orders));

    let mut at_work = 2;
    let mut failure = None;
    let mut until: Option<Instant> = None;
    while at_work > 0 {
        let event = match until {
            None => events.recv().ok(),
            Some(until) => events.recv_timeout(until.saturating_duration_since(Instant::now())).ok(),
        };
        match event {
            Some(Event::Asked) if until.is_some() => break,
            Some(Event::Asked) => tracing::info!("asked to end"),
            Some(Event::Ended(result)) => {
                at_work -= 1;
                failure = failure.or(result.err());
            }
            None => {
                tracing::warn!("what was begun did not end in time and is left; nothing is lost");
                break;
            }
        }
        until = until.or_else(|| Instant::now().checked_add(GRACE));
        halt.stop();
    }
    match failure {
        Some(error) => Err(error),
        None => Ok(Exit::Well),
    }
}
