//! CSIXML: `<r time="…" no="…"><v1>…</v1>…</r>` below a header that names the columns.
//!
//! LoggerNet appends records to such a file, so closing tags may be missing, or stand in the middle. A record counts
//! from `<r` to its `</r>`; what else stands between two records and is no tag of the frame is a damaged record of
//! its own. A head in mid-file begins anew: it says what the values behind it are.

use memchr::memmem;

use super::heading::Toa5;
use super::sections::{Head, Sections};
use super::xml::{attribute, element, tag_end, unescaped};
use super::{LONGEST_HEAD, LONGEST_RECORD, RecordsError, print};
use crate::format::number::parse_number;
use crate::source::{Piece, Records, Translator};

const FORMAT: &str = "CSIXML";
const DATA: &[u8] = b"<data>";
const RECORD: &[u8] = b"<r ";
const END: &[u8] = b"</r>";
/// What a document or a head begins with.
const HEADS: [&[u8]; 3] = [b"<?xml", b"<csixml", b"<head"];
/// The elements of the environment, in the order of line 1 of a TOA5 file.
const ENVIRONMENT: [&str; 6] = ["station-name", "model", "serial-no", "os-version", "dld-name", "dld-sig"];

/// The content of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Number,
    Truth,
    Time,
    Text,
}

impl Kind {
    /// The kind for a type name of XML Schema.
    fn named(name: &str) -> Kind {
        match name.rsplit(':').next().unwrap_or_default() {
            "string" => Kind::Text,
            "boolean" => Kind::Truth,
            "dateTime" => Kind::Time,
            _ => Kind::Number,
        }
    }

    fn print(self, value: &[u8], line: &mut Vec<u8>) {
        let trimmed = value.trim_ascii();
        match self {
            Kind::Number if trimmed.is_empty() || parse_number(trimmed).is_some() => line.extend_from_slice(trimmed),
            Kind::Truth if trimmed.eq_ignore_ascii_case(b"true") => line.extend_from_slice(b"-1"),
            Kind::Truth if trimmed.eq_ignore_ascii_case(b"false") => line.push(b'0'),
            Kind::Time => time(trimmed, line),
            _ => print::text(value, line),
        }
    }
}

/// A CSIXML file.
pub(super) struct CsiXml {
    sections: Sections<Section>,
}

/// What a head says of the records behind it.
#[derive(Clone)]
struct Section {
    kinds: Vec<Kind>,
    has_record: bool,
}

impl Section {
    /// By the bytes from the head on.
    fn open(head: &[u8], headed_at: u64) -> Result<(Head, Section), RecordsError> {
        let first = memmem::find(head, RECORD);
        let end = memmem::find(&head[..first.unwrap_or(head.len())], DATA).map(|at| at + DATA.len());
        let line = 1 + memchr::memchr_iter(b'\n', &head[..end.or(first).unwrap_or(0)]).count();
        let damaged = |problem: &str| RecordsError::Damaged { format: FORMAT, line, problem: problem.to_owned() };
        let end = match (end, first) {
            (Some(end), _) => end,
            (None, Some(_)) => return Err(damaged("begins the records without <data> before them")),
            (None, None) => return Err(RecordsError::Short { format: FORMAT }),
        };
        let (head, records) = head.split_at(end);
        let environment = ENVIRONMENT.map(|name| element(head, name));
        let mut own: [Vec<String>; 3] = Default::default();
        let mut kinds = Vec::new();
        for at in
            memmem::find_iter(head, b"<field").filter(|at| head[at + 6..].first().is_some_and(u8::is_ascii_whitespace))
        {
            let tag = tag_end(&head[at..]).map_or(&head[at..], |end| &head[at..at + end]);
            let name = attribute(tag, "name").ok_or_else(|| damaged("is behind a field without a name"))?;
            own[0].push(name);
            own[1].push(attribute(tag, "units").unwrap_or_default());
            own[2].push(attribute(tag, "process").unwrap_or_default());
            kinds.push(Kind::named(&attribute(tag, "type").unwrap_or_default()));
        }
        if kinds.is_empty() {
            return Err(damaged("is behind a head without fields"));
        }
        // The first record tells whether records are numbered.
        let first = memmem::find(records, RECORD).map(|at| &records[at..]);
        let first = first.and_then(|rest| memchr::memchr(b'>', rest).map(|end| &rest[..end]));
        let Some(first) = first else { return Err(RecordsError::Short { format: FORMAT }) };
        let has_record = attribute(first, "no").is_some();
        let [names, units, process] = &own;
        let table = element(head, "table-name");
        let lines =
            Toa5 { environment: &environment, table: &table, has_time: true, has_record, own: [names, units, process] }
                .lines();
        Ok((Head { headed_at, begins_at: headed_at + end as u64, lines }, Section { kinds, has_record }))
    }

