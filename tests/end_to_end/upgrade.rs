//! A database that another version of the program made: an older one is copied and brought up to date, a newer one refused.

use std::path::PathBuf;
use std::process::Stdio;

use crate::support::{DAT, Logger, NEWEST_VERSION, Station, TABLE, made_older};
use rusqlite::Connection;

/// A station with 200 rows whose database is of that version.
fn of_version(version: i64) -> Station {
    let tower = Station::new();
    tower.write(DAT, Logger::par().file(0..200));
    let _ = tower.run(&["run"]).expect(0);
    assert!(copies(&tower).is_empty(), "a new database has nothing to be copied");
    make_older(&tower, version);
    tower
}

fn make_older(tower: &Station, version: i64) {
    let conn = Connection::open(tower.store_path()).unwrap();
    conn.execute_batch(&format!("DROP VIEW IF EXISTS t_{TABLE}; {}", made_older(version))).unwrap();
}

fn copy(tower: &Station, version: i64) -> PathBuf {
    PathBuf::from(format!("{}.v{version}.bak", tower.store_path().display()))
}

/// The names of the copies and of their parts.
fn copies(tower: &Station) -> Vec<String> {
    let folder = tower.store_path().parent().unwrap().to_owned();
    let names = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.filter(|name| name.contains(".bak")).collect();
    names.sort();
    names
}

fn one(path: &std::path::Path, sql: &str) -> i64 {
    Connection::open(path).unwrap().query_row(sql, [], |row| row.get(0)).unwrap()
}

#[test]
fn i4_an_older_database_is_copied_before_it_is_brought_up_to_date_and_the_copy_can_be_gone_back_to() {
    let tower = of_version(8);
    // Of a process that was killed while it copied.
    std::fs::write(copy(&tower, 8).with_extension("bak.part"), "half a copy").unwrap();
    let said = tower.run(&["status"]);
    let name = copy(&tower, 8);
    assert!(
        said.stderr.contains(&format!("was of version 8 and is of version {NEWEST_VERSION} now")),
        "{}",
        said.stderr
    );
    assert!(said.stderr.contains(name.to_str().unwrap()) && said.stderr.contains("200 rows"), "{}", said.stderr);
    assert_eq!(copies(&tower), ["store.db.v8.bak"]);
    assert_eq!(one(&name, "PRAGMA user_version"), 8);
    assert_eq!(one(&name, "SELECT count(*) FROM reading"), 200);
    assert_eq!(one(&tower.store_path(), "PRAGMA user_version"), NEWEST_VERSION);
    // Once.
    assert_eq!(tower.run(&["run"]).expect(0).stderr, "");

    std::fs::rename(&name, tower.store_path()).unwrap();
    for ending in ["-wal", "-shm"] {
        let _ = std::fs::remove_file(format!("{}{ending}", tower.store_path().display()));
    }
    let _ = tower.run(&["run"]).expect(0);
    assert_eq!(one(&tower.store_path(), "SELECT count(*) FROM reading"), 200);
    assert_eq!(one(&tower.store_path(), "PRAGMA user_version"), NEWEST_VERSION);
}

#[test]
fn the_copy_of_an_upgrade_is_kept_until_the_next_one_takes_its_place() {
    let tower = of_version(8);
    let _ = tower.run(&["run"]).expect(0);
    assert_eq!(copies(&tower), ["store.db.v8.bak"]);
    make_older(&tower, 10);
    let _ = tower.run(&["run"]).expect(0);
    assert_eq!(copies(&tower), ["store.db.v10.bak"]);
}

#[test]
fn of_programs_that_start_at_once_after_an_upgrade_one_copies_and_none_fails() {
    let tower = of_version(8);
    let start = |_| tower.command(&["ingest"]).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let programs: Vec<_> = (0..4).map(start).collect();
    let ended: Vec<_> = programs.into_iter().map(|program| program.wait_with_output().unwrap()).collect();
    let said: Vec<String> = ended.iter().map(|ended| String::from_utf8_lossy(&ended.stderr).into_owned()).collect();
    assert!(ended.iter().all(|ended| ended.status.code() == Some(0)), "{said:?}");
    assert_eq!(said.iter().filter(|said| said.contains("was of version 8")).count(), 1, "{said:?}");
    assert_eq!(copies(&tower), ["store.db.v8.bak"]);
    assert_eq!(one(&tower.store_path(), "SELECT count(*) FROM reading"), 200);
}

#[test]
fn a_newer_database_is_refused_untouched_with_the_version_of_the_program_that_made_it() {
    let tower = of_version(NEWEST_VERSION);
    let made_by = |version: &str| {
        let conn = Connection::open(tower.store_path()).unwrap();
        let sql = format!("{version}; PRAGMA user_version = {}; PRAGMA wal_checkpoint(TRUNCATE);", NEWEST_VERSION + 1);
        conn.execute_batch(&sql).unwrap();
    };
    let own: String = Connection::open(tower.store_path())
        .unwrap()
        .query_row("SELECT value FROM setting WHERE key = 'schema made by'", [], |row| row.get(0))
        .unwrap();
    assert_eq!(own, env!("CARGO_PKG_VERSION"));
    for (change, words) in [
        ("UPDATE setting SET value = '9.8.7' WHERE key = 'schema made by'", "which fluxtower 9.8.7 made"),
        ("DROP TABLE setting", "which fluxtower of a later version made"),
    ] {
        made_by(change);
        let before = std::fs::read(tower.store_path()).unwrap();
        for command in ["run", "status", "check"] {
            let _ = tower.run(&[command]).expect(4).says(words);
        }
        let _ = tower.run(&["run"]).expect(4).says(&format!("this is fluxtower {}", env!("CARGO_PKG_VERSION")));
        assert!(std::fs::read(tower.store_path()).unwrap() == before, "it was touched");
    }
    assert!(copies(&tower).is_empty());
}
