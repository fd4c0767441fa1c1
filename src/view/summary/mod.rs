//! Answers requests for data over any span of time, from seconds to years, without delay.
//!
//! A short span is answered with rows. A long one is answered with bins, with the minimum and the maximum of each, so
//! that outliers remain visible. Wide bins are read from a file beside the store (`sidecar`), which keeps each with the
//! version of its rows ([`crate::store::Versions`]). A bin that is missing or outdated is made from rows, on two
//! threads, and kept. So the cost of a request depends on what it shows, not on the size of the archive, and its answer
//! never differs from the rows.
//!
//! Failed values are in no mean and no envelope: they are listed separately. A value that is flagged missing has no
//! number. Values are aggregated according to the kind of the column ([`crate::quantity`]), by the same rule at every
//! zoom.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::config::{ColumnUse, Config};
use crate::qc::Season;
use crate::quantity::{Aggregate, Kind, Stated};
use crate::store::{SeriesLine, Store, slot_of, usual_interval};
use crate::time::{NANOS_PER_MILLI, Timestamp, nanos};

mod answer;
mod bins;
mod blob;
mod counts;
mod error;
mod grid;
mod keep_up;
mod pieces;
mod raw;
mod sidecar;
mod values;
mod width;

pub use answer::{Expected, Figure, FlagCounts, LastDay, Ribbon, RibbonColumn, Trace, TraceColumn};
pub use counts::Counting;
pub use error::SummaryError;
pub use values::{Values, ValuesColumn};

use grid::{Form, Grid};
use pieces::Kept;
use sidecar::Sidecar;

/// The largest number of points and bins in an answer.
pub const MOST_POINTS: usize = 5_000;

/// The number of positions in a series at which the interval is measured before any bins are kept.
const SAMPLES: i64 = 16;
/// If a logger became faster by this factor, its bins become narrower; if it became slower, they do not change.
const WIDER: i64 = 5;
/// The latest time of a row (2112).
const LAST_MS: i64 = (1 << 52) / 1_000;

/// A request for values of a table.
#[derive(Debug, Clone, Default)]
pub struct TraceRequest {
    /// Its name in the configuration.
    pub table: String,
    /// The columns' names in the file.
    pub columns: Vec<String>,
    /// First instant.
    pub from: Timestamp,
    /// Last instant.
    pub to: Timestamp,
    /// The number of points that the drawing can show: 1 to [`MOST_POINTS`].
    pub points: usize,
    /// Name and value of every tag column; empty where the table has none.
    pub tags: Vec<(String, String)>,
}

/// A request for flags of a table.
#[derive(Debug, Clone, Default)]
pub struct RibbonRequest {
    /// The table's name in the configuration.
    pub table: String,
    /// First instant.
    pub from: Timestamp,
    /// Last instant.
    pub to: Timestamp,
    /// The largest number of bins: 1 to [`MOST_POINTS`].
    pub bins: usize,
    /// Name and value of every tag column; empty where the table has none.
    pub tags: Vec<(String, String)>,
}

/// Summaries of one store. Threads share it.
#[derive(Debug)]
pub struct Summaries {
    config: Config,
    store_path: PathBuf,
    sidecar: Sidecar,
    /// Width of the narrowest kept bins, by series.
    widths: Mutex<HashMap<i64, i64>>,
    /// The usual interval by series, and the newest row at that time.
    intervals: Mutex<HashMap<i64, Interval>>,
    /// By series: the slot of its newest row, and the longest usual interval that was found at that time, in
    /// milliseconds.
    longest: Mutex<HashMap<i64, (i64, i64)>>,
}

/// The newest row, and the usual interval in milliseconds at that row.
type Interval = (Option<Timestamp>, Option<i64>);

/// The series and columns of a request.
struct Wanted {
    series: Option<SeriesLine>,
    columns: Vec<WantedColumn>,
    /// The kind of every column of the table, by its position.
    kinds: Vec<Kind>,
}

