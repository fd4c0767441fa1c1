//! What a login may do, and what became of a bucket: `check` says what `run` then does, on InfluxDB 1.6 and 2.7.

use std::fs;
use std::time::Duration;

use chrono::TimeDelta;

use crate::influxd2::{BUCKET, Influxd2, May, ORG};
use crate::readings::{Readings, time};
use crate::server::{Influxd, free_port};
use crate::station::Station;

const DAY: Duration = Duration::from_secs(86_400);

fn readings(name: &'static str) -> Readings {
    Readings::new(name, &["v"], (time("2026-06-01 12:00:00"), TimeDelta::minutes(5), 0), 50, |row, _| {
        format!("{row}.5")
    })
}

/// Rows that the logger wrote meanwhile, so that `run` has something to send.
fn more_rows(station: &Station, count: usize) {
    let (start, step) = (time("2026-06-02 12:00:00"), TimeDelta::minutes(5));
    let more = Readings::new("t", &["v"], (start, step, 0), count, |row, _| format!("{row}.5"));
    fs::write(station.path("t.dat"), more.toa5()).unwrap();
}

fn text_of(check: &serde_json::Value) -> String {
    check["checks"].to_string()
}

/// `check`, then `run`: both must end with this code. Gives the lines of `check`.
fn both(station: &Station, exit: i32) -> String {
    station.must(0, &["ingest"]);
    let check = station.run(&["check"]);
    let run = station.run(&["run"]);
    assert_eq!((check.exit, run.exit), (exit, exit), "{check:?}\n{run:?}");
    text_of(&check.json)
}

/// `[destination]` of v2 with a token that the station has under this name.
fn v2(url: &str, org: &str, bucket: &str, token: &str) -> String {
    format!("url = \"{url}\"\norg = \"{org}\"\nbucket = \"{bucket}\"\ntoken_env = \"{token}\"")
}

#[test]
#[ignore = "needs real servers, see .ci/run"]
fn on_2_7_check_and_run_agree_for_every_kind_of_token() {
    let influxd = Influxd2::start();
    let (org, bucket) = (influxd.org_id(ORG), influxd.bucket(BUCKET).unwrap().id);
    let other_org = influxd.make_org("other");
    let other_bucket = influxd.make_bucket_in(&other_org, BUCKET, None).id;
    let token = |org: &str, bucket: &str, may: &[May]| {
        let permissions: Vec<_> = may.iter().map(|may| (*may, Some(bucket))).collect();
        influxd.token(org, &permissions)
    };
    let other = token(&other_org, &other_bucket, &[May::Read, May::Write]);
    for (kind, secret, in_org, exit, said) in [
        ("read and write", token(&org, &bucket, &[May::Read, May::Write]), ORG, 0, "keeps rows for ever"),
        ("write only", token(&org, &bucket, &[May::Write]), ORG, 0, "`verify`, `prune` and `keep` cannot work"),
        ("read only", token(&org, &bucket, &[May::Read]), ORG, 3, "may not write to bucket \\\"flux\\\""),
        ("wrong", "nobody".to_owned(), ORG, 3, "the token is wrong"),
        ("of another organisation", other.clone(), ORG, 3, "may not write to bucket"),
        ("of that other organisation", other, "other", 0, "may be written to"),
        ("with an organisation that is not there", "right".to_owned(), "nowhere", 3, "does not exist"),
    ] {
        let mut station =
            Station::new(&v2(&influxd.url(), in_org, BUCKET, "FLUXTOWER_TEST_TOKEN"), "", &[&readings("t")]);
        station.set_variable("FLUXTOWER_TEST_TOKEN", &secret);
        let lines = both(&station, exit);
        assert!(lines.contains(said), "{kind}: {lines}");
        assert_eq!(station.sent(), if exit == 0 { 50 } else { 0 }, "{kind}");
    }
    let missing = Station::new(&v2(&influxd.url(), ORG, "typo", "FLUXTOWER_TEST_RIGHT"), "", &[&readings("t")]);
    assert!(both(&missing, 3).contains("the bucket \\\"typo\\\" or the organisation does not exist"));
}

