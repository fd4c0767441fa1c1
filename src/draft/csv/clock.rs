//! Decides what a time of day is that is a bare number beside a date.
//!
//! `14` may be 14:00 or 00:14, `0.50` half past midnight or ten to one. A wrong choice gives every row a wrong time that looks
//! right, so a form is taken only if every row can be read by it, and of two such forms the values decide: their range,
//! their digits and whether the rows are then at equal intervals. Then the column's name decides. Where nothing
//! decides, a CHECK says both readings. A number beside a date is no time of day at all if the dates alone tell the
//! rows apart: it is a value, such as the rain of each day.

use std::borrow::Cow;
use std::collections::HashSet;

use super::forms::Format;
use super::time::{Reading, joined, nanos, reading};

/// Where the time may be.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place<'a> {
    /// The columns, of which the last one ends with the time of day.
    pub(super) columns: &'a [usize],
    /// The format of the date.
    pub(super) date: &'a Format,
    /// What stands between date and time of day, if one column has both.
    pub(super) join: &'a str,
    /// The name of the column with the time of day, if it is a column of its own.
    pub(super) name: Option<&'a str>,
    /// Whether year, month and day are columns that are named or known by their values, so that the time of day belongs to them.
    pub(super) is_of_parts: bool,
}

impl Place<'_> {
    /// The date and the text of the time of day.
    fn split<'r>(&self, row: &'r [String]) -> Option<(i64, &'r str)> {
        let (day, clock) = match self.columns {
            [column] => {
                let (day, clock) = row.get(*column)?.trim().rsplit_once(self.join)?;
                (Cow::Borrowed(day), clock)
            }
            [day, clock] => (Cow::Borrowed(row.get(*day)?.as_str()), row.get(*clock)?.trim()),
            [days @ .., clock] => (Cow::Owned(joined(row, days)?), row.get(*clock)?.trim()),
            [] => return None,
        };
        Some((nanos(self.date.format.read(day.as_bytes())?.time), clock))
    }
}

/// Whether a date and a number as time of day stand at this place of a row.
pub(super) fn may_be(row: &[String], place: &Place<'_>) -> bool {
    place.split(row).is_some_and(|(_, clock)| is_clock(clock))
}

/// Whether a text is a time of day or begins with one: `12:30a`, `00h30`, `T00:30`, `0030Z`, `00:00-00:30`.
pub(super) fn is_text(text: &str) -> bool {
    let text = text.trim();
    let text = text.strip_prefix('T').unwrap_or(text).as_bytes();
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let number = |digits: &[u8]| digits.iter().fold(0_u32, |number, byte| number * 10 + u32::from(byte - b'0'));
    match (digits, &text[digits.min(4)..]) {
        (1 | 2, [b':' | b'h' | b'H', tens @ b'0'..=b'5', ones @ b'0'..=b'9', ..]) => {
            number(&text[..digits]) <= 24 && number(&[*tens, *ones]) < 60
        }
        (4, [b'Z', ..]) => number(&text[..2]) <= 24 && number(&text[2..4]) < 60,
        _ => false,
    }
}

/// Whether a column's name says that it has times of day, and nothing else: a number in `Uptime` may be anything.
pub(super) fn is_named(name: &str) -> bool {
    const TIMES: [&str; 8] = ["time", "clock", "uhrzeit", "zeit", "hora", "heure", "ora", "tijd"];
    matches!(Named::of(name), Named::Hours | Named::HoursMinutes)
        || TIMES.contains(&name.trim().to_lowercase().as_str())
}

/// The forms of a time of day that is a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Hours,
    HoursMinutes,
    HoursMinutesSeconds,
    DecimalHours,
    HoursPointMinutes,
}

impl Form {
    fn letters(self) -> &'static str {
        match self {
            Form::Hours => "%H",
            Form::HoursMinutes => "%H%M",
            Form::HoursMinutesSeconds => "%H%M%S",
            Form::DecimalHours => "%H%.f",
            Form::HoursPointMinutes => "%H.%M",
        }
    }
}

/// What a column's name says of its values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Named {
    Hours,
    HoursMinutes,
    /// A time of day in any form.
    Time,
    /// Something else, or nothing.
    Other,
}

