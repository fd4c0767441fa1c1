//! A point holds what its row holds: fields that a row no longer sends leave the bucket.

use fluxtower::time::{Interval, Timestamp};

use crate::support::server::{Act, Points, Reply, Server};
use crate::support::{Site, ns, value};

/// Further keys of the last table; keys of `[destination]` that the other APIs do not have are taken out.
pub(super) fn more(site: &Site, keys: &str) {
    let path = site.path("config.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    let foreign: &[&str] = match () {
        () if text.contains("api = \"v1\"") => &["org = ", "token_env = "],
        () if text.contains("api = \"v3\"") => &["org = "],
        () => &[],
    };
    let lines = text.lines().filter(|line| !foreign.iter().any(|key| line.starts_with(key)));
    let text: String = lines.map(|line| format!("{line}\n")).collect();
    std::fs::write(path, format!("{text}{keys}\n")).unwrap();
}

/// The table's file with NAN for the temperature of these minutes.
pub(super) fn with_nan(table: &str, minutes: std::ops::Range<i64>, nan: std::ops::Range<i64>) -> String {
    let mut text = String::new();
    for (minute, line) in (minutes.start - 4..).zip(Site::text(table, minutes).split_inclusive("\r\n")) {
        let is_nan = nan.contains(&minute);
        let line =
            if is_nan { line.replace(&format!(",{},98.5", value(minute)), ",\"NAN\",98.5") } else { line.to_owned() };
        text.push_str(&line);
    }
    text
}

/// What an empty bucket holds after everything is sent to it.
fn fresh(site: &mut Site, destination: &str, keys: &str) -> Points {
    let empty = Server::start();
    site.configure(&empty.url(), destination, "");
    more(site, keys);
    site.run(&["replay", "--since", "2026-06-01", "--json"]).expect(0);
    site.sync().works();
    empty.points()
}

pub(super) const REPLACE: &str = "on_conflict = \"replace\"";

/// Two points in the place of rows, with the same tags and one more.
pub(super) fn put_another_writers_points(server: &Server) {
    server.put(&[24, 25].map(|minute| format!("met,sensor=x,station=US-UMB T_Avg=1 {}\n", ns(minute))).concat());
}

/// 60 rows sent; then 10 of them come again with NAN.
pub(super) fn replaced(server: &Server, destination: &str, keys: &str) -> Site {
    let site = Site::with(&server.url(), &["met"], destination, "");
    more(&site, keys);
    site.stage(0..60);
    site.sync().works();
    std::fs::write(site.path("met.dat"), with_nan("met", 0..60, 20..30)).unwrap();
    site.run(&["ingest", "--json"]).expect(1);
    site
}

#[test]
fn i7_a_value_that_a_newer_reading_does_not_have_leaves_the_bucket() {
    for destination in ["", "api = \"v1\"\n"] {
        let server = Server::start();
        let mut site = replaced(&server, destination, REPLACE);
        assert_eq!((site.count("pending"), server.removed().len()), (10, 0));
        assert_eq!(server.points().field("met", ns(20), "T_Avg"), Some(value(20)));
        site.sync().works();
        let points = server.points();
        assert_eq!(points.field("met", ns(20), "T_Avg"), None);
        assert_eq!(points.field("met", ns(20), "P_Avg"), Some(98.5));
        assert_eq!((points.len(), site.count("sent")), (60, 60));
        assert_eq!(server.removed().len(), 1, "records 20 to 29 follow each other: one removal");
        // Nothing is left to do.
        site.sync().works();
        assert_eq!(server.removed().len(), 1);
        assert_eq!(points.map, fresh(&mut site, destination, REPLACE).map);
    }
}

#[test]
fn i7_values_that_mean_missing_since_leave_the_bucket_after_reflag() {
    let server = Server::start();
    let mut site = Site::new(&server.url());
    site.stage(0..60);
    site.sync().works();
    let missing = "missing = [7.0, 98.5]";
    more(&site, missing);
    site.run(&["reflag", "--since", "2026-06-01", "--json"]).expect(0);
    site.sync().works();
    let points = server.points();
    assert_eq!(points.field("met", ns(28), "T_Avg"), None);
    assert_eq!(points.field("met", ns(29), "P_Avg"), None);
    assert_eq!(points.map, fresh(&mut site, "", missing).map);
}

