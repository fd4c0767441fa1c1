//! Applies the answer to each request to its rows.
//!
//! An answer of 204 makes exactly the rows of that request sent. A refusal that may be caused by a row halves the batch
//! until the row is alone. The row is rejected only after the server accepted a known-good line, and refused the row
//! again (I6). After any other answer the rows remain pending.
//!
//! If the destination allows it, several requests are in flight. Answers are processed in the order of planning. After
//! an answer other than 204, no further request begins until every answer has arrived and each failure is handled, one
//! request at a time.
//!
//! Each bucket has a lane of its own: a refused bucket ends its lane, and the others continue. Only what concerns all
//! lanes (the deadline, the budget, the network) ends the run.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::time::Duration;

use super::batch::Batch;
use super::cancel::Cancel;
use super::feed::Fed;
use super::known_good::KnownGood;
use super::lanes::Lanes;
use super::pace::Pace;
use super::ready::Ready;
use super::workers::{Flight, Workers};
use super::{BUDGET_WINDOW, Progress, StoppedBy, SyncError, SyncReport};
use crate::config::SyncConfig;
use crate::destination::{Answer, Outcome};
use crate::store::{ReceiptDraft, ReceiptOutcome, State, Store};
use crate::time::{Clock, Timestamp};

mod refusals;
mod together;

use refusals::Refusals;

/// After this number of 500 answers to the same bytes, a row is suspected (an old InfluxDB answers a field type
/// conflict with 500).
const FAILURES_BEFORE_SPLIT: u32 = 3;
/// The most notes in a report: enough to see what is wrong.
const MOST_NOTES: usize = 20;

/// Why the delivery ended.
enum Stop {
    Done,
    Deadline,
    Budget,
    Unreachable(String),
    Interrupted,
}

/// Why nothing more is sent to one bucket in this run.
enum LaneEnd {
    /// The server refuses the bucket, or every row for it.
    Held(String),
    /// The server fails for this bucket, whatever is sent.
    Failing(String),
}

/// Why a step ended early: an end of the run, an end of one lane, or an error.
enum Ended {
    Stop(Stop),
    Lane(LaneEnd),
    Error(SyncError),
}

impl<E: Into<SyncError>> From<E> for Ended {
    fn from(error: E) -> Ended {
        Ended::Error(error.into())
    }
}

type Step = Result<(), Ended>;

/// What a delivery works with.
pub(super) struct Work<'a> {
    pub(super) store: &'a Store,
    pub(super) clock: &'a dyn Clock,
    pub(super) cancel: &'a Cancel,
    pub(super) limits: &'a SyncConfig,
    /// The name of the destination.
    pub(super) destination: &'a str,
    pub(super) progress: &'a dyn Progress,
    pub(super) lanes: &'a Lanes,
    pub(super) known_good: &'a KnownGood<'a>,
}

/// The requests of one sync.
pub(super) struct Delivery<'a> {
    work: Work<'a>,
    store: &'a Store,
    workers: Workers,
    report: &'a mut SyncReport,
    pace: Pace,
    refusals: Refusals<'a>,
    /// Bytes of requests that were begun and have no receipt yet.
    unrecorded_bytes: u64,
    /// The number of requests that may be in flight now.
    width: usize,
    /// The note for each lane that ended early, and the most severe reason.
    lane_notes: Vec<String>,
    lanes_stopped_by: Option<StoppedBy>,
}

