//! The cells of a stored row. Each number keeps the logger's notation.

use std::borrow::Cow;

use serde_json::value::RawValue;

use super::ExportError;
use crate::qc::Flag;
use crate::store::StoredRow;

/// A value to export.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Cell<'r> {
    /// A number in the logger's notation.
    Number(&'r str),
    /// A decoded text.
    Text(Cow<'r, str>),
    /// The value is null in the store, or the row is older than the column.
    Missing,
}

impl Cell<'_> {
    pub(super) fn text(&self) -> &str {
        match self {
            Cell::Number(text) => text,
            Cell::Text(text) => text,
            Cell::Missing => "",
        }
    }
}

/// The values of a row and their flags.
#[derive(Debug)]
pub(super) struct Cells<'r> {
    values: Vec<&'r RawValue>,
    flags: &'r [u8],
}

impl<'r> Cells<'r> {
    pub(super) fn of(table: &str, row: &'r StoredRow) -> Result<Cells<'r>, ExportError> {
        let values = serde_json::from_str(&row.values).map_err(|source| ExportError::Row {
            table: table.to_owned(),
            ts: row.ts,
            source,
        })?;
        Ok(Cells { values, flags: row.flags.as_bytes() })
    }

    /// The value at this position of the column list.
    pub(super) fn value(&self, place: usize) -> Cell<'r> {
        let Some(raw) = self.values.get(place).map(|raw| raw.get()) else { return Cell::Missing };
        match raw.as_bytes().first() {
            Some(b'"') => serde_json::from_str(raw).map_or(Cell::Missing, |text: String| Cell::Text(text.into())),
            Some(b'n') | None => Cell::Missing,
            Some(_) => Cell::Number(raw),
        }
    }

    /// The digit of the flag; None if the row is older than the column.
    pub(super) fn flag(&self, place: usize) -> Option<u8> {
        self.flags.get(place).copied()
    }

    /// Whether QC flags the value as failed or missing.
    pub(super) fn is_masked(&self, place: usize) -> bool {
        self.flag(place).is_some_and(|digit| digit == Flag::Fail.digit() || digit == Flag::Missing.digit())
    }
}
