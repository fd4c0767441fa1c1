//! Every alert rule, evaluated as Grafana does on InfluxDB 2.7, in each state that a station can be in.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::process::Command;

use chrono::{DateTime, Utc};
use rusqlite::Connection;
use serde_json::Value;
use tempfile::TempDir;

use crate::influxd2::{BUCKET, Influxd2, over};

const MINUTE: i64 = 60;
const HOUR: i64 = 3_600;
const DAY: i64 = 86_400;

/// The rules of a station with the tables `met` and `soil` whose agent has reported this often.
fn rules(influxd: &Influxd2, every: i64, language: &str) -> Vec<Value> {
    let folder = TempDir::new().unwrap();
    let run = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_fluxtower"));
        command.current_dir(folder.path()).env("FLUXTOWER_TEST_RIGHT", "right").args(arguments);
        let done = command.output().unwrap();
        assert!(matches!(done.status.code(), Some(0 | 1)), "{arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
    };
    let table = |name: &str| {
        format!(
            "[[table]]\nname = \"{name}\"\nfiles = [\"{name}.dat\"]\nmeasurement = \"{name}\"\n[table.columns.TA]\nvariable = \"TA\"\n[table.columns.RH]\nvariable = \"RH\"\n"
        )
    };
    let config = format!(
        "[station]\nname = \"US-A\"\nutc_offset = \"+00:00\"\n[store]\npath = \"a.db\"\n[destination]\nkind = \"influxdb\"\n{}\n{}{}",
        influxd.destination(),
        table("met"),
        table("soil")
    );
    fs::write(folder.path().join("config.toml"), config).unwrap();
    let mut rows = String::from(
        "\"TOA5\",\"a\",\"CR1000\",\"1\",\"Std\",\"CPU:a\",\"1\",\"met\"\r\n\"TIMESTAMP\",\"RECORD\",\"TA\",\"RH\"\r\n\"TS\",\"RN\",\"\",\"\"\r\n\"\",\"\",\"\",\"\"\r\n",
    );
    for record in 0..20 {
        let at = DateTime::from_timestamp(Utc::now().timestamp() / 60 * 60 - (20 - record) * 60, 0).unwrap();
        write!(rows, "\"{}\",{record},20,50\r\n", at.format("%Y-%m-%d %H:%M:%S")).unwrap();
    }
    fs::write(folder.path().join("met.dat"), rows).unwrap();
    run(&["ingest"]);
    let store = Connection::open(folder.path().join("a.db")).unwrap();
    for report in 0..20 {
        let at = (Utc::now().timestamp() - report * every) * 1_000_000_000;
        let text = "INSERT INTO receipt (at, destination, rows, bytes, wire_bytes, outcome, words) VALUES (?1, 'd', 1, 1, 1, 'health', '')";
        store.execute(text, [at]).unwrap();
    }
    let made = ["--quiet", "dashboard", "--grafana", "--output", "d.json", "--alerts", "a.json", "--datasource", "P1"];
    run(&[&made[..], &["--language", language]].concat());
    let alerts: Value = serde_json::from_str(&fs::read_to_string(folder.path().join("a.json")).unwrap()).unwrap();
    alerts["groups"][0]["rules"].as_array().unwrap().clone()
}

/// The titles of the rules that fire for this station at this time, without the station's name.
fn firing(influxd: &Influxd2, rules: &[Value], station: &str, now: i64) -> BTreeSet<String> {
    let mut firing = BTreeSet::new();
    for rule in rules {
        let data = &rule["data"];
        let back = data[0]["relativeTimeRange"]["from"].as_i64().unwrap();
        let text = data[0]["model"]["query"].as_str().unwrap().replace("$$", "$").replace("US-A", station);
        let value = if text.starts_with("SELECT ") {
            let time = format!("time >= {}ms and time <= {}ms", (now - back) * 1_000, now * 1_000);
            let answer = influxd.influxql(BUCKET, &text.replace("$timeFilter", &time));
            answer["results"][0]["series"][0]["values"][0][1].as_f64()
        } else {
            influxd.flux(&over(&text, now - back, now)).last().and_then(|row| row["value"].parse::<f64>().ok())
        };
        let evaluator = &data[2]["model"]["conditions"][0]["evaluator"];
        let limit = evaluator["params"][0].as_f64().unwrap();
        let fires = match value {
            Some(value) if evaluator["type"] == "gt" => value > limit,
            Some(value) => value < limit,
            None => rule["noDataState"] == "Alerting",
        };
        if fires {
            firing.insert(rule["title"].as_str().unwrap().split_once(": ").unwrap().1.to_owned());
        }
    }
    firing
}

/// What an agent reports: seconds ago, the wait of the rows, and of each table the seconds without a row.
#[derive(Clone, Copy)]
struct Report {
    wait: i64,
    oldest: i64,
    met: i64,
    soil: i64,
    soil_ever: bool,
}

