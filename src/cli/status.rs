//! `fluxtower status`: shows whether data is read and sent.

use std::collections::HashSet;
use std::io::{self, Write};

use serde::Serialize;

use super::output::{Colour, bytes, coloured, count, grouped, span};
use super::{CliError, Context, Exit};
use crate::ingest::{PutAway, Receipts, receipts};
use crate::status::{Facts, Finding, Severity, Verdict, age_s, findings};
use crate::store::{ReceiverLine, RunLine, Store, StoreError, TableStatus};
use crate::time::Timestamp;

/// The columns of the narrowest usual terminal; the table fits into it.
const WIDTH: usize = 100;
/// The columns that remain for the table's name.
const WIDEST_NAME: usize = WIDTH - 3 * 15 - 18;

/// Show what came in, what is pending and what a user must look at
///
/// Exit code 0 means that nothing is to be done, 1 that a user must look.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  fluxtower status\n  fluxtower status --json")]
pub(super) struct Args {}

#[derive(Serialize)]
struct Table {
    table: String,
    rows: u64,
    pending: u64,
    sent: u64,
    rejected: u64,
    expired: u64,
    conflicts: u64,
    open_conflicts: u64,
    rejected_lines: u64,
    held_lines: u64,
    gaps: u64,
    records_missing: u64,
    newest: Option<Timestamp>,
    newest_age_s: Option<i64>,
    oldest_pending: Option<Timestamp>,
    /// Closed files that were put away as `after` says; None if there are none.
    closed_files: Option<ClosedFiles>,
}

#[derive(Serialize)]
struct ClosedFiles {
    files: u64,
    bytes: u64,
    /// The newest receipt.
    last: Option<PutAway>,
}

#[derive(Serialize)]
struct Report {
    verdict: String,
    reasons: Vec<String>,
    findings: Vec<Finding>,
    tables: Vec<Table>,
    last_ingest: Option<Timestamp>,
    last_sync: Option<Timestamp>,
    last_sent: Option<Timestamp>,
    /// The pending bytes of line protocol, estimated from a sample.
    pending_bytes: u64,
    /// The time to send the backlog, if known.
    drain_s: Option<u64>,
    /// Every receiver of notifications.
    receivers: Vec<Receiver>,
}

#[derive(Serialize)]
struct Receiver {
    receiver: String,
    pending: u64,
    last_sent: Option<Timestamp>,
    last_failed: Option<Timestamp>,
    error: Option<String>,
}

pub(super) fn run(context: &Context, _args: &Args) -> Result<Exit, CliError> {
    let store = context.store()?;
    let now = context.now();
    let facts = Facts::read(&context.config, &store, now)?;
    let findings = findings(&context.config, &facts, now);
    let verdict = Verdict::of(&findings);
    let tables: Result<Vec<Table>, StoreError> =
        facts.tables.iter().map(|table| Ok(line(table, closed_files(&store, &table.table)?, now))).collect();
    let tables = tables?;
    let ended = |run: &Option<RunLine>| run.as_ref().map(|run| run.ended);
    let report = Report {
        verdict: verdict.line(&findings),
        last_ingest: ended(&facts.last_ingest),
        last_sync: ended(&facts.last_sync),
        last_sent: facts.last_stored,
        tables,
        pending_bytes: facts.pending_bytes.bytes,
        drain_s: facts.pending_bytes.drain.map(|drain| drain.as_secs()),
        receivers: facts.receivers.iter().map(receiver).collect(),
        reasons: findings.iter().map(Finding::text).collect(),
        findings,
    };
    context.output.result(&report, |out| write(context, out, &report, &facts.tables, now))?;
    Ok(verdict.exit())
}

fn receiver(line: &ReceiverLine) -> Receiver {
    Receiver {
        receiver: line.receiver.clone(),
        pending: line.pending,
        last_sent: line.sent,
        last_failed: line.failed,
        error: line.error.clone(),
    }
}

fn closed_files(store: &Store, table: &str) -> Result<Option<ClosedFiles>, StoreError> {
    let Receipts { files, bytes, newest } = receipts(store, table)?;
    Ok((files > 0).then(|| ClosedFiles { files, bytes, last: newest.last().cloned() }))
}

fn line(table: &TableStatus, closed_files: Option<ClosedFiles>, now: Timestamp) -> Table {
    Table {
        table: table.table.clone(),
        rows: table.rows,
        pending: table.pending,
        sent: table.sent,
        rejected: table.rejected,
        expired: table.expired,
        conflicts: table.conflicts,
        open_conflicts: table.open_conflicts,
        rejected_lines: table.rejected_lines,
        held_lines: table.held_lines,
        gaps: table.gaps,
        records_missing: table.records_missing,
        newest: table.newest,
        newest_age_s: table.newest.map(|newest| age_s(now, newest)),
        oldest_pending: table.oldest_pending,
        closed_files,
    }
}

