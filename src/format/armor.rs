//! Recognises the lines of a PGP message in a text table: Los Gatos' analysers end each file with one, often with more lines than
//! the file has rows (ASCII armor, RFC 9580 section 6.2).
//!
//! No setting could name its lines: they are random letters, others in each file. A line of it has no separator, so that a row that
//! was cut is none.

const BEGIN: &[u8] = b"-----BEGIN PGP ";
const END: &[u8] = b"-----END PGP ";
/// The length of a whole line, by which reading may begin within a message.
const WHOLE: usize = 64;
/// What may stand before the letters.
const KEYS: [&[u8]; 4] = [b"Version: ", b"Comment: ", b"Hash: ", b"Charset: "];

/// Whether the next line is within a message.
#[derive(Debug, Clone, Copy, Default)]
pub struct Armor {
    is_within: bool,
}

impl Armor {
    /// Whether a line that is not a row is one of a message. Lines are passed in their order.
    #[cold]
    pub fn takes(&mut self, line: &[u8]) -> bool {
        let line = line.trim_ascii();
        if line.starts_with(BEGIN) || line.starts_with(END) {
            self.is_within = line.starts_with(BEGIN);
            return true;
        }
        let is_of_letters = line.iter().all(|byte| byte.is_ascii_alphanumeric() || b"+/=".contains(byte));
        let is_whole = is_of_letters && line.len() == WHOLE && line.iter().any(u8::is_ascii_alphabetic);
        self.is_within |= is_whole;
        self.is_within && (is_of_letters || KEYS.iter().any(|key| line.starts_with(key)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lines_of_a_message_are_no_rows_and_a_row_within_it_is_none_of_them() {
        let whole = "IBB4XAj6iYTZdXHZdEWDqNWRDj78zwPt8L2AimxfXwf8N6aX7txx0Fjeper5VSnW";
        let mut armor = Armor::default();
        for (line, is_of_it) in [
            ("Time", false),
            ("-----BEGIN PGP MESSAGE-----", true),
            ("Version: GnuPG v1", true),
            ("", true),
            (whole, true),
            ("2026-11-10 00:00:00,5", false),
            ("zX5y", true),
            ("=8kQ2", true),
            ("-----END PGP MESSAGE-----", true),
            ("zX5y", false),
            (&whole[1..], false),
            // Reading begins within it.
            (whole, true),
            ("zX5y", true),
        ] {
            assert_eq!(armor.takes(line.as_bytes()), is_of_it, "{line}");
        }
    }
}
