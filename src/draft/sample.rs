//! The beginning of a file: its header and its first rows.
//!
//! A few thousand rows tell whether a column is empty, constant or text, the interval between rows, and whether a range would
//! flag usual values of the sensor. Nothing is stored and nothing is decided here.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use xxhash_rust::xxh3::xxh3_64;

use crate::format::{self, ColumnSource, Header, Layout, ParsedRow, Value};
use crate::source::{Chunk, QuietFile, SourceError};
use crate::time::{LocalTime, Samples, Timestamp};

/// Rows read from a file; fewer from a wide table.
const MOST_ROWS: usize = 5_000;
const MOST_VALUES: usize = 500_000;
/// The same of a file of an archive, of which months are looked at.
const MOST_ROWS_OF_ARCHIVE: usize = 1_000_000;
/// Limit for all files together, so that a year of daily files fits into a small computer's memory.
const MOST_VALUES_OF_ALL: usize = 8_000_000;
/// At least so many, or nothing can be concluded.
const LEAST_ROWS: usize = 20;
/// Attempts for a file that LoggerNet is writing to, and the pause between them.
const ATTEMPTS: u32 = 6;
const BETWEEN_ATTEMPTS: Duration = Duration::from_millis(40);

/// The first rows of a file.
#[derive(Debug)]
pub(super) struct Sample {
    /// The whole path.
    pub(super) path: PathBuf,
    pub(super) header: Header,
    /// The rows, in the order of the file.
    pub(super) rows: Vec<RowSample>,
    /// How many rows share a time stamp, where they show it.
    pub(super) samples: Option<Samples>,
    /// Without time and record number.
    pub(super) columns: Vec<ColumnSample>,
}

/// One row.
#[derive(Debug, Clone, Copy)]
pub(super) struct RowSample {
    pub(super) time: LocalTime,
    /// RECORD.
    pub(super) record: Option<i64>,
    /// Fingerprint of the values.
    pub(super) values: u64,
}

/// The first rows of one column.
#[derive(Debug, Clone)]
pub(super) struct ColumnSample {
    pub(super) name: String,
    pub(super) unit: String,
    pub(super) process: String,
    /// One a row; NaN where the row has no number.
    pub(super) values: Vec<f64>,
    pub(super) missing: usize,
    pub(super) text: usize,
}

impl ColumnSample {
    /// Before the first row.
    pub(super) fn new(name: &str, unit: &str, process: &str) -> ColumnSample {
        let [name, unit, process] = [name, unit, process].map(str::to_owned);
        ColumnSample { name, unit, process, values: Vec::new(), missing: 0, text: 0 }
    }

    /// The numbers of its rows.
    pub(super) fn numbers(&self) -> impl Iterator<Item = f64> + Clone {
        self.values.iter().copied().filter(|value| !value.is_nan())
    }

    /// Adds the rows of another file, which come after these.
    pub(super) fn extend(&mut self, other: &ColumnSample) {
        self.values.extend_from_slice(&other.values);
        self.missing += other.missing;
        self.text += other.text;
    }

    /// Adds rows of a file that has no such column, up to so many rows in all.
    pub(super) fn pad(&mut self, rows: usize) {
        self.values.resize(rows, f64::NAN);
    }
}

/// The time between rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Interval {
    pub(super) nanos: i64,
    /// Whether most rows have this interval.
    pub(super) regular: bool,
}

impl Sample {
    /// A field of line 1 between the format and the table; empty where the line is shorter.
    pub(super) fn environment(&self, place: usize) -> &str {
        self.header.environment.get(place).map_or("", |text| text.trim())
    }

    /// The station by line 1.
    pub(super) fn station(&self) -> &str {
        self.environment(0)
    }

    /// The logger's serial number; empty where line 1 has none.
    pub(super) fn serial(&self) -> &str {
        match self.environment(2) {
            "No_SN" => "",
            serial => serial,
        }
    }