fn write(
    context: &Context,
    out: &mut dyn Write,
    report: &Report,
    known: &[TableStatus],
    now: Timestamp,
) -> io::Result<()> {
    writeln!(out, "station {}, {}", context.config.station.name, context.config.store_path.display())?;
    if !known.is_empty() {
        writeln!(out)?;
        table_lines(out, report, known, now)?;
    }
    writeln!(out)?;
    let clock = context.config.station.clock;
    let when = |at: Option<Timestamp>| at.map_or_else(|| "never".to_owned(), |at| clock.event_time(at));
    writeln!(out, "last ingest {}, last sync {}", when(report.last_ingest), when(report.last_sync))?;
    writeln!(out, "last acknowledged {}", when(report.last_sent))?;
    for (table, closed) in report.tables.iter().filter_map(|table| Some((&table.table, table.closed_files.as_ref()?))) {
        let Some(last) = &closed.last else { continue };
        let (files, size) = (count(closed.files, "closed file"), bytes(closed.bytes));
        writeln!(out, "{table}: {files} of {size} went, the last one {} ({}, {})", last.file, last.action, last.at)?;
    }
    if report.pending_bytes > 0 {
        let time = match report.drain_s {
            None => String::new(),
            Some(0) => ", which the next sync can send at once".to_owned(),
            Some(seconds) => format!(", about {} to drain", span(i64::try_from(seconds).unwrap_or(i64::MAX))),
        };
        writeln!(out, "pending: about {} of line protocol{time}", bytes(report.pending_bytes))?;
    }
    for receiver in report.receivers.iter().filter(|receiver| receiver.pending > 0 || receiver.error.is_some()) {
        let failed = match (&receiver.error, receiver.last_failed) {
            (Some(error), Some(at)) => format!("; the attempt at {} failed: {error}", clock.event_time(at)),
            _ => String::new(),
        };
        writeln!(out, "{} pending to {}{failed}", count(receiver.pending, "notification"), receiver.receiver)?;
    }
    if report.findings.is_empty() {
        return writeln!(out, "{}", coloured(Colour::Green, "all well"));
    }
    write_findings(out, &report.findings)
}

/// Writes one line for each finding.
pub(super) fn write_findings<'f>(
    out: &mut dyn Write,
    findings: impl IntoIterator<Item = &'f Finding>,
) -> io::Result<()> {
    findings.into_iter().try_for_each(|finding| {
        let (colour, word) = mark(finding);
        writeln!(out, "{} {}", coloured(colour, &format!("{word}:")), finding.text())
    })
}

/// The colour and the label before a finding.
pub(super) fn mark(finding: &Finding) -> (Colour, &'static str) {
    match finding.severity {
        Severity::Problem => (Colour::Red, "look"),
        Severity::Warning => (Colour::Yellow, "look"),
        Severity::Info if finding.kind.is_unknown() => (Colour::Yellow, "unknown"),
        Severity::Info => (Colour::Yellow, "note"),
    }
}

/// Writes one line per table, those that need attention first, with problems on separate lines, so that the table fits
/// into a terminal.
fn table_lines(out: &mut dyn Write, report: &Report, known: &[TableStatus], now: Timestamp) -> io::Result<()> {
    let longest = known.iter().map(|table| table.table.chars().count()).max().unwrap_or(0);
    let width = longest.clamp(5, WIDEST_NAME);
    writeln!(out, "{:width$}  {:>13}  {:>13}  {:>13}  {:>16}", "table", "rows", "sent", "pending", "newest row")?;
    let mut sorted: Vec<&TableStatus> = known.iter().collect();
    let of_tables = report.findings.iter().filter(|finding| finding.needs_a_user());
    let found: HashSet<&str> = of_tables.filter_map(|finding| finding.table.as_deref()).collect();
    sorted.sort_by_key(|table| attention(&found, table));
    for table in sorted {
        let newest = table.newest.map_or_else(
            || "none".to_owned(),
            |newest| match age_s(now, newest) {
                age @ 0.. => format!("{} ago", span(age)),
                ahead => format!("{} ahead", span(-ahead)),
            },
        );
        writeln!(
            out,
            "{:width$}  {:>13}  {:>13}  {:>13}  {newest:>16}",
            shortened(&table.table, width),
            grouped(table.rows),
            grouped(table.sent),
            grouped(table.pending),
        )?;
        for line in wrapped(&notes(table, now), WIDTH - 4) {
            let line =
                if attention(&found, table) < [true, true, false] { coloured(Colour::Yellow, &line) } else { line };
            writeln!(out, "    {line}")?;
        }
    }
    Ok(())
}

/// The sort key; the smallest is the first. Tables with findings come first, then those with rejected, held or
/// otherwise irregular rows or lines, then those with pending rows; equal ones keep the order of the configuration.
fn attention(found: &HashSet<&str>, table: &TableStatus) -> [bool; 3] {
    let not_as_they_should = table.rejected
        + table.expired
        + table.open_conflicts
        + table.rejected_lines
        + table.held_lines
        + table.records_missing;
    // False sorts before true.
    [!found.contains(table.table.as_str()), not_as_they_should == 0, table.pending == 0]
}

fn shortened(name: &str, width: usize) -> String {
    if name.chars().count() <= width {
        return name.to_owned();
    }
    name.chars().take(width - 1).chain(['…']).collect()
}

/// Wraps the text at commas.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for part in text.split(", ").filter(|part| !part.is_empty()) {
        match lines.last_mut() {
            Some(line) if line.chars().count() + part.chars().count() + 3 <= width => {
                line.push_str(", ");
                line.push_str(part);
            }
            Some(line) => {
                line.push(',');
                lines.push(part.to_owned());
            }
            None => lines.push(part.to_owned()),
        }
    }
    lines
}

fn notes(table: &TableStatus, now: Timestamp) -> String {
    let mut notes = Vec::new();
    if let Some(oldest) = table.oldest_pending {
        notes.push(match age_s(now, oldest) {
            age @ 0.. => format!("oldest pending row is {} old", span(age)),
            ahead => format!("oldest pending row is {} ahead", span(-ahead)),
        });
    }
    for (number, noun) in [
        (table.rejected, "refused row"),
        (table.expired, "expired row"),
        (table.open_conflicts, "conflict"),
        (table.rejected_lines, "rejected line"),
        (table.held_lines, "held line"),
        (table.records_missing, "missing record"),
    ] {
        if number > 0 {
            notes.push(count(number, noun));
        }
    }
    notes.join(", ")
}
