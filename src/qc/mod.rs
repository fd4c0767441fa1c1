//! Flags: one QARTOD digit per value, beside the value and never in its place.
//!
//! QARTOD (and IODE's primary level, IOC Manuals & Guides 54 v3) knows five: 1 pass, 2 not evaluated, 3 suspect, 4 fail,
//! 9 missing. The tests here need one row only, so a flag is final when the row is staged. Pure; a value is read and never
//! changed.

mod diagnostic;
mod flag;
mod range;
pub mod unit;
mod variable;

pub use diagnostic::{Decoded, Instrument};
pub use flag::Flag;
pub use range::{ColumnTests, TableTests};
pub use variable::{Variable, lookup, near};
