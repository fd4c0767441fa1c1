//! Tag columns that the configuration names later than the first rows came.
//!
//! Rows that differ in such a column only were conflicts; they become rows, and every stored row gets the key that its own
//! values give it, so that a file that is read again finds it there (I3). It is done once a change of the configuration.

use super::again;
use super::lines::{LineTaker, Taken};
use crate::config::{ColumnUse, TableConfig};
use crate::format;
use crate::store::{Incoming, LineAt, LineState, Result, Staging, Store, Table};
use crate::time::{Clock, Timestamp};

/// Moves what has to be moved. Gives a message where something was.
pub(super) fn apply(
    store: &Store,
    staging: &mut Staging<'_>,
    table: &mut Table,
    config: &TableConfig,
    clock: &dyn Clock,
) -> Result<Option<String>> {
    let is_tag = |name: &str| config.columns.get(name).is_some_and(|column| column.column_use == ColumnUse::Tag);
    let places: Vec<usize> = (0..table.columns.len()).filter(|place| is_tag(&table.columns[*place].name)).collect();
    let inputs = again::inputs(config);
    if places.is_empty() || store.tags_judged_by(table)? == Some(inputs) {
        return Ok(None);
    }
    let tags_of = |values: &str| -> Option<String> {
        let texts = format::texts_of(values, &places)?;
        serde_json::to_string(&texts).ok()
    };
    let (mut emptied, mut names, mut moved, mut left) = (Vec::new(), Vec::new(), 0_u64, 0_u64);
    for (series, tags) in store.series_with_tags(table)? {
        let known: Vec<String> = serde_json::from_str(&tags).unwrap_or_default();
        if known.len() == places.len() {
            continue;
        }
        staging.begin()?;
        staging.use_columns(table, config)?;
        let (mut after, mut stay) = (None, 0_u64);
        loop {
            let rows = store.old_rows(series, after)?;
            let Some(last) = rows.last() else { break };
            after = Some(last.id());
            for row in &rows {
                match tags_of(row.values()) {
                    Some(tags) => {
                        staging.move_row(table, row, &tags)?;
                        moved += 1;
                    }
                    // Its file had no such column.
                    None => stay += 1,
                }
            }
            staging.flush(table)?;
            staging.commit()?;
        }
        let now = Timestamp::from_utc(clock.now());
        for content in store.conflicts_of_series(series)? {
            let line = LineAt {
                path: &content.path,
                number: content.number,
                raw: content.raw.as_bytes(),
                state: LineState::Whole,
            };
            let staged = if let Some(header) = content.header {
                let mut taker = LineTaker::new(store, config, &content.path, now);
                taker.begin_under(staging, table, header)?;
                taker.known_time = Some(content.ts);
                matches!(taker.stage_row(staging, table, line)?, Taken::Row(_))
            } else if let Some(tags) = tags_of(&content.raw) {
                let mut numbers = Vec::new();
                format::values_of(&content.raw, &mut numbers);
                numbers.resize(table.columns.len(), format::Value::Missing);
                let row = Incoming {
                    tags: &tags,
                    ts: content.ts,
                    record: content.record,
                    values: &content.raw,
                    numbers: &numbers,
                    ts_text: content.ts_text.as_deref(),
                    line,
                    header: None,
                };
                staging.stage(table, &row, config.on_conflict)?;
                true
            } else {
                false
            };
            if staged {
                staging.resolve_conflict(table, &content)?;
            }
        }
        if stay == 0 {
            emptied.push(series);
        }
        left += stay;
        names.push(if known.is_empty() { "without tags".to_owned() } else { known.join(", ") });
    }
    staging.flush(table)?;
    staging.end_retagging(table, &emptied, inputs)?;
    staging.commit()?;
    if !names.is_empty() {
        *table = store.table(config)?;
    }
    if moved == 0 {
        return Ok(None);
    }
    let stay = if left == 0 { String::new() } else { format!("; {left} without a value there did not change") };
    Ok(Some(format!(
        "the tag columns changed: {moved} rows have new tags and are sent again{stay}. The old points stay in the bucket, in \
         the series {}; delete them there",
        names.join("; ")
    )))
}
