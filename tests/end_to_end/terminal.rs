//! What makes the program pleasant: completions, manual pages, a status that fits, colours where they are seen.

use std::process::Command;

use crate::support::{DAT, Logger, Station};

fn fluxtower(folder: &std::path::Path, arguments: &[&str]) -> (i32, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_fluxtower")).current_dir(folder).args(arguments).output().unwrap();
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
        String::from_utf8(command.output().unwrap().stdout).unwrap()
    };
    assert!(!run(&[]).contains('\u{1b}'), "a pipe is no terminal");
    assert!(run(&[("CLICOLOR_FORCE", "1")]).contains("\u{1b}[32mok  \u{1b}[0m  configuration"));
    assert!(!run(&[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")]).contains('\u{1b}'));
}
