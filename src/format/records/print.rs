//! Writes values as Campbell's CardConvert writes them in a TOA5 file (docs/file-formats.md#binary-files).

use std::io::Write as _;

use crate::format::number::parse_number;
use crate::time::{LocalTime, NANOS_PER_SECOND as NANOS};

/// The significant digits of a four-byte and of an eight-byte number.
pub(super) const SINGLE: usize = 7;
pub(super) const DOUBLE: usize = 15;

/// Seconds from 1970-01-01 to 1990-01-01, where the loggers' count begins.
const LOGGERS_EPOCH: i64 = 631_152_000;

/// Appends a number with at most `digits` significant digits, like `%G` in C; `"NAN"`, `"INF"`, `"-INF"` are quoted.
/// Returns the number in the text, which has fewer digits than `value`; NaN if the text is not a number.
#[inline]
pub(super) fn number(value: f64, digits: usize, line: &mut Vec<u8>) -> f64 {
    if digits == SINGLE
        && let Some(said) = seven_figures(value, line)
    {
        return said;
    }
    other_number(value, digits, line)
}

fn other_number(value: f64, digits: usize, line: &mut Vec<u8>) -> f64 {
    if !value.is_finite() {
        line.extend_from_slice(match value {
            _ if value.is_nan() => b"\"NAN\"",
            _ if value < 0.0 => b"\"-INF\"",
            _ => b"\"INF\"",
        });
        return f64::NAN;
    }
    if value == 0.0 {
        line.push(b'0');
        return 0.0;
    }
    let begin = line.len();
    if value < 0.0 {
        line.push(b'-');
    }
    // Writing to memory cannot fail; the standard library rounds correctly.
    let text = format!("{:.*e}", digits - 1, value.abs());
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let figures: Vec<u8> = mantissa.bytes().filter(|byte| *byte != b'.').collect();
    spell(&figures, exponent.parse().unwrap_or(0), line);
    parse_number(&line[begin..]).map_or(f64::NAN, |number| number.value)
}

const POWERS: [f64; 12] = [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11];

/// Like [`number`], for a number between 0.0001 and 10,000,000 that was stored in four bytes. Its product with a power
/// of ten up to 10^11 is exact in eight bytes, so there is only one rounding, and the quotient for the number in the
/// text is correctly rounded too. For other numbers it returns None and appends nothing.
///
/// Most numbers of a binary file take this path, so the text is assembled in registers: its bytes are those of one
/// whole number, the first in the lowest byte.
#[inline]
fn seven_figures(value: f64, line: &mut Vec<u8>) -> Option<f64> {
    const POINT: u64 = b'.' as u64;
    const ZEROS: u128 = u128::from_le_bytes(*b"0.000\0\0\0\0\0\0\0\0\0\0\0");
    let size = value.abs();
    if !(1e-4..1e7).contains(&size) {
        return None;
    }
    // An estimate of the decimal exponent from the binary one: it is right, or one too low.
    let binary = i32::try_from(size.to_bits() >> 52).ok()? - 1023;
    let mut shift = usize::try_from(6 - ((binary * 1233) >> 12)).ok()?;
    let mut product = size * POWERS[shift];
    if product >= 1e7 {
        shift -= 1;
        product = size * POWERS[shift];
    }
    let mut figures = nearest(product);
    if figures == 10_000_000 {
        figures = 1_000_000;
        shift = shift.checked_sub(1)?;
    }
    let digits = eight_digits(figures * 10);
    let count = 8 - digits.leading_zeros() / 8;
    let digits = digits | ASCII_ZEROS;
    let (mut text, mut length) =
        if let Some(whole) = 7_u32.checked_sub(u32::try_from(shift).ok()?).filter(|whole| *whole > 0) {
            if count <= whole {
                (u128::from(digits), whole)
            } else {
                let below = (1 << (8 * whole)) - 1;
                let fraction = (digits & !below) << 8;
                (u128::from(digits & below | POINT << (8 * whole) | fraction), count + 1)
            }
        } else {
            let zeros = u32::try_from(shift).ok()? - 5;
            (ZEROS & ((1 << (8 * zeros)) - 1) | u128::from(digits) << (8 * zeros), count + zeros)
        };
    if value < 0.0 {
        text = text << 8 | u128::from(b'-');
        length += 1;
    }
    line.extend_from_slice(&text.to_le_bytes());
    line.truncate(line.len() - 16 + usize::try_from(length).ok()?);
    #[allow(clippy::cast_precision_loss)]
    let said = figures as f64 / POWERS[shift];
    Some(said.copysign(value))
}

