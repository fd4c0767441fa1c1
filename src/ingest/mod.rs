//! Reads files into the store: the left half of the data flow, table by table and file by file, in one pass.
//!
//! A bad file never stops the others, and nothing here waits for a network (I9). Small files share one transaction, so
//! that ten tables cost one sync to disk. A large file is committed in pieces, each with the position where reading can
//! resume.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::config::{Config, FileFormat, TableConfig};
use crate::source::{self, SourceError, TableFiles};
use crate::store::{Staging, Store, StoreError};
use crate::text::count;
use crate::time::Clock;

mod after;
mod again;
mod clock;
mod counts;
mod decide;
mod deferred;
mod double_hour;
mod file;
mod foresee;
mod glued;
mod heads;
mod in_force;
mod joined;
mod kept;
mod lines;
mod long;
mod made;
mod names;
mod passes;
mod put_back;
mod report;
mod retag;
mod rows;
mod samples;
mod steps_back;
mod years;

use in_force::InForce;

pub use after::{ClosedFiles, PutAway, Receipts, Stays, put_away, receipts};
pub use clock::{Moved, rekey};
pub use counts::{EndedEntry, ended_entries};
pub use decide::{Decided, Decider};
pub use foresee::would_rekey;
pub use in_force::{UnconfirmedOffset, unconfirmed_offsets};
pub use made::{MadeRows, make_now};
pub use report::{Counts, FileReport, IngestReport, TableReport};

/// What to read.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    /// Only this table.
    pub table: Option<String>,
    /// Only these files instead of the configured ones; they are read whole, even if they were read before.
    pub files: Vec<PathBuf>,
}

/// Receives the progress of a large ingest.
pub trait Progress {
    /// A file begins.
    fn file(&self, path: &Path, bytes: u64);
    /// So many more bytes of the file are done.
    fn advance(&self, bytes: u64);
    /// Rows of a table are moved to another time, in this number of steps.
    fn moving(&self, _table: &str, _steps: u64) {}
    /// So many more of these steps are done.
    fn moved(&self, _steps: u64) {}
}

/// Discards the progress.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unseen;

impl Progress for Unseen {
    fn file(&self, _path: &Path, _bytes: u64) {}
    fn advance(&self, _bytes: u64) {}
}

/// Why an ingest stopped.
#[derive(Debug, Error)]
pub enum IngestError {
    /// The store cannot be written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A file pattern is not valid.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// `--table` names no table.
    #[error("no [[table]] is named \"{name}\"; {hint}")]
    UnknownTable {
        /// The name as typed.
        name: String,
        /// A similar name, or all names.
        hint: String,
    },
    /// A named file does not exist.
    #[error("{path} is not a file; check the spelling")]
    NoFile {
        /// The path as typed.
        path: PathBuf,
    },
    /// The name in line 1 of a named file differs from the logger table's name, and no pattern matches the file.
    #[error(
        "{path} names the logger table \"{named}\" in line 1, and table \"{table}\" holds \"{known}\"; if it is a part of it, name the table with --table {table}"
    )]
    OtherTable {
        /// The file.
        path: PathBuf,
        /// The name in line 1.
        named: String,
        /// The only configured table.
        table: String,
        /// The name in the files read so far.
        known: String,
    },
    /// A named file may belong to several tables.
    #[error("cannot determine the table of {path}; name it with --table NAME")]
    WhichTable {
        /// The file.
        path: PathBuf,
    },
}

impl IngestError {
    /// Whether another attempt would fail too.
    pub fn is_permanent(&self) -> bool {
        match self {
            IngestError::Store(error) => error.is_permanent(),
            _ => true,
        }
    }
}

