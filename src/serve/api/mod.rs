//! What the page is told, an answer a file. The report holds the same answers.
//!
//! Times are UTC milliseconds since 1970, spans of time seconds; what is not there is null. Nothing in an answer is ever a
//! secret: of the destination it names the kind and the host.

use serde::{Serialize, Serializer};

use crate::time::Timestamp;

pub mod delivery;
pub mod gaps;
pub mod listing;
pub mod station;
pub mod status;

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

/// The usual distance of rows: the middle one of the distances between the newest rows. None for fewer than two rows.
pub(super) fn usual_distance(newest_first: &[Timestamp]) -> Option<i64> {
    let mut distances: Vec<i64> =
        newest_first.windows(2).map(|pair| pair[0].0 - pair[1].0).filter(|distance| *distance > 0).collect();
    distances.sort_unstable();
    distances.get(distances.len() / 2).copied()
}

/// Seconds.
#[allow(clippy::cast_precision_loss, reason = "a distance of rows")]
pub(super) fn seconds(nanos: i64) -> f64 {
    nanos as f64 / 1e9
}
