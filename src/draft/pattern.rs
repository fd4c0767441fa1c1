//! Writes `files = [...]`: one literal path, one glob pattern if several files belong to a table, otherwise a list.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use crate::source::{DatePart, date_parts};

/// A pattern with fewer fixed letters could match unrelated files.
const LEAST_LETTERS: usize = 3;

/// The entries of `files`, relative to `folder` if they are below it; and whether one of them is a glob pattern. A
/// single file gets a pattern if its name has a date, because the next day's file has another one.
pub(super) fn files(paths: &[PathBuf], folder: &Path) -> (Vec<String>, bool) {
    if let Some(pattern) = folders(paths, folder).and_then(|parent| common(paths, &parent, folder)) {
        return (vec![pattern], true);
    }
    (paths.iter().map(|path| shown(path, folder)).collect(), false)
}

/// `path` as it is written in the configuration; glob characters in it are escaped.
fn shown(path: &Path, folder: &Path) -> String {
    let short = path.strip_prefix(folder).unwrap_or(path);
    glob::Pattern::escape(&short.to_string_lossy())
}

/// The folder of all files as a pattern. A date in it becomes `*`, because the next month has another folder. None if
/// the files are in folders whose names differ in more than date and number parts.
fn folders(paths: &[PathBuf], folder: &Path) -> Option<String> {
    let parents: Vec<&Path> = paths.iter().filter_map(|path| path.parent()).collect();
    let first = parents.first()?;
    if first.strip_prefix(folder).is_err() && parents.iter().all(|parent| parent == first) {
        return Some(glob::Pattern::escape(&first.to_string_lossy()));
    }
    let split = |path: &Path| -> Vec<String> {
        let below = path.strip_prefix(folder).unwrap_or(path);
        below.components().map(|part| part.as_os_str().to_string_lossy().into_owned()).collect()
    };
    let split: Vec<Vec<String>> = parents.iter().map(|parent| split(parent)).collect();
    let length = split.first()?.len();
    if split.iter().any(|parts| parts.len() != length) {
        return None;
    }
    let mut pattern = PathBuf::new();
    let mut is_in_date = false;
    for place in 0..length {
        let names: Vec<&str> = split.iter().map(|parts| parts[place].as_str()).collect();
        let name = names.first()?;
        let is_number = |name: &&str| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit());
        let is_year = names
            .iter()
            .all(|name| is_number(name) && name.len() == 4 && (name.starts_with("19") || name.starts_with("20")));
        // A month or a day below the folder of its year.
        let is_number_of_date = is_in_date && names.iter().all(|name| is_number(name) && name.len() <= 3);
        if is_year || is_number_of_date {
            is_in_date = true;
            pattern.push("*");
            continue;
        }
        is_in_date = false;
        let is_dated = names.iter().all(|name| !date_parts(name).is_empty());
        if is_dated {
            let (head, tail) = ends(&names)?;
            pattern.push(format!("{}*{}", glob::Pattern::escape(head), glob::Pattern::escape(tail)));
        } else if names.iter().all(|other| other == name) {
            pattern.push(glob::Pattern::escape(name));
        } else {
            return None;
        }
    }
    Some(pattern.to_string_lossy().into_owned())
}

/// The common beginning and end of all names, without parts of dates and numbers.
fn ends<'n>(names: &[&'n str]) -> Option<(&'n str, &'n str)> {
    let first = names.first()?;
    let head = first
        .char_indices()
        .map(|(at, c)| at + c.len_utf8())
        .take_while(|&end| names.iter().all(|name| name.starts_with(&first[..end])))
        .last()
        .unwrap_or(0);
    let dates = date_parts(first);
    // A date is one part, and the number in the next file's name may differ in more digits than the numbers of these
    // files.
    let head = dates.first().map_or(head, |date| head.min(date.range.start));
    let head = first[..head].trim_end_matches(|c: char| c.is_ascii_digit());
    let after = dates.last().map_or(0, |date| date.range.end);
    let tail = first
        .char_indices()
        .map(|(at, _)| at)
        .filter(|&begin| begin >= after)
        .find(|&begin| {
            let tail = &first[begin..];
            names.iter().all(|name| name.len() >= head.len() + tail.len() && name.ends_with(tail))
        })
        .map_or("", |begin| &first[begin..]);
    Some((head, tail.trim_start_matches(|c: char| c.is_ascii_digit())))
}

