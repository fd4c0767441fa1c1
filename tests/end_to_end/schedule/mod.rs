//! `schedule`: the text for each scheduler, read by other means than those that wrote it, and set up with stand-ins for the
//! system's tools.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

/// What a path may hold that XML, a shell, cron or systemd reads in its own way.
const FOLDER: &str = "Söhne & Töchter 100% <5\u{a0}m> 'n \"co\" $HOME";

mod schema;

struct Place {
    temp: TempDir,
    folder: PathBuf,
}

impl Place {
    /// The program, a configuration and a file of data in a folder with a difficult name.
    fn new() -> Place {
        let temp = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let folder = temp.path().join(FOLDER);
        fs::create_dir(&folder).unwrap();
        fs::hard_link(env!("CARGO_BIN_EXE_fluxtower"), folder.join("flux tower")).unwrap();
        fs::write(
            folder.join("my config.toml"),
            "[station]\nname = \"X\"\nutc_offset = \"+00:00\"\n[destination]\nkind = \"files\"\n[[table]]\nname = \"met\"\nfiles = [\"met.dat\"]\n",
        )
        .unwrap();
        let rows = "\"TOA5\",\"X\",\"CR1000\",\"1\",\"o\",\"p\",\"1\",\"met\"\r\n\"TIMESTAMP\",\"RECORD\",\"T\"\r\n\"TS\",\"RN\",\"C\"\r\n\"\",\"\",\"Avg\"\r\n\"2026-06-01 00:00:00\",1,2.5\r\n";
        fs::write(folder.join("met.dat"), rows).unwrap();
        fs::create_dir(temp.path().join("tools")).unwrap();
        Place { temp, folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.temp.path().join(name)
    }

    fn program(&self) -> String {
        self.folder.join("flux tower").to_str().unwrap().to_owned()
    }

    fn config(&self) -> String {
        self.folder.join("my config.toml").to_str().unwrap().to_owned()
    }

    /// A stand-in: notes its arguments and its input, then does as the script says.
    fn tool(&self, name: &str, script: &str) {
        let path = self.path("tools").join(name);
        let calls = self.path("calls");
        let draft = self.path(name);
        fs::write(&draft, format!("#!/bin/sh\necho \"{name} $*\" >> '{}'\n{script}\n", calls.display())).unwrap();
        // Copied by another process: a program that a test beside this one starts now would inherit the file open for
        // writing, and what is open for writing cannot be started (ETXTBSY).
        assert!(Command::new("cp").args([&draft, &path]).status().unwrap().success());
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn calls(&self) -> Vec<String> {
        let calls = fs::read_to_string(self.path("calls")).unwrap_or_default();
        calls.lines().map(|line| line.replace(self.temp.path().to_str().unwrap(), "/T")).collect()
    }

    fn schedule(&self, flags: &[&str]) -> Output {
        let path = format!("{}:/usr/bin:/bin", self.path("tools").display());
        Command::new(self.program())
            .args([&["--config", "my config.toml", "schedule"], flags].concat())
            .current_dir(&self.folder)
            .env("SYSTEMD_UNIT_PATH", self.path("units"))
            .env("PATH", path)
            .env_remove("USERNAME")
            .output()
            .unwrap()
    }

    /// What it prints, after it went well.
    fn text(&self, flags: &[&str]) -> String {
        let output = self.schedule(flags);
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    fn fails(&self, code: i32, flags: &[&str]) -> String {
        let output = self.schedule(flags);
        let words = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(code), "{flags:?}: {words}");
        words
    }
}

/// `UPDATE_GOLDEN=1 cargo test --test end_to_end schedule` writes it anew.
fn golden(place: &Place, name: &str, text: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/schedule").join(name);
    let text = text.replace(place.temp.path().to_str().unwrap(), "/T");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&file, &text).unwrap();
    }
    let before = fs::read_to_string(&file).unwrap_or_default();
    assert!(
        text == before,
        "{name} changed; if it is meant, run UPDATE_GOLDEN=1 cargo test --test end_to_end schedule\n{text}"
    );
}

