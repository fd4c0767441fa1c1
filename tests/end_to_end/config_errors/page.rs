//! docs/config.md is the program: its keys, types, bounds, defaults and examples.

use std::collections::BTreeSet;
use std::path::Path;

use super::sections::{self, Change, Key, Kind, Section, State};
use super::{Site, of_another_kind};

/// A line of a table of keys.
struct Row {
    heading: String,
    key: String,
    kind: String,
    default: String,
    example: String,
}

fn page() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/config.md");
    std::fs::read_to_string(path).unwrap().replace("\r\n", "\n")
}

fn rows() -> Vec<Row> {
    let mut rows = Vec::new();
    let mut heading = String::new();
    let mut is_table = false;
    for line in page().lines() {
        if let Some(name) = line.strip_prefix("## ") {
            name.clone_into(&mut heading);
        }
        if line == "| key | type | default | meaning | example |" {
            is_table = true;
        } else if !line.starts_with('|') {
            is_table = false;
        } else if is_table && !line.starts_with("|---") {
            let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
            let [key, kind, default, meaning, example] = cells[..] else { panic!("{line}") };
            assert!(!meaning.is_empty(), "{line}");
            rows.push(Row {
                heading: heading.clone(),
                key: key.trim_matches('`').to_owned(),
                kind: kind.to_owned(),
                default: default.to_owned(),
                example: example.trim_matches('`').to_owned(),
            });
        }
    }
    rows
}

fn sections_of(heading: &str) -> impl Iterator<Item = &'static Section> {
    sections::sections().filter(move |section| section.heading == heading)
}

/// The key in each section that takes it.
fn at_home(row: &Row) -> Vec<(&'static Section, &'static Key)> {
    let all = sections_of(&row.heading).flat_map(|section| section.keys().map(move |key| (section, key)));
    all.filter(|(_, key)| key.name == row.key && key.state != State::Refused).collect()
}

fn words(kind: Kind) -> &'static str {
    match kind {
        Kind::Text => "text",
        Kind::Texts => "texts",
        Kind::Number => "number",
        Kind::Numbers => "numbers",
        Kind::Whole => "whole number",
        Kind::Wholes => "whole numbers",
        Kind::Flag => "true or false",
        Kind::Group => "group",
        Kind::Groups => "groups",
    }
}

#[test]
fn the_page_has_a_row_for_each_key_and_no_other() {
    let rows = rows();
    for heading in sections::sections().map(|section| section.heading).collect::<BTreeSet<_>>() {
        let told: Vec<&str> = rows.iter().filter(|row| row.heading == heading).map(|row| row.key.as_str()).collect();
        let known: BTreeSet<&str> = sections_of(heading).flat_map(Section::all_keys).map(|key| key.name).collect();
        assert_eq!(told.iter().copied().collect::<BTreeSet<_>>(), known, "{heading}");
        assert_eq!(told.len(), known.len(), "{heading}: a key has two rows");
    }
    for row in &rows {
        assert!(sections_of(&row.heading).next().is_some(), "no section for {}", row.heading);
    }
}

#[test]
fn each_type_on_the_page_is_what_the_program_takes() {
    let site = Site::new();
    for row in rows() {
        for (section, key) in at_home(&row) {
            let place = format!("{} {}: {}", row.heading, row.key, row.kind);
            let kind = words(key.kind);
            let rest = row.kind.strip_prefix(kind).unwrap_or_else(|| panic!("{place} is {kind}"));
            assert!(rest.is_empty() || rest.starts_with([',', ' ']), "{place} is {kind}");
            let answer = |value: &str| {
                let line = format!("{} = {value}", key.name);
                site.load(&section.text(Change::Line(key.name, &line))).map(|_| ())
            };
            answer(of_another_kind(key.kind)[0]).unwrap_err();
            let says = |value: &str, words: &str| answer(value).is_err_and(|message| message.contains(words));
            if key.kind == Kind::Text {
                assert_eq!(rest.contains("a duration"), says("\"5\"", "is not a duration"), "{place}");
            }
            if key.kind == Kind::Number {
                assert_eq!(rest.contains("above 0"), says("-1", "above 0"), "{place}");
            }
            if matches!(key.kind, Kind::Numbers | Kind::Wholes) {
                assert_eq!(rest.contains("a pair"), says("[1]", "takes "), "{place}");
            }
            if key.kind == Kind::Whole {
                let numbers: Vec<u64> = rest.split([',', ' ']).filter_map(|word| word.parse().ok()).collect();
                let (least, most) = (numbers[0], numbers.get(1));
                assert!(answer(&least.to_string()).is_ok() && answer(&(least - 1).to_string()).is_err(), "{place}");
                match most {
                    Some(most) => {
                        assert!(answer(&most.to_string()).is_ok(), "{place}");
                        assert!(answer(&(most + 1).to_string()).is_err(), "{place}");
                    }
                    None => assert!(rest.ends_with("or more") && answer("9_000_000_000").is_ok(), "{place}"),
                }
            }
        }
    }
}

/// Defaults that the page says in words: written out, they make the same configuration.
const IN_WORDS: &[(&str, &str)] = &[
    ("the table's `name`", "\"met\""),
    ("the column's name", "\"A\""),
    ("the same table", "\"met\""),
    ("the station's", "\"-05:00\""),
    ("the destination's", ""),
    ("the table's", ""),
    ("four fifths of the schedule, at most `4m`", ""),
    ("`YYYY-MM-DD hh:mm:ss[.f]`", ""),
];

#[test]
fn each_default_on_the_page_is_what_the_program_takes_without_the_key() {
    let site = Site::new();
    for row in rows() {
        let place = format!("{} {}: {}", row.heading, row.key, row.default);
        let homes = at_home(&row);
        let is_required = row.default.starts_with("required");
        assert!(homes.iter().any(|(_, key)| (key.state == State::Needed) == is_required), "{place}");
        for (section, key) in homes {
            let shown =
                |text: &str| format!("{:?}", site.load(text).unwrap_or_else(|error| panic!("{place}: {error}")));
            if key.state == State::Needed || is_required {
                continue;
            }
            let without = shown(&section.text(Change::Without(key.name)));
            let with = |value: &str| shown(&section.text(Change::Line(key.name, &format!("{} = {value}", key.name))));
            let value = match row.default.as_str() {
                "none" => {
                    assert_ne!(without, with(key.value), "{place}: {} makes no difference", key.value);
                    continue;
                }
                words => IN_WORDS
                    .iter()
                    .find(|(known, _)| *known == words)
                    .map_or(words.trim_matches('`'), |(_, value)| value),
            };
            if value.is_empty() {
                assert_ne!(without, with(key.value), "{place}: {} makes no difference", key.value);
            } else if key.name == "field" {
                let named = |field: &str| with(field).replace(&format!("field: Some({field})"), "field: None");
                assert_eq!(without, named(value), "{place}");
            } else {
                assert_eq!(without, with(value), "{place}");
            }
        }
    }
}

#[test]
fn each_example_on_the_page_loads() {
    let site = Site::new();
    for row in rows() {
        assert!(row.example.starts_with(&format!("{} = ", row.key)), "{} {}: {}", row.heading, row.key, row.example);
        let homes = at_home(&row);
        let answers: Vec<_> =
            homes.iter().map(|(section, key)| site.load(&section.text(Change::Line(key.name, &row.example)))).collect();
        assert!(answers.iter().any(Result::is_ok), "{}: {answers:?}", row.example);
    }
}
