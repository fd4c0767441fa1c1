//! What can go wrong with a view.

use thiserror::Error;

use crate::store::StoreError;

/// Why there is no answer.
#[derive(Debug, Error)]
pub enum SummaryError {
    /// Neither the configuration nor the store knows the table.
    #[error("there is no table \"{table}\"; ask for one that /api/station lists")]
    UnknownTable {
        /// The name asked for.
        table: String,
    },
    /// The table has no such column.
    #[error("table \"{table}\" has no column \"{column}\"; ask for one that /api/station lists")]
    UnknownColumn {
        /// The table.
        table: String,
        /// The name asked for.
        column: String,
    },
    /// The tags name no series of the table, or not a single one.
    #[error(
        "table \"{table}\" has {series} series and these tags name {named} of them; name the value of every tag column, as tag.NAME=VALUE"
    )]
    NotOneSeries {
        /// The table.
        table: String,
        /// How many there are.
        series: usize,
        /// How many have these tags.
        named: usize,
    },
    /// The stretch of time ends before it begins.
    #[error("`to` lies before `from`; exchange them")]
    Backwards,
    /// The store could not be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl SummaryError {
    /// Whether what was asked for is not there, as against asked in a wrong way.
    pub fn is_not_found(&self) -> bool {
        matches!(
            self,
            SummaryError::UnknownTable { .. } | SummaryError::UnknownColumn { .. } | SummaryError::NotOneSeries { .. }
        )
    }
}
