//! Several requests in flight: what is acknowledged, in which order receipts are written, and what trouble does.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::support::server::{Act, Server};
use crate::support::{Site, ns};

fn site(server: &Server, sync: &str) -> Site {
    let site = Site::with(&server.url(), &["met"], "", &format!("batch_rows = 100\n{sync}"));
    site.stage(0..2_000);
    site
}

/// The oldest row of each acknowledged request, in the order of the receipts.
fn receipts(site: &Site) -> Vec<i64> {
    let store = rusqlite::Connection::open(site.path("store.db")).unwrap();
    let mut statement = store
        .prepare(
            "SELECT min(w.first_id) FROM receipt r JOIN receipt_rows w ON w.receipt = r.id WHERE r.outcome = 'stored'
             GROUP BY r.id ORDER BY r.id",
        )
        .unwrap();
    statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}

#[test]
fn i5_receipts_stand_in_the_order_of_planning_whatever_the_order_of_the_answers() {
    let server = Server::start();
    let site = site(&server, "requests = 4");
    // The earlier a request comes, the later it is answered.
    server.script(|asked| {
        Act::take().after(Duration::from_millis(match asked.number % 4 {
            1 => 160,
            2 => 80,
            3 => 40,
            _ => 0,
        }))
    });
    site.sync().expect(0);
    assert_eq!(site.count("sent"), 2_000);
    assert_eq!(site.in_state("sent"), server.points().rows());
    let receipts = receipts(&site);
    assert_eq!(receipts.len(), 20);
    // The live picture first, then the backlog, oldest first.
    assert!(receipts[1..].is_sorted() && receipts[0] > receipts[19], "{receipts:?}");
}

#[test]
fn requests_overlap_where_the_server_waits_and_never_more_than_configured() {
    for most in [1, 3] {
        let server = Server::start();
        let site = site(&server, &format!("requests = {most}"));
        server.script(|_| Act::take().after(Duration::from_millis(60)));
        site.sync().expect(0);
        assert_eq!(server.most_at_once(), most, "requests = {most}");
        assert_eq!(site.count("sent"), 2_000);
    }
}

#[test]
fn the_live_picture_is_acknowledged_before_the_backlog_begins() {
    let server = Server::start();
    let site = site(&server, "requests = 4");
    server.script(|asked| match asked.number {
        1 => Act::take().after(Duration::from_millis(300)),
        _ => Act::take(),
    });
    site.sync().expect(0);
    let seen = server.seen();
    assert!(seen[0].times().contains(&ns(1_999)), "the newest row is in the first request");
    assert!(seen[1].at - seen[0].at >= Duration::from_millis(300), "the backlog began before");
}

#[test]
fn i5_answers_of_requests_in_flight_count_although_one_before_them_failed() {
    for status in [503, 400] {
        let server = Server::start();
        let site = site(&server, "requests = 4");
        server.script(move |asked| match asked.number {
            2 => Act::refuse(status, "not now").after(Duration::from_millis(200)),
            _ => Act::take(),
        });
        site.sync().expect(0);
        let points = server.points();
        assert_eq!(site.in_state("sent"), points.rows());
        assert_eq!(
            (site.count("sent"), points.repeated),
            (2_000, 0),
            "{status}: what was acknowledged is not sent again"
        );
    }
}

#[test]
fn i6_after_trouble_requests_go_one_at_a_time_until_one_is_taken() {
    let server = Server::start();
    let site = site(&server, "requests = 4");
    server.script(|asked| match asked.number {
        2..=5 => Act::refuse(503, "overloaded").after(Duration::from_millis(50)),
        _ => Act::take(),
    });
    let ran = site.sync().expect(0);
    assert_eq!((site.count("sent"), server.points().repeated), (2_000, 0));
    assert_eq!(ran.number("requests"), server.requests() as u64);
    // Four failed together; they wait once, and each goes again alone.
    let again: BTreeSet<i64> = server.seen()[5..9].iter().map(|seen| seen.times()[0]).collect();
    assert_eq!(again, server.seen()[1..5].iter().map(|seen| seen.times()[0]).collect());
}

#[test]
fn i6_behind_a_refusal_that_is_there_nothing_new_is_begun() {
    let server = Server::start();
    let site = site(&server, "requests = 2");
    server.script(|asked| match asked.number {
        2 => Act::take().after(Duration::from_millis(300)),
        3 => Act::refuse(503, "overloaded"),
        _ => Act::take(),
    });
    site.sync().expect(0);
    let seen = server.seen();
    assert_eq!(seen[3].times(), seen[2].times(), "what was refused goes before anything new");
    assert_eq!((site.count("sent"), server.points().repeated), (2_000, 0));
}

#[test]
fn the_byte_budget_counts_what_is_in_flight() {
    let server = Server::start();
    let site = site(&server, "requests = 4\nbudget_bytes = 20000");
    server.script(|_| Act::take().after(Duration::from_millis(50)));
    let ran = site.sync().expect(0);
    assert_eq!(ran.json()["stopped_by"], "budget");
    let sent: usize = server.seen().iter().map(|seen| seen.lines.len()).sum();
    assert!((19_900..=20_000).contains(&sent), "{sent}");
    assert_eq!(site.in_state("sent"), server.points().rows());
}

#[test]
fn i5_a_killed_sync_with_several_requests_in_flight_marks_only_what_was_acknowledged() {
    let server = Server::start();
    let site = site(&server, "requests = 4");
    server.script(|asked| Act::take().after(Duration::from_millis(if asked.number > 6 { 5_000 } else { 20 })));
    let mut sync = site.spawn(&["sync"]);
    let until = std::time::Instant::now() + Duration::from_secs(60);
    while server.requests() < 8 {
        assert!(std::time::Instant::now() < until, "no eighth request came");
        std::thread::sleep(Duration::from_millis(10));
    }
    sync.kill().unwrap();
    sync.wait().unwrap();
    let (sent, taken) = (site.in_state("sent"), server.points().rows());
    assert!(sent.is_subset(&taken) && sent.len() < taken.len());
    server.take_all();
    site.sync().expect(0);
    assert_eq!((site.count("sent"), server.points().changed), (2_000, 0));
}
