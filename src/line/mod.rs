//! Converts a row into one line of line protocol.
//!
//! Every product that supports line protocol reads the same point from the line: one line is one point, numbers are
//! floats unless the configuration gives another type, the time is always written, and no text that a logger can put
//! into a name merges two lines or hides one. The rules are the result of running five parsers on the special cases
//! (docs/influx-answers.md#line-protocol).
//!
//! [`LineShape`] computes once everything that depends on the series; [`LineShape::render`] runs once per row and
//! neither allocates nor looks anything up. The same row with the same shape gives the same bytes (I7), and a shape
//! with a longer column list keeps the names of the earlier columns.

use crate::config::{ColumnUse, TableConfig, ValueType};
use crate::time::Timestamp;

mod carries;
mod cells;
mod error;
mod escape;
mod field;
mod names;
mod numbers;
mod share;
mod typed;
mod writing;

#[cfg(test)]
mod tests;

pub use carries::carries;
pub use error::LineError;
pub use names::Carried;
pub use share::share_of_columns;

use std::collections::HashSet;

use cells::Cells;
use escape::Names;
use field::FieldShape;
use writing::Line;

/// The limit of InfluxDB 1.x and 2.x for the series key, and for series key + field key + 4 (`models.MaxKeyLength`).
const MAX_KEY_BYTES: usize = 65_535;

/// What follows the name of a field in that of its flag.
const FLAG: &str = "_qc";
/// QARTOD's digit for "missing".
const MISSING: u8 = b'9';
/// QARTOD's digit for "fail".
const FAIL: u8 = b'4';
/// QARTOD's digit for "not evaluated".
const NOT_EVALUATED: u8 = b'2';

/// A tag value in line protocol, for lines that are not rows.
pub fn tag_value(raw: &str) -> String {
    let mut out = Vec::new();
    let clean = escape::text(raw);
    escape::put_key(clean.trim(), &mut out);
    String::from_utf8_lossy(&out).into_owned()
}

/// The value of a tag as it is sent, unescaped.
pub fn tag_text(raw: &str) -> String {
    escape::text(raw)
}

/// A field key in line protocol, for lines that are not rows.
pub fn field_key(raw: &str) -> String {
    let mut out = Vec::new();
    escape::put_key(&escape::key(raw), &mut out);
    String::from_utf8_lossy(&out).into_owned()
}

/// Everything that is equal in all lines of a series: built once, used for each row.
#[derive(Debug, Clone)]
pub struct LineShape {
    tags: Vec<(String, String)>,
    /// One part, unless the product limits the columns of a measurement and the table has more.
    parts: Vec<Part>,
    /// One entry per column of the store; None for tags and ignored columns.
    fields: Vec<Option<FieldShape>>,
}

/// A measurement with some of a table's fields. Fields are assigned to parts in the order of the columns, a field and
/// its flag to the same part, so a column that is added later moves no other field.
#[derive(Debug, Clone)]
struct Part {
    measurement: String,
    /// Measurement and tags, escaped, with the space after them.
    prefix: Vec<u8>,
    /// The number of its fields.
    fields: usize,
}

impl LineShape {
    /// Builds the shape of one series, for a product without a limit of columns, with the flags of columns that have a
    /// range.
    ///
    /// # Errors
    /// As for [`LineShape::within`].
    pub fn new(
        table: &TableConfig,
        columns: &[String],
        series_tags: &[(String, String)],
    ) -> Result<LineShape, LineError> {
        let has_range = |column: &str| table.columns.get(column).is_some_and(|column| column.range.is_some());
        LineShape::within(None, table, columns, series_tags, &has_range)
    }

