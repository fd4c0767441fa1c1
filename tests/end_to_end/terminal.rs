//! What makes the program pleasant: completions, manual pages, a status that fits, colours where they are seen.

use std::process::Command;

use crate::support::{DAT, Logger, Station};

fn fluxtower(folder: &std::path::Path, arguments: &[&str]) -> (i32, String) {
    let output = crate::support::start(|| {
        Command::new(env!("CARGO_BIN_EXE_fluxtower")).current_dir(folder).args(arguments).output()
    });
    (output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap())
}

#[test]
fn completions_need_no_configuration_and_know_every_command() {
    let folder = tempfile::tempdir().unwrap();
    for shell in ["bash", "zsh", "fish", "powershell"] {
        let (code, script) = fluxtower(folder.path(), &["completions", shell]);
        assert_eq!(code, 0);
        for word in ["ingest", "export", "salvage", "since", "older-than"] {
            assert!(script.contains(word), "{shell} lacks {word}");
        }
        std::fs::write(folder.path().join(shell), &script).unwrap();
        // The shell itself says whether it understands the script, where it is installed.
        if let (true, Ok(read)) =
            (shell != "powershell", Command::new(shell).arg("-n").arg(folder.path().join(shell)).output())
        {
            assert!(read.status.success(), "{shell}: {}", String::from_utf8_lossy(&read.stderr));
        }
    }
    assert_eq!(fluxtower(folder.path(), &["completions", "tcsh"]).0, 2);
}

#[test]
fn there_is_a_manual_page_for_every_command() {
    let folder = tempfile::tempdir().unwrap();
    let (code, page) = fluxtower(folder.path(), &["man"]);
    assert!(code == 0 && page.contains(".TH fluxtower 1") && page.contains("export"), "{page}");
    let (code, told) = fluxtower(folder.path(), &["man", "--output", "man1", "--json"]);
    let told: serde_json::Value = serde_json::from_str(&told).unwrap();
    let pages = told["pages"].as_array().unwrap().len();
    assert!(code == 0 && pages > 15, "{told}");
    let files: Vec<String> = std::fs::read_dir(folder.path().join("man1"))
        .unwrap()
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(files.len(), pages);
    for name in ["fluxtower.1", "fluxtower-ingest.1", "fluxtower-bucket-create.1"] {
        assert!(files.iter().any(|file| file == name), "{files:?}");
    }
}

#[test]
fn status_fits_a_hundred_columns_and_begins_with_what_needs_attention() {
    let long = "a_table_with_a_name_that_is_longer_than_any_screen_would_like_to_show_it_in_one_line_of_text";
    let tower = Station::new().table("name = \"well\"\nfiles = [\"well.dat\"]").more(&format!(
        "[[table]]\nname = \"{long}\"\nfiles = [\"long.dat\"]\n[[table]]\nname = \"trouble\"\nfiles = [\"{DAT}\"]"
    ));
    let logger = Logger::par();
    tower.write("well.dat", logger.file(0..1_000));
    tower.write("long.dat", logger.file(0..10));
    let _ = tower.run(&["run"]).expect(1);
    let spoilt = "no row\r\n\"2024-05-01 00:00:00\",0,7,7,7\r\n";
    tower.write(DAT, logger.file(0..3) + &logger.rows(7..9) + spoilt);
    let _ = tower.run(&["ingest"]).expect(1);
    let told = tower.run(&["status"]).expect(1).stdout;
    let lines: Vec<&str> = told.lines().collect();
    // The first line names the database, wherever that is; reasons are sentences.
    let table: Vec<&str> = lines.iter().copied().skip(1).take_while(|line| !line.starts_with("last ingest")).collect();
    assert!(table.iter().all(|line| line.chars().count() <= 100), "{told}");
    let place = |name: &str| table.iter().position(|line| line.starts_with(name)).unwrap_or_else(|| panic!("{told}"));
    assert!(place("trouble") < place("well") && place("well") < place("a_table"), "{told}");
    assert!(table[place("trouble") + 1].contains("1 rejected line"), "{told}");
    assert!(table[place("trouble") + 1].starts_with("    oldest pending row is "), "{told}");
}

