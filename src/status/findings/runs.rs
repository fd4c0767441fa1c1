//! Findings about passes: those that the store keeps, and the one that has just ended.

use super::{Finding, Kind, SILENT_TOO_LONG_S};
use crate::status::{Exit, Facts, age_s};
use crate::store::RunLine;
use crate::sync::{StoppedBy, SyncReport};
use crate::text::span;
use crate::time::Timestamp;

/// Exit codes from this one on mean that a run could not do its work.
const FAILED: i64 = Exit::Usage as i64;

pub(super) fn findings(facts: &Facts, now: Timestamp) -> Vec<Finding> {
    let mut found = Vec::new();
    for (command, run) in [("ingest", &facts.last_ingest), ("sync", &facts.last_sync)] {
        if let Some(run) = run
            && let Some(text) = failure(run)
        {
            found.push(
                Finding::new(Kind::RunFailed, format!("the last {command} failed: {text}")).since(Some(run.ended)),
            );
        }
    }
    for (what, at) in [("a run", facts.future.run), ("a receipt", facts.future.receipt)] {
        if let Some(at) = at {
            found.push(
                Finding::new(
                    Kind::FutureTimes,
                    format!(
                        "{what} is dated {} in the future: this computer's clock was ahead then",
                        span(-age_s(now, at))
                    ),
                )
                .fix("check that the clock is right now; the finding clears when that time is reached"),
            );
        }
    }
    found
}

/// Why a run could not do its work; none where it could.
pub fn failure(run: &RunLine) -> Option<String> {
    (run.exit >= FAILED).then(|| text_of(&run.summary))
}

/// The note of a sync that was held, or the text of the error that ended it.
fn text_of(summary: &str) -> String {
    let report: Option<serde_json::Value> = serde_json::from_str(summary).ok();
    let note = report.as_ref().and_then(|report| report.get("notes")?.as_array()?.last()?.as_str());
    note.unwrap_or(summary).to_owned()
}

/// The exit code of an ingest that ended: `needs_a_look` is its own account of its lines and files.
pub fn of_ingest(needs_a_look: bool) -> Exit {
    if needs_a_look { Exit::Look } else { Exit::Well }
}

/// The exit code of a sync that ended.
pub fn of_sync(report: &SyncReport, last_stored: Option<Timestamp>, now: Timestamp) -> Exit {
    match report.stopped_by {
        StoppedBy::Held => Exit::Refused,
        StoppedBy::Refusals => Exit::Look,
        StoppedBy::Unreachable if last_stored.is_none_or(|last| age_s(now, last) > SILENT_TOO_LONG_S) => Exit::Look,
        StoppedBy::Unreachable => Exit::Well,
        _ if report.rejected > 0 || !report.notes.is_empty() => Exit::Look,
        _ => Exit::Well,
    }
}
