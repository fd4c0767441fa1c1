//! Text tables of any dialect: which lines are the header, which columns are time and record number, and how a line is
//! translated into a TOA5 line for reading.
//!
//! A line is stored, shown and judged again as it is in the file. Only [`Spelling`] knows the dialect: it translates a
//! physical line into one with commas, decimal points and quotes, and all later code reads that.

mod spelling;

pub use spelling::Spelling;
pub(in crate::format) use spelling::{Spelled, SpelledNumber};

use crate::config::{CsvDialect, CsvFormat, FileFormat, Separator};
use crate::format::header::Header;
use crate::format::layout::{ColumnSource, Layout};
use crate::format::text::strip_noise;

/// The positions of time and record number in a file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Keys {
    /// The columns of the time, in the order in which they are joined.
    pub time: Vec<usize>,
    /// The column of the record number.
    pub record: Option<usize>,
    /// The column of the array number, which is not a value.
    pub array: Option<usize>,
}

impl Keys {
    /// Determines the positions from the names of a header.
    pub fn of(format: &FileFormat, header: &Header) -> Keys {
        let place = |wanted: &str| header.names.iter().position(|name| name.eq_ignore_ascii_case(wanted));
        match format {
            FileFormat::Logger(_) => {
                Keys { time: place("TIMESTAMP").into_iter().collect(), record: place("RECORD"), array: None }
            }
            FileFormat::Csv(csv) => {
                let exactly = |wanted: &str| header.names.iter().position(|name| name == wanted);
                Keys {
                    time: csv.time_columns.iter().filter_map(|name| exactly(name)).collect(),
                    record: csv.record_column.as_deref().and_then(exactly),
                    array: csv.array().map(|_| 0),
                }
            }
        }
    }

    /// Whether the column is the time, a part of it, the record number, or the array number.
    pub fn contain(&self, place: usize) -> bool {
        self.record == Some(place) || self.array == Some(place) || self.time.contains(&place)
    }
}

/// One field of a line to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cell {
    /// A number with a decimal point, or a text such as NAN that means that there is none.
    Number(String),
    /// Any text.
    Text(String),
}

impl FileFormat {
    /// Whether a line is a comment, a line of a footer, or a row of another array.
    #[inline]
    pub fn is_comment(&self, line: &[u8]) -> bool {
        let FileFormat::Csv(CsvFormat { dialect: Some(dialect), .. }) = self else { return false };
        let is_other_array = dialect.array.is_some_and(|own| array_of(line).is_some_and(|other| other != own));
        is_other_array
            || (!dialect.comments.is_empty() && {
                let line = line.trim_ascii_start();
                dialect.comments.iter().any(|mark| line.starts_with(mark.as_bytes()))
            })
    }
}

/// The array number of a line, 1 to 511. None if the line is damaged or belongs to no array.
pub fn array_of(line: &[u8]) -> Option<u16> {
    let end = memchr::memchr(b',', line)?;
    let digits = line[..end].trim_ascii();
    let is_number = (1..=3).contains(&digits.len()) && digits.iter().all(u8::is_ascii_digit);
    let number = digits.iter().fold(0, |number, byte| number * 10 + u16::from(byte.wrapping_sub(b'0')));
    (is_number && (1..=511).contains(&number)).then_some(number)
}

impl CsvFormat {
    /// The array whose lines are read; None if all lines are.
    pub fn array(&self) -> Option<u16> {
        self.dialect.as_ref().and_then(|dialect| dialect.array)
    }

    /// Whether this configuration can read lines under a header that was read earlier.
    pub fn fits(&self, header: &Header) -> bool {
        match &self.names {
            Some(names) => *names == header.names,
            None => self.lacking(&header.names).is_none(),
        }
    }

    /// A column of the time or of the record number that is not among these names.
    fn lacking(&self, names: &[String]) -> Option<&String> {
        let long = self.long.iter().flat_map(|long| [&long.sensor, &long.value]);
        self.time_columns.iter().chain(&self.record_column).chain(long).find(|name| !names.contains(name))
    }

    /// The number of lines before the rows of a file.
    pub fn head_lines(&self) -> usize {
        self.dialect.as_ref().map_or(0, |dialect| dialect.head_lines)
    }

