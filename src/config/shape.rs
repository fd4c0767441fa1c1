//! Messages about invalid TOML, unknown keys, and values of the wrong kind: each names section and key and says what to
//! write.
//!
//! The parser reports a byte position, not a section, and its message may quote a secret. So this module walks from the
//! top of the file to that byte. The rows of [`super::keys`] say which keys exist, which values they take and how they
//! are written.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::ConfigError;
use super::keys::{self, Kind, Section};
use super::place::Source;
use crate::text::{any_of, look_alikes};

/// The error for text that is not valid TOML.
pub(super) fn syntax(source: &Source<'_>, error: &toml::de::Error) -> ConfigError {
    let line = error.span().map(|span| source.line(span.start));
    let text = line.and_then(|line| source.text.lines().nth(line - 1)).unwrap_or_default();
    let fix = if error.message().contains("duplicate") {
        "; a key or section stands once, so remove one of them or put # before it"
    } else if text.trim_start().starts_with("[table.columns.") {
        "; put a column name with brackets or blanks in quotes: [table.columns.\"TS(1)\"]"
    } else if text.contains('\\') && text.contains('"') {
        "; put Windows paths in single quotes: 'C:\\Campbellsci\\LoggerNet\\*.dat'"
    } else {
        "; text stands in quotes, and one key = value on a line"
    };
    let message = format!("not valid TOML: {}{fix}", error.message());
    ConfigError::Syntax { file: source.path.to_owned(), line, message }
}

/// The error for valid TOML with a value of the wrong kind.
pub(super) fn wrong_shape(source: &Source<'_>, tree: &Spanned<DeTable<'_>>, error: &toml::de::Error) -> ConfigError {
    match error.span() {
        Some(span) => wrong_kind(source, tree, &span),
        None => ConfigError::Syntax {
            file: source.path.to_owned(),
            line: None,
            message: "not a configuration of fluxtower".to_owned(),
        },
    }
}

/// The error for a value at `span` whose kind is not the one that its key requires.
pub(super) fn wrong_kind(source: &Source<'_>, tree: &Spanned<DeTable<'_>>, span: &Range<usize>) -> ConfigError {
    let file = source.path.to_owned();
    let found = find(tree.get_ref(), span, Found::default());
    let key = found.keys.last().cloned().unwrap_or_default();
    let verb = if found.is_inside { "cannot hold" } else { "cannot be" };
    let message = format!("{}{key} {verb} {}; write {}", found.place(), found.kind(), found.example());
    ConfigError::Invalid { file, line: Some(source.line(span.start)), message }
}

/// Refuses the first key that no row of [`super::keys`] names, and a list in place of a group, which serde would read
/// as the group's values in order.
pub(super) fn refuse_unknown_keys(source: &Source<'_>, tree: &Spanned<DeTable<'_>>) -> Result<(), ConfigError> {
    let mut mistakes = Vec::new();
    unknown_keys(keys::FILE, tree.get_ref(), &mut mistakes);
    let Some(first) = mistakes.into_iter().min_by_key(|mistake| mistake.span.start) else { return Ok(()) };
    Err(match first.unknown {
        None => wrong_kind(source, tree, &first.span),
        Some((key, section)) => {
            let known: Vec<String> = section.keys().map(|key| key.name.to_owned()).collect();
            unknown(source, tree, &first.span, &key, &known)
        }
    })
}

/// The error for a key at `span` that its section does not know; it lists the known keys.
pub(super) fn unknown(
    source: &Source<'_>,
    tree: &Spanned<DeTable<'_>>,
    span: &Range<usize>,
    key: &str,
    known: &[String],
) -> ConfigError {
    let found = find(tree.get_ref(), span, Found::default());
    let message = format!("{}{key} is not known; {}", found.place(), fix_of_unknown(key, known, &found));
    ConfigError::UnknownKey { file: source.path.to_owned(), line: Some(source.line(span.start)), message }
}

/// A position where keys or groups differ from the rows.
struct Mistake {
    span: Range<usize>,
    /// The key, and the section that does not know it; None for a list in place of a group.
    unknown: Option<(String, &'static Section)>,
}

fn unknown_keys(section: &'static Section, table: &DeTable<'_>, mistakes: &mut Vec<Mistake>) {
    for (name, value) in table {
        match section.key(name.get_ref()).map(|key| key.kind) {
            None => mistakes.push(Mistake { span: name.span(), unknown: Some((name.get_ref().to_string(), section)) }),
            Some(Kind::Group(inner)) => unknown_keys_of_group(inner, value, mistakes),
            Some(Kind::Named(inner)) => {
                let named = value.get_ref().as_table().into_iter().flatten();
                named.for_each(|(_, value)| unknown_keys_of_group(inner, value, mistakes));
            }
            Some(Kind::Groups(inner)) => {
                let items = value.get_ref().as_array().into_iter().flatten();
                items.for_each(|item| unknown_keys_of_group(inner, item, mistakes));
            }
            Some(_) => {}
        }
    }
}

/// Any other value of the wrong kind is reported when it is parsed.
fn unknown_keys_of_group(section: &'static Section, value: &Spanned<DeValue<'_>>, mistakes: &mut Vec<Mistake>) {
    match value.get_ref() {
        DeValue::Table(table) => unknown_keys(section, table, mistakes),
        DeValue::Array(_) => mistakes.push(Mistake { span: value.span(), unknown: None }),
        _ => {}
    }
}

fn fix_of_unknown(key: &str, known: &[String], found: &Found) -> String {
    let alike = look_alikes(key, known.iter().map(String::as_str));
    if !alike.is_empty() {
        return format!("did you mean {}?", any_of(&alike));
    }
    let homes = homes(key);
    match homes.as_slice() {
        [] => format!("known here: {}", known.join(", ")),
        // In TOML everything after a section's header belongs to it, so a key of the table may end up in the table's
        // last column.
        ["[[table]]"] if found.is_in_column() => {
            "it is a key of [[table]]: write it above the first [table.columns.NAME] of its table".to_owned()
        }
        homes => format!("it is a key of {}: write it there", homes.join(" and ")),
    }
}

/// The sections with a header of their own that know the key.
fn homes(key: &str) -> Vec<&'static str> {
    let knows = |section: &&Section| section.heading.starts_with('[') && section.keys().any(|known| known.name == key);
    keys::sections().into_iter().filter(knows).map(|section| section.heading).collect()
}

