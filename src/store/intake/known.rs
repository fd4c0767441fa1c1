//! Lists the columns and series of the tables that were read: what a page or dashboard can draw.

use std::collections::HashMap;
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, params};

use crate::config::{ColumnUse, Config, TableConfig, TableName};
use crate::quantity::Stated;
use crate::store::intake::headers;
use crate::store::intake::tables::{Column, columns, table_id};
use crate::store::schema::key::{TIMES, key, keys};
use crate::store::{Result, Store};
use crate::time::Timestamp;

/// Number of newest rows of a series that decide whether a column is text.
const ROWS_LOOKED_AT: i64 = 20;

/// A table that has been read at least once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownTable {
    /// Its name in the configuration.
    pub name: TableName,
    /// In the order of the column list, tags and ignored columns among them.
    pub columns: Vec<KnownColumn>,
    /// Values of the tag columns by their names in the file, one list for each combination found; one empty list where the table
    /// has no tag columns.
    pub series: Vec<Vec<(String, String)>>,
    /// The usual interval of its rows; none of fewer than two.
    pub interval: Option<Duration>,
}

/// A column of a table that has been read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownColumn {
    /// As in the file's line 2.
    pub name: String,
    /// As in line 3 above the newest row, or as the configuration gives it to a derived column; empty where none was given.
    pub unit: String,
    /// As in line 4 above the newest row: `Avg`, `Smp`.
    pub process: String,
    /// The newest rows hold text here and no number.
    pub is_text: bool,
}

impl KnownColumn {
    /// As the header of the newest row has it.
    pub fn stated(&self) -> Stated<'_> {
        Stated { name: &self.name, unit: &self.unit, process: &self.process }
    }
}

impl Store {
    /// The tables of the configuration that have been read, in its order.
    pub fn known_tables(&self, config: &Config) -> Result<Vec<KnownTable>> {
        let mut known = Vec::new();
        for table in &config.tables {
            if let Some(found) = known_table(&self.conn, table).map_err(|source| self.at(source))? {
                known.push(KnownTable { interval: self.usual_interval_of_table(&table.name.0)?, ..found });
            }
        }
        Ok(known)
    }
}

impl Store {
    /// The column list of a table, with the units and processes that the header of its newest row states: what a drawing of the
    /// table holds now, where the logger's program changed.
    pub fn columns_now(&self, table: &str) -> Result<Vec<Column>> {
        let work = || -> rusqlite::Result<Vec<Column>> {
            table_id(&self.conn, table)?.map_or(Ok(Vec::new()), |id| columns_now(&self.conn, id))
        };
        work().map_err(|source| self.at(source))
    }
}

fn columns_now(conn: &Connection, table: i64) -> rusqlite::Result<Vec<Column>> {
    let mut list = columns(conn, table)?;
    let newest: Option<(i64, i64)> = conn
        .prepare_cached(
            "SELECT id, newest FROM series WHERE logger_table = ?1 AND newest IS NOT NULL ORDER BY newest DESC LIMIT 1",
        )?
        .query_row([table], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let Some((series, newest)) = newest else { return Ok(list) };
    let header: Option<i64> = conn
        .prepare_cached("SELECT header FROM reading WHERE id = ?1")?
        .query_row([key(series, Timestamp::from_nanos(newest))], |row| row.get(0))
        .optional()?
        .flatten();
    let header = match header {
        Some(header) => headers::header(conn, header)?,
        None => None,
    };
    let Some(header) = header else { return Ok(list) };
    let places: HashMap<&str, usize> = header.names.iter().map(String::as_str).zip(0..).collect();
    for column in &mut list {
        let Some(place) = places.get(column.name.as_str()) else { continue };
        column.units = header.units.get(*place).cloned().unwrap_or_default();
        column.process = header.process.get(*place).cloned().unwrap_or_default();
    }
    Ok(list)
}

fn known_table(conn: &Connection, table: &TableConfig) -> rusqlite::Result<Option<KnownTable>> {
    let Some(id) = table_id(conn, &table.name.0)? else { return Ok(None) };
    let list = columns_now(conn, id)?;
    let mut kinds = vec![Kinds::default(); list.len()];
    // The tag values of a series are in the order of the column list, whatever order file and configuration have.
    let is_tag = |name: &str| table.columns.get(name).is_some_and(|column| column.column_use == ColumnUse::Tag);
    let tag_columns: Vec<String> =
        list.iter().map(|column| &column.name).filter(|name| is_tag(name)).cloned().collect();
    let mut series = Vec::new();
    let mut statement = conn.prepare_cached("SELECT id, tags FROM series WHERE logger_table = ?1 ORDER BY tags")?;
    let mut rows = statement.query([id])?;
    while let Some(row) = rows.next()? {
        let (series_id, tags): (i64, String) = (row.get(0)?, row.get(1)?);
        // This program wrote the list; if it is damaged, the series has no tags to show.
        let values: Vec<String> = serde_json::from_str(&tags).unwrap_or_default();
        let tags: Vec<(String, String)> = tag_columns.iter().cloned().zip(values).collect();
        if !series.contains(&tags) {
            series.push(tags);
        }
        learn(conn, series_id, &mut kinds)?;
    }
    if series.is_empty() {
        series.push(Vec::new());
    }
    let columns = list.into_iter().zip(kinds).map(|(column, kinds)| KnownColumn {
        unit: column.stated_in(table).unit.to_owned(),
        name: column.name,
        process: column.process,
        is_text: kinds.has_text && !kinds.has_number,
    });
    Ok(Some(KnownTable { name: table.name.clone(), columns: columns.collect(), series, interval: None }))
}

/// What the newest rows hold in a column.
#[derive(Debug, Clone, Copy, Default)]
struct Kinds {
    has_text: bool,
    has_number: bool,
}

fn learn(conn: &Connection, series: i64, kinds: &mut [Kinds]) -> rusqlite::Result<()> {
    let (first, last) = keys(series, TIMES.0, TIMES.1);
    let mut statement =
        conn.prepare_cached("SELECT vals FROM reading WHERE id BETWEEN ?1 AND ?2 ORDER BY id DESC LIMIT ?3")?;
    let mut rows = statement.query(params![first, last, ROWS_LOOKED_AT])?;
    while let Some(row) = rows.next()? {
        let text: String = row.get(0)?;
        let values: Vec<serde_json::Value> = serde_json::from_str(&text).unwrap_or_default();
        for (kinds, value) in kinds.iter_mut().zip(&values) {
            kinds.has_text |= value.is_string();
            kinds.has_number |= value.is_number();
        }
    }
    Ok(())
}
