//! Exports in AmeriFlux's upload format, half-hourly or hourly.
//!
//! TIMESTAMP_START and TIMESTAMP_END of each interval are YYYYMMDDHHMM in local standard time without daylight saving, at one
//! constant interval; missing is exactly `-9999`; variables have AmeriFlux's names (AmeriFlux "Half-Hourly/Hourly data upload
//! format"; AMF-BASE-QAQC `Check_messages.txt` and `test_data_util.py`). A logger stamps the END of an interval; midnight is
//! 00:00 of the next day. Failed values are left out, as AmeriFlux asks of a team ("removal of data points with bad data");
//! only times without a row are filled in.

use std::collections::BTreeMap;
use std::io::Write;

use chrono::{DateTime, FixedOffset};

use super::cells::{Cell, Cells};
use super::plain::unknown;
use super::{ExportError, Written, output};
use crate::config::TableConfig;
use crate::store::Store;
use crate::time::{NANOS_PER_MILLI, NANOS_PER_SECOND as SECOND, Timestamp};

const MISSING: &str = "-9999";
const HALF_HOUR: i64 = 1_800 * SECOND;
const HOUR: i64 = 3_600 * SECOND;
/// Rows after which the reading of a table with another interval ends: its usual interval is then known.
const ROWS_TO_KNOW_A_STEP: u64 = 1_000;

/// A table that can be exported. Its rows were examined, and nothing is written yet.
#[derive(Debug)]
pub struct Ameriflux<'a> {
    store: &'a Store,
    table: &'a TableConfig,
    offset: FixedOffset,
    /// Nanoseconds.
    step: i64,
    first: Timestamp,
    last: Timestamp,
    /// Variable and position in the column list.
    columns: Vec<(String, usize)>,
}

impl<'a> Ameriflux<'a> {
    /// Examines the rows. With `wanted`, only these columns, by the logger's names.
    ///
    /// # Errors
    /// A table with another interval, with a row off the interval, with tag columns, without a variable, or with two columns of
    /// one variable.
    pub fn plan(
        store: &'a Store,
        table: &'a TableConfig,
        (since, until): (Option<Timestamp>, Option<Timestamp>),
        wanted: Option<&[String]>,
    ) -> Result<Ameriflux<'a>, ExportError> {
        let name = || table.name.0.clone();
        let columns = columns(store, table, wanted)?;
        let mut rows = store.rows(table, since, until)?;
        if rows.series() > 1 {
            return Err(ExportError::SeveralSeries { table: name() });
        }
        let too_few = |rows| ExportError::TooFewRows { table: name(), rows };
        let first = rows.next_row()?.ok_or_else(|| too_few("no row"))?.ts;
        let offset = table.clock.standard_offset(first);
        let mut steps = Steps::new(offset, first);
        while let Some(row) = rows.next_row()? {
            steps.see(row.ts);
            if steps.rows > ROWS_TO_KNOW_A_STEP && steps.common % HALF_HOUR != 0 {
                break;
            }
        }
        if steps.rows < 2 {
            return Err(too_few("one row"));
        }
        let last = steps.last;
        let step = steps.interval(&name())?;
        Ok(Ameriflux { store, table, offset, step, first, last, columns })
    }

    /// AmeriFlux's form of a file name: `US-UMB_HH_202506191200_202506211200.csv`.
    pub fn file_name(&self, station: &str) -> String {
        let resolution = if self.step == HOUR { "HR" } else { "HH" };
        let station: String =
            station.chars().map(|letter| if letter.is_alphanumeric() { letter } else { '-' }).collect();
        let (start, end) = (self.stamp(self.first.nanos() - self.step), self.stamp(self.last.nanos()));
        format!("{station}_{resolution}_{start}_{end}.csv")
    }

    /// Writes the rows, oldest first.
    pub fn write(&self, out: &mut dyn Write) -> Result<Written, ExportError> {
        let name = self.table.name.0.as_str();
        let mut rows = self.store.rows(self.table, Some(self.first), Some(self.last))?;
        let mut csv = csv::Writer::from_writer(out);
        let head = ["TIMESTAMP_START", "TIMESTAMP_END"];
        csv.write_record(head.into_iter().chain(self.columns.iter().map(|(variable, _)| variable.as_str())))
            .map_err(output)?;
        let mut written = Written::default();
        let mut due = self.first.nanos();
        while let Some(row) = rows.next_row()? {
            // Staged after the rows were examined: it belongs to the next export.
            if row.ts.nanos() < due || (row.ts.nanos() - due) % self.step != 0 {
                continue;
            }
            while due < row.ts.nanos() {
                self.stamps(&mut csv, due)?;
                let empty = self.columns.iter().map(|_| MISSING);
                csv.write_record(empty).map_err(output)?;
                written.filled += 1;
                due += self.step;
            }
            self.stamps(&mut csv, due)?;
            let cells = Cells::of(name, &row)?;
            csv.write_record(self.columns.iter().map(|(_, place)| value(&cells, *place))).map_err(output)?;
            written.rows += 1;
            due += self.step;
        }
        csv.flush()?;
        Ok(written)
    }

    fn stamps(&self, csv: &mut csv::Writer<&mut dyn Write>, end: i64) -> Result<(), ExportError> {
        csv.write_field(self.stamp(end - self.step)).map_err(output)?;
        csv.write_field(self.stamp(end)).map_err(output)
    }

    fn stamp(&self, instant: i64) -> String {
        DateTime::from_timestamp_nanos(instant).with_timezone(&self.offset).format("%Y%m%d%H%M").to_string()
    }
}

