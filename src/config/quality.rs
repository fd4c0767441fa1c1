//! What a table's configuration asks of QC, in the terms of QC.

use std::collections::BTreeMap;

use super::{ColumnUse, Config, Formula, TableConfig, ValueType};
use crate::qc::{ColumnSpec, Pair, TableSpec};
use crate::quantity::{Facts, Kind, Stated};

impl Config {
    /// What QC is asked of a table.
    pub fn spec<'c>(&'c self, table: &'c TableConfig) -> TableSpec<'c> {
        table.spec(&self.pairs)
    }
}

impl TableConfig {
    /// What kind of quantity each of these columns holds: as configured, otherwise by the header that states them.
    pub fn kinds(&self, columns: &[Stated<'_>]) -> Vec<Kind> {
        let counts = Stated::of_each_name(columns);
        let kind = |(column, of_its_name): (&Stated<'_>, usize)| {
            let own = self.columns.get(column.name);
            // An instrument's diagnostic word holds bits.
            let is_word = own.is_some_and(|own| own.diagnostic.is_some());
            let facts = Facts {
                configured: own.and_then(|own| own.kind).or_else(|| is_word.then_some(Kind::Code)),
                variable: own.and_then(|own| own.variable.as_deref()),
                process: column.process,
                unit: column.unit,
                name: column.name,
                of_its_name,
            };
            facts.kind()
        };
        columns.iter().zip(counts).map(kind).collect()
    }

    /// What QC is asked of the table; `pairs` are those of the configuration, or none where they do not matter.
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
                    range: column.range,
                    needs_sun: column.quality.sun.is_some() || column.formula.as_ref().is_some_and(Formula::needs_sky),
                    settings: &column.quality,
                    diagnostic: column.diagnostic.as_ref(),
                    inputs: column.formula.as_ref().map(Formula::inputs),
                };
                (name.as_str(), spec)
            })
            .collect();
        TableSpec {
            name: &self.name,
            clock: self.clock,
            position: self.position,
            sentinels: &self.sentinels,
            settings: &self.quality,
            columns,
            pairs,
        }
    }
}
