//! `fluxtower prune`: deletes sent rows to make room.

use std::time::Duration;

use super::output::count;
use super::{CliError, Context, Exit};
use crate::agent::retention;

const DAY: Duration = Duration::from_secs(86_400);

/// Delete rows that were sent, are older than a number of days and are seen in the bucket
///
/// Pending, rejected and expired rows are never deleted. Where the destination can be asked, a day is deleted only when all
/// of it is counted there; days that the bucket itself no longer keeps are deleted when they were sent. Days are counted
/// back from the newest row where this computer's clock runs ahead of it, and nothing is deleted while this computer's
/// clock and the server's disagree.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  fluxtower prune --older-than 365 --dry-run\n  fluxtower prune --older-than 365")]
pub(super) struct Args {
    /// Keep at least so many days
    #[arg(long, value_name = "DAYS")]
    older_than: u32,
    /// Say how many days would be looked at, and delete nothing
    #[arg(long)]
    dry_run: bool,
}

pub(super) fn run(context: &Context, args: &Args) -> Result<Exit, CliError> {
    let pruned = retention::prune(&context.agent(), DAY * args.older_than, args.dry_run)?.ok_or(CliError::AtWork)?;
    context.output.result(&pruned, |out| {
        if args.dry_run {
            return writeln!(
                out,
                "{} hold sent rows that are older; without --dry-run each is deleted if all of it is in the bucket",
                count(pruned.days, "day")
            );
        }
        writeln!(out, "deleted {} of {}", count(pruned.pruned, "row"), count(pruned.days, "day"))?;
        if pruned.kept_unverified > 0 {
            writeln!(
                out,
                "{} kept: the bucket was not seen to have all of it, see `fluxtower verify`",
                count(pruned.kept_unverified, "day")
            )?;
        }
        Ok(())
    })?;
    Ok(if pruned.kept_unverified > 0 { Exit::Look } else { Exit::Well })
}
