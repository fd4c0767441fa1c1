//! The checks of `format = "csv"`: the columns, the time and `[table.csv]`.

use toml::Spanned;

use super::file::{CsvSection, TableSection, Text, Texts};
use super::load::one_of;
use super::place::{Section, Source};
use super::{ConfigError, CsvDialect, CsvFormat, LongForm, Separator, value};
use crate::text::{any_of, with_plain_signs};
use crate::time::{MIDNIGHT_ENDS_THE_DAY, StampFormat};

/// Reads the format of a table with `format = "csv"`.
pub(super) fn csv(source: &Source<'_>, at: &Section<'_>, found: &TableSection) -> Result<CsvFormat, ConfigError> {
    let none = CsvSection::default();
    let (own, begin) = match &found.csv {
        Some(own) => (own.get_ref(), Some(own.span().start)),
        None => (&none, None),
    };
    let inner = Section::new(source, "[table.csv]", begin);
    let names = names(at, &inner, found, own)?;
    let named = |text: &str| match &names {
        None => value::plain_text(text),
        Some(names) if names.iter().any(|name| name == text) => Ok(text.to_owned()),
        Some(names) => {
            let known: Vec<&str> = names.iter().map(String::as_str).collect();
            Err(format!("is not in names; write {}", any_of(&known)))
        }
    };
    let time_columns = time_columns(at, &inner, found, own, &named)?;
    let record_column = at.read(TableSection::record_column, &found.record_column, named)?;
    if let (Some(record), Some(place)) = (&record_column, &found.record_column)
        && time_columns.contains(record)
    {
        return Err(at.wrong(
            &place.span(),
            format!("record_column = \"{record}\" is the time already; write another column, or take it out"),
        ));
    }
    let dialect = match &found.csv {
        Some(_) => Some(dialect(&inner, own)?),
        None => None,
    };
    let time_formats = time_formats(at, &inner, found, own)?;
    let long = long_form(&inner, own, &named, (&time_columns, &record_column))?;
    Ok(CsvFormat { names, time_columns, time_formats, record_column, dialect, long })
}

/// Reads the columns of a table with one value per line.
fn long_form(
    at: &Section<'_>,
    own: &CsvSection,
    named: &dyn Fn(&str) -> Result<String, String>,
    (time_columns, record_column): (&[String], &Option<String>),
) -> Result<Option<Box<LongForm>>, ConfigError> {
    let sensor = at.read(CsvSection::sensor_column, &own.sensor_column, named)?;
    let value = at.read(CsvSection::value_column, &own.value_column, named)?;
    match (sensor, value) {
        (None, None) => Ok(None),
        (Some(_), None) => Err(at.lacks("value_column is missing; write which column has the values of sensor_column")),
        (None, Some(_)) => {
            Err(at.lacks("sensor_column is missing; write which column names what value_column measures"))
        }
        (Some(sensor), Some(value)) => {
            let is_key = |name: &String| time_columns.contains(name) || record_column.as_ref() == Some(name);
            let of_sensor = (&CsvSection::sensor_column, &own.sensor_column, &sensor);
            let of_value = (&CsvSection::value_column, &own.value_column, &value);
            let taken = [of_sensor, of_value].into_iter().find(|(.., name)| is_key(name) || sensor == value);
            if let Some((key, Some(place), name)) = taken {
                let problem = format!(
                    "{key} = \"{name}\" is the time, the record number or the other column already; write another column"
                );
                return Err(at.wrong(&place.span(), problem));
            }
            if own.array.is_some() {
                return Err(at.lacks("array does not go with sensor_column; take one of them out"));
            }
            Ok(Some(Box::new(LongForm { sensor, value })))
        }
    }
}

