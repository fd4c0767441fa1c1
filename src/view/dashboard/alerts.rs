//! Alert rules for Grafana's provisioning: no new rows, a backlog that is too old, a silent agent.
//!
//! A rule queries the agent's last report. If the agent is silent, the rules for tables do not fire and only the rule for
//! silence does: one problem, one mail.

use serde_json::{Value, json};

use super::frame::station_uid;
use super::query::{letter, query_language};
use super::source::{Source, bucket, station_value};
use super::strip::late_and_dead;
use super::{Language, Site};

/// Grafana replaces this environment variable where no `uid` was given.
const DATASOURCE: &str = "$FLUXTOWER_DATASOURCE";
/// Every agent with a link reports within this time.
const SILENT_S: u64 = 1_800;
/// An older backlog is more than a short break of the link.
const BACKLOG_S: u64 = 6 * 3_600;

/// A rule without its uid.
struct Rule {
    key: String,
    title: String,
    summary: String,
    source: Source,
    /// The rule fires above this.
    limit: u64,
    /// How long the condition must hold.
    holds: &'static str,
    /// The rule's state when the query finds nothing.
    nothing: &'static str,
}

/// The file for Grafana's folder `provisioning/alerting`, JSON that is valid YAML. `Site::datasource` names the data source.
pub fn alerts(site: &Site<'_>) -> Value {
    let config = site.config;
    let station = &config.station.name;
    let mut rules = vec![
        Rule {
            key: "silent".to_owned(),
            title: format!("{station}: agent is silent"),
            summary: format!("The agent at {station} has reported nothing for half an hour: power, computer or link."),
            source: Source::agent(config, None, "backlog"),
            // Never reached: this rule fires when the query finds nothing.
            limit: u64::from(u32::MAX),
            holds: "10m",
            nothing: "Alerting",
        },
        Rule {
            key: "backlog".to_owned(),
            title: format!("{station}: backlog too old"),
            summary: format!(
                "Rows at {station} have been pending for more than 6 hours; `fluxtower status` gives the reason."
            ),
            source: Source::agent(config, None, "oldest_pending_age_s"),
            limit: BACKLOG_S,
            holds: "15m",
            nothing: "OK",
        },
    ];
    for table in &config.tables {
        let (_, dead) = late_and_dead(site, table);
        rules.push(Rule {
            key: format!("table-{}", table.name),
            title: format!("{station}: no new record in {}", table.name),
            summary: format!(
                "Table {} of {station} has had no new record for too long: logger, LoggerNet or file.",
                table.name
            ),
            source: Source::agent(config, Some(&table.name.0), "newest_age_s"),
            limit: dead.as_secs(),
            holds: "10m",
            nothing: "OK",
        });
    }
    let rules: Vec<Value> = rules.iter().map(|rule| written(site, rule)).collect();
    json!({
        "apiVersion": 1,
        "groups": [{"orgId": 1, "name": literal(&format!("fluxtower {station}")), "folder": "fluxtower", "interval": "5m", "rules": rules}],
    })
}

fn written(site: &Site<'_>, rule: &Rule) -> Value {
    let uid = station_uid(&format!("{}/{}", station_value(site.config), rule.key)).replace("fluxtower-", "ft-");
    let text = query_language(site.language).for_alert(&rule.source.clone().of_this_station(site.config));
    // Provisioned rules have no dashboard, and so no variables that a guard could use.
    let text = text.replace("${dollar:raw}", "$").replace("${bracket:raw}", "[");
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
            {"refId": id, "datasourceUid": datasource, "relativeTimeRange": {"from": SILENT_S, "to": 0}, "model": model},
            expression("B", json!({"type": "reduce", "expression": "A", "reducer": "last", "settings": {"mode": "dropNN"}})),
            expression("C", json!({
                "type": "threshold", "expression": "B",
                "conditions": [{"evaluator": {"type": "gt", "params": [rule.limit]}}],
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
