//! Finds the files that changed since the last look, by size and time.
//!
//! - A look costs one system call for each file and folder. A folder is listed again only when its own time changed,
//!   and at intervals for drives that do not maintain that time.
//! - If the system's file events are available ([`super::events`]), they say when to look at which files, and all files
//!   are looked at every [`SELDOM`]: a lost event causes a delay, but no loss. Folders whose events are not reliable
//!   ([`super::trust`]), and all folders without events, are looked at in short intervals.
//! - A file that is written row by row is looked at a few times per second, not at each row.
//! - With very many files, looks take at most a tenth of the time, and a hundredth with file events.
//!
//! This decides only when to read. The content decides what is read: a change that a look cannot detect (same size,
//! same time) is found by the second reading a little later, or by the next full pass.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use super::error::SourceError;
use super::events::{FileEvents, Interest, folder_patterns};
use super::find::{Finder, folders_of, is_pattern};
use super::modified;
use super::trust::Trust;
use crate::config::TableConfig;

/// The longest time between two listings of the folders; it is at least `LIST_REST` times as long as a listing takes.
const LIST_EVERY: Duration = Duration::from_secs(10);
const LIST_REST: u32 = 50;
/// The time between two looks at every file with file events; it is at least `SELDOM_REST` times as long as such a look
/// takes.
const SELDOM: Duration = Duration::from_secs(5);
const SELDOM_REST: u32 = 99;
/// The shortest time between two looks that file events ask for.
const CLOSEST: Duration = Duration::from_millis(250);
/// The time to the next look is at least this many times as long as a look takes.
const REST: u32 = 9;
/// A changed file is returned again after this time: before it has passed, a second change may have the same stamp as
/// the first (FAT counts in steps of two seconds).
const SECOND_READING: Duration = Duration::from_millis(2_500);

/// At the first look, a file older than this is not returned a second time, because there may be many.
const OLD: Duration = Duration::from_secs(3_600);

/// The files of one table.
pub type TableFiles<'c> = (&'c TableConfig, Vec<PathBuf>);

/// The metadata of a file, without opening it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    size: u64,
    modified: Option<SystemTime>,
    /// Distinguishes a file from another file that took its name.
    created: Option<SystemTime>,
}

impl Stamp {
    fn of(path: &Path) -> Option<Stamp> {
        let found = path.metadata().ok()?;
        Some(Stamp { size: found.len(), modified: found.modified().ok(), created: found.created().ok() })
    }

    /// Whether the last change was long ago, even by the coarse clock of any drive.
    fn is_old(&self) -> bool {
        self.modified.and_then(|time| time.elapsed().ok()).is_some_and(|age| age >= OLD)
    }
}

/// A file, its metadata, and when to read it a second time.
#[derive(Debug)]
struct Known {
    stamp: Option<Stamp>,
    read_again: Option<Instant>,
}

/// Looks at the files of tables.
#[derive(Debug)]
pub struct Watched<'c> {
    tables: &'c [TableConfig],
    /// The short interval between two looks.
    poll: Duration,
    /// The files by table, in the order of the tables.
    files: Vec<Vec<PathBuf>>,
    known: BTreeMap<PathBuf, Known>,
    folders: BTreeMap<PathBuf, Option<SystemTime>>,
    /// Files that are due a second time, the earliest first. An entry is void if it no longer matches the file's
    /// record.
    again: VecDeque<(Instant, PathBuf)>,
    listed: Option<Instant>,
    listing_took: Duration,
    /// The time of the last look at every file.
    looked_at_all: Option<Instant>,
    look_took: Duration,
    /// No look is made before this time.
    rests_until: Option<Instant>,
    events: Option<FileEvents>,
    trust: Trust,
}

