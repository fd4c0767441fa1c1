//! Where the frames of a card's file stand: each has a footer with the validation stamp that the header names.
//!
//! Frames have one size, so the next one stands behind the one before. Where bytes were lost or added, all frames behind
//! are moved: they are looked for by their stamp. A stamp has two bytes and stands by chance in a card's free space,
//! which is not empty but holds what older files left there. So a frame that was moved counts only where its time and
//! number go on from the frames before, or where the one behind it goes on from it.

use memchr::memmem;

use super::columns::{Order, unsigned};
use super::sequence::Window;
use crate::time::NANOS_PER_SECOND as NANOS;

const FOOTER: usize = 4;
const DAY: i64 = 86_400;
/// A logger's clock that was set is behind 2000.
const LOGGERS: i64 = 10 * 365 * DAY;
/// So many frames may have been lost in a damaged place, and two days beside that.
const LOST_FRAMES: i64 = 64;
/// The longest time between frames of a table that is written on events.
const LONGEST_PAUSE: i64 = 3_650 * DAY;
/// Files on a card begin with a sector.
const SECTOR: u64 = 512;

/// How the first line of a header begins that can be read on by.
const CARDS: [&[u8]; 2] = [b"\"TOB3\",", b"\"TOB2\","];
/// And of a header behind which nothing can be read as frames.
const OTHERS: [&[u8]; 2] = [b"\"TOB1\",", b"\"TOA5\","];

/// Whether `bytes` begin as the header of a file does.
pub(super) fn is_header(bytes: &[u8]) -> bool {
    CARDS.iter().chain(&OTHERS).any(|mark| bytes.starts_with(mark))
}

/// The place of the next header of a file that was joined to this one. `gap_at` is where frames go on no more, and
/// `offset` the place in the file of the first byte. In free space a header at the beginning of a sector is that of an
/// older file of the card.
pub(super) fn next_header(bytes: &[u8], gap_at: usize, offset: u64) -> Option<usize> {
    let of = |mark: &[u8]| {
        let rest = bytes.get(gap_at..)?;
        let mut found = memmem::find_iter(rest, mark).map(|at| gap_at + at);
        found.find(|at| *at == gap_at || !(offset + *at as u64).is_multiple_of(SECTOR))
    };
    CARDS.iter().chain(&OTHERS).filter_map(|mark| of(mark)).min()
}

/// The footer of a frame.
pub(super) struct Footer {
    pub(super) offset: usize,
    pub(super) is_empty: bool,
    pub(super) is_minor: bool,
    stamp: i64,
}

impl Footer {
    /// Parses the last four bytes of `bytes`.
    pub(super) fn of(bytes: &[u8]) -> Option<Footer> {
        let word = unsigned(bytes.get(bytes.len().checked_sub(FOOTER)?..)?, Order::Little);
        Some(Footer {
            offset: usize::try_from(word & 0x7FF).ok()?,
            is_empty: word & 0x2000 != 0,
            is_minor: word & 0x4000 != 0,
            stamp: word >> 16,
        })
    }
}

/// The header of a frame.
#[derive(Debug, Clone, Copy)]
pub(super) struct Head {
    pub(super) seconds: i64,
    /// Of the second; more than a second in a frame that is none.
    pub(super) nanos: i64,
    /// That of the first record, in TOB3.
    pub(super) number: Option<i64>,
}

impl Head {
    fn is_possible(self) -> bool {
        self.nanos < NANOS
    }

    fn is_of_a_logger(self) -> bool {
        self.is_possible() && self.seconds >= LOGGERS
    }
}

/// The last frame that was read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Last {
    pub(super) head: Head,
    pub(super) records: i64,
}

/// A frame behind a damaged place.
pub(super) struct Found {
    pub(super) at: usize,
    /// Whether it has its first bytes.
    pub(super) is_whole: bool,
}

