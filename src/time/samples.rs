//! Rows that share a time stamp: a 10 Hz table whose stamps are whole seconds.
//!
//! RECORD distinguishes such rows. The row `k` rows after the first one of its stamp has the time `stamp + k/N` of the
//! interval between stamps. If a row were mistaken for another row of its stamp, it would get a false time. So a row
//! gets a place only if the first record of its stamp is proven:
//!
//! - the stamp has its first and its last row: N consecutive records, and the next record has a later stamp;
//! - the previous stamp is such a one, and its record numbers continue here: this stamp begins after it;
//! - the next stamp has its places, and its record numbers continue from here: this stamp ends before it.
//!
//! All three rules depend on N. If the record numbers contradict N, no row gets a place.
//!
//! Rows that a logger writes on events come at no fixed rate. Rows of one stamp need no proof then: each gets a
//! microsecond of its own after the stamp, by RECORD ([`Samples::EVENTS`]).

use std::collections::BTreeSet;
use std::time::Duration;

use super::{NANOS_PER_MICRO, NANOS_PER_SECOND, Timestamp, nanos};

/// How the rows of one stamp are distributed in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Samples {
    per_stamp: i64,
    /// The interval between stamps in nanoseconds.
    nanos: i64,
}

/// The interval between stamps that are whole seconds.
pub const SECOND: Duration = Duration::from_secs(1);
/// The most rows of one stamp.
pub const MOST_PER_STAMP: u64 = 10_000;
/// This number of consecutive full stamps shows that a table has two samples per stamp; of more samples per stamp, two
/// full stamps do.
const LEAST_PAIRS: usize = 4;
const LEAST_STAMPS: usize = 2;
/// The least number of rows in full stamps.
const LEAST_ROWS: usize = 20;

/// What is known about the rows of one stamp.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stamp {
    /// The record numbers of the rows.
    pub records: BTreeSet<i64>,
    /// The record number and place of rows that have a place. A stored row with the time of the stamp itself is not
    /// included: it may have been staged before the table was known to have samples, and then shows nothing.
    pub placed: Vec<(i64, i64)>,
}

/// A stamp and its nearest neighbours in time with known rows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Around {
    /// The stamp before.
    pub before: Option<(Timestamp, Stamp)>,
    /// The stamp itself.
    pub this: Stamp,
    /// The stamp after.
    pub after: Option<(Timestamp, Stamp)>,
}

/// The place of a row within its stamp.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// This number of rows after the first one.
    At(i64),
    /// Not known yet: other rows will determine it.
    Unknown,
    /// Another row with the same place has a record number of another sequence: the logger's clock was set back, or two
    /// loggers write one table.
    Taken,
    /// The stamp has more than N rows by the record numbers; the first and the last of them.
    TooMany(i64, i64),
    /// The stamp has fewer than N rows although the record numbers before and after it continue; the first and the last
    /// of them.
    TooFew(i64, i64),
    /// The record numbers continue at a stamp that is not one interval away; the first and the last of the rows, and
    /// the nanoseconds between the stamps.
    Apart(i64, i64, i64),
}

/// The first and the last of consecutive record numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Span {
    first: i64,
    last: i64,
}

impl Samples {
    /// Each row of a stamp is an event of its own, a microsecond after the previous one by RECORD. [`Samples::new`]
    /// does not return this value.
    pub const EVENTS: Samples = Samples { per_stamp: 1_000, nanos: 1_000 * NANOS_PER_MICRO };

    /// The value of these two numbers of the store.
    pub fn stored(per_stamp: u64, interval: Duration) -> Option<Samples> {
        let is_events = (per_stamp, interval) == (Samples::EVENTS.per_stamp(), Samples::EVENTS.interval());
        if is_events { Some(Samples::EVENTS) } else { Samples::new(per_stamp, interval) }
    }

    /// Whether rows of one stamp are events.
    pub fn are_events(self) -> bool {
        self == Samples::EVENTS
    }

    /// `per_stamp` rows in each `interval`. None unless there are two rows or more, at least two microseconds apart.
    pub fn new(per_stamp: u64, interval: Duration) -> Option<Samples> {
        let (per_stamp, nanos) = (i64::try_from(per_stamp).ok()?, nanos(interval));
        let has_room = per_stamp.checked_mul(2 * NANOS_PER_MICRO).is_some_and(|least| least <= nanos);
        (per_stamp >= 2 && has_room).then_some(Samples { per_stamp, nanos })
    }

