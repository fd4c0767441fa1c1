//! Groups the files by logger table and collects the facts about each table.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use super::column::{Column, MISSING_OF_AMERIFLUX, Role, measured};
use super::csv::{StatedOffset, Trust};
use super::early::Early;
use super::guess::Around;
use super::marks::{Mark, marks};
use super::place::{may_be_minutes, sensor};
use super::quality::Rows;
use super::sample::{ColumnSample, Interval, RowSample, Sample};
use super::{TableSummary, VariableSummary, guards, instruments, pattern};
use crate::config::CsvFormat;
use crate::quantity::Stated;
use crate::sun::Position;
use crate::time::{LocalTime, NANOS_PER_SECOND, Samples};

/// The wind components, as programs for sonic anemometers name them.
const SONIC: [&str; 3] = ["Ux", "Uy", "Uz"];
/// The wind components and the sonic temperature, in the order of the key `turbulence`.
pub(super) const SCANS: [&str; 4] = ["Ux", "Uy", "Uz", "Ts"];
/// Slower scans miss the eddies with the largest contribution.
const SCANS_A_SECOND: u64 = 5;
/// The tag that every row has.
const STATION_TAG: &str = "station";

/// One `[[table]]` of the draft.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) name: String,
    pub(super) files: Vec<String>,
    pub(super) has_pattern: bool,
    /// Station, model and program in line 1.
    pub(super) source: [String; 3],
    /// The table's name in line 1; empty if there is none.
    pub(super) logger_table: String,
    pub(super) interval: Option<Interval>,
    /// The number of rows that share a time stamp.
    pub(super) samples: Option<Samples>,
    /// The tags, as key and value.
    pub(super) tags: Vec<(&'static str, String)>,
    /// The sensor of its columns, and the kind of name in which it was found.
    pub(super) sensor: Option<(&'static str, &'static str)>,
    /// The offset from UTC that its file states, if it is not the station's.
    pub(super) utc_offset: Option<StatedOffset>,
    /// The `valid_from` that its rows need.
    pub(super) early: Option<Early>,
    /// The number that means "missing" in every column.
    pub(super) missing: Option<f64>,
    /// Notes for the user, one per line.
    pub(super) notes: Vec<String>,
    pub(super) columns: Vec<Column>,
    /// For a text table of another program: the dialect, and the first rows parsed with it.
    pub(super) csv: Option<(CsvFormat, Vec<String>)>,
    /// The examined rows, to compare columns with each other.
    pub(super) looked_at: LookedAt,
}

/// The examined rows of a table.
#[derive(Debug, Default)]
pub(super) struct LookedAt {
    /// The times in the order of the files.
    pub(super) times: Vec<LocalTime>,
    /// The values, in the order of the times.
    pub(super) columns: Vec<ColumnSample>,
}

/// What is known in addition to the files that the tables read.
#[derive(Debug, Default)]
pub(super) struct Known {
    /// The station's position.
    pub(super) position: Option<Position>,
    /// The station's offset from UTC, `±hh:mm`; empty if it changes.
    pub(super) utc_offset: String,
    /// Files that no table reads; their rows are examined with those of their tables.
    pub(super) archive: Vec<Sample>,
}

impl Table {
    /// Whether its rows are scans of a sonic anemometer at a rate high enough for turbulence.
    pub(super) fn is_of_sonic_scans(&self) -> bool {
        let per_stamp = self.samples.map_or(1, Samples::per_stamp);
        let is_fast = self.interval.is_some_and(|interval| {
            let between = interval.nanos.unsigned_abs().max(1);
            per_stamp >= SCANS_A_SECOND || between * SCANS_A_SECOND <= NANOS_PER_SECOND.unsigned_abs()
        });
        is_fast && SCANS.iter().all(|name| self.columns.iter().any(|column| column.name == *name))
    }

    pub(super) fn summary(&self) -> TableSummary {
        let variables = self.columns.iter().filter_map(|column| {
            let suggestion = column.variable.as_ref()?;
            Some(VariableSummary {
                column: column.name.clone(),
                variable: suggestion.name.clone(),
                active: suggestion.active,
            })
        });
        TableSummary {
            table: self.name.clone(),
            files: self.files.clone(),
            columns: self.columns.len(),
            samples_per_stamp: self.samples.map(Samples::per_stamp),
            variables: variables.collect(),
            first_rows: self.csv.as_ref().map_or_else(Vec::new, |(_, rows)| rows.clone()),
        }
    }
}

