//! `fluxtower decisions`, and the options of `conflicts` and `rejected` for decisions by hand.

use serde::Serialize;

use super::output::count;
use super::{CliError, Context, Exit};
use crate::agent::AgentError;
use crate::ingest::{Decided, Decider};
use crate::store::{ConflictChoice, DecisionLine, Keep, Lock, LockKind, Store};
use crate::time::Timestamp;

/// List what was decided by hand, or reverse a decision
///
/// The list has the time by this computer's clock, the command and the number of rows or lines that it changed. A decision
/// about conflicts can be reversed: each row and the content kept beside it change places again.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  fluxtower decisions\n  fluxtower decisions --reverse 3")]
pub(super) struct Args {
    /// Reverse the decision of this number
    #[arg(long, value_name = "NUMBER")]
    reverse: Option<i64>,
}

/// Which content `conflicts --keep` makes the row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum KeepArg {
    /// The content that came first
    Older,
    /// The content that came later
    Newer,
}

/// Which conflicts `conflicts --keep` decides.
#[derive(Debug, clap::Args)]
pub(super) struct KeepArgs {
    /// Make the older or the newer content of each conflict the row; the other one is kept beside it
    #[arg(long, value_name = "CONTENT")]
    keep: Option<KeepArg>,
    /// Only conflicts from this time on (station time, or ending in Z or an offset)
    #[arg(long, value_name = "TIME", requires = "keep")]
    since: Option<String>,
    /// Only conflicts up to this time
    #[arg(long, value_name = "TIME", requires = "keep")]
    until: Option<String>,
    /// Say how many rows would change, and change none
    #[arg(long, requires = "keep")]
    dry_run: bool,
}

#[derive(Serialize)]
struct Item {
    id: i64,
    at: Timestamp,
    command: String,
    count: u64,
    reversed: Option<Timestamp>,
}

impl Item {
    fn new(line: DecisionLine) -> Item {
        Item { id: line.id, at: line.at, command: line.command, count: line.count, reversed: line.reversed }
    }
}

#[derive(Serialize)]
struct List {
    decisions: Vec<Item>,
}

#[derive(Serialize)]
struct Done {
    decision: Option<i64>,
    changed: u64,
    unreadable: u64,
    confirmed: u64,
    dry_run: bool,
}

impl Done {
    fn new(decided: Decided, dry_run: bool) -> Done {
        let Decided { decision, changed, unreadable, confirmed } = decided;
        Done { decision, changed, unreadable, confirmed, dry_run }
    }
}

pub(super) fn run(context: &Context, args: &Args) -> Result<Exit, CliError> {
    let store = context.store()?;
    if let Some(id) = args.reverse {
        return reverse(context, &store, id);
    }
    let list = List { decisions: store.decisions()?.into_iter().map(Item::new).collect() };
    let clock = context.config.station.clock;
    context.output.result(&list, |out| {
        if list.decisions.is_empty() {
            return writeln!(out, "nothing was decided by hand");
        }
        for Item { id, at, command, count: changed, reversed } in &list.decisions {
            let state = reversed.map_or_else(String::new, |at| format!("  (reversed {})", clock.event_time(at)));
            writeln!(out, "{id}  {}  {command}: {changed} changed{state}", clock.event_time(*at))?;
        }
        Ok(())
    })?;
    Ok(Exit::Well)
}

