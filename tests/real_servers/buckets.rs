//! What happens to a bucket behind the agent's back: it keeps less, it keeps more, it is gone, it is another one.

use std::time::Duration;

use chrono::{TimeDelta, Timelike, Utc};

use crate::each::{Server, on_each_influxdb};
use crate::influxd2::{BUCKET, Influxd2, May, ORG};
use crate::readings::{Readings, assert_same, station_time, time};
use crate::station::Station;

const DAY: Duration = Duration::from_secs(24 * 3_600);
/// Three days of half hours.
const ROWS: usize = 144;

on_each_influxdb!(
    i6_a_backlog_that_is_older_than_the_retention_as_a_whole_does_not_wait_for_ever,
    i6_rows_older_than_the_retention_expire_and_the_others_are_sent,
    i6_a_bucket_that_keeps_less_than_before_is_held_until_a_user_confirms_it,
    i11_rows_that_expired_are_sent_when_the_bucket_keeps_more_and_a_user_asks_for_them,
);

/// Half hours that end now, before the last `later` of them.
fn half_hours(later: i32, rows: usize) -> Readings {
    let step = TimeDelta::minutes(30);
    let end = station_time(Utc::now()).with_nanosecond(0).unwrap() - step * later;
    Readings::new("t", &["v"], (end - step * i32::try_from(rows).unwrap(), step, 0), rows, |row, _| format!("{row}.5"))
}

/// The last day is within the retention, give or take a shard.
fn assert_a_day(sent: usize) {
    assert!((46..=52).contains(&sent), "{sent} half hours are kept");
}

fn i6_rows_older_than_the_retention_expire_and_the_others_are_sent<S: Server>() {
    let influxd = S::fresh();
    influxd.keep_for(Some(DAY));
    let station = Station::new(&influxd.destination(), "", &[&half_hours(0, ROWS)]);
    station.must(0, &["ingest"]);
    let ended = station.run(&["sync"]);
    assert_eq!((ended.json["pending"].as_u64(), ended.json["rejected"].as_u64()), (Some(0), Some(0)), "{ended:?}");
    let (sent, expired) = (station.times("t", "sent"), station.times("t", "expired"));
    assert_a_day(sent.len());
    assert_eq!(sent.len() + expired.len(), ROWS);
    let found = influxd.times("t");
    assert!(sent.iter().all(|time| found.contains(time)), "a row is marked as sent and is not there");
    assert!(expired.iter().all(|time| *time < sent[0]));
}

fn i6_a_backlog_that_is_older_than_the_retention_as_a_whole_does_not_wait_for_ever<S: Server>() {
    let influxd = S::fresh();
    influxd.keep_for(Some(DAY));
    let old = (time("2024-03-09 22:00:00"), TimeDelta::hours(1), 0);
    let table = Readings::new("t", &["v"], old, 3_000, |row, _| format!("{row}.5"));
    let station = Station::new(&influxd.destination(), "deadline = \"60s\"", &[&table]);
    station.must(0, &["ingest"]);
    let ended = station.run(&["sync"]);
    assert_eq!((ended.json["expired"].as_u64(), ended.json["pending"].as_u64()), (Some(3_000), Some(0)), "{ended:?}");
    assert_ne!(ended.exit, 3, "nobody refuses us: {ended:?}");
}

fn i6_a_bucket_that_keeps_less_than_before_is_held_until_a_user_confirms_it<S: Server>() {
    let influxd = S::fresh();
    let station = Station::new(&influxd.destination(), "health = false", &[&half_hours(10, ROWS)]);
    station.must(0, &["ingest"]);
    assert_eq!(station.must(0, &["sync"])["sent"].as_u64(), Some(ROWS as u64));

    influxd.keep_for(Some(DAY));
    std::fs::write(station.path("t.dat"), half_hours(0, 5).toa5()).unwrap();
    station.must(0, &["ingest"]);
    let held = station.run(&["sync"]);
    assert_eq!(
        (held.exit, held.json["sent"].as_u64(), held.json["pending"].as_u64()),
        (3, Some(0), Some(5)),
        "{held:?}"
    );
    assert!(held.json["notes"].to_string().contains("bucket confirm"), "{held:?}");

    station.must(0, &["bucket", "confirm"]);
    assert_eq!(station.must(0, &["sync"])["sent"].as_u64(), Some(5));
    let (sent, found) = (station.times("t", "sent"), influxd.times("t"));
    assert!(station.times("t", "pending").is_empty());
    // Which shards are gone by now is the server's affair; what it should keep must be there.
    let kept_from = (Utc::now() - TimeDelta::days(1)).timestamp_nanos_opt().unwrap();
    let kept: Vec<i64> = sent.into_iter().filter(|at| *at >= kept_from).collect();
    assert!(kept.len() > 40, "{} rows of the last day", kept.len());
    assert!(kept.iter().all(|time| found.contains(time)), "a row within the retention is not there");
}

