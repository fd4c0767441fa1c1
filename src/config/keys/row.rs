//! The content of a row of [`super`], and its use for messages and for the documentation.

use std::fmt::{Display, Formatter, Result};

pub use crate::qc::Absent;

/// One key of the configuration.
#[derive(Debug, Clone, Copy)]
pub struct Key {
    /// As it is written in the file.
    pub name: &'static str,
    /// The kind of its value.
    pub kind: Kind,
    /// What applies if the key is not given.
    pub absent: Absent,
    /// One line of help.
    pub meaning: &'static str,
    /// An example value, in TOML.
    pub example: &'static str,
    /// Whether `${NAME}` in the value stands for an environment variable.
    pub takes_variables: bool,
}

/// The kind of a key's value.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    /// A text; the string says which texts are allowed, and is empty if all are.
    Text(&'static str),
    /// A list of texts; the string is as for `Text`.
    Texts(&'static str),
    /// Any number.
    Number,
    /// A number above 0.
    Positive,
    /// A list of numbers and texts.
    NumbersAndTexts,
    /// The lower and the upper bound.
    Bounds,
    /// A whole number within bounds, both included.
    Whole {
        /// The smallest number.
        least: u64,
        /// The largest number; `u64::MAX` for no limit.
        most: u64,
    },
    /// The first and the last of a cycle, such as months.
    Cycle,
    /// `true` or `false`.
    Flag,
    /// Names that the user chooses, each with a text.
    GroupOfTexts,
    /// A group of keys: `[station]`.
    Group(&'static Section),
    /// A group of keys that may be repeated: `[[table]]`.
    Groups(&'static Section),
    /// Names that the user chooses, each with a group of keys: `[table.columns.NAME]`.
    Named(&'static Section),
    /// Known only in order to be refused: a secret.
    Never,
}

/// A group of keys.
#[derive(Debug, Clone, Copy)]
pub struct Section {
    /// The heading in `docs/config.md`: `[station]`, `[[table]]`, or the name of a group in one of these.
    pub heading: &'static str,
    /// The rows of the section itself.
    pub(super) rows: &'static [Key],
    /// Returns the rows that are kept elsewhere.
    pub(super) more: fn() -> &'static [Key],
}

impl Key {
    /// Whether the section may be repeated: only sections in double brackets may.
    pub fn may_be_repeated(&self) -> bool {
        matches!(self.kind, Kind::Groups(_))
    }

    /// The default as a text without quotes; empty if there is none.
    pub(in crate::config) fn default_text(&self) -> &'static str {
        match self.absent {
            Absent::Value(value) => value.trim_matches('"'),
            _ => "",
        }
    }

    pub(super) const fn new(kind: Kind, meaning: &'static str, example: &'static str) -> Key {
        Key { name: "", kind, absent: Absent::Nothing, meaning, example, takes_variables: false }
    }

    pub(super) const fn named(self, name: &'static str) -> Key {
        Key { name, ..self }
    }

    pub(super) const fn required(self) -> Key {
        Key { absent: Absent::Required, ..self }
    }

    pub(super) const fn required_in(self, cases: &'static str) -> Key {
        Key { absent: Absent::RequiredIn(cases), ..self }
    }

    pub(super) const fn or(self, value: &'static str) -> Key {
        Key { absent: Absent::Value(value), ..self }
    }

    pub(super) const fn or_what(self, description: &'static str) -> Key {
        Key { absent: Absent::Described(description), ..self }
    }

    pub(super) const fn with_variables(self) -> Key {
        Key { takes_variables: true, ..self }
    }
}

/// Messages show a key by its name.
impl Display for Key {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.write_str(self.name)
    }
}

impl Kind {
    /// The description of the kind in `docs/config.md`.
    pub fn described(&self) -> String {
        let of = |kind: &str, which: &str| if which.is_empty() { kind.to_owned() } else { format!("{kind}, {which}") };
        match self {
            Kind::Text(which) => of("text", which),
            Kind::Texts(which) => of("texts", which),
            Kind::Number => "number".to_owned(),
            Kind::Positive => "number above 0".to_owned(),
            Kind::NumbersAndTexts => "numbers and texts".to_owned(),
            Kind::Bounds => "numbers, a pair".to_owned(),
            Kind::Whole { least, most: u64::MAX } => format!("whole number, {least} or more"),
            Kind::Whole { least, most } => format!("whole number, {least} to {most}"),
            Kind::Cycle => "whole numbers, a pair".to_owned(),
            Kind::Flag => "true or false".to_owned(),
            Kind::GroupOfTexts => "group of texts".to_owned(),
            Kind::Group(_) | Kind::Named(_) => "group".to_owned(),
            Kind::Groups(_) => "groups".to_owned(),
            Kind::Never => String::new(),
        }
    }

    /// The section of a group's keys.
    pub fn section(&self) -> Option<&'static Section> {
        match self {
            Kind::Group(section) | Kind::Groups(section) | Kind::Named(section) => Some(section),
            _ => None,
        }
    }
}

impl Section {
    /// The keys that a user may write, in the order of the documentation.
    pub fn keys(&self) -> impl Iterator<Item = &'static Key> + use<> {
        self.all().filter(|key| !matches!(key.kind, Kind::Never))
    }

    /// The row with this name, including keys that are refused.
    pub fn key(&self, name: &str) -> Option<&'static Key> {
        self.all().find(|key| key.name == name)
    }

    /// The table of the keys in `docs/config.md`.
    pub fn table(&self) -> String {
        let rows = self.keys().map(|key| {
            let Key { name, absent, meaning, example, .. } = key;
            format!("| `{name}` | {} | {absent} | {meaning} | `{name} = {example}` |\n", key.kind.described())
        });
        format!("{}\n|---|---|---|---|---|\n{}", Section::TABLE_HEAD, rows.collect::<String>())
    }

    /// The first line of [`Section::table`].
    pub const TABLE_HEAD: &'static str = "| key | type | default | meaning | example |";

    fn all(&self) -> impl Iterator<Item = &'static Key> + use<> {
        self.rows.iter().chain((self.more)())
    }
}

