//! Findings about passes: those that the store keeps, and the one that has just ended.

use super::{Finding, Kind, SILENT_TOO_LONG_S};
use crate::ingest::UnconfirmedOffset;
use crate::status::{Exit, Facts, Room, age_s};
use crate::store::RunLine;
use crate::sync::{StoppedBy, SyncReport};
use crate::text::{bytes, span};
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
                Finding::new(Kind::RunFailed, format!("the last {command} failed: {text}"))
                    .about(command)
                    .since(Some(run.ended)),
            );
        }
    }
    if let Some(refused) = &facts.refused_configuration {
        found.push(
            Finding::new(Kind::ConfigurationRefused, not_taken_up(&refused.why))
                .since(Some(refused.since))
                .fix("correct the file; `run --watch` takes it up within seconds"),
        );
    }
    if let Some(Room { free, .. }) = facts.room.filter(|room| room.is_little()) {
        let finding = Finding::new(
            Kind::DiskNearlyFull,
            format!("the disk of the database is nearly full: {} free", bytes(free)),
        );
        found.push(finding.fix("make room, or let sent rows go with `fluxtower prune` or [store] keep"));
    }
    for (command, run) in [("ingest", &facts.last_ingest), ("sync", &facts.last_sync)] {
        // What keeps rows from a destination that cannot be reached is said by the rows that are pending.
        let Some(run) = run.as_ref().filter(|run| failure(run).is_none() && !was_unreachable(run)) else { continue };
        let is_a_finding = |note: &String| crate::sync::is_about_clocks(note) || UnconfirmedOffset::is_in(note);
        for note in notes(&run.summary).into_iter().filter(|note| !is_a_finding(note)) {
            found.push(
                Finding::new(Kind::Reported, format!("the last {command} reported: {note}"))
                    .about(format!("{command}: {}", without_numbers(&note)))
                    .since(Some(run.ended)),
            );
        }
    }
    for (what, at) in [("a run", facts.future.run), ("a receipt", facts.future.receipt)] {
        if let Some(at) = at {
            let finding = Finding::new(
                Kind::FutureTimes,
                format!(
                    "{what} is dated {} in the future: this computer's clock was ahead then",
                    span(-age_s(now, at))
                ),
            )
            .about(what);
            // A run since then is dated by now: the clock was put right, and what it dated before is history.
            found.push(match facts.future.is_last_run {
                true => finding.fix("or it is behind now: check that it is right; the next run clears this"),
                false => finding.note(),
            });
        }
    }
    found
}

/// A changed configuration that is wrong, in a sentence.
pub fn not_taken_up(why: &str) -> String {
    format!("the configuration was changed and cannot be used, so the one before it stays in force: {why}")
}

/// Why a run could not do its work; none where it could.
pub fn failure(run: &RunLine) -> Option<String> {
    (run.exit >= FAILED).then(|| text_of(&run.summary))
}

/// The note of a sync that was held, or the text of the error that ended it.
fn text_of(summary: &str) -> String {
    notes(summary).pop().unwrap_or_else(|| summary.to_owned())
}

/// The notes of a pass, from the summary that the store keeps of it.
fn notes(summary: &str) -> Vec<String> {
    let report: Option<serde_json::Value> = serde_json::from_str(summary).ok();
    let notes = report.as_ref().and_then(|report| report.get("notes")?.as_array());
    notes.into_iter().flatten().filter_map(|note| note.as_str().map(str::to_owned)).collect()
}

/// Whether a pass ended because the destination could not be reached.
pub(super) fn was_unreachable(run: &RunLine) -> bool {
    let report: Option<serde_json::Value> = serde_json::from_str(&run.summary).ok();
    let stopped_by = report.as_ref().and_then(|report| report.get("stopped_by"));
    stopped_by
        .is_some_and(|stopped_by| serde_json::to_value(StoppedBy::Unreachable).is_ok_and(|own| own == *stopped_by))
}

/// What a note is known by while counts and ages in it change.
fn without_numbers(note: &str) -> String {
    let mut text = String::with_capacity(note.len());
    for sign in note.chars() {
        match sign {
            sign if !sign.is_ascii_digit() => text.push(sign),
            _ if text.ends_with('#') => {}
            _ => text.push('#'),
        }
    }
    text
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

#[cfg(test)]
mod tests {
    use super::without_numbers;

    #[test]
    fn a_note_is_known_by_its_text_without_its_numbers() {
        assert_eq!(without_numbers("12 rows of \"met\" since 9:05"), without_numbers("7 rows of \"met\" since 10:15"));
        assert_ne!(without_numbers("12 rows of \"met\""), without_numbers("12 rows of \"soil\""));
    }
}
