//! Taking points back, so that a row whose content lost a field can be written without what it had before.
//!
//! What each product can do was tried on it. InfluxDB 2.7 (`/api/v2/delete`): `start` and `stop` are both included and
//! exact to the nanosecond; a predicate names tags that a series has, never one that it has not (`tag=""` matches
//! nothing), so a removal takes series with *more* tags along; `_field` cannot be named. InfluxDB 1.x (`DELETE`): takes
//! exactly one series where every other tag key of the measurement is compared with ''; it names no retention policy and
//! reaches those of the whole database. InfluxDB 3 Core removes nothing.

use reqwest::Method;
use reqwest::header::{ACCEPT, CONTENT_TYPE};

use super::influx::Influx;
use super::query::QueryError;
use super::{answer, flux, influxql};
use crate::config::Api;
use crate::time::Timestamp;

/// Asked for removal to learn whether we may: no point has this measurement.
const NOBODY: &str = "fluxtower_no_such_measurement";

/// Tags as they are sent, sorted by their keys.
pub type Tags = Vec<(String, String)>;

/// What a destination can take back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Removal {
    /// Nothing.
    Never,
    /// The points of one series.
    OneSeries,
    /// The points of one series, and with them those of every series that has further tags.
    WithFurtherTags,
}

/// Which points to remove.
#[derive(Debug, Clone, Copy)]
pub struct RemoveAsk<'a> {
    /// None means the destination's own.
    pub bucket: Option<&'a str>,
    /// As sent, see `LineShape::measurement`.
    pub measurement: &'a str,
    /// As sent, see `LineShape::tags`.
    pub tags: &'a [(String, String)],
    /// Time of the first point.
    pub from: Timestamp,
    /// Time of the last point; it is removed too.
    pub to: Timestamp,
}

/// What else is in the measurement.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Beside {
    /// With [`Removal::OneSeries`]: every tag key of the measurement.
    pub tag_keys: Vec<String>,
    /// With [`Removal::WithFurtherTags`]: the series that a removal would take from, the one that is meant among them.
    pub series: Vec<Tags>,
}

impl Influx {
    pub(super) fn removal_kind(&self) -> Removal {
        match self.config.api {
            Api::V1 => Removal::OneSeries,
            Api::V2 => Removal::WithFurtherTags,
            Api::V3 => Removal::Never,
        }
    }

    pub(super) fn ask_whether_removal_works(&self, bucket: Option<&str>) -> Result<(), QueryError> {
        let (from, to) = (Timestamp::EPOCH, Timestamp::EPOCH);
        self.remove_points(&RemoveAsk { bucket, measurement: NOBODY, tags: &[], from, to }, &[])
    }

    pub(super) fn look_beside(&self, ask: &RemoveAsk<'_>) -> Result<Beside, QueryError> {
        match self.config.api {
            Api::V1 => Ok(Beside { tag_keys: self.tag_keys(ask)?, series: Vec::new() }),
            Api::V2 => Ok(Beside { tag_keys: Vec::new(), series: self.series_in(ask)? }),
            Api::V3 => Ok(Beside::default()),
        }
    }

    /// `tag_keys` as [`Beside::tag_keys`].
    pub(super) fn remove_points(&self, ask: &RemoveAsk<'_>, tag_keys: &[String]) -> Result<(), QueryError> {
        match self.config.api {
            Api::V1 => influxql::run(self, Some(self.bucket(ask.bucket)), &delete_statement(ask, tag_keys)).map(drop),
            Api::V2 => {
                let body = serde_json::json!({
                    "start": flux::time(ask.from),
                    "stop": flux::time(ask.to),
                    "predicate": predicate(ask),
                });
                let query = [self.organisation(), ("bucket", self.bucket(ask.bucket))];
                let request = self
                    .request(Method::POST, "/api/v2/delete", &query)
                    .header(CONTENT_TYPE, "application/json")
                    .body(body.to_string());
                self.acknowledged(request)
            }
            Api::V3 => Err(QueryError::Unknown("InfluxDB 3 Core cannot remove points".to_owned())),
        }
    }

    /// Exactly 204 is an acknowledgement, as with a write.
    fn acknowledged(&self, request: reqwest::blocking::RequestBuilder) -> Result<(), QueryError> {
        let reply = self.exchange(request, super::query::REPLY_MAX).map_err(QueryError::Unreachable)?;
        let words = || answer::words(&answer::message(&reply.body));
        match reply.status {
            204 => Ok(()),
            408 | 429 | 500 | 502..=599 => Err(QueryError::Unreachable(format!("{}: {}", reply.status, words()))),
            status => Err(QueryError::Refused {
                status: Some(status),
                words: words(),
                mend: "give the token write permission on the bucket, and check `api`, `org` and `bucket`",
            }),
        }
    }

    fn tag_keys(&self, ask: &RemoveAsk<'_>) -> Result<Vec<String>, QueryError> {
        let statement = format!("SHOW TAG KEYS FROM {}", influxql::identifier(ask.measurement));
        let series = influxql::run(self, Some(self.bucket(ask.bucket)), &statement)?;
        let keys = series.iter().flat_map(|series| &series.values).filter_map(|row| row.first()?.as_str());
        Ok(keys.map(str::to_owned).collect())
    }

    fn series_in(&self, ask: &RemoveAsk<'_>) -> Result<Vec<Tags>, QueryError> {
        let body = serde_json::json!({
            "query": series_query(self.bucket(ask.bucket), ask),
            "type": "flux",
            "dialect": {"header": true, "delimiter": ",", "annotations": []},
        });
        let request = self
            .request(Method::POST, "/api/v2/query", &[self.organisation()])
            .header(CONTENT_TYPE, "application/json")
            .header(ACCEPT, "application/csv")
            .body(body.to_string());
        read_series(&self.ask(request)?.body)
    }
}