impl Named {
    fn of(name: &str) -> Named {
        let name = name.trim().to_lowercase();
        let has = |parts: &[&str]| parts.iter().any(|part| name.contains(part));
        if has(&["hhmm", "hh:mm", "hourmin", "hour_min", "hour/min", "hour min", "hrmn", "hrmin"]) {
            Named::HoursMinutes
        } else if name != "hours" && (name.starts_with("hour") || ["hr", "hh", "stunde"].contains(&name.as_str())) {
            Named::Hours
        } else if ["hora", "heure", "ora", "clock"].contains(&name.as_str())
            || name.starts_with("time")
            || name.ends_with("time")
            || name.ends_with("zeit")
        {
            Named::Time
        } else {
            Named::Other
        }
    }
}

/// The numbers that stand where the time of day may be.
struct Numbers {
    texts: Vec<String>,
    /// The number of different dates.
    days: usize,
}

impl Numbers {
    fn of(rows: &[&[String]], place: &Place<'_>) -> Option<Numbers> {
        let first = rows.iter().position(|row| place.split(row).is_some_and(|(_, clock)| is_clock(clock)))?;
        let (mut texts, mut days, mut others) = (Vec::new(), HashSet::new(), 0);
        for (day, clock) in rows[first..].iter().filter_map(|row| place.split(row)) {
            if is_clock(clock) {
                days.insert(day);
                texts.push(clock.to_owned());
            } else {
                others += usize::from(!clock.is_empty());
            }
        }
        (others * 50 <= texts.len()).then_some(Numbers { texts, days: days.len() })
    }

    fn longest(&self) -> usize {
        self.texts.iter().map(String::len).max().unwrap_or(0)
    }

    fn different(&self) -> usize {
        self.texts.iter().collect::<HashSet<_>>().len()
    }

    /// The digits after the point; None of a whole number.
    fn fractions(&self) -> impl Iterator<Item = Option<&str>> {
        self.texts.iter().map(|text| text.split_once(['.', ',']).map(|(_, digits)| digits))
    }

    /// The forms that the digits allow.
    fn forms(&self) -> &'static [Form] {
        let largest = self.texts.iter().filter_map(|text| text.parse::<u32>().ok()).max().unwrap_or(0);
        if self.fractions().any(|digits| digits.is_some()) {
            let has_minutes = self.fractions().all(|digits| digits.is_some_and(|digits| digits.len() == 2));
            if has_minutes { &[Form::DecimalHours, Form::HoursPointMinutes] } else { &[Form::DecimalHours] }
        } else if self.longest() > 4 {
            &[Form::HoursMinutesSeconds]
        } else if self.longest() > 2 || largest > 24 {
            &[Form::HoursMinutes]
        } else if self.texts.iter().any(|text| text.len() == 2 && text.starts_with('0')) {
            // Minutes after midnight without leading zeros are 0 to 9.
            &[Form::Hours]
        } else {
            &[Form::Hours, Form::HoursMinutes]
        }
    }
}

