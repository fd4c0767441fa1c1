//! Formats figures in the same way for the command line, the report and the page.

use std::time::Duration;

/// `12 rows`, `1 row`.
pub fn count(number: u64, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", grouped(number))
}

/// At most so many characters of a text, and a sign where more follow.
pub fn shortened(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// `1,234,567`.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `4.2 MB`.
pub fn bytes(number: u64) -> String {
    #[allow(clippy::cast_precision_loss)]
    let number_of = number as f64;
    match number {
        0..=9_999 => format!("{number} B"),
        10_000..=999_999 => format!("{:.0} kB", number_of / 1e3),
        1_000_000..=999_999_999 => format!("{:.1} MB", number_of / 1e6),
        _ => format!("{:.1} GB", number_of / 1e9),
    }
}

/// `5 s`, `3 min`, `2 h 10 min`, `4 d 3 h`.
pub fn span(seconds: i64) -> String {
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60);
    match seconds {
        ..=119 => format!("{seconds} s"),
        120..=7_199 => format!("{} min", seconds / 60),
        7_200..=172_799 => format!("{} h {minutes} min", seconds / 3_600),
        _ => format!("{days} d {hours} h"),
    }
}

/// The same of a duration, to the second.
pub fn span_of(duration: Duration) -> String {
    span(i64::try_from(duration.as_secs()).unwrap_or(i64::MAX))
}

/// Exact seconds, in the form in which the configuration takes a correction of stamps: `9642d 3h 20m`, `-37m`.
pub fn to_add(seconds: i64) -> String {
    let all = seconds.unsigned_abs();
    let parts = [(all / 86_400, "d"), (all / 3_600 % 24, "h"), (all / 60 % 60, "m"), (all % 60, "s")];
    let parts: Vec<String> =
        parts.iter().filter(|(number, _)| *number > 0).map(|(number, unit)| format!("{number}{unit}")).collect();
    let sign = if seconds < 0 { "-" } else { "" };
    format!("{sign}{}", parts.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_to_be_added_is_spelled_as_the_configuration_takes_it() {
        assert_eq!(
            (to_add(833_080_800), to_add(-2_220), to_add(61)),
            ("9642d 3h 20m".into(), "-37m".into(), "1m 1s".into())
        );
    }

    #[test]
    fn figures_read_well() {
        assert_eq!(grouped(1_234_567), "1,234,567");
        assert_eq!(count(1, "row"), "1 row");
        assert_eq!(bytes(4_200_000), "4.2 MB");
        assert_eq!(
            (span(5), span(300), span(7_800), span(356_400)),
            ("5 s".into(), "5 min".into(), "2 h 10 min".into(), "4 d 3 h".into())
        );
    }
}