/// A column of a request.
#[derive(Debug, Clone)]
struct WantedColumn {
    name: String,
    /// Its position in the column list.
    place: usize,
    kind: Kind,
}

impl Summaries {
    /// Opens the summaries of the configuration's store, which must exist and be migrated: [`Store::open`] was called
    /// on it.
    pub fn open(config: &Config) -> Result<Summaries, SummaryError> {
        Ok(Summaries {
            config: config.clone(),
            store_path: config.store_path.clone(),
            sidecar: Sidecar::of(&config.store_path),
            widths: Mutex::default(),
            intervals: Mutex::default(),
            longest: Mutex::default(),
        })
    }

    /// Values of some columns of a series over a span of time.
    pub fn trace(&self, reader: &Store, request: &TraceRequest) -> Result<Trace, SummaryError> {
        let wanted = self.wanted(reader, &request.table, Some(&request.columns), &request.tags)?;
        let (from, to) = span(request.from, request.to)?;
        let points = request.points.clamp(1, MOST_POINTS);
        let until = to.next();
        let mut trace = match &wanted.series {
            None => Trace::of_rows(Vec::new(), Vec::new()),
            Some(series) if reader.count_rows(series.id, (from, until), 2 * points + 1)? <= 2 * points => {
                let form = self.form_of(reader, series, &wanted.kinds)?;
                let stretch = raw::Stretch { series: series.id, from, until, longest_step: form.longest_step };
                let (times, columns) = raw::rows(reader, stretch, &wanted.columns)?;
                let interval = match usual_interval(times.iter().copied()) {
                    Some(interval) => Some(millis(interval)),
                    None => self.interval_of(reader, series)?,
                };
                Trace { interval_s: interval.map(seconds), ..Trace::of_rows(times, columns) }
            }
            Some(series) => {
                let width = width::of_view(to.nanos_since(from) / NANOS_PER_MILLI, points);
                let form = self.form_of(reader, series, &wanted.kinds)?;
                let mut places: Vec<usize> = wanted.columns.iter().map(|column| column.place).collect();
                places.sort_unstable();
                places.dedup();
                let mut grid = grid_over((from, to), width, form.of(&places));
                self.fill(reader, series, &form, &mut grid)?;
                let interval = self.interval_of(reader, series)?;
                Trace::of_bins(&grid, &wanted.columns, interval)
            }
        };
        trace.table.clone_from(&request.table);
        (trace.from, trace.to) = (Figure::millis(request.from), Figure::millis(request.to));
        self.expect(&request.table, &mut trace);
        Ok(trace)
    }

    /// The flags of every column of a series over a span of time.
    pub fn ribbon(&self, reader: &Store, request: &RibbonRequest) -> Result<Ribbon, SummaryError> {
        let wanted = self.wanted(reader, &request.table, None, &request.tags)?;
        let (from, to) = span(request.from, request.to)?;
        let span = to.nanos_since(from) / NANOS_PER_MILLI;
        // Bins narrower than the interval of rows would show gaps that do not exist.
        let interval = match &wanted.series {
            Some(series) => self.interval_of(reader, series)?.unwrap_or(1).max(1),
            None => 1,
        };
        let most = usize::try_from(span / interval).unwrap_or(usize::MAX).max(1);
        let width = width::of_view(span, request.bins.clamp(1, MOST_POINTS).min(most));
        let form = match &wanted.series {
            Some(series) => self.form_of(reader, series, &wanted.kinds)?,
            None => Form { columns: Vec::new(), longest_step: i64::MAX }.reaching(wanted.columns.len()),
        };
        let mut grid = grid_over((from, to), width, form.clone());
        if let Some(series) = &wanted.series {
            self.fill(reader, series, &form, &mut grid)?;
        }
        let columns = wanted.columns.into_iter().map(|WantedColumn { name, place, .. }| {
            let mut counts = FlagCounts::default();
            grid.column(place).for_each(|bin| bin.count_into(&mut counts));
            RibbonColumn { name, flags: grid.column(place).map(grid::Bin::worst).collect(), counts }
        });
        Ok(Ribbon {
            from: Figure::millis(request.from),
            to: Figure::millis(request.to),
            bin_s: seconds(width),
            times: (0..grid.len()).map(|at| time(&grid, at)).collect(),
            columns: columns.collect(),
            rows: grid.rows,
            table: request.table.clone(),
        })
    }

