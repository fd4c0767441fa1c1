//! The headers that the files of a table had, each kept once as a version.
//!
//! A line that is kept is read again by the header that it stood under, and a file that is written now shows by its header
//! which columns the table has.

use rusqlite::{Connection, OptionalExtension, params};

use crate::format::Header;
use crate::store::intake::tables::{Table, hash_of, table_id};
use crate::store::{Result, Store};
use crate::time::Timestamp;

/// A file that changed a day before the newest one of its table is at work.
const AT_WORK_NANOS: i64 = 86_400_000_000_000;

impl Store {
    /// Stores a header whose lines are no rows of the table, without its columns. Returns the version's id.
    pub fn keep_header(&self, table: &Table, header: &Header, now: Timestamp) -> Result<i64> {
        self.header_version(table, header, now).map_err(|source| self.at(source))
    }

    pub(in crate::store) fn header_version(
        &self,
        table: &Table,
        header: &Header,
        now: Timestamp,
    ) -> rusqlite::Result<i64> {
        let text =
            serde_json::to_string(header).map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))?;
        let hash = hash_of(text.as_bytes());
        let known: Option<i64> = self
            .conn
            .prepare_cached("SELECT id FROM header_version WHERE logger_table = ?1 AND hash = ?2")?
            .query_row(params![table.id, hash], |row| row.get(0))
            .optional()?;
        if let Some(id) = known {
            return Ok(id);
        }
        self.conn.execute(
            "INSERT INTO header_version (logger_table, hash, header, first_seen) VALUES (?1, ?2, ?3, ?4)",
            params![table.id, hash, text, now.nanos()],
        )?;
        Ok(self.conn.last_insert_rowid())
    }

    /// Every header of a table by its id, by the table's name in the configuration.
    pub fn headers_of(&self, table: &str) -> Result<Vec<(i64, Header)>> {
        let work = || -> rusqlite::Result<Vec<(i64, Header)>> {
            table_id(&self.conn, table)?.map_or(Ok(Vec::new()), |id| headers(&self.conn, id, 0))
        };
        work().map_err(|source| self.at(source))
    }

    /// The header of the file of the table that changed last; none where its files have no header, or none was read.
    pub fn newest_header(&self, table: &str) -> Result<Option<Header>> {
        let text: Option<String> = self
            .conn
            .prepare_cached(
                "SELECT h.header FROM file_seen f JOIN logger_table t ON t.id = f.logger_table JOIN header_version h ON h.id = f.header
                 WHERE t.name = ?1 ORDER BY f.modified DESC LIMIT 1",
            )
            .and_then(|mut statement| statement.query_row([table], |row| row.get(0)).optional())
            .map_err(|source| self.at(source))?;
        Ok(text.and_then(|text| serde_json::from_str(&text).ok()))
    }

    /// The headers of the files of a table that are written now: of the one that changed last, and of those that changed at most
    /// a day before it, because one logger table may be collected in several files of some columns each.
    pub fn headers_at_work(&self, table: &str) -> Result<Vec<Header>> {
        let work = || -> rusqlite::Result<Vec<String>> {
            let newest: Option<(i64, i64)> = self
                .conn
                .prepare_cached(
                    "SELECT t.id, max(f.modified) FROM logger_table t JOIN file_seen f ON f.logger_table = t.id
                     WHERE t.name = ?1 GROUP BY t.id",
                )?
                .query_row([table], |row| Ok((row.get(0)?, row.get(1)?)))
                .optional()?;
            let Some((table, newest)) = newest else { return Ok(Vec::new()) };
            self.conn
                .prepare_cached(
                    "SELECT header FROM header_version WHERE id IN
                     (SELECT DISTINCT header FROM file_seen WHERE logger_table = ?1 AND modified >= ?2)",
                )?
                .query_map([table, newest - AT_WORK_NANOS], |row| row.get(0))?
                .collect()
        };
        let texts = work().map_err(|source| self.at(source))?;
        Ok(texts.iter().filter_map(|text| serde_json::from_str(text).ok()).collect())
    }

    /// A header version by its id.
    pub fn header(&self, id: i64) -> Result<Option<Header>> {
        header(&self.conn, id).map_err(|source| self.at(source))
    }
}

/// A header version by its id.
pub(in crate::store) fn header(conn: &Connection, id: i64) -> rusqlite::Result<Option<Header>> {
    let text: Option<String> = conn
        .prepare_cached("SELECT header FROM header_version WHERE id = ?1")?
        .query_row([id], |row| row.get(0))
        .optional()?;
    // This program wrote it.
    Ok(text.and_then(|text| serde_json::from_str(&text).ok()))
}

/// The headers of a table behind the one with the id `after`, by their id.
pub(in crate::store) fn headers(conn: &Connection, table: i64, after: i64) -> rusqlite::Result<Vec<(i64, Header)>> {
    // The newest ones are found by their id. The unary plus keeps SQLite from the index by table, which has all of the table.
    let mut statement = conn.prepare_cached(match after {
        0 => "SELECT id, header FROM header_version WHERE logger_table = ?1 AND id > ?2",
        _ => "SELECT id, header FROM header_version WHERE +logger_table = ?1 AND id > ?2",
    })?;
    let mut rows = statement.query([table, after])?;
    let mut headers = Vec::new();
    while let Some(row) = rows.next()? {
        // This program wrote it; a header that cannot be read states nothing.
        if let Ok(header) = serde_json::from_str(row.get_ref(1)?.as_str()?) {
            headers.push((row.get(0)?, header));
        }
    }
    Ok(headers)
}
