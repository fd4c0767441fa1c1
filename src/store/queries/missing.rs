//! Finds missing records by their numbers, unless the times of the rows contradict.
//!
//! A missing number means a missing row, and a row takes time. Between two rows that are one usual interval apart no
//! row can be missing, whatever their numbers are: the logger was exchanged, or a number is damaged. In a pause, no more rows
//! can be missing than it is long. Between older rows
//! that were read later and the rows that were read first, numbers are missing if numbers and times advance at the same
//! rate. Rows without a number between the two (RECORD is NAN or empty) are there, and are not missing.

use std::collections::BTreeSet;
use std::time::Duration;

use rusqlite::{OptionalExtension, params};

use crate::store::Store;
use crate::store::intake::record_gaps::{Head, LONGEST_STEP, ends_before, gaps, heads, without};
use crate::store::intake::record_runs::{Gap, Run, beside_runs};
use crate::store::intake::tables::i64_of;
use crate::store::judge::scan::newest_times;
use crate::store::queries::interval::{ROWS, Regularity, longest_step, regularity};
use crate::store::schema::key;
use crate::time::{Timestamp, nanos};

/// The number of newest runs that decide whether RECORD counts.
const RUNS_JUDGED: usize = 16;
/// RECORD does not count if at least this many of them begin with a restarted counter.
const FRESH_STARTS: usize = 5;
/// RECORD does not count if these runs hold no more than this many rows each.
const ROWS_A_RUN: i64 = 3;

/// So many rows between the ends of a gap are looked at for rows without a number.
const MOST_LOOKED_AT: i64 = 10_000;

/// The usual interval at a place holds for so many rows around it.
const NEAR: i64 = 50;

/// What the RECORD of a table shows about missing rows.
#[derive(Debug, Default)]
pub(in crate::store) struct Missing {
    /// The gaps, oldest first.
    pub gaps: Vec<Gap>,
    /// Numbers that were skipped where no row can be missing.
    pub jumps: Vec<Gap>,
}

/// Whether RECORD restarts every few rows, so that its numbers show nothing.
pub(in crate::store) fn starts_again(runs: &[Run]) -> bool {
    let mut newest: Vec<&Run> = runs.iter().collect();
    let kept = newest.len().min(RUNS_JUDGED);
    if kept < RUNS_JUDGED {
        return false;
    }
    let (newest, ..) = newest.select_nth_unstable_by_key(kept - 1, |run| std::cmp::Reverse((run.last_ts, run.epoch)));
    let epochs: BTreeSet<i64> = newest.iter().map(|run| run.epoch).collect();
    let rows: i64 = newest.iter().map(|run| run.last - run.first + 1).sum();
    epochs.len() >= FRESH_STARTS && rows <= ROWS_A_RUN * newest.len() as i64
}

impl Store {
    /// What the runs of a table show about missing rows.
    pub(in crate::store) fn missing_records(&self, table: i64, runs: &[Run]) -> rusqlite::Result<Missing> {
        let mut found = Missing::default();
        if starts_again(runs) {
            return Ok(found);
        }
        let by_number = gaps(runs);
        let joints = joints(runs);
        if by_number.is_empty() && joints.is_empty() {
            return Ok(found);
        }
        let before = ends_before(runs, &by_number);
        let beside = beside_runs(&self.conn, table)?;
        let Some(series) = self.untagged_series(table)? else {
            let gaps = by_number.into_iter().zip(before).flat_map(|(gap, before)| without(gap, before, &beside));
            return Ok(Missing { gaps: gaps.collect(), ..found });
        };
        // The longest pause that can be one interval of the surrounding rows. It is computed from the newest rows, so
        // that most gaps need no further query.
        let newest = newest_times(&self.conn, series, Timestamp::MAX, ROWS)?;
        let longest = regularity(newest.into_iter()).interval().map_or(0, longest_step);
        // The usual interval at the last place that was looked at holds for the rows around it.
        let mut known: Option<(Timestamp, Option<Duration>)> = None;
        for (gap, before) in by_number.into_iter().zip(before) {
            let before = gap.before.map(|before| before.1).or(before);
            let pause = before.map_or(i64::MAX, |before| gap.after.1.nanos_since(before));
            let may_be_jump = gap.after_reset || longest.saturating_mul(gap.missing) > nanos(LONGEST_STEP);
            let mut is_jump = (1..=longest).contains(&pause) && may_be_jump;
            if is_jump {
                let near = longest.saturating_mul(NEAR);
                let (at, interval) = match known.filter(|(at, _)| gap.after.1.nanos_since(*at).abs() <= near) {
                    Some(known) => known,
                    None => (gap.after.1, self.interval_around(series, gap.after.1)?),
                };
                known = Some((at, interval));
                is_jump = interval.is_some_and(|interval| {
                    let lasted = nanos(interval).saturating_mul(gap.missing);
                    pause <= longest_step(interval) && (gap.after_reset || lasted > nanos(LONGEST_STEP))
                });
            }
            let lasts = |rows: i64| (longest / 3 * 2).saturating_mul(rows);
            let is_jump = is_jump
                || pause > longest
                    && longest > 0
                    && before.is_some()
                    && lasts(gap.missing.saturating_add(1)) > pause
                    && !self.has_time_for(series, &gap, pause)?;
            if is_jump {
                found.jumps.push(gap);
            } else {
                for gap in without(gap, before, &beside) {
                    found.gaps.extend(self.without_unnumbered(series, gap)?);
                }
            }
        }
        for joint in joints {
            let Some((_, before)) = joint.before else { continue };
            let interval = self.interval_around(series, joint.after.1)?;
            if interval.is_some_and(|interval| {
                let lasted = nanos(interval).saturating_mul(joint.missing + 1);
                joint.after.1.nanos_since(before).saturating_sub(lasted).abs() <= nanos(interval) / 2
            }) {
                for gap in without(joint, None, &beside) {
                    found.gaps.extend(self.without_unnumbered(series, gap)?);
                }
            }
        }
        found.gaps.sort_by_key(|gap| gap.after.1);
        Ok(found)
    }

