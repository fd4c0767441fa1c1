//! `init` on files that loggers wrote, then `run` without an edit, against what an independent reader counted in them.
//!
//! The files are not part of this repository: FLUXTOWER_REAL_FILES names the folder that holds them.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

use crate::real::{facts, folder};

/// What is known of each file that is TOA5 as LoggerNet writes it.
fn facts_of(formats: &[&str]) -> Vec<Value> {
    let is_one = |fact: &Value| formats.iter().any(|format| fact["format"] == *format);
    let has_no_bom = |fact: &Value| fact["bom"].as_str().is_none_or(str::is_empty);
    facts().into_iter().filter(|fact| is_one(fact) && has_no_bom(fact)).collect()
}

fn toa5_facts() -> Vec<Value> {
    let toa5 = facts_of(&["TOA5"]);
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

/// What the draft flags of a real file: the column, the values that are suspect and that fail.
type Flagged = (&'static str, u64, u64);

/// Every value of the real files that a draft flags without an edit. Each is judged in docs/qc.md, section "What a draft flags".
const FLAGGED: [(&str, &[Flagged]); 3] = [
    ("camp2ascii_TOB1_full10.cardconvert.dat", &[("temp(4)", 0, 200), ("temp(5)", 0, 200)]),
    ("eurac_LTER_M1_dups.dat", &[("SR_SW_Avg", 33, 1_861)]),
    ("uaf_GOF_Table1.dat", &[("PAR_Den_Avg", 2, 361)]),
];

/// Where the stations are whose radiometers are held against the sun.
fn place(name: &str) -> [&'static str; 3] {
    match name.split('_').next() {
        Some("eurac") => ["+01:00", "46.69", "10.58"],
        Some("uaf") => ["-09:00", "64.86", "-147.85"],
        Some("arm") => ["+00:00", "39.09", "-28.03"],
        _ => ["-05:00", "45.56", "-84.71"],
    }
}

/// The columns that have flags of suspect or fail, with how many.
fn flagged(folder: &Path, table: &str) -> Vec<(String, u64, u64)> {
    let done = fluxtower(folder, &["flags", "--table", table, "--since", "2000-01-01", "--summary", "--json"]);
    let summary: Value = serde_json::from_slice(&done.stdout).unwrap();
    let columns = summary["columns"].as_array().unwrap().iter();
    let counts = columns.map(|column| {
        (column["column"].as_str().unwrap().to_owned(), number(column, "suspect"), number(column, "fail"))
    });
    counts.filter(|(_, suspect, fail)| suspect + fail > 0).collect()
}

#[test]
#[ignore = "needs FLUXTOWER_REAL_FILES, see .ci/run"]
fn init_then_run_stages_every_good_row_of_every_real_file_and_flags_true_faults_alone() {
    let facts = toa5_facts();
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/qc.md");
    let page = std::fs::read_to_string(page).unwrap();
    assert!(page.contains(&format!("Of {} real files of loggers", facts.len())), "docs/qc.md is about other files");
    for fact in facts {
        let name = fact["name"].as_str().unwrap();
        let place = tempfile::tempdir().unwrap();
        std::fs::copy(folder().join(name), place.path().join(name)).unwrap();
        let [offset, latitude, longitude] = self::place(name);
        let position = ["--utc-offset", offset, "--latitude", latitude, "--longitude", longitude];
        let done = fluxtower(place.path(), &[&["init", name], &position[..]].concat());
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
        let known = FLAGGED.iter().find(|(known, _)| *known == name).map_or(&[][..], |(_, flagged)| *flagged);
        let flagged = flagged(place.path(), counts["table"].as_str().unwrap());
        let flagged: Vec<(&str, u64, u64)> =
            flagged.iter().map(|(column, suspect, fail)| (column.as_str(), *suspect, *fail)).collect();
        assert_eq!(flagged, known, "{name}");
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
    let expected: u64 = facts_of(&["TOA5", "TOB1", "TOACI1"])
        .iter()
        .filter(|fact| read(fact["name"].as_str().unwrap()))
        .map(|fact| number(fact, "distinct_ts") - u64::from(fact["final_newline"] == Value::Bool(false)))
        .sum();
    let staged: u64 = run(place.path()).iter().map(|table| number(table, "staged")).sum();
    assert_eq!(staged, expected);
}
