//! Values of columns that are sent as another type than float, because the bucket has them as that type.
//!
//! A value that the type cannot represent is left out of its line and counted, never changed: 2.5 is not an integer and
//! 7 is not a truth value. In strings, control characters become spaces, because parsers read them differently.

use std::borrow::Cow;
use std::io::Write;

use super::cells::Cell;
use crate::config::ValueType;

/// The longest string field that InfluxDB accepts, in bytes.
const MOST_TEXT_BYTES: usize = 65_535;
/// The most digits of an integer token: they fit into 128 bits including leading zeros, and a 64-bit integer has fewer.
const MOST_DIGITS: i64 = 38;

/// A value converted to a column's type. Only this type knows which values a type can represent.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Typed<'a> {
    /// A float in a notation that all parsers accept.
    Token(&'a [u8]),
    /// A float that is formatted again.
    Float(f64),
    /// An integer.
    Integer(i64),
    /// A truth value.
    Boolean(bool),
    /// A text, quoted for a line.
    Text(Vec<u8>),
    /// There is no value.
    Missing,
    /// There is a value, but the type cannot represent it.
    LeftOut,
}

impl Typed<'_> {
    /// Whether there is a value to send.
    pub(super) fn is_sent(&self) -> bool {
        !matches!(self, Typed::Missing | Typed::LeftOut)
    }

    /// The number that a server reads from it; NaN if it is not a number in the bucket.
    pub(super) fn number(&self) -> f64 {
        match self {
            Typed::Token(token) => {
                std::str::from_utf8(token).ok().and_then(|token| token.parse().ok()).unwrap_or(f64::NAN)
            }
            Typed::Float(number) => *number,
            #[allow(clippy::cast_precision_loss, reason = "sums are floats on both sides")]
            Typed::Integer(number) => *number as f64,
            Typed::Boolean(_) | Typed::Text(_) | Typed::Missing | Typed::LeftOut => f64::NAN,
        }
    }

    /// Appends the value as it is written after `field=`; nothing if it is not sent.
    #[inline]
    pub(super) fn put(&self, out: &mut Vec<u8>) {
        // Writing to memory cannot fail. The Debug format of a finite f64 is canonical and the shortest.
        let _ = match self {
            Typed::Token(token) => out.write_all(token),
            Typed::Float(number) => write!(out, "{number:?}"),
            Typed::Integer(number) => write!(out, "{number}i"),
            Typed::Boolean(is) => write!(out, "{is}"),
            Typed::Text(text) => out.write_all(text),
            Typed::Missing | Typed::LeftOut => Ok(()),
        };
    }
}

/// Whether values of this type are numbers in the bucket, so that they can be added up.
pub(super) fn is_number(value_type: ValueType) -> bool {
    match value_type {
        ValueType::Float | ValueType::Integer => true,
        ValueType::Boolean | ValueType::Text => false,
    }
}

/// Converts the cell to a value of this type.
#[inline]
pub(super) fn typed(value_type: ValueType, cell: Cell<'_>) -> Typed<'_> {
    match (value_type, cell) {
        (ValueType::Float, Cell::Canonical(token)) => Typed::Token(token),
        (ValueType::Float, Cell::Odd(number)) => Typed::Float(number),
        (_, Cell::Missing) | (ValueType::Float, Cell::Text(_)) => Typed::Missing,
        (value_type, cell) => other_than_float(value_type, cell).unwrap_or(Typed::LeftOut),
    }
}

#[cold]
fn other_than_float(value_type: ValueType, cell: Cell<'_>) -> Option<Typed<'_>> {
    match (value_type, cell) {
        (ValueType::Integer, Cell::Canonical(token)) => integer(token).map(Typed::Integer),
        (ValueType::Integer, Cell::Odd(number)) => integer(format!("{number}").as_bytes()).map(Typed::Integer),
        (ValueType::Boolean, cell) => boolean(cell).map(Typed::Boolean),
        (ValueType::Text, Cell::Canonical(token)) => text(&String::from_utf8_lossy(token)),
        (ValueType::Text, Cell::Odd(number)) => text(&format!("{number:?}")),
        (ValueType::Text, Cell::Text(json)) => text(&decoded(json)?),
        (ValueType::Float, _) | (_, Cell::Missing) | (ValueType::Integer, Cell::Text(_)) => None,
    }
}

fn text(text: &str) -> Option<Typed<'static>> {
    let quoted = quoted(text);
    (quoted.len() <= MOST_TEXT_BYTES).then_some(Typed::Text(quoted))
}

/// The token as an integer, if it is exactly one. It is read digit by digit, because a float has too few digits.
fn integer(token: &[u8]) -> Option<i64> {
    let text = std::str::from_utf8(token).ok()?;
    let (negative, text) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let (mantissa, exponent) =
        text.split_once(['e', 'E']).map_or((text, "0"), |(mantissa, exponent)| (mantissa, exponent));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    // The position of the decimal point, counted from the left end of all digits.
    let point = i64::try_from(whole.len()).ok()?.checked_add(exponent.parse().ok()?)?;
    let digits = [whole, fraction].concat();
    let significant = digits.trim_end_matches('0');
    if significant.is_empty() {
        return Some(0);
    }
    if i64::try_from(significant.len()).ok()? > point || point > MOST_DIGITS {
        return None;
    }
    let mut integer = significant.to_owned();
    integer.extend(std::iter::repeat_n('0', usize::try_from(point).ok()?.saturating_sub(significant.len())));
    let number: i128 = integer.parse().ok()?;
    i64::try_from(if negative { -number } else { number }).ok()
}

/// Campbell loggers write true as -1 (CRBasic), and TRUE and FALSE in some tables.
fn boolean(cell: Cell<'_>) -> Option<bool> {
    match cell {
        Cell::Canonical(token) => truth(std::str::from_utf8(token).ok()?.parse().ok()?),
        Cell::Odd(number) => truth(number),
        Cell::Text(json) => {
            let text = decoded(json)?;
            let is = |word: &str| text.trim().eq_ignore_ascii_case(word);
            if is("true") { Some(true) } else { is("false").then_some(false) }
        }
        Cell::Missing => None,
    }
}

#[allow(clippy::float_cmp, reason = "only exactly these numbers are truth values")]
fn truth(number: f64) -> Option<bool> {
    if number == 0.0 { Some(false) } else { (number == 1.0 || number == -1.0).then_some(true) }
}

fn decoded(json: &[u8]) -> Option<Cow<'_, str>> {
    serde_json::from_slice::<String>(json).ok().map(Cow::Owned)
}

