//! Despiking: flags a value whose double difference is far from those of the days around it, separately for day and
//! night.
//!
//! The double difference is d = (v - a) - (b - v) with the neighbours a and b. A value is a spike if d is outside Md ±
//! z MAD / 0.6745, where Md is the median of d and MAD the median of |d - Md|. Source: Papale et al. 2006
//! (doi:10.5194/bg-3-571-2006), in the form of ONEFlux `qc_auto/src/spike.c`; `docs/qc.md` lists the differences
//! between the published programs.
//!
//! It needs the next row and two weeks around the row, so new rows are not tested: [`spikes`] judges a block of days
//! when it is complete, and its flags are kept with the rows until the block is judged again.

use super::flag::Flag;
use super::keys::{Absent, Group, GroupKeys, Key, Kind, Problem};
use super::limits::short;
use super::registry::{About, ColumnTest, Seen};
use super::window::Reach;
use crate::quantity;
use crate::sun::{Position, Potential};
use crate::time::{LocalTime, StationClock, Timestamp};

pub(super) const ABOUT: About = About {
    name: "despike",
    summary: "a value that jumps away and back by far more than others of its two weeks, by day or by night",
    keys: "`despike`, with `latitude` and `longitude` of `[station]`; judged by `reflag --despike`",
    section: "Despiking",
    source: "Papale et al. 2006; ONEFlux `spike.c`",
};

/// The factor that makes a MAD the standard deviation of a normal distribution.
const NORMAL: f64 = 0.6745;
/// The least number of values of a class; fewer do not show what is usual (openeddy).
const LEAST: usize = 50;
const DAYS_OF_YEAR: u16 = 365;

/// When complete blocks are judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DespikeWhen {
    /// By `reflag --despike`.
    Asked,
    /// Also by the ingest that completes a block.
    Complete,
}

/// The settings of despiking.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Despike {
    /// The number of robust standard deviations from which on a value is a spike.
    pub z: f64,
    /// The number of days in a block.
    pub days: u16,
    /// When complete blocks are judged.
    pub when: DespikeWhen,
}

/// A block of days: its year, and its number in the year.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Block(i32, u16);

/// It is night if the potential radiation is at most this, W m-2 (ONEFlux).
const NIGHT: f64 = 12.0;

/// Distinguishes day from night.
#[derive(Debug, Clone)]
pub struct Daylight(Potential);

impl Daylight {
    /// For a position, with the standard time of a clock.
    pub fn new(position: Position, clock: StationClock) -> Daylight {
        Daylight(Potential::new(position, clock))
    }

    /// Whether the sun can have been up during the `interval` (nanoseconds) before a row.
    pub fn is_day(&mut self, row: Timestamp, interval: i64) -> bool {
        self.0.mean(row, interval) > NIGHT
    }
}

/// A value of a block, or the one directly before or after the block.
#[derive(Debug, Clone, Copy)]
pub struct Sample {
    /// The value; NaN if it is missing or failed.
    pub value: f64,
    /// Whether it is a value of the day.
    pub is_day: bool,
    /// Whether the previous sample is exactly one interval earlier.
    pub is_joined: bool,
    /// Whether it belongs to the block.
    pub belongs: bool,
}

/// A spike and the usual range.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spike {
    /// Its index among the samples.
    pub at: usize,
    difference: f64,
    usual: (f64, f64),
    is_day: bool,
}

impl Despike {
    /// Whether an ingest despikes complete blocks.
    pub fn is_done_when_complete(&self) -> bool {
        self.when == DespikeWhen::Complete
    }

    /// The block of a row, by the moment before its stamp: blocks begin on 1 January, and the last one of a year takes
    /// the remaining days.
    pub fn block(&self, stamp: LocalTime) -> Block {
        let measured = stamp.previous().calendar();
        let last = (DAYS_OF_YEAR / self.days).max(1) - 1;
        Block(measured.year, (measured.day_of_year.saturating_sub(1) / self.days).min(last))
    }

