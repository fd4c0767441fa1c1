//! I6: one row that a server refuses must not stop the others, and a server that refuses everything is not the rows'
//! fault.

use crate::support::server::{Act, Reply, Server, Taken};
use crate::support::{Site, ns};
use fluxtower::store::Store;
use fluxtower::time::Interval;

/// As InfluxDB 2 says it.
const CONFLICT: &str = "partial write: field type conflict: input field \"T_Avg\" on measurement \"met\" is type float, already exists as type string dropped=1";

fn row(minute: i64) -> Taken {
    ("met".to_owned(), ns(minute))
}

/// Refuses every request that holds one of these rows.
fn refuse_rows(server: &Server, status: u16, rows: Vec<i64>) {
    server.script(move |asked| match rows.iter().any(|&minute| asked.has(ns(minute))) {
        true => Act::refuse(status, CONFLICT),
        false => Act::take(),
    });
}

#[test]
fn i6_one_refused_row_in_5000_costs_no_other_row_and_few_requests() {
    for (culprit, status) in [(0, 400), (2_718, 422), (4_999, 400)] {
        let server = Server::start();
        let site = Site::new(&server.url());
        site.stage(0..5_000);
        let plan = site.run(&["sync", "--dry-run", "--json"]).expect(0).number("requests");
        refuse_rows(&server, status, vec![culprit]);
        let ran = site.sync().expect(1);
        assert_eq!((ran.number("sent"), ran.number("rejected"), ran.number("pending")), (4_999, 1, 0));
        assert_eq!(site.in_state("rejected"), [row(culprit)].into());
        assert_eq!(site.in_state("sent"), server.points().rows());
        // 2 · log2(5000) + 4
        assert!(server.requests() as u64 <= plan + 28, "{} requests, planned {plan}", server.requests());
        assert_eq!(ran.number("requests"), server.requests() as u64);

        let list = site.run(&["rejected", "--json"]).expect(0).json();
        let list = list["rejected"].as_array().unwrap();
        assert_eq!(list.len(), 1);
        assert_eq!(list[0]["kind"], "row");
        assert!(list[0]["reason"].as_str().unwrap().contains("already exists as type string"), "{list:?}");
        assert!(list[0]["raw"].as_str().unwrap().ends_with(&ns(culprit).to_string()), "{list:?}");
        let status = site.run(&["status", "--json"]).expect(1).json();
        assert!(status["verdict"].as_str().unwrap().contains("refused by the destination"), "{status}");
    }
}

#[test]
fn i6_ten_refused_rows_in_5000_are_all_found_in_one_run() {
    let server = Server::start();
    let site = Site::new(&server.url());
    site.stage(0..5_000);
    let culprits: Vec<i64> = (0..10).map(|place| place * place * 61).collect();
    refuse_rows(&server, 422, culprits.clone());
    let ran = site.sync().expect(1);
    assert_eq!((ran.number("sent"), ran.number("rejected"), ran.number("pending")), (4_990, 10, 0));
    assert_eq!(site.in_state("rejected"), culprits.iter().map(|&minute| row(minute)).collect());
    assert_eq!(site.in_state("sent"), server.points().rows());
    assert!(server.requests() <= 1 + 280, "{} requests", server.requests());
}

#[test]
fn i6_neighbouring_refused_rows_do_not_stop_the_run_while_a_known_good_line_is_taken() {
    let server = Server::start();
    let site = Site::new(&server.url());
    site.stage(0..10);
    site.sync().expect(0);
    site.stage(0..400);
    refuse_rows(&server, 400, (10..50).collect());
    let ran = site.sync().expect(1);
    assert_eq!((ran.number("sent"), ran.number("rejected"), ran.number("pending")), (350, 40, 0));
    assert_eq!(site.in_state("sent"), server.points().rows());
}

#[test]
fn i6_a_server_that_refuses_everything_sets_nothing_aside() {
    for status in [400, 422, 413] {
        let server = Server::start();
        let site = Site::new(&server.url());
        site.stage(0..5_000);
        server.script(move |_| Act::refuse(status, "no"));
        let ran = site.sync().expect(3);
        assert_eq!(ran.json()["stopped_by"], "held");
        assert_eq!((site.count("pending"), ran.number("rejected")), (5_000, 0));
        assert!(server.requests() <= 60, "{} requests to a server that refuses everything", server.requests());
    }
}

#[test]
fn i6_a_server_that_begins_to_refuse_everything_sets_nothing_aside() {
    let server = Server::start();
    let site = Site::with(&server.url(), &["met"], "", "batch_rows = 1000");
    site.stage(0..5_000);
    server.script(|asked| match asked.number {
        1 | 2 => Act::take(),
        _ => Act::refuse(400, "no"),
    });
    let ran = site.sync().expect(3);
    assert!(ran.notes().contains("refuses a line that it took before"), "{ran:?}");
    assert_eq!((site.count("sent"), site.count("pending"), site.count("rejected")), (2_000, 3_000, 0));
    assert!(server.requests() <= 60, "{} requests to a server that refuses everything", server.requests());
}

