//! Whether the values are right, by the flags of the last day of data.

use serde::Serialize;

use crate::config::{ColumnUse, TableConfig};
use crate::status::Lateness;
use crate::store::Store;
use crate::text::grouped;
use crate::view::serve::error::ApiError;
use crate::view::summary::{FlagCounts, Summaries};

const HOURS: u64 = 24;
const MOST_WORST: usize = 5;
/// Limits for the shares of a column's values.
const BAD_FAIL: f64 = 0.5;
/// From fewer values no bad verdict is concluded: with one value per day, a single one may be missing or wrong.
const LEAST_BAD: u64 = 12;
const SOME_FAIL: f64 = 0.01;
const SOME_SUSPECT: f64 = 0.05;

/// A status light.
#[derive(Debug, Clone, Serialize)]
pub(in crate::view::serve) struct Right {
    pub(super) state: &'static str,
    pub(super) why: String,
    hours: u64,
    values: u64,
    good: u64,
    suspect: u64,
    fail: u64,
    missing: u64,
    not_evaluated: u64,
    worst: Vec<Worst>,
}

#[derive(Debug, Clone, Serialize)]
struct Worst {
    column: String,
    suspect: u64,
    fail: u64,
    missing: u64,
    values: u64,
}

/// The share among the values that are not missing.
#[allow(clippy::cast_precision_loss, reason = "a share needs no more digits")]
fn share(counts: &FlagCounts, number: u64) -> f64 {
    let there = counts.values() - counts.missing;
    if there == 0 { 0.0 } else { number as f64 / there as f64 }
}

fn state(counts: &FlagCounts) -> &'static str {
    let is_gone = counts.values() > 0 && counts.missing == counts.values();
    if counts.values() >= LEAST_BAD && (is_gone || share(counts, counts.fail) > BAD_FAIL) {
        "bad"
    } else if 2 * counts.missing > counts.values()
        || share(counts, counts.fail) > SOME_FAIL
        || share(counts, counts.suspect) > SOME_SUSPECT
    {
        "suspect"
    } else {
        "good"
    }
}

impl Right {
    /// Whether most values are wrong or missing.
    pub(super) fn is_bad(&self) -> bool {
        self.state == "bad"
    }

    /// The verdict as of now: values of a table whose rows no longer arrive show nothing about today, however good they
    /// were.
    pub(super) fn judged_at(mut self, lateness: Lateness) -> Right {
        if lateness == Lateness::Stale && self.state == "good" {
            self.state = "none";
            "the last values were right, and no new ones come".clone_into(&mut self.why);
        }
        self
    }

    /// The light of a table without rows.
    pub(super) fn none() -> Right {
        summed("none", "there is no row yet".to_owned(), &[])
    }
}

/// The light for a table's last day before its newest row.
pub(super) fn of(table: &TableConfig, store: &Store, summaries: &Summaries) -> Result<Right, ApiError> {
    let name = &table.name.0;
    let day = summaries.last_day(store, name)?;
    if day.from.is_none() {
        return Ok(Right::none());
    }
    // A column that is no longer in the logger's program is missing permanently, which is not reported every day.
    let header = store.newest_header(name)?;
    let is_shown = |column: &str| {
        let own = table.columns.get(column);
        let is_value = own.is_none_or(|own| own.column_use == ColumnUse::Field);
        let is_computed = own.is_some_and(|own| own.formula.is_some());
        is_value && (is_computed || header.as_ref().is_none_or(|header| header.names.iter().any(|name| name == column)))
    };
    let columns: Vec<(String, FlagCounts)> = day.columns.into_iter().filter(|(column, _)| is_shown(column)).collect();
    let with = |wanted: &str| columns.iter().filter(|(_, counts)| state(counts) == wanted).collect::<Vec<_>>();
    let (bad, suspect) = (with("bad"), with("suspect"));
    let names = |columns: &[&(String, FlagCounts)]| {
        let named: Vec<&str> = columns.iter().take(3).map(|(name, _)| name.as_str()).collect();
        let more = columns.len().saturating_sub(named.len());
        if more > 0 { format!("{} and {} more", named.join(", "), grouped(more as u64)) } else { named.join(", ") }
    };
    let (state, why) = if !bad.is_empty() {
        ("bad", format!("mostly failed or all missing: {}", names(&bad)))
    } else if !suspect.is_empty() {
        ("suspect", format!("more than usual is suspect, failed or missing: {}", names(&suspect)))
    } else if columns.iter().all(|(_, counts)| counts.good + counts.suspect + counts.fail == 0) {
        ("none", "no value was tested: no test is configured for it".to_owned())
    } else {
        ("good", "no column stands out".to_owned())
    };
    Ok(summed(state, why, &columns))
}

fn summed(state: &'static str, why: String, columns: &[(String, FlagCounts)]) -> Right {
    let sum = |of: fn(&FlagCounts) -> u64| columns.iter().map(|(_, counts)| of(counts)).sum();
    let mut worst: Vec<&(String, FlagCounts)> =
        columns.iter().filter(|(_, counts)| counts.fail + counts.suspect + counts.missing > 0).collect();
    worst.sort_by_key(|(_, counts)| std::cmp::Reverse((counts.fail, counts.suspect, counts.missing)));
    let worst = worst.into_iter().take(MOST_WORST).map(|(column, counts)| Worst {
        column: column.clone(),
        suspect: counts.suspect,
        fail: counts.fail,
        missing: counts.missing,
        values: counts.values(),
    });
    Right {
        state,
        why,
        hours: HOURS,
        values: sum(FlagCounts::values),
        good: sum(|counts| counts.good),
        suspect: sum(|counts| counts.suspect),
        fail: sum(|counts| counts.fail),
        missing: sum(|counts| counts.missing),
        not_evaluated: sum(|counts| counts.not_evaluated),
        worst: worst.collect(),
    }
}