    /// The header of a file that begins with `lines`; their number is [`CsvFormat::head_lines`]. The error is the rest
    /// of a sentence that begins with the file's name.
    pub fn header(&self, table: &str, lines: &[Vec<u8>]) -> Result<Header, String> {
        let dialect = self.dialect.as_ref();
        let of_line = |number: Option<usize>| -> Option<Vec<String>> {
            let mut line = strip_noise(lines.get(number?.checked_sub(1)?)?).into_owned();
            // No name can contain them.
            line.retain(|byte| *byte != 0);
            Some(Spelling::of(dialect?).texts(strip_comment(&line, dialect)))
        };
        let names = match &self.names {
            Some(names) => names.clone(),
            None => unique_names(of_line(dialect.and_then(|dialect| dialect.names_line)).unwrap_or_default()),
        };
        if let Some(lacking) = self.lacking(&names) {
            let line = dialect.and_then(|dialect| dialect.names_line).unwrap_or(1);
            return Err(format!(
                "has no column \"{lacking}\" in line {line}, which names {}; correct names_line or the name in the configuration",
                crate::text::any_of(&names.iter().map(String::as_str).collect::<Vec<_>>())
            ));
        }
        let Some(units) = of_line(dialect.and_then(|dialect| dialect.units_line)) else {
            return Ok(self.named(table, &names));
        };
        let mut header = Header::from_names(table, &names);
        for (own, unit) in header.units.iter_mut().zip(units) {
            unit_of(&unit).clone_into(own);
        }
        Ok(header)
    }

    /// The header of these names. Where the file gives them, they may have their units in brackets.
    fn named(&self, table: &str, names: &[String]) -> Header {
        let mut header = Header::from_names(table, names);
        if self.names.is_none() {
            for (own, name) in header.units.iter_mut().zip(names) {
                *own = unit_in(name).unwrap_or_default().to_owned();
            }
        }
        header
    }

    /// The header and the layout of a file that begins with `head`. In the layout, each value is at the position of its
    /// column. The error is as in [`CsvFormat::header`].
    pub fn open(&self, table: &str, head: &[u8]) -> Result<(Header, Layout), String> {
        let lines = head.split_inclusive(|byte| *byte == b'\n').take(self.head_lines());
        let lines: Vec<Vec<u8>> = lines.map(|line| line.strip_suffix(b"\n").unwrap_or(line).to_vec()).collect();
        let header = self.header(table, &lines)?;
        let format = FileFormat::Csv(self.clone());
        let keys = Keys::of(&format, &header);
        let width = (0..header.names.len()).filter(|place| !keys.contain(*place)).count();
        let mut places = 0..width;
        let layout = Layout::of_file(&format, &header, width, Vec::new(), |_| {
            ColumnSource::Value(places.next().unwrap_or_default())
        });
        Ok((header, layout))
    }

    /// Writes a line in this dialect.
    pub fn line(&self, cells: &[Cell]) -> Vec<u8> {
        let dialect = self.dialect.clone().unwrap_or_default();
        let quote = char::from(dialect.quote.unwrap_or(b'"'));
        let decimal = char::from(dialect.decimal);
        // If the separator is a comma, a number with a decimal comma needs quotes.
        let is_quoted = dialect.separator == Separator::Sign(dialect.decimal);
        let cell = |cell: &Cell| match cell {
            Cell::Number(digits) if is_quoted && digits.contains('.') => {
                format!("{quote}{}{quote}", digits.replace('.', decimal.encode_utf8(&mut [0; 4])))
            }
            Cell::Number(digits) => digits.replace('.', decimal.encode_utf8(&mut [0; 4])),
            Cell::Text(text) => {
                let inside = text.replace(quote, &format!("{quote}{quote}"));
                format!("{quote}{inside}{quote}")
            }
        };
        let separator = match dialect.separator {
            Separator::Sign(sign) => char::from(sign),
            Separator::Blanks => ' ',
        };
        let cells: Vec<String> = cells.iter().map(cell).collect();
        cells.join(separator.encode_utf8(&mut [0; 4])).into_bytes()
    }

    /// The kind of header line that a line below the header is, as in files that were joined or restarted. None if it
    /// is not a line of a header.
    pub fn header_line(&self, line: &[u8], header: &Header) -> Option<HeaderLine> {
        let texts = self.texts(line);
        let is = |known: &[String]| {
            texts.len() == known.len() && texts.iter().zip(known).all(|(text, known)| text.eq_ignore_ascii_case(known))
        };
        if is(&header.names) {
            return Some(HeaderLine::Names);
        }
        if header.units.iter().any(|unit| !unit.is_empty()) && is(&header.units) {
            return Some(HeaderLine::Units);
        }
        // The file names its columns, and this line every column of the time and of the record number.
        let names_columns = self.names.is_none() && self.dialect.as_ref().is_some_and(|own| own.names_line.is_some());
        let names = unique_names(texts);
        (names_columns && self.lacking(&names).is_none()).then(|| HeaderLine::Other(self.named(&header.table, &names)))
    }

