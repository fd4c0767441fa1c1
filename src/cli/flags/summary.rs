//! `fluxtower flags --summary`: what each test costs a column in values, and which tests could not judge.
//!
//! A limit that does not fit a sensor flags a large share of good values. So each configured test is listed with its share, also where
//! it flags nothing, and shares that a network would question are named below the table.

use serde::Serialize;

use super::super::output::grouped;
use super::super::{CliError, Context, Exit};
use super::Args;
use crate::qc::{Flag, Test};
use crate::store::Store;
use crate::time::Timestamp;

/// AmeriFlux asks for a look from this share of values beyond the soft limit on (`qaqc_template.cfg`, PHYSICAL_RANGE).
const MUCH: f64 = 0.01;

#[derive(Serialize)]
struct Column {
    table: String,
    column: String,
    /// Values with each flag.
    pass: u64,
    not_evaluated: u64,
    suspect: u64,
    fail: u64,
    missing: u64,
    /// Configured tests, and those that raised a flag while they were.
    tests: Vec<ByTest>,
    /// Where values are not evaluated: the tests that could not judge them.
    not_judged_by: Vec<&'static str>,
}

#[derive(Serialize)]
struct ByTest {
    test: &'static str,
    findings: u64,
    suspect: u64,
    fail: u64,
    /// Findings by values that are not missing.
    share: f64,
}

#[derive(Serialize)]
struct Summary {
    columns: Vec<Column>,
}

impl ByTest {
    fn new(test: Test) -> ByTest {
        ByTest { test: test.name(), findings: 0, suspect: 0, fail: 0, share: 0.0 }
    }
}

impl Column {
    fn new(table: &str, column: &str, tests: &[Test]) -> Column {
        Column {
            table: table.to_owned(),
            column: column.to_owned(),
            pass: 0,
            not_evaluated: 0,
            suspect: 0,
            fail: 0,
            missing: 0,
            tests: tests.iter().copied().map(ByTest::new).collect(),
            not_judged_by: Vec::new(),
        }
    }

    fn count_value(&mut self, digit: char) {
        *match u8::try_from(digit).ok().and_then(Flag::from_digit) {
            Some(Flag::Pass) => &mut self.pass,
            Some(Flag::Suspect) => &mut self.suspect,
            Some(Flag::Fail) => &mut self.fail,
            Some(Flag::Missing) => &mut self.missing,
            Some(Flag::NotEvaluated) | None => &mut self.not_evaluated,
        } += 1;
    }

    fn count_finding(&mut self, test: Test, flag: Flag) {
        let at = self.tests.iter().position(|known| known.test == test.name()).unwrap_or(self.tests.len());
        if at == self.tests.len() {
            self.tests.push(ByTest::new(test));
        }
        if let Some(known) = self.tests.get_mut(at) {
            known.findings += 1;
            *if flag == Flag::Fail { &mut known.fail } else { &mut known.suspect } += 1;
        }
    }

    /// Once every row is counted. A value that is not evaluated was passed by none of its tests, so each of those that pass
    /// values could not judge it.
    #[allow(clippy::cast_precision_loss, reason = "fewer values than a float counts")]
    fn finish(&mut self, tests: &[Test]) {
        let values = self.pass + self.not_evaluated + self.suspect + self.fail;
        for test in &mut self.tests {
            test.share = if values == 0 { 0.0 } else { test.findings as f64 / values as f64 };
        }
        if self.not_evaluated > 0 {
            self.not_judged_by = tests.iter().filter(|test| test.passes_values()).map(|test| test.name()).collect();
        }
    }

    fn name(&self) -> String {
        format!("{}.{}", self.table, self.column)
    }
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
        let names = store.column_names(table)?;
        let spec = context.config.table(table).map(|config| context.config.spec(config));
        let tests: Vec<Vec<Test>> =
            names.iter().map(|name| spec.as_ref().map_or_else(Vec::new, |spec| spec.tests_of(name))).collect();
        let mut columns: Vec<Column> =
            names.iter().zip(&tests).map(|(name, tests)| Column::new(table, name, tests)).collect();
        store.judged_rows(table, span, false, |row| {
            for (column, digit) in columns.iter_mut().zip(row.flags.chars()) {
                column.count_value(digit);
            }
            for finding in row.findings {
                if let Some(column) = columns.get_mut(finding.place) {
                    column.count_finding(finding.test, finding.flag);
                }
            }
            true
        })?;
        columns.iter_mut().zip(&tests).for_each(|(column, tests)| column.finish(tests));
        summary.columns.extend(columns.into_iter().filter(|column| {
            args.column.as_ref().is_none_or(|wanted| *wanted == column.column)
                && args.test.as_ref().is_none_or(|wanted| column.tests.iter().any(|test| test.test == *wanted))
        }));
    }
    context.output.result(&summary, |out| {
        let wide = summary.columns.iter().map(|line| line.name().len()).max().unwrap_or(0).max(6);
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
                line.name(),
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
        for (line, test) in much.filter(|(_, test)| test.share > MUCH) {
            writeln!(
                out,
                "{} flags {:.1} % of the values of {}: does its limit fit the sensor, or is the sensor faulty? \
                 `fluxtower flags --table {} --column {} --test {}{since}` lists them",
                test.test,
                test.share * 100.0,
                line.name(),
                line.table,
                line.column,
                test.test
            )?;
        }
        Ok(())
    })?;
    Ok(Exit::Well)
}

/// `gross_range 312 (15.5 %)`; `spike 0`.
fn shown_with_share(test: &ByTest) -> String {
    match test.findings {
        0 => format!("{} 0", test.test),
        findings => format!("{} {} ({:.1} %)", test.test, grouped(findings), test.share * 100.0),
    }
}
