//! The plan of what is looked at together: from the configuration's words alone, from a store, and for any station.

use std::path::Path;

use fluxtower::config::{Config, TableName};
use fluxtower::store::{KnownColumn, KnownTable};
use fluxtower::view::panel::{Board, Panel, PanelKind};

mod any_station;
mod rules;
mod us_umb;

/// A configuration of these lines behind a station that sends to a folder.
fn config(tables: &str) -> Config {
    let text =
        format!("[station]\nname = \"US-UMB\"\nutc_offset = \"-05:00\"\n[destination]\nkind = \"files\"\n{tables}");
    Config::parse(&text, Path::new("config.toml")).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

/// A table as the store would know it: names and units.
fn known(table: &str, columns: &[(&str, &str)], series: &[&[(&str, &str)]]) -> KnownTable {
    let owned = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
    KnownTable {
        name: TableName(table.to_owned()),
        columns: columns
            .iter()
            .map(|(name, unit)| KnownColumn {
                name: (*name).to_owned(),
                unit: (*unit).to_owned(),
                process: "Avg".to_owned(),
                is_text: false,
            })
            .collect(),
        series: series.iter().map(|tags| tags.iter().map(owned).collect()).collect(),
        interval: None,
    }
}

fn panels(board: &Board) -> impl Iterator<Item = &Panel> {
    board.rows.iter().flat_map(|row| &row.panels)
}

#[track_caller]
fn panel<'b>(board: &'b Board, title: &str) -> &'b Panel {
    let titles: Vec<&str> = panels(board).map(|panel| panel.title.as_str()).collect();
    panels(board).find(|panel| panel.title == title).unwrap_or_else(|| panic!("no \"{title}\" among {titles:?}"))
}

fn labels(panel: &Panel) -> Vec<&str> {
    panel.series.iter().map(|series| series.label.as_str()).collect()
}

fn row_of<'b>(board: &'b Board, title: &str) -> &'b str {
    let row = board.rows.iter().find(|row| row.panels.iter().any(|panel| panel.title == title));
    row.map_or("", |row| row.title.as_str())
}

/// What must be true of every board.
fn check_board(board: &Board) {
    let mut ids: Vec<&str> = panels(board).map(|panel| panel.id.as_str()).collect();
    let mut rows: Vec<&str> = board.rows.iter().map(|row| row.title.as_str()).collect();
    let (count, row_count) = (ids.len(), rows.len());
    ids.sort_unstable();
    ids.dedup();
    rows.sort_unstable();
    rows.dedup();
    assert_eq!((ids.len(), rows.len()), (count, row_count), "{ids:?} {rows:?}");
    for row in &board.rows {
        assert!(!row.panels.is_empty(), "{}", row.title);
    }
    for panel in panels(board) {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        assert!(!panel.id.is_empty() && panel.id.len() < 70 && panel.id.chars().all(plain), "{}", panel.id);
        assert!(!panel.series.is_empty(), "{}", panel.title);
        assert!(panel.kind != PanelKind::Scatter || panel.series.len() == 2, "{}", panel.title);
        assert_eq!(
            panel.right.is_some(),
            panel.kind == PanelKind::Scatter || panel.series.iter().any(|series| series.is_right)
        );
        let mut names = labels(panel);
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), panel.series.len(), "{}: {:?}", panel.title, labels(panel));
        assert!(!names.contains(&""), "{}", panel.title);
        if panel.series.len() <= 24 {
            let looks: std::collections::HashSet<_> =
                panel.series.iter().map(|series| (series.colour.hex, series.colour.dash)).collect();
            assert_eq!(looks.len(), panel.series.len(), "{}: two series look alike", panel.title);
        }
    }
}
