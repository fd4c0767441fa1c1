//! One table or bucket that is refused holds neither another table nor another bucket, and one cause is one finding.

use std::collections::BTreeSet;

use crate::support::server::{Act, Asked, Reply, Server, Taken};
use crate::support::{Site, ns};

/// As InfluxDB 2.7 and 1.6 word it: the points that conflict are dropped and counted, the others are kept.
fn conflict(field: &str, measurement: &str, dropped: usize) -> Act {
    Act::refuse(
        422,
        &format!(
            "failure writing points to database: partial write: field type conflict: input field \"{field}\" on measurement \
             \"{measurement}\" is type float, already exists as type integer dropped={dropped}"
        ),
    )
}

/// Refuses the lines that this is true of, and counts them.
fn refuse_lines(asked: &Asked<'_>, field: &str, measurement: &str, is_refused: impl Fn(&str) -> bool) -> Act {
    match asked.lines.lines().filter(|line| is_refused(line)).count() {
        0 => Act::take(),
        dropped => conflict(field, measurement, dropped),
    }
}

fn rows(table: &str, minutes: impl IntoIterator<Item = i64>) -> BTreeSet<Taken> {
    minutes.into_iter().map(|minute| (table.to_owned(), ns(minute))).collect()
}

/// With the agent's own health, as the default is.
fn with_health(server: &Server, tables: &[&str]) -> Site {
    let site = Site::with(&server.url(), tables, "", "");
    site.replace_in_config("health = false", "health = true");
    site
}

#[test]
fn i6_a_table_in_conflict_on_first_contact_is_set_aside_by_the_agents_own_line() {
    let server = Server::start();
    let site = with_health(&server, &["met"]);
    site.stage(0..6_000);
    server.script(|asked| refuse_lines(asked, "T_Avg", "met", |line| line.contains("T_Avg=")));
    let ran = site.sync().expect(1);
    assert_eq!((ran.number("sent"), ran.number("rejected"), ran.number("pending")), (0, 6_000, 0), "{ran:?}");
    assert!(server.requests() <= 40, "{} requests", server.requests());
    for part in [
        "table \"met\"",
        "field T_Avg of measurement met as integer",
        "sent as float",
        "6,000 rows were",
        "type = \"integer\"",
        "replay --rejected",
    ] {
        assert!(ran.notes().replace('\\', "").contains(part), "no {part} in {}", ran.notes());
    }
    let list = site.run(&["rejected", "--json"]).expect(0).json();
    let list = list["rejected"].as_array().unwrap();
    assert!(list.len() <= 8, "one cause is a few entries: {}", list.len());
    assert!(list.iter().any(|entry| entry["reason"].as_str().unwrap().contains("refused for one cause")), "{list:?}");

    assert_eq!(site.run(&["replay", "--rejected", "--json"]).expect(0).number("requeued"), 6_000);
    server.take_all();
    site.sync().expect(0);
    assert_eq!((site.count("sent"), site.count("rejected")), (6_000, 0));
    assert_eq!(site.in_state("sent"), server.points().rows());
}

#[test]
fn i6_a_table_in_conflict_on_first_contact_does_not_hold_the_others_of_its_bucket() {
    let server = Server::start();
    let site = Site::with(&server.url(), &["met", "rain", "wind"], "", "");
    site.stage(0..2_000);
    server.script(|asked| {
        refuse_lines(asked, "T_Avg", "met", |line| line.starts_with("met,") || line.starts_with("met "))
    });
    let ran = site.sync().expect(1);
    assert_eq!((ran.number("sent"), ran.number("rejected"), ran.number("pending")), (4_000, 2_000, 0), "{ran:?}");
    assert_eq!(site.in_state("rejected"), rows("met", 0..2_000));
    assert_eq!(site.in_state("sent"), server.points().rows());
}

