//! What follows from each answer, row by row.
//!
//! 204 settles the rows of exactly that request. A refusal that may be a row's fault halves the batch until the culprit
//! stands alone; it is set aside only after the server took a line that it took before, and refused the culprit again
//! (I6). Everything else leaves the rows where they are.

use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::time::Duration;

use super::batch::Batch;
use super::courier::Courier;
use super::feed::{Fed, Ready};
use super::halt::Halt;
use super::pace::Pace;
use super::{BUDGET_WINDOW, Progress, StoppedBy, SyncError, SyncReport};
use crate::config::SyncConfig;
use crate::destination::{Answer, Outcome};
use crate::store::{ReceiptDraft, State, Store};
use crate::time::{Clock, Timestamp};

mod refusals;

pub(super) use refusals::Earlier;
use refusals::Refusals;

/// A 500 that comes so often for the same bytes is taken for a row's fault (an old InfluxDB answers a field type conflict
/// so).
const FAILURES_BEFORE_SPLIT: u32 = 3;
/// Enough to see what is wrong.
const MOST_NOTES: usize = 20;
/// A receipt's word for a request that is to be sent again as it is.
const RETRY: &str = "retry";

/// Why the delivery ended.
pub(super) enum Stop {
    Done,
    Deadline,
    Budget,
    Unreachable(String),
    Held(String),
    Refusals(String),
    Interrupted,
}

impl Stop {
    pub(super) fn word(&self) -> StoppedBy {
        match self {
            Stop::Done => StoppedBy::Done,
            Stop::Deadline => StoppedBy::Deadline,
            Stop::Budget => StoppedBy::Budget,
            Stop::Unreachable(_) => StoppedBy::Unreachable,
            Stop::Held(_) => StoppedBy::Held,
            Stop::Refusals(_) => StoppedBy::Refusals,
            Stop::Interrupted => StoppedBy::Interrupted,
        }
    }
}

/// Either an end that is part of the plan, or an error.
enum Ended {
    Stop(Stop),
    Error(SyncError),
}

impl<E: Into<SyncError>> From<E> for Ended {
    fn from(error: E) -> Ended {
        Ended::Error(error.into())
    }
}

type Step = Result<(), Ended>;

/// One sync's worth of requests.
pub(super) struct Delivery<'a> {
    store: &'a Store,
    clock: &'a dyn Clock,
    halt: &'a Halt,
    limits: &'a SyncConfig,
    destination: &'a str,
    courier: Courier,
    progress: &'a dyn Progress,
    report: &'a mut SyncReport,
    pace: Pace,
    refusals: Refusals<'a>,
    /// Bytes on their way that no receipt counts yet.
    unsettled_bytes: u64,
}

