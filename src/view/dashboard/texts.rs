//! The explanations on the dashboard.

use std::fmt::Write as _;

use serde_json::json;

use super::frame::clock_text;
use super::source::bucket;
use super::{Object, Site, object};
use crate::config::DestinationConfig;
use crate::view::panel::Panel;

fn text(title: &str, content: &str) -> Object {
    object(json!({
        "type": "text", "title": title, "options": {"mode": "markdown", "content": content},
    }))
}

/// The text with Markdown's special characters escaped.
fn plain(text: &str) -> String {
    let mut out = String::new();
    for letter in text.chars() {
        match letter {
            '<' => out.push_str("&lt;"),
            '&' => out.push_str("&amp;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '#' | '|' | '!' => {
                out.push('\\');
                out.push(letter);
            }
            control if control.is_control() => out.push(' '),
            other => out.push(other),
        }
    }
    out
}

/// How to use the dashboard and what the colours mean.
pub(super) fn instructions(site: &Site<'_>) -> Object {
    text(
        "How to read this",
        &format!(
            "- Drag over a panel to zoom in; double-click to zoom out. Click a name in the legend to see that series alone.\n\
             - Open a row by its title; a collapsed row queries nothing.\n\
             - A line is the mean of each window, the band its minimum and maximum; zoomed in, each value. **Time step** \
             sets the window. Failed values are in neither.\n\
             - Orange points are **suspect**: outside the expected range. Red points **failed**: impossible, or flagged by hand; their \
             height is not on the axis, hover for the value. Zoomed out, a point is the first such value of its window.\n\
             - A line breaks where records are missing. The ribbon under each row shows the worst flag of each window.\n\
             - {}\n",
            plain(&clock_text(site.config))
        ),
    )
}

/// The origin of the data and its retention.
pub(super) fn details(site: &Site<'_>) -> Object {
    let mut content = String::new();
    let list = |bucket: Option<&str>| {
        let tables = site.config.tables.iter();
        let tables = tables.filter(|table| super::source::bucket(site.config, Some(table)).as_deref() == bucket);
        let names: Vec<String> = tables
            .map(|table| match site.interval(&table.name.0) {
                Some(interval) => format!("{} (every {})", plain(&table.name.0), spoken(interval.as_secs_f64())),
                None => plain(&table.name.0),
            })
            .collect();
        names.join(", ")
    };
    let configured = |name: &Option<String>| match &site.config.destination {
        DestinationConfig::Influx(influx) => influx.retention_of(name.as_deref()),
        DestinationConfig::Files { .. } => None,
    };
    let kept_in = |name: &Option<String>| {
        let is_own = *name == bucket(site.config, None);
        let known = site.retentions.iter().find(|(bucket, _)| bucket == name || bucket.is_none() && is_own);
        known.map(|(_, kept)| *kept).or_else(|| configured(name))
    };
    // Writing to a String cannot fail.
    for known in super::source::buckets(site.config) {
        let name = known.as_deref().map_or_else(|| "the bucket that the files are written to".to_owned(), plain);
        let kept = match kept_in(&known) {
            Some(kept) => format!("keeps rows for {}", spoken(kept.as_secs_f64())),
            None => "keeps rows for its retention (`fluxtower bucket list`)".to_owned(),
        };
        let _ = writeln!(content, "- **{name}** {kept}. Tables: {}.", list(known.as_deref()));
    }
    content += "- Every row is first stored on the station's computer, whatever the link does; `fluxtower replay` sends rows again that the bucket dropped.\n";
    if !site.has_health() {
        content +=
            "- The agent's own health is switched off (`[sync] health = false`), so ages and backlog are not shown.\n";
    } else if matches!(site.config.destination, DestinationConfig::Files { .. }) {
        content += "- Rows go to files, without the agent's own health: ages and backlog stay empty until a server is the destination.\n";
    }
    content += "- Made by `fluxtower dashboard`; make it again after a change of the configuration.\n";
    text("Where this comes from", &content)
}

/// What a panel shows, and how often its tables bring a row.
pub(super) fn described(site: &Site<'_>, panel: &Panel) -> String {
    let mut text = panel.description.clone();
    let mut tables: Vec<&str> = panel.series.iter().map(|series| series.table.0.as_str()).collect();
    tables.sort_unstable();
    tables.dedup();
    // Writing to a String cannot fail.
    for table in tables {
        if let Some(interval) = site.interval(table) {
            let _ = write!(text, " Table {table} has a row every {}.", spoken(interval.as_secs_f64()));
        }
    }
    if let Some(mean) = panel.mean {
        let _ = write!(text, " Drawn as means of {}.", spoken(mean.as_secs_f64()));
    }
    text
}

/// A duration in the largest unit that divides it.
fn spoken(seconds: f64) -> String {
    let units = [("d", 86_400.0), ("h", 3_600.0), ("min", 60.0)];
    let unit = units.into_iter().find(|(_, length)| seconds >= *length && (seconds / length).fract() < 1e-9);
    unit.map_or_else(|| format!("{seconds} s"), |(name, length)| format!("{} {name}", seconds / length))
}
