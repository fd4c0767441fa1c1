//! What a person needs to know to read the dashboard, on the dashboard.

use std::fmt::Write as _;

use serde_json::json;

use super::frame::clock_words;
use super::source::bucket;
use super::{Object, Site, object};
use crate::config::DestinationConfig;

fn text(title: &str, content: &str) -> Object {
    object(json!({
        "type": "text", "title": title, "options": {"mode": "markdown", "content": content},
    }))
}

/// Text that Markdown takes for itself and for nothing else.
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

/// How to use it and what the colours mean.
pub(super) fn instructions(site: &Site<'_>) -> Object {
    text(
        "How to read this",
        &format!(
            "- Drag over a panel to zoom in; double-click to zoom out. Click a name in the legend to see that series alone.\n\
             - Open a row by its title; rows that are folded ask the server for nothing.\n\
             - A line is the mean of each window, the band its least and greatest value; zoomed in, each value. **Time step** \
             sets the window. Failed values are in neither.\n\
             - Orange points are **suspect**: beyond what is expected. Red points **failed**: impossible, or marked by a person; their \
             height is not on the axis, hover for the value. Zoomed out, a point stands for the greatest of its window.\n\
             - A line breaks where records are missing. The ribbon under each row shows the worst flag of each window.\n\
             - {}\n",
            plain(&clock_words(site.config))
        ),
    )
}

/// Where the data comes from and how long it stays.
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
        let told = site.retentions.iter().find(|(told, _)| told == name || told.is_none() && is_own);
        told.map(|(_, kept)| *kept).or_else(|| configured(name))
    };
    // Writing to a String cannot fail.
    for known in super::source::buckets(site.config) {
        let name = known.as_deref().map_or_else(|| "the bucket that the files are written to".to_owned(), plain);
        let kept = match kept_in(&known) {
            Some(kept) => format!("keeps rows for {}", spoken(kept.as_secs_f64())),
            None => "keeps rows as long as its own retention says (`fluxtower bucket list`)".to_owned(),
        };
        let _ = writeln!(content, "- **{name}** {kept}. Tables: {}.", list(known.as_deref()));
    }
    content += "- Every row is on the station's computer first, whatever the link does; what the bucket has dropped, `fluxtower replay` sends again.\n";
    if !site.has_health() {
        content +=
            "- The agent's own health is switched off (`[sync] health = false`), so ages and backlog are not shown.\n";
    } else if matches!(site.config.destination, DestinationConfig::Files { .. }) {
        content += "- Rows go to files, and the agent's own health with none of them: ages and backlog stay empty until a server is the destination.\n";
    }
    content += "- Made by `fluxtower dashboard --grafana`; make it anew after a change of the configuration.\n";
    text("Where this comes from", &content)
}

/// A time as people say it.
fn spoken(seconds: f64) -> String {
    let units = [("d", 86_400.0), ("h", 3_600.0), ("min", 60.0)];
    let unit = units.into_iter().find(|(_, length)| seconds >= *length && (seconds / length).fract() < 1e-9);
    unit.map_or_else(|| format!("{seconds} s"), |(name, length)| format!("{} {name}", seconds / length))
}
