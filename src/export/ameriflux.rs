//! Exports in AmeriFlux's upload format, half-hourly or hourly.
//!
//! TIMESTAMP_START and TIMESTAMP_END of each interval are YYYYMMDDHHMM in local standard time without daylight saving, at one
//! constant interval; missing is exactly `-9999`; variables have AmeriFlux's names (AmeriFlux "Half-Hourly/Hourly data upload
//! format"; AMF-BASE-QAQC `Check_messages.txt` and `test_data_util.py`). A logger stamps the END of an interval; midnight is
//! 00:00 of the next day. Failed values are left out, as AmeriFlux asks of a team ("removal of data points with bad data");
//! only times without a row are filled in. Values are in AmeriFlux's units ([`super::conversion`]).

use std::collections::BTreeMap;
use std::io::Write;
use std::time::Duration;

use chrono::{DateTime, FixedOffset};

use super::cells::{Cell, Cells};
use super::conversion::{Conversions, Convert};
use super::plain::unknown;
use super::{ExportError, Written, output};
use crate::config::TableConfig;
use crate::store::Store;
use crate::text::count;
use crate::time::{LocalTime, NANOS_PER_MILLI, NANOS_PER_SECOND as SECOND, StationClock, Timestamp, nanos};

const MISSING: &str = "-9999";
const HALF_HOUR: i64 = 1_800 * SECOND;
/// No row is farther than this from the nearest full half hour.
const LONGEST_ROUND: Duration = Duration::from_secs(900);
const HOUR: i64 = 3_600 * SECOND;
/// Rows after which the reading of a table with another interval ends: its usual interval is then known.
const ROWS_TO_KNOW_A_STEP: u64 = 1_000;

/// A table that can be exported. Its rows were examined, and nothing is written yet.
#[derive(Debug)]
pub struct Ameriflux<'a> {
    store: &'a Store,
    table: &'a TableConfig,
    /// Nanoseconds.
    step: i64,
    /// Ends of the first and the last interval.
    first: Timestamp,
    last: Timestamp,
    /// The rows that are read.
    read: (Timestamp, Timestamp),
    grid: Grid,
    rounded: u64,
    /// Variable and position in the column list.
    columns: Vec<(String, usize)>,
    conversions: Conversions,
}

/// Which rows are exported.
#[derive(Debug, Clone, Copy, Default)]
pub struct Window<'a> {
    /// The first interval begins here or later.
    pub since: Option<Timestamp>,
    /// The last interval begins before this.
    pub until: Option<Timestamp>,
    /// Only these columns, by the logger's names.
    pub columns: Option<&'a [String]>,
    /// A row that is off the full half hour by no more is written under it.
    pub round: Duration,
}

/// The full half hours of the station's standard time, and how far off a row may be.
#[derive(Debug, Clone, Copy)]
struct Grid {
    offset: FixedOffset,
    /// Nanoseconds.
    round: i64,
}

impl Grid {
    /// In the standard time that is in force at `ts`.
    fn of(clock: &StationClock, ts: Timestamp, round: Duration) -> Grid {
        Grid { offset: clock.standard_offset(ts), round: nanos(round) }
    }

    /// Standard time, in nanoseconds as [`LocalTime`] counts them.
    fn local_nanos(self, ts: Timestamp) -> i64 {
        ts.nanos().saturating_add(i64::from(self.offset.local_minus_utc()) * SECOND)
    }

    /// Standard time as people read it.
    fn shown(self, ts: Timestamp) -> String {
        LocalTime::from_nanos(self.local_nanos(ts)).to_string()
    }

    /// Nanoseconds since the last full `step`.
    fn past(self, ts: Timestamp, step: i64) -> i64 {
        self.local_nanos(ts).rem_euclid(step)
    }

    /// The full half hour that the row is written under: its own time where it is too far off.
    fn snap(self, ts: Timestamp) -> Timestamp {
        let past = self.past(ts, HALF_HOUR);
        let back = if past <= HALF_HOUR / 2 { past } else { past - HALF_HOUR };
        if back.abs() <= self.round { ts.minus(back) } else { ts }
    }

    /// The first full half hour that is not before an edge of a window: intervals begin there.
    fn edge(self, ts: Timestamp) -> Timestamp {
        match self.past(ts, HALF_HOUR) {
            0 => ts,
            past => ts.minus(past - HALF_HOUR),
        }
    }
}

