//! Parses the content of a file: format, header, rows. It turns bytes into values, without access to disk and clock.
//!
//! Physical lines are split first, then fields, so that an odd quote damages one line and not its neighbours. The lexer
//! keeps whether a field was quoted: in a TOA5 file a quoted number is a string (a serial number, a version), and only
//! `"NAN"`, `"INF"` and `"-INF"` are quoted missing values (docs/file-formats.md#toa5).

mod apart;
mod armor;
mod csv;
mod derived;
mod dialect;
mod fields;
mod header;
mod header_block;
mod json_value;
mod layout;
mod number;
mod records;
mod row;
mod same;
mod text;

pub use crate::qc::Value;
pub use apart::Apart;
pub use armor::Armor;
pub use csv::{Cell, HeaderLine, Keys, Spelling, array_of, unique_names};
pub use derived::{Derived, derive_again, element, measured, numbers_of, texts_of, values_of};
pub use dialect::{Format, NO_LINE_FEED, detect, spreadsheet_reason};
pub use fields::{Field, Fields};
pub use header::{Header, HeaderError, cut_header_lines, header_lines, named_columns, next_header};
pub use header_block::HeaderBlock;
pub use json_value::given_back;
pub use layout::{ColumnSource, Layout};
pub use number::{Number, parse_number};
pub use records::{RecordsError, begin, begin_under, first_line};
pub use row::{ParsedRow, RowError};
pub use same::{Cells, Likeness, Parts, unite};
pub use text::{decode, is_blank, is_clean, strip_noise, trimmed};
