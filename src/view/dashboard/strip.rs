//! The status row: whether rows are collected, whether they are sent, and whether the values are good. It is drawn from
//! the agent's health.

use std::time::Duration;

use serde_json::{Value, json};

use super::latest::stat;
use super::layout::Tile;
use super::lines::{FAIL, GOOD, MISSING, SUSPECT, by_name};
use super::query::{Named, Shape, datasource, lettered, query_language, target};
use super::ribbon::tested;
use super::source::{Source, bucket};
use super::{Language, Site, object};
use crate::config::TableConfig;
use crate::status::Rule;

/// LoggerNet collects rows every few minutes, however often the logger writes one.
const COLLECTED: Duration = Duration::from_secs(15 * 60);
const HOUR: Duration = Duration::from_secs(3_600);

/// The ages from which a table is late and dead, by the rule of `status`; one hour for a table that was not read yet. None
/// for a table of events, which may be of any age.
pub(super) fn late_and_dead(site: &Site<'_>, table: &TableConfig) -> Option<(Duration, Duration)> {
    let rule = Rule::of(table, site.interval(&table.name.0));
    let length = |seconds: i64| Duration::from_secs(seconds.unsigned_abs());
    (rule != Rule::Events).then(|| (length(rule.fresh_s()), rule.late_s().map_or(HOUR, length)))
}

/// The colour steps: good below `late`, orange from there, red from `dead`.
pub(super) fn steps(late: Duration, dead: Duration) -> Value {
    json!({"mode": "absolute", "steps": [
        {"value": null, "color": GOOD}, {"value": late.as_secs(), "color": SUSPECT}, {"value": dead.as_secs(), "color": FAIL},
    ]})
}

/// The only colour step of a number that is good at any size.
fn always_good() -> Value {
    json!({"mode": "absolute", "steps": [{"value": null, "color": GOOD}]})
}

/// The text of a tile without a number. Without this, Grafana gives the tile the colour of the lowest step, which means
/// that all is well.
fn without_value(text: &str) -> Value {
    json!([{"type": "special", "options": {"match": "null+nan", "result": {"text": text, "color": MISSING, "index": 0}}}])
}

/// The panels of the status row.
pub(super) fn strip(site: &Site<'_>) -> Vec<Tile> {
    let mut tiles = Vec::new();
    if site.has_health() {
        tiles.push(Tile::new(ages(site), 24, 6));
        tiles.push(Tile::new(backlog(site), 8, 5));
        tiles.push(Tile::new(heard(site), 4, 5));
        tiles.push(Tile::new(problems(site), 12, 5));
        tiles.push(Tile::new(trend(site), 24, 6));
    }
    tiles.extend(good(site));
    tiles
}

/// A panel of large numbers.
struct Stat<'a> {
    title: &'a str,
    description: &'a str,
    queries: &'a [String],
    config: Value,
}

fn stat_panel(site: &Site<'_>, panel: &Stat<'_>) -> super::Object {
    let Stat { title, description, queries, config } = panel;
    let bucket = bucket(site.config, None);
    let targets = queries.iter().map(|text| target(site, bucket.as_deref(), Shape::Series, text)).collect();
    object(json!({
        "type": "stat", "title": title, "description": description, "datasource": datasource(site, bucket.as_deref()),
        "targets": lettered(targets), "fieldConfig": config, "options": stat(&["lastNotNull"], "none"),
    }))
}

/// The name of a table in a panel of the status row.
fn age_name(table: &TableConfig) -> &str {
    &table.name.0
}

fn ages(site: &Site<'_>) -> super::Object {
    let language = query_language(site.language);
    let ask = |table: &TableConfig| {
        language.record_age(&Source::agent(site.config, Some(&table.name.0), "newest_age_s"), age_name(table))
    };
    let queries: Vec<String> = site.config.tables.iter().map(ask).collect();
    let limits = site.config.tables.iter().map(|table| {
        let steps = late_and_dead(site, table).map_or_else(always_good, |(late, dead)| steps(late, dead));
        by_name(age_name(table), &[("thresholds", steps)])
    });
    let overrides: Vec<Value> = limits.collect();
    let config = json!({
        "defaults": {"unit": "s", "decimals": 0, "noValue": "no row", "color": {"mode": "thresholds"}, "mappings": without_value("no row")},
        "overrides": overrides,
    });
    let description = format!(
        "Time from each table's newest record to {}. Blue: in time. Orange: later than \
         twice its interval (at least 15 minutes). Red: later than its stale_after, or, without one, than an hour and four times its interval.",
        language.ages_as_of()
    );
    let panel = Stat { title: "Age of the newest record", description: &description, queries: &queries, config };
    stat_panel(site, &panel)
}

fn backlog(site: &Site<'_>) -> super::Object {
    let language = query_language(site.language);
    let ask = |field: &str, name: &str| language.agent_newest(&Source::agent(site.config, None, field), name);
    let queries = [ask("backlog", "pending rows"), ask("oldest_pending_age_s", "oldest pending row")];
    let oldest = [("unit", json!("s")), ("decimals", json!(0)), ("thresholds", steps(HOUR * 2, HOUR * 24))];
    let config = json!({
        "defaults": {"unit": "short", "decimals": 0, "noValue": "no data", "color": {"mode": "thresholds"},
            "thresholds": always_good()},
        "overrides": [by_name("oldest pending row", &oldest)],
    });
    let description = "Rows on the station's computer that are not in the bucket yet, and the age of the oldest. They are sent when the link is back.";
    stat_panel(site, &Stat { title: "Backlog", description, queries: &queries, config })
}

