//! Places panels on Grafana's grid of 24 columns, from left to right, without overlap.

use serde_json::{Value, json};

use super::Object;

/// Columns of the grid.
const WIDTH: u32 = 24;

/// A panel and its size.
#[derive(Debug)]
pub(super) struct Tile {
    pub(super) panel: Object,
    pub(super) width: u32,
    pub(super) height: u32,
}

impl Tile {
    pub(super) fn new(panel: Object, width: u32, height: u32) -> Tile {
        Tile { panel, width, height }
    }
}

/// Panels under a title.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) title: String,
    /// Collapsed: its panels query nothing until the user opens the row.
    pub(super) is_folded: bool,
    pub(super) tiles: Vec<Tile>,
}

/// Gives every row and panel an id and a position.
pub(super) fn place(rows: Vec<Row>) -> Vec<Value> {
    let mut placed = Vec::new();
    let (mut id, mut y) = (0_u32, 0_u32);
    for row in rows {
        id += 1;
        let head = json!({
            "id": id, "type": "row", "title": row.title, "collapsed": row.is_folded,
            "gridPos": {"x": 0, "y": y, "w": WIDTH, "h": 1},
        });
        y += 1;
        let mut inside = Vec::new();
        let (mut x, mut shelf) = (0, 0);
        for tile in row.tiles {
            let width = tile.width.min(WIDTH);
            if x + width > WIDTH {
                y += shelf;
                (x, shelf) = (0, 0);
            }
            id += 1;
            let mut panel = tile.panel;
            panel.insert("id".to_owned(), json!(id));
            panel.insert("gridPos".to_owned(), json!({"x": x, "y": y, "w": width, "h": tile.height}));
            inside.push(Value::Object(panel));
            x += width;
            shelf = shelf.max(tile.height);
        }
        y += shelf;
        let mut head = super::object(head);
        if row.is_folded {
            head.insert("panels".to_owned(), Value::Array(inside));
            placed.push(Value::Object(head));
        } else {
            head.insert("panels".to_owned(), json!([]));
            placed.push(Value::Object(head));
            placed.append(&mut inside);
        }
    }
    placed
}
