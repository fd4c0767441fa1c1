//! Asks a server about its buckets (how long each keeps rows, which exist), and creates a bucket.
//!
//! The sender needs the retention to distinguish a row that is too old from a row that is wrong. A token with write
//! permission only cannot ask, and then the answer is [`Retention::Unknown`], never a guess.

use std::time::Duration;

use reqwest::Method;
use reqwest::header::CONTENT_TYPE;
use serde::Deserialize;
use serde_json::{Value, json};

use super::influx::{Influx, database_and_policy};
use super::influxql::{self, identifier};
use super::query::QueryError;
use crate::config::{Api, is_id};

/// The number of buckets that are requested at a time; the server's largest page.
const PAGE: usize = 100;

/// How long a bucket keeps its rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Retention {
    /// For ever.
    Forever,
    /// Rows older than this are refused, hidden or deleted.
    For(Duration),
    /// The server does not say it, with the reason.
    Unknown(String),
}

/// A bucket (v2), a database with a retention policy (v1) or a database (v3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bucket {
    /// The name as the configuration's `bucket` writes it.
    pub name: String,
    /// The id, which only v2 has. A bucket of the same name with another id is another bucket.
    pub id: Option<String>,
    /// How long it keeps rows.
    pub retention: Retention,
}

/// The result of [`Influx::create`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Created {
    /// The bucket is new.
    New,
    /// It existed before, and is unchanged.
    WasThere(Bucket),
}

