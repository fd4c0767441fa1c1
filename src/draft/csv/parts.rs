//! Finds a time whose parts are columns of numbers: year, day of year and hhmm, or a date with hours and minutes behind it.

use super::clock::{self, Place};
use super::forms::{DATE_FORMATS, Format};
use super::time::{COLUMNS, Reading, reading};

/// The parts of a time that a column of numbers may be, with usual column names.
const PARTS: [(&str, &[&str]); 8] = [
    ("%Y", &["year", "yr", "yyyy", "jahr", "annee", "année", "ano", "año"]),
    ("%j", &["doy", "jday", "julian", "julian day", "julian_day", "day of year", "day_of_year", "dayofyear", "jd"]),
    ("%m", &["month", "mon", "mo", "monat", "mois", "mes"]),
    ("%d", &["day", "dd", "dom", "tag", "jour", "dia"]),
    ("%H%M", &["hhmm", "time", "hourmin", "hour_min", "hour_minute", "hrmn", "hrmin", "hr_min", "hhmn", "hour/minute"]),
    ("%H", &["hour", "hr", "hh", "stunde", "heure", "hora", "h"]),
    ("%M", &["minute", "min", "mn", "mi", "minutes"]),
    ("%S", &["second", "sec", "ss", "seconds", "s"]),
];

/// The day of the year with the time of day as its fraction.
pub(super) const DAY_WITH_FRACTION: &str = "%j%.f";

/// Finds a time in columns of numbers: year, day of year and hhmm, or year, month, day and so on.
pub(super) fn of_parts(rows: &[&[String]], middle: &[String], names: Option<&[String]>) -> Vec<Reading> {
    const ROWS: [&[&str]; 9] = [
        &["%Y", "%j", "%H%M", "%S"],
        &["%Y", "%j", "%H%M"],
        &["%Y", "%j", "%H", "%M"],
        &["%Y", "%m", "%d", "%H", "%M", "%S"],
        &["%Y", "%m", "%d", "%H", "%M"],
        &["%Y", "%m", "%d", "%H%M"],
        &["%Y", "%m", "%d", "%H"],
        &["%m", "%d", "%Y", "%H", "%M"],
        &["%d", "%m", "%Y", "%H", "%M"],
    ];
    let mut found = Vec::new();
    let as_these = |columns: &[usize], letters: &[&str]| {
        // The clock alone, or hours alone, at the end: what its numbers are is decided by the rows.
        let is_alone = !letters.contains(&"%M") && !letters.contains(&"%S");
        let clock = letters.iter().position(|letters| ["%H", "%H%M"].contains(letters)).filter(|_| is_alone);
        if let Some(clock) = clock {
            let (mut columns, mut date) = (columns.to_vec(), letters.to_vec());
            let column = columns.remove(clock);
            columns.push(column);
            date.remove(clock);
            let name = names.and_then(|names| Some(names.get(column)?.as_str()));
            let place = Place {
                columns: &columns,
                date: &Format::new(Some(&date.join(" ")))?,
                join: " ",
                name,
                is_of_parts: true,
            };
            return clock::decide(rows, &place);
        }
        let way = Format::new(Some(&letters.join(" ")))?;
        reading(rows, columns, &way).filter(|reading| reading.back * 10 <= reading.rows)
    };
    if let Some(names) = names {
        let parts: Vec<(usize, &str)> =
            names.iter().enumerate().take(COLUMNS).filter_map(|(place, name)| Some((place, part(name)?))).collect();
        if parts.iter().any(|(_, letters)| *letters == "%Y") {
            // A sensor's column may have a name like that of the seconds, so fewer parts are tried too.
            for count in (3..=parts.len()).rev() {
                let (columns, letters): (Vec<usize>, Vec<&str>) = parts[..count].iter().copied().unzip();
                found.extend(as_these(&columns, &letters));
            }
            // A day of the year with a fraction has the time of day.
            let is_year_or_day = |(_, letters): &&(usize, &str)| ["%Y", "%j"].contains(letters);
            let (columns, letters): (Vec<usize>, Vec<&str>) = parts.iter().filter(is_year_or_day).copied().unzip();
            let has_fraction =
                columns.iter().any(|place| middle.get(*place).is_some_and(|text| text.contains(['.', ','])));
            if has_fraction && letters.len() == 2 && letters[0] != letters[1] {
                let letters: Vec<&str> =
                    letters.iter().map(|part| if *part == "%j" { DAY_WITH_FRACTION } else { part }).collect();
                found.extend(as_these(&columns, &letters));
            }
            return found;
        }
    }
    let is_whole = |place: usize| middle.get(place).is_some_and(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
    for begin in 0..middle.len().min(COLUMNS) {
        for letters in ROWS {
            let columns: Vec<usize> = (begin..begin + letters.len()).collect();
            if columns.iter().all(|place| is_whole(*place)) {
                found.extend(as_these(&columns, letters));
            }
        }
        if !found.is_empty() {
            break;
        }
    }
    // The reading with the most parts whose rows are at equal intervals.
    found.retain(|reading| reading.alike >= 500);
    found
}

/// Columns of numbers for year and day, or year, month and day, and the column behind them with a time of day that is a text.
pub(super) fn with_clock(row: &[String]) -> Vec<Vec<usize>> {
    let is_whole = |place: usize| row[place].bytes().all(|byte| byte.is_ascii_digit());
    let is_year = |place: usize| row[place].len() == 4 && is_whole(place);
    let clocks = (2..row.len().min(COLUMNS)).filter(|clock| clock::is_text(&row[*clock]));
    let found = clocks.flat_map(|clock| [2, 3].map(|parts| (clock.checked_sub(parts), clock)));
    found
        .filter_map(|(begin, clock)| {
            let begin = begin?;
            (is_year(begin) && (begin..clock).all(is_whole)).then(|| (begin..=clock).collect())
        })
        .collect()
}

/// The results for a date in one column, and hours, minutes and seconds in the columns behind it, by their names.
pub(super) fn with_minutes(rows: &[&[String]], row: &[String], names: &[String]) -> Vec<Reading> {
    let mut found = Vec::new();
    for hour in 1..names.len().min(COLUMNS) {
        let parts = names[hour..].iter().map(|name| part(name)).zip(["%H", "%M", "%S"]);
        let parts: Vec<&str> = parts.map_while(|(part, wanted)| part.filter(|part| *part == wanted)).collect();
        if parts.len() < 2 {
            continue;
        }
        let columns: Vec<usize> = (hour - 1..hour + parts.len()).collect();
        let text = row.get(hour - 1).map_or("", String::as_str);
        for date in DATE_FORMATS.iter().filter(|date| date.format.read(text.as_bytes()).is_some()) {
            let letters = date.text.as_deref().map(|date| format!("{date} {}", parts.join(" ")));
            let way = letters.and_then(|letters| Format::new(Some(&letters)));
            found.extend(way.and_then(|way| reading(rows, &columns, &way)));
        }
    }
    found
}

/// The part of a time that a column's name says.
pub(super) fn part(name: &str) -> Option<&'static str> {
    let name = name.trim().to_lowercase();
    PARTS.iter().find(|(_, known)| known.contains(&name.as_str())).map(|(letters, _)| *letters)
}
