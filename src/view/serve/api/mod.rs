//! What the page is told, an answer a file. The report holds the same answers.
//!
//! Times are UTC milliseconds since 1970, spans of time seconds; what is not there is null. Nothing in an answer is ever a
//! secret: of the destination it names the kind and the host.

use std::sync::Arc;

use serde::{Serialize, Serializer};

use super::error::ApiError;
use super::readers::{Database, Readers};
use crate::config::Config;
use crate::store::Store;
use crate::time::Timestamp;
use crate::view::summary::{Ribbon, RibbonRequest, Summaries, Trace, TraceRequest};

mod board;
mod delivery;
mod gaps;
mod listing;
mod station;
mod status;

pub use delivery::Delivery;
pub use gaps::Gaps;
pub use listing::{Flags, Rejected};
pub use station::Station;
pub use status::Status;

const NANOS_PER_MILLI: i64 = 1_000_000;

/// An instant in milliseconds since 1970: a whole number wherever it is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Millis(pub Timestamp);

impl Serialize for Millis {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let nanos = self.0.nanos();
        if nanos % NANOS_PER_MILLI == 0 {
            return serializer.serialize_i64(nanos / NANOS_PER_MILLI);
        }
        #[allow(clippy::cast_precision_loss, reason = "a double holds the microseconds of every year that is kept")]
        serializer.serialize_f64(nanos as f64 / NANOS_PER_MILLI as f64)
    }
}

/// Everything that can be asked of one station. Shared by threads.
#[derive(Debug)]
pub struct Answers {
    config: Config,
    readers: Readers,
    status: status::Kept,
}

impl Answers {
    /// Nothing is opened yet; a database may come later.
    pub fn new(config: Config) -> Answers {
        Answers { readers: Readers::new(config.clone()), status: status::Kept::default(), config }
    }

    /// What the answers rest on.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// What the station is.
    pub fn station(&self, now: Timestamp) -> Result<Station, ApiError> {
        self.readers.with(|database| station::answer(&self.config, database, now))
    }

    /// The first screen. The store is read once for each `revision`.
    pub fn status(&self, revision: u64, now: Timestamp) -> Status {
        self.status.answer(&self.config, &self.readers, revision, now)
    }

    /// Values of some columns over a stretch of time.
    pub fn trace(&self, request: &TraceRequest) -> Result<Trace, ApiError> {
        self.readers.with(|database| {
            let Database { store, summaries, .. } = self.there(database, &request.table)?;
            Ok(summaries.trace(store, request)?)
        })
    }

    /// Flags of all columns over a stretch of time.
    pub fn ribbon(&self, request: &RibbonRequest) -> Result<Ribbon, ApiError> {
        self.readers.with(|database| {
            let Database { store, summaries, .. } = self.there(database, &request.table)?;
            Ok(summaries.ribbon(store, request)?)
        })
    }

    /// What went out from `span.0` to before `span.1`, and what waits.
    pub fn delivery(&self, span: (Timestamp, Timestamp), now: Timestamp) -> Result<Delivery, ApiError> {
        self.readers.with(|database| delivery::answer(&self.config, store(database), span, now))
    }

    /// Missing records.
    pub fn gaps(&self) -> Result<Gaps, ApiError> {
        self.readers.with(|database| gaps::answer(&self.config, store(database)))
    }

    /// Rejected lines and rows, and conflicts, at most `limit` of each.
    pub fn rejected(&self, limit: usize) -> Result<Rejected, ApiError> {
        self.readers.with(|database| listing::rejected(store(database), limit))
    }

    /// Flags that a person set.
    pub fn flags(&self) -> Result<Flags, ApiError> {
        self.readers.with(|database| listing::flags(store(database)))
    }

    /// Views of the database that is there now.
    pub(super) fn summaries(&self) -> Result<Option<Arc<Summaries>>, ApiError> {
        self.readers.with(|database| Ok(database.map(|database| Arc::clone(&database.summaries))))
    }

    fn there<'d>(&self, database: Option<&'d Database>, table: &str) -> Result<&'d Database, ApiError> {
        database.ok_or_else(|| {
            ApiError::Unknown(match self.config.table(table) {
                Some(_) => format!("nothing was read yet of table \"{table}\"; `fluxtower run` reads its files"),
                None => format!("there is no table \"{table}\"; {}", self.config.tables_like(table)),
            })
        })
    }
}

fn store(database: Option<&Database>) -> Option<&Store> {
    database.map(|database| &database.store)
}
