//! A finding about the station's position: a longitude whose noon is hours from the one of the offset from UTC.
//!
//! The commonest error of a position is a minus that is missing. All tests that know the sun then call good values wrong, and
//! blame sensor and clock.

use super::{Finding, Kind};
use crate::config::Config;
use crate::time::Timestamp;

/// No zone is further from its meridian: western China's noon by the sun is after 15:00.
const MOST_HOURS: f64 = 4.0;
const DEGREES_OF_HOUR: f64 = 15.0;

pub(super) fn findings(config: &Config, now: Timestamp) -> Option<Finding> {
    let position = config.station.position?;
    let offset = config.station.clock.standard_offset(now);
    // Loggers in UTC are ordinary everywhere.
    if offset.local_minus_utc() == 0 {
        return None;
    }
    let of_clock = f64::from(offset.local_minus_utc()) / 3_600.0;
    let of_sun = position.longitude / DEGREES_OF_HOUR;
    let apart = (of_clock - of_sun + 12.0).rem_euclid(24.0) - 12.0;
    if apart.abs() <= MOST_HOURS {
        return None;
    }
    let message = format!(
        "longitude = {} and UTC{offset} are not of one place: the sun is highest {:.1} h from noon there",
        position.longitude,
        apart.abs()
    );
    let fix = "correct longitude (west of Greenwich it is negative) and latitude (south of the equator it is negative), or utc_offset; \
               then judge the rows again: `fluxtower reflag`";
    Some(Finding::new(Kind::PositionUnfit, message).fix(fix))
}
