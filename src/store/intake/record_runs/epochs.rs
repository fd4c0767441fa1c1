//! Decides which epoch of the counter a row can belong to. Nothing is changed here.
//!
//! A row has a record number and a time, and several epochs may have the number. Only the epochs with a run next to the
//! row's time are asked, and the newest one, so that a row costs a few look-ups however often the counter started again.

use std::collections::BTreeSet;

use super::{LAST_KEY, RecordRuns, Run, RunKey};
use crate::time::Timestamp;

/// Runs looked at for one of another epoch. Between two times stand more than a few only where the clock stepped often.
const LOOK_BACK: usize = 64;

impl RecordRuns {
    /// Epochs with a run that ends or begins next to a time, and the newest one: the newest first, each once.
    pub(super) fn epochs_near(&self, ts: Timestamp) -> [Option<i64>; 5] {
        let epoch = |found: Option<&(Timestamp, RunKey)>| found.map(|(_, key)| key.0);
        let mut epochs = [
            self.runs.last_key_value().map(|(key, _)| key.0),
            epoch(self.by_last.last()),
            epoch(self.by_first.range(..=(ts, LAST_KEY)).next_back()),
            epoch(self.by_first.range((ts, LAST_KEY)..).next()),
            epoch(self.by_last.range(..(ts, (i64::MIN, i64::MIN))).next_back()),
        ];
        epochs.sort_unstable_by_key(|epoch| std::cmp::Reverse(*epoch));
        for at in 1..epochs.len() {
            if epochs[at] == epochs[at - 1] || epochs[..at].contains(&epochs[at]) {
                epochs[at] = None;
            }
        }
        epochs
    }

    /// The run that has a row which was read before; where several have its record number, the one that has its time too.
    pub(super) fn run_of(&self, (record, ts): (i64, Timestamp)) -> Option<Run> {
        let near = self.epochs_near(ts).into_iter().flatten();
        let mut having = near.filter_map(|epoch| self.before(epoch, record)).filter(|run| record <= run.last);
        let first = having.next()?;
        let at_its_time = [first].into_iter().chain(having).find(|run| run.has_at(record, ts));
        at_its_time.or_else(|| (!first.stands_still()).then_some(first)).filter(|run| !run.stands_still())
    }

    /// The last run of the epoch that begins at or before a record.
    pub(super) fn before(&self, epoch: i64, record: i64) -> Option<Run> {
        self.runs.range((epoch, i64::MIN)..=(epoch, record)).next_back().map(|(_, run)| *run)
    }

    /// The first run of the epoch that begins after a record.
    pub(super) fn next(&self, epoch: i64, record: i64) -> Option<Run> {
        let from = record.checked_add(1)?;
        self.runs.range((epoch, from)..=(epoch, i64::MAX)).next().map(|(_, run)| *run)
    }

    /// Whether a row can be of the epoch, by record number and time.
    pub(super) fn fits(&self, epoch: i64, record: i64, ts: Timestamp) -> bool {
        let (before, next) = (self.before(epoch, record), self.next(epoch, record));
        let Some(before) = before else {
            // Rows of an older epoch have low numbers too; runs between the two tell them apart.
            return next.is_some_and(|head| {
                ts < head.first_ts
                    && !is_other_within(&self.by_first, (ts, head.first_ts), epoch)
                    && (record + 1 == head.first || self.begins_behind_known_rows(&head))
            });
        };
        if record <= before.last {
            // Seen before: the row is a duplicate or a conflict, or belongs to another epoch.
            return before.has_at(record, ts);
        }
        if before.stands_still() {
            return false;
        }
        if let Some(next) = next {
            // Equal times: rows that share a stamp.
            return before.last_ts <= ts && ts <= next.first_ts;
        }
        if ts <= before.last_ts && self.is_newest(epoch) {
            // Lost rows may hide a step back of the clock.
            return self.next(epoch, i64::MIN).is_some_and(|head| head.first_ts <= ts);
        }
        // An epoch does not continue after rows of a later one.
        before.last_ts < ts && !is_other_within(&self.by_last, (before.last_ts, ts), epoch)
    }

    /// Whether a record is the next one of the newest epoch.
    pub(super) fn counts_on(&self, epoch: i64, record: i64) -> bool {
        let last = self.before(epoch, i64::MAX);
        self.is_newest(epoch) && last.is_some_and(|run| !run.stands_still() && run.last.checked_add(1) == Some(record))
    }

    /// Whether the epoch was opened last, or has the latest row.
    fn is_newest(&self, epoch: i64) -> bool {
        let opened = self.runs.last_key_value().map(|(key, _)| key.0);
        opened == Some(epoch) || self.by_last.last().map(|(_, key)| key.0) == Some(epoch)
    }

    /// Whether rows from before this epoch's first run were known when it was opened: the counter started again, and the
    /// records from 0 to the first one are missing. Before the first record that was ever read, nothing is.
    fn begins_behind_known_rows(&self, head: &Run) -> bool {
        let before = self.by_last.range(..(head.first_ts, (i64::MIN, i64::MIN))).rev();
        before.take(LOOK_BACK).any(|(_, key)| key.0 < head.epoch)
    }
}

/// Whether a run of another epoch has a time between the two.
fn is_other_within(times: &BTreeSet<(Timestamp, RunKey)>, (from, to): (Timestamp, Timestamp), epoch: i64) -> bool {
    let within = times.range((from, LAST_KEY)..(to, (i64::MIN, i64::MIN)));
    within.take(LOOK_BACK).any(|(_, key)| key.0 != epoch)
}
