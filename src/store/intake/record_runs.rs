//! Keeps which record numbers of a table have been seen.
//!
//! A logger counts RECORD from 0 in each table and starts again when the table is reset. A missing number is lost data;
//! a missing span of time is not (event tables, logger off). So the store keeps runs of consecutive numbers, grouped
//! into epochs between resets. A jump is the gap between two runs, and rows that arrive late (an export, a backup file)
//! close it.
//!
//! Rows follow each other in the order in which they are read, not in the order of their times: a clock that steps
//! back, even to before the oldest known row, does not break a run. A row that is older than the first row ever read
//! opens an epoch of its own, because nothing before that first record is missing. If the number never changes, the run
//! has one number and two times: such rows do not show whether records are missing ([`crate::store::Uncounted`]).

use std::collections::{BTreeMap, BTreeSet};

use crate::time::Timestamp;

mod beside;
mod epochs;
mod saved;

pub(in crate::store) use saved::{all_runs, beside_runs, record_runs, save};

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
    /// The next record carries an earlier time.
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
///
/// Each row costs at most a few look-ups in ordered maps, however many runs and epochs there are.
#[derive(Debug, Default)]
pub struct RecordRuns {
    /// By epoch and lowest record number. The open run is as it was when it was opened.
    runs: BTreeMap<RunKey, Run>,
    /// The runs by the time of their lowest record.
    by_first: BTreeSet<(Timestamp, RunKey)>,
    /// The runs by the time of their highest record, without the open one.
    by_last: BTreeSet<(Timestamp, RunKey)>,
    /// The run of the latest record: nearly always the next record extends it.
    open: Option<Open>,
    /// The row before this one in the file that is being read.
    previous: Option<(i64, Timestamp)>,
    /// The last record of which only the time was refused, and the row before it.
    refused: Option<(i64, (i64, Timestamp))>,
    /// Numbers of contents that are kept beside rows and do not go on with the count, by the lowest.
    beside: BTreeMap<i64, Run>,
    changed: BTreeSet<RunKey>,
    gone: BTreeSet<RunKey>,
}

/// Epoch and lowest record number.
type RunKey = (i64, i64);

/// In place of an epoch: the runs of contents that are kept beside rows.
const BESIDE: i64 = -1;
/// Later than the key of each run.
const LAST_KEY: RunKey = (i64::MAX, i64::MAX);

/// A run that is being extended.
#[derive(Debug)]
struct Open {
    run: Run,
    /// Whether it is marked as changed.
    is_marked: bool,
    /// The first record number that the run cannot have without touching the next run of its epoch.
    record_limit: i64,
    /// A run of a later time begins here.
    until: Timestamp,
}

impl Run {
    fn key(&self) -> RunKey {
        (self.epoch, self.first)
    }

    /// Whether several rows have this one record number: RECORD did not count between its times.
    pub fn stands_still(&self) -> bool {
        self.first == self.last && self.last_ts > self.first_ts
    }

    /// Whether it has this record at a time at which it can have it.
    fn has_at(&self, record: i64, ts: Timestamp) -> bool {
        self.first <= record && record <= self.last && self.first_ts <= ts && ts <= self.last_ts
    }
}

impl RecordRuns {
    /// From saved runs.
    pub fn new(saved: Vec<Run>) -> RecordRuns {
        let mut runs = RecordRuns::default();
        for run in saved {
            if run.epoch == BESIDE {
                runs.beside.insert(run.first, run);
            } else {
                runs.put(run);
            }
        }
        if let Some(&(_, key)) = runs.by_last.last() {
            runs.open_run(key);
        }
        runs
    }

    /// Whether no record number is known.
    pub fn is_empty(&self) -> bool {
        self.runs.is_empty() && self.beside.is_empty()
    }

    /// The runs of the epochs, sorted by epoch and record number.
    pub fn runs(&self) -> Vec<Run> {
        self.runs.values().map(|run| self.as_now(run)).collect()
    }

