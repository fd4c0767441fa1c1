//! Copies a database of an older version before it is migrated.
//!
//! - The copy is beside the database as `NAME.vVERSION.bak`. It is checked page by page and synced before it gets that
//!   name and before anything is changed. It is kept until the next upgrade, whose copy replaces it.
//! - First the free space is checked: it must hold the copy, and a migration that rewrites every page. Otherwise
//!   nothing is changed.
//! - If several processes open the database at once, one migrates it, and the others wait until that is done.

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
    // A new database has no data to copy.
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
        // An older copy that cannot be removed does no harm.
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

/// Refuses if the disk has no room for a copy and for the same size again.
fn room_for(path: &Path, found: i64) -> Result<()> {
    let size = |path: PathBuf| path.metadata().map_or(0, |known| known.len());
    let needed = 2 * (size(path.to_owned()) + size(beside(path, "-wal")));
    match fs4::available_space(folder_of(path)) {
        Ok(free) if free < needed => {
            Err(StoreError::NoRoomForUpgrade { path: path.to_owned(), found, known: migrate::known(), needed, free })
        }
        // If the system does not report the free space, a full disk is detected while copying.
        _ => Ok(()),
    }
}

/// Writes the copy to a temporary file, syncs it and renames it.
fn write(path: &Path, copy: &Path) -> Result<u64> {
    let part = beside(copy, ".part");
    // A file left by a killed process: because this process holds the lock, no other is writing it.
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