    /// What is missing of a gap, if rows without a record number between its ends have some of its numbers: their RECORD was NAN
    /// or empty, and the rows are there.
    fn without_unnumbered(&self, series: i64, gap: Gap) -> rusqlite::Result<Option<Gap>> {
        let Some((_, before)) = gap.before else { return Ok(Some(gap)) };
        if before >= gap.after.1 {
            return Ok(Some(gap));
        }
        // Both ends have a number, so they do not count.
        let (low, high) = key::keys(series, before, gap.after.1);
        let most = gap.missing.min(MOST_LOOKED_AT).saturating_add(2);
        let there: i64 = self
            .conn
            .prepare_cached(
                "SELECT count(*) FROM (SELECT record FROM reading WHERE id BETWEEN ?1 AND ?2 ORDER BY id LIMIT ?3)
                 WHERE record IS NULL",
            )?
            .query_row([low, high, most], |row| row.get(0))?;
        let missing = gap.missing - there;
        Ok((missing > 0).then_some(Gap { missing, ..gap }))
    }

    /// Whether so many rows can be missing in the pause, by the shorter of the usual intervals before it and behind it. Where rows
    /// come at none, they can. Lost rows may hide a step of the clock; but not where the counter started again.
    fn has_time_for(&self, series: i64, gap: &Gap, pause: i64) -> rusqlite::Result<bool> {
        let (before, behind) = self.times_around(series, gap.after.1)?;
        let sides = [regularity(before.into_iter()), regularity(behind.into_iter())];
        let interval = sides.iter().filter_map(|side| side.interval()).min().map(nanos);
        let Some(interval) = interval.filter(|_| !sides.contains(&Regularity::Irregular)) else { return Ok(true) };
        let (rows, allowed) = match gap.after_reset {
            true => (gap.missing.saturating_add(1), interval / 2),
            false => (gap.missing, nanos(LONGEST_STEP)),
        };
        Ok(interval.saturating_mul(rows) <= pause.saturating_add(allowed))
    }

    /// The series of a table without tag columns.
    pub(in crate::store) fn untagged_series(&self, table: i64) -> rusqlite::Result<Option<i64>> {
        self.conn
            .prepare_cached("SELECT id FROM series WHERE logger_table = ?1 AND tags = '[]'")?
            .query_row([table], |row| row.get(0))
            .optional()
    }

    pub(in crate::store) fn interval_around(&self, series: i64, at: Timestamp) -> rusqlite::Result<Option<Duration>> {
        let (mut before, behind) = self.times_around(series, at)?;
        before.reverse();
        before.extend(behind);
        Ok(regularity(before.into_iter()).interval())
    }

    /// The times of the rows before an instant, the latest first, and of the rows from the instant on.
    pub(in crate::store) fn times_around(
        &self,
        series: i64,
        at: Timestamp,
    ) -> rusqlite::Result<(Vec<Timestamp>, Vec<Timestamp>)> {
        let (low, high) = key::keys(series, at, Timestamp::MAX);
        let behind = self
            .conn
            .prepare_cached("SELECT id, nanos FROM reading WHERE id BETWEEN ?1 AND ?2 ORDER BY id LIMIT ?3")?
            .query_map(params![low, high, i64_of(ROWS)], |row| Ok(key::time(row.get(0)?, row.get(1)?)))?
            .collect::<rusqlite::Result<_>>()?;
        Ok((newest_times(&self.conn, series, at.previous_key(), ROWS)?, behind))
    }
}

/// The places where the runs of an epoch that was opened by older rows end before the first run of an existing epoch
/// with a higher number: they are gaps, if the times agree.
fn joints(runs: &[Run]) -> Vec<Gap> {
    let of_older = heads(runs).into_iter().filter(|head| head.before.epoch > head.run.epoch);
    of_older
        .filter(|head| !head.before.stands_still() && !head.run.stands_still())
        .map(|Head { run, before, .. }| Gap {
            after_reset: false,
            before: Some((before.last, before.last_ts)),
            after: (run.first, run.first_ts),
            missing: run.first - before.last - 1,
        })
        .filter(|gap| gap.missing > 0)
        .collect()
}
