//! `init` on files that loggers wrote, then `run` without an edit, against what an independent reader counted in them.
//!
//! The files are not part of this repository: FLUXTOWER_REAL_FILES names the folder that holds them.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

use crate::real::{facts, folder};

/// What is known of each file that is TOA5 as LoggerNet writes it.
fn toa5_facts() -> Vec<Value> {
    let toa5: Vec<Value> = facts()
        .into_iter()
        .filter(|fact| fact["format"] == "TOA5" && fact["bom"].as_str().is_none_or(str::is_empty))
        .collect();
    assert!(toa5.len() >= 10, "FACTS.jsonl holds {} TOA5 files only", toa5.len());
    toa5
}

fn number(value: &Value, key: &str) -> u64 {
    value[key].as_u64().unwrap_or(0)
}

fn fluxtower(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_fluxtower")).current_dir(folder).args(arguments).output().unwrap()
}

/// Runs the configuration as `init` left it; the report of each table.
fn run(folder: &Path) -> Vec<Value> {
    let done = fluxtower(folder, &["--json", "run"]);
    assert!(matches!(done.status.code(), Some(0 | 1)), "{done:?}");
    let report: Value = serde_json::from_slice(&done.stdout).unwrap();
    assert_eq!(number(&report["sync"], "pending"), 0, "{report}");
    report["ingest"]["tables"].as_array().unwrap().clone()
}

/// Values of the store flagged suspect or failed, and all values with a number.
fn flagged(folder: &Path) -> (u64, u64) {
    let store = rusqlite::Connection::open(folder.join("fluxtower.db")).unwrap();
    let count = |digits: &str| -> u64 {
        let sum = digits.chars().map(|digit| format!("length(flags) - length(replace(flags, '{digit}', ''))"));
        let sql = format!("SELECT coalesce(sum({}), 0) FROM reading", sum.collect::<Vec<_>>().join(" + "));
        store.query_row(&sql, [], |row| row.get::<_, i64>(0)).unwrap().cast_unsigned()
    };
    (count("34"), count("134"))
}

#[test]
#[ignore = "needs FLUXTOWER_REAL_FILES, see .ci/run"]
fn init_then_run_stages_every_good_row_of_every_real_file() {
    for fact in toa5_facts() {
        let name = fact["name"].as_str().unwrap();
        let place = tempfile::tempdir().unwrap();
        std::fs::copy(folder().join(name), place.path().join(name)).unwrap();
        let done = fluxtower(place.path(), &["init", name, "--utc-offset", "-05:00"]);
        assert_eq!(done.status.code(), Some(0), "{name}: {done:?}");
        let tables = run(place.path());
        assert_eq!(tables.len(), 1, "{name}");
        let counts = &tables[0];
        // A last line without its end waits until the file has been still.
        let waits = u64::from(fact["final_newline"] == Value::Bool(false));
        assert_eq!(number(counts, "staged") + waits, number(&fact, "distinct_ts"), "{name}: {counts}");
        assert_eq!(number(counts, "deferred"), waits, "{name}: {counts}");
        assert_eq!(number(counts, "duplicates"), number(&fact, "dup_rows"), "{name}: {counts}");
        assert_eq!(number(counts, "conflicts"), number(&fact, "dup_ts_conflict"), "{name}: {counts}");
        assert_eq!(number(counts, "rejected"), 0, "{name}: {counts}");
        let (flagged, tested) = flagged(place.path());
        assert!(flagged * 100 <= tested, "a guess flags {flagged} of {tested} values of {name}");
    }
}

#[test]
#[ignore = "needs FLUXTOWER_REAL_FILES, see .ci/run"]
fn init_then_run_stages_every_good_row_of_all_real_files_together() {
    let place = tempfile::tempdir().unwrap();
    let files = place.path().join("loggernet");
    std::fs::create_dir(&files).unwrap();
    for entry in std::fs::read_dir(folder()).unwrap() {
        let path = entry.unwrap().path();
        std::fs::copy(&path, files.join(path.file_name().unwrap())).unwrap();
    }
    let done = fluxtower(place.path(), &["init", "loggernet", "--utc-offset", "-05:00"]);
    assert_eq!(done.status.code(), Some(0), "{done:?}");
    let read = |name: &str| name.ends_with(".dat") || name.ends_with(".csv");
    let expected: u64 = toa5_facts()
        .iter()
        .filter(|fact| read(fact["name"].as_str().unwrap()))
        .map(|fact| number(fact, "distinct_ts") - u64::from(fact["final_newline"] == Value::Bool(false)))
        .sum();
    let staged: u64 = run(place.path()).iter().map(|table| number(table, "staged")).sum();
    assert_eq!(staged, expected);
}
