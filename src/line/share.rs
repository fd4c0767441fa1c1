//! The share that a table has of a measurement's columns, where a product limits them.

use std::collections::BTreeSet;

use crate::config::{ColumnUse, TableConfig};

/// How many of the `most` columns of a measurement are this table's, where several tables write to it. `sharing` are all of
/// them, the table itself among them, with the columns that the store knows.
///
/// All of them while the tables fit into one measurement together, else an equal share: it changes with the configuration
/// and not with a column that is added to another table.
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
    // Time is a column too; a field needs one for itself and one for its flag.
    if 1 + tags.len() + 2 * fields.len() <= most {
        return most;
    }
    // A series may lack a value of a tag column, so only the constant tags are sure to stand in each line.
    most.saturating_sub(1 + tags.len()) / sharing.len() + 1 + table.tags.len()
}

/// The tags that a table's lines can have.
fn tag_names(table: &TableConfig) -> impl Iterator<Item = &str> {
    let columns = table.columns.iter().filter(|(_, config)| config.column_use == ColumnUse::Tag);
    let named = columns.map(|(column, config)| config.field.as_deref().unwrap_or(column));
    table.tags.keys().map(String::as_str).chain(named)
}
