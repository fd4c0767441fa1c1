//! Exports a table unchanged: TIMESTAMP, RECORD, then the columns under the logger's names.

use std::borrow::Cow;
use std::io::Write;

use super::cells::{Cell, Cells};
use super::{ExportError, Written, output};
use crate::config::{ColumnUse, TableConfig};
use crate::store::Store;
use crate::text::look_alikes;
use crate::time::Timestamp;

const TIME: &str = "TIMESTAMP";
const RECORD: &str = "RECORD";
/// The ending of flag fields in the bucket.
const FLAG_ENDING: &str = "_qc";

/// How flags are exported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FlagStyle {
    /// Without flags; every value is written as the logger wrote it.
    None,
    /// In a column after each value: `TA,TA_qc`.
    Beside,
    /// Without flags; failed and missing values are left out.
    Mask,
}

/// How times are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeScale {
    /// In station time: `2025-06-19 12:30:00`.
    Station,
    /// In RFC 3339: `2025-06-19T17:30:00Z`.
    Utc,
}

/// The scope and form of an export.
#[derive(Debug, Clone, Copy)]
pub struct Plain<'a> {
    /// First instant.
    pub since: Option<Timestamp>,
    /// Last instant.
    pub until: Option<Timestamp>,
    /// Only these columns, in this order; None means RECORD and all columns.
    pub columns: Option<&'a [String]>,
    /// How flags are exported.
    pub flags: FlagStyle,
    /// How times are written.
    pub time: TimeScale,
    /// Whether a text that a spreadsheet would execute as a formula gets an apostrophe.
    pub is_for_spreadsheet: bool,
}

/// One column of the output.
enum OutputColumn {
    Record,
    Value { place: usize, flag: bool },
}

/// Writes the table's rows, oldest first.
pub fn plain(
    store: &Store,
    table: &TableConfig,
    choice: &Plain<'_>,
    out: &mut dyn Write,
) -> Result<Written, ExportError> {
    let name = table.name.0.as_str();
    let known = store.column_names(name)?;
    let (head, columns) = columns(table, &known, choice)?;
    let mut rows = store.rows(table, choice.since, choice.until)?;
    let mut csv = csv::Writer::from_writer(out);
    csv.write_record(head.iter().map(|name| choice.safe(name).into_owned())).map_err(output)?;
    let mut written = Written::default();
    while let Some(row) = rows.next_row()? {
        let cells = Cells::of(name, &row)?;
        let time = match choice.time {
            TimeScale::Station => table.station_clock.local(row.ts).to_string(),
            TimeScale::Utc => row.ts.to_string(),
        };
        csv.write_field(time).map_err(output)?;
        for column in &columns {
            match *column {
                OutputColumn::Record => {
                    csv.write_field(row.record.map_or_else(String::new, |record| record.to_string()))
                        .map_err(output)?;
                }
                OutputColumn::Value { place, flag } => {
                    let masked = choice.flags == FlagStyle::Mask && cells.is_masked(place);
                    let cell = cells.value(place);
                    let text = match &cell {
                        _ if masked => Cow::Borrowed(""),
                        Cell::Text(text) => choice.safe(text),
                        Cell::Number(_) | Cell::Missing => Cow::Borrowed(cell.text()),
                    };
                    csv.write_field(text.as_ref()).map_err(output)?;
                    if flag {
                        csv.write_field(cells.flag(place).as_slice()).map_err(output)?;
                    }
                }
            }
        }
        csv.write_record(None::<&[u8]>).map_err(output)?;
        written.rows += 1;
    }
    csv.flush()?;
    Ok(written)
}

impl Plain<'_> {
    /// The text, with an apostrophe if requested and if a spreadsheet would execute it as a formula. Numbers are not
    /// executed.
    fn safe<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let runs = || text.starts_with(['=', '+', '-', '@', '\t', '\r']) && text.parse::<f64>().is_err();
        if self.is_for_spreadsheet && runs() { Cow::Owned(format!("'{text}")) } else { Cow::Borrowed(text) }
    }
}

fn columns(
    table: &TableConfig,
    known: &[String],
    choice: &Plain<'_>,
) -> Result<(Vec<String>, Vec<OutputColumn>), ExportError> {
    let mut head = vec![TIME.to_owned()];
    let mut columns = Vec::new();
    let mut add = |place: usize, name: &String| {
        // A tag identifies rows; it is not a measurement and has no flag.
        let is_tag = table.columns.get(name).is_some_and(|column| column.column_use == ColumnUse::Tag);
        let flag = choice.flags == FlagStyle::Beside && !is_tag;
        head.push(name.clone());
        if flag {
            head.push(format!("{name}{FLAG_ENDING}"));
        }
        OutputColumn::Value { place, flag }
    };
    match choice.columns {
        None => {
            columns.extend(known.iter().enumerate().map(|(place, name)| add(place, name)));
            head.insert(1, RECORD.to_owned());
            columns.insert(0, OutputColumn::Record);
        }
        Some(wanted) => {
            for name in wanted {
                match known.iter().position(|known| known == name) {
                    Some(place) => columns.push(add(place, name)),
                    None if name == RECORD => columns.push(OutputColumn::Record),
                    None => return Err(unknown(table, known, name)),
                }
            }
            let mut place = 1;
            for column in &columns {
                match column {
                    OutputColumn::Record => head.insert(place, RECORD.to_owned()),
                    OutputColumn::Value { flag: true, .. } => place += 1,
                    OutputColumn::Value { .. } => {}
                }
                place += 1;
            }
        }
    }
    let mut names: Vec<&String> = head.iter().collect();
    names.sort();
    match names.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(pair) if choice.flags == FlagStyle::Beside && pair[0].ends_with(FLAG_ENDING) => {
            Err(ExportError::FlagNameTaken { table: table.name.0.clone(), name: pair[0].clone() })
        }
        _ => Ok((head, columns)),
    }
}

/// The error for an unknown column, with the column that was probably meant.
pub(super) fn unknown(table: &TableConfig, known: &[String], name: &str) -> ExportError {
    let sent_as = |column: &&String| {
        let field = table.columns.get(*column).and_then(|column| column.field.as_deref());
        field.is_some_and(|field| field.eq_ignore_ascii_case(name))
    };
    let hint = match known.iter().find(sent_as) {
        Some(column) => format!("the field {name} is the logger's column \"{column}\""),
        None => match look_alikes(name, known.iter().map(String::as_str)).as_slice() {
            [] if known.is_empty() => "the table was never read: run `fluxtower ingest`".to_owned(),
            [] => format!("it has: {}", known.join(", ")),
            alike => format!("did you mean \"{}\"?", alike.join("\" or \"")),
        },
    };
    ExportError::UnknownColumn { table: table.name.0.clone(), name: name.to_owned(), hint }
}
