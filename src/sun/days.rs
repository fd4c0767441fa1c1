//! What the light of many days says about a radiometer and its clock.
//!
//! One value proves little; a month of days does. A day is judged only where nine tenths of it are there, and its light is
//! held against [`Potential`] at the same times, so that what is missing is missing on both sides. Three faults show:
//! the light's centroid is late or early day after day, the sensor gives no light by day, or light by night. Too few days
//! that can be judged say nothing, which is neither a fault nor its absence.
//!
//! A clock is found by two witnesses that have to agree, because a ridge or a mast moves the centroid too: the centroid of
//! clear days (as solar-data-tools takes the energy's centre of mass; here on the circle of the day, so that light behind
//! midnight counts), and the lag of AmeriFlux's alignment test (`alignment`). Sources of the limits stand beside them.

use std::f64::consts::TAU;
use std::time::Duration;

use super::alignment::{Alignment, Window, align};
use super::{Position, Potential};
use crate::time::{NANOS_PER_SECOND, StationClock, Timestamp, nanos};

const DAY_S: i64 = 86_400;
const MINUTES_OF_DAY: f64 = 1_440.0;
const DAY: Duration = Duration::from_secs(86_400);
const HALF_HOUR: Duration = Duration::from_secs(1_800);
/// Of a day's values, for it to be judged.
const COVERAGE: f64 = 0.9;
/// A day is clear where its light is so much of that of a clear sky: in summer half of the potential, where the centroid of one
/// day under broken clouds has a standard deviation of 18 minutes; diive's `DetectTimestampShifts` takes 0.6 of the potential and
/// 90 % of the records. By the potential alone no day of a winter at 45 degrees is clear, for the way through the air is long.
const CLEAR: f64 = 0.7;
/// No sky gives more (pvanalytics takes days up to 1.25 of clear sky): such a day is no clear one, but a wrong sensor.
const TOO_CLEAR: f64 = 1.25;
/// Of Haurwitz' clear sky (1945): W m-2 at the zenith, and the weakening there.
const HAURWITZ: (f64, f64) = (1_098.0, 0.059);
const SOLAR_CONSTANT: f64 = 1_376.0;
/// A day has sun enough where the potential rises above this, W m-2 (ONEFlux's threshold of a day's rule).
const SUNNY: f64 = 200.0;
/// Clear days of which the median is taken: its standard deviation is then 6 minutes, its largest error 20.
const CLEAR_DAYS: usize = 7;
/// Clear days before a change, for it to be one: the centroid of a single day wavers.
const DAYS_BEFORE: usize = 3;
/// Minutes from which a clock is said to be wrong; less than half an hour, so that one that is off by exactly that is not said to
/// be right and wrong by turns.
const SHIFTED: f64 = 25.0;
/// The two witnesses may differ by one step of the alignment, minutes, and a little noise.
const AGREE: f64 = 40.0;
/// Correlation below which AmeriFlux finds no lag.
const CORRELATED: f64 = 0.4;
/// A sensor is dead where its day's light is less of the potential: the lowest 2.5 % of US-UMB's half hours have 0.9 %.
const DEAD: f64 = 0.01;
/// Days in a row for which it is.
const DEAD_DAYS: usize = 2;
/// Light at night, W m-2 (AmeriFlux's alignment test); 2.5 to 97.5 % of US-UMB's nights lie between -3.9 and 7.0.
const NIGHT_LIGHT: f64 = 10.0;
/// Nights in a row that have it.
const NIGHTS: usize = 3;
/// A night is judged from so long on: in a short one twilight counts.
const LEAST_NIGHT: Duration = Duration::from_secs(5_400);
/// Of the window of AmeriFlux's alignment test.
const WINDOW_DAYS: usize = 15;

/// A value of light at the end of its interval.
#[derive(Debug, Clone, Copy)]
pub struct Sample {
    /// End of the interval.
    pub end: Timestamp,
    /// W m-2; NaN where there is none.
    pub watts: f64,
}

