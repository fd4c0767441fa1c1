//! Which record numbers of a table have been seen.
//!
//! A logger counts RECORD from 0 in each table and starts again when the table is reset. A missing number is lost data; a
//! missing stretch of time is not (event tables, logger off). The store therefore keeps unbroken runs of numbers, by epoch
//! between resets. A jump is the gap between two runs, and rows that arrive late (an export, a backup file) close it. A clock
//! that steps back does not break a run.

use std::collections::BTreeSet;

use crate::time::Timestamp;

/// An unbroken run of record numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Run {
    /// Number of resets before this run, in the order in which they were found.
    pub epoch: i64,
    /// Lowest record number.
    pub first: i64,
    /// Highest record number.
    pub last: i64,
    /// Time of the lowest.
    pub first_ts: Timestamp,
    /// Time of the highest.
    pub last_ts: Timestamp,
}

/// A change of the counter or the clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventKind {
    /// RECORD started again.
    Reset,
    /// The next record carries the same or an earlier time.
    Step,
}

/// An event between two consecutive rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClockEvent {
    /// Its kind.
    pub kind: EventKind,
    /// The row before.
    pub before: (i64, Timestamp),
    /// The row after.
    pub after: (i64, Timestamp),
}

/// Record numbers that were never seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gap {
    /// Whether the counter started again inside the gap: the records from 0 are then missing.
    pub after_reset: bool,
    /// Record number and time of the row before; none where the counter started again.
    pub before: Option<(i64, Timestamp)>,
    /// Record number and time of the row after.
    pub after: (i64, Timestamp),
    /// The count of missing numbers.
    pub missing: i64,
}

/// The runs of one table, and the changes since they were last saved.
#[derive(Debug, Default)]
pub struct RecordRuns {
    /// Sorted by epoch, then by record number.
    runs: Vec<Run>,
    /// Index of the run of the latest record: nearly always the next record extends it.
    current: usize,
    changed: BTreeSet<(i64, i64)>,
    gone: BTreeSet<(i64, i64)>,
}

impl RecordRuns {
    /// From saved runs, sorted by epoch and record number.
    pub fn new(runs: Vec<Run>) -> RecordRuns {
        RecordRuns { current: runs.len().saturating_sub(1), runs, changed: BTreeSet::new(), gone: BTreeSet::new() }
    }

    /// The runs, sorted by epoch and record number.
    pub fn runs(&self) -> &[Run] {
        &self.runs
    }

    /// Runs to write and keys of runs to delete since the last call.
    pub(in crate::store) fn take_changes(&mut self) -> (Vec<Run>, Vec<(i64, i64)>) {
        let changed = std::mem::take(&mut self.changed);
        let written = self.runs.iter().filter(|run| changed.contains(&(run.epoch, run.first))).copied().collect();
        (written, std::mem::take(&mut self.gone).into_iter().filter(|key| !changed.contains(key)).collect())
    }

    /// Whether there is anything to save.
    pub(in crate::store) fn is_changed(&self) -> bool {
        !self.changed.is_empty() || !self.gone.is_empty()
    }

    /// Time of the last record below `record`, in the newest epoch.
    pub fn time_before(&self, record: i64) -> Option<Timestamp> {
        let newest = self.runs.last()?.epoch;
        self.runs
            .iter()
            .rev()
            .take_while(|run| run.epoch == newest)
            .find(|run| run.last < record)
            .map(|run| run.last_ts)
    }

    /// Adds the record number and time of a row. Returns the event that it shows, if any.
    #[inline]
    pub fn see(&mut self, record: i64, ts: Timestamp) -> Option<ClockEvent> {
        if let Some(run) = self.runs.get(self.current)
            && record == run.last + 1
            && self.runs.get(self.current + 1).is_none_or(|next| {
                // A later row that continues the count of an older run belongs to a newer epoch.
                ts < next.first_ts && (next.epoch != run.epoch || next.first > record + 1)
            })
            && ts >= run.first_ts
        {
            return self.extend(record, ts);
        }
        self.see_elsewhere(record, ts)
    }

