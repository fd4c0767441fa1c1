//! `fluxtower flags`: lists which values were flagged, by which test, and why.

mod summary;

use std::time::Duration;

use serde::Serialize;

use super::{CliError, Context, Exit};
use crate::qc::Test;
use crate::time::Timestamp;

/// The default period: a week.
const WEEK: Duration = Duration::from_secs(7 * 86_400);

/// List flagged values with the test that raised each flag and its limit
///
/// Without --since: the last seven days. With --summary: how many values of each column have which flag, what each test
/// costs in values, and which tests could not judge. Times are station time unless they end in Z or an offset.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  fluxtower flags --summary\n  fluxtower flags --table 46m_met --since 2026-06-01 --column TA"
)]
pub(super) struct Args {
    /// Only this table
    #[arg(long, value_name = "NAME")]
    table: Option<String>,
    /// Only this column, by its name in the file
    #[arg(long, value_name = "NAME")]
    column: Option<String>,
    /// Only findings of this test, such as spike or flat_line
    #[arg(long, value_name = "NAME")]
    test: Option<String>,
    /// From this time on
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Up to and with this time
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
    /// Show at most so many findings
    #[arg(long, default_value_t = 1_000, value_name = "N")]
    limit: usize,
    /// Count instead of listing
    #[arg(long)]
    summary: bool,
}

#[derive(Serialize)]
struct Item {
    table: String,
    tags: Vec<String>,
    time: Timestamp,
    column: String,
    value: serde_json::Value,
    /// The flag of the value, from all tests.
    flag: u8,
    test: &'static str,
    /// The flag that this test raised.
    raised: u8,
    detail: String,
}

#[derive(Serialize)]
struct List {
    findings: Vec<Item>,
    /// Whether there are more findings than `--limit`.
    more: bool,
}

pub(super) fn run(context: &Context, args: &Args) -> Result<Exit, CliError> {
    let store = context.store()?;
    if let Some(table) = &args.table {
        context.known_table(&store, table)?;
    }
    if let Some(test) = &args.test
        && Test::from_name(test).is_none()
    {
        return Err(CliError::UnknownTest { name: test.clone(), known: Test::names().collect::<Vec<_>>().join(", ") });
    }
    let span = (
        match &args.since {
            Some(text) => context.instant("--since", text)?,
            None => context.now().before(WEEK),
        },
        args.until.as_deref().map(|text| context.instant("--until", text)).transpose()?.unwrap_or(Timestamp::MAX),
    );
    let tables: Vec<String> = match &args.table {
        Some(table) => vec![table.clone()],
        None => store.table_status()?.into_iter().map(|table| table.table).collect(),
    };
    if let Some(column) = &args.column {
        let mut known = Vec::new();
        for table in &tables {
            known.extend(store.column_names(table)?);
        }
        if !known.contains(column) {
            return Err(CliError::UnknownColumn { name: column.clone(), known: known.join(", ") });
        }
    }
    if args.summary {
        summary::print(context, &store, args, &tables, span)
    } else {
        list(context, &store, args, &tables, span)
    }
}

fn is_wanted(args: &Args, column: &str, test: Test) -> bool {
    args.column.as_ref().is_none_or(|wanted| wanted == column)
        && args.test.as_ref().is_none_or(|wanted| wanted == test.name())
}

fn list(
    context: &Context,
    store: &crate::store::Store,
    args: &Args,
    tables: &[String],
    span: (Timestamp, Timestamp),
) -> Result<Exit, CliError> {
    let mut list = List { findings: Vec::new(), more: false };
    for table in tables {
        let names = store.column_names(table)?;
        store.judged_rows(table, span, true, |row| {
            let values: Vec<serde_json::Value> = serde_json::from_str(&row.values).unwrap_or_default();
            for finding in row.findings {
                let Some(column) = names.get(finding.place).filter(|name| is_wanted(args, name, finding.test)) else {
                    continue;
                };
                if list.findings.len() == args.limit {
                    list.more = true;
                    return false;
                }
                list.findings.push(Item {
                    table: table.clone(),
                    tags: row.tags.clone(),
                    time: row.ts,
                    column: column.clone(),
                    value: values.get(finding.place).cloned().unwrap_or_default(),
                    flag: row.flags.as_bytes().get(finding.place).map_or(0, |digit| digit.wrapping_sub(b'0')),
                    test: finding.test.name(),
                    raised: finding.flag.digit() - b'0',
                    detail: finding.detail,
                });
            }
            true
        })?;
    }
    let clock = context.config.station.clock;
    context.output.result(&list, |out| {
        if list.findings.is_empty() {
            return writeln!(out, "nothing was flagged");
        }
        for item in &list.findings {
            let tags = if item.tags.is_empty() { String::new() } else { format!(" {}", item.tags.join(" ")) };
            let Item { table, time, column, value, raised, test, detail, .. } = item;
            let time = clock.row_time(*time);
            writeln!(out, "{table}{tags}  {time}  {column} = {value}  flag {raised} by {test}: {detail}")?;
        }
        if list.more {
            writeln!(out, "and more: narrow it with --since, --until, --column or --test, or raise --limit")?;
        }
        Ok(())
    })?;
    Ok(Exit::Well)
}