/// How the samples of a column lie.
#[derive(Debug, Clone, Copy)]
pub struct Grid {
    /// Where.
    pub position: Position,
    /// Whose standard time cuts the minutes of the potential.
    pub clock: StationClock,
    /// Over what time a value is a mean; zero for a sample.
    pub interval: Duration,
    /// From sample to sample.
    pub step: Duration,
}

/// A day from one mean solar midnight to the next.
#[derive(Debug, Clone, PartialEq)]
pub struct Day {
    /// Its first instant.
    pub begin: Timestamp,
    /// Whether nine tenths of it are there.
    is_whole: bool,
    /// The light, as a part of that of a clear sky; none on a day without sun enough.
    pub(super) share: Option<f64>,
    /// As a part of the potential the light above that of the night, where the night is known: a dead sensor may have an offset.
    above_night: Option<f64>,
    /// Minutes by which the centroid of the light is later than the sun's; none of a day without light.
    pub(super) shift: Option<f64>,
    /// Median light of its dark hours, W m-2; none where they are too few.
    night: Option<f64>,
    /// Mean light and potential of each part of the day, for the alignment.
    parts: Vec<[f64; 2]>,
}

impl Day {
    pub(super) fn is_clear(&self) -> bool {
        self.is_whole && self.share.is_some_and(|share| (CLEAR..=TOO_CLEAR).contains(&share))
    }

    fn is_dark(&self) -> Option<bool> {
        self.above_night.filter(|_| self.is_whole).map(|share| share.abs() < DEAD)
    }

    fn is_lit_at_night(&self) -> Option<bool> {
        self.night.map(|night| night > NIGHT_LIGHT)
    }
}

/// Since when something is so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Since {
    /// The first day of it, at the sun's noon.
    pub noon: Timestamp,
    /// Whether it is the first day looked at too: it may be so for longer.
    pub is_open: bool,
}

/// A clock that is not the sun's.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Late {
    /// Minutes by which the light is late; negative where it is early. The median of the newest clear days.
    pub minutes: f64,
    /// Since when.
    pub since: Since,
    /// What AmeriFlux's test says of the same days.
    pub alignment: Alignment,
}

/// What the days say.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Said {
    /// The clock.
    pub late: Option<Late>,
    /// Days without light.
    pub dark: Option<Since>,
    /// Median of the newest nights with light, W m-2, and since when they have it.
    pub lit_nights: Option<(f64, Since)>,
}

impl Said {
    /// Whether older days can tell more about the beginning of something.
    pub fn is_open(&self) -> bool {
        let late = self.late.map(|late| late.since);
        [late, self.dark, self.lit_nights.map(|(_, since)| since)].into_iter().flatten().any(|since| since.is_open)
    }
}

/// The begin of the solar day that holds an instant.
pub fn begin_of_day(longitude: f64, at: Timestamp) -> Timestamp {
    let east = east(longitude);
    at.plus(east).floor(DAY).minus(east)
}

/// By how much mean solar time is ahead of UTC, in nanoseconds; whole seconds.
#[allow(clippy::cast_possible_truncation, reason = "at most half a day in seconds")]
fn east(longitude: f64) -> i64 {
    (longitude * 240.0).round() as i64 * NANOS_PER_SECOND
}