impl<'a> Ameriflux<'a> {
    /// Examines the rows. A window is one of starts: a year of half hours has 17,520 or 17,568 rows, and the row that ends
    /// with it, stamped 00:00 of 1 January, belongs to it (ONEFlux; BASE files of AmeriFlux).
    ///
    /// # Errors
    /// A table with another interval, with a row off the interval, with tag columns, without a variable, or with two columns of
    /// one variable.
    pub fn plan(store: &'a Store, table: &'a TableConfig, window: Window<'_>) -> Result<Ameriflux<'a>, ExportError> {
        let name = || table.name.0.clone();
        let columns = columns(store, table, window.columns)?;
        let round = window.round.min(LONGEST_ROUND);
        let grid_at = |ts: Timestamp| Grid::of(&table.clock, ts, round);
        let edge = |edge: Timestamp| grid_at(edge).edge(edge);
        let window = Window { since: window.since.map(edge), until: window.until.map(edge), ..window };
        // The row that ends where the window begins is the one before it. Rounding may move a row over either edge.
        let since = window.since.map(|since| if round.is_zero() { since.next_key() } else { since.before(round) });
        let until = window.until.map(|until| until.after(round));
        let is_outside = |end: Timestamp| {
            window.since.is_some_and(|since| end <= since) || window.until.is_some_and(|until| end > until)
        };
        let mut rows = store.rows(table, since, until)?;
        if rows.series() > 1 {
            return Err(ExportError::SeveralSeries { table: name() });
        }
        let too_few = |rows| ExportError::TooFewRows { table: name(), rows };
        let oldest = rows.next_row()?.ok_or_else(|| too_few("no row"))?.ts;
        let grid = grid_at(oldest);
        let (mut read, mut rounded) = ((oldest, oldest), 0);
        let mut steps: Option<Steps> = None;
        let mut next = Some(oldest);
        while let Some(ts) = next {
            next = rows.next_row()?.map(|row| row.ts);
            let end = grid.snap(ts);
            if is_outside(end) {
                continue;
            }
            rounded += u64::from(end != ts);
            let Some(known) = steps.as_mut() else {
                read = (ts, ts);
                steps = Some(Steps::new(grid, end));
                continue;
            };
            read.1 = ts;
            if end <= known.last {
                let (time, full) = (grid.shown(ts), grid.shown(end));
                return Err(ExportError::RoundedTogether { table: name(), time, full });
            }
            known.see(end);
            if known.rows > ROWS_TO_KNOW_A_STEP && known.common % HALF_HOUR != 0 {
                break;
            }
        }
        let steps = steps.ok_or_else(|| too_few("no row"))?;
        if steps.rows < 2 {
            return Err(too_few("one row"));
        }
        let (first, last) = (steps.first, steps.last);
        let step = steps.interval(&name())?;
        let places: Vec<usize> = columns.iter().map(|(_, place)| *place).collect();
        let conversions = Conversions::of(store, table, &places)?;
        Ok(Ameriflux { store, table, step, first, last, read, grid, rounded, columns, conversions })
    }

    /// A sentence for each column whose values are left out, because their unit does not fit the variable.
    pub fn left_out(&self) -> &[String] {
        self.conversions.left_out()
    }

    /// Rows that are written under a full half hour or hour beside their own time.
    pub fn rounded(&self) -> u64 {
        self.rounded
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
        let mut rows = self.store.rows(self.table, Some(self.read.0), Some(self.read.1))?;
        let mut csv = csv::Writer::from_writer(out);
        let head = ["TIMESTAMP_START", "TIMESTAMP_END"];
        csv.write_record(head.into_iter().chain(self.columns.iter().map(|(variable, _)| variable.as_str())))
            .map_err(output)?;
        let mut written = Written::default();
        let mut due = self.first.nanos();
        while let Some(row) = rows.next_row()? {
            let end = self.grid.snap(row.ts).nanos();
            // Staged after the rows were examined: it belongs to the next export.
            if end < due || (end - due) % self.step != 0 {
                continue;
            }
            while due < end {
                self.stamps(&mut csv, due)?;
                let empty = self.columns.iter().map(|_| MISSING);
                csv.write_record(empty).map_err(output)?;
                written.filled += 1;
                due += self.step;
            }
            self.stamps(&mut csv, due)?;
            let cells = Cells::of(name, &row)?;
            let converts = self.conversions.of_row(&row);
            let values = self.columns.iter().zip(converts).map(|((_, place), convert)| value(&cells, *place, *convert));
            csv.write_record(values.map(|text| text.unwrap_or_else(|| MISSING.to_owned()))).map_err(output)?;
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
        DateTime::from_timestamp_nanos(instant).with_timezone(&self.grid.offset).format("%Y%m%d%H%M").to_string()
    }
}

/// None where it is missing.
fn value(cells: &Cells<'_>, place: usize, convert: Convert) -> Option<String> {
    match cells.value(place) {
        // AmeriFlux's checker rejects every other spelling of its missing value.
        Cell::Number(text) if !cells.is_masked(place) && !text.starts_with("-9999.") => convert.apply(text),
        _ => None,
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
    grid: Grid,
    rows: u64,
    first: Timestamp,
    last: Timestamp,
    /// Greatest common divisor of all differences.
    common: i64,
    /// Differences and their counts, up to a limit.
    seen: BTreeMap<i64, u64>,
    /// Rows off the full half hour, and off the full hour, by the clock.
    off_half: Off,
    off_hour: Off,
}

/// Rows that are off a grid: how many, the first and the last.
#[derive(Default)]
struct Off {
    rows: u64,
    span: Option<(Timestamp, Timestamp)>,
}

impl Off {
    fn see(&mut self, ts: Timestamp) {
        self.rows += 1;
        self.span = Some((self.span.map_or(ts, |(first, _)| first), ts));
    }
}

impl Steps {
    fn new(grid: Grid, first: Timestamp) -> Steps {
        let mut steps = Steps {
            grid,
            rows: 1,
            first,
            last: first,
            common: 0,
            seen: BTreeMap::new(),
            off_half: Off::default(),
            off_hour: Off::default(),
        };
        steps.place(first);
        steps
    }

    fn place(&mut self, ts: Timestamp) {
        if self.grid.past(ts, HALF_HOUR) != 0 {
            self.off_half.see(ts);
        }
        if self.grid.past(ts, HOUR) != 0 {
            self.off_hour.see(ts);
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
        let Some((first, last)) = off.span else { return Ok(step) };
        let rows = match off.rows {
            1 => format!("the row of {}", self.grid.shown(first)),
            rows => format!("{} from {} to {}", count(rows, "row"), self.grid.shown(first), self.grid.shown(last)),
        };
        Err(ExportError::OffStep { table: table.to_owned(), rows, step: word })
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
