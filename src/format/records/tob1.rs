//! TOB1: five text lines, followed by records of equal length without separators.

use super::columns::{Columns, Kind, Order, unsigned};
use super::heading::{Heading, Toa5};
use super::{LONGEST_RECORD, RecordsError, print};
use crate::source::{Records, Translator};
use crate::time::LocalTime;

const FORMAT: &str = "TOB1";
const NAMES: usize = 2;
const UNITS: usize = 3;
const PROCESS: usize = 4;
const TYPES: usize = 5;

/// A TOB1 file.
pub(super) struct Tob1 {
    begins_at: u64,
    header: Vec<u8>,
    columns: Columns,
    /// Whether the record has SECONDS and, after it, NANOSECONDS.
    has_seconds: bool,
    has_nanos: bool,
    has_record: bool,
    /// The position of the first column after these.
    own: usize,
    times: print::Times,
}

impl Tob1 {
    /// Opens a file from its first bytes.
    pub(super) fn open(head: &[u8]) -> Result<Tob1, RecordsError> {
        let heading = Heading::read(FORMAT, head, TYPES)?;
        heading.one_type_each(NAMES, TYPES)?;
        let mut columns = Columns::of(FORMAT, heading.line(NAMES), heading.line(TYPES))?;
        if columns.width() > LONGEST_RECORD {
            return Err(heading.damaged(TYPES, "makes records of more than a megabyte"));
        }
        let mut own = 0;
        let mut leads = |name: &str| {
            let found = heading.field(NAMES, own).eq_ignore_ascii_case(name)
                && matches!(columns.kind(own), Some(Kind::Unsigned(4, Order::Little)));
            own += usize::from(found);
            found
        };
        let has_seconds = leads("SECONDS");
        let has_nanos = has_seconds && leads("NANOSECONDS");
        let has_record = leads("RECORD");
        let first = heading.line(1);
        let rest = |line: usize| heading.line(line).get(own..).unwrap_or_default();
        let header = Toa5 {
            environment: first.get(1..first.len() - 1).unwrap_or_default(),
            table: first.last().map_or("", String::as_str),
            has_time: has_seconds,
            has_record,
            own: [rest(NAMES), rest(UNITS), rest(PROCESS)],
        }
        .lines();
        // The first records determine the byte order, wherever the reading begins.
        for record in head.get(heading.end..).unwrap_or_default().chunks_exact(columns.width()) {
            columns.learn_order(record);
        }
        Ok(Tob1 {
            begins_at: heading.end as u64,
            header,
            columns,
            has_seconds,
            has_nanos,
            has_record,
            own,
            times: print::Times::default(),
        })
    }

    /// Appends time and record number, and returns them.
    fn key(&mut self, record: &[u8], line: &mut Vec<u8>) -> (Option<LocalTime>, Option<i64>) {
        let number = |place| unsigned(self.columns.bytes(place, record), Order::Little);
        let (mut time, mut place) = (None, 0);
        if self.has_seconds {
            let nanos = if self.has_nanos { number(1) } else { 0 };
            time = self.times.write(number(0), nanos, line);
            place = 1 + usize::from(self.has_nanos);
        }
        if !self.has_record {
            return (time, None);
        }
        if place > 0 {
            line.push(b',');
        }
        print::whole(number(place), line);
        (time, Some(number(place)))
    }
}

impl Translator for Tob1 {
    fn begins_at(&self) -> u64 {
        self.begins_at
    }

    fn header(&self) -> &[u8] {
        &self.header
    }

    fn take(&mut self, bytes: &[u8], records: &mut Records) -> usize {
        let width = self.columns.width();
        let mut at = 0;
        for record in bytes.chunks_exact(width) {
            self.columns.learn_order(record);
            let mut line = records.begin(at);
            let (time, number) = self.key(record, line.text);
            let values_at = line.text.len() + 1;
            let are_numbers = self.columns.print(self.own, record, &mut line);
            line.text.push(b'\n');
            if let Some(time) = time.filter(|_| are_numbers) {
                records.tell(time, number, values_at);
            }
            at += width;
        }
        at
    }

    fn record_at_or_before(&self, offset: u64) -> u64 {
        let behind = offset.saturating_sub(self.begins_at);
        self.begins_at + behind - behind % self.columns.width() as u64
    }
}