    /// The usual interval of a table, in seconds, by the series with the newest row. None before the second row.
    pub fn interval(&self, reader: &Store, table: &str) -> Result<Option<f64>, SummaryError> {
        let interval = reader.usual_interval_of_table(table)?;
        Ok(interval.and_then(|interval| seconds(millis(interval).max(1)).get()))
    }

    /// The flags of a table's last 24 hours of data, from a full hour.
    pub fn last_day(&self, reader: &Store, table: &str) -> Result<LastDay, SummaryError> {
        let names = reader.column_names(table)?;
        let series = reader.series(table)?;
        let Some(newest) = series.iter().filter_map(|series| series.newest).max() else {
            return Ok(LastDay::default());
        };
        let hours = newest.millis().div_euclid(width::HOUR_MS);
        let from = Timestamp::from_nanos((hours - 23) * width::HOUR_MS * NANOS_PER_MILLI);
        let mut day = LastDay { from: Some(from), rows: 0, columns: Vec::new() };
        day.columns = names.into_iter().map(|name| (name, FlagCounts::default())).collect();
        for series in series.iter().filter(|series| series.newest >= Some(from)) {
            let form = self.form(reader, table, series)?.reaching(day.columns.len());
            let mut grid = grid_over((from, newest), width::HOUR_MS, form.clone());
            self.fill(reader, series, &form, &mut grid)?;
            day.rows += grid.rows.iter().map(|rows| u64::from(*rows)).sum::<u64>();
            for (at, (_, counts)) in day.columns.iter_mut().enumerate() {
                grid.column(at).for_each(|bin| bin.count_into(counts));
            }
        }
        Ok(day)
    }

    /// Fills the bins from kept pieces, or from rows.
    fn fill(&self, reader: &Store, series: &SeriesLine, form: &Form, grid: &mut Grid) -> Result<(), SummaryError> {
        let Some(newest) = series.newest else { return Ok(()) };
        // A kept piece depends on changes in the piece before it, but not on earlier pieces.
        let reaches_far = grid.has_counters() && form.longest_step > width::SLOT_MS;
        match self.kept_width(reader, series)? {
            Some(kept) if grid.width % kept == 0 && !reaches_far => {
                let kept = Kept { series: series.id, width: kept, form };
                self.fill_from_pieces(reader, kept, newest, grid)
            }
            _ => {
                let interval = self.interval_of(reader, series)?.unwrap_or(1).max(1);
                let span = grid.time(grid.len()) - grid.start;
                self.fill_from_rows(reader, series.id, span / interval, grid)
            }
        }
    }

    /// The width of the narrowest kept bins of a series; None if it has too few rows.
    fn kept_width(&self, reader: &Store, series: &SeriesLine) -> Result<Option<i64>, SummaryError> {
        let Some(interval) = self.interval_of(reader, series)? else { return Ok(None) };
        let wanted = width::kept(interval);
        let known = locked(&self.widths).get(&series.id).copied();
        let known = known.or_else(|| self.sidecar.width(series.id)).filter(|known| *known <= wanted * WIDER);
        let width = match known {
            Some(known) => known,
            None => wanted.min(self.narrowest(reader, series)?),
        };
        locked(&self.widths).insert(series.id, width);
        Ok(Some(width))
    }

    /// The width for the shortest interval in the series' history: the logger may have been faster years ago.
    fn narrowest(&self, reader: &Store, series: &SeriesLine) -> Result<i64, SummaryError> {
        let least = self.past_intervals(reader, series)?.into_iter().min();
        Ok(least.map_or(width::SLOT_MS, |least| width::kept(least.max(1))))
    }

