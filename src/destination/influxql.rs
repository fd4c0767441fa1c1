//! InfluxQL over `/query`: InfluxDB 1.x, 3, and 2.x through a mapping.
//!
//! A failed statement is reported inside a 200, as `error` or `partial` in `results`, so only an answer without either
//! is accepted (docs/influx-answers.md#queries).

use std::collections::BTreeMap;
use std::fmt::Write;

use reqwest::Method;
use reqwest::header::{ACCEPT, CONTENT_TYPE};
use serde::Deserialize;
use serde_json::Value;
use url::form_urlencoded;

use super::influx::{Influx, database_and_policy};
use super::query::{CountAsk, Counted, QueryError, SeriesAsk, StoredValue, Tally, ValuesAsk};
use super::remove::Tags;
use super::{answer, flux};
use crate::config::Api;
use crate::time::Timestamp;

/// One series of a result.
#[derive(Debug, Deserialize)]
pub(super) struct Series {
    pub(super) columns: Vec<String>,
    /// With `GROUP BY *`: every tag of the measurement, empty if the series does not have it.
    #[serde(default)]
    tags: BTreeMap<String, Option<String>>,
    #[serde(default)]
    pub(super) values: Vec<Vec<Value>>,
    #[serde(default)]
    partial: bool,
}

#[derive(Debug, Deserialize)]
struct Body {
    error: Option<String>,
    #[serde(default)]
    results: Vec<StatementResult>,
}

#[derive(Debug, Deserialize)]
struct StatementResult {
    error: Option<String>,
    #[serde(default)]
    partial: bool,
    #[serde(default)]
    series: Vec<Series>,
}

/// Runs one statement. `bucket` is `db` or `db/rp`; None for statements that name no database.
pub(super) fn run(influx: &Influx, bucket: Option<&str>, statement: &str) -> Result<Vec<Series>, QueryError> {
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.append_pair("q", statement).append_pair("epoch", "ns");
    if let Some(bucket) = bucket {
        let (db, rp) = database_and_policy(bucket);
        form.append_pair("db", db);
        if let Some(rp) = rp {
            form.append_pair("rp", rp);
        }
    }
    let request = influx
        .request(Method::POST, "/query", &[])
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header(ACCEPT, "application/json")
        .body(form.finish());
    read(&influx.ask(request)?.body)
}

fn read(body: &str) -> Result<Vec<Series>, QueryError> {
    let unknown = |message: &str| QueryError::Unknown(answer::cleaned(message));
    let body: Body = serde_json::from_str(body).map_err(|_| unknown(&format!("not a result of InfluxQL: {body}")))?;
    if let Some(error) = body.error {
        return Err(unknown(&error));
    }
    let [result]: [StatementResult; 1] = body
        .results
        .try_into()
        .map_err(|results: Vec<_>| unknown(&format!("{} results to one statement", results.len())))?;
    if let Some(error) = result.error {
        return Err(unknown(&error));
    }
    if result.partial || result.series.iter().any(|series| series.partial) {
        return Err(unknown("the server says that it is only a part"));
    }
    Ok(result.series)
}

/// The count and the sum of each field.
pub(super) fn count(influx: &Influx, ask: &CountAsk<'_>) -> Result<Counted, QueryError> {
    let series = run(influx, Some(influx.bucket(ask.series.bucket)), &count_statement(ask, TagKey::of(influx)))?;
    read_counts(&series, ask)
}

/// The values of a field.
pub(super) fn values(influx: &Influx, ask: &ValuesAsk<'_>) -> Result<Vec<StoredValue>, QueryError> {
    let statement = values_statement(ask, TagKey::of(influx));
    read_values(&run(influx, Some(influx.bucket(ask.series.bucket)), &statement)?)
}

/// The tag sets of the series with these tags, or further ones.
pub(super) fn tag_sets(influx: &Influx, ask: &SeriesAsk<'_>) -> Result<Vec<Tags>, QueryError> {
    // LIMIT counts the points of each series.
    let statement = format!("SELECT * FROM {} GROUP BY * LIMIT 1", source(ask, TagKey::of(influx)));
    let own = |series: Series| {
        let tags = series.tags.into_iter().filter_map(|(key, value)| Some((key, value?)));
        tags.filter(|(_, value)| !value.is_empty()).collect()
    };
    Ok(run(influx, Some(influx.bucket(ask.bucket)), &statement)?.into_iter().map(own).collect())
}

