//! Compares the headers of a table's files: which loggers write the table, and when each header was first seen.
//!
//! A table is one series of readings at one place. Files of two loggers in one table mix data that cannot be separated
//! again in a bucket, and nothing in the rows shows it.

use std::collections::{BTreeMap, HashSet};

use rusqlite::{OptionalExtension, params};

use crate::format::Header;
use crate::store::intake::tables::Table;
use crate::store::{Result, Store};
use crate::time::Timestamp;

/// A file, with the logger that its header names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoggerFile {
    /// The station's name.
    pub station: Option<String>,
    /// The logger's serial number.
    pub serial: Option<String>,
    /// The path as the pattern found it, or as given by hand.
    pub path: String,
}

/// Under such a key the store keeps which loggers a file joins.
const JOINED: &str = "joined loggers: ";

fn joined_key(table: &Table, path: &str) -> String {
    format!("{JOINED}{} {path}", table.id)
}

/// A file that joins the rows of two loggers.
#[derive(serde::Serialize, serde::Deserialize)]
struct JoinedLoggers {
    table: String,
    path: String,
    /// Station name and serial number of each.
    loggers: [[Option<String>; 2]; 2],
    /// When it was found, in nanoseconds since 1970.
    seen: i64,
}

/// The number of newest conflicts that are examined to find out whether two loggers write a table.
const MOST_CONFLICTS_LOOKED_AT: i64 = 100;

impl Store {
    /// Tables of which the newest open conflicts came from another logger than rows of theirs, by station name and serial number,
    /// each once: a file of each of the two.
    pub fn tables_of_two_loggers(&self) -> Result<Vec<(String, [LoggerFile; 2])>> {
        let work = || -> rusqlite::Result<Vec<(String, [LoggerFile; 2])>> {
            let mut found: Vec<(String, [LoggerFile; 2])> = Vec::new();
            let mut conflicts = self.conn.prepare_cached(
                "SELECT DISTINCT t.name, t.id, json_extract(h.header, '$.environment[0]'),
                        json_extract(h.header, '$.environment[2]'), c.path
                 FROM (SELECT header, path FROM conflict WHERE header IS NOT NULL AND decided IS NULL ORDER BY id DESC LIMIT ?1) c
                 JOIN header_version h ON h.id = c.header JOIN logger_table t ON t.id = h.logger_table",
            )?;
            let mut others = self.conn.prepare_cached(
                "SELECT json_extract(h.header, '$.environment[0]'), json_extract(h.header, '$.environment[2]'), f.path
                 FROM header_version h JOIN file_seen f ON f.logger_table = h.logger_table AND f.header = h.id
                 WHERE h.logger_table = ?1 AND (json_extract(h.header, '$.environment[0]') IS NOT ?2
                                                OR json_extract(h.header, '$.environment[2]') IS NOT ?3)
                 ORDER BY f.modified DESC LIMIT 1",
            )?;
            let mut rows = conflicts.query([MOST_CONFLICTS_LOOKED_AT])?;
            while let Some(row) = rows.next()? {
                let (name, table): (String, i64) = (row.get(0)?, row.get(1)?);
                if found.iter().any(|known| known.0 == name) {
                    continue;
                }
                let this = LoggerFile { station: row.get(2)?, serial: row.get(3)?, path: row.get(4)? };
                let other = others
                    .query_row(params![table, this.station, this.serial], |row| {
                        Ok(LoggerFile { station: row.get(0)?, serial: row.get(1)?, path: row.get(2)? })
                    })
                    .optional()?;
                found.extend(other.filter(|other| other.path != this.path).map(|other| (name, [other, this])));
            }
            Ok(found)
        };
        work().map_err(|source| self.at(source))
    }