#[derive(Debug, Deserialize)]
struct Page {
    buckets: Vec<PageBucket>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct PageBucket {
    id: String,
    name: String,
    #[serde(default)]
    retention_rules: Vec<RetentionRule>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RetentionRule {
    #[serde(default)]
    every_seconds: u64,
}

impl From<PageBucket> for Bucket {
    fn from(bucket: PageBucket) -> Bucket {
        let seconds = bucket.retention_rules.iter().map(|rule| rule.every_seconds).find(|seconds| *seconds > 0);
        let retention = seconds.map_or(Retention::Forever, |seconds| Retention::For(Duration::from_secs(seconds)));
        Bucket { name: bucket.name, id: Some(bucket.id), retention }
    }
}

impl Influx {
    /// How long a bucket keeps its rows; None is the destination's default bucket.
    ///
    /// # Errors
    /// The server cannot be reached, or its answer is not understood. A refusal is [`Retention::Unknown`].
    pub fn retention(&self, bucket: Option<&str>) -> Result<Retention, QueryError> {
        let name = self.bucket(bucket);
        match self.find(name) {
            Ok(Some(found)) => Ok(found.retention),
            Ok(None) => Ok(Retention::Unknown(format!("there is no bucket `{name}`, or the token may not see it"))),
            Err(QueryError::Refused { message, fix, .. }) => Ok(Retention::Unknown(format!("{message} ({fix})"))),
            Err(error) => Err(error),
        }
    }

    /// Finds one bucket by its name; None if there is no such bucket, or the token may not see it.
    ///
    /// # Errors
    /// There is no answer, a refusal, or an answer that is not reliable.
    pub fn find(&self, name: &str) -> Result<Option<Bucket>, QueryError> {
        match self.config.api {
            Api::V1 => self.find_policy(name),
            Api::V2 if is_id(name) => match self.page(&[("id", name)]) {
                Ok(found) => Ok(found.into_iter().find(|bucket| bucket.id.as_deref() == Some(name))),
                // A bucket's name may have the form of an id.
                Err(QueryError::Refused { status: Some(404), .. }) => self.find_by_name(name),
                Err(error) => Err(error),
            },
            Api::V2 => self.find_by_name(name),
            Api::V3 => Ok(self.databases()?.into_iter().find(|bucket| bucket.name == name)),
        }
    }

    /// Lists all buckets that the token may see, except the server's internal ones.
    ///
    /// # Errors
    /// As for [`Influx::find`].
    pub fn list(&self) -> Result<Vec<Bucket>, QueryError> {
        let mut all = match self.config.api {
            Api::V1 => self.all_policies()?,
            Api::V2 => self.all_pages()?,
            Api::V3 => self.databases()?,
        };
        all.retain(|bucket| !bucket.name.starts_with('_'));
        Ok(all)
    }

    /// Creates a bucket; a retention of None keeps rows for ever. An existing bucket is not changed.
    ///
    /// # Errors
    /// As for [`Influx::find`]; the server's message says whether a limit is reached.
    pub fn create(&self, name: &str, retention: Option<Duration>) -> Result<Created, QueryError> {
        if retention.is_some_and(|retention| retention.as_secs() == 0) {
            // InfluxDB 3 takes 0 as "delete everything", the others as "for ever".
            let message = "a retention of 0 means something else to each product".to_owned();
            return Err(QueryError::Refused { status: None, message, fix: "leave it out to keep rows for ever" });
        }
        // A login without read permission may still be allowed to create a bucket.
        if let Ok(Some(found)) = self.find(name) {
            return Ok(Created::WasThere(found));
        }
        match self.make(name, retention.map(|retention| retention.as_secs())) {
            Ok(()) => Ok(Created::New),
            Err(QueryError::Unknown(message)) if message.contains("already exist") => Ok(match self.find(name) {
                Ok(Some(found)) => Created::WasThere(found),
                _ => {
                    let retention = Retention::Unknown("the login may not see the bucket".to_owned());
                    Created::WasThere(Bucket { name: name.to_owned(), id: None, retention })
                }
            }),
            Err(error) => Err(error),
        }
    }

    fn make(&self, name: &str, seconds: Option<u64>) -> Result<(), QueryError> {
        match self.config.api {
            Api::V1 => self.create_policy(name, seconds),
            Api::V2 => {
                let rules = json!([{"type": "expire", "everySeconds": seconds.unwrap_or(0)}]);
                let org = self.organisation_id()?;
                self.post_json("/api/v2/buckets", &json!({"orgID": org, "name": name, "retentionRules": rules}))
            }
            Api::V3 => {
                // Without a retention the key is left out: null and 0 are refused
                // (docs/influx-answers.md#retention-and-bucket-identity).
                let mut body = json!({"db": name});
                if let Some(seconds) = seconds {
                    body["retention_period"] = json!(format!("{seconds}s"));
                }
                self.post_json("/api/v3/configure/database", &body)
            }
        }
    }

    fn find_by_name(&self, name: &str) -> Result<Option<Bucket>, QueryError> {
        Ok(self.page(&[("name", name)])?.into_iter().find(|bucket| bucket.name == name))
    }

    fn page(&self, filter: &[(&str, &str)]) -> Result<Vec<Bucket>, QueryError> {
        let query = [&[self.organisation()], filter].concat();
        let reply = self.ask(self.request(Method::GET, "/api/v2/buckets", &query))?;
        let page: Page = parse(&reply.body)?;
        Ok(page.buckets.into_iter().map(Bucket::from).collect())
    }

    fn all_pages(&self) -> Result<Vec<Bucket>, QueryError> {
        let mut all = Vec::new();
        loop {
            let (limit, offset) = (PAGE.to_string(), all.len().to_string());
            let page = self.page(&[("limit", &limit), ("offset", &offset)])?;
            let is_last = page.len() < PAGE;
            all.extend(page);
            if is_last {
                return Ok(all);
            }
        }
    }

    /// Finds the id of the organisation, which the API requires where the configuration has the name; an id in the
    /// configuration is used unchanged.
    fn organisation_id(&self) -> Result<String, QueryError> {
        let org = &self.config.org;
        if is_id(org) {
            return Ok(org.clone());
        }
        let reply = self.ask(self.request(Method::GET, "/api/v2/orgs", &[("org", org)]))?;
        let found: Value = parse(&reply.body)?;
        let id = found["orgs"].as_array().into_iter().flatten().find(|entry| entry["name"] == org.as_str());
        id.and_then(|entry| entry["id"].as_str()).map(str::to_owned).ok_or_else(|| QueryError::Refused {
            status: Some(reply.status),
            message: format!("no organisation `{org}`"),
            fix: "correct `org`, or give the token permission to read organisations",
        })
    }

    fn post_json(&self, path: &str, body: &Value) -> Result<(), QueryError> {
        let request = self.request(Method::POST, path, &[]).header(CONTENT_TYPE, "application/json");
        self.ask(request.body(body.to_string())).map(drop)
    }

    fn databases(&self) -> Result<Vec<Bucket>, QueryError> {
        let reply = self.ask(self.request(Method::GET, "/api/v3/configure/database", &[("format", "json")]))?;
        let rows: Vec<Value> = parse(&reply.body)?;
        let mut found: Vec<Bucket> = rows.iter().filter_map(database).collect();
        if found.iter().any(|bucket| matches!(bucket.retention, Retention::Unknown(_))) {
            // The list has only the names; a token may be allowed to read the list but not this table.
            if let Ok(kept) = self.system_databases() {
                for bucket in &mut found {
                    if let Some((_, retention)) = kept.iter().find(|(name, _)| *name == bucket.name) {
                        bucket.retention = retention.clone();
                    }
                }
            }
        }
        Ok(found)
    }

    /// Names and retentions from the system table. A period of null keeps rows for ever
    /// (docs/influx-answers.md#retention-and-bucket-identity).
    fn system_databases(&self) -> Result<Vec<(String, Retention)>, QueryError> {
        let query = [("db", "_internal"), ("format", "json"), ("q", "SELECT * FROM system.databases")];
        let reply = self.ask(self.request(Method::GET, "/api/v3/query_sql", &query))?;
        let rows: Vec<Value> = parse(&reply.body)?;
        Ok(rows.iter().filter_map(system_database).collect())
    }

    /// All retention policies of a database, the default one first under the database's name alone.
    fn policies(&self, db: &str) -> Result<Vec<Bucket>, QueryError> {
        let series = influxql::run(self, None, &format!("SHOW RETENTION POLICIES ON {}", identifier(db)))?;
        let mut found = Vec::new();
        for series in &series {
            for row in &series.values {
                let cell =
                    |name: &str| series.columns.iter().position(|column| column == name).and_then(|at| row.get(at));
                let retention = cell("duration").and_then(Value::as_str).and_then(retention_in_text);
                let retention = match retention {
                    // InfluxDB 2 reports 0 for every bucket that it shows as a policy, whatever its retention is.
                    Some(Retention::Forever) if !self.version().is_some_and(|version| version.starts_with("1.")) => {
                        Retention::Unknown("only InfluxDB 1 tells here how long it keeps rows".to_owned())
                    }
                    Some(known) => known,
                    None => Retention::Unknown("the policy has no duration".to_owned()),
                };
                if cell("default") == Some(&Value::Bool(true)) {
                    found.insert(0, Bucket { name: db.to_owned(), id: None, retention: retention.clone() });
                }
                if let Some(policy) = cell("name").and_then(Value::as_str) {
                    found.push(Bucket { name: format!("{db}/{policy}"), id: None, retention });
                }
            }
        }
        Ok(found)
    }

    fn find_policy(&self, name: &str) -> Result<Option<Bucket>, QueryError> {
        let (db, _) = database_and_policy(name);
        if !self.database_names()?.iter().any(|found| found == db) {
            return Ok(None);
        }
        Ok(self.policies(db)?.into_iter().find(|bucket| bucket.name == name))
    }

    fn all_policies(&self) -> Result<Vec<Bucket>, QueryError> {
        let mut all = Vec::new();
        for db in self.database_names()? {
            all.extend(self.policies(&db)?);
        }
        Ok(all)
    }

    fn database_names(&self) -> Result<Vec<String>, QueryError> {
        let series = influxql::run(self, None, "SHOW DATABASES")?;
        let rows = series.iter().flat_map(|series| &series.values);
        Ok(rows.filter_map(|row| row.first().and_then(Value::as_str).map(str::to_owned)).collect())
    }

    fn create_policy(&self, name: &str, seconds: Option<u64>) -> Result<(), QueryError> {
        let (db, policy) = database_and_policy(name);
        let duration = seconds.map_or("INF".to_owned(), |seconds| format!("{seconds}s"));
        let statement = match policy {
            Some(policy) if self.database_names()?.iter().any(|found| found == db) => {
                format!(
                    "CREATE RETENTION POLICY {} ON {} DURATION {duration} REPLICATION 1",
                    identifier(policy),
                    identifier(db)
                )
            }
            Some(policy) => {
                format!("CREATE DATABASE {} WITH DURATION {duration} NAME {}", identifier(db), identifier(policy))
            }
            None => format!("CREATE DATABASE {} WITH DURATION {duration}", identifier(db)),
        };
        influxql::run(self, None, &statement).map(drop)
    }
}

fn parse<T: serde::de::DeserializeOwned>(body: &str) -> Result<T, QueryError> {
    serde_json::from_str(body)
        .map_err(|_| QueryError::Unknown(super::answer::cleaned(&format!("not what was asked for: {body}"))))
}

/// Parses a row of `system.databases`; None for a database that is being deleted.
fn system_database(row: &Value) -> Option<(String, Retention)> {
    let name = row["database_name"].as_str().filter(|_| row["deleted"] != true)?;
    let retention = match &row["retention_period_ns"] {
        Value::Null => Retention::Forever,
        period => match period.as_u64() {
            Some(nanos) if nanos > 0 => Retention::For(Duration::from_nanos(nanos)),
            _ => Retention::Unknown("system.databases has a retention that is no time".to_owned()),
        },
    };
    Some((name.to_owned(), retention))
}

/// Parses a row of InfluxDB 3's list. The column of the retention differs between versions, and older ones have none.
fn database(row: &Value) -> Option<Bucket> {
    let name = ["iox::database", "name", "database_name"].iter().find_map(|key| row[*key].as_str())?;
    let nanos = row["retention_period_ns"].as_u64().map(|nanos| Retention::For(Duration::from_nanos(nanos)));
    let message = row["retention_period"].as_str().and_then(retention_in_text);
    let retention = nanos.or(message).unwrap_or_else(|| Retention::Unknown("this server does not list it".to_owned()));
    Some(Bucket { name: name.to_owned(), id: None, retention })
}

/// Parses `720h0m0s`, `30d`, `0s`, `none`.
fn retention_in_text(text: &str) -> Option<Retention> {
    if matches!(text.to_ascii_lowercase().as_str(), "none" | "inf") {
        return Some(Retention::Forever);
    }
    let mut total = Duration::ZERO;
    let mut rest = text.trim();
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let (number, tail) = rest.split_at(rest.find(|letter: char| !letter.is_ascii_digit())?);
        let (unit, tail) =
            tail.split_at(tail.find(|letter: char| letter.is_ascii_digit() || letter == ' ').unwrap_or(tail.len()));
        let number: u64 = number.parse().ok()?;
        let seconds = |length: u64| number.checked_mul(length).map(Duration::from_secs);
        total += match unit {
            "ns" => Duration::from_nanos(number),
            "us" | "µs" | "u" => Duration::from_micros(number),
            "ms" => Duration::from_millis(number),
            "s" => seconds(1)?,
            "m" => seconds(60)?,
            "h" => seconds(3600)?,
            "d" | "day" | "days" => seconds(86_400)?,
            "w" => seconds(7 * 86_400)?,
            _ => return None,
        };
        rest = tail.trim_start();
    }
    Some(if total.is_zero() { Retention::Forever } else { Retention::For(total) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_retention_is_read_in_each_products_spelling() {
        let days = |days: u64| Some(Retention::For(Duration::from_secs(days * 86_400)));
        for (text, expected) in [
            ("720h0m0s", days(30)),
            ("30d", days(30)),
            ("4w", days(28)),
            ("29days 24h", days(30)),
            ("0s", Some(Retention::Forever)),
            ("none", Some(Retention::Forever)),
            ("INF", Some(Retention::Forever)),
            ("", None),
            ("30", None),
            ("-1h", None),
            ("1.5h", None),
            ("1 fortnight", None),
            ("99999999999999999999h", None),
        ] {
            assert_eq!(retention_in_text(text), expected, "{text}");
        }
    }

    #[test]
    fn a_database_of_influxdb_3_may_not_tell_its_retention() {
        let known = database(&json!({"iox::database": "a", "retention_period": "30d"})).unwrap();
        assert_eq!(known.retention, Retention::For(Duration::from_secs(30 * 86_400)));
        let silent = database(&json!({"iox::database": "a"})).unwrap();
        assert!(matches!(silent.retention, Retention::Unknown(_)));
        assert_eq!(database(&json!({"other": 1})), None);
    }
}
