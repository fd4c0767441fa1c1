//! `fluxtower export --coverage`: the shares of half hours that are present and good, as a table, JSON or CSV.

use std::collections::BTreeMap;
use std::io::{self, BufWriter, Write};

use serde::Serialize;

use super::{Args, target, window};
use crate::cli::whole_file::WholeFile;
use crate::cli::{CliError, Context, Exit};
use crate::config::TableConfig;
use crate::export::{Coverage, RULE, Share, VariableCoverage};
use crate::status::records;
use crate::store::Store;
use crate::text::count;

/// The header of the CSV file.
const HEAD: [&str; 13] = [
    "TABLE",
    "TAGS",
    "COLUMN",
    "VARIABLE",
    "INTERVAL_S",
    "YEAR",
    "MONTH",
    "HALF_HOURS",
    "PRESENT",
    "GOOD",
    "UNKNOWN",
    "PRESENT_PERCENT",
    "GOOD_PERCENT",
];
const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

#[derive(Serialize)]
struct ShareItem {
    half_hours: u64,
    present: u64,
    good: u64,
    unknown: u64,
    present_percent: Option<f64>,
    good_percent: Option<f64>,
}

#[derive(Serialize)]
struct MonthItem {
    month: u16,
    #[serde(flatten)]
    share: ShareItem,
}

#[derive(Serialize)]
struct YearItem {
    year: i32,
    #[serde(flatten)]
    share: ShareItem,
    months: Vec<MonthItem>,
}

#[derive(Serialize)]
struct VariableItem<'a> {
    table: &'a str,
    tags: &'a [String],
    column: &'a str,
    variable: Option<&'a str>,
    interval_s: Option<f64>,
    years: Vec<YearItem>,
}

#[derive(Serialize)]
struct Report<'a> {
    rule: &'static str,
    /// None if the report is written to stdout only.
    file: Option<String>,
    variables: Vec<VariableItem<'a>>,
}

impl From<Share> for ShareItem {
    fn from(share: Share) -> ShareItem {
        ShareItem {
            half_hours: share.half_hours,
            present: share.present,
            good: share.good,
            unknown: share.unknown,
            present_percent: share.present_percent(),
            good_percent: share.good_percent(),
        }
    }
}

pub(super) fn run(context: &Context, args: &Args, named: &[&TableConfig]) -> Result<Exit, CliError> {
    let store = Store::open_reader(&context.config.store_path)?;
    let (since, until) = window(context, args)?;
    let all: Vec<&TableConfig> = context.config.tables.iter().collect();
    let mut newest = None;
    for table in &all {
        newest = newest.max(store.series(&table.name.0)?.iter().filter_map(|series| series.newest).max());
    }
    // A half hour that has not ended yet is not missing.
    let until = until.map(|until| until.min(context.now().max(newest.unwrap_or(until))));
    let found = match until.or(newest) {
        Some(until) => {
            let tables = if named.is_empty() { all.as_slice() } else { named };
            crate::export::coverage(&store, &Coverage { tables, since, until })?
        }
        None => Vec::new(),
    };
    let file = match &args.output {
        None => None,
        Some(output) => {
            let path = target(context, output, || "coverage.csv".to_owned())?;
            let whole = WholeFile::beside(&path)?;
            let mut file = BufWriter::with_capacity(1 << 16, whole.create()?);
            write_csv(&found, &mut file).map_err(|source| whole.failed(source))?;
            drop(file);
            whole.keep(true)?;
            Some(path.display().to_string())
        }
    };
    let report = Report { rule: RULE, file, variables: found.iter().map(item).collect() };
    context.output.result(&report, |out| match &report.file {
        Some(file) => writeln!(out, "wrote the coverage of {} to {file}", count(found.len() as u64, "column")),
        None => print(&found, out),
    })?;
    Ok(Exit::Well)
}

