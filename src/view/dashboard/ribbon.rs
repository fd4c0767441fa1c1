//! The flag ribbon: the worst flag of each window, one stripe per sensor.

use serde_json::{Value, json};

use super::layout::Tile;
use super::lines::{FAIL, GOOD, MISSING, SUSPECT, UNTESTED, spelled};
use super::query::{Shape, datasource, lettered, query_language, target};
use super::source::{Flagged, Source};
use super::{Language, Site, object};
use crate::view::panel::{PanelRow, PanelSeries};

/// Ranks in the queries' results, from good to bad, with QARTOD's name and the colour.
const RANKS: [(&str, &str, &str); 5] = [
    ("1", "pass", GOOD),
    ("2", "not evaluated", UNTESTED),
    ("2.5", "missing", MISSING),
    ("3", "suspect", SUSPECT),
    ("4", "fail", FAIL),
];

fn mappings() -> Value {
    let options = RANKS.iter().enumerate().map(|(index, (rank, name, colour))| {
        ((*rank).to_owned(), json!({"text": name, "color": colour, "index": index}))
    });
    let options: serde_json::Map<String, Value> = options.collect();
    json!([{"type": "value", "options": options}])
}

/// The series of these panels that have flags, each once, with unique names.
pub(super) fn tested<'a>(site: &Site<'_>, series: impl IntoIterator<Item = &'a PanelSeries>) -> Vec<(Source, String)> {
    let mut found: Vec<(Source, String)> = Vec::new();
    for series in series {
        let Some(source) = Source::of(site, series).filter(|source| source.flagged != Flagged::Never) else { continue };
        if found.iter().any(|(known, _)| *known == source) {
            continue;
        }
        let tags: String = series.tags.iter().map(|(_, value)| format!(" {value}")).collect();
        let name = format!("{}{tags}", series.field);
        let name =
            if found.iter().any(|(_, known)| *known == name) { format!("{name} ({})", series.table) } else { name };
        found.push((source, name));
    }
    found
}

/// The ribbon of a row of panels; None if the row has no tested column.
pub(super) fn ribbon(site: &Site<'_>, row: &PanelRow) -> Option<Tile> {
    let language = query_language(site.language);
    let tested = tested(site, row.panels.iter().flat_map(|panel| &panel.series));
    if tested.is_empty() {
        return None;
    }
    let stripes = u32::try_from(tested.len()).unwrap_or(u32::MAX);
    let targets = tested.iter().map(|(source, name)| {
        target(site, source.bucket.as_deref(), Shape::Series, &language.worst_flag(source, name))
    });
    let mut panel = object(json!({
        "type": "state-timeline",
        "title": format!("Flags: {}", row.title),
        "description": "The worst flag of each window, by column: fail, suspect, missing, not evaluated, pass. Columns without a test have no flags. `fluxtower flags` lists each test with its limit.",
        "datasource": datasource(site, None),
        "maxDataPoints": 300,
        "targets": lettered(targets.collect()),
        "fieldConfig": {
            "defaults": {"color": {"mode": "fixed", "fixedColor": MISSING}, "mappings": mappings(), "custom": {"lineWidth": 0, "fillOpacity": 90}},
            "overrides": [],
        },
        "options": {
            "alignValue": "left", "mergeValues": true, "rowHeight": 0.9, "showValue": "never",
            "legend": {"displayMode": "list", "placement": "bottom", "showLegend": true, "calcs": []},
            "tooltip": {"mode": "single", "sort": "none"},
        },
    }));
    // Windows narrower than the interval of rows would be drawn as slivers. A query in Flux ensures this for its own
    // column.
    let slowest = tested.iter().filter_map(|(source, _)| source.interval).max();
    if let (Some(interval), true) = (slowest, site.language != Language::Flux) {
        panel.insert("interval".to_owned(), json!(spelled(site, interval)));
    }
    Some(Tile::new(panel, 24, (4 + stripes).min(22)))
}
