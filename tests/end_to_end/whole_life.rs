//! A whole life of an installation, by a clock that the test moves: an archive is unpacked, `init` writes the configuration,
//! cron's line runs the program every six hours of a month, and in the end the program is taken away.
//!
//! In that month the server is away twice, the power goes now and then, a disk is full for a day, and a release takes the
//! place of one whose database is older. Every row that the loggers wrote is accounted for: it is in the database and, with
//! the same values, in the bucket. And `status` says what is to be said after each run, and nothing else.
//!
//! One table is overwritten by each collection and so holds six hours; the other one is added to.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant, SystemTime};

use chrono::{DateTime, TimeDelta, Utc};
use rusqlite::Connection;
use tempfile::TempDir;

use crate::support::dice::Dice;
use crate::support::disk::{Ballast, SmallDisk};
use crate::support::faketime::FakeTime;
use crate::support::server::{Act, Reply, Server, Taken};
use crate::support::{Ended, Logger, NEWEST_VERSION, made_older};

/// Collections of a month, six hours apart. The ranges below count them.
const COLLECTIONS: i64 = 30 * 4;
const HOURS: i64 = 6;
/// The server answers that it is busy, for more than two days.
const BUSY: std::ops::Range<i64> = 20..30;
/// The link is down.
const NO_LINK: std::ops::Range<i64> = 58..61;
/// The next release is installed before this collection, while rows are pending.
const UPGRADE: i64 = 60;
/// The version of the database that the release before it made.
const OLDER: i64 = 8;
/// The disk of the database is full: of the table that is overwritten, these rows are in no file any more.
const FULL: std::ops::Range<i64> = 80..84;
/// They are read from the logger's memory into a file of their own before this collection.
const REPAIR: i64 = 88;
/// Of the runs while the server takes rows, and of those while it does not.
const LONG_ENOUGH: &str = "deadline = \"2m\"";
const SHORT: &str = "deadline = \"1s\"";
const FULL_DISK: &str = "is full; make room";
/// What the tables are called, by the names of their files.
const MET: &str = "UMB_met";
const SOIL: &str = "UMB_soil";
/// Rows of a collection.
const MET_ROWS: i64 = 6 * HOURS;
const SOIL_ROWS: i64 = 2 * HOURS;
/// Local time of the first row; the station is five hours west of UTC.
const START: &str = "2026-05-01 00:00:00";

/// Measurement and time, and the values that were written there.
type Rows = BTreeMap<Taken, Vec<f64>>;

struct Life {
    /// What fills the disk.
    ballast: Option<Ballast>,
    // Unmounted before its folder goes.
    disk: Option<SmallDisk>,
    temp: TempDir,
    clock: FakeTime,
    now: DateTime<Utc>,
    /// By how many seconds the station's clock is ahead of the test's.
    ahead: i64,
    server: Server,
    date: Arc<AtomicI64>,
    written: Rows,
}

