//! Parses the header lines: four in TOA5, two in TOACI1.
//!
//! LoggerNet writes line 1 when it creates the file and does not update it when the logger's program changes, so line 1
//! is metadata and does not identify the table. Line 2 names the columns, which decide where a row's values belong.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::format::fields::Fields;
use crate::format::text::{decode, strip_noise};
use crate::quantity::Stated;
use crate::time::LocalTime;

/// The content of a header.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// Station, model, serial, OS, program, signature: the fields of line 1 between the format and the table; fewer if
    /// the line was shorter.
    pub environment: Vec<String>,
    /// The table's name, the last field of line 1.
    pub table: String,
    /// The names of line 2, in the order of the file, including `TIMESTAMP` and `RECORD`.
    pub names: Vec<String>,
    /// The units of line 3, as many as `names`; empty where no unit was given.
    pub units: Vec<String>,
    /// The processes of line 4 (Smp, Avg, Min, …), as many as `names`.
    pub process: Vec<String>,
    /// The year of stamps that have none, where it is not the configured one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub year: Option<u16>,
}

/// Why lines are not a valid header.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum HeaderError {
    /// Line 1 has fewer than two fields or does not begin with TOA5.
    #[error("line 1 is not a TOA5 header; export the file again from LoggerNet")]
    NoEnvironment,
    /// Line 2's quotes do not match, or it has an empty name.
    #[error("line 2, the column names, is damaged; export the file again from LoggerNet")]
    Names,
    /// A name occurs twice, so a value could belong to either column.
    #[error("line 2 names the column \"{0}\" twice; rename one of them in the logger's program")]
    NameTwice(String),
    /// Line 3 or 4 begins like a row.
    #[error(
        "a line of the header is missing: there is a row in place of units or processes; export the file again from LoggerNet"
    )]
    Short,
    /// No `TIMESTAMP` column; a row without a time cannot be stored.
    #[error("line 2 has no TIMESTAMP column; turn \"Include time stamp\" on in LoggerNet Setup")]
    NoTimestamp,
}

/// The number of lines of the header that begins with this line; None if it does not begin one. TOA5 has four, the
/// short TOACI1 two. A file may have a header in the middle: LoggerNet writes one when it reconnects, as does a logger
/// that streams by FTP, and joined files have them.
pub fn header_lines(line: &[u8]) -> Option<usize> {
    let starts = |quoted: &[u8], bare: &[u8]| line.starts_with(quoted) || line.starts_with(bare);
    if starts(b"\"TOA5\",", b"TOA5,") {
        return Some(4);
    }
    starts(b"\"TOACI1\",", b"TOACI1,").then_some(2)
}

/// As [`header_lines`], of a line that ends within its first field, as the first line of a header does that was cut.
pub fn cut_header_lines(line: &[u8]) -> Option<usize> {
    let is_cut = |whole: &[u8]| line.len() >= b"\"TOA".len() && whole.starts_with(line);
    if is_cut(b"\"TOA5\"") {
        return Some(4);
    }
    is_cut(b"\"TOACI1\"").then_some(2)
}

/// As [`header_lines`], of the line of names, where a header has lost its first line.
pub fn named_columns(line: &[u8]) -> Option<usize> {
    let first = Fields::new(line).next()?;
    if first.text.eq_ignore_ascii_case(b"TIMESTAMP") {
        return Some(4);
    }
    first.text.eq_ignore_ascii_case(b"TMSTAMP").then_some(2)
}

/// Where the next line begins that opens a header, behind the first line.
pub fn next_header(bytes: &[u8]) -> Option<usize> {
    // Line by line, and not by a search for each possible beginning: a search for one that the file does not contain
    // would scan the whole rest.
    memchr::memchr_iter(b'\n', bytes).map(|end| end + 1).find(|begin| header_lines(&bytes[*begin..]).is_some())
}

