//! A real server for the length of one test.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use reqwest::blocking::Client;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use tempfile::TempDir;

use crate::readings::{Point, Points};

/// A slow machine that compiles something beside the test still starts a server in this time.
const START: Duration = Duration::from_secs(60);

/// The program that the environment variable names. Without it the test fails, so that nobody takes it for passed.
pub fn program(variable: &str) -> PathBuf {
    let path = std::env::var_os(variable)
        .unwrap_or_else(|| panic!("{variable} must hold the path of the server program; see .ci/run"));
    let path = PathBuf::from(path);
    assert!(path.is_file(), "{variable}: {} is no file", path.display());
    path
}

/// A port that nobody listens on, and that nobody is given before the server takes it: each once in this process, and below
/// the ports that the system gives away by itself.
pub fn free_port() -> u16 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    loop {
        let number = NEXT.fetch_add(1, Ordering::Relaxed) + std::process::id().wrapping_mul(97);
        let port = 10_000 + u16::try_from(number % 20_000).unwrap();
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

pub fn client() -> Client {
    Client::builder().no_proxy().timeout(Duration::from_secs(60)).build().unwrap()
}

/// A child process that does not outlive the test.
pub struct Running(Child);

impl Running {
    /// Seconds that it has used of all processors together.
    pub fn processor_seconds(&self) -> f64 {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.0.id())).unwrap();
        let (_, rest) = stat.rsplit_once(')').unwrap();
        let ticks = rest.split_whitespace().skip(11).take(2).map(|ticks| ticks.parse::<f64>().unwrap());
        // Linux counts hundredths for every program, whatever its own clock does.
        ticks.sum::<f64>() / 100.0
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

pub fn spawn(command: &mut Command, log: &Path) -> Running {
    let log = File::options().create(true).append(true).open(log).unwrap();
    let command = command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
    Running(command.spawn().unwrap())
}

pub fn wait_until_up(server: &mut Running, url: &str, log: &Path) {
    let (client, started) = (client(), Instant::now());
    while client.get(url).send().is_err() {
        let ended = server.0.try_wait().unwrap();
        assert!(ended.is_none() && started.elapsed() < START, "no server: {}", fs::read_to_string(log).unwrap());
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[derive(Deserialize)]
struct Answer {
    results: Vec<Statement>,
}

#[derive(Deserialize)]
struct Statement {
    #[serde(default)]
    series: Vec<Series>,
}

/// One series of an answer of InfluxDB 1.6. The time is the first column.
#[derive(Deserialize)]
pub struct Series {
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
    pub columns: Vec<String>,
    /// Read out of JSON as a float, a number would lose its last digit now and then.
    pub values: Vec<Vec<Box<RawValue>>>,
}

/// InfluxDB 1.6.
pub struct Influxd {
    folder: TempDir,
    pub port: u16,
    running: Option<Running>,
    login: Option<(String, String)>,
    /// The configuration, with PORT for the port.
    config: String,
}

impl Influxd {
    /// A server that lets everybody do everything.
    pub fn start() -> Influxd {
        Influxd::with(false, None)
    }

    /// A server that keeps its data in this folder.
    pub fn start_in(data: &Path) -> Influxd {
        Influxd::with(false, Some(data))
    }

    /// A server that asks for a password, with the administrator `admin`, password `right`.
    pub fn start_guarded() -> Influxd {
        let mut influxd = Influxd::with(true, None);
        influxd.query("", "CREATE USER admin WITH PASSWORD 'right' WITH ALL PRIVILEGES");
        influxd.login = Some(("admin".to_owned(), "right".to_owned()));
        influxd
    }

    fn with(auth: bool, data: Option<&Path>) -> Influxd {
        let folder = TempDir::new().unwrap();
        let at = |name: &str| toml_text(&data.unwrap_or(folder.path()).join(name));
        let config = format!(
            "reporting-disabled = true\nbind-address = \"127.0.0.1:0\"\n[meta]\ndir = {}\n[data]\ndir = {}\nwal-dir = {}\n\
             query-log-enabled = false\n[http]\nbind-address = \"127.0.0.1:PORT\"\nauth-enabled = {auth}\n\
             log-enabled = false\n[monitor]\nstore-enabled = false\n",
            at("meta"),
            at("data"),
            at("wal")
        );
        let mut influxd = Influxd { folder, port: free_port(), running: None, login: None, config };
        influxd.revive();
        influxd
    }

    /// Starts it again where it was.
    pub fn revive(&mut self) {
        let log = self.folder.path().join("server.log");
        let config = self.folder.path().join("influxdb.conf");
        fs::write(&config, self.config.replace("PORT", &self.port.to_string())).unwrap();
        let mut command = Command::new(program("FLUXTOWER_INFLUXD"));
        command.arg("run").arg("-config").arg(config);
        let mut running = spawn(&mut command, &log);
        wait_until_up(&mut running, &format!("{}/ping", self.url()), &log);
        self.running = Some(running);
    }

    /// Ends it at once, as a power cut would.
    pub fn kill(&mut self) {
        self.running = None;
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Runs InfluxQL and gives the answer, which must not be an error.
    pub fn query(&self, database: &str, influxql: &str) -> Value {
        let mut request =
            client().post(format!("{}/query", self.url())).query(&[("db", database), ("epoch", "ns"), ("q", influxql)]);
        if let Some((user, password)) = &self.login {
            request = request.basic_auth(user, Some(password));
        }
        let text = request.send().unwrap().text().unwrap();
        let answer: Value = serde_json::from_str(&text).unwrap();
        assert!(!text.contains("\"error\""), "{influxql}: {text}");
        answer
    }

    /// Runs InfluxQL and gives each series of the answer, with its numbers as the server spelled them.
    pub fn series(&self, database: &str, influxql: &str) -> Vec<Series> {
        let query = [("db", database), ("epoch", "ns"), ("q", influxql)];
        let text = client().get(format!("{}/query", self.url())).query(&query).send().unwrap().text().unwrap();
        let answer: Answer = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{influxql}: {error}: {text}"));
        answer.results.into_iter().flat_map(|result| result.series).collect()
    }

    /// Writes lines behind fluxtower's back.
    pub fn write(&self, database: &str, lines: &str) {
        let request = client().post(format!("{}/write", self.url())).query(&[("db", database), ("precision", "ns")]);
        let answer = request.body(lines.to_owned()).send().unwrap();
        assert_eq!(answer.status().as_u16(), 204, "{}", answer.text().unwrap());
    }

    /// Every field of these measurements. Asked for as CSV, because reading a number out of JSON loses its last digit now
    /// and then.
    pub fn points<'a>(&self, database: &str, measurements: impl IntoIterator<Item = &'a str>) -> Points {
        let mut points = BTreeMap::new();
        for measurement in measurements {
            let influxql = format!("SELECT *::field FROM \"{measurement}\"");
            let mut request = client()
                .get(format!("{}/query", self.url()))
                .query(&[("db", database), ("epoch", "ns"), ("q", &influxql)])
                .header("Accept", "application/csv");
            if let Some((user, password)) = &self.login {
                request = request.basic_auth(user, Some(password));
            }
            let text = request.send().unwrap().text().unwrap();
            let mut reader = csv::Reader::from_reader(text.as_bytes());
            let columns = reader.headers().unwrap().clone();
            for row in reader.records().map(Result::unwrap) {
                // Name, tags and time come first.
                let at = row[2].parse().unwrap();
                for (field, value) in columns.iter().zip(&row).skip(3).filter(|(_, value)| !value.is_empty()) {
                    let twice = points.insert(Point::new(measurement, field, at), value.parse().unwrap());
                    assert_eq!(twice, None, "{row:?} is there twice");
                }
            }
        }
        points
    }
}

fn toml_text(path: &Path) -> String {
    format!("{:?}", path.to_str().unwrap())
}

/// VictoriaMetrics, single node.
pub struct Victoria {
    _folder: TempDir,
    port: u16,
    _running: Running,
}

impl Victoria {
    /// A sample sent again is a second sample to VictoriaMetrics unless it is told to keep one a millisecond.
    pub fn start() -> Victoria {
        let folder = TempDir::new().unwrap();
        let port = free_port();
        let log = folder.path().join("server.log");
        let mut command = Command::new(program("FLUXTOWER_VICTORIA"));
        command
            .arg(format!("-storageDataPath={}", folder.path().join("data").display()))
            .arg(format!("-httpListenAddr=127.0.0.1:{port}"))
            .args(["-retentionPeriod=100y", "-dedup.minScrapeInterval=1ms", "-memory.allowedBytes=256MB"]);
        let mut running = spawn(&mut command, &log);
        wait_until_up(&mut running, &format!("http://127.0.0.1:{port}/health"), &log);
        Victoria { _folder: folder, port, _running: running }
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Every value but those of fluxtower's own health, by its own export. A metric is named `measurement_field`, time is in milliseconds.
    pub fn samples(&self) -> BTreeMap<(String, i64), f64> {
        client().get(format!("{}/internal/force_flush", self.url())).send().unwrap();
        let request = client().get(format!("{}/api/v1/export", self.url())).query(&[
            ("match[]", "{__name__!~\"fluxtower_agent_.*\"}"),
            ("start", "2000-01-01T00:00:00Z"),
            ("end", "2100-01-01T00:00:00Z"),
        ]);
        let text = request.send().unwrap().text().unwrap();
        let mut samples = BTreeMap::new();
        for line in text.lines() {
            let series: Value = serde_json::from_str(line).unwrap();
            let name = series["metric"]["__name__"].as_str().unwrap();
            let (times, values) = (series["timestamps"].as_array().unwrap(), series["values"].as_array().unwrap());
            assert_eq!(times.len(), values.len());
            for (at, value) in times.iter().zip(values) {
                let twice = samples.insert((name.to_owned(), at.as_i64().unwrap()), value.as_f64().unwrap());
                assert_eq!(twice, None, "{name} {at} is there twice");
            }
        }
        samples
    }
}
