//! Samples: the header and the first rows of a file.
//!
//! A few thousand rows show whether a column is empty, constant or text, the interval between rows, and whether a range
//! would flag usual values of the sensor. Nothing is stored and nothing is decided here.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use xxhash_rust::xxh3::xxh3_64;

use super::csv::{self, Recognised};
use crate::config::{CsvFormat, FileFormat};
use crate::format::{self, Apart, ColumnSource, Fields, Format, Header, HeaderBlock, Keys, Layout, ParsedRow, Value};
use crate::source::{Chunk, QuietFile, SourceError};
use crate::time::{LocalTime, Samples, StampRead, Timestamp};

/// The most rows that are read from a file; fewer from a wide table.
const MOST_ROWS: usize = 5_000;
const MOST_VALUES: usize = 500_000;
/// The same for a file of an archive, of which months are examined.
const MOST_ROWS_OF_ARCHIVE: usize = 1_000_000;
/// The number of rows that are shown as they were parsed, and of values in each.
const FIRST_ROWS: usize = 3;
const SHOWN: usize = 5;
/// The limit for all files together, so that a year of daily files fits into a small computer's memory.
const MOST_VALUES_OF_ALL: usize = 8_000_000;
/// At least this number of rows is read, because fewer show nothing.
const LEAST_ROWS: usize = 20;
/// Attempts for a file that LoggerNet is writing to, and the pause between them.
const ATTEMPTS: u32 = 6;
const BETWEEN_ATTEMPTS: Duration = Duration::from_millis(40);

/// The first rows of a file.
#[derive(Debug)]
pub(super) struct Sample {
    /// The absolute path.
    pub(super) path: PathBuf,
    pub(super) header: Header,
    /// The rows, in the order of the file.
    pub(super) rows: Vec<RowSample>,
    /// The number of rows that share a time stamp, if the rows show it.
    pub(super) samples: Option<Samples>,
    /// The column whose texts tell the rows of one stamp apart.
    pub(super) apart: Option<String>,
    /// The columns without time and record number.
    pub(super) columns: Vec<ColumnSample>,
    /// The dialect, for a text table of another program.
    pub(super) csv: Option<Recognised>,
    /// Whether numbers are quoted where no logger quotes them.
    pub(super) quotes_numbers: bool,
    /// The first rows, as they were parsed.
    pub(super) first_rows: Vec<String>,
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
    /// One value per row; NaN if the row has no number.
    pub(super) values: Vec<f64>,
    pub(super) missing: usize,
    pub(super) text: usize,
    /// The first of its texts.
    pub(super) example: Option<String>,
}

impl ColumnSample {
    /// A column without rows.
    pub(super) fn new(name: &str, unit: &str, process: &str) -> ColumnSample {
        let [name, unit, process] = [name, unit, process].map(str::to_owned);
        ColumnSample { name, unit, process, values: Vec::new(), missing: 0, text: 0, example: None }
    }

    /// The numbers of its rows.
    pub(super) fn numbers(&self) -> impl Iterator<Item = f64> + Clone {
        self.values.iter().copied().filter(|value| !value.is_nan())
    }

    /// The same column, with no value in place of the numbers for which `is_none` is true.
    pub(super) fn without(&self, is_none: impl Fn(f64) -> bool) -> ColumnSample {
        let values = self.values.iter().map(|value| if is_none(*value) { f64::NAN } else { *value });
        let values: Vec<f64> = values.collect();
        let missing = self.missing + self.numbers().count() - values.iter().filter(|value| !value.is_nan()).count();
        let [name, unit, process] = [&self.name, &self.unit, &self.process].map(String::clone);
        ColumnSample { name, unit, process, values, missing, text: self.text, example: self.example.clone() }
    }

    /// Adds the rows of another file, which are later than these.
    pub(super) fn extend(&mut self, other: &ColumnSample) {
        self.values.extend_from_slice(&other.values);
        self.missing += other.missing;
        self.text += other.text;
        self.example = self.example.take().or_else(|| other.example.clone());
    }

    /// Adds rows of a file without this column, up to this total number of rows.
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
    /// A field of line 1 between the format and the table; empty if the line is shorter.
    pub(super) fn environment(&self, place: usize) -> &str {
        self.header.environment.get(place).map_or("", |text| text.trim())
    }