const AS_TOWER: [&str; 3] = ["--windows", "--account", "UMBS\\tower & co"];

#[test]
fn the_text_for_each_scheduler_is_the_golden_one() {
    let place = Place::new();
    golden(&place, "windows.xml", &place.text(&AS_TOWER));
    golden(&place, "systemd.txt", &place.text(&["--systemd"]));
    golden(&place, "cron.txt", &place.text(&["--cron"]));
    golden(&place, "windows_watch.xml", &place.text(&[&AS_TOWER[..], &["--watch"]].concat()));
    golden(&place, "systemd_watch.txt", &place.text(&["--systemd", "--watch"]));
    golden(&place, "cron_watch.txt", &place.text(&["--cron", "--watch"]));
}

#[test]
fn a_windows_task_for_watching_starts_at_boot_and_again_within_a_minute_of_its_end() {
    let place = Place::new();
    let text = place.text(&[&AS_TOWER[..], &["--watch"]].concat());
    let document = roxmltree::Document::parse(&text).unwrap();
    let named = |name: &str| document.descendants().filter(|node| node.tag_name().name() == name).count();
    assert_eq!((named("BootTrigger"), named("TimeTrigger"), named("RestartOnFailure")), (1, 1, 1));
    // The trigger of each minute is skipped while the program is up, and nothing ends the program.
    assert_eq!(text_of(&document, "MultipleInstancesPolicy"), Some("IgnoreNew"));
    assert_eq!(text_of(&document, "ExecutionTimeLimit"), Some("PT0S"));
    let repetition = document.descendants().find(|node| node.tag_name().name() == "Repetition").unwrap();
    assert!(repetition.descendants().any(|node| node.text() == Some("PT1M")), "{text}");
    let arguments = format!("run --quiet --watch --config \"{}\"", place.config());
    assert_eq!(text_of(&document, "Arguments"), Some(arguments.as_str()));
    let text = place.text(&[&AS_TOWER[..], &["--watch", "--every", "90s"]].concat());
    assert!(text.contains("run --quiet --watch --every 90000ms --config"), "{text}");
}

/// What systemd itself says of units that `schedule` installs.
#[test]
fn systemd_accepts_the_units() {
    if Command::new("systemd-analyze").arg("--version").output().is_err() {
        return crate::support::not_run("systemd-analyze is not installed");
    }
    for flags in [&["--systemd", "--install"][..], &["--systemd", "--watch", "--install"]] {
        let place = Place::new();
        place.tool("systemctl", "exit 0");
        place.text(flags);
        for unit in fs::read_dir(place.path("units")).unwrap() {
            let unit = unit.unwrap().path();
            let output = Command::new("systemd-analyze").args(["verify", "--man=no"]).arg(&unit).output().unwrap();
            let said = String::from_utf8(output.stderr).unwrap();
            assert!(output.status.success() && said.is_empty(), "{}: {said}", unit.display());
        }
    }
}

#[test]
fn systemd_restarts_what_watches_for_ever_and_kills_it_when_it_hangs() {
    let place = Place::new();
    let text = place.text(&["--systemd", "--watch"]);
    for line in ["Type=notify", "Restart=always", "RestartSec=10", "StartLimitIntervalSec=0", "WatchdogSec=1800"] {
        assert!(text.lines().any(|found| found == line), "{line}: {text}");
    }
    assert!(text.contains("\n[Install]\nWantedBy=") && !text.contains("[Timer]"), "{text}");
}

