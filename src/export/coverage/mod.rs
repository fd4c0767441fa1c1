//! The coverage report: for each variable, the share of half hours that are present and good, by month and year.
//!
//! Half hours are those of AmeriFlux's file: in the station's standard time, stamped with their end. A row covers the
//! time since the previous row, but at most one interval of its rows ([`intervals`]). So half hours are counted in the
//! same way for rows that come 10 times per second, half-hourly or hourly, on the full half hour or beside it. If the
//! interval is not known, or rows were pruned, it is not known which half hours are covered, and these are counted
//! separately. The rows of a series are read once, in order, in pieces of a fixed size. Percentages are rounded down,
//! so that 100 means all. For a table with many rows in a half hour, values may have been counted before ([`Counted`]),
//! and rows are not read again.

mod counted;
mod half_hours;

pub use counted::Counted;

use std::time::Duration;

use half_hours::{HalfHours, State};

use super::cells::{Cell, Cells};
use super::{ExportError, HALF_HOUR};
use crate::config::{ColumnUse, TableConfig, ValueType};
use crate::quantity::is_companion;
use crate::store::{ROWS_OF_AN_INTERVAL as PIECE, SeriesLine, Store, intervals};
use crate::time::{NANOS_PER_SECOND, Timestamp, nanos};

/// The rule, for users.
///
/// AmeriFlux requires half of a year's half hours for each variable that it needs (`variable_coverage.py` of its public
/// QA/QC). It has no rule for the rows within a half hour, because it receives half hours; the same share is required
/// there.
pub const RULE: &str = "a half hour counts where at least 50 % of its rows are there: present with a value, good with a value \
 that did not fail; AmeriFlux asks for 50 % of the half hours of a year";

/// Longer than the interval of any logger's program: rows up to this long after the end of a window can begin in it.
const LONGEST_INTERVAL: Duration = Duration::from_secs(86_400);

/// The counts of half hours.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Share {
    /// Half hours in the month or year, up to the end of the report.
    pub half_hours: u64,
    /// Half hours with values for at least half of their time.
    pub present: u64,
    /// Half hours with values that did not fail for at least half of their time.
    pub good: u64,
    /// Half hours for which one of the two is not known.
    pub unknown: u64,
}

impl Share {
    /// The percentage to one decimal, rounded down; None if it is not known.
    fn percent(self, part: u64) -> Option<f64> {
        let is_known = self.unknown == 0 && self.half_hours > 0;
        #[allow(clippy::cast_precision_loss)]
        is_known.then(|| (part * 1_000 / self.half_hours) as f64 / 10.0)
    }

    /// The percentage that is present; None if it is not known.
    pub fn present_percent(self) -> Option<f64> {
        self.percent(self.present)
    }

    /// The percentage that is good; None if it is not known.
    pub fn good_percent(self) -> Option<f64> {
        self.percent(self.good)
    }

    fn add(&mut self, other: Share) {
        self.half_hours += other.half_hours;
        self.present += other.present;
        self.good += other.good;
        self.unknown += other.unknown;
    }
}

/// A year of a variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Year {
    /// The year of the common era.
    pub year: i32,
    /// The sum of its months.
    pub share: Share,
    /// The months in the report, with their number from 1.
    pub months: Vec<(u16, Share)>,
}

/// A column of a series.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VariableCoverage {
    /// Name of the table.
    pub table: String,
    /// The values of its tag columns.
    pub tags: Vec<String>,
    /// The column's name in the file.
    pub column: String,
    /// Its AmeriFlux variable.
    pub variable: Option<String>,
    /// The interval of the newest rows of the report, if it is known.
    pub interval: Option<Duration>,
    /// The years, oldest first.
    pub years: Vec<Year>,
}

/// The scope of a report.
#[derive(Debug, Clone, Copy)]
pub struct Coverage<'a> {
    /// The tables.
    pub tables: &'a [&'a TableConfig],
    /// Half hours that begin at or after this time; None is the beginning of the year of a series' first row.
    pub since: Option<Timestamp>,
    /// Half hours that begin before this time.
    pub until: Timestamp,
}

/// The coverage of every sent column of each series.
pub fn coverage(store: &Store, of: &Coverage<'_>) -> Result<Vec<VariableCoverage>, ExportError> {
    let mut found = Vec::new();
    for table in of.tables {
        let columns = Columns::of(store, table)?;
        for series in store.series(&table.name.0)? {
            found.extend(of_series(store, of, &columns, &series)?);
        }
    }
    Ok(found)
}

/// The half hours that begin from `since` to before `until`, for each sent column of one series, by column name.
pub fn coverage_of_series(
    store: &Store,
    table: &TableConfig,
    series: &SeriesLine,
    (since, until): (Timestamp, Timestamp),
) -> Result<Vec<(String, Share)>, ExportError> {
    let of = Coverage { tables: &[], since: Some(since), until };
    let found = of_series(store, &of, &Columns::of(store, table)?, series)?;
    Ok(found.into_iter().map(|column| (column.column, together(&column.years))).collect())
}

/// The beginning of the half hour that contains an instant, in the station's standard time.
pub fn half_hour_of(table: &TableConfig, at: Timestamp) -> Timestamp {
    at.minus(at.nanos().saturating_add(offset(table, at)).rem_euclid(HALF_HOUR))
}

/// The offset of standard time, in nanoseconds.
fn offset(table: &TableConfig, at: Timestamp) -> i64 {
    i64::from(table.station_clock.standard_offset(at).local_minus_utc()) * NANOS_PER_SECOND
}

fn together(years: &[Year]) -> Share {
    let mut all = Share::default();
    years.iter().for_each(|year| all.add(year.share));
    all
}

