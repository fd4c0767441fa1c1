//! Clocks that are wrong, through the program: libfaketime moves this computer's clock, the stand-in server its `Date`, and
//! the logger its stamps.
//!
//! Each situation is a row of a table: five collections, five minutes apart, of which some happen under a wrong clock, and a
//! last run under right ones. In every one of them no row is lost, none expires and none is deleted that should not, what is
//! pending leaves with the next pass, and `status` says `look` as long as a clock is wrong and no longer.

use std::collections::BTreeSet;
use std::process::Output;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;

use crate::support::faketime::FakeTime;
use crate::support::server::{Act, Reply, Server};
use crate::support::{DAT, Logger, Station, TABLE};

const HOUR: i64 = 3_600;
const DAY: i64 = 86_400;
/// From one collection to the next.
const COLLECTED: i64 = 300;
const PASSES: i64 = 5;
/// In a collection.
const ROWS: i64 = 10;
/// Rows before the first collection, ten hours apart.
const HISTORY: i64 = 7;

/// How far each clock is off in a pass, seconds.
#[derive(Debug, Clone, Copy, Default)]
struct Off {
    pc: i64,
    logger: i64,
    /// The `Date` of the server's answers.
    server: i64,
}

/// What the server says in a pass.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
enum Says {
    #[default]
    Success,
    /// 503 with a `Retry-After` of two minutes.
    Busy,
    /// A login page with status 200.
    LoginPage,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum To {
    Files,
    Influx,
}

#[derive(Debug, Clone)]
struct Situation {
    name: String,
    to: To,
    passes: [Off; PASSES as usize],
    says: [Says; PASSES as usize],
    /// Whether the bucket forgets after 30 days.
    forgets: bool,
}

fn situation(name: &str, to: To, off: impl Fn(i64) -> Off) -> Situation {
    let passes = std::array::from_fn(|pass| off(pass as i64));
    Situation { name: format!("{name}, {to:?}"), to, passes, says: Default::default(), forgets: true }
}

/// What `off` gives in the passes between the first and the last.
fn between(off: Off) -> impl Fn(i64) -> Off {
    move |pass| if (1..PASSES - 1).contains(&pass) { off } else { Off::default() }
}

fn situations() -> Vec<Situation> {
    let mut all = Vec::new();
    for to in [To::Files, To::Influx] {
        for (text, seconds) in [("1 h", HOUR), ("1 d", DAY + HOUR), ("400 d", 400 * DAY)] {
            for (direction, sign) in [("ahead", 1), ("behind", -1)] {
                let pc = Off { pc: sign * seconds, ..Off::default() };
                all.push(situation(&format!("this computer is {text} {direction} from the start"), to, move |_| pc));
                let logger = Off { logger: sign * seconds, ..Off::default() };
                // A bucket that forgets rightly takes no rows that are stamped 400 days ago.
                let of_logger = situation(&format!("the logger is {text} {direction}"), to, between(logger));
                all.push(Situation { forgets: false, ..of_logger });
            }
        }
        for (text, seconds) in [("1 d", DAY + HOUR), ("400 d", 400 * DAY), ("750 d", 750 * DAY)] {
            for (direction, sign) in [("forward", 1), ("back", -1)] {
                let pc = Off { pc: sign * seconds, ..Off::default() };
                all.push(situation(
                    &format!("this computer jumps {direction} by {text} and comes right"),
                    to,
                    between(pc),
                ));
            }
        }
    }
    let in_2038 = 12 * 365 * DAY;
    for (text, server) in [("400 d ahead", 400 * DAY), ("400 d behind", -400 * DAY), ("in 2038", in_2038)] {
        let server = Off { server, ..Off::default() };
        all.push(situation(&format!("the server is {text} in answers that succeed"), To::Influx, between(server)));
        for says in [Says::Busy, Says::LoginPage] {
            let mut of = situation(&format!("the server is {text} in answers that say {says:?}"), To::Influx, |pass| {
                if pass == 2 { server } else { Off::default() }
            });
            of.says[2] = says;
            all.push(of);
        }
    }
    let both = Off { pc: 400 * DAY, logger: 400 * DAY, server: 0 };
    let of_both = situation("this computer sets the logger, 400 d ahead", To::Influx, between(both));
    all.push(of_both);
    let pc = Off { pc: 400 * DAY, ..Off::default() };
    let mut asked = situation("this computer jumps forward by 400 d while the server is busy", To::Influx, between(pc));
    asked.says[2] = Says::Busy;
    all.push(asked);
    all
}

struct Place {
    station: Station,
    server: Server,
    /// How far the server's `Date` is from the real one, seconds.
    date: Arc<AtomicI64>,
    beats: Arc<AtomicUsize>,
    /// When the test began: the right time of the last pass.
    now: DateTime<Utc>,
    library: FakeTime,
    written: BTreeSet<i64>,
}

impl Place {
    fn new(of: &Situation, library: FakeTime) -> Place {
        let server = Server::start();
        if of.forgets {
            server.keep_for(Duration::from_secs(30 * 86_400));
        }
        let date = server.date();
        let beats = server.beats();
        let url = server.url();
        let mut station = Station::new().judged_by_age().clock("utc_offset = \"+00:00\"");
        station.set_variable("FLUXTOWER_TEST_TOKEN", "not-a-secret");
        station.configure(|sections| {
            sections.sync = format!("budget_bytes = 100_000\ndeadline = \"1s\"\nheartbeat_url = \"{url}/beat\"\n");
            if of.to == To::Influx {
                sections.destination = format!(
                    "kind = \"influxdb\"\nurl = \"{url}\"\norg = \"o\"\nbucket = \"b\"\ntoken_env = \"FLUXTOWER_TEST_TOKEN\""
                );
            }
        });
        station.replace_in_config("path = \"store.db\"", "path = \"store.db\"\nkeep = \"4d\"");
        Place { station, server, date, beats, now: Utc::now(), library, written: BTreeSet::new() }
    }

