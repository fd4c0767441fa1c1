//! The formats of time in files: strftime letters, or units since an instant.
//!
//! A format is parsed once and then reads each stamp in one pass. It accepts what chrono's formats accept, and further
//! forms in files of field stations: hours and minutes without a separator and without leading zeros (`%H%M`: 58 is
//! 00:58), hour 24 at the end of a day, hours with a fraction
//! (`%H%.f`: 14.50 is 14:30), fractions after any seconds (`%S:%f` after a colon), an offset from UTC, `days since 1899-12-30`, and a
//! midnight with the date of the day that it ends.

use chrono::NaiveDate;

use super::{LocalTime, NANOS_PER_SECOND, Timestamp, days_since_1970, impossible_by};

/// The ending of a format whose 0:00 is the end of the date in the stamp.
pub const MIDNIGHT_ENDS_THE_DAY: &str = "%24";

const DAY: i64 = 86_400;

/// A format of time.
#[derive(Debug, Clone, PartialEq)]
pub struct StampFormat(Form);

#[derive(Debug, Clone, PartialEq)]
enum Form {
    /// `YYYY-MM-DD hh:mm:ss[.f]`.
    Loggers,
    /// `YYYY-MM-DD hh:mm`.
    Minutes,
    Letters {
        text: String,
        items: Vec<Item>,
        midnight_ends_the_day: bool,
    },
    Since {
        unit: i64,
        begin: LocalTime,
        is_utc: bool,
    },
    /// A format with letters that only chrono supports.
    Chrono(String),
}

#[derive(Debug, Clone, PartialEq)]
enum Item {
    /// A literal character.
    Literal(String),
    Blank,
    /// Numbers without separators.
    Numbers(Vec<Number>),
    /// The fraction after a point or a comma, which is read with the seconds.
    Fraction,
    /// The fraction of an hour, after a point or a comma: 14.50 is 14:30.
    HourFraction,
    /// The digits of a fraction after another sign: `00:00:00:250`.
    Decimals,
    MonthName,
    DayName,
    HalfDay,
    Offset,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Number {
    Year,
    ShortYear,
    Month,
    Day,
    DayOfYear,
    Hour,
    Hour12,
    Minute,
    Second,
}

impl Number {
    fn width(self) -> usize {
        match self {
            Number::Year => 4,
            Number::DayOfYear => 3,
            _ => 2,
        }
    }
}

/// A parsed stamp.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StampRead {
    /// The time by the logger's clock, or in UTC.
    pub time: LocalTime,
    /// Whether the stamp itself has an offset from UTC, so that `time` is in UTC.
    pub is_utc: bool,
}

impl StampRead {
    /// The instant, if the stamp itself determines it.
    pub fn instant(self) -> Option<Timestamp> {
        self.is_utc.then(|| Timestamp::from_nanos(self.time.nanos_since(LocalTime::from_nanos(0))))
    }
}

#[derive(Default)]
struct Parts {
    year: Option<u32>,
    month: Option<u32>,
    day: Option<u32>,
    day_of_year: Option<u32>,
    hour: u32,
    minute: u32,
    second: u32,
    nanos: u32,
    has_time: bool,
    is_afternoon: Option<bool>,
    /// The offset in seconds east of Greenwich.
    offset: Option<i64>,
}

impl StampFormat {
    /// The format of the loggers.
    pub const LOGGERS: StampFormat = StampFormat(Form::Loggers);
    /// That of loggers without seconds.
    pub const MINUTES: StampFormat = StampFormat(Form::Minutes);

    /// Parses a format in the configuration; None is the format of the loggers. Returns None if the text is not a
    /// format of a whole date.
    pub fn new(text: Option<&str>) -> Option<StampFormat> {
        let Some(text) = text else { return Some(StampFormat::LOGGERS) };
        if let Some(since) = since(text) {
            return Some(StampFormat(since));
        }
        let (letters, midnight_ends_the_day) = match text.strip_suffix(MIDNIGHT_ENDS_THE_DAY) {
            Some(letters) => (letters, true),
            None => (text, false),
        };
        match items(letters) {
            Some(items) => is_a_date(&items)
                .then(|| StampFormat(Form::Letters { text: letters.to_owned(), items, midnight_ends_the_day })),
            None => is_written_by_chrono(letters).then(|| StampFormat(Form::Chrono(letters.to_owned()))),
        }
    }

