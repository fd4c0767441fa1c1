//! Why a reading cannot become a line.

use super::MAX_KEY_BYTES;
use crate::time::Timestamp;

/// Why a reading cannot become a line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LineError {
    /// The table has no column that is sent as a field.
    #[error("measurement `{measurement}` has no field column: give at least one column of the table `use = \"field\"`")]
    NothingToSend {
        /// As it would be sent.
        measurement: String,
    },
    /// The rows have the tags of an earlier configuration.
    #[error("its tag columns changed in the configuration, and `ingest` has not yet given the rows their new tags")]
    TagsChanged,
    /// Measurement, tags and a field name are too long together.
    #[error(
        "measurement, tags and field `{field}` need {bytes} bytes, InfluxDB takes {MAX_KEY_BYTES}: shorten the tag values or the field's name"
    )]
    KeyTooLong {
        /// The field, empty when measurement and tags alone are too long.
        field: String,
        /// What they need.
        bytes: usize,
    },
    /// The values are not the JSON array that the store writes.
    #[error("the stored values of {at} are damaged at byte {byte}: read the file again with `ingest FILE`")]
    Values {
        /// The row's time.
        at: Timestamp,
        /// Where the array stops making sense, from 0.
        byte: usize,
    },
    /// The row has more values than the table has columns.
    #[error(
        "the row of {at} has more values than the {columns} columns known: the column list was read before the row was staged"
    )]
    Columns {
        /// The row's time.
        at: Timestamp,
        /// Columns known to this shape.
        columns: usize,
    },
    /// There is not exactly one flag digit a value.
    #[error("the row of {at} does not have one flag digit a value: read its file again with `ingest FILE`")]
    Flags {
        /// The row's time.
        at: Timestamp,
    },
    /// The three instants at the ends of the range that InfluxDB keeps for itself.
    #[error("the time {0} is outside the range that InfluxDB takes")]
    TimeOutOfRange(Timestamp),
}