    /// The usual interval in milliseconds at several positions in the series' history.
    fn past_intervals(&self, reader: &Store, series: &SeriesLine) -> Result<Vec<i64>, SummaryError> {
        let oldest = reader.first_row(series.id, Timestamp::EPOCH)?;
        let Some((oldest, newest)) = oldest.zip(series.newest) else { return Ok(Vec::new()) };
        let mut found = Vec::new();
        for part in 1..SAMPLES {
            let at = oldest.plus(newest.nanos_since(oldest) / SAMPLES * part);
            found.extend(reader.usual_interval_of_series(series.id, at)?.map(millis));
        }
        Ok(found)
    }

    /// The columns of a table by their position, with the aggregates for values of a series.
    fn form(&self, reader: &Store, table: &str, series: &SeriesLine) -> Result<Form, SummaryError> {
        let kinds = self.kinds(reader, table)?;
        self.form_of(reader, series, &kinds)
    }

    fn form_of(&self, reader: &Store, series: &SeriesLine, kinds: &[Kind]) -> Result<Form, SummaryError> {
        let columns = kinds.iter().enumerate();
        let columns = columns.map(|(place, kind)| grid::Column { place, aggregate: kind.aggregate() }).collect();
        let has_counters = kinds.iter().any(|kind| kind.aggregate() == Aggregate::Increments);
        let longest_step = if has_counters { self.longest_step(reader, series)? } else { i64::MAX };
        Ok(Form { columns, longest_step })
    }

    /// Rows that are further apart than this, in milliseconds, have a gap between them. It follows from the longest
    /// interval that was usual at any time, because the logger may have been slower years ago.
    fn longest_step(&self, reader: &Store, series: &SeriesLine) -> Result<i64, SummaryError> {
        let Some(slot) = series.newest.map(slot_of) else { return Ok(i64::MAX) };
        let known = locked(&self.longest).get(&series.id).copied();
        let past = match known.filter(|(at, _)| *at == slot) {
            Some((_, longest)) => longest,
            None => {
                let longest = self.past_intervals(reader, series)?.into_iter().max().unwrap_or(0);
                locked(&self.longest).insert(series.id, (slot, longest));
                longest
            }
        };
        let longest = past.max(self.interval_of(reader, series)?.unwrap_or(0));
        // One missing row is a gap; a row that is a little late is not.
        Ok(if longest == 0 { i64::MAX } else { longest.saturating_add(longest / 2) })
    }

    /// The kind of each column of a table by its position, as the header of the newest row states the column.
    fn kinds(&self, reader: &Store, table: &str) -> Result<Vec<Kind>, SummaryError> {
        let columns = reader.columns_now(table)?;
        let Some(config) = self.config.table(table) else { return Ok(vec![Kind::default(); columns.len()]) };
        let stated: Vec<Stated<'_>> = columns.iter().map(|column| column.stated_in(config)).collect();
        Ok(config.kinds(&stated))
    }

