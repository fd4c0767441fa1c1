//! The page as one file.

use serde_json::Value;

use super::client::Served;
use super::station::{lived, trace_of_met};
use crate::support::Station;

/// The data within a report.
fn data(html: &str) -> Value {
    let begin = "<script type=\"application/json\" id=\"fluxtower-report\">";
    let data = html.split_once(begin).unwrap().1.split_once("</script>").unwrap().0;
    serde_json::from_str(data).unwrap()
}

fn written(tower: &Station, name: &str, flags: &[&str]) -> String {
    let path = tower.path(name);
    tower.run(&[&["report", "--output", path.to_str().unwrap()], flags].concat()).expect(0);
    std::fs::read_to_string(path).unwrap()
}

#[test]
fn the_report_is_the_page_with_the_answers_of_the_server() {
    let (tower, newest) = lived();
    let html = written(&tower, "report.html", &["--last", "1d"]);
    let report = data(&html);
    let served = Served::start(&tower.config_path());
    assert_eq!(report["to"], newest.timestamp_millis());
    assert_eq!(report["from"], newest.timestamp_millis() - 86_400_000);
    let station = served.json("/api/station");
    assert_eq!((&report["station"]["tables"], &report["station"]["rows"]), (&station["tables"], &station["rows"]));
    for (key, path) in [("gaps", "/api/gaps"), ("rejected", "/api/rejected"), ("flags", "/api/flags")] {
        assert_eq!(report[key], served.json(path), "{key}");
    }
    let of_met = report["coverage"].as_array().unwrap().iter().find(|of| of["table"] == "met").unwrap();
    let half_hours = served.json(&format!("/api/coverage?table=met&from={}&to={}", report["from"], report["to"]));
    assert!(of_met["half_hours"].as_u64() > Some(5) && of_met["columns"][0]["good"].as_u64() > Some(0), "{of_met}");
    assert_eq!((&of_met["half_hours"], &of_met["columns"]), (&half_hours["half_hours"], &half_hours["columns"]));
    let status = served.json("/api/status");
    assert_eq!(report["status"]["reasons"].as_array().unwrap().len(), status["reasons"].as_array().unwrap().len());
    let traces = report["traces"].as_array().unwrap();
    let met = traces.iter().find(|trace| trace["table"] == "met").unwrap();
    let asked = trace_of_met(&served, newest, 2_000);
    assert_eq!((&met["columns"], &met["times"]), (&asked["columns"], &asked["times"]));
    assert_eq!(met["tags"], serde_json::json!({}));
    assert_eq!(report["ribbons"].as_array().unwrap().len(), traces.len());
    assert!(report["delivery"]["sent"]["rows"].is_array());
}

#[test]
fn the_report_asks_nobody_for_anything_and_runs_its_own_scripts_only() {
    let (tower, _) = lived();
    let html = written(&tower, "report.html", &[]);
    let head = html.split_once("<script type=\"application/json\"").unwrap().0;
    let policy = head.find("Content-Security-Policy").unwrap();
    assert!(policy < head.find("<style").unwrap(), "the policy stands before what it governs");
    assert!(!html.contains("src=\"/") && !html.contains("href=\"/") && !html.contains("unsafe-inline"));
    let nonce = head.split("script-src 'nonce-").nth(1).unwrap().split('\'').next().unwrap();
    assert_eq!(nonce.len(), 32);
    for element in html.split("<script").skip(1).chain(html.split("<style").skip(1)) {
        let start = element.split('>').next().unwrap();
        assert!(start.contains(nonce) || start.contains("application/json"), "{start}");
    }
    let other = written(&tower, "other.html", &[]);
    assert!(!other.contains(nonce), "another report has another nonce");
}

#[test]
fn a_report_is_named_after_station_and_day_and_replaces_its_own_kind_only() {
    let (tower, _) = lived();
    let folder = tower.path("reports");
    let folder = format!("{}/", folder.to_str().unwrap());
    let today = || (chrono::Utc::now() - chrono::TimeDelta::hours(5)).format("%Y-%m-%d").to_string();
    let before = today();
    let said = tower.run_json(&["report", "--output", &folder]).expect(0).json();
    let file = said["file"].as_str().unwrap();
    // Midnight may have passed meanwhile.
    assert!([before, today()].iter().any(|day| file.ends_with(&format!("US-UMB-{day}.html"))), "{file}");
    assert_eq!(said["bytes"], std::fs::metadata(file).unwrap().len());
    tower.run(&["report", "--output", file]).expect(0);
    std::fs::write(file, "<html>a page that somebody wrote</html>").unwrap();
    tower.run(&["report", "--output", file]).expect(2).says("was not touched");
    assert!(std::fs::read_to_string(file).unwrap().contains("somebody wrote"));
    let (config, store) = (tower.config_path(), tower.store_path());
    for own in [&config, &store] {
        tower.run(&["report", "--output", own.to_str().unwrap()]).expect(2).says("the database itself");
    }
    assert_eq!(std::fs::read_dir(tower.path("reports")).unwrap().count(), 1, "no half file is left");
}

#[test]
fn without_a_database_there_is_no_report() {
    let tower = Station::new();
    tower.run(&["report"]).expect(4).says("fluxtower ingest");
}
