//! Finds the missing records between the runs of record numbers.

use std::time::Duration;

use crate::store::intake::record_runs::{Gap, Run};
use crate::time::Timestamp;

/// The longest step of a logger's clock. Rows that lasted longer cannot be missing between two consecutive rows.
pub(in crate::store) const LONGEST_STEP: Duration = Duration::from_secs(86_400);

/// The gaps that sorted runs leave, oldest first. Nothing is known from runs that stand still.
pub fn gaps(runs: &[Run]) -> Vec<Gap> {
    let mut gaps: Vec<Gap> = Vec::new();
    for pair in runs.windows(2).filter(|pair| pair[0].epoch == pair[1].epoch) {
        if pair.iter().any(Run::stands_still) {
            continue;
        }
        gaps.push(Gap {
            after_reset: false,
            before: Some((pair[0].last, pair[0].last_ts)),
            after: (pair[1].first, pair[1].first_ts),
            missing: pair[1].first - pair[0].last - 1,
        });
    }
    gaps.extend(heads_behind_known_rows(runs));
    gaps.sort_by_key(|gap| gap.after.1);
    gaps
}

/// Records from 0 that are missing after a reset. The first epoch begins when the site starts to use fluxtower, and an epoch
/// that was opened by rows older than all others begins its history: what was before is not known. Each other epoch begins
/// with a reset, which counts from 0.
fn heads_behind_known_rows(runs: &[Run]) -> Vec<Gap> {
    let mut gaps = Vec::new();
    for Head { run: head, before, oldest_epoch } in heads(runs) {
        let was_opened_later = oldest_epoch < head.epoch;
        // A counter that fell back a little did not start again (seen at a CR3000: 27650, then 27595).
        let slipped = (before.last - head.first).unsigned_abs() < head.first.unsigned_abs() / 10;
        let counts = !head.stands_still() && !before.stands_still();
        let missing = head.first.saturating_add(left_to_the_end(before.last));
        if missing > 0 && head.first >= 0 && was_opened_later && counts && !slipped {
            gaps.push(Gap { after_reset: true, before: None, after: (head.first, head.first_ts), missing });
        }
    }
    gaps
}

/// The last numbers that a logger counts to, before it starts again at 0 by itself.
const LAST_NUMBERS: [i64; 2] = [0x7fff_ffff, 0xffff_ffff];
/// Records between a reset and such a number. No logger came that near by chance.
const NEAR_THE_END: i64 = 1_000_000;

/// So many numbers were left when the counter reached its end; 0 where it started again for another reason.
fn left_to_the_end(record: i64) -> i64 {
    let left = LAST_NUMBERS.into_iter().map(|end| end - record);
    left.filter(|left| (0..NEAR_THE_END).contains(left)).min().unwrap_or(0)
}

/// The first run of an epoch, behind others.
pub(in crate::store) struct Head<'r> {
    pub run: &'r Run,
    /// The run that ends last before it.
    pub before: &'r Run,
    /// The lowest epoch of all runs that end before it.
    pub oldest_epoch: i64,
}

/// The heads of the epochs that have runs before them, by time.
pub(in crate::store) fn heads(runs: &[Run]) -> Vec<Head<'_>> {
    let mut heads: Vec<&Run> = runs.chunk_by(|run, next| run.epoch == next.epoch).filter_map(<[Run]>::first).collect();
    heads.sort_by_key(|head| head.first_ts);
    let mut ended: Vec<&Run> = runs.iter().collect();
    ended.sort_by_key(|run| run.last_ts);
    let (mut at, mut oldest_epoch) = (0, i64::MAX);
    let mut found = Vec::new();
    for run in heads {
        while at < ended.len() && ended[at].last_ts < run.first_ts {
            oldest_epoch = oldest_epoch.min(ended[at].epoch);
            at += 1;
        }
        found.extend(at.checked_sub(1).map(|at| Head { run, before: ended[at], oldest_epoch }));
    }
    found
}

/// The time of the last row before each gap, by any run.
pub(in crate::store) fn ends_before(runs: &[Run], gaps: &[Gap]) -> Vec<Option<Timestamp>> {
    let mut ends: Vec<Timestamp> = runs.iter().map(|run| run.last_ts).collect();
    ends.sort_unstable();
    let before = |gap: &Gap| ends.partition_point(|end| *end < gap.after.1).checked_sub(1).map(|at| ends[at]);
    gaps.iter().map(before).collect()
}

/// What is missing of a gap, if the numbers of these runs of contents beside rows are not, oldest first. `before` is the time of the
/// row before it. Where the clock stepped, contents stand before or behind the gap in time.
pub(in crate::store) fn without(gap: Gap, before: Option<Timestamp>, beside: &[Run]) -> Vec<Gap> {
    let begins = gap.before.map(|before| before.1).or(before).unwrap_or(gap.after.1);
    let (from, until) = (begins.min(gap.after.1).before(LONGEST_STEP), begins.max(gap.after.1).after(LONGEST_STEP));
    let (first, last) = (gap.after.0 - gap.missing, gap.after.0 - 1);
    let begin = beside.partition_point(|run| run.last < first);
    let within = beside[begin..].iter().take_while(|run| run.first <= last);
    let mut left = Vec::new();
    let mut rest = gap;
    for run in within.filter(|run| from <= run.first_ts.min(run.last_ts) && run.first_ts.max(run.last_ts) <= until) {
        let first = rest.after.0 - rest.missing;
        if run.first > first {
            left.push(Gap { after: (run.first, run.first_ts), missing: run.first - first, ..rest });
        }
        rest = Gap {
            after_reset: false,
            before: Some((run.last, run.last_ts)),
            missing: rest.after.0 - 1 - run.last.min(rest.after.0 - 1),
            ..rest
        };
    }
    left.extend((rest.missing > 0).then_some(rest));
    left
}