#[test]
fn i6_a_type_that_is_changed_after_rows_were_sent_holds_no_bucket() {
    let server = Server::start();
    let site = with_health(&server, &["met"]);
    // The last of them is a whole number, so its line made anew is refused too.
    site.stage(0..9);
    site.sync().expect(0);
    site.add_to_config("\n[table.columns.T_Avg]\ntype = \"integer\"\n");
    site.stage(9..29);
    let is_integer = |line: &str| {
        let value = line.split("T_Avg=").nth(1).and_then(|rest| rest.split([',', ' ']).next());
        value.is_some_and(|value| value.ends_with('i'))
    };
    server.script(move |asked| refuse_lines(asked, "T_Avg", "met", is_integer));
    let ran = site.sync().expect(1);
    assert_eq!((ran.number("sent"), ran.number("rejected"), ran.number("pending")), (15, 5, 0), "{ran:?}");
}

#[test]
fn i6_a_bucket_that_refuses_every_row_is_held_with_what_to_do() {
    let server = Server::start();
    let site = Site::new(&server.url());
    site.stage(0..3_000);
    server.script(|asked| refuse_lines(asked, "T_Avg", "met", |_| true));
    let ran = site.sync().expect(3);
    assert_eq!(ran.json()["stopped_by"], "held");
    assert_eq!((site.count("pending"), ran.number("rejected")), (3_000, 0));
    assert!(ran.notes().contains("already exists as type integer"), "{}", ran.notes());
    assert!(ran.notes().replace('\\', "").contains("type = \"integer\""), "{}", ran.notes());
}

#[test]
fn i6_a_week_of_refused_five_second_rows_is_worked_off_in_one_run() {
    const ROWS: i64 = 120_960;
    let server = Server::start();
    let site = Site::with(&server.url(), &["met", "wind"], "", "");
    site.write("met", 0..ROWS);
    site.write("wind", 0..10);
    site.run(&["ingest", "--json"]).expect(0);
    server.script(|asked| refuse_lines(asked, "T_Avg", "met", |line| line.starts_with("met")));
    let ran = site.sync().expect(1);
    assert_eq!((ran.number("sent"), ran.number("rejected"), ran.number("pending")), (10, ROWS as u64, 0), "{ran:?}");
    assert!(server.requests() <= 200, "{} requests for {ROWS} rows", server.requests());
}

#[test]
fn i6_rows_without_the_field_in_conflict_are_sent() {
    let server = Server::start();
    let site = with_health(&server, &["met"]);
    // Every third row has no T_Avg.
    let text: String = Site::text("met", 0..4_000)
        .split_inclusive("\r\n")
        .map(|line| match line.split(',').nth(1).and_then(|record| record.parse::<i64>().ok()) {
            Some(record) if record % 3 == 0 => {
                let stamp = line.split(',').next().unwrap();
                format!("{stamp},{record},\"NAN\",98.5\r\n")
            }
            _ => line.to_owned(),
        })
        .collect();
    std::fs::write(site.path("met.dat"), text).unwrap();
    site.run(&["ingest", "--json"]).expect(0);
    server.script(|asked| refuse_lines(asked, "T_Avg", "met", |line| line.contains("T_Avg=")));
    let ran = site.sync().expect(1);
    assert_eq!(ran.number("pending"), 0, "{ran:?}");
    assert_eq!(site.in_state("sent"), rows("met", (0..4_000).filter(|minute| minute % 3 == 0)));
    assert_eq!(site.in_state("sent"), server.points().rows());
    assert!(server.requests() <= 40, "{} requests", server.requests());
}

#[test]
fn i6_only_rows_of_the_shard_in_conflict_are_set_aside() {
    let server = Server::start();
    let site = with_health(&server, &["met"]);
    site.stage(0..6_000);
    // A type is fixed in each shard: the rows of one of them are refused, and a request that reaches several shards hears
    // of the first in trouble only.
    let shards = [700..1_400_i64, 2_000..2_100, 4_000..5_500];
    server.script(move |asked| {
        let times: Vec<i64> =
            asked.lines.lines().map(|line| line.rsplit(' ').next().unwrap().parse().unwrap()).collect();
        let dropped = |shard: &std::ops::Range<i64>| {
            times.iter().filter(|&&time| (ns(shard.start)..ns(shard.end)).contains(&time)).count()
        };
        shards
            .iter()
            .map(dropped)
            .find(|dropped| *dropped > 0)
            .map_or(Act::take(), |dropped| conflict("T_Avg", "met", dropped))
    });
    let ran = site.sync().expect(1);
    let refused = rows("met", (700..1_400).chain(2_000..2_100).chain(4_000..5_500));
    assert_eq!(site.in_state("rejected"), refused);
    assert_eq!((ran.number("sent"), ran.number("pending")), (3_700, 0), "{ran:?}");
    assert_eq!(site.in_state("sent"), server.points().rows());
    assert!(server.requests() <= 300, "{} requests", server.requests());
}

