//! The sending half of an agent that stays up: a sync when there are new rows, and when rows still wait.

use std::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError};
use std::time::{Duration, Instant};

use super::reading::WRITTEN_DOWN_EVERY;
use super::told::Told;
use super::{CliError, Context, Exit, Pass, keep, sync};
use crate::sync::{Halt, StoppedBy, SyncReport, Waits};

/// While another sync is at work: it may not know of the newest rows.
const BUSY_PAUSE: Duration = Duration::from_secs(1);
/// While the budget of five minutes is used up.
const BUDGET_PAUSE: Duration = Duration::from_secs(30);
/// After a run that could not reach the server. The run itself has tried for some time.
const FIRST_PAUSE: Duration = Duration::from_secs(5);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// After a refusal that a person has to mend: seldom enough to be no nuisance, often enough to be found mended.
const FIRST_PAUSE_REFUSED: Duration = Duration::from_secs(60);
const LONGEST_PAUSE_REFUSED: Duration = Duration::from_secs(15 * 60);

/// Why to send.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Order {
    /// There are rows that wait.
    Fresh,
    /// It is time: the agent's health and the heartbeat go too.
    Full,
}

/// Sends until the end is asked for.
pub(super) fn run(context: &Context, halt: &Halt, orders: &Receiver<Order>) -> Result<(), CliError> {
    let mut sender = Sender::new(context);
    let mut wanted = None;
    let mut not_before = Instant::now();
    while let Some(order) = next(orders, wanted, not_before) {
        if halt.is_stopping() {
            break;
        }
        let pause = sender.pass(order, halt);
        wanted = pause.map(|_| Order::Fresh);
        not_before = pause.and_then(|pause| Instant::now().checked_add(pause)).unwrap_or_else(Instant::now);
    }
    Ok(())
}

/// Waits for an order, and for its time. None when nobody gives orders any more.
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
    full: Context,
    /// Says nothing of the agent itself: passes may be a second apart.
    fresh: Context,
    told: Told,
    waits: Waits,
    refused: Waits,
    /// How the last pass ended.
    before: Exit,
    written_down: Option<Instant>,
}

impl Sender {
    fn new(context: &Context) -> Sender {
        let mut fresh = context.clone();
        fresh.config.sync.health = false;
        fresh.config.sync.heartbeat_url = None;
        Sender {
            full: context.clone(),
            fresh,
            told: Told::new("sync"),
            waits: Waits::new(FIRST_PAUSE, LONGEST_PAUSE),
            refused: Waits::new(FIRST_PAUSE_REFUSED, LONGEST_PAUSE_REFUSED),
            before: Exit::Well,
            written_down: None,
        }
    }

    /// Sends. None when nothing is left to be sent, otherwise how long to wait before the next attempt.
    fn pass(&mut self, order: Order, halt: &Halt) -> Option<Duration> {
        let context = if order == Order::Full { &self.full } else { &self.fresh };
        let is_due = order == Order::Full && self.written_down.is_none_or(|then| then.elapsed() >= WRITTEN_DOWN_EVERY);
        halt.sync_begins();
        match sync::pass(context, Pass::OneOf { before: self.before, is_due }, halt) {
            Ok(Some((report, exit))) => {
                self.before = exit;
                if is_due {
                    self.written_down = Some(Instant::now());
                }
                let pause = self.pause(&report);
                self.told.synced(&self.full, report);
                if order == Order::Full
                    && pause.is_none()
                    && let Err(error) = keep::when_due(&self.full)
                {
                    self.told.failed(&error);
                }
                pause
            }
            Ok(None) => {
                tracing::debug!("another sync is at work");
                Some(BUSY_PAUSE)
            }
            Err(error) => {
                self.before = error.exit();
                self.told.failed(&error);
                Some(if error.exit() == Exit::Usage { self.refused.next_wait() } else { self.waits.next_wait() })
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