const WELL: Report = Report { wait: 0, oldest: 0, met: 60, soil: 60, soil_ever: true };

fn report(station: &str, at: i64, report: Report) -> String {
    let Report { wait, oldest, met, soil, soil_ever } = report;
    let ns = at * 1_000_000_000;
    let soil_age = if soil_ever { format!("newest_age_s={soil},") } else { String::new() };
    format!(
        "fluxtower_agent,station={station} backlog=0,oldest_pending_age_s={oldest},longest_wait_s={wait} {ns}\n\
         fluxtower_agent,station={station},logger_table=met newest_age_s={met},no_new_row_s={met},pending=0,longest_wait_s={wait} {ns}\n\
         fluxtower_agent,station={station},logger_table=soil {soil_age}no_new_row_s={soil},pending=0,longest_wait_s=0 {ns}\n"
    )
}

/// A day of rows of both tables; the flag of RH in met.
fn rows(station: &str, now: i64, flag_of_rh: impl Fn(i64) -> u8) -> String {
    let mut lines = String::new();
    for step in 0..DAY / 600 {
        let ns = (now - step * 600) * 1_000_000_000;
        let flag = flag_of_rh(step);
        let _ = writeln!(
            lines,
            "met,station={station} TA=20,TA_qc=1,RH=50,RH_qc={flag} {ns}\nsoil,station={station} TA=9,TA_qc=2,RH=50,RH_qc=3 {ns}"
        );
    }
    lines
}

#[test]
#[ignore = "needs real servers, see .ci/run"]
fn each_alert_rule_fires_in_the_states_that_it_is_for_and_in_no_other() {
    for language in ["flux", "influxql"] {
        each_rule_fires(language);
    }
}

fn each_rule_fires(language: &str) {
    let influxd = Influxd2::start();
    let rules_of_five_minutes = rules(&influxd, 5 * MINUTE, language);
    let titles: BTreeSet<&str> = rules_of_five_minutes.iter().map(|rule| rule["title"].as_str().unwrap()).collect();
    assert_eq!(titles.len(), 6, "{titles:?}");
    let now = Utc::now().timestamp();
    let every_five = |station: &str, last: i64, of: Report| -> String {
        (0..72).map(|number| report(station, now - last - number * 5 * MINUTE, of)).collect()
    };
    let stopped = Report { met: 3 * HOUR, ..WELL };
    let missing = Report { wait: 7 * HOUR, oldest: 7 * HOUR, ..WELL };
    let history = Report { oldest: 200 * DAY, wait: 240, ..WELL };
    let never = Report { soil: 2 * DAY, soil_ever: false, ..WELL };
    let good = |_: i64| 1;
    for (station, last, of, flag, fires) in [
        ("healthy", 60, WELL, good as fn(i64) -> u8, &[][..]),
        ("stopped", 60, stopped, good, &["no new record in met"]),
        ("silent", 2 * HOUR, WELL, good, &["agent is silent"]),
        ("bucketless", 60, missing, good, &["backlog too old"]),
        ("history", 60, history, good, &[]),
        ("dead", 60, WELL, |step| if step % 2 == 0 { 4 } else { 9 }, &["a sensor of met gives no usable value"]),
        // Read in turn with three others.
        ("rotating", 60, WELL, |step| if step % 4 == 0 { 1 } else { 9 }, &[]),
        ("never", 60, never, good, &["no new record in soil"]),
    ] {
        influxd.write(BUCKET, &every_five(station, last, of));
        influxd.write(BUCKET, &rows(station, now, flag));
        let wanted: BTreeSet<String> = fires.iter().map(|title| (*title).to_owned()).collect();
        assert_eq!(firing(&influxd, &rules_of_five_minutes, station, now), wanted, "{language}: {station}");
    }
    // A station without a single row in the bucket is silent, and not dead.
    let nothing = firing(&influxd, &rules_of_five_minutes, "nowhere", now);
    assert_eq!(nothing, BTreeSet::from(["agent is silent".to_owned()]));

    let rules_of_an_hour = rules(&influxd, HOUR, language);
    let hourly: String = (0..12).map(|number| report("hourly", now - number * HOUR, WELL)).collect();
    influxd.write(BUCKET, &hourly);
    influxd.write(BUCKET, &rows("hourly", now, good));
    for minutes in (0..5 * 60).step_by(5) {
        let at = now - minutes * MINUTE;
        assert_eq!(firing(&influxd, &rules_of_an_hour, "hourly", at), BTreeSet::new(), "{minutes} min ago");
    }
    let later = firing(&influxd, &rules_of_an_hour, "hourly", now + 4 * HOUR);
    assert_eq!(later, BTreeSet::from(["agent is silent".to_owned()]));
}
