//! Defers lines to the next read, and rejects them if their file is overwritten in the meantime (I1, I2).
//!
//! A last line without a line end may not be complete yet, and a line of a file that is being overwritten may be two
//! lines in one: both are deferred to the next read. LoggerNet may overwrite the file before that, so their texts are
//! kept with the state of the file. A text that the file no longer contains becomes a rejected line. It is not taken as
//! a row, because a number that was cut off is another number. A complete line that begins with the text replaces it,
//! and a user can have it judged as it is.
//! The lines of a file whose header cannot be read are deferred too, until the configuration can read it or the file is
//! overwritten.

use std::collections::{HashMap, HashSet};

use crate::format;
use crate::store::DeferredLine;

/// So many bytes of one file are left for later; a file with more is judged as it stands.
const MOST: usize = 1 << 20;

/// What one read leaves for later, and what an earlier one left.
#[derive(Debug, Default)]
pub(super) struct Deferred {
    /// By an earlier read, and not seen in the file by this one.
    before: Vec<DeferredLine>,
    /// Like `before`, for the complete lines of a file whose header could not be read, by their texts.
    refused: HashMap<String, DeferredLine>,
    /// By this read.
    now: Vec<DeferredLine>,
    bytes: usize,
    /// Texts that might be glued and stand in the file again: its writer has finished, and they are still the same.
    confirmed: HashSet<String>,
    /// Whether the file goes on where the last read stopped.
    goes_on: bool,
}

impl Deferred {
    /// `before` are those of the last read; `goes_on` says whether the file is that of the last read up to the first of them.
    pub(super) fn new(before: Vec<DeferredLine>, goes_on: bool) -> Deferred {
        let (before, refused): (Vec<_>, Vec<_>) = before.into_iter().partition(|line| line.header.is_some());
        let refused = refused.into_iter().map(|line| (line.raw.clone(), line)).collect();
        Deferred { before, refused, goes_on, ..Deferred::default() }
    }

    /// A physical line of the file: what it begins with is not lost.
    #[inline]
    pub(super) fn see(&mut self, line: &[u8]) {
        if !self.refused.is_empty() {
            // A line with NUL bytes was kept in pieces.
            for piece in line.split(|byte| *byte == 0) {
                self.refused.remove(format::decode(&format::strip_noise(piece)).as_ref());
            }
        }
        if !self.before.is_empty() {
            let line = format::strip_noise(line);
            let text = format::decode(&line);
            let confirmed = &mut self.confirmed;
            self.before.retain(|known| {
                if known.glued && text == known.raw {
                    confirmed.insert(known.raw.clone());
                }
                !text.starts_with(&known.raw)
            });
        }
    }

    /// Whether an earlier read left the same line for later.
    pub(super) fn is_confirmed(&self, line: &[u8]) -> bool {
        !self.confirmed.is_empty() && self.confirmed.contains(format::decode(line).as_ref())
    }

    /// Leaves a line for later. Without a header it is no row of any.
    pub(super) fn keep(&mut self, number: u64, header: Option<i64>, line: &[u8], glued: bool) {
        if header.is_some() {
            self.leave(number, header, line, glued);
        }
    }

    /// Defers a line of a file whose header cannot be read. A line with null bytes is not kept.
    pub(super) fn keep_refused(&mut self, number: u64, line: &[u8]) {
        let line = format::strip_noise(line);
        if !self.is_full() && !line.trim_ascii().is_empty() && memchr::memchr(0, &line).is_none() {
            self.leave(number, None, &line, false);
        }
    }

    fn leave(&mut self, number: u64, header: Option<i64>, line: &[u8], glued: bool) {
        let raw = format::decode(line).into_owned();
        self.bytes += raw.len();
        self.now.push(DeferredLine { number, header, raw, glued });
    }

    /// Whether no more may be left for later.
    pub(super) fn is_full(&self) -> bool {
        self.bytes >= MOST
    }

    /// What the file does not hold any more, and what is left for later. Where other text stands now in the place of a line that might
    /// be glued, it was.
    pub(super) fn end(&mut self) -> (Vec<DeferredLine>, Vec<DeferredLine>) {
        let goes_on = self.goes_on;
        self.before.retain(|line| !(goes_on && line.glued));
        let mut gone = std::mem::take(&mut self.before);
        gone.extend(std::mem::take(&mut self.refused).into_values());
        gone.sort_by_key(|line| line.number);
        (gone, std::mem::take(&mut self.now))
    }
}
