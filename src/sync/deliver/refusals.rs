//! Rows that a server refuses: found by halving, judged one by one.
//!
//! A row is set aside only if it was refused alone, a line that the bucket took before was then taken again, and the row
//! was refused once more (I6). A row refused because of the bucket's retention is expired, and so is everything of its
//! series before it: the search goes for the newest such row, or a long backlog would cost two requests a row.

use std::collections::HashMap;
use std::sync::Arc;

use super::{Delivery, Ended, FAILURES_BEFORE_SPLIT, Ready, Step, Stop, held};
use crate::destination::{Answer, Outcome};
use crate::store::{Mark, State};
use crate::sync::SyncError;
use crate::sync::batch::Batch;
use crate::time::Timestamp;

/// More refusals than this in one run are hardly single bad rows; the others wait for a person.
const MOST_REFUSALS: u64 = 64;
/// So many refused rows are not pursued further before they are judged: it may be the server.
const MOST_SUSPECTS: usize = 16;
/// InfluxDB takes no shorter retention.
const SHORTEST_RETENTION_NANOS: i64 = 3_600 * 1_000_000_000;
/// Within a batch that failed again and again, each part is known to be in question: halving it costs less than waiting.
const FAILURES_OF_A_PART: u32 = 1;

/// Finds a line that the bucket took in an earlier run.
pub(in crate::sync) type Earlier<'a> = dyn Fn(Option<&str>) -> Result<Option<Vec<u8>>, SyncError> + 'a;

/// What a run has learnt about what a server takes.
pub(super) struct Refusals<'a> {
    earlier: &'a Earlier<'a>,
    /// The newest line that each bucket took; an old one may have passed the bucket's retention since.
    known_good: HashMap<Option<String>, (Timestamp, Vec<u8>)>,
    /// Rows refused alone, with the server's answer.
    suspects: Vec<(Batch, Answer)>,
    /// By series: the newest row that was refused because of retention.
    expired: HashMap<i64, Timestamp>,
}

impl<'a> Refusals<'a> {
    pub(super) fn new(earlier: &'a Earlier<'a>) -> Refusals<'a> {
        Refusals { earlier, known_good: HashMap::new(), suspects: Vec::new(), expired: HashMap::new() }
    }

    /// The server took the batch.
    pub(super) fn learn(&mut self, batch: &Batch) {
        let Some(last) = batch.rows().last() else { return };
        if self.known_good.get(&batch.bucket).is_none_or(|(newest, _)| *newest <= last.ts) {
            self.known_good.insert(batch.bucket.clone(), (last.ts, batch.last_line().to_vec()));
        }
    }

    /// What of the batch still has to be sent.
    pub(super) fn without_expired(&self, batch: &Batch) -> Batch {
        batch.retain(|row| self.expired.get(&row.series).is_none_or(|newest| row.ts > *newest))
    }
}

