//! Flags: one QARTOD digit per value, beside the value and never in its place.
//!
//! QARTOD (and IODE's primary level, IOC Manuals & Guides 54 v3) knows five: 1 pass, 2 not evaluated, 3 suspect, 4 fail,
//! 9 missing. [`TableTests`] is what a table is tested for, [`Series`] the tests of one series under way. Pure: values
//! come in, flags and findings go out, a value is read and never changed. `docs/qc.md` says every test with its formula,
//! bounds, edges and source.

mod finding;
mod fit;
mod flag;
mod limits;
mod neighbours;
mod pair;
mod range;
mod series;
mod table;
mod window;
mod windows;

pub use finding::{Finding, Test, findings};
pub use fit::{KnownColumn, contradictions, strangers};
pub use flag::Flag;
pub use pair::{Across, Partner};
pub use range::ColumnTests;
pub use series::{Series, Verdict};
pub use table::{ManualFlag, TableTests, is_tested};
