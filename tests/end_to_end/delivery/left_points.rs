//! Points that hold what their rows no longer have are named until they are gone (I12).

use super::stale::{REPLACE, more, put_another_writers_points, replaced, with_nan};
use crate::support::server::{Reply, Server};
use crate::support::{Site, ns};

/// Kind, message and what to do of each finding about such points, and the first word of the verdict.
fn named(site: &Site) -> (Vec<String>, String) {
    let status = site.run(&["status", "--json"]).works().json();
    let is_about = |finding: &&serde_json::Value| finding["kind"] == "stale_points" || finding["kind"] == "points_left";
    let found = status["findings"].as_array().unwrap().iter().filter(is_about);
    let text = |finding: &serde_json::Value, key: &str| finding[key].as_str().unwrap().to_owned();
    let found = found.map(|finding| ["kind", "message", "fix"].map(|key| text(finding, key)).join(": "));
    (found.collect(), status["verdict"].as_str().unwrap().split(':').next().unwrap().to_owned())
}

/// Nothing is named, and all is well.
#[track_caller]
fn is_well(site: &Site) {
    assert_eq!(named(site), (vec![], "ok".to_owned()));
    assert!(site.run(&["status"]).expect(0).stdout.contains("all well"));
}

#[test]
fn i12_points_that_one_sync_does_not_remove_are_named_until_the_next_one_has() {
    let server = Server::start();
    let site = Site::new(&server.url());
    more(&site, REPLACE);
    site.stage(0..4_300);
    site.sync().works();
    is_well(&site);
    // Every second row, so that no two can be removed in one request.
    let text = Site::text("met", 0..4_300);
    let lines = text.split_inclusive("\r\n").enumerate();
    let text: String = lines
        .map(|(at, line)| if at >= 4 && at % 2 == 0 { line.replace(",98.5", ",\"NAN\"") } else { line.to_owned() })
        .collect();
    std::fs::write(site.path("met.dat"), text).unwrap();
    site.run(&["ingest", "--json"]).works();
    let (found, verdict) = named(&site);
    assert_eq!(verdict, "unknown");
    assert!(
        found.len() == 1 && found[0].starts_with("stale_points: 2,150 points of table \"met\" in bucket tower"),
        "{found:?}"
    );
    assert!(found[0].contains("each sync removes 2,000 of them"), "{found:?}");
    site.sync().works();
    let (found, verdict) = named(&site);
    assert_eq!((site.count("pending"), verdict.as_str()), (0, "unknown"));
    assert!(found.len() == 1 && found[0].starts_with("stale_points: 150 points"), "{found:?}");
    assert!(found[0].contains("the next sync removes them and sends their rows again"), "{found:?}");
    let printed = site.run(&["status"]).expect(0).stdout;
    assert!(printed.contains("unknown: 150 points of table \"met\"") && !printed.contains("all well"), "{printed}");
    assert!(site.run(&["check"]).works().stdout.contains("150 points of table \"met\""));
    site.sync().works();
    is_well(&site);
    assert_eq!(server.points().field("met", ns(4_298), "P_Avg"), None);
}

#[test]
fn i12_points_of_values_that_mean_missing_since_are_named_until_the_next_sync() {
    let server = Server::start();
    let site = Site::with(&server.url(), &["met", "soil"], "", "");
    site.stage(0..60);
    site.sync().works();
    more(&site, "missing = [98.5]");
    is_well(&site);
    site.run(&["reflag", "--since", "2026-06-01", "--json"]).expect(0);
    let (found, verdict) = named(&site);
    assert!(
        found.len() == 1 && found[0].contains("60 points of table \"soil\" in bucket soil from 2026-06-01"),
        "{found:?}"
    );
    assert_eq!(verdict, "unknown");
    site.sync().works();
    is_well(&site);
}

#[test]
fn i12_points_that_may_not_be_removed_are_named_with_the_reason_until_they_are() {
    let server = Server::start();
    let site = replaced(&server, "", REPLACE);
    server.answer(|path| path.starts_with("/api/v2/delete").then(|| Reply::refusal(403, "no removal")));
    let _ = site.sync().expect(1);
    // The sync says it once, `status` as long as it is so.
    let _ = site.sync().expect(0);
    let (found, verdict) = named(&site);
    let begin = "points_left: 10 points of table \"met\" in bucket tower from 2026-06-01 00:20:00";
    assert!(found.len() == 1 && found[0].starts_with(begin), "{found:?}");
    assert!(found[0].contains("no removal") && found[0].ends_with("each sync tries again"), "{found:?}");
    assert_eq!(verdict, "note");
    // Others come, which no sync has tried to remove.
    std::fs::write(site.path("met.dat"), with_nan("met", 0..60, 20..35)).unwrap();
    site.run(&["ingest", "--json"]).works();
    let (found, verdict) = named(&site);
    assert!(
        found[0].starts_with("stale_points: 5 points") || found[1].starts_with("stale_points: 5 points"),
        "{found:?}"
    );
    assert!(found.iter().any(|text| text.starts_with(begin)) && verdict == "unknown", "{found:?}");
    server.answer(|_| None);
    site.sync().works();
    is_well(&site);
}

