//! Flux over `/api/v2/query`: InfluxDB 2.x and Cloud (TSM).
//!
//! A query that fails half-way ends its CSV with an error table under a status of 200 (facts: influx-write-contract 5).

use reqwest::Method;
use reqwest::header::{ACCEPT, CONTENT_TYPE};

use super::answer;
use super::influx::Influx;
use super::query::{CountAsk, Counted, QueryError};
use crate::time::Timestamp;

/// Names of the two results of the query.
const FIELDS: &str = "fields";
const TIMES: &str = "times";

/// The count of each field, and of the points that have any of them.
pub(super) fn count(influx: &Influx, ask: &CountAsk<'_>) -> Result<Counted, QueryError> {
    let query = count_query(influx.bucket(ask.bucket), ask);
    let body = serde_json::json!({
        "query": query,
        "type": "flux",
        "dialect": {"header": true, "delimiter": ",", "annotations": ["datatype", "group", "default"]},
    });
    let request = influx
        .request(Method::POST, "/api/v2/query", &[("org", &influx.config.org)])
        .header(CONTENT_TYPE, "application/json")
        .header(ACCEPT, "application/csv")
        .body(body.to_string());
    let reply = influx.ask(request)?;
    let is_csv =
        reply.headers.get(CONTENT_TYPE).is_some_and(|value| value.as_bytes().windows(3).any(|part| part == b"csv"));
    if !is_csv {
        return Err(QueryError::Unknown(answer::words(&format!("not the CSV of a Flux query: {}", reply.body))));
    }
    read(&reply.body, ask.fields)
}

/// Counting before grouping keeps fields of different types apart, which one table could not hold together.
fn count_query(bucket: &str, ask: &CountAsk<'_>) -> String {
    let tags =
        ask.tags.iter().map(|(key, value)| format!(" and r[{}] == {}", string(key), string(value))).collect::<String>();
    let fields: Vec<_> = ask.fields.iter().map(|field| format!("r._field == {}", string(field))).collect();
    format!(
        "data = from(bucket: {bucket})\n  |> range(start: {from}, stop: {until})\n  \
         |> filter(fn: (r) => r._measurement == {measurement}{tags} and ({fields}))\n\
         data |> count() |> group(columns: [\"_field\"]) |> sum() |> yield(name: \"{FIELDS}\")\n\
         data |> keep(columns: [\"_time\"]) |> group() |> distinct(column: \"_time\") |> count() |> yield(name: \"{TIMES}\")\n",
        bucket = string(bucket),
        from = time(ask.from),
        until = time(ask.until),
        measurement = string(ask.measurement),
        fields = fields.join(" or "),
    )
}

/// A Flux string; `${` would open an expression.
pub(super) fn string(text: &str) -> String {
    let escaped = text
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace("${", "\\${")
        .replace('\n', "\\n")
        .replace('\r', "\\r")
        .replace('\t', "\\t");
    format!("\"{escaped}\"")
}

/// RFC 3339 with nine digits, which Flux and InfluxQL both read.
pub(super) fn time(at: Timestamp) -> String {
    at.to_utc().format("%Y-%m-%dT%H:%M:%S%.9fZ").to_string()
}

/// Reads annotated CSV. The name of a result stands in the `#default` annotation and its cells are empty then, so the
/// two results are told apart by their columns.
fn read(body: &str, fields: &[String]) -> Result<Counted, QueryError> {
    let unknown = |words: &str| QueryError::Unknown(answer::words(words));
    let mut counted = Counted { distinct_times: Some(0), ..Counted::default() };
    counted.per_field.extend(fields.iter().map(|field| (field.clone(), 0)));
    let mut header: Option<csv::StringRecord> = None;
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(body.as_bytes());
    for record in reader.records() {
        let record = record.map_err(|error| unknown(&format!("the CSV is damaged: {error}")))?;
        if record.iter().all(str::is_empty) {
            continue;
        }
        if record.get(0).is_some_and(|cell| cell.starts_with('#')) {
            header = None;
            continue;
        }
        if record.iter().any(|cell| cell == "error") && record.iter().any(|cell| cell == "reference") {
            return Err(unknown(&format!("the query failed on its way: {body}")));
        }
        let is_header = record.iter().any(|cell| cell == "result") && record.iter().any(|cell| cell == "table");
        let Some(header) = header.as_ref().filter(|_| !is_header) else {
            header = Some(record);
            continue;
        };
        let cell = |name: &str| header.iter().position(|cell| cell == name).and_then(|position| record.get(position));
        let count = cell("_value")
            .and_then(|count| count.parse::<u64>().ok())
            .ok_or_else(|| unknown("a row without a count"))?;
        match (cell("result"), cell("_field")) {
            (Some("" | FIELDS), Some(field)) if fields.iter().any(|asked| asked == field) => {
                counted.per_field.insert(field.to_owned(), count);
            }
            (Some("" | TIMES), None) => counted.distinct_times = Some(count),
            _ => return Err(unknown("a row that was not asked for")),
        }
    }
    Ok(counted)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask<'a>(tags: &'a [(String, String)], fields: &'a [String]) -> CountAsk<'a> {
        CountAsk { bucket: None, measurement: "m", tags, fields, from: Timestamp(0), until: Timestamp(1) }
    }

    #[test]
    fn a_query_has_both_bounds_and_quotes_everything() {
        let tags = [("a b".to_owned(), "C:\\ \"x\" ${y}".to_owned())];
        let fields = ["T(1)".to_owned(), "U".to_owned()];
        let query = count_query("my bucket", &ask(&tags, &fields));
        assert!(query.contains("from(bucket: \"my bucket\")"), "{query}");
        assert!(
            query.contains("range(start: 1970-01-01T00:00:00.000000000Z, stop: 1970-01-01T00:00:00.000000001Z)"),
            "{query}"
        );
        let filter =
            r#"r._measurement == "m" and r["a b"] == "C:\\ \"x\" \${y}" and (r._field == "T(1)" or r._field == "U"))"#;
        assert!(query.contains(filter), "{query}");
    }

    #[test]
    fn counts_are_read_from_annotated_csv() {
        let body = "#datatype,string,long,string,long\r\n#group,false,false,true,false\r\n#default,fields,,,\r\n,result,table,_field,_value\r\n\
                    ,,0,T,12\r\n,fields,1,U,3\r\n\r\n#datatype,string,long,long\r\n#group,false,false,false\r\n#default,times,,\r\n\
                    ,result,table,_value\r\n,,0,13\r\n\r\n";
        let fields = ["T".to_owned(), "U".to_owned(), "V".to_owned()];
        let counted = read(body, &fields).unwrap();
        assert_eq!(counted.per_field.into_values().collect::<Vec<_>>(), [12, 3, 0]);
        assert_eq!(counted.distinct_times, Some(13));
        assert_eq!(read("\r\n", &fields).unwrap().distinct_times, Some(0));
    }

    #[test]
    fn an_error_table_is_unknown_and_never_zero() {
        for body in [
            "#datatype,string,string\r\n#group,true,true\r\n#default,,\r\n,error,reference\r\n,Failed to parse query,897\r\n",
            "error,reference\r\nfailed,\r\n",
            ",result,table,_field,_value\r\n,fields,0,T,5\r\n\r\n#datatype,string,long\r\n,error,reference\r\n,engine: closed,\r\n",
            ",result,table,_field,_value\r\n,fields,0,T,many\r\n",
            ",result,table,_value\r\n,other,0,5\r\n",
        ] {
            assert!(matches!(read(body, &[]), Err(QueryError::Unknown(_))), "{body}");
        }
    }
}
