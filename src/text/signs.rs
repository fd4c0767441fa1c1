//! The signs in numbers that a computer's language settings print in place of those of ASCII.

use std::borrow::Cow;

/// A minus, the blanks that do not break a line, and the apostrophe between thousands.
const SIGNS: [(char, char); 5] =
    [('\u{2212}', '-'), ('\u{a0}', ' '), ('\u{202f}', ' '), ('\u{2009}', ' '), ('\u{2019}', '\'')];

/// The text with ASCII's minus, blank and apostrophe in place of these signs. Borrows if there is none.
#[cold]
pub fn with_plain_signs(text: &str) -> Cow<'_, str> {
    let plain = |sign: char| SIGNS.iter().find(|(odd, _)| *odd == sign).map(|(_, plain)| *plain);
    if text.is_ascii() || !text.contains(|sign| plain(sign).is_some()) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.chars().map(|sign| plain(sign).unwrap_or(sign)).collect())
}
