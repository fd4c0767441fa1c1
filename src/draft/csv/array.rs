//! Files of array-based loggers: CR10X, CR23X, CR510, 21X. A file contains lines of several arrays, each beginning with
//! its array number.
//!
//! The names are taken from the label file (.fsl) that the program's editor wrote, if it is beside the data.

use std::collections::BTreeMap;
use std::path::Path;

use chrono::Datelike;

use super::Recognised;
use crate::config::{CsvDialect, CsvFormat};
use crate::format::{array_of, decode, strip_noise, unique_names};
use crate::time::{LocalTime, NANOS_PER_DAY, YearlessSpan};

/// The number of lines that are examined.
const LINES: usize = 2_000;
/// A larger file is not looked through for the turns of years.
const LONGEST_COUNTED: u64 = 256 << 20;
/// A larger file is not a label file.
const LONGEST_LABELS: u64 = 1 << 20;

/// The arrays of a file that begins with `text`. An error is the rest of a sentence that begins with the file's name.
pub(in crate::draft) fn arrays(text: &[u8], path: &Path) -> Result<Vec<Recognised>, String> {
    let mut rows: BTreeMap<u16, Vec<Vec<String>>> = BTreeMap::new();
    for line in text.split(|byte| *byte == b'\n').take(LINES) {
        let line = strip_noise(line);
        if let Some(array) = array_of(&line) {
            let fields = line.split(|byte| *byte == b',').map(|field| decode(field).trim().to_owned());
            rows.entry(array).or_default().push(fields.collect());
        }
    }
    let labels = labels(path);
    let mut found = Vec::new();
    let mut problem =
        "holds arrays, and in none of them a day of the year and hhmm behind the number of the array".to_owned();
    for (array, rows) in rows {
        match recognised(array, &rows, labels.get(&array), path) {
            Some(recognised) => found.push(recognised),
            None => {
                problem =
                    format!("holds array {array} without a day of the year and hhmm; describe it as format = \"csv\"");
            }
        }
    }
    if found.is_empty() { Err(problem) } else { Ok(found) }
}

fn recognised(array: u16, rows: &[Vec<String>], labels: Option<&Vec<String>>, path: &Path) -> Option<Recognised> {
    let width = usual_width(rows)?;
    let rows: Vec<&Vec<String>> = rows.iter().filter(|row| row.len() == width).collect();
    let within = |place: usize, least: u32, most: u32| {
        let is = |row: &&Vec<String>| {
            row.get(place)
                .and_then(|text| text.parse::<u32>().ok())
                .is_some_and(|number| (least..=most).contains(&number))
        };
        // A character lost in a modem transmission may be in any field.
        rows.iter().filter(|row| is(row)).count() * 10 >= rows.len() * 9
    };
    let has_year = within(1, 1980, 2100);
    let day = if has_year { 2 } else { 1 };
    if !within(day, 1, 366) || !within(day + 1, 0, 2400) {
        return None;
    }
    let labels = labels.filter(|labels| labels.len() == width);
    let has_seconds =
        labels.is_some_and(|labels| labels.get(day + 2).is_some_and(|name| name.to_lowercase().contains("second")));
    let usual = |place: usize| match place {
        0 => "Array_ID".to_owned(),
        1 if has_year => "Year_RTM".to_owned(),
        place if place == day => "Day_RTM".to_owned(),
        place if place == day + 1 => "Hour_Minute_RTM".to_owned(),
        place => format!("column_{}", place + 1),
    };
    let mut names: Vec<String> = match labels {
        Some(labels) => labels.clone(),
        None => (0..width).map(usual).collect(),
    };
    if let Some(first) = names.first_mut() {
        "Array_ID".clone_into(first);
    }
    let names = unique_names(names);
    let end = day + 2 + usize::from(has_seconds);
    let mut letters = vec!["%Y", "%j", "%H%M"];
    if has_seconds {
        letters.push("%S");
    }
    let year = if has_year { None } else { Some(year_of(path, array, day)?) };
    let mut notes = vec![format!("Array {array} of an array-based logger.")];
    if labels.is_none() {
        notes.push("No label file (.fsl) with its names lies beside it: the columns have numbers.".to_owned());
    }
    let csv = CsvFormat {
        time_columns: names[if has_year { 1 } else { day }..end].to_vec(),
        time_formats: vec![Some(letters.join(" "))],
        names: Some(names),
        record_column: None,
        dialect: Some(CsvDialect { array: Some(array), year, ..CsvDialect::default() }),
        long: None,
    };
    Some(Recognised {
        csv,
        tags: Vec::new(),
        starts: Vec::new(),
        is_ameriflux: false,
        offset: None,
        is_in_utc: false,
        notes,
    })
}

/// The most frequent number of fields.
fn usual_width(rows: &[Vec<String>]) -> Option<usize> {
    let mut counts: BTreeMap<usize, usize> = BTreeMap::new();
    rows.iter().for_each(|row| *counts.entry(row.len()).or_default() += 1);
    counts.into_iter().max_by_key(|(_, count)| *count).map(|(width, _)| width).filter(|width| *width > 3)
}

