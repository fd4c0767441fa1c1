//! Spells a made row in the form in which the store keeps it: the cells of the made table in their order, as a JSON array.
//!
//! A value with too few samples is null, because it would pass for one of the whole window. A number that is a sum of measured
//! values is spelled without the error of its last bit.

use super::Plan;
use super::columns::Source;
use super::sums::Sums;
use crate::quantity::Made;

/// A value with less than this share of its samples, in hundredths of a percent, is not made.
const LEAST: u64 = 5_000;

/// The row in the form in which the store keeps it.
pub(super) fn spelled(plan: &Plan<'_>, sums: &Sums, tags: &str) -> String {
    let tags: Vec<String> = serde_json::from_str(tags).unwrap_or_default();
    let cell = |from: &Source| match *from {
        Source::Value(at) => match &sums.values[at] {
            (_, samples) if sums.coverage(*samples).is_some_and(|share| share < LEAST) => "null".to_owned(),
            (Made::Number(number), _) => without_noise(*number),
            (Made::Text(text), _) => serde_json::to_string(text).unwrap_or_else(|_| "null".to_owned()),
            (Made::Nothing, _) => "null".to_owned(),
        },
        Source::Samples(at) => sums.values[at].1.to_string(),
        Source::Coverage(at) => sums.coverage(sums.values[at].1).map_or_else(
            || "null".to_owned(),
            #[allow(clippy::cast_precision_loss, reason = "at most 10,000")]
            |share| (share as f64 / 100.0).to_string(),
        ),
        Source::Tag(at) => {
            tags.get(at).and_then(|tag| serde_json::to_string(tag).ok()).unwrap_or_else(|| "null".to_owned())
        }
        Source::Nothing => "null".to_owned(),
    };
    format!("[{}]", plan.cells.iter().map(cell).collect::<Vec<_>>().join(","))
}

/// The shortest text of the number; of 0.6000000000000001, which a sum of tenths is in binary, the text 0.6. A number is taken
/// for such a sum if all but the last two of its sixteen digits say a number of at most eleven.
fn without_noise(number: f64) -> String {
    let text = number.to_string();
    if text.len() <= FIGURES_OF_SHORT {
        return text;
    }
    // Writing fourteen digits and reading them again cannot fail for a finite number.
    let rounded: f64 = format!("{number:.13e}").parse().unwrap_or(number);
    let short = rounded.to_string();
    if figures(&short) <= FIGURES_OF_SHORT { short } else { text }
}

/// The most digits of a number that a sum of measured values is taken for.
const FIGURES_OF_SHORT: usize = 11;

/// The number of digits between the zeros at both ends.
fn figures(text: &str) -> usize {
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    digits.trim_matches('0').len()
}

#[cfg(test)]
mod tests {
    use super::without_noise;

    #[test]
    fn a_sum_of_tenths_is_spelled_without_the_error_of_its_last_bit() {
        for (number, text) in [
            (0.1 + 0.2, "0.3"),
            (0.2 + 0.2 + 0.2, "0.6"),
            (1.1 + 2.2, "3.3"),
            (-(0.1 + 0.7), "-0.8"),
            (4.35 * 100.0, "435"),
            (13.0 / 3.0, "4.333333333333333"),
            (0.123_456_789_012_345_6, "0.1234567890123456"),
            (1_234_567.890_123_456_7, "1234567.8901234567"),
            (98.5, "98.5"),
            (0.0, "0"),
        ] {
            assert_eq!(without_noise(number), text);
        }
    }
}
