//! What each test costs a column in values, and which tests could not evaluate them.
//!
//! A limit that does not fit a sensor flags a large share of good values. So each configured test is listed with its
//! share, even if it flags nothing. All rows of a span are counted, or its newest ones.

use serde::Serialize;

use rusqlite::{OptionalExtension, params};

use crate::config::Config;
use crate::qc::{self, Flag, Test};
use crate::store::intake::tables::i64_of;
use crate::store::schema::key;
use crate::store::{Result, Store};
use crate::time::Timestamp;

/// From this share of values beyond the soft limit on, AmeriFlux asks for a review (`qaqc_template.cfg`,
/// PHYSICAL_RANGE).
const MUCH: f64 = 0.01;

/// The counts of flags of one column, and the tests that raised them.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ColumnCosts {
    /// Its table.
    pub table: String,
    /// Its name in the file.
    pub column: String,
    /// The number of values with flag 1.
    pub pass: u64,
    /// The number of values with flag 2.
    pub not_evaluated: u64,
    /// The number of values with flag 3.
    pub suspect: u64,
    /// The number of values with flag 4.
    pub fail: u64,
    /// The number of values with flag 9.
    pub missing: u64,
    /// The configured tests, and tests that raised a flag when they were configured.
    pub tests: Vec<TestCosts>,
    /// For values that are not evaluated: the tests that could not evaluate them.
    pub not_judged_by: Vec<&'static str>,
}

/// What one test raised.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TestCosts {
    /// Its name.
    pub test: &'static str,
    /// The number of values on which it raised a flag.
    pub findings: u64,
    /// The number of those that it calls suspect.
    pub suspect: u64,
    /// The number of those that it fails.
    pub fail: u64,
    /// Findings divided by the number of values that are not missing.
    pub share: f64,
    /// Whether the share is so large that the limit or the sensor should be checked.
    pub much: bool,
}

/// The costs of all tests of a table.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TableCosts {
    /// In the order of the column list.
    pub columns: Vec<ColumnCosts>,
    /// The time of the first row that is counted; None if every row of the span is.
    pub counted_from: Option<Timestamp>,
}

impl TestCosts {
    fn new(test: Test) -> TestCosts {
        TestCosts { test: test.name(), findings: 0, suspect: 0, fail: 0, share: 0.0, much: false }
    }
}

impl ColumnCosts {
    fn new(table: &str, column: &str, tests: &[Test]) -> ColumnCosts {
        ColumnCosts {
            table: table.to_owned(),
            column: column.to_owned(),
            pass: 0,
            not_evaluated: 0,
            suspect: 0,
            fail: 0,
            missing: 0,
            tests: tests.iter().copied().map(TestCosts::new).collect(),
            not_judged_by: Vec::new(),
        }
    }

    fn count_value(&mut self, digit: u8) {
        *match Flag::from_digit(digit) {
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
            self.tests.push(TestCosts::new(test));
        }
        if let Some(known) = self.tests.get_mut(at) {
            known.findings += 1;
            *if flag == Flag::Fail { &mut known.fail } else { &mut known.suspect } += 1;
        }
    }

    /// Completes the counts after the last row. A value that is not evaluated was passed by none of its tests, so none
    /// of the tests that pass values could evaluate it.
    #[allow(clippy::cast_precision_loss, reason = "fewer values than a float counts")]
    fn finish(&mut self, tests: &[Test]) {
        let values = self.pass + self.not_evaluated + self.suspect + self.fail;
        for test in &mut self.tests {
            test.share = if values == 0 { 0.0 } else { test.findings as f64 / values as f64 };
            test.much = test.share > MUCH;
        }
        if self.not_evaluated > 0 {
            self.not_judged_by = tests.iter().filter(|test| test.passes_values()).map(|test| test.name()).collect();
        }
    }
}

impl Store {
    /// The costs of a table's tests from `span.0` to `span.1`, both inclusive: of all rows, or of the newest `most`
    /// rows, divided among the series.
    pub fn costs(
        &self,
        config: &Config,
        table: &str,
        span: (Timestamp, Timestamp),
        most: Option<usize>,
    ) -> Result<TableCosts> {
        let names = self.column_names(table)?;
        let spec = config.table(table).map(|table| config.spec(table));
        let tests: Vec<Vec<Test>> =
            names.iter().map(|name| spec.as_ref().map_or_else(Vec::new, |spec| spec.tests_of(name))).collect();
        let mut columns: Vec<ColumnCosts> =
            names.iter().zip(&tests).map(|(name, tests)| ColumnCosts::new(table, name, tests)).collect();
        let mut counted_from = None;
        let all = self.series(table)?;
        let most = most.map(|most| (most / all.len().max(1)).max(1));
        for series in all {
            let mut from = span.0;
            if let Some(most) = most
                && let Some(first) = self.nth_newest(series.id, span, most)?
            {
                from = first;
                counted_from = counted_from.max(Some(first));
            }
            self.count(series.id, (from, span.1), &mut columns).map_err(|source| self.at(source))?;
        }
        columns.iter_mut().zip(&tests).for_each(|(column, tests)| column.finish(tests));
        Ok(TableCosts { columns, counted_from })
    }

    fn count(
        &self,
        series: i64,
        (from, to): (Timestamp, Timestamp),
        columns: &mut [ColumnCosts],
    ) -> rusqlite::Result<()> {
        let (low, high) = key::keys(series, from, to);
        let mut statement =
            self.conn.prepare_cached("SELECT flags, raised FROM reading WHERE id BETWEEN ?1 AND ?2 ORDER BY id")?;
        let mut rows = statement.query([low, high])?;
        while let Some(row) = rows.next()? {
            for (column, digit) in columns.iter_mut().zip(row.get_ref(0)?.as_str()?.bytes()) {
                column.count_value(digit);
            }
            let Some(raised) = row.get_ref(1)?.as_str_or_null()? else { continue };
            for finding in qc::findings(raised) {
                if let Some(column) = columns.get_mut(finding.place) {
                    column.count_finding(finding.test, finding.flag);
                }
            }
        }
        Ok(())
    }

    /// The time of the oldest of the newest `most` rows; None if there are no more rows than that.
    fn nth_newest(&self, series: i64, span: (Timestamp, Timestamp), most: usize) -> Result<Option<Timestamp>> {
        let (low, high) = key::keys(series, span.0, span.1);
        let work = || {
            self.conn
                .prepare_cached(
                    "SELECT id, nanos, EXISTS (SELECT 1 FROM reading b WHERE b.id >= ?1 AND b.id < a.id) FROM reading a
                     WHERE id BETWEEN ?1 AND ?2 ORDER BY id DESC LIMIT 1 OFFSET ?3",
                )?
                .query_row(params![low, high, i64_of(most.saturating_sub(1))], |row| {
                    Ok((key::time(row.get(0)?, row.get(1)?), row.get::<_, bool>(2)?))
                })
                .optional()
        };
        let found = work().map_err(|source| self.at(source))?;
        Ok(found.and_then(|(first, has_more)| has_more.then_some(first)))
    }
}