#[test]
fn colours_are_for_terminals_and_never_with_no_color() {
    let tower = Station::new();
    tower.write(DAT, Logger::par().file(0..3));
    let run = |variables: &[(&str, &str)]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_fluxtower"));
        for variable in ["NO_COLOR", "CLICOLOR_FORCE", "CLICOLOR"] {
            command.env_remove(variable);
        }
        command.arg("--config").arg(tower.config_path()).arg("check").envs(variables.iter().copied());
        String::from_utf8(crate::support::start(|| command.output()).stdout).unwrap()
    };
    assert!(!run(&[]).contains('\u{1b}'), "a pipe is no terminal");
    assert!(run(&[("CLICOLOR_FORCE", "1")]).contains("\u{1b}[32mok  \u{1b}[0m  configuration"));
    assert!(!run(&[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")]).contains('\u{1b}'));
}

/// What stands in a file, and is shown and not obeyed: a title, a colour, the C1 form of an escape, a reversed text.
const CONTROLS: [&str; 4] = ["\u{1b}]0;title\u{7}", "\u{1b}[31m", "\u{9b}31m", "\u{202e}"];

#[test]
fn i10_controls_of_file_contents_and_names_reach_no_terminal() {
    let tower = crate::support::Station::new().table("name = \"m\"\nfiles = [\"m*.dat\"]");
    let header = crate::support::Logger::par().columns(&["A"]).header();
    let row = |time: &str, record: i64, text: &str| format!("\"2024-05-01 00:00:{time}\",{record},\"{text}\"\r\n");
    let mut content = header.clone();
    for (at, control) in (10..).zip(CONTROLS) {
        content += &row(&at.to_string(), at, control);
        // A conflict and a rejected line.
        content += &row(&at.to_string(), at + 50, &format!("{control}other"));
        content += &format!("\"2024-99-01 {control}\",7,1\r\n");
    }
    tower.write("m\u{1b}[7m.dat", &content);
    tower.write("mx.dat", header.replace("\"A\"", "\"\u{1b}[8mA\"") + &row("59", 99, "x"));
    let commands: [&[&str]; 11] = [
        &["ingest"],
        &["run"],
        &["-v", "ingest", "m\u{1b}[7m.dat"],
        &["rejected"],
        &["conflicts"],
        &["gaps"],
        &["status"],
        &["check"],
        &["flags"],
        &["decisions"],
        &["init", "--utc-offset", "-05:00", "--output", "new.toml", "."],
    ];
    let obeyed = |c: char| c.is_control() && !matches!(c, '\n' | '\t' | '\r') || c == '\u{202e}';
    let mut shown = 0;
    for arguments in commands {
        for json in [false, true] {
            let mut command = tower.command(arguments);
            if json {
                command.arg("--json");
            }
            // As on a terminal.
            let output = crate::support::start(|| command.env("CLICOLOR_FORCE", "1").output());
            for text in [output.stdout, output.stderr] {
                let text = String::from_utf8(text).unwrap();
                shown += text.matches("\\u{1b}").count() + text.matches("\\u001b").count();
                // The program's own colours.
                let rest = ["32", "33", "31", "0"]
                    .iter()
                    .fold(text, |text, code| text.replace(&format!("\u{1b}[{code}m"), ""));
                assert!(!rest.contains(obeyed), "{arguments:?} {json}: {rest:?}");
            }
        }
    }
    assert!(shown > 10, "the texts are printed at all");
}

#[test]
fn a_text_that_a_spreadsheet_would_run_gets_an_apostrophe_where_asked_for() {
    let tower = crate::support::Station::new();
    let texts = ["=1+1", "+1+1", "-cmd", "@SUM(1)", "-7.5", "ok"];
    let mut content = crate::support::Logger::par().columns(&["A", "B"]).header();
    for (at, text) in (10..).zip(texts) {
        content += &format!("\"2024-05-01 00:00:{at}\",{at},\"{text}\",-1.5\r\n");
    }
    tower.write(crate::support::DAT, content);
    let _ = tower.run(&["ingest"]).expect(0);
    let cells = |arguments: &[&str]| -> Vec<String> {
        let export = [&["export", "--table", crate::support::TABLE, "--columns", "A,B"], arguments].concat();
        tower.run(&export).expect(0).stdout.lines().skip(1).map(|line| line[20..].to_owned()).collect()
    };
    assert_eq!(cells(&[]), texts.map(|text| format!("{text},-1.5")));
    let safe = ["'=1+1", "'+1+1", "'-cmd", "'@SUM(1)", "-7.5", "ok"];
    assert_eq!(cells(&["--spreadsheet"]), safe.map(|text| format!("{text},-1.5")));
    let refused = ["export", "--table", crate::support::TABLE, "--format", "ameriflux", "--spreadsheet"];
    let _ = tower.run(&refused).expect(2);
}

#[test]
fn a_log_in_json_has_one_object_on_a_line_with_time_level_and_message() {
    let tower = Station::new().more("[log]\nfile = \"fluxtower.log\"\nformat = \"json\"");
    tower.write(DAT, Logger::par().file(0..10) + "\"2024-05-01 00:00:50\",10,no number,\"\n\r\n");
    let _ = tower.run(&["ingest"]).works();
    let log = String::from_utf8(tower.read("fluxtower.log")).unwrap();
    assert!(!log.is_empty());
    for line in log.lines() {
        let event: serde_json::Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        let text = |key: &str| event[key].as_str().unwrap_or_else(|| panic!("no {key}: {line}"));
        assert!(chrono::DateTime::parse_from_rfc3339(text("timestamp")).is_ok(), "{line}");
        assert!(["ERROR", "WARN", "INFO"].contains(&text("level")) && !text("message").is_empty(), "{line}");
    }
}
