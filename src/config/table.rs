//! The checks of `[[table]]` and its columns.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::time::Duration;

use chrono::{DateTime, Utc};
use toml::Spanned;

use super::file::{ColumnSection, Numbers, TableSection};
use super::load::{clock, one_of};
use super::place::{Section, Source};
use super::quality_load::{column_quality, time_gap};
use super::shape::quoted;
use super::spelling::any_of;
use super::value;
use super::{
    ColumnConfig, ColumnUse, ConfigError, CsvFormat, FileFormat, Formula, OnConflict, Range, Station, TableConfig,
    TableName,
};
use crate::qc;
use crate::time::{Timestamp, parse_instant};

/// Two collections of the usual five minutes: a file that stood still so long is not being written.
const DEFAULT_LAST_LINE_AFTER: Duration = Duration::from_secs(600);
/// 2000-01-01T00:00:00Z. A logger that lost its clock restarts in 1990 (seen on CR200 loggers).
const DEFAULT_VALID_FROM: Timestamp = Timestamp(946_684_800_000_000_000);
/// The tag that tells stations apart in a shared bucket.
const STATION_TAG: &str = "station";
/// The two columns of a TOA5 file that are no values.
const TOA5_KEYS: [&str; 2] = ["TIMESTAMP", "RECORD"];

/// All tables, in the order of the file.
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
        // Views and folders are named after tables, and neither SQLite nor Windows tells "A" from "a".
        if let Some(line) = lines.insert(table.name.0.to_lowercase(), source.line(name_at.start)) {
            return Err(at.wrong(
                &name_at,
                format!(
                    "name is already that of the table in line {line}; write another, large and small letters \
                     count as the same"
                ),
            ));
        }
        tables.push(table);
    }
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
    let name = at.read("name", &found.name, value::table_name)?;
    let name = name.ok_or_else(|| at.lacks("name is missing; write for example name = \"46m_par\""))?;
    let clock = clock(at, &found.utc_offset, &found.timezone)?.unwrap_or(station.clock);
    let format = format(at, found)?;
    let measurement = match at.read("measurement", &found.measurement, value::measurement)? {
        Some(measurement) => measurement,
        None => value::measurement(&name)
            .map_err(|problem| at.lacks(format!("name {problem}, or give the table a measurement")))?,
    };
    let columns = columns(source, at, found, &format, folder)?;
    let tags = tags(at, found, station)?;
    names_are_unique(at, found, &format, &columns, &tags)?;
    let conflicts = [("keep", OnConflict::Keep), ("replace", OnConflict::Replace)];
    let valid_from = at.read("valid_from", &found.valid_from, |text| {
        let instant: Option<DateTime<Utc>> = parse_instant(text, &clock).map(Timestamp::to_utc);
        instant.ok_or_else(|| "is not a date; write for example \"2000-01-01\"".to_owned())
    })?;
    Ok(TableConfig {
        name: TableName(name),
        files: files(at, found, folder)?,
        format,
        logger_table: at.read("logger_table", &found.logger_table, value::plain_text)?,
        measurement,
        tags,
        bucket: at.read("bucket", &found.bucket, value::plain_text)?,
        clock,
        on_conflict: at
            .read("on_conflict", &found.on_conflict, |text| one_of(text, &conflicts))?
            .unwrap_or(OnConflict::Keep),
        last_line_after: at
            .read("last_line_after", &found.last_line_after, value::duration)?
            .unwrap_or(DEFAULT_LAST_LINE_AFTER),
        valid_from: valid_from.unwrap_or(DEFAULT_VALID_FROM.to_utc()),
        sentinels: sentinels(at, &found.missing)?.unwrap_or_default(),
        stale_after: at.read("stale_after", &found.stale_after, value::some_time)?,
        time_gap: time_gap(at, found.time_gap.as_ref())?,
        columns,
    })
}

fn files(at: &Section<'_>, found: &TableSection, folder: &Path) -> Result<Vec<std::path::PathBuf>, ConfigError> {
    let mend = "write for example files = ['C:\\Campbellsci\\LoggerNet\\46m_PAR.dat']";
    let Some(files) = &found.files else { return Err(at.lacks(format!("files is missing; {mend}"))) };
    if files.get_ref().is_empty() {
        return Err(at.wrong(&files.span(), format!("files is empty; {mend}")));
    }
    let pattern = |text: &Spanned<String>| {
        let problem = |problem| at.wrong(&text.span(), format!("files: '{}' {problem}", text.get_ref().escape_debug()));
        value::pattern(folder, text.get_ref()).map_err(problem)
    };
    files.get_ref().iter().map(pattern).collect()
}

