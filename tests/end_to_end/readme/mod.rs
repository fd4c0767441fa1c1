//! README.md, docs/commands.md, docs/delivery.md and docs/json.md are true: their commands run, their examples have the
//! fields that the program prints, their tables list what there is.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use fluxtower::cli::Exit;
use fluxtower::config::Config;
use serde_json::Value;

mod book;
mod place;

use book::{Book, Example};
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

/// The pages whose `sh` blocks are run, each from top to bottom in a folder of its own.
const PAGES_THAT_RUN: [&str; 3] = ["README.md", "docs/commands.md", "docs/delivery.md"];

#[test]
fn every_sh_line_of_the_readme_and_its_pages_runs_and_ends_as_it_says() {
    let ran: usize = PAGES_THAT_RUN.into_iter().map(run_every_sh_line).sum();
    assert!(ran > 5, "only {ran} commands ran");
}

/// How many lines ran.
fn run_every_sh_line(page: &str) -> usize {
    let place = Place::with_files();
    let mut ran = 0;
    for block in Book::open(page).blocks() {
        if block.kind != "sh" {
            continue;
        }
        let mut printed = String::new();
        for line in block.text.lines() {
            let (words, code) = arguments_and_code(line);
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            let arguments = match words.as_slice() {
                ["fluxtower", arguments @ ..] | ["cargo", "run", "--release", "--", arguments @ ..] => arguments,
                ["cargo", "test"] => continue,
                _ => panic!("{page}: do not know how to try `{line}`; put it into a block marked text or powershell"),
            };
            let done = place.run(arguments);
            assert_eq!(done.code, code, "{page}: `{line}`\n{}\n{}", done.stdout, done.stderr);
            printed = done.stdout;
            ran += 1;
        }
        if let Some(output) = block.output {
            assert_eq!(printed, output, "the output that {page} shows for\n{}", block.text);
        }
    }
    assert!(ran > 0, "{page} has no command that runs");
    ran
}

#[test]
fn the_readme_has_at_most_150_lines() {
    let lines = Book::open("README.md").lines();
    assert!(lines <= 150, "{lines} lines; what is longer goes to docs/");
}

#[test]
fn the_two_commands_stand_early_and_in_blocks_of_their_own() {
    let book = Book::open("README.md");
    let first: Vec<_> = book.blocks().into_iter().filter(|block| block.kind == "sh").take(2).collect();
    assert_eq!(first[0].text, "cargo run --release -- run\n");
    assert_eq!(first[1].text, "cargo test\n");
    assert!(first[0].output.is_some());
}

/// Where `shown` and `printed` differ in their keys. `null` and an empty list on the page stand for anything.
fn differences(at: &str, shown: &Value, printed: &Value, found: &mut Vec<String>) {
    match (shown, printed) {
        (Value::Object(shown), Value::Object(printed)) => {
            let keys = |map: &serde_json::Map<String, Value>| map.keys().cloned().collect::<BTreeSet<_>>();
            for key in keys(shown).symmetric_difference(&keys(printed)) {
                let side = if shown.contains_key(key) { "the page only" } else { "the program only" };
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
        _ => found.push(format!("{at}: {shown} on the page, {printed} printed")),
    }
}

/// The paths of all fields, such as `tables[].staged`.
fn paths_of(at: &str, value: &Value, paths: &mut BTreeSet<String>) {
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                let path = if at.is_empty() { key.clone() } else { format!("{at}.{key}") };
                paths_of(&path, value, paths);
                paths.insert(path);
            }
        }
        Value::Array(list) => list.iter().for_each(|value| paths_of(&format!("{at}[]"), value, paths)),
        _ => {}
    }
}

/// Fields that are printed and not in the table, and fields of the table that nothing prints.
fn undescribed(example: &Example, printed: &Value) -> Vec<String> {
    let mut known = BTreeSet::new();
    paths_of("", &example.json, &mut known);
    paths_of("", printed, &mut known);
    let is_inside =
        |path: &str, outer: &String| path.strip_prefix(outer.as_str()).is_some_and(|rest| rest.starts_with(['.', '[']));
    known.retain(|path| !example.described_elsewhere.iter().any(|outer| is_inside(path, outer)));
    let missing = known.difference(&example.fields).map(|path| format!("{path} is not in the table"));
    // Of a list that is empty here, the entries' fields cannot be seen.
    let is_seen = |path: &String| match path.rsplit_once("[].") {
        Some((list, _)) => known.iter().any(|other| other.starts_with(&format!("{list}[]."))),
        None => true,
    };
    let stale = example.fields.difference(&known).filter(|path| is_seen(path));
    missing.chain(stale.map(|path| format!("{path} is in the table and is not printed"))).collect()
}

#[test]
fn every_field_that_a_command_prints_is_in_the_example_and_in_the_table_of_docs_json() {
    let answers = Answers::start();
    let mut wrong = Vec::new();
    for example in Book::open("docs/json.md").examples() {
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
        found.extend(undescribed(&example, &printed));
        wrong.extend(found.iter().map(|difference| format!("{}: {difference}", example.command)));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_command_that_prints_json_has_an_example() {
    let shown: Vec<String> = Book::open("docs/json.md").examples().into_iter().map(|example| example.command).collect();
    for path in place::command_paths() {
        let head = format!("fluxtower {}", path.join(" "));
        let is_group = place::subcommands(&place::help(&path)).len() > 1;
        assert!(path.is_empty() || is_group || shown.iter().any(|command| command.starts_with(&head)), "{head}");
    }
}

#[test]
fn the_table_of_commands_lists_every_command_and_flag_and_no_other() {
    let book = Book::open("docs/commands.md");
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
    assert!(known.is_subset(&commands), "not on the page: {:?}", known.difference(&commands));
    assert!(commands.is_subset(&known_words), "not in the program: {:?}", commands.difference(&known_words));

    let global = place::flags(&place::help(&[]));
    let of_commands: BTreeSet<String> = place::command_paths()
        .iter()
        .filter(|path| !path.is_empty())
        .flat_map(|path| place::flags(&place::help(path)))
        .collect();
    let own: BTreeSet<String> = of_commands.difference(&global).cloned().collect();
    assert_eq!(flags, own, "flags in the table, and in the program");
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
    let page = Book::open("docs/commands.md");
    let codes: Vec<u8> =
        page.table("| exit code | means |").iter().map(|row| book::cells(row)[0].parse::<u8>().unwrap()).collect();
    assert_eq!(codes, [Exit::Well, Exit::Look, Exit::Usage, Exit::Refused, Exit::Failed].map(|exit| exit as u8));

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
    let blocks = PAGES_THAT_RUN.into_iter().flat_map(|page| Book::open(page).blocks());
    for block in blocks.filter(|block| block.kind == "toml") {
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
        if let Err(error) = Config::parse(&text, Path::new("config.toml")) {
            panic!("{error}\n{}", block.text);
        }
        loaded += 1;
    }
    assert!(loaded >= 4, "only {loaded} blocks");
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