/// A table for each group of files, with names that are not in `taken`.
pub(super) fn tables(samples: Vec<Sample>, folder: &Path, taken: &[&str], known: &Known) -> Vec<Table> {
    let mut taken: Vec<String> = taken.iter().map(|name| name.to_lowercase()).collect();
    let mut tables = Vec::new();
    for group in groups(samples) {
        let table = table(&group, folder, &taken, known);
        taken.push(table.name.to_lowercase());
        tables.push(table);
    }
    tables
}

/// Groups the files by logger table. Files belong together if line 1 names the same station, table and serial number,
/// the file names give the same place, half of the columns are the same, and rows of equal time have equal values. Two
/// loggers may have the same names: one table too many only needs a correction, but two loggers in one table lose the
/// rows of one of them.
fn groups(samples: Vec<Sample>) -> Vec<Vec<Sample>> {
    let mut groups: Vec<Group> = Vec::new();
    for sample in samples {
        match groups.iter_mut().find(|group| group.takes(&sample)) {
            Some(group) => group.push(sample),
            None => {
                let mut group = Group::default();
                group.push(sample);
                groups.push(group);
            }
        }
    }
    groups.into_iter().map(|group| group.samples).collect()
}

#[derive(Default)]
struct Group {
    samples: Vec<Sample>,
    /// Fingerprints of the values by time, and by RECORD if rows share a time.
    rows: HashMap<(LocalTime, Option<i64>), u64>,
}

impl Group {
    fn push(&mut self, sample: Sample) {
        self.rows.extend(sample.rows.iter().map(|row| (key(&sample, row), row.values)));
        self.samples.push(sample);
    }

    fn takes(&self, sample: &Sample) -> bool {
        let of_one_table = self.samples.first().is_some_and(|first| is_of_one_table(first, sample));
        of_one_table && !self.contradicts(sample)
    }

    /// Whether most rows of equal time have other values.
    fn contradicts(&self, sample: &Sample) -> bool {
        let (mut same, mut different) = (0, 0);
        for row in &sample.rows {
            match self.rows.get(&key(sample, row)) {
                Some(known) if *known == row.values => same += 1,
                Some(_) => different += 1,
                None => {}
            }
        }
        different > same
    }
}

/// The key that distinguishes a row from the others of its table.
fn key(sample: &Sample, row: &RowSample) -> (LocalTime, Option<i64>) {
    (row.time, row.record.filter(|_| sample.samples.is_some()))
}

pub(super) fn is_of_one_table(one: &Sample, other: &Sample) -> bool {
    is_of_one_header(one, other) && marks(&stem(&one.path)) == marks(&stem(&other.path))
}

/// Whether line 1 names the same station, table and logger, and half of the columns are the same.
fn is_of_one_header(one: &Sample, other: &Sample) -> bool {
    let (a, b) = (one.serial(), other.serial());
    let is_one_logger = a == b || a.is_empty() || b.is_empty();
    let is_named = !one.header.table.trim().is_empty() || are_of_one_dialect(one, other);
    let has = |name: &str| one.columns.iter().any(|column| column.name == name);
    is_named
        && one.header.table == other.header.table
        && one.station() == other.station()
        && is_one_logger
        && other.columns.iter().filter(|column| has(&column.name)).count() * 2
            >= one.columns.len().max(other.columns.len())
}

/// Text tables of other programs do not name a table: the dialect must be the same, and the file names may differ only
/// in digits.
fn are_of_one_dialect(one: &Sample, other: &Sample) -> bool {
    let (Some(a), Some(b)) = (&one.csv, &other.csv) else { return false };
    a.csv == b.csv && crate::source::letters(&stem(&one.path)) == crate::source::letters(&stem(&other.path))
}