fn format(at: &Section<'_>, found: &TableSection) -> Result<FileFormat, ConfigError> {
    let formats = [("toa5", false), ("csv", true)];
    if at.read("format", &found.format, |text| one_of(text, &formats))?.unwrap_or(false) {
        return csv(at, found).map(FileFormat::Csv);
    }
    let strangers = [
        ("names", found.names.as_ref().map(Spanned::span)),
        ("time_column", found.time_column.as_ref().map(Spanned::span)),
        ("time_format", found.time_format.as_ref().map(Spanned::span)),
        ("record_column", found.record_column.as_ref().map(Spanned::span)),
    ];
    match strangers.into_iter().find_map(|(key, span)| Some((key, span?))) {
        Some((key, span)) => Err(at.wrong(
            &span,
            format!(
                "{key} belongs to format = \"csv\": a TOA5 file names its columns itself; take it out, or \
                 write format = \"csv\""
            ),
        )),
        None => Ok(FileFormat::Toa5),
    }
}

fn csv(at: &Section<'_>, found: &TableSection) -> Result<CsvFormat, ConfigError> {
    let Some(names) = &found.names else {
        return Err(at.lacks(
            "names is missing: the file has no header, so write every column, such as names = [\"Time\", \
             \"Plot\", \"Temp\"]",
        ));
    };
    if names.get_ref().is_empty() {
        let problem = "names is empty; write every column of the file, such as names = [\"Time\", \"Temp\"]";
        return Err(at.wrong(&names.span(), problem));
    }
    let mut columns: Vec<String> = Vec::new();
    for name in names.get_ref() {
        let text = value::plain_text(name.get_ref())
            .map_err(|problem| at.wrong(&name.span(), format!("names: \"{}\" {problem}", name.get_ref())))?;
        if columns.contains(&text) {
            return Err(
                at.wrong(&name.span(), format!("names: \"{text}\" stands twice; give every column its own name"))
            );
        }
        columns.push(text);
    }
    let known: Vec<&str> = columns.iter().map(String::as_str).collect();
    let named = |text: &str| match columns.iter().find(|name| *name == text) {
        Some(name) => Ok(name.clone()),
        None => Err(format!("is not in names; write {}", any_of(&known))),
    };
    let time_column = at.read("time_column", &found.time_column, named)?;
    let time_column = time_column.ok_or_else(|| {
        at.lacks("time_column is missing; write which of names is the time, such as time_column = \"Time\"")
    })?;
    let record_column = at.read("record_column", &found.record_column, named)?;
    if let (Some(record), Some(place)) = (&record_column, &found.record_column)
        && *record == time_column
    {
        return Err(at.wrong(
            &place.span(),
            format!("record_column = \"{record}\" is the time already; write another column, or take it out"),
        ));
    }
    let time_format = at.read("time_format", &found.time_format, value::time_format)?;
    Ok(CsvFormat { columns, time_column, time_format, record_column })
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

fn sentinels(at: &Section<'_>, found: &Numbers) -> Result<Option<Vec<f64>>, ConfigError> {
    match found {
        Some(numbers) if numbers.get_ref().iter().any(|number| !number.is_finite()) => Err(at.wrong(
            &numbers.span(),
            "missing holds nan or inf, which are always missing; write only numbers such as -9999",
        )),
        Some(numbers) => Ok(Some(numbers.get_ref().clone())),
        None => Ok(None),
    }
}

fn columns(
    source: &Source<'_>,
    table: &Section<'_>,
    found: &TableSection,
    format: &FileFormat,
    folder: &Path,
) -> Result<BTreeMap<String, ColumnConfig>, ConfigError> {
    let withhold = found.withhold.unwrap_or(false);
    let mut columns = BTreeMap::new();
    for (name, section) in &found.columns {
        let at = Section::new(source, format!("[table.columns.{}]", quoted(name)), Some(section.span().start));
        let keys: Vec<&str> = match format {
            FileFormat::Toa5 => TOA5_KEYS.to_vec(),
            FileFormat::Csv(csv) => {
                let is_derived = section.get_ref().formula.is_some();
                if is_derived == csv.columns.contains(name) && is_derived {
                    return Err(at.lacks("has a formula, and stands in names; give the derived column another name"));
                }
                if !is_derived && !csv.columns.contains(name) {
                    let known: Vec<&str> = csv.columns.iter().map(String::as_str).collect();
                    return Err(at.lacks(format!("is not in the names of its table; write {}", any_of(&known))));
                }
                [Some(csv.time_column.as_str()), csv.record_column.as_deref()].into_iter().flatten().collect()
            }
        };
        if keys.contains(&name.as_str()) {
            return Err(at.lacks("is the time or the record number, which is no value; take the section out"));
        }
        columns.insert(name.clone(), column(&at, name, section.get_ref(), (folder, withhold))?);
    }
    for (name, section) in &found.columns {
        inputs_are_raw(source, name, section, &columns, format)?;
    }
    if let (FileFormat::Csv(csv), Some(names)) = (format, &found.names) {
        let value = |name: &&String| **name != csv.time_column && Some(*name) != csv.record_column.as_ref();
        let is_field =
            |name: &String| columns.get(name).is_none_or(|column: &ColumnConfig| column.column_use == ColumnUse::Field);
        if !csv.columns.iter().filter(value).any(is_field) {
            return Err(table.wrong(
                &names.span(),
                "names holds no field beside time, record number, tags and ignored columns, so that there would be \
                 nothing to send; write every column of the file",
            ));
        }
    }
    Ok(columns)
}

/// A formula reads what the logger wrote: a chain of formulas would have to be put in order, and hides what a value rests on.
fn inputs_are_raw(
    source: &Source<'_>,
    name: &str,
    section: &Spanned<ColumnSection>,
    columns: &BTreeMap<String, ColumnConfig>,
    format: &FileFormat,
) -> Result<(), ConfigError> {
    let Some(formula) = columns.get(name).and_then(|column| column.formula.as_ref()) else { return Ok(()) };
    let at = Section::new(source, format!("[table.columns.{}]", quoted(name)), Some(section.span().start));
    let span = section.get_ref().formula.as_ref().map_or(0..0, Spanned::span);
    for input in formula.inputs() {
        if columns.get(input).is_some_and(|column| column.formula.is_some()) {
            let problem = format!("formula reads {input}, which is derived itself; write it in columns of the file");
            return Err(at.wrong(&span, problem));
        }
        if let FileFormat::Csv(csv) = format
            && !csv.columns.contains(input)
        {
            let known: Vec<&str> = csv.columns.iter().map(String::as_str).collect();
            return Err(
                at.wrong(&span, format!("formula reads {input}, which is not in names; write {}", any_of(&known)))
            );
        }
    }
    Ok(())
}

fn column(
    at: &Section<'_>,
    name: &str,
    found: &ColumnSection,
    (folder, withhold): (&Path, bool),
) -> Result<ColumnConfig, ConfigError> {
    let uses = [("field", ColumnUse::Field), ("tag", ColumnUse::Tag), ("ignore", ColumnUse::Ignore)];
    let column_use = at.read("use", &found.column_use, |text| one_of(text, &uses))?.unwrap_or_default();
    let field = at.read("field", &found.field, value::key)?;
    if field.is_none() && column_use != ColumnUse::Ignore {
        value::key(name).map_err(|problem| at.lacks(format!("{problem}, with field = \"...\"")))?;
    }
    if column_use == ColumnUse::Tag {
        let strangers = [
            ("variable", found.variable.as_ref().map(Spanned::span)),
            ("suspect", found.suspect.as_ref().map(Spanned::span)),
            ("fail", found.fail.as_ref().map(Spanned::span)),
            ("missing", found.missing.as_ref().map(Spanned::span)),
            ("formula", found.formula.as_ref().map(Spanned::span)),
            ("withhold", found.withhold.as_ref().map(Spanned::span)),
            ("spike", found.spike.as_ref().map(Spanned::span)),
            ("rate_of_change", found.rate_of_change.as_ref().map(Spanned::span)),
            ("flat_line", found.flat_line.as_ref().map(Spanned::span)),
            ("attenuated_signal", found.attenuated_signal.as_ref().map(Spanned::span)),
            ("climatology", found.climatology.as_ref().map(Spanned::span)),
            ("diagnostic", found.diagnostic.as_ref().map(Spanned::span)),
        ];
        if let Some((key, span)) = strangers.into_iter().find_map(|(key, span)| Some((key, span?))) {
            return Err(at.wrong(
                &span,
                format!("{key} does not fit use = \"tag\": a tag is text and has no flag; take it out, or the use"),
            ));
        }
    }
    Ok(ColumnConfig {
        column_use,
        field,
        variable: at.read("variable", &found.variable, variable_name)?,
        range: range(at, found)?,
        sentinels: sentinels(at, &found.missing)?,
        unit: unit(at, found)?,
        formula: at.read("formula", &found.formula, Formula::parse)?,
        withhold: found.withhold.as_ref().map_or(withhold, |found| *found.get_ref()),
        quality: column_quality(at, found, folder)?,
    })
}

/// The header says the unit of what the logger wrote; only a derived column has none.
fn unit(at: &Section<'_>, found: &ColumnSection) -> Result<Option<String>, ConfigError> {
    match (&found.unit, &found.formula) {
        (Some(unit), None) => Err(at.wrong(
            &unit.span(),
            "unit belongs to a derived column, beside formula; take it out: the unit of a measured column stands in the \
             file's header",
        )),
        _ => at.read("unit", &found.unit, value::plain_text),
    }
}

fn variable_name(text: &str) -> Result<String, String> {
    if qc::lookup(text).is_some() {
        return Ok(text.to_owned());
    }
    let near = qc::near(text);
    let mend = if near.is_empty() {
        "for example \"TA\", \"RH\", \"SW_IN\" or \"TA_1_2_1\"".to_owned()
    } else {
        any_of(&near)
    };
    Err(format!("is not an AmeriFlux variable; write {mend}, or give the limits with suspect and fail"))
}

/// What is given stands; what is not comes from the variable, and is fitted to what is given: a narrower `fail` narrows
/// `suspect`, because a value that fails is never only suspect.
fn range(at: &Section<'_>, found: &ColumnSection) -> Result<Option<Range>, ConfigError> {
    let known = found.variable.as_ref().and_then(|name| qc::lookup(name.get_ref())).map(qc::Variable::range);
    let suspect = bounds(at, "suspect", &found.suspect)?;
    let fail = bounds(at, "fail", &found.fail)?;
    let range = match (suspect, fail, known) {
        (None, None, known) => return Ok(known),
        (Some(suspect), Some(fail), _) => Range { suspect, fail },
        (Some(suspect), None, Some(known)) => Range { suspect, fail: known.fail },
        (Some(suspect), None, None) => Range { suspect, fail: (f64::NEG_INFINITY, f64::INFINITY) },
        (None, Some(fail), Some(known)) => Range { suspect: overlap(known.suspect, fail), fail },
        (None, Some(fail), None) => Range { suspect: fail, fail },
    };
    let inside = range.fail.0 <= range.suspect.0 && range.suspect.1 <= range.fail.1;
    match (&found.suspect, &found.fail) {
        (Some(place), _) if !inside => Err(at.wrong(
            &place.span(),
            format!(
                "suspect = {} does not lie inside fail = {}; narrow suspect, or write a wider fail",
                shown(range.suspect),
                shown(range.fail)
            ),
        )),
        (None, Some(place)) if range.suspect.0 > range.suspect.1 => Err(at.wrong(
            &place.span(),
            format!(
                "fail = {} leaves nothing of the range of {}; write suspect too, or another variable",
                shown(range.fail),
                found.variable.as_ref().map_or("", |name| name.get_ref())
            ),
        )),
        _ => Ok(Some(range)),
    }
}

fn overlap(one: (f64, f64), other: (f64, f64)) -> (f64, f64) {
    (one.0.max(other.0), one.1.min(other.1))
}

pub(super) fn shown((low, high): (f64, f64)) -> String {
    format!("[{low}, {high}]")
}

pub(super) fn bounds(at: &Section<'_>, key: &str, found: &Numbers) -> Result<Option<(f64, f64)>, ConfigError> {
    let Some(found) = found else { return Ok(None) };
    let name = key.rsplit(": ").next().unwrap_or(key);
    match found.get_ref()[..] {
        [low, high] if low <= high => Ok(Some((low, high))),
        [low, high] if low > high => Err(
            at.wrong(&found.span(), format!("{key} = [{low}, {high}] is upside down; write {name} = [{high}, {low}]"))
        ),
        _ => Err(at.wrong(
            &found.span(),
            format!(
                "{key} takes two numbers, the lower and the upper bound; write for example {name} = [-40, 45], \
                 with -inf or inf for no bound"
            ),
        )),
    }
}

/// Within a row each name may stand once: a second field overwrites the first, and a field named as a tag is refused by
/// InfluxDB 3. For TOA5 only the configured columns are known here.
fn names_are_unique(
    at: &Section<'_>,
    found: &TableSection,
    format: &FileFormat,
    columns: &BTreeMap<String, ColumnConfig>,
    tags: &BTreeMap<String, String>,
) -> Result<(), ConfigError> {
    let mut seen: BTreeMap<&str, String> = tags.keys().map(|key| (key.as_str(), format!("the tag {key}"))).collect();
    let unconfigured = match format {
        FileFormat::Toa5 => Vec::new(),
        FileFormat::Csv(csv) => csv
            .columns
            .iter()
            .filter(|name| {
                **name != csv.time_column && Some(*name) != csv.record_column.as_ref() && !columns.contains_key(*name)
            })
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
