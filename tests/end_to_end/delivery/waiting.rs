//! Servers that ask to be left alone, fail for a while, or fail for ever because of one row.

use std::time::Duration;

use crate::support::server::{Act, Reply, Server};
use crate::support::{Site, ns};

fn site(server: &Server) -> Site {
    let site = Site::with(&server.url(), &["met"], "", "deadline = \"5m\"");
    site.stage(0..100);
    site
}

fn is_all_sent(server: &Server, site: &Site) {
    assert_eq!(site.in_state("sent"), server.points().rows());
    assert_eq!((site.count("sent"), site.count("pending")), (100, 0));
}

/// The time of these cases is spent waiting before the next attempt.
fn side_by_side<C: Send>(cases: [C; 2], case: impl Fn(C) + Sync) {
    std::thread::scope(|scope| {
        for given in cases {
            let case = &case;
            scope.spawn(move || case(given));
        }
    });
}

/// Seconds between each request and the next.
fn waits(server: &Server) -> Vec<f64> {
    let seen = server.seen();
    seen.windows(2).map(|pair| (pair[1].at - pair[0].at).as_secs_f64()).collect()
}

#[test]
fn a_retry_after_in_seconds_is_waited_for() {
    side_by_side([429, 503], |status| {
        let server = Server::start();
        let site = site(&server);
        server.script(move |asked| match asked.number {
            1 => Act::say(Reply::refusal(status, "rate limit").with("Retry-After", "3")),
            _ => Act::take(),
        });
        site.sync().expect(0);
        assert!(matches!(waits(&server)[..], [wait] if (3.0..60.0).contains(&wait)), "{:?}", waits(&server));
        is_all_sent(&server, &site);
    });
}

#[test]
fn a_retry_after_as_a_date_counts_from_the_servers_own_clock() {
    let server = Server::start();
    let site = site(&server);
    server.script(move |asked| match asked.number {
        // A server whose clock is years off.
        1 => Act::say(
            Reply::new(503)
                .with("Date", "Sat, 01 Feb 2020 10:00:00 GMT")
                .with("Retry-After", "Sat, 01 Feb 2020 10:00:03 GMT"),
        ),
        _ => Act::take(),
    });
    site.sync().expect(0);
    assert!(matches!(waits(&server)[..], [wait] if (3.0..60.0).contains(&wait)), "{:?}", waits(&server));
    is_all_sent(&server, &site);
}

#[test]
fn without_a_retry_after_the_waits_grow() {
    let server = Server::start();
    let site = site(&server);
    server.script(move |asked| match asked.number {
        1 => Act::say(Reply::new(429)),
        2 => Act::say(Reply::new(503)),
        3 => Act::say(Reply::new(502)),
        _ => Act::take(),
    });
    site.sync().expect(0);
    let waits = waits(&server);
    assert_eq!(waits.len(), 3);
    // 1 s, 2 s, 4 s, each with half of it as jitter. A busy machine makes them longer, never shorter.
    for (wait, step) in waits.iter().zip([1.0, 2.0, 4.0]) {
        assert!((step * 0.49..step * 1.51 + 30.0).contains(wait), "{waits:?}");
    }
    is_all_sent(&server, &site);
}

#[test]
fn a_wait_that_would_outlast_the_run_ends_it() {
    let server = Server::start();
    let site = site(&server);
    server.script(|_| Act::say(Reply::new(429).with("Retry-After", "3000")));
    let begun = std::time::Instant::now();
    let ran = site.sync().expect(1);
    assert!(begun.elapsed() < Duration::from_secs(150), "half of the run's time");
    assert_eq!((ran.json()["stopped_by"].as_str(), server.requests()), (Some("unreachable"), 1));
    assert_eq!(ran.json()["left_alone_s"], 3000);
    assert_eq!(site.count("pending"), 100);
}

#[test]
fn i6_a_400_of_a_server_that_is_shutting_down_sets_nothing_aside() {
    let server = Server::start();
    let site = site(&server);
    server.script(|asked| match asked.number {
        1 => Act::refuse(400, "write buffer error: error from wal: wal is shutdown and not accepting writes"),
        2 => Act::refuse(400, "write buffer error: error from wal: wal buffer full with 1000 ops"),
        _ => Act::take(),
    });
    site.sync().expect(0);
    assert_eq!((site.count("rejected"), server.requests()), (0, 3));
    is_all_sent(&server, &site);
}

#[test]
fn i6_a_500_that_passes_sets_nothing_aside() {
    let server = Server::start();
    let site = site(&server);
    server.script(|asked| match asked.number {
        1 | 2 => Act::refuse(500, "timeout"),
        _ => Act::take(),
    });
    site.sync().expect(0);
    assert_eq!((site.count("rejected"), server.requests()), (0, 3));
    is_all_sent(&server, &site);
}

#[test]
fn i6_a_500_that_repeats_for_one_row_does_not_block_the_others() {
    // The first row is the worst: nothing is accepted before it stands alone.
    side_by_side([0, 99], |culprit| {
        let server = Server::start();
        let site = site(&server);
        server.script(move |asked| match asked.has(ns(culprit)) {
            true => Act::refuse(500, "engine: field type conflict"),
            false => Act::take(),
        });
        site.sync().expect(1);
        assert_eq!(site.in_state("rejected"), [("met".to_owned(), ns(culprit))].into());
        assert_eq!(site.in_state("sent"), server.points().rows());
        assert_eq!((site.count("sent"), site.count("pending")), (99, 0));
    });
}

#[test]
fn i6_a_server_that_only_ever_fails_is_not_taken_for_bad_rows() {
    let server = Server::start();
    let site = Site::with(&server.url(), &["met"], "", "deadline = \"8s\"");
    site.stage(0..100);
    site.sync().expect(0);
    site.stage(0..200);
    server.forget_requests();
    server.script(|_| Act::refuse(500, "an internal error has occurred"));
    // Rows were acknowledged a moment ago, so this is an outage and no reason to call a person.
    let ran = site.sync().expect(0);
    assert_eq!((ran.json()["stopped_by"].as_str(), ran.number("rejected")), (Some("unreachable"), 0));
    assert_eq!(site.count("pending"), 100);
    assert!(server.requests() < 60, "{} requests to a server that fails", server.requests());
}

#[test]
fn i5_a_bucket_that_only_ever_fails_leaves_most_of_the_run_to_the_others() {
    let server = Server::start();
    let site = Site::with(&server.url(), &["met", "soil"], "", "batch_rows = 100\nrequests = 1\ndeadline = \"16s\"");
    site.stage(0..500);
    server.script(|asked| match asked.lines.starts_with("soil") {
        true => Act::refuse(500, "an internal error has occurred"),
        false => Act::take(),
    });
    let ran = site.sync().expect(0);
    assert_eq!((ran.json()["stopped_by"].as_str(), ran.number("rejected")), (Some("unreachable"), 0));
    assert_eq!((site.count("sent"), site.count("pending")), (500, 500), "{}", ran.notes());
}
