//! A table's part of a site's file: its columns and its rows on the full half hours or hours.

use std::time::Duration;

use super::Window;
use super::grid::{Grid, LONGEST_ROUND, Resolution, Steps};
use super::names::Named;
use crate::ameriflux::{self, upload};
use crate::config::TableConfig;
use crate::export::ExportError;
use crate::export::cells::{Cell, Cells};
use crate::export::conversion::{Conversions, Convert};
use crate::export::plain::unknown;
use crate::qc::Flag;
use crate::store::{RowStream, Store, StoredRow};
use crate::time::Timestamp;

/// A table whose rows were examined.
#[derive(Debug)]
pub(super) struct Part<'a> {
    pub(super) table: &'a TableConfig,
    pub(super) resolution: Resolution,
    /// The ends of the first and the last interval.
    pub(super) first: Timestamp,
    pub(super) last: Timestamp,
    /// The time range of the rows that are read.
    read: (Timestamp, Timestamp),
    pub(super) grid: Grid,
    pub(super) rounded: u64,
    pub(super) columns: Vec<Named>,
    pub(super) conversions: Conversions,
}

impl<'a> Part<'a> {
    /// Examines the rows. `is_alone` says that no other table shows the interval.
    pub(super) fn examine(
        store: &Store,
        table: &'a TableConfig,
        window: Window<'_>,
        is_alone: bool,
    ) -> Result<Part<'a>, ExportError> {
        let name = || table.name.0.clone();
        let columns = columns(store, table, window.columns)?;
        let round = window.round.min(LONGEST_ROUND);
        let grid_at = |ts: Timestamp| Grid::of(&table.station_clock, ts, round);
        let edge = |edge: Timestamp| grid_at(edge).edge(edge);
        let (since, until) = (window.since.map(edge), window.until.map(edge));
        let is_outside =
            |end: Timestamp| since.is_some_and(|since| end <= since) || until.is_some_and(|until| end > until);
        // A row that ends where the window begins belongs to the interval before. Rounding may move a row over either
        // edge.
        let from = since.map(|since| if round.is_zero() { since.next_key() } else { since.before(round) });
        let mut rows = store.rows(table, from, until.map(|until| until.after(round)))?;
        if rows.series() > 1 {
            return Err(ExportError::SeveralSeries { table: name() });
        }
        let too_few = |rows| ExportError::TooFewRows { table: name(), rows };
        let oldest = rows.next_row()?.ok_or_else(|| too_few("no row"))?.ts;
        let grid = grid_at(oldest);
        let (mut read, mut rounded) = ((oldest, oldest), 0);
        let mut steps: Option<Steps> = None;
        let mut next = Some(oldest);
        while let Some(ts) = next {
            next = rows.next_row()?.map(|row| row.ts);
            let end = grid.snap(ts);
            if is_outside(end) {
                continue;
            }
            rounded += u64::from(end != ts);
            let Some(known) = steps.as_mut() else {
                read = (ts, ts);
                steps = Some(Steps::new(grid, end));
                continue;
            };
            read.1 = ts;
            if end <= known.last {
                let (time, full) = (grid.shown(ts), grid.shown(end));
                return Err(ExportError::RoundedTogether { table: name(), time, full });
            }
            known.see(end);
            if table.made_of.is_none() && known.is_another() {
                break;
            }
        }
        let steps = steps.ok_or_else(|| too_few("no row"))?;
        let usual: Option<Duration> = match (&table.made_of, steps.rows) {
            // Windows are as long as the configuration says, however long the pauses between them are.
            (Some(made), _) => Some(made.every),
            (None, 1) if is_alone => return Err(too_few("one row")),
            (None, 1) => Some(store.usual_interval_of_table(&table.name.0)?.ok_or_else(|| too_few("one row"))?),
            _ => None,
        };
        let (first, last) = (steps.first, steps.last);
        let resolution = steps.interval(table, usual)?;
        let places: Vec<usize> = columns.iter().map(|column| column.place).collect();
        let conversions = Conversions::of(store, table, &places)?;
        Ok(Part { table, resolution, first, last, read, grid, rounded, columns, conversions })
    }

    /// The rows of the part, oldest first.
    pub(super) fn rows<'s>(&'s self, store: &'s Store) -> Result<Unread<'s>, ExportError> {
        let mut rows = store.rows(self.table, Some(self.read.0), Some(self.read.1))?;
        let next = rows.next_row()?;
        Ok(Unread { part: self, rows, next })
    }

    /// Whether any of its columns is written.
    pub(super) fn has_values(&self) -> bool {
        (0..self.columns.len()).any(|column| !self.conversions.is_left_out(column))
    }

    /// The value of each column in a row; None if it is missing, failed or left out.
    pub(super) fn values(&self, row: &StoredRow, suspects: Suspects) -> Result<Vec<Option<String>>, ExportError> {
        let cells = Cells::of(&self.table.name.0, row)?;
        let columns = self.columns.iter().zip(self.conversions.of_row(row));
        Ok(columns.map(|(column, convert)| value(&cells, column, *convert, suspects)).collect())
    }

    /// Whether the row has a number at this position of the column list, whatever its flag is.
    pub(super) fn has_number(&self, row: &StoredRow, place: usize) -> Result<bool, ExportError> {
        Ok(matches!(Cells::of(&self.table.name.0, row)?.value(place), Cell::Number(_)))
    }
}

