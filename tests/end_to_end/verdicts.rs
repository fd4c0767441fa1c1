//! States of a station and what `status`, `check`, `run` and the page make of them (I12).
//!
//! Each row of the table makes a healthy station and breaks it. None of the broken states is called well by any of the four,
//! and each of the healthy ones by all. docs/operations.md shows the table; `UPDATE_DOCS=1` writes it anew.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use chrono::{DateTime, TimeDelta, Utc};
use fluxtower::sun::{Position, elevation};
use fluxtower::time::Timestamp;
use serde_json::Value;

use crate::serve::client::Served;
use crate::support::server::{Act, Reply, Server, closed_port};
use crate::support::{DAT, Ended, Logger, Station, TABLE};

const DAY: i64 = 86_400;
const TOKEN: &str = "FLUXTOWER_TEST_TOKEN";

/// A station and the server that it may send to.
struct Tower {
    station: Station,
    server: Server,
}

impl Tower {
    /// Fresh rows, to a folder of files; nothing ran yet.
    fn new() -> Tower {
        let mut station = Station::new().judged_by_age();
        station.set_variable(TOKEN, "not-a-secret");
        let tower = Tower { station, server: Server::start() };
        tower.station.write(DAT, logger(100, 10).file(0..100));
        tower
    }

    /// Rows go to the server.
    fn sends_to_the_server(&mut self) {
        let url = self.server.url();
        self.sends_to(&url);
    }

    fn sends_to(&mut self, url: &str) {
        self.station.configure(|sections| {
            sections.destination = format!(
                "kind = \"influxdb\"\nurl = \"{url}\"\norg = \"o\"\nbucket = \"tower\"\ntoken_env = \"{TOKEN}\""
            );
            sections.sync = "deadline = \"1s\"".to_owned();
        });
    }

    fn run(&self) -> Ended {
        self.station.run(&["run"])
    }

    fn set(&self, sql: &str) {
        rusqlite::Connection::open(self.station.store_path()).unwrap().execute_batch(sql).unwrap();
    }
}

/// A logger at the station, five hours west of UTC, whose row `rows - 1` is `age` seconds old.
fn logger(rows: i64, age: i64) -> Logger {
    let start = Utc::now() - TimeDelta::hours(5) - TimeDelta::seconds(age + 5 * (rows - 1));
    Logger::par().start(&start.format("%Y-%m-%d %H:%M:%S").to_string())
}

