//! Single rows, with the findings of every test.

use crate::format::numbers_of;
use crate::qc;
use crate::quantity::{Aggregate, Counter};
use crate::store::{ScannedRow, Store};
use crate::time::Timestamp;

use super::answer::{Figure, Trace, TraceColumn, test_name};
use super::grid::Cell;
use super::{SummaryError, WantedColumn};

/// A series, and the time range of the wanted rows.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stretch {
    pub(super) series: i64,
    pub(super) from: Timestamp,
    /// Exclusive.
    pub(super) until: Timestamp,
    /// Rows that are further apart than this, in milliseconds, have a gap between them.
    pub(super) longest_step: i64,
}

/// The rows of a time range: their times and these columns. A counter's values are its increments, of which the first
/// one depends on the row before the range.
pub(super) fn rows(
    reader: &Store,
    stretch: Stretch,
    columns: &[WantedColumn],
) -> Result<(Vec<Timestamp>, Vec<TraceColumn>), SummaryError> {
    let Stretch { series, from, until, longest_step } = stretch;
    let mut times = Vec::new();
    let mut out: Vec<TraceColumn> = columns.iter().map(TraceColumn::of_rows).collect();
    let width = columns.iter().map(|column| column.place + 1).max().unwrap_or(0);
    let mut counters = vec![Counter::default(); columns.len()];
    let is_counter = |column: &WantedColumn| column.kind.aggregate() == Aggregate::Increments;
    let mut numbers = Vec::new();
    let step = |counter: &mut Counter, column: &WantedColumn, row: &ScannedRow<'_>, numbers: &[f64]| {
        let cell = Cell {
            ms: row.ts.millis(),
            digit: row.flags.get(column.place).copied().unwrap_or(b' '),
            value: numbers.get(column.place).copied().unwrap_or(f64::NAN),
        };
        counter.step(cell.ms, cell.reading(), longest_step)
    };
    if columns.iter().any(is_counter)
        && let Some(&before) = reader.newest_times(series, from.previous(), 1)?.first()
    {
        reader.scan(series, (before, before.next()), |row| {
            numbers_of(row.values, width, &mut numbers);
            for (counter, column) in counters.iter_mut().zip(columns) {
                step(counter, column, &row, &numbers);
            }
        })?;
    }
    reader.scan(series, (from, until), |row| {
        numbers_of(row.values, width, &mut numbers);
        for ((wanted, column), counter) in columns.iter().zip(&mut out).zip(&mut counters) {
            column.take(times.len(), wanted.place, &numbers, &row);
            if is_counter(wanted) {
                let increment = step(counter, wanted, &row, &numbers);
                if let Some(shown) = column.value.last_mut() {
                    *shown = increment.map_or(Figure::NONE, Figure::rounded);
                }
            }
        }
        for finding in row.raised.map(qc::findings).unwrap_or_default() {
            for (wanted, column) in columns.iter().zip(&mut out) {
                if wanted.place == finding.place {
                    let list = column.findings.get_or_insert_default();
                    let test = test_name(finding.test);
                    list.push((times.len(), test, finding.flag.word(), finding.detail.clone()));
                }
            }
        }
        times.push(row.ts);
    })?;
    Ok((times, out))
}

impl Trace {
    pub(super) fn of_rows(times: Vec<Timestamp>, columns: Vec<TraceColumn>) -> Trace {
        Trace {
            table: String::new(),
            from: Figure::NONE,
            to: Figure::NONE,
            bin_s: None,
            times: times.into_iter().map(Figure::millis).collect(),
            rows: None,
            interval_s: None,
            columns,
        }
    }
}

impl TraceColumn {
    fn of_rows(wanted: &WantedColumn) -> TraceColumn {
        TraceColumn { findings: Some(Vec::new()), ..TraceColumn::empty(wanted) }
    }

    fn take(&mut self, at: usize, place: usize, numbers: &[f64], row: &ScannedRow<'_>) {
        let digit = row.flags.get(place).copied().unwrap_or(b' ');
        let value = Figure::rounded(numbers.get(place).copied().unwrap_or(f64::NAN));
        self.flags.push(char::from(digit));
        let mut shown = Figure::NONE;
        match digit {
            b'4' => self.fail.push((at, value, value, 1)),
            b'9' => self.missing.push((at, 1)),
            b' ' => {}
            _ => {
                if digit == b'3' {
                    self.suspect.push((at, value, value, 1));
                }
                shown = value;
            }
        }
        self.value.push(shown);
    }
}
