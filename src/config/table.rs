//! Tables and their columns.

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

/// One logger table: its files, its shape and where its rows go.
#[derive(Debug, Clone)]
pub struct TableConfig {
    /// Unique in the file.
    pub name: TableName,
    /// Glob patterns, joined to the folder of the config file.
    pub files: Vec<PathBuf>,
    /// What stands in them.
    pub format: FileFormat,
    /// The table name that line 1 must carry; none means that the first file read decides.
    pub logger_table: Option<String>,
    /// The measurement its rows are written to.
    pub measurement: String,
    /// Constant tags, `station` among them.
    pub tags: BTreeMap<String, String>,
    /// Overrides the destination's bucket.
    pub bucket: Option<String>,
    /// The station's clock, or the table's own, at present: times are shown by it.
    pub clock: StationClock,
    /// What the stamps of its rows mean.
    pub stamps: LoggerClock,
    /// Where the station is.
    pub position: Option<Position>,
    /// What to do when the same key comes again with other content.
    pub on_conflict: OnConflict,
    /// Whether rows share time stamps.
    pub samples: SharedStamps,
    /// A last line without a line end is taken once the file has been still for this long.
    pub last_line_after: Duration,
    /// What becomes of a file that its logger closed, once it is read.
    pub after: After,
    /// A file was not changed for so long before it is taken to be closed.
    pub closed_after: Duration,
    /// Rows before this instant come from a dead clock and are rejected.
    pub valid_from: DateTime<Utc>,
    /// Values that mean "missing" in every column that does not say otherwise.
    pub sentinels: Sentinels,
    /// `status` calls the table stale when its newest row is older than this.
    pub stale_after: Option<Duration>,
    /// The tests of its rows.
    pub quality: TableSettings,
    /// Where the sensors are whose columns do not say it themselves: the table's `height` or `depth`, else its tag.
    pub level: Option<Level>,
    /// What measures the columns that do not say it themselves.
    pub sensor: Option<String>,
    /// By the column's name in the file. Columns not named here are fields under their own name.
    pub columns: BTreeMap<String, ColumnConfig>,
    /// Of what its rows are made; none: they are read from files.
    pub made_of: Option<MadeOf>,
}

/// Of what the rows of a table are made, one for each window of time.
#[derive(Debug, Clone, PartialEq)]
pub struct MadeOf {
    /// The table whose rows they are made of.
    pub table: TableName,
    /// The length of a window. It divides an hour.
    pub every: Duration,
    /// Whether suspect values count.
    pub suspects: bool,
    /// The quick look at turbulence, where one is asked for.
    pub turbulence: Option<TurbulenceConfig>,
}

/// The columns of a sonic's scans, of which a quick look at turbulence is made.
#[derive(Debug, Clone, PartialEq)]
pub struct TurbulenceConfig {
    /// Two horizontal components, the vertical one, and the sonic temperature in °C.
    pub wind: [String; 4],
    /// Densities of gases.
    pub gases: Vec<String>,
    /// The usual air pressure in kPa.
    pub pressure: Option<f64>,
}

/// What becomes of a file that its logger closed, once each of its lines is accounted for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum After {
    /// Nothing.
    Keep,
    /// It is moved into a folder.
    Move(PathBuf),
    /// It is compressed into a folder.
    Gzip(PathBuf),
    /// It is deleted.
    Delete,
}

/// What stands in a table's files.
#[derive(Debug, Clone)]
pub enum FileFormat {
    /// What LoggerNet writes, recognised by its first bytes; where one is named, no other.
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
    /// Each, by its name in the configuration.
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
    /// A name per column, in the order of the file; None where a line of the file has the names.
    pub names: Option<Vec<String>>,
    /// Which of them are the time, joined by a blank.
    pub time_columns: Vec<String>,
    /// How the time is written, tried in this order; None is `YYYY-MM-DD hh:mm:ss[.f]`. Never empty.
    pub time_formats: Vec<Option<String>>,
    /// Which of them is the record number, if one is.
    pub record_column: Option<String>,
    /// How its lines are written; None where commas, points and quotes are as in a TOA5 file.
    pub dialect: Option<CsvDialect>,
    /// For a table with one value a line.
    pub long: Option<Box<LongForm>>,
}

/// The columns of a table with one value a line: the sensors are the columns of its rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LongForm {
    /// Which column names the sensor.
    pub sensor: String,
    /// Which column has its value.
    pub value: String,
}

