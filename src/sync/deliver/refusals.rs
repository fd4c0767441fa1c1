//! Finds the rows that a server refuses by halving batches, and judges them one by one.
//!
//! A row is rejected only if it was refused alone, a known-good line was then accepted, and the row was refused once
//! more (I6). A known-good line is one that the bucket accepted before; at the first contact it is the agent's own
//! health, or a row of another table. If a table has many such rows, it is skipped for the rest of the run, and the
//! other tables continue. A row that is refused because of the bucket's retention becomes expired if the server's clock
//! and this computer's agree, and so does every older row of its series: the newest such row is searched, because a
//! long backlog would otherwise cost two requests per row.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};

use super::together::Cause;
use super::{Delivery, Ended, FAILURES_BEFORE_SPLIT, LaneEnd, Ready, Step, Stop, held};
use crate::destination::{Answer, Outcome};
use crate::store::{Mark, ReceiptOutcome, State};
use crate::sync::StoppedBy;
use crate::sync::batch::Batch;
use crate::sync::known_good::{KnownGood, line_alone};
use crate::sync::look::clocks_disagree;
use crate::time::{Timestamp, clocks_agree};

/// The most refused rows of one table in one run for which the server names no cause. More of them are hardly single
/// bad rows; the table's other rows remain pending until a user has looked.
const MOST_REFUSALS: u64 = 64;
/// After this number of refused rows, they are judged before the search continues, because the server may be the cause.
const MOST_SUSPECTS: usize = 16;
/// InfluxDB accepts no shorter retention.
const SHORTEST_RETENTION: Duration = Duration::from_secs(3_600);
/// Each part of a batch that failed several times is suspected: halving it costs less than waiting.
const FAILURES_OF_A_PART: u32 = 1;

/// What this run has found out about what a server accepts.
pub(super) struct Refusals<'a> {
    source: &'a KnownGood<'a>,
    /// The newest line that each bucket accepted; an older one may have exceeded the bucket's retention since.
    known_good: HashMap<Option<String>, (Timestamp, Vec<u8>)>,
    /// Rows that were refused alone, with the server's answer.
    suspects: Vec<(Batch, Answer)>,
    /// By series: the newest row that was refused because of retention.
    expired: HashMap<i64, Timestamp>,
    /// Rows that were judged alone.
    pub(super) decided: HashSet<i64>,
    /// By table: the number of rejected rows for which the server named no cause.
    unexplained: HashMap<String, u64>,
    /// The series of tables that are skipped for the rest of the run.
    left_alone: HashSet<i64>,
    /// The causes that the server names.
    pub(super) causes: Vec<Cause>,
}

impl<'a> Refusals<'a> {
    pub(super) fn new(source: &'a KnownGood<'a>) -> Refusals<'a> {
        Refusals {
            source,
            known_good: HashMap::new(),
            suspects: Vec::new(),
            expired: HashMap::new(),
            decided: HashSet::new(),
            unexplained: HashMap::new(),
            left_alone: HashSet::new(),
            causes: Vec::new(),
        }
    }

    /// Notes that the server accepted the batch.
    pub(super) fn learn(&mut self, batch: &Batch) {
        let Some(last) = batch.rows().last() else { return };
        if self.known_good.get(&batch.bucket).is_none_or(|(newest, _)| *newest <= last.ts) {
            self.known_good.insert(batch.bucket.clone(), (last.ts, batch.last_line().to_vec()));
        }
    }

    /// Whether [`Refusals::still_due`] removes no row.
    pub(super) fn lets_all_pass(&self) -> bool {
        self.expired.is_empty() && self.decided.is_empty() && self.left_alone.is_empty()
    }

    /// The rows of the batch that must still be sent.
    pub(super) fn still_due(&self, batch: &Batch) -> Batch {
        batch.retain(|row| {
            self.expired.get(&row.series).is_none_or(|newest| row.ts > *newest)
                && !self.decided.contains(&row.id)
                && !self.left_alone.contains(&row.series)
        })
    }

    /// Forgets the suspects: rows that are not judged yet remain pending.
    pub(super) fn forget_suspects(&mut self) {
        self.suspects.clear();
    }

    /// The table of a series.
    pub(super) fn table(&self, series: i64) -> Option<&str> {
        let mut backlog = self.source.outbox.backlog.iter();
        backlog.find(|known| known.series == series).map(|known| known.table.as_str())
    }

    /// Notes on the rows that were rejected for causes that the server named.
    pub(super) fn notes(&self) -> Vec<String> {
        self.causes.iter().filter(|cause| cause.rows > 0).map(Cause::note).collect()
    }

    /// Counts a row that was rejected without a named cause. Returns the table's name if the table is skipped from now
    /// on.
    fn count_unexplained(&mut self, series: i64) -> Option<String> {
        let table = self.table(series)?.to_owned();
        let count = self.unexplained.entry(table.clone()).or_default();
        *count += 1;
        if *count < MOST_REFUSALS {
            return None;
        }
        let of_table = self.source.outbox.backlog.iter().filter(|known| known.table == table);
        self.left_alone.extend(of_table.map(|known| known.series));
        Some(table)
    }
}

