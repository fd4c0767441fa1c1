//! Applies the checks of days of light in [`crate::sun`] to stored rows of radiometers, and so to their loggers'
//! clocks.
//!
//! The examined columns have the test `sun` and the variable SW_IN or PPFD_IN, and the station's position must be
//! known. The series with the newest row is used. If there are several columns of one variable, the top-most is used,
//! as in AmeriFlux's alignment test, because it is dark by day under a canopy. A value is converted from the unit of
//! its row's header.
//!
//! The cost grows neither with the store nor with the rate of a table: at most one row per fifteen minutes of the last
//! thirty whole days is read, each found by its key, which is 2,880 rows and about ten milliseconds per table. Only if
//! a fault is found that began before these days, older days are examined, at most four hundred.

use std::collections::HashMap;
use std::time::Duration;

use crate::ameriflux;
use crate::config::{ColumnConfig, ColumnUse, Config, TableConfig};
use crate::format::{Header, numbers_of};
use crate::qc::{self, Flag, Light, Test};
use crate::quantity::Process;
use crate::store::{Column, ScannedRow, Store, StoreError};
use crate::sun::{self, Day, Grid, Potential, Said, Sample};
use crate::time::Timestamp;

const DAY: Duration = Duration::from_secs(86_400);
/// Whole days that are looked at.
const DAYS: u32 = 30;
/// Whole days that are looked at for the beginning of something that is found.
const MOST_DAYS: u32 = 400;
/// From row to row that is looked at, of faster tables.
const STEP: Duration = Duration::from_secs(900);
/// Of slower tables nothing is concluded.
const SLOWEST: Duration = Duration::from_secs(3_600);

/// What is found of a column.
#[derive(Debug, Clone, PartialEq)]
pub struct Sunlight {
    /// Its table.
    pub table: String,
    /// Its name in the file.
    pub column: String,
    /// What its days say.
    pub said: Said,
}

/// Where a column's values stand, and what they are.
struct Place<'c> {
    column: &'c str,
    /// In the column list.
    at: usize,
    grid: Grid,
    /// By the column list; none where its unit does not fit.
    light: Option<Light>,
    /// Of headers that state another unit, by their id.
    by_header: HashMap<i64, Option<Light>>,
}

impl Place<'_> {
    /// W m-2 of a value that stands under this header; NaN where the unit does not fit.
    fn watts(&self, header: Option<i64>, value: f64) -> f64 {
        let light = header.and_then(|header| self.by_header.get(&header)).copied().unwrap_or(self.light);
        light.map_or(f64::NAN, |light| light.watts(value))
    }
}

/// What is found of each column of a table; `interval` is the usual one.
///
/// # Errors
/// The store fails.
pub(super) fn of(
    store: &Store,
    config: &Config,
    table: &TableConfig,
    interval: Option<Duration>,
) -> Result<Vec<Sunlight>, StoreError> {
    let (Some(position), Some(interval)) = (config.station.position, interval.filter(|every| *every <= SLOWEST)) else {
        return Ok(Vec::new());
    };
    if !table.columns.values().any(|column| column.quality.sun.is_some()) {
        return Ok(Vec::new());
    }
    let name = &table.name.0;
    let grid = Grid { position, clock: table.station_clock, interval, step: interval.max(STEP) };
    let places = places((config, table), &store.columns_of(name)?, &store.headers_of(name)?, &grid);
    let series = store.series(name)?;
    let newest = series.iter().filter_map(|series| Some((series.newest?, series.id))).max();
    let (Some((newest, series)), false) = (newest, places.is_empty()) else { return Ok(Vec::new()) };
    let mut reader =
        Reader { store, series, interval, places: &places, sun: Potential::new(position, table.station_clock) };
    let first = store.first_row(series, Timestamp::EPOCH)?;
    // The day of the newest row is not whole yet.
    let mut until = sun::begin_of_day(position.longitude, newest);
    let mut days: Vec<Vec<Day>> = vec![Vec::new(); places.len()];
    let mut looked = 0;
    loop {
        let from = until.before(DAY * DAYS);
        for (known, older) in days.iter_mut().zip(reader.days(from, until)?) {
            known.splice(0..0, older);
        }
        looked += DAYS;
        until = from;
        let is_open = days.iter().any(|days| sun::said(days).is_open());
        if !is_open || looked >= MOST_DAYS || first.is_none_or(|first| first >= until) {
            break;
        }
    }
    let found = places.iter().zip(&days).map(|(place, days)| Sunlight {
        table: name.clone(),
        column: place.column.to_owned(),
        said: sun::said(days),
    });
    Ok(found.filter(|found| found.said != Said::default()).collect())
}

