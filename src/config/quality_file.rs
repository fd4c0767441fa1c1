//! The part of [`super::file`] about QC: the types that the QC settings of the TOML file are parsed into.
//!
//! The groups of the tests are not listed here: [`take`] removes them from the parsed text by the keys that
//! [`crate::qc`] lists, before the rest is parsed section by section.

use std::collections::BTreeMap;
use std::ops::Range;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::de::{DeTable, DeValue, ValueDeserializer};

use super::file::{Numbers, Text, Texts};
use super::place::Source;
use super::{ConfigError, shape};
use crate::qc::{ColumnSettings, GroupKeys, Key, Kind, TableSettings};

/// An optional number.
pub(super) type Number = Option<Spanned<f64>>;

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(super) struct QcSection {
    pub wait: Text,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PairSection {
    pub name: Text,
    pub table: Text,
    pub column: Text,
    pub against_table: Text,
    pub against: Text,
    pub difference: Option<Spanned<NumbersSection>>,
    pub ratio: Option<Spanned<RatioSection>>,
    pub when: Option<Spanned<WhenSection>>,
    pub within: Text,
    pub flags: Text,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NumbersSection {
    pub suspect: Number,
    pub fail: Number,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RatioSection {
    pub suspect: Numbers,
    pub fail: Numbers,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct GuardSection {
    pub suspect: Numbers,
    pub fail: Numbers,
    pub governs: Texts,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WhenSection {
    pub column: Text,
    pub above: Number,
    pub below: Number,
}

/// The group of a test. Every value has the TOML type that its key requires.
pub(super) struct GroupSection {
    /// The key of the group.
    pub name: &'static str,
    /// The position of its value.
    pub place: Range<usize>,
    pub settings: Vec<(&'static Key, Written)>,
}

/// A value of a group, with its position.
pub(super) enum Written {
    Number(Spanned<f64>),
    Numbers(Spanned<Vec<f64>>),
    Text(Spanned<String>),
    Texts(Spanned<Vec<Spanned<String>>>),
    Whole(Spanned<i64>),
    Wholes(Spanned<Vec<i64>>),
    /// Groups, with the position of the list.
    Groups(Vec<GroupSection>, Range<usize>),
}

impl Written {
    /// The position in bytes.
    pub(super) fn place(&self) -> Range<usize> {
        match self {
            Written::Number(found) => found.span(),
            Written::Numbers(found) => found.span(),
            Written::Text(found) => found.span(),
            Written::Texts(found) => found.span(),
            Written::Whole(found) => found.span(),
            Written::Wholes(found) => found.span(),
            Written::Groups(_, place) => place.clone(),
        }
    }
}

/// The test groups of one `[[table]]`.
#[derive(Default)]
pub(super) struct TableGroups {
    /// The groups of the table itself.
    pub table: Vec<GroupSection>,
    /// The groups of its columns, by column name.
    pub columns: BTreeMap<String, Vec<GroupSection>>,
}

/// The whole parsed text, which is used to determine positions.
pub(super) struct Tree<'a> {
    pub source: &'a Source<'a>,
    pub whole: &'a Spanned<DeTable<'a>>,
}

/// Removes the groups of the tests from `rest`, for each `[[table]]` in order. A value that is not a list of sections,
/// or not a section, is left there and is refused later.
pub(super) fn take(tree: &Tree<'_>, rest: &mut Spanned<DeTable<'_>>) -> Result<Vec<TableGroups>, ConfigError> {
    let Some(DeValue::Array(tables)) = rest.get_mut().get_mut("table").map(Spanned::get_mut) else {
        return Ok(Vec::new());
    };
    let mut found = Vec::new();
    for table in tables.iter_mut() {
        let mut groups = TableGroups::default();
        if let DeValue::Table(table) = table.get_mut() {
            groups.table = cut(tree, table, TableSettings::KEYS)?;
            if let Some(DeValue::Table(columns)) = table.get_mut("columns").map(Spanned::get_mut) {
                for (name, column) in columns.iter_mut() {
                    if let DeValue::Table(column) = column.get_mut() {
                        groups.columns.insert(name.get_ref().to_string(), cut(tree, column, ColumnSettings::KEYS)?);
                    }
                }
            }
        }
        found.push(groups);
    }
    Ok(found)
}

fn cut(
    tree: &Tree<'_>,
    section: &mut DeTable<'_>,
    known: &[&'static GroupKeys],
) -> Result<Vec<GroupSection>, ConfigError> {
    let mut found = Vec::new();
    for group in known {
        if let Some(value) = section.remove(group.name) {
            let place = value.span();
            found.push(read(tree, group.name, group.keys, &value, place)?);
        }
    }
    // In the user's order, so that the first mistake in the file is reported first.
    found.sort_by_key(|group: &GroupSection| group.place.start);
    Ok(found)
}

fn read(
    tree: &Tree<'_>,
    name: &'static str,
    keys: &'static [Key],
    value: &Spanned<DeValue<'_>>,
    place: Range<usize>,
) -> Result<GroupSection, ConfigError> {
    let DeValue::Table(table) = value.get_ref() else {
        return Err(shape::wrong_kind(tree.source, tree.whole, &place));
    };
    let mut settings = Vec::new();
    for (key, value) in table {
        let Some(known) = keys.iter().find(|known| known.name == key.get_ref().as_ref()) else {
            let names: Vec<String> = keys.iter().map(|known| known.name.to_owned()).collect();
            return Err(shape::unknown(tree.source, tree.whole, &key.span(), key.get_ref(), &names));
        };
        settings.push((known, written(tree, &known.kind, known.name, value)?));
    }
    Ok(GroupSection { name, place, settings })
}

fn written(
    tree: &Tree<'_>,
    kind: &'static Kind,
    name: &'static str,
    value: &Spanned<DeValue<'_>>,
) -> Result<Written, ConfigError> {
    fn parsed<T: DeserializeOwned>(tree: &Tree<'_>, value: &Spanned<DeValue<'_>>) -> Result<Spanned<T>, ConfigError> {
        Spanned::<T>::deserialize(ValueDeserializer::from(value.clone()))
            .map_err(|error| shape::wrong_shape(tree.source, tree.whole, &error))
    }
    Ok(match kind {
        Kind::Positive => Written::Number(parsed(tree, value)?),
        Kind::Bounds => Written::Numbers(parsed(tree, value)?),
        Kind::Span | Kind::Word(_) | Kind::Text | Kind::Path => Written::Text(parsed(tree, value)?),
        Kind::Names | Kind::Instants => Written::Texts(parsed(tree, value)?),
        Kind::Count { .. } => Written::Whole(parsed(tree, value)?),
        Kind::Whole { .. } => Written::Wholes(parsed(tree, value)?),
        Kind::Groups(keys) => {
            let DeValue::Array(items) = value.get_ref() else {
                return Err(shape::wrong_kind(tree.source, tree.whole, &value.span()));
            };
            let groups = items.iter().map(|item| read(tree, name, keys, item, item.span()));
            Written::Groups(groups.collect::<Result<_, _>>()?, value.span())
        }
    })
}
