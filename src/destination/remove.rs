//! Removes points, so that a row whose content lost a field can be written without that field.
//!
//! The abilities of each product were measured. InfluxDB 2.7 (`/api/v2/delete`): `start` and `stop` are both included
//! and exact to the nanosecond; a predicate can name tags that a series has, but not exclude tags (`tag=""` matches
//! nothing), so a removal also affects series with *more* tags; `_field` cannot be named. InfluxDB 1.x (`DELETE`):
//! affects exactly one series if every other tag key of the measurement is compared with ''; it names no retention
//! policy and affects those of the whole database. InfluxDB 3 Core removes nothing.

use reqwest::Method;
use reqwest::header::CONTENT_TYPE;

use super::influx::Influx;
use super::query::{QueryError, SeriesAsk};
use super::{answer, flux, influxql};
use crate::config::Api;
use crate::time::{Interval, Timestamp};

/// A measurement that no point has. It is used to find out whether removal is allowed.
const NO_MEASUREMENT: &str = "fluxtower_no_such_measurement";

/// Tags as they are sent, sorted by their keys.
pub type Tags = Vec<(String, String)>;

/// Which points a destination can remove.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Removal {
    /// It can remove nothing.
    Never,
    /// The points of one series.
    OneSeries,
    /// The points of one series, together with those of every series that has further tags.
    WithFurtherTags,
}

