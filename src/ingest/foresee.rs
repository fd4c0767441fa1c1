//! What a move of rows to another time would do, said beforehand and without changing anything.
//!
//! Only the contents that are kept beside rows need a look through the eyes of a staging, whose transaction is taken back before
//! the rows are read: a look at twenty million rows never holds a sync up (I9).

use std::collections::HashMap;

mod meetings;

use meetings::{Meetings, Met, Stretches};

use super::clock::{Mover, Reading, has_earlier_formats};
use super::counts;
use super::passes::Passes;
use super::put_back::time_of_content;
use super::rows::can_have;
use super::{IngestError, Moved, Unseen};
use crate::config::{Config, TableConfig};
use crate::ingest::kept::KeptTaker;
use crate::store::{KeptContent, OldRow, Result, Staging, Store};
use crate::time::{Clock, Interval, LoggerClock, NANOS_PER_MICRO, Samples, Timestamp};

/// What [`super::rekey`] would do.
///
/// # Errors
/// The store fails.
pub fn would_rekey(
    config: &Config,
    store: &Store,
    clock: &dyn Clock,
    only: Option<&str>,
) -> std::result::Result<Vec<(String, Moved)>, IngestError> {
    let config = &*counts::in_their_counts(config, store)?;
    let mut list = Vec::new();
    for table in config.logger_tables().filter(|table| only.is_none_or(|only| only == table.name.0)) {
        let Some(old) = clock_before(store, table)? else { continue };
        let mut staging = Staging::new(store, config)?;
        let passes = Mover::new(store, &mut staging, table, clock, &Unseen).passes((&old, &table.stamps), &old)?;
        let now = Timestamp::from_utc(clock.now());
        let contents = contents(store, &mut staging, (table, &old), &passes, now)?;
        let mut columns = store.table_as_staged(table)?;
        staging.use_columns(&mut columns, table)?;
        // Nothing of it is committed.
        drop(staging);
        let (mut moved, stretches) = rows(store, (table, &old), &passes, now, contents)?;
        let reading = Reading::new(store, table, (&old, &table.stamps), &columns);
        let meetings = Meetings { store, table: &columns, reading: &reading, passes: &passes };
        if !columns.samples.is_some_and(Samples::are_events) {
            Met { conflicts: moved.conflicts, merged: moved.merged } =
                meetings.count(&stretches, &Foreseen { config: table, now })?;
        }
        if !moved.is_nothing() {
            list.push((table.name.0.clone(), moved));
        }
    }
    Ok(list)
}

/// How many rows of the table would move; changes nothing. None: none would.
pub(super) fn preview(store: &Store, config: &TableConfig) -> Result<Option<Moved>> {
    let Some(old) = clock_before(store, config)? else { return Ok(None) };
    let mut table = store.table_as_staged(config)?;
    let mut passes = Passes::new((&old, &config.stamps));
    if old.offsets() != config.stamps.offsets() && config.stamps.repeats_hours() {
        Reading::new(store, config, (&old, &config.stamps), &table).see_rows(&mut table, &mut passes)?;
        passes.settle(table.samples.is_some());
    }
    let (moved, _) = rows(store, (config, &old), &passes, Timestamp::MAX, Contents::default())?;
    Ok(Some(moved))
}

/// Which times rows can have by the new clock.
struct Foreseen<'a> {
    config: &'a TableConfig,
    now: Timestamp,
}

impl Foreseen<'_> {
    /// The time of a row by the new clock. None: it becomes a line.
    fn time_of(&self, reading: &Reading<'_>, series: i64, row: &OldRow, passes: &Passes<'_>) -> Option<Timestamp> {
        let time = reading.time_of(series, row, reading.stamp(row), passes);
        time.filter(|ts| *ts == row.ts() || can_have(self.config, *ts, self.now))
    }
}

/// The clock by which the rows of the table were staged. None: they stand by the present one.
fn clock_before(store: &Store, config: &TableConfig) -> Result<Option<LoggerClock>> {
    let staged = store.staged_clock(config)?.filter(|staged| staged.has_rows || staged.is_moving);
    let Some(old) = staged.and_then(|staged| staged.clock) else { return Ok(None) };
    let is_the_same = old == config.stamps && !has_earlier_formats(&store.table_as_staged(config)?, config);
    Ok((!is_the_same).then_some(old))
}

/// Series and microsecond: a key of a row.
type Key = (i64, i64);

fn key(series: i64, ts: Timestamp) -> Key {
    (series, ts.nanos().div_euclid(NANOS_PER_MICRO))
}

/// What becomes of the rows of a time that contents would take.
#[derive(Default)]
struct Place {
    /// A row stands there afterwards.
    is_taken: bool,
    /// A row leaves it.
    is_left: bool,
}

/// Contents that are kept beside rows, each with its time by the new clock, in the order in which they are staged.
#[derive(Default)]
struct Contents {
    list: Vec<(KeptContent, Timestamp)>,
    places: HashMap<Key, Place>,
}

fn contents(
    store: &Store,
    staging: &mut Staging<'_>,
    (config, old): (&TableConfig, &LoggerClock),
    passes: &Passes<'_>,
    now: Timestamp,
) -> Result<Contents> {
    let mut table = store.table_as_staged(config)?;
    let mut found = Contents::default();
    let mut kept = KeptTaker::that_keeps(store, config, now);
    for series in store.series_with_tags(&table)? {
        for content in store.conflicts_of_series(series.id)? {
            staging.begin()?;
            let Some((again, _)) = time_of_content(&mut kept, (staging, &mut table), (config, old), passes, &content)?
            else {
                continue;
            };
            if can_have(config, again.ts, now) {
                found.places.entry(key(content.series, again.ts)).or_default();
                found.list.push((content, again.ts));
            }
        }
    }
    Ok(found)
}

fn rows(
    store: &Store,
    (config, old): (&TableConfig, &LoggerClock),
    passes: &Passes<'_>,
    now: Timestamp,
    mut contents: Contents,
) -> Result<(Moved, Vec<Stretches>)> {
    let mut table = store.table_as_staged(config)?;
    let reading = Reading::new(store, config, (old, &config.stamps), &table);
    let foreseen = Foreseen { config, now };
    let (mut moved, mut stretches) = (Moved::default(), Vec::new());
    reading.each(&mut table, |_, series, rows: &[OldRow]| {
        let offered = store.offered(series.id)?;
        for row in rows {
            let time = foreseen.time_of(&reading, series.id, row, passes);
            if time != Some(row.ts()) {
                moved.rows += 1;
                moved.leaves(row.ts(), offered.is_some_and(|offered| row.ts() <= offered));
                if let Some(place) = contents.places.get_mut(&key(series.id, row.ts())) {
                    place.is_left = true;
                }
            }
            match time {
                None => moved.lines += 1,
                Some(ts) => {
                    Stretches::add(&mut stretches, series, row, ts);
                    if let Some(place) = contents.places.get_mut(&key(series.id, ts)) {
                        place.is_taken = true;
                    }
                }
            }
        }
        Ok(())
    })?;
    for (content, ts) in contents.list {
        let Some(place) = contents.places.get_mut(&key(content.series, ts)) else { continue };
        // Rows beside the periods that changed were not looked at: they stay.
        let has_row = || match ts == content.ts {
            true => store.has_row_at(&content),
            false => Ok(!store.rows_in(content.series, Interval::new(ts, ts.plus(NANOS_PER_MICRO)), None)?.is_empty()),
        };
        if !place.is_taken && (place.is_left || !has_row()?) {
            moved.contents += 1;
        }
        place.is_taken = true;
    }
    Ok((moved, stretches))
}
