//! Lists the files of `web/`, which the program carries within itself: a new script of the page is served without being
//! named in Rust a second time.

#![allow(clippy::print_stdout, reason = "this is how a build script talks to cargo")]

use std::error::Error;
use std::fmt::Write;
use std::path::{Path, PathBuf};

fn main() -> Result<(), Box<dyn Error>> {
    let web = PathBuf::from(std::env::var("CARGO_MANIFEST_DIR")?).join("web");
    println!("cargo:rerun-if-changed=web");
    let mut files = Vec::new();
    collect(&web, &mut files)?;
    files.sort();
    let mut list = String::from("&[\n");
    for file in &files {
        let name: Vec<_> = file.strip_prefix(&web)?.iter().map(|part| part.to_string_lossy()).collect();
        writeln!(list, "    ({:?}, include_bytes!({:?})),", name.join("/"), file.display().to_string())?;
    }
    list.push_str("]\n");
    std::fs::write(PathBuf::from(std::env::var("OUT_DIR")?).join("assets.rs"), list)?;
    Ok(())
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let is_served =
            path.extension().is_some_and(|ending| ["html", "js", "css"].iter().any(|known| ending == *known));
        if path.is_dir() {
            collect(&path, files)?;
        } else if is_served {
            files.push(path);
        }
    }
    Ok(())
}
