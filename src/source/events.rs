//! Receives the system's file events (inotify, ReadDirectoryChangesW, FSEvents; crate `notify`), as hints to look at
//! files now.
//!
//! - An event decides neither what is read nor that there is nothing to read. Events are lost when a queue overflows,
//!   are not sent by most network drives, and on Windows may be late for a file that its writer keeps open:
//!   [`super::trust`].
//! - Each folder is watched without its subfolders: a file that takes another file's name is noticed, and a large tree
//!   costs one watch for each folder that may hold a file of a table. For a folder that does not exist, its nearest
//!   existing parent is watched.
//! - Only events on paths that a table's patterns may match count. The database may be in the same folder: otherwise
//!   each pass would cause the next one. Reading a file causes events too, which do not count.
//! - One write causes several events: they are due when no event followed for [`QUIET`], and at the latest after
//!   [`AT_MOST`].

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use ::notify::event::{EventKind, ModifyKind};
use ::notify::{RecommendedWatcher, RecursiveMode, Watcher};
use glob::Pattern;

use super::find::{is_pattern, match_options, set_aside};
use crate::config::TableConfig;

/// How long after an event another one of the same write may follow: LoggerNet truncates a file and writes it again.
const QUIET: Duration = Duration::from_millis(10);
const AT_MOST: Duration = Duration::from_millis(100);
/// The most names that are remembered of files that belong to no table.
const NAMES: usize = 10_000;

/// The events since the last call of `take`.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// Files that may belong to a table.
    pub(super) files: BTreeSet<PathBuf>,
    /// Watched folders, or parents of a wanted folder, that appeared or disappeared.
    pub(super) folders: BTreeSet<PathBuf>,
    /// Whether the folders must be listed.
    pub(super) lists: bool,
    /// Whether events were lost.
    pub(super) is_incomplete: bool,
    pub(super) first: Option<Instant>,
    pub(super) last: Option<Instant>,
}

/// Watches folders for file events.
#[derive(Debug)]
pub(super) struct FileEvents {
    /// None in tests that inject the events.
    watcher: Option<RecommendedWatcher>,
    inbox: Arc<Inbox>,
    /// The watched folders, with the identity of the folder that has the name.
    watched: BTreeMap<PathBuf, Option<Identity>>,
    /// Folders whose watch must be set again.
    gone: BTreeSet<PathBuf>,
}

/// The result of watching the folders.
#[derive(Debug, Default)]
pub(super) struct Followed {
    /// Folders that are watched from now on.
    pub(super) new: BTreeSet<PathBuf>,
    /// Folders that cannot be watched, and why.
    pub(super) failed: BTreeMap<PathBuf, String>,
}

impl FileEvents {
    /// Starts the watcher, which calls `wake` at the first event after each [`FileEvents::take`].
    ///
    /// # Errors
    /// The system has no file events, or its limit for this user is reached.
    pub(super) fn start(wake: impl Fn() + Send + 'static) -> ::notify::Result<FileEvents> {
        let inbox = Arc::new(Inbox::default());
        let fills = Arc::clone(&inbox);
        let watcher = ::notify::recommended_watcher(move |event| {
            if fills.put(&event, Instant::now()) {
                wake();
            }
        })?;
        Ok(FileEvents { watcher: Some(watcher), inbox, watched: BTreeMap::new(), gone: BTreeSet::new() })
    }

    /// Returns the events since the last call.
    pub(super) fn take(&mut self) -> Seen {
        let mut seen = std::mem::take(&mut self.inbox.lock().seen);
        self.gone.append(&mut seen.folders);
        seen
    }

    /// The time when the files of these events should be looked at.
    pub(super) fn due(&self) -> Option<Instant> {
        let inbox = self.inbox.lock();
        Some((inbox.seen.last? + QUIET).min(inbox.seen.first? + AT_MOST))
    }

