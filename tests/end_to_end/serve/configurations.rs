//! Configurations that are wrong, and configurations that change, while `serve` is up.

use std::time::{Duration, Instant};

use serde_json::Value;

use super::client::{PATIENCE, Served};
use super::station::{configured, lived};

/// Waits until the list of stations is as it should be, and gives it.
#[track_caller]
fn until(served: &Served, is: impl Fn(&[Value]) -> bool) -> Vec<Value> {
    let begun = Instant::now();
    loop {
        let list = served.json("/api/stations")["stations"].as_array().unwrap().clone();
        if is(&list) {
            return list;
        }
        assert!(begun.elapsed() < PATIENCE, "{list:#?}: {}", served.stderr());
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn a_wrong_configuration_stands_in_the_list_with_its_error_and_the_station_is_shown_when_it_is_right() {
    let (tower, _) = lived();
    let other = configured();
    other.replace_in_config("US-UMB", "B/C");
    other.replace_in_config("stale_after = \"30m\"", "stale_aftre = \"30m\"");
    let (first, second) = (tower.config_path(), other.config_path());
    let served = Served::with(&first, &["--config", first.to_str().unwrap(), "--config", second.to_str().unwrap()]);
    served.says("stale_aftre");
    let list = until(&served, |_| true);
    assert_eq!(list.len(), 2);
    // Nothing is worse than a station of which nothing can be said.
    assert_eq!((&list[0]["name"], &list[0]["path"]), (&Value::from(second.to_str().unwrap()), &Value::Null));
    assert_eq!(list[0]["state"], "look");
    let error = list[0]["configuration_error"].as_str().unwrap();
    let line = std::fs::read_to_string(&second).unwrap().lines().position(|line| line.contains("stale_aftre")).unwrap();
    assert!(error.contains(&format!("config.toml:{}", line + 1)) && error.contains("stale_aftre"), "{error}");
    assert_eq!(list[0]["worst"], error);
    assert_eq!((&list[1]["name"], &list[1]["configuration_error"]), (&Value::from("US-UMB"), &Value::Null));
    served.get("/station/US-UMB/").expect(200);
    served.get("/station/B_C/").expect(404);

    other.replace_in_config("stale_aftre", "stale_after");
    let list = until(&served, |list| list.iter().all(|one| one["path"].is_string()));
    assert!(list.iter().any(|one| one["name"] == "B/C" && one["configuration_error"].is_null()), "{list:#?}");
    assert_eq!(served.json("/station/B_C/api/station")["station"], "B/C");
    served.says("is in force now");

    // One that becomes wrong is reported, and what it said before is shown on.
    tower.replace_in_config("stale_after = \"30m\"", "stale_after = \"soon\"");
    let list = until(&served, |list| list.iter().any(|one| one["configuration_error"].is_string()));
    let broken = list.iter().find(|one| one["configuration_error"].is_string()).unwrap();
    assert_eq!((&broken["name"], &broken["path"]), (&Value::from("US-UMB"), &Value::from("/station/US-UMB/")));
    assert!(broken["worst"].as_str().unwrap().contains("stale_after") && broken["state"] == "look", "{broken}");
    served.get("/station/US-UMB/api/status").expect(200);
    tower.replace_in_config("stale_after = \"soon\"", "stale_after = \"30m\"");
    until(&served, |list| list.iter().all(|one| one["configuration_error"].is_null()));
}

#[test]
fn a_changed_configuration_of_the_only_station_is_shown_and_a_wrong_one_is_not() {
    let (tower, _) = lived();
    let served = Served::start(&tower.config_path());
    assert_eq!(served.json("/api/station")["station"], "US-UMB");
    let revision = served.json("/api/status")["revision"].clone();
    tower.replace_in_config("US-UMB", "US-XYZ");
    let begun = Instant::now();
    while served.json("/api/station")["station"] != "US-XYZ" {
        assert!(begun.elapsed() < PATIENCE, "{}", served.stderr());
        std::thread::sleep(Duration::from_millis(50));
    }
    assert_ne!(served.json("/api/status")["revision"], revision, "an open page notices it");
    tower.replace_in_config("[store]", "[stroe]");
    served.says("the configuration before stays in force");
    assert_eq!(served.json("/api/station")["station"], "US-XYZ");
}

#[test]
fn the_only_configuration_that_is_wrong_ends_serve_with_its_error() {
    let tower = configured();
    tower.replace_in_config("[store]", "[stroe]");
    let ended = tower.run(&["serve", "--port", "0"]);
    assert!(ended.code == 2 && ended.stderr.contains("stroe"), "{} {}", ended.code, ended.stderr);
}
