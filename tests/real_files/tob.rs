//! Binary files that loggers wrote, each beside the TOA5 file that Campbell's CardConvert made of it
//! (`NAME.dat`, `NAME.cardconvert.dat`).
//!
//! The files are not part of this repository: FLUXTOWER_TOB_FILES names the folder that holds them.

use std::path::{Path, PathBuf};
use std::process::Command;

use fluxtower::format;
use fluxtower::source::QuietFile;
use serde_json::Value;

fn folder() -> PathBuf {
    std::env::var_os("FLUXTOWER_TOB_FILES").expect("FLUXTOWER_TOB_FILES names the folder").into()
}

/// The pairs: binary file, text file.
fn pairs() -> Vec<(PathBuf, PathBuf)> {
    let mut found: Vec<_> = std::fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter_map(|text| {
            let name = text.to_str()?.strip_suffix(".cardconvert.dat")?.to_owned();
            Some((PathBuf::from(format!("{name}.dat")), text))
        })
        .collect();
    found.sort();
    assert!(!found.is_empty(), "no NAME.cardconvert.dat in {}", folder().display());
    found
}

/// The lines that a binary file is read as.
fn lines(path: &Path) -> Vec<String> {
    let mut file = QuietFile::open(path).unwrap();
    format::begin(&mut file, &fluxtower::config::FileFormat::Logger(None)).unwrap().unwrap();
    let mut text = Vec::new();
    while let Some(chunk) = file.next_chunk().unwrap() {
        if !chunk.is_tail {
            text.extend_from_slice(chunk.bytes);
        }
    }
    String::from_utf8(text).unwrap().lines().map(str::to_owned).filter(|line| !line.is_empty()).collect()
}

/// CardConvert reads eight-byte numbers of a CR1000X as if the lowest byte came first, and prints what is nearly zero: the value
/// whose bytes in the other order are ours.
fn is_read_backwards(ours: &str, theirs: &str) -> bool {
    let Some(small) = theirs.parse::<f64>().ok().filter(|small| small.abs() < 1e-300) else { return false };
    let meant = f64::from_bits(small.to_bits().swap_bytes());
    match ours {
        "\"NAN\"" => meant.is_nan(),
        ours => ours.parse::<f64>().is_ok_and(|ours| (ours - meant).abs() <= meant.abs() * 1e-14),
    }
}

#[test]
#[ignore = "needs FLUXTOWER_TOB_FILES, see .ci/run"]
fn every_value_of_a_binary_file_is_the_one_that_cardconvert_prints() {
    let (mut values, mut backwards) = (0, 0);
    let pairs = pairs();
    for (binary, text) in &pairs {
        let ours = lines(binary);
        let theirs = std::fs::read_to_string(text).unwrap();
        let theirs: Vec<&str> = theirs.lines().collect();
        assert_eq!(ours.len(), theirs.len(), "lines of {}", binary.display());
        for (number, (ours, theirs)) in ours.iter().zip(theirs).enumerate() {
            let (ours, theirs): (Vec<&str>, Vec<&str>) = (ours.split(',').collect(), theirs.split(',').collect());
            assert_eq!(ours.len(), theirs.len(), "{}:{number}", binary.display());
            for (ours, theirs) in ours.into_iter().zip(theirs) {
                values += 1;
                if is_read_backwards(ours, theirs) {
                    backwards += 1;
                } else {
                    assert_eq!(ours, theirs, "{}, line {}", binary.display(), number + 1);
                }
            }
        }
    }
    println!("{} pairs, {values} fields, 0 differ; {backwards} were printed with their bytes swapped", pairs.len());
}

#[test]
#[ignore = "needs FLUXTOWER_TOB_FILES, see .ci/run"]
fn i1_i3_a_table_whose_format_changes_to_text_has_each_row_once() {
    for (binary, text) in pairs() {
        let site = tempfile::tempdir().unwrap();
        std::fs::copy(&binary, site.path().join("t.dat")).unwrap();
        let config = "[station]\nname = \"X\"\nutc_offset = \"+00:00\"\n[store]\npath = \"s.db\"\n[destination]\nkind = \"files\"\npath = \"o\"\n[[table]]\nname = \"t\"\nfiles = [\"t.dat\"]\n";
        std::fs::write(site.path().join("config.toml"), config).unwrap();
        let ingest = || -> Value {
            let output = Command::new(env!("CARGO_BIN_EXE_fluxtower"))
                .arg("--config")
                .arg(site.path().join("config.toml"))
                .args(["--json", "ingest"])
                .output()
                .unwrap();
            serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"))
        };
        let first = ingest()["tables"][0].clone();
        let rows = std::fs::read_to_string(&text).unwrap().lines().count() as u64 - 4;
        assert_eq!(first["staged"], rows, "{}: {first}", binary.display());
        std::fs::copy(&text, site.path().join("t.dat")).unwrap();
        let second = ingest()["tables"][0].clone();
        let known = second["duplicates"].as_u64().unwrap() + second["conflicts"].as_u64().unwrap();
        assert_eq!((second["staged"].as_u64(), known), (Some(0), rows), "{}: {second}", text.display());
        // CardConvert's text of eight-byte numbers of a TOB1 file is another value: see `is_read_backwards`.
        if binary.file_name().is_some_and(|name| name.to_string_lossy().contains("TOB3")) {
            assert_eq!(second["conflicts"], 0, "{second}");
        }
    }
}
