//! Errors of a request for data.

use thiserror::Error;

use crate::store::StoreError;

/// Why there is no answer.
#[derive(Debug, Error)]
pub enum SummaryError {
    /// Neither the configuration nor the store knows the table.
    #[error("no table is named \"{table}\"; request one that /api/station lists")]
    UnknownTable {
        /// The name in the request.
        table: String,
    },
    /// The table has no such column.
    #[error("table \"{table}\" has no column \"{column}\"; request one that /api/station lists")]
    UnknownColumn {
        /// The table.
        table: String,
        /// The name in the request.
        column: String,
    },
    /// The tags match no series of the table, or several.
    #[error(
        "table \"{table}\" has {series} series and these tags match {named} of them; give the value of every tag column, as tag.NAME=VALUE"
    )]
    NotOneSeries {
        /// The table.
        table: String,
        /// The number of series.
        series: usize,
        /// The number of series with these tags.
        named: usize,
    },
    /// The span of time ends before it begins.
    #[error("`to` is before `from`; exchange them")]
    Backwards,
    /// The store could not be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl SummaryError {
    /// Whether the requested object does not exist, in contrast to an invalid request.
    pub fn is_not_found(&self) -> bool {
        matches!(
            self,
            SummaryError::UnknownTable { .. } | SummaryError::UnknownColumn { .. } | SummaryError::NotOneSeries { .. }
        )
    }
}
