//! Flux over `/api/v2/query`: InfluxDB 2.x and Cloud (TSM).
//!
//! If a query fails in the middle, its CSV ends with an error table although the status is 200
//! (docs/influx-answers.md#queries).

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use reqwest::Method;
use reqwest::header::{ACCEPT, CONTENT_TYPE};

use super::answer;
use super::influx::Influx;
use super::query::{CountAsk, Counted, QueryError, SeriesAsk, StoredValue, Tally, ValuesAsk};
use crate::config::is_id;
use crate::time::Timestamp;

/// The names of the two results of a count query.
const COUNTS: &str = "counts";
const SUMS: &str = "sums";
/// The columns of an answer that are not tags.
pub(super) const NO_TAGS: [&str; 6] = ["_start", "_stop", "_time", "_value", "_field", "_measurement"];

/// The count and the sum of each field.
pub(super) fn count(influx: &Influx, ask: &CountAsk<'_>) -> Result<Counted, QueryError> {
    read_counts(&answer_to(influx, &count_query(influx.bucket(ask.series.bucket), ask))?, ask)
}

/// The values of a field.
pub(super) fn values(influx: &Influx, ask: &ValuesAsk<'_>) -> Result<Vec<StoredValue>, QueryError> {
    read_values(&answer_to(influx, &values_query(influx.bucket(ask.series.bucket), ask))?)
}

pub(super) fn answer_to(influx: &Influx, query: &str) -> Result<String, QueryError> {
    let body = serde_json::json!({
        "query": query,
        "type": "flux",
        "dialect": {"header": true, "delimiter": ",", "annotations": ["datatype", "group", "default"]},
    });
    let request = influx
        .request(Method::POST, "/api/v2/query", &[influx.organisation()])
        .header(CONTENT_TYPE, "application/json")
        .header(ACCEPT, "application/csv")
        .body(body.to_string());
    let reply = influx.ask(request)?;
    let is_csv =
        reply.headers.get(CONTENT_TYPE).is_some_and(|value| value.as_bytes().windows(3).any(|part| part == b"csv"));
    if !is_csv {
        return Err(QueryError::Unknown(answer::cleaned(&format!("not the CSV of a Flux query: {}", reply.body))));
    }
    Ok(reply.body)
}

/// The points of the series, and those of series with further tags.
pub(super) fn points(bucket: &str, series: &SeriesAsk<'_>, more: &str) -> String {
    let tags = series
        .tags
        .iter()
        .map(|(key, value)| format!(" and r[{}] == {}", string(key), string(value)))
        .collect::<String>();
    format!(
        "from({bucket})\n  |> range(start: {from}, stop: {until})\n  \
         |> filter(fn: (r) => r._measurement == {measurement}{tags}{more})",
        bucket = from(bucket),
        from = time(series.interval.from),
        until = time(series.interval.until),
        measurement = string(series.measurement),
    )
}

/// The query for counts and sums. Each series keeps its tags as columns. It has two pipelines, because the server would
/// compute a shared one row by row.
fn count_query(bucket: &str, ask: &CountAsk<'_>) -> String {
    let fields: Vec<_> = ask.fields.iter().map(|field| format!("r._field == {}", string(field))).collect();
    let of = |fields: &[String]| points(bucket, &ask.series, &format!(" and ({})", fields.join(" or ")));
    let mut query = format!("{}\n  |> count() |> yield(name: \"{COUNTS}\")\n", of(&fields));
    let numbers: Vec<_> = ask.fields.iter().filter(|field| !ask.without_sum.contains(*field)).collect();
    if !numbers.is_empty() {
        let numbers: Vec<_> = numbers.into_iter().map(|field| format!("r._field == {}", string(field))).collect();
        query.push_str(&format!("{}\n  |> sum() |> yield(name: \"{SUMS}\")\n", of(&numbers)));
    }
    query
}

fn values_query(bucket: &str, ask: &ValuesAsk<'_>) -> String {
    let absent = ask.without.iter().map(|key| format!(" and not exists r[{}]", string(key))).collect::<String>();
    let points = points(bucket, &ask.series, &format!(" and r._field == {}{absent}", string(ask.field)));
    format!("{points}\n  |> keep(columns: [\"_time\", \"_value\"])\n")
}

/// The argument of `from` for a bucket: an id has a parameter of its own.
pub(super) fn from(bucket: &str) -> String {
    let parameter = if is_id(bucket) { "bucketID" } else { "bucket" };
    format!("{parameter}: {}", string(bucket))
}

/// A Flux string literal; `${` would begin an expression.
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

/// RFC 3339 with nine digits, which both Flux and InfluxQL accept.
pub(super) fn time(at: Timestamp) -> String {
    at.to_utc().format("%Y-%m-%dT%H:%M:%S%.9fZ").to_string()
}

