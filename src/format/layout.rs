//! How to read the lines under one header: which field is the time, the record number and which value.
//!
//! A layout is built once and used for every line, so what a line can be spared is decided here: whether its values can be
//! copied as they stand, and whether a number in quotes can be a text.

use crate::config::FileFormat;
use crate::format::csv::{Keys, Spelling};
use crate::format::derived::Derived;
use crate::format::fields::Fields;
use crate::format::header::Header;
use crate::format::number::parse_number;
use crate::quantity::{Process, Stated};
use crate::time::StampFormat;

/// The use of a column of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnSource {
    /// The row's time.
    Time,
    /// The row's record number.
    Record,
    /// A value, at this position of the table's column list.
    Value(usize),
    /// A value that is also part of the row's key.
    Tag(usize),
}

/// How to read the lines under one header. Built once, used for every line.
#[derive(Debug, Clone)]
pub struct Layout {
    pub(super) sources: Vec<ColumnSource>,
    /// The length of the table's column list.
    pub(super) width: usize,
    /// Whether the values in the file are in the order of the column list, from its first name to its last.
    pub(super) in_order: bool,
    /// Whether each field after time and record number is the value of the next column.
    pub(super) is_values: bool,
    /// The formats of the time, tried in this order.
    pub(super) time_formats: Vec<StampFormat>,
    /// How many of these are in the present configuration; those after them are for lines that an earlier configuration
    /// read.
    pub(super) own_formats: usize,
    /// The translation of lines that are not in the TOA5 form.
    pub(super) spelling: Option<Spelling>,
    /// Whether quotes and blanks around a number have no meaning.
    pub(super) is_loose: bool,
    /// Where a logger writes no quotes, in the order of the file: quotes there were written by another program.
    bare: Vec<Bare>,
    /// The derived columns, by position.
    pub(super) derived: Vec<Derived>,
    /// The derived columns whose values depend on the row's time.
    pub(super) of_time: Vec<Derived>,
}

/// What the header shows about quotes around the numbers of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Bare {
    /// Its values are computed from numbers, so no logger quotes them.
    Always,
    /// It has a unit, which texts hardly ever have: if every value of a row is a quoted number, the row was not written
    /// by a logger.
    Probably,
    /// It may hold texts of digits, such as a serial number.
    Unknown,
}

impl Bare {
    fn of(stated: Option<Stated<'_>>) -> Bare {
        let Some(stated) = stated else { return Bare::Unknown };
        if Process::of(stated.process).is_some_and(Process::is_of_numbers) {
            return Bare::Always;
        }
        let unit = stated.unit.trim();
        if unit.is_empty() || unit.eq_ignore_ascii_case("unitless") { Bare::Unknown } else { Bare::Probably }
    }
}

impl Layout {
    /// Whether the time is the first field. Only then can a text that begins within another row be recognised as not a
    /// row.
    pub fn begins_with_time(&self) -> bool {
        matches!(self.sources.first(), Some(ColumnSource::Time))
    }

    /// `sources` are in the order of the file; `width` is the length of the table's column list. `derived` columns are
    /// not in the file.
    pub fn new(sources: Vec<ColumnSource>, width: usize, mut derived: Vec<Derived>) -> Layout {
        derived.sort_by_key(|column| column.place);
        let places = sources.iter().filter_map(|source| match source {
            ColumnSource::Value(place) | ColumnSource::Tag(place) => Some(*place),
            _ => None,
        });
        let in_order = places.chain(derived.iter().map(|column| column.place)).eq(0..width);
        let keys =
            sources.iter().take_while(|source| matches!(source, ColumnSource::Time | ColumnSource::Record)).count();
        let is_values = in_order && sources[keys..].iter().all(|source| matches!(source, ColumnSource::Value(_)));
        let of_time = derived.iter().filter(|column| column.needs_time()).cloned().collect();
        Layout {
            sources,
            width,
            in_order,
            is_values,
            time_formats: vec![StampFormat::LOGGERS],
            own_formats: 1,
            spelling: None,
            is_loose: false,
            bare: Vec::new(),
            derived,
            of_time,
        }
    }

    /// Like [`Layout::new`], for the columns of a file: `place` gives the use of each column that is neither time nor
    /// record number.
    pub fn of_file(
        format: &FileFormat,
        header: &Header,
        width: usize,
        derived: Vec<Derived>,
        mut place: impl FnMut(&str) -> ColumnSource,
    ) -> Layout {
        let keys = Keys::of(format, header);
        let first = keys.time.iter().min().copied();
        let sources = header.names.iter().enumerate().filter_map(|(at, name)| {
            Some(match at {
                _ if Some(at) == first => ColumnSource::Time,
                // A part of the time, or the array number.
                _ if keys.time.contains(&at) || keys.array == Some(at) => return None,
                _ if Some(at) == keys.record => ColumnSource::Record,
                _ => place(name),
            })
        });
        let layout = Layout::new(sources.collect(), width, derived);
        let FileFormat::Csv(csv) = format else {
            let bare = header.names.iter().map(|name| Bare::of(header.stated(name))).collect();
            let time_formats = vec![StampFormat::LOGGERS, StampFormat::MINUTES];
            return Layout { bare, own_formats: time_formats.len(), time_formats, ..layout };
        };
        let time_formats: Vec<StampFormat> =
            csv.time_formats.iter().filter_map(|text| StampFormat::new(text.as_deref())).collect();
        Layout {
            own_formats: time_formats.len(),
            time_formats,
            spelling: Spelling::of_rows(csv, &keys, header),
            is_loose: true,
            ..layout
        }
    }

    /// From now on, stamps without a year are of this one.
    pub fn set_year(&mut self, year: u16) {
        if let Some(spelling) = &mut self.spelling {
            spelling.set_year(year);
        }
    }

    /// Whether a line has quoted numbers where no logger writes quotes.
    pub(super) fn is_of_another_program(&self, line: &[u8]) -> bool {
        let is_value = |source: &ColumnSource| matches!(source, ColumnSource::Value(_) | ColumnSource::Tag(_));
        let fields = self.sources.iter().zip(&self.bare).zip(Fields::new(line));
        let mut are_all = true;
        let mut has_unit = false;
        for ((_, bare), field) in fields.filter(|((source, _), _)| is_value(source)) {
            let is_number = parse_number(field.text).is_some();
            let is_missing = field.text.is_empty() || field.text.eq_ignore_ascii_case(b"NAN");
            are_all &= field.quoted && (is_number || is_missing);
            if field.quoted && is_number {
                match bare {
                    Bare::Always => return true,
                    Bare::Probably => has_unit = true,
                    Bare::Unknown => {}
                }
            }
        }
        are_all && has_unit
    }

    /// The same layout, for lines whose time may have the format of an earlier configuration.
    pub fn or_earlier(mut self, earlier: &[Option<String>]) -> Layout {
        self.time_formats.extend(earlier.iter().filter_map(|text| StampFormat::new(text.as_deref())));
        self
    }
}
