//! Sends the agent's own health as a small measurement, and the heartbeat for a dead man's switch.
//!
//! On a dashboard "no data" and "no agent" look the same, unless the agent reports each time that it is running.

use std::fmt::Write as _;

use super::look::Looked;
use super::{StoppedBy, Sync, SyncError, SyncReport, expected};
use crate::config::{Config, DestinationConfig};
use crate::destination::{Answer, Destination, Outcome, Request, beat};
use crate::line::tag_value;
use crate::store::{ReceiptDraft, ReceiptOutcome, Store, TableStatus};
use crate::time::{NANOS_PER_SECOND, Timestamp};

/// The name of the measurement.
const MEASUREMENT: &str = "fluxtower_agent";

/// Whether a sync has something to send although no row is pending.
pub(super) fn is_due(config: &Config) -> bool {
    config.sync.health && matches!(config.destination, DestinationConfig::Influx(_))
        || config.sync.heartbeat_url.is_some()
}

/// The summary of the list of findings (`status::findings`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// `ok`, `note`, `unknown` or `look`.
    pub verdict: &'static str,
    /// Whether everything is known, and nothing needs a user.
    pub is_well: bool,
    /// The number of findings that are problems.
    pub problems: u64,
    /// The number of findings that are warnings.
    pub warnings: u64,
}

impl Standing {
    /// The verdict before the findings are known.
    pub const NOT_JUDGED: Standing = Standing { verdict: "unknown", is_well: false, problems: 0, warnings: 0 };
}

/// Sends the health lines and the expected ranges ([`expected`]). Calls the heartbeat if nothing is due and the
/// findings neither ask for a user nor leave something unknown. A failure here is not a failure of the sync: the rows
/// have been sent by then, and whoever monitors the heartbeat notices that it is missing.
pub(super) fn send(
    sync: &Sync<'_>,
    destination: &mut dyn Destination,
    looked: &mut Looked,
    report: &mut SyncReport,
) -> Result<(), SyncError> {
    let Sync { config, store, clock, judge, .. } = *sync;
    if !is_due(config) {
        return Ok(());
    }
    let says_health =
        config.sync.health && destination.can_be_asked() && looked.may_take(sync, None, destination, report)?;
    let standing = judge(report)?;
    if says_health {
        let now = Timestamp::from_utc(clock.now());
        let lines = lines(config, store, &standing, now)?;
        let kind = LineKind { taken: ReceiptOutcome::Health, refused: ReceiptOutcome::HealthRefused };
        let extra = ExtraLines { bucket: None, lines: &lines, kind };
        let answer = say(store, now, destination, report, extra)?;
        if let Outcome::Held { fix } = &answer.outcome {
            report.stopped_by = StoppedBy::Held;
            report.notes.push(format!("{fix} ({})", answer.message));
        } else if answer.outcome == Outcome::Stored {
            expected::send(sync, destination, looked, report)?;
        } else {
            tracing::warn!("the agent's own health was not taken: {}", answer.message);
        }
    }
    if let Some(url) = &config.sync.heartbeat_url
        && report.pending == 0
        && report.stopped_by == StoppedBy::Done
    {
        if !standing.is_well {
            tracing::debug!("no heartbeat: the findings come to {}", standing.verdict);
        } else if let Err(reason) = beat(url) {
            tracing::warn!("the heartbeat was not heard: {reason}");
        }
    }
    Ok(())
}

/// The receipt's outcomes for lines that are not rows.
#[derive(Debug, Clone, Copy)]
pub(super) struct LineKind {
    /// The outcome if the server accepted them.
    pub(super) taken: ReceiptOutcome,
    /// The outcome if it did not.
    pub(super) refused: ReceiptOutcome,
}

/// Lines that are not rows.
#[derive(Debug, Clone, Copy)]
pub(super) struct ExtraLines<'a> {
    /// The bucket; None is the destination's default.
    pub(super) bucket: Option<&'a str>,
    /// The lines, each with its line end.
    pub(super) lines: &'a str,
    pub(super) kind: LineKind,
}

