//! The rows of `config::keys` are what the program does: their types, defaults and examples. The tables of docs/config.md are
//! made from them: `UPDATE_DOCS=1 cargo test --test end_to_end config_errors::page` writes them.

use std::path::Path;

use fluxtower::config::keys::{self, Absent};

use super::Site;
use super::sections::{self, Change, Key, Kind, Section, State};

/// The page with the table below each heading of a section made anew.
fn with_tables(page: &str) -> String {
    let mut out = String::new();
    let mut section = None;
    let mut is_table = false;
    let mut is_made = Vec::new();
    for line in page.lines() {
        if let Some(heading) = line.strip_prefix("## ") {
            section = keys::sections().into_iter().find(|section| section.heading == heading);
        }
        if line == keys::Section::TABLE_HEAD {
            let section = section.unwrap_or_else(|| panic!("a table of keys below no section"));
            out += &section.table();
            is_made.push(section.heading);
            is_table = true;
        }
        is_table &= line.starts_with('|');
        if !is_table {
            out += line;
            out.push('\n');
        }
    }
    let mut headings: Vec<&str> = keys::sections().iter().map(|section| section.heading).collect();
    headings.sort_unstable();
    is_made.sort_unstable();
    assert_eq!(is_made, headings, "headings of docs/config.md with a table, and sections");
    out
}

#[test]
fn the_tables_of_the_page_are_made_from_the_rows() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/config.md");
    let page = std::fs::read_to_string(&path).unwrap().replace("\r\n", "\n");
    let made = with_tables(&page);
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &made).unwrap();
        return;
    }
    let changed = made.lines().zip(page.lines()).find(|(made, page)| made != page);
    assert!(
        made == page,
        "docs/config.md is not made from the rows, first at {changed:?}; run UPDATE_DOCS=1 cargo test --test end_to_end config_errors::page"
    );
}

/// Each row, with the cases of the key in the sections that take it.
fn rows() -> impl Iterator<Item = (String, &'static keys::Key, Vec<(&'static Section, &'static Key)>)> {
    let rows = keys::sections().into_iter().flat_map(|section| section.keys().map(move |row| (section.heading, row)));
    rows.map(|(heading, row)| {
        let sections = sections::sections().filter(move |section| section.heading == heading);
        let cases = sections.flat_map(|section| section.keys().map(move |key| (section, key)));
        let cases = cases.filter(|(_, key)| key.name == row.name && key.state != State::Refused).collect();
        (format!("{heading} {row}"), row, cases)
    })
}

fn kind(row: &keys::Key) -> Kind {
    match row.kind {
        keys::Kind::Text(_) => Kind::Text,
        keys::Kind::Texts(_) => Kind::Texts,
        keys::Kind::Number | keys::Kind::Positive => Kind::Number,
        keys::Kind::NumbersAndTexts => Kind::NumbersAndTexts,
        keys::Kind::Bounds => Kind::Numbers,
        keys::Kind::Whole { .. } => Kind::Whole,
        keys::Kind::Cycle => Kind::Wholes,
        keys::Kind::Flag => Kind::Flag,
        keys::Kind::GroupOfTexts | keys::Kind::Group(_) | keys::Kind::Named(_) => Kind::Group,
        keys::Kind::Groups(_) => Kind::Groups,
        keys::Kind::Never => panic!("{row} is refused"),
    }
}

#[test]
fn each_key_takes_what_its_row_says() {
    let site = Site::new();
    for (place, row, cases) in rows() {
        assert!(!cases.is_empty(), "{place} has no case");
        for (section, key) in cases {
            assert_eq!(key.kind, kind(row), "{place}");
            let answer = |value: &str| {
                let line = format!("{row} = {value}");
                site.load(&section.text(Change::Line(key.name, &line))).map(|_| ())
            };
            let says = |value: &str, text: &str| answer(value).is_err_and(|message| message.contains(text));
            match row.kind {
                keys::Kind::Text(which) => {
                    assert_eq!(which.contains("a duration"), says("\"5\"", "is not a duration"), "{place}");
                }
                keys::Kind::Number => assert!(!says("-1", "above 0"), "{place}"),
                keys::Kind::Positive => assert!(says("-1", "above 0"), "{place}"),
                keys::Kind::NumbersAndTexts => assert!(!says("[1]", "takes "), "{place}"),
                keys::Kind::Bounds | keys::Kind::Cycle => assert!(says("[1]", "takes "), "{place}"),
                keys::Kind::Whole { least, most } => {
                    assert!(answer(&least.to_string()).is_ok() && answer(&(least - 1).to_string()).is_err(), "{place}");
                    let above = most.checked_add(1).map_or("9_000_000_000".to_owned(), |above| above.to_string());
                    assert_eq!(answer(&above).is_ok(), most == u64::MAX, "{place}");
                }
                _ => {}
            }
        }
    }
}

/// Defaults that follow from other values: in the cases of these tests, they are these values.
const IN_THE_CASES: &[(&str, &str)] = &[
    ("the table's `name`", "\"met\""),
    ("the column's name", "\"A\""),
    ("the same table", "\"met\""),
    ("the station's", "\"-05:00\""),
];

#[test]
fn without_a_key_the_program_takes_the_default_of_its_row() {
    let site = Site::new();
    for (place, row, cases) in rows() {
        let is_required = matches!(row.absent, Absent::Required | Absent::RequiredIn(_));
        assert!(cases.iter().any(|(_, key)| (key.state == State::Needed) == is_required), "{place}");
        for (section, key) in cases {
            if key.state == State::Needed || is_required {
                continue;
            }
            let shown = |text: &str| {
                let mut config = site.load(text).unwrap_or_else(|error| panic!("{place}: {error}"));
                // Of the text and not of what it means.
                config.fingerprint = 0;
                format!("{config:?}")
            };
            let without = shown(&section.text(Change::Without(key.name)));
            let with = |value: &str| shown(&section.text(Change::Line(key.name, &format!("{row} = {value}"))));
            let value = match row.absent {
                Absent::Value(value) => Some(value),
                Absent::Described(text) => IN_THE_CASES.iter().find(|(known, _)| *known == text).map(|known| known.1),
                _ => None,
            };
            match value {
                None => assert_ne!(without, with(key.value), "{place}: {} makes no difference", key.value),
                Some(value) if key.name == "field" => {
                    let named = with(value).replace(&format!("field: Some({value})"), "field: None");
                    assert_eq!(without, named, "{place}");
                }
                Some(value) => assert_eq!(without, with(value), "{place}"),
            }
        }
    }
}

#[test]
fn the_example_of_each_row_loads() {
    let site = Site::new();
    for (place, row, cases) in rows() {
        let line = format!("{row} = {}", row.example);
        let load = |(section, key): &(&Section, &Key)| site.load(&section.text(Change::Line(key.name, &line)));
        let answers: Vec<_> = cases.iter().map(load).collect();
        assert!(answers.iter().any(Result::is_ok), "{place}: {answers:?}");
    }
}

#[test]
fn only_sections_in_two_brackets_may_be_repeated() {
    for (place, row, _) in rows() {
        let is_list = row.kind.section().is_some_and(|section| section.heading.starts_with("[["));
        assert!(!is_list || row.may_be_repeated(), "{place}");
    }
}
