//! A single run, as a scheduler starts it: it reads every file, then syncs, and reads each file that changes during the
//! sync.
//!
//! - Reading never waits for the network (I9). A sync may wait for a server until its deadline, and most schedulers
//!   start no second run in that time (Task Scheduler with `IgnoreNew`, a oneshot service of systemd). What LoggerNet
//!   overwrites in that time is read here: the files are watched as a continuous agent watches them.
//! - Where the call says how often the run is started, the run ends before the next start is due, unless `[sync]
//!   deadline` says otherwise.
//! - A second run at the same time (cron starts one) reads too, and leaves the sending to the first.

use std::time::{Duration, Instant};

use serde::Serialize;

use super::pass::{self, Ended, Pass};
use super::reading::{Outcome, Reading, Rhythm};
use super::{Agent, AgentError, LONGEST_PAUSE, renewal, retention, schedule, telling};
use crate::ingest::{self as reader, IngestReport, Selection};
use crate::status::{self, Exit, Finding, Verdict};
use crate::sync::{Cancel, SyncError, SyncReport};

/// How long after the sync a changed file that could not be read is tried again: another ingest may hold the lock, or a
/// virus scanner the file, for a moment.
const LAST_ATTEMPTS: Duration = Duration::from_secs(5);
/// Sending gets at least one part in this many of the time between two starts, however long the reading took.
const LEAST_PART_TO_SEND: u32 = 5;

/// How a single run is called.
#[derive(Debug, Clone, Copy)]
pub struct Call {
    /// When the run began.
    pub begun: Instant,
    /// The time from one start to the next, where the scheduler's entry states it.
    pub scheduled: Option<Duration>,
    /// The time from one look at the files to the next.
    pub poll: Duration,
}

/// What a run did. A part is missing if another process holds its lock.
#[derive(Debug, Default, Serialize)]
pub struct RunReport {
    /// What was read.
    pub ingest: Option<IngestReport>,
    /// What was sent.
    pub sync: Option<SyncReport>,
    /// What a user should know or act on, as in `status`; empty if another process holds the lock of a part.
    pub findings: Vec<Finding>,
}

/// How a run ended.
#[derive(Debug)]
pub struct Run {
    /// What it did.
    pub report: RunReport,
    /// The exit code for the scheduler, unless something failed.
    pub exit: Exit,
    /// An error after which the rest of the run was completed: old rows were not deleted, or the last changes of a file
    /// were not read.
    pub failure: Option<AgentError>,
}

/// Reads every file, then sends, and reads changed files while it sends.
///
/// # Errors
/// The store fails, or the configuration does not fit it.
pub fn once(agent: &Agent, call: Call) -> Result<Run, AgentError> {
    let beside = agent.without_progress();
    let rhythm = Rhythm { every: LONGEST_PAUSE, poll: Some(call.poll) };
    let mut reading = Reading::beside_a_full_pass(&beside, rhythm)?;
    let first = pass::ingest(agent, Pass::Once, |store, progress| {
        reader::run(&agent.config, store, &agent.clock, &Selection::default(), progress)
    });
    let first = first.inspect_err(|error| telling::tell_after(agent, call.scheduled, error))?;
    reading.full_pass_ended(first.as_ref().map(|ended| ended.exit));
    match call.scheduled {
        Some(every) => schedule::remember(agent, schedule::Starts::Declared(every)),
        None => schedule::forget_staying_up(agent),
    }
    renewal::accept(agent);

    let is_read = first.is_some();
    let cancel = Cancel::default();
    let (sent, read_on) = std::thread::scope(|scope| {
        let reader = scope.spawn(|| read_on(reading, &cancel));
        let sent = {
            let _ends = StopOnDrop(&cancel);
            let sent = send(&agent_to_send(agent, call));
            // Files are still read here. If another sync is at work, that one notifies users.
            match &sent {
                Ok(SendResult { synced: None, .. }) => {}
                // While another ingest is at work, the store is incomplete and findings would be premature.
                _ if !is_read => {}
                Ok(_) => telling::tell(&beside, call.scheduled),
                Err(error) => telling::tell_after(&beside, call.scheduled, error),
            }
            sent
        };
        (sent, reader.join())
    });
    let later = read_on.unwrap_or_else(|_| Err(SyncError::Thread.into()))?;
    let SendResult { synced, retention } = sent?;

    let mut ingested = first.map(|ended| ended.report);
    if let Some(report) = later.report {
        match &mut ingested {
            Some(ingested) => ingested.absorb(report),
            None => ingested = Some(report),
        }
    }
    if ingested.is_none() && later.failure.is_none() {
        tracing::warn!("another ingest is running; this run leaves the files to it");
    }
    if synced.is_none() {
        tracing::warn!("another sync is running; this run leaves the sending to it");
    }
    // While another process is at work, the store is incomplete and findings would be premature.
    let findings = match (&ingested, &synced) {
        (Some(_), Some(_)) => status::judge(&agent.config, &agent.store()?, agent.now())?,
        _ => Vec::new(),
    };
    let exit = synced.as_ref().map_or(Exit::Well, |ended| ended.exit).with(Verdict::of_a_pass(&findings));
    Ok(Run {
        report: RunReport { ingest: ingested, sync: synced.map(|ended| ended.report), findings },
        exit,
        failure: retention.err().or(later.failure),
    })
}

