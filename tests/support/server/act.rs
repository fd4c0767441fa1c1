//! What a script can do with a write request.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// A write request, as a script sees it.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// From 1, since the script was set.
    pub number: usize,
    pub lines: &'a str,
    pub rows: usize,
    pub headers: &'a [(String, String)],
}

impl Asked<'_> {
    /// Whether a line with this time is in it.
    pub fn has(&self, ns: i64) -> bool {
        let end = format!(" {ns}");
        self.lines.lines().any(|line| line.ends_with(&end))
    }
}

/// Requests lie behind it until a test opens it: that way a test says what has to happen before the answer, and no time
/// has to be long enough for it.
#[derive(Debug, Clone, Default)]
pub struct Gate(Arc<AtomicBool>);

impl Gate {
    pub fn open(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_open(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// What becomes of a write request.
#[derive(Debug, Clone)]
pub struct Act {
    /// Whether its points are kept.
    pub stores: bool,
    /// How long it lies there before the answer.
    pub wait: Duration,
    /// Behind which it lies before the answer.
    pub gate: Option<Gate>,
    pub then: Then,
}

#[derive(Debug, Clone)]
pub enum Then {
    Answer(Reply),
    /// So many bytes of an answer, then the end of the connection.
    PartOf(Reply, usize),
    Reset,
}

impl Act {
    /// Kept and acknowledged.
    pub fn take() -> Act {
        Act { stores: true, wait: Duration::ZERO, gate: None, then: Then::Answer(Reply::new(204)) }
    }

    /// Not kept, and this answer.
    pub fn say(reply: Reply) -> Act {
        Act { stores: false, wait: Duration::ZERO, gate: None, then: Then::Answer(reply) }
    }

    /// Not kept, and a refusal as InfluxDB 2 words it.
    pub fn refuse(status: u16, message: &str) -> Act {
        Act::say(Reply::refusal(status, message))
    }

    /// Not answered at all.
    pub fn reset() -> Act {
        Act { stores: false, wait: Duration::ZERO, gate: None, then: Then::Reset }
    }

    pub fn and_keep(self) -> Act {
        Act { stores: true, ..self }
    }

    pub fn after(self, wait: Duration) -> Act {
        Act { wait, ..self }
    }

    /// The answer comes when the gate is opened.
    pub fn behind(self, gate: &Gate) -> Act {
        Act { gate: Some(gate.clone()), ..self }
    }
}

/// An HTTP response.
#[derive(Debug, Clone)]
pub struct Reply {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: String,
    /// Pause after each byte.
    pub drip: Duration,
}

impl Reply {
    pub fn new(status: u16) -> Reply {
        Reply { status, headers: Vec::new(), body: String::new(), drip: Duration::ZERO }
    }

    pub fn json(status: u16, body: &str) -> Reply {
        Reply { body: body.to_owned(), ..Reply::new(status) }.with("Content-Type", "application/json")
    }

    pub fn html(status: u16, body: &str) -> Reply {
        Reply { body: body.to_owned(), ..Reply::new(status) }.with("Content-Type", "text/html")
    }

    /// `{"code", "message"}`: Cloud and InfluxDB 2, and the v2 endpoint of InfluxDB 3.
    pub fn refusal(status: u16, message: &str) -> Reply {
        Reply::json(status, &serde_json::json!({ "code": "invalid", "message": message }).to_string())
    }

    pub fn with(mut self, name: &str, value: &str) -> Reply {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn dripping(self, drip: Duration) -> Reply {
        Reply { drip, ..self }
    }

    pub(super) fn bytes(&self, ahead: chrono::TimeDelta) -> Vec<u8> {
        let mut head = format!("HTTP/1.1 {} Whatever\r\n", self.status);
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        // As every server does.
        if !self.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("date")) {
            head.push_str(&format!("Date: {}\r\n", (chrono::Utc::now() + ahead).format("%a, %d %b %Y %H:%M:%S GMT")));
        }
        if self.status != 204 {
            head.push_str(&format!("Content-Length: {}\r\n", self.body.len()));
        }
        format!("{head}\r\n{}", self.body).into_bytes()
    }
}
