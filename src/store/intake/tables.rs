//! Logger tables and their columns: how a table is loaded, and how it gets columns from headers and from the configuration.

use std::borrow::Cow;

use rusqlite::{Connection, OptionalExtension, params};

use crate::config::{FileFormat, TableConfig, TableName};
use crate::format::{self, Header};
use crate::qc::{self, Value};
use crate::quantity::Stated;
use crate::store::intake::logger_names::LoggerNames;
use crate::store::intake::provisional::ProvisionalLines;
use crate::store::intake::record_runs::{RecordRuns, all_runs};
use crate::store::intake::series::{SeriesList, series};
use crate::store::judge::flagging::Judge;
use crate::store::schema::error::StoreError;
use crate::store::schema::views;
use crate::store::{Result, Store};
use crate::time::{Samples, Timestamp};

/// The process of a derived column. Loggers write `Avg`, `Smp` and the like.
const DERIVED: &str = "derived";

/// One name of a table's column list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// As in the file's line 2.
    pub name: String,
    /// As in line 3; empty where none was given.
    pub units: String,
    /// As in line 4.
    pub process: String,
}

impl Column {
    /// As the first header that had it states it.
    pub fn stated(&self) -> Stated<'_> {
        Stated { name: &self.name, unit: &self.units, process: &self.process }
    }

    /// The same, with the unit that the configuration gives a derived column.
    pub fn stated_in<'a>(&'a self, config: &'a TableConfig) -> Stated<'a> {
        let own = config.columns.get(&self.name).filter(|_| self.process == DERIVED);
        let unit = own.and_then(|own| own.unit.as_deref()).unwrap_or(&self.units);
        Stated { unit, ..self.stated() }
    }

    /// The part that QC needs.
    pub fn known(&self) -> qc::KnownColumn<'_> {
        qc::KnownColumn { name: &self.name, units: &self.units }
    }
}

/// A table, loaded once per ingest. Its changes stay in memory until they are flushed with the rows.
#[derive(Debug)]
pub struct Table {
    pub(in crate::store) id: i64,
    /// Its name in the configuration.
    pub name: TableName,
    /// The table name in line 1 of the first file read.
    pub header_table: Option<String>,
    /// The names that later files gave it.
    pub names: LoggerNames,
    /// Names are only ever added.
    pub columns: Vec<Column>,
    /// Record numbers seen; used for tables without tag columns.
    pub runs: RecordRuns,
    /// How rows that share a time stamp are spread; none where no stamp is shared.
    pub samples: Option<Samples>,
    /// How the times of its lines without a header were written by earlier configurations, newest first; None is the loggers'
    /// own format. A stored line, or text of a time, was read by one of them.
    pub time_formats: Vec<Option<String>>,
    /// Whether the configuration has another time format than when the table was last read.
    pub has_new_time_format: bool,
    /// Whether the store knows them all.
    pub(in crate::store) are_time_formats_kept: bool,
    pub(in crate::store) series: SeriesList,
    pub(in crate::store) tally: Tally,
    pub(in crate::store) provisional: ProvisionalLines,
    /// How its rows are judged; none before its columns are known.
    pub(in crate::store) judge: Option<Judge>,
}

/// Counts that are not written yet.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(in crate::store) struct Tally {
    pub(in crate::store) staged: i64,
    pub(in crate::store) conflicts: i64,
    /// Held lines are included.
    pub(in crate::store) rejected_lines: i64,
}

impl Table {
    /// The names of the column list.
    pub fn column_names(&self) -> Vec<String> {
        self.columns.iter().map(|column| column.name.clone()).collect()
    }

    /// The ids of its series.
    pub fn series_ids(&self) -> Vec<i64> {
        self.series.ids()
    }

    /// The tags of a series, as a JSON array.
    pub fn tags_of(&self, series: i64) -> Option<&str> {
        self.series.tags_of(series)
    }

    /// Time of the newest row of a series, with what is not committed yet.
    pub fn newest_of_series(&self, series: i64) -> Option<Timestamp> {
        self.series.newest_of(series)
    }

