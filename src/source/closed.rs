//! Moves, compresses and deletes files that their writer has closed.
//!
//! Nothing is overwritten or lost: the old name is removed only when the content is complete under its new name, on
//! disk. If the process is killed in between, both exist, and the next attempt finds the same content and removes the
//! old name. Handles of LoggerNet are respected: on Windows a file that another program has open is not touched.

use std::fs::{File, OpenOptions};
use std::io::{BufReader, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;

use super::error::SourceError;
use super::quiet::Snapshot;

/// The number of bytes that are compared at a time.
const PIECE: u64 = 128 << 10;

/// A file that no program writes to any more, and the state for which this was found.
#[derive(Debug)]
pub struct ClosedFile<'p> {
    path: &'p Path,
    state: Snapshot,
}

/// The form of the content under the new name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    AsItIs,
    Compressed,
}

impl<'p> ClosedFile<'p> {
    /// The file at `path`, which was in this state when it was read.
    ///
    /// # Errors
    /// Its state has changed, or another program has it open.
    pub fn new(path: &'p Path, state: Snapshot) -> Result<ClosedFile<'p>, SourceError> {
        let file = ClosedFile { path, state };
        file.is_still_there()?;
        refuse_open(path)?;
        Ok(file)
    }

    /// Moves the file into the folder, which is created if needed, and returns its new path.
    ///
    /// # Errors
    /// The folder cannot be written, or the file is in use. The file is then unchanged in its old place.
    pub fn move_into(&self, folder: &Path) -> Result<PathBuf, SourceError> {
        self.put(folder, Form::AsItIs)
    }

    /// Like [`ClosedFile::move_into`], compressed with gzip. A file that is compressed already is moved.
    ///
    /// # Errors
    /// As for [`ClosedFile::move_into`].
    pub fn compress_into(&self, folder: &Path) -> Result<PathBuf, SourceError> {
        let is_compressed = self.path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("gz"));
        self.put(folder, if is_compressed { Form::AsItIs } else { Form::Compressed })
    }

    /// Deletes the file.
    ///
    /// # Errors
    /// The file is in use, or may not be deleted.
    pub fn delete(&self) -> Result<(), SourceError> {
        self.is_still_there()?;
        std::fs::remove_file(self.path).map_err(|source| SourceError::io(self.path, source))
    }

    fn is_still_there(&self) -> Result<(), SourceError> {
        let metadata = self.path.metadata().map_err(|source| SourceError::io(self.path, source))?;
        if Snapshot::of(&metadata) == self.state {
            return Ok(());
        }
        Err(SourceError::Changed { path: self.path.to_owned() })
    }

    fn put(&self, folder: &Path, form: Form) -> Result<PathBuf, SourceError> {
        std::fs::create_dir_all(folder).map_err(|source| SourceError::write(folder, source))?;
        let placed = self.place(folder, form);
        // A partial file that still exists was not renamed, whatever failed.
        let _ = std::fs::remove_file(self.part(folder, form));
        let (target, is_new) = placed?;
        if let Err(error) = sync_folder(folder).and_then(|()| self.delete()) {
            // The old file remains, so the content must not exist twice.
            if is_new {
                let _ = std::fs::remove_file(&target);
            }
            return Err(error);
        }
        Ok(target)
    }

    /// Gives the content a name in the folder, and returns whether the name is new: an attempt that was killed may have
    /// created it.
    fn place(&self, folder: &Path, form: Form) -> Result<(PathBuf, bool), SourceError> {
        let mut written: Option<PathBuf> = None;
        for number in 1.. {
            let target = folder.join(self.name(number, form));
            // On the same disk a second hard link to the content is enough.
            let from = written.as_deref().unwrap_or(self.path);
            let linked = match form {
                Form::Compressed if written.is_none() => Err(std::io::Error::from(ErrorKind::CrossesDevices)),
                _ => std::fs::hard_link(from, &target),
            };
            let error = match linked {
                Ok(()) => return Ok((target, true)),
                Err(error) => error,
            };
            if target.symlink_metadata().is_ok() {
                if self.has_content_of(&target, form) {
                    return Ok((target, false));
                }
                continue;
            }
            if error.kind() == ErrorKind::NotFound {
                return Err(SourceError::io(self.path, error));
            }
            let own = match &written {
                Some(own) => own.clone(),
                None => self.write(folder, form)?,
            };
            written = Some(own.clone());
            // Reserves the name, so that no other file's name is taken.
            match OpenOptions::new().write(true).create_new(true).open(&target) {
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::AlreadyExists => continue,
                Err(source) => return Err(SourceError::write(&target, source)),
            }
            return match std::fs::rename(&own, &target) {
                Ok(()) => Ok((target, true)),
                Err(source) => {
                    // Removes the reserved name.
                    let _ = std::fs::remove_file(&target);
                    Err(SourceError::write(&target, source))
                }
            };
        }
        Err(SourceError::Changed { path: self.path.to_owned() })
    }

