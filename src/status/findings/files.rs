//! Findings about the files of the tables, and the look at their folders that they are based on.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::share::share;
use super::{Finding, Kind, Lateness, Rule};
use crate::config::{Config, TableConfig};
use crate::source::{self, modified};
use crate::status::Facts;
use crate::store::ReadFile;
use crate::text::count;
use crate::time::Timestamp;

/// The folders of all tables, at one time.
#[derive(Debug, Clone, Default)]
pub struct Folders {
    /// In the order of the configuration.
    pub tables: Vec<TableFolders>,
}

/// The folders of a table.
#[derive(Debug, Clone, Default)]
pub struct TableFolders {
    /// Its name.
    pub table: String,
    /// Files that its patterns match.
    pub files: Vec<String>,
    /// When the newest of these was modified.
    pub newest: Option<Timestamp>,
    /// Why one of these cannot be opened.
    pub unreadable: Option<String>,
    /// Patterns that match no file.
    pub empty: Vec<PathBuf>,
    /// Files in the same folders with the same endings, newer than `newest`, which no pattern of any table matches.
    pub unmatched: Vec<PathBuf>,
    /// A folder on a network share.
    pub share: Option<String>,
}

impl Folders {
    /// Looks at the folders. A folder that cannot be listed has no files.
    pub fn look(config: &Config) -> Folders {
        let mut finder = source::Finder::default();
        let found: Vec<Vec<PathBuf>> =
            config.tables.iter().map(|table| finder.find(table).unwrap_or_default()).collect();
        let mut strangers = Strangers { known: found.iter().flatten().collect(), folders: HashMap::new() };
        let tables = config.tables.iter().zip(&found);
        Folders { tables: tables.map(|(table, own)| look(table, own, &mut finder, &mut strangers)).collect() }
    }
}

/// Files that no pattern of any table matches. Each folder is listed once.
struct Strangers<'a> {
    known: HashSet<&'a PathBuf>,
    folders: HashMap<PathBuf, Vec<(SystemTime, PathBuf)>>,
}

impl Strangers<'_> {
    /// Of a folder, with the times at which they were modified.
    fn of(&mut self, folder: &Path) -> &[(SystemTime, PathBuf)] {
        let known = &self.known;
        self.folders.entry(folder.to_owned()).or_insert_with(|| {
            let here = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
            let entries = std::fs::read_dir(here).into_iter().flatten().flatten();
            let paths = entries.map(|entry| folder.join(entry.file_name())).filter(|path| !known.contains(path));
            let files = paths.filter(|path| path.is_file());
            files.filter_map(|path| Some((modified(&path)?, path))).collect()
        })
    }
}

fn look(
    table: &TableConfig,
    own: &[PathBuf],
    finder: &mut source::Finder,
    strangers: &mut Strangers<'_>,
) -> TableFolders {
    let newest_file = own.iter().filter_map(|path| Some((modified(path)?, path))).max();
    let newest = newest_file.map(|(time, _)| time);
    let unreadable = newest_file.and_then(|(_, path)| {
        let error = std::fs::File::open(path).err()?;
        Some(format!("{} cannot be read ({error})", path.display()))
    });
    let mut is_empty = |pattern: &&PathBuf| {
        // One pattern that matched nothing is the table's only one, or the others matched.
        let one = TableConfig { files: vec![(*pattern).clone()], ..table.clone() };
        if table.files.len() == 1 { own.is_empty() } else { finder.find(&one).is_ok_and(|found| found.is_empty()) }
    };
    TableFolders {
        table: table.name.0.clone(),
        files: own.iter().map(|path| path.to_string_lossy().into_owned()).collect(),
        newest: newest.map(|time| Timestamp::from_utc(time.into())),
        unreadable,
        empty: table.files.iter().filter(|pattern| is_empty(pattern)).cloned().collect(),
        unmatched: unmatched(table, newest, strangers),
        share: table.files.iter().find_map(|pattern| share(pattern)),
    }
}

fn unmatched(table: &TableConfig, newest: Option<SystemTime>, strangers: &mut Strangers<'_>) -> Vec<PathBuf> {
    let Some(newest) = newest else { return Vec::new() };
    let mut found = BTreeSet::new();
    for pattern in &table.files {
        let (Some(folder), Some(ending)) = (pattern.parent(), pattern.extension()) else { continue };
        let is_alike = |path: &Path| path.extension().is_some_and(|own| own.eq_ignore_ascii_case(ending));
        for folder in folders(folder) {
            let newer = strangers.of(&folder).iter().filter(|(time, path)| *time > newest && is_alike(path));
            found.extend(newer.map(|(_, path)| path.clone()));
        }
    }
    found.into_iter().collect()
}

