//! A dashboard of Grafana, as its JSON has it.

use serde_json::Value;

/// Every panel that is no row, those in rows among them.
pub fn panels(dashboard: &Value) -> Vec<Value> {
    let list = |value: &Value| value["panels"].as_array().cloned().unwrap_or_default();
    list(dashboard)
        .into_iter()
        .flat_map(|panel| if panel["type"] == "row" { list(&panel) } else { vec![panel] })
        .collect()
}
