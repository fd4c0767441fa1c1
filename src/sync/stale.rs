//! Points that hold what their rows no longer send are removed from the bucket before the rows are sent again.
//!
//! The order keeps every row, whatever stops in between: first each sent row that a removal may hit is pending again (the
//! row's own, and those of other tables), then the server removes, then the marks go. A removal that fails holds nothing:
//! the rows are sent, the marks stay, and a later sync tries again. Only points of rows that the store has are removed; a
//! removal that would take a point of another program, or of a row that was pruned here, is left out and said.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::left_points::{self, Unremoved};
use super::{Cancel, SyncError, identity, shape};
use crate::config::{Config, DestinationConfig};
use crate::destination::{Destination, QueryError, Removal, SeriesAsk, Tags};
use crate::store::{KnownSeries, SeriesBacklog, StaleRun, StaleSeries, Store};
use crate::time::{Interval, Timestamp};

/// Removals in one sync. Over a slow link each takes a round trip; the rest is left for the next sync.
pub(super) const MOST_REMOVALS: usize = 2_000;
/// Removals whose marks go in one transaction.
const REMOVALS_PER_STEP: usize = 100;
/// The part of a sync's time that removals may take.
const TIME_PART: u32 = 4;
/// A deadline of years is none: removals still leave time for the rows.
const MOST_TIME: Duration = Duration::from_secs(3_600);

/// Keys of [`Store::remember`] for notes that were given.
const NOTED: &str = "points note: ";

/// A series as it stands in a bucket.
struct Sent {
    series: i64,
    table: String,
    bucket: Option<String>,
    measurements: Vec<String>,
    tags: Tags,
    pruned: Option<Timestamp>,
}

impl Sent {
    /// Whether a removal of points of `target` takes points of this series along.
    fn is_hit_by(&self, target: &Sent, removal: Removal, same_bucket: bool) -> bool {
        let has_all = target.tags.iter().all(|tag| self.tags.contains(tag));
        let hits = match removal {
            Removal::Never => false,
            Removal::OneSeries => self.tags == target.tags,
            Removal::WithFurtherTags => has_all,
        };
        let shares = self.measurements.iter().any(|name| target.measurements.contains(name));
        self.series != target.series && same_bucket && shares && hits
    }
}

/// What the removals of a sync did.
#[derive(Debug, Default)]
pub(super) struct Removed {
    /// Rows went back to pending, so the plan is no longer right.
    pub(super) requeued: bool,
    /// What the user should know.
    pub(super) notes: Vec<String>,
}

/// Why a point was left as it is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Left {
    /// Another writer's points have the same tags and more.
    Foreign,
    /// Rows of another table that were pruned here.
    Pruned(String),
}

/// Removes what it can within its bounds. `looked` are the buckets that the caller has compared with what is remembered of
/// them.
pub(super) fn remove(
    config: &Config,
    store: &Store,
    destination: &mut dyn Destination,
    looked: &[Option<&str>],
    cancel: &Cancel,
) -> Result<Removed, SyncError> {
    let mut removed = Removed::default();
    store.forget_stale_of_no_row()?;
    let stale = store.stale_series()?;
    let has_points = |table: &str| stale.iter().any(|series| series.table == table);
    if stale.is_empty() {
        left_points::keep(store, &BTreeMap::new(), has_points)?;
        return Ok(removed);
    }
    if destination.removal() == Removal::Never {
        for (table, note) in kept_for_ever(config, &stale) {
            removed.notes.extend(once(store, &table, note)?);
        }
        return Ok(removed);
    }
    let sent = sent_series(config, store)?;
    let mut by_bucket: BTreeMap<Option<String>, Vec<(&Sent, &StaleSeries)>> = BTreeMap::new();
    for series in &stale {
        if let Some(target) = sent.iter().find(|sent| sent.series == series.series) {
            by_bucket.entry(target.bucket.clone()).or_default().push((target, series));
        }
    }
    let until = Instant::now() + config.sync.deadline.min(MOST_TIME) / TIME_PART;
    let unremoved = BTreeMap::new();
    let mut work =
        Work { config, store, destination, sent: &sent, removed, unremoved, left: MOST_REMOVALS, until, cancel };
    for (bucket, targets) in by_bucket {
        let name = bucket.as_deref();
        if !looked.contains(&name) && !work.is_the_same_bucket(name)? {
            continue;
        }
        match work.destination.may_remove(name) {
            Ok(()) => {}
            // What cannot be reached cannot be written to either; the sync says so.
            Err(QueryError::Unreachable(reason)) => {
                tracing::debug!("no points are removed now: {reason}");
                continue;
            }
            Err(error) => {
                work.note_refused(name, &targets, &error)?;
                continue;
            }
        }
        for (target, series) in targets {
            work.series(target, series)?;
        }
    }
    left_points::keep(store, &work.unremoved, has_points)?;
    Ok(work.removed)
}

