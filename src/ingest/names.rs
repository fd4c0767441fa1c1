//! Decides about the logger table's name in line 1, if the configuration does not give it.
//!
//! A logger's program may rename its table: rows under the old name end, and rows under the new name follow. If rows
//! under both names continue in parallel, they are two logger tables, and their rows are never merged. The rows after a
//! header show which of the two it is, so they are examined before the first of them is staged.

use super::glued;
use crate::config::{FileFormat, TableConfig};
use crate::format::{Fields, Header, Keys, next_header, strip_noise};
use crate::store::{Result, Staging, Store, Table};
use crate::time::{Candidates, LocalTime, Timestamp};

/// A part of the note on a file that was refused because two names were in use at the same time.
pub(super) const TWO_TABLES: &str = "both have rows of the same time, so they are two tables";

/// The first and the last row after a header, up to the next header.
#[derive(Debug, Default)]
pub(super) struct Ahead {
    first: Vec<u8>,
    last: Vec<u8>,
}

impl Ahead {
    /// Finds the rows in the part of the file after a header.
    pub(super) fn of(rest: &[u8]) -> Ahead {
        let rows = &rest[..next_header(rest).unwrap_or(rest.len())];
        let first = rows.split(|&byte| byte == b'\n').find_map(|line| Some((line, fields_of_whole_row(line)?)));
        // A damaged line is no row of the table: as the last one it would seem to be a row that the table does not have.
        let last = first.and_then(|(_, fields)| {
            rows.rsplit(|&byte| byte == b'\n').find(|line| fields_of_whole_row(line) == Some(fields))
        });
        Ahead {
            first: first.map(|(line, _)| line.to_vec()).unwrap_or_default(),
            last: last.map(<[u8]>::to_vec).unwrap_or_default(),
        }
    }
}

/// The number of fields of a line that begins with a time and shows no damage.
fn fields_of_whole_row(line: &[u8]) -> Option<usize> {
    glued::time_of(line)?;
    let line = strip_noise(line);
    if line.contains(&0) {
        return None;
    }
    let mut fields = Fields::new(&line);
    let count = fields.by_ref().count();
    (!fields.is_torn()).then_some(count)
}

/// How a header with another name is related to the table.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Relation {
    /// It belongs to the table: the table has its rows, or they are of a time under this name.
    Known,
    /// The logger table was renamed after this row.
    Renamed(Timestamp),
    /// Like [`Relation::Renamed`], and proven: the file begins with rows that the table has.
    GoesOn(Timestamp),
    /// An earlier name of the table, whose newest row has this time.
    Earlier(Timestamp),
    /// Another logger table, whose rows continue in parallel to the table's.
    Beside,
}

/// A header and the rows after it.
#[derive(Clone, Copy)]
pub(super) struct Under<'a> {
    pub(super) header: &'a Header,
    pub(super) ahead: &'a Ahead,
}

/// Relates a header whose name is not the present one to the table, by the rows after it.
pub(super) fn standing(
    store: &Store,
    staging: &Staging<'_>,
    table: &Table,
    config: &TableConfig,
    Under { header, ahead }: Under<'_>,
) -> Result<Relation> {
    let keys = Keys::of(&FileFormat::Logger(None), header);
    let (Some(first), Some(last), Some(newest)) =
        (row_of(config, &keys, &ahead.first), row_of(config, &keys, &ahead.last), table.newest())
    else {
        return Ok(Relation::Known);
    };
    let is_there = |row: &Row| match row.record {
        Some(record) => staging.has_record_at(table, row.ts, record),
        None => Ok(false),
    };
    if let Some(ended) = table.names.ended(&header.table) {
        let is_known = last.ts <= ended || is_there(&last)?;
        return Ok(if is_known { Relation::Known } else { Relation::Beside });
    }
    if first.ts > newest {
        return Ok(Relation::Renamed(newest));
    }
    let begins_there = is_there(&first)?;
    if begins_there && last.ts > newest {
        return Ok(Relation::GoesOn(newest));
    }
    if begins_there && is_there(&last)? {
        return Ok(Relation::Known);
    }
    let is_earlier = store.oldest_of(table)?.is_some_and(|oldest| last.ts < oldest);
    Ok(if is_earlier { Relation::Earlier(last.ts) } else { Relation::Beside })
}

struct Row {
    ts: Timestamp,
    record: Option<i64>,
}

fn row_of(config: &TableConfig, keys: &Keys, line: &[u8]) -> Option<Row> {
    let line = strip_noise(line);
    let field = |place: usize| Fields::new(&line).nth(place).map(|field| field.text);
    let local = LocalTime::parse_logger(field(*keys.time.first()?)?)?;
    let record = keys.record.and_then(field);
    let record = record.and_then(|text| std::str::from_utf8(text).ok()?.trim().parse().ok());
    let (Candidates::One(ts) | Candidates::Missing(ts) | Candidates::Two(ts, _)) =
        config.stamps.candidates(local, record);
    Some(Row { ts, record })
}