fn heard(site: &Site<'_>) -> super::Object {
    let language = query_language(site.language);
    let queries = [language.agent_heard(&Source::agent(site.config, None, "backlog"), "last sync")];
    let config = json!({
        "defaults": {"unit": "s", "decimals": 0, "noValue": "never", "color": {"mode": "thresholds"},
            "thresholds": steps(COLLECTED, HOUR)},
        "overrides": [],
    });
    let description =
        "When the agent last reached the bucket. It distinguishes a silent agent from a station without data.";
    stat_panel(site, &Stat { title: "Last upload", description, queries: &queries, config })
}

fn problems(site: &Site<'_>) -> super::Object {
    let language = query_language(site.language);
    let ask = |(field, name): (&str, &str)| language.agent_newest(&Source::agent(site.config, None, field), name);
    let fields = [
        ("rejected", "refused rows"),
        ("rejected_lines", "rejected lines"),
        ("conflicts", "times with two contents"),
        ("gaps", "gaps in the records"),
    ];
    let queries: Vec<String> = fields.into_iter().map(ask).collect();
    let config = json!({
        "defaults": {"unit": "short", "decimals": 0, "noValue": "no data", "color": {"mode": "thresholds"},
            "thresholds": {"mode": "absolute", "steps": [{"value": null, "color": GOOD}, {"value": 1, "color": SUSPECT}]}},
        "overrides": [],
    });
    let description = "Totals since the start. `fluxtower rejected`, `conflicts` and `gaps` on the station's computer list them, with what to do.";
    stat_panel(site, &Stat { title: "To look at", description, queries: &queries, config })
}

fn trend(site: &Site<'_>) -> super::Object {
    let language = query_language(site.language);
    let bucket = bucket(site.config, None);
    let text = language.agent_trend(&Source::agent(site.config, None, "backlog"), "pending rows");
    object(json!({
        "type": "timeseries", "title": "Backlog and its drain", "description": "Pending rows, as the agent counted them after each sync.",
        "datasource": datasource(site, bucket.as_deref()), "interval": "5m",
        "targets": lettered(vec![target(site, bucket.as_deref(), Shape::Series, &text)]),
        "fieldConfig": {
            "defaults": {"unit": "short", "decimals": 0, "min": 0, "color": {"mode": "fixed", "fixedColor": GOOD},
                "custom": {"drawStyle": "line", "lineInterpolation": "stepAfter", "lineWidth": 1, "fillOpacity": 20, "showPoints": "auto",
                    // An outage is drawn as a gap: two hours contain two reports of an agent that syncs every hour.
                    "spanNulls": 2 * 3_600_000, "thresholdsStyle": {"mode": "off"}}},
            "overrides": [],
        },
        "options": {
            "legend": {"displayMode": "list", "placement": "bottom", "showLegend": false, "calcs": []},
            "tooltip": {"mode": "single", "sort": "none"},
        },
    }))
}

/// The share of good values in the last 24 hours, one bar per column; in Flux one query per series, otherwise one per
/// column. None if nothing is tested.
fn good(site: &Site<'_>) -> Option<Tile> {
    let language = query_language(site.language);
    let all = site.board.rows.iter().flat_map(|row| &row.panels).flat_map(|panel| &panel.series);
    let tested = tested(site, all);
    let mut groups: Vec<Vec<Named<'_>>> = Vec::new();
    for (source, name) in &tested {
        // An InfluxQL query counts under one condition only. In SQL a column without any value makes the whole query
        // fail.
        let is_alike = |group: &&mut Vec<Named<'_>>| {
            site.language == Language::Flux && group.first().is_some_and(|(first, _)| first.is_of_series(source))
        };
        match groups.iter_mut().find(is_alike) {
            Some(group) => group.push((source, name)),
            None => groups.push(vec![(source, name)]),
        }
    }
    let targets: Vec<_> = groups
        .iter()
        .filter_map(|group| {
            let bucket = group.first()?.0.bucket.as_deref();
            Some(target(site, bucket, Shape::Table, &language.good_share(group)))
        })
        .collect();
    if targets.is_empty() {
        return None;
    }
    let panel = object(json!({
        "type": "bargauge", "title": "Good values, last 24 hours",
        "description": "Percentage of a tested column's values that passed every test. Missing and not evaluated values count as not good.",
        "datasource": datasource(site, None), "targets": lettered(targets),
        "fieldConfig": {
            "defaults": {"unit": "percent", "decimals": 0, "min": 0, "max": 100, "noValue": "no value", "color": {"mode": "thresholds"},
                // A column without rows has no share: 0 of 0 is not a number.
                "mappings": without_value("no value"),
                "thresholds": {"mode": "absolute", "steps": [
                    {"value": null, "color": FAIL}, {"value": 50, "color": SUSPECT}, {"value": 95, "color": GOOD}]}},
            "overrides": [],
        },
        "options": {
            // A column is a row in Flux, and a field in the other languages.
            "reduceOptions": if site.language == Language::Flux {
                json!({"calcs": [], "fields": "", "values": true, "limit": 1_000})
            } else {
                json!({"calcs": ["lastNotNull"], "fields": "", "values": false})
            },
            "orientation": "vertical", "displayMode": "basic", "valueMode": "color", "namePlacement": "auto", "showUnfilled": true,
            "sizing": "auto", "minVizWidth": 8, "minVizHeight": 16, "maxVizHeight": 300,
            "legend": {"displayMode": "list", "placement": "bottom", "showLegend": false, "calcs": []},
        },
    }));
    Some(Tile::new(panel, 24, 7))
}
