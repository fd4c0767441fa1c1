//! One pass under its lock: an ingest or a sync, and the record of it that the store keeps.

use serde::Serialize;

use super::{Agent, AgentError};
use crate::ingest::{self as reader, Counts, IngestError, IngestReport};
use crate::status::{self, Exit};
use crate::store::{Lock, LockKind, Store};
use crate::sync::{self as sender, Cancel, Sync, SyncReport};
use crate::time::Timestamp;

/// Which kind of pass it is. It decides whether the store keeps a record of the pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pass {
    /// The only pass of this process.
    Once,
    /// One pass of many.
    OneOf {
        /// How the pass before ended.
        before: Exit,
        /// Whether a record is due, although nothing changed.
        is_due: bool,
    },
}

impl Pass {
    /// Whether the store keeps a record of this pass. Passes may be a second apart, for years.
    fn is_kept(self, exit: Exit) -> bool {
        match self {
            Pass::Once => true,
            Pass::OneOf { before, is_due } => is_due || before != exit,
        }
    }
}

/// What a pass did, and its exit code.
#[derive(Debug)]
pub struct Ended<R> {
    /// What it did.
    pub report: R,
    /// The exit code for a scheduler.
    pub exit: Exit,
}

/// What the store keeps of an ingest.
#[derive(Serialize)]
struct Summary {
    #[serde(flatten)]
    totals: Counts,
    /// Notes on the pass. Notes on a file are kept with the file.
    notes: Vec<String>,
}

/// Progress that only reports that the agent is alive, for each piece that is read.
struct AliveProgress<'a>(&'a Agent);

impl reader::Progress for AliveProgress<'_> {
    fn file(&self, _path: &std::path::Path, _bytes: u64) {
        self.0.events.is_alive();
    }

    fn advance(&self, _bytes: u64) {
        self.0.events.is_alive();
    }

    fn moved(&self, _steps: u64) {
        self.0.events.is_alive();
    }
}

/// Runs one ingest under its lock. None if another ingest holds the lock.
///
/// # Errors
/// The store fails, or the configuration does not fit it. The error is kept in the store where that can be written.
pub fn ingest(
    agent: &Agent,
    pass: Pass,
    work: impl FnOnce(&Store, &dyn reader::Progress) -> Result<IngestReport, IngestError>,
) -> Result<Option<Ended<IngestReport>>, AgentError> {
    let read = |store: &Store| {
        if agent.shows_progress {
            work(store, agent.events.of_reading().as_ref())
        } else {
            work(store, &AliveProgress(agent))
        }
    };
    let concluded = |store: &Store, report: &IngestReport| {
        store.tidy_log()?;
        status::note_first_ingest(store, agent.now())?;
        status::offset::keep(&agent.config, store, report)?;
        let totals = report.totals();
        if pass == Pass::Once || totals.staged + totals.extended + totals.conflicts + totals.rejected > 0 {
            tracing::info!(
                staged = totals.staged,
                duplicates = totals.duplicates,
                extended = totals.extended,
                conflicts = totals.conflicts,
                rejected = totals.rejected,
                held = totals.held,
                deferred = totals.deferred,
                "ingest done"
            );
        }
        Ok((status::of_ingest(report.needs_a_look()), Summary { totals, notes: report.notes_beside_files() }))
    };
    under_lock(agent, (pass, LockKind::Ingest), read, concluded)
}

/// Runs one sync under its lock. None if another sync holds the lock.
///
/// # Errors
/// The store fails, or the destination cannot be used as it is configured. The error is kept in the store if that can
/// be written.
pub fn sync(agent: &Agent, pass: Pass, cancel: &Cancel) -> Result<Option<Ended<SyncReport>>, AgentError> {
    let send = |store: &Store| {
        let open = || crate::destination::open(&agent.config);
        let judge = |report: &SyncReport| status::judge_during(&agent.config, store, report, agent.now());
        let (config, clock, progress) = (&agent.config, &agent.clock, &sender::Unseen);
        let sync = Sync { config, store, clock, progress, cancel, judge: &judge };
        if agent.shows_progress {
            let progress = agent.events.of_sending();
            sender::run_until(&Sync { progress: progress.as_ref(), ..sync }, open)
        } else {
            sender::run_until(&sync, open)
        }
    };
    let concluded = |store: &Store, report: &SyncReport| {
        if pass == Pass::Once || report.sent + report.rejected + report.expired > 0 {
            tracing::info!(
                sent = report.sent,
                rejected = report.rejected,
                expired = report.expired,
                pending = report.pending,
                requests = report.requests,
                stopped_by = ?report.stopped_by,
                "sync done"
            );
        }
        let now = agent.now();
        Ok((status::of_sync(report, store.last_stored_by(now)?, now), report.clone()))
    };
    under_lock(agent, (pass, LockKind::Sync), send, concluded)
}

/// The frame of every pass: takes the lock, calls `work`, and keeps a record with the exit code and the summary that
/// `concluded` returns, or with the error.
fn under_lock<R, S: Serialize, E: Into<AgentError>>(
    agent: &Agent,
    (pass, kind): (Pass, LockKind),
    work: impl FnOnce(&Store) -> Result<R, E>,
    concluded: impl FnOnce(&Store, &R) -> Result<(Exit, S), AgentError>,
) -> Result<Option<Ended<R>>, AgentError> {
    let store = agent.store()?;
    let Some(_lock) = Lock::take(store.path(), kind)? else { return Ok(None) };
    let command = match kind {
        LockKind::Ingest => "ingest",
        LockKind::Sync => "sync",
        LockKind::Notify => "notify",
    };
    let started = agent.now();
    let report = work(&store).map_err(|error| failed(agent, &store, command, started, error))?;
    let (exit, summary) = concluded(&store, &report)?;
    if pass.is_kept(exit) {
        let summary = serde_json::to_string(&summary).unwrap_or_default();
        store.log_run(command, started, agent.now(), exit as u8, &summary)?;
    }
    Ok(Some(Ended { report, exit }))
}

/// Keeps the error of a failed pass, if the store can still be written: a database that takes no row takes no record
/// about it either, and then only the returned error counts. A database that another program holds is not waited for a
/// second time.
fn failed(agent: &Agent, store: &Store, command: &str, started: Timestamp, error: impl Into<AgentError>) -> AgentError {
    let error = error.into();
    if error.is_locked() {
        return error;
    }
    if let Err(also) = store.log_run(command, started, agent.now(), error.exit() as u8, &error.to_string()) {
        tracing::debug!("{command} failed and the store cannot keep why: {also}");
    }
    error
}