#[test]
fn a_service_for_watching_takes_the_place_of_the_timer_and_the_timer_that_of_the_service() {
    let place = Place::new();
    place.tool("systemctl", "exit 0");
    let there = || {
        let mut names: Vec<String> = fs::read_dir(place.path("units"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    };
    let mut seen = 0;
    let mut new_calls = || {
        let calls = place.calls();
        let new: Vec<String> = calls[seen..].iter().map(|call| call.replace("--user ", "")).collect();
        seen = calls.len();
        new
    };
    let reload = "systemctl daemon-reload";
    let disable = |unit: &str| format!("systemctl disable --now fluxtower.{unit}");
    let enable_watch = ["systemctl enable fluxtower.service", "systemctl restart fluxtower.service"];

    place.text(&["--systemd", "--install"]);
    new_calls();
    place.text(&["--systemd", "--watch", "--install"]);
    assert_eq!(there(), ["fluxtower.service"]);
    assert_eq!(new_calls(), [&disable("timer"), reload, enable_watch[0], enable_watch[1]]);
    // Again, as after an upgrade: the new program is started.
    place.text(&["--systemd", "--watch", "--install"]);
    assert_eq!(new_calls(), [reload, enable_watch[0], enable_watch[1]]);
    place.text(&["--systemd", "--install"]);
    assert_eq!(there(), ["fluxtower.service", "fluxtower.timer"]);
    assert_eq!(new_calls(), [&disable("service"), reload, "systemctl enable --now fluxtower.timer"]);
    place.text(&["--systemd", "--remove"]);
    assert_eq!(new_calls(), [&disable("timer"), reload]);
    place.text(&["--systemd", "--watch", "--install"]);
    new_calls();
    place.text(&["--systemd", "--remove"]);
    assert_eq!(new_calls(), [&disable("service"), reload]);
    assert!(there().is_empty());
}

#[test]
fn cron_starts_what_watches_each_minute_and_never_a_second_one_beside_it() {
    let place = Place::new();
    let text = place.text(&["--cron", "--watch"]);
    let line = text.lines().find(|line| !line.starts_with('#')).unwrap();
    let command = line.strip_prefix("* * * * * ").unwrap().replace("\\%", "%");
    // A process group of its own, and no output that a program which outlives the test would hold open.
    let start = || {
        let mut shell = Command::new("sh");
        shell.args(["-c", &command]).current_dir("/").process_group(0);
        shell.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null()).spawn().unwrap()
    };
    let mut first = start();
    let rows = || {
        let store = rusqlite::Connection::open(place.folder.join("fluxtower.db")).ok()?;
        store.query_row("SELECT count(*) FROM t_met WHERE state = 'sent'", [], |row| row.get::<_, i64>(0)).ok()
    };
    let begun = std::time::Instant::now();
    while rows() != Some(1) {
        assert!(begun.elapsed().as_secs() < 120, "nothing was sent");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    // The second start ends at once, while the first is up.
    assert_eq!(start().wait().unwrap().code(), Some(1));
    assert!(first.try_wait().unwrap().is_none());
    let group = format!("-{}", first.id());
    assert!(Command::new("kill").args(["-KILL", "--", &group]).status().unwrap().success());
    let _ = first.wait();
}

fn text_of<'d>(document: &'d roxmltree::Document<'_>, name: &str) -> Option<&'d str> {
    let namespace = "http://schemas.microsoft.com/windows/2004/02/mit/task";
    let mut found = document.descendants().filter(|node| node.has_tag_name((namespace, name)));
    let node = found.next()?;
    assert!(found.next().is_none(), "{name} stands twice");
    node.text()
}

#[test]
fn the_windows_task_is_xml_that_says_the_paths_and_the_settings() {
    let place = Place::new();
    let text = place.text(&AS_TOWER);
    let document = roxmltree::Document::parse(&text).unwrap();
    let settings = [
        ("MultipleInstancesPolicy", "IgnoreNew"),
        ("StartWhenAvailable", "true"),
        ("DisallowStartIfOnBatteries", "false"),
        ("StopIfGoingOnBatteries", "false"),
        ("ExecutionTimeLimit", "PT0S"),
        ("Interval", "PT5M"),
        ("StartBoundary", "2026-01-01T00:02:00"),
        ("LogonType", "S4U"),
        ("UserId", "UMBS\\tower & co"),
        ("WorkingDirectory", place.folder.to_str().unwrap()),
    ];
    for (name, value) in settings {
        assert_eq!(text_of(&document, name), Some(value), "{name}");
    }
    assert_eq!(text_of(&document, "Command"), Some(format!("\"{}\"", place.program()).as_str()));
    let arguments = format!("run --quiet --scheduled 5m --config \"{}\"", place.config());
    assert_eq!(text_of(&document, "Arguments"), Some(arguments.as_str()));

    let text = place.text(&["--windows", "--account", "system", "--every", "1h", "--name", "second"]);
    let document = roxmltree::Document::parse(&text).unwrap();
    assert_eq!(text_of(&document, "UserId"), Some("S-1-5-18"));
    assert_eq!(text_of(&document, "LogonType"), None);
    assert_eq!((text_of(&document, "Interval"), text_of(&document, "URI")), (Some("PT60M"), Some("\\second")));
}

#[test]
fn a_shell_reads_the_cron_line_as_it_was_meant() {
    let place = Place::new();
    let text = place.text(&["--cron", "--every", "10m"]);
    let line = text.lines().find(|line| !line.starts_with('#')).unwrap();
    let command = line.strip_prefix("2-59/10 * * * * ").unwrap();
    // cron ends the command at a percent sign that has no backslash before it, and takes the backslash away.
    assert!(!command.replace("\\%", "").contains('%'), "{command}");
    let status = Command::new("sh").args(["-c", &command.replace("\\%", "%")]).current_dir("/").status().unwrap();
    assert!(status.success());
    let store = rusqlite::Connection::open(place.folder.join("fluxtower.db")).unwrap();
    let state: String = store.query_row("SELECT state FROM t_met", [], |row| row.get(0)).unwrap();
    assert_eq!(state, "sent");
}

/// As systemd.syntax(7) and systemd.service(5) have it: quotes, backslashes, then specifiers, then variables.
fn systemd_words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quote) = (Vec::new(), String::new(), false);
    let mut letters = line.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '"' => quote = !quote,
            '\\' => word.push(letters.next().unwrap()),
            ' ' if !quote => words.push(std::mem::take(&mut word)),
            _ => word.push(letter),
        }
    }
    words.push(word);
    let mut words: Vec<String> = words.iter().map(|word| word.replace("%%", "%")).collect();
    words.iter_mut().skip(1).for_each(|word| *word = word.replace("$$", "$"));
    words
}

