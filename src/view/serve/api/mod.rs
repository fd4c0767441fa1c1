//! The answers for the page, one file for each kind. The report contains the same answers.
//!
//! Times are UTC milliseconds since 1970, durations are seconds; absent values are null. An answer never contains a
//! secret: of the destination it gives only the kind and the host.

use std::sync::Arc;

use serde::{Serialize, Serializer};

use super::error::ApiError;
use super::readers::{Database, Readers};
use crate::config::Config;
use crate::store::Store;
use crate::time::{NANOS_PER_MILLI, Timestamp};
use crate::view::summary::{Ribbon, RibbonRequest, Summaries, Trace, TraceRequest, Values};

mod board;
mod costs;
mod coverage;
mod delivery;
mod gaps;
mod listing;
mod station;
mod status;
mod sun;

pub use costs::Costs;
pub use coverage::{CoverageRequest, HalfHours};
pub use delivery::Delivery;
pub use gaps::Gaps;
pub use listing::{Flags, Rejected};
pub use station::Station;
pub use status::{StationLine, Status};
pub use sun::Sun;

/// An instant in milliseconds since 1970, written as a whole number where it is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Millis(pub Timestamp);

impl Serialize for Millis {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let nanos = self.0.nanos();
        if nanos % NANOS_PER_MILLI == 0 {
            return serializer.serialize_i64(nanos / NANOS_PER_MILLI);
        }
        #[allow(
            clippy::cast_precision_loss,
            reason = "a double holds the microseconds of every year that the store holds"
        )]
        serializer.serialize_f64(nanos as f64 / NANOS_PER_MILLI as f64)
    }
}

/// All answers about one station. Threads share it.
#[derive(Debug)]
pub struct Answers {
    config: Config,
    readers: Readers,
    status: status::Kept,
}

impl Answers {
    /// Does not open the database, which may be created later.
    pub fn new(config: Config) -> Answers {
        Answers { readers: Readers::new(config.clone()), status: status::Kept::default(), config }
    }

    /// The configuration behind the answers.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The station with its tables and panels.
    pub fn station(&self, now: Timestamp) -> Result<Station, ApiError> {
        self.readers.with(|database| station::answer(&self.config, database, now))
    }

    /// The first screen. The store is read once for each `revision`.
    pub fn status(&self, revision: u64, now: Timestamp) -> Status {
        self.status.answer(&self.config, &self.readers, revision, now)
    }

    /// Values of some columns over a span of time.
    pub fn trace(&self, request: &TraceRequest) -> Result<Trace, ApiError> {
        self.readers.with(|database| {
            let Database { store, summaries, .. } = self.there(database, &request.table)?;
            Ok(summaries.trace(store, request)?)
        })
    }

    /// The rows behind a drawing, at most `request.points`.
    pub fn values(&self, request: &TraceRequest) -> Result<Values, ApiError> {
        self.readers.with(|database| {
            let Database { store, summaries, .. } = self.there(database, &request.table)?;
            Ok(summaries.values(store, request)?)
        })
    }

    /// Flags of all columns over a span of time.
    pub fn ribbon(&self, request: &RibbonRequest) -> Result<Ribbon, ApiError> {
        self.readers.with(|database| {
            let Database { store, summaries, .. } = self.there(database, &request.table)?;
            Ok(summaries.ribbon(store, request)?)
        })
    }

    /// How many half hours of a series are present and good.
    pub fn coverage(&self, request: &CoverageRequest, now: Timestamp) -> Result<HalfHours, ApiError> {
        self.readers.with(|database| {
            let database = self.there(database, &request.table)?;
            coverage::answer(&self.config, database, request, now)
        })
    }

    /// Sent rows from `span.0` to before `span.1`, and the backlog.
    pub fn delivery(&self, span: (Timestamp, Timestamp), now: Timestamp) -> Result<Delivery, ApiError> {
        self.readers.with(|database| delivery::answer(&self.config, store(database), span, now))
    }

    /// Nights from `span.0` to `span.1`.
    pub fn sun(&self, span: (Timestamp, Timestamp)) -> Result<Sun, ApiError> {
        sun::answer(&self.config, span)
    }

    /// Missing records.
    pub fn gaps(&self) -> Result<Gaps, ApiError> {
        self.readers.with(|database| gaps::answer(&self.config, store(database)))
    }

    /// Rejected lines and rows, and conflicts, at most `limit` of each.
    pub fn rejected(&self, limit: usize) -> Result<Rejected, ApiError> {
        self.readers.with(|database| listing::rejected(store(database), limit))
    }

    /// Flags by hand.
    pub fn flags(&self) -> Result<Flags, ApiError> {
        self.readers.with(|database| listing::flags(store(database)))
    }

    /// What each test costs in values from `span.0` to `span.1`.
    pub fn costs(&self, span: (Timestamp, Timestamp)) -> Result<Costs, ApiError> {
        self.readers.with(|database| costs::answer(&self.config, store(database), span))
    }

    /// Summaries of the present database.
    pub(super) fn summaries(&self) -> Result<Option<Arc<Summaries>>, ApiError> {
        self.readers.with(|database| Ok(database.map(|database| Arc::clone(&database.summaries))))
    }

    fn there<'d>(&self, database: Option<&'d Database>, table: &str) -> Result<&'d Database, ApiError> {
        database.ok_or_else(|| {
            ApiError::Unknown(match self.config.table(table) {
                Some(_) => format!("table \"{table}\" has not been read yet; `fluxtower run` reads its files"),
                None => format!("no table is named \"{table}\"; {}", self.config.tables_like(table)),
            })
        })
    }
}

fn store(database: Option<&Database>) -> Option<&Store> {
    database.map(|database| &database.store)
}
