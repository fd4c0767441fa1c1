//! Record numbers of contents that are kept beside rows, and of rows that get another key.
//!
//! A content that is kept beside a row and does not go on with the count may be another logger's. Its number came, so it is not
//! missing, but it makes no other number missing. This holds whichever of the two contents is the row, now and later: so a decision
//! about a conflict, and its reversal, change nothing here. Such numbers are kept in runs of their own, apart from the epochs.

use super::{BESIDE, RecordRuns, Run, RunKey};
use crate::store::intake::record_gaps::LONGEST_STEP;
use crate::time::{Timestamp, nanos};

/// What an epoch knows of a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// It was seen.
    Known,
    /// It is missing between two runs, or is the next one behind the last.
    Missing,
    /// It is not of the epoch, or nothing is known.
    Outside,
}

impl RecordRuns {
    /// The file has a content that is kept beside a row and does not go on with the count.
    #[cold]
    pub fn pass_beside(&mut self, record: i64, ts: Timestamp) {
        self.previous = Some((record, ts));
        self.add_beside(record, ts);
    }

    /// Adds the number of a content that is kept beside a row, or took its place.
    #[cold]
    pub fn add_beside(&mut self, record: i64, ts: Timestamp) {
        let was_open = self.close();
        let mut near = self.epochs_near(ts).into_iter().flatten();
        let is_known = near.any(|epoch| self.before(epoch, record).is_some_and(|run| run.has_at(record, ts)));
        self.open_latest(was_open);
        let before = self.beside.range(..=record).next_back().map(|(_, run)| *run);
        if is_known || before.is_some_and(|run| record <= run.last) {
            return;
        }
        let is_near = |other: Timestamp| ts.nanos_since(other).abs() <= nanos(LONGEST_STEP);
        let before = before.filter(|run| run.last + 1 == record && is_near(run.last_ts));
        let next = record.checked_add(1).and_then(|next| self.beside.get(&next)).copied();
        let next = next.filter(|next| is_near(next.first_ts));
        if let Some(next) = next {
            self.beside.remove(&next.first);
            self.changed.remove(&next.key());
            self.gone.insert(next.key());
        }
        let alone = Run { epoch: BESIDE, first: record, last: record, first_ts: ts, last_ts: ts };
        let run = before.unwrap_or(alone);
        let (last, last_ts) = next.map_or((record, ts), |next| (next.last, next.last_ts));
        self.beside.insert(run.first, Run { last, last_ts, ..run });
        self.mark(run.key());
    }

    /// Adds the number of a content that became a row with a key of its own, or of a row that got another key, in any order.
    #[cold]
    pub fn enter(&mut self, record: i64, ts: Timestamp) {
        let was_open = self.close();
        match self.epoch_that_lacks(record, ts) {
            Some(Some(epoch)) => {
                self.insert(epoch, record, ts, None);
            }
            Some(None) => {}
            None => {
                self.begin_epoch(record, ts);
            }
        }
        self.close();
        self.open_latest(was_open);
    }

    /// The epoch in which the number of a row is missing; `Some(None)` where it is known. None: no epoch has a place for it.
    fn epoch_that_lacks(&self, record: i64, ts: Timestamp) -> Option<Option<i64>> {
        let epochs = self.epochs_near(ts);
        let near = || epochs.into_iter().flatten();
        if near().any(|epoch| self.before(epoch, record).is_some_and(|run| run.has_at(record, ts))) {
            return Some(None);
        }
        let place = |epoch: i64| match self.place_in(epoch, record) {
            Place::Known => Some(None),
            Place::Missing => Some(Some(epoch)),
            Place::Outside => None,
        };
        let around = near().filter(|epoch| self.spans(*epoch, ts)).find_map(place);
        let fitting = || near().find(|epoch| self.fits(*epoch, record, ts)).map(Some);
        around.or_else(fitting).or_else(|| near().find_map(place))
    }

    /// Whether a time lies within an epoch.
    fn spans(&self, epoch: i64, ts: Timestamp) -> bool {
        let ends = self.next(epoch, i64::MIN).zip(self.before(epoch, i64::MAX));
        ends.is_some_and(|(head, end)| head.first_ts <= ts && ts <= end.last_ts)
    }

    fn place_in(&self, epoch: i64, record: i64) -> Place {
        let Some(before) = self.before(epoch, record) else { return Place::Outside };
        if record <= before.last {
            return Place::Known;
        }
        let is_missing = match self.next(epoch, record) {
            Some(next) => !next.stands_still(),
            None => before.last.checked_add(1) == Some(record),
        };
        if is_missing && !before.stands_still() { Place::Missing } else { Place::Outside }
    }

    /// Opens this run, or the one of the latest record where it is no more.
    fn open_latest(&mut self, key: Option<RunKey>) {
        let latest = self.by_last.last().map(|(_, key)| *key);
        key.filter(|key| self.runs.contains_key(key)).or(latest).into_iter().for_each(|key| self.open_run(key));
    }

