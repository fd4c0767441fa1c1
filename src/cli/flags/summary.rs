//! `fluxtower flags --summary`: what each test costs a column in values, and which tests could not evaluate them.
//!
//! Shares that a network would question are listed below the table.

use serde::Serialize;

use super::super::output::grouped;
use super::super::{CliError, Context, Exit};
use super::Args;
use crate::store::{ColumnCosts, Store, TestCosts};
use crate::time::Timestamp;

#[derive(Serialize)]
struct Summary {
    columns: Vec<ColumnCosts>,
}

fn name(line: &ColumnCosts) -> String {
    format!("{}.{}", line.table, line.column)
}

pub(super) fn print(
    context: &Context,
    store: &Store,
    args: &Args,
    tables: &[String],
    span: (Timestamp, Timestamp),
) -> Result<Exit, CliError> {
    let mut summary = Summary { columns: Vec::new() };
    for table in tables {
        let found = store.costs(&context.config, table, span, None)?;
        summary.columns.extend(found.columns.into_iter().filter(|column| {
            args.column.as_ref().is_none_or(|wanted| *wanted == column.column)
                && args.test.as_ref().is_none_or(|wanted| column.tests.iter().any(|test| test.test == *wanted))
        }));
    }
    context.output.result(&summary, |out| {
        let wide = summary.columns.iter().map(|line| name(line).len()).max().unwrap_or(0).max(6);
        writeln!(
            out,
            "{:wide$}  {:>11}  {:>9}  {:>9}  {:>9}  {:>13}  by test",
            "column", "1 pass", "3 suspect", "4 fail", "9 missing", "2 not tested"
        )?;
        for line in &summary.columns {
            let mut tests: Vec<String> = line.tests.iter().map(shown_with_share).collect();
            if !line.not_judged_by.is_empty() {
                tests.push(format!("not judged by {}", line.not_judged_by.join(", ")));
            }
            writeln!(
                out,
                "{:wide$}  {:>11}  {:>9}  {:>9}  {:>9}  {:>13}  {}",
                name(line),
                grouped(line.pass),
                grouped(line.suspect),
                grouped(line.fail),
                grouped(line.missing),
                grouped(line.not_evaluated),
                tests.join(", ")
            )?;
        }
        let since = args.since.as_ref().map_or_else(String::new, |since| format!(" --since \"{since}\""));
        let much = summary.columns.iter().flat_map(|line| line.tests.iter().map(move |test| (line, test)));
        for (line, test) in much.filter(|(_, test)| test.much) {
            writeln!(
                out,
                "{} flags {:.1} % of the values of {}: does its limit fit the sensor, or is the sensor faulty? \
                 `fluxtower flags --table {} --column {} --test {}{since}` lists them",
                test.test,
                test.share * 100.0,
                name(line),
                line.table,
                line.column,
                test.test
            )?;
        }
        Ok(())
    })?;
    Ok(Exit::Well)
}

/// The text `gross_range 312 (15.5 %)` or `spike 0`.
fn shown_with_share(test: &TestCosts) -> String {
    match test.findings {
        0 => format!("{} 0", test.test),
        findings => format!("{} {} ({:.1} %)", test.test, grouped(findings), test.share * 100.0),
    }
}
