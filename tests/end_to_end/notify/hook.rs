//! A webhook on loopback: keeps what is posted to it, and answers as the test says.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;

/// A request that arrived whole.
#[derive(Debug, Clone)]
pub struct Posted {
    /// Request line and headers.
    pub head: String,
    pub body: String,
}

impl Posted {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines().skip(1).filter_map(|line| line.split_once(": "));
        lines.into_iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
    }
}

/// What the hook does with a request.
#[derive(Debug, Clone)]
pub enum Answer {
    /// The status, further headers, each with its line end, and a body.
    Say(u16, String, String),
    /// Nothing, until the test ends.
    Hang,
}

impl Answer {
    pub fn status(status: u16) -> Answer {
        Answer::Say(status, String::new(), String::new())
    }

    pub fn with(status: u16, body: &str) -> Answer {
        Answer::Say(status, String::new(), body.to_owned())
    }
}

struct Shared {
    posted: Mutex<Vec<Posted>>,
    answer: Mutex<Answer>,
    stop: AtomicBool,
}

/// A webhook. It takes everything until it is told otherwise, and ends with the test.
pub struct Hook {
    address: SocketAddr,
    shared: Arc<Shared>,
}

impl Hook {
    pub fn start() -> Hook {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let shared = Arc::new(Shared {
            posted: Mutex::default(),
            answer: Mutex::new(Answer::status(200)),
            stop: AtomicBool::new(false),
        });
        let hook = Hook { address: listener.local_addr().unwrap(), shared: Arc::clone(&shared) };
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if shared.stop.load(Ordering::Relaxed) {
                    return;
                }
                let shared = Arc::clone(&shared);
                std::thread::spawn(move || talk(&stream, &shared));
            }
        });
        hook
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn host(&self) -> String {
        self.address.to_string()
    }

    /// Every request from now on is answered so.
    pub fn answers(&self, answer: Answer) {
        *self.shared.answer.lock().unwrap() = answer;
    }

    pub fn posted(&self) -> Vec<Posted> {
        self.shared.posted.lock().unwrap().clone()
    }

    /// The value under this key in each JSON that was posted.
    pub fn told(&self, key: &str) -> Vec<String> {
        let of = |posted: Posted| posted.json()[key].as_str().unwrap_or_default().to_owned();
        self.posted().into_iter().map(of).collect()
    }
}

impl Drop for Hook {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
        let _ = TcpStream::connect(self.address);
    }
}

fn talk(stream: &TcpStream, shared: &Shared) {
    let mut reader = BufReader::new(stream);
    loop {
        let mut head = String::new();
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line).unwrap_or(0) == 0 {
                return;
            }
            if line == "\r\n" {
                break;
            }
            head.push_str(&line);
        }
        let mut posted = Posted { head, body: String::new() };
        let length = posted.header("content-length").map_or(0, |length| length.parse().unwrap());
        let mut body = vec![0; length];
        if reader.read_exact(&mut body).is_err() {
            return;
        }
        posted.body = String::from_utf8(body).unwrap();
        shared.posted.lock().unwrap().push(posted);
        let answer = shared.answer.lock().unwrap().clone();
        match answer {
            Answer::Say(status, headers, body) => {
                let answer = format!("HTTP/1.1 {status} X\r\n{headers}Content-Length: {}\r\n\r\n{body}", body.len());
                let mut stream = stream;
                if stream.write_all(answer.as_bytes()).is_err() {
                    return;
                }
            }
            Answer::Hang => {
                while !shared.stop.load(Ordering::Relaxed) {
                    std::thread::sleep(Duration::from_millis(10));
                }
                return;
            }
        }
    }
}
