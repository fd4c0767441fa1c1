//! Recognises the dialect of a text table from its first lines: separator, time, decimal sign, header, comments and
//! footer.
//!
//! Each separator is tried, and the one with which most lines begin with a time is chosen: a text is hardly ever a time
//! by chance if the line is split in a wrong way. What is still ambiguous is decided by the rows: of two readings of a
//! date, the one whose rows are at equal intervals.

mod array;
mod beside;
mod clock;
mod counts;
mod forms;
mod further;
mod heading;
mod interval;
mod long;
mod numbers;
mod parts;
mod record;
mod shape;
mod stated;
#[cfg(test)]
mod sweep;
mod time;
mod unread;
mod zone;

pub(in crate::draft) use array::arrays;
pub(in crate::draft) use unread::reason as unread;
pub(in crate::draft) use zone::{StatedOffset, Trust};

use std::borrow::Cow;
use std::collections::HashSet;

use shape::Shape;

use crate::config::{CsvDialect, CsvFormat, LongForm, Separator};
use crate::format::{Apart, Armor, Spelling, decode, is_blank, strip_noise, unique_names};
use crate::qc::Word;

/// The number of lines that are examined, at the beginning and at the end.
const FIRST: usize = 400;
const LAST: usize = 12;
/// The beginnings of comments.
const MARKS: [&str; 6] = ["#", "%", "//", "!", "*", "--"];
const SEPARATORS: [Separator; 5] =
    [Separator::Sign(b'\t'), Separator::Sign(b';'), Separator::Sign(b'|'), Separator::Sign(b','), Separator::Blanks];

/// A dialect, with notes for the user.
#[derive(Debug)]
pub(in crate::draft) struct Recognised {
    pub(in crate::draft) csv: CsvFormat,
    /// The columns that distinguish rows of one stamp.
    pub(in crate::draft) tags: Vec<String>,
    /// The columns with the start of each row's interval, which are not values.
    pub(in crate::draft) starts: Vec<String>,
    /// Whether the file is in AmeriFlux's own format: names and units are AmeriFlux's, and -9999 means "missing".
    pub(in crate::draft) is_ameriflux: bool,
    /// The offset from UTC that the file states for its stamps.
    pub(in crate::draft) offset: Option<StatedOffset>,
    /// Whether the stamps are instants, whatever the station's offset.
    pub(in crate::draft) is_in_utc: bool,
    /// Notes for the user.
    pub(in crate::draft) notes: Vec<String>,
}

/// A line of the file that is examined.
struct Line<'t> {
    /// The line's number, counted from 1.
    number: usize,
    text: &'t [u8],
    is_comment: bool,
}

/// The lines, split by one separator.
struct Cut<'t> {
    spelling: Spelling,
    dialect: CsvDialect,
    width: usize,
    /// The lines with the usual number of fields, and their fields.
    rows: Vec<(&'t Line<'t>, Vec<String>)>,
    shape: Shape,
    /// The names of the columns, if the lines above the rows have them.
    names: Option<heading::Names>,
    time: time::Found,
    /// The numbers of the lines with a time and another number of fields.
    ragged: Vec<usize>,
    notes: Vec<String>,
}

/// The dialect of a file that begins with `text`. None if it is not a table with a time.
pub(in crate::draft) fn recognise(text: &[u8]) -> Option<Recognised> {
    let all = without_noise(text);
    let mut lines = lines_of(&all)?;
    let rows = rows_with_a_mark(best(&lines).as_ref(), &lines);
    for line in &mut lines {
        line.is_comment &= !rows.contains(&line.number);
    }
    Some(best(&lines)?.recognised(&lines))
}

