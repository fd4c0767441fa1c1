//! TOB2 and TOB3: the file of a memory card, in frames of one size.
//!
//! The card's file is created at its full size and filled frame by frame, so a frame counts only if its footer has the
//! validation stamp that the header names, the stamp's complement, or a neighbouring value. A frame that was closed
//! early holds minor frames, each with a header and a footer of its own. Behind a damaged place reading goes on where
//! [`super::frames`] finds the next frame, and by a second header where a file was joined to this one. What stands
//! between frames becomes a line of its own, so that each byte is accounted for: only behind the last frame is what is
//! no frame the card's free space.

use super::columns::Columns;
use super::frames::{Footer, Frames, Last, is_header, next_header};
use super::heading::{Heading, Toa5};
use super::sections::{Head, Sections};
use super::sequence::Window;
use super::{LONGEST_RECORD, RecordsError, damage, print};
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

/// The file of a memory card.
pub(super) struct Card {
    sections: Sections<Section>,
    /// The last frame that was read.
    last: Option<Last>,
    /// The bytes before the next piece that were passed as free space and are damage where frames go on behind them.
    passed: usize,
    times: print::Times,
}

/// What a header says of the frames behind it.
#[derive(Clone)]
struct Section {
    columns: Columns,
    frames: Frames,
    /// The header is damaged, or that of another format.
    is_lost: bool,
}

impl Section {
    /// By the bytes from the header on.
    fn open(head: &[u8], headed_at: u64, version: Version) -> Result<(Head, Section), RecordsError> {
        let heading = Heading::read(version.name, head, TYPES)?;
        heading.one_type_each(NAMES, TYPES)?;
        let columns = Columns::of(version.name, heading.line(NAMES), heading.line(TYPES))?;
        let number = |place: usize| heading.field(2, place).parse::<usize>().ok();
        let least = version.header + columns.width() + FOOTER;
        let size = number(2).filter(|size| (least..=LONGEST_RECORD).contains(size));
        let size = size.ok_or_else(|| heading.damaged(2, "gives no size of frames that holds a record"))?;
        let stamp = number(4).and_then(|stamp| i64::try_from(stamp).ok()).filter(|stamp| *stamp <= 0xFFFF);
        let stamp = stamp.ok_or_else(|| heading.damaged(2, "has no validation stamp"))?;
        let interval = interval(heading.field(2, 1));
        let interval = interval.ok_or_else(|| heading.damaged(2, "gives no interval between records"))?;
        let part = resolution(heading.field(2, 5));
        let part = part.ok_or_else(|| heading.damaged(2, "gives no resolution of time"))?;
        let has_number = version.header == TOB3.header;
        let first = heading.line(1);
        let lines = Toa5 {
            environment: first.get(1..first.len().min(7)).unwrap_or_default(),
            table: heading.field(2, 0),
            has_time: true,
            has_record: has_number,
            own: [heading.line(NAMES), heading.line(UNITS), heading.line(PROCESS)],
        }
        .lines();
        let capacity = i64::try_from((size - version.header - FOOTER) / columns.width().max(1)).unwrap_or(i64::MAX);
        let frames = Frames { size, header: version.header, has_number, stamp, interval, part, capacity };
        let begins_at = headed_at + heading.end as u64;
        Ok((Head { headed_at, begins_at, lines }, Section { columns, frames, is_lost: false }))
    }
}

impl Card {
    /// By the bytes from a header on, which begins at `headed_at` of the file.
    pub(super) fn open(head: &[u8], headed_at: u64, version: Version) -> Result<Card, RecordsError> {
        let sections = Sections::new(Section::open(head, headed_at, version)?);
        Ok(Card { sections, last: None, passed: 0, times: print::Times::default() })
    }

