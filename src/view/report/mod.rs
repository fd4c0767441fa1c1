//! The page as one file: to mail, to keep with a paper, to put on any web server.
//!
//! It is the page of `serve` with its scripts and styles inside, and with the answers that the page would request. It
//! sends no request: its own policy forbids it, and only the scripts in the file may run, so that a name in the data
//! that looks like a script is only text. It is written piece by piece, one table's values at a time.

use std::io::{self, Write};
use std::time::Duration;

use serde::Serialize;
use thiserror::Error;

use crate::store::{Store, StoreError};
use crate::time::Timestamp;
use crate::view::panel;
use crate::view::serve::api::{Answers, CoverageRequest};
use crate::view::serve::{ApiError, Assets};
use crate::view::summary::{Ribbon, RibbonRequest, Trace, TraceRequest};

mod escape;
mod page;

pub use page::MARK;

use escape::Escape;

/// Points per column: twice the width of a wide screen.
const POINTS: usize = 2_000;
const LEAST_POINTS: usize = 200;
/// Values of all columns together. The file is then about as large as mail allows.
const VALUES: usize = 1_500_000;
const BINS: usize = 400;
const MOST_REJECTED: usize = 500;

/// Why a report fails.
#[derive(Debug, Error)]
pub enum ReportError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The answer for a part of the report failed.
    #[error(transparent)]
    Answer(#[from] ApiError),
    /// The page in the program does not have the form that this module expects.
    #[error("this program was built without its page; install it again")]
    NoPage,
    /// It cannot be written.
    #[error("cannot write the report: {0}")]
    Output(#[from] io::Error),
}

/// The time of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// First instant.
    pub from: Timestamp,
    /// Last instant: the time of the newest row.
    pub to: Timestamp,
}

/// A table's values or flags, with the tags of the series.
#[derive(Serialize)]
struct Tagged<'a, T> {
    tags: &'a serde_json::Map<String, serde_json::Value>,
    #[serde(flatten)]
    answer: T,
}

/// A series of a table, with the columns to request.
struct Part {
    table: String,
    tags: Vec<(String, String)>,
    columns: Vec<String>,
}

/// The last part of the data, of this length. It ends with the newest row, so that a silent station has a report too;
/// without rows, it ends now.
pub fn span(store: &Store, answers: &Answers, last: Duration, now: Timestamp) -> Result<Span, ReportError> {
    let mut newest = None;
    for table in &answers.config().tables {
        newest = newest.max(store.newest_of_table(&table.name.0)?);
    }
    let to = newest.unwrap_or(now);
    let last = i64::try_from(last.as_nanos()).unwrap_or(i64::MAX);
    Ok(Span { from: to.minus(last), to })
}

/// Writes the report.
pub fn write(
    answers: &Answers,
    store: &Store,
    span: Span,
    now: Timestamp,
    out: &mut dyn Write,
) -> Result<(), ReportError> {
    let page = page::Page::of(&Assets::load()).ok_or(ReportError::NoPage)?;
    out.write_all(page.head.as_bytes())?;
    data(answers, store, span, now, &mut Escape(out))?;
    out.write_all(page.tail.as_bytes())?;
    Ok(())
}

fn data(answers: &Answers, store: &Store, span: Span, now: Timestamp, out: &mut Escape<'_>) -> Result<(), ReportError> {
    let parts = parts(answers, store)?;
    let columns: usize = parts.iter().map(|part| part.columns.len()).sum();
    let points = (VALUES / columns.max(1)).clamp(LEAST_POINTS, POINTS);
    let millis = |instant: Timestamp| instant.millis();
    write!(out, "{{\"made\":{},\"from\":{},\"to\":{}", millis(now), millis(span.from), millis(span.to))?;
    put(out, "station", &answers.station(now)?)?;
    put(out, "status", &answers.status(0, now))?;
    // Requests to the server after the newest row are included.
    put(
        out,
        "delivery",
        &answers
            .delivery((span.from, Timestamp::from_nanos(now.nanos().max(span.to.nanos()).saturating_add(1))), now)?,
    )?;
    put(out, "sun", &answers.sun((span.from, span.to)).ok())?;
    put(out, "gaps", &answers.gaps()?)?;
    put(out, "rejected", &answers.rejected(MOST_REJECTED)?)?;
    put(out, "flags", &answers.flags()?)?;
    put(out, "costs", &answers.costs((span.from, span.to))?)?;
    out.write_all(b",\"traces\":[")?;
    list(out, &parts, |part| {
        let trace: Trace = answers.trace(&TraceRequest {
            table: part.table.clone(),
            columns: part.columns.clone(),
            from: span.from,
            to: span.to,
            points,
            tags: part.tags.clone(),
        })?;
        Ok(trace)
    })?;
    out.write_all(b"],\"ribbons\":[")?;
    list(out, &parts, |part| {
        let ribbon: Ribbon = answers.ribbon(&RibbonRequest {
            table: part.table.clone(),
            from: span.from,
            to: span.to,
            bins: BINS,
            tags: part.tags.clone(),
        })?;
        Ok(ribbon)
    })?;
    out.write_all(b"],\"coverage\":[")?;
    list(out, &parts, |part| {
        let request =
            CoverageRequest { table: part.table.clone(), from: span.from, to: span.to, tags: part.tags.clone() };
        Ok(answers.coverage(&request, span.to)?)
    })?;
    out.write_all(b"]}")?;
    Ok(())
}

/// Every series with rows, with the columns that can be drawn.
fn parts(answers: &Answers, store: &Store) -> Result<Vec<Part>, ReportError> {
    let known = store.known_tables(answers.config())?;
    let mut parts = Vec::new();
    for table in panel::tables(answers.config(), &known) {
        let is_read = known.iter().any(|known| known.name == table.name && !known.columns.is_empty());
        let columns: Vec<String> = table.columns.iter().map(|column| column.name.clone()).collect();
        // The configuration has a derived column before its values are computed for the first time.
        let stored = store.column_names(&table.name.0)?;
        let columns: Vec<String> = columns.into_iter().filter(|column| stored.contains(column)).collect();
        for tags in table.series.into_iter().filter(|_| is_read) {
            parts.push(Part { table: table.name.0.clone(), tags, columns: columns.clone() });
        }
    }
    Ok(parts)
}

fn list<T: Serialize>(
    out: &mut Escape<'_>,
    parts: &[Part],
    answer: impl Fn(&Part) -> Result<T, ReportError>,
) -> Result<(), ReportError> {
    for (place, part) in parts.iter().enumerate() {
        if place > 0 {
            out.write_all(b",")?;
        }
        let tags = part.tags.iter().map(|(name, value)| (name.clone(), value.clone().into())).collect();
        serde_json::to_writer(&mut *out, &Tagged { tags: &tags, answer: answer(part)? }).map_err(io::Error::from)?;
    }
    Ok(())
}

fn put<T: Serialize>(out: &mut Escape<'_>, key: &str, value: &T) -> Result<(), ReportError> {
    write!(out, ",\"{key}\":")?;
    serde_json::to_writer(&mut *out, value).map_err(io::Error::from)?;
    Ok(())
}
