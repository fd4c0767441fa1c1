//! Which columns are looked at together: the plan that the Grafana dashboard and the page of `serve` both draw.
//!
//! A plan is data, made from the configuration and from what the store knows of each table's columns. Nobody writes a
//! panel by hand: columns of one quantity stand together, by height, by depth or by sensor; pairs that should agree get
//! a panel of their own; `[[panel]]` overrides. A height has one colour on every panel, because eyes learn it.

use std::time::Duration;

use crate::config::TableName;

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
}

/// How a panel is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PanelKind {
    /// Values over time.
    Lines,
    /// One column against another.
    Scatter,
    /// Values over height or depth, a line per moment.
    Profile,
    /// The newest value, large.
    Latest,
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
    /// Values of the table's tag columns, in their order; empty where it has none.
    pub tags: Vec<(String, String)>,
    /// Short and unique on the panel: "46 m", "CNR1 46 m".
    pub label: String,
    /// Where the sensor is.
    pub level: Option<Level>,
    /// Fixed per height.
    pub colour: Colour,
    /// Drawn on the right axis.
    pub is_right: bool,
}

/// Height above or depth below ground.
#[derive(Debug, Clone, PartialEq)]
pub struct Level {
    /// Metres, negative below ground; of a layer, its middle.
    pub metres: f64,
    /// As people say it: "46 m", "7.5 cm", "0–30 cm".
    pub label: String,
}

/// A colour and a dash, so that no two series differ by colour alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Colour {
    /// `#rrggbb`; legible on white and on near-black.
    pub hex: &'static str,
    /// 0 is a full line, 1 to 3 ever shorter dashes.
    pub dash: u8,
}
