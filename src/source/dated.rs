//! Finds dates in the names of files and folders: a logger that makes one file per day writes
//! `Met_2026_10_14_0000.dat`, and the name of the next file differs only in date and number parts.

use std::ops::Range;

/// A date in a name, with its time where one follows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatePart {
    /// The byte range in the name.
    pub range: Range<usize>,
    /// Whether it names a day, a week or (by its name) a month of a year with four digits, so that the file surely does
    /// not keep this name for ever.
    pub is_sure: bool,
}

/// The characters that join the parts of a date.
const JOINTS: [u8; 4] = [b'_', b'-', b'.', b'T'];

/// A possible part of a date.
#[derive(Debug)]
struct Part {
    range: Range<usize>,
    kind: Kind,
    /// For the name of a month, the two digits of its number; for a week, the digits after the `W`.
    digits: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Number,
    Month,
    Week,
}

/// The dates in a name: `20261014`, `2026_10_14_0000`, `2026-10`, `2026_287`, `14-10-2026`, `261014`, `14Oct2026`,
/// `2026-W42`.
pub fn date_parts(name: &str) -> Vec<DatePart> {
    let parts = parts(name);
    let mut found = Vec::new();
    let mut at = 0;
    while at < parts.len() {
        match date_at(name.as_bytes(), &parts[at..]) {
            Some((taken, is_sure)) => {
                let last = at + taken - 1;
                found.push(DatePart { range: parts[at].range.start..parts[last].range.end, is_sure });
                at = last + 1;
            }
            None => at += 1,
        }
    }
    found
}

/// The name without dates, digits and the characters that join them: equal for two files that differ only in date and
/// number parts.
pub fn letters(name: &str) -> String {
    let dates = date_parts(name);
    let is_in_date = |at: usize| dates.iter().any(|date| date.range.contains(&at));
    let outside = name.char_indices().filter(|(at, c)| c.is_alphabetic() && !is_in_date(*at));
    outside.flat_map(|(_, c)| c.to_lowercase()).collect()
}

/// Runs of digits, months by their English names and weeks, in their order.
fn parts(name: &str) -> Vec<Part> {
    let bytes = name.as_bytes();
    let mut parts: Vec<Part> = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let run = |is: fn(&u8) -> bool| at + bytes[at..].iter().take_while(|byte| is(byte)).count();
        let end = run(u8::is_ascii_digit).max(run(u8::is_ascii_alphabetic)).max(at + 1);
        let Some(text) = name.get(at..end) else {
            at = end;
            continue;
        };
        if bytes[at].is_ascii_digit() {
            match parts.last_mut().filter(|part| part.kind == Kind::Week && part.range.end == at) {
                Some(week) => (week.range.end, week.digits) = (end, text.to_owned()),
                None => parts.push(Part { range: at..end, kind: Kind::Number, digits: text.to_owned() }),
            }
        } else if text.eq_ignore_ascii_case("w") {
            parts.push(Part { range: at..end, kind: Kind::Week, digits: String::new() });
        } else {
            // `Dec`, and the end of `MetDec`.
            let begins = [Some(0), text.rfind(|c: char| c.is_ascii_uppercase())];
            let month = begins.into_iter().flatten().find_map(|begin| {
                let month: chrono::Month = text.get(begin..)?.parse().ok()?;
                Some((at + begin, month.number_from_month()))
            });
            parts.extend(month.map(|(begin, number)| Part {
                range: begin..end,
                kind: Kind::Month,
                digits: format!("{number:02}"),
            }));
        }
        at = end;
    }
    parts
}

/// The number of parts that make a date beginning with the first part, and [`DatePart::is_sure`].
fn date_at(name: &[u8], parts: &[Part]) -> Option<(usize, bool)> {
    // Only parts with one joint between them are one date; letters need none.
    let are_joined = |pair: &[Part]| match pair[1].range.start - pair[0].range.end {
        0 => true,
        1 => JOINTS.contains(&name[pair[0].range.end]),
        _ => false,
    };
    let joined = 1 + parts.windows(2).take_while(|pair| are_joined(pair)).count();
    let part = |place: usize, kind: Kind| -> &[u8] {
        let part = parts.get(place).filter(|part| place < joined && part.kind == kind);
        part.map_or(&[][..], |part| part.digits.as_bytes())
    };
    let text = |place: usize| part(place, Kind::Number);
    let is_named = |place: usize| !part(place, Kind::Month).is_empty();
    let is_day_of_name = |place: usize| (1..=2).contains(&text(place).len()) && (1..=31).contains(&number(text(place)));
    let first = text(0);
    let (date, is_sure) = match first.len() {
        8 | 10 | 12 | 14 if is_year(&first[..4]) && is_month(&first[4..6]) && is_day(&first[6..8]) => (1, true),
        7 if is_year(&first[..4]) && is_day_of_year(&first[4..7]) => (1, true),
        6 if is_year(&first[..4]) && is_month(&first[4..6]) => (1, false),
        6 if is_month(&first[2..4]) && is_day(&first[4..6]) => (1, false),
        4 if is_year(first) && is_named(1) => (if is_day_of_name(2) { 3 } else { 2 }, true),
        // A day of the week may follow.
        4 if is_year(first) && is_week(part(1, Kind::Week)) => (if text(2).len() == 1 { 3 } else { 2 }, true),
        4 if is_year(first) && is_month(text(1)) && is_day(text(2)) => (3, true),
        4 if is_year(first) && text(1).len() == 3 && is_day_of_year(text(1)) => (2, true),
        4 if is_year(first) && is_month(text(1)) => (2, false),
        4 if is_year(first) && text(1).len() == 4 && is_month(&text(1)[..2]) && is_day(&text(1)[2..]) => (2, true),
        1 | 2 if is_day_of_name(0) && is_named(1) && is_year(text(2)) => (3, true),
        1 | 2 if is_day_of_name(0) && is_named(1) && text(2).len() == 2 => (3, false),
        2 if is_day(first) && is_month(text(1)) && is_year(text(2)) => (3, true),
        2 if is_month(first) && is_day(text(1)) && is_year(text(2)) => (3, true),
        0 if is_named(0) && is_year(text(1)) => (2, true),
        0 if is_named(0) && is_day_of_name(1) && is_year(text(2)) => (3, true),
        _ => return None,
    };
    // hhmm, hhmmss, or hh, mm and ss separately.
    let is_clock = |text: &[u8]| matches!(text.len(), 4 | 6) && number(&text[..2]) <= 24 && number(&text[2..4]) < 60;
    let is_two = |text: &[u8], end: usize| text.len() == 2 && number(text) < end;
    let time = if is_clock(text(date)) {
        1
    } else if is_two(text(date), 25) && is_two(text(date + 1), 60) {
        2 + usize::from(is_two(text(date + 2), 60))
    } else {
        0
    };
    Some((date + time, is_sure))
}