impl Delivery<'_> {
    /// The batch is refused. Its halves are delivered apart; a single row is suspected.
    pub(super) fn split(&mut self, ready: &Arc<Ready>, answer: Answer) -> Step {
        if let [_] = ready.batch.rows() {
            return self.suspect(ready, answer);
        }
        let (older, newer) = ready.batch.halves();
        let is_retention = answer.speaks_of_retention();
        let failing = answer.outcome == Outcome::Failing;
        let parts = if is_retention { [newer, older] } else { [older, newer] };
        for part in parts {
            let patience = if failing && part.rows().len() > 1 { FAILURES_OF_A_PART } else { FAILURES_BEFORE_SPLIT };
            self.deliver(&part, !ready.gzip.is_empty(), patience)?;
        }
        Ok(())
    }

    fn suspect(&mut self, ready: &Arc<Ready>, answer: Answer) -> Step {
        if answer.speaks_of_retention() && self.can_be_expired(ready, &answer) {
            return self.expire(ready, &answer);
        }
        self.refusals.suspects.push((ready.batch.clone(), answer));
        if self.refusals.suspects.len() >= MOST_SUSPECTS { self.judge() } else { Ok(()) }
    }

    /// A row too far in the future is refused in the same words (InfluxDB 1.12 and 2.8: "retention policy … violates a
    /// Write Window Upper Bound").
    fn can_be_expired(&self, ready: &Ready, answer: &Answer) -> bool {
        let now = answer.server_time.map_or_else(|| self.now(), Timestamp::from_utc);
        ready.batch.rows().iter().all(|row| row.ts.0 < now.0.saturating_sub(SHORTEST_RETENTION_NANOS))
    }

    /// The bucket does not keep this row, nor any older one.
    fn expire(&mut self, ready: &Ready, answer: &Answer) -> Step {
        let [row] = ready.batch.rows() else { return Ok(()) };
        let receipt = self.receipt(ready, answer, "expired");
        let mut expired = self.store.mark(&receipt, State::Expired, &ready.batch.marks())?;
        expired += self.store.expire(row.series, row.ts)?;
        self.report.expired += expired;
        self.progress.done(expired);
        self.refusals.expired.insert(row.series, row.ts);
        Ok(())
    }

    /// Decides about rows refused alone.
    pub(super) fn judge(&mut self) -> Step {
        while let Some((batch, answer)) = self.refusals.suspects.pop() {
            self.may_begin()?;
            self.try_known_good(&batch, &answer)?;
            let ready = Arc::new(uncompressed(batch));
            self.post(&ready)?;
            let again = self.courier.answer()?;
            match again.outcome {
                Outcome::Split | Outcome::Failing => self.set_aside(&ready, &again)?,
                _ => self.trouble(&ready, again, FAILURES_BEFORE_SPLIT)?,
            }
        }
        Ok(())
    }

    /// Sends a line that the bucket took before. If it is not taken now, it is the server and not the rows.
    fn try_known_good(&mut self, suspect: &Batch, refusal: &Answer) -> Step {
        let known = match self.refusals.known_good.get(&suspect.bucket) {
            Some((_, line)) => Some(line.clone()),
            None => (self.refusals.earlier)(suspect.bucket.as_deref())?,
        };
        let Some(line) = known else {
            let words = &refusal.words;
            return Err(Ended::Stop(match refusal.outcome {
                Outcome::Failing => Stop::Unreachable(words.clone()),
                _ => Stop::Held(format!(
                    "the server refuses every row and has accepted none, so it is not taken for the rows' fault: {words}"
                )),
            }));
        };
        let mut canary = Batch::new(suspect.bucket.clone());
        let pushed: Result<(), SyncError> = canary.push((0, 0, 0, Timestamp(0)), |out| {
            out.extend_from_slice(&line);
            Ok(())
        });
        pushed?;
        let ready = Arc::new(uncompressed(canary));
        self.post(&ready)?;
        let answer = self.courier.answer()?;
        match &answer.outcome {
            Outcome::Stored => {
                self.store.note_answer(&self.receipt(&ready, &answer, "known good"))?;
                self.pace.succeeded();
                Ok(())
            }
            Outcome::Retry { .. } | Outcome::Failing => Err(Ended::Stop(Stop::Unreachable(answer.words))),
            Outcome::Held { mend } => Err(held(mend, &answer)),
            Outcome::Split => {
                let words = answer.words;
                Err(Ended::Stop(Stop::Held(format!(
                    "the server refuses a line that it took before, so no row is to blame: {words}"
                ))))
            }
        }
    }

    /// The row stays refused: it leaves `pending`, with its line and the server's words.
    fn set_aside(&mut self, ready: &Ready, answer: &Answer) -> Step {
        let [row] = ready.batch.rows() else { return Ok(()) };
        let mark = Mark::new(row.series, row.id, row.version, row.ts);
        let line = String::from_utf8_lossy(ready.batch.lines());
        let marked = self.store.reject_row(&self.receipt(ready, answer, "rejected"), &mark, line.trim_end())?;
        tracing::warn!("a row was refused and set aside: {} ({})", answer.words, line.trim_end());
        self.report.rejected += marked;
        self.progress.done(1);
        if self.report.rejected >= MOST_REFUSALS {
            let note =
                format!("{MOST_REFUSALS} rows were refused in one run; the others wait. See `fluxtower rejected`");
            return Err(Ended::Stop(Stop::Refusals(note)));
        }
        Ok(())
    }
}

/// A line or two: nothing to gain from compressing them.
fn uncompressed(batch: Batch) -> Ready {
    Ready { batch, gzip: Vec::new() }
}