fn table(group: &[Sample], folder: &Path, taken: &[String], known: &Known) -> Table {
    let paths: Vec<PathBuf> = group.iter().map(|sample| sample.path.clone()).collect();
    let (files, has_pattern) = pattern::files(&paths, folder);
    let longest = group.iter().max_by_key(|sample| sample.rows.len());
    let interval = longest.and_then(Sample::interval);
    let mut looked_at = looked_at(group, &known.archive);
    let dialect = group.first().and_then(|sample| Some((sample, sample.csv.as_ref()?)));
    // EasyFlux writes a logger's table with AmeriFlux's names and stamps.
    let has = |name: &str| looked_at.columns.iter().any(|column| column.name == name);
    let is_ameriflux =
        dialect.map_or_else(|| has("TIMESTAMP_START") && has("TIMESTAMP_END"), |(_, found)| found.is_ameriflux);
    let missing = is_ameriflux.then_some(MISSING_OF_AMERIFLUX);
    if let Some(missing) = missing {
        #[allow(clippy::float_cmp, reason = "only exactly that number is meant")]
        looked_at.columns.iter_mut().for_each(|column| *column = column.without(|number| number == missing));
    }
    let columns = &looked_at.columns;
    let mut notes = Vec::new();
    let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
    let tags = tags(group, interval, &names, &mut notes);
    let line_1 = |place: usize| group.first().map_or(String::new(), |sample| sample.environment(place).to_owned());
    let stated: Vec<Stated<'_>> = columns
        .iter()
        .map(|column| Stated { name: &column.name, unit: &column.unit, process: &column.process })
        .collect();
    let around = Around {
        has_sonic: SONIC.iter().all(|name| names.contains(name)),
        seconds: interval.map(|interval| interval.nanos / NANOS_PER_SECOND),
        has_soil_probe: has_soil_probe(&names),
        is_ameriflux,
        ..Around::default()
    };
    let mut reserved: Vec<&str> = tags.iter().map(|(key, _)| *key).collect();
    reserved.push(STATION_TAG);
    let rows = Rows { times: &looked_at.times, interval, position: known.position };
    let mut columns: Vec<Column> = columns
        .iter()
        .zip(Stated::of_each_name(&stated))
        .map(|(column, of_its_name)| Column::new(column, Around { of_its_name, ..around }, &rows, &reserved))
        .collect();
    instruments::add(&looked_at.columns, &mut columns);
    guards::add(&looked_at.columns, &mut columns);
    // Pairs compare the measured values only.
    for (sample, column) in looked_at.columns.iter_mut().zip(&columns) {
        *sample = measured(sample, column.variable.as_ref());
    }
    if let Some((_, found)) = dialect {
        notes.extend(found.notes.iter().cloned());
        for column in &mut columns {
            let is_start = found.starts.contains(&column.name);
            let is_tag = found.tags.contains(&column.name);
            column.role = is_start.then_some(Role::Start).or_else(|| is_tag.then_some(Role::Tag));
        }
    } else {
        for column in &mut columns {
            let is_tag = group.iter().any(|sample| sample.apart.as_ref() == Some(&column.name));
            column.role = is_tag.then_some(Role::Tag);
        }
    }
    notes.extend(looked_at.columns.iter().zip(&columns).filter_map(|(sample, column)| texts_note(sample, column)));
    let stated = dialect.and_then(|(_, found)| found.offset.as_ref());
    let utc_offset = stated.filter(|stated| stated.offset != known.utc_offset).cloned();
    notes.extend(utc_offset.as_ref().map(|stated| offset_note(stated, &known.utc_offset)));
    let early = Early::of(group);
    notes.extend(early.as_ref().map(Early::note));
    if group.iter().any(|sample| sample.quotes_numbers) {
        notes.push(
            "Numbers stand in quotes where no logger writes them, so another program saved the file; they are read as numbers."
                .to_owned(),
        );
    }
    if group.iter().all(|sample| sample.rows.is_empty()) {
        notes.push("Its files have no rows yet, so only units and names are known.".to_owned());
    } else if columns.iter().all(|column| column.facts.iter().any(|fact| fact.starts_with("text, "))) {
        notes.push(
            "Every value is text: a file that R or a spreadsheet saved puts numbers in quotes, and text is stored but not \
             sent. Collect it again with LoggerNet to have numbers."
                .to_owned(),
        );
    }
    Table {
        name: free(&(name(group, &files, has_pattern) + &of_array(group)), taken),
        files,
        has_pattern,
        source: [line_1(0), line_1(1), line_1(4)],
        logger_table: group.first().map_or(String::new(), |sample| sample.header.table.clone()),
        interval,
        samples: longest.and_then(|sample| sample.samples),
        tags,
        sensor: sensor_of(group),
        utc_offset,
        early,
        missing,
        notes,
        columns,
        csv: dialect.map(|(sample, found)| (found.csv.clone(), sample.first_rows.clone())),
        looked_at,
    }
}