    /// Appends the lines of one frame that was written.
    fn frame(&mut self, bytes: &[u8], at: usize, footer: &Footer, records: &mut Records) {
        let Some(frame) = bytes.get(at..at + self.sections.now.frames.size) else { return };
        let before = records.len();
        let mut rows = 0;
        if footer.is_minor {
            let mut read_to = 0;
            for (begin, minor) in self.minor_frames(frame, footer.offset) {
                damage(bytes, at + read_to..at + begin, records);
                rows += self.rows(at, &minor[..minor.len().saturating_sub(FOOTER)], records);
                read_to = begin + minor.len();
            }
            let end = frame.len().saturating_sub(footer.offset);
            damage(bytes, at + read_to..at + end, records);
        } else if !footer.is_empty {
            // The offset counts the bytes at the end that are not filled.
            let body = (frame.len() - FOOTER).saturating_sub(footer.offset);
            rows = self.rows(at, &frame[..body], records);
        }
        if let Some(head) = self.sections.now.frames.head(frame).filter(|_| rows > 0) {
            self.last = Some(Last { head, records: rows });
        }
        if records.len() == before {
            // A frame without records is filler: a blank line.
            records.begin(at).text.push(b'\n');
        }
    }

    /// The minor frames of a frame, oldest first, with their places. The last one ends `rest` bytes before the frame's
    /// end; each footer gives the length of its minor frame.
    fn minor_frames<'f>(&self, frame: &'f [u8], rest: usize) -> Vec<(usize, &'f [u8])> {
        let frames = &self.sections.now.frames;
        let mut found = Vec::new();
        let mut end = frame.len().saturating_sub(rest);
        while let Some(footer) = Footer::of(&frame[..end]) {
            let size = footer.offset;
            if size < frames.header + FOOTER || size > end {
                break;
            }
            if frames.is_stamp(&footer) {
                found.push((end - size, &frame[end - size..end]));
            }
            end -= size;
        }
        found.reverse();
        found
    }

    /// Appends the lines of a frame without its footer, and says how many.
    fn rows(&mut self, at: usize, frame: &[u8], records: &mut Records) -> i64 {
        let frames = &self.sections.now.frames;
        let (Some(head), Some(body)) = (frames.head(frame), frame.get(frames.header..)) else { return 0 };
        let interval = frames.interval;
        let mut rows = 0;
        for (row, record) in (0_i64..).zip(body.chunks_exact(self.sections.now.columns.width())) {
            self.sections.now.columns.learn_order(record);
            let mut line = records.begin(at);
            let time = if head.nanos < NANOS {
                let nanos = head.nanos.saturating_add(row.saturating_mul(interval));
                self.times.write(head.seconds + nanos.div_euclid(NANOS), nanos.rem_euclid(NANOS), line.text)
            } else {
                self.times.write(head.seconds, head.nanos, line.text)
            };
            let number = head.number.map(|first| (first + row) & 0xFFFF_FFFF);
            if let Some(number) = number {
                line.text.push(b',');
                print::whole(number, line.text);
            }
            let values_at = line.text.len() + 1;
            let are_numbers = self.sections.now.columns.print(0, record, &mut line);
            line.text.push(b'\n');
            if let Some(time) = time.filter(|_| are_numbers) {
                records.tell(time, number, values_at);
            }
            rows = row + 1;
        }
        rows
    }

    /// Passes over what stands at `at` and is no frame, and says up to where: a frame or a header begins there, or the
    /// window ends. None where more of the file must be there to say so.
    fn pass(&mut self, window: Window<'_>, at: usize, offset: u64, records: &mut Records) -> Option<usize> {
        let bytes = window.bytes;
        let size = self.sections.now.frames.size;
        let header = next_header(bytes, at, offset);
        let end = header.unwrap_or(bytes.len());
        let limits = Window { is_end: window.is_end || header.is_some(), ..window };
        let from = if self.passed > 0 { at } else { at + 1 };
        if let Some(found) = self.sections.now.frames.next(limits, (at, from), end, self.last) {
            let to = if found.is_whole { found.at } else { found.at + size };
            if at == to {
                records.begin(at).text.push(b'\n');
                records.is_damage_of(0);
            }
            damage(bytes, at..to, records);
            records.began_before(std::mem::take(&mut self.passed));
            return Some(to);
        }
        if let Some(header) = header {
            self.free_space(bytes, at..header, records);
            return Some(header);
        }
        if window.is_end {
            let whole = (bytes.len() - at) / size * size;
            self.free_space(bytes, at..at + whole, records);
            return Some(at + whole);
        }
        if bytes.len() - at <= LONGEST_RECORD + 4 * size {
            return None;
        }
        let whole = (bytes.len() - at - 2 * size) / size * size;
        self.free_space(bytes, at..at + whole, records);
        self.passed += whole;
        Some(at + whole)
    }

    /// Passes over free space of the card, a blank line a frame. It may begin with frames that go on from those before
    /// and whose stamp is damaged, and end with a part of one.
    fn free_space(&mut self, bytes: &[u8], range: std::ops::Range<usize>, records: &mut Records) {
        let frames = self.sections.now.frames.clone();
        let mut last = self.last;
        for at in range.clone().step_by(frames.size) {
            let frame = &bytes[at..range.end.min(at + frames.size)];
            let damaged = last.and_then(|last| Some(Last { head: frames.follows(last, frame)?, ..last }));
            if damaged.is_some() || frame.len() < frames.size {
                damage(bytes, at..at + frame.len(), records);
            } else {
                records.begin(at).text.push(b'\n');
            }
            last = damaged;
        }
    }

    /// Takes the header at the beginning of a piece.
    fn begin_anew(&mut self, piece: Piece<'_>, records: &mut Records) -> Result<usize, RecordsError> {
        let Some(version) = version_of(piece.bytes) else {
            return Err(RecordsError::Foreign("is a header of another format"));
        };
        let section = Section::open(piece.bytes, piece.offset, version)?;
        (self.last, self.passed) = (None, 0);
        Ok(self.sections.begin_anew(section, piece, records))
    }
}