/// The day that begins at `begin`, from its samples in order of time.
#[allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "nanoseconds and parts of a day, and counts; a negative part is the first"
)]
pub fn day(grid: &Grid, sun: &mut Potential, begin: Timestamp, samples: &[Sample]) -> Day {
    let (span, half) = (nanos(grid.interval), nanos(HALF_HOUR));
    let per_day = DAY_S as f64 / grid.step.as_secs_f64();
    let part_s = grid.step.max(HALF_HOUR).as_secs_f64();
    let parts = (DAY_S as f64 / part_s) as usize;
    let mut of_parts = vec![([0.0; 2], 0.0); parts];
    let (mut light, mut potential, mut clear, mut highest) = (0.0, 0.0, 0.0, 0.0_f64);
    let (mut of_light, mut of_sun) = ([0.0; 2], [0.0; 2]);
    let mut night = Vec::new();
    let mut count = 0_u32;
    for sample in samples.iter().filter(|sample| !sample.watts.is_nan()) {
        count += 1;
        let possible = sun.mean(sample.end, span);
        light += sample.watts;
        potential += possible;
        clear += clear_sky(possible);
        highest = highest.max(possible);
        let middle_s = sample.end.minus(span / 2).nanos_since(begin) as f64 / 1e9;
        let (sin, cos) = (TAU * middle_s / DAY_S as f64).sin_cos();
        for (sum, value) in [(&mut of_light, sample.watts), (&mut of_sun, possible)] {
            sum[0] += value * cos;
            sum[1] += value * sin;
        }
        // A sample on the midnight that ends the day is as much that of the one that begins it.
        if let Some((sums, number)) = of_parts.get_mut((middle_s / part_s) as usize % parts.max(1)) {
            sums[0] += sample.watts;
            sums[1] += possible;
            *number += 1.0;
        }
        // Half an hour around it counts too: twilight is no night.
        if possible == 0.0 && sun.most(sample.end.plus(half), span + 2 * half) == 0.0 {
            night.push(sample.watts);
        }
    }
    let is_long = grid.step.as_secs_f64() * night.len() as f64 >= LEAST_NIGHT.as_secs_f64();
    let phase = |sum: [f64; 2]| sum[1].atan2(sum[0]);
    let apart = (phase(of_light) - phase(of_sun)).rem_euclid(TAU);
    let minutes = (if apart > TAU / 2.0 { apart - TAU } else { apart }) / TAU * 1_440.0;
    let night = if is_long { median(&mut night) } else { None };
    let is_sunny = highest > SUNNY;
    Day {
        begin,
        is_whole: f64::from(count) >= COVERAGE * per_day,
        share: is_sunny.then(|| light / clear),
        above_night: is_sunny.then(|| (light - night.unwrap_or(0.0) * f64::from(count)) / potential),
        shift: (light > 0.0 && potential > 0.0).then_some(minutes),
        night,
        parts: of_parts.into_iter().map(|(sums, number)| sums.map(|sum| sum / number)).collect(),
    }
}

/// Light of a clear sky by the potential radiation, W m-2.
fn clear_sky(potential: f64) -> f64 {
    if potential <= 0.0 {
        return 0.0;
    }
    let sine = potential / SOLAR_CONSTANT;
    HAURWITZ.0 * sine * (-HAURWITZ.1 / sine).exp()
}

/// What days, oldest first, say together.
pub fn said(days: &[Day]) -> Said {
    let late = late(days);
    let lit_nights = run(days, NIGHTS, Day::is_lit_at_night).map(|(nights, since)| {
        let mut newest: Vec<f64> = nights.iter().rev().filter_map(|day| day.night).take(NIGHTS).collect();
        (median(&mut newest).unwrap_or(0.0), since)
    });
    // A clock that is hours off brings the day's light into the night. A sensor that died since gives none at all.
    let has_light = |day: &Day| day.is_clear() || day.is_lit_at_night() == Some(true);
    let dark = run(days, DEAD_DAYS, Day::is_dark).filter(|(dark, _)| late.is_none() || !dark.iter().any(has_light));
    Said { dark: dark.map(|(_, since)| since), lit_nights: lit_nights.filter(|_| late.is_none()), late }
}