/// The lines, split by the best separator.
fn best<'t>(lines: &'t [Line<'t>]) -> Option<Cut<'t>> {
    let cuts = SEPARATORS.into_iter().filter_map(|separator| Cut::new(separator, lines));
    // Of equal candidates the first is used. With a wrong separator, only the date can be read in rows that lack a field.
    let rank = |cut: &Cut<'_>| (cut.time.has_hour, cut.time.distinct, cut.time.rows);
    cuts.fold(None, |best: Option<Cut<'_>>, cut| match best {
        Some(best) if rank(&best) >= rank(&cut) => Some(best),
        _ => Some(cut),
    })
}

/// The numbers of lines that are rows although they begin as comments do: `--` and `*` also mean that there is no value. Where
/// no other line is a row, those whose first field may mean so.
fn rows_with_a_mark(best: Option<&Cut<'_>>, lines: &[Line<'_>]) -> Vec<usize> {
    let is_row = |line: &&Line<'_>| match best {
        Some(best) => {
            let fields = best.spelling.texts(line.text);
            fields.len() == best.width && best.time.reads(&fields)
        }
        None => {
            let end = line.text.iter().position(|byte| b",;|\t".contains(byte));
            end.is_some_and(|end| Word::of(&decode(&line.text[..end])).is_usual())
        }
    };
    lines.iter().filter(|line| line.is_comment).filter(is_row).map(|line| line.number).collect()
}

fn without_noise(text: &[u8]) -> Vec<Cow<'_, [u8]>> {
    text.strip_suffix(b"\n").unwrap_or(text).split(|byte| *byte == b'\n').map(strip_noise).collect()
}

/// The lines that are examined, without blank ones. None if they are no text.
fn lines_of<'t>(all: &'t [Cow<'_, [u8]>]) -> Option<Vec<Line<'t>>> {
    let at_end = all.len().saturating_sub(LAST).max(FIRST.min(all.len()));
    let mut armor = Armor::default();
    let lines: Vec<Line<'t>> = (0..all.len().min(FIRST))
        .chain(at_end..all.len())
        .map(|place| Line { number: place + 1, text: &all[place], is_comment: mark_of(&all[place]).is_some() })
        .filter(|line| !is_blank(line.text) && !armor.takes(line.text))
        .collect();
    // Text contains no such bytes.
    let is_text = lines.iter().all(|line| line.text.iter().all(|byte| *byte >= b' ' || *byte == b'\t'));
    is_text.then_some(lines)
}

fn mark_of(line: &[u8]) -> Option<&'static str> {
    let line = line.trim_ascii_start();
    MARKS
        .into_iter()
        .find(|mark| line.starts_with(mark.as_bytes()) && !line.get(mark.len()).is_some_and(u8::is_ascii_digit))
}

