//! The bounds of a gross range test.

/// QARTOD gross range: inside `suspect` is 1, inside `fail` only is 3, outside is 4. Bounds belong to the inside.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Range {
    /// Lower and upper bound of what is expected, in the column's unit.
    pub suspect: (f64, f64),
    /// Lower and upper bound of what is possible, in the column's unit.
    pub fail: (f64, f64),
}
