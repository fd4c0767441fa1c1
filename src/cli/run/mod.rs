//! `fluxtower run`: ingest, then sync. Once, as a scheduler calls it, or again and again ([`stay`]).

use std::time::{Duration, Instant};

use serde::Serialize;

use super::{CliError, Context, Exit, ingest, keep, schedule, sync};
use crate::ingest::IngestReport;
use crate::store::Store;
use crate::sync::SyncReport;
use crate::time::Timestamp;

mod once;
mod reading;
mod sending;
mod stay;
mod told;

/// With `--watch` alone, everything is read at least so often: what a look at size and time cannot see, and last lines
/// whose time has come, wait no longer.
const LONGEST_PAUSE: Duration = Duration::from_secs(120);

/// Ingest, then sync: what a scheduler calls every few minutes
///
/// With --every or --watch it stays up until Ctrl-C or SIGTERM, and ends with 0. A pass that fails is reported and tried
/// again. The configuration is read at the start only: start it anew after a change.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  fluxtower run\n  fluxtower run --watch\n  fluxtower run --quiet --config C:\\fluxtower\\config.toml"
)]
pub(super) struct Args {
    /// Stay up, and begin again each time this has passed, for example 5m
    #[arg(long, value_name = "DURATION", value_parser = every)]
    every: Option<Duration>,
    /// Stay up, read a file as soon as it changes and send its rows at once
    ///
    /// Everything is read at least every two minutes, or as --every says.
    #[arg(long)]
    watch: bool,
    /// With --watch, how often to look whether a file has changed
    #[arg(long, value_name = "DURATION", value_parser = poll, requires = "watch", default_value = "250ms")]
    poll: Duration,
    /// For a scheduler's entry: how often it starts this; a run then ends before the next start
    ///
    /// It begins no request after four fifths of it, and after four minutes at the latest; [sync] deadline in the
    /// configuration overrides that. Files that change are read until it ends.
    #[arg(long, value_name = "DURATION", value_parser = scheduled, conflicts_with_all = ["every", "watch"])]
    scheduled: Option<Duration>,
}

fn every(text: &str) -> Result<Duration, String> {
    let every = crate::config::duration(text)?;
    if every < Duration::from_secs(1) { Err("is too often; write \"1s\" or more".to_owned()) } else { Ok(every) }
}

fn scheduled(text: &str) -> Result<Duration, String> {
    let scheduled = crate::config::duration(text)?;
    if scheduled.is_zero() { Err("is no time at all; write \"1m\" or more".to_owned()) } else { Ok(scheduled) }
}

fn poll(text: &str) -> Result<Duration, String> {
    let poll = crate::config::duration(text)?;
    if poll < Duration::from_millis(10) { Err("is too often; write \"10ms\" or more".to_owned()) } else { Ok(poll) }
}

/// Which pass it is, for what is written down of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pass {
    /// The only one of this process.
    Once,
    /// One of many.
    OneOf {
        /// How the one before ended.
        before: Exit,
        /// Whether one is to be written down again, although nothing changed.
        is_due: bool,
    },
}

impl Pass {
    /// Whether the store keeps a line about it. Passes may be a second apart, for years.
    pub(super) fn is_kept(self, exit: Exit) -> bool {
        match self {
            Pass::Once => true,
            Pass::OneOf { before, is_due } => is_due || before != exit,
        }
    }
}

/// Why a pass failed, written down where the store still can be told: a database that takes no row takes no line about
/// it either, and the error itself is what counts.
pub(super) fn failed(
    context: &Context,
    store: &Store,
    command: &str,
    started: Timestamp,
    error: impl Into<CliError>,
) -> CliError {
    let error = error.into();
    if let Err(also) = store.log_run(command, started, context.now(), error.exit() as u8, &error.to_string()) {
        tracing::debug!("{command} failed and the store does not know: {also}");
    }
    error
}

/// What a pass prints.
#[derive(Debug, Default, Serialize)]
struct Both {
    ingest: Option<IngestReport>,
    sync: Option<SyncReport>,
}

impl Both {
    fn print(&self, context: &Context) -> Result<(), CliError> {
        context.output.result(self, |out| {
            if let Some(report) = &self.ingest {
                ingest::write(out, report)?;
            }
            match &self.sync {
                Some(report) => sync::write(out, report),
                None => Ok(()),
            }
        })
    }
}

pub(super) fn run(context: &Context, args: &Args) -> Result<Exit, CliError> {
    let begun = Instant::now();
    match (args.watch, args.every) {
        (false, None) => once::once(context, once::Call { begun, scheduled: args.scheduled, poll: args.poll }),
        (false, Some(every)) => stay::stay(context, reading::Rhythm { every, poll: None }),
        (true, every) => {
            stay::stay(context, reading::Rhythm { every: every.unwrap_or(LONGEST_PAUSE), poll: Some(args.poll) })
        }
    }
}