    /// Tables without tag columns that two loggers write in turn, by station name and serial number. Each table is
    /// listed once, with a file of each of the two loggers; both files changed after `since` and after the other logger
    /// was first seen. The files of a replaced logger do not change after that.
    pub fn tables_in_turn(&self, since: Timestamp) -> Result<Vec<(String, [LoggerFile; 2])>> {
        let work = || -> rusqlite::Result<Vec<(String, [LoggerFile; 2])>> {
            let mut loggers = self.conn.prepare_cached(
                "SELECT t.id, t.name, json_extract(h.header, '$.environment[0]') AS station,
                        json_extract(h.header, '$.environment[2]') AS serial, min(h.first_seen)
                 FROM logger_table t JOIN header_version h ON h.logger_table = t.id
                 WHERE EXISTS (SELECT 1 FROM series s WHERE s.logger_table = t.id AND s.tags = '[]')
                 GROUP BY t.id, station, serial HAVING station IS NOT NULL ORDER BY t.id",
            )?;
            let mut newest = self.conn.prepare_cached(
                "SELECT f.path, max(f.modified) FROM header_version h JOIN file_seen f ON f.logger_table = h.logger_table AND f.header = h.id
                 WHERE h.logger_table = ?1 AND json_extract(h.header, '$.environment[0]') IS ?2
                       AND json_extract(h.header, '$.environment[2]') IS ?3",
            )?;
            let mut of_tables: BTreeMap<i64, (String, Vec<(LoggerFile, i64)>)> = BTreeMap::new();
            let mut rows = loggers.query([])?;
            while let Some(row) = rows.next()? {
                let logger = LoggerFile { station: row.get(2)?, serial: row.get(3)?, path: String::new() };
                let of = of_tables.entry(row.get(0)?).or_insert((row.get(1)?, Vec::new()));
                of.1.push((logger, row.get(4)?));
            }
            let mut found = Vec::new();
            for (table, (name, loggers)) in of_tables.into_iter().filter(|(_, (_, loggers))| loggers.len() > 1) {
                let mut files = Vec::new();
                for (logger, first_seen) in loggers {
                    let of = params![table, logger.station, logger.serial];
                    let last: (Option<String>, Option<i64>) =
                        newest.query_row(of, |row| Ok((row.get(0)?, row.get(1)?)))?;
                    if let (Some(path), Some(modified)) = last
                        && modified > since.nanos()
                    {
                        files.push((LoggerFile { path, ..logger }, first_seen, modified));
                    }
                }
                files.sort_by_key(|(_, _, modified)| std::cmp::Reverse(*modified));
                let Some(((one, one_seen, one_modified), others)) = files.split_first() else { continue };
                let other = others.iter().find(|(other, seen, modified)| {
                    other.path != one.path && modified > one_seen && one_modified > seen
                });
                found.extend(other.map(|(other, ..)| (name, [other.clone(), one.clone()])));
            }
            Ok(found)
        };
        let mut found = work().map_err(|source| self.at(source))?;
        for (_, kept) in self.recall_all(JOINED)? {
            let Ok(JoinedLoggers { table, path, loggers, seen }) = serde_json::from_str(&kept) else { continue };
            if seen > since.nanos() && found.iter().all(|known: &(String, _)| known.0 != table) {
                let file = |[station, serial]: [Option<String>; 2]| LoggerFile { station, serial, path: path.clone() };
                found.push((table, loggers.map(file)));
            }
        }
        Ok(found)
    }

    /// The loggers whose rows a file joins: the first one, and one whose rows lie beside its own.
    pub fn joined_loggers(&self, table: &Table, path: &str) -> Result<Option<[[Option<String>; 2]; 2]>> {
        let kept = self.recall(&joined_key(table, path))?;
        Ok(kept.and_then(|kept| serde_json::from_str(&kept).ok()).map(|kept: JoinedLoggers| kept.loggers))
    }

    /// The tables of which a file joins the rows of two loggers.
    pub(in crate::store) fn tables_of_joined_loggers(&self) -> Result<HashSet<String>> {
        let kept = self.recall_all(JOINED)?;
        Ok(kept
            .iter()
            .filter_map(|(_, kept)| serde_json::from_str(kept).ok())
            .map(|kept: JoinedLoggers| kept.table)
            .collect())
    }

    /// Keeps what [`Store::joined_loggers`] gives.
    pub fn keep_joined_loggers(
        &self,
        table: &Table,
        path: &str,
        loggers: [&[Option<String>; 2]; 2],
        seen: Timestamp,
    ) -> Result<()> {
        let (name, path) = (table.name.0.clone(), path.to_owned());
        let key = joined_key(table, &path);
        let kept = JoinedLoggers { table: name, path, loggers: loggers.map(Clone::clone), seen: seen.nanos() };
        self.remember(&key, &serde_json::to_string(&kept).unwrap_or_default())
    }

    /// The headers of a table with the time at which each was first seen, in the order of these times.
    pub fn headers_seen(&self, table: &str) -> Result<Vec<(Timestamp, Header)>> {
        let work = || -> rusqlite::Result<Vec<(Timestamp, Header)>> {
            let mut statement = self.conn.prepare_cached(
                "SELECT h.first_seen, h.header FROM header_version h JOIN logger_table t ON t.id = h.logger_table
                 WHERE t.name = ?1 ORDER BY h.first_seen, h.id",
            )?;
            let mut rows = statement.query([table])?;
            let mut headers = Vec::new();
            while let Some(row) = rows.next()? {
                // This program wrote the header; one that cannot be parsed states nothing.
                if let Ok(header) = serde_json::from_str(row.get_ref(1)?.as_str()?) {
                    headers.push((Timestamp::from_nanos(row.get(0)?), header));
                }
            }
            Ok(headers)
        };
        work().map_err(|source| self.at(source))
    }
}
