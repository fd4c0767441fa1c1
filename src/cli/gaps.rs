//! `fluxtower gaps`: lists records that were never in a file, and how to get them; where that is unknown, missing time
//! steps.

use std::collections::HashMap;
use std::io::{self, Write};

use serde::Serialize;

use super::output::count;
use super::{CliError, Context, Exit};
use crate::config::Config;
use crate::status::records;
use crate::store::{ClockLine, GapLine, MissingSteps, TableStatus, Uncounted};
use crate::time::Timestamp;

/// The most lines about a table's clock that are printed; JSON has all of them.
const CLOCK_LINES: usize = 20;

/// List missing records, with the LoggerNet export that repairs each
///
/// The logger or LoggerNet's cache may still hold them: export the period with the Data Filer or Custom Collection as
/// TOA5, then run `fluxtower ingest FILE`. A gap closes when its records are staged. Of a table without record numbers that
/// count, and where they start again, missing time steps are listed, by its usual interval. Ends with exit code 1 when records or time steps are missing,
/// with 0 when none are.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  fluxtower gaps\n  fluxtower gaps --table soil_30min")]
pub(super) struct Args {
    /// Only this table
    #[arg(long, value_name = "NAME")]
    table: Option<String>,
}

#[derive(Serialize)]
struct GapItem {
    table: String,
    /// `jump` between two records, or `reset`: the counter restarted and its first records are missing.
    kind: &'static str,
    before_record: Option<i64>,
    after_record: i64,
    missing: i64,
    /// The station time of the last row before the gap and of the first row after it.
    from: Option<String>,
    to: String,
    from_utc: Option<String>,
    to_utc: String,
    repair: String,
}

#[derive(Serialize)]
struct StepItem {
    table: String,
    tags: Vec<String>,
    missing: u64,
    interval_s: f64,
    /// The station time of the row before and of the row after.
    from: String,
    to: String,
    from_utc: String,
    to_utc: String,
    repair: String,
}

#[derive(Serialize)]
struct UnknownItem {
    table: String,
    tags: Vec<String>,
    why: &'static str,
    column: Option<String>,
    /// None if the rows have no usual interval, or are too few.
    interval_s: Option<f64>,
    from: String,
    to: String,
    from_utc: String,
    to_utc: String,
    message: String,
}

#[derive(Serialize)]
struct ClockItem {
    table: String,
    kind: String,
    /// None where the rows have no record numbers.
    record_before: Option<i64>,
    time_before: String,
    record_after: Option<i64>,
    time_after: String,
    #[serde(skip)]
    message: String,
}

#[derive(Serialize)]
struct List {
    gaps: Vec<GapItem>,
    time_steps: Vec<StepItem>,
    unknown: Vec<UnknownItem>,
    clock: Vec<ClockItem>,
    /// Tables without rows, for which it is unknown whether records are missing.
    without_rows: Vec<String>,
    #[serde(skip)]
    has_counted: bool,
}

pub(super) fn run(context: &Context, args: &Args) -> Result<Exit, CliError> {
    let store = context.store()?;
    if let Some(table) = &args.table {
        context.known_table(&store, table)?;
    }
    let config = &context.config;
    let wanted = |table: &str| args.table.as_deref().is_none_or(|only| only == table);
    let gaps = store.gaps()?.into_iter().filter(|line| wanted(&line.table));
    let clock = store.clock_events()?.into_iter().filter(|line| wanted(&line.table));
    let uncounted = store.uncounted(Timestamp::EPOCH, usize::MAX)?;
    let uncounted: Vec<Uncounted> = uncounted.into_iter().filter(|line| wanted(&line.table)).collect();
    // Around a restart RECORD counts, so that only the pause is unknown.
    let unknown: Vec<&Uncounted> = uncounted.iter().filter(|line| !records::is_around_a_place(line.why)).collect();
    let steps = uncounted.iter().flat_map(|line| line.steps.iter().map(|step| step_item(config, line, step)));
    let tables = store.table_status()?;
    let list = List {
        gaps: gaps.map(|line| gap_item(config, &line)).collect(),
        time_steps: steps.collect(),
        unknown: unknown.iter().map(|line| unknown_item(config, line)).collect(),
        clock: clock.map(|line| clock_item(config, line, &uncounted)).collect(),
        without_rows: without_rows(config, &tables).filter(|table| wanted(table)).map(str::to_owned).collect(),
        has_counted: tables
            .iter()
            .filter(|table| table.rows > 0 && wanted(&table.table))
            .any(|table| unknown.iter().all(|line| line.table != table.table)),
    };
    context.output.result(&list, |out| list.print(out))?;
    Ok(if list.gaps.is_empty() && list.time_steps.is_empty() { Exit::Well } else { Exit::Look })
}

