//! Finds the lines above the rows that name the columns and their units.
//!
//! Several lines of the rows' width may stand above them: names, units, processes, depths, limits, types of a data base. The
//! names are in the line that has a word for time, because the rows begin with one; without such a word they are found
//! by what units look like.

use super::shape::{Kind, Shape};
use super::{Line, mark_of, numbers};
use crate::format::Spelling;
use crate::quantity::Process;

/// Whole parts of a name of a time.
const TIME: [&str; 14] = [
    "time",
    "times",
    "timestamp",
    "timestamps",
    "date",
    "dates",
    "heure",
    "fecha",
    "hora",
    "tijd",
    "tijdstip",
    "dato",
    "tmstamp",
    "year",
];
/// Their ends, in names that are written together.
const TIME_AT_END: [&str; 6] = ["time", "date", "stamp", "stmp", "zeit", "datum"];
/// Their beginnings.
const TIME_AT_BEGIN: [&str; 3] = ["datetime", "timestamp", "zeit"];
/// What programs write as the type of a column of numbers.
const TYPES_OF_NUMBERS: [&str; 12] = [
    "float", "float32", "float64", "float4", "float8", "double", "real", "numeric", "int", "int32", "int64", "integer",
];
/// The types of other columns.
const OTHER_TYPES: [&str; 10] =
    ["datetime64", "datetime", "timestamp", "date", "time", "str", "string", "text", "object", "bool"];
/// The longest name of a time: a longer text is a sentence.
const LONGEST: usize = 40;