    /// Finds the series and columns of a request. Without `columns`: all of them.
    fn wanted(
        &self,
        reader: &Store,
        table: &str,
        columns: Option<&[String]>,
        tags: &[(String, String)],
    ) -> Result<Wanted, SummaryError> {
        let names = reader.column_names(table)?;
        let kinds = self.kinds(reader, table)?;
        let all = reader.series(table)?;
        if names.is_empty() && all.is_empty() && self.config.table(table).is_none() {
            return Err(SummaryError::UnknownTable { table: table.to_owned() });
        }
        let place = |name: &String| {
            let place = names.iter().position(|known| known == name);
            let unknown = || SummaryError::UnknownColumn { table: table.to_owned(), column: name.clone() };
            let place = place.ok_or_else(unknown)?;
            Ok(WantedColumn { name: name.clone(), place, kind: kinds.get(place).copied().unwrap_or_default() })
        };
        let columns = columns.unwrap_or(&names).iter().map(place).collect::<Result<_, SummaryError>>()?;
        let is_tag = |name: &&String| {
            let column = self.config.table(table).and_then(|table| table.columns.get(*name));
            column.is_some_and(|column| column.column_use == ColumnUse::Tag)
        };
        let tag_columns: Vec<&String> = names.iter().filter(is_tag).collect();
        let has = |series: &SeriesLine, (name, value): &(String, String)| {
            let at = tag_columns.iter().position(|column| *column == name);
            at.and_then(|at| series.tags.get(at)).is_some_and(|known| known == value)
        };
        let count = all.len();
        let mut named = all.into_iter().filter(|series| tags.iter().all(|tag| has(series, tag)));
        let series = named.next();
        let more = named.count();
        if more > 0 || (series.is_none() && count > 0) {
            let named = more + usize::from(series.is_some());
            return Err(SummaryError::NotOneSeries { table: table.to_owned(), series: count, named });
        }
        Ok(Wanted { series, columns, kinds })
    }

    /// The usual interval in milliseconds.
    fn interval_of(&self, reader: &Store, series: &SeriesLine) -> Result<Option<i64>, SummaryError> {
        if let Some((newest, interval)) = locked(&self.intervals).get(&series.id).copied()
            && newest == series.newest
        {
            return Ok(interval);
        }
        let Some(newest) = series.newest else { return Ok(None) };
        let interval = reader.usual_interval_of_series(series.id, newest)?.map(|interval| millis(interval).max(1));
        locked(&self.intervals).insert(series.id, (series.newest, interval));
        Ok(interval)
    }

    /// Adds the expected ranges of the configured climatologies.
    fn expect(&self, table: &str, trace: &mut Trace) {
        let Some(table) = self.config.table(table) else { return };
        for column in &mut trace.columns {
            let quality = table.columns.get(&column.name).map(|column| &column.quality);
            let Some(climatology) = quality.and_then(|quality| quality.climatology.as_ref()) else { continue };
            let middle = trace.bin_s.map_or(0.0, |bin| bin.0 * 500.0);
            let bands = trace.times.iter().map(|ms| {
                #[allow(clippy::cast_possible_truncation, reason = "times of rows")]
                let ts = Timestamp::from_nanos(((ms.0 + middle) * 1e6) as i64);
                climatology.band(&Season::of(&table.station_clock, ts)).map(|range| range.suspect)
            });
            let (low, high) = bands
                .map(|band| {
                    band.map_or((Figure::NONE, Figure::NONE), |(low, high)| {
                        (Figure::rounded(low), Figure::rounded(high))
                    })
                })
                .unzip();
            column.expected = Some(Expected { low, high });
        }
    }
}

fn time(grid: &Grid, at: usize) -> Figure {
    Figure::millis(Timestamp::from_millis(grid.time(at)))
}

fn seconds(millis: i64) -> Figure {
    #[allow(clippy::cast_precision_loss, reason = "at most a few centuries")]
    Figure(millis as f64 / 1e3)
}

/// Limited to the times that rows can have.
fn span(from: Timestamp, to: Timestamp) -> Result<(Timestamp, Timestamp), SummaryError> {
    if from > to {
        return Err(SummaryError::Backwards);
    }
    let cut = |ts: Timestamp| ts.clamp(Timestamp::EPOCH, Timestamp::from_millis(LAST_MS));
    Ok((cut(from), cut(to)))
}

/// Whole milliseconds, rounded down.
fn millis(span: Duration) -> i64 {
    nanos(span) / NANOS_PER_MILLI
}

/// Empty bins over a closed span of time.
fn grid_over((from, to): (Timestamp, Timestamp), width: i64, form: Form) -> Grid {
    Grid::new((from.millis(), to.millis()), width, form)
}

/// A thread that panicked has not changed the map.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
