//! Every InfluxQL query of the dashboard, as Grafana would send it, gives what the database holds. `dashboard_flux` does the
//! same for Flux.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use chrono::{DateTime, TimeDelta, Utc};
use fluxtower::config::{ColumnUse, Config, TableConfig};
use rusqlite::Connection;
use serde_json::Value;
use tempfile::TempDir;

use crate::readings::{Dice, station_time};
use crate::server::Influxd;
use crate::support::grafana::panels;

const NANOS: i64 = 1_000_000_000;
/// Rows of a table, and how far apart those of the fast and the slow measurement are.
const ROWS: i64 = 240;
const FAST: i64 = 10;
const SLOW: i64 = 1_800;

/// The example's tower, with files that this test writes.
pub struct Tower {
    folder: TempDir,
    station: String,
    /// Of a station of another name.
    pub config: Config,
}

/// A stored value: time, value, flag.
pub type Row = (i64, Option<f64>, u8);

/// The example's tower with InfluxDB 1.6 as the server.
fn tower_and_influxd() -> (Tower, Influxd) {
    let influxd = Influxd::start();
    influxd.query("", "CREATE DATABASE ameriflux_atmospheric");
    influxd.query("", "CREATE DATABASE ameriflux_soil");
    let destination =
        format!("kind = \"influxdb\"\napi = \"v1\"\nurl = \"{}\"\nbucket = \"ameriflux_atmospheric\"", influxd.url());
    (Tower::filled("US-UMB", &destination, ""), influxd)
}

pub fn seconds(table: &TableConfig) -> i64 {
    if table.measurement == "slowdata" { SLOW } else { FAST }
}

