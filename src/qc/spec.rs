//! What QC is asked of a table, and what it must know of it.
//!
//! The configuration fills it in, so that this module and its tests know no configuration.

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

/// The name of a table in the configuration: the key of everything that the store knows of it.
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

/// A table.
#[derive(Debug, Clone)]
pub struct TableSpec<'a> {
    /// Its name.
    pub name: &'a TableName,
    /// The clock of its logger, for seasons and times of day.
    pub clock: StationClock,
    /// Where the station is, for the sun.
    pub position: Option<Position>,
    /// What means "missing" in every column that has none of its own.
    pub sentinels: &'a Sentinels,
    /// The tests of its rows.
    pub settings: &'a TableSettings,
    /// The configured columns, by name.
    pub columns: BTreeMap<&'a str, ColumnSpec<'a>>,
    /// What kind of quantity each column is that a header states, configured or not.
    pub kinds: BTreeMap<&'a str, Kind>,
    /// All pairs of the configuration; those of other tables are passed over.
    pub pairs: &'a [Pair],
    /// Whether its rows are made of another table's: each value is then judged by the share of its samples that count.
    pub is_made: bool,
}

/// A configured column.
#[derive(Debug, Clone)]
pub struct ColumnSpec<'a> {
    /// Whether it is sent as a field, so that tests of a whole row flag it.
    pub is_field: bool,
    /// Whether its values are sent as texts.
    pub is_text: bool,
    /// What means "missing" here; none means the table's.
    pub sentinels: Option<&'a Sentinels>,
    /// What kind of quantity it is, as far as it is known.
    pub kind: Kind,
    /// Its AmeriFlux variable.
    pub variable: Option<&'a str>,
    /// Its range.
    pub range: Option<Ranges>,
    /// Which bounds of it the user gives. They stand to the digit.
    pub own_bounds: OwnBounds,
    /// Whether its range can depend on the time since the row before, whatever a header states.
    pub needs_interval: bool,
    /// How its values become W m-2, if the sun lights it.
    pub light: Option<Light>,
    /// Whether a test or its formula asks where the sun stands.
    pub needs_sun: bool,
    /// Its other tests.
    pub settings: &'a ColumnSettings,
    /// Whether it is an instrument's diagnostic word, and whose.
    pub diagnostic: Option<&'a Diagnostic>,
    /// Which of its numbers vouch for other columns.
    pub guards: &'a [RangeGuard],
    /// The columns that it is computed from; none for a column of the file.
    pub inputs: Option<&'a [String]>,
}

/// Which bounds of a range the user gives; the others are those of the AmeriFlux variable.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct OwnBounds {
    /// Those of what is expected.
    pub suspect: bool,
    /// Those of what is possible.
    pub fail: bool,
}

impl TableSpec<'_> {
    /// What kind of quantity a column is, as far as it is known.
    pub fn kind_of(&self, column: &str) -> Kind {
        let own = || self.columns.get(column).map(|own| own.kind);
        self.kinds.get(column).copied().or_else(own).unwrap_or_default()
    }

    /// Whether both ask the same of every column.
    pub fn judges_as(&self, other: &TableSpec<'_>) -> bool {
        let limits =
            |spec: &TableSpec<'_>| -> Vec<_> { spec.columns.values().map(|own| (own.range, own.light)).collect() };
        let mut names = self.columns.keys().copied().chain(self.kinds.keys().copied());
        limits(self) == limits(other) && names.all(|name| self.kind_of(name) == other.kind_of(name))
    }

    /// The tests that a column is configured for, in the order of [`Test`]; flags by hand are not among them.
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

    /// Whether a column's flags say more than "missing", so that they are worth sending.
    pub fn is_tested(&self, column: &str) -> bool {
        !self.tests_of(column).is_empty()
    }
}
