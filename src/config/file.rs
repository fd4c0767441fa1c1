//! The types that the TOML file is parsed into.
//!
//! The types come from the rows of [`super::keys`]. Every key is optional in them and keeps its position in the file,
//! so that [`super::load`] can report what is missing or wrong. Invalid TOML, unknown keys, and values of the wrong
//! kind are refused here, with the messages of [`super::shape`]. The groups of the QC tests are read by the keys that
//! QC lists ([`super::quality_file`]).

use std::collections::BTreeMap;
use std::ops::Range;

use serde::Deserialize;
use serde::de::IgnoredAny;
use toml::Spanned;
use toml::de::DeTable;

pub(super) use super::keys::{
    BucketSection, ClockSection, ColumnSection, CsvSection, DestinationSection, File, LogSection, NotifySection,
    OffsetSection, PanelSection, StationSection, StoreSection, SyncSection, TableSection, WatchSection,
};
use super::place::Source;
use super::quality_file::{self, Tree};
use super::{ConfigError, shape};

/// An optional string with its position.
pub(super) type Text = Option<Spanned<String>>;
/// An optional list of strings, each with its position.
pub(super) type Texts = Option<Spanned<Vec<Spanned<String>>>>;
/// An optional list of numbers.
pub(super) type Numbers = Option<Spanned<Vec<f64>>>;
/// An optional list of values that mean "missing".
pub(super) type Sentinel = Option<Spanned<Vec<MissingValue>>>;

/// A value that means "missing".
#[derive(Debug, Clone, PartialEq)]
pub(super) enum MissingValue {
    Number(f64),
    Text(String),
}

impl<'de> Deserialize<'de> for MissingValue {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<MissingValue, D::Error> {
        struct Either;
        impl serde::de::Visitor<'_> for Either {
            type Value = MissingValue;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a number or a text")
            }

            fn visit_f64<E>(self, number: f64) -> Result<MissingValue, E> {
                Ok(MissingValue::Number(number))
            }

            #[allow(
                clippy::cast_precision_loss,
                reason = "as TOML's whole numbers are read where any number may stand"
            )]
            fn visit_i64<E>(self, number: i64) -> Result<MissingValue, E> {
                Ok(MissingValue::Number(number as f64))
            }

            fn visit_str<E>(self, text: &str) -> Result<MissingValue, E> {
                Ok(MissingValue::Text(text.to_owned()))
            }
        }
        from.deserialize_any(Either)
    }
}

impl File {
    /// Parses the text.
    pub(super) fn parse(source: &Source<'_>) -> Result<File, ConfigError> {
        let tree = DeTable::parse(source.text).map_err(|error| shape::syntax(source, &error))?;
        shape::refuse_unknown_keys(source, &tree)?;
        let mut rest = tree.clone();
        let groups = quality_file::take(&Tree { source, whole: &tree }, &mut rest);
        let file = File::deserialize(toml::Deserializer::from(rest));
        let file = file.map_err(|error| shape::wrong_shape(source, &tree, &error));
        let (mut file, groups) = match (file, groups) {
            (Ok(file), Ok(groups)) => (file, groups),
            // Of two mistakes, the first one in the file is reported.
            (Err(one), Err(other)) if other.line() < one.line() => return Err(other),
            (Err(error), _) | (_, Err(error)) => return Err(error),
        };
        for (table, groups) in file.table.iter_mut().map(Spanned::get_mut).zip(groups) {
            table.tests = groups.table;
            for (name, tests) in groups.columns {
                if let Some(column) = table.columns.get_mut(&name) {
                    column.get_mut().tests = tests;
                }
            }
        }
        Ok(file)
    }
}

/// A key that is given in the file.
pub(super) struct Given {
    /// Its name.
    pub key: &'static str,
    /// The byte range of its value.
    pub place: Range<usize>,
}

/// The position of a key's value; None if the key is not given.
pub(super) trait Place {
    fn place(&self) -> Option<Range<usize>>;
}

impl<T> Place for Option<Spanned<T>> {
    fn place(&self) -> Option<Range<usize>> {
        self.as_ref().map(Spanned::span)
    }
}

impl<T> Place for Vec<Spanned<T>> {
    fn place(&self) -> Option<Range<usize>> {
        self.first().map(Spanned::span)
    }
}

impl<T> Place for BTreeMap<String, Spanned<T>> {
    fn place(&self) -> Option<Range<usize>> {
        self.values().next().map(Spanned::span)
    }
}

/// One text of a key's value.
pub(super) struct Part<'a> {
    /// The name of the text in the key's group; None if the text is the value itself.
    pub name: Option<&'a str>,
    pub text: &'a mut Spanned<String>,
}

/// The texts of a key's value: one, or each of a group of texts; None if the value is not a text.
pub(super) trait Parts {
    fn parts(&mut self) -> Vec<Part<'_>> {
        Vec::new()
    }
}

impl Parts for Text {
    fn parts(&mut self) -> Vec<Part<'_>> {
        self.iter_mut().map(|text| Part { name: None, text }).collect()
    }
}

impl Parts for Option<Spanned<BTreeMap<String, Spanned<String>>>> {
    fn parts(&mut self) -> Vec<Part<'_>> {
        let texts = self.iter_mut().flat_map(|texts| texts.get_mut());
        texts.map(|(name, text)| Part { name: Some(name), text }).collect()
    }
}

impl Parts for Texts {}
impl Parts for Numbers {}
impl Parts for Sentinel {}
impl Parts for Option<Spanned<bool>> {}
impl Parts for Option<Spanned<i64>> {}
impl Parts for Option<Spanned<f64>> {}
impl Parts for Option<Spanned<IgnoredAny>> {}
impl<T> Parts for Vec<Spanned<T>> {}
impl<T> Parts for BTreeMap<String, Spanned<T>> {}