fn item(of: &VariableCoverage) -> VariableItem<'_> {
    let month = |(month, share): &(u16, Share)| MonthItem { month: *month, share: (*share).into() };
    let years = of.years.iter().map(|year| YearItem {
        year: year.year,
        share: year.share.into(),
        months: year.months.iter().map(month).collect(),
    });
    VariableItem {
        table: &of.table,
        tags: &of.tags,
        column: &of.column,
        variable: of.variable.as_deref(),
        interval_s: of.interval.map(|interval| interval.as_secs_f64()),
        years: years.collect(),
    }
}

/// Writes one line for each month, and one without a month for the year.
fn write_csv(found: &[VariableCoverage], out: &mut dyn Write) -> io::Result<()> {
    let mut csv = csv::Writer::from_writer(out);
    csv.write_record(HEAD)?;
    let percent = |percent: Option<f64>| percent.map_or_else(String::new, |percent| format!("{percent:.1}"));
    for of in found {
        for year in &of.years {
            let months = year.months.iter().map(|(month, share)| (month.to_string(), *share));
            for (month, share) in months.chain([(String::new(), year.share)]) {
                csv.write_record([
                    of.table.clone(),
                    of.tags.join(" "),
                    of.column.clone(),
                    of.variable.clone().unwrap_or_default(),
                    of.interval.map_or_else(String::new, |interval| interval.as_secs_f64().to_string()),
                    year.year.to_string(),
                    month,
                    share.half_hours.to_string(),
                    share.present.to_string(),
                    share.good.to_string(),
                    share.unknown.to_string(),
                    percent(share.present_percent()),
                    percent(share.good_percent()),
                ])?;
            }
        }
    }
    csv.flush()
}

/// Prints a block for each table and series: two lines for each column and year.
fn print(found: &[VariableCoverage], out: &mut dyn Write) -> io::Result<()> {
    if found.is_empty() {
        return writeln!(out, "no rows: run `fluxtower ingest`");
    }
    let name = |of: &VariableCoverage| match &of.variable {
        Some(variable) if *variable != of.column => format!("{} ({variable})", of.column),
        _ => of.column.clone(),
    };
    let width = found.iter().map(|of| name(of).chars().count()).max().unwrap_or(0).max("column".len());
    for block in found.chunk_by(|one, next| (&one.table, &one.tags) == (&next.table, &next.tags)) {
        let Some(first) = block.first() else { continue };
        let tags = if first.tags.is_empty() { String::new() } else { format!(" ({})", first.tags.join(", ")) };
        let interval = match first.interval {
            Some(interval) => format!("a row every {}", records::interval(interval)),
            None => "the interval of its rows is unknown".to_owned(),
        };
        writeln!(out, "{}{tags}: % of half hours; {interval}", first.table)?;
        write!(out, "{:<width$}  year  {:<7}", "column", "")?;
        for month in MONTHS {
            write!(out, " {month:>5}")?;
        }
        writeln!(out, " {:>7}", "year")?;
        for of in block {
            for year in &of.years {
                let months: BTreeMap<u16, Share> = year.months.iter().copied().collect();
                for (word, of_share) in
                    [("present", Share::present_percent as fn(Share) -> Option<f64>), ("good", Share::good_percent)]
                {
                    let shown = |share: Option<&Share>, unknown: &str| match share {
                        None => "-".to_owned(),
                        Some(share) => of_share(*share).map_or(unknown.to_owned(), |percent| format!("{percent:.1}")),
                    };
                    write!(out, "{:<width$}  {}  {word:<7}", name(of), year.year)?;
                    for month in 1..=12 {
                        write!(out, " {:>5}", shown(months.get(&month), "?"))?;
                    }
                    writeln!(out, " {:>7}", shown(Some(&year.share), "unknown"))?;
                }
            }
        }
        writeln!(out)?;
    }
    writeln!(out, "{RULE}")?;
    writeln!(
        out,
        "rounded down; - outside of the time of the report; ? unknown: the interval of rows is, or rows were pruned"
    )
}
