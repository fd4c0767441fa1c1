//! What the dashboard asks the server, in each of its languages.
//!
//! One trait, three languages: a panel says what it wants, and what a language cannot do stands in one place. Names of
//! fields and tags come from loggers, so they are quoted by the rules of each language; and because Grafana replaces
//! `$name`, `${name}` and `[[name]]` before a query leaves it, a name that looks like one is written so that it does not.

use std::time::Duration;

use serde_json::{Value, json};

use super::source::{Source, buckets};
use super::{Language, Object, Site, object};

mod flux;
mod influxql;
mod sql;

/// How wide windows are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// As the panel's width and the variable `step` say.
    Chosen,
    /// This wide.
    Fixed(Duration),
}

/// A column of a result: where it comes from and what it is called.
pub(super) type Named<'a> = (&'a Source, &'a str);

/// A query language. Every text is complete but for Grafana's macros and the dashboard's variables.
pub(super) trait Speech {
    /// Mean, least and greatest of each window, failed values left out; windows without a value are null.
    fn envelope(&self, source: &Source, step: Step, names: &[String; 3]) -> String;
    /// The mean of each window, failed values left out.
    fn mean(&self, source: &Source, step: Step, name: &str) -> String;
    /// The greatest value with this flag of each window that has one.
    fn with_flag(&self, source: &Source, digit: u8, name: &str) -> String;
    /// The worst flag of each window: 1 to 4, and 2.5 for "missing", which is worse than 2 and better than 3.
    fn worst_flag(&self, source: &Source, name: &str) -> String;
    /// The newest value of each window, whatever its flag.
    fn newest(&self, source: &Source, name: &str) -> String;
    /// One row: the newest value, the mean over the time shown, and the height as a number.
    fn at_height(&self, source: &Source, metres: f64) -> String;
    /// Means of the same windows side by side, in one result or in one each.
    fn side_by_side(&self, first: Named<'_>, second: Named<'_>, step: Step) -> Vec<String>;
    /// How many of a hundred values of the last 24 hours are good, a column each.
    fn good_share(&self, columns: &[Named<'_>]) -> String;
    /// Seconds since the newest record; as of now where the language knows the time, else as of the last sync.
    fn record_age(&self, source: &Source, name: &str) -> String;
    /// The newest value that the agent sent in the last hour.
    fn agent_newest(&self, source: &Source, name: &str) -> String;
    /// The same over the time shown.
    fn agent_trend(&self, source: &Source, name: &str) -> String;
    /// When the agent was last heard: its time, or the seconds since then.
    fn agent_heard(&self, source: &Source, name: &str) -> String;
    /// Whether [`Speech::agent_heard`] gives seconds.
    fn tells_seconds(&self) -> bool;
    /// Every station and table with its newest word: station, table, time, age and rows that wait.
    fn network(&self, age: &Source, pending: &Source) -> Vec<String>;
    /// The values of the tag `station`.
    fn stations(&self, source: &Source) -> String;
    /// What the variable `step` offers: words and what stands in the query for them.
    fn steps(&self) -> [(&'static str, &'static str); 5];
    /// For an alert: the newest value, without variables.
    fn for_alert(&self, source: &Source) -> String;
}

/// The language's words.
pub(super) fn speech(language: Language) -> &'static dyn Speech {
    match language {
        Language::Flux => &flux::Flux,
        Language::InfluxQl => &influxql::InfluxQl,
        Language::Sql => &sql::Sql,
    }
}

/// The name of the variable that holds the data source of this bucket. A query of SQL cannot leave its database.
pub(super) fn datasource_variable(site: &Site<'_>, bucket: Option<&str>) -> String {
    let place = buckets(site.config).iter().position(|known| known.as_deref() == bucket).unwrap_or(0);
    match (site.language, place) {
        (Language::Sql, place) if place > 0 => format!("datasource_{}", place + 1),
        _ => "datasource".to_owned(),
    }
}

/// The data source of this bucket.
pub(super) fn datasource(site: &Site<'_>, bucket: Option<&str>) -> Value {
    json!({"type": "influxdb", "uid": format!("${{{}}}", datasource_variable(site, bucket))})
}

/// How a query's answer is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// Time and values.
    Series,
    /// Rows.
    Table,
}