impl<'t> Cut<'t> {
    fn new(separator: Separator, lines: &'t [Line<'t>]) -> Option<Cut<'t>> {
        let body = || lines.iter().filter(|line| !line.is_comment);
        // At the beginning of a field, because within a number an apostrophe separates thousands.
        let quoted_by = |quote: u8| {
            let begins = |text: &[u8]| text.windows(2).any(|pair| pair[1] == quote && !pair[0].is_ascii_alphanumeric());
            body().filter(|line| line.text.first() == Some(&quote) || begins(line.text)).count()
        };
        let quote =
            if quoted_by(b'\'') > quoted_by(b'"') && quoted_by(b'\'') * 2 > body().count() { b'\'' } else { b'"' };
        let mut dialect = CsvDialect { separator, quote: Some(quote), ..CsvDialect::default() };
        let spelling = Spelling::of(&dialect);
        let fields: Vec<(&Line<'_>, Vec<String>)> = body().map(|line| (line, spelling.texts(line.text))).collect();
        let width = usual_width(fields.iter().map(|(_, fields)| fields.len()))?;
        let width = named_width(&fields, width).unwrap_or(width);
        let (rows, others): (Vec<_>, Vec<_>) = fields.into_iter().partition(|(_, fields)| fields.len() == width);
        let texts: Vec<&[String]> = rows.iter().map(|(_, fields)| fields.as_slice()).collect();
        let names_of =
            |first: usize, shape: &Shape| heading::above(lines, rows.get(first)?.0.number, width, (&spelling, shape));
        let time = time::find(&texts, &|first| names_of(first, &Shape::default()).map(|names| names.texts))?;
        // Without a value beside the time, the separator is wrong.
        (time.columns.len() < width).then_some(())?;
        let first = rows.get(time.first)?.0.number;
        if separator == Separator::Blanks && other_sign(lines, first, width, &spelling) {
            return None;
        }
        let read = texts[time.first..].iter().copied().filter(|row| time.reads(row));
        let shape = Shape::of(&read, &time.columns);
        let names = names_of(time.first, &shape)
            .or_else(|| heading::of_other_width(lines, (first, width), &time.columns, &spelling));
        let names_line = names.as_ref().map_or(0, |names| names.lowest);
        let is_row = |(line, fields): &&(&Line<'_>, Vec<String>)| line.number > names_line && time.reads(fields);
        let ragged = others.iter().filter(is_row).map(|(line, _)| line.number).collect();
        let values = texts[time.first..].iter().flat_map(|row| {
            row.iter().enumerate().filter(|(place, _)| !time.columns.contains(place)).map(|(_, text)| text.as_str())
        });
        let columns = (0..width).filter(|place| !time.columns.contains(place));
        let columns = columns.map(|place| texts[time.first..].iter().map(move |row| row[place].as_str()));
        let has_both = columns.into_iter().any(numbers::has_groups_and_others);
        let notes = numbers::learn(values, has_both, &mut dialect).map(str::to_owned).into_iter().collect();
        Some(Cut { spelling, dialect, width, rows, shape, names, time, ragged, notes })
    }

    fn recognised(self, lines: &[Line<'_>]) -> Recognised {
        let Cut { spelling, mut dialect, width, rows, shape, names, time, ragged, mut notes } = self;
        let first_row = ragged.iter().copied().chain([rows[time.first].0.number]).min().unwrap_or(0);
        notes.splice(..0, time.notes.iter().cloned());
        let mut units = None;
        let has_names = names.is_some();
        let own_names = match names {
            Some(names) => {
                dialect.names_line = names.line;
                if let Some(line) = names.line {
                    notes.extend(heading::note(lines, (line, first_row), &names.texts, &spelling));
                    units = heading::units(lines, (line, first_row), &names.texts, &spelling);
                }
                notes.extend(names.note);
                unique_names(names.texts)
            }
            None => {
                (0..width).map(|place| time.name_of(place).unwrap_or_else(|| format!("column_{}", place + 1))).collect()
            }
        };
        dialect.units_line = units;
        let least = dialect.names_line.max(dialect.units_line).unwrap_or(0);
        let (begin, unread) = shape.begin(lines, (least, first_row), &spelling);
        notes.extend(unread);
        // Comments are recognised by their mark and not counted.
        let head = lines.iter().filter(|line| line.number < begin && !line.is_comment);
        dialect.head_lines = head.map(|line| line.number).max().unwrap_or(0).max(least);
        for line in lines {
            let mark = match mark_of(line.text).filter(|_| line.is_comment) {
                Some(mark) => comment_of(line, mark, &rows),
                None => footer_of(line, &rows, first_row, &time),
            };
            if let Some(mark) = mark
                && !dialect.comments.contains(&mark)
            {
                dialect.comments.push(mark);
            }
        }
        let name = |place: &usize| own_names.get(*place).cloned().unwrap_or_default();
        let record_column = record::find(&own_names, &rows, &time).as_ref().map(name);
        let clocks = beside::clocks(&rows, &time);
        notes.extend(beside::note(&rows, &time, &clocks, &own_names));
        let long = long::find(&rows, (&time, &clocks), &own_names)
            .map(|(sensor, value)| Box::new(LongForm { sensor: name(&sensor), value: name(&value) }));
        let tags = if long.is_some() { Vec::new() } else { tags(&rows, &time, &clocks).iter().map(name).collect() };
        if let Some(long) = &long {
            notes.push(format!(
                "One value a line: each text in the column {} is a column of the rows, and {} has its values.",
                long.sensor, long.value
            ));
        }
        if !has_names && dialect.head_lines > 0 {
            notes.push(format!(
                "CHECK: no line above the rows has {width} fields, as the rows have, so that their columns have numbers for names; give \
                 them others in names."
            ));
        }
        if !ragged.is_empty() {
            notes.push(format!(
                "CHECK: {} of {} rows looked at have another number of fields than {width}, and such rows are rejected: let the \
                 program that writes the file write every field of a row, also an empty one.",
                ragged.len(),
                ragged.len() + time.count(&rows)
            ));
        }
        if long.is_none() && tags.is_empty() && record_column.is_none() {
            notes.extend(of_few_times(&rows, &time));
        }
        if rows[time.first..].iter().any(|(line, _)| has_quoted_number(line.text, &spelling)) {
            notes.push("Numbers stand in quotes; they are read as numbers.".to_owned());
        }
        let csv = CsvFormat {
            time_columns: time.columns.iter().map(name).collect(),
            time_formats: time.formats.clone(),
            names: dialect.names_line.is_none().then(|| own_names.clone()),
            record_column,
            dialect: Some(dialect),
            long,
        };
        let starts: Vec<String> = time.starts.iter().map(name).collect();
        let has_stamp = |stamp: &str| own_names.iter().any(|name| name == stamp);
        let is_ameriflux = !starts.is_empty() && has_stamp("TIMESTAMP_START") && has_stamp("TIMESTAMP_END");
        if is_ameriflux {
            notes.push("AmeriFlux's own format: names and units are AmeriFlux's, and -9999 is no value.".to_owned());
        }
        let (offset, of_zone) = stated::of(&rows, &time, &own_names, &csv);
        notes.extend(of_zone);
        let is_in_utc = stated::are_instants(&csv);
        Recognised { csv, tags, starts, is_ameriflux, offset, is_in_utc, notes }
    }
}

/// Whether another sign separates the fields although blanks separate as many in each row: each row and a line of texts above
/// them have as many of this sign, and blanks do not separate that line into as many fields.
fn other_sign(lines: &[Line<'_>], first: usize, width: usize, spelling: &Spelling) -> bool {
    let rows: Vec<&Line<'_>> = lines.iter().filter(|line| line.number >= first && !line.is_comment).collect();
    let count = |line: &Line<'_>, sign: u8| line.text.iter().filter(|byte| **byte == sign).count();
    [b',', b';', b'|'].into_iter().any(|sign| {
        let usual = rows.first().map_or(0, |line| count(line, sign));
        let in_rows = rows.iter().filter(|line| count(line, sign) == usual).count();
        let mut above = lines.iter().filter(|line| line.number < first && count(line, sign) == usual);
        usual > 0 && in_rows * 20 >= rows.len() * 19 && above.any(|line| spelling.texts(line.text).len() != width)
    })
}

/// The most frequent number of fields: at least a time and a value, on half of the lines after the first such line.
fn usual_width(widths: impl Iterator<Item = usize> + Clone) -> Option<usize> {
    let mut counts: Vec<(usize, usize)> = Vec::new();
    for width in widths.clone() {
        match counts.iter_mut().find(|(known, _)| *known == width) {
            Some((_, count)) => *count += 1,
            None => counts.push((width, 1)),
        }
    }
    let (width, count) =
        counts.into_iter().filter(|(width, _)| *width >= 2).max_by_key(|&(width, count)| (count, width))?;
    let behind = widths.skip_while(|other| *other != width).count();
    (count * 2 >= behind).then_some(width)
}

/// The number of fields of the line of names, if most rows lack fields at their end: a line of texts is above the first row,
/// some rows have the same number of fields, and no line has more.
fn named_width(lines: &[(&Line<'_>, Vec<String>)], usual: usize) -> Option<usize> {
    let widest = lines.iter().map(|(_, fields)| fields.len()).max().filter(|widest| *widest > usual)?;
    let is_names = |fields: &[String]| fields.iter().all(|text| !text.is_empty() && !numbers::is_number(text));
    let first = lines.iter().position(|(_, fields)| fields.len() == usual)?;
    let (above, below) = lines.split_at(first);
    let count = |width: usize| below.iter().filter(|(_, fields)| fields.len() == width).count();
    let is_named = above.iter().any(|(_, fields)| fields.len() == widest && is_names(fields));
    let is_usual = below.first().is_some_and(|(_, fields)| is_names(fields));
    (is_named && !is_usual && count(widest) > 1 && count(widest) * 10 > count(usual)).then_some(widest)
}

/// What a comment begins with: its mark, and its first word where rows begin with the mark. None if rows begin so, too.
fn comment_of(line: &Line<'_>, mark: &str, rows: &[(&Line<'_>, Vec<String>)]) -> Option<String> {
    let text = decode(line.text.trim_ascii()).into_owned();
    let behind = text.get(mark.len()..)?;
    let word = behind.split_whitespace().next().unwrap_or_default();
    let begin = mark.len() + behind.len() - behind.trim_start().len() + word.len();
    let is_of_rows = |mark: &str| rows.iter().any(|(row, _)| row.text.trim_ascii_start().starts_with(mark.as_bytes()));
    [mark, text.get(..begin)?].into_iter().find(|mark| !is_of_rows(mark)).map(str::to_owned)
}

/// The beginning of a line at the end of the file that is not a row.
fn footer_of(line: &Line<'_>, rows: &[(&Line<'_>, Vec<String>)], first: usize, time: &time::Found) -> Option<String> {
    let row = rows.iter().find(|(row, _)| row.number == line.number);
    let is_row = row.is_some_and(|(_, fields)| time.reads(fields));
    if line.number < first || is_row {
        return None;
    }
    let last = rows.iter().rev().find(|(_, fields)| time.reads(fields)).map_or(0, |(row, _)| row.number);
    let text = decode(line.text);
    let word: String = text.trim_start_matches(['"', '\'']).chars().take_while(|c| c.is_alphabetic()).collect();
    let begin = &text[..text.len() - text.trim_start_matches(['"', '\'']).len()];
    (line.number > last && word.chars().count() >= 2).then(|| format!("{begin}{word}"))
}

