//! Translates one line of a dialect into the form of a TOA5 line.

use std::borrow::Cow;

use crate::config::{CsvDialect, CsvFormat, Separator};
use crate::format::csv::Keys;
use crate::format::header::Header;
use crate::format::number::{NUMBER_REACH, Number, Plain};
use crate::format::row::RowError;
use crate::format::text::decode;
use crate::text::with_plain_signs;

/// How a line is translated into fields between commas, with decimal points in numbers and quotes around texts.
#[derive(Debug, Clone)]
pub struct Spelling {
    separator: Separator,
    decimal: u8,
    thousands: Option<u8>,
    quote: Option<u8>,
    /// The number of fields of a row.
    width: usize,
    /// The columns of the time. They are joined into one field, at the position of the first of them.
    time: Vec<usize>,
    /// A column that is left out.
    left_out: Option<usize>,
    /// The year that is put before a time without one.
    year: Option<u16>,
}

/// A translated line. Its buffers are reused for the next line.
#[derive(Debug, Default)]
pub struct Spelled {
    /// The line in the TOA5 form.
    pub(in crate::format) text: Vec<u8>,
    /// Of its first fields: the number, where the translation read it, so that it is not parsed again.
    pub(in crate::format) numbers: Vec<Option<SpelledNumber>>,
}

/// A number that was read when its line was translated.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SpelledNumber {
    pub(in crate::format) number: Number,
    /// The length of its text.
    pub(in crate::format) length: usize,
}

impl Default for Spelling {
    fn default() -> Spelling {
        Spelling::of(&CsvDialect::default())
    }
}

impl Spelling {
    /// The translation for a dialect, for lines with any number of fields.
    pub fn of(dialect: &CsvDialect) -> Spelling {
        let &CsvDialect { separator, decimal, thousands, quote, year, .. } = dialect;
        Spelling { separator, decimal, thousands, quote, width: 0, time: Vec::new(), left_out: None, year }
    }

    /// The translation for the rows of a file. None if they have the TOA5 form already.
    pub fn of_rows(csv: &CsvFormat, keys: &Keys, header: &Header) -> Option<Spelling> {
        let dialect = csv.dialect.clone().unwrap_or_default();
        let width = header.names.len();
        let year = dialect.year.map(|year| header.year.unwrap_or(year));
        let own = Spelling { width, time: keys.time.clone(), left_out: keys.array, year, ..Spelling::of(&dialect) };
        let plain = Spelling::default();
        let is_plain = own.separator == plain.separator
            && own.decimal == plain.decimal
            && own.thousands.is_none()
            && own.quote == plain.quote
            && !own.is_joined();
        (!is_plain).then_some(own)
    }

    /// From now on, stamps without a year are of this one.
    pub(in crate::format) fn set_year(&mut self, year: u16) {
        if self.year.is_some() {
            self.year = Some(year);
        }
    }

