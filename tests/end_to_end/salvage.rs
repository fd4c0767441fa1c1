//! `fluxtower salvage`: a database with damaged pages.

use std::fs::File;
use std::io::{Seek, SeekFrom, Write};

use crate::support::{DAT, Logger, Station, TABLE};

const PAGE: u64 = 16_384;
const ROWS: i64 = 60_000;

/// Sixty thousand rows that were sent, a time with two contents and a line that is no row.
fn station() -> Station {
    let tower = Station::new();
    let logger = Logger::par();
    let spoilt = "\"2024-05-01 00:00:05\",1,7,7,7\r\nno row at all\r\n";
    tower.write(DAT, logger.file(0..ROWS) + spoilt);
    let _ = tower.run(&["run"]).expect(1);
    assert!(!tower.path("store.db-wal").exists());
    tower
}

/// Overwrites pages, counted from 1 as SQLite does.
fn damage(tower: &Station, pages: impl IntoIterator<Item = u64>) {
    let mut file = File::options().write(true).open(tower.store_path()).unwrap();
    for page in pages {
        file.seek(SeekFrom::Start((page - 1) * PAGE)).unwrap();
        file.write_all(&[0xA5; 16_384]).unwrap();
    }
}

fn pages(tower: &Station) -> u64 {
    tower.store_path().metadata().unwrap().len() / PAGE
}

fn set_aside(tower: &Station) -> Vec<String> {
    let names = std::fs::read_dir(tower.path(".")).unwrap().map(|file| file.unwrap().file_name());
    names.map(|name| name.into_string().unwrap()).filter(|name| name.contains(".damaged-")).collect()
}

#[test]
fn i4_what_can_be_read_is_saved_and_the_files_bring_back_the_rest() {
    let tower = station();
    let all = pages(&tower);
    assert!(all > 100, "{all} pages are too few to damage some");
    damage(&tower, [all / 3, all / 3 + 1, all / 2, all * 3 / 4]);
    let _ = tower.run(&["export", "--table", TABLE]).expect(4).says("fluxtower salvage");
    let checked = tower.run(&["check"]).expect(1).stdout;
    assert!(checked.contains("bad   database") && checked.contains("fluxtower salvage"), "{checked}");

    let told = tower.run_json(&["salvage"]).expect(1).json();
    let saved = told["tables"][0]["rows"].as_i64().unwrap();
    assert_eq!(told["tables"][0]["expected"].as_i64(), Some(ROWS), "{told}");
    assert!((ROWS * 9 / 10..ROWS).contains(&saved), "four pages of {all}, and {saved} rows saved: {told}");
    assert_eq!(set_aside(&tower).len(), 1);
    assert_eq!(tower.count("SELECT count(*) FROM reading"), saved);
    assert_eq!(tower.count("SELECT rows - sent FROM logger_table"), 0, "sent rows are still known as sent");
    assert_eq!(tower.count("SELECT count(*) FROM conflict"), 1);
    assert_eq!(tower.count("SELECT count(*) FROM rejected_line"), 1);
    assert!(tower.count("SELECT count(*) FROM receipt") > 0);
    assert_eq!(tower.database().query_row("PRAGMA integrity_check", [], |row| row.get(0)), Ok("ok".to_owned()));

    let told = tower.run_json(&["run"]).expect(1).json();
    assert_eq!(told["ingest"]["tables"][0]["staged"].as_i64(), Some(ROWS - saved), "{told}");
    assert_eq!(told["sync"]["sent"].as_i64(), Some(ROWS - saved), "only what was lost is sent again");
    assert_eq!(tower.rows(TABLE).len() as i64, ROWS);
    assert_eq!(tower.count("SELECT sent FROM logger_table"), ROWS);
}

/// Pages that hold no rows and lead to those that do; their first byte says so.
fn inner_pages(tower: &Station) -> Vec<u64> {
    let file = tower.read("store.db");
    let pages = file.chunks(16_384).zip(1..).skip(1);
    pages.filter(|(page, _)| page[0] == 5).map(|(_, number)| number).collect()
}

