//! The database over the years: its log, its room, what goes by itself, and what `check` says of it.

use std::time::{Duration, Instant};

#[cfg(target_os = "linux")]
use crate::support::disk::{Ballast, SmallDisk};
use crate::support::{DAT, InProcess, Logger, Station, TABLE, not_run};
use chrono::{TimeDelta, Utc};
use fluxtower::agent::AgentError;
use fluxtower::ingest;
use fluxtower::status::Exit;
use fluxtower::time::SystemClock;
use rusqlite::Connection;

/// Adds a key to `[store]`.
fn store_key(tower: &Station, key: &str) {
    tower.replace_in_config("[store]\n", &format!("[store]\n{key}\n"));
}

/// Rows five seconds apart that end an hour ago.
fn recent(rows: i64) -> Logger {
    ended_ago(TimeDelta::hours(1), rows)
}

/// So many rows, the newest of which is so old at a station at UTC-5.
fn ended_ago(age: TimeDelta, rows: i64) -> Logger {
    let start = Utc::now() - TimeDelta::hours(5) - age - TimeDelta::seconds(5 * rows);
    Logger::par().start(&start.format("%Y-%m-%d %H:%M:%S").to_string())
}

#[test]
fn sent_rows_older_than_keep_go_with_a_run_and_once_a_day_only() {
    let tower = Station::new().more("[[table]]\nname = \"new\"\nfiles = [\"new.dat\"]");
    store_key(&tower, "keep = \"400d\"");
    tower.write(DAT, Logger::par().file(0..200));
    tower.write("new.dat", recent(50).file(0..50));
    let _ = tower.run(&["ingest"]).expect(0);
    assert_eq!(tower.rows(TABLE).len(), 200, "an ingest deletes nothing");
    let _ = tower.run(&["run"]).expect(0);
    assert_eq!((tower.rows(TABLE).len(), tower.rows("new").len()), (0, 50));
    assert_eq!(tower.count("SELECT sum(rows) FROM logger_table"), 50);

    tower.append(DAT, Logger::par().rows(200..230));
    let _ = tower.run(&["run"]).expect(0);
    assert_eq!(tower.rows(TABLE).len(), 30, "it was done today");
    let a_day_ago = Utc::now().timestamp_nanos_opt().unwrap() - 86_400_000_000_001;
    let conn = Connection::open(tower.store_path()).unwrap();
    conn.execute("UPDATE setting SET value = ?1 WHERE key = 'pruned'", [a_day_ago.to_string()]).unwrap();
    drop(conn);
    let _ = tower.run(&["run"]).expect(0);
    assert_eq!(tower.rows(TABLE).len(), 0);
}

#[test]
fn i6_without_keep_and_before_they_are_sent_no_rows_go() {
    let tower = Station::new();
    tower.write(DAT, Logger::par().file(0..200));
    let _ = tower.run(&["run"]).expect(0);
    assert_eq!(tower.rows(TABLE).len(), 200);

    let waiting = Station::new().destination(
        "kind = \"influxdb\"\nurl = \"http://127.0.0.1:9\"\norg = \"o\"\nbucket = \"b\"\ntoken_file = \"token.txt\"\ntimeout = \"1s\"",
    );
    let waiting = waiting.sync("deadline = \"2s\"");
    store_key(&waiting, "keep = \"400d\"");
    waiting.write("token.txt", "secret");
    waiting.write(DAT, Logger::par().file(0..200));
    let _ = waiting.run(&["run"]).expect(1);
    assert_eq!(waiting.rows(TABLE).len(), 200);
}

#[test]
fn keep_is_a_duration_of_a_day_or_more() {
    let tower = Station::new();
    store_key(&tower, "keep = \"12h\"");
    let _ = tower.run(&["status"]).expect(2).says("is less than a day");
    let tower = Station::new();
    store_key(&tower, "keep = 400");
    let _ = tower.run(&["status"]).expect(2).says("keep = \"400d\"");
}

