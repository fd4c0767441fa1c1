//! The configuration of tables and their columns.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use chrono::{DateTime, Utc};

use super::{Formula, Level, Limits};
use crate::ameriflux::Range;
use crate::qc::{ColumnSettings, Diagnostic, RangeGuard, Sentinels, TableName, TableSettings};
use crate::quantity::Kind;
use crate::sun::Position;
use crate::time::{LoggerClock, Samples, StationClock};

/// One logger table: its files, its format and where its rows are sent.
#[derive(Debug, Clone)]
pub struct TableConfig {
    /// The name; it is unique in the file.
    pub name: TableName,
    /// Glob patterns, joined to the folder of the configuration file.
    pub files: Vec<PathBuf>,
    /// The format of the files.
    pub format: FileFormat,
    /// The table name that line 1 must have; None takes the name in the first file that is read.
    pub logger_table: Option<String>,
    /// The measurement its rows are written to.
    pub measurement: String,
    /// Constant tags, including `station`.
    pub tags: BTreeMap<String, String>,
    /// The bucket, if it is not the destination's default.
    pub bucket: Option<String>,
    /// The present clock of the table, or that of the station: times are shown by it.
    pub clock: StationClock,
    /// The clock of the station, whichever clock this table's logger has: half hours, seasons and days are those of the
    /// station.
    pub station_clock: StationClock,
    /// The meaning of its rows' stamps.
    pub stamps: LoggerClock,
    /// The position of the station.
    pub position: Option<Position>,
    /// What to do if an existing key comes with other content.
    pub on_conflict: OnConflict,
    /// Whether rows share time stamps.
    pub samples: SharedStamps,
    /// A last line without a line end is taken after the file has not changed for this time.
    pub last_line_after: Duration,
    /// What happens to a file that its logger closed, after it was read.
    pub after: After,
    /// How long a file must be unchanged before it is taken as closed.
    pub closed_after: Duration,
    /// Rows before this instant are rejected: the logger's clock had lost its time.
    pub valid_from: DateTime<Utc>,
    /// Values that mean "missing" in every column without a list of its own.
    pub sentinels: Sentinels,
    /// `status` calls the table stale when its newest row is older than this.
    pub stale_after: Option<Duration>,
    /// Whether the logger writes the rows on events, or they are made of such rows: none is expected at any time.
    pub events: bool,
    /// The tests of its rows.
    pub quality: TableSettings,
    /// The level of sensors whose columns have none: the table's `height` or `depth`, otherwise its tag.
    pub level: Option<Level>,
    /// The instrument of columns that name none.
    pub sensor: Option<String>,
    /// The configured columns, by their name in the file. Other columns are fields under their own name.
    pub columns: BTreeMap<String, ColumnConfig>,
    /// The source of the rows if they are made of another table's; None if they are read from files.
    pub made_of: Option<MadeOf>,
}

/// How the rows of a table are made of another table's, one row per window of time.
#[derive(Debug, Clone, PartialEq)]
pub struct MadeOf {
    /// The table from whose rows they are made.
    pub table: TableName,
    /// The length of a window; it divides an hour.
    pub every: Duration,
    /// Whether suspect values are used.
    pub suspects: bool,
    /// The turbulence quick look, if configured.
    pub turbulence: Option<TurbulenceConfig>,
}

impl MadeOf {
    /// Whether windows can be made of rows at this interval: it divides them, to a fiftieth of a window. Values of rows that
    /// are longer than a window, or belong to two of them, are no values of a window.
    pub fn is_divided_by(&self, interval: Duration) -> bool {
        let (every, interval) = (self.every.as_nanos(), interval.as_nanos().max(1));
        let rows = (every + interval / 2) / interval;
        every.abs_diff(rows * interval) * 50 <= every
    }
}

/// The columns of a sonic anemometer's scans from which the turbulence quick look is made.
#[derive(Debug, Clone, PartialEq)]
pub struct TurbulenceConfig {
    /// Two horizontal components, the vertical one, and the sonic temperature in °C.
    pub wind: [String; 4],
    /// Densities of gases.
    pub gases: Vec<String>,
    /// The usual air pressure in kPa.
    pub pressure: Option<f64>,
}

