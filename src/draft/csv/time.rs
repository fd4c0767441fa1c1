//! Finds the columns of a table that are its time, and the time format.
//!
//! Every known time format is tried in every place where the time may be. Of the formats that can read the rows, the
//! best one reads most of them, gives ascending times, and has the most equal intervals.

use std::collections::{HashMap, HashSet};

use chrono::Utc;

use super::clock::{self, Place};
use super::counts::of_numbers;
use super::forms::{COMPACT_HOUR, DATE_FORMATS, Format, JOINS, RANGE, WAYS};
use super::further;
use super::interval;
use super::numbers::is_number;
use super::parts::{DAY_WITH_FRACTION, of_parts, with_clock, with_minutes};
use super::zone;
use crate::time::{LocalTime, MIDNIGHT_ENDS_THE_DAY, NANOS_PER_SECOND, StampFormat};

/// The number of columns at the beginning of a row that may be the time.
pub(super) const COLUMNS: usize = 8;
/// The most lines of a header that are as wide as the rows, where most lines are rows.
const MOST_ABOVE: usize = 30;
/// The number of rows on which a format is tried.
pub(super) const TRIED: usize = 200;

/// The time of a table.
#[derive(Debug, Clone)]
pub(super) struct Found {
    /// The columns, which are joined by blanks.
    pub(super) columns: Vec<usize>,
    pub(super) formats: Vec<Option<String>>,
    /// The first row with a time.
    pub(super) first: usize,
    /// The number of rows with a time.
    pub(super) rows: usize,
    /// The number of different times in the rows that were tried.
    pub(super) distinct: usize,
    /// Whether the format has an hour.
    pub(super) has_hour: bool,
    /// The columns with the start of each row's interval; the time is the end.
    pub(super) starts: Vec<usize>,
    /// The word behind each stamp, such as EST.
    pub(super) ending: Option<String>,
    pub(super) notes: Vec<String>,
    read: Vec<StampFormat>,
}

impl Found {
    pub(super) fn nanos(&self, fields: &[String]) -> Option<i64> {
        let text = joined(fields, &self.columns)?;
        self.read.iter().find_map(|format| format.read(text.as_bytes())).map(|read| nanos(read.time))
    }

    pub(super) fn reads(&self, fields: &[String]) -> bool {
        self.nanos(fields).is_some()
    }

    /// The number of these rows with a time.
    pub(super) fn count<L>(&self, rows: &[(L, Vec<String>)]) -> usize {
        rows.iter().filter(|(_, fields)| self.reads(fields)).count()
    }

    /// The name of a column that no line names.
    pub(super) fn name_of(&self, place: usize) -> Option<String> {
        let part = self.columns.iter().position(|column| *column == place)?;
        if self.columns.len() == 1 {
            return Some("Time".to_owned());
        }
        let letters = self.formats.first()?.as_deref()?.split(' ').nth(part)?;
        Some(
            match letters {
                "%Y" => "Year",
                "%j" => "Day_of_year",
                "%H%M" => "Hour_minute",
                "%m" => "Month",
                "%d" => "Day",
                "%H" => "Hour",
                "%M" => "Minute",
                "%S" => "Second",
                letters if letters.contains("%H") || letters.contains("%I") => "Time",
                _ => "Date",
            }
            .to_owned(),
        )
    }
}

/// The result of reading the rows with a format.
#[derive(Debug, Clone)]
pub(super) struct Reading {
    pub(super) columns: Vec<usize>,
    pub(super) way: Format,
    pub(super) first: usize,
    pub(super) rows: usize,
    /// The number of steps back in time.
    pub(super) back: usize,
    /// The number of rows with the time of the previous row.
    pub(super) same: usize,
    /// The share of the usual interval among the steps, in thousandths.
    pub(super) alike: usize,
    span: i64,
    pub(super) latest: i64,
    pub(super) is_future: bool,
    has_hour: bool,
    /// Whether the format has a fixed position for the year, month or day.
    is_certain: bool,
    /// A CHECK, if the rows fit another format as well.
    pub(super) doubt: Option<String>,
    /// The word behind each stamp, which the format has as a literal.
    pub(super) ending: Option<String>,
}

impl Reading {
    /// Whether several rows have one time.
    pub(super) fn is_constant(&self) -> bool {
        self.rows > 1 && self.span == 0
    }

