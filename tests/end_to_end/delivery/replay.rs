//! I7: a row that is sent again is the same line.

use std::collections::BTreeMap;

use crate::support::server::{Seen, Server, Taken};
use crate::support::{Site, ns};

/// Every line under the row that it is.
fn lines(seen: &[Seen]) -> BTreeMap<Taken, Vec<String>> {
    let mut lines: BTreeMap<Taken, Vec<String>> = BTreeMap::new();
    for seen in seen {
        for (line, time) in seen.lines.lines().zip(seen.times()) {
            let measurement = line.split(',').next().unwrap().to_owned();
            lines.entry((measurement, time)).or_default().push(line.to_owned());
        }
    }
    lines
}

#[test]
fn i7_a_row_sent_again_is_the_same_line_byte_for_byte() {
    let server = Server::start();
    let site = Site::with(&server.url(), &["met", "wind"], "", "batch_rows = 300");
    site.stage(0..1_000);
    site.sync().expect(0);
    let (first, before) = (lines(&server.seen()), server.points());
    assert_eq!(first.len(), 2_000);
    server.forget_requests();

    let since = "2026-06-01T00:00:00Z";
    let dry = site.run(&["replay", "--since", since, "--dry-run", "--json"]).expect(0);
    assert_eq!((dry.number("requeued"), site.count("pending")), (2_000, 0));
    assert_eq!(site.run(&["replay", "--since", since, "--json"]).expect(0).number("requeued"), 2_000);
    assert_eq!(site.count("pending"), 2_000);
    // A wider file in between must not change how the rows of before are spelled.
    let wider = Site::text("met", 1_000..1_001)
        .replace("\"P_Avg\"\r", "\"P_Avg\",\"RH\"\r")
        .replace("\"kPa\"\r", "\"kPa\",\"%\"\r")
        .replace("\"Avg\",\"Avg\"\r", "\"Avg\",\"Avg\",\"Smp\"\r")
        .replace("98.5\r", "98.5,55\r");
    std::fs::write(site.path("met.dat"), wider).unwrap();
    assert_eq!(site.run(&["ingest", "--json"]).json()["tables"][0]["staged"], 1);
    assert!(site.sync().code <= 1);

    let mut again = lines(&server.seen());
    let new = again.remove(&("met".to_owned(), ns(1_000))).unwrap();
    assert!(new[0].contains("RH=55"), "{new:?}");
    assert_eq!(again, first);
    let after = server.points();
    assert_eq!((after.len(), after.changed), (before.len() + 1, 0));
    assert_eq!(site.in_state("sent"), after.rows());
}

#[test]
fn i7_replay_takes_only_what_was_asked_for() {
    let server = Server::start();
    let site = Site::with(&server.url(), &["met", "wind"], "", "");
    site.stage(0..120);
    site.sync().expect(0);
    server.forget_requests();
    let asked =
        ["replay", "--table", "wind", "--since", "2026-06-01 01:00", "--until", "2026-06-01T01:09:00Z", "--json"];
    assert_eq!(site.run(&asked).expect(0).number("requeued"), 10);
    site.sync().expect(0);
    assert_eq!(
        lines(&server.seen()).into_keys().collect::<Vec<_>>(),
        (60..70).map(|minute| ("wind".to_owned(), ns(minute))).collect::<Vec<_>>()
    );
}

#[test]
fn a_bucket_that_was_lost_is_filled_again() {
    let lost = Server::start();
    let mut site = Site::new(&lost.url());
    site.stage(0..500);
    site.sync().expect(0);
    let before = lost.points();
    drop(lost);
    let new = Server::start();
    site.configure(&new.url(), "", "");
    site.run(&["replay", "--since", "2026-06-01", "--json"]).expect(0);
    site.sync().expect(0);
    assert_eq!(new.points().map, before.map);
    assert_eq!(site.count("sent"), 500);
}
