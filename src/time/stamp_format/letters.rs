//! Formats of strftime letters: they are parsed once, and each stamp is then read in one pass.

use super::counted::meant;
use super::{DAY, StampRead};
use crate::time::{LocalTime, NANOS_PER_SECOND, days_since_1970};

/// A format of letters that are all supported here.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Letters {
    items: Vec<Item>,
    midnight_ends_the_day: bool,
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
    /// The fraction of a day, behind the day of the year: 130.5 is noon.
    DayFraction,
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

impl Letters {
    /// None if a letter is not supported here.
    pub(super) fn of(text: &str, midnight_ends_the_day: bool) -> Option<Letters> {
        Some(Letters { items: items(text)?, midnight_ends_the_day })
    }

    /// Whether they name a whole date, and a time of day without a hole.
    pub(super) fn are_a_date(&self) -> bool {
        let numbers = || {
            self.items.iter().filter_map(|item| if let Item::Numbers(run) = item { Some(run) } else { None }).flatten()
        };
        let has = |wanted: Number| numbers().any(|number| *number == wanted);
        let has_month = has(Number::Month) || self.items.contains(&Item::MonthName);
        let has_hour = has(Number::Hour) || has(Number::Hour12);
        (has(Number::Year) || has(Number::ShortYear))
            && ((has_month && has(Number::Day)) || has(Number::DayOfYear))
            && (has_hour || !(has(Number::Minute) || has(Number::Second)))
            && (has(Number::Hour) || !has(Number::Hour12) || self.items.contains(&Item::HalfDay))
    }

    /// Parses a stamp.
    #[inline]
    pub(super) fn read(&self, text: &[u8]) -> Option<StampRead> {
        let mut parts = Parts::default();
        let mut rest = text.trim_ascii();
        for item in &self.items {
            rest = parts.take(item, rest)?;
        }
        rest.is_empty().then_some(())?;
        parts.stamp(self.midnight_ends_the_day)
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
    /// Whether the day behind the last of the year is its end: days with a fraction have no hour 24.
    may_end_the_year: bool,
    /// The offset in seconds east of Greenwich.
    offset: Option<i64>,
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

/// The fraction after these items: of the hour or the day of the year, if that is the last of them.
fn fraction(items: &[Item]) -> Item {
    match items.last() {
        Some(Item::Numbers(run)) if run.last() == Some(&Number::Hour) => Item::HourFraction,
        Some(Item::Numbers(run)) if run.last() == Some(&Number::DayOfYear) => Item::DayFraction,
        _ => Item::Fraction,
    }
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
            Item::DayFraction => {
                self.may_end_the_year = true;
                Some(match rest {
                    [b'.' | b',', digits @ ..] => self.fraction_of_day(digits)?,
                    rest => rest,
                })
            }
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
                self.is_afternoon = Some(match rest.first()?.to_ascii_lowercase() {
                    b'a' => false,
                    b'p' => true,
                    _ => return None,
                });
                // AM, a.m., and A alone.
                let length = match rest.get(1).map(u8::to_ascii_lowercase) {
                    Some(b'm') => 2,
                    Some(b'.') => 4,
                    Some(letter) if letter.is_ascii_alphabetic() => return None,
                    _ => 1,
                };
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

    /// Reads the digits of the fraction of a day.
    fn fraction_of_day<'t>(&mut self, text: &'t [u8]) -> Option<&'t [u8]> {
        let rest = self.decimals(text)?;
        let count = u32::try_from(text.len() - rest.len()).unwrap_or(u32::MAX);
        // Nine digits are steps of 86 microseconds.
        let nanos = (i64::from(std::mem::take(&mut self.nanos)) * DAY + 500_000) / 1_000_000 * 1_000_000;
        let nanos = meant(nanos, count);
        let part = |unit: i64, of: i64| u32::try_from(nanos / unit % of).unwrap_or_default();
        self.hour = u32::try_from(nanos / (3_600 * NANOS_PER_SECOND)).unwrap_or_default();
        (self.minute, self.second) = (part(60 * NANOS_PER_SECOND, 60), part(NANOS_PER_SECOND, 60));
        (self.nanos, self.has_time) = (part(1, NANOS_PER_SECOND), true);
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

    fn is_midnight(&self) -> bool {
        self.hour == 0 && self.minute == 0 && self.second == 0 && self.nanos == 0
    }

    fn stamp(&self, midnight_ends_the_day: bool) -> Option<StampRead> {
        let year = self.year.filter(|year| (1678..=2261).contains(year))?;
        let day = match (self.day_of_year, self.month, self.day) {
            (Some(day), ..) => {
                let days = 365 + u32::from(days_since_1970(year, 2, 29).is_some());
                let is_end = self.may_end_the_year && day == days + 1 && self.is_midnight();
                ((1..=days).contains(&day) || is_end).then_some(())?;
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