    /// The header with the units of `line`, the line after the names. None if the format has no line of units or the
    /// number of texts differs.
    pub fn with_units(&self, line: &[u8], header: &Header) -> Option<Header> {
        self.dialect.as_ref().and_then(|dialect| dialect.units_line)?;
        let texts = self.texts(line);
        let units = texts.iter().map(|unit| unit_of(unit).to_owned()).collect();
        (texts.len() == header.names.len()).then(|| Header { units, ..header.clone() })
    }

    fn texts(&self, line: &[u8]) -> Vec<String> {
        let dialect = self.dialect.as_ref();
        dialect.map_or_else(Spelling::default, Spelling::of).texts(strip_comment(line, dialect))
    }
}

/// A header line below the header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HeaderLine {
    /// The names again.
    Names,
    /// The units again.
    Units,
    /// Other names: the header that they make.
    Other(Header),
}

/// A unit without its brackets.
fn unit_of(text: &str) -> &str {
    text.trim_matches(['[', ']', '(', ')'])
}

/// Removes the mark of a comment, because names are often written in one.
fn strip_comment<'l>(line: &'l [u8], dialect: Option<&CsvDialect>) -> &'l [u8] {
    let mut marks = dialect.iter().flat_map(|dialect| &dialect.comments);
    // A tab before the first name follows an empty name.
    marks.find_map(|mark| line.strip_prefix(mark.as_bytes())).map_or(line, <[u8]>::trim_ascii_start)
}

/// Makes the names unique and not empty.
pub fn unique_names(names: Vec<String>) -> Vec<String> {
    let mut known: Vec<String> = Vec::with_capacity(names.len());
    for (place, name) in names.into_iter().enumerate() {
        let base = if name.is_empty() { format!("column_{}", place + 1) } else { name };
        let mut name = base.clone();
        let mut number = 2;
        while known.contains(&name) {
            name = format!("{base}_{number}");
            number += 1;
        }
        known.push(name);
    }
    known
}

/// The unit `degC` of `Temp [degC]` and `Temp (degC)`. An array's `Temp(1)` has no blank and no letter in the brackets. Where
/// the brackets hold the serial numbers of logger and sensor, as HOBOware writes them, the unit stands behind the comma before them:
/// `Temp, °C (LGR S/N: 1234, SEN S/N: 5678)`.
fn unit_in(name: &str) -> Option<&str> {
    let name = name.trim_end();
    let (open, close) = if name.ends_with(']') { ('[', ']') } else { (' ', ')') };
    let inside = name.strip_suffix(close)?;
    let (_, unit) = inside.rsplit_once(if open == '[' { '[' } else { '(' })?;
    if unit.contains("S/N") {
        let (name, _) = name.split_at(inside.len() - unit.len() - 1);
        return name.rsplit_once(", ").map(|(_, unit)| unit.trim()).filter(|unit| !unit.is_empty());
    }
    let has_blank = open == '[' || inside.contains(" (");
    (has_blank && !unit.is_empty()).then_some(unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_unit_stands_in_brackets_behind_a_name() {
        for (name, unit) in [
            ("Temp [degC]", Some("degC")),
            ("Temp[degC]", Some("degC")),
            ("Temp (degC)", Some("degC")),
            ("Temp(1)", None),
            ("Temp", None),
            ("Temp []", None),
            ("Temp, °C (LGR S/N: 1234, SEN S/N: 5678)", Some("°C")),
            ("RH, % (LGR S/N: 1234, SEN S/N: 5678, LBL: air)", Some("%")),
            ("Host Connected (LGR S/N: 1234)", None),
        ] {
            assert_eq!(unit_in(name), unit, "{name}");
        }
    }

    #[test]
    fn a_line_between_commas_has_its_decimal_commas_in_quotes() {
        let comma = CsvDialect { decimal: b',', ..CsvDialect::default() };
        let semicolon = CsvDialect { separator: Separator::Sign(b';'), ..comma.clone() };
        let cells = [Cell::Number("1.5".to_owned()), Cell::Number("2".to_owned()), Cell::Text("a".to_owned())];
        for (dialect, line) in [(comma, "\"1,5\",2,\"a\""), (semicolon, "1,5;2;\"a\"")] {
            let csv = CsvFormat {
                names: None,
                time_columns: Vec::new(),
                time_formats: Vec::new(),
                record_column: None,
                dialect: Some(dialect),
                long: None,
            };
            assert_eq!(String::from_utf8(csv.line(&cells)).unwrap(), line);
        }
    }

    #[test]
    fn names_are_made_unique() {
        let names = unique_names(["", "T", "T", "T_2", ""].map(str::to_owned).to_vec());
        assert_eq!(names, ["column_1", "T", "T_2", "T_2_2", "column_5"]);
    }
}
