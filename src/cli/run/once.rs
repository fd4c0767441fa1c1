//! A single run, as a scheduler calls it: every file, then a sync, and beside the sync each file that changes.
//!
//! - Reading never waits for the network (I9). A sync may wait for a server until its deadline, and most schedulers start no
//!   second run meanwhile (Task Scheduler with `IgnoreNew`, a oneshot service of systemd). What LoggerNet overwrites in that
//!   time is read here, with the same looks at the files as `run --watch`.
//! - Told how often it is started, the run ends before the next start is due, unless `[sync] deadline` says otherwise.
//! - A second run beside it (cron starts one) reads too, and leaves the sending to the first.

use std::time::{Duration, Instant};

use super::reading::{Outcome, Reading, Rhythm};
use super::{Both, CliError, Context, Exit, LONGEST_PAUSE, ingest, keep, schedule, sync};
use crate::ingest::{IngestReport, Selection};
use crate::sync::{Halt, SyncError, SyncReport};

/// After the sync, a file that changed and could not be read is tried again for so long: another ingest holds its lock for
/// a moment, a virus scanner a file.
const LAST_ATTEMPTS: Duration = Duration::from_secs(5);
/// However long the reading took, sending gets this part of the time between two starts.
const LEAST_PART_TO_SEND: u32 = 5;

/// How a single run is called.
#[derive(Debug, Clone, Copy)]
pub(super) struct Call {
    /// When it began.
    pub(super) begun: Instant,
    /// The time from one start to the next, where the scheduler's entry says it.
    pub(super) scheduled: Option<Duration>,
    /// From one look at the files to the next.
    pub(super) poll: Duration,
}

/// Reads, sends, and reads on while it sends.
pub(super) fn once(context: &Context, call: Call) -> Result<Exit, CliError> {
    // Two bars would overwrite each other.
    let beside = Context { bars: false, ..context.clone() };
    let rhythm = Rhythm { every: LONGEST_PAUSE, poll: Some(call.poll) };
    let mut reading = Reading::beside_a_full_pass(&beside, rhythm)?;
    let first = ingest::ingest(context, &Selection::default())?;
    reading.full_pass_ended(first.as_ref().map(|(_, exit)| *exit));
    if let Some(every) = call.scheduled {
        schedule::remember(context, schedule::Rhythm::Said(every));
    }

    let halt = Halt::default();
    let (sent, read_on) = std::thread::scope(|scope| {
        let reader = scope.spawn(|| read_on(reading, &halt));
        let sent = {
            let _ends = Ends(&halt);
            send(&context_to_send(context, call))
        };
        (sent, reader.join())
    });
    let later = read_on.unwrap_or_else(|_| Err(SyncError::Thread.into()))?;
    let (synced, kept) = sent?;

    let mut ingested = first.map(|(report, _)| report);
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
    let looked = ingested.as_ref().is_some_and(IngestReport::needs_a_look);
    let exit = if looked { Exit::Look } else { Exit::Well };
    let exit = exit.max(synced.as_ref().map_or(Exit::Well, |(_, exit)| *exit));
    Both { ingest: ingested, sync: synced.map(|(report, _)| report) }.print(context)?;
    kept?;
    match later.failure {
        Some(error) => Err(error),
        None => Ok(exit),
    }
}

/// Ends the reading when the sending is over, even if that came as a surprise.
struct Ends<'a>(&'a Halt);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        self.0.stop();
    }
}

/// With the time that is left for sending.
fn context_to_send(context: &Context, call: Call) -> Context {
    let mut context = context.clone();
    let sync = &mut context.config.sync;
    let whole = sync.deadline_by(call.scheduled);
    sync.deadline = match call.scheduled {
        Some(every) if !sync.deadline_is_set => {
            whole.saturating_sub(call.begun.elapsed()).max(every / LEAST_PART_TO_SEND).min(whole)
        }
        _ => whole,
    };
    context
}

/// What a sync gave, None where another one is at work; and whether old rows could be deleted.
type Sent = (Option<(SyncReport, Exit)>, Result<(), CliError>);

/// Everything that may wait for the network.
fn send(context: &Context) -> Result<Sent, CliError> {
    let synced = sync::sync(context)?;
    Ok((synced, keep::when_due(context)))
}

/// What was read beside the sync.
#[derive(Default)]
struct Later {
    /// None if there was nothing to read.
    report: Option<IngestReport>,
    /// Why the last attempt failed, if no later one went well.
    failure: Option<CliError>,
}

impl Later {
    fn step(&mut self, reading: &mut Reading<'_>) -> Result<(), CliError> {
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
fn read_on(mut reading: Reading<'_>, halt: &Halt) -> Result<Later, CliError> {
    let mut later = Later::default();
    loop {
        let goes_on = halt.wait(reading.pause());
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