/// A column that a logger samples says what was at its stamp, and not what was since the row before.
fn places<'c>(
    (config, table): (&Config, &'c TableConfig),
    columns: &[Column],
    headers: &[(i64, Header)],
    grid: &Grid,
) -> Vec<Place<'c>> {
    let wanted = table.columns.iter().filter(|(_, column)| {
        column.quality.sun.is_some() && column.column_use == ColumnUse::Field && is_topmost(config, column)
    });
    let place = |(name, column): (&'c String, &'c ColumnConfig)| {
        let at = columns.iter().position(|known| known.name == *name)?;
        let stated = columns.get(at)?.stated_in(table);
        let incoming = |unit: &str| Light::incoming(column.variable.as_deref(), unit);
        let light = incoming(stated.unit);
        let other = |(id, header): &(i64, Header)| Some((*id, incoming(header.stated(name)?.unit)));
        let by_header: HashMap<i64, Option<Light>> = headers.iter().filter_map(other).collect();
        if light.is_none() && by_header.values().all(Option::is_none) {
            return None;
        }
        let is_sample = Process::of(stated.process) == Some(Process::Sample);
        let interval = if is_sample { Duration::ZERO } else { grid.interval };
        Some(Place { column: name, at, grid: Grid { interval, ..*grid }, light, by_header })
    };
    wanted.filter_map(place).collect()
}

/// Whether no other column of the station is of the same variable and stands above it.
fn is_topmost(config: &Config, own: &ColumnConfig) -> bool {
    let base = |column: &ColumnConfig| Some(ameriflux::lookup(column.variable.as_deref()?)?.name);
    let mut others = config.tables.iter().flat_map(|table| table.columns.values());
    !others.any(|other| {
        other.column_use == ColumnUse::Field && base(other) == base(own) && base(own).is_some() && is_above(other, own)
    })
}

/// By the heights, where both are known, otherwise by the vertical qualifiers of both, which are counted downwards.
fn is_above(one: &ColumnConfig, other: &ColumnConfig) -> bool {
    let height = |column: &ColumnConfig| Some(column.level.as_ref()?.key().0);
    let vertical = |column: &ColumnConfig| ameriflux::vertical(column.variable.as_deref()?);
    match (height(one), height(other), vertical(one), vertical(other)) {
        (Some(one), Some(other), ..) if one != other => one > other,
        (_, _, Some(one), Some(other)) => one < other,
        _ => false,
    }
}

/// Reads days of a series.
struct Reader<'s> {
    store: &'s Store,
    series: i64,
    /// From row to row.
    interval: Duration,
    places: &'s [Place<'s>],
    sun: Potential,
}

impl Reader<'_> {
    /// The days from `from` to before `until`, oldest first, for each place.
    fn days(&mut self, from: Timestamp, until: Timestamp) -> Result<Vec<Vec<Day>>, StoreError> {
        let width = self.places.iter().map(|place| place.at + 1).max().unwrap_or(0);
        let mut samples: Vec<Vec<Sample>> = vec![Vec::new(); self.places.len()];
        let mut numbers = Vec::new();
        // A stamp on midnight ends the day before. Rows that are apart by more than the step are all found, for the next is
        // looked for half a step behind each.
        let step = if self.interval < STEP { STEP } else { self.interval / 2 };
        self.store.scan_sparsely(self.series, (from.next_key(), until.next_key()), step, |row, header| {
            numbers_of(row.values, width, &mut numbers);
            for (place, samples) in self.places.iter().zip(&mut samples) {
                let value = numbers.get(place.at).copied().filter(|_| counts(&row, place.at)).unwrap_or(f64::NAN);
                samples.push(Sample { end: row.ts, watts: place.watts(header, value) });
            }
        })?;
        let mut days = Vec::with_capacity(samples.len());
        for (place, samples) in self.places.iter().zip(&samples) {
            let mut of_column = Vec::new();
            let mut rest = samples.as_slice();
            let mut begin = from;
            while begin < until {
                let end = begin.after(DAY);
                let (day, later) = rest.split_at(rest.partition_point(|sample| sample.end <= end));
                of_column.push(sun::day(&place.grid, &mut self.sun, begin, day));
                (rest, begin) = (later, end);
            }
            days.push(of_column);
        }
        Ok(days)
    }
}

/// Whether a value is one, and no user has said that it is wrong.
fn counts(row: &ScannedRow<'_>, at: usize) -> bool {
    let flag = row.flags.get(at).and_then(|digit| Flag::from_digit(*digit));
    let by_hand = || {
        let findings = row.raised.map(qc::findings).unwrap_or_default();
        findings.iter().any(|finding| finding.place == at && finding.test == Test::Manual)
    };
    match flag {
        Some(Flag::Missing) => false,
        Some(Flag::Fail) => !by_hand(),
        _ => true,
    }
}
