//! Killed at any moment, started again, 200 times over, while the files are overwritten: nothing is lost and nothing is
//! there twice. (A kill leaves the system's file cache, so this is the process's death and not a power cut.)

use std::time::{Duration, Instant};

use crate::support::Site;
use crate::support::dice::Dice;
use crate::support::server::{Act, Server};

const ROUNDS: u64 = 200;
/// Rows that each round adds to a table's file, and how many it keeps of those before.
const NEW: i64 = 25;
const KEPT: i64 = 80;
/// Lives end between the start of the program and well behind the end of a short run, however slow the machine is.
const LONGEST_LIFE: Duration = Duration::from_millis(50);
const SHORT_RUNS_IN_A_LIFE: u32 = 3;

/// Kills a run after that time. How long it took, if it came to its end before.
fn ended_before(site: &Site, arguments: &[&str], after: Duration) -> Option<Duration> {
    let begun = Instant::now();
    let mut child = site.spawn(arguments);
    while begun.elapsed() < after {
        if let Some(ended) = child.try_wait().unwrap() {
            assert!(ended.code().is_some_and(|code| code <= 1), "{arguments:?} ended with {ended}");
            return Some(begun.elapsed());
        }
        std::thread::sleep(Duration::from_micros(300));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    None
}

#[test]
fn i4_i5_a_process_killed_at_any_moment_loses_nothing_and_doubles_nothing() {
    let server = Server::start();
    let site = Site::with(&server.url(), &["met", "wind"], "", "batch_rows = 20");
    server.script(|asked| Act::take().after(Duration::from_millis(asked.number as u64 % 4)));
    let mut dice = Dice(2_026);
    let mut killed = 0;
    let whole_run = |code: i32| {
        let begun = Instant::now();
        site.run(&["ingest"]).expect(code);
        begun.elapsed()
    };
    let mut short_run = whole_run(1);
    for round in 0..ROUNDS {
        let end = (i64::try_from(round).unwrap() + 1) * NEW;
        for table in ["met", "wind"] {
            site.write(table, (end - KEPT).max(0)..end);
        }
        let arguments = [&["ingest"][..], &["sync"], &["run"], &["run"]][usize::try_from(dice.below(4)).unwrap()];
        let longest_life = LONGEST_LIFE.max(short_run * SHORT_RUNS_IN_A_LIFE);
        match ended_before(&site, arguments, longest_life.mul_f64(dice.below(1_000) as f64 / 1_000.0)) {
            Some(took) => short_run = short_run.min(took),
            None => killed += 1,
        }
        if round % 3 == 2 {
            // The file moves on by 25 rows a round and keeps 80, so a round may miss twice, not thrice. What else runs on the
            // machine changes, and with it how long a run takes: the last whole one tells.
            short_run = whole_run(0);
        }
        if round % 20 == 19 {
            // What is marked was acknowledged, whatever happened so far.
            assert!(site.in_state("sent").is_subset(&server.points().rows()), "round {round}");
        }
    }
    assert!(killed > ROUNDS / 4, "only {killed} of {ROUNDS} were killed: the test tests nothing");
    assert!(killed < ROUNDS || site.count("sent") > 0, "nothing ever came to its end");

    site.run(&["run"]).expect(0);
    let rows = usize::try_from(ROUNDS).unwrap() * usize::try_from(NEW).unwrap();
    let points = server.points();
    // `states` fails on a row that is staged twice.
    assert_eq!((site.states().len(), site.count("sent"), points.len()), (2 * rows, 2 * rows, 2 * rows));
    assert_eq!(site.in_state("sent"), points.rows());
    assert_eq!(points.changed, 0);
    let store = rusqlite::Connection::open(site.path("store.db")).unwrap();
    let integrity: String = store.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(integrity, "ok");
    let status = site.run(&["status", "--json"]).expect(0).json();
    for table in status["tables"].as_array().unwrap() {
        let kept = ["rows", "sent", "pending", "conflicts", "gaps"].map(|key| table[key].as_u64().unwrap());
        assert_eq!(kept, [rows as u64, rows as u64, 0, 0, 0], "{table}");
    }
}
