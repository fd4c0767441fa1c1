//! Reads the store's JSON array cell by cell without copying.
//!
//! A general JSON reader would convert every number into an f64 and back; here the bytes that the logger wrote are
//! sent. Few strings are ever sent, so they are skipped with their escapes and not decoded here.

/// One value of a row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Cell<'a> {
    /// A finite number in a notation that all parsers accept: `-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?`.
    Canonical(&'a [u8]),
    /// A finite number in any other notation.
    Odd(f64),
    /// A string as it is in the array, with its quotes and escapes.
    Text(&'a [u8]),
    /// Null, a truth value, or a number that is not finite: nothing is sent.
    Missing,
}

/// Iterates over the cells of a JSON array. An error is the offset at which the text stops being valid.
#[derive(Debug)]
pub(super) struct Cells<'a> {
    text: &'a [u8],
    at: usize,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    First,
    Within,
    Done,
}

/// An integer part with at most this many digits is below the largest f64, 1.8e308.
const SURELY_FINITE_DIGITS: usize = 308;

impl<'a> Cells<'a> {
    pub(super) fn new(text: &'a str) -> Result<Cells<'a>, usize> {
        let mut cells = Cells { text: text.as_bytes(), at: 0, state: State::First };
        cells.skip_space();
        cells.expect(b'[')?;
        Ok(cells)
    }

    /// The next cell; None after the closing bracket.
    #[inline]
    pub(super) fn next(&mut self) -> Result<Option<Cell<'a>>, usize> {
        if self.state == State::Done {
            return Ok(None);
        }
        self.skip_space();
        if self.peek() == Some(b']') {
            return self.close();
        }
        if self.state == State::Within {
            self.expect(b',')?;
            self.skip_space();
        }
        self.state = State::Within;
        let cell = match self.peek() {
            Some(b'"') => self.string()?,
            Some(b'n') => self.word(b"null")?,
            Some(b't') => self.word(b"true")?,
            Some(b'f') => self.word(b"false")?,
            _ => self.number()?,
        };
        self.skip_space();
        if matches!(self.peek(), Some(b',' | b']')) { Ok(Some(cell)) } else { Err(self.at) }
    }

