//! A reading becomes one line of line protocol.
//!
//! The promise is that every product that speaks line protocol reads the same point from the line: one line is one
//! point, numbers are floats unless the configuration says otherwise, the time is always written, and nothing that a logger can put into a name merges two
//! lines or hides one. The rules come from running five parsers on the odd cases (docs/influx-answers.md#line-protocol).
//!
//! [`LineShape`] does everything that depends on the series once; [`LineShape::render`] is the hot path and neither
//! allocates nor looks anything up. The same row through the same shape is the same bytes (I7), and a shape built from
//! a longer column list keeps the names of the columns it had.

use std::io::Write;

use crate::config::{ColumnUse, TableConfig, ValueType};
use crate::time::Timestamp;

mod carries;
mod cells;
mod escape;
mod share;
mod typed;

#[cfg(test)]
mod tests;

pub use carries::carries;
pub use share::share_of_columns;

use cells::{Cell, Cells};
use escape::Names;
use typed::{Typed, typed};

/// The longest series key, and series key + field key + 4, that InfluxDB 1.x and 2.x take (`models.MaxKeyLength`).
const MAX_KEY_BYTES: usize = 65_535;

/// QARTOD's digit for "missing".
const MISSING: u8 = b'9';
/// QARTOD's digit for "fail".
const FAIL: u8 = b'4';

/// Why a reading cannot become a line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LineError {
    /// The table has no column that is sent as a field.
    #[error("measurement `{measurement}` has no field column: give at least one column of the table `use = \"field\"`")]
    NothingToSend {
        /// As it would be sent.
        measurement: String,
    },
    /// Measurement, tags and a field name are too long together.
    #[error(
        "measurement, tags and field `{field}` need {bytes} bytes, InfluxDB takes {MAX_KEY_BYTES}: shorten the tag values or the field's name"
    )]
    KeyTooLong {
        /// The field, empty when measurement and tags alone are too long.
        field: String,
        /// What they need.
        bytes: usize,
    },
    /// The values are not the JSON array that the store writes.
    #[error("the stored values of {at} are damaged at byte {byte}: read the file again with `ingest FILE`")]
    Values {
        /// The row's time.
        at: Timestamp,
        /// Where the array stops making sense, from 0.
        byte: usize,
    },
    /// The row has more values than the table has columns.
    #[error(
        "the row of {at} has more values than the {columns} columns known: the column list was read before the row was staged"
    )]
    Columns {
        /// The row's time.
        at: Timestamp,
        /// Columns known to this shape.
        columns: usize,
    },
    /// There is not exactly one flag digit a value.
    #[error("the row of {at} does not have one flag digit a value: read its file again with `ingest FILE`")]
    Flags {
        /// The row's time.
        at: Timestamp,
    },
    /// The three instants at the ends of the range that InfluxDB keeps for itself.
    #[error("the time {0} is outside the range that InfluxDB takes")]
    TimeOutOfRange(Timestamp),
}

/// A tag value as it stands on a line, for lines that are not readings.
pub fn tag_value(raw: &str) -> String {
    let mut out = Vec::new();
    let clean = escape::text(raw);
    escape::put_key(clean.trim(), &mut out);
    String::from_utf8_lossy(&out).into_owned()
}

/// A field key as it stands on a line, for lines that are not readings.
pub fn field_key(raw: &str) -> String {
    let mut out = Vec::new();
    escape::put_key(&escape::key(raw), &mut out);
    String::from_utf8_lossy(&out).into_owned()
}

/// What is the same in every line of a series: built once, used for each row.
#[derive(Debug, Clone)]
pub struct LineShape {
    tags: Vec<(String, String)>,
    /// One, unless the product limits the columns of a measurement and the table has more.
    parts: Vec<Part>,
    /// One per column of the store; none for tags and ignored columns.
    fields: Vec<Option<FieldShape>>,
}

/// A measurement that takes some of a table's fields. Fields are given to parts in column order, a field and its flag to
/// the same one, so a column that is added later moves none.
#[derive(Debug, Clone)]
struct Part {
    measurement: String,
    /// Measurement and tags, escaped, with the space after them.
    prefix: Vec<u8>,
    /// How many fields it has.
    fields: usize,
}

/// A field column: its name and the two keys, escaped and ending in `=`.
#[derive(Debug, Clone)]
struct FieldShape {
    name: String,
    flag_name: String,
    value_key: Vec<u8>,
    flag_key: Vec<u8>,
    flag_is_sent: bool,
    /// A value that fails stays in the store; its flag goes out.
    fails_are_withheld: bool,
    /// Place in the list of parts.
    part: usize,
    value_type: ValueType,
}

impl LineShape {
    /// Builds the shape of one series, for a product that takes any number of columns, with the flags of columns that have a
    /// range.
    ///
    /// # Errors
    /// As [`LineShape::within`].
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
    /// `columns` is the store's column list for the table, in order; it only grows. `series_tags` are the values of
    /// the tag columns, by the column's name in the file. `most_columns` is how many columns (time, tags, fields, flags)
    /// the product allows a measurement: what does not fit goes to the measurement with `_2` behind its name, then `_3`,
    /// at the same time with the same tags. `is_flagged` says of which columns the flags are sent.
    ///
    /// # Errors
    /// [`LineError::NothingToSend`] without a field column, [`LineError::KeyTooLong`] over InfluxDB's limit.
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
        let mut fields: Vec<_> =
            columns.iter().map(|column| FieldShape::new(table, column, is_flagged(column), &mut names)).collect();
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
        // Time and tags are columns too; a field needs one for itself and one for its flag.
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

