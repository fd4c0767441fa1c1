//! One dashboard for every station that sends to the same bucket: one line for each station and table.

use serde_json::{Value, json};

use super::frame::{Frame, NETWORK_UID, datasources, others};
use super::layout::{Row, Tile, place};
use super::lines::by_name;
use super::query::{Shape, datasource, lettered, query_language, target};
use super::source::{Source, bucket};
use super::strip::steps;
use super::{Language, Site, object};
use std::time::Duration;

const HOUR: Duration = Duration::from_secs(3_600);

/// The dashboard of all stations, as JSON to import. It shows the reports in `fluxtower_agent`, so it needs no board.
pub fn network(site: &Site<'_>) -> Value {
    let rows = vec![Row {
        title: "Stations".to_owned(),
        is_folded: false,
        tiles: vec![Tile::new(table(site), 24, 18), Tile::new(help(), 24, 6)],
    }];
    let mut variables = datasources(site);
    variables.truncate(1);
    if bucket(site.config, None).is_none() && site.language == Language::Flux {
        variables.push(json!({
            "type": "textbox", "name": "bucket", "label": "Bucket", "hide": 0, "query": "fluxtower",
            "current": {"text": "fluxtower", "value": "fluxtower"}, "options": [],
        }));
    }
    let frame = Frame {
        uid: NETWORK_UID.to_owned(),
        title: "All stations (fluxtower)".to_owned(),
        description: "Every station and table that a fluxtower agent sends to this bucket.".to_owned(),
        timezone: "utc".to_owned(),
        // A silent station stays in the list for this time; InfluxDB 3 Core refuses a query over 72 hours.
        from: if site.language == Language::Sql { "now-70h" } else { "now-7d" },
        variables: json!({"list": variables}),
        links: vec![others()],
        panels: place(rows),
    };
    frame.into_json()
}

/// A field of the health of every station.
fn everywhere(site: &Site<'_>, field: &str) -> Source {
    Source { tags: Vec::new(), ..Source::agent(site.config, None, field) }
}

fn table(site: &Site<'_>) -> super::Object {
    let bucket = bucket(site.config, None);
    let texts = query_language(site.language).network(&everywhere(site, "newest_age_s"), &everywhere(site, "pending"));
    let targets = texts.iter().map(|text| target(site, bucket.as_deref(), Shape::Table, text)).collect();
    let coloured = |limits: Value| {
        vec![
            ("unit", json!("s")),
            ("decimals", json!(0)),
            ("thresholds", limits),
            ("custom.cellOptions", json!({"type": "color-text"})),
        ]
    };
    // A station whose name is not a valid uid has another uid; its dashboard is found in the list of dashboards.
    let url = "/d/fluxtower-${__value.raw}?var-station=${__value.raw:percentencode}";
    let to_station = json!([{"title": "Open the station's dashboard", "url": url, "targetBlank": false}]);
    let last = [("unit", json!("dateTimeFromNow"))];
    let overrides = vec![
        by_name("station", &[("links", to_station)]),
        by_name("age of newest record", &coloured(steps(HOUR, HOUR * 6))),
        by_name("pending rows", &[("decimals", json!(0))]),
        by_name("last sync", &last),
    ];
    object(json!({
        "type": "table", "title": "Stations and tables",
        "description": "One line for each table of each station that reported in the time shown: its last sync, the age of its newest record, and the number of pending rows.",
        "datasource": datasource(site, bucket.as_deref()), "targets": lettered(targets),
        "transformations": [
            {"id": "merge", "options": {}},
            {"id": "organize", "options": {"excludeByName": {"Time": true}, "renameByName": {}, "indexByName": {
                "station": 0, "logger_table": 1, "last sync": 2, "age of newest record": 3, "pending rows": 4}}},
        ],
        "fieldConfig": {
            "defaults": {"color": {"mode": "thresholds"}, "custom": {"align": "auto", "filterable": true, "cellOptions": {"type": "auto"}}},
            "overrides": overrides,
        },
        "options": {"frameIndex": 0, "showHeader": true, "cellHeight": "sm", "sortBy": [{"displayName": "station", "desc": false}]},
    }))
}

fn help() -> super::Object {
    object(json!({
        "type": "text", "title": "How to read this",
        "options": {"mode": "markdown", "content": "- A station that does not sync reports nothing: look at **last sync** first. Ages are as of then, or as of now where the query language has the current time.\n- The time range, at the top right, decides how long a silent station stays in the list.\n- Click a station to open its dashboard.\n"},
    }))
}
