//! TOB2 and TOB3: the file of a memory card, in frames of one size.
//!
//! The card's file is created at its full size and filled frame by frame, so a frame counts only if its footer has the
//! validation stamp that the header names, the stamp's complement, or a neighbouring value. A frame that was closed
//! early holds minor frames, each with a header and a footer of its own.

use super::columns::{Columns, Order, unsigned};
use super::heading::{Heading, Toa5};
use super::{LONGEST_RECORD, RecordsError, print};
use crate::source::{Piece, Records, Translator};
use crate::time::NANOS_PER_SECOND as NANOS;

const NAMES: usize = 3;
const UNITS: usize = 4;
const PROCESS: usize = 5;
const TYPES: usize = 6;
const FOOTER: usize = 4;

/// The differences between the two formats.
#[derive(Debug, Clone, Copy)]
pub(super) struct Version {
    name: &'static str,
    /// The bytes of a frame's header: seconds, fraction of a second and, in TOB3, the number of the first record.
    header: usize,
}

pub(super) const TOB2: Version = Version { name: "TOB2", header: 8 };
pub(super) const TOB3: Version = Version { name: "TOB3", header: 12 };

/// The footer of a frame.
struct Footer {
    offset: usize,
    is_empty: bool,
    is_minor: bool,
    stamp: i64,
}

impl Footer {
    /// Parses the last four bytes of `bytes`.
    fn of(bytes: &[u8]) -> Option<Footer> {
        let word = unsigned(bytes.get(bytes.len().checked_sub(FOOTER)?..)?, Order::Little);
        Some(Footer {
            offset: usize::try_from(word & 0x7FF).ok()?,
            is_empty: word & 0x2000 != 0,
            is_minor: word & 0x4000 != 0,
            stamp: word >> 16,
        })
    }
}

/// The file of a memory card.
pub(super) struct Card {
    version: Version,
    begins_at: u64,
    header: Vec<u8>,
    columns: Columns,
    frame: usize,
    stamp: i64,
    /// The time between records, in nanoseconds.
    interval: i64,
    /// The nanoseconds of one unit of the fraction of a second.
    part: i64,
    times: print::Times,
}

impl Card {
    /// Opens a file from its first bytes.
    pub(super) fn open(head: &[u8], version: Version) -> Result<Card, RecordsError> {
        let heading = Heading::read(version.name, head, TYPES)?;
        heading.one_type_each(NAMES, TYPES)?;
        let columns = Columns::of(version.name, heading.line(NAMES), heading.line(TYPES))?;
        let number = |place: usize| heading.field(2, place).parse::<usize>().ok();
        let least = version.header + columns.width() + FOOTER;
        let frame = number(2).filter(|frame| (least..=LONGEST_RECORD).contains(frame));
        let frame = frame.ok_or_else(|| heading.damaged(2, "gives no size of frames that holds a record"))?;
        let stamp = number(4).and_then(|stamp| i64::try_from(stamp).ok()).filter(|stamp| *stamp <= 0xFFFF);
        let stamp = stamp.ok_or_else(|| heading.damaged(2, "has no validation stamp"))?;
        let interval = interval(heading.field(2, 1));
        let interval = interval.ok_or_else(|| heading.damaged(2, "gives no interval between records"))?;
        let part = resolution(heading.field(2, 5));
        let part = part.ok_or_else(|| heading.damaged(2, "gives no resolution of time"))?;
        let first = heading.line(1);
        let header = Toa5 {
            environment: first.get(1..first.len().min(7)).unwrap_or_default(),
            table: heading.field(2, 0),
            has_time: true,
            has_record: version.header == TOB3.header,
            own: [heading.line(NAMES), heading.line(UNITS), heading.line(PROCESS)],
        }
        .lines();
        let times = print::Times::default();
        Ok(Card { version, begins_at: heading.end as u64, header, columns, frame, stamp, interval, part, times })
    }

    /// Whether the stamp shows that the frame was written. The stamp's complement and its neighbouring values are valid
    /// too: CardConvert reads frames with these.
    fn is_stamp(&self, stamp: i64) -> bool {
        stamp == self.stamp || stamp == 0xFFFF ^ self.stamp || (stamp - self.stamp).abs() == 1
    }

    /// Appends the lines of one frame.
    fn frame(&mut self, at: usize, frame: &[u8], records: &mut Records) {
        let written = Footer::of(frame).filter(|footer| self.is_stamp(footer.stamp));
        let before = records.len();
        match written {
            None => {}
            Some(footer) if footer.is_minor => {
                for minor in self.minor_frames(frame, footer.offset) {
                    let body = minor.len().saturating_sub(FOOTER);
                    self.rows(at, &minor[..body], records);
                }
            }
            Some(footer) if footer.is_empty => {}
            Some(footer) => {
                // The offset counts the bytes at the end that are not filled.
                let body = (frame.len() - FOOTER).saturating_sub(footer.offset);
                self.rows(at, &frame[..body], records);
            }
        }
        if records.len() == before {
            // A frame without records is filler: a blank line.
            records.begin(at).text.push(b'\n');
        }
    }