impl Tower {
    /// With this name, this destination and these further tables.
    pub fn filled(station: &str, destination: &str, further: &str) -> Tower {
        let folder = tempfile::tempdir().unwrap();
        let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/us-umb/config.toml");
        let text = fs::read_to_string(example).unwrap().replace("\r\n", "\n");
        // By way of the environment: only so can a name hold `${`.
        let text = text.replacen("name = \"US-UMB\"", "name = \"${FLUXTOWER_TEST_STATION}\"", 1) + further;
        let (before, rest) = text.split_once("\n[destination]").unwrap();
        let (_, after) = rest.split_once("\n[sync]").unwrap();
        let mut config = format!("{before}\n[destination]\n{destination}\n[sync]");
        let mut name = String::new();
        for line in after.lines() {
            if let Some(rest) = line.strip_prefix("name = ") {
                rest.trim_matches('"').clone_into(&mut name);
            }
            let line = if line.starts_with("files = ") { format!("files = [\"{name}.dat\"]") } else { line.to_owned() };
            writeln!(config, "{line}").unwrap();
            if line == "field = \"Temp_46m\"" {
                config += "climatology = { bands = [{ months = [1, 12], suspect = [-39, 44] }] }\n";
            }
        }
        let path = folder.path().join("config.toml");
        fs::write(&path, &config).unwrap();
        let plain = folder.path().join("plain.toml");
        fs::write(&plain, config.replace("${FLUXTOWER_TEST_STATION}", "X")).unwrap();
        let config = Config::load(&plain).unwrap();
        let tower = Tower { folder, station: station.to_owned(), config };
        for table in &tower.config.tables {
            fs::write(tower.path(&format!("{}.dat", table.name)), toa5(table)).unwrap();
        }
        tower.run(&["run"]);
        tower.run(&["sync"]);
        tower
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn run(&self, arguments: &[&str]) -> String {
        let mut command = Command::new(env!("CARGO_BIN_EXE_fluxtower"));
        command.env("FLUXTOWER_TEST_RIGHT", "right").env("FLUXTOWER_TEST_STATION", &self.station);
        let done = command.current_dir(self.folder.path()).args(arguments).output().unwrap();
        assert!(matches!(done.status.code(), Some(0 | 1)), "{arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
        String::from_utf8(done.stdout).unwrap()
    }

    pub fn json(&self, arguments: &[&str]) -> Value {
        serde_json::from_str(&self.run(arguments)).unwrap()
    }

    /// By the field's name as it is sent.
    pub fn stored(&self) -> BTreeMap<String, Vec<Row>> {
        let store = Connection::open(self.path("us-umb.db")).unwrap();
        let mut fields = BTreeMap::new();
        for table in &self.config.tables {
            for (column, known) in &table.columns {
                if known.column_use != ColumnUse::Field {
                    continue;
                }
                let text = format!(
                    "SELECT (row_id & 4503599627370495) * 1000, \"{column}\", \"{column}_flag\" FROM \"t_{}\" WHERE state = 'sent' ORDER BY row_id",
                    table.name
                );
                let mut rows = store.prepare(&text).unwrap();
                let read = |row: &rusqlite::Row<'_>| {
                    let flag: String = row.get(2)?;
                    Ok((row.get(0)?, row.get(1)?, flag.as_bytes()[0] - b'0'))
                };
                let rows = rows.query_map([], read).unwrap().map(Result::unwrap).collect();
                fields.insert(known.field.clone().unwrap_or_else(|| column.clone()), rows);
            }
        }
        fields
    }
}

/// Rows up to now: most as they should be, some suspect, failed or missing.
fn toa5(table: &TableConfig) -> String {
    let names: Vec<&String> =
        table.columns.iter().filter(|(_, column)| column.formula.is_none()).map(|(name, _)| name).collect();
    let quoted: Vec<String> = names.iter().map(|name| format!("\"{name}\"")).collect();
    let blank = vec!["\"\""; names.len()].join(",");
    let mut text =
        format!("\"TOA5\",\"tower\",\"CR5000\",\"1041\",\"Std.07\",\"CPU:t.CR5\",\"6827\",\"{}\"\r\n", table.name);
    write!(text, "\"TIMESTAMP\",\"RECORD\",{}\r\n\"TS\",\"RN\",{blank}\r\n\"\",\"\",{blank}\r\n", quoted.join(","))
        .unwrap();
    let step = seconds(table);
    let newest = Utc::now().timestamp().div_euclid(step) * step;
    let mut dice = Dice::new(77);
    for row in 0..ROWS {
        let at = DateTime::from_timestamp(newest, 0).unwrap() - TimeDelta::seconds((ROWS - 1 - row) * step);
        write!(text, "\"{}\",{row}", station_time(at).format("%Y-%m-%d %H:%M:%S")).unwrap();
        for (place, name) in names.iter().enumerate() {
            let range = table.columns[*name].range;
            let (low, high) = range.map_or((0.0, 100.0), |range| finite(range.suspect));
            let (_, fail) = range.map_or((0.0, 100.0), |range| finite(range.fail));
            let usual = low + (high - low) * (0.4 + f64::from(u32::try_from(dice.throw(2_000)).unwrap()) / 10_000.0);
            let value = match (row + i64::try_from(place).unwrap() * 7) % 40 {
                3 => fail * 2.0 + 10.0,
                11 => (high + fail) / 2.0,
                19 | 20 => f64::NAN,
                _ => usual,
            };
            let value = match name.as_str() {
                "Dir" => f64::from(u32::try_from(dice.throw(40)).unwrap()) + if row % 2 == 0 { 0.0 } else { 320.0 },
                "Rain" => f64::from(u32::try_from(dice.throw(5)).unwrap()) * 0.2,
                "Count" => ((row * 7) % 400) as f64,
                _ => value,
            };
            if value.is_nan() {
                text += ",\"NAN\"";
            } else {
                write!(text, ",{value:.4}").unwrap();
            }
        }
        text += "\r\n";
    }
    text
}

fn finite((low, high): (f64, f64)) -> (f64, f64) {
    let low = if low.is_finite() { low } else { 0.0 };
    (low, if high.is_finite() { high } else { low + 100.0 })
}

/// What a query gave: its columns, and time with values.
struct Answer {
    rows: Vec<(i64, Vec<Option<f64>>)>,
}

fn ask(influxd: &Influxd, text: &str) -> Answer {
    let answer = influxd.query("ameriflux_atmospheric", text);
    let series = answer["results"][0]["series"].as_array().cloned().unwrap_or_default();
    assert!(series.len() <= 1, "{text}: {} series", series.len());
    let rows = series.first().map_or_else(Vec::new, |series| series["values"].as_array().unwrap().clone());
    let rows = rows.iter().map(|row| {
        let row = row.as_array().unwrap();
        (row[0].as_i64().unwrap(), row[1..].iter().map(Value::as_f64).collect())
    });
    Answer { rows: rows.collect() }
}

/// As Grafana fills it in, windows this wide.
fn sent(text: &str, step: &str) -> String {
    let now = Utc::now().timestamp_millis();
    let time = format!("time >= {}ms and time <= {now}ms", now - 400 * SLOW * 1_000);
    text.replace("$timeFilter", &time)
        .replace("${station:singlequote}", "'US-UMB'")
        .replace("$step", step)
        .replace("${__from}", &(now - 400 * SLOW * 1_000).to_string())
        .replace("${__to}", &now.to_string())
        .replace("${dollar:raw}", "$")
        .replace("${bracket:raw}", "[")
}

/// The first name between quotes behind this.
fn behind<'a>(text: &'a str, before: &str) -> &'a str {
    let (_, rest) = text.split_once(before).unwrap_or_else(|| panic!("{before} is not in {text}"));
    rest.split('"').next().unwrap()
}

