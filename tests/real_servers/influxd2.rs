//! InfluxDB 2.7 for the length of one test: the product that users have, whole, with its organisations, buckets and tokens.
//!
//! Everything here speaks to the server by its own API and never through fluxtower, so a test can say what is in the
//! server without believing the program that put it there. Times are nanoseconds since 1970, UTC.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::readings::{Point, Points};
use crate::server::{Running, client, free_port, program, spawn, wait_until_up};

/// The organisation that every server begins with.
pub const ORG: &str = "tower";
/// The bucket that every server begins with. It keeps everything.
pub const BUCKET: &str = "flux";
/// The token that may do everything, in every organisation. `Station` gives it to the program as `FLUXTOWER_TEST_RIGHT`.
pub const TOKEN: &str = "right";
/// All times that a server takes.
const EVER: (&str, &str) = ("1677-09-21T00:12:43.145224194Z", "2262-04-11T23:47:16.854775806Z");

/// A query of Grafana's over this time, in seconds since 1970.
pub fn over(text: &str, from: i64, to: i64) -> String {
    let time = |at: i64| chrono::DateTime::from_timestamp(at, 0).unwrap().format("%Y-%m-%dT%H:%M:%SZ").to_string();
    text.replace("v.timeRangeStart", &time(from)).replace("v.timeRangeStop", &time(to))
}

/// What a token may do with buckets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum May {
    Read,
    Write,
}

/// A bucket as the server lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bucket {
    pub id: String,
    pub org_id: String,
    pub name: String,
    /// None keeps everything.
    pub retention: Option<Duration>,
}

impl Bucket {
    fn read(bucket: &Value) -> Bucket {
        let text = |key: &str| bucket[key].as_str().unwrap().to_owned();
        let seconds = bucket["retentionRules"][0]["everySeconds"].as_u64().unwrap_or(0);
        let retention = (seconds > 0).then(|| Duration::from_secs(seconds));
        Bucket { id: text("id"), org_id: text("orgID"), name: text("name"), retention }
    }
}

/// A status and the text that came with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    pub text: String,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

/// One row of a Flux answer: column and value, both as the server's CSV spells them.
pub type FluxRow = BTreeMap<String, String>;

/// InfluxDB 2.7.
pub struct Influxd2 {
    folder: TempDir,
    /// Where the points are.
    engine: PathBuf,
    pub port: u16,
    running: Option<Running>,
}

impl Influxd2 {
    /// A server with the organisation [`ORG`], the bucket [`BUCKET`] and the token [`TOKEN`].
    pub fn start() -> Influxd2 {
        let folder = TempDir::new().unwrap();
        let engine = folder.path().join("engine");
        Influxd2::with(folder, engine)
    }

    /// The same, with its points in this folder.
    pub fn start_in(data: &Path) -> Influxd2 {
        Influxd2::with(TempDir::new().unwrap(), data.join("engine"))
    }

    fn with(folder: TempDir, engine: PathBuf) -> Influxd2 {
        let mut influxd = Influxd2 { folder, engine, port: free_port(), running: None };
        influxd.revive();
        let setup = json!({ "username": "admin", "password": "eight or more", "org": ORG, "bucket": BUCKET, "token": TOKEN,
            "retentionPeriodSeconds": 0 });
        let made = influxd.call(Method::POST, "setup", &[], &setup);
        assert_eq!(made.status, 201, "{made:?}");
        influxd
    }

    /// Starts it again on the data and the port that it had.
    pub fn revive(&mut self) {
        let at = |name: &str| self.folder.path().join(name);
        let log = at("server.log");
        let mut command = Command::new(program("FLUXTOWER_INFLUXD2"));
        // It looks for a configuration where it is started. Whoever set one for himself must not change a test.
        command.current_dir(self.folder.path()).env_remove("INFLUXD_CONFIG_PATH").env("HOME", self.folder.path());
        command.arg("--bolt-path").arg(at("influxd.bolt")).arg("--engine-path").arg(&self.engine);
        command.arg("--sqlite-path").arg(at("influxd.sqlite")).args(["--reporting-disabled", "--log-level", "error"]);
        command.arg("--http-bind-address").arg(format!("127.0.0.1:{}", self.port));
        // Retention acts at once and not after half an hour.
        command.args(["--storage-retention-check-interval", "1s"]);
        // A query that reads too much fails, and does not take the machine's memory.
        command.env("INFLUXD_QUERY_MEMORY_BYTES", "1000000000").env("INFLUXD_QUERY_CONCURRENCY", "2");
        let mut running = spawn(&mut command, &log);
        wait_until_up(&mut running, &format!("{}/health", self.url()), &log);
        self.running = Some(running);
    }

    /// Ends it at once, as a power cut would.
    pub fn kill(&mut self) {
        self.running = None;
    }