fn names(
    at: &Section<'_>,
    inner: &Section<'_>,
    found: &TableSection,
    own: &CsvSection,
) -> Result<Option<Vec<String>>, ConfigError> {
    let Some(names) = &found.names else {
        return match &own.names_line {
            Some(_) => Ok(None),
            None => Err(at.lacks(
                "names is missing; write every column, such as names = [\"Time\", \"Plot\", \"Temp\"], or names_line in \
                 [table.csv] where a line of the file has them",
            )),
        };
    };
    if let Some(line) = &own.names_line {
        let problem = "names_line does not go with names, which name the columns already; keep one of them";
        return Err(inner.wrong(&line.span(), problem));
    }
    if names.get_ref().is_empty() {
        let problem = "names is empty; write every column of the file, such as names = [\"Time\", \"Temp\"]";
        return Err(at.wrong(&names.span(), problem));
    }
    let mut columns: Vec<String> = Vec::new();
    for name in names.get_ref() {
        let text = value::plain_text(name.get_ref())
            .map_err(|problem| at.wrong(&name.span(), format!("names: \"{}\" {problem}", name.get_ref())))?;
        if columns.contains(&text) {
            return Err(
                at.wrong(&name.span(), format!("names: \"{text}\" stands twice; give every column its own name"))
            );
        }
        columns.push(text);
    }
    Ok(Some(columns))
}

fn time_columns(
    at: &Section<'_>,
    inner: &Section<'_>,
    found: &TableSection,
    own: &CsvSection,
    named: &dyn Fn(&str) -> Result<String, String>,
) -> Result<Vec<String>, ConfigError> {
    let one = at.read(TableSection::time_column, &found.time_column, named)?;
    let Some(several) = &own.time_columns else {
        let one = one.ok_or_else(|| {
            at.lacks("time_column is missing; write which of names is the time, such as time_column = \"Time\", or time_columns in [table.csv]")
        })?;
        return Ok(vec![one]);
    };
    if one.is_some() {
        let problem = "time_columns does not go with time_column; keep one of them";
        return Err(inner.wrong(&several.span(), problem));
    }
    let columns = list(inner, "time_columns", &own.time_columns, named)?;
    if columns.is_empty() {
        return Err(inner.wrong(&several.span(), "time_columns is empty; write for example [\"Date\", \"Time\"]"));
    }
    Ok(columns)
}

/// Reads the time formats, each with the rule of `midnight`.
fn time_formats(
    at: &Section<'_>,
    inner: &Section<'_>,
    found: &TableSection,
    own: &CsvSection,
) -> Result<Vec<Option<String>>, ConfigError> {
    let format = |text: &str| match &own.year {
        Some(_) => value::time_format(&format!("%Y {text}")).map(|_| text.to_owned()).map_err(|_| {
            "is not a day and time in strftime letters that lacks the year alone; write for example \"%j %H%M\""
                .to_owned()
        }),
        None => value::time_format(text),
    };
    let first = at.read(TableSection::time_format, &found.time_format, format)?;
    let more = list(inner, "time_formats", &own.time_formats, &format)?;
    // If `year` is given, the year is put before the stamp. Without a format, the stamp is that of an array.
    let of_array = || own.year.as_ref().map(|_| "%j %H%M".to_owned());
    let with_year = |text: String| if own.year.is_some() { format!("%Y {text}") } else { text };
    let first = first.or_else(of_array).map(with_year);
    let more = more.into_iter().map(with_year);
    let ends = [("start", false), ("end", true)];
    let midnight_ends = inner.read_or_default(&CsvSection::midnight, &own.midnight, |text| one_of(text, &ends))?;
    let mut formats = vec![first];
    formats.extend(more.map(Some));
    if midnight_ends {
        for format in &mut formats {
            let letters = format.as_deref().unwrap_or("%Y-%m-%d %H:%M:%S");
            let ended = format!("{letters}{MIDNIGHT_ENDS_THE_DAY}");
            if StampFormat::new(Some(&ended)).is_none() {
                let problem = format!(
                    "midnight = \"end\" does not go with \"{letters}\", which counts from an instant; take midnight out"
                );
                return Err(own
                    .midnight
                    .as_ref()
                    .map_or_else(|| inner.lacks(&problem), |place| inner.wrong(&place.span(), &problem)));
            }
            *format = Some(ended);
        }
    }
    Ok(formats)
}