impl List {
    fn print(&self, out: &mut dyn Write) -> io::Result<()> {
        let all_are_known = self.unknown.is_empty() && self.without_rows.is_empty();
        if self.gaps.is_empty() && all_are_known {
            let by = if self.time_steps.is_empty() { "" } else { " by their numbers" };
            writeln!(out, "no records are missing{by}")?;
        } else if self.gaps.is_empty() && self.has_counted {
            writeln!(out, "no record is missing in the other tables")?;
        }
        for gap in &self.gaps {
            let missing = count(gap.missing.cast_unsigned(), "record");
            writeln!(out, "{}  {missing} missing before record {}", gap.table, gap.after_record)?;
            writeln!(out, "    {}", gap.repair)?;
        }
        for table in &self.without_rows {
            writeln!(out, "{table}  whether records are missing is unknown: it has no row yet")?;
        }
        let mut said: HashMap<(&str, &str), usize> = HashMap::new();
        for line in &self.unknown {
            *said.entry((&line.table, &line.message)).or_default() += 1;
        }
        for line in &self.unknown {
            // The series of one table mostly have the same message.
            let Some(series) = said.remove(&(line.table.as_str(), line.message.as_str())) else { continue };
            let of = if series > 1 { format!(" ({series} series)") } else { String::new() };
            writeln!(out, "{}{of}  {}", line.table, line.message)?;
            let has_steps = self.time_steps.iter().any(|step| step.table == line.table);
            if line.interval_s.is_some() && !has_steps {
                writeln!(out, "    no time step is missing")?;
            }
        }
        for step in &self.time_steps {
            let missing = count(step.missing, "time step");
            let tags = if step.tags.is_empty() { String::new() } else { format!(" ({})", step.tags.join(", ")) };
            writeln!(out, "{}{tags}  {missing} missing between {} and {}", step.table, step.from, step.to)?;
            writeln!(out, "    {}", step.repair)?;
        }
        let mut of_table: HashMap<&str, usize> = HashMap::new();
        for event in self.clock.iter().rev() {
            let so_far = of_table.entry(&event.table).or_default();
            *so_far += 1;
            if *so_far <= CLOCK_LINES {
                writeln!(out, "{}  {}", event.table, event.message)?;
            }
        }
        for (table, events) in of_table.into_iter().filter(|(_, events)| *events > CLOCK_LINES) {
            let more = count((events - CLOCK_LINES) as u64, "older change");
            writeln!(out, "{table}  and {more} of RECORD or clock: `fluxtower gaps --json` lists all")?;
        }
        Ok(())
    }
}

fn clock_item(config: &Config, line: ClockLine, uncounted: &[Uncounted]) -> ClockItem {
    let is_counted = line.kind != "back";
    ClockItem {
        message: records::event(config, &line, uncounted),
        kind: line.kind,
        record_before: is_counted.then_some(line.before.0),
        time_before: records::station_time(config, &line.table, line.before.1),
        record_after: is_counted.then_some(line.after.0),
        time_after: records::station_time(config, &line.table, line.after.1),
        table: line.table,
    }
}

/// Configured tables without a row.
fn without_rows<'a>(config: &'a Config, stored: &'a [TableStatus]) -> impl Iterator<Item = &'a str> {
    let has_rows = |name: &str| stored.iter().any(|table| table.table == name && table.rows > 0);
    config.tables.iter().map(|table| table.name.0.as_str()).filter(move |name| !has_rows(name))
}

fn gap_item(config: &Config, line: &GapLine) -> GapItem {
    let before = line.gap.before.map(|before| before.1).or(line.row_before);
    let after = line.gap.after.1;
    GapItem {
        kind: if line.gap.after_reset { "reset" } else { "jump" },
        before_record: line.gap.before.map(|before| before.0),
        after_record: line.gap.after.0,
        missing: line.gap.missing,
        repair: repair(config, &line.table, before, after),
        from: before.map(|before| records::station_time(config, &line.table, before)),
        to: records::station_time(config, &line.table, after),
        from_utc: before.map(|before| before.to_string()),
        to_utc: after.to_string(),
        table: line.table.clone(),
    }
}

fn step_item(config: &Config, line: &Uncounted, step: &MissingSteps) -> StepItem {
    StepItem {
        table: line.table.clone(),
        tags: line.tags.clone(),
        missing: step.missing,
        interval_s: step.interval.as_secs_f64(),
        from: records::station_time(config, &line.table, step.before),
        to: records::station_time(config, &line.table, step.after),
        from_utc: step.before.to_string(),
        to_utc: step.after.to_string(),
        repair: format!("if the logger was on: {}", repair(config, &line.table, Some(step.before), step.after)),
    }
}

fn unknown_item(config: &Config, line: &Uncounted) -> UnknownItem {
    let interval_s = line.regularity.interval().map(|interval| interval.as_secs_f64());
    UnknownItem {
        table: line.table.clone(),
        tags: line.tags.clone(),
        why: records::why_name(line.why),
        column: records::record_column(config, line).map(str::to_owned),
        interval_s,
        from: records::station_time(config, &line.table, line.from),
        to: records::station_time(config, &line.table, line.to),
        from_utc: line.from.to_string(),
        to_utc: line.to.to_string(),
        message: records::unknown(config, line),
    }
}

fn repair(config: &Config, table: &str, from: Option<Timestamp>, to: Timestamp) -> String {
    format!("{}, then: {}", records::export_of(config, table, from, to), records::ingest_of(table))
}
