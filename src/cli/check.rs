//! `fluxtower check`: prints one line for each part that is checked, with what to do.

use std::io::{self, Write};

use serde::Serialize;

mod database;
mod destination;
mod files;
mod notify;

use super::output::{Colour, coloured, count, span};
use super::{CliError, Context, Exit};
use crate::agent::schedule::{self, Starts};
use crate::config::TableConfig;
use crate::qc;
use crate::status::{self, Facts, Kind};
use crate::store::Store;

/// The longest usual time between runs: LoggerNet overwrites its files with each collection, which is at least hourly.
/// If the schedule states a longer interval, two of its intervals are allowed.
const RUNS_AT_LEAST_EVERY_S: i64 = 2 * 3_600;

/// Check configuration, files, database and destination; print one line for each, with what to do
///
/// Sends no row. With --notify it sends a test message to the webhook and by mail. Exit code 1 when something should be looked at, 3 when the destination refuses us, as `run` would say.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  fluxtower check\n  fluxtower check --notify")]
pub(super) struct Args {
    /// Send a test message to every receiver that [notify] names
    #[arg(long)]
    notify: bool,
}

#[derive(Serialize)]
struct Line {
    what: String,
    /// `ok`; `note` for a limitation that the user has chosen; `look` or `bad`.
    verdict: &'static str,
    #[serde(rename = "words")]
    text: String,
}

#[derive(Serialize, Default)]
struct Report {
    checks: Vec<Line>,
}

impl Report {
    fn say(&mut self, what: &str, verdict: &'static str, text: String) {
        self.checks.push(Line { what: what.to_owned(), verdict, text });
    }
}

pub(super) fn run(context: &Context, args: &Args) -> Result<Exit, CliError> {
    let mut report = Report::default();
    let config = &context.config;
    report.say(
        "configuration",
        "ok",
        format!("{}, {}", config.path.display(), count(config.tables.len() as u64, "table")),
    );
    let store = context.store()?;
    database::lines(&store, &mut report);
    let mut old = Vec::new();
    for table in &config.tables {
        if files::lines(context, table, &mut report) {
            old.push(table.name.0.as_str());
        }
        width(context, table, &store, &mut report)?;
        // Messages about the source's columns apply to made columns too.
        if table.made_of.is_none() {
            quality(context, table, &store, &mut report)?;
        }
    }
    files::shared(config, &mut report);
    let stopped = destination::lines(context, &store, &mut report)?;
    starts(context, &store, &mut report)?;
    notify::lines(context, &store, args.notify, &mut report)?;
    findings(context, &store, &old, &mut report)?;
    context.output.result(&report, |out| write(out, &report))?;
    let is_well = report.checks.iter().all(|line| matches!(line.verdict, "ok" | "note"));
    Ok(stopped.max(if is_well { Exit::Well } else { Exit::Look }))
}

fn width(context: &Context, table: &TableConfig, store: &Store, report: &mut Report) -> Result<(), CliError> {
    let columns_of = |name: &str| store.column_names(name);
    let Some(most) = crate::sync::most_columns(&context.config, table, columns_of)? else { return Ok(()) };
    let columns = store.column_names(&table.name.0)?;
    let what = format!("table {}", table.name);
    match crate::line::LineShape::within(Some(most), table, &columns, &[], &|_| false) {
        Ok(shape) if shape.measurements().count() > 1 => {
            let names = shape
                .measurements()
                .map(|(name, fields)| format!("{name} ({fields} fields)"))
                .collect::<Vec<_>>()
                .join(", ");
            report.say(
                &what,
                "ok",
                format!("wider than the {most} columns that it may have in a measurement there: goes to {names}"),
            );
        }
        Err(error) if !columns.is_empty() => report.say(&what, "bad", error.to_string()),
        _ => {}
    }
    Ok(())
}

/// Checks whether the configured tests run on the columns that they are meant for.
fn quality(context: &Context, table: &TableConfig, store: &Store, report: &mut Report) -> Result<(), CliError> {
    let columns = store.columns_of(&table.name.0)?;
    if columns.is_empty() {
        return Ok(());
    }
    let known: Vec<_> = columns.iter().map(crate::store::Column::known).collect();
    let what = format!("table {}", table.name);
    let spec = context.config.spec(table);
    for text in qc::unknown_columns(&spec, &known).into_iter().chain(qc::without_position(&spec)) {
        report.say(&what, "look", text);
    }
    Ok(())
}

/// Checks whether the program is started regularly, by the last runs in the store.
fn starts(context: &Context, store: &Store, report: &mut Report) -> Result<(), CliError> {
    let starts = schedule::known(store)?;
    let Some(last) = store.last_run_by("ingest", context.now())? else {
        // A run in the future was dated by a wrong clock and is not a recent run; a finding reports it.
        report.say("schedule", "ok", "no run yet; `fluxtower schedule --install` lets this computer do it".to_owned());
        return Ok(());
    };
    let ago = context.now().seconds_since(last.ended);
    let limit = match starts {
        Some(Starts::Declared(every)) => {
            let twice = every.as_secs().saturating_mul(2);
            RUNS_AT_LEAST_EVERY_S.max(i64::try_from(twice).unwrap_or(i64::MAX))
        }
        _ => RUNS_AT_LEAST_EVERY_S,
    };
    if ago > limit {
        let text =
            format!("the last run ended {} ago; see `fluxtower schedule`, or the task in Task Scheduler", span(ago));
        report.say("schedule", "look", text);
        return Ok(());
    }
    if let Some(failure) = status::failure(&last) {
        let text = format!("the last ingest, {} ago, failed: {failure}", span(ago));
        report.say("schedule", "look", text);
        return Ok(());
    }
    match starts.and_then(|starts| schedule::advice(&context.config.sync, starts)) {
        Some(advice) => report.say("schedule", "look", advice),
        None => report.say("schedule", "ok", format!("the last run ended {} ago", span(ago))),
    }
    Ok(())
}

/// Adds the findings of `status` that the lines above do not report yet: `old` are the tables whose files the lines
/// call old.
fn findings(context: &Context, store: &Store, old: &[&str], report: &mut Report) -> Result<(), CliError> {
    let now = context.now();
    let facts = Facts::read(&context.config, store, now)?;
    let is_first = facts.last_ingest.is_none();
    for finding in status::findings(&context.config, &facts, now) {
        // Before the first run no file was read, and each file has its line above.
        if is_first && matches!(finding.kind, Kind::NeverRead | Kind::Stale) {
            continue;
        }
        if finding.kind == Kind::Stale && finding.table.as_deref().is_some_and(|table| old.contains(&table)) {
            continue;
        }
        // A failure of the last ingest has its line. A failure of the last sync is in the past, because the destination
        // was asked just now.
        if finding.kind == Kind::RunFailed {
            continue;
        }
        let what = finding.table.as_ref().map_or_else(|| "station".to_owned(), |table| format!("table {table}"));
        let (_, word) = super::status::mark(&finding);
        report.say(&what, if word == "look" { "look" } else { "note" }, finding.text());
    }
    Ok(())
}

fn write(out: &mut dyn Write, report: &Report) -> io::Result<()> {
    let width = report.checks.iter().map(|line| line.what.chars().count()).max().unwrap_or(0);
    report.checks.iter().try_for_each(|line| {
        let colour = match line.verdict {
            "ok" => Colour::Green,
            "look" | "note" => Colour::Yellow,
            _ => Colour::Red,
        };
        let verdict = coloured(colour, &format!("{:4}", line.verdict));
        writeln!(out, "{verdict}  {:width$}  {}", line.what, line.text)
    })
}