    /// The spikes of a block, in order of time.
    pub fn spikes(&self, kind: quantity::Kind, samples: &[Sample]) -> Vec<Spike> {
        let differences: Vec<f64> = (0..samples.len()).map(|at| difference(kind, samples, at)).collect();
        let mut found = Vec::new();
        for is_day in [true, false] {
            let of_class = |at: &usize| samples[*at].is_day == is_day && !differences[*at].is_nan();
            let places: Vec<usize> = (0..samples.len()).filter(of_class).collect();
            if places.len() < LEAST {
                continue;
            }
            let Some(usual) = usual(places.iter().map(|at| differences[*at]).collect(), self.z) else { continue };
            let spikes = places.into_iter().filter(|at| differences[*at] < usual.0 || differences[*at] > usual.1);
            found.extend(spikes.map(|at| Spike { at, difference: differences[at], usual, is_day }));
        }
        found.sort_by_key(|spike| spike.at);
        found
    }
}

impl Spike {
    /// Why the flag was raised.
    pub fn detail(&self, days: u16) -> String {
        let (low, high) = (short(self.usual.0), short(self.usual.1));
        let class = if self.is_day { "day" } else { "night" };
        format!("double difference {} outside {low} to {high}, usual by {class} in {days} days", short(self.difference))
    }
}

/// The double difference of a value of the block; NaN next to a gap.
fn difference(kind: quantity::Kind, samples: &[Sample], at: usize) -> f64 {
    let (Some(before), Some(after)) = (at.checked_sub(1).and_then(|before| samples.get(before)), samples.get(at + 1))
    else {
        return f64::NAN;
    };
    let own = &samples[at];
    if !own.belongs || !own.is_joined || !after.is_joined {
        return f64::NAN;
    }
    let value = own.value;
    (value - kind.beside(value, before.value)) - (kind.beside(value, after.value) - value)
}

/// The bounds of the usual differences; None if more than half of the differences are equal, because they show nothing
/// then.
fn usual(mut differences: Vec<f64>, z: f64) -> Option<(f64, f64)> {
    let middle = median(&mut differences)?;
    let mut apart: Vec<f64> = differences.iter().map(|difference| (difference - middle).abs()).collect();
    let reach = z * median(&mut apart)? / NORMAL;
    (reach > 0.0).then_some((middle - reach, middle + reach))
}

/// The median; the mean of the two middle values if their number is even.
fn median(values: &mut [f64]) -> Option<f64> {
    let middle = values.len() / 2;
    let is_even = values.len().is_multiple_of(2);
    if values.is_empty() {
        return None;
    }
    let (below, upper, _) = values.select_nth_unstable_by(middle, f64::total_cmp);
    let upper = *upper;
    let lower = below.iter().copied().max_by(f64::total_cmp).filter(|_| is_even);
    Some(lower.map_or(upper, |lower| f64::midpoint(lower, upper)))
}

impl ColumnTest for Despike {
    const KEYS: GroupKeys = GroupKeys {
        name: ABOUT.name,
        meaning: "against the jumps of two weeks, once they are complete: [despike](#despike); `{}` for the usual limits",
        example: "despike = { z = 5.5, days = 13 }",
        keys: &[
            Key::new("z", Kind::Positive, "a value is suspect beyond so many robust standard deviations", "z = 5.5")
                .or(Absent::Value("5.5")),
            Key::new(
                "days",
                Kind::Count { least: 1, most: 365, why: "a block is of one day to a year" },
                "days of a block; blocks begin on 1 January, and the last one of a year takes the rest",
                "days = 13",
            )
            .or(Absent::Value("13")),
            Key::new(
                "when",
                Kind::Word(&["asked", "complete"]),
                "`\"asked\"`: by `reflag --despike`; `\"complete\"`: also by the ingest that completes a block. Rows that become suspect are sent again",
                "when = \"complete\"",
            )
            .or(Absent::Value("\"asked\"")),
        ],
    };
    type State = ();

    fn read(group: &Group) -> Result<Despike, Problem> {
        Ok(Despike {
            z: group.number("z").unwrap_or(5.5),
            days: group.count("days").and_then(|days| u16::try_from(days).ok()).unwrap_or(13),
            when: if group.word("when") == Some("complete") { DespikeWhen::Complete } else { DespikeWhen::Asked },
        })
    }

    fn start(&self) {}

