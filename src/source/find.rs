//! Finds the files of a table: what its patterns match, and the copies that LoggerNet sets aside.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::error::SourceError;
use crate::config::TableConfig;

/// LoggerNet sets a file aside as `NAME.dat.backup` when the table's definition changed, and as `NAME.bak`, `.bak1`, …
/// when it makes a new file (Campbell FAQ 1290; LoggerNet manual, Data Filer). They may hold rows that are not read yet.
const SET_ASIDE: [&str; 2] = [".backup*", ".bak*"];

/// The files of a table, those set aside first, each once. Empty where no pattern matches.
pub fn find(table: &TableConfig) -> Result<Vec<PathBuf>, SourceError> {
    let mut aside = Vec::new();
    let mut current = Vec::new();
    for pattern in &table.files {
        if pattern.is_file() {
            current.push(pattern.clone());
        } else {
            current.extend(matches(&pattern.to_string_lossy())?);
        }
        let literal = pattern.is_file() || !is_pattern(pattern);
        let text = if literal {
            glob::Pattern::escape(&pattern.to_string_lossy())
        } else {
            pattern.to_string_lossy().into_owned()
        };
        for ending in SET_ASIDE {
            aside.extend(matches(&format!("{text}{ending}"))?);
        }
        if let Some(stem) =
            text.rfind('.').filter(|dot| !text[*dot..].contains(['/', '\\', '*', '?', ']'])).map(|dot| &text[..dot])
        {
            aside.extend(matches(&format!("{stem}.bak*"))?);
        }
    }
    aside.sort_by_key(|path| (modified(path), path.clone()));
    current.sort();
    let mut files: Vec<PathBuf> = Vec::new();
    for path in aside.into_iter().chain(current) {
        if !files.contains(&path) {
            files.push(path);
        }
    }
    Ok(files)
}

fn is_pattern(path: &Path) -> bool {
    path.to_string_lossy().contains(['*', '?', '['])
}

fn matches(pattern: &str) -> Result<Vec<PathBuf>, SourceError> {
    // Windows paths are compared without regard to case.
    let options = glob::MatchOptions { case_sensitive: !cfg!(windows), ..glob::MatchOptions::new() };
    let paths = glob::glob_with(pattern, options)
        .map_err(|error| SourceError::Pattern { pattern: pattern.to_owned(), reason: error.msg.to_owned() })?;
    // A folder that cannot be listed gives its error when its file is opened.
    Ok(paths.filter_map(std::result::Result::ok).filter(|path| path.is_file()).collect())
}

fn modified(path: &Path) -> Option<SystemTime> {
    path.metadata().ok()?.modified().ok()
}
