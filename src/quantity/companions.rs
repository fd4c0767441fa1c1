//! The two columns beside each column of a made table: the number of samples of the value, and their share of the
//! expected samples.

const SAMPLES: &str = "_samples";
const COVERAGE: &str = "_coverage";

/// The name of the column with the number of samples of this column's values.
pub fn samples_of(column: &str) -> String {
    format!("{column}{SAMPLES}")
}

/// The name of the column with their share of the expected samples, in percent.
pub fn coverage_of(column: &str) -> String {
    format!("{column}{COVERAGE}")
}

/// Whether this is the name of such a column.
pub fn is_companion(column: &str) -> bool {
    column.ends_with(SAMPLES) || column.ends_with(COVERAGE)
}
