//! Tests the sun against published positions and synthetic light, and checks statements of `docs/qc.md`.

use super::*;
use crate::time::{Candidates, LocalTime, NANOS_PER_SECOND, StationClock};
use chrono::FixedOffset;

const HALF_HOUR: i64 = 1_800 * NANOS_PER_SECOND;

fn fixed(hours: f64) -> StationClock {
    #[allow(clippy::cast_possible_truncation)]
    StationClock::Fixed(FixedOffset::east_opt((hours * 3_600.0) as i32).unwrap())
}

fn instant(text: &str, clock: StationClock) -> Timestamp {
    match clock.candidates(LocalTime::parse(text.as_bytes()).unwrap()) {
        Candidates::One(instant) | Candidates::Two(instant, _) | Candidates::Missing(instant) => instant,
    }
}

#[allow(clippy::cast_possible_truncation)]
/// Compares as many significant digits as are printed.
fn agrees(computed: f64, printed: f64, digits: i32) -> bool {
    if printed == 0.0 {
        return computed == 0.0;
    }
    #[allow(clippy::cast_possible_truncation, reason = "a power of ten that a double can have")]
    let unit = 10_f64.powi(printed.abs().log10().floor() as i32 + 1 - digits);
    (computed - printed).abs() <= unit * 0.500_01
}

/// The end of the half hour in standard time; then, for each site, the sun's elevation at its middle by pvlib's SPA and
/// the mean of ONEFlux's own program.
const VECTORS: [(&str, [(f64, f64); 3]); 5] = [
    ("2024-03-20 07:00:00", [(-0.11, 12.355), (6.17, 150.346), (3.07, 75.871)]),
    ("2024-06-21 12:30:00", [(67.26, 1_227.31), (30.89, 682.306), (42.39, 897.281)]),
    ("2024-06-21 20:30:00", [(1.57, 36.992), (-38.36, 0.0), (12.12, 279.517)]),
    ("2024-12-31 09:00:00", [(2.86, 72.225), (44.07, 989.349), (-10.03, 0.0)]),
    ("2025-07-01 14:00:00", [(64.19, 1_197.67), (27.20, 606.170), (39.83, 852.903)]),
];
const UMB: Position = Position { latitude: 45.5598, longitude: -84.7138 };
const TUMBARUMBA: Position = Position { latitude: -35.6566, longitude: 148.1517 };
const AT_180: Position = Position { latitude: 71.0, longitude: -179.5 };

#[test]
fn potential_radiation_has_the_digits_of_onefluxs_program() {
    for (end, expected) in VECTORS {
        for ((position, hours), (_, printed)) in
            [(UMB, -5.0), (TUMBARUMBA, 10.0), (AT_180, 12.0)].into_iter().zip(expected)
        {
            let clock = fixed(hours);
            let mean = Potential::new(position, clock).mean(instant(end, clock), HALF_HOUR);
            let digits = if printed < 100.0 { 5 } else { 6 };
            assert!(agrees(mean, printed, digits), "{end} {position:?}: {mean}, not {printed}");
        }
    }
}

#[test]
fn the_elevation_is_that_of_spa_within_two_hundredths_of_a_degree() {
    for (end, expected) in VECTORS {
        for ((position, hours), (printed, _)) in
            [(UMB, -5.0), (TUMBARUMBA, 10.0), (AT_180, 12.0)].into_iter().zip(expected)
        {
            let middle = instant(end, fixed(hours)).minus(HALF_HOUR / 2);
            let computed = elevation(position, middle);
            assert!((computed - printed).abs() < 0.02, "{end} {position:?}: {computed}, not {printed}");
        }
    }
}

