//! Two columns that should agree: two heights, two sensors, light against radiation.
//!
//! QARTOD leaves the comparison of sensors to the operator; AmeriFlux compares TA with T_SONIC, PPFD_IN with SW_IN and
//! replicates by regression over a year (`multivariate_comparison.py` in AMF-FLX/AMF-BASE-QAQC). Here the limits are
//! fixed numbers, so that a value can be judged as soon as it is read. A disagreement does not show which sensor is
//! wrong, so both are flagged unless the configuration names the reference. A value that fails its own range cannot be
//! used for a comparison: the pair is then not evaluated.

use std::time::Duration;

use super::flag::Flag;
use super::keys::{Group, Problem};
use super::limits::{Levels, bounds, limit, rounding, short, surely_above, within};
use super::registry::{About, Marks, Test};
use super::spec::{ColumnAt, TableName, TableSpec};
use crate::ameriflux::Range;
use crate::quantity::Kind;
use crate::time::nanos;

pub(super) const ABOUT: About = About {
    name: "pair",
    summary: "two columns that disagree",
    keys: "`[[pair]]`",
    section: "Pairs of columns",
    source: "left to the operator by QARTOD; AmeriFlux's multivariate comparison",
};

/// A comparison of two columns, of one table or of two.
#[derive(Debug, Clone, PartialEq)]
pub struct Pair {
    /// The name in findings.
    pub name: String,
    /// The first column.
    pub first: ColumnAt,
    /// The column with which the first is compared.
    pub second: ColumnAt,
    /// The measure of the comparison.
    pub measure: Measure,
    /// The condition for the comparison.
    pub guard: Option<Guard>,
    /// The largest time difference between the rows of two tables. Zero: the same time.
    pub within: Duration,
    /// Which of the two columns is flagged.
    pub flags: PairFlags,
}

impl Pair {
    /// The other table of the comparison; `table` itself if both columns are in one table.
    pub fn other(&self, table: &TableName) -> &TableName {
        if self.first.table == *table { &self.second.table } else { &self.first.table }
    }

    /// Whether it flags a column of this table.
    pub fn flags_in(&self, table: &TableName) -> bool {
        (self.first.table == *table && self.flags != PairFlags::Second)
            || (self.second.table == *table && self.flags != PairFlags::First)
    }
}

/// The measure of a pair test.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Measure {
    /// The absolute difference; a difference strictly above a limit is flagged.
    Difference(Levels<f64>),
    /// The first value divided by the second, compared with closed intervals.
    Ratio(Range),
}

/// The condition for a pair test: it runs only if this value is strictly above and strictly below the bounds.
#[derive(Debug, Clone, PartialEq)]
pub struct Guard {
    /// A column of the first table, or the second column of the pair.
    pub column: ColumnAt,
    /// The lower bound; minus infinity for none.
    pub above: f64,
    /// The upper bound; infinity for none.
    pub below: f64,
}

/// Which columns of a pair are flagged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PairFlags {
    /// Both: a disagreement does not show which sensor is wrong.
    Both,
    /// The first: the second is the reference.
    First,
    /// The second: the first is the reference.
    Second,
}

impl Measure {
    /// Reads the group `difference`.
    ///
    /// # Errors
    /// No limit is given, or the limits are in the wrong order.
    pub fn difference(group: &Group) -> Result<Measure, Problem> {
        group.rising("difference = { suspect = 2, fail = 5 }").map(Measure::Difference)
    }

    /// Reads the group `ratio`.
    ///
    /// # Errors
    /// No bounds are given, or `suspect` is not inside `fail`.
    pub fn ratio(group: &Group) -> Result<Measure, Problem> {
        group.range("ratio = { suspect = [1.8, 2.3] }").map(Measure::Ratio)
    }
}

/// The source of a value of a pair, for one of its tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    /// A column of this table, at this position.
    Here(usize),
    /// A column of the other table, at this position in [`Partner`].
    There(usize),
    /// A column that the table does not have.
    Nowhere,
}

/// The values of the other table at the row's time: the compared column, then the guard's column if it belongs to the
/// other table. NaN if there is none.
pub type Partner = [f64; 2];

/// What is needed to find the [`Partner`] of a row in another table.
#[derive(Debug, Clone, PartialEq)]
pub struct Across {
    /// The other table.
    pub table: TableName,
    /// The columns of the other table: the compared one, the guard's.
    pub columns: [Option<String>; 2],
    /// The largest time difference between the two rows, in nanoseconds.
    pub within: i64,
}

/// A guard, for one of the tables.
#[derive(Debug, Clone, Copy)]
struct GuardTest {
    side: Side,
    above: f64,
    below: f64,
}

/// A pair test, for one of the tables.
#[derive(Debug, Clone)]
pub(super) struct PairTest {
    name: String,
    first: Side,
    second: Side,
    guard: Option<GuardTest>,
    measure: Measure,
    flags: PairFlags,
    /// The kind of quantity, which decides how the two values are subtracted.
    kind: Kind,
    /// Its other table, if it has one.
    pub(super) across: Option<Across>,
}

impl PairTest {
    /// Builds the test for `table`, whose columns are `names`; None if the pair flags nothing there.
    pub(super) fn new(pair: &Pair, table: &TableSpec<'_>, names: &[String]) -> Option<PairTest> {
        let here = [&pair.first, &pair.second].into_iter().filter(|side| side.table == *table.name);
        let mut kinds = here.map(|side| table.kind_of(&side.column));
        let kind = kinds.find(|kind| *kind == Kind::Direction).unwrap_or_default();
        let table = table.name;
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
        let guard = pair.guard.as_ref().map(|Guard { column, above, below }| GuardTest {
            side: side(column, 1),
            above: *above,
            below: *below,
        });
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
            kind,
            across,
        })
    }

    /// The positions in this table that it may flag.
    pub(super) fn places(&self) -> impl Iterator<Item = usize> {
        let first = (self.flags != PairFlags::Second).then_some(self.first);
        let second = (self.flags != PairFlags::First).then_some(self.second);
        first.into_iter().chain(second).filter_map(|side| if let Side::Here(place) = side { Some(place) } else { None })
    }

    /// Judges one row. `numbers` are the row's values, NaN where missing; `is_failed` says whether the value at a
    /// position fails its own range.
    pub(super) fn judge(&self, numbers: &[f64], partner: Partner, is_failed: impl Fn(usize) -> bool, out: &mut Marks) {
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
        if let Some(GuardTest { side, above, below }) = self.guard {
            let guard = value(side);
            if guard.is_nan() || guard <= above || guard >= below {
                return;
            }
        }
        let (flag, measured) = match &self.measure {
            Measure::Difference(levels) => {
                let difference = self.kind.change(second, first).abs();
                (surely_above(levels, difference, rounding(&[first, second])), difference)
            }
            // A ratio to zero is undefined.
            Measure::Ratio(_) if second == 0.0 => return,
            Measure::Ratio(range) => {
                let ratio = first / second;
                (within(range, ratio), ratio)
            }
        };
        for place in self.places() {
            out.note(place, Test::Pair, flag, || self.detail(flag, first, second, measured));
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
