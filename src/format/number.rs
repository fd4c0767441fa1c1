//! Parses numbers as Campbell software writes them.
//!
//! Rust's own parser accepts `NAN`, `inf` and `1e400`, which line protocol cannot represent. A text that JSON and every
//! InfluxDB accept is kept byte for byte, so that a value is sent as it was read. One pass decides both.

/// A finite number, and whether its text is canonical.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Number {
    /// Its value, rounded by IEEE 754.
    pub value: f64,
    /// Whether the text matches `-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?`: valid JSON, and valid line protocol
    /// for InfluxDB 1, 2 and 3.
    pub canonical: bool,
}

const EXACT_POWERS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20,
    1e21, 1e22,
];
/// The powers of ten for up to eight digits.
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

/// Parses the number at the beginning of `text`, up to a comma or the end, and returns its length in bytes. None as for
/// [`parse_number`].
///
/// Up to 15 digits and exponents to ±22 are exact in one multiplication or division (Clinger 1990); Campbell's FP2,
/// IEEE4 and IEEE8 print 4, 7 and 15 digits, so the standard library's parser is rarely needed.
#[inline]
pub(super) fn take_number(text: &[u8]) -> Option<(Number, usize)> {
    match text.first_chunk().and_then(take_short) {
        Some(taken) => Some(taken),
        None => take_any(text),
    }
}

/// If this number of bytes is left before the end of the text, most numbers are parsed by the fast method.
pub(super) const NUMBER_REACH: usize = 18;

/// A number of a simple form at the beginning of a text: `-?[0-9]{1,7}`, followed by a point and one to eight digits if
/// `fraction` is not 0.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plain {
    /// The position of the separator after it.
    pub(super) end: usize,
    /// The position of its decimal point.
    pub(super) point: Option<usize>,
    sign: usize,
    whole: usize,
    fraction: usize,
    /// The digits before and after the point, the first one in the lowest byte. The bytes above hold whatever follows
    /// the digits.
    head: u64,
    tail: u64,
}

impl Plain {
    /// None for a number of any other form, or without a separator within sixteen bytes.
    ///
    /// The end of the number is found first, so that a processor can begin with the next number while it works on this
    /// one.
    #[inline]
    pub(super) fn of(text: &[u8; NUMBER_REACH], separator: u8, point: u8) -> Option<Plain> {
        let separators = u64::from_le_bytes([separator; 8]);
        let eight = |at: usize| text.get(at..)?.first_chunk().map(|eight| u64::from_le_bytes(*eight));
        let (low, high) = (zero_bytes(eight(0)? ^ separators), zero_bytes(eight(8)? ^ separators));
        // Without a branch, because no processor can predict whether it is the seventh or the eighth byte.
        let beyond = first_byte(high) & usize::from(low == 0).wrapping_neg();
        let end = first_byte(low) + beyond;
        if end == 16 {
            return None;
        }
        let sign = usize::from(text[0] == b'-');
        let head = eight(sign)? ^ ZEROS;
        let whole = first_byte(others(head));
        let size = end.checked_sub(sign)?;
        if whole == 0 || whole >= 8 {
            return None;
        }
        if whole >= size {
            return Some(Plain { end, point: None, sign, whole: size, fraction: 0, head, tail: 0 });
        }
        let fraction = size - whole - 1;
        let tail = eight(sign + whole + 1)? ^ ZEROS;
        let is_one = text.get(sign + whole) == Some(&point) && fraction > 0 && first_byte(others(tail)) >= fraction;
        is_one.then_some(Plain { end, point: Some(sign + whole), sign, whole, fraction, head, tail })
    }

    /// None for more than eight digits. The digits before and after the point are joined before they are converted.
    #[inline]
    pub(super) fn number(self) -> Option<Number> {
        let count = self.whole + self.fraction;
        if count == 0 || count > 8 {
            return None;
        }
        let digits = (self.head & ((1 << (8 * self.whole)) - 1)) | (self.tail << (8 * self.whole));
        // The first digit is in the lowest byte; it is preceded by zeros up to eight digits.
        #[allow(clippy::cast_precision_loss, reason = "eight digits")]
        let magnitude = number_of(digits << (64 - 8 * count)) as f64 / EXACT_POWERS[self.fraction];
        // Without a branch too, because the sign of wind components around 0 is random.
        let value = f64::from_bits(magnitude.to_bits() | (self.sign as u64) << 63);
        Some(Number { value, canonical: self.whole == 1 || self.head & 0xff != 0 })
    }
}