    /// The program, with this computer's clock off by so many seconds.
    fn run(&self, off: i64, arguments: &[&str]) -> Output {
        let mut command = self.station.command(arguments);
        self.library.move_clock(&mut command, off);
        command.output().unwrap()
    }

    fn json(&self, off: i64, arguments: &[&str]) -> Value {
        let output = self.run(off, &[arguments, &["--json"]].concat());
        let text = String::from_utf8_lossy(&output.stdout);
        serde_json::from_str(&text)
            .unwrap_or_else(|error| panic!("{error}: {text} {}", String::from_utf8_lossy(&output.stderr)))
    }

    /// LoggerNet overwrites the file with the last five minutes. `ago`: seconds from the right time of this pass to now.
    fn collect(&mut self, pass: i64, ago: i64, off: Off) {
        let start = self.now - TimeDelta::seconds(ago + COLLECTED) + TimeDelta::seconds(off.logger);
        let start = DateTime::from_timestamp(start.timestamp(), 0).unwrap();
        let logger = Logger::par().every(TimeDelta::seconds(30)).start(&start.format("%Y-%m-%d %H:%M:%S").to_string());
        let mut rows = String::new();
        // Three days of history, so that a step back leads to a time that is known.
        let history = if pass == 0 { HISTORY } else { 0 };
        for row in 1 - history..1 {
            let old = start - TimeDelta::hours(10 * (1 - row));
            let old_logger = logger.clone().start(&old.format("%Y-%m-%d %H:%M:%S").to_string());
            rows += &old_logger.row_as(0, HISTORY - 1 + row);
            self.written.insert(old.timestamp() * 1_000_000_000);
        }
        rows.extend((0..ROWS).map(|row| logger.row_as(row, HISTORY + pass * ROWS + row)));
        self.written.extend((0..ROWS).map(|row| (start.timestamp() + 30 * row) * 1_000_000_000));
        self.station.write(DAT, logger.header() + &rows);
        // The file's time is this computer's.
        let shift = off.pc - ago - 5;
        let by = Duration::from_secs(shift.unsigned_abs());
        let written = if shift < 0 { SystemTime::now() - by } else { SystemTime::now() + by };
        let file = std::fs::File::options().write(true).open(self.station.path(DAT)).unwrap();
        file.set_modified(written).unwrap();
    }
}

fn verdict(status: &Value) -> String {
    status["verdict"].as_str().unwrap().to_owned()
}

/// What is wrong in a situation; empty where all is as it should be.
fn faults(of: &Situation, library: FakeTime) -> Vec<String> {
    let mut place = Place::new(of, library);
    let mut faults = Vec::new();
    for pass in 0..PASSES {
        let (off, says) = (of.passes[pass as usize], of.says[pass as usize]);
        let ago = (PASSES - 1 - pass) * COLLECTED;
        place.date.store(off.server - ago, Ordering::Relaxed);
        place.server.script(move |_| match says {
            Says::Success => Act::take(),
            Says::Busy => Act::say(Reply::refusal(503, "busy").with("Retry-After", "120")),
            Says::LoginPage => Act::say(Reply::html(200, "<html>please log in</html>")),
        });
        place.collect(pass, ago, off);
        let beats = place.beats.load(Ordering::Relaxed);
        let ran = place.run(off.pc - ago, &["run", "--json"]);
        let status = place.json(off.pc - ago, &["status"]);
        let pending = status["tables"][0]["pending"].as_i64().unwrap_or(0);
        if says == Says::Success && pending > 0 {
            faults.push(format!(
                "pass {pass}: {pending} rows are pending after it: {}",
                String::from_utf8_lossy(&ran.stdout)
            ));
        }
        // A step beyond everything that is known looks like an old file at first; after an hour the table is stale.
        let is_beyond = off.logger < -100 * DAY;
        let is_wrong = !is_beyond && (off.pc, off.logger, off.server) != (0, 0, 0) && says == Says::Success
            || says == Says::LoginPage;
        let said = verdict(&status);
        if is_wrong && !said.starts_with("look: ") {
            faults.push(format!("pass {pass}: the verdict is \"{said}\""));
        }
        let beaten = place.beats.load(Ordering::Relaxed) > beats;
        if beaten && is_wrong {
            faults.push(format!("pass {pass}: the heartbeat is called while \"{said}\""));
        }
        let code = ran.status.code();
        // A run says what a logger wrote, or did not write, and has done its work.
        let is_history = said.contains(" has had no new row for ") || said.contains("the logger's clock of table ");
        if is_wrong && !is_history && code == Some(0) {
            faults.push(format!("pass {pass}: run ends with 0 while \"{said}\""));
        }
    }
    // Every clock is right, the server answers, and no new file is there: what was held becomes rows by itself.
    place.date.store(0, Ordering::Relaxed);
    place.server.take_all();
    let _ = place.run(0, &["run"]);
    let status = place.json(0, &["status"]);
    let number = |key: &str| status["tables"][0][key].as_i64().unwrap_or(-1);
    let conn = place.station.database();
    let mut known = conn.prepare(&format!("SELECT ts FROM \"t_{TABLE}\"")).unwrap();
    let known: BTreeSet<i64> = known.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    let held = number("held_lines");
    // A row of a logger that is days ahead is held until its time comes.
    let ahead = place.written.iter().filter(|&&ts| ts > (place.now + TimeDelta::days(1)).timestamp() * 1_000_000_000);
    let missing: Vec<_> = place.written.difference(&known).collect();
    if missing.len() as i64 > held || held > ahead.count() as i64 {
        faults.push(format!("{} rows are missing and {held} are held of {}", missing.len(), place.written.len()));
    }
    for (key, wanted) in [("expired", 0), ("rejected_lines", 0), ("pending", 0), ("rejected", 0)] {
        if number(key) != wanted {
            faults.push(format!("{key} is {}", number(key)));
        }
    }
    // The next collection shows no trace of the clocks that are right again. A logger's leaves one for a day, and rows ahead.
    let is_logger = of.passes.iter().any(|off| off.logger != 0);
    place.date.store(COLLECTED, Ordering::Relaxed);
    place.collect(PASSES, -COLLECTED, Off::default());
    let ran = place.run(COLLECTED, &["run", "--json"]);
    let status = place.json(COLLECTED, &["status"]);
    let said = verdict(&status);
    if !is_logger && said.starts_with("look: ") {
        faults.push(format!("at the end the verdict is \"{said}\""));
    }
    if !is_logger && ran.status.code() != Some(0) {
        faults.push(format!(
            "at the end run ends with {:?}: {}",
            ran.status.code(),
            String::from_utf8_lossy(&ran.stdout)
        ));
    }
    if !is_logger && place.beats.load(Ordering::Relaxed) == 0 {
        faults.push("the heartbeat was never called".to_owned());
    }
    if of.to == To::Influx {
        let there = place.server.points().len();
        let rows = status["tables"][0]["rows"].as_u64().unwrap();
        if there as u64 != rows {
            faults.push(format!("{there} points are in the bucket of {rows} rows"));
        }
    }
    faults
}

#[test]
fn i6_i12_no_wrong_clock_loses_a_row_or_hides_itself() {
    let Some(library) = FakeTime::find() else { return };
    let situations = situations();
    assert!(situations.len() >= 24, "only {}", situations.len());
    let next = AtomicUsize::new(0);
    let found = std::sync::Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while let Some(of) = situations.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let faults = faults(of, library.clone());
                    found.lock().unwrap().extend(faults.into_iter().map(|fault| format!("{}: {fault}", of.name)));
                }
            });
        }
    });
    let found = found.into_inner().unwrap();
    assert!(found.is_empty(), "{} faults in {} situations:\n{}", found.len(), situations.len(), found.join("\n"));
}
