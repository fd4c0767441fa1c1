//! The first screen: is it alive, is it right, has it been sent.
//!
//! What the store says is read once for each revision of it, and what that means is said anew for each question, so that
//! an age is right while nothing happens. A store that cannot be read is an answer as well: the verdict says why.

use std::sync::{Arc, Mutex, PoisonError};

use serde::Serialize;

use super::Millis;
use crate::config::Config;
use crate::status::{Facts, age_s, failure, reasons, verdict};
use crate::store::TableStatus;
use crate::time::Timestamp;
use crate::view::serve::readers::{Database, Readers};

mod alive;
mod right;

use alive::Alive;
use right::Right;

const DAY_S: i64 = 86_400;
/// Rows are sent by the next sync; two of the usual ones are this long.
const SOON_S: i64 = 900;

/// The first screen.
#[derive(Debug, Serialize)]
pub struct Status {
    now: Millis,
    revision: u64,
    verdict: String,
    is_well: bool,
    reasons: Vec<String>,
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

impl Table {
    /// What the command does not say: it keeps to limits that were configured, and the page also knows how often rows come
    /// and what became of them. A headline of "all well" over a red light would be believed.
    fn more_reasons(&self, has_limit: bool) -> impl Iterator<Item = String> {
        let dead = (self.alive.state == "dead" && !has_limit).then_some(&self.alive.why);
        let wrong = (self.right.state == "bad").then_some(&self.right.why);
        dead.into_iter().chain(wrong).map(|why| format!("table \"{}\": {why}", self.name))
    }
}

/// How a light is coloured, and in which words.
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

/// What the store said at one revision.
#[derive(Debug, Default)]
struct Seen {
    facts: Facts,
    tables: Vec<SeenTable>,
    /// Why it could not be read.
    trouble: Option<String>,
}

/// Of a configured table.
#[derive(Debug)]
struct SeenTable {
    name: String,
    /// Usual distance of rows.
    interval_s: Option<f64>,
    right: Right,
}

/// The last reading of the store.
#[derive(Debug, Default)]
pub struct Kept(Mutex<Option<(u64, Arc<Seen>)>>);

impl Kept {
    /// The status as of `now`.
    pub(super) fn answer(&self, config: &Config, readers: &Readers, revision: u64, now: Timestamp) -> Status {
        // Whoever asks meanwhile waits for this reading and does not repeat it.
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let seen = match &*kept {
            Some((of, seen)) if *of == revision && seen.trouble.is_none() => Arc::clone(seen),
            _ => {
                let seen = Arc::new(see(config, readers));
                *kept = Some((revision, Arc::clone(&seen)));
                seen
            }
        };
        drop(kept);
        say(config, &seen, revision, now)
    }
}

fn see(config: &Config, readers: &Readers) -> Seen {
    let read = readers.with(|database| {
        let Some(Database { store, summaries, .. }) = database else { return Ok(Seen::default()) };
        let facts = Facts::read(config, store)?;
        let mut tables = Vec::new();
        for table in &config.tables {
            tables.push(SeenTable {
                name: table.name.0.clone(),
                interval_s: summaries.interval(store, &table.name.0)?,
                right: right::of(table, store, summaries)?,
            });
        }
        Ok(Seen { facts, tables, trouble: None })
    });
    read.unwrap_or_else(|error| Seen { trouble: Some(error.to_string()), ..Seen::default() })
}

fn say(config: &Config, seen: &Seen, revision: u64, now: Timestamp) -> Status {
    let facts = &seen.facts;
    let mut reasons = match &seen.trouble {
        Some(trouble) => vec![trouble.clone()],
        None => reasons(config, facts, now),
    };
    let never = |name: &str| TableStatus {
        table: name.to_owned(),
        rows: 0,
        pending: 0,
        sent: 0,
        rejected: 0,
        expired: 0,
        conflicts: 0,
        rejected_lines: 0,
        held_lines: 0,
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
            let interval_s = judged.and_then(|seen| seen.interval_s);
            Table {
                name: name.clone(),
                rows: kept.rows,
                newest: kept.newest.map(Millis),
                age_s: kept.newest.map(|newest| age_s(now, newest)),
                interval_s,
                alive: alive::of(table.stale_after, interval_s, kept.newest, now),
                right: judged.map_or_else(Right::none, |seen| seen.right.clone()),
                sent: sent(&kept, facts.last_stored, now),
                conflicts: kept.conflicts,
                rejected_lines: kept.rejected_lines,
                held_lines: kept.held_lines,
                gaps: kept.gaps,
                records_missing: kept.records_missing,
            }
        })
        .collect();
    for (table, config) in tables.iter().zip(&config.tables) {
        reasons.extend(table.more_reasons(config.stale_after.is_some()));
    }
    let ended = |run: &Option<crate::store::RunLine>| run.as_ref().map(|run| Millis(run.ended));
    let failures = [("sync", &facts.last_sync), ("ingest", &facts.last_ingest)];
    let mut failures = failures.into_iter().filter_map(|(command, run)| {
        run.as_ref().and_then(failure).map(|words| format!("the last {command} failed: {words}"))
    });
    Status {
        now: Millis(now),
        revision,
        verdict: verdict(&reasons),
        is_well: reasons.is_empty(),
        tables,
        sync: Sync {
            last_ingest: ended(&facts.last_ingest),
            last_sync: ended(&facts.last_sync),
            last_acknowledged: facts.last_stored.map(Millis),
            pending_bytes: facts.waiting.bytes,
            drain_s: facts.waiting.drain.map(|drain| drain.as_secs()),
            last_failure: failures.next(),
        },
        reasons,
    }
}

fn sent(table: &TableStatus, last_stored: Option<Timestamp>, now: Timestamp) -> Sent {
    use crate::text::{count, span};
    let silent = last_stored.map(|last| age_s(now, last));
    let rows = count(table.pending, "row");
    let (state, mut why) = match (table.rows, table.pending, table.oldest_pending) {
        (0, ..) => ("none", "there is no row yet".to_owned()),
        (_, 0, _) => ("good", "nothing waits".to_owned()),
        (_, _, Some(oldest)) if age_s(now, oldest) <= SOON_S => {
            ("good", format!("{rows} wait, the oldest for {}", span(age_s(now, oldest))))
        }
        _ => match silent {
            Some(silent) if silent > DAY_S => {
                ("stuck", format!("{rows} wait, and nothing was acknowledged for {}", span(silent)))
            }
            Some(silent) => ("waiting", format!("{rows} wait, the last answer came {} ago", span(silent))),
            None => ("waiting", format!("{rows} wait, and nothing was ever sent")),
        },
    };
    if table.rejected > 0 {
        why = format!("{why}; {} refused by the destination", count(table.rejected, "row"));
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