#[test]
#[ignore = "needs real servers, see .ci/run"]
fn on_1_6_check_and_run_agree_for_every_kind_of_user() {
    let influxd = Influxd::start_guarded();
    influxd.query("", "CREATE DATABASE flux");
    for (user, grant) in [("reader", "READ"), ("writer", "WRITE"), ("both", "ALL")] {
        influxd.query("", &format!("CREATE USER {user} WITH PASSWORD 'right'"));
        influxd.query("", &format!("GRANT {grant} ON flux TO {user}"));
    }
    influxd.query("", "CREATE USER stranger WITH PASSWORD 'right'");
    for (user, password, bucket, exit, said) in [
        ("both", "RIGHT", "flux", 0, "keeps rows for ever"),
        ("writer", "RIGHT", "flux", 0, "`verify`, `prune` and `keep` cannot work"),
        ("reader", "RIGHT", "flux", 3, "may not write to database \\\"flux\\\""),
        ("stranger", "RIGHT", "flux", 3, "may not write to database \\\"flux\\\""),
        ("both", "WRONG", "flux", 3, "the user or the password is wrong"),
        ("both", "RIGHT", "typo", 3, "the database or the retention policy of \\\"typo\\\" does not exist"),
        ("both", "RIGHT", "flux/typo", 3, "the database or the retention policy of \\\"flux/typo\\\" does not exist"),
    ] {
        let destination = format!(
            "api = \"v1\"\nurl = \"{}\"\nbucket = \"{bucket}\"\nuser = \"{user}\"\npassword_env = \"FLUXTOWER_TEST_{password}\"",
            influxd.url()
        );
        let station = Station::new(&destination, "", &[&readings("t")]);
        let lines = both(&station, exit);
        assert!(lines.contains(said), "{user} {password} {bucket}: {lines}");
        assert_eq!(station.sent(), if exit == 0 { 50 } else { 0 }, "{user} {password} {bucket}");
    }
}

#[test]
#[ignore = "needs real servers, see .ci/run"]
fn a_host_that_is_not_there_is_told_although_retention_is_configured() {
    let nobody = format!("http://127.0.0.1:{}", free_port());
    let destination = v2(&nobody, ORG, BUCKET, "FLUXTOWER_TEST_RIGHT") + "\nretention = \"30d\"";
    let station = Station::new(&destination, "deadline = \"1s\"", &[&readings("t")]);
    station.must(0, &["ingest"]);
    let check = station.must(1, &["check"]);
    assert!(text_of(&check).contains("no connection to"), "{check}");
}

#[test]
#[ignore = "needs real servers, see .ci/run"]
fn a_retention_that_was_lowered_by_patch_is_held_by_run_and_said_by_check() {
    let influxd = Influxd2::start();
    influxd.keep_for(BUCKET, Some(3_650 * DAY));
    let station = Station::new(&influxd.destination(), "", &[&readings("t")]);
    both(&station, 0);
    influxd.keep_for(BUCKET, Some(1_825 * DAY));
    assert_eq!(both(&station, 3), both(&station, 3), "with nothing to send too");
    more_rows(&station, 1);
    let lines = both(&station, 3);
    assert!(lines.contains("keeps rows for 1825 days, it kept them for 3650 days"), "{lines}");
    station.must(0, &["bucket", "confirm"]);
    both(&station, 0);
    influxd.keep_for(BUCKET, None);
    more_rows(&station, 2);
    station.must(0, &["ingest"]);
    let check = station.must(1, &["check"]);
    assert!(text_of(&check).contains("now keeps rows for ever"), "{check}");
    station.must(1, &["run"]);
    // What a sync reported stands until the next one.
    let check = station.must(1, &["check"]);
    assert!(text_of(&check).contains("the last sync reported"), "{check}");
    station.must(0, &["run"]);
    both(&station, 0);
}

#[test]
#[ignore = "needs real servers, see .ci/run"]
fn a_bucket_made_again_is_held_by_run_and_said_by_check() {
    let influxd = Influxd2::start();
    let station = Station::new(&influxd.destination(), "", &[&readings("t")]);
    both(&station, 0);
    influxd.delete_bucket(BUCKET);
    more_rows(&station, 1);
    both(&station, 3);
    influxd.make_bucket(BUCKET, None);
    assert!(both(&station, 3).contains("is another bucket than before"));
    station.must(0, &["bucket", "confirm"]);
    both(&station, 0);
}

#[test]
#[ignore = "needs real servers, see .ci/run"]
fn organisation_and_bucket_by_id_work_in_every_command() {
    let influxd = Influxd2::start();
    let (org, bucket) = (influxd.org_id(ORG), influxd.make_bucket("kept", Some(3_650 * DAY)).id);
    let table = readings("t");
    let station = Station::new(&v2(&influxd.url(), &org, &bucket, "FLUXTOWER_TEST_RIGHT"), "", &[&table]);
    let lines = both(&station, 0);
    assert!(lines.contains("keeps rows for 3650 d 0 h"), "{lines}");
    assert_eq!(influxd.points("kept", ["t"]), table.points());
    let listed = station.must(0, &["bucket", "list"])["buckets"].to_string();
    assert!(listed.contains("\"kept\"") && listed.contains(&bucket), "{listed}");
    station.must(0, &["bucket", "create", "made", "--retention", "30d"]);
    assert_eq!(influxd.bucket("made").unwrap().retention, Some(30 * DAY));
    station.must(0, &["dashboard", "--grafana", "--output", "d.json"]);
    let flux = fs::read_to_string(station.path("d.json")).unwrap();
    assert!(flux.contains(&format!("from(bucketID: \\\"{bucket}\\\")")) && !flux.contains("from(bucket:"), "{flux}");
}