    /// As [`Running::processor_seconds`].
    pub fn processor_seconds(&self) -> f64 {
        self.running.as_ref().unwrap().processor_seconds()
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The body of `[destination]` for the bucket [`BUCKET`] and the token [`TOKEN`].
    pub fn destination(&self) -> String {
        let url = self.url();
        format!("url = \"{url}\"\norg = \"{ORG}\"\nbucket = \"{BUCKET}\"\ntoken_env = \"FLUXTOWER_TEST_RIGHT\"")
    }

    /// Calls `/api/v2/PATH` with the token that may do everything, and gives whatever came back.
    pub fn call(&self, method: Method, path: &str, query: &[(&str, &str)], body: &Value) -> Answer {
        let request = client().request(method, format!("{}/api/v2/{path}", self.url())).query(query);
        let request = if body.is_null() { request } else { request.body(body.to_string()) };
        let request =
            request.header("Authorization", format!("Token {TOKEN}")).header("Content-Type", "application/json");
        let answer = request.send().unwrap();
        Answer { status: answer.status().as_u16(), text: answer.text().unwrap() }
    }

    fn must(&self, status: u16, method: Method, path: &str, query: &[(&str, &str)], body: &Value) -> Answer {
        let answer = self.call(method, path, query, body);
        assert_eq!(answer.status, status, "{path} {body}: {answer:?}");
        answer
    }

    /// Makes another organisation and gives its id.
    pub fn make_org(&self, name: &str) -> String {
        let made = self.must(201, Method::POST, "orgs", &[], &json!({ "name": name })).json();
        made["id"].as_str().unwrap().to_owned()
    }

    /// An organisation's id.
    pub fn org_id(&self, name: &str) -> String {
        let found = self.must(200, Method::GET, "orgs", &[("org", name)], &Value::Null).json();
        found["orgs"][0]["id"].as_str().unwrap().to_owned()
    }

    /// The bucket of this name in [`ORG`], if there is one.
    pub fn bucket(&self, name: &str) -> Option<Bucket> {
        let found = self.call(Method::GET, "buckets", &[("org", ORG), ("name", name)], &Value::Null);
        if found.status == 404 {
            return None;
        }
        found.json()["buckets"].as_array().unwrap().first().map(Bucket::read)
    }

    /// Makes a bucket in [`ORG`] that keeps points so long; without a time it keeps everything.
    pub fn make_bucket(&self, name: &str, retention: Option<Duration>) -> Bucket {
        self.make_bucket_in(&self.org_id(ORG), name, retention)
    }

    pub fn make_bucket_in(&self, org_id: &str, name: &str, retention: Option<Duration>) -> Bucket {
        let body = json!({ "orgID": org_id, "name": name, "retentionRules": rules(retention) });
        Bucket::read(&self.must(201, Method::POST, "buckets", &[], &body).json())
    }

    /// Changes how long a bucket of [`ORG`] keeps points, as somebody does on the server's page.
    pub fn keep_for(&self, name: &str, retention: Option<Duration>) {
        let id = self.bucket(name).unwrap().id;
        let body = json!({ "retentionRules": rules(retention) });
        self.must(200, Method::PATCH, &format!("buckets/{id}"), &[], &body);
    }

    /// Deletes a bucket of [`ORG`] with all that is in it.
    pub fn delete_bucket(&self, name: &str) {
        let id = self.bucket(name).unwrap().id;
        self.must(204, Method::DELETE, &format!("buckets/{id}"), &[], &Value::Null);
    }

    /// Makes a token of this organisation. Each permission names a bucket by its id, or none for all buckets of the
    /// organisation.
    pub fn token(&self, org_id: &str, permissions: &[(May, Option<&str>)]) -> String {
        let permissions: Vec<Value> = permissions
            .iter()
            .map(|(may, bucket)| {
                let action = if *may == May::Read { "read" } else { "write" };
                let mut resource = json!({ "type": "buckets", "orgID": org_id });
                if let Some(id) = bucket {
                    resource["id"] = json!(id);
                }
                json!({ "action": action, "resource": resource })
            })
            .collect();
        let body = json!({ "orgID": org_id, "permissions": permissions });
        let made = self.must(201, Method::POST, "authorizations", &[], &body).json();
        made["token"].as_str().unwrap().to_owned()
    }

    /// Sends lines to a bucket of [`ORG`] behind fluxtower's back and gives the answer. Times are in nanoseconds.
    pub fn try_write(&self, bucket: &str, lines: &str, token: &str) -> Answer {
        let query = [("org", ORG), ("bucket", bucket), ("precision", "ns")];
        let request = client().post(format!("{}/api/v2/write", self.url())).query(&query);
        let request = request.header("Authorization", format!("Token {token}")).body(lines.to_owned());
        let answer = request.send().unwrap();
        Answer { status: answer.status().as_u16(), text: answer.text().unwrap() }
    }

    /// Writes lines to a bucket of [`ORG`] behind fluxtower's back.
    pub fn write(&self, bucket: &str, lines: &str) {
        let answer = self.try_write(bucket, lines, TOKEN);
        assert_eq!(answer.status, 204, "{answer:?}");
    }

    /// Deletes the points of a bucket of [`ORG`] from `from` to `to`, both of them included, that this predicate describes
    /// (`_measurement="t" AND site="US-UMB"`).
    pub fn delete(&self, bucket: &str, (from, to): (i64, i64), predicate: &str) {
        let time = |at: i64| chrono::DateTime::from_timestamp_nanos(at).to_rfc3339();
        let body = json!({ "start": time(from), "stop": time(to), "predicate": predicate });
        self.must(204, Method::POST, "delete", &[("org", ORG), ("bucket", bucket)], &body);
    }

    /// Runs Flux in [`ORG`] and gives the answer, which may be an error.
    pub fn try_flux(&self, flux: &str) -> Answer {
        self.ask(ORG, flux)
    }

    fn ask(&self, org: &str, flux: &str) -> Answer {
        let request = client().post(format!("{}/api/v2/query", self.url())).query(&[("org", org)]);
        let request = request.header("Authorization", format!("Token {TOKEN}")).header("Accept", "application/csv");
        let answer = request.header("Content-Type", "application/vnd.flux").body(flux.to_owned()).send().unwrap();
        Answer { status: answer.status().as_u16(), text: answer.text().unwrap() }
    }

    /// Runs Flux in [`ORG`] and gives every row of the answer, which must not be an error, nor hold one.
    pub fn flux(&self, flux: &str) -> Vec<FluxRow> {
        flux_rows(flux, &self.try_flux(flux))
    }

    /// Runs InfluxQL on a bucket of [`ORG`], as a database of the same name, and gives the answer, which must not hold an error.
    pub fn influxql(&self, bucket: &str, text: &str) -> Value {
        let request = client().post(format!("{}/query", self.url())).query(&[("db", bucket), ("epoch", "ns")]);
        let request = request.header("Authorization", format!("Token {TOKEN}")).form(&[("q", text)]);
        let answer = request.send().unwrap();
        let answer: Value = serde_json::from_str(&answer.text().unwrap()).unwrap();
        assert!(answer["results"][0].get("error").is_none() && answer.get("error").is_none(), "{text}: {answer}");
        answer
    }

    /// As [`Influxd2::flux`], in another organisation.
    pub fn flux_in(&self, org: &str, flux: &str) -> Vec<FluxRow> {
        flux_rows(flux, &self.ask(org, flux))
    }

    /// Every point of these measurements in a bucket of [`ORG`], one row a value: `_measurement`, `_field`, `_value`,
    /// `_time` and the tags.
    pub fn rows<'a>(&self, bucket: &str, measurements: impl IntoIterator<Item = &'a str>) -> Vec<FluxRow> {
        let mut rows = Vec::new();
        for measurement in measurements {
            let (bucket, measurement) = (flux_text(bucket), flux_text(measurement));
            rows.extend(self.flux(&format!(
                "from(bucket: {bucket}) |> range(start: {}, stop: {}) |> filter(fn: (r) => r._measurement == {measurement}) \
                 |> drop(columns: [\"_start\", \"_stop\"])",
                EVER.0, EVER.1
            )));
        }
        rows
    }