/// Every series of a configured table whose lines can be spelled.
fn sent_series(config: &Config, store: &Store) -> Result<Vec<Sent>, SyncError> {
    let mut list = Vec::new();
    for KnownSeries { series, table, tags, pruned } in store.known_series()? {
        let Some(known) = config.table(&table) else { continue };
        let of = SeriesBacklog { series, table: table.clone(), tags, intervals: Vec::new() };
        let Ok(shape) = shape(config, store, known, &of)? else { continue };
        let measurements = shape.measurements().map(|(name, _)| name.to_owned()).collect();
        let (bucket, tags) = (known.bucket.clone(), shape.tags().to_vec());
        list.push(Sent { series, table, bucket, measurements, tags, pruned });
    }
    Ok(list)
}

/// What a destination keeps that removes nothing: each table with a note.
fn kept_for_ever(config: &Config, stale: &[StaleSeries]) -> Vec<(String, String)> {
    let clock = |table: &str| config.table(table).map_or(config.station.clock, |table| table.clock);
    let note = |Points { table, points, gone, span }: Points| {
        let because = "because this destination cannot remove points";
        let (from, to) = (clock(&table).event_time(span.0), clock(&table).event_time(span.1));
        let note = if gone > 0 {
            format!(
                "table \"{table}\": {gone} of {points} points from {from} to {to} stand at times that no row has any more, since the \
                 logger's clock was corrected, {because}: delete them there; the rows were sent again under their true time"
            )
        } else {
            format!(
                "table \"{table}\": {points} points from {from} to {to} keep values that the rows no longer have (replaced, missing or \
                 withheld since they were sent), {because}; the store has the right values"
            )
        };
        (table, note)
    };
    by_table(stale.iter()).into_iter().map(note).collect()
}

/// The note, unless it is the one that was given last on this subject: what has not changed needs no look at every run.
pub(super) fn once(store: &Store, subject: &str, note: String) -> Result<Option<String>, SyncError> {
    tracing::warn!("{note}");
    let key = format!("{NOTED}{subject}");
    if store.recall(&key)?.as_ref() == Some(&note) {
        return Ok(None);
    }
    store.remember(&key, &note)?;
    Ok(Some(note))
}

/// The points of a table.
pub(super) struct Points {
    pub(super) table: String,
    pub(super) points: u64,
    /// Of these, points without a row.
    gone: u64,
    /// First and last time.
    pub(super) span: (Timestamp, Timestamp),
}

pub(super) fn by_table<'s>(stale: impl Iterator<Item = &'s StaleSeries>) -> Vec<Points> {
    let mut tables: Vec<Points> = Vec::new();
    for StaleSeries { table, points, gone, span, .. } in stale {
        match tables.iter_mut().find(|known| known.table == *table) {
            Some(known) => {
                known.points += points;
                known.gone += gone;
                known.span = (known.span.0.min(span.0), known.span.1.max(span.1));
            }
            None => tables.push(Points { table: table.clone(), points: *points, gone: *gone, span: *span }),
        }
    }
    tables
}

struct Work<'a> {
    config: &'a Config,
    store: &'a Store,
    destination: &'a mut dyn Destination,
    sent: &'a [Sent],
    removed: Removed,
    /// What cannot be removed of each table that was come to.
    unremoved: BTreeMap<String, Option<Unremoved>>,
    /// Removals that this sync may still make.
    left: usize,
    until: Instant,
    cancel: &'a Cancel,
}

