//! Why a row cannot become a line.

use super::MAX_KEY_BYTES;
use crate::time::Timestamp;

/// Why a row cannot become a line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LineError {
    /// The table has no column that is sent as a field.
    #[error("measurement `{measurement}` has no field column: give at least one column of the table `use = \"field\"`")]
    NothingToSend {
        /// The measurement as it would be sent.
        measurement: String,
    },
    /// The rows have the tags of an earlier configuration.
    #[error("its tag columns changed in the configuration, and `ingest` has not yet given the rows their new tags")]
    TagsChanged,
    /// Measurement, tags and a field name together are too long.
    #[error("{}", too_long(field, *bytes))]
    KeyTooLong {
        /// The field; empty if measurement and tags alone are too long.
        field: String,
        /// The bytes they need.
        bytes: usize,
    },
    /// The values are not the JSON array that the store writes.
    #[error("the stored values of {at} are damaged at byte {byte}: read the file again with `ingest FILE`")]
    Values {
        /// The row's time.
        at: Timestamp,
        /// The offset at which the array is not valid, counted from 0.
        byte: usize,
    },
    /// The row has more values than the table has columns.
    #[error(
        "the row of {at} has more values than the {columns} columns known: the column list was read before the row was staged"
    )]
    Columns {
        /// The row's time.
        at: Timestamp,
        /// The number of columns that this shape knows.
        columns: usize,
    },
    /// The number of flag digits differs from the number of values.
    #[error("the row of {at} does not have one flag digit a value: read its file again with `ingest FILE`")]
    Flags {
        /// The row's time.
        at: Timestamp,
    },
    /// The time is one of the three instants at the ends of the range that InfluxDB reserves.
    #[error("the time {0} is outside the range that InfluxDB takes")]
    TimeOutOfRange(Timestamp),
}

fn too_long(field: &str, bytes: usize) -> String {
    if field.is_empty() {
        return format!(
            "measurement and tags need {bytes} bytes, InfluxDB takes {MAX_KEY_BYTES}: shorten the tag values"
        );
    }
    format!(
        "measurement, tags and field `{field}` need {bytes} bytes, InfluxDB takes {MAX_KEY_BYTES}: shorten the tag values or the field's \
         name"
    )
}