impl CsvFormat {
    /// Whether a column is the time, a part of it, or the record number.
    pub fn is_key(&self, name: &str) -> bool {
        self.record_column.as_deref() == Some(name) || self.time_columns.iter().any(|time| time == name)
    }

    /// Names of the columns, where the configuration says them.
    pub fn known_names(&self) -> &[String] {
        self.names.as_deref().unwrap_or_default()
    }

    /// Whether a column of this name may have values: each may, where the configuration does not name them.
    pub fn may_have(&self, name: &str) -> bool {
        self.long.is_some() || self.names.as_ref().is_none_or(|names| names.iter().any(|known| known == name))
    }

    /// The columns that are no key, where the configuration names them.
    pub fn known_values(&self) -> impl Iterator<Item = &String> {
        let known = if self.long.is_some() { &[] } else { self.known_names() };
        let of_array = usize::from(self.dialect.as_ref().is_some_and(|dialect| dialect.array.is_some()));
        known.iter().skip(of_array).filter(|name| !self.is_key(name))
    }
}

/// How the lines of a text table are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CsvDialect {
    /// What stands between fields.
    pub separator: Separator,
    /// Before the fraction of a number.
    pub decimal: u8,
    /// Between the thousands of a number.
    pub thousands: Option<u8>,
    /// Around fields that hold a separator.
    pub quote: Option<u8>,
    /// What lines begin with that are no rows: comments, footers.
    pub comments: Vec<String>,
    /// The first field of the lines of this table; lines with other numbers there are of other tables.
    pub array: Option<u16>,
    /// Of stamps that have none.
    pub year: Option<u16>,
    /// Lines at the top before the rows, those of names and units among them.
    pub head_lines: usize,
    /// Which line has the names, counted from 1.
    pub names_line: Option<usize>,
    /// Which line has the units.
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

/// What stands between the fields of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Separator {
    /// One sign.
    Sign(u8),
    /// One or more blanks or tabs; those at the ends of a line count for nothing.
    Blanks,
}

/// What to do when the same key comes again with other content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnConflict {
    /// The first stays; the other is kept beside.
    Keep,
    /// The newer becomes the row and is sent again; the older is kept beside.
    Replace,
}

/// Whether rows of a table share time stamps, so that RECORD tells them apart.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum SharedStamps {
    /// Where the rows show it.
    #[default]
    AsShown,
    /// Never.
    Never,
    /// So many, over an interval that is written down, or any number of events.
    Of(Samples),
    /// So many; that stamps are a second apart is only assumed.
    OfSeconds(Samples),
}

/// The type that a column's values are sent as.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ValueType {
    /// A number.
    #[default]
    Float,
    /// A whole number. Values that are none are left out.
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
    /// The name it is sent under; none means its own.
    pub field: Option<String>,
    /// AmeriFlux base name, with or without position qualifiers.
    pub variable: Option<String>,
    /// The range test, if one is configured (directly or through `variable`), where the file has the variable's unit;
    /// [`ColumnConfig::range_in`] is that of a header's unit.
    pub range: Option<Range>,
    /// The limits that the user gives.
    pub limits: Limits,
    /// Values that mean "missing" here; none means the table's.
    pub sentinels: Option<Sentinels>,
    /// What kind of quantity it is, where the user says it.
    pub kind: Option<Kind>,
    /// The unit of a derived column.
    pub unit: Option<String>,
    /// A derived column is not in the file: this gives its value.
    pub formula: Option<Formula>,
    /// How long before a row a derived column's potential radiation is averaged.
    pub interval: Option<Duration>,
    /// Whether values that fail are held back from the bucket; their flags go out.
    pub withhold: bool,
    /// The tests beside the range.
    pub quality: ColumnSettings,
    /// Whether it is an instrument's diagnostic word, and whose.
    pub diagnostic: Option<Diagnostic>,
    /// Which of its numbers vouch for other columns.
    pub guards: Vec<RangeGuard>,
    /// What is measured: columns of one quantity are looked at together. None means that `variable` says it.
    pub quantity: Option<String>,
    /// Where the sensor is; the table's, unless the column says it.
    pub level: Option<Level>,
    /// What measures it: `CNR1`; the table's, unless the column says it.
    pub sensor: Option<String>,
    /// The type that its values are sent as.
    pub value_type: ValueType,
}
