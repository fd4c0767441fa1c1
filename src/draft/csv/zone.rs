//! The time zone that a text table states: a word behind each stamp (`2026-11-03 00:30:00 EST`), or an offset from UTC in
//! the name of the column (`Date Time, GMT-06:00`).
//!
//! The word is a literal part of the time format, so a stamp with another word is no time of this format. What the word
//! or the name says of the offset is compared with the station's offset by the caller.

use chrono_tz::Tz;

/// An offset from UTC that a file states.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::draft) struct StatedOffset {
    /// The text that states it.
    pub(in crate::draft) text: String,
    /// The offset, `±hh:mm`.
    pub(in crate::draft) offset: String,
    pub(in crate::draft) trust: Trust,
}

/// How far a stated offset can be believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::draft) enum Trust {
    Sure,
    /// It is that of summer time, and so not of every row of a year.
    Summer,
    /// A column of Unix seconds shows it, in the season of the rows that were looked at.
    Seconds,
    /// It is that of a column of Unix seconds that are equal to the stamps: either the stamps are in UTC, or a program counted the
    /// seconds by its local clock.
    EqualSeconds,
}

/// Names of time zones in use, with their offsets in minutes and whether they are of summer time.
const ZONES: [(&str, i32, bool); 38] = [
    ("UTC", 0, false),
    ("GMT", 0, false),
    ("UT", 0, false),
    ("BST", 60, true),
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

/// Names of standard and summer time of one place, with a place of it.
const PAIRS: [(&str, &str, &str); 13] = [
    ("EST", "EDT", "America/New_York"),
    ("CST", "CDT", "America/Chicago"),
    ("MST", "MDT", "America/Denver"),
    ("PST", "PDT", "America/Los_Angeles"),
    ("AKST", "AKDT", "America/Anchorage"),
    ("AST", "ADT", "America/Halifax"),
    ("GMT", "BST", "Europe/London"),
    ("WET", "WEST", "Europe/Lisbon"),
    ("CET", "CEST", "Europe/Berlin"),
    ("MEZ", "MESZ", "Europe/Berlin"),
    ("EET", "EEST", "Europe/Helsinki"),
    ("AEST", "AEDT", "Australia/Sydney"),
    ("NZST", "NZDT", "Pacific/Auckland"),
];

/// The word behind a stamp, and the same in a time format: `EST`, or `GMT+01:00` with the format `GMT%z`.
pub(super) fn ending(stamp: &str) -> Option<(&str, String)> {
    let (_, word) = stamp.trim().rsplit_once(char::is_whitespace)?;
    let is_half_day = ["am", "pm", "a.m.", "p.m."].contains(&word.to_lowercase().as_str());
    let is_word = word.chars().all(|letter| letter.is_alphabetic() || "()".contains(letter));
    if is_word && !is_half_day && word.chars().count() >= 2 {
        return Some((word, word.to_owned()));
    }
    let (begin, rest) = offset_in(word)?;
    (begin == 0).then_some(())?;
    let digits = rest.bytes().filter(u8::is_ascii_digit).count();
    // An offset of one digit, or behind a sign that is not ASCII, is no offset of a time format; it is a part of the text.
    Some((word, if digits >= 2 && word.is_ascii() { format!("{}%z", &word[..3]) } else { word.to_owned() }))
}

/// Whether what stands at the place of an offset changes so often that it is none, but the end of an interval: `10:00-10:30`.
pub(super) fn changes(stamps: impl Iterator<Item = String>) -> bool {
    let offsets: Vec<String> = stamps
        .map(|stamp| {
            let stamp = stamp.trim();
            let sign = stamp.rfind(['+', '-']).filter(|_| stamp.ends_with(|end: char| end.is_ascii_digit()));
            sign.map_or("", |sign| &stamp[sign..]).to_owned()
        })
        .collect();
    let changes = offsets.windows(2).filter(|pair| pair[0] != pair[1]).count();
    changes * 4 > offsets.len()
}

/// The offset that a word behind the stamps means, if it is one in use.
pub(super) fn of_word(word: &str) -> Option<StatedOffset> {
    let bare = word.trim_matches(['(', ')', '[', ']']);
    let (minutes, is_summer) = known(bare).or_else(|| Some((minutes(&offset_in(bare)?.1)?, false)))?;
    Some(stated(word, minutes, is_summer))
}

/// The offset in the name of the time column: `Date Time, GMT-06:00`, `Time (UTC+1)`, `Date-Time (EST)`, `timestamp_utc`.
pub(super) fn of_name(name: &str) -> Option<StatedOffset> {
    if let Some((_, rest)) = offset_in(name) {
        return Some(stated(name, minutes(&rest)?, false));
    }
    let in_brackets = name.split(['(', '[']).skip(1).filter_map(|rest| Some(rest.split_once([')', ']'])?.0.trim()));
    if let Some(minutes) = in_brackets.clone().find_map(offset) {
        return Some(stated(name, minutes, false));
    }
    if in_brackets.clone().any(|text| text == "Z") {
        return Some(stated(name, 0, false));
    }
    let mut found = parts(name).filter_map(|word| {
        let lower = word.to_lowercase();
        let is_utc = lower.starts_with("utc") || ["utc", "gmt", "zulu"].iter().any(|end| lower.ends_with(end));
        known(word).or_else(|| is_utc.then_some((0, false)))
    });
    let (minutes, is_summer) = found.next()?;
    found.all(|other| other.0 == minutes).then(|| stated(name, minutes, is_summer))
}

/// An offset without a word: `-05:00`, `+1`.
pub(super) fn offset(text: &str) -> Option<i32> {
    let text = text.trim().replace(MINUS, "-");
    text.starts_with(['+', '-']).then(|| minutes(&text)).flatten()
}

/// The time zone of a text with standard and summer time in one: `EST/EDT`, `America/Chicago`. As much as the text says of
/// `timezone`.
pub(super) fn changing(text: &str) -> Option<String> {
    let texts = text.split(|sign: char| sign.is_whitespace() || "()[],;".contains(sign));
    // America/Chicago and CST6CDT, but not the names of countries and names as EST.
    let may_be_zone = |part: &&str| part.contains(|sign: char| sign == '/' || sign.is_ascii_digit());
    if let Some(zone) = texts.filter(may_be_zone).find(|part| part.parse::<Tz>().is_ok()) {
        return Some(zone.to_owned());
    }
    let known: Vec<&str> = parts(text).filter(|word| known(word).is_some()).collect();
    let of_pair = PAIRS.iter().find(|(standard, summer, _)| known.contains(standard) && known.contains(summer));
    of_pair.map(|(.., zone)| (*zone).to_owned())
}

/// A CHECK for stamps that change between standard and summer time.
pub(super) fn changing_note(text: &str, zone: &str) -> String {
    format!(
        "CHECK: \"{text}\" states a time zone, and no utc_offset holds for stamps that change to summer time: if they do, write timezone = \
         \"{zone}\" for this table, or the name of your zone."
    )
}

pub(super) fn stated(text: &str, minutes: i32, is_summer: bool) -> StatedOffset {
    let trust = if is_summer { Trust::Summer } else { Trust::Sure };
    StatedOffset { text: text.to_owned(), offset: written(minutes), trust }
}

fn known(word: &str) -> Option<(i32, bool)> {
    let is = |known: &str| known == word || (["UTC", "GMT"].contains(&known) && known.eq_ignore_ascii_case(word));
    ZONES.iter().find(|(known, ..)| is(known)).map(|(_, minutes, is_summer)| (*minutes, *is_summer))
}

fn parts(text: &str) -> impl Iterator<Item = &str> {
    text.split(|sign: char| !sign.is_alphanumeric()).filter(|word| !word.is_empty())
}

/// The sign that typesetting has for a minus.
const MINUS: char = '\u{2212}';

/// The place of `GMT` or `UTC` that a sign and digits follow, and these in ASCII.
fn offset_in(text: &str) -> Option<(usize, String)> {
    // Places in it are places in the text.
    let upper = text.to_ascii_uppercase();
    ["GMT", "UTC"].iter().find_map(|word| {
        let begin = upper.find(word)?;
        let mut rest = text[begin + word.len()..].trim_start().chars();
        let sign = match rest.next()? {
            '+' | '±' => '+',
            '-' | MINUS => '-',
            _ => return None,
        };
        let rest = rest.as_str().trim_start();
        let length = rest.bytes().take_while(|byte| byte.is_ascii_digit() || *byte == b':').count();
        let (digits, behind) = rest.split_at(length);
        let is_alone = !behind.starts_with(|sign: char| sign.is_alphanumeric() || sign == '.');
        (is_alone && !digits.is_empty()).then(|| (begin, format!("{sign}{digits}")))
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

pub(super) fn written(minutes: i32) -> String {
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
            ("Date GMT", Some("+00:00")),
            ("Time (UTC)", Some("+00:00")),
            ("DateTimeUTC", Some("+00:00")),
            ("timestamp_utc", Some("+00:00")),
            ("UTCTime", Some("+00:00")),
            ("TIME [UTC]", Some("+00:00")),
            ("Date (Z)", Some("+00:00")),
            ("Date Time (GMT)", Some("+00:00")),
            ("Date Time, GMT -04:00", Some("-04:00")),
            ("Time (UTC \u{2212}4)", Some("-04:00")),
            ("time utc-4", Some("-04:00")),
            ("time (gmt+1)", Some("+01:00")),
            ("Time [+01:00]", Some("+01:00")),
            ("Date-Time [MST]", Some("-07:00")),
            ("TIMESTAMP_EST", Some("-05:00")),
            ("Time (America/Chicago)", None),
            ("Time UTC - 10min", Some("+00:00")),
            ("Z", None),
            ("Timestamp", None),
            ("Best time", None),
        ] {
            assert_eq!(of_name(name).map(|stated| stated.offset).as_deref(), wanted, "{name}");
        }
        for (text, zone) in [
            ("Date-Time (EST/EDT)", Some("America/New_York")),
            ("Date Time (MST/MDT)", Some("America/Denver")),
            ("Time (America/Chicago)", Some("America/Chicago")),
            ("Time (EST5EDT)", Some("EST5EDT")),
            ("Date/Time", None),
            ("Date-Time (EST)", None),
        ] {
            assert_eq!(changing(text).as_deref(), zone, "{text}");
        }
        assert_eq!(of_word("EDT").unwrap().trust, Trust::Summer);
        assert_eq!(of_word("(utc)").unwrap().offset, "+00:00");
        assert_eq!(of_word("Uhr"), None);
    }
}
