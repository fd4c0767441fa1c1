//! Values over time: the mean of each window as a line, minimum and maximum as a band, flagged values as points.
//!
//! Suspect values are possible values, so they are on the panel's axis. Failed values may be anything (7999, -9999) and
//! would flatten the line, so they have a hidden axis with zero in its middle: their time and the value on hover are
//! exact, and their height only shows how far off they are.

use std::time::Duration;

use serde_json::{Value, json};

use super::query::{Shape, Step, has_band, lettered, query_language, target};
use super::source::{EXPECTED_STEP, Flagged, Source};
use super::texts::described;
use super::units::grafana;
use super::{Object, Site, object};
use crate::quantity::Drawing;
use crate::view::panel::{Axis, Panel, PanelSeries};

/// Pass. The colours are legible on white and on near-black and for the colour-blind (ColorBrewer RdYlBu).
pub(super) const GOOD: &str = "#2c7bb6";
/// Not evaluated.
pub(super) const UNTESTED: &str = "#abd9e9";
/// Suspect.
pub(super) const SUSPECT: &str = "#fdae61";
/// Fail.
pub(super) const FAIL: &str = "#d7191c";
/// Missing.
pub(super) const MISSING: &str = "#808080";

/// The properties of the fields with one name.
pub(super) fn by_name(name: &str, properties: &[(&str, Value)]) -> Value {
    let properties: Vec<Value> = properties.iter().map(|(id, value)| json!({"id": id, "value": value})).collect();
    json!({"matcher": {"id": "byName", "options": name}, "properties": properties})
}

pub(super) fn fixed(colour: &str) -> Value {
    json!({"mode": "fixed", "fixedColor": colour})
}

fn dash(kind: u8) -> Value {
    match kind {
        0 => json!({"fill": "solid"}),
        1 => json!({"fill": "dash", "dash": [20, 6]}),
        2 => json!({"fill": "dash", "dash": [10, 6]}),
        _ => json!({"fill": "dash", "dash": [3, 6]}),
    }
}

/// The panel without id and position; none if no series of it has a table.
pub(super) fn lines(site: &Site<'_>, panel: &Panel) -> Option<Object> {
    let mut drawing = Drawn { site, panel, targets: Vec::new(), overrides: Vec::new() };
    for series in &panel.series {
        if let Some(source) = Source::of(site, series) {
            drawing.add(series, &source);
        }
    }
    if drawing.targets.is_empty() {
        return None;
    }
    let thresholds = limits(panel);
    let mut defaults = json!({
        "unit": grafana(&panel.axis.unit),
        "color": {"mode": "palette-classic"},
        "custom": {
            "drawStyle": "line", "lineInterpolation": "linear", "lineWidth": 1, "fillOpacity": 0, "showPoints": "auto",
            "pointSize": 4, "spanNulls": false, "axisPlacement": "auto", "axisLabel": "", "scaleDistribution": {"type": "linear"},
            "thresholdsStyle": {"mode": if thresholds.is_some() { "dashed" } else { "off" }},
        },
    });
    if let Some(thresholds) = thresholds {
        defaults["thresholds"] = thresholds;
    }
    let mut made = object(json!({
        "type": "timeseries",
        "title": panel.title,
        "description": described(site, panel),
        "datasource": super::query::datasource(site, None),
        "targets": lettered(drawing.targets),
        "fieldConfig": {"defaults": defaults, "overrides": drawing.overrides},
        "options": {
            "legend": {"displayMode": "list", "placement": "bottom", "showLegend": true, "calcs": []},
            "tooltip": {"mode": "multi", "sort": "none"},
        },
    }));
    if let Some(interval) = least_interval(site, panel) {
        made.insert("interval".to_owned(), json!(interval));
    }
    Some(made)
}

struct Drawn<'a> {
    site: &'a Site<'a>,
    panel: &'a Panel,
    targets: Vec<Object>,
    overrides: Vec<Value>,
}

