//! TOB1: five text lines, then records of one length without separators.
//!
//! A record is translated only where [`super::sequence`] says that it is whole. What stands between two records and
//! is none becomes a line of its own, so that each byte of the file is accounted for. A header in mid-file begins
//! anew.

use memchr::memmem;

use super::columns::{Columns, Kind, Order, unsigned};
use super::heading::{Heading, Toa5};
use super::sections::{Head, Sections};
use super::sequence::{HEADER, Key, Keys, Verdict, Window};
use super::{LONGEST_RECORD, RecordsError, damage, print};
use crate::source::{Piece, Records, Translator};
use crate::time::LocalTime;

const FORMAT: &str = "TOB1";
const NAMES: usize = 2;
const UNITS: usize = 3;
const PROCESS: usize = 4;
const TYPES: usize = 5;
const ULONG: Kind = Kind::Unsigned(4, Order::Little);

/// A TOB1 file.
pub(super) struct Tob1 {
    sections: Sections<Section>,
    /// The last record that was taken.
    last: Option<Key>,
    times: print::Times,
}

/// What a header says of the records behind it.
#[derive(Clone)]
struct Section {
    columns: Columns,
    /// None where the records have no time: such a table is refused.
    keys: Option<Keys>,
    /// SECONDS and, behind them, NANOSECONDS; or TIMESTAMP, which is both.
    has_seconds: bool,
    has_nanos: bool,
    has_record: bool,
    /// The position of the first column after these.
    own: usize,
    /// The header is damaged, so that it is not known what stands behind it.
    is_lost: bool,
}

impl Section {
    /// By the bytes from the header on.
    fn open(head: &[u8], headed_at: u64) -> Result<(Head, Section), RecordsError> {
        let heading = Heading::read(FORMAT, head, TYPES)?;
        heading.one_type_each(NAMES, TYPES)?;
        let mut columns = Columns::of(FORMAT, heading.line(NAMES), heading.line(TYPES))?;
        if columns.width() > LONGEST_RECORD {
            return Err(heading.damaged(TYPES, "makes records of more than a megabyte"));
        }
        let mut own = 0;
        let mut leads = |name: &str, kind: Kind| {
            let found = heading.field(NAMES, own).eq_ignore_ascii_case(name) && columns.kind(own) == Some(kind);
            own += usize::from(found);
            found
        };
        // One column of both has the bytes of the two.
        let has_stamp = leads("TIMESTAMP", Kind::Nanos(Order::Little));
        let has_seconds = has_stamp || leads("SECONDS", ULONG);
        let has_nanos = has_stamp || (has_seconds && leads("NANOSECONDS", ULONG));
        let number_at = usize::from(has_seconds) + usize::from(has_nanos && !has_stamp);
        let number = columns.kind(number_at).filter(|_| heading.field(NAMES, number_at).eq_ignore_ascii_case("RECORD"));
        let has_record = leads("RECORD", ULONG);
        let first = heading.line(1);
        let rest = |line: usize| heading.line(line).get(own..).unwrap_or_default();
        let lines = Toa5 {
            environment: first.get(1..first.len() - 1).unwrap_or_default(),
            table: first.last().map_or("", String::as_str),
            has_time: has_seconds,
            has_record,
            own: [rest(NAMES), rest(UNITS), rest(PROCESS)],
        }
        .lines();
        let keys = has_seconds.then(|| Keys::new(has_nanos, number, columns.width()));
        // The records of the head tell the byte order, wherever the reading begins.
        for record in head.get(heading.end..).unwrap_or_default().chunks_exact(columns.width()) {
            if keys.as_ref().and_then(|keys| keys.key(record)).is_some_and(|key| !key.is_possible()) {
                break;
            }
            columns.learn_order(record);
        }
        let head = Head { headed_at, begins_at: headed_at + heading.end as u64, lines };
        Ok((head, Section { columns, keys, has_seconds, has_nanos, has_record, own, is_lost: false }))
    }
}

impl Tob1 {
    /// By the bytes from a header on, which begins at `headed_at` of the file.
    pub(super) fn open(head: &[u8], headed_at: u64) -> Result<Tob1, RecordsError> {
        let sections = Sections::new(Section::open(head, headed_at)?);
        Ok(Tob1 { sections, last: None, times: print::Times::default() })
    }