impl<'c> Watched<'c> {
    /// Looks every `poll`. At the first look every file is new.
    pub fn new(tables: &'c [TableConfig], poll: Duration) -> Watched<'c> {
        Watched {
            tables,
            poll,
            files: Vec::new(),
            known: BTreeMap::new(),
            folders: BTreeMap::new(),
            again: VecDeque::new(),
            listed: None,
            listing_took: Duration::ZERO,
            looked_at_all: None,
            look_took: Duration::ZERO,
            rests_until: None,
            events: None,
            trust: Trust::default(),
        }
    }

    /// Like [`Watched::new`], with the system's file events if available. `wake` is called for an event, from a
    /// separate thread.
    #[must_use]
    pub fn with_events(mut self, wake: impl Fn() + Send + 'static) -> Watched<'c> {
        match FileEvents::start(wake) {
            Ok(events) => self.events = Some(events),
            Err(error) => {
                tracing::warn!(
                    "the system gives no file events ({error}); files are looked at every {:?} instead",
                    self.poll
                );
            }
        }
        self
    }

    /// The files that changed since the last look, by table, in the order of the configuration.
    ///
    /// # Errors
    /// A pattern is not valid.
    pub fn look(&mut self) -> Result<Vec<TableFiles<'c>>, SourceError> {
        let begun = Instant::now();
        let found = self.look_at(begun);
        let took = begun.elapsed();
        self.rests_until = begun.checked_add(took * (REST + 1));
        if self.looked_at_all == Some(begun) {
            self.look_took = took;
        }
        found
    }

    /// When the next look is due. `before` is the time of the last look, or the end of the reading that followed it.
    pub fn due(&self, before: Instant) -> Instant {
        let interval = before + self.interval();
        let again = self.again.front().map(|(due, _)| *due);
        let event = self.events.as_ref().and_then(FileEvents::due);
        let asked = again.into_iter().chain(event).min().map(|due| due.max(before + CLOSEST.min(self.poll)));
        let due = asked.map_or(interval, |asked| asked.min(interval));
        self.rests_until.map_or(due, |rested| due.max(rested))
    }

    fn interval(&self) -> Duration {
        if self.events.is_none() || self.trust.doubts_some() { self.poll } else { self.seldom().max(self.poll) }
    }

    fn seldom(&self) -> Duration {
        SELDOM.max(self.look_took * SELDOM_REST)
    }

    /// Like [`Watched::look`], at this time.
    fn look_at(&mut self, now: Instant) -> Result<Vec<TableFiles<'c>>, SourceError> {
        let seen = self.events.as_mut().map(FileEvents::take).unwrap_or_default();
        self.trust.events(&seen);
        let mut looks_at_all = self.events.is_none()
            || seen.is_incomplete
            || self.looked_at_all.is_none_or(|then| now.duration_since(then) >= self.seldom());
        let is_unknown = |path: &PathBuf| !self.known.contains_key(path);
        let list_every = LIST_EVERY.max(self.listing_took * LIST_REST);
        let is_stale = looks_at_all && self.listed.is_none_or(|listed| now.duration_since(listed) >= list_every);
        let looks_at = |folder: &Path| looks_at_all || self.trust.is_doubted(folder);
        let other_time = |(folder, known): (&PathBuf, &_)| looks_at(folder) && modified(folder) != *known;
        if is_stale || seen.lists || seen.files.iter().any(is_unknown) || self.folders.iter().any(other_time) {
            self.list(now)?;
            looks_at_all = true;
        }
        let is_first = self.looked_at_all.is_none();
        let (again, trust) = (&mut self.again, &mut self.trust);
        let changed = if looks_at_all {
            let mut sweep = Sweep { now, is_first, again, trust, changed: BTreeSet::new() };
            self.known.iter_mut().for_each(|(path, known)| sweep.look(path, known));
            let changed = sweep.changed;
            self.looked_at_all = Some(now);
            self.trust.looked_at_all(self.folders.keys());
            changed
        } else {
            let due = again.iter().take_while(|(due, _)| now >= *due).map(|(_, path)| path.clone());
            let mut some: BTreeSet<PathBuf> = due.chain(seen.files).collect();
            if trust.doubts_some() {
                let doubted = |path: &&PathBuf| path.parent().is_some_and(|folder| trust.is_doubted(folder));
                some.extend(self.known.keys().filter(doubted).cloned());
            }
            let mut sweep = Sweep { now, is_first, again, trust, changed: BTreeSet::new() };
            for path in some {
                if let Some(known) = self.known.get_mut(&path) {
                    sweep.look(&path, known);
                }
            }
            sweep.changed
        };
        while self.again.front().is_some_and(|(due, _)| now >= *due) {
            self.again.pop_front();
        }
        for found in self.trust.judge(now) {
            tracing::warn!(
                "{} changed and the system gave no file event, as on a network drive; the files in {} are looked at every {:?} from now on",
                found.file.display(),
                found.folder.display(),
                self.poll
            );
        }
        Ok(self.by_table(&changed))
    }