#[test]
fn systemd_reads_the_units_as_they_were_meant() {
    let place = Place::new();
    let text = place.text(&["--systemd"]);
    let value = |key: &str| text.lines().find_map(|line| line.strip_prefix(&format!("{key}="))).unwrap();
    let words = systemd_words(value("ExecStart"));
    assert_eq!(words[0], "/usr/bin/env", "systemd takes no program with quotes in its path");
    assert_eq!(
        words[1..],
        [place.program().as_str(), "run", "--quiet", "--scheduled", "5m", "--config", &place.config()]
    );
    assert_eq!(value("WorkingDirectory").replace("%%", "%"), place.folder.to_str().unwrap());
    assert_eq!(value("Type"), "oneshot");
    for (every, times) in [
        ("5m", "*-*-* *:02/5:00"),
        ("1m", "*-*-* *:00/1:30"),
        ("1h", "*-*-* *:02:00"),
        ("6h", "*-*-* 00/6:02:00"),
        ("24h", "*-*-* 00:02:00"),
    ] {
        let text = place.text(&["--systemd", "--every", every]);
        assert!(text.contains(&format!("OnCalendar={times}\n")), "{every}: {text}");
    }
    for (every, times) in [
        ("2m", "1-59/2 * * * * cd"),
        ("1m", "* * * * * cd"),
        ("1h", "2 * * * * cd"),
        ("6h", "2 */6 * * * cd"),
        ("1d", "2 0 * * * cd"),
    ] {
        let text = place.text(&["--cron", "--every", every]);
        assert!(text.contains(&format!("\n{times} ")), "{every}: {text}");
    }
}

