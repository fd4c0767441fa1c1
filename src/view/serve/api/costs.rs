//! What each test costs in values over a span of time, by table and column.
//!
//! The newest rows of the span are counted, so that an answer takes no longer over a year of 10 Hz than over a day of it; where
//! that is not all of them, it says from when on.

use serde::Serialize;

use super::Millis;
use crate::config::Config;
use crate::store::{ColumnCosts, Store};
use crate::time::Timestamp;
use crate::view::serve::error::ApiError;

/// Rows of a table that are counted: a day of 1 Hz.
const MOST_ROWS: usize = 86_400;

/// The costs of every table's tests.
#[derive(Debug, Default, Serialize)]
pub struct Costs {
    tables: Vec<Table>,
}

#[derive(Debug, Serialize)]
struct Table {
    table: String,
    /// The first row that is counted, where not every row of the span is.
    counted_from: Option<Millis>,
    /// Those with a test that judged values of the span.
    columns: Vec<ColumnCosts>,
}

/// From `span.0` to `span.1`.
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
