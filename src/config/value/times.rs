//! Durations, clocks and formats of times.

use std::str::FromStr;
use std::time::Duration;

use chrono::format::{Item, Numeric, StrftimeItems};
use chrono::{FixedOffset, TimeDelta};
use chrono_tz::Tz;

use super::Read;
use crate::text::{any_of, look_alikes};
use crate::time::{LocalTime, StampFormat, StationClock};

/// All offsets in use are within this range.
const WIDEST_OFFSET_MINUTES: i32 = 14 * 60;

/// An integer and a unit: `500ms`, `90s`, `4m`, `1h`, `30d`.
pub(crate) fn duration(text: &str) -> Read<Duration> {
    let fix = "is not a duration; write a whole number and a unit: \"500ms\", \"90s\", \"4m\", \"1h\" or \"30d\"";
    let unit_at = text.find(|c: char| !c.is_ascii_digit()).ok_or(fix)?;
    let (number, unit) = text.split_at(unit_at);
    let number: u64 = number.parse().map_err(|_| fix)?;
    let millis = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return Err(fix.to_owned()),
    };
    let too_long = "is too long; write at most \"36500d\"";
    number
        .checked_mul(millis)
        .filter(|millis| *millis <= 36_500 * 86_400_000)
        .map(Duration::from_millis)
        .ok_or(too_long.to_owned())
}

/// A correction of a stamp: an optional sign, and one or more whole numbers with their units, the largest first.
pub(in crate::config) fn signed_duration(text: &str) -> Read<TimeDelta> {
    let fix = "is no time to add; write whole numbers and units, with a minus for a clock that was ahead: \"1h\", \
               \"-37m\" or \"9642d 3h 20m\"";
    let (sign, parts) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let (mut total, mut before) = (Duration::ZERO, Duration::MAX);
    let mut rest = parts;
    while !rest.is_empty() {
        let letters = rest.find(|c: char| !c.is_ascii_digit()).ok_or(fix)?;
        let unit = rest[letters..].find(|c: char| !c.is_ascii_lowercase()).map_or(rest.len(), |at| letters + at);
        let one = duration(&rest[..unit]).map_err(|_| fix)?;
        let scale = duration(&format!("1{}", &rest[letters..unit])).map_err(|_| fix)?;
        if scale >= before {
            return Err(fix.to_owned());
        }
        before = scale;
        total = total.saturating_add(one);
        rest = rest[unit..].trim_start_matches(' ');
    }
    let total = TimeDelta::from_std(total).ok().filter(|total| !total.is_zero() && *total <= TimeDelta::days(36_500));
    total.map(|total| total * sign).ok_or_else(|| fix.to_owned())
}

/// A stamp as the logger writes it, or a date alone.
pub(in crate::config) fn stamp(text: &str) -> Read<LocalTime> {
    let stamp = LocalTime::parse(text.as_bytes()).or_else(|| LocalTime::parse_with(text, "%Y-%m-%d %H:%M"));
    stamp
        .or_else(|| LocalTime::parse_with(text, "%Y-%m-%d"))
        .ok_or_else(|| "is not a stamp; write it as the logger does: \"2026-06-01 00:00:00\"".to_owned())
}

/// A duration above 0.
pub(in crate::config) fn some_time(text: &str) -> Read<Duration> {
    match duration(text)? {
        Duration::ZERO => Err("is no time at all; write more, or leave the key out".to_owned()),
        time => Ok(time),
    }
}

/// `±hh:mm`, at most fourteen hours.
pub(in crate::config) fn utc_offset(text: &str) -> Read<StationClock> {
    let fix = || {
        "is not an offset from UTC; write sign, hours and minutes, such as \"-05:00\" (Eastern Standard Time)"
            .to_owned()
    };
    let bytes = text.as_bytes();
    let digits =
        [1, 2, 4, 5].map(|at| bytes.get(at).copied().filter(u8::is_ascii_digit).map(|digit| i32::from(digit - b'0')));
    let (6, Some(b':'), [Some(h), Some(hh), Some(m), Some(mm)]) = (bytes.len(), bytes.get(3), digits) else {
        return Err(fix());
    };
    let sign = match bytes.first() {
        Some(b'+') => 1,
        Some(b'-') => -1,
        _ => return Err(fix()),
    };
    if m > 5 {
        return Err(format!("has {} minutes, and an hour has 60; write for example \"-05:30\"", m * 10 + mm));
    }
    let minutes = (h * 10 + hh) * 60 + m * 10 + mm;
    if minutes > WIDEST_OFFSET_MINUTES {
        return Err("lies outside -14:00 to +14:00; write hours and minutes, such as \"-05:00\"".to_owned());
    }
    FixedOffset::east_opt(sign * minutes * 60).map(StationClock::Fixed).ok_or_else(fix)
}