#[test]
fn i12_points_beside_another_writers_are_named_until_that_one_is_gone() {
    let server = Server::start();
    let site = replaced(&server, "", REPLACE);
    put_another_writers_points(&server);
    let _ = site.sync().expect(1);
    let _ = site.sync().expect(0);
    let (found, verdict) = named(&site);
    assert!(found.len() == 1 && found[0].starts_with("points_left: 2 points of table \"met\""), "{found:?}");
    assert!(found[0].contains("another writer") && verdict == "note", "{found:?}");
}

#[test]
fn i12_points_that_a_destination_cannot_remove_are_named_until_the_user_says_that_they_are_gone() {
    let server = Server::start();
    let site = replaced(&server, "api = \"v3\"\n", REPLACE);
    let _ = site.sync().expect(1);
    let _ = site.sync().expect(0);
    let (found, verdict) = named(&site);
    assert!(
        found.len() == 1 && found[0].starts_with("points_left: 10 points of table \"met\" in bucket tower"),
        "{found:?}"
    );
    assert!(found[0].contains("this destination cannot remove points") && verdict == "note", "{found:?}");
    assert!(found[0].ends_with("delete them there, then `fluxtower bucket cleaned --table met`"), "{found:?}");
    assert_eq!(site.run(&["bucket", "cleaned", "--table", "met", "--json"]).expect(0).json()["cleaned"], true);
    is_well(&site);
    assert_eq!(site.run(&["bucket", "cleaned", "--table", "met", "--json"]).expect(0).json()["cleaned"], false);
}

#[test]
fn bucket_cleaned_leaves_points_to_the_sync_that_can_remove_them() {
    let server = Server::start();
    let site = replaced(&server, "", REPLACE);
    assert_eq!(site.run(&["bucket", "cleaned", "--table", "met", "--json"]).expect(0).json()["cleaned"], false);
    site.sync().works();
    assert_eq!(server.points().field("met", ns(20), "T_Avg"), None);
    is_well(&site);
}

const TAG: &str = "[table.columns.P_Avg]\nuse = \"tag\"";

/// 60 rows sent without tags; then a column becomes one.
fn retagged(server: &Server, destination: &str) -> Site {
    let site = Site::with(&server.url(), &["met"], destination, "");
    more(&site, "");
    site.stage(0..60);
    site.sync().works();
    is_well(&site);
    site.add_to_config(TAG);
    let _ = site.run(&["ingest", "--json"]).expect(1);
    site
}

#[test]
fn i12_points_under_earlier_tags_are_named_until_the_user_says_that_they_are_gone() {
    let server = Server::start();
    let site = retagged(&server, "");
    site.sync().works();
    for _ in 0..2 {
        site.run(&["ingest", "--json"]).works();
        site.sync().works();
        let (found, verdict) = named(&site);
        let begin = "points_left: points of table \"met\" in bucket tower up to 2026-06-01 00:59:00";
        assert!(found.len() == 1 && found[0].starts_with(begin) && found[0].contains("without tags"), "{found:?}");
        assert_eq!(verdict, "note");
    }
    assert_eq!(server.points().len(), 120);
    let _ = site.run(&["bucket", "cleaned", "--table", "met"]).expect(0);
    is_well(&site);
}

/// The next sync looks for points under earlier tags, as if an hour had passed.
fn an_hour_passes(site: &Site) {
    let conn = rusqlite::Connection::open(site.path("store.db")).unwrap();
    let looked = conn.execute(
        "UPDATE setting SET value = CAST(value - 3600000000000 AS TEXT) WHERE key = 'left series looked for'",
        [],
    );
    assert_eq!(looked.unwrap(), 1);
}

#[test]
fn i12_points_under_earlier_tags_are_named_until_they_are_gone_from_the_bucket() {
    for api in ["api = \"v2\"\n", "api = \"v1\"\n"] {
        for looks in ["sync", "verify"] {
            let server = Server::start();
            let site = retagged(&server, api);
            site.sync().works();
            site.run(&["ingest", "--json"]).works();
            an_hour_passes(&site);
            site.sync().works();
            let (found, _) = named(&site);
            assert!(found.len() == 1 && found[0].contains("without tags"), "{found:?}");
            assert!(found[0].contains("`fluxtower verify` at once"), "{found:?}");
            // Another program's series under the same measurement is not that one.
            server.drop_series(|series| !series.contains("P_Avg="));
            server.put(&format!("met,other=x T_Avg=1 {}", ns(10)));
            assert_eq!(server.points().len(), 61);
            // Not within the hour.
            site.sync().works();
            assert_eq!(named(&site).0.len(), 1);
            if looks == "sync" {
                an_hour_passes(&site);
                site.sync().works();
            } else {
                let _ = site.run(&["verify", "--since", "2026-06-01"]);
            }
            is_well(&site);
        }
    }
}

