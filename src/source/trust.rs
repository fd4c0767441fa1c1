//! In which folders the system's file events can be relied on.
//!
//! Files in such a folder are looked at seldom. No kind of path says beforehand whether events come: some network drives bring
//! them, a file that is linked from elsewhere does not. So it is decided by evidence: where a look finds a change of which no
//! event came, the files of that folder are looked at often from then on, until it is watched anew.
//!
//! - A change counts only if its folder was watched at the look before.
//! - An event may come a moment after the look that found its change, so this is decided after [`GRACE`].

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::events::{Followed, Seen};

/// So late an event may come on a busy machine.
const GRACE: Duration = Duration::from_secs(1);

/// A file that changed without an event.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unannounced {
    pub(super) folder: PathBuf,
    pub(super) file: PathBuf,
}

/// What is known of the folders.
#[derive(Debug, Default)]
pub(super) struct Trust {
    /// Watched since before the last look at every file.
    watched: BTreeSet<PathBuf>,
    doubted: BTreeSet<PathBuf>,
    /// Files whose events came since the last look.
    came: BTreeSet<PathBuf>,
    /// Changes of which no event came yet, and when they were found.
    changed: BTreeMap<PathBuf, Instant>,
}

impl Trust {
    /// Events came. Those that were lost are no evidence against a folder.
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

    /// The folders are watched; gives those that cannot be, once.
    pub(super) fn followed(&mut self, followed: Followed) -> BTreeMap<PathBuf, String> {
        for folder in followed.new {
            self.watched.remove(&folder);
            self.doubted.remove(&folder);
        }
        followed.failed.into_iter().filter(|(folder, _)| self.doubted.insert(folder.clone())).collect()
    }

    /// A look found a change.
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

    /// Folders that are found unreliable now, with a file that shows it.
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

    /// Whether there are such folders.
    pub(super) fn doubts_some(&self) -> bool {
        !self.doubted.is_empty()
    }
}

/// A name by which a file is known whichever way it is written: Windows gives that of the disk.
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
        // Not watched before.
        trust.found(&file, start);
        trust.looked_at_all([&folder].into_iter());
        assert_eq!(trust.judge(start + 2 * GRACE), []);
        // The event came with the change, or a little later.
        trust.events(&seen(&["/d/a.dat"]));
        trust.found(&file, start);
        trust.events(&seen(&[]));
        trust.found(&file, start);
        assert_eq!(trust.judge(start + GRACE / 2), []);
        trust.events(&seen(&["/d/a.dat"]));
        assert_eq!(trust.judge(start + 2 * GRACE), []);
        assert!(!trust.is_doubted(&folder) && !trust.doubts_some());
        // None came.
        trust.events(&seen(&["/d/b.dat"]));
        trust.found(&file, start);
        assert_eq!(trust.judge(start + GRACE), [Unannounced { folder: folder.clone(), file: file.clone() }]);
        assert!(trust.is_doubted(&folder));
        trust.found(&file, start);
        assert_eq!(trust.judge(start + GRACE), [], "it is reported once");
        // Watched anew.
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
