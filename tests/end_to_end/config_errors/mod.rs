//! Every key of the configuration wrong in turn: missing, of the wrong kind, out of range, misspelled, beside a key that
//! excludes it. Each is refused with file, line, key and mend, in the words that stand in `tests/golden/config_errors`.
//!
//! Every row of `config::keys` has a case here. After a meant change:
//! `UPDATE_GOLDEN=1 cargo test --test end_to_end config_errors`, and read the difference as a technician would.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use fluxtower::config::{Config, keys};
use tempfile::TempDir;

/// The sections that most cases stand in or beside, as literals for `concat!`.
macro_rules! toml {
    (station) => {
        "[station]\nname = \"US-UMB\"\nutc_offset = \"-05:00\"\n"
    };
    (files) => {
        "[destination]\nkind = \"files\"\n"
    };
    (met) => {
        "[[table]]\nname = \"met\"\nfiles = [\"met.dat\"]\n"
    };
}

mod page;
mod panel;
mod quality;
mod sections;
mod site;

use sections::{Change, Key, Kind, Section, State, sections};

/// A folder with the files that a configuration names.
struct Site {
    folder: TempDir,
}

impl Site {
    fn new() -> Site {
        let folder = TempDir::new().unwrap();
        let mut bands = "variable,month,hour,p0_5,p2_5,p50,p97_5,p99_5\n".to_owned();
        for month in 1..=12 {
            writeln!(bands, "TA,{month},0,-30,-20,5,30,40").unwrap();
            if month == 12 {
                bands.push_str("RH,1,12,0,5,50,100,100\n");
            }
        }
        std::fs::write(folder.path().join("bands.csv"), bands).unwrap();
        std::fs::write(folder.path().join("met.csv"), "time,TA\n2026-06-01,20\n").unwrap();
        Site { folder }
    }

    fn config_path(&self) -> PathBuf {
        self.folder.path().join("config.toml")
    }

    /// The configuration, or the message with the folder taken out of it.
    fn load(&self, text: &str) -> Result<Config, String> {
        Config::parse(text, &self.config_path()).map_err(|error| self.shown(&error.to_string()))
    }

    fn shown(&self, message: &str) -> String {
        message.replace(&format!("{}{}", self.folder.path().display(), std::path::MAIN_SEPARATOR), "")
    }
}

/// A configuration with one thing wrong.
struct Mistake {
    /// The line at fault, or what is not there.
    shown: String,
    text: String,
    /// The line that the message must name; none where a message may name the section's.
    line: Option<usize>,
    /// Words of which the message must hold at least one.
    words: Vec<String>,
    is_in_golden: bool,
}

fn mistake(section: &Section, key: &Key, change: Change<'_>, line: &str) -> Mistake {
    let text = section.text(change);
    let at = section.before.len() + text[section.before.len()..].find(line).unwrap();
    Mistake {
        shown: line.to_owned(),
        line: Some(text[..at].matches('\n').count() + 1),
        text,
        words: vec![key.name.to_owned()],
        is_in_golden: true,
    }
}

/// Values that are not of the kind, the likeliest first.
fn of_another_kind(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::Text => &["5", "true", "[\"a\"]", "{}", "2026-06-01", "2.5", "[]"],
        Kind::Texts => &["\"x\"", "[5]", "5", "true", "{}", "[{}]"],
        Kind::Number => &["\"2\"", "true", "[2]", "{}", "2026-06-01"],
        Kind::Numbers => &["\"1, 2\"", "5", "[\"a\", \"b\"]", "{}", "true", "[true]"],
        Kind::NumbersAndTexts => &["\"1, 2\"", "5", "{}", "true", "[true]", "[[1]]"],
        Kind::Whole => &["\"5\"", "2.5", "true", "[5]", "{}"],
        Kind::Wholes => &["6", "[6.5, 8]", "\"6-8\"", "{}", "[\"June\"]"],
        Kind::Flag => &["\"true\"", "1", "[true]", "{}"],
        Kind::Group => &["3", "\"x\"", "true", "[1]", "[]", "[{}]"],
        Kind::Groups => &["3", "{}", "\"x\"", "[1]"],
    }
}

/// Ways in which a finger slips: two letters swapped, one left out, one doubled, capital letters.
fn misspelled(name: &str) -> Vec<String> {
    let letters: Vec<char> = name.chars().collect();
    let swapped = letters.windows(2).rposition(|pair| pair[0] != pair[1]).map(|at| {
        let mut letters = letters.clone();
        letters.swap(at, at + 1);
        letters.into_iter().collect::<String>()
    });
    let mut slips: Vec<String> = swapped.into_iter().collect();
    if letters.len() > 3 {
        slips.push(letters[1..].iter().collect());
    }
    slips.push(format!("{name}{}", letters[letters.len() - 1]));
    slips.push(name.to_uppercase());
    slips
}

