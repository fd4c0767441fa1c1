//! `fluxtower flag`: flags that users set by hand, which override the tests.

use serde::Serialize;

use super::output::count;
use super::{CliError, Context, Exit, decisions};
use crate::agent::AgentError;
use crate::ingest::make_now;
use crate::qc::Flag;
use crate::store::{ManualFlagLine, NewFlag};
use crate::time::Timestamp;

/// Set a flag by hand, list such flags, or take one back
///
/// The flag holds over whatever the tests say, for rows that are there and rows that come later, until it is revoked.
/// Rows whose flag changes are sent again. A missing value stays missing. Times are station time unless they end in Z
/// or an offset.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  fluxtower flag --list\n  fluxtower flag --table 46m_met --column TA --from \"2026-06-01 10:00\" --to \"2026-06-01 14:30\" --as 4 --reason \"bird on the shield\""
)]
pub(super) struct Args {
    /// The table
    #[arg(long, value_name = "NAME", required_unless_present_any = ["list", "revoke"])]
    table: Option<String>,
    /// The column, by its name in the file
    #[arg(long, value_name = "NAME", required_unless_present_any = ["list", "revoke"])]
    column: Option<String>,
    /// First time it holds for
    #[arg(long, value_name = "TIME", required_unless_present_any = ["list", "revoke"])]
    from: Option<String>,
    /// Last time it holds for
    #[arg(long, value_name = "TIME", required_unless_present_any = ["list", "revoke"])]
    to: Option<String>,
    /// 1 pass, 2 not evaluated, 3 suspect or 4 fail
    #[arg(long = "as", value_name = "FLAG", value_parser = ["1", "2", "3", "4"], required_unless_present_any = ["list", "revoke"])]
    digit: Option<String>,
    /// Why; whoever reads the data sees it
    #[arg(long, value_name = "TEXT", required_unless_present_any = ["list", "revoke"])]
    reason: Option<String>,
    /// List every flag set by hand, revoked ones too
    #[arg(long, conflicts_with_all = ["table", "column", "from", "to", "digit", "reason"])]
    list: bool,
    /// Take the flag of this number back
    #[arg(long, value_name = "NUMBER", conflicts_with_all = ["list", "table", "column", "from", "to", "digit", "reason"])]
    revoke: Option<i64>,
}

#[derive(Serialize)]
struct Item {
    id: i64,
    table: String,
    column: String,
    from: Timestamp,
    to: Timestamp,
    flag: u8,
    reason: String,
    made: Timestamp,
    revoked: Option<Timestamp>,
}

impl Item {
    fn new(line: ManualFlagLine) -> Item {
        Item {
            id: line.id,
            table: line.table,
            column: line.column,
            from: line.span.0,
            to: line.span.1,
            flag: line.flag.digit() - b'0',
            reason: line.reason,
            made: line.made,
            revoked: line.revoked,
        }
    }
}

#[derive(Serialize)]
struct List {
    flags: Vec<Item>,
}

#[derive(Serialize)]
struct Done {
    id: i64,
    /// The number of rows whose flags changed.
    changed: u64,
}

pub(super) fn run(context: &Context, args: &Args) -> Result<Exit, CliError> {
    let store = context.store()?;
    if args.list {
        let list = List { flags: store.flags_by_hand()?.into_iter().map(Item::new).collect() };
        let clock = context.config.station.clock;
        context.output.result(&list, |out| {
            if list.flags.is_empty() {
                return writeln!(out, "no flag was set by hand");
            }
            for Item { id, table, column, from, to, flag, reason, revoked, .. } in &list.flags {
                let state = revoked.map_or_else(String::new, |at| format!("  (revoked {})", clock.event_time(at)));
                writeln!(
                    out,
                    "{id}  {table}.{column}  {} to {}  flag {flag}: {reason}{state}",
                    clock.row_time(*from),
                    clock.row_time(*to)
                )?;
            }
            Ok(())
        })?;
        return Ok(Exit::Well);
    }
    // A concurrent ingest would judge rows without the new flag.
    let _lock = decisions::lock(&store)?;
    let now = context.now();
    let id = match args.revoke {
        Some(id) => {
            let in_force = store.flags_by_hand()?.into_iter().find(|line| line.id == id && line.revoked.is_none());
            let line = in_force.ok_or(CliError::NoSuchFlag { id })?;
            // This is checked before anything changes, because otherwise the flag's rows could not be judged.
            context.configured_table(&line.table)?;
            store.revoke_flag(id, now)?;
            id
        }
        None => set(context, &store, args, now)?,
    };
    let changed = store.judge_flagged(&context.config)?;
    make_now(&context.config, &store, &context.clock).map_err(AgentError::from)?;
    tracing::info!(id, changed, "flag by hand");
    let done = Done { id, changed };
    context.output.result(&done, |out| {
        let word = if args.revoke.is_some() { "revoked" } else { "set" };
        writeln!(out, "flag {id} {word}; {} changed", count(changed, "row"))
    })?;
    Ok(Exit::Well)
}

fn set(context: &Context, store: &crate::store::Store, args: &Args, now: Timestamp) -> Result<i64, CliError> {
    // clap has ensured that they are given.
    let text = |option: &Option<String>| option.clone().unwrap_or_default();
    let (table, column, reason) = (text(&args.table), text(&args.column), text(&args.reason));
    // Without the table's configuration, the flag's rows could not be judged.
    context.configured_table(&table)?;
    let known = store.column_names(&table)?;
    if !known.contains(&column) {
        return Err(CliError::UnknownColumn { name: column, known: known.join(", ") });
    }
    let span = (context.instant("--from", &text(&args.from))?, context.instant("--to", &text(&args.to))?);
    if span.1 < span.0 {
        return Err(CliError::UpsideDown { begin: "--from", end: "--to", from: text(&args.from), to: text(&args.to) });
    }
    if reason.trim().is_empty() {
        return Err(CliError::NoReason);
    }
    let flag = text(&args.digit).bytes().next().and_then(Flag::from_digit).unwrap_or(Flag::NotEvaluated);
    let new = NewFlag { table: &table, column: &column, span, flag, reason: &reason };
    Ok(store.set_flag(&new, now)?)
}
