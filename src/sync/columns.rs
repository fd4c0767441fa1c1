//! How many columns of a measurement a table may have: where a product limits them, tables that write to one measurement
//! share its limit (docs/influx-answers.md#limits).

use crate::config::{Config, DestinationConfig, TableConfig};

/// The most columns of a line of this table: the product's limit is per measurement, over all tables that write to it.
///
/// `columns_of` gives the columns of a table by its name. While the tables fit together each may have all; when they no
/// longer do, each has an equal share, so that a column more of one table moves no column of another.
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
