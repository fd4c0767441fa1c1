//! The reading half of a run: full passes on a schedule, and in between the files that changed. A continuous agent
//! reads like this until its end, a single run during its sync.

use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::time::{Duration, Instant};

use super::news::News;
use super::pass::{self, Ended, Pass};
use super::sending::Order;
use super::{Agent, AgentError};
use crate::ingest::{self as reader, IngestError, IngestReport, Selection};
use crate::source::{TableFiles, Watched};
use crate::status::Exit;
use crate::sync::{Cancel, Waits};

/// Pause while another ingest is at work. It may have read the file before the change that this process saw.
const BUSY_PAUSE: Duration = Duration::from_secs(1);
/// First pause after a failed pass. It is short, because a line is in an overwritten file for minutes only.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// How often the store keeps a record of a pass that ended like the one before: `status` shows when the last pass was.
pub(super) const KEPT_EVERY: Duration = Duration::from_secs(60);

/// How often files are read.
#[derive(Debug, Clone, Copy)]
pub struct Rhythm {
    /// Time from one full pass to the next.
    pub every: Duration,
    /// Time from one look at the files to the next where the system gives no file events; none if they are not watched.
    pub poll: Option<Duration>,
}

/// When the next full pass is due: on a fixed grid of times that does not drift, or sooner to repeat a failed pass.
#[derive(Debug)]
struct Due {
    every: Duration,
    next: Instant,
    sooner: Option<Instant>,
}

impl Due {
    /// Whether a pass of the grid is due. If so, the next one is at the first grid time after `now`.
    fn is_on_time(&mut self, now: Instant) -> bool {
        if now < self.next {
            return false;
        }
        let late = now.duration_since(self.next);
        let missed = u32::try_from(late.as_nanos() / self.every.as_nanos().max(1)).unwrap_or(u32::MAX - 1);
        self.next += self.every.saturating_mul(missed + 1);
        true
    }

    fn is_to_be_made_up(&self, now: Instant) -> bool {
        self.sooner.is_some_and(|sooner| now >= sooner)
    }

    fn from(&self, now: Instant) -> Duration {
        self.sooner.map_or(self.next, |sooner| sooner.min(self.next)).saturating_duration_since(now)
    }
}

/// Reads until `cancel` stops it, and calls `read` once, after every table was read.
///
/// # Errors
/// The configuration does not fit the store.
pub(super) fn run(
    agent: &Agent,
    cancel: &Arc<Cancel>,
    rhythm: Rhythm,
    order: &Sender<Order>,
    read: impl FnOnce(),
) -> Result<(), AgentError> {
    let mut read = Some(read);
    let mut reading = Reading::new(agent, rhythm);
    if agent.config.watch.file_events {
        reading.wake_by_events(cancel);
    }
    let mut news = News::new("ingest");
    loop {
        agent.events.is_alive();
        let step = reading.step()?;
        let mut fresh = false;
        match step.outcome {
            Outcome::Read { report, is_full } => {
                fresh = report.has_new_rows();
                news.ingested(agent, report, is_full);
                if is_full && let Some(read) = read.take() {
                    read();
                }
            }
            Outcome::Failed(error) => news.failed(agent, &error),
            Outcome::Nothing | Outcome::Busy => {}
        }
        if fresh {
            cancel.fresh_rows();
        }
        if fresh || step.on_time {
            // The sending half ends after this one, so the channel is open.
            let _ = order.send(if step.on_time { Order::Full } else { Order::Fresh });
        }
        // A wake means that the pause became shorter.
        loop {
            if !cancel.wait_or_wake(reading.pause()) {
                return Ok(());
            }
            if reading.pause().is_zero() {
                break;
            }
        }
    }
}

/// The result of a look at the files.
pub(super) struct Step {
    /// Whether a full pass of the grid was due.
    pub(super) on_time: bool,
    pub(super) outcome: Outcome,
}

pub(super) enum Outcome {
    /// No file changed, and no pass was due.
    Nothing,
    Read {
        report: IngestReport,
        /// Whether every table was read.
        is_full: bool,
    },
    /// Another ingest is at work.
    Busy,
    /// The pass failed and is tried again.
    Failed(AgentError),
}

/// The watched files, and when they were read.
pub(super) struct Reading<'a> {
    agent: &'a Agent,
    watched: Option<Watched<'a>>,
    due: Due,
    /// When the last step ended.
    stepped: Instant,
    waits: Waits,
    /// How the last pass ended.
    before: Exit,
    kept: Option<Instant>,
}