/// Reads the selected files into the store. The caller holds the ingest lock.
pub fn run(
    config: &Config,
    store: &Store,
    clock: &dyn Clock,
    selection: &Selection,
    progress: &dyn Progress,
) -> Result<IngestReport, IngestError> {
    let in_force = InForce::new(config, store)?;
    let (config, unconfirmed) = (&*in_force.config, &*in_force.unconfirmed);
    let work = plan(config, store, selection)?;
    let by_hand = !selection.files.is_empty();
    let mut report = Ingest { config, unconfirmed, store, clock, progress, by_hand, all_files: !by_hand }.read(work)?;
    if !by_hand {
        for closed in put_away(config, store, clock, selection.table.as_deref(), false)? {
            report.closed(closed);
        }
    }
    Ok(report)
}

/// Like [`run`], but only for these configured files.
pub fn run_files(
    files: Vec<TableFiles<'_>>,
    config: &Config,
    store: &Store,
    clock: &dyn Clock,
    progress: &dyn Progress,
) -> Result<IngestReport, IngestError> {
    let in_force = InForce::new(config, store)?;
    let (config, unconfirmed) = (&*in_force.config, &*in_force.unconfirmed);
    let of_config = |(table, files): TableFiles<'_>| Some((config.table(&table.name.0)?, files));
    let files = files.into_iter().filter_map(of_config).collect();
    Ingest { config, unconfirmed, store, clock, progress, by_hand: false, all_files: false }.read(files)
}

/// The context of one ingest.
struct Ingest<'a> {
    config: &'a Config,
    unconfirmed: &'a [UnconfirmedOffset],
    store: &'a Store,
    clock: &'a dyn Clock,
    progress: &'a dyn Progress,
    /// Whether the user named the files.
    by_hand: bool,
    /// Whether every file of each table is read.
    all_files: bool,
}

