//! Says of a table without a time that is known which column has its times and what they look like. What to do differs: most
//! forms can be written as `time_format`, and some cannot be read at all.

use super::forms::WAYS;
use super::{Line, SEPARATORS, heading, lines_of, numbers, parts, usual_width};
use crate::config::{CsvDialect, Separator};
use crate::format::Spelling;

/// The reason, as the rest of a sentence that begins with the file's name. None if no line names a time.
pub(in crate::draft) fn reason(text: &[u8]) -> Option<String> {
    let all = super::without_noise(text);
    let lines = lines_of(&all)?;
    let tables = SEPARATORS.into_iter().filter_map(|separator| {
        let spelling = Spelling::of(&CsvDialect { separator, quote: Some(b'"'), ..CsvDialect::default() });
        Some((separator != Separator::Blanks, table(&lines, &spelling)?))
    });
    // Blanks also stand within texts.
    let (_, (names, row)) = tables.max_by_key(|(is_sign, (names, _))| (*is_sign, names.len()))?;
    Some(explained(&names, &row))
}

/// The names of the columns, and a row from the middle of those below them.
fn table(lines: &[Line<'_>], spelling: &Spelling) -> Option<(Vec<String>, Vec<String>)> {
    let fields: Vec<Vec<String>> =
        lines.iter().filter(|line| !line.is_comment).map(|line| spelling.texts(line.text)).collect();
    let width = usual_width(fields.iter().map(Vec::len))?;
    let fields: Vec<Vec<String>> = fields.into_iter().filter(|fields| fields.len() == width).collect();
    let place = fields.iter().position(|fields| fields.iter().any(|text| is_of_time(text)))?;
    let rows = fields.get(place + 1..)?;
    let row = rows.get(rows.len() / 2)?;
    row.iter().any(|text| numbers::is_number(text)).then(|| (fields[place].clone(), row.clone()))
}

fn is_of_time(name: &str) -> bool {
    heading::is_word_for_time(name) || parts::part(name) == Some("%j")
}

fn explained(names: &[String], row: &[String]) -> String {
    let with_fraction = |text: &str| text.replace(',', ".").parse::<f64>().ok().filter(|_| text.contains(['.', ',']));
    let columns = || names.iter().zip(row);
    let of_days = columns().find(|(name, text)| {
        parts::part(name) == Some("%j") && with_fraction(text).is_some_and(|day| (0.0..367.0).contains(&day))
    });
    if let Some((name, text)) = of_days {
        return format!(
            "cannot be read: the column {name} has days of the year with a fraction (\"{text}\"), and no column has the year; let the program \
             that writes the file write the year, too, or date and time"
        );
    }
    let of_years = columns().find(|(name, text)| {
        heading::is_word_for_time(name) && with_fraction(text).is_some_and(|year| (1900.0..2100.0).contains(&year))
    });
    if let Some((name, text)) = of_years {
        return format!(
            "cannot be read: the column {name} has years with a fraction (\"{text}\"), which no time_format reads; let the program that \
             writes the file write date and time"
        );
    }
    let time = columns().find(|(name, _)| heading::is_word_for_time(name));
    let (name, text) = time.map_or(("", ""), |(name, text)| (name.as_str(), text.as_str()));
    if WAYS.iter().any(|way| way.format.read(text.as_bytes()).is_some()) {
        return format!(
            "is not understood: the column {name} has times (\"{text}\"), but too few of the first lines are rows like this one; write its \
             [[table]] by hand, with format = \"csv\" (docs/config.md, [table.csv])"
        );
    }
    format!(
        "has no time in a form that init knows: \"{text}\" in the column {name}; write its [[table]] by hand, with format = \"csv\" and the \
         form in time_format (docs/config.md, [table.csv])"
    )
}
