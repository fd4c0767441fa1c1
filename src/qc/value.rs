//! The value of a field for the tests, and which values mean "missing" although the field is not empty.

use xxhash_rust::xxh3::xxh3_64;

/// A value, for the tests.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Value {
    /// A finite number.
    Number(f64),
    /// NAN, INF, -INF, an empty field, or a column that the file does not have.
    Missing,
    /// Text.
    Text(Word),
}

impl Value {
    /// The number, if it is one.
    #[inline]
    pub fn number(self) -> Option<f64> {
        match self {
            Value::Number(number) => Some(number),
            Value::Missing | Value::Text(_) => None,
        }
    }

    /// The value of a field that is not a number.
    pub fn of_text(text: &str) -> Value {
        let word = text.trim();
        let is = |known: &str| word.eq_ignore_ascii_case(known);
        let is_infinite = || {
            let size = word.strip_prefix(['-', '+']).unwrap_or(word);
            size.eq_ignore_ascii_case("INF") || size.eq_ignore_ascii_case("INFINITY")
        };
        let is_missing = text.is_empty() || is("NAN") || is_infinite();
        if is_missing { Value::Missing } else { Value::Text(Word::of(text)) }
    }
}

/// A text, for the tests: they do not read it, and only ask whether it means "missing".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Word {
    /// Fingerprint of the text in lower case, without surrounding blanks.
    fingerprint: u64,
    is_usual: bool,
}

/// Texts that data loggers, spreadsheets, databases and R write for a missing value, in addition to NAN and INF.
/// AmeriFlux refuses most of them in an upload as other forms of -9999 (`utils.py` of AMF-FLX/AMF-BASE-QAQC); `\N` is a
/// database's null.
const USUAL: [&str; 17] = [
    "na", "n/a", "nat", "nan", "null", "none", "nil", "missing", "\\n", "#na", "#n/a", "#nan", "#name?", "#ref!",
    "#num!", "#value!", "#div/0!",
];

impl Word {
    /// Ignores case and surrounding blanks.
    pub fn of(text: &str) -> Word {
        let text = text.trim().to_ascii_lowercase();
        // `*`, `-`, `---`, `////`, `.`: signs in place of digits.
        let is_filler = text.chars().all(|letter| matches!(letter, '*' | '-' | '/' | '.' | '?' | '_'));
        let is_usual = is_filler || USUAL.contains(&text.as_str()) || is_microsofts(&text);
        Word { fingerprint: xxh3_64(text.as_bytes()), is_usual }
    }

    /// Whether it means "missing" in every column of numbers.
    pub fn is_usual(self) -> bool {
        self.is_usual
    }
}

/// `1.#QNAN`, `-1.#IND`, `1.#INF00`: what programs built with Microsoft's C library write for NAN and INF.
fn is_microsofts(text: &str) -> bool {
    let rest = text.trim_start_matches(['-', '+']).strip_prefix("1.#");
    rest.is_some_and(|rest| matches!(rest.trim_end_matches('0'), "qnan" | "snan" | "ind" | "inf"))
}

/// The values of a column that mean "missing" by the configuration.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Sentinels {
    numbers: Vec<f64>,
    texts: Vec<Word>,
}

impl Sentinels {
    /// Numbers match in any notation, texts in any case.
    pub fn new(numbers: Vec<f64>, texts: &[&str]) -> Sentinels {
        Sentinels { numbers, texts: texts.iter().map(|text| Word::of(text)).collect() }
    }

    /// Its numbers.
    pub fn numbers(&self) -> &[f64] {
        &self.numbers
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.numbers.is_empty() && self.texts.is_empty()
    }

    /// Whether this number means "missing"; only an exactly equal number does.
    #[inline]
    pub fn has_number(&self, number: f64) -> bool {
        self.numbers.contains(&number)
    }

    /// Whether this text means "missing".
    pub fn has_word(&self, word: Word) -> bool {
        self.texts.contains(&word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_for_a_missing_value_are_known_and_other_texts_are_not() {
        for text in
            ["*", "NA", "n/a", " null ", "---", "////", "#N/A", "None", "\\N", ".", "1.#QNAN", "-1.#IND", "1.#INF00"]
        {
            assert!(Word::of(text).is_usual(), "{text}");
        }
        for text in ["OK", "-9999 x", "1,5", "M", "2026-01-01 00:00:00", "NANA", "1.#", "1.#INFO"] {
            assert!(!Word::of(text).is_usual(), "{text}");
        }
        for text in ["-INF", "Inf", "+Inf", "Infinity", "-Infinity", "+INFINITY", " inf "] {
            assert_eq!(Value::of_text(text), Value::Missing, "{text}");
        }
        assert_ne!(Value::of_text("--INF"), Value::Missing);
    }
}
