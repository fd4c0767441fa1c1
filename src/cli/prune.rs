//! `fluxtower prune`: makes room.

use std::time::{Duration, Instant};

use serde::Serialize;

use super::output::count;
use super::{CliError, Context, Exit};
use crate::store::{Lock, LockKind, Store};
use crate::time::{Clock, Timestamp};

const DAY: i64 = 86_400 * 1_000_000_000;

/// Delete rows that were sent, are older than a number of days and are seen in the bucket
///
/// Pending, rejected and expired rows are never deleted. Where the destination can be asked, a day is deleted only when all
/// of it is counted there; days that the bucket itself no longer keeps are deleted when they were sent.
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

#[derive(Serialize, Default)]
pub(super) struct Pruned {
    pub(super) pruned: u64,
    pub(super) kept_unverified: u64,
    pub(super) days: u64,
}

/// How far one pruning goes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    pub(super) dry_run: bool,
    /// Stops at the first day that the destination cannot be asked about.
    pub(super) gives_up: bool,
    /// Begins no day after this long.
    pub(super) deadline: Option<Duration>,
}

pub(super) fn run(context: &Context, args: &Args) -> Result<Exit, CliError> {
    let store = context.store()?;
    let Some(_lock) = Lock::take(store.path(), LockKind::Sync)? else {
        tracing::warn!("a sync is running; prune again when it has ended");
        context.output.result(&Pruned::default(), |_| Ok(()))?;
        return Ok(Exit::Well);
    };
    let cutoff = Timestamp(context.now().0.saturating_sub(i64::from(args.older_than) * DAY));
    let limits = Limits { dry_run: args.dry_run, gives_up: false, deadline: None };
    let pruned = older_than(context, &store, cutoff, limits)?;
    context.output.result(&pruned, |out| {
        if args.dry_run {
            return writeln!(out, "would look at {} and delete nothing now", count(pruned.days, "day"));
        }
        writeln!(out, "deleted {} of {}", count(pruned.pruned, "row"), count(pruned.days, "day"))?;
        if pruned.kept_unverified > 0 {
            writeln!(
                out,
                "{} kept: not all of it was counted in the bucket, see `fluxtower verify`",
                count(pruned.kept_unverified, "day")
            )?;
        }
        Ok(())
    })?;
    Ok(if pruned.kept_unverified > 0 { Exit::Look } else { Exit::Well })
}

/// Deletes rows older than `cutoff` that were sent and, where the destination can be asked, are counted there. The caller
/// holds the sync lock.
pub(super) fn older_than(
    context: &Context,
    store: &Store,
    cutoff: Timestamp,
    limits: Limits,
) -> Result<Pruned, CliError> {
    let began = Instant::now();
    let mut destination = crate::destination::open(&context.config).map_err(crate::sync::SyncError::from)?;
    let mut pruned = Pruned::default();
    for series in store.sent_series((Timestamp(0), Timestamp(cutoff.0 - 1)))? {
        let bucket = context.config.table(&series.table).and_then(|table| table.bucket.clone());
        let kept_from = destination.look(bucket.as_deref()).kept_from(context.clock.now());
        for &(first, last) in &series.intervals {
            let mut from = first.0;
            while from <= last.0 {
                if limits.deadline.is_some_and(|deadline| began.elapsed() > deadline) {
                    return Ok(pruned);
                }
                let end = ((from.div_euclid(DAY) + 1) * DAY - 1).min(last.0);
                let window = (Timestamp(from), Timestamp(end));
                pruned.days += 1;
                let gone_there = kept_from.is_some_and(|kept_from| end < kept_from.0);
                let there = if limits.dry_run || gone_there || !destination.can_be_asked() {
                    Some(true)
                } else {
                    crate::verify::is_there(&context.config, store, destination.as_mut(), &series, window)?
                };
                if there != Some(true) {
                    pruned.kept_unverified += 1;
                } else if !limits.dry_run {
                    pruned.pruned += store.prune_sent(series.series, window)?;
                }
                if there.is_none() && limits.gives_up {
                    return Ok(pruned);
                }
                from = end + 1;
            }
        }
    }
    Ok(pruned)
}
