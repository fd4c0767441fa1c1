//! Compares the fields that the lines of each table carry with those that they carried before.
//!
//! If a configuration sends less, points that were sent before keep the other fields: a column that is no longer a
//! field or has another name, the flag of a test that is gone, values that are now withheld. The user decides whether
//! older points are sent again, so nothing is done automatically; a note says it once, with the command that does it.

use super::{SyncError, shape, stale};
use crate::config::{Config, TableConfig};
use crate::line::LineShape;
use crate::store::{FieldKind, LostFields, SentField, SeriesBacklog, Store};
use crate::time::Timestamp;

/// Compares the lines of every configured table, or of one, so that a `replay` or `reflag` knows which points lose a
/// field.
pub fn compare(config: &Config, store: &Store, only: Option<&str>) -> Result<(), SyncError> {
    for table in config.tables.iter().filter(|table| only.is_none_or(|only| only == table.name.0)) {
        if let Some(shape) = any_shape(config, store, table)? {
            store.compare_sent_fields(&table.name.0, &fields(&shape))?;
        }
    }
    Ok(())
}

/// Puts back the sent rows of a table whose failed values are now withheld. Returns their number.
pub fn requeue_withheld(
    config: &Config,
    store: &Store,
    table: &TableConfig,
    span: (Timestamp, Timestamp),
) -> Result<u64, SyncError> {
    let Some(shape) = any_shape(config, store, table)? else { return Ok(0) };
    let Some(lost) = store.compare_sent_fields(&table.name.0, &fields(&shape))? else { return Ok(0) };
    let is_lost =
        |name: &str| lost.fields.iter().any(|(kind, known)| *kind == FieldKind::FailingValue && known == name);
    let places: Vec<usize> = shape.carried().filter(|field| is_lost(field.name)).map(|field| field.place).collect();
    if places.is_empty() { Ok(0) } else { Ok(store.requeue_withheld(&table.name.0, &lost, span, &places)?) }
}

/// Compares the tables that are about to be sent. Returns notes on fields that their lines no longer carry, each once.
pub(super) fn notes(store: &Store, backlog: &[SeriesBacklog], shapes: &[LineShape]) -> Result<Vec<String>, SyncError> {
    let mut notes = Vec::new();
    let mut before: Option<&str> = None;
    for (series, shape) in backlog.iter().zip(shapes) {
        // The series of one table are consecutive, and their lines carry the same fields.
        if before.replace(&series.table) == Some(&series.table) {
            continue;
        }
        if let Some(lost) = store.compare_sent_fields(&series.table, &fields(shape))? {
            notes.extend(stale::once(store, &format!("{} fields", series.table), note(&series.table, &lost))?);
        }
    }
    Ok(notes)
}

fn note(table: &str, lost: &LostFields) -> String {
    let what: Vec<String> = lost
        .fields
        .iter()
        // If the value of a column is not sent, its failed values need no note.
        .filter(|(kind, name)| {
            *kind != FieldKind::FailingValue || !lost.fields.contains(&(FieldKind::Value, name.clone()))
        })
        .map(|(kind, name)| match kind {
            FieldKind::Value => name.clone(),
            FieldKind::FailingValue => format!("values of {name} that fail"),
            FieldKind::Flag => format!("flags of {name}"),
        })
        .collect();
    let command = if lost.are_withheld() { "reflag" } else { "replay" };
    format!(
        "table \"{table}\" no longer sends {}; points up to {} that were sent with them keep them, until `fluxtower {command} \
         --table {table} --since {}` sends their rows again without",
        what.join(", "),
        lost.until,
        lost.oldest
    )
}

fn fields(shape: &LineShape) -> Vec<SentField> {
    let mut fields = Vec::new();
    for field in shape.carried() {
        let mut add = |kind| fields.push((kind, field.name.to_owned()));
        add(FieldKind::Value);
        if !field.fails_are_withheld {
            add(FieldKind::FailingValue);
        }
        if field.flag_is_sent {
            add(FieldKind::Flag);
        }
    }
    fields.sort();
    fields
}

/// The line shape of any of the table's series; None if it has no rows or cannot be sent.
fn any_shape(config: &Config, store: &Store, table: &TableConfig) -> Result<Option<LineShape>, SyncError> {
    let Some(series) = store.series(&table.name.0)?.into_iter().next() else { return Ok(None) };
    let backlog =
        SeriesBacklog { series: series.id, table: table.name.0.clone(), tags: series.tags, intervals: Vec::new() };
    Ok(shape(config, store, table, &backlog)?.ok())
}