/// The line with the column names, above the line `first`.
pub(super) fn above(
    lines: &[Line<'_>],
    first: usize,
    width: usize,
    (spelling, shape): (&Spelling, &Shape),
) -> Option<(usize, Vec<String>)> {
    of_time(lines, first, width, spelling).or_else(|| by_units(lines, first, width, (spelling, shape)))
}

/// The lowest line with a word for time, or a higher one where the lowest is one of units or types.
fn of_time(lines: &[Line<'_>], first: usize, width: usize, spelling: &Spelling) -> Option<(usize, Vec<String>)> {
    let mut found: Option<(usize, Vec<String>)> = None;
    let mut seen = false;
    for line in lines.iter().rev().filter(|line| line.number < first) {
        let texts = texts_of(line, spelling);
        if texts.len() != width {
            if seen {
                break;
            }
            continue;
        }
        seen = true;
        let is_below_names = found.as_ref().is_none_or(|(_, units)| look_like_units(units));
        if !is_below_names {
            break;
        }
        if texts.iter().any(|text| is_word_for_time(text)) && !are_types(&texts) {
            found = Some((line.number, texts));
        }
    }
    found
}

/// The line right above the rows, or a higher one where that is one of units. A table of two or three columns may have other
/// lines of the same width above.
fn by_units(
    lines: &[Line<'_>],
    first: usize,
    width: usize,
    (spelling, shape): (&Spelling, &Shape),
) -> Option<(usize, Vec<String>)> {
    let mut found: Option<(usize, Vec<String>)> = None;
    // A row whose time is not read has no names.
    let is_row = |line: &Line<'_>| !line.is_comment && shape.kind(&spelling.texts(line.text)) == Kind::Row;
    for line in lines.iter().rev().filter(|line| line.number < first && !is_row(line)) {
        let names = texts_of(line, spelling);
        if names.len() != width || names.iter().all(|name| name.is_empty() || numbers::is_number(name)) {
            if found.is_some() {
                break;
            }
            continue;
        }
        let is_units = found.as_ref().is_some_and(|(_, units)| width > 3 || look_like_units(units));
        if found.is_some() && !is_units {
            break;
        }
        found = Some((line.number, names));
    }
    found
}

/// A note where other lines than the one of the names may name the columns: several have the rows' width, and none a word
/// for time.
pub(super) fn note(
    lines: &[Line<'_>],
    (names, own): (usize, &[String]),
    width: usize,
    spelling: &Spelling,
) -> Option<String> {
    if own.iter().any(|text| is_word_for_time(text)) {
        return None;
    }
    let above = lines.iter().rev().filter(|line| line.number < names);
    let is_wide = |line: &&Line<'_>| {
        let texts = texts_of(line, spelling);
        texts.len() == width && !texts.iter().all(|text| text.is_empty() || numbers::is_number(text))
    };
    let other = above.take_while(is_wide).last()?;
    Some(format!(
        "CHECK: the names of the columns are those of line {names}; line {} has as many fields: if it has the names, write names_line = {}.",
        other.number, other.number
    ))
}

/// The first line of units below the names. Limits, depths, types and processes are none.
pub(super) fn units_below(
    lines: &[Line<'_>],
    names: usize,
    first: usize,
    width: usize,
    spelling: &Spelling,
) -> Option<usize> {
    let is_process = |text: &String| text.is_empty() || Process::of(text).is_some();
    let is_units = |texts: &[String]| {
        texts.len() == width
            && !texts.iter().any(|text| numbers::is_number(text))
            && !are_types(texts)
            && !texts.iter().all(is_process)
    };
    let mut between = lines.iter().filter(|line| line.number > names && line.number < first);
    between.find(|line| is_units(&texts_of(line, spelling))).map(|line| line.number)
}

fn texts_of(line: &Line<'_>, spelling: &Spelling) -> Vec<String> {
    let text = line.text.trim_ascii_start();
    match mark_of(text) {
        Some(mark) => spelling.texts(text[mark.len()..].trim_ascii_start()),
        // A tab before the first name follows an empty name.
        None => spelling.texts(line.text),
    }
}

pub(super) fn is_word_for_time(text: &str) -> bool {
    let lower = text.to_lowercase();
    let is = |part: &str| {
        TIME.contains(&part)
            || TIME_AT_END.iter().any(|end| part.ends_with(end))
            || TIME_AT_BEGIN.iter().any(|begin| part.starts_with(begin))
    };
    text.chars().count() <= LONGEST && lower.split(|letter: char| !letter.is_alphanumeric()).any(is)
}

/// Whether a line has the types of the columns. A text that may be a name (`date`) is one beside a type of numbers only.
fn are_types(texts: &[String]) -> bool {
    let bare = |text: &String| text.to_lowercase().split(['[', '(']).next().unwrap_or_default().to_owned();
    let types: Vec<String> = texts.iter().map(bare).filter(|text| !text.is_empty()).collect();
    let is_of_numbers = |text: &String| TYPES_OF_NUMBERS.contains(&text.as_str());
    types.iter().any(is_of_numbers)
        && types.iter().all(|text| is_of_numbers(text) || OTHER_TYPES.contains(&text.as_str()))
}

fn look_like_units(texts: &[String]) -> bool {
    const SIGNS: [&str; 12] = ["°", "%", "/", "deg", "W m", "mm", "Volt", "hPa", "kPa", "mol", "[", "("];
    let units = ["m", "s", "V", "C", "K", "Pa", "-", "ts", "rn", "ms", "min", "degC"];
    let is = |text: &String| SIGNS.iter().any(|sign| text.contains(sign)) || units.contains(&text.as_str());
    texts.iter().any(is) && texts.iter().all(|text| text.chars().count() <= 20)
}

#[cfg(test)]
mod tests {
    use super::super::recognise;

    const ROWS: &str = "2026-11-03 00:00:00,10.0,50\n2026-11-03 00:30:00,11.0,51\n2026-11-03 01:00:00,12.0,52\n\
        2026-11-03 01:30:00,13.0,53\n";

    #[test]
    fn the_names_are_in_the_line_with_a_word_for_time() {
        for (head, names, units) in [
            ("time,TA,RH\nTS,degC,%\n,Avg,Smp\n", 1, Some(2)),
            ("time,TA,RH\n,Avg,Smp\n", 1, None),
            ("time,TA,RH\ndatetime64,float,float\n", 1, None),
            ("time,TA,RH\nmin,-50,0\nmax,50,100\n", 1, None),
            ("time,5,10\n,cm,cm\n", 1, Some(2)),
            ("time,TA,RH\n,5,10\n,degC,%\n", 1, Some(3)),
            (
                "Records: 120,Port 1,Port 2\nz6-1,TEROS 12,TEROS 12\nTimestamps,Water Content,Soil Temperature\n",
                3,
                None,
            ),
            ("Zeitstempel,TA,RH\nZeit,°C,%\n", 1, Some(2)),
            ("Start date,Station,Place\nDate,TA,RH\n", 2, None),
            ("Year-Month-Day,TA,RH\n", 1, None),
            ("Date created,2024-01-01,x\ntime,TA,RH\n", 2, None),
            ("TIMESTAMP,RECORD,TA\nTS,RN,degC\n,,Avg\n", 1, Some(2)),
        ] {
            let dialect = recognise(format!("{head}{ROWS}").as_bytes()).unwrap().csv.dialect.unwrap();
            assert_eq!((dialect.names_line, dialect.units_line), (Some(names), units), "{head}");
        }
    }

    #[test]
    fn of_several_lines_without_a_word_for_time_the_other_is_named() {
        let found = recognise(format!("a,TA,RH\nb,Avg,Smp\n{ROWS}").as_bytes()).unwrap();
        assert!(
            found.notes.iter().any(|note| note.contains("if it has the names, write names_line = 1")),
            "{:?}",
            found.notes
        );
        let found = recognise(format!("a,TA,RH\n{ROWS}").as_bytes()).unwrap();
        assert!(!found.notes.iter().any(|note| note.contains("names_line")), "{:?}", found.notes);
    }
}
