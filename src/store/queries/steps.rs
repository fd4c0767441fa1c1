//! Finds missing time steps where RECORD cannot show what is missing.
//!
//! A file without RECORD, or with one that does not count, does not show whether a row was lost. What can be seen is a
//! pause longer than the table's usual interval: a lost row, or a logger that was off. If rows come at no usual
//! interval, or are too few, nothing is known, and the result says so. If RECORD counts and restarts, its numbers do
//! not show what is missing between the two rows, so the pause there is examined in the same way.

use std::collections::HashSet;
use std::time::Duration;

use rusqlite::{OptionalExtension, params};

use crate::store::intake::record_gaps::heads;
use crate::store::intake::record_runs::{Run, record_runs};
use crate::store::intake::tables::i64_of;
use crate::store::intake::windows::is_made;
use crate::store::queries::gaps::tables;
use crate::store::queries::interval::{Regularity, longest_step, regularity};
use crate::store::queries::missing::starts_again;
use crate::store::schema::key;
use crate::store::{Result, Store};
use crate::time::{Timestamp, nanos};

/// So many other series may show that a series is one of several at each time.
const OTHERS_ASKED: usize = 64;
/// The number of rows that are judged by one interval: a new interval of the program is followed from one piece to the
/// next.
const PIECE: usize = 200;
/// This number of consecutive pauses of one length is another interval, and not missing rows.
const ANOTHER_INTERVAL: usize = 3;
/// RECORD stands still if this many rows have one number. Two equal numbers may be a counter that restarted after one
/// row.
const STANDS_STILL: usize = 3;

/// Why RECORD does not show what is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WhyUncounted {
    /// The rows have no record number.
    NoRecord,
    /// Rows of one time differ in tag columns, so the numbers are not in the order of time.
    Tags,
    /// Every row has this number.
    StandsStill(i64),
    /// The number restarts every few rows.
    StartsAgain,
    /// The numbers are those of two loggers, whose rows a file joins: only the first one's are followed.
    TwoLoggers,
    /// The number counts, and restarted between these two rows.
    Restarted,
    /// The number counts, and more numbers are skipped between these two rows than rows can be missing.
    Jumped,
}

/// A pause in which rows were expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MissingSteps {
    /// The time of the row before.
    pub before: Timestamp,
    /// The time of the row after.
    pub after: Timestamp,
    /// The usual interval at that time.
    pub interval: Duration,
    /// The number of rows that were expected.
    pub missing: u64,
}

/// A part of a series whose RECORD does not show what is missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Uncounted {
    /// The table's name in the configuration.
    pub table: String,
    /// Values of its tag columns; empty where it has none.
    pub tags: Vec<String>,
    /// Why RECORD does not show it.
    pub why: WhyUncounted,
    /// The time of the first examined row.
    pub from: Timestamp,
    /// The time of the last row.
    pub to: Timestamp,
    /// Whether rows come at a usual interval at the end of the part.
    pub regularity: Regularity,
    /// The pauses, oldest first. Where it has ended, the last one is up to the newest row of the others.
    pub steps: Vec<MissingSteps>,
    /// A series that had a row at the stamps of others has none any more, and the others go on.
    pub has_ended: bool,
}

/// A part to examine: the series, its tags, and its bounds, both inclusive.
struct Part {
    series: i64,
    tags: Vec<String>,
    why: WhyUncounted,
    from: Timestamp,
    to: Timestamp,
    /// The newest row of the table, where another series had a row at the stamp of the newest one of this series.
    others_to: Option<Timestamp>,
}

impl Store {
    /// The parts of all tables whose RECORD does not show what is missing, from `since` on; of each at most the newest
    /// `most` rows.
    pub fn uncounted(&self, since: Timestamp, most: usize) -> Result<Vec<Uncounted>> {
        let mut found = Vec::new();
        let joined = self.tables_of_joined_loggers()?;
        for (id, table) in tables(&self.conn).map_err(|source| self.at(source))? {
            // Rows missing in such a table are missing in the rows from which it is made.
            if is_made(&self.conn, id).map_err(|source| self.at(source))? {
                continue;
            }
            let runs = record_runs(&self.conn, id).map_err(|source| self.at(source))?;
            found.extend(self.restarts((id, &table), &runs, since)?);
            let stretches = self.stretches((&table, joined.contains(&table)), &runs, since)?;
            let most = (most / stretches.len().max(1)).max(PIECE);
            for stretch in stretches {
                found.extend(self.look_at(&table, stretch, most)?);
            }
        }
        Ok(found)
    }

