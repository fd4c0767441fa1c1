//! The backlog as it is sent: each series with the shape of its lines, its bucket and its position in the plan.

use super::{BucketPlan, SyncError, final_flags, live_rows, most_columns, plan};
use crate::config::{ColumnUse, Config, TableConfig};
use crate::line::{LineError, LineShape};
use crate::quantity::Process;
use crate::store::{Column, SeriesBacklog, Store};
use crate::time::{Interval, Timestamp};

/// A line may be longer than the newest one of its table by one part in this many.
const LINES_VARY: usize = 4;

/// The backlog, with what is needed to render it.
pub(super) struct Outbox {
    pub(super) backlog: Vec<SeriesBacklog>,
    pub(super) shapes: Vec<LineShape>,
    pub(super) buckets: Vec<Option<String>>,
    pub(super) plan: Vec<BucketPlan>,
    pub(super) notes: Vec<String>,
}

impl Outbox {
    /// Opens the backlog; with `now`, only rows whose flags are final by then.
    pub(super) fn open(config: &Config, store: &Store, now: Option<Timestamp>) -> Result<Outbox, SyncError> {
        let mut outbox = Outbox {
            backlog: Vec::new(),
            shapes: Vec::new(),
            buckets: Vec::new(),
            plan: Vec::new(),
            notes: Vec::new(),
        };
        for mut series in store.backlog()? {
            let Some(table) = config.table(&series.table) else {
                outbox.note(format!(
                    "table \"{}\" is no longer in the configuration; its rows stay pending",
                    series.table
                ));
                continue;
            };
            if let Some(now) = now {
                final_flags::cut(config, store, table, &mut series, now)?;
                if series.intervals.is_empty() {
                    continue;
                }
            }
            match shape(config, store, table, &series)? {
                Ok(shape) => {
                    outbox.shapes.push(shape);
                    outbox.buckets.push(table.bucket.clone());
                    outbox.backlog.push(series);
                }
                Err(error) => outbox.note(format!("table \"{}\": {error}; its rows stay pending", series.table)),
            }
        }
        outbox.note_shared_identity();
        let live = live_rows(outbox.rows_in_a_request(config, store)?, outbox.backlog.len());
        let mut live_from = Vec::new();
        for series in &outbox.backlog {
            live_from.push(match series.hull() {
                Some(hull) => store.nth_newest_pending(series.series, hull, live)?,
                None => None,
            });
        }
        outbox.plan = plan(&outbox.backlog, |index| outbox.buckets[index].clone(), |index| live_from[index]);
        Ok(outbox)
    }

    /// Each series with the time of the newest row that may be sent.
    pub(super) fn ends(&self) -> Vec<(i64, Timestamp)> {
        self.backlog.iter().filter_map(|series| Some((series.series, series.hull()?.last()))).collect()
    }

    /// The number of rows in a request, by the length of the longest of the series' newest lines.
    fn rows_in_a_request(&self, config: &Config, store: &Store) -> Result<usize, SyncError> {
        let mut longest = 0;
        for (series, shape) in self.backlog.iter().zip(&self.shapes) {
            let Some(hull) = series.hull() else { continue };
            let Some(newest) = store.nth_newest_pending(series.series, hull, 1)? else { continue };
            store.pending_rows(series.series, Interval { from: newest, ..hull }, 1, |row| {
                let mut line = Vec::new();
                // A row that cannot be rendered is not sent.
                let _ = shape.render(row.ts, row.values, row.flags, &mut line);
                longest = longest.max(line.len());
                true
            })?;
        }
        let lines = config.sync.batch_bytes / (longest + longest / LINES_VARY).max(1);
        Ok(lines.min(config.sync.batch_rows))
    }

    /// Adds a note if two tables send a field under the same measurement and tag set: they would silently overwrite
    /// each other's points (docs/influx-answers.md).
    fn note_shared_identity(&mut self) {
        let mut notes = Vec::new();
        for (place, shape) in self.shapes.iter().enumerate() {
            for (other, twin) in self.shapes.iter().enumerate().take(place) {
                let same_point = self.buckets[place] == self.buckets[other]
                    && shape.measurement() == twin.measurement()
                    && shape.tags() == twin.tags();
                if same_point
                    && let Some(field) = shape.field_names().find(|name| twin.field_names().any(|known| known == *name))
                {
                    notes.push(format!(
                        "tables \"{}\" and \"{}\" both send field {field} of measurement {} with the same tags, so one overwrites \
                         the other; give one of them a tag or a measurement of its own",
                        self.backlog[other].table,
                        self.backlog[place].table,
                        shape.measurement()
                    ));
                }
            }
        }
        notes.into_iter().for_each(|note| self.note(note));
    }

    fn note(&mut self, note: String) {
        if !self.notes.contains(&note) {
            tracing::warn!("{note}");
            self.notes.push(note);
        }
    }
}

/// The shape of the lines of a series, if they can be rendered.
pub fn shape(
    config: &Config,
    store: &Store,
    table: &TableConfig,
    series: &SeriesBacklog,
) -> Result<Result<LineShape, LineError>, SyncError> {
    if store.is_retagging_due(table)? {
        return Ok(Err(LineError::TagsChanged));
    }
    let known = store.columns_of(&series.table)?;
    let columns: Vec<String> = known.iter().map(|column| column.name.clone()).collect();
    let tag_names = columns
        .iter()
        .filter(|name| table.columns.get(*name).is_some_and(|column| column.column_use == ColumnUse::Tag));
    let tags: Vec<(String, String)> = tag_names.cloned().zip(series.tags.iter().cloned()).collect();
    let by_hand = store.columns_flagged_by_hand(&series.table)?;
    let spec = config.spec(table);
    let is_flagged = |column: &str| spec.is_tested(column) || by_hand.iter().any(|flagged| flagged == column);
    let shape = LineShape::within(
        most_columns(config, table, |name| store.column_names(name))?,
        table,
        &columns,
        &tags,
        &is_flagged,
    );
    let is_time = |column: &Column| Process::of(&column.process).is_some_and(|process| !process.is_number());
    let times = known.iter().enumerate().filter(|(_, column)| is_time(column)).map(|(place, _)| place);
    Ok(shape.map(|shape| shape.without_numbers_in(times)))
}
