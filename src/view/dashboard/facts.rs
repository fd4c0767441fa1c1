//! What a dashboard needs to know of the tables and the configuration does not say.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::config::{Config, TableConfig};
use crate::store::{Store, StoreError};
use crate::time::Timestamp;

/// What the store knows of a table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TableFacts {
    /// Its column list, in order.
    pub columns: Vec<String>,
    /// Columns that a person ever flagged: from then on their flags are sent too.
    pub flagged_by_hand: Vec<String>,
    /// The usual time from row to row.
    pub interval: Option<Duration>,
}

const NANOS_PER_DAY: i64 = 86_400 * 1_000_000_000;
/// The days before the newest row that are looked at, until there are enough rows.
const DAYS: [i64; 3] = [1, 30, 3_650];
/// So many rows say how far they are apart.
const ROWS: usize = 200;
const FEWEST: usize = 5;

/// Gathers the facts of every table that has been read, by its name.
///
/// # Errors
/// The store cannot be read, or a table's rows were staged by another clock.
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

/// The middle one of the distances between rows, which neither a gap nor a clock that was set moves.
fn interval(store: &Store, table: &TableConfig) -> Result<Option<Duration>, StoreError> {
    let Some(newest) = store.newest_of_table(&table.name.0)? else { return Ok(None) };
    let mut distances = Vec::new();
    for days in DAYS {
        let since = newest.minus(days * NANOS_PER_DAY);
        let mut rows = store.rows(table, Some(since), Some(newest))?;
        let mut before: Option<Timestamp> = None;
        distances.clear();
        while distances.len() < ROWS
            && let Some(row) = rows.next_row()?
        {
            // Series of one table are read side by side, and have rows at one time.
            if let Some(distance) =
                before.map(|before| row.ts.nanos().abs_diff(before.nanos())).filter(|distance| *distance > 0)
            {
                distances.push(distance);
            }
            before = Some(row.ts);
        }
        if distances.len() >= FEWEST {
            break;
        }
    }
    distances.sort_unstable();
    Ok(distances.get(distances.len() / 2).copied().map(Duration::from_nanos))
}
