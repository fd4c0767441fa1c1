//! The line while it is written.

use std::io::Write;

use super::LineShape;
use crate::time::Timestamp;

/// The lines while they are written: one per part that has a field.
pub(super) struct Line<'a> {
    shape: &'a LineShape,
    at: Timestamp,
    pub(super) out: &'a mut Vec<u8>,
    pub(super) row_start: usize,
    line_start: usize,
    pub(super) fields_start: usize,
    part: usize,
}

impl<'a> Line<'a> {
    pub(super) fn begin(shape: &'a LineShape, at: Timestamp, out: &'a mut Vec<u8>) -> Line<'a> {
        let row_start = out.len();
        let mut line = Line { shape, at, out, row_start, line_start: row_start, fields_start: row_start, part: 0 };
        line.open(0);
        line
    }

    fn open(&mut self, part: usize) {
        self.part = part;
        self.line_start = self.out.len();
        if let Some(part) = self.shape.parts.get(part) {
            self.out.extend_from_slice(&part.prefix);
        }
        self.fields_start = self.out.len();
    }

    #[inline]
    pub(super) fn turn_to(&mut self, part: usize) {
        if part != self.part {
            self.end();
            self.open(part);
        }
    }

    pub(super) fn start_again(&mut self) {
        self.out.truncate(self.row_start);
        self.open(0);
    }

    /// Ends the line, or removes it if it has no field.
    pub(super) fn end(&mut self) {
        if self.out.len() == self.fields_start {
            self.out.truncate(self.line_start);
            return;
        }
        // Formatting an integer into memory cannot fail.
        let _ = writeln!(self.out, " {}", self.at.nanos());
    }
}