    /// Watches exactly these folders, for the events that `interest` selects.
    pub(super) fn follow(&mut self, folders: &BTreeSet<PathBuf>, interest: Interest) -> Followed {
        self.inbox.lock().interest = interest;
        let wanted: BTreeMap<&Path, &Path> =
            folders.iter().filter_map(|folder| Some((folder.as_path(), nearest(folder)?))).collect();
        let targets: BTreeSet<&Path> = wanted.values().copied().collect();
        let gone = std::mem::take(&mut self.gone);
        let ended: Vec<PathBuf> = (self.watched.iter())
            .filter(|(path, known)| {
                !targets.contains(path.as_path()) || gone.contains(*path) || Identity::of(path) != **known
            })
            .map(|(path, _)| path.clone())
            .collect();
        for path in ended {
            self.watched.remove(&path);
            if let Some(watcher) = &mut self.watcher {
                // The watch of a deleted folder has ended already.
                let _ = watcher.unwatch(&path);
            }
        }
        let mut followed = Followed::default();
        let mut failed = BTreeMap::new();
        for target in targets {
            if self.watched.contains_key(target) {
                continue;
            }
            // This comes before the watch: a folder that takes the name in between is then watched again.
            let identity = Identity::of(target);
            let watch = |watcher: &mut RecommendedWatcher| watcher.watch(target, RecursiveMode::NonRecursive);
            match self.watcher.as_mut().map_or(Ok(()), watch) {
                Ok(()) => {
                    self.watched.insert(target.to_owned(), identity);
                    followed.new.insert(target.to_owned());
                }
                Err(error) => {
                    failed.insert(target.to_owned(), error.to_string());
                }
            }
        }
        for (folder, target) in wanted {
            if let Some(why) = failed.get(target) {
                followed.failed.insert(folder.to_owned(), why.clone());
            }
        }
        followed
    }
}

/// The folder itself, or its nearest existing parent.
fn nearest(folder: &Path) -> Option<&Path> {
    folder.ancestors().find(|path| path.is_dir())
}

/// Distinguishes a folder from another folder that took its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Identity(u64, u64);

impl Identity {
    #[cfg(unix)]
    fn of(path: &Path) -> Option<Identity> {
        use std::os::unix::fs::MetadataExt;
        path.metadata().ok().map(|found| Identity(found.dev(), found.ino()))
    }

    #[cfg(windows)]
    fn of(path: &Path) -> Option<Identity> {
        use std::os::windows::fs::MetadataExt;
        path.metadata().ok().map(|found| Identity(found.creation_time(), 0))
    }
}

/// What kind of path an event concerns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum About {
    /// A file of a table.
    File,
    /// A folder of a pattern, or a parent of one.
    Folder,
    /// A folder of a pattern, if the path is a folder.
    MayBeFolder,
    Nothing,
}

/// Selects the events that count.
#[derive(Debug, Default)]
pub(super) struct Interest {
    files: Vec<Pattern>,
    folders: Vec<Pattern>,
    above: BTreeSet<PathBuf>,
    known: HashMap<PathBuf, About>,
}

impl Interest {
    /// Selects what the patterns of these tables may match. `folders` are the folders to be watched.
    pub(super) fn of(tables: &[TableConfig], folders: &BTreeSet<PathBuf>) -> Interest {
        let mut interest = Interest::default();
        for path in tables.iter().flat_map(|table| &table.files) {
            let text = path.to_string_lossy().into_owned();
            let literal = is_pattern(path).then(|| Pattern::escape(&text));
            for text in literal.into_iter().chain([text]) {
                let all = set_aside(&text).into_iter().chain([text]);
                interest.files.extend(all.filter_map(|text| Pattern::new(&text).ok()));
            }
            interest.folders.extend(folder_patterns(path).iter().filter_map(|text| Pattern::new(text).ok()));
        }
        interest.above = folders.iter().flat_map(|folder| folder.ancestors()).map(Path::to_owned).collect();
        interest
    }