fn loggers() -> [(&'static str, Logger, i64); 2] {
    let table = |name: &str, column: &str, minutes| {
        let columns = [[column, "mV", "Avg"], ["Signal", "mV", "Avg"]];
        Logger::par().table(name).stating(&columns).every(TimeDelta::minutes(minutes)).start(START)
    };
    [
        (MET, table("met", "Bridge", 60 * HOURS / MET_ROWS), MET_ROWS),
        (SOIL, table("soil", "Probe", 60 * HOURS / SOIL_ROWS), SOIL_ROWS),
    ]
}

/// The station's local time, as UTC.
fn utc(local: chrono::NaiveDateTime) -> DateTime<Utc> {
    local.and_utc() + TimeDelta::hours(5)
}

impl Life {
    /// The folder in which an archive was unpacked.
    fn program(&self) -> PathBuf {
        self.temp.path().join("fluxtower")
    }

    /// Configuration and database.
    fn data(&self, name: &str) -> PathBuf {
        self.temp.path().join("data").join(name)
    }

    fn loggernet(&self, table: &str) -> PathBuf {
        self.temp.path().join("LoggerNet").join(format!("{table}.dat"))
    }

    /// Unpacks an archive, as `scripts/release` lays one out, over what is there.
    fn install(folder: &Path) {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/release");
        let mut layout = Command::new(script);
        layout.arg("layout").arg(folder.join("fluxtower")).arg(env!("CARGO_BIN_EXE_fluxtower"));
        assert!(layout.stdin(Stdio::null()).stdout(Stdio::null()).status().unwrap().success());
    }

    fn new(clock: FakeTime) -> Life {
        let temp = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        Life::install(temp.path());
        for folder in ["data", "LoggerNet", "tools"] {
            fs::create_dir(temp.path().join(folder)).unwrap();
        }
        // A stand-in for cron's own tool keeps the table in a file. Written by another process, because what this one has
        // open for writing while a test beside starts a program cannot be started itself.
        let crontab = r#"cat > "$0" <<'END'
#!/bin/sh
table="${0%/*}/table"
case $1 in
-l) cat "$table" 2>/dev/null || { echo "no crontab for you" >&2; exit 1; } ;;
-) cat > "$table" ;;
esac
END
chmod 755 "$0""#;
        let made = Command::new("sh").args(["-c", crontab]).arg(temp.path().join("tools/crontab")).status().unwrap();
        assert!(made.success());
        let server = Server::start();
        let date = server.date();
        let disk = SmallDisk::mount(&temp.path().join("data"), 32_000);
        let now = utc(loggers()[0].1.stamp(0));
        Life { ballast: None, disk, temp, clock, now, ahead: 0, server, date, written: Rows::new() }
    }

    /// Moves all clocks, and LoggerNet collects what the loggers wrote since the last time.
    fn collect(&mut self, collection: i64) {
        self.now = utc(loggers()[0].1.stamp((collection + 1) * MET_ROWS)) + TimeDelta::minutes(2);
        self.ahead = (self.now - Utc::now()).num_seconds();
        self.date.store(self.ahead, Ordering::Relaxed);
        for (table, logger, rows) in loggers() {
            let path = self.loggernet(table);
            let new = collection * rows..(collection + 1) * rows;
            let text = match fs::read_to_string(&path) {
                Ok(known) if table == SOIL => known + &logger.rows(new.clone()),
                _ => logger.file(new.clone()),
            };
            fs::write(&path, text).unwrap();
            let collected = SystemTime::from(self.now - TimeDelta::minutes(2));
            fs::File::options().write(true).open(&path).unwrap().set_modified(collected).unwrap();
            for row in new {
                let at = utc(logger.stamp(row)).timestamp_nanos_opt().unwrap();
                self.written.insert((table.to_owned(), at), logger.values(row));
            }
        }
    }

    fn with_clock(&self, mut command: Command) -> Command {
        let path = format!("{}:/usr/bin:/bin", self.temp.path().join("tools").display());
        command.env("PATH", path).stdin(Stdio::null());
        self.clock.move_clock(&mut command, self.ahead);
        command
    }

    /// A command that a user types.
    fn fluxtower(&self, arguments: &[&str]) -> Ended {
        let mut command = Command::new(self.program().join("fluxtower"));
        command.arg("--config").arg(self.data("config.toml")).args(arguments);
        Ended::of(&self.with_clock(command).output().unwrap())
    }

    /// What cron's table holds now.
    fn cron(&self) -> String {
        fs::read_to_string(self.temp.path().join("tools/table")).unwrap()
    }

    /// The start that cron makes.
    fn scheduled(&self) -> Command {
        let table = self.cron();
        let line = table.lines().find(|line| !line.starts_with('#')).unwrap();
        let command = line.splitn(6, ' ').nth(5).unwrap();
        let mut shell = Command::new("sh");
        shell.args(["-c", command]).stdout(Stdio::null()).stderr(Stdio::piped()).process_group(0);
        self.with_clock(shell)
    }

    /// A run that the power is taken from after that time. Whether it was up then.
    fn power_cut(&self, after: Duration) -> bool {
        let mut shell = self.scheduled().stderr(Stdio::null()).spawn().unwrap();
        let begun = Instant::now();
        while begun.elapsed() < after {
            if shell.try_wait().unwrap().is_some() {
                return false;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        // The shell and the program.
        let group = format!("-{}", shell.id());
        let _ = Command::new("kill").args(["-9", "--", &group]).status().unwrap();
        shell.wait().unwrap();
        true
    }

    /// What `status` finds.
    fn findings(&self) -> Vec<String> {
        let status = self.fluxtower(&["status", "--json"]);
        if status.code == 4 {
            let _ = status.says(FULL_DISK);
            return vec![FULL_DISK.to_owned()];
        }
        let status = status.works().json();
        let kind = |finding: &serde_json::Value| finding["kind"].as_str().unwrap().to_owned();
        status["findings"].as_array().unwrap().iter().map(kind).collect()
    }

    fn database(&self) -> Connection {
        Connection::open(self.data("fluxtower.db")).unwrap()
    }

    /// The rows of the database, with the values that were written.
    fn stored(&self, state: &str) -> Rows {
        let database = self.database();
        let mut stored = Rows::new();
        for (table, first) in [(MET, "Bridge"), (SOIL, "Probe")] {
            let sql = format!("SELECT ts, \"{first}\", \"Signal\" FROM \"t_{table}\" WHERE state = ?1");
            let mut rows = database.prepare(&sql).unwrap();
            let rows = rows.query_map([state], |row| Ok((row.get(0)?, vec![row.get(1)?, row.get(2)?]))).unwrap();
            for row in rows {
                let (at, values) = row.unwrap();
                assert_eq!(stored.insert((table.to_owned(), at), values), None, "{table} {at} is there twice");
            }
        }
        stored
    }

    /// The rows of the bucket.
    fn in_the_bucket(&self) -> Rows {
        let points = self.server.points();
        assert_eq!(points.changed, 0);
        let row = |((series, at), fields): (&(String, i64), &BTreeMap<String, String>)| {
            let table = series.split(',').next().unwrap().to_owned();
            let first = if table == MET { "Bridge" } else { "Probe" };
            let value = |field: &str| fields[field].parse().unwrap();
            ((table, *at), vec![value(first), value("Signal")])
        };
        points.map.iter().map(row).collect()
    }

    /// Writes the server into the configuration that `init` drafted, as a user does.
    fn name_the_server(&self) {
        let path = self.data("config.toml");
        let draft = fs::read_to_string(&path).unwrap();
        let files = "kind = \"files\"\npath = 'outbox'\n";
        assert!(draft.contains(files), "{draft}");
        let url = self.server.url();
        let influxdb = format!(
            "kind = \"influxdb\"\nurl = \"{url}\"\norg = \"umbs\"\nbucket = \"tower\"\ntoken_file = \"token\"\n"
        );
        let draft = draft.replace(files, &influxdb).replace("[sync]\n", &format!("[sync]\n{LONG_ENOUGH}\n"));
        fs::write(path, draft).unwrap();
        fs::write(self.data("token"), "not-a-secret\n").unwrap();
    }

    /// How long a run tries to send: on a busy computer a second is not enough, and in an outage all of it is spent.
    fn set_deadline(&self, from: &str, to: &str) {
        let path = self.data("config.toml");
        let config = fs::read_to_string(&path).unwrap();
        assert!(config.contains(from), "{config}");
        fs::write(path, config.replace(from, to)).unwrap();
    }

    /// Where this user may mount one.
    fn fill_the_disk(&mut self) {
        self.ballast = self.disk.as_ref().map(|_| Ballast::load(&self.data("")));
    }

    /// What `gaps` misses is exported from the logger and read.
    fn repair(&self) {
        let lost = FULL.start * MET_ROWS..FULL.end * MET_ROWS;
        let gaps = self.fluxtower(&["gaps", "--json"]).expect(1).json();
        let [gap] = gaps["gaps"].as_array().unwrap().as_slice() else { panic!("{gaps}") };
        let numbers = ["before_record", "after_record"].map(|key| gap[key].as_i64().unwrap());
        assert_eq!((gap["table"].as_str(), numbers), (Some(MET), [lost.start - 1, lost.end]));
        let export = self.temp.path().join("LoggerNet/export.dat");
        fs::write(&export, loggers()[0].1.file(lost)).unwrap();
        let _ = self.fluxtower(&["ingest", "--table", MET, export.to_str().unwrap()]).expect(0);
    }

    /// The release before this one left its database.
    fn made_by_the_release_before(&self) {
        let sql = format!("DROP VIEW \"t_{MET}\"; DROP VIEW \"t_{SOIL}\"; {}", made_older(OLDER));
        self.database().execute_batch(&sql).unwrap();
    }
}

/// From which collection on: exit code of the runs and findings.
type Told = Vec<(i64, i32, Vec<String>)>;

fn expected(has_full_disk: bool) -> Told {
    let all: [(i64, i32, &[&str]); 9] = [
        (0, 0, &[]),
        (BUSY.start, 0, &["pending"]),
        // A day later.
        (BUSY.start + 24 / HOURS, 1, &["not_acknowledged"]),
        (BUSY.end, 0, &[]),
        (NO_LINK.start, 0, &["pending"]),
        (NO_LINK.end, 0, &[]),
        (FULL.start, 4, &[FULL_DISK]),
        (FULL.end, 0, &["missing_records"]),
        (REPAIR, 0, &[]),
    ];
    let told = all.into_iter().filter(|(from, ..)| has_full_disk || *from < FULL.start);
    told.map(|(from, code, findings)| (from, code, findings.iter().map(|&one| one.to_owned()).collect())).collect()
}

#[test]
fn i6_a_whole_life_from_the_archive_to_its_removal_accounts_for_every_row_and_says_what_it_should() {
    let Some(clock) = FakeTime::find() else { return };
    let begun = Instant::now();
    let mut life = Life::new(clock);
    life.collect(0);
    let (config, loggernet) = (life.data("config.toml"), life.temp.path().join("LoggerNet"));
    let init = ["--station", "US-UMB", "--utc-offset=-05:00", "--output", config.to_str().unwrap()];
    let _ = life.fluxtower(&[&["init", loggernet.to_str().unwrap()][..], &init].concat()).expect(0);
    life.name_the_server();
    let _ = life.fluxtower(&["schedule", "--cron", "--every", "6h", "--install"]).expect(0);

    let mut dice = Dice(21);
    let (mut cuts, mut told) = (0, Told::new());
    for collection in 0..COLLECTIONS {
        life.collect(collection);
        if collection == BUSY.start {
            life.set_deadline(LONG_ENOUGH, SHORT);
            life.server.script(|_| Act::say(Reply::refusal(503, "busy").with("Retry-After", "21600")));
        } else if collection == NO_LINK.start {
            life.set_deadline(LONG_ENOUGH, SHORT);
            life.server.script(|_| Act::reset());
        } else if collection == BUSY.end || collection == NO_LINK.end {
            life.server.take_all();
            life.set_deadline(SHORT, LONG_ENOUGH);
        }
        if collection == UPGRADE {
            life.made_by_the_release_before();
            Life::install(life.temp.path());
        }
        if collection == FULL.start {
            life.fill_the_disk();
        } else if collection == FULL.end {
            life.ballast = None;
        } else if collection == REPAIR && life.disk.is_some() {
            life.repair();
        }
        // The computer starts again, and cron with it.
        if collection != UPGRADE && dice.below(5) == 0 && life.power_cut(Duration::from_millis(dice.below(60))) {
            cuts += 1;
        }
        let ran = Ended::of(&life.scheduled().output().unwrap());
        let findings = life.findings();
        if collection == UPGRADE {
            assert_eq!(ran.code, 0, "{findings:?} {}", ran.stderr);
            let both = format!("was of version {OLDER} and is of version {NEWEST_VERSION} now");
            let log = fs::read_to_string(life.data("fluxtower.log")).unwrap();
            assert!(log.contains(&both), "{log}");
            assert!(life.data(&format!("fluxtower.db.v{OLDER}.bak")).exists());
        }
        if told.last().is_none_or(|(_, code, last)| (*code, last) != (ran.code, &findings)) {
            told.push((collection, ran.code, findings));
        }
    }
    assert_eq!(told, expected(life.disk.is_some()));
    assert!(cuts > 10, "only {cuts} runs were cut off: the test tests nothing");

    // The program is taken away; configuration and database stay.
    let _ = life.fluxtower(&["schedule", "--cron", "--remove"]).expect(0);
    assert_eq!(life.cron(), "");
    fs::remove_dir_all(life.program()).unwrap();
    assert!(life.data("config.toml").exists());
    let whole: String = life.database().query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(whole, "ok");
    let (stored, taken) = (life.stored("sent"), life.in_the_bucket());
    let rows = COLLECTIONS * (MET_ROWS + SOIL_ROWS);
    println!(
        "{COLLECTIONS} collections, {cuts} power cuts, {:.0} s: {rows} rows written, {} in the database, {} in the bucket",
        begun.elapsed().as_secs_f64(),
        stored.len(),
        taken.len()
    );
    assert_eq!([life.written.len(), stored.len(), taken.len()], [usize::try_from(rows).unwrap(); 3]);
    let all: i64 = life.database().query_row("SELECT count(*) FROM reading", [], |row| row.get(0)).unwrap();
    assert_eq!(all, rows, "rows that are not sent");
    assert!(stored == life.written && taken == life.written, "a value is another one than the logger wrote");
}