/// The year of the first row of an array, by the time at which the file was last written, that of its last row.
///
/// Before there is a configuration, the clock of the stamps and their other columns are not known, so that only days are
/// compared, with those of UTC.
fn year_of(path: &Path, array: u16, day: usize) -> Option<u16> {
    let modified = crate::source::modified(path)?;
    let written = chrono::DateTime::<chrono::Utc>::from(modified);
    let is_small = path.metadata().is_ok_and(|file| file.len() <= LONGEST_COUNTED);
    let text = if is_small { std::fs::read(path).unwrap_or_default() } else { Vec::new() };
    let days = text.split(|byte| *byte == b'\n').filter_map(|line| {
        let line = strip_noise(line);
        let field = line.split(|byte| *byte == b',').nth(day).filter(|_| array_of(&line) == Some(array))?;
        decode(field).trim().parse::<i64>().ok().filter(|day| (1..=366).contains(day))
    });
    let mut span: Option<YearlessSpan> = None;
    for day in days {
        let into = (day - 1) * NANOS_PER_DAY;
        span.get_or_insert(YearlessSpan::at(into)).go_on(into);
    }
    let changed = LocalTime::from_nanos(written.timestamp_nanos_opt()?);
    let year = span.map_or(Some(i64::from(written.year())), |span| span.year_by(changed));
    u16::try_from(year?).ok()
}

/// The names of the columns of each array, from the label file of the same name, or the only one in the folder.
fn labels(path: &Path) -> BTreeMap<u16, Vec<String>> {
    let is_labels = |path: &Path| path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("fsl"));
    let folder = path.parent().and_then(|folder| folder.read_dir().ok());
    let files: Vec<_> =
        folder.into_iter().flatten().flatten().map(|entry| entry.path()).filter(|path| is_labels(path)).collect();
    let own = files.iter().find(|file| file.file_stem() == path.file_stem());
    let Some(file) = own.or(if let [only] = files.as_slice() { Some(only) } else { None }) else {
        return BTreeMap::new();
    };
    if file.metadata().is_ok_and(|file| file.len() > LONGEST_LABELS) {
        return BTreeMap::new();
    }
    std::fs::read(file).map(|bytes| names_in(&decode(&bytes))).unwrap_or_default()
}

/// Parses `30 Output_Table  15.00 Min`, followed by one line per column: `2 Year_RTM  L`.
fn names_in(text: &str) -> BTreeMap<u16, Vec<String>> {
    let mut found: BTreeMap<u16, Vec<String>> = BTreeMap::new();
    let mut array = None;
    for line in text.lines() {
        let mut parts = line.trim_start_matches(';').split_whitespace();
        let (Some(number), Some(name)) = (parts.next().and_then(|part| part.parse::<u16>().ok()), parts.next()) else {
            continue;
        };
        if name.eq_ignore_ascii_case("Output_Table") {
            array = Some(number);
            found.insert(number, Vec::new());
        } else if let Some(names) = array.and_then(|array| found.get_mut(&array))
            && names.len() + 1 == usize::from(number)
        {
            names.push(name.to_owned());
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    #[test]
    fn the_year_of_rows_without_one_is_that_of_the_file_or_the_one_before_if_it_was_written_in_the_first_days_of_january()
     {
        let year = |days: &[u16], written: &str| {
            let mut file = tempfile::NamedTempFile::new().unwrap();
            for day in days {
                writeln!(file, "101,{day},1200,5.5").unwrap();
            }
            let written = chrono::DateTime::parse_from_rfc3339(written).unwrap();
            file.as_file().set_modified(written.into()).unwrap();
            year_of(file.path(), 101, 1)
        };
        for (days, written, expected) in [
            (&[363, 364, 365][..], "2026-01-01T03:00:00Z", 2025),
            (&[364, 365], "2026-01-02T12:00:00Z", 2025),
            (&[365, 366], "2025-01-01T03:00:00Z", 2024),
            (&[364], "2026-01-02T12:00:00Z", 2025),
            (&[365, 1], "2026-01-01T12:00:00Z", 2025),
            (&[365, 1], "2025-12-31T22:00:00Z", 2025),
            (&[1, 2], "2025-12-31T22:00:00Z", 2026),
            (&[150, 151], "2025-05-31T12:00:00Z", 2025),
            (&[300, 301], "2025-05-31T12:00:00Z", 2024),
        ] {
            assert_eq!(year(days, written), Some(expected), "{days:?} {written}");
        }
    }

    #[test]
    fn a_label_file_names_the_columns_of_each_array() {
        let text = "(CR10X)\r\nFinal Storage Label File for: met.CSI\r\n\r\n15 Output_Table  15.00 Min\r\n1 15 L\r\n2 Year_RTM  L\r\n3 Day_RTM  L\r\n\r\n1 Output_Table  60.00 Min\r\n1 1 L\r\n2 Year_RTM  L\r\n";
        let names = names_in(text);
        assert_eq!(names[&15], ["15", "Year_RTM", "Day_RTM"]);
        assert_eq!(names[&1], ["1", "Year_RTM"]);
    }
}
