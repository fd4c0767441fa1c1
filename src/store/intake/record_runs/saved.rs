//! Reads the runs of a table from the database, and writes those that changed.

use rusqlite::{Connection, params};

use super::{BESIDE, RecordRuns, Run};
use crate::time::Timestamp;

/// The runs of the epochs, by epoch and number.
pub(in crate::store) fn record_runs(conn: &Connection, table: i64) -> rusqlite::Result<Vec<Run>> {
    runs_of_epochs(conn, table, (BESIDE + 1, i64::MAX))
}

/// The runs of contents that are kept beside rows, by number.
pub(in crate::store) fn beside_runs(conn: &Connection, table: i64) -> rusqlite::Result<Vec<Run>> {
    runs_of_epochs(conn, table, (BESIDE, BESIDE))
}

/// All of them, those of contents first.
pub(in crate::store) fn all_runs(conn: &Connection, table: i64) -> rusqlite::Result<Vec<Run>> {
    runs_of_epochs(conn, table, (BESIDE, i64::MAX))
}

fn runs_of_epochs(conn: &Connection, table: i64, (first, last): (i64, i64)) -> rusqlite::Result<Vec<Run>> {
    conn.prepare_cached(
        "SELECT epoch, first_record, last_record, first_ts, last_ts FROM record_run
         WHERE logger_table = ?1 AND epoch BETWEEN ?2 AND ?3 ORDER BY epoch, first_record",
    )?
    .query_map([table, first, last], |row| {
        Ok(Run {
            epoch: row.get(0)?,
            first: row.get(1)?,
            last: row.get(2)?,
            first_ts: Timestamp::from_nanos(row.get(3)?),
            last_ts: Timestamp::from_nanos(row.get(4)?),
        })
    })?
    .collect()
}

/// Writes what changed since the last call.
pub(in crate::store) fn save(conn: &Connection, table: i64, runs: &mut RecordRuns) -> rusqlite::Result<()> {
    if !runs.is_changed() {
        return Ok(());
    }
    let (written, gone) = runs.take_changes();
    for (epoch, first) in gone {
        conn.prepare_cached("DELETE FROM record_run WHERE logger_table = ?1 AND epoch = ?2 AND first_record = ?3")?
            .execute(params![table, epoch, first])?;
    }
    for run in written {
        conn.prepare_cached(
            "INSERT OR REPLACE INTO record_run (logger_table, epoch, first_record, last_record, first_ts, last_ts)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute(params![table, run.epoch, run.first, run.last, run.first_ts.nanos(), run.last_ts.nanos()])?;
    }
    Ok(())
}