impl<'a> Delivery<'a> {
    pub(super) fn new(
        store: &'a Store,
        (clock, halt): (&'a dyn Clock, &'a Halt),
        limits: &'a SyncConfig,
        destination: &'a str,
        courier: Courier,
        (report, progress): (&'a mut SyncReport, &'a dyn Progress),
        earlier: &'a Earlier<'a>,
    ) -> Delivery<'a> {
        Delivery {
            store,
            clock,
            halt,
            limits,
            destination,
            courier,
            progress,
            report,
            pace: Pace::new(limits.deadline),
            refusals: Refusals::new(earlier),
            unsettled_bytes: 0,
        }
    }

    /// Delivers batch after batch.
    pub(super) fn run(&mut self, ready: &Receiver<Result<Fed, SyncError>>) -> Result<Stop, SyncError> {
        match self.deliver_all(ready) {
            Ok(()) => Ok(Stop::Done),
            Err(Ended::Stop(stop)) => Ok(stop),
            Err(Ended::Error(error)) => Err(error),
        }
    }

    fn deliver_all(&mut self, ready: &Receiver<Result<Fed, SyncError>>) -> Step {
        let mut accepted: Option<(Arc<Ready>, Answer)> = None;
        while let Ok(next) = ready.recv() {
            let next = match next? {
                Fed::Batch(next) => next,
                Fed::Note(note) => {
                    self.note(note);
                    continue;
                }
            };
            let outcome = self.post_within_limits(next);
            // The store syncs to disk while the network works.
            if let Some((batch, answer)) = accepted.take() {
                self.unsettled_bytes = self.unsettled_bytes.saturating_sub(batch.batch.lines().len() as u64);
                self.settle(&batch, &answer)?;
            }
            let (posted, last) = outcome?;
            let answer = self.courier.answer()?;
            if answer.outcome == Outcome::Stored {
                self.accept(&posted.batch);
                accepted = Some((posted, answer));
            } else {
                self.unsettled_bytes = 0;
                self.trouble(&posted, answer, FAILURES_BEFORE_SPLIT)?;
                self.judge()?;
            }
            if last {
                if let Some((batch, answer)) = accepted.take() {
                    self.settle(&batch, &answer)?;
                }
                return Err(Ended::Stop(Stop::Budget));
            }
        }
        if let Some((batch, answer)) = accepted {
            self.settle(&batch, &answer)?;
        }
        Ok(())
    }

    /// Whether another request may be begun.
    fn may_begin(&self) -> Step {
        if self.halt.ends_the_sync() {
            return Err(Ended::Stop(Stop::Interrupted));
        }
        if self.pace.is_over() { Err(Ended::Stop(Stop::Deadline)) } else { Ok(()) }
    }

    /// Posts the batch, or as much of it as the budget leaves room for; then it is the last.
    fn post_within_limits(&mut self, ready: Ready) -> Result<(Arc<Ready>, bool), Ended> {
        self.may_begin()?;
        let (ready, last) = self.within_budget(ready)?;
        let ready = Arc::new(ready);
        self.post(&ready)?;
        self.unsettled_bytes += ready.batch.lines().len() as u64;
        Ok((ready, last))
    }

    fn within_budget(&self, ready: Ready) -> Result<(Ready, bool), Ended> {
        let Some(budget) = self.limits.budget_bytes else { return Ok((ready, false)) };
        let used = self.store.bytes_since(self.now().before(BUDGET_WINDOW))? + self.unsettled_bytes;
        let room = usize::try_from(budget.saturating_sub(used)).unwrap_or(usize::MAX);
        if ready.batch.lines().len() <= room {
            return Ok((ready, false));
        }
        let mut head = ready.batch.head(room);
        if head.is_empty() && used == 0 {
            // A row wider than the whole budget goes alone, or it would never go.
            head = ready.batch.head(ready.batch.lines().len() / ready.batch.rows().len().max(1) * 2);
        }
        if head.is_empty() {
            return Err(Ended::Stop(Stop::Budget));
        }
        let gzip = if ready.gzip.is_empty() { Vec::new() } else { head.gzip().map_err(SyncError::Compress)? };
        Ok((Ready { batch: head, gzip }, true))
    }

    fn post(&mut self, ready: &Arc<Ready>) -> Step {
        self.courier.post(ready)?;
        self.report.requests += 1;
        self.report.bytes += ready.batch.lines().len() as u64;
        self.report.wire_bytes += wire_bytes(ready) as u64;
        Ok(())
    }

    fn note(&mut self, note: String) {
        tracing::warn!("{note}");
        if self.report.notes.len() < MOST_NOTES {
            self.report.notes.push(note);
        }
    }

    fn now(&self) -> Timestamp {
        Timestamp::from_utc(self.clock.now())
    }

    fn receipt<'r>(&'r self, ready: &'r Ready, answer: &'r Answer, outcome: &'r str) -> ReceiptDraft<'r> {
        ReceiptDraft {
            at: self.now().0,
            destination: self.destination,
            bucket: ready.batch.bucket.as_deref(),
            rows: ready.batch.rows().len(),
            // What no server took, no quota counts: an outage must not use up the budget of the run that ends it.
            bytes: if outcome == RETRY { 0 } else { ready.batch.lines().len() },
            wire_bytes: wire_bytes(ready),
            status: answer.status,
            outcome,
            words: &answer.words,
        }
    }

    /// The server took the batch.
    fn accept(&mut self, batch: &Batch) {
        self.pace.succeeded();
        self.refusals.learn(batch);
    }

    /// Writes the receipt and marks its rows as sent, in one transaction (I5).
    fn settle(&mut self, ready: &Ready, answer: &Answer) -> Step {
        let marks = ready.batch.marks();
        let sent = self.store.mark(&self.receipt(ready, answer, "stored"), State::Sent, &marks)?;
        self.report.sent += sent;
        self.progress.done(ready.batch.rows().len() as u64);
        Ok(())
    }

    /// Delivers a part of a batch.
    fn deliver(&mut self, part: &Batch, compressed: bool, patience: u32) -> Step {
        let batch = self.refusals.without_expired(part);
        if batch.is_empty() {
            return Ok(());
        }
        self.may_begin()?;
        let gzip = if compressed { batch.gzip().map_err(SyncError::Compress)? } else { Vec::new() };
        let ready = Arc::new(Ready { batch, gzip });
        self.post(&ready)?;
        let answer = self.courier.answer()?;
        if answer.outcome == Outcome::Stored {
            self.accept(&ready.batch);
            return self.settle(&ready, &answer);
        }
        self.trouble(&ready, answer, patience)
    }

    /// Anything but 204: waits and sends the same bytes again, splits, or stops. `patience` is how many times a 500 may come.
    fn trouble(&mut self, ready: &Arc<Ready>, first: Answer, patience: u32) -> Step {
        let mut answer = first;
        let mut failures = 0;
        loop {
            let outcome = answer.outcome.clone();
            match outcome {
                Outcome::Stored => {
                    self.accept(&ready.batch);
                    return self.settle(ready, &answer);
                }
                Outcome::Held { mend } => {
                    self.store.note_answer(&self.receipt(ready, &answer, "held"))?;
                    return Err(held(&mend, &answer));
                }
                Outcome::Split => {
                    self.store.note_answer(&self.receipt(ready, &answer, "split"))?;
                    return self.split(ready, answer);
                }
                Outcome::Failing => {
                    self.store.note_answer(&self.receipt(ready, &answer, "failing"))?;
                    failures += 1;
                    if failures >= patience {
                        return self.split(ready, answer);
                    }
                    self.wait(None, &answer)?;
                }
                Outcome::Retry { after } => {
                    self.store.note_answer(&self.receipt(ready, &answer, RETRY))?;
                    self.wait(after, &answer)?;
                }
            }
            self.post(ready)?;
            answer = self.courier.answer()?;
        }
    }

    fn wait(&mut self, asked: Option<Duration>, answer: &Answer) -> Step {
        let words = match answer.status {
            Some(status) => format!("{status} {}", answer.words),
            None => answer.words.clone(),
        };
        let Some(wait) = self.pace.next_wait(asked) else {
            tracing::warn!("no answer that helps: {words}; rows wait for the next run");
            self.report.left_alone = asked;
            return Err(Ended::Stop(Stop::Unreachable(words)));
        };
        tracing::warn!("{words}; trying again in {:.1} s", wait.as_secs_f64());
        if self.halt.wait(wait) { Ok(()) } else { Err(Ended::Stop(Stop::Interrupted)) }
    }
}

/// The destination refuses us: what a person has to do, and the server's words.
fn held(mend: &str, answer: &Answer) -> Ended {
    let words = if answer.words.is_empty() { String::new() } else { format!(" ({})", answer.words) };
    tracing::error!("the destination refuses us: {mend}{words}");
    Ended::Stop(Stop::Held(format!("{mend}{words}")))
}

fn wire_bytes(ready: &Ready) -> usize {
    if ready.gzip.is_empty() { ready.batch.lines().len() } else { ready.gzip.len() }
}