/// Passes every row of annotated CSV to `take`: the name of its result, and its cells by column. The first three
/// columns are the annotation, the result and the table's number, even if a tag has one of these names.
pub(super) fn read(
    body: &str,
    mut take: impl FnMut(&str, &[(&str, &str)]) -> Result<(), QueryError>,
) -> Result<(), QueryError> {
    let unknown = |message: &str| QueryError::Unknown(answer::cleaned(message));
    let mut header: Option<csv::StringRecord> = None;
    let mut result = String::new();
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(body.as_bytes());
    for record in reader.records() {
        let record = record.map_err(|error| unknown(&format!("the CSV is damaged: {error}")))?;
        if record.iter().all(str::is_empty) {
            continue;
        }
        if let Some(annotation) = record.get(0).filter(|cell| cell.starts_with('#')) {
            header = None;
            if annotation == "#default" {
                record.get(1).unwrap_or_default().clone_into(&mut result);
            }
            continue;
        }
        if record.iter().any(|cell| cell == "error") && record.iter().any(|cell| cell == "reference") {
            return Err(unknown(&format!("the query failed on its way: {body}")));
        }
        let Some(header) = &header else {
            if (record.get(1), record.get(2)) != (Some("result"), Some("table")) {
                return Err(unknown(&format!("rows without a header: {body}")));
            }
            header = Some(record);
            continue;
        };
        if record.len() != header.len() {
            return Err(unknown("a row that is wider or narrower than its header"));
        }
        let named = record.get(1).filter(|name| !name.is_empty()).unwrap_or(&result);
        let cells: Vec<_> = header.iter().zip(record.iter()).skip(3).collect();
        take(named, &cells)?;
    }
    Ok(())
}

fn cell<'a>(cells: &[(&str, &'a str)], name: &str) -> Option<&'a str> {
    cells.iter().find(|(column, _)| *column == name).map(|(_, cell)| *cell)
}

fn read_counts(body: &str, ask: &CountAsk<'_>) -> Result<Counted, QueryError> {
    let unknown = |message: &str| QueryError::Unknown(answer::cleaned(message));
    let mut counted = Counted::default();
    let mut found: BTreeMap<String, (Option<u64>, Option<f64>)> = BTreeMap::new();
    read(body, |result, cells| {
        let tags = cells.iter().filter(|(column, _)| !NO_TAGS.contains(column)).copied();
        if !ask.series.is_whole_set(tags, &mut counted.other_tags) {
            return Ok(());
        }
        let field = cell(cells, "_field").filter(|field| ask.fields.iter().any(|asked| asked == field));
        let field = field.ok_or_else(|| unknown("a row that was not asked for"))?;
        let value = cell(cells, "_value").ok_or_else(|| unknown("a row without a value"))?;
        let place = found.entry(field.to_owned()).or_default();
        let is_first = match result {
            COUNTS => place.0.replace(value.parse().map_err(|_| unknown("a row without a count"))?).is_none(),
            SUMS => place.1.replace(value.parse().map_err(|_| unknown("a row without a sum"))?).is_none(),
            _ => return Err(unknown("a result that was not asked for")),
        };
        if is_first { Ok(()) } else { Err(unknown("two answers for one series")) }
    })?;
    for field in ask.fields {
        let tally = match found.get(field) {
            None => Tally::default(),
            Some((Some(count), Some(sum))) => Tally { count: *count, sum: *sum },
            Some((Some(count), None)) if ask.without_sum.contains(field) => Tally { count: *count, sum: 0.0 },
            Some(_) => return Err(unknown("a count without a sum, or a sum without a count")),
        };
        counted.per_field.insert(field.clone(), tally);
    }
    Ok(counted)
}