impl<'a> Delivery<'a> {
    pub(super) fn new(work: Work<'a>, workers: Workers, report: &'a mut SyncReport) -> Delivery<'a> {
        Delivery {
            store: work.store,
            pace: Pace::new(work.limits.deadline),
            refusals: Refusals::new(work.known_good),
            unrecorded_bytes: 0,
            width: workers.threads(),
            lane_notes: Vec::new(),
            lanes_stopped_by: None,
            work,
            workers,
            report,
        }
    }

    /// Delivers batch after batch, and reports why it ended. A held bucket has priority over other reasons.
    pub(super) fn run(mut self, ready: &Receiver<Result<Fed, SyncError>>) -> Result<(), SyncError> {
        let stop = match self.deliver_all(ready) {
            Ok(()) => Stop::Done,
            Err(Ended::Stop(stop)) => stop,
            // The end of a lane is handled where it occurs.
            Err(Ended::Lane(_)) => Stop::Done,
            Err(Ended::Error(error)) => return Err(error),
        };
        let (by_run, note) = match stop {
            Stop::Done => (StoppedBy::Done, None),
            Stop::Deadline => (StoppedBy::Deadline, None),
            Stop::Budget => (StoppedBy::Budget, None),
            Stop::Unreachable(note) => (StoppedBy::Unreachable, Some(note)),
            Stop::Interrupted => (StoppedBy::Interrupted, None),
        };
        self.report.ended_by = by_run;
        self.report.wire_bytes += self.workers.wire_bytes();
        self.report.stopped_by = match (self.lanes_stopped_by, by_run) {
            (Some(StoppedBy::Held), _) => StoppedBy::Held,
            (_, StoppedBy::Unreachable) | (None, _) => by_run,
            (Some(lane), _) => lane,
        };
        let of_causes = self.refusals.notes();
        self.report.notes.extend(of_causes);
        // The note on a held bucket comes last, because `status` shows the last note.
        self.report.notes.extend(note);
        self.report.notes.append(&mut self.lane_notes);
        Ok(())
    }

    fn deliver_all(&mut self, ready: &Receiver<Result<Fed, SyncError>>) -> Step {
        let mut flights: VecDeque<Flight> = VecDeque::new();
        let mut accepted: Vec<(Arc<Ready>, Answer)> = Vec::new();
        let mut next = None;
        let mut ending = Ok(());
        loop {
            if ending.is_ok() {
                ending = self.fill(&mut flights, &mut next, ready);
            }
            // The store syncs to disk while requests are in flight.
            self.settle(&mut accepted)?;
            let Some(mut flight) = flights.pop_front() else { return ending };
            let answer = flight.answer()?;
            if answer.outcome == Outcome::Stored {
                self.accept(&flight.ready.batch);
                accepted.push((flight.ready, answer));
                self.take_accepted(&mut flights, &mut accepted);
                self.width = (self.width * 2).min(self.workers.threads());
                continue;
            }
            let failed = self.drain((flight, answer), &mut flights, &mut accepted)?;
            self.settle(&mut accepted)?;
            self.unrecorded_bytes = 0;
            self.width = 1;
            self.deal_with(failed)?;
        }
    }

    /// Posts requests until the permitted number is in flight, or nothing is left to post.
    fn fill(
        &mut self,
        flights: &mut VecDeque<Flight>,
        next: &mut Option<Ready>,
        ready: &Receiver<Result<Fed, SyncError>>,
    ) -> Step {
        while flights.len() < self.width {
            let batch = match next.take() {
                Some(batch) => batch,
                None => match ready.recv() {
                    Ok(Ok(Fed::Batch(batch))) => batch,
                    Ok(Ok(Fed::Note(note))) => {
                        self.note(note);
                        continue;
                    }
                    Ok(Err(error)) => return Err(error.into()),
                    Err(_) => return Ok(()),
                },
            };
            // The live picture of a bucket is acknowledged before its backlog begins. After an answer other than an
            // acknowledgement no request begins before that answer is handled.
            let is_early = |flight: &Flight| flight.ready.live && flight.ready.batch.bucket == batch.batch.bucket;
            let waits_for_live = !batch.live && flights.iter().any(is_early);
            if waits_for_live || flights.iter_mut().any(Flight::is_refused) {
                *next = Some(batch);
                return Ok(());
            }
            let Some(batch) = self.still_due(batch)? else { continue };
            self.may_begin()?;
            let (batch, last) = self.within_budget(batch)?;
            flights.push_back(self.post(&Arc::new(batch))?);
            if last {
                return Err(Ended::Stop(Stop::Budget));
            }
        }
        Ok(())
    }

    /// The part of the batch that must still be sent to its bucket; None if there is none.
    fn still_due(&self, ready: Ready) -> Result<Option<Ready>, Ended> {
        if self.work.lanes.is_closed(ready.batch.bucket.as_deref()) {
            return Ok(None);
        }
        if self.refusals.lets_all_pass() {
            return Ok(Some(ready));
        }
        let batch = self.refusals.still_due(&ready.batch);
        if batch.is_empty() {
            return Ok(None);
        }
        if batch.rows().len() == ready.batch.rows().len() {
            return Ok(Some(ready));
        }
        Ok(Some(ready.with(batch)))
    }

    /// Takes the accepted answers that have already arrived after the first, up to one that is not a 204.
    fn take_accepted(&mut self, flights: &mut VecDeque<Flight>, accepted: &mut Vec<(Arc<Ready>, Answer)>) {
        while let Some(answer) = flights.front_mut().and_then(Flight::acknowledged) {
            let Some(front) = flights.pop_front() else { return };
            self.accept(&front.ready.batch);
            accepted.push((front.ready, answer));
        }
    }

    /// Waits for every answer. Accepted requests are added to `accepted`; the others are returned in their order.
    fn drain(
        &mut self,
        (first, answer): (Flight, Answer),
        flights: &mut VecDeque<Flight>,
        accepted: &mut Vec<(Arc<Ready>, Answer)>,
    ) -> Result<Vec<(Arc<Ready>, Answer)>, Ended> {
        let mut failed = vec![(first.ready, answer)];
        let mut broken = Ok(());
        while let Some(mut flight) = flights.pop_front() {
            match flight.answer() {
                Ok(answer) if answer.outcome == Outcome::Stored => {
                    self.accept(&flight.ready.batch);
                    accepted.push((flight.ready, answer));
                }
                Ok(answer) => failed.push((flight.ready, answer)),
                Err(error) => broken = Err(error),
            }
        }
        if broken.is_err() {
            self.settle(accepted)?;
        }
        Ok(broken.map(|()| failed)?)
    }

    /// Handles the requests that were not accepted, in their order. Requests that fail at the same time mostly fail for
    /// the same reason: the first one pauses, the others are sent again directly after it.
    fn deal_with(&mut self, failed: Vec<(Arc<Ready>, Answer)>) -> Step {
        let mut failed = failed.into_iter();
        let mut has_waited = false;
        while let Some((ready, answer)) = failed.next() {
            if let Err(ended) = self.deal_with_one(&ready, answer, &mut has_waited) {
                // These requests were answered, so a quota counts them.
                for (ready, answer) in failed {
                    self.store.note_answer(&self.receipt(&ready, &answer, outcome_of(&answer)))?;
                }
                return Err(ended);
            }
        }
        Ok(())
    }

    fn deal_with_one(&mut self, ready: &Arc<Ready>, answer: Answer, has_waited: &mut bool) -> Step {
        let bucket = ready.batch.bucket.as_deref();
        if self.work.lanes.is_closed(bucket) {
            return Ok(self.store.note_answer(&self.receipt(ready, &answer, outcome_of(&answer)))?);
        }
        let is_passing = matches!(answer.outcome, Outcome::Retry { .. });
        let dealt = if is_passing && *has_waited {
            self.store.note_answer(&self.receipt(ready, &answer, ReceiptOutcome::Retry))?;
            self.deliver(&ready.batch, ready.is_compressed(), FAILURES_BEFORE_SPLIT)
        } else {
            self.handle(ready, answer, FAILURES_BEFORE_SPLIT)
        };
        *has_waited |= is_passing;
        let judged = match dealt {
            Ok(()) => self.judge(),
            Err(ended) => Err(ended),
        };
        self.lane_ends(bucket, judged)
    }

    /// Closes the bucket's lane if the step ended it; any other end is returned.
    fn lane_ends(&mut self, bucket: Option<&str>, step: Step) -> Step {
        let Err(Ended::Lane(end)) = step else { return step };
        self.work.lanes.close(bucket);
        self.refusals.forget_suspects();
        let (by, text) = match end {
            LaneEnd::Held(text) => (StoppedBy::Held, text),
            LaneEnd::Failing(text) => (StoppedBy::Unreachable, text),
        };
        let text = bucket.map_or_else(|| text.clone(), |bucket| format!("bucket \"{bucket}\": {text}"));
        tracing::error!("{text}");
        self.lane_notes.push(text);
        self.stopped_by_lane(by);
        Ok(())
    }

    fn stopped_by_lane(&mut self, by: StoppedBy) {
        let rank = |by: StoppedBy| match by {
            StoppedBy::Held => 2,
            StoppedBy::Refusals => 1,
            _ => 0,
        };
        if self.lanes_stopped_by.is_none_or(|known| rank(known) < rank(by)) {
            self.lanes_stopped_by = Some(by);
        }
    }

    /// Whether another request may begin.
    fn may_begin(&self) -> Step {
        if self.work.cancel.ends_the_sync() {
            return Err(Ended::Stop(Stop::Interrupted));
        }
        if self.pace.is_over() { Err(Ended::Stop(Stop::Deadline)) } else { Ok(()) }
    }

    /// The batch, or the part of it for which the budget has room; the second value says that it is the last.
    fn within_budget(&self, ready: Ready) -> Result<(Ready, bool), Ended> {
        let Some(budget) = self.work.limits.budget_bytes else { return Ok((ready, false)) };
        let now = self.now();
        let used = self.store.bytes_between(now.before(BUDGET_WINDOW), now)? + self.unrecorded_bytes;
        let room = usize::try_from(budget.saturating_sub(used)).unwrap_or(usize::MAX);
        if ready.batch.lines().len() <= room {
            return Ok((ready, false));
        }
        let mut head = ready.batch.head(room);
        if head.is_empty() && used == 0 {
            // A row larger than the whole budget is sent alone, or it would never be sent.
            head = ready.batch.row(0);
        }
        if head.is_empty() {
            return Err(Ended::Stop(Stop::Budget));
        }
        Ok((ready.with(head), true))
    }

    fn post(&mut self, ready: &Arc<Ready>) -> Result<Flight, Ended> {
        let flight = self.workers.post(ready)?;
        self.report.requests += 1;
        self.report.bytes += ready.batch.lines().len() as u64;
        self.unrecorded_bytes += ready.batch.lines().len() as u64;
        Ok(flight)
    }

    /// Posts the request and waits for its answer.
    fn ask(&mut self, ready: &Arc<Ready>) -> Result<Answer, Ended> {
        let answer = self.post(ready)?.answer()?;
        // Its receipt is written at once, so these bytes are counted there.
        self.unrecorded_bytes = self.unrecorded_bytes.saturating_sub(ready.batch.lines().len() as u64);
        Ok(answer)
    }

    fn note(&mut self, note: String) {
        tracing::warn!("{note}");
        if self.report.notes.len() < MOST_NOTES {
            self.report.notes.push(note);
        }
    }

    fn now(&self) -> Timestamp {
        Timestamp::from_utc(self.work.clock.now())
    }

    fn receipt<'r>(&'r self, ready: &'r Ready, answer: &'r Answer, outcome: ReceiptOutcome) -> ReceiptDraft<'r> {
        ReceiptDraft {
            at: self.now().nanos(),
            destination: self.work.destination,
            bucket: ready.batch.bucket.as_deref(),
            rows: ready.batch.rows().len(),
            bytes: if outcome.is_counted() { ready.batch.lines().len() } else { 0 },
            wire_bytes: ready.wire_bytes(),
            status: answer.status,
            outcome,
            message: &answer.message,
        }
    }

    /// Notes that the server accepted the batch.
    fn accept(&mut self, batch: &Batch) {
        self.pace.succeeded(batch.bucket.as_deref());
        self.refusals.learn(batch);
    }

    /// Writes the receipts of accepted requests and marks their rows as sent, all in one transaction (I5).
    fn settle(&mut self, accepted: &mut Vec<(Arc<Ready>, Answer)>) -> Step {
        if accepted.is_empty() {
            return Ok(());
        }
        let requests: Vec<_> = accepted
            .iter()
            .map(|(ready, answer)| (self.receipt(ready, answer, ReceiptOutcome::Stored), ready.batch.marks()))
            .collect();
        let sent: u64 = self.store.mark_each(&requests, State::Sent)?.iter().sum();
        drop(requests);
        self.report.sent += sent;
        for (ready, _) in accepted.drain(..) {
            self.unrecorded_bytes = self.unrecorded_bytes.saturating_sub(ready.batch.lines().len() as u64);
            self.work.progress.done(ready.batch.rows().len() as u64);
        }
        Ok(())
    }

    fn settle_one(&mut self, ready: &Arc<Ready>, answer: Answer) -> Step {
        self.accept(&ready.batch);
        self.settle(&mut vec![(Arc::clone(ready), answer)])
    }

    /// Delivers a part of a batch.
    fn deliver(&mut self, part: &Batch, compressed: bool, patience: u32) -> Step {
        let batch = self.refusals.still_due(part);
        if batch.is_empty() {
            return Ok(());
        }
        self.may_begin()?;
        let ready = Arc::new(Ready::new(batch, compressed, false));
        let answer = self.ask(&ready)?;
        self.handle(&ready, answer, patience)
    }

    /// Handles an answer: accepts a 204; otherwise it pauses and sends the same bytes again, splits the batch, or
    /// stops. `patience` is the permitted number of 500 answers.
    fn handle(&mut self, ready: &Arc<Ready>, first: Answer, patience: u32) -> Step {
        let bucket = ready.batch.bucket.as_deref();
        let mut answer = first;
        let mut failures = 0;
        loop {
            match answer.outcome.clone() {
                Outcome::Stored => return self.settle_one(ready, answer),
                Outcome::Held { fix } => {
                    self.store.note_answer(&self.receipt(ready, &answer, ReceiptOutcome::Held))?;
                    return Err(held(&fix, &answer));
                }
                Outcome::Split => {
                    self.store.note_answer(&self.receipt(ready, &answer, ReceiptOutcome::Split))?;
                    return self.split(ready, answer);
                }
                Outcome::Failing => {
                    self.store.note_answer(&self.receipt(ready, &answer, ReceiptOutcome::Failing))?;
                    failures += 1;
                    if failures >= patience {
                        return self.split(ready, answer);
                    }
                    if self.pace.share_is_used(bucket) {
                        // A known-good line distinguishes a failing bucket from bad rows.
                        self.judge()?;
                    }
                    if self.pace.share_is_used(bucket) {
                        return Err(Ended::Lane(LaneEnd::Failing(answer.message)));
                    }
                    self.wait(bucket, None, &answer)?;
                }
                Outcome::Retry { after } => {
                    self.store.note_answer(&self.receipt(ready, &answer, ReceiptOutcome::Retry))?;
                    self.wait(bucket, after, &answer)?;
                }
            }
            answer = self.ask(ready)?;
        }
    }

    fn wait(&mut self, bucket: Option<&str>, asked: Option<Duration>, answer: &Answer) -> Step {
        let text = match answer.status {
            Some(status) => format!("{status} {}", answer.message),
            None => answer.message.clone(),
        };
        let Some(wait) = self.pace.next_wait(bucket, asked) else {
            tracing::warn!("no answer that helps: {text}; rows stay pending until the next run");
            self.report.left_alone = asked.filter(|asked| !asked.is_zero());
            return Err(Ended::Stop(Stop::Unreachable(text)));
        };
        tracing::warn!("{text}; trying again in {:.1} s", wait.as_secs_f64());
        if self.work.cancel.wait(wait) { Ok(()) } else { Err(Ended::Stop(Stop::Interrupted)) }
    }
}

/// The destination refuses this sender: the advice for the user, and the server's message.
fn held(fix: &str, answer: &Answer) -> Ended {
    let reason = if answer.message.is_empty() { String::new() } else { format!(" ({})", answer.message) };
    Ended::Lane(LaneEnd::Held(format!("{fix}{reason}")))
}

/// The receipt's outcome for an answer after which nothing more was tried.
fn outcome_of(answer: &Answer) -> ReceiptOutcome {
    match answer.outcome {
        Outcome::Stored => ReceiptOutcome::Stored,
        Outcome::Split => ReceiptOutcome::Split,
        Outcome::Failing => ReceiptOutcome::Failing,
        Outcome::Retry { .. } => ReceiptOutcome::Retry,
        Outcome::Held { .. } => ReceiptOutcome::Held,
    }
}
