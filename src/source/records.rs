//! The interface for files whose records are not lines. The formats are in `src/format`; this file has only what
//! reading such a file needs.

use std::fmt;
use std::ops::Range;

use crate::time::LocalTime;

/// Turns the records of a file into the lines of a TOA5 file.
pub trait Translator {
    /// The number of bytes of the header.
    fn begins_at(&self) -> u64;

    /// The header in the form of a TOA5 header's lines.
    fn header(&self) -> &[u8];

    /// Translates the whole records at the beginning of `bytes` and returns their number of bytes. Every call begins at
    /// a record.
    fn take(&mut self, bytes: &[u8], records: &mut Records) -> usize;

    /// The offset of a record that begins at or before this offset, or of the first one.
    fn record_at_or_before(&self, offset: u64) -> u64;

    /// The incomplete line that `rest`, the end of the file, would be; None for formats in which only whole records
    /// count.
    fn last_line(&self, _rest: &[u8]) -> Option<Vec<u8>> {
        None
    }

    /// Whether `rest`, which is not a record and ends the file, contains nothing that could become one.
    fn is_filler(&self, _rest: &[u8]) -> bool {
        false
    }
}

impl fmt::Debug for dyn Translator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Translator")
    }
}

/// The parsed content of a record's line whose values are all numbers. The translator has it already, so it is not
/// parsed from the text again.
#[derive(Debug, Clone, Copy)]
pub struct Said<'r> {
    /// The time, which is the first field.
    pub time: LocalTime,
    /// The record number, which follows the time.
    pub record: Option<i64>,
    /// The position in the line where the first value begins.
    pub values_at: usize,
    /// The numbers that the line contains from there to its end.
    pub numbers: &'r [f64],
}

/// Like [`Said`], with the position of the numbers.
#[derive(Debug, Clone)]
struct SaidAt {
    time: LocalTime,
    record: Option<i64>,
    values_at: usize,
    numbers: Range<usize>,
}

/// Lines, each with the position of its record.
#[derive(Debug, Default)]
pub struct Records {
    text: Vec<u8>,
    begins: Vec<usize>,
    numbers: Vec<f64>,
    said: Vec<Option<SaidAt>>,
    /// The positions where the text and the numbers of the last line begin.
    last_at: (usize, usize),
}

/// A line that is being written.
#[derive(Debug)]
pub struct Line<'r> {
    /// The text. The translator ends it with a line feed.
    pub text: &'r mut Vec<u8>,
    /// The numbers of its values.
    pub numbers: &'r mut Vec<f64>,
}

impl Records {
    /// Begins the line of the record at this position in the bytes.
    pub fn begin(&mut self, at: usize) -> Line<'_> {
        self.begins.push(at);
        self.said.push(None);
        self.last_at = (self.text.len(), self.numbers.len());
        Line { text: &mut self.text, numbers: &mut self.numbers }
    }

    /// Declares that the last line contains `time`, `record` and, from position `values_at` of its text on, only the
    /// numbers.
    pub fn tell(&mut self, time: LocalTime, record: Option<i64>, values_at: usize) {
        let (text_at, numbers_at) = self.last_at;
        if let Some(last) = self.said.last_mut() {
            let numbers = numbers_at..self.numbers.len();
            *last = Some(SaidAt { time, record, values_at: values_at - text_at, numbers });
        }
    }

    /// The parsed content of a line, if it was declared.
    pub(super) fn said(&self, line: usize) -> Option<Said<'_>> {
        let SaidAt { time, record, values_at, numbers } = self.said.get(line)?.clone()?;
        Some(Said { time, record, values_at, numbers: self.numbers.get(numbers)? })
    }

    /// Replaces the content with one line without a line end.
    pub(super) fn set_last(&mut self, line: Vec<u8>) {
        self.clear();
        self.text = line;
        self.begins = vec![0];
    }

    /// The number of lines so far.
    pub fn len(&self) -> usize {
        self.begins.len()
    }

    /// Whether there are no lines.
    pub fn is_empty(&self) -> bool {
        self.begins.is_empty()
    }

    /// The lines.
    pub(super) fn text(&self) -> &[u8] {
        &self.text
    }

    /// For each line the position of its record.
    pub(super) fn begins(&self) -> &[usize] {
        &self.begins
    }

    pub(super) fn clear(&mut self) {
        self.text.clear();
        self.begins.clear();
        self.numbers.clear();
        self.said.clear();
    }
}
