//! The times when the sun is down, from sunset to sunrise, for shading in drawings.

use super::{Position, elevation};
use crate::time::{NANOS_PER_SECOND, Timestamp};

/// The elevation of the sun's centre in degrees when the upper edge of its disc is on the horizon: half the disc's
/// diameter plus refraction.
const HORIZON: f64 = -0.833;
const HALF_DAY: i64 = 43_200 * NANOS_PER_SECOND;
/// The precision of sunrise and sunset. The sun moves by one degree in four minutes; a drawing needs no more.
const ENOUGH: i64 = NANOS_PER_SECOND;

/// The times between `from` and `to` at which the sun is down, oldest first. A polar day has none; a polar night is
/// one.
pub fn nights(position: Position, from: Timestamp, to: Timestamp) -> Vec<(Timestamp, Timestamp)> {
    let is_down = |at: Timestamp| elevation(position, at) < HORIZON;
    // Midnights and noons of the mean sun: between two of them it rises or sets at most once.
    #[allow(clippy::cast_possible_truncation, reason = "within a day")]
    let noon = HALF_DAY - (position.longitude / 360.0 * 2.0 * HALF_DAY as f64) as i64;
    let first = (from.nanos() - noon).div_euclid(HALF_DAY);
    let mut at = Timestamp::from_nanos(noon + first * HALF_DAY);
    let mut sunset = is_down(at).then_some(at);
    let mut found = Vec::new();
    let mut keep = |sunset: Timestamp, sunrise: Timestamp| {
        let (sunset, sunrise) = (sunset.max(from), sunrise.min(to));
        if sunset < sunrise {
            found.push((sunset, sunrise));
        }
    };
    while at < to {
        let next = at.plus(HALF_DAY);
        match (sunset, is_down(next)) {
            (None, true) => sunset = Some(change(at, next, &is_down)),
            (Some(begin), false) => {
                keep(begin, change(at, next, &is_down));
                sunset = None;
            }
            _ => {}
        }
        at = next;
    }
    if let Some(begin) = sunset {
        keep(begin, to);
    }
    found
}

/// The time at which `is_down` changes, between two times.
fn change(mut early: Timestamp, mut late: Timestamp, is_down: &impl Fn(Timestamp) -> bool) -> Timestamp {
    let before = is_down(early);
    while late.nanos_since(early) > ENOUGH {
        let middle = early.plus(late.nanos_since(early) / 2);
        if is_down(middle) == before {
            early = middle;
        } else {
            late = middle;
        }
    }
    late
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        let parsed = chrono::DateTime::parse_from_rfc3339(text).unwrap();
        Timestamp::from_nanos(parsed.timestamp_nanos_opt().unwrap())
    }

    const UMB: Position = Position { latitude: 45.5598, longitude: -84.7138 };

    #[test]
    fn a_night_is_from_sunset_to_sunrise() {
        // Computed with NOAA's formulas in another program: 21:18:17 and 06:12:51 in Michigan's summer time.
        let found = nights(UMB, at("2021-07-22T16:00:00Z"), at("2021-07-23T16:00:00Z"));
        let [(sunset, sunrise)] = found[..] else { panic!("{found:?}") };
        for (found, right) in [(sunset, "2021-07-23T01:18:17Z"), (sunrise, "2021-07-23T10:12:51Z")] {
            assert!(found.nanos_since(at(right)).abs() < 3 * NANOS_PER_SECOND, "{found} is not {right}");
        }
    }

    #[test]
    fn each_night_of_years_is_dark_within_and_bright_outside() {
        let (from, to) = (at("2019-01-01T00:00:00Z"), at("2023-01-01T00:00:00Z"));
        for longitude in [-84.7138, 148.1517, -179.9, 180.0] {
            let place = Position { latitude: -35.0, longitude };
            let found = nights(place, from, to);
            assert!((1_461..=1_462).contains(&found.len()), "{}", found.len());
            let minute = 60 * NANOS_PER_SECOND;
            for (sunset, sunrise) in &found[1..found.len() - 1] {
                for (at, is_down) in [
                    (sunset.minus(minute), false),
                    (sunset.plus(minute), true),
                    (sunrise.minus(minute), true),
                    (sunrise.plus(minute), false),
                ] {
                    assert_eq!(elevation(place, at) < HORIZON, is_down, "{at}");
                }
            }
        }
    }

    #[test]
    fn a_polar_night_is_one_and_a_polar_day_has_none() {
        let place = Position { latitude: 78.0, longitude: 15.0 };
        let (from, to) = (at("2024-12-10T00:00:00Z"), at("2024-12-20T00:00:00Z"));
        assert_eq!(nights(place, from, to), [(from, to)]);
        assert_eq!(nights(place, at("2024-06-10T00:00:00Z"), at("2024-06-20T00:00:00Z")), []);
        assert_eq!(nights(UMB, from, from), []);
    }
}