    /// The rank; the greatest is the best.
    fn rank(&self) -> impl Ord {
        (
            std::cmp::Reverse(self.is_future),
            std::cmp::Reverse(self.is_constant()),
            self.is_certain,
            self.rows / 4 * 4,
            self.has_hour,
            std::cmp::Reverse(self.back),
            std::cmp::Reverse(self.same),
            self.alike / 20,
            std::cmp::Reverse(self.span / (60 * NANOS_PER_SECOND)),
            std::cmp::Reverse(self.columns.len() > 1),
        )
    }
}

/// The time of these rows, of which the first may be lines of a header. `names` returns the names of the columns above
/// a row.
pub(super) fn find(rows: &[&[String]], names: &dyn Fn(usize) -> Option<Vec<String>>) -> Option<Found> {
    let names_of = names;
    let names = names_of(1).or_else(|| names_of(0));
    // A row from the middle is not a header; if there is only one row below names and units, only the last one is not.
    let typical = [rows.get(rows.len() / 2)?, rows.last()?];
    let mut readings = typical
        .iter()
        .map(|row| like(rows, row, names.as_deref()))
        .chain(typical.iter().map(|row| with_ending(rows, row, names.as_deref())))
        .find(|found| !found.is_empty())?;
    // A time of day in a column of its own may end with a word, too.
    if !readings.iter().any(|reading| reading.has_hour) {
        readings.extend(typical.iter().flat_map(|row| with_ending(rows, row, names.as_deref())));
    }
    let uses_comma = rows.iter().flat_map(|row| row.iter()).any(|text| is_number(text) && text.contains(','));
    // A date with slashes is read as month and day, but as day and month if numbers have a decimal comma.
    let is_later = |reading: &Reading| {
        let text = reading.way.text.as_deref().unwrap_or_default();
        uses_comma && text.starts_with("%m/%d")
    };
    readings.sort_by(|a, b| b.rank().cmp(&a.rank()).then(is_later(a).cmp(&is_later(b))));
    let best = readings.first()?;
    let mut notes: Vec<String> = best.doubt.iter().cloned().collect();
    let names = names_of(best.first).or(names);
    let interval = names.as_deref().and_then(|names| interval::of(rows, best, names));
    let (best, starts) = match &interval {
        Some((starts, end)) => (end, starts.clone()),
        None => (best, Vec::new()),
    };
    if let Some(names) = &names {
        notes.extend(interval::note(names, best, &starts));
    }
    if let Some(other) = readings.get(1)
        && other.rank() == best.rank()
        && other.columns == best.columns
        && is_day_and_month(best.way.text.as_deref(), other.way.text.as_deref())
    {
        notes.push(day_and_month(best.way.text.as_deref(), other.way.text.as_deref()));
    }
    if best.way.text.as_deref().is_some_and(|text| text.contains(RANGE)) {
        notes.push(
            "A stamp is an interval, from start to end; the end is the time of its row, as loggers have it.".to_owned(),
        );
    }
    let mut formats = vec![best.way.text.clone()];
    let mut read = vec![best.way.format.clone()];
    if best.back > 0
        && let Some(ended) = ends_at_midnight(rows, best)
    {
        formats = vec![ended.text.clone()];
        read = vec![ended.format];
        notes.push("0:00 carries the date of the day that it ends.".to_owned());
    }
    let further = further::find(rows, best, &read);
    notes.extend(further.notes);
    for way in further.formats {
        formats.push(way.text);
        read.push(way.format);
    }
    let times: Vec<i64> = rows[further.first..]
        .iter()
        .take(TRIED)
        .filter_map(|row| joined(row, &best.columns))
        .filter_map(|text| read.iter().find_map(|format| format.read(text.as_bytes())).map(|read| nanos(read.time)))
        .collect();
    Some(Found {
        columns: best.columns.clone(),
        formats,
        first: further.first,
        rows: times.len(),
        distinct: times.iter().collect::<HashSet<_>>().len(),
        has_hour: best.has_hour,
        starts,
        ending: best.ending.clone(),
        notes,
        read,
    })
}

