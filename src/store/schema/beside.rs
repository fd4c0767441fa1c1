//! Checks by the files beside a database whether the file is still the same database.
//!
//! SQLite takes an empty file for a new database, and applies a log (`-wal`) to whatever file has the database's name.
//! Both lose data if the file was truncated or replaced by hand.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use crate::store::schema::error::StoreError;

/// Bytes 18 and 19 of a database's header: the write and read format. 1 is a rollback journal, 2 a WAL. A store is
/// created with a WAL. A backup written by `VACUUM INTO` has none before it is opened for the first time.
const JOURNAL: [u8; 2] = [1, 1];

/// The databases that this process has checked. The check opens and closes the file, and on Unix that releases every
/// lock that the process holds on it, so it is made once, before the first connection.
static LOOKED_AT: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

/// Refuses an empty file that held rows, and a backup beside the log of another database.
pub(in crate::store) fn check(path: &Path) -> Result<(), StoreError> {
    let mut looked_at = LOOKED_AT.lock().unwrap_or_else(PoisonError::into_inner);
    if looked_at.contains(path) {
        return Ok(());
    }
    look(path)?;
    looked_at.insert(path.to_owned());
    Ok(())
}

fn look(path: &Path) -> Result<(), StoreError> {
    let Ok(known) = path.metadata() else { return Ok(()) };
    let has = |ending: &str| beside(path, ending).metadata().ok().filter(std::fs::Metadata::is_file);
    let log = has("-wal").is_some_and(|log| log.len() > 0);
    if known.len() == 0 {
        // Passes leave lock files, the page leaves its summary; all of them are written after the database was created.
        let was_used = log || [".ingest.lock", ".sync.lock", ".summary"].iter().any(|ending| has(ending).is_some());
        return if was_used && stays_empty(path) { Err(StoreError::Emptied { path: path.to_owned() }) } else { Ok(()) };
    }
    if log && written_with(path) == Some(JOURNAL) {
        return Err(StoreError::LogOfAnother { path: path.to_owned() });
    }
    Ok(())
}

/// Whether the file is empty for longer than the moment in which another program creates a database.
fn stays_empty(path: &Path) -> bool {
    (0..20).all(|_| {
        std::thread::sleep(std::time::Duration::from_millis(50));
        path.metadata().is_ok_and(|known| known.len() == 0)
    })
}

/// The path of the file beside the database: the database's name with this ending.
pub(in crate::store) fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

/// The folder of a file.
pub fn folder_of(file: &Path) -> &Path {
    file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Syncs the folder: without it a power cut can undo the file's name. Windows has no such call; NTFS journals its
/// names.
pub fn sync_folder_of(file: &Path) -> std::io::Result<()> {
    if cfg!(unix) { File::open(folder_of(file))?.sync_all() } else { Ok(()) }
}

fn written_with(path: &Path) -> Option<[u8; 2]> {
    let mut header = [0; 20];
    File::open(path).ok()?.read_exact(&mut header).ok()?;
    header.starts_with(b"SQLite format 3\0").then(|| [header[18], header[19]])
}
