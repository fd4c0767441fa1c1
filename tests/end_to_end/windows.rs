//! What a tower PC asks of the program: names, paths, files that others hold, logs, locks.
//!
//! Runs on every system; `scripts/windows test` runs it as a Windows program. What only Windows has stands at the end.

use std::fs;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::{DAT, Logger, Station, TABLE};
use fluxtower::store::{Lock, LockKind};

/// A path as a configuration writes it: in single quotes, so that backslashes are plain.
fn quoted(path: &std::path::Path) -> String {
    format!("'{}'", path.display())
}

fn staged(tower: &Station) -> i64 {
    tower.count("SELECT coalesce(sum(rows), 0) FROM logger_table")
}

#[test]
fn folders_with_blanks_and_letters_beyond_ascii_are_read() {
    let tower = Station::new();
    let folder = tower.path("Meßdaten 46 m").join("größe");
    fs::create_dir_all(&folder).unwrap();
    let tower = tower.table(&format!(
        "name = \"{TABLE}\"\nmeasurement = \"Wärme\"\nfiles = [{}]",
        quoted(&folder.join("PAR *.dat"))
    ));
    fs::write(folder.join("PAR é 1.dat"), Logger::par().file(0..20)).unwrap();
    let done = tower.run_json(&["run"]).expect(0).json();
    let file = done["ingest"]["tables"][0]["sources"][0]["file"].as_str().unwrap();
    assert!(file.contains("Meßdaten 46 m") && file.ends_with("PAR é 1.dat"), "{file}");
    assert_eq!(done["sync"]["sent"], 20);
    let sent = tower.run(&["check"]).stdout;
    assert!(sent.contains(TABLE), "{sent}");
}

#[test]
fn an_absolute_pattern_reads_what_a_relative_one_reads() {
    let tower = Station::new();
    let absolute = quoted(&tower.path("46m_*.dat"));
    let tower = tower.table(&format!("name = \"{TABLE}\"\nfiles = [{absolute}]"));
    tower.write(DAT, Logger::par().file(0..20));
    let _ = tower.run(&["ingest"]).expect(0);
    assert_eq!(staged(&tower), 20);
}

#[test]
fn a_path_of_more_than_260_letters_is_read() {
    let tower = Station::new();
    let mut folder = tower.path("long");
    while folder.display().to_string().len() < 300 {
        folder = folder.join("a folder with a rather long name");
    }
    fs::create_dir_all(&folder).unwrap();
    let tower = tower.table(&format!("name = \"{TABLE}\"\nfiles = [{}]", quoted(&folder.join("*.dat"))));
    fs::write(folder.join(DAT), Logger::par().file(0..20)).unwrap();
    let _ = tower.run(&["ingest"]).expect(0);
    assert_eq!(staged(&tower), 20);
}

#[test]
fn both_line_ends_and_a_file_renamed_over_are_read() {
    let tower = Station::new();
    tower.write(DAT, Logger::par().file(0..20));
    let _ = tower.run(&["ingest"]).expect(0);
    tower.rename_over(DAT, Logger::par().file(15..40).replace("\r\n", "\n"));
    let _ = tower.run(&["ingest"]).expect(0);
    assert_eq!(staged(&tower), 40);
}

#[test]
fn a_file_that_is_open_for_writing_is_read_and_its_rest_later() {
    use std::io::Write as _;
    let tower = Station::new();
    let mut file = fs::File::create(tower.path(DAT)).unwrap();
    let text = Logger::par().file(0..40);
    let half = text.len() / 2;
    file.write_all(&text.as_bytes()[..half]).unwrap();
    file.flush().unwrap();
    let _ = tower.run(&["ingest"]).expect(0);
    let before = staged(&tower);
    assert!(before > 10 && before < 40, "{before}");
    file.write_all(&text.as_bytes()[half..]).unwrap();
    drop(file);
    tower.age(DAT, Duration::from_secs(5));
    let _ = tower.run(&["ingest"]).expect(0);
    assert_eq!(staged(&tower), 40);
}

