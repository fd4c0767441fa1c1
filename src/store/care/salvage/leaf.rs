//! Rows straight from the pages of an SQLite file (SQLite file format, "B-tree Pages" and "Record Format").
//!
//! A table's rows stand on leaf pages, which need no other page to be read. A leaf does not say which table it is of, so a
//! row is taken for a reading only where everything in it is as in one. Rows too long for their page are left out.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

use rusqlite::types::Value;

/// First byte of a page with rows.
const LEAF: u8 = 0x0D;
/// Bytes of its head, before the places of its cells.
const HEAD: usize = 8;
/// Columns of `reading` in the first version of the store: id, nanos, record, vals, flags, state, version, ts_text.
const LEAST_COLUMNS: usize = 8;

/// A row as it stands on its page.
#[derive(Debug, PartialEq)]
pub(super) struct Row {
    /// In the order of the table's columns, the rowid in its place. A row older than a column does not have it.
    pub(super) values: Vec<Value>,
}

/// The pages of a file, one after the other.
pub(super) struct Pages {
    file: BufReader<File>,
    page: Vec<u8>,
}

impl Pages {
    pub(super) fn open(path: &Path, page_size: u32) -> io::Result<Pages> {
        let size = usize::try_from(page_size).map_err(io::Error::other)?;
        Ok(Pages { file: BufReader::with_capacity(1 << 20, File::open(path)?), page: vec![0; size] })
    }

    /// The rows of the next page; none behind the last page or the last that the disk gives.
    pub(super) fn next_rows(&mut self) -> Option<Vec<Row>> {
        self.file.read_exact(&mut self.page).ok()?;
        Some(rows(&self.page))
    }
}

/// Whether the row can only be one of `reading`.
pub(super) fn is_reading(row: &Row, columns: usize) -> bool {
    let [
        Value::Integer(_),
        Value::Integer(nanos),
        record,
        Value::Text(vals),
        Value::Text(flags),
        Value::Integer(state),
        Value::Integer(version),
        ts_text,
        ..,
    ] = row.values.as_slice()
    else {
        return false;
    };
    let values = serde_json::from_str::<Vec<&serde_json::value::RawValue>>(vals);
    (LEAST_COLUMNS..=columns).contains(&row.values.len())
        && (0..1_000).contains(nanos)
        && matches!(record, Value::Null | Value::Integer(_))
        && matches!(ts_text, Value::Null | Value::Text(_))
        && (0..=3).contains(state)
        && *version >= 0
        && flags.bytes().all(|digit| digit.is_ascii_digit())
        && values.is_ok_and(|values| values.len() == flags.len())
}

fn rows(page: &[u8]) -> Vec<Row> {
    if page.first() != Some(&LEAF) {
        return Vec::new();
    }
    let count = page.get(3..5).map_or(0, |bytes| usize::from(u16::from_be_bytes([bytes[0], bytes[1]])));
    let places = page.get(HEAD..HEAD + 2 * count).unwrap_or_default();
    places
        .chunks_exact(2)
        .filter_map(|place| row(page, usize::from(u16::from_be_bytes([place[0], place[1]]))))
        .collect()
}

/// The row whose cell begins at `place`.
fn row(page: &[u8], place: usize) -> Option<Row> {
    let mut rest = page.get(place..)?;
    let length = usize::try_from(number(&mut rest)?).ok()?;
    let rowid = number(&mut rest)?;
    // A longer row goes on elsewhere (35 bytes: the file format's own figure for leaf pages).
    if length > page.len().checked_sub(35)? {
        return None;
    }
    let record = rest.get(..length)?;
    let mut head = record;
    let head_length = usize::try_from(number(&mut head)?).ok()?;
    let mut kinds = record.get(record.len() - head.len()..head_length)?;
    let mut body = record.get(head_length..)?;
    let mut values = Vec::new();
    while !kinds.is_empty() {
        values.push(value(number(&mut kinds)?, &mut body)?);
    }
    // The column that is the rowid is null in the record.
    if let Some(first @ Value::Null) = values.first_mut() {
        *first = Value::Integer(rowid);
    }
    Some(Row { values })
}

fn value(kind: i64, body: &mut &[u8]) -> Option<Value> {
    let mut take = |length: usize| {
        let (taken, rest) = body.split_at_checked(length)?;
        *body = rest;
        Some(taken)
    };
    let integer = |bytes: &[u8]| {
        let negative = bytes.first().is_some_and(|first| first & 0x80 != 0);
        bytes.iter().fold(if negative { -1 } else { 0 }, |number: i64, byte| number << 8 | i64::from(*byte))
    };
    Some(match kind {
        0 => Value::Null,
        1..=4 => Value::Integer(integer(take(usize::try_from(kind).ok()?)?)),
        5 => Value::Integer(integer(take(6)?)),
        6 => Value::Integer(integer(take(8)?)),
        7 => Value::Real(f64::from_be_bytes(take(8)?.try_into().ok()?)),
        8 => Value::Integer(0),
        9 => Value::Integer(1),
        12.. if kind % 2 == 0 => Value::Blob(take(usize::try_from((kind - 12) / 2).ok()?)?.to_vec()),
        13.. => Value::Text(String::from_utf8(take(usize::try_from((kind - 13) / 2).ok()?)?.to_vec()).ok()?),
        _ => return None,
    })
}

/// A variable-length integer: seven bits a byte, the ninth byte whole.
fn number(bytes: &mut &[u8]) -> Option<i64> {
    let mut number: i64 = 0;
    for place in 0..9 {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        if place == 8 {
            return Some(number << 8 | i64::from(*byte));
        }
        number = number << 7 | i64::from(byte & 0x7F);
        if byte & 0x80 == 0 {
            break;
        }
    }
    Some(number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rusqlite::Connection;

    #[test]
    fn the_rows_of_a_page_are_those_that_sqlite_wrote() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s.db");
        let conn = Connection::open(&path).unwrap();
        conn.execute_batch(
            "CREATE TABLE t (id INTEGER PRIMARY KEY, a, b);
             INSERT INTO t VALUES (1, 0, 'x'), (-7, 1, x'00ff'), (9007199254740993, -129, NULL), (3, 1.5, 70000);
             INSERT INTO t VALUES (4, -9223372036854775807, 'é'), (5, 2147483648, '');",
        )
        .unwrap();
        drop(conn);
        let mut pages = Pages::open(&path, 4_096).unwrap();
        let mut found = Vec::new();
        while let Some(rows) = pages.next_rows() {
            found.extend(rows.into_iter().map(|row| row.values).filter(|values| values.len() == 3));
        }
        let integer = Value::Integer;
        let text = |text: &str| Value::Text(text.to_owned());
        assert_eq!(
            found,
            [
                vec![integer(-7), integer(1), Value::Blob(vec![0, 255])],
                vec![integer(1), integer(0), text("x")],
                vec![integer(3), Value::Real(1.5), integer(70_000)],
                vec![integer(4), integer(-9_223_372_036_854_775_807), text("é")],
                vec![integer(5), integer(2_147_483_648), text("")],
                vec![integer(9_007_199_254_740_993), integer(-129), Value::Null],
            ]
        );
    }

    #[test]
    fn no_bytes_make_it_stumble() {
        let mut page = vec![0_u8; 4_096];
        let mut seed = 1_u64;
        for _ in 0..2_000 {
            for byte in &mut page {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                *byte = seed.to_be_bytes()[0];
            }
            page[0] = LEAF;
            assert!(rows(&page).iter().all(|row| !is_reading(row, 8)));
        }
    }
}
