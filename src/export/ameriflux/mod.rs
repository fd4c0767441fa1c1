//! A site's file in AmeriFlux's upload format, half-hourly or hourly.
//!
//! AmeriFlux keeps one file per site, resolution and time, and a newer file replaces all columns of an older one
//! (`join_site_data.py` of AMF-BASE-QAQC). So the tables of a site are joined by the time stamp, with each variable
//! once. TIMESTAMP_START and TIMESTAMP_END of each interval are YYYYMMDDHHMM in local standard time without daylight
//! saving, at one constant interval; missing is exactly `-9999`; variables have AmeriFlux's names (AmeriFlux
//! "Half-Hourly/Hourly data upload format"; AMF-BASE-QAQC `Check_messages.txt` and `test_data_util.py`). A logger
//! stamps the END of an interval; midnight is 00:00 of the next day. Failed values are left out, as AmeriFlux asks of a
//! team ("removal of data points with bad data"); only times without a row are filled in. Values are in AmeriFlux's
//! units ([`super::conversion`]).

use std::io::Write;
use std::time::Duration;

use chrono::{DateTime, FixedOffset};

use super::{ExportError, Written, output};
use crate::config::{MadeOf, TableConfig};
use crate::store::{Store, StoredRow};
use crate::time::Timestamp;

mod grid;
mod names;
mod part;
mod renamed;

pub use grid::Resolution;
use names::{Output, Together};
pub use part::Suspects;
use part::{Part, Unread};

const MISSING: &str = "-9999";

/// The plan of a site's file: its rows were examined, and nothing is written yet.
#[derive(Debug)]
pub struct Ameriflux<'a> {
    store: &'a Store,
    parts: Vec<Part<'a>>,
    resolution: Resolution,
    /// The ends of the first and the last interval.
    first: Timestamp,
    last: Timestamp,
    offset: FixedOffset,
    suspects: Suspects,
    /// The columns of the file behind the time stamps.
    outputs: Vec<Output>,
    /// What the user should know about the file, a sentence each: above all which tables and columns are left out.
    notes: Vec<String>,
}

/// Selects the rows to export.
#[derive(Debug, Clone, Copy, Default)]
pub struct Window<'a> {
    /// The first interval begins at or after this time.
    pub since: Option<Timestamp>,
    /// The last interval begins before this time.
    pub until: Option<Timestamp>,
    /// Only these columns, by the logger's names.
    pub columns: Option<&'a [String]>,
    /// A row whose distance from the full half hour is at most this is written under the full half hour.
    pub round: Duration,
    /// The interval; None is half-hourly if any table is.
    pub resolution: Option<Resolution>,
    /// How suspect values are exported.
    pub suspects: Suspects,
}

