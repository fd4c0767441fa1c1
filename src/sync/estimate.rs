//! Estimates how many bytes are pending, and how long it takes to send them.

use std::time::Duration;

use super::{BUDGET_WINDOW, Outbox, SyncError};
use crate::config::Config;
use crate::store::Store;
use crate::time::Timestamp;

/// The number of rows of each series that an estimate reads.
const SAMPLE_ROWS: usize = 50;

/// The size of the backlog, estimated without reading all of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PendingBytes {
    /// Bytes of line protocol, by the length of sample lines of each table.
    pub bytes: u64,
    /// The time until the last of them is sent, by syncs every five minutes; None if it is unknown.
    pub drain: Option<Duration>,
}

/// Estimates bytes and time of the backlog. With a budget, each window of five minutes takes that many bytes, and the
/// first begins now. Without a budget, the rate of the last sync is used, if it sent something.
pub fn pending_bytes(config: &Config, store: &Store, now: Timestamp) -> Result<PendingBytes, SyncError> {
    let tables = store.table_status()?;
    let pending: u64 = tables.iter().map(|table| table.pending).sum();
    if pending == 0 {
        return Ok(PendingBytes::default());
    }
    let outbox = Outbox::open(config, store, None)?;
    let mut bytes = 0;
    for status in tables.iter().filter(|status| status.pending > 0) {
        let mut lines = Vec::new();
        let mut rows: u64 = 0;
        let of_table = outbox.backlog.iter().zip(&outbox.shapes).filter(|(series, _)| series.table == status.table);
        for (series, shape) in of_table {
            let Some(hull) = series.hull() else { continue };
            store.pending_rows(series.series, hull, SAMPLE_ROWS, |row| {
                rows += u64::from(shape.render(row.ts, row.values, row.flags, &mut lines).is_ok());
                true
            })?;
        }
        bytes += (lines.len() as u64 * status.pending).checked_div(rows).unwrap_or(0);
    }
    let drain = match config.sync.budget_bytes {
        Some(budget) => {
            Some(BUDGET_WINDOW * u32::try_from(bytes.div_ceil(budget).saturating_sub(1)).unwrap_or(u32::MAX))
        }
        None => by_rate(store, pending, now)?,
    };
    Ok(PendingBytes { bytes, drain })
}

fn by_rate(store: &Store, pending: u64, now: Timestamp) -> Result<Option<Duration>, SyncError> {
    let Some(run) = store.last_run_by("sync", now)? else { return Ok(None) };
    let report: Option<serde_json::Value> = serde_json::from_str(&run.summary).ok();
    let sent = report.and_then(|report| report.get("sent")?.as_u64()).filter(|&sent| sent > 0);
    let millis = u64::try_from(run.ended.nanos_since(run.started) / 1_000_000).unwrap_or(0);
    Ok(sent.map(|sent| Duration::from_millis(pending.saturating_mul(millis) / sent)))
}
