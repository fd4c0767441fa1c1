//! Positions in the configuration file, for messages.

use std::fmt::Display;
use std::ops::{Range, RangeInclusive};
use std::path::Path;

use toml::Spanned;

use super::ConfigError;
use super::file::Given;
use super::keys::{Key, Kind};

/// The text of a configuration and the path of its file.
pub(super) struct Source<'a> {
    /// The path as the user gave it, so that messages show a path that the user knows.
    pub path: &'a Path,
    /// The whole text.
    pub text: &'a str,
}

impl Source<'_> {
    /// The line of a byte offset, counted from 1.
    pub(super) fn line(&self, at: usize) -> usize {
        let before = self.text.as_bytes().get(..at).unwrap_or(self.text.as_bytes());
        before.iter().filter(|byte| **byte == b'\n').count() + 1
    }
}

/// A section that is being checked.
pub(super) struct Section<'a> {
    source: &'a Source<'a>,
    /// The name for messages, for example `[sync]`.
    name: String,
    /// The offset of its first byte; None if the section is not in the file.
    at: Option<usize>,
}

impl<'a> Section<'a> {
    pub(super) fn new(source: &'a Source<'a>, name: impl Into<String>, at: Option<usize>) -> Section<'a> {
        Section { source, name: name.into(), at }
    }

    /// An error at `span`; `problem` begins with the key.
    pub(super) fn wrong(&self, span: &Range<usize>, problem: impl Display) -> ConfigError {
        self.error(Some(span.start), problem)
    }

    /// An error of the section as a whole: something is missing.
    pub(super) fn lacks(&self, problem: impl Display) -> ConfigError {
        self.error(self.at, problem)
    }

    /// Reads a string with one of the functions of [`super::value`]. The function's error says what is wrong and what
    /// to write.
    pub(super) fn read<T>(
        &self,
        key: impl Display,
        value: &Option<Spanned<String>>,
        read: impl Fn(&str) -> Result<T, String>,
    ) -> Result<Option<T>, ConfigError> {
        value.as_ref().map(|value| self.read_one(key, value, read)).transpose()
    }

    /// Like [`Section::read`], for a string that is given.
    pub(super) fn read_one<T>(
        &self,
        key: impl Display,
        value: &Spanned<String>,
        read: impl Fn(&str) -> Result<T, String>,
    ) -> Result<T, ConfigError> {
        read(value.get_ref())
            .map_err(|problem| self.wrong(&value.span(), format!("{key} = \"{}\" {problem}", visible(value.get_ref()))))
    }

    /// Like [`Section::read`]; if the key is not given, its default is read.
    pub(super) fn read_or_default<T>(
        &self,
        key: &Key,
        value: &Option<Spanned<String>>,
        read: impl Fn(&str) -> Result<T, String>,
    ) -> Result<T, ConfigError> {
        match self.read(key, value, &read)? {
            Some(given) => Ok(given),
            None => read(key.default_text()).map_err(|problem| self.lacks(format!("{key} {problem}"))),
        }
    }

    /// Like [`Section::read`], for values that an error must not repeat.
    pub(super) fn read_quietly<T>(
        &self,
        key: impl Display,
        value: &Option<Spanned<String>>,
        read: impl Fn(&str) -> Result<T, String>,
    ) -> Result<Option<T>, ConfigError> {
        let Some(value) = value else { return Ok(None) };
        read(value.get_ref()).map(Some).map_err(|problem| self.wrong(&value.span(), format!("{key} {problem}")))
    }

    /// Reads a whole number within the limits of its key; `why` is the reason for the limits.
    pub(super) fn whole(&self, key: &Key, value: &Option<Spanned<i64>>, why: &str) -> Result<Option<u64>, ConfigError> {
        let bounds = match key.kind {
            Kind::Whole { least, most } => least..=most,
            _ => 0..=u64::MAX,
        };
        self.number(key, value, bounds, why)
    }

    /// Like [`Section::whole`]; if the key is not given, its default is used.
    pub(super) fn whole_or_default<T: TryFrom<u64>>(
        &self,
        key: &Key,
        value: &Option<Spanned<i64>>,
        why: &str,
    ) -> Result<T, ConfigError> {
        let given = self.whole(key, value, why)?;
        let number = given.or_else(|| key.default_text().replace('_', "").parse().ok());
        let number = number.and_then(|number| T::try_from(number).ok());
        number.ok_or_else(|| self.lacks(format!("{key} is too large for this computer; write a smaller number")))
    }

    /// Reads a whole number within limits; `why` is the reason for them.
    pub(super) fn number(
        &self,
        key: impl Display,
        value: &Option<Spanned<i64>>,
        bounds: RangeInclusive<u64>,
        why: &str,
    ) -> Result<Option<u64>, ConfigError> {
        let Some(value) = value else { return Ok(None) };
        if let Some(number) = u64::try_from(*value.get_ref()).ok().filter(|number| bounds.contains(number)) {
            return Ok(Some(number));
        }
        let range = match *bounds.end() {
            u64::MAX => format!("{} or more", bounds.start()),
            most => format!("{} to {most}", bounds.start()),
        };
        Err(self.wrong(&value.span(), format!("{key} = {} is out of bounds; write {range}: {why}", value.get_ref())))
    }

    /// Whether a flag is set; if the key is not given, its default applies.
    pub(super) fn is_set(&self, key: &Key, value: &Option<Spanned<bool>>) -> bool {
        value.as_ref().map_or(key.default_text() == "true", |value| *value.get_ref())
    }

    /// Refuses keys that have no effect here, because a user who writes one expects an effect. `why` is the text after
    /// the key.
    pub(super) fn refuse(
        &self,
        given: &[Given],
        is_refused: impl Fn(&str) -> bool,
        why: impl Display,
    ) -> Result<(), ConfigError> {
        match given.iter().find(|given| is_refused(given.key)) {
            Some(Given { key, place }) => Err(self.wrong(place, format!("{key} {why}"))),
            None => Ok(()),
        }
    }

    fn error(&self, at: Option<usize>, problem: impl Display) -> ConfigError {
        ConfigError::Invalid {
            file: self.source.path.to_owned(),
            line: at.map(|at| self.source.line(at)),
            message: format!("{} {problem}", self.name),
        }
    }
}

/// The text in the form in which it was written: a tab that was meant as the `\t` of `C:\temp` is shown as `\t`.
pub(super) fn visible(text: &str) -> String {
    crate::text::visible(text).into_owned()
}
