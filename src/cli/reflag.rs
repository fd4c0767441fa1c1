//! `fluxtower reflag`: judges stored rows again with the present configuration.

use serde::Serialize;

use super::output::count;
use super::{CliError, Context, Exit, decisions};
use crate::agent::AgentError;
use crate::config::TableConfig;
use crate::ingest::make_now;
use crate::sync::requeue_withheld;
use crate::time::Timestamp;

/// Judge stored rows again with today's configuration
///
/// With --despike, complete blocks of days are despiked too, of columns with `despike`.
/// Derived columns are computed again too. Rows whose flags or derived values change, or with values withheld since they
/// were sent, go back to pending and are sent again. Times are station time unless they end in Z or an offset.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  fluxtower reflag --since 2026-06-01 --table 46m_met")]
pub(super) struct Args {
    /// From this time on
    #[arg(long, value_name = "TIME")]
    since: String,
    /// Up to and with this time
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
    /// Only this table
    #[arg(long, value_name = "NAME")]
    table: Option<String>,
    /// Despike complete blocks of days, of columns with `despike`
    #[arg(long)]
    despike: bool,
}

#[derive(Serialize)]
struct Changed {
    table: String,
    changed: u64,
    /// The number of blocks of days, counted for each column and series.
    despiked: u64,
    /// The number of blocks that were not judged because they have too many rows.
    not_despiked: u64,
}

#[derive(Serialize)]
struct Report {
    changed: u64,
    tables: Vec<Changed>,
}

pub(super) fn run(context: &Context, args: &Args) -> Result<Exit, CliError> {
    let store = context.store()?;
    if let Some(table) = &args.table {
        context.known_table(&store, table)?;
    }
    let since = context.instant("--since", &args.since)?;
    let until = args.until.as_deref().map(|text| context.instant("--until", text)).transpose()?;
    let span = (since, until.unwrap_or(Timestamp::MAX));
    let tables = || {
        let wanted = |table: &&TableConfig| args.table.as_ref().is_none_or(|only| *only == table.name.0);
        context.config.tables.iter().filter(wanted)
    };
    if args.despike && !tables().any(TableConfig::is_despiked) {
        return Err(CliError::NothingToDespike);
    }
    let _lock = decisions::lock(&store)?;
    let mut report = Report { changed: 0, tables: Vec::new() };
    for table in tables() {
        let judged = store.judge_again(&context.config, table, span, true)?;
        let done = if args.despike { store.despike(&context.config, table, span)? } else { None }.unwrap_or_default();
        let changed = judged + done.changed + requeue_withheld(&context.config, &store, table, span)?;
        report.changed += changed;
        let (table, despiked, not_despiked) = (table.name.0.clone(), done.blocks, done.too_many_rows);
        report.tables.push(Changed { table, changed, despiked, not_despiked });
    }
    make_now(&context.config, &store, &context.clock).map_err(AgentError::from)?;
    tracing::info!(changed = report.changed, "reflag");
    context.output.result(&report, |out| {
        for line in &report.tables {
            write!(out, "{}  {} changed", line.table, count(line.changed, "row"))?;
            if args.despike {
                write!(out, ", {} despiked", count(line.despiked, "block"))?;
            }
            if line.not_despiked > 0 {
                let not = count(line.not_despiked, "block");
                write!(out, "; {not} not, with more than 100,000 rows: despike is for averages, not for scans")?;
            }
            writeln!(out)?;
        }
        Ok(())
    })?;
    Ok(Exit::Well)
}