/// A name in the IANA time zone database.
pub(in crate::config) fn timezone(text: &str) -> Read<StationClock> {
    Tz::from_str(text).map(StationClock::Zone).map_err(|_| {
        let alike = look_alikes(text, chrono_tz::TZ_VARIANTS.iter().map(|zone| zone.name()));
        let fix = if alike.is_empty() { "\"America/Detroit\"".to_owned() } else { any_of(&alike) };
        format!(
            "is not a time zone of the IANA list; write for example {fix}, or utc_offset if the loggers \
             stay on standard time"
        )
    })
}

/// A strftime format for a whole date and time, or a whole date.
pub(in crate::config) fn time_format(text: &str) -> Read<String> {
    if StampFormat::new(Some(text)).is_none() {
        let fix = "is not a whole date and time in strftime letters; write for example \"%m/%d/%Y %H:%M\", \"unix\" or \"days since 1899-12-30\"";
        return Err(fix.to_owned());
    }
    // Seconds since 1970 are in UTC, but would be interpreted by the logger's clock.
    if StrftimeItems::new(text).any(|item| matches!(item, Item::Numeric(Numeric::Timestamp, _))) {
        return Err("has %s, seconds since 1970 in UTC; write \"unix\"".to_owned());
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_a_number_and_a_unit() {
        for (text, seconds) in
            [("0s", 0.0), ("500ms", 0.5), ("90s", 90.0), ("4m", 240.0), ("1h", 3_600.0), ("30d", 2_592_000.0)]
        {
            assert_eq!(duration(text), Ok(Duration::from_secs_f64(seconds)), "{text}");
        }
        for text in [
            "",
            "5",
            "m",
            "4 m",
            "4min",
            "-4m",
            "1.5h",
            "99999999999999999999d",
            "99999999999999d",
            "4m30s",
            "3153600000001ms",
        ] {
            assert!(duration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_a_clock_lacks_is_a_sign_and_numbers_with_units() {
        for (text, seconds) in
            [("1h", 3_600), ("-37m", -2_220), ("+90s", 90), ("9642d 3h 20m", 833_080_800), ("1d3h", 97_200)]
        {
            assert_eq!(signed_duration(text), Ok(TimeDelta::seconds(seconds)), "{text}");
        }
        for text in ["", "-", "0h", "1", "1h 2", "3h 1d", "1h 1h", "--1h", "1.5h", "1 h", "36501d"] {
            assert!(signed_duration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn offsets_are_spelled_with_sign_hours_and_minutes() {
        for (text, seconds) in
            [("-05:00", -18_000), ("+00:00", 0), ("+05:45", 20_700), ("+14:00", 50_400), ("-14:00", -50_400)]
        {
            assert_eq!(utc_offset(text), Ok(StationClock::Fixed(FixedOffset::east_opt(seconds).unwrap())), "{text}");
        }
        for text in ["", "-5", "-5:00", "05:00", "-0500", "-05:60", "+14:01", "-05:00 ", "EST", "−05:00", "+99:00"] {
            assert!(utc_offset(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_time_format_must_name_a_whole_date() {
        for text in [
            "%m/%d/%Y %H:%M",
            "%Y-%m-%d %H:%M:%S%.f",
            "%Y%m%d%H%M",
            "%Y-%m-%d",
            "%Y %j %H:%M",
            "%Y-%m-%d %H:%M %z",
            "unix",
        ] {
            assert!(time_format(text).is_ok(), "{text}");
        }
        for text in ["", "%H:%M", "%Q", "%m/%d %H:%M", "%Y-%m-%d %M", "%Y-%m-%d %I:%M", "%s", "days since", "plain"] {
            assert!(time_format(text).is_err(), "{text}");
        }
    }
}
