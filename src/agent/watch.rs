//! Staying up: one thread reads, one sends, one tells users of findings, and this one waits for the end.
//!
//! - The two never wait for each other (I9): a sync that takes minutes holds no reading up. They meet in the store, under
//!   the same locks as two separate runs, so a second agent on the same store does no harm.
//! - Nothing that one run survives ends it. A pass that fails is reported once and tried again after a pause that grows.
//! - Asked to end (Ctrl-C, SIGTERM; on Windows also when the window is closed, at logoff and at shutdown), it begins
//!   nothing more, lets the request on its way come to its end and returns. What takes longer than [`GRACE`] is left
//!   as a power cut would leave it: nothing is lost, and at worst one request is sent again (I4, I7). Asked twice, it
//!   ends at once.
//! - All pauses are counted by the clock that only goes forward, so setting the computer's time does no harm.

use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use std::time::{Duration, Instant};

use super::reading::{self, Rhythm};
use super::{Agent, AgentError, schedule, sending, telling};
use crate::sync::{Cancel, SyncError};

/// Windows ends a program five seconds after it said that the window closes.
const GRACE: Duration = Duration::from_secs(4);

/// What the thread that waits for the end receives.
enum Event {
    /// To end.
    Asked,
    /// A worker has ended.
    Ended(Result<(), AgentError>),
}

/// Says that its thread has ended, even after a panic.
struct Farewell {
    tell: Sender<Event>,
    result: Option<Result<(), AgentError>>,
}

impl Farewell {
    fn say(&mut self, result: Result<(), AgentError>) {
        self.result = Some(result);
    }
}

impl Drop for Farewell {
    fn drop(&mut self) {
        let result = self.result.take().unwrap_or_else(|| Err(SyncError::Thread.into()));
        let _ = self.tell.send(Event::Ended(result));
    }
}

fn start(tell: &Sender<Event>, work: impl FnOnce() -> Result<(), AgentError> + Send + 'static) {
    let mut farewell = Farewell { tell: tell.clone(), result: None };
    std::thread::spawn(move || farewell.say(work()));
}

/// Reads and sends until it is asked to end. `listen` is given what to call when the program is asked to end.
///
/// # Errors
/// `listen` fails, or the configuration does not fit the store.
pub fn watch(
    agent: &Agent,
    rhythm: Rhythm,
    listen: impl FnOnce(Box<dyn Fn() + Send>) -> std::io::Result<()>,
) -> Result<(), AgentError> {
    schedule::remember(agent, schedule::Starts::StaysUp);
    let (tell, events) = channel();
    let asked = tell.clone();
    // A message that is not received any more comes after the end.
    listen(Box::new(move || drop(asked.send(Event::Asked)))).map_err(AgentError::Signals)?;
    let agent = Arc::new(agent.without_progress());
    let cancel = Arc::new(Cancel::default());
    let at_the_end = Arc::clone(&agent);
    let (order, orders) = channel();
    let (of_reading, of_sending) = ((Arc::clone(&agent), Arc::clone(&cancel)), (agent, Arc::clone(&cancel)));
    start(&tell, move || reading::run(&of_reading.0, &of_reading.1, rhythm, &order));
    let (passed, passes) = channel();
    let of_telling = Arc::clone(&of_sending.0);
    // It is not waited for at the end: what was not sent is pending.
    std::thread::spawn(move || telling::run(&of_telling, &passes));
    start(&tell, move || sending::run(&of_sending.0, &of_sending.1, &orders, &passed));

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
        cancel.stop();
    }
    match failure {
        Some(error) => {
            telling::tell_after(&at_the_end, None, &error);
            Err(error)
        }
        None => Ok(()),
    }
}