/// The other contents of the measurement.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Beside {
    /// With [`Removal::OneSeries`]: every tag key of the measurement.
    pub tag_keys: Vec<String>,
    /// With [`Removal::WithFurtherTags`]: the series from which a removal would remove points, including the intended
    /// one.
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
        let interval = Interval::closed(Timestamp::EPOCH, Timestamp::EPOCH);
        self.remove_points(&SeriesAsk { bucket, measurement: NO_MEASUREMENT, tags: &[], interval }, &[])
    }

    /// The tag sets of the series with these tags, or further ones, that have a point in the interval.
    pub(super) fn tag_sets_in(&self, ask: &SeriesAsk<'_>) -> Result<Vec<Tags>, QueryError> {
        match self.config.api {
            Api::V1 => influxql::tag_sets(self, ask),
            Api::V2 => self.series_in(ask),
            Api::V3 => Err(QueryError::Unknown("InfluxDB 3 is not asked for its series".to_owned())),
        }
    }

    pub(super) fn look_beside(&self, ask: &SeriesAsk<'_>) -> Result<Beside, QueryError> {
        match self.config.api {
            Api::V1 => Ok(Beside { tag_keys: self.tag_keys(ask)?, series: Vec::new() }),
            Api::V2 => Ok(Beside { tag_keys: Vec::new(), series: self.series_in(ask)? }),
            Api::V3 => Ok(Beside::default()),
        }
    }

    /// `tag_keys` are as in [`Beside::tag_keys`].
    pub(super) fn remove_points(&self, ask: &SeriesAsk<'_>, tag_keys: &[String]) -> Result<(), QueryError> {
        match self.config.api {
            Api::V1 => influxql::run(self, Some(self.bucket(ask.bucket)), &delete_statement(ask, tag_keys)).map(drop),
            Api::V2 => {
                let body = serde_json::json!({
                    "start": flux::time(ask.interval.from),
                    "stop": flux::time(ask.interval.last()),
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

    /// Only an exact 204 is an acknowledgement, as for a write.
    fn acknowledged(&self, request: reqwest::blocking::RequestBuilder) -> Result<(), QueryError> {
        let reply = self.exchange(request, super::query::REPLY_MAX).map_err(QueryError::Unreachable)?;
        let message = || answer::cleaned(&answer::message(&reply.body));
        match reply.status {
            204 => Ok(()),
            408 | 429 | 500 | 502..=599 => Err(QueryError::Unreachable(format!("{}: {}", reply.status, message()))),
            status => Err(QueryError::Refused {
                status: Some(status),
                message: message(),
                fix: "give the token write permission on the bucket, and check `api`, `org` and `bucket`",
            }),
        }
    }

    fn tag_keys(&self, ask: &SeriesAsk<'_>) -> Result<Vec<String>, QueryError> {
        let statement = format!("SHOW TAG KEYS FROM {}", influxql::identifier(ask.measurement));
        let series = influxql::run(self, Some(self.bucket(ask.bucket)), &statement)?;
        let keys = series.iter().flat_map(|series| &series.values).filter_map(|row| row.first()?.as_str());
        Ok(keys.map(str::to_owned).collect())
    }

    fn series_in(&self, ask: &SeriesAsk<'_>) -> Result<Vec<Tags>, QueryError> {
        let bucket = self.bucket(ask.bucket);
        read_series(&flux::answer_to(self, &series_query(bucket, ask))?)
    }
}

fn delete_statement(ask: &SeriesAsk<'_>, tag_keys: &[String]) -> String {
    let own = ask.tags.iter().map(|(key, value)| format!("{}={}", influxql::identifier(key), influxql::string(value)));
    let has = |key: &String| ask.tags.iter().any(|(known, _)| known == key);
    let absent = tag_keys.iter().filter(|key| !has(key)).map(|key| format!("{}=''", influxql::identifier(key)));
    let time = [format!("time >= {}", ask.interval.from.nanos()), format!("time < {}", ask.interval.until.nanos())];
    let conditions: Vec<String> = own.chain(absent).chain(time).collect();
    format!("DELETE FROM {} WHERE {}", influxql::identifier(ask.measurement), conditions.join(" AND "))
}

fn predicate(ask: &SeriesAsk<'_>) -> String {
    let quoted = |text: &str| format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""));
    let tags = ask.tags.iter().map(|(key, value)| format!(" AND {}={}", quoted(key), quoted(value)));
    format!("_measurement={}{}", quoted(ask.measurement), tags.collect::<String>())
}

/// The query for the first point of each series and field, which is enough to see the tags.
fn series_query(bucket: &str, ask: &SeriesAsk<'_>) -> String {
    format!("{}\n  |> first()\n", flux::points(bucket, ask, ""))
}

fn read_series(body: &str) -> Result<Vec<Tags>, QueryError> {
    let mut series: Vec<Tags> = Vec::new();
    flux::read(body, |_, cells| {
        let is_tag = |name: &str, value: &str| !flux::NO_TAGS.contains(&name) && !value.is_empty();
        let tags = cells.iter().filter(|(name, value)| is_tag(name, value));
        let mut tags: Tags = tags.map(|&(name, value)| (name.to_owned(), value.to_owned())).collect();
        tags.sort();
        if !series.contains(&tags) {
            series.push(tags);
        }
        Ok(())
    })?;
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
        let ask = SeriesAsk {
            bucket: None,
            measurement: "m \"1\"",
            tags: &tags,
            interval: Interval::closed(Timestamp::from_nanos(1), Timestamp::from_nanos(1_000_000_002)),
        };
        assert_eq!(predicate(&ask), r#"_measurement="m \"1\"" AND "a \"b\""="x\\y" AND "site"="O'Hare""#);
        assert_eq!(
            delete_statement(&ask, &["height".to_owned(), "site".to_owned()]),
            r#"DELETE FROM "m \"1\"" WHERE "a \"b\""='x\\y' AND "site"='O\'Hare' AND "height"='' AND time >= 1 AND time < 1000000003"#
        );
        assert!(series_query("b", &ask).contains("stop: 1970-01-01T00:00:01.000000003Z"));
    }

    #[test]
    fn series_are_read_by_their_tags_and_what_is_no_answer_is_an_error() {
        let body = "#datatype,string,long,dateTime:RFC3339,dateTime:RFC3339,dateTime:RFC3339,double,string,string,string\r\n\
                    #group,false,false,true,true,false,false,true,true,true\r\n#default,_result,,,,,,,,\r\n\
                    ,result,table,_start,_stop,_time,_value,_field,_measurement,site\r\n\
                    ,,0,a,b,t,1,f,m,A\r\n,,1,a,b,t,1,g,m,A\r\n\r\n\
                    #datatype,string,long,dateTime:RFC3339,dateTime:RFC3339,dateTime:RFC3339,double,string,string,string,string\r\n\
                    #group,false,false,true,true,false,false,true,true,true,true\r\n#default,_result,,,,,,,,,\r\n\
                    ,result,table,_start,_stop,_time,_value,_field,_measurement,table,site\r\n,,2,a,b,t,1,f,m,2,A\r\n";
        let expected = [tags(&[("site", "A")]), tags(&[("site", "A"), ("table", "2")])];
        assert_eq!(read_series(body).unwrap(), expected);
        assert_eq!(read_series("\r\n").unwrap(), [] as [Tags; 0]);
        for body in ["error,reference\r\nfailed,\r\n", "x,y\r\n", ",result,table,_time\r\n,,0\r\n"] {
            assert!(matches!(read_series(body), Err(QueryError::Unknown(_))), "{body}");
        }
    }
}
