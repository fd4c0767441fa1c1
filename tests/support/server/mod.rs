//! A stand-in for InfluxDB on loopback, for tests of the delivery side.
//!
//! It keeps what a real server would keep: the points of every request that it takes, read by InfluxData's own parser.
//! A script decides what happens to each request, so that a test can say what the network did at which moment. It
//! follows no clock and no chance; it ends with the test.

mod act;
mod http;
mod points;
mod removal;

use std::io::Write as _;
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

pub use act::{Act, Asked, Gate, Reply, Then};
pub use points::{Points, Taken};
pub use removal::Removed;

/// What the agent says of itself is none of the rows that these tests count.
const HEALTH: &str = "fluxtower_agent";
/// The agent asks for the removal of this to learn whether it may.
const NOBODY: &str = "fluxtower_no_such_measurement";

/// A write request that arrived whole.
#[derive(Debug, Clone)]
pub struct Seen {
    pub path: String,
    pub headers: Vec<(String, String)>,
    pub lines: String,
    pub wire_bytes: usize,
    /// When it had arrived.
    pub at: Instant,
}

impl Seen {
    pub fn rows(&self) -> usize {
        self.lines.lines().count()
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        http::header(&self.headers, name)
    }

    /// The time at the end of each line.
    pub fn times(&self) -> Vec<i64> {
        self.lines.lines().map(|line| line.rsplit(' ').next().unwrap().parse().unwrap()).collect()
    }
}

