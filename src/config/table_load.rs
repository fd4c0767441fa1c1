//! The checks of `[[table]]`; those of its columns are in [`super::column`].

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use toml::Spanned;

use super::clock_load::ClockOf;
use super::column::{OfTable, columns, sentinels};
use super::file::TableSection;
use super::load::{clock, one_of};
use super::made;
use super::place::{Section, Source};
use super::quality_load::table_settings;
use super::value;
use super::{
    After, ColumnConfig, ColumnUse, ConfigError, FileFormat, Level, LoggerFormat, OnConflict, SharedStamps, Station,
    TableConfig, TableName, csv_load, level,
};
use crate::time::{LoggerClock, SECOND, Samples, parse_instant};

/// The tag that distinguishes stations in a shared bucket.
const STATION_TAG: &str = "station";

/// Reads all tables, in the order of the file.
pub(super) fn tables(
    source: &Source<'_>,
    found: &[Spanned<TableSection>],
    station: &Station,
    folder: &Path,
) -> Result<Vec<TableConfig>, ConfigError> {
    let mut lines: HashMap<String, usize> = HashMap::new();
    let mut tables = Vec::with_capacity(found.len());
    for section in found {
        let at = section.span().start;
        let name = section.get_ref().name.as_ref().map(|name| format!("[[table]] \"{}\"", name.get_ref()));
        let at = Section::new(source, name.as_deref().unwrap_or("[[table]]"), Some(at));
        let table = table(source, &at, section.get_ref(), station, folder)?;
        let name_at = section.get_ref().name.as_ref().map_or(0..0, Spanned::span);
        // Views and folders are named after tables, and neither SQLite nor Windows distinguishes "A" from "a".
        if let Some(line) = lines.insert(table.name.0.to_lowercase(), source.line(name_at.start)) {
            return Err(at.wrong(
                &name_at,
                format!(
                    "name is already that of the table in line {line}; write another, large and small letters \
                     count as the same"
                ),
            ));
        }
        let made = made::table(&at, section.get_ref(), &table)?;
        tables.push(table);
        tables.extend(made);
    }
    made::names_are_unique(source, found, &tables)?;
    if tables.is_empty() {
        let top = Section::new(source, "[[table]]", None);
        return Err(top.lacks(
            "is missing; write one for each logger table, with name = \"46m_par\" and files = \
             ['C:\\Campbellsci\\LoggerNet\\46m_PAR.dat']",
        ));
    }
    Ok(tables)
}

fn table(
    source: &Source<'_>,
    at: &Section<'_>,
    found: &TableSection,
    station: &Station,
    folder: &Path,
) -> Result<TableConfig, ConfigError> {
    let name = at.read(TableSection::name, &found.name, value::table_name)?;
    let name = name.ok_or_else(|| at.lacks("name is missing; write for example name = \"46m_par\""))?;
    let stamps = stamps(source, at, found, station)?;
    let clock = stamps.present();
    let format = format(source, at, found)?;
    let samples = samples(at, found, &format)?;
    let measurement = match at.read(TableSection::measurement, &found.measurement, value::measurement)? {
        Some(measurement) => measurement,
        None => value::measurement(&name)
            .map_err(|problem| at.lacks(format!("name {problem}, or give the table a measurement")))?,
    };
    let tags = tags(at, found, station)?;
    let level = level_of_table(at, found, &tags)?;
    let sensor = at.read(TableSection::sensor, &found.sensor, value::plain_text)?;
    let columns = columns(
        source,
        at,
        found,
        &OfTable { folder, format: &format, level: level.as_ref(), sensor: sensor.as_deref() },
    )?;
    names_are_unique(at, found, &format, &columns, &tags)?;
    let conflicts = [("keep", OnConflict::Keep), ("replace", OnConflict::Replace)];
    let valid_from = at.read_or_default(&TableSection::valid_from, &found.valid_from, |text| {
        // One before 1970 is accepted: rows from before 1970 are rejected by a reason of their own.
        let instant =
            parse_instant(text, &clock).ok_or_else(|| "is not a date; write for example \"2000-01-01\"".to_owned())?;
        Ok(instant.to_utc())
    })?;
    Ok(TableConfig {
        name: TableName(name),
        files: files(at, found, folder)?,
        format,
        logger_table: at.read(TableSection::logger_table, &found.logger_table, value::plain_text)?,
        measurement,
        tags,
        bucket: at.read(TableSection::bucket, &found.bucket, value::plain_text)?,
        clock,
        station_clock: station.clock,
        stamps,
        position: station.position,
        on_conflict: at
            .read_or_default(&TableSection::on_conflict, &found.on_conflict, |text| one_of(text, &conflicts))?,
        samples,
        last_line_after: at.read_or_default(&TableSection::last_line_after, &found.last_line_after, value::duration)?,
        after: at.read_or_default(&TableSection::after, &found.after, |text| after(folder, text))?,
        closed_after: at.read_or_default(&TableSection::closed_after, &found.closed_after, value::some_time)?,
        valid_from,
        sentinels: sentinels(at, &found.missing)?.unwrap_or_default(),
        events: found.events.as_ref().is_some_and(|events| *events.get_ref()),
        stale_after: at.read(TableSection::stale_after, &found.stale_after, value::some_time)?,
        quality: table_settings(at, &found.tests, folder)?,
        level,
        sensor,
        columns,
        made_of: None,
    })
}

