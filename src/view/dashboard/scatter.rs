//! One column against another, and values over height, in Grafana's XY chart.

use serde_json::{Value, json};

use super::lines::{by_name, fixed, least_interval};
use super::query::{Shape, Step, datasource, lettered, query_language, target};
use super::source::Source;
use super::texts::described;
use super::units::grafana;
use super::{Language, Object, Site, object};
use crate::view::panel::{Axis, Panel};

/// The parts in which charts differ.
struct Chart<'a> {
    targets: Vec<Object>,
    series: &'a [Value],
    overrides: &'a [Value],
    /// `points` or `points+lines`.
    show: &'a str,
}

fn chart(site: &Site<'_>, panel: &Panel, parts: Chart<'_>) -> Object {
    let Chart { targets, series, overrides, show } = parts;
    let mut made = object(json!({
        "type": "xychart",
        "title": panel.title,
        "description": described(site, panel),
        "datasource": datasource(site, None),
        "targets": lettered(targets),
        "fieldConfig": {
            "defaults": {
                "color": {"mode": "palette-classic"},
                "custom": {"show": show, "pointSize": {"fixed": 5}, "pointShape": "circle", "lineWidth": 1, "fillOpacity": 50,
                    "axisPlacement": "auto", "scaleDistribution": {"type": "linear"}},
            },
            "overrides": overrides,
        },
        "options": {
            "mapping": "manual",
            "series": series,
            "legend": {"displayMode": "list", "placement": "bottom", "showLegend": show != "points", "calcs": []},
            "tooltip": {"mode": "single", "sort": "none"},
        },
    }));
    if let Some(interval) = least_interval(site, panel) {
        made.insert("interval".to_owned(), json!(interval));
    }
    made
}

fn named(name: &str) -> Value {
    json!({"matcher": {"id": "byName", "options": name}})
}

fn axis(axis: &Axis, label: &str) -> Vec<(&'static str, Value)> {
    let mut properties = vec![("unit", json!(grafana(&axis.unit))), ("custom.axisLabel", json!(label))];
    if let Some((low, high)) = axis.bounds {
        properties.push(("min", json!(low)));
        properties.push(("max", json!(high)));
    }
    properties
}

/// Window means of one column against another, the first on the x axis.
pub(super) fn scatter(site: &Site<'_>, panel: &Panel) -> Option<Object> {
    let [x, y] = panel.series.as_slice() else { return None };
    let (first, second) = (Source::of(site, x)?, Source::of(site, y)?);
    let step = panel.mean.map_or(Step::Chosen, Step::Fixed);
    let texts = query_language(site.language).side_by_side((&first, &x.label), (&second, &y.label), step);
    let buckets = [first.bucket.as_deref(), second.bucket.as_deref()];
    let targets = texts.iter().zip(buckets).map(|(text, bucket)| target(site, bucket, Shape::Series, text)).collect();
    let mut over_y = axis(&panel.axis, &y.label);
    over_y.push(("color", fixed(y.colour.hex)));
    let over_x = axis(panel.right.as_ref().unwrap_or(&panel.axis), &x.label);
    let overrides = vec![by_name(&x.label, &over_x), by_name(&y.label, &over_y)];
    let series =
        json!({"x": named(&x.label), "y": named(&y.label), "name": {"fixed": format!("{} over {}", y.label, x.label)}});
    let parts = Chart { targets, series: &[series], overrides: &overrides, show: "points" };
    let mut made = chart(site, panel, parts);
    if texts.len() > 1 {
        // The two answers are joined by their times; a window with one value only gives no point.
        let join = json!([{"id": "joinByField", "options": {"byField": "Time", "mode": "inner"}}]);
        made.insert("transformations".to_owned(), join);
    }
    Some(made)
}

/// Values over height: the newest, and the mean over the time range. Each height has one or two queries of its own;
/// Grafana merges their rows by the height.
pub(super) fn profile(site: &Site<'_>, panel: &Panel) -> Option<Object> {
    let language = query_language(site.language);
    let mut targets = Vec::new();
    for series in &panel.series {
        if let (Some(source), Some(level)) = (Source::of(site, series), &series.level) {
            let texts = language.at_height(&source, level.metres);
            targets.extend(texts.iter().map(|text| target(site, source.bucket.as_deref(), Shape::Table, text)));
        }
    }
    let colour = panel.series.first()?.colour.hex;
    if targets.is_empty() {
        return None;
    }
    let mut value = axis(&panel.axis, "");
    value.push(("color", fixed(colour)));
    let mut mean = value.clone();
    mean.push(("custom.lineStyle", json!({"fill": "dash", "dash": [10, 6]})));
    let height = [("unit", json!(grafana("m"))), ("custom.axisLabel", json!("height above ground"))];
    let overrides = vec![by_name("newest", &value), by_name("mean", &mean), by_name("height", &height)];
    let over = |name: &str, text: &str| json!({"x": named(name), "y": named("height"), "name": {"fixed": text}});
    let series = [over("newest", "newest"), over("mean", "mean of the time shown")];
    let parts = Chart { targets, series: &series, overrides: &overrides, show: "points+lines" };
    let mut made = chart(site, panel, parts);
    let hidden = if site.language == Language::InfluxQl { json!({"Time": true}) } else { json!({}) };
    made.insert(
        "transformations".to_owned(),
        json!([
            {"id": "organize", "options": {"excludeByName": hidden, "indexByName": {}, "renameByName": {}}},
            {"id": "merge", "options": {}},
            {"id": "sortBy", "options": {"fields": {}, "sort": [{"field": "height", "desc": false}]}},
        ]),
    );
    Some(made)
}