#[test]
fn rows_that_lose_no_field_and_rows_that_were_never_sent_are_not_removed() {
    let server = Server::start();
    let mut site = Site::new(&server.url());
    more(&site, REPLACE);
    site.stage(0..60);
    site.sync().works();
    std::fs::write(site.path("met.dat"), Site::text("met", 0..70).replace(",98.5", ",97.25")).unwrap();
    site.run(&["ingest", "--json"]).expect(1);
    std::fs::write(site.path("met.dat"), with_nan("met", 0..70, 62..68).replace(",98.5", ",97.25")).unwrap();
    site.run(&["ingest", "--json"]).expect(1);
    site.sync().works();
    assert_eq!(server.removed(), []);
    assert_eq!(server.points().map, fresh(&mut site, "", REPLACE).map);
}

#[test]
fn a_row_replaced_while_its_request_is_without_an_answer_loses_the_field_too() {
    let server = Server::start();
    let mut site = Site::with(&server.url(), &["met"], "timeout = \"2s\"", "deadline = \"3s\"");
    more(&site, REPLACE);
    // Stored, and the answer is lost.
    server.script(|_| Act::reset().and_keep());
    site.stage(0..60);
    site.sync().expect(1);
    assert_eq!((site.count("pending"), server.points().len()), (60, 60));
    std::fs::write(site.path("met.dat"), with_nan("met", 0..60, 20..30)).unwrap();
    site.run(&["ingest", "--json"]).expect(1);
    server.take_all();
    site.sync().works();
    assert_eq!(server.points().map, fresh(&mut site, "", REPLACE).map);
}

/// Two tables of one measurement; the second has a tag more.
fn with_further_tag(server: &Server, destination: &str) -> (Site, String) {
    let site = Site::with(&server.url(), &["met"], destination, "");
    let keys = format!(
        "{REPLACE}\nmeasurement = \"air\"\n[[table]]\nname = \"high\"\nfiles = [\"high.dat\"]\nmeasurement = \"air\"\n\
         tags = {{ height = \"46m\" }}"
    );
    more(&site, &keys);
    site.write("high", 0..60);
    site.stage(0..60);
    site.sync().works();
    assert_eq!(server.points().len(), 120);
    std::fs::write(site.path("met.dat"), with_nan("met", 0..60, 20..30)).unwrap();
    site.run(&["ingest", "--json"]).expect(1);
    (site, keys)
}

#[test]
fn i7_another_tables_points_with_further_tags_keep_their_values() {
    for destination in ["", "api = \"v1\"\n"] {
        let server = Server::start();
        let (mut site, keys) = with_further_tag(&server, destination);
        site.sync().works();
        let points = server.points();
        assert_eq!(points.len(), 120);
        assert_eq!(points.map, fresh(&mut site, destination, &keys).map);
    }
}

#[test]
fn i7_a_sync_that_ends_between_removal_and_write_loses_nothing() {
    let server = Server::start();
    let (mut site, keys) = with_further_tag(&server, "");
    server.script(|_| Act::refuse(401, "unauthorized"));
    site.sync().expect(3);
    assert_eq!(server.points().len(), 100, "the points of both tables are gone");
    let store = rusqlite::Connection::open(site.path("store.db")).unwrap();
    let pending: i64 = store.query_row("SELECT sum(pending) FROM logger_table", [], |row| row.get(0)).unwrap();
    assert_eq!(pending, 20, "and their rows are pending");
    server.take_all();
    site.sync().works();
    assert_eq!(server.points().map, fresh(&mut site, "", &keys).map);
}

