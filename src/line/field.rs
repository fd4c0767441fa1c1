//! A field column and its part of a line.

use super::cells::Cell;
use super::escape::{self, Names};
use super::typed::{Typed, typed};
use super::writing::Line;
use super::{FAIL, FLAG, MISSING, NOT_EVALUATED};
use crate::config::{ColumnUse, TableConfig, ValueType};

/// A field column: its name and the two keys, escaped and ending in `=`.
#[derive(Debug, Clone)]
pub(super) struct FieldShape {
    pub(super) name: String,
    pub(super) flag_name: String,
    pub(super) value_key: Vec<u8>,
    pub(super) flag_key: Vec<u8>,
    pub(super) flag_is_sent: bool,
    /// Whether a failed value is not sent; its flag is.
    pub(super) fails_are_withheld: bool,
    /// The index in the list of parts.
    pub(super) part: usize,
    pub(super) value_type: ValueType,
    /// Whether the column can hold a number: a column of times or a histogram cannot, even in a row without a value in
    /// it.
    pub(super) holds_numbers: bool,
}

impl FieldShape {
    /// None for a column that is not a field. The name of the flag is reserved even if it is not sent, so that a range
    /// test that is configured later does not rename anything.
    pub(super) fn new(table: &TableConfig, column: &str, flag_is_sent: bool, names: &mut Names) -> Option<FieldShape> {
        let config = table.columns.get(column);
        if config.is_some_and(|config| config.column_use != ColumnUse::Field) {
            return None;
        }
        let wanted = config.and_then(|config| config.field.as_deref()).unwrap_or(column);
        let name = names.take(&escape::key(wanted));
        let flag_name = names.take(&format!("{name}{FLAG}"));
        let with_equals = |name: &str| {
            let mut key = Vec::with_capacity(name.len() + 1);
            escape::put_key(name, &mut key);
            key.push(b'=');
            key
        };
        Some(FieldShape {
            value_key: with_equals(&name),
            flag_key: with_equals(&flag_name),
            flag_is_sent,
            fails_are_withheld: config.is_some_and(|config| config.withhold),
            part: 0,
            value_type: config.map(|config| config.value_type).unwrap_or_default(),
            holds_numbers: true,
            name,
            flag_name,
        })
    }

    #[inline]
    pub(super) fn sends_value(&self, flag: u8) -> bool {
        flag != MISSING && !(self.fails_are_withheld && flag == FAIL)
    }

    /// Returns whether there was a value to write.
    #[inline]
    pub(super) fn put_value(
        &self,
        cell: Cell<'_>,
        line: &mut Line<'_>,
        left_out: &mut dyn FnMut(&str, ValueType),
    ) -> bool {
        let value = typed(self.value_type, cell);
        if value.is_sent() {
            put_key(&self.value_key, line);
            value.put(line.out);
            return true;
        }
        if value == Typed::LeftOut {
            left_out(&self.name, self.value_type);
        }
        false
    }

    /// Whether it is a text in a column of numbers that no test judged: neither it nor its flag says anything to a reader.
    #[inline]
    pub(super) fn is_unjudged_text(&self, cell: Cell<'_>, flag: u8) -> bool {
        let is_number = matches!(self.value_type, ValueType::Float | ValueType::Integer);
        flag == NOT_EVALUATED && is_number && matches!(cell, Cell::Text(_))
    }

    /// Whether its flag is sent in a row that has no value to send. A value that is never sent, such as a text in a
    /// column of numbers, needs no flag; a field with tests has a flag in every row.
    pub(super) fn flags_an_empty_row(&self, cell: Cell<'_>, flag: u8) -> bool {
        let is_number = matches!(self.value_type, ValueType::Float | ValueType::Integer);
        // A text that means "missing" (INF) is in a column that may hold numbers.
        let is_text = matches!(cell, Cell::Text(_)) && flag != MISSING;
        let is_never_sent = is_number && (!self.holds_numbers || is_text);
        (self.flag_is_sent && !self.is_unjudged_text(cell, flag)) || !is_never_sent
    }

    #[inline]
    pub(super) fn put_flag(&self, flag: u8, line: &mut Line<'_>) {
        put_key(&self.flag_key, line);
        line.out.push(flag);
    }
}

#[inline]
fn put_key(key: &[u8], line: &mut Line<'_>) {
    if line.out.len() > line.fields_start {
        line.out.push(b',');
    }
    line.out.extend_from_slice(key);
}
