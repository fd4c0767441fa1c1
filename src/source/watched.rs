//! Finds the files that changed since the last look, by size and time.
//!
//! - A look costs one call to the system for each file and folder. The folders are listed again only when their own time
//!   changed, and now and then for drives that do not maintain it.
//! - Where the system's file events can be had ([`super::events`]), they say when to look and at which files, and everything
//!   is looked at every [`SELDOM`]: an event that is lost delays, and loses nothing. Folders whose events cannot be relied on
//!   ([`super::trust`]), and all folders where there are no events, are looked at in short intervals.
//! - A file that is written row by row is looked at a few times a second, not at each row.
//! - With very many files, looks take a tenth of the time at most.
//!
//! This only decides when to read. Content decides what is read: a change that a look cannot see (same size, same time) is
//! found by the second reading a little later, or by the next full pass.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use super::error::SourceError;
use super::events::{FileEvents, Interest, folder_patterns};
use super::find::{Finder, folders_of, is_pattern};
use super::modified;
use super::trust::Trust;
use crate::config::TableConfig;

/// The longest time between two listings of the folders, and how many times as long as a listing it is at least.
const LIST_EVERY: Duration = Duration::from_secs(10);
const LIST_REST: u32 = 50;
/// From one look at every file to the next, where file events come.
const SELDOM: Duration = Duration::from_secs(5);
/// From one look to the next that file events ask for.
const CLOSEST: Duration = Duration::from_millis(250);
/// How many times as long as a look the time to the next one is.
const REST: u32 = 9;
/// A changed file is returned again after this time: until then, a second change may have the same stamp as the first (FAT
/// counts in steps of two seconds).
const SECOND_READING: Duration = Duration::from_millis(2_500);

/// At the first look, of many files, an older one is not returned again.
const OLD: Duration = Duration::from_secs(3_600);

/// Files of one table.
pub type TableFiles<'c> = (&'c TableConfig, Vec<PathBuf>);

/// The metadata of a file, without opening it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    size: u64,
    modified: Option<SystemTime>,
    /// Distinguishes a file from another one that took its name.
    created: Option<SystemTime>,
}

impl Stamp {
    fn of(path: &Path) -> Option<Stamp> {
        let found = path.metadata().ok()?;
        Some(Stamp { size: found.len(), modified: found.modified().ok(), created: found.created().ok() })
    }

    /// Whether the last change was long ago, by the clock of any drive.
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
    /// The short interval.
    poll: Duration,
    /// By table, in its order.
    files: Vec<Vec<PathBuf>>,
    known: BTreeMap<PathBuf, Known>,
    folders: BTreeMap<PathBuf, Option<SystemTime>>,
    /// Files that are due a second time, the first one first. An entry that is not that of the file any more is void.
    again: VecDeque<(Instant, PathBuf)>,
    listed: Option<Instant>,
    listing_took: Duration,
    /// The last look at every file.
    looked_at_all: Option<Instant>,
    /// No look before.
    rests_until: Option<Instant>,
    events: Option<FileEvents>,
    trust: Trust,
}

impl<'c> Watched<'c> {
    /// Looks every `poll`. Every file is new at the first look.
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
            rests_until: None,
            events: None,
            trust: Trust::default(),
        }
    }

    /// As [`Watched::new`], with the system's file events, where there are any. `wake` is called when one comes, from a
    /// thread of its own.
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
        found
    }

    /// When the next look is due. `before` is the last one, or the end of the reading that followed it.
    pub fn due(&self, before: Instant) -> Instant {
        let interval = before + self.interval();
        let again = self.again.front().map(|(due, _)| *due);
        let event = self.events.as_ref().and_then(FileEvents::due);
        let asked = again.into_iter().chain(event).min().map(|due| due.max(before + CLOSEST.min(self.poll)));
        let due = asked.map_or(interval, |asked| asked.min(interval));
        self.rests_until.map_or(due, |rested| due.max(rested))
    }

    fn interval(&self) -> Duration {
        if self.events.is_none() || self.trust.doubts_some() { self.poll } else { SELDOM.max(self.poll) }
    }

    /// As [`Watched::look`], at this time.
    fn look_at(&mut self, now: Instant) -> Result<Vec<TableFiles<'c>>, SourceError> {
        let seen = self.events.as_mut().map(FileEvents::take).unwrap_or_default();
        self.trust.events(&seen);
        let mut looks_at_all = self.events.is_none()
            || seen.is_incomplete
            || self.looked_at_all.is_none_or(|then| now.duration_since(then) >= SELDOM);
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
        // Before the listing: a file that appears in between is an event, or listed once more.
        self.follow(&wanted);
        self.folders =
            wanted.into_iter().map(|folder| (modified(&folder), folder)).map(|(time, folder)| (folder, time)).collect();
        let mut finder = Finder::default();
        self.files = self.tables.iter().map(|table| finder.find(table)).collect::<Result<_, _>>()?;
        let listed: BTreeSet<&PathBuf> = self.files.iter().flatten().collect();
        // A missing file is kept for a while: LoggerNet puts another one under its name.
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
            // A missing file has nothing to read.
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
mod tests {
    use super::*;
    use crate::source::config_of as config;