    fn by_table(&self, changed: &BTreeSet<PathBuf>) -> Vec<TableFiles<'c>> {
        if changed.is_empty() {
            return Vec::new();
        }
        let of_table = |files: &Vec<PathBuf>| -> Vec<PathBuf> {
            files.iter().filter(|file| changed.contains(file.as_path())).cloned().collect()
        };
        let found = self.tables.iter().zip(self.files.iter().map(of_table));
        found.filter(|(_, files)| !files.is_empty()).collect()
    }

    fn list(&mut self, now: Instant) -> Result<(), SourceError> {
        let begun = Instant::now();
        let mut wanted: BTreeSet<PathBuf> =
            self.known.keys().filter_map(|file| file.parent()).map(Path::to_owned).collect();
        for pattern in self.tables.iter().flat_map(|table| &table.files) {
            wanted.insert(fixed_part(pattern));
            for folders in folder_patterns(pattern) {
                wanted.extend(folders_of(&folders)?);
            }
        }
        // This comes before the listing: a file that appears in between causes an event, or is listed again.
        self.follow(&wanted);
        self.folders =
            wanted.into_iter().map(|folder| (modified(&folder), folder)).map(|(time, folder)| (folder, time)).collect();
        let mut finder = Finder::default();
        self.files = self.tables.iter().map(|table| finder.find(table)).collect::<Result<_, _>>()?;
        let listed: BTreeSet<&PathBuf> = self.files.iter().flatten().collect();
        // A missing file is kept for a while: LoggerNet creates another one with its name.
        self.known.retain(|path, known| listed.contains(path) || known.stamp.is_some());
        for path in listed {
            self.known.entry(path.clone()).or_insert(Known { stamp: None, read_again: None });
        }
        self.listed = Some(now);
        self.listing_took = begun.elapsed();
        Ok(())
    }

    fn follow(&mut self, folders: &BTreeSet<PathBuf>) {
        let Some(events) = &mut self.events else { return };
        let followed = events.follow(folders, Interest::of(self.tables, folders));
        let failed = self.trust.followed(followed);
        if let Some((folder, why)) = failed.iter().next() {
            let more =
                if failed.len() > 1 { format!(" and {} other folders", failed.len() - 1) } else { String::new() };
            tracing::warn!(
                "the system gives no file events of {}{more} ({why}); their files are looked at every {:?} instead",
                folder.display(),
                self.poll
            );
        }
    }
}

/// A look at some files.
struct Sweep<'a> {
    now: Instant,
    is_first: bool,
    again: &'a mut VecDeque<(Instant, PathBuf)>,
    trust: &'a mut Trust,
    changed: BTreeSet<PathBuf>,
}

impl Sweep<'_> {
    fn look(&mut self, path: &Path, known: &mut Known) {
        let stamp = Stamp::of(path);
        if stamp != known.stamp {
            known.stamp = stamp;
            known.read_again = None;
            // A missing file cannot be read.
            let Some(stamp) = stamp else { return };
            if !(self.is_first && stamp.is_old()) {
                let due = self.now + SECOND_READING;
                known.read_again = Some(due);
                self.again.push_back((due, path.to_owned()));
            }
            self.trust.found(path, self.now);
            self.changed.insert(path.to_owned());
        } else if known.read_again.take_if(|due| self.now >= *due).is_some() {
            self.changed.insert(path.to_owned());
        }
    }
}

/// The folder of a pattern, up to the first part with a wildcard.
fn fixed_part(pattern: &Path) -> PathBuf {
    pattern.ancestors().skip(1).find(|folder| !is_pattern(folder)).map(Path::to_owned).unwrap_or_default()
}

#[cfg(test)]
#[path = "watched_tests.rs"]
mod tests;
