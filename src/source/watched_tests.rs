//! Tests of [`super`] with looks at given times, with injected events and with the system's own.

use super::*;
use crate::source::config_of as config;

const POLL: Duration = Duration::from_millis(250);

fn names(found: &[TableFiles<'_>]) -> Vec<String> {
    let files = found.iter().flat_map(|(_, files)| files);
    files.map(|file| file.file_name().unwrap().to_string_lossy().into_owned()).collect()
}

#[test]
fn each_change_is_given_once_and_once_more_a_little_later() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.dat"), "one").unwrap();
    let config = config(folder.path(), "[\"*.dat\"]");
    let mut watched = Watched::new(&config.tables, POLL);
    let start = Instant::now();
    let mut look = |seconds: f64| names(&watched.look_at(start + Duration::from_secs_f64(seconds)).unwrap());
    assert_eq!(look(0.0), ["a.dat"]);
    assert!(look(0.2).is_empty());
    std::fs::write(folder.path().join("a.dat"), "longer").unwrap();
    assert_eq!(look(0.4), ["a.dat"]);
    assert!(look(2.8).is_empty());
    assert_eq!(look(2.9), ["a.dat"]);
    assert!(look(3.1).is_empty());
}

#[test]
fn new_files_files_set_aside_and_files_that_take_a_name_are_seen_at_the_next_look() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let config = config(folder.path(), "[\"met*.dat\", \"later/x.dat\"]");
    let mut watched = Watched::new(&config.tables, POLL);
    assert!(watched.look().unwrap().is_empty());
    std::fs::write(path("met.dat"), "one").unwrap();
    assert_eq!(names(&watched.look().unwrap()), ["met.dat"]);
    std::fs::rename(path("met.dat"), path("met.dat.backup")).unwrap();
    assert_eq!(names(&watched.look().unwrap()), ["met.dat.backup"]);
    std::fs::write(path("being_written"), "two").unwrap();
    std::fs::rename(path("being_written"), path("met.dat")).unwrap();
    assert_eq!(names(&watched.look().unwrap()), ["met.dat"]);
    std::fs::create_dir(path("later")).unwrap();
    std::fs::write(path("later/x.dat"), "three").unwrap();
    assert_eq!(names(&watched.look().unwrap()), ["x.dat"]);
}

/// A station whose events are injected by the test.
fn with_silent_events(tables: &[TableConfig]) -> Watched<'_> {
    Watched { events: Some(FileEvents::silent()), ..Watched::new(tables, POLL) }
}

fn says(watched: &Watched<'_>, path: &Path, now: Instant) -> bool {
    watched.events.as_ref().unwrap().says(path, now)
}

#[test]
fn an_event_is_due_when_the_writing_pauses_and_four_times_a_second_at_most() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.dat");
    std::fs::write(&path, "one").unwrap();
    let config = config(folder.path(), "[\"*.dat\"]");
    let mut watched = with_silent_events(&config.tables);
    let ms = Duration::from_millis;
    let start = Instant::now();
    assert_eq!(names(&watched.look_at(start).unwrap()), ["a.dat"]);
    assert_eq!(watched.due(start), start + SECOND_READING);
    let again = start + SECOND_READING;
    assert_eq!(names(&watched.look_at(again).unwrap()), ["a.dat"]);
    assert_eq!(watched.due(again), again + SELDOM);
    // The first event wakes, and the look follows when the writing pauses.
    let written = again + ms(1_000);
    std::fs::write(&path, "longer").unwrap();
    assert!(says(&watched, &path, written));
    assert_eq!(watched.due(again), written + ms(10));
    assert!(!says(&watched, &path, written + ms(8)));
    assert_eq!(watched.due(again), written + ms(18));
    for at in 9..200 {
        assert!(!says(&watched, &path, written + ms(at)));
    }
    assert_eq!(watched.due(again), written + ms(100), "a writer that does not pause");
    let looked = written + ms(100);
    assert_eq!(names(&watched.look_at(looked).unwrap()), ["a.dat"]);
    assert!(says(&watched, &path, looked + ms(5)));
    assert_eq!(watched.due(looked), looked + ms(250), "not at each row");
    assert!(watched.look_at(looked + ms(250)).unwrap().is_empty());
}

#[test]
fn only_events_of_files_of_a_table_and_of_its_folders_count() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    std::fs::create_dir(path("2026")).unwrap();
    std::fs::write(path("2026/met.dat"), "one").unwrap();
    let config = config(folder.path(), "[\"m*.dat\", \"*/met.dat\", \"not/yet/x.dat\"]");
    let mut watched = with_silent_events(&config.tables);
    let now = Instant::now();
    watched.look_at(now).unwrap();
    for name in
        ["store.db", "store.db-wal", "store.db.ingest.lock", "fluxtower.log", "2026/other.dat", "2026/store.db-wal"]
    {
        std::fs::write(path(name), "").unwrap();
        assert!(!says(&watched, &path(name), now), "{name}");
    }
    for name in ["met.dat", "met.dat.backup1", "m1.bak", "2026/met.dat", "2026/met.bak2"] {
        assert!(says(&watched, &path(name), now), "{name}");
        watched.look_at(now).unwrap();
    }
    let comes = |watched: &Watched<'_>, path: &Path| watched.events.as_ref().unwrap().says_that_it_comes(path, now);
    std::fs::create_dir(path("2027")).unwrap();
    for name in ["2027", "not", "not/yet", "2026"] {
        assert!(comes(&watched, &path(name)), "{name}");
        watched.look_at(now).unwrap();
    }
    assert!(!comes(&watched, &path("other.txt")));
}

