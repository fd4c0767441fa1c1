//! Turns the file that a user wrote into the configuration that the program runs on.
//!
//! Every check is made here, in [`super::destination_load`], in [`super::table_load`] and, for single values, in
//! [`super::value`].

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use toml::Spanned;

use super::clock_load::ClockOf;
use super::destination_load::destination;
use super::file::{File, LogSection, StationSection, StoreSection, SyncSection, Text, WatchSection};
use super::keys::Key;
use super::notify_load::notify;
use super::place::{Section, Source};
use super::quality_file::{Number, QcSection};
use super::{Config, ConfigError, LogConfig, LogFormat, Station, SyncConfig, WatchConfig};
use super::{keys, pair, panel, table_load, value, variables};
use crate::sun::Position;
use crate::text::{any_of, look_alikes};
use crate::time::{LoggerClock, StationClock};

/// The shortest `keep`: rows are verified and deleted by whole days.
const LEAST_KEEP: Duration = Duration::from_secs(86_400);

impl Config {
    /// Reads and checks the file at `path`. Relative paths in it are joined to its folder.
    ///
    /// # Errors
    /// [`ConfigError`] with file, line, key, what is wrong and what to write. The first mistake is reported.
    pub fn load(path: &Path) -> Result<Config, ConfigError> {
        Config::parse(&Config::read(path)?, path)
    }

    /// Reads the text of a configuration without parsing it.
    ///
    /// # Errors
    /// [`ConfigError::Missing`], [`ConfigError::Unreadable`], [`ConfigError::NotUtf8`].
    pub fn read(path: &Path) -> Result<String, ConfigError> {
        let bytes = fs::read(path).map_err(|source| match source.kind() {
            std::io::ErrorKind::NotFound => ConfigError::Missing { path: path.to_owned() },
            _ => ConfigError::Unreadable { path: path.to_owned(), source },
        })?;
        String::from_utf8(bytes).map_err(|_| ConfigError::NotUtf8 { path: path.to_owned() })
    }

    /// A fingerprint of a text, which identifies the configuration.
    pub fn fingerprint_of(text: &str) -> u64 {
        xxhash_rust::xxh3::xxh3_64(text.as_bytes())
    }

    /// Like [`Config::load`], for a text that was already read. `path` names it in messages and determines the folder.
    ///
    /// # Errors
    /// As for [`Config::load`].
    pub fn parse(text: &str, path: &Path) -> Result<Config, ConfigError> {
        let fingerprint = Config::fingerprint_of(text);
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let source = Source { path, text };
        let mut file = File::parse(&source)?;
        variables::fill(&source, &mut file)?;
        let folder = folder_of(path);
        let station = station(&source, file.station.as_ref())?;
        let tables = table_load::tables(&source, &file.table, &station, &folder)?;
        Ok(Config {
            pairs: pair::pairs(&source, &file.pair, &tables)?,
            panels: panel::panels(&source, &file.panel, &tables)?,
            wait: wait(&source, file.qc.as_ref())?,
            path: path.to_owned(),
            fingerprint,
            store_path: store_path(&source, file.store.as_ref(), &folder)?,
            store_keep: store_keep(&source, file.store.as_ref())?,
            destination: destination(&source, &file, &tables, &folder)?,
            sync: sync(&source, file.sync.as_ref())?,
            notify: notify(&source, file.notify.as_ref(), &folder)?,
            watch: watch(&source, file.watch.as_ref()),
            log: log(&source, file.log.as_ref(), &folder)?,
            tables,
            station,
        })
    }
}

/// An absolute path, so that a file has the same name in the store from whichever folder the program is started.
fn folder_of(path: &Path) -> PathBuf {
    let whole = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    whole.parent().map(Path::to_owned).unwrap_or_default()
}

pub(super) fn section<'a, T>(source: &'a Source<'a>, name: &str, found: Option<&Spanned<T>>) -> Section<'a> {
    Section::new(source, name, found.map(|found| found.span().start))
}

