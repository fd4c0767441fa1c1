//! Files that loggers wrote, and what an independent reader counted in them.

use std::path::PathBuf;

use serde_json::Value;

/// Where they are.
pub fn folder() -> PathBuf {
    let folder =
        std::env::var("FLUXTOWER_REAL_FILES").expect("FLUXTOWER_REAL_FILES must name the folder of real files");
    PathBuf::from(folder)
}

/// A line of FACTS.jsonl for each of them.
pub fn facts() -> Vec<Value> {
    let text = std::fs::read_to_string(folder().join("FACTS.jsonl")).unwrap();
    let facts: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(facts.len() >= 10, "FACTS.jsonl holds {} files only", facts.len());
    facts
}
