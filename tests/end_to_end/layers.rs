//! Data flows one way: no module uses what stands to the right of it.

use std::path::{Path, PathBuf};

/// Each uses only what stands before it. `qc` stands before `config`, which reads the settings of the tests by the keys that
/// `qc` lists; so a test knows nothing of the file that configures it.
const ORDER: [&str; 13] = [
    "time",
    "text",
    "ameriflux",
    "qc",
    "config",
    "source",
    "format",
    "draft",
    "store",
    "line",
    "ingest",
    "destination",
    "sync",
];
/// On top of everything.
const TOP: [&str; 6] = ["verify", "prune", "export", "status", "view", "cli"];

fn rank(module: &str) -> usize {
    let known = ORDER.iter().chain(&TOP).position(|known| *known == module);
    known.unwrap_or_else(|| panic!("module {module} has no place in the flow; give it one here and in lib.rs"))
}

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

#[test]
fn qc_stands_before_the_configuration_and_the_formats() {
    assert!(rank("qc") < rank("config") && rank("qc") < rank("format"));
}

#[test]
fn no_module_uses_what_stands_to_the_right_of_it() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&root, &mut files);
    assert!(files.len() > 40, "the sources were not found");
    let mut wrong = Vec::new();
    for file in files {
        let inside = file.strip_prefix(&root).unwrap();
        let module = inside.components().next().unwrap().as_os_str().to_str().unwrap().trim_end_matches(".rs");
        if matches!(module, "lib" | "main") {
            continue;
        }
        let text = std::fs::read_to_string(&file).unwrap();
        for line in text.lines().take_while(|line| !line.contains("#[cfg(test)]")) {
            if line.trim_start().starts_with("//") {
                continue;
            }
            for used in uses(line) {
                if rank(&used) > rank(module) {
                    wrong.push(format!("{}: {}", inside.display(), line.trim()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
