//! Rows of the store as CSV, for a spreadsheet, a script or a data archive.
//!
//! It only reads, and it streams: memory use does not grow with the number of rows. A number keeps the logger's
//! notation, because another notation would be another value for a program that compares files (I8). [`plain`] exports
//! a table unchanged, [`Ameriflux`] in AmeriFlux's format for half-hourly uploads; [`coverage()`] reports which half
//! hours have data.

use std::io;

use thiserror::Error;

use crate::store::StoreError;
use crate::time::Timestamp;

/// Half an hour in nanoseconds.
const HALF_HOUR: i64 = 1_800 * crate::time::NANOS_PER_SECOND;

mod ameriflux;
mod cells;
mod conversion;
mod coverage;
mod plain;

pub use ameriflux::{Ameriflux, Resolution, Suspects, Tables, Window};
pub use coverage::{
    Counted, Coverage, RULE, Share, VariableCoverage, Year, coverage, coverage_of_series, half_hour_of, is_reported,
};
pub use plain::{FlagStyle, Plain, TimeScale, plain};

/// The counts of an export.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Written {
    /// The number of rows of the store.
    pub rows: u64,
    /// The number of rows written for times at which the store has no row.
    pub filled: u64,
}

/// Why an export stopped.
#[derive(Debug, Error)]
pub enum ExportError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A column does not exist.
    #[error("table \"{table}\" has no column \"{name}\"; {hint}")]
    UnknownColumn {
        /// The table.
        table: String,
        /// The name as typed.
        name: String,
        /// A similar name, or all names.
        hint: String,
    },
    /// A flag column would have the same name as another column.
    #[error(
        "table \"{table}\" has a column \"{name}\", and a column of flags would get the same name; leave one out with --columns, \
 or write --flags none"
    )]
    FlagNameTaken {
        /// The table.
        table: String,
        /// The name.
        name: String,
    },
    /// A format that needs several rows has too few.
    #[error(
        "table \"{table}\" has {rows} in this time; the interval follows from at least two rows: widen --since and --until, or run `fluxtower ingest`"
    )]
    TooFewRows {
        /// The table.
        table: String,
        /// `no row` or `one row`.
        rows: &'static str,
    },
    /// No column has an AmeriFlux variable.
    #[error(
        "no column to export of table \"{table}\" has an AmeriFlux variable; write for example variable = \"TA_1_1_1\" under [table.columns.NAME]"
    )]
    NoVariable {
        /// The table.
        table: String,
    },
    /// Two columns are the same variable.
    #[error(transparent)]
    SameVariable(Box<SameVariable>),
    /// No table of the station fits.
    #[error(
        "no table of this station can be exported in AmeriFlux's form{}; give `variable` to the columns of a half-hourly or \
 hourly table, under [table.columns.NAME]",
        .reasons.iter().map(|reason| format!("; {reason}")).collect::<String>()
    )]
    NothingToJoin {
        /// One sentence for each table.
        reasons: Vec<String>,
    },
    /// Several rows share a time.
    #[error(
        "several rows of table \"{table}\" share a time, because it has tag columns; AmeriFlux accepts one row a time: export it with --format csv"
    )]
    SeveralSeries {
        /// The table.
        table: String,
    },
    /// The table has an interval that AmeriFlux does not accept.
    #[error(
        "table \"{table}\" has a row every {step}; AmeriFlux accepts rows of 30 minutes or of one hour, as the logger \
 averaged them: export the table that the logger writes half-hourly, or write aggregate = \"30m\" in this one"
    )]
    Step {
        /// The table.
        table: String,
        /// Its usual interval.
        step: String,
    },
    /// The table is made in windows that AmeriFlux does not accept.
    #[error(
        "table \"{table}\" is made in windows of {step}; AmeriFlux accepts rows of 30 minutes or of one hour: write \
 aggregate = \"30m\" in table \"{source_table}\", or export the table that the logger writes half-hourly"
    )]
    MadeStep {
        /// The table.
        table: String,
        /// The length of its windows.
        step: String,
        /// The table from which it is made.
        source_table: String,
    },
    /// Two rows are nearest to the same full half hour.
    #[error(
        "two rows of table \"{table}\" would be written under {full}, the second is that of {time}: round by less, or leave out \
 one of them with --since or --until"
    )]
    RoundedTogether {
        /// The table.
        table: String,
        /// The second row, in station time of the standard offset.
        time: String,
        /// The full half hour.
        full: String,
    },
    /// A row is between two intervals.
    #[error(
        "not on the full {step}: {rows} in table \"{table}\"; AmeriFlux accepts a constant interval only: --round 1m writes rows \
 that are off by up to a minute under the full {step}; otherwise check the logger's clock"
    )]
    OffStep {
        /// The table.
        table: String,
        /// The number of rows and their times, in station time of the standard offset.
        rows: String,
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
        /// The reason.
        source: serde_json::Error,
    },
    /// The rows cannot be written.
    #[error("cannot write the rows: {0}")]
    Output(#[from] io::Error),
}

/// Two columns with the same variable.
#[derive(Debug, Error)]
#[error(
    "columns {} and {} are both the variable {variable}{}; AmeriFlux accepts each name once: distinguish them by position \
 qualifiers, horizontal_vertical_replicate, for example {proposal}",
    shown(.first), shown(.second), .when.as_ref().map(|when| format!(", with a value each at {when}")).unwrap_or_default()
)]
pub struct SameVariable {
    /// Table and column.
    pub first: (String, String),
    /// Table and column.
    pub second: (String, String),
    /// The variable of both.
    pub variable: String,
    /// A time at which both have a value, if that is the reason.
    pub when: Option<String>,
    /// Two names that distinguish them, and the reason for these names.
    pub proposal: String,
}

fn shown((table, column): &(String, String)) -> String {
    format!("\"{column}\" of table \"{table}\"")
}

impl ExportError {
    /// Whether a site's file is still made, without the table that this error is about.
    fn leaves_out_table(&self) -> bool {
        use ExportError::{MadeStep, NoVariable, SeveralSeries, Step, TooFewRows};
        matches!(self, NoVariable { .. } | SeveralSeries { .. } | Step { .. } | MadeStep { .. } | TooFewRows { .. })
    }

    /// Whether the request itself is impossible, in contrast to a failure while carrying it out.
    pub fn is_usage(&self) -> bool {
        !matches!(self, ExportError::Store(_) | ExportError::Row { .. } | ExportError::Output(_))
    }
}

/// Extracts the writer's error from csv's error.
fn output(error: csv::Error) -> ExportError {
    ExportError::Output(match error.into_kind() {
        csv::ErrorKind::Io(source) => source,
        other => io::Error::other(format!("{other:?}")),
    })
}
