//! Values as Campbell's CardConvert writes them in a TOA5 file (docs/file-formats.md#binary-files).

use std::io::Write as _;

use crate::time::{LocalTime, NANOS_PER_SECOND as NANOS};

/// Significant digits of a four-byte and of an eight-byte number.
pub(super) const SINGLE: usize = 7;
pub(super) const DOUBLE: usize = 15;

/// Seconds from 1970-01-01 to 1990-01-01, where the loggers' count begins.
const LOGGERS_EPOCH: i64 = 631_152_000;

/// Appends a number with at most `digits` significant digits, as C's `%G` does; `"NAN"`, `"INF"`, `"-INF"` in quotes.
pub(super) fn number(value: f64, digits: usize, line: &mut Vec<u8>) {
    if value.is_nan() {
        return line.extend_from_slice(b"\"NAN\"");
    }
    if value.is_infinite() {
        return line.extend_from_slice(if value < 0.0 { b"\"-INF\"" } else { b"\"INF\"" });
    }
    if value == 0.0 {
        return line.push(b'0');
    }
    if value < 0.0 {
        line.push(b'-');
    }
    if digits == SINGLE
        && let Some((figures, exponent)) = seven_figures(value.abs())
    {
        return spell(&figures, exponent, line);
    }
    // Writing to memory cannot fail; the standard library rounds correctly.
    let text = format!("{:.*e}", digits - 1, value.abs());
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let figures: Vec<u8> = mantissa.bytes().filter(|byte| *byte != b'.').collect();
    spell(&figures, exponent.parse().unwrap_or(0), line);
}

/// The figures of a number between 0.0001 and 10,000,000 that was stored in four bytes: the product with a power of ten up to
/// 10^10 is exact in eight bytes, so that one rounding decides. None for other numbers.
fn seven_figures(value: f64) -> Option<([u8; SINGLE], i32)> {
    const POWERS: [f64; 11] = [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10];
    if !(1e-4..1e7).contains(&value) {
        return None;
    }
    let mut shift = 0;
    while shift < 10 && value * POWERS[shift] < 1e6 {
        shift += 1;
    }
    let mut scaled = (value * POWERS[shift]).round_ties_even();
    let mut exponent = 6 - i32::try_from(shift).ok()?;
    if scaled >= 1e7 {
        scaled /= 10.0;
        exponent += 1;
    }
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let mut left = scaled as u32;
    let mut figures = [b'0'; SINGLE];
    for figure in figures.iter_mut().rev() {
        *figure = b'0' + u8::try_from(left % 10).unwrap_or_default();
        left /= 10;
    }
    Some((figures, exponent))
}

/// Appends `f.igures` times ten to the `exponent`, without zeros at the end.
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

/// Appends a whole number.
pub(super) fn whole(value: i64, line: &mut Vec<u8>) {
    let _ = write!(line, "{value}");
}

/// Appends a text in quotes. A line end inside it would tear the line and becomes a blank.
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

/// Appends a time in quotes, with as many digits of a second as it needs. What is no time is spelled so that the record is
/// rejected and says what stood there.
pub(super) fn time(seconds: i64, nanos: i64, line: &mut Vec<u8>) {
    line.push(b'"');
    if (0..NANOS).contains(&nanos) {
        let local = LocalTime::from_nanos((seconds + LOGGERS_EPOCH).saturating_mul(NANOS).saturating_add(nanos));
        let _ = write!(line, "{local}");
    } else {
        let _ = write!(line, "{seconds} s, {nanos} ns since 1990");
    }
    line.push(b'"');
}

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
