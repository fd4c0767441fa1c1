//! What cuts a file whose records are not lines. The formats are in `src/format`; here is only what reading such a file needs.

use std::fmt;

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

/// Lines, each with the place of its record.
#[derive(Debug, Default)]
pub struct Records {
    text: Vec<u8>,
    begins: Vec<usize>,
}

impl Records {
    /// Begins the line of the record at this place of the bytes. Whoever writes it ends it with a line feed.
    pub fn begin(&mut self, at: usize) -> &mut Vec<u8> {
        self.begins.push(at);
        &mut self.text
    }

    /// One line, without a line end.
    pub(super) fn set_last(&mut self, line: Vec<u8>) {
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
    }
}
