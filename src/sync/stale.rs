//! Removes points from the bucket that hold fields which their rows no longer send, before the rows are sent again.
//!
//! The order of the steps keeps every row, even if the process stops in between: first each sent row that a removal may
//! affect becomes pending again (the row's own, and those of other tables), then the server removes the points, then
//! the marks are deleted. A failed removal delays nothing: the rows are sent, the marks are kept, and a later sync
//! tries again. Only points of rows that the store has are removed. A removal that would also remove a point of another
//! program, or of a row that was pruned here, is not made and is reported.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::left_points::{self, Unremoved};
use super::{Cancel, SyncError, identity, shape};
use crate::config::{Config, DestinationConfig};
use crate::destination::{Destination, QueryError, Removal, SeriesAsk, Tags};
use crate::store::{KnownSeries, SeriesBacklog, StaleRun, StaleSeries, Store};
use crate::time::{Interval, Timestamp};

/// The most removals in one sync. Over a slow link each takes a round trip; the rest is left for the next sync.
pub(super) const MOST_REMOVALS: usize = 2_000;
/// The number of removals whose marks are deleted in one transaction.
const REMOVALS_PER_STEP: usize = 100;
/// Removals may take one part in this many of a sync's time.
const TIME_PART: u32 = 4;
/// With a deadline of years, removals still must leave time for the rows.
const MOST_TIME: Duration = Duration::from_secs(3_600);

/// The prefix of [`Store::remember`] keys for notes that were given.
const NOTED: &str = "points note: ";

/// A series as it is in a bucket.
pub(super) struct BucketSeries {
    series: i64,
    pub(super) table: String,
    pub(super) bucket: Option<String>,
    pub(super) measurements: Vec<String>,
    pub(super) tags: Tags,
    pruned: Option<Timestamp>,
}

impl BucketSeries {
    /// Whether a removal of points of `target` also removes points of this series.
    fn is_hit_by(&self, target: &BucketSeries, removal: Removal, same_bucket: bool) -> bool {
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

/// The result of the removals of a sync.
#[derive(Debug, Default)]
pub(super) struct Removed {
    /// Whether rows became pending again, so that the plan is outdated.
    pub(super) requeued: bool,
    /// What the user should know.
    pub(super) notes: Vec<String>,
}

/// Why a point was not removed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum NotRemoved {
    /// Another program's points have the same tags and more.
    Foreign,
    /// Rows of this other table were pruned here.
    Pruned(String),
}

/// Removes what it can within its limits. `looked` are the buckets that the caller has compared with what is remembered
/// about them.
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
    let mut by_bucket: BTreeMap<Option<String>, Vec<(&BucketSeries, &StaleSeries)>> = BTreeMap::new();
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
            // If the server cannot be reached, writing fails too, and the sync reports that.
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

/// Every series of a configured table whose lines can be rendered.
pub(super) fn sent_series(config: &Config, store: &Store) -> Result<Vec<BucketSeries>, SyncError> {
    let mut list = Vec::new();
    for KnownSeries { series, table, tags, pruned } in store.known_series()? {
        let Some(known) = config.table(&table) else { continue };
        let of = SeriesBacklog { series, table: table.clone(), tags, intervals: Vec::new() };
        let Ok(shape) = shape(config, store, known, &of)? else { continue };
        let measurements = shape.measurements().map(|(name, _)| name.to_owned()).collect();
        let (bucket, tags) = (known.bucket.clone(), shape.tags().to_vec());
        list.push(BucketSeries { series, table, bucket, measurements, tags, pruned });
    }
    Ok(list)
}

/// For a destination that cannot remove points: a note for each table.
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

/// The note, unless it equals the last one on this subject: an unchanged note is not repeated in every run.
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
    sent: &'a [BucketSeries],
    removed: Removed,
    /// The points of each visited table that cannot be removed.
    unremoved: BTreeMap<String, Option<Unremoved>>,
    /// The number of removals that this sync may still make.
    left: usize,
    until: Instant,
    cancel: &'a Cancel,
}

impl<'a> Work<'a> {
    /// For a bucket without pending rows, which the sync has not looked at.
    fn is_the_same_bucket(&mut self, bucket: Option<&str>) -> Result<bool, SyncError> {
        let look = self.destination.look(bucket);
        match identity::compare(self.store, &self.destination.name(), bucket, &look)? {
            identity::Verdict::Same => Ok(true),
            identity::Verdict::Note(note) => {
                self.removed.notes.push(note);
                Ok(true)
            }
            // This is reported, and the bucket held, when there are rows to send to it.
            identity::Verdict::Hold(_) => Ok(false),
        }
    }

