//! A half-open interval of time: `[from, until)`, with its beginning and without its end.
//!
//! All code uses this one convention: two adjacent intervals share no instant, and the length is the difference of the
//! ends. Closed intervals elsewhere (the store's backlog, a server's delete) are converted where they are used, with
//! [`Interval::closed`] and [`Interval::last`].

use super::Timestamp;

/// `[from, until)`. Empty if `until` is not after `from`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Interval {
    /// The first instant.
    pub from: Timestamp,
    /// The first instant after the interval. [`Timestamp::MAX`] means that it has no end; that one instant is in no
    /// interval.
    pub until: Timestamp,
}

impl Interval {
    /// The interval of all time.
    pub const ALL: Interval = Interval { from: Timestamp::MIN, until: Timestamp::MAX };

    /// `[from, until)`.
    pub const fn new(from: Timestamp, until: Timestamp) -> Interval {
        Interval { from, until }
    }

    /// From the first instant to the last, both included.
    pub const fn closed(first: Timestamp, last: Timestamp) -> Interval {
        Interval { from: first, until: last.next() }
    }

    /// Everything before `until`.
    pub const fn before(until: Timestamp) -> Interval {
        Interval { from: Timestamp::MIN, until }
    }

    /// The last instant, for conversion to a closed interval. It is meaningless for an empty interval.
    pub const fn last(self) -> Timestamp {
        self.until.previous()
    }

    /// Whether no instant is in it.
    pub fn is_empty(self) -> bool {
        self.until <= self.from
    }

    /// Whether the instant is in it.
    pub fn contains(self, at: Timestamp) -> bool {
        self.from <= at && at < self.until
    }

    /// The common part of both; it may be empty.
    pub fn overlap(self, other: Interval) -> Interval {
        Interval { from: self.from.max(other.from), until: self.until.min(other.until) }
    }

    /// Nanoseconds from the beginning to the end; 0 if the interval is empty.
    pub fn nanos(self) -> i64 {
        self.until.nanos_since(self.from).max(0)
    }

    /// The interval, divided at every multiple of `step` since 1970-01-01T00:00:00Z: hours and days of UTC. Oldest
    /// first; no piece is empty.
    pub fn pieces(self, step: std::time::Duration) -> impl Iterator<Item = Interval> {
        let mut from = self.from;
        std::iter::from_fn(move || {
            let end = from.floor(step).after(step).min(self.until);
            let piece = Interval { from, until: end };
            from = end;
            (!piece.is_empty()).then_some(piece)
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn interval(from: i64, until: i64) -> Interval {
        Interval::new(Timestamp::from_nanos(from), Timestamp::from_nanos(until))
    }

    #[test]
    fn an_interval_holds_its_beginning_and_not_its_end() {
        let of = interval(10, 20);
        assert!(of.contains(Timestamp::from_nanos(10)) && !of.contains(Timestamp::from_nanos(20)));
        assert_eq!(of, Interval::closed(Timestamp::from_nanos(10), Timestamp::from_nanos(19)));
        assert_eq!(of.last(), Timestamp::from_nanos(19));
        assert!(interval(5, 5).is_empty() && !of.is_empty());
        assert_eq!(of.overlap(interval(15, 30)), interval(15, 20));
        assert!(of.overlap(interval(20, 30)).is_empty());
    }

    #[test]
    fn pieces_cover_an_interval_once_and_end_at_multiples_of_their_step() {
        let step = Duration::from_nanos(10);
        let pieces: Vec<_> = interval(-13, 25).pieces(step).collect();
        assert_eq!(pieces, [interval(-13, -10), interval(-10, 0), interval(0, 10), interval(10, 20), interval(20, 25)]);
        assert_eq!(interval(10, 20).pieces(step).collect::<Vec<_>>(), [interval(10, 20)]);
        assert_eq!(interval(9, 9).pieces(step).count(), 0);
        assert_eq!(Interval::new(Timestamp::from_nanos(i64::MAX - 3), Timestamp::MAX).pieces(step).count(), 1);
    }
}
