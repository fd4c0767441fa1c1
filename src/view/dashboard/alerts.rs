//! Alert rules for Grafana's provisioning: no new rows, rows that are pending too long, a silent agent, a dead sensor.
//!
//! A rule queries the agent's last report; the permitted age of the report follows from the time between earlier
//! reports. If the agent is silent, the rules for tables do not fire and only the rule for silence does: one problem,
//! one mail.

use std::time::Duration;

use serde_json::{Value, json};

use super::frame::station_uid;
use super::query::{letter, query_language};
use super::ribbon::tested;
use super::source::{Flagged, Source, bucket, station_value};
use super::strip::late_and_dead;
use super::{Language, Site};
use crate::config::TableConfig;

/// Grafana replaces this environment variable where no `uid` was given.
const DATASOURCE: &str = "$FLUXTOWER_DATASOURCE";
/// An agent counts as silent after this time at the earliest, and not before three of its reports are due.
const SILENT: Duration = Duration::from_secs(1_800);
/// The assumed time between two reports of an agent that has not sent two yet: the longest usual one.
const UNKNOWN_RHYTHM: Duration = Duration::from_secs(3_600);
/// A sensor is judged by a whole day, so that a night or a day without rain does not make it dead.
const DAY: Duration = Duration::from_secs(86_400);
/// Below this percentage of usable values a sensor is dead. A sensor that is read in turn with others has more.
const DEAD_PERCENT: u64 = 5;
/// Rows that are pending for longer than this have met more than a short break of the link.
const WAIT_S: u64 = 6 * 3_600;

/// A rule without its uid.
struct Rule {
    key: String,
    title: String,
    summary: String,
    query: String,
    /// The time range of the query, until now.
    looks_back: Duration,
    /// `gt` or `lt`: the rule fires above the limit or below it.
    evaluator: &'static str,
    limit: u64,
    /// How long the condition must hold.
    holds: &'static str,
    /// The rule's state when the query finds nothing.
    nothing: &'static str,
}

/// The file for Grafana's folder `provisioning/alerting`, JSON that is valid YAML. `Site::datasource` names the data
/// source.
pub fn alerts(site: &Site<'_>) -> Value {
    let config = site.config;
    let station = &config.station.name;
    let silent = silent(site);
    let ask = |table: Option<&str>, field: &str| {
        query_language(site.language).for_alert(&Source::agent(config, table, field).of_this_station(config))
    };
    let above = |key: String, title: String, summary: String, query: String| Rule {
        key,
        title,
        summary,
        query,
        looks_back: silent,
        evaluator: "gt",
        limit: 0,
        holds: "10m",
        nothing: "OK",
    };
    let mut rules = vec![
        Rule {
            // Never reached: this rule fires when the query finds nothing.
            limit: u64::from(u32::MAX),
            nothing: "Alerting",
            ..above(
                "silent".to_owned(),
                format!("{station}: agent is silent"),
                format!(
                    "The agent at {station} has reported nothing for {} min: power, computer or link.",
                    silent.as_secs() / 60
                ),
                ask(None, "backlog"),
            )
        },
        Rule {
            limit: WAIT_S,
            holds: "15m",
            ..above(
                "backlog".to_owned(),
                format!("{station}: backlog too old"),
                format!(
                    "Rows at {station} have been pending for more than 6 hours, of one bucket or of all; `fluxtower status` gives the reason."
                ),
                ask(None, "longest_wait_s"),
            )
        },
    ];
    for table in &config.tables {
        let name = &table.name;
        let of_age = |(_, dead): (Duration, Duration)| Rule {
            limit: dead.as_secs(),
            ..above(
                format!("table-{name}"),
                format!("{station}: no new record in {name}"),
                format!("Table {name} of {station} has had no new record for too long: logger, LoggerNet or file."),
                ask(Some(&name.0), "no_new_row_s"),
            )
        };
        rules.extend(late_and_dead(site, table).map(of_age));
        if let Some(query) = usable_share(site, table) {
            rules.push(Rule {
                looks_back: DAY,
                evaluator: "lt",
                limit: DEAD_PERCENT,
                ..above(
                    format!("sensor-{name}"),
                    format!("{station}: a sensor of {name} gives no usable value"),
                    format!(
                        "Of a column of table {name} of {station}, more than {} of 100 values of the last day failed or are missing: \
                         see \"Good values\" on the dashboard, then sensor and wiring.",
                        100 - DEAD_PERCENT
                    ),
                    query,
                )
            });
        }
    }
    let rules: Vec<Value> = rules.iter().map(|rule| written(site, rule)).collect();
    json!({
        "apiVersion": 1,
        "groups": [{"orgId": 1, "name": literal(&format!("fluxtower {station}")), "folder": "fluxtower", "interval": "5m", "rules": rules}],
    })
}

