//! Facts about the tables that a dashboard needs and the configuration does not have.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::config::Config;
use crate::store::{Store, StoreError};

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
        let interval = store.usual_interval_of_table(name)?;
        facts.insert(name.clone(), TableFacts { columns, flagged_by_hand, interval });
    }
    Ok(facts)
}