#[test]
fn the_log_that_grew_beside_a_reader_is_small_again_after_the_next_ingest() {
    let tower = Station::new();
    let names: Vec<String> = (0..40).map(|number| format!("Column_{number}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let logger = Logger::par().columns(&names);
    tower.write(DAT, logger.file(0..10));
    let _ = tower.run(&["ingest"]).expect(0);

    let browser = tower.database();
    browser.execute_batch("BEGIN").unwrap();
    let seen: i64 = browser.query_row("SELECT count(*) FROM reading", [], |row| row.get(0)).unwrap();
    tower.append(DAT, logger.rows(10..220_000));
    let _ = tower.run(&["ingest"]).expect(0);
    let log = || tower.path("store.db-wal").metadata().map_or(0, |found| found.len());
    assert_eq!(seen, 10);
    assert!(log() > 70_000_000, "the reader did not make the log grow: {} bytes", log());

    // The browser stays open, so that nobody who leaves is the last and takes the log along.
    browser.execute_batch("COMMIT").unwrap();
    tower.append(DAT, logger.rows(220_000..220_010));
    let _ = tower.run(&["ingest"]).expect(0);
    assert!(log() <= 64 * 1024 * 1024, "{} bytes", log());
    assert_eq!(tower.count("SELECT count(*) FROM reading"), 220_010);
}

#[test]
fn check_has_a_line_for_database_disk_and_each_file_pattern() {
    let tower = Station::new().table(&format!(
        "name = \"{TABLE}\"\nfiles = [\"{DAT}\", \"old/*.dat\", \"binary.dat\"]\nstale_after = \"1h\""
    ));
    let lines = || {
        let told = tower.run_json(&["check"]);
        let object = told.json();
        let lines = object["checks"].as_array().unwrap().iter().map(|line| {
            format!(
                "{} {}: {}",
                line["verdict"].as_str().unwrap(),
                line["what"].as_str().unwrap(),
                line["words"].as_str().unwrap()
            )
        });
        (told.code, lines.collect::<Vec<_>>())
    };
    tower.write(DAT, recent(100).file(0..100));
    tower.write("binary.dat", "\"TOB1\",\"64291\",\"CR1000X\"\r\n");
    let (code, found) = lines();
    let has = |found: &[String], words: &[&str]| {
        assert!(
            found.iter().any(|line| words.iter().all(|word| line.contains(word))),
            "no line with {words:?}: {found:#?}"
        );
    };
    assert_eq!(code, 1);
    has(&found, &["ok database: ", "store.db", " of log"]);
    has(&found, &["disk: ", " free"]);
    has(&found, &["look table 46m_par: 46m_PAR.dat: TOA5, newest record 20", " ago", "stale_after"]);
    has(&found, &["look table 46m_par: no file matches ", "old"]);
    has(&found, &["bad table 46m_par: binary.dat is TOB1"]);

    let tower = Station::new();
    tower.write(DAT, recent(100).file(0..100) + "\"2024-05-01 00:00");
    let told = tower.run(&["check"]).expect(0).stdout;
    assert!(told.contains("46m_PAR.dat: TOA5, newest record"), "an unfinished line is no record: {told}");
    assert!((60..64).any(|minutes| told.contains(&format!("{minutes} min ago"))), "{told}");
}

#[test]
fn check_names_the_files_that_two_tables_read() {
    let tower = Station::new().table(&format!(
        "name = \"{TABLE}\"\nfiles = [\"{DAT}\"]\n[[table]]\nname = \"again\"\nfiles = [\"*.dat\", \"46m*\"]"
    ));
    tower.write(DAT, recent(100).file(0..100));
    let said = tower.run(&["check"]).expect(0).stdout;
    let lines: Vec<&str> = said.lines().filter(|line| line.contains("is a file of table 46m_par too")).collect();
    assert_eq!(lines.len(), 1, "{said}");
    assert!(lines[0].contains("table again") && lines[0].contains(DAT) && !lines[0].contains("more"), "{said}");

    // Arrays share their file by design.
    let array = |name: &str, number: u32| {
        format!(
            "name = \"{name}\"\nfiles = [\"met.csv\"]\nformat = \"csv\"\ntime_column = \"time\"\n\
             names = [\"array\", \"time\", \"a\"]\n[table.csv]\narray = {number}\n"
        )
    };
    let tower = Station::new().table(&format!("{}[[table]]\n{}", array("one", 101), array("two", 102)));
    tower.write("met.csv", "101,2026-06-01 00:00:00,1\n102,2026-06-01 00:00:00,2\n");
    let said = tower.run(&["check"]).stdout;
    assert!(said.contains("table two") && !said.contains("too: a row"), "{said}");
}

#[test]
fn check_tells_a_loggers_clock_that_runs_ahead_and_an_agent_that_nobody_starts() {
    let tower = Station::new();
    tower.write(DAT, recent(100).file(0..100));
    tower.age(DAT, Duration::from_secs(3 * 3600));
    let told = tower.run(&["check"]).expect(1).stdout;
    assert!(told.contains("ahead of the time at which this computer says that the file was written"), "{told}");
    assert!(told.contains("schedule --install"), "{told}");

    let tower = Station::new();
    tower.write(DAT, ended_ago(TimeDelta::minutes(10), 100).file(0..100));
    let _ = tower.run(&["run"]).expect(0);
    let told = tower.run(&["check"]).expect(0).stdout;
    assert!((0..120).any(|seconds| told.contains(&format!("the last run ended {seconds} s ago"))), "{told}");
    let conn = rusqlite::Connection::open(tower.store_path()).unwrap();
    conn.execute("UPDATE run SET ended = ended - 86400000000000", []).unwrap();
    // What a clock that was years ahead wrote is no evidence that anything runs now.
    conn.execute(
        "INSERT INTO run (command, started, ended, exit, summary) SELECT command, started, ended + 100000000000000000, exit, '' FROM run",
        [],
    )
    .unwrap();
    let told = tower.run(&["check"]).expect(1).stdout;
    assert!((0..4).any(|minutes| told.contains(&format!("the last run ended 24 h {minutes} min ago"))), "{told}");
}

/// A station that has sent fifty rows, and whose file now has fifty more.
fn with_fifty_more() -> Station {
    let tower = Station::new();
    let logger = recent(100);
    tower.write(DAT, logger.file(0..50));
    let _ = tower.run(&["run"]).expect(0);
    tower.write(DAT, logger.file(0..100));
    tower
}

#[test]
fn the_newest_run_of_a_command_and_the_runs_that_are_too_old_are_found_by_an_index() {
    let tower = Station::new();
    tower.write(DAT, Logger::par().file(0..3));
    let _ = tower.run(&["run"]);
    let conn = tower.database();
    for sql in [
        "SELECT id FROM run WHERE command = 'sync' AND ended <= 5 ORDER BY ended DESC LIMIT 1",
        "SELECT started FROM run WHERE command = 'sync' ORDER BY ended DESC LIMIT 9",
        "SELECT id FROM run WHERE ended < 5 ORDER BY ended LIMIT 50",
        "SELECT max(ended) FROM run WHERE ended > 5",
    ] {
        let mut statement = conn.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        let plan: Vec<String> = statement.query_map([], |row| row.get(3)).unwrap().map(Result::unwrap).collect();
        assert!(
            plan.len() == 1 && plan[0].starts_with("SEARCH run USING") && plan[0].contains("INDEX run_"),
            "{sql}: {plan:?}"
        );
    }
}

/// Another program, such as an SQLite browser, that keeps the database to itself until this is dropped.
fn locked(tower: &Station) -> Connection {
    let conn = Connection::open(tower.store_path()).unwrap();
    conn.execute_batch("BEGIN IMMEDIATE").unwrap();
    conn
}

#[test]
fn i4_a_database_that_another_program_locks_for_seconds_is_waited_for() {
    let tower = with_fifty_more();
    let lock = locked(&tower);
    let pass = tower.path("store.db.ingest.lock");
    std::fs::remove_file(&pass).unwrap();
    let mut run = tower.command(&["run"]).stdout(std::process::Stdio::null()).spawn().unwrap();
    let begun = Instant::now();
    while !pass.exists() {
        assert!(begun.elapsed() < Duration::from_secs(60), "no pass has begun");
        std::thread::sleep(Duration::from_millis(5));
    }
    // Fifty rows take milliseconds; one that does not wait is over long before this.
    let waits_until = Instant::now() + Duration::from_millis(500);
    while Instant::now() < waits_until {
        assert_eq!(run.try_wait().unwrap(), None, "the run does not wait");
        std::thread::sleep(Duration::from_millis(20));
    }
    drop(lock);
    assert_eq!(run.wait().unwrap().code(), Some(0));
    assert_eq!(tower.count("SELECT sum(sent) FROM logger_table"), 100);
}

#[test]
fn i4_a_database_that_another_program_keeps_locked_is_named_and_the_next_run_loses_nothing() {
    let tower = with_fifty_more();
    let lock = locked(&tower);
    // With less patience than the program has, whose half minute nobody wants to wait for here.
    let InProcess { config, store } = tower.in_process();
    let store = store.patient_for(Duration::from_secs(1)).unwrap();
    let error = AgentError::from(
        ingest::run(&config, &store, &SystemClock, &ingest::Selection::default(), &ingest::Unseen).unwrap_err(),
    );
    assert!(error.is_locked() && error.exit() == Exit::Failed && !error.is_permanent(), "{error:?}");
    let text = error.to_string();
    assert!(text.contains("store.db") && text.contains("has been locked by another program for 1s"), "{text}");
    drop((lock, store));
    let _ = tower.run(&["run"]).expect(0);
    assert_eq!(tower.count("SELECT sum(sent) FROM logger_table"), 100);
}

#[test]
fn i9_agents_that_start_at_once_on_a_new_store_do_the_work_once() {
    // A new database is made at each start, which is when programs get into each other's way.
    for _ in 0..6 {
        let tower = Station::new();
        tower.write(DAT, recent(1_000).file(0..1_000));
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    let _ = tower.run(&["run"]).expect(0);
                });
            }
        });
        let _ = tower.run(&["run"]).expect(0);
        assert_eq!(tower.count("SELECT rows FROM logger_table"), 1_000);
        assert_eq!(tower.count("SELECT sent FROM logger_table"), 1_000);
        assert_eq!(tower.count("SELECT count(*) FROM conflict"), 0);
    }
}