impl Drawn<'_> {
    fn add(&mut self, series: &PanelSeries, source: &Source) {
        let language = query_language(self.site.language);
        let bucket = source.bucket.as_deref();
        let label = series.label.as_str();
        let mut axis = self.axis(series);
        let mut line = vec![
            ("color", fixed(series.colour.hex)),
            ("custom.lineStyle", dash(series.colour.dash)),
            ("custom.spanNulls", self.span(series)),
        ];
        match series.values.drawing() {
            Drawing::Line => {}
            Drawing::Bars => {
                line.push(("custom.drawStyle", json!("bars")));
                line.push(("custom.fillOpacity", json!(60)));
            }
            Drawing::Points => {
                line.push(("custom.drawStyle", json!("points")));
                line.push(("custom.showPoints", json!("always")));
            }
        }
        if self.panel.right.is_some() && self.beside(series.is_right).count() == 1 {
            // With two axes, the colour shows which series belongs to which axis.
            line.push(("custom.axisColorMode", json!("series")));
        }
        line.append(&mut axis.clone());
        self.overrides.push(by_name(label, &line));
        let text = if let Some(width) = self.panel.mean {
            language.mean(source, Step::Fixed(width), label)
        } else if !has_band(source) {
            language.mean(source, Step::Chosen, label)
        } else {
            let names = [label.to_owned(), format!("{label} · least"), format!("{label} · greatest")];
            let mut edge = vec![
                ("color", fixed(series.colour.hex)),
                ("custom.lineWidth", json!(0)),
                ("custom.showPoints", json!("never")),
                ("custom.hideFrom", json!({"legend": true, "tooltip": false, "viz": false})),
                ("custom.spanNulls", self.span(series)),
            ];
            edge.append(&mut axis);
            self.overrides.push(by_name(&names[1], &edge));
            edge.push(("custom.fillBelowTo", json!(names[1])));
            edge.push(("custom.fillOpacity", json!(20)));
            self.overrides.push(by_name(&names[2], &edge));
            language.envelope(source, Step::Chosen, &names)
        };
        self.targets.push(target(self.site, bucket, Shape::Series, &text));
        self.add_expected(series);
        if source.flagged == Flagged::Never || self.panel.mean.is_some() {
            return;
        }
        let points = |colour: &str, size: u8| {
            vec![
                ("color", fixed(colour)),
                ("custom.drawStyle", json!("points")),
                ("custom.showPoints", json!("always")),
                ("custom.pointSize", json!(size)),
            ]
        };
        for (digit, word, colour, size) in [(3, "suspect", SUSPECT, 6), (4, "fail", FAIL, 9)] {
            let name = format!("{label} · {word}");
            self.targets.push(target(self.site, bucket, Shape::Series, &language.with_flag(source, digit, &name)));
            let mut properties = points(colour, size);
            if digit == 4 {
                properties.push(("unit", json!(grafana(&self.axis_of(series).unit))));
                properties.push(("custom.axisPlacement", json!("hidden")));
                properties.push(("custom.axisCenteredZero", json!(true)));
                properties.push(("custom.axisLabel", json!("failed")));
                properties.push(no_limits());
            } else {
                properties.append(&mut self.axis(series));
            }
            self.overrides.push(by_name(&name, &properties));
        }
    }

    /// The band of its climatology: wide and pale, behind the narrow band of the windows.
    fn add_expected(&mut self, series: &PanelSeries) {
        let edges = ["low", "high"].map(|edge| Source::expected(self.site, series, edge));
        let [Some(low), Some(high)] = edges else { return };
        let language = query_language(self.site.language);
        let names = ["low", "high"].map(|edge| format!("{} · expected {edge}", series.label));
        let mut edge = vec![
            ("color", fixed(series.colour.hex)),
            ("custom.lineWidth", json!(0)),
            ("custom.showPoints", json!("never")),
            ("custom.hideFrom", json!({"legend": true, "tooltip": false, "viz": false})),
            ("custom.spanNulls", json!(u64::try_from(EXPECTED_STEP.as_millis() * 3 / 2).unwrap_or(u64::MAX))),
        ];
        edge.append(&mut self.axis(series));
        for (source, name) in [(low, &names[0]), (high, &names[1])] {
            let text = language.mean(&source, Step::Chosen, name);
            self.targets.push(target(self.site, source.bucket.as_deref(), Shape::Series, &text));
            if *name == names[1] {
                edge.push(("custom.fillBelowTo", json!(names[0])));
                edge.push(("custom.fillOpacity", json!(8)));
            }
            self.overrides.push(by_name(name, &edge));
        }
    }

    fn axis_of(&self, series: &PanelSeries) -> &Axis {
        self.panel.right.as_ref().filter(|_| series.is_right).unwrap_or(&self.panel.axis)
    }

    /// The properties that put it on its axis. The ends of the axis are set here and not for the panel, because they
    /// would also apply to the hidden axis of failed values, and a failed value beyond them would not be drawn.
    fn axis(&self, series: &PanelSeries) -> Vec<(&'static str, Value)> {
        let mut axis = Vec::new();
        if let Some(right) = self.panel.right.as_ref().filter(|_| series.is_right) {
            axis.push(("custom.axisPlacement", json!("right")));
            axis.push(("unit", json!(grafana(&right.unit))));
            axis.push(no_limits());
        }
        match self.axis_of(series).bounds {
            Some((low, high)) => {
                axis.push(("min", json!(low)));
                axis.push(("max", json!(high)));
            }
            // The length of a bar is meaningful only if it begins at 0. Series with different ends would get separate
            // axes.
            None if self.beside(series.is_right).any(|beside| beside.values.drawing() == Drawing::Bars) => {
                axis.push(("custom.axisSoftMin", json!(0)));
            }
            None => {}
        }
        axis
    }

    /// The series on the right axis, or on the left one.
    fn beside(&self, is_right: bool) -> impl Iterator<Item = &PanelSeries> {
        self.panel.series.iter().filter(move |series| series.is_right == is_right)
    }

    /// The longest time without a value over which a line is drawn. Windows are narrower than a slow table's interval,
    /// so the distance to the next row is not a gap, but one missing row is.
    fn span(&self, series: &PanelSeries) -> Value {
        match self.site.interval(&series.table.0) {
            Some(interval) => json!(u64::try_from(interval.as_millis() * 3 / 2).unwrap_or(u64::MAX)),
            None => json!(false),
        }
    }
}