impl<'a> Work<'a> {
    /// A bucket without pending rows has not been looked at by the sync.
    fn is_the_same_bucket(&mut self, bucket: Option<&str>) -> Result<bool, SyncError> {
        let look = self.destination.look(bucket);
        match identity::compare(self.store, &self.destination.name(), bucket, &look)? {
            identity::Verdict::Same => Ok(true),
            identity::Verdict::Note(note) => {
                self.removed.notes.push(note);
                Ok(true)
            }
            // Said and held when there are rows to send to it.
            identity::Verdict::Hold(_) => Ok(false),
        }
    }

    fn note_refused(
        &mut self,
        bucket: Option<&str>,
        targets: &[(&Sent, &StaleSeries)],
        error: &QueryError,
    ) -> Result<(), SyncError> {
        let bucket = bucket.map_or_else(|| "the destination's own bucket".to_owned(), |name| format!("bucket {name}"));
        for Points { table, points, span, .. } in by_table(targets.iter().map(|(_, series)| *series)) {
            let note = format!(
                "table \"{table}\": {points} points from {} to {} in {bucket} keep values that the rows no longer have, because \
                 they may not be removed ({error}); each sync tries again",
                span.0, span.1
            );
            Unremoved::add(&mut self.unremoved, &table, points, format!("they may not be removed ({error})"));
            self.removed.notes.extend(once(self.store, &table, note)?);
        }
        Ok(())
    }

    /// Removes the points of one series, oldest first.
    fn series(&mut self, target: &Sent, stale: &StaleSeries) -> Result<(), SyncError> {
        self.unremoved.entry(target.table.clone()).or_default();
        let others = self.hit_by(target);
        // One by one where a point between may have to stay, and in a bucket that cannot be read, where that is unknown.
        let is_whole = |sent: &Sent| sent.pruned.is_none_or(|pruned| pruned < stale.span.0);
        let mut together = is_whole(target) && others.iter().all(|other| is_whole(other));
        let mut keys = self.keys_of_the_measurement(target);
        let mut foreign = false;
        for measurement in &target.measurements {
            match self.destination.beside(&ask(target, measurement, Interval::closed(stale.span.0, stale.span.1))) {
                Ok(beside) => {
                    keys.extend(beside.tag_keys);
                    foreign |= beside.series.iter().any(|tags| !is_ours(tags, target, &others));
                }
                Err(error) => {
                    tracing::debug!("what else is beside these points is unknown: {error}");
                    together = false;
                }
            }
        }
        keys.sort();
        keys.dedup();
        let mut kept: BTreeMap<Left, (u64, Timestamp, Timestamp)> = BTreeMap::new();
        let mut after = None;
        loop {
            let most = REMOVALS_PER_STEP.min(self.left);
            let runs = self.store.stale_runs(target.series, after, most, together && !foreign)?;
            let Some(last) = runs.last() else { break };
            after = Some(last.to);
            if self.left == 0 || Instant::now() >= self.until || self.cancel.ends_the_sync() {
                break;
            }
            let mut due = Vec::new();
            for run in runs {
                match self.obstacle(target, &others, &run, foreign)? {
                    None => due.push(run),
                    Some(left) => {
                        let entry = kept.entry(left).or_insert((0, run.from, run.to));
                        *entry = (entry.0 + run.points() as u64, entry.1.min(run.from), entry.2.max(run.to));
                    }
                }
            }
            if !self.step(target, &others, &keys, due)? {
                break;
            }
        }
        for (left, (points, from, to)) in kept {
            let why = match left {
                Left::Foreign => {
                    "another writer's points there have the same tags and more, and would be removed with them; \
                     give the table a tag or a measurement of its own"
                        .to_owned()
                }
                Left::Pruned(other) => {
                    format!("rows of table \"{other}\" that were pruned here would be removed with them")
                }
            };
            let note = format!(
                "table \"{}\": {points} points from {from} to {to} keep values that the rows no longer have: {why}",
                target.table
            );
            Unremoved::add(&mut self.unremoved, &target.table, points, why);
            self.removed.notes.extend(once(self.store, &target.table, note)?);
        }
        Ok(())
    }

