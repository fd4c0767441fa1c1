//! The table of docs/dashboard.md is true: each panel and query of the earlier dashboard is accounted for.

use serde_json::Value;

use super::made::{Made, project, queries};
use crate::support::grafana::panels;

/// A line of the table.
struct Account {
    row: String,
    panel: String,
    fields: Vec<String>,
    here: String,
    verdict: String,
}

fn accounts() -> Vec<Account> {
    let page = std::fs::read_to_string(project("docs/dashboard.md")).unwrap().replace("\r\n", "\n");
    let (_, table) = page.split_once("| earlier row | earlier panel |").unwrap();
    let lines = table.lines().skip(2).take_while(|line| line.starts_with('|'));
    let account = |line: &str| {
        let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
        let [row, panel, fields, here, verdict] = cells.as_slice() else { panic!("{line}") };
        Account {
            row: (*row).to_owned(),
            panel: (*panel).to_owned(),
            fields: fields.split('`').skip(1).step_by(2).map(str::to_owned).collect(),
            here: (*here).to_owned(),
            verdict: (*verdict).to_owned(),
        }
    };
    lines.map(account).collect()
}

#[test]
fn every_panel_of_the_earlier_dashboard_is_here_with_each_of_its_fields_in_every_language() {
    let accounts = accounts();
    assert_eq!(accounts.len(), 24);
    assert_eq!(accounts.iter().map(|account| account.fields.len()).sum::<usize>(), 80);
    let made = Made::example();
    for language in ["flux", "influxql", "sql"] {
        let panels = panels(&made.dashboard(&["--language", language]));
        for account in &accounts {
            let says = ["same", "better", "left out"].iter().any(|word| account.verdict.starts_with(word));
            assert!(says, "{}: {}", account.panel, account.verdict);
            if account.verdict.starts_with("left out") {
                continue;
            }
            let panel = panels.iter().find(|panel| panel["title"] == account.here.as_str());
            let panel = panel.unwrap_or_else(|| panic!("no panel \"{}\" in {language}", account.here));
            let queries = queries(panel);
            for field in &account.fields {
                let quoted = format!("\"{field}\"");
                assert!(queries.iter().any(|text| text.contains(&quoted)), "{field} is not in \"{}\"", account.here);
            }
        }
    }
}

#[test]
fn every_column_of_the_example_that_is_sent_is_on_a_panel() {
    let made = Made::example();
    let text = std::fs::read_to_string(made.path("config.toml")).unwrap();
    let fields = text.lines().filter_map(|line| line.strip_prefix("field = \"")).map(|rest| rest.trim_end_matches('"'));
    let all: String = panels(&made.dashboard(&["--language", "influxql"])).iter().flat_map(queries).collect();
    let fields: Vec<&str> = fields.collect();
    // The rest go out under the names that their files have.
    assert!(fields.len() > 50, "{}", fields.len());
    for field in fields {
        assert!(all.contains(&format!("\"{field}\"")), "{field}");
    }
}

#[test]
#[ignore = "needs the earlier dashboard's specification, see .ci/run"]
fn the_table_lists_the_panels_and_queries_that_the_earlier_dashboard_had() {
    let path = std::env::var("FLUXTOWER_DASHBOARD_SPEC").expect("FLUXTOWER_DASHBOARD_SPEC must hold its path");
    let spec: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let mut had = Vec::new();
    for row in list(&spec["rows"]) {
        for panel in list(&row["panels"]) {
            let fields = list(&panel["targets"]);
            let fields: Vec<String> =
                fields.iter().map(|target| target["field"].as_str().unwrap().to_owned()).collect();
            let title = |value: &Value| value["title"].as_str().unwrap().to_owned();
            had.push((title(&row), title(&panel), fields));
        }
    }
    let told: Vec<_> = accounts().into_iter().map(|account| (account.row, account.panel, account.fields)).collect();
    assert_eq!(told, had);
    println!(
        "{} panels, {} queries accounted for",
        had.len(),
        had.iter().map(|(_, _, fields)| fields.len()).sum::<usize>()
    );
}
