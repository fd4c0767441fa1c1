//! Files that are there whole or not at all: written beside their place, synced, then given their name.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use super::CliError;

/// A file on its way. Dropped before it is kept, it is gone.
#[derive(Debug)]
pub(super) struct WholeFile {
    part: PathBuf,
    target: PathBuf,
}

impl WholeFile {
    /// For a file at `target`; nothing is made yet.
    pub(super) fn beside(target: &Path) -> Result<WholeFile, CliError> {
        let name = target.file_name().ok_or_else(|| CliError::NoFileName { path: target.to_owned() })?;
        let part = format!(".{}.{}.part", name.to_string_lossy(), std::process::id());
        Ok(WholeFile { part: target.with_file_name(part), target: target.to_owned() })
    }

    /// Where it is to be written.
    pub(super) fn part(&self) -> &Path {
        &self.part
    }

    /// Makes it, for writing.
    pub(super) fn create(&self) -> Result<File, CliError> {
        OpenOptions::new().write(true).create_new(true).open(&self.part).map_err(|source| self.failed(source))
    }

    /// Syncs it and gives it its name. A file that stands there is overwritten only with `replace`.
    pub(super) fn keep(self, replace: bool) -> Result<(), CliError> {
        self.give_name(replace).map_err(|source| match source.kind() {
            io::ErrorKind::AlreadyExists => CliError::Exists { path: self.target.clone() },
            _ => self.failed(source),
        })
    }

    fn give_name(&self, replace: bool) -> io::Result<()> {
        OpenOptions::new().write(true).open(&self.part)?.sync_all()?;
        if replace {
            fs::rename(&self.part, &self.target)?;
        } else if let Err(error) = fs::hard_link(&self.part, &self.target) {
            // A second name is the only step that fails where a file stands; some file systems have none.
            if error.kind() == io::ErrorKind::AlreadyExists || self.target.exists() {
                return Err(io::ErrorKind::AlreadyExists.into());
            }
            fs::rename(&self.part, &self.target)?;
        }
        sync_folder(&self.target)
    }

    /// What went wrong with it.
    pub(super) fn failed(&self, source: io::Error) -> CliError {
        CliError::File { path: self.target.clone(), source }
    }
}

impl Drop for WholeFile {
    fn drop(&mut self) {
        // Gone already where it was kept; a part that cannot be removed does no harm.
        let _ = fs::remove_file(&self.part);
    }
}

/// Without it a power cut can take back the name. Windows has no such call; NTFS journals its names.
fn sync_folder(file: &Path) -> io::Result<()> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}

/// Whether both are there and one, by whatever names and links.
#[expect(clippy::disallowed_methods, reason = "the paths are compared, and no pattern is made of them")]
pub(super) fn is_same_file(one: &Path, other: &Path) -> bool {
    let real = |path: &Path| std::fs::canonicalize(path).ok();
    real(one).is_some_and(|one| real(other) == Some(one))
}