    /// Whether it is the format of the loggers.
    pub fn is_loggers(&self) -> bool {
        self.0 == Form::Loggers
    }

    /// Parses a stamp.
    #[inline]
    pub fn read(&self, text: &[u8]) -> Option<StampRead> {
        let local = |time| StampRead { time, is_utc: false };
        match &self.0 {
            Form::Loggers => LocalTime::parse(text).map(local),
            Form::Minutes => LocalTime::parse_minute(text).map(local),
            Form::Letters { items, midnight_ends_the_day, .. } => {
                let mut parts = Parts::default();
                let mut rest = text.trim_ascii();
                for item in items {
                    rest = parts.take(item, rest)?;
                }
                rest.is_empty().then_some(())?;
                parts.stamp(*midnight_ends_the_day)
            }
            Form::Since { unit, begin, is_utc } => {
                let nanos = scaled(text.trim_ascii(), *unit)?;
                let nanos = begin.nanos_since(LocalTime::from_nanos(0)).checked_add(nanos)?;
                Some(StampRead { time: LocalTime::from_nanos(nanos), is_utc: *is_utc })
            }
            Form::Chrono(format) => LocalTime::parse_with(String::from_utf8_lossy(text).trim(), format).map(local),
        }
    }

    /// Why a text is not a time of this format. None for the loggers' format.
    pub fn hint(&self, stamp: &str) -> Option<String> {
        Some(match &self.0 {
            Form::Loggers | Form::Minutes => return None,
            Form::Letters { text, .. } | Form::Chrono(text) => impossible_by(stamp.trim(), text),
            Form::Since { .. } => "it is not a number that counts from the instant of time_format".to_owned(),
        })
    }
}

/// Parses `seconds since 1970-01-01`, and the short forms `unix`, `unix ms`, `excel`. An instant that ends with Z is in
/// UTC.
fn since(text: &str) -> Option<Form> {
    let text = match text {
        "unix" => "seconds since 1970-01-01Z",
        "unix ms" => "milliseconds since 1970-01-01Z",
        "excel" => "days since 1899-12-30",
        text => text,
    };
    let (unit, begin) = text.split_once(" since ")?;
    let unit = match unit {
        "days" => DAY * NANOS_PER_SECOND,
        "hours" => 3_600 * NANOS_PER_SECOND,
        "minutes" => 60 * NANOS_PER_SECOND,
        "seconds" => NANOS_PER_SECOND,
        "milliseconds" => 1_000_000,
        "microseconds" => 1_000,
        "nanoseconds" => 1,
        _ => return None,
    };
    let (begin, is_utc) = match begin.strip_suffix('Z') {
        Some(begin) => (begin, true),
        None => (begin, false),
    };
    let begin =
        LocalTime::parse(begin.as_bytes()).or_else(|| LocalTime::parse(format!("{begin} 00:00:00").as_bytes()))?;
    Some(Form::Since { unit, begin, is_utc })
}

/// A decimal number of units in nanoseconds. Digits below the precision of a double at this size are rounded: the
/// fraction of a day to milliseconds.
fn scaled(text: &[u8], unit: i64) -> Option<i64> {
    let text = std::str::from_utf8(text).ok()?;
    if let Ok(whole) = text.parse::<i64>() {
        return whole.checked_mul(unit);
    }
    if text.bytes().any(|byte| byte.is_ascii_alphabetic() && !matches!(byte, b'e' | b'E')) {
        return None;
    }
    let value: f64 = text.parse().ok()?;
    let whole = value.trunc();
    let grain = if unit >= 60 * NANOS_PER_SECOND { 1_000_000 } else { 1_000 };
    if !whole.is_finite() || whole.abs() > 9.0e15 {
        return None;
    }
    #[allow(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "both are within bounds")]
    let (whole, part) = (whole as i64, ((value - whole) * unit as f64 / f64::from(grain)).round() as i64);
    let nanos = part * i64::from(grain);
    let nanos = if unit == DAY * NANOS_PER_SECOND { meant(nanos, decimals(text)) } else { nanos };
    whole.checked_mul(unit)?.checked_add(nanos)
}

