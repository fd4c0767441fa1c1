//! Findings about the files of the tables, and what a look at their folders gives.

use std::collections::{BTreeSet, HashSet};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::share::share;
use super::{Finding, Kind, Lateness, Rule};
use crate::config::{Config, TableConfig};
use crate::source;
use crate::status::Facts;
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
        let found: Vec<Vec<PathBuf>> =
            config.tables.iter().map(|table| source::find(table).unwrap_or_default()).collect();
        let known: HashSet<&Path> = found.iter().flatten().map(PathBuf::as_path).collect();
        let tables = config.tables.iter().zip(&found);
        Folders { tables: tables.map(|(table, own)| look(table, own, &known)).collect() }
    }
}

fn look(table: &TableConfig, own: &[PathBuf], known: &HashSet<&Path>) -> TableFolders {
    let newest = own.iter().filter_map(|path| modified(path)).max();
    let newest_file = own.iter().max_by_key(|path| modified(path));
    let unreadable = newest_file.and_then(|path| {
        let error = std::fs::File::open(path).err()?;
        Some(format!("{} cannot be read ({error})", path.display()))
    });
    let is_empty = |pattern: &&PathBuf| {
        let one = TableConfig { files: vec![(*pattern).clone()], ..table.clone() };
        source::find(&one).is_ok_and(|found| found.is_empty())
    };
    TableFolders {
        table: table.name.0.clone(),
        files: own.iter().map(|path| path.to_string_lossy().into_owned()).collect(),
        newest: newest.map(|time| Timestamp::from_utc(time.into())),
        unreadable,
        empty: table.files.iter().filter(is_empty).cloned().collect(),
        unmatched: unmatched(table, newest, known),
        share: table.files.iter().find_map(|pattern| share(pattern)),
    }
}

fn modified(path: &Path) -> Option<SystemTime> {
    path.metadata().ok()?.modified().ok()
}

fn unmatched(table: &TableConfig, newest: Option<SystemTime>, known: &HashSet<&Path>) -> Vec<PathBuf> {
    let Some(newest) = newest else { return Vec::new() };
    let mut found = BTreeSet::new();
    for pattern in &table.files {
        let folder = pattern.parent().filter(|folder| !folder.to_string_lossy().contains(['*', '?', '[']));
        let (Some(folder), Some(ending)) = (folder, pattern.extension()) else { continue };
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            let is_alike = path.extension().is_some_and(|own| own.eq_ignore_ascii_case(ending));
            if is_alike
                && !known.contains(path.as_path())
                && path.is_file()
                && modified(&path).is_some_and(|time| time > newest)
            {
                found.insert(path);
            }
        }
    }
    found.into_iter().collect()
}

pub(super) fn findings(config: &Config, facts: &Facts, now: Timestamp) -> Vec<Finding> {
    let mut found = Vec::new();
    for (table, folders) in config.tables.iter().zip(&facts.folders.tables) {
        let name = &table.name.0;
        let read = || facts.files.iter().filter(|file| file.table == *name);
        // A file that was given by hand, or is gone, is not read again, so nothing would ever clear what it left.
        // Few have a note, of the many files of some tables.
        let noted = read().filter_map(|file| Some((&file.path, file.note.as_ref()?)));
        for (_, note) in noted.filter(|(path, _)| folders.files.contains(path)) {
            found.push(Finding::new(Kind::UnreadableFile, note.clone()).of_table(name));
        }
        if let Some(message) = &folders.unreadable {
            found.push(
                Finding::new(Kind::UnreadableFile, message.clone())
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
                    .fix("correct `files`, or look at LoggerNet's output folder"),
                );
            }
        }
        let newest = facts.table(name).and_then(|status| status.newest);
        let is_stale = Rule::of(table.stale_after, facts.interval(name)).judge(newest, now) == Lateness::Stale;
        if let Some(first) = folders.unmatched.first().filter(|_| is_stale) {
            let more = folders.unmatched.len() as u64;
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
