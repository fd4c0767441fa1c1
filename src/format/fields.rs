//! Splits a physical line into fields, by RFC 4180, and keeps whether each field was quoted.

use crate::format::csv::SpelledNumber;
use crate::format::number::{Number, take_number};

/// One field of the line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field<'a> {
    /// Without the surrounding quotes; a doubled quote inside is still doubled.
    pub text: &'a [u8],
    /// Whether it was quoted.
    pub quoted: bool,
}

impl Field<'_> {
    /// Whether it contains a doubled quote.
    pub fn has_quote(&self) -> bool {
        self.quoted && memchr::memchr(b'"', self.text).is_some()
    }
}

/// Iterates over the fields of a line. After the end, [`Fields::is_torn`] says whether a quote is still open or text
/// follows a closing quote.
#[derive(Debug, Clone)]
pub struct Fields<'a> {
    rest: Option<&'a [u8]>,
    torn: bool,
}

impl<'a> Fields<'a> {
    /// Iterates over `line`, which has no line end.
    pub fn new(line: &'a [u8]) -> Fields<'a> {
        Fields { rest: Some(line), torn: false }
    }

    /// Whether the line's quotes do not match. Valid after the last field.
    pub fn is_torn(&self) -> bool {
        self.torn
    }

    /// The part that was not read yet; None after the last field.
    pub(super) fn rest(&self) -> Option<&'a [u8]> {
        self.rest
    }

    /// Reads the next field if it is a bare number, in one pass over its bytes. Otherwise reads nothing. `known` is the number
    /// and the length of its text, where that field was read before.
    #[inline]
    pub(super) fn next_number(&mut self, known: Option<&SpelledNumber>) -> Option<Number> {
        let rest = self.rest?;
        let (number, length) = match known {
            Some(&SpelledNumber { number, length }) => (number, length),
            None => take_number(rest)?,
        };
        self.rest = if length == rest.len() { None } else { Some(&rest[length + 1..]) };
        Some(number)
    }

    fn quoted(&mut self, body: &'a [u8]) -> Field<'a> {
        let mut at = 0;
        loop {
            match memchr::memchr(b'"', &body[at..]) {
                None => {
                    self.torn = true;
                    self.rest = None;
                    return Field { text: body, quoted: true };
                }
                Some(found) => match body.get(at + found + 1) {
                    Some(b'"') => at += found + 2,
                    Some(b',') => {
                        self.rest = Some(&body[at + found + 2..]);
                        return Field { text: &body[..at + found], quoted: true };
                    }
                    None => {
                        self.rest = None;
                        return Field { text: &body[..at + found], quoted: true };
                    }
                    Some(b' ') if matches!(body[at + found + 1..].trim_ascii_start(), [] | [b',', ..]) => {
                        let behind = body[at + found + 1..].trim_ascii_start();
                        self.rest = behind.get(1..);
                        return Field { text: &body[..at + found], quoted: true };
                    }
                    Some(_) => {
                        self.torn = true;
                        self.rest = None;
                        return Field { text: body, quoted: true };
                    }
                },
            }
        }
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Field<'a>;

    #[inline]
    fn next(&mut self) -> Option<Field<'a>> {
        let rest = self.rest?;
        if let [b'"', body @ ..] = rest {
            return Some(self.quoted(body));
        }
        // Some programs write a blank after each comma; before a quote it is not part of the field.
        if let [b' ', ..] = rest
            && let [b'"', body @ ..] = rest.trim_ascii_start()
        {
            return Some(self.quoted(body));
        }
        // Numbers are short: a byte loop beats a vector search here.
        match rest.iter().position(|&byte| byte == b',') {
            Some(comma) => {
                self.rest = Some(&rest[comma + 1..]);
                Some(Field { text: &rest[..comma], quoted: false })
            }
            None => {
                self.rest = None;
                Some(Field { text: rest, quoted: false })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(line: &str) -> (Vec<(String, bool)>, bool) {
        let mut fields = Fields::new(line.as_bytes());
        let list = fields.by_ref().map(|f| (String::from_utf8(f.text.to_vec()).unwrap(), f.quoted)).collect();
        (list, fields.is_torn())
    }

    fn plain(text: &str) -> (String, bool) {
        (text.to_owned(), false)
    }

    fn quoted(text: &str) -> (String, bool) {
        (text.to_owned(), true)
    }

    macro_rules! splits_to {
        ($name:ident, $line:expr, $fields:expr, $torn:expr) => {
            #[test]
            fn $name() {
                assert_eq!(all($line), ($fields, $torn));
            }
        };
    }

    splits_to!(an_empty_line_is_one_empty_field, "", vec![plain("")], false);
    splits_to!(numbers_are_bare, "1,-2.5,", vec![plain("1"), plain("-2.5"), plain("")], false);
    splits_to!(quotes_are_remembered, "\"NAN\",7999", vec![quoted("NAN"), plain("7999")], false);
    splits_to!(a_quoted_comma_stays_inside, "\"a,b\",1", vec![quoted("a,b"), plain("1")], false);
    splits_to!(trailing_blanks_are_kept, "\"1,4093  \",2", vec![quoted("1,4093  "), plain("2")], false);
    splits_to!(a_doubled_quote_stays_inside, "\"x\"\"y\",1", vec![quoted("x\"\"y"), plain("1")], false);
    splits_to!(empty_strings_are_fields, "\"\",\"\"", vec![quoted(""), quoted("")], false);
    splits_to!(
        blanks_around_quotes_are_no_part_of_a_field,
        "\"a\", \"b\" , 5,\"c\" ",
        vec![quoted("a"), quoted("b"), plain(" 5"), quoted("c")],
        false
    );
    splits_to!(
        an_open_quote_tears_the_line,
        "1,\"2025-11-04 15:40:",
        vec![plain("1"), quoted("2025-11-04 15:40:")],
        true
    );
    splits_to!(text_after_a_quote_tears_the_line, "\"a\"b,1", vec![quoted("a\"b,1")], true);
    splits_to!(a_quote_inside_a_bare_field_is_text, "5\"x,1", vec![plain("5\"x"), plain("1")], false);
}