/// The nearest whole number, the even one of two equally near. For numbers from 0 to 2^51.
#[inline]
fn nearest(number: f64) -> u64 {
    // From here on doubles are whole numbers, so the addition rounds.
    const WHOLE: f64 = 4_503_599_627_370_496.0;
    (number + WHOLE).to_bits() - WHOLE.to_bits()
}

const ASCII_ZEROS: u64 = 0x3030_3030_3030_3030;

/// The eight digits of a number below 10^8, one per byte, the first in the lowest: the two halves, then the pairs, then
/// the single digits are divided in parallel (P. Khuong, "How to print integers really fast").
#[inline]
fn eight_digits(number: u64) -> u64 {
    let fours = (number / 10_000) | ((number % 10_000) << 32);
    let high = ((fours * 10_486) >> 20) & 0x0000_007F_0000_007F;
    let pairs = high + ((fours - 100 * high) << 16);
    let tens = ((pairs * 103) >> 10) & 0x000F_000F_000F_000F;
    tens + ((pairs - 10 * tens) << 8)
}

/// Appends `f.igures` times ten to the power of `exponent`, without trailing zeros.
fn spell(figures: &[u8], exponent: i32, line: &mut Vec<u8>) {
    let end = figures.iter().rposition(|figure| *figure != b'0').map_or(1, |last| last + 1);
    let wide = i32::try_from(figures.len()).unwrap_or(i32::MAX);
    if exponent < -4 || exponent >= wide {
        line.push(figures[0]);
        if end > 1 {
            line.push(b'.');
            line.extend_from_slice(&figures[1..end]);
        }
        let sign = if exponent < 0 { '-' } else { '+' };
        let _ = write!(line, "E{sign}{:02}", exponent.unsigned_abs());
        return;
    }
    let Ok(last) = usize::try_from(exponent) else {
        line.extend_from_slice(b"0.");
        line.resize(line.len() + usize::try_from(-exponent - 1).unwrap_or(0), b'0');
        return line.extend_from_slice(&figures[..end]);
    };
    let whole = last + 1;
    line.extend_from_slice(&figures[..whole]);
    if end > whole {
        line.push(b'.');
        line.extend_from_slice(&figures[whole..end]);
    }
}

/// Appends a whole number and returns it.
#[inline]
pub(super) fn whole(value: i64, line: &mut Vec<u8>) -> f64 {
    let size = value.unsigned_abs();
    if size < 100_000_000 {
        if value < 0 {
            line.push(b'-');
        }
        let digits = eight_digits(size);
        let zeros = (digits.trailing_zeros() / 8).min(7);
        let text = (digits | ASCII_ZEROS) >> (8 * zeros);
        line.extend_from_slice(&text.to_le_bytes());
        line.truncate(line.len() - zeros as usize);
    } else {
        let _ = write!(line, "{value}");
    }
    // Whole numbers of the loggers have at most four bytes, so the conversion is exact.
    #[allow(clippy::cast_precision_loss)]
    let said = value as f64;
    said
}

/// Appends a quoted text. A line end inside it would break the line and becomes a blank.
pub(super) fn text(bytes: &[u8], line: &mut Vec<u8>) {
    line.push(b'"');
    for &byte in bytes {
        match byte {
            b'"' => line.extend_from_slice(b"\"\""),
            b'\n' | b'\r' => line.push(b' '),
            byte => line.push(byte),
        }
    }
    line.push(b'"');
}

/// Writes times, many of which are on the same day.
#[derive(Debug, Clone, Default)]
pub(super) struct Times {
    /// The beginning of the last day in seconds since 1970, and its date.
    day: Option<(i64, String)>,
}

const DAY: i64 = 86_400;