fn value<'r>(cells: &Cells<'r>, place: usize) -> &'r str {
    match cells.value(place) {
        // AmeriFlux's checker rejects every other spelling of its missing value.
        Cell::Number(text) if !cells.is_masked(place) && !text.starts_with("-9999.") => text,
        _ => MISSING,
    }
}

/// The columns with a variable, in the order of the column list, each name once.
fn columns(store: &Store, table: &TableConfig, wanted: Option<&[String]>) -> Result<Vec<(String, usize)>, ExportError> {
    let known = store.column_names(&table.name.0)?;
    if let Some(name) = wanted.and_then(|wanted| wanted.iter().find(|name| !known.contains(name))) {
        return Err(unknown(table, &known, name));
    }
    let mut columns: Vec<(String, usize)> = Vec::new();
    for (place, name) in known.iter().enumerate() {
        if wanted.is_some_and(|wanted| !wanted.contains(name)) {
            continue;
        }
        let Some(variable) = table.columns.get(name).and_then(|column| column.variable.clone()) else { continue };
        if let Some((_, other)) = columns.iter().find(|(known, _)| *known == variable) {
            let first = known.get(*other).cloned().unwrap_or_default();
            return Err(ExportError::SameVariable {
                table: table.name.0.clone(),
                first,
                second: name.clone(),
                variable,
            });
        }
        columns.push((variable, place));
    }
    if columns.is_empty() {
        return Err(ExportError::NoVariable { table: table.name.0.clone() });
    }
    Ok(columns)
}

/// Finds a table's interval from the times of its rows.
struct Steps {
    offset_nanos: i64,
    rows: u64,
    last: Timestamp,
    /// Greatest common divisor of all differences.
    common: i64,
    /// Differences and their counts, up to a limit.
    seen: BTreeMap<i64, u64>,
    /// The first row off the full half hour, and the first off the full hour, by the clock.
    off_half: Option<Timestamp>,
    off_hour: Option<Timestamp>,
}

impl Steps {
    fn new(offset: FixedOffset, first: Timestamp) -> Steps {
        let offset_nanos = i64::from(offset.local_minus_utc()) * SECOND;
        let mut steps = Steps {
            offset_nanos,
            rows: 1,
            last: first,
            common: 0,
            seen: BTreeMap::new(),
            off_half: None,
            off_hour: None,
        };
        steps.place(first);
        steps
    }

    fn place(&mut self, ts: Timestamp) {
        let local = ts.nanos() + self.offset_nanos;
        if local % HALF_HOUR != 0 {
            self.off_half.get_or_insert(ts);
        }
        if local % HOUR != 0 {
            self.off_hour.get_or_insert(ts);
        }
    }

    fn see(&mut self, ts: Timestamp) {
        self.rows += 1;
        let step = ts.nanos_since(self.last);
        self.last = ts;
        self.common = greatest_common_divisor(self.common, step);
        if self.seen.len() < 100 || self.seen.contains_key(&step) {
            *self.seen.entry(step).or_default() += 1;
        }
        self.place(ts);
    }

    /// The interval, if AmeriFlux accepts it.
    fn interval(self, table: &str) -> Result<i64, ExportError> {
        let ordinary = self.seen.iter().max_by_key(|(_, times)| **times).map_or(0, |(step, _)| *step);
        let (step, word, off) = match ordinary {
            HALF_HOUR => (HALF_HOUR, "half hour", self.off_half),
            HOUR if self.common == HALF_HOUR => (HALF_HOUR, "half hour", self.off_half),
            HOUR => (HOUR, "hour", self.off_hour),
            other => return Err(ExportError::Step { table: table.to_owned(), step: spoken(other) }),
        };
        match off {
            None => Ok(step),
            Some(ts) => {
                let local = crate::time::LocalTime::from_nanos(ts.nanos() + self.offset_nanos);
                Err(ExportError::OffStep { table: table.to_owned(), time: local.to_string(), step: word })
            }
        }
    }
}

fn greatest_common_divisor(a: i64, b: i64) -> i64 {
    let (mut a, mut b) = (a, b);
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

fn spoken(step: i64) -> String {
    match step {
        whole if whole % HOUR == 0 => format!("{} h", whole / HOUR),
        whole if whole % (60 * SECOND) == 0 => format!("{} min", whole / (60 * SECOND)),
        whole if whole % SECOND == 0 => format!("{} s", whole / SECOND),
        part => format!("{} ms", part / NANOS_PER_MILLI),
    }
}
