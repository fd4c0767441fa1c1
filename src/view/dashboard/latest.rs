//! The newest value in large digits, with a small graph of recent values.

use serde_json::json;

use super::lines::{GOOD, SUSPECT, by_name, fixed, least_interval};
use super::query::{Shape, datasource, lettered, query_language, target};
use super::source::Source;
use super::texts::described;
use super::units::grafana;
use super::{Object, Site, object};
use crate::view::panel::Panel;

/// The panel without id and position. Its colour shows whether the value is within the expected range. A failed value
/// is shown too, because the panel shows what the sensor reports now.
pub(super) fn latest(site: &Site<'_>, panel: &Panel) -> Option<Object> {
    let language = query_language(site.language);
    let mut targets = Vec::new();
    let mut overrides = Vec::new();
    for series in &panel.series {
        let Some(source) = Source::of(site, series) else { continue };
        let text = language.newest(&source, &series.label);
        targets.push(target(site, source.bucket.as_deref(), Shape::Series, &text));
        // The unit of the series, because a panel with several quantities has no common unit.
        let mut properties = vec![("unit", json!(grafana(&series.unit)))];
        if let Some((low, high)) = series.range.map(|range| range.suspect) {
            let mut steps = vec![json!({"value": null, "color": if low.is_finite() { SUSPECT } else { GOOD }})];
            if low.is_finite() {
                steps.push(json!({"value": low, "color": GOOD}));
            }
            if high.is_finite() {
                steps.push(json!({"value": high, "color": SUSPECT}));
            }
            properties.push(("color", json!({"mode": "thresholds"})));
            properties.push(("thresholds", json!({"mode": "absolute", "steps": steps})));
        } else {
            properties.push(("color", fixed(series.colour.hex)));
        }
        overrides.push(by_name(&series.label, &properties));
    }
    if targets.is_empty() {
        return None;
    }
    let mut made = object(json!({
        "type": "stat",
        "title": panel.title,
        "description": described(site, panel),
        "datasource": datasource(site, None),
        "targets": lettered(targets),
        "fieldConfig": {"defaults": {"noValue": "no value"}, "overrides": overrides},
        "options": stat(&["lastNotNull"], "area"),
    }));
    if let Some(interval) = least_interval(site, panel) {
        made.insert("interval".to_owned(), json!(interval));
    }
    Some(made)
}

/// The options of a panel of large numbers.
pub(super) fn stat(calcs: &[&str], graph: &str) -> serde_json::Value {
    json!({
        "reduceOptions": {"calcs": calcs, "fields": "", "values": false},
        "orientation": "auto", "textMode": "auto", "colorMode": "value", "graphMode": graph, "justifyMode": "auto",
        "showPercentChange": false, "percentChangeColorMode": "standard", "wideLayout": true,
    })
}