    fn about(&mut self, path: &Path) -> About {
        if let Some(known) = self.known.get(path) {
            return *known;
        }
        let matches = |patterns: &[Pattern]| patterns.iter().any(|one| one.matches_path_with(path, match_options()));
        let about = if matches(&self.files) {
            About::File
        } else if self.above.contains(path) {
            About::Folder
        } else if matches(&self.folders) {
            About::MayBeFolder
        } else {
            About::Nothing
        };
        if self.known.len() >= NAMES {
            self.known.clear();
        }
        self.known.insert(path.to_owned(), about);
        about
    }
}

/// The patterns for the folders between the first wildcard and the file name.
pub(super) fn folder_patterns(pattern: &Path) -> Vec<String> {
    let Some(folder) = pattern.parent() else { return Vec::new() };
    folder.ancestors().take_while(|folder| is_pattern(folder)).map(|part| part.to_string_lossy().into_owned()).collect()
}

#[derive(Debug, Default)]
struct Contents {
    interest: Interest,
    seen: Seen,
}

/// The events, filled by the thread of `notify`.
#[derive(Debug, Default)]
struct Inbox(Mutex<Contents>);

impl Inbox {
    fn lock(&self) -> MutexGuard<'_, Contents> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds an event. Returns whether it is the first one that counts.
    fn put(&self, event: &::notify::Result<::notify::Event>, now: Instant) -> bool {
        let mut contents = self.lock();
        let Contents { interest, seen } = &mut *contents;
        let counts = match event {
            Ok(event) if event.need_rescan() => {
                seen.is_incomplete = true;
                true
            }
            Ok(event) => {
                let counted = event.paths.iter().filter(|path| put(interest, seen, event.kind, path)).count();
                counted > 0
            }
            Err(_) => {
                seen.is_incomplete = true;
                true
            }
        };
        if !counts {
            return false;
        }
        seen.last = Some(now);
        seen.first.replace(seen.first.unwrap_or(now)).is_none()
    }
}

fn put(interest: &mut Interest, seen: &mut Seen, kind: EventKind, path: &Path) -> bool {
    if matches!(kind, EventKind::Access(_)) {
        return false;
    }
    let comes_or_goes =
        !matches!(kind, EventKind::Modify(ModifyKind::Any | ModifyKind::Data(_) | ModifyKind::Metadata(_)));
    match interest.about(path) {
        About::File => {
            seen.files.insert(path.to_owned());
            true
        }
        About::Folder if comes_or_goes => {
            seen.folders.insert(path.to_owned());
            seen.lists = true;
            true
        }
        About::MayBeFolder if comes_or_goes && path.is_dir() => {
            seen.lists = true;
            true
        }
        _ => false,
    }
}

#[cfg(test)]
impl FileEvents {
    /// Watches nothing: tests inject events with [`FileEvents::says`].
    pub(super) fn silent() -> FileEvents {
        FileEvents { watcher: None, inbox: Arc::default(), watched: BTreeMap::new(), gone: BTreeSet::new() }
    }

    /// Injects the event that this file has changed.
    pub(super) fn says(&self, path: &Path, now: Instant) -> bool {
        let kind = EventKind::Modify(ModifyKind::Data(::notify::event::DataChange::Any));
        self.inbox.put(&Ok(::notify::Event::new(kind).add_path(path.to_owned())), now)
    }

    /// Injects the event that this file or folder was created.
    pub(super) fn says_that_it_comes(&self, path: &Path, now: Instant) -> bool {
        let kind = EventKind::Create(::notify::event::CreateKind::Any);
        self.inbox.put(&Ok(::notify::Event::new(kind).add_path(path.to_owned())), now)
    }

    /// Injects the event that events were lost.
    pub(super) fn says_that_some_are_lost(&self, now: Instant) -> bool {
        let event = ::notify::Event::new(EventKind::Other).set_flag(::notify::event::Flag::Rescan);
        self.inbox.put(&Ok(event), now)
    }
}
