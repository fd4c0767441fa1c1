//! The bucket that rows went to: how long it keeps them, whether it is still the same, and what is really in it.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::support::server::{Act, Reply, Server};
use crate::support::{Site, ns};

fn bucket(id: &str, seconds: u64) -> Reply {
    Reply::json(
        200,
        &format!(
            r#"{{"buckets":[{{"id":"{id}","orgID":"o","name":"tower","retentionRules":[{{"type":"expire","everySeconds":{seconds}}}]}}]}}"#
        ),
    )
}

/// Seconds from the row of that minute to now: a retention of so long ends just there.
fn age_s(minute: i64) -> u64 {
    let now = chrono::Utc::now().timestamp_nanos_opt().unwrap();
    u64::try_from((now - ns(minute)) / 1_000_000_000).unwrap()
}

#[test]
fn i6_rows_older_than_the_retention_expire_unsent_and_come_back_when_it_grows() {
    let server = Server::start();
    let site = Site::new(&server.url());
    site.stage(0..100);
    server.keep_for(Duration::from_secs(age_s(40) - 30));
    let first = site.sync().expect(0);
    assert_eq!((first.number("expired"), first.number("sent")), (41, 59));
    assert_eq!((site.count("expired"), site.count("pending"), server.points().len()), (41, 0, 59));

    server.keep_for(Duration::ZERO);
    assert_eq!(site.run(&["replay", "--expired", "--json"]).expect(0).number("requeued"), 41);
    let second = site.sync();
    assert!(second.notes().contains("keeps rows for ever"), "{second:?}");
    assert_eq!((site.count("sent"), server.points().len()), (100, 100));
}

#[test]
fn i6_rows_do_not_expire_by_the_word_of_one_clock() {
    for ahead in ["Tue, 19 Jan 2038 03:14:07 GMT", "Sat, 01 Jan 2050 00:00:00 GMT"] {
        let server = Server::start();
        let site = Site::new(&server.url());
        site.stage(0..100);
        let kept = age_s(0) + 86_400;
        server.answer(move |path| path.starts_with("/api/v2/buckets").then(|| bucket("id", kept).with("Date", ahead)));
        let ran = site.sync().expect(1);
        assert_eq!((ran.number("expired"), ran.number("sent")), (0, 100));
        assert!(ran.notes().contains("nothing expires"), "{ran:?}");
        let status = site.run(&["status", "--json"]).expect(1).json();
        let found = status["findings"].as_array().unwrap().iter().any(|finding| finding["kind"] == "clocks_disagree");
        assert!(found, "{status}");
    }
}

#[test]
fn i6_the_time_on_a_login_page_expires_nothing() {
    let server = Server::start();
    let site = Site::with(&server.url(), &["met"], "retention = \"3650d\"", "deadline = \"3s\"");
    site.stage(0..10);
    let page = || Reply::html(200, "<html>log in</html>").with("Date", "Tue, 19 Jan 2038 03:14:07 GMT");
    server.answer(move |_| Some(page()));
    server.script(move |_| Act::say(page()));
    let ran = site.sync();
    assert_eq!((ran.number("expired"), ran.number("sent"), ran.number("pending")), (0, 0, 10), "{ran:?}");
}