    /// Builds the shape of one series.
    ///
    /// `columns` is the store's column list for the table, in order; it only grows. `series_tags` are the values of the
    /// tag columns, by the column's name in the file. `most_columns` is the number of columns (time, tags, fields,
    /// flags) that the product allows in a measurement: further fields are written to a measurement with `_2` after its
    /// name, then `_3`, at the same time with the same tags. `is_flagged` says for which columns the flags are sent.
    ///
    /// # Errors
    /// [`LineError::NothingToSend`] without a field column, [`LineError::KeyTooLong`] above InfluxDB's limit.
    pub fn within(
        most_columns: Option<usize>,
        table: &TableConfig,
        columns: &[String],
        series_tags: &[(String, String)],
        is_flagged: &dyn Fn(&str) -> bool,
    ) -> Result<LineShape, LineError> {
        let measurement = escape::measurement(&table.measurement);
        let mut names = Names::default();
        let tags = sent_tags(table, series_tags, &mut names);
        let series_bytes = prefix(&measurement, &tags).len() - 1;
        if series_bytes > MAX_KEY_BYTES {
            return Err(LineError::KeyTooLong { field: String::new(), bytes: series_bytes });
        }
        let mut fields: Vec<Option<FieldShape>> = vec![None; columns.len()];
        let claims = Claim::of_each(table, columns, &names);
        for claim in [Claim::Own, Claim::Changed, Claim::AnothersName] {
            for (place, field) in fields.iter_mut().enumerate().filter(|(place, _)| claims[*place] == claim) {
                *field = FieldShape::new(table, &columns[place], is_flagged(&columns[place]), &mut names);
            }
        }
        for field in fields.iter().flatten() {
            let key_bytes = field.value_key.len().max(field.flag_key.len()) - 1;
            let bytes = series_bytes + key_bytes + 4;
            if bytes > MAX_KEY_BYTES {
                return Err(LineError::KeyTooLong { field: field.name.clone(), bytes });
            }
        }
        if fields.iter().flatten().next().is_none() {
            return Err(LineError::NothingToSend { measurement });
        }
        // Time and tags are columns too; a field needs one column for itself and one for its flag.
        let room = most_columns.map_or(usize::MAX, |most| (most.saturating_sub(1 + tags.len()) / 2).max(1));
        let mut parts: Vec<Part> = Vec::new();
        for field in fields.iter_mut().flatten() {
            if parts.last().is_none_or(|part| part.fields == room) {
                let name =
                    if parts.is_empty() { measurement.clone() } else { format!("{measurement}_{}", parts.len() + 1) };
                parts.push(Part { prefix: prefix(&name, &tags), measurement: name, fields: 0 });
            }
            field.part = parts.len() - 1;
            parts[field.part].fields += 1;
        }
        Ok(LineShape { tags, parts, fields })
    }

    /// Names columns that hold no numbers, by their position in the column list: their flags are not sent in a row
    /// without a value.
    #[must_use]
    pub fn without_numbers_in(mut self, places: impl IntoIterator<Item = usize>) -> LineShape {
        for place in places {
            if let Some(Some(field)) = self.fields.get_mut(place) {
                field.holds_numbers = false;
            }
        }
        self
    }

    /// The fields whose flags are sent in a row without a value: index among the fields, and flag. If there are none,
    /// all fields.
    fn flags_of_empty_row<'s>(&'s self, values: &str, flags: &[u8]) -> Vec<(usize, &'s FieldShape, u8)> {
        let Ok(mut cells) = Cells::new(values) else { return Vec::new() };
        let cells = std::iter::from_fn(|| cells.next().ok().flatten());
        let columns = self.fields.iter().zip(flags).zip(cells);
        let fields = columns.filter_map(|((field, flag), cell)| Some((field.as_ref()?, *flag, cell)));
        let all: Vec<_> = fields.enumerate().map(|(place, (field, flag, cell))| (place, field, flag, cell)).collect();
        let has_any = all.iter().any(|(_, field, flag, cell)| field.flags_an_empty_row(*cell, *flag));
        let wanted =
            all.into_iter().filter(|(_, field, flag, cell)| !has_any || field.flags_an_empty_row(*cell, *flag));
        wanted.map(|(place, field, flag, _)| (place, field, flag)).collect()
    }

    /// Appends one line with its line end to `out`.
    ///
    /// `values` is the store's JSON array; if it is shorter than the column list, the other values are missing. `flags`
    /// has one QARTOD digit per value. A row without any value is sent too, with the flags of all fields that it could
    /// have values of, so that a broken sensor is not mistaken for a stopped agent.
    ///
    /// # Errors
    /// The row is damaged, or its time is out of range; `out` is then unchanged.
    pub fn render(&self, timestamp: Timestamp, values: &str, flags: &str, out: &mut Vec<u8>) -> Result<(), LineError> {
        self.render_and_tell(timestamp, values, flags, out, &mut |_, _| {})
    }

    /// Like [`LineShape::render`]. `left_out` is called with the field's name for each value that the field's type
    /// cannot represent; the line is sent without this value.
    ///
    /// # Errors
    /// As for [`LineShape::render`].
    pub fn render_and_tell(
        &self,
        timestamp: Timestamp,
        values: &str,
        flags: &str,
        out: &mut Vec<u8>,
        left_out: &mut dyn FnMut(&str, ValueType),
    ) -> Result<(), LineError> {
        if timestamp.nanos() < i64::MIN + 2 || timestamp.nanos() == i64::MAX {
            return Err(LineError::TimeOutOfRange(timestamp));
        }
        let start = out.len();
        let rendered = self.render_fields(timestamp, values, flags.as_bytes(), out, left_out);
        if rendered.is_err() {
            out.truncate(start);
        }
        rendered
    }

    fn render_fields(
        &self,
        at: Timestamp,
        values: &str,
        flags: &[u8],
        out: &mut Vec<u8>,
        left_out: &mut dyn FnMut(&str, ValueType),
    ) -> Result<(), LineError> {
        let damaged = |byte| LineError::Values { at, byte };
        let mut line = Line::begin(self, at, out);
        let mut cells = Cells::new(values).map_err(damaged)?;
        let mut count = 0;
        let mut has_value = false;
        while let Some(cell) = cells.next().map_err(damaged)? {
            let column = self.fields.get(count).ok_or(LineError::Columns { at, columns: self.fields.len() })?;
            let flag = *flags.get(count).filter(|digit| digit.is_ascii_digit()).ok_or(LineError::Flags { at })?;
            count += 1;
            if let Some(field) = column {
                line.turn_to(field.part);
                if field.sends_value(flag) {
                    has_value |= field.put_value(cell, &mut line, left_out);
                }
                if field.flag_is_sent && !field.is_unjudged_text(cell, flag) {
                    field.put_flag(flag, &mut line);
                }
            }
        }
        if flags.len() != count {
            return Err(LineError::Flags { at });
        }
        if !has_value {
            line.start_again();
            for (_, field, flag) in self.flags_of_empty_row(values, flags) {
                line.turn_to(field.part);
                field.put_flag(flag, &mut line);
            }
        }
        line.end();
        if line.out.len() == line.row_start {
            return Err(LineError::NothingToSend { measurement: self.measurement().to_owned() });
        }
        Ok(())
    }
}

