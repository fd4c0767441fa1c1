//! The share of a table in a measurement's columns, if a product limits them.

use std::collections::BTreeSet;

use crate::config::{ColumnUse, TableConfig};

/// The number of the `most` columns of a measurement that this table may use, if several tables write to it. `sharing`
/// are all of them, including this table, with the columns that the store knows.
///
/// All columns if the tables fit into one measurement together, otherwise an equal share: it changes with the
/// configuration and not with a column that is added to another table.
pub fn share_of_columns(most: usize, table: &TableConfig, sharing: &[(&TableConfig, &[String])]) -> usize {
    if sharing.len() < 2 {
        return most;
    }
    let mut tags: BTreeSet<&str> = BTreeSet::new();
    let mut fields: BTreeSet<&str> = BTreeSet::new();
    for (other, columns) in sharing {
        tags.extend(tag_names(other));
        for column in *columns {
            match other.columns.get(column) {
                Some(config) if config.column_use == ColumnUse::Tag => {}
                Some(config) if config.column_use == ColumnUse::Ignore => {}
                config => {
                    fields.insert(config.and_then(|config| config.field.as_deref()).unwrap_or(column));
                }
            }
        }
    }
    // Time is a column too; a field needs one column for itself and one for its flag.
    if 1 + tags.len() + 2 * fields.len() <= most {
        return most;
    }
    // A series may have no value of a tag column, so only the constant tags are certain to be in each line.
    most.saturating_sub(1 + tags.len()) / sharing.len() + 1 + table.tags.len()
}

/// The tags that a table's lines can have.
fn tag_names(table: &TableConfig) -> impl Iterator<Item = &str> {
    let columns = table.columns.iter().filter(|(_, config)| config.column_use == ColumnUse::Tag);
    let named = columns.map(|(column, config)| config.field.as_deref().unwrap_or(column));
    table.tags.keys().map(String::as_str).chain(named)
}
