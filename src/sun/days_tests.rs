//! Tests with synthetic days of light: a shifted clock, a dead sensor and a wrong sign are found, and correct series
//! have no faults.

use super::days::windows;
use super::tests::clear_sky;
use super::*;
use crate::time::{NANOS_PER_SECOND, StationClock};
use chrono::FixedOffset;
use std::time::Duration;

/// Pseudorandom numbers that are the same in each run (PCG's multiplier, the upper bits).
struct Dice(u64);

impl Dice {
    #[allow(clippy::cast_precision_loss)]
    fn unit(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }
}

struct Case {
    name: &'static str,
    latitude: f64,
    longitude: f64,
    clock: StationClock,
    /// The first day, in seconds since 1970.
    from_s: i64,
}

fn fixed(minutes: i32) -> StationClock {
    StationClock::Fixed(FixedOffset::east_opt(minutes * 60).unwrap())
}

const JUNE: i64 = 1_748_736_000;
const DECEMBER: i64 = 1_764_547_200;
const MARCH: i64 = 1_740_787_200;

fn cases() -> Vec<Case> {
    let case = |name, latitude, longitude, clock, from_s| Case { name, latitude, longitude, clock, from_s };
    vec![
        case("north in summer", 45.5598, -84.7138, fixed(-300), JUNE),
        case("north in winter", 45.5598, -84.7138, fixed(-300), DECEMBER),
        case("south in summer", -35.6566, 148.1517, fixed(600), DECEMBER),
        case("south in winter", -35.6566, 148.1517, fixed(600), JUNE),
        case("northern tropic", 23.4364, 77.4, fixed(330), JUNE),
        case("southern tropic", -23.4364, -46.0, fixed(-180), DECEMBER),
        case("equator", 0.0, 100.0, fixed(420), MARCH),
        case("longitude 180", -17.0, 180.0, fixed(720), MARCH),
        case("longitude -180", -17.0, -180.0, fixed(720), MARCH),
        case("east of the date line with the clock of the west", 67.0, -179.5, fixed(720), MARCH),
        case("a zone with three quarters", 27.7, 85.3, fixed(345), JUNE),
        case("a zone with summer time", 45.5598, -84.7138, StationClock::Zone(chrono_tz::America::Detroit), MARCH),
        case("polar day", 78.2, 15.6, fixed(60), JUNE),
    ]
}

/// Thirty days of a sky with clouds that pass within hours, modified by `change`.
fn days_of(
    case: &Case,
    interval_s: u64,
    change: impl Fn(usize, f64) -> f64,
    late_s: impl Fn(usize) -> i64,
) -> Vec<Day> {
    let position = Position { latitude: case.latitude, longitude: case.longitude };
    let interval = Duration::from_secs(interval_s);
    let grid = Grid { position, clock: case.clock, interval, step: interval };
    let mut sun = Potential::new(position, case.clock);
    let mut dice = Dice(7);
    let mut cloud = 0.0_f64;
    let first = begin_of_day(case.longitude, Timestamp::from_seconds(case.from_s));
    (0..30)
        .map(|number| {
            let begin = first.plus(i64::try_from(number).unwrap() * 86_400 * NANOS_PER_SECOND);
            let step = i64::try_from(interval_s).unwrap();
            let overcast = dice.unit() < 0.3;
            let samples: Vec<Sample> = (1..=86_400 / step)
                .map(|place| {
                    let end = begin.plus(place * step * NANOS_PER_SECOND);
                    cloud = 0.85 * cloud + 0.3 * (dice.unit() - 0.5);
                    let through = if overcast { 0.2 } else { (1.0 - cloud.abs() * 1.5).clamp(0.1, 1.0) };
                    let light = clear_sky(position, end.minus(late_s(number) * NANOS_PER_SECOND), step) * through;
                    Sample { end, watts: change(number, light) }
                })
                .collect();
            day(&grid, &mut sun, begin, &samples)
        })
        .collect()
}

