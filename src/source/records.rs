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

    /// Where in the file the header begins that the records last taken stand under: files are joined, and a logger
    /// that streams writes a header in mid-file.
    fn headed_at(&self) -> u64 {
        0
    }

    /// The next piece begins at this offset, not behind the one before it.
    fn start_at(&mut self, _offset: u64) {}

    /// How many bytes before the first piece it looks at, to know what goes on there.
    fn looks_back(&self) -> usize {
        0
    }

    /// The bytes before the first piece.
    fn see_before(&mut self, _before: &[u8]) {}

    /// Translates the whole records at the beginning of the piece and returns how many bytes these are. Every call
    /// begins where the one before it ended. A header in mid-file is a piece of its own: its lines, and no record
    /// behind them.
    fn take(&mut self, piece: Piece<'_>, records: &mut Records) -> usize;

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

/// Bytes of a file of records.
#[derive(Debug, Clone, Copy)]
pub struct Piece<'b> {
    /// The bytes.
    pub bytes: &'b [u8],
    /// Where in the file they begin.
    pub offset: u64,
    /// Whether the file ends with them.
    pub is_end: bool,
}

/// What the line of a record says, where each of its values is a number: whoever wrote it knows that, and it need not
/// be read from the text.
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

/// A line that is no record.
#[derive(Debug)]
struct Damaged {
    line: usize,
    /// The bytes that it stands for.
    length: usize,
    /// How many of them are before the piece.
    before: usize,
}

/// Lines, each with the position of its record.
#[derive(Debug, Default)]
pub struct Records {
    text: Vec<u8>,
    begins: Vec<usize>,
    numbers: Vec<f64>,
    said: Vec<Option<SaidAt>>,
    /// Lines that are no records; in order.
    damaged: Vec<Damaged>,
    /// Where text and numbers of the last line begin.
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

    /// Says that the last line is no record: `length` bytes that could not be one.
    pub fn is_damage_of(&mut self, length: usize) {
        self.damaged.push(Damaged { line: self.begins.len().saturating_sub(1), length, before: 0 });
    }

    /// Says that what is damaged in the last line began so many bytes before the piece.
    pub fn began_before(&mut self, before: usize) {
        if let Some(last) = self.damaged.last_mut() {
            last.before = before;
            last.length += before;
        }
    }

    fn damaged(&self, line: usize) -> Option<&Damaged> {
        if self.damaged.is_empty() {
            return None;
        }
        let found = self.damaged.binary_search_by_key(&line, |damaged| damaged.line).ok()?;
        self.damaged.get(found)
    }

    /// How many bytes a line stands for that is no record.
    pub(super) fn damage(&self, line: usize) -> Option<usize> {
        self.damaged(line).map(|damaged| damaged.length)
    }

    /// How many of them are before the piece.
    pub(super) fn damage_before(&self, line: usize) -> usize {
        self.damaged(line).map_or(0, |damaged| damaged.before)
    }

    /// Says where each record begins, by what was said of it.
    pub fn move_begins(&mut self, place: impl FnMut(usize) -> usize) {
        let moved: Vec<usize> = self.begins.drain(..).map(place).collect();
        self.begins = moved;
    }

    /// Says that the last line holds `time`, `record` and, from `values_at` of the text on, the numbers and nothing
    /// else.
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
        self.damaged.clear();
    }
}