fn station(source: &Source<'_>, found: Option<&Spanned<StationSection>>) -> Result<Station, ConfigError> {
    let at = section(source, "[station]", found);
    let Some(found) = found.map(Spanned::get_ref) else {
        return Err(at.lacks("is missing; write it with name = \"US-UMB\" and utc_offset = \"-05:00\""));
    };
    let name = at.read(StationSection::name, &found.name, value::plain_text)?;
    let name = name.ok_or_else(|| at.lacks("name is missing; write for example name = \"US-UMB\""))?;
    let clock = clock(&at, &found.utc_offset, &found.timezone)?.ok_or_else(|| {
        at.lacks(
            "utc_offset is missing; write for example utc_offset = \"-05:00\" (or timezone = \
             \"America/Detroit\" if the loggers change to summer time)",
        )
    })?;
    let of = ClockOf { source, name: "[station]" };
    let stamps = LoggerClock::new(clock, of.changes(&found.offset)?, of.corrections(&found.clock)?);
    Ok(Station { name, clock: stamps.present(), stamps, position: position(&at, found)? })
}

/// Reads the position: both coordinates, or none.
fn position(at: &Section<'_>, found: &StationSection) -> Result<Option<Position>, ConfigError> {
    let degrees = |key: &Key, found: &Number, most: f64| match found {
        Some(found) if found.get_ref().abs() <= most => Ok(Some(*found.get_ref())),
        Some(found) => {
            let problem = format!("{key} = {} is no {key}; write degrees from -{most} to {most}", found.get_ref());
            Err(at.wrong(&found.span(), problem))
        }
        None => Ok(None),
    };
    let latitude = degrees(&StationSection::latitude, &found.latitude, 90.0)?;
    let longitude = degrees(&StationSection::longitude, &found.longitude, 180.0)?;
    match (latitude, longitude) {
        (Some(latitude), Some(longitude)) => Ok(Some(Position { latitude, longitude })),
        (None, None) => Ok(None),
        (Some(_), None) => {
            Err(at.lacks("longitude is missing beside latitude; write for example longitude = -84.7138"))
        }
        (None, Some(_)) => Err(at.lacks("latitude is missing beside longitude; write for example latitude = 45.5598")),
    }
}

/// Reads the clock of a station or a table: one of the two keys, or neither.
pub(super) fn clock(at: &Section<'_>, offset: &Text, zone: &Text) -> Result<Option<StationClock>, ConfigError> {
    if let (Some(_), Some(zone)) = (offset, zone) {
        return Err(at.wrong(
            &zone.span(),
            "timezone stands beside utc_offset; keep one of them: utc_offset for loggers that stay on \
             standard time, timezone for loggers that change to summer time",
        ));
    }
    let offset = at.read(StationSection::utc_offset, offset, value::utc_offset)?;
    Ok(offset.or(at.read(StationSection::timezone, zone, value::timezone)?))
}

/// How long a row is delayed for the rows that its tests need.
fn wait(source: &Source<'_>, found: Option<&Spanned<QcSection>>) -> Result<Duration, ConfigError> {
    let at = section(source, "[qc]", found);
    let absent = QcSection::default();
    let found = found.map_or(&absent, Spanned::get_ref);
    at.read_or_default(&keys::QC_WAIT, &found.wait, value::duration)
}

fn store_path(
    source: &Source<'_>,
    found: Option<&Spanned<StoreSection>>,
    folder: &Path,
) -> Result<PathBuf, ConfigError> {
    let at = section(source, "[store]", found);
    let absent = StoreSection::default();
    let found = found.map_or(&absent, Spanned::get_ref);
    let path = at.read_or_default(&StoreSection::path, &found.path, value::path_text)?;
    Ok(value::join(folder, &path))
}

