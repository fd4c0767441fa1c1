//! Makes summaries before they are requested: the newest first, with pauses, at a low load.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::pieces::{Kept, Stale};
use super::{Summaries, SummaryError};
use crate::config::TableConfig;
use crate::store::{SeriesLine, Store, slot_of, slot_start};

/// Pieces made between two pauses.
const PIECES: usize = 4;
/// The pause: a processor is free for other work most of the time.
const PAUSE: Duration = Duration::from_millis(20);
/// Interval between looks at the store.
const LOOK: Duration = Duration::from_millis(500);
/// Pieces whose versions are compared in one step.
const REACH: i64 = 512;

impl Summaries {
    /// Keeps the summaries of every table up to date until `stop` is set. It needs its own thread. Errors of the store
    /// are not reported here, because a request meets them too; the next look tries again.
    pub fn keep_up(&self, stop: &AtomicBool) {
        let mut reader = None;
        let mut seen = None;
        while !stop.load(Ordering::Relaxed) {
            if let Err(error) = self.look(&mut reader, &mut seen, stop) {
                tracing::debug!(%error, "summaries are not kept up");
                (reader, seen) = (None, None);
            }
            std::thread::sleep(LOOK);
        }
    }

    fn look(&self, reader: &mut Option<Store>, seen: &mut Option<i64>, stop: &AtomicBool) -> Result<(), SummaryError> {
        let reader = match reader {
            Some(reader) => reader,
            None => reader.insert(Store::open_reader(&self.store_path)?),
        };
        let version = reader.newest_version()?;
        if *seen == Some(version) {
            return Ok(());
        }
        self.build(reader, stop)?;
        *seen = (!stop.load(Ordering::Relaxed)).then_some(version);
        Ok(())
    }

    /// Makes every piece that is missing or outdated.
    fn build(&self, reader: &Store, stop: &AtomicBool) -> Result<(), SummaryError> {
        for table in &self.config.tables {
            for series in reader.series(&table.name.0)? {
                self.build_series(reader, table, &series, stop)?;
            }
        }
        Ok(())
    }

    fn build_series(
        &self,
        reader: &Store,
        table: &TableConfig,
        series: &SeriesLine,
        stop: &AtomicBool,
    ) -> Result<(), SummaryError> {
        let Some(width) = self.kept_width(reader, series)? else { return Ok(()) };
        let form = self.form(reader, &table.name.0, series)?;
        let kept = Kept { series: series.id, width, form: &form };
        let mut newest = series.newest;
        // Backwards in time; a span without rows costs one step.
        while let Some(last) = newest.map(slot_of) {
            let first = last - REACH;
            let versions = reader.versions(series.id, first - 1..=last)?;
            let mut stale = self.stale(reader, kept, first..=last, &versions)?;
            stale.reverse();
            for slots in stale.chunks(PIECES) {
                if stop.load(Ordering::Relaxed) {
                    return Ok(());
                }
                let stale = Stale { kept, slots, versions: &versions };
                self.make(reader, stale, 1, |_| {})?;
                std::thread::sleep(PAUSE);
            }
            if first <= 0 {
                break;
            }
            let before = slot_start(first).previous();
            newest = reader.newest_times(series.id, before, 1)?.first().copied();
        }
        Ok(())
    }
}