    /// Every field of these measurements in a bucket of [`ORG`]. All of them must be numbers.
    pub fn points<'a>(&self, bucket: &str, measurements: impl IntoIterator<Item = &'a str>) -> Points {
        let mut points = Points::new();
        for row in self.rows(bucket, measurements) {
            let point = Point::new(&row["_measurement"], &row["_field"], nanoseconds(&row["_time"]));
            let twice = points.insert(point, row["_value"].parse().unwrap());
            assert_eq!(twice, None, "{row:?} is there twice");
        }
        points
    }
}

/// Nanoseconds since 1970 of a time in a Flux answer.
pub fn nanoseconds(time: &str) -> i64 {
    chrono::DateTime::parse_from_rfc3339(time).unwrap().timestamp_nanos_opt().unwrap()
}

/// A shard goes as a whole, so it must be shorter than what is kept: 0 lets the server choose.
fn rules(retention: Option<Duration>) -> Value {
    let seconds = retention.map_or(0, |time| time.as_secs());
    let shard = if seconds == 0 { 0 } else { 3_600 };
    json!([{ "type": "expire", "everySeconds": seconds, "shardGroupDurationSeconds": shard }])
}

fn flux_text(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

fn flux_rows(flux: &str, answer: &Answer) -> Vec<FluxRow> {
    assert_eq!(answer.status, 200, "{flux}: {answer:?}");
    let mut rows = Vec::new();
    // Tables of other columns come after an empty line, each with a header of its own.
    for block in answer.text.split("\r\n\r\n").filter(|block| !block.trim().is_empty()) {
        let mut reader = csv::Reader::from_reader(block.as_bytes());
        let columns = reader.headers().unwrap().clone();
        assert!(!columns.iter().any(|column| column == "error"), "{flux}: {block}");
        for row in reader.records().map(Result::unwrap) {
            let cells = columns.iter().zip(&row).filter(|(column, _)| !column.is_empty());
            rows.push(cells.map(|(column, value)| (column.to_owned(), value.to_owned())).collect());
        }
    }
    rows
}