    fn extend(&mut self, record: i64, ts: Timestamp) -> Option<ClockEvent> {
        let run = &mut self.runs[self.current];
        let before = (run.last, run.last_ts);
        run.last = record;
        run.last_ts = ts;
        // The key does not change, so one mark is enough.
        if self.changed.is_empty() || !self.changed.contains(&(run.epoch, run.first)) {
            self.changed.insert((run.epoch, run.first));
        }
        (ts <= before.1).then_some(ClockEvent { kind: EventKind::Step, before, after: (record, ts) })
    }

    #[cold]
    fn see_elsewhere(&mut self, record: i64, ts: Timestamp) -> Option<ClockEvent> {
        let mut epochs: Vec<i64> = self.runs.iter().map(|run| run.epoch).collect();
        epochs.dedup();
        for &epoch in epochs.iter().rev() {
            if let Some(place) = self.place_in(epoch, record, ts) {
                return self.insert(epoch, record, ts, place);
            }
        }
        let epoch = epochs.last().map_or(0, |last| last + 1);
        let before = self
            .runs
            .iter()
            .filter(|run| run.first_ts < ts)
            .max_by_key(|run| run.last_ts)
            .map(|run| (run.last, run.last_ts));
        let run = Run { epoch, first: record, last: record, first_ts: ts, last_ts: ts };
        self.runs.push(run);
        self.current = self.runs.len() - 1;
        self.mark(epoch, record);
        let before = before.filter(|before| before.0 >= record && before.1 < ts)?;
        Some(ClockEvent { kind: EventKind::Reset, before, after: (record, ts) })
    }

    /// Index of the first run of `epoch` that begins after `record`, if the times allow the row to be before it.
    fn place_in(&self, epoch: i64, record: i64, ts: Timestamp) -> Option<usize> {
        let start = self.runs.partition_point(|run| run.epoch < epoch);
        let end = self.runs.partition_point(|run| run.epoch <= epoch);
        let after = start + self.runs[start..end].partition_point(|run| run.first <= record);
        let others = || self.runs[..start].iter().chain(&self.runs[end..]);
        if after == start {
            // Rows of an older epoch have low numbers too; runs between the two tell them apart.
            let head = self.runs.get(start)?.first_ts;
            let follows = ts < head && !others().any(|run| ts < run.first_ts && run.first_ts < head);
            return follows.then_some(after);
        }
        let before = &self.runs[after - 1];
        if record <= before.last {
            // Seen before: the row is a duplicate or a conflict, or belongs to another epoch.
            return (before.first_ts <= ts && ts <= before.last_ts).then_some(after);
        }
        let fits = if after < end {
            before.last_ts < ts && ts < self.runs[after].first_ts
        } else if after == self.runs.len() && ts <= before.last_ts {
            // Lost rows may hide a step back of the clock.
            self.runs[start].first_ts <= ts
        } else {
            // An epoch does not continue after rows of a later one.
            before.last_ts < ts && !others().any(|run| before.last_ts < run.last_ts && run.last_ts < ts)
        };
        fits.then_some(after)
    }