/// Everything that is done wrong with one key.
fn mistakes(section: &Section, key: &Key) -> Vec<Mistake> {
    let mut found = Vec::new();
    let right = format!("{} = {}", key.name, key.value);
    if key.state == State::Refused {
        return vec![mistake(section, key, Change::Beside(&right), &right)];
    }
    if key.state == State::Needed {
        let text = section.text(Change::Without(key.name));
        let shown = format!("{} is not there", key.name);
        found.push(Mistake { shown, text, line: None, words: vec![key.name.to_owned()], is_in_golden: true });
    }
    if !key.instead_of.is_empty() {
        let mut mistake = mistake(section, key, Change::Beside(&right), &right);
        mistake.shown = format!("{right} beside {}", key.instead_of.join(", "));
        found.push(mistake);
    }
    for (rank, value) in of_another_kind(key.kind).iter().enumerate() {
        let line = format!("{} = {value}", key.name);
        let mistake = mistake(section, key, Change::Line(key.name, &line), &line);
        found.push(Mistake { is_in_golden: rank < 2, ..mistake });
    }
    for value in key.wrong {
        let line = format!("{} = {value}", key.name);
        found.push(mistake(section, key, Change::Line(key.name, &line), &line));
    }
    let known: Vec<&str> = section.all_keys().map(|key| key.name).collect();
    for (rank, slip) in misspelled(key.name).iter().enumerate() {
        if known.contains(&slip.as_str()) {
            continue;
        }
        let line = format!("{slip} = {}", key.value);
        let mut mistake = mistake(section, key, Change::Line(key.name, &line), &line);
        mistake.words = vec![format!("did you mean \"{}\"", key.name), format!(" or \"{}\"?", key.name)];
        found.push(Mistake { is_in_golden: rank == 0, ..mistake });
    }
    found
}

/// Each message ends with what to do.
const MENDS: &[&str] = &[
    "; write ",
    ", so write ",
    "; did you mean ",
    "; take it out",
    "; take them out",
    "; take the section out",
    "; keep one of them",
    "; put ",
    "; give ",
    "; narrow ",
    "swap them",
];

fn complaints(message: &str, mistake: &Mistake) -> Vec<String> {
    let mut wrong = Vec::new();
    let names_line = match mistake.line {
        Some(line) => message.starts_with(&format!("config.toml:{line}: ")),
        None => message.starts_with("config.toml:"),
    };
    if !names_line {
        wrong.push(format!("does not begin with config.toml and line {:?}", mistake.line));
    }
    if !mistake.words.iter().any(|word| message.contains(word)) {
        wrong.push(format!("does not hold {:?}", mistake.words));
    }
    if !MENDS.iter().any(|mend| message.contains(mend)) {
        wrong.push("has no mend".to_owned());
    }
    if message.contains("s3cret") {
        wrong.push("repeats a secret".to_owned());
    }
    wrong
}

#[test]
fn each_section_is_right_before_it_is_made_wrong() {
    let site = Site::new();
    for section in sections() {
        let right = section.text(Change::No);
        site.load(&right).unwrap_or_else(|error| panic!("{}: {error}\n{right}", section.name));
        for key in section.keys() {
            let line = format!("{} = {}", key.name, key.value);
            let text = match key.state {
                State::Refused => continue,
                State::Given => section.text(Change::Without(key.name)),
                State::Needed | State::Free => section.text(Change::Line(key.name, &line)),
            };
            site.load(&text).unwrap_or_else(|error| panic!("{} {line}: {error}\n{text}", section.name));
        }
    }
}

#[test]
fn every_key_that_the_program_knows_is_gone_through() {
    let site = Site::new();
    for section in sections() {
        let rows = keys::sections().into_iter().find(|rows| rows.heading == section.heading).unwrap();
        let rows: Vec<&str> = rows.keys().map(|key| key.name).collect();
        let cases: BTreeSet<&str> = section.all_keys().map(|key| key.name).collect();
        assert_eq!(cases, rows.iter().copied().collect(), "{}: keys with a case, and keys with a row", section.name);
        let refusal = site.load(&section.text(Change::Beside("qqqqqqqq = 1"))).unwrap_err();
        assert!(refusal.ends_with(&format!("known here: {}", rows.join(", "))), "{}: {refusal}", section.name);
    }
    for heading in sections().map(|section| section.heading).collect::<BTreeSet<_>>() {
        let of_heading = || sections().filter(move |section| section.heading == heading);
        let gone_through: BTreeSet<&str> = of_heading().flat_map(Section::keys).map(|key| key.name).collect();
        let said: BTreeSet<&str> = of_heading().flat_map(Section::all_keys).map(|key| key.name).collect();
        assert_eq!(gone_through, said, "{heading}");
    }
}

