//! Decides what is to be reported by comparing the list of findings with what was reported before.

use std::collections::BTreeMap;
use std::time::Duration;

use super::message::Body;
use crate::config::{Config, NotifyConfig, NotifyFrom};
use crate::status::{Finding, Kind, Severity};
use crate::store::{FindingsChange, NewNotice, Notice, NoticeEvent, StandingFinding};
use crate::time::Timestamp;

/// A finding that cleared longer ago than this counts as a new one when it returns.
const DAY: Duration = Duration::from_secs(86_400);
/// A finding that appears more often than this, each time within a day of the previous time, is reported once a day.
const MOST_COMINGS: u32 = 3;

/// What the store has.
pub(super) struct Known {
    /// Findings that were reported, or are to be reported, and are still there or cleared within the last day.
    pub(super) standing: Vec<StandingFinding>,
    /// Messages that no receiver has got yet, oldest first.
    pub(super) unsent: Vec<Notice>,
}

/// The key that identifies a finding while it is there. Its message cannot be used, because ages and counts in it
/// change.
fn key(finding: &Finding) -> String {
    // The table in this finding is that of the newest file, which changes with each collection.
    let is_of_all_tables = finding.kind == Kind::ClocksDisagree;
    let table = finding.table.as_deref().filter(|_| !is_of_all_tables).unwrap_or_default();
    format!("{}\t{table}\t{}", finding.kind.name(), finding.about)
}

/// Determines what changes, and what is to be reported about it.
pub(super) fn of(
    config: &Config,
    notify: &NotifyConfig,
    findings: &[Finding],
    known: &Known,
    now: Timestamp,
) -> FindingsChange {
    let least = match notify.from {
        NotifyFrom::Warning => Severity::Warning,
        NotifyFrom::Problem => Severity::Problem,
    };
    let reported = || findings.iter().filter(|finding| finding.kind != Kind::NotifyFailed);
    let mut found: BTreeMap<String, &Finding> = BTreeMap::new();
    for finding in reported() {
        found.entry(key(finding)).or_insert(finding);
    }
    let mut change = FindingsChange::default();
    let mut before: BTreeMap<&str, &StandingFinding> = BTreeMap::new();
    for standing in &known.standing {
        match (standing.gone, found.get(&standing.key)) {
            (Some(_), Some(_)) => drop(before.insert(&standing.key, standing)),
            (Some(gone), None) => stays_away(standing, gone, now, &mut change),
            (None, Some(finding)) => {
                if let Some(later) = stands(notify, (standing, finding), known, now) {
                    if later.is_due && finding.severity >= least {
                        change.notices.push(notice(&later.standing, NoticeEvent::Stands, now));
                    }
                    change.kept.push(later.standing);
                }
                found.remove(&standing.key);
            }
            (None, None) => absent(config, findings, standing, now, &mut change),
        }
    }
    // In the order of the list: the most severe finding first.
    for finding in reported().filter(|finding| finding.severity >= least) {
        let key = key(finding);
        if found.remove(&key).is_some() {
            let is_of_today = |before: &&StandingFinding| before.gone.is_some_and(|gone| now < gone.after(DAY));
            let before = before.get(key.as_str()).copied().filter(is_of_today);
            let appeared = appeared(key, finding, before, known, now);
            if appeared.later.is_due {
                change.notices.push(notice(&appeared.later.standing, NoticeEvent::Appeared, now));
            }
            change.replaced.extend(appeared.replaced);
            change.kept.push(appeared.later.standing);
        }
    }
    change
}

fn notice(standing: &StandingFinding, event: NoticeEvent, at: Timestamp) -> NewNotice {
    NewNotice { key: standing.key.clone(), event, at, body: standing.body.clone() }
}

/// What to store and report about a finding that is still there.
struct Standing {
    standing: StandingFinding,
    is_due: bool,
}

fn stands(
    notify: &NotifyConfig,
    (standing, finding): (&StandingFinding, &Finding),
    known: &Known,
    now: Timestamp,
) -> Option<Standing> {
    if standing.reported > now || standing.appeared > now {
        // The clock was ahead when the finding was reported. With this time nothing would be reported until then, and a
        // report now would repeat at each clock change, so the time until the next message starts again.
        let (reported, appeared) = (standing.reported.min(now), standing.appeared.min(now));
        return Some(Standing { standing: StandingFinding { reported, appeared, ..standing.clone() }, is_due: false });
    }
    // It was not reported when it last appeared, and the message before said that the next one follows in a day.
    let is_promised = comes_and_goes(standing) && standing.reported < standing.appeared;
    let again = if is_promised { DAY } else { notify.again.filter(|_| !finding.is_history)? };
    if now < standing.reported.after(again) || known.unsent.iter().any(|notice| notice.key == standing.key) {
        return None;
    }
    let body = Body::of(finding, standing.appeared).text();
    Some(Standing { standing: StandingFinding { body, reported: now, ..standing.clone() }, is_due: true })
}