    /// The time that its record number has in the runs: where rows share a stamp, that of the stamp, so that the runs do not
    /// depend on how the rows of a stamp are spread.
    #[inline]
    pub(in crate::store) fn stamp_of(&self, ts: Timestamp) -> Timestamp {
        self.samples.map_or(ts, |samples| samples.stamp_of(ts))
    }

    /// The header of a row, if it states something else than the column list.
    #[inline]
    pub(in crate::store) fn header_to_keep(&self, header: Option<i64>) -> Option<i64> {
        header.filter(|header| self.judge.as_ref().is_some_and(|judge| judge.says_otherwise(*header)))
    }

    /// The values of a row that gets this time: what is derived from the time is computed again. JSON, and the same as values.
    pub(in crate::store) fn values_at<'a>(&self, values: &'a str, ts: Timestamp) -> (Cow<'a, str>, Vec<Value>) {
        let mut list = Vec::new();
        let of_time = self.judge.as_ref().map(|judge| judge.derived_of_time()).unwrap_or_default();
        // As many as the array has, and not as the column list: a row has as many flags as values, or it could not be sent.
        let again = format::derive_again(values, of_time, ts, &mut list);
        (again.map_or(Cow::Borrowed(values), Cow::Owned), list)
    }

    /// The values of a row that was put together: all that is derived is computed again. JSON, and the same as values.
    pub(in crate::store) fn derived_again(&self, values: String, ts: Timestamp) -> (String, Vec<Value>) {
        let mut list = Vec::new();
        let derived = self.judge.as_ref().map(|judge| judge.derived()).unwrap_or_default();
        let again = format::derive_again(&values, derived, ts, &mut list);
        (again.unwrap_or(values), list)
    }

    /// Positions of the derived columns.
    pub fn derived_places(&self) -> Vec<usize> {
        (0..self.columns.len()).filter(|place| self.columns[*place].process == DERIVED).collect()
    }

    /// How many columns it has.
    pub fn columns(&self) -> usize {
        self.columns.len()
    }

    /// Position of a name in the column list.
    pub fn place(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.name == name)
    }
}

impl Store {
    /// Loads the table, or registers it. Fails if its rows were staged with other offsets from UTC: the same line would get
    /// another time, and every row would be staged a second time.
    pub fn table(&self, config: &TableConfig) -> Result<Table> {
        let offsets = config.stamps.offsets();
        match self.staged_clock(config)? {
            None => self
                .conn
                .execute(
                    "INSERT OR IGNORE INTO logger_table (name, clock, corrections) VALUES (?1, ?2, ?3)",
                    params![config.name.0, offsets, config.stamps.corrections_text()],
                )
                .map(drop)
                .map_err(|source| self.at(source))?,
            Some(staged) if staged.has_rows || staged.is_moving => {
                if staged.offsets != offsets {
                    return Err(StoreError::ClockChanged {
                        table: config.name.0.clone(),
                        staged: staged.offsets,
                        configured: offsets,
                    });
                }
            }
            // Without rows, any clock will do.
            Some(staged) if staged.clock.as_ref() != Some(&config.stamps) => self
                .conn
                .execute(
                    "UPDATE logger_table SET clock = ?2, corrections = ?3 WHERE name = ?1",
                    params![config.name.0, offsets, config.stamps.corrections_text()],
                )
                .map(drop)
                .map_err(|source| self.at(source))?,
            Some(_) => {}
        }
        let mut table = self.table_as_staged(config)?;
        if let FileFormat::Csv(csv) = &config.format
            && !table.time_formats.starts_with(&csv.time_formats)
        {
            table.has_new_time_format = !table.time_formats.is_empty();
            table.time_formats.retain(|known| !csv.time_formats.contains(known));
            table.time_formats.splice(0..0, csv.time_formats.iter().cloned());
            table.are_time_formats_kept = false;
        }
        Ok(table)
    }

    /// Keeps the time formats of the table, once it was said that they changed.
    pub fn keep_time_formats(&self, table: &Table) -> Result<()> {
        if table.are_time_formats_kept {
            return Ok(());
        }
        let text = serde_json::to_string(&table.time_formats).unwrap_or_default();
        self.remember(&time_formats_key(table.id), &text)
    }

