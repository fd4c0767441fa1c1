//! Points in buckets that hold what the rows no longer have: how many, where, and when they go (I12).
//!
//! The marks of the store say which points there are, and what the last sync met says which of them it could not remove. Points
//! under tags that a table had before have no marks: the store keeps up to which time they were sent.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::SyncError;
use super::stale::{MOST_REMOVALS, Points, by_table};
use crate::config::{Config, DestinationConfig};
use crate::store::Store;
use crate::text::{count, grouped};
use crate::time::Timestamp;

/// Under these keys the store keeps how many points of a table a sync could not remove, and why.
const LEFT: &str = "points left: ";

/// Points of one table that hold what its rows no longer have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftPoints {
    /// The table.
    pub table: String,
    /// Which points, where and of when, as a sentence begins with it.
    pub points: String,
    /// The newest of them.
    pub until: Timestamp,
    /// When they go.
    pub goes: Goes,
}

/// When such points go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Goes {
    /// Syncs remove them.
    BySync {
        /// How.
        how: String,
    },
    /// Syncs try to, and cannot.
    NotYet {
        /// Why.
        why: String,
    },
    /// A user can delete them in the bucket.
    ByHand {
        /// Why.
        why: String,
    },
    /// A user can delete them in the bucket, and syncs see that they are gone.
    WhenDeleted {
        /// Why.
        why: String,
    },
}

/// What the last sync could not remove of a table.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Unremoved {
    pub(super) points: u64,
    pub(super) why: String,
}

impl Unremoved {
    /// Adds points of another series of the table. One reason is enough to begin with.
    pub(super) fn add(list: &mut BTreeMap<String, Option<Unremoved>>, table: &str, points: u64, why: String) {
        match list.entry(table.to_owned()).or_default() {
            Some(known) => known.points += points,
            none => *none = Some(Unremoved { points, why }),
        }
    }
}

/// Keeps what a sync could not remove. Tables that it did not come to keep what was known; those without points know nothing.
pub(super) fn keep(
    store: &Store,
    of_tables: &BTreeMap<String, Option<Unremoved>>,
    has_points: impl Fn(&str) -> bool,
) -> Result<(), SyncError> {
    for (key, _) in store.recall_all(LEFT)? {
        let table = key.strip_prefix(LEFT).unwrap_or_default();
        if !has_points(table) || matches!(of_tables.get(table), Some(None)) {
            store.forget_one(&key)?;
        }
    }
    for (table, unremoved) in of_tables {
        if let Some(unremoved) = unremoved {
            let text = serde_json::to_string(unremoved).unwrap_or_default();
            store.remember(&format!("{LEFT}{table}"), &text)?;
        }
    }
    Ok(())
}

/// All of them, table by table.
///
/// # Errors
/// The store fails.
pub fn left_points(config: &Config, store: &Store) -> Result<Vec<LeftPoints>, SyncError> {
    let mut found = Vec::new();
    for of_table in by_table(store.stale_series()?.iter()) {
        let kept = store.recall(&format!("{LEFT}{}", of_table.table))?;
        let unremoved = kept.and_then(|text| serde_json::from_str(&text).ok());
        found.extend(of_marks(config, &of_table, unremoved));
    }
    for left in store.left_series()? {
        let Some(table) = config.table(&left.table) else { continue };
        let tags = left.tags.join(", ");
        let tags = if tags.is_empty() { "without tags".to_owned() } else { format!("with the tags {tags}") };
        let (until, place) = (left.until, place(config, &left.table));
        let why = format!("they stand in the series {tags}, and their rows were sent again under other tags");
        let is_seen = config.destination.can_remove();
        found.push(LeftPoints {
            points: format!("points of table \"{}\"{place} up to {}", left.table, table.clock.event_time(until)),
            until,
            goes: if is_seen { Goes::WhenDeleted { why } } else { Goes::ByHand { why } },
            table: left.table,
        });
    }
    Ok(found)
}

fn of_marks(config: &Config, of_table: &Points, unremoved: Option<Unremoved>) -> Vec<LeftPoints> {
    let Points { table, points: all, span, .. } = of_table;
    let clock = config.table(table).map_or(config.station.clock, |table| table.clock);
    let (from, to) = (clock.event_time(span.0), clock.event_time(span.1));
    let text = |number: u64| {
        format!("{} of table \"{table}\"{} from {from} to {to}", count(number, "point"), place(config, table))
    };
    let some = |number: u64, goes| LeftPoints { table: table.clone(), points: text(number), until: span.1, goes };
    if !config.destination.can_remove() {
        let why = "this destination cannot remove points".to_owned();
        return vec![some(*all, Goes::ByHand { why })];
    }
    if config.table(table).is_none() {
        let why = "the table is not in the configuration any more".to_owned();
        return vec![some(*all, Goes::NotYet { why })];
    }
    let (kept, why) = unremoved.map_or((0, String::new()), |known| (known.points.min(*all), known.why));
    let rest = all - kept;
    let most = MOST_REMOVALS as u64;
    let how = if rest <= most {
        "the next sync removes them and sends their rows again".to_owned()
    } else {
        format!(
            "each sync removes {} of them, or more where their record numbers follow each other, and sends their rows again",
            grouped(most)
        )
    };
    let kept = (kept > 0).then(|| some(kept, Goes::NotYet { why }));
    kept.into_iter().chain((rest > 0).then(|| some(rest, Goes::BySync { how }))).collect()
}

/// The user says that what only a user can remove of a table is removed, or may stay. Gives whether there was anything.
///
/// # Errors
/// The store fails.
pub fn forget_left_points(config: &Config, store: &Store, table: &str) -> Result<bool, SyncError> {
    let mut any = store.forget_left_series(table)?;
    if !config.destination.can_remove() {
        any |= store.forget_marks_of(table)?;
    }
    Ok(any)
}

/// ` in bucket NAME`; nothing of files, which stand beside each other.
fn place(config: &Config, table: &str) -> String {
    let DestinationConfig::Influx(influx) = &config.destination else { return String::new() };
    let own = config.table(table).and_then(|table| table.bucket.as_deref());
    format!(" in bucket {}", own.unwrap_or(&influx.bucket))
}
