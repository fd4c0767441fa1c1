//! What a text table states of the offset of its stamps from UTC: by the word behind them, by the name of their column, by a column
//! with the zone, or by a column of Unix seconds beside them.

use std::collections::HashSet;

use super::zone::{self, StatedOffset, Trust};
use super::{Line, time};
use crate::config::CsvFormat;
use crate::text::{any_of, count};
use crate::time::NANOS_PER_SECOND;

/// Unix seconds of 1989 to 2103.
pub(super) const UNIX_SECONDS: std::ops::Range<f64> = 6.3e8..4.2e9;
/// Offsets from UTC are whole quarters of an hour of at most 14 hours.
const QUARTER: i64 = 900;
const MOST: i64 = 14 * 3_600;

/// The offset that the stamps have, and notes. Stamps that are instants state theirs themselves.
pub(super) fn of(
    rows: &[(&Line<'_>, Vec<String>)],
    time: &time::Found,
    names: &[String],
    csv: &CsvFormat,
) -> (Option<StatedOffset>, Vec<String>) {
    if are_instants(csv) {
        return (None, Vec::new());
    }
    let by_word = time.ending.as_deref().and_then(zone::of_word);
    let found = by_word.or_else(|| csv.time_columns.iter().find_map(|name| zone::of_name(name)));
    if found.is_some() {
        return (found, Vec::new());
    }
    let named = csv.time_columns.iter().find_map(|name| Some((name, zone::changing(name)?)));
    let mut notes: Vec<String> = named.map(|(name, zone)| zone::changing_note(name, &zone)).into_iter().collect();
    let read: Vec<(i64, &Vec<String>)> =
        rows[time.first..].iter().filter_map(|(_, fields)| Some((time.nanos(fields)?, fields))).collect();
    let places = || names.iter().enumerate().filter(|(place, _)| !time.columns.contains(place));
    let by_column = places().find_map(|(place, name)| of_column(&read, place, name));
    let (offset, note) =
        by_column.or_else(|| places().find_map(|(place, name)| of_seconds(&read, place, name))).unwrap_or_default();
    notes.extend(note);
    (offset, notes)
}

/// Whether the stamps say themselves what instants they are.
pub(super) fn are_instants(csv: &CsvFormat) -> bool {
    let is = |format: &String| {
        format.contains("%z") || format.starts_with("unix") || (format.contains(" since ") && format.ends_with('Z'))
    };
    csv.time_formats.iter().flatten().any(is)
}

/// What a column says that is named as one of time zones: `tz_cd`, `UTCOffset`, `time_zone`.
fn of_column(rows: &[(i64, &Vec<String>)], place: usize, name: &str) -> Option<(Option<StatedOffset>, Option<String>)> {
    let lower = name.to_lowercase();
    let is_part = |part: &str| ["tz", "utc", "gmt", "timezone"].contains(&part) || part.ends_with("zone");
    let is_named = lower.split(|sign: char| !sign.is_alphanumeric()).any(is_part)
        || ["utcoffset", "gmtoffset", "tzoffset"].iter().any(|known| lower.contains(known));
    let mut texts: Vec<&str> = Vec::new();
    for (_, fields) in rows {
        let text = fields.get(place)?.as_str();
        if !texts.contains(&text) {
            texts.push(text);
        }
        if texts.len() > 4 {
            return None;
        }
    }
    let first = texts.first().filter(|_| is_named)?;
    if let Some(zone) = texts.iter().find_map(|text| zone::changing(text)) {
        return Some((None, Some(zone::changing_note(&format!("{name} = {first}"), &zone))));
    }
    let stated = |text: &&str| -> Option<StatedOffset> {
        let of = format!("{name} = {text}");
        match zone::of_word(text) {
            Some(found) => Some(StatedOffset { text: of, ..found }),
            None => Some(zone::stated(&of, zone::offset(text)?, false)),
        }
    };
    let found: Vec<StatedOffset> = texts.iter().map(stated).collect::<Option<_>>()?;
    match found.as_slice() {
        [] => None,
        [one] => Some((Some(one.clone()), None)),
        _ => Some((
            None,
            Some(format!(
                "CHECK: the column {name} states {} for the offset of the stamps. Stamps that change between standard and summer time need \
                 timezone in place of utc_offset for this table; without it some rows are an hour off.",
                any_of(&texts)
            )),
        )),
    }
}

/// What a column of Unix seconds says, whose distance from the stamps is an offset from UTC in every row.
fn of_seconds(
    rows: &[(i64, &Vec<String>)],
    place: usize,
    name: &str,
) -> Option<(Option<StatedOffset>, Option<String>)> {
    let mut offsets: HashSet<i64> = HashSet::new();
    for (nanos, fields) in rows {
        let value: f64 = fields.get(place)?.parse().ok()?;
        let per_second = [1.0, 1e3, 1e6, 1e9].into_iter().find(|unit| UNIX_SECONDS.contains(&(value / unit)))?;
        #[allow(clippy::cast_possible_truncation, reason = "Unix seconds of these years")]
        let seconds = (value / per_second).floor() as i64;
        let distance = nanos.div_euclid(NANOS_PER_SECOND) - seconds;
        let offset = (distance + QUARTER / 2).div_euclid(QUARTER) * QUARTER;
        ((distance - offset).abs() <= 1 && offset.abs() <= MOST).then_some(())?;
        offsets.insert(offset);
    }
    let minutes: Vec<i32> = offsets.iter().filter_map(|offset| i32::try_from(offset / 60).ok()).collect();
    match minutes.as_slice() {
        [] => None,
        [minutes] => {
            let trust = if *minutes == 0 { Trust::EqualSeconds } else { Trust::Seconds };
            let stated = zone::stated(&format!("{name} (Unix seconds)"), *minutes, false);
            Some((Some(StatedOffset { trust, ..stated }), None))
        }
        several => Some((
            None,
            Some(format!(
                "CHECK: beside the Unix seconds in the column {name} the stamps have {} from UTC. If they change to summer time, write \
                 timezone in place of utc_offset for this table; the seconds are right in either case: time_column = \"{name}\" with \
                 time_format = \"unix\".",
                count(several.len() as u64, "offset")
            )),
        )),
    }
}
