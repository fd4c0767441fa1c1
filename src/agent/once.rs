//! A single run, as a scheduler calls it: every file, then a sync, and beside the sync each file that changes.
//!
//! - Reading never waits for the network (I9). A sync may wait for a server until its deadline, and most schedulers start no
//!   second run meanwhile (Task Scheduler with `IgnoreNew`, a oneshot service of systemd). What LoggerNet overwrites in that
//!   time is read here, with the same looks at the files as an agent that stays up.
//! - Where the call says how often it is started, the run ends before the next start is due, unless `[sync] deadline` says
//!   otherwise.
//! - A second run beside it (cron starts one) reads too, and leaves the sending to the first.

use std::time::{Duration, Instant};

use serde::Serialize;

use super::pass::{self, Ended, Pass};
use super::reading::{Outcome, Reading, Rhythm};
use super::{Agent, AgentError, LONGEST_PAUSE, renewal, retention, schedule, telling};
use crate::ingest::{self as reader, IngestReport, Selection};
use crate::status::{self, Exit, Finding, Verdict};
use crate::sync::{Cancel, SyncError, SyncReport};

/// After the sync, a file that changed and could not be read is tried again for so long: another ingest holds its lock for
/// a moment, a virus scanner a file.
const LAST_ATTEMPTS: Duration = Duration::from_secs(5);
/// However long the reading took, sending gets this part of the time between two starts.
const LEAST_PART_TO_SEND: u32 = 5;

/// How a single run is called.
#[derive(Debug, Clone, Copy)]
pub struct Call {
    /// When it began.
    pub begun: Instant,
    /// The time from one start to the next, where the scheduler's entry says it.
    pub scheduled: Option<Duration>,
    /// From one look at the files to the next.
    pub poll: Duration,
}

/// What a run did. A part is missing where another process is at work on it.
#[derive(Debug, Default, Serialize)]
pub struct RunReport {
    /// What was read.
    pub ingest: Option<IngestReport>,
    /// What was sent.
    pub sync: Option<SyncReport>,
    /// What a user should know or act on, as `status` says it; empty where another process is at work on a part.
    pub findings: Vec<Finding>,
}

/// How a run ended.
#[derive(Debug)]
pub struct Run {
    /// What it did.
    pub report: RunReport,
    /// What a scheduler is given, unless something failed.
    pub exit: Exit,
    /// Why old rows were not deleted, or the last changes of a file not read, after everything else was done.
    pub failure: Option<AgentError>,
}

/// Reads, sends, and goes on reading while it sends.
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
            let _ends = Ends(&cancel);
            let sent = send(&agent_to_send(agent, call));
            // Files are read meanwhile. Where another sync is at work, that one tells.
            match &sent {
                Ok(Sent { synced: None, .. }) => {}
                // While another ingest is at work, the store is on its way from one state to the next.
                _ if !is_read => {}
                Ok(_) => telling::tell(&beside, call.scheduled),
                Err(error) => telling::tell_after(&beside, call.scheduled, error),
            }
            sent
        };
        (sent, reader.join())
    });
    let later = read_on.unwrap_or_else(|_| Err(SyncError::Thread.into()))?;
    let Sent { synced, retention } = sent?;

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
    // Where another process is at work, the store is on its way from one state to the next.
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

/// Ends the reading when the sending is over, even after a panic.
struct Ends<'a>(&'a Cancel);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        self.0.stop();
    }
}

/// With the time that is left for sending.
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
struct Sent {
    /// None where another sync is at work.
    synced: Option<Ended<SyncReport>>,
    /// Whether old rows could be deleted.
    retention: Result<(), AgentError>,
}

/// Everything that may wait for the network.
fn send(agent: &Agent) -> Result<Sent, AgentError> {
    let synced = pass::sync(agent, Pass::Once, &Cancel::default())?;
    Ok(Sent { synced, retention: retention::when_due(agent) })
}

/// What was read beside the sync.
#[derive(Default)]
struct Later {
    /// None if there was nothing to read.
    report: Option<IngestReport>,
    /// Why the last attempt failed, if no later one went well.
    failure: Option<AgentError>,
}

impl Later {
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

/// Reads what changes until it is stopped, and what changed by then.
fn read_on(mut reading: Reading<'_>, cancel: &Cancel) -> Result<Later, AgentError> {
    let mut later = Later::default();
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