/// A note about a column of numbers that has texts, too: they are stored and not sent, and no test judges them.
fn texts_note(sample: &ColumnSample, column: &Column) -> Option<String> {
    let numbers = sample.numbers().count();
    let example = sample.example.as_deref().filter(|_| column.role.is_none() && numbers >= sample.text)?;
    let rows = crate::text::count((numbers + sample.missing + sample.text) as u64, "row");
    Some(format!(
        "CHECK: {} of {rows} looked at have a text in {}, whose others are numbers, such as \"{example}\": texts are stored and not sent. Let \
         the program that writes the file write numbers alone; if it means no value, list it in missing.",
        sample.text, column.name
    ))
}

/// A note about stamps whose offset is not the station's.
fn offset_note(stated: &StatedOffset, station: &str) -> String {
    let StatedOffset { text, offset, trust } = stated;
    let station =
        if station.is_empty() { "the station's changes".to_owned() } else { format!("the station's is {station}") };
    let says = match trust {
        Trust::Summer => {
            "this is summer time, which half of a year does not have: write timezone if the clock changes, or utc_offset if it does not."
        }
        Trust::EqualSeconds => {
            "if the stamps are in UTC, remove the # before utc_offset; a program that counts the seconds by its local clock writes the \
             same."
        }
        Trust::Seconds => {
            "the table has the one that its rows show; if this clock changes to summer time, write timezone in place of utc_offset."
        }
        Trust::Sure => "the table has the one that its file states; take utc_offset out of it if the file is wrong.",
    };
    format!("CHECK: \"{text}\" states UTC{offset} for the stamps, and {station}: {says}")
}

/// Whether the table has the outputs of a CS650 or CS655: water content and permittivity or conductivity, with the
/// names of its instruction.
fn has_soil_probe(names: &[&str]) -> bool {
    let has = |wanted: &str| {
        names.iter().any(|name| {
            let name = name.split('(').next().unwrap_or(name).to_lowercase();
            name.trim_end_matches("_avg") == wanted
        })
    };
    has("vwc") && ["ec", "pa", "vr", "ka"].iter().filter(|name| has(name)).count() >= 2
}

/// The columns of all files of a table with their rows, those of an archive first.
fn looked_at(group: &[Sample], archive: &[Sample]) -> LookedAt {
    let Some(first) = group.first() else { return LookedAt::default() };
    let place = |sample: &Sample| marks(&stem(&sample.path));
    // A file of an archive may no longer have the place in its name.
    let is_here = |sample: &&Sample| {
        is_of_one_header(first, sample) && (place(sample).is_empty() || place(sample) == place(first))
    };
    let mut files: Vec<&Sample> = archive.iter().filter(is_here).collect();
    files.sort_by_key(|sample| sample.rows.first().map(|row| row.time));
    let known: HashSet<LocalTime> = files.iter().flat_map(|sample| &sample.rows).map(|row| row.time).collect();
    let own = group.iter().filter(|sample| sample.rows.first().is_none_or(|row| !known.contains(&row.time)));
    let mut merged = LookedAt::default();
    let mut places: HashMap<&str, usize> = HashMap::new();
    // The columns are those of the files that the table reads.
    for column in group.iter().flat_map(|sample| &sample.columns) {
        places.entry(&column.name).or_insert_with(|| {
            merged.columns.push(ColumnSample::new(&column.name, &column.unit, &column.process));
            merged.columns.len() - 1
        });
    }
    for sample in files.into_iter().chain(own) {
        for column in &sample.columns {
            let place = places.get(column.name.as_str());
            if let Some(known) = place.and_then(|&place| merged.columns.get_mut(place)) {
                known.extend(column);
            }
        }
        merged.times.extend(sample.rows.iter().map(|row| row.time));
        for column in &mut merged.columns {
            column.pad(merged.times.len());
        }
    }
    merged
}