/// The folders in which the next files of a pattern may come: those that it names, and where a folder's name has a date, its
/// neighbours whose names differ in date and number parts alone.
fn folders(folder: &Path) -> Vec<PathBuf> {
    if folder.to_string_lossy().contains(['*', '?', '[']) {
        let found = glob::glob(&folder.to_string_lossy()).into_iter().flatten().filter_map(Result::ok);
        return found.filter(|path| path.is_dir()).collect();
    }
    let mut folders = vec![folder.to_owned()];
    let is_dated = |name: &str| !source::date_parts(name).is_empty() || name.parse::<u32>().is_ok();
    if let (Some(name), Some(parent)) = (folder.file_name().map(|name| name.to_string_lossy()), folder.parent())
        && is_dated(&name)
    {
        let here = if parent.as_os_str().is_empty() { Path::new(".") } else { parent };
        let entries = std::fs::read_dir(here).into_iter().flatten().flatten();
        let names = entries.filter(|entry| entry.path().is_dir()).map(|entry| entry.file_name());
        folders.extend(
            names
                .filter(|other| {
                    let other = other.to_string_lossy();
                    *other != name && is_dated(&other) && source::letters(&other) == source::letters(&name)
                })
                .map(|other| parent.join(other)),
        );
    }
    folders
}

/// Whether a file was read as it is, as by `ingest FILE`.
fn was_read(path: &Path, files: &[ReadFile]) -> bool {
    let Some(changed) = modified(path).map(|time| Timestamp::from_utc(time.into())) else { return false };
    let own = path.canonicalize();
    files.iter().filter(|file| file.modified >= changed).any(|file| {
        let read = Path::new(&file.path);
        let has_name = read.file_name() == path.file_name();
        has_name && (read == path || own.as_ref().is_ok_and(|own| read.canonicalize().is_ok_and(|read| read == *own)))
    })
}

pub(super) fn findings(config: &Config, facts: &Facts, now: Timestamp) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut files: HashMap<&str, Vec<&ReadFile>> = HashMap::new();
    for file in &facts.files {
        files.entry(&file.table).or_default().push(file);
    }
    for (table, folders) in config.tables.iter().zip(&facts.folders.tables) {
        let name = &table.name.0;
        let read = || files.get(name.as_str()).into_iter().flatten();
        let there: HashSet<&String> = folders.files.iter().collect();
        // A file that was given by hand, or is gone, is not read again, so nothing would ever clear what it left.
        for file in read().filter(|file| there.contains(&file.path)) {
            if let Some(note) = &file.note {
                let message = format!("table \"{name}\": {note}");
                found.push(Finding::new(Kind::UnreadableFile, message).of_table(name).about(file.path.as_str()));
            }
        }
        if let Some(message) = &folders.unreadable {
            found.push(
                Finding::new(Kind::UnreadableFile, format!("table \"{name}\": {message}"))
                    .of_table(name)
                    .fix("check who may read it, and that no program locks it"),
            );
        }
        for pattern in &folders.empty {
            let matched = glob::Pattern::new(&pattern.to_string_lossy());
            let before = matched.is_ok_and(|matched| read().any(|file| matched.matches(&file.path)));
            if before {
                found.push(
                    Finding::new(
                        Kind::NoFile,
                        format!("table \"{name}\": no file matches {} any more", pattern.display()),
                    )
                    .of_table(name)
                    .about(pattern.to_string_lossy())
                    .fix("correct `files`, or look at LoggerNet's output folder"),
                );
            }
        }
        let newest = facts.table(name).and_then(|status| status.newest);
        let is_stale = Rule::of(table, facts.interval(name)).judge(newest, now) == Lateness::Stale;
        let unread: Vec<&PathBuf> =
            folders.unmatched.iter().filter(|path| is_stale && !was_read(path, &facts.files)).collect();
        if let Some(first) = unread.first() {
            let more = unread.len() as u64;
            found.push(
                Finding::new(
                    Kind::UnmatchedFiles,
                    format!(
                        "table \"{name}\" gets no new row while its folder has {} that no pattern matches, such as {}",
                        count(more, "newer file"),
                        first.display()
                    ),
                )
                .of_table(name)
                .fix("add them to `files` of the table that they belong to"),
            );
        }
        // Rows that come show that the task sees the share.
        let is_missed = is_stale || newest.is_none();
        if let Some(share) = folders.share.as_ref().filter(|_| facts.is_scheduled && is_missed) {
            found.push(
                Finding::new(
                    Kind::NetworkShare,
                    format!("table \"{name}\" is read from the network share {share} by a scheduled task"),
                )
                .of_table(name)
                .fix(
                    "a task without a stored password does not see shares: set the task to run with the password, or copy the \
                     files to this computer",
                ),
            );
        }
    }
    found
}
