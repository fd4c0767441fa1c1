//! Two columns that should agree: two heights, two sensors, light against radiation.
//!
//! QARTOD leaves the comparison of sensors to the operator; AmeriFlux compares TA with T_SONIC, PPFD_IN with SW_IN and
//! replicates by regression over a year (`multivariate_comparison.py` in AMF-FLX/AMF-BASE-QAQC). Here the limits are
//! fixed numbers, so that a value can be judged when it comes. Two sensors that disagree do not say which of them is
//! wrong, so both are flagged unless the configuration names the reference. A value that fails its own range is no
//! witness: the pair is then not evaluated.

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
    /// As the findings call it.
    pub name: String,
    /// The column compared.
    pub first: ColumnAt,
    /// What it is compared with.
    pub second: ColumnAt,
    /// What is compared.
    pub measure: Measure,
    /// Under which condition.
    pub guard: Option<Guard>,
    /// How far apart the rows of two tables may lie. Zero: the same time.
    pub within: Duration,
    /// Which of the two is flagged.
    pub flags: PairFlags,
}

impl Pair {
    /// The table that it compares `table` with; that table itself where the pair lies within one.
    pub fn other(&self, table: &TableName) -> &TableName {
        if self.first.table == *table { &self.second.table } else { &self.first.table }
    }

    /// Whether it flags a column of this table.
    pub fn flags_in(&self, table: &TableName) -> bool {
        (self.first.table == *table && self.flags != PairFlags::Second)
            || (self.second.table == *table && self.flags != PairFlags::First)
    }
}

/// What a pair test looks at.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Measure {
    /// First minus second, without its sign; strictly above is beyond.
    Difference(Levels<f64>),
    /// First by second, within closed intervals.
    Ratio(Range),
}

/// A pair test runs only where this value lies strictly above and strictly below the bounds.
#[derive(Debug, Clone, PartialEq)]
pub struct Guard {
    /// A column of the first table, or the second column.
    pub column: ColumnAt,
    /// Minus infinity for none.
    pub above: f64,
    /// Infinity for none.
    pub below: f64,
}

/// Which side of a pair is flagged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PairFlags {
    /// Both: two sensors that disagree do not say which is wrong.
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
    /// No limit, or limits in the wrong order.
    pub fn difference(group: &Group) -> Result<Measure, Problem> {
        group.rising("difference = { suspect = 2, fail = 5 }").map(Measure::Difference)
    }

    /// Reads the group `ratio`.
    ///
    /// # Errors
    /// No bounds, or `suspect` not inside `fail`.
    pub fn ratio(group: &Group) -> Result<Measure, Problem> {
        group.range("ratio = { suspect = [1.8, 2.3] }").map(Measure::Ratio)
    }
}

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

/// A guard, seen from one table.
#[derive(Debug, Clone, Copy)]
struct GuardTest {
    side: Side,
    above: f64,
    below: f64,
}

/// A pair, seen from one table.
#[derive(Debug, Clone)]
pub(super) struct PairTest {
    name: String,
    first: Side,
    second: Side,
    guard: Option<GuardTest>,
    measure: Measure,
    flags: PairFlags,
    /// How the two are subtracted.
    kind: Kind,
    /// Its other table, if it has one.
    pub(super) across: Option<Across>,
}

impl PairTest {
    /// Seen from `table`, whose columns are `names`; none if the pair flags nothing there.
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

    /// Places of this table that it may flag.
    pub(super) fn places(&self) -> impl Iterator<Item = usize> {
        let first = (self.flags != PairFlags::Second).then_some(self.first);
        let second = (self.flags != PairFlags::First).then_some(self.second);
        first.into_iter().chain(second).filter_map(|side| if let Side::Here(place) = side { Some(place) } else { None })
    }

    /// Judges one row. `numbers` are the row's values, NaN where missing; `is_failed` says whether one fails its own range.
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
            // Nothing has a ratio to zero.
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