/// The digits after the decimal point, if the number is written with one.
fn decimals(text: &str) -> u32 {
    let digits = text.trim().split_once('.').map_or("", |(_, digits)| digits);
    let count = if digits.bytes().all(|byte| byte.is_ascii_digit()) { digits.len() } else { 0 };
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// The time of day that a fraction of a day with this number of digits means. Five digits are steps of 0.864 s, and
/// 0.02083 is 00:30:00, not 00:29:59.712: of the times that are written with these digits, the one on the coarsest
/// grid. A fraction of one or two digits is unchanged, because its trailing zeros were left out, and so is a whole
/// second.
fn meant(nanos: i64, decimals: u32) -> i64 {
    const GRIDS: [i64; 7] = [3_600, 1_800, 900, 600, 300, 60, 1];
    let Some(step) = (3..=8).contains(&decimals).then(|| DAY * NANOS_PER_SECOND / 10_i64.pow(decimals)) else {
        return nanos;
    };
    if nanos % NANOS_PER_SECOND == 0 {
        return nanos;
    }
    let on = |grid: i64| (nanos + grid / 2).div_euclid(grid) * grid;
    let grids = GRIDS.iter().map(|grid| on(grid * NANOS_PER_SECOND));
    grids.into_iter().find(|at| (nanos - at).abs() * 2 <= step).unwrap_or(nanos)
}

/// The items of a format; None if a letter is not supported here.
fn items(text: &str) -> Option<Vec<Item>> {
    let mut items: Vec<Item> = Vec::new();
    let number = |items: &mut Vec<Item>, number| match items.last_mut() {
        Some(Item::Numbers(run)) => run.push(number),
        _ => items.push(Item::Numbers(vec![number])),
    };
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        if letter != '%' {
            items.push(if letter.is_whitespace() { Item::Blank } else { Item::Literal(letter.into()) });
            continue;
        }
        let mut letter = letters.next()?;
        if matches!(letter, '-' | '_' | '0') {
            letter = letters.next()?;
        }
        match letter {
            'Y' => number(&mut items, Number::Year),
            'y' => number(&mut items, Number::ShortYear),
            'm' => number(&mut items, Number::Month),
            'd' | 'e' => number(&mut items, Number::Day),
            'j' => number(&mut items, Number::DayOfYear),
            'H' | 'k' => number(&mut items, Number::Hour),
            'I' | 'l' => number(&mut items, Number::Hour12),
            'M' => number(&mut items, Number::Minute),
            'S' => number(&mut items, Number::Second),
            'b' | 'B' | 'h' => items.push(Item::MonthName),
            'a' | 'A' => items.push(Item::DayName),
            'p' | 'P' => items.push(Item::HalfDay),
            'z' | 'Z' => items.push(Item::Offset),
            '%' => items.push(Item::Literal("%".to_owned())),
            'F' => items.extend(self::items("%Y-%m-%d")?),
            'T' => items.extend(self::items("%H:%M:%S")?),
            'R' => items.extend(self::items("%H:%M")?),
            'D' => items.extend(self::items("%m/%d/%y")?),
            // Seconds accept a fraction anyway.
            '.' => {
                if letters.peek().is_some_and(char::is_ascii_digit) {
                    letters.next();
                }
                (letters.next()? == 'f').then_some(())?;
                items.push(fraction(&items));
            }
            'f' => match items.last() {
                Some(Item::Literal(letter)) if !matches!(letter.as_str(), "." | ",") => items.push(Item::Decimals),
                last => {
                    if let Some(Item::Literal(_)) = last {
                        items.pop();
                    }
                    items.push(fraction(&items));
                }
            },
            ':' => {
                (letters.next()? == 'z').then_some(())?;
                items.push(Item::Offset);
            }
            _ => return None,
        }
    }
    Some(items)
}

/// The fraction after these items: of the hour, if the hour is the last of them.
fn fraction(items: &[Item]) -> Item {
    match items.last() {
        Some(Item::Numbers(run)) if run.last() == Some(&Number::Hour) => Item::HourFraction,
        _ => Item::Fraction,
    }
}

