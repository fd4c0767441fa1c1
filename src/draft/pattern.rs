//! Writes `files = [...]`: one literal path, one glob where several files share a table, otherwise a list.

use std::fs;
use std::path::{Path, PathBuf};

/// A pattern with fewer fixed letters could match unrelated files.
const LEAST_LETTERS: usize = 3;

/// The entries of `files`, relative to `folder` where they are below it; and whether one of them is a glob.
pub(super) fn files(paths: &[PathBuf], folder: &Path) -> (Vec<String>, bool) {
    if paths.len() > 1
        && let Some((parent, pattern)) = common(paths)
    {
        let parent = shown(parent, folder);
        let pattern =
            if parent.is_empty() { pattern } else { format!("{parent}{}{pattern}", std::path::MAIN_SEPARATOR) };
        return (vec![pattern], true);
    }
    (paths.iter().map(|path| shown(path, folder)).collect(), false)
}

/// `path` as written in the configuration; glob characters in it are escaped.
fn shown(path: &Path, folder: &Path) -> String {
    let short = path.strip_prefix(folder).unwrap_or(path);
    glob::Pattern::escape(&short.to_string_lossy())
}

/// The common part of the names, with `*` for the rest, if that matches no other file of their folder.
fn common(paths: &[PathBuf]) -> Option<(&Path, String)> {
    let parent = paths.first()?.parent()?;
    let names: Vec<&str> = paths.iter().filter_map(|path| path.file_name()?.to_str()).collect();
    if names.len() != paths.len() || paths.iter().any(|path| path.parent() != Some(parent)) {
        return None;
    }
    let first = names.first()?;
    let head = first
        .char_indices()
        .map(|(at, c)| at + c.len_utf8())
        .take_while(|&end| names.iter().all(|name| name.starts_with(&first[..end])))
        .last()
        .unwrap_or(0);
    // The year of the next file may differ in more digits than those of these files.
    let head = first[..head].trim_end_matches(|c: char| c.is_ascii_digit());
    let tail = first
        .char_indices()
        .map(|(at, _)| at)
        .find(|&begin| {
            let tail = &first[begin..];
            names.iter().all(|name| name.len() >= head.len() + tail.len() && name.ends_with(tail))
        })
        .map_or("", |begin| &first[begin..]);
    let tail = tail.trim_start_matches(|c: char| c.is_ascii_digit());
    let letters = |text: &str| text.chars().filter(|c| c.is_alphanumeric()).count();
    let stem = tail.split('.').next().unwrap_or_default();
    if letters(head) + letters(stem) < LEAST_LETTERS {
        return None;
    }
    let pattern = format!("{}*{}", glob::Pattern::escape(head), glob::Pattern::escape(tail));
    let matcher = glob::Pattern::new(&pattern).ok()?;
    let alone = fs::read_dir(parent).ok()?.filter_map(Result::ok).all(|entry| {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        !matcher.matches(&name) || names.contains(&name.as_ref())
    });
    alone.then_some((parent, pattern))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(names: &[&str], others: &[&str]) -> (Vec<String>, bool) {
        let folder = tempfile::tempdir().unwrap();
        for name in names.iter().chain(others) {
            fs::write(folder.path().join(name), "").unwrap();
        }
        let paths: Vec<PathBuf> = names.iter().map(|name| folder.path().join(name)).collect();
        files(&paths, folder.path())
    }

    #[test]
    fn files_of_one_table_become_a_pattern() {
        assert_eq!(with(&["met_2021.dat", "met_2022.dat"], &["soil.dat"]), (vec!["met_*.dat".to_owned()], true));
        assert_eq!(with(&["a_met.dat", "b_met.dat"], &[]), (vec!["*_met.dat".to_owned()], true));
        assert_eq!(with(&["met.dat", "met_old.dat"], &[]), (vec!["met*.dat".to_owned()], true));
    }

    #[test]
    fn a_pattern_that_matches_another_file_is_no_pattern() {
        let expected = vec!["met_2021.dat".to_owned(), "met_2022.dat".to_owned()];
        assert_eq!(with(&["met_2021.dat", "met_2022.dat"], &["met_soil.dat"]), (expected, false));
    }

    #[test]
    fn names_with_nothing_in_common_are_listed() {
        assert_eq!(with(&["x.dat", "y.dat"], &[]), (vec!["x.dat".to_owned(), "y.dat".to_owned()], false));
    }

    #[test]
    fn glob_characters_in_a_name_are_escaped() {
        assert_eq!(with(&["met[1].dat"], &[]), (vec!["met[[]1[]].dat".to_owned()], false));
    }
}
