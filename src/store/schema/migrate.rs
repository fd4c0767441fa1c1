//! Numbered migrations. Each runs once, in a transaction with the version that it sets. New ones are only added at the
//! end: a released migration is never changed.

use std::path::Path;

use rusqlite::{Connection, TransactionBehavior};

use crate::store::schema::error::StoreError;

/// The application id in the database's header, which distinguishes a store from any other SQLite file. "FTwr" in
/// ASCII.
const APPLICATION_ID: i64 = 0x4654_7772;

const MIGRATIONS: [&str; 15] = [
    include_str!("../../../migrations/0001_store.sql"),
    include_str!("../../../migrations/0002_quality.sql"),
    include_str!("../../../migrations/0003_changed.sql"),
    include_str!("../../../migrations/0004_held.sql"),
    include_str!("../../../migrations/0005_stale.sql"),
    include_str!("../../../migrations/0006_decisions.sql"),
    include_str!("../../../migrations/0007_runs.sql"),
    include_str!("../../../migrations/0008_clock.sql"),
    include_str!("../../../migrations/0009_samples.sql"),
    include_str!("../../../migrations/0010_notifications.sql"),
    include_str!("../../../migrations/0011_header.sql"),
    include_str!("../../../migrations/0012_windows.sql"),
    include_str!("../../../migrations/0013_union.sql"),
    include_str!("../../../migrations/0014_decided.sql"),
    include_str!("../../../migrations/0015_headed.sql"),
];

/// The key of `setting` with the program version that made the schema, for the message of an older program that refuses
/// it.
const MADE_BY: &str = "schema made by";

/// The newest version this program knows.
pub(in crate::store) fn known() -> i64 {
    i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX)
}

/// Refuses a database of another program or version before anything is written.
pub(in crate::store) fn check(conn: &Connection, path: &Path) -> Result<(), StoreError> {
    let at = |source| StoreError::at(path, source);
    let pragma = |name: &str| conn.pragma_query_value(None, name, |row| row.get::<_, i64>(0)).map_err(at);
    let found = version(conn, path)?;
    let tables: i64 = conn.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).map_err(at)?;
    if tables > 0 && pragma("application_id")? != APPLICATION_ID {
        return Err(StoreError::Foreign { path: path.to_owned() });
    }
    if found > known() {
        let by = conn.query_row("SELECT value FROM setting WHERE key = ?1", [MADE_BY], |row| row.get::<_, String>(0));
        // A later version may have changed that table; the refusal is more important than the version's name.
        let by = by.unwrap_or_else(|_| "of a later version".to_owned());
        return Err(StoreError::Newer { path: path.to_owned(), found, by, known: known() });
    }
    Ok(())
}

/// The schema version of the database.
pub(in crate::store) fn version(conn: &Connection, path: &Path) -> Result<i64, StoreError> {
    conn.pragma_query_value(None, "user_version", |row| row.get(0)).map_err(|source| StoreError::at(path, source))
}

/// Brings the schema up to date.
pub(in crate::store) fn run(conn: &mut Connection, path: &Path) -> Result<(), StoreError> {
    run_to(conn, path, known())
}

/// Migrates the schema up to an older version, so that rows of that version can be copied in before the remaining
/// migrations.
pub(in crate::store) fn run_to(conn: &mut Connection, path: &Path, wanted: i64) -> Result<(), StoreError> {
    let at = |source| StoreError::at(path, source);
    if version(conn, path)? >= wanted {
        return Ok(());
    }
    // Immediate: if two processes start on a new database, they take turns, and the second finds the work done.
    let transaction = conn.transaction_with_behavior(TransactionBehavior::Immediate).map_err(at)?;
    let mut done = version(&transaction, path)?;
    let (begin, end) = (usize::try_from(done).unwrap_or(0), usize::try_from(wanted).unwrap_or(0));
    for sql in MIGRATIONS.iter().take(end).skip(begin) {
        transaction.execute_batch(sql).map_err(at)?;
        done += 1;
    }
    transaction
        .execute("INSERT OR REPLACE INTO setting (key, value) VALUES (?1, ?2)", [MADE_BY, env!("CARGO_PKG_VERSION")])
        .map_err(at)?;
    transaction.pragma_update(None, "user_version", done).map_err(at)?;
    transaction.pragma_update(None, "application_id", APPLICATION_ID).map_err(at)?;
    transaction.commit().map_err(at)
}