#[test]
fn a_change_whose_event_is_lost_is_found_by_the_next_seldom_look_and_its_folder_is_looked_at_often_from_then_on() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let other = "else/b.dat";
    std::fs::create_dir(path("else")).unwrap();
    for name in ["a.dat", other] {
        std::fs::write(path(name), "one").unwrap();
    }
    let config = config(folder.path(), "[\"a.dat\", \"else/b.dat\"]");
    let mut watched = with_silent_events(&config.tables);
    let start = Instant::now();
    let at = |seconds: f64| start + Duration::from_secs_f64(seconds);
    watched.look_at(start).unwrap();
    watched.look_at(at(3.0)).unwrap();
    std::fs::write(path("a.dat"), "longer").unwrap();
    assert!(watched.look_at(at(4.0)).unwrap().is_empty());
    assert_eq!(names(&watched.look_at(at(5.0)).unwrap()), ["a.dat"]);
    assert_eq!(watched.due(at(5.0)), at(5.0) + SECOND_READING);
    assert_eq!(names(&watched.look_at(at(7.5)).unwrap()), ["a.dat"]);
    assert_eq!(watched.due(at(7.5)), at(7.5) + POLL);
    // Only that folder becomes unreliable, not the other one.
    for name in ["a.dat", other] {
        std::fs::write(path(name), "longer still").unwrap();
    }
    assert_eq!(names(&watched.look_at(at(7.75)).unwrap()), ["a.dat"]);
    assert!(says(&watched, &path(other), at(7.8)));
    assert_eq!(names(&watched.look_at(at(8.0)).unwrap()), ["b.dat"]);
}

#[test]
fn after_events_that_the_system_lost_every_file_is_looked_at() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.dat");
    std::fs::write(&path, "one").unwrap();
    let config = config(folder.path(), "[\"a.dat\"]");
    let mut watched = with_silent_events(&config.tables);
    let start = Instant::now();
    watched.look_at(start).unwrap();
    std::fs::write(&path, "longer").unwrap();
    assert!(watched.events.as_ref().unwrap().says_that_some_are_lost(start));
    assert_eq!(names(&watched.look_at(start + POLL).unwrap()), ["a.dat"]);
    watched.look_at(start + 2 * SECOND_READING).unwrap();
    assert!(!watched.trust.doubts_some());
}

/// Uses the system's own events. No look is due within an hour.
#[test]
fn files_that_come_by_any_way_wake_a_look() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let config = config(folder.path(), "[\"met.dat\", \"not/yet/*/x.dat\"]");
    let (wake, wakes) = std::sync::mpsc::channel();
    let hour = Duration::from_secs(3_600);
    let mut watched = Watched::new(&config.tables, hour).with_events(move || {
        let _ = wake.send(());
    });
    assert!(watched.look().unwrap().is_empty());
    let mut found = |name: &str| {
        while names(&watched.look().unwrap()) != [name] {
            wakes.recv_timeout(Duration::from_secs(120)).expect(name);
        }
        // Another event of the same write.
        while wakes.try_recv().is_ok() {}
    };
    std::fs::write(path("met.dat"), "one").unwrap();
    found("met.dat");
    std::fs::write(path("met.dat"), "longer").unwrap();
    found("met.dat");
    std::fs::write(path("being_written"), "by another program").unwrap();
    std::fs::rename(path("being_written"), path("met.dat")).unwrap();
    found("met.dat");
    for (text, year) in [("one", "2026"), ("three", "2027")] {
        std::fs::create_dir_all(path("not/yet").join(year)).unwrap();
        std::fs::write(path("not/yet").join(year).join("x.dat"), text).unwrap();
        found("x.dat");
    }
    // Another folder takes the name.
    std::fs::remove_dir_all(path("not")).unwrap();
    std::fs::create_dir_all(path("not/yet/2026")).unwrap();
    std::fs::write(path("not/yet/2026/x.dat"), "of another folder").unwrap();
    found("x.dat");
    std::fs::rename(path("not"), path("was")).unwrap();
    std::fs::create_dir_all(path("not/yet/2026")).unwrap();
    std::fs::write(path("not/yet/2026/x.dat"), "of a third one").unwrap();
    found("x.dat");
}

#[test]
fn a_pattern_is_watched_in_the_folder_before_its_first_wildcard() {
    for (pattern, folder) in [("/a/b/met.dat", "/a/b"), ("/a/b/*.dat", "/a/b"), ("/a/*/met.dat", "/a")] {
        assert_eq!(fixed_part(Path::new(pattern)), Path::new(folder));
    }
}