#[cfg(unix)]
#[test]
fn check_says_which_file_cannot_be_read() {
    use std::os::unix::fs::PermissionsExt;
    let tower = Station::new();
    tower.write(DAT, Logger::par().file(0..10));
    std::fs::set_permissions(tower.path(DAT), std::fs::Permissions::from_mode(0o000)).unwrap();
    if std::fs::File::open(tower.path(DAT)).is_ok() {
        not_run("this user may read everything (root), so no file can be made unreadable");
        return;
    }
    let told = tower.run(&["check"]).expect(1).stdout;
    assert!(told.contains("bad   table 46m_par") && told.contains("cannot be read"), "{told}");
}

/// A station whose database lies on a small disk.
#[cfg(target_os = "linux")]
fn on_a_disk_of(kilobytes: u32) -> Option<(Station, SmallDisk)> {
    let tower = Station::new();
    let disk = SmallDisk::mount(&tower.path("disk"), kilobytes)?;
    tower.replace_in_config("path = \"store.db\"", "path = \"disk/store.db\"");
    Some((tower, disk))
}

#[cfg(target_os = "linux")]
#[test]
fn a_disk_that_is_nearly_full_is_a_finding_until_there_is_room() {
    let Some((tower, disk)) = on_a_disk_of(400_000) else { return };
    tower.write(DAT, Logger::par().file(0..10));
    let _ = tower.run(&["ingest"]);
    let found = || {
        let status = tower.run_json(&["status"]).json();
        let findings = status["findings"].as_array().unwrap().clone();
        findings.into_iter().find(|finding| finding["kind"] == "disk_nearly_full")
    };
    assert_eq!(found(), None, "little is in use");
    std::fs::write(tower.path("disk/another program's file"), vec![0; 380_000_000]).unwrap();
    let finding = found().expect("less than a tenth is free");
    assert_eq!(finding["severity"], "warning");
    let message = finding["message"].as_str().unwrap();
    assert!(
        message.starts_with("the disk of the database is nearly full: ") && message.ends_with(" MB free"),
        "{message}"
    );
    disk.grow(700_000);
    assert_eq!(found(), None);
}

