//! Where the records of a TOB1 file stand: times and numbers go on from one record to the next.
//!
//! Nothing separates these records, so that a record that was cut, or other bytes between two, move all that is
//! behind: each record read there is made of two. A record is taken only when what is behind it goes on, and behind
//! damage the next place is looked for where two records in a row go on. Numbers may start again or jump, and a clock
//! may be set: two records in a row are proof enough. What it costs for a file that is whole is one comparison for
//! each record.

use memchr::memmem;

use super::columns::{Kind, Order, unsigned};
use crate::time::NANOS_PER_SECOND as NANOS;

/// How the first line of a header begins.
pub(super) const HEADER: &[u8] = b"\"TOB1\",";

const DAY: i64 = 86_400;
/// So far apart are records that follow each other, but for a pause of the logger.
const NEAR: i64 = 2 * DAY;
/// The longest pause before a record that nothing stands behind.
const LONGEST_PAUSE: i64 = 3_650 * DAY;
/// Records that a table can make in a second, and some.
const FASTEST: i64 = 100;

/// Time and number of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Key {
    /// Since 1990.
    pub(super) seconds: i64,
    pub(super) nanos: i64,
    number: Option<i64>,
}

impl Key {
    /// Whether a record can have it. Nothing but zeros is what a power failure leaves.
    pub(super) fn is_possible(self) -> bool {
        self.nanos < NANOS && (self.seconds, self.nanos, self.number.unwrap_or(0)) != (0, 0, 0)
    }

    /// Whether `next` has the next number.
    fn is_before(self, next: Key) -> bool {
        matches!((self.number, next.number), (Some(this), Some(next)) if this + 1 == next)
    }

    fn seconds_to(self, other: Key) -> i64 {
        (other.seconds - self.seconds).abs()
    }

    /// Whether the two stand near each other in the table, in any order: records may have been lost, and lost ones
    /// come late.
    pub(super) fn is_near(self, other: Key) -> bool {
        let seconds = self.seconds_to(other);
        let numbers = match (self.number, other.number) {
            (Some(this), Some(other)) => (other - this).abs(),
            _ => 0,
        };
        seconds <= NEAR && numbers <= FASTEST * (seconds + 2)
    }

    /// Whether it is the first, second or third behind this one: in a torn place a few records are lost.
    pub(super) fn is_soon_before(self, other: Key) -> bool {
        let numbers = match (self.number, other.number) {
            (Some(this), Some(other)) => other - this,
            _ => 1,
        };
        (1..=3).contains(&numbers) && self.is_near(other)
    }

    /// Whether its time can be that of a logger that was set: these loggers are younger than 2000.
    fn is_of_a_logger(self) -> bool {
        self.seconds >= 10 * 365 * DAY
    }

    /// Whether its time can be one behind this record's.
    fn is_credible(self, before: Option<Key>) -> bool {
        self.is_of_a_logger() && before.is_none_or(|before| self.is_not_long_after(before))
    }

    /// Whether two records go on from this one: in time, and in number or from a new count.
    fn goes_on_with(self, key: Key, next: Key) -> bool {
        let is_counted = key.is_before(next) && self.is_within_days_of(key) && key.is_within_days_of(next);
        is_counted || (self.is_near(key) && key.is_near(next))
    }

    fn is_not_long_after(self, before: Key) -> bool {
        self.seconds <= before.seconds.saturating_add(LONGEST_PAUSE)
    }

    pub(super) fn is_within_days_of(self, other: Key) -> bool {
        self.seconds_to(other) <= NEAR
    }
}

/// What stands at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// A record, or what of it is there.
    Good,
    /// None.
    Bad,
    /// What follows decides.
    Unknown,
}

/// What of a file is known.
#[derive(Debug, Clone, Copy)]
pub(super) struct Window<'b> {
    pub(super) bytes: &'b [u8],
    /// Whether the file ends with them.
    pub(super) is_end: bool,
}

/// Where in a record time and number stand.
#[derive(Debug, Clone)]
pub(super) struct Keys {
    has_nanos: bool,
    /// Its place and type.
    number: Option<(usize, Kind)>,
    /// Bytes up to the end of the key, and of the record.
    length: usize,
    pub(super) width: usize,
}

