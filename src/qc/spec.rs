//! The specification of a table's tests, and what QC must know about the table.
//!
//! The configuration fills it in, so that this module and its tests do not depend on the configuration.

use std::collections::BTreeMap;

use super::diagnostic::Diagnostic;
use super::guard::RangeGuard;
use super::pair::Pair;
use super::registry::{ColumnSettings, TableSettings, Test};
use super::sun::Light;
use super::value::Sentinels;
use crate::ameriflux::Ranges;
use crate::quantity::{Kind, is_companion};
use crate::sun::Position;
use crate::time::StationClock;

/// The name of a table in the configuration: the key of all of the table's data in the store.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TableName(pub String);

impl std::fmt::Display for TableName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// A column of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnAt {
    /// The table's name in the configuration.
    pub table: TableName,
    /// The column's name in the file.
    pub column: String,
}

/// The specification of a table.
#[derive(Debug, Clone)]
pub struct TableSpec<'a> {
    /// Its name.
    pub name: &'a TableName,
    /// The clock of the station, for seasons and times of day.
    pub clock: StationClock,
    /// The station's position, for the sun.
    pub position: Option<Position>,
    /// Values that mean "missing" in columns without a list of their own.
    pub sentinels: &'a Sentinels,
    /// The tests of its rows.
    pub settings: &'a TableSettings,
    /// The configured columns, by name.
    pub columns: BTreeMap<&'a str, ColumnSpec<'a>>,
    /// The kind of quantity of each column in the header, configured or not.
    pub kinds: BTreeMap<&'a str, Kind>,
    /// All pairs of the configuration; those of other tables are ignored.
    pub pairs: &'a [Pair],
    /// Whether its rows are made of another table's: each value is then judged by the share of its samples that count.
    pub is_made: bool,
}

/// A configured column.
#[derive(Debug, Clone)]
pub struct ColumnSpec<'a> {
    /// Whether it is sent as a field, so that tests of a whole row flag it.
    pub is_field: bool,
    /// Whether its values are sent as text.
    pub is_text: bool,
    /// Values that mean "missing" in this column; None takes those of the table.
    pub sentinels: Option<&'a Sentinels>,
    /// The kind of quantity, as far as it is known.
    pub kind: Kind,
    /// Its AmeriFlux variable.
    pub variable: Option<&'a str>,
    /// The range.
    pub range: Option<Ranges>,
    /// Which bounds of the range the user gives. They apply exactly.
    pub own_bounds: OwnBounds,
    /// Whether its range can depend on the time since the previous row, whatever the header states.
    pub needs_interval: bool,
    /// How its values become W m-2, if it is sunlight.
    pub light: Option<Light>,
    /// Whether a test or its formula needs the sun's position.
    pub needs_sun: bool,
    /// The other tests.
    pub settings: &'a ColumnSettings,
    /// The instrument, if the column is a diagnostic word.
    pub diagnostic: Option<&'a Diagnostic>,
    /// The guards by which its numbers flag other columns.
    pub guards: &'a [RangeGuard],
    /// The columns from which it is computed; None for a column of the file.
    pub inputs: Option<&'a [String]>,
}

/// Which bounds of a range the user gives; the others are those of the AmeriFlux variable.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct OwnBounds {
    /// The bounds of `suspect`.
    pub suspect: bool,
    /// The bounds of `fail`.
    pub fail: bool,
}

impl TableSpec<'_> {
    /// The kind of quantity of a column, as far as it is known.
    pub fn kind_of(&self, column: &str) -> Kind {
        let own = || self.columns.get(column).map(|own| own.kind);
        self.kinds.get(column).copied().or_else(own).unwrap_or_default()
    }

    /// Whether both have the same tests for every column.
    pub fn judges_as(&self, other: &TableSpec<'_>) -> bool {
        let limits =
            |spec: &TableSpec<'_>| -> Vec<_> { spec.columns.values().map(|own| (own.range, own.light)).collect() };
        let mut names = self.columns.keys().copied().chain(self.kinds.keys().copied());
        limits(self) == limits(other) && names.all(|name| self.kind_of(name) == other.kind_of(name))
    }

    /// The configured tests of a column, in the order of [`Test`]; flags by hand are not included.
    pub fn tests_of(&self, column: &str) -> Vec<Test> {
        let own = self.columns.get(column);
        let is_paired = self.pairs.iter().any(|pair| {
            [&pair.first, &pair.second].iter().any(|side| side.table == *self.name && side.column == column)
        });
        let mut diagnostics = self.columns.values().filter_map(|other| other.diagnostic);
        let is_governed = diagnostics.any(|diagnostic| diagnostic.governs.iter().any(|governed| governed == column));
        let mut guards = self.columns.values().flat_map(|other| other.guards);
        let is_guarded = guards.any(|guard| guard.governs.iter().any(|governed| governed == column));
        let special = [
            (Test::GrossRange, own.is_some_and(|own| own.range.is_some())),
            (Test::Pair, is_paired),
            (Test::Diagnostic, is_governed),
            (Test::Guard, is_guarded || (self.is_made && !is_companion(column))),
            (Test::Input, own.is_some_and(|own| own.inputs.is_some())),
        ];
        let mut tests: Vec<Test> = special.into_iter().filter(|(_, is_set)| *is_set).map(|(test, _)| test).collect();
        tests.extend(own.into_iter().flat_map(|own| own.settings.tests()));
        tests.extend(self.settings.tests());
        tests.sort_unstable();
        tests
    }

    /// Whether a column's flags say more than "missing", so that they are sent.
    pub fn is_tested(&self, column: &str) -> bool {
        !self.tests_of(column).is_empty()
    }
}
