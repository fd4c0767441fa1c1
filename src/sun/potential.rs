//! Computes potential radiation minute by minute.
//!
//! Values for a whole day are computed once per day, and the cosine of each minute once per run, so a row costs a few
//! multiplications. Declination and distance are those of the whole day: ONEFlux passes its day of the year with a
//! fraction to a parameter that is a whole number (`get_daily_rpot`).

use std::sync::LazyLock;

use super::{Position, solar_noon};
use crate::time::{LocalTime, NANOS_PER_SECOND, StationClock, Timestamp};

/// The minutes of a day.
const MINUTES: usize = 1_440;
const NANOS_OF_MINUTE: i64 = 60 * NANOS_PER_SECOND;
const NANOS_OF_DAY: i64 = 86_400 * NANOS_PER_SECOND;
/// The solar constant, W m-2, as in ONEFlux.
const SOLAR_CONSTANT: f64 = 1_376.0;
const DAYS_OF_YEAR: f64 = 365.0;
/// The number of cached days. A table needs the present day and the previous one, and the history of a test another
/// one.
const DAYS_KEPT: usize = 3;

/// The cosine of the hour angle at each minute, with noon at 12:00.
static COSINES: LazyLock<Vec<f64>> = LazyLock::new(|| {
    let cosine = |minute: u32| ((f64::from(minute) / 60.0 - 12.0) * 15.0).to_radians().cos();
    (0..1_440).map(cosine).collect()
});

/// A day of standard time.
#[derive(Debug, Clone)]
struct Day {
    /// The day's number since 1970-01-01 in standard time.
    number: i64,
    /// The offset of standard time from UTC, seconds.
    offset_s: i64,
    /// The solar constant times the distance factor times the sines of latitude and declination, W m-2.
    level: f64,
    /// The same with the cosines.
    swing: f64,
    /// The minutes by which solar noon is later than 12:00, 0 to 1439.
    shift: usize,
}

impl Day {
    /// The potential radiation of a minute, W m-2.
    fn minute(&self, minute: usize) -> f64 {
        let cosine = COSINES.get((minute + MINUTES - self.shift) % MINUTES).copied().unwrap_or(0.0);
        (self.level + self.swing * cosine).max(0.0)
    }
}

/// The potential radiation at a station. A day is computed at its first use, and the last few days are kept.
#[derive(Debug, Clone)]
pub struct Potential {
    position: Position,
    clock: StationClock,
    /// The cached days; the last one used is the first.
    days: Vec<Day>,
}

impl Potential {
    /// For a position, in the standard time of a clock.
    pub fn new(position: Position, clock: StationClock) -> Potential {
        Potential { position, clock, days: Vec::new() }
    }

    /// The mean over `[end - span, end)`, W m-2; that of the last minute if `span` is 0. ONEFlux's half hour has 30
    /// whole minutes. A span of more than a day counts as a day.
    pub fn mean(&mut self, end: Timestamp, span_nanos: i64) -> f64 {
        let (mut sum, mut length) = (0.0, 0.0);
        self.back(end, span_nanos, |value, nanos| {
            sum += value * nanos;
            length += nanos;
        });
        sum / length
    }

    /// The largest mean over `[end - part, end)` for any part of the span: a value that a logger stores at `end` cannot
    /// have had more sun, over whatever part of the time since the previous row it was averaged.
    pub fn most(&mut self, end: Timestamp, span_nanos: i64) -> f64 {
        let (mut sum, mut length, mut most) = (0.0, 0.0, 0.0_f64);
        self.back(end, span_nanos, |value, nanos| {
            sum += value * nanos;
            length += nanos;
            most = most.max(sum / length);
        });
        most
    }

    /// Passes the value and the length of every minute, or part of one, to `take`, from the end of the span back to its
    /// beginning.
    #[allow(clippy::cast_precision_loss, reason = "nanoseconds of a minute")]
    fn back(&mut self, end: Timestamp, span_nanos: i64, mut take: impl FnMut(f64, f64)) {
        let offset_s = i64::from(self.clock.standard_offset(end).local_minus_utc());
        let end = end.plus(offset_s * NANOS_PER_SECOND).nanos();
        let begin = end.saturating_sub(span_nanos.clamp(1, NANOS_OF_DAY));
        let mut at = end;
        while at > begin {
            let last = at - 1;
            let number = last.div_euclid(NANOS_OF_DAY);
            let midnight = number * NANOS_OF_DAY;
            let day = self.day(number, offset_s);
            let day_begin = begin.max(midnight);
            while at > day_begin {
                let minute = (at - 1 - midnight) / NANOS_OF_MINUTE;
                let from = day_begin.max(midnight + minute * NANOS_OF_MINUTE);
                take(day.minute(usize::try_from(minute).unwrap_or(0)), (at - from) as f64);
                at = from;
            }
        }
    }

    fn day(&mut self, number: i64, offset_s: i64) -> &Day {
        let known = self.days.iter().position(|day| day.number == number && day.offset_s == offset_s);
        match known {
            Some(0) => {}
            Some(place) => self.days[..=place].rotate_right(1),
            None => {
                self.days.truncate(DAYS_KEPT - 1);
                self.days.insert(0, Day::new(self.position, number, offset_s));
            }
        }
        &self.days[0]
    }
}

impl Day {
    #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "minutes and days")]
    fn new(position: Position, number: i64, offset_s: i64) -> Day {
        let day_of_year = LocalTime::from_nanos(number.saturating_mul(NANOS_OF_DAY)).calendar().day_of_year;
        // Spencer 1971.
        let angle = std::f64::consts::TAU * (f64::from(day_of_year) - 1.0) / DAYS_OF_YEAR;
        let (sin, cos) = angle.sin_cos();
        let (sin2, cos2) = (2.0 * angle).sin_cos();
        let (sin3, cos3) = (3.0 * angle).sin_cos();
        let declination = 0.006_918 - 0.399_912 * cos + 0.070_257 * sin - 0.006_758 * cos2 + 0.000_907 * sin2
            - 0.002_697 * cos3
            + 0.001_48 * sin3;
        let distance = 1.000_11 + 0.034_221 * cos + 0.001_28 * sin + 0.000_719 * cos2 + 0.000_077 * sin2;
        let latitude = position.latitude.to_radians();
        let level = SOLAR_CONSTANT * distance * latitude.sin() * declination.sin();
        let swing = SOLAR_CONSTANT * distance * latitude.cos() * declination.cos();
        // Rounded to the second, as ONEFlux rounds the solar noon before it takes whole minutes.
        let noon = solar_noon(number, position.longitude) + offset_s as f64 / 60.0;
        let shift = ((noon + 0.5 / 60.0).floor() as i64 - 720).rem_euclid(MINUTES as i64);
        Day { number, offset_s, level, swing, shift: usize::try_from(shift).unwrap_or(0) }
    }
}