/// The tables to be joined.
#[derive(Debug, Clone)]
pub enum Tables<'a> {
    /// Tables that the user names: each of them must fit.
    Named(Vec<&'a TableConfig>),
    /// All tables of the site: those that do not fit are left out and reported.
    OfSite(&'a [TableConfig]),
}

impl<'a> Ameriflux<'a> {
    /// Examines the rows. The window selects by the beginning of intervals: a year of half hours has 17,520 or 17,568
    /// rows, and the row that ends with the year, stamped 00:00 of 1 January, belongs to it (ONEFlux; BASE files of
    /// AmeriFlux).
    ///
    /// # Errors
    /// A named table, or a site without a table that fits: another interval, tag columns, no variable. In both cases: a
    /// row off the interval, two columns of one variable that both have a value in an interval.
    pub fn plan(store: &'a Store, tables: &Tables<'a>, window: Window<'_>) -> Result<Ameriflux<'a>, ExportError> {
        let mut notes = Vec::new();
        let mut parts = match tables {
            Tables::Named(tables) => {
                let is_alone = tables.len() == 1;
                let examine = |table: &&'a TableConfig| Part::examine(store, table, window, is_alone);
                tables.iter().map(examine).collect::<Result<Vec<_>, _>>()?
            }
            Tables::OfSite(tables) => of_site(store, tables, window, &mut notes)?,
        };
        let half_hourly = parts.iter().any(|part| part.resolution == Resolution::HalfHourly);
        let finest = if half_hourly { Resolution::HalfHourly } else { Resolution::Hourly };
        let resolution = window.resolution.unwrap_or(finest);
        let others: Vec<Part<'_>> = parts.extract_if(.., |part| part.resolution != resolution).collect();
        let is_source_of = |part: &Part<'_>, made: &MadeOf| part.table.name == made.table;
        for part in &others {
            // Hours that are made of half hours are no loss beside them.
            if part.table.made_of.as_ref().is_some_and(|made| parts.iter().any(|one| is_source_of(one, made))) {
                continue;
            }
            let (table, other) = (&part.table.name, part.resolution.name());
            notes.push(format!("table \"{table}\" is left out: --resolution {other} exports it"));
        }
        for part in &parts {
            let of_table = |text: &String| format!("table \"{}\", {text}", part.table.name);
            notes.extend(part.conversions.left_out().iter().map(of_table));
        }
        parts.retain(Part::has_values);
        let (Some(first), Some(last), Some(offset)) = (
            parts.iter().map(|part| part.first).min(),
            parts.iter().map(|part| part.last).max(),
            parts.first().map(|part| part.grid.offset),
        ) else {
            return Err(ExportError::NothingToJoin { reasons: notes });
        };
        let outputs = names::outputs(&parts)?;
        let mut plan =
            Ameriflux { store, parts, resolution, first, last, offset, suspects: window.suspects, outputs, notes };
        plan.refuse_values_of_two()?;
        let replaced = renamed::notes(&plan)?;
        plan.notes.extend(replaced);
        Ok(plan)
    }

    /// What the user should know about the file, a sentence each: the tables that do not fit, the columns whose values are left
    /// out because their unit does not fit the variable, and the columns that became one.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// The joined tables, in the order of their columns.
    pub fn tables(&self) -> impl Iterator<Item = &'a TableConfig> {
        self.parts.iter().map(|part| part.table)
    }

    /// The number of rows that are written under a full half hour or hour close to their own time.
    pub fn rounded(&self) -> u64 {
        self.parts.iter().map(|part| part.rounded).sum()
    }

    /// The file name that AmeriFlux requires: `US-UMB_HH_202506191200_202506211200.csv`.
    pub fn file_name(&self, station: &str) -> String {
        let station: String =
            station.chars().map(|letter| if letter.is_alphanumeric() { letter } else { '-' }).collect();
        let (start, end) = (self.stamp(self.first.minus(self.resolution.step())), self.stamp(self.last));
        format!("{station}_{}_{start}_{end}.csv", self.resolution.name())
    }

    /// Writes the intervals, oldest first. An interval without a row of any table is filled.
    pub fn write(&self, out: &mut dyn Write) -> Result<Written, ExportError> {
        let mut csv = csv::Writer::from_writer(out);
        let variables = self.outputs.iter().map(|output| output.variable.as_str());
        csv.write_record(["TIMESTAMP_START", "TIMESTAMP_END"].into_iter().chain(variables)).map_err(output)?;
        let mut written = Written::default();
        self.each_interval(|due, rows| {
            csv.write_field(self.stamp(due.minus(self.resolution.step()))).map_err(output)?;
            csv.write_field(self.stamp(due)).map_err(output)?;
            let mut values = Vec::new();
            for (part, row) in self.parts.iter().zip(rows) {
                values.push(match row {
                    Some(row) => part.values(row, self.suspects)?,
                    None => Vec::new(),
                });
            }
            for Output { of, .. } in &self.outputs {
                let value = of.iter().find_map(|&(part, column)| values.get(part)?.get(column)?.as_deref());
                csv.write_field(value.unwrap_or(MISSING)).map_err(output)?;
            }
            csv.write_record(None::<&[u8]>).map_err(output)?;
            *if rows.iter().any(Option::is_some) { &mut written.rows } else { &mut written.filled } += 1;
            Ok(())
        })?;
        csv.flush()?;
        Ok(written)
    }

    /// Calls `take` with the end of each interval, oldest first, and with its row of each part.
    fn each_interval(
        &self,
        mut take: impl FnMut(Timestamp, &[Option<StoredRow>]) -> Result<(), ExportError>,
    ) -> Result<(), ExportError> {
        let mut unread = self.parts.iter().map(|part| part.rows(self.store)).collect::<Result<Vec<Unread<'_>>, _>>()?;
        let mut due = self.first;
        while due <= self.last {
            let rows = unread.iter_mut().map(|rows| rows.row_of(due)).collect::<Result<Vec<_>, _>>()?;
            take(due, &rows)?;
            due = due.plus(self.resolution.step());
        }
        Ok(())
    }

    /// Columns of one variable are one column of the file if they follow each other: a sensor whose column or table was renamed.
    /// Where both have a value in an interval, they are two sensors.
    fn refuse_values_of_two(&mut self) -> Result<(), ExportError> {
        let together: Vec<Together> = self.outputs.iter().filter_map(|output| output.together(&self.parts)).collect();
        if together.is_empty() {
            return Ok(());
        }
        self.each_interval(|due, rows| {
            for columns in &together {
                let mut with_value = Vec::new();
                for &(part, column) in &columns.of {
                    if let Some(row) = &rows[part]
                        && self.parts[part].has_number(row, self.parts[part].columns[column].place)?
                    {
                        with_value.push((part, column));
                    }
                }
                if let [first, second, ..] = with_value.as_slice() {
                    let when = self.parts[first.0].grid.shown(due);
                    return Err(names::refused(&self.parts, *first, *second, Some(when)));
                }
            }
            Ok(())
        })?;
        self.notes.extend(together.into_iter().map(|columns| columns.note));
        Ok(())
    }

    fn stamp(&self, instant: Timestamp) -> String {
        DateTime::from_timestamp_nanos(instant.nanos()).with_timezone(&self.offset).format("%Y%m%d%H%M").to_string()
    }
}

/// The tables of a site that fit; for each of the others that names a variable, the reason.
fn of_site<'a>(
    store: &Store,
    tables: &'a [TableConfig],
    window: Window<'_>,
    notes: &mut Vec<String>,
) -> Result<Vec<Part<'a>>, ExportError> {
    let has_variable = |table: &&TableConfig| table.columns.values().any(|column| column.variable.is_some());
    // What is made of a table stands in its place, unless the table's own rows are what the file has: half hours of which hours
    // are made for a page.
    let mut chosen = Vec::new();
    for table in tables.iter().filter(has_variable) {
        let made = tables.iter().find_map(|other| other.made_of.as_ref().filter(|made| made.table == table.name));
        let fits_itself = match made {
            None => true,
            Some(made) => {
                let usual = store.usual_interval_of_table(&table.name.0)?;
                usual.and_then(Resolution::of).is_some_and(|own| Resolution::of(made.every) != Some(own))
            }
        };
        if fits_itself {
            chosen.push(table);
        }
    }
    let tables = chosen;
    let mut parts = Vec::new();
    for &table in &tables {
        match Part::examine(store, table, window, tables.len() == 1) {
            Ok(part) => parts.push(part),
            // A row off the interval is not a reason to leave a table out, because the table's data would seem to be
            // missing.
            Err(error) if error.leaves_out_table() && tables.len() > 1 => notes.push(error.to_string()),
            Err(error) => return Err(error),
        }
    }
    Ok(parts)
}
