//! A station that is served, and a browser that looks at it.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

use crate::browser::Browser;
use crate::support::Station;

/// The program under test: the one that cargo built, or the one that `FLUXTOWER` names.
pub fn program() -> std::ffi::OsString {
    std::env::var_os("FLUXTOWER").unwrap_or_else(|| env!("CARGO_BIN_EXE_fluxtower").into())
}

/// `fluxtower serve` of a station; ends with the test.
pub struct Served {
    child: Child,
    /// With a slash at its end.
    pub url: String,
}

impl Served {
    pub fn start(tower: &Station) -> Served {
        Served::several(&[&tower.config_path()])
    }

    /// Several configurations, or folders of them.
    pub fn several(configurations: &[&Path]) -> Served {
        let mut child = Command::new(program())
            .args(configurations.iter().flat_map(|path| [OsStr::new("--config"), path.as_os_str()]))
            .args(["--json", "serve", "--port", "0"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let said: Value = serde_json::from_str(&line).unwrap_or_else(|error| panic!("serve said {line:?}: {error}"));
        Served { child, url: said["url"].as_str().unwrap().to_owned() }
    }

    /// Ends it, as a person who closes the window would.
    pub fn end(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The page of a station, open in a browser.
pub struct Page {
    pub browser: Browser,
    pub served: Served,
}

impl Page {
    /// Opens this place of the page (`#/panels`) and waits until it is drawn.
    pub fn open(tower: &Station, hash: &str) -> Page {
        let served = Served::start(tower);
        let page = Page { browser: Browser::start(), served };
        page.go(hash);
        page
    }

    /// Loads the page at another place.
    pub fn go(&self, hash: &str) {
        self.browser.open(&format!("{}{hash}", self.served.url));
        self.browser.until("window.fluxtower && fluxtower.marks.length > 0");
        self.drawn();
    }

    /// Waits until what was asked for is drawn.
    pub fn drawn(&self) {
        self.browser.run("await new Promise((r) => setTimeout(r, 20)); await fluxtower.drawn; await new Promise((r) => requestAnimationFrame(r));");
    }

    /// Changes the place without loading, as a click on a link does, and waits. Answers how many milliseconds it took
    /// until all was drawn, by the page's own clock.
    pub fn follow(&self, hash: &str) -> f64 {
        let before = self.browser.run("return fluxtower.marks.length").as_u64().unwrap();
        self.browser.run(&format!("location.hash = {};", json!(hash)));
        self.browser.until(&format!("fluxtower.marks.length > {before}"));
        self.drawn();
        let took = self.browser.run(
            "return fluxtower.marks.filter((m) => !m.name.startsWith('live') && m.name !== 'first').pop().took_ms",
        );
        took.as_f64().unwrap()
    }

    /// The text that an element shows, as people see it.
    #[track_caller]
    pub fn text(&self, selector: &str) -> String {
        let found = self.browser.run(&format!(
            "const e = document.querySelector({0}); if (!e) throw new Error('there is no ' + {0}); return e.innerText",
            json!(selector)
        ));
        found.as_str().unwrap().to_owned()
    }

    pub fn hash(&self) -> String {
        self.browser.run("return location.hash").as_str().unwrap().to_owned()
    }

    /// No word on the console, and no request but to this server.
    #[track_caller]
    pub fn was_quiet(&self) {
        let console = self.browser.console();
        assert!(console.is_empty(), "the console says {console:#?}");
        let asked = self.browser.requests();
        assert!(!asked.is_empty(), "the log of requests is empty");
        let foreign: Vec<_> = asked.into_iter().filter(|url| !url.starts_with(&self.served.url)).collect();
        assert!(foreign.is_empty(), "asked elsewhere: {foreign:#?}");
    }
}
