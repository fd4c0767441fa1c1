//! The continuous run: one thread reads, one sends, one notifies users of findings, and this one waits for the end.
//!
//! - Reading and sending never wait for each other (I9): a sync that takes minutes does not delay reading. They share
//!   only the store, under the same locks as two separate runs, so a second agent on the same store does no harm.
//! - An error that a single run survives does not end it. A failed pass is reported once and repeated after a pause
//!   that grows.
//! - When it is asked to end (Ctrl-C, SIGTERM; on Windows also when the window is closed, at logoff and at shutdown),
//!   it begins no new work, completes the current request and returns. Work that takes longer than [`GRACE`] is
//!   abandoned, which has the same effect as a power cut: nothing is lost, and at worst one request is sent again (I4,
//!   I7). A second request to end stops it at once.
//! - A changed configuration is taken up without a stop ([`super::renewal`]): both workers are started again with it,
//!   and the current request is completed first. If it does not fit the store, the configuration before is used again.
//! - All pauses use the monotonic clock, so a change of the computer's time has no effect on them.

use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use super::reading::{self, Rhythm};
use super::renewal;
use super::{Agent, AgentError, schedule, sending, telling};
use crate::config::{Config, ConfigFile};
use crate::sync::{Cancel, SyncError};

/// Windows ends a program five seconds after it announced that the window closes.
const GRACE: Duration = Duration::from_secs(4);

/// A message to the thread that waits for the end. The number is that of the configuration with which the workers were
/// started.
enum Event {
    /// The program was asked to end.
    Asked,
    /// Every table was read once.
    Read(u32),
    /// A worker has ended.
    Ended(u32, Result<(), AgentError>),
}

/// Sends `Ended` when it is dropped: when its thread ends, even after a panic.
struct EndNotice {
    tell: Sender<Event>,
    number: u32,
    result: Option<Result<(), AgentError>>,
}

impl EndNotice {
    fn say(&mut self, result: Result<(), AgentError>) {
        self.result = Some(result);
    }
}

impl Drop for EndNotice {
    fn drop(&mut self) {
        let result = self.result.take().unwrap_or_else(|| Err(SyncError::Thread.into()));
        let _ = self.tell.send(Event::Ended(self.number, result));
    }
}

/// The workers that were started with one configuration.
struct Workers {
    number: u32,
    agent: Arc<Agent>,
    cancel: Arc<Cancel>,
    /// The configuration before this one. It is kept until this one is known to fit the store.
    before: Option<Arc<Agent>>,
}

/// Starts workers and counts those at work.
struct Starter {
    tell: Sender<Event>,
    rhythm: Rhythm,
    started: u32,
    at_work: u32,
}

impl Starter {
    fn worker(&mut self, work: impl FnOnce() -> Result<(), AgentError> + Send + 'static) {
        let mut farewell = EndNotice { tell: self.tell.clone(), number: self.started, result: None };
        self.at_work += 1;
        std::thread::spawn(move || farewell.say(work()));
    }

    fn workers(&mut self, agent: Arc<Agent>, before: Option<Arc<Agent>>) -> Workers {
        self.started += 1;
        let (number, rhythm) = (self.started, self.rhythm);
        let cancel = Arc::new(Cancel::default());
        let ((order, orders), (passed, passes)) = (channel(), channel());
        let (tell, of_reading) = (self.tell.clone(), (Arc::clone(&agent), Arc::clone(&cancel)));
        let read = move || drop(tell.send(Event::Read(number)));
        self.worker(move || reading::run(&of_reading.0, &of_reading.1, rhythm, &order, read));
        let of_telling = Arc::clone(&agent);
        // The end of the agent does not wait for this thread: messages that were not sent are pending.
        std::thread::spawn(move || telling::run(&of_telling, &passes));
        let of_sending = (Arc::clone(&agent), Arc::clone(&cancel));
        self.worker(move || sending::run(&of_sending.0, &of_sending.1, &orders, &passed));
        Workers { number, agent, cancel, before }
    }
}

