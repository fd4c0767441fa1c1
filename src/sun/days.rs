//! Finds faults of a radiometer and of its clock in the light of many days.
//!
//! One value proves little; a month of days does. A day is judged only if nine tenths of its values exist, and its
//! light is compared with [`Potential`] at the same times, so that missing values are missing in both. Three faults are
//! found: the light's centroid is late or early day after day; the sensor gives no light by day; it gives light by
//! night. If too few days can be judged, the result is neither a fault nor its absence.
//!
//! A wrong clock is reported only if two methods agree, because a ridge or a mast moves the centroid too: the centroid
//! of clear days (solar-data-tools uses the energy's centre of mass; here it is computed on the circle of the day, so
//! that light after midnight counts), and the lag of AmeriFlux's alignment test (`alignment`). The sources of the
//! limits are beside them.

use std::f64::consts::TAU;
use std::time::Duration;

use super::alignment::{Alignment, Window, align};
use super::{Position, Potential};
use crate::time::{NANOS_PER_SECOND, StationClock, Timestamp, nanos};

const DAY_S: i64 = 86_400;
const MINUTES_OF_DAY: f64 = 1_440.0;
const DAY: Duration = Duration::from_secs(86_400);
const HALF_HOUR: Duration = Duration::from_secs(1_800);
/// The share of a day's values that is required to judge it.
const COVERAGE: f64 = 0.9;
/// A day is clear if its light is at least this share of that of a clear sky. In summer this is half of the potential,
/// for which the centroid of one day under broken clouds has a standard deviation of 18 minutes; diive's
/// `DetectTimestampShifts` requires 0.6 of the potential and 90 % of the records. By the potential alone no winter day
/// at 45 degrees would be clear, because the path through the air is long.
const CLEAR: f64 = 0.7;
/// No sky gives more light than this share (pvanalytics accepts days up to 1.25 of clear sky): such a day is not clear,
/// but its sensor is wrong.
const TOO_CLEAR: f64 = 1.25;
/// Haurwitz' clear sky (1945): W m-2 at the zenith, and the attenuation there.
const HAURWITZ: (f64, f64) = (1_098.0, 0.059);
const SOLAR_CONSTANT: f64 = 1_376.0;
/// A day has enough sun if the potential exceeds this, W m-2 (ONEFlux's threshold for a rule about days).
const SUNNY: f64 = 200.0;
/// The number of clear days for the median: its standard deviation is then 6 minutes, its largest error 20.
const CLEAR_DAYS: usize = 7;
/// The number of clear days that are required before a change, because the centroid of a single day is uncertain.
const DAYS_BEFORE: usize = 3;
/// The minutes from which a clock is reported as wrong. It is less than half an hour, so that a clock that is off by
/// exactly half an hour is not reported as right and wrong in turn.
const SHIFTED: f64 = 25.0;
/// The two methods may differ by one step of the alignment and a little noise, in minutes.
const AGREE: f64 = 40.0;
/// The correlation below which AmeriFlux finds no lag.
const CORRELATED: f64 = 0.4;
/// A sensor is dead if its light of a day is below this share of the potential: the lowest 2.5 % of US-UMB's half hours
/// have 0.9 %.
const DEAD: f64 = 0.01;
/// The number of consecutive days that are required for a dead sensor.
const DEAD_DAYS: usize = 2;
/// The limit of light at night, W m-2 (AmeriFlux's alignment test); 2.5 to 97.5 % of US-UMB's nights are between -3.9
/// and 7.0.
const NIGHT_LIGHT: f64 = 10.0;
/// The number of consecutive nights with light that are required.
const NIGHTS: usize = 3;
/// The shortest night that is judged: in a shorter one twilight contributes.
const LEAST_NIGHT: Duration = Duration::from_secs(5_400);
/// The number of days in a window of AmeriFlux's alignment test.
const WINDOW_DAYS: usize = 15;

/// A value of light, stamped with the end of its interval.
#[derive(Debug, Clone, Copy)]
pub struct Sample {
    /// End of the interval.
    pub end: Timestamp,
    /// The light in W m-2; NaN if there is none.
    pub watts: f64,
}

/// The times of a column's samples.
#[derive(Debug, Clone, Copy)]
pub struct Grid {
    /// The position of the station.
    pub position: Position,
    /// The clock whose standard time defines the minutes of the potential.
    pub clock: StationClock,
    /// The time over which a value is a mean; zero for a sample.
    pub interval: Duration,
    /// The time from sample to sample.
    pub step: Duration,
}