/// `tests/sun/reference.py` wrote the table; FLUXTOWER_SUN_REFERENCE names a longer one.
#[test]
fn two_hundred_instants_from_pole_to_pole_agree_with_independent_programs() {
    let given = std::env::var_os("FLUXTOWER_SUN_REFERENCE").map(std::path::PathBuf::from);
    let path =
        given.unwrap_or_else(|| std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sun/reference.csv"));
    let table = std::fs::read_to_string(path).unwrap();
    let mut compared = 0;
    for line in table.lines().skip(1) {
        let fields: Vec<f64> = line.split(',').map(|field| field.parse().unwrap()).collect();
        let &[end_s, span_s, offset_min, latitude, longitude, potential, reference] = fields.as_slice() else {
            panic!("{line}")
        };
        #[allow(clippy::cast_possible_truncation)]
        let (end, span) = (Timestamp::from_seconds(end_s as i64), span_s as i64 * NANOS_PER_SECOND);
        let position = Position { latitude, longitude };
        let mut sun = Potential::new(position, fixed(offset_min / 60.0));
        let mean = sun.mean(end, span);
        assert!(agrees(mean, potential, 6) || (mean - potential).abs() < 1e-5, "{line}: potential {mean}");
        assert!(
            sun.most(end, span) >= mean * (1.0 - 1e-12),
            "{line}: no mean of a part is larger than that of the whole"
        );
        let computed = elevation(position, end);
        assert!((computed - reference).abs() < 0.03, "{line}: elevation {computed}");
        compared += 1;
    }
    assert!(compared >= 200, "{compared} lines");
}

#[test]
fn both_ends_of_the_circle_of_longitude_are_one_place() {
    for (latitude, offset) in [(71.0, 12.0), (-17.0, 12.0), (-17.0, -12.0), (71.0, 13.0)] {
        let at = |longitude| Potential::new(Position { latitude, longitude }, fixed(offset));
        let (mut east, mut west) = (at(180.0), at(-180.0));
        for half_hour in 0..48 * 365 {
            let end = Timestamp::from_seconds(1_735_689_600 + half_hour * 1_800);
            // The solar noon of a day is computed for the UTC day, which is a different day at one of the two
            // positions: the difference is seconds, so one minute.
            let (one, other) = (east.mean(end, HALF_HOUR), west.mean(end, HALF_HOUR));
            assert!((one - other).abs() < 7.0, "{latitude} {end}: {one} and {other}");
        }
        let day = |sun: &mut Potential, noon: i64| sun.mean(Timestamp::from_seconds(noon), HALF_HOUR);
        assert!(day(&mut east, 1_750_464_000) > 100.0, "midnight UTC on 21 June is noon there");
    }
}

#[test]
fn polar_day_has_no_night_and_polar_night_no_day() {
    let mut pole = Potential::new(Position { latitude: 78.2, longitude: 15.6 }, fixed(1.0));
    let all = |sun: &mut Potential, from: i64| -> Vec<f64> {
        (0..48).map(|half| sun.most(Timestamp::from_seconds(from + half * 1_800), HALF_HOUR)).collect()
    };
    assert!(all(&mut pole, 1_750_464_000).iter().all(|most| *most > 200.0), "21 June");
    assert!(all(&mut pole, 1_766_275_200).iter().all(|most| *most == 0.0), "21 December");
}

#[test]
fn a_zone_with_summer_time_gives_what_its_standard_time_gives() {
    let mut zone = Potential::new(UMB, StationClock::Zone(chrono_tz::America::Detroit));
    let mut standard = Potential::new(UMB, fixed(-5.0));
    for hour in 0..24 * 365 {
        let end = Timestamp::from_seconds(1_735_689_600 + hour * 3_600);
        assert_eq!(zone.mean(end, HALF_HOUR).to_bits(), standard.mean(end, HALF_HOUR).to_bits(), "{end}");
    }
}

#[test]
fn the_most_is_that_of_any_time_over_which_a_logger_averages() {
    let mut sun = Potential::new(UMB, fixed(-5.0));
    let sunrise = instant("2024-06-21 05:30:00", fixed(-5.0));
    let last_minute = sun.mean(sunrise, 0);
    assert!(sun.most(sunrise, HALF_HOUR) >= last_minute && last_minute > sun.mean(sunrise, HALF_HOUR));
    let evening = instant("2024-06-21 18:30:00", fixed(-5.0));
    let (most, mean) = (sun.most(evening, HALF_HOUR), sun.mean(evening, HALF_HOUR));
    assert!((most - mean).abs() < 1e-9, "as the light fades the whole half hour is the brightest part: {most}, {mean}");
    let night = instant("2024-06-21 23:30:00", fixed(-5.0));
    assert!(sun.most(night, HALF_HOUR) == 0.0 && sun.most(night, 12 * 2 * HALF_HOUR) > 400.0, "after a gap");
}

/// The clear sky of Haurwitz (1945), W m-2: the mean of the minutes before `end`.
pub(super) fn clear_sky(position: Position, end: Timestamp, span_s: i64) -> f64 {
    let minutes = span_s / 60;
    let at = |minute: i64| {
        let middle = end.minus((minute * 60 + 30) * NANOS_PER_SECOND);
        let sine = elevation(position, middle).to_radians().sin();
        if sine > 0.0 { 1_098.0 * sine * (-0.059 / sine).exp() } else { 0.0 }
    };
    #[allow(clippy::cast_precision_loss)]
    let mean = (0..minutes).map(at).sum::<f64>() / minutes as f64;
    mean
}

/// The year 2025 at US-UMB in AmeriFlux's 24 windows, with stamps that are late by this number of half hours.
fn year_of_windows(late: i64) -> Vec<Window> {
    let clock = fixed(-5.0);
    let midnight = instant("2025-01-01 00:00:00", clock);
    let mut sun = Potential::new(UMB, clock);
    (0..24)
        .map(|window| {
            let mut found = Window { light: vec![0.0; 48], potential: vec![0.0; 48] };
            // Days of the year 7, 22 ... 352, with seven days on either side.
            for day in 15 * window..15 * window + 14 {
                for half in 0..48_u8 {
                    let end = midnight.plus((day * 48 + i64::from(half) + 1) * HALF_HOUR);
                    let at = usize::from(half);
                    found.potential[at] = found.potential[at].max(sun.mean(end, HALF_HOUR));
                    found.light[at] = found.light[at].max(clear_sky(UMB, end.minus(late * HALF_HOUR), 1_800));
                }
            }
            found
        })
        .collect()
}

#[test]
fn amerifluxs_alignment_finds_an_hour_of_daylight_saving_in_a_year() {
    for (late, day, night, lag, correlation) in [
        (0, 0.0, 0.0, 0, 0.998),
        (1, 0.58, 0.0, -1, 0.997),
        (2, 11.90, 0.82, -2, 0.997),
        (-1, 1.54, 0.0, 1, 0.997),
        (-2, 12.86, 0.41, 2, 0.997),
    ] {
        let found = align(&year_of_windows(late)).unwrap();
        println!("{late}: {found:?}");
        assert_eq!(found.lag, lag, "{late} half hours late: {found:?}");
        assert!((found.correlation - correlation).abs() < 0.002, "{late} half hours late: {found:?}");
        assert!(
            (found.day - day).abs() < 1.0 && (found.night - night).abs() < 0.5,
            "{late} half hours late: {found:?}"
        );
    }
}
