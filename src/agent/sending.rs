//! The sending half of a continuous agent: a sync when there are new rows, and while rows are pending.

use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender as Passed, TryRecvError};
use std::time::{Duration, Instant};

use super::news::News;
use super::pass::{self, Ended, Pass};
use super::reading::KEPT_EVERY;
use super::{Agent, AgentError, retention, schedule};
use crate::status::Exit;
use crate::sync::{Cancel, StoppedBy, SyncReport, Waits};

/// Pause while another sync is at work: it may have begun before the newest rows were staged.
const BUSY_PAUSE: Duration = Duration::from_secs(1);
/// Pause while the budget of five minutes is used up.
const BUDGET_PAUSE: Duration = Duration::from_secs(30);
/// First pause after a sync that could not reach the server. The sync itself has retried for some time.
const FIRST_PAUSE: Duration = Duration::from_secs(5);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// First pause after a refusal that a user must fix: long enough not to fill the log, short enough to notice the fix.
const FIRST_PAUSE_REFUSED: Duration = Duration::from_secs(60);
const LONGEST_PAUSE_REFUSED: Duration = Duration::from_secs(15 * 60);

/// Why a sync is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Order {
    /// Rows are pending.
    Fresh,
    /// The scheduled time has come: the agent's health and the heartbeat are sent too.
    Full,
}

/// Sends until `cancel` stops it. `passed` receives a message after each full pass.
pub(super) fn run(
    agent: &Agent,
    cancel: &Cancel,
    orders: &Receiver<Order>,
    passed: &Passed<()>,
) -> Result<(), AgentError> {
    let mut sender = Sender::new(agent);
    let mut wanted = None;
    let mut not_before = Instant::now();
    while let Some(order) = next(orders, wanted, not_before) {
        if cancel.is_stopping() {
            break;
        }
        let pause = sender.pass(order, cancel);
        if order == Order::Full {
            // A failure to notify users must not affect the sending of rows.
            let _ = passed.send(());
        }
        wanted = pause.map(|_| Order::Fresh);
        not_before = pause.and_then(|pause| Instant::now().checked_add(pause)).unwrap_or_else(Instant::now);
    }
    Ok(())
}

/// Waits for an order, and until `not_before`. None when the reading half has ended.
fn next(orders: &Receiver<Order>, wanted: Option<Order>, not_before: Instant) -> Option<Order> {
    let mut wanted = match wanted {
        Some(wanted) => wanted,
        None => orders.recv().ok()?,
    };
    loop {
        let left = not_before.saturating_duration_since(Instant::now());
        let more = if left.is_zero() {
            orders.try_recv().map_err(|error| error == TryRecvError::Disconnected)
        } else {
            orders.recv_timeout(left).map_err(|error| error == RecvTimeoutError::Disconnected)
        };
        match more {
            Ok(more) => wanted = wanted.max(more),
            Err(true) => return None,
            Err(false) => return Some(wanted),
        }
    }
}

struct Sender {
    full: Agent,
    /// The agent without health and heartbeat, for passes that may be a second apart.
    fresh: Agent,
    news: News,
    waits: Waits,
    refused: Waits,
    /// How the last pass ended.
    before: Exit,
    kept: Option<Instant>,
}

impl Sender {
    fn new(agent: &Agent) -> Sender {
        let mut fresh = agent.clone();
        fresh.config.sync.health = false;
        fresh.config.sync.heartbeat_url = None;
        Sender {
            full: agent.clone(),
            fresh,
            news: News::new("sync"),
            waits: Waits::new(FIRST_PAUSE, LONGEST_PAUSE),
            refused: Waits::new(FIRST_PAUSE_REFUSED, LONGEST_PAUSE_REFUSED),
            before: Exit::Well,
            kept: None,
        }
    }

    /// Makes one pass. Returns how long to wait before the next attempt; None when nothing is left to be sent.
    fn pass(&mut self, order: Order, cancel: &Cancel) -> Option<Duration> {
        let agent = if order == Order::Full { &self.full } else { &self.fresh };
        let is_due = order == Order::Full && self.kept.is_none_or(|then| then.elapsed() >= KEPT_EVERY);
        cancel.sync_begins();
        match pass::sync(agent, Pass::OneOf { before: self.before, is_due }, cancel) {
            Ok(Some(Ended { report, exit })) => {
                self.before = exit;
                if is_due {
                    self.kept = Some(Instant::now());
                    // A single run in between may have deleted this note.
                    schedule::remember(&self.full, schedule::Starts::StaysUp);
                }
                let pause = self.pause(&report);
                self.news.synced(&self.full, report);
                if order == Order::Full
                    && pause.is_none()
                    && let Err(error) = retention::when_due(&self.full)
                {
                    self.news.failed(&self.full, &error);
                }
                pause
            }
            Ok(None) => {
                tracing::debug!("another sync is at work");
                Some(BUSY_PAUSE)
            }
            Err(error) => {
                self.before = error.exit();
                self.news.failed(&self.full, &error);
                Some(if error.is_permanent() { self.refused.next_wait() } else { self.waits.next_wait() })
            }
        }
    }

    fn pause(&mut self, report: &SyncReport) -> Option<Duration> {
        if matches!(report.stopped_by, StoppedBy::Done | StoppedBy::Deadline | StoppedBy::Budget) {
            self.waits.reset();
            self.refused.reset();
        }
        match report.stopped_by {
            StoppedBy::Done => None,
            StoppedBy::Deadline | StoppedBy::Interrupted => Some(Duration::ZERO),
            StoppedBy::AlreadyRunning => Some(BUSY_PAUSE),
            StoppedBy::Budget => Some(BUDGET_PAUSE),
            StoppedBy::Unreachable => Some(self.waits.next_wait().max(report.left_alone.unwrap_or_default())),
            // If one bucket or table is refused and others are not, new rows of the others are sent as usual.
            StoppedBy::Held | StoppedBy::Refusals if report.sent > 0 => {
                self.refused.reset();
                Some(FIRST_PAUSE_REFUSED)
            }
            StoppedBy::Held | StoppedBy::Refusals => Some(self.refused.next_wait()),
        }
    }
}