fn healthy(_: usize, light: f64) -> f64 {
    // A thermopile loses some heat to the night sky.
    if light == 0.0 { -2.1 } else { light }
}

#[test]
fn a_healthy_radiometer_and_clock_say_nothing_wherever_they_stand() {
    for case in cases() {
        for interval in [900, 1_800, 3_600] {
            let found = said(&days_of(&case, interval, healthy, |_| 0));
            assert_eq!(found, Said::default(), "{}, {interval} s", case.name);
        }
    }
}

#[test]
fn an_hour_late_or_early_is_found_wherever_it_is_and_not_called_light_at_night() {
    for case in cases() {
        for (interval, late_s) in [(900, 3_600), (1_800, 3_600), (1_800, -3_600), (3_600, 3_600), (1_800, 5 * 3_600)] {
            let found = said(&days_of(&case, interval, healthy, |_| late_s));
            let days = days_of(&case, interval, healthy, |_| late_s);
            let shifts: Vec<_> = days.iter().map(|day| (day.is_clear(), day.shift, day.share)).collect();
            let late = found.late.unwrap_or_else(|| {
                panic!(
                    "{}, {interval} s, {late_s} s late: {found:?} {:?} {shifts:?}",
                    case.name,
                    align(&windows(&days))
                )
            });
            #[allow(clippy::cast_precision_loss)]
            let expected = late_s as f64 / 60.0;
            assert!((late.minutes - expected).abs() < 20.0, "{}: {late:?}", case.name);
            assert!((late.alignment.minutes() - expected).abs() <= 30.0, "{}: {late:?}", case.name);
            assert!(late.since.is_open && found.lit_nights.is_none(), "{}: {found:?}", case.name);
        }
    }
}

#[test]
fn a_clock_of_another_zone_is_found_and_its_sensor_is_not_blamed() {
    for case in cases() {
        for hours in [-10, -8, -7, 7, 8, 10] {
            let found = said(&days_of(&case, 1_800, healthy, |_| hours * 3_600));
            let late = found.late.unwrap_or_else(|| panic!("{}, {hours} h: {found:?}", case.name));
            #[allow(clippy::cast_precision_loss)]
            let expected = hours as f64 * 60.0;
            assert!((late.minutes - expected).abs() < 25.0, "{}, {hours} h: {late:?}", case.name);
            assert!((late.alignment.minutes() - expected).abs() <= 30.0, "{}, {hours} h: {late:?}", case.name);
            assert!(found.dark.is_none() && found.lit_nights.is_none(), "{}, {hours} h: {found:?}", case.name);
        }
    }
}

#[test]
fn a_sensor_that_dies_under_a_wrong_clock_is_dark_all_the_same() {
    let case = &cases()[0];
    let found = said(&days_of(case, 1_800, |day, light| if day >= 24 { 0.0 } else { light }, |_| 3_600));
    assert!(found.late.is_some() && found.dark.is_some(), "{found:?}");
}

#[test]
fn samples_are_aligned_where_solar_midnight_is_a_stamp_of_theirs() {
    for longitude in [0.0, 15.0, -7.5] {
        let position = Position { latitude: 45.0, longitude };
        let clock = fixed(0);
        let step = Duration::from_secs(1_800);
        let grid = Grid { position, clock, interval: Duration::ZERO, step };
        let mut sun = Potential::new(position, clock);
        let first = begin_of_day(longitude, Timestamp::from_seconds(JUNE));
        let days: Vec<Day> = (0..16)
            .map(|number| {
                let begin = first.plus(number * 86_400 * NANOS_PER_SECOND);
                let sample = |place: i64| {
                    let end = begin.plus(place * 1_800 * NANOS_PER_SECOND);
                    // One-minute samples, one hour late.
                    Sample { end, watts: clear_sky(position, end.minus(3_570 * NANOS_PER_SECOND), 60) }
                };
                day(&grid, &mut sun, begin, &(1..=48).map(sample).collect::<Vec<_>>())
            })
            .collect();
        let late = said(&days).late.unwrap_or_else(|| panic!("{longitude}: {:?}", windows(&days)));
        assert!((late.minutes - 60.0).abs() < 5.0 && late.alignment.lag == -2, "{longitude}: {late:?}");
    }
}