    /// Appends time and record number, and returns them.
    fn key(&mut self, record: &[u8], line: &mut Vec<u8>) -> (Option<LocalTime>, Option<i64>) {
        let section = &self.sections.now;
        let four = |at: usize| unsigned(&record[at..at + 4], Order::Little);
        let (mut time, mut at) = (None, 0);
        if section.has_seconds {
            let nanos = if section.has_nanos { four(4) } else { 0 };
            time = self.times.write(four(0), nanos, line);
            at = if section.has_nanos { 8 } else { 4 };
        }
        if !section.has_record {
            return (time, None);
        }
        if at > 0 {
            line.push(b',');
        }
        print::whole(four(at), line);
        (time, Some(four(at)))
    }

    /// Takes the record at `at`.
    #[inline]
    fn record(&mut self, bytes: &[u8], at: usize, records: &mut Records) {
        let Some(record) = bytes.get(at..at + self.sections.now.columns.width()) else { return };
        self.sections.now.columns.learn_order(record);
        let mut line = records.begin(at);
        let begin = line.text.len();
        let (time, number) = self.key(record, line.text);
        let values_at = line.text.len() + 1;
        let are_numbers = self.sections.now.columns.print(self.sections.now.own, record, &mut line);
        if values_at == begin + 1 {
            // No field is before the first value.
            line.text.remove(begin);
        }
        line.text.push(b'\n');
        if let Some(time) = time.filter(|_| are_numbers) {
            records.tell(time, number, values_at);
        }
    }

    /// Takes the records of a window one by one, and says how far.
    fn follow(&mut self, keys: &Keys, window: Window<'_>, records: &mut Records) -> usize {
        let (bytes, width) = (window.bytes, keys.width);
        let mut at = 0;
        let mut verdict = keys.judge(window, 0, self.last);
        loop {
            let key = bytes.get(at..at + width).and_then(|record| keys.key(record));
            let torn = match (verdict, key) {
                (Verdict::Unknown, _) | (Verdict::Good, None) => return at,
                (Verdict::Bad, _) => Torn { at, record: None },
                (Verdict::Good, Some(key)) => {
                    verdict = keys.judge(window, at + width, Some(key));
                    match verdict {
                        Verdict::Good => {
                            self.record(bytes, at, records);
                            self.last = Some(key);
                            at += width;
                            continue;
                        }
                        Verdict::Unknown => return at,
                        Verdict::Bad => Torn { at, record: Some(key) },
                    }
                }
            };
            let Some(next) = keys.next(window, torn.searched_from(), torn.record.or(self.last)) else {
                return self.end(keys, window, &torn, records);
            };
            self.pass(keys, bytes, &torn, next, records);
            if bytes[next..].starts_with(HEADER) {
                return next;
            }
            (at, verdict) = (next, Verdict::Good);
        }
    }

    /// Passes over a torn place up to `to`, where records go on. The record before it counts where it is known to be
    /// whole. What is as long as records, and stands at their time, is damaged in place: each of them says what is
    /// wrong with it.
    fn pass(&mut self, keys: &Keys, bytes: &[u8], torn: &Torn, to: usize, records: &mut Records) {
        let (mut from, mut records_from) = (torn.at, torn.at);
        if let Some(key) = torn.record {
            let end = torn.at + keys.width;
            let behind = bytes.get(end..to);
            let is_whole = behind.is_some_and(|behind| keys.is_whole(&bytes[torn.at..end], (self.last, key), behind));
            if is_whole {
                self.record(bytes, torn.at, records);
                self.last = Some(key);
                from = end;
            }
            records_from = end.min(to);
        }
        if (to - records_from).is_multiple_of(keys.width) {
            let behind = bytes.get(to..).and_then(|bytes| keys.key(bytes));
            for at in (records_from..to).step_by(keys.width) {
                let Some(key) = keys.key(&bytes[at..]) else { break };
                let beside = [self.last, behind];
                let is_there = beside.iter().flatten().any(|other| other.is_within_days_of(key));
                if is_there || (beside == [None, None] && key.is_possible()) {
                    damage(bytes, from..at, records);
                    self.record(bytes, at, records);
                    from = at + keys.width;
                }
            }
        }
        damage(bytes, from..to, records);
    }

