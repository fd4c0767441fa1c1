//! What is told, when, and in which form.

use super::hook::{Answer, Hook};
use super::{broken, fresh, leaves_no_trace, new_station, repaired, set, station};
use crate::support::{DAT, Logger, Station};

const SECRET: &str = "T0PS3CRET-hook-4f7c1e";

fn json(hook: &Hook) -> Station {
    station(&format!("url = \"{}/in/{SECRET}\"", hook.url()))
}

#[test]
fn a_finding_is_told_once_when_it_appears_and_once_when_it_clears() {
    let hook = Hook::start();
    let tower = json(&hook);
    let _ = tower.run(&["run"]).expect(0);
    assert_eq!(hook.posted().len(), 0);
    broken(&tower);
    for command in ["run", "run", "sync"] {
        let _ = tower.run(&[command]).expect(1);
    }
    assert_eq!(hook.told("event"), ["appeared"]);
    let told = hook.posted()[0].json();
    assert_eq!(told["kind"], "unreadable_file");
    assert_eq!((&told["station"], &told["severity"]), (&"US-UMB".into(), &"problem".into()));
    assert!(told["time"].as_str().unwrap().ends_with("-05:00"), "{told}");
    let text = told["text"].as_str().unwrap();
    assert!(text.starts_with("US-UMB: problem: ") && text.contains(DAT) && text.ends_with(" -05:00)"), "{text}");
    assert!(!text.contains('\n'), "{text}");
    repaired(&tower);
    for command in ["run", "run", "sync"] {
        let _ = tower.run(&[command]).expect(0);
    }
    assert_eq!(hook.told("event"), ["appeared", "cleared"]);
    let text = hook.posted()[1].json()["text"].as_str().unwrap().to_owned();
    assert!(text.starts_with("US-UMB: cleared: ") && text.contains(" -05:00 to "), "{text}");
    // A second time is a new finding.
    broken(&tower);
    let _ = tower.run(&["run"]).expect(1);
    assert_eq!(hook.told("event"), ["appeared", "cleared", "appeared"]);
}

#[test]
fn a_finding_that_stands_is_told_again_when_again_has_passed_and_never_when_it_is_off() {
    for (again, expected) in [("", 2), ("again = \"2d\"", 1), ("again = \"off\"", 1)] {
        let hook = Hook::start();
        let tower = station(&format!("url = \"{}\"\n{again}", hook.url()));
        broken(&tower);
        let _ = tower.run(&["run"]).expect(1);
        set(
            &tower,
            "UPDATE standing_finding SET reported = reported - 86400000000000, appeared = appeared - 86400000000000",
        );
        for _ in 0..2 {
            let _ = tower.run(&["run"]).expect(1);
        }
        assert_eq!(hook.posted().len(), expected, "{again}: {:?}", hook.told("text"));
        if expected == 2 {
            let text = hook.told("text")[1].clone();
            assert!(text.starts_with("US-UMB: still a problem: ") && text.contains("(since "), "{text}");
        }
    }
}

#[test]
fn a_finding_that_comes_and_goes_all_day_is_reported_once_a_day() {
    let hook = Hook::start();
    let tower = json(&hook);
    let well = String::from_utf8(tower.read(DAT)).unwrap();
    let comes_and_goes = || {
        for _ in 0..6 {
            broken(&tower);
            let _ = tower.run(&["run"]).expect(1);
            tower.write(DAT, &well);
            let _ = tower.run(&["run"]).expect(0);
        }
    };
    comes_and_goes();
    let said = hook.told("text");
    assert_eq!(said.len(), 7, "{said:?}");
    assert!(said[6].contains("; it comes and goes, and the next message about it comes in a day"), "{said:?}");
    let a_day_later =
        "UPDATE standing_finding SET reported = reported - 90000000000000, appeared = appeared - 90000000000000,
                       gone = gone - 90000000000000";
    set(&tower, "UPDATE standing_finding SET reported = reported - 90000000000000");
    comes_and_goes();
    assert_eq!(hook.told("event").split_off(7), ["appeared"]);
    // It stays away.
    set(&tower, a_day_later);
    let _ = tower.run(&["run"]).expect(0);
    assert_eq!(hook.told("event").split_off(8), ["cleared"]);
    // From then on it is as any other.
    broken(&tower);
    let _ = tower.run(&["run"]).expect(1);
    tower.write(DAT, &well);
    let _ = tower.run(&["run"]).expect(0);
    assert_eq!(hook.told("event").split_off(9), ["appeared", "cleared"]);
}

#[test]
fn a_finding_about_history_is_told_once_and_neither_again_nor_as_cleared() {
    let hook = Hook::start();
    let tower = new_station(&format!("url = \"{}\"", hook.url()));
    // An archive: its rows were as old when this database began.
    tower.write(DAT, Logger::par().start("2024-05-01 00:00:00").file(0..100));
    let _ = tower.run(&["run"]).expect(0);
    assert_eq!(hook.told("kind"), ["stale"]);
    set(&tower, "UPDATE standing_finding SET reported = reported - 864000000000000");
    let _ = tower.run(&["run"]).expect(0);
    repaired(&tower);
    let _ = tower.run(&["run"]).works();
    assert!(!hook.told("event").iter().any(|event| event != "appeared"), "{:?}", hook.told("text"));
}