#[test]
fn i4_rows_below_a_lost_inner_page_come_back_from_their_files() {
    let tower = Station::new();
    let names: Vec<String> = (0..30).map(|number| format!("Column_{number}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let rows = 120_000;
    tower.write(DAT, Logger::par().columns(&names).file(0..rows));
    let _ = tower.run(&["ingest"]).expect(0);
    let inner = inner_pages(&tower);
    assert!(inner.len() > 2, "no page between the first and the rows: {inner:?}");
    let size = tower.store_path().metadata().unwrap().len();
    damage(&tower, inner.iter().copied().skip(1).take(1));
    let told = tower.run_json(&["salvage"]).expect(1).json();
    let saved = told["tables"][0]["rows"].as_i64().unwrap();
    assert_eq!(told["tables"][0]["expected"].as_i64(), Some(rows), "{told}");
    // The rows below one of several inner pages are lost, and no others.
    assert!((rows / 2..rows).contains(&saved), "{saved} of {rows} without one of {} inner pages", inner.len());
    assert_eq!(tower.count("SELECT count(*) FROM reading"), saved);
    let salvaged = tower.store_path().metadata().unwrap().len();
    assert!(salvaged < size * 3 / 2, "{salvaged} bytes of {size}");
    let _ = tower.run(&["ingest"]).expect(0);
    assert_eq!(tower.count("SELECT rows FROM logger_table"), rows);
    assert_eq!(tower.run_json(&["sync"]).expect(0).json()["sent"].as_i64(), Some(rows));
}

#[test]
fn rows_that_wait_are_sent_after_a_salvage() {
    let tower = Station::new();
    tower.write(DAT, Logger::par().file(0..ROWS));
    let _ = tower.run(&["ingest"]).expect(0);
    damage(&tower, [pages(&tower) / 2]);
    let told = tower.run_json(&["salvage"]).expect(1).json();
    let saved = told["tables"][0]["rows"].as_i64().unwrap();
    let told = tower.run_json(&["sync"]).expect(0).json();
    assert_eq!((told["sent"].as_i64(), told["pending"].as_i64()), (Some(saved), Some(0)), "{told}");
}

#[test]
fn a_database_whose_first_page_is_gone_is_set_aside_and_made_anew() {
    let tower = station();
    damage(&tower, [1]);
    let _ = tower.run(&["run"]).expect(4).says("fluxtower salvage");
    let told = tower.run_json(&["salvage"]).expect(1).json();
    assert_eq!(told["tables"].as_array().map(Vec::len), Some(0), "{told}");
    let _ = tower.run(&["run"]).expect(1);
    assert_eq!(tower.rows(TABLE).len() as i64, ROWS);
    assert_eq!(set_aside(&tower).len(), 1);
}

#[test]
fn with_output_the_damaged_database_stays_where_it_is() {
    let tower = station();
    damage(&tower, [pages(&tower) / 2]);
    let before = tower.read("store.db");
    let output = tower.path("saved.db");
    let arguments = ["salvage", "--output", output.to_str().unwrap()];
    let _ = tower.run(&arguments).expect(1);
    assert_eq!(tower.read("store.db"), before);
    assert!(set_aside(&tower).is_empty());
    let _ = tower.run(&arguments).expect(2).says("not touched");
    tower.rename("saved.db", "store.db");
    assert!(tower.count("SELECT count(*) FROM reading") > ROWS * 9 / 10);
}

#[test]
fn a_whole_database_is_left_alone() {
    let tower = station();
    let before = tower.read("store.db");
    let told = tower.run_json(&["salvage"]).expect(0).json();
    assert!(told["damage"].is_null(), "{told}");
    assert_eq!(tower.read("store.db"), before);
    assert!(set_aside(&tower).is_empty());
    let _ = Station::new().run(&["salvage"]).expect(4).says("there is no database");
}
