//! Data flows one way: each module uses only the modules that this table lists for it, all of which stand before it.
//!
//! The table is the drawing of `lib.rs` in full. A module that needs another one more gets an arrow here, which is then seen
//! in a review. That no arrow leads upwards follows from the order of the table and is tested; that the arrows of the sources
//! form no cycle is tested apart, without the table.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Lowest first: a module, and what it may use.
const ARROWS: [(&str, &[&str]); 21] = [
    ("time", &[]),
    ("text", &[]),
    ("sun", &["time"]),
    ("ameriflux", &["text"]),
    ("quantity", &["ameriflux"]),
    // A test knows nothing of the file that configures it: the configuration reads settings by the keys that `qc` lists.
    ("qc", &["time", "text", "sun", "ameriflux", "quantity"]),
    ("config", &["time", "text", "sun", "ameriflux", "quantity", "qc"]),
    ("source", &["time", "text", "config"]),
    ("format", &["time", "text", "sun", "quantity", "qc", "config", "source"]),
    ("draft", &["time", "text", "sun", "ameriflux", "quantity", "config", "source", "format", "qc"]),
    ("store", &["time", "text", "quantity", "config", "format", "qc"]),
    ("line", &["time", "text", "ameriflux", "qc", "config"]),
    ("ingest", &["time", "text", "ameriflux", "quantity", "config", "source", "format", "qc", "store"]),
    ("destination", &["time", "text", "config"]),
    ("sync", &["time", "text", "quantity", "config", "qc", "store", "line", "destination"]),
    ("verify", &["time", "text", "config", "store", "line", "destination", "sync"]),
    ("export", &["time", "text", "ameriflux", "quantity", "config", "qc", "store"]),
    (
        "status",
        &[
            "time",
            "text",
            "sun",
            "ameriflux",
            "quantity",
            "config",
            "source",
            "format",
            "qc",
            "store",
            "ingest",
            "line",
            "destination",
            "sync",
        ],
    ),
    ("notify", &["time", "text", "config", "store", "destination", "status"]),
    (
        "agent",
        &["time", "text", "config", "source", "store", "ingest", "destination", "sync", "verify", "status", "notify"],
    ),
    (
        "view",
        &[
            "time",
            "text",
            "sun",
            "ameriflux",
            "quantity",
            "config",
            "format",
            "qc",
            "store",
            "line",
            "sync",
            "export",
            "status",
        ],
    ),
];
/// Stands on top, and may use all.
const TOP: &str = "cli";

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push(path);
        }
    }
}

/// The modules that a line names behind `crate::`.
fn uses(line: &str) -> Vec<String> {
    line.split("crate::")
        .skip(1)
        .map(|rest| {
            rest.chars()
                .take_while(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || *letter == '_')
                .collect()
        })
        .filter(|name: &String| !name.is_empty())
        .collect()
}

/// Which module uses which, with a line that shows it. Unit tests are left out: they may look anywhere.
fn graph() -> BTreeMap<String, BTreeMap<String, String>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&root, &mut files);
    assert!(files.len() > 40, "the sources were not found");
    let mut graph: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
    for file in files {
        let inside = file.strip_prefix(&root).unwrap();
        let module = inside.components().next().unwrap().as_os_str().to_str().unwrap().trim_end_matches(".rs");
        if matches!(module, "lib" | "main") {
            continue;
        }
        let arrows = graph.entry(module.to_owned()).or_default();
        let text = std::fs::read_to_string(&file).unwrap();
        for line in text.lines().take_while(|line| !line.contains("#[cfg(test)]")) {
            if line.trim_start().starts_with("//") {
                continue;
            }
            assert!(
                !line.contains("crate::{"),
                "{}: import each module on a line of its own: {line}",
                inside.display()
            );
            for used in uses(line).into_iter().filter(|used| used != module) {
                arrows.entry(used).or_insert_with(|| format!("{}: {}", inside.display(), line.trim()));
            }
        }
    }
    graph
}

#[test]
fn every_module_uses_only_what_is_listed_for_it() {
    let mut wrong = Vec::new();
    for (module, used) in graph() {
        if module == TOP {
            continue;
        }
        let allowed = ARROWS.iter().find(|(known, _)| *known == module);
        let (_, allowed) =
            allowed.unwrap_or_else(|| panic!("module {module} has no place; give it one here and in lib.rs"));
        wrong.extend(used.into_iter().filter(|(used, _)| !allowed.contains(&used.as_str())).map(|(_, line)| line));
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn no_listed_arrow_leads_upwards() {
    for (place, (module, allowed)) in ARROWS.iter().enumerate() {
        for used in *allowed {
            let below = ARROWS[..place].iter().any(|(known, _)| known == used);
            assert!(below, "{module} may use {used}, which does not stand before it");
        }
    }
}

#[test]
fn the_modules_form_no_cycle() {
    let mut graph: BTreeMap<String, BTreeSet<String>> =
        graph().into_iter().map(|(module, used)| (module, used.into_keys().collect())).collect();
    // Modules that use none of those that are left are taken away until none is left.
    loop {
        let left: BTreeSet<String> = graph.keys().cloned().collect();
        let before = graph.len();
        graph.retain(|_, used| used.iter().any(|used| left.contains(used)));
        if graph.is_empty() {
            return;
        }
        assert!(graph.len() < before, "these modules use each other: {graph:#?}");
    }
}
