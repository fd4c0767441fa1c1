//! What a person should look at, in words.

use super::{Facts, age_s};
use crate::config::Config;
use crate::store::RunLine;
use crate::text::{count, grouped, span};
use crate::time::Timestamp;

const NANOS: i64 = 1_000_000_000;
/// What happened longer ago than this is listed, but no longer asks for a person.
const RECENT_NANOS: i64 = 30 * 86_400 * NANOS;
/// Pending rows are ordinary while a link is down for hours.
const UNSENT_TOO_LONG_NANOS: i64 = 24 * 3_600 * NANOS;
/// Exit codes from this one on say that a run could not do its work.
const FAILED: i64 = 2;

/// Rows that wait for more than half of the time that their bucket keeps rows.
fn expiring(config: &Config, facts: &Facts, now: Timestamp) -> Vec<String> {
    let mut reasons = Vec::new();
    for status in &facts.tables {
        let Some(oldest) = status.oldest_pending else { continue };
        let Some(table) = config.table(&status.table) else { continue };
        let of_bucket = facts.retentions.iter().find(|(bucket, _)| *bucket == table.bucket);
        let Some((_, kept)) = of_bucket else { continue };
        let kept = i64::try_from(kept.as_secs()).unwrap_or(i64::MAX);
        let age = age_s(now, oldest);
        if age > kept / 2 {
            let left = span((kept - age).max(0));
            reasons.push(format!(
                "rows of table \"{}\" wait and expire in {left}: the bucket keeps rows for {}",
                status.table,
                span(kept)
            ));
        }
    }
    reasons
}

/// What a person should look at, most pressing first.
pub fn reasons(config: &Config, facts: &Facts, now: Timestamp) -> Vec<String> {
    let known = &facts.tables;
    let mut reasons = Vec::new();
    let recent = |then: Option<Timestamp>| then.is_some_and(|then| now.nanos_since(then) < RECENT_NANOS);
    for table in &config.tables {
        let Some(status) = facts.table(&table.name.0) else {
            reasons.push(format!("table \"{}\" has never been read", table.name));
            continue;
        };
        let age = status.newest.map(|newest| age_s(now, newest));
        if let (Some(limit), Some(age)) = (table.stale_after, age)
            && u64::try_from(age).is_ok_and(|age| age > limit.as_secs())
        {
            reasons.push(format!("table \"{}\" has had no new row for {}", table.name, span(age)));
        }
    }
    let pending: u64 = known.iter().map(|table| table.pending).sum();
    let last = facts.last_stored;
    if pending > 0 && last.is_some_and(|last| now.nanos_since(last) > UNSENT_TOO_LONG_NANOS) {
        let ago = last.map_or(0, |last| age_s(now, last));
        reasons.push(format!("nothing was acknowledged for {} and {} wait", span(ago), count(pending, "row")));
    }
    for (command, run) in [("ingest", &facts.last_ingest), ("sync", &facts.last_sync)] {
        if let Some(words) = run.as_ref().and_then(failure) {
            reasons.push(format!("the last {command} failed: {words}"));
        }
    }
    reasons.extend(expiring(config, facts, now));
    reasons.extend(facts.file_notes.iter().cloned());
    let refused: u64 = known.iter().map(|table| table.rejected).sum();
    if refused > 0 {
        reasons.push(format!("{} refused by the destination: see `fluxtower rejected`", count(refused, "row")));
    }
    let missing = facts
        .gaps
        .iter()
        .filter(|line| recent(Some(line.gap.after.1)))
        .map(|line| line.gap.missing.cast_unsigned())
        .sum();
    if missing > 0 {
        reasons.push(format!("{} missing: see `fluxtower gaps`", count(missing, "record")));
    }
    if recent(facts.newest_rejected_line) {
        let lines: u64 = known.iter().map(|table| table.rejected_lines).sum();
        reasons.push(format!(
            "{} no row: see `fluxtower rejected`",
            if lines == 1 { "1 line is".to_owned() } else { format!("{} lines are", grouped(lines)) }
        ));
    }
    let held: u64 = known.iter().map(|table| table.held_lines).sum();
    if held > 0 {
        reasons.push(format!(
            "{} held, more than a day ahead of this computer's clock: set the clock that is wrong, see `fluxtower rejected`",
            if held == 1 { "1 line is".to_owned() } else { format!("{} lines are", grouped(held)) }
        ));
    }
    if recent(facts.newest_conflict) {
        let conflicts: u64 = known.iter().map(|table| table.conflicts).sum();
        reasons.push(format!("{} came with two contents: see `fluxtower conflicts`", count(conflicts, "time")));
    }
    reasons
}

/// Why a run could not do its work; none where it could.
pub fn failure(run: &RunLine) -> Option<String> {
    (run.exit >= FAILED).then(|| held_words(&run.summary))
}

/// The note of a sync that was held, or the text of the error that ended it.
fn held_words(summary: &str) -> String {
    let report: Option<serde_json::Value> = serde_json::from_str(summary).ok();
    let note = report.as_ref().and_then(|report| report.get("notes")?.as_array()?.last()?.as_str());
    note.unwrap_or(summary).to_owned()
}
