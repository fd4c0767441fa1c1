//! Which columns are looked at together: the plan that the Grafana dashboard and the page of `serve` both draw.
//!
//! A plan is data, made from the configuration and from what the store knows of each table's columns. Nobody writes a
//! panel by hand: columns of one quantity stand together, by height, by depth or by sensor; pairs that should agree get
//! a panel of their own; `[[panel]]` overrides. A height has one colour on every panel, because eyes learn it.

//!
//! Columns of one quantity and unit share a panel and are told apart by what differs between them: part ("short-wave
//! in"), level, sensor, tag. Where several sensors each measure at several levels (three soil stations of five depths),
//! each has a panel of its own beside the panel by level, and that one shows the columns of no sensor, if they are there:
//! the means. A quantity of three levels and more has a profile too. Every column that is sent is on a panel; text is not.

use std::time::Duration;

use crate::config::{Config, TableName};
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

/// The board of a station. `known` is what the store has of its tables; of a table that is not there, the columns are
/// those that the configuration names.
pub fn plan(config: &Config, known: &[KnownTable]) -> Board {
    let tables = column::tables(config, known);
    let pen = draw::Pen::new(&tables);
    let mut draft = generated::rows(config, &tables, &pen);
    own::apply(config, &tables, &pen, &mut draft);
    name::board(draft)
}

/// Everything that is shown of a station, in order.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Board {
    /// What belongs together is a row; a dashboard folds rows away.
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

/// One drawing.
#[derive(Debug, Clone, PartialEq)]
pub struct Panel {
    /// Letters, digits and hyphens; unique on the board and the same from run to run, so that links keep their meaning.
    pub id: String,
    /// For people.
    pub title: String,
    /// What is drawn and where it comes from, a sentence or two; may be empty.
    pub description: String,
    /// How it is drawn.
    pub kind: PanelKind,
    /// The left axis; for a scatter, the second series'.
    pub axis: Axis,
    /// The right axis, where a series uses it; for a scatter, the first series'.
    pub right: Option<Axis>,
    /// Means over this time instead of single values.
    pub mean: Option<Duration>,
    /// At least one; exactly two for a scatter, horizontal first.
    pub series: Vec<PanelSeries>,
    /// The `[[pair]]` whose columns it shows.
    pub pair: Option<String>,
}

/// A vertical axis.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Axis {
    /// As shown: "°C"; empty where there is none.
    pub unit: String,
    /// Fixed ends; none follows the values.
    pub bounds: Option<(f64, f64)>,
}

/// One column on a panel.
#[derive(Debug, Clone, PartialEq)]
pub struct PanelSeries {
    /// Its table in the configuration.
    pub table: TableName,
    /// Its name in the file.
    pub column: String,
    /// The name that it is sent under; its flag is sent as this with `_qc`.
    pub field: String,
    /// Values of the table's tag columns by their names in the file, in their order; empty where it has none.
    pub tags: Vec<(String, String)>,
    /// Short and unique on the panel: "46 m", "46 m cup", "short-wave in".
    pub label: String,
    /// Where the sensor is.
    pub level: Option<Level>,
    /// Fixed per height.
    pub colour: Colour,
    /// Drawn on the right axis.
    pub is_right: bool,
}
