//! The first screen: whether data arrives, whether it is right, and whether it was sent.
//!
//! The store is read once for each revision of it. What that means is concluded again for each request, so that ages
//! are right although nothing has changed. A store that cannot be read gives an answer too: the verdict says why.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::Serialize;

use super::Millis;
use crate::config::Config;
use crate::status::{Facts, Finding, Rule, SOON_S, Verdict, age_s, failure, findings};
use crate::store::TableStatus;
use crate::time::Timestamp;
use crate::view::serve::readers::{Database, Readers};

mod alive;
mod right;

use alive::Alive;
use right::Right;

/// The first screen.
#[derive(Debug, Serialize)]
pub struct Status {
    now: Millis,
    revision: u64,
    verdict: String,
    /// The verdict in one word: `ok`, `note`, `unknown` or `look`.
    state: &'static str,
    is_well: bool,
    reasons: Vec<String>,
    findings: Vec<Finding>,
    tables: Vec<Table>,
    sync: Sync,
}

#[derive(Debug, Serialize)]
struct Table {
    name: String,
    rows: u64,
    newest: Option<Millis>,
    age_s: Option<i64>,
    interval_s: Option<f64>,
    alive: Alive,
    right: Right,
    sent: Sent,
    conflicts: u64,
    rejected_lines: u64,
    held_lines: u64,
    gaps: u64,
    records_missing: u64,
}

/// A light and the text beside it.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Sent {
    state: &'static str,
    why: String,
    pending: u64,
    oldest_pending: Option<Millis>,
    sent: u64,
    rejected: u64,
    expired: u64,
}

#[derive(Debug, Default, Serialize)]
struct Sync {
    last_ingest: Option<Millis>,
    last_sync: Option<Millis>,
    last_acknowledged: Option<Millis>,
    pending_bytes: u64,
    drain_s: Option<u64>,
    last_failure: Option<String>,
}

/// A station in a list of several.
#[derive(Debug, Serialize)]
pub struct StationLine {
    /// The station's name; that of the configuration file if no configuration was valid yet.
    name: String,
    /// The path of the station's page; null if there is nothing to show yet.
    path: Option<String>,
    state: &'static str,
    /// Why the present content of the configuration file is not in force.
    configuration_error: Option<String>,
    /// The first of the findings, which is the most severe.
    worst: Option<String>,
    /// The number of findings.
    findings: usize,
    newest: Option<Millis>,
    pending: u64,
    #[serde(skip)]
    rank: Verdict,
}

impl StationLine {
    /// The line of a configuration that was never valid.
    pub(in crate::view::serve) fn unreadable(file: String, why: String) -> StationLine {
        let (path, newest, rank) = (None, None, Verdict::Well);
        let line = StationLine {
            name: file,
            path,
            state: rank.name(),
            configuration_error: None,
            worst: None,
            findings: 0,
            newest,
            pending: 0,
            rank,
        };
        line.refused(why)
    }

    /// Adds that a changed configuration was refused, which is more severe than any finding.
    pub(in crate::view::serve) fn refused(mut self, why: String) -> StationLine {
        self.rank = Verdict::Look;
        self.state = self.rank.name();
        self.findings += 1;
        self.worst = Some(why.clone());
        self.configuration_error = Some(why);
        self
    }

    /// The sort key: the worst verdict comes first, and an invalid configuration before it, because its station may be
    /// in any state.
    pub(in crate::view::serve) fn rank(&self) -> std::cmp::Reverse<(bool, u8)> {
        std::cmp::Reverse((self.configuration_error.is_some(), self.rank as u8))
    }
}

impl Status {
    /// The station's line in a list of several stations.
    pub(in crate::view::serve) fn line(&self, name: &str, path: String) -> StationLine {
        StationLine {
            name: name.to_owned(),
            path: Some(path),
            state: self.state,
            configuration_error: None,
            worst: self.reasons.first().cloned(),
            findings: self.findings.len(),
            newest: self.tables.iter().filter_map(|table| table.newest).max_by_key(|newest| newest.0),
            pending: self.tables.iter().map(|table| table.sent.pending).sum(),
            rank: Verdict::of(&self.findings),
        }
    }
}

/// The content of the store at one revision.
#[derive(Debug, Default)]
struct Seen {
    facts: Facts,
    tables: Vec<SeenTable>,
    /// Why the store could not be read.
    failure: Option<String>,
}

/// The state of a configured table.
#[derive(Debug)]
struct SeenTable {
    name: String,
    right: Right,
}

/// The last reading of the store, with its revision.
#[derive(Debug, Default)]
pub struct Kept(Mutex<Option<(u64, Arc<Seen>)>>);

impl Kept {
    /// The status as of `now`.
    pub(super) fn answer(&self, config: &Config, readers: &Readers, revision: u64, now: Timestamp) -> Status {
        // Concurrent requests wait for this reading and do not repeat it.
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let seen = match &*kept {
            Some((of, seen)) if *of == revision && seen.failure.is_none() => Arc::clone(seen),
            _ => {
                let seen = Arc::new(see(config, readers, now));
                *kept = Some((revision, Arc::clone(&seen)));
                seen
            }
        };
        drop(kept);
        say(config, &seen, revision, now)
    }
}