    fn close(&mut self) -> Result<Option<Cell<'a>>, usize> {
        self.at += 1;
        self.skip_space();
        self.state = State::Done;
        if self.at == self.text.len() { Ok(None) } else { Err(self.at) }
    }

    #[inline]
    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn expect(&mut self, byte: u8) -> Result<(), usize> {
        if self.peek() != Some(byte) {
            return Err(self.at);
        }
        self.at += 1;
        Ok(())
    }

    #[inline]
    fn skip_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\n' | b'\r' | b'\t')) {
            self.at += 1;
        }
    }

    fn word(&mut self, word: &[u8]) -> Result<Cell<'a>, usize> {
        if !self.text[self.at..].starts_with(word) {
            return Err(self.at);
        }
        self.at += word.len();
        Ok(Cell::Missing)
    }

    /// Skipping two bytes for an escape is enough, because `\u0022` contains no quote.
    fn string(&mut self) -> Result<Cell<'a>, usize> {
        let start = self.at;
        self.at += 1;
        loop {
            match self.peek() {
                Some(b'"') => break,
                Some(b'\\') => self.at += 2,
                Some(_) => self.at += 1,
                None => return Err(self.text.len()),
            }
        }
        self.at += 1;
        Ok(self.text.get(start..self.at).map_or(Cell::Missing, Cell::Text))
    }

    #[inline]
    fn digits(&mut self) -> usize {
        let start = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        self.at - start
    }

    #[inline]
    fn number(&mut self) -> Result<Cell<'a>, usize> {
        let start = self.at;
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        let integer_digits = self.digits();
        let mut canonical = integer_digits > 0;
        let mut surely_finite = integer_digits <= SURELY_FINITE_DIGITS;
        if self.peek() == Some(b'.') {
            self.at += 1;
            canonical &= self.digits() > 0;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            canonical &= self.digits() > 0;
            surely_finite = false;
        }
        let ended = matches!(self.peek(), Some(b',' | b']' | b' ' | b'\n' | b'\r' | b'\t'));
        if canonical && ended && surely_finite {
            return Ok(Cell::Canonical(&self.text[start..self.at]));
        }
        self.odd_number(start, canonical && ended)
    }

    /// The slow path: an exponent, or a notation that is not valid JSON.
    fn odd_number(&mut self, start: usize, canonical: bool) -> Result<Cell<'a>, usize> {
        while !matches!(self.peek(), None | Some(b',' | b']' | b' ' | b'\n' | b'\r' | b'\t')) {
            self.at += 1;
        }
        let token = &self.text[start..self.at];
        let number: f64 = std::str::from_utf8(token).ok().and_then(|token| token.parse().ok()).ok_or(start)?;
        Ok(match (number.is_finite(), canonical) {
            (false, _) => Cell::Missing,
            (true, true) => Cell::Canonical(token),
            (true, false) => Cell::Odd(number),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &str) -> Result<Vec<Cell<'_>>, usize> {
        let mut cells = Cells::new(text)?;
        let mut found = Vec::new();
        while let Some(cell) = cells.next()? {
            found.push(cell);
        }
        assert_eq!(cells.next(), Ok(None), "the end stays the end");
        Ok(found)
    }

    #[test]
    fn a_number_keeps_its_bytes_when_they_are_canonical() {
        for token in ["0", "-0", "1", "00012", "1.50", "-7999", "1e5", "1E+5", "1e-400", "9.87654321e-12"] {
            assert_eq!(all(&format!("[{token}]")), Ok(vec![Cell::Canonical(token.as_bytes())]), "{token}");
        }
        let long = "9".repeat(300);
        assert_eq!(all(&format!("[ {long} ]")), Ok(vec![Cell::Canonical(long.as_bytes())]));
    }

    #[test]
    fn a_number_spelled_otherwise_is_read() {
        for (token, number) in [(".5", 0.5), ("-.5", -0.5), ("1.", 1.0), ("+1", 1.0), ("1.e5", 1e5)] {
            assert_eq!(all(&format!("[{token}]")), Ok(vec![Cell::Odd(number)]), "{token}");
        }
    }

    #[test]
    fn i8_what_is_not_a_finite_number_is_missing() {
        for token in ["null", "true", "false", "NaN", "inf", "-INF", "1e400", "-1e400"] {
            assert_eq!(all(&format!("[{token}]")), Ok(vec![Cell::Missing]), "{token}");
        }
        assert_eq!(all(&format!("[{}]", "9".repeat(310))), Ok(vec![Cell::Missing]));
    }

    #[test]
    fn a_string_may_hold_anything() {
        let odd = r#"["a,b]","quote \" and slash \\","\u0022]",7]"#;
        let texts = [r#""a,b]""#, r#""quote \" and slash \\""#, r#""\u0022]""#].map(|text| Cell::Text(text.as_bytes()));
        assert_eq!(all(odd), Ok([&texts[..], &[Cell::Canonical(b"7")]].concat()));
    }

    #[test]
    fn an_array_may_be_empty_and_spaced() {
        assert_eq!(all("[]"), Ok(vec![]));
        assert_eq!(all(" [ 1 ,\tnull\n] "), Ok(vec![Cell::Canonical(b"1"), Cell::Missing]));
    }

    #[test]
    fn what_is_not_such_an_array_is_refused_where_it_breaks() {
        for (text, byte) in [
            ("", 0),
            ("1", 0),
            ("[1", 2),
            ("[1 2]", 3),
            ("[1,]", 3),
            ("[,1]", 1),
            ("[1]x", 3),
            ("[nul]", 1),
            ("[\"a]", 4),
            ("[\"a\\", 4),
            ("[[1]]", 1),
            ("[{}]", 1),
            ("[1_000]", 1),
            ("[0x10]", 1),
            ("[1.2.3]", 1),
        ] {
            assert_eq!(all(text), Err(byte), "{text}");
        }
    }
}