/// How long an agent may say nothing.
fn silent(site: &Site<'_>) -> Duration {
    SILENT.max(site.rhythm.unwrap_or(UNKNOWN_RHYTHM) * 3)
}

/// The query for the worst column of a table's first series; None if no column is tested, or if the language cannot
/// express it.
fn usable_share(site: &Site<'_>, table: &TableConfig) -> Option<String> {
    let all = site.board.rows.iter().flat_map(|row| &row.panels).flat_map(|panel| &panel.series);
    let of_table = all.filter(|series| series.table == table.name);
    let tested = tested(site, of_table).into_iter().filter(|(source, _)| source.flagged == Flagged::Always);
    let sources: Vec<Source> = tested.map(|(source, _)| source.of_this_station(site.config)).collect();
    let first = sources.first()?;
    let alike: Vec<&Source> = sources.iter().filter(|source| source.is_of_series(first)).collect();
    query_language(site.language).least_usable_share(&alike)
}

fn written(site: &Site<'_>, rule: &Rule) -> Value {
    let uid = station_uid(&format!("{}/{}", station_value(site.config), rule.key)).replace("fluxtower-", "ft-");
    // Provisioned rules have no dashboard, and so no variables that a guard could use.
    let text = rule.query.replace("${dollar:raw}", "$").replace("${bracket:raw}", "[");
    let text = match bucket(site.config, None) {
        Some(_) => text,
        None => text.replace("${bucket:doublequote}", "\"fluxtower\""),
    };
    let text = literal(&text);
    let datasource = site.datasource.map_or_else(|| DATASOURCE.to_owned(), literal);
    let id = letter(0);
    let mut model = match site.language {
        Language::Flux => json!({"query": text}),
        Language::InfluxQl => {
            json!({"query": text, "rawQuery": true, "resultFormat": "time_series", "alias": literal("$col")})
        }
        Language::Sql => json!({"rawSql": text, "rawQuery": true, "format": "table", "dataset": "iox"}),
    };
    model["refId"] = json!(id);
    model["datasource"] = json!({"type": "influxdb", "uid": datasource});
    model["intervalMs"] = json!(60_000);
    model["maxDataPoints"] = json!(43_200);
    let expression = |id: &str, model: Value| {
        let mut model = model;
        model["refId"] = json!(id);
        model["datasource"] = json!({"type": "__expr__", "uid": "__expr__"});
        json!({"refId": id, "datasourceUid": "__expr__", "relativeTimeRange": {"from": 0, "to": 0}, "model": model})
    };
    json!({
        "uid": uid,
        "title": literal(&rule.title),
        "condition": "C",
        "data": [
            {"refId": id, "datasourceUid": datasource, "relativeTimeRange": {"from": rule.looks_back.as_secs(), "to": 0}, "model": model},
            expression("B", json!({"type": "reduce", "expression": "A", "reducer": "last", "settings": {"mode": "dropNN"}})),
            expression("C", json!({
                "type": "threshold", "expression": "B",
                "conditions": [{"evaluator": {"type": rule.evaluator, "params": [rule.limit]}}],
            })),
        ],
        "noDataState": rule.nothing,
        "execErrState": "Error",
        "for": rule.holds,
        "annotations": {"summary": literal(&rule.summary)},
        "labels": {"station": literal(&site.config.station.name), "agent": "fluxtower"},
        "isPaused": false,
    })
}

/// In a provisioned file `$` begins an environment variable; `$$` is a dollar sign.
fn literal(text: &str) -> String {
    text.replace('$', "$$")
}