    /// The first and the last time of the newest epochs, the newest first, as rows have them.
    pub fn newest_epochs(&self, most: usize) -> Vec<(Timestamp, Timestamp)> {
        let runs = self.runs();
        let epochs = runs.chunk_by(|run, next| run.epoch == next.epoch).rev().take(most);
        let first = |runs: &[Run]| runs.iter().map(|run| run.first_ts).min();
        epochs.filter_map(|runs| first(runs).zip(runs.iter().map(|run| run.last_ts).max())).collect()
    }

    fn as_now(&self, run: &Run) -> Run {
        self.open.as_ref().filter(|open| open.run.key() == run.key()).map_or(*run, |open| open.run)
    }

    /// Runs to write and keys of runs to delete since the last call.
    fn take_changes(&mut self) -> (Vec<Run>, Vec<RunKey>) {
        if let Some(open) = &mut self.open {
            open.is_marked = false;
        }
        let changed = std::mem::take(&mut self.changed);
        let now = |key: &RunKey| match key.0 {
            BESIDE => self.beside.get(&key.1).copied(),
            _ => self.runs.get(key).map(|run| self.as_now(run)),
        };
        let written = changed.iter().filter_map(now).collect();
        (written, std::mem::take(&mut self.gone).into_iter().filter(|key| !changed.contains(key)).collect())
    }

    /// Whether there is anything to save.
    fn is_changed(&self) -> bool {
        !self.changed.is_empty() || !self.gone.is_empty()
    }

    /// Time of the last record below `record`, in the newest epoch.
    pub fn time_before(&self, record: i64) -> Option<Timestamp> {
        self.last_below(record).map(|below| below.1)
    }

    /// The last record below `record`, in the newest epoch, and its time.
    pub fn last_below(&self, record: i64) -> Option<(i64, Timestamp)> {
        let (&(newest, _), _) = self.runs.last_key_value()?;
        let below = self.runs.range((newest, i64::MIN)..(newest, record)).rev();
        below.map(|(_, run)| self.as_now(run)).find(|run| run.last < record).map(|run| (run.last, run.last_ts))
    }

    /// The next row is the first one that is read of its file.
    pub fn begin_file(&mut self) {
        self.previous = None;
    }

    /// The file has a row that is known already.
    #[inline]
    pub fn pass(&mut self, record: i64, ts: Timestamp) {
        self.previous = Some((record, ts));
    }

    /// Whether a record follows the one before it in the file, or the newest one of all.
    pub fn goes_on(&self, record: i64) -> bool {
        let follows = |before: (i64, Timestamp)| before.0.checked_add(1) == Some(record);
        self.open.as_ref().is_some_and(|open| follows((open.run.last, open.run.last_ts)))
            || self.previous.is_some_and(|previous| follows(previous) && self.run_of(previous).is_some())
    }

    /// Adds the record number of a line that is kept and whose time is refused: it is not missing, and the clock of the rows
    /// behind it is compared with that of the row before it, whose time it has here.
    #[cold]
    pub fn see_refused(&mut self, record: i64) {
        let newest = self.open.as_ref().map(|open| (open.run.last, open.run.last_ts));
        let newest = newest.filter(|newest| newest.0.checked_add(1) == Some(record));
        let Some(before) = self.previous.or(newest).filter(|before| before.0 < record) else { return };
        self.see(record, before.1);
        let row = self.refused.filter(|refused| refused.0 == before.0).map_or(before, |refused| refused.1);
        self.refused = Some((record, row));
    }

    /// The row of a line that was refused for its time: where its record was seen then, only the time is new. False where it was
    /// not seen.
    #[cold]
    pub fn settle(&mut self, record: i64, ts: Timestamp) -> bool {
        let Some((&(newest, _), _)) = self.runs.last_key_value() else { return false };
        let Some(run) = self.before(newest, record).map(|run| self.as_now(&run)) else { return false };
        let ends = self.next(newest, run.last).map_or(Timestamp::MAX, |next| next.first_ts);
        if record > run.last || run.stands_still() || ts < run.first_ts || ts > ends {
            return false;
        }
        if record == run.last && ts > run.last_ts {
            let was_open = self.close();
            self.remove(run.key());
            // One record alone has one time.
            let first_ts = if run.first == run.last { ts } else { run.first_ts };
            self.put(Run { first_ts, last_ts: ts, ..run });
            self.mark(run.key());
            was_open.into_iter().for_each(|key| self.open_run(key));
        }
        true
    }