    fn insert(&mut self, epoch: i64, record: i64, ts: Timestamp, after: usize) -> Option<ClockEvent> {
        let same_epoch = |run: &&Run| run.epoch == epoch;
        let before = after.checked_sub(1).and_then(|at| self.runs.get(at)).filter(same_epoch).copied();
        let next = self.runs.get(after).filter(same_epoch).copied();
        if before.is_some_and(|run| record <= run.last) {
            return None;
        }
        let joins_before = before.is_some_and(|run| run.last + 1 == record);
        let joins_next = next.is_some_and(|run| record + 1 == run.first);
        match (joins_before, joins_next) {
            (true, joins_next) => {
                self.current = after - 1;
                let event = self.extend(record, ts);
                if joins_next && let Some(next) = next {
                    self.runs[after - 1].last = next.last;
                    self.runs[after - 1].last_ts = next.last_ts;
                    self.runs.remove(after);
                    self.drop_key(epoch, next.first);
                }
                return event;
            }
            (false, true) => {
                self.drop_key(epoch, record + 1);
                self.runs[after].first = record;
                self.runs[after].first_ts = ts;
            }
            (false, false) => {
                self.runs.insert(after, Run { epoch, first: record, last: record, first_ts: ts, last_ts: ts });
            }
        }
        self.current = after;
        self.mark(epoch, record);
        let stepped = before.filter(|before| next.is_none() && ts <= before.last_ts)?;
        Some(ClockEvent { kind: EventKind::Step, before: (stepped.last, stepped.last_ts), after: (record, ts) })
    }

    fn mark(&mut self, epoch: i64, first: i64) {
        self.gone.remove(&(epoch, first));
        self.changed.insert((epoch, first));
    }

    fn drop_key(&mut self, epoch: i64, first: i64) {
        self.changed.remove(&(epoch, first));
        self.gone.insert((epoch, first));
    }

