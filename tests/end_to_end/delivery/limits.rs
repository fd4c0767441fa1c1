//! What a request and a run may cost, and in which order rows go.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use crate::support::server::{Act, Server, Taken, closed_port};
use crate::support::{Site, ns};

const WEEK: i64 = 7 * 24 * 60;

#[test]
fn after_a_week_without_a_link_the_first_request_holds_the_newest_row_of_every_table() {
    let tables = ["met", "rain", "wind"];
    for sync in ["batch_rows = 30", "batch_rows = 9", "batch_rows = 3", "batch_bytes = 1000"] {
        let server = Server::start();
        let site = Site::with(&server.url(), &tables, "", &format!("{sync}\nrequests = 1\nbudget_bytes = 4000"));
        site.stage(0..WEEK);
        site.sync().expect(0);
        let seen = server.seen();
        let first: BTreeSet<Taken> = seen[0]
            .lines
            .lines()
            .zip(seen[0].times())
            .map(|(line, time)| (line.split(',').next().unwrap().to_owned(), time))
            .collect();
        for table in tables {
            assert!(first.contains(&(table.to_owned(), ns(WEEK - 1))), "{sync}: no newest row of {table} in {first:?}");
        }
        // Then the backlog, oldest first.
        let rest: Vec<i64> = seen[1..].iter().flat_map(crate::support::server::Seen::times).collect();
        let backlog: Vec<i64> = rest.into_iter().filter(|&time| time < ns(WEEK - 100)).collect();
        assert!(!backlog.is_empty() && backlog[0] == ns(0), "{sync}: {backlog:?}");
    }
}

#[test]
fn no_request_is_larger_than_the_batch_limits() {
    for (sync, most_rows, most_bytes) in
        [("batch_rows = 700", 700, 1_000_000), ("batch_bytes = 5000", 5_000, 5_000), ("batch_rows = 1", 1, 1_000_000)]
    {
        let server = Server::start();
        let site = Site::with(&server.url(), &["met", "wind"], "", sync);
        let rows = if most_rows == 1 { 20 } else { 1_500 };
        site.stage(0..rows);
        let plan = site.run(&["sync", "--dry-run", "--json"]).expect(0);
        let ran = site.sync().expect(0);
        let seen = server.seen();
        assert!(seen.iter().all(|seen| seen.rows() <= most_rows), "{sync}");
        let largest = seen.iter().map(|seen| seen.lines.len()).max().unwrap();
        assert!(largest <= most_bytes, "{sync}: a request of {largest} bytes");
        // Not smaller than need be, either.
        let (bytes, lines) = (ran.number("bytes") as usize, ran.number("sent") as usize);
        assert!(seen.len() <= bytes / (most_bytes * 9 / 10) + lines / most_rows + 3, "{sync}: {} requests", seen.len());
        assert_eq!((plan.number("rows"), plan.number("requests")), (ran.number("sent"), seen.len() as u64), "{sync}");
        assert_eq!(seen.iter().map(|seen| seen.lines.len()).sum::<usize>(), bytes, "{sync}");
        assert_eq!(site.in_state("sent"), server.points().rows());
    }
}

#[test]
fn the_byte_budget_holds_across_runs() {
    let server = Server::start();
    let mut site = Site::with(&server.url(), &["met"], "", "batch_rows = 100\nbudget_bytes = 20000");
    site.stage(0..1_000);
    let ran = site.sync().expect(0);
    assert_eq!(ran.json()["stopped_by"], "budget");
    let sent = |server: &Server| server.seen().iter().map(|seen| seen.lines.len()).sum::<usize>();
    let first = sent(&server);
    // Filled to the last line that fits.
    assert!((19_900..=20_000).contains(&first), "{first}");
    for _ in 0..3 {
        let again = site.sync().expect(0);
        assert_eq!((again.json()["stopped_by"].as_str(), again.number("sent")), (Some("budget"), 0));
    }
    assert_eq!(sent(&server), first);

    // More room, and no more than the rest of it.
    site.configure(&server.url(), "", "batch_rows = 100\nbudget_bytes = 30000");
    site.sync().expect(0);
    let second = sent(&server);
    assert!((29_900..=30_000).contains(&second), "{second}");
    assert_eq!(site.in_state("sent"), server.points().rows());
    site.configure(&server.url(), "", "");
    site.sync().expect(0);
    assert_eq!(site.count("pending"), 0);
}

#[test]
fn receipts_of_a_clock_that_ran_ahead_do_not_use_up_the_byte_budget() {
    let server = Server::start();
    let site = Site::with(&server.url(), &["met"], "", "budget_bytes = 20000");
    site.stage(0..50);
    site.sync().expect(0);
    let store = rusqlite::Connection::open(site.path("store.db")).unwrap();
    store.execute("UPDATE receipt SET at = at + 31536000000000000, bytes = 20000", []).unwrap();
    drop(store);
    site.write("met", 50..100);
    site.run(&["ingest"]).expect(0);
    assert_eq!(site.sync().expect(0).number("sent"), 50);
}

#[test]
fn an_outage_does_not_use_up_the_byte_budget() {
    let server = Server::start();
    let mut site = Site::with(&closed_port(), &["met"], "", "budget_bytes = 20000\ndeadline = \"4s\"");
    site.stage(0..200);
    let ran = site.sync().expect(1);
    assert_eq!(ran.json()["stopped_by"], "unreachable");
    site.configure(&server.url(), "", "budget_bytes = 20000");
    assert_eq!(site.sync().expect(0).number("sent"), 200);
}

#[test]
fn nothing_is_begun_after_the_deadline() {
    let server = Server::start();
    let site = Site::with(&server.url(), &["met"], "", "batch_rows = 10\ndeadline = \"2s\"");
    site.stage(0..1_000);
    server.script(|_| Act::take().after(Duration::from_millis(250)));
    let ran = site.sync().expect(0);
    assert_eq!(ran.json()["stopped_by"], "deadline");
    assert!(ran.number("sent") > 0 && ran.number("pending") > 0, "{ran:?}");
    assert_eq!(site.in_state("sent"), server.points().rows());
}

#[test]
fn nothing_is_begun_after_the_deadline_while_refused_rows_are_looked_into() {
    let server = Server::start();
    let site = Site::with(&server.url(), &["met"], "", "deadline = \"3s\"");
    site.stage(0..2);
    site.sync().expect(0);
    site.stage(0..17);
    server.script(|asked| match asked.has(ns(0)) || asked.has(ns(1)) {
        true => Act::take().after(Duration::from_millis(300)),
        false => Act::refuse(422, "no").after(Duration::from_millis(300)),
    });
    assert_eq!(site.sync().json()["stopped_by"], "deadline");
}

#[test]
fn waiting_for_a_server_ends_with_the_deadline() {
    let site = Site::with(&closed_port(), &["met"], "", "deadline = \"3s\"");
    site.stage(0..10);
    let begun = Instant::now();
    let ran = site.sync().expect(1);
    assert!(begun.elapsed() < Duration::from_secs(60), "the default would be four minutes: {:?}", begun.elapsed());
    assert_eq!((ran.json()["stopped_by"].as_str(), site.count("pending")), (Some("unreachable"), 10));
}
