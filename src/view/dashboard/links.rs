//! Links between rows: from the share of good values to the ribbon of each row, from a ribbon to the lines of its row.
//! A link opens the panel alone and keeps time and station.

use serde_json::{Value, json};

use super::frame::panel_link;

/// The panel type of the overview of tested columns in the status row.
const OVERVIEW: &str = "bargauge";
const RIBBON: &str = "state-timeline";
const LINES: &str = "timeseries";

/// Adds the links to panels with ids and positions.
pub(super) fn join(placed: &mut [Value], uid: &str) {
    let mut ribbons = Vec::new();
    for row in placed.iter_mut().filter_map(|panel| panel.get_mut("panels")?.as_array_mut()) {
        let lines = to(row, LINES, uid);
        for ribbon in row.iter_mut().filter(|panel| panel["type"] == RIBBON) {
            ribbon["links"] = json!(lines);
        }
        ribbons.append(&mut to(row, RIBBON, uid));
    }
    for overview in placed.iter_mut().filter(|panel| panel["type"] == OVERVIEW) {
        overview["links"] = json!(ribbons);
    }
}

/// A link to each panel of this type.
fn to(panels: &[Value], kind: &str, uid: &str) -> Vec<Value> {
    let wanted = panels.iter().filter(|panel| panel["type"] == kind);
    wanted
        .filter_map(|panel| {
            Some(panel_link(panel["title"].as_str()?, &format!("/d/{uid}?viewPanel={}", panel["id"].as_u64()?)))
        })
        .collect()
}