impl Header {
    /// What the header states about a column; None if it has no such column.
    pub fn stated(&self, name: &str) -> Option<Stated<'_>> {
        let at = self.names.iter().position(|known| known == name)?;
        Some(Stated {
            name: &self.names[at],
            unit: self.units.get(at).map_or("", String::as_str),
            process: self.process.get(at).map_or("", String::as_str),
        })
    }

    /// Parses the lines of a header, as many as [`header_lines`] says, without their line ends.
    pub fn read(lines: &[Vec<u8>]) -> Result<Header, HeaderError> {
        match lines {
            [first, second] => Header::parse_short([first, second]),
            [first, second, third, fourth] => Header::parse([first, second, third, fourth]),
            _ => Err(HeaderError::NoEnvironment),
        }
    }

    /// Its line 1 in a header of so many lines, without the end of the line.
    pub fn first_line(&self, of: usize) -> Vec<u8> {
        let environment = self.environment.iter().map(String::as_str);
        let table = std::iter::once(self.table.as_str());
        let fields: Vec<&str> = match of {
            2 => ["TOACI1"].into_iter().chain(environment.chain([""]).take(1)).chain(table).collect(),
            _ => ["TOA5"].into_iter().chain(environment).chain(table).collect(),
        };
        let quoted = fields.iter().map(|field| format!("\"{}\"", field.replace('"', "\"\"")));
        quoted.collect::<Vec<_>>().join(",").into_bytes()
    }

    /// Reads the two lines of a TOACI1 header. Time and record number get the names that TOA5 gives them, so that a
    /// table goes on when its output format changes.
    fn parse_short(lines: [&[u8]; 2]) -> Result<Header, HeaderError> {
        let first = split(lines[0]).ok_or(HeaderError::NoEnvironment)?;
        let [_, station, table] = first.as_slice() else { return Err(HeaderError::NoEnvironment) };
        let mut names = split(lines[1]).ok_or(HeaderError::Names)?;
        let long = |name: &mut String, short: &str, long: &str| {
            if name.eq_ignore_ascii_case(short) {
                long.clone_into(name);
            }
        };
        names.iter_mut().for_each(|name| {
            long(name, "TMSTAMP", "TIMESTAMP");
            long(name, "RECNBR", "RECORD");
        });
        time_place(&names)?;
        Ok(Header { environment: vec![station.clone()], ..Header::from_names(table, &names) })
    }

    /// Reads the four lines of a TOA5 header, without their line ends.
    pub fn parse(lines: [&[u8]; 4]) -> Result<Header, HeaderError> {
        let mut first = split(lines[0]).ok_or(HeaderError::NoEnvironment)?;
        if first.len() < 2 || first[0] != "TOA5" {
            return Err(HeaderError::NoEnvironment);
        }
        let table = first.pop().unwrap_or_default();
        first.remove(0);
        let names = split(lines[1]).ok_or(HeaderError::Names)?;
        let time = time_place(&names)?;
        let is_row = |line: &[u8]| {
            let line = strip_noise(line);
            Fields::new(&line).nth(time).is_some_and(|field| LocalTime::parse(field.text).is_some())
        };
        if is_row(lines[2]) || is_row(lines[3]) {
            return Err(HeaderError::Short);
        }
        // A quote inside a unit unbalances its line (Campbell FAQ 1290). Units and processes are metadata and the rows
        // are good, so these are left empty and the file is read.
        let beside = |line: &[u8]| match split(line) {
            Some(list) if list.len() == names.len() => list,
            _ => vec![String::new(); names.len()],
        };
        Ok(Header { environment: first, table, units: beside(lines[2]), process: beside(lines[3]), names, year: None })
    }

    /// The header for a file without one, with the names in the configuration.
    pub fn from_names(table: &str, names: &[String]) -> Header {
        let empty = vec![String::new(); names.len()];
        Header {
            environment: Vec::new(),
            table: table.to_owned(),
            names: names.to_vec(),
            units: empty.clone(),
            process: empty,
            year: None,
        }
    }
}

/// The position of the time; fails if the names are damaged.
fn time_place(names: &[String]) -> Result<usize, HeaderError> {
    if names.len() < 2 || names.iter().any(String::is_empty) {
        return Err(HeaderError::Names);
    }
    let mut sorted: Vec<&String> = names.iter().collect();
    sorted.sort();
    if let Some(pair) = sorted.windows(2).find(|pair| pair[0] == pair[1]) {
        return Err(HeaderError::NameTwice(pair[0].clone()));
    }
    let time = names.iter().position(|name| name.eq_ignore_ascii_case("TIMESTAMP"));
    time.ok_or(HeaderError::NoTimestamp)
}

