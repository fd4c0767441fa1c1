//! More connections than anybody needs, silent and slow ones, and what they cost.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use super::client::{PATIENCE, Served};
use super::station::lived;

const WANTED: usize = 10_000;

/// How many connections this computer lets a test open. Half of the handles are left to the tests that run beside it.
fn possible() -> usize {
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let line = limits.lines().find(|line| line.starts_with("Max open files")).unwrap_or_default();
    let most: Option<usize> = line.split_whitespace().nth(3).and_then(|number| number.parse().ok());
    most.map_or(500, |most| most / 2).min(WANTED)
}

/// A request that stands in a row behind silent ones waits until they are given up, ten seconds each.
const AT_ONCE: Duration = Duration::from_secs(8);

fn quick(served: &Served) -> Duration {
    let begun = Instant::now();
    served.get("/api/status").expect(200);
    begun.elapsed()
}

#[test]
fn ten_thousand_silent_connections_are_harmless() {
    let (tower, newest) = lived();
    let served = Served::start(&tower.config_path());
    quick(&served);
    let alone = Instant::now();
    assert!(tower.run(&["ingest"]).code <= 1);
    let alone = alone.elapsed();
    #[cfg(target_os = "linux")]
    let before = served.memory();
    let count = possible();
    let begun = Instant::now();
    let mut open: Vec<TcpStream> = Vec::with_capacity(count);
    let mut fastest = Duration::MAX;
    for at in 0..count {
        let mut stream = TcpStream::connect(served.address).unwrap();
        // Some say nothing, some begin a request and never end it.
        if at % 3 == 0 {
            let _ = stream.write_all(b"GET /api/status HTTP/1.1\r\nHost: localhost\r\nX-Slow: ");
        }
        open.push(stream);
        // The system holds a hundred and some connections that were not taken yet, and lets others try again after a second;
        // whoever is answered knows that those before were taken.
        if at % 100 == 99 {
            fastest = fastest.min(quick(&served));
        }
    }
    let opened = begun.elapsed();
    tower.write("met.dat", super::station::met(400, newest));
    let ingest = Instant::now();
    // Exit code 1 says that a person should look: the conflicts of this file with the one before.
    let ran = tower.run(&["ingest"]);
    assert!(ran.code <= 1, "{ran:?}");
    let ingest = ingest.elapsed();
    let after = quick(&served);
    println!(
        "{count} connections opened in {opened:.1?}; a request among them took {fastest:.1?} at least, one after them {after:.1?}; ingest beside them {ingest:.1?}"
    );
    assert!(fastest.min(after) < AT_ONCE, "{fastest:?} {after:?}");
    assert!(ingest < alone * 10 + Duration::from_secs(10), "{ingest:?}, alone {alone:?}");
    #[cfg(target_os = "linux")]
    {
        let grown = served.memory().saturating_sub(before);
        println!("memory {} MB before, {} MB more among {count} connections", before / 1_000_000, grown / 1_000_000);
        assert!(grown < 40_000_000, "{grown}");
    }
}

#[test]
fn whoever_reads_an_answer_slowly_holds_nobody_up() {
    let (tower, newest) = lived();
    let served = Served::start(&tower.config_path());
    let to = newest.timestamp_millis() + 1;
    let request = format!(
        "GET /api/trace?table=met&columns=TA,RH&from={}&to={to} HTTP/1.1\r\nHost: localhost\r\n\r\n",
        to - 86_400_000
    );
    let mut slow: Vec<TcpStream> = (0..60).map(|_| served.connect()).collect();
    for stream in &mut slow {
        stream.write_all(request.as_bytes()).unwrap();
        // One letter, and no more.
        stream.read_exact(&mut [0]).unwrap();
    }
    assert!(quick(&served) < AT_ONCE);
}

#[test]
fn a_request_that_never_ends_is_given_up() {
    let (tower, _) = lived();
    let served = Served::start(&tower.config_path());
    let mut stream = served.connect();
    stream.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n").unwrap();
    let begun = Instant::now();
    let mut rest = Vec::new();
    // A letter every second keeps no request alive.
    stream.set_read_timeout(Some(Duration::from_secs(1))).unwrap();
    loop {
        assert!(begun.elapsed() < PATIENCE, "it was still waited for");
        match stream.read_to_end(&mut rest) {
            Ok(_) => break,
            Err(error) if matches!(error.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut) => {
                let _ = stream.write_all(b"X");
            }
            Err(_) => break,
        }
    }
    println!("given up after {:.1?}", begun.elapsed());
    assert!(begun.elapsed() > Duration::from_secs(2));
}

#[test]
fn so_many_streams_and_no_more() {
    let (tower, _) = lived();
    let served = Served::start(&tower.config_path());
    let mut streams: Vec<_> = (0..32).map(|_| served.live()).collect();
    for stream in &mut streams {
        stream.next();
    }
    served.get("/api/live").expect(503);
    quick(&served);
    drop(streams);
    let begun = Instant::now();
    loop {
        let mut stream = served.connect();
        write!(stream, "GET /api/live HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
        let mut begin = [0; 12];
        stream.read_exact(&mut begin).unwrap();
        if &begin == b"HTTP/1.1 200" {
            break;
        }
        assert!(begun.elapsed() < PATIENCE, "no place came free");
        std::thread::sleep(Duration::from_millis(200));
    }
}
