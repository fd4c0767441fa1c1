//! The sections of a file of records, each under a header of its own: files are joined, and a logger that streams writes
//! a header in mid-file.
//!
//! One section is read at a time. That of the beginning of the file is kept while a later one is read, because reading may
//! start again in front of it.

use crate::source::{Piece, Records};

/// The header of a section, and its place.
#[derive(Debug, Clone)]
pub(super) struct Head {
    /// Where in the file it begins.
    pub(super) headed_at: u64,
    /// Where the records behind it begin.
    pub(super) begins_at: u64,
    /// In the form of a TOA5 header's lines.
    pub(super) lines: Vec<u8>,
}

/// The sections of one file. `S` is what a header says of the records behind it.
pub(super) struct Sections<S> {
    /// Of the section that is read.
    pub(super) now: S,
    head: Head,
    first: Option<(Head, S)>,
}

impl<S> Sections<S> {
    pub(super) fn new((head, now): (Head, S)) -> Sections<S> {
        Sections { now, head, first: None }
    }

    /// Of the section that is read.
    pub(super) fn head(&self) -> &Head {
        &self.head
    }

    /// Of the section of the beginning of the file.
    pub(super) fn first_head(&self) -> &Head {
        self.first.as_ref().map_or(&self.head, |(head, _)| head)
    }

    /// Goes on under the header at the beginning of the piece, whose lines are handed on. Returns how many bytes it has.
    pub(super) fn begin_anew(&mut self, section: (Head, S), piece: Piece<'_>, records: &mut Records) -> usize {
        for line in section.0.lines.split_inclusive(|byte| *byte == b'\n') {
            records.begin(0).text.extend_from_slice(line);
        }
        let length = usize::try_from(section.0.begins_at - piece.offset).unwrap_or_default();
        self.go_under(section);
        length
    }

    /// The header at this offset cannot be read, so that little is known of what stands behind it.
    pub(super) fn lose(&mut self, offset: u64, known: S) {
        let lines = self.head.lines.clone();
        self.go_under((Head { headed_at: offset, begins_at: offset, lines }, known));
    }

    fn go_under(&mut self, (head, now): (Head, S)) {
        let before = (std::mem::replace(&mut self.head, head), std::mem::replace(&mut self.now, now));
        self.first.get_or_insert(before);
    }

    /// The next piece begins at this offset: in front of the section that is read, the first one is read again.
    pub(super) fn start_at(&mut self, offset: u64) {
        if offset < self.head.begins_at
            && let Some(first) = self.first.take()
        {
            (self.head, self.now) = first;
        }
    }
}