#[test]
fn a_clock_that_was_put_to_summer_time_is_late_since_that_day() {
    let case = &cases()[11];
    let days = days_of(case, 1_800, healthy, |day| if day >= 15 { 3_600 } else { 0 });
    let late = said(&days).late.unwrap();
    let first = days[15].begin.after(Duration::from_secs(43_200));
    assert!((late.minutes - 60.0).abs() < 10.0 && !late.since.is_open, "{late:?}");
    let apart = late.since.noon.seconds_since(first).abs();
    assert!(apart <= 3 * 86_400, "{apart} s from the day itself: only clear days can tell");
    let put_right = days_of(case, 1_800, healthy, |day| if day < 15 { 3_600 } else { 0 });
    assert_eq!(said(&put_right), Said::default());
}

#[test]
fn a_sensor_without_light_by_day_is_dark_since_its_first_such_day() {
    for case in cases() {
        for nothing in [0.0, -4.0, 1.5] {
            let days = days_of(&case, 1_800, |day, light| if day >= 20 { nothing } else { light }, |_| 0);
            let dark = said(&days).dark;
            let noon = days[20].begin.after(Duration::from_secs(43_200));
            assert_eq!(dark, Some(Since { noon, is_open: false }), "{}, {nothing} W m-2", case.name);
        }
    }
    let whole = days_of(&cases()[0], 1_800, |_, _| 0.0, |_| 0);
    assert!(said(&whole).dark.unwrap().is_open);
    let one_day = days_of(&cases()[0], 1_800, |day, light| if day == 29 { 0.0 } else { light }, |_| 0);
    assert_eq!(said(&one_day).dark, None, "snow on the dome for a day");
}

#[test]
fn light_all_night_is_found_where_there_is_a_night() {
    for case in cases() {
        let days = days_of(&case, 1_800, |day, light| if day >= 20 { light + 40.0 } else { light }, |_| 0);
        let found = said(&days);
        if case.name == "polar day" {
            assert_eq!(found, Said::default(), "there was no night, which says nothing");
            continue;
        }
        let (watts, since) = found.lit_nights.unwrap_or_else(|| panic!("{}: {found:?}", case.name));
        assert!((watts - 40.0).abs() < 1e-9 && !since.is_open, "{}: {watts}", case.name);
        assert_eq!(since.noon, days[20].begin.after(Duration::from_secs(43_200)), "{}", case.name);
        assert!(found.late.is_none(), "{}", case.name);
    }
}

#[test]
fn too_few_clear_days_or_values_say_nothing() {
    let case = &cases()[0];
    let overcast = days_of(case, 1_800, |_, light| light * 0.2, |_| 3_600);
    assert_eq!(said(&overcast), Said::default());
    let half_missing = days_of(case, 1_800, |_, light| if light > 300.0 { f64::NAN } else { light }, |_| 3_600);
    assert_eq!(said(&half_missing).late, None);
    let six = days_of(case, 1_800, healthy, |_| 3_600);
    assert_eq!(said(&six[..6]).late, None);
    assert_eq!(said(&[]), Said::default());
    let polar_night = Case { name: "polar night", latitude: 78.2, longitude: 15.6, clock: fixed(60), from_s: DECEMBER };
    assert_eq!(said(&days_of(&polar_night, 1_800, |_, _| 0.0, |_| 0)), Said::default(), "no light is right there");
}

#[test]
fn noise_that_is_no_light_is_no_clock() {
    // Like a radiometer with a wrong multiplier: 2,600 W m-2, more by night than by day.
    let case = &cases()[0];
    let days = days_of(case, 900, |_, light| 2_600.0 - light * 0.6, |_| 0);
    let found = said(&days);
    assert!(found.late.is_none() && found.lit_nights.is_some_and(|(watts, _)| watts > 2_000.0), "{found:?}");
}
