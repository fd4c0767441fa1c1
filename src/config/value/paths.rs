//! Paths and file patterns.

use std::path::{Path, PathBuf};

use super::Read;

/// A path or pattern. If it contains a tab or a line feed, it was written as `"C:\temp"` in double quotes.
pub(in crate::config) fn path_text(text: &str) -> Read<String> {
    if text.trim().is_empty() {
        return Err("is empty; write a path".to_owned());
    }
    if text.chars().any(char::is_control) {
        return Err("holds a control character; put Windows paths in single quotes: 'C:\\temp\\tower.dat'".to_owned());
    }
    Ok(text.to_owned())
}

/// Joins the path to the folder of the configuration file. A drive letter or `\\server` makes a path absolute on every
/// system, so that a configuration has the same meaning wherever it is checked.
pub(in crate::config) fn join(folder: &Path, text: &str) -> PathBuf {
    let bytes = text.as_bytes();
    let drive = bytes.first().is_some_and(u8::is_ascii_alphabetic)
        && bytes.get(1) == Some(&b':')
        && matches!(bytes.get(2), Some(b'\\' | b'/'));
    if drive || text.starts_with("\\\\") { PathBuf::from(text) } else { folder.join(text) }
}

/// A glob pattern joined to `folder`, whose own brackets and stars are escaped.
pub(in crate::config) fn pattern(folder: &Path, text: &str) -> Read<PathBuf> {
    path_text(text)?;
    let folder = folder.to_str().ok_or("stands in a folder whose name is not Unicode; move the config file")?;
    let pattern = join(Path::new(&glob::Pattern::escape(folder)), text);
    match pattern.to_str().map(glob::Pattern::new) {
        Some(Ok(_)) => Ok(pattern),
        Some(Err(error)) => {
            Err(format!("is not a file pattern ({}); write * for anything, /**/ for any folders, [[] for [", error.msg))
        }
        None => Err("is not Unicode".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_paths_are_whole_and_others_are_joined() {
        let folder = Path::new("/site");
        for text in ["C:\\Campbellsci\\LoggerNet\\*.dat", "D:/data/*.dat", "\\\\server\\share\\*.dat"] {
            assert_eq!(join(folder, text), PathBuf::from(text));
            assert_eq!(pattern(folder, text), Ok(PathBuf::from(text)));
        }
        assert_eq!(join(folder, "samples/a.dat"), folder.join("samples/a.dat"));
    }

    #[test]
    fn signs_in_the_name_of_the_folder_are_no_pattern() {
        let joined = pattern(Path::new("/site [old]"), "*.dat").unwrap();
        let pattern = glob::Pattern::new(joined.to_str().unwrap()).unwrap();
        assert!(pattern.matches("/site [old]/a.dat") && !pattern.matches("/site o/a.dat"));
    }
}
