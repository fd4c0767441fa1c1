//! The dashboard's queries in each language.
//!
//! One trait and three languages: a panel states what it needs, and the limits of a language are in one file. Names of
//! fields and tags come from loggers, so they are quoted by the rules of each language. Grafana replaces `$name`,
//! `${name}` and `[[name]]` before it sends a query, so a name of that form is written in another way.

use std::time::Duration;

use serde_json::{Value, json};

use super::source::{Source, buckets};
use super::{Language, Object, Site, object};
use crate::quantity::Aggregate;

mod flux;
mod influxql;
mod sql;

/// The width of windows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// Chosen by the panel's width and the variable `step`.
    Chosen,
    /// This fixed width.
    Fixed(Duration),
}

/// A column of a result: its source and its name.
pub(super) type Named<'a> = (&'a Source, &'a str);

/// A query language. Every text is complete except for Grafana's macros and the dashboard's variables.
pub(super) trait QueryLanguage {
    /// Mean, minimum and maximum of each window, without failed values; windows without a value are null. If the mean
    /// is not meaningful ([`has_band`]), only the result of [`QueryLanguage::mean`].
    fn envelope(&self, source: &Source, step: Step, names: &[String; 3]) -> String;
    /// The values of each window, aggregated according to the kind of quantity, without failed ones.
    fn mean(&self, source: &Source, step: Step, name: &str) -> String;
    /// The first of the values with this flag, for each window that has one.
    fn with_flag(&self, source: &Source, digit: u8, name: &str) -> String;
    /// The worst flag of each window: 1 to 4, and 2.5 for "missing", which is worse than 2 and better than 3.
    fn worst_flag(&self, source: &Source, name: &str) -> String;
    /// The newest value of each window, whatever its flag.
    fn newest(&self, source: &Source, name: &str) -> String;
    /// The newest value, if it is recent ([`Source::recent`]), the mean over the time range, and the height as a
    /// number, in one row or in two.
    fn at_height(&self, source: &Source, metres: f64) -> Vec<String>;
    /// Means of the same windows, in one result or in two.
    fn side_by_side(&self, first: Named<'_>, second: Named<'_>, step: Step) -> Vec<String>;
    /// The percentage of good values of the last 24 hours, rounded down, so that 100 means all: in Flux one row for
    /// each column, in their order; otherwise for the first column only.
    fn good_share(&self, columns: &[Named<'_>]) -> String;
    /// Seconds since the newest record ([`QueryLanguage::ages_as_of`]).
    fn record_age(&self, source: &Source, name: &str) -> String;
    /// The newest value that the agent sent in the last hour.
    fn agent_newest(&self, source: &Source, name: &str) -> String;
    /// The same over the time range.
    fn agent_trend(&self, source: &Source, name: &str) -> String;
    /// Seconds since the agent last reported ([`QueryLanguage::ages_as_of`]).
    fn agent_heard(&self, source: &Source, name: &str) -> String;
    /// The end of the time from which the language measures ages, as text.
    fn ages_as_of(&self) -> &'static str {
        "now"
    }
    /// The latest report for every station and table: station, table, time, age and pending rows.
    fn network(&self, age: &Source, pending: &Source) -> Vec<String>;
    /// A station's name as a value of the variable `station`, in the form of [`QueryLanguage::stations`].
    fn station_in_variable(&self, station: &str) -> String {
        station.to_owned()
    }
    /// The values of the tag `station`.
    fn stations(&self, source: &Source) -> String;
    /// The options of the variable `step`: the label, and the text in the query.
    fn steps(&self) -> [(&'static str, &'static str); 5];
    /// For an alert: the newest value, without variables.
    fn for_alert(&self, source: &Source) -> String;
    /// For an alert: the least of the columns' shares of values that neither failed nor are missing, in percent, over
    /// the time of the rule; nothing if no column has a flag. None if the language cannot express it in one query.
    fn least_usable_share(&self, _columns: &[&Source]) -> Option<String> {
        None
    }
}

/// The implementation of a language.
pub(super) fn query_language(language: Language) -> &'static dyn QueryLanguage {
    match language {
        Language::Flux => &flux::Flux,
        Language::InfluxQl => &influxql::InfluxQl,
        Language::Sql => &sql::Sql,
    }
}

/// The function of Flux and InfluxQL that aggregates values, if a query can use only one function: for directions and
/// counters the newest value, for standard deviations the mean.
fn function(source: &Source) -> &'static str {
    match source.aggregate {
        Aggregate::Mean | Aggregate::RootMeanSquare => "mean",
        Aggregate::Sum => "sum",
        Aggregate::Maximum => "max",
        Aggregate::Minimum => "min",
        Aggregate::VectorMean | Aggregate::Increments | Aggregate::Last => "last",
    }
}

/// Whether the mean of a window lies between its minimum and maximum: not for directions, and not for sums.
pub(super) fn has_band(source: &Source) -> bool {
    source.aggregate == Aggregate::Mean
}

/// The name of the variable with the data source of this bucket. A query in SQL cannot leave its database.
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

/// The format of a query's answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// Time and values.
    Series,
    /// Rows.
    Table,
}

/// A query in a panel's form, without its letter.
pub(super) fn target(site: &Site<'_>, bucket: Option<&str>, shape: Shape, text: &str) -> Object {
    let source = datasource(site, bucket);
    let format = if shape == Shape::Series { "time_series" } else { "table" };
    object(match site.language {
        Language::Flux => json!({"datasource": source, "query": text}),
        // "$col" is the name after AS; without it Grafana puts the measurement before it.
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

/// The letter of the query at this position.
pub(super) fn letter(place: usize) -> String {
    let of = |place: usize| char::from(b'A' + u8::try_from(place % 26).unwrap_or(0));
    if place < 26 { of(place).to_string() } else { format!("{}{}", letter(place / 26 - 1), of(place)) }
}

/// A tag value in the form that is sent: parsers differ in how they read backslashes and control characters.
pub(super) fn clean(raw: &str) -> String {
    let kept = raw.chars().filter(|letter| *letter != '\u{feff}');
    kept.map(|letter| match letter {
        '\\' => '/',
        control if control.is_control() => ' ',
        other => other,
    })
    .collect()
}

/// The hidden variables whose values are `$` and `[`.
pub(super) const GUARDS: [(&str, &str); 2] = [("dollar", "$"), ("bracket", "[")];

/// The text in a form in which Grafana finds no variable: Grafana replaces variables once, and does not search the
/// replaced text again. Flux does not need this, because its strings can write a letter as its code.
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

/// A window's width in a unit that all three languages accept.
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
    fn letters_continue_after_z() {
        let letters: Vec<String> = [0, 25, 26, 27, 51, 52, 701, 702].into_iter().map(letter).collect();
        assert_eq!(letters, ["A", "Z", "AA", "AB", "AZ", "BA", "ZZ", "AAA"]);
    }

    #[test]
    fn a_name_in_the_form_of_a_variable_is_guarded() {
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
