//! Finds heights, depths and plots in names: `46m_PAR.dat`, `Soil_temp_7.5cm`, `plot 3a`.

use std::ops::Range;

/// In metres: no flux tower is taller.
const TALLEST: f64 = 600.0;

/// A length that is a separate part of a name.
#[derive(Debug, Clone, PartialEq)]
struct Length {
    /// The text in lower case: `46m`, `0-30cm`.
    text: String,
    /// Whether it is in centimetres, and so a depth.
    is_depth: bool,
    at: Range<usize>,
}

/// The place of a measurement, as given in a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mark {
    /// The key of the tag: `height`, `depth` or `plot`.
    pub(super) key: &'static str,
    pub(super) value: String,
    /// The minutes, if the text may also mean these: `5m`.
    pub(super) minutes: Option<i64>,
}

/// Every place in `text`, in order.
pub(super) fn marks(text: &str) -> Vec<Mark> {
    let lower = text.to_lowercase();
    let in_soil = lower.contains("soil") || lower.contains("depth");
    let mut marks: Vec<Mark> = lengths(text)
        .into_iter()
        .map(|length| Mark {
            key: if length.is_depth || in_soil { "depth" } else { "height" },
            minutes: if length.is_depth { None } else { length.text.trim_end_matches('m').parse().ok() },
            value: length.text,
        })
        .collect();
    marks.extend(plot(&lower).map(|value| Mark { key: "plot", value, minutes: None }));
    marks
}

/// `text` without its lengths, and whether it had one.
pub(super) fn without_lengths(text: &str) -> (String, bool) {
    let lengths = lengths(text);
    let mut rest = text.to_owned();
    for length in lengths.iter().rev() {
        rest.replace_range(length.at.clone(), " ");
    }
    (rest, !lengths.is_empty())
}

/// Finds a number, or two joined by `-`, followed by `m` or `cm`, separate from other letters and digits.
fn lengths(text: &str) -> Vec<Length> {
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let alone = at == 0 || !(bytes[at - 1].is_ascii_alphanumeric() || bytes[at - 1] == b'.');
        if !alone || !bytes[at].is_ascii_digit() {
            at += 1;
            continue;
        }
        let begin = at;
        at = number_end(bytes, at);
        let mut last = begin..at;
        if bytes.get(at) == Some(&b'-') && bytes.get(at + 1).is_some_and(u8::is_ascii_digit) {
            last = at + 1..number_end(bytes, at + 1);
            at = last.end;
        }
        let unit_end =
            bytes[at..].iter().position(|byte| !byte.is_ascii_alphanumeric()).map_or(bytes.len(), |n| at + n);
        let scale = match text.get(at..unit_end).unwrap_or_default().to_ascii_lowercase().as_str() {
            "m" => 1.0,
            "cm" => 0.01,
            _ => continue,
        };
        let metres = text.get(last).and_then(|number| number.parse::<f64>().ok()).unwrap_or(f64::INFINITY) * scale;
        if metres <= TALLEST {
            let shown = text.get(begin..unit_end).unwrap_or_default().to_ascii_lowercase();
            found.push(Length { text: shown, is_depth: scale < 1.0, at: begin..unit_end });
        }
        at = unit_end;
    }
    found
}

fn number_end(bytes: &[u8], begin: usize) -> usize {
    let digits =
        |from: usize| bytes[from..].iter().position(|byte| !byte.is_ascii_digit()).map_or(bytes.len(), |n| from + n);
    let end = digits(begin);
    let fraction = bytes.get(end) == Some(&b'.') && bytes.get(end + 1).is_some_and(u8::is_ascii_digit);
    if fraction { digits(end + 1) } else { end }
}

/// The name after `plot`: `3`, `3a`, `b`.
fn plot(lower: &str) -> Option<String> {
    lower.match_indices("plot").find_map(|(at, word)| {
        let alone = !lower[..at].ends_with(|c: char| c.is_ascii_alphanumeric());
        let rest = &lower[at + word.len()..];
        let apart = rest.strip_prefix(['_', '-', ' ']);
        let name: String = apart.unwrap_or(rest).chars().take_while(char::is_ascii_alphanumeric).collect();
        let has_digit = name.contains(|c: char| c.is_ascii_digit());
        let is_name =
            if apart.is_some() { has_digit || name.len() == 1 } else { name.starts_with(|c: char| c.is_ascii_digit()) };
        (alone && is_name && name.len() <= 4).then_some(name)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str) -> Vec<(&'static str, String)> {
        marks(text).into_iter().map(|mark| (mark.key, mark.value)).collect()
    }

    #[test]
    fn heights_depths_and_plots_are_found_as_separate_parts() {
        for (text, key, value) in [
            ("46m_PARCal", "height", "46m"),
            ("Tower-3.5m", "height", "3.5m"),
            ("Y21_46M_PARCal", "height", "46m"),
            ("soil_1m", "depth", "1m"),
            ("Soil_temp_7.5cm_st1", "depth", "7.5cm"),
            ("SWC_0-30cm", "depth", "0-30cm"),
            ("resp_plot_3a", "plot", "3a"),
            ("Plot12", "plot", "12"),
        ] {
            assert_eq!(said(text), [(key, value.to_owned())], "{text}");
        }
    }

    #[test]
    fn dates_and_minutes_and_lengths_inside_other_parts_are_no_marks() {
        for text in
            ["GOF_Table1_2022-05-23T11-05", "soil_30min", "T107m2", "Table5", "plots", "plotted", "9000m", "CR5000"]
        {
            assert_eq!(said(text), [], "{text}");
        }
    }

    #[test]
    fn a_mark_that_may_be_minutes_gives_them() {
        assert_eq!(marks("met_30m")[0].minutes, Some(30));
        assert_eq!(marks("met_30cm")[0].minutes, None);
    }

    #[test]
    fn lengths_are_removed_from_a_name() {
        assert_eq!(without_lengths("Temp_46m"), ("Temp_ ".to_owned(), true));
        assert_eq!(without_lengths("Temp"), ("Temp".to_owned(), false));
    }
}
