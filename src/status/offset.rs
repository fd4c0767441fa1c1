//! Detects whether a table's rows and the files that they come in differ by whole hours, which indicates a wrong
//! `utc_offset`.
//!
//! A file is written moments after its newest row, however seldom LoggerNet collects. One collection proves nothing, so
//! the last `KEPT` collections of each table are kept, and `LEAST` of them must agree. Slow tables show nothing: their
//! newest row may be hours old when the file is written.

use std::fmt::Write as _;
use std::time::{Duration, UNIX_EPOCH};

use crate::config::{Config, TableConfig};
use crate::ingest::{IngestReport, TableReport};
use crate::store::{Store, StoreError};
use crate::time::{CLOCKS_DRIFT, Timestamp};

/// Collections that are kept for each table.
const KEPT: usize = 8;
/// Collections that have to agree.
const LEAST: usize = 5;
/// Of tables whose rows are further apart, nothing is concluded.
const SLOWEST: Duration = Duration::from_secs(1_800);
const HALF_HOUR_S: i64 = 1_800;
/// From UTC-12 to UTC+14, the largest mistake.
const MOST_S: i64 = 26 * 3_600;
/// A file is written so long after its newest row at most.
const WRITTEN_AFTER_S: i64 = 900;
const DRIFT_S: i64 = CLOCKS_DRIFT.num_seconds();

/// One collection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Collection {
    /// Modification time of the file, seconds since 1970.
    modified_s: i64,
    /// By how much the newest row was older than that, seconds.
    behind_s: i64,
}

fn key(table: &str) -> String {
    format!("{}{table}", Store::OFFSETS_SEEN)
}

/// Keeps what an ingest shows of each table that got rows from its configured files.
///
/// # Errors
/// The store fails.
pub fn keep(config: &Config, store: &Store, report: &IngestReport) -> Result<(), StoreError> {
    for table in report.tables.iter().filter(|table| table.counts.staged > 0) {
        let Some(configured) = config.table(&table.table) else { continue };
        let newest = store.series(&table.table)?.iter().filter_map(|series| series.newest).max();
        let (Some(newest), Some(modified_s)) = (newest, modified_s(configured, table)) else { continue };
        let kept = store.recall(&key(&table.table))?;
        let mut collections = kept.as_deref().map(read).unwrap_or_default();
        if collections.last().is_some_and(|last| last.modified_s == modified_s) {
            continue;
        }
        collections.push(Collection { modified_s, behind_s: modified_s - newest.seconds() });
        let first = collections.len().saturating_sub(KEPT);
        store.remember(&key(&table.table), &written(&collections[first..]))?;
    }
    Ok(())
}

/// When the newest of the configured files that brought rows was written. Files given by hand may be copies of any age.
fn modified_s(configured: &TableConfig, table: &TableReport) -> Option<i64> {
    let patterns: Vec<glob::Pattern> =
        configured.files.iter().filter_map(|file| glob::Pattern::new(&file.to_string_lossy()).ok()).collect();
    let brought = table.sources.iter().filter(|source| source.counts.staged > 0);
    brought
        .filter(|source| {
            configured.files.iter().any(|file| file.to_string_lossy() == source.file)
                || patterns.iter().any(|pattern| pattern.matches(&source.file))
        })
        .filter_map(|source| std::fs::metadata(&source.file).ok()?.modified().ok()?.duration_since(UNIX_EPOCH).ok())
        .filter_map(|since| i64::try_from(since.as_secs()).ok())
        .max()
}

fn written(collections: &[Collection]) -> String {
    let mut text = String::new();
    for collection in collections {
        // Writing to a String cannot fail.
        let _ = write!(text, "{}:{} ", collection.modified_s, collection.behind_s);
    }
    text.truncate(text.trim_end().len());
    text
}