impl Times {
    /// Appends a quoted time, with as many digits of a second as it needs, and returns it. An invalid time is written
    /// so that the record is rejected and the rejected line shows its content.
    pub(super) fn write(&mut self, seconds: i64, nanos: i64, line: &mut Vec<u8>) -> Option<LocalTime> {
        if !(0..NANOS).contains(&nanos) {
            let _ = write!(line, "\"{seconds} s, {nanos} ns since 1990\"");
            return None;
        }
        let seconds = seconds + LOGGERS_EPOCH;
        let of_day = seconds.rem_euclid(DAY);
        let begin = seconds - of_day;
        let date = match &mut self.day {
            Some((day, date)) if *day == begin => date,
            other => {
                let mut text = LocalTime::from_nanos(begin.saturating_mul(NANOS)).to_string();
                text.truncate(text.find(' ').unwrap_or(text.len()));
                &mut other.insert((begin, text)).1
            }
        };
        let two = |number: i64| eight_digits(number.unsigned_abs() * 1_000_000) & 0xFFFF;
        let clock = two(of_day / 3_600) | two(of_day / 60 % 60) << 24 | two(of_day % 60) << 48 | ASCII_CLOCK;
        line.push(b'"');
        line.extend_from_slice(date.as_bytes());
        line.push(b' ');
        line.extend_from_slice(&clock.to_le_bytes());
        if nanos != 0 {
            let mut digits = [b'0'; 9];
            digits[..8].copy_from_slice(&(eight_digits(nanos.unsigned_abs() / 10) | ASCII_ZEROS).to_le_bytes());
            digits[8] += u8::try_from(nanos % 10).unwrap_or_default();
            let end = digits.iter().rposition(|digit| *digit != b'0').map_or(0, |last| last + 1);
            line.push(b'.');
            line.extend_from_slice(&digits[..end]);
        }
        line.push(b'"');
        Some(LocalTime::from_nanos(seconds.saturating_mul(NANOS).saturating_add(nanos)))
    }
}

/// Appends a time that is a value of a column.
pub(super) fn time(seconds: i64, nanos: i64, line: &mut Vec<u8>) {
    Times::default().write(seconds, nanos, line);
}

/// The text `00:00:00`.
const ASCII_CLOCK: u64 = u64::from_le_bytes(*b"00:00:00");

#[cfg(test)]
mod tests {
    use super::*;

    fn spelled(value: f64, digits: usize) -> String {
        let mut line = Vec::new();
        number(value, digits, &mut line);
        String::from_utf8(line).unwrap()
    }

    #[test]
    fn numbers_are_spelled_as_cardconvert_spells_them() {
        for (value, digits, text) in [
            (-0.192_642_7, SINGLE, "-0.1926427"),
            (9_863_000.0, SINGLE, "9863000"),
            (6.36e-5, SINGLE, "6.36E-05"),
            (1e-4, SINGLE, "0.0001"),
            (9_999_999.6, SINGLE, "1E+07"),
            (-2_147_483_648.0, SINGLE, "-2.147484E+09"),
            (0.999_999_99, SINGLE, "1"),
            (20.0, SINGLE, "20"),
            (0.0, SINGLE, "0"),
            (0.306_888_908_147_812, DOUBLE, "0.306888908147812"),
            (4.095_451_871_925_63e-30, DOUBLE, "4.09545187192563E-30"),
            (f64::NAN, SINGLE, "\"NAN\""),
            (f64::NEG_INFINITY, DOUBLE, "\"-INF\""),
        ] {
            assert_eq!(spelled(value, digits), text);
        }
    }

    #[test]
    fn the_fast_way_spells_a_four_byte_number_as_the_slow_way() {
        let mut bits: u32 = 0x3800_0000;
        while bits < 0x4B20_0000 {
            let value = f64::from(f32::from_bits(bits));
            let text = format!("{:.6e}", value);
            let slow: f64 = text.parse().unwrap();
            assert_eq!(spelled(value, SINGLE).parse::<f64>().unwrap().to_bits(), slow.to_bits(), "{value:e}");
            bits += 7_919;
        }
    }

    #[test]
    fn a_text_cannot_tear_its_line() {
        let mut line = Vec::new();
        text(b"a\"b\r\nc,d", &mut line);
        assert_eq!(line, b"\"a\"\"b  c,d\"");
    }

    #[test]
    fn a_time_has_the_digits_that_it_needs() {
        let mut line = Vec::new();
        time(0, 0, &mut line);
        time(1_140_342_360, 5_000_000, &mut line);
        time(1, 4_000_000_000, &mut line);
        assert_eq!(
            String::from_utf8(line).unwrap(),
            "\"1990-01-01 00:00:00\"\"2026-02-19 09:46:00.005\"\"1 s, 4000000000 ns since 1990\""
        );
    }
}
