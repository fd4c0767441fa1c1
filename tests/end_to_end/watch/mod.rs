//! `run --watch` and `run --every`: an agent that stays up, driven through the binary.

mod agent;
mod ending;
mod events;
mod renewal;
mod rhythm;
mod soak;
mod trouble;

use std::time::Duration;

use crate::support::Site;
use crate::support::server::{Act, Gate, Server};
use agent::{Agent, in_time, until};

#[test]
fn a_write_reaches_the_server_within_two_seconds() {
    let server = Server::start();
    let site = Site::with(&server.url(), &["met", "wind"], "", "");
    let agent = Agent::start(&site, &["--watch"]);
    let mut minute = 0;
    let mut write = || {
        for table in ["met", "wind"] {
            site.write(table, minute * 2..(minute + 1) * 2);
        }
        minute += 1;
        let rows = usize::try_from(minute).unwrap() * 4;
        until("rows at the server", || server.points().len() >= rows)
    };
    // The first write may come before the program is up.
    write();
    in_time(|| {
        let slowest = (0..3).map(|_| write()).max().unwrap();
        println!("slowest of three writes: {} ms from the write to the server", slowest.as_millis());
        if slowest < Duration::from_secs(2) { Ok(()) } else { Err(format!("{slowest:?}")) }
    });
    until("rows marked", || site.count("sent") == site.staged());
    assert_eq!((server.points().repeated, server.points().changed), (0, 0));
    let printed = agent.stdout();
    agent.end();
    for line in printed {
        let line: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!((line.as_object().unwrap().len(), &line["findings"]), (3, &serde_json::json!([])));
        assert!(line["ingest"].is_null() != line["sync"].is_null(), "{line}");
    }
}

#[test]
fn a_line_that_is_held_is_reported_where_it_is_all_that_is_new() {
    let server = Server::start();
    let site = Site::new(&server.url());
    site.write("met", 0..2);
    let agent = Agent::start(&site, &["--watch"]);
    until("the rows", || server.points().len() == 2);
    let now = chrono::Utc::now().timestamp();
    let ahead = (now - crate::support::ns(0) / 1_000_000_000) / 60 + 3 * 1_440;
    site.write("met", [0, 1, ahead]);
    let reported = |line: &String| {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        line["ingest"]["tables"].as_array().is_some_and(|tables| tables.iter().any(|table| table["held"] == 1))
    };
    until("the held line", || agent.stdout().iter().any(reported));
    agent.end();
}

#[test]
fn i1_a_burst_of_rewrites_loses_nothing() {
    let server = Server::start();
    let site = Site::new(&server.url());
    let agent = Agent::start(&site, &["--watch"]);
    let read = |rows: i64| until("the rows read", || site.staged() >= usize::try_from(rows).unwrap());
    // As of a table that is collected again and again; each file holds what was written in the last 1.2 seconds. On a busy
    // machine the logger waits, before it overwrites what nobody could read.
    for row in 0..300 {
        site.write("met", (row - 119).max(0)..row + 1);
        std::thread::sleep(Duration::from_millis(10));
        if row % 10 == 9 {
            read((row - 100).max(0));
        }
    }
    // The last of the burst has a collection's time to be read, too.
    read(300);
    // Overwritten by one new row that no later file holds.
    for row in 300..305 {
        site.write("met", row..row + 1);
        read(row + 1);
    }
    until("every row at the server", || server.points().len() == 305);
    until("every row marked", || site.count("sent") == 305);
    assert_eq!((server.points().repeated, server.points().changed), (0, 0));
    agent.end();
}

#[test]
fn i9_a_slow_server_does_not_delay_the_reading_of_the_next_write() {
    let server = Server::start();
    let gate = Gate::default();
    let closed = gate.clone();
    server.script(move |_| Act::take().behind(&closed));
    let site = Site::new(&server.url());
    let agent = Agent::start(&site, &["--watch"]);
    site.write("met", 0..3);
    until("a request on its way", || server.requests() == 1);
    for minute in 1..4 {
        site.write("met", minute * 3..(minute + 1) * 3);
        let rows = usize::try_from(minute + 1).unwrap() * 3;
        until("the next rows staged", || site.states().len() == rows);
    }
    assert_eq!((server.requests(), site.count("sent")), (1, 0), "the first request should still lie there");
    gate.open();
    until("every row sent", || site.count("sent") == 12);
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
        // No row is overwritten before somebody on a busy machine could read it.
        until("the rows read", || site.staged() + 40 >= 2 * usize::try_from(row).unwrap());
    }
    until("every row sent", || site.count("sent") == 120);
    for agent in agents {
        agent.end();
    }
    let points = server.points();
    assert_eq!((points.len(), points.repeated, points.changed), (120, 0, 0));
    assert_eq!(points.rows(), site.in_state("sent"));
}
