//! The columns of a station for panels, from the configuration and the store.

use super::Level;
use super::quantity::Quantity;
use super::unit;
use crate::ameriflux::{MeasuredOver, Range};
use crate::config::{ColumnConfig, ColumnUse, Config, FileFormat, TableConfig, TableName, ValueType};
use crate::line::LineShape;
use crate::quantity::{Kind, Process, Stated, is_companion};
use crate::store::{KnownColumn, KnownTable};

/// A table with its numeric columns.
#[derive(Debug, Clone, PartialEq)]
pub struct PanelTable {
    /// Its name in the configuration.
    pub name: TableName,
    /// The columns, except tag columns and columns with text.
    pub columns: Vec<PanelColumn>,
    /// The values of the tag columns by their names in the file; one empty list if there are no tag columns, or no
    /// values are known yet.
    pub series: Vec<Vec<(String, String)>>,
}

/// A column that can be drawn.
#[derive(Debug, Clone, PartialEq)]
pub struct PanelColumn {
    /// Its table in the configuration.
    pub table: TableName,
    /// Its name in the file.
    pub name: String,
    /// The field name; its own name if it is not sent.
    pub field: String,
    /// The unit as it is shown: "°C"; empty if none is known.
    pub unit: String,
    /// The AmeriFlux variable as configured: `TA_1_1_1`.
    pub variable: Option<String>,
    /// The quantity, such as "Air temperature".
    pub quantity: Option<String>,
    /// Height or depth of the sensor.
    pub level: Option<Level>,
    /// The process by which the logger made its values, if the header states it.
    pub process: Option<Process>,
    /// The instrument.
    pub sensor: Option<String>,
    /// The kind of quantity, which decides how its values are aggregated.
    pub values: Kind,
    /// The range of its range test, in its own unit.
    pub range: Option<Range>,
    /// Whether it is an instrument's diagnostic word; its magnitude has no meaning.
    pub is_diagnostic: bool,
    /// False for `use = "ignore"`, for texts and for truth values: these are on no panel.
    pub is_sent: bool,
    pub(super) kind: Option<Quantity>,
}

/// Every table of the configuration, in its order. A table has the columns that the store knows; a table that was never
/// read has the columns that the configuration names.
pub fn tables(config: &Config, known: &[KnownTable]) -> Vec<PanelTable> {
    config.tables.iter().map(|table| panel_table(config, table, known)).collect()
}

fn panel_table(config: &Config, table: &TableConfig, known: &[KnownTable]) -> PanelTable {
    let stored = known.iter().find(|known| known.name == table.name);
    let columns = columns(table, stored);
    let mut series = stored.map(|stored| stored.series.clone()).unwrap_or_default();
    if series.is_empty() {
        series.push(Vec::new());
    }
    let first = series.first().map_or(&[][..], Vec::as_slice);
    let names: Vec<String> = columns.iter().map(|column| column.name.clone()).collect();
    let fields = fields(config, table, &names, first);
    let stated: Vec<Stated<'_>> = columns.iter().map(KnownColumn::stated).collect();
    let kinds = table.kinds(&stated);
    let columns = columns.into_iter().zip(fields).zip(kinds).filter(|((column, _), _)| {
        let config = table.columns.get(&column.name);
        let is_tag = config.is_some_and(|config| config.column_use == ColumnUse::Tag);
        // A line needs numbers, not texts or truth values.
        let is_number = config.is_none_or(|config| matches!(config.value_type, ValueType::Float | ValueType::Integer));
        // Companion columns have no panel, because their information is in the value's flag.
        let is_beside = table.made_of.is_some() && is_companion(&column.name);
        !is_tag && !column.is_text && is_number && !is_beside
    });
    let over = MeasuredOver::of_interval(stored.and_then(|stored| stored.interval));
    let columns = columns.map(|((column, field), values)| panel_column(table, &column, field, values, over)).collect();
    PanelTable { name: table.name.clone(), columns, series }
}

/// The columns in the store, and derived columns that it will have; without a store, those that the configuration
/// names.
fn columns(table: &TableConfig, stored: Option<&KnownTable>) -> Vec<KnownColumn> {
    let named = |name: &String| KnownColumn {
        name: name.clone(),
        unit: table.columns.get(name).and_then(|column| column.unit.clone()).unwrap_or_default(),
        process: String::new(),
        is_text: false,
    };
    let mut columns = stored.map(|stored| stored.columns.clone()).unwrap_or_default();
    let is_known = !columns.is_empty();
    if let (FileFormat::Csv(csv), false) = (&table.format, is_known) {
        columns.extend(csv.known_values().map(named));
    }
    for (name, column) in &table.columns {
        let is_there = columns.iter().any(|known| known.name == *name);
        if !is_there && (column.formula.is_some() || !is_known) {
            columns.push(named(name));
        }
    }
    columns
}

/// The field name of each column. Line protocol makes the names, so that a query finds what was written.
fn fields(config: &Config, table: &TableConfig, names: &[String], tags: &[(String, String)]) -> Vec<String> {
    let most = config.destination.most_columns();
    let shape = LineShape::within(most, table, names, tags, &|_| false).ok();
    let mut sent = shape.iter().flat_map(LineShape::field_names);
    let named = names.iter().map(|name| {
        let column = table.columns.get(name);
        let is_field = column.is_none_or(|column| column.column_use == ColumnUse::Field);
        let wanted = || column.and_then(|column| column.field.clone()).unwrap_or_else(|| name.clone());
        if is_field { sent.next().map_or_else(wanted, str::to_owned) } else { name.clone() }
    });
    named.collect()
}

fn panel_column(
    table: &TableConfig,
    known: &KnownColumn,
    field: String,
    values: Kind,
    over: MeasuredOver,
) -> PanelColumn {
    let config = table.columns.get(&known.name);
    let configured = |read: fn(&ColumnConfig) -> Option<String>| config.and_then(read);
    let variable = configured(|column| column.variable.clone());
    // The configuration has applied the table's level and sensor to its columns.
    let level = config.map_or_else(|| table.level.clone(), |column| column.level.clone());
    let sensor = config.map_or_else(|| table.sensor.clone(), |column| column.sensor.clone());
    let quantity = configured(|column| column.quantity.clone());
    let kind = Quantity::of(quantity.as_deref(), variable.as_deref(), &known.name, level.as_ref());
    PanelColumn {
        table: table.name.clone(),
        name: known.name.clone(),
        field,
        unit: unit::shown(&known.unit, variable.as_deref()),
        variable,
        quantity: kind.as_ref().map(|kind| kind.name.clone()),
        level,
        process: Process::of(&known.process),
        sensor,
        values,
        range: config.and_then(|column| column.range_in(&known.stated())).map(|ranges| *ranges.over(over)),
        is_diagnostic: config.is_some_and(|column| column.diagnostic.is_some()),
        // A server computes no mean of texts or truth values.
        is_sent: config.is_none_or(|column| {
            column.column_use == ColumnUse::Field && matches!(column.value_type, ValueType::Float | ValueType::Integer)
        }),
        kind,
    }
}
