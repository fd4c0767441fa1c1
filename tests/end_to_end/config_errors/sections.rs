//! How a section of the configuration and its keys are described, and how a mistake is made in it.

/// What a key takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Text,
    Texts,
    Number,
    Numbers,
    NumbersAndTexts,
    Whole,
    Wholes,
    Flag,
    Group,
    Groups,
}

/// How a key stands in a section.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Without it the section is refused.
    Needed,
    /// It stands there, and may be left out.
    Given,
    /// It may be added.
    Free,
    /// It may not stand beside the others.
    Refused,
}

#[derive(Debug, Clone, Copy)]
pub struct Key {
    pub name: &'static str,
    pub kind: Kind,
    pub state: State,
    /// In TOML.
    pub value: &'static str,
    /// Keys whose place it takes; beside them it is refused.
    pub instead_of: &'static [&'static str],
    /// Values of the right kind that are wrong, in TOML.
    pub wrong: &'static [&'static str],
}

/// A way to write a section.
#[derive(Debug, Clone, Copy)]
pub struct Section {
    /// Of the golden file.
    pub name: &'static str,
    /// The heading in `docs/config.md`.
    pub heading: &'static str,
    pub before: &'static str,
    /// What stands around the keys where they stand in a group on one line; nothing where each has a line.
    pub group: Option<(&'static str, &'static str)>,
    pub after: &'static str,
    pub keys: &'static [&'static [Key]],
    /// Keys that are gone through in another section with the same heading.
    pub elsewhere: &'static [&'static [Key]],
}

pub const fn key(
    state: State,
    name: &'static str,
    kind: Kind,
    value: &'static str,
    wrong: &'static [&'static str],
) -> Key {
    Key { name, kind, state, value, instead_of: &[], wrong }
}

pub const fn needed(name: &'static str, kind: Kind, value: &'static str, wrong: &'static [&'static str]) -> Key {
    key(State::Needed, name, kind, value, wrong)
}

pub const fn given(name: &'static str, kind: Kind, value: &'static str, wrong: &'static [&'static str]) -> Key {
    key(State::Given, name, kind, value, wrong)
}

pub const fn free(name: &'static str, kind: Kind, value: &'static str, wrong: &'static [&'static str]) -> Key {
    key(State::Free, name, kind, value, wrong)
}

pub const fn refused(name: &'static str, kind: Kind, value: &'static str) -> Key {
    key(State::Refused, name, kind, value, &[])
}

impl Section {
    /// The keys to go through.
    pub fn keys(&self) -> impl Iterator<Item = &'static Key> {
        self.keys.iter().copied().flatten()
    }

    /// All of which something is said.
    pub fn all_keys(&self) -> impl Iterator<Item = &'static Key> {
        self.keys().chain(self.elsewhere.iter().copied().flatten())
    }

    /// The configuration in which `key` has another value, or another name, or does not stand.
    pub fn text(&self, change: Change<'_>) -> String {
        let mut lines: Vec<String> = Vec::new();
        let mut is_there = false;
        for known in self.keys().filter(|known| matches!(known.state, State::Needed | State::Given)) {
            match change {
                Change::Without(name) if name == known.name => {}
                Change::Line(name, line) if name == known.name => {
                    lines.push(line.to_owned());
                    is_there = true;
                }
                Change::Line(name, _) if self.takes_the_place(name, known.name) => {}
                _ => lines.push(format!("{} = {}", known.name, known.value)),
            }
        }
        if let Change::Line(_, line) | Change::Beside(line) = change
            && !is_there
        {
            lines.push(line.to_owned());
        }
        let inside = match self.group {
            None => lines.iter().map(|line| format!("{line}\n")).collect(),
            Some((open, close)) => format!("{open}{}{close}\n", lines.join(", ")),
        };
        format!("{}{inside}{}", self.before, self.after)
    }

    fn takes_the_place(&self, name: &str, other: &str) -> bool {
        self.keys().any(|key| key.name == name && key.instead_of.contains(&other))
    }
}

/// What differs from the section as it should be.
#[derive(Debug, Clone, Copy)]
pub enum Change<'a> {
    /// Nothing.
    No,
    /// The key does not stand there.
    Without(&'a str),
    /// The line of the key, new or in its place.
    Line(&'a str, &'a str),
    /// A line more, nothing taken away.
    Beside(&'a str),
}

impl Key {
    pub const fn instead_of(self, others: &'static [&'static str]) -> Key {
        Key { instead_of: others, ..self }
    }
}

/// All of them.
pub fn sections() -> impl Iterator<Item = &'static Section> {
    super::site::SECTIONS.iter().chain(super::quality::SECTIONS).chain(super::panel::SECTIONS)
}

/// Wrong durations where nothing is no duration either.
pub const DURATIONS: &[&str] = &["\"240\"", "\"4 minutes\"", "\"0s\""];
/// Wrong durations where nothing is one.
pub const MAY_BE_NOTHING: &[&str] = &["\"10\"", "\"ten minutes\""];
/// Wrong pairs of bounds.
pub const RANGES: &[&str] = &["[1]", "[2, 1]", "[nan, 1]", "[]"];