    /// Takes what can be taken where records go on nowhere in the window.
    fn end(&mut self, keys: &Keys, window: Window<'_>, torn: &Torn, records: &mut Records) -> usize {
        let (bytes, width) = (window.bytes, keys.width);
        let length = bytes.len();
        if !window.is_end {
            if length - torn.at <= LONGEST_RECORD + 4 * width {
                return torn.at;
            }
            let searched = length - keys.span();
            self.pass(keys, bytes, torn, searched, records);
            return searched;
        }
        // One record that ends where the file does.
        let last = length.checked_sub(width).filter(|last| *last >= torn.searched_from());
        if let Some((last, key)) = last.and_then(|last| Some((last, keys.key(&bytes[last..])?)))
            && key.is_possible()
            && torn.record.or(self.last).is_some_and(|before| before.is_soon_before(key))
        {
            self.pass(keys, bytes, torn, last, records);
            self.record(bytes, last, records);
            self.last = Some(key);
            return length;
        }
        if (length - torn.at).is_multiple_of(width) {
            self.pass(keys, bytes, torn, length, records);
            return length;
        }
        // Behind a power failure the file may end in NUL bytes; what is appended to them tells where records go on.
        let end = torn.at + width;
        if let Some(key) = torn.record
            && bytes.get(end) == Some(&0)
            && keys.is_whole(&bytes[torn.at..end], (self.last, key), &bytes[end..])
        {
            self.record(bytes, torn.at, records);
            self.last = Some(key);
            return end;
        }
        torn.at
    }

    /// Takes the header at the beginning of a piece.
    fn begin_anew(&mut self, piece: Piece<'_>, records: &mut Records) -> Result<usize, RecordsError> {
        let section = Section::open(piece.bytes, piece.offset)?;
        Ok(self.sections.begin_anew(section, piece, records))
    }
}

/// Passes over what stands behind a damaged header, up to the next one.
fn pass_lost(piece: Piece<'_>, records: &mut Records) -> usize {
    let behind = piece.bytes.get(1..).unwrap_or_default();
    let next = memmem::find(behind, HEADER).map(|at| at + 1);
    let end = if piece.is_end { piece.bytes.len() } else { piece.bytes.len().saturating_sub(HEADER.len()) };
    let to = next.unwrap_or(end);
    damage(piece.bytes, 0..to, records);
    to
}

/// Where records do not go on.
struct Torn {
    at: usize,
    /// The key of the record that begins there; None where there is none.
    record: Option<Key>,
}

impl Torn {
    fn searched_from(&self) -> usize {
        self.at + 1
    }
}

impl Translator for Tob1 {
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
        self.last = None;
        self.sections.start_at(offset);
    }

    fn looks_back(&self) -> usize {
        2 * self.sections.now.columns.width()
    }

    fn see_before(&mut self, before: &[u8]) {
        let width = self.sections.now.columns.width();
        let Some(keys) = &self.sections.now.keys else { return };
        // Other bytes than records may stand there.
        let mut seen = before.chunks_exact(width).filter_map(|record| keys.key(record));
        self.last = match (seen.next(), seen.next()) {
            (Some(only), None) => Some(only).filter(|only| only.is_possible()),
            (Some(first), Some(last)) => Some(last).filter(|last| last.is_possible() && first.is_near(*last)),
            _ => None,
        };
    }

    fn take(&mut self, piece: Piece<'_>, records: &mut Records) -> usize {
        let Some(keys) = self.sections.now.keys.clone() else {
            let width = self.sections.now.columns.width();
            let places = (0..=piece.bytes.len().saturating_sub(width)).step_by(width);
            let whole = places.filter(|at| at + width <= piece.bytes.len());
            return whole.map(|at| self.record(piece.bytes, at, records)).count() * width;
        };
        if piece.bytes.starts_with(HEADER) {
            match self.begin_anew(piece, records) {
                Ok(length) => return length,
                Err(RecordsError::Short { .. }) => return 0,
                Err(_) => {
                    let lost = Section { is_lost: true, ..self.sections.now.clone() };
                    self.sections.lose(piece.offset, lost);
                }
            }
        }
        if self.sections.now.is_lost {
            return pass_lost(piece, records);
        }
        self.follow(&keys, Window { bytes: piece.bytes, is_end: piece.is_end }, records)
    }

    fn record_at_or_before(&self, offset: u64) -> u64 {
        let begins_at = self.sections.head().begins_at;
        let behind = offset.saturating_sub(begins_at);
        begins_at + behind - behind % self.sections.now.columns.width() as u64
    }
    /// NUL bytes, which a power failure leaves.
    fn is_filler(&self, rest: &[u8]) -> bool {
        rest.iter().all(|byte| *byte == 0)
    }
}