#[test]
fn a_windows_task_is_set_up_from_a_utf_16_file_and_taken_away_again() {
    let place = Place::new();
    let kept = place.path("kept.xml");
    place.tool("schtasks", &format!("[ \"$1\" = /Create ] && cp \"$5\" '{}'\nexit 0", kept.display()));
    let install = [&AS_TOWER[..], &["--install", "--json"]].concat();
    let printed: serde_json::Value = serde_json::from_str(&place.text(&install)).unwrap();
    assert_eq!((printed["kind"].as_str(), printed["installed"].as_bool()), (Some("windows"), Some(true)));
    let bytes = fs::read(&kept).unwrap();
    assert_eq!(bytes[..2], [0xff, 0xfe]);
    let units: Vec<u16> = bytes[2..].chunks(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect();
    let text = String::from_utf16(&units).unwrap();
    assert!(text.starts_with("<?xml version=\"1.0\" encoding=\"UTF-16\"?>\r\n"), "{text}");
    let plain = text.replace(" encoding=\"UTF-16\"", "").replace("\r\n", "\n");
    assert_eq!(plain, printed["text"].as_str().unwrap());
    // The file was there for schtasks only.
    let file = place.folder.join("fluxtower-task.xml");
    assert!(!file.exists());
    place.text(&[&AS_TOWER[..], &["--remove"]].concat());
    let calls = place.calls();
    // A program that stays up is ended before its task is replaced or deleted.
    let end = "schtasks /End /TN fluxtower".to_owned();
    let create = format!("schtasks /Create /TN fluxtower /XML /T/{FOLDER}/fluxtower-task.xml /F");
    assert_eq!(calls, [&end, &create, &end, "schtasks /Delete /TN fluxtower /F"]);

    // Refused: what to type is said, and the file for it is there.
    place.tool("schtasks", "echo 'ERROR: Access is denied.' >&2\nexit 1");
    let words = place.fails(4, &[&AS_TOWER[..], &["--install"]].concat());
    assert!(words.contains("Access is denied.") && words.contains("as administrator"), "{words}");
    assert!(words.contains(&format!("schtasks /Create /TN fluxtower /XML \"{}\" /F", file.display())), "{words}");
    assert!(file.exists());
}

#[test]
fn systemd_units_are_written_started_and_taken_away_again() {
    let place = Place::new();
    place.tool("systemctl", "exit 0");
    let printed = place.text(&["--systemd"]);
    place.text(&["--systemd", "--install"]);
    for name in ["fluxtower.service", "fluxtower.timer"] {
        let unit = fs::read_to_string(place.path("units").join(name)).unwrap();
        assert!(printed.contains(&unit), "{name}");
    }
    place.text(&["--systemd", "--remove"]);
    assert_eq!(fs::read_dir(place.path("units")).unwrap().count(), 0);
    let calls: Vec<String> = place.calls().iter().map(|call| call.replace("--user ", "")).collect();
    let reload = "systemctl daemon-reload";
    assert_eq!(
        calls,
        [reload, "systemctl enable --now fluxtower.timer", "systemctl disable --now fluxtower.timer", reload]
    );

    place.tool("systemctl", "echo 'Failed to connect to bus' >&2\nexit 1");
    let words = place.fails(4, &["--systemd", "--install"]);
    assert!(words.contains("Failed to connect to bus") && words.contains("enable --now fluxtower.timer"), "{words}");
    fs::remove_dir_all(place.path("units")).unwrap();
    fs::write(place.path("units"), "no folder").unwrap();
    assert!(place.fails(4, &["--systemd", "--install"]).contains("fluxtower schedule --systemd"));
}

#[test]
fn a_cron_table_keeps_its_other_lines_and_is_never_written_unread() {
    let place = Place::new();
    let table = place.path("table");
    let own = "MAILTO=tower\n0 3 * * * backup # fluxtower: other\n";
    fs::write(&table, own).unwrap();
    let at = table.display();
    place.tool(
        "crontab",
        &format!("if [ \"$1\" = -l ]; then [ -f '{at}' ] && cat '{at}' || {{ echo 'no crontab for tower' >&2; exit 1; }}; else cat > '{at}'; fi"),
    );
    let line = place.text(&["--cron"]);
    for _ in 0..2 {
        place.text(&["--cron", "--install"]);
        assert_eq!(fs::read_to_string(&table).unwrap(), format!("{own}{line}"));
    }
    place.text(&["--cron", "--remove"]);
    assert_eq!(fs::read_to_string(&table).unwrap(), own);
    fs::remove_file(&table).unwrap();
    place.text(&["--cron", "--install"]);
    assert_eq!(fs::read_to_string(&table).unwrap(), line);

    place.tool("crontab", &format!("[ \"$1\" = -l ] && {{ echo 'not allowed' >&2; exit 1; }}; cat > '{at}'"));
    let words = place.fails(4, &["--cron", "--install"]);
    assert!(words.contains("not allowed") && words.contains("crontab -e"), "{words}");
    assert_eq!(fs::read_to_string(&table).unwrap(), line);
    fs::remove_file(place.path("tools/crontab")).unwrap();
}

#[test]
fn what_cannot_be_scheduled_is_refused_with_2() {
    let place = Place::new();
    for (flags, words) in [
        (&["--cron", "--every", "7m"][..], "divides an hour"),
        (&["--cron", "--every", "30s"], "divides an hour"),
        (&["--cron", "--every", "5"], "whole number and a unit"),
        (&["--cron", "--name", "a b"], "letters, digits"),
        (&["--cron", "--windows"], "cannot be used with"),
        (&["--cron", "--install", "--remove"], "cannot be used with"),
        (&["--windows"], "--account"),
    ] {
        let said = place.fails(2, flags);
        assert!(said.contains(words), "{flags:?}: {said}");
    }
}

#[test]
fn a_deadline_that_is_longer_than_the_schedule_is_said() {
    let place = Place::new();
    let config = fs::read_to_string(place.config()).unwrap();
    fs::write(place.config(), config.replace("[[table]]", "[sync]\ndeadline = \"4m\"\n[[table]]")).unwrap();
    let says = |flags: &[&str]| String::from_utf8(place.schedule(flags).stderr).unwrap();
    let said = says(&["--cron", "--every", "1m"]);
    assert!(said.contains("starts are skipped") && said.contains("take deadline out of [sync]"), "{said}");
    assert_eq!(says(&["--cron", "--every", "5m"]), "");
}

#[test]
fn the_service_of_the_packages_is_the_one_that_schedule_prints_but_for_its_paths_and_account() {
    let place = Place::new();
    let printed = place.text(&["--systemd", "--watch"]);
    let packaged =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("packaging/linux/fluxtower.service")).unwrap();
    let is_path =
        |line: &str| ["ExecStart=", "WorkingDirectory=", "EnvironmentFile="].iter().any(|key| line.starts_with(key));
    let of_own = |line: &str| {
        ["Documentation=", "ConditionPathExists=", "User=", "Group=", "WantedBy="]
            .iter()
            .any(|key| line.starts_with(key))
    };
    let lines = |text: &str| -> Vec<String> {
        let lines =
            text.lines().filter(|line| !line.is_empty() && !line.starts_with('#') && !is_path(line) && !of_own(line));
        lines.map(str::to_owned).collect()
    };
    assert_eq!(lines(&packaged), lines(&printed));
    let arguments = |text: &str| -> Vec<String> {
        let line = text.lines().find(|line| line.starts_with("ExecStart=")).unwrap().to_owned();
        line.split(" --config")
            .next()
            .unwrap()
            .rsplit('"')
            .next()
            .unwrap()
            .split_whitespace()
            .map(str::to_owned)
            .collect()
    };
    assert_eq!(arguments(&packaged)[1..], arguments(&printed)[..]);
}
