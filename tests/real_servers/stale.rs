//! Values that changed after they were sent, on the servers that hold them: the bucket is what a fresh upload would make it.

use std::fs;
use std::time::{Duration, Instant};

use chrono::TimeDelta;

use crate::influxd2::{BUCKET, FluxRow, Influxd2, May, ORG};
use crate::readings::{Readings, time, utc};
use crate::server::Influxd;
use crate::station::Station;

/// Rows of each table.
const ROWS: usize = 300;

/// Both servers behind the same few calls.
enum Server {
    One(Influxd),
    Two(Influxd2),
}

impl Server {
    fn both() -> [Server; 2] {
        let one = Influxd::start();
        for name in [BUCKET, "fresh"] {
            one.query("", &format!("CREATE DATABASE {name}"));
        }
        let two = Influxd2::start();
        two.make_bucket("fresh", None);
        [Server::One(one), Server::Two(two)]
    }

    fn destination(&self, bucket: &str) -> String {
        match self {
            Server::One(influxd) => format!("api = \"v1\"\nurl = \"{}\"\nbucket = \"{bucket}\"", influxd.url()),
            Server::Two(influxd) => {
                influxd.destination().replace(&format!("bucket = \"{BUCKET}\""), &format!("bucket = \"{bucket}\""))
            }
        }
    }

    /// Every value with its series, time and field, as text that can be compared.
    fn cells(&self, bucket: &str) -> Vec<String> {
        let mut cells = match self {
            Server::One(influxd) => {
                let answer = influxd.query(bucket, "SELECT * FROM air GROUP BY *");
                let mut cells = Vec::new();
                for series in answer["results"][0]["series"].as_array().cloned().unwrap_or_default() {
                    let columns = series["columns"].as_array().unwrap();
                    for row in series["values"].as_array().unwrap() {
                        for (column, value) in columns.iter().zip(row.as_array().unwrap()).skip(1) {
                            if !value.is_null() {
                                cells.push(format!("{} {} {column} {value}", series["tags"], row[0]));
                            }
                        }
                    }
                }
                cells
            }
            Server::Two(influxd) => influxd.rows(bucket, ["air"]).iter().map(cell).collect(),
        };
        cells.sort();
        cells
    }

    /// Deletes every point of the tables: InfluxDB 1.6 tells no series apart by a tag that is a field too, and a predicate of 2.7
    /// takes series with further tags along.
    fn drop_points(&self) {
        match self {
            Server::One(influxd) => drop(influxd.query(BUCKET, "DELETE FROM \"air\"")),
            Server::Two(influxd) => influxd.delete(BUCKET, (0, i64::MAX / 2), "_measurement=\"air\""),
        }
    }

    /// Another writer's lines.
    fn write(&self, lines: &str) {
        match self {
            Server::One(influxd) => influxd.write(BUCKET, lines),
            Server::Two(influxd) => influxd.write(BUCKET, lines),
        }
    }
}

fn cell(row: &FluxRow) -> String {
    let known =
        row.iter().filter(|(column, value)| !matches!(column.as_str(), "result" | "table") && !value.is_empty());
    known.map(|(column, value)| format!("{column}={value} ")).collect()
}

fn readings(name: &'static str, spell: impl Fn(usize) -> String) -> Readings {
    let start = (time("2024-03-09 22:00:00"), TimeDelta::seconds(5), 0);
    Readings::new(name, &["v", "w"], start, ROWS, |row, column| if column == 0 { spell(row) } else { "1.5".to_owned() })
}

/// Values from 0 to 99.
fn plain(row: usize) -> String {
    format!("{}", row % 100)
}

/// Two tables of measurement `air`; those of `high` have a tag more.
fn station(server: &Server) -> (Station, String) {
    let tables = [readings("low", plain), readings("high", plain)];
    let station = Station::new(&server.destination(BUCKET), "health = false", &[&tables[0], &tables[1]]);
    let config = fs::read_to_string(station.path("config.toml")).unwrap();
    let config =
        config.replace("tags = { site = \"US-UMB\" }", "measurement = \"air\"\nTAGS\non_conflict = \"replace\"");
    let config = config.replacen("TAGS", "tags = { site = \"US \\\"UMB\\\"\" }\nKEYS", 1);
    let config = config.replacen("TAGS", "tags = { site = \"US \\\"UMB\\\"\", height = \"46m\" }", 1);
    let config = config.replace("KEYS\non_conflict = \"replace\"", "on_conflict = \"replace\"\nKEYS");
    (station, config)
}

