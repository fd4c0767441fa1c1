//! Files that exist completely or not at all: they are written to a temporary file in the same folder, synced, and then
//! renamed.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::CliError;
use crate::store::{folder_of, sync_folder_of};

/// A file while it is written. If it is dropped before `keep`, it is removed.
#[derive(Debug)]
pub(super) struct WholeFile {
    part: PathBuf,
    target: PathBuf,
}

impl WholeFile {
    /// A temporary file for `target`; nothing is created yet. Temporary files of the same kind that killed programs
    /// have left are removed.
    pub(super) fn beside(target: &Path) -> Result<WholeFile, CliError> {
        let name = target.file_name().ok_or_else(|| CliError::NoFileName { path: target.to_owned() })?;
        remove_left(target);
        let part = format!(".{}.{}.part", name.to_string_lossy(), std::process::id());
        Ok(WholeFile { part: target.with_file_name(part), target: target.to_owned() })
    }

    /// The path of the temporary file.
    pub(super) fn part(&self) -> &Path {
        &self.part
    }

    /// Creates the temporary file for writing.
    pub(super) fn create(&self) -> Result<File, CliError> {
        OpenOptions::new().write(true).create_new(true).open(&self.part).map_err(|source| self.failed(source))
    }

    /// Syncs the file and gives it its final name. An existing file is overwritten only with `replace`.
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
            // A hard link is the only way to name a file that fails if the name exists; some file systems do not
            // support it.
            if error.kind() == io::ErrorKind::AlreadyExists || self.target.exists() {
                return Err(io::ErrorKind::AlreadyExists.into());
            }
            fs::rename(&self.part, &self.target)?;
        }
        sync_folder_of(&self.target)
    }

    /// The error for a problem with the file.
    pub(super) fn failed(&self, source: io::Error) -> CliError {
        CliError::File { path: self.target.clone(), source }
    }
}

impl Drop for WholeFile {
    fn drop(&mut self) {
        // It no longer exists after `keep`; a temporary file that cannot be removed does no harm.
        let _ = fs::remove_file(&self.part);
    }
}

/// Removes temporary files beside `target` with the same extension whose program is no longer running. One that cannot
/// be removed does no harm.
fn remove_left(target: &Path) {
    for entry in fs::read_dir(folder_of(target)).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let Some((of, process)) = name.to_str().and_then(part_of) else { continue };
        if Path::new(of).extension() == target.extension() && !is_at_work(process, &entry.path()) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// The file to which a temporary file belongs, and the process that writes it.
fn part_of(name: &str) -> Option<(&str, u32)> {
    let (of, process) = name.strip_prefix('.')?.strip_suffix(".part")?.rsplit_once('.')?;
    Some((of, process.parse().ok()?))
}

/// Whether that process is running. Windows does not remove a file that a program has open, so a file in use is kept
/// there. If the system has no list of processes, a temporary file that was written within a day is taken as one in
/// use.
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

/// Whether a file at `target` exists and has the same bytes as `part`.
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

/// Whether both exist and are the same file, by whatever names and links.
#[expect(clippy::disallowed_methods, reason = "the paths are compared, and no pattern is made of them")]
pub(super) fn is_same_file(one: &Path, other: &Path) -> bool {
    let real = |path: &Path| std::fs::canonicalize(path).ok();
    real(one).is_some_and(|one| real(other) == Some(one))
}