fn is_a_date(items: &[Item]) -> bool {
    let numbers =
        || items.iter().filter_map(|item| if let Item::Numbers(run) = item { Some(run) } else { None }).flatten();
    let has = |wanted: Number| numbers().any(|number| *number == wanted);
    let has_month = has(Number::Month) || items.contains(&Item::MonthName);
    let has_hour = has(Number::Hour) || has(Number::Hour12);
    (has(Number::Year) || has(Number::ShortYear))
        && ((has_month && has(Number::Day)) || has(Number::DayOfYear))
        && (has_hour || !(has(Number::Minute) || has(Number::Second)))
        && (has(Number::Hour) || !has(Number::Hour12) || items.contains(&Item::HalfDay))
}

/// Whether chrono can parse what it writes with this format.
fn is_written_by_chrono(text: &str) -> bool {
    use std::fmt::Write as _;
    let Some(noon) = NaiveDate::from_ymd_opt(2026, 6, 1).and_then(|day| day.and_hms_opt(12, 0, 0)) else {
        return false;
    };
    let mut written = String::new();
    write!(written, "{}", noon.format(text)).is_ok() && LocalTime::parse_with(&written, text).is_some()
}

impl Parts {
    /// Parses one item at the beginning of `rest`, and returns the text after it.
    fn take<'t>(&mut self, item: &Item, rest: &'t [u8]) -> Option<&'t [u8]> {
        match item {
            Item::Literal(letter) => rest.strip_prefix(letter.as_bytes()),
            Item::Blank => Some(rest.trim_ascii_start()),
            Item::Numbers(run) => self.numbers(run, rest.trim_ascii_start()),
            Item::Fraction => Some(rest),
            Item::HourFraction => Some(match rest {
                [b'.' | b',', digits @ ..] => self.fraction_of_hour(digits)?,
                rest => rest,
            }),
            Item::Decimals => self.decimals(rest),
            Item::MonthName => {
                let length = letters(rest);
                let month = month(rest.get(..length)?)?;
                self.month = Some(month);
                Some(rest.get(length..)?.strip_prefix(b".").unwrap_or(&rest[length..]))
            }
            Item::DayName => {
                let length = letters(rest);
                (length >= 2).then(|| &rest[length..])
            }
            Item::HalfDay => {
                let rest = rest.trim_ascii_start();
                let half = rest.get(..2)?;
                self.is_afternoon = Some(match half {
                    _ if half.eq_ignore_ascii_case(b"am") => false,
                    _ if half.eq_ignore_ascii_case(b"pm") => true,
                    _ if half.eq_ignore_ascii_case(b"a.") => false,
                    _ if half.eq_ignore_ascii_case(b"p.") => true,
                    _ => return None,
                });
                let length = if half[1] == b'.' { 4 } else { 2 };
                rest.get(length..)
            }
            Item::Offset => self.offset(rest.trim_ascii_start()),
        }
    }

    fn numbers<'t>(&mut self, run: &[Number], rest: &'t [u8]) -> Option<&'t [u8]> {
        let wanted: usize = run.iter().map(|number| number.width()).sum();
        let found = rest.iter().take(wanted).take_while(|byte| byte.is_ascii_digit()).count();
        let (digits, mut rest) = rest.split_at(found);
        if found == 0 {
            return None;
        }
        if let [one] = run {
            self.set(*one, number(digits));
        } else {
            // Only hours and minutes may lack leading zeros: 58 is 00:58.
            let is_clock = run.first() == Some(&Number::Hour);
            if found < wanted && !is_clock {
                return None;
            }
            let mut end = found;
            for one in run.iter().rev() {
                let begin = end.saturating_sub(one.width());
                self.set(*one, number(&digits[begin..end]));
                end = begin;
            }
        }
        if run.last() == Some(&Number::Second)
            && let [b'.' | b',', fraction @ ..] = rest
        {
            rest = self.decimals(fraction).unwrap_or(rest);
        }
        Some(rest)
    }

    /// Reads the digits of a fraction; at least one is required.
    fn decimals<'t>(&mut self, text: &'t [u8]) -> Option<&'t [u8]> {
        let count = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let kept = count.min(9);
        (count > 0).then_some(())?;
        let scale = 10_u32.pow(u32::try_from(9 - kept).ok()?);
        self.nanos = number(&text[..kept]) * scale;
        Some(&text[count..])
    }

    /// Reads the digits of the fraction of an hour. 0.33 is 20 minutes, not 19 minutes and 48 seconds: of the times that are
    /// written with these digits, the one on the coarsest grid of minutes. A single digit is exact.
    fn fraction_of_hour<'t>(&mut self, text: &'t [u8]) -> Option<&'t [u8]> {
        const GRIDS: [u64; 5] = [1_800, 900, 600, 300, 60];
        const SECOND: u64 = NANOS_PER_SECOND.unsigned_abs();
        let rest = self.decimals(text)?;
        let count = u32::try_from(text.len() - rest.len()).unwrap_or(u32::MAX);
        let nanos = u64::from(std::mem::take(&mut self.nanos)) * 3_600;
        let step = if (2..=8).contains(&count) { 3_600 * SECOND / 10_u64.pow(count) } else { 0 };
        let mut grids = GRIDS.iter().map(|grid| (nanos + grid * SECOND / 2) / (grid * SECOND) * (grid * SECOND));
        let nanos = grids.find(|at| nanos.abs_diff(*at) * 2 <= step).unwrap_or(nanos);
        let part = |unit: u64, of: u64| u32::try_from(nanos / unit % of).unwrap_or_default();
        (self.minute, self.second, self.nanos) = (part(60 * SECOND, 60), part(SECOND, 60), part(1, SECOND));
        Some(rest)
    }

    fn set(&mut self, which: Number, value: u32) {
        match which {
            Number::Year => self.year = Some(value),
            // The same rule as in chrono and POSIX.
            Number::ShortYear => self.year = Some(if value < 70 { 2000 + value } else { 1900 + value }),
            Number::Month => self.month = Some(value),
            Number::Day => self.day = Some(value),
            Number::DayOfYear => self.day_of_year = Some(value),
            Number::Hour | Number::Hour12 => (self.hour, self.has_time) = (value, true),
            Number::Minute => self.minute = value,
            Number::Second => self.second = value,
        }
    }

    /// Parses `Z`, `UTC`, `+01:00`, `-0500`, `+01`.
    fn offset<'t>(&mut self, rest: &'t [u8]) -> Option<&'t [u8]> {
        for name in [&b"UTC"[..], b"GMT", b"Z", b"z"] {
            if let Some(rest) = rest.strip_prefix(name) {
                self.offset = Some(0);
                return Some(rest);
            }
        }
        let (sign, rest) = match rest {
            [b'+', rest @ ..] => (1, rest),
            [b'-', rest @ ..] => (-1, rest),
            _ => return None,
        };
        let (hours, rest) = rest.split_at_checked(2)?;
        let rest = rest.strip_prefix(b":").unwrap_or(rest);
        let (minutes, rest) = if rest.len() >= 2 { rest.split_at(2) } else { (&b"00"[..], rest) };
        if !hours.iter().chain(minutes).all(u8::is_ascii_digit) {
            return None;
        }
        let (hours, minutes) = (number(hours), number(minutes));
        (hours < 24 && minutes < 60).then_some(())?;
        self.offset = Some(sign * i64::from(hours * 3_600 + minutes * 60));
        Some(rest)
    }

    fn stamp(&self, midnight_ends_the_day: bool) -> Option<StampRead> {
        let year = self.year.filter(|year| (1678..=2261).contains(year))?;
        let day = match (self.day_of_year, self.month, self.day) {
            (Some(day), ..) => {
                let days = 365 + u32::from(days_since_1970(year, 2, 29).is_some());
                (1..=days).contains(&day).then_some(())?;
                days_since_1970(year, 1, 1)? + i64::from(day) - 1
            }
            (None, Some(month), Some(day)) => days_since_1970(year, month, day)?,
            _ => return None,
        };
        let hour = match self.is_afternoon {
            None => self.hour,
            Some(is_afternoon) => {
                // 12 AM is midnight, 12 PM is noon. Some programs write 13 PM.
                match (self.hour, is_afternoon) {
                    (12, false) => 0,
                    (hour @ 1..12, true) => hour + 12,
                    (hour, _) => hour,
                }
            }
        };
        let is_full = self.minute == 0 && self.second == 0 && self.nanos == 0;
        if self.minute > 59 || self.second > 59 || hour > 24 || (hour == 24 && !is_full) {
            return None;
        }
        let ends = midnight_ends_the_day && self.has_time && hour == 0 && is_full;
        let day = day + i64::from(ends);
        let seconds = day * DAY + i64::from(hour * 3_600 + self.minute * 60 + self.second) - self.offset.unwrap_or(0);
        let nanos = seconds.checked_mul(NANOS_PER_SECOND)?.checked_add(i64::from(self.nanos))?;
        Some(StampRead { time: LocalTime::from_nanos(nanos), is_utc: self.offset.is_some() })
    }
}

