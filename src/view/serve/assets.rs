//! The page's files, which are contained in the program: nothing is read from disk, so a request's path cannot reach
//! other files.

use std::hash::Hasher;
use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;

/// Name within `web/`, and content; the build script lists them.
static FILES: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/assets.rs"));

const PAGE: &str = "index.html";
const STATIONS: &str = "stations.html";

/// A file in the form that is sent.
#[derive(Debug)]
pub struct Asset {
    /// Path within `web/`, with `/`.
    pub name: &'static str,
    /// The HTTP content type.
    pub kind: &'static str,
    /// The uncompressed content.
    pub plain: &'static [u8],
    /// Compressed.
    pub gzip: Vec<u8>,
    /// Changes with the content.
    pub etag: String,
}

/// Every file.
#[derive(Debug)]
pub struct Assets(Vec<Asset>);

impl Assets {
    /// Compresses them; this takes a few milliseconds.
    pub fn load() -> Assets {
        let mut assets = Vec::with_capacity(FILES.len());
        for (name, plain) in FILES {
            let kind = match name.rsplit_once('.').map(|(_, ending)| ending) {
                Some("js") => "text/javascript; charset=utf-8",
                Some("css") => "text/css; charset=utf-8",
                _ => "text/html; charset=utf-8",
            };
            let mut hash = xxhash_rust::xxh3::Xxh3::new();
            hash.write(plain);
            assets.push(Asset {
                name,
                kind,
                plain,
                gzip: gzip(plain, Compression::best()),
                etag: format!("\"{:016x}\"", hash.finish()),
            });
        }
        Assets(assets)
    }

    /// The page.
    pub fn page(&self) -> Option<&Asset> {
        self.find(PAGE)
    }

    /// The list of several stations.
    pub(super) fn stations(&self) -> Option<&Asset> {
        self.find(STATIONS)
    }

    /// A script or a style sheet.
    pub fn find(&self, name: &str) -> Option<&Asset> {
        self.0.iter().find(|asset| asset.name == name)
    }
}

/// Compresses the content. The result is empty after an error, but writing to memory does not fail.
pub(super) fn gzip(plain: &[u8], level: Compression) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(plain.len() / 3), level);
    let written = encoder.write_all(plain).and_then(|()| encoder.finish());
    written.unwrap_or_default()
}
