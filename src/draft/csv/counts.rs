//! Finds a time that is a count from an instant: Unix seconds and parts of them, days of a spreadsheet or of Matlab.
//!
//! Such a number may also be a date in digits, or a count from another instant. It is a count only if its rows are not in the
//! future, and what the rows leave open is a CHECK.

use chrono::Utc;

use super::forms::Format;
use super::stated::UNIX_SECONDS;
use super::time::{COLUMNS, Reading, TRIED, reading};
use crate::time::NANOS_PER_SECOND;

/// Finds numbers that count from an instant.
pub(super) fn of_numbers(rows: &[&[String]], middle: &[String], names: Option<&[String]>) -> Vec<Reading> {
    let mut found = Vec::new();
    for (column, text) in middle.iter().enumerate().take(COLUMNS) {
        let Ok(value) = text.replace(',', ".").parse::<f64>() else { continue };
        let name = names.and_then(|names| names.get(column)).map(|name| name.to_lowercase()).unwrap_or_default();
        let is_named = ["time", "date", "unix", "epoch", "zeit", "datum", "stamp", "serial", "fecha"]
            .iter()
            .any(|known| name.contains(known));
        let way = match value {
            value if UNIX_SECONDS.contains(&value) => "unix",
            value if UNIX_SECONDS.contains(&(value / 1e3)) => "unix ms",
            value if UNIX_SECONDS.contains(&(value / 1e6)) => "microseconds since 1970-01-01Z",
            value if UNIX_SECONDS.contains(&(value / 1e9)) => "nanoseconds since 1970-01-01Z",
            value if (32_874.0..73_050.0).contains(&value) => "excel",
            value if MATLAB_DAYS.contains(&value) => "matlab",
            _ => continue,
        };
        let Some(way) = Format::new(Some(way)) else { continue };
        let is_sound =
            |reading: &Reading| reading.back == 0 && (is_named || (column == 0 && reading.alike >= EVEN / 2));
        let mut counted = reading(rows, &[column], &way).filter(is_sound).filter(|reading| !reading.is_future);
        let written = digits_of_a_date(rows, column).filter(is_sound);
        if let (Some(counted), Some(written)) = (&mut counted, &written) {
            if written.alike < EVEN || counted.alike >= EVEN {
                counted.doubt = Some(format!(
                    "CHECK: {text} is read as Unix seconds; the rows fit \"{DIGITS_OF_A_DATE}\" as well. For that write it as time_format."
                ));
                found.push(counted.clone());
                continue;
            }
        } else if let Some(counted) = &mut counted {
            counted.doubt = since_1990(counted, &name).or_else(|| of_matlab(counted, &name));
        }
        found.extend(written.or(counted));
    }
    found.truncate(1);
    found
}

/// Numbers that may be Matlab's days of 1950 to 2100.
const MATLAB_DAYS: std::ops::Range<f64> = 712_224.0..767_011.0;
/// A date and a time of day in ten digits, as many as Unix seconds have.
const DIGITS_OF_A_DATE: &str = "%y%m%d%H%M";
/// The share of equal intervals, in thousandths, of rows that are at equal intervals.
const EVEN: usize = 990;

/// The reading of ten digits as year, month, day, hour and minute, if all rows can be read so.
fn digits_of_a_date(rows: &[&[String]], column: usize) -> Option<Reading> {
    let way = Format::new(Some(DIGITS_OF_A_DATE))?;
    let read = reading(rows, &[column], &way)?;
    (read.rows == rows[read.first..].len().min(TRIED) && !read.is_future).then_some(read)
}

/// A CHECK, if the numbers may as well be seconds since 1990, from which Campbell's loggers count.
fn since_1990(read: &Reading, name: &str) -> Option<String> {
    const TWENTY_YEARS: i64 = 7_305 * 86_400 * NANOS_PER_SECOND;
    let is_seconds =
        read.way.text.as_deref() == Some("unix") && !["unix", "epoch", "1970"].iter().any(|known| name.contains(known));
    let is_past = read.latest.saturating_add(TWENTY_YEARS) <= Utc::now().timestamp_nanos_opt().unwrap_or(i64::MAX);
    (is_seconds && is_past).then(|| {
        "CHECK: the numbers are read as Unix seconds, which count from 1970 in UTC. If they count from 1990, as loggers of Campbell do, write \
         time_format = \"seconds since 1990-01-01\"."
            .to_owned()
    })
}

/// A CHECK, if the numbers are read as Matlab's and nothing but their size says so.
fn of_matlab(read: &Reading, name: &str) -> Option<String> {
    let is_said = ["matlab", "datenum", "serial"].iter().any(|known| name.contains(known));
    (read.way.text.as_deref() == Some("matlab") && !is_said).then(|| {
        "CHECK: the numbers are read as Matlab's days, of which 719529 is 1970-01-01. If they count days from another date, write \
         time_format = \"days since YYYY-MM-DD\"."
            .to_owned()
    })
}
