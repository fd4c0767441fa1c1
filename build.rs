//! Builds the assets that the program contains from `web/`: the page, one script and one style sheet.
//!
//! `web/index.html` names its scripts and styles, one file for each job, and is the only list of them. A browser opens six
//! connections to a host, and thirty small files cost it a tenth of a second more than one. They are therefore joined here,
//! in the order of the page.

#![allow(clippy::print_stdout, reason = "a build script talks to cargo this way")]

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

const PAGE: &str = "index.html";
const SCRIPT: Part = Part { name: "page.js", begin: "<script src=\"/app/", end: "\" defer></script>", between: ";\n" };
const STYLE: Part =
    Part { name: "page.css", begin: "<link rel=\"stylesheet\" href=\"/app/", end: "\">", between: "\n" };

/// A kind of file that the page names, one per line.
struct Part {
    /// Name of the joined file.
    name: &'static str,
    begin: &'static str,
    end: &'static str,
    /// Written after each file, so that its last line does not run into the next file's first.
    between: &'static str,
}

fn main() -> Result<(), Box<dyn Error>> {
    let web = PathBuf::from(std::env::var("CARGO_MANIFEST_DIR")?).join("web");
    println!("cargo:rerun-if-changed=web");
    let out = PathBuf::from(std::env::var("OUT_DIR")?);
    let mut page = read(&web, PAGE)?;
    let mut list = String::from("&[\n");
    for part in [SCRIPT, STYLE] {
        let (shorter, together) = part.put_together(&page, &web)?;
        page = shorter;
        fs::write(out.join(part.name), together)?;
        list.push_str(&entry(part.name, &out));
    }
    fs::write(out.join(PAGE), page)?;
    list.push_str(&entry(PAGE, &out));
    list.push_str("]\n");
    fs::write(out.join("assets.rs"), list)?;
    Ok(())
}

fn read(web: &Path, name: &str) -> Result<String, Box<dyn Error>> {
    fs::read_to_string(web.join(name)).map_err(|error| format!("web/{name}: {error}").into())
}

/// Name and content, as Rust source.
fn entry(name: &str, folder: &Path) -> String {
    format!("    ({name:?}, include_bytes!({:?})),\n", folder.join(name).display().to_string())
}

impl Part {
    /// The page with one line in place of many, and the joined content of the files.
    fn put_together(&self, page: &str, web: &Path) -> Result<(String, String), Box<dyn Error>> {
        let (mut shorter, mut together) = (String::new(), String::new());
        for line in page.lines() {
            let named = line.trim().strip_prefix(self.begin).and_then(|rest| rest.strip_suffix(self.end));
            let Some(name) = named else {
                shorter.push_str(line);
                shorter.push('\n');
                continue;
            };
            if together.is_empty() {
                shorter.push_str(&format!("{}{}{}\n", self.begin, self.name, self.end));
            }
            // Vendored code is distributed with its licence.
            if let Some((stem, _)) = name.strip_prefix("vendor/").and_then(|file| file.split_once('.')) {
                together.push_str(&format!("/*\n{}*/\n", read(web, &format!("vendor/{stem}.LICENSE"))?));
            }
            together.push_str(&read(web, name)?);
            together.push_str(self.between);
        }
        if together.is_empty() {
            return Err(format!("web/{PAGE} names no file for {}", self.name).into());
        }
        Ok((shorter, together))
    }
}
