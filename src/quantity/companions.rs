//! The columns that stand beside each column of a table that is made of another one's rows: of how many values it is made, and
//! what share of those that were expected they are.

const SAMPLES: &str = "_samples";
const COVERAGE: &str = "_coverage";

/// The column with the number of values that this one is made of.
pub fn samples_of(column: &str) -> String {
    format!("{column}{SAMPLES}")
}

/// The column with their share of the expected ones, in percent.
pub fn coverage_of(column: &str) -> String {
    format!("{column}{COVERAGE}")
}

/// Whether it is the name of one of the two.
pub fn is_companion(column: &str) -> bool {
    column.ends_with(SAMPLES) || column.ends_with(COVERAGE)
}
