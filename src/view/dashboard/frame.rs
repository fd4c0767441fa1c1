//! The frame of a dashboard: name, clock, variables and links.

use serde_json::{Value, json};

use super::query::{GUARDS, datasource, datasource_variable, query_language};
use super::source::{AGENT, Source, buckets, station_value};
use super::{Language, Site, object};
use crate::config::{Config, DestinationConfig};
use crate::time::StationClock;

/// A `uid` has at most forty letters, digits, hyphens and underscores.
const LONGEST_UID: usize = 40;
/// `uid` of the dashboard of all stations.
pub(super) const NETWORK_UID: &str = "fluxtower-network";
/// Links find dashboards by this tag.
pub(super) const TAG: &str = "fluxtower";

/// The dashboard's `uid`. It never changes, so that a new import replaces the dashboard and links stay valid.
pub fn station_uid(station: &str) -> String {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || letter == '-' || letter == '_';
    let uid = format!("fluxtower-{station}");
    if uid.len() <= LONGEST_UID && !station.is_empty() && station.chars().all(plain) && uid != NETWORK_UID {
        return uid;
    }
    // Replaced letters could give two stations one uid; the fingerprint distinguishes them.
    let hash = format!("{:016x}", xxhash_rust::xxh3::xxh3_64(station.as_bytes()));
    let kept: String = station.chars().filter(|letter| plain(*letter)).take(12).collect();
    format!("fluxtower-{kept}-{hash}")
}

/// Time zones with offsets of parts of an hour and without daylight-saving time, by minutes east of Greenwich.
const PARTS_OF_HOURS: [(i32, &str); 7] = [
    (-570, "Pacific/Marquesas"),
    (270, "Asia/Kabul"),
    (330, "Asia/Kolkata"),
    (345, "Asia/Kathmandu"),
    (390, "Asia/Yangon"),
    (525, "Australia/Eucla"),
    (570, "Australia/Darwin"),
];

/// The name of the time zone: Grafana knows time zones only by name. Whole hours have a zone each, with an inverted
/// sign as in POSIX. Parts of hours have the zone of a place without daylight-saving time, if there is one.
pub(super) fn timezone(clock: &StationClock) -> String {
    let seconds = match clock {
        StationClock::Zone(zone) => return zone.name().to_owned(),
        StationClock::Fixed(offset) => offset.local_minus_utc(),
    };
    match seconds / 3_600 {
        _ if seconds % 3_600 != 0 => {
            let found = PARTS_OF_HOURS.iter().find(|(minutes, _)| minutes * 60 == seconds);
            found.map_or("utc", |(_, zone)| zone).to_owned()
        }
        hours @ 1..=14 => format!("Etc/GMT-{hours}"),
        hours @ -12..=-1 => format!("Etc/GMT+{}", -hours),
        _ => "utc".to_owned(),
    }
}

/// A measurement that contains every station of the bucket.
fn named_in(site: &Site<'_>) -> Source {
    let mut source = Source::agent(site.config, None, "");
    let is_sent = site.has_health() && matches!(site.config.destination, DestinationConfig::Influx(_));
    let first = site.config.tables.first();
    if let Some(table) = first.filter(|_| !is_sent) {
        table.measurement.clone_into(&mut source.measurement);
        source.bucket = super::source::bucket(site.config, Some(table));
    }
    debug_assert!(!is_sent || source.measurement == AGENT);
    source
}

/// The variables of a station's dashboard.
pub(super) fn variables(site: &Site<'_>) -> Value {
    let mut list = datasources(site);
    if site.language == Language::Flux && buckets(site.config).contains(&None) {
        list.push(json!({
            "type": "textbox", "name": "bucket", "label": "Bucket", "hide": 0, "query": "fluxtower",
            "description": "The bucket that the .lp files were written to",
            "current": {"text": "fluxtower", "value": "fluxtower"}, "options": [],
        }));
    }
    let station = station_value(site.config);
    let named_in = named_in(site);
    let language = query_language(site.language);
    let shown = language.station_in_variable(&station);
    list.push(json!({
        "type": "query", "name": "station", "label": "Station", "hide": 0, "multi": false, "includeAll": false,
        "datasource": datasource(site, named_in.bucket.as_deref()), "query": language.stations(&named_in),
        "refresh": 1, "regex": "", "sort": 1, "options": [],
        "current": {"text": shown, "value": shown, "selected": true},
    }));
    list.push(step(site));
    for (name, value) in GUARDS {
        list.push(json!({
            "type": "constant", "name": name, "hide": 2, "skipUrlSync": true, "query": value,
            "current": {"text": value, "value": value}, "options": [],
        }));
    }
    json!({"list": list})
}

