//! Text in UTF-16, as Windows programs save it: two bytes per character, after a byte order mark. Each line is passed
//! on as UTF-8.

use crate::source::{Records, Translator};

/// The byte order marks.
pub(super) const LITTLE: [u8; 2] = [0xFF, 0xFE];
pub(super) const BIG: [u8; 2] = [0xFE, 0xFF];
const LINE_FEED: u16 = 0x0A;
/// The longest line in bytes.
const LONGEST_LINE: usize = 16 << 20;

/// A file in UTF-16.
pub(super) struct Utf16 {
    is_big: bool,
}

impl Utf16 {
    /// Recognises the file by its first two bytes.
    pub(super) fn begun_by(head: &[u8]) -> Option<Utf16> {
        let is = |mark: [u8; 2]| head.starts_with(&mark);
        (is(LITTLE) || is(BIG)).then(|| Utf16 { is_big: is(BIG) })
    }

    fn units<'b>(&self, bytes: &'b [u8]) -> impl DoubleEndedIterator<Item = u16> + ExactSizeIterator + use<'b> {
        let is_big = self.is_big;
        bytes.chunks_exact(2).map(move |pair| {
            let pair = [pair[0], pair[1]];
            if is_big { u16::from_be_bytes(pair) } else { u16::from_le_bytes(pair) }
        })
    }

    fn decode(&self, bytes: &[u8], line: &mut Vec<u8>) {
        for sign in char::decode_utf16(self.units(bytes)) {
            let sign = sign.unwrap_or(char::REPLACEMENT_CHARACTER);
            line.extend_from_slice(sign.encode_utf8(&mut [0; 4]).as_bytes());
        }
    }
}

impl Translator for Utf16 {
    fn begins_at(&self) -> u64 {
        LITTLE.len() as u64
    }

    fn header(&self) -> &[u8] {
        &[]
    }

    fn take(&mut self, bytes: &[u8], records: &mut Records) -> usize {
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
