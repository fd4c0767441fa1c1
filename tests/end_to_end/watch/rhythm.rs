//! When passes come, and that those in which nothing is new leave no trace.

use std::time::{Duration, Instant};

use super::agent::{Agent, full_passes, in_time, until};
use crate::support::Site;
use crate::support::server::{Act, Server};

#[test]
fn passes_of_every_come_on_a_grid_that_does_not_drift() {
    in_time(passes_on_a_grid);
}

fn passes_on_a_grid() -> Result<(), String> {
    let server = Server::start();
    // A pass takes a good part of its second; a clock that counts from the end of a pass would be late by that each time.
    server.script(|_| Act::take().after(Duration::from_millis(400)));
    let site = Site::new(&server.url());
    site.write("met", 0..1);
    let agent = Agent::start(&site, &["--every", "1s"]);
    until("the first request", || server.requests() == 1);
    let first = server.seen()[0].at;
    let begun = Instant::now();
    for requests in 2..=6 {
        // Files are read at the passes only, so the next one finds this file whole.
        site.write("met", 0..i64::try_from(requests).unwrap());
        until("the next request", || server.requests() == requests);
    }
    let took = begun.elapsed();
    agent.end();
    let seen = server.seen();
    if took > Duration::from_secs(8) {
        return Err(format!("five passes a second apart took {took:?}"));
    }
    let after: Vec<f64> = seen.iter().map(|request| request.at.duration_since(first).as_secs_f64()).collect();
    match after.iter().find(|after| (*after - after.round()).abs() >= 0.3) {
        Some(_) => Err(format!("seconds of requests after the first: {after:?}")),
        None => Ok(()),
    }
}

#[test]
fn a_sync_longer_than_the_interval_is_not_overlapped() {
    let server = Server::start();
    server.script(|_| Act::take().after(Duration::from_millis(1_300)));
    let site = Site::new(&server.url());
    site.write("met", 0..1);
    let agent = Agent::start(&site, &["--every", "1s"]);
    for requests in 1..=3 {
        until("the next request", || server.requests() == requests);
        // It is read by the next pass, which comes before this request is answered.
        site.write("met", 0..i64::try_from(requests).unwrap() + 1);
    }
    agent.end();
    let times: Vec<Instant> = server.seen().iter().map(|request| request.at).collect();
    assert!(times.len() >= 3, "{}", times.len());
    for pair in times.windows(2) {
        assert!(pair[1].duration_since(pair[0]) >= Duration::from_millis(1_250), "{pair:?}");
    }
}

#[test]
fn passes_in_which_nothing_is_new_print_and_log_nothing() {
    let server = Server::start();
    let site = Site::new(&server.url());
    site.write("met", 0..10);
    let agent = Agent::start(&site, &["--watch", "--every", "1s", "--poll", "20ms"]);
    until("rows sent", || site.count("sent") == 10);
    // What was printed last was logged before.
    until("both halves printed", || agent.stdout().len() == 2);
    let looked = |site: &Site| {
        let store = rusqlite::Connection::open(site.path("store.db")).unwrap();
        let runs: i64 = store.query_row("SELECT count(*) FROM run", [], |row| row.get(0)).unwrap();
        (std::fs::metadata(site.path("fluxtower.log")).unwrap().len(), runs)
    };
    let (before, printed) = (looked(&site), 2);
    full_passes(&site, 2);
    assert_eq!((looked(&site), agent.stdout().len()), (before, printed));
    assert_eq!(server.requests(), 1);
    assert_eq!(agent.stderr(), "");
    agent.end();
}

#[test]
fn each_collection_is_one_line_with_its_time_and_names_what_it_brought() {
    let server = Server::start();
    let site = Site::with(&server.url(), &["met", "soil"], "", "");
    site.write("met", 0..3);
    let agent = Agent::with(&site, &["run", "--watch"]);
    let line_with = |text: &str| agent.stdout().into_iter().find(|line| line.contains(text));
    until("the first collection", || line_with("met: 3 staged").is_some());
    until("its rows on the server", || line_with("sent 3 rows in").is_some());
    site.write("soil", 0..2);
    until("the second collection", || line_with("soil: 2 staged").is_some());
    let clock = |line: &str| {
        let (stamp, rest) = line.split_at(19);
        chrono::NaiveDateTime::parse_from_str(stamp, "%Y-%m-%d %H:%M:%S").is_ok() && rest.starts_with(" +00:00  ")
    };
    for text in ["met: 3 staged", "soil: 2 staged", "sent 3 rows in"] {
        let line = line_with(text).unwrap();
        assert!(clock(&line), "{line}");
    }
    agent.end();
}
