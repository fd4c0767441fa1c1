//! What cuts a file whose records are not lines. The formats are in `src/format`; here is only what reading such a file needs.

use std::fmt;
use std::ops::Range;

use crate::time::LocalTime;

/// Turns the records of a file into the lines of a TOA5 file.
pub trait Translator {
    /// Bytes of the header.
    fn begins_at(&self) -> u64;

    /// The header as the lines of a TOA5 header.
    fn header(&self) -> &[u8];

    /// Translates the whole records at the beginning of `bytes` and returns how many bytes these are. Every call begins at a
    /// record.
    fn take(&mut self, bytes: &[u8], records: &mut Records) -> usize;

    /// Offset of a record that begins at or before this offset, or of the first one.
    fn record_at_or_before(&self, offset: u64) -> u64;

    /// The line that `rest`, which ends the file, is without its line end; None where only whole records count.
    fn last_line(&self, _rest: &[u8]) -> Option<Vec<u8>> {
        None
    }

    /// Whether `rest`, which is no record and ends the file, holds nothing that could become one.
    fn is_filler(&self, _rest: &[u8]) -> bool {
        false
    }
}

impl fmt::Debug for dyn Translator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Translator")
    }
}

/// What the line of a record says, where each of its values is a number: whoever wrote it knows that, and it need not be read
/// from the text.
#[derive(Debug, Clone, Copy)]
pub struct Said<'r> {
    /// The time, which stands first.
    pub time: LocalTime,
    /// The record number, behind it.
    pub record: Option<i64>,
    /// Where in the line the first value begins.
    pub values_at: usize,
    /// As the line spells them, from there to its end.
    pub numbers: &'r [f64],
}

/// As [`Said`], with the place of the numbers.
#[derive(Debug, Clone)]
struct SaidAt {
    time: LocalTime,
    record: Option<i64>,
    values_at: usize,
    numbers: Range<usize>,
}

/// Lines, each with the place of its record.
#[derive(Debug, Default)]
pub struct Records {
    text: Vec<u8>,
    begins: Vec<usize>,
    numbers: Vec<f64>,
    said: Vec<Option<SaidAt>>,
    /// Where text and numbers of the last line begin.
    last_at: (usize, usize),
}

/// A line that is being written.
#[derive(Debug)]
pub struct Line<'r> {
    /// Whoever writes it ends it with a line feed.
    pub text: &'r mut Vec<u8>,
    /// The numbers of its values.
    pub numbers: &'r mut Vec<f64>,
}

impl Records {
    /// Begins the line of the record at this place of the bytes.
    pub fn begin(&mut self, at: usize) -> Line<'_> {
        self.begins.push(at);
        self.said.push(None);
        self.last_at = (self.text.len(), self.numbers.len());
        Line { text: &mut self.text, numbers: &mut self.numbers }
    }

    /// Says that the last line holds `time`, `record` and, from `values_at` of the text on, the numbers and nothing else.
    pub fn tell(&mut self, time: LocalTime, record: Option<i64>, values_at: usize) {
        let (text_at, numbers_at) = self.last_at;
        if let Some(last) = self.said.last_mut() {
            let numbers = numbers_at..self.numbers.len();
            *last = Some(SaidAt { time, record, values_at: values_at - text_at, numbers });
        }
    }

    /// What a line says, where that is known.
    pub(super) fn said(&self, line: usize) -> Option<Said<'_>> {
        let SaidAt { time, record, values_at, numbers } = self.said.get(line)?.clone()?;
        Some(Said { time, record, values_at, numbers: self.numbers.get(numbers)? })
    }

    /// One line, without a line end.
    pub(super) fn set_last(&mut self, line: Vec<u8>) {
        self.clear();
        self.text = line;
        self.begins = vec![0];
    }

    /// Lines so far.
    pub fn len(&self) -> usize {
        self.begins.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.begins.is_empty()
    }

    /// The lines.
    pub(super) fn text(&self) -> &[u8] {
        &self.text
    }

    /// For each line the place of its record.
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