pub(super) fn no_more() -> &'static [Key] {
    &[]
}

pub(super) const fn text(which: &'static str, meaning: &'static str, example: &'static str) -> Key {
    Key::new(Kind::Text(which), meaning, example)
}

pub(super) const fn texts(which: &'static str, meaning: &'static str, example: &'static str) -> Key {
    Key::new(Kind::Texts(which), meaning, example)
}

pub(super) const fn number(meaning: &'static str, example: &'static str) -> Key {
    Key::new(Kind::Number, meaning, example)
}

pub(super) const fn positive(meaning: &'static str, example: &'static str) -> Key {
    Key::new(Kind::Positive, meaning, example)
}

pub(super) const fn numbers_and_texts(meaning: &'static str, example: &'static str) -> Key {
    Key::new(Kind::NumbersAndTexts, meaning, example)
}

pub(super) const fn bounds(meaning: &'static str, example: &'static str) -> Key {
    Key::new(Kind::Bounds, meaning, example)
}

pub(super) const fn whole(least: u64, most: u64, meaning: &'static str, example: &'static str) -> Key {
    Key::new(Kind::Whole { least, most }, meaning, example)
}

pub(super) const fn flag(meaning: &'static str, example: &'static str) -> Key {
    Key::new(Kind::Flag, meaning, example)
}

pub(super) const fn group_of_texts(meaning: &'static str, example: &'static str) -> Key {
    Key::new(Kind::GroupOfTexts, meaning, example)
}

pub(super) const fn group(section: &'static Section, meaning: &'static str, example: &'static str) -> Key {
    Key::new(Kind::Group(section), meaning, example)
}

pub(super) const fn groups(section: &'static Section, meaning: &'static str, example: &'static str) -> Key {
    Key::new(Kind::Groups(section), meaning, example)
}

pub(super) const fn sections_by_name(section: &'static Section, meaning: &'static str, example: &'static str) -> Key {
    Key::new(Kind::Named(section), meaning, example)
}

pub(super) const fn never() -> Key {
    Key::new(Kind::Never, "", "")
}
