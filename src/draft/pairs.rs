//! Drafts pairs of columns that measure the same quantity, or of which one follows from the other. The limits are
//! derived from rows that have both.
//!
//! A pair flags both columns, because a disagreement does not show which sensor is wrong. So it is a key only if the
//! rows of a week agree; with fewer rows it is a comment.

use std::collections::HashMap;

use super::column::Column;
use super::quality::two_digits;
use super::table::Table;
use crate::ameriflux::unit::Fit;
use crate::ameriflux::{self, unit};
use crate::time::{LocalTime, NANOS_PER_SECOND};

/// A `[[pair]]`.
#[derive(Debug, Clone)]
pub(super) struct Pair {
    pub(super) name: String,
    pub(super) table: String,
    pub(super) column: String,
    pub(super) against_table: String,
    pub(super) against: String,
    /// The measure as it is written in the configuration: `difference` or `ratio`.
    pub(super) measure: String,
    /// The test is run only if `against` is above this.
    pub(super) when_above: Option<f64>,
    pub(super) active: bool,
    /// The evidence.
    pub(super) reason: String,
}

/// The least number of rows with both columns, and the least number of days that they cover.
const ENOUGH: usize = 100;
const DAYS: i64 = 7;
/// The largest share of rows that may disagree.
const MOST_APART: f64 = 0.03;
/// The most pairs of one variable. On a tower with many levels only neighbours should be compared, and only its user
/// knows these.
const MOST_OF_A_KIND: usize = 6;
/// The photon flux, umol m-2 s-1, of one W m-2 of sunlight: the lowest and the highest ratio under clouds and a low
/// sun.
const PHOTONS: (f64, f64) = (1.2, 3.0);
/// The light below which the ratio is meaningless, W m-2.
const LIGHT: f64 = 100.0;
/// The least difference of one quantity at two places that should be reported, in the variable's unit.
const LIKE: [(&str, f64); 2] = [("TA", 5.0), ("RH", 20.0)];

/// A column with its rows.
#[derive(Clone, Copy)]
struct Side<'t> {
    table: &'t Table,
    column: &'t Column,
    values: &'t [f64],
}

/// The pairs of all tables: light against radiation, and temperature and humidity at two places.
pub(super) fn of(tables: &[Table]) -> Vec<Pair> {
    let mut pairs = Vec::new();
    for table in tables {
        let table = std::slice::from_ref(table);
        for photons in sides(table, "PPFD_IN") {
            pairs.extend(sides(table, "SW_IN").into_iter().filter_map(|watts| ratio(photons, watts)));
        }
    }
    for (variable, least) in LIKE {
        let sides = sides(tables, variable);
        let found = sides.windows(2).filter_map(|pair| difference(pair[0], pair[1], variable, least));
        pairs.extend(found.take(MOST_OF_A_KIND));
    }
    pairs
}

/// The columns of this variable that are in its unit.
fn sides<'t>(tables: &'t [Table], variable: &str) -> Vec<Side<'t>> {
    let of_table = |table: &'t Table| {
        table.columns.iter().zip(&table.looked_at.columns).filter_map(move |(column, sample)| {
            Some(Side { table, column, values: &sample.values }).filter(|_| !sample.values.is_empty())
        })
    };
    let is_it = |side: &Side<'_>| {
        let known = side.column.variable.as_ref().filter(|known| known.active && known.variable == variable);
        known
            .and_then(|known| ameriflux::lookup(known.variable))
            .is_some_and(|known| matches!(unit::fit(&side.column.unit, known), Fit::AsIs))
    };
    tables.iter().flat_map(of_table).filter(is_it).collect()
}

/// The values of rows of equal time, with the number of days that they cover.
fn joined(one: Side<'_>, other: Side<'_>) -> (Vec<(f64, f64)>, i64) {
    let times = |side: Side<'_>| -> Vec<(LocalTime, f64)> {
        let known = side.table.looked_at.times.iter().copied().zip(side.values.iter().copied());
        known.filter(|(_, value)| !value.is_nan()).collect()
    };
    let others: HashMap<LocalTime, f64> = times(other).into_iter().collect();
    let both: Vec<(LocalTime, f64, f64)> = times(one)
        .into_iter()
        .filter_map(|(time, value)| others.get(&time).map(|against| (time, value, *against)))
        .collect();
    let days = match (both.iter().map(|row| row.0).min(), both.iter().map(|row| row.0).max()) {
        (Some(first), Some(last)) => last.nanos_since(first) / (86_400 * NANOS_PER_SECOND),
        _ => 0,
    };
    (both.into_iter().map(|(_, value, against)| (value, against)).collect(), days)
}

// The conversion is exact, because the counts are at most a few million.
#[allow(clippy::cast_precision_loss)]
fn is_few(part: usize, all: usize) -> bool {
    part as f64 <= MOST_APART * all as f64
}

fn ratio(photons: Side<'_>, watts: Side<'_>) -> Option<Pair> {
    let (rows, days) = joined(photons, watts);
    let mut ratios: Vec<f64> =
        rows.iter().filter(|(_, watts)| *watts > LIGHT).map(|(photons, watts)| photons / watts).collect();
    ratios.sort_by(f64::total_cmp);
    let median = ratios.get(ratios.len() / 2).map_or_else(|| "unknown".to_owned(), |median| format!("{median:.2}"));
    let (low, high) = PHOTONS;
    let apart = ratios.iter().filter(|ratio| !(low..=high).contains(*ratio)).count();
    let reason = format!(
        "PPFD_IN / SW_IN is about 2: {median} in the middle of {} rows looked at with more than {LIGHT} W m-2, {apart} outside {low} to {high}",
        ratios.len(),
    );
    Some(Pair {
        measure: format!("ratio = {{ suspect = [{low:?}, {high:?}] }}"),
        when_above: Some(LIGHT),
        active: ratios.len() >= ENOUGH && days >= DAYS && is_few(apart, ratios.len()),
        reason,
        ..named(photons, watts)
    })
}

fn difference(one: Side<'_>, other: Side<'_>, variable: &str, least: f64) -> Option<Pair> {
    let is_across = one.table.name != other.table.name;
    // Rows of two tables are compared by their time.
    let interval = |side: Side<'_>| side.table.interval.map(|interval| interval.nanos);
    if is_across && interval(one) != interval(other) {
        return None;
    }
    let (rows, days) = joined(one, other);
    let mut apart: Vec<f64> = rows.iter().map(|(one, other)| (one - other).abs()).collect();
    apart.sort_by(f64::total_cmp);
    let usual = apart.get(apart.len() * 99 / 100).copied().unwrap_or(0.0);
    let limit = two_digits((usual * 2.0).max(least));
    let reason = format!(
        "two sensors of {variable}: 99 of 100 of {} rows looked at, of {days} days, differ by at most {}",
        apart.len(),
        two_digits(usual)
    );
    Some(Pair {
        measure: format!("difference = {{ suspect = {limit:?} }}"),
        when_above: None,
        active: apart.len() >= ENOUGH && days >= DAYS,
        reason,
        ..named(one, other)
    })
}

fn named(one: Side<'_>, other: Side<'_>) -> Pair {
    let of = |side: Side<'_>| format!("{} {}", side.table.name, side.column.name);
    Pair {
        name: format!("{} and {}", of(one), of(other)),
        table: one.table.name.clone(),
        column: one.column.name.clone(),
        against_table: other.table.name.clone(),
        against: other.column.name.clone(),
        measure: String::new(),
        when_above: None,
        active: false,
        reason: String::new(),
    }
}
