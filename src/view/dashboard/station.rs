//! A station's dashboard: the status row, then the board's rows.

use serde_json::Value;

use super::Site;
use super::frame::{Frame, NETWORK_UID, link, others, station_uid, timezone, variables};
use super::latest::latest;
use super::layout::{Row, Tile, place};
use super::lines::lines;
use super::links::join;
use super::ribbon::ribbon;
use super::scatter::{profile, scatter};
use super::strip::strip;
use super::texts::{details, instructions};
use crate::view::panel::{Panel, PanelKind, PanelRow};

/// The whole dashboard of a station, as JSON to import.
pub fn station(site: &Site<'_>) -> Value {
    let mut first = strip(site);
    first.push(Tile::new(instructions(site), 14, 9));
    first.push(Tile::new(details(site), 10, 9));
    let mut rows =
        vec![Row { title: "Is it alive, is it right, has it been sent".to_owned(), is_folded: false, tiles: first }];
    rows.extend(site.board.rows.iter().filter_map(|row| folded(site, row)));
    let station = &site.config.station.name;
    let uid = station_uid(station);
    let mut panels = place(rows);
    join(&mut panels, &uid);
    let frame = Frame {
        uid,
        title: format!("{station} (fluxtower)"),
        description: format!("Flagged data of {station}, as its fluxtower agent sends it."),
        timezone: timezone(&site.config.station.clock),
        from: "now-24h",
        variables: variables(site),
        links: vec![link("Network", &format!("/d/{NETWORK_UID}")), others()],
        panels,
    };
    frame.into_json()
}

fn folded(site: &Site<'_>, row: &PanelRow) -> Option<Row> {
    let count = row.panels.iter().filter(|panel| panel.kind != PanelKind::Latest).count();
    let mut tiles: Vec<Tile> = row.panels.iter().filter_map(|panel| tile(site, panel, count)).collect();
    if tiles.is_empty() {
        return None;
    }
    tiles.extend(ribbon(site, row));
    Some(Row { title: row.title.clone(), is_folded: true, tiles })
}

fn tile(site: &Site<'_>, panel: &Panel, count: usize) -> Option<Tile> {
    let width = match count {
        1 => 24,
        3 => 8,
        _ => 12,
    };
    Some(match panel.kind {
        PanelKind::Lines => Tile::new(lines(site, panel)?, width, 11),
        PanelKind::Scatter => Tile::new(scatter(site, panel)?, width, 11),
        PanelKind::Profile => Tile::new(profile(site, panel)?, width, 11),
        PanelKind::Latest => Tile::new(latest(site, panel)?, 6, 6),
    })
}