    /// The station in line 1.
    pub(super) fn station(&self) -> &str {
        self.environment(0)
    }

    /// The logger's serial number; empty if line 1 has none.
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
        // Rows that share a stamp are distributed over the time to the next stamp.
        let nanos = self.samples.map_or(nanos, |samples| nanos / samples.per_stamp().cast_signed().max(1));
        Some(Interval { nanos, regular: steps >= 2 && count * 2 > steps })
    }
}

/// How much of a file is read.
#[derive(Debug, Clone, Copy)]
struct ReadLimit {
    values: usize,
    rows: usize,
}

/// Reads the beginning of `path`, one of `files` files: one sample for each table in it; a file with arrays has
/// several. The error is the rest of a sentence that begins with the file's name.
pub(super) fn read(path: &Path, files: usize) -> Result<Vec<Sample>, String> {
    let values = MOST_VALUES.min(MOST_VALUES_OF_ALL / files.max(1));
    read_up_to(path, ReadLimit { values, rows: MOST_ROWS })
}

/// Reads as much of `path`, one of `files` files of an archive, as the memory limit allows.
pub(super) fn read_archive(path: &Path, files: usize) -> Result<Vec<Sample>, String> {
    read_up_to(path, ReadLimit { values: MOST_VALUES_OF_ALL / files.max(1), rows: MOST_ROWS_OF_ARCHIVE })
}