fn number(digits: &[u8]) -> usize {
    digits.iter().fold(0, |number, digit| number * 10 + usize::from(digit - b'0'))
}

fn is_year(digits: &[u8]) -> bool {
    digits.len() == 4 && (1980..=2099).contains(&number(digits))
}

fn is_month(digits: &[u8]) -> bool {
    digits.len() == 2 && (1..=12).contains(&number(digits))
}

fn is_day(digits: &[u8]) -> bool {
    digits.len() == 2 && (1..=31).contains(&number(digits))
}

/// `01`, and with a day of the week `011`.
fn is_week(digits: &[u8]) -> bool {
    let day = digits.get(2).map_or(1, |day| number(&[*day]));
    matches!(digits.len(), 2 | 3) && (1..=53).contains(&number(&digits[..2])) && (1..=7).contains(&day)
}

fn is_day_of_year(digits: &[u8]) -> bool {
    (1..=366).contains(&number(digits))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(name: &str) -> Vec<(&str, bool)> {
        date_parts(name).into_iter().map(|part| (&name[part.range], part.is_sure)).collect()
    }

    #[test]
    fn a_date_in_a_name_is_found_whole_with_its_time() {
        for (name, expected) in [
            ("Met_2026_10_14_0000.dat", vec![("2026_10_14_0000", true)]),
            ("TOA5_7001.Ceilo_2026_10_29_0000.dat", vec![("2026_10_29_0000", true)]),
            ("Met_20261014.dat", vec![("20261014", true)]),
            ("Met_20261014T120000.dat", vec![("20261014T120000", true)]),
            ("Met-2026-10-14_12-30-00.dat", vec![("2026-10-14_12-30-00", true)]),
            ("Met_2026_287.dat", vec![("2026_287", true)]),
            ("Met_2026287.dat", vec![("2026287", true)]),
            ("Met.14.10.2026.dat", vec![("14.10.2026", true)]),
            ("Met_261014.dat", vec![("261014", false)]),
            ("2026-10", vec![("2026-10", false)]),
            ("Met_20261001_20261031.dat", vec![("20261001", true), ("20261031", true)]),
            ("Ceilo_29Dec2025.dat", vec![("29Dec2025", true)]),
            ("Ceilo-5-JUN-2025_1200.dat", vec![("5-JUN-2025_1200", true)]),
            ("Ceilo_2025-December-29.dat", vec![("2025-December-29", true)]),
            ("Ceilo_sep_29_2025.dat", vec![("sep_29_2025", true)]),
            ("Ceilo_29dec25.dat", vec![("29dec25", false)]),
            ("Ceilo_May2025.dat", vec![("May2025", true)]),
            ("CeiloMay2025.dat", vec![("May2025", true)]),
            ("Ceilo_2025_May.dat", vec![("2025_May", true)]),
            ("Ceilo_2026-W01.dat", vec![("2026-W01", true)]),
            ("Ceilo_2026W53-7.dat", vec![("2026W53-7", true)]),
            ("Ceilo_2026w017.dat", vec![("2026w017", true)]),
        ] {
            assert_eq!(of(name), expected, "{name}");
        }
    }

    #[test]
    fn numbers_that_are_no_date_are_none() {
        for name in [
            "46m_PAR.dat",
            "CR3000_54321_met.dat",
            "met_2021.dat",
            "TOA5_7001.dat",
            "met_99999999.dat",
            "x_13_45_2026",
            "Mar_12.dat",
            "Smarty2025.dat",
            "may.dat",
            "2026-W54.dat",
            "W01.dat",
            "32Dec.dat",
            "\u{e9}2026W\u{e9}.dat",
        ] {
            assert_eq!(of(name), [], "{name}");
        }
    }

    #[test]
    fn names_that_differ_in_date_and_number_parts_have_the_same_letters() {
        assert_eq!(letters("Met_2026_10_14_0000.dat"), letters("Met_2026_11_01_0000.dat"));
        assert_eq!(letters("Ceilo_2026_10_*_0000.dat"), letters("ceilo_20261101.dat"));
        assert_eq!(letters("Ceilo_29Dec2025.dat"), letters("ceilo_1Jan2026.dat"));
        assert_eq!(letters("Ceilo_*Dec2025.dat"), letters("ceilo_1Jan2026.dat"));
        assert_ne!(letters("Met_20261014.dat"), letters("Soil_20261014.dat"));
    }
}
