//! What stands in a file: its format, its header, its rows. Pure: bytes in, values out, no disk and no clock.
//!
//! Physical lines come first, then fields, so that one odd quote spoils one line and not its neighbours. The lexer keeps
//! whether a field was quoted, because in a TOA5 file a quoted number is a string (a serial number, a version) and only
//! `"NAN"`, `"INF"` and `"-INF"` are missing values in quotes (docs/file-formats.md#toa5).

mod derived;
mod dialect;
mod fields;
mod header;
mod number;
mod row;
mod same;
mod text;

pub use derived::{Derived, derive_again, measured, numbers_of, texts_of, values_of};
pub use dialect::{Format, detect, spreadsheet_reason};
pub use fields::{Field, Fields};
pub use header::{Header, HeaderError, starts_header};
pub use number::{Number, parse_number};
pub use row::{ColumnSource, Layout, ParsedRow, RowError, Value};
pub use same::same_reading;
pub use text::{decode, strip_noise};

/// Header lines of a TOA5 block.
pub const HEADER_LINES: usize = 4;