impl Delivery<'_> {
    /// Handles a refused batch. If the server names a cause, the rows with it are rejected together; otherwise the
    /// halves are delivered separately, and a single row becomes a suspect.
    pub(super) fn split(&mut self, ready: &Arc<Ready>, answer: Answer) -> Step {
        if let [_] = ready.batch.rows() {
            return self.suspect(ready, answer);
        }
        if let Some(conflict) = answer.type_conflict()
            && self.set_aside_together(ready, &answer, &conflict)?
        {
            return Ok(());
        }
        let (older, newer) = ready.batch.halves();
        let is_retention = answer.speaks_of_retention();
        let failing = answer.outcome == Outcome::Failing;
        let parts = if is_retention { [newer, older] } else { [older, newer] };
        for part in parts {
            let patience = if failing && part.rows().len() > 1 { FAILURES_OF_A_PART } else { FAILURES_BEFORE_SPLIT };
            self.deliver(&part, ready.is_compressed(), patience)?;
        }
        Ok(())
    }

    fn suspect(&mut self, ready: &Arc<Ready>, answer: Answer) -> Step {
        if answer.speaks_of_retention() && self.is_older_than_any_retention(ready, &answer) {
            let now = self.work.clock.now();
            return match answer.server_time.filter(|server| !clocks_agree(*server, now)) {
                Some(server) => {
                    self.leave_until_clocks_agree(ready, server);
                    Ok(())
                }
                None => self.expire(ready, &answer),
            };
        }
        self.refusals.suspects.push((ready.batch.clone(), answer));
        if self.refusals.suspects.len() >= MOST_SUSPECTS { self.judge() } else { Ok(()) }
    }

    /// A row too far in the future is refused with the same message (InfluxDB 1.12 and 2.8: "retention policy …
    /// violates a Write Window Upper Bound"), so the row must be old by this computer's clock too.
    fn is_older_than_any_retention(&self, ready: &Ready, answer: &Answer) -> bool {
        let now = answer.server_time.map_or_else(|| self.now(), |server| self.now().min(Timestamp::from_utc(server)));
        let surely_older = now.before(SHORTEST_RETENTION);
        ready.batch.rows().iter().all(|row| row.ts < surely_older)
    }

    /// One of the two clocks is wrong, and the server's refusal alone is not enough evidence. The row and all older
    /// ones of its series remain pending; this run skips them and continues with newer ones.
    fn leave_until_clocks_agree(&mut self, ready: &Ready, server: DateTime<Utc>) {
        self.report.note_once(clocks_disagree(server, self.work.clock));
        for row in ready.batch.rows() {
            self.refusals.expired.insert(row.series, row.ts);
        }
    }

    /// Expires this row and all older ones, because the bucket does not keep them.
    fn expire(&mut self, ready: &Ready, answer: &Answer) -> Step {
        let [row] = ready.batch.rows() else { return Ok(()) };
        let receipt = self.receipt(ready, answer, ReceiptOutcome::Expired);
        let mut expired = self.store.mark(&receipt, State::Expired, &ready.batch.marks())?;
        expired += self.store.expire(row.series, row.ts)?;
        self.report.expired += expired;
        self.work.progress.done(expired);
        self.refusals.expired.insert(row.series, row.ts);
        Ok(())
    }

    /// Judges the rows that were refused alone.
    pub(super) fn judge(&mut self) -> Step {
        while let Some((batch, answer)) = self.refusals.suspects.pop() {
            if self.refusals.still_due(&batch).is_empty() {
                continue;
            }
            self.may_begin()?;
            self.try_known_good(&batch, &answer)?;
            self.refuse_again(batch)?;
        }
        Ok(())
    }

    /// Sends the row a second time; a second refusal rejects it.
    fn refuse_again(&mut self, row: Batch) -> Step {
        let ready = Arc::new(uncompressed(row));
        let again = self.ask(&ready)?;
        match again.outcome {
            Outcome::Split | Outcome::Failing => self.set_aside(&ready, &again),
            _ => self.handle(&ready, again, FAILURES_BEFORE_SPLIT),
        }
    }

    /// Sends a row alone that was refused among others. True if it is refused for this reason and rejected, in the same
    /// way as in [`Delivery::judge`].
    pub(super) fn prove(&mut self, row: &Batch, is_reason: impl Fn(&Answer) -> bool) -> Result<bool, Ended> {
        let Some(first) = self.refused_alone(row, &is_reason)? else { return Ok(false) };
        self.may_begin()?;
        self.try_known_good(row, &first)?;
        self.refuse_again(row.clone())?;
        Ok(row.rows().iter().all(|row| self.refusals.decided.contains(&row.id)))
    }

    /// The answer to the row alone, if it is a refusal for this reason. Any other answer is handled here.
    pub(super) fn refused_alone(
        &mut self,
        row: &Batch,
        is_reason: &impl Fn(&Answer) -> bool,
    ) -> Result<Option<Answer>, Ended> {
        self.may_begin()?;
        let ready = Arc::new(uncompressed(row.clone()));
        let answer = self.ask(&ready)?;
        if matches!(answer.outcome, Outcome::Split | Outcome::Failing) && is_reason(&answer) {
            self.store.note_answer(&self.receipt(&ready, &answer, ReceiptOutcome::Split))?;
            return Ok(Some(answer));
        }
        let is_taken = answer.outcome == Outcome::Stored;
        self.handle(&ready, answer, FAILURES_BEFORE_SPLIT)?;
        if is_taken {
            self.refusals.decided.extend(row.rows().iter().map(|row| row.id));
        }
        Ok(None)
    }

    /// Sends a known-good line. If it is not accepted now, the server is the cause and not the rows. The exception is
    /// the line of an earlier run: the column's type or the bucket's retention may have changed since, and then other
    /// lines are tried.
    pub(super) fn try_known_good(&mut self, suspect: &Batch, refusal: &Answer) -> Step {
        let bucket = suspect.bucket.as_deref();
        let (known, is_earlier) = match self.refusals.known_good.get(&suspect.bucket) {
            Some((_, line)) => (Some(line.clone()), false),
            None => (self.refusals.source.earlier(bucket)?, true),
        };
        let Some(line) = known else { return self.try_candidates(suspect, refusal) };
        let ready = Arc::new(uncompressed(line_alone(bucket, &line)));
        let answer = self.ask(&ready)?;
        match &answer.outcome {
            Outcome::Stored => self.was_good(&ready, &answer),
            Outcome::Split => {
                self.store.note_answer(&self.receipt(&ready, &answer, ReceiptOutcome::Split))?;
                if is_earlier && (answer.type_conflict().is_some() || answer.speaks_of_retention()) {
                    return self.try_candidates(suspect, refusal);
                }
                let text = answer.message;
                Err(Ended::Lane(LaneEnd::Held(format!(
                    "the server refuses a line that it took before, so no row is to blame: {text}"
                ))))
            }
            _ => Err(self.no_proof(&ready, answer)?),
        }
    }

    /// If no known-good line exists: tries the agent's own line, then a row of each other table.
    fn try_candidates(&mut self, suspect: &Batch, refusal: &Answer) -> Step {
        let table = suspect.rows().first().and_then(|row| self.refusals.table(row.series));
        for candidate in self.refusals.source.candidates(suspect.bucket.as_deref(), table)? {
            self.may_begin()?;
            let ready = Arc::new(uncompressed(candidate.batch));
            let answer = self.ask(&ready)?;
            match &answer.outcome {
                Outcome::Stored if candidate.is_row => return self.settle_one(&ready, answer),
                Outcome::Stored => {
                    self.refusals.learn(&ready.batch);
                    return self.was_good(&ready, &answer);
                }
                Outcome::Split => self.store.note_answer(&self.receipt(&ready, &answer, ReceiptOutcome::Split))?,
                _ => return Err(self.no_proof(&ready, answer)?),
            }
        }
        let text = &refusal.message;
        Err(Ended::Lane(match refusal.outcome {
            Outcome::Failing => LaneEnd::Failing(text.clone()),
            _ => {
                let advice = refusal.type_conflict().map(|conflict| format!("; {}", Cause::advice(&conflict)));
                LaneEnd::Held(format!(
                    "the server refuses every row and has accepted none, so it is not taken for the rows' fault: {text}{}",
                    advice.unwrap_or_default()
                ))
            }
        }))
    }

    fn was_good(&mut self, ready: &Arc<Ready>, answer: &Answer) -> Step {
        self.store.note_answer(&self.receipt(ready, answer, ReceiptOutcome::KnownGood))?;
        self.pace.succeeded(ready.batch.bucket.as_deref());
        Ok(())
    }

    /// Handles an answer that neither accepts nor refuses a line that should be good.
    fn no_proof(&mut self, ready: &Arc<Ready>, answer: Answer) -> Result<Ended, Ended> {
        self.store.note_answer(&self.receipt(ready, &answer, super::outcome_of(&answer)))?;
        Ok(match &answer.outcome {
            Outcome::Held { fix } => held(fix, &answer),
            Outcome::Failing => Ended::Lane(LaneEnd::Failing(answer.message)),
            _ => Ended::Stop(Stop::Unreachable(answer.message)),
        })
    }

    /// Rejects the row: it leaves `pending`, with its line and the server's message.
    fn set_aside(&mut self, ready: &Ready, answer: &Answer) -> Step {
        let [row] = ready.batch.rows() else { return Ok(()) };
        let mark = Mark::new(row.series, row.id, row.version, row.ts);
        let line = String::from_utf8_lossy(ready.batch.lines());
        let marked =
            self.store.reject_row(&self.receipt(ready, answer, ReceiptOutcome::Rejected), &mark, line.trim_end())?;
        tracing::warn!("a row was refused and set aside: {} ({})", answer.message, line.trim_end());
        self.report.rejected += marked;
        self.work.progress.done(1);
        self.refusals.decided.insert(row.id);
        if let Some(conflict) = answer.type_conflict() {
            let table = self.refusals.table(row.series).map(str::to_owned);
            self.refusals.cause(ready.batch.bucket.as_deref(), &conflict).proven(table, marked);
            return Ok(());
        }
        if let Some(table) = self.refusals.count_unexplained(row.series) {
            self.stopped_by_lane(StoppedBy::Refusals);
            self.note(format!(
                "{MOST_REFUSALS} rows of table \"{table}\" were refused in one run; its other rows stay pending. See \
                 `fluxtower rejected`"
            ));
        }
        Ok(())
    }
}

/// Uncompressed, because one or two lines gain nothing from compression.
fn uncompressed(batch: Batch) -> Ready {
    Ready::new(batch, false, false)
}