impl Ingest<'_> {
    fn read(&self, work: Vec<TableFiles<'_>>) -> Result<IngestReport, IngestError> {
        // A `flag` command that was killed may have left rows that are not judged.
        self.store.judge_flagged(self.config)?;
        let mut staging = Staging::new(self.store, self.config)?;
        let mut report = IngestReport::default();
        let mut tried = Vec::new();
        // This comes before any file is read, because decisions are committed.
        let mut newer = HashMap::new();
        for (table_config, _) in work.iter().filter(|_| self.all_files) {
            let by = (self.store, self.clock);
            let rows = decide::follow_on_conflict(self.config, &mut staging, by, table_config)?;
            if rows > 0 {
                newer.insert(table_config.name.0.clone(), rows);
            }
        }
        let by_name = of_one_file(&work);
        let nothing = HashMap::new();
        for (table_config, mut files) in work {
            let moved = clock::Mover::new(self.store, &mut staging, table_config, self.clock, self.progress)
                .apply(clock::Consent::Corrections)?;
            let mut table_report = TableReport::new(&table_config.name.0);
            if let Some(newer) = newer.get(&table_config.name.0) {
                table_report.note(&format!(
                    "on_conflict is \"replace\" now: {} got the content that came later, see `fluxtower decisions`",
                    count(*newer, "row")
                ));
            }
            for unconfirmed in self.unconfirmed.iter().filter(|of| of.table == table_config.name.0) {
                table_report.note(&format!("{}; {}", unconfirmed.message(), UnconfirmedOffset::fix()));
            }
            let mut table = self.store.table(table_config)?;
            if table.has_new_time_format
                && let Some(moved) = foresee::preview(self.store, table_config)?.filter(|moved| moved.rows > 0)
            {
                table_report.note(&format!(
                    "time_format changed: {} that the one before read would have another time by it; `fluxtower rekey --dry-run` \
                     says which, and `fluxtower rekey` moves them",
                    count(moved.rows, "row")
                ));
            }
            self.store.keep_time_formats(&table)?;
            if files.is_empty() {
                table_report.note(&format!("no file matches {}", source::listed(&table_config.files)));
            }
            if let Some(moved) = moved {
                table_report.note(&moved.message(table_config, self.config.destination.can_remove()));
            }
            if let Some(note) = retag::apply(self.store, &mut staging, &mut table, table_config, self.clock)? {
                table_report.note(&note);
            }
            if let Some(note) = samples::apply(self.store, &mut staging, &mut table, table_config, self.clock)? {
                table_report.note(&note);
            }
            table_report.taken_up = again::judge(self.store, &mut staging, &mut table, table_config, self.clock)?;
            let inputs = again::inputs(table_config);
            let mut reader = file::Reader {
                store: self.store,
                staging: &mut staging,
                config: table_config,
                clock: self.clock,
                progress: self.progress,
                elsewhere: by_name.get(&table_config.name.0).unwrap_or(&nothing),
                by_hand: self.by_hand,
                tries_noted: !self.store.are_refused_by(&table, inputs)?,
                taken_up: 0,
                notes: Vec::new(),
                entries: counts::OpenEntries::of(self.store, table_config)?,
            };
            if table.header_table.is_none()
                && files.len() > 1
                && table_config.logger_table.is_none()
                && matches!(table_config.format, FileFormat::Logger(_))
            {
                // The first file gives the table its logger table's name: a file whose name matches the configuration
                // comes first.
                files.sort_by_cached_key(|path| {
                    heads::header_table(path).is_none_or(|name| name != table_config.name.0)
                });
            }
            if self.all_files {
                reader.reject_vanished(&mut table)?;
            }
            for path in &files {
                table_report.add(reader.read(&mut table, path)?);
            }
            table_report.taken_up += reader.taken_up;
            std::mem::take(&mut reader.notes).into_iter().for_each(|note| table_report.note(&note));
            let tried_noted = reader.tries_noted;
            table_report.taken_up += again::judge_held(self.store, &mut staging, &mut table, table_config, self.clock)?;
            staging.flush(&mut table)?;
            if tried_noted && self.all_files {
                tried.push((table, inputs));
            }
            if staging.is_commit_due() {
                staging.commit()?;
            }
            report.tables.push(table_report);
        }
        staging.commit()?;
        for (table, inputs) in tried {
            self.store.keep_refused_by(&table, inputs)?;
        }
        for table_report in &mut report.tables {
            let Some(table) = self.config.table(&table_report.table) else { continue };
            if let Some(done) = self.store.despike_completed(self.config, table)?.filter(|done| done.changed > 0) {
                table_report.note(&format!("{} changed by despiking complete blocks", count(done.changed, "row")));
            }
        }
        for (name, made) in made::make(self.config, self.store, &mut staging, self.clock)? {
            let mut table_report = TableReport::new(&name);
            table_report.made = made.rows;
            if made.is_taken {
                let problem = format!(
                    "aggregate makes a table \"{name}\", and the database has rows from files under that name; give the \
                     table of aggregate another name"
                );
                table_report.note(&problem);
            }
            if table_report.made > 0 || !table_report.notes.is_empty() {
                report.tables.push(table_report);
            }
        }
        Ok(report)
    }
}

/// Of each table that names its logger table: the files that others read too, with the logger tables that these name.
fn of_one_file<'c>(work: &[TableFiles<'c>]) -> HashMap<String, HashMap<PathBuf, Vec<&'c str>>> {
    let named = work.iter().filter_map(|(table, files)| Some((*table, table.logger_table.as_deref()?, files)));
    let mut readers: HashMap<&PathBuf, Vec<(&TableConfig, &'c str)>> = HashMap::new();
    for (table, name, files) in named {
        files.iter().for_each(|path| readers.entry(path).or_default().push((table, name)));
    }
    let mut found: HashMap<String, HashMap<PathBuf, Vec<&'c str>>> = HashMap::new();
    for (path, readers) in readers.into_iter().filter(|(_, readers)| readers.len() > 1) {
        for (table, own) in &readers {
            let others = readers.iter().map(|(_, name)| *name).filter(|name| name != own).collect();
            found.entry(table.name.0.clone()).or_default().insert(path.clone(), others);
        }
    }
    found
}