fn read_values(body: &str) -> Result<Vec<StoredValue>, QueryError> {
    let unknown = |message: &str| QueryError::Unknown(answer::cleaned(message));
    let mut values = Vec::new();
    read(body, |_, cells| {
        let at = cell(cells, "_time").and_then(|at| DateTime::parse_from_rfc3339(at).ok());
        let at = at.ok_or_else(|| unknown("a value without a time"))?;
        let value = cell(cells, "_value").ok_or_else(|| unknown("a row without a value"))?;
        values.push((Timestamp::from_utc(at.with_timezone(&Utc)), value.parse().ok()));
        Ok(())
    })?;
    Ok(values)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::time::Interval;

    fn series(tags: &[(String, String)]) -> SeriesAsk<'_> {
        SeriesAsk {
            bucket: None,
            measurement: "m",
            tags,
            interval: Interval::new(Timestamp::EPOCH, Timestamp::from_nanos(1)),
        }
    }

    fn tag(key: &str, value: &str) -> (String, String) {
        (key.to_owned(), value.to_owned())
    }

    #[test]
    fn a_query_has_both_bounds_and_quotes_everything() {
        let tags = [tag("a b", "C:\\ \"x\" ${y}")];
        let fields = ["T(1)".to_owned(), "U".to_owned()];
        let query = count_query(
            "my bucket",
            &CountAsk { series: series(&tags), fields: &fields, without_sum: &BTreeSet::new() },
        );
        assert!(query.contains("from(bucket: \"my bucket\")"), "{query}");
        assert!(
            query.contains("range(start: 1970-01-01T00:00:00.000000000Z, stop: 1970-01-01T00:00:00.000000001Z)"),
            "{query}"
        );
        let filter =
            r#"r._measurement == "m" and r["a b"] == "C:\\ \"x\" \${y}" and (r._field == "T(1)" or r._field == "U"))"#;
        assert_eq!(query.matches(filter).count(), 2, "{query}");
        let without = BTreeSet::from(["height".to_owned()]);
        let query = values_query("b", &ValuesAsk { series: series(&tags), without: &without, field: "U" });
        assert!(query.contains(r#" and r._field == "U" and not exists r["height"])"#), "{query}");
    }

    /// An answer of InfluxDB 2.7.12, which includes series of other tags.
    const ANSWER: &str = "#datatype,string,long,dateTime:RFC3339,dateTime:RFC3339,string,string,string,long\r\n\
        #group,false,false,true,true,true,true,true,false\r\n#default,counts,,,,,,,\r\n\
        ,result,table,_start,_stop,_field,_measurement,table,_value\r\n\
        ,,0,1970-01-01T00:00:00Z,1970-01-02T00:00:00Z,T,m,x,12\r\n\r\n\
        #datatype,string,long,dateTime:RFC3339,dateTime:RFC3339,string,string,string,string,long\r\n\
        #group,false,false,true,true,true,true,true,true,false\r\n#default,counts,,,,,,,,\r\n\
        ,result,table,_start,_stop,_field,_measurement,height,table,_value\r\n\
        ,,1,1970-01-01T00:00:00Z,1970-01-02T00:00:00Z,T,m,46m,x,99\r\n\r\n\
        #datatype,string,long,dateTime:RFC3339,dateTime:RFC3339,string,string,string,double\r\n\
        #group,false,false,true,true,true,true,true,false\r\n#default,sums,,,,,,,\r\n\
        ,result,table,_start,_stop,_field,_measurement,table,_value\r\n\
        ,,0,1970-01-01T00:00:00Z,1970-01-02T00:00:00Z,T,m,x,1.5\r\n\r\n";

    #[test]
    fn only_the_series_with_exactly_these_tags_is_counted_and_a_tag_may_be_called_table() {
        let tags = [tag("table", "x")];
        let fields = ["T".to_owned(), "V".to_owned()];
        let ask = CountAsk { series: series(&tags), fields: &fields, without_sum: &BTreeSet::new() };
        let counted = read_counts(ANSWER, &ask).unwrap();
        assert_eq!(counted.per_field["T"], Tally { count: 12, sum: 1.5 });
        assert_eq!(counted.per_field["V"], Tally::default());
        assert_eq!(counted.other_tags.into_iter().collect::<Vec<_>>(), ["height"]);
        let narrower = CountAsk { series: series(&[]), fields: &fields, without_sum: &BTreeSet::new() };
        assert_eq!(read_counts(ANSWER, &narrower).unwrap().per_field["T"], Tally::default());
        assert_eq!(read_counts("\r\n", &ask).unwrap().per_field["T"], Tally::default());
    }

    #[test]
    fn an_error_table_is_unknown_and_never_zero() {
        let fields = ["T".to_owned()];
        let ask = CountAsk { series: series(&[]), fields: &fields, without_sum: &BTreeSet::new() };
        for body in [
            "#datatype,string,string\r\n#group,true,true\r\n#default,,\r\n,error,reference\r\n,Failed to parse query,897\r\n",
            "error,reference\r\nfailed,\r\n",
            ",result,table,_field,_value\r\n,counts,0,T,5\r\n\r\n#datatype,string,long\r\n,error,reference\r\n,engine: closed,\r\n",
            ",result,table,_field,_value\r\n,counts,0,T,many\r\n",
            ",result,table,_field,_value\r\n,counts,0,T,5\r\n",
            ",result,table,_field,_value\r\n,counts,0,T,5\r\n,counts,1,T,5\r\n,sums,0,T,5\r\n",
            ",result,table,_field,_value\r\n,other,0,T,5\r\n",
            ",result,table,_field,_value\r\n,counts,0,U,5\r\n",
            ",result,table,_field,_value\r\n,counts,0,T\r\n",
            "<html>",
        ] {
            assert!(matches!(read_counts(body, &ask), Err(QueryError::Unknown(_))), "{body}");
        }
    }

    #[test]
    fn values_are_read_with_their_times_to_the_nanosecond() {
        let body = ",result,table,_time,_value\r\n,_result,0,1970-01-01T00:00:01.000000002Z,-7.25\r\n,_result,0,1970-01-01T00:00:02Z,text\r\n";
        let values = read_values(body).unwrap();
        assert_eq!(
            values,
            [(Timestamp::from_nanos(1_000_000_002), Some(-7.25)), (Timestamp::from_nanos(2_000_000_000), None)]
        );
    }
}
