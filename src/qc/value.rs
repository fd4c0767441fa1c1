//! What the tests see of a field of a row.

/// What a value is, for the tests.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Value {
    /// A finite number.
    Number(f64),
    /// NAN, INF, -INF, an empty field, or a column that the file does not have.
    Missing,
    /// Text.
    Text,
}
