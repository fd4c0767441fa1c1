//! Counts the half hours of one series, in the order of time. It keeps one open half hour, and counts for each month.

use std::time::Duration;

use super::{Share, Year, length};
use crate::export::HALF_HOUR;
use crate::qc::Flag;
use crate::time::{LocalTime, Timestamp};

/// The number of half hours in a day.
const DAY: i64 = 48;

/// The state of a value for the report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    Missing,
    Failed,
    Good,
}

impl State {
    /// The state of a cell with or without a value, by its flag. Only a failed value is not good.
    pub(super) fn of(is_value: bool, flag: Option<u8>) -> State {
        match flag.and_then(Flag::from_digit) {
            _ if !is_value => State::Missing,
            Some(Flag::Missing) => State::Missing,
            Some(Flag::Fail) => State::Failed,
            Some(Flag::Suspect | Flag::Pass | Flag::NotEvaluated) | None => State::Good,
        }
    }
}

/// The nanoseconds of the open half hour that a column's values cover.
#[derive(Debug, Clone, Copy, Default)]
struct Covered {
    present: i64,
    good: i64,
}

/// The month of a half hour, counted from January of year 0.
fn month_of(half_hour: i64) -> i64 {
    let calendar = LocalTime::from_nanos(half_hour.saturating_mul(HALF_HOUR)).calendar();
    i64::from(calendar.year) * 12 + i64::from(calendar.month) - 1
}

/// The half hours of a series. A half hour is identified by its number since 1970 in standard time.
pub(super) struct HalfHours {
    /// The offset of standard time, in nanoseconds.
    offset: i64,
    /// The rows of half hours before this one may have been pruned.
    pruned: i64,
    /// The first half hour of the report, and the first one after it.
    span: (i64, i64),
    /// The open half hour, in which rows are counted: those before it are decided.
    open: i64,
    /// Whether it has rows whose interval is not known.
    is_unsure: bool,
    covered: Vec<Covered>,
    /// The month of the first half hour of the report.
    first_month: i64,
    /// The counts by month, then by column.
    months: Vec<Vec<Share>>,
}

impl HalfHours {
    pub(super) fn new(columns: usize, offset: i64, pruned: Option<Timestamp>) -> HalfHours {
        let mut made = HalfHours {
            offset,
            pruned: i64::MIN,
            span: (0, 0),
            open: 0,
            is_unsure: false,
            covered: vec![Covered::default(); columns],
            first_month: 0,
            months: Vec::new(),
        };
        made.pruned = pruned.map_or(i64::MIN, |at| made.up_to(at));
        made
    }

    /// Sets the range: from the half hour of `first`, or from the beginning of its year, to those that begin before
    /// `until`.
    pub(super) fn set_span(&mut self, first: Timestamp, is_whole_year: bool, until: Timestamp) {
        let begin = if is_whole_year {
            let day = self.local(first).div_euclid(DAY * HALF_HOUR);
            let calendar = LocalTime::from_nanos(self.local(first)).calendar();
            (day - i64::from(calendar.day_of_year) + 1) * DAY
        } else {
            self.up_to(first)
        };
        self.span = (begin, self.up_to(until).max(begin));
        self.open = begin;
        self.first_month = month_of(begin);
        let mut at = begin;
        while at < self.span.1 {
            // Up to the next midnight, because a day is certain to be within one month.
            let next = ((at.div_euclid(DAY) + 1) * DAY).min(self.span.1);
            let half_hours = u64::try_from(next - at).unwrap_or(0);
            self.share_of(month_of(at)).iter_mut().for_each(|share| share.half_hours += half_hours);
            at = next;
        }
    }

    pub(super) fn columns(&self) -> usize {
        self.covered.len()
    }

    /// Standard time, in nanoseconds.
    fn local(&self, at: Timestamp) -> i64 {
        at.nanos().saturating_add(self.offset)
    }

    /// The first half hour that does not begin before this time.
    fn up_to(&self, at: Timestamp) -> i64 {
        let local = self.local(at);
        local.div_euclid(HALF_HOUR) + i64::from(local.rem_euclid(HALF_HOUR) > 0)
    }