#[test]
fn every_key_wrong_in_turn_is_refused_with_file_line_key_and_mend() {
    let site = Site::new();
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/config_errors");
    let update = std::env::var_os("UPDATE_GOLDEN").is_some();
    if update {
        std::fs::create_dir_all(&golden).unwrap();
    }
    let mut wrong = Vec::new();
    let mut count = 0;
    for section in sections() {
        let mut now = String::new();
        for key in section.keys() {
            for mistake in mistakes(section, key) {
                count += 1;
                let Err(message) = site.load(&mistake.text) else {
                    wrong.push(format!("{}: `{}` is taken", section.name, mistake.shown));
                    continue;
                };
                wrong.extend(
                    complaints(&message, &mistake)
                        .into_iter()
                        .map(|complaint| format!("{}: `{}` {complaint}: {message}", section.name, mistake.shown)),
                );
                if mistake.is_in_golden {
                    writeln!(now, "{}\n    {message}", mistake.shown).unwrap();
                }
            }
        }
        let path = golden.join(format!("{}.txt", section.name));
        if update {
            std::fs::write(&path, &now).unwrap();
        }
        let before = std::fs::read_to_string(&path).unwrap_or_default().replace("\r\n", "\n");
        if now != before {
            let line = now.lines().zip(before.lines()).find(|(now, before)| now != before);
            wrong.push(format!(
                "{} is not the golden one, first at {line:?}; if it is meant, run UPDATE_GOLDEN=1 cargo test --test \
                 end_to_end config_errors",
                section.name
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(count > 900, "only {count}");
}

#[test]
fn the_program_says_so_and_ends_with_2() {
    let site = Site::new();
    for section in sections() {
        for key in section.keys() {
            let mistake = mistakes(section, key).pop().unwrap();
            let message = site.load(&mistake.text).unwrap_err();
            std::fs::write(site.config_path(), &mistake.text).unwrap();
            let mut command = Command::new(env!("CARGO_BIN_EXE_fluxtower"));
            command.arg("--config").arg(site.config_path()).arg("check");
            let ended = crate::support::start(|| command.output());
            let stderr = site.shown(&String::from_utf8(ended.stderr).unwrap());
            assert_eq!(ended.status.code(), Some(2), "{}: {stderr}", mistake.shown);
            assert!(stderr.contains(&message), "{}: {stderr}", mistake.shown);
            assert!(ended.stdout.is_empty());
        }
    }
}

#[test]
fn bands_that_are_not_there_are_named() {
    let text = "climatology = { file = \"no_such_file.csv\", suspect = [\"p2_5\", \"p97_5\"] }";
    let text = format!(
        "[station]\nname = \"X\"\nutc_offset = \"+00:00\"\n[destination]\nkind = \"files\"\n[[table]]\nname = \"met\"\n\
         files = [\"met.dat\"]\n[table.columns.A]\n{text}\n"
    );
    let message = Site::new().load(&text).unwrap_err();
    assert!(
        message.starts_with("config.toml:10: [table.columns.A] climatology: file \"no_such_file.csv\""),
        "{message}"
    );
    assert!(message.contains("; write the path of a CSV file of bands"), "{message}");
}

#[test]
fn a_key_of_a_table_below_a_column_is_sent_home() {
    let text = "[station]\nname = \"X\"\nutc_offset = \"+00:00\"\n[destination]\nkind = \"files\"\n[[table]]\nname = \"met\"\n\
                files = [\"met.dat\"]\n[table.columns.A]\nsuspect = [0, 1]\nstale_after = \"1h\"\n";
    assert_eq!(
        Site::new().load(text).unwrap_err(),
        "config.toml:11: [table.columns.A] stale_after is not known; it is a key of [[table]]: write it above the first \
         [table.columns.NAME] of its table"
    );
    let text = text.replace("stale_after = \"1h\"", "timeout = \"60s\"");
    let message = Site::new().load(&text).unwrap_err();
    assert!(message.ends_with("timeout is not known; it is a key of [destination]: write it there"), "{message}");
}

#[test]
fn keys_of_a_panel_that_exclude_each_other_say_so() {
    let base = "[station]\nname = \"X\"\nutc_offset = \"+00:00\"\n[destination]\nkind = \"files\"\n[[table]]\nname = \"met\"\n\
                files = [\"met.dat\"]\n[[panel]]\ntitle = \"A\"\n";
    for (keys, expected) in [
        ("columns = [\"met/A\"]\nkind = \"scatter\"\n", "config.toml:11: [[panel]] \"A\" columns of a scatter are two"),
        (
            "kind = \"profile\"\ncolumns = [\"met/A\"]\nright = [\"met/B\"]\n",
            "config.toml:13: [[panel]] \"A\" right belongs to kind = \"lines\"",
        ),
        (
            "columns = [\"met/A\"]\nright_bounds = [0, 1]\n",
            "config.toml:12: [[panel]] \"A\" right_bounds belongs to right",
        ),
        (
            "columns = [\"met/A\"]\n[[panel]]\ntitle = \"A\"\ncolumns = [\"met/B\"]\n",
            "config.toml:12: [[panel]] \"A\" title stands twice",
        ),
    ] {
        let message = Site::new().load(&format!("{base}{keys}")).unwrap_err();
        assert!(message.starts_with(expected), "{message}");
    }
}