/// The results for rows whose stamps end with a word, for example for a time zone, which becomes a part of the format.
fn with_ending(rows: &[&[String]], row: &[String], names: Option<&[String]>) -> Vec<Reading> {
    let mut found = Vec::new();
    for (column, text) in row.iter().enumerate().take(COLUMNS) {
        let Some((word, letters)) = zone::ending(text) else { continue };
        let bare = |row: &[String]| -> Vec<String> {
            let mut row = row.to_vec();
            if let Some(field) = row.get_mut(column) {
                let stamp = field.trim();
                let ends = zone::ending(stamp).filter(|(_, other)| *other == letters);
                *field = ends.map_or("", |(word, _)| stamp[..stamp.len() - word.len()].trim_end()).to_owned();
            }
            row
        };
        let bare_rows: Vec<Vec<String>> = rows.iter().map(|row| bare(row)).collect();
        let bare_rows: Vec<&[String]> = bare_rows.iter().map(Vec::as_slice).collect();
        let readings =
            like(&bare_rows, &bare(row), names).into_iter().filter(|read| read.columns.last() == Some(&column));
        found.extend(readings.filter_map(|read| {
            let text = read.way.text.as_deref().unwrap_or("%Y-%m-%d %H:%M:%S");
            let way = Format::new(Some(&format!("{text} {letters}")))?;
            let ending = Some(word.to_owned());
            Some(Reading { ending, doubt: read.doubt, ..reading(rows, &read.columns, &way)? })
        }));
    }
    found
}

/// The results of all formats by which `row` has a time.
fn like(rows: &[&[String]], row: &[String], names: Option<&[String]>) -> Vec<Reading> {
    let mut readings = with_minutes(rows, row, names.unwrap_or_default());
    let with_minutes: Vec<usize> = readings.iter().filter_map(|reading| reading.columns.get(1).copied()).collect();
    let columns = row.len().min(COLUMNS);
    let pairs = (1..columns).flat_map(|second| [vec![second - 1, second], vec![second, second - 1]]);
    let named = |place: &usize| names.and_then(|names| names.get(*place)).is_some_and(|name| clock::is_named(name));
    let clocks: Vec<usize> = (0..columns).filter(|place| clock::is_text(&row[*place]) || named(place)).collect();
    // A date with other columns before its time of day. Dates that differ in each row need none.
    let apart = (0..columns).filter(|date| !clocks.contains(date) && repeats(rows, *date));
    let apart = apart.flat_map(|date| clocks.iter().map(move |clock| (date, *clock)));
    let apart = apart.filter(|(date, clock)| date.abs_diff(*clock) > 1).map(|(date, clock)| vec![date, clock]);
    let parts = with_clock(row).into_iter();
    for columns in (0..columns).map(|column| vec![column]).chain(pairs).chain(apart).chain(parts) {
        let has_minutes = columns.get(1).is_some_and(|clock| with_minutes.contains(clock));
        let Some(text) = joined(row, &columns).filter(|_| !has_minutes) else { continue };
        let ways = WAYS.iter().filter(|way| way.format.read(text.as_bytes()).is_some());
        for way in ways {
            let bare_clock = columns.len() == 2 && columns.iter().all(|place| is_number(&row[*place]));
            // Ten digits that begin with 1 are Unix seconds.
            let is_unix = way.text.as_deref() == Some(COMPACT_HOUR) && !text.starts_with("20");
            if !bare_clock && !is_unix {
                readings.extend(reading(rows, &columns, way));
            }
        }
        if columns.len() > 2 {
            continue;
        }
        let joins = if columns.len() > 1 { &JOINS[..1] } else { &JOINS[..] };
        let name = columns.get(1).and_then(|place| Some(names?.get(*place)?.as_str()));
        for (date, join) in DATE_FORMATS.iter().flat_map(|date| joins.iter().map(move |join| (date, join))) {
            let place = Place { columns: &columns, date, join, name, is_of_parts: false };
            if clock::may_be(row, &place) {
                readings.extend(clock::decide(rows, &place));
            }
        }
    }
    readings.extend(of_parts(rows, row, names));
    if readings.is_empty() {
        readings.extend(of_numbers(rows, row, names));
    }
    readings
}

/// Whether the texts of a column come again: those of a date whose time of day stands elsewhere do.
fn repeats(rows: &[&[String]], place: usize) -> bool {
    let texts: HashSet<&str> = rows.iter().filter_map(|row| row.get(place)).map(String::as_str).collect();
    texts.len() * 2 <= rows.len() + 1
}