#[test]
fn a_removal_that_is_refused_holds_no_row_and_is_made_when_it_is_allowed() {
    for status in [403, 404, 405, 501] {
        let server = Server::start();
        let mut site = replaced(&server, "", REPLACE);
        server.answer(move |path| path.starts_with("/api/v2/delete").then(|| Reply::refusal(status, "no removal")));
        let ran = site.sync();
        assert!(ran.notes().contains("10 points from 2026-06-01"), "{ran:?}");
        assert!(ran.notes().contains("no removal"), "{ran:?}");
        assert_eq!((site.count("sent"), server.removed().len()), (60, 0));
        assert_eq!(server.points().field("met", ns(20), "T_Avg"), Some(value(20)));
        // What is refused is not sent again and again.
        server.forget_requests();
        site.sync().works();
        assert_eq!(server.requests(), 0);
        server.answer(|_| None);
        site.sync().works();
        assert_eq!(server.points().map, fresh(&mut site, "", REPLACE).map);
    }
}

#[test]
fn a_point_that_cannot_be_removed_without_another_writers_is_left_and_said() {
    let server = Server::start();
    let site = replaced(&server, "", REPLACE);
    put_another_writers_points(&server);
    let ran = site.sync();
    assert!(ran.notes().contains("2 points from 2026-06-01") && ran.notes().contains("another writer"), "{ran:?}");
    let points = server.points();
    assert_eq!(points.len(), 62);
    let own = |minute| points.map[&("met,station=US-UMB".to_owned(), ns(minute))].contains_key("T_Avg");
    assert_eq!((20..30).filter(|&minute| own(minute)).collect::<Vec<_>>(), [24, 25]);
}

#[test]
fn a_server_that_removes_nothing_is_said_with_table_count_and_times() {
    let server = Server::start();
    let site = replaced(&server, "api = \"v3\"\n", REPLACE);
    let ran = site.sync();
    let notes = ran.notes();
    assert!(notes.contains("table \\\"met\\\": 10 points from 2026-06-01"), "{notes}");
    assert!(notes.contains("cannot remove points"), "{notes}");
    assert_eq!(site.count("sent"), 60);
}

#[test]
fn points_are_removed_one_by_one_where_the_token_may_not_read() {
    let server = Server::start();
    let mut site = replaced(&server, "", REPLACE);
    server.answer(|path| path.starts_with("/api/v2/query").then(|| Reply::refusal(403, "read is not allowed")));
    site.sync().works();
    let removed = server.removed();
    assert_eq!(removed.len(), 10);
    assert!(removed.iter().all(|removed| removed.from == removed.to));
    assert_eq!(server.points().map, fresh(&mut site, "", REPLACE).map);
}

const RANGE: &str = "[table.columns.T_Avg]\nfail = [0, 10]\n";

#[test]
fn i7_values_that_are_withheld_since_leave_the_bucket_after_reflag() {
    let server = Server::start();
    let mut site = Site::new(&server.url());
    more(&site, RANGE);
    site.stage(0..60);
    site.sync().works();
    let withheld = format!("{RANGE}withhold = true");
    site.configure(&server.url(), "", "");
    more(&site, &withheld);
    assert_eq!(site.run(&["reflag", "--since", "2026-06-01", "--json"]).expect(0).number("changed"), 19);
    site.sync().works();
    let points = server.points();
    assert_eq!(points.field("met", ns(50), "T_Avg"), None);
    assert_eq!(points.field("met", ns(50), "T_Avg_qc"), Some(4.0));
    assert_eq!(points.field("met", ns(40), "T_Avg"), Some(10.0));
    assert_eq!(points.map, fresh(&mut site, "", &withheld).map);
    // It is done.
    site.configure(&server.url(), "", "");
    more(&site, &withheld);
    assert_eq!(site.run(&["reflag", "--since", "2026-06-01", "--json"]).expect(0).number("changed"), 0);
}