#[test]
fn i6_refused_rows_without_a_cause_leave_only_their_table_alone() {
    let server = Server::start();
    let site = Site::with(&server.url(), &["met", "wind"], "", "");
    site.stage(0..1_000);
    server.script(|asked| match asked.lines.lines().any(|line| line.starts_with("met")) {
        true => Act::refuse(400, "no"),
        false => Act::take(),
    });
    let ran = site.sync().expect(1);
    assert_eq!((ran.json()["stopped_by"].as_str(), ran.number("rejected")), (Some("refusals"), 64), "{ran:?}");
    assert_eq!(site.in_state("sent"), rows("wind", 0..1_000));
    assert_eq!(site.count("pending"), 1_000 - 64);
    assert!(server.requests() <= 400, "{} requests", server.requests());
}

#[test]
fn i5_a_bucket_that_is_refused_does_not_hold_the_other() {
    for (status, body) in [
        (404, r#"{"code":"not found","message":"bucket \"soil\" not found"}"#),
        (403, r#"{"code":"forbidden","message":"insufficient permissions"}"#),
        (401, r#"{"code":"unauthorized","message":"unauthorized access"}"#),
    ] {
        // Whichever of the two comes first.
        for tables in [["soil", "wind"], ["met", "soil"]] {
            let healthy = if tables[0] == "soil" { tables[1] } else { tables[0] };
            let server = Server::start();
            let site = Site::with(&server.url(), &tables, "", "batch_rows = 500");
            site.stage(0..4_000);
            server.script(move |asked| match asked.lines.starts_with("soil") {
                true => Act::say(Reply::json(status, body)),
                false => Act::take(),
            });
            let ran = site.sync().expect(3);
            assert_eq!(ran.json()["stopped_by"], "held", "{ran:?}");
            assert_eq!(site.in_state("sent"), rows(healthy, 0..4_000), "{status} {tables:?}");
            assert_eq!(site.in_state("pending"), rows("soil", 0..4_000));
            assert_eq!(site.in_state("sent"), server.points().rows());
            let to_soil = server.seen().iter().filter(|seen| seen.path.contains("bucket=soil")).count();
            assert_eq!(to_soil, 1, "a bucket that is held is asked once");
            assert!(ran.notes().replace('\\', "").contains("bucket \"soil\":"), "{}", ran.notes());
            let status = site.run(&["status", "--json"]).expect(1).json();
            assert!(status["verdict"].as_str().unwrap().contains("soil"), "{status}");
        }
    }
}

#[test]
fn i5_a_bucket_made_again_does_not_hold_the_other() {
    let server = Server::start();
    let site = Site::with(&server.url(), &["met", "soil"], "", "");
    site.stage(0..100);
    site.sync().expect(0);
    site.stage(0..200);
    server.answer(|path| {
        let is_soil = path.contains("name=soil");
        is_soil.then(|| {
            Reply::json(200, r#"{"buckets":[{"id":"another","orgID":"o","name":"soil","retentionRules":[]}]}"#)
        })
    });
    let ran = site.sync().expect(3);
    assert_eq!(ran.json()["stopped_by"], "held", "{ran:?}");
    assert_eq!(site.in_state("pending"), rows("soil", 100..200));
    assert_eq!(ran.number("sent"), 100);
    assert!(ran.notes().contains("bucket confirm"), "{}", ran.notes());
}