#[cfg(target_os = "linux")]
#[test]
fn i4_a_full_disk_is_named_loses_nothing_and_the_work_goes_on_when_there_is_room() {
    let Some((tower, disk)) = on_a_disk_of(6_100) else { return };
    let count = |sql: &str| -> i64 {
        Connection::open(tower.path("disk/store.db")).unwrap().query_row(sql, [], |row| row.get(0)).unwrap()
    };
    let logger = Logger::par();
    tower.write(DAT, logger.file(0..10_000));
    let _ = tower.run(&["ingest"]).expect(0);
    tower.append(DAT, logger.rows(10_000..200_000));
    for _ in 0..3 {
        let _ = tower.run(&["run"]).expect(4).says("is full; make room");
    }
    let _ = tower.run(&["status"]).expect(1);
    let before = count("SELECT count(*) FROM reading");
    assert!((10_000..200_000).contains(&before), "{before}");
    assert_eq!(count("SELECT rows FROM logger_table"), before, "counts and rows are of one commit");

    disk.grow(2_000_000);
    let _ = tower.run(&["run"]).expect(0);
    assert_eq!(count("SELECT count(*) FROM reading WHERE state = 1"), 200_000);
    let words: String = Connection::open(tower.path("disk/store.db"))
        .unwrap()
        .query_row("PRAGMA integrity_check", [], |row| row.get(0))
        .unwrap();
    assert_eq!(words, "ok");
}

