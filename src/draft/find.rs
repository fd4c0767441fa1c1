//! Finds the files to examine: those that are named, and every `.dat` and `.csv` below the named folders, compressed
//! with gzip or not.

use std::collections::HashSet;
use std::fs;
use std::path::{Component, Path, PathBuf};

use super::{DraftError, LeftOut};

/// The file extensions of LoggerNet's text files; below a folder only these are examined.
const ENDINGS: [&str; 2] = ["dat", "csv"];

/// A file to examine.
#[derive(Debug)]
pub(super) struct Found {
    /// The path as given, or below the folder as given.
    pub(super) path: PathBuf,
    /// Whether the user named the file itself.
    pub(super) named: bool,
}

/// The files for the paths of the command line, with folders expanded, each file once.
pub(super) fn files(paths: &[PathBuf]) -> Result<(Vec<Found>, Vec<LeftOut>), DraftError> {
    let mut found: Vec<Found> = Vec::new();
    let mut names: HashSet<PathBuf> = HashSet::new();
    let mut left_out = Vec::new();
    for path in paths {
        let mut more = Vec::new();
        if path.is_dir() {
            below(path, &mut more)?;
        } else if path.is_file() {
            more.push(Found { path: path.clone(), named: true });
        } else {
            return Err(DraftError::NotThere { path: path.clone() });
        }
        for file in more {
            if names.insert(whole(&file.path)) {
                found.push(file);
            }
        }
    }
    found.retain(|file| {
        let unicode = file.path.to_str().is_some();
        if !unicode {
            let reason = "has a name that is not Unicode; rename it".to_owned();
            left_out.push(LeftOut { file: file.path.display().to_string(), reason, named: file.named });
        }
        unicode
    });
    // A copy that LoggerNet set aside is read together with the file that replaced it.
    found.retain(|file| {
        let base = set_aside_of(&file.path).map(|base| whole(&base)).filter(|base| names.contains(base));
        if let Some(base) = &base {
            let reason = format!("is read together with {}", base.display());
            left_out.push(LeftOut { file: file.path.display().to_string(), reason, named: false });
        }
        base.is_none()
    });
    Ok((found, left_out))
}

fn below(folder: &Path, found: &mut Vec<Found>) -> Result<(), DraftError> {
    let failed = |source| DraftError::List { path: folder.to_owned(), source };
    let mut entries = fs::read_dir(folder).map_err(failed)?.collect::<Result<Vec<_>, _>>().map_err(failed)?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let path = entry.path();
        // Links to folders are not followed: they may form a cycle.
        if entry.file_type().map_err(failed)?.is_dir() {
            below(&path, found)?;
        } else if path.is_file() && has_ending(&path) {
            found.push(Found { path, named: false });
        }
    }
    Ok(())
}

fn has_ending(path: &Path) -> bool {
    let is_packed = path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("gz"));
    let unpacked = if is_packed { path.with_extension("") } else { path.to_owned() };
    let ending = unpacked.extension().and_then(|ending| ending.to_str());
    ending.is_some_and(|ending| ENDINGS.iter().any(|known| known.eq_ignore_ascii_case(ending)))
}

/// The name `x.dat` for `x.dat.backup` and `x.dat.bak1`.
fn set_aside_of(path: &Path) -> Option<PathBuf> {
    let ending = path.extension()?.to_str()?;
    (ending.starts_with("backup") || ending.starts_with("bak")).then(|| path.with_extension(""))
}

/// The absolute path, with `.` and `..` resolved if the result is still the same file.
pub(super) fn whole(path: &Path) -> PathBuf {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let mut plain = PathBuf::new();
    for part in absolute.components() {
        match part {
            Component::ParentDir => {
                plain.pop();
            }
            Component::CurDir => {}
            part => plain.push(part),
        }
    }
    // After a link, `..` leads to another folder.
    if plain.exists() == absolute.exists() { plain } else { absolute }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dots_are_taken_out_of_a_path() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("a")).unwrap();
        fs::write(folder.path().join("x.dat"), "").unwrap();
        assert_eq!(whole(&folder.path().join("a/../x.dat")), folder.path().join("x.dat"));
    }

    #[test]
    fn what_was_set_aside_belongs_to_its_file() {
        assert_eq!(set_aside_of(Path::new("a/x.dat.backup")), Some(PathBuf::from("a/x.dat")));
        assert_eq!(set_aside_of(Path::new("x.dat.bak2")), Some(PathBuf::from("x.dat")));
        assert_eq!(set_aside_of(Path::new("x.dat")), None);
    }
}
