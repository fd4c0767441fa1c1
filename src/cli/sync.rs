//! `fluxtower sync`: sends rows from the store to the destination.

use std::io::{self, Write};

use serde::Serialize;

use super::output::{bytes, count};
use super::{CliError, Context, Exit, status};
use crate::agent::{self, Ended, Pass};
use crate::status::{Finding, Verdict};
use crate::sync::{Cancel, DryRun, StoppedBy, SyncReport};

/// Send pending rows to the destination, newest first, within budget and deadline
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  fluxtower sync\n  fluxtower sync --dry-run\n  fluxtower sync --dry-run --print")]
pub(super) struct Args {
    /// Say what would be sent, and send nothing
    #[arg(long)]
    dry_run: bool,
    /// With --dry-run, print the line protocol that would be sent, and the summary on stderr
    #[arg(long, requires = "dry_run")]
    print: bool,
}

pub(super) fn run(context: &Context, args: &Args) -> Result<Exit, CliError> {
    if args.print {
        return print(context);
    }
    if args.dry_run {
        let dry = crate::sync::dry_run(&context.config, &context.store()?, &context.clock)?;
        context.output.result(&dry, |out| write_dry(out, &dry))?;
        return Ok(Exit::Well);
    }
    let agent = context.agent();
    let synced =
        agent::sync(&agent, Pass::Once, &Cancel::default()).inspect_err(|error| agent::tell_after(&agent, None, error));
    let Some(Ended { report, exit }) = synced? else {
        tracing::warn!("another sync is running; this one leaves the work to it");
        let done = Done { report: SyncReport::already_running(), findings: Vec::new() };
        context.output.result(&done, |_| Ok(()))?;
        return Ok(Exit::Well);
    };
    agent::tell(&agent, None);
    let findings = crate::status::judge(&context.config, &context.store()?, context.now())?;
    let exit = exit.with(Verdict::of_a_pass(&findings));
    let done = Done { report, findings };
    context.output.result(&done, |out| {
        write(out, &done.report)?;
        status::write_findings(out, done.findings.iter().filter(|finding| finding.needs_a_user()))
    })?;
    Ok(exit)
}

/// The report of a sync, with the findings after it.
#[derive(Serialize)]
struct Done {
    #[serde(flatten)]
    report: SyncReport,
    findings: Vec<Finding>,
}

/// Prints the lines to stdout, byte by byte as they would be sent, and messages about them to stderr. Lines contain no
/// control characters ([`crate::line`]), so they are safe on a terminal.
fn print(context: &Context) -> Result<Exit, CliError> {
    if context.output.is_json() {
        return Err(CliError::PrintsLines);
    }
    let mut stdout = io::BufWriter::new(io::stdout().lock());
    let mut written = Ok(());
    let dry = crate::sync::dry_run_with(&context.config, &context.store()?, &context.clock, |lines| {
        written = stdout.write_all(lines);
        written.is_ok()
    })?;
    written.and_then(|()| stdout.flush())?;
    if !context.output.is_quiet() {
        // A closed stderr does not affect the lines on stdout.
        let _ = write_dry(&mut crate::text::Visible::new(io::stderr(), None), &dry);
    }
    Ok(Exit::Well)
}

pub(super) fn write(out: &mut dyn Write, report: &SyncReport) -> io::Result<()> {
    writeln!(
        out,
        "sent {} in {} ({} of line protocol, {} on the wire)",
        count(report.sent, "row"),
        count(report.requests, "request"),
        bytes(report.bytes),
        bytes(report.wire_bytes)
    )?;
    for (number, word) in [
        (report.rejected, "refused by the destination: see `fluxtower rejected`"),
        (report.expired, "older than the bucket keeps rows"),
    ] {
        if number > 0 {
            writeln!(out, "{} {word}", count(number, "row"))?;
        }
    }
    let why = match report.stopped_by {
        StoppedBy::Done => None,
        StoppedBy::Deadline => Some("the time of this run was used up"),
        StoppedBy::Budget => Some("the byte budget of five minutes was used up"),
        StoppedBy::Unreachable if report.left_alone.is_some() => {
            Some("the destination asked to be left alone for a while")
        }
        StoppedBy::Unreachable => Some("the destination cannot be reached or is not ready"),
        StoppedBy::Held => Some("the destination or a bucket refuses us; its rows stay pending until a user has acted"),
        StoppedBy::Refusals => Some("many rows of a table were refused"),
        StoppedBy::AlreadyRunning => Some("another sync is at work"),
        StoppedBy::Interrupted => Some("newer rows go first, or the program was asked to end"),
    };
    if let Some(why) = why {
        writeln!(out, "stopped: {why}")?;
    } else if report.sent + report.rejected == 0 && report.requests > 0 {
        writeln!(out, "no row was due; the requests carried the agent's own health and expected bands")?;
    }
    for note in &report.notes {
        writeln!(out, "  ! {note}")?;
    }
    if report.pending > 0 {
        writeln!(out, "{} pending", count(report.pending, "row"))?;
    }
    Ok(())
}

fn write_dry(out: &mut dyn Write, dry: &DryRun) -> io::Result<()> {
    writeln!(
        out,
        "would send {} in {} ({} of line protocol)",
        count(dry.rows, "row"),
        count(dry.requests, "request"),
        bytes(dry.bytes)
    )?;
    for note in &dry.notes {
        writeln!(out, "  ! {note}")?;
    }
    Ok(())
}