    fn stretches(&self, (table, is_joined): (&str, bool), runs: &[Run], since: Timestamp) -> Result<Vec<Part>> {
        let mut stretches = Vec::new();
        let all = self.series(table)?;
        let newest_of_all = all.iter().filter_map(|series| series.newest).max();
        for series in &all {
            let Some(newest) = series.newest else { continue };
            let mut others_to = None;
            if !series.tags.is_empty() && newest_of_all > Some(newest) && newest >= since {
                // Series that take turns, such as codes, are never beside another one.
                let others = all.iter().filter(|other| other.id != series.id && other.newest > Some(newest));
                for other in others.take(OTHERS_ASKED) {
                    if self.count_rows(other.id, (newest, newest.next()), 1)? > 0 {
                        others_to = newest_of_all;
                        break;
                    }
                }
            }
            let mut add = |why, from: Timestamp, to: Timestamp| {
                if to >= since {
                    let tags = series.tags.clone();
                    stretches.push(Part { series: series.id, tags, why, from: from.max(since), to, others_to });
                }
            };
            let has_record = |at| self.has_record(series.id, at).map_err(|source| self.at(source));
            if !series.tags.is_empty() {
                let why = if has_record(newest)? { WhyUncounted::Tags } else { WhyUncounted::NoRecord };
                add(why, Timestamp::EPOCH, newest);
                continue;
            }
            let (Some(first), Some(last)) =
                (runs.iter().map(|run| run.first_ts).min(), runs.iter().map(|run| run.last_ts).max())
            else {
                add(WhyUncounted::NoRecord, Timestamp::EPOCH, newest);
                continue;
            };
            if starts_again(runs) {
                add(WhyUncounted::StartsAgain, Timestamp::EPOCH, newest);
                continue;
            }
            if is_joined {
                add(WhyUncounted::TwoLoggers, Timestamp::EPOCH, newest);
                continue;
            }
            if let Some(oldest) = self.first_row(series.id, Timestamp::EPOCH)?
                && oldest < first
                && !has_record(oldest)?
            {
                add(WhyUncounted::NoRecord, oldest, first);
            }
            for run in runs.iter().filter(|run| run.stands_still()) {
                if self.count_rows(series.id, (run.first_ts, run.last_ts.next()), STANDS_STILL)? == STANDS_STILL {
                    let Run { first, first_ts, last_ts, .. } = *run;
                    add(WhyUncounted::StandsStill(first), first_ts, last_ts);
                }
            }
            if last < newest && !has_record(newest)? {
                add(WhyUncounted::NoRecord, last, newest);
            }
        }
        Ok(stretches)
    }

    /// The rows around each place where a counting RECORD restarted, from `since` on, oldest first. If its first
    /// numbers are missing too, that is a gap by RECORD.
    fn restarts(&self, (id, table): (i64, &str), runs: &[Run], since: Timestamp) -> Result<Vec<Uncounted>> {
        if starts_again(runs) || runs.iter().any(Run::stands_still) {
            return Ok(Vec::new());
        }
        let missing = self.missing_records(id, runs).map_err(|source| self.at(source))?;
        let mut starts: Vec<Start> = Vec::new();
        for head in heads(runs) {
            // Whatever was read first: rows of an earlier count may have come later. Where numbers go on, that is a gap by RECORD or
            // nothing is known.
            let is_older = head.before.epoch > head.run.epoch;
            let goes_on = is_older && head.before.last < head.run.first;
            if !goes_on {
                starts.push(Start { after: head.run.first_ts, why: WhyUncounted::Restarted, is_older });
            }
        }
        starts.extend(missing.jumps.iter().filter(|jump| !jump.after_reset).map(|jump| Start {
            after: jump.after.1,
            why: WhyUncounted::Jumped,
            is_older: false,
        }));
        starts.retain(|start| start.after >= since);
        if starts.is_empty() {
            return Ok(Vec::new());
        }
        starts.sort_by_key(|start| start.after);
        let are_missing: HashSet<Timestamp> = missing.gaps.iter().map(|gap| gap.after.1).collect();
        let mut found = Vec::new();
        let Some(series) = self.untagged_series(id).map_err(|source| self.at(source))? else { return Ok(found) };
        for Start { after, why, is_older } in starts.into_iter().filter(|start| !are_missing.contains(&start.after)) {
            let (before, behind) = self.times_around(series, after).map_err(|source| self.at(source))?;
            let Some(&last) = before.first() else { continue };
            // A program with another interval may begin here. A few old rows alone tell of none.
            let regularity = match regularity(before.iter().copied()) {
                known @ Regularity::Regular(_) => known,
                _ if is_older => continue,
                Regularity::Irregular | Regularity::TooFewRows(_) => regularity(behind.into_iter()),
            };
            let mut steps = Vec::new();
            if let Regularity::Regular(interval) = regularity {
                steps.extend(pause(last, after, interval));
            }
            // A jump without a pause is an event alone.
            if why == WhyUncounted::Jumped && steps.is_empty() {
                continue;
            }
            let (table, tags) = (table.to_owned(), Vec::new());
            found.push(Uncounted { table, tags, why, from: last, to: after, regularity, steps, has_ended: false });
        }
        Ok(found)
    }

