//! Makes text of files and servers safe for a terminal (I10): a control character is shown and has no effect.
//!
//! A line that a logger or a damaged disk wrote may contain an escape sequence, which could change colours, move the
//! cursor or set the title of the user's terminal. All output passes through this module, which makes such bytes
//! visible.

use std::borrow::Cow;
use std::io::{self, Write};

/// Whether a terminal acts on the character, or shows the text around it in another order.
fn is_obeyed(c: char) -> bool {
    c.is_control() || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// A text for one line: a control character is written as in Rust, `\t` or `\u{1b}`.
pub fn visible(text: &str) -> Cow<'_, str> {
    shown(text, |_| false)
}

/// A text of several lines: line ends and tabs are kept.
pub fn visible_lines(text: &str) -> Cow<'_, str> {
    shown(text, |c| matches!(c, '\n' | '\t'))
}

/// JSON text: control characters are written as in JSON. Below U+0020 it has only those between its values, which are
/// kept.
pub fn visible_json(text: &str) -> Cow<'_, str> {
    let is_spelled = |c: char| is_obeyed(c) && !matches!(c, '\n' | '\r' | '\t');
    if !text.contains(is_spelled) {
        return Cow::Borrowed(text);
    }
    let spelled = |c: char| if is_spelled(c) { format!("\\u{:04x}", u32::from(c)) } else { c.to_string() };
    Cow::Owned(text.chars().map(spelled).collect())
}

fn shown(text: &str, is_kept: fn(char) -> bool) -> Cow<'_, str> {
    if !text.contains(|c| is_obeyed(c) && !is_kept(c)) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if !is_obeyed(c) || is_kept(c) {
            out.push(c);
        } else if c.is_control() {
            out.extend(c.escape_debug());
        } else {
            out.extend(c.escape_unicode());
        }
    }
    Cow::Owned(out)
}

/// A writer that makes control characters visible.
#[derive(Debug)]
pub struct Visible<W> {
    out: W,
    /// The placeholder for ESC in the program's own output.
    own_escape: Option<&'static str>,
}

impl<W: Write> Visible<W> {
    /// Writes to `out`. `own_escape` in the text becomes ESC; it must be a text that no file can contain.
    pub fn new(out: W, own_escape: Option<&'static str>) -> Visible<W> {
        Visible { out, own_escape }
    }
}

impl<W: Write> Write for Visible<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(bytes);
        let shown = visible_lines(&text);
        match self.own_escape.filter(|own| shown.contains(own)) {
            Some(own) => self.out.write_all(shown.replace(own, "\u{1b}").as_bytes())?,
            None => self.out.write_all(shown.as_bytes())?,
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn i10_what_a_terminal_obeys_is_shown() {
        assert_eq!(visible("a\u{1b}]0;x\u{7}b"), "a\\u{1b}]0;x\\u{7}b");
        assert_eq!(visible("a\tb\r\n"), "a\\tb\\r\\n");
        assert_eq!(visible("\u{9b}31m \u{202e}x"), "\\u{9b}31m \\u{202e}x");
        assert_eq!(visible_lines("a\tb\rc\n"), "a\tb\\rc\n");
        assert_eq!(visible("°C µmol 温度"), "°C µmol 温度");
        assert_eq!(visible_json("{\"a\":\"\u{9b}x\"}\n"), "{\"a\":\"\\u009bx\"}\n");
    }

    #[test]
    fn i10_the_programs_own_colours_pass_and_those_of_a_file_do_not() {
        let mut out = Vec::new();
        let of_a_file = "\u{1b}[32mx";
        write!(Visible::new(&mut out, Some("<7>")), "<7>[31m{of_a_file}<7>[0m").unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), "\u{1b}[31m\\u{1b}[32mx\u{1b}[0m");
    }
}
