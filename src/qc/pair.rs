//! Two columns that should agree: two heights, two sensors, light against radiation.
//!
//! QARTOD leaves the comparison of sensors to the operator; AmeriFlux compares TA with T_SONIC, PPFD_IN with SW_IN and
//! replicates by regression over a year (`multivariate_comparison.py` in AMF-FLX/AMF-BASE-QAQC). Here the limits are
//! fixed numbers, so that a value can be judged when it comes. Two sensors that disagree do not say which of them is
//! wrong, so both are flagged unless the configuration names the reference. A value that fails its own range is no
//! witness: the pair is then not evaluated.

use super::finding::{Finding, Test, short};
use super::flag::Flag;
use super::limits::{above, bounds, limit, within};
use crate::config::{ColumnAt, Guard, Measure, Pair, PairFlags, TableName};
use crate::time::nanos;

/// Where a value of a pair comes from, seen from one of its tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    /// A column of this table, by its place.
    Here(usize),
    /// A column of the other table: the place in [`Partner`].
    There(usize),
    /// A column that the table does not have.
    Nowhere,
}

/// The values of the other table at the row's time: the compared column, then the guard's, where it stands there. NaN
/// where there is none.
pub type Partner = [f64; 2];

/// What a row of another table needs to be a [`Partner`].
#[derive(Debug, Clone, PartialEq)]
pub struct Across {
    /// The other table.
    pub table: TableName,
    /// Its columns: compared, guard.
    pub columns: [Option<String>; 2],
    /// How far apart the two rows may lie, in nanoseconds.
    pub within: i64,
}

/// A pair, seen from one table.
#[derive(Debug, Clone)]
pub(super) struct PairTest {
    name: String,
    first: Side,
    second: Side,
    guard: Option<(Side, f64, f64)>,
    measure: Measure,
    flags: PairFlags,
    /// Its other table, if it has one.
    pub(super) across: Option<Across>,
}

impl PairTest {
    /// Seen from `table`, whose columns are `names`; none if the pair flags nothing there.
    pub(super) fn new(pair: &Pair, table: &TableName, names: &[String]) -> Option<PairTest> {
        if !pair.flags_in(table) {
            return None;
        }
        let mut there: [Option<String>; 2] = [None, None];
        let mut side = |column: &ColumnAt, slot: usize| {
            if column.table == *table {
                names.iter().position(|name| *name == column.column).map_or(Side::Nowhere, Side::Here)
            } else {
                there[slot] = Some(column.column.clone());
                Side::There(slot)
            }
        };
        let first = side(&pair.first, 0);
        let second = side(&pair.second, 0);
        let guard = pair.guard.as_ref().map(|Guard { column, above, below }| (side(column, 1), *above, *below));
        let other = pair.other(table);
        let across =
            (other != table).then(|| Across { table: other.clone(), columns: there, within: nanos(pair.within) });
        Some(PairTest {
            name: pair.name.clone(),
            first,
            second,
            guard,
            measure: pair.measure,
            flags: pair.flags,
            across,
        })
    }

    /// Places of this table that it may flag.
    pub(super) fn places(&self) -> impl Iterator<Item = usize> {
        let first = (self.flags != PairFlags::Second).then_some(self.first);
        let second = (self.flags != PairFlags::First).then_some(self.second);
        first.into_iter().chain(second).filter_map(|side| if let Side::Here(place) = side { Some(place) } else { None })
    }

    /// Judges one row. `numbers` are the row's values, NaN where missing; `is_failed` says whether one fails its own range.
    pub(super) fn judge(
        &self,
        numbers: &[f64],
        partner: Partner,
        is_failed: impl Fn(usize) -> bool,
        marks: &mut [Flag],
        findings: &mut Vec<Finding>,
    ) {
        let value = |side: Side| match side {
            Side::Here(place) if is_failed(place) => f64::NAN,
            Side::Here(place) => numbers.get(place).copied().unwrap_or(f64::NAN),
            Side::There(slot) => partner[slot],
            Side::Nowhere => f64::NAN,
        };
        let (first, second) = (value(self.first), value(self.second));
        if first.is_nan() || second.is_nan() {
            return;
        }
        if let Some((side, above, below)) = self.guard {
            let guard = value(side);
            if guard.is_nan() || guard <= above || guard >= below {
                return;
            }
        }
        let (flag, measured) = match &self.measure {
            Measure::Difference(levels) => {
                let difference = (first - second).abs();
                (above(levels, difference), difference)
            }
            // Nothing has a ratio to zero.
            Measure::Ratio(_) if second == 0.0 => return,
            Measure::Ratio(range) => {
                let ratio = first / second;
                (within(range, ratio), ratio)
            }
        };
        for place in self.places() {
            marks[place] = marks[place].roll_up(flag);
            if flag.is_raised() {
                let detail = self.detail(flag, first, second, measured);
                findings.push(Finding { place, test: Test::Pair, flag, detail });
            }
        }
    }

    fn detail(&self, flag: Flag, first: f64, second: f64, measured: f64) -> String {
        let name = &self.name;
        match &self.measure {
            Measure::Difference(levels) => {
                let limit = limit(levels, flag).unwrap_or(f64::NAN);
                format!("{name}: {first} and {second} differ by {}, more than {limit}", short(measured))
            }
            Measure::Ratio(range) => {
                let (low, high) = bounds(range, flag);
                format!("{name}: {first} / {second} = {}, outside {low} to {high}", short(measured))
            }
        }
    }
}
