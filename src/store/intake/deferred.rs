//! Keeps the texts of lines that a read of a file deferred to a later read: LoggerNet may overwrite the file before
//! that (I1).
//!
//! A few files have one such line at most times, and most files have none, so they are kept as settings and not in a
//! table of their own.

use serde::{Deserialize, Serialize};

use crate::store::intake::staging::Staging;
use crate::store::intake::tables::Table;
use crate::store::{Result, Store};

/// A line that is neither a row nor rejected yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeferredLine {
    /// In its file, from 1.
    pub number: u64,
    /// The header that it stands under; none where that of its file cannot be read.
    pub header: Option<i64>,
    /// Its text, as far as it had been written.
    pub raw: String,
    /// Whether it has a line end, and may be the beginning of one line and the end of another.
    pub glued: bool,
}

fn key(table: &Table, path: &str) -> String {
    format!("deferred {}: {path}", table.id)
}

impl Store {
    /// The lines of a file of the table that its last read left for later.
    pub fn deferred_lines(&self, table: &Table, path: &str) -> Result<Vec<DeferredLine>> {
        let kept = self.recall(&key(table, path))?;
        Ok(kept.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default())
    }

    /// The paths of the table's files with such lines.
    pub fn files_with_deferred_lines(&self, table: &Table) -> Result<Vec<String>> {
        let beginning = key(table, "");
        let all = self.recall_all(&beginning)?;
        Ok(all.into_iter().filter_map(|(key, _)| key.strip_prefix(&beginning).map(str::to_owned)).collect())
    }
}

impl Staging<'_> {
    /// Keeps what a read of the file left for later, in place of what an earlier one left.
    pub fn keep_deferred(&mut self, table: &Table, path: &str, lines: &[DeferredLine]) -> Result<()> {
        let key = key(table, path);
        if lines.is_empty() {
            if self.store.recall(&key)?.is_some() {
                self.begin()?;
                self.store.forget_one(&key)?;
            }
            return Ok(());
        }
        self.begin()?;
        // Numbers, flags and texts are JSON whatever they are.
        self.store.remember(&key, &serde_json::to_string(lines).unwrap_or_default())
    }
}
