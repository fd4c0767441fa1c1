//! Connections that end at the worst moment. What is not known to be stored is sent again, and nothing is there twice.

use std::time::Duration;

use crate::support::Site;
use crate::support::server::{Act, Gate, Reply, Server, Then};

/// Enough for one wait between two attempts, on a busy machine.
const PATIENT: &str = "deadline = \"3m\"";

fn site(server: &Server) -> Site {
    site_with(server, "")
}

/// For answers that do not come: so long is waited for them, and a busy machine gives the others in time.
const SHORT: &str = "timeout = \"6s\"";

fn site_with(server: &Server, destination: &str) -> Site {
    let site = Site::with(&server.url(), &["met"], destination, PATIENT);
    site.stage(0..300);
    site
}

/// Everything arrived once, in `requests` requests that reached the server whole.
fn is_whole(server: &Server, site: &Site, requests: usize) {
    site.sync().expect(0);
    assert_eq!(server.requests(), requests);
    let points = server.points();
    assert_eq!(points.rows(), site.in_state("sent"));
    assert_eq!((points.len(), points.changed), (300, 0));
    assert_eq!(site.count("pending"), 0);
}

#[test]
fn a_connection_reset_on_accept_loses_nothing() {
    let server = Server::start();
    let site = site(&server);
    // The first connection may be a question about the bucket.
    server.reset_on_accept(2);
    is_whole(&server, &site, 1);
    assert!(server.connections() >= 3);
}

#[test]
fn a_connection_reset_behind_the_headers_loses_nothing() {
    let server = Server::start();
    let site = site(&server);
    server.reset_after_headers(1);
    is_whole(&server, &site, 1);
}

#[test]
fn i5_a_connection_reset_before_the_answer_marks_nothing() {
    for stored in [false, true] {
        let server = Server::start();
        let site = site(&server);
        server.script(move |asked| match asked.number {
            1 if stored => Act::reset().and_keep(),
            1 => Act::reset(),
            _ => Act::take(),
        });
        is_whole(&server, &site, 2);
        assert_eq!(server.points().repeated, if stored { 300 } else { 0 });
    }
}

#[test]
fn i5_half_an_answer_is_no_answer() {
    let done = Reply::new(204).with("Date", "Mon, 23 Nov 2026 10:00:00 GMT");
    // In the status line; behind it; in a header; and before the empty line that ends the headers.
    for bytes in [5, 12, 26, 40, 60] {
        let server = Server::start();
        let site = site(&server);
        let done = done.clone();
        server.script(move |asked| match asked.number {
            1 => Act { then: Then::PartOf(done.clone(), bytes), ..Act::take() },
            _ => Act::take(),
        });
        is_whole(&server, &site, 2);
        assert_eq!(server.points().repeated, 300, "{bytes}");
    }
}

#[test]
fn a_refusal_that_breaks_off_is_no_refusal() {
    let server = Server::start();
    let site = site(&server);
    server.script(|asked| match asked.number {
        1 => Act {
            then: Then::PartOf(Reply::refusal(400, "unable to parse 'met': missing fields"), 130),
            ..Act::reset()
        },
        _ => Act::take(),
    });
    is_whole(&server, &site, 2);
    assert_eq!(site.count("rejected"), 0);
}

#[test]
fn i5_an_answer_that_comes_too_late_marks_nothing() {
    let (server, gate) = (Server::start(), Gate::default());
    let site = site_with(&server, SHORT);
    server.script(move |asked| match asked.number {
        1 => Act::take().behind(&gate),
        _ => Act::take(),
    });
    is_whole(&server, &site, 2);
    assert_eq!(server.points().repeated, 300);
}

#[test]
fn i5_an_answer_that_drips_is_given_up() {
    let server = Server::start();
    let site = site_with(&server, SHORT);
    let slow = Reply::refusal(400, &"unable to parse ".repeat(100)).dripping(Duration::from_millis(20));
    server.script(move |asked| match asked.number {
        1 => Act::say(slow.clone()),
        _ => Act::take(),
    });
    is_whole(&server, &site, 2);
}

#[test]
fn a_stored_request_without_an_answer_is_sent_again_by_the_next_run() {
    let server = Server::start();
    let site = Site::with(&server.url(), &["met"], "", "deadline = \"4s\"");
    site.stage(0..300);
    server.script(|_| Act::reset().and_keep());
    // Nothing was ever acknowledged here, so a person should look.
    let ran = site.sync().expect(1);
    assert_eq!(ran.json()["stopped_by"], "unreachable");
    assert_eq!((site.count("pending"), server.points().len()), (300, 300));
    server.take_all();
    site.sync().expect(0);
    assert_eq!(site.in_state("sent"), server.points().rows());
    assert_eq!(server.points().changed, 0);
}