    /// The number of rows of one stamp.
    pub fn per_stamp(self) -> u64 {
        self.per_stamp.cast_unsigned()
    }

    /// The interval between stamps.
    pub fn interval(self) -> Duration {
        Duration::from_nanos(self.nanos.cast_unsigned())
    }

    /// The stamp of a row with this assigned time.
    pub fn stamp_of(self, ts: Timestamp) -> Timestamp {
        ts.floor(self.interval())
    }

    /// Whether the time is a stamp: a multiple of the interval.
    pub fn is_stamp(self, ts: Timestamp) -> bool {
        self.stamp_of(ts) == ts
    }

    /// The next stamp.
    pub fn next(self, stamp: Timestamp) -> Timestamp {
        stamp.plus(self.nanos)
    }

    /// The time of the row at a place, in whole microseconds.
    pub fn time(self, stamp: Timestamp, place: i64) -> Timestamp {
        let micros = i128::from(place) * i128::from(self.nanos / NANOS_PER_MICRO) / i128::from(self.per_stamp);
        stamp.plus(i64::try_from(micros).unwrap_or(0) * NANOS_PER_MICRO)
    }

    /// The place of a row with this assigned time.
    pub fn place(self, ts: Timestamp) -> i64 {
        let offset = i128::from(ts.nanos_since(self.stamp_of(ts)));
        let place = (offset * i128::from(self.per_stamp) + i128::from(self.nanos / 2)) / i128::from(self.nanos);
        i64::try_from(place).unwrap_or(0)
    }

    /// The place of the row with this record number, which must be one of those of the stamp at `at`.
    pub fn decide(self, at: Timestamp, around: &Around, record: i64) -> Place {
        if self.are_events() {
            let placed = around.this.placed.first().map(|known| known.0.wrapping_sub(known.1));
            let first = placed.or_else(|| around.this.records.first().copied()).unwrap_or(record);
            return Place::At(record.wrapping_sub(first).rem_euclid(self.per_stamp));
        }
        let Some(span) = self.span_of(&around.this, record) else { return Place::Unknown };
        let first = match self.first(at, around, span) {
            Ok(first) => first,
            Err(place) => return place,
        };
        let place = record - first;
        if !(0..self.per_stamp).contains(&place) {
            return Place::TooMany(span.first.min(first), span.last);
        }
        // Another row of the same sequence at this place will itself get another place.
        if around.this.placed.iter().any(|known| known.1 == place && !span.has(known.0)) {
            return Place::Taken;
        }
        Place::At(place)
    }

    /// The first record number of the stamp, or the reason why it is not known.
    fn first(self, at: Timestamp, around: &Around, span: Span) -> Result<i64, Place> {
        let mut placed = around.this.placed.iter().filter(|known| span.has(known.0)).map(|known| known.0 - known.1);
        if let Some(first) = placed.next()
            // Rows that were distributed in another way show nothing.
            && placed.all(|other| other == first)
        {
            return Ok(first);
        }
        let length = span.last - span.first + 1;
        if length > self.per_stamp {
            return Err(Place::TooMany(span.first, span.last));
        }
        let before = around.before.as_ref().and_then(|(at, stamp)| Some((*at, stamp, self.span_before(stamp, span)?)));
        let after = around.after.as_ref().and_then(|(at, stamp)| Some((*at, stamp, self.span_after(stamp, span)?)));
        let goes_on = after.is_some_and(|(_, _, after)| after.first == span.last + 1);
        if length == self.per_stamp && goes_on {
            return Ok(span.first);
        }
        let comes_from = before.is_some_and(|(_, _, before)| before.last + 1 == span.first);
        let is_apart = after.is_some_and(|(after_at, ..)| self.next(at) != after_at)
            && before.is_none_or(|(before_at, ..)| self.next(before_at) != at);
        if length == 1 && goes_on && is_apart && (comes_from || (before.is_none() && span.first == 0)) {
            // The logger did not stop, so no other row has this stamp.
            return Ok(span.first);
        }
        if let Some((before_at, stamp, before)) = before {
            // A logger without power for a while continues RECORD, at any place within a stamp.
            let is_next = self.next(before_at) == at && span.last <= before.last + self.per_stamp;
            let is_full = before.last - before.first + 1 == self.per_stamp;
            if is_full && is_next && (comes_from || Self::has_places(stamp, before)) {
                return Ok(before.last + 1);
            }
        }
        if comes_from
            && goes_on
            && let (Some((before_at, _, before)), Some((after_at, _, after))) = (before, after)
        {
            // Consecutive seconds without a missing record: the logger did not stop.
            let is_within = self.next(before_at) == at && self.next(at) == after_at;
            let are_alone = [before, span, after].iter().all(|span| span.first == span.last);
            if are_alone || (is_within && length == 1) {
                // It shares its stamp with no other row.
                return Ok(span.first);
            }
            if is_within {
                return Err(Place::TooFew(span.first, span.last));
            }
        }
        if let Some((after_at, stamp, after)) = after
            && let Some((record, place)) = stamp.placed.iter().find(|known| after.has(known.0))
        {
            let begins = record - place;
            let is_next = self.next(at) == after_at && span.last < begins && span.first >= begins - self.per_stamp;
            if (goes_on && after.first == begins) || is_next {
                return Ok(begins - self.per_stamp);
            }
        }
        Err(Place::Unknown)
    }

