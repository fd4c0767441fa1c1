//! The keys under which the settings of a test are written in the configuration, and how a test reads them.
//!
//! A test lists its keys, each with its [`Kind`] and its text for the documentation. The configuration refuses unknown
//! keys and values of another kind, with file and line, before the test reads them. A test then reads typed values from
//! a [`Group`] and checks only combinations of keys. So a new test needs no change in the configuration.

use std::fmt::{self, Display, Formatter};
use std::ops;
use std::path::PathBuf;
use std::time::Duration;

use super::limits::Levels;
use crate::ameriflux::Range;
use crate::time::LocalTime;

/// A group of keys, such as `spike = { suspect = 2, fail = 5 }`.
#[derive(Debug)]
pub struct GroupKeys {
    /// The key of the group; the name of the test.
    pub name: &'static str,
    /// One line of help, in Markdown.
    pub meaning: &'static str,
    /// An example of the group.
    pub example: &'static str,
    /// The keys of the group.
    pub keys: &'static [Key],
}

/// One key of a group.
#[derive(Debug, Clone, Copy)]
pub struct Key {
    /// Its name.
    pub name: &'static str,
    /// The kind of its value.
    pub kind: Kind,
    /// What applies if the key is not given.
    pub absent: Absent,
    /// One line of help, in Markdown.
    pub meaning: &'static str,
    /// An example of the key.
    pub example: &'static str,
}

impl Key {
    /// A key that is optional and without effect if it is not given.
    pub(super) const fn new(name: &'static str, kind: Kind, meaning: &'static str, example: &'static str) -> Key {
        Key { name, kind, absent: Absent::Nothing, meaning, example }
    }

    /// Sets what applies if the key is not given.
    pub(super) const fn or(self, absent: Absent) -> Key {
        Key { absent, ..self }
    }
}

/// What applies if a key is not given. Displayed in Markdown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Absent {
    /// Its section is refused.
    Required,
    /// Its section is refused in some cases; the text is the rest of a sentence that begins with "required".
    RequiredIn(&'static str),
    /// The key has no effect.
    Nothing,
    /// This value, in TOML.
    Value(&'static str),
    /// A value that depends on others, in Markdown.
    Described(&'static str),
}

impl Display for Absent {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Absent::Required => f.write_str("required"),
            Absent::RequiredIn(cases) => write!(f, "required {cases}"),
            Absent::Nothing => f.write_str("none"),
            Absent::Value(value) => write!(f, "`{value}`"),
            Absent::Described(description) => f.write_str(description),
        }
    }
}

/// One of `suspect` and `fail` is required.
pub(super) const UNLESS_FAIL: Absent = Absent::RequiredIn("(or `fail`)");

/// The kind of a key's value.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    /// A finite number above 0: [`Setting::Number`].
    Positive,
    /// Lower and upper bound, infinite ones included: [`Setting::Bounds`].
    Bounds,
    /// A duration above 0: [`Setting::Span`].
    Span,
    /// One of a few texts: [`Setting::Word`].
    Word(&'static [&'static str]),
    /// A whole number within limits, and the reason for them: [`Setting::Count`].
    Count {
        /// The smallest number.
        least: u32,
        /// The largest number.
        most: u32,
        /// The reason for the limits.
        why: &'static str,
    },
    /// Text on one line: [`Setting::Text`].
    Text,
    /// A path, joined to the folder of the configuration: [`Setting::Path`].
    Path,
    /// Two columns of a file, for the lower and the upper bound: [`Setting::Names`].
    Names,
    /// The first and the last of a cycle, such as months: [`Setting::Whole`].
    Whole {
        /// The smallest number.
        least: u16,
        /// The largest number.
        most: u16,
    },
    /// The first and the last instant: [`Setting::Instants`].
    Instants,
    /// A list of groups with these keys: [`Setting::Groups`].
    Groups(&'static [Key]),
}

/// The value of a key.
#[derive(Debug, Clone)]
pub enum Setting {
    /// Of [`Kind::Positive`].
    Number(f64),
    /// Of [`Kind::Bounds`]: lower, upper.
    Bounds(f64, f64),
    /// Of [`Kind::Span`].
    Span(Duration),
    /// Of [`Kind::Word`].
    Word(&'static str),
    /// Of [`Kind::Count`].
    Count(u32),
    /// Of [`Kind::Text`].
    Text(String),
    /// Of [`Kind::Path`].
    Path {
        /// Joined to the folder of the configuration.
        path: PathBuf,
        /// The path as it was written.
        text: String,
    },
    /// Of [`Kind::Names`]: lower, upper.
    Names(String, String),
    /// Of [`Kind::Whole`]: first, last.
    Whole(u16, u16),
    /// Of [`Kind::Instants`]: first, last.
    Instants(LocalTime, LocalTime),
    /// Of [`Kind::Groups`].
    Groups(Vec<Group>),
}

/// A group as the user wrote it; every value has the kind that its key requires.
#[derive(Debug, Clone)]
pub struct Group {
    /// The key of the group, after those of the enclosing groups: `climatology: bands`.
    pub name: String,
    /// The position in the configuration, in bytes.
    pub place: ops::Range<usize>,
    /// Its keys, in the order of the file.
    pub settings: Vec<Entry>,
}

/// A key of a group with its value.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The key.
    pub key: &'static str,
    /// The position of the value in the configuration, in bytes.
    pub place: ops::Range<usize>,
    /// The value.
    pub setting: Setting,
}

/// What is wrong with the settings of a test, and what to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The position in bytes of the configuration.
    pub place: ops::Range<usize>,
    /// The message; it begins with the key.
    pub message: String,
}