/// The newest days that are so without one between that is not; those that cannot be judged are passed over.
fn run(days: &[Day], least: usize, is_so: fn(&Day) -> Option<bool>) -> Option<(&[Day], Since)> {
    let judged = || days.iter().enumerate().rev().filter_map(|(place, day)| Some((place, is_so(day)?)));
    let run = judged().take_while(|(_, is_so)| *is_so);
    let (first, count) = run.fold((days.len(), 0), |(_, count), (place, _)| (place, count + 1));
    let is_open = judged().all(|(_, is_so)| is_so);
    let since = Since { noon: noon(days.get(first)?), is_open };
    (count >= least).then_some((&days[first..], since))
}

fn noon(day: &Day) -> Timestamp {
    day.begin.after(DAY / 2)
}

fn late(days: &[Day]) -> Option<Late> {
    let clear: Vec<(usize, f64)> = days
        .iter()
        .enumerate()
        .filter(|(_, day)| day.is_clear())
        .filter_map(|(place, day)| Some((place, day.shift?)))
        .collect();
    let newest = &clear[clear.len().checked_sub(CLEAR_DAYS)?..];
    // Around one of them, for a clock that is off by half a day is late and early.
    let (_, around) = *newest.first()?;
    let minutes =
        turned(median(&mut newest.iter().map(|(_, shift)| turned(shift - around)).collect::<Vec<_>>())? + around);
    if minutes.abs() < SHIFTED {
        return None;
    }
    let shifts: Vec<f64> = clear.iter().map(|(_, shift)| *shift).collect();
    let first = change(&shifts, minutes);
    let shifted = days.get(clear.get(first)?.0..)?;
    // The day of the change has both clocks, where there is a change.
    let alignment = align(&windows(shifted.get(usize::from(first > 0)..)?))?;
    let agrees = turned(alignment.minutes() - minutes).abs() <= AGREE && alignment.correlation >= CORRELATED;
    if !agrees || alignment.lag == 0 {
        return None;
    }
    let since = Since { noon: noon(shifted.first()?), is_open: first < DAYS_BEFORE };
    Some(Late { minutes, since, alignment })
}

/// Minutes on the circle of the day, -720 to 720.
fn turned(minutes: f64) -> f64 {
    (minutes + MINUTES_OF_DAY / 2.0).rem_euclid(MINUTES_OF_DAY) - MINUTES_OF_DAY / 2.0
}

/// From which of the shifts on they are about `level` and no longer about 0: where the sum of the distances is least.
fn change(shifts: &[f64], level: f64) -> usize {
    let apart = |shift: f64| turned(shift - level).abs();
    let mut cost: f64 = shifts.iter().map(|shift| apart(*shift)).sum();
    let mut best = (cost, 0);
    for (place, shift) in shifts.iter().enumerate() {
        cost += shift.abs() - apart(*shift);
        if cost < best.0 {
            best = (cost, place + 1);
        }
    }
    best.1.min(shifts.len().saturating_sub(1))
}

/// The largest light and potential of each part of the day, by fifteen days from the newest back. A rest is left out where
/// there are fifteen days.
pub(super) fn windows(days: &[Day]) -> Vec<Window> {
    let whole: Vec<&Day> = days.iter().filter(|day| day.is_whole).collect();
    let largest = |days: &[&Day]| {
        let parts = days.first().map_or(0, |day| day.parts.len());
        let of = |part: usize, side: usize| {
            let values = days.iter().filter_map(|day| day.parts.get(part).map(|sides| sides[side]));
            values.fold(f64::NAN, f64::max)
        };
        Window {
            light: (0..parts).map(|part| of(part, 0)).collect(),
            potential: (0..parts).map(|part| of(part, 1)).collect(),
        }
    };
    let least = whole.len().min(WINDOW_DAYS);
    whole.rchunks(WINDOW_DAYS).filter(|days| days.len() >= least).map(largest).collect()
}

fn median(values: &mut [f64]) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    let upper = *values.get(middle)?;
    Some(if values.len() % 2 == 1 { upper } else { (values.get(middle.checked_sub(1)?)? + upper) / 2.0 })
}