/// Stops the reading when it is dropped: when the sending is over, even after a panic.
struct StopOnDrop<'a>(&'a Cancel);

impl Drop for StopOnDrop<'_> {
    fn drop(&mut self) {
        self.0.stop();
    }
}

/// A copy of the agent whose deadline leaves only the time until the next start for sending.
fn agent_to_send(agent: &Agent, call: Call) -> Agent {
    let mut agent = agent.clone();
    let sync = &mut agent.config.sync;
    let whole = sync.deadline_by(call.scheduled);
    sync.deadline = match call.scheduled {
        Some(every) if !sync.deadline_is_set => {
            whole.saturating_sub(call.begun.elapsed()).max(every / LEAST_PART_TO_SEND).min(whole)
        }
        _ => whole,
    };
    agent
}

/// What the sending half did.
struct SendResult {
    /// None if another sync is at work.
    synced: Option<Ended<SyncReport>>,
    /// Whether the deletion of old rows worked.
    retention: Result<(), AgentError>,
}

/// Does everything that may wait for the network.
fn send(agent: &Agent) -> Result<SendResult, AgentError> {
    let synced = pass::sync(agent, Pass::Once, &Cancel::default())?;
    Ok(SendResult { synced, retention: retention::when_due(agent) })
}

/// What was read during the sync.
#[derive(Default)]
struct ReadBeside {
    /// None if no file changed.
    report: Option<IngestReport>,
    /// The error of the last attempt, if no later attempt succeeded.
    failure: Option<AgentError>,
}

impl ReadBeside {
    fn step(&mut self, reading: &mut Reading<'_>) -> Result<(), AgentError> {
        match reading.step()?.outcome {
            Outcome::Read { report, .. } => {
                self.failure = None;
                match &mut self.report {
                    Some(known) => known.absorb(report),
                    None => self.report = Some(report),
                }
            }
            Outcome::Failed(error) => {
                tracing::warn!("{error}; trying again");
                self.failure = Some(error);
            }
            Outcome::Nothing | Outcome::Busy => {}
        }
        Ok(())
    }
}

/// Reads changed files until it is stopped, and then those that changed before the stop.
fn read_on(mut reading: Reading<'_>, cancel: &Cancel) -> Result<ReadBeside, AgentError> {
    let mut later = ReadBeside::default();
    loop {
        let goes_on = cancel.wait(reading.pause());
        later.step(&mut reading)?;
        if !goes_on {
            break;
        }
    }
    let until = Instant::now() + LAST_ATTEMPTS;
    while reading.is_behind() && Instant::now() < until {
        std::thread::sleep(reading.pause());
        later.step(&mut reading)?;
    }
    Ok(later)
}