/// The letters of year, month and day, in their order.
pub(super) fn date_of(text: &str) -> String {
    text.chars().filter(|letter| matches!(letter, 'Y' | 'y' | 'm' | 'd' | 'b' | 'j')).take(3).collect()
}

/// Whether two formats differ in the order of year, month and day alone.
pub(super) fn is_day_and_month(one: Option<&str>, other: Option<&str>) -> bool {
    let of = |text: Option<&str>| text.map(date_of).unwrap_or_default();
    let sorted = |text: String| {
        let mut letters: Vec<char> = text.chars().collect();
        letters.sort_unstable();
        letters
    };
    of(one) != of(other) && sorted(of(one)) == sorted(of(other))
}

/// A CHECK for two formats of which the rows fit both.
pub(super) fn day_and_month(one: Option<&str>, other: Option<&str>) -> String {
    format!(
        "CHECK: the rows do not tell day and month apart; they are read as {}. The other is {}.",
        one.unwrap_or_default(),
        other.unwrap_or_default()
    )
}

pub(super) fn joined(fields: &[String], columns: &[usize]) -> Option<String> {
    let parts: Option<Vec<&str>> = columns.iter().map(|place| Some(fields.get(*place)?.as_str())).collect();
    Some(parts?.join(" ")).filter(|text| !text.trim().is_empty())
}

pub(super) fn nanos(time: LocalTime) -> i64 {
    time.nanos_since(LocalTime::from_nanos(0))
}

/// The result of reading the rows with a format; None if it cannot read most of the rows after the first.
pub(super) fn reading(rows: &[&[String]], columns: &[usize], way: &Format) -> Option<Reading> {
    let read = |row: &&[String]| joined(row, columns).and_then(|text| way.format.read(text.as_bytes()));
    let first = rows.iter().position(|row| read(row).is_some())?;
    let tried = &rows[first..rows.len().min(first + TRIED)];
    let times: Vec<i64> = tried.iter().filter_map(|row| Some(nanos(read(row)?.time))).collect();
    if way.text.as_deref().is_some_and(|text| text.contains("%z"))
        && zone::changes(tried.iter().filter_map(|row| joined(row, columns)))
    {
        return None;
    }
    if times.len() * 4 < tried.len() * 3 || first > MOST_ABOVE.max(rows.len() / 2) {
        return None;
    }
    let mut steps: HashMap<i64, usize> = HashMap::new();
    let mut back = 0;
    let (mut same, mut forward) = (0, 0);
    for pair in times.windows(2) {
        let step = pair[1] - pair[0];
        back += usize::from(step < 0);
        same += usize::from(step == 0);
        if step > 0 {
            forward += 1;
            *steps.entry(step).or_default() += 1;
        }
    }
    let usual = steps.values().max().copied().unwrap_or(0);
    let latest = times.iter().max().copied().unwrap_or(0);
    let earliest = times.iter().min().copied().unwrap_or(0);
    // Two days are added for computers in other time zones.
    let now = Utc::now().timestamp_nanos_opt().unwrap_or(i64::MAX);
    let letters = way.text.as_deref().unwrap_or("%H");
    Some(Reading {
        columns: columns.to_vec(),
        way: way.clone(),
        first,
        rows: times.len(),
        back,
        same,
        alike: usual * 1000 / forward.max(1),
        span: latest.saturating_sub(earliest),
        latest,
        is_future: latest > now.saturating_add(2 * 86_400 * NANOS_PER_SECOND),
        has_hour: ["%H", "%I", DAY_WITH_FRACTION].iter().any(|hour| letters.contains(hour)) || !letters.contains('%'),
        is_certain: !letters.contains("%y") || letters.contains("%b"),
        doubt: None,
        ending: None,
    })
}

/// The same format with 0:00 as the end of its date, if the times are then ascending.
fn ends_at_midnight(rows: &[&[String]], best: &Reading) -> Option<Format> {
    let text = format!("{}{MIDNIGHT_ENDS_THE_DAY}", best.way.text.as_deref().unwrap_or("%Y-%m-%d %H:%M:%S"));
    let ended = reading(rows, &best.columns, &Format::new(Some(&text))?)?;
    (ended.back < best.back && ended.back == 0).then_some(ended.way)
}