/// Carries out `conflicts --keep`. None if the option is not given.
pub(super) fn keep(context: &Context, table: Option<&str>, args: &KeepArgs) -> Result<Option<Exit>, CliError> {
    let Some(which) = args.keep else { return Ok(None) };
    let instant = |option, text: &Option<String>| text.as_ref().map(|text| context.instant(option, text)).transpose();
    let since = instant("--since", &args.since)?.unwrap_or(Timestamp::MIN);
    let until = instant("--until", &args.until)?.unwrap_or(Timestamp::MAX);
    let (keep, name) = match which {
        KeepArg::Older => (Keep::Older, "older"),
        KeepArg::Newer => (Keep::Newer, "newer"),
    };
    let mut command = format!("conflicts --keep {name}");
    for (option, value) in [("--table", table), ("--since", args.since.as_deref()), ("--until", args.until.as_deref())]
    {
        if let Some(value) = value {
            command += &format!(" {option} \"{value}\"");
        }
    }
    let store = context.store()?;
    if let Some(table) = table {
        context.configured_table(table)?;
    }
    let choice = ConflictChoice::Within(keep, (since, until));
    let decider =
        Decider { config: &context.config, store: &store, clock: &context.clock, command: &command, by_hand: true };
    if args.dry_run {
        let would = decider.would_exchange(table, choice).map_err(AgentError::from)?;
        context.output.result(&Done::new(would, true), |out| {
            writeln!(out, "{} would change; nothing was changed", count(would.changed, "row"))?;
            if would.confirmed > 0 {
                let conflicts = count(would.confirmed, "conflict");
                writeln!(out, "{conflicts} would be decided without a change, because the row is what is to be kept")?;
            }
            Ok(())
        })?;
        return Ok(Some(Exit::Well));
    }
    let _lock = lock(&store)?;
    let done = decider.exchange(table, choice).map_err(AgentError::from)?;
    make_again(context, &store)?;
    tracing::info!(command, changed = done.changed, "decided by hand");
    say(context, done, "no open conflict is to be decided so: no row changed").map(Some)
}

/// Carries out `rejected --again`.
pub(super) fn judge_again(context: &Context, table: Option<&str>) -> Result<Exit, CliError> {
    let store = context.store()?;
    if let Some(table) = table {
        context.configured_table(table)?;
    }
    let command = table.map_or("rejected --again".to_owned(), |table| format!("rejected --again --table \"{table}\""));
    let _lock = lock(&store)?;
    let decider =
        Decider { config: &context.config, store: &store, clock: &context.clock, command: &command, by_hand: true };
    let done = decider.judge_rejected(table).map_err(AgentError::from)?;
    make_again(context, &store)?;
    tracing::info!(command, changed = done.changed, "decided by hand");
    context.output.result(&Done::new(done, false), |out| {
        writeln!(
            out,
            "no longer rejected: {}; still rejected, with the reasons in `fluxtower rejected`: {}",
            count(done.changed, "line"),
            count(done.unreadable, "line")
        )
    })?;
    Ok(Exit::Well)
}

fn reverse(context: &Context, store: &Store, id: i64) -> Result<Exit, CliError> {
    let decision = store.decisions()?.into_iter().find(|line| line.id == id && line.reversed.is_none());
    let decision = decision.ok_or(CliError::NoSuchDecision { id })?;
    if !decision.is_of_conflicts {
        return Err(CliError::CannotBeReversed { id, command: decision.command });
    }
    let _lock = lock(store)?;
    let command = format!("decisions --reverse {id}");
    let decider = Decider { config: &context.config, store, clock: &context.clock, command: &command, by_hand: true };
    let done = decider.exchange(None, ConflictChoice::Decided(id)).map_err(AgentError::from)?;
    make_again(context, store)?;
    tracing::info!(command, changed = done.changed, "decided by hand");
    say(context, done, "the conflicts of this decision are open again; no row changed")
}

fn say(context: &Context, done: Decided, nothing: &str) -> Result<Exit, CliError> {
    context.output.result(&Done::new(done, false), |out| {
        if done.changed + done.confirmed == 0 {
            writeln!(out, "{nothing}")?;
        }
        let number = done.decision.map_or_else(String::new, |id| format!(" (decision {id})"));
        if done.changed > 0 {
            writeln!(out, "{} changed{number} and pending again", count(done.changed, "row"))?;
        }
        if done.confirmed > 0 {
            let (conflicts, are) = (count(done.confirmed, "conflict"), if done.confirmed == 1 { "is" } else { "are" });
            writeln!(out, "{conflicts} {are} decided{number} without a change, because the row is what is to be kept")?;
        }
        if done.unreadable > 0 {
            let kept = count(done.unreadable, "conflict");
            writeln!(out, "{kept} cannot be read by today's configuration and did not change")?;
        }
        Ok(())
    })?;
    Ok(Exit::Well)
}

/// Makes the rows again that are made of changed rows.
fn make_again(context: &Context, store: &Store) -> Result<(), CliError> {
    crate::ingest::make_now(&context.config, store, &context.clock).map_err(|error| AgentError::from(error).into())
}

/// Takes the ingest lock: a concurrent ingest would change the same rows or files.
pub(super) fn lock(store: &Store) -> Result<Lock, CliError> {
    Lock::wait(store.path(), LockKind::Ingest)?.ok_or(CliError::IngestIsBusy)
}
