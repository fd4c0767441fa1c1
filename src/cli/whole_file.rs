//! Files that are there whole or not at all: written beside their place, synced, then given their name.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::CliError;
use crate::store::{folder_of, sync_folder_of};

/// A file on its way. Dropped before it is kept, it is gone.
#[derive(Debug)]
pub(super) struct WholeFile {
    part: PathBuf,
    target: PathBuf,
}

impl WholeFile {
    /// For a file at `target`; nothing is made yet. What programs that were killed left of files like it is removed.
    pub(super) fn beside(target: &Path) -> Result<WholeFile, CliError> {
        let name = target.file_name().ok_or_else(|| CliError::NoFileName { path: target.to_owned() })?;
        remove_left(target);
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
        sync_folder_of(&self.target)
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

/// Removes the parts beside `target` with the same ending that no program is at work on any more. One that cannot be removed
/// does no harm.
fn remove_left(target: &Path) {
    for entry in fs::read_dir(folder_of(target)).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let Some((of, process)) = name.to_str().and_then(part_of) else { continue };
        if Path::new(of).extension() == target.extension() && !is_at_work(process, &entry.path()) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// Of which file a part is, and the process that writes it.
fn part_of(name: &str) -> Option<(&str, u32)> {
    let (of, process) = name.strip_prefix('.')?.strip_suffix(".part")?.rsplit_once('.')?;
    Some((of, process.parse().ok()?))
}

/// Whether that process runs. Windows removes no file that a program has open, so a part in use is kept there; where the
/// system has no list of processes, a part that was written within a day is taken for one at work.
fn is_at_work(process: u32, part: &Path) -> bool {
    if cfg!(windows) || process == std::process::id() {
        return process == std::process::id();
    }
    if Path::new("/proc/self").exists() {
        return Path::new("/proc").join(process.to_string()).exists();
    }
    let age = part.metadata().and_then(|known| known.modified()).ok().and_then(|time| time.elapsed().ok());
    age.is_none_or(|age| age < std::time::Duration::from_secs(86_400))
}

/// Whether a file stands at `target` that has the bytes of `part`.
pub(super) fn has_same_content(part: &Path, target: &Path) -> io::Result<bool> {
    let (part, target) = match (File::open(part), File::open(target)) {
        (Ok(part), Ok(target)) => (part, target),
        (_, Err(error)) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        (Err(error), _) | (_, Err(error)) => return Err(error),
    };
    if part.metadata()?.len() != target.metadata()?.len() {
        return Ok(false);
    }
    let (mut part, mut target) = (io::BufReader::new(part).bytes(), io::BufReader::new(target).bytes());
    loop {
        match (part.next().transpose()?, target.next().transpose()?) {
            (None, None) => return Ok(true),
            (one, other) if one == other => {}
            _ => return Ok(false),
        }
    }
}

/// Whether both are there and one, by whatever names and links.
#[expect(clippy::disallowed_methods, reason = "the paths are compared, and no pattern is made of them")]
pub(super) fn is_same_file(one: &Path, other: &Path) -> bool {
    let real = |path: &Path| std::fs::canonicalize(path).ok();
    real(one).is_some_and(|one| real(other) == Some(one))
}
