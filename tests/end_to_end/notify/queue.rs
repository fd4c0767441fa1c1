//! What is pending is never lost, and failing to tell changes nothing else.

use std::time::{Duration, Instant};

use super::hook::{Answer, Hook};
use super::{broken, repaired, set, station};
use crate::support::server::{Act, Server, closed_port};
use crate::support::{Site, Station};

#[test]
fn what_happened_while_the_link_was_down_is_told_when_it_is_back_once_each_and_in_order() {
    let hook = Hook::start();
    let down = closed_port();
    let tower = station(&format!("url = \"{down}\""));
    let _ = tower.run(&["run"]).expect(0);
    broken(&tower);
    let _ = tower.run(&["run"]).expect(1);
    repaired(&tower);
    // Neither a failure that may pass by itself nor what is pending for its sake is a reason to look, yet.
    let _ = tower.run(&["run"]).expect(0);
    let status = tower.run(&["status"]).expect(0).stdout;
    assert!(status.contains("2 notifications pending to the webhook; the attempt at "), "{status}");
    tower.replace_in_config(&down, &hook.url());
    let _ = tower.run(&["run"]).expect(0);
    let _ = tower.run(&["run"]).expect(0);
    assert_eq!(hook.told("event"), ["appeared", "cleared"]);
    let status = tower.run_json(&["status"]).expect(0).json();
    assert_eq!((&status["receivers"][0]["pending"], &status["receivers"][0]["error"]), (&0.into(), &().into()));
    assert!(status["receivers"][0]["last_sent"].is_string(), "{status}");
}

fn attempts_after(tower: &Station, seconds: i64) -> i64 {
    set(
        tower,
        &format!(
            "UPDATE receiver SET not_before = not_before - {seconds}000000000, failed = failed - {seconds}000000000"
        ),
    );
    let _ = tower.run(&["run"]).works();
    tower.count("SELECT failures FROM receiver")
}

#[test]
fn a_server_that_is_busy_is_tried_at_pauses_that_grow_and_the_third_failure_is_a_finding_that_is_not_told() {
    let hook = Hook::start();
    hook.answers(Answer::with(503, "overloaded"));
    let tower = station(&format!("url = \"{}\"", hook.url()));
    broken(&tower);
    let said = tower.run(&["run"]).expect(1).stdout;
    assert!(!said.contains("pending"), "{said}");
    assert_eq!(attempts_after(&tower, 50), 1);
    assert_eq!(attempts_after(&tower, 61), 2);
    assert_eq!(attempts_after(&tower, 61), 2);
    assert_eq!(attempts_after(&tower, 121), 3);
    let status = tower.run_json(&["status"]).expect(1).json();
    let finding =
        status["findings"].as_array().unwrap().iter().find(|finding| finding["kind"] == "notify_failed").unwrap();
    assert_eq!(finding["severity"], "warning");
    let message = finding["message"].as_str().unwrap();
    assert!(
        message.starts_with("1 notification to the webhook is pending; the last attempt failed: ")
            && message.contains("503 (overloaded)"),
        "{message}"
    );
    hook.answers(Answer::status(200));
    let before = hook.posted().len();
    assert_eq!(attempts_after(&tower, 3_600), 0);
    let _ = tower.run(&["run"]).expect(1);
    let after: Vec<String> = hook.told("kind").split_off(before);
    assert_eq!(after, ["unreadable_file"]);
    assert_eq!(tower.run_json(&["status"]).json()["findings"].as_array().unwrap().len(), 1);
}

#[test]
fn a_refusal_is_a_finding_at_once_and_a_corrected_address_is_tried_at_once() {
    let hook = Hook::start();
    hook.answers(Answer::with(404, "no_service"));
    let tower = station(&format!("url = \"{}/old\"", hook.url()));
    broken(&tower);
    let said = tower.run(&["run"]).expect(1).stdout;
    assert!(said.contains("404 (no_service)") && said.contains("make a new one and write its address"), "{said}");
    assert_eq!(hook.posted().len(), 1);
    // It is left alone for a while.
    let _ = tower.run(&["run"]).expect(1);
    assert_eq!(hook.posted().len(), 1);
    hook.answers(Answer::status(200));
    tower.replace_in_config("/old", "/new");
    let _ = tower.run(&["run"]).expect(1);
    assert_eq!(hook.posted().len(), 2);
    assert_eq!(tower.count("SELECT count(*) FROM notice"), 0);
}

