//! Escapes JSON for use inside HTML.
//!
//! A script element ends at the first `</script`, wherever it is, and changes its state at `<!--`. JSON can escape
//! every letter, so that none of these letters has to be in the text. Unicode line ends, which JSON allows and older
//! JavaScript does not, are escaped too.

use std::io::{self, Write};

/// Passes harmless bytes on and escapes the others. The input must be JSON, in whole characters.
pub(super) struct Escape<'w>(pub(super) &'w mut dyn Write);

impl Write for Escape<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut rest = bytes;
        while let Some(at) = rest.iter().position(|byte| matches!(byte, b'<' | b'>' | b'&' | 0xE2)) {
            let (plain, special) = rest.split_at(at);
            self.0.write_all(plain)?;
            let (spelled, length): (&[u8], usize) = match special {
                [b'<', ..] => (b"\\u003c", 1),
                [b'>', ..] => (b"\\u003e", 1),
                [b'&', ..] => (b"\\u0026", 1),
                [0xE2, 0x80, 0xA8, ..] => (b"\\u2028", 3),
                [0xE2, 0x80, 0xA9, ..] => (b"\\u2029", 3),
                other => (other.get(..1).unwrap_or_default(), 1),
            };
            self.0.write_all(spelled)?;
            rest = special.get(length..).unwrap_or_default();
        }
        self.0.write_all(rest)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_text_stays_json_and_no_letter_of_html_is_left() {
        let text = "</script><script>alert(1)</script><!-- & \u{2028}\u{2029} 46 m – ° … \u{20AC}";
        let mut bytes = Vec::new();
        serde_json::to_writer(Escape(&mut bytes), &[text]).unwrap();
        let written = String::from_utf8(bytes).unwrap();
        assert!(!written.contains(['<', '>', '&', '\u{2028}', '\u{2029}']), "{written}");
        assert_eq!(serde_json::from_str::<Vec<String>>(&written).unwrap(), [text]);
    }
}
