//! The README is true: its commands run, its examples have the keys that the program prints, its tables list what there is.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use fluxtower::cli::Exit;
use fluxtower::config::Config;
use serde_json::Value;

mod book;
mod place;

use book::Book;
use place::{Answers, Place};

fn project() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// A line of an `sh` block, with the exit code that its comment states.
fn arguments_and_code(line: &str) -> (Vec<String>, i32) {
    let (command, comment) = line.split_once(" #").unwrap_or((line, ""));
    let code = comment.trim().strip_prefix("exit ").map_or(0, |code| code.parse().unwrap());
    (book::words(command), code)
}

#[test]
fn every_sh_line_of_the_readme_runs_and_ends_as_it_says() {
    let place = Place::with_files();
    let mut ran = 0;
    for block in Book::open().blocks() {
        if block.kind != "sh" {
            continue;
        }
        let mut printed = String::new();
        for line in block.text.lines() {
            let (words, code) = arguments_and_code(line);
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            let arguments = match words.as_slice() {
                ["fluxtower", arguments @ ..] | ["cargo", "run", "--release", "--", arguments @ ..] => arguments,
                ["cargo", "test"] | ["cargo", "build", "--release"] => continue,
                ["bench/run", ..] => {
                    assert!(is_executable(&project().join("bench/run")), "bench/run cannot be run");
                    continue;
                }
                _ => panic!("do not know how to try `{line}`; put it into a block marked text or powershell"),
            };
            let done = place.run(arguments);
            assert_eq!(done.code, code, "`{line}`\n{}\n{}", done.stdout, done.stderr);
            printed = done.stdout;
            ran += 1;
        }
        if let Some(output) = block.output {
            assert_eq!(printed, output, "the output that the README shows for\n{}", block.text);
        }
    }
    assert!(ran > 5, "only {ran} commands found");
}

#[cfg(unix)]
fn is_executable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata().is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_executable(path: &Path) -> bool {
    path.is_file()
}

#[test]
fn the_two_commands_stand_early_and_in_blocks_of_their_own() {
    let book = Book::open();
    let first: Vec<_> = book.blocks().into_iter().filter(|block| block.kind == "sh").take(2).collect();
    assert_eq!(first[0].text, "cargo run --release -- run\n");
    assert_eq!(first[1].text, "cargo test\n");
    assert!(first[0].output.is_some());
}

/// Where `shown` and `printed` differ in their keys. `null` and an empty list in the README stand for anything.
fn differences(at: &str, shown: &Value, printed: &Value, found: &mut Vec<String>) {
    match (shown, printed) {
        (Value::Object(shown), Value::Object(printed)) => {
            let keys = |map: &serde_json::Map<String, Value>| map.keys().cloned().collect::<BTreeSet<_>>();
            for key in keys(shown).symmetric_difference(&keys(printed)) {
                let side = if shown.contains_key(key) { "the README only" } else { "the program only" };
                found.push(format!("{at}.{key}: {side}"));
            }
            for (key, value) in shown {
                differences(&format!("{at}.{key}"), value, printed.get(key).unwrap_or(&Value::Null), found);
            }
        }
        (Value::Array(shown), Value::Array(printed)) => match (shown.first(), printed.first()) {
            (Some(shown), Some(printed)) => differences(&format!("{at}[]"), shown, printed, found),
            (Some(Value::Object(_)), None) => {
                found.push(format!("{at}: the test brings the program to print no entry"));
            }
            _ => {}
        },
        (Value::Null, _) | (_, Value::Null) => {}
        (shown, printed) if std::mem::discriminant(shown) == std::mem::discriminant(printed) => {}
        _ => found.push(format!("{at}: {shown} in the README, {printed} printed")),
    }
}

fn keys_of(value: &Value, keys: &mut BTreeSet<String>) {
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                keys.insert(key.clone());
                keys_of(value, keys);
            }
        }
        Value::Array(list) => list.iter().for_each(|value| keys_of(value, keys)),
        _ => {}
    }
}

