//! Files that loggers wrote, against what an independent reader counted in them (`FACTS.jsonl` beside them).
//!
//! The files are not part of this repository: FLUXTOWER_REAL_FILES names the folder that holds them.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::real::{facts, folder};

/// A copy of one real file with a config of its own.
struct Site {
    folder: tempfile::TempDir,
}

impl Site {
    fn new(name: &str) -> Site {
        let site = Site { folder: tempfile::tempdir().unwrap() };
        std::fs::copy(folder().join(name), site.path().join(name)).unwrap();
        let config = format!(
            "[station]\nname = \"X\"\nutc_offset = \"+00:00\"\n[store]\npath = \"s.db\"\n[destination]\nkind = \"files\"\npath = \"o\"\n[[table]]\nname = \"t\"\nfiles = [\"{name}\"]\n"
        );
        std::fs::write(site.path().join("config.toml"), config).unwrap();
        site
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn json(&self, command: &str) -> Value {
        let config = self.path().join("config.toml");
        let output = Command::new(env!("CARGO_BIN_EXE_fluxtower"))
            .arg("--config")
            .arg(config)
            .args(["--json", command])
            .output()
            .unwrap();
        serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"))
    }

    fn ingest(&self) -> Value {
        self.json("ingest")["tables"][0].clone()
    }
}

fn number(value: &Value, key: &str) -> u64 {
    value[key].as_u64().unwrap_or(0)
}

#[test]
#[ignore = "needs FLUXTOWER_REAL_FILES, see .ci/run"]
fn i1_every_line_of_every_real_file_has_its_place_and_the_counts_are_those_of_an_independent_reader() {
    for fact in facts() {
        let name = fact["name"].as_str().unwrap();
        let site = Site::new(name);
        let counts = site.ingest();
        let places = ["header", "staged", "duplicates", "conflicts", "rejected", "deferred", "blank"];
        let sum: u64 = places.iter().map(|place| number(&counts, place)).sum();
        assert_eq!(sum, number(&counts, "lines"), "{name}: {counts}");
        if let Some(lines) = fact["physical_lines"].as_u64() {
            assert_eq!(number(&counts, "lines"), lines, "{name}");
        }
        if number(&counts, "header") == 0 {
            let note = counts["notes"].to_string();
            let format = if fact["bom"].as_str().is_some_and(|bom| !bom.is_empty()) {
                "spreadsheet"
            } else {
                fact["format"].as_str().unwrap()
            };
            assert!(note.contains(format), "{name} is refused as what it is: {note}");
            assert_eq!(number(&counts, "staged"), 0, "{name}");
            continue;
        }
        let waits = u64::from(fact["final_newline"] == Value::Bool(false));
        assert_eq!(number(&counts, "deferred"), waits, "{name}");
        assert_eq!(number(&counts, "staged") + waits, number(&fact, "distinct_ts"), "{name}");
        assert_eq!(number(&counts, "duplicates"), number(&fact, "dup_rows"), "{name}");
        assert_eq!(number(&counts, "conflicts"), number(&fact, "dup_ts_conflict"), "{name}");
        assert_eq!(number(&counts, "rejected"), number(&fact, "bad_width") + number(&fact, "bad_ts"), "{name}");
        let rows = number(&counts, "staged") + number(&counts, "duplicates") + number(&counts, "conflicts") + waits;
        assert_eq!(rows, number(&fact, "n_data"), "{name}");

        let store = rusqlite::Connection::open(site.path().join("s.db")).unwrap();
        let missing: i64 = store
            .query_row(
                "SELECT count(*) FROM reading, json_each(reading.vals) WHERE json_each.value IS NULL",
                [],
                |row| row.get(0),
            )
            .unwrap();
        // The facts count as CardConvert prints: NAN of a big-endian eight-byte column as 4.09545187592563E-312, which is
        // 7F FF FF FF C0 00 00 00 read backwards.
        let read_backwards = if fact["format"] == "TOB1" { number(&fact, "n_data") } else { 0 };
        assert_eq!(missing.cast_unsigned(), number(&fact, "nan_total") + read_backwards, "NAN in {name}");
        let flagged: i64 = store
            .query_row(
                "SELECT coalesce(sum(length(flags) - length(replace(flags, '9', ''))), 0) FROM reading",
                [],
                |row| row.get(0),
            )
            .unwrap();
        let empty = fact["tokens"]["empty_q"].as_u64().unwrap_or(0);
        assert_eq!(
            flagged.cast_unsigned(),
            missing.cast_unsigned() + number(&fact, "inf_total") + empty,
            "missing values flagged in {name}"
        );
        let lost: u64 = site.json("gaps")["gaps"].as_array().unwrap().iter().map(|gap| number(gap, "missing")).sum();
        assert_eq!(lost, number(&fact, "rec_missing"), "records missing in {name}");
    }
}

#[test]
#[ignore = "needs FLUXTOWER_REAL_FILES, see .ci/run"]
fn i3_reading_a_real_file_again_whole_changes_nothing() {
    for fact in facts() {
        let name = fact["name"].as_str().unwrap();
        let site = Site::new(name);
        let first = site.ingest();
        let dump = |site: &Site| -> String {
            let store = rusqlite::Connection::open(site.path().join("s.db")).unwrap();
            let mut rows = store.prepare("SELECT id, record, vals, flags, state FROM reading ORDER BY id").unwrap();
            let rows = rows.query_map([], |row| {
                Ok(format!(
                    "{:?}{:?}{}{}{}",
                    row.get::<_, i64>(0)?,
                    row.get::<_, Option<i64>>(1)?,
                    row.get::<_, String>(2)?,
                    row.get::<_, String>(3)?,
                    row.get::<_, i64>(4)?
                ))
            });
            rows.unwrap().map(Result::unwrap).collect::<Vec<_>>().join("\n")
        };
        let before = dump(&site);
        let unchanged = site.ingest();
        assert_eq!(
            (number(&unchanged, "lines"), unchanged["sources"][0]["unchanged"].clone()),
            (0, Value::Bool(true)),
            "{name}"
        );
        let config = site.path().join("config.toml");
        let again = Command::new(env!("CARGO_BIN_EXE_fluxtower"))
            .arg("--config")
            .arg(config)
            .args(["--json", "ingest"])
            .arg(site.path().join(name))
            .output()
            .unwrap();
        let again: Value = serde_json::from_slice(&again.stdout).unwrap();
        let again = &again["tables"][0];
        assert_eq!(number(again, "staged"), 0, "{name}");
        assert_eq!(number(again, "lines"), number(&first, "lines"), "{name}");
        assert_eq!(number(again, "duplicates"), number(&first, "staged") + number(&first, "duplicates"), "{name}");
        assert_eq!(number(again, "conflicts"), number(&first, "conflicts"), "{name}");
        assert_eq!(dump(&site), before, "{name}");
    }
}