/// A query as a panel holds it, without its letter.
pub(super) fn target(site: &Site<'_>, bucket: Option<&str>, shape: Shape, text: &str) -> Object {
    let source = datasource(site, bucket);
    let format = if shape == Shape::Series { "time_series" } else { "table" };
    object(match site.language {
        Language::Flux => json!({"datasource": source, "query": text}),
        // "$col" is the name behind AS; without it Grafana puts the measurement before it.
        Language::InfluxQl => {
            json!({"datasource": source, "query": text, "rawQuery": true, "resultFormat": format, "alias": "$col"})
        }
        Language::Sql => {
            json!({"datasource": source, "rawSql": text, "rawQuery": true, "format": format, "dataset": "iox", "editorMode": "code"})
        }
    })
}

/// Gives each query its letter: A to Z, AA, AB, ….
pub(super) fn lettered(targets: Vec<Object>) -> Value {
    let lettered = targets.into_iter().enumerate().map(|(place, mut target)| {
        target.insert("refId".to_owned(), json!(letter(place)));
        Value::Object(target)
    });
    Value::Array(lettered.collect())
}

/// The letter of the query at this place.
pub(super) fn letter(place: usize) -> String {
    let of = |place: usize| char::from(b'A' + u8::try_from(place % 26).unwrap_or(0));
    if place < 26 { of(place).to_string() } else { format!("{}{}", letter(place / 26 - 1), of(place)) }
}

/// A tag value as it goes out: no parser reads a backslash or a control character like the next one.
pub(super) fn clean(raw: &str) -> String {
    let kept = raw.chars().filter(|letter| *letter != '\u{feff}');
    kept.map(|letter| match letter {
        '\\' => '/',
        control if control.is_control() => ' ',
        other => other,
    })
    .collect()
}

/// The hidden variable whose value is `$`, and the one whose value is `[`.
pub(super) const GUARDS: [(&str, &str); 2] = [("dollar", "$"), ("bracket", "[")];

/// The text, so that Grafana takes none of it for one of its variables: it replaces once, so what a variable brings in
/// is not looked at again. Flux needs none of this, because its strings can spell a letter by its number.
fn guarded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(letter) = rest.next() {
        let next = rest.peek().copied();
        match letter {
            '$' if next.is_some_and(|next| next == '{' || next == '_' || next.is_alphanumeric()) => {
                out.push_str("${dollar:raw}");
            }
            '[' if next == Some('[') => out.push_str("${bracket:raw}"),
            other => out.push(other),
        }
    }
    out
}

/// A window's width with a unit that all three languages read.
fn duration(width: Duration) -> String {
    if width.subsec_millis() == 0 && width.as_secs() > 0 {
        format!("{}s", width.as_secs())
    } else {
        format!("{}ms", width.as_millis().max(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_go_on_after_z() {
        let letters: Vec<String> = [0, 25, 26, 27, 51, 52, 701, 702].into_iter().map(letter).collect();
        assert_eq!(letters, ["A", "Z", "AA", "AB", "AZ", "BA", "ZZ", "AAA"]);
    }

    #[test]
    fn a_name_that_looks_like_a_variable_is_written_so_that_it_is_none() {
        for (name, written) in [
            ("plain", "plain"),
            ("5$ a", "5$ a"),
            ("${x}", "${dollar:raw}{x}"),
            ("$station", "${dollar:raw}station"),
            ("[[x]]", "${bracket:raw}[x]]"),
            ("a[1]", "a[1]"),
        ] {
            assert_eq!(guarded(name), written);
        }
    }
}
