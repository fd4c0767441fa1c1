//! `fluxtower backup`: a copy that can be gone back to.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::support::{DAT, Logger, Station, Stops, TABLE};
use rusqlite::{Connection, OpenFlags};

fn copy(tower: &Station, name: &str) -> Connection {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY;
    Connection::open_with_flags(tower.path(name), flags).unwrap()
}

fn one(conn: &Connection, sql: &str) -> i64 {
    conn.query_row(sql, [], |row| row.get(0)).unwrap()
}

#[test]
fn a_backup_taken_while_an_ingest_is_at_work_is_whole() {
    let tower = Station::new();
    let logger = Logger::par();
    tower.write(DAT, logger.file(0..20_000));
    let _ = tower.run(&["ingest"]).expect(0);
    let done = AtomicBool::new(false);
    let mut seen = Vec::new();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let _stops = Stops(&done);
            for piece in 1..12 {
                tower.append(DAT, logger.rows(piece * 20_000..(piece + 1) * 20_000));
                let _ = tower.run(&["ingest"]).expect(0);
            }
        });
        for number in 0.. {
            let was_done = done.load(Ordering::Acquire);
            let name = format!("copy{number}.db");
            let path = tower.path(&name);
            let told = tower.run_json(&["backup", path.to_str().unwrap()]).expect(0).json();
            let copy = copy(&tower, &name);
            let rows = one(&copy, "SELECT count(*) FROM reading");
            assert_eq!(told["rows"].as_i64(), Some(rows));
            assert_eq!(one(&copy, "SELECT sum(rows) FROM logger_table"), rows, "one state, not a mixture of two");
            seen.push(rows);
            if was_done {
                break;
            }
        }
    });
    assert!(seen.len() > 2 && seen.is_sorted(), "{seen:?}");
    assert_eq!(seen.last(), Some(&240_000));
    let left = std::fs::read_dir(tower.path(".")).unwrap().map(|file| file.unwrap().file_name());
    assert!(!left.into_iter().any(|name| name.to_string_lossy().contains(".part")));
}

/// A station whose backup `copy.db` holds 100 rows, and whose file has 50 more by now.
fn backed_up_at_row_100_of_150() -> Station {
    let tower = Station::new();
    let logger = Logger::par();
    tower.write(DAT, logger.file(0..100));
    let _ = tower.run(&["ingest"]).expect(0);
    let path = tower.path("copy.db");
    let _ = tower.run(&["backup", path.to_str().unwrap()]).expect(0);
    tower.append(DAT, logger.rows(100..150));
    tower
}

#[test]
fn a_backup_is_gone_back_to_by_putting_it_in_place() {
    let tower = backed_up_at_row_100_of_150();
    let _ = tower.run(&["run"]).expect(0);
    tower.remove("store.db");
    tower.rename("copy.db", "store.db");
    let told = tower.run_json(&["ingest"]).expect(0).json();
    assert_eq!(told["tables"][0]["staged"].as_u64(), Some(50), "{told}");
    assert_eq!(tower.rows(TABLE).len(), 150);
}

#[test]
fn a_file_that_stands_there_is_overwritten_only_when_told() {
    let tower = Station::new();
    tower.write(DAT, Logger::par().file(0..10));
    let _ = tower.run(&["ingest"]).expect(0);
    tower.write("copy.db", "precious");
    let path = tower.path("copy.db");
    let arguments = ["backup", path.to_str().unwrap()];
    let _ = tower.run(&arguments).expect(2).says("not touched");
    assert_eq!(tower.read("copy.db"), b"precious");
    let _ = tower.run(&[&arguments[..], &["--force"]].concat()).expect(0);
    assert_eq!(one(&copy(&tower, "copy.db"), "SELECT count(*) FROM reading"), 10);
    let own = tower.store_path();
    let _ = tower.run(&["backup", own.to_str().unwrap(), "--force"]).expect(2).says("the database itself");
}