/// The frames of one header.
#[derive(Debug, Clone)]
pub(super) struct Frames {
    /// The bytes of one.
    pub(super) size: usize,
    /// The bytes of its header: seconds, fraction of a second and, in TOB3, the number of the first record.
    pub(super) header: usize,
    pub(super) has_number: bool,
    pub(super) stamp: i64,
    /// The time between records, in nanoseconds.
    pub(super) interval: i64,
    /// The nanoseconds of one unit of the fraction of a second.
    pub(super) part: i64,
    /// The records that a frame can hold.
    pub(super) capacity: i64,
}

impl Frames {
    pub(super) fn head(&self, frame: &[u8]) -> Option<Head> {
        let header = frame.get(..self.header)?;
        let word = |place: usize| unsigned(&header[place..place + 4], Order::Little);
        let nanos = word(4).saturating_mul(self.part);
        Some(Head { seconds: word(0), nanos, number: self.has_number.then(|| word(8)) })
    }

    /// Whether the stamp shows that the frame was written. The stamp's complement and its neighbouring values are valid
    /// too: CardConvert reads frames with these.
    pub(super) fn is_stamp(&self, footer: &Footer) -> bool {
        self.is_exact(footer) || (footer.stamp - self.stamp).abs() == 1
    }

    /// Files that are made one after the other have stamps near each other, and an older one may be left on the card.
    fn is_exact(&self, footer: &Footer) -> bool {
        footer.stamp == self.stamp || footer.stamp == 0xFFFF ^ self.stamp
    }

    /// The footer of the frame at the beginning of `bytes`, if it was written.
    pub(super) fn written(&self, bytes: &[u8]) -> Option<Footer> {
        Footer::of(bytes.get(..self.size)?).filter(|footer| self.is_stamp(footer))
    }

    /// Whether `head` is that of a frame behind `last`: time and number go on, and records do not come faster than the
    /// table makes them.
    fn goes_on(&self, last: Last, head: Head) -> bool {
        let seconds = head.seconds - last.head.seconds;
        let records = self.capacity.saturating_mul(LOST_FRAMES);
        let longest = match self.interval {
            0 => LONGEST_PAUSE,
            interval => (2 * DAY).saturating_add(records.saturating_mul(interval) / NANOS),
        };
        let in_time = (0..=longest).contains(&seconds) && head.is_possible();
        in_time
            && match (last.head.number, head.number, self.interval) {
                (Some(before), Some(number), 0) => (last.records..=records).contains(&(number - before)),
                (Some(before), Some(number), interval) => {
                    let made = number - before;
                    made >= last.records && made.saturating_mul(interval) / NANOS <= seconds + 2
                }
                _ => true,
            }
    }

    /// Whether the bytes are the very next frame, although its stamp is damaged.
    pub(super) fn follows(&self, last: Last, frame: &[u8]) -> Option<Head> {
        let head = self.head(frame)?;
        let is_next = match (last.head.number, head.number) {
            (Some(before), Some(number)) => number == before + last.records,
            _ => {
                let seconds = last.records.saturating_mul(self.interval) / NANOS;
                (head.seconds - last.head.seconds - seconds).abs() <= 1
            }
        };
        (is_next && last.records > 0 && self.goes_on(last, head)).then_some(head)
    }

    /// The next frame from `from` on which ends at or before `end`; at `step`, or a whole number of frames behind it,
    /// frames would stand that were not moved.
    pub(super) fn next(
        &self,
        window: Window<'_>,
        (step, from): (usize, usize),
        end: usize,
        last: Option<Last>,
    ) -> Option<Found> {
        let bytes = window.bytes.get(..end)?;
        let window = Window { bytes, ..window };
        // The high byte of the stamp is the last one of its frame.
        let [high, other] = [self.stamp >> 8, (0xFFFF ^ self.stamp) >> 8].map(|byte| u8::try_from(byte).unwrap_or(0));
        let moved = memchr::memchr2_iter(high, other, bytes.get(from + self.size - 1..).unwrap_or_default())
            .map(|at| from + at)
            .find_map(|at| Some((at, self.moved_to(window, at, last)?)));
        let in_place = (step..bytes.len())
            .step_by(self.size)
            .filter(|at| *at >= from)
            .find_map(|at| Some((at, self.in_place(window, at, last)?)));
        let (at, head) = [moved, in_place].into_iter().flatten().min_by_key(|(at, _)| *at)?;
        let blocks = (at - step).is_multiple_of(self.size).then(|| (at - step) / self.size);
        Some(Found { at, is_whole: self.is_whole(window, (at, head), last, blocks)? })
    }

