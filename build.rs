//! Builds the assets that the program contains from `web/`: each page, its script and its style sheet.
//!
//! `web/index.html`, and `web/stations.html` for several stations, name their scripts and styles, one file for each job, and are the only lists of them. A browser opens six
//! connections to a host, and thirty small files cost it a tenth of a second more than one. They are therefore joined here,
//! in the order of the page.

#![allow(clippy::print_stdout, reason = "a build script talks to cargo this way")]

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

/// A page, and the name of its joined files.
const PAGES: [(&str, &str); 2] = [("index.html", "page"), ("stations.html", "stations")];
const SCRIPT: Part = Part { kind: "js", begin: "<script src=\"/app/", end: "\" defer></script>", between: ";\n" };
const STYLE: Part = Part { kind: "css", begin: "<link rel=\"stylesheet\" href=\"/app/", end: "\">", between: "\n" };

/// A kind of file that the page names, one per line.
struct Part {
    /// How the name of the joined file ends.
    kind: &'static str,
    begin: &'static str,
    end: &'static str,
    /// Written after each file, so that its last line does not run into the next file's first.
    between: &'static str,
}

fn main() -> Result<(), Box<dyn Error>> {
    let web = PathBuf::from(std::env::var("CARGO_MANIFEST_DIR")?).join("web");
    println!("cargo:rerun-if-changed=web");
    let out = PathBuf::from(std::env::var("OUT_DIR")?);
    let mut list = String::from("&[\n");
    for (name, stem) in PAGES {
        let mut page = read(&web, name)?;
        for part in [SCRIPT, STYLE] {
            let joined = format!("{stem}.{}", part.kind);
            let (shorter, together) = part.put_together(&page, &joined, &web)?;
            page = shorter;
            fs::write(out.join(&joined), together)?;
            list.push_str(&entry(&joined, &out));
        }
        fs::write(out.join(name), page)?;
        list.push_str(&entry(name, &out));
    }
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
    fn put_together(&self, page: &str, joined: &str, web: &Path) -> Result<(String, String), Box<dyn Error>> {
        let (mut shorter, mut together) = (String::new(), String::new());
        for line in page.lines() {
            let named = line.trim().strip_prefix(self.begin).and_then(|rest| rest.strip_suffix(self.end));
            let Some(name) = named else {
                shorter.push_str(line);
                shorter.push('\n');
                continue;
            };
            if together.is_empty() {
                shorter.push_str(&format!("{}{}{}\n", self.begin, joined, self.end));
            }
            // Vendored code is distributed with its licence.
            if let Some((stem, _)) = name.strip_prefix("vendor/").and_then(|file| file.split_once('.')) {
                together.push_str(&format!("/*\n{}*/\n", read(web, &format!("vendor/{stem}.LICENSE"))?));
            }
            together.push_str(&read(web, name)?);
            together.push_str(self.between);
        }
        if together.is_empty() {
            return Err(format!("a page in web/ names no file for {joined}").into());
        }
        Ok((shorter, together))
    }
}
