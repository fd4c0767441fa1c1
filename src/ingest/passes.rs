//! Decides to which pass of the repeated hour (in autumn, when clocks are set back) a stored row belongs, when its
//! stamp gets another meaning.
//!
//! A stamp in that hour alone does not determine it. The record numbers do: a logger continues to count when its clock
//! is set back. So a row belongs to the second pass if a row with a lower number has a later or the same stamp, and to
//! the first if a row with a higher number has an earlier one. If neither holds, counting from the neighbouring rows
//! decides. Two rows without a record number and with one stamp are taken in the order in which they arrived.

use std::collections::BTreeMap;

use crate::store::KeptContent;
use crate::time::{Candidates, LocalTime, LoggerClock, Timestamp};

const HOUR: i64 = 3_600_000_000_000;
/// Stamps further apart than this belong to different autumns.
const APART: i64 = 12 * HOUR;

/// A stored row, or a content beside one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stamped {
    pub(super) series: i64,
    pub(super) stamp: LocalTime,
    pub(super) record: Option<i64>,
    /// Its rank by age among the contents of one time: 0 is the row.
    pub(super) age: i64,
}

/// The rows in and next to the hours that a clock repeats.
#[derive(Debug)]
pub(super) struct Passes<'c> {
    clock: &'c LoggerClock,
    /// The clock by which rows have their times so far.
    before: &'c LoggerClock,
    seen: Vec<Stamped>,
    /// The instants of rows with a record number; filled by [`Passes::settle`].
    instants: BTreeMap<(i64, LocalTime, i64), Timestamp>,
    /// The ages of rows without a record number, by series and stamp.
    ages: BTreeMap<(i64, LocalTime), Vec<i64>>,
}

impl Stamped {
    /// Describes a content that is kept beside a row, with its stamp.
    pub(super) fn of_content(content: &KeptContent, stamp: LocalTime) -> Stamped {
        let age = if content.is_older { -content.id } else { content.id };
        Stamped { series: content.series, stamp, record: content.record, age }
    }
}

impl<'c> Passes<'c> {
    /// Starts without rows: each row stays in the pass in which the clock before has it.
    pub(super) fn new((before, clock): (&'c LoggerClock, &'c LoggerClock)) -> Passes<'c> {
        Passes { clock, before, seen: Vec::new(), instants: BTreeMap::new(), ages: BTreeMap::new() }
    }

    /// Adds a row. Rows far from a repeated hour are ignored.
    pub(super) fn see(&mut self, row: Stamped) {
        let is_repeated =
            |shift: i64| matches!(self.clock.candidates(row.stamp.plus(shift), row.record), Candidates::Two(..));
        if is_repeated(0) || is_repeated(-HOUR) || is_repeated(HOUR) {
            self.seen.push(row);
        }
    }

    /// Decides after every row was added. If rows share stamps, a repeated stamp proves nothing.
    pub(super) fn settle(&mut self, share_stamps: bool) {
        let mut seen = std::mem::take(&mut self.seen);
        seen.sort_by_key(|row| (row.stamp, row.series, row.record, row.age));
        seen.dedup();
        for autumn in seen.chunk_by(|one, next| next.stamp.nanos_since(one.stamp) < APART) {
            for row in autumn.iter().filter(|row| row.record.is_none()) {
                self.ages.entry((row.series, row.stamp)).or_default().push(row.age);
            }
            self.settle_autumn(autumn, share_stamps);
        }
    }

    fn settle_autumn(&mut self, rows: &[Stamped], share_stamps: bool) {
        let mut rows: Vec<(i64, &Stamped)> = rows.iter().filter_map(|row| Some((row.record?, row))).collect();
        rows.sort_by_key(|(record, row)| (*record, row.stamp));
        // The latest stamp up to each row, and the earliest one from it on.
        let mut latest: Vec<LocalTime> = rows.iter().map(|(_, row)| row.stamp).collect();
        let mut earliest = latest.clone();
        for at in 1..rows.len() {
            latest[at] = latest[at].max(latest[at - 1]);
        }
        for at in (1..rows.len()).rev() {
            earliest[at - 1] = earliest[at - 1].min(earliest[at]);
        }
        let mut records: BTreeMap<(i64, LocalTime), (i64, i64)> = BTreeMap::new();
        for (record, row) in &rows {
            let (_, last) = records.entry((row.series, row.stamp)).or_insert((*record, *record));
            *last = *record;
        }
        let known: Vec<Option<Timestamp>> = rows
            .iter()
            .enumerate()
            .map(|(at, (record, row))| match self.clock.candidates(row.stamp, row.record) {
                Candidates::One(ts) | Candidates::Missing(ts) => Some(ts),
                Candidates::Two(first, second) => {
                    let (low, high) = records.get(&(row.series, row.stamp)).copied().unwrap_or((*record, *record));
                    let again = |other: i64| !share_stamps && other != *record;
                    let is_second = latest[at] > row.stamp || again(low);
                    let is_first = earliest[at] < row.stamp || again(high);
                    (is_second != is_first).then_some(if is_second { second } else { first })
                }
            })
            .collect();
        let mut before: Vec<Option<(i64, Timestamp)>> = Vec::with_capacity(rows.len());
        let mut last = None;
        for ((record, _), ts) in rows.iter().zip(&known) {
            before.push(last);
            last = ts.map(|ts| (*record, ts)).or(last);
        }
        let mut next = None;
        for (at, (record, row)) in rows.iter().enumerate().rev() {
            let instant = known[at].or_else(|| self.counted(row, *record, before[at]?, next?));
            next = known[at].map(|ts| (*record, ts)).or(next);
            if let Some(instant) = instant {
                self.instants.insert((row.series, row.stamp, *record), instant);
            }
        }
    }

    /// The instant that is nearer to the one computed by counting from the neighbouring rows.
    fn counted(
        &self,
        row: &Stamped,
        record: i64,
        before: (i64, Timestamp),
        next: (i64, Timestamp),
    ) -> Option<Timestamp> {
        let Candidates::Two(first, second) = self.clock.candidates(row.stamp, row.record) else { return None };
        let (records, between) = (next.0 - before.0, next.1.nanos_since(before.1));
        if records <= 0 || between <= 0 {
            return None;
        }
        let share = i128::from(between) * i128::from(record - before.0) / i128::from(records);
        let counted = before.1.plus(i64::try_from(share).ok()?);
        let away = |ts: Timestamp| ts.nanos_since(counted).abs();
        Some(if away(second) < away(first) { second } else { first })
    }

    /// The instant of a row. `known` is its instant so far, which is used if nothing else decides.
    pub(super) fn instant(&self, row: Stamped, known: Timestamp) -> Timestamp {
        let Candidates::Two(first, second) = self.clock.candidates(row.stamp, row.record) else {
            return self.clock.instant(row.stamp, row.record, Some(known));
        };
        let found = match row.record {
            Some(record) => self.instants.get(&(row.series, row.stamp, record)).copied(),
            None => match self.ages.get(&(row.series, row.stamp)).map(Vec::as_slice) {
                Some([older, newer]) if *older != *newer => Some(if row.age == *newer { second } else { first }),
                _ => None,
            },
        };
        found.unwrap_or_else(|| match self.before.candidates(row.stamp, row.record) {
            // A correction moves both passes.
            Candidates::Two(earlier, _) if known == earlier => first,
            Candidates::Two(_, later) if known == later => second,
            _ if known == second => second,
            _ => first,
        })
    }
}