    /// `met.dat`, `met_2.dat` …, with `.gz` if it is compressed.
    fn name(&self, number: u32, form: Form) -> String {
        let part = |part: Option<&std::ffi::OsStr>| part.unwrap_or_default().to_string_lossy().into_owned();
        let (stem, ending) = (part(self.path.file_stem()), part(self.path.extension()));
        let mut name = if number == 1 { stem } else { format!("{stem}_{number}") };
        if !ending.is_empty() {
            name.push('.');
            name.push_str(&ending);
        }
        if form == Form::Compressed {
            name.push_str(".gz");
        }
        name
    }

    /// The path of the partial file, which is written before it gets its final name.
    fn part(&self, folder: &Path, form: Form) -> PathBuf {
        folder.join(format!(".{}.partial", self.name(1, form)))
    }

    /// Writes the content to a partial file in the folder, on disk, and verifies it by reading it again.
    fn write(&self, folder: &Path, form: Form) -> Result<PathBuf, SourceError> {
        let own = self.part(folder, form);
        let failed = |source| SourceError::write(&own, source);
        let mut from = File::open(self.path).map_err(|source| SourceError::io(self.path, source))?;
        let to = File::create(&own).map_err(failed)?;
        let to = match form {
            Form::AsItIs => {
                let mut to = to;
                std::io::copy(&mut from, &mut to).map(|_| to)
            }
            Form::Compressed => {
                let mut to = GzEncoder::new(to, Compression::default());
                std::io::copy(&mut from, &mut to).and_then(|_| to.finish())
            }
        };
        let done = to.and_then(|mut to| {
            to.flush()?;
            to.set_modified(self.state.modified)?;
            to.sync_all()
        });
        let proven = done.map_err(failed).and_then(|()| self.is_still_there()).and_then(|()| {
            let is_same = self.has_content_of(&own, form);
            is_same.then_some(()).ok_or_else(|| SourceError::Changed { path: self.path.to_owned() })
        });
        proven.map(|()| own)
    }

    /// Whether `other` holds the same bytes.
    fn has_content_of(&self, other: &Path, form: Form) -> bool {
        let (Ok(own), Ok(other)) = (File::open(self.path), File::open(other)) else { return false };
        match form {
            Form::AsItIs => is_same(own, other),
            Form::Compressed => is_same(own, MultiGzDecoder::new(BufReader::new(other))),
        }
        .unwrap_or(false)
    }
}

fn is_same(mut one: impl Read, mut other: impl Read) -> std::io::Result<bool> {
    let (mut left, mut right) = (Vec::new(), Vec::new());
    loop {
        left.clear();
        right.clear();
        one.by_ref().take(PIECE).read_to_end(&mut left)?;
        other.by_ref().take(PIECE).read_to_end(&mut right)?;
        if left != right {
            return Ok(false);
        }
        if left.is_empty() {
            return Ok(true);
        }
    }
}

/// Syncs the folder, so that the new name survives a power cut. Windows does that itself, and some network drives do
/// not support it.
fn sync_folder(folder: &Path) -> Result<(), SourceError> {
    if !cfg!(unix) {
        return Ok(());
    }
    match File::open(folder).and_then(|folder| folder.sync_all()) {
        Err(error) if !matches!(error.kind(), ErrorKind::InvalidInput | ErrorKind::Unsupported) => {
            Err(SourceError::write(folder, error))
        }
        _ => Ok(()),
    }
}