    const POLL: Duration = Duration::from_millis(250);

    fn names(found: &[TableFiles<'_>]) -> Vec<String> {
        let files = found.iter().flat_map(|(_, files)| files);
        files.map(|file| file.file_name().unwrap().to_string_lossy().into_owned()).collect()
    }

    #[test]
    fn each_change_is_given_once_and_once_more_a_little_later() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("a.dat"), "one").unwrap();
        let config = config(folder.path(), "[\"*.dat\"]");
        let mut watched = Watched::new(&config.tables, POLL);
        let start = Instant::now();
        let mut look = |seconds: f64| names(&watched.look_at(start + Duration::from_secs_f64(seconds)).unwrap());
        assert_eq!(look(0.0), ["a.dat"]);
        assert!(look(0.2).is_empty());
        std::fs::write(folder.path().join("a.dat"), "longer").unwrap();
        assert_eq!(look(0.4), ["a.dat"]);
        assert!(look(2.8).is_empty());
        assert_eq!(look(2.9), ["a.dat"]);
        assert!(look(3.1).is_empty());
    }

    #[test]
    fn new_files_files_set_aside_and_files_that_take_a_name_are_seen_at_the_next_look() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let config = config(folder.path(), "[\"met*.dat\", \"later/x.dat\"]");
        let mut watched = Watched::new(&config.tables, POLL);
        assert!(watched.look().unwrap().is_empty());
        std::fs::write(path("met.dat"), "one").unwrap();
        assert_eq!(names(&watched.look().unwrap()), ["met.dat"]);
        std::fs::rename(path("met.dat"), path("met.dat.backup")).unwrap();
        assert_eq!(names(&watched.look().unwrap()), ["met.dat.backup"]);
        std::fs::write(path("being_written"), "two").unwrap();
        std::fs::rename(path("being_written"), path("met.dat")).unwrap();
        assert_eq!(names(&watched.look().unwrap()), ["met.dat"]);
        std::fs::create_dir(path("later")).unwrap();
        std::fs::write(path("later/x.dat"), "three").unwrap();
        assert_eq!(names(&watched.look().unwrap()), ["x.dat"]);
    }

    /// A station whose events are those that the test says.
    fn with_silent_events(tables: &[TableConfig]) -> Watched<'_> {
        Watched { events: Some(FileEvents::silent()), ..Watched::new(tables, POLL) }
    }

    fn says(watched: &Watched<'_>, path: &Path, now: Instant) -> bool {
        watched.events.as_ref().unwrap().says(path, now)
    }

    #[test]
    fn an_event_is_due_when_the_writing_pauses_and_four_times_a_second_at_most() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.dat");
        std::fs::write(&path, "one").unwrap();
        let config = config(folder.path(), "[\"*.dat\"]");
        let mut watched = with_silent_events(&config.tables);
        let ms = Duration::from_millis;
        let start = Instant::now();
        assert_eq!(names(&watched.look_at(start).unwrap()), ["a.dat"]);
        assert_eq!(watched.due(start), start + SECOND_READING);
        let again = start + SECOND_READING;
        assert_eq!(names(&watched.look_at(again).unwrap()), ["a.dat"]);
        assert_eq!(watched.due(again), again + SELDOM);
        // The first one wakes, and the look comes when the writing pauses.
        let written = again + ms(1_000);
        std::fs::write(&path, "longer").unwrap();
        assert!(says(&watched, &path, written));
        assert_eq!(watched.due(again), written + ms(10));
        assert!(!says(&watched, &path, written + ms(8)));
        assert_eq!(watched.due(again), written + ms(18));
        for at in 9..200 {
            assert!(!says(&watched, &path, written + ms(at)));
        }
        assert_eq!(watched.due(again), written + ms(100), "a writer that does not pause");
        let looked = written + ms(100);
        assert_eq!(names(&watched.look_at(looked).unwrap()), ["a.dat"]);
        assert!(says(&watched, &path, looked + ms(5)));
        assert_eq!(watched.due(looked), looked + ms(250), "not at each row");
        assert!(watched.look_at(looked + ms(250)).unwrap().is_empty());
    }

    #[test]
    fn only_events_of_files_of_a_table_and_of_its_folders_count() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        std::fs::create_dir(path("2026")).unwrap();
        std::fs::write(path("2026/met.dat"), "one").unwrap();
        let config = config(folder.path(), "[\"m*.dat\", \"*/met.dat\", \"not/yet/x.dat\"]");
        let mut watched = with_silent_events(&config.tables);
        let now = Instant::now();
        watched.look_at(now).unwrap();
        for name in
            ["store.db", "store.db-wal", "store.db.ingest.lock", "fluxtower.log", "2026/other.dat", "2026/store.db-wal"]
        {
            std::fs::write(path(name), "").unwrap();
            assert!(!says(&watched, &path(name), now), "{name}");
        }
        for name in ["met.dat", "met.dat.backup1", "m1.bak", "2026/met.dat", "2026/met.bak2"] {
            assert!(says(&watched, &path(name), now), "{name}");
            watched.look_at(now).unwrap();
        }
        let comes = |watched: &Watched<'_>, path: &Path| watched.events.as_ref().unwrap().says_that_it_comes(path, now);
        std::fs::create_dir(path("2027")).unwrap();
        for name in ["2027", "not", "not/yet", "2026"] {
            assert!(comes(&watched, &path(name)), "{name}");
            watched.look_at(now).unwrap();
        }
        assert!(!comes(&watched, &path("other.txt")));
    }

    #[test]
    fn a_change_whose_event_is_lost_is_found_by_the_next_seldom_look_and_its_folder_is_looked_at_often_from_then_on() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let other = "else/b.dat";
        std::fs::create_dir(path("else")).unwrap();
        for name in ["a.dat", other] {
            std::fs::write(path(name), "one").unwrap();
        }
        let config = config(folder.path(), "[\"a.dat\", \"else/b.dat\"]");
        let mut watched = with_silent_events(&config.tables);
        let start = Instant::now();
        let at = |seconds: f64| start + Duration::from_secs_f64(seconds);
        watched.look_at(start).unwrap();
        watched.look_at(at(3.0)).unwrap();
        std::fs::write(path("a.dat"), "longer").unwrap();
        assert!(watched.look_at(at(4.0)).unwrap().is_empty());
        assert_eq!(names(&watched.look_at(at(5.0)).unwrap()), ["a.dat"]);
        assert_eq!(watched.due(at(5.0)), at(5.0) + SECOND_READING);
        assert_eq!(names(&watched.look_at(at(7.5)).unwrap()), ["a.dat"]);
        assert_eq!(watched.due(at(7.5)), at(7.5) + POLL);
        // That folder, and not the other one.
        for name in ["a.dat", other] {
            std::fs::write(path(name), "longer still").unwrap();
        }
        assert_eq!(names(&watched.look_at(at(7.75)).unwrap()), ["a.dat"]);
        assert!(says(&watched, &path(other), at(7.8)));
        assert_eq!(names(&watched.look_at(at(8.0)).unwrap()), ["b.dat"]);
    }

    #[test]
    fn after_events_that_the_system_lost_every_file_is_looked_at() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.dat");
        std::fs::write(&path, "one").unwrap();
        let config = config(folder.path(), "[\"a.dat\"]");
        let mut watched = with_silent_events(&config.tables);
        let start = Instant::now();
        watched.look_at(start).unwrap();
        std::fs::write(&path, "longer").unwrap();
        assert!(watched.events.as_ref().unwrap().says_that_some_are_lost(start));
        assert_eq!(names(&watched.look_at(start + POLL).unwrap()), ["a.dat"]);
        watched.look_at(start + 2 * SECOND_READING).unwrap();
        assert!(!watched.trust.doubts_some());
    }

    /// The system's own events. No look is due before an hour has passed.
    #[test]
    fn files_that_come_by_any_way_wake_a_look() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let config = config(folder.path(), "[\"met.dat\", \"not/yet/*/x.dat\"]");
        let (wake, wakes) = std::sync::mpsc::channel();
        let hour = Duration::from_secs(3_600);
        let mut watched = Watched::new(&config.tables, hour).with_events(move || {
            let _ = wake.send(());
        });
        assert!(watched.look().unwrap().is_empty());
        let mut found = |name: &str| {
            while names(&watched.look().unwrap()) != [name] {
                wakes.recv_timeout(Duration::from_secs(120)).expect(name);
            }
            // Another event of the same writing.
            while wakes.try_recv().is_ok() {}
        };
        std::fs::write(path("met.dat"), "one").unwrap();
        found("met.dat");
        std::fs::write(path("met.dat"), "longer").unwrap();
        found("met.dat");
        std::fs::write(path("being_written"), "by another program").unwrap();
        std::fs::rename(path("being_written"), path("met.dat")).unwrap();
        found("met.dat");
        for (text, year) in [("one", "2026"), ("three", "2027")] {
            std::fs::create_dir_all(path("not/yet").join(year)).unwrap();
            std::fs::write(path("not/yet").join(year).join("x.dat"), text).unwrap();
            found("x.dat");
        }
        // Another folder takes the name.
        std::fs::remove_dir_all(path("not")).unwrap();
        std::fs::create_dir_all(path("not/yet/2026")).unwrap();
        std::fs::write(path("not/yet/2026/x.dat"), "of another folder").unwrap();
        found("x.dat");
        std::fs::rename(path("not"), path("was")).unwrap();
        std::fs::create_dir_all(path("not/yet/2026")).unwrap();
        std::fs::write(path("not/yet/2026/x.dat"), "of a third one").unwrap();
        found("x.dat");
    }

    #[test]
    fn a_pattern_is_watched_in_the_folder_before_its_first_wildcard() {
        for (pattern, folder) in [("/a/b/met.dat", "/a/b"), ("/a/b/*.dat", "/a/b"), ("/a/*/met.dat", "/a")] {
            assert_eq!(fixed_part(Path::new(pattern)), Path::new(folder));
        }
    }
}
