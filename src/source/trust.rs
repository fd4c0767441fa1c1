//! Decides in which folders the system's file events are reliable.
//!
//! Files in a reliable folder are looked at seldom. The kind of path does not show whether events are sent: some
//! network drives send them, but not for a file that is linked from elsewhere. So it is decided by evidence: if a look
//! finds a change without an event, the files of that folder are looked at often from then on, until the folder's watch
//! is set again.
//!
//! - A change counts only if its folder was watched at the previous look.
//! - An event may arrive a moment after the look that found its change, so the decision is made after [`GRACE`].

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::events::{Followed, Seen};

/// How late an event may arrive on a busy machine.
const GRACE: Duration = Duration::from_secs(1);

/// A file that changed without an event.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unannounced {
    pub(super) folder: PathBuf,
    pub(super) file: PathBuf,
}

/// The evidence about the folders.
#[derive(Debug, Default)]
pub(super) struct Trust {
    /// Folders that were watched before the last look at every file.
    watched: BTreeSet<PathBuf>,
    doubted: BTreeSet<PathBuf>,
    /// Files for which an event arrived since the last look.
    came: BTreeSet<PathBuf>,
    /// Changes for which no event arrived yet, and when they were found.
    changed: BTreeMap<PathBuf, Instant>,
}

impl Trust {
    /// Adds events. After lost events, missing ones are no evidence against a folder.
    pub(super) fn events(&mut self, seen: &Seen) {
        self.came = seen.files.iter().map(|path| name(path).into_owned()).collect();
        for path in &self.came {
            self.changed.remove(path);
        }
        if seen.is_incomplete {
            self.changed.clear();
            self.watched.clear();
        }
    }

    /// Adds the result of watching folders. Returns those that cannot be watched, each once.
    pub(super) fn followed(&mut self, followed: Followed) -> BTreeMap<PathBuf, String> {
        for folder in followed.new {
            self.watched.remove(&folder);
            self.doubted.remove(&folder);
        }
        followed.failed.into_iter().filter(|(folder, _)| self.doubted.insert(folder.clone())).collect()
    }

    /// Adds a change that a look has found.
    pub(super) fn found(&mut self, path: &Path, now: Instant) {
        let is_watched = path.parent().is_some_and(|folder| self.watched.contains(folder));
        let name = name(path);
        if is_watched && !self.came.contains(name.as_ref()) {
            self.changed.entry(name.into_owned()).or_insert(now);
        }
    }

    /// Every file was looked at while these folders were watched.
    pub(super) fn looked_at_all<'p>(&mut self, watched: impl Iterator<Item = &'p PathBuf>) {
        self.watched = watched.cloned().collect();
    }

    /// The folders that are now found to be unreliable, with a file that shows it.
    pub(super) fn judge(&mut self, now: Instant) -> Vec<Unannounced> {
        let late = |found: &Instant| now.duration_since(*found) >= GRACE;
        if !self.changed.values().any(late) {
            return Vec::new();
        }
        let found = std::mem::take(&mut self.changed);
        let (late, rest): (BTreeMap<_, _>, BTreeMap<_, _>) = found.into_iter().partition(|(_, found)| late(found));
        self.changed = rest;
        let folders = self.watched.iter().map(|folder| (name(folder).into_owned(), folder.clone()));
        let folders: BTreeMap<PathBuf, PathBuf> = folders.collect();
        let of_folder = |file: PathBuf| Some(Unannounced { folder: folders.get(file.parent()?)?.clone(), file });
        let late = late.into_keys().filter_map(of_folder);
        late.filter(|one| self.doubted.insert(one.folder.clone())).collect()
    }

    /// Whether the files of a folder are to be looked at often.
    pub(super) fn is_doubted(&self, folder: &Path) -> bool {
        self.doubted.contains(folder)
    }

    /// Whether there is such a folder.
    pub(super) fn doubts_some(&self) -> bool {
        !self.doubted.is_empty()
    }
}

/// The name by which a file is known, however it is written: on Windows the name on the disk.
fn name(path: &Path) -> Cow<'_, Path> {
    if cfg!(windows) { PathBuf::from(path.to_string_lossy().to_lowercase()).into() } else { path.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(files: &[&str]) -> Seen {
        Seen { files: files.iter().map(PathBuf::from).collect(), ..Seen::default() }
    }

    #[test]
    fn a_folder_is_doubted_once_a_change_had_no_event_for_a_second() {
        let (folder, file) = (PathBuf::from("/d"), PathBuf::from("/d/a.dat"));
        let start = Instant::now();
        let mut trust = Trust::default();
        // The folder was not watched before.
        trust.found(&file, start);
        trust.looked_at_all([&folder].into_iter());
        assert_eq!(trust.judge(start + 2 * GRACE), []);
        // The event arrives with the change, or a little later.
        trust.events(&seen(&["/d/a.dat"]));
        trust.found(&file, start);
        trust.events(&seen(&[]));
        trust.found(&file, start);
        assert_eq!(trust.judge(start + GRACE / 2), []);
        trust.events(&seen(&["/d/a.dat"]));
        assert_eq!(trust.judge(start + 2 * GRACE), []);
        assert!(!trust.is_doubted(&folder) && !trust.doubts_some());
        // No event arrives.
        trust.events(&seen(&["/d/b.dat"]));
        trust.found(&file, start);
        assert_eq!(trust.judge(start + GRACE), [Unannounced { folder: folder.clone(), file: file.clone() }]);
        assert!(trust.is_doubted(&folder));
        trust.found(&file, start);
        assert_eq!(trust.judge(start + GRACE), [], "it is reported once");
        // The watch is set again.
        trust.followed(Followed { new: [folder.clone()].into(), ..Followed::default() });
        assert!(!trust.is_doubted(&folder));
    }

    #[test]
    fn events_that_the_system_says_it_lost_are_no_evidence() {
        let (folder, file) = (PathBuf::from("/d"), PathBuf::from("/d/a.dat"));
        let start = Instant::now();
        let mut trust = Trust::default();
        trust.looked_at_all([&folder].into_iter());
        trust.found(&file, start);
        trust.events(&Seen { is_incomplete: true, ..Seen::default() });
        trust.found(&file, start);
        assert_eq!(trust.judge(start + 2 * GRACE), []);
    }
}