/// The table's own clock with its own later offsets, otherwise the station's. The table's own periods of a wrong clock
/// precede the station's.
fn stamps(
    source: &Source<'_>,
    at: &Section<'_>,
    found: &TableSection,
    station: &Station,
) -> Result<LoggerClock, ConfigError> {
    let own = clock(at, &found.utc_offset, &found.timezone)?;
    let name = found.name.as_ref().map_or_else(String::new, |name| format!(" \"{}\"", name.get_ref()));
    let of = ClockOf { source, name: &format!("[[table]]{name}") };
    let changes = of.changes(&found.offset)?;
    let mut corrections = of.corrections(&found.clock)?;
    corrections.extend(station.stamps.corrections());
    Ok(match own {
        None if changes.is_empty() => station.stamps.with_corrections(corrections),
        None => LoggerClock::new(station.stamps.first(), changes, corrections),
        Some(own) => LoggerClock::new(own, changes, corrections),
    })
}

fn samples(at: &Section<'_>, found: &TableSection, format: &FileFormat) -> Result<SharedStamps, ConfigError> {
    let why = "so many rows share each time stamp; leave the key out where none do";
    let per_stamp = at.whole(&TableSection::samples_per_stamp, &found.samples_per_stamp, why)?;
    let interval = at.read(TableSection::stamp_interval, &found.stamp_interval, |text| {
        let interval = value::some_time(text)?;
        let divides = 60_000_u128.is_multiple_of(interval.as_millis());
        divides
            .then_some(interval)
            .ok_or_else(|| "does not divide a minute; write for example \"1s\", \"500ms\" or \"10s\"".to_owned())
    })?;
    let needs_record = |key: &str, place: &std::ops::Range<usize>| {
        let has_none = matches!(format, FileFormat::Csv(csv) if csv.record_column.is_none());
        let problem = format!(
            "{key} needs a record number, which alone tells the rows of one stamp apart; write record_column, or take it out"
        );
        if has_none { Err(at.wrong(place, problem)) } else { Ok(()) }
    };
    let (Some(per_stamp), Some(place)) = (per_stamp, &found.samples_per_stamp) else {
        if let Some(place) = &found.stamp_interval {
            let problem = "stamp_interval belongs to samples_per_stamp; write that too, or take it out";
            return Err(at.wrong(&place.span(), problem));
        }
        return match &found.events {
            Some(events) if *events.get_ref() => {
                needs_record("events", &events.span()).map(|()| SharedStamps::Of(Samples::EVENTS))
            }
            _ => Ok(SharedStamps::AsShown),
        };
    };
    if let Some(events) = found.events.as_ref().filter(|events| *events.get_ref()) {
        let problem =
            "events have no samples_per_stamp: any number of them may share a stamp; write one of the two keys";
        return Err(at.wrong(&events.span(), problem));
    }
    if per_stamp == 1 {
        return Ok(SharedStamps::Never);
    }
    needs_record("samples_per_stamp", &place.span())?;
    let of = if interval.is_some() { SharedStamps::Of } else { SharedStamps::OfSeconds };
    Samples::new(per_stamp, interval.unwrap_or(SECOND)).map(of).ok_or_else(|| {
        let problem = format!("samples_per_stamp = {per_stamp} is too much for this stamp_interval; write less");
        at.wrong(&place.span(), problem)
    })
}

/// The level that the table gives, otherwise that of its tags. A tag is free text, so a tag that is not a length is
/// ignored.
fn level_of_table(
    at: &Section<'_>,
    found: &TableSection,
    tags: &BTreeMap<String, String>,
) -> Result<Option<Level>, ConfigError> {
    let said = level::read(at, &found.height, &found.depth)?;
    let tagged = || {
        let height = tags.get("height").and_then(|text| Level::height(text).ok());
        height.or_else(|| tags.get("depth").and_then(|text| Level::depth(text).ok()))
    };
    Ok(said.or_else(tagged))
}

