//! What the page is told, an answer a file. The report holds the same answers.
//!
//! Times are UTC milliseconds since 1970, spans of time seconds; what is not there is null. Nothing in an answer is ever a
//! secret: of the destination it names the kind and the host.

use serde::{Serialize, Serializer};

use crate::time::Timestamp;

pub mod board;
pub mod delivery;
pub mod gaps;
pub mod listing;
pub mod station;
pub mod status;
pub mod views;

const NANOS_PER_MILLI: i64 = 1_000_000;

/// An instant in milliseconds since 1970: a whole number wherever it is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Millis(pub Timestamp);

impl Serialize for Millis {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let nanos = self.0.0;
        if nanos % NANOS_PER_MILLI == 0 {
            return serializer.serialize_i64(nanos / NANOS_PER_MILLI);
        }
        #[allow(clippy::cast_precision_loss, reason = "a double holds the microseconds of every year that is kept")]
        serializer.serialize_f64(nanos as f64 / NANOS_PER_MILLI as f64)
    }
}
