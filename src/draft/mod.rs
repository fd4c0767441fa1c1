//! Drafts a first configuration from existing files.
//!
//! Typing twenty tables by hand is error-prone, and LoggerNet's headers contain most of a configuration: station,
//! table, columns, units. This module reads the beginning of each file and writes TOML, which the user then corrects.
//! It guarantees that the text loads and that, without any correction, every row is staged and no value is flagged
//! because of a guess. So anything that a header does not determine is a comment with its reason: a suggestion is a key
//! only if the column's name and its unit agree and no value contradicts them. The limits of tests are derived from the
//! rows that are examined.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::config::{Config, ConfigError, TableConfig};
use crate::sun::Position;
use crate::time::StationClock;

mod column;
mod csv;
mod early;
mod error;
mod find;
mod guards;
mod guess;
mod instruments;
mod marks;
mod name_parts;
mod pairs;
mod pattern;
mod place;
mod quality;
mod sample;
mod table;
mod text;
mod write;

pub use error::DraftError;
pub use write::{create, replace};

/// The user's request.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// Files, and folders to search.
    pub paths: &'a [PathBuf],
    /// The path of the configuration; relative paths are relative to its folder.
    pub config: &'a Path,
    /// A folder with months of files of the same logger tables. No table reads them, but their rows are used for the
    /// limits of tests.
    pub archive: Option<&'a Path>,
}

/// The station of a new configuration, as the user gave it.
#[derive(Debug, Clone)]
pub struct StationSaid {
    /// The name; None takes it from line 1 of the files.
    pub name: Option<String>,
    /// The offset from UTC, `±hh:mm`.
    pub utc_offset: String,
    /// Whether the user gave the offset; otherwise it is a guess, and the text asks the user to check it.
    pub offset_is_given: bool,
    /// The position; without it, tests that need the sun are comments.
    pub position: Option<Position>,
}

/// A configuration with a summary of its content.
#[derive(Debug)]
pub struct Draft {
    /// The text of the whole file.
    pub text: String,
    /// The station's name in the text.
    pub station: String,
    /// The new tables.
    pub tables: Vec<TableSummary>,
    /// Files that no new table reads.
    pub left_out: Vec<LeftOut>,
}

/// One new table.
#[derive(Debug, Serialize)]
pub struct TableSummary {
    /// Its name.
    pub table: String,
    /// The value of its key `files`.
    pub files: Vec<String>,
    /// The number of value columns in all its files together.
    pub columns: usize,
    /// The number of rows that share each time stamp; None if each row has its own.
    pub samples_per_stamp: Option<u64>,
    /// The AmeriFlux variables found for its columns.
    pub variables: Vec<VariableSummary>,
    /// The first rows of a text table of another program, as they were parsed; empty for a logger's own formats.
    pub first_rows: Vec<String>,
}

/// An AmeriFlux variable found for a column.
#[derive(Debug, Serialize)]
pub struct VariableSummary {
    /// The column's name in the file.
    pub column: String,
    /// The variable, as the configuration has it.
    pub variable: String,
    /// Whether it is a key; otherwise it is a comment with the reason.
    pub active: bool,
}

/// A file that no new table reads.
#[derive(Debug, Serialize)]
pub struct LeftOut {
    /// The path as it was found.
    pub file: String,
    /// The rest of a sentence that begins with the file's name.
    pub reason: String,
    /// Whether the user named this file, and so expects it to be used.
    #[serde(skip)]
    pub named: bool,
}

/// Drafts a new configuration for the files of `request`.
///
/// # Errors
/// [`DraftError`]: a path does not exist, no file is a logger's table, or the station's name or offset is not valid.
pub fn new_config(request: &Request<'_>, station: &StationSaid) -> Result<Draft, DraftError> {
    let (samples, mut left_out) = read(request, None)?;
    if samples.is_empty() {
        return Err(DraftError::Nothing { left_out: listed(&left_out) });
    }
    let folder = folder_of(request.config);
    let (name, others) = text::station_name(station.name.as_deref(), &samples);
    let known =
        table::Known { position: station.position, utc_offset: station.utc_offset.clone(), archive: archive(request)? };
    let tables = table::tables(samples, &folder, &[], &known);
    let mut text = text::head(request.config, &name, &others, station);
    let (tables, refused) = loading(tables, &text, request.config);
    left_out.extend(refused);
    if tables.is_empty() {
        return Err(DraftError::Nothing { left_out: listed(&left_out) });
    }
    text.push_str(&text_of(&tables));
    Config::parse(&text, request.config).map_err(|source| DraftError::Unsound { source })?;
    Ok(Draft { text, station: name, tables: summaries(&tables), left_out })
}