/// What happens to a file that its logger closed, after each of its lines is accounted for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum After {
    /// The file is kept.
    Keep,
    /// It is moved into a folder.
    Move(PathBuf),
    /// It is compressed into a folder.
    Gzip(PathBuf),
    /// It is deleted.
    Delete,
}

/// The format of a table's files.
#[derive(Debug, Clone)]
pub enum FileFormat {
    /// A format of LoggerNet, recognised by the first bytes; if one is named, only that one is accepted.
    Logger(Option<LoggerFormat>),
    /// A text table of any other dialect.
    Csv(CsvFormat),
}

/// A format of LoggerNet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LoggerFormat {
    /// Text with four header lines.
    Toa5,
    /// Text with two header lines.
    Toaci1,
    /// Binary records.
    Tob1,
    /// A memory card's frames.
    Tob2,
    /// A memory card's frames.
    Tob3,
    /// XML.
    CsiXml,
}

impl LoggerFormat {
    /// All formats, by their names in the configuration.
    pub const ALL: [(&str, LoggerFormat); 6] = [
        ("toa5", LoggerFormat::Toa5),
        ("tob1", LoggerFormat::Tob1),
        ("tob2", LoggerFormat::Tob2),
        ("tob3", LoggerFormat::Tob3),
        ("toaci1", LoggerFormat::Toaci1),
        ("csixml", LoggerFormat::CsiXml),
    ];
}

impl fmt::Display for LoggerFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = LoggerFormat::ALL.iter().find(|(_, format)| format == self).map_or("", |(name, _)| *name);
        f.write_str(name)
    }
}

/// A text table: its columns, its time and its dialect.
#[derive(Debug, Clone, PartialEq)]
pub struct CsvFormat {
    /// A name per column, in the order of the file; None if a line of the file has the names.
    pub names: Option<Vec<String>>,
    /// The columns that form the time, joined by a blank.
    pub time_columns: Vec<String>,
    /// The formats of the time, tried in this order; None is `YYYY-MM-DD hh:mm:ss[.f]`. Never empty.
    pub time_formats: Vec<Option<String>>,
    /// The column of the record number, if there is one.
    pub record_column: Option<String>,
    /// The dialect of the lines; None if commas, points and quotes are as in a TOA5 file.
    pub dialect: Option<CsvDialect>,
    /// Set for a table with one value per line.
    pub long: Option<Box<LongForm>>,
}

/// The columns of a table with one value per line: the sensors become the columns of its rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LongForm {
    /// The column with the sensor's name.
    pub sensor: String,
    /// The column with the sensor's value.
    pub value: String,
}

impl CsvFormat {
    /// Whether a column is the time, a part of it, or the record number.
    pub fn is_key(&self, name: &str) -> bool {
        self.record_column.as_deref() == Some(name) || self.time_columns.iter().any(|time| time == name)
    }

    /// The names of the columns, if the configuration gives them.
    pub fn known_names(&self) -> &[String] {
        self.names.as_deref().unwrap_or_default()
    }

    /// Whether a column of this name may have values. Always true if the configuration does not name the columns.
    pub fn may_have(&self, name: &str) -> bool {
        self.long.is_some() || self.names.as_ref().is_none_or(|names| names.iter().any(|known| known == name))
    }

    /// The columns that are not part of the key, if the configuration names them.
    pub fn known_values(&self) -> impl Iterator<Item = &String> {
        let known = if self.long.is_some() { &[] } else { self.known_names() };
        let of_array = usize::from(self.dialect.as_ref().is_some_and(|dialect| dialect.array.is_some()));
        known.iter().skip(of_array).filter(|name| !self.is_key(name))
    }
}