    pub(super) fn interval(&self) -> Option<Interval> {
        let mut counts: HashMap<i64, usize> = HashMap::new();
        let mut steps = 0;
        for pair in self.rows.windows(2) {
            let step = pair[1].time.nanos_since(pair[0].time);
            if step > 0 {
                *counts.entry(step).or_default() += 1;
                steps += 1;
            }
        }
        let (nanos, count) = counts.into_iter().max_by_key(|&(step, count)| (count, std::cmp::Reverse(step)))?;
        // Rows that share a stamp are spread over the time to the next one.
        let nanos = self.samples.map_or(nanos, |samples| nanos / samples.per_stamp().cast_signed().max(1));
        Some(Interval { nanos, regular: steps >= 2 && count * 2 > steps })
    }
}

/// How much of a file is read.
#[derive(Debug, Clone, Copy)]
struct Most {
    values: usize,
    rows: usize,
}

/// Reads the beginning of `path`, one of `files` files. The error is the rest of a sentence that begins with the file's name.
pub(super) fn read(path: &Path, files: usize) -> Result<Sample, String> {
    let values = MOST_VALUES.min(MOST_VALUES_OF_ALL / files.max(1));
    read_most(path, Most { values, rows: MOST_ROWS })
}

/// Reads as much of `path`, one of `files` files of an archive, as there is memory for.
pub(super) fn read_archive(path: &Path, files: usize) -> Result<Sample, String> {
    read_most(path, Most { values: MOST_VALUES_OF_ALL / files.max(1), rows: MOST_ROWS_OF_ARCHIVE })
}

fn read_most(path: &Path, most: Most) -> Result<Sample, String> {
    for attempt in 1.. {
        match attempt_to_read(path, most) {
            Ok(result) => return result,
            Err(error) if error.is_permanent() || attempt == ATTEMPTS => {
                return Err(format!("cannot be read: {error}"));
            }
            Err(_) => std::thread::sleep(BETWEEN_ATTEMPTS),
        }
    }
    Err("cannot be read".to_owned())
}

fn attempt_to_read(path: &Path, most: Most) -> Result<Result<Sample, String>, SourceError> {
    let mut file = QuietFile::open(path)?;
    if let Err(error) = format::begin(&mut file)? {
        return Ok(Err(error.to_string()));
    }
    let mut reader = Reader { most, head: Vec::new(), reading: None };
    let mut is_first = true;
    while let Some(Chunk { bytes, is_tail, .. }) = file.next_chunk()? {
        let bytes = if std::mem::take(&mut is_first) { from_header(bytes) } else { bytes };
        // An unfinished row may end in half a number; an unfinished header is reported.
        if is_tail && reader.reading.is_some() {
            break;
        }
        for line in bytes.strip_suffix(b"\n").unwrap_or(bytes).split(|&byte| byte == b'\n') {
            match reader.take(line) {
                Ok(true) => {}
                Ok(false) => return Ok(reader.finish(path)),
                Err(reason) => return Ok(Err(reason)),
            }
        }
    }
    Ok(reader.finish(path))
}

/// The bytes from the first header on, where rows of a file that was cut stand before it.
fn from_header(bytes: &[u8]) -> &[u8] {
    let first = bytes.split(|&byte| byte == b'\n').next().unwrap_or_default();
    match format::detect(first) {
        format::Format::Unknown | format::Format::Array => &bytes[format::next_header(bytes).unwrap_or(0)..],
        _ => bytes,
    }
}

struct Reader {
    most: Most,
    head: Vec<Vec<u8>>,
    reading: Option<Reading>,
}

struct Reading {
    header: Header,
    layout: Layout,
    most_rows: usize,
    row: ParsedRow,
    rows: Vec<RowSample>,
    columns: Vec<ColumnSample>,
    bad_lines: usize,
    first_error: Option<String>,
}