/// Whether the finding comes and goes: each time it lasted less than a day, and it appeared so often within a day of
/// the previous time that it is reported once a day.
fn comes_and_goes(standing: &StandingFinding) -> bool {
    standing.comings > MOST_COMINGS
}

/// Handles a finding that is no longer found.
fn absent(
    config: &Config,
    findings: &[Finding],
    standing: &StandingFinding,
    now: Timestamp,
    change: &mut FindingsChange,
) {
    let body = Body::read(&standing.body);
    let kind = body.as_ref().and_then(Body::kind);
    let (Some(body), Some(kind)) = (body, kind) else {
        change.forgotten.push(standing.key.clone());
        return;
    };
    let is_open =
        |other: &Finding| other.kind.leaves_open(kind) && (other.table == body.table || other.table.is_none());
    if findings.iter().any(is_open) {
        return;
    }
    // Nothing is known about a table that is no longer read.
    if body.table.as_ref().is_some_and(|table| config.table(table).is_none()) {
        change.forgotten.push(standing.key.clone());
        return;
    }
    let mut gone = StandingFinding { gone: Some(now), ..standing.clone() };
    if now >= standing.appeared.after(DAY) {
        gone.comings = 1;
    }
    if !body.is_history && is_seen_to_clear(kind) && !comes_and_goes(&gone) {
        change.notices.push(notice(standing, NoticeEvent::Cleared, now));
    }
    change.kept.push(gone);
}

/// Whether a finding of this kind has cleared if it is no longer found. Some notes are in the report of one pass only,
/// and a failed pass has no report.
fn is_seen_to_clear(kind: Kind) -> bool {
    !kind.is_unknown() && kind != Kind::Reported
}

/// Handles a finding that cleared before and has not returned.
fn stays_away(standing: &StandingFinding, gone: Timestamp, now: Timestamp, change: &mut FindingsChange) {
    if gone > now {
        // The time was set by a clock that was ahead.
        change.kept.push(StandingFinding { gone: Some(now), ..standing.clone() });
    } else if now >= gone.after(DAY) {
        change.forgotten.push(standing.key.clone());
        // It was not reported when it last cleared.
        let clears = |body: Body| !body.is_history && body.kind().is_some_and(is_seen_to_clear);
        if comes_and_goes(standing) && Body::read(&standing.body).is_some_and(clears) {
            change.notices.push(notice(standing, NoticeEvent::Cleared, gone));
        }
    }
}

/// What to store and report about a new finding.
struct NewFinding {
    later: Standing,
    /// Messages that its new message replaces.
    replaced: Vec<i64>,
}

/// Handles a new finding, or one that has returned. If it came and went before any receiver got a message, a single
/// message reports all of it.
fn appeared(
    key: String,
    finding: &Finding,
    before: Option<&StandingFinding>,
    known: &Known,
    now: Timestamp,
) -> NewFinding {
    let mut body = Body::of(finding, now);
    let own = || known.unsent.iter().filter(|notice| notice.key == key);
    let first = own().find(|notice| notice.event == NoticeEvent::Appeared).and_then(|notice| Body::read(&notice.body));
    let comings = before.map_or(0, |before| before.comings);
    let mut replaced = Vec::new();
    let comings = if let Some(first) = first
        && own().next_back().is_some_and(|notice| notice.event == NoticeEvent::Cleared)
    {
        body.came_and_went = first.came_and_went + 1;
        body.first = Some(first.first.unwrap_or(first.appeared));
        replaced.extend(own().map(|notice| notice.id));
        comings.max(1)
    } else {
        comings.saturating_add(1)
    };
    let mut standing = StandingFinding { key, body: String::new(), appeared: now, reported: now, gone: None, comings };
    body.comes_and_goes = comes_and_goes(&standing);
    standing.body = body.text();
    let is_due = match before.filter(|_| comings > MOST_COMINGS + 1) {
        Some(before) if before.reported <= now && now < before.reported.after(DAY) => {
            standing.reported = before.reported;
            false
        }
        _ => true,
    };
    NewFinding { later: Standing { standing, is_due }, replaced }
}
