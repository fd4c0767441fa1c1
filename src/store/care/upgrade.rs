//! A database of an older version is copied before it is brought up to date.
//!
//! - The copy stands beside the database as `NAME.vVERSION.bak`. It is checked page by page and synced before it gets that name,
//!   and before anything is changed. It is kept until the next upgrade, whose copy takes its place.
//! - Room is looked at first: for the copy, and for a migration that writes every page anew. Without it nothing is changed.
//! - Of several processes that open the database at once, one does it, and the others wait and find it done.

use std::fs::{self, OpenOptions};
use std::path::{Path, PathBuf};

use rusqlite::Connection;

use crate::store::schema::beside::{beside, folder_of, sync_folder_of};
use crate::store::schema::error::StoreError;
use crate::store::schema::{lock, migrate};
use crate::store::{Result, Store};

/// Brings the schema up to date, and copies the database before that.
pub(in crate::store) fn run(conn: &mut Connection, path: &Path) -> Result<()> {
    let found = migrate::version(conn, path)?;
    if found == migrate::known() {
        return Ok(());
    }
    // A new database has nothing to be copied.
    if found == 0 {
        return migrate::run(conn, path);
    }
    let (file, lock) = lock::open(path, ".upgrade.lock")?;
    file.lock().map_err(|source| StoreError::Lock { path: lock, source })?;
    let found = migrate::version(conn, path)?;
    if found == migrate::known() {
        return Ok(());
    }
    let copy = beside(path, &format!(".v{found}.bak"));
    let rows = room_for(path, found).and_then(|()| write(path, &copy))?;
    migrate::run(conn, path)?;
    for old in 1..migrate::known() {
        // One that cannot be removed does no harm.
        if old != found {
            let _ = fs::remove_file(beside(path, &format!(".v{old}.bak")));
        }
    }
    tracing::warn!(
        "the database {} was of version {found} and is of version {} now; {} with its {rows} rows as they were is kept until the next upgrade",
        path.display(),
        migrate::known(),
        copy.display()
    );
    Ok(())
}

/// Refuses a disk without room for a copy and for as much again.
fn room_for(path: &Path, found: i64) -> Result<()> {
    let size = |path: PathBuf| path.metadata().map_or(0, |known| known.len());
    let needed = 2 * (size(path.to_owned()) + size(beside(path, "-wal")));
    match fs4::available_space(folder_of(path)) {
        Ok(free) if free < needed => {
            Err(StoreError::NoRoomForUpgrade { path: path.to_owned(), found, known: migrate::known(), needed, free })
        }
        // Where the system does not say it, the copy finds out.
        _ => Ok(()),
    }
}

/// Writes the copy beside its place, syncs it and gives it its name.
fn write(path: &Path, copy: &Path) -> Result<u64> {
    let part = beside(copy, ".part");
    // Of a process that was killed: the lock says that none is at work on it.
    let _ = fs::remove_file(&part);
    let named = || {
        OpenOptions::new().write(true).open(&part)?.sync_all()?;
        fs::rename(&part, copy)?;
        sync_folder_of(copy)
    };
    let written = Store::copy(path, &part).and_then(|rows| match named() {
        Ok(()) => Ok(rows),
        Err(source) => Err(StoreError::Backup { path: copy.to_owned(), source }),
    });
    if written.is_err() {
        let _ = fs::remove_file(&part);
    }
    written
}