#[test]
fn every_json_example_has_exactly_the_keys_that_its_command_prints() {
    let answers = Answers::start();
    let mut wrong = Vec::new();
    for example in Book::open().examples() {
        let place = Place::with_server(&answers);
        place.live_through_a_bad_day();
        let arguments = book::words(&example.command);
        let stays_up = arguments[1] == "serve";
        let done = if stays_up { place.first_line(&arguments[1..]) } else { place.run(&arguments[1..]) };
        let Ok(printed) = serde_json::from_str::<Value>(&done.stdout) else {
            wrong.push(format!("{}: no JSON on stdout: {}{}", example.command, done.stdout, done.stderr));
            continue;
        };
        let mut found = Vec::new();
        differences("", &example.json, &printed, &mut found);
        let mut keys = BTreeSet::new();
        keys_of(&example.json, &mut keys);
        found.extend(keys.difference(&example.explained).map(|key| format!("{key} is not explained")));
        wrong.extend(found.iter().map(|difference| format!("{}: {difference}", example.command)));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_command_that_prints_json_has_an_example() {
    let shown: Vec<String> = Book::open().examples().into_iter().map(|example| example.command).collect();
    for path in place::command_paths() {
        let head = format!("fluxtower {}", path.join(" "));
        let is_group = place::subcommands(&place::help(&path)).len() > 1;
        assert!(path.is_empty() || is_group || shown.iter().any(|command| command.starts_with(&head)), "{head}");
    }
}

#[test]
fn the_table_of_commands_lists_every_command_and_flag_and_no_other() {
    let book = Book::open();
    let rows = book.table("| command | does |");
    let mut commands = BTreeSet::new();
    let mut flags = BTreeSet::new();
    for code in rows.iter().flat_map(|row| book::code_spans(row)) {
        let words: Vec<&str> = code.split([' ', '[', ']', '|']).filter(|word| !word.is_empty()).collect();
        flags.extend(words.iter().filter(|word| word.starts_with("--")).map(ToString::to_string));
        commands.extend(
            words.first().filter(|word| word.starts_with(|c: char| c.is_ascii_lowercase())).map(ToString::to_string),
        );
    }
    let known: BTreeSet<String> = place::subcommands(&place::help(&[])).into_iter().collect();
    let known_words: BTreeSet<String> = known
        .iter()
        .cloned()
        .chain(place::command_paths().into_iter().filter_map(|path| path.get(1).cloned()))
        .collect();
    assert!(known.is_subset(&commands), "not in the README: {:?}", known.difference(&commands));
    assert!(commands.is_subset(&known_words), "not in the program: {:?}", commands.difference(&known_words));

    let global = place::flags(&place::help(&[]));
    let of_commands: BTreeSet<String> = place::command_paths()
        .iter()
        .filter(|path| !path.is_empty())
        .flat_map(|path| place::flags(&place::help(path)))
        .collect();
    let own: BTreeSet<String> = of_commands.difference(&global).cloned().collect();
    assert_eq!(flags, own, "flags in the README's table, and in the program");
    for path in place::command_paths().iter().filter(|path| path.len() == 2) {
        assert!(rows.join("\n").contains(&format!("`{}", path.join(" "))), "{path:?}");
    }
}

#[test]
fn the_help_of_every_command_ends_with_an_example_of_it() {
    for path in place::command_paths() {
        let help = place::help(&path);
        let (_, examples) = help.split_once("\nExample").unwrap_or_else(|| panic!("no example: {path:?}"));
        let command = ["fluxtower".to_owned()].into_iter().chain(path.clone()).collect::<Vec<_>>().join(" ");
        let mut lines = examples.lines().skip(1).filter(|line| !line.is_empty()).peekable();
        assert!(lines.peek().is_some(), "{path:?}");
        assert!(lines.all(|line| line.trim().starts_with(&command)), "{path:?}: {examples}");
    }
}

#[test]
fn the_table_of_exit_codes_is_what_the_program_does() {
    let told: Vec<u8> =
        Book::open().table("| exit code | means |").iter().map(|row| book::cells(row)[0].parse().unwrap()).collect();
    assert_eq!(told, [Exit::Well, Exit::Look, Exit::Usage, Exit::Refused, Exit::Failed].map(|exit| exit as u8));

    let place = Place::with_files();
    assert_eq!(place.run(["run"]).code, 0);
    assert_eq!(place.run(["gaps"]).code, 1);
    assert_eq!(place.run(["replay"]).code, 2);
    let refusing = Answers::refusing();
    assert_eq!(Place::with_server(&refusing).run(["run"]).code, 3);
    place.edit("config.toml", "path = \"fluxtower.db\"", "path = \"samples\"");
    assert_eq!(place.run(["run"]).code, 4);
}

#[test]
fn every_toml_block_loads() {
    const STATION: &str = "[station]\nname = \"X\"\nutc_offset = \"+00:00\"\n";
    const DESTINATION: &str = "[destination]\nkind = \"files\"\n";
    const TABLE: &str = "[[table]]\nname = \"x\"\nfiles = [\"x.dat\"]\n";
    let mut loaded = 0;
    for block in Book::open().blocks().iter().filter(|block| block.kind == "toml") {
        let has = |section: &str| block.text.lines().any(|line| line == section);
        let mut text = String::new();
        for (section, example) in [("[station]", STATION), ("[destination]", DESTINATION)] {
            if !has(section) {
                text += example;
            }
        }
        text += &block.text;
        if !has("[[table]]") {
            text += TABLE;
        }
        if let Err(error) = Config::parse(&text, Path::new("README.md")) {
            panic!("{error}\n{}", block.text);
        }
        loaded += 1;
    }
    assert!(loaded >= 4, "only {loaded} blocks");
}

#[test]
fn the_table_of_keys_lists_every_key_and_no_other() {
    for row in Book::open().table("| section | keys (default) |") {
        let cells = book::cells(&row);
        let section = cells[0].trim_matches('`').replace("NAME", "A");
        let told: BTreeSet<String> = book::code_spans(&cells[1]).into_iter().collect();
        let before = if section.starts_with("[table.") { "[[table]]\n" } else { "" };
        let text = format!("{before}{section}\nqqqqqqqq = 1\n");
        let refusal = Config::parse(&text, Path::new("x.toml")).unwrap_err().to_string();
        let (_, known) = refusal.split_once("known here: ").unwrap_or_else(|| panic!("{refusal}"));
        assert_eq!(told, known.split(", ").map(str::to_owned).collect(), "keys of {section}");
    }
}

#[test]
fn every_file_that_the_readme_links_to_is_there() {
    for target in Book::open().links().iter().filter(|target| !target.starts_with("http")) {
        assert!(project().join(target).exists(), "{target}");
    }
}

/// A changed flag shows in the diff of the golden file. `UPDATE_GOLDEN=1 cargo test --test end_to_end readme` writes it anew.
#[test]
fn the_help_of_every_command_is_the_golden_one() {
    let helps = place::command_paths().into_iter().map(|path| {
        let command = [&["fluxtower".to_owned()], &path[..], &["--help".to_owned()]].concat().join(" ");
        format!("$ {command}\n{}\n", place::help(&path))
    });
    let now: String = helps.collect();
    let golden = project().join("tests/golden/help.txt");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&golden, &now).unwrap();
    }
    let before = std::fs::read_to_string(&golden).unwrap_or_default().replace("\r\n", "\n");
    let changed = now.lines().zip(before.lines()).find(|(now, before)| now != before);
    assert!(
        now == before,
        "help changed, first at {changed:?}; if it is meant, run UPDATE_GOLDEN=1 cargo test --test end_to_end readme"
    );
}