    /// Whether the row of a series at a time has a record number.
    fn has_record(&self, series: i64, at: Timestamp) -> rusqlite::Result<bool> {
        self.conn
            .prepare_cached("SELECT record IS NOT NULL FROM reading WHERE id = ?1")?
            .query_row([key::key(series, at)], |row| row.get(0))
            .optional()
            .map(|found| found.unwrap_or(false))
    }

    fn look_at(&self, table: &str, stretch: Part, most: usize) -> Result<Option<Uncounted>> {
        let Part { series, tags, why, from, to, others_to } = stretch;
        let mut walk = Walk::default();
        let mut left = most;
        let mut bound = key::keys(series, from, to);
        let work = |bound: (i64, i64), rows: usize| -> rusqlite::Result<Vec<(i64, Timestamp)>> {
            self.conn
                .prepare_cached("SELECT id, nanos FROM reading WHERE id BETWEEN ?1 AND ?2 ORDER BY id DESC LIMIT ?3")?
                .query_map(params![bound.0, bound.1, i64_of(rows)], |row| {
                    let id = row.get(0)?;
                    Ok((id, key::time(id, row.get(1)?)))
                })?
                .collect()
        };
        loop {
            let piece = work(bound, left.min(PIECE)).map_err(|source| self.at(source))?;
            let Some(&(oldest, _)) = piece.last() else { break };
            walk.take(piece.iter().map(|(_, ts)| *ts));
            left -= piece.len();
            if left == 0 || oldest == bound.0 {
                break;
            }
            bound.1 = oldest - 1;
        }
        let Some(oldest) = walk.before.or(walk.newest) else { return Ok(None) };
        let Walk { mut steps, regularity, newest, .. } = walk;
        steps.reverse();
        let to = newest.unwrap_or(to);
        let ended = others_to.zip(regularity.interval()).and_then(|(others, interval)| end(to, others, interval));
        let has_ended = ended.is_some();
        steps.extend(ended);
        Ok(Some(Uncounted { table: table.to_owned(), tags, why, from: oldest, to, regularity, steps, has_ended }))
    }
}

/// A place where the numbers do not tell what is missing.
struct Start {
    after: Timestamp,
    why: WhyUncounted,
    /// The rows before it were read later.
    is_older: bool,
}

/// As long as a table may be late, so that collections in two halves are no end.
const ENDED_AFTER: Duration = Duration::from_secs(3_600);

/// What is missing of a series up to the newest row of others, if that is more than a late collection.
fn end(newest: Timestamp, others: Timestamp, interval: Duration) -> Option<MissingSteps> {
    let (length, usual) = (others.nanos_since(newest), nanos(interval).max(1));
    let missing = (length.saturating_add(usual / 2) / usual).cast_unsigned();
    let is_long = length > nanos(ENDED_AFTER.max(interval.saturating_mul(4)));
    is_long.then_some(MissingSteps { before: newest, after: others, interval, missing })
}