/// A day from one mean solar midnight to the next.
#[derive(Debug, Clone, PartialEq)]
pub struct Day {
    /// Its first instant.
    pub begin: Timestamp,
    /// Whether nine tenths of its values exist.
    is_whole: bool,
    /// The light as a share of that of a clear sky; None for a day without enough sun.
    pub(super) share: Option<f64>,
    /// The light above that of the night, as a share of the potential, if the night is known: a dead sensor may have an
    /// offset.
    above_night: Option<f64>,
    /// The minutes by which the centroid of the light is later than the sun's; None for a day without light.
    pub(super) shift: Option<f64>,
    /// The median light of its dark hours, W m-2; None if they are too few.
    night: Option<f64>,
    /// The mean light and potential of each part of the day, for the alignment test.
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

/// When a fault began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Since {
    /// Solar noon of its first day.
    pub noon: Timestamp,
    /// Whether it is also the first day that was examined: the fault may have begun earlier.
    pub is_open: bool,
}

/// A clock that does not agree with the sun.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Late {
    /// The minutes by which the light is late; negative if it is early. It is the median of the newest clear days.
    pub minutes: f64,
    /// Since when.
    pub since: Since,
    /// The result of AmeriFlux's test for the same days.
    pub alignment: Alignment,
}

/// The faults found in the days.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Said {
    /// A wrong clock.
    pub late: Option<Late>,
    /// Days without light.
    pub dark: Option<Since>,
    /// The median light of the newest nights with light, W m-2, and since when nights have light.
    pub lit_nights: Option<(f64, Since)>,
}

impl Said {
    /// Whether older days could show when a fault began.
    pub fn is_open(&self) -> bool {
        let late = self.late.map(|late| late.since);
        [late, self.dark, self.lit_nights.map(|(_, since)| since)].into_iter().flatten().any(|since| since.is_open)
    }
}

/// The beginning of the solar day that contains an instant.
pub fn begin_of_day(longitude: f64, at: Timestamp) -> Timestamp {
    let east = east(longitude);
    at.plus(east).floor(DAY).minus(east)
}

/// By how much mean solar time is ahead of UTC, in nanoseconds; a whole number of seconds.
#[allow(clippy::cast_possible_truncation, reason = "at most half a day in seconds")]
fn east(longitude: f64) -> i64 {
    (longitude * 240.0).round() as i64 * NANOS_PER_SECOND
}

/// The day that begins at `begin`, from its samples in the order of time.
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
        // A sample at the midnight that ends the day is counted as one at the midnight that begins it.
        if let Some((sums, number)) = of_parts.get_mut((middle_s / part_s) as usize % parts.max(1)) {
            sums[0] += sample.watts;
            sums[1] += possible;
            *number += 1.0;
        }
        // The half hours before and after must be dark too, because twilight is not night.
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

/// The light of a clear sky, W m-2, computed from the potential radiation.
fn clear_sky(potential: f64) -> f64 {
    if potential <= 0.0 {
        return 0.0;
    }
    let sine = potential / SOLAR_CONSTANT;
    HAURWITZ.0 * sine * (-HAURWITZ.1 / sine).exp()
}

/// Finds the faults in these days, which are given oldest first.
pub fn said(days: &[Day]) -> Said {
    let late = late(days);
    let lit_nights = run(days, NIGHTS, Day::is_lit_at_night).map(|(nights, since)| {
        let mut newest: Vec<f64> = nights.iter().rev().filter_map(|day| day.night).take(NIGHTS).collect();
        (median(&mut newest).unwrap_or(0.0), since)
    });
    // A clock that is off by hours moves the day's light into the night. A sensor that has died since gives no light at
    // all.
    let has_light = |day: &Day| day.is_clear() || day.is_lit_at_night() == Some(true);
    let dark = run(days, DEAD_DAYS, Day::is_dark).filter(|(dark, _)| late.is_none() || !dark.iter().any(has_light));
    Said { dark: dark.map(|(_, since)| since), lit_nights: lit_nights.filter(|_| late.is_none()), late }
}

/// The newest days that have a fault, up to the newest one without it; days that cannot be judged are skipped.
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
    // Relative to one of them, because a clock that is off by half a day is both late and early.
    let (_, around) = *newest.first()?;
    let minutes =
        turned(median(&mut newest.iter().map(|(_, shift)| turned(shift - around)).collect::<Vec<_>>())? + around);
    if minutes.abs() < SHIFTED {
        return None;
    }
    let shifts: Vec<f64> = clear.iter().map(|(_, shift)| *shift).collect();
    let first = change(&shifts, minutes);
    let shifted = days.get(clear.get(first)?.0..)?;
    // The day of the change, if there is one, has both clock settings.
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

/// The index from which the shifts are about `level` and no longer about 0: where the sum of the absolute differences
/// is smallest.
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

/// The largest light and potential of each part of the day, for windows of fifteen days counted back from the newest
/// day. An incomplete window is left out if there is a complete one.
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