    /// Appends one line with its line end to `out`.
    ///
    /// `values` is the store's JSON array; where it is shorter than the column list, the rest is missing. `flags` has
    /// one QARTOD digit a value. A row without any value still goes out, with the flags of all its fields, so that a
    /// dead sensor can be told from a dead agent.
    ///
    /// # Errors
    /// The row is damaged, or its time is out of range; `out` is then as it was.
    pub fn render(&self, timestamp: Timestamp, values: &str, flags: &str, out: &mut Vec<u8>) -> Result<(), LineError> {
        self.render_and_tell(timestamp, values, flags, out, &mut |_, _| {})
    }

    /// As [`LineShape::render`]; `left_out` hears of each value that its field's type cannot express, by the field's name.
    /// The rest of the line goes out without it.
    ///
    /// # Errors
    /// As [`LineShape::render`].
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
                    has_value |= field.put_value(cell, line.fields_start, line.out, left_out);
                }
                if field.flag_is_sent {
                    field.put_flag(flag, line.fields_start, line.out);
                }
            }
        }
        if flags.len() != count {
            return Err(LineError::Flags { at });
        }
        if !has_value {
            line.start_again();
            for (field, flag) in self.fields.iter().zip(flags) {
                if let Some(field) = field {
                    line.turn_to(field.part);
                    field.put_flag(*flag, line.fields_start, line.out);
                }
            }
        }
        line.end();
        if line.out.len() == line.row_start {
            return Err(LineError::NothingToSend { measurement: self.measurement().to_owned() });
        }
        Ok(())
    }

    /// Hands each field that [`LineShape::render`] would send for this row to `take`: its place in
    /// [`LineShape::sent_names`], and its number; NaN for a value that is no number in the bucket, a text or a truth value. A
    /// row that cannot be rendered has none.
    pub fn sent_numbers(&self, values: &str, flags: &str, mut take: impl FnMut(usize, f64)) {
        let Ok(mut cells) = Cells::new(values) else { return };
        let digit = |flag: &u8| f64::from(flag.saturating_sub(b'0'));
        let mut has_value = false;
        // Each field has two places, whether its flag is sent or not.
        let mut place = 0;
        for (column, flag) in self.fields.iter().zip(flags.as_bytes()) {
            let Ok(Some(cell)) = cells.next() else { break };
            let Some(field) = column else { continue };
            if field.sends_value(*flag) && field.expresses(cell) {
                has_value = true;
                take(place, if field.is_number() { cell.number().unwrap_or(f64::NAN) } else { f64::NAN });
            }
            if field.flag_is_sent {
                take(place + 1, digit(flag));
            }
            place += 2;
        }
        if !has_value {
            let fields = self.fields.iter().zip(flags.as_bytes());
            let fields = fields.filter_map(|(column, flag)| column.as_ref().map(|field| (field, flag)));
            for (place, (field, flag)) in fields.enumerate() {
                // The others were handed over above.
                if !field.flag_is_sent {
                    take(2 * place + 1, digit(flag));
                }
            }
        }
    }

    /// The measurement as it is sent, unescaped; the first, where there are several.
    pub fn measurement(&self) -> &str {
        self.parts.first().map_or("", |part| &part.measurement)
    }

    /// Every measurement with the number of its value fields, in the order of [`LineShape::field_names`].
    pub fn measurements(&self) -> impl Iterator<Item = (&str, usize)> {
        self.parts.iter().map(|part| (part.measurement.as_str(), part.fields))
    }

    /// The names of the value fields as they are sent, unescaped, in column order.
    pub fn field_names(&self) -> impl Iterator<Item = &str> {
        self.fields.iter().flatten().map(|field| field.name.as_str())
    }

    /// As [`LineShape::field_names`], each followed by the name of its flag.
    pub fn sent_names(&self) -> impl Iterator<Item = &str> {
        self.fields.iter().flatten().flat_map(|field| [field.name.as_str(), field.flag_name.as_str()])
    }

    /// What each field column's line carries, in column order.
    pub fn carried(&self) -> impl Iterator<Item = Carried<'_>> {
        self.fields.iter().enumerate().filter_map(|(place, field)| {
            let field = field.as_ref()?;
            Some(Carried {
                place,
                name: &field.name,
                flag_is_sent: field.flag_is_sent,
                fails_are_withheld: field.fails_are_withheld,
            })
        })
    }

    /// Names of [`LineShape::sent_names`] whose values cannot be added up.
    pub fn names_without_sum(&self) -> impl Iterator<Item = &str> {
        self.fields.iter().flatten().filter(|field| !field.is_number()).map(|field| field.name.as_str())
    }

    /// The tags as they are sent, unescaped, sorted by the bytes of their keys; none has an empty value.
    pub fn tags(&self) -> &[(String, String)] {
        &self.tags
    }
}