    /// The minor frames of a frame, oldest first. The last one ends `rest` bytes before the frame's end; each footer
    /// gives the length of its minor frame.
    fn minor_frames<'f>(&self, frame: &'f [u8], rest: usize) -> Vec<&'f [u8]> {
        let mut found = Vec::new();
        let mut end = frame.len().saturating_sub(rest);
        while let Some(footer) = Footer::of(&frame[..end]) {
            let size = footer.offset;
            if size < self.version.header + FOOTER || size > end {
                break;
            }
            if self.is_stamp(footer.stamp) {
                found.push(&frame[end - size..end]);
            }
            end -= size;
        }
        found.reverse();
        found
    }

    /// Appends the lines of a frame without its footer.
    fn rows(&mut self, at: usize, frame: &[u8], records: &mut Records) {
        let Some((header, body)) = frame.split_at_checked(self.version.header) else { return };
        let word = |place: usize| unsigned(&header[place..place + 4], Order::Little);
        let (seconds, parts) = (word(0), word(4));
        let first_record = (self.version.header == TOB3.header).then(|| word(8));
        for (row, record) in (0_i64..).zip(body.chunks_exact(self.columns.width())) {
            self.columns.learn_order(record);
            let mut line = records.begin(at);
            let nanos = parts.saturating_mul(self.part);
            let time = if nanos < NANOS {
                let nanos = nanos.saturating_add(row.saturating_mul(self.interval));
                self.times.write(seconds + nanos.div_euclid(NANOS), nanos.rem_euclid(NANOS), line.text)
            } else {
                self.times.write(seconds, nanos, line.text)
            };
            let number = first_record.map(|first| (first + row) & 0xFFFF_FFFF);
            if let Some(number) = number {
                line.text.push(b',');
                print::whole(number, line.text);
            }
            let values_at = line.text.len() + 1;
            let are_numbers = self.columns.print(0, record, &mut line);
            line.text.push(b'\n');
            if let Some(time) = time.filter(|_| are_numbers) {
                records.tell(time, number, values_at);
            }
        }
    }
}

impl Translator for Card {
    fn begins_at(&self) -> u64 {
        self.begins_at
    }

    fn header(&self) -> &[u8] {
        &self.header
    }

    fn take(&mut self, piece: Piece<'_>, records: &mut Records) -> usize {
        let mut at = 0;
        for frame in piece.bytes.chunks_exact(self.frame) {
            self.frame(at, frame, records);
            at += self.frame;
        }
        at
    }

    /// The last frames of a card's file may hold no records, or older ones than those before, so the whole file is
    /// read.
    fn record_at_or_before(&self, _offset: u64) -> u64 {
        self.begins_at
    }
}

/// Parses an interval such as `5 MSEC`, in nanoseconds.
fn interval(text: &str) -> Option<i64> {
    let (number, unit) = text.trim().split_once(' ')?;
    let number: i64 = number.trim().parse().ok().filter(|number| *number >= 0)?;
    let unit = match unit.trim().to_ascii_uppercase().trim_end_matches('S') {
        "NSEC" => 1,
        "USEC" => 1_000,
        "MSEC" => 1_000_000,
        "SEC" => NANOS,
        "MIN" => 60 * NANOS,
        "HR" | "HOUR" => 3_600 * NANOS,
        "DAY" => 86_400 * NANOS,
        _ => return None,
    };
    number.checked_mul(unit)
}

/// Parses a resolution such as `Sec100Usec`: the unit of the fraction of a second, in nanoseconds.
fn resolution(text: &str) -> Option<i64> {
    let rest = text.trim().to_ascii_lowercase();
    let rest = rest.strip_prefix("sec")?;
    let digits = rest.len() - rest.trim_start_matches(|letter: char| letter.is_ascii_digit()).len();
    let (number, unit) = rest.split_at(digits);
    let number: i64 = if number.is_empty() { 1 } else { number.parse().ok()? };
    let unit = match unit {
        "nsec" => 1,
        "usec" => 1_000,
        "msec" => 1_000_000,
        "" => NANOS,
        _ => return None,
    };
    number.checked_mul(unit).filter(|part| (1..=NANOS).contains(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_and_resolutions_are_read() {
        assert_eq!(interval("5 MSEC"), Some(5_000_000));
        assert_eq!(interval("30 MIN"), Some(1_800 * NANOS));
        assert_eq!(interval("1 HOUR"), Some(3_600 * NANOS));
        assert_eq!(interval("soon"), None);
        assert_eq!(resolution("Sec100Usec"), Some(100_000));
        assert_eq!(resolution("SecNsec"), Some(1));
        assert_eq!(resolution("Sec0Usec"), None);
    }
}