/// Fails if another program has the file open, which only Windows reports.
#[cfg(windows)]
fn refuse_open(path: &Path) -> Result<(), SourceError> {
    use std::os::windows::fs::OpenOptionsExt;
    let alone = OpenOptions::new().read(true).share_mode(0).open(path);
    alone.map(drop).map_err(|source| SourceError::io(path, source))
}

#[cfg(not(windows))]
#[allow(clippy::unnecessary_wraps, reason = "Windows has a reason")]
fn refuse_open(_path: &Path) -> Result<(), SourceError> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn closed(path: &Path) -> ClosedFile<'_> {
        ClosedFile::new(path, Snapshot::of(&path.metadata().unwrap())).unwrap()
    }

    fn names(folder: &Path) -> Vec<String> {
        let entries = std::fs::read_dir(folder).unwrap().flatten();
        let mut names: Vec<String> = entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_name_that_is_taken_is_never_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let (path, to) = (folder.path().join("met.dat"), folder.path().join("old"));
        for content in ["first", "second", "third"] {
            std::fs::write(&path, content).unwrap();
            closed(&path).move_into(&to).unwrap();
            assert!(!path.exists());
        }
        assert_eq!(names(&to), ["met.dat", "met_2.dat", "met_3.dat"]);
        assert_eq!(std::fs::read(to.join("met_2.dat")).unwrap(), b"second");
        for content in ["first", "second"] {
            std::fs::write(&path, content).unwrap();
            closed(&path).compress_into(&to).unwrap();
        }
        assert_eq!(names(&to)[..2], ["met.dat", "met.dat.gz"]);
        let mut text = String::new();
        MultiGzDecoder::new(File::open(to.join("met_2.dat.gz")).unwrap()).read_to_string(&mut text).unwrap();
        assert_eq!(text, "second");
    }

    #[test]
    fn what_a_killed_attempt_left_is_found_and_does_not_stand_twice() {
        let folder = tempfile::tempdir().unwrap();
        let (path, to) = (folder.path().join("met.dat"), folder.path().join("old"));
        std::fs::write(&path, "content").unwrap();
        std::fs::create_dir(&to).unwrap();
        // Killed while the partial file was written, and killed before the old name was removed.
        std::fs::write(to.join(".met.dat.gz.partial"), "half").unwrap();
        std::fs::write(to.join("met.dat"), "content").unwrap();
        assert_eq!(closed(&path).move_into(&to).unwrap(), to.join("met.dat"));
        std::fs::write(&path, "content").unwrap();
        closed(&path).compress_into(&to).unwrap();
        std::fs::write(&path, "content").unwrap();
        assert_eq!(closed(&path).compress_into(&to).unwrap(), to.join("met.dat.gz"));
        assert_eq!(names(&to), ["met.dat", "met.dat.gz"]);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_part_file_does_not_stay_behind_whatever_fails() {
        let folder = tempfile::tempdir().unwrap();
        let (path, to) = (folder.path().join("met.dat"), folder.path().join("old"));
        std::fs::write(&path, "content").unwrap();
        std::fs::create_dir(&to).unwrap();
        let file = closed(&path);
        // The file changes while it is written.
        std::fs::write(&path, "content and more").unwrap();
        for form in [Form::AsItIs, Form::Compressed] {
            file.write(&to, form).unwrap_err();
            assert_eq!(names(&to).len(), 1, "{form:?}");
            file.put(&to, form).unwrap_err();
            assert_eq!(names(&to), Vec::<String>::new(), "{form:?}");
        }
    }

    #[test]
    fn a_file_that_changed_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("met.dat");
        std::fs::write(&path, "content").unwrap();
        let file = closed(&path);
        std::fs::write(&path, "content and more").unwrap();
        assert!(matches!(file.delete(), Err(SourceError::Changed { .. })));
        assert!(file.move_into(&folder.path().join("old")).is_err());
        assert_eq!(names(&folder.path().join("old")), Vec::<String>::new());
        assert_eq!(std::fs::read(&path).unwrap(), b"content and more");
    }
}