#[test]
fn i6_a_server_that_refuses_everything_since_the_last_run_sets_nothing_aside() {
    let server = Server::start();
    let site = Site::new(&server.url());
    site.stage(0..10);
    site.sync().expect(0);
    site.stage(0..11);
    server.script(|_| Act::refuse(400, "no"));
    site.sync().expect(3);
    assert_eq!((site.count("sent"), site.count("pending"), site.count("rejected")), (10, 1, 0));
}

#[test]
fn i6_a_first_row_that_is_refused_alone_waits_for_a_known_good_line() {
    let server = Server::start();
    let site = Site::new(&server.url());
    site.stage(0..1);
    refuse_rows(&server, 400, vec![0]);
    site.sync().expect(3);
    assert_eq!((site.count("pending"), site.count("rejected")), (1, 0));
    site.stage(0..2);
    site.sync().expect(1);
    assert_eq!(site.in_state("rejected"), [row(0)].into());
    assert_eq!(site.in_state("sent"), [row(1)].into());
}

#[test]
fn i6_a_row_refused_once_and_taken_alone_is_sent() {
    let server = Server::start();
    let site = Site::new(&server.url());
    site.stage(0..64);
    // Refused with its neighbours and, once, alone: what a row's fate is depends on its company (facts 2.3).
    let mut alone = 0;
    server.script(move |asked| {
        let has = asked.has(ns(40));
        alone += usize::from(has && asked.rows == 1);
        if has && alone < 2 { Act::refuse(422, CONFLICT) } else { Act::take() }
    });
    let ran = site.sync().expect(0);
    assert_eq!((ran.number("sent"), ran.number("rejected")), (64, 0));
    assert_eq!(site.in_state("sent"), server.points().rows());
}

#[test]
fn i6_many_refused_rows_end_the_run_and_the_rest_wait() {
    let server = Server::start();
    let site = Site::new(&server.url());
    site.stage(0..1_000);
    server.script(|asked| {
        match asked.lines.lines().any(|line| {
            line.contains("P_Avg=98.5") && !line.ends_with(&ns(999).to_string()) && !line.ends_with(&ns(0).to_string())
        }) {
            true => Act::refuse(422, "no reason given"),
            false => Act::take(),
        }
    });
    let ran = site.sync().expect(1);
    assert_eq!((ran.json()["stopped_by"].as_str(), ran.number("rejected")), (Some("refusals"), 64));
    assert_eq!(site.count("pending"), 1_000 - 64 - site.count("sent"));
    assert!(server.requests() <= 400, "{} requests for 64 rows", server.requests());
}

#[test]
fn i6_a_body_too_large_for_the_server_is_split_and_no_row_is_to_blame() {
    let server = Server::start();
    let site = Site::new(&server.url());
    site.stage(0..1_000);
    server.script(|asked| match asked.rows {
        ..=100 => Act::take(),
        _ => Act::say(Reply::html(413, "<html>413 Request Entity Too Large</html>")),
    });
    site.sync().expect(0);
    assert_eq!(site.count("sent"), 1_000);
    assert_eq!(site.in_state("sent"), server.points().rows());
}

#[test]
fn i6_a_poisoned_bucket_does_not_stop_the_other() {
    let server = Server::start();
    let site = Site::with(&server.url(), &["met", "soil"], "", "");
    site.stage(0..20);
    site.sync().expect(0);
    site.stage(0..500);
    server.script(|asked| match asked.lines.contains("soil,") && asked.has(ns(77)) {
        true => Act::refuse(400, CONFLICT),
        false => Act::take(),
    });
    let ran = site.sync().expect(1);
    assert_eq!((ran.number("sent"), ran.number("rejected"), ran.number("pending")), (959, 1, 0));
    assert_eq!(site.in_state("rejected"), [("soil".to_owned(), ns(77))].into());
    let to_soil = |seen: &crate::support::server::Seen| seen.path.contains("bucket=soil");
    assert!(server.seen().iter().all(|seen| to_soil(seen) == seen.lines.starts_with("soil,")));
}

#[test]
fn i6_a_refusal_that_speaks_of_retention_expires_the_row() {
    for (status, words) in [
        (422, "failure writing points to database: partial write: points beyond retention policy dropped=1"),
        (403, "data in table met is outside of the retention period"),
        (400, "partial write: points beyond retention policy dropped=1"),
    ] {
        let server = Server::start();
        let site = Site::new(&server.url());
        site.stage(0..200);
        server.script(move |asked| match (0..5).any(|minute| asked.has(ns(minute))) {
            true => Act::refuse(status, words),
            false => Act::take(),
        });
        let ran = site.sync();
        assert_eq!((ran.number("sent"), ran.number("expired"), ran.number("rejected")), (195, 5, 0), "{ran:?}");
        assert_eq!(site.in_state("expired"), (0..5).map(row).collect());
        assert_eq!(site.run(&["replay", "--expired", "--json"]).expect(0).number("requeued"), 5);
        server.take_all();
        site.sync().expect(0);
        assert_eq!(site.count("sent"), 200);
        assert_eq!(site.in_state("sent"), server.points().rows());
    }
}

