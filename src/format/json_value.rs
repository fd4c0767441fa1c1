//! Writes one field as a JSON value of the store's array.
//!
//! A number stays as the file spells it where JSON allows that, so that it can be given back digit by digit; a missing
//! value is null and never 0 (I8).

use std::borrow::Cow;

use crate::format::derived::{spelled, texts_of};
use crate::format::fields::Field;
use crate::format::number::{Number, parse_number};
use crate::format::text::decode;
use crate::qc::Value;
use crate::text::with_plain_signs;

/// Appends a derived value.
#[inline]
pub(super) fn write_derived(value: Option<f64>, json: &mut Vec<u8>) {
    match value {
        Some(value) => json.extend_from_slice(spelled(value).as_bytes()),
        None => json.extend_from_slice(b"null"),
    }
}

/// The text of a field, with its doubled quotes made one.
pub(super) fn plain_text(field: Field<'_>) -> String {
    let text = decode(field.text);
    if field.has_quote() { text.replace("\"\"", "\"") } else { text.into_owned() }
}

/// Appends the field as one JSON value and returns its kind. `quotes_numbers`: see [`super::ParsedRow`].
#[inline]
pub(super) fn write_value(field: Field<'_>, quotes_numbers: bool, json: &mut Vec<u8>) -> Value {
    if (!field.quoted || quotes_numbers)
        && let Some(number) = parse_number(field.text)
    {
        return write_number(field.text, number, json);
    }
    write_other(field, quotes_numbers, json)
}

/// Whether the field is a number that counts as a text because of its quotes.
#[inline]
pub(super) fn is_quoted_number(field: Field<'_>, quotes_numbers: bool) -> bool {
    field.quoted && !quotes_numbers && parse_number(field.text).is_some()
}

/// The text of an unquoted field as it is restored from the store's array, if it differs: `7.0` for `007`.
pub fn given_back(text: &str) -> Option<String> {
    let mut json = vec![b'['];
    write_value(Field { text: text.as_bytes(), quoted: false }, false, &mut json);
    json.push(b']');
    let back = texts_of(&String::from_utf8(json).ok()?, &[0]).pop().flatten()?;
    (back != text).then_some(back)
}

/// Appends a number as the file writes it if that is valid in JSON.
#[inline]
fn write_number(text: &[u8], number: Number, json: &mut Vec<u8>) -> Value {
    if number.canonical {
        json.extend_from_slice(text);
    } else {
        write_json(json, &number.value);
    }
    Value::Number(number.value)
}

#[cold]
fn write_other(field: Field<'_>, quotes_numbers: bool, json: &mut Vec<u8>) -> Value {
    let is_bare = !field.quoted || quotes_numbers;
    let bare = if is_bare { field.text.trim_ascii() } else { field.text };
    if bare.eq_ignore_ascii_case(b"NAN") || (is_bare && bare.is_empty()) {
        json.extend_from_slice(b"null");
        return Value::Missing;
    }
    // Without blanks and a plus sign.
    let digits = bare.strip_prefix(b"+").filter(|rest| rest.first() != Some(&b'-')).unwrap_or(bare);
    if is_bare && let Some(number) = parse_number(digits) {
        return write_number(digits, number, json);
    }
    let text = plain_text(field);
    // A minus that is none of ASCII.
    if is_bare
        && let Cow::Owned(plain) = with_plain_signs(text.trim())
        && let Some(number) = parse_number(plain.as_bytes())
    {
        return write_number(plain.as_bytes(), number, json);
    }
    write_json(json, &text);
    Value::of_text(&text)
}

/// Writing a string or a finite number to memory cannot fail; after an error the array would hold null in its place.
pub(super) fn write_json<T: serde::Serialize>(json: &mut Vec<u8>, value: &T) {
    if serde_json::to_writer(&mut *json, value).is_err() {
        json.extend_from_slice(b"null");
    }
}