    /// The texts of a line, without quotes and surrounding blanks.
    pub fn texts(&self, line: &[u8]) -> Vec<String> {
        let quoted = self.quote.map(|quote| [quote, quote]);
        let text = |field: Part<'_>| {
            let text = decode(field.text).trim().to_owned();
            match quoted {
                Some(double) if field.quoted => {
                    let double: String = double.iter().map(|sign| char::from(*sign)).collect();
                    text.replace(&double, &double[..1])
                }
                _ => text,
            }
        };
        self.parts(line).map(text).collect()
    }

    /// The fields of a line.
    pub fn parts<'l>(&self, line: &'l [u8]) -> Parts<'l> {
        let line = match self.separator {
            Separator::Blanks => line.trim_ascii(),
            Separator::Sign(_) => line,
        };
        Parts { rest: Some(line), separator: self.separator, quote: self.quote, torn: false }
    }

    /// Translates `line` into `spelled`, which is cleared first.
    pub(in crate::format) fn spell(&self, line: &[u8], spelled: &mut Spelled) -> Result<(), RowError> {
        let Spelled { text: out, numbers } = spelled;
        out.clear();
        numbers.clear();
        if self.is_joined() {
            return self.spell_joined(line, out);
        }
        let mut parts = self.parts(line);
        let time = self.time.first();
        let mut found = 0;
        while let Some(rest) = parts.rest {
            if found > 0 {
                out.push(b',');
            }
            let is_time = time == Some(&found);
            let plain = if is_time { None } else { self.plain_number(rest, out) };
            numbers.push(plain.and_then(|(length, number)| Some(SpelledNumber { number: number?, length })));
            if let Some((length, _)) = plain {
                parts.rest = rest.get(length + 1..);
            } else if let Some(part) = parts.next() {
                if is_time {
                    self.text(part, out);
                } else {
                    self.value(part, out);
                }
            }
            found += 1;
        }
        self.check(&parts, found)
    }

    /// Appends the number at the beginning of `rest` and returns its length, if only its decimal sign must be replaced; and
    /// its value, if it has one of the forms that are read at once.
    #[inline]
    fn plain_number(&self, rest: &[u8], out: &mut Vec<u8>) -> Option<(usize, Option<Number>)> {
        let Separator::Sign(separator) = self.separator else { return None };
        if let Some(text) = rest.first_chunk::<NUMBER_REACH>()
            && let Some(plain) = Plain::of(text, separator, self.decimal)
        {
            // A copy with a constant length compiles to one or two instructions.
            let begin = out.len();
            out.extend_from_slice(text);
            out.truncate(begin + plain.end);
            if let Some(point) = plain.point {
                out[begin + point] = b'.';
            }
            return Some((plain.end, plain.number()));
        }
        let (mut point, mut figures) = (None, 0);
        let mut length = 0;
        while let Some(&byte) = rest.get(length).filter(|byte| **byte != separator) {
            match byte {
                b'0'..=b'9' => figures += 1,
                b'-' | b'e' | b'E' => {}
                _ if byte == self.decimal && point.is_none() => point = Some(length),
                _ => return None,
            }
            length += 1;
        }
        if figures == 0 {
            return None;
        }
        let begin = out.len();
        out.extend_from_slice(&rest[..length]);
        if let Some(point) = point {
            out[begin + point] = b'.';
        }
        Some((length, None))
    }

    /// Whether the fields of a row differ from those of its line.
    fn is_joined(&self) -> bool {
        self.time.len() != 1 || self.left_out.is_some() || self.year.is_some()
    }

    /// Translates a line if several columns are the time, or one is left out.
    fn spell_joined(&self, line: &[u8], out: &mut Vec<u8>) -> Result<(), RowError> {
        let mut parts = self.parts(line);
        let all: Vec<Part<'_>> = parts.by_ref().collect();
        self.check(&parts, all.len())?;
        let first = self.time.iter().min().copied();
        // An empty value writes nothing, so the output does not show whether the time has begun.
        let mut is_begun = false;
        for (place, part) in all.iter().enumerate() {
            let is_first = first == Some(place);
            if self.left_out == Some(place) || (self.time.contains(&place) && !is_first) {
                continue;
            }
            if std::mem::replace(&mut is_begun, true) {
                out.push(b',');
            }
            if !is_first {
                self.value(*part, out);
                continue;
            }
            out.push(b'"');
            if let Some(year) = self.year {
                out.extend_from_slice(format!("{year} ").as_bytes());
            }
            for (number, &place) in self.time.iter().enumerate() {
                if number > 0 {
                    out.push(b' ');
                }
                let text = all.get(place).map_or(&b""[..], |part| part.text.trim_ascii());
                out.extend(text.iter().filter(|byte| **byte != b'"'));
            }
            out.push(b'"');
        }
        Ok(())
    }

    fn check(&self, parts: &Parts<'_>, found: usize) -> Result<(), RowError> {
        if parts.torn {
            return Err(RowError::Torn);
        }
        if found != self.width {
            return Err(RowError::Width { found, expected: self.width });
        }
        Ok(())
    }

    #[inline]
    fn value(&self, part: Part<'_>, out: &mut Vec<u8>) {
        let text = part.text.trim_ascii();
        if text.is_empty() {
            return;
        }
        if self.number(text, out) || self.odd_number(text, out) {
            return;
        }
        self.text(Part { text: if part.quoted { part.text } else { text }, ..part }, out);
    }

    /// Appends a number with a decimal point and without signs between thousands. Returns false and appends nothing if
    /// it is not a number.
    #[inline]
    fn number(&self, text: &[u8], out: &mut Vec<u8>) -> bool {
        let begin = out.len();
        let digits = text.strip_prefix(b"+").unwrap_or(text);
        let (mut points, mut figures) = (0, 0);
        let mut since_thousands: Option<usize> = None;
        for &byte in digits {
            match byte {
                b'0'..=b'9' => {
                    figures += 1;
                    if points == 0
                        && let Some(count) = &mut since_thousands
                    {
                        *count += 1;
                    }
                    out.push(byte);
                }
                b'-' | b'+' | b'e' | b'E' => out.push(byte),
                _ if byte == self.decimal && points == 0 => {
                    points += 1;
                    out.push(b'.');
                }
                _ if Some(byte) == self.thousands
                    && points == 0
                    && figures > 0
                    && since_thousands.is_none_or(|count| count == 3) =>
                {
                    since_thousands = Some(0);
                }
                _ => {
                    out.truncate(begin);
                    return false;
                }
            }
        }
        // 1.23 is not a number of a dialect in which the point separates thousands.
        let is_whole = figures > 0 && since_thousands.is_none_or(|count| count == 3);
        if !is_whole {
            out.truncate(begin);
        }
        is_whole
    }

    /// Appends a number whose minus, or sign between thousands, is none of ASCII. Returns false as [`Spelling::number`].
    #[cold]
    fn odd_number(&self, text: &[u8], out: &mut Vec<u8>) -> bool {
        if text.is_ascii() {
            return false;
        }
        matches!(with_plain_signs(&decode(text)), Cow::Owned(plain) if self.number(plain.trim().as_bytes(), out))
    }

    /// Appends a text, with quotes if it needs them.
    fn text(&self, part: Part<'_>, out: &mut Vec<u8>) {
        let needs = part.quoted || memchr::memchr2(b',', b'"', part.text).is_some();
        if !needs {
            out.extend_from_slice(part.text);
            return;
        }
        out.push(b'"');
        if !part.text.iter().any(|byte| *byte == b'"' || Some(*byte) == self.quote) {
            out.extend_from_slice(part.text);
            out.push(b'"');
            return;
        }
        let mut bytes = part.text.iter().peekable();
        while let Some(&byte) = bytes.next() {
            // A doubled quote of the dialect is a single quote of the text.
            if part.quoted && Some(byte) == self.quote && bytes.peek() == Some(&&byte) {
                bytes.next();
            }
            if byte == b'"' {
                out.push(b'"');
            }
            out.push(byte);
        }
        out.push(b'"');
    }
}