impl<'a> Reading<'a> {
    /// The first step reads every file.
    pub(super) fn new(agent: &'a Agent, rhythm: Rhythm) -> Reading<'a> {
        Reading {
            agent,
            watched: rhythm.poll.map(|poll| Watched::new(&agent.config.tables, poll)),
            due: Due { every: rhythm.every, next: Instant::now(), sooner: None },
            stepped: Instant::now(),
            waits: Waits::new(FIRST_PAUSE, LONGEST_PAUSE),
            before: Exit::Well,
            kept: None,
        }
    }

    /// Looks at the files when the system reports changes, and seldom otherwise.
    fn wake_by_events(&mut self, cancel: &Arc<Cancel>) {
        let cancel = Arc::clone(cancel);
        self.watched = self.watched.take().map(|watched| watched.with_events(move || cancel.wake()));
    }

    /// Like [`Reading::new`], while the caller makes a full pass of its own. The caller's pass begins after this call,
    /// so a later change is seen by a step.
    ///
    /// # Errors
    /// A file pattern is invalid.
    pub(super) fn beside_a_full_pass(agent: &'a Agent, rhythm: Rhythm) -> Result<Reading<'a>, AgentError> {
        let mut reading = Reading::new(agent, rhythm);
        reading.changed()?;
        reading.due.is_on_time(Instant::now());
        Ok(reading)
    }

    /// To be called when the caller's full pass has ended; `exit` is None if another ingest was at work and no pass was
    /// made.
    pub(super) fn full_pass_ended(&mut self, exit: Option<Exit>) {
        match exit {
            Some(exit) => {
                self.before = exit;
                self.kept = Some(Instant::now());
            }
            None => self.due.sooner = Instant::now().checked_add(BUSY_PAUSE),
        }
    }

    /// Looks at the files, and reads what changed, or everything where that is due.
    ///
    /// # Errors
    /// The configuration does not fit the store. A failure that may not occur later is [`Outcome::Failed`] and no
    /// error.
    pub(super) fn step(&mut self) -> Result<Step, AgentError> {
        let step = self.look_and_read();
        self.stepped = Instant::now();
        step
    }

    fn look_and_read(&mut self) -> Result<Step, AgentError> {
        let changed = self.changed()?;
        let now = Instant::now();
        let on_time = self.due.is_on_time(now);
        let is_full = on_time || self.due.is_to_be_made_up(now);
        if !is_full && changed.is_empty() {
            return Ok(Step { on_time, outcome: Outcome::Nothing });
        }
        let outcome = self.pass((!is_full).then_some(changed))?;
        let pause = match &outcome {
            Outcome::Busy => Some(BUSY_PAUSE),
            Outcome::Failed(_) => Some(self.waits.next_wait()),
            Outcome::Read { .. } | Outcome::Nothing => None,
        };
        match pause {
            // The change was seen, but not read: everything is read at the next attempt.
            Some(pause) => self.due.sooner = Instant::now().checked_add(pause),
            None if is_full => self.due.sooner = None,
            None => {}
        }
        Ok(Step { on_time, outcome })
    }

    /// How long to wait before the next step.
    pub(super) fn pause(&self) -> Duration {
        let now = Instant::now();
        let look = self.watched.as_ref().map(|watched| watched.due(self.stepped).saturating_duration_since(now));
        let pass = self.due.from(now);
        look.map_or(pass, |look| look.min(pass))
    }

    /// Whether a change was seen that could not be read yet.
    pub(super) fn is_behind(&self) -> bool {
        self.due.sooner.is_some()
    }

    fn changed(&mut self) -> Result<Vec<TableFiles<'a>>, AgentError> {
        Ok(match &mut self.watched {
            Some(watched) => watched.look().map_err(IngestError::from)?,
            None => Vec::new(),
        })
    }

    /// Reads these files, or all files.
    fn pass(&mut self, files: Option<Vec<TableFiles<'_>>>) -> Result<Outcome, AgentError> {
        let agent = self.agent;
        let is_full = files.is_none();
        let is_due = is_full && self.kept.is_none_or(|then| then.elapsed() >= KEPT_EVERY);
        let which = Pass::OneOf { before: self.before, is_due };
        let result = pass::ingest(agent, which, |store, progress| match files {
            Some(files) => reader::run_files(files, &agent.config, store, &agent.clock, progress),
            None => reader::run(&agent.config, store, &agent.clock, &Selection::default(), progress),
        });
        match result {
            Ok(Some(Ended { report, exit })) => {
                self.waits.reset();
                self.before = exit;
                if is_due {
                    self.kept = Some(Instant::now());
                }
                Ok(Outcome::Read { report, is_full })
            }
            Ok(None) => {
                tracing::debug!("another ingest is at work");
                Ok(Outcome::Busy)
            }
            // Another attempt with this configuration would fail again.
            Err(error) if error.is_permanent() => Err(error),
            Err(error) => {
                self.before = error.exit();
                Ok(Outcome::Failed(error))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passes_stay_on_the_grid_and_those_that_were_slept_through_are_left_out() {
        let start = Instant::now();
        let second = Duration::from_secs(1);
        let mut due = Due { every: 300 * second, next: start, sooner: None };
        assert!(due.is_on_time(start + 2 * second));
        assert!(!due.is_on_time(start + 299 * second));
        assert_eq!(due.from(start + 299 * second), second);
        // A pass that took eleven minutes: the next is at minute fifteen, and there is only one.
        assert!(due.is_on_time(start + 660 * second));
        assert!(!due.is_on_time(start + 899 * second));
        assert!(due.is_on_time(start + 900 * second));
    }

    #[test]
    fn a_pass_that_failed_is_made_up_for_and_the_grid_is_kept() {
        let start = Instant::now();
        let second = Duration::from_secs(1);
        let mut due = Due { every: 300 * second, next: start, sooner: None };
        assert!(due.is_on_time(start));
        due.sooner = Some(start + 2 * second);
        assert_eq!(due.from(start), 2 * second);
        assert!(due.is_to_be_made_up(start + 2 * second) && !due.is_on_time(start + 2 * second));
        due.sooner = None;
        assert_eq!(due.from(start + 2 * second), 298 * second);
    }
}