fn files(at: &Section<'_>, found: &TableSection, folder: &Path) -> Result<Vec<std::path::PathBuf>, ConfigError> {
    let fix = "write for example files = ['C:\\Campbellsci\\LoggerNet\\46m_PAR.dat']";
    let Some(files) = &found.files else { return Err(at.lacks(format!("files is missing; {fix}"))) };
    if files.get_ref().is_empty() {
        return Err(at.wrong(&files.span(), format!("files is empty; {fix}")));
    }
    let pattern = |text: &Spanned<String>| {
        let problem = |problem| at.wrong(&text.span(), format!("files: '{}' {problem}", text.get_ref().escape_debug()));
        value::pattern(folder, text.get_ref()).map_err(problem)
    };
    files.get_ref().iter().map(pattern).collect()
}

fn after(folder: &Path, text: &str) -> Result<After, String> {
    let into = |text: &str| match value::path_text(text) {
        Ok(text) => Ok(value::join(folder, &text)),
        Err(problem) => Err(format!("names a folder that {problem}")),
    };
    match text.split_once(':') {
        None if text == "keep" => Ok(After::Keep),
        None if text == "delete" => Ok(After::Delete),
        Some(("move", text)) => into(text).map(After::Move),
        Some(("gzip", text)) => into(text).map(After::Gzip),
        _ => Err("is not known; write \"keep\", \"move:FOLDER\", \"gzip:FOLDER\" or \"delete\"".to_owned()),
    }
}

fn format(source: &Source<'_>, at: &Section<'_>, found: &TableSection) -> Result<FileFormat, ConfigError> {
    let loggers = LoggerFormat::ALL.map(|(name, format)| (name, Some(format)));
    let formats: Vec<_> = loggers.into_iter().chain([("csv", None)]).collect();
    let only = match at.read(TableSection::format, &found.format, |text| one_of(text, &formats))? {
        Some(None) => return csv_load::csv(source, at, found).map(FileFormat::Csv),
        Some(only) => only,
        None => None,
    };
    use TableSection as Keys;
    let of_csv =
        [Keys::names, Keys::time_column, Keys::time_format, Keys::record_column, Keys::csv].map(|key| key.name);
    at.refuse(
        &found.given(),
        |key| of_csv.contains(&key),
        "belongs to format = \"csv\": a logger's file names its columns itself; take it out, or write format = \"csv\"",
    )?;
    Ok(FileFormat::Logger(only))
}

fn tags(at: &Section<'_>, found: &TableSection, station: &Station) -> Result<BTreeMap<String, String>, ConfigError> {
    let mut tags = BTreeMap::from([(STATION_TAG.to_owned(), station.name.clone())]);
    for (key, text) in &found.tags {
        let wrong = |problem| at.wrong(&text.span(), format!("tags: {key} = \"{}\" {problem}", text.get_ref()));
        value::key(key).map_err(|problem| wrong(format!("has a key that {problem}")))?;
        tags.insert(key.clone(), value::plain_text(text.get_ref()).map_err(wrong)?);
    }
    Ok(tags)
}

/// Refuses a name that occurs twice in a row: a second field would overwrite the first, and InfluxDB 3 refuses a field
/// with the name of a tag. For TOA5 only the configured columns are known here.
fn names_are_unique(
    at: &Section<'_>,
    found: &TableSection,
    format: &FileFormat,
    columns: &BTreeMap<String, ColumnConfig>,
    tags: &BTreeMap<String, String>,
) -> Result<(), ConfigError> {
    let mut seen: BTreeMap<&str, String> = tags.keys().map(|key| (key.as_str(), format!("the tag {key}"))).collect();
    let unconfigured = match format {
        FileFormat::Logger(_) => Vec::new(),
        FileFormat::Csv(csv) => csv
            .known_values()
            .filter(|name| !columns.contains_key(*name))
            .map(|name| (name.as_str(), name.as_str()))
            .collect(),
    };
    let configured = columns
        .iter()
        .filter(|(_, column)| column.column_use != ColumnUse::Ignore)
        .map(|(name, column)| (name.as_str(), column.field.as_deref().unwrap_or(name)));
    for (name, sent) in unconfigured.into_iter().chain(configured) {
        if let Some(other) = seen.insert(sent, format!("the column {name}")) {
            let section = found.columns.get(name);
            let section = section.map(|at| at.get_ref().field.as_ref().map_or(at.span(), Spanned::span));
            let problem = format!(
                "column {name} is sent as \"{sent}\", and so is {other}; give it another name with field = \"...\""
            );
            return Err(section.map_or_else(|| at.lacks(&problem), |span| at.wrong(&span, &problem)));
        }
    }
    Ok(())
}
