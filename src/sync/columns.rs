//! The number of columns that a table may have in a measurement: if a product limits it, the tables that write to one
//! measurement share the limit (docs/influx-answers.md#limits).

use crate::config::{Config, DestinationConfig, TableConfig};

/// The most columns of a line of this table. The product's limit is per measurement, over all tables that write to it.
///
/// `columns_of` returns the columns of a table by its name. As long as the tables fit together, each may use all
/// columns; otherwise each has an equal share, so that a new column of one table does not move a column of another.
///
/// # Errors
/// Those of `columns_of`.
pub fn most_columns<E>(
    config: &Config,
    table: &TableConfig,
    columns_of: impl Fn(&str) -> Result<Vec<String>, E>,
) -> Result<Option<usize>, E> {
    let Some(most) = config.destination.most_columns() else { return Ok(None) };
    let mut sharing = Vec::new();
    for other in config.tables.iter().filter(|other| shares_measurement(config, table, other)) {
        sharing.push((other, columns_of(&other.name.0)?));
    }
    let sharing: Vec<_> = sharing.iter().map(|(other, columns)| (*other, columns.as_slice())).collect();
    Ok(Some(crate::line::share_of_columns(most, table, &sharing)))
}

fn shares_measurement(config: &Config, table: &TableConfig, other: &TableConfig) -> bool {
    let own = match &config.destination {
        DestinationConfig::Influx(influx) => influx.bucket.as_str(),
        DestinationConfig::Files { .. } => "",
    };
    let bucket = |table: &TableConfig| table.bucket.clone().unwrap_or_else(|| own.to_owned());
    other.measurement == table.measurement && bucket(other) == bucket(table)
}