/// Parses at most nine digits.
fn number(digits: &[u8]) -> u32 {
    digits.iter().fold(0, |number, byte| number * 10 + u32::from(byte - b'0'))
}

fn letters(text: &[u8]) -> usize {
    text.iter().take_while(|byte| byte.is_ascii_alphabetic() || **byte >= 0x80).count()
}

/// The number of a month with this English name or its first three letters; also German, French, Spanish and Italian
/// names that differ.
fn month(name: &[u8]) -> Option<u32> {
    const NAMES: [&[&str]; 12] = [
        &["jan", "ene", "gen"],
        &["feb", "fev", "fév"],
        &["mar", "mär", "mrz"],
        &["apr", "avr", "abr"],
        &["may", "mai", "mag"],
        &["jun", "juin", "giu"],
        &["jul", "juil", "lug"],
        &["aug", "aou", "aoû", "ago"],
        &["sep", "set"],
        &["oct", "okt", "ott"],
        &["nov"],
        &["dec", "dez", "déc", "dic"],
    ];
    let name = String::from_utf8_lossy(name).to_lowercase();
    let place = NAMES.iter().position(|names| names.iter().any(|known| name.starts_with(known)));
    place.and_then(|place| u32::try_from(place + 1).ok()).filter(|_| name.chars().count() >= 3)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(format: &str, text: &str) -> Option<String> {
        let read = StampFormat::new(Some(format)).unwrap().read(text.as_bytes())?;
        Some(format!("{}{}", read.time, if read.is_utc { "Z" } else { "" }))
    }

    #[test]
    fn stamps_are_read_as_files_write_them() {
        for (format, text, time) in [
            ("%m/%d/%Y %H:%M", "6/1/2021 9:05", "2021-06-01 09:05:00"),
            ("%m/%d/%Y %H:%M", "06/25/2021 24:00", "2021-06-26 00:00:00"),
            ("%d.%m.%y %H:%M:%S", "25.06.21 09:05:07.25", "2021-06-25 09:05:07.25"),
            ("%d.%m.%Y %H:%M:%S", "25.06.2021 09:05:07,5", "2021-06-25 09:05:07.5"),
            ("%d-%b-%Y %I:%M %p", "25-Jun-2021 12:05 AM", "2021-06-25 00:05:00"),
            ("%d-%b-%Y %I:%M:%S %p", "25-Jun-2021 1:05:00 PM", "2021-06-25 13:05:00"),
            ("%d %B %Y", "1 März 2021", "2021-03-01 00:00:00"),
            ("%Y %j %H%M", "2004 151 58", "2004-05-30 00:58:00"),
            ("%Y %j %H%M", "2004 366 2400", "2005-01-01 00:00:00"),
            ("%Y%m%d%H%M", "202106250905", "2021-06-25 09:05:00"),
            ("%Y-%m-%dT%H:%M:%S%z", "2021-06-25T09:05:00-05:00", "2021-06-25 14:05:00Z"),
            ("%Y-%m-%dT%H:%M:%S%z", "2021-06-25T09:05:00Z", "2021-06-25 09:05:00Z"),
            ("%Y-%m-%d %H:%M:%S%.f", "2021-06-25 09:05:00.5", "2021-06-25 09:05:00.5"),
            ("%Y-%m-%d %H:%M:%S.%f", "2021-06-25 09:05:00.000250", "2021-06-25 09:05:00.00025"),
            ("%Y-%m-%d %H:%M:%S:%f", "2021-06-25 09:05:00:250", "2021-06-25 09:05:00.25"),
            ("%Y-%m-%d %H:%M%24", "2021-06-25 00:00", "2021-06-26 00:00:00"),
            ("%Y-%m-%d %H:%M%24", "2021-06-25 00:30", "2021-06-25 00:30:00"),
            ("unix", "1624611900.5", "2021-06-25 09:05:00.5Z"),
            ("unix ms", "1624611900500", "2021-06-25 09:05:00.5Z"),
            ("excel", "44372.3784722222", "2021-06-25 09:05:00"),
            ("excel", "46354.02083", "2026-11-28 00:30:00"),
            ("excel", "46354.04167", "2026-11-28 01:00:00"),
            ("excel", "46354.0208", "2026-11-28 00:30:00"),
            ("excel", "46354.021", "2026-11-28 00:30:00"),
            ("excel", "46354.02084", "2026-11-28 00:30:01"),
            ("excel", "46354.00694", "2026-11-28 00:10:00"),
            ("excel", "46354.005", "2026-11-28 00:07:12"),
            ("excel", "46354.4", "2026-11-28 09:36:00"),
            ("excel", "46354.0208362268", "2026-11-28 00:30:00.25"),
            ("days since 1970-01-01", "20785.99999", "2026-11-28 23:59:59"),
            ("hours since 2021-06-25 00:00:00", "9.5", "2021-06-25 09:30:00"),
            ("%Y-%m-%d", "2021-06-25", "2021-06-25 00:00:00"),
            ("%Y-%m-%d %H", "2021-06-25 9", "2021-06-25 09:00:00"),
            ("%Y-%m-%d %H", "2021-06-25 24", "2021-06-26 00:00:00"),
            ("%Y-%m-%d %H%.f", "2021-06-25 9.50", "2021-06-25 09:30:00"),
            ("%Y-%m-%d %H%.f", "2021-06-25 9", "2021-06-25 09:00:00"),
            ("%Y-%m-%d %H%.f", "2021-06-25 24.0", "2021-06-26 00:00:00"),
            ("%Y %j %H%.f", "2021 176 0,5", "2021-06-25 00:30:00"),
            ("%Y-%m-%d %H%.f", "2021-06-25 9.33", "2021-06-25 09:20:00"),
            ("%Y-%m-%d %H%.f", "2021-06-25 9.67", "2021-06-25 09:40:00"),
            ("%Y-%m-%d %H%.f", "2021-06-25 9.08", "2021-06-25 09:05:00"),
            ("%Y-%m-%d %H%.f", "2021-06-25 9.0166667", "2021-06-25 09:01:00"),
            ("%Y-%m-%d %H%.f", "2021-06-25 9.1", "2021-06-25 09:06:00"),
        ] {
            assert_eq!(read(format, text).as_deref(), Some(time), "{text} by {format}");
        }
    }

    #[test]
    fn what_a_format_does_not_say_is_no_time() {
        for (format, text) in [
            ("%m/%d/%Y %H:%M", "25/06/2021 09:05"),
            ("%m/%d/%Y %H:%M", "06/25/2021"),
            ("%m/%d/%Y %H:%M", "06/25/2021 09:05:00"),
            ("%d.%m.%Y %H:%M", "31.04.2021 09:05"),
            ("%Y %j %H%M", "2005 366 0"),
            ("%Y %j %H%M", "2005 36 2401"),
            ("%Y%m%d%H%M", "2021062509"),
            ("unix", "NAN"),
            ("unix", ""),
            ("excel", "inf"),
            ("%Y-%m-%d %H:%M:%S:%f", "2021-06-25 09:05:00:"),
            ("%Y-%m-%d %H:%M%z", "2021-06-25 09:05"),
            ("%Y-%m-%d %H%.f", "2021-06-25 24.50"),
            ("%Y-%m-%d %H%.f", "2021-06-25 9."),
            ("%Y-%m-%d %H%.f", "2021-06-25 9.50.0"),
        ] {
            assert_eq!(read(format, text), None, "{text} by {format}");
        }
    }

    #[test]
    fn chrono_reads_what_is_read_here_alike() {
        for (format, text) in [
            ("%m/%d/%Y %H:%M", "06/05/2021 09:05"),
            ("%y%m%d %H:%M:%S", "690605 09:05:59"),
            ("%y%m%d %H:%M:%S", "700605 09:05:59"),
            ("%d %b %Y %l:%M %p", "05 Jun 2021  9:05 PM"),
            ("%Y %j %H:%M", "2020 366 23:59"),
            ("%D %R", "06/05/21 09:05"),
        ] {
            let chrono = LocalTime::parse_with(text, format).unwrap().to_string();
            assert_eq!(read(format, text), Some(chrono), "{text} by {format}");
        }
    }
}
