//! Single rows, with the findings of every test.

use crate::format::numbers_of;
use crate::qc::{self, Test};
use crate::store::{ScannedRow, Store};
use crate::time::Timestamp;

use super::SummaryError;
use super::answer::{Figure, Trace, TraceColumn};

/// The rows from `from` to before `until`: their times and the columns at these positions.
pub(super) fn rows(
    reader: &Store,
    series: i64,
    span: (Timestamp, Timestamp),
    columns: &[(String, usize)],
) -> Result<(Vec<Timestamp>, Vec<TraceColumn>), SummaryError> {
    let mut times = Vec::new();
    let mut out: Vec<TraceColumn> = columns.iter().map(|(name, _)| TraceColumn::of_rows(name)).collect();
    let width = columns.iter().map(|(_, place)| place + 1).max().unwrap_or(0);
    let mut numbers = Vec::new();
    reader.scan(series, span, |row| {
        numbers_of(row.values, width, &mut numbers);
        for ((_, place), column) in columns.iter().zip(&mut out) {
            column.take(times.len(), *place, &numbers, &row);
        }
        for finding in row.raised.map(qc::findings).unwrap_or_default() {
            for ((_, place), column) in columns.iter().zip(&mut out) {
                if *place == finding.place {
                    let test = if finding.test == Test::Manual { "by hand" } else { finding.test.name() };
                    let list = column.findings.get_or_insert_default();
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
    fn of_rows(name: &str) -> TraceColumn {
        TraceColumn { findings: Some(Vec::new()), ..TraceColumn::empty(name) }
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
