//! Looks in the bucket for points under tags that a table had before, so that the finding about them clears by itself (I12).
//!
//! By which names earlier tags were sent is not known, so a series is recognised by its values. Its points are gone only where they
//! were seen before in the same bucket, measurement and tags of the table: a question to another place, as after a change of the
//! measurement, finds nothing either. What cannot be asked, or looks like a series of another table, stays named.

use std::collections::BTreeMap;

use super::stale::{BucketSeries, sent_series};
use super::{SyncError, shape};
use crate::config::{Config, TableConfig};
use crate::destination::{Destination, QueryError, SeriesAsk, Tags};
use crate::line::{LineShape, tag_text};
use crate::store::{LeftSeries, SeriesBacklog, Store};
use crate::time::{Interval, NANOS_PER_SECOND, Timestamp};

/// When a sync looked last.
const LOOKED: &str = "left series looked for";
/// A sync looks again after this time.
const AGAIN: i64 = 3_600 * NANOS_PER_SECOND;

/// Whether a sync is to look now. A time that lies ahead proves nothing.
pub(super) fn is_due(config: &Config, store: &Store, now: Timestamp) -> Result<bool, SyncError> {
    if !config.destination.can_remove() || store.left_series()?.is_empty() {
        return Ok(false);
    }
    let looked = store.recall(LOOKED)?.and_then(|text| text.parse().ok()).map(Timestamp::from_nanos);
    Ok(looked.is_none_or(|looked| !(0..AGAIN).contains(&now.nanos_since(looked))))
}

/// As [`look_for_left_series`], for a sync.
pub(super) fn look(
    config: &Config,
    store: &Store,
    destination: &mut dyn Destination,
    now: Timestamp,
) -> Result<(), SyncError> {
    store.remember(LOOKED, &now.nanos().to_string())?;
    look_for_left_series(config, store, destination)
}

/// Forgets each series under earlier tags whose points were seen before and are gone now.
///
/// # Errors
/// The store fails. A server that cannot be asked is no error.
pub fn look_for_left_series(
    config: &Config,
    store: &Store,
    destination: &mut dyn Destination,
) -> Result<(), SyncError> {
    let mut tables: BTreeMap<String, Vec<LeftSeries>> = BTreeMap::new();
    for left in store.left_series()? {
        tables.entry(left.table.clone()).or_default().push(left);
    }
    if tables.is_empty() {
        return Ok(());
    }
    let present = sent_series(config, store)?;
    for (name, list) in tables {
        let Some(table) = config.table(&name) else { continue };
        let of = SeriesBacklog { series: 0, table: name, tags: Vec::new(), intervals: Vec::new() };
        // The tags of the whole table alone.
        let Ok(shape) = shape(config, store, table, &of)? else { continue };
        let table = Asked { store, table, shape, present: &present };
        if let Err(error) = table.look(destination, &list)? {
            tracing::debug!("whether points under earlier tags are there is unknown: {error}");
        }
    }
    Ok(())
}

struct Asked<'a> {
    store: &'a Store,
    table: &'a TableConfig,
    shape: LineShape,
    present: &'a [BucketSeries],
}

impl Asked<'_> {
    fn look(
        &self,
        destination: &mut dyn Destination,
        list: &[LeftSeries],
    ) -> Result<Result<(), QueryError>, SyncError> {
        let bucket = self.table.bucket.as_deref();
        let Some(until) = list.iter().map(|left| left.until).max() else { return Ok(Ok(())) };
        let mut found: Vec<Tags> = Vec::new();
        for (measurement, _) in self.shape.measurements() {
            let interval = Interval::closed(Timestamp::EPOCH, until);
            let ask = SeriesAsk { bucket, measurement, tags: self.shape.tags(), interval };
            match destination.tag_sets(&ask) {
                Ok(sets) => found.extend(sets),
                Err(error) => return Ok(Err(error)),
            }
        }
        let place = self.place(&destination.describe(bucket));
        for left in list {
            let values = sorted(left.tags.iter().map(|tag| tag_text(tag)).filter(|tag| !tag.is_empty()));
            let is_like = |tags: &[(String, String)]| self.further_values(tags) == Some(values.clone());
            let beside = || self.present.iter().filter(|series| self.shares_a_measurement(series));
            // Another series, whose points the server cannot tell from these.
            if beside().any(|series| (series.table != left.table || values.is_empty()) && is_like(&series.tags)) {
                continue;
            }
            let is_present = |tags: &Tags| beside().any(|series| series.tags == *tags);
            if found.iter().any(|tags| is_like(tags) && !is_present(tags)) {
                self.store.note_left_seen(left, place)?;
            } else if left.seen_in == Some(place) {
                tracing::info!(table = %left.table, "points under earlier tags are gone from the bucket");
                self.store.forget_left(left)?;
            }
        }
        Ok(Ok(()))
    }

    fn shares_a_measurement(&self, series: &BucketSeries) -> bool {
        let own = |name: &String| self.shape.measurements().any(|(own, _)| own == name);
        series.bucket == self.table.bucket && series.measurements.iter().any(own)
    }

    /// The values of the tags beside those of the whole table; none where one of these is missing.
    fn further_values(&self, tags: &[(String, String)]) -> Option<Vec<String>> {
        let own = self.shape.tags();
        let has_all = own.iter().all(|tag| tags.contains(tag));
        has_all.then(|| sorted(tags.iter().filter(|tag| !own.contains(tag)).map(|(_, value)| value.clone())))
    }

    /// Where the points are looked for.
    fn place(&self, bucket: &str) -> i64 {
        let measurements: Vec<&str> = self.shape.measurements().map(|(name, _)| name).collect();
        let text = format!("{bucket} {measurements:?} {:?}", self.shape.tags());
        xxhash_rust::xxh3::xxh3_64(text.as_bytes()).cast_signed()
    }
}

fn sorted(values: impl Iterator<Item = String>) -> Vec<String> {
    let mut values: Vec<String> = values.collect();
    values.sort_unstable();
    values
}
