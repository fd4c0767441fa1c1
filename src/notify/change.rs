//! What is to be reported: the list of findings against what was reported.

use std::collections::BTreeMap;

use super::message::Body;
use crate::config::{Config, NotifyConfig, NotifyFrom};
use crate::status::{Finding, Kind, Severity};
use crate::store::{FindingsChange, NewNotice, Notice, NoticeEvent, StandingFinding};
use crate::time::Timestamp;

/// What the store knows.
pub(super) struct Known {
    /// Findings that were reported, or are to be, and stand.
    pub(super) standing: Vec<StandingFinding>,
    /// Messages that no receiver has got, oldest first.
    pub(super) unsent: Vec<Notice>,
}

/// Tells one finding from others as long as it stands: its message has ages and counts in it, which change.
fn key(finding: &Finding) -> String {
    let table = finding.table.as_deref().unwrap_or_default();
    format!("{}\t{table}\t{}", finding.kind.name(), finding.about)
}

/// What changes, and what is to be reported about it.
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
    for standing in &known.standing {
        match found.remove(&standing.key) {
            Some(finding) => {
                let is_wanted = finding.severity >= least;
                if let Some(later) = stands(notify, (standing, finding), known, now) {
                    if later.is_due && is_wanted {
                        change.notices.push(notice(&later.standing, NoticeEvent::Stands));
                    }
                    change.stand.push(later.standing);
                }
            }
            None => absent(config, findings, standing, &mut change),
        }
    }
    // In the order of the list: the most pressing first.
    for finding in reported().filter(|finding| finding.severity >= least) {
        let key = key(finding);
        if found.remove(&key).is_none() {
            continue;
        }
        let body = appeared(&key, finding, known, now, &mut change);
        let standing = StandingFinding { key, body: body.text(), appeared: now, reported: now };
        change.notices.push(notice(&standing, NoticeEvent::Appeared));
        change.stand.push(standing);
    }
    change
}

fn notice(standing: &StandingFinding, event: NoticeEvent) -> NewNotice {
    NewNotice { key: standing.key.clone(), event, body: standing.body.clone() }
}

/// A finding that stands, where something about it is to be kept.
struct Later {
    standing: StandingFinding,
    is_due: bool,
}

fn stands(
    notify: &NotifyConfig,
    (standing, finding): (&StandingFinding, &Finding),
    known: &Known,
    now: Timestamp,
) -> Option<Later> {
    if standing.reported > now || standing.appeared > now {
        // The clock was ahead when it was reported. To go by that would be silence until then, and to tell it now a message at
        // each jump: the time until the next message begins again.
        let (reported, appeared) = (standing.reported.min(now), standing.appeared.min(now));
        return Some(Later { standing: StandingFinding { reported, appeared, ..standing.clone() }, is_due: false });
    }
    let again = notify.again.filter(|_| !finding.is_history)?;
    if now < standing.reported.after(again) || known.unsent.iter().any(|notice| notice.key == standing.key) {
        return None;
    }
    let body = Body::of(finding, standing.appeared).text();
    Some(Later { standing: StandingFinding { body, reported: now, ..standing.clone() }, is_due: true })
}

/// A finding that is found no more.
fn absent(config: &Config, findings: &[Finding], standing: &StandingFinding, change: &mut FindingsChange) {
    let body = Body::read(&standing.body);
    let kind = body.as_ref().and_then(|body| Kind::ALL.iter().copied().find(|kind| kind.name() == body.kind));
    let (Some(body), Some(kind)) = (body, kind) else {
        change.gone.push(standing.key.clone());
        return;
    };
    let is_open =
        |other: &Finding| other.kind.leaves_open(kind) && (other.table == body.table || other.table.is_none());
    if findings.iter().any(is_open) {
        return;
    }
    change.gone.push(standing.key.clone());
    // Of a table that is not read any more nothing is known.
    let is_configured = body.table.as_ref().is_none_or(|table| config.table(table).is_some());
    if is_configured && !body.is_history && !kind.is_unknown() {
        change.notices.push(notice(standing, NoticeEvent::Cleared));
    }
}

/// A new finding. Where it came and went before and no receiver has got a message, one message says it all.
fn appeared(key: &str, finding: &Finding, known: &Known, now: Timestamp, change: &mut FindingsChange) -> Body {
    let mut body = Body::of(finding, now);
    let own = || known.unsent.iter().filter(|notice| notice.key == key);
    let first = own().find(|notice| notice.event == NoticeEvent::Appeared).and_then(|notice| Body::read(&notice.body));
    if let Some(first) = first
        && own().next_back().is_some_and(|notice| notice.event == NoticeEvent::Cleared)
    {
        body.came_and_went = first.came_and_went + 1;
        body.first = Some(first.first.unwrap_or(first.appeared));
        change.replaced.extend(own().map(|notice| notice.id));
    }
    body
}
