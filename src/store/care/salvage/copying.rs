//! Copies one table of a damaged database, as far as SQLite can read it.

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, params, params_from_iter};

/// After this many halvings without a readable row, a part is skipped: at most four thousand attempts.
const BARREN_HALVINGS: u32 = 12;
/// The most attempts in one table: minutes on a heavily damaged disk.
const MOST_ATTEMPTS: u32 = 200_000;

/// The state while one table is copied.
pub(super) struct Copying<'c> {
    from: &'c Connection,
    to: &'c Connection,
    table: &'c str,
    columns: String,
    width: usize,
    /// The columns of its primary key, where it has no rowid.
    key: Option<Vec<String>>,
    /// The position of the JSON column with a row's values: damage inside a page shows only there.
    json: Option<usize>,
    copied: u64,
    refused: u64,
    /// SQLite's message about the first page that it could not read.
    message: Option<String>,
}

impl<'c> Copying<'c> {
    pub(super) fn new(from: &'c Connection, to: &'c Connection, table: &'c str) -> rusqlite::Result<Copying<'c>> {
        let columns_of = |conn: &Connection| -> rusqlite::Result<Vec<(String, i64)>> {
            conn.prepare("SELECT name, pk FROM pragma_table_info(?1) ORDER BY cid")?
                .query_map([table], |row| Ok((row.get(0)?, row.get(1)?)))?
                .collect()
        };
        let there = columns_of(from)?;
        let columns: Vec<(String, i64)> =
            columns_of(to)?.into_iter().filter(|(name, _)| there.iter().any(|(old, _)| old == name)).collect();
        let mut key: Vec<&(String, i64)> = columns.iter().filter(|(_, place)| *place > 0).collect();
        key.sort_by_key(|(_, place)| *place);
        let key: Vec<String> = key.into_iter().map(|(name, _)| quoted(name)).collect();
        let has_rowid = to.prepare(&format!("SELECT rowid FROM {}", quoted(table))).is_ok();
        Ok(Copying {
            from,
            to,
            table,
            width: columns.len(),
            json: (table == "reading").then(|| columns.iter().position(|(name, _)| name == "vals")).flatten(),
            columns: columns.iter().map(|(name, _)| quoted(name)).collect::<Vec<_>>().join(", "),
            key: (!has_rowid).then_some(key),
            copied: 0,
            refused: 0,
            message: None,
        })
    }

    /// Copies the table. Returns the number of rows saved, and a text about what could not be read.
    pub(super) fn all(&mut self) -> rusqlite::Result<(u64, String)> {
        match self.key.clone() {
            Some(key) => {
                let order = |direction: &str| {
                    key.iter().map(|name| format!("{name} {direction}")).collect::<Vec<_>>().join(", ")
                };
                if !self.run(&format!("ORDER BY {}", order("ASC")), None)?.1 {
                    self.run(&format!("ORDER BY {}", order("DESC")), None)?;
                }
            }
            None => self.stretches()?,
        }
        let mut unreadable = self.message.take().unwrap_or_default();
        if self.refused > 0 {
            let and = if unreadable.is_empty() { "" } else { "; " };
            unreadable = format!("{unreadable}{and}{} damaged inside", self.refused);
        }
        Ok((self.copied, unreadable))
    }

    /// Copies a part from both ends up to the damage, then each half of what lies between. Rows are written in the
    /// order of rowids, because a database that is filled out of order is half empty.
    fn stretches(&mut self) -> rusqlite::Result<()> {
        let mut stack = vec![(i64::MIN, i64::MAX, 0)];
        let mut attempts = 0;
        while let Some((low, high, barren)) = stack.pop() {
            attempts += 1;
            if low > high || attempts > MOST_ATTEMPTS {
                continue;
            }
            let (last, done) = self.run("WHERE rowid BETWEEN ?1 AND ?2 ORDER BY rowid", Some((low, high)))?;
            let Some(low) = last.map_or(Some(low), |last: i64| last.checked_add(1)) else { continue };
            if done || low > high {
                continue;
            }
            let (first, all_keys) = self.lowest_key(low, high);
            if all_keys {
                // All keys are readable and a value is not: it is on a page of its own. This row is lost, the next one
                // is not.
                self.refused += 1;
                stack.extend(first.and_then(|first| Some((first.checked_add(1)?, high, 0))));
                continue;
            }
            let barren = if last.is_none() && first.is_none() { barren + 1 } else { 0 };
            let end = first.map_or(Some(high), |first| first.checked_sub(1));
            stack.extend(first.map(|first| (first, high, 0)));
            let Some(end) = end.filter(|end| low < *end && barren <= BARREN_HALVINGS) else { continue };
            let middle = low.midpoint(end);
            stack.push((middle + 1, end, barren));
            stack.push((low, middle, barren));
        }
        Ok(())
    }

    /// Walks down from the end of the part over the keys alone. Returns the lowest key reached, and whether no damage
    /// was met.
    fn lowest_key(&self, low: i64, high: i64) -> (Option<i64>, bool) {
        let mut lowest = None;
        let walked = (|| -> rusqlite::Result<()> {
            let sql =
                format!("SELECT rowid FROM {} WHERE rowid BETWEEN ?1 AND ?2 ORDER BY rowid DESC", quoted(self.table));
            let mut select = self.from.prepare_cached(&sql)?;
            let mut rows = select.query([low, high])?;
            while let Some(row) = rows.next()? {
                lowest = Some(row.get(0)?);
            }
            Ok(())
        })();
        (lowest, walked.is_ok())
    }

    /// Copies until the end or the damage. Returns the last rowid read and whether the end was reached.
    fn run(&mut self, clause: &str, stretch: Option<(i64, i64)>) -> rusqlite::Result<(Option<i64>, bool)> {
        let rowid = if self.key.is_none() { "rowid" } else { "0" };
        let table = quoted(self.table);
        let Copying { from, to, columns, width, json, .. } = self;
        let marks = vec!["?"; *width].join(", ");
        let mut insert = to.prepare_cached(&format!("INSERT OR IGNORE INTO {table} ({columns}) VALUES ({marks})"))?;
        let mut last = None;
        let damage = (|| -> rusqlite::Result<()> {
            let mut select = from.prepare_cached(&format!("SELECT {rowid}, {columns} FROM {table} {clause}"))?;
            let mut rows = match stretch {
                Some((low, high)) => select.query(params![low, high])?,
                None => select.query([])?,
            };
            while let Some(row) = rows.next()? {
                last = Some(row.get(0)?);
                let values: Vec<ValueRef<'_>> =
                    (1..=*width).map(|place| row.get_ref(place)).collect::<rusqlite::Result<_>>()?;
                let sound = json.is_none_or(|place| is_json_list(values.get(place)));
                if !sound {
                    self.refused += 1;
                    continue;
                }
                let bound = values.iter().map(|value| ToSqlOutput::Borrowed(*value));
                // A value that the column's type does not accept is damage as well.
                match insert.execute(params_from_iter(bound)) {
                    Ok(inserted) => self.copied += inserted as u64,
                    Err(error) if is_full(&error) => return Err(error),
                    Err(_) => self.refused += 1,
                }
            }
            Ok(())
        })();
        match damage {
            Ok(()) => Ok((last, true)),
            Err(error) if is_full(&error) => Err(error),
            Err(error) => {
                self.message.get_or_insert(error.to_string());
                Ok((last, false))
            }
        }
    }
}

fn is_full(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(rusqlite::ErrorCode::DiskFull | rusqlite::ErrorCode::ReadOnly))
}

fn is_json_list(value: Option<&ValueRef<'_>>) -> bool {
    let Some(ValueRef::Text(text)) = value else { return false };
    serde_json::from_slice::<Vec<&serde_json::value::RawValue>>(text).is_ok()
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