    /// Adds the record number and time of a row. Returns the event that it shows, if any.
    #[inline]
    pub fn see(&mut self, record: i64, ts: Timestamp) -> Option<ClockEvent> {
        let event = self.see_row(record, ts)?;
        // A line whose time was refused has none that could be shown.
        let shown = self.refused.filter(|refused| refused.0 == event.before.0);
        Some(ClockEvent { before: shown.map_or(event.before, |refused| refused.1), ..event })
    }

    #[inline]
    fn see_row(&mut self, record: i64, ts: Timestamp) -> Option<ClockEvent> {
        let previous = self.previous.replace((record, ts));
        if let Some(open) = &mut self.open {
            let last = (open.run.last, open.run.last_ts);
            if last.0.checked_add(1) == Some(record)
                && record < open.record_limit
                && !open.run.stands_still()
                // A later row that continues the count of an older run belongs to a newer epoch.
                && (previous == Some(last) || ts < open.until && ts >= open.run.first_ts.min(last.1))
            {
                open.run.last = record;
                open.run.last_ts = ts;
                self.mark_open();
                return (ts < last.1).then_some(ClockEvent {
                    kind: EventKind::Step,
                    before: last,
                    after: (record, ts),
                });
            }
            if record == last.0 && open.run.first == record && ts > last.1 {
                open.run.last_ts = ts;
                self.mark_open();
                return None;
            }
        }
        self.see_elsewhere(record, ts, previous)
    }

    #[inline]
    fn mark_open(&mut self) {
        if let Some(open) = self.open.as_mut().filter(|open| !open.is_marked) {
            open.is_marked = true;
            let key = open.run.key();
            self.mark(key);
        }
    }

    #[cold]
    fn see_elsewhere(&mut self, record: i64, ts: Timestamp, previous: Option<(i64, Timestamp)>) -> Option<ClockEvent> {
        let was_open = self.close();
        let follows = previous.filter(|previous| previous.0.checked_add(1) == Some(record));
        if let Some(run) = follows.and_then(|previous| self.run_of(previous)) {
            // As read: the logger wrote the two rows one after the other, whatever its clock said.
            return self.insert(run.epoch, record, ts, was_open);
        }
        let epochs = self.epochs_near(ts);
        let near = || epochs.into_iter().flatten();
        let fitting = near().find(|epoch| self.fits(*epoch, record, ts));
        // The clock was set back to before the first row, between two files.
        if let Some(epoch) = fitting.or_else(|| near().find(|epoch| self.counts_on(*epoch, record))) {
            return self.insert(epoch, record, ts, was_open);
        }
        self.begin_epoch(record, ts).1
    }

    /// The row is of no known epoch: it begins one, with the event that it shows.
    fn begin_epoch(&mut self, record: i64, ts: Timestamp) -> (i64, Option<ClockEvent>) {
        let epoch = self.runs.last_key_value().map_or(0, |(key, _)| key.0 + 1);
        let before = self.by_first.range(..(ts, (i64::MIN, i64::MIN))).next_back();
        let before = before.and_then(|(_, key)| self.runs.get(key)).map(|run| (run.last, run.last_ts));
        self.put(Run { epoch, first: record, last: record, first_ts: ts, last_ts: ts });
        self.mark((epoch, record));
        self.open_run((epoch, record));
        let before = before.filter(|before| before.0 >= record && before.1 < ts);
        (epoch, before.map(|before| ClockEvent { kind: EventKind::Reset, before, after: (record, ts) }))
    }

