//! Which rows of a move would meet another row at their new time: the conflicts of the move, and rows that are there already.
//!
//! A clock that was wrong for a period shifts whole stretches of rows, and within a stretch rows keep their order. So a first look
//! at all rows notes only stretches, and rows can meet only where the new times of two stretches overlap. Only rows there are looked at
//! again, and nothing is locked meanwhile (I9).

use std::collections::HashMap;

use super::super::clock::Reading;
use super::super::passes::Passes;
use super::Foreseen;
use crate::store::{OldRow, Result, Store, Table, TaggedSeries};
use crate::time::{Interval, NANOS_PER_MICRO, Timestamp};

/// Rows that follow each other, all of which move or none, and whose new times increase.
#[derive(Debug, Clone, Copy)]
struct Stretch {
    moves: bool,
    /// First and last of the present times.
    of: (Timestamp, Timestamp),
    /// First and last of the new times, in microseconds, as keys have them.
    to: (i64, i64),
}

/// The stretches of one series.
#[derive(Debug)]
pub(super) struct Stretches {
    series: TaggedSeries,
    list: Vec<Stretch>,
}

/// How many rows meet another one.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Met {
    pub(super) conflicts: u64,
    pub(super) merged: u64,
}

fn micros(ts: Timestamp) -> i64 {
    ts.nanos().div_euclid(NANOS_PER_MICRO)
}

fn interval_of((first, last): (i64, i64)) -> Interval {
    let at = |micros: i64| Timestamp::from_nanos(micros.saturating_mul(NANOS_PER_MICRO));
    Interval::new(at(first), at(last.saturating_add(1)))
}

impl Stretches {
    /// Adds the next row of the series, which gets this time.
    pub(super) fn add(list: &mut Vec<Stretches>, series: &TaggedSeries, row: &OldRow, to: Timestamp) {
        if list.last().is_none_or(|last| last.series.id != series.id) {
            list.push(Stretches { series: series.clone(), list: Vec::new() });
        }
        let Some(Stretches { list, .. }) = list.last_mut() else { return };
        let (at, moves, to) = (row.ts(), row.ts() != to, micros(to));
        match list.last_mut().filter(|last| last.moves == moves && last.to.1 < to) {
            Some(last) => (last.of.1, last.to.1) = (at, to),
            None => list.push(Stretch { moves, of: (at, at), to: (to, to) }),
        }
    }

    /// Times, in microseconds, at which the new times of two stretches overlap, of which one moves; and those where a stretch moves
    /// among rows that were not looked at, because they stay.
    fn overlaps(&self, store: &Store, looked_at: &[Interval]) -> Result<Vec<(i64, i64)>> {
        let mut found = Vec::new();
        let mut sorted = self.list.clone();
        sorted.sort_by_key(|stretch| stretch.to);
        // The farthest ends so far, of all stretches and of those that move.
        let (mut end, mut end_of_moved) = (i64::MIN, i64::MIN);
        for Stretch { moves, to: (first, last), .. } in sorted {
            let reached = if moves { end } else { end_of_moved };
            if first <= reached {
                found.push((first, last.min(reached)));
            }
            end = end.max(last);
            if moves {
                end_of_moved = end_of_moved.max(last);
                for rest in beside(interval_of((first, last)), looked_at) {
                    if !store.rows_in(self.series.id, rest, None)?.is_empty() {
                        found.push((micros(rest.from), micros(rest.until)));
                    }
                }
            }
        }
        found.sort_unstable();
        let mut merged: Vec<(i64, i64)> = Vec::new();
        for (first, last) in found {
            match merged.last_mut().filter(|before| first <= before.1) {
                Some(before) => before.1 = before.1.max(last),
                None => merged.push((first, last)),
            }
        }
        Ok(merged)
    }
}

/// The parts of an interval that are in none of these, which are sorted.
fn beside(interval: Interval, looked_at: &[Interval]) -> Vec<Interval> {
    let mut rest = Vec::new();
    let mut from = interval.from;
    for known in looked_at.iter().filter(|known| known.from < interval.until && interval.from < known.until) {
        if from < known.from {
            rest.push(Interval::new(from, known.from));
        }
        from = from.max(known.until);
    }
    if from < interval.until {
        rest.push(Interval::new(from, interval.until));
    }
    rest
}

/// What meets another row, of rows whose stretches are known.
pub(super) struct Meetings<'a> {
    pub(super) store: &'a Store,
    pub(super) table: &'a Table,
    pub(super) reading: &'a Reading<'a>,
    pub(super) passes: &'a Passes<'a>,
}

impl Meetings<'_> {
    /// Counts them, in the order in which the rows are put back.
    pub(super) fn count(&self, all: &[Stretches], foreseen: &Foreseen<'_>) -> Result<Met> {
        let looked_at = self.reading.intervals();
        let mut met = Met::default();
        for stretches in all {
            for overlap in stretches.overlaps(self.store, &looked_at)? {
                self.count_within(stretches, overlap, foreseen, &mut met)?;
            }
        }
        Ok(met)
    }

    fn count_within(
        &self,
        Stretches { series, list }: &Stretches,
        overlap: (i64, i64),
        foreseen: &Foreseen<'_>,
        met: &mut Met,
    ) -> Result<()> {
        // The present time of the row that was put back at a time first.
        let mut put: HashMap<i64, Timestamp> = HashMap::new();
        for stretch in list.iter().filter(|stretch| stretch.moves && overlaps(stretch.to, overlap)) {
            let mut after = None;
            let of = Interval::new(stretch.of.0, stretch.of.1.plus(NANOS_PER_MICRO));
            loop {
                let rows = self.store.rows_in(series.id, of, after)?;
                let Some(last) = rows.last() else { break };
                after = Some(last.id());
                for row in &rows {
                    let Some(to) = foreseen.time_of(self.reading, series.id, row, self.passes) else { continue };
                    let key = micros(to);
                    if to == row.ts() || !(overlap.0..=overlap.1).contains(&key) {
                        continue;
                    }
                    let other = match put.get(&key) {
                        Some(at) => self.row_at(series.id, micros(*at))?,
                        None => self.row_at(series.id, key)?.filter(|other| self.stays(series.id, other, foreseen)),
                    };
                    match other {
                        None => {
                            put.insert(key, row.ts());
                        }
                        Some(other) => {
                            let at = if put.contains_key(&key) {
                                foreseen.time_of(self.reading, series.id, &other, self.passes)
                            } else {
                                Some(other.ts())
                            };
                            let is_merged = at == Some(to) && other.is_met_alike(row, self.table);
                            *if is_merged { &mut met.merged } else { &mut met.conflicts } += 1;
                        }
                    }
                }
            }
        }
        Ok(())
    }

    fn row_at(&self, series: i64, key: i64) -> Result<Option<OldRow>> {
        Ok(self.store.rows_in(series, interval_of((key, key)), None)?.pop())
    }

    fn stays(&self, series: i64, row: &OldRow, foreseen: &Foreseen<'_>) -> bool {
        foreseen.time_of(self.reading, series, row, self.passes) == Some(row.ts())
    }
}

fn overlaps(one: (i64, i64), other: (i64, i64)) -> bool {
    one.0 <= other.1 && other.0 <= one.1
}
