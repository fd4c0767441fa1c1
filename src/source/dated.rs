//! Finds dates in the names of files and folders: a logger that makes one file per day writes
//! `Met_2026_10_14_0000.dat`, and the name of the next file differs only in date and number parts.

use std::ops::Range;

/// A date in a name, with its time where one follows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatePart {
    /// The byte range in the name.
    pub range: Range<usize>,
    /// Whether it names a day of a year with four digits, so that the file surely does not keep this name for ever.
    pub is_day: bool,
}

/// The characters that join the parts of a date.
const JOINTS: [u8; 4] = [b'_', b'-', b'.', b'T'];

/// The dates in a name: `20261014`, `2026_10_14_0000`, `2026-10`, `2026_287`, `14-10-2026`, `261014`.
pub fn date_parts(name: &str) -> Vec<DatePart> {
    let runs = digit_runs(name);
    let mut found = Vec::new();
    let mut at = 0;
    while at < runs.len() {
        match date_at(name.as_bytes(), &runs[at..]) {
            Some((taken, is_day)) => {
                let last = at + taken - 1;
                found.push(DatePart { range: runs[at].start..runs[last].end, is_day });
                at = last + 1;
            }
            None => at += 1,
        }
    }
    found
}

/// The name without digits and the characters that join them: equal for two files that differ only in date and number
/// parts.
pub fn letters(name: &str) -> String {
    name.chars().filter(|c| c.is_alphabetic()).flat_map(char::to_lowercase).collect()
}

/// Runs of digits.
fn digit_runs(name: &str) -> Vec<Range<usize>> {
    let mut runs: Vec<Range<usize>> = Vec::new();
    for (at, _) in name.bytes().enumerate().filter(|(_, byte)| byte.is_ascii_digit()) {
        match runs.last_mut().filter(|run| run.end == at) {
            Some(run) => run.end = at + 1,
            None => runs.push(at..at + 1),
        }
    }
    runs
}

/// The number of runs of digits that make a date beginning with the first run, and whether the date names a day.
fn date_at(name: &[u8], runs: &[Range<usize>]) -> Option<(usize, bool)> {
    // Only runs with one joint between them are one date.
    let joined = 1 + runs
        .windows(2)
        .take_while(|pair| pair[1].start == pair[0].end + 1 && JOINTS.contains(&name[pair[0].end]))
        .count();
    let text = |place: usize| -> &[u8] {
        if place < joined { runs.get(place).map_or(&[][..], |run| &name[run.clone()]) } else { &[] }
    };
    let first = text(0);
    let (date, is_day) = match first.len() {
        8 | 10 | 12 | 14 if is_year(&first[..4]) && is_month(&first[4..6]) && is_day(&first[6..8]) => (1, true),
        7 if is_year(&first[..4]) && is_day_of_year(&first[4..7]) => (1, true),
        6 if is_year(&first[..4]) && is_month(&first[4..6]) => (1, false),
        6 if is_month(&first[2..4]) && is_day(&first[4..6]) => (1, false),
        4 if is_year(first) && is_month(text(1)) && is_day(text(2)) => (3, true),
        4 if is_year(first) && text(1).len() == 3 && is_day_of_year(text(1)) => (2, true),
        4 if is_year(first) && is_month(text(1)) => (2, false),
        4 if is_year(first) && text(1).len() == 4 && is_month(&text(1)[..2]) && is_day(&text(1)[2..]) => (2, true),
        2 if is_day(first) && is_month(text(1)) && is_year(text(2)) => (3, true),
        2 if is_month(first) && is_day(text(1)) && is_year(text(2)) => (3, true),
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
    Some((date + time, is_day))
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

fn is_day_of_year(digits: &[u8]) -> bool {
    (1..=366).contains(&number(digits))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(name: &str) -> Vec<(&str, bool)> {
        date_parts(name).into_iter().map(|part| (&name[part.range], part.is_day)).collect()
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
        ] {
            assert_eq!(of(name), expected, "{name}");
        }
    }

    #[test]
    fn numbers_that_are_no_date_are_none() {
        for name in
            ["46m_PAR.dat", "CR3000_54321_met.dat", "met_2021.dat", "TOA5_7001.dat", "met_99999999.dat", "x_13_45_2026"]
        {
            assert_eq!(of(name), [], "{name}");
        }
    }

    #[test]
    fn names_that_differ_in_date_and_number_parts_have_the_same_letters() {
        assert_eq!(letters("Met_2026_10_14_0000.dat"), letters("Met_2026_11_01_0000.dat"));
        assert_eq!(letters("Ceilo_2026_10_*_0000.dat"), letters("ceilo_20261101.dat"));
        assert_ne!(letters("Met_20261014.dat"), letters("Soil_20261014.dat"));
    }
}