/// Goes back through the times of a series, piece by piece.
#[derive(Debug, Default)]
struct Walk {
    newest: Option<Timestamp>,
    /// The later neighbour of this piece: the row after it in time.
    before: Option<Timestamp>,
    /// The regularity of the newest piece that is not too short to decide.
    regularity: Regularity,
    /// The usual interval of the last examined piece that has one.
    interval: Option<Duration>,
    /// The missing steps, the latest first.
    steps: Vec<MissingSteps>,
}

impl Walk {
    /// Examines a piece whose rows are given newest first.
    fn take(&mut self, times: impl Iterator<Item = Timestamp>) {
        let times: Vec<Timestamp> = self.before.into_iter().chain(times).collect();
        let here = regularity(times.iter().copied());
        self.newest = self.newest.or(times.first().copied());
        let is_first = self.before.is_none();
        self.before = times.last().copied();
        if is_first {
            self.regularity = here;
        }
        self.interval = match here {
            Regularity::Regular(interval) => Some(interval),
            // The oldest rows, which do not fill a piece.
            Regularity::TooFewRows(_) => self.interval,
            Regularity::Irregular => None,
        };
        let Some(interval) = self.interval else { return };
        let pairs: Vec<(Timestamp, Timestamp)> = times.windows(2).map(|pair| (pair[1], pair[0])).collect();
        let length = |pair: &(Timestamp, Timestamp)| pair.1.nanos_since(pair.0);
        for alike in pairs.chunk_by(|one, next| length(one) == length(next)) {
            if alike.len() < ANOTHER_INTERVAL {
                self.steps.extend(alike.iter().filter_map(|&(before, after)| pause(before, after, interval)));
            }
        }
    }
}

/// The steps that are missing between two rows, if they are more than one and a half usual intervals apart.
fn pause(before: Timestamp, after: Timestamp, interval: Duration) -> Option<MissingSteps> {
    let (length, usual) = (after.nanos_since(before), nanos(interval).max(1));
    let missing = (length.saturating_add(usual / 2) / usual - 1).cast_unsigned();
    (length > longest_step(interval)).then_some(MissingSteps { before, after, interval, missing })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The missing steps, oldest first, of rows at these minutes.
    fn missing(minutes: &[i64]) -> (Regularity, Vec<u64>) {
        let mut walk = Walk::default();
        let times: Vec<Timestamp> = minutes.iter().rev().map(|at| Timestamp::from_millis(at * 60_000)).collect();
        times.chunks(PIECE).for_each(|piece| walk.take(piece.iter().copied()));
        (walk.regularity, walk.steps.iter().rev().map(|step| step.missing).collect())
    }

    fn minutes(count: u64) -> Regularity {
        Regularity::Regular(Duration::from_secs(60 * count))
    }

    #[test]
    fn a_pause_longer_than_the_usual_interval_is_so_many_missing_steps() {
        let rows: Vec<i64> = (0..40).filter(|at| ![7, 20, 21, 22].contains(at)).map(|at| at * 30).collect();
        assert_eq!(missing(&rows), (minutes(30), vec![1, 3]));
        let whole: Vec<i64> = (0..1000).map(|at| at * 30).collect();
        assert_eq!(missing(&whole), (minutes(30), vec![]));
    }

    #[test]
    fn a_program_with_another_interval_leaves_no_missing_steps() {
        let rows: Vec<i64> = (0..450).map(|at| at * 30).chain((0..330).map(|at| 450 * 30 + at * 10)).collect();
        assert_eq!(missing(&rows), (minutes(10), vec![]));
        let few: Vec<i64> = (0..30).map(|at| at * 30).chain((0..160).map(|at| 30 * 30 + at * 10)).collect();
        assert_eq!(missing(&few), (minutes(10), vec![]));
    }

    #[test]
    fn from_few_rows_and_from_rows_at_no_regular_interval_nothing_is_known() {
        assert_eq!(missing(&[0, 30, 60, 150]), (Regularity::TooFewRows(4), vec![]));
        let events: Vec<i64> = (0..100).map(|at: i64| at * at * 7 % 5_000 + at * 200).collect();
        assert_eq!(missing(&events).0, Regularity::Irregular);
    }

    #[test]
    fn a_pause_between_two_pieces_is_seen_once() {
        let rows: Vec<i64> = (0..1001).filter(|at| ![200, 400, 401, 800].contains(at)).collect();
        assert_eq!(missing(&rows), (minutes(1), vec![1, 2, 1]));
    }
}
