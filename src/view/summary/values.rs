//! Lists the rows of a drawing: each value as in the file, with its flag and the findings of every test.
//!
//! An answer has a limited number of rows and gives the beginning of the next one, so its cost depends on what it
//! shows: one search in the key of the rows and a scan of that number of rows.

use serde::Serialize;

use crate::format::texts_of;
use crate::qc;
use crate::store::Store;
use crate::time::{NANOS_PER_MILLI, Timestamp};

use super::answer::{Figure, test_name};
use super::{MOST_POINTS, Summaries, SummaryError, TraceRequest, span};

/// Rows of a series over a span of time, oldest first.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Values {
    /// The table's name in the configuration.
    pub table: String,
    /// The time of every row.
    pub times: Vec<Figure>,
    /// The time of the first row of the span that is not in the answer, with all its digits; null if there is none.
    pub next: Option<String>,
    /// In the order of the request.
    pub columns: Vec<ValuesColumn>,
}

/// One column of [`Values`]; its lists are as long as `times`, or hold positions in it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ValuesColumn {
    /// Its name in the file.
    pub name: String,
    /// Each value as the file writes it; null if there is none.
    pub text: Vec<Option<String>>,
    /// One digit per row; a blank if the row has no such column.
    pub flags: String,
    /// Position, test, flag and text.
    pub findings: Vec<(usize, &'static str, &'static str, String)>,
}

impl Summaries {
    /// The first rows of a span of time, at most `request.points`.
    pub fn values(&self, reader: &Store, request: &TraceRequest) -> Result<Values, SummaryError> {
        let wanted = self.wanted(reader, &request.table, Some(&request.columns), &request.tags)?;
        let (from, to) = span(request.from, request.to)?;
        let mut out = Values {
            table: request.table.clone(),
            times: Vec::new(),
            next: None,
            columns: wanted.columns.iter().map(|column| ValuesColumn::empty(&column.name)).collect(),
        };
        let Some(series) = &wanted.series else { return Ok(out) };
        let next = reader.row_after(series.id, from, request.points.clamp(1, MOST_POINTS))?.filter(|next| *next <= to);
        let until = next.unwrap_or_else(|| to.next());
        let places: Vec<usize> = wanted.columns.iter().map(|column| column.place).collect();
        reader.scan(series.id, (from, until), |row| {
            let at = out.times.len();
            // The store writes UTF-8.
            let texts = texts_of(std::str::from_utf8(row.values).unwrap_or_default(), &places);
            for ((column, text), place) in out.columns.iter_mut().zip(texts).zip(&places) {
                column.flags.push(char::from(row.flags.get(*place).copied().unwrap_or(b' ')));
                column.text.push(text);
            }
            for finding in row.raised.map(qc::findings).unwrap_or_default() {
                for (column, _) in out.columns.iter_mut().zip(&places).filter(|(_, place)| **place == finding.place) {
                    column.findings.push((at, test_name(finding.test), finding.flag.word(), finding.detail.clone()));
                }
            }
            out.times.push(Figure::millis(row.ts));
        })?;
        out.next = next.map(exact);
        Ok(out)
    }
}

impl ValuesColumn {
    fn empty(name: &str) -> ValuesColumn {
        ValuesColumn { name: name.to_owned(), text: Vec::new(), flags: String::new(), findings: Vec::new() }
    }
}

/// Milliseconds since 1970, with the fraction that a double would lose.
fn exact(ts: Timestamp) -> String {
    format!("{}.{:06}", ts.millis(), ts.nanos().rem_euclid(NANOS_PER_MILLI))
}