#[test]
fn a_configured_retention_holds_where_the_server_does_not_say() {
    let server = Server::start();
    let site = Site::with(&server.url(), &["met"], "retention = \"1d\"", "");
    server.answer(|path| {
        path.starts_with("/api/v2/buckets").then(|| Reply::json(403, r#"{"code":"forbidden","message":"no"}"#))
    });
    site.stage(0..10);
    assert_eq!(site.sync().expect(0).number("expired"), 10);
    assert_eq!(server.requests(), 0);
}

#[test]
fn a_bucket_made_again_under_its_name_is_held_until_a_person_confirms_it() {
    let server = Server::start();
    let site = Site::new(&server.url());
    let id = Arc::new(Mutex::new("first"));
    let known = Arc::clone(&id);
    server.answer(move |path| path.starts_with("/api/v2/buckets").then(|| bucket(*known.lock().unwrap(), 0)));
    site.stage(0..10);
    site.sync().expect(0);
    *id.lock().unwrap() = "second";
    site.stage(10..20);
    let held = site.sync().expect(3);
    assert!(held.notes().contains("bucket confirm"), "{held:?}");
    assert_eq!((site.count("pending"), server.points().len()), (10, 10));
    site.run(&["bucket", "confirm"]).expect(0);
    site.sync().expect(0);
    assert_eq!((site.count("pending"), server.points().len()), (0, 20));
}

#[test]
fn a_retention_that_was_lowered_is_held() {
    let server = Server::start();
    let site = Site::new(&server.url());
    server.keep_for(Duration::from_secs(400 * 86_400));
    site.stage(0..10);
    site.sync().expect(0);
    server.keep_for(Duration::from_secs(300 * 86_400));
    site.stage(10..11);
    assert!(site.sync().expect(3).notes().contains("keeps rows for 300 days"));
    assert_eq!(site.count("pending"), 1);
}

#[test]
fn status_warns_while_rows_are_about_to_expire() {
    let server = Server::start();
    let mut site = Site::new(&server.url());
    server.keep_for(Duration::from_secs(age_s(0) + 3_600));
    site.stage(0..10);
    site.sync().expect(0);
    server.script(|_| Act::refuse(503, "busy"));
    site.configure(&server.url(), "", "deadline = \"1s\"");
    site.stage(10..20);
    site.sync().expect(1);
    let status = site.run(&["status", "--json"]).expect(1);
    assert!(status.json()["verdict"].to_string().contains("expire in"), "{status:?}");
}

/// A table is silent without a row, and rows wait while their bucket takes none, whatever the other buckets do.
#[test]
fn the_agents_health_counts_the_wait_of_rows_and_not_their_age_and_names_a_table_that_never_had_a_row() {
    let server = Server::start();
    let site = Site::with(&server.url(), &["met", "soil"], "", "");
    site.replace_in_config("health = false", "health = true");
    site.stage(0..10);
    site.run(&["ingest"]).expect(0);
    site.sync().expect(0);
    let health = server.health();
    let value = |line: &str, field: &str| -> f64 {
        let (_, rest) = line.split_once(&format!("{field}=")).unwrap_or_else(|| panic!("no {field}: {line}"));
        rest.split([',', ' ']).next().unwrap().parse().unwrap()
    };
    let all = health.last().unwrap();
    let agent = all.lines().next().unwrap();
    assert!(value(agent, "longest_wait_s") < 60.0, "{agent}");
    for line in all.lines().skip(1) {
        assert!(value(line, "no_new_row_s") >= 0.0 && value(line, "longest_wait_s") < 60.0, "{line}");
    }
    assert_eq!(all.lines().count(), 3, "{all}");
}

#[test]
fn the_agents_own_health_comes_with_every_sync() {
    let server = Server::start();
    let site = Site::new(&server.url());
    site.replace_in_config("health = false", "health = true");
    site.stage(0..10);
    site.sync().expect(0);
    site.sync().expect(0);
    let health = server.health();
    assert_eq!(health.len(), 2, "one with rows, one without");
    let mut lines = health[1].lines();
    let agent = lines.next().unwrap();
    assert!(agent.starts_with("fluxtower_agent,station=US-UMB backlog=0,"), "{agent}");
    assert!(agent.contains(concat!("version=\"", env!("CARGO_PKG_VERSION"), "\"")), "{agent}");
    assert!(lines.next().unwrap().starts_with("fluxtower_agent,station=US-UMB,logger_table=met newest_age_s="));
    for line in influxdb_line_protocol::parse_lines(&health[1]) {
        line.unwrap();
    }
}

#[test]
fn the_heartbeat_is_called_only_after_a_sync_that_left_nothing_due() {
    let server = Server::start();
    let beats = server.beats();
    let mut site = Site::new(&server.url());
    site.configure(&server.url(), "", &format!("deadline = \"1s\"\nheartbeat_url = \"{}/beat\"", server.url()));
    site.stage(0..10);
    server.script(|_| Act::refuse(503, "busy"));
    site.sync().expect(1);
    assert_eq!(beats.load(Ordering::Relaxed), 0);
    server.take_all();
    site.sync().expect(0);
    assert_eq!(beats.load(Ordering::Relaxed), 1);
}

#[test]
fn version_3_is_written_by_its_own_path_without_partial_writes() {
    let server = Server::start();
    let site = Site::new(&server.url());
    site.replace_in_config("org = \"umbs\"", "api = \"v3\"");
    site.stage(0..10);
    site.sync().expect(0);
    let seen = server.seen();
    assert!(seen[0].path.starts_with("/api/v3/write_lp?"), "{}", seen[0].path);
    for part in ["db=tower", "precision=nanosecond", "accept_partial=false"] {
        assert!(seen[0].path.contains(part), "{}", seen[0].path);
    }
    assert_eq!(seen[0].header("authorization"), Some("Bearer not-a-secret"));
    assert_eq!(server.points().len(), 10);
}

/// The annotated CSV of a Flux count.
fn flux(field: &str, count: u64) -> String {
    format!(
        "#datatype,string,long,string,long\r\n#group,false,false,true,false\r\n#default,_result,,,\r\n,result,table,_field,_value\r\n,,0,{field},{count}\r\n\r\n"
    )
}

#[test]
fn i5_an_error_inside_a_200_is_unknown_and_never_zero() {
    let server = Server::start();
    let site = Site::new(&server.url());
    site.stage(0..10);
    site.sync().expect(0);
    server.answer(|path| {
        path.starts_with("/api/v2/query").then(|| {
            let body = format!(
                "{}#datatype,string,long\r\n#group,true,true\r\n#default,,\r\n,error,reference\r\n,memory limit,897\r\n",
                flux("T_Avg", 10)
            );
            Reply { body, ..Reply::new(200) }.with("Content-Type", "text/csv")
        })
    });
    let verified = site.run(&["verify", "--since", "2026-06-01", "--requeue", "--json"]).expect(1);
    assert!(verified.number("unknown") > 0, "{verified:?}");
    assert_eq!((verified.number("missing"), verified.number("requeued")), (0, 0));
    assert_eq!(site.count("sent"), 10);
}

#[test]
fn prune_keeps_what_cannot_be_counted_in_the_bucket() {
    let server = Server::start();
    let site = Site::new(&server.url());
    site.stage(0..10);
    site.sync().expect(0);
    server.answer(|path| path.starts_with("/api/v2/query").then(|| Reply::json(503, r#"{"message":"not now"}"#)));
    let pruned = site.run(&["prune", "--older-than", "1", "--json"]).expect(1);
    assert_eq!((pruned.number("pruned"), pruned.number("kept_unverified")), (0, 1));
    assert_eq!(site.count("sent"), 10);
}

#[test]
fn i6_prune_deletes_nothing_while_the_clocks_disagree() {
    let server = Server::start();
    let site = Site::new(&server.url());
    site.stage(0..10);
    site.sync().expect(0);
    let ahead = "Sat, 01 Jan 2050 00:00:00 GMT";
    server.answer(move |path| path.starts_with("/api/v2/buckets").then(|| bucket("id", 0).with("Date", ahead)));
    let pruned =
        site.run(&["prune", "--older-than", "0", "--json"]).expect(1).says("nothing is deleted until they agree");
    assert_eq!((pruned.number("pruned"), pruned.number("kept_unverified")), (0, 1));
    assert_eq!(site.count("sent"), 10);
}

#[test]
fn a_server_that_asked_to_be_left_alone_is_left_alone_by_the_next_run_too() {
    let server = Server::start();
    let site = Site::with(&server.url(), &["met"], "", "deadline = \"1s\"");
    site.stage(0..10);
    server.script(|_| Act::say(Reply::refusal(429, "rate limit").with("Retry-After", "600")));
    site.sync().expect(1);
    assert_eq!(server.requests(), 1);
    server.script(|_| Act::take());
    let quiet = site.sync();
    assert!(quiet.notes().contains("asked to be left alone for another"), "{quiet:?}");
    assert_eq!((quiet.json()["stopped_by"].as_str(), server.requests()), (Some("unreachable"), 1));
    // A clock that was an hour ahead when it was stored.
    let store = rusqlite::Connection::open(site.path("store.db")).unwrap();
    let far = (chrono::Utc::now() + chrono::TimeDelta::hours(2)).timestamp_nanos_opt().unwrap();
    let changed =
        store.execute("UPDATE setting SET value = ?1 WHERE key LIKE 'left alone until: %'", [far.to_string()]);
    assert_eq!(changed, Ok(1));
    drop(store);
    assert_eq!(site.sync().expect(0).number("sent"), 10);
}

#[test]
fn a_dry_run_that_prints_gives_the_bytes_that_are_then_sent() {
    let server = Server::start();
    let site = Site::new(&server.url());
    site.stage(0..100);
    let dry = site.run(&["sync", "--dry-run", "--print"]).expect(0);
    assert!(dry.stderr.contains("would send 100 rows"), "{dry:?}");
    assert_eq!(server.requests(), 0);
    site.sync().expect(0);
    let sent: String = server.seen().into_iter().map(|seen| seen.lines).collect();
    assert_eq!(dry.stdout, sent);
    let both = site.run(&["sync", "--dry-run", "--print", "--json"]).expect(2);
    assert!(both.stderr.contains("leave one of them out"), "{both:?}");
    site.run(&["sync", "--print"]).expect(2);
}

#[test]
fn i10_each_bucket_gets_its_own_token_and_no_other() {
    let server = Server::start();
    let site = Site::with(&server.url(), &["met", "soil"], "", "");
    let special =
        "[[bucket]]\nname = \"soil\"\norg = \"partners\"\ntoken_file = \"soil_token.txt\"\nretention = \"1d\"\n";
    site.add_to_config(special);
    std::fs::write(site.path("soil_token.txt"), "another-token\n").unwrap();
    site.stage(0..10);
    site.sync().expect(0);
    let seen = server.seen();
    assert_eq!(seen.len(), 2);
    for request in &seen {
        let is_soil = request.path.contains("bucket=soil");
        let (org, token) = if is_soil { ("org=partners", "another-token") } else { ("org=umbs", "not-a-secret") };
        assert!(request.path.contains(org), "{}", request.path);
        assert_eq!(request.header("authorization"), Some(format!("Token {token}").as_str()));
    }
    for text in [site.run(&["check", "--json"]).stdout, std::fs::read_to_string(site.path("fluxtower.log")).unwrap()] {
        assert!(!text.contains("another-token") && !text.contains("not-a-secret"), "{text}");
    }
}

#[test]
fn check_writes_nothing_and_says_each_bucket_by_its_name() {
    let server = Server::start();
    let site = Site::with(&server.url(), &["met", "soil"], "", "");
    site.stage(0..10);
    server.script(|asked| {
        assert!(asked.lines.is_empty(), "{}", asked.lines);
        Act::take()
    });
    let check = site.run(&["check", "--json"]).expect(0);
    let lines = check.json()["checks"].as_array().unwrap().clone();
    let words = |what: &str| lines.iter().find(|line| line["what"] == what).unwrap()["words"].to_string();
    assert!(words("bucket soil").contains("organisation umbs), bucket soil, may be written to"), "{lines:?}");
    assert!(words("bucket of [destination]").contains("organisation umbs), bucket tower, may be"), "{lines:?}");
    assert_eq!(server.points().len(), 0);

    server.script(|_| Act::refuse(403, "insufficient permissions for write"));
    let refused = site.run(&["check", "--json"]).expect(3);
    assert!(refused.stdout.contains("may not write to bucket \\\"soil\\\""), "{refused:?}");
    site.sync().expect(3);
    server.script(|_| Act::refuse(503, "busy"));
    site.run(&["check", "--json"]).expect(1);
}

#[test]
fn a_database_of_influxdb_3_that_is_gone_is_not_made_anew_by_a_write() {
    let server = Server::start();
    let site = Site::new(&server.url());
    site.replace_in_config("org = \"umbs\"", "api = \"v3\"");
    let list = Arc::new(Mutex::new("[]"));
    let known = Arc::clone(&list);
    server.answer(move |path| {
        path.starts_with("/api/v3/configure/database").then(|| Reply::json(200, *known.lock().unwrap()))
    });
    site.stage(0..10);
    let check = site.run(&["check", "--json"]).expect(0);
    assert!(check.stdout.contains("the first row makes it"), "{check:?}");
    site.sync().expect(0);
    *list.lock().unwrap() = r#"[{"iox::database":"tower"}]"#;
    site.stage(10..20);
    site.sync().expect(0);
    *list.lock().unwrap() = "[]";
    site.stage(20..30);
    let held = site.sync().expect(3);
    assert!(held.notes().contains("no longer on the server"), "{held:?}");
    site.run(&["check"]).expect(3);
    assert_eq!((site.count("pending"), server.points().len()), (10, 20));
    site.run(&["bucket", "confirm"]).expect(0);
    site.sync().expect(0);
    assert_eq!(server.points().len(), 30);
}

#[test]
fn a_retention_of_one_bucket_holds_for_its_rows_only() {
    let server = Server::start();
    let site = Site::with(&server.url(), &["met", "soil"], "", "");
    server.answer(|path| {
        path.starts_with("/api/v2/buckets").then(|| Reply::json(403, r#"{"code":"forbidden","message":"no"}"#))
    });
    site.add_to_config("[[bucket]]\nname = \"soil\"\nretention = \"1d\"\n");
    site.stage(0..10);
    let sync = site.sync().expect(0);
    assert_eq!((sync.number("expired"), sync.number("sent")), (10, 10));
    assert!(site.in_state("expired").iter().all(|(table, _)| table == "soil"));
}

#[test]
fn a_proxy_of_the_environment_is_used_for_another_host_and_not_for_this_computer() {
    let proxy = Server::start();
    proxy.answer(|path| path.starts_with("http://influx.invalid/api/v2/write").then(|| Reply::new(204)));
    let through = |site: &Site| {
        let mut command = site.command(&["check", "--json"]);
        command.env("HTTP_PROXY", proxy.url()).env_remove("NO_PROXY");
        String::from_utf8(crate::support::start(|| command.output()).stdout).unwrap()
    };
    let far = through(&Site::with("http://influx.invalid", &["met"], "allow_http = true", ""));
    assert!(far.contains("may be written to"), "{far}");
    let server = Server::start();
    let near = through(&Site::new(&server.url()));
    assert!(near.contains("may be written to, keeps rows for ever"), "{near}");
}

#[test]
fn a_variable_of_the_environment_stands_for_a_part_of_a_value() {
    let server = Server::start();
    let site = Site::new(&server.url());
    let config = std::fs::read_to_string(site.path("config.toml")).unwrap();
    let config = config.replace("bucket = \"tower\"", "bucket = \"${FLUXTOWER_TEST_SITE}_fast\"");
    std::fs::write(site.path("config.toml"), config).unwrap();
    let without = site.run(&["check"]).expect(2);
    assert!(without.stderr.contains("needs the environment variable FLUXTOWER_TEST_SITE"), "{without:?}");
    let output =
        crate::support::start(|| site.command(&["check", "--json"]).env("FLUXTOWER_TEST_SITE", "umb").output());
    assert!(String::from_utf8(output.stdout).unwrap().contains("bucket umb_fast"));
}