#[test]
fn a_server_asks_to_be_left_alone_and_is() {
    let hook = Hook::start();
    hook.answers(Answer::Say(429, "Retry-After: 7200\r\n".to_owned(), String::new()));
    let tower = station(&format!("url = \"{}\"", hook.url()));
    broken(&tower);
    let _ = tower.run(&["run"]).expect(1);
    assert_eq!(attempts_after(&tower, 7_000), 1);
    assert_eq!(attempts_after(&tower, 300), 2);
}

#[test]
fn a_receiver_that_hangs_holds_a_run_up_for_seconds_only_and_rows_are_read_and_sent() {
    let hook = Hook::start();
    hook.answers(Answer::Hang);
    let tower = station(&format!("url = \"{}\"", hook.url()));
    // A second table that is well beside one that is not.
    let tower = tower.more("[[table]]\nname = \"soil\"\nfiles = [\"soil.dat\"]");
    broken(&tower);
    tower.write("soil.dat", super::fresh());
    let began = Instant::now();
    let _ = tower.run(&["run", "--scheduled", "20s"]).expect(1);
    assert!(began.elapsed() < Duration::from_secs(15), "{:?}", began.elapsed());
    assert_eq!(tower.count("SELECT count(*) FROM t_soil WHERE state = 'sent'"), 100);
    let status = tower.run(&["status"]).expect(1).stdout;
    assert!(status.contains("did not answer within 2 s"), "{status}");
    assert_eq!(tower.count("SELECT count(*) FROM notice_pending"), 1);
}

#[test]
fn a_kill_between_keeping_and_sending_loses_nothing() {
    let hook = Hook::start();
    hook.answers(Answer::Hang);
    let tower = station(&format!("url = \"{}\"", hook.url()));
    broken(&tower);
    let mut run = tower.command(&["run"]).stdout(std::process::Stdio::null()).spawn().unwrap();
    let until = Instant::now() + Duration::from_secs(30);
    while hook.posted().is_empty() && Instant::now() < until {
        std::thread::sleep(Duration::from_millis(5));
    }
    run.kill().unwrap();
    run.wait().unwrap();
    hook.answers(Answer::status(200));
    let _ = tower.run(&["run"]).expect(1);
    let _ = tower.run(&["run"]).expect(1);
    // The server had it before the kill and says nothing of it: it comes again, with the same id.
    assert_eq!(hook.told("event"), ["appeared", "appeared"]);
    assert_eq!(hook.posted()[0].json()["id"], hook.posted()[1].json()["id"]);
}

#[test]
fn a_finding_that_comes_and_goes_during_an_outage_is_one_message_and_the_queue_is_bounded() {
    let hook = Hook::start();
    let down = closed_port();
    let tower = station(&format!("url = \"{down}\""));
    for _ in 0..4 {
        broken(&tower);
        let _ = tower.run(&["run"]).works();
        repaired(&tower);
        let _ = tower.run(&["run"]).works();
    }
    assert_eq!(tower.count("SELECT count(*) FROM notice"), 2);
    tower.replace_in_config(&down, &hook.url());
    let _ = tower.run(&["run"]).works();
    let told = hook.told("text");
    assert_eq!(hook.told("event"), ["appeared", "cleared"]);
    assert!(told[0].contains("it came and went 3 times since "), "{told:?}");
}