/// Whether a column is included in a coverage report: it is sent, and is not a companion of another column.
pub fn is_reported(table: &TableConfig, column: &str) -> bool {
    let is_sent = table.columns.get(column).is_none_or(|config| config.column_use == ColumnUse::Field);
    is_sent && !(table.made_of.is_some() && is_companion(column))
}

/// The columns of a table that are sent.
struct Columns<'a> {
    table: &'a TableConfig,
    names: Vec<String>,
    /// The positions in the column list.
    places: Vec<usize>,
    /// Whether a text counts as a value of the column.
    takes_text: Vec<bool>,
}

impl<'a> Columns<'a> {
    fn of(store: &Store, table: &'a TableConfig) -> Result<Columns<'a>, ExportError> {
        let mut columns = Columns { table, names: Vec::new(), places: Vec::new(), takes_text: Vec::new() };
        for (place, name) in store.column_names(&table.name.0)?.into_iter().enumerate() {
            if is_reported(table, &name) {
                let config = table.columns.get(&name);
                let value_type = config.map_or(ValueType::Float, |config| config.value_type);
                columns.takes_text.push(matches!(value_type, ValueType::Text | ValueType::Boolean));
                columns.places.push(place);
                columns.names.push(name);
            }
        }
        Ok(columns)
    }
}

/// Rows whose interval is not determined yet.
struct Piece {
    /// The times of earlier rows, which show the interval if the piece has few rows; the last one is the previous row.
    before: Vec<Timestamp>,
    times: Vec<Timestamp>,
    /// One state for each row and column.
    states: Vec<State>,
    /// The interval of the earlier rows.
    interval: Option<Duration>,
}

impl Piece {
    fn give_to(&mut self, half_hours: &mut HalfHours) {
        let is_whole = self.times.len() == PIECE;
        let context = if is_whole { self.before.len().min(1) } else { self.before.len() };
        let mut times = self.before.split_off(self.before.len() - context);
        times.append(&mut self.times);
        let found = intervals(&times, self.interval);
        let columns = half_hours.columns();
        for at in context..times.len() {
            let states = &self.states[(at - context) * columns..(at - context + 1) * columns];
            let row_before = at.checked_sub(1).map(|before| times[before]);
            half_hours.take(times[at], row_before, found[at], states);
        }
        self.interval = found.last().copied().flatten();
        self.states.clear();
        let kept = times.len().saturating_sub(PIECE);
        self.before = times.split_off(kept);
    }
}

fn of_series(
    store: &Store,
    of: &Coverage<'_>,
    columns: &Columns<'_>,
    series: &SeriesLine,
) -> Result<Vec<VariableCoverage>, ExportError> {
    let table = columns.table;
    let name = table.name.0.as_str();
    let from = of.since.unwrap_or(Timestamp::MIN);
    let mut rows = store.rows_of_series(table, series.id, (from, of.until.after(LONGEST_INTERVAL)))?;
    let mut row = rows.next_row()?;
    // A row is stamped with the end of the time that it covers.
    let first = row.as_ref().map(|row| row.ts.previous()).into_iter().chain(series.pruned).min();
    let Some(first) = of.since.filter(|_| series.newest.is_some()).or(first) else { return Ok(Vec::new()) };
    let mut half_hours = HalfHours::new(columns.places.len(), offset(table, first), series.pruned);
    half_hours.set_span(first, of.since.is_none(), of.until);
    let mut before = match of.since {
        Some(since) => store.newest_times(series.id, since.previous(), PIECE)?,
        None => Vec::new(),
    };
    before.reverse();
    let mut piece = Piece { before, times: Vec::new(), states: Vec::new(), interval: None };
    let mut has_number = vec![false; columns.places.len()];
    let mut has_text = vec![false; columns.places.len()];
    while let Some(stored) = row {
        let cells = Cells::of(name, &stored)?;
        for (column, &place) in columns.places.iter().enumerate() {
            let is_value = match cells.value(place) {
                Cell::Missing => false,
                Cell::Number(_) => {
                    has_number[column] = true;
                    true
                }
                Cell::Text(_) => {
                    has_text[column] = true;
                    columns.takes_text[column]
                }
            };
            piece.states.push(State::of(is_value, cells.flag(place)));
        }
        piece.times.push(stored.ts);
        if piece.times.len() == PIECE {
            piece.give_to(&mut half_hours);
        }
        row = rows.next_row()?;
    }
    if !piece.times.is_empty() {
        piece.give_to(&mut half_hours);
    }
    let interval = piece.interval;
    let years = half_hours.finish();
    let reported = columns.names.iter().zip(years).enumerate();
    // A column that has only texts is not sent.
    let reported = reported.filter(|(at, _)| has_number[*at] || columns.takes_text[*at] || !has_text[*at]);
    Ok(reported
        .map(|(_, (column, years))| VariableCoverage {
            table: name.to_owned(),
            tags: series.tags.clone(),
            column: column.clone(),
            variable: table.columns.get(column).and_then(|config| config.variable.clone()),
            interval,
            years,
        })
        .collect())
}

/// The nanoseconds of an interval.
fn length(interval: Duration) -> i64 {
    nanos(interval).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentage_is_rounded_down_and_unknown_where_a_half_hour_is() {
        let of = |present, unknown| Share { half_hours: 17_520, present, good: 0, unknown }.present_percent();
        assert_eq!(
            (of(17_520, 0), of(17_519, 0), of(8_760, 0), of(0, 0)),
            (Some(100.0), Some(99.9), Some(50.0), Some(0.0))
        );
        assert_eq!((of(17_519, 1), Share::default().good_percent()), (None, None));
    }
}
