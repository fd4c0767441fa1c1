//! `fluxtower replay`: puts rows back to pending.

use serde::Serialize;

use super::output::count;
use super::{CliError, Context, Exit, in_order};
use crate::store::{Replay, State};
use crate::sync::compare_lines;

/// Put rows back to pending, to be sent again after a bucket was lost
///
/// Sending a row again overwrites the same point with the same values. Times are station time unless they end in Z or an
/// offset.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  fluxtower replay --since 2025-06-01 --dry-run\n  fluxtower replay --since \"2025-06-20 12:00\" --until 2025-06-21 --table soil_30min\n  fluxtower replay --rejected"
)]
pub(super) struct Args {
    /// From this time on
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Up to and with this time
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
    /// Only this table
    #[arg(long, value_name = "NAME")]
    table: Option<String>,
    /// Only rows that the destination refused
    #[arg(long)]
    rejected: bool,
    /// Only rows that were older than the bucket kept them
    #[arg(long)]
    expired: bool,
    /// Say how many rows it would be, and change nothing
    #[arg(long)]
    dry_run: bool,
}

#[derive(Serialize)]
struct Requeued {
    requeued: u64,
}

pub(super) fn run(context: &Context, args: &Args) -> Result<Exit, CliError> {
    if args.since.is_none() && !args.rejected && !args.expired {
        return Err(CliError::ReplayWhat);
    }
    let store = context.store()?;
    if let Some(table) = &args.table {
        context.known_table(&store, table)?;
    }
    let states = match (args.rejected, args.expired) {
        (false, false) => vec![State::Sent, State::Rejected, State::Expired],
        (rejected, expired) => {
            let chosen = [(rejected, State::Rejected), (expired, State::Expired)];
            chosen.into_iter().filter(|(wanted, _)| *wanted).map(|(_, state)| state).collect()
        }
    };
    let since = args.since.as_deref().map(|text| context.instant("--since", text)).transpose()?;
    let until = args.until.as_deref().map(|text| context.instant("--until", text)).transpose()?;
    in_order((since, until), (&args.since, &args.until))?;
    let replay = Replay { since, until, table: args.table.clone(), states };
    if !args.dry_run {
        // A point with more fields than its row now sends is removed before the row is sent again.
        compare_lines(&context.config, &store, args.table.as_deref())?;
    }
    let requeued = Requeued { requeued: store.replay(&replay, args.dry_run)? };
    tracing::info!(requeued = requeued.requeued, dry_run = args.dry_run, "replay");
    context.output.result(&requeued, |out| {
        let rows = count(requeued.requeued, "row");
        if args.dry_run {
            writeln!(out, "{rows} would be pending again")
        } else {
            writeln!(out, "{rows} pending again")
        }
    })?;
    Ok(Exit::Well)
}