/// What a state comes to.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Comes {
    /// `look`, with this kind among the findings; `status` and `run` end with 1.
    Look(&'static str),
    /// The same of what loggers did not write, or of rows that were old when the database began: `run` says it and ends with 0.
    LookAtTheLogger(&'static str),
    /// As `Look`, and the next run fails as the last one did, with this code.
    Refused(&'static str, i32),
    /// The same, and the next run clears it.
    UntilTheNextRun(&'static str),
    /// `unknown` or `note`; `status` and `run` end with 0.
    Quiet(&'static str),
    /// Every command ends with this code.
    Fails(i32),
}

struct State {
    name: &'static str,
    comes: Comes,
    make: fn(&mut Tower),
}

const fn state(name: &'static str, comes: Comes, make: fn(&mut Tower)) -> State {
    State { name, comes, make }
}

/// A file of these rows behind the fresh ones.
fn with_line(tower: &Tower, line: &str) {
    tower.station.write(DAT, logger(100, 10).file(0..100) + line);
}

/// Twelve days of half hours of a radiometer on the equator, whose light is a function of UTC.
fn radiometer(tower: &mut Tower, light: fn(DateTime<Utc>) -> f64) {
    tower.station.configure(|sections| {
        sections.clock = "utc_offset = \"-05:00\"\nlatitude = 0\nlongitude = -75".to_owned();
        sections.table = format!(
            "name = \"{TABLE}\"\nfiles = [\"{DAT}\"]\nstale_after = \"3d\"\n[table.columns.SR01Up_Avg]\nvariable = \"SW_IN\"\nsun = {{}}"
        );
    });
    let newest = Utc::now() - TimeDelta::seconds(60 + Utc::now().timestamp().rem_euclid(1_800));
    let mut text = Logger::par().columns(&["SR01Up_Avg"]).header();
    for row in 0..12 * 48 {
        let end = newest - TimeDelta::minutes(30 * (12 * 48 - 1 - row));
        let local = (end - TimeDelta::hours(5)).format("%Y-%m-%d %H:%M:%S");
        let _ = write!(text, "\"{local}\",{row},{:.3}\r\n", light(end));
    }
    tower.station.write(DAT, text);
    let _ = tower.run();
}

/// A clear sky at longitude -75 on the equator, sampled at the stamp.
fn clear_sky(end: DateTime<Utc>) -> f64 {
    let position = Position { latitude: 0.0, longitude: -75.0 };
    let sine = elevation(position, Timestamp::from_utc(end)).to_radians().sin();
    if sine > 0.0 { 1_098.0 * sine * (-0.059 / sine).exp() } else { 0.0 }
}

fn broken() -> Vec<State> {
    use Comes::{Fails, Look, LookAtTheLogger, Quiet, Refused, UntilTheNextRun};
    vec![
        state("no file was ever there", Look("never_read"), |tower| tower.station.remove(DAT)),
        state("a second table has no file", Look("never_read"), |tower| {
            tower
                .station
                .configure(|sections| sections.more = "[[table]]\nname = \"soil\"\nfiles = [\"soil.dat\"]".into());
            let _ = tower.run();
        }),
        state("the file has a header and no row", Look("never_read"), |tower| {
            tower.station.write(DAT, Logger::par().header());
            let _ = tower.run();
        }),
        state("the file is empty", Look("never_read"), |tower| {
            tower.station.write(DAT, "");
            let _ = tower.run();
        }),
        state("the file is in TOB1", Look("unreadable_file"), |tower| {
            let _ = tower.run();
            tower.station.write(DAT, "\"TOB1\",\"64291\",\"CR1000X\"\r\n");
            let _ = tower.run();
        }),
        state("the file is a page of HTML", Look("unreadable_file"), |tower| {
            let _ = tower.run();
            tower.station.write(DAT, "<html><body>not found</body></html>\r\n");
            let _ = tower.run();
        }),
        state("the file was renamed", Look("no_file"), |tower| {
            let _ = tower.run();
            tower.station.rename(DAT, "renamed.txt");
        }),
        state("the webhook of notifications is gone", Look("notify_failed"), |tower| {
            let url = tower.server.url();
            tower.station.configure(|sections| sections.sync = format!("[notify]\nurl = \"{url}/hook\""));
            let _ = tower.run();
            tower.station.write(DAT, "\"TOB1\",\"64291\",\"CR1000X\"\r\n");
            let _ = tower.run();
            tower.station.write(DAT, logger(100, 10).file(0..100));
            let _ = tower.run();
        }),
        state("no row for two days", LookAtTheLogger("stale"), |tower| {
            tower.station.write(DAT, logger(100, 2 * DAY).file(0..100));
            let _ = tower.run();
        }),
        state("no row for longer than stale_after", Look("stale"), |tower| {
            tower.station.configure(|sections| sections.table += "\nstale_after = \"1m\"");
            tower.station.write(DAT, logger(100, 300).file(0..100));
            let _ = tower.run();
        }),
        state("LoggerNet writes under another name", Look("unmatched_files"), |tower| {
            tower.station.write(DAT, logger(100, 2 * DAY).file(0..100));
            tower.station.age(DAT, Duration::from_secs(2 * 86_400));
            let _ = tower.run();
            tower.station.write("other.dat", logger(100, 10).file(0..100));
        }),
        state("a row lies three days ahead", Look("held_lines"), |tower| {
            with_line(tower, &logger(1, -3 * DAY).row(200));
            let _ = tower.run();
        }),
        state("the logger is two hours ahead", Look("rows_ahead"), |tower| {
            tower.station.write(DAT, logger(100, -7_200).file(0..100));
            let _ = tower.run();
        }),
        state("a line has an impossible time", Look("rejected_lines"), |tower| {
            with_line(tower, "\"2026-13-01 00:00:00\",7,1,2,3\r\n");
            let _ = tower.run();
        }),
        state("a time came with two contents", Look("conflicts"), |tower| {
            let logger = logger(100, 10);
            tower.station.write(DAT, logger.file(0..100));
            let _ = tower.run();
            tower.station.write(DAT, logger.file(0..100).replace(",3000.000\r\n", ",3999.000\r\n"));
            let _ = tower.run();
        }),
        state("records are missing", LookAtTheLogger("missing_records"), |tower| {
            let logger = logger(100, 10);
            tower.station.write(DAT, logger.file(0..50) + &logger.rows(60..100));
            let _ = tower.run();
        }),
        state("the newest file is from the future", Look("clocks_disagree"), |tower| {
            let _ = tower.run();
            let file = std::fs::File::options().write(true).open(tower.station.path(DAT)).unwrap();
            file.set_modified(SystemTime::now() + Duration::from_secs(7_200)).unwrap();
        }),
        state("the server's clock is two hours ahead", Look("clocks_disagree"), |tower| {
            tower.sends_to_the_server();
            tower.server.date().store(7_200, Ordering::Relaxed);
            let _ = tower.run();
        }),
        state("five collections are five hours behind their files", Look("offset_of_hours"), |tower| {
            tower.station.configure(|sections| sections.clock = "utc_offset = \"+00:00\"".to_owned());
            for collection in 1..=5 {
                let ago = 600 * (6 - collection);
                let logger = logger(100, ago + 5);
                let rows: String = (0..100).map(|row| logger.row_as(row, 100 * collection + row)).collect();
                tower.station.write(DAT, logger.header() + &rows);
                tower.station.age(DAT, Duration::from_secs(ago.unsigned_abs()));
                let _ = tower.station.run(&["ingest"]);
            }
        }),
        state("the logger's clock is an hour behind the sun", LookAtTheLogger("sun_late"), |tower| {
            radiometer(tower, |end| clear_sky(end + TimeDelta::hours(1)));
        }),
        state("a radiometer is dead", LookAtTheLogger("dark_by_day"), |tower| radiometer(tower, |_| 0.0)),
        state("a radiometer gives light at night", LookAtTheLogger("light_at_night"), |tower| {
            radiometer(tower, |end| clear_sky(end) + 60.0);
        }),
        state("the minus of the longitude is missing", Look("position_unfit"), |tower| {
            tower.station.configure(|sections| {
                sections.clock = "utc_offset = \"-05:00\"\nlatitude = 45.56\nlongitude = 84.71".to_owned();
            });
            let _ = tower.run();
        }),
        state("the token is refused", Refused("run_failed", 3), |tower| {
            tower.sends_to_the_server();
            tower.server.script(|_| Act::refuse(401, "unauthorized access"));
            let _ = tower.run();
        }),
        state("the bucket is not there", Refused("run_failed", 3), |tower| {
            tower.sends_to_the_server();
            tower.server.script(|_| Act::refuse(404, "bucket \"tower\" not found"));
            let _ = tower.run();
        }),
        state("a login page is in between", Refused("run_failed", 3), |tower| {
            tower.sends_to_the_server();
            tower.server.script(|_| Act::say(Reply::html(200, "<html>please log in</html>")));
            let _ = tower.run();
        }),
        state("the server is elsewhere", Refused("run_failed", 3), |tower| {
            tower.sends_to_the_server();
            tower.server.script(|_| Act::say(Reply::new(302).with("Location", "https://login.example.org/")));
            let _ = tower.run();
        }),
        state("the bucket was made again", Refused("run_failed", 3), |tower| {
            tower.sends_to_the_server();
            let _ = tower.run();
            tower.server.answer(|path| {
                let bucket = r#"{"buckets":[{"id":"another","orgID":"o","name":"tower","retentionRules":[]}]}"#;
                path.starts_with("/api/v2/buckets").then(|| Reply::json(200, bucket))
            });
            let _ = tower.run();
        }),
        state("the token's variable is not set", Refused("run_failed", 2), |tower| {
            tower.sends_to_the_server();
            tower.station.replace_in_config(TOKEN, "FLUXTOWER_TEST_NOT_SET");
            let _ = tower.run();
        }),
        state("the server refuses a row", Look("refused_rows"), |tower| {
            tower.sends_to_the_server();
            tower.server.script(|asked| match asked.lines.contains("calPPFD=99") {
                true => Act::refuse(422, "unprocessable entity"),
                false => Act::take(),
            });
            let _ = tower.run();
            tower.set("UPDATE logger_table SET rejected = 1, sent = sent - 1");
        }),
        state("the server was never reached", Look("not_acknowledged"), |tower| {
            tower.sends_to(&closed_port());
            let _ = tower.run();
        }),
        state("the link is down for two days", Look("not_acknowledged"), |tower| {
            tower.sends_to_the_server();
            let _ = tower.run();
            tower.set("UPDATE receipt SET at = at - 172800000000000; UPDATE run SET ended = ended - 172800000000000");
            tower.sends_to(&closed_port());
            tower.station.write(DAT, logger(100, 1).file(100..200));
            let _ = tower.run();
        }),
        state("pending rows expire soon", Look("expiring"), |tower| {
            tower.server.keep_for(Duration::from_secs(3_600));
            tower.sends_to_the_server();
            tower.station.write(DAT, logger(100, 10 + 20 * 99).every(TimeDelta::seconds(25)).file(0..100));
            tower.server.script(|_| Act::refuse(503, "busy"));
            let _ = tower.run();
        }),
        state("the last ingest could not be made", UntilTheNextRun("run_failed"), |tower| {
            let _ = tower.run();
            tower.set("UPDATE run SET exit = 4, summary = 'the disk is full' WHERE command = 'ingest'");
        }),
        state("two tables overwrite each other's points", UntilTheNextRun("reported"), |tower| {
            tower.station.configure(|sections| {
                sections.table += "\nmeasurement = \"m\"";
                sections.more = "[[table]]\nname = \"twin\"\nfiles = [\"twin.dat\"]\nmeasurement = \"m\"".to_owned();
            });
            tower.station.write("twin.dat", logger(100, 10).table("twin").file(0..100));
            let _ = tower.run();
        }),
        state("a table with pending rows left the configuration", Look("reported"), |tower| {
            let _ = tower.station.run(&["ingest"]);
            tower.station.write("soil.dat", logger(100, 10).table("soil").file(0..100));
            tower.station.configure(|sections| sections.table = "name = \"soil\"\nfiles = [\"soil.dat\"]".to_owned());
            let _ = tower.run();
        }),
        state("this computer's clock was set back by three days", UntilTheNextRun("future_times"), |tower| {
            let _ = tower.run();
            tower.set("UPDATE run SET ended = ended + 259200000000000");
        }),
        state("a changed configuration was not taken up", UntilTheNextRun("configuration_refused"), |tower| {
            let _ = tower.run();
            tower.set(
                "INSERT INTO setting (key, value) VALUES ('configuration refused', '1700000000000000000 line 9 is wrong')",
            );
        }),
        state("a scheduled task reads a network share", Look("network_share"), |tower| {
            tower
                .station
                .configure(|sections| sections.table = format!("name = \"{TABLE}\"\nfiles = [\"//nas/flux/*.dat\"]"));
            let _ = tower.station.run(&["run", "--scheduled", "5m"]);
        }),
        state("rows are pending before the first sync", Quiet("no_answer_yet"), |tower| {
            let _ = tower.station.run(&["ingest"]);
        }),
        state("the link is down for an hour", Quiet("pending"), |tower| {
            tower.sends_to_the_server();
            let logger = logger(500, 10);
            tower.station.write(DAT, logger.file(0..100));
            let _ = tower.run();
            tower.set("UPDATE receipt SET at = at - 3600000000000");
            tower.sends_to(&closed_port());
            tower.station.append(DAT, logger.rows(100..500));
            let _ = tower.run();
        }),
        state("a table has one row of two days ago", Quiet("too_few_rows"), |tower| {
            tower.station.write(DAT, logger(1, 2 * DAY).file(0..1));
            let _ = tower.run();
        }),
        state("rows were too old for the bucket", Quiet("expired_rows"), |tower| {
            tower.server.keep_for(Duration::from_secs(3_600));
            tower.sends_to_the_server();
            tower.station.write(DAT, logger(1_000, 10).file(0..1_000));
            let _ = tower.run();
        }),
        state("a column became a tag after its rows were sent", Quiet("points_left"), |tower| {
            tower.sends_to_the_server();
            tower.station.write(DAT, logger(3, 10).file(0..3));
            let _ = tower.run();
            tower.station.configure(|sections| sections.more = "[table.columns.PPFD]\nuse = \"tag\"".to_owned());
            let _ = tower.run();
            let _ = tower.run();
        }),
        state("a zone of POSIX is configured", Quiet("posix_zone"), |tower| {
            tower.station.configure(|sections| sections.clock = "timezone = \"Etc/GMT+5\"".to_owned());
            let _ = tower.run();
        }),
        state("the database is damaged", Fails(4), |tower| {
            let _ = tower.run();
            std::fs::write(tower.station.store_path(), vec![7_u8; 65_536]).unwrap();
        }),
        state("the database is empty and was not", Fails(4), |tower| {
            let _ = tower.run();
            std::fs::write(tower.station.store_path(), "").unwrap();
        }),
        state("a backup stands beside another database's log", Fails(4), |tower| {
            let _ = tower.run();
            let copy = tower.station.path("copy.db");
            let _ = tower.station.run(&["backup", copy.to_str().unwrap()]).expect(0);
            tower.station.rename("copy.db", "store.db");
            tower.station.write("store.db-wal", vec![7_u8; 4_096]);
        }),
        state("the database is of another program", Fails(4), |tower| {
            tower.set("CREATE TABLE other (x)");
        }),
        state("the configuration has an unknown key", Fails(2), |tower| {
            let _ = tower.run();
            tower.station.add_to_config("no_such_key = 1");
        }),
    ]
}

/// The codes of `status`, `check` and `run`, and what is not as it should be.
fn judged(state: &State) -> (String, Vec<String>) {
    let mut tower = Tower::new();
    (state.make)(&mut tower);
    let station = &tower.station;
    let mut faults = Vec::new();
    let mut require = |holds: bool, text: String| {
        if !holds {
            faults.push(format!("{}: {text}", state.name));
        }
    };
    let status = station.run(&["status"]);
    require(!status.stdout.contains("all well"), format!("status says all well: {}", status.stdout));
    let is_failure = matches!(state.comes, Comes::Fails(_));
    let page = (!is_failure).then(|| Served::start(&station.config_path()).json("/api/status"));
    let check = station.run(&["check"]);
    let ran = station.run(&["run"]);
    let (kind, word, codes) = match state.comes {
        Comes::Look(kind) => (kind, "look: ", (1, Some(1), Some(1))),
        Comes::LookAtTheLogger(kind) => (kind, "look: ", (1, Some(1), Some(0))),
        Comes::Refused(kind, code) => (kind, "look: ", (1, Some(code), Some(code))),
        Comes::UntilTheNextRun(kind) => (kind, "look: ", (1, None, None)),
        Comes::Quiet(kind) => (kind, "", (0, None, None)),
        Comes::Fails(code) => ("", "", (code, Some(code), Some(code))),
    };
    require(status.code == codes.0, format!("status ends with {}: {}{}", status.code, status.stdout, status.stderr));
    let told = format!("{}{}", check.stdout, check.stderr);
    require(codes.1.is_none_or(|code| check.code == code), format!("check ends with {}: {told}", check.code));
    let told = format!("{}{}", ran.stdout, ran.stderr);
    require(codes.2.is_none_or(|code| ran.code == code), format!("run ends with {}: {told}", ran.code));
    if matches!(state.comes, Comes::Look(_) | Comes::LookAtTheLogger(_)) {
        require(ran.stdout.contains("look: "), format!("run does not say why: {told}"));
    }
    if let Some(page) = page {
        let verdict = page["verdict"].as_str().unwrap();
        let findings = page["findings"].as_array().unwrap();
        let has = findings.iter().any(|finding| finding["kind"] == kind);
        require(has && verdict.starts_with(word), format!("the page says \"{verdict}\", without {kind}"));
        require(page["is_well"] == false, "the page calls it well".to_owned());
    }
    let finding = if kind.is_empty() { "the command's error".to_owned() } else { format!("`{kind}`") };
    let row = format!("| {} | {finding} | {} | {} | {} |\n", state.name, status.code, check.code, ran.code);
    (row, faults)
}

fn side_by_side<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let (next, done) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                loop {
                    let place = next.fetch_add(1, Ordering::Relaxed);
                    let Some(item) = items.get(place) else { break };
                    let result = work(item);
                    done.lock().unwrap().push((place, result));
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap();
    done.sort_by_key(|(place, _)| *place);
    done.into_iter().map(|(_, result)| result).collect()
}

const BEGIN: &str = "<!-- states: written by the test `verdicts` -->\n";
const END: &str = "<!-- end of states -->\n";

#[test]
fn i12_no_broken_state_is_called_well_by_status_check_run_or_the_page() {
    let states = broken();
    assert!(states.len() >= 30, "only {}", states.len());
    let judged = side_by_side(&states, judged);
    let faults: Vec<&String> = judged.iter().flat_map(|(_, faults)| faults).collect();
    assert!(
        faults.is_empty(),
        "{} faults:\n{}",
        faults.len(),
        faults.iter().fold(String::new(), |mut all, fault| {
            let _ = writeln!(all, "{fault}");
            all
        })
    );
    let rows: String = judged.into_iter().map(|(row, _)| row).collect();
    let table = format!("| state | finding | `status` | `check` | `run` |\n|---|---|---|---|---|\n{rows}");
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("docs/operations.md");
    let page = std::fs::read_to_string(&path).unwrap().replace("\r\n", "\n");
    let (before, rest) = page.split_once(BEGIN).expect("the page has a place for the table");
    let (shown, after) = rest.split_once(END).expect("the place has an end");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, format!("{before}{BEGIN}{table}{END}{after}")).unwrap();
        return;
    }
    assert_eq!(shown, table, "docs/operations.md; UPDATE_DOCS=1 writes it");
}

/// What is done with a healthy station.
type Life = fn(&mut Tower);

/// Healthy stations, each after its last run.
fn healthy() -> Vec<(&'static str, Life)> {
    vec![
        ("rows go to files", |tower| drop(tower.run())),
        ("rows go to a server", |tower| {
            tower.sends_to_the_server();
            let _ = tower.run();
        }),
        ("an archive with a large stale_after", |tower| {
            tower.station.configure(|sections| sections.table += "\nstale_after = \"36500d\"");
            tower.station.write(DAT, Logger::par().file(0..100));
            let _ = tower.run();
        }),
        ("two tables", |tower| {
            tower
                .station
                .configure(|sections| sections.more = "[[table]]\nname = \"soil\"\nfiles = [\"soil.dat\"]".into());
            tower.station.write("soil.dat", logger(100, 10).table("soil").file(0..100));
            let _ = tower.run();
        }),
        ("a zone with summer time", |tower| {
            tower.station.configure(|sections| sections.clock = "timezone = \"Etc/UTC\"".to_owned());
            let start = Utc::now() - TimeDelta::seconds(10 + 5 * 99);
            let logger = Logger::par().start(&start.format("%Y-%m-%d %H:%M:%S").to_string());
            tower.station.write(DAT, logger.file(0..100));
            let _ = tower.run();
        }),
        ("a file that grows", |tower| {
            let logger = logger(300, 10);
            tower.station.write(DAT, logger.file(0..100));
            let _ = tower.run();
            tower.station.append(DAT, logger.rows(100..300));
            let _ = tower.run();
        }),
        ("rows every half hour", |tower| {
            let start = Utc::now() - TimeDelta::hours(5) - TimeDelta::minutes(30 * 20 + 5);
            let logger =
                Logger::par().every(TimeDelta::minutes(30)).start(&start.format("%Y-%m-%d %H:%M:%S").to_string());
            tower.station.write(DAT, logger.file(0..21));
            let _ = tower.run();
        }),
        ("a bucket that forgets, keep, budget", |tower| {
            tower.server.keep_for(Duration::from_secs(30 * 86_400));
            tower.sends_to_the_server();
            tower.station.replace_in_config("path = \"store.db\"", "path = \"store.db\"\nkeep = \"400d\"");
            tower.station.replace_in_config("deadline = \"1s\"", "budget_bytes = 1_000_000");
            let _ = tower.run();
        }),
        ("gone back to a backup", |tower| {
            let _ = tower.run();
            let copy = tower.station.path("copy.db");
            let _ = tower.station.run(&["backup", copy.to_str().unwrap()]).expect(0);
            tower.station.rename("copy.db", "store.db");
            let _ = tower.run();
        }),
        ("a radiometer in the sun", |tower| radiometer(tower, clear_sky)),
        ("two runs without anything new", |tower| {
            let _ = tower.run();
            let _ = tower.run();
        }),
    ]
}

#[test]
fn i12_each_of_ten_healthy_stations_is_called_well_by_all_four() {
    let stations = healthy();
    assert!(stations.len() >= 10);
    let faults = side_by_side(&stations, |(name, make)| {
        let mut tower = Tower::new();
        make(&mut tower);
        let station = &tower.station;
        let mut faults = Vec::new();
        for (command, wanted) in [("status", "all well"), ("check", ""), ("run", ""), ("sync", "")] {
            let ended = station.run(&[command]);
            if ended.code != 0 || !ended.stdout.contains(wanted) || ended.stdout.contains("look") {
                faults.push(format!("{name}: {command} ends with {}: {}{}", ended.code, ended.stdout, ended.stderr));
            }
        }
        let page: Value = Served::start(&station.config_path()).json("/api/status");
        if page["is_well"] != true {
            faults.push(format!("{name}: the page says {}", page["verdict"]));
        }
        faults
    });
    let faults: Vec<String> = faults.into_iter().flatten().collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn i12_a_new_station_before_its_first_sync_is_neither_good_nor_bad() {
    let tower = Tower::new();
    let _ = tower.station.run(&["ingest"]).expect(0);
    let status = tower.station.run(&["status"]).expect(0);
    assert!(status.stdout.contains("unknown: 100 rows are pending"), "{}", status.stdout);
}