#[test]
fn i6_a_long_backlog_beyond_retention_costs_few_requests() {
    let server = Server::start();
    let site = Site::with(&server.url(), &["met", "wind"], "", "");
    site.stage(0..9_000);
    // The rows that the bucket still keeps begin somewhere in the middle of a batch.
    server.script(|asked| {
        match asked.lines.lines().any(|line| line.rsplit(' ').next().unwrap().parse::<i64>().unwrap() < ns(7_777)) {
            true => Act::refuse(422, "partial write: points beyond retention policy dropped=17"),
            false => Act::take(),
        }
    });
    let ran = site.sync();
    assert_eq!(
        (ran.number("sent"), ran.number("expired"), ran.number("pending")),
        (2 * 1_223, 2 * 7_777, 0),
        "{ran:?}"
    );
    assert_eq!(site.in_state("sent"), server.points().rows());
    assert!(server.requests() <= 120, "{} requests", server.requests());
}

#[test]
fn i6_a_row_of_this_hour_is_not_beyond_retention_whatever_the_server_says() {
    let server = Server::start();
    let site = Site::new(&server.url());
    site.stage(0..10);
    let stamp = (chrono::Utc::now() + chrono::TimeDelta::minutes(5)).format("%Y-%m-%d %H:%M:%S");
    let text = Site::text("met", 0..10) + &format!("\"{stamp}\",10,1,98.5\r\n");
    std::fs::write(site.path("met.dat"), text).unwrap();
    site.run(&["ingest"]).expect(0);
    // The server's clock is behind, and it has a limit for the future.
    server.script(|asked| match asked.lines.lines().all(|line| (0..10).any(|minute| line.ends_with(&ns(minute).to_string()))) {
        true => Act::take(),
        false => Act::refuse(422, "partial write: dropped 1 points outside retention policy of duration 0s - violates a Write Window Upper Bound"),
    });
    let ran = site.sync().expect(1);
    assert_eq!((ran.number("sent"), ran.number("expired"), ran.number("rejected")), (10, 0, 1), "{ran:?}");
}

#[test]
fn i6_a_field_that_is_named_after_retention_is_not_taken_for_retention() {
    let server = Server::start();
    let site = Site::new(&server.url());
    site.stage(0..100);
    server.script(|asked| match asked.has(ns(50)) {
        true => Act::refuse(422, "partial write: field type conflict: input field \"water_retention\" on measurement \"met\" is type float, already exists as type string dropped=1"),
        false => Act::take(),
    });
    let ran = site.sync().expect(1);
    assert_eq!((ran.number("sent"), ran.number("expired"), ran.number("rejected")), (99, 0, 1), "{ran:?}");
}

#[test]
fn i6_replay_puts_a_refused_row_back() {
    let server = Server::start();
    let site = Site::new(&server.url());
    site.stage(0..100);
    refuse_rows(&server, 422, vec![31, 62]);
    site.sync().expect(1);
    assert_eq!(site.count("rejected"), 2);
    // Nothing is sent by itself again.
    server.forget_requests();
    site.sync().expect(1);
    assert_eq!(server.requests(), 0);
    assert_eq!(site.run(&["replay", "--rejected", "--json"]).expect(0).number("requeued"), 2);
    assert_eq!(site.in_state("pending"), [row(31), row(62)].into());
    server.take_all();
    site.sync().expect(0);
    assert_eq!(site.in_state("sent"), server.points().rows());
    assert_eq!((site.count("sent"), site.count("rejected")), (100, 0));
    assert!(site.run(&["rejected", "--json"]).expect(0).json()["rejected"].as_array().unwrap().is_empty());
}

#[test]
fn i6_a_known_good_line_that_was_taken_is_listed_as_no_refusal() {
    let server = Server::start();
    let site = Site::new(&server.url());
    site.stage(0..100);
    refuse_rows(&server, 400, vec![50]);
    let ran = site.sync().expect(1);
    assert_eq!((ran.number("sent"), ran.number("rejected")), (99, 1), "{ran:?}");
    let known_good = rusqlite::Connection::open(site.path("store.db")).unwrap().query_row(
        "SELECT count(*) FROM receipt WHERE outcome = 'known good' AND status = 204",
        [],
        |row| row.get(0),
    );
    assert_eq!(known_good, Ok(1), "{ran:?}");
    let store = Store::open_reader(&site.path("store.db")).unwrap();
    let refusals = store.refusals(Interval::ALL, 100).unwrap();
    assert!(!refusals.is_empty());
    assert!(refusals.iter().all(|refusal| refusal.status == Some(400) && !refusal.outcome.is_taken()), "{refusals:?}");
}
