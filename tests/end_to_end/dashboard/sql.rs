//! SQL that the parser inside InfluxDB 3 takes.

use sqlparser::dialect::GenericDialect;
use sqlparser::parser::Parser;

use super::made::{Made, all_queries, interpolated};
use crate::support::grafana::panels;

/// As Grafana's own macros write it.
fn as_sent(text: &str, step: &str) -> String {
    let text = interpolated(text, "US-UMB", step);
    text.replace("$__timeFrom", "cast('2026-06-01T00:00:00Z' as timestamp)")
        .replace("$__timeTo", "cast('2026-06-02T00:00:00Z' as timestamp)")
        .replace("$__interval", "interval '10 second'")
}

fn statements(text: &str) -> Result<usize, String> {
    // DataFusion's default.
    Parser::parse_sql(&GenericDialect {}, text).map(|found| found.len()).map_err(|error| error.to_string())
}

#[test]
fn every_query_is_one_statement_of_sql_at_every_time_step() {
    for made in [Made::example(), Made::hostile(), Made::shipped()] {
        for options in [&["--language", "sql"][..], &["--language", "sql", "--network"]] {
            let dashboard = made.dashboard(options);
            let variables = dashboard["templating"]["list"].as_array().unwrap();
            let step = variables.iter().find(|variable| variable["name"] == "step");
            let none = Vec::new();
            let steps = step.map_or(&none, |step| step["options"].as_array().unwrap());
            let stations = variables.iter().filter(|variable| variable["type"] == "query");
            let stations: Vec<String> =
                stations.map(|variable| variable["query"].as_str().unwrap().to_owned()).collect();
            for text in all_queries(&dashboard).iter().chain(&stations) {
                for step in steps.iter().map(|step| step["value"].as_str().unwrap()).chain(["$__interval"]) {
                    let sent = as_sent(text, step);
                    assert_eq!(statements(&sent), Ok(1), "{sent}");
                }
            }
        }
    }
}

#[test]
fn a_query_with_a_mistake_in_it_is_found() {
    let dashboard = Made::example().dashboard(&["--language", "sql"]);
    let queries = all_queries(&dashboard);
    let good = as_sent(
        queries.iter().find(|text| text.contains("gapfill") && text.contains("fastdata")).unwrap(),
        "$__interval",
    );
    assert_eq!(statements(&good), Ok(1));
    for (from, to) in [("\"", ""), ("(", ""), (" FROM ", " FORM "), ("GROUP BY 1", "GROUP 1"), (" AND ", " ADN ")] {
        assert!(statements(&good.replacen(from, to, 1)).is_err(), "{from}");
    }
    assert_ne!(statements(&good.replacen("\"fastdata\"", "\"fastdata\"; DROP TABLE x; SELECT 1 FROM y", 1)), Ok(1));
}

#[test]
fn a_query_of_sql_asks_the_data_source_of_its_database() {
    let dashboard = Made::example().dashboard(&["--language", "sql"]);
    let text = dashboard.to_string();
    assert!(text.contains("Data source: ameriflux_atmospheric") && text.contains("Data source: ameriflux_soil"));
    for panel in panels(&dashboard) {
        for target in panel["targets"].as_array().unwrap_or(&Vec::new()) {
            let is_soil = target["rawSql"].as_str().unwrap().contains("\"slowdata\"");
            let uid = if is_soil { "${datasource_2}" } else { "${datasource}" };
            assert_eq!(target["datasource"]["uid"], uid, "{}", panel["title"]);
        }
    }
}

#[test]
fn every_query_of_sql_has_a_time_and_none_looks_back_72_hours() {
    for made in [Made::example(), Made::shipped()] {
        for options in [&["--language", "sql"][..], &["--language", "sql", "--network"]] {
            let dashboard = made.dashboard(options);
            let variables = dashboard["templating"]["list"].as_array().unwrap();
            let stations = variables.iter().filter(|variable| variable["type"] == "query");
            let stations: Vec<String> =
                stations.map(|variable| variable["query"].as_str().unwrap().to_owned()).collect();
            for text in all_queries(&dashboard).iter().chain(&stations) {
                assert!(text.contains("time >= $__timeFrom") || text.contains("time > now() - interval"), "{text}");
                assert!(!text.contains("days'"), "{text}");
            }
            assert!(["now-24h", "now-70h"].contains(&dashboard["time"]["from"].as_str().unwrap()));
        }
    }
}

/// A column that has no value yet is not known to InfluxDB 3, and the query that names it is an error.
#[test]
fn the_share_of_good_values_asks_for_one_column_at_a_time() {
    let dashboard = Made::example().dashboard(&["--language", "sql"]);
    let panels = panels(&dashboard);
    let good =
        panels.iter().find(|panel| panel["title"].as_str().is_some_and(|title| title.starts_with("Good values")));
    let queries = super::made::queries(good.unwrap());
    assert!(queries.len() > 1);
    for text in queries {
        assert_eq!(text.matches("avg(CASE").count(), 1, "{text}");
    }
}
