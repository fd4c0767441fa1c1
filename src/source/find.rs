//! Finds the files of a table: those that its patterns match, and the copies that LoggerNet sets aside.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use super::error::SourceError;
use super::modified;
use crate::config::TableConfig;

/// LoggerNet renames a file to `NAME.dat.backup` when the table's definition changed, and to `NAME.bak`, `.bak1`, …
/// when it starts a new file (Campbell FAQ 1290; LoggerNet manual, Data Filer). Such copies may hold rows that are not
/// read yet.
const SET_ASIDE: [&str; 2] = [".backup*", ".bak*"];

/// Finds the files of tables. A folder that several patterns share is listed once.
#[derive(Debug, Default)]
pub struct Finder {
    /// Whether a folder has files that may be such copies.
    has_aside: HashMap<PathBuf, bool>,
}

/// The files of a table, each once, the copies first. Empty if no pattern matches.
///
/// # Errors
/// A pattern is not valid.
pub fn find(table: &TableConfig) -> Result<Vec<PathBuf>, SourceError> {
    Finder::default().find(table)
}

impl Finder {
    /// Like [`find`], with the folders remembered from earlier calls.
    ///
    /// # Errors
    /// A pattern is not valid.
    pub fn find(&mut self, table: &TableConfig) -> Result<Vec<PathBuf>, SourceError> {
        let mut aside = Vec::new();
        let mut current = Vec::new();
        for pattern in &table.files {
            let is_file = pattern.is_file();
            if is_file {
                current.push(pattern.clone());
            } else {
                current.extend(matches(&pattern.to_string_lossy())?);
            }
            if !self.may_be_aside(pattern) {
                continue;
            }
            let text = if is_file || !is_pattern(pattern) {
                glob::Pattern::escape(&pattern.to_string_lossy())
            } else {
                pattern.to_string_lossy().into_owned()
            };
            for pattern in set_aside(&text) {
                aside.extend(matches(&pattern)?);
            }
        }
        aside.sort_by_cached_key(|path| (modified(path), path.clone()));
        current.sort();
        let mut known = HashSet::new();
        Ok(aside.into_iter().chain(current).filter(|path| known.insert(path.clone())).collect())
    }

    /// Whether the folder of a pattern may have copies. True for a folder that the pattern does not name exactly.
    fn may_be_aside(&mut self, pattern: &Path) -> bool {
        let Some(folder) = pattern.parent().filter(|folder| !is_pattern(folder)) else { return true };
        *self.has_aside.entry(folder.to_owned()).or_insert_with(|| {
            let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
            let Ok(entries) = std::fs::read_dir(folder) else { return true };
            entries.flatten().any(|entry| {
                let name = entry.file_name().to_string_lossy().to_ascii_lowercase();
                name.contains(".backup") || name.contains(".bak")
            })
        })
    }
}

/// The patterns of the copies that LoggerNet makes of the files that a pattern matches.
pub(super) fn set_aside(pattern: &str) -> Vec<String> {
    let mut found: Vec<String> = SET_ASIDE.iter().map(|ending| format!("{pattern}{ending}")).collect();
    let dot = pattern.rfind('.').filter(|dot| !pattern[*dot..].contains(['/', '\\', '*', '?', ']']));
    found.extend(dot.map(|dot| format!("{}.bak*", &pattern[..dot])));
    found
}

/// The patterns that match no file, in the form for a message.
pub fn listed(patterns: &[PathBuf]) -> String {
    let listed: Vec<String> = patterns.iter().map(|pattern| pattern.display().to_string()).collect();
    let mut text = listed.join(", ");
    // The rest after removing brackets that stand for a literal character.
    let has_class = |text: &String| {
        ["[[]", "[]]", "[?]", "[*]"].iter().fold(text.clone(), |text, own| text.replace(own, "")).contains('[')
    };
    if listed.iter().any(has_class) {
        text.push_str(" (brackets in `files` stand for one of the signs between them; write [[] for [ in a name)");
    }
    text
}

pub(super) fn is_pattern(path: &Path) -> bool {
    path.to_string_lossy().contains(['*', '?', '['])
}

/// How paths are compared with patterns: without regard to case on Windows.
pub fn match_options() -> glob::MatchOptions {
    glob::MatchOptions { case_sensitive: !cfg!(windows), ..glob::MatchOptions::new() }
}

/// The files that a pattern matches, without the copies that LoggerNet sets aside.
///
/// # Errors
/// The pattern is not valid.
pub fn matches(pattern: &str) -> Result<Vec<PathBuf>, SourceError> {
    Ok(all(pattern)?.filter(|path| path.is_file()).collect())
}

fn all(pattern: &str) -> Result<impl Iterator<Item = PathBuf>, SourceError> {
    let paths = glob::glob_with(pattern, match_options())
        .map_err(|error| SourceError::Pattern { pattern: pattern.to_owned(), reason: error.msg.to_owned() })?;
    // If a folder cannot be listed, opening its file returns the error.
    Ok(paths.filter_map(std::result::Result::ok))
}

/// The folders that a pattern matches.
///
/// # Errors
/// The pattern is not valid.
pub(super) fn folders_of(pattern: &str) -> Result<Vec<PathBuf>, SourceError> {
    Ok(all(pattern)?.filter(|path| path.is_dir()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::source::config_of as config;

    fn names(config: &Config) -> Vec<String> {
        let found = find(&config.tables[0]).unwrap();
        found.iter().map(|path| path.file_name().unwrap().to_string_lossy().into_owned()).collect()
    }

    #[test]
    fn files_set_aside_come_first_and_each_file_comes_once() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["b.dat", "a.dat", "a.dat.backup", "a.bak1", "other.txt"] {
            std::fs::write(folder.path().join(name), "x").unwrap();
        }
        let mut found = names(&config(folder.path(), "[\"*.dat\", \"a.dat\"]"));
        found[..2].sort();
        assert_eq!(found, ["a.bak1", "a.dat.backup", "a.dat", "b.dat"]);
    }

    #[test]
    fn a_pattern_with_brackets_that_matches_nothing_is_explained() {
        let text = |pattern: &str| listed(&[PathBuf::from(pattern)]);
        assert!(text("data[1]/*.dat").ends_with("write [[] for [ in a name)"));
        assert_eq!(text("/site [[]old[]]/*.dat"), "/site [[]old[]]/*.dat");
    }

    #[test]
    fn ten_thousand_files_are_found_in_seconds() {
        let folder = tempfile::tempdir().unwrap();
        for number in 0..10_000 {
            std::fs::write(folder.path().join(format!("met_{number:05}.dat")), "").unwrap();
        }
        let config = config(folder.path(), "[\"met_*.dat\", \"*.dat\"]");
        let begun = std::time::Instant::now();
        assert_eq!(names(&config).len(), 10_000);
        assert!(begun.elapsed().as_secs() < 5, "{:?}", begun.elapsed());
    }
}