    /// The header of a frame at `at`, where frames did not stand before the damage.
    fn moved_to(&self, window: Window<'_>, at: usize, last: Option<Last>) -> Option<Head> {
        let frame = window.bytes.get(at..at + self.size)?;
        let head = Footer::of(frame).filter(|footer| self.is_exact(footer)).and_then(|_| self.head(frame))?;
        let goes_on = || last.is_some_and(|last| self.goes_on(last, head)) || self.is_followed(window, at, head);
        (head.is_of_a_logger() && goes_on()).then_some(head)
    }

    /// The header of a frame at `at`, where one would stand.
    fn in_place(&self, window: Window<'_>, at: usize, last: Option<Last>) -> Option<Head> {
        let frame = window.bytes.get(at..at + self.size)?;
        let footer = self.written(frame)?;
        let head = self.head(frame).filter(|head| head.is_possible())?;
        let goes_on = || last.is_some_and(|last| self.goes_on(last, head));
        (goes_on() || (self.is_exact(&footer) && self.is_followed(window, at, head))).then_some(head)
    }

    /// Whether a frame goes on behind this one, or nothing stands behind it.
    fn is_followed(&self, window: Window<'_>, at: usize, head: Head) -> bool {
        match self.behind(window, at) {
            Some(next) => next.is_some_and(|next| self.goes_on(Last { head, records: 1 }, next)),
            None => window.is_end,
        }
    }

    /// The header of the frame behind the one at `at`: none where none stands there, and where the window ends.
    fn behind(&self, window: Window<'_>, at: usize) -> Option<Option<Head>> {
        let frame = window.bytes.get(at + self.size..at + 2 * self.size)?;
        Some(self.written(frame).and_then(|_| self.head(frame)))
    }

    /// Whether the frame that was found has its first bytes: other ones may stand in their place, and its time is then
    /// another one. They are there where a footer ends before them, or where time and number are in step with a frame
    /// beside it. None: the frame behind it must be there to say so.
    fn is_whole(
        &self,
        window: Window<'_>,
        (at, head): (usize, Head),
        last: Option<Last>,
        blocks: Option<usize>,
    ) -> Option<bool> {
        let footer = window.bytes.get(at.saturating_sub(FOOTER)..at).and_then(Footer::of);
        let has_all_before = blocks.zip(last).is_some_and(|(blocks, last)| {
            let records = self.capacity.saturating_mul(i64::try_from(blocks).unwrap_or(i64::MAX));
            matches!((last.head.number, head.number), (Some(before), Some(number)) if number - before == last.records.saturating_add(records))
        });
        let in_step = |last: Last, head: Head| {
            let records = match (last.head.number, head.number) {
                (Some(before), Some(number)) => number - before,
                _ => last.records,
            };
            let passed = (head.seconds - last.head.seconds).saturating_mul(NANOS) + head.nanos - last.head.nanos;
            self.interval > 0 && passed == records.saturating_mul(self.interval)
        };
        if footer.is_some_and(|footer| self.is_exact(&footer))
            || has_all_before
            || last.is_some_and(|last| in_step(last, head))
        {
            return Some(true);
        }
        match self.behind(window, at) {
            Some(next) => Some(next.is_some_and(|next| in_step(Last { head, records: self.capacity }, next))),
            None => window.is_end.then_some(false),
        }
    }
}