fn plan<'c>(config: &'c Config, store: &Store, selection: &Selection) -> Result<Vec<TableFiles<'c>>, IngestError> {
    let only = match &selection.table {
        None => None,
        Some(name) => Some(
            config
                .table(name)
                .ok_or_else(|| IngestError::UnknownTable { name: name.clone(), hint: config.tables_like(name) })?,
        ),
    };
    let mut work: Vec<TableFiles<'c>> = Vec::new();
    let mut finder = source::Finder::default();
    if selection.files.is_empty() {
        for table in config.logger_tables().filter(|table| only.is_none_or(|only| only.name == table.name)) {
            work.push((table, finder.find(table)?));
        }
        return Ok(work);
    }
    let mut owners: Option<Owners<'c>> = None;
    for path in &selection.files {
        if !path.is_file() {
            return Err(IngestError::NoFile { path: path.clone() });
        }
        let table = match only {
            Some(table) => table,
            None => table_of(config, store, &mut owners, path)?
                .ok_or_else(|| IngestError::WhichTable { path: path.clone() })?,
        };
        match work.iter_mut().find(|(known, _)| known.name == table.name) {
            Some((_, files)) => files.push(path.clone()),
            None => work.push((table, vec![path.clone()])),
        }
    }
    Ok(work)
}

/// The tables that each configured file belongs to, by absolute path, in the order of the configuration.
pub type Owners<'c> = HashMap<PathBuf, Vec<&'c TableConfig>>;

/// Finds the files of every table.
///
/// # Errors
/// A pattern is not valid.
pub fn owners(config: &Config) -> Result<Owners<'_>, IngestError> {
    let mut finder = source::Finder::default();
    let mut owners = Owners::new();
    for table in config.logger_tables() {
        for file in finder.find(table)? {
            owners.entry(std::path::absolute(&file).unwrap_or(file)).or_default().push(table);
        }
    }
    Ok(owners)
}

/// Finds the table by the configured patterns, otherwise by the table name in line 1 of the file. The folders are
/// listed only once, when the first file needs it.
fn table_of<'c>(
    config: &'c Config,
    store: &Store,
    known: &mut Option<Owners<'c>>,
    path: &Path,
) -> Result<Option<&'c TableConfig>, IngestError> {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let owners = match known {
        Some(owners) => owners,
        None => known.insert(owners(config)?),
    };
    let mut found = owners.get(&absolute).cloned().unwrap_or_default();
    if found.is_empty()
        && let Some(table) = the_only_one(config)
    {
        let staged = if table.logger_table.is_none() { Some(store.table(table)?) } else { None };
        let known = table.logger_table.as_deref().or_else(|| staged.as_ref()?.logger_name());
        // An export under an earlier name of the logger table belongs to this table too.
        let had = |name: &str| staged.as_ref().is_some_and(|staged| staged.had_name(name));
        return match (heads::header_table(path), known) {
            (Some(named), Some(known)) if named != known && !had(&named) => Err(IngestError::OtherTable {
                path: path.to_owned(),
                named,
                table: table.name.0.clone(),
                known: known.to_owned(),
            }),
            _ => Ok(Some(table)),
        };
    }
    if found.is_empty()
        && let Some(name) = heads::header_table(path)
    {
        for table in config.logger_tables() {
            let expected = expected_name(store, table)?;
            if expected.as_deref() == Some(name.as_str()) {
                found.push(table);
            }
        }
    }
    Ok(if let [table] = found.as_slice() { Some(table) } else { None })
}

/// The table that is read from files, if there is exactly one.
fn the_only_one(config: &Config) -> Option<&TableConfig> {
    let mut tables = config.logger_tables();
    tables.next().filter(|_| tables.next().is_none())
}

/// The logger table's name in line 1 of the table's files.
fn expected_name(store: &Store, table: &TableConfig) -> Result<Option<String>, IngestError> {
    Ok(match &table.logger_table {
        Some(configured) => Some(configured.clone()),
        None => store.table(table)?.logger_name().map(str::to_owned),
    })
}
