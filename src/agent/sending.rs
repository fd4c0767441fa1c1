//! The sending half of an agent that stays up: a sync when there are new rows, and while rows are pending.

use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender as Passed, TryRecvError};
use std::time::{Duration, Instant};

use super::news::News;
use super::pass::{self, Ended, Pass};
use super::reading::KEPT_EVERY;
use super::{Agent, AgentError, retention, schedule};
use crate::status::Exit;
use crate::sync::{Cancel, StoppedBy, SyncReport, Waits};

/// While another sync is at work: it may not know of the newest rows.
const BUSY_PAUSE: Duration = Duration::from_secs(1);
/// While the budget of five minutes is used up.
const BUDGET_PAUSE: Duration = Duration::from_secs(30);
/// After a run that could not reach the server. The run itself has tried for some time.
const FIRST_PAUSE: Duration = Duration::from_secs(5);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// After a refusal that a user has to fix: seldom enough to be no nuisance, often enough to notice the fix.
const FIRST_PAUSE_REFUSED: Duration = Duration::from_secs(60);
const LONGEST_PAUSE_REFUSED: Duration = Duration::from_secs(15 * 60);

/// Why to send.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Order {
    /// Rows are pending.
    Fresh,
    /// It is time: the agent's health and the heartbeat go too.
    Full,
}

/// Sends until the end is asked for. `passed` hears of each full pass.
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
            // Whether anyone is reported is no matter of sending rows.
            let _ = passed.send(());
        }
        wanted = pause.map(|_| Order::Fresh);
        not_before = pause.and_then(|pause| Instant::now().checked_add(pause)).unwrap_or_else(Instant::now);
    }
    Ok(())
}

/// Waits for an order, and for its time. None when the reading half has ended.
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
    /// Sends nothing about the agent itself: passes may be a second apart.
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

    /// Sends. None when nothing is left to be sent, otherwise how long to wait before the next attempt.
    fn pass(&mut self, order: Order, cancel: &Cancel) -> Option<Duration> {
        let agent = if order == Order::Full { &self.full } else { &self.fresh };
        let is_due = order == Order::Full && self.kept.is_none_or(|then| then.elapsed() >= KEPT_EVERY);
        cancel.sync_begins();
        match pass::sync(agent, Pass::OneOf { before: self.before, is_due }, cancel) {
            Ok(Some(Ended { report, exit })) => {
                self.before = exit;
                if is_due {
                    self.kept = Some(Instant::now());
                    // A single run beside it has forgotten it.
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
            // One bucket or table is refused and others are not: their new rows come as before.
            StoppedBy::Held | StoppedBy::Refusals if report.sent > 0 => {
                self.refused.reset();
                Some(FIRST_PAUSE_REFUSED)
            }
            StoppedBy::Held | StoppedBy::Refusals => Some(self.refused.next_wait()),
        }
    }
}