    fn insert(&mut self, epoch: i64, record: i64, ts: Timestamp, was_open: Option<RunKey>) -> Option<ClockEvent> {
        let (before, next) = (self.before(epoch, record), self.next(epoch, record));
        if before.is_some_and(|run| record <= run.last) {
            was_open.into_iter().for_each(|key| self.open_run(key));
            return None;
        }
        let joins_next = next.filter(|run| record + 1 == run.first);
        if let Some(next) = joins_next {
            self.remove(next.key());
        }
        let (last, last_ts) = joins_next.map_or((record, ts), |next| (next.last, next.last_ts));
        let joined = before.filter(|run| run.last + 1 == record);
        let run = match joined {
            Some(before) => {
                self.remove(before.key());
                Run { last, last_ts, ..before }
            }
            None => Run { epoch, first: record, last, first_ts: ts, last_ts },
        };
        self.put(run);
        self.mark(run.key());
        self.open_run(run.key());
        // Behind a jump, only the newest rows tell of the clock: others come late.
        let before = before.filter(|before| ts < before.last_ts && (joined.is_some() || next.is_none()))?;
        Some(ClockEvent { kind: EventKind::Step, before: (before.last, before.last_ts), after: (record, ts) })
    }

    fn open_run(&mut self, key: RunKey) {
        let Some(&run) = self.runs.get(&key) else { return };
        self.by_last.remove(&(run.last_ts, key));
        let later = (run.first_ts.max(run.last_ts), LAST_KEY);
        self.open = Some(Open {
            run,
            is_marked: false,
            // A run that the next record would join is joined in `insert`.
            record_limit: self.next(run.epoch, run.last).map_or(i64::MAX, |next| next.first - 1),
            until: self.by_first.range(later..).next().map_or(Timestamp::MAX, |(first, _)| *first),
        });
    }

    fn close(&mut self) -> Option<RunKey> {
        let Open { run, .. } = self.open.take()?;
        self.by_last.insert((run.last_ts, run.key()));
        self.runs.insert(run.key(), run);
        Some(run.key())
    }

    fn put(&mut self, run: Run) {
        self.by_first.insert((run.first_ts, run.key()));
        self.by_last.insert((run.last_ts, run.key()));
        self.runs.insert(run.key(), run);
    }

    fn remove(&mut self, key: RunKey) {
        if let Some(run) = self.runs.remove(&key) {
            self.by_first.remove(&(run.first_ts, key));
            self.by_last.remove(&(run.last_ts, key));
            self.changed.remove(&key);
            self.gone.insert(key);
        }
    }