    /// Whether the rows of the stamp contradict the interval, if that is only assumed: several rows share the stamp,
    /// the record numbers continue at a stamp that is further away, and no stamp lies one interval before. (The last
    /// stamp of a burst has such a one before it.)
    pub fn apart(self, at: Timestamp, around: &Around, record: i64) -> Option<Place> {
        let span = self.span_of(&around.this, record)?;
        let (after_at, after) = around.after.as_ref()?;
        let goes_on = self.span_after(after, span).is_some_and(|after| after.first == span.last + 1);
        let is_next = |before: &Timestamp| self.next(*before) == at;
        let is_alone = self.next(at) < *after_at && !around.before.as_ref().is_some_and(|(before, _)| is_next(before));
        (span.last > span.first && goes_on && is_alone)
            .then(|| Place::Apart(span.first, span.last, after_at.nanos_since(at)))
    }

    /// Whether rows of the stamp have places, and all places agree that the sequence begins with the first record of
    /// the span. Two sequences that a correction of the clock moved to one stamp can together have as many records as a
    /// full one.
    fn has_places(stamp: &Stamp, span: Span) -> bool {
        let mut begins =
            stamp.placed.iter().filter(|known| span.has(known.0)).map(|known| known.0 - known.1).peekable();
        begins.peek().is_some() && begins.all(|begin| begin == span.first)
    }

    /// The sequence of record numbers that contains `record`: RECORD restarts when a logger restarts, and after its
    /// highest number.
    fn span_of(self, stamp: &Stamp, record: i64) -> Option<Span> {
        self.spans(stamp).into_iter().find(|span| span.has(record))
    }

    fn span_before(self, stamp: &Stamp, of: Span) -> Option<Span> {
        self.spans(stamp).into_iter().filter(|span| span.last < of.first).max_by_key(|span| span.last)
    }

    fn span_after(self, stamp: &Stamp, of: Span) -> Option<Span> {
        self.spans(stamp).into_iter().filter(|span| span.first > of.last).min_by_key(|span| span.first)
    }

    fn spans(self, stamp: &Stamp) -> Vec<Span> {
        let mut spans: Vec<Span> = Vec::new();
        for &record in &stamp.records {
            match spans.last_mut() {
                Some(span) if record.saturating_sub(span.last) < self.per_stamp => span.last = record,
                _ => spans.push(Span { first: record, last: record }),
            }
        }
        spans
    }

    /// What consecutive rows of a file show, given as stamp and record number. None if they do not share stamps in
    /// whole seconds, if RECORD does not count, or if too few rows show how many share one.
    pub fn shown_by(rows: impl IntoIterator<Item = (Timestamp, i64)>) -> Option<Samples> {
        Samples::new(evenly(rows, NANOS_PER_SECOND)?, SECOND)
    }

