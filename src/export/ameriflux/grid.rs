//! The grid of full half hours or hours of a station, and the interval of a table's rows on it.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::FixedOffset;

use crate::config::TableConfig;
use crate::export::{ExportError, HALF_HOUR};
use crate::text::count;
use crate::time::{LocalTime, NANOS_PER_MILLI, NANOS_PER_SECOND as SECOND, StationClock, Timestamp, nanos};

pub(super) const HOUR: i64 = 3_600 * SECOND;
/// The largest distance of a row from the nearest full half hour.
pub(super) const LONGEST_ROUND: Duration = Duration::from_secs(900);
/// The number of rows after which a table with another interval is no longer read, because its usual interval is known
/// by then.
const ROWS_TO_KNOW_A_STEP: u64 = 1_000;

/// The interval of an upload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resolution {
    /// 30 minutes, `HH` in the file's name.
    HalfHourly,
    /// One hour, `HR`.
    Hourly,
}

impl Resolution {
    /// The resolution of rows at this interval; none if AmeriFlux's files have no such rows.
    pub(super) fn of(interval: Duration) -> Option<Resolution> {
        let nanos = i64::try_from(interval.as_nanos()).ok()?;
        [Resolution::HalfHourly, Resolution::Hourly].into_iter().find(|known| known.step() == nanos)
    }

    /// Nanoseconds.
    pub(super) fn step(self) -> i64 {
        match self {
            Resolution::HalfHourly => HALF_HOUR,
            Resolution::Hourly => HOUR,
        }
    }

    /// The code in file names.
    pub fn name(self) -> &'static str {
        match self {
            Resolution::HalfHourly => "HH",
            Resolution::Hourly => "HR",
        }
    }
}

/// The full half hours in the station's standard time, and the largest permitted distance of a row.
#[derive(Debug, Clone, Copy)]
pub(super) struct Grid {
    pub(super) offset: FixedOffset,
    /// The largest distance in nanoseconds.
    round: i64,
}

impl Grid {
    /// Builds the grid for the standard time in force at `ts`.
    pub(super) fn of(clock: &StationClock, ts: Timestamp, round: Duration) -> Grid {
        Grid { offset: clock.standard_offset(ts), round: nanos(round) }
    }

    /// Standard time, in nanoseconds as [`LocalTime`] counts them.
    fn local_nanos(self, ts: Timestamp) -> i64 {
        ts.nanos().saturating_add(i64::from(self.offset.local_minus_utc()) * SECOND)
    }

    /// Standard time in the form for users.
    pub(super) fn shown(self, ts: Timestamp) -> String {
        LocalTime::from_nanos(self.local_nanos(ts)).to_string()
    }

    /// Nanoseconds since the last full `step`.
    fn past(self, ts: Timestamp, step: i64) -> i64 {
        self.local_nanos(ts).rem_euclid(step)
    }

    /// The full half hour under which the row is written; the row's own time if the distance is too large.
    pub(super) fn snap(self, ts: Timestamp) -> Timestamp {
        let past = self.past(ts, HALF_HOUR);
        let back = if past <= HALF_HOUR / 2 { past } else { past - HALF_HOUR };
        if back.abs() <= self.round { ts.minus(back) } else { ts }
    }

    /// The first full half hour that is not before the edge of a window: intervals begin there.
    pub(super) fn edge(self, ts: Timestamp) -> Timestamp {
        match self.past(ts, HALF_HOUR) {
            0 => ts,
            past => ts.minus(past - HALF_HOUR),
        }
    }
}

/// Determines a table's interval from the times of its rows.
pub(super) struct Steps {
    grid: Grid,
    pub(super) rows: u64,
    pub(super) first: Timestamp,
    pub(super) last: Timestamp,
    /// The greatest common divisor of all differences.
    common: i64,
    /// The differences and their counts, up to a limit.
    seen: BTreeMap<i64, u64>,
    /// The rows that are not on the full half hour, and those that are not on the full hour.
    off_half: Off,
    off_hour: Off,
}

/// Rows that are not on a grid: their number, the first and the last.
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
    pub(super) fn new(grid: Grid, first: Timestamp) -> Steps {
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

    pub(super) fn see(&mut self, ts: Timestamp) {
        self.rows += 1;
        let step = ts.nanos_since(self.last);
        self.last = ts;
        self.common = greatest_common_divisor(self.common, step);
        if self.seen.len() < 100 || self.seen.contains_key(&step) {
            *self.seen.entry(step).or_default() += 1;
        }
        self.place(ts);
    }

    /// Whether enough rows were seen to know that the table has another interval.
    pub(super) fn is_another(&self) -> bool {
        self.rows > ROWS_TO_KNOW_A_STEP && self.common % HALF_HOUR != 0
    }

    /// The interval, if AmeriFlux accepts it: `known` if it is known, otherwise as the rows show it.
    pub(super) fn interval(self, table: &TableConfig, known: Option<Duration>) -> Result<Resolution, ExportError> {
        let ordinary = match known {
            Some(known) => nanos(known),
            None => self.seen.iter().max_by_key(|(_, times)| **times).map_or(0, |(step, _)| *step),
        };
        let name = || table.name.0.clone();
        let (resolution, word, off) = match ordinary {
            HALF_HOUR => (Resolution::HalfHourly, "half hour", self.off_half),
            HOUR if known.is_none() && self.common == HALF_HOUR => (Resolution::HalfHourly, "half hour", self.off_half),
            HOUR => (Resolution::Hourly, "hour", self.off_hour),
            other => {
                let step = spoken(other);
                return Err(match &table.made_of {
                    Some(made) => ExportError::MadeStep { table: name(), step, source_table: made.table.0.clone() },
                    None => ExportError::Step { table: name(), step },
                });
            }
        };
        let Some((first, last)) = off.span else { return Ok(resolution) };
        let rows = match off.rows {
            1 => format!("the row of {}", self.grid.shown(first)),
            rows => format!("{} from {} to {}", count(rows, "row"), self.grid.shown(first), self.grid.shown(last)),
        };
        Err(ExportError::OffStep { table: name(), rows, step: word })
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