fn configure(station: &Station, config: &str, keys: &str) {
    fs::write(station.path("config.toml"), config.replace("KEYS", keys)).unwrap();
}

/// What a bucket that was empty holds after everything is sent to it.
fn fresh(server: &Server, station: &Station, config: &str, keys: &str) -> Vec<String> {
    let elsewhere = config.replace(&format!("bucket = \"{BUCKET}\""), "bucket = \"fresh\"");
    configure(station, &elsewhere, keys);
    station.must(0, &["replay", "--since", "2024-01-01"]);
    station.must(0, &["sync"]);
    let cells = server.cells("fresh");
    assert!(cells.len() > 2 * ROWS);
    cells
}

/// One of the three ways in which a sent row loses a field.
struct Fault {
    before: &'static str,
    after: &'static str,
    commands: &'static [&'static [&'static str]],
    changes_the_file: bool,
}

const REFLAG: &[&[&str]] = &[&["reflag", "--since", "2024-01-01"]];
const FAULTS: [Fault; 3] = [
    Fault { before: "", after: "missing = [7]", commands: REFLAG, changes_the_file: false },
    Fault {
        before: "[table.columns.v]\nfail = [0, 80]",
        after: "[table.columns.v]\nfail = [0, 80]\nwithhold = true",
        commands: REFLAG,
        changes_the_file: false,
    },
    Fault { before: "", after: "", commands: &[], changes_the_file: true },
];

/// Sends both tables, then brings the fault about, without the sync that puts it right.
fn broken(server: &Server, fault: &Fault) -> (Station, String) {
    let (station, config) = station(server);
    configure(&station, &config, fault.before);
    station.must(0, &["run"]);
    configure(&station, &config, fault.after);
    if fault.changes_the_file {
        let changed = readings("low", |row| if (40..80).contains(&row) { "\"NAN\"".to_owned() } else { plain(row) });
        fs::write(station.path("low.dat"), changed.toa5()).unwrap();
        let _ = station.run(&["ingest"]);
    }
    for command in fault.commands {
        station.must(0, command);
    }
    (station, config)
}

#[test]
#[ignore = "needs real servers, see .ci/run"]
fn i7_missing_withheld_and_replaced_values_leave_the_bucket_and_other_series_keep_theirs() {
    for fault in &FAULTS {
        for server in Server::both() {
            let (station, config) = broken(&server, fault);
            // Other writers: with a tag less, with other tags, and on a time of its own.
            let at = utc("2024-03-09 22:03:20");
            let foreign =
                format!("air v=-1 {at}\nair,site=other v=-2 {at}\nair,site=US\\ \"UMB\",height=2m v=-3 {}\n", at + 1);
            server.write(&foreign);
            station.must(0, &["sync"]);
            let mut cells = server.cells(BUCKET);
            let before = cells.len();
            cells.retain(|cell| {
                !["-1", "-2", "-3"]
                    .iter()
                    .any(|own| cell.contains(&format!("_value={own} ")) || cell.ends_with(&format!("\"v\" {own}")))
            });
            assert_eq!(before - cells.len(), 3, "points of other writers are gone");
            assert_eq!(cells, fresh(&server, &station, &config, fault.after));
        }
    }
}

#[test]
#[ignore = "needs real servers, see .ci/run"]
fn i7_a_program_killed_between_removal_and_write_loses_nothing() {
    for server in Server::both() {
        let mut removed = 0;
        // The kill falls at another moment each time.
        for wait in 0..12 {
            let (station, config) = broken(&server, &FAULTS[2]);
            let whole = server.cells(BUCKET).len();
            let mut child = station.start(&["sync"]);
            let started = Instant::now();
            while started.elapsed() < Duration::from_millis(wait * 4) && child.try_wait().unwrap().is_none() {
                std::thread::yield_now();
            }
            let _ = child.kill();
            child.wait().unwrap();
            removed += usize::from(server.cells(BUCKET).len() < whole - 40);
            let _ = station.run(&["sync"]);
            assert_eq!(station.times("low", "sent").len(), ROWS);
            assert_eq!(server.cells(BUCKET), fresh(&server, &station, &config, ""));
        }
        println!("{removed} of 12 kills fell between removal and write");
    }
}

#[test]
#[ignore = "needs real servers, see .ci/run"]
fn i7_a_token_that_may_only_write_removes_points_too() {
    let influxd = Influxd2::start();
    influxd.make_bucket("fresh", None);
    let id = influxd.bucket(BUCKET).unwrap().id;
    let token = influxd.token(&influxd.org_id(ORG), &[(May::Write, Some(&id))]);
    let server = Server::Two(influxd);
    let (mut station, config) = broken(&server, &FAULTS[2]);
    configure(&station, &config.replace("FLUXTOWER_TEST_RIGHT", "TOWER"), "");
    station.set_variable("TOWER", &token);
    station.must(0, &["sync"]);
    assert_eq!(server.cells(BUCKET), fresh(&server, &station, &config, ""));
}

/// Ingests and syncs; whether a user should look is no matter of the test.
fn passes(station: &Station) {
    for command in ["ingest", "sync"] {
        let ended = station.run(&[command]);
        assert!(ended.exit <= 1, "{ended:?}");
    }
}

#[test]
#[ignore = "needs real servers, see .ci/run"]
fn i3_the_bucket_is_the_store_after_a_clock_was_corrected_and_after_the_offset_changed() {
    for server in Server::both() {
        let (station, config) = station(&server);
        configure(&station, &config, "");
        station.must(0, &["run"]);
        let before = server.cells(BUCKET);
        // By an hour; by what no step is; and not at all.
        for keys in [
            "[[table.clock]]\nfrom = \"2024-03-09 22:05:00\"\nadd = \"1h\"",
            "[[table.clock]]\nfrom = \"2024-03-09 22:05:00\"\nuntil = \"2024-03-09 22:20:00\"\nadd = \"-2m 3s\"",
            "",
        ] {
            configure(&station, &config, keys);
            passes(&station);
            let cells = server.cells(BUCKET);
            assert_eq!(cells.len(), before.len(), "{keys}");
            assert_eq!(cells == before, keys.is_empty());
        }
        let moved = config.replace("utc_offset = \"-05:00\"", "utc_offset = \"-06:00\"");
        let keys = "[[table.clock]]\nfrom = \"2024-03-09 22:05:00\"\nadd = \"4s\"";
        configure(&station, &moved, keys);
        let _ = station.run(&["ingest"]);
        assert_eq!(station.must(0, &["rekey"])["tables"][0]["rows"], ROWS);
        passes(&station);
        assert_eq!(server.cells(BUCKET), fresh(&server, &station, &moved, keys));
    }
}

#[test]
#[ignore = "needs real servers, see .ci/run"]
fn i12_points_under_earlier_tags_are_named_until_they_are_gone_from_the_bucket() {
    for server in Server::both() {
        let (station, config) = station(&server);
        configure(&station, &config, "");
        station.must(0, &["run"]);
        let is_named = |station: &Station| {
            let found = station.run(&["status"]).json["findings"].to_string();
            found.contains("points_left")
        };
        assert!(!is_named(&station));
        // A tag of `low` with a value for each of its rows.
        configure(&station, &config, "[table.columns.w]\nuse = \"tag\"");
        passes(&station);
        passes(&station);
        assert!(is_named(&station));
        let verifies = |station: &Station| {
            let ended = station.run(&["verify", "--since", "2024-01-01"]);
            (ended.exit, ended.json.to_string())
        };
        let (exit, json) = verifies(&station);
        assert_eq!(exit, 0, "{json}");
        assert!(is_named(&station), "its points are there");
        server.drop_points();
        assert_eq!(verifies(&station).0, 1);
        assert!(!is_named(&station), "its points are gone");
    }
}
