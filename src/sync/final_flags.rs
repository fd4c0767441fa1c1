//! Decides which rows have final flags, so that a row that is sent need not be sent again (I7).
//!
//! A spike is detected when the next row is read, and a comparison with another table is made when that table has been
//! read. Until then a row remains pending, but no longer than `[qc] wait` after its own time: the live picture must not
//! stop because one logger does. If the neighbour is read even later, the flags of the row may change, and the row is
//! sent again.

use super::SyncError;
use crate::config::{Config, TableConfig};
use crate::store::{SeriesBacklog, Store};
use crate::time::{Interval, Timestamp};

/// Reduces the backlog of a series to the rows whose flags are final by `now`.
pub(super) fn cut(
    config: &Config,
    store: &Store,
    table: &TableConfig,
    series: &mut SeriesBacklog,
    now: Timestamp,
) -> Result<(), SyncError> {
    let Some(until) = until(config, store, table, series.series)? else { return Ok(()) };
    let waited = now.before(config.wait);
    let until = until.max(waited);
    series.intervals.retain_mut(|interval| {
        *interval = interval.overlap(Interval::closed(interval.from, until));
        !interval.is_empty()
    });
    Ok(())
}

/// The time up to which every row of the series has final flags; None if rows are judged at once.
fn until(config: &Config, store: &Store, table: &TableConfig, series: i64) -> Result<Option<Timestamp>, SyncError> {
    let mut until: Option<Timestamp> = None;
    let mut limit = |ts: Timestamp| until = Some(until.map_or(ts, |known| known.min(ts)));
    if table.columns.values().any(|column| column.quality.looks_ahead()) {
        let newest = store.newest_of_series(series)?.unwrap_or_default();
        limit(newest.previous_key());
    }
    for pair in config.pairs_across(&table.name).filter(|pair| pair.flags_in(&table.name)) {
        let newest = store.newest_of_table(&pair.other(&table.name).0)?.unwrap_or_default();
        limit(newest.before(pair.within));
    }
    Ok(until)
}