/// Height, depth and plot, if the names of file, table or station give exactly one.
fn tags(
    group: &[Sample],
    interval: Option<Interval>,
    columns: &[&str],
    notes: &mut Vec<String>,
) -> Vec<(&'static str, String)> {
    let Some(first) = group.first() else { return Vec::new() };
    let minutes = interval.map(|interval| interval.nanos / (60 * NANOS_PER_SECOND));
    let mut tags: Vec<(&'static str, String)> = Vec::new();
    for (text, whose) in [
        (stem(&first.path), "file's"),
        (first.header.table.clone(), "logger table's"),
        (first.station().to_owned(), "station's"),
    ] {
        for key in ["height", "depth", "plot"] {
            let mut said: Vec<Mark> = marks(&text).into_iter().filter(|mark| mark.key == key).collect();
            said.dedup();
            let known = tags.iter().any(|(known, _)| *known == key);
            match said.as_slice() {
                [mark] if !known && may_be_minutes(mark, minutes) => {
                    notes.push(format!(
                        "\"{}\" in the {whose} name may be minutes, so it is not used as {key}.",
                        mark.value
                    ));
                }
                [mark] if !known && columns.contains(&key) => {
                    notes.push(format!("The {whose} name gives {}, but a column is named {key} already.", mark.value));
                }
                [mark] if !known => tags.push((key, mark.value.clone())),
                [_, _, ..] if !known => {
                    let all: Vec<&str> = said.iter().map(|mark| mark.value.as_str()).collect();
                    notes.push(format!("The {whose} name gives more than one {key}: {}.", all.join(", ")));
                }
                _ => {}
            }
        }
    }
    tags
}

/// The sensor in the name of the file or of the logger table, and which of the two it is.
fn sensor_of(group: &[Sample]) -> Option<(&'static str, &'static str)> {
    let first = group.first()?;
    let of_file = sensor(&stem(&first.path)).map(|sensor| (sensor, "file's"));
    of_file.or_else(|| sensor(&first.header.table).map(|sensor| (sensor, "logger table's")))
}

/// The file's name, which the user knows; for several files their common part.
fn name(group: &[Sample], files: &[String], has_pattern: bool) -> String {
    let Some(first) = group.first() else { return String::new() };
    let of_line_1 = format!("{}_{}", first.station(), first.header.table);
    let common = match files {
        [pattern] if has_pattern => stem(Path::new(pattern)).replace("[0-9]", "").replace('*', ""),
        [_] => stem(&first.path),
        _ => of_line_1.clone(),
    };
    let plain = |text: &str| -> String {
        let signs =
            text.chars().map(|c| if c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | ' ') { c } else { '_' });
        signs.collect::<String>().trim_matches(|c: char| !c.is_ascii_alphanumeric()).to_owned()
    };
    let name = plain(&common);
    if name.chars().filter(char::is_ascii_alphanumeric).count() >= 2 {
        return name;
    }
    Some(plain(&of_line_1)).filter(|name| !name.is_empty()).unwrap_or_else(|| "table".to_owned())
}

/// The array number of the files, for the name.
fn of_array(group: &[Sample]) -> String {
    let array = group.first().and_then(|sample| sample.csv.as_ref()?.csv.array());
    array.map_or_else(String::new, |array| format!("_{array}"))
}

/// `name`, or the first one of `name_2`, `name_3`, … that no table has.
fn free(name: &str, taken: &[String]) -> String {
    let mut free = name.to_owned();
    let mut number = 1_u32;
    while taken.contains(&free.to_lowercase()) {
        number += 1;
        free = format!("{name}_{number}");
    }
    free
}

/// The file's name without its extensions, including those of a copy that LoggerNet set aside.
fn stem(path: &Path) -> String {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let name = name.trim_end_matches(".backup").trim_end_matches(".gz");
    let end = name.rfind('.').filter(|&dot| dot > 0).unwrap_or(name.len());
    name.get(..end).unwrap_or(name).to_owned()
}