/// The common part of the names below `parent`, with `*` for the rest, if that matches no other file. Otherwise `*` is
/// narrowed to names that continue with a digit, then to digits only.
fn common(paths: &[PathBuf], parent: &str, folder: &Path) -> Option<String> {
    let names: Vec<&str> = paths.iter().filter_map(|path| path.file_name()?.to_str()).collect();
    let first = names.first().filter(|_| names.len() == paths.len())?;
    let is_dated = date_parts(first).iter().any(|part| part.is_sure);
    let is_one_name = names.iter().all(|name| name == first);
    if is_one_name && !is_dated {
        // The same file name in a separate folder for each month.
        let is_in_folders = parent.contains('*');
        let pattern = format!("{parent}{}{}", std::path::MAIN_SEPARATOR, glob::Pattern::escape(first));
        return (is_in_folders && is_alone(&pattern, paths, folder)).then_some(pattern);
    }
    let (head, tail) = ends(&names)?;
    let is_in = |dates: &[DatePart], at: usize| dates.iter().any(|date| date.range.contains(&at));
    let letters = |text: &str| text.chars().filter(|c| c.is_alphanumeric()).count();
    let stem = tail.split('.').next().unwrap_or_default();
    let has_letters = letters(head) + letters(stem) >= LEAST_LETTERS;
    let middle = |name: &str| -> Option<String> {
        let middle = name.get(head.len()..name.len().checked_sub(tail.len())?)?;
        let months = date_parts(middle);
        let shape = |(at, c): (usize, char)| match c {
            _ if c.is_ascii_digit() => "[0-9]".to_owned(),
            // Of the name of a month.
            _ if c.is_ascii_alphabetic() && !matches!(c, 'T' | 'W' | 'w') && is_in(&months, at) => {
                "[A-Za-z]".to_owned()
            }
            _ => glob::Pattern::escape(&c.to_string()),
        };
        Some(middle.char_indices().map(shape).collect())
    };
    let shapes: Vec<String> = names.iter().filter_map(|name| middle(name)).collect();
    let is_one_shape = shapes.iter().all(|shape| Some(shape) == shapes.first());
    let begins_with_digit = shapes.iter().all(|shape| shape.starts_with("[0-9]"));
    let inner = [
        has_letters.then(|| "*".to_owned()),
        (has_letters && begins_with_digit).then(|| "[0-9]*".to_owned()),
        shapes.first().filter(|_| is_one_shape && begins_with_digit && is_dated).cloned(),
    ];
    inner.into_iter().flatten().find_map(|inner| {
        let name = format!("{}{inner}{}", glob::Pattern::escape(head), glob::Pattern::escape(tail));
        let pattern = if parent.is_empty() { name } else { format!("{parent}{}{name}", std::path::MAIN_SEPARATOR) };
        is_alone(&pattern, paths, folder).then_some(pattern)
    })
}

