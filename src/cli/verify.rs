//! `fluxtower verify`: reads rows back from the bucket and compares them.

use std::time::Duration;

use super::output::{count, grouped};
use super::{CliError, Context, Exit};
use crate::store::{Lock, LockKind};
use crate::time::Timestamp;
use crate::verify::Scope;

/// The default of `--since`, the last week: the time in which a server may still have lost rows after a crash.
const WEEK: Duration = Duration::from_secs(7 * 86_400);

/// Read what was sent back out of the bucket, and list what is missing or changed
///
/// Needs a token that may read. Exit code 1 when something is missing, changed or could not be asked.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  fluxtower verify\n  fluxtower verify --since 2025-06-01 --table soil_30min --requeue"
)]
pub(super) struct Args {
    /// From this time on; without it, the last seven days
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Up to and with this time
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
    /// Only this table
    #[arg(long, value_name = "NAME")]
    table: Option<String>,
    /// Put what is missing or changed back to pending
    #[arg(long)]
    requeue: bool,
}

pub(super) fn run(context: &Context, args: &Args) -> Result<Exit, CliError> {
    let store = context.store()?;
    if let Some(table) = &args.table {
        context.known_table(&store, table)?;
    }
    // Held until the end: a concurrent sync would send the rows that are put back.
    let lock = if args.requeue { Some(Lock::take(store.path(), LockKind::Sync)?) } else { None };
    if matches!(lock, Some(None)) {
        return Err(CliError::AtWork);
    }
    let since = args.since.as_deref().map(|text| context.instant("--since", text)).transpose()?;
    let until = args.until.as_deref().map(|text| context.instant("--until", text)).transpose()?;
    let scope = Scope {
        since: since.unwrap_or(context.now().before(WEEK)),
        until: until.unwrap_or(Timestamp::MAX),
        table: args.table.as_deref(),
        requeue: args.requeue,
        now: context.now(),
    };
    let mut destination = crate::destination::open(&context.config).map_err(crate::sync::SyncError::from)?;
    if !destination.can_be_asked() {
        return Err(CliError::NothingToAsk);
    }
    let report = crate::verify::run(&context.config, &store, destination.as_mut(), scope)?;
    context.output.result(&report, |out| {
        writeln!(out, "compared {}", count(report.windows, "window"))?;
        for lack in &report.list {
            let at = format!("{}  {} to {}", lack.table, lack.from, lack.until);
            if lack.found == lack.sent {
                let field = &lack.field;
                writeln!(out, "{at}: the bucket holds values of {field} at times of rows that have none to send")?;
                continue;
            }
            writeln!(
                out,
                "{at}: {} of {} values of {} are in the bucket as they were sent",
                grouped(lack.found),
                grouped(lack.sent),
                lack.field
            )?;
        }
        if report.unknown > 0 {
            writeln!(out, "{} could not be compared", count(report.unknown, "window"))?;
        }
        for note in &report.notes {
            writeln!(out, "  ! {note}")?;
        }
        let wrong = format!("{} missing, {} changed", count(report.missing, "row"), count(report.changed, "row"));
        match (report.missing + report.changed, report.requeued) {
            (0, _) if report.windows == 0 => writeln!(out, "nothing was sent in that time"),
            (0, _) if report.unknown == 0 => {
                writeln!(
                    out,
                    "everything that was sent is there, by the number of values and their sum in each field and day"
                )
            }
            (0, _) => Ok(()),
            (_, 0) => writeln!(out, "{wrong}; `fluxtower verify --requeue` sends them again"),
            (_, requeued) => writeln!(out, "{wrong}, {} pending again", count(requeued, "row")),
        }
    })?;
    drop(lock);
    Ok(match (report.refused, report.missing + report.changed + report.unknown) {
        (true, _) => Exit::Refused,
        (false, 0) => Exit::Well,
        (false, _) => Exit::Look,
    })
}
