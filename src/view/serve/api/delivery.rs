//! Sent rows over time, refusals, and the backlog.

use std::collections::HashMap;

use serde::Serialize;

use super::Millis;
use crate::config::{Config, DestinationConfig};
use crate::store::Store;
use crate::time::{Interval, NANOS_PER_SECOND, Timestamp};
use crate::view::serve::error::ApiError;

/// Lengths of a bin, in seconds: round numbers.
const STEPS: [i64; 14] =
    [60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 10_800, 21_600, 43_200, 86_400, 172_800, 604_800];
const MOST_BINS: i64 = 240;
const MOST_REFUSALS: usize = 200;
/// Intervals with pending rows: a view shows no more.
const MOST_PENDING: usize = 500;

/// The answer.
#[derive(Debug, Serialize)]
pub struct Delivery {
    now: Millis,
    sent: Sent,
    refusals: Vec<Refusal>,
    pending: Vec<Pending>,
    total_pending: u64,
    pending_bytes: u64,
    drain_s: Option<u64>,
    retention_s: Option<u64>,
}

#[derive(Debug, Serialize)]
struct Sent {
    bin_s: i64,
    times: Vec<Millis>,
    rows: Vec<u64>,
    bytes: Vec<u64>,
}

#[derive(Debug, Serialize)]
struct Refusal {
    at: Millis,
    status: Option<u16>,
    #[serde(rename = "words")]
    text: String,
    n: u64,
}

#[derive(Debug, Serialize)]
struct Pending {
    table: String,
    from: Millis,
    to: Millis,
    rows: Option<u64>,
}

/// The delivery from `from` to before `to`, and the present backlog.
pub(super) fn answer(
    config: &Config,
    store: Option<&Store>,
    (from, to): (Timestamp, Timestamp),
    now: Timestamp,
) -> Result<Delivery, ApiError> {
    let bin_s = bin_s(from, to);
    let mut delivery = Delivery {
        now: Millis(now),
        sent: Sent { bin_s, times: Vec::new(), rows: Vec::new(), bytes: Vec::new() },
        refusals: Vec::new(),
        pending: Vec::new(),
        total_pending: 0,
        pending_bytes: 0,
        drain_s: None,
        retention_s: configured_retention(config),
    };
    let Some(store) = store else { return Ok(delivery) };
    for bin in store.sent_by_time(Interval::new(from, to), bin_s.saturating_mul(NANOS_PER_SECOND))? {
        delivery.sent.times.push(Millis(bin.from));
        delivery.sent.rows.push(bin.rows);
        delivery.sent.bytes.push(bin.bytes);
    }
    for refusal in store.refusals(Interval::new(from, to), MOST_REFUSALS)? {
        // A failure of the link has no message of its own.
        let text = if refusal.message.is_empty() { refusal.outcome.text().to_owned() } else { refusal.message };
        delivery.refusals.push(Refusal { at: Millis(refusal.at), status: refusal.status, text, n: refusal.times });
    }
    let tables = store.table_status()?;
    let backlog = store.backlog()?;
    let mut intervals_of: HashMap<&str, usize> = HashMap::new();
    for series in &backlog {
        *intervals_of.entry(&series.table).or_default() += series.intervals.len();
    }
    for series in &backlog {
        let intervals_of_table = intervals_of.get(series.table.as_str()).copied().unwrap_or(0);
        let kept = tables.iter().find(|table| table.table == series.table).map(|table| table.pending);
        for interval in &series.intervals {
            delivery.pending.push(Pending {
                table: series.table.clone(),
                from: Millis(interval.from),
                to: Millis(interval.last()),
                // Counting would read the backlog. If there is only one interval, it has all pending rows, whose number
                // is known.
                rows: kept.filter(|_| intervals_of_table == 1),
            });
        }
    }
    delivery.pending.sort_by_key(|pending| std::cmp::Reverse(pending.to.0));
    delivery.pending.truncate(MOST_PENDING);
    delivery.total_pending = tables.iter().map(|table| table.pending).sum();
    let estimate = crate::sync::pending_bytes(config, store, now).map_err(crate::status::StatusError::from)?;
    delivery.pending_bytes = estimate.bytes;
    delivery.drain_s = estimate.drain.map(|drain| drain.as_secs());
    let seen = crate::sync::retentions(store)?.into_iter().map(|(_, kept)| kept.as_secs()).min();
    delivery.retention_s = seen.or(delivery.retention_s);
    Ok(delivery)
}

fn configured_retention(config: &Config) -> Option<u64> {
    match &config.destination {
        DestinationConfig::Influx(influx) => influx.retention_of(None).map(|kept| kept.as_secs()),
        DestinationConfig::Files { .. } => None,
    }
}

/// The shortest length that gives a sufficiently small number of bins.
fn bin_s(from: Timestamp, to: Timestamp) -> i64 {
    let length = to.seconds_since(from);
    let step = STEPS.into_iter().find(|step| length / step <= MOST_BINS);
    step.unwrap_or_else(|| (length / MOST_BINS / 604_800 + 1) * 604_800)
}
