//! A folder of `.lp` files: line protocol, uncompressed, ready for `influx write`.
//!
//! A file exists completely or not at all: it is written under a hidden name, synced and renamed, and then the folder
//! is synced. For each bucket, names sort in the order of writing. They contain the process id, so two processes never
//! write the same file.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use chrono::{DateTime, Utc};

use super::{Answer, Destination, DestinationError, Outcome, Request, refuse_hollow};

/// Counts the files of this process, in all folders.
static SEQUENCE: AtomicU64 = AtomicU64::new(1);

/// The folder destination.
#[derive(Debug)]
pub struct Files {
    folder: PathBuf,
    last: DateTime<Utc>,
}

impl Files {
    /// The folder is created when the first file is written.
    pub fn new(folder: PathBuf) -> Files {
        Files { folder, last: DateTime::UNIX_EPOCH }
    }

    /// The name of the next file. If the clock steps back, a newer file must not sort before an older one.
    fn next_name(&mut self, bucket: Option<&str>) -> String {
        self.last = self.last.max(Utc::now());
        let sequence = SEQUENCE.fetch_add(1, Ordering::Relaxed);
        let time = self.last.format("%Y%m%dT%H%M%S%.9fZ");
        let process = std::process::id();
        format!("{}-{time}-{process}-{sequence:06}.lp", file_stem(bucket.unwrap_or("default")))
    }

    fn write_file(&self, name: &str, lines: &[u8]) -> Result<(), DestinationError> {
        let at = |path: &Path| {
            let path = path.to_owned();
            |source| DestinationError::Disk { path, source }
        };
        fs::create_dir_all(&self.folder).map_err(at(&self.folder))?;
        let hidden = self.folder.join(format!(".{name}.part"));
        let path = self.folder.join(name);
        let written = write_synced(&hidden, lines).and_then(|()| fs::rename(&hidden, &path));
        if let Err(source) = written {
            // The rows remain pending; a partial file that cannot be removed does no harm.
            let _ = fs::remove_file(&hidden);
            return Err(at(&path)(source));
        }
        sync_folder(&self.folder).map_err(at(&self.folder))
    }
}

impl Destination for Files {
    fn name(&self) -> String {
        format!("files in {}", self.folder.display())
    }

    fn write(&mut self, request: &Request<'_>) -> Result<Answer, DestinationError> {
        refuse_hollow(request)?;
        let name = self.next_name(request.bucket);
        self.write_file(&name, request.lines)?;
        Ok(Answer::without_server(Outcome::Stored, name))
    }

    fn wants_gzip(&self) -> bool {
        false
    }
}

fn write_synced(path: &Path, lines: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
    file.write_all(lines)?;
    file.sync_all()
}

/// Syncs the folder: without it a power cut can undo the rename. Windows has no such call; NTFS journals its names.
fn sync_folder(folder: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}

/// The part of a file name for a bucket: a bucket's name may contain characters that file names may not, especially on
/// Windows.
fn file_stem(bucket: &str) -> String {
    let safe = |letter: char| letter.is_alphanumeric() || matches!(letter, '-' | '_' | '.');
    let stem: String = bucket.chars().take(80).map(|letter| if safe(letter) { letter } else { '_' }).collect();
    let stem = stem.trim_start_matches('.');
    if stem.is_empty() { "default".to_owned() } else { stem.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINES: &[u8] = b"m f=1 1\nm f=2 2\n";

    fn request(bucket: Option<&str>) -> Request<'_> {
        Request { bucket, lines: LINES, gzip: b"", rows: 2 }
    }

    fn listed(folder: &Path) -> Vec<String> {
        let mut names: Vec<_> =
            fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn i5_each_request_is_one_whole_file_in_the_order_of_writing() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("outbox/deep");
        let mut files = Files::new(folder.clone());
        let mut written = Vec::new();
        for _ in 0..20 {
            let answer = files.write(&request(Some("db/rp"))).unwrap();
            assert_eq!(answer.outcome, Outcome::Stored);
            assert_eq!(answer.status, None);
            written.push(answer.message);
        }
        assert_eq!(listed(&folder), written);
        assert!(written.iter().all(|name| name.starts_with("db_rp-2") && name.ends_with(".lp")));
        assert!(written.iter().all(|name| fs::read(folder.join(name)).unwrap() == LINES));
        assert!(!files.wants_gzip());
    }

    #[test]
    fn two_writers_of_one_folder_do_not_meet() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().to_owned();
        let mut ours = Files::new(folder.clone());
        let mut later = Files::new(folder.clone());
        for _ in 0..50 {
            ours.write(&request(None)).unwrap();
            later.write(&request(None)).unwrap();
        }
        assert_eq!(listed(&folder).len(), 100);
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_named() {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join("file");
        fs::write(&file, "").unwrap();
        let error = Files::new(file.join("outbox")).write(&request(None)).unwrap_err();
        assert!(matches!(&error, DestinationError::Disk { path, .. } if path.starts_with(&file)));
        assert!(error.to_string().contains("outbox"));
    }

    #[test]
    fn a_part_that_failed_is_not_left_behind() {
        let home = tempfile::tempdir().unwrap();
        let files = Files::new(home.path().to_owned());
        fs::create_dir(home.path().join("taken.lp")).unwrap();
        fs::write(home.path().join("taken.lp/x"), "").unwrap();
        assert!(files.write_file("taken.lp", LINES).is_err());
        assert_eq!(listed(home.path()), ["taken.lp"]);
    }

    #[test]
    fn a_bucket_makes_a_name_that_every_system_takes() {
        for (bucket, stem) in
            [("a b:c", "a_b_c"), ("..", "default"), ("", "default"), ("ameriflux-1", "ameriflux-1"), ("µ.met", "µ.met")]
        {
            assert_eq!(file_stem(bucket), stem, "{bucket}");
        }
    }
}
