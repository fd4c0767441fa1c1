//! `fluxtower rejected`: lists rejected lines, and rows that the destination refuses.

use serde::Serialize;

use super::output::grouped;
use super::{CliError, Context, Exit};
use crate::text::shortened;

/// Characters of a line that are printed: damaged bytes can make one of megabytes.
const MOST_CHARS: usize = 200;

/// List rejected lines and rows, with their text and the reason
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  fluxtower rejected --table 46m_par --limit 10")]
pub(super) struct Args {
    /// Only this table
    #[arg(long, value_name = "NAME")]
    table: Option<String>,
    /// Show at most so many, newest first
    #[arg(long, default_value_t = 100, value_name = "N")]
    limit: usize,
    /// Judge the rejected lines again now; those that are rows by the present configuration are staged
    #[arg(long)]
    again: bool,
}

#[derive(Serialize)]
struct Item {
    table: String,
    kind: &'static str,
    place: String,
    reason: String,
    raw: String,
}

#[derive(Serialize)]
struct List {
    rejected: Vec<Item>,
}

pub(super) fn run(context: &Context, args: &Args) -> Result<Exit, CliError> {
    if args.again {
        return super::decisions::judge_again(context, args.table.as_deref());
    }
    let store = context.store()?;
    if let Some(table) = &args.table {
        context.known_table(&store, table)?;
    }
    let rejected = store
        .rejected(args.table.as_deref(), args.limit)?
        .into_iter()
        .map(|line| Item { table: line.table, kind: line.kind, place: line.place, reason: line.reason, raw: line.raw })
        .collect();
    let list = List { rejected };
    context.output.result(&list, |out| {
        if list.rejected.is_empty() {
            return writeln!(out, "nothing was rejected");
        }
        for item in &list.rejected {
            writeln!(out, "{}  {}\n    {}\n    {}", item.table, item.place, item.reason, excerpt(&item.raw))?;
        }
        Ok(())
    })?;
    Ok(Exit::Well)
}

/// A line, or its beginning, with how much there is and how to get it.
fn excerpt(raw: &str) -> String {
    let shown = shortened(raw, MOST_CHARS);
    if shown == raw {
        return shown;
    }
    format!("{shown} ({} bytes; `--json` prints them all)", grouped(raw.len() as u64))
}