#[test]
fn a_backup_overwrites_neither_the_configuration_nor_the_log_of_the_database() {
    let tower = Station::new();
    tower.write(DAT, Logger::par().file(0..10));
    let _ = tower.run(&["ingest"]).expect(0);
    let before = std::fs::read(tower.config_path()).unwrap();
    let log = tower.path("store.db-wal");
    std::fs::write(&log, b"").unwrap();
    for own in [tower.config_path(), log] {
        let _ = tower.run(&["backup", own.to_str().unwrap(), "--force"]).expect(2).says("its configuration");
    }
    assert_eq!(std::fs::read(tower.config_path()).unwrap(), before);
}

#[test]
fn a_folder_that_is_not_there_and_a_database_that_is_not_there_are_named() {
    let tower = Station::new();
    let path = tower.path("copy.db");
    let _ = tower.run(&["backup", path.to_str().unwrap()]).expect(4).says("store.db");
    assert!(!tower.store_path().exists() && !path.exists());
    tower.write(DAT, Logger::par().file(0..10));
    let _ = tower.run(&["ingest"]).expect(0);
    let nowhere = tower.path("no/such/copy.db");
    let _ = tower.run(&["backup", nowhere.to_str().unwrap()]).expect(4).says("copy.db");
}

#[cfg(target_os = "linux")]
#[test]
fn what_a_killed_backup_left_is_removed_by_the_next_one_and_nothing_else() {
    let tower = Station::new();
    tower.write(DAT, Logger::par().file(0..10));
    let _ = tower.run(&["ingest"]).expect(0);
    // A process that has ended, and one that runs.
    let mut ended = std::process::Command::new("true").spawn().unwrap();
    let gone = ended.id();
    ended.wait().unwrap();
    let runs = std::process::id();
    let left = [format!(".copy.db.{gone}.part"), format!(".older.db.{gone}.part")];
    let kept = [
        format!(".copy.db.{runs}.part"),
        format!(".report.html.{gone}.part"),
        format!("copy.db.{gone}.part"),
        ".copy.db.part".to_owned(),
    ];
    left.iter().chain(&kept).for_each(|name| tower.write(name, "half"));
    let path = tower.path("copy.db");
    let _ = tower.run(&["backup", path.to_str().unwrap()]).expect(0);
    assert!(left.iter().all(|name| !tower.path(name).exists()), "{left:?}");
    assert!(kept.iter().all(|name| tower.path(name).exists()), "{kept:?}");
}

#[test]
fn a_database_cut_to_nothing_is_refused_and_an_empty_file_of_a_new_station_is_not() {
    let tower = Station::new();
    tower.write("store.db", "");
    tower.write(DAT, Logger::par().file(0..10));
    let _ = tower.run(&["ingest"]).expect(0);
    tower.write("store.db", "");
    for command in ["ingest", "run", "sync", "status", "check"] {
        let _ = tower.run(&[command]).expect(4).says("is empty, and it held rows");
    }
    assert_eq!(tower.read("store.db"), b"", "nothing was touched");
    // As the message says.
    tower.remove("store.db");
    let _ = tower.run(&["ingest"]).expect(0);
    assert_eq!(tower.rows(TABLE).len(), 10);
}

#[test]
fn a_backup_beside_the_log_of_another_database_is_refused_until_the_log_is_deleted() {
    let tower = backed_up_at_row_100_of_150();
    // While a reader holds the database open, its log stays when the program ends, as after a power cut.
    let reader = copy(&tower, "store.db");
    assert_eq!(one(&reader, "SELECT count(*) FROM reading"), 100);
    let _ = tower.run(&["ingest"]).expect(0);
    let log = tower.read("store.db-wal");
    assert!(!log.is_empty());
    drop(reader);
    tower.rename("copy.db", "store.db");
    tower.write("store.db-wal", &log);
    let backup = tower.read("store.db");
    for command in ["ingest", "run", "status"] {
        let _ = tower.run(&[command]).expect(4).says("is the log of the database that was there before");
    }
    assert_eq!((tower.read("store.db"), tower.read("store.db-wal")), (backup, log), "nothing was touched");
    tower.remove("store.db-wal");
    let _ = std::fs::remove_file(tower.path("store.db-shm"));
    let _ = tower.run(&["ingest"]).expect(0);
    assert_eq!(tower.rows(TABLE).len(), 150);
}
