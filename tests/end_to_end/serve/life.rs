//! How it begins, what it notices, and how it ends.

use std::time::{Duration, Instant};

use super::client::{PATIENCE, Served};
use super::station::{configured, lived, met};

#[test]
fn the_address_is_said_as_soon_as_it_answers() {
    let tower = configured();
    let served = Served::start(&tower.config_path());
    served.get("/").expect(200);
}

#[test]
fn a_port_in_use_is_reported_with_its_fix() {
    let tower = configured();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    tower.run(&["serve", "--port", &port]).expect(4).says("in use by another program").says("--port");
    tower.run(&["serve", "--port", "0", "--bind", "203.0.113.1"]).expect(4).says("check --bind");
    tower.run(&["serve", "--bind", "everywhere"]).expect(2);
}

#[test]
fn another_process_commits_and_the_page_knows_within_two_seconds() {
    let (tower, newest) = lived();
    let served = Served::start(&tower.config_path());
    let mut live = served.live();
    let mut before = live.next();
    let mut fastest = Duration::MAX;
    for round in 1..4 {
        let rows = 300 + round * 10;
        tower.write("met.dat", met(rows, newest + chrono::TimeDelta::minutes(round * 10)));
        let ran = tower.run(&["ingest"]);
        assert!(ran.code <= 1, "{ran:?}");
        let ended = Instant::now();
        let next = live.next();
        fastest = fastest.min(ended.elapsed());
        assert!(next > before);
        before = next;
        // Its commits may lie on both sides of a look.
        let until = Instant::now() + PATIENCE;
        loop {
            let status = served.json("/api/status");
            if status["tables"][1]["rows"] == rows {
                break;
            }
            assert!(Instant::now() < until, "{status}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }
    println!("fastest of three: {fastest:.1?} from the end of the ingest to the event");
    // What else runs on the machine can only make it slower.
    assert!(fastest < Duration::from_secs(2), "{fastest:?}");
}

#[test]
fn nothing_is_written_to_the_store() {
    let (tower, newest) = lived();
    let sum = |name: &str| xxhash_rust::xxh3::xxh3_64(&tower.read(name));
    let before = sum("store.db");
    let served = Served::start(&tower.config_path());
    for path in [
        "/api/station",
        "/api/status",
        "/api/gaps",
        "/api/rejected",
        "/api/flags",
        "/api/costs?from=1&to=9000000000000",
        "/api/delivery?from=1&to=9000000000000",
        "/api/coverage?table=met&from=1&to=9000000000000",
    ] {
        served.json(path);
    }
    super::station::trace_of_met(&served, newest, 100);
    drop(served);
    assert_eq!(sum("store.db"), before);
}

#[cfg(unix)]
#[test]
fn ctrl_c_and_sigterm_end_it_well_while_somebody_looks() {
    let (tower, _) = lived();
    for signal in ["INT", "TERM"] {
        let mut served = Served::start(&tower.config_path());
        let mut live = served.live();
        live.next();
        let idle = served.connect();
        let begun = Instant::now();
        served.signal(signal);
        assert_eq!(served.ends(), Some(0), "{}", served.stderr());
        println!("{signal}: {:.1?}", begun.elapsed());
        drop(idle);
    }
}

#[cfg(unix)]
#[test]
fn a_database_put_in_the_place_of_another_is_the_one_that_is_read() {
    let (tower, newest) = lived();
    let served = Served::start(&tower.config_path());
    assert_eq!(served.json("/api/status")["tables"][1]["rows"], 300);
    for name in ["store.db", "store.db-wal", "store.db-shm"] {
        let _ = std::fs::remove_file(tower.path(name));
    }
    tower.write("met.dat", met(17, newest));
    let ran = tower.run(&["ingest"]);
    assert!(ran.code <= 1, "{ran:?}");
    let until = Instant::now() + PATIENCE;
    while served.json("/api/status")["tables"][1]["rows"] != 17 {
        assert!(Instant::now() < until);
        std::thread::sleep(Duration::from_millis(50));
    }
}