fn read(text: &str) -> Vec<Collection> {
    text.split_whitespace()
        .filter_map(|pair| {
            let (modified_s, behind_s) = pair.split_once(':')?;
            Some(Collection { modified_s: modified_s.parse().ok()?, behind_s: behind_s.parse().ok()? })
        })
        .collect()
}

/// By how many seconds, a whole number of half hours, the rows of a table are behind their files, or ahead of them
/// (negative). None if they are not, or if it cannot be concluded. `interval` is the usual one.
///
/// # Errors
/// The store fails.
pub fn of(store: &Store, table: &str, interval: Option<Duration>, now: Timestamp) -> Result<Option<i64>, StoreError> {
    let Some(interval) = interval.filter(|interval| *interval <= SLOWEST) else { return Ok(None) };
    let kept = store.recall(&key(table))?;
    let mut collections = kept.as_deref().map(read).unwrap_or_default();
    // A file from the future was dated by a clock that was wrong.
    collections.retain(|collection| collection.modified_s <= now.seconds() + DRIFT_S);
    Ok(agreed(&collections, interval))
}

/// A collection just before a row is stored, and rows that bear the beginning of their interval, are one interval behind.
fn agreed(collections: &[Collection], interval: Duration) -> Option<i64> {
    let last = &collections[collections.len().checked_sub(LEAST)?..];
    let offset = |collection: &Collection| {
        let halves = (collection.behind_s + DRIFT_S).div_euclid(HALF_HOUR_S);
        let rest = collection.behind_s - halves * HALF_HOUR_S;
        (rest <= WRITTEN_AFTER_S).then_some(halves * HALF_HOUR_S)
    };
    let first = offset(last.first()?)?;
    let is_agreed = last.iter().all(|collection| offset(collection) == Some(first));
    let is_apart = first < 0 || u64::try_from(first).is_ok_and(|first| first > interval.as_secs());
    (is_agreed && is_apart && first.abs() <= MOST_S).then_some(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn behind(seconds: &[i64]) -> Option<i64> {
        behind_at(300, seconds)
    }

    fn behind_at(interval_s: u64, seconds: &[i64]) -> Option<i64> {
        let collections: Vec<Collection> = (1_700_000_000..)
            .step_by(300)
            .zip(seconds)
            .map(|(modified_s, behind_s)| Collection { modified_s, behind_s: *behind_s })
            .collect();
        assert_eq!(read(&written(&collections)), collections);
        agreed(&collections, Duration::from_secs(interval_s))
    }

    #[test]
    fn only_five_collections_that_agree_are_believed() {
        assert_eq!(behind(&[18_003, 18_010, 17_995, 18_300, 18_002]), Some(18_000));
        assert_eq!(behind(&[18_003, 18_010, 17_995, 18_300]), None);
        assert_eq!(behind(&[-1_795, -1_790, -1_800, -1_700, -1_788]), Some(-1_800));
        assert_eq!(behind(&[3, 5, 60, 300, 2]), None);
        // A link that was down for five hours once, and a file of an archive.
        assert_eq!(behind(&[3, 5, 18_000, 5, 3]), None);
        assert_eq!(behind(&[90_000_000; 6]), None);
        // One that agrees no longer clears it.
        assert_eq!(behind(&[0; 5]), None);
        assert_eq!(behind(&[18_003, 18_010, 17_995, 18_300, 18_002, 5]), None);
    }

    #[test]
    fn rows_that_are_one_interval_behind_their_files_are_no_wrong_offset() {
        assert_eq!(behind_at(1_800, &[1_803, 1_790, 1_799, 1_810, 1_802]), None);
        assert_eq!(behind_at(1_800, &[3_603, 3_590, 3_599, 3_610, 3_602]), Some(3_600));
        assert_eq!(behind_at(1_800, &[-1_795, -1_790, -1_800, -1_700, -1_788]), Some(-1_800));
        assert_eq!(behind_at(900, &[1_803, 1_790, 1_799, 1_810, 1_802]), Some(1_800));
    }
}