/// One data source, or one per database if a query cannot leave its database.
pub(super) fn datasources(site: &Site<'_>) -> Vec<Value> {
    let name_of_language = match site.language {
        Language::Flux => "Flux",
        Language::InfluxQl => "InfluxQL",
        Language::Sql => "SQL",
    };
    let mut list = Vec::new();
    for bucket in buckets(site.config) {
        let name = datasource_variable(site, bucket.as_deref());
        if list.iter().any(|variable: &Value| variable["name"] == json!(name)) {
            continue;
        }
        let label = match (site.language, &bucket) {
            (Language::Sql, Some(bucket)) => format!("Data source: {bucket}"),
            _ => "Data source".to_owned(),
        };
        let mut variable = object(json!({
            "type": "datasource", "name": name, "label": label, "hide": 0, "query": "influxdb", "regex": "", "refresh": 1,
            "description": format!("An InfluxDB data source whose query language is {name_of_language}"),
            "multi": false, "includeAll": false, "options": [],
        }));
        if let Some(uid) = site.datasource {
            variable.insert("current".to_owned(), json!({"text": uid, "value": uid, "selected": true}));
        }
        list.push(Value::Object(variable));
    }
    list
}

fn step(site: &Site<'_>) -> Value {
    let steps = query_language(site.language).steps();
    let options: Vec<Value> = steps
        .iter()
        .enumerate()
        .map(|(place, (text, value))| json!({"text": text, "value": value, "selected": place == 0}))
        .collect();
    let query: Vec<String> = steps.iter().map(|(text, value)| format!("{text} : {value}")).collect();
    json!({
        "type": "custom", "name": "step", "label": "Time step", "hide": 0, "multi": false, "includeAll": false,
        "description": "Width of the windows of means; auto follows the panel's width and the time shown",
        "query": query.join(", "), "options": options, "current": options.first(),
    })
}

/// A dashboard with its panels.
pub(super) struct Frame<'a> {
    pub(super) uid: String,
    pub(super) title: String,
    pub(super) description: String,
    pub(super) timezone: String,
    pub(super) from: &'a str,
    pub(super) variables: Value,
    pub(super) links: Vec<Value>,
    pub(super) panels: Vec<Value>,
}

impl Frame<'_> {
    pub(super) fn into_json(self) -> Value {
        json!({
            "uid": self.uid,
            "title": self.title,
            "description": self.description,
            "tags": [TAG],
            "schemaVersion": 41,
            "version": 1,
            "editable": true,
            "graphTooltip": 1,
            "timezone": self.timezone,
            "refresh": "1m",
            "time": {"from": self.from, "to": "now"},
            "timepicker": {"refresh_intervals": ["10s", "30s", "1m", "5m", "15m", "1h"]},
            "fiscalYearStartMonth": 0,
            "annotations": {"list": [{
                "builtIn": 1, "datasource": {"type": "grafana", "uid": "-- Grafana --"}, "enable": true, "hide": true,
                "iconColor": "rgba(0, 211, 255, 1)", "name": "Annotations & Alerts", "type": "dashboard",
            }]},
            "templating": self.variables,
            "links": self.links,
            "panels": self.panels,
        })
    }
}

/// A link to another dashboard that keeps the time.
pub(super) fn link(title: &str, url: &str) -> Value {
    json!({
        "type": "link", "title": title, "url": url, "icon": "external link", "tooltip": "", "tags": [], "asDropdown": false,
        "includeVars": false, "keepTime": true, "targetBlank": false,
    })
}

/// A link to a panel of this dashboard that keeps time and variables.
pub(super) fn panel_link(title: &str, url: &str) -> Value {
    let mut made = link(title, url);
    made["includeVars"] = json!(true);
    made
}

/// A list of all dashboards with the tag of fluxtower.
pub(super) fn others() -> Value {
    json!({
        "type": "dashboards", "title": "Stations", "icon": "dashboard", "tooltip": "", "tags": [TAG], "asDropdown": true,
        "includeVars": false, "keepTime": true, "targetBlank": false,
    })
}

/// A sentence about the time zone of the times shown.
pub(super) fn clock_text(config: &Config) -> String {
    let timezone = timezone(&config.station.clock);
    let clock = config.station.clock.to_string();
    match timezone.as_str() {
        "utc" if clock != "+00:00" => {
            format!("Times are UTC: Grafana has no zone for the station's clock, {clock}.")
        }
        "utc" => "Times are UTC, like the station's clock.".to_owned(),
        zone => format!("Times are by the station's clock, {clock} ({zone} in Grafana), not your computer's."),
    }
}
