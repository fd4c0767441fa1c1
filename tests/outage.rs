//! A month without a link: five tables of one row a minute pile up while LoggerNet goes on overwriting its files, sync
//! tries now and then, and in the end everything is delivered once.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::cast_possible_truncation)]

mod server;

use std::time::{Duration, Instant};

use fluxtower::config::Config;
use fluxtower::ingest::{self, Selection};
use fluxtower::store::Store;
use fluxtower::time::SystemClock;
use server::{Server, Site, closed_port};

const TABLES: [&str; 5] = ["met", "rain", "snow", "soil", "wind"];
const DAYS: i64 = 30;
const MINUTES_A_DAY: i64 = 24 * 60;
/// LoggerNet keeps more than a day in a file, so that most rows are read twice.
const KEPT: i64 = MINUTES_A_DAY + 200;

#[test]
fn i6_a_month_without_a_link_is_delivered_whole_and_once() {
    let rows = usize::try_from(DAYS * MINUTES_A_DAY).unwrap();
    let site = Site::with(&closed_port(), &TABLES, "", "deadline = \"1s\"");
    let config = Config::load(&site.path("config.toml")).unwrap();
    for day in 0..DAYS {
        for table in TABLES {
            let end = (day + 1) * MINUTES_A_DAY;
            site.write(table, (end - KEPT).max(0)..end);
        }
        let store = Store::open(&config.store_path).unwrap();
        let report = ingest::run(&config, &store, &SystemClock, &Selection::default(), &ingest::Unseen).unwrap();
        let (totals, again) = (report.totals(), if day == 0 { 0 } else { KEPT - MINUTES_A_DAY });
        assert_eq!(totals.staged, 5 * MINUTES_A_DAY.unsigned_abs(), "day {day}");
        assert_eq!(totals.duplicates, 5 * again.unsigned_abs(), "day {day}");
        if day % 8 == 3 {
            let begun = Instant::now();
            // Nothing was ever acknowledged, so a person should look.
            let ran = site.sync().expect(1);
            assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
            assert_eq!((ran.json()["stopped_by"].as_str(), ran.number("sent")), (Some("unreachable"), 0));
            assert_eq!(ran.number("pending"), totals.staged * (day + 1).unsigned_abs());
        }
    }
    assert_eq!(site.count("pending"), 5 * rows);

    let server = Server::start();
    site.configure(&server.url(), "", "");
    let ran = site.sync().expect(0);
    assert_eq!((ran.number("sent") as usize, ran.number("pending")), (5 * rows, 0));
    let points = server.points();
    assert_eq!((points.len(), points.repeated, points.changed), (5 * rows, 0, 0));
    assert_eq!(points.rows(), site.in_state("sent"));
    let status = site.run(&["status", "--json"]).json();
    for table in status["tables"].as_array().unwrap() {
        assert_eq!((table["pending"].as_u64(), table["sent"].as_u64()), (Some(0), Some(rows as u64)), "{table}");
        assert!(table["oldest_pending"].is_null(), "{table}");
    }
    // A second look at the same files and the same server changes nothing.
    server.forget_requests();
    site.run(&["run", "--json"]).expect(0);
    assert_eq!((server.requests(), site.count("sent")), (0, 5 * rows));
}