    /// Appends the line of a whole record. False, and nothing of use is appended: it is none.
    fn record(&self, record: &[u8], line: &mut Vec<u8>) -> bool {
        let end = tag_end(record).unwrap_or(0);
        let (tag, rest) = record.split_at(end);
        let (Some(stamp), Some(values)) = (attribute(tag, "time"), self.values(rest)) else { return false };
        time(stamp.as_bytes(), line);
        if self.has_record {
            line.push(b',');
            let number = attribute(tag, "no").unwrap_or_default();
            line.extend(number.bytes().filter(u8::is_ascii_alphanumeric));
        }
        for (kind, value) in self.kinds.iter().zip(values) {
            line.push(b',');
            match memchr::memchr(b'&', value) {
                None if value.is_ascii() => kind.print(value, line),
                _ => kind.print(unescaped(value).as_bytes(), line),
            }
        }
        true
    }

    /// The values in the order of the fields: the number in a tag's name says which one it is. None unless each
    /// stands there once.
    fn values<'r>(&self, mut rest: &'r [u8]) -> Option<Vec<&'r [u8]>> {
        let mut values: Vec<Option<&[u8]>> = vec![None; self.kinds.len()];
        while let Some(at) = memmem::find(rest, b"<v") {
            let end = at + tag_end(&rest[at..])?;
            let tag = rest[at + 2..end - 1].trim_ascii_end();
            let (name, is_empty) = tag.strip_suffix(b"/").map_or((tag, false), |name| (name, true));
            let name = name.split(u8::is_ascii_whitespace).next().unwrap_or_default();
            let number: usize = std::str::from_utf8(name).ok()?.parse().ok()?;
            let close = if is_empty { end } else { end + memchr::memchr(b'<', &rest[end..])? };
            let value = values.get_mut(number.checked_sub(1)?)?;
            if value.replace(&rest[end..close]).is_some() {
                return None;
            }
            rest = &rest[close..];
        }
        values.into_iter().collect()
    }
}

impl CsiXml {
    /// By the bytes from a head on, which begins at `headed_at` of the file.
    pub(super) fn open(head: &[u8], headed_at: u64) -> Result<CsiXml, RecordsError> {
        Ok(CsiXml { sections: Sections::new(Section::open(head, headed_at)?) })
    }

    /// Takes a head at the beginning of a piece. None: it cannot be read. 0: more of it must be there.
    fn begin_anew(&mut self, piece: Piece<'_>, records: &mut Records) -> Option<usize> {
        let section = match Section::open(piece.bytes, piece.offset) {
            Ok(section) => section,
            Err(RecordsError::Short { .. }) if piece.bytes.len() < LONGEST_HEAD => return Some(0),
            Err(_) => {
                // What the values behind it are is not known.
                let lost = Section { kinds: Vec::new(), ..self.sections.now.clone() };
                self.sections.lose(piece.offset, lost);
                return None;
            }
        };
        Some(self.sections.begin_anew(section, piece, records))
    }
}