    fn mark(&mut self, key: RunKey) {
        self.gone.remove(&key);
        self.changed.insert(key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::intake::record_gaps::gaps;
    use proptest::prelude::*;

    fn seen(rows: &[(i64, i64)]) -> (RecordRuns, Vec<ClockEvent>) {
        let mut runs = RecordRuns::default();
        let events = rows.iter().filter_map(|&(record, ts)| runs.see(record, Timestamp::from_nanos(ts))).collect();
        (runs, events)
    }

    fn missing(rows: &[(i64, i64)]) -> Vec<i64> {
        gaps(&seen(rows).0.runs()).iter().map(|gap| gap.missing).collect()
    }

    #[test]
    fn an_unbroken_count_has_no_gap() {
        let (runs, events) = seen(&[(5, 50), (6, 60), (7, 70)]);
        assert_eq!((gaps(&runs.runs()).len(), events.len(), runs.runs().len()), (0, 0, 1));
    }

    #[test]
    fn a_jump_is_a_gap_that_late_rows_close() {
        assert_eq!(missing(&[(0, 0), (1, 10), (5, 50)]), [3]);
        assert_eq!(missing(&[(0, 0), (1, 10), (5, 50), (3, 30)]), [1, 1]);
        assert_eq!(missing(&[(0, 0), (1, 10), (5, 50), (3, 30), (2, 20), (4, 40)]), [0; 0]);
    }

    #[test]
    fn a_record_whose_time_is_refused_is_not_missing_and_hides_no_step_of_the_clock() {
        let mut runs = RecordRuns::default();
        let at = Timestamp::from_nanos;
        assert_eq!(runs.see(0, at(1_000)), None);
        runs.see_refused(1);
        runs.see_refused(2);
        let step = ClockEvent { kind: EventKind::Step, before: (0, at(1_000)), after: (3, at(20)) };
        assert_eq!(runs.see(3, at(20)), Some(step));
        assert_eq!(runs.see(4, at(1_400)), None);
        runs.see_refused(7);
        assert!(runs.settle(7, at(1_700)) && runs.settle(7, at(1_700)) && !runs.settle(8, at(1_800)));
        assert_eq!(runs.see(8, at(1_800)), None);
        assert_eq!(gaps(&runs.runs()).iter().map(|gap| gap.missing).collect::<Vec<_>>(), [2]);
    }

    #[test]
    fn a_reset_to_zero_loses_nothing() {
        let (runs, events) = seen(&[(100, 0), (101, 10), (0, 20), (1, 30)]);
        assert!(gaps(&runs.runs()).is_empty());
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
            gaps(&runs.runs()),
            [Gap { after_reset: true, before: None, after: (4, Timestamp::from_nanos(20)), missing: 4 }]
        );
        assert_eq!(events[0].kind, EventKind::Reset);
    }

    #[test]
    fn a_counter_that_falls_back_a_little_has_lost_nothing() {
        let (runs, events) = seen(&[(27_649, 0), (27_650, 10), (27_595, 20), (27_596, 30)]);
        assert!(gaps(&runs.runs()).is_empty());
        assert_eq!(events.len(), 1);
    }

    #[test]
    fn a_step_back_of_the_clock_is_no_gap_and_no_reset() {
        let (runs, events) = seen(&[(10, 1000), (11, 1100), (12, 1050), (13, 1150)]);
        assert!(gaps(&runs.runs()).is_empty());
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
        let files: [&[(i64, i64)]; 2] = [&[(0, 0), (1, 10), (5, 50), (0, 60), (1, 70)], &[(2, 20), (3, 30), (4, 40)]];
        assert_eq!(read(&files).0, [0; 0]);
    }

    #[test]
    fn a_late_row_of_an_older_epoch_does_not_slip_in_front_of_a_newer_one() {
        assert_eq!(missing(&[(2, 20), (5, 50), (20, 200), (7, 300), (3, 30)]), [1, 14, 7]);
    }

    #[test]
    fn an_epoch_does_not_go_on_behind_a_later_one() {
        assert_eq!(missing(&[(4, 40), (5, 50), (0, 60), (9, 150), (7, 200)]), [8, 7]);
    }

    #[test]
    fn a_row_that_counts_on_from_an_older_run_stays_in_its_own_epoch() {
        assert_eq!(missing(&[(3, 30), (5, 50), (0, 60), (1, 70), (4, 40), (6, 120)]), [4]);
    }

    /// Rows of files, each of which is read from its beginning; a row that is there already is passed.
    fn read(files: &[&[(i64, i64)]]) -> (Vec<i64>, Vec<EventKind>) {
        let mut runs = RecordRuns::default();
        let mut known = BTreeSet::new();
        let mut events = Vec::new();
        for file in files {
            runs.begin_file();
            for &(record, ts) in *file {
                let at = Timestamp::from_nanos(ts);
                if known.insert((record, ts)) {
                    events.extend(runs.see(record, at).map(|event| event.kind));
                } else {
                    runs.pass(record, at);
                }
            }
            // As from one ingest to the next.
            let saved = runs.runs();
            let (mut written, gone) = runs.take_changes();
            written.retain(|run| gone.contains(&run.key()));
            assert!(written.is_empty(), "a run is written or deleted, not both");
            runs = RecordRuns::new(saved);
        }
        (gaps(&runs.runs()).iter().map(|gap| gap.missing).collect(), events)
    }

    #[test]
    fn a_clock_set_back_behind_the_oldest_row_loses_nothing_within_a_file_and_between_two() {
        let rows = [(8, 1000), (9, 1010), (10, 30), (11, 40), (12, 1040)];
        for cut in 1..rows.len() {
            let (before, after) = rows.split_at(cut);
            assert_eq!(read(&[before, after]), (vec![], vec![EventKind::Step]), "cut before row {cut}");
        }
        let all: Vec<&[(i64, i64)]> = rows.chunks(1).collect();
        assert_eq!(read(&all), (vec![], vec![EventKind::Step]));
        // Records that are lost later are missing all the same.
        assert_eq!(read(&[&rows, &[(15, 1070)]]), (vec![2], vec![EventKind::Step]));
        // Read again whole, nothing new is seen.
        assert_eq!(read(&[&rows, &rows]), (vec![], vec![EventKind::Step]));
    }

    #[test]
    fn one_old_row_among_newer_ones_is_no_gap() {
        for old in [(500, 10), (3, 10), (5000, 10), (1002, 10)] {
            let file = [(1000, 1000), (1001, 1010), old, (1002, 1020), (1003, 1030)];
            assert_eq!(read(&[&file]).0, [0; 0], "{old:?}");
            assert_eq!(read(&[&file[..2], &[old], &file[3..]]).0, [0; 0], "{old:?} in a file of its own");
        }
    }

    #[test]
    fn rows_from_before_the_first_that_was_read_leave_no_gap_up_to_it_and_gaps_of_their_own() {
        let history = [(10, 100), (11, 110), (15, 150), (16, 160)];
        assert_eq!(read(&[&[(100, 1000), (101, 1010)], &history]).0, [3]);
        // Its end joins the first row that was read.
        assert_eq!(read(&[&[(17, 170), (18, 180)], &history]).0, [3]);
    }

    #[test]
    fn a_number_that_stands_still_is_one_run_and_no_gap() {
        let rows: Vec<(i64, i64)> = (0..1000).map(|at| (7, at * 10)).collect();
        let (runs, events) = seen(&rows);
        assert_eq!((runs.runs().len(), events.len(), gaps(&runs.runs()).len()), (1, 0, 0));
        assert!(runs.runs()[0].stands_still());
        // It begins to count: what is missing after that is known again.
        let counted = [(8, 20_000), (9, 20_010), (12, 20_040)];
        assert_eq!(missing(&[&rows[..], &counted[..]].concat()), [2]);
        // It counted, and no longer does.
        let ended: Vec<(i64, i64)> = (0..100).chain(std::iter::repeat_n(99, 50)).zip((0..).map(|at| at * 10)).collect();
        assert_eq!(missing(&ended), [0; 0]);
    }

    #[test]
    fn a_hundred_thousand_runs_of_every_shape_are_taken_in_seconds() {
        const ROWS: i64 = 100_000;
        type Shape = (&'static str, fn(i64) -> i64);
        let shapes: [Shape; 4] = [
            ("every other record is lost", |at| 2 * at),
            ("the count starts again after two", |at| at % 2),
            ("a count that goes down", |at| ROWS - at),
            ("no order", |at| (at * 7_919) % 100_003),
        ];
        for (shape, record) in shapes {
            let begun = std::time::Instant::now();
            let mut runs = RecordRuns::default();
            for at in 0..ROWS {
                runs.see(record(at), Timestamp::from_millis(at * 1_000));
            }
            let _ = gaps(&runs.runs());
            assert!(begun.elapsed().as_secs() < 20, "{shape}: {:?}", begun.elapsed());
        }
    }

    proptest! {
        #[test]
        fn any_order_of_the_same_rows_behind_the_first_leaves_the_same_holes(kept in proptest::collection::btree_set(0i64..60, 2..40), swaps in proptest::collection::vec((0usize..40, 0usize..40), 0..40)) {
            let mut rows: Vec<i64> = kept.iter().copied().collect();
            let length = rows.len();
            for (a, b) in swaps {
                rows.swap(a % length, b % length);
            }
            // Nothing is missing before the first record that was read.
            let (low, high) = (*kept.first().unwrap(), *kept.last().unwrap());
            rows.insert(0, low);
            let (runs, _) = seen(&rows.iter().map(|&record| (record, record * 10)).collect::<Vec<_>>());
            let absent = (low..=high).filter(|record| !kept.contains(record)).count();
            prop_assert_eq!(gaps(&runs.runs()).iter().map(|gap| gap.missing).sum::<i64>(), i64::try_from(absent).unwrap());
        }
    }
}