fn width(text: &str) -> i64 {
    let (_, rest) = text.rsplit_once("GROUP BY time(").unwrap();
    rest.split_once("s)").unwrap().0.parse::<i64>().unwrap() * NANOS
}

/// By window: what `of` makes of the rows in it; windows in which it finds nothing are left out.
pub fn windows(rows: &[Row], width: i64, of: impl Fn(&[Row]) -> Option<Vec<f64>>) -> BTreeMap<i64, Vec<f64>> {
    let mut bins: BTreeMap<i64, Vec<Row>> = BTreeMap::new();
    for row in rows {
        bins.entry(row.0.div_euclid(width) * width).or_default().push(*row);
    }
    bins.iter().filter_map(|(at, rows)| Some((*at, of(rows)?))).collect()
}

pub fn values(rows: &[Row], keep: impl Fn(u8) -> bool) -> Vec<f64> {
    rows.iter().filter(|row| keep(row.2)).filter_map(|row| row.1).collect()
}

pub fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / f64::from(u32::try_from(values.len()).unwrap())
}

pub fn least_and_greatest(values: &[f64]) -> (f64, f64) {
    values.iter().fold((f64::MAX, f64::MIN), |(least, greatest), value| (least.min(*value), greatest.max(*value)))
}

fn assert_windows(text: &str, answer: &Answer, wanted: &BTreeMap<i64, Vec<f64>>) {
    let found: BTreeMap<i64, Vec<f64>> = answer
        .rows
        .iter()
        .filter(|(_, values)| values.iter().any(Option::is_some))
        .map(|(at, values)| (*at, values.iter().map(|value| value.unwrap()).collect()))
        .collect();
    assert_eq!(found.keys().collect::<Vec<_>>(), wanted.keys().collect::<Vec<_>>(), "{text}");
    for (at, wanted) in wanted {
        let near = |(one, other): (&f64, &f64)| (one - other).abs() <= 1e-9 * one.abs().max(1.0);
        assert!(
            found[at].len() == wanted.len() && found[at].iter().zip(wanted).all(near),
            "{text}: {:?} {wanted:?}",
            found[at]
        );
    }
}