/// Whether a pattern, relative to `folder` or absolute, matches no other files than these.
fn is_alone(pattern: &str, paths: &[PathBuf], folder: &Path) -> bool {
    let base = glob::Pattern::escape(&folder.to_string_lossy());
    let whole = match Path::new(pattern).is_absolute() {
        true => pattern.to_owned(),
        false => format!("{base}{}{pattern}", std::path::MAIN_SEPARATOR),
    };
    let known: HashSet<&PathBuf> = paths.iter().collect();
    let Ok(matched) = glob::glob(&whole) else { return false };
    matched.filter_map(Result::ok).filter(|path| path.is_file()).all(|path| known.contains(&path))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn with(names: &[&str], others: &[&str]) -> (Vec<String>, bool) {
        let folder = tempfile::tempdir().unwrap();
        for name in names.iter().chain(others) {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
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

    #[cfg(unix)]
    #[test]
    fn whole_date_and_number_parts_of_names_and_folders_are_the_pattern() {
        for (names, others, expected) in [
            (vec!["Met_2026_10_14_0000.dat"], vec![], "Met_*.dat"),
            (vec!["Met_2026_10_29_0000.dat", "Met_2026_10_30_0000.dat"], vec![], "Met_*.dat"),
            (vec!["Met_20261014.dat", "Met_20261015.dat"], vec!["Soil_20261014.dat"], "Met_*.dat"),
            (vec!["Met_20261014_raw.dat", "Met_20261015_raw.dat"], vec!["Met_20261014_avg.dat"], "Met_*_raw.dat"),
            (vec!["Met_20261001_20261031.dat"], vec![], "Met_*.dat"),
            (vec!["Met_20261014.dat", "Met_20261015.dat"], vec!["Met_Soil_20261014.dat"], "Met_[0-9]*.dat"),
            (vec!["Met_2026_287.dat", "Met_2026_288.dat"], vec![], "Met_*.dat"),
            (vec!["met_8.dat", "met_9.dat", "met_10.dat"], vec![], "met_*.dat"),
            (vec!["Ceilo_29Dec2025.dat", "Ceilo_30Dec2025.dat"], vec![], "Ceilo_*.dat"),
            (vec!["Ceilo_29Dec2025.dat"], vec!["Temp_29Dec2025.dat"], "Ceilo_*.dat"),
            (vec!["Ceilo_December_2025.dat"], vec![], "Ceilo_*.dat"),
            (vec!["Ceilo_2026-W01.dat"], vec![], "Ceilo_*.dat"),
            (vec!["Dec2025/Met_1.dat"], vec![], "*/Met_1.dat"),
            (vec!["x/29Dec2025.dat"], vec![], "x/[0-9][0-9][A-Za-z][A-Za-z][A-Za-z][0-9][0-9][0-9][0-9].dat"),
            (vec!["x/20261014.dat"], vec![], "x/[0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9].dat"),
            (vec!["2026_10/Met_2026_10_14.dat"], vec![], "*/Met_*.dat"),
            (vec!["d/2026_10/Met_01.dat", "d/2026_11/Met_01.dat"], vec![], "d/*/Met_01.dat"),
            (vec!["d/2026_10/Met_30.dat", "d/2026_11/Met_01.dat"], vec![], "d/*/Met_*.dat"),
            (vec!["2026-10/met.dat"], vec![], "*/met.dat"),
            (vec!["d/2026/10/Met_20261014.dat", "d/2026/11/Met_20261101.dat"], vec![], "d/*/*/Met_*.dat"),
            (vec!["a/Met-2026-10/x1.dat", "a/Met-2026-11/x1.dat"], vec![], "a/Met-*/x1.dat"),
        ] {
            assert_eq!(with(&names, &others), (vec![expected.to_owned()], true), "{names:?}");
        }
        // A number is not a date, and a single file may be the only one.
        assert_eq!(with(&["met_2021.dat"], &[]), (vec!["met_2021.dat".to_owned()], false));
        assert_eq!(with(&["a/met.dat", "b/met.dat"], &[]).0.len(), 2);
    }

    #[test]
    fn a_pattern_that_matches_another_file_is_no_pattern() {
        let expected = vec!["met_2021.dat".to_owned(), "met_2022.dat".to_owned()];
        assert_eq!(with(&["met_2021.dat", "met_2022.dat"], &["met_2020.dat"]), (expected, false));
        let digits = vec!["met_[0-9]*.dat".to_owned()];
        assert_eq!(with(&["met_2021.dat", "met_2022.dat"], &["met_soil.dat"]), (digits, true));
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
