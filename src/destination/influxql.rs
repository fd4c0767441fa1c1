//! InfluxQL over `/query`: InfluxDB 1.x, 3, and 2.x through a mapping.
//!
//! A failed statement is reported inside a 200, as `error` or `partial` in `results` (facts: influx-write-contract 5),
//! so only an answer without either counts.

use std::fmt::Write;

use reqwest::Method;
use reqwest::header::{ACCEPT, CONTENT_TYPE};
use serde::Deserialize;
use serde_json::Value;
use url::form_urlencoded;

use super::influx::{Influx, database_and_policy};
use super::query::{CountAsk, Counted, QueryError};
use super::{answer, flux};

/// One series of a result.
#[derive(Debug, Deserialize)]
pub(super) struct Series {
    pub(super) columns: Vec<String>,
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

/// Runs one statement. `bucket` is `db` or `db/rp`; none for statements that name no database.
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
    let unknown = |words: &str| QueryError::Unknown(answer::words(words));
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

/// The count of each field. InfluxQL cannot count the times at which any of several fields is there.
pub(super) fn count(influx: &Influx, ask: &CountAsk<'_>) -> Result<Counted, QueryError> {
    let series = run(influx, Some(influx.bucket(ask.bucket)), &count_statement(ask))?;
    let mut counted = Counted::default();
    for (position, field) in ask.fields.iter().enumerate() {
        counted.per_field.insert(field.clone(), field_count(&series, &format!("c{position}"))?);
    }
    Ok(counted)
}

/// No series at all means that nothing of the measurement is in the window; null, that nothing of the field is.
fn field_count(series: &[Series], column: &str) -> Result<u64, QueryError> {
    let unknown = || QueryError::Unknown(format!("no count in column {column}"));
    match series {
        [] => Ok(0),
        [Series { columns, values, .. }] => {
            let position = columns.iter().position(|name| name == column).ok_or_else(unknown)?;
            let [row] = values.as_slice() else { return Err(unknown()) };
            match row.get(position) {
                Some(Value::Null) => Ok(0),
                Some(count) => count.as_u64().ok_or_else(unknown),
                None => Err(unknown()),
            }
        }
        _ => Err(unknown()),
    }
}

fn count_statement(ask: &CountAsk<'_>) -> String {
    let counts: Vec<_> = ask
        .fields
        .iter()
        .enumerate()
        .map(|(position, field)| format!("count({}) AS \"c{position}\"", identifier(field)))
        .collect();
    let mut statement = format!("SELECT {} FROM {} WHERE ", counts.join(", "), identifier(ask.measurement));
    for (key, value) in ask.tags {
        // Writing to a string cannot fail.
        let _ = write!(statement, "{}={} AND ", identifier(key), string(value));
    }
    let _ = write!(statement, "time >= '{}' AND time < '{}'", flux::time(ask.from), flux::time(ask.until));
    statement
}

/// A name between double quotes.
pub(super) fn identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n"))
}

/// A text between single quotes.
pub(super) fn string(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'").replace('\n', "\\n"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Timestamp;

    #[test]
    fn a_statement_has_both_bounds_and_quotes_everything() {
        let ask = CountAsk {
            bucket: None,
            measurement: "fast\"data",
            tags: &[("station".to_owned(), "O'Hare\\".to_owned())],
            fields: &["T(1)".to_owned(), "a b".to_owned()],
            from: Timestamp(0),
            until: Timestamp(1_500_000_000),
        };
        assert_eq!(
            count_statement(&ask),
            "SELECT count(\"T(1)\") AS \"c0\", count(\"a b\") AS \"c1\" FROM \"fast\\\"data\" WHERE \"station\"='O\\'Hare\\\\' \
             AND time >= '1970-01-01T00:00:00.000000000Z' AND time < '1970-01-01T00:00:01.500000000Z'"
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
    fn counts_are_read_by_column() {
        let read_count = |body: &str, column: &str| field_count(&read(body).unwrap(), column);
        let body = r#"{"results":[{"statement_id":0,"series":[{"name":"m","columns":["time","c0","c1","c2"],"values":[[0,7,null,1.5]]}]}]}"#;
        assert_eq!(read_count(body, "c0"), Ok(7));
        assert_eq!(read_count(body, "c1"), Ok(0));
        assert!(read_count(body, "c2").is_err());
        assert!(read_count(body, "c3").is_err());
        assert_eq!(read_count(r#"{"results":[{"statement_id":0}]}"#, "c0"), Ok(0));
        let two = r#"{"results":[{"series":[{"columns":["c0"],"values":[[1],[2]]}]}]}"#;
        assert!(read_count(two, "c0").is_err());
    }
}