fn see(config: &Config, readers: &Readers, now: Timestamp) -> Seen {
    let read = readers.with(|database| {
        let Some(Database { store, summaries, .. }) = database else { return Ok(Seen::default()) };
        let mut facts = Facts::read(config, store, now)?;
        let mut tables = Vec::new();
        for table in &config.tables {
            let name = table.name.0.clone();
            let right = right::of(table, store, summaries)?;
            if right.is_bad() {
                facts.wrong_values.push((name.clone(), right.why.clone()));
            }
            tables.push(SeenTable { name, right });
        }
        Ok(Seen { facts, tables, failure: None })
    });
    read.unwrap_or_else(|error| Seen { failure: Some(error.to_string()), ..Seen::default() })
}

fn say(config: &Config, seen: &Seen, revision: u64, now: Timestamp) -> Status {
    let facts = &seen.facts;
    let findings = match &seen.failure {
        Some(failure) => vec![Finding::store_unreadable(failure.clone())],
        None => findings(config, facts, now),
    };
    let verdict = Verdict::of(&findings);
    let never = |name: &str| TableStatus {
        table: name.to_owned(),
        rows: 0,
        pending: 0,
        sent: 0,
        rejected: 0,
        expired: 0,
        conflicts: 0,
        open_conflicts: 0,
        open_conflict_times: 0,
        rejected_lines: 0,
        held_lines: 0,
        held_samples: 0,
        gaps: 0,
        records_missing: 0,
        newest: None,
        oldest_pending: None,
    };
    let tables: Vec<Table> = config
        .tables
        .iter()
        .map(|table| {
            let name = &table.name.0;
            let kept = facts.table(name).cloned().unwrap_or_else(|| never(name));
            let judged = seen.tables.iter().find(|seen| seen.name == *name);
            let interval = facts.interval(name);
            let rule = Rule::of(table, interval);
            let lateness = rule.judge(kept.newest, now);
            Table {
                name: name.clone(),
                rows: kept.rows,
                newest: kept.newest.map(Millis),
                age_s: kept.newest.map(|newest| age_s(now, newest)),
                interval_s: interval.as_ref().map(Duration::as_secs_f64),
                alive: alive::of(rule, lateness, kept.newest, now),
                right: judged.map_or_else(Right::none, |seen| seen.right.clone().judged_at(lateness)),
                sent: sent(&kept, facts, now),
                conflicts: kept.conflicts,
                rejected_lines: kept.rejected_lines,
                held_lines: kept.held_lines,
                gaps: kept.gaps,
                records_missing: kept.records_missing,
            }
        })
        .collect();
    let ended = |run: &Option<crate::store::RunLine>| run.as_ref().map(|run| Millis(run.ended));
    let failures = [("sync", &facts.last_sync), ("ingest", &facts.last_ingest)];
    let mut failures = failures.into_iter().filter_map(|(command, run)| {
        run.as_ref().and_then(failure).map(|text| format!("the last {command} failed: {text}"))
    });
    Status {
        now: Millis(now),
        revision,
        verdict: verdict.line(&findings),
        state: verdict.name(),
        is_well: verdict == Verdict::Well,
        tables,
        sync: Sync {
            last_ingest: ended(&facts.last_ingest),
            last_sync: ended(&facts.last_sync),
            last_acknowledged: facts.last_stored.map(Millis),
            pending_bytes: facts.pending_bytes.bytes,
            drain_s: facts.pending_bytes.drain.map(|drain| drain.as_secs()),
            last_failure: failures.next(),
        },
        reasons: findings.iter().map(Finding::text).collect(),
        findings,
    }
}

fn sent(table: &TableStatus, facts: &Facts, now: Timestamp) -> Sent {
    use crate::text::{count, span};
    let silent = facts.last_stored.map(|last| age_s(now, last));
    let rows = count(table.pending, "row");
    let are = if table.pending == 1 { "is" } else { "are" };
    let (state, mut why) = match (table.rows, table.pending, table.oldest_pending) {
        (0, ..) => ("none", "there is no row yet".to_owned()),
        (_, 0, _) if table.rejected + table.expired > 0 => ("partial", "nothing is pending".to_owned()),
        (_, 0, _) => ("good", "nothing is pending".to_owned()),
        (_, _, Some(oldest)) if age_s(now, oldest) <= SOON_S => {
            let state = if table.rejected + table.expired > 0 { "partial" } else { "good" };
            (state, format!("{rows} {are} pending, the oldest for {}", span(age_s(now, oldest))))
        }
        _ => match silent {
            Some(silent) if facts.is_silent_too_long(now) => {
                ("stuck", format!("{rows} {are} pending, and nothing was acknowledged for {}", span(silent)))
            }
            Some(silent) => ("waiting", format!("{rows} {are} pending, the last answer came {} ago", span(silent))),
            None => ("waiting", format!("{rows} {are} pending, and nothing was ever sent")),
        },
    };
    if table.rejected > 0 {
        why = format!("{why}; {} refused by the destination", count(table.rejected, "row"));
    }
    if table.expired > 0 {
        why = format!("{why}; {} expired before they were sent", count(table.expired, "row"));
    }
    Sent {
        state,
        why,
        pending: table.pending,
        oldest_pending: table.oldest_pending.map(Millis),
        sent: table.sent,
        rejected: table.rejected,
        expired: table.expired,
    }
}
