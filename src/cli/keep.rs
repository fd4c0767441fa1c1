//! `[store] keep`: sent rows older than that go by themselves, once a day, at the end of a `run`.

use super::{CliError, Context};
use crate::prune::{self, Limits};
use crate::store::{Lock, LockKind};
use crate::time::Timestamp;

const DAY: i64 = 86_400 * 1_000_000_000;
/// Under this key the store remembers when it was last done.
const KEY: &str = "pruned";

/// Deletes what is due. A server that cannot be asked today is asked tomorrow: nothing goes without its word.
pub(super) fn when_due(context: &Context) -> Result<(), CliError> {
    let Some(keep) = context.config.store_keep else { return Ok(()) };
    let store = context.store()?;
    let now = context.now();
    let last = store.recall(KEY)?.and_then(|text| text.parse::<i64>().ok());
    // A last time that lies ahead was written by a clock that was wrong.
    if last.is_some_and(|last| last <= now.nanos() && now.nanos_since(Timestamp::from_nanos(last)) < DAY) {
        return Ok(());
    }
    let Some(_lock) = Lock::take(store.path(), LockKind::Sync)? else { return Ok(()) };
    store.remember(KEY, &now.nanos().to_string())?;
    let limits = Limits { dry_run: false, gives_up: true, deadline: Some(context.config.sync.deadline) };
    let pruned = context.prune(&store, prune::earliest_now(&store, now)?.before(keep), limits)?;
    if pruned.pruned > 0 || pruned.kept_unverified > 0 {
        tracing::info!(
            deleted = pruned.pruned,
            days_kept = pruned.kept_unverified,
            "pruned what was sent longer ago than [store] keep"
        );
    }
    Ok(())
}
