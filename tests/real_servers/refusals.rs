//! InfluxDB 1.6 says no: to a row, to old rows, to us.

use chrono::{TimeDelta, Timelike, Utc};

use crate::readings::{Readings, station_time, time, utc};
use crate::server::Influxd;
use crate::station::Station;

/// Hourly rows, so that each has a shard of its own where shards last an hour.
fn hourly(count: usize) -> Readings {
    Readings::new("t", &["v"], (time("2024-03-09 22:00:00"), TimeDelta::hours(1), 0), count, |row, _| {
        format!("{row}.5")
    })
}

fn v1(influxd: &Influxd, more: &str) -> String {
    format!("api = \"v1\"\nurl = \"{}\"\nbucket = \"flux\"\n{more}", influxd.url())
}

#[test]
#[ignore = "needs real servers, see .ci/run"]
fn i6_a_row_whose_field_has_another_type_in_its_shard_is_set_aside_and_the_others_are_sent() {
    let influxd = Influxd::start();
    influxd.query("", "CREATE DATABASE flux WITH DURATION INF SHARD DURATION 1h");
    let table = hourly(200);
    let (text, integer) = (&table.rows[60].0, &table.rows[150].0);
    // A point of another series in the same shard fixes the field's type there.
    influxd.write("flux", &format!("t,site=other v=\"text\" {}\nt,site=other v=5i {}\n", utc(text), utc(integer)));
    let station = Station::new(&v1(&influxd, ""), "", &[&table]);
    station.must(0, &["ingest"]);
    let sync = station.must(1, &["sync"]);
    assert_eq!((sync["sent"].as_u64(), sync["rejected"].as_u64()), (Some(198), Some(2)), "{sync}");
    assert_eq!(sync["pending"].as_u64(), Some(0));
    assert_eq!(station.times("t", "rejected"), [utc(text), utc(integer)]);
    let rejected = station.run(&["rejected"]).json.to_string();
    assert!(rejected.contains("field type conflict"), "the server's words are missing: {rejected}");

    let found: Vec<i64> =
        influxd.query("flux", "SELECT v FROM t WHERE site = 'US-UMB'")["results"][0]["series"][0]["values"]
            .as_array()
            .unwrap()
            .iter()
            .map(|row| row[0].as_i64().unwrap())
            .collect();
    assert_eq!(found, station.times("t", "sent"));
}

#[test]
#[ignore = "needs real servers, see .ci/run"]
fn i6_old_rows_expire_also_where_the_account_may_not_ask_for_the_retention() {
    let influxd = Influxd::start_guarded();
    influxd.query("", "CREATE DATABASE flux WITH DURATION 1d SHARD DURATION 1h");
    influxd.query("", "CREATE USER tower WITH PASSWORD 'right'");
    influxd.query("", "GRANT WRITE ON flux TO tower");
    let start = station_time(Utc::now()).with_nanosecond(0).unwrap() - TimeDelta::hours(72);
    let table = Readings::new("t", &["v"], (start, TimeDelta::minutes(30), 0), 144, |row, _| format!("{row}.5"));
    let login = "user = \"tower\"\npassword_env = \"FLUXTOWER_TEST_RIGHT\"";
    let station = Station::new(&v1(&influxd, login), "", &[&table]);
    station.must(0, &["ingest"]);
    let ended = station.run(&["sync"]);
    let (sent, expired) = (ended.json["sent"].as_u64().unwrap(), ended.json["expired"].as_u64().unwrap());
    assert!((46..=52).contains(&sent) && sent + expired == 144, "{ended:?}");
}

#[test]
#[ignore = "needs real servers, see .ci/run"]
fn i5_a_database_that_does_not_exist_ends_with_3_and_marks_nothing() {
    let influxd = Influxd::start();
    let station = Station::new(&v1(&influxd, ""), "", &[&hourly(100)]);
    station.must(0, &["ingest"]);
    let sync = station.must(3, &["sync"]);
    assert_eq!((sync["sent"].as_u64(), sync["pending"].as_u64()), (Some(0), Some(100)), "{sync}");
    assert_eq!(station.times("t", "pending").len(), 100);

    influxd.query("", "CREATE DATABASE flux");
    assert_eq!(station.must(0, &["sync"])["sent"].as_u64(), Some(100));
}

#[test]
#[ignore = "needs real servers, see .ci/run"]
fn i5_a_wrong_password_ends_with_3_and_marks_nothing() {
    let influxd = Influxd::start_guarded();
    influxd.query("", "CREATE DATABASE flux");
    let login =
        |password: &str| v1(&influxd, &format!("user = \"admin\"\npassword_env = \"FLUXTOWER_TEST_{password}\""));
    let station = Station::new(&login("WRONG"), "", &[&hourly(100)]);
    station.must(0, &["ingest"]);
    let ended = station.run(&["sync"]);
    assert_eq!(ended.exit, 3, "{ended:?}");
    assert!(!ended.talk.contains("wrong\"") && !ended.json.to_string().contains("admin:wrong"), "{ended:?}");
    assert_eq!(station.times("t", "pending").len(), 100);
    assert!(influxd.points("flux", ["t"]).is_empty());

    let station = Station::new(&login("RIGHT"), "", &[&hourly(100)]);
    station.must(0, &["ingest"]);
    station.must(0, &["sync"]);
    assert_eq!(influxd.points("flux", ["t"]).len(), 100);
}