/// None where the header is that of another format.
fn version_of(header: &[u8]) -> Option<Version> {
    [TOB2, TOB3].into_iter().find(|version| header.get(1..5) == Some(version.name.as_bytes()))
}

/// Passes over what stands behind a header that is none of a card, up to the next one.
fn pass_lost(piece: Piece<'_>, records: &mut Records) -> usize {
    let behind = piece.bytes.get(1..).unwrap_or_default();
    let next = next_header(behind, 0, piece.offset + 1).map(|at| at + 1);
    let end = if piece.is_end { piece.bytes.len() } else { piece.bytes.len().saturating_sub(MARK) };
    let to = next.unwrap_or(end);
    damage(piece.bytes, 0..to, records);
    to
}

/// The bytes by which a header is known.
const MARK: usize = 7;

impl Translator for Card {
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
        (self.last, self.passed) = (None, 0);
        self.sections.start_at(offset);
    }

    fn take(&mut self, piece: Piece<'_>, records: &mut Records) -> usize {
        if is_header(piece.bytes) {
            match self.begin_anew(piece, records) {
                Ok(length) => return length,
                Err(RecordsError::Short { .. }) => return 0,
                Err(_) => {
                    let lost = Section { is_lost: true, ..self.sections.now.clone() };
                    self.sections.lose(piece.offset, lost);
                    (self.last, self.passed) = (None, 0);
                }
            }
        }
        if self.sections.now.is_lost {
            return pass_lost(piece, records);
        }
        let window = Window { bytes: piece.bytes, is_end: piece.is_end };
        let size = self.sections.now.frames.size;
        let mut at = 0;
        while at < piece.bytes.len() {
            let rest = &piece.bytes[at..];
            if is_header(rest) {
                break;
            }
            let is_in_step = self.passed == 0;
            if let Some(footer) = self.sections.now.frames.written(rest).filter(|_| is_in_step) {
                self.frame(piece.bytes, at, &footer, records);
                at += size;
                continue;
            }
            // A part of a frame at the end is waited for.
            let is_part = rest.len() < size;
            if is_part && !(piece.is_end && next_header(piece.bytes, at, piece.offset).is_some()) {
                break;
            }
            let Some(to) = self.pass(window, at, piece.offset, records) else { break };
            at = to;
        }
        at
    }

    /// The last frames of a card's file may hold no records, or older ones than those before, so the whole file is
    /// read.
    fn record_at_or_before(&self, _offset: u64) -> u64 {
        self.sections.first_head().begins_at
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