fn store_keep(source: &Source<'_>, found: Option<&Spanned<StoreSection>>) -> Result<Option<Duration>, ConfigError> {
    let at = section(source, "[store]", found);
    let Some(found) = found else { return Ok(None) };
    at.read(StoreSection::keep, &found.get_ref().keep, |text| match value::duration(text)? {
        keep if keep < LEAST_KEEP => Err("is less than a day; write for example \"400d\"".to_owned()),
        keep => Ok(keep),
    })
}

fn watch(source: &Source<'_>, found: Option<&Spanned<WatchSection>>) -> WatchConfig {
    let at = section(source, "[watch]", found);
    let absent = WatchSection::default();
    let found = found.map_or(&absent, Spanned::get_ref);
    WatchConfig { file_events: at.is_set(&WatchSection::file_events, &found.file_events) }
}

fn log(source: &Source<'_>, found: Option<&Spanned<LogSection>>, folder: &Path) -> Result<LogConfig, ConfigError> {
    let at = section(source, "[log]", found);
    let absent = LogSection::default();
    let found = found.map_or(&absent, Spanned::get_ref);
    let file = at.read(LogSection::file, &found.file, value::path_text)?;
    let why = "a smaller file would hold no more than one run";
    let max_bytes = at.whole_or_default(&LogSection::max_bytes, &found.max_bytes, why)?;
    let formats = [("text", LogFormat::Text), ("json", LogFormat::Json)];
    let why = "each full file is kept as NAME.1, NAME.2 and so on";
    Ok(LogConfig {
        file: file.map(|file| value::join(folder, &file)),
        max_bytes,
        keep: at.whole_or_default(&LogSection::keep, &found.keep, why)?,
        format: at.read_or_default(&LogSection::format, &found.format, |text| one_of(text, &formats))?,
    })
}

fn sync(source: &Source<'_>, found: Option<&Spanned<SyncSection>>) -> Result<SyncConfig, ConfigError> {
    let at = section(source, "[sync]", found);
    let absent = SyncSection::default();
    let found = found.map_or(&absent, Spanned::get_ref);
    use SyncSection as Keys;
    let why = "InfluxDB takes batches of 5000 lines and about 1 MB best, and a larger one costs more when \
     it must be sent again";
    let batch_rows = at.whole_or_default(&Keys::batch_rows, &found.batch_rows, why)?;
    let batch_bytes = at.whole_or_default(&Keys::batch_bytes, &found.batch_bytes, why)?;
    let why = "each keeps a batch in memory, and a server that is busy gets no faster by more of them";
    let requests = at.whole_or_default(&Keys::requests, &found.requests, why)?;
    let why = "a smaller budget would not hold one row; leave the key out for no limit";
    let budget_bytes = at.whole(&Keys::budget_bytes, &found.budget_bytes, why)?;
    let deadline = at.read(Keys::deadline, &found.deadline, value::some_time)?;
    Ok(SyncConfig {
        batch_rows,
        batch_bytes,
        requests,
        budget_bytes,
        deadline: deadline.unwrap_or(SyncConfig::DEFAULT_DEADLINE),
        deadline_is_set: deadline.is_some(),
        health: at.is_set(&Keys::health, &found.health),
        heartbeat_url: at.read_quietly(Keys::heartbeat_url, &found.heartbeat_url, value::web_url)?,
    })
}

/// Matches `text` with one of a few texts; the error says what is wrong with it.
pub(super) fn one_of<T: Copy>(text: &str, choices: &[(&str, T)]) -> Result<T, String> {
    if let Some((_, meaning)) = choices.iter().find(|(choice, _)| *choice == text) {
        return Ok(*meaning);
    }
    let known: Vec<&str> = choices.iter().map(|(choice, _)| *choice).collect();
    let alike = look_alikes(text, known.iter().copied());
    Err(format!("is not known; write {}", any_of(if alike.is_empty() { &known } else { &alike })))
}