/// What a column's claim to its name is. The claims of the first kind are met first, so that the names depend on the
/// columns that there are and not on the order in which a database learned of them: a database that is begun anew then
/// sends each column where the one before did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Claim {
    /// Its name, or the configured one, is sent as it is.
    Own,
    /// Its name is sent otherwise (`_x` as `x`), or is that of a tag or of the flag of another column (`T_qc` beside `T`).
    Changed,
    /// Its configured `field` is the name of another column that is sent under that name.
    AnothersName,
}

impl Claim {
    fn of_each(table: &TableConfig, columns: &[String], names: &Names) -> Vec<Claim> {
        let own = |name: &str| table.columns.get(name);
        let wanted = |column: &String| -> Option<String> {
            let own = own(column);
            own.is_none_or(|own| own.column_use == ColumnUse::Field)
                .then(|| own.and_then(|own| own.field.clone()).unwrap_or_else(|| column.clone()))
        };
        let all: Vec<Option<String>> = columns.iter().map(wanted).collect();
        let keys: HashSet<String> = all.iter().flatten().map(|name| escape::key(name)).collect();
        let of = |(column, wanted): (&String, &Option<String>)| {
            if is_to_take_anothers_name(table, columns, column) {
                return Claim::AnothersName;
            }
            let Some(wanted) = wanted else { return Claim::Own };
            let is_flag = wanted.strip_suffix(FLAG).is_some_and(|of| keys.contains(of));
            if is_flag || !escape::is_sent_as_it_is(wanted) || names.has(wanted) { Claim::Changed } else { Claim::Own }
        };
        columns.iter().zip(&all).map(of).collect()
    }
}

/// Whether the configured `field` of a column is the name of another column that is sent under that name.
fn is_to_take_anothers_name(table: &TableConfig, columns: &[String], column: &str) -> bool {
    let own = |name: &str| table.columns.get(name);
    let Some(field) = own(column).and_then(|config| config.field.as_deref()).filter(|field| *field != column) else {
        return false;
    };
    let is_sent_so = own(field).is_none_or(|other| other.column_use == ColumnUse::Field && other.field.is_none());
    is_sent_so && columns.iter().any(|other| other == field)
}

/// The tags to send. The names of all tags that the table can have are reserved first, whether this series has a value
/// for them or not, because a field must have the same name in every series.
fn sent_tags(table: &TableConfig, series_tags: &[(String, String)], names: &mut Names) -> Vec<(String, String)> {
    let mut tags: Vec<(String, String)> = Vec::new();
    for (key, value) in &table.tags {
        tags.push((names.take(&escape::key(key)), escape::text(value)));
    }
    let tag_columns = table.columns.iter().filter(|(_, config)| config.column_use == ColumnUse::Tag);
    for (column, config) in tag_columns {
        let name = names.take(&escape::key(config.field.as_deref().unwrap_or(column)));
        if let Some((_, value)) = series_tags.iter().find(|(tag, _)| tag == column) {
            tags.push((name, escape::text(value)));
        }
    }
    let is_tag_column = |name: &str| table.columns.get(name).is_some_and(|config| config.column_use == ColumnUse::Tag);
    for (key, value) in series_tags.iter().filter(|(key, _)| !is_tag_column(key)) {
        tags.push((names.take(&escape::key(key)), escape::text(value)));
    }
    tags.retain(|(_, value)| !value.is_empty());
    tags.sort();
    tags
}

fn prefix(measurement: &str, tags: &[(String, String)]) -> Vec<u8> {
    let mut prefix = Vec::new();
    escape::put_measurement(measurement, &mut prefix);
    for (key, value) in tags {
        prefix.push(b',');
        escape::put_key(key, &mut prefix);
        prefix.push(b'=');
        escape::put_key(value, &mut prefix);
    }
    prefix.push(b' ');
    prefix
}
