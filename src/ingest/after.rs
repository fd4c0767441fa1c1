//! Moves, compresses or deletes files that their logger closed, as `after` of their table says.
//!
//! A file is put away only if all of this holds: each of its lines is accounted for in the store, on disk (I1, I4);
//! size, time and fingerprint are those of the last read; it was not changed for `closed_after`; it is not the newest
//! file of its pattern, to which a logger may append; every table that reads it has the same `after`; and a file to be
//! deleted has no rejected or held line.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::in_force::InForce;
use super::{IngestError, Owners, owners};
use crate::config::{After, Config, TableConfig};
use crate::source::{self, ClosedFile, QuietFile, SourceError};
use crate::store::{FileSeen, Store, Table};
use crate::text::span_of;
use crate::time::{Clock, Timestamp};

/// The number of receipts that are kept for each table.
const RECEIPTS: usize = 200;

/// What was done, or would be done, with a closed file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PutAway {
    /// The path, as the pattern found it.
    pub file: String,
    /// `moved`, `compressed` or `deleted`.
    pub action: String,
    /// The new path; for what is not done yet, the folder. None if the file is deleted.
    pub to: Option<String>,
    /// The size in bytes before that.
    pub bytes: u64,
    /// The time in UTC.
    pub at: String,
}

/// A file that is not put away now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Stays {
    /// The path, as the pattern found it.
    pub file: String,
    /// The reason.
    pub reason: String,
    /// Whether the reason is a failure that a user should know.
    pub is_failure: bool,
}

/// The files of one table.
#[derive(Debug, Clone, Default, Serialize)]
pub struct ClosedFiles {
    /// The table's name in the configuration.
    pub table: String,
    /// Files that were put away, or would be.
    pub put_away: Vec<PutAway>,
    /// The other files.
    pub stays: Vec<Stays>,
}

/// What the store keeps about the files of a table that were put away.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Receipts {
    /// The number of all files that were ever put away.
    pub files: u64,
    /// The bytes of these files.
    pub bytes: u64,
    /// The last files, oldest first.
    pub newest: Vec<PutAway>,
}

/// The receipts of a table.
///
/// # Errors
/// The store fails.
pub fn receipts(store: &Store, table: &str) -> crate::store::Result<Receipts> {
    let text = store.recall(&key(table))?;
    // This program wrote the text, so it can be parsed.
    Ok(text.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default())
}

fn key(table: &str) -> String {
    format!("closed files:{table}")
}

/// Puts away the closed files of the tables that ask for it; with `is_dry`, only reports what would be done. `only`
/// limits it to one table. The caller holds the ingest lock, and all rows that were read are committed.
///
/// # Errors
/// The store fails, or a pattern is not valid.
pub fn put_away(
    config: &Config,
    store: &Store,
    clock: &dyn Clock,
    only: Option<&str>,
    is_dry: bool,
) -> Result<Vec<ClosedFiles>, IngestError> {
    let wanted = |table: &&TableConfig| table.after != After::Keep && only.is_none_or(|only| only == table.name.0);
    if !config.logger_tables().any(|table| wanted(&table)) {
        return Ok(Vec::new());
    }
    let in_force = InForce::new(config, store)?;
    let config = &*in_force.config;
    let tables: Vec<&TableConfig> = config.logger_tables().filter(wanted).collect();
    let now = Timestamp::from_utc(clock.now()).floor(Duration::from_secs(1));
    let patterns = config.logger_tables().flat_map(|table| &table.files);
    let patterns = patterns.filter_map(|pattern| glob::Pattern::new(&pattern.to_string_lossy()).ok()).collect();
    let mut keeper = Keeper { patterns, store, now, owners: owners(config)?, known: HashMap::new() };
    let mut all = Vec::new();
    for table in tables {
        all.push(keeper.table(table, is_dry)?);
    }
    Ok(all)
}

