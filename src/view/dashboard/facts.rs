//! Facts about the tables that a dashboard needs and the configuration does not have.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::config::{Config, TableConfig};
use crate::store::{Store, StoreError};
use crate::time::Timestamp;

/// Facts about a table, from the store.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TableFacts {
    /// Its column list, in order.
    pub columns: Vec<String>,
    /// Columns that ever had a flag by hand: their flags are sent too.
    pub flagged_by_hand: Vec<String>,
    /// The usual interval.
    pub interval: Option<Duration>,
}

const NANOS_PER_DAY: i64 = 86_400 * 1_000_000_000;
/// Days before the newest row to read; the next number is used if there are too few rows.
const DAYS: [i64; 3] = [1, 30, 3_650];
/// Number of rows that give the usual interval.
const ROWS: usize = 200;
const FEWEST: usize = 5;

/// Reads the facts of every table with rows, by its name.
///
/// # Errors
/// The store cannot be read, or a table's rows were staged with another clock.
pub fn facts(config: &Config, store: &Store) -> Result<BTreeMap<String, TableFacts>, StoreError> {
    let mut facts = BTreeMap::new();
    for table in &config.tables {
        let name = &table.name.0;
        let columns = store.column_names(name)?;
        if columns.is_empty() {
            continue;
        }
        let flagged_by_hand = store.columns_flagged_by_hand(name)?;
        let interval = interval(store, table)?;
        facts.insert(name.clone(), TableFacts { columns, flagged_by_hand, interval });
    }
    Ok(facts)
}

/// The median of the intervals between rows. A gap or a clock step does not change it.
fn interval(store: &Store, table: &TableConfig) -> Result<Option<Duration>, StoreError> {
    let Some(newest) = store.newest_of_table(&table.name.0)? else { return Ok(None) };
    let mut intervals = Vec::new();
    for days in DAYS {
        let since = newest.minus(days * NANOS_PER_DAY);
        let mut rows = store.rows(table, Some(since), Some(newest))?;
        let mut before: Option<Timestamp> = None;
        intervals.clear();
        while intervals.len() < ROWS
            && let Some(row) = rows.next_row()?
        {
            // Rows of several series come together, and may have the same time.
            if let Some(interval) =
                before.map(|before| row.ts.nanos().abs_diff(before.nanos())).filter(|interval| *interval > 0)
            {
                intervals.push(interval);
            }
            before = Some(row.ts);
        }
        if intervals.len() >= FEWEST {
            break;
        }
    }
    intervals.sort_unstable();
    Ok(intervals.get(intervals.len() / 2).copied().map(Duration::from_nanos))
}
