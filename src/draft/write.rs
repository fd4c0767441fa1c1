//! Writes the configuration completely or not at all, and never over an existing one.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use super::DraftError;

/// Writes a configuration that does not exist yet.
///
/// # Errors
/// [`DraftError::Exists`] if it exists, even if it was just created; [`DraftError::Write`].
pub fn create(path: &Path, text: &str) -> Result<(), DraftError> {
    let failed = |source| DraftError::Write { path: path.to_owned(), source };
    let beside = beside(path);
    write(&beside, text).map_err(failed)?;
    // Creating the name first ensures that two concurrent runs do not overwrite each other's file.
    let placed = OpenOptions::new().write(true).create_new(true).open(path).and_then(|taken| {
        // Windows does not rename over an open file.
        drop(taken);
        // This run created the name; if it fails, the name must not remain for the next one.
        fs::rename(&beside, path).inspect_err(|_| _ = fs::remove_file(path))
    });
    placed.map_err(|source| {
        let _ = fs::remove_file(&beside);
        match source.kind() {
            std::io::ErrorKind::AlreadyExists => DraftError::Exists { path: path.to_owned() },
            _ => failed(source),
        }
    })
}

/// Replaces the content of the configuration by `text`, if it is still `before`.
///
/// # Errors
/// [`DraftError::Changed`], [`DraftError::Write`].
pub fn replace(path: &Path, before: &str, text: &str) -> Result<(), DraftError> {
    let failed = |source| DraftError::Write { path: path.to_owned(), source };
    let beside = beside(path);
    write(&beside, text).map_err(failed)?;
    let placed = fs::read(path).map_err(failed).and_then(|now| {
        if now != before.as_bytes() {
            return Err(DraftError::Changed { path: path.to_owned() });
        }
        let permissions = fs::metadata(path).map_err(failed)?.permissions();
        fs::set_permissions(&beside, permissions).map_err(failed)?;
        fs::rename(&beside, path).map_err(failed)
    });
    if placed.is_err() {
        let _ = fs::remove_file(&beside);
    }
    placed
}

fn beside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{}.new", std::process::id()));
    PathBuf::from(name)
}

fn write(path: &Path, text: &str) -> std::io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}
