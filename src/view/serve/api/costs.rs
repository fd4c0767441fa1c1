//! What each test costs in values over a span of time, by table and column.
//!
//! The newest rows of the span are counted, so that an answer for a year of 10 Hz takes no longer than one for a day of
//! it. If not all rows are counted, the answer says from when on they are.

use serde::Serialize;

use super::Millis;
use crate::config::Config;
use crate::store::{ColumnCosts, Store};
use crate::time::Timestamp;
use crate::view::serve::error::ApiError;

/// The most rows of a table that are counted: a day of 1 Hz.
const MOST_ROWS: usize = 86_400;

/// The costs of every table's tests.
#[derive(Debug, Default, Serialize)]
pub struct Costs {
    tables: Vec<Table>,
}

#[derive(Debug, Serialize)]
struct Table {
    table: String,
    /// The first row that is counted; null if every row of the span is.
    counted_from: Option<Millis>,
    /// The columns with a test that judged values of the span.
    columns: Vec<ColumnCosts>,
}

/// The costs from `span.0` to `span.1`.
pub(super) fn answer(config: &Config, store: Option<&Store>, span: (Timestamp, Timestamp)) -> Result<Costs, ApiError> {
    let Some(store) = store else { return Ok(Costs::default()) };
    let mut tables = Vec::new();
    for table in &config.tables {
        let costs = store.costs(config, &table.name.0, span, Some(MOST_ROWS))?;
        let mut columns = costs.columns;
        columns.retain(|column| !column.tests.is_empty());
        let counted_from = costs.counted_from.map(Millis);
        tables.push(Table { table: table.name.0.clone(), counted_from, columns });
    }
    Ok(Costs { tables })
}
