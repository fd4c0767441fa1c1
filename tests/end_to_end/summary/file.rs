//! The file that keeps bins: nobody misses it, and it never says what no longer holds.

use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::station::{DAY, FILE, bring, check, kept, kept_so_far, summaries, tower};
use crate::support::Stops;

#[test]
fn a_file_that_is_deleted_or_damaged_is_made_anew() {
    let tower = tower();
    bring(&tower, 0..2 * DAY, |_| None);
    let open = summaries(&tower);
    let look = |summaries: &fluxtower::view::summary::Summaries| check(&tower, summaries, (0, 2 * DAY), 300);
    look(&open);
    let pieces = kept(&tower);
    assert!(pieces >= 8, "{pieces}");
    let conn = rusqlite::Connection::open(tower.path(FILE)).unwrap();
    conn.query_row("PRAGMA wal_checkpoint(truncate)", [], |_| Ok(())).unwrap();
    drop(conn);
    let whole = tower.read(FILE);
    let mut cases: Vec<Option<Vec<u8>>> =
        vec![None, Some(Vec::new()), Some(b"no database".repeat(900)), Some(whole[..whole.len() / 2].to_vec())];
    for place in [20, 100, 16_384 + 5, whole.len() / 2, whole.len() - 9_000, whole.len() - 5] {
        let mut damaged = whole.clone();
        damaged[place..].iter_mut().take(300).for_each(|byte| *byte ^= 0x5a);
        cases.push(Some(damaged));
    }
    for damaged in cases {
        match damaged {
            None => fs::remove_file(tower.path(FILE)).unwrap(),
            Some(bytes) => fs::write(tower.path(FILE), bytes).unwrap(),
        }
        // Neither the one that has it open nor one that begins now.
        look(&open);
        look(&summaries(&tower));
        look(&open);
    }
    drop(open);
    let conn = rusqlite::Connection::open(tower.path(FILE)).unwrap();
    conn.pragma_update(None, "user_version", 99).unwrap();
    drop(conn);
    look(&summaries(&tower));
    assert_eq!(kept(&tower), pieces, "one of another version was not made anew");
}

#[test]
fn where_no_file_can_be_written_views_are_the_same() {
    let tower = tower();
    bring(&tower, 0..DAY, |_| None);
    // As root, a folder of that name is what cannot be written.
    fs::create_dir(tower.path(FILE)).unwrap();
    fs::write(tower.path(FILE).join("in the way"), "").unwrap();
    let summaries = summaries(&tower);
    for points in [3, 100, 300] {
        check(&tower, &summaries, (0, DAY), points);
        check(&tower, &summaries, (0, DAY), points);
    }
}

#[test]
fn a_store_put_back_from_a_copy_is_seen_as_it_is() {
    let tower = tower();
    bring(&tower, 0..DAY, |_| None);
    let open = summaries(&tower);
    check(&tower, &open, (0, DAY), 100);
    let copy = tower.read("store.db");
    assert!(!tower.path("store.db-wal").exists());
    bring(&tower, 100..300, |_| Some("1,1,1".to_owned()));
    check(&tower, &open, (0, DAY), 100);
    drop(open);
    fs::write(tower.path("store.db"), copy).unwrap();
    let open = summaries(&tower);
    check(&tower, &open, (0, DAY), 100);
    bring(&tower, 100..300, |_| Some("2,2,2".to_owned()));
    check(&tower, &open, (0, DAY), 100);
}

#[test]
fn a_store_made_anew_under_the_same_name_is_not_taken_for_the_old_one() {
    let tower = tower();
    bring(&tower, 0..DAY, |_| None);
    check(&tower, &summaries(&tower), (0, DAY), 100);
    tower.remove("store.db");
    bring(&tower, 0..DAY, |_| Some("2,2,2".to_owned()));
    check(&tower, &summaries(&tower), (0, DAY), 100);
}

#[test]
fn bins_are_kept_up_before_anybody_asks() {
    let tower = tower();
    bring(&tower, 0..2 * DAY, |_| None);
    let summaries = summaries(&tower);
    let stop = AtomicBool::new(false);
    let wait_for = |pieces: i64| {
        let began = Instant::now();
        while !kept_so_far(&tower).is_ok_and(|made| made >= pieces) {
            assert!(began.elapsed() < Duration::from_secs(120), "{pieces} pieces were not made");
            std::thread::sleep(Duration::from_millis(50));
        }
    };
    std::thread::scope(|scope| {
        scope.spawn(|| summaries.keep_up(&stop));
        let _stops = Stops(&stop);
        wait_for(9);
        bring(&tower, 2 * DAY..3 * DAY, |_| None);
        wait_for(13);
        check(&tower, &summaries, (0, 3 * DAY), 100);
    });
}

#[test]
fn two_agents_that_look_while_a_third_ingests_agree_with_the_rows() {
    let tower = tower();
    bring(&tower, 0..DAY, |_| None);
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let summaries = summaries(&tower);
                while !stop.load(Ordering::Relaxed) {
                    let reader = fluxtower::store::Store::open_reader(&tower.store_path()).unwrap();
                    let day = summaries.last_day(&reader, crate::support::TABLE).unwrap();
                    assert!(day.rows > 0);
                }
            });
        }
        let _stops = Stops(&stop);
        for round in 0..8 {
            bring(&tower, DAY + round * 500..DAY + round * 500 + 700, |row| {
                (row % 3 == 0).then(|| format!("{round},1,1"))
            });
        }
    });
    for _ in 0..2 {
        check(&tower, &summaries(&tower), (0, 2 * DAY), 100);
    }
}