fn i11_rows_that_expired_are_sent_when_the_bucket_keeps_more_and_a_user_asks_for_them<S: Server>() {
    let influxd = S::fresh();
    influxd.keep_for(Some(DAY));
    let table = half_hours(0, ROWS);
    let station = Station::new(&influxd.destination(), "health = false", &[&table]);
    station.must(0, &["ingest"]);
    station.run(&["sync"]);
    assert!(!station.times("t", "expired").is_empty());

    influxd.keep_for(None);
    station.must(0, &["replay", "--expired"]);
    // It says that the bucket keeps more, which is not "all well".
    assert!(matches!(station.run(&["sync"]).exit, 0 | 1));
    assert_eq!(station.times("t", "sent").len(), ROWS);
    assert_same(&influxd.points(["t"]), &table.points());
}

#[test]
#[ignore = "needs real servers, see .ci/run"]
fn i5_a_bucket_that_was_deleted_holds_its_rows_and_one_made_again_is_held_until_a_user_confirms_it() {
    let influxd = Influxd2::start();
    let station = Station::new(&influxd.destination(), "health = false", &[&half_hours(10, ROWS)]);
    station.must(0, &["ingest"]);
    station.must(0, &["sync"]);

    influxd.delete_bucket(BUCKET);
    let later = half_hours(0, 5);
    std::fs::write(station.path("t.dat"), later.toa5()).unwrap();
    station.must(0, &["ingest"]);
    let gone = station.must(3, &["sync"]);
    assert_eq!((gone["sent"].as_u64(), gone["pending"].as_u64()), (Some(0), Some(5)), "{gone}");

    // The same name and another bucket: what was sent before is not in it.
    influxd.make_bucket(BUCKET, None);
    let other = station.must(3, &["sync"]);
    assert_eq!((other["sent"].as_u64(), other["pending"].as_u64()), (Some(0), Some(5)), "{other}");
    assert!(other["notes"].to_string().contains("bucket confirm"), "{other}");
    assert!(influxd.points(BUCKET, ["t"]).is_empty(), "something was written to a bucket that nobody confirmed");

    station.must(0, &["bucket", "confirm"]);
    assert_eq!(station.must(0, &["sync"])["sent"].as_u64(), Some(5));
    assert_same(&influxd.points(BUCKET, ["t"]), &later.points());
    station.must(0, &["replay", "--since", "2000-01-01"]);
    station.must(0, &["sync"]);
    assert_eq!(influxd.points(BUCKET, ["t"]).len(), ROWS + 5);
}

#[test]
#[ignore = "needs real servers, see .ci/run"]
fn i6_old_rows_expire_also_where_the_token_may_only_write_and_so_cannot_ask_for_the_retention() {
    let influxd = Influxd2::start();
    influxd.keep_for(BUCKET, Some(DAY));
    let bucket = influxd.bucket(BUCKET).unwrap();
    let destination = influxd.destination().replace("FLUXTOWER_TEST_RIGHT", "TOWER");
    let mut station = Station::new(&destination, "", &[&half_hours(0, ROWS)]);
    station.set_variable("TOWER", &influxd.token(&influxd.org_id(ORG), &[(May::Write, Some(&bucket.id))]));
    station.must(0, &["ingest"]);
    let ended = station.run(&["sync"]);
    assert_eq!((ended.json["pending"].as_u64(), ended.json["rejected"].as_u64()), (Some(0), Some(0)), "{ended:?}");
    assert_a_day(station.times("t", "sent").len());
    let found = influxd.points(BUCKET, ["t"]);
    assert!(station.times("t", "sent").iter().all(|at| found.keys().any(|point| point.at == *at)));
}
