//! `fluxtower run`: ingest, then sync; once, as a scheduler calls it, or repeatedly ([`crate::agent`]).

use std::io::{self, Write};
use std::time::{Duration, Instant};

use super::{CliError, Context, Exit, ingest, signals, status, sync};
use crate::agent::{self, Call, Rhythm, RunReport};

/// Ingest, then sync: what a scheduler calls every few minutes
///
/// With --every or --watch it stays up until Ctrl-C or SIGTERM, and ends with 0. A pass that fails is reported and tried
/// again. A configuration that changes is checked and taken up; one that is wrong is reported, and the one before stays in force.
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
    /// With --watch, how often to look at files whose changes the system does not report
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

/// Writes the result of a run to stdout.
pub(super) fn write(out: &mut dyn Write, report: &RunReport) -> io::Result<()> {
    if let Some(report) = &report.ingest {
        ingest::write(out, report)?;
    }
    if let Some(report) = &report.sync {
        sync::write(out, report)?;
    }
    status::write_findings(out, report.findings.iter().filter(|finding| finding.needs_a_user()))
}

/// Writes what a continuous agent prints for a pass that began at the station time `at`.
pub(super) fn write_lines(out: &mut dyn Write, at: &str, report: &RunReport) -> io::Result<()> {
    if let Some(report) = &report.ingest {
        ingest::write_line(out, at, report)?;
    }
    match &report.sync {
        Some(report) => {
            write!(out, "{at}  ")?;
            sync::write(out, report)
        }
        None => Ok(()),
    }
}

pub(super) fn run(context: &Context, args: &Args) -> Result<Exit, CliError> {
    let begun = Instant::now();
    let agent = context.agent();
    if !args.watch && args.every.is_none() {
        let call = Call { begun, scheduled: args.scheduled, poll: args.poll };
        let run = agent::once(&agent, call)?;
        context.output.result(&run.report, |out| write(out, &run.report))?;
        return run.failure.map_or(Ok(run.exit), |error| Err(error.into()));
    }
    let rhythm = Rhythm { every: args.every.unwrap_or(agent::LONGEST_PAUSE), poll: args.watch.then_some(args.poll) };
    agent::watch(&agent, rhythm, signals::listen, |config| context.with(config).agent())?;
    Ok(Exit::Well)
}