type Script = Box<dyn FnMut(&Asked<'_>) -> Act + Send>;
type Questions = Box<dyn FnMut(&str) -> Option<Reply> + Send>;

struct State {
    points: Points,
    seen: Vec<Seen>,
    script: Script,
    connections: usize,
    resets_on_accept: usize,
    resets_after_headers: usize,
    retention: Duration,
    questions: Questions,
    health: Vec<String>,
    removed: Vec<Removed>,
    open: Vec<TcpStream>,
    /// Write requests that lie here now, and the most at any time.
    at_once: (usize, usize),
}

struct Shared {
    state: Mutex<State>,
    /// By how many seconds the `Date` of answers is ahead.
    date: Arc<AtomicI64>,
    stop: AtomicBool,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sleeps, unless the test is over.
    fn pause(&self, length: Duration) {
        let until = Instant::now() + length;
        while Instant::now() < until && !self.stop.load(Ordering::Relaxed) {
            std::thread::sleep(Duration::from_millis(5).min(until.saturating_duration_since(Instant::now())));
        }
    }
}

/// The stand-in. It takes everything until a script says otherwise.
pub struct Server {
    address: SocketAddr,
    shared: Arc<Shared>,
    acceptor: Option<JoinHandle<()>>,
}

impl Server {
    pub fn start() -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let state = State {
            points: Points::default(),
            seen: Vec::new(),
            script: Box::new(|_| Act::take()),
            connections: 0,
            resets_on_accept: 0,
            resets_after_headers: 0,
            retention: Duration::ZERO,
            questions: Box::new(|_| None),
            health: Vec::new(),
            removed: Vec::new(),
            open: Vec::new(),
            at_once: (0, 0),
        };
        let shared = Arc::new(Shared { state: Mutex::new(state), date: Arc::default(), stop: AtomicBool::new(false) });
        let for_acceptor = Arc::clone(&shared);
        let acceptor = std::thread::spawn(move || accept(&listener, &for_acceptor));
        Server { address, shared, acceptor: Some(acceptor) }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What happens to write requests from now on. They are numbered from 1, from now on.
    pub fn script(&self, mut script: impl FnMut(&Asked<'_>) -> Act + Send + 'static) {
        let mut number = 0;
        self.shared.lock().script = Box::new(move |asked| {
            number += 1;
            script(&Asked { number, ..*asked })
        });
    }

    /// Everything is taken from now on.
    pub fn take_all(&self) {
        self.script(|_| Act::take());
    }

    /// Resets the next connections as soon as they stand.
    pub fn reset_on_accept(&self, connections: usize) {
        self.shared.lock().resets_on_accept = connections;
    }

    /// Resets the next write requests when their headers are read and their bodies are not.
    pub fn reset_after_headers(&self, requests: usize) {
        self.shared.lock().resets_after_headers = requests;
    }

    /// How long the buckets say that they keep rows; zero means for ever, as at first.
    pub fn keep_for(&self, retention: Duration) {
        self.shared.lock().retention = retention;
    }

    /// What is not a write is answered so, by its path and query; None leaves it to the stand-in.
    pub fn answer(&self, questions: impl FnMut(&str) -> Option<Reply> + Send + 'static) {
        self.shared.lock().questions = Box::new(questions);
    }

    /// Hears heartbeats under `/beat` from now on, and counts them.
    pub fn beats(&self) -> Arc<AtomicUsize> {
        let beats = Arc::new(AtomicUsize::new(0));
        let heard = Arc::clone(&beats);
        self.answer(move |path| {
            path.starts_with("/beat").then(|| {
                heard.fetch_add(1, Ordering::Relaxed);
                Reply::json(200, "ok")
            })
        });
        beats
    }

    /// By how many seconds the `Date` of its answers is ahead of the right time.
    pub fn date(&self) -> Arc<AtomicI64> {
        Arc::clone(&self.shared.date)
    }

    /// What the agent said of itself.
    pub fn health(&self) -> Vec<String> {
        self.shared.lock().health.clone()
    }

    /// Write requests with rows that arrived whole, whatever became of them.
    pub fn seen(&self) -> Vec<Seen> {
        self.shared.lock().seen.clone()
    }

    pub fn requests(&self) -> usize {
        self.shared.lock().seen.len()
    }

    /// The most write requests that lay here at the same time.
    pub fn most_at_once(&self) -> usize {
        self.shared.lock().at_once.1
    }

    pub fn forget_requests(&self) {
        self.shared.lock().seen.clear();
    }

    /// Removals that were made, without the question whether they may be.
    pub fn removed(&self) -> Vec<Removed> {
        self.shared.lock().removed.clone()
    }

    /// Another writer's lines.
    pub fn put(&self, lines: &str) {
        self.shared.lock().points.add(lines);
    }

    /// Loses the points of the series with such an identity: measurement and sorted tags.
    pub fn drop_series(&self, is_lost: impl Fn(&str) -> bool) {
        self.shared.lock().points.map.retain(|(series, _), _| !is_lost(series));
    }

    pub fn connections(&self) -> usize {
        self.shared.lock().connections
    }

    /// Everything that was taken. Whatever was wrong with it fails the test here.
    pub fn points(&self) -> Points {
        let points = self.shared.lock().points.clone();
        assert!(points.faults.is_empty(), "the server could not read what it took: {:?}", points.faults);
        points
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
        let _ = TcpStream::connect(self.address);
        for stream in &self.shared.lock().open {
            let _ = stream.shutdown(Shutdown::Both);
        }
        if let Some(acceptor) = self.acceptor.take() {
            let _ = acceptor.join();
        }
    }
}

/// A port of loopback that refuses connections until this program ends: it is the near end of a connection, so the system
/// gives it to no listener of a test that runs beside.
pub fn closed_port() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let near = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let far = listener.accept().unwrap();
    let url = format!("http://{}", near.local_addr().unwrap());
    std::mem::forget((near, far));
    url
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    let mut talks = Vec::new();
    for stream in listener.incoming() {
        if shared.stop.load(Ordering::Relaxed) {
            break;
        }
        let Ok(stream) = stream else { continue };
        let mut state = shared.lock();
        state.connections += 1;
        if state.resets_on_accept > 0 {
            state.resets_on_accept -= 1;
            continue;
        }
        state.open.push(stream.try_clone().unwrap());
        drop(state);
        let shared = Arc::clone(shared);
        talks.push(std::thread::spawn(move || {
            talk(&stream, &shared);
            let _ = stream.shutdown(Shutdown::Both);
        }));
    }
    for talk in talks {
        let _ = talk.join();
    }
}

/// One connection, until either side ends it.
fn talk(stream: &TcpStream, shared: &Shared) {
    while let Some(head) = http::read_head(stream) {
        if !head.is_write() {
            let Some(body) = http::read_body(stream, &head) else { return };
            let scripted = (shared.lock().questions)(&head.path);
            let body = String::from_utf8_lossy(&body);
            let reply = scripted
                .or_else(|| removal_reply(&head, &body, shared))
                .unwrap_or_else(|| answer_question(&head, shared));
            if reply.send(stream, shared, None).is_none() {
                return;
            }
            continue;
        }
        let is_reset = {
            let mut state = shared.lock();
            let is_reset = state.resets_after_headers > 0;
            state.resets_after_headers -= usize::from(is_reset);
            is_reset
        };
        if is_reset {
            return;
        }
        let Some(body) = http::read_body(stream, &head) else { return };
        if take(stream, shared, &head, &body).is_none() {
            return;
        }
    }
}

/// A write request that arrived whole. None when the connection is to end.
fn take(stream: &TcpStream, shared: &Shared, head: &http::Head, body: &[u8]) -> Option<()> {
    if body.is_empty() && head.header("content-encoding").is_none() {
        // `check` asks so whether a write would be taken; real servers answer as to a write
        // (docs/influx-answers.md#asking-whether-a-write-would-be-taken).
        let then = (shared.lock().script)(&Asked { number: 0, lines: "", rows: 0, headers: &head.headers }).then;
        return match then {
            Then::Answer(reply) => reply.send(stream, shared, None),
            Then::PartOf(reply, bytes) => reply.send(stream, shared, Some(bytes)),
            Then::Reset => None,
        };
    }
    let lines = match points::decode(head.header("content-encoding"), body) {
        Ok(lines) => lines,
        Err(fault) => {
            shared.lock().points.faults.push(fault);
            return Reply::new(400).send(stream, shared, None);
        }
    };
    if lines.starts_with(HEALTH) {
        shared.lock().health.push(lines);
        return Reply::new(204).send(stream, shared, None);
    }
    let act = {
        let mut state = shared.lock();
        let asked = Asked { number: 0, lines: &lines, rows: lines.lines().count(), headers: &head.headers };
        let act = (state.script)(&asked);
        state.seen.push(Seen {
            path: head.path.clone(),
            headers: head.headers.clone(),
            lines: lines.clone(),
            wire_bytes: body.len(),
            at: Instant::now(),
        });
        if act.stores {
            state.points.add(&lines);
        }
        state.at_once.0 += 1;
        state.at_once.1 = state.at_once.1.max(state.at_once.0);
        act
    };
    shared.pause(act.wait);
    while act.gate.as_ref().is_some_and(|gate| !gate.is_open()) && !shared.stop.load(Ordering::Relaxed) {
        shared.pause(Duration::from_millis(5));
    }
    shared.lock().at_once.0 -= 1;
    match act.then {
        Then::Answer(reply) => reply.send(stream, shared, None),
        Then::PartOf(reply, bytes) => reply.send(stream, shared, Some(bytes)),
        Then::Reset => None,
    }
}

/// Removals, and the questions that go before them.
fn removal_reply(head: &http::Head, body: &str, shared: &Shared) -> Option<Reply> {
    let mut state = shared.lock();
    let mut take = |removed: Removed| {
        removed.act(&mut state.points);
        if removed.measurement != NOBODY {
            state.removed.push(removed);
        }
    };
    match head.path.split('?').next().unwrap_or_default() {
        "/api/v2/delete" => {
            take(Removed::of_v2(body)?);
            Some(Reply::new(204))
        }
        "/api/v2/query" if body.contains("|> first()") => {
            let query: serde_json::Value = serde_json::from_str(body).ok()?;
            let asked = Removed::of_flux(query["query"].as_str()?)?;
            Some(Reply { body: asked.series(&state.points), ..Reply::new(200) }.with("Content-Type", "text/csv"))
        }
        "/query" => {
            let (_, statement) = url::form_urlencoded::parse(body.as_bytes()).find(|(key, _)| key == "q")?;
            if statement.starts_with("SHOW TAG KEYS") {
                let keys: std::collections::BTreeSet<String> = state
                    .points
                    .map
                    .keys()
                    .flat_map(|(series, _)| series.split(',').skip(1).filter_map(|part| part.split_once('=')))
                    .map(|(key, _)| format!("[\"{key}\"]"))
                    .collect();
                let keys = keys.into_iter().collect::<Vec<_>>().join(",");
                let series = format!(r#"{{"name":"m","columns":["tagKey"],"values":[{keys}]}}"#);
                return Some(Reply::json(200, &format!(r#"{{"results":[{{"statement_id":0,"series":[{series}]}}]}}"#)));
            }
            if let Some(asked) = Removed::of_v1_question(&statement) {
                let series = asked.series_of_v1(&state.points);
                let answer = format!(r#"{{"results":[{{"statement_id":0,"series":[{series}]}}]}}"#);
                return Some(Reply::json(200, &answer));
            }
            take(Removed::of_v1(&statement)?);
            Some(Reply::json(200, r#"{"results":[{"statement_id":0}]}"#))
        }
        _ => None,
    }
}

/// What is not a write: a look at the buckets, a query, a sign of life.
fn answer_question(head: &http::Head, shared: &Shared) -> Reply {
    match head.path.split('?').next().unwrap_or_default() {
        "/api/v2/buckets" => {
            let name = head.parameter("name").unwrap_or_default();
            let seconds = shared.lock().retention.as_secs();
            let rules = match seconds {
                0 => String::new(),
                seconds => format!(r#"{{"type":"expire","everySeconds":{seconds}}}"#),
            };
            Reply::json(
                200,
                &format!(
                    r#"{{"buckets":[{{"id":"b-{name}","orgID":"o","name":"{name}","retentionRules":[{rules}]}}]}}"#
                ),
            )
        }
        "/query" => Reply::json(200, r#"{"results":[{"statement_id":0}]}"#),
        "/ping" => Reply::new(204),
        _ => Reply::json(404, r#"{"code":"not found","message":"path not found"}"#),
    }
}

impl Reply {
    /// None when the connection is to end.
    fn send(&self, mut stream: &TcpStream, shared: &Shared, most: Option<usize>) -> Option<()> {
        let bytes = self.bytes(chrono::TimeDelta::seconds(shared.date.load(Ordering::Relaxed)));
        let most = most.unwrap_or(bytes.len()).min(bytes.len());
        if self.drip.is_zero() {
            stream.write_all(&bytes[..most]).ok()?;
        } else {
            for byte in &bytes[..most] {
                stream.write_all(std::slice::from_ref(byte)).ok()?;
                shared.pause(self.drip);
            }
        }
        (most == bytes.len() && !shared.stop.load(Ordering::Relaxed)).then_some(())
    }
}
