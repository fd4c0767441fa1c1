//! Dashboards made by the program, and how Grafana reads their queries.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

use crate::support::grafana::panels;

/// A folder with a configuration in it.
pub struct Made {
    folder: TempDir,
}

/// Of the project.
pub fn project(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

impl Made {
    pub fn of(config: &str) -> Made {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("config.toml"), config).unwrap();
        Made { folder }
    }

    /// The tower of 61 fields.
    pub fn example() -> Made {
        Made::of(&fs::read_to_string(project("examples/us-umb/config.toml")).unwrap())
    }

    /// Names that try to be something else.
    pub fn hostile() -> Made {
        Made::of(&fs::read_to_string(project("tests/grafana/hostile.toml")).unwrap())
    }

    /// The shipped configuration with its samples read.
    pub fn shipped() -> Made {
        let made = Made::of(&fs::read_to_string(project("config.toml")).unwrap());
        fs::create_dir(made.path("samples")).unwrap();
        for sample in fs::read_dir(project("samples")).unwrap() {
            let sample = sample.unwrap();
            fs::copy(sample.path(), made.path("samples").join(sample.file_name())).unwrap();
        }
        assert!(made.run(&["ingest"]).status.success());
        made
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn run(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_fluxtower"));
        command.current_dir(self.folder.path()).args(arguments);
        crate::support::start(|| command.output())
    }

    /// What stands on stdout of `dashboard --grafana`.
    pub fn dashboard(&self, options: &[&str]) -> Value {
        let done = self.run(&[&["--quiet", "dashboard", "--grafana"], options].concat());
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        serde_json::from_slice(&done.stdout).unwrap()
    }
}

/// The text of each query of a panel.
pub fn queries(panel: &Value) -> Vec<String> {
    let targets = panel["targets"].as_array().cloned().unwrap_or_default();
    let text = |target: &Value| target["query"].as_str().or(target["rawSql"].as_str()).unwrap().to_owned();
    targets.iter().map(text).collect()
}

/// Every query of every panel.
pub fn all_queries(dashboard: &Value) -> Vec<String> {
    panels(dashboard).iter().flat_map(queries).collect()
}

/// The text as Grafana sends it: `${name}`, `${name:format}`, `$name` and `[[name]]` are replaced, once, where there is such
/// a variable; everything else stays.
pub fn interpolated(text: &str, station: &str, step: &str) -> String {
    let value = |name: &str, format: &str| -> Option<String> {
        let raw = match name {
            "station" => station,
            "step" => step,
            "dollar" => "$",
            "bracket" => "[",
            "bucket" => "fluxtower",
            "datasource" => "uid",
            _ => return None,
        };
        Some(match format {
            "singlequote" => format!("'{}'", raw.replace('\'', "\\'")),
            "doublequote" => format!("\"{}\"", raw.replace('"', "\\\"")),
            "sqlstring" => format!("'{}'", raw.replace('\'', "''")),
            _ => raw.to_owned(),
        })
    };
    let is_word = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    let mut out = String::new();
    let mut rest = text;
    while let Some(letter) = rest.chars().next() {
        let found = if let Some((inside, after)) = rest.strip_prefix("${").and_then(|rest| rest.split_once('}')) {
            let (name, format) = inside.split_once(':').unwrap_or((inside, ""));
            value(name, format).map(|value| (value, after))
        } else if let Some((name, after)) = rest.strip_prefix("[[").and_then(|rest| rest.split_once("]]")) {
            value(name, "").map(|value| (value, after))
        } else if let Some(after) = rest.strip_prefix('$') {
            let name: String = after.chars().take_while(|letter| is_word(*letter)).collect();
            value(&name, "").map(|value| (value, &after[name.len()..]))
        } else {
            None
        };
        if let Some((value, after)) = found {
            out += &value;
            rest = after;
        } else {
            out.push(letter);
            rest = &rest[letter.len_utf8()..];
        }
    }
    out
}
