//! The panels, in the form that the page draws.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::config::Level;
use crate::view::panel::{Axis, Board, Panel, PanelKind, PanelSeries};

/// Panels under one title.
#[derive(Debug, Serialize)]
pub(super) struct Row {
    title: String,
    panels: Vec<Drawing>,
}

#[derive(Debug, Serialize)]
struct Drawing {
    id: String,
    title: String,
    description: String,
    kind: &'static str,
    axis: Scale,
    right: Option<Scale>,
    mean_s: Option<u64>,
    series: Vec<Line>,
    pair: Option<String>,
}

#[derive(Debug, Serialize)]
struct Scale {
    unit: String,
    bounds: Option<(f64, f64)>,
}

#[derive(Debug, Serialize)]
struct Line {
    table: String,
    column: String,
    field: String,
    tags: BTreeMap<String, String>,
    label: String,
    level: Option<Place>,
    colour: &'static str,
    dash: u8,
    is_right: bool,
}

/// Height or depth of a sensor.
#[derive(Debug, Serialize)]
pub(super) struct Place {
    metres: f64,
    label: String,
}

impl Place {
    pub(super) fn of(level: Option<Level>) -> Option<Place> {
        level.map(|level| Place { metres: level.metres, label: level.label })
    }
}

/// Every row of the board.
pub(super) fn rows(board: Board) -> Vec<Row> {
    let rows = board.rows.into_iter();
    rows.map(|row| Row { title: row.title, panels: row.panels.into_iter().map(drawing).collect() }).collect()
}

fn drawing(panel: Panel) -> Drawing {
    Drawing {
        id: panel.id,
        title: panel.title,
        description: panel.description,
        kind: match panel.kind {
            PanelKind::Lines => "lines",
            PanelKind::Scatter => "scatter",
            PanelKind::Profile => "profile",
            PanelKind::Latest => "latest",
        },
        axis: scale(panel.axis),
        right: panel.right.map(scale),
        mean_s: panel.mean.map(|mean| mean.as_secs()),
        series: panel.series.into_iter().map(line).collect(),
        pair: panel.pair,
    }
}

fn scale(axis: Axis) -> Scale {
    Scale { unit: axis.unit, bounds: axis.bounds }
}

fn line(series: PanelSeries) -> Line {
    Line {
        table: series.table.0,
        column: series.column,
        field: series.field,
        tags: series.tags.into_iter().collect(),
        label: series.label,
        level: Place::of(series.level),
        colour: series.colour.hex,
        dash: series.colour.dash,
        is_right: series.is_right,
    }
}
