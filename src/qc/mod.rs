//! Flags: one QARTOD digit per value, kept beside the value; the value is never changed.
//!
//! QARTOD (and IODE's primary level, IOC Manuals & Guides 54 v3) has five flags: 1 pass, 2 not evaluated, 3 suspect, 4
//! fail, 9 missing. `registry` lists the tests; each is a file of its own. [`TableSpec`] specifies the tests of a
//! table, [`TableTests`] are these tests compiled for a column list, and [`Series`] runs them on one series. The module
//! has no side effects: it takes values and returns flags and findings. It does not use the configuration file.
//! `docs/qc.md` describes every test with its formula, bounds, edge cases and source.

mod finding;
mod fit;
mod flag;
mod keys;
mod limits;
mod registry;
mod series;
mod spec;
mod table;
mod value;
mod window;

// The tests, one file each.
mod attenuated_signal;
mod climatology;
mod despike;
mod diagnostic;
mod flat_line;
mod gross_range;
mod guard;
mod input;
mod manual;
mod pair;
mod rate_of_change;
mod spike;
mod sun;
mod time_gap;

pub use climatology::{Climatology, Season};
pub use despike::{Block, Daylight, Despike, DespikeWhen, Sample as DespikeSample};
pub use diagnostic::Diagnostic;
pub use finding::{Finding, findings};
pub use fit::{KnownColumn, unknown_columns, without_position};
pub use flag::Flag;
pub use gross_range::GrossRange;
pub use guard::RangeGuard;
pub use keys::{Absent, Entry, Group, GroupKeys, Key, Kind, Problem, Setting};
pub use manual::ManualFlag;
pub use pair::{Across, Guard, Measure, Pair, PairFlags, Partner};
pub use registry::{About, ColumnSettings, TableSettings, Test};
pub use series::{Series, Verdict};
pub use spec::{ColumnAt, ColumnSpec, OwnBounds, TableName, TableSpec};
pub use sun::{Light, measures_sunlight};
pub use table::TableTests;
pub use value::{Sentinels, Value, Word};
