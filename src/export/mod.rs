//! Rows of the store as CSV, for a spreadsheet, a script or a data archive.
//!
//! Read-only, and streamed: memory does not grow with the rows. A number is written as the logger spelled it, because
//! another spelling would be another value to whoever compares files (I8). [`plain`] gives a table as it is,
//! [`Ameriflux`] in the shape that AmeriFlux takes half-hourly uploads in.

use std::io;

use thiserror::Error;

use crate::store::StoreError;
use crate::time::Timestamp;

mod ameriflux;
mod cells;
mod plain;

pub use ameriflux::Ameriflux;
pub use plain::{FlagStyle, Plain, TimeScale, plain};

/// What was written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Written {
    /// Rows of the store.
    pub rows: u64,
    /// Rows written for times that the store has no row of.
    pub filled: u64,
}

/// What stops an export.
#[derive(Debug, Error)]
pub enum ExportError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A column is not known.
    #[error("table \"{table}\" has no column \"{name}\"; {mend}")]
    UnknownColumn {
        /// The table.
        table: String,
        /// As typed.
        name: String,
        /// What was meant, or what there is.
        mend: String,
    },
    /// A flag column would have the name of a column.
    #[error(
        "table \"{table}\" has both a column \"{name}\" and flags that would be called so; leave one out with --columns, \
         or write --flags none"
    )]
    FlagNameTaken {
        /// The table.
        table: String,
        /// The name.
        name: String,
    },
    /// Nothing to export in a shape that needs rows.
    #[error(
        "table \"{table}\" has {rows} in this window, and its step cannot be told from fewer than two; widen --since and --until, or run `fluxtower ingest`"
    )]
    TooFewRows {
        /// The table.
        table: String,
        /// `no row` or `one row`.
        rows: &'static str,
    },
    /// No column says which AmeriFlux variable it is.
    #[error(
        "no column to export of table \"{table}\" has an AmeriFlux variable; write for example variable = \"TA_1_1_1\" under [table.columns.NAME]"
    )]
    NoVariable {
        /// The table.
        table: String,
    },
    /// Two columns under one name.
    #[error(
        "columns \"{first}\" and \"{second}\" of table \"{table}\" are both the variable {variable}; tell them apart by \
         AmeriFlux's qualifiers of place, horizontal_vertical_replicate: for example {variable}_1_1_1 and {variable}_1_2_1"
    )]
    SameVariable {
        /// The table.
        table: String,
        /// One column.
        first: String,
        /// The other.
        second: String,
        /// The variable of both.
        variable: String,
    },
    /// Several rows share a time.
    #[error(
        "rows of table \"{table}\" are told apart by tag columns, so that several share a time; AmeriFlux takes one row a time: export it with --format csv"
    )]
    SeveralSeries {
        /// The table.
        table: String,
    },
    /// The table is of another step.
    #[error(
        "table \"{table}\" has a row every {step}; AmeriFlux takes rows of 30 minutes or of one hour, as the logger \
         averaged them: export the table that the logger writes half-hourly"
    )]
    Step {
        /// The table.
        table: String,
        /// Its most common step.
        step: String,
    },
    /// A row stands between two steps.
    #[error(
        "the row of {time} in table \"{table}\" does not stand on the full {step}; AmeriFlux takes a constant step only: \
         leave the row out with --since or --until, or look at the logger's clock"
    )]
    OffStep {
        /// The table.
        table: String,
        /// Station time in the standard offset.
        time: String,
        /// `hour` or `half hour`.
        step: &'static str,
    },
    /// A stored row cannot be read.
    #[error("the row of {ts} in table \"{table}\" cannot be read ({source}); see `fluxtower check`")]
    Row {
        /// The table.
        table: String,
        /// Its time.
        ts: Timestamp,
        /// Why.
        source: serde_json::Error,
    },
    /// The rows cannot be written.
    #[error("cannot write the rows: {0}")]
    Output(#[from] io::Error),
}

impl ExportError {
    /// Whether the user asked for what cannot be, rather than the work having failed.
    pub fn is_usage(&self) -> bool {
        !matches!(self, ExportError::Store(_) | ExportError::Row { .. } | ExportError::Output(_))
    }
}

/// csv wraps what the writer says.
fn output(error: csv::Error) -> ExportError {
    ExportError::Output(match error.into_kind() {
        csv::ErrorKind::Io(source) => source,
        other => io::Error::other(format!("{other:?}")),
    })
}
