//! Lines that prove that a bucket accepts lines, so that a server that refuses everything is not mistaken for one that
//! refuses a row (I6).

use super::batch::Batch;
use super::{Outbox, Standing, SyncError, health, shape};
use crate::config::Config;
use crate::store::{SeriesBacklog, Store};
use crate::time::{Clock, Interval, Timestamp};

/// The number of other tables that are tried before the bucket is taken as one that accepts nothing.
const MOST_TABLES: usize = 16;

/// Finds known-good lines.
pub(super) struct KnownGood<'a> {
    pub(super) config: &'a Config,
    pub(super) store: &'a Store,
    pub(super) outbox: &'a Outbox,
    pub(super) clock: &'a dyn Clock,
    /// Whether the destination accepts the agent's own health.
    pub(super) takes_health: bool,
}

/// A line that the bucket has not accepted yet, but should accept.
pub(super) struct Candidate {
    pub(super) batch: Batch,
    /// Whether it is a pending row, which becomes sent when it is acknowledged.
    pub(super) is_row: bool,
}

impl KnownGood<'_> {
    /// The line of a row that the bucket accepted in an earlier run.
    pub(super) fn earlier(&self, bucket: Option<&str>) -> Result<Option<Vec<u8>>, SyncError> {
        let Some(row) = self.store.last_sent_row(bucket)? else { return Ok(None) };
        let Some(table) = self.config.table(&row.table) else { return Ok(None) };
        let series = SeriesBacklog { series: 0, table: row.table, tags: row.tags, intervals: Vec::new() };
        let Ok(shape) = shape(self.config, self.store, table, &series)? else { return Ok(None) };
        let mut line = Vec::new();
        Ok(shape.render(row.ts, &row.values, &row.flags, &mut line).is_ok().then_some(line))
    }

    /// For a bucket that has accepted nothing yet: the agent's own line if it goes to this bucket, then the newest
    /// pending row of each other table of the bucket.
    pub(super) fn candidates(&self, bucket: Option<&str>, table: Option<&str>) -> Result<Vec<Candidate>, SyncError> {
        let mut candidates = Vec::new();
        if bucket.is_none() && self.takes_health && self.config.sync.health {
            let now = Timestamp::from_utc(self.clock.now());
            let lines = health::lines(self.config, self.store, &Standing::NOT_JUDGED, now)?;
            if let Some(line) = lines.split_inclusive('\n').next() {
                candidates.push(Candidate { batch: line_alone(bucket, line.as_bytes()), is_row: false });
            }
        }
        let mut tried: Vec<&str> = table.into_iter().collect();
        for (index, series) in self.outbox.backlog.iter().enumerate() {
            let is_other = self.outbox.buckets[index].as_deref() == bucket && !tried.contains(&series.table.as_str());
            if !is_other || candidates.len() > MOST_TABLES {
                continue;
            }
            if let Some(batch) = self.newest_row(index)? {
                tried.push(&series.table);
                candidates.push(Candidate { batch, is_row: true });
            }
        }
        Ok(candidates)
    }

    fn newest_row(&self, index: usize) -> Result<Option<Batch>, SyncError> {
        let (series, shape) = (&self.outbox.backlog[index], &self.outbox.shapes[index]);
        let Some(hull) = series.hull() else { return Ok(None) };
        let Some(newest) = self.store.nth_newest_pending(series.series, hull, 1)? else { return Ok(None) };
        let mut batch = Batch::new(self.outbox.buckets[index].clone());
        self.store.pending_rows(series.series, Interval { from: newest, ..hull }, 1, |row| {
            // A row that cannot be rendered is no candidate.
            let _ = batch.push((series.series, row.id, row.version, row.ts), |out| {
                shape.render(row.ts, row.values, row.flags, out)
            });
            true
        })?;
        Ok((!batch.is_empty()).then_some(batch))
    }
}

/// A batch of a line that belongs to no row.
pub(super) fn line_alone(bucket: Option<&str>, line: &[u8]) -> Batch {
    let mut batch = Batch::new(bucket.map(str::to_owned));
    let pushed: Result<(), SyncError> = batch.push((0, 0, 0, Timestamp::EPOCH), |out| {
        out.extend_from_slice(line);
        Ok(())
    });
    // Copying bytes cannot fail.
    let _ = pushed;
    batch
}