    /// The gaps, oldest first.
    pub fn gaps(&self) -> Vec<Gap> {
        let mut gaps: Vec<Gap> = Vec::new();
        for pair in self.runs.windows(2).filter(|pair| pair[0].epoch == pair[1].epoch) {
            gaps.push(Gap {
                after_reset: false,
                before: Some((pair[0].last, pair[0].last_ts)),
                after: (pair[1].first, pair[1].first_ts),
                missing: pair[1].first - pair[0].last - 1,
            });
        }
        // The first epoch begins when the site starts to use fluxtower; each other epoch begins with a reset, which counts from 0.
        let mut heads: Vec<&Run> = Vec::new();
        for run in &self.runs {
            if heads.last().is_none_or(|head| head.epoch != run.epoch) {
                heads.push(run);
            }
        }
        let oldest = heads.iter().map(|run| run.first_ts).min();
        for head in heads.iter().filter(|head| head.first > 0 && Some(head.first_ts) != oldest) {
            let before = self.runs.iter().filter(|run| run.last_ts < head.first_ts).max_by_key(|run| run.last_ts);
            // A counter that fell back a little did not start again (seen at a CR3000: 27650, then 27595).
            let slipped =
                before.is_some_and(|run| (run.last - head.first).unsigned_abs() < head.first.unsigned_abs() / 10);
            if !slipped {
                gaps.push(Gap {
                    after_reset: true,
                    before: None,
                    after: (head.first, head.first_ts),
                    missing: head.first,
                });
            }
        }
        gaps.sort_by_key(|gap| gap.after.1);
        gaps
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn seen(rows: &[(i64, i64)]) -> (RecordRuns, Vec<ClockEvent>) {
        let mut runs = RecordRuns::default();
        let events = rows.iter().filter_map(|&(record, ts)| runs.see(record, Timestamp::from_nanos(ts))).collect();
        (runs, events)
    }

    fn missing(rows: &[(i64, i64)]) -> Vec<i64> {
        seen(rows).0.gaps().iter().map(|gap| gap.missing).collect()
    }

    #[test]
    fn an_unbroken_count_has_no_gap() {
        let (runs, events) = seen(&[(5, 50), (6, 60), (7, 70)]);
        assert_eq!((runs.gaps().len(), events.len(), runs.runs().len()), (0, 0, 1));
    }

    #[test]
    fn a_jump_is_a_gap_that_late_rows_close() {
        assert_eq!(missing(&[(0, 0), (1, 10), (5, 50)]), [3]);
        assert_eq!(missing(&[(0, 0), (1, 10), (5, 50), (3, 30)]), [1, 1]);
        assert_eq!(missing(&[(0, 0), (1, 10), (5, 50), (3, 30), (2, 20), (4, 40)]), [0; 0]);
    }

    #[test]
    fn a_reset_to_zero_loses_nothing() {
        let (runs, events) = seen(&[(100, 0), (101, 10), (0, 20), (1, 30)]);
        assert!(runs.gaps().is_empty());
        assert_eq!(
            events,
            [ClockEvent {
                kind: EventKind::Reset,
                before: (101, Timestamp::from_nanos(10)),
                after: (0, Timestamp::from_nanos(20))
            }]
        );
    }

    #[test]
    fn records_lost_after_a_reset_are_a_gap() {
        let (runs, events) = seen(&[(100, 0), (101, 10), (4, 20)]);
        assert_eq!(
            runs.gaps(),
            [Gap { after_reset: true, before: None, after: (4, Timestamp::from_nanos(20)), missing: 4 }]
        );
        assert_eq!(events[0].kind, EventKind::Reset);
    }

    #[test]
    fn a_counter_that_falls_back_a_little_has_lost_nothing() {
        let (runs, events) = seen(&[(27_649, 0), (27_650, 10), (27_595, 20), (27_596, 30)]);
        assert!(runs.gaps().is_empty());
        assert_eq!(events.len(), 1);
    }

    #[test]
    fn a_step_back_of_the_clock_is_no_gap_and_no_reset() {
        let (runs, events) = seen(&[(10, 1000), (11, 1100), (12, 1050), (13, 1150)]);
        assert!(runs.gaps().is_empty());
        assert_eq!(runs.runs().len(), 1);
        assert_eq!(
            events,
            [ClockEvent {
                kind: EventKind::Step,
                before: (11, Timestamp::from_nanos(1100)),
                after: (12, Timestamp::from_nanos(1050))
            }]
        );
    }

    #[test]
    fn an_older_export_joins_the_epoch_it_belongs_to() {
        assert_eq!(missing(&[(50, 500), (51, 510), (48, 480), (49, 490)]), [0; 0]);
        // Two epochs; the export is of the first.
        assert_eq!(missing(&[(0, 0), (1, 10), (5, 50), (0, 60), (1, 70), (2, 20), (3, 30), (4, 40)]), [0; 0]);
    }

    #[test]
    fn a_late_row_of_an_older_epoch_does_not_slip_in_front_of_a_newer_one() {
        assert_eq!(missing(&[(5, 50), (20, 200), (7, 300), (3, 30)]), [1, 14, 7]);
    }

    #[test]
    fn an_epoch_does_not_go_on_behind_a_later_one() {
        assert_eq!(missing(&[(4, 40), (5, 50), (0, 60), (9, 150), (7, 200)]), [8, 7]);
    }

    #[test]
    fn a_row_that_counts_on_from_an_older_run_stays_in_its_own_epoch() {
        assert_eq!(missing(&[(3, 30), (5, 50), (0, 60), (1, 70), (4, 40), (6, 120)]), [4]);
    }

    proptest! {
        #[test]
        fn any_order_of_the_same_rows_leaves_the_same_holes(kept in proptest::collection::btree_set(0i64..60, 2..40), swaps in proptest::collection::vec((0usize..40, 0usize..40), 0..40)) {
            let mut rows: Vec<i64> = kept.iter().copied().collect();
            let length = rows.len();
            for (a, b) in swaps {
                rows.swap(a % length, b % length);
            }
            let (runs, _) = seen(&rows.iter().map(|&record| (record, record * 10)).collect::<Vec<_>>());
            let (low, high) = (*kept.first().unwrap(), *kept.last().unwrap());
            let absent = (low..=high).filter(|record| !kept.contains(record)).count();
            prop_assert_eq!(runs.gaps().iter().map(|gap| gap.missing).sum::<i64>(), i64::try_from(absent).unwrap());
        }
    }
}