    /// The number of rows per stamp and the nanoseconds between stamps, if these rows share stamps evenly.
    pub fn seen_in(rows: &[(Timestamp, i64)]) -> Option<(u64, i64)> {
        let between = rows.windows(2).map(|two| two[1].0.nanos_since(two[0].0));
        let interval = between.filter(|between| *between > 0).min()?;
        let per_stamp = evenly(rows.iter().copied(), interval)?;
        (per_stamp > 1).then_some((per_stamp, interval))
    }
}

/// The number of rows that share each stamp, if stamps are `interval` nanoseconds apart.
fn evenly(rows: impl IntoIterator<Item = (Timestamp, i64)>, interval: i64) -> Option<u64> {
    let mut groups: Vec<usize> = Vec::new();
    let mut last: Option<(Timestamp, i64)> = None;
    for (at, record) in rows {
        let Some(before) = last.replace((at, record)) else {
            groups.push(1);
            continue;
        };
        let distance = at.nanos_since(before.0);
        let counts = before.1.checked_add(1) == Some(record);
        match distance {
            0 if counts => {
                if let Some(group) = groups.last_mut() {
                    *group += 1;
                }
            }
            _ if distance == interval && counts => groups.push(1),
            // The first part without a break decides.
            _ if groups.len() > 2 => break,
            _ => groups = vec![1],
        }
    }
    let [first, within @ .., end] = groups.as_slice() else { return None };
    let per_stamp = *within.first()?;
    let full = groups.iter().filter(|group| **group == per_stamp).count();
    let least = if per_stamp == 2 { LEAST_PAIRS } else { LEAST_STAMPS };
    let is_even = within.iter().all(|group| *group == per_stamp) && *first <= per_stamp && *end <= per_stamp;
    if !is_even || full < least || full * per_stamp < LEAST_ROWS || per_stamp as u64 > MOST_PER_STAMP {
        return None;
    }
    Some(per_stamp as u64)
}

