//! When passes come, and that those in which nothing is new leave no trace.

use std::time::{Duration, Instant};

use crate::SOON;
use crate::agent::{Agent, until};
use crate::server::{Act, Server, Site};

#[test]
fn passes_of_every_come_on_a_grid_that_does_not_drift() {
    let server = Server::start();
    // A pass takes a good part of its second; a clock that counts from the end of a pass would be late by that each time.
    server.script(|_| Act::take().after(Duration::from_millis(400)));
    let site = Site::new(&server.url());
    site.write("met", 0..1);
    let agent = Agent::start(&site, &["--every", "1s"]);
    until("the first request", SOON, || server.requests() == 1);
    let first = server.seen()[0].at;
    for row in 1..60 {
        site.write("met", 0..row + 1);
        std::thread::sleep(Duration::from_millis(130));
    }
    agent.end();
    let seen = server.seen();
    assert!((7..=10).contains(&seen.len()), "{} requests in eight seconds", seen.len());
    for request in &seen {
        let after = request.at.duration_since(first).as_secs_f64();
        let beside = (after - after.round()).abs();
        assert!(beside < 0.3, "a request {after} s after the first");
    }
}

#[test]
fn a_sync_longer_than_the_interval_is_not_overlapped() {
    let server = Server::start();
    server.script(|_| Act::take().after(Duration::from_millis(2_500)));
    let site = Site::new(&server.url());
    site.write("met", 0..1);
    let agent = Agent::start(&site, &["--every", "1s"]);
    for row in 1..40 {
        site.write("met", 0..row + 1);
        std::thread::sleep(Duration::from_millis(200));
    }
    agent.end();
    let times: Vec<Instant> = server.seen().iter().map(|request| request.at).collect();
    assert!(times.len() >= 3, "{}", times.len());
    for pair in times.windows(2) {
        assert!(pair[1].duration_since(pair[0]) >= Duration::from_millis(2_400), "{pair:?}");
    }
}

#[test]
fn passes_in_which_nothing_is_new_print_and_log_nothing() {
    let server = Server::start();
    let site = Site::new(&server.url());
    site.write("met", 0..10);
    let agent = Agent::start(&site, &["--watch", "--every", "1s", "--poll", "20ms"]);
    until("rows sent", SOON, || site.count("sent") == 10);
    // The second reading of the changed file has passed by then.
    std::thread::sleep(Duration::from_millis(500));
    let looked = |site: &Site| {
        let store = rusqlite::Connection::open(site.path("store.db")).unwrap();
        let runs: i64 = store.query_row("SELECT count(*) FROM run", [], |row| row.get(0)).unwrap();
        (std::fs::metadata(site.path("fluxtower.log")).unwrap().len(), runs)
    };
    let (before, printed) = (looked(&site), agent.stdout().len());
    assert_eq!(printed, 2, "{:?}", agent.stdout());
    std::thread::sleep(Duration::from_secs(5));
    assert_eq!((looked(&site), agent.stdout().len()), (before, printed));
    assert_eq!(server.requests(), 1);
    assert_eq!(agent.stderr(), "");
    agent.end();
}