/// Whether the text is a number without a sign, with a fraction or without one.
fn is_clock(text: &str) -> bool {
    let (whole, fraction) = text.split_once(['.', ',']).unwrap_or((text, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits(whole) && digits(fraction) && whole.len() <= 6
}

/// The time at this place, if a time of day stands there that is a number.
pub(super) fn decide(rows: &[&[String]], place: &Place<'_>) -> Option<Reading> {
    let numbers = Numbers::of(rows, place)?;
    let named = place.name.map_or(Named::Other, Named::of);
    let date = place.date.text.as_deref()?;
    let join = if place.columns.len() > 1 { " " } else { place.join };
    let mut found: Vec<(Form, Reading)> = Vec::new();
    for form in numbers.forms() {
        let Some(way) = Format::new(Some(&format!("{date}{join}{}", form.letters()))) else { continue };
        let reads = |row: &&&[String]| {
            joined(row, place.columns).is_some_and(|text| way.format.read(text.as_bytes()).is_some())
        };
        if rows.iter().filter(reads).count() * 50 >= numbers.texts.len() * 49 {
            found.extend(reading(rows, place.columns, &way).map(|reading| (*form, reading)));
        }
    }
    let mut doubt = None;
    if let [(_, one), (_, other)] = found.as_slice() {
        let (taken, is_sure) = better(one, other, &numbers, named);
        if !is_sure {
            doubt = Some(both(&found[taken], &found[1 - taken], place.name));
        }
        found.swap(0, taken);
    }
    let (form, mut best) = found.into_iter().next()?;
    if form == Form::HoursMinutes && numbers.longest() <= 2 && numbers.different() > 1 && named != Named::HoursMinutes {
        doubt = Some(format!(
            "CHECK: {} is read as hours and minutes (30 is 00:30), and no value is above 59: if it counts minutes or seconds, no \
             time_format can read it.",
            called(place.name)
        ));
    }
    let is_sound = best.back * 10 <= best.rows;
    if place.columns.len() > 1 && !place.is_of_parts {
        let tells_apart = numbers.days * 2 <= numbers.texts.len();
        let is_whole = matches!(form, Form::Hours | Form::HoursMinutes | Form::HoursMinutesSeconds);
        match named {
            // Hours with a fraction beside each day may be a duration.
            Named::Hours if !tells_apart && !is_whole => return None,
            Named::Other => {
                // Levels and counters begin again with each date, too, but not at equal intervals of a whole day.
                let is_even = best.back == 0 && best.same == 0 && best.alike >= 950;
                if !tells_apart || !is_even || (place.name.is_some() && numbers.days == 1) {
                    return None;
                }
                if place.name.is_some() {
                    let text = best.way.text.as_deref().unwrap_or_default();
                    doubt.get_or_insert_with(|| {
                        format!(
                            "CHECK: {} is read as the time of day, by \"{text}\", because the rows are then at equal intervals; its \
                             name does not say so.",
                            called(place.name)
                        )
                    });
                }
            }
            _ => {}
        }
    }
    best.doubt = doubt;
    is_sound.then_some(best)
}

/// Which of two readings is the better one, and whether that is sure. The first is hours, with a fraction or without
/// one.
fn better(hours: &Reading, minutes: &Reading, numbers: &Numbers, named: Named) -> (usize, bool) {
    if (hours.back, hours.same) != (minutes.back, minutes.same) {
        return (usize::from((minutes.back, minutes.same) < (hours.back, hours.same)), true);
    }
    // Hours without minutes: both readings are equal.
    if numbers.different() == 1 && numbers.texts.iter().all(|text| text.bytes().all(|byte| matches!(byte, b'0' | b'.')))
    {
        return (usize::from(named != Named::Hours), true);
    }
    let is_whole = numbers.fractions().all(|digits| digits.is_none());
    let fractions: HashSet<&str> = numbers.fractions().flatten().collect();
    if !is_whole && fractions.iter().all(|digits| *digits == "00") {
        return (0, true);
    }
    let is_even = |reading: &Reading| reading.alike >= 990 && reading.rows >= 4;
    match (is_even(hours), is_even(minutes)) {
        (true, false) => return (0, true),
        (false, true) => return (1, true),
        _ => {}
    }
    match named {
        Named::Hours if is_whole => return (0, true),
        Named::HoursMinutes => return (1, true),
        _ => {}
    }
    if is_whole {
        // By the other reading, all rows of several days were in the first minutes of each day.
        return (0, numbers.days > 1 && numbers.different() > 2);
    }
    // Of ten fractions of an hour, hardly ever all are below 0.60.
    if fractions.len() >= 10 {
        return (1, true);
    }
    (usize::from(named != Named::Hours && minutes.alike >= hours.alike), false)
}

fn called(name: Option<&str>) -> String {
    name.map_or_else(|| "the number behind the date".to_owned(), |name| format!("the column {name}"))
}

fn both(taken: &(Form, Reading), other: &(Form, Reading), name: Option<&str>) -> String {
    let meant = |form: Form| match form {
        Form::Hours => "hours (14 is 14:00)",
        Form::DecimalHours => "hours with a fraction (0.50 is 00:30)",
        Form::HoursPointMinutes => "hours and minutes (0.50 is 00:50)",
        Form::HoursMinutes | Form::HoursMinutesSeconds => "hours and minutes (14 is 00:14)",
    };
    format!(
        "CHECK: {} is read as {}; the rows do not show whether it is {}. For that write time_format = \"{}\".",
        called(name),
        meant(taken.0),
        meant(other.0),
        other.1.way.text.as_deref().unwrap_or_default()
    )
}
