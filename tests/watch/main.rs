//! `run --watch` and `run --every`: an agent that stays up, driven through the binary.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

#[path = "../support/dice.rs"]
mod dice;
#[path = "../server/mod.rs"]
mod server;

mod agent;
mod ending;
mod rhythm;
mod soak;
mod trouble;

use std::time::Duration;

use agent::{Agent, until};
use server::{Act, Server, Site};

const SOON: Duration = Duration::from_secs(10);

#[test]
fn a_write_reaches_the_server_within_two_seconds() {
    let server = Server::start();
    let site = Site::with(&server.url(), &["met", "wind"], "", "");
    let agent = Agent::start(&site, &["--watch"]);
    let mut slowest = Duration::ZERO;
    for minute in 0..8 {
        for table in ["met", "wind"] {
            site.write(table, minute * 2..(minute + 1) * 2);
        }
        let rows = usize::try_from(minute + 1).unwrap() * 4;
        let took = until("rows at the server", SOON, || server.points().len() >= rows);
        // The first write may come before the program is up.
        if minute > 0 {
            slowest = slowest.max(took);
        }
    }
    println!("slowest of seven writes: {} ms from the write to the server", slowest.as_millis());
    assert!(slowest < Duration::from_secs(2), "{slowest:?}");
    until("rows marked", SOON, || site.count("sent") == 32);
    assert_eq!((server.points().repeated, server.points().changed), (0, 0));
    let printed = agent.stdout();
    agent.end();
    for line in printed {
        let line: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(line.as_object().unwrap().len(), 2);
        assert!(line["ingest"].is_null() != line["sync"].is_null(), "{line}");
    }
}

#[test]
fn i1_a_burst_of_rewrites_loses_nothing() {
    let server = Server::start();
    let site = Site::new(&server.url());
    let agent = Agent::start(&site, &["--watch"]);
    // As of a table that is collected again and again; each file holds what was written in the last 1.2 seconds.
    for row in 0..300 {
        site.write("met", (row - 119).max(0)..row + 1);
        std::thread::sleep(Duration::from_millis(10));
    }
    // The last of the burst has a collection's time to be read, too.
    std::thread::sleep(Duration::from_secs(1));
    // Overwritten each second by one new row that no later file holds.
    for row in 300..305 {
        site.write("met", row..row + 1);
        std::thread::sleep(Duration::from_secs(1));
    }
    until("every row at the server", SOON, || server.points().len() == 305);
    until("every row marked", SOON, || site.count("sent") == 305);
    assert_eq!((server.points().repeated, server.points().changed), (0, 0));
    agent.end();
}

#[test]
fn i9_a_slow_server_does_not_delay_the_reading_of_the_next_write() {
    let server = Server::start();
    server.script(|_| Act::take().after(Duration::from_secs(5)));
    let site = Site::new(&server.url());
    let agent = Agent::start(&site, &["--watch"]);
    site.write("met", 0..3);
    until("a request on its way", SOON, || server.requests() == 1);
    for minute in 1..4 {
        site.write("met", minute * 3..(minute + 1) * 3);
        let rows = usize::try_from(minute + 1).unwrap() * 3;
        let took = until("the next rows staged", SOON, || site.states().len() == rows);
        assert!(took < Duration::from_millis(1_500), "{took:?}");
    }
    assert_eq!((server.requests(), site.count("sent")), (1, 0), "the first request should still lie there");
    until("every row sent", Duration::from_secs(20), || site.count("sent") == 12);
    assert_eq!(server.requests(), 2);
    agent.end();
}

#[test]
fn two_agents_on_one_store_do_no_harm() {
    let server = Server::start();
    let site = Site::with(&server.url(), &["met", "wind"], "", "");
    let agents = [Agent::start(&site, &["--watch"]), Agent::start(&site, &["--watch", "--every", "1s"])];
    for row in 0..60 {
        for table in ["met", "wind"] {
            site.write(table, (row - 30).max(0)..row + 1);
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    until("every row sent", SOON, || site.count("sent") == 120);
    for agent in agents {
        agent.end();
    }
    let points = server.points();
    assert_eq!((points.len(), points.repeated, points.changed), (120, 0, 0));
    assert_eq!(points.rows(), site.in_state("sent"));
}