impl Translator for CsiXml {
    fn begins_at(&self) -> u64 {
        self.sections.head().begins_at
    }

    fn header(&self) -> &[u8] {
        &self.sections.head().lines
    }

    fn headed_at(&self) -> u64 {
        self.sections.head().headed_at
    }

    fn start_at(&mut self, offset: u64) {
        self.sections.start_at(offset);
    }

    fn take(&mut self, piece: Piece<'_>, records: &mut Records) -> usize {
        let bytes = piece.bytes;
        let begins_head = head_in(bytes).is_some_and(|at| at == 0);
        if begins_head && let Some(length) = self.begin_anew(piece, records) {
            return length;
        }
        let mut used = 0;
        let damaged = |from: usize, to: usize, records: &mut Records| {
            let line = records.begin(from).text;
            print::text(bytes[from..to].trim_ascii(), line);
            line.push(b'\n');
            records.is_damage_of(to - from);
        };
        while let Some(begin) = memmem::find(&bytes[used..], RECORD).map(|at| used + at) {
            if !is_frame(&bytes[used..begin]) {
                // A head that cannot be read begins at the piece and is damage itself.
                let from = usize::from(begins_head && used == 0);
                if let Some(head) = head_in(&bytes[used + from..begin]).map(|at| used + from + at) {
                    if !is_frame(&bytes[used..head]) {
                        damaged(used, head, records);
                    }
                    return head;
                }
                damaged(used, begin, records);
                used = begin;
            }
            let inside = begin + RECORD.len();
            let next = memmem::find(&bytes[inside..], RECORD).map(|at| inside + at);
            // No farther than the next record, so that a file without ends is read once.
            let limit = next.unwrap_or(bytes.len());
            let Some(end) = memmem::find(&bytes[inside..limit], END).map(|at| inside + at + END.len()) else {
                // A record that another one or a head begins in was cut.
                let Some(next) = head_in(&bytes[inside..limit]).map(|at| inside + at).or(next) else { break };
                damaged(begin, next, records);
                used = next;
                if head_in(&bytes[next..limit]).is_some() {
                    return used;
                }
                continue;
            };
            let line = records.begin(begin).text;
            let length = line.len();
            if self.sections.now.record(&bytes[begin..end], line) {
                line.push(b'\n');
            } else {
                line.truncate(length);
                print::text(bytes[begin..end].trim_ascii(), line);
                line.push(b'\n');
                records.is_damage_of(end - begin);
            }
            used = end;
        }
        if bytes.len() - used > LONGEST_RECORD {
            damaged(used, used + LONGEST_RECORD, records);
            used += LONGEST_RECORD;
        }
        used
    }

    fn record_at_or_before(&self, offset: u64) -> u64 {
        offset.max(self.sections.head().begins_at)
    }

    fn is_filler(&self, rest: &[u8]) -> bool {
        is_frame(rest)
    }
}

/// Where a head begins, or the document that it stands in.
fn head_in(bytes: &[u8]) -> Option<usize> {
    memchr::memchr_iter(b'<', bytes).find(|at| HEADS.iter().any(|head| bytes[*at..].starts_with(head)))
}

/// Whether nothing but blanks, byte order marks and tags of the frame stand there.
fn is_frame(bytes: &[u8]) -> bool {
    let mut rest = bytes.trim_ascii();
    while !rest.is_empty() {
        let known =
            [&b"</data>"[..], b"</csixml>", DATA, b"\xEF\xBB\xBF"].into_iter().find_map(|tag| rest.strip_prefix(tag));
        let Some(behind) = known else { return false };
        rest = behind.trim_ascii_start();
    }
    true
}

/// Appends a time, with the blank of TOA5 in place of the T.
fn time(stamp: &[u8], line: &mut Vec<u8>) {
    print::text(&stamp.iter().map(|byte| if *byte == b'T' { b' ' } else { *byte }).collect::<Vec<_>>(), line);
}