#[test]
fn what_is_only_unknown_is_not_told_as_cleared() {
    let hook = Hook::start();
    let tower = new_station(&format!("url = \"{}\"", hook.url()));
    // A table that was never read is itself unknown.
    tower.remove(DAT);
    let _ = tower.run(&["run"]).expect(1);
    assert_eq!(hook.told("kind"), ["never_read"]);
    repaired(&tower);
    let _ = tower.run(&["run"]).expect(0);
    assert_eq!(hook.told("event"), ["appeared"]);
}

#[test]
fn severity_problem_tells_no_warning() {
    let hook = Hook::start();
    let tower = new_station(&format!("url = \"{}\"\nseverity = \"problem\"", hook.url()));
    tower.remove(DAT);
    let _ = tower.run(&["run"]).expect(1);
    assert_eq!(hook.posted().len(), 0);
    broken(&tower);
    let _ = tower.run(&["run"]).expect(1);
    assert_eq!(hook.told("kind"), ["unreadable_file"]);
}

#[test]
fn an_agent_that_stays_up_tells_too() {
    let hook = Hook::start();
    let tower = json(&hook);
    broken(&tower);
    let mut agent = tower.command(&["run", "--every", "1s"]).spawn().unwrap();
    let until = std::time::Instant::now() + std::time::Duration::from_secs(30);
    while hook.posted().is_empty() && std::time::Instant::now() < until {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    repaired(&tower);
    while hook.posted().len() < 2 && std::time::Instant::now() < until {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    agent.kill().unwrap();
    let _ = agent.wait();
    assert_eq!(hook.told("event"), ["appeared", "cleared"]);
}

#[test]
fn text_has_the_headers_of_ntfy_and_several_findings_in_one_message() {
    let hook = Hook::start();
    let tower = station(&format!("url = \"{}\"\nformat = \"text\"", hook.url()));
    let tower = tower.more("[[table]]\nname = \"soil\"\nfiles = [\"soil.dat\"]");
    tower.write("soil.dat", fresh());
    let _ = tower.run(&["ingest"]).expect(0);
    broken(&tower);
    tower.write("soil.dat", "\"TOB1\",\"64291\",\"CR1000X\"\r\n");
    let _ = tower.run(&["run"]).expect(1);
    let posted = hook.posted();
    assert_eq!(posted.len(), 1, "{posted:?}");
    assert_eq!(posted[0].header("Title"), Some("US-UMB: 2 problems"));
    assert_eq!((posted[0].header("Priority"), posted[0].header("Tags")), (Some("4"), Some("rotating_light")));
    assert_eq!(posted[0].body.lines().filter(|line| line.starts_with("- problem: ")).count(), 2, "{posted:?}");
    repaired(&tower);
    let _ = tower.run(&["run"]).works();
    assert_eq!(hook.posted()[1].header("Title"), Some("US-UMB: cleared"));
}

#[test]
fn a_server_that_refuses_several_findings_in_one_message_gets_one_alone() {
    let hook = Hook::start();
    hook.answers(Answer::with(413, "too long"));
    let tower = station(&format!("url = \"{}\"\nformat = \"text\"", hook.url()));
    let tower = tower.more("[[table]]\nname = \"soil\"\nfiles = [\"soil.dat\"]");
    tower.write("soil.dat", fresh());
    let _ = tower.run(&["ingest"]).expect(0);
    broken(&tower);
    tower.write("soil.dat", "\"TOB1\",\"64291\",\"CR1000X\"\r\n");
    let _ = tower.run(&["run"]).expect(1);
    let titles =
        || -> Vec<String> { hook.posted().iter().map(|posted| posted.header("Title").unwrap().to_owned()).collect() };
    assert_eq!(titles(), ["US-UMB: 2 problems", "US-UMB: problem"]);
    assert_eq!(tower.count("SELECT count(*) FROM notice_pending"), 2);
}

#[test]
fn a_file_that_cannot_be_read_is_not_reported_as_cleared_when_it_vanishes() {
    let hook = Hook::start();
    let tower = json(&hook);
    broken(&tower);
    let _ = tower.run(&["run"]).expect(1);
    tower.remove(DAT);
    let _ = tower.run(&["run"]).expect(1);
    assert_eq!(hook.told("kind"), ["unreadable_file", "no_file"]);
    assert_eq!(hook.told("event"), ["appeared", "appeared"]);
}

#[test]
fn slack_and_teams_get_what_they_read() {
    let hook = Hook::start();
    let tower = station(&format!("url = \"{}\"\nformat = \"slack\"", hook.url()));
    tower.write(DAT, "<html><!channel>&\r\n");
    let _ = tower.run(&["run"]).expect(1);
    let slack = hook.posted()[0].json();
    let text = slack["text"].as_str().unwrap();
    assert!(text.starts_with("US-UMB: problem: ") && !text.contains('<'), "{text}");
    tower.replace_in_config("slack", "teams");
    repaired(&tower);
    let _ = tower.run(&["run"]).expect(0);
    let teams = hook.posted()[1].json();
    let card = &teams["attachments"][0];
    assert_eq!(
        (&teams["type"], &card["contentType"]),
        (&"message".into(), &"application/vnd.microsoft.card.adaptive".into())
    );
    assert_eq!(card["content"]["type"], "AdaptiveCard");
    assert_eq!(card["content"]["body"][0]["text"], "US-UMB: cleared");
}

#[test]
fn i10_neither_address_nor_token_is_in_a_message_a_log_or_the_database() {
    let hook = Hook::start();
    let mut tower = station("url_env = \"FLUXTOWER_TEST_HOOK\"\ntoken_file = \"ntfy.txt\"");
    tower.set_variable("FLUXTOWER_TEST_HOOK", &format!("{}/in/{SECRET}?key={SECRET}", hook.url()));
    std::fs::write(tower.path("ntfy.txt"), "tk_T0PS3CRETtoken\n").unwrap();
    broken(&tower);
    // The server repeats both in its answer.
    hook.answers(Answer::with(404, &format!("no such hook {SECRET} for tk_T0PS3CRETtoken")));
    let _ = tower.run(&["-vv", "run"]).expect(1);
    let posted = hook.posted();
    assert_eq!(posted[0].header("Authorization"), Some("Bearer tk_T0PS3CRETtoken"));
    let mut said = String::new();
    for arguments in [
        &["-vv", "run"][..],
        &["-vv", "status"],
        &["status", "--json"],
        &["-vv", "check"],
        &["-vv", "check", "--notify"],
    ] {
        let ran = tower.run(arguments).works();
        said += &(ran.stdout + &ran.stderr);
    }
    assert!(said.contains("404 (no such hook [hidden] for [hidden])"), "{said}");
    assert!(!said.contains("T0PS3CRET"), "{said}");
    leaves_no_trace(tower.folder(), "T0PS3CRET", &["ntfy.txt"]);
}

#[test]
fn i10_a_redirect_is_not_followed_and_is_said() {
    let (hook, elsewhere) = (Hook::start(), Hook::start());
    let tower = json(&hook);
    broken(&tower);
    for status in [301, 302, 307, 308] {
        hook.answers(Answer::Say(status, format!("Location: {}/x\r\n", elsewhere.url()), String::new()));
        let _ = tower.run(&["run"]).expect(1);
        super::pauses_are_over(&tower);
    }
    assert_eq!((hook.posted().len(), elsewhere.posted().len()), (4, 0));
    let said = tower.run(&["status"]).expect(1).stdout;
    assert!(said.contains("it redirects elsewhere, which is not followed: write the final address"), "{said}");
    assert!(!said.contains(SECRET), "{said}");
}

#[test]
fn check_says_what_would_be_told_and_sends_a_test_message_when_asked() {
    let hook = Hook::start();
    let tower = json(&hook);
    let said = tower.run(&["check"]).works().stdout;
    assert!(said.contains("ok    notify") && said.contains(&hook.host()) && !said.contains(SECRET), "{said}");
    assert_eq!(hook.posted().len(), 0);
    let said = tower.run(&["check", "--notify"]).works().stdout;
    assert!(said.contains("the webhook took a test message"), "{said}");
    assert_eq!(hook.told("event"), ["test"]);
    hook.answers(Answer::with(403, "invalid_token"));
    let said = tower.run(&["check", "--notify"]).expect(1).stdout;
    assert!(said.contains("bad   notify") && said.contains("403 (invalid_token)"), "{said}");
    let tower = station("url_env = \"FLUXTOWER_TEST_HOOK_NOT_SET\"");
    let said = tower.run(&["check"]).expect(1).stdout;
    assert!(said.contains("the environment variable FLUXTOWER_TEST_HOOK_NOT_SET is not set"), "{said}");
    let said = Station::new().run(&["check", "--notify"]).expect(1).stdout;
    assert!(said.contains("the configuration has no [notify]"), "{said}");
}

#[test]
fn i10_a_proxy_of_the_environment_gets_nothing_that_is_for_a_webhook_on_this_computer() {
    let hook = Hook::start();
    let proxy = Hook::start();
    let mut tower = json(&hook);
    tower.set_variable("HTTP_PROXY", &proxy.url());
    tower.set_variable("NO_PROXY", "");
    broken(&tower);
    let _ = tower.run(&["run"]).expect(1);
    assert_eq!((hook.posted().len(), proxy.posted().len()), (1, 0));
}
