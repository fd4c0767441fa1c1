//! As much of WebDriver as these tests need.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use reqwest::blocking::Client;
use serde_json::{Value, json};
use tempfile::TempDir;

/// A slow machine that compiles something beside the test still draws a page in this time.
const PATIENCE: Duration = Duration::from_secs(60);

/// The program that the environment variable names. Without it the test fails, so that nobody takes it for passed.
pub fn program(variable: &str) -> PathBuf {
    let path =
        std::env::var_os(variable).unwrap_or_else(|| panic!("{variable} must hold a program's path; see .ci/run"));
    let path = PathBuf::from(path);
    assert!(path.is_file(), "{variable}: {} is no file", path.display());
    path
}

/// From one place on the screen to another.
pub type Move = ((f64, f64), (f64, f64));

/// A browser with one empty profile, which ends with the test.
pub struct Browser {
    client: Client,
    session: String,
    driver: Child,
    _profile: TempDir,
}

impl Browser {
    /// 1400 by 900, light.
    pub fn start() -> Browser {
        let chromium = program("FLUXTOWER_CHROMIUM");
        let profile = TempDir::new().unwrap();
        let mut driver = Command::new(program("FLUXTOWER_CHROMEDRIVER"))
            .arg("--port=0")
            .arg(format!("--log-path={}", profile.path().join("driver.log").display()))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(driver.stdout.take().unwrap()).lines();
        let said = lines.find_map(|line| {
            let line = line.unwrap();
            Some(line.split_once("started successfully on port ")?.1.trim_end_matches('.').to_owned())
        });
        let port: u16 = said.expect("chromedriver names its port").parse().unwrap();
        // What it says later must find a reader.
        std::thread::spawn(move || lines.for_each(drop));

        let mut arguments: Vec<String> = [
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--disable-dev-shm-usage",
        ]
        .map(str::to_owned)
        .into();
        arguments.push(format!("--user-data-dir={}", profile.path().display()));
        let wanted = json!({"capabilities": {"alwaysMatch": {
            "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"},
            "goog:chromeOptions": {"binary": chromium, "args": arguments},
            "timeouts": {"script": 60_000},
        }}});
        let client = Client::builder().no_proxy().timeout(PATIENCE * 2).build().unwrap();
        let root = format!("http://127.0.0.1:{port}/session");
        let answer = client.post(&root).body(wanted.to_string()).send().unwrap().text().unwrap();
        let answer: Value = serde_json::from_str(&answer).unwrap();
        let id = answer["value"]["sessionId"].as_str().unwrap_or_else(|| panic!("no browser: {answer}"));
        let browser = Browser { client, session: format!("{root}/{id}"), driver, _profile: profile };
        browser.size(1400, 900);
        browser
    }

    #[track_caller]
    fn ask(&self, path: &str, body: &Value) -> Value {
        let sent = self.client.post(format!("{}/{path}", self.session)).body(body.to_string()).send().unwrap();
        let answer: Value = serde_json::from_str(&sent.text().unwrap()).unwrap();
        let value = &answer["value"];
        assert!(value.get("error").is_none(), "{path} {body}: {}: {}", value["error"], value["message"]);
        value.clone()
    }

    fn devtools(&self, command: &str, params: &Value) {
        self.ask("goog/cdp/execute", &json!({"cmd": command, "params": params}));
    }

    /// The size of the window's inside.
    pub fn size(&self, width: u32, height: u32) {
        let params = json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false});
        self.devtools("Emulation.setDeviceMetricsOverride", &params);
    }

    /// Light or dark, as the system would say it.
    pub fn scheme(&self, name: &str) {
        let features = json!({"features": [{"name": "prefers-color-scheme", "value": name}]});
        self.devtools("Emulation.setEmulatedMedia", &features);
    }

    pub fn open(&self, url: &str) {
        self.ask("url", &json!({"url": "about:blank"}));
        self.ask("url", &json!({"url": url}));
    }

    /// What the body of a function returns; it may `await`.
    #[track_caller]
    pub fn run(&self, body: &str) -> Value {
        let script = format!(
            "const done = arguments[arguments.length - 1];
             (async () => {{ {body} }})().then((v) => done({{ok: v === undefined ? null : v}}), (e) => done({{bad: String(e.stack || e)}}));"
        );
        let answer = self.ask("execute/async", &json!({"script": script, "args": []}));
        assert!(answer.get("bad").is_none(), "{body}: {}", answer["bad"]);
        answer["ok"].clone()
    }

    /// As [`Browser::run`], asked again until it is true.
    #[track_caller]
    pub fn until(&self, expression: &str) -> Value {
        let began = Instant::now();
        loop {
            let value = self.run(&format!("return {expression};"));
            if !matches!(value, Value::Null | Value::Bool(false)) {
                return value;
            }
            assert!(
                began.elapsed() < PATIENCE,
                "never true: {expression}\n{}",
                self.run("return document.body.innerText")
            );
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn pointer(&self, steps: &[Value]) {
        let mouse = json!({"type": "pointer", "id": "mouse", "parameters": {"pointerType": "mouse"}, "actions": steps});
        self.ask("actions", &json!({"actions": [mouse]}));
    }

    fn glide(to: (f64, f64), ms: u32) -> Value {
        json!({"type": "pointerMove", "duration": ms, "x": to.0.round(), "y": to.1.round()})
    }

    /// Moves the mouse there.
    pub fn hover(&self, to: (f64, f64)) {
        self.pointer(&[Browser::glide(to, 30)]);
    }

    /// Drags from one place to another.
    pub fn drag(&self, from: (f64, f64), to: (f64, f64)) {
        let half = (f64::midpoint(from.0, to.0), f64::midpoint(from.1, to.1));
        let (down, up) = (json!({"type": "pointerDown", "button": 0}), json!({"type": "pointerUp", "button": 0}));
        self.pointer(&[Browser::glide(from, 20), down, Browser::glide(half, 60), Browser::glide(to, 60), up]);
    }

    /// Clicks there.
    pub fn click(&self, at: (f64, f64)) {
        let (down, up) = (json!({"type": "pointerDown", "button": 0}), json!({"type": "pointerUp", "button": 0}));
        self.pointer(&[Browser::glide(at, 20), down, up]);
    }

    /// Turns the wheel there by so many steps, away from the user where it is negative.
    pub fn wheel(&self, at: (f64, f64), steps: i32) {
        let turn = json!({"type": "scroll", "x": at.0 as i64, "y": at.1 as i64, "deltaX": 0, "deltaY": steps * 100, "duration": 0});
        self.ask("actions", &json!({"actions": [{"type": "wheel", "id": "wheel", "actions": [turn]}]}));
    }

    /// Puts fingers down, moves each from one place to another, and lifts them.
    pub fn fingers(&self, moves: &[Move]) {
        let finger = |(i, (from, to)): (usize, &Move)| {
            let half = (f64::midpoint(from.0, to.0), f64::midpoint(from.1, to.1));
            let (down, up) = (json!({"type": "pointerDown", "button": 0}), json!({"type": "pointerUp", "button": 0}));
            json!({"type": "pointer", "id": format!("finger{i}"), "parameters": {"pointerType": "touch"}, "actions":
                [Browser::glide(*from, 0), down, Browser::glide(half, 60), Browser::glide(*to, 60), up]})
        };
        self.ask("actions", &json!({"actions": moves.iter().enumerate().map(finger).collect::<Vec<_>>()}));
    }

    /// Presses and lets go of keys, one after the other. Those without a letter have a code point of WebDriver's.
    pub fn keys(&self, keys: &[&str]) {
        let each = keys
            .iter()
            .flat_map(|key| [json!({"type": "keyDown", "value": key}), json!({"type": "keyUp", "value": key})]);
        let board = json!({"type": "key", "id": "board", "actions": each.collect::<Vec<_>>()});
        self.ask("actions", &json!({"actions": [board]}));
    }

    /// Left, top, width and height on the screen of the first element that the selector finds.
    #[track_caller]
    pub fn place(&self, selector: &str) -> [f64; 4] {
        let found = self.run(&format!(
            "const e = document.querySelector({}); e.scrollIntoView({{block: 'nearest'}});
             const b = e.getBoundingClientRect(); return [b.left, b.top, b.width, b.height];",
            json!(selector)
        ));
        serde_json::from_value(found).unwrap()
    }

    /// Writes what is seen to a PNG file for people.
    pub fn picture(&self, name: &str) {
        let folder = std::env::var_os("FLUXTOWER_SCREENSHOTS").map_or_else(
            || PathBuf::from(env!("CARGO_TARGET_TMPDIR")).parent().unwrap().join("page-screenshots"),
            PathBuf::from,
        );
        fs::create_dir_all(&folder).unwrap();
        let sent = self.client.get(format!("{}/screenshot", self.session)).send().unwrap();
        let answer: Value = serde_json::from_str(&sent.text().unwrap()).unwrap();
        fs::write(folder.join(format!("{name}.png")), base64(answer["value"].as_str().unwrap())).unwrap();
    }

    /// The page printed on A4, as PDF.
    pub fn print(&self) -> Vec<u8> {
        let page = json!({"page": {"width": 21.0, "height": 29.7}, "background": true});
        base64(self.ask("print", &page).as_str().unwrap())
    }

    /// As it looks in print, or on the screen again.
    pub fn medium(&self, name: &str) {
        self.devtools("Emulation.setEmulatedMedia", &json!({"media": name}));
    }

    /// What the browser's console holds since it was last asked.
    pub fn console(&self) -> Vec<String> {
        let log = self.ask("se/log", &json!({"type": "browser"}));
        log.as_array().unwrap().iter().map(|entry| format!("{}: {}", entry["level"], entry["message"])).collect()
    }

    /// The addresses of all requests since it was last asked, but for what the browser and the page hold themselves.
    pub fn requests(&self) -> Vec<String> {
        let log = self.ask("se/log", &json!({"type": "performance"}));
        let urls = log.as_array().unwrap().iter().filter_map(|entry| {
            let event: Value = serde_json::from_str(entry["message"].as_str()?).ok()?;
            let message = &event["message"];
            let is_request =
                ["Network.requestWillBeSent", "Network.webSocketCreated"].contains(&message["method"].as_str()?);
            let params = &message["params"];
            is_request.then(|| params["request"]["url"].as_str().or(params["url"].as_str()).unwrap().to_owned())
        });
        urls.filter(|url| !["data:", "about:", "chrome:"].iter().any(|own| url.starts_with(own))).collect()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Ends the browser; the driver is this test's own child.
        let _ = self.client.delete(&self.session).send();
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

fn base64(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len() * 3 / 4);
    let mut held: u32 = 0;
    let mut bits = 0;
    for letter in text.bytes() {
        let six = match letter {
            b'A'..=b'Z' => letter - b'A',
            b'a'..=b'z' => letter - b'a' + 26,
            b'0'..=b'9' => letter - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => continue,
        };
        held = (held << 6) | u32::from(six);
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push(u8::try_from((held >> bits) & 0xff).unwrap());
        }
    }
    bytes
}