/// The path from the top of the file to the value with the mistake.
#[derive(Default)]
struct Found {
    /// Names of sections and keys.
    keys: Vec<String>,
    /// The name of the `[[table]]` or `[[pair]]`, or the title of the `[[panel]]`, in the path.
    item: Option<String>,
    /// The kind of the value that was found.
    kind: Option<&'static str>,
    /// Whether it is an item of a list, and the list itself has the right kind.
    is_inside: bool,
}

impl Found {
    /// The text before the key in a message: `[sync] `, `[[table]] "par" tags: `, `[table.columns.A] spike: `; empty at
    /// the top of the file.
    fn place(&self) -> String {
        let path: Vec<&str> = self.keys.iter().map(String::as_str).collect();
        let Some((_, above)) = path.split_last() else { return String::new() };
        let (section, groups) = match above {
            [] => return String::new(),
            ["table", "columns", column, groups @ ..] => (format!("[table.columns.{}]", quoted(column)), groups),
            [list @ ("table" | "pair" | "panel" | "bucket"), groups @ ..] => match &self.item {
                Some(name) => (format!("[[{list}]] \"{name}\""), groups),
                None => (format!("[[{list}]]"), groups),
            },
            [section, groups @ ..] => (format!("[{section}]"), groups),
        };
        let groups: String = groups.iter().map(|group| format!(" {group}:")).collect();
        format!("{section}{groups} ")
    }

    fn is_in_column(&self) -> bool {
        matches!(self.keys.as_slice(), [table, columns, _, _] if table == "table" && columns == "columns")
    }

    fn example(&self) -> String {
        let path = || self.keys.iter().map(String::as_str);
        let (Some(name), above) = (path().next_back(), path().rev().skip(1).rev()) else { return String::new() };
        let quoted = quoted(name);
        // A name that the user chose is not a key; its group is.
        match keys::at(above).map(|group| (group, group.kind)) {
            Some((_, Kind::Named(_))) => return format!("a section [table.columns.{quoted}]"),
            Some((group, Kind::GroupOfTexts)) => return format!("{group} = {{ {quoted} = \"...\" }}"),
            _ => {}
        }
        let Some(key) = keys::at(path()) else { return String::new() };
        match key.kind {
            Kind::Named(_) => "a section [table.columns.NAME] for each column".to_owned(),
            _ if self.keys.len() == 1 && key.may_be_repeated() => {
                format!("[[{key}]], with two brackets, and its keys in the lines below")
            }
            _ if self.keys.len() == 1 => format!("[{key}], and its keys in the lines below"),
            _ => format!("{key} = {}", key.example),
        }
    }

    fn kind(&self) -> &'static str {
        match self.kind {
            Some("string") => "a text in quotes",
            Some("integer") => "a whole number",
            Some("float") => "a number",
            Some("boolean") => "true or false",
            Some("datetime") => "a date without quotes",
            Some("array") => "a list, or a section in two brackets",
            Some("table") => "a section in one bracket, or a group in { }",
            _ => "what stands here",
        }
    }
}

/// The name in the form for a section header: quoted unless it is a bare key.
pub(super) fn quoted(name: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    if !name.is_empty() && name.chars().all(is_plain) { name.to_owned() } else { format!("\"{name}\"") }
}

/// Follows the keys whose value or name contains `span`.
fn find(table: &DeTable<'_>, span: &Range<usize>, mut found: Found) -> Found {
    for (key, value) in table {
        let named = contains(&key.span(), span);
        if !named && !holds(value, span) {
            continue;
        }
        found.keys.push(key.get_ref().to_string());
        found.kind = Some(value.get_ref().type_str());
        if named {
            return found;
        }
        return match value.get_ref() {
            DeValue::Table(inner) => find(inner, span, found),
            DeValue::Array(items) => match items.iter().find(|item| holds(item, span)) {
                Some(item) => match item.get_ref() {
                    DeValue::Table(inner) if item.span() != *span => {
                        let name =
                            inner.get("name").or_else(|| inner.get("title")).and_then(|name| name.get_ref().as_str());
                        found.item = name.map(str::to_owned).or(found.item);
                        find(inner, span, found)
                    }
                    other => {
                        found.kind = Some(other.type_str());
                        found.is_inside = true;
                        found
                    }
                },
                None => found,
            },
            _ => found,
        };
    }
    found
}

/// A section's own span is only its header line, so its keys are checked too.
fn holds(value: &Spanned<DeValue<'_>>, span: &Range<usize>) -> bool {
    contains(&value.span(), span)
        || match value.get_ref() {
            DeValue::Table(inner) => inner.iter().any(|(key, value)| contains(&key.span(), span) || holds(value, span)),
            DeValue::Array(items) => items.iter().any(|item| holds(item, span)),
            _ => false,
        }
}

fn contains(outer: &Range<usize>, inner: &Range<usize>) -> bool {
    outer.start <= inner.start && inner.end <= outer.end && !outer.is_empty()
}
