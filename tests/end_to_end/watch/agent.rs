//! The program, staying up beside the test.

use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::support::Site;

/// No limit of a promise: so long is waited for what has to come, however busy the machine is.
const LIMIT: Duration = Duration::from_secs(120);

pub struct Agent {
    child: Child,
    stdout: Arc<Mutex<Vec<String>>>,
    stderr: Arc<Mutex<Vec<String>>>,
}

fn lines_of(stream: impl std::io::Read + Send + 'static) -> Arc<Mutex<Vec<String>>> {
    let lines = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&lines);
    std::thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            kept.lock().unwrap_or_else(PoisonError::into_inner).push(line);
        }
    });
    lines
}

impl Agent {
    /// `fluxtower run` with these flags and `--json`.
    pub fn start(site: &Site, flags: &[&str]) -> Agent {
        Agent::with(site, &[&["run", "--json"], flags].concat())
    }

    /// `fluxtower` with these arguments.
    pub fn with(site: &Site, arguments: &[&str]) -> Agent {
        let mut command = site.command(arguments);
        let mut child = crate::support::start(|| command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn());
        let (stdout, stderr) = (lines_of(child.stdout.take().unwrap()), lines_of(child.stderr.take().unwrap()));
        Agent { child, stdout, stderr }
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// What it printed so far, a line each.
    pub fn stdout(&self) -> Vec<String> {
        self.stdout.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub fn stderr(&self) -> String {
        self.stderr.lock().unwrap_or_else(PoisonError::into_inner).join("\n")
    }

    pub fn is_up(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// `TERM` or `INT`.
    pub fn signal(&self, name: &str) {
        let kill = format!("kill -{name} {}", self.child.id());
        assert!(std::process::Command::new("sh").args(["-c", &kill]).status().unwrap().success());
    }

    /// Waits for its end and gives the exit code and how long it took.
    pub fn ends(&mut self) -> (Option<i32>, Duration) {
        let begun = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return (status.code(), begun.elapsed());
            }
            assert!(begun.elapsed() < LIMIT, "still up after {LIMIT:?}: {}", self.stderr());
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Asks it to end, which must go well.
    pub fn end(mut self) {
        self.signal("TERM");
        assert_eq!(self.ends().0, Some(0), "{}", self.stderr());
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waits until it is so.
#[track_caller]
pub fn until(what: &str, mut is_so: impl FnMut() -> bool) -> Duration {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < LIMIT, "not within {LIMIT:?}: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
    begun.elapsed()
}

/// Waits until so many full passes have come to their end. Each of them, also one in which nothing is new, takes the lock of
/// ingest, and makes the lock's file where it is not there.
pub fn full_passes(site: &Site, number: usize) {
    let lock = site.path("store.db.ingest.lock");
    // The beginning of a pass is the end of the one before, and one may be at work now.
    for _ in 0..number + 2 {
        let _ = std::fs::remove_file(&lock);
        until("a full pass", || lock.exists());
    }
}

/// What is promised in time is tried again where it did not hold, because what else runs on the machine can only make it
/// later: what the program itself does too late, it does too late each time.
#[track_caller]
pub fn in_time(mut trial: impl FnMut() -> Result<(), String>) {
    const TRIALS: usize = 5;
    let late: Vec<String> = (0..TRIALS).map_while(|_| trial().err()).collect();
    assert!(late.len() < TRIALS, "too late {TRIALS} times: {late:#?}");
}
