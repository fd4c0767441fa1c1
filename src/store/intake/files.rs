//! The state of each file at its last read.

use rusqlite::{OptionalExtension, params};

use crate::store::intake::staging::Staging;
use crate::store::intake::tables::Table;
use crate::store::{Result, Store};
use crate::time::Timestamp;

/// What the store remembers of a file of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileSeen {
    /// The path, as the pattern found it.
    pub path: String,
    /// Bytes.
    pub size: u64,
    /// Nanoseconds since 1970.
    pub modified: i64,
    /// Fingerprint of the whole file.
    pub whole_hash: u64,
    /// Offset of the first line that is not counted yet.
    pub resume_at: u64,
    /// Lines before that.
    pub resume_line: u64,
    /// Fingerprint of the bytes before that.
    pub prefix_hash: u64,
    /// The header that applies there.
    pub header: Option<i64>,
    /// Where that header begins in a file of records that holds several; else 0.
    pub headed_at: u64,
    /// Whether a last line without a line end was staged.
    pub tail_taken: bool,
    /// Whether lines from the resume point on are held because the file was being overwritten.
    pub held: bool,
    /// Why nothing could be read, if so.
    pub note: Option<String>,
    /// The time of the read.
    pub seen: Timestamp,
}

impl Store {
    /// The remembered state of the file.
    pub fn file_seen(&self, table: &Table, path: &str) -> Result<Option<FileSeen>> {
        self.conn
            .prepare_cached(
                "SELECT size, modified, whole_hash, resume_at, resume_line, prefix_hash, header, tail_taken, note, seen, held,
                 headed_at FROM file_seen WHERE logger_table = ?1 AND path = ?2",
            )
            .and_then(|mut statement| {
                statement
                    .query_row(params![table.id, path], |row| {
                        Ok(FileSeen {
                            path: path.to_owned(),
                            size: row.get::<_, i64>(0)?.cast_unsigned(),
                            modified: row.get(1)?,
                            whole_hash: row.get::<_, i64>(2)?.cast_unsigned(),
                            resume_at: row.get::<_, i64>(3)?.cast_unsigned(),
                            resume_line: row.get::<_, i64>(4)?.cast_unsigned(),
                            prefix_hash: row.get::<_, i64>(5)?.cast_unsigned(),
                            header: row.get(6)?,
                            tail_taken: row.get(7)?,
                            held: row.get(10)?,
                            headed_at: row.get::<_, i64>(11)?.cast_unsigned(),
                            note: row.get(8)?,
                            seen: Timestamp::from_nanos(row.get(9)?),
                        })
                    })
                    .optional()
            })
            .map_err(|source| self.at(source))
    }
}

impl Staging<'_> {
    /// Saves the state of the file, in the transaction of its rows.
    pub fn save_file(&mut self, table: &Table, file: &FileSeen) -> Result<()> {
        self.begin()?;
        self.store
            .conn
            .prepare_cached(
                "INSERT OR REPLACE INTO file_seen
                 (logger_table, path, size, modified, whole_hash, resume_at, resume_line, prefix_hash, header, tail_taken, note, seen, held,
                  headed_at)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
            )
            .and_then(|mut statement| {
                statement.execute(params![
                    table.id,
                    file.path,
                    file.size.cast_signed(),
                    file.modified,
                    file.whole_hash.cast_signed(),
                    file.resume_at.cast_signed(),
                    file.resume_line.cast_signed(),
                    file.prefix_hash.cast_signed(),
                    file.header,
                    file.tail_taken,
                    file.note,
                    file.seen.nanos(),
                    file.held,
                    file.headed_at.cast_signed(),
                ])
            })
            .map_err(|source| self.store.at(source))?;
        Ok(())
    }
}
