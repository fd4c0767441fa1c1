//! Reads the text lines before the records, and converts them into the four header lines of a TOA5 file.

use super::RecordsError;
use super::print;
use crate::format::header::split;

/// The lines of a header, as lists of fields.
pub(super) struct Heading {
    format: &'static str,
    lines: Vec<Vec<String>>,
    /// The position where the records begin.
    pub(super) end: usize,
}

impl Heading {
    /// Reads `count` lines.
    pub(super) fn read(format: &'static str, head: &[u8], count: usize) -> Result<Heading, RecordsError> {
        let mut lines = Vec::with_capacity(count);
        let mut end = 0;
        for line in 1..=count {
            let rest = &head[end..];
            let found = memchr::memchr(b'\n', rest);
            let Some(length) = found else {
                // Something so long is not a header.
                return Err(match head.len() < super::LONGEST_HEAD {
                    true => RecordsError::Short { format },
                    false => RecordsError::Damaged { format, line, problem: "has no end".to_owned() },
                });
            };
            let damaged = || RecordsError::Damaged { format, line, problem: "has quotes that do not match".to_owned() };
            lines.push(split(&rest[..length]).ok_or_else(damaged)?);
            end += length + 1;
        }
        Ok(Heading { format, lines, end })
    }

    /// The fields of a line, counted from 1.
    pub(super) fn line(&self, number: usize) -> &[String] {
        self.lines.get(number - 1).map_or(&[], Vec::as_slice)
    }

    /// One field; empty if the line is shorter.
    pub(super) fn field(&self, number: usize, place: usize) -> &str {
        self.line(number).get(place).map_or("", |text| text.trim())
    }

    /// The error for a line that cannot be read.
    pub(super) fn damaged(&self, line: usize, problem: &str) -> RecordsError {
        RecordsError::Damaged { format: self.format, line, problem: problem.to_owned() }
    }

    /// Fails unless there is one type for each column.
    pub(super) fn one_type_each(&self, names: usize, types: usize) -> Result<(), RecordsError> {
        if self.line(names).is_empty() || self.line(names).len() != self.line(types).len() {
            let (columns, kinds) = (self.line(names).len(), self.line(types).len());
            return Err(self.damaged(types, &format!("has {kinds} types for {columns} columns")));
        }
        Ok(())
    }
}

/// The four lines of a TOA5 header. `own` has names, units and processes of the columns after time and record number.
pub(super) struct Toa5<'h> {
    /// Station, model, serial, OS, program, signature.
    pub(super) environment: &'h [String],
    pub(super) table: &'h str,
    pub(super) has_time: bool,
    pub(super) has_record: bool,
    /// Names, units, processes.
    pub(super) own: [&'h [String]; 3],
}

impl Toa5<'_> {
    pub(super) fn lines(&self) -> Vec<u8> {
        let mut text = Vec::new();
        let first = std::iter::once("TOA5").chain(self.environment.iter().map(String::as_str));
        write_line(first.chain([self.table]), &mut text);
        let width = self.own[0].len();
        for (list, (time, record)) in self.own.iter().zip([("TIMESTAMP", "RECORD"), ("TS", "RN"), ("", "")]) {
            let key = [self.has_time.then_some(time), self.has_record.then_some(record)];
            let own = list.iter().map(String::as_str).chain(std::iter::repeat("")).take(width);
            write_line(key.into_iter().flatten().chain(own), &mut text);
        }
        text
    }
}

fn write_line<'t>(fields: impl Iterator<Item = &'t str>, text: &mut Vec<u8>) {
    for (place, field) in fields.enumerate() {
        if place > 0 {
            text.push(b',');
        }
        print::text(field.as_bytes(), text);
    }
    text.extend_from_slice(b"\r\n");
}