impl Span {
    fn has(self, record: i64) -> bool {
        (self.first..=self.last).contains(&record)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEN: u64 = 10;

    fn ten() -> Samples {
        Samples::new(TEN, SECOND).unwrap()
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_seconds(second)
    }

    fn stamp(records: impl IntoIterator<Item = i64>) -> Stamp {
        Stamp { records: records.into_iter().collect(), placed: Vec::new() }
    }

    fn placed(first: i64, records: impl IntoIterator<Item = i64>) -> Stamp {
        let records: BTreeSet<i64> = records.into_iter().collect();
        Stamp { placed: records.iter().map(|record| (*record, record - first)).collect(), records }
    }

    fn decide(before: Option<Stamp>, this: Stamp, after: Option<Stamp>, record: i64) -> Place {
        let around =
            Around { before: before.map(|stamp| (at(9), stamp)), this, after: after.map(|stamp| (at(11), stamp)) };
        ten().decide(at(10), &around, record)
    }

    #[test]
    fn a_place_and_its_time_give_each_other() {
        for (per_stamp, interval) in
            [(2, SECOND), (3, SECOND), (7, SECOND), (10_000, SECOND), (6, Duration::from_secs(60))]
        {
            let samples = Samples::new(per_stamp, interval).unwrap();
            let mut before = at(59);
            for place in 0..per_stamp.cast_signed() {
                let ts = samples.time(at(60), place);
                assert_eq!((samples.stamp_of(ts), samples.place(ts)), (at(60), place));
                assert!(ts > before && ts < samples.next(at(60)));
                before = ts;
            }
        }
        assert_eq!(Samples::new(1, SECOND), None);
        assert_eq!(Samples::new(10_000, Duration::from_millis(1)), None);
    }

    #[test]
    fn a_stamp_is_proven_by_its_own_rows_only_with_the_row_behind_them() {
        assert_eq!(decide(None, stamp(30..40), None, 33), Place::Unknown);
        assert_eq!(decide(None, stamp(30..40), Some(stamp([40])), 33), Place::At(3));
        // Rows in between may be missing.
        assert_eq!(decide(None, stamp([30, 33, 39]), Some(stamp([40])), 33), Place::At(3));
        assert_eq!(decide(None, stamp(30..39), Some(stamp([40])), 33), Place::Unknown);
    }

    #[test]
    fn a_stamp_goes_on_behind_a_full_one_and_ends_before_a_placed_one() {
        assert_eq!(decide(Some(stamp(20..30)), stamp([30]), None, 30), Place::At(0));
        assert_eq!(decide(Some(placed(20, 20..30)), stamp([33, 34]), None, 34), Place::At(4));
        assert_eq!(decide(Some(stamp(21..30)), stamp([30]), None, 30), Place::Unknown);
        // The second half of one sequence and the first half of another.
        let halves = Stamp { placed: vec![(24, 9), (26, 1)], ..stamp(20..30) };
        assert_eq!(decide(Some(halves), stamp([33]), None, 33), Place::Unknown);
        assert_eq!(decide(None, stamp(36..40), Some(placed(40, 40..50)), 36), Place::At(6));
        assert_eq!(decide(None, stamp([36]), Some(placed(40, 43..50)), 36), Place::At(6));
        assert_eq!(decide(None, stamp([36]), Some(stamp(40..50)), 36), Place::Unknown);
    }

    #[test]
    fn a_logger_that_had_no_power_for_a_while_goes_on_at_a_place_that_the_next_stamp_tells() {
        let decide = |before: Stamp, this: Stamp, after: Option<Stamp>, record| {
            let after = after.map(|stamp| (at(11), stamp));
            ten().decide(at(10), &Around { before: Some((at(5), before)), this, after }, record)
        };
        // The logger stopped within a second, and after a whole one.
        for before in [stamp(30..35), placed(25, 25..35)] {
            assert_eq!(decide(before.clone(), stamp(35..40), None, 37), Place::Unknown);
            assert_eq!(decide(before.clone(), stamp(35..40), Some(stamp(40..50)), 37), Place::Unknown);
            assert_eq!(decide(before, stamp(35..40), Some(placed(40, 40..50)), 37), Place::At(7));
        }
        assert_eq!(decide(stamp(30..35), stamp([35]), Some(placed(36, 36..46)), 35), Place::At(9));
    }

    #[test]
    fn a_count_that_contradicts_the_number_of_samples_gives_no_place() {
        assert_eq!(decide(None, stamp(30..50), Some(stamp([50])), 33), Place::TooMany(30, 49));
        assert_eq!(decide(Some(stamp(25..30)), stamp(30..35), Some(stamp(35..40)), 33), Place::TooFew(30, 34));
        assert_eq!(decide(None, placed(30, 30..41), None, 40), Place::TooMany(30, 40));
        // A row that shares its stamp with no other has the time that the logger wrote.
        assert_eq!(decide(Some(stamp([29])), stamp([30]), Some(stamp([31])), 30), Place::At(0));
    }

    #[test]
    fn a_count_that_begins_again_within_a_stamp_is_another_count() {
        let both = stamp([995, 996, 997, 998, 0, 1, 2, 3, 4, 5]);
        assert_eq!(decide(Some(placed(985, 985..995)), both.clone(), None, 997), Place::At(2));
        assert_eq!(decide(None, both.clone(), Some(placed(6, 6..16)), 0), Place::At(4));
        assert_eq!(decide(None, both, None, 0), Place::Unknown);
    }

    #[test]
    fn rows_show_how_many_share_a_stamp_only_where_every_stamp_has_as_many() {
        let shown = |groups: &[usize]| {
            let stamps = groups.iter().enumerate().flat_map(|(place, rows)| std::iter::repeat_n(place as i64, *rows));
            Samples::shown_by(stamps.zip(0..).map(|(second, record)| (at(second), record))).map(Samples::per_stamp)
        };
        assert_eq!(shown(&[10, 10, 10]), Some(10));
        assert_eq!(shown(&[4, 10, 10, 3]), Some(10));
        assert_eq!(shown(&[4, 10, 3]), None);
        assert_eq!(shown(&[10, 9, 10]), None);
        assert_eq!(shown(&[1, 2, 1]), None);
        assert_eq!(shown(&[1, 2, 2, 1]), None);
        assert_eq!(shown(&[1, 1, 1, 1]), None);
        assert_eq!(shown(&[2; 10]), Some(2));
        // Too few rows for a decision about a whole table.
        assert_eq!(shown(&[2; 9]), None);
        assert_eq!(shown(&[3, 3, 1]), None);
        // Half-hourly rows that a clock change has doubled are not samples.
        assert_eq!(Samples::shown_by((0..40).map(|row| (at(row / 4 * 1_800), row))), None);
    }
}
