//! Reads numbers as Campbell software writes them.
//!
//! Rust's own parser accepts `NAN`, `inf` and `1e400`, which line protocol cannot express. A spelling that JSON and every
//! InfluxDB accept is kept byte for byte, so that a value is sent as it was read. One pass decides both.

/// A finite number and the form of its spelling.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Number {
    /// Its value, rounded by IEEE 754.
    pub value: f64,
    /// Whether the spelling is `-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?`: valid JSON, and valid line protocol for
    /// InfluxDB 1, 2 and 3 alike.
    pub canonical: bool,
}

const EXACT_POWERS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20,
    1e21, 1e22,
];
/// Of up to eight digits.
const POWERS: [u64; 9] = [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000];
const LARGEST_EXACT_MANTISSA: u64 = 1 << 53;

/// Reads a finite decimal number. None for anything else: text, blanks, hex, digits with separators, `1e400`.
#[inline]
pub fn parse_number(text: &[u8]) -> Option<Number> {
    match take_number(text) {
        Some((number, length)) if length == text.len() => Some(number),
        _ => None,
    }
}

/// Reads the number at the beginning of `text`, up to a comma or the end, and returns its length in bytes. None as above.
///
/// Up to 15 digits and exponents to ±22 are exact in one multiplication or division (Clinger 1990); Campbell's FP2,
/// IEEE4 and IEEE8 print 4, 7 and 15 digits, so the standard library's parser is rarely needed.
#[inline]
pub(super) fn take_number(text: &[u8]) -> Option<(Number, usize)> {
    let negative = text.first() == Some(&b'-');
    let start = usize::from(negative);
    let (mut mantissa, mut at) = digits(text, start, 0);
    let whole = at - start;
    let mut fraction = 0;
    let mut canonical = whole == 1 || (whole > 1 && text[start] != b'0');
    if text.get(at) == Some(&b'.') {
        let point = at + 1;
        (mantissa, at) = digits(text, point, mantissa);
        fraction = at - point;
        canonical &= fraction > 0;
    }
    if whole + fraction == 0 {
        return None;
    }
    let ends = matches!(text.get(at), None | Some(b','));
    if ends && whole + fraction <= 18 && mantissa <= LARGEST_EXACT_MANTISSA {
        #[allow(clippy::cast_precision_loss)]
        let magnitude = mantissa as f64 / EXACT_POWERS[fraction];
        return Some((Number { value: if negative { -magnitude } else { magnitude }, canonical }, at));
    }
    slow(text, at, canonical)
}

/// Adds the digits from `at` on to the mantissa, and returns the place behind them.
///
/// Eight bytes are looked at together: a loop ends after a number of digits that no processor guesses, and a row of a fast
/// table has 30 such ends.
#[inline]
fn digits(text: &[u8], mut at: usize, mut mantissa: u64) -> (u64, usize) {
    const ZEROS: u64 = u64::from_le_bytes(*b"00000000");
    /// Lifts every byte above 9 to 128 or more.
    const ABOVE_NINE: u64 = 0x7676_7676_7676_7676;
    const HIGH_BITS: u64 = 0x8080_8080_8080_8080;
    if let Some(eight) = text.get(at..).and_then(|rest| rest.first_chunk::<8>()) {
        let values = u64::from_le_bytes(*eight) ^ ZEROS;
        // Carries go to later bytes only, so that the first byte that is no digit is found right.
        let others = (values.wrapping_add(ABOVE_NINE) | values) & HIGH_BITS;
        let count = others.trailing_zeros() / 8;
        if count == 0 {
            return (mantissa, at);
        }
        // The first digit is the lowest byte; zeros before it fill up to eight.
        let values = values << (64 - 8 * count);
        let pairs = values.wrapping_mul(10).wrapping_add(values >> 8);
        let (even, odd) = (pairs & 0xff_0000_00ff, (pairs >> 16) & 0xff_0000_00ff);
        let number =
            even.wrapping_mul(100 + (1_000_000 << 32)).wrapping_add(odd.wrapping_mul(1 + (10_000 << 32))) >> 32;
        mantissa = mantissa.wrapping_mul(POWERS[count as usize]).wrapping_add(number);
        at += count as usize;
        if count < 8 {
            return (mantissa, at);
        }
    }
    while let Some(byte @ b'0'..=b'9') = text.get(at) {
        mantissa = mantissa.wrapping_mul(10).wrapping_add(u64::from(byte - b'0'));
        at += 1;
    }
    (mantissa, at)
}

#[cold]
fn slow(text: &[u8], tail: usize, canonical: bool) -> Option<(Number, usize)> {
    let length = memchr::memchr(b',', text).unwrap_or(text.len());
    match text.get(tail..length)? {
        [] => {}
        [b'e' | b'E', exponent @ ..] => {
            let digits = exponent.strip_prefix(b"+").or_else(|| exponent.strip_prefix(b"-")).unwrap_or(exponent);
            if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
                return None;
            }
        }
        _ => return None,
    }
    let value: f64 = std::str::from_utf8(&text[..length]).ok()?.parse().ok()?;
    value.is_finite().then_some((Number { value, canonical }, length))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn campbell_spellings_are_numbers() {
        for (text, value, canonical) in [
            ("624.6105", 624.6105, true),
            ("-0", -0.0, true),
            ("7999", 7999.0, true),
            ("7.591075E-005", 7.591075e-5, true),
            ("4.09545187592563E-312", 4.09545187592563e-312, true),
            (".451", 0.451, false),
            ("-.077", -0.077, false),
            ("00012", 12.0, false),
            ("1.", 1.0, false),
            ("123456789012345678901234567890", 123456789012345678901234567890.0, true),
        ] {
            let number = parse_number(text.as_bytes()).unwrap();
            assert_eq!((number.value.to_bits(), number.canonical), (f64::to_bits(value), canonical), "{text}");
        }
    }

    #[test]
    fn what_influxdb_would_refuse_is_no_number() {
        for text in [
            "", "-", ".", "NAN", "INF", "-INF", "nan", "inf", "1e400", "-1e400", "+1", "1_000", "0x10", " 1", "1 ",
            "1e", "1e+", "1f", "1i", "--1", "1.2.3", "1,5",
        ] {
            assert_eq!(parse_number(text.as_bytes()), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn every_spelling_equals_the_standard_librarys(whole in 0u64..10_000_000_000, fraction in 0u64..1_000_000_000, digits in 0usize..12, exponent in -40i32..40, negative: bool) {
            let sign = if negative { "-" } else { "" };
            for text in [format!("{sign}{whole}"), format!("{sign}{whole}.{fraction:0digits$}"), format!("{sign}{whole}.{fraction}E{exponent}")] {
                let number = parse_number(text.as_bytes()).unwrap();
                prop_assert_eq!(number.value.to_bits(), text.parse::<f64>().unwrap().to_bits(), "{}", text);
            }
        }
    }
}