fn has_quoted_number(line: &[u8], spelling: &Spelling) -> bool {
    spelling.parts(line).any(|part| part.quoted && numbers::is_number(&decode(part.text)))
}

/// A note, if the examined rows have few different times.
fn of_few_times(rows: &[(&Line<'_>, Vec<String>)], time: &time::Found) -> Option<String> {
    let read = time.count(rows);
    let times: HashSet<i64> = rows.iter().filter_map(|(_, fields)| time.nanos(fields)).collect();
    (read >= 4 && times.len() * 2 <= read).then(|| {
        format!(
            "CHECK: {read} rows looked at have {}, and rows of one time that differ are conflicts. A part of the time may stand in \
             another column, or a column that tells the rows apart needs use = \"tag\".",
            crate::text::count(times.len() as u64, "time")
        )
    })
}

/// The columns that distinguish rows of one stamp, if most rows share their stamp.
fn tags(rows: &[(&Line<'_>, Vec<String>)], time: &time::Found, clocks: &[usize]) -> Vec<usize> {
    let rows: Vec<(i64, &Vec<String>)> =
        rows[time.first..].iter().filter_map(|(_, fields)| Some((time.nanos(fields)?, fields))).collect();
    let is_text: Vec<bool> = (0..rows.first().map_or(0, |(_, fields)| fields.len()))
        .map(|place| {
            !time.columns.contains(&place)
                && !clocks.contains(&place)
                && !rows.iter().all(|(_, fields)| numbers::is_decimal(&fields[place]))
        })
        .collect();
    let mut apart = Apart::default();
    for (nanos, fields) in rows {
        let texts =
            fields.iter().zip(&is_text).map(|(text, is_text)| if *is_text { text.clone() } else { String::new() });
        apart.see_texts(nanos, texts.collect());
    }
    apart.column().into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recognised(text: &str) -> CsvFormat {
        recognise(text.as_bytes()).unwrap().csv
    }

    #[test]
    fn a_dialect_is_recognised_from_its_lines() {
        let csv = recognised("Datum;Zeit;Temp;Feuchte\n01.02.2021;10:00;1,5;80\n01.02.2021;10:30;-2,25;81\n");
        let dialect = csv.dialect.unwrap();
        assert_eq!(csv.time_columns, ["Datum", "Zeit"]);
        assert_eq!(csv.time_formats, [Some("%d.%m.%Y %H:%M".to_owned())]);
        assert_eq!((dialect.separator, dialect.decimal), (Separator::Sign(b';'), b','));
        assert_eq!((dialect.names_line, dialect.head_lines), (Some(1), 1));
    }

    #[test]
    fn what_has_no_time_is_no_table() {
        for text in ["", "a,b\n1,2\n", "{\"a\": 1}\n", "key = value\nother = 5\n", "Station;46m\nLat;45,5\n"] {
            assert!(recognise(text.as_bytes()).is_none(), "{text}");
        }
    }

    #[test]
    fn a_single_row_below_names_and_units_is_the_row() {
        for text in ["Time,T,RH\nTS,degC,%\n2024-05-01 00:00:00,5.5,80\n", "Time,T\ns,degC\n2024-05-01 00:00:00,5.5\n"]
        {
            let csv = recognised(text);
            let dialect = csv.dialect.unwrap();
            assert_eq!((dialect.names_line, dialect.units_line, dialect.head_lines), (Some(1), Some(2), 2), "{text}");
            assert_eq!(csv.time_columns, ["Time"], "{text}");
        }
    }

    #[test]
    fn a_wide_line_above_the_names_is_none_and_a_damaged_row_gives_no_width() {
        let rows: String = (10..24).map(|hour| format!("2024-05-01 {hour}:00,{hour}.5,80\n")).collect();
        let text =
            format!("Station,Hill,north,side\ntime,T,RH\n{rows}2024-05-02 00:00,1,2,3\n2024-05-02 01:00,1,2,3\n{rows}");
        let csv = recognised(&text);
        assert_eq!((csv.time_columns, csv.dialect.unwrap().names_line), (vec!["time".to_owned()], Some(2)));
    }

    #[test]
    fn one_value_a_line_differs_from_rows_with_a_tag() {
        let lines = |names: &str, sensors: [&str; 2]| {
            let row = |minute: u32| {
                sensors.map(|sensor| format!("2021-01-01 00:{minute:02}:00,{sensor},{minute}.5\n")).concat()
            };
            format!("{names}\n") + &(0..5).map(row).collect::<String>()
        };
        let long = recognised(&lines("Time,Sensor,Value", ["T", "RH"])).long.unwrap();
        assert_eq!((long.sensor.as_str(), long.value.as_str()), ("Sensor", "Value"));
        let found = recognise(lines("Time,Plot,Temp", ["6a", "6b"]).as_bytes()).unwrap();
        assert_eq!((found.csv.long, found.tags), (None, vec!["Plot".to_owned()]));
    }

    #[test]
    fn rows_of_one_stamp_are_distinguished_by_a_text() {
        let found = recognise(b"T,Plot,V\n2021-01-01 00:00:00,6a,1\n2021-01-01 00:00:00,6b,2\n2021-01-01 00:30:00,6a,1\n2021-01-01 00:30:00,6b,2\n").unwrap();
        assert_eq!(found.tags, ["Plot"]);
    }
}