fn read_counts(found: &[Series], ask: &CountAsk<'_>) -> Result<Counted, QueryError> {
    let mut counted = Counted::default();
    let mut own = None;
    for series in found {
        let tags = series.tags.iter().map(|(key, value)| (key.as_str(), value.as_deref().unwrap_or_default()));
        if ask.series.is_whole_set(tags, &mut counted.other_tags) && own.replace(series).is_some() {
            return Err(QueryError::Unknown("two answers for one series".to_owned()));
        }
    }
    for (position, field) in ask.fields.iter().enumerate() {
        let is_summed = !ask.without_sum.contains(field);
        counted.per_field.insert(field.clone(), tally(own, position, is_summed)?);
    }
    Ok(counted)
}

/// No series means that the window has no points of it; null means that it has no values of the field.
fn tally(series: Option<&Series>, position: usize, is_summed: bool) -> Result<Tally, QueryError> {
    let Some(Series { columns, values, .. }) = series else { return Ok(Tally::default()) };
    let unknown = || QueryError::Unknown(format!("no count in column c{position}"));
    let [row] = values.as_slice() else { return Err(unknown()) };
    let cell = |name: String| {
        let place = columns.iter().position(|column| *column == name).ok_or_else(unknown)?;
        row.get(place).ok_or_else(unknown)
    };
    let count = match cell(format!("c{position}"))? {
        Value::Null => 0,
        count => count.as_u64().ok_or_else(unknown)?,
    };
    let sum = if is_summed { cell(format!("s{position}"))? } else { &Value::Null };
    let sum = match sum {
        Value::Null if count == 0 || !is_summed => 0.0,
        sum => sum.as_f64().ok_or_else(unknown)?,
    };
    Ok(Tally { count, sum })
}

fn read_values(found: &[Series]) -> Result<Vec<StoredValue>, QueryError> {
    let unknown = || QueryError::Unknown("a value without a time".to_owned());
    let rows = found.iter().flat_map(|series| &series.values);
    rows.map(|row| match row.as_slice() {
        [at, value] => Ok((Timestamp::from_nanos(at.as_i64().ok_or_else(unknown)?), value.as_f64())),
        _ => Err(unknown()),
    })
    .collect()
}

fn count_statement(ask: &CountAsk<'_>, key: TagKey) -> String {
    let counts: Vec<_> = ask
        .fields
        .iter()
        .enumerate()
        .map(|(position, name)| {
            let field = identifier(name);
            let count = format!("count({field}) AS \"c{position}\"");
            if ask.without_sum.contains(name) { count } else { format!("{count}, sum({field}) AS \"s{position}\"") }
        })
        .collect();
    format!("SELECT {} FROM {} GROUP BY *", counts.join(", "), source(&ask.series, key))
}

fn values_statement(ask: &ValuesAsk<'_>, key: TagKey) -> String {
    let mut statement = format!("SELECT {} FROM {}", identifier(ask.field), source(&ask.series, key));
    for name in ask.without {
        // Writing to a string cannot fail.
        let _ = write!(statement, " AND {} = ''", key.text(name));
    }
    statement
}

/// How a condition names a tag. In InfluxDB 1.x a name that is a field too, as of a column that became a tag, means the field
/// unless it is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum TagKey {
    /// InfluxDB 1.x.
    WithKind,
    /// A name is a tag or a field.
    Plain,
}

impl TagKey {
    fn of(influx: &Influx) -> TagKey {
        if influx.config.api == Api::V1 { TagKey::WithKind } else { TagKey::Plain }
    }

    fn text(self, name: &str) -> String {
        identifier(name) + if self == TagKey::WithKind { "::tag" } else { "" }
    }
}

/// The measurement and the condition.
fn source(series: &SeriesAsk<'_>, key: TagKey) -> String {
    let mut source = format!("{} WHERE ", identifier(series.measurement));
    for (name, value) in series.tags {
        let _ = write!(source, "{}={} AND ", key.text(name), string(value));
    }
    let _ = write!(
        source,
        "time >= '{}' AND time < '{}'",
        flux::time(series.interval.from),
        flux::time(series.interval.until)
    );
    source
}

/// A name in double quotes.
pub(super) fn identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n"))
}