/// Checks the answer and says which kind of query it was.
fn check(influxd: &Influxd, stored: &BTreeMap<String, Vec<Row>>, text: &str) -> &'static str {
    let answer = ask(influxd, text);
    let of = |field: &str| stored.get(field).unwrap_or_else(|| panic!("{field} is not stored"));
    if text.contains("fluxtower_expected") {
        let bound = if behind(text, "mean(\"").ends_with("_low") { -39.0 } else { 44.0 };
        let values: Vec<f64> = answer.rows.iter().filter_map(|row| row.1[0]).collect();
        assert!(!values.is_empty() && values.iter().all(|value| (value - bound).abs() < 1e-9), "{text}: {values:?}");
        return "expected";
    }
    if text.contains("fluxtower_agent") {
        assert!(!answer.rows.is_empty(), "{text}");
        return "agent";
    }
    if text.contains("\"rank\"") {
        let field = behind(text, "(SELECT \"").trim_end_matches("_qc");
        let rank = |flag: u8| if flag == 9 { 2.5 } else { f64::from(flag) };
        let worst = |rows: &[Row]| Some(vec![rows.iter().map(|row| rank(row.2)).fold(0.0, f64::max)]);
        assert_windows(text, &answer, &windows(of(field), width(text), worst));
        return "ribbon";
    }
    if text.contains(" AS \"good\"") {
        let field = behind(text, "(SELECT (\"").trim_end_matches("_qc");
        let since = Utc::now().timestamp_nanos_opt().unwrap() - 86_400 * NANOS;
        let day: Vec<&Row> = of(field).iter().filter(|row| row.0 > since).collect();
        let good = day.iter().filter(|row| row.2 == 1).count();
        let wanted = 100.0 * good as f64 / day.len() as f64;
        // A row may have left the last day meanwhile.
        let found = answer.rows[0].1[0].unwrap();
        assert!((found - wanted).abs() < 2.5, "{field}: {found} {wanted}");
        return "good share";
    }
    if text.contains(" AS \"height\"") {
        let field = behind(text, if text.starts_with("SELECT last(") { "last(\"" } else { "mean(\"" });
        let kept: Vec<f64> = values(of(field), |flag| flag != 4);
        let (_, found) = &answer.rows[0];
        if text.starts_with("SELECT last(") {
            assert_eq!(found[0], kept.last().copied(), "{text}: the newest value is recent");
        } else {
            assert!((found[0].unwrap() - mean(&kept)).abs() < 1e-9 * mean(&kept).abs().max(1.0), "{text}");
        }
        let (_, height) = text.split_once(" * 0 + ").unwrap();
        assert_eq!(found[1], height.split(' ').next().unwrap().parse().ok(), "{text}");
        return "profile";
    }
    if text.starts_with("SELECT last(") {
        let last = |rows: &[Row]| values(rows, |_| true).last().map(|value| vec![*value]);
        assert_windows(text, &answer, &windows(of(behind(text, "last(\"")), width(text), last));
        return "newest";
    }
    if text.starts_with("SELECT first(") {
        let field = behind(text, "first(\"");
        let (_, digit) = text.split_once(&format!("\"{field}_qc\" = ")).unwrap();
        let digit = digit.as_bytes()[0] - b'0';
        let flagged = |rows: &[Row]| {
            let flagged = values(rows, |flag| flag == digit);
            flagged.first().map(|first| vec![*first])
        };
        let wanted = windows(of(field), width(text), flagged);
        assert_windows(text, &answer, &wanted);
        if width(text) == FAST * NANOS && !text.contains("slowdata") {
            let all = of(field).iter().filter(|row| row.2 == digit && row.1.is_some()).count();
            assert_eq!(wanted.len(), all, "a point a flagged value, zoomed in: {text}");
        }
        return if digit == 3 { "suspect points" } else { "failed points" };
    }
    assert!(text.starts_with("SELECT mean("), "no kind of query: {text}");
    let has_band = text.contains(" AS ") && text.contains("min(");
    let of_window = |rows: &[Row]| {
        let kept = values(rows, |flag| flag != 4);
        let (least, greatest) = least_and_greatest(&kept);
        let row = if has_band { vec![mean(&kept), least, greatest] } else { vec![mean(&kept)] };
        (!kept.is_empty()).then_some(row)
    };
    assert_windows(text, &answer, &windows(of(behind(text, "mean(\"")), width(text), of_window));
    if has_band { "line with band" } else { "means" }
}

fn queries(dashboard: &Value) -> Vec<String> {
    let targets =
        panels(dashboard).into_iter().flat_map(|panel| panel["targets"].as_array().cloned().unwrap_or_default());
    targets.map(|target| target["query"].as_str().unwrap().to_owned()).collect()
}

