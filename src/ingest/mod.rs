//! Files to store: the left half of the flow, table by table, file by file, in one pass.
//!
//! One bad file never stops the others, and no failure here waits for a network (I9). Small files share one transaction,
//! so that ten tables cost one sync to disk; a large one is committed in pieces, each with the point where it can go on.

use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::config::{Config, TableConfig};
use crate::source::{self, SourceError, TableFiles};
use crate::store::{Staging, Store, StoreError};
use crate::time::Clock;

mod again;
mod decide;
mod file;
mod glued;
mod lines;
mod report;
mod retag;

pub use decide::{Decided, Decider};
pub use report::{Counts, FileReport, IngestReport, TableReport};

/// What is to be read.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    /// Only this table.
    pub table: Option<String>,
    /// These files instead of the configured ones; read whole, known or not.
    pub files: Vec<PathBuf>,
}

/// Told how far a large ingest is.
pub trait Progress {
    /// A file is begun.
    fn file(&self, path: &Path, bytes: u64);
    /// So many bytes more of it are done.
    fn advance(&self, bytes: u64);
}

/// For when nobody looks.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unseen;

impl Progress for Unseen {
    fn file(&self, _path: &Path, _bytes: u64) {}
    fn advance(&self, _bytes: u64) {}
}

/// What stops an ingest.
#[derive(Debug, Error)]
pub enum IngestError {
    /// The store cannot be written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A pattern is none.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// `--table` names no table.
    #[error("no [[table]] is named \"{name}\"; {mend}")]
    UnknownTable {
        /// As typed.
        name: String,
        /// What was meant, or all names.
        mend: String,
    },
    /// A file given by hand is not there.
    #[error("{path} is no file; check its spelling")]
    NoFile {
        /// As typed.
        path: PathBuf,
    },
    /// A file given by hand could be of several tables.
    #[error("cannot tell which table {path} belongs to; say it with --table NAME")]
    WhichTable {
        /// The file.
        path: PathBuf,
    },
}

impl IngestError {
    /// Whether trying again later cannot help.
    pub fn is_permanent(&self) -> bool {
        match self {
            IngestError::Store(error) => error.is_permanent(),
            _ => true,
        }
    }
}

/// Reads what is selected into the store. The caller holds the ingest lock.
pub fn run(
    config: &Config,
    store: &Store,
    clock: &dyn Clock,
    selection: &Selection,
    progress: &dyn Progress,
) -> Result<IngestReport, IngestError> {
    let work = plan(config, store, selection)?;
    read(work, config, store, clock, progress, !selection.files.is_empty())
}

/// As [`run`], of these configured files only.
pub fn run_files(
    files: Vec<TableFiles<'_>>,
    config: &Config,
    store: &Store,
    clock: &dyn Clock,
    progress: &dyn Progress,
) -> Result<IngestReport, IngestError> {
    read(files, config, store, clock, progress, false)
}

fn read(
    work: Vec<TableFiles<'_>>,
    config: &Config,
    store: &Store,
    clock: &dyn Clock,
    progress: &dyn Progress,
    by_hand: bool,
) -> Result<IngestReport, IngestError> {
    // A `flag` that was killed left rows unjudged.
    store.judge_flagged(config)?;
    let mut staging = Staging::new(store, config)?;
    let mut report = IngestReport::default();
    for (config, files) in work {
        let mut table = store.table(config)?;
        let mut table_report = TableReport::new(&config.name.0);
        if files.is_empty() {
            let patterns: Vec<_> = config.files.iter().map(|pattern| pattern.display().to_string()).collect();
            table_report.note(format!("no file matches {}", patterns.join(", ")));
        }
        if let Some(note) = retag::apply(store, &mut staging, &mut table, config, clock)? {
            table_report.note(note);
        }
        table_report.taken_up = again::judge(store, &mut staging, &mut table, config, clock)?;
        let mut reader = file::Reader { store, staging: &mut staging, config, clock, progress, by_hand };
        for path in &files {
            table_report.add(reader.read(&mut table, path)?);
        }
        staging.flush(&mut table)?;
        if staging.is_commit_due() {
            staging.commit()?;
        }
        report.tables.push(table_report);
    }
    staging.commit()?;
    Ok(report)
}

fn plan<'c>(config: &'c Config, store: &Store, selection: &Selection) -> Result<Vec<TableFiles<'c>>, IngestError> {
    let only = match &selection.table {
        None => None,
        Some(name) => Some(
            config
                .table(name)
                .ok_or_else(|| IngestError::UnknownTable { name: name.clone(), mend: config.tables_like(name) })?,
        ),
    };
    let mut work: Vec<TableFiles<'c>> = Vec::new();
    if selection.files.is_empty() {
        for table in config.tables.iter().filter(|table| only.is_none_or(|only| only.name == table.name)) {
            work.push((table, source::find(table)?));
        }
        return Ok(work);
    }
    for path in &selection.files {
        if !path.is_file() {
            return Err(IngestError::NoFile { path: path.clone() });
        }
        let table = match only {
            Some(table) => table,
            None => table_of(config, store, path)?.ok_or_else(|| IngestError::WhichTable { path: path.clone() })?,
        };
        match work.iter_mut().find(|(known, _)| known.name == table.name) {
            Some((_, files)) => files.push(path.clone()),
            None => work.push((table, vec![path.clone()])),
        }
    }
    Ok(work)
}

/// By the configured patterns, else by the table name in the file's line 1.
fn table_of<'c>(config: &'c Config, store: &Store, path: &Path) -> Result<Option<&'c TableConfig>, IngestError> {
    if let [table] = config.tables.as_slice() {
        return Ok(Some(table));
    }
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let mut found = Vec::new();
    for table in &config.tables {
        if source::find(table)?.iter().any(|file| std::path::absolute(file).is_ok_and(|file| file == absolute)) {
            found.push(table);
        }
    }
    if found.is_empty()
        && let Some(name) = lines::header_table(path)
    {
        for table in &config.tables {
            let pinned = match &table.logger_table {
                Some(pinned) => Some(pinned.clone()),
                None => store.table(table)?.header_table,
            };
            if pinned.as_deref() == Some(name.as_str()) {
                found.push(table);
            }
        }
    }
    Ok(if let [table] = found.as_slice() { Some(table) } else { None })
}
