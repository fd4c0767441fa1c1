//! `fluxtower schedule`: makes and installs the entry by which the computer's own scheduler calls `run` regularly, or
//! starts `run --watch` with the computer.
//!
//! The text is made only from a [`Job`], by one module per kind of scheduler, so that it can be read before anything is
//! installed. Installation calls the system's own tools; if one refuses, the message says what to type by hand.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Serialize;

use super::{CliError, Context, Exit};
use crate::agent::schedule::{Starts, advice};
use job::{How, Job};

mod cron;
mod error;
mod job;
mod systemd;
mod tool;
mod windows;

pub(super) use error::ScheduleError;

/// Print the task, the timer or the cron line that runs fluxtower every few minutes, or set it up
///
/// With --watch, `run --watch` starts with the computer and is started again when it ends. The kind of scheduler is this machine's own, unless a flag says otherwise. Run it as the user that is to run the task.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  fluxtower schedule\n  fluxtower schedule --every 10m --install\n  fluxtower schedule --watch --install"
)]
pub(super) struct Args {
    /// Time from one run to the next: minutes that divide an hour, or hours that divide a day [default: 5m]
    ///
    /// With --watch, everything is read at least so often.
    #[arg(long, value_name = "DURATION", value_parser = crate::config::duration)]
    every: Option<Duration>,
    /// Start `run --watch` with the computer, and again when it ends
    #[arg(long)]
    watch: bool,
    /// A task for Windows Task Scheduler
    #[arg(long, group = "kind")]
    windows: bool,
    /// A service and a timer for systemd
    #[arg(long, group = "kind")]
    systemd: bool,
    /// A line for cron
    #[arg(long, group = "kind")]
    cron: bool,
    /// Its name; another one for each configuration on this machine
    #[arg(long, value_name = "NAME", default_value = "fluxtower")]
    name: String,
    /// Windows: the account it runs as, DOMAIN\NAME or SYSTEM; without it, yours
    #[arg(long, value_name = "ACCOUNT")]
    account: Option<String>,
    /// Set it up
    #[arg(long, conflicts_with = "remove")]
    install: bool,
    /// Take it away, whichever of the two it is
    #[arg(long)]
    remove: bool,
}

/// Which scheduler.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Windows,
    Systemd,
    Cron,
}

/// The interval between runs if none is given.
const EVERY: Duration = Duration::from_secs(300);

impl Args {
    fn how(&self) -> Result<How, ScheduleError> {
        if self.watch { Ok(How::AtBoot(self.every)) } else { How::every(self.every.unwrap_or(EVERY)) }
    }

    /// How the program will be started, for the store.
    fn starts(&self) -> Starts {
        if self.watch { Starts::StaysUp } else { Starts::Declared(self.every.unwrap_or(EVERY)) }
    }

    fn kind(&self) -> Kind {
        if self.windows {
            Kind::Windows
        } else if self.systemd {
            Kind::Systemd
        } else if self.cron {
            Kind::Cron
        } else if cfg!(windows) {
            Kind::Windows
        } else if Path::new("/run/systemd/system").is_dir() {
            // The test that sd_booted(3) documents.
            Kind::Systemd
        } else {
            Kind::Cron
        }
    }
}

#[derive(Debug, Serialize)]
struct Scheduled {
    kind: Kind,
    /// Whether the program stays up from boot on.
    watch: bool,
    text: String,
    installed: bool,
    /// Messages for users; not in JSON.
    #[serde(skip)]
    messages: Vec<String>,
}

pub(super) fn run(context: &Context, args: &Args) -> Result<Exit, CliError> {
    let program = std::env::current_exe().map_err(ScheduleError::Program)?;
    let config = std::path::absolute(&context.config.path).unwrap_or_else(|_| context.config.path.clone());
    let job = Job::new(&args.name, &program, &config, args.how()?)?;
    if let Some(advice) = advice(&context.config.sync, args.starts()).filter(|_| !args.remove) {
        tracing::warn!("{advice}");
    }
    let kind = args.kind();
    let (text, units) = match kind {
        Kind::Windows => (windows::task(&job, &windows::account(args.account.as_deref())?), Vec::new()),
        Kind::Systemd => {
            let units = systemd::units(&job)?;
            (systemd::text(&units), units)
        }
        Kind::Cron => (cron::line(&job), Vec::new()),
    };
    let messages = match (kind, args.install, args.remove) {
        (_, false, false) => Vec::new(),
        (Kind::Windows, true, _) => windows::install(&job, &text)?,
        (Kind::Windows, ..) => windows::remove(&job)?,
        (Kind::Systemd, true, _) => systemd::install(&job, &units)?,
        (Kind::Systemd, ..) => systemd::remove(&job)?,
        (Kind::Cron, true, _) => cron::install(&job, &text)?,
        (Kind::Cron, ..) => cron::remove(&job)?,
    };
    let scheduled = Scheduled { kind, watch: args.watch, text, installed: args.install, messages };
    context.output.result(&scheduled, |out| write(out, &scheduled))?;
    Ok(Exit::Well)
}

fn write(out: &mut dyn Write, scheduled: &Scheduled) -> io::Result<()> {
    if scheduled.messages.is_empty() {
        return out.write_all(scheduled.text.as_bytes());
    }
    scheduled.messages.iter().try_for_each(|message| writeln!(out, "{message}"))
}

/// A file of a schedule and its text.
type FileText = (PathBuf, String);
