//! The sun's position over a station, and the highest radiation that it can give there.
//!
//! [`Potential`] is AmeriFlux's `SW_IN_POT`: the radiation on a horizontal plane at the top of the atmosphere, as
//! ONEFlux's program computes it, which AmeriFlux, FLUXNET and ICOS use (`oneflux_steps/common/common.c`:
//! `get_daily_rpot`, `get_solar_noon`, `shift`). It is computed per minute of a day of standard time: Spencer's
//! declination and distance (1971) with a solar constant of 1376 W m-2, as if noon were at 12:00, then shifted by whole
//! minutes to the solar noon of the day (NOAA's equation of time). Only minutes that are shifted over the end of a day
//! are treated differently: ONEFlux sets them to zero, and loses whole days near longitude 180; here they are inserted
//! at the other end. No library gives these numbers, because the minutes and the day are those of that program.
//!
//! [`elevation`] uses NOAA's method (Meeus, low accuracy) without refraction. It is within 0.02 degrees of NREL's SPA
//! from 2024 to 2035.

mod alignment;
mod days;
mod night;
mod potential;

pub use alignment::{Alignment, Window, align};
pub use days::{Day, Grid, Late, Said, Sample, Since, begin_of_day, day, said};
pub use night::nights;
pub use potential::Potential;

use crate::time::Timestamp;

/// The position of a station, WGS84.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Position {
    /// Degrees, -90 to 90, north positive.
    pub latitude: f64,
    /// Degrees, -180 to 180, east positive. Both ends are the same meridian.
    pub longitude: f64,
}

/// The Julian date of 1970-01-01T00:00:00Z.
const JULIAN_DATE_OF_1970: f64 = 2_440_587.5;
/// The Julian date of 2000-01-01T12:00:00Z.
const J2000: f64 = 2_451_545.0;
const DAYS_OF_CENTURY: f64 = 36_525.0;
const SECONDS_OF_DAY: f64 = 86_400.0;
/// The minutes in which the earth turns by one degree.
const MINUTES_OF_DEGREE: f64 = 4.0;

/// The earth's orbit at an instant, by NOAA's solar calculator (Meeus, Astronomical Algorithms, chapter 25).
struct Orbit {
    /// Geometric mean longitude of the sun, radians.
    mean_longitude: f64,
    /// Mean anomaly, radians.
    anomaly: f64,
    eccentricity: f64,
    /// Obliquity of the ecliptic, radians.
    obliquity: f64,
    /// Longitude of the moon's ascending node, radians.
    node: f64,
    centuries: f64,
}

impl Orbit {
    /// The orbit at this number of Julian centuries since J2000.
    fn at(centuries: f64) -> Orbit {
        let t = centuries;
        let node = (125.04 - 1_934.136 * t).to_radians();
        Orbit {
            mean_longitude: (280.466_46 + t * (36_000.769_83 + 0.000_303_2 * t)).to_radians(),
            anomaly: (357.529_11 + t * (35_999.050_29 - 0.000_153_7 * t)).to_radians(),
            eccentricity: 0.016_708_634 - t * (0.000_042_037 + 1.267e-7 * t),
            obliquity: (23.439_291_1 - 0.013_004_2 * t + 0.002_56 * node.cos()).to_radians(),
            node,
            centuries,
        }
    }

    /// By how many minutes solar time is ahead of mean time.
    fn equation_of_time(&self) -> f64 {
        let y = (self.obliquity / 2.0).tan().powi(2);
        let (longitude, anomaly, e) = (self.mean_longitude, self.anomaly, self.eccentricity);
        let angle = y * (2.0 * longitude).sin() - 2.0 * e * anomaly.sin()
            + 4.0 * e * y * anomaly.sin() * (2.0 * longitude).cos()
            - 0.5 * y * y * (4.0 * longitude).sin()
            - 1.25 * e * e * (2.0 * anomaly).sin();
        MINUTES_OF_DEGREE * angle.to_degrees()
    }

    /// The sine of the sun's declination.
    fn sine_of_declination(&self) -> f64 {
        let (t, anomaly) = (self.centuries, self.anomaly);
        let centre = (1.914_602 - 0.004_817 * t) * anomaly.sin()
            + (0.019_993 - 0.000_101 * t) * (2.0 * anomaly).sin()
            + 0.000_289 * (3.0 * anomaly).sin();
        let apparent = self.mean_longitude + (centre - 0.005_69 - 0.004_78 * self.node.sin()).to_radians();
        self.obliquity.sin() * apparent.sin()
    }
}

/// The sun's elevation in degrees above the horizon; negative below it. It is geometric: refraction raises a setting
/// sun by another half degree.
pub fn elevation(position: Position, instant: Timestamp) -> f64 {
    let days = days_since_1970(instant);
    let orbit = Orbit::at((days + JULIAN_DATE_OF_1970 - J2000) / DAYS_OF_CENTURY);
    let minutes = days.rem_euclid(1.0) * 1_440.0;
    let solar = minutes + orbit.equation_of_time() + MINUTES_OF_DEGREE * position.longitude;
    let hour_angle = (solar / MINUTES_OF_DEGREE - 180.0).to_radians();
    let latitude = position.latitude.to_radians();
    let declination = orbit.sine_of_declination();
    let cosine = (1.0 - declination * declination).sqrt();
    let sine = latitude.sin() * declination + latitude.cos() * cosine * hour_angle.cos();
    sine.clamp(-1.0, 1.0).asin().to_degrees()
}

#[allow(clippy::cast_precision_loss, reason = "good to a microsecond, in which the sun does not move")]
fn days_since_1970(instant: Timestamp) -> f64 {
    instant.nanos() as f64 / 1e9 / SECONDS_OF_DAY
}

/// The minutes from midnight UTC of a day to solar noon, iterated as in ONEFlux's `calcSolNoonUTC`; they may be outside
/// the day. `day` counts from 1970-01-01.
#[allow(clippy::cast_precision_loss, reason = "a number of days")]
fn solar_noon(day: i64, longitude: f64) -> f64 {
    let midnight = day as f64 + JULIAN_DATE_OF_1970 - J2000;
    // The first iteration adds the longitude to midnight, as that program does.
    let first = Orbit::at((midnight - longitude / 360.0) / DAYS_OF_CENTURY);
    let noon = 720.0 - MINUTES_OF_DEGREE * longitude - first.equation_of_time();
    let second = Orbit::at((midnight - 0.5 + noon / 1_440.0) / DAYS_OF_CENTURY);
    720.0 - MINUTES_OF_DEGREE * longitude - second.equation_of_time()
}

#[cfg(test)]
mod days_tests;
#[cfg(test)]
mod tests;