/// What lines carry of one field column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Carried<'a> {
    /// In the column list.
    pub place: usize,
    /// The value field's name as it is sent, unescaped.
    pub name: &'a str,
    /// Whether its flag is sent.
    pub flag_is_sent: bool,
    /// Whether a value that fails stays in the store.
    pub fails_are_withheld: bool,
}

/// The line that is being written, one per part that has something to say.
struct Line<'a> {
    shape: &'a LineShape,
    at: Timestamp,
    out: &'a mut Vec<u8>,
    row_start: usize,
    line_start: usize,
    fields_start: usize,
    part: usize,
}

impl<'a> Line<'a> {
    fn begin(shape: &'a LineShape, at: Timestamp, out: &'a mut Vec<u8>) -> Line<'a> {
        let row_start = out.len();
        let mut line = Line { shape, at, out, row_start, line_start: row_start, fields_start: row_start, part: 0 };
        line.open(0);
        line
    }

    fn open(&mut self, part: usize) {
        self.part = part;
        self.line_start = self.out.len();
        if let Some(part) = self.shape.parts.get(part) {
            self.out.extend_from_slice(&part.prefix);
        }
        self.fields_start = self.out.len();
    }

    #[inline]
    fn turn_to(&mut self, part: usize) {
        if part != self.part {
            self.end();
            self.open(part);
        }
    }

    fn start_again(&mut self) {
        self.out.truncate(self.row_start);
        self.open(0);
    }

    /// Closes the line, or takes it back if it holds no field.
    fn end(&mut self) {
        if self.out.len() == self.fields_start {
            self.out.truncate(self.line_start);
            return;
        }
        // Formatting an integer into memory cannot fail.
        let _ = writeln!(self.out, " {}", self.at.nanos());
    }
}

impl FieldShape {
    /// None for a column that is not a field. The name of the flag is taken even where it is not sent, so that a range
    /// test configured later renames nothing.
    fn new(table: &TableConfig, column: &str, flag_is_sent: bool, names: &mut Names) -> Option<FieldShape> {
        let config = table.columns.get(column);
        if config.is_some_and(|config| config.column_use != ColumnUse::Field) {
            return None;
        }
        let wanted = config.and_then(|config| config.field.as_deref()).unwrap_or(column);
        let name = names.take(&escape::key(wanted));
        let flag_name = names.take(&format!("{name}_qc"));
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
            name,
            flag_name,
        })
    }

    #[inline]
    fn sends_value(&self, flag: u8) -> bool {
        flag != MISSING && !(self.fails_are_withheld && flag == FAIL)
    }

    /// True if there was a value to put.
    #[inline]
    fn put_value(
        &self,
        cell: Cell<'_>,
        fields_start: usize,
        out: &mut Vec<u8>,
        left_out: &mut dyn FnMut(&str, ValueType),
    ) -> bool {
        if self.value_type != ValueType::Float {
            return self.put_typed(cell, fields_start, out, left_out);
        }
        match cell {
            Cell::Canonical(token) => {
                put_key(&self.value_key, fields_start, out);
                out.extend_from_slice(token);
            }
            Cell::Odd(number) => {
                put_key(&self.value_key, fields_start, out);
                // Debug spelling of a finite f64 is canonical and shortest; writing to memory cannot fail.
                let _ = write!(out, "{number:?}");
            }
            Cell::Text(_) | Cell::Missing => return false,
        }
        true
    }

    #[cold]
    fn put_typed(
        &self,
        cell: Cell<'_>,
        fields_start: usize,
        out: &mut Vec<u8>,
        left_out: &mut dyn FnMut(&str, ValueType),
    ) -> bool {
        match typed(self.value_type, cell) {
            Typed::Sent(value) => {
                put_key(&self.value_key, fields_start, out);
                out.extend_from_slice(&value);
                true
            }
            Typed::Missing => false,
            Typed::LeftOut => {
                left_out(&self.name, self.value_type);
                false
            }
        }
    }

    /// Whether its values are numbers in the bucket.
    fn is_number(&self) -> bool {
        matches!(self.value_type, ValueType::Float | ValueType::Integer)
    }

    /// Whether there is a value, and its type can express it.
    fn expresses(&self, cell: Cell<'_>) -> bool {
        match self.value_type {
            ValueType::Float => matches!(cell, Cell::Canonical(_) | Cell::Odd(_)),
            other => matches!(typed(other, cell), Typed::Sent(_)),
        }
    }

    #[inline]
    fn put_flag(&self, flag: u8, fields_start: usize, out: &mut Vec<u8>) {
        put_key(&self.flag_key, fields_start, out);
        out.push(flag);
    }
}

#[inline]
fn put_key(key: &[u8], fields_start: usize, out: &mut Vec<u8>) {
    if out.len() > fields_start {
        out.push(b',');
    }
    out.extend_from_slice(key);
}

/// The names of all tags the table can have are taken first, whether this series has a value for them or not: a
/// field must have the same name in every series.
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