    /// Our other series whose points a removal takes along.
    fn hit_by(&self, target: &Sent) -> Vec<&'a Sent> {
        let removal = self.destination.removal();
        let place = |sent: &Sent| self.place(sent.bucket.as_deref(), removal);
        self.sent.iter().filter(|other| other.is_hit_by(target, removal, place(other) == place(target))).collect()
    }

    /// Where a removal reaches: InfluxDB 1.x names no retention policy, and reaches every one of the database.
    fn place(&self, bucket: Option<&str>, removal: Removal) -> String {
        let own = match &self.config.destination {
            DestinationConfig::Influx(influx) => influx.bucket.as_str(),
            DestinationConfig::Files { .. } => "",
        };
        let name = bucket.unwrap_or(own);
        let database = name.split('/').next().unwrap_or(name);
        if removal == Removal::OneSeries { database } else { name }.to_owned()
    }

    /// Tag keys of our series with the same measurement, for a server that does not say which there are.
    fn keys_of_the_measurement(&self, target: &Sent) -> Vec<String> {
        let shares = |sent: &&Sent| sent.measurements.iter().any(|name| target.measurements.contains(name));
        self.sent.iter().filter(shares).flat_map(|sent| names(&sent.tags)).collect()
    }

    /// What speaks against the removal of these points.
    fn obstacle(
        &mut self,
        target: &Sent,
        others: &[&Sent],
        run: &StaleRun,
        foreign: bool,
    ) -> Result<Option<Left>, SyncError> {
        if let Some(other) = others.iter().find(|other| other.pruned.is_some_and(|pruned| pruned >= run.from)) {
            return Ok(Some(Left::Pruned(other.table.clone())));
        }
        if !foreign {
            return Ok(None);
        }
        // Somewhere in the whole span; perhaps not here.
        for measurement in &target.measurements {
            let Ok(beside) = self.destination.beside(&ask(target, measurement, Interval::closed(run.from, run.to)))
            else {
                return Ok(Some(Left::Foreign));
            };
            if beside.series.iter().any(|tags| !is_ours(tags, target, others)) {
                return Ok(Some(Left::Foreign));
            }
        }
        Ok(None)
    }

    /// Rows back to pending, points removed, marks forgotten. False where the server stopped answering.
    fn step(
        &mut self,
        target: &Sent,
        others: &[&Sent],
        keys: &[String],
        runs: Vec<StaleRun>,
    ) -> Result<bool, SyncError> {
        for run in &runs {
            for series in others.iter().map(|other| other.series).chain([target.series]) {
                let span = Interval::closed(run.from, run.to);
                if self.store.has_sent(series, span)? {
                    self.store.requeue_sent(series, span)?;
                    self.removed.requeued = true;
                }
            }
        }
        let mut done = Vec::new();
        let mut goes_on = true;
        'runs: for run in runs {
            // The marks of what is not removed stay for the next sync.
            if Instant::now() >= self.until || self.cancel.ends_the_sync() {
                goes_on = false;
                break;
            }
            self.left = self.left.saturating_sub(1);
            for measurement in &target.measurements {
                let answer =
                    self.destination.remove(&ask(target, measurement, Interval::closed(run.from, run.to)), keys);
                if let Err(error) = answer {
                    tracing::warn!("table {}: points at {} were not removed: {error}", target.table, run.from);
                    goes_on = false;
                    if matches!(error, QueryError::Unreachable(_)) {
                        // Every other series would wait for the same server.
                        self.left = 0;
                    }
                    break 'runs;
                }
            }
            done.push(run);
        }
        let points: usize = done.iter().map(StaleRun::points).sum();
        self.store.forget_stale(&done)?;
        if points > 0 {
            tracing::info!(table = target.table, points, "removed points whose rows changed; the rows are sent again");
        }
        Ok(goes_on)
    }
}

fn ask<'a>(target: &'a Sent, measurement: &'a str, interval: Interval) -> SeriesAsk<'a> {
    SeriesAsk { bucket: target.bucket.as_deref(), measurement, tags: &target.tags, interval }
}

fn names(tags: &Tags) -> impl Iterator<Item = String> {
    tags.iter().map(|(name, _)| name.clone())
}

/// Whether the series is the one that is meant, or one of ours whose rows are sent again.
fn is_ours(tags: &Tags, target: &Sent, others: &[&Sent]) -> bool {
    *tags == target.tags || others.iter().any(|other| other.tags == *tags)
}