impl Reader {
    /// Returns whether to continue; the error says why the file is not a logger's table.
    fn take(&mut self, raw: &[u8]) -> Result<bool, String> {
        let line = format::strip_noise(raw);
        if let Some(reading) = &mut self.reading {
            return Ok(reading.take(&line));
        }
        if self.head.is_empty() {
            if line.iter().all(u8::is_ascii_whitespace) {
                return Ok(true);
            }
            if let Some(reason) = format::detect(&line).refusal() {
                return Err(reason.to_owned());
            }
        }
        self.head.push(line.to_vec());
        if self.header_lines() == self.head.len() {
            let header = Header::read(&self.head);
            let header = header.map_err(|error| format!("has a damaged header: {error}"))?;
            self.reading = Some(Reading::new(header, self.most)?);
        }
        Ok(true)
    }

    /// Lines of the header.
    fn header_lines(&self) -> usize {
        self.head.first().and_then(|first| format::header_lines(first)).unwrap_or(4)
    }

    fn finish(mut self, path: &Path) -> Result<Sample, String> {
        let Some(reading) = self.reading.take() else {
            return Err(match self.head.len() {
                0 => "is empty; run this again when LoggerNet has written to it".to_owned(),
                lines => {
                    let whole = self.header_lines();
                    format!("ends in line {lines} of the {whole} of its header; run this again when it is whole")
                }
            });
        };
        if reading.rows.is_empty()
            && let Some(error) = reading.first_error
        {
            return Err(format!(
                "has a header, but none of the {} lines after it is a row: {error}",
                reading.bad_lines
            ));
        }
        let epoch = LocalTime::from_nanos(0);
        let instants = reading.rows.iter().map_while(|row| {
            // Distances tell, so that any clock will do.
            Some((Timestamp::from_nanos(row.time.nanos_since(epoch)), row.record?))
        });
        let samples = Samples::shown_by(instants);
        let Reading { header, rows, columns, .. } = reading;
        Ok(Sample { path: path.to_owned(), header, rows, samples, columns })
    }
}

impl Reading {
    fn new(header: Header, most: Most) -> Result<Reading, String> {
        let mut sources = Vec::with_capacity(header.names.len());
        let mut columns = Vec::new();
        for (at, name) in header.names.iter().enumerate() {
            sources.push(if name.eq_ignore_ascii_case("TIMESTAMP") {
                ColumnSource::Time
            } else if name.eq_ignore_ascii_case("RECORD") {
                ColumnSource::Record
            } else {
                columns.push(ColumnSample::new(name, header.units[at].trim(), header.process[at].trim()));
                ColumnSource::Value(columns.len() - 1)
            });
        }
        if columns.is_empty() {
            return Err("has no column beside time and record number".to_owned());
        }
        Ok(Reading {
            most_rows: (most.values / columns.len()).clamp(LEAST_ROWS, most.rows),
            layout: Layout::new(sources, columns.len(), None, Vec::new()),
            header,
            row: ParsedRow::default(),
            rows: Vec::new(),
            columns,
            bad_lines: 0,
            first_error: None,
        })
    }

    /// Returns whether to continue. Rows after a header in mid-file may have other columns.
    fn take(&mut self, line: &[u8]) -> bool {
        if line.iter().all(u8::is_ascii_whitespace) {
            return true;
        }
        if format::header_lines(line).is_some() {
            return false;
        }
        match self.row.read(line, &self.layout) {
            Ok(()) => {
                if let Some(time) = self.row.time {
                    let values = xxh3_64(self.row.values_json().as_bytes());
                    self.rows.push(RowSample { time, record: self.row.record, values });
                    self.learn();
                }
            }
            Err(error) => {
                self.bad_lines += 1;
                self.first_error.get_or_insert_with(|| error.to_string());
            }
        }
        self.rows.len() + self.bad_lines < self.most_rows
    }

    fn learn(&mut self) {
        for (column, value) in self.columns.iter_mut().zip(&self.row.values) {
            let number = if let Value::Number(number) = *value { number } else { f64::NAN };
            column.values.push(number);
            match *value {
                Value::Number(_) => {}
                Value::Missing => column.missing += 1,
                Value::Text(word) if word.is_usual() => column.missing += 1,
                Value::Text(_) => column.text += 1,
            }
        }
    }
}