fn quoted(text: &str) -> Vec<u8> {
    let mut out = vec![b'"'];
    let mut buffer = [0; 4];
    for letter in text.chars() {
        if matches!(letter, '"' | '\\') {
            out.push(b'\\');
        }
        let letter = if letter.is_control() { ' ' } else { letter };
        out.extend_from_slice(letter.encode_utf8(&mut buffer).as_bytes());
    }
    out.push(b'"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(value_type: ValueType, json: &str) -> String {
        let text = format!("[{json}]");
        let mut cells = super::super::cells::Cells::new(&text).unwrap();
        match typed(value_type, cells.next().unwrap().unwrap()) {
            Typed::Missing => "missing".to_owned(),
            Typed::LeftOut => "left out".to_owned(),
            sent => {
                let mut out = Vec::new();
                sent.put(&mut out);
                String::from_utf8(out).unwrap()
            }
        }
    }

    #[test]
    fn i8_a_whole_number_is_an_integer_and_no_other_number_is_made_one() {
        for (json, sent) in [
            ("5", "5i"),
            ("-12", "-12i"),
            ("5.0", "5i"),
            ("-0.0", "0i"),
            ("1e3", "1000i"),
            (".5", "left out"),
            ("2.5", "left out"),
            ("9223372036854775807", "9223372036854775807i"),
            ("9223372036854775808", "left out"),
            ("-9223372036854775808", "-9223372036854775808i"),
            ("9007199254740993.0", "9007199254740993i"),
            ("1.00000000000000000001", "left out"),
            ("1e18", "1000000000000000000i"),
            ("12.50e1", "125i"),
            ("0.5e1", "5i"),
            ("0000000000000000000000000000000000000000000007", "left out"),
            ("1e300", "left out"),
            ("1e-3", "left out"),
            ("\"5\"", "left out"),
            ("null", "missing"),
        ] {
            assert_eq!(one(ValueType::Integer, json), sent, "{json}");
        }
    }

    #[test]
    fn i8_true_is_1_or_minus_1_or_its_word() {
        for (json, sent) in [
            ("1", "true"),
            ("-1", "true"),
            ("-1.0", "true"),
            ("0", "false"),
            ("\"TRUE\"", "true"),
            ("\"false\"", "false"),
            ("2", "left out"),
            ("0.5", "left out"),
            ("\"yes\"", "left out"),
            ("null", "missing"),
        ] {
            assert_eq!(one(ValueType::Boolean, json), sent, "{json}");
        }
    }

    #[test]
    fn a_text_is_quoted_for_every_parser_and_one_that_is_too_long_is_left_out() {
        for (json, sent) in [
            (r#""ok""#, r#""ok""#),
            (r#""a \"b\" c\\d""#, r#""a \"b\" c\\d""#),
            (r#""two\nlines""#, r#""two lines""#),
            ("1.50", r#""1.50""#),
            ("null", "missing"),
        ] {
            assert_eq!(one(ValueType::Text, json), sent, "{json}");
        }
        assert_eq!(one(ValueType::Text, &format!("\"{}\"", "x".repeat(70_000))), "left out");
    }

    #[test]
    fn a_float_column_sends_no_text() {
        assert_eq!(one(ValueType::Float, "\"1.5\""), "missing");
        assert_eq!(one(ValueType::Float, "1.50"), "1.50");
    }
}