/// Adds tables for those files of `request` that no table of the configuration `existing` reads. The new text begins
/// with `existing`, byte for byte.
///
/// # Errors
/// As for [`new_config`]; [`DraftError::Config`] if the existing configuration does not load, [`DraftError::Unsound`]
/// if it would not load with the new tables.
pub fn addition(request: &Request<'_>, existing: &str) -> Result<Draft, DraftError> {
    let config = Config::parse(existing, request.config)?;
    let (samples, mut left_out) = read(request, Some(&config))?;
    if samples.is_empty() && left_out.is_empty() {
        return Err(DraftError::Nothing { left_out: String::new() });
    }
    let taken: Vec<&str> = config.tables.iter().map(|table| table.name.0.as_str()).collect();
    let utc_offset = match config.station.clock {
        StationClock::Fixed(offset) => offset.to_string(),
        _ => String::new(),
    };
    let known = table::Known { position: config.station.position, utc_offset, archive: archive(request)? };
    let tables = table::tables(samples, &folder_of(request.config), &taken, &known);
    let (tables, refused) = loading(tables, existing, request.config);
    left_out.extend(refused);
    let added = text_of(&tables);
    // The line ends of the existing file are used.
    let (line_end, added) =
        if existing.contains("\r\n") { ("\r\n", added.replace('\n', "\r\n")) } else { ("\n", added) };
    let mut text = existing.to_owned();
    if !added.is_empty() {
        if !text.ends_with('\n') {
            text.push_str(line_end);
        }
        text.push_str(&added);
    }
    let now = Config::parse(&text, request.config).map_err(|source| DraftError::Unsound { source })?;
    let before = now.tables.get(..config.tables.len());
    if format!("{before:?}") != format!("{:?}", Some(config.tables.as_slice())) {
        return Err(DraftError::WouldChange { path: request.config.to_owned() });
    }
    Ok(Draft { text, station: config.station.name, tables: summaries(&tables), left_out })
}

/// The text of the tables, followed by the pairs.
fn text_of(tables: &[table::Table]) -> String {
    let texts: String = tables.iter().map(text::table).collect();
    texts + &text::pairs(&pairs::of(tables))
}

/// The tables whose text loads after `before`, and the files of the others with the reason. The tables of the other files are
/// still written, and no message is about a line of a configuration that does not exist.
fn loading(tables: Vec<table::Table>, before: &str, config: &Path) -> (Vec<table::Table>, Vec<LeftOut>) {
    if Config::parse(&format!("{before}\n{}", text_of(&tables)), config).is_ok() {
        return (tables, Vec::new());
    }
    let lines = before.lines().count();
    let mut left_out = Vec::new();
    let kept = tables.into_iter().filter(|table| {
        let Err(error) = Config::parse(&format!("{before}\n{}", text::table(table)), config) else { return true };
        // If no table can follow, or a value of the station is wrong, the table is not the cause.
        let is_of_table = matches!(error, ConfigError::Invalid { .. }) && error.line().is_some_and(|line| line > lines);
        if is_of_table {
            let reason = format!("cannot be described: {}; write its [[table]] by hand", error.problem());
            left_out.push(LeftOut { file: table.files.join(", "), reason, named: true });
        }
        !is_of_table
    });
    (kept.collect(), left_out)
}

/// The files of the archive. Files that are not a logger's table are ignored, because an archive may contain any files.
fn archive(request: &Request<'_>) -> Result<Vec<sample::Sample>, DraftError> {
    let Some(folder) = request.archive else { return Ok(Vec::new()) };
    let (found, _) = find::files(&[folder.to_owned()])?;
    let count = found.len();
    Ok(found.iter().filter_map(|file| sample::read_archive(&find::whole(&file.path), count).ok()).flatten().collect())
}