/// A text in single quotes.
pub(super) fn string(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'").replace('\n', "\\n"))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::time::Interval;

    fn series(tags: &[(String, String)]) -> SeriesAsk<'_> {
        SeriesAsk {
            bucket: None,
            measurement: "fast\"data",
            tags,
            interval: Interval::new(Timestamp::EPOCH, Timestamp::from_nanos(1_500_000_000)),
        }
    }

    #[test]
    fn a_statement_has_both_bounds_and_quotes_everything() {
        let tags = [("station".to_owned(), "O'Hare\\".to_owned())];
        let fields = ["T(1)".to_owned(), "a b".to_owned()];
        let source = "\"fast\\\"data\" WHERE \"station\"='O\\'Hare\\\\' AND time >= '1970-01-01T00:00:00.000000000Z' \
             AND time < '1970-01-01T00:00:01.500000000Z'";
        assert_eq!(
            count_statement(
                &CountAsk { series: series(&tags), fields: &fields, without_sum: &BTreeSet::new() },
                TagKey::Plain
            ),
            format!(
                "SELECT count(\"T(1)\") AS \"c0\", sum(\"T(1)\") AS \"s0\", count(\"a b\") AS \"c1\", sum(\"a b\") AS \"s1\" \
                 FROM {source} GROUP BY *"
            )
        );
        let without = BTreeSet::from(["height".to_owned()]);
        assert_eq!(
            values_statement(&ValuesAsk { series: series(&tags), without: &without, field: "a b" }, TagKey::Plain),
            format!("SELECT \"a b\" FROM {source} AND \"height\" = ''")
        );
        assert_eq!(
            values_statement(&ValuesAsk { series: series(&tags), without: &without, field: "a b" }, TagKey::WithKind),
            format!("SELECT \"a b\" FROM {source} AND \"height\" = ''")
                .replace("\"station\"=", "\"station\"::tag=")
                .replace("\"height\" =", "\"height\"::tag =")
        );
    }

    #[test]
    fn an_error_inside_an_answer_is_unknown_and_never_zero() {
        for body in [
            "",
            "<html>",
            "{}",
            r#"{"error":"unable to parse query"}"#,
            r#"{"results":[]}"#,
            r#"{"results":[{"statement_id":0,"error":"database not found: x"}]}"#,
            r#"{"results":[{"statement_id":0,"partial":true,"series":[]}]}"#,
            r#"{"results":[{"series":[{"columns":["time","c0"],"values":[[0,1]],"partial":true}]}]}"#,
            r#"{"results":[{},{}]}"#,
            r#"{"results":[{"series":[{"columns":["time","c0"],"values":[[0,1]]"#,
        ] {
            assert!(matches!(read(body), Err(QueryError::Unknown(_))), "{body}");
        }
    }

    #[test]
    fn only_the_series_with_exactly_these_tags_is_counted() {
        let tags = [("station".to_owned(), "x".to_owned())];
        let fields = ["T".to_owned(), "U".to_owned()];
        let ask = CountAsk { series: series(&tags), fields: &fields, without_sum: &BTreeSet::new() };
        let counted = |body: &str| read_counts(&read(body).unwrap(), &ask);
        let answer = |series: &str| format!(r#"{{"results":[{{"statement_id":0,"series":[{series}]}}]}}"#);
        let columns = r#""columns":["time","c0","s0","c1","s1"]"#;
        let own =
            format!(r#"{{"name":"m","tags":{{"height":"","station":"x"}},{columns},"values":[[0,7,1.5,null,null]]}}"#);
        let other =
            format!(r#"{{"name":"m","tags":{{"height":"46m","station":"x"}},{columns},"values":[[0,9,2,9,2]]}}"#);
        let found = counted(&answer(&format!("{own},{other}"))).unwrap();
        assert_eq!(found.per_field["T"], Tally { count: 7, sum: 1.5 });
        assert_eq!(found.per_field["U"], Tally::default());
        assert_eq!(found.other_tags.into_iter().collect::<Vec<_>>(), ["height"]);
        assert_eq!(counted(&answer(&other)).unwrap().per_field["T"], Tally::default());
        assert_eq!(counted(r#"{"results":[{"statement_id":0}]}"#).unwrap().per_field["T"], Tally::default());
        assert!(counted(&answer(&format!("{own},{own}"))).is_err());
        for bad in
            [own.replace("[[0,7,1.5,null,null]]", "[]"), own.replace("7,1.5", "1.5,7"), own.replace("7,1.5", "7,null")]
        {
            assert!(matches!(counted(&answer(&bad)), Err(QueryError::Unknown(_))), "{bad}");
        }
    }

    #[test]
    fn values_are_read_with_their_times() {
        let body = r#"{"results":[{"series":[{"columns":["time","T"],"values":[[1000000002,-7.25],[3,"text"]]}]}]}"#;
        assert_eq!(
            read_values(&read(body).unwrap()),
            Ok(vec![(Timestamp::from_nanos(1_000_000_002), Some(-7.25)), (Timestamp::from_nanos(3), None)])
        );
    }
}