/// Sends lines that are not rows and writes a receipt, so that the quota counts them.
pub(super) fn say(
    store: &Store,
    now: Timestamp,
    destination: &mut dyn Destination,
    report: &mut SyncReport,
    ExtraLines { bucket, lines, kind }: ExtraLines<'_>,
) -> Result<Answer, SyncError> {
    let rows = lines.matches('\n').count();
    let answer = destination.write(&Request { bucket, lines: lines.as_bytes(), gzip: &[], rows })?;
    report.requests += 1;
    report.bytes += lines.len() as u64;
    report.wire_bytes += lines.len() as u64;
    store.note_answer(&ReceiptDraft {
        at: now.nanos(),
        destination: &destination.name(),
        bucket,
        rows,
        bytes: lines.len(),
        wire_bytes: lines.len(),
        status: answer.status,
        outcome: if answer.outcome == Outcome::Stored { kind.taken } else { kind.refused },
        message: &answer.message,
    })?;
    Ok(answer)
}

/// How far back receipts are queried at most: rows that have been pending for this time have been pending too long
/// anyway.
const LONGEST_WAIT_S: i64 = 7 * 86_400;

/// How long the rows of a table have been pending: since its bucket last acknowledged a row, but no longer than they
/// exist. The age of a row is not used: a history that was read just now is old, but has not been pending for long.
fn pending_for(
    config: &Config,
    store: &Store,
    table: &TableStatus,
    first: Option<Timestamp>,
    now: Timestamp,
) -> Result<i64, SyncError> {
    let Some(oldest) = table.oldest_pending else { return Ok(0) };
    let bucket = config.table(&table.table).and_then(|known| known.bucket.as_deref());
    let since = Timestamp::from_nanos(now.nanos().saturating_sub(LONGEST_WAIT_S * 1_000_000_000));
    let last = store.last_stored_in(bucket, since)?.max(first);
    let silent = last.map_or(LONGEST_WAIT_S, |last| now.seconds_since(last));
    Ok(now.seconds_since(oldest).min(silent).clamp(0, LONGEST_WAIT_S))
}

/// One line for the agent, one per table that has a row, and one per configured table that never had one, if the first
/// ingest is known.
pub(super) fn lines(config: &Config, store: &Store, standing: &Standing, now: Timestamp) -> Result<String, SyncError> {
    let station = tag_value(&config.station.name);
    let tables = store.table_status()?;
    let sum = |of: fn(&TableStatus) -> u64| tables.iter().map(of).sum::<u64>();
    let age = |then: Timestamp| now.seconds_since(then);
    let oldest = tables.iter().filter_map(|table| table.oldest_pending).min();
    let first = store.first_ingest()?;
    let waits =
        tables.iter().map(|table| pending_for(config, store, table, first, now)).collect::<Result<Vec<i64>, _>>()?;
    // InfluxQL cannot calculate with the time of a point.
    let reported = now.nanos() / NANOS_PER_SECOND;
    // Writing to a String cannot fail.
    let mut lines = format!(
        "{MEASUREMENT},station={station} backlog={},oldest_pending_age_s={},longest_wait_s={},rejected={},rejected_lines={},conflicts={},gaps={},problems={},warnings={},reported_s={reported},verdict=\"{}\",version=\"{}\" {}\n",
        sum(|table| table.pending),
        oldest.map_or(0, age),
        waits.iter().max().unwrap_or(&0),
        sum(|table| table.rejected),
        sum(|table| table.rejected_lines),
        sum(|table| table.conflicts),
        sum(|table| table.gaps),
        standing.problems,
        standing.warnings,
        standing.verdict,
        env!("CARGO_PKG_VERSION"),
        now.nanos()
    );
    for (table, wait) in tables.iter().zip(&waits) {
        let Some(newest) = table.newest else { continue };
        let _ = writeln!(
            lines,
            "{MEASUREMENT},station={station},logger_table={} newest_age_s={},no_new_row_s={},pending={},longest_wait_s={wait},gaps={},reported_s={reported} {}",
            tag_value(&table.table),
            age(newest),
            age(newest),
            table.pending,
            table.gaps,
            now.nanos()
        );
    }
    let Some(first) = first else { return Ok(lines) };
    for table in config.logger_tables() {
        let name = &table.name.0;
        if tables.iter().any(|status| status.table == *name && status.newest.is_some()) {
            continue;
        }
        let _ = writeln!(
            lines,
            "{MEASUREMENT},station={station},logger_table={} no_new_row_s={},pending=0,longest_wait_s=0,gaps=0,reported_s={reported} {}",
            tag_value(name),
            age(first).max(0),
            now.nanos()
        );
    }
    Ok(lines)
}
