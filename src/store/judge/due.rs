//! Collects the time intervals whose rows are judged again before a commit.

use crate::time::Timestamp;

/// The time intervals whose rows are to be judged again. Close intervals are merged.
#[derive(Debug, Clone, Default)]
pub(in crate::store) struct Due {
    intervals: Vec<(Timestamp, Timestamp)>,
}

/// The most intervals. Above this number the closest ones are merged.
const MOST_INTERVALS: usize = 64;

impl Due {
    pub(in crate::store) fn is_empty(&self) -> bool {
        self.intervals.is_empty()
    }

    /// Adds an interval, and merges it with intervals within `reach` nanoseconds of it.
    pub(in crate::store) fn add(&mut self, from: Timestamp, to: Timestamp, reach: i64) {
        let (mut from, mut to) = (from, to);
        self.intervals.retain(|known| {
            let apart = known.0.nanos() > to.nanos().saturating_add(reach)
                || known.1.nanos() < from.nanos().saturating_sub(reach);
            if !apart {
                from = from.min(known.0);
                to = to.max(known.1);
            }
            apart
        });
        self.intervals.push((from, to));
        if self.intervals.len() > MOST_INTERVALS {
            self.intervals.sort();
            let gap = |at: &usize| self.intervals[at + 1].0.nanos().saturating_sub(self.intervals[*at].1.nanos());
            if let Some(at) = (0..self.intervals.len() - 1).min_by_key(gap) {
                let next = self.intervals.remove(at + 1);
                self.intervals[at].1 = self.intervals[at].1.max(next.1);
            }
        }
    }

    pub(in crate::store) fn take(&mut self) -> Vec<(Timestamp, Timestamp)> {
        std::mem::take(&mut self.intervals)
    }
}
