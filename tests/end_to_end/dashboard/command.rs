//! The command: its languages, its files, its exit codes.

use serde_json::Value;

use super::made::{Made, all_queries};

fn config(destination: &str) -> String {
    format!(
        "[station]\nname = \"X\"\nutc_offset = \"-05:00\"\n[destination]\n{destination}\n[[table]]\nname = \"t\"\nfiles = [\"t.dat\"]\n[table.columns.TA]\nvariable = \"TA\"\n"
    )
}

#[test]
fn the_language_follows_the_destination() {
    for (destination, begins) in [
        ("kind = \"files\"", "from(bucket: ${bucket:doublequote})"),
        (
            "kind = \"influxdb\"\napi = \"v1\"\nurl = \"http://localhost:8086\"\nbucket = \"a/b\"",
            "FROM \"a\".\"b\".\"t\"",
        ),
        (
            "kind = \"influxdb\"\nurl = \"https://x.example\"\norg = \"o\"\nbucket = \"a\"\ntoken_env = \"T\"",
            "from(bucket: \"a\")",
        ),
        (
            "kind = \"influxdb\"\napi = \"v3\"\nurl = \"https://x.example\"\nbucket = \"a\"\ntoken_env = \"T\"",
            "date_bin_gapfill",
        ),
    ] {
        let dashboard = Made::of(&config(destination)).dashboard(&[]);
        assert!(all_queries(&dashboard).iter().any(|text| text.contains(begins)), "{destination}");
    }
}

#[test]
fn a_file_is_there_whole_and_json_tells_what_it_holds() {
    let made = Made::example();
    let done = made.run(&["--json", "dashboard", "--grafana", "--output", "d.json", "--alerts", "a.json"]);
    assert_eq!(done.status.code(), Some(0), "{}", String::from_utf8_lossy(&done.stderr));
    let told: Value = serde_json::from_slice(&done.stdout).unwrap();
    let dashboard: Value = serde_json::from_str(&std::fs::read_to_string(made.path("d.json")).unwrap()).unwrap();
    assert_eq!(told["uid"], dashboard["uid"]);
    assert_eq!(told["queries"].as_u64(), u64::try_from(all_queries(&dashboard).len()).ok());
    assert_eq!((told["language"].as_str(), told["rules"].as_u64()), (Some("flux"), Some(2 + 2 * 12)));
    let again = made.dashboard(&[]);
    assert_eq!(again, dashboard, "stdout and file differ");
}

#[test]
fn the_dashboard_is_for_grafana_without_the_option_too() {
    let made = Made::example();
    let without = made.run(&["--quiet", "dashboard"]);
    assert_eq!(without.status.code(), Some(0), "{}", String::from_utf8_lossy(&without.stderr));
    let with_option = made.run(&["--quiet", "dashboard", "--grafana"]);
    assert_eq!(String::from_utf8(without.stdout).unwrap(), String::from_utf8(with_option.stdout).unwrap());
}

#[test]
fn wrong_use_ends_with_two_and_touches_nothing() {
    let made = Made::example();
    let before = std::fs::read_to_string(made.path("config.toml")).unwrap();
    for arguments in [
        &["--json", "dashboard"][..],
        &["--json", "dashboard", "--grafana"],
        &["dashboard", "--grafana", "--language", "logql"],
        &["dashboard", "--grafana", "--output", "config.toml"],
        &["dashboard", "--grafana", "--alerts", "config.toml"],
    ] {
        assert_eq!(made.run(arguments).status.code(), Some(2), "{arguments:?}");
    }
    assert_eq!(std::fs::read_to_string(made.path("config.toml")).unwrap(), before);
}

#[test]
fn without_health_there_are_no_ages_and_the_dashboard_says_why() {
    let text = config("kind = \"files\"").replace("[[table]]", "[sync]\nhealth = false\n[[table]]");
    let dashboard = Made::of(&text).dashboard(&[]);
    assert!(!all_queries(&dashboard).iter().any(|text| text.contains("fluxtower_agent")));
    assert!(dashboard.to_string().contains("health = false"));
}