/// Reads and sends until it is asked to end. `listen` is passed the function to call when the program is asked to end;
/// `renewed` builds the agent of a changed configuration.
///
/// # Errors
/// `listen` fails, or the first configuration does not fit the store.
pub fn watch(
    agent: &Agent,
    rhythm: Rhythm,
    listen: impl FnOnce(Box<dyn Fn() + Send>) -> std::io::Result<()>,
    renewed: impl Fn(Config) -> Agent,
) -> Result<(), AgentError> {
    schedule::remember(agent, schedule::Starts::StaysUp);
    renewal::accept(agent);
    let (tell, events) = channel();
    let asked = tell.clone();
    // After the end no thread receives this message, which does no harm.
    listen(Box::new(move || drop(asked.send(Event::Asked)))).map_err(AgentError::Signals)?;
    let mut file = ConfigFile::of(&agent.config);
    let mut starter = Starter { tell, rhythm, started: 0, at_work: 0 };
    let mut workers = starter.workers(Arc::new(agent.without_progress()), None);
    let mut failure = None;
    let mut until: Option<Instant> = None;
    while starter.at_work > 0 {
        let pause = until.map_or(ConfigFile::LOOK, |until| until.saturating_duration_since(Instant::now()));
        let begins_to_end = match events.recv_timeout(pause) {
            Ok(Event::Asked) if until.is_some() => break,
            Ok(Event::Asked) => {
                tracing::info!("asked to end");
                true
            }
            Ok(Event::Read(number)) => {
                if number == workers.number && workers.before.take().is_some() {
                    // If the file has become wrong in the meantime, that remains a finding.
                    if file.is(&workers.agent.config) {
                        renewal::accept(&workers.agent);
                    }
                    tracing::warn!("the configuration was changed, and is in force now");
                }
                false
            }
            Ok(Event::Ended(number, result)) => {
                starter.at_work -= 1;
                match (result, workers.before.take()) {
                    // A worker of an earlier configuration, or of one that was abandoned.
                    (_, before) if number != workers.number => {
                        workers.before = before;
                        false
                    }
                    (Err(error), Some(before)) if until.is_none() => {
                        workers.cancel.stop();
                        renewal::refuse(&before, &error);
                        workers = starter.workers(before, None);
                        false
                    }
                    // The sender ends after the reader, but its message may arrive first; the reader's message has the
                    // reason.
                    (Ok(()), before) if until.is_none() => {
                        workers.before = before;
                        false
                    }
                    (result, _) => {
                        failure = failure.or(result.err());
                        true
                    }
                }
            }
            Err(RecvTimeoutError::Timeout) if until.is_none() => {
                match file.look() {
                    Some(Ok(config)) if config.fingerprint == workers.agent.config.fingerprint => {
                        renewal::accept(&workers.agent);
                        tracing::warn!("the configuration is again the one in force");
                    }
                    Some(Ok(config)) => {
                        if config.log != workers.agent.config.log {
                            tracing::warn!("[log] was changed; that is in force from the next start on");
                        }
                        workers.cancel.stop();
                        // The current configuration may not fit the store either if it was not used for a full pass
                        // yet.
                        let before = workers.before.take().unwrap_or_else(|| Arc::clone(&workers.agent));
                        workers = starter.workers(Arc::new(renewed(config).without_progress()), Some(before));
                    }
                    Some(Err(error)) => renewal::refuse(&workers.agent, &error),
                    None => {}
                }
                false
            }
            Err(_) => {
                tracing::warn!("what was begun did not end in time and is left; nothing is lost");
                break;
            }
        };
        if begins_to_end {
            until = until.or_else(|| Instant::now().checked_add(GRACE));
            workers.cancel.stop();
        }
    }
    match failure {
        Some(error) => {
            telling::tell_after(&workers.agent, None, &error);
            Err(error)
        }
        None => Ok(()),
    }
}