#[inline]
fn take_short(text: &[u8; NUMBER_REACH]) -> Option<(Number, usize)> {
    let plain = Plain::of(text, b',', b'.')?;
    Some((plain.number()?, plain.end))
}

/// Like [`take_number`], for numbers of every form.
fn take_any(text: &[u8]) -> Option<(Number, usize)> {
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

const ZEROS: u64 = u64::from_le_bytes([b'0'; 8]);
const HIGH_BITS: u64 = u64::from_le_bytes([0x80; 8]);

/// Sets the high bit of the first zero byte, and possibly of later bytes.
#[inline]
fn zero_bytes(bytes: u64) -> u64 {
    bytes.wrapping_sub(u64::from_le_bytes([1; 8])) & !bytes & HIGH_BITS
}

/// Sets the high bit of the first byte above nine, and possibly of later bytes: carries affect only later bytes.
#[inline]
fn others(digits: u64) -> u64 {
    /// Adding this raises every byte above 9 to 128 or more.
    const ABOVE_NINE: u64 = u64::from_le_bytes([0x76; 8]);
    (digits.wrapping_add(ABOVE_NINE) | digits) & HIGH_BITS
}

/// The index of the first byte whose high bit is set; 8 if there is none.
#[inline]
fn first_byte(marks: u64) -> usize {
    marks.trailing_zeros() as usize / 8
}

/// The number with these eight digits, of which the first is the lowest byte.
#[inline]
fn number_of(digits: u64) -> u32 {
    let pairs = digits.wrapping_mul(10).wrapping_add(digits >> 8);
    let (even, odd) = (pairs & 0xff_0000_00ff, (pairs >> 16) & 0xff_0000_00ff);
    let number = even.wrapping_mul(100 + (1_000_000 << 32)).wrapping_add(odd.wrapping_mul(1 + (10_000 << 32))) >> 32;
    #[allow(clippy::cast_possible_truncation, reason = "32 bits are left")]
    let number = number as u32;
    number
}

/// Adds the digits from `at` on to the mantissa, and returns the position after them.
///
/// Eight bytes are examined together: the number of digits is not predictable, so the end of a byte loop would be
/// mispredicted, and a row of a fast table has 30 numbers.
#[inline]
fn digits(text: &[u8], mut at: usize, mut mantissa: u64) -> (u64, usize) {
    if let Some(eight) = text.get(at..).and_then(|rest| rest.first_chunk()) {
        let values = u64::from_le_bytes(*eight) ^ ZEROS;
        let count = first_byte(others(values));
        if count == 0 {
            return (mantissa, at);
        }
        // As in [`Plain::number`].
        let number = number_of(values << (64 - 8 * count));
        mantissa = mantissa.wrapping_mul(POWERS[count]).wrapping_add(u64::from(number));
        at += count;
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
        fn what_stands_behind_a_number_and_its_length_change_nothing(text in "[-.,0-9e ]{0,12}", behind in "[-.,0-9N\"]{0,20}") {
            let line = format!("{text},{behind}");
            prop_assert_eq!(take_number(line.as_bytes()), take_any(line.as_bytes()), "{}", line);
        }

        #[test]
        fn every_spelling_equals_the_standard_librarys(whole in 0u64..10_000_000_000, fraction in 0u64..1_000_000_000, digits in 0usize..12, exponent in -40i32..40, negative: bool) {
            let sign = if negative { "-" } else { "" };
            for text in [format!("{sign}{whole}"), format!("{sign}{whole}.{fraction:0digits$}"), format!("{sign}{whole}.{fraction}E{exponent}")] {
                let number = parse_number(text.as_bytes()).unwrap();
                prop_assert_eq!(number.value.to_bits(), text.parse::<f64>().unwrap().to_bits(), "{}", text);
                // The number within a line.
                prop_assert_eq!(take_number(format!("{text},-1.5,22.75,3").as_bytes()), Some((number, text.len())), "{}", text);
            }
        }
    }
}
