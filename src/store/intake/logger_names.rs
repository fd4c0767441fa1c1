//! Keeps the logger tables' names from line 1 of a table's files: the present name, earlier names that are no longer in
//! use, and headers that were refused because two names were in use at the same time.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::store::intake::tables::Table;
use crate::store::{Result, Store};
use crate::time::Timestamp;

/// What a table knows of them. A table that was never renamed keeps nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoggerNames {
    /// The present name; none while it is that of the first file.
    current: Option<String>,
    /// Earlier names, with the newest row of each in nanoseconds since 1970.
    ended: BTreeMap<String, i64>,
    /// Headers whose lines are kept and are no rows until the configuration names the logger table.
    refused: Vec<i64>,
}

impl LoggerNames {
    /// When the rows under an earlier name ended.
    pub fn ended(&self, name: &str) -> Option<Timestamp> {
        self.ended.get(name).copied().map(Timestamp::from_nanos)
    }

    /// Whether lines under this header were refused for the name of their logger table.
    pub fn is_refused(&self, header: i64) -> bool {
        self.refused.contains(&header)
    }
}

impl Table {
    /// The present name of the logger table; none before the first header.
    pub fn logger_name(&self) -> Option<&str> {
        self.names.current.as_deref().or(self.header_table.as_deref())
    }

    /// Whether the logger table has or had this name.
    pub fn had_name(&self, name: &str) -> bool {
        self.header_table.as_deref() == Some(name) || self.names.ended.contains_key(name)
    }

    /// Time of the newest row.
    pub fn newest(&self) -> Option<Timestamp> {
        self.series_ids().into_iter().filter_map(|series| self.newest_of_series(series)).max()
    }
}

impl Store {
    pub(in crate::store) fn logger_names(&self, table: i64) -> Result<LoggerNames> {
        let text = self.recall(&names_key(table))?;
        // This program wrote it.
        Ok(text.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default())
    }

    /// Time of the oldest row of a table.
    pub fn oldest_of(&self, table: &Table) -> Result<Option<Timestamp>> {
        let mut oldest = None;
        for series in table.series_ids() {
            oldest = [oldest, self.first_row(series, Timestamp::EPOCH)?].into_iter().flatten().min();
        }
        Ok(oldest)
    }

    /// The logger table has a new name; rows under the one before ended at `until`.
    pub fn rename_logger_table(&self, table: &mut Table, name: &str, until: Timestamp) -> Result<()> {
        if let Some(before) = table.logger_name().map(str::to_owned) {
            table.names.ended.insert(before, until.nanos());
        }
        table.names.ended.remove(name);
        table.names.current = Some(name.to_owned());
        self.keep_names(table)
    }

    /// Rows came under a name that ended at `until`, before those of the present name.
    pub fn note_earlier_name(&self, table: &mut Table, name: &str, until: Timestamp) -> Result<()> {
        table.names.ended.insert(name.to_owned(), until.nanos());
        self.keep_names(table)
    }

    /// Lines under this header are refused until the configuration names the logger table.
    pub fn refuse_header(&self, table: &mut Table, header: i64) -> Result<()> {
        if !table.names.is_refused(header) {
            table.names.refused.push(header);
            self.keep_names(table)?;
        }
        Ok(())
    }

    fn keep_names(&self, table: &Table) -> Result<()> {
        self.remember(&names_key(table.id), &serde_json::to_string(&table.names).unwrap_or_default())
    }
}

fn names_key(table: i64) -> String {
    format!("logger names of table {table}.")
}