impl Keys {
    /// Of records that begin with SECONDS.
    pub(super) fn new(has_nanos: bool, number: Option<Kind>, width: usize) -> Keys {
        let number_at = if has_nanos { 8 } else { 4 };
        // A fraction is no number to count by.
        let number = number.filter(|kind| matches!(kind, Kind::Unsigned(..) | Kind::Signed(..)));
        let number = number.map(|kind| (number_at, kind));
        let length = number_at + number.map_or(0, |(_, kind)| kind.width());
        Keys { has_nanos, number, length, width }
    }

    /// That of the record at the beginning of `bytes`; None where it is not whole.
    #[inline]
    pub(super) fn key(&self, bytes: &[u8]) -> Option<Key> {
        let bytes = bytes.get(..self.length)?;
        let four = |at: usize| i64::from(u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]));
        let number = self.number.map(|(at, kind)| match kind {
            Kind::Unsigned(4, Order::Little) => four(at),
            Kind::Signed(width, order) => {
                let spare = 64 - 8 * width;
                (unsigned(&bytes[at..at + width], order) << spare) >> spare
            }
            Kind::Unsigned(width, order) => unsigned(&bytes[at..at + width], order),
            _ => 0,
        });
        Some(Key { seconds: four(0), nanos: if self.has_nanos { four(4) } else { 0 }, number })
    }

    /// Whether the next record is the usual one: the next number, or where records have none a time near the last one.
    #[inline]
    fn goes_on(&self, before: Key, key: Key) -> bool {
        key.nanos < NANOS
            && before.seconds_to(key) <= DAY
            && match (before.number, key.number) {
                (Some(before), Some(number)) => before + 1 == number,
                // A header's first letters are a time in 2025.
                _ => key.seconds != i64::from(u32::from_le_bytes(*b"\"TOB")) && key.is_possible(),
            }
    }

    /// What stands at `at`, behind a record with the key `before`.
    #[inline]
    pub(super) fn judge(&self, window: Window<'_>, at: usize, before: Option<Key>) -> Verdict {
        let rest = window.bytes.get(at..).unwrap_or_default();
        if let (Some(before), Some(key)) = (before, self.key(rest))
            && self.goes_on(before, key)
        {
            return Verdict::Good;
        }
        self.judge_jump(window, at, before)
    }

    #[cold]
    fn judge_jump(&self, window: Window<'_>, at: usize, before: Option<Key>) -> Verdict {
        let rest = window.bytes.get(at..).unwrap_or_default();
        let good_if = |is_good: bool| if is_good { Verdict::Good } else { Verdict::Bad };
        let Some(key) = self.key(rest) else {
            return match (window.is_end, before.zip(seconds_of(rest))) {
                (false, _) => Verdict::Unknown,
                (true, None) => Verdict::Good,
                (true, Some((before, seconds))) => good_if((before.seconds - seconds).abs() <= NEAR),
            };
        };
        if !key.is_possible() || rest.starts_with(HEADER) {
            return Verdict::Bad;
        }
        if before.is_some_and(|before| before.is_near(key) || before.is_before(key)) {
            return Verdict::Good;
        }
        let behind = rest.get(self.width..).unwrap_or_default();
        if let Some(next) = self.key(behind) {
            return match next.is_possible() && (key.is_before(next) || key.is_near(next)) {
                true if before.is_none() && key.is_before(next) && key.is_of_a_logger() => Verdict::Good,
                true if !key.is_before(next) && !key.is_credible(before) => Verdict::Bad,
                true => self.judge_row(window, at, before),
                false => Verdict::Bad,
            };
        }
        if !window.is_end {
            return Verdict::Unknown;
        }
        match seconds_of(behind) {
            Some(seconds) => good_if((key.seconds - seconds).abs() <= NEAR),
            // The last record, whose end is that of the file: no piece of another one moved it.
            None => good_if(rest.len() == self.width && before.is_none_or(|before| key.is_not_long_after(before))),
        }
    }

    /// What stands at `at`, where two records go on and the one before does not. They go on as well where pieces of
    /// two records are read as one, each time in the same way: a time then counts as a number. Then records that go
    /// on from the one before begin within a record's length.
    fn judge_row(&self, window: Window<'_>, at: usize, before: Option<Key>) -> Verdict {
        let end = at + self.width;
        let length = window.bytes.len();
        if end + self.span() > length && !(window.is_end && (length - at).is_multiple_of(self.width)) {
            return if window.is_end { Verdict::Bad } else { Verdict::Unknown };
        }
        let begin = if before.is_some() { (at + 1).saturating_sub(self.width) } else { at };
        let goes_on = |other: usize| {
            let Some((key, next)) = self.pair(window.bytes, other) else { return false };
            match before {
                Some(before) => before.goes_on_with(key, next),
                None => key.is_before(next) && key.is_of_a_logger(),
            }
        };
        if (begin..end).any(|other| other != at && goes_on(other)) { Verdict::Bad } else { Verdict::Good }
    }

    /// The keys of two records, of which the first begins at `at`.
    fn pair(&self, bytes: &[u8], at: usize) -> Option<(Key, Key)> {
        let key = self.key(bytes.get(at..)?).filter(|key| key.is_possible())?;
        let next = self.key(bytes.get(at + self.width..)?).filter(|key| key.is_possible())?;
        Some((key, next))
    }

    /// The next place from `from` on where records go on, or a header begins.
    pub(super) fn next(&self, window: Window<'_>, from: usize, before: Option<Key>) -> Option<usize> {
        let bytes = window.bytes;
        let header = memmem::find(bytes.get(from..)?, HEADER).map(|at| from + at);
        let end = header.unwrap_or(bytes.len());
        let mut far = None;
        for at in from..end {
            let second = at + self.width;
            if second > end {
                break;
            }
            let Some((key, next)) = self.pair(bytes, at) else { continue };
            let is_pair = key.seconds_to(next) <= DAY && (key.number.is_none() || key.is_before(next));
            if before.is_some_and(|before| before.goes_on_with(key, next)) {
                return self.whole_from(window, at, [key, next], before);
            }
            // Near the rows before is better than first: values may count, too.
            if is_pair && far.is_none() && key.is_credible(before) {
                far = Some((at, [key, next]));
            }
        }
        match far {
            Some((at, pair)) => self.whole_from(window, at, pair, before),
            None => header,
        }
    }

    /// Where of two records that go on the first whole one begins: the first of them may have lost its first bytes,
    /// which are the last ones of its seconds. Then its time is not as far from the second one's as that from the
    /// third's. None: the third must be there to say so.
    fn whole_from(&self, window: Window<'_>, at: usize, pair: [Key; 2], before: Option<Key>) -> Option<usize> {
        let [key, next] = pair;
        let interval = next.seconds - key.seconds;
        let is_even = match window.bytes.get(at + 2 * self.width..).and_then(|bytes| self.key(bytes)) {
            Some(third) => (third.seconds - next.seconds - interval).abs() <= 1,
            None if !window.is_end => return None,
            None => before.is_none_or(|before| {
                let records = before.number.zip(key.number).map_or(1, |(before, number)| number - before);
                (key.seconds - before.seconds - interval.saturating_mul(records)).abs() <= records.abs()
            }),
        };
        Some(if is_even { at } else { at + self.width })
    }

    /// Whether a record is whole that bytes follow which are none: they begin as the next record does, or are the NUL
    /// bytes of a power failure. Else they may have come between its own bytes. `keys` are those of the record before
    /// it and its own.
    pub(super) fn is_whole(&self, record: &[u8], keys: (Option<Key>, Key), behind: &[u8]) -> bool {
        let (before, key) = keys;
        if behind.iter().take(self.width).all(|byte| *byte == 0) {
            return record.last() != Some(&0) || behind.is_empty();
        }
        match seconds_of(behind) {
            Some(seconds) => (key.seconds - seconds).abs() <= NEAR,
            None => {
                let interval = before.map_or(0, |before| key.seconds - before.seconds);
                let goes_on = |seconds: i64| seconds.to_le_bytes().starts_with(behind);
                goes_on(key.seconds + interval) || goes_on(key.seconds + interval + 1)
            }
        }
    }

    /// The bytes that must be there to say of a place that records go on there.
    pub(super) fn span(&self) -> usize {
        self.width + self.length
    }
}

fn seconds_of(bytes: &[u8]) -> Option<i64> {
    bytes.first_chunk().map(|four| i64::from(u32::from_le_bytes(*four)))
}