/// The rows of a part that were not written yet.
pub(super) struct Unread<'s> {
    part: &'s Part<'s>,
    rows: RowStream<'s>,
    next: Option<StoredRow>,
}

impl Unread<'_> {
    /// The row of the interval that ends at `due`; None if the table has none. Rows between intervals, which were
    /// staged after the rows were examined, are left to the next export.
    pub(super) fn row_of(&mut self, due: Timestamp) -> Result<Option<StoredRow>, ExportError> {
        while let Some(row) = &self.next {
            let end = self.part.grid.snap(row.ts);
            if end > due {
                return Ok(None);
            }
            let row = std::mem::replace(&mut self.next, self.rows.next_row()?);
            if end == due {
                return Ok(row);
            }
        }
        Ok(None)
    }
}

/// How suspect values (flag 3) are exported.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Suspects {
    /// The value is written.
    #[default]
    Keep,
    /// -9999 is written.
    LeaveOut,
}

/// The value to write; None if it is missing.
fn value(cells: &Cells<'_>, column: &Named, convert: Convert, suspects: Suspects) -> Option<String> {
    let is_suspect = cells.flag(column.place) == Some(Flag::Suspect.digit());
    let Cell::Number(text) = cells.value(column.place) else { return None };
    if cells.is_masked(column.place) || (is_suspect && suspects == Suspects::LeaveOut) {
        return None;
    }
    let text = convert.apply(text)?;
    if !upload::reads_as_missing(&text) {
        return Some(text);
    }
    // AmeriFlux's checker takes some numbers for a missing value in the wrong form, such as -699. If the variable can
    // have this value, it is written in another notation; otherwise it is missing.
    let (low, high) = ameriflux::lookup(&column.variable)?.range().fail;
    let number: f64 = text.parse().ok()?;
    (low <= number && number <= high).then(|| format!("{number:e}"))
}

/// The columns with a variable, in the order of the column list.
fn columns(store: &Store, table: &TableConfig, wanted: Option<&[String]>) -> Result<Vec<Named>, ExportError> {
    let known = store.column_names(&table.name.0)?;
    if let Some(name) = wanted.and_then(|wanted| wanted.iter().find(|name| !known.contains(name))) {
        return Err(unknown(table, &known, name));
    }
    let named = known.iter().enumerate().filter_map(|(place, name)| {
        if wanted.is_some_and(|wanted| !wanted.contains(name)) {
            return None;
        }
        let column = table.columns.get(name)?;
        let variable = column.variable.clone()?;
        let level = column.level.clone().or_else(|| table.level.clone());
        Some(Named { table: table.name.0.clone(), column: name.clone(), variable, level, place })
    });
    let columns: Vec<Named> = named.collect();
    if columns.is_empty() {
        return Err(ExportError::NoVariable { table: table.name.0.clone() });
    }
    Ok(columns)
}
