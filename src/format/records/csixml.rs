//! CSIXML: `<r time="…" no="…"><v1>…</v1>…</r>` below a header that names the columns.
//!
//! LoggerNet appends records to such a file, so closing tags may be missing, or occur in the middle. A record extends
//! from `<r` to its `</r>`. Any other text between two records, except blanks and tags of the frame, is a damaged
//! record of its own.

use memchr::memmem;

use super::heading::Toa5;
use super::{LONGEST_RECORD, RecordsError, print};
use crate::format::number::parse_number;
use crate::source::{Records, Translator};

const FORMAT: &str = "CSIXML";
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
    begins_at: u64,
    header: Vec<u8>,
    kinds: Vec<Kind>,
    has_record: bool,
}

impl CsiXml {
    /// Opens a file from its first bytes.
    pub(super) fn open(head: &[u8]) -> Result<CsiXml, RecordsError> {
        let Some(end) = memmem::find(head, b"<data>").map(|at| at + b"<data>".len()) else {
            return Err(RecordsError::Short { format: FORMAT });
        };
        let (head, records) = head.split_at(end);
        let line = 1 + memchr::memchr_iter(b'\n', head).count();
        let damaged = |problem: &str| RecordsError::Damaged { format: FORMAT, line, problem: problem.to_owned() };
        let environment = ENVIRONMENT.map(|name| element(head, name));
        let mut own: [Vec<String>; 3] = Default::default();
        let mut kinds = Vec::new();
        for at in memmem::find_iter(head, b"<field ") {
            let tag = head[at..].split(|byte| *byte == b'>').next().unwrap_or_default();
            let name = attribute(tag, "name").ok_or_else(|| damaged("is behind a field without a name"))?;
            own[0].push(name);
            own[1].push(attribute(tag, "units").unwrap_or_default());
            own[2].push(attribute(tag, "process").unwrap_or_default());
            kinds.push(Kind::named(&attribute(tag, "type").unwrap_or_default()));
        }
        if kinds.is_empty() {
            return Err(damaged("is behind a head without fields"));
        }
        // The first record shows whether records are numbered.
        let first = memmem::find(records, b"<r ").map(|at| &records[at..]);
        let first = first.and_then(|rest| memchr::memchr(b'>', rest).map(|end| &rest[..end]));
        let Some(first) = first else { return Err(RecordsError::Short { format: FORMAT }) };
        let has_record = attribute(first, "no").is_some();
        let [names, units, process] = &own;
        let table = element(head, "table-name");
        let header =
            Toa5 { environment: &environment, table: &table, has_time: true, has_record, own: [names, units, process] }
                .lines();
        Ok(CsiXml { begins_at: end as u64, header, kinds, has_record })
    }

    /// Appends the line of a whole record.
    fn record(&self, record: &[u8], line: &mut Vec<u8>) {
        let end = memchr::memchr(b'>', record).unwrap_or(record.len());
        let (tag, mut rest) = record.split_at(end);
        let Some(stamp) = attribute(tag, "time") else { return print::text(record, line) };
        time(stamp.as_bytes(), line);
        if self.has_record {
            line.push(b',');
            let number = attribute(tag, "no").unwrap_or_default();
            line.extend(number.bytes().filter(u8::is_ascii_alphanumeric));
        }
        let mut place = 0;
        while let Some(at) = memmem::find(rest, b"<v") {
            let Some(open) = memchr::memchr(b'>', &rest[at..]).map(|end| at + end) else { break };
            line.push(b',');
            let kind = self.kinds.get(place).copied().unwrap_or(Kind::Text);
            place += 1;
            if rest[open - 1] == b'/' {
                kind.print(b"", line);
                rest = &rest[open + 1..];
                continue;
            }
            let close = memchr::memchr(b'<', &rest[open..]).map_or(rest.len(), |end| open + end);
            kind.print(unescaped(&rest[open + 1..close]).as_bytes(), line);
            rest = &rest[close..];
        }
    }
}

impl Translator for CsiXml {
    fn begins_at(&self) -> u64 {
        self.begins_at
    }

    fn header(&self) -> &[u8] {
        &self.header
    }

    fn take(&mut self, bytes: &[u8], records: &mut Records) -> usize {
        let mut used = 0;
        let damaged = |from: usize, to: usize, records: &mut Records| {
            let line = records.begin(from).text;
            print::text(bytes[from..to].trim_ascii(), line);
            line.push(b'\n');
        };
        while let Some(begin) = memmem::find(&bytes[used..], b"<r ").map(|at| used + at) {
            if !is_frame(&bytes[used..begin]) {
                damaged(used, begin, records);
                used = begin;
            }
            let inside = begin + 3;
            let next = memmem::find(&bytes[inside..], b"<r ").map(|at| inside + at);
            // The search ends at the next record, so that a file without closing tags is read only once.
            let limit = next.unwrap_or(bytes.len());
            let Some(end) = memmem::find(&bytes[inside..limit], b"</r>").map(|at| inside + at + 4) else {
                let Some(next) = next else { break };
                // A record in which another one begins was cut off.
                damaged(begin, next, records);
                used = next;
                continue;
            };
            let line = records.begin(begin).text;
            self.record(&bytes[begin..end], line);
            line.push(b'\n');
            used = end;
        }
        if bytes.len() - used > LONGEST_RECORD {
            damaged(used, used + LONGEST_RECORD, records);
            used += LONGEST_RECORD;
        }
        used
    }

    fn record_at_or_before(&self, offset: u64) -> u64 {
        offset.max(self.begins_at)
    }

    fn is_filler(&self, rest: &[u8]) -> bool {
        is_frame(rest)
    }
}

/// Whether the bytes are only blanks and tags of the frame.
fn is_frame(bytes: &[u8]) -> bool {
    let mut rest = bytes.trim_ascii();
    while !rest.is_empty() {
        let known = [&b"</data>"[..], b"</csixml>", b"<data>"].into_iter().find_map(|tag| rest.strip_prefix(tag));
        let Some(behind) = known else { return false };
        rest = behind.trim_ascii_start();
    }
    true
}

/// Appends a time, with the blank of TOA5 in place of the T.
fn time(stamp: &[u8], line: &mut Vec<u8>) {
    print::text(&stamp.iter().map(|byte| if *byte == b'T' { b' ' } else { *byte }).collect::<Vec<_>>(), line);
}

/// The text of the first element with this name; empty if there is none.
fn element(head: &[u8], name: &str) -> String {
    let open = format!("<{name}>");
    let found = memmem::find(head, open.as_bytes()).map(|at| &head[at + open.len()..]);
    unescaped(found.and_then(|rest| rest.split(|byte| *byte == b'<').next()).unwrap_or_default())
}

/// The value of an attribute of a tag.
fn attribute(tag: &[u8], name: &str) -> Option<String> {
    let open = format!(" {name}=\"");
    let rest = &tag[memmem::find(tag, open.as_bytes())? + open.len()..];
    Some(unescaped(&rest[..memchr::memchr(b'"', rest)?]))
}

/// Replaces the five named entities of XML by their characters.
fn unescaped(text: &[u8]) -> String {
    let text = crate::format::text::decode(text);
    if !text.contains('&') {
        return text.into_owned();
    }
    // The ampersand comes last: `&amp;lt;` is the text `&lt;`.
    [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&apos;", "'"), ("&amp;", "&")]
        .iter()
        .fold(text.into_owned(), |text, (name, character)| text.replace(name, character))
}
