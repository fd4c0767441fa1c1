//! Text in UTF-16, as Windows programs save it: two bytes a sign, after a byte order mark or without one. Each line is
//! handed on as UTF-8, and CSIXML is read as UTF-8, with the places of its records in the file.

use super::RecordsError;
use super::csixml::CsiXml;
use crate::source::{Piece, Records, Translator};

/// The byte order marks.
const LITTLE: [u8; 2] = [0xFF, 0xFE];
const BIG: [u8; 2] = [0xFE, 0xFF];
/// So many signs of the first line are looked at where there is no mark, and so many of them must be there.
const SEEN: usize = 32;
const LEAST: usize = 6;
const LINE_FEED: u16 = 0x0A;
const CARRIAGE_RETURN: u16 = 0x0D;
const TAB: u16 = 0x09;
/// The longest line in bytes.
const LONGEST_LINE: usize = 16 << 20;

/// A file in UTF-16.
#[derive(Debug, Clone, Copy)]
pub(super) struct Utf16 {
    is_big: bool,
    /// The length of the byte order mark.
    mark: usize,
}

impl Utf16 {
    /// Recognises the file by its byte order mark, or by a first line in ASCII of which every second byte is NUL.
    pub(super) fn begun_by(head: &[u8]) -> Option<Utf16> {
        let is = |mark: [u8; 2]| head.starts_with(&mark);
        if is(LITTLE) || is(BIG) {
            return Some(Utf16 { is_big: is(BIG), mark: LITTLE.len() });
        }
        [false, true].map(|is_big| Utf16 { is_big, mark: 0 }).into_iter().find(|text| text.has_ascii_line(head))
    }

    fn has_ascii_line(self, head: &[u8]) -> bool {
        let is_end = |unit: &u16| *unit == LINE_FEED || *unit == CARRIAGE_RETURN;
        let line = || self.units(head).take(SEEN).take_while(|unit| !is_end(unit));
        line().count() >= LEAST && line().all(|unit| unit == TAB || (0x20..0x7F).contains(&unit))
    }

    fn units<'b>(self, bytes: &'b [u8]) -> impl DoubleEndedIterator<Item = u16> + ExactSizeIterator + use<'b> {
        let is_big = self.is_big;
        bytes.chunks_exact(2).map(move |pair| {
            let pair = [pair[0], pair[1]];
            if is_big { u16::from_be_bytes(pair) } else { u16::from_le_bytes(pair) }
        })
    }

    /// In UTF-8.
    pub(super) fn text(self, bytes: &[u8]) -> Vec<u8> {
        let mut text = Vec::with_capacity(bytes.len());
        self.decode(bytes, &mut text);
        text
    }

    fn decode(self, bytes: &[u8], line: &mut Vec<u8>) {
        for sign in char::decode_utf16(self.units(bytes)) {
            let sign = sign.unwrap_or(char::REPLACEMENT_CHARACTER);
            line.extend_from_slice(sign.encode_utf8(&mut [0; 4]).as_bytes());
        }
    }
}

impl Translator for Utf16 {
    fn begins_at(&self) -> u64 {
        self.mark as u64
    }

    fn header(&self) -> &[u8] {
        &[]
    }

    fn take(&mut self, piece: Piece<'_>, records: &mut Records) -> usize {
        let bytes = piece.bytes;
        let mut used = 0;
        for (place, unit) in self.units(bytes).enumerate() {
            if unit == LINE_FEED {
                let end = (place + 1) * 2;
                self.decode(&bytes[used..end], records.begin(used).text);
                used = end;
            }
        }
        if used == 0 && bytes.len() > LONGEST_LINE {
            let line = records.begin(0).text;
            self.decode(&bytes[..LONGEST_LINE], line);
            line.push(b'\n');
            used = LONGEST_LINE;
        }
        used
    }

    fn record_at_or_before(&self, offset: u64) -> u64 {
        offset.max(self.begins_at()) & !1
    }

    fn last_line(&self, rest: &[u8]) -> Option<Vec<u8>> {
        let mut line = Vec::new();
        self.decode(rest, &mut line);
        Some(line)
    }
}

/// CSIXML in UTF-16.
pub(super) struct Recoded {
    text: Utf16,
    xml: CsiXml,
    /// In the file. Inside, places are those of the text from the header on.
    headed_at: u64,
    begins_at: u64,
    /// Those of the beginning of the file, while a later header is read.
    first: Option<(u64, u64)>,
}

impl Recoded {
    /// By the bytes from a header on, which begins at `headed_at` of the file.
    pub(super) fn open(text: Utf16, head: &[u8], headed_at: u64) -> Result<Recoded, RecordsError> {
        let mark = if headed_at == 0 { text.mark } else { 0 };
        let decoded = text.text(head.get(mark..).unwrap_or_default());
        let xml = CsiXml::open(&decoded, 0)?;
        let length = usize::try_from(xml.begins_at()).unwrap_or(usize::MAX).min(decoded.len());
        let begins_at = headed_at + (mark + Places::of(&decoded).at(length)) as u64;
        Ok(Recoded { text, xml, headed_at, begins_at, first: None })
    }
}

impl Translator for Recoded {
    fn begins_at(&self) -> u64 {
        self.begins_at
    }

    fn header(&self) -> &[u8] {
        self.xml.header()
    }

    fn headed_at(&self) -> u64 {
        self.headed_at
    }

    fn start_at(&mut self, offset: u64) {
        if offset < self.begins_at
            && let Some((headed_at, begins_at)) = self.first.take()
        {
            (self.headed_at, self.begins_at) = (headed_at, begins_at);
            self.xml.start_at(0);
        }
    }

    fn take(&mut self, piece: Piece<'_>, records: &mut Records) -> usize {
        // Half of a sign is left for the next piece.
        let is_half = self.text.units(piece.bytes).next_back().is_some_and(|unit| (0xD800..0xDC00).contains(&unit));
        let whole = piece.bytes.len() / 2 * 2 - if is_half { 2 } else { 0 };
        let decoded = self.text.text(&piece.bytes[..whole]);
        let header = self.xml.headed_at();
        let offset = piece.offset;
        let used = self.xml.take(Piece { bytes: &decoded, offset, is_end: piece.is_end }, records);
        let mut places = Places::of(&decoded);
        records.move_begins(|at| places.at(at));
        let used = Places::of(&decoded).at(used);
        if self.xml.headed_at() != header {
            self.first.get_or_insert((self.headed_at, self.begins_at));
            (self.headed_at, self.begins_at) = (offset, offset + used as u64);
        }
        used
    }

    fn record_at_or_before(&self, offset: u64) -> u64 {
        offset.max(self.begins_at) & !1
    }

    fn is_filler(&self, rest: &[u8]) -> bool {
        self.xml.is_filler(&self.text.text(rest))
    }
}

/// Places in UTF-16 of places in a text in UTF-8, asked for in order.
struct Places<'t> {
    text: &'t [u8],
    at: usize,
    moved: usize,
}

impl Places<'_> {
    fn of(text: &[u8]) -> Places<'_> {
        Places { text, at: 0, moved: 0 }
    }

    fn at(&mut self, at: usize) -> usize {
        if at < self.at {
            (self.at, self.moved) = (0, 0);
        }
        for byte in &self.text[self.at..at] {
            // Bytes behind the first of a sign count nothing; a sign of four bytes has two units.
            self.moved += match byte {
                0x80..0xC0 => 0,
                0xF0.. => 4,
                _ => 2,
            };
        }
        self.at = at;
        self.moved
    }
}
