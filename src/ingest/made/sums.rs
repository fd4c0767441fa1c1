//! Reads the rows of one window and aggregates them: the values, the number of samples of each, and the expected number.
//!
//! Only values count that were measured and did not fail. A column has no value in the window where the interval of the rows
//! does not divide it, or where its rows stand under headers that state what cannot be put together ([`super::under`]).

use std::time::Duration;

use super::under::Mixture;
use super::{Maker, Plan};
use crate::format::{numbers_of, texts_of};
use crate::qc::Flag;
use crate::quantity::{Made, Member, Shape, Turbulence, Window};
use crate::store::{Result, Sample, WindowInterval};
use crate::time::{Timestamp, nanos};

impl Maker<'_, '_> {
    /// Aggregates the rows of the window that ends at `end`.
    pub(super) fn sums(&self, plan: &Plan<'_>, series: i64, end: Timestamp) -> Result<Sums> {
        let has_headers = !plan.under.is_empty();
        let header = if has_headers { self.store.header_at_or_before(series, end)? } else { None };
        let under = plan.under(header);
        let mut mixture = Mixture::new(plan, header);
        let mut window = Window::new(&under.members);
        let mut row = Row { width: plan.width, suspects: self.of.suspects, ..Row::default() };
        let mut turbulence = plan.quick.as_ref().map(|quick| Turbulence::new(&quick.scans));
        let mut times: Vec<Timestamp> = Vec::new();
        let mut before: Option<(Timestamp, Row)> = None;
        if under.members.iter().any(Member::looks_back) {
            self.store.sample_at_or_before(series, plan.windows.begin(end), |sample| {
                let mut row = row.clone();
                row.read(sample);
                mixture.look_back(sample.header, &mut row.numbers);
                before = Some((sample.ts, row));
            })?;
        }
        // If a gap extends from before the window into it, what a counter counted in the gap may not belong to the
        // window.
        let begins = match &before {
            Some((at, _)) => {
                let next = self.store.first_row_after(series, *at)?;
                let interval = self.store.interval_of_window(series, (plan.windows, end), &[])?.interval;
                // What was counted since the very beginning of the window belongs to it.
                *at == plan.windows.begin(end)
                    || next
                        .zip(interval)
                        .is_some_and(|(next, interval)| next.nanos_since(*at) * 2 <= nanos(interval) * 3)
            }
            None => false,
        };
        if let Some((_, before)) = before.filter(|_| begins) {
            window.begin(&before);
        }
        self.store.samples_of_window(series, plan.windows, end, has_headers, |sample| {
            row.read(sample);
            mixture.add(sample.header, &mut row.numbers);
            window.add(&row);
            if let Some(turbulence) = &mut turbulence {
                turbulence.add(&row);
            }
            times.push(sample.ts);
        })?;
        let of_window = match &times[..] {
            [] => WindowInterval::default(),
            times => self.store.interval_of_window(series, (plan.windows, end), times)?,
        };
        // Looking at each of the rows is for windows that need it.
        let now = || plan.interval.filter(|interval| !of_window.is_contested && are_steps_of(*interval, &times));
        let interval = of_window.interval.or_else(now);
        let is_divided = interval.is_none_or(|interval| self.of.is_divided_by(interval));
        let every = plan.windows.every();
        let rows = |interval: i64| ((every + interval / 2) / interval.max(1)).max(1).unsigned_abs();
        let expected = interval.filter(|_| is_divided).map(|interval| rows(nanos(interval)));
        let has_value =
            |at: usize| is_divided && !under.lacks.contains(&at) && mixture.is_one(under.members[at].reads());
        let values = window.end().enumerate();
        let mut values: Vec<(Made, u32)> =
            values.map(|(at, (value, count))| (if has_value(at) { value } else { Made::Nothing }, count)).collect();
        if let (Some(turbulence), Some(quick)) = (&turbulence, &plan.quick) {
            let is_one = mixture.is_one(quick.scans.wind.iter().chain(&quick.scans.gases).copied());
            values.extend(quick.values.iter().map(|value| {
                let (value, count) = turbulence.value(*value, quick.pressure);
                (value.filter(|_| is_one && is_divided).map_or(Made::Nothing, Made::Number), count)
            }));
        }
        Ok(Sums {
            values,
            times: times.len(),
            expected,
            is_interval_unknown: interval.is_none() && !of_window.is_contested,
            may_change: of_window.may_change,
            header: under.header,
        })
    }
}

/// The aggregates of the rows of a window.
pub(super) struct Sums {
    pub(super) values: Vec<(Made, u32)>,
    /// The number of rows.
    pub(super) times: usize,
    /// The expected number of rows, if known.
    expected: Option<u64>,
    pub(super) is_interval_unknown: bool,
    /// Whether rows that are yet to come may show another interval.
    pub(super) may_change: bool,
    /// The header of the made row.
    pub(super) header: i64,
}

impl Sums {
    /// The share of the expected rows, in hundredths of a percent, rounded down.
    pub(super) fn coverage(&self, samples: u32) -> Option<u64> {
        self.expected.map(|expected| (u64::from(samples) * 10_000 / expected.max(1)).min(10_000))
    }
}

/// A row of the source, with the values that count.
#[derive(Debug, Clone, Default)]
struct Row {
    width: usize,
    suspects: bool,
    numbers: Vec<f64>,
    values: Vec<u8>,
    flags: Vec<u8>,
}

impl Row {
    fn read(&mut self, sample: Sample<'_>) {
        numbers_of(sample.values, self.width, &mut self.numbers);
        self.numbers.resize(self.width, f64::NAN);
        let suspects = self.suspects;
        // In nearly every row, all values count.
        let all_count = sample.flags.get(..self.width).is_some_and(|flags| {
            flags.iter().fold(true, |all, flag| all & (matches!(flag, b'1' | b'2') | (suspects & (*flag == b'3'))))
        });
        let mut has_text = false;
        if all_count {
            has_text = self.numbers.iter().any(|number| number.is_nan());
        } else {
            for (place, number) in self.numbers.iter_mut().enumerate() {
                if number.is_nan() {
                    has_text |= counts(sample.flags, place, suspects);
                } else if !counts(sample.flags, place, suspects) {
                    *number = f64::NAN;
                }
            }
        }
        self.values.clear();
        self.flags.clear();
        if has_text {
            self.values.extend_from_slice(sample.values);
            self.flags.extend_from_slice(sample.flags);
        }
    }
}

/// Whether a value counts: it is not missing and did not fail.
#[inline]
fn counts(flags: &[u8], place: usize, suspects: bool) -> bool {
    match flags.get(place).copied().and_then(Flag::from_digit) {
        Some(Flag::Pass | Flag::NotEvaluated) => true,
        Some(Flag::Suspect) => suspects,
        Some(Flag::Fail | Flag::Missing) | None => false,
    }
}

impl Shape for Row {
    #[inline]
    fn number(&self, place: usize) -> f64 {
        self.numbers.get(place).copied().unwrap_or(f64::NAN)
    }

    fn text(&self, place: usize) -> Option<String> {
        if !counts(&self.flags, place, self.suspects) {
            return None;
        }
        texts_of(std::str::from_utf8(&self.values).ok()?, &[place]).pop().flatten()
    }
}

/// Whether the rows may be some of those that come at this interval.
fn are_steps_of(interval: Duration, times: &[Timestamp]) -> bool {
    let interval = nanos(interval).max(1);
    times.windows(2).all(|pair| pair[1].nanos_since(pair[0]) % interval == 0)
}
