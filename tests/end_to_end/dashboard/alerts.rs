//! Alert rules, as Grafana's provisioning reads them.

use std::collections::BTreeSet;

use serde_json::Value;

use super::made::Made;

fn rules(made: &Made, options: &[&str]) -> Vec<Value> {
    made.dashboard(&[options, &["--alerts", "alerts.json"]].concat());
    let text = std::fs::read_to_string(made.path("alerts.json")).unwrap();
    let file: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(file["apiVersion"], 1);
    assert_eq!(file["groups"].as_array().unwrap().len(), 1);
    file["groups"][0]["rules"].as_array().unwrap().clone()
}

#[test]
fn there_is_a_rule_for_silence_one_for_waiting_rows_and_one_a_table_and_one_for_its_sensors() {
    let made = Made::example();
    for language in ["flux", "influxql", "sql"] {
        let rules = rules(&made, &["--language", language]);
        let of = |words: &str| rules.iter().filter(|rule| rule["title"].as_str().unwrap().contains(words)).count();
        assert_eq!(of("no new record in"), 12, "{language}");
        // SQL fails as a whole where one of the columns was never written.
        assert_eq!(of("gives no usable value") > 0, language != "sql", "{language}");
        assert_eq!(rules.len(), 2 + 12 + of("gives no usable value"), "{language}");
        let uids: BTreeSet<&str> = rules.iter().map(|rule| rule["uid"].as_str().unwrap()).collect();
        assert_eq!(uids.len(), rules.len());
        assert!(uids.iter().all(|uid| uid.len() <= 40), "{uids:?}");
        for rule in &rules {
            let data = rule["data"].as_array().unwrap();
            assert_eq!(data.iter().map(|step| step["refId"].as_str().unwrap()).collect::<Vec<_>>(), ["A", "B", "C"]);
            assert_eq!(rule["condition"], "C");
            let is_silence = rule["title"].as_str().unwrap().ends_with("agent is silent");
            assert_eq!(rule["noDataState"], if is_silence { "Alerting" } else { "OK" }, "{}", rule["title"]);
            assert!(rule["for"].as_str().unwrap().ends_with('m'));
            assert_eq!(data[0]["datasourceUid"], "$FLUXTOWER_DATASOURCE");
            assert_eq!(data[0]["datasourceUid"], data[0]["model"]["datasource"]["uid"]);
            // No dashboard is around it whose variables could be filled in.
            let query = data[0]["model"]["query"].as_str().or(data[0]["model"]["rawSql"].as_str()).unwrap();
            assert!(!query.contains("${") && query.contains("US-UMB"), "{query}");
        }
    }
}

#[test]
fn a_dollar_is_doubled_because_provisioning_reads_it_as_the_environment() {
    let rules = rules(&Made::hostile(), &["--language", "influxql", "--datasource", "P1"]);
    let rule = rules.iter().find(|rule| rule["title"].as_str().unwrap().contains("no new record")).unwrap();
    let query = rule["data"][0]["model"]["query"].as_str().unwrap();
    assert!(query.contains("WHERE $$timeFilter") && query.contains(r#""logger_table" = 'evil table'"#), "{query}");
    assert_eq!(rule["data"][0]["datasourceUid"], "P1");
    let text = rule.to_string();
    assert!(!text.replace("$$", "").contains('$'), "{text}");
}
