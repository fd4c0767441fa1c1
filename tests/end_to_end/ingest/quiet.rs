//! I2 at its root: a file that changes after it was opened is not believed.

use std::fs;
use std::time::Duration;

use fluxtower::source::{QuietFile, SourceError};

use super::*;

const LINE: &str = "123456789\n";
const OTHER: &str = "987654321\n";

fn open(tower: &Station, lines: usize) -> QuietFile {
    tower.write(DAT, LINE.repeat(lines));
    tower.age(DAT, Duration::from_secs(60));
    QuietFile::open(&tower.path(DAT)).unwrap()
}

fn is_changed<T>(result: &Result<T, SourceError>) -> bool {
    matches!(result, Err(SourceError::Changed { .. }))
}

#[test]
fn i2_a_file_overwritten_after_it_was_opened_is_not_believed() {
    for content in [OTHER.repeat(10), LINE.repeat(11), LINE.repeat(9), String::new()] {
        let tower = Station::new();
        let mut file = open(&tower, 10);
        fs::write(tower.path(DAT), content).unwrap();
        assert!(is_changed(&file.fingerprint(100)));
        assert!(is_changed(&file.next_chunk()));
    }
}

#[test]
fn i2_what_was_read_before_a_change_stays_good_and_nothing_follows() {
    let tower = Station::new();
    let lines = 24 << 20 >> 3;
    let mut file = open(&tower, lines);
    let first = file.next_chunk().unwrap().unwrap();
    assert!(first.bytes.ends_with(LINE.as_bytes()));
    assert!(first.bytes.len() < lines * LINE.len(), "the file is read in more than one chunk");
    fs::write(tower.path(DAT), OTHER.repeat(lines)).unwrap();
    assert!(is_changed(&file.next_chunk()));
}

#[test]
fn a_file_put_in_its_place_by_rename_leaves_the_open_one_whole() {
    let tower = Station::new();
    let mut file = open(&tower, 10);
    tower.write("new.dat", OTHER);
    // Windows before 10.1809, and Wine, rename over no file that is open: then there is nothing to be seen here.
    if let Err(error) = std::fs::rename(tower.path("new.dat"), tower.path(DAT)) {
        if !cfg!(windows) {
            panic!("{error}");
        }
        crate::support::not_run("this system renames over no open file");
        return;
    }
    assert_eq!(file.next_chunk().unwrap().unwrap().bytes, LINE.repeat(10).as_bytes());
}