#[test]
fn more_than_the_queue_holds_is_dropped_from_its_old_end_and_said() {
    let hook = Hook::start();
    let tower = station(&format!("url = \"{}\"\nformat = \"text\"", hook.url()));
    let _ = tower.run(&["run"]).expect(0);
    set(
        &tower,
        "INSERT INTO notice (key, event, at, body) WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 700)
             SELECT 'key ' || i, 2, i, '{}' FROM n;
         INSERT INTO notice_pending SELECT 'the webhook', id FROM notice;
         INSERT INTO receiver (receiver, inputs, not_before) VALUES ('the webhook', 0, NULL);",
    );
    broken(&tower);
    let _ = tower.run(&["run"]).expect(1);
    let first = hook.posted()[0].body.clone();
    assert!(first.contains("201 notifications before were dropped because too many were pending"), "{first}");
    assert_eq!(tower.count("SELECT count(*) FROM notice"), 0);
    assert_eq!(hook.posted().len(), 25);
    assert_eq!(hook.posted().iter().filter(|posted| posted.body.contains("dropped")).count(), 1);
}

#[test]
fn a_table_that_is_taken_out_of_the_configuration_is_not_told_as_cleared() {
    let hook = Hook::start();
    let tower = station(&format!("url = \"{}\"", hook.url()));
    broken(&tower);
    let _ = tower.run(&["run"]).expect(1);
    let tower = tower.table("name = \"soil\"\nfiles = [\"soil.dat\"]");
    tower.write("soil.dat", super::fresh());
    let _ = tower.run(&["run"]).works();
    assert!(!hook.told("event").contains(&"cleared".to_owned()), "{:?}", hook.told("text"));
}

#[test]
fn the_message_of_a_sync_that_is_refused_is_told() {
    let hook = Hook::start();
    let mut tower = station(&format!("url = \"{}\"", hook.url()));
    let _ = tower.run(&["run"]).expect(0);
    tower.configure(|sections| {
        sections.destination = "kind = \"influxdb\"\nurl = \"http://127.0.0.1:9\"\norg = \"o\"\nbucket = \"b\"\n\
                                token_env = \"FLUXTOWER_TEST_TOKEN_THAT_IS_NOT_SET\""
            .to_owned();
    });
    for command in ["run", "sync"] {
        let _ = tower.run(&[command]).expect(2);
    }
    let told = hook.told("text");
    assert!(told.len() == 1 && told[0].contains("the last sync failed"), "{told:?}");
}

#[test]
fn that_nothing_was_acknowledged_is_not_told_as_cleared_while_it_is_unknown_whether_rows_arrive() {
    let (server, hook) = (Server::start(), Hook::start());
    let mut site = Site::new(&server.url());
    site.configure(&server.url(), "", &format!("deadline = \"1s\"\n[notify]\nurl = \"{}\"", hook.url()));
    site.stage(0..5);
    let _ = site.sync().works();
    server.script(|_| Act::refuse(503, "overloaded"));
    site.stage(0..10);
    let _ = site.sync().works();
    let before = hook.posted().len();
    let config = fluxtower::config::Config::load(&site.path("config.toml")).unwrap();
    let store = fluxtower::store::Store::open(&site.path("store.db")).unwrap();
    let at = |hours: i64| fluxtower::time::Timestamp::from_utc(chrono::Utc::now() + chrono::TimeDelta::hours(hours));
    // What is found at the first time, told at the second one.
    let pass = |found: i64, told: i64| {
        let findings = fluxtower::status::judge(&config, &store, at(found)).unwrap();
        let kinds: Vec<&str> = findings.iter().map(|finding| finding.kind.name()).collect();
        super::tell(&config, &store, &findings, at(told));
        kinds.join(" ")
    };
    assert!(pass(25, 25).contains("not_acknowledged"));
    let found = pass(2, 26);
    assert!(found.contains("pending") && !found.contains("not_acknowledged"), "{found}");
    let events = || -> Vec<(String, String)> {
        hook.posted()
            .split_off(before)
            .iter()
            .map(|posted| posted.json())
            .filter(|told| told["kind"] == "not_acknowledged")
            .map(|told| (told["event"].as_str().unwrap().to_owned(), told["kind"].as_str().unwrap().to_owned()))
            .collect()
    };
    assert_eq!(events().len(), 1, "{:?}", events());
    server.take_all();
    let _ = site.sync().works();
    let found = pass(0, 27);
    assert!(!found.contains("pending"), "{found}");
    assert_eq!(events().last().unwrap().0, "cleared");
}
