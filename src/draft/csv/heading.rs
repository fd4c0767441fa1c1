//! Finds the lines above the rows that name the columns and their units.
//!
//! Several lines of the rows' width may stand above them: names, units, processes, depths, limits, types of a data base. The
//! names are in the line that has a word for time, because the rows begin with one; without such a word they are found
//! by what units look like.

use super::shape::{Kind, Shape};
use super::{Line, mark_of, numbers};
use crate::ameriflux::unit;
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

/// The names of the columns.
#[derive(Debug)]
pub(super) struct Names {
    /// The line that has all of them; None if no line of the file can be read as they stand here.
    pub(super) line: Option<usize>,
    /// The lowest line that has some of them.
    pub(super) lowest: usize,
    pub(super) texts: Vec<String>,
    pub(super) note: Option<String>,
}

/// The names of the columns, above the line `first`.
pub(super) fn above(
    lines: &[Line<'_>],
    first: usize,
    width: usize,
    (spelling, shape): (&Spelling, &Shape),
) -> Option<Names> {
    let by_units = || by_units(lines, first, width, (spelling, shape));
    let (line, texts) = of_time(lines, first, width, spelling).or_else(by_units)?;
    let is_of_time_alone = width > 2 && texts.iter().filter(|text| !text.is_empty()).count() == 1;
    let joined = if is_of_time_alone { joined(lines, (line, &texts), spelling) } else { None };
    Some(joined.unwrap_or(Names { line: Some(line), lowest: line, texts, note: None }))
}

/// The names of several lines together, where the lowest one names the time alone: `TA` above `mean` is `TA_mean`. So pandas
/// writes columns of several levels.
fn joined(lines: &[Line<'_>], (lowest, own): (usize, &[String]), spelling: &Spelling) -> Option<Names> {
    let above =
        lines.iter().rev().filter(|line| line.number < lowest).map(|line| (line.number, texts_of(line, spelling)));
    let mut levels: Vec<(usize, Vec<String>)> = above.take_while(|(_, texts)| texts.len() == own.len()).collect();
    levels.reverse();
    let texts: Vec<String> = (0..own.len())
        .map(|place| {
            let parts = levels.iter().map(|(_, texts)| texts[place].as_str()).filter(|text| !text.is_empty());
            if own[place].is_empty() { parts.collect::<Vec<_>>().join("_") } else { own[place].clone() }
        })
        .collect();
    let (highest, _) = levels.first()?;
    let note = format!(
        "CHECK: the names of the columns stand in several lines, {highest} to {lowest}, and are joined in names; that of line {lowest} is the \
         time's."
    );
    texts.iter().all(|text| !text.is_empty()).then_some(Names { line: None, lowest, texts, note: Some(note) })
}

/// The names in the line right above the row `first`, where it has one text more or less than the rows have fields. The time says
/// which one lacks: R writes a name before each row, other programs a separator behind it.
pub(super) fn of_other_width(
    lines: &[Line<'_>],
    (first, width): (usize, usize),
    time: &[usize],
    spelling: &Spelling,
) -> Option<Names> {
    let line = lines.iter().rev().find(|line| line.number < first)?;
    let mut texts = texts_of(line, spelling);
    let is_name = |text: &String| !text.is_empty() && !numbers::is_number(text);
    let named = texts.iter().position(|text| is_word_for_time(text)).filter(|_| texts.iter().all(is_name))?;
    let read = time.iter().min().copied()?;
    let which = if texts.len() + 1 == width && named == read {
        texts.push(String::new());
        "one field less than the rows, so that their last column has no name"
    } else if texts.len() + 1 == width && named + 1 == read {
        texts.insert(0, String::new());
        "one field less than the rows, so that their first column has no name"
    } else if texts.len() == width + 1 && named == read {
        texts.truncate(width);
        "one field more than the rows, so that the last name is left out"
    } else {
        return None;
    };
    let note =
        format!("CHECK: line {}, which names the columns, has {which}; correct names if it is another.", line.number);
    Some(Names { line: None, lowest: line.number, texts, note: Some(note) })
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
        let has_word = texts.iter().any(|text| is_word_for_time(text));
        // The form of the time is a unit below a name, or the name itself.
        let has_form = texts.iter().any(|text| is_form_of_time(text));
        let is_form_alone = |names: &[String]| !names.iter().any(|text| is_word_for_time(text));
        let is_below_names =
            found.as_ref().is_none_or(|(_, units)| look_like_units(units) || (has_word && is_form_alone(units)));
        if !is_below_names {
            break;
        }
        if (has_word || (has_form && found.is_none())) && !are_types(&texts) {
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
        let is_below_units = |units: &[String]| look_like_units(&names) && !look_like_units(units);
        let is_units =
            found.as_ref().is_some_and(|(_, units)| look_like_units(units) || (width > 3 && !is_below_units(units)));
        if found.is_some() && !is_units {
            break;
        }
        found = Some((line.number, names));
    }
    found
}

/// A note where other lines than the one of the names may name the columns: several have the rows' width, and none a word
/// for time. `first` is the first row's line.
pub(super) fn note(
    lines: &[Line<'_>],
    (names, first): (usize, usize),
    own: &[String],
    spelling: &Spelling,
) -> Option<String> {
    if own.iter().any(|text| is_word_for_time(text) || is_form_of_time(text)) {
        return None;
    }
    let is_names = |texts: &[String]| {
        texts.len() == own.len() && !texts.iter().all(|text| text.is_empty() || numbers::is_number(text))
    };
    let above = lines.iter().rev().filter(|line| line.number < names);
    let other = above.take_while(|line| is_names(&texts_of(line, spelling))).last();
    let is_other = |line: &&Line<'_>| {
        let texts = texts_of(line, spelling);
        is_names(&texts) && !look_like_units(&texts) && !are_types(&texts) && !texts.iter().all(|text| is_process(text))
    };
    let mut between = lines.iter().filter(|line| (names + 1..first).contains(&line.number));
    let other = other.or_else(|| between.next().filter(is_other))?;
    Some(format!(
        "CHECK: the names of the columns are those of line {names}; line {} has as many fields: if it has the names, write names_line = {}.",
        other.number, other.number
    ))
}

/// The first line of units below the names, or that right above them. Limits, depths, types and processes are none.
pub(super) fn units(
    lines: &[Line<'_>],
    (names, first): (usize, usize),
    own: &[String],
    spelling: &Spelling,
) -> Option<usize> {
    let is_units = |texts: &[String]| {
        // 1 is the unit of a quantity without one, beside other units.
        let (ones, others): (Vec<&String>, Vec<&String>) = texts.iter().partition(|text| *text == "1");
        let others: Vec<String> = others.into_iter().cloned().collect();
        texts.len() == own.len()
            && !others.iter().any(|text| numbers::is_number(text))
            && (ones.is_empty() || look_like_units(&others))
            && !are_types(texts)
            && !texts.iter().all(|text| is_process(text))
    };
    let mut between = lines.iter().filter(|line| (names + 1..first).contains(&line.number));
    let below = between.find(|line| is_units(&texts_of(line, spelling)));
    let above = || {
        let line = lines.iter().rev().find(|line| line.number < names)?;
        let texts = texts_of(line, spelling);
        (is_units(&texts) && are_units(&texts) && !are_units(own)).then_some(line)
    };
    below.or_else(above).map(|line| line.number)
}

fn is_process(text: &str) -> bool {
    text.is_empty() || Process::of(text).is_some()
}

fn texts_of(line: &Line<'_>, spelling: &Spelling) -> Vec<String> {
    let text = line.text.trim_ascii_start();
    match mark_of(text).filter(|_| line.is_comment) {
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

/// Whether a text is the form of a date: `dd/MM/yyyy HH:mm:ss`.
fn is_form_of_time(text: &str) -> bool {
    let lower = text.to_lowercase();
    let has = |letters: &str| lower.contains(letters);
    lower.chars().all(|letter| !letter.is_alphabetic() || "dmyhsaptz".contains(letter))
        && has("yy")
        && has("mm")
        && has("dd")
}

/// Whether a line has the types of the columns. A text that may be a name (`date`) is one beside a type of numbers only.
fn are_types(texts: &[String]) -> bool {
    let bare = |text: &String| text.to_lowercase().split(['[', '(']).next().unwrap_or_default().to_owned();
    let types: Vec<String> = texts.iter().map(bare).filter(|text| !text.is_empty()).collect();
    let is_of_numbers = |text: &String| TYPES_OF_NUMBERS.contains(&text.as_str());
    types.iter().any(is_of_numbers)
        && types.iter().all(|text| is_of_numbers(text) || OTHER_TYPES.contains(&text.as_str()))
}

/// Whether a line may be one of units: one of its texts looks like one, and none is a sentence.
fn look_like_units(texts: &[String]) -> bool {
    texts.iter().any(|text| looks_like_unit(text)) && texts.iter().all(|text| text.chars().count() <= 20)
}

fn looks_like_unit(text: &str) -> bool {
    const SIGNS: [&str; 12] = ["°", "%", "/", "deg", "W m", "mm", "Volt", "hPa", "kPa", "mol", "[", "("];
    const UNITS: [&str; 24] = [
        "m", "s", "V", "C", "K", "Pa", "-", "ts", "rn", "ms", "min", "degC", "ppm", "ppb", "ppmv", "ppbv", "sec",
        "secs", "nsecs", "mbar", "mV", "mA", "kWh", "Hz",
    ];
    !is_form_of_time(text) && (SIGNS.iter().any(|sign| text.contains(sign)) || UNITS.contains(&text))
}

/// Whether most texts of a line are units.
fn are_units(texts: &[String]) -> bool {
    let texts: Vec<&String> = texts.iter().filter(|text| !text.is_empty()).collect();
    let units = texts.iter().filter(|text| looks_like_unit(text) || unit::is_known(text)).count();
    units > 0 && units * 2 > texts.len()
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
            // Units above the names, of which the time's is a form.
            (",Watt,%\ndd/MM/yyyy HH:mm:ss,Pdc1,Eff\n", 2, Some(1)),
            (",degC,%\ntime,TA,RH\n", 2, Some(1)),
            ("time,TA,RH\nyyyy-mm-dd hh:mm:ss,counts,counts\n", 1, Some(2)),
            // Units that say time, too.
            ("DATE,CO2,CH4\ndate,ppm,ppb\n", 1, Some(2)),
            ("time,TA,QC\nUTC,degree_Celsius,1\n", 1, Some(2)),
            ("time,TA,RH\nplot,1,1\n", 1, None),
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