#[cfg(target_os = "linux")]
#[test]
fn i5_a_disk_that_is_full_in_a_sync_a_prune_or_a_migration_loses_nothing() {
    let Some((tower, disk)) = on_a_disk_of(12_000) else { return };
    let database = tower.path("disk/store.db");
    let count =
        |sql: &str| -> i64 { Connection::open(&database).unwrap().query_row(sql, [], |row| row.get(0)).unwrap() };
    let states_and_counts_agree = || {
        for (state, word) in [(0, "pending"), (1, "sent")] {
            let rows = count(&format!("SELECT count(*) FROM reading WHERE state = {state}"));
            assert_eq!(rows, count(&format!("SELECT {word} FROM logger_table")), "{word}");
        }
    };
    tower.write(DAT, Logger::par().file(0..20_000));
    let _ = tower.run(&["ingest"]).expect(0);

    let ballast = Ballast::load(&tower.path("disk"));
    let _ = tower.run(&["sync"]).expect(4).says("is full; make room");
    drop(ballast);
    states_and_counts_agree();
    let _ = tower.run(&["sync"]).expect(0);
    assert_eq!(count("SELECT count(*) FROM reading WHERE state = 1"), 20_000);

    let ballast = Ballast::load(&tower.path("disk"));
    let _ = tower.run(&["prune", "--older-than", "0"]).expect(4).says("is full; make room");
    drop(ballast);
    states_and_counts_agree();

    // As the first version left it.
    Connection::open(&database)
        .unwrap()
        .execute_batch(&format!("DROP VIEW t_46m_par; {}", crate::support::made_older(1)))
        .unwrap();
    let ballast = Ballast::load(&tower.path("disk"));
    let _ = tower.run(&["status"]).expect(4).says("is full; make room");
    drop(ballast);
    assert_eq!(count("PRAGMA user_version"), 1, "a migration is done or not done");
    // Room for the database and half of it once more, and not for a copy and a migration.
    let used: u64 = ["store.db", "store.db-wal"]
        .iter()
        .filter_map(|name| Some(tower.path("disk").join(name).metadata().ok()?.len() / 1024))
        .sum();
    disk.grow(u32::try_from(used + used / 2).unwrap() + 200);
    let _ = tower.run(&["run"]).expect(4).says("is copied before it is brought to version").says("make room");
    assert!(!tower.path("disk/store.db.v1.bak").exists());
    assert_eq!(count("PRAGMA user_version"), 1);
    disk.grow(2_000_000);
    let _ = tower.run(&["run"]).expect(0);
    assert_eq!(count("PRAGMA user_version"), crate::support::NEWEST_VERSION);
    states_and_counts_agree();
    let _ = tower.run(&["prune", "--older-than", "0"]).expect(0);
    assert_eq!(count("SELECT count(*) FROM reading"), 0);
}

#[cfg(unix)]
#[test]
fn a_folder_that_may_not_be_written_is_named() {
    use std::os::unix::fs::PermissionsExt as _;
    let tower = Station::new();
    tower.write(DAT, recent(100).file(0..50));
    let folder = tower.path("shut");
    std::fs::create_dir(&folder).unwrap();
    tower.replace_in_config("path = \"store.db\"", "path = \"shut/store.db\"");
    std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o555)).unwrap();
    let ended = tower.run(&["run"]);
    std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o755)).unwrap();
    if ended.code == 0 {
        not_run("root may write everywhere; run this test as another user to see a folder that is shut");
        return;
    }
    let ended = ended.expect(4);
    assert!(ended.stderr.contains("shut"), "{}", ended.stderr);
    let _ = tower.run(&["run"]).expect(0);
}

#[cfg(target_os = "linux")]
#[test]
fn a_backup_that_finds_no_room_leaves_nothing_behind() {
    let tower = Station::new();
    let Some(_disk) = SmallDisk::mount(&tower.path("stick"), 1_000) else { return };
    tower.write(DAT, Logger::par().file(0..60_000));
    let _ = tower.run(&["ingest"]).expect(0);
    let path = tower.path("stick/copy.db");
    let _ = tower.run(&["backup", path.to_str().unwrap()]).expect(4).says("stick");
    assert_eq!(std::fs::read_dir(tower.path("stick")).unwrap().count(), 0);
    let output = tower.path("stick/rows.csv");
    let export = ["export", "--table", TABLE, "--output", output.to_str().unwrap()];
    let _ = tower.run(&export).expect(4).says("stick");
    assert_eq!(std::fs::read_dir(tower.path("stick")).unwrap().count(), 0);
}