    /// A single row is not judged here.
    #[inline]
    fn judge(&self, (): &mut (), seen: &Seen<'_>, _: [Option<Reach>; 2]) -> Flag {
        if seen.value.is_nan() { Flag::Missing } else { Flag::NotEvaluated }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const X: [f64; 17] = [1.0, 1.2, 0.9, 1.1, 1.3, 1.0, 9.0, 1.1, 0.8, 1.2, 1.0, 1.4, 1.1, -6.0, 1.0, 1.2, 0.7];

    fn samples(values: &[f64]) -> Vec<Sample> {
        let sample = |&value: &f64| Sample { value, is_day: true, is_joined: true, belongs: true };
        values.iter().map(sample).collect()
    }

    /// Computed with numpy; pyjams `mad(deriv=2)` agrees.
    #[test]
    fn bounds_and_spikes_are_those_of_the_published_rule() {
        let samples = samples(&X);
        let all: Vec<f64> = (1..16).map(|at| difference(quantity::Kind::Linear, &samples, at)).collect();
        for (z, low, high, spikes) in [
            (4.0, -6.0234, 7.0234, vec![5, 6, 7, 13]),
            (5.5, -8.4696, 9.4696, vec![6, 13]),
            (7.0, -10.9159, 11.9159, vec![6, 13]),
        ] {
            let (found_low, found_high) = usual(all.clone(), z).unwrap();
            assert!((found_low - low).abs() < 5e-5 && (found_high - high).abs() < 5e-5, "{found_low} {found_high}");
            let found: Vec<usize> = (1..16).filter(|at| all[at - 1] < found_low || all[at - 1] > found_high).collect();
            assert_eq!(found, spikes, "z = {z}");
        }
        let mut differences = all;
        assert!((median(&mut differences).unwrap() - 0.5).abs() < 1e-12);
    }

    #[test]
    fn a_block_needs_neighbours_enough_values_and_some_spread() {
        let despike = Despike { z: 5.5, days: 13, when: DespikeWhen::Asked };
        let at = |samples: &[Sample]| -> Vec<usize> {
            despike.spikes(quantity::Kind::Linear, samples).iter().map(|spike| spike.at).collect()
        };
        let wave = |n: usize| -> Vec<f64> { (0..n).map(|at| ((at * 7) % 5) as f64 * 0.1).collect() };
        let mut values = wave(100);
        values[40] = 3.0;
        let mut block = samples(&values);
        assert_eq!(at(&block), [40]);
        assert!(at(&block[..51]).is_empty(), "49 double differences are too few");
        assert_eq!(at(&block[..52]), [40]);
        block[41].is_joined = false;
        assert!(at(&block).is_empty(), "behind it rows are missing");
        let mut other = samples(&values);
        other[40].belongs = false;
        assert!(!at(&other).contains(&40));
        let mut still = samples(&[1.0; 100]);
        still[40].value = 9.0;
        assert!(at(&still).is_empty(), "more than half of the differences are 0");
        // At night nothing changes as fast as by day: the same jump is usual only by day.
        let mut values: Vec<f64> =
            (0..200).map(|at| if at < 100 { ((at * 7) % 5) as f64 } else { ((at * 7) % 5) as f64 * 0.01 }).collect();
        values[50] += 4.0;
        values[150] += 4.0;
        values[99] = 0.0;
        let mut both = samples(&values);
        both.iter_mut().skip(100).for_each(|sample| sample.is_day = false);
        assert_eq!(at(&both), [149, 150, 151], "also its neighbours, which it is so far away from");
    }

    #[test]
    fn blocks_begin_on_the_first_of_january_and_the_last_takes_the_rest() {
        let despike = Despike { z: 5.5, days: 13, when: DespikeWhen::Asked };
        let block = |text: &str| despike.block(LocalTime::parse(text.as_bytes()).unwrap());
        assert_eq!(block("2026-01-01 00:30:00"), Block(2026, 0));
        assert_eq!(block("2026-01-14 00:00:00"), Block(2026, 0), "a stamp is the end of its interval");
        assert_eq!(block("2026-01-14 00:30:00"), Block(2026, 1));
        assert_eq!(block("2026-12-31 12:00:00"), Block(2026, 27));
        assert_eq!(block("2027-01-01 00:00:00"), Block(2026, 27));
        assert_eq!(block("2026-12-18 00:00:00"), Block(2026, 26), "27 of them are 351 days");
        assert_eq!(block("2026-12-18 00:30:00"), Block(2026, 27));
        let year = Despike { days: 365, ..despike };
        assert_eq!(year.block(LocalTime::parse(b"2028-12-31 12:00:00").unwrap()), Block(2028, 0));
    }
}