/// How the lines of a text table are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CsvDialect {
    /// The separator between fields.
    pub separator: Separator,
    /// The sign before the fraction of a number.
    pub decimal: u8,
    /// The sign between the thousands of a number.
    pub thousands: Option<u8>,
    /// The sign around fields that contain a separator.
    pub quote: Option<u8>,
    /// The beginnings of lines that are not rows: comments, footers.
    pub comments: Vec<String>,
    /// The first field of this table's lines; lines with another number belong to other tables.
    pub array: Option<u16>,
    /// The year of stamps that have none.
    pub year: Option<u16>,
    /// The number of lines before the rows, including those of names and units.
    pub head_lines: usize,
    /// The line with the names, counted from 1.
    pub names_line: Option<usize>,
    /// The line with the units, counted from 1.
    pub units_line: Option<usize>,
}

impl Default for CsvDialect {
    fn default() -> CsvDialect {
        CsvDialect {
            separator: Separator::Sign(b','),
            decimal: b'.',
            thousands: None,
            quote: Some(b'"'),
            comments: Vec::new(),
            array: None,
            year: None,
            head_lines: 0,
            names_line: None,
            units_line: None,
        }
    }
}

/// The separator between the fields of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Separator {
    /// One character.
    Sign(u8),
    /// One or more blanks or tabs; those at the ends of a line are ignored.
    Blanks,
}

/// What to do if an existing key comes with other content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnConflict {
    /// The first content remains the row; the other is kept beside it.
    Keep,
    /// The newer content becomes the row and is sent again; the older is kept beside it.
    Replace,
}

/// Whether rows of a table share time stamps and are distinguished by RECORD.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum SharedStamps {
    /// Only if the rows show it.
    #[default]
    AsShown,
    /// Never.
    Never,
    /// This number of rows shares each stamp, and the interval is configured; or any number of events does.
    Of(Samples),
    /// This number of rows shares each stamp; that stamps are a second apart is only assumed.
    OfSeconds(Samples),
}

/// The type that a column's values are sent as.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ValueType {
    /// A number.
    #[default]
    Float,
    /// A whole number. Values that are not whole are left out.
    Integer,
    /// A string.
    Text,
    /// True or false: 1 or -1 and 0, or `true` and `false`.
    Boolean,
}

/// What a column is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ColumnUse {
    /// A float field.
    #[default]
    Field,
    /// Part of the row's identity, sent as a tag.
    Tag,
    /// Stored, never sent.
    Ignore,
}

/// One column of a table.
#[derive(Debug, Clone, Default)]
pub struct ColumnConfig {
    /// What it is for.
    pub column_use: ColumnUse,
    /// The name under which it is sent; None is its own name.
    pub field: Option<String>,
    /// The AmeriFlux base name, with or without position qualifiers.
    pub variable: Option<String>,
    /// The range test for the variable's own unit, if one is configured (directly or through `variable`);
    /// [`ColumnConfig::range_in`] gives the test for the unit of a header.
    pub range: Option<Range>,
    /// The limits that the user gives.
    pub limits: Limits,
    /// Values that mean "missing" in this column; None takes those of the table.
    pub sentinels: Option<Sentinels>,
    /// The kind of quantity, if the user gives it.
    pub kind: Option<Kind>,
    /// The unit of a derived column.
    pub unit: Option<String>,
    /// The formula of a derived column, which is not in the file.
    pub formula: Option<Formula>,
    /// The time before a row over which the potential radiation of a derived column is averaged.
    pub interval: Option<Duration>,
    /// Whether failed values are not sent; their flags are.
    pub withhold: bool,
    /// The tests other than the range test.
    pub quality: ColumnSettings,
    /// The instrument, if the column is a diagnostic word.
    pub diagnostic: Option<Diagnostic>,
    /// The guards by which its numbers flag other columns.
    pub guards: Vec<RangeGuard>,
    /// The measured quantity: columns of one quantity are shown together. None takes it from `variable`.
    pub quantity: Option<String>,
    /// The level of the sensor: that of the column, otherwise that of the table.
    pub level: Option<Level>,
    /// The instrument, such as `CNR1`: that of the column, otherwise that of the table.
    pub sensor: Option<String>,
    /// The type in which its values are sent.
    pub value_type: ValueType,
}