#[test]
fn a_full_log_is_set_aside_and_the_number_of_old_ones_is_kept() {
    let tower = Station::new().more("[log]\nfile = \"logs/agent.log\"\nmax_bytes = 10_000\nkeep = 2");
    fs::create_dir_all(tower.path("logs")).unwrap();
    for run in 0..160 {
        tower.write(DAT, Logger::par().file(run * 10..run * 10 + 10));
        let _ = tower.run(&["-vv", "ingest"]).expect(0);
    }
    let mut names: Vec<String> = fs::read_dir(tower.path("logs"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert!(
        names.iter().all(|name| ["agent.log", "agent.log.1", "agent.log.2", "agent.log.lock"].contains(&name.as_str())),
        "{names:?}"
    );
    assert!(names.len() >= 2, "{names:?}");
    for name in names {
        let size = fs::metadata(tower.path("logs").join(&name)).unwrap().len();
        assert!(size < 20_000, "{name}: {size}");
    }
    assert_eq!(staged(&tower), 1_600);
}

#[test]
fn i9_a_second_agent_leaves_the_work_to_the_first() {
    let tower = Station::new();
    tower.write(DAT, Logger::par().file(0..20));
    let _ = tower.run(&["status"]).expect(1);
    let lock = Lock::take(&tower.store_path(), LockKind::Ingest).unwrap().unwrap();
    let _ = tower.run(&["ingest"]).expect(0);
    assert_eq!(staged(&tower), 0);
    drop(lock);
    // A program that another test starts at this moment holds the lock until it has begun.
    let began = Instant::now();
    while staged(&tower) == 0 && began.elapsed() < Duration::from_secs(60) {
        let _ = tower.run(&["ingest"]).expect(0);
    }
    assert_eq!(staged(&tower), 20);
}

#[test]
fn i4_an_agent_that_is_killed_leaves_a_store_and_locks_that_the_next_one_takes_up() {
    let tower = Station::new();
    tower.write(DAT, Logger::par().file(0..200));
    let mut command = Command::new(env!("CARGO_BIN_EXE_fluxtower"));
    command.current_dir(tower.path(".")).arg("--config").arg(tower.config_path()).args(["run", "--watch"]);
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let mut agent = crate::support::start(|| command.spawn());
    let began = Instant::now();
    while !tower.store_path().exists() || !has_rows(&tower) {
        assert!(began.elapsed() < Duration::from_secs(60), "the agent did not begin");
        std::thread::sleep(Duration::from_millis(50));
    }
    agent.kill().unwrap();
    agent.wait().unwrap();
    tower.write(DAT, Logger::par().file(100..300));
    let _ = tower.run(&["run"]).expect(0);
    assert_eq!(staged(&tower), 300);
    assert_eq!(tower.count("SELECT sum(sent) FROM logger_table"), 300);
}

/// Nothing is looked at again before an hour has passed, but a file that has just changed.
#[test]
fn a_file_event_wakes_an_agent_that_stays_up() {
    let tower = Station::new();
    let mut command = Command::new(env!("CARGO_BIN_EXE_fluxtower"));
    command.current_dir(tower.path(".")).arg("--config").arg(tower.config_path());
    command.args(["run", "--watch", "--poll", "1h", "--every", "1h"]);
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let mut agent = crate::support::start(|| command.spawn());
    let until = |rows: i64| {
        let began = Instant::now();
        while rows_of(&tower) < Some(rows) {
            assert!(began.elapsed() < Duration::from_secs(60), "{:?} of {rows} rows", rows_of(&tower));
            std::thread::sleep(Duration::from_millis(50));
        }
    };
    // The first pass has come to its end: no file.
    until(0);
    tower.write(DAT, Logger::par().file(0..20));
    until(20);
    fs::write(tower.path("being_written"), Logger::par().file(10..40)).unwrap();
    fs::rename(tower.path("being_written"), tower.path(DAT)).unwrap();
    until(40);
    agent.kill().unwrap();
    agent.wait().unwrap();
}

/// None before the first pass has ended.
fn rows_of(tower: &Station) -> Option<i64> {
    let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY;
    let conn = rusqlite::Connection::open_with_flags(tower.store_path(), flags).ok()?;
    let number = |sql: &str| conn.query_row(sql, [], |row| row.get::<_, i64>(0)).ok();
    number("SELECT count(*) FROM run WHERE command = 'ingest'").filter(|passes| *passes > 0)?;
    number("SELECT coalesce(sum(rows), 0) FROM logger_table")
}

fn has_rows(tower: &Station) -> bool {
    let Ok(conn) = rusqlite::Connection::open(tower.store_path()) else { return false };
    conn.query_row("SELECT coalesce(sum(rows), 0) FROM logger_table", [], |row| row.get::<_, i64>(0))
        .is_ok_and(|rows| rows > 0)
}

/// A server that nobody runs; what counts is what is said before it is asked.
fn with_token(key: &str) -> Station {
    let destination = format!(
        "kind = \"influxdb\"\nurl = \"http://127.0.0.1:9\"\norg = \"o\"\nbucket = \"b\"\ntimeout = \"2s\"\n{key}"
    );
    let tower = Station::new().destination(&destination).sync("deadline = \"2s\"");
    tower.write(DAT, Logger::par().file(0..20));
    let _ = tower.run(&["ingest"]).expect(0);
    tower
}

#[test]
fn i10_a_token_comes_from_the_environment_or_a_file_and_is_never_shown() {
    let tower = with_token("token_env = \"FLUXTOWER_TEST_TOKEN_THAT_IS_NOT_SET\"");
    let _ = tower.run(&["sync"]).expect(2).says("FLUXTOWER_TEST_TOKEN_THAT_IS_NOT_SET");
    let tower = with_token("token_file = \"token.txt\"");
    let _ = tower.run(&["sync"]).expect(2).says("token.txt");
    // As Windows' editor saves it.
    fs::write(tower.path("token.txt"), "\u{feff}s3cret-token\r\n").unwrap();
    let ended = tower.run(&["-vv", "sync"]);
    assert_ne!(ended.code, 2, "{}", ended.stderr);
    assert!(!ended.stderr.contains("s3cret") && !ended.stdout.contains("s3cret"));
    assert_eq!(tower.count("SELECT sum(pending) FROM logger_table"), 20);
}

#[cfg(windows)]
mod windows_only {
    use std::os::windows::fs::OpenOptionsExt as _;

    use super::*;

    #[test]
    fn drive_letters_and_backslashes_are_paths() {
        let tower = Station::new();
        let path = tower.path("My Data\\46m_*.dat");
        let text = path.display().to_string().replace('/', "\\");
        assert!(text.as_bytes()[1] == b':', "{text}");
        fs::create_dir(tower.path("My Data")).unwrap();
        let tower = tower.table(&format!("name = \"{TABLE}\"\nfiles = ['{text}']"));
        fs::write(tower.path("My Data").join(DAT), Logger::par().file(0..20)).unwrap();
        let _ = tower.run(&["ingest"]).expect(0);
        assert_eq!(staged(&tower), 20);
    }

    #[test]
    fn a_file_that_another_process_keeps_to_itself_is_read_when_it_lets_go() {
        let tower = Station::new();
        tower.write(DAT, Logger::par().file(0..20));
        let held = fs::OpenOptions::new().read(true).write(true).share_mode(0).open(tower.path(DAT)).unwrap();
        let _ = tower.run(&["ingest"]).expect(1);
        assert_eq!(staged(&tower), 0, "busy is not empty");
        drop(held);
        let _ = tower.run(&["ingest"]).expect(0);
        assert_eq!(staged(&tower), 20);
    }
}

#[test]
fn findings_go_to_the_event_log_and_where_there_is_none_that_is_a_finding() {
    let tower = Station::new().sync("[notify]\nevent_log = true");
    tower.write(DAT, "\"TOB1\",\"64291\",\"CR1000X\"\r\n");
    let _ = tower.run(&["run"]).expect(1);
    let status = tower.run(&["status", "--json"]).expect(1).json();
    let receiver = &status["receivers"][0];
    let failed = status["findings"].as_array().unwrap().iter().find(|finding| finding["kind"] == "notify_failed");
    if cfg!(windows) {
        assert_eq!((receiver["pending"].as_u64(), failed), (Some(0), None), "{status}");
    } else {
        assert!(receiver["pending"].as_u64() > Some(0), "{status}");
        let message = failed.unwrap()["message"].as_str().unwrap();
        assert!(message.contains("only Windows has one; take event_log out of [notify]"), "{message}");
    }
}