/// The narrowest useful window: the interval of the fastest table. There the mean is the value itself.
pub(super) fn least_interval(site: &Site<'_>, panel: &Panel) -> Option<String> {
    let least = panel.series.iter().filter_map(|series| site.interval(&series.table.0)).min()?;
    Some(spelled(site, panel.mean.map_or(least, |mean| least.max(mean))))
}

/// The width of the narrowest window of a panel, in Grafana's notation.
pub(super) fn spelled(site: &Site<'_>, width: Duration) -> String {
    match width.as_millis() {
        // SQL's macro counts in whole seconds.
        under if under < 1_000 && site.language == super::Language::Sql => "1s".to_owned(),
        under if !under.is_multiple_of(1_000) => format!("{under}ms"),
        whole => format!("{}s", whole / 1_000),
    }
}

/// Grafana draws the panel's limits on every axis, even on one to which they do not belong.
fn no_limits() -> (&'static str, Value) {
    ("custom.thresholdsStyle", json!({"mode": "off"}))
}

/// The expected range of all series on the left axis, as dashed lines. None if the ranges differ, if they are the ends
/// of the axis, as for directions, or if bars are drawn: the range applies to readings, and a bar is the sum of many or
/// a difference of two.
fn limits(panel: &Panel) -> Option<Value> {
    let range = |series: &PanelSeries| {
        series.range.filter(|_| series.values.drawing() != Drawing::Bars).map(|range| range.suspect)
    };
    let mut left = panel.series.iter().filter(|series| !series.is_right).map(range);
    let (low, high) = left.next()??;
    if !left.all(|other| other == Some((low, high))) || panel.axis.bounds == Some((low, high)) {
        return None;
    }
    let mut steps = vec![json!({"value": null, "color": if low.is_finite() { SUSPECT } else { "transparent" }})];
    if low.is_finite() {
        steps.push(json!({"value": low, "color": "transparent"}));
    }
    if high.is_finite() {
        steps.push(json!({"value": high, "color": SUSPECT}));
    }
    (steps.len() > 1).then(|| json!({"mode": "absolute", "steps": steps}))
}