#[test]
fn a_sync_says_once_which_command_takes_out_what_is_no_longer_sent() {
    for (keys, command, what) in [
        (format!("{RANGE}withhold = true"), "reflag", "values of T_Avg that fail"),
        (format!("{RANGE}[table.columns.P_Avg]\nuse = \"ignore\""), "replay", "P_Avg"),
        (RANGE.replace("fail = [0, 10]", "field = \"air\""), "replay", "T_Avg, flags of T_Avg"),
    ] {
        let server = Server::start();
        let mut site = Site::new(&server.url());
        more(&site, RANGE);
        site.stage(0..60);
        site.sync().works();
        site.configure(&server.url(), "", "");
        more(&site, &keys);
        site.write("met", 0..61);
        site.run(&["ingest", "--json"]).expect(0);
        let notes = site.sync().notes();
        let says = format!("`fluxtower {command} --table met --since 2026-06-01T00:00:00");
        assert!(notes.contains(&says) && notes.contains(what), "{notes}");
        site.write("met", 0..62);
        site.run(&["ingest", "--json"]).expect(0);
        assert!(!site.sync().notes().contains("no longer sends"));
        site.run(&[command, "--table", "met", "--since", "2026-06-01T00:00:00Z", "--json"]).expect(0);
        site.sync().works();
        assert_eq!(server.points().map, fresh(&mut site, "", &keys).map, "{keys}");
    }
}

#[test]
fn rows_put_back_before_the_configuration_changed_lose_their_fields_too() {
    let server = Server::start();
    let mut site = Site::new(&server.url());
    site.stage(0..60);
    site.sync().works();
    site.run(&["replay", "--since", "2026-06-01", "--json"]).expect(0);
    let keys = "[table.columns.P_Avg]\nuse = \"ignore\"";
    more(&site, keys);
    site.sync().expect(1);
    assert_eq!(server.points().map, fresh(&mut site, "", keys).map);
}

#[test]
fn rows_sent_by_an_earlier_version_lose_their_fields_too() {
    let server = Server::start();
    let mut site = Site::new(&server.url());
    more(&site, REPLACE);
    site.stage(0..60);
    site.sync().works();
    let store = rusqlite::Connection::open(site.path("store.db")).unwrap();
    store.execute_batch(&crate::support::made_older(4)).unwrap();
    drop(store);
    std::fs::write(site.path("met.dat"), with_nan("met", 0..60, 20..30)).unwrap();
    site.run(&["ingest", "--json"]).expect(1);
    site.sync().works();
    assert_eq!(server.points().map, fresh(&mut site, "", REPLACE).map);
}

#[test]
fn i5_points_of_rows_that_were_pruned_here_are_never_removed_with_others() {
    let server = Server::start();
    let (site, _) = with_further_tag(&server, "");
    let store = fluxtower::store::Store::open(&site.path("store.db")).unwrap();
    let high = store.known_series().unwrap().into_iter().find(|series| series.table == "high").unwrap();
    // Rows 0 to 24 of the other table are in the bucket and nowhere else.
    let span = closed(ns(0), ns(24));
    assert_eq!(store.prune_sent(high.series, span).unwrap(), 25);
    drop(store);
    let ran = site.sync();
    let notes = ran.notes();
    assert!(notes.contains("rows of table \\\"high\\\" that were pruned here would be removed"), "{notes}");
    let points = server.points();
    assert_eq!(points.len(), 120);
    let own = |minute| points.map[&("air,station=US-UMB".to_owned(), ns(minute))].contains_key("T_Avg");
    assert_eq!((20..30).filter(|&minute| own(minute)).collect::<Vec<_>>(), [20, 21, 22, 23, 24]);
}

#[test]
fn i5_prune_keeps_a_row_whose_point_still_holds_what_the_row_does_not_send() {
    let server = Server::start();
    let site = replaced(&server, "", REPLACE);
    server.answer(|path| path.starts_with("/api/v2/delete").then(|| Reply::refusal(403, "no removal")));
    site.sync().expect(1);
    let store = fluxtower::store::Store::open(&site.path("store.db")).unwrap();
    let series = store.known_series().unwrap().remove(0).series;
    let span = closed(ns(0), ns(59));
    assert_eq!(store.prune_sent(series, span).unwrap(), 50);
    drop(store);
    server.answer(|_| None);
    site.sync().works();
    assert_eq!(server.points().field("met", ns(20), "T_Avg"), None);
    assert_eq!(server.points().len(), 60);
}

fn closed(first: i64, last: i64) -> Interval {
    Interval::closed(Timestamp::from_nanos(first), Timestamp::from_nanos(last))
}