    /// Whether files of the table that could not be read were refused by a configuration with this fingerprint.
    pub fn are_refused_by(&self, table: &Table, inputs: i64) -> Result<bool> {
        Ok(self.recall(&refused_by_key(table.id))?.is_some_and(|known| known == inputs.to_string()))
    }

    /// Keeps the fingerprint of the configuration by which all files of the table were read.
    pub fn keep_refused_by(&self, table: &Table, inputs: i64) -> Result<()> {
        self.remember(&refused_by_key(table.id), &inputs.to_string())
    }

    fn time_formats(&self, table: i64) -> Result<Vec<Option<String>>> {
        let text = self.recall(&time_formats_key(table))?;
        // This program wrote it.
        Ok(text.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default())
    }

    /// A registered table, by whatever clock its rows were staged.
    pub fn table_as_staged(&self, config: &TableConfig) -> Result<Table> {
        let sql = |source| self.at(source);
        let (id, header_table): (i64, Option<String>) = self
            .conn
            .query_row("SELECT id, header_table FROM logger_table WHERE name = ?1", [&config.name.0], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })
            .map_err(sql)?;
        let samples = self.samples(id).map_err(sql)?;
        let mut runs = all_runs(&self.conn, id).map_err(sql)?;
        if let Some(samples) = samples {
            // Earlier versions noted the times of rows, not of their stamps.
            for run in &mut runs {
                (run.first_ts, run.last_ts) = (samples.stamp_of(run.first_ts), samples.stamp_of(run.last_ts));
            }
        }
        Ok(Table {
            id,
            name: config.name.clone(),
            header_table,
            names: self.logger_names(id)?,
            columns: columns(&self.conn, id).map_err(sql)?,
            runs: RecordRuns::new(runs),
            samples,
            time_formats: self.time_formats(id)?,
            has_new_time_format: false,
            are_time_formats_kept: true,
            series: series(&self.conn, id).map_err(sql)?,
            tally: Tally::default(),
            provisional: ProvisionalLines::load(&self.conn, id).map_err(sql)?,
            judge: None,
        })
    }

    /// The table if it has been read before.
    pub(in crate::store) fn known_table(&self, config: &TableConfig) -> rusqlite::Result<Option<Table>> {
        let found: Option<(i64, Option<String>)> = self
            .conn
            .query_row("SELECT id, header_table FROM logger_table WHERE name = ?1", [&config.name.0], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })
            .optional()?;
        let Some((id, header_table)) = found else { return Ok(None) };
        Ok(Some(Table {
            id,
            name: config.name.clone(),
            header_table,
            names: LoggerNames::default(),
            columns: columns(&self.conn, id)?,
            runs: RecordRuns::new(Vec::new()),
            samples: self.samples(id)?,
            time_formats: Vec::new(),
            has_new_time_format: false,
            are_time_formats_kept: true,
            series: series(&self.conn, id)?,
            tally: Tally::default(),
            provisional: ProvisionalLines::default(),
            judge: None,
        }))
    }

    /// Adds the header's unknown names to the column list, stores the header as a version, and recreates the table's view if it
    /// changed. Returns the version's id. `values` are the positions of the value columns.
    pub fn learn_header(&self, table: &mut Table, header: &Header, values: &[usize], now: Timestamp) -> Result<i64> {
        self.learn(table, header, values, now).map_err(|source| self.at(source))
    }

    /// Position of the column of this name, which is new where there is none.
    pub fn learn_column(&self, table: &mut Table, name: &str) -> Result<usize> {
        if let Some(place) = table.place(name) {
            return Ok(place);
        }
        let column = Column { name: name.to_owned(), units: String::new(), process: String::new() };
        let added = self.add_column(table, column).and_then(|()| views::create(&self.conn, table));
        added.map_err(|source| self.at(source))?;
        Ok(table.columns.len() - 1)
    }

    fn learn(&self, table: &mut Table, header: &Header, values: &[usize], now: Timestamp) -> rusqlite::Result<i64> {
        let id = self.header_version(table, header, now)?;
        let before = table.columns.len();
        for &place in values {
            let name = &header.names[place];
            let of_header = || Column {
                name: name.clone(),
                units: header.units[place].clone(),
                process: header.process[place].clone(),
            };
            match table.place(name) {
                None => self.add_column(table, of_header())?,
                // The logger now measures a column that was derived: its values must never be overwritten (I8).
                Some(at) if table.columns[at].process == DERIVED => self.measure_column(table, at, of_header())?,
                Some(_) => {}
            }
        }
        if table.header_table.is_none() {
            self.conn
                .execute("UPDATE logger_table SET header_table = ?2 WHERE id = ?1", params![table.id, header.table])?;
            table.header_table = Some(header.table.clone());
        }
        if table.columns.len() != before {
            views::create(&self.conn, table)?;
        }
        Ok(id)
    }

    /// Adds the derived columns of the configuration to the column list, and renews the table's view if it is outdated. A column
    /// that a file has keeps its measured values.
    pub fn learn_derived(&self, table: &mut Table, config: &TableConfig) -> Result<()> {
        let before = table.columns.len();
        for (name, column) in config.columns.iter().filter(|(_, column)| column.formula.is_some()) {
            if table.place(name).is_none() {
                let units = column.unit.clone().unwrap_or_default();
                let column = Column { name: name.clone(), units, process: DERIVED.to_owned() };
                self.add_column(table, column).map_err(|source| self.at(source))?;
            }
        }
        // The first time, for the view of an older program.
        if table.columns.len() == before && table.judge.is_some() {
            return Ok(());
        }
        views::create(&self.conn, table).map_err(|source| self.at(source))
    }

    fn add_column(&self, table: &mut Table, column: Column) -> rusqlite::Result<()> {
        self.conn
            .prepare_cached(
                "INSERT INTO column_list (logger_table, position, name, units, process) VALUES (?1, ?2, ?3, ?4, ?5)",
            )?
            .execute(params![table.id, i64_of(table.columns.len()), column.name, column.units, column.process])?;
        table.columns.push(column);
        Ok(())
    }

    fn measure_column(&self, table: &mut Table, at: usize, column: Column) -> rusqlite::Result<()> {
        self.conn
            .prepare_cached(
                "UPDATE column_list SET units = ?3, process = ?4 WHERE logger_table = ?1 AND position = ?2",
            )?
            .execute(params![table.id, i64_of(at), column.units, column.process])?;
        table.columns[at] = column;
        Ok(())
    }

    /// The column list of a table, by its name in the configuration.
    pub fn column_names(&self, table: &str) -> Result<Vec<String>> {
        self.conn
            .prepare_cached(
                "SELECT c.name FROM logger_table t JOIN column_list c ON c.logger_table = t.id WHERE t.name = ?1 ORDER BY c.position",
            )
            .and_then(|mut statement| statement.query_map([table], |row| row.get(0))?.collect())
            .map_err(|source| self.at(source))
    }

    /// The column list of a table with units, by its name in the configuration.
    pub fn columns_of(&self, table: &str) -> Result<Vec<Column>> {
        let work = || -> rusqlite::Result<Vec<Column>> {
            table_id(&self.conn, table)?.map_or(Ok(Vec::new()), |id| columns(&self.conn, id))
        };
        work().map_err(|source| self.at(source))
    }
}

/// The id of a table, by its name in the configuration.
pub(in crate::store) fn table_id(conn: &Connection, name: &str) -> rusqlite::Result<Option<i64>> {
    conn.prepare_cached("SELECT id FROM logger_table WHERE name = ?1")?.query_row([name], |row| row.get(0)).optional()
}

fn time_formats_key(table: i64) -> String {
    format!("time formats of table {table}.")
}

fn refused_by_key(table: i64) -> String {
    format!("files refused by, of table {table}.")
}

pub(in crate::store) fn columns(conn: &Connection, table: i64) -> rusqlite::Result<Vec<Column>> {
    conn.prepare_cached("SELECT name, units, process FROM column_list WHERE logger_table = ?1 ORDER BY position")?
        .query_map([table], |row| Ok(Column { name: row.get(0)?, units: row.get(1)?, process: row.get(2)? }))?
        .collect()
}

/// xxh3 as SQLite's signed integer.
pub(in crate::store) fn hash_of(bytes: &[u8]) -> i64 {
    xxhash_rust::xxh3::xxh3_64(bytes).cast_signed()
}

/// Lengths and counts fit 63 bits.
pub(in crate::store) fn i64_of(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