/// Splits a line with the csv crate. A line that gives several records is not a header line.
pub(super) fn split(line: &[u8]) -> Option<Vec<String>> {
    let line = strip_noise(line);
    // The text before and after NUL bytes may be from different lines.
    if memchr::memchr(0, &line).is_some() {
        return None;
    }
    let text = decode(&line);
    let text = without_blanks_at_commas(&text);
    if !text.matches('"').count().is_multiple_of(2) {
        return None;
    }
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
    let mut records = reader.records();
    let record = records.next()?.ok()?;
    records.next().is_none().then(|| record.iter().map(str::to_owned).collect())
}

/// Removes blanks beside commas and at the ends, outside quotes: some programs write `"A", "B"`.
fn without_blanks_at_commas(text: &str) -> Cow<'_, str> {
    if !text.contains(", ") && !text.contains(" ,") && !text.starts_with(' ') && !text.ends_with(' ') {
        return Cow::Borrowed(text);
    }
    let mut parts = vec![String::new()];
    let mut is_quoted = false;
    for c in text.chars() {
        is_quoted ^= c == '"';
        match parts.last_mut() {
            Some(part) if is_quoted || c != ',' => part.push(c),
            _ => parts.push(String::new()),
        }
    }
    Cow::Owned(parts.iter().map(|part| part.trim_matches(' ')).collect::<Vec<_>>().join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE1: &[u8] =
        b"\"TOA5\",\"46m\",\"CR5000\",\"1041\",\"CR5000.Std.07\",\"CPU:Y21.CR5\",\"6827\",\"PARCal\"\r";

    fn parse(names: &str, units: &str, process: &str) -> Result<Header, HeaderError> {
        Header::parse([LINE1, names.as_bytes(), units.as_bytes(), process.as_bytes()])
    }

    #[test]
    fn names_with_nul_bytes_between_them_are_damaged() {
        assert_eq!(parse("\"TIMESTAMP\",\"RECORD\",\"A\0\0\",\"B\"", "", ""), Err(HeaderError::Names));
    }

    #[test]
    fn four_lines_are_read() {
        let header =
            parse("\"TIMESTAMP\",\"RECORD\",\"T(1,2)\"", "\"TS\",\"RN\",\"\u{b0}C\"", "\"\",\"\",\"Avg\"").unwrap();
        assert_eq!(header.table, "PARCal");
        assert_eq!(header.environment[0], "46m");
        assert_eq!(header.names[2], "T(1,2)");
        assert_eq!(header.units[2], "°C");
        assert_eq!(header.process[2], "Avg");
    }

    #[test]
    fn a_quote_in_a_unit_costs_the_units_and_not_the_file() {
        let header =
            parse("\"TIMESTAMP\",\"RECORD\",\"A\"", "\"TS\",\"RN\",\"6\" pipe\"", "\"\",\"\",\"Avg\"").unwrap();
        assert_eq!(header.units, ["", "", ""]);
        assert_eq!(header.process[2], "Avg");
    }

    #[test]
    fn blanks_behind_commas_are_no_part_of_a_name() {
        let header = parse(
            "\"TIMESTAMP\", \"RECORD\", \"T, air\" ,RH",
            "\"TS\", \"RN\", \"Deg C\", \"%\"",
            "\"\", \"\", \"Avg\", \"Avg\"",
        )
        .unwrap();
        assert_eq!(header.names, ["TIMESTAMP", "RECORD", "T, air", "RH"]);
        assert_eq!((header.units[2].as_str(), header.process[3].as_str()), ("Deg C", "Avg"));
    }

    #[test]
    fn a_damaged_name_line_is_refused() {
        assert_eq!(parse("\"TIMESTAMP\",\"REC", "", ""), Err(HeaderError::Names));
        assert_eq!(parse("", "", ""), Err(HeaderError::Names));
        assert_eq!(parse("\"TIMESTAMP\",\"A\",\"A\"", "", ""), Err(HeaderError::NameTwice("A".to_owned())));
        assert_eq!(parse("\"RECORD\",\"A\"", "", ""), Err(HeaderError::NoTimestamp));
    }

    #[test]
    fn a_row_is_never_taken_for_units() {
        let row = "\"2024-05-01 00:00:00\",1,2";
        let names = "\"TIMESTAMP\",\"RECORD\",\"A\"";
        assert_eq!(parse(names, row, row), Err(HeaderError::Short));
        assert_eq!(parse(names, "\"TS\",\"RN\",\"\"", row), Err(HeaderError::Short));
    }
}