fn read_up_to(path: &Path, most: ReadLimit) -> Result<Vec<Sample>, String> {
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

fn attempt_to_read(path: &Path, most: ReadLimit) -> Result<Result<Vec<Sample>, String>, SourceError> {
    let mut file = QuietFile::open(path)?;
    if let Err(error) = format::begin(&mut file, &FileFormat::Logger(None))? {
        return Ok(Err(error.to_string()));
    }
    // A file with translated lines is neither an array file nor one of another program.
    let mut found = Vec::new();
    while let Some(chunk) = file.next_chunk()? {
        if chunk.bytes.is_empty() {
            continue;
        }
        match dialects(chunk.bytes, path) {
            Ok(recognised) => found = recognised,
            Err(reason) => return Ok(Err(reason)),
        }
        break;
    }
    let dialects: Vec<Option<Recognised>> =
        if found.is_empty() { vec![None] } else { found.into_iter().map(Some).collect() };
    let mut samples = Vec::new();
    for dialect in dialects {
        file.start_at(0);
        match sample(&mut file, path, most, dialect)? {
            Ok(sample) => samples.push(sample),
            Err(reason) => return Ok(Err(reason)),
        }
    }
    Ok(Ok(samples))
}

/// The dialects of a file that begins with `bytes`; empty for a logger's own formats, and for files that are not a
/// table.
fn dialects(bytes: &[u8], path: &Path) -> Result<Vec<Recognised>, String> {
    let mut lines = from_header(bytes).split(|byte| *byte == b'\n').map(format::strip_noise);
    let Some(first) = lines.find(|line| !format::is_blank(line)) else { return Ok(Vec::new()) };
    match format::detect(&first) {
        Format::Unknown => match csv::recognise(bytes) {
            Some(found) => Ok(vec![found]),
            None => csv::unread(bytes).map_or(Ok(Vec::new()), Err),
        },
        // Year, day and time without an array number before them.
        Format::Array => match csv::recognise(bytes).filter(|_| format::array_of(&first).is_none()) {
            Some(found) => Ok(vec![found]),
            None => csv::arrays(bytes, path),
        },
        _ => Ok(Vec::new()),
    }
}

fn sample(
    file: &mut QuietFile,
    path: &Path,
    most: ReadLimit,
    dialect: Option<Recognised>,
) -> Result<Result<Sample, String>, SourceError> {
    let mut reader = Reader { most, head: None, csv_head: 0, reading: None, csv: None, is_csv: None };
    let mut dialect = dialect;
    let mut is_first = true;
    while let Some(Chunk { bytes, is_tail, .. }) = file.next_chunk()? {
        let is_begin = std::mem::take(&mut is_first);
        let bytes = if is_begin && dialect.is_none() { from_header(bytes) } else { bytes };
        if !bytes.is_empty()
            && let Some(dialect) = dialect.take()
            && let Err(reason) = reader.begin_csv(dialect, bytes)
        {
            return Ok(Err(reason));
        }
        // An unfinished row may end within a number; an unfinished header is reported.
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

/// The bytes from the first header on, if rows of a truncated file precede it.
fn from_header(bytes: &[u8]) -> &[u8] {
    let first = bytes.split(|&byte| byte == b'\n').next().unwrap_or_default();
    match format::detect(first) {
        format::Format::Unknown | format::Format::Array => &bytes[format::next_header(bytes).unwrap_or(0)..],
        _ => bytes,
    }
}

struct Reader {
    most: ReadLimit,
    /// The header of a logger's file, once it has begun.
    head: Option<HeaderBlock>,
    /// The lines above the rows of another program's file that were not passed yet.
    csv_head: usize,
    reading: Option<Reading>,
    csv: Option<Recognised>,
    /// The format as the configuration has it; None for loggers' formats, and if no row was read.
    is_csv: Option<FileFormat>,
}

/// The columns of a file that are not part of the key.
fn columns(header: &Header, keys: &Keys) -> Vec<ColumnSample> {
    let values = (0..header.names.len()).filter(|place| !keys.contain(*place));
    values.map(|at| ColumnSample::new(&header.names[at], header.units[at].trim(), header.process[at].trim())).collect()
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
    quotes_numbers: bool,
    apart: Apart,
    first_rows: Vec<String>,
}

impl Reader {
    /// A file of another program, which begins with `bytes`, is read in its own dialect.
    fn begin_csv(&mut self, dialect: Recognised, bytes: &[u8]) -> Result<(), String> {
        let (header, layout) = dialect.csv.open("", bytes)?;
        self.is_csv = Some(FileFormat::Csv(dialect.csv.clone()));
        self.csv_head = dialect.csv.head_lines();
        self.reading = Some(Reading::of_csv(header, layout, &dialect.csv, self.most)?);
        self.csv = Some(dialect);
        Ok(())
    }

    /// Returns whether to continue; the error says why the file is not a logger's table.
    fn take(&mut self, raw: &[u8]) -> Result<bool, String> {
        let line = format::strip_noise(raw);
        if let Some(reading) = &mut self.reading {
            if let Some(format) = &self.is_csv {
                // Lines of the header, and lines that the dialect excludes.
                if self.csv_head > 0 {
                    self.csv_head -= 1;
                    return Ok(true);
                }
                if format.is_comment(&line) {
                    return Ok(true);
                }
            }
            return Ok(reading.take(&line));
        }
        let Some(head) = &mut self.head else {
            if format::is_blank(&line) {
                return Ok(true);
            }
            if let Some(reason) = format::detect(&line).refusal() {
                return Err(reason.to_owned());
            }
            self.head = Some(HeaderBlock::of_logger(format::header_lines(&line).unwrap_or(4), &line));
            return Ok(true);
        };
        let is_row = || Fields::new(&line).next().is_some_and(|field| LocalTime::parse_logger(field.text).is_some());
        if head.ends_before(is_row) {
            let head = head.counted();
            self.begin_rows(&head)?;
            return self.take(raw);
        }
        head.push(&line);
        if head.is_whole() {
            let head = head.counted();
            self.begin_rows(&head)?;
        }
        Ok(true)
    }

    fn begin_rows(&mut self, head: &[Vec<u8>]) -> Result<(), String> {
        let header = Header::read(head);
        let header = header.map_err(|error| format!("has a damaged header: {error}"))?;
        self.reading = Some(Reading::new(header, self.most)?);
        Ok(())
    }

    fn finish(mut self, path: &Path) -> Result<Sample, String> {
        let Some(reading) = self.reading.take() else {
            return Err(match &self.head {
                None => "is empty; run this again when LoggerNet has written to it".to_owned(),
                Some(head) => {
                    let (lines, whole) = (head.lines().len(), head.of());
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
            // Only time differences matter, so any clock can be used.
            Some((Timestamp::from_nanos(row.time.nanos_since(epoch)), row.record?))
        });
        let apart = reading.apart.column().and_then(|place| Some(reading.columns.get(place)?.name.clone()));
        let samples = if apart.is_some() { None } else { Samples::shown_by(instants) };
        let Reading { header, rows, columns, first_rows, quotes_numbers, .. } = reading;
        let quotes_numbers = quotes_numbers && self.csv.is_none();
        Ok(Sample {
            path: path.to_owned(),
            header,
            rows,
            samples,
            apart,
            columns,
            csv: self.csv,
            quotes_numbers,
            first_rows,
        })
    }
}

impl Reading {
    fn new(header: Header, most: ReadLimit) -> Result<Reading, String> {
        let keys = Keys::of(&FileFormat::Logger(None), &header);
        let columns = columns(&header, &keys);
        let mut places = 0..columns.len();
        let layout = Layout::of_file(&FileFormat::Logger(None), &header, columns.len(), Vec::new(), |_| {
            ColumnSource::Value(places.next().unwrap_or_default())
        });
        Reading::of(header, layout, columns, most)
    }

    fn of_csv(header: Header, layout: Layout, csv: &CsvFormat, most: ReadLimit) -> Result<Reading, String> {
        let keys = Keys::of(&FileFormat::Csv(csv.clone()), &header);
        let columns = columns(&header, &keys);
        Reading::of(header, layout, columns, most)
    }

    fn of(header: Header, layout: Layout, columns: Vec<ColumnSample>, most: ReadLimit) -> Result<Reading, String> {
        if columns.is_empty() {
            return Err("has no column beside time and record number".to_owned());
        }
        Ok(Reading {
            most_rows: (most.values / columns.len()).clamp(LEAST_ROWS, most.rows),
            layout,
            header,
            row: ParsedRow::default(),
            rows: Vec::new(),
            columns,
            bad_lines: 0,
            first_error: None,
            quotes_numbers: false,
            apart: Apart::default(),
            first_rows: Vec::new(),
        })
    }

    /// Returns whether to continue. Rows after a header in the middle of the file may have other columns.
    fn take(&mut self, line: &[u8]) -> bool {
        if format::is_blank(line) {
            return true;
        }
        if format::header_lines(line).is_some() {
            return false;
        }
        match self.row.read(line, &self.layout) {
            Ok(()) => {
                self.quotes_numbers |= self.row.quotes_numbers;
                if let Some(StampRead { time, is_utc }) = self.row.stamp {
                    if self.first_rows.len() < FIRST_ROWS {
                        self.first_rows.push(self.shown(time, is_utc));
                    }
                    self.apart.see(time.nanos_since(LocalTime::from_nanos(0)), self.row.values_json());
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

    /// A row as it was parsed: its time, and some of its values with names.
    fn shown(&self, time: LocalTime, is_utc: bool) -> String {
        let values: Vec<serde_json::Value> = serde_json::from_str(self.row.values_json()).unwrap_or_default();
        let cell = |(column, value): (&ColumnSample, &serde_json::Value)| match value {
            serde_json::Value::Null => format!("{} missing", column.name),
            serde_json::Value::String(text) => format!("{} \"{text}\"", column.name),
            number => format!("{} {number}", column.name),
        };
        let mut cells: Vec<String> = self.columns.iter().zip(&values).take(SHOWN).map(cell).collect();
        if values.len() > SHOWN {
            cells.push("…".to_owned());
        }
        let record = self.row.record.map_or_else(String::new, |record| format!("record {record}; "));
        format!("{time}{}: {record}{}", if is_utc { " UTC" } else { "" }, cells.join(", "))
    }

    fn learn(&mut self) {
        for (place, (column, value)) in self.columns.iter_mut().zip(&self.row.values).enumerate() {
            let number = if let Value::Number(number) = *value { number } else { f64::NAN };
            column.values.push(number);
            match *value {
                Value::Number(_) => {}
                Value::Missing => column.missing += 1,
                Value::Text(word) if word.is_usual() => column.missing += 1,
                Value::Text(_) => {
                    column.text += 1;
                    if column.example.is_none() {
                        column.example = format::texts_of(self.row.values_json(), &[place]).pop().flatten();
                    }
                }
            }
        }
    }
}