struct Keeper<'a> {
    /// The file patterns of every table.
    patterns: Vec<glob::Pattern>,
    store: &'a Store,
    now: Timestamp,
    /// The tables that read each file.
    owners: Owners<'a>,
    /// The tables as the store has them, by name.
    known: HashMap<String, Table>,
}

impl<'a> Keeper<'a> {
    fn table(&mut self, table: &'a TableConfig, is_dry: bool) -> Result<ClosedFiles, IngestError> {
        let mut found = ClosedFiles { table: table.name.0.clone(), ..ClosedFiles::default() };
        let mut known = BTreeSet::new();
        for pattern in &table.files {
            let mut files = source::matches(&pattern.to_string_lossy())?;
            files.sort_by_cached_key(|path| (source::modified(path), path.clone()));
            // A logger may append to the newest file.
            files.pop();
            files.retain(|path| known.insert(path.clone()));
            for path in files {
                let name = path.to_string_lossy().into_owned();
                let done = match self.is_done_with(table, &path)? {
                    Ok(seen) if is_dry => Ok(self.planned(table, name.clone(), &seen)),
                    Ok(seen) => self.act(table, &path, name.clone(), &seen),
                    Err(reason) => Err(Stays { file: name, reason, is_failure: false }),
                };
                match done {
                    Ok(done) => found.put_away.push(done),
                    Err(stays) => found.stays.push(stays),
                }
            }
        }
        if !is_dry && !found.put_away.is_empty() {
            self.keep_receipts(table, &found.put_away)?;
        }
        Ok(found)
    }

    /// Returns how the file was last read, if no table has to read more of it; otherwise the reason why it is not put
    /// away.
    fn is_done_with(&mut self, table: &'a TableConfig, path: &Path) -> Result<Result<FileSeen, String>, IngestError> {
        let owners =
            std::path::absolute(path).ok().and_then(|path| self.owners.get(&path).cloned()).unwrap_or_default();
        let mut read = None;
        for owner in owners {
            if owner.after != table.after {
                return Ok(Err(format!("table \"{}\" reads it too, and says something else with `after`", owner.name)));
            }
            match self.is_read(owner, path)? {
                Ok(seen) => read = Some(seen),
                Err(reason) => return Ok(Err(reason)),
            }
        }
        Ok(match read {
            Some(seen) => self.may_go(table, path).map(|()| seen),
            None => Err("it is not read yet".to_owned()),
        })
    }

    fn is_read(&mut self, table: &TableConfig, path: &Path) -> Result<Result<FileSeen, String>, IngestError> {
        if !self.known.contains_key(&table.name.0) {
            self.known.insert(table.name.0.clone(), self.store.table(table)?);
        }
        let seen = match self.known.get(&table.name.0) {
            Some(known) => self.store.file_seen(known, &path.to_string_lossy())?,
            None => None,
        };
        let Some(seen) = seen else {
            return Ok(Err("it is not read yet".to_owned()));
        };
        let is_whole = seen.header.is_some() && !seen.held && (seen.resume_at == seen.size || seen.tail_taken);
        let modified = source::modified(path).map(|time| Timestamp::from_utc(time.into()));
        let size = path.metadata().map(|state| state.len()).ok();
        // A file that was copied again has another time and the same content.
        let is_as_read = size == Some(seen.size)
            && (modified.map(Timestamp::nanos) == Some(seen.modified) || has_content(path, &seen));
        Ok(if !is_as_read {
            Err("it changed since it was read; the next ingest reads it".to_owned())
        } else if !is_whole {
            Err("it is not read to its end: lines of it are not whole, or its header cannot be read".to_owned())
        } else if self.is_young(table, modified) {
            Err(format!("it was changed less than {} ago (`closed_after`)", span_of(table.closed_after)))
        } else if table.after == After::Delete && self.store.has_refused_lines_of(&table.name.0, &seen.path)? {
            Err("it has lines that are no rows: see `fluxtower rejected`; what cannot be read is not deleted"
                .to_owned())
        } else {
            Ok(seen)
        })
    }