/// The samples of all files that no table of `config` reads; and the other files with the reason.
fn read(request: &Request<'_>, config: Option<&Config>) -> Result<(Vec<sample::Sample>, Vec<LeftOut>), DraftError> {
    let mut covered: HashMap<PathBuf, &str> = HashMap::new();
    let mut known = Vec::new();
    let mut finder = crate::source::Finder::default();
    for table in config.iter().flat_map(|config| &config.tables) {
        let files = finder.find(table).map_err(DraftError::Pattern)?;
        let files: Vec<PathBuf> = files.iter().map(|file| find::whole(file)).collect();
        known.push(KnownTable::of(table, files.clone()));
        for file in files {
            covered.entry(file).or_insert(table.name.0.as_str());
        }
    }
    let (found, mut left_out) = find::files(request.paths)?;
    let mut samples = Vec::new();
    let count = found.len();
    for file in found {
        let whole = find::whole(&file.path);
        let read = match covered.get(&whole) {
            // A file that is already read needs no message.
            Some(table) => {
                let reason = format!("is read by the table \"{table}\" already");
                left_out.push(LeftOut { file: file.path.display().to_string(), reason, named: false });
                continue;
            }
            None => sample::read(&whole, count),
        };
        match read {
            Ok(of_file) => match known.iter_mut().find(|known| of_file.iter().any(|one| known.has_other_day(one))) {
                Some(known) => known.others.push((whole, file)),
                None => samples.extend(of_file),
            },
            Err(reason) => {
                left_out.push(LeftOut { file: file.path.display().to_string(), reason, named: file.named });
            }
        }
    }
    left_out.extend(known.into_iter().flat_map(|known| known.left_out(&folder_of(request.config))));
    Ok((samples, left_out))
}

/// A table of the configuration, to recognise further files of it that its `files` does not match.
struct KnownTable<'c> {
    config: &'c TableConfig,
    /// The letters of the names in its `files`; a class of digits has none.
    letters: Vec<String>,
    files: Vec<PathBuf>,
    /// A sample of one of its files.
    sample: Option<sample::Sample>,
    /// Files of the table that its `files` does not match: the absolute path, and the path as it was found.
    others: Vec<(PathBuf, find::Found)>,
}

impl KnownTable<'_> {
    fn of(config: &TableConfig, files: Vec<PathBuf>) -> KnownTable<'_> {
        let names = config.files.iter().filter_map(|pattern| pattern.file_name());
        let letters = names.map(|name| crate::source::letters(&name.to_string_lossy())).collect();
        let sample = files.last().and_then(|file| sample::read(file, 1).ok()?.into_iter().next());
        KnownTable { config, letters, files, sample, others: Vec::new() }
    }

    /// Whether the other file's name differs only in date and number parts, and its header is of the same logger table.
    fn has_other_day(&self, other: &sample::Sample) -> bool {
        let name = other.path.file_name().unwrap_or_default().to_string_lossy();
        let is_dated = name.bytes().any(|byte| byte.is_ascii_digit());
        let is_named_so = self.letters.contains(&crate::source::letters(&name));
        let is_alike = match &self.sample {
            Some(sample) => table::is_of_one_table(sample, other),
            None => self.config.logger_table.as_ref().is_none_or(|name| *name == other.header.table),
        };
        is_dated && is_named_so && is_alike
    }

    fn left_out(mut self, folder: &Path) -> Vec<LeftOut> {
        self.files.extend(self.others.iter().map(|(whole, _)| whole.clone()));
        let (patterns, is_pattern) = pattern::files(&self.files, folder);
        let table = &self.config.name;
        let of = |found: find::Found| {
            let add = if is_pattern { format!("\"{}\"", patterns.join("\", \"")) } else { "its name".to_owned() };
            let reason =
                format!("is another file of the table \"{table}\", whose `files` does not match it; add {add} there");
            LeftOut { file: found.path.display().to_string(), reason: reason.replace('\\', "/"), named: found.named }
        };
        self.others.into_iter().map(|(_, found)| of(found)).collect()
    }
}

fn folder_of(config: &Path) -> PathBuf {
    find::whole(config).parent().map(Path::to_owned).unwrap_or_default()
}

fn summaries(tables: &[table::Table]) -> Vec<TableSummary> {
    tables.iter().map(table::Table::summary).collect()
}

fn listed(left_out: &[LeftOut]) -> String {
    left_out.iter().map(|left| format!("\n  {} {}", left.file, left.reason)).collect()
}