#[test]
#[ignore = "needs real servers, see .ci/run"]
fn a_bucket_of_another_organisation_has_its_own_token_and_retention() {
    let influxd = Influxd2::start();
    let partners = influxd.make_org("partners");
    let soil = influxd.make_bucket_in(&partners, "soil", None).id;
    let fast = influxd.bucket(BUCKET).unwrap().id;
    let (met, depths) = (readings("met"), readings("depths"));
    let mut station = Station::new(&v2(&influxd.url(), ORG, BUCKET, "FLUXTOWER_TEST_FAST"), "", &[&met, &depths]);
    station.set_variable("FLUXTOWER_TEST_FAST", &influxd.token(&influxd.org_id(ORG), &[(May::Write, Some(&fast))]));
    station.set_variable("FLUXTOWER_TEST_SOIL", &influxd.token(&partners, &[(May::Write, Some(&soil))]));
    let config = fs::read_to_string(station.path("config.toml")).unwrap();
    let config = config.replace("name = \"depths\"\n", "name = \"depths\"\nbucket = \"soil\"\n");
    fs::write(station.path("config.toml"), &config).unwrap();
    both(&station, 3);

    let special =
        "[[bucket]]\nname = \"soil\"\norg = \"partners\"\ntoken_env = \"FLUXTOWER_TEST_SOIL\"\nretention = \"3650d\"\n";
    fs::write(station.path("config.toml"), config + special).unwrap();
    let lines = both(&station, 0);
    assert!(
        lines.contains("organisation partners), bucket soil") && lines.contains("keeps rows for 3650 d"),
        "{lines}"
    );
    assert!(lines.contains(&format!("organisation {ORG}), bucket {BUCKET}")), "{lines}");
    assert_eq!(influxd.points(BUCKET, ["met", "depths"]), met.points());
    let query = "from(bucket: \"soil\") |> range(start: 2026-01-01T00:00:00Z, stop: 2027-01-01T00:00:00Z) |> count()";
    let found = influxd.flux_in("partners", query);
    assert_eq!(found.iter().map(|row| row["_value"].as_str()).collect::<Vec<_>>(), ["50"]);
}

#[test]
#[ignore = "needs real servers, see .ci/run"]
fn v1_against_2_7_does_not_take_a_retention_of_0_for_ever() {
    let influxd = Influxd2::start();
    influxd.make_bucket("month", Some(3_650 * DAY));
    let destination = format!(
        "api = \"v1\"\nurl = \"{}\"\nbucket = \"month\"\nuser = \"tower\"\npassword_env = \"FLUXTOWER_TEST_RIGHT\"",
        influxd.url()
    );
    let station = Station::new(&destination, "", &[&readings("t")]);
    let lines = both(&station, 0);
    assert!(lines.contains("how long it keeps rows is unknown") && lines.contains("set `retention`"), "{lines}");
}

#[test]
#[ignore = "needs real servers, see .ci/run"]
fn bucket_create_and_list_say_what_there_is_and_what_may_not_be_seen() {
    let influxd = Influxd2::start();
    let station = Station::new(&influxd.destination(), "", &[&readings("t")]);
    let create = |exit: i32, more: &[&str]| station.must(exit, &[&["bucket", "create"], more].concat());
    assert_eq!(create(0, &["soil", "--retention", "30d"])["new"], true);
    assert_eq!(create(0, &["soil", "--retention", "30"])["new"], false);
    create(2, &["soil", "--retention", "60d"]);
    create(2, &["soil"]);
    for name in ["", "_internal", "a\\b", " x"] {
        create(2, &[name]);
    }
    create(2, &["long", "--retention", "106752d"]);
    create(0, &["longest", "--retention", "106751d"]);
    // 2.7 takes it and keeps it.
    assert_eq!(influxd.bucket("longest").unwrap().retention, Some(106_751 * DAY));
    assert_eq!(influxd.bucket("soil").unwrap().retention, Some(30 * DAY));

    let fast = influxd.bucket(BUCKET).unwrap().id;
    let mut blind = Station::new(&v2(&influxd.url(), ORG, BUCKET, "FLUXTOWER_TEST_BLIND"), "", &[&readings("t")]);
    blind.set_variable("FLUXTOWER_TEST_BLIND", &influxd.token(&influxd.org_id(ORG), &[(May::Write, Some(&fast))]));
    let listed = blind.run(&["bucket", "list"]);
    assert_eq!(listed.exit, 1, "{listed:?}");
    assert!(listed.talk.contains("may see no bucket"), "{listed:?}");
}