fn delete_statement(ask: &RemoveAsk<'_>, tag_keys: &[String]) -> String {
    let own = ask.tags.iter().map(|(key, value)| format!("{}={}", influxql::identifier(key), influxql::string(value)));
    let has = |key: &String| ask.tags.iter().any(|(known, _)| known == key);
    let absent = tag_keys.iter().filter(|key| !has(key)).map(|key| format!("{}=''", influxql::identifier(key)));
    let time = [format!("time >= {}", ask.from.nanos()), format!("time <= {}", ask.to.nanos())];
    let conditions: Vec<String> = own.chain(absent).chain(time).collect();
    format!("DELETE FROM {} WHERE {}", influxql::identifier(ask.measurement), conditions.join(" AND "))
}

fn predicate(ask: &RemoveAsk<'_>) -> String {
    let quoted = |text: &str| format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""));
    let tags = ask.tags.iter().map(|(key, value)| format!(" AND {}={}", quoted(key), quoted(value)));
    format!("_measurement={}{}", quoted(ask.measurement), tags.collect::<String>())
}

/// The first point of each series and field: enough to see which tags there are.
fn series_query(bucket: &str, ask: &RemoveAsk<'_>) -> String {
    let tags = ask.tags.iter().map(|(key, value)| format!(" and r[{}] == {}", flux::string(key), flux::string(value)));
    format!(
        "from({}) |> range(start: {}, stop: {}) |> filter(fn: (r) => r._measurement == {}{}) |> first()\n",
        flux::from(bucket),
        flux::time(ask.from),
        // The end of a range is not in it.
        flux::time(ask.to.next()),
        flux::string(ask.measurement),
        tags.collect::<String>(),
    )
}

/// Tags are the columns that are not the server's own. A tag that bears the name of one makes the answer ambiguous.
fn read_series(body: &str) -> Result<Vec<Tags>, QueryError> {
    let unknown = |words: &str| QueryError::Unknown(answer::words(words));
    let mut series: Vec<Tags> = Vec::new();
    let mut header: Option<csv::StringRecord> = None;
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(body.as_bytes());
    for record in reader.records() {
        let record = record.map_err(|error| unknown(&format!("the CSV is damaged: {error}")))?;
        if record.iter().all(str::is_empty) {
            continue;
        }
        if record.iter().any(|cell| cell == "error") && record.iter().any(|cell| cell == "reference") {
            return Err(unknown(&format!("the query failed on its way: {body}")));
        }
        // Cells of a header stand in no other row: a value of the column `table` is a number.
        let is_header = record.iter().any(|cell| cell == "_measurement") && record.iter().any(|cell| cell == "_time");
        let Some(header) = header.as_ref().filter(|_| !is_header) else {
            let own = |name: &str| record.iter().filter(|cell| *cell == name).count();
            if !is_header || own("table") != 1 || own("result") != 1 {
                return Err(unknown("a result without a header, or with a tag called `table` or `result`"));
            }
            header = Some(record);
            continue;
        };
        let is_tag = |name: &str| !matches!(name, "" | "result" | "table") && !name.starts_with('_');
        let cells = header.iter().zip(&record).filter(|(name, value)| is_tag(name) && !value.is_empty());
        let mut tags: Tags = cells.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        tags.sort();
        if !series.contains(&tags) {
            series.push(tags);
        }
    }
    Ok(series)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tags(pairs: &[(&str, &str)]) -> Tags {
        pairs.iter().map(|&(key, value)| (key.to_owned(), value.to_owned())).collect()
    }

    #[test]
    fn a_removal_names_the_measurement_every_tag_and_both_ends() {
        let tags = tags(&[("a \"b\"", "x\\y"), ("site", "O'Hare")]);
        let ask = RemoveAsk {
            bucket: None,
            measurement: "m \"1\"",
            tags: &tags,
            from: Timestamp::from_nanos(1),
            to: Timestamp::from_nanos(1_000_000_002),
        };
        assert_eq!(predicate(&ask), r#"_measurement="m \"1\"" AND "a \"b\""="x\\y" AND "site"="O'Hare""#);
        assert_eq!(
            delete_statement(&ask, &["height".to_owned(), "site".to_owned()]),
            r#"DELETE FROM "m \"1\"" WHERE "a \"b\""='x\\y' AND "site"='O\'Hare' AND "height"='' AND time >= 1 AND time <= 1000000002"#
        );
        assert!(series_query("b", &ask).contains("stop: 1970-01-01T00:00:01.000000003Z"));
    }

    #[test]
    fn series_are_read_by_their_tags_and_what_is_ambiguous_is_an_error() {
        let body = ",result,table,_start,_stop,_time,_value,_field,_measurement,site\r\n\
                    ,_result,0,a,b,t,1,f,m,A\r\n,_result,1,a,b,t,1,g,m,A\r\n\r\n\
                    ,result,table,_start,_stop,_time,_value,_field,_measurement,height,site\r\n,_result,2,a,b,t,1,f,m,2,A\r\n";
        let expected = [tags(&[("site", "A")]), tags(&[("height", "2"), ("site", "A")])];
        assert_eq!(read_series(body).unwrap(), expected);
        assert_eq!(read_series("\r\n").unwrap(), [] as [Tags; 0]);
        for body in ["error,reference\r\nfailed,\r\n", "x,y\r\n", ",result,table,_time,_measurement,table\r\n"] {
            assert!(matches!(read_series(body), Err(QueryError::Unknown(_))), "{body}");
        }
    }
}
