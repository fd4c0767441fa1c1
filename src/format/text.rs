//! Decodes bytes to text, and removes noise bytes that a logger, a power failure or an old editor may leave between the
//! characters.

use std::borrow::Cow;

const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";
const CONTROL_Z: u8 = 0x1A;

/// Drops bytes that are never data: NUL bytes before and after the text (padding of a file system after a power
/// failure; a collector then appends, so they precede the next good row), Ctrl-Z (DOS end of file), carriage returns
/// before a line feed (two if a file was sent as text twice) and behind it (microcontroller programs print line ends in
/// the wrong order), and a byte order mark. Borrows in the usual case.
///
/// NUL bytes within the text are kept, because the text before and after them may be from different rows. Only a line of
/// which every second byte is NUL is text: Windows PowerShell appends UTF-16 to a file in ASCII.
pub fn strip_noise(line: &[u8]) -> Cow<'_, [u8]> {
    if memchr::memchr(CONTROL_Z, line).is_some() {
        let kept: Vec<u8> = line.iter().copied().filter(|&byte| byte != CONTROL_Z).collect();
        return Cow::Owned(strip_noise(&kept).into_owned());
    }
    let line = trimmed(line);
    if line.get(3) == Some(&0) {
        return of_utf16(line).map_or(Cow::Borrowed(line), Cow::Owned);
    }
    Cow::Borrowed(line)
}

/// The text of a line in UTF-16 without its line end. None if it is none. The NUL bytes before its first sign and behind its
/// last one are trimmed, which hides the byte order: so only signs below U+0100 are read, which are the same in both.
#[cold]
fn of_utf16(line: &[u8]) -> Option<Vec<u8>> {
    /// Fewer signs may be what a power failure left.
    const LEAST: usize = 4;
    let line = line.strip_prefix(b"\xFF\xFE").unwrap_or(line);
    let is_narrow = line.iter().enumerate().all(|(place, byte)| (*byte == 0) == (place % 2 == 1));
    (is_narrow && line.len() >= 2 * LEAST - 1)
        .then(|| line.iter().step_by(2).map(|byte| char::from(*byte)).collect::<String>().into_bytes())
}

/// Whether [`strip_noise`] of each line of the text is [`trimmed`], because the text has neither NUL bytes nor Ctrl-Z.
pub fn is_clean(text: &[u8]) -> bool {
    memchr::memchr2(0, CONTROL_Z, text).is_none()
}

/// Like [`strip_noise`], for a line of a clean text.
#[inline]
pub fn trimmed(mut line: &[u8]) -> &[u8] {
    while let [rest @ .., b'\r' | 0] = line {
        line = rest;
    }
    while let [0 | b'\r', rest @ ..] = line {
        line = rest;
    }
    line.strip_prefix(BYTE_ORDER_MARK).unwrap_or(line)
}

/// Whether a line has no text.
#[inline]
pub fn is_blank(line: &[u8]) -> bool {
    line.iter().all(u8::is_ascii_whitespace)
}

/// Decodes UTF-8, otherwise Windows-1252, the code page of the CRBasic editor. Never fails: the five bytes that are
/// undefined in 1252 become the C1 control characters with the same number, so that nothing is lost.
pub fn decode(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => Cow::Owned(bytes.iter().map(|&byte| from_1252(byte)).collect()),
    }
}

fn from_1252(byte: u8) -> char {
    const HIGH: [char; 32] = [
        '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8D}', 'Ž', '\u{8F}', '\u{90}', '‘',
        '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9D}', 'ž', 'Ÿ',
    ];
    match byte {
        0x80..=0x9F => HIGH[usize::from(byte - 0x80)],
        _ => char::from(byte),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clean_line_is_borrowed() {
        assert!(matches!(strip_noise(b"1,2,3\r"), Cow::Borrowed(b"1,2,3")));
    }

    #[test]
    fn nul_bytes_ctrl_z_and_a_byte_order_mark_are_dropped() {
        assert_eq!(&*strip_noise(b"\0\0\0\"2020-06-16 12:10:00\",4589\r"), b"\"2020-06-16 12:10:00\",4589");
        assert_eq!(&*strip_noise(b"\xEF\xBB\xBF\"TOA5\""), b"\"TOA5\"");
        assert_eq!(&*strip_noise(b"1,2\r\r"), b"1,2");
        assert_eq!(&*strip_noise(b"1,2\r\0\0\0"), b"1,2");
        assert_eq!(&*strip_noise(b"\x1A"), b"");
    }

    #[test]
    fn a_carriage_return_behind_a_line_feed_is_dropped() {
        assert_eq!(&*strip_noise(b"\r\"2020-06-16 12:10:00\",4589"), b"\"2020-06-16 12:10:00\",4589");
        assert_eq!(trimmed(b"\r"), b"");
    }

    #[test]
    fn nul_bytes_within_a_line_are_not_dropped() {
        assert_eq!(&*strip_noise(b"\x001\x00\x002\x00"), b"1\x00\x002");
        assert_eq!(&*strip_noise(b"2\x00026-11-10 12:10:00,5"), b"2\x00026-11-10 12:10:00,5");
        assert_eq!(&*strip_noise(b"2026-\x00\x00\x002026-11-10"), b"2026-\x00\x00\x002026-11-10");
    }

    #[test]
    fn a_line_in_utf_16_is_read_as_text_wherever_its_line_end_was_cut() {
        let units: Vec<u16> = "2026-11-10,1.5 °C".encode_utf16().collect();
        let little: Vec<u8> = units.iter().flat_map(|unit| unit.to_le_bytes()).collect();
        let big: Vec<u8> = units.iter().flat_map(|unit| unit.to_be_bytes()).collect();
        for line in [
            [&[0], little.as_slice(), b"\r\0"].concat(),
            [&[0xFF, 0xFE], little.as_slice()].concat(),
            [big.as_slice(), b"\0\r\0"].concat(),
        ] {
            assert_eq!(&*strip_noise(&line), "2026-11-10,1.5 °C".as_bytes(), "{line:?}");
        }
        let wide: Vec<u8> = "2026-11-10,\u{2212}1.5".encode_utf16().flat_map(|unit| unit.to_le_bytes()).collect();
        assert!(strip_noise(&wide).contains(&0));
    }

    #[test]
    fn windows_1252_is_read_where_utf8_fails() {
        assert_eq!(decode(b"\xB0C \x80"), "°C €");
        assert_eq!(decode("°C".as_bytes()), "°C");
    }
}
