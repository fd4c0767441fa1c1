//! Explains why a text in the form of a time is not valid: a month 50, a day that the month does not have, an hour 25.

use chrono::format::ParseErrorKind;
use chrono::{NaiveDate, NaiveDateTime};

use super::{has_no_hour, month_length};

/// The invalid part of a text in the form of a TOA5 time, `YYYY-MM-DD hh:mm:ss`. None for a text in another form.
pub fn impossible(text: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(text).ok()?;
    let (date, clock) = text.split_once([' ', 'T'])?;
    let [year, month, day] = numbers(date, '-')?;
    let (clock, fraction) = clock.split_once('.').unwrap_or((clock, ""));
    let [hour, minute, second] = numbers(clock, ':')?;
    let Some(days) = month_length(year, month) else { return Some(format!("there is no month {month}")) };
    if !(1..=days).contains(&day) {
        return Some(format!("{year}-{month:02} has no day {day}"));
    }
    if hour == 24 {
        return Some("hour 24 is the end of a day only as 24:00:00".to_owned());
    }
    for (name, number, end) in [("hour", hour, 24), ("minute", minute, 60), ("second", second, 60)] {
        if number >= end {
            return Some(format!("there is no {name} {number}"));
        }
    }
    if fraction.len() > 9 {
        return Some("a second has at most nine fraction digits".to_owned());
    }
    (!(1678..=2261).contains(&year)).then(|| format!("the year {year} is not within 1678 to 2261"))
}

/// Why a text is not a time of a chrono format.
pub fn impossible_by(text: &str, format: &str) -> String {
    let error = match NaiveDateTime::parse_from_str(text, format) {
        Err(_) if has_no_hour(format) => NaiveDate::parse_from_str(text, format).err(),
        parsed => parsed.err(),
    };
    match error.map(|error| error.kind()) {
        Some(ParseErrorKind::OutOfRange | ParseErrorKind::Impossible) | None => {
            format!("read as \"{format}\", a part of it is no month, day, hour, minute or second")
        }
        _ => format!("it is not written as time_format = \"{format}\""),
    }
}

fn numbers(text: &str, between: char) -> Option<[u32; 3]> {
    let mut parts = text.split(between).map(|part| {
        let is_number = (1..=4).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
        is_number.then(|| part.parse().ok()).flatten()
    });
    let found = [parts.next()??, parts.next()??, parts.next()??];
    parts.next().is_none().then_some(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::LocalTime;

    #[test]
    fn each_impossible_time_is_refused_and_named() {
        for (text, why) in [
            ("2073-50-00 21:01:33", "there is no month 50"),
            ("2000-00-00 21:01:43", "there is no month 0"),
            ("2026-13-01 00:00:00", "there is no month 13"),
            ("2026-02-29 21:01:48", "2026-02 has no day 29"),
            ("1900-02-29 00:00:00", "1900-02 has no day 29"),
            ("2026-02-00 00:00:00", "2026-02 has no day 0"),
            ("2026-04-31 00:00:00", "2026-04 has no day 31"),
            ("2026-05-32 00:00:00", "2026-05 has no day 32"),
            ("2026-05-01 25:00:00", "there is no hour 25"),
            ("2026-05-01 24:00:01", "hour 24 is the end of a day only as 24:00:00"),
            ("2026-05-01 24:01:00", "hour 24 is the end of a day only as 24:00:00"),
            ("2026-05-01 12:60:00", "there is no minute 60"),
            ("2026-05-01 12:00:60", "there is no second 60"),
            ("2026-05-01 12:00:61.5", "there is no second 61"),
            ("2026-05-01 12:00:00.1234567891", "a second has at most nine fraction digits"),
            ("0000-05-01 12:00:00", "the year 0 is not within 1678 to 2261"),
            ("9999-05-01 12:00:00", "the year 9999 is not within 1678 to 2261"),
        ] {
            assert_eq!(LocalTime::parse(text.as_bytes()), None, "{text}");
            assert_eq!(impossible(text.as_bytes()).as_deref(), Some(why), "{text}");
        }
        for text in ["2024-02-29 00:00:00", "2000-02-29 23:59:59.5", "2026-05-31 24:00:00"] {
            assert!(LocalTime::parse(text.as_bytes()).is_some(), "{text}");
        }
        assert_eq!(impossible(b"NAN"), None);
        assert_eq!(impossible(b"5/26/21 12:30"), None);
    }

    #[test]
    fn each_impossible_time_of_an_own_format_is_refused_and_named() {
        let format = "%m/%d/%Y %H:%M:%S";
        for text in ["02/29/2026 00:00:00", "13/01/2026 00:00:00", "05/01/2026 25:00:00", "05/01/2026 12:00:60"] {
            assert_eq!(LocalTime::parse_with(text, format), None, "{text}");
            let why = "read as \"%m/%d/%Y %H:%M:%S\", a part of it is no month, day, hour, minute or second";
            assert_eq!(impossible_by(text, format), why, "{text}");
        }
        assert_eq!(impossible_by("May 1", format), "it is not written as time_format = \"%m/%d/%Y %H:%M:%S\"");
        assert!(LocalTime::parse_with("05/31/2026", "%m/%d/%Y").is_some());
        // Without AM or PM, an hour of a twelve-hour clock is not a time, and not midnight.
        assert_eq!(LocalTime::parse_with("05/31/2026 11:00", "%m/%d/%Y %I:%M"), None);
    }
}