#[test]
fn i12_points_under_earlier_tags_stay_named_where_the_bucket_is_asked_elsewhere_or_cannot_be_asked() {
    let server = Server::start();
    let site = retagged(&server, "");
    site.sync().works();
    site.run(&["ingest", "--json"]).works();
    // The points are under the measurement of before.
    site.replace_in_config("name = \"met\"", "name = \"met\"\nmeasurement = \"air\"");
    an_hour_passes(&site);
    site.sync().works();
    assert_eq!(named(&site).0.len(), 1, "another measurement");
    site.replace_in_config("\nmeasurement = \"air\"", "");
    server.drop_series(|series| !series.contains("P_Avg="));
    server.answer(|path| path.starts_with("/api/v2/query").then(|| Reply::refusal(403, "no reading")));
    an_hour_passes(&site);
    site.sync().works();
    assert_eq!(named(&site).0.len(), 1, "no permission to read");
    server.answer(|_| None);
    an_hour_passes(&site);
    site.sync().works();
    is_well(&site);
}

#[test]
fn i12_points_under_an_earlier_tag_column_are_told_from_those_under_the_present_one() {
    let server = Server::start();
    let site = Site::with(&server.url(), &["met"], "", "");
    more(&site, TAG);
    site.stage(0..60);
    site.sync().works();
    let other = TAG.replace("P_Avg", "T_Avg");
    site.replace_in_config(TAG, &other);
    let _ = site.run(&["ingest", "--json"]).expect(1);
    site.sync().works();
    site.run(&["ingest", "--json"]).works();
    let (found, _) = named(&site);
    assert!(found.len() == 1 && found[0].contains("with the tags 98.5"), "{found:?}");
    server.drop_series(|series| series.contains("P_Avg="));
    an_hour_passes(&site);
    site.sync().works();
    is_well(&site);
}

#[test]
fn i12_points_under_tags_that_rows_get_back_are_theirs_again() {
    let server = Server::start();
    let site = retagged(&server, "");
    site.sync().works();
    site.replace_in_config(TAG, "");
    let _ = site.run(&["ingest", "--json"]).expect(1);
    site.sync().works();
    let (found, _) = named(&site);
    assert!(found.iter().any(|text| text.contains("with the tags 98.5")), "{found:?}");
    assert!(!found.iter().any(|text| text.contains("without tags")), "{found:?}");
}

#[test]
fn rows_that_were_never_sent_leave_no_points_under_their_earlier_tags() {
    let server = Server::start();
    let site = Site::new(&server.url());
    site.stage(0..60);
    site.add_to_config(TAG);
    let ran = site.run(&["ingest", "--json"]).expect(1);
    assert!(!ran.stdout.contains("old points"), "{ran:?}");
    site.run(&["ingest", "--json"]).works();
    site.sync().works();
    is_well(&site);
}

#[test]
fn points_under_earlier_tags_that_the_bucket_has_dropped_are_not_named() {
    let server = Server::start();
    server.keep_for(std::time::Duration::from_secs(36_500 * 86_400));
    let site = retagged(&server, "");
    site.run(&["ingest", "--json"]).works();
    site.sync().works();
    assert_eq!(named(&site).0.len(), 1);
    let conn = rusqlite::Connection::open(site.path("store.db")).unwrap();
    let long_ago = (ns(0) - 36_600 * 86_400 * 1_000_000_000).to_string();
    assert_eq!(conn.execute("UPDATE setting SET value = ?1 WHERE key LIKE 'left points: %'", [long_ago]).unwrap(), 1);
    drop(conn);
    is_well(&site);
}

#[test]
fn points_under_tags_that_were_changed_before_an_upgrade_are_named_after_it() {
    let server = Server::start();
    let site = retagged(&server, "");
    let conn = rusqlite::Connection::open(site.path("store.db")).unwrap();
    conn.execute("DELETE FROM setting WHERE key LIKE 'left points: %'", []).unwrap();
    conn.execute_batch(&crate::support::made_older(13)).unwrap();
    drop(conn);
    site.run(&["ingest", "--json"]).works();
    site.sync().works();
    let (found, _) = named(&site);
    assert!(found.len() == 1 && found[0].contains("without tags"), "{found:?}");
}
