//! As much of XML as CSIXML has: elements, attributes, and characters that are written by name or number.

use std::borrow::Cow;

use memchr::memmem;

/// Where a tag ends that begins with `tag`: behind its `>`, which may also stand in a value.
pub(super) fn tag_end(tag: &[u8]) -> Option<usize> {
    let mut quote = None;
    for (at, byte) in tag.iter().enumerate() {
        match (quote, byte) {
            (None, b'>') => return Some(at + 1),
            (None, b'"' | b'\'') => quote = Some(*byte),
            // No value has one: a quote is missing.
            (Some(_), b'<') => return None,
            (Some(open), byte) if open == *byte => quote = None,
            _ => {}
        }
    }
    None
}

/// The value of an attribute of a tag.
pub(super) fn attribute(tag: &[u8], name: &str) -> Option<String> {
    let mut rest = tag;
    loop {
        let equals = memchr::memchr(b'=', rest)?;
        let begin = rest[..equals].trim_ascii_end();
        let behind = rest[equals + 1..].trim_ascii_start();
        let (quote, value) = behind.split_first().filter(|(quote, _)| matches!(quote, b'"' | b'\''))?;
        let end = memchr::memchr(*quote, value)?;
        let before = begin.strip_suffix(name.as_bytes()).and_then(<[u8]>::last);
        if before.is_some_and(u8::is_ascii_whitespace) {
            return Some(unescaped(&value[..end]).into_owned());
        }
        rest = &value[end + 1..];
    }
}

/// The text of the first element of this name; empty where there is none.
pub(super) fn element(head: &[u8], name: &str) -> String {
    let open = format!("<{name}>");
    let found = memmem::find(head, open.as_bytes()).map(|at| &head[at + open.len()..]);
    unescaped(found.and_then(|rest| rest.split(|byte| *byte == b'<').next()).unwrap_or_default()).into_owned()
}

/// With the characters put back that are written by name or number. What is no such character stays as it stands.
pub(super) fn unescaped(text: &[u8]) -> Cow<'_, str> {
    let text = crate::format::text::decode(text);
    if !text.contains('&') {
        return text;
    }
    let mut plain = String::with_capacity(text.len());
    let mut rest = text.as_ref();
    while let Some(at) = rest.find('&') {
        plain.push_str(&rest[..at]);
        rest = &rest[at..];
        let found = rest.find(';').and_then(|end| Some((character(&rest[1..end])?, end + 1)));
        let (character, length) = found.unwrap_or(('&', 1));
        plain.push(character);
        rest = &rest[length..];
    }
    plain.push_str(rest);
    Cow::Owned(plain)
}

fn character(name: &str) -> Option<char> {
    let number = |digits: &str, radix| char::from_u32(u32::from_str_radix(digits, radix).ok()?);
    match name {
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        "amp" => Some('&'),
        _ => match name.strip_prefix('#')? {
            digits if digits.starts_with(['x', 'X']) => number(&digits[1..], 16),
            digits => number(digits, 10),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_are_read_by_name_and_by_number_and_once() {
        for (text, plain) in [
            ("a &lt; b &amp;&quot;&apos;&gt;", "a < b &\"'>"),
            ("&#176;C", "°C"),
            ("m&#xB2; &#XFC;", "m² ü"),
            ("&amp;lt; R&D &unknown; &#55296; & ;", "&lt; R&D &unknown; &#55296; & ;"),
        ] {
            assert_eq!(unescaped(text.as_bytes()), plain);
        }
    }

    #[test]
    fn attributes_stand_in_quotes_of_either_kind() {
        let tag = b"<field  units = 'a>\"b' rename=\"no\"\n name=\"T 'x'\" process=''";
        assert_eq!(attribute(tag, "name").as_deref(), Some("T 'x'"));
        assert_eq!(attribute(tag, "units").as_deref(), Some("a>\"b"));
        assert_eq!(attribute(tag, "process").as_deref(), Some(""));
        assert_eq!(attribute(tag, "type"), None);
        assert_eq!(tag_end(b"<field units='a>b' name=\"c\"/>x"), Some(29));
        assert_eq!(tag_end(b"<r time=\"2024><v1>1</v1>"), None);
    }
}