fn dialect(at: &Section<'_>, found: &CsvSection) -> Result<CsvDialect, ConfigError> {
    let separator = at.read_or_default(&CsvSection::separator, &found.separator, |text| match text {
        "blanks" => Ok(Separator::Blanks),
        "tab" => Ok(Separator::Sign(b'\t')),
        text => sign(text).map(Separator::Sign),
    })?;
    let decimal =
        at.read_or_default(&CsvSection::decimal, &found.decimal, |text| one_of(text, &[(".", b'.'), (",", b',')]))?;
    // The signs of Unicode are read with those of ASCII for which they stand.
    let thousands = at.read(CsvSection::thousands, &found.thousands, |text| sign(&with_plain_signs(text)))?;
    let quote = at.read_or_default(&CsvSection::quote, &found.quote, |text| match text {
        "none" => Ok(None),
        // The default of the key's row is a quotation mark, whose own quotes are trimmed from the text.
        "" | "\\" => Ok(Some(b'"')),
        text => sign(text).map(Some),
    })?;
    let clash = |key: &str, place: &Text| {
        let problem = format!("{key} is the same sign as another key of [table.csv]; give each its own");
        place.as_ref().map_or_else(|| at.lacks(&problem), |place| at.wrong(&place.span(), &problem))
    };
    // Numbers with a decimal comma may be in quotes. If separator is not written, it was more likely forgotten.
    let is_meant = found.separator.is_some() && quote.is_some();
    if separator == Separator::Sign(decimal)
        && decimal == b','
        && !is_meant
        && let Some(place) = &found.decimal
    {
        let problem = "decimal = \",\" is the separator, too; write another, such as separator = \";\", or separator = \",\" where \
                       the numbers stand in quotes";
        return Err(at.wrong(&place.span(), problem));
    }
    // If the sign for thousands is also the field separator, such numbers are quoted.
    if thousands == Some(decimal) || (thousands.is_some() && thousands == quote) {
        return Err(clash("thousands", &found.thousands));
    }
    if quote.is_some_and(|quote| separator == Separator::Sign(quote)) {
        return Err(clash("quote", &found.quote));
    }
    let line = |key, place: &Option<Spanned<i64>>| {
        let line = at.whole(&key, place, "it counts lines of the file")?;
        Ok::<_, ConfigError>(line.and_then(|line| usize::try_from(line).ok()))
    };
    let small = |key, place: &Option<Spanned<i64>>| {
        let number = at.whole(&key, place, "it stands in each line of the array, or in none of its stamps")?;
        Ok::<_, ConfigError>(number.and_then(|number| u16::try_from(number).ok()))
    };
    let names_line = line(CsvSection::names_line, &found.names_line)?;
    let units_line = line(CsvSection::units_line, &found.units_line)?;
    let skip_lines = line(CsvSection::skip_lines, &found.skip_lines)?;
    let least = names_line.max(units_line).unwrap_or(0);
    let comments = list(at, "comment", &found.comment, &|text| {
        if text.trim().is_empty() {
            Err("is empty; write what the lines begin with, such as \"#\"".to_owned())
        } else {
            Ok(text.to_owned())
        }
    })?;
    Ok(CsvDialect {
        separator,
        decimal,
        thousands,
        quote,
        comments,
        array: small(CsvSection::array, &found.array)?,
        year: small(CsvSection::year, &found.year)?,
        head_lines: skip_lines.unwrap_or(0).max(least),
        names_line,
        units_line,
    })
}

/// One character that is neither a letter nor a digit.
fn sign(text: &str) -> Result<u8, String> {
    match text.as_bytes() {
        [b' '] => Ok(b' '),
        [sign] if sign.is_ascii_punctuation() => Ok(*sign),
        _ => Err("is not one sign; write for example \";\"".to_owned()),
    }
}

fn list(
    at: &Section<'_>,
    key: &str,
    found: &Texts,
    read: &dyn Fn(&str) -> Result<String, String>,
) -> Result<Vec<String>, ConfigError> {
    let mut all = Vec::new();
    for text in found.iter().flat_map(|list| list.get_ref()) {
        let problem =
            |problem| at.wrong(&text.span(), format!("{key}: \"{}\" {problem}", text.get_ref().escape_debug()));
        let one = read(text.get_ref()).map_err(problem)?;
        if all.contains(&one) {
            return Err(problem("stands twice; keep one of them".to_owned()));
        }
        all.push(one);
    }
    Ok(all)
}
