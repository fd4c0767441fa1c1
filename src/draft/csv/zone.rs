//! The time zone that a text table states: a word behind each stamp (`2026-11-03 00:30:00 EST`), or an offset from UTC in
//! the name of the column (`Date Time, GMT-06:00`).
//!
//! The word is a literal part of the time format, so a stamp with another word is no time of this format. What the word
//! or the name says of the offset is compared with the station's offset by the caller.

/// An offset from UTC that a file states.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::draft) struct StatedOffset {
    /// The text that states it.
    pub(in crate::draft) text: String,
    /// The offset, `±hh:mm`.
    pub(in crate::draft) offset: String,
    /// Whether it is that of summer time, and so not of every row of a year.
    pub(in crate::draft) is_summer: bool,
}

/// Names of time zones in use, with their offsets in minutes and whether they are of summer time.
const ZONES: [(&str, i32, bool); 34] = [
    ("EST", -300, false),
    ("EDT", -240, true),
    ("CST", -360, false),
    ("CDT", -300, true),
    ("MST", -420, false),
    ("MDT", -360, true),
    ("PST", -480, false),
    ("PDT", -420, true),
    ("AKST", -540, false),
    ("AKDT", -480, true),
    ("HST", -600, false),
    ("AST", -240, false),
    ("ADT", -180, true),
    ("NST", -210, false),
    ("BRT", -180, false),
    ("WET", 0, false),
    ("WEST", 60, true),
    ("CET", 60, false),
    ("CEST", 120, true),
    ("MEZ", 60, false),
    ("MESZ", 120, true),
    ("EET", 120, false),
    ("EEST", 180, true),
    ("OEZ", 120, false),
    ("OESZ", 180, true),
    ("MSK", 180, false),
    ("JST", 540, false),
    ("KST", 540, false),
    ("AWST", 480, false),
    ("ACST", 570, false),
    ("AEST", 600, false),
    ("AEDT", 660, true),
    ("NZST", 720, false),
    ("NZDT", 780, true),
];

/// The word behind a stamp, and the same in a time format: `EST`, or `GMT+01:00` with the format `GMT%z`.
pub(super) fn ending(stamp: &str) -> Option<(&str, String)> {
    let (_, word) = stamp.trim().rsplit_once(char::is_whitespace)?;
    let is_half_day = ["am", "pm", "a.m.", "p.m."].contains(&word.to_lowercase().as_str());
    let is_word = word.chars().all(|letter| letter.is_alphabetic() || "()".contains(letter));
    if is_word && !is_half_day && word.chars().count() >= 2 {
        return Some((word, word.to_owned()));
    }
    let (_, rest) = offset_in(word).filter(|(begin, _)| *begin == 0)?;
    let digits = rest.bytes().filter(u8::is_ascii_digit).count();
    // An offset of one digit is no offset of a time format; it is a part of the text.
    Some((word, if digits >= 2 { format!("{}%z", &word[..3]) } else { word.to_owned() }))
}

/// The offset that a word behind the stamps means, if it is one in use.
pub(super) fn of_word(word: &str) -> Option<StatedOffset> {
    let bare = word.trim_matches(['(', ')']);
    let known = ZONES.iter().find(|(known, ..)| *known == bare);
    let found = known.map(|(_, minutes, is_summer)| (*minutes, *is_summer));
    let (minutes, is_summer) = found.or_else(|| Some((minutes(offset_in(bare)?.1)?, false)))?;
    Some(StatedOffset { text: word.to_owned(), offset: written(minutes), is_summer })
}

/// The offset in the name of the time column: `Date Time, GMT-06:00`, `Time (UTC+1)`, `Date-Time (EST)`.
pub(super) fn of_name(name: &str) -> Option<StatedOffset> {
    if let Some((_, rest)) = offset_in(name) {
        return Some(StatedOffset { text: name.to_owned(), offset: written(minutes(rest)?), is_summer: false });
    }
    let (_, word) = name.trim().strip_suffix(')')?.rsplit_once('(')?;
    Some(StatedOffset { text: name.to_owned(), ..of_word(word)? })
}

/// The place of `GMT` or `UTC` that a sign and digits follow, and what follows it.
fn offset_in(text: &str) -> Option<(usize, &str)> {
    ["GMT", "UTC"].iter().find_map(|word| {
        let begin = text.find(word)?;
        let rest = &text[begin + word.len()..];
        let length = rest.bytes().take_while(|byte| byte.is_ascii_digit() || b"+-:".contains(byte)).count();
        let rest = &rest[..length];
        (rest.starts_with(['+', '-']) && rest.len() > 1).then_some((begin, rest))
    })
}

/// The minutes of `+1`, `-06:00`, `+0530`.
fn minutes(text: &str) -> Option<i32> {
    let sign = if text.starts_with('-') { -1 } else { 1 };
    let digits = text.get(1..)?;
    let (hours, minutes) = match digits.split_once(':') {
        Some((hours, minutes)) => (hours, minutes),
        None if digits.len() == 4 => digits.split_at(2),
        None => (digits, "0"),
    };
    let (hours, minutes): (i32, i32) = (hours.parse().ok()?, minutes.parse().ok()?);
    ((0..=14).contains(&hours) && (0..60).contains(&minutes)).then_some(sign * (hours * 60 + minutes))
}

fn written(minutes: i32) -> String {
    let sign = if minutes < 0 { '-' } else { '+' };
    format!("{sign}{:02}:{:02}", minutes.abs() / 60, minutes.abs() % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_ends_with_a_word_for_its_zone() {
        for (stamp, wanted) in [
            ("2026-11-03 00:30:00 EST", Some(("EST", "EST"))),
            ("11/03/26 12:30:00 AM EST", Some(("EST", "EST"))),
            ("03.11.2026 00:30 GMT+01:00", Some(("GMT+01:00", "GMT%z"))),
            ("03.11.2026 00:30 UTC-5", Some(("UTC-5", "UTC-5"))),
            ("03.11.2026 00:30 Uhr", Some(("Uhr", "Uhr"))),
            ("11/03/26 12:30:00 AM", None),
            ("2026-11-03 00:30:00", None),
        ] {
            assert_eq!(ending(stamp), wanted.map(|(word, format)| (word, format.to_owned())), "{stamp}");
        }
    }

    #[test]
    fn the_name_of_the_time_states_its_offset() {
        for (name, wanted) in [
            ("Date Time, GMT-06:00", Some("-06:00")),
            ("Time (UTC+1)", Some("+01:00")),
            ("Zeit UTC+0530", Some("+05:30")),
            ("Date-Time (EST)", Some("-05:00")),
            ("Date-Time (EST/EDT)", None),
            ("Time (s)", None),
            ("Date GMT", None),
        ] {
            assert_eq!(of_name(name).map(|stated| stated.offset).as_deref(), wanted, "{name}");
        }
        assert!(of_word("EDT").unwrap().is_summer);
        assert_eq!(of_word("Uhr"), None);
    }
}