macro_rules! getters {
    ($($name:ident: $variant:ident -> $Type:ty;)*) => {$(
        pub(super) fn $name(&self, key: &str) -> Option<$Type> {
            match self.get(key)? {
                Setting::$variant(value) => Some(value.clone()),
                _ => None,
            }
        }
    )*};
    (pairs $($name:ident: $variant:ident -> $Type:ty;)*) => {$(
        pub(super) fn $name(&self, key: &str) -> Option<($Type, $Type)> {
            match self.get(key)? {
                Setting::$variant(first, second) => Some((first.clone(), second.clone())),
                _ => None,
            }
        }
    )*};
}

impl Group {
    getters! {
        number: Number -> f64;
        span: Span -> Duration;
        word: Word -> &'static str;
        count: Count -> u32;
        text: Text -> String;
    }
    getters! { pairs
        bounds: Bounds -> f64;
        names: Names -> String;
        whole: Whole -> u16;
        instants: Instants -> LocalTime;
    }

    fn get(&self, key: &str) -> Option<&Setting> {
        self.settings.iter().find(|entry| entry.key == key).map(|entry| &entry.setting)
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.get(key).is_some()
    }

    /// The path of a key, and the path as it was written.
    pub(super) fn path(&self, key: &str) -> Option<(&PathBuf, &str)> {
        match self.get(key)? {
            Setting::Path { path, text } => Some((path, text)),
            _ => None,
        }
    }

    /// The groups of a key; empty if the key is not given.
    pub(super) fn groups(&self, key: &str) -> &[Group] {
        match self.get(key) {
            Some(Setting::Groups(groups)) => groups,
            _ => &[],
        }
    }

    /// A problem with the group; `problem` is the text after the group's name: ` lacks window`, `: fail is ...`.
    pub(super) fn wrong(&self, problem: &str) -> Problem {
        Problem { place: self.place.clone(), message: format!("{}{problem}", self.name) }
    }

    /// A problem with one key; `problem` is the text after its name.
    pub(super) fn wrong_key(&self, key: &str, problem: &str) -> Problem {
        let entry = self.settings.iter().find(|entry| entry.key == key);
        let place = entry.map_or(&self.place, |entry| &entry.place).clone();
        Problem { place, message: format!("{}: {key}{problem}", self.name) }
    }

    /// Reads `suspect` and `fail` as numbers. At least one must be given, and `fail` must not be the smaller one.
    pub(super) fn rising(&self, example: &str) -> Result<Levels<f64>, Problem> {
        let levels =
            self.at_least_one(Levels { suspect: self.number("suspect"), fail: self.number("fail") }, example)?;
        match levels {
            Levels { suspect: Some(suspect), fail: Some(fail) } if fail < suspect => {
                Err(self.wrong(&format!(": fail = {fail} is smaller than suspect = {suspect}; swap them")))
            }
            levels => Ok(levels),
        }
    }

    /// Reads `suspect` and `fail` as numbers. At least one must be given, and `fail` must not be the larger one.
    pub(super) fn falling(&self, example: &str, why: &str) -> Result<Levels<f64>, Problem> {
        let levels =
            self.at_least_one(Levels { suspect: self.number("suspect"), fail: self.number("fail") }, example)?;
        match levels {
            Levels { suspect: Some(suspect), fail: Some(fail) } if fail > suspect => {
                Err(self.wrong(&format!(": fail = {fail} lies above suspect = {suspect}; {why}, so swap them")))
            }
            levels => Ok(levels),
        }
    }

    /// Reads `suspect` and `fail` as durations. At least one must be given, and `fail` must not be the shorter one.
    pub(super) fn rising_spans(&self, example: &str) -> Result<Levels<Duration>, Problem> {
        let levels = self.at_least_one(Levels { suspect: self.span("suspect"), fail: self.span("fail") }, example)?;
        match levels {
            Levels { suspect: Some(suspect), fail: Some(fail) } if fail < suspect => {
                Err(self.wrong(": fail is shorter than suspect; swap them, or leave one out"))
            }
            levels => Ok(levels),
        }
    }

    /// Reads `suspect` and `fail` as bounds. At least one must be given, and `suspect` must be inside `fail`.
    pub(super) fn range(&self, example: &str) -> Result<Range, Problem> {
        let levels = Levels { suspect: self.bounds("suspect"), fail: self.bounds("fail") };
        let Levels { suspect, fail } = self.at_least_one(levels, example)?;
        let unbounded = (f64::NEG_INFINITY, f64::INFINITY);
        let suspect = suspect.or(fail).unwrap_or(unbounded);
        self.nested(Range { suspect, fail: fail.unwrap_or(unbounded) })
    }

    /// Returns this range if `suspect` is inside `fail`.
    pub(super) fn nested(&self, range: Range) -> Result<Range, Problem> {
        if range.fail.0 > range.suspect.0 || range.fail.1 < range.suspect.1 {
            return Err(self.wrong(&format!(
                ": suspect = {} does not lie inside fail = {}; narrow suspect, or write a wider fail",
                shown(range.suspect),
                shown(range.fail)
            )));
        }
        Ok(range)
    }

    fn at_least_one<T>(&self, levels: Levels<T>, example: &str) -> Result<Levels<T>, Problem> {
        if levels.suspect.is_none() && levels.fail.is_none() {
            return Err(self.wrong(&format!(" has neither suspect nor fail; write for example {example}")));
        }
        Ok(levels)
    }
}

/// Two bounds as a user writes them.
fn shown((low, high): (f64, f64)) -> String {
    format!("[{low}, {high}]")
}
