//! Translates a table's configuration into the specification that QC uses.

use std::collections::BTreeMap;

use super::{ColumnUse, Config, Formula, TableConfig, ValueType};
use crate::qc::{ColumnSpec, Light, OwnBounds, Pair, TableSpec};
use crate::quantity::{Aggregate, Facts, Kind, Outputs, Stated};

impl Config {
    /// The specification of a table, as far as the configuration gives it.
    pub fn spec<'c>(&'c self, table: &'c TableConfig) -> TableSpec<'c> {
        table.spec(&self.pairs)
    }

    /// The specification of a table whose header states these columns. If the configuration does not give a column's
    /// kind of quantity, process and unit determine it; the unit also decides how the range of its AmeriFlux variable
    /// is converted.
    pub fn spec_of<'c>(&'c self, table: &'c TableConfig, columns: &[Stated<'c>]) -> TableSpec<'c> {
        let mut spec = table.spec(&self.pairs);
        for (column, kind) in columns.iter().zip(table.kinds(columns)) {
            spec.kinds.insert(column.name, kind);
            if let (Some(own), Some(config)) = (spec.columns.get_mut(column.name), table.columns.get(column.name)) {
                own.kind = kind;
                // The limits for the rain of a minute do not apply to the sum of half an hour.
                let is_sum = table.made_of.is_some() && kind.aggregate() == Aggregate::Sum;
                own.range = if is_sum { config.range_of_variable(column) } else { config.range_in(column) };
                own.light = Light::of(own.variable, column.unit);
            }
        }
        spec
    }
}

impl TableConfig {
    /// Whether the column can be despiked: despiking needs the sun's position.
    pub fn is_despiked(&self) -> bool {
        self.position.is_some() && self.columns.values().any(|column| column.quality.despike.is_some())
    }

    /// The kind of quantity of each of these columns: as configured, otherwise by the header.
    pub fn kinds(&self, columns: &[Stated<'_>]) -> Vec<Kind> {
        self.facts(columns).iter().map(Facts::kind).collect()
    }

    /// What configuration and header say about each of these columns.
    pub(super) fn facts<'a>(&'a self, columns: &[Stated<'a>]) -> Vec<Facts<'a>> {
        let outputs = Stated::of_each_name(columns);
        let of = |(column, of_its_name): (&Stated<'a>, Outputs<'a>)| {
            let own = self.columns.get(column.name);
            // An instrument's diagnostic word holds bits.
            let is_word = own.is_some_and(|own| own.diagnostic.is_some());
            Facts {
                configured: own.and_then(|own| own.kind).or_else(|| is_word.then_some(Kind::Code)),
                variable: own.and_then(|own| own.variable.as_deref()),
                process: column.process,
                unit: column.unit,
                name: column.name,
                of_its_name,
            }
        };
        columns.iter().zip(outputs).map(of).collect()
    }

    /// The specification of the table; `pairs` are those of the configuration, or empty if they do not matter.
    pub fn spec<'c>(&'c self, pairs: &'c [Pair]) -> TableSpec<'c> {
        let columns: BTreeMap<&str, ColumnSpec<'_>> = self
            .columns
            .iter()
            .map(|(name, column)| {
                let spec = ColumnSpec {
                    is_field: column.column_use == ColumnUse::Field,
                    is_text: column.value_type == ValueType::Text,
                    sentinels: column.sentinels.as_ref(),
                    kind: Facts {
                        configured: column.kind,
                        variable: column.variable.as_deref(),
                        name,
                        ..Facts::default()
                    }
                    .kind(),
                    variable: column.variable.as_deref(),
                    range: column.range_in(&Stated { name, ..Stated::default() }),
                    own_bounds: OwnBounds {
                        suspect: column.limits.suspect.is_some(),
                        fail: column.limits.fail.is_some(),
                    },
                    needs_interval: column.needs_interval(),
                    light: Light::of(column.variable.as_deref(), ""),
                    needs_sun: column.quality.sun.is_some()
                        || column.quality.despike.is_some()
                        || column.formula.as_ref().is_some_and(Formula::needs_sky),
                    settings: &column.quality,
                    diagnostic: column.diagnostic.as_ref(),
                    guards: &column.guards,
                    inputs: column.formula.as_ref().map(Formula::inputs),
                };
                (name.as_str(), spec)
            })
            .collect();
        TableSpec {
            name: &self.name,
            clock: self.station_clock,
            position: self.position,
            sentinels: &self.sentinels,
            settings: &self.quality,
            columns,
            kinds: BTreeMap::new(),
            pairs,
            is_made: self.made_of.is_some(),
        }
    }
}
