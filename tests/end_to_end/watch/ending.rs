//! Asked to end in the middle of the work.

use std::time::Duration;

use super::agent::{Agent, in_time, until};
use crate::support::Site;
use crate::support::server::{Act, Server};

#[test]
fn i5_a_signal_in_mid_sync_ends_well_with_no_row_lost_or_sent_twice() {
    for name in ["TERM", "INT"] {
        let server = Server::start();
        let site = Site::with(&server.url(), &["met"], "", "batch_rows = 20");
        site.stage(0..600);
        server.script(|_| Act::take().after(Duration::from_millis(300)));
        let mut agent = Agent::start(&site, &["--watch"]);
        until("some requests", || server.requests() >= 3);
        agent.signal(name);
        assert_eq!(agent.ends().0, Some(0), "{}", agent.stderr());
        // The request on its way was waited for, and none was begun after it.
        let sent = site.in_state("sent");
        assert!((60..600).contains(&sent.len()), "{}", sent.len());
        assert_eq!(sent, server.points().rows());
        assert_eq!(sent.len() + site.count("pending"), 600);

        server.take_all();
        site.run(&["run"]).expect(0);
        let points = server.points();
        assert_eq!((points.len(), points.repeated, points.changed), (600, 0, 0), "{name}");
        assert_eq!(points.rows(), site.in_state("sent"));
    }
}

#[test]
fn i6_a_server_that_does_not_answer_holds_the_end_up_for_seconds_only() {
    let server = Server::start();
    server.script(|_| Act::take().after(Duration::from_secs(60)));
    let site = Site::new(&server.url());
    site.stage(0..10);
    let mut agent = Agent::start(&site, &["--every", "5m"]);
    until("a request on its way", || server.requests() == 1);
    agent.signal("TERM");
    let (code, took) = agent.ends();
    assert_eq!(code, Some(0));
    assert!(took < Duration::from_secs(40), "as long as the request: {took:?}");
    // The locks went with the process; the request that nobody heard the answer of is sent again, byte for byte.
    assert_eq!((site.count("pending"), site.count("sent")), (10, 0));
    server.take_all();
    site.run(&["run"]).expect(0);
    assert_eq!((site.count("sent"), server.points().len(), server.points().changed), (10, 10, 0));
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let server = Server::start();
    server.script(|_| Act::take().after(Duration::from_secs(60)));
    let site = Site::new(&server.url());
    site.stage(0..10);
    in_time(|| {
        server.forget_requests();
        let mut agent = Agent::start(&site, &["--watch", "-v"]);
        until("a request on its way", || server.requests() == 1);
        agent.signal("INT");
        until("the first signal heard", || agent.stderr().contains("asked to end"));
        let was_up = agent.is_up();
        agent.signal("INT");
        let took = agent.ends().1;
        // One signal alone leaves it four seconds.
        if was_up && took < Duration::from_secs(2) { Ok(()) } else { Err(format!("{took:?}, up before: {was_up}")) }
    });
}

#[test]
fn it_ends_while_it_waits_for_a_server_that_is_not_there() {
    let server = Server::start();
    server.script(|_| Act::reset());
    let site = Site::new(&server.url());
    site.stage(0..10);
    in_time(|| {
        server.forget_requests();
        let mut agent = Agent::start(&site, &["--watch"]);
        // By the fourth request it waits for seconds in between.
        until("four requests", || server.requests() >= 4);
        agent.signal("TERM");
        let (code, took) = agent.ends();
        assert_eq!((code, site.count("pending")), (Some(0), 10));
        if took < Duration::from_secs(2) { Ok(()) } else { Err(format!("{took:?}")) }
    });
}
