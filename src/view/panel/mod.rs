//! Groups related columns into panels: the plan that the Grafana dashboard and the page of `serve` both draw.
//!
//! A plan is data, made from the configuration and from the columns in the store. It needs no configuration: columns of
//! one quantity share a panel, by height, by depth or by sensor; pairs that should agree get their own panel;
//! `[[panel]]` overrides. A height has one colour on every panel, so that users recognize it.

//!
//! Columns of one quantity and unit share a panel, and their labels show what differs: part ("short-wave in"), level,
//! sensor, tag. Where several sensors each measure at several levels (three soil stations of five depths), each has its
//! own panel beside the panel by level; that panel then shows the columns without a sensor, if there are any: the
//! means. A quantity with three or more levels has a profile too. Every column that is sent is on a panel; text is not.

use std::time::Duration;

use crate::ameriflux::Range;
use crate::config::{Config, TableName};
use crate::quantity::Kind;
use crate::store::KnownTable;

mod colour;
mod column;
mod draw;
mod generated;
mod label;
mod name;
mod own;
mod quantity;
mod unit;

pub use crate::config::{Level, PanelKind};
pub use colour::Colour;
pub use column::{PanelColumn, PanelTable, tables};

/// The board of a station. `known` holds the tables in the store; a table that is not in it has the columns that the
/// configuration names.
pub fn plan(config: &Config, known: &[KnownTable]) -> Board {
    let tables = column::tables(config, known);
    let pen = draw::Pen::new(&tables);
    let mut draft = generated::rows(config, &tables, &pen);
    own::apply(config, &tables, &pen, &mut draft);
    name::board(draft)
}

/// All panels of a station, in order.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Board {
    /// Related panels are in one row; a dashboard collapses rows.
    pub rows: Vec<PanelRow>,
}

/// Panels under one title: "Temperature and RH", "Soil".
#[derive(Debug, Clone, PartialEq)]
pub struct PanelRow {
    /// Unique on the board.
    pub title: String,
    /// At least one.
    pub panels: Vec<Panel>,
}

/// One panel.
#[derive(Debug, Clone, PartialEq)]
pub struct Panel {
    /// Letters, digits and hyphens; unique on the board and the same from run to run, so that links stay valid.
    pub id: String,
    /// The title, as users see it.
    pub title: String,
    /// What is drawn and its source, in a sentence or two; may be empty.
    pub description: String,
    /// The kind of drawing.
    pub kind: PanelKind,
    /// The left axis; for a scatter, the second series'.
    pub axis: Axis,
    /// The right axis, where a series uses it; for a scatter, the first series'.
    pub right: Option<Axis>,
    /// Means over this time are drawn instead of single values.
    pub mean: Option<Duration>,
    /// The series: at least one; exactly two for a scatter, horizontal first.
    pub series: Vec<PanelSeries>,
    /// The `[[pair]]` whose columns it shows.
    pub pair: Option<String>,
}

/// A vertical axis.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Axis {
    /// The unit as it is shown: "°C"; empty if there is none.
    pub unit: String,
    /// Fixed ends; None adapts to the values.
    pub bounds: Option<(f64, f64)>,
}

/// One column on a panel.
#[derive(Debug, Clone, PartialEq)]
pub struct PanelSeries {
    /// Its table in the configuration.
    pub table: TableName,
    /// Its name in the file.
    pub column: String,
    /// Its field name; its flag is sent under this name with `_qc`.
    pub field: String,
    /// Values of the table's tag columns by their names in the file, in their order; empty where it has none.
    pub tags: Vec<(String, String)>,
    /// Short and unique on the panel: "46 m", "46 m cup", "short-wave in".
    pub label: String,
    /// Height or depth of the sensor.
    pub level: Option<Level>,
    /// Fixed per height.
    pub colour: Colour,
    /// The kind of quantity, which decides how its values are aggregated.
    pub values: Kind,
    /// Its own unit, as shown; empty where there is none.
    pub unit: String,
    /// The range of its range test, in its own unit.
    pub range: Option<Range>,
    /// Drawn on the right axis.
    pub is_right: bool,
}