    fn note_refused(
        &mut self,
        bucket: Option<&str>,
        targets: &[(&BucketSeries, &StaleSeries)],
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
    fn series(&mut self, target: &BucketSeries, stale: &StaleSeries) -> Result<(), SyncError> {
        self.unremoved.entry(target.table.clone()).or_default();
        let others = self.hit_by(target);
        // Points are removed one by one if a point in between may have to be kept, and in a bucket that cannot be read,
        // because it is unknown there.
        let is_whole = |sent: &BucketSeries| sent.pruned.is_none_or(|pruned| pruned < stale.span.0);
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
        let mut kept: BTreeMap<NotRemoved, (u64, Timestamp, Timestamp)> = BTreeMap::new();
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
                NotRemoved::Foreign => {
                    "another writer's points there have the same tags and more, and would be removed with them; \
                     give the table a tag or a measurement of its own"
                        .to_owned()
                }
                NotRemoved::Pruned(other) => {
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

    /// Our other series from which a removal also removes points.
    fn hit_by(&self, target: &BucketSeries) -> Vec<&'a BucketSeries> {
        let removal = self.destination.removal();
        let place = |sent: &BucketSeries| self.place(sent.bucket.as_deref(), removal);
        self.sent.iter().filter(|other| other.is_hit_by(target, removal, place(other) == place(target))).collect()
    }

    /// The scope of a removal: InfluxDB 1.x names no retention policy, and removes points in every one of the database.
    fn place(&self, bucket: Option<&str>, removal: Removal) -> String {
        let own = match &self.config.destination {
            DestinationConfig::Influx(influx) => influx.bucket.as_str(),
            DestinationConfig::Files { .. } => "",
        };
        let name = bucket.unwrap_or(own);
        let database = name.split('/').next().unwrap_or(name);
        if removal == Removal::OneSeries { database } else { name }.to_owned()
    }

    /// The tag keys of our series with the same measurement, for a server that does not list them.
    fn keys_of_the_measurement(&self, target: &BucketSeries) -> Vec<String> {
        let shares = |sent: &&BucketSeries| sent.measurements.iter().any(|name| target.measurements.contains(name));
        self.sent.iter().filter(shares).flat_map(|sent| names(&sent.tags)).collect()
    }

    /// The reason not to remove these points, if there is one.
    fn obstacle(
        &mut self,
        target: &BucketSeries,
        others: &[&BucketSeries],
        run: &StaleRun,
        foreign: bool,
    ) -> Result<Option<NotRemoved>, SyncError> {
        if let Some(other) = others.iter().find(|other| other.pruned.is_some_and(|pruned| pruned >= run.from)) {
            return Ok(Some(NotRemoved::Pruned(other.table.clone())));
        }
        if !foreign {
            return Ok(None);
        }
        // Foreign points are somewhere in the whole span, perhaps not at these times.
        for measurement in &target.measurements {
            let Ok(beside) = self.destination.beside(&ask(target, measurement, Interval::closed(run.from, run.to)))
            else {
                return Ok(Some(NotRemoved::Foreign));
            };
            if beside.series.iter().any(|tags| !is_ours(tags, target, others)) {
                return Ok(Some(NotRemoved::Foreign));
            }
        }
        Ok(None)
    }

    /// Makes rows pending again, removes points, and deletes their marks. False if the server no longer answers.
    fn step(
        &mut self,
        target: &BucketSeries,
        others: &[&BucketSeries],
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
            // The marks of points that are not removed are kept for the next sync.
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

fn ask<'a>(target: &'a BucketSeries, measurement: &'a str, interval: Interval) -> SeriesAsk<'a> {
    SeriesAsk { bucket: target.bucket.as_deref(), measurement, tags: &target.tags, interval }
}

fn names(tags: &Tags) -> impl Iterator<Item = String> {
    tags.iter().map(|(name, _)| name.clone())
}

/// Whether the series is the target, or one of ours whose rows are sent again.
fn is_ours(tags: &Tags, target: &BucketSeries, others: &[&BucketSeries]) -> bool {
    *tags == target.tags || others.iter().any(|other| other.tags == *tags)
}