/// One field as it is in the line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part<'l> {
    /// The text without the quotes around it.
    pub text: &'l [u8],
    /// Whether it was in quotes.
    pub quoted: bool,
}

/// Iterates over the fields of a line.
#[derive(Debug)]
pub struct Parts<'l> {
    rest: Option<&'l [u8]>,
    separator: Separator,
    quote: Option<u8>,
    /// Whether a quote is open at the end, or text follows a closing quote.
    pub torn: bool,
}

impl<'l> Parts<'l> {
    /// The rest after the separator at the beginning of `rest`. The outer None means that `rest` does not begin with a
    /// separator.
    fn behind(&self, rest: &'l [u8]) -> Option<Option<&'l [u8]>> {
        match (self.separator, rest.first()) {
            (_, None) => Some(None),
            (Separator::Sign(sign), Some(&byte)) if byte == sign => Some(Some(&rest[1..])),
            (Separator::Blanks, Some(b' ' | b'\t')) => Some(Some(rest.trim_ascii_start())),
            _ => None,
        }
    }

    fn quoted(&mut self, body: &'l [u8], quote: u8) -> Part<'l> {
        let mut at = 0;
        while let Some(found) = memchr::memchr(quote, &body[at..]).map(|found| at + found) {
            if body.get(found + 1) == Some(&quote) {
                at = found + 2;
                continue;
            }
            // There may be blanks between a quote and the separator.
            let rest = &body[found + 1..];
            let rest = match self.separator {
                Separator::Sign(b' ' | b'\t') | Separator::Blanks => rest,
                Separator::Sign(_) => rest.trim_ascii_start(),
            };
            let Some(behind) = self.behind(rest) else { break };
            self.rest = behind;
            return Part { text: &body[..found], quoted: true };
        }
        self.torn = true;
        self.rest = None;
        Part { text: body, quoted: true }
    }
}

impl<'l> Iterator for Parts<'l> {
    type Item = Part<'l>;

    #[inline]
    fn next(&mut self) -> Option<Part<'l>> {
        let rest = self.rest?;
        if let Some(quote) = self.quote {
            let begin = match self.separator {
                Separator::Sign(b' ' | b'\t') => rest,
                _ => rest.trim_ascii_start(),
            };
            if begin.first() == Some(&quote) {
                return Some(self.quoted(&begin[1..], quote));
            }
        }
        let end = match self.separator {
            Separator::Sign(sign) => rest.iter().position(|&byte| byte == sign),
            Separator::Blanks => rest.iter().position(|byte| matches!(byte, b' ' | b'\t')),
        };
        let end = end.unwrap_or(rest.len());
        let (text, behind) = rest.split_at(end);
        self.rest = self.behind(behind).flatten();
        Some(Part { text, quoted: false })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::number::parse_number;

    fn spelled(dialect: &CsvDialect, time: &[usize], line: &str) -> Result<String, RowError> {
        let mut spelling = Spelling::of(dialect);
        spelling.width = spelling.parts(line.as_bytes()).count();
        spelling.time = time.to_vec();
        let mut out = Spelled::default();
        spelling.spell(line.as_bytes(), &mut out)?;
        let text = String::from_utf8(out.text).unwrap();
        // The numbers are those that the text would be parsed to.
        for (field, known) in text.split(',').zip(&out.numbers) {
            if let Some(SpelledNumber { number, length }) = known {
                assert_eq!((parse_number(field.as_bytes()), field.len()), (Some(*number), *length), "{text}");
            }
        }
        Ok(text)
    }

    fn semicolons() -> CsvDialect {
        CsvDialect { separator: Separator::Sign(b';'), decimal: b',', thousands: Some(b'.'), ..CsvDialect::default() }
    }

    #[test]
    fn a_line_is_spelled_with_commas_and_points() {
        let blanks = CsvDialect { separator: Separator::Blanks, ..CsvDialect::default() };
        let single = CsvDialect { quote: Some(b'\''), ..CsvDialect::default() };
        for (dialect, time, line, text) in [
            (semicolons(), &[0][..], "01.02.2021 10:00;1,5;1.234,5;x,y;", "01.02.2021 10:00,1.5,1234.5,\"x,y\","),
            (semicolons(), &[0], "1;-0,5;+3;1,5E-3;1.23", "1,-0.5,3,1.5E-3,1.23"),
            (semicolons(), &[1, 0], "10:00;01.02.2021;5,5", "\"01.02.2021 10:00\",5.5"),
            (semicolons(), &[1, 2], "7;2021;30;5,5", "7,\"2021 30\",5.5"),
            (blanks, &[0, 1], "  2021-01-01   10:00\t1.5  -2 ", "\"2021-01-01 10:00\",1.5,-2"),
            (single, &[0], "'a,b','it''s','5'", "\"a,b\",\"it's\",5"),
            (
                CsvDialect { thousands: Some(b','), ..CsvDialect::default() },
                &[0],
                "1,\"1,234.5\",\"12,34\"",
                "1,1234.5,\"12,34\"",
            ),
            (CsvDialect::default(), &[0], "1, 2.5 , \"x\" ,3", "1,2.5,\"x\",3"),
        ] {
            assert_eq!(spelled(&dialect, time, line).as_deref(), Ok(text), "{line}");
        }
        assert_eq!(spelled(&semicolons(), &[0], "1;\"x"), Err(RowError::Torn));
    }

    proptest::proptest! {
        #[test]
        fn numbers_of_any_length_keep_their_digits_and_end_where_they_end(
            fields in proptest::collection::vec("-?[0-9]{1,10}(,[0-9]{1,14})?", 1..8)
        ) {
            let line = format!("01.02.2021 10:00;{}", fields.join(";"));
            let text = line.replace(',', ".").replace(';', ",");
            proptest::prop_assert_eq!(spelled(&semicolons(), &[0], &line), Ok(text));
        }
    }
}
