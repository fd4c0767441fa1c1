//! What the other tests take for granted about InfluxDB 2.7 and about the program that asks it.

use std::time::Duration;

use chrono::{TimeDelta, Utc};

use crate::influxd2::{BUCKET, Influxd2, May, ORG, TOKEN};
use crate::readings::{Point, Readings, time};
use crate::station::Station;

#[test]
#[ignore = "needs real servers, see .ci/run"]
fn what_was_written_is_read_is_deleted_and_outlives_a_kill() {
    let mut influxd = Influxd2::start();
    influxd.write(BUCKET, "t,site=a v=1.5,w=7999 1000000001\nt,site=a v=-2e-7 1000000002\nother v=\"te,x\\\"t\" 1\n");
    let points = influxd.points(BUCKET, ["t"]);
    let wanted = [("v", 1_000_000_001, 1.5), ("v", 1_000_000_002, -2e-7), ("w", 1_000_000_001, 7999.0)];
    assert_eq!(points, wanted.map(|(field, at, value)| (Point::new("t", field, at), value)).into());
    assert_eq!(influxd.rows(BUCKET, ["other"])[0]["_value"], "te,x\"t");

    influxd.delete(BUCKET, (1_000_000_002, 1_000_000_002), "_measurement=\"t\" AND site=\"a\"");
    assert_eq!(influxd.points(BUCKET, ["t"]).len(), 2);
    influxd.kill();
    influxd.revive();
    assert_eq!(influxd.points(BUCKET, ["t"]).len(), 2);
    assert_eq!(influxd.bucket(BUCKET).unwrap().retention, None);
}

#[test]
#[ignore = "needs real servers, see .ci/run"]
fn a_token_may_do_what_it_was_made_for_and_a_bucket_drops_what_it_does_not_keep() {
    let influxd = Influxd2::start();
    let day = Duration::from_secs(24 * 3600);
    let bucket = influxd.make_bucket("short", Some(day));
    assert_eq!(influxd.bucket("short"), Some(bucket.clone()));
    let org = influxd.org_id(ORG);
    let line = format!("t v=1 {}\n", Utc::now().timestamp_nanos_opt().unwrap());
    let status = |token: &str| influxd.try_write("short", &line, token).status;
    assert_eq!(status(TOKEN), 204);
    assert_eq!(status(&influxd.token(&org, &[(May::Write, Some(&bucket.id))])), 204);
    assert_eq!(status(&influxd.token(&org, &[(May::Read, None), (May::Write, None)])), 204);
    assert_eq!(status(&influxd.token(&org, &[(May::Read, Some(&bucket.id))])), 403);
    let other = influxd.make_org("other");
    assert_ne!(status(&influxd.token(&other, &[(May::Write, None)])), 204);
    assert_eq!(status("wrong"), 401);

    assert_eq!(influxd.try_write("short", "t v=1 1000000000\n", TOKEN).status, 422);
    influxd.keep_for("short", None);
    assert_eq!(influxd.try_write("short", "t v=1 1000000000\n", TOKEN).status, 204);
    influxd.delete_bucket("short");
    assert_eq!(influxd.bucket("short"), None);
    assert_ne!(influxd.make_bucket_in(&org, "short", Some(2 * day)).id, bucket.id);
}

#[test]
#[ignore = "needs real servers, see .ci/run"]
fn the_program_sends_with_a_token_that_may_only_write() {
    let influxd = Influxd2::start();
    let bucket = influxd.bucket(BUCKET).unwrap();
    let start = (time("2024-03-09 22:00:00"), TimeDelta::minutes(30), 0);
    let table = Readings::new("t", &["v"], start, 100, |row, _| format!("{row}.5"));
    let destination = influxd.destination().replace("FLUXTOWER_TEST_RIGHT", "TOWER");
    let mut station = Station::new(&destination, "", &[&table]);
    station.set_variable("TOWER", &influxd.token(&influxd.org_id(ORG), &[(May::Write, Some(&bucket.id))]));
    station.must(0, &["ingest"]);
    assert_eq!(station.must(0, &["sync"])["sent"].as_u64(), Some(100));
    assert_eq!(influxd.points(BUCKET, ["t"]), table.points());
}