    /// Forgets each number that none of these rows has. Gives those that were not known.
    pub fn keep_only(&mut self, rows: impl Iterator<Item = (i64, Timestamp)>) -> Vec<(i64, Timestamp)> {
        self.close();
        let mut kept = RecordRuns::default();
        let mut unknown = Vec::new();
        for (record, ts) in rows {
            let known = self.run_of((record, ts)).or_else(|| self.standing_still(record, ts));
            kept.close();
            match known {
                None => unknown.push((record, ts)),
                Some(run) if run.stands_still() => {
                    kept.remove(run.key());
                    kept.put(run);
                    kept.mark(run.key());
                }
                Some(run) => {
                    kept.insert(run.epoch, record, ts, None);
                }
            }
        }
        let gone = self.runs.keys().copied().chain(self.beside.values().map(Run::key));
        kept.gone.extend(gone);
        kept.gone.append(&mut self.gone);
        kept.gone.retain(|key| !kept.changed.contains(key));
        kept.previous = self.previous;
        *self = kept;
        self.close();
        self.open_latest(None);
        unknown
    }

    /// The run of a number that does not count, at its times.
    fn standing_still(&self, record: i64, ts: Timestamp) -> Option<Run> {
        let near = self.epochs_near(ts).into_iter().flatten();
        near.filter_map(|epoch| self.before(epoch, record)).find(|run| run.has_at(record, ts))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::intake::record_gaps::{gaps, without};

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_millis(minute * 60_000)
    }

    fn missing(runs: &RecordRuns) -> Vec<i64> {
        let gaps = gaps(&runs.runs());
        let beside: Vec<Run> = runs.beside.values().copied().collect();
        gaps.into_iter().flat_map(|gap| without(gap, None, &beside)).map(|gap| gap.missing).collect()
    }

    fn rows(runs: &mut RecordRuns, rows: impl IntoIterator<Item = (i64, i64)>) {
        rows.into_iter().for_each(|(record, minute)| {
            let _ = runs.see(record, at(minute));
        });
    }

    #[test]
    fn contents_beside_rows_are_not_missing_and_make_none_missing() {
        let mut runs = RecordRuns::default();
        rows(&mut runs, (1..=10).map(|record| (record, record)));
        runs.begin_file();
        // The clock went back by five minutes, and two records were lost.
        (13..=15).chain([17]).for_each(|record| runs.pass_beside(record, at(record - 7)));
        assert_eq!(missing(&runs), [0; 0]);
        rows(&mut runs, [(18, 11), (19, 12)]);
        assert_eq!(missing(&runs), [2, 1]);
        // Those of another logger.
        runs.begin_file();
        (500..=505).for_each(|record| runs.pass_beside(record, at(record - 490)));
        assert_eq!(missing(&runs), [2, 1]);
        let saved = runs.take_changes().0;
        assert_eq!(saved.iter().filter(|run| run.epoch == BESIDE).count(), 3);
        assert_eq!(missing(&RecordRuns::new(saved)), [2, 1]);
        // The same numbers long before.
        let mut runs = RecordRuns::default();
        (12..=15).for_each(|record| runs.pass_beside(record, at(record)));
        rows(&mut runs, [(0, 9_000), (20, 9_020)]);
        assert_eq!(missing(&runs), [19]);
    }

    #[test]
    fn a_content_that_becomes_a_row_in_any_order_is_missing_no_more() {
        for order in [[13, 14, 15, 16, 17], [17, 16, 15, 14, 13], [15, 13, 17, 14, 16]] {
            let mut runs = RecordRuns::default();
            rows(&mut runs, (1..=10).map(|record| (record, record)).chain([(18, 11), (19, 12)]));
            assert_eq!(missing(&runs), [7]);
            order.into_iter().for_each(|record| runs.enter(record, at(record - 7)));
            // Known already.
            runs.enter(5, at(5));
            assert_eq!(missing(&runs), [2], "{order:?}");
            // The next row goes on as before.
            assert_eq!(runs.see(20, at(13)), None);
            assert_eq!(missing(&runs), [2]);
        }
    }

    #[test]
    fn numbers_whose_rows_are_kept_stay_known_and_others_are_forgotten() {
        let mut runs = RecordRuns::default();
        let all =
            || (1..=10).chain(13..=20).map(|record| (record, record)).chain((0..5).map(|record| (record, 30 + record)));
        rows(&mut runs, all());
        let _ = runs.take_changes();
        let before = runs.runs();
        runs.keep_only(all().map(|(record, minute)| (record, at(minute))));
        assert_eq!(runs.runs(), before);
        let unknown = runs.keep_only((3..=5).chain(8..=9).chain([12]).map(|record| (record, at(record))));
        assert_eq!((missing(&runs), unknown), (vec![2], vec![(12, at(12))]));
        let (written, gone) = runs.take_changes();
        assert_eq!((written.len(), gone.len()), (2, 3));
        runs.keep_only(std::iter::empty());
        assert_eq!((runs.runs().len(), runs.take_changes().1.len()), (0, 2));
    }
}