#[test]
#[ignore = "needs real servers, see .ci/run"]
fn every_query_of_the_dashboard_gives_what_the_database_holds_at_every_time_step() {
    let (tower, influxd) = tower_and_influxd();
    let stored = tower.stored();
    let flags: Vec<u8> = stored.values().flatten().map(|row| row.2).collect();
    for digit in [1, 3, 4, 9] {
        assert!(flags.iter().filter(|flag| **flag == digit).count() > 200, "too few flags {digit}");
    }
    // `run` and `sync` sent everything.
    assert_eq!(tower.json(&["--json", "status"])["tables"].as_array().unwrap().len(), 12);
    let dashboard = tower.json(&["--quiet", "dashboard", "--grafana"]);
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    let queries = queries(&dashboard);
    for text in &queries {
        for step in ["10s", "60s", "1800s", "7200s"] {
            *kinds.entry(check(&influxd, &stored, &sent(text, step))).or_default() += 1;
            if !text.contains("$step") {
                break;
            }
        }
    }
    println!("{} queries; by kind, with their time steps: {kinds:?}", queries.len());
    assert_eq!(kinds.len(), 10, "{kinds:?}");

    let variables = dashboard["templating"]["list"].as_array().unwrap();
    let stations = variables.iter().find(|variable| variable["name"] == "station").unwrap();
    let answer = influxd.query("ameriflux_atmospheric", stations["query"].as_str().unwrap());
    assert_eq!(answer["results"][0]["series"][0]["values"], serde_json::json!([["station", "US-UMB"]]));
}

#[test]
#[ignore = "needs real servers, see .ci/run"]
fn the_dashboard_of_all_stations_has_a_line_a_station_and_table_and_alerts_find_their_number() {
    let (tower, influxd) = tower_and_influxd();
    influxd.write(
        "ameriflux_atmospheric",
        &format!(
            "fluxtower_agent,station=US-Dk3,logger_table=met newest_age_s=30,pending=7,reported_s={0} {0}000000000",
            Utc::now().timestamp() - 60
        ),
    );
    let network = tower.json(&["--quiet", "dashboard", "--grafana", "--network"]);
    let queries = queries(&network);
    assert_eq!(queries.len(), 1);
    let answer = influxd.query("ameriflux_atmospheric", &sent(&queries[0], "10s"));
    let series = answer["results"][0]["series"].as_array().unwrap().clone();
    let mut tables = BTreeMap::new();
    for one in &series {
        let tag = |key: &str| one["tags"][key].as_str().unwrap().to_owned();
        assert_eq!(one["columns"], serde_json::json!(["time", "last sync", "age of newest record", "pending rows"]));
        tables.insert((tag("station"), tag("logger_table")), one["values"][0].clone());
    }
    assert_eq!(tables.len(), 13);
    let other = &tables[&("US-Dk3".to_owned(), "met".to_owned())];
    let (reported, age) = (other[1].as_f64().unwrap() / 1e3, other[2].as_f64().unwrap());
    let now = Utc::now().timestamp() as f64;
    assert!((now - reported - 60.0).abs() < 15.0 && (age - 90.0).abs() < 15.0, "{other}: as of now, not of the report");
    assert_eq!(other[3], 7);

    tower.run(&["--quiet", "dashboard", "--grafana", "--output", "d.json", "--alerts", "a.json"]);
    let alerts: Value = serde_json::from_str(&fs::read_to_string(tower.path("a.json")).unwrap()).unwrap();
    let rules = alerts["groups"][0]["rules"].as_array().unwrap();
    assert_eq!(rules.len(), 26);
    for rule in rules {
        // Provisioning makes one dollar of two.
        let text = rule["data"][0]["model"]["query"].as_str().unwrap().replace("$$", "$");
        let answer = ask(&influxd, &sent(&text, "10s"));
        assert_eq!(answer.rows.len(), 1, "{}: {text}", rule["title"]);
        let evaluator = &rule["data"][2]["model"]["conditions"][0]["evaluator"];
        let (limit, found) = (evaluator["params"][0].as_f64().unwrap(), answer.rows[0].1[0].unwrap());
        let fires = if evaluator["type"] == "gt" { found > limit } else { found < limit };
        assert!(!fires, "all is well, so nothing fires: {} {found}", rule["title"]);
    }
}