    fn is_young(&self, table: &TableConfig, modified: Option<Timestamp>) -> bool {
        let still = modified.map_or(0, |modified| self.now.nanos_since(modified));
        !u128::try_from(still).is_ok_and(|still| still >= table.closed_after.as_nanos())
    }

    /// Whether the new path is not read by any table. Otherwise the file would be read again there, and put away again.
    fn may_go(&self, table: &TableConfig, path: &Path) -> Result<(), String> {
        let (After::Move(folder) | After::Gzip(folder)) = &table.after else { return Ok(()) };
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        for target in [folder.join(name.as_ref()), folder.join(format!("{name}.gz"))] {
            if self.patterns.iter().any(|pattern| pattern.matches_path_with(&target, source::match_options())) {
                return Err(format!("it would be read again as {}; name another folder in `after`", target.display()));
            }
        }
        Ok(())
    }

    fn planned(&self, table: &TableConfig, file: String, seen: &FileSeen) -> PutAway {
        let (action, to) = match &table.after {
            After::Move(folder) => ("moved", Some(folder)),
            After::Gzip(folder) => ("compressed", Some(folder)),
            After::Delete | After::Keep => ("deleted", None),
        };
        let to = to.map(|folder| folder.display().to_string());
        PutAway { file, action: action.to_owned(), to, bytes: seen.size, at: self.now.to_string() }
    }

    fn act(&self, table: &TableConfig, path: &Path, name: String, seen: &FileSeen) -> Result<PutAway, Stays> {
        let planned = self.planned(table, name, seen);
        match done(table, path, seen) {
            Ok(to) => {
                tracing::info!(table = %table.name, file = planned.file, action = planned.action, "closed file");
                Ok(PutAway { to: to.map(|to| to.display().to_string()), ..planned })
            }
            Err(error) => {
                let reason = match &error {
                    SourceError::Busy { .. } => {
                        "it is open in another program, such as LoggerNet; the next ingest tries again".to_owned()
                    }
                    other => other.to_string(),
                };
                Err(Stays { file: planned.file, reason, is_failure: true })
            }
        }
    }

    fn keep_receipts(&self, table: &TableConfig, done: &[PutAway]) -> Result<(), IngestError> {
        let mut kept = receipts(self.store, &table.name.0)?;
        kept.files += done.len() as u64;
        kept.bytes += done.iter().map(|one| one.bytes).sum::<u64>();
        kept.newest.extend_from_slice(done);
        kept.newest.drain(..kept.newest.len().saturating_sub(RECEIPTS));
        let text = serde_json::to_string(&kept).unwrap_or_default();
        Ok(self.store.remember(&key(&table.name.0), &text)?)
    }
}

/// Whether the file still contains every byte that was read.
fn has_content(path: &Path, seen: &FileSeen) -> bool {
    let known = QuietFile::open(path).and_then(|mut file| file.fingerprint(seen.size));
    known.is_ok_and(|(hash, is_whole)| is_whole && hash == seen.whole_hash)
}

/// Applies `after` to a file, after checking that it is still the one that was read.
fn done(table: &TableConfig, path: &Path, seen: &FileSeen) -> Result<Option<PathBuf>, SourceError> {
    let mut quiet = QuietFile::open(path)?;
    let state = quiet.snapshot();
    let (hash, _) = quiet.fingerprint(seen.size.min(state.size))?;
    drop(quiet);
    if state.size != seen.size || hash != seen.whole_hash {
        return Err(SourceError::Changed { path: path.to_owned() });
    }
    let file = ClosedFile::new(path, state)?;
    match &table.after {
        After::Keep => Ok(None),
        After::Move(folder) => file.move_into(folder).map(Some),
        After::Gzip(folder) => file.compress_into(folder).map(Some),
        After::Delete => file.delete().map(|()| None),
    }
}