    fn share_of(&mut self, month: i64) -> &mut Vec<Share> {
        let at = usize::try_from(month - self.first_month).unwrap_or(0);
        if self.months.len() <= at {
            self.months.resize(at + 1, vec![Share::default(); self.covered.len()]);
        }
        &mut self.months[at]
    }

    /// Adds a row, later than every earlier one.
    pub(super) fn take(
        &mut self,
        at: Timestamp,
        before: Option<Timestamp>,
        interval: Option<Duration>,
        states: &[State],
    ) {
        let to = self.local(at);
        let before = before.map_or(i64::MIN, |before| self.local(before));
        let from = match interval {
            Some(interval) => to.saturating_sub(length(interval)).max(before),
            None if before == i64::MIN => to - 1,
            None => before,
        };
        let (from, to) = (from.max(self.span.0 * HALF_HOUR), to.min(self.span.1.saturating_mul(HALF_HOUR)));
        let mut from = from;
        while from < to {
            let half_hour = from.div_euclid(HALF_HOUR);
            self.decide_before(half_hour);
            let end = to.min((half_hour + 1) * HALF_HOUR);
            self.is_unsure |= interval.is_none();
            let time = if interval.is_some() { end - from } else { 0 };
            for (covered, state) in self.covered.iter_mut().zip(states) {
                covered.present += if *state == State::Missing { 0 } else { time };
                covered.good += if *state == State::Good { time } else { 0 };
            }
            from = end;
        }
    }

    /// Adds the counts of a piece of one half hour that begins at `begin`.
    pub(super) fn take_counts(&mut self, begin: Timestamp, interval: Option<Duration>, counts: &[(u32, u32)]) {
        let half_hour = self.local(begin).div_euclid(HALF_HOUR);
        if half_hour < self.span.0 || half_hour >= self.span.1 {
            return;
        }
        self.decide_before(half_hour);
        self.is_unsure |= interval.is_none();
        let length = interval.map_or(0, length);
        for (covered, (present, good)) in self.covered.iter_mut().zip(counts) {
            covered.present += length.saturating_mul(i64::from(*present));
            covered.good += length.saturating_mul(i64::from(*good));
        }
    }

    /// Decides the open half hour and those after it, up to this one, which becomes the open one.
    fn decide_before(&mut self, half_hour: i64) {
        while self.open < half_hour {
            let has_rows = self.is_unsure || self.covered.iter().any(|covered| covered.present > 0);
            let is_unknown = self.is_unsure || self.open < self.pruned;
            if has_rows || is_unknown {
                let covered = std::mem::take(&mut self.covered);
                self.covered = vec![Covered::default(); covered.len()];
                let shares = self.share_of(month_of(self.open));
                for (share, covered) in shares.iter_mut().zip(&covered) {
                    let (present, good) = (covered.present * 2 >= HALF_HOUR, covered.good * 2 >= HALF_HOUR);
                    share.present += u64::from(present);
                    share.good += u64::from(good);
                    share.unknown += u64::from(is_unknown && !(present && good));
                }
                self.is_unsure = false;
                self.open += 1;
            } else {
                // Neither this half hour nor those after it have any values.
                self.open = half_hour;
            }
        }
    }

    /// The years of each column.
    pub(super) fn finish(mut self) -> Vec<Vec<Year>> {
        self.decide_before(self.span.1);
        let mut found: Vec<Vec<Year>> = vec![Vec::new(); self.covered.len()];
        for (month, shares) in (self.first_month..).zip(&self.months) {
            let year = i32::try_from(month.div_euclid(12)).unwrap_or(0);
            let number = u16::try_from(month.rem_euclid(12) + 1).unwrap_or(1);
            for (years, share) in found.iter_mut().zip(shares) {
                if years.last().is_none_or(|last| last.year != year) {
                    years.push(Year { year, share: Share::default(), months: Vec::new() });
                }
                if let Some(last) = years.last_mut() {
                    last.share.add(*share);
                    last.months.push((number, *share));
                }
            }
        }
        found
    }
}
